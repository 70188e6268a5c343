/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ATA disks: the commands (ACS 7) but for the queued ones; PACKET is handed to atapi.c. */
#include "util/osdep.h"
#include "hw/ide/ide.h"
#include "util/bswap.h"

/* --- addresses --- */

static uint64_t get_lba(const IdeDrive *d)
{
    const IdeRegs *r = &d->r;

    if (d->lba48) {
        return r->lba_low | r->lba_mid << 8 | (uint64_t)r->lba_high << 16 |
               (uint64_t)r->hob_low << 24 | (uint64_t)r->hob_mid << 32 |
               (uint64_t)r->hob_high << 40;
    }
    if (r->device & SEL_LBA) {
        return (r->device & 15u) << 24 | r->lba_high << 16 | r->lba_mid << 8 | r->lba_low;
    }
    return ((uint64_t)(r->lba_high << 8 | r->lba_mid) * d->heads + (r->device & 15)) * d->sectors +
           r->lba_low - 1;
}

/* What the registers show after the command: the last sector, or the one in error. */
static void set_lba(IdeDrive *d, uint64_t lba)
{
    IdeRegs *r = &d->r;

    if (d->lba48) {
        r->lba_low = lba;
        r->lba_mid = lba >> 8;
        r->lba_high = lba >> 16;
        r->hob_low = lba >> 24;
        r->hob_mid = lba >> 32;
        r->hob_high = lba >> 40;
    } else if (r->device & SEL_LBA) {
        r->lba_low = lba;
        r->lba_mid = lba >> 8;
        r->lba_high = lba >> 16;
        r->device = (r->device & 0xf0) | (lba >> 24 & 15);
    } else {
        uint32_t cyl = lba / (d->heads * d->sectors), rest = lba % (d->heads * d->sectors);

        r->lba_mid = cyl;
        r->lba_high = cyl >> 8;
        r->device = (r->device & 0xf0) | (rest / d->sectors & 15);
        r->lba_low = rest % d->sectors + 1;
    }
}

static uint32_t get_count(const IdeDrive *d)
{
    if (d->lba48) {
        uint32_t n = d->r.hob_count << 8 | d->r.count;

        return n ? n : 65536;
    }
    return d->r.count ? d->r.count : 256;
}

/* Takes lba and count from the registers. False: it has ended the command in error. */
static bool begin_transfer(IdeDrive *d, bool lba48)
{
    d->standby = false;
    d->lba48 = lba48;
    d->fetched = 0;
    d->lba = get_lba(d);
    d->left = get_count(d);
    if (d->lba >= d->nb_sectors || d->left > d->nb_sectors - d->lba) {
        ide_abort(d, ATA_ERR_IDNF | ATA_ERR_ABRT);
        return false;
    }
    return true;
}

/* --- PIO --- */

static bool failed(IdeDrive *d, int result)
{
    if (result < 0) {
        d->fetched = 0;
        set_lba(d, d->bad == UINT64_MAX ? d->lba : d->bad);
        ide_abort(d, result == -ENOMEDIUM || result == -EROFS ? ATA_ERR_ABRT
                     : result == -EBADMSG ? ATA_ERR_ICRC | ATA_ERR_ABRT : ATA_ERR_UNC);
        return true;
    }
    return false;
}

/* Past the block that is done; the registers then name the last sector. */
static void advance(IdeDrive *d)
{
    d->lba += d->block;
    d->left -= d->block;
    if (d->left == 0) {
        set_lba(d, d->lba - 1);
    }
}

/*
 * One request of the image fetches what of the command fits into the buffer: a data phase is one sector
 * or a few, and each would be a way to a worker thread and back. The drive has what follows ready at
 * once. An error has to be told at its own sector: then the next phase's are fetched alone.
 */
static void hand_over(IdeDrive *d, uint32_t start, uint32_t at_once)
{
    d->block = MIN(d->left, at_once);
    d->fetched -= d->block;
    advance(d);
    ide_data_phase(d, start, d->block * d->sector, d->left ? IDE_PIO_READ : IDE_PIO_IN_DONE, true);
}

static void read_done(IdeDrive *d, int result)
{
    uint32_t at_once = d->r.feature ? d->r.feature : 1;

    if (result < 0 && d->fetched > MIN(d->left, at_once)) {
        d->fetched = MIN(d->left, at_once);
        ide_io(d, false, d->lba * d->sector, d->fetched * d->sector, read_done);
    } else if (!failed(d, result)) {
        hand_over(d, 0, at_once);
    }
}

static void read_next(IdeDrive *d, uint32_t at_once)
{
    if (d->fetched >= MIN(d->left, at_once)) {
        hand_over(d, d->end, at_once);
    } else {
        /* Whole phases only. */
        d->fetched = MIN(d->left, IDE_BUFFER / d->sector / at_once * at_once);
        ide_io(d, false, d->lba * d->sector, d->fetched * d->sector, read_done);
    }
}

static void write_done(IdeDrive *d, int result)
{
    if (failed(d, result)) {
        return;
    }
    advance(d);
    if (d->left == 0) {
        ide_done(d, true);
    } else {
        d->block = MIN(d->left, d->r.feature ? d->r.feature : 1);
        ide_data_phase(d, 0, d->block * d->sector, IDE_PIO_WRITE, true);
    }
}

void ata_pio_end(IdeDrive *d)
{
    switch (d->phase) {
    case IDE_PIO_READ:
        read_next(d, d->r.feature ? d->r.feature : 1);
        break;
    case IDE_PIO_WRITE:
        ide_io(d, true, d->lba * d->sector, d->block * d->sector, write_done);
        break;
    default:
        ide_done(d, false);
    }
}

/* The number of sectors of a data phase is kept in the feature register, which is free meanwhile. */
static void pio_transfer(IdeDrive *d, bool write, bool lba48, uint32_t at_once)
{
    if (!begin_transfer(d, lba48)) {
        return;
    }
    d->r.feature = at_once;
    if (write) {
        d->block = MIN(d->left, at_once);
        ide_data_phase(d, 0, d->block * d->sector, IDE_PIO_WRITE, false);
    } else {
        read_next(d, at_once);
    }
}

/* --- DMA --- */

static void dma_end(IdeDrive *d, bool error)
{
    IdeChannel *c = d->channel;

    d->dma = IDE_DMA_NONE;
    if (!error) {
        set_lba(d, d->lba - 1);
        ide_done(d, true);
    }
    c->ops->done(c->opaque, error);
}

static void dma_read_done(IdeDrive *d, int result)
{
    IdeChannel *c = d->channel;
    uint32_t len = d->block * d->sector, n;

    if (failed(d, result)) {
        c->ops->done(c->opaque, true);
        return;
    }
    n = c->ops->move(c->opaque, d->buffer, len, true);
    d->lba += d->block;
    d->left -= d->block;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    if (n < len) {
        /* The memory regions are shorter: the drive waits for ever (ATA7: until a reset). */
        return;
    }
    if (d->left == 0) {
        dma_end(d, false);
    } else {
        ata_dma_go(d);
    }
}

/* FUA: what was written is on the medium. */
static void fua_done(IdeDrive *d, int result)
{
    IdeChannel *c = d->channel;

    if (failed(d, result)) {
        c->ops->done(c->opaque, true);
    } else {
        dma_end(d, false);
    }
}

static void dma_write_done(IdeDrive *d, int result)
{
    IdeChannel *c = d->channel;

    if (failed(d, result)) {
        c->ops->done(c->opaque, true);
        return;
    }
    d->lba += d->block;
    d->left -= d->block;
    if (d->left == 0 && d->fua && d->write_cache) {
        ide_flush_io(d, fua_done);
    } else if (d->left == 0) {
        dma_end(d, false);
    } else {
        ata_dma_go(d);
    }
}

/* --- DATA SET MANAGEMENT (ACS 7.9): TRIM, ranges of 48 bits of LBA and 16 bits of length --- */

static void trim_next(IdeDrive *d, int result)
{
    IdeChannel *c = d->channel;

    if (result < 0) {
        d->dma = IDE_DMA_NONE;
        ide_abort(d, ATA_ERR_ABRT);
        c->ops->done(c->opaque, true);
        return;
    }
    while (d->pos < d->end) {
        uint64_t e = load_le64(d->buffer + d->pos), lba = e & (BIT64(48) - 1), n = e >> 48;

        d->pos += 8;
        if (n && (lba >= d->nb_sectors || n > d->nb_sectors - lba)) {
            d->dma = IDE_DMA_NONE;
            ide_abort(d, ATA_ERR_IDNF);
            c->ops->done(c->opaque, true);
            return;
        }
        if (n) {
            ide_discard_io(d, lba * d->sector, n * d->sector, trim_next);
            return;
        }
    }
    d->dma = IDE_DMA_NONE;
    d->pos = d->end = 0;
    ide_done(d, true);
    c->ops->done(c->opaque, false);
}

static void data_set_management(IdeDrive *d)
{
    uint32_t blocks = d->r.count | d->r.hob_count << 8;

    if (!(d->r.feature & 1) || blocks == 0 || blocks > IDE_TRIM_MAX || blk_is_read_only(d->conf.blk)) {
        ide_abort(d, ATA_ERR_ABRT);
        return;
    }
    d->left = blocks;
    ide_dma_start(d, IDE_DMA_TRIM);
}

void ata_dma_go(IdeDrive *d)
{
    IdeChannel *c = d->channel;
    uint32_t len;

    if (d->dma == IDE_DMA_TRIM) {
        len = MIN(d->left, (uint32_t)IDE_TRIM_MAX) * IDE_SECTOR;
        if (c->ops->move(c->opaque, d->buffer, len, false) == len) {
            d->pos = 0;
            d->end = len;
            trim_next(d, 0);
        }
        return;
    }

    if (d->dma == IDE_DMA_REPLY) {
        if (c->ops->move(c->opaque, d->buffer, d->end, true) == d->end) {
            d->dma = IDE_DMA_NONE;
            ide_done(d, true);
            c->ops->done(c->opaque, false);
        }
        return;
    }
    d->block = MIN(d->left, IDE_STEP / d->sector);
    len = d->block * d->sector;
    if (d->dma == IDE_DMA_READ) {
        ide_io(d, false, d->lba * d->sector, len, dma_read_done);
    } else if (c->ops->move(c->opaque, d->buffer, len, false) == len) {
        ide_io(d, true, d->lba * d->sector, len, dma_write_done);
    }
}

static void dma_transfer(IdeDrive *d, bool write, bool lba48)
{
    d->fua = false;
    if (begin_transfer(d, lba48)) {
        ide_dma_start(d, write ? IDE_DMA_WRITE : IDE_DMA_READ);
    }
}

static void write_fua(IdeDrive *d)
{
    if (begin_transfer(d, true)) {
        d->fua = true;
        ide_dma_start(d, IDE_DMA_WRITE);
    }
}

void ata_reply(IdeDrive *d, uint32_t bytes, bool dma)
{
    if (dma) {
        d->pos = 0;
        d->end = bytes;
        ide_dma_start(d, IDE_DMA_REPLY);
    } else {
        ide_data_phase(d, 0, bytes, IDE_PIO_IN_DONE, true);
    }
}

/* --- others --- */

static void flush_done(IdeDrive *d, int result)
{
    if (!failed(d, result)) {
        ide_done(d, true);
    }
}

static void identify(IdeDrive *d)
{
    ata_identify_update(d);
    for (unsigned i = 0; i < 256; i++) {
        d->buffer[2 * i] = d->identify[i];
        d->buffer[2 * i + 1] = d->identify[i] >> 8;
    }
    ide_data_phase(d, 0, 512, IDE_PIO_IN_DONE, true);
}

static void set_features(IdeDrive *d)
{
    uint8_t mode = d->r.count;

    switch (d->r.feature) {
    case 0x02:
    case 0x82:
        d->write_cache = d->r.feature == 0x02;
        blk_set_write_cache(d->conf.blk, d->write_cache);
        break;
    case 0x03:                                  /* transfer mode */
        switch (mode >> 3) {
        case 0: case 1:                         /* PIO */
            break;
        case 4:
            if ((mode & 7) > 2) {
                ide_abort(d, ATA_ERR_ABRT);
                return;
            }
            d->mwdma_mode = mode & 7;
            d->udma_mode = 0xff;
            break;
        case 8:
            if ((mode & 7) > ATA_UDMA_MAX(d)) {
                ide_abort(d, ATA_ERR_ABRT);
                return;
            }
            d->udma_mode = mode & 7;
            d->mwdma_mode = 0xff;
            break;
        default:
            ide_abort(d, ATA_ERR_ABRT);
            return;
        }
        break;
    case 0x10:                                  /* features of the serial transport */
    case 0x90:
        if (mode != 0x05 || !(d->identify[78] & SATA_AN)) {
            ide_abort(d, ATA_ERR_ABRT);
            return;
        }
        d->identify[79] = (d->identify[79] & ~SATA_AN) | (d->r.feature == 0x10 ? SATA_AN : 0);
        break;
    case 0x05: case 0x42: case 0x55: case 0x66: case 0x67: case 0x85: case 0x95: case 0x96:
    case 0xaa: case 0xc2: case 0xcc:            /* power, look-ahead, defaults: nothing to do */
        break;
    default:
        ide_abort(d, ATA_ERR_ABRT);
        return;
    }
    ide_done(d, true);
}

static void native_max(IdeDrive *d, bool lba48)
{
    d->lba48 = lba48;
    if (!lba48) {
        d->r.device |= SEL_LBA;
    }
    set_lba(d, !lba48 && d->nb_sectors > 0x0fffffff ? 0x0ffffffe : d->nb_sectors - 1);
    ide_done(d, true);
}

static void set_multiple(IdeDrive *d)
{
    uint8_t n = d->r.count;

    if (n > ide_max_mult(d) || (n && !IS_POWER_OF_2(n))) {
        ide_abort(d, ATA_ERR_ABRT);
        return;
    }
    d->mult_sectors = n;
    ide_done(d, true);
}

static void init_params(IdeDrive *d)
{
    d->heads = (d->r.device & 15) + 1;
    d->sectors = d->r.count ? d->r.count : 1;
    ide_done(d, true);
}

static void multiple(IdeDrive *d, bool write, bool lba48)
{
    if (!d->mult_sectors) {
        ide_abort(d, ATA_ERR_ABRT);
        return;
    }
    pio_transfer(d, write, lba48, d->mult_sectors);
}

static void disk_command(IdeDrive *d, uint8_t command)
{
    switch (command) {
    case 0x06: data_set_management(d); break;
    case 0xec: identify(d); break;
    case 0x20: case 0x21: pio_transfer(d, false, false, 1); break;
    case 0x24: pio_transfer(d, false, true, 1); break;
    case 0x30: case 0x31: pio_transfer(d, true, false, 1); break;
    case 0x34: pio_transfer(d, true, true, 1); break;
    case 0xc4: multiple(d, false, false); break;
    case 0x29: multiple(d, false, true); break;
    case 0xc5: multiple(d, true, false); break;
    case 0x39: multiple(d, true, true); break;
    case 0xc8: case 0xc9: dma_transfer(d, false, false); break;
    case 0x25: dma_transfer(d, false, true); break;
    case 0xca: case 0xcb: dma_transfer(d, true, false); break;
    case 0x3d: write_fua(d); break;
    case 0xce: multiple(d, true, true); break;  /* WRITE MULTIPLE FUA EXT */
    case 0x2f: ata_read_log(d, false); break;
    case 0x47: ata_read_log(d, true); break;
    case 0xb0: ata_smart(d); break;
    case 0x35: dma_transfer(d, true, true); break;
    case 0x40: case 0x41: case 0x42:            /* READ VERIFY */
        if (begin_transfer(d, command == 0x42)) {
            set_lba(d, d->lba + d->left - 1);
            ide_done(d, true);
        }
        break;
    case 0xc6: set_multiple(d); break;
    case 0x91: init_params(d); break;
    case 0xe7: case 0xea: ide_flush_io(d, flush_done); break;
    case 0xf8: native_max(d, false); break;
    case 0x27: native_max(d, true); break;
    default:
        /* RECALIBRATE, SEEK, SECURITY FREEZE LOCK; the other commands of the security set are refused by a
         * frozen disk, which ours is from the start (ACS 4.20). */
        if ((command & 0xf0) == 0x10 || (command & 0xf0) == 0x70 || command == 0xf5) {
            ide_done(d, true);
        } else {
            ide_abort(d, ATA_ERR_ABRT);
        }
    }
}

/* ACS 4.18: the states of power. */
static void set_power(IdeDrive *d, bool standby, bool asleep)
{
    d->standby = standby;
    d->asleep = asleep;
    ide_done(d, true);
}

void ata_command(IdeDrive *d, uint8_t command)
{
    d->r.command = command;
    if (d->asleep) {
        return;                                 /* nothing but a reset wakes it */
    }
    switch (command) {
    case 0xef:
        set_features(d);
        break;
    case 0x94: case 0x96: case 0xe0: case 0xe2: set_power(d, true, false); break;
    case 0x95: case 0x97: case 0xe1: case 0xe3: set_power(d, false, false); break;
    case 0x99: case 0xe6: set_power(d, true, true); break;
    case 0x98: case 0xe5:                       /* CHECK POWER MODE */
        d->r.count = d->standby ? 0x00 : 0xff;
        ide_done(d, true);
        break;
    case 0xa0:
        if (d->is_cd) {
            atapi_start_packet(d);
        } else {
            ide_abort(d, ATA_ERR_ABRT);
        }
        break;
    case 0xa1:
        if (d->is_cd) {
            identify(d);
        } else {
            ide_abort(d, ATA_ERR_ABRT);
        }
        break;
    default:
        if (!d->is_cd) {
            disk_command(d, command);
            break;
        }
        if (command == 0xec || command == 0x20) {
            ide_signature(d);                   /* ACS 7.12.2: a packet device shows what it is */
        }
        ide_abort(d, ATA_ERR_ABRT);
    }
}
