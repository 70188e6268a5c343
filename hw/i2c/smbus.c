/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SMBus, and EEPROMs at it. */
#include "util/osdep.h"
#include "hw/i2c/smbus.h"

#include <glib.h>
#include "qobject/error.h"

static char *smbus_path(const Device *dev)
{
    g_autofree char *up = dev->bus->parent ? device_bus_path(dev->bus->parent) : NULL;

    return g_strdup_printf("%s/%02x", up ? up : dev->bus->name, SMBUS_DEVICE(dev)->address);
}

static const BusType smbus_type = {
    .name = TYPE_SMBUS, .size = sizeof(Bus), .device_path = smbus_path,
};
BUS_TYPE(smbus_type)

Bus *smbus_new(Device *host, const char *name)
{
    return bus_new(TYPE_SMBUS, host, name);
}

static SmbusDevice *find(Bus *bus, uint8_t address, const Device *not)
{
    for (Device *o = bus->devices; o; o = o->sibling) {
        if (o != not && SMBUS_DEVICE(o)->address == address) {
            return SMBUS_DEVICE(o);
        }
    }
    return NULL;
}

bool smbus_transfer(Bus *bus, uint8_t address, const uint8_t *out, unsigned n_out, uint8_t *in,
                    unsigned n_in)
{
    SmbusDevice *d = find(bus, address, NULL);
    const SmbusDeviceOps *ops = d ? device_data(&d->dev) : NULL;

    return d && (!n_out || ops->write(d, out, n_out)) && (!n_in || ops->read(d, in, n_in));
}

static bool smbus_device_realize(Device *dev, Error **errp)
{
    SmbusDevice *d = SMBUS_DEVICE(dev);

    if (find(dev->bus, d->address, dev)) {
        error_setf(errp, ERR_IN_USE, "address 0x%02x of bus '%s' is taken", d->address,
                   dev->bus->name);
        error_argument(errp, "address", NULL, "an address where no other device is");
        return false;
    }
    return true;
}

static const Property smbus_device_props[] = {
    PROP_U8_RANGE("address", SmbusDevice, address, 0, 0, 127, "place on the bus"),
    PROP_END
};

static const DeviceType smbus_device_type = {
    .name = TYPE_SMBUS_DEVICE, .parent = TYPE_DEVICE, .size = sizeof(SmbusDevice),
    .abstract = true, .bus_type = TYPE_SMBUS, .props = smbus_device_props,
    .realize = smbus_device_realize,
};
DEVICE_TYPE(smbus_device_type)

/* --- an EEPROM of 256 bytes (24C02): a byte of address, then data --- */

typedef struct SmbusEeprom {
    SmbusDevice smbus;
    uint8_t data[256];
    uint8_t at;
} SmbusEeprom;
DEFINE_CAST(SMBUS_EEPROM, SmbusEeprom, "smbus-eeprom")

static bool eeprom_write(SmbusDevice *d, const uint8_t *data, unsigned n)
{
    SmbusEeprom *s = SMBUS_EEPROM(d);

    s->at = data[0];
    for (unsigned i = 1; i < n; i++) {
        s->data[s->at++] = data[i];
    }
    return true;
}

static bool eeprom_read(SmbusDevice *d, uint8_t *data, unsigned n)
{
    SmbusEeprom *s = SMBUS_EEPROM(d);

    for (unsigned i = 0; i < n; i++) {
        data[i] = s->data[s->at++];
    }
    return true;
}

static void eeprom_reset_hold(Device *dev)
{
    SMBUS_EEPROM(dev)->at = 0;
}

static const VmField eeprom_fields[] = {
    VM_BUFFER(SmbusEeprom, data), VM_U8(SmbusEeprom, at), VM_END
};
static const SmbusDeviceOps eeprom_ops = { eeprom_write, eeprom_read };

static const VmMeaning eeprom_meanings[] = {
    { "at", "byte that comes next" },
    { "data", .payload = "what is stored in it" },
    { .name = NULL }
};

static const DeviceType eeprom_type = {
    .name = "smbus-eeprom", .parent = TYPE_SMBUS_DEVICE, .size = sizeof(SmbusEeprom),
    .desc = "EEPROM of 256 bytes at an SMBus", .not_user_creatable = true,
    .category = DEVICE_MISC, .reset_hold = eeprom_reset_hold, .vm = { 1, eeprom_fields, .meanings = eeprom_meanings },
    .data = &eeprom_ops,
};
DEVICE_TYPE(eeprom_type)

bool smbus_eeprom_create(Bus *bus, uint8_t address, const uint8_t data[256], Error **errp)
{
    Device *dev = device_new("smbus-eeprom");

    memcpy(SMBUS_EEPROM(dev)->data, data, 256);
    SMBUS_EEPROM(dev)->smbus.address = address;
    return device_realize_unref(dev, bus, errp);
}

/* JEDEC 21-C, annex J: serial presence detect of DDR2 modules. */
void spd_fill(uint8_t d[256], uint64_t bytes)
{
    unsigned rank_mib = 128, ranks;
    uint8_t sum = 0;

    while (rank_mib < 16384 && (uint64_t)rank_mib * 2 * MIB <= bytes) {
        rank_mib *= 2;
    }
    ranks = (unsigned)MIN(MAX(bytes / ((uint64_t)rank_mib * MIB), 1), 4);
    memset(d, 0, 256);
    d[0] = 128;                         /* bytes that are used */
    d[1] = 8;                           /* of 2^8 */
    d[2] = 8;                           /* DDR2 */
    d[3] = 14;                          /* rows */
    d[4] = 10;                          /* columns */
    d[5] = (uint8_t)(0x60 | (ranks - 1));
    d[6] = 64;                          /* bits of data */
    d[8] = 5;                           /* SSTL 1.8 V */
    d[9] = 0x30;                        /* 3 ns: 667 MT/s */
    d[10] = 0x45;
    d[12] = 0x82;                       /* refresh: 7.8 us, self */
    d[13] = 8;                          /* width of a chip */
    d[16] = 0x0c;                       /* burst lengths 4 and 8 */
    d[17] = 4;                          /* banks */
    d[18] = 0x38;                       /* CAS latencies 3 to 5 */
    d[20] = 2;                          /* unbuffered DIMM */
    /* Bits 5 to 7 are 128 to 512 MiB, 0 to 4 then 1 to 16 GiB. */
    d[31] = (uint8_t)(rank_mib < 1024 ? BIT(5 + __builtin_ctz(rank_mib / 128))
                                      : BIT(__builtin_ctz(rank_mib / 1024)));
    for (int i = 0; i < 63; i++) {
        sum = (uint8_t)(sum + d[i]);
    }
    d[63] = sum;
}
