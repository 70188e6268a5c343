/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Native command queueing: READ and WRITE FPDMA QUEUED, NCQ NON-DATA, SEND and RECEIVE FPDMA QUEUED
 * (ACS 7.18 to 7.24, 7.37 ff.). Data goes straight between the image and what the transport offers.
 */
#include "util/osdep.h"
#include "hw/ide/ide.h"

#include <glib.h>
#include "util/bswap.h"
#include "util/iov.h"

enum { READ_FPDMA = 0x60, WRITE_FPDMA = 0x61, NCQ_NON_DATA = 0x63, SEND_FPDMA = 0x64, RECEIVE_FPDMA = 0x65 };
#define FUA             0x80            /* of the device register */

bool ncq_is_queued(uint8_t opcode)
{
    return opcode == READ_FPDMA || opcode == WRITE_FPDMA || opcode == NCQ_NON_DATA ||
           opcode == SEND_FPDMA || opcode == RECEIVE_FPDMA;
}

static uint64_t lba_of(const IdeRegs *r)
{
    return r->lba_low | r->lba_mid << 8 | (uint64_t)r->lba_high << 16 | (uint64_t)r->hob_low << 24 |
           (uint64_t)r->hob_mid << 32 | (uint64_t)r->hob_high << 40;
}

/* The number of sectors is in the feature registers; the tag has taken its place (ACS 7.21). */
static uint32_t count_of(const IdeRegs *r)
{
    uint32_t n = r->hob_feature << 8 | r->feature;

    return n ? n : 65536;
}

static bool refuse(NcqCommand *c, uint8_t error)
{
    c->error = error;
    return false;
}

static bool begin_rw(NcqCommand *c)
{
    IdeDrive *d = c->d;
    uint32_t n = count_of(&c->r);

    c->lba = lba_of(&c->r);
    if (c->lba >= d->nb_sectors || n > d->nb_sectors - c->lba) {
        return refuse(c, ATA_ERR_IDNF | ATA_ERR_ABRT);
    }
    if (c->opcode == WRITE_FPDMA && blk_is_read_only(d->conf.blk)) {
        return refuse(c, ATA_ERR_ABRT);
    }
    c->to_host = c->opcode == READ_FPDMA;
    c->bytes = n * d->sector;
    return true;
}

/* Subcommand 0: DATA SET MANAGEMENT with TRIM (ACS 7.41). */
static bool begin_send(NcqCommand *c)
{
    uint32_t n = count_of(&c->r);

    if ((c->r.hob_count & 0x1f) != 0 || !(c->r.hob_mid & 1) || n > IDE_TRIM_MAX ||
        blk_is_read_only(c->d->conf.blk)) {
        return refuse(c, ATA_ERR_ABRT);
    }
    c->to_host = false;
    c->bytes = n * IDE_SECTOR;
    return true;
}

/* Subcommand 1: READ LOG DMA EXT (ACS 7.36). */
static bool begin_receive(NcqCommand *c)
{
    uint32_t n = count_of(&c->r);

    if ((c->r.hob_count & 0x1f) != 1 || n > IDE_BUFFER / IDE_SECTOR || c->r.lba_low == 0x10 ||
        !ata_log_check(c->d, c->r.lba_low, c->r.lba_mid | c->r.hob_mid << 8, n)) {
        return refuse(c, ATA_ERR_ABRT);
    }
    c->to_host = true;
    c->bytes = n * IDE_SECTOR;
    return true;
}

/* Subcommands 0, ABORT NCQ QUEUE, and 1, DEADLINE HANDLING (ACS 7.27): nothing waits in a queue here. */
static bool begin_non_data(NcqCommand *c)
{
    uint8_t sub = c->r.feature & 0xf, type = c->r.feature >> 4;

    c->bytes = 0;
    if ((sub == 0 && type <= 4) || sub == 1) {
        return true;
    }
    return refuse(c, ATA_ERR_ABRT);
}

bool ncq_begin(NcqCommand *c)
{
    c->error = 0;
    c->hung = false;
    c->lba = lba_of(&c->r);
    if (c->d->ncq_stopped) {
        return refuse(c, ATA_ERR_ABRT);
    }
    c->d->standby = false;
    switch (c->opcode) {
    case NCQ_NON_DATA: return begin_non_data(c);
    case SEND_FPDMA: return begin_send(c);
    case RECEIVE_FPDMA: return begin_receive(c);
    default: return begin_rw(c);
    }
}

/* --- running --- */

static void end(NcqCommand *c, int result)
{
    c->error = result >= 0 ? 0
               : result == -ENOMEDIUM || result == -EROFS ? ATA_ERR_ABRT
               : result == -EBADMSG ? ATA_ERR_ICRC | ATA_ERR_ABRT
               : c->opcode == SEND_FPDMA ? ATA_ERR_ABRT : ATA_ERR_UNC;
    g_free(c->list);
    c->list = NULL;
    c->done(c);
}

static void with_lock(NcqCommand *c, int result, void (*fn)(NcqCommand *c, int result))
{
    IdeDrive *d = object_ref(c->d);
    const IdeChannel *ch = d->channel;
    const IdeTransport *t = ch->ops;

    if (t->lock) {
        t->lock(ch->opaque);
    }
    fn(c, result);
    if (t->unlock) {
        t->unlock(ch->opaque);
    }
    object_unref(d);
}

static void end_late(void *opaque, int result)
{
    with_lock(opaque, result, end);
}

static void written(NcqCommand *c, int result)
{
    if (result >= 0 && c->r.device & FUA && c->d->write_cache) {
        blk_aio_flush(c->d->conf.blk, end_late, c);
    } else {
        end(c, result);
    }
}

static void written_late(void *opaque, int result)
{
    with_lock(opaque, result, written);
}

static void trim_next(NcqCommand *c, int result);

static void trimmed_late(void *opaque, int result)
{
    with_lock(opaque, result, trim_next);
}

static void trim_next(NcqCommand *c, int result)
{
    IdeDrive *d = c->d;

    while (result >= 0 && c->at < c->bytes) {
        uint64_t e = load_le64(c->list + c->at), lba = e & (BIT64(48) - 1), n = e >> 48;

        c->at += 8;
        if (n && (lba >= d->nb_sectors || n > d->nb_sectors - lba)) {
            result = -EINVAL;
        } else if (n) {
            blk_aio_discard(d->conf.blk, lba * d->sector, n * d->sector, trimmed_late, c);
            return;
        }
    }
    end(c, result);
}

/* True: the access meets a fault that the user wants. */
static bool meets_fault(NcqCommand *c)
{
    IdeDrive *d = c->d;
    uint64_t where;
    IdeFaultResult f = IDE_FAULT_NONE;

    if (d->faults && (c->opcode == READ_FPDMA || c->opcode == WRITE_FPDMA)) {
        f = ide_fault(d, c->opcode == WRITE_FPDMA, c->lba, c->bytes / d->sector, &where);
    }
    if (f == IDE_FAULT_TIMEOUT) {
        c->hung = true;
    } else if (f != IDE_FAULT_NONE) {
        c->lba = where;
        end(c, f == IDE_FAULT_CRC ? -EBADMSG : -EIO);
    }
    return f != IDE_FAULT_NONE;
}

void ncq_run(NcqCommand *c)
{
    IdeDrive *d = c->d;
    int result = 0;

    if (meets_fault(c)) {
        return;
    }

    switch (c->opcode) {
    case READ_FPDMA:
        if (blk_aio_rw_now(d->conf.blk, false, c->lba * d->sector, c->iov, c->niov, end_late, c, &result)) {
            end(c, result);
        }
        break;
    case WRITE_FPDMA:
        if (blk_aio_rw_now(d->conf.blk, true, c->lba * d->sector, c->iov, c->niov, written_late, c,
                           &result)) {
            written(c, result);
        }
        break;
    case SEND_FPDMA:
        c->list = g_malloc(c->bytes);
        c->at = 0;
        iov_to_buf(c->iov, c->niov, 0, c->list, c->bytes);
        trim_next(c, 0);
        break;
    case RECEIVE_FPDMA: {
        g_autofree uint8_t *log = g_malloc0(c->bytes);

        ata_log_fill(d, c->r.lba_low, c->r.lba_mid | c->r.hob_mid << 8, c->bytes / IDE_SECTOR, log);
        iov_from_buf(c->iov, c->niov, 0, log, c->bytes);
        end(c, 0);
        break;
    }
    default:
        end(c, 0);
    }
}

/* ACS A.14, "NCQ Command Error log". */
void ncq_failed(IdeDrive *d, const NcqCommand *c)
{
    uint8_t *b = d->ncq_log;

    memset(b, 0, sizeof(d->ncq_log));
    b[0] = c->tag;
    b[2] = ATA_DRDY | ATA_ERR;
    b[3] = c->error;
    b[4] = c->lba;
    b[5] = c->lba >> 8;
    b[6] = c->lba >> 16;
    b[7] = c->r.device;
    b[8] = c->lba >> 24;
    b[9] = c->lba >> 32;
    b[10] = c->lba >> 40;
    b[12] = c->r.count;
    b[13] = c->r.hob_count;
    d->ncq_stopped = true;
}
