/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies of CD and DVD drives (MMC-6). */
#include "util/osdep.h"
#include "hw/scsi/mmc.h"

#include "qom/object.h"
#include "util/bswap.h"

#define CD_MOST_SECTORS 0x57000         /* more than 80 minutes: a DVD */

enum { PROFILE_NONE = 0x00, PROFILE_CD_ROM = 0x08, PROFILE_DVD_ROM = 0x10 };

uint32_t mmc_sectors(const MmcDrive *d)
{
    return d->tray_open ? 0 : (uint32_t)MIN(blk_length(d->blk) / CD_SECTOR, UINT32_MAX);
}

static bool is_dvd(const MmcDrive *d)
{
    return mmc_sectors(d) > CD_MOST_SECTORS;
}

static void put_msf(uint8_t *p, uint32_t lba)
{
    lba += 150;
    p[0] = 0;
    p[1] = lba / 75 / 60;
    p[2] = lba / 75 % 60;
    p[3] = lba % 75;
}

static void put_address(uint8_t *p, uint32_t lba, bool msf)
{
    if (msf) {
        put_msf(p, lba);
    } else {
        store_be32(p, lba);
    }
}

/* MMC-6, 6.25: one data track. */
int mmc_read_toc(const MmcDrive *d, const uint8_t *cdb, uint8_t *b)
{
    static const uint8_t points[] = { 0xa0, 0xa1, 0xa2, 1 };
    uint8_t format = cdb[2] & 15, first = cdb[6];
    bool msf = cdb[1] & 2;
    uint32_t n = 4;

    if (!mmc_sectors(d)) {
        return MMC_NO_MEDIUM;
    }
    if (!format) {
        format = cdb[9] >> 6;                   /* SFF-8020i */
    }
    b[2] = b[3] = 1;
    if (format == 0) {
        if (first > 1 && first != 0xaa) {
            return MMC_INVALID_FIELD;
        }
        if (first <= 1) {
            b[n + 1] = 0x14;                    /* data track, no copy */
            b[n + 2] = 1;
            put_address(b + n + 4, 0, msf);
            n += 8;
        }
        b[n + 1] = 0x16;
        b[n + 2] = 0xaa;
        put_address(b + n + 4, mmc_sectors(d), msf);
        n += 8;
    } else if (format == 1) {                   /* sessions */
        b[5] = 0x14;
        b[6] = 1;
        put_address(b + 8, 0, msf);
        n = 12;
    } else if (format == 2) {                   /* raw TOC */
        for (unsigned i = 0; i < 4; i++, n += 11) {
            b[n] = 1;
            b[n + 1] = 0x14;
            b[n + 3] = points[i];
            if (i < 2) {
                b[n + 8] = 1;
            } else {
                put_msf(b + n + 7, i == 2 ? mmc_sectors(d) : 0);
            }
        }
    } else {
        return MMC_INVALID_FIELD;
    }
    store_be16(b, n - 2);
    return n;
}

/* A feature descriptor (MMC-6, 5.2.2): its data, or NULL when it isn't wanted. */
static uint8_t *add_feature(uint8_t *b, int *n, const uint8_t *cdb, uint16_t code, uint8_t flags,
                            uint8_t len)
{
    uint16_t start = load_be16(cdb + 2);
    uint8_t rt = cdb[1] & 3, *p = b + *n;

    /* RT 1: current features only, 2: that one only (MMC-6, 6.6.2.2). */
    if ((rt == 2 && code != start) || (rt != 2 && code < start) || (rt == 1 && !(flags & 1))) {
        return NULL;
    }
    store_be16(p, code);
    p[2] = flags;
    p[3] = len;
    *n += 4 + len;
    return p + 4;
}

int mmc_get_configuration(const MmcDrive *d, const uint8_t *cdb, uint8_t *b)
{
    bool disc = mmc_sectors(d), dvd = is_dvd(d);
    int n = 8;
    uint8_t *p;

    if ((cdb[1] & 3) == 3) {
        return MMC_INVALID_FIELD;
    }
    store_be16(b + 6, !disc ? PROFILE_NONE : dvd ? PROFILE_DVD_ROM : PROFILE_CD_ROM);
    p = add_feature(b, &n, cdb, 0x0000, 3, 8);          /* profile list */
    if (p) {
        store_be16(p, PROFILE_DVD_ROM);
        p[2] = disc && dvd;
        store_be16(p + 4, PROFILE_CD_ROM);
        p[6] = disc && !dvd;
    }
    p = add_feature(b, &n, cdb, 0x0001, 0x0b, 8);       /* core */
    if (p) {
        p[3] = 2;                                       /* ATAPI; SCSI drives use it too */
        p[4] = 1;
    }
    p = add_feature(b, &n, cdb, 0x0003, 3, 4);          /* removable medium */
    if (p) {
        p[0] = 0x39;                                    /* tray, eject, lock */
    }
    p = add_feature(b, &n, cdb, 0x0010, disc, 8);       /* random readable */
    if (p) {
        store_be32(p, CD_SECTOR);
        store_be16(p + 4, 1);
    }
    add_feature(b, &n, cdb, 0x001f, (disc && dvd) | 4, 4);      /* DVD read */
    store_be32(b, n - 4);
    return n;
}

/* MMC-6, 6.7. */
int mmc_event_status(MmcDrive *d, const uint8_t *cdb, uint8_t *b)
{
    if (!(cdb[1] & 1)) {                        /* asynchronous: not supported */
        return MMC_INVALID_FIELD;
    }
    b[3] = 0x10;                                /* media events are what we have */
    if (!(cdb[4] & 0x10)) {
        b[2] = 0x80;
        store_be16(b, 2);
        return 4;
    }
    b[2] = 4;
    b[4] = d->event_eject ? 1 : d->event_new_media ? 2 : 0;
    b[5] = (d->tray_open ? 1 : 0) | (blk_has_medium(d->blk) && !d->tray_open ? 2 : 0);
    d->event_new_media = d->event_eject = false;
    store_be16(b, 6);
    return 8;
}

int mmc_disc_information(const MmcDrive *d, const uint8_t *cdb, uint8_t *b)
{
    if (!mmc_sectors(d)) {
        return MMC_NO_MEDIUM;
    }
    if (cdb[1] & 7) {
        return MMC_INVALID_FIELD;
    }
    store_be16(b, 32);
    b[2] = 0x0e;                                /* complete session, finalized */
    b[3] = b[4] = b[5] = b[6] = 1;
    b[7] = 0x20;
    return 34;
}

/* MMC-6, 6.26: the one track. */
int mmc_track_information(const MmcDrive *d, const uint8_t *cdb, uint8_t *b)
{
    uint32_t n = load_be32(cdb + 2);

    if (!mmc_sectors(d)) {
        return MMC_NO_MEDIUM;
    }
    if ((cdb[1] & 3) == 0 ? n >= mmc_sectors(d) : n != 1) {
        return MMC_INVALID_FIELD;
    }
    store_be16(b, 34);
    b[2] = b[3] = 1;
    b[5] = 4;                                   /* data track */
    b[6] = 1;                                   /* mode 1 */
    store_be32(b + 24, mmc_sectors(d));
    return 36;
}

int mmc_mechanism_status(const MmcDrive *d, UNUSED const uint8_t *cdb, uint8_t *b)
{
    b[1] = d->tray_open ? 0x10 : 0;
    b[5] = 1;
    return 8;
}

/* MMC-6, 6.22: of DVDs. */
int mmc_disc_structure(const MmcDrive *d, const uint8_t *cdb, uint8_t *b)
{
    uint32_t last = mmc_sectors(d) - 1;

    if (!mmc_sectors(d)) {
        return MMC_NO_MEDIUM;
    }
    if ((cdb[1] & 15) || (!is_dvd(d) && cdb[7] != 0xff) || cdb[6]) {
        return MMC_INVALID_FIELD;
    }
    switch (cdb[7]) {
    case 0x00:                                  /* physical format */
        store_be16(b, 2050);
        b[4] = 0x01;                            /* DVD-ROM, version 1 */
        b[5] = 0x0f;                            /* 12 cm, any rate */
        b[6] = 0x01;                            /* one layer, read-only */
        store_be32(b + 8, 0x030000);            /* first sector */
        store_be32(b + 12, 0x030000 + last);
        return 2052;
    case 0x01:                                  /* copyright: none */
        store_be16(b, 6);
        return 8;
    case 0x04:                                  /* manufacturing information */
        store_be16(b, 2050);
        return 2052;
    case 0xff:                                  /* which there are */
        store_be16(b, 14);
        b[4] = 0x00;
        b[5] = 0x40;
        store_be16(b + 6, 2052);
        b[8] = 0x01;
        b[9] = 0x40;
        store_be16(b + 10, 8);
        b[12] = 0x04;
        b[13] = 0x40;
        store_be16(b + 14, 2052);
        return 16;
    default:
        return MMC_INVALID_FIELD;
    }
}

int mmc_mode_page(const MmcDrive *d, uint8_t page, uint8_t *b)
{
    switch (page) {
    case 0x01:                                  /* error recovery */
        b[0] = 0x01;
        b[1] = 6;
        b[3] = 5;
        return 8;
    case 0x0e:                                  /* audio control (MMC-3, 5.5.1) */
        b[0] = 0x0e;
        b[1] = 14;
        b[2] = 4;
        b[8] = 1;
        b[9] = 0xff;
        b[10] = 2;
        b[11] = 0xff;
        return 16;
    case 0x2a:                                  /* capabilities (MMC-3, 5.5.10) */
        b[0] = 0x2a;
        b[1] = 18;
        b[2] = 0x3b;                            /* reads CD-R, CD-RW, DVD */
        b[4] = 0x70;
        b[6] = 0x29 | (d->tray_locked ? 2 : 0); /* tray, eject, lock */
        store_be16(b + 8, 704);
        store_be16(b + 10, 2);
        store_be16(b + 12, 512);
        store_be16(b + 14, 704);
        return 20;
    default:
        return MMC_INVALID_FIELD;
    }
}

uint8_t mmc_medium_type(const MmcDrive *d)
{
    return d->tray_open ? 0x71 : blk_has_medium(d->blk) ? 0x01 : 0x70;
}

static void move_tray(MmcDrive *d, bool open)
{
    if (d->tray_open != open) {
        d->tray_open = open;
        blk_tray_moved(d->blk, open);
    }
}

/* MMC-6, 6.42: LoEj and Start. */
bool mmc_start_stop(MmcDrive *d, uint8_t flags)
{
    if (!(flags & 2) || flags >> 4) {
        return true;
    }
    if (!(flags & 1) && d->tray_locked && !d->tray_open) {
        return false;
    }
    move_tray(d, !(flags & 1));
    return true;
}

bool mmc_needs_medium(uint8_t op)
{
    switch (op) {
    case 0x00: case 0x25: case 0x28: case 0x2b: case 0x2f: case 0x43: case 0x51: case 0x52:
    case 0xa8: case 0xad: case 0xbe:
        return true;
    default:
        return false;
    }
}

void mmc_media_changed(MmcDrive *d, bool loaded)
{
    d->media_changed = true;
    d->event_new_media |= loaded;
    if (loaded) {
        d->tray_open = false;
    }
}

void mmc_eject_request(MmcDrive *d, bool force)
{
    d->event_eject = true;
    if (force) {
        d->tray_locked = false;
        d->tray_open = true;
    }
}

void mmc_set_tray(MmcDrive *d, bool open)
{
    d->tray_open = open;
    d->media_changed = true;
    d->event_new_media |= !open && blk_has_medium(d->blk);
    d->event_eject |= open;
}

static const VmField mmc_fields[] = {
    VM_BOOL(MmcDrive, tray_open), VM_BOOL(MmcDrive, tray_locked),
    VM_BOOL(MmcDrive, event_new_media), VM_BOOL(MmcDrive, event_eject),
    VM_BOOL(MmcDrive, media_changed), VM_END
};
const VmState mmc_vm = { 1, mmc_fields };
