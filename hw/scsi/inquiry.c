/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What disks and CD drives tell of themselves: INQUIRY with vital product data, mode pages. */
#include "util/osdep.h"
#include "hw/scsi/disk.h"

#include "util/bswap.h"

#define INQUIRY_LEN     36
#define BLOCK_LIMIT_DESCRIPTORS 255     /* of an UNMAP */

static void put_text(uint8_t *p, size_t n, const char *text)
{
    size_t len = MIN(strlen(text), n);

    memset(p, ' ', n);
    memcpy(p, text, len);
}

/* --- vital product data (SPC-4, 7.8; SBC-3, 6.6) --- */

static int vpd_serial(ScsiDisk *d, uint8_t *p)
{
    size_t n = MIN(strlen(d->serial), 36);

    memcpy(p, d->serial, n);
    return n;
}

/* A designator (SPC-4, 7.8.6.1); its length with the head. */
static int designator(uint8_t *p, uint8_t code_set, uint8_t type, const void *data, uint8_t len)
{
    p[0] = code_set;
    p[1] = type;
    p[3] = len;
    memcpy(p + 4, data, len);
    return len + 4;
}

static int vpd_identification(ScsiDisk *d, uint8_t *p)
{
    uint8_t number[8], index[4] = { 0 };
    size_t id_len = MIN(strlen(d->device_id), 255 - 8);
    int n = 0;

    if (id_len) {
        n += designator(p, 2, 0, d->device_id, id_len);         /* ASCII, vendor specific */
    }
    if (d->wwn) {
        store_be64(number, d->wwn);
        n += designator(p + n, 1, 3, number, 8);                /* binary, NAA */
    }
    if (d->port_wwn) {
        store_be64(number, d->port_wwn);
        n += designator(p + n, 0x61, 0x93, number, 8);          /* SAS port */
    }
    if (d->port_index) {
        store_be16(index + 2, d->port_index);
        n += designator(p + n, 0x61, 0x94, index, 4);           /* relative target port */
    }
    return n;
}

static int vpd_block_limits(ScsiDisk *d, uint8_t *p)
{
    uint32_t bs = d->conf.logical_block_size, unit = block_conf_discard_unit(&d->conf) / bs;
    uint64_t most = d->max_io_size / bs;

    store_be16(p + 2, d->conf.min_io_size / bs);
    store_be32(p + 4, MIN(most, UINT32_MAX));
    store_be32(p + 8, d->conf.opt_io_size / bs);
    if (unit) {
        store_be32(p + 16, MIN(d->max_unmap_size / bs, UINT32_MAX));
        store_be32(p + 20, BLOCK_LIMIT_DESCRIPTORS);
        store_be32(p + 24, unit);
        store_be32(p + 28, BIT(31));                            /* alignment: 0 */
    }
    store_be64(p + 32, UINT32_MAX);                             /* WRITE SAME */
    return 60;
}

static int vpd_characteristics(ScsiDisk *d, uint8_t *p)
{
    store_be16(p, d->rotation_rate);
    return 60;
}

static int vpd_provisioning(ScsiDisk *d, uint8_t *p)
{
    bool unmap = block_conf_discard_unit(&d->conf);

    p[1] = unmap ? 0x80 : 0;                                    /* LBPU: by UNMAP */
    p[2] = unmap ? 2 : 0;                                       /* thin */
    return 4;
}

typedef struct VpdPage {
    uint8_t page;
    bool disk_only;
    int (*put)(ScsiDisk *d, uint8_t *p);
} VpdPage;

static const VpdPage vpd_pages[] = {
    { 0x80, false, vpd_serial }, { 0x83, false, vpd_identification },
    { 0xb0, true, vpd_block_limits }, { 0xb1, true, vpd_characteristics },
    { 0xb2, true, vpd_provisioning },
};

static void vpd(ScsiDisk *d, ScsiRequest *r, uint8_t page)
{
    uint8_t *b = scsi_request_buffer(r, 1024);
    int n = -1;

    b[0] = d->scsi.type;
    b[1] = page;
    if (page == 0) {
        n = 1;
        for (size_t i = 0; i < ARRAY_SIZE(vpd_pages); i++) {
            bool there = vpd_pages[i].page == 0x80 ? *d->serial
                         : !vpd_pages[i].disk_only || !d->is_cd;

            if (there) {
                b[4 + n++] = vpd_pages[i].page;
            }
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(vpd_pages); i++) {
        if (vpd_pages[i].page == page && !(vpd_pages[i].disk_only && d->is_cd) &&
            (page != 0x80 || *d->serial)) {
            n = vpd_pages[i].put(d, b + 4);
        }
    }
    if (n < 0) {
        scsi_request_fail(r, SENSE_INVALID_FIELD);
        return;
    }
    store_be16(b + 2, n);
    scsi_request_reply(r, n + 4);
}

void scsi_disk_inquiry(ScsiDisk *d, ScsiRequest *r)
{
    uint8_t *b;

    if (r->cdb[1] & 1) {
        vpd(d, r, r->cdb[2]);
        return;
    }
    if (r->cdb[2] || r->cdb[1] & 2) {
        scsi_request_fail(r, SENSE_INVALID_FIELD);
        return;
    }
    b = scsi_request_buffer(r, 96);
    b[0] = d->scsi.type;
    b[1] = d->removable ? 0x80 : 0;
    b[2] = d->scsi_version;
    b[3] = 0x12;                                /* HiSup, response format 2 */
    b[4] = INQUIRY_LEN - 5;
    b[7] = 0x02;                                /* command queuing */
    put_text(b + 8, 8, d->vendor);
    put_text(b + 16, 16, d->product);
    put_text(b + 32, 4, d->version);
    scsi_request_reply(r, INQUIRY_LEN);
}

/* --- mode pages (SPC-4, 7.5; SBC-3, 6.5) --- */

enum { PAGE_RW_ERROR = 0x01, PAGE_GEOMETRY = 0x04, PAGE_CACHING = 0x08, PAGE_CONTROL = 0x0a,
       PAGE_AUDIO = 0x0e, PAGE_CAPABILITIES = 0x2a, PAGE_ALL = 0x3f };

static void geometry(const ScsiDisk *d, uint32_t *cyls, uint32_t *heads, uint32_t *secs)
{
    uint64_t blocks = scsi_disk_blocks(d);

    *heads = d->conf.heads ? d->conf.heads : 16;
    *secs = d->conf.secs ? d->conf.secs : 63;
    *cyls = d->conf.cyls ? d->conf.cyls : MIN(blocks / (*heads * *secs), 0xffffff);
}

/* Page @page at @b: current values, or (@changeable) a mask; its length, -1: no such page. */
static int mode_page(const ScsiDisk *d, uint8_t page, bool changeable, uint8_t *b)
{
    uint32_t cyls, heads, secs;
    int n;

    if (d->is_cd) {
        n = mmc_mode_page(&d->mmc, page, b);
        if (n > 0 && changeable) {
            memset(b + 2, 0, n - 2);
        }
        return n;
    }
    b[0] = page;
    switch (page) {
    case PAGE_RW_ERROR:
        b[1] = 10;
        b[2] = changeable ? 0 : 0x80;           /* AWRE */
        return 12;
    case PAGE_GEOMETRY:
        b[1] = 22;
        if (!changeable) {
            geometry(d, &cyls, &heads, &secs);
            store_be32(b + 1, cyls | 22u << 24);
            b[5] = heads;
            store_be16(b + 20, d->rotation_rate > 1 ? d->rotation_rate : 5400);
        }
        return 24;
    case PAGE_CACHING:
        b[1] = 18;
        b[2] = changeable || d->write_cache ? 4 : 0;    /* WCE */
        return 20;
    case PAGE_CONTROL:
        b[1] = 10;
        if (!changeable) {
            b[3] = 0x10;                        /* unrestricted reordering */
        }
        return 12;
    default:
        return -1;
    }
}

static const uint8_t disk_pages[] = { PAGE_RW_ERROR, PAGE_GEOMETRY, PAGE_CACHING, PAGE_CONTROL };
static const uint8_t cd_pages[] = { PAGE_RW_ERROR, PAGE_AUDIO, PAGE_CAPABILITIES };

void scsi_disk_mode_sense(ScsiDisk *d, ScsiRequest *r)
{
    bool ten = r->cdb[0] == 0x5a, dbd = r->cdb[1] & 8, found = false;
    uint8_t page = r->cdb[2] & 0x3f, control = r->cdb[2] >> 6;
    const uint8_t *pages = d->is_cd ? cd_pages : disk_pages;
    size_t num = d->is_cd ? ARRAY_SIZE(cd_pages) : ARRAY_SIZE(disk_pages);
    uint8_t *b = scsi_request_buffer(r, 512);
    uint64_t blocks = scsi_disk_blocks(d);
    int n = ten ? 8 : 4;

    if (control == 3) {
        scsi_request_fail(r, SENSE_SAVING_PARAMETERS);
        return;
    }
    b[ten ? 2 : 1] = d->is_cd ? mmc_medium_type(&d->mmc) : 0;
    b[ten ? 3 : 2] = d->is_cd ? 0 : (scsi_disk_read_only(d) ? 0x80 : 0) | (d->dpofua ? 0x10 : 0);
    if (!dbd && !d->is_cd && blocks) {          /* SBC-3, 6.5.2.2 */
        store_be32(b + n, blocks > 0xffffff ? 0 : blocks);
        store_be32(b + n + 4, d->conf.logical_block_size);
        b[n + 4] = 0;
        n += 8;
        b[ten ? 7 : 3] = 8;
    }
    for (size_t i = 0; i < num; i++) {
        if (page == PAGE_ALL || page == pages[i]) {
            n += mode_page(d, pages[i], control == 1, b + n);
            found = true;
        }
    }
    if (!found || (r->cdb[3] && r->cdb[3] != 0xff)) {
        scsi_request_fail(r, SENSE_INVALID_FIELD);
        return;
    }
    if (ten) {
        store_be16(b, n - 2);
    } else {
        b[0] = n - 1;
    }
    scsi_request_reply(r, n);
}

/* One page of the list; only WCE may differ from what it is. */
static bool select_page(ScsiDisk *d, const uint8_t *p, uint32_t len, bool apply)
{
    uint8_t now[64] = { 0 }, mask[64] = { 0 };
    int n = mode_page(d, p[0] & 0x3f, false, now);

    if (n < 0 || len < (uint32_t)n || p[1] != n - 2 || p[0] & 0x40) {
        return false;
    }
    mode_page(d, p[0] & 0x3f, true, mask);
    for (int i = 2; i < n; i++) {
        if ((p[i] ^ now[i]) & ~mask[i]) {
            return false;
        }
    }
    if (apply && (p[0] & 0x3f) == PAGE_CACHING && !d->is_cd) {
        d->write_cache = p[2] & 4;
        blk_set_write_cache(d->conf.blk, d->write_cache);
    }
    return true;
}

static bool select_pages(ScsiDisk *d, const uint8_t *p, uint32_t len, bool apply)
{
    while (len >= 2) {
        uint32_t n = p[1] + 2u;

        if (n > len || !select_page(d, p, len, apply)) {
            return false;
        }
        p += n;
        len -= n;
    }
    return true;
}

void scsi_disk_mode_select(ScsiDisk *d, ScsiRequest *r)
{
    bool ten = r->cdb[0] == 0x55, was = d->write_cache;
    uint32_t head = ten ? 8 : 4, len = r->step, descriptors;

    if (!(r->cdb[1] & 0x10)) {                  /* PF: the standard's pages */
        scsi_request_fail(r, SENSE_INVALID_FIELD);
        return;
    }
    if (r->cdb[1] & 1) {
        scsi_request_fail(r, SENSE_SAVING_PARAMETERS);
        return;
    }
    if (len < head) {
        scsi_request_fail(r, SENSE_PARAMETER_LENGTH);
        return;
    }
    descriptors = ten ? load_be16(r->buf + 6) : r->buf[3];
    if (descriptors > len - head) {
        scsi_request_fail(r, SENSE_PARAMETER_LENGTH);
        return;
    }
    head += descriptors;
    if ((descriptors && descriptors != 8) ||
        (descriptors && (load_be32(r->buf + head - 4) & 0xffffff) != d->conf.logical_block_size) ||
        !select_pages(d, r->buf + head, len - head, false)) {
        scsi_request_fail(r, SENSE_INVALID_PARAMETER);
        return;
    }
    select_pages(d, r->buf + head, len - head, true);
    if (was && !d->write_cache && !d->is_cd) {
        scsi_disk_flush(d, r);                  /* what is in the cache goes out first */
    } else {
        scsi_request_good(r);
    }
}
