/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that touch the medium (SBC-3). Each is a loop of accesses of the image, one in flight,
 * whose state is in the request: op, lba, left, and the bytes of the running step.
 */
#include "util/osdep.h"
#include "hw/scsi/disk.h"

#include "util/bswap.h"
#include "util/iov.h"

static void submit(ScsiDisk *d, ScsiRequest *r);
static void next(ScsiDisk *d, ScsiRequest *r);

static bool buffer_is_zero(const uint8_t *p, uint32_t n)
{
    return !p[0] && !memcmp(p, p + 1, n - 1);
}

static uint32_t block_size(const ScsiDisk *d)
{
    return d->conf.logical_block_size;
}

static ScsiSense sense_of(int error, bool is_read)
{
    switch (error) {
    case ENOMEDIUM: return SENSE_NO_MEDIUM;
    case ENOMEM: return SENSE_TARGET_FAILURE;
    case EINVAL: return SENSE_INVALID_FIELD;
    case ENOSPC: return SENSE_SPACE_FAILED;
    case EROFS: return SENSE_WRITE_PROTECTED;
    default: return is_read ? SENSE_READ_ERROR : SENSE_WRITE_ERROR;
    }
}

static void advance(ScsiDisk *d, ScsiRequest *r)
{
    uint32_t blocks = r->step / block_size(d);

    r->lba += blocks;
    r->left -= MIN(blocks, r->left);
}

static void done(void *opaque, int result)
{
    ScsiRequest *r = opaque;
    ScsiDisk *d = SCSI_DISK(r->dev);

    if (!scsi_request_io_end(r)) {
        return;
    }
    if (result < 0) {
        scsi_request_fail(r, sense_of(-result, r->op == SCSI_OP_READ || r->op == SCSI_OP_COMPARE));
        return;
    }
    switch ((ScsiOp)r->op) {
    case SCSI_OP_READ:
        advance(d, r);
        if (r->iov) {
            r->moved += r->step;
            next(d, r);
        } else {
            scsi_request_step(r, r->step);
        }
        break;
    case SCSI_OP_COMPARE:
        if (memcmp(r->buf, r->buf + SCSI_STEP / 2, r->step)) {
            scsi_request_fail(r, SENSE_COMPARE_FAILED);
            break;
        }
        advance(d, r);
        next(d, r);
        break;
    case SCSI_OP_WRITE:
        if (r->iov) {
            r->moved += r->step;
        }
        advance(d, r);
        next(d, r);
        break;
    case SCSI_OP_SAME:
        advance(d, r);
        next(d, r);
        break;
    case SCSI_OP_UNMAP:
        r->lba++;
        r->left--;
        next(d, r);
        break;
    default:
        scsi_request_good(r);
    }
}

static void access_image(ScsiDisk *d, ScsiRequest *r, bool write, uint8_t *buf)
{
    scsi_request_io_begin(r);
    if (!r->io) {
        r->io = g_new(struct iovec, MAX(r->niov, 1));
    }
    if (buf) {
        r->io[0] = (struct iovec){ buf, r->step };
        r->nio = 1;
    } else {
        r->nio = iov_slice(r->io, r->niov, r->iov, r->niov, r->moved, r->step);
    }
    blk_aio_rw(d->conf.blk, write, r->lba * block_size(d), r->io, r->nio, done, r);
}

/* The descriptor of an UNMAP parameter list that is next (SBC-3, 5.28.2). */
static void unmap_one(ScsiDisk *d, ScsiRequest *r)
{
    const uint8_t *p = r->buf + 8 + r->lba * 16;
    uint64_t lba = load_be64(p), count = load_be32(p + 8);

    if (lba > scsi_disk_blocks(d) || count > scsi_disk_blocks(d) - lba) {
        scsi_request_fail(r, SENSE_LBA_RANGE);
        return;
    }
    scsi_request_io_begin(r);
    blk_aio_discard(d->conf.blk, lba * block_size(d), count * block_size(d), done, r);
}

/* Start the access that the state of @r says. */
static void submit(ScsiDisk *d, ScsiRequest *r)
{
    switch ((ScsiOp)r->op) {
    case SCSI_OP_READ:
        access_image(d, r, false, r->iov ? NULL : r->buf);
        break;
    case SCSI_OP_COMPARE:
        access_image(d, r, false, r->buf + SCSI_STEP / 2);
        break;
    case SCSI_OP_WRITE:
        access_image(d, r, true, r->iov ? NULL : r->buf);
        break;
    case SCSI_OP_SAME:
        if (buffer_is_zero(r->buf, block_size(d))) {
            scsi_request_io_begin(r);
            blk_aio_zero(d->conf.blk, r->lba * block_size(d), r->step, r->cdb[1] & 8, done, r);
        } else {
            access_image(d, r, true, r->buf);
        }
        break;
    case SCSI_OP_UNMAP:
        unmap_one(d, r);
        break;
    default:
        scsi_request_io_begin(r);
        blk_aio_flush(d->conf.blk, done, r);
    }
}

static uint32_t step_bytes(const ScsiDisk *d, const ScsiRequest *r, uint64_t most)
{
    uint64_t n = (uint64_t)r->left * block_size(d);

    most = MIN(most, INT32_MAX);
    return MIN(n, most - most % block_size(d));
}

/* Nothing is in flight: the next step, or the end. */
static void next(ScsiDisk *d, ScsiRequest *r)
{
    bool fua = scsi_cdb_length(r->cdb[0]) > 6 && r->cdb[1] & 8;

    if (!r->left) {
        if (r->op == SCSI_OP_WRITE && fua) {
            r->op = SCSI_OP_FLUSH;
            submit(d, r);
        } else {
            scsi_request_good(r);
        }
        return;
    }
    switch ((ScsiOp)r->op) {
    case SCSI_OP_READ:
        r->step = step_bytes(d, r, r->iov ? UINT64_MAX : SCSI_STEP);
        if (!r->iov) {
            scsi_request_buffer(r, r->step);
        }
        submit(d, r);
        break;
    case SCSI_OP_WRITE:
        r->step = step_bytes(d, r, r->iov ? UINT64_MAX : SCSI_STEP);
        if (r->iov) {
            submit(d, r);
        } else {
            scsi_request_buffer(r, r->step);
            scsi_request_step(r, r->step);
        }
        break;
    case SCSI_OP_COMPARE:
        scsi_request_buffer(r, SCSI_STEP);
        scsi_request_step(r, step_bytes(d, r, SCSI_STEP / 2));
        break;
    case SCSI_OP_SAME:
        r->step = step_bytes(d, r, buffer_is_zero(r->buf, block_size(d)) ? 1 * GIB : SCSI_STEP);
        submit(d, r);
        break;
    default:
        submit(d, r);
    }
}

/* MODE SELECT's list also comes here. */
void scsi_disk_io_more(ScsiDisk *d, ScsiRequest *r)
{
    uint32_t bs = block_size(d);

    switch ((ScsiOp)r->op) {
    case SCSI_OP_READ:
        next(d, r);
        break;
    case SCSI_OP_SAME:
        for (uint32_t at = bs; at + bs <= SCSI_STEP; at += bs) {
            memcpy(r->buf + at, r->buf, bs);
        }
        next(d, r);
        break;
    case SCSI_OP_UNMAP: {
        uint32_t bytes = r->step < 8 ? 0 : load_be16(r->buf + 2);

        if (r->step && (r->step < 8 || bytes > r->step - 8 || bytes % 16)) {
            scsi_request_fail(r, SENSE_PARAMETER_LENGTH);
            break;
        }
        r->lba = 0;
        r->left = bytes / 16;
        next(d, r);
        break;
    }
    case SCSI_OP_PARAMETERS:
        scsi_disk_mode_select(d, r);
        break;
    default:
        submit(d, r);
    }
}

/* Sets lba and left; false: refused. */
static bool range(ScsiDisk *d, ScsiRequest *r, uint64_t count)
{
    uint64_t lba = scsi_cdb_lba(r->cdb), total = scsi_disk_blocks(d);

    if (scsi_cdb_length(r->cdb[0]) > 6 && r->cdb[1] & 0xe0) {
        scsi_request_fail(r, SENSE_INVALID_FIELD);      /* protection information */
        return false;
    }
    if (lba > total || count > total - lba || count > UINT32_MAX) {
        scsi_request_fail(r, SENSE_LBA_RANGE);
        return false;
    }
    r->lba = lba;
    r->left = count;
    return true;
}

static bool writable(ScsiDisk *d, ScsiRequest *r)
{
    if (scsi_disk_read_only(d)) {
        scsi_request_fail(r, SENSE_WRITE_PROTECTED);
        return false;
    }
    return true;
}

void scsi_disk_read_write(ScsiDisk *d, ScsiRequest *r, ScsiOp op)
{
    r->op = op;
    if ((op == SCSI_OP_READ || writable(d, r)) && range(d, r, r->xfer / block_size(d))) {
        next(d, r);
    }
}

void scsi_disk_verify(ScsiDisk *d, ScsiRequest *r)
{
    uint8_t bytchk = r->cdb[1] >> 1 & 3;

    if (bytchk & 2) {
        scsi_request_fail(r, SENSE_INVALID_FIELD);
        return;
    }
    if (range(d, r, scsi_cdb_count(r->cdb))) {
        r->op = SCSI_OP_COMPARE;
        if (!bytchk) {
            r->left = 0;            /* the medium is taken to be good */
        }
        next(d, r);
    }
}

/* SBC-3, 5.45: one block, or zeros (NDOB), over a range. */
void scsi_disk_write_same(ScsiDisk *d, ScsiRequest *r)
{
    uint64_t count = scsi_cdb_count(r->cdb);

    /* WSNZ = 0: no count means up to the end. */
    if (!count) {
        count = scsi_disk_blocks(d) - MIN(scsi_cdb_lba(r->cdb), scsi_disk_blocks(d));
    }
    if (r->cdb[1] & 0x16) {         /* ANCHOR, obsolete bits */
        scsi_request_fail(r, SENSE_INVALID_FIELD);
        return;
    }
    if (!writable(d, r) || !range(d, r, count)) {
        return;
    }
    r->op = SCSI_OP_SAME;
    scsi_request_buffer(r, SCSI_STEP);
    if (r->xfer) {
        scsi_request_step(r, block_size(d));
    } else {
        next(d, r);
    }
}

void scsi_disk_unmap(ScsiDisk *d, ScsiRequest *r)
{
    if (!block_conf_discard_unit(&d->conf) || r->cdb[1] & 1) {
        scsi_request_fail(r, SENSE_INVALID_FIELD);
        return;
    }
    if (!writable(d, r)) {
        return;
    }
    r->op = SCSI_OP_UNMAP;
    scsi_request_buffer(r, MAX(r->xfer, 8));
    if (r->xfer) {
        scsi_request_step(r, r->xfer);
    } else {
        scsi_request_good(r);
    }
}

void scsi_disk_flush(ScsiDisk *d, ScsiRequest *r)
{
    r->op = SCSI_OP_FLUSH;
    submit(d, r);
}
