/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATAPI CD/DVD drives: the packet protocol (ATA7 vol. 1, PACKET) and the commands of
 * MMC-6 that read data discs. Audio tracks and writing are not modelled.
 */
#include "util/osdep.h"
#include "hw/ide/ide.h"
#include "util/bswap.h"

enum { SENSE_NONE = 0, SENSE_NOT_READY = 2, SENSE_MEDIUM = 3, SENSE_ILLEGAL = 5,
       SENSE_ATTENTION = 6 };
enum { ASC_LBA_RANGE = 0x21, ASC_INVALID_COMMAND = 0x20, ASC_INVALID_FIELD = 0x24,
       ASC_MEDIUM_CHANGED = 0x28, ASC_NO_MEDIUM = 0x3a, ASC_UNREAD = 0x11,
       ASC_REMOVAL_PREVENTED = 0x53 };

void atapi_identify_init(IdeDrive *d)
{
    uint16_t *w = d->identify;

    memset(w, 0, sizeof(d->identify));
    w[0] = 0x85c0;              /* ATAPI CD, removable, DRQ within 50 us, 12-byte packets */
    ata_put_string(w + 10, 10, d->serial);
    ata_put_string(w + 23, 4, d->version);
    ata_put_string(w + 27, 20, d->model);
    w[48] = 1;
    w[49] = 0x0b00;
    w[53] = 7;
    w[63] = 0x07;
    w[64] = 3;
    w[65] = w[66] = 0xb4;
    w[67] = w[68] = 0x12c;
    w[71] = w[72] = 30;
    w[80] = 0x1e;
    w[82] = w[85] = 0x4210;     /* PACKET, DEVICE RESET */
    w[88] = 0x3f;
    if (ide_is_sata(d)) {
        w[80] = 0x00f0;
        w[76] = 0x000e;         /* Gen1 to Gen3 */
        w[77] = 0x0006;
        w[78] = SATA_AN;
        w[88] = 0x7f;
    }
}

static void packet_done(IdeDrive *d)
{
    d->r.count = (d->r.count & ~7) | IR_IO | IR_CD;
    d->dma = IDE_DMA_NONE;
    ide_done(d, true);
}

static void good(IdeDrive *d)
{
    d->error = 0;
    d->sense = d->asc = d->ascq = 0;
    packet_done(d);
}

static void check_condition(IdeDrive *d, uint8_t sense, uint8_t asc)
{
    d->sense = sense;
    d->asc = asc;
    d->ascq = 0;
    d->error = sense << 4 | ATA_ERR_ABRT;
    packet_done(d);
}

void atapi_reset(IdeDrive *d)
{
    d->sense = d->asc = d->ascq = 0;
    d->mmc.tray_locked = false;
}

/* --- data to the host --- */

/* The next data phase of a PIO command: at most the byte count limit, and even unless it is the last. */
static void give_phase(IdeDrive *d, uint32_t bytes)
{
    d->r.lba_mid = bytes;
    d->r.lba_high = bytes >> 8;
    d->r.count = (d->r.count & ~7) | IR_IO;
    ide_data_phase(d, d->pos, bytes, IDE_PACKET_IN, true);
}

static uint32_t phase_bytes(const IdeDrive *d, uint32_t available)
{
    uint32_t limit = d->packet_limit ? d->packet_limit : 0xfffe;

    if (available > limit) {
        return limit > 1 ? limit & ~1u : 2;
    }
    return available;
}

/* A reply in the buffer: @len bytes, cut to what the host allocated. */
static void reply(IdeDrive *d, uint32_t len, uint32_t allocated)
{
    len = MIN(len, allocated);
    d->left = 0;
    if (len == 0) {
        good(d);
        return;
    }
    d->sense = d->asc = d->ascq = 0;
    d->packet_left = len;
    d->pos = 0;
    if (d->packet_dma) {
        ide_dma_start(d, IDE_DMA_PACKET_IN);
    } else {
        give_phase(d, phase_bytes(d, len));
    }
}

static void read_done(IdeDrive *d, int result);

static void read_sectors(IdeDrive *d)
{
    d->block = MIN(d->left, IDE_BUFFER / CD_SECTOR);
    ide_io(d, false, d->lba * CD_SECTOR, d->block * CD_SECTOR, read_done);
}

static void dma_move(IdeDrive *d, uint32_t len)
{
    IdeChannel *c = d->channel;
    bool whole = c->ops->move(c->opaque, d->buffer, len, true) == len;

    d->packet_left -= len;
    if (!whole) {
        d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
        return;
    }
    if (d->left) {
        read_sectors(d);
    } else {
        good(d);
        c->ops->done(c->opaque, false);
    }
}

static void read_done(IdeDrive *d, int result)
{
    uint32_t len = d->block * CD_SECTOR;
    IdeChannel *c = d->channel;
    bool dma = d->packet_dma;

    if (result < 0) {
        check_condition(d, result == -ENOMEDIUM ? SENSE_NOT_READY : SENSE_MEDIUM,
                        result == -ENOMEDIUM ? ASC_NO_MEDIUM : ASC_UNREAD);
        if (dma) {
            c->ops->done(c->opaque, true);
        }
        return;
    }
    d->lba += d->block;
    d->left -= d->block;
    if (dma) {
        dma_move(d, len);
    } else {
        d->pos = 0;
        d->packet_left = len;
        give_phase(d, phase_bytes(d, len));
    }
}

void atapi_dma_go(IdeDrive *d)
{
    if (d->left) {
        read_sectors(d);
    } else {
        dma_move(d, d->packet_left);
    }
}

void atapi_pio_end(IdeDrive *d)
{
    if (d->phase == IDE_PIO_IN_DONE) {          /* IDENTIFY PACKET DEVICE */
        ide_done(d, false);
        return;
    }
    if (d->phase == IDE_PACKET) {
        memcpy(d->packet, d->buffer, sizeof(d->packet));
        d->phase = IDE_IDLE;
        atapi_packet(d);
        return;
    }
    if (d->phase == IDE_PACKET_OUT) {           /* MODE SELECT: nothing of it is kept */
        good(d);
        return;
    }
    d->packet_left -= MIN(d->packet_left, d->r.lba_mid | (uint32_t)d->r.lba_high << 8);
    if (d->packet_left) {
        give_phase(d, phase_bytes(d, d->packet_left));
    } else if (d->left) {
        read_sectors(d);
    } else {
        good(d);
    }
}

void atapi_start_packet(IdeDrive *d)
{
    d->packet_dma = d->r.feature & 1;
    d->packet_limit = d->r.lba_mid | (uint32_t)d->r.lba_high << 8;
    d->r.count = (d->r.count & ~7) | IR_CD;
    d->left = 0;
    ide_data_phase(d, 0, sizeof(d->packet), IDE_PACKET, false);
}

/* --- commands --- */

static void read_command(IdeDrive *d, uint32_t lba, uint32_t count)
{
    uint32_t total = mmc_sectors(&d->mmc);

    if (count == 0) {
        good(d);
        return;
    }
    if (lba >= total || count > total - lba) {
        check_condition(d, SENSE_ILLEGAL, ASC_LBA_RANGE);
        return;
    }
    d->lba = lba;
    d->left = count;
    if (d->packet_dma) {
        ide_dma_start(d, IDE_DMA_PACKET_IN);
    } else {
        read_sectors(d);
    }
}

static void request_sense(IdeDrive *d)
{
    uint8_t *b = d->buffer;

    memset(b, 0, 18);
    b[0] = 0x70;
    b[2] = d->sense;
    b[7] = 10;
    b[12] = d->asc;
    b[13] = d->ascq;
    reply(d, 18, d->packet[4]);
}

static void inquiry(IdeDrive *d)
{
    uint8_t *b = d->buffer;

    memset(b, ' ', 36);
    memset(b, 0, 8);
    b[0] = 0x05;                                /* CD/DVD */
    b[1] = 0x80;                                /* removable */
    b[3] = 0x21;                                /* ATAPI 2, response format 1 */
    b[4] = 31;
    memcpy(b + 8, "QEMU", 4);
    memcpy(b + 16, "QEMU DVD-ROM", 12);
    memcpy(b + 32, d->version, MIN(strlen(d->version), 4));
    reply(d, 36, load_be16(d->packet + 3));
}

/* A reply that all CD drives give alike; @allocated bytes are wanted. */
static void mmc_reply(IdeDrive *d, int len, uint32_t allocated)
{
    if (len == MMC_NO_MEDIUM) {
        check_condition(d, SENSE_NOT_READY, ASC_NO_MEDIUM);
    } else if (len < 0) {
        check_condition(d, SENSE_ILLEGAL, ASC_INVALID_FIELD);
    } else {
        reply(d, len, allocated);
    }
}

static void mmc_command(IdeDrive *d)
{
    const uint8_t *p = d->packet;
    uint8_t *b = d->buffer;

    memset(b, 0, MMC_REPLY_MAX);
    switch (p[0]) {
    case 0x43: mmc_reply(d, mmc_read_toc(&d->mmc, p, b), load_be16(p + 7)); break;
    case 0x46: mmc_reply(d, mmc_get_configuration(&d->mmc, p, b), load_be16(p + 7)); break;
    case 0x4a: mmc_reply(d, mmc_event_status(&d->mmc, p, b), load_be16(p + 7)); break;
    case 0x51: mmc_reply(d, mmc_disc_information(&d->mmc, p, b), load_be16(p + 7)); break;
    case 0x52: mmc_reply(d, mmc_track_information(&d->mmc, p, b), load_be16(p + 7)); break;
    case 0xad: mmc_reply(d, mmc_disc_structure(&d->mmc, p, b), load_be16(p + 8)); break;
    default: mmc_reply(d, mmc_mechanism_status(&d->mmc, p, b), load_be16(p + 8)); break;
    }
}

static void mode_sense(IdeDrive *d)
{
    static const uint8_t pages[] = { 0x01, 0x0e, 0x2a };
    uint8_t *b = d->buffer, page = d->packet[2] & 0x3f;
    uint32_t n = 8;

    memset(b, 0, 64);
    b[2] = mmc_medium_type(&d->mmc);
    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
        if (page == 0x3f || page == pages[i]) {
            n += mmc_mode_page(&d->mmc, pages[i], b + n);
        }
    }
    if (n == 8) {
        check_condition(d, SENSE_ILLEGAL, ASC_INVALID_FIELD);
        return;
    }
    store_be16(b, n - 2);
    reply(d, n, load_be16(d->packet + 7));
}

static void start_stop(IdeDrive *d)
{
    if (mmc_start_stop(&d->mmc, d->packet[4])) {
        good(d);
    } else {
        check_condition(d, SENSE_NOT_READY, ASC_REMOVAL_PREVENTED);
    }
}

static void capacity(IdeDrive *d)
{
    store_be32(d->buffer, mmc_sectors(&d->mmc) - 1);
    store_be32(d->buffer + 4, CD_SECTOR);
    reply(d, 8, 8);
}

/* READ CD: user data of 2048 bytes only. */
static void read_cd(IdeDrive *d)
{
    uint32_t count = d->packet[6] << 16 | load_be16(d->packet + 7);
    uint8_t what = d->packet[9] & 0xf8;

    if (what == 0) {
        good(d);
    } else if (what == 0x10) {
        read_command(d, load_be32(d->packet + 2), count);
    } else {
        check_condition(d, SENSE_ILLEGAL, ASC_INVALID_FIELD);
    }
}

static void mode_select(IdeDrive *d)
{
    uint32_t n = MIN(load_be16(d->packet + 7), 256);

    if (n == 0) {
        good(d);
        return;
    }
    d->r.count = d->r.count & ~7;
    d->r.lba_mid = n;
    d->r.lba_high = n >> 8;
    ide_data_phase(d, 0, n, IDE_PACKET_OUT, true);
}

void atapi_packet(IdeDrive *d)
{
    const uint8_t *p = d->packet;

    if (d->mmc.media_changed && p[0] != 0x12 && p[0] != 0x03 && p[0] != 0x46 && p[0] != 0x4a &&
        blk_has_medium(d->conf.blk)) {
        d->mmc.media_changed = false;
        check_condition(d, SENSE_ATTENTION, ASC_MEDIUM_CHANGED);
        return;
    }
    if (mmc_needs_medium(p[0]) && mmc_sectors(&d->mmc) == 0) {
        check_condition(d, SENSE_NOT_READY, ASC_NO_MEDIUM);
        return;
    }
    switch (p[0]) {
    case 0x00: good(d); break;                  /* TEST UNIT READY */
    case 0x03: request_sense(d); break;
    case 0x12: inquiry(d); break;
    case 0x1b: start_stop(d); break;
    case 0x1e: d->mmc.tray_locked = p[4] & 1; good(d); break;
    case 0x25: capacity(d); break;
    case 0x28: read_command(d, load_be32(p + 2), load_be16(p + 7)); break;
    case 0xa8: read_command(d, load_be32(p + 2), load_be32(p + 6)); break;
    case 0x2b: case 0xbb: good(d); break;       /* SEEK, SET CD SPEED */
    case 0x43: case 0x46: case 0x4a: case 0x51: case 0x52: case 0xad: case 0xbd:
        mmc_command(d);
        break;
    case 0x55: mode_select(d); break;
    case 0x5a: mode_sense(d); break;
    case 0xbe: read_cd(d); break;
    default: check_condition(d, SENSE_ILLEGAL, ASC_INVALID_COMMAND);
    }
}
