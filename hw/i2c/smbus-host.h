/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SMBus host controller of Intel's south bridges, as far as PIIX4 and the ICHs agree: registers 0 to 7 of its
 * ports (82371AB 7.3, ICH9 316972 19.2), whose transactions end at once. Big lock.
 */
#ifndef HW_I2C_SMBUS_HOST_H
#define HW_I2C_SMBUS_HOST_H

#include "hw/i2c/smbus.h"
#include "memory/memory.h"

enum { SMBHSTSTS = 0x00, SMBHSTCNT = 0x02, SMBHSTCMD = 0x03, SMBHSTADD = 0x04, SMBHSTDAT0 = 0x05,
       SMBHSTDAT1 = 0x06, SMBBLKDAT = 0x07, SMBUS_HOST_REGS = 16 };
#define SMBHSTSTS_INTER     BIT(1)
#define SMBHSTSTS_DEV_ERR   BIT(2)
#define SMBHSTCNT_INTREN    BIT(0)
#define SMBHSTCNT_START     BIT(6)

typedef struct SmbusHost {
    uint8_t reg[SMBUS_HOST_REGS];
    uint8_t block[SMBUS_BLOCK_MAX], index;
    Bus *bus;
    uint8_t sts_w1c;
} SmbusHost;

void smbus_host_reset(SmbusHost *s);
uint8_t smbus_host_read(SmbusHost *s, unsigned reg);
void smbus_host_write(SmbusHost *s, unsigned reg, uint8_t val);

#endif
