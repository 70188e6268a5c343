/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBus (and I2C, as far as its transactions are SMBus's): a bus with devices at 7-bit addresses.
 *
 * Source: System Management Bus Specification 2.0 ("SMB"), chapter 5. Every protocol there is some
 * bytes written, some bytes read after a repeated start, or both. Big lock.
 */
#ifndef HW_I2C_SMBUS_H
#define HW_I2C_SMBUS_H

#include "hw/core/device.h"

#define TYPE_SMBUS              "i2c-bus"
#define TYPE_SMBUS_DEVICE       "i2c-slave"
#define SMBUS_BLOCK_MAX         32      /* SMB 5.5.7 */

typedef struct SmbusDevice {
    Device dev;
    uint8_t address;                    /* property, 0 to 127 */
} SmbusDevice;
static inline SmbusDevice *SMBUS_DEVICE(const void *obj)
{
    return (SmbusDevice *)object_cast(obj, TYPE_SMBUS_DEVICE);
}

/* .data of a DeviceType. False: not acknowledged. */
typedef struct SmbusDeviceOps {
    bool (*write)(SmbusDevice *d, const uint8_t *data, unsigned n);
    bool (*read)(SmbusDevice *d, uint8_t *data, unsigned n);
} SmbusDeviceOps;

Bus *smbus_new(Device *host, const char *name);
/* Write @n_out bytes, then read @n_in. False: nobody there, or not acknowledged. */
bool smbus_transfer(Bus *bus, uint8_t address, const uint8_t *out, unsigned n_out, uint8_t *in,
                    unsigned n_in);

/* smbus-eeprom: 256 bytes; @data is copied. False with errp set. */
bool smbus_eeprom_create(Bus *bus, uint8_t address, const uint8_t data[256], Error **errp);
/* Serial presence detect of one DDR2 module with @bytes of RAM. */
void spd_fill(uint8_t data[256], uint64_t bytes);

#endif
