/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a command goes on and ends, whichever channel it came by: data phases, requests of the image, resets. */
#include "util/osdep.h"
#include "hw/ide/ide.h"

static const IdeTransport *transport(const IdeDrive *d)
{
    static const IdeTransport none;

    return d->channel && d->channel->ops ? d->channel->ops : &none;
}

void ide_done(IdeDrive *d, bool interrupt)
{
    d->phase = IDE_IDLE;
    d->pos = d->end = 0;
    d->status = ATA_DRDY | ATA_DSC | (d->error ? ATA_ERR : 0);
    if (interrupt) {
        ide_set_irq(d);
    }
    if (transport(d)->ended) {
        transport(d)->ended(d->channel->opaque, d, interrupt);
    }
}

void ide_abort(IdeDrive *d, uint8_t error)
{
    d->error = error;
    d->dma = IDE_DMA_NONE;
    ide_done(d, true);
}

void ide_data_phase(IdeDrive *d, uint32_t start, uint32_t bytes, IdePhase phase, bool interrupt)
{
    d->phase = phase;
    d->pos = start;
    d->end = start + bytes;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    if (interrupt) {
        ide_set_irq(d);
    }
    if (transport(d)->data) {
        transport(d)->data(d->channel->opaque, d);
    }
}

/* ACS 9.1: what identifies the kind of device after a reset. */
void ide_signature(IdeDrive *d)
{
    d->r = (IdeRegs){ .count = 1, .lba_low = 1, .device = d->unit ? SEL_DEV : 0 };
    if (d->is_cd) {
        d->r.lba_mid = 0x14;
        d->r.lba_high = 0xeb;
        d->status = 0;
    } else {
        d->status = ATA_DRDY | ATA_DSC;
    }
    d->fetched = 0;
    d->error = 1;               /* diagnostics passed */
}

/* A request that a reset makes stale goes on, with the buffer that it began with. */
void ide_abandon(IdeDrive *d)
{
    d->io_serial++;
    if (d->busy_io && d->conf.blk) {
        d->buffer = g_malloc0(IDE_STEP);
        d->busy_io = false;
        blk_cancel_held(d->conf.blk);
        /* Where frames are used, the drive isn't ready before they have ended. */
        if (++d->abandoned > IDE_ABANDONED_MAX && !transport(d)->ended) {
            blk_drain(d->conf.blk);
        }
    }
}

void ide_drive_reset(IdeDrive *d)
{
    ide_abandon(d);
    d->phase = IDE_IDLE;
    d->dma = IDE_DMA_NONE;
    d->pos = d->end = 0;
    d->asleep = d->ncq_stopped = false;
    ide_signature(d);
    if (d->is_cd) {
        atapi_reset(d);
    }
}

/* --- requests --- */

typedef struct IoJob {
    IdeDrive *d;
    uint32_t serial;
    struct iovec iov;
    uint8_t *buffer;            /* the job's own once the drive has another */
    IdeIoDone *done;
    int result;                 /* of one that has ended at once */
} IoJob;

static void job_ended(IoJob *j, int result)
{
    if (j->serial == j->d->io_serial) {
        j->d->busy_io = false;
        j->done(j->d, result);
    } else {
        j->d->abandoned -= j->d->abandoned > 0;
        if (j->buffer != j->d->buffer) {
            g_free(j->buffer);
        }
        if (transport(j->d)->settled) {
            transport(j->d)->settled(j->d->channel->opaque);
        }
    }
    object_unref(j->d);
    g_free(j);
}

static void io_done(void *opaque, int result)
{
    IoJob *j = opaque;
    IdeDrive *d = object_ref(j->d);
    const IdeTransport *t = transport(d);
    void *link = d->channel ? d->channel->opaque : NULL;

    if (t->lock) {
        t->lock(link);
    }
    job_ended(j, result);
    if (t->lock) {
        t->unlock(link);
    }
    object_unref(d);
}

static IoJob *new_job(IdeDrive *d, uint32_t len, IdeIoDone *done)
{
    IoJob *j = g_new(IoJob, 1);

    *j = (IoJob){ .d = object_ref(d), .serial = d->io_serial, .iov = { d->buffer, len },
                  .buffer = d->buffer, .done = done };
    d->busy_io = true;
    d->status = ATA_BSY;
    return j;
}

static void late_done(void *opaque)
{
    IoJob *j = opaque;

    io_done(j, j->result);
}

/*
 * What has ended at once, in the middle of the guest's write to a register: the next step of the same
 * command doesn't nest, it comes when this one has returned.
 */
static void ended_now(IdeDrive *d, IoJob *j)
{
    if (d->next_ended) {
        bh_once(d->conf.blk->loop, late_done, j);    /* a reset came between, by the drive's own DMA */
        return;
    }
    d->next_ended = j;
    if (d->in_ended) {
        return;
    }
    d->in_ended = true;
    object_ref(d);
    while (d->next_ended) {
        j = d->next_ended;
        d->next_ended = NULL;
        job_ended(j, j->result);
    }
    d->in_ended = false;
    object_unref(d);
}

/* True: it fails, or never ends. */
static bool meets_fault(IdeDrive *d, bool write, uint64_t offset, uint32_t len, IdeIoDone *done)
{
    uint32_t unit = d->is_cd ? CD_SECTOR : d->sector;
    IdeFaultResult f = d->faults ? ide_fault(d, write, offset / unit, len / unit, &d->bad) : IDE_FAULT_NONE;
    IoJob *j;

    if (f == IDE_FAULT_TIMEOUT) {
        d->status = ATA_BSY;
    } else if (f != IDE_FAULT_NONE) {
        j = new_job(d, len, done);
        j->result = f == IDE_FAULT_CRC ? -EBADMSG : -EIO;
        ended_now(d, j);
    }
    return f != IDE_FAULT_NONE;
}

void ide_io(IdeDrive *d, bool write, uint64_t offset, uint32_t len, IdeIoDone *done)
{
    IoJob *j;

    d->bad = UINT64_MAX;
    if (meets_fault(d, write, offset, len, done)) {
        return;
    }
    j = new_job(d, len, done);
    if (d->dma == IDE_DMA_NONE) {
        blk_aio_rw(d->conf.blk, write, offset, &j->iov, 1, io_done, j);
    } else if (blk_aio_rw_now(d->conf.blk, write, offset, &j->iov, 1, io_done, j, &j->result)) {
        ended_now(d, j);
    }
}

void ide_flush_io(IdeDrive *d, IdeIoDone *done)
{
    blk_aio_flush(d->conf.blk, io_done, new_job(d, 0, done));
}

void ide_discard_io(IdeDrive *d, uint64_t offset, uint64_t len, IdeIoDone *done)
{
    blk_aio_discard(d->conf.blk, offset, len, io_done, new_job(d, 0, done));
}

void ide_notify(IdeDrive *d)
{
    const IdeTransport *t = transport(d);

    if (t->notify && d->identify[79] & SATA_AN) {
        t->lock(d->channel->opaque);
        t->notify(d->channel->opaque);
        t->unlock(d->channel->opaque);
    }
}

/* --- DMA --- */

void ide_dma_start(IdeDrive *d, IdeDma dma)
{
    if (!transport(d)->pending) {
        ide_abort(d, ATA_ERR_ABRT);
        return;
    }
    d->dma = dma;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    transport(d)->pending(d->channel->opaque);
}

void ide_dma_go(IdeDrive *d)
{
    if (d->busy_io || d->dma == IDE_DMA_NONE) {
        return;
    }
    if (d->dma == IDE_DMA_PACKET_IN) {
        atapi_dma_go(d);
    } else {
        ata_dma_go(d);
    }
}

void ide_data_end(IdeDrive *d)
{
    if (d->is_cd) {
        atapi_pio_end(d);
    } else {
        ata_pio_end(d);
    }
}

bool ide_host_reads(const IdeDrive *d)
{
    return d->phase == IDE_PIO_IN_DONE || d->phase == IDE_PIO_READ || d->phase == IDE_PACKET_IN;
}

