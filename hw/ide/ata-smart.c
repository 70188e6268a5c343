/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMART (ACS-2 7.55, SFF-8035i for the attributes): a disk that is well. */
#include "util/osdep.h"
#include "hw/ide/ide.h"

#include "util/bswap.h"

enum { READ_DATA = 0xd0, READ_THRESHOLDS = 0xd1, AUTOSAVE = 0xd2, OFFLINE = 0xd4, READ_LOG = 0xd5,
       WRITE_LOG = 0xd6, ENABLE = 0xd8, DISABLE = 0xd9, STATUS = 0xda };
#define KEY_MID     0x4f
#define KEY_HIGH    0xc2

static const struct { uint8_t id, threshold; uint16_t flags; uint8_t value, raw; } attributes[] = {
    { 1, 6, 0x03, 100, 0 },                     /* errors while reading */
    { 5, 36, 0x03, 100, 0 },                    /* reallocated sectors */
    { 9, 0, 0x03, 100, 1 },                     /* hours */
    { 12, 20, 0x03, 100, 1 },                   /* times that it was switched on */
    { 194, 0, 0x22, 69, 31 },                   /* degrees Celsius */
    { 197, 0, 0x12, 100, 0 },                   /* sectors that wait for reallocation */
    { 198, 0, 0x10, 100, 0 },                   /* sectors that can't be read */
};

static void add_checksum(uint8_t *b)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < IDE_SECTOR - 1; i++) {
        sum += b[i];
    }
    b[IDE_SECTOR - 1] = -sum;
}

static void read_data(uint8_t *b)
{
    store_le16(b, 1);
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        uint8_t *a = b + 2 + 12 * i;

        a[0] = attributes[i].id;
        store_le16(a + 1, attributes[i].flags);
        a[3] = a[4] = attributes[i].value;
        a[5] = attributes[i].raw;
    }
    b[362] = 0x02;                              /* off-line collection: complete */
    b[367] = 0x11;                              /* it can be done, and self-tests too */
    b[368] = 0x03;                              /* data is saved; autosave */
    b[370] = 0x01;                              /* logs of errors */
    b[372] = 2;                                 /* minutes of a short self-test */
    b[373] = 2;
}

static void read_thresholds(uint8_t *b)
{
    store_le16(b, 1);
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        b[2 + 12 * i] = attributes[i].id;
        b[3 + 12 * i] = attributes[i].threshold;
    }
}

/* False: no such log. */
static bool read_log(uint8_t log, uint8_t *b)
{
    switch (log) {
    case 0x00:                                  /* directory */
        b[0] = 1;
        b[2 * 0x01] = b[2 * 0x06] = 1;
        return true;
    case 0x01:                                  /* errors: none */
    case 0x06:                                  /* self-tests: none */
        b[0] = 1;
        add_checksum(b);
        return true;
    default:
        return false;
    }
}

/* Self-tests succeed, and at once. */
static void offline(IdeDrive *d)
{
    switch (d->r.lba_low) {
    case 0: case 1: case 2: case 4: case 0x7f: case 0x81: case 0x82: case 0x84:
        ide_done(d, true);
        break;
    default:
        ide_abort(d, ATA_ERR_ABRT);
    }
}

void ata_smart(IdeDrive *d)
{
    uint8_t what = d->r.feature, *b = d->buffer;

    if (d->r.lba_mid != KEY_MID || d->r.lba_high != KEY_HIGH || (!d->smart && what != ENABLE)) {
        ide_abort(d, ATA_ERR_ABRT);
        return;
    }
    memset(b, 0, IDE_SECTOR);
    switch (what) {
    case READ_DATA:
        read_data(b);
        add_checksum(b);
        ata_reply(d, IDE_SECTOR, false);
        break;
    case READ_THRESHOLDS:
        read_thresholds(b);
        add_checksum(b);
        ata_reply(d, IDE_SECTOR, false);
        break;
    case READ_LOG:
        if (d->r.count == 1 && read_log(d->r.lba_low, b)) {
            ata_reply(d, IDE_SECTOR, false);
        } else {
            ide_abort(d, ATA_ERR_ABRT);
        }
        break;
    case AUTOSAVE:
        d->smart_autosave = d->r.count == 0xf1;
        ide_done(d, true);
        break;
    case OFFLINE:
        offline(d);
        break;
    case ENABLE:
    case DISABLE:
        d->smart = what == ENABLE;
        ide_done(d, true);
        break;
    case STATUS:                                /* the registers keep their key: nothing exceeds a threshold */
        ide_done(d, true);
        break;
    default:
        ide_abort(d, ATA_ERR_ABRT);
    }
}
