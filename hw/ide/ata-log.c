/* SPDX-License-Identifier: GPL-2.0-or-later */
/* General purpose logs of disks: READ LOG EXT and READ LOG DMA EXT (ACS 7.35, 7.36, A). */
#include "util/osdep.h"
#include "hw/ide/ide.h"

#include "util/bswap.h"

enum { LOG_DIRECTORY = 0x00, LOG_STATISTICS = 0x04, LOG_NCQ_ERROR = 0x10, LOG_PHY = 0x11,
       LOG_NCQ_NON_DATA = 0x12, LOG_NCQ_SEND = 0x13, LOG_IDENTIFY = 0x30 };

static const struct { uint8_t log, pages; bool sata; } logs[] = {
    { LOG_DIRECTORY, 1, false }, { LOG_STATISTICS, 2, false }, { LOG_NCQ_ERROR, 1, true },
    { LOG_PHY, 1, true }, { LOG_NCQ_NON_DATA, 1, true }, { LOG_NCQ_SEND, 1, true },
    { LOG_IDENTIFY, 2, false },
};

bool ata_log_check(const IdeDrive *d, uint8_t log, uint16_t page, uint32_t pages)
{
    for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
        if (logs[i].log == log) {
            return pages && page + pages <= logs[i].pages && (!logs[i].sata || ide_is_sata(d));
        }
    }
    return false;
}

/* The byte that makes the sum of a page zero. */
static void add_checksum(uint8_t *b)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < IDE_SECTOR - 1; i++) {
        sum += b[i];
    }
    b[IDE_SECTOR - 1] = -sum;
}

static void directory(const IdeDrive *d, uint8_t *b)
{
    b[0] = 1;                                   /* version of the logs */
    for (size_t i = 1; i < ARRAY_SIZE(logs); i++) {
        if (!logs[i].sata || ide_is_sata(d)) {
            store_le16(b + 2 * logs[i].log, logs[i].pages);
        }
    }
}

/* A list of the log's pages: revision and number, then how many and which (ACS A.5.2, A.11.2). */
static void list_of_pages(uint8_t *b)
{
    store_le64(b, 1);
    b[8] = 2;
    b[9] = 0;
    b[10] = 1;
}

static void statistic(uint8_t *b, uint64_t v)
{
    store_le64(b, (v & (BIT64(48) - 1)) | UINT64_C(0xc0) << 56);    /* supported, valid */
}

/* ACS A.5.4: general statistics. */
static void statistics(const IdeDrive *d, uint8_t *b)
{
    BlockBackend *blk = d->conf.blk;
    MUTEX_GUARD(&blk->lock);

    store_le64(b, 1 | 1 << 16);
    statistic(b + 24, blk->stats.wr_bytes / d->sector);
    statistic(b + 32, blk->stats.wr_ops);
    statistic(b + 40, blk->stats.rd_bytes / d->sector);
    statistic(b + 48, blk->stats.rd_ops);
}

static void one_page(IdeDrive *d, uint8_t log, uint16_t page, uint8_t *b)
{
    switch (log) {
    case LOG_DIRECTORY:
        directory(d, b);
        break;
    case LOG_STATISTICS:
        if (page == 0) {
            list_of_pages(b);
        } else {
            statistics(d, b);
        }
        break;
    case LOG_NCQ_ERROR:
        memcpy(b, d->ncq_log, sizeof(d->ncq_log));
        add_checksum(b);
        break;
    case LOG_PHY:
        add_checksum(b);                        /* no counters */
        break;
    case LOG_NCQ_NON_DATA:
        b[0] = 0x1f;                            /* ABORT NCQ QUEUE, each kind */
        b[4] = 0x03;                            /* DEADLINE HANDLING */
        break;
    case LOG_NCQ_SEND:
        b[0] = 1;                               /* DATA SET MANAGEMENT ... */
        b[4] = 1;                               /* with TRIM */
        b[8] = 2;                               /* RECEIVE: READ LOG DMA EXT */
        break;
    default:
        if (page == 0) {
            list_of_pages(b);
            break;
        }
        ata_identify_update(d);
        for (unsigned i = 0; i < 256; i++) {
            store_le16(b + 2 * i, d->identify[i]);
        }
    }
}

void ata_log_fill(IdeDrive *d, uint8_t log, uint16_t page, uint32_t pages, uint8_t *buf)
{
    memset(buf, 0, pages * IDE_SECTOR);
    for (uint32_t i = 0; i < pages; i++) {
        one_page(d, log, page + i, buf + i * IDE_SECTOR);
    }
}

void ata_read_log(IdeDrive *d, bool dma)
{
    uint8_t log = d->r.lba_low;
    uint16_t page = d->r.lba_mid | d->r.hob_mid << 8;
    uint32_t pages = d->r.count | d->r.hob_count << 8;

    if (!ata_log_check(d, log, page, pages)) {
        ide_abort(d, ATA_ERR_ABRT);
        return;
    }
    ata_log_fill(d, log, page, pages, d->buffer);
    if (log == LOG_NCQ_ERROR) {
        d->ncq_stopped = false;
    }
    ata_reply(d, pages * IDE_SECTOR, dma);
}
