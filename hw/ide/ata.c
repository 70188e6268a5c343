/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ATA disks: IDENTIFY and the commands (ACS 7); PACKET is handed to atapi.c. */
#include "util/osdep.h"
#include "hw/ide/ide.h"
#include "util/bswap.h"

static void put_string(uint16_t *w, unsigned words, const char *text)
{
    size_t n = text ? strlen(text) : 0;

    for (unsigned i = 0; i < words; i++) {
        uint8_t hi = 2 * i < n ? text[2 * i] : ' ', lo = 2 * i + 1 < n ? text[2 * i + 1] : ' ';

        w[i] = hi << 8 | lo;
    }
}

static void put_u32(uint16_t *w, uint32_t v)
{
    w[0] = v;
    w[1] = v >> 16;
}

/* The modes: the one selected has its bit in the high byte (ACS 7.12.7, words 63 and 88). */
static void identify_modes(IdeDrive *d)
{
    d->identify[63] = 0x07 | (d->mwdma_mode < 3 ? 0x100 << d->mwdma_mode : 0);
    d->identify[88] = 0x3f | (d->udma_mode < 6 ? 0x100 << d->udma_mode : 0);
    d->identify[85] = (d->identify[85] & ~0x20) | (d->write_cache ? 0x20 : 0);
}

/* A geometry that old BIOSes and partition tables can live with: at most 16383/16/63. */
static void guess_geometry(IdeDrive *d)
{
    uint64_t c = d->nb_sectors / (16 * 63);

    d->heads = 16;
    d->sectors = 63;
    d->cylinders = c > 16383 ? 16383 : c < 2 ? 2 : c;
}

void ata_identify_init(IdeDrive *d)
{
    uint16_t *w = d->identify;
    uint64_t n = d->nb_sectors;
    uint32_t chs;

    memset(w, 0, sizeof(d->identify));
    guess_geometry(d);
    chs = d->cylinders * d->heads * d->sectors;
    w[0] = 0x0040;                              /* fixed disk */
    w[1] = d->cylinders;
    w[3] = d->heads;
    w[6] = d->sectors;
    put_string(w + 10, 10, d->serial);
    put_string(w + 23, 4, d->version);
    put_string(w + 27, 20, d->model);
    w[47] = 0x8000 | IDE_MAX_MULT;
    w[48] = 1;
    w[49] = 0x0b00;                             /* DMA, LBA, IORDY */
    w[50] = 0x4000;
    w[51] = 0x0200;
    w[53] = 7;                                  /* words 54-58, 64-70, 88 are valid */
    w[54] = d->cylinders;
    w[55] = d->heads;
    w[56] = d->sectors;
    put_u32(w + 57, chs);
    w[59] = d->mult_sectors ? 0x100 | d->mult_sectors : 0;
    put_u32(w + 60, n > 0x0fffffff ? 0x0fffffff : n);
    w[64] = 3;                                  /* PIO 3 and 4 */
    w[65] = w[66] = w[67] = w[68] = 120;
    w[80] = 0x00f0;                             /* ATA-4 to ATA-7 */
    w[81] = 0x0016;
    w[82] = 0x4020;                             /* NOP, write cache */
    w[83] = 0x7400;                             /* FLUSH CACHE (EXT), 48-bit */
    w[84] = 0x4000 | (d->wwn ? 0x100 : 0);
    w[85] = 0x4020;
    w[86] = 0x3400;
    w[87] = w[84];
    w[93] = 0x6001;                             /* 80-wire cable */
    w[100] = n;
    w[101] = n >> 16;
    w[102] = n >> 32;
    w[103] = n >> 48;
    w[105] = IDE_TRIM_MAX;                      /* blocks of ranges a command */
    w[106] = 0x4000;                            /* one logical sector a physical one */
    if (d->wwn) {
        for (int i = 0; i < 4; i++) {
            w[108 + i] = d->wwn >> (48 - 16 * i);
        }
    }
    w[169] = 1;                                 /* TRIM */
    w[217] = 1;                                 /* not rotating */
    identify_modes(d);
}

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
        set_lba(d, d->lba);
        ide_abort(d, result == -ENOMEDIUM || result == -EROFS ? ATA_ERR_ABRT : ATA_ERR_UNC);
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
    ide_data_phase(d, start, d->block * IDE_SECTOR, d->left ? IDE_PIO_READ : IDE_PIO_IN_DONE, true);
}

static void read_done(IdeDrive *d, int result)
{
    uint32_t at_once = d->r.feature ? d->r.feature : 1;

    if (result < 0 && d->fetched > MIN(d->left, at_once)) {
        d->fetched = MIN(d->left, at_once);
        ide_io(d, false, d->lba * IDE_SECTOR, d->fetched * IDE_SECTOR, read_done);
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
        d->fetched = MIN(d->left, IDE_BUFFER / IDE_SECTOR / at_once * at_once);
        ide_io(d, false, d->lba * IDE_SECTOR, d->fetched * IDE_SECTOR, read_done);
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
        ide_data_phase(d, 0, d->block * IDE_SECTOR, IDE_PIO_WRITE, true);
    }
}

void ata_pio_end(IdeDrive *d)
{
    switch (d->phase) {
    case IDE_PIO_READ:
        read_next(d, d->r.feature ? d->r.feature : 1);
        break;
    case IDE_PIO_WRITE:
        ide_io(d, true, d->lba * IDE_SECTOR, d->block * IDE_SECTOR, write_done);
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
        ide_data_phase(d, 0, d->block * IDE_SECTOR, IDE_PIO_WRITE, false);
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
    c->dma->done(c->opaque, error);
}

static void dma_read_done(IdeDrive *d, int result)
{
    IdeChannel *c = d->channel;
    uint32_t len = d->block * IDE_SECTOR, n;

    if (failed(d, result)) {
        c->dma->done(c->opaque, true);
        return;
    }
    n = c->dma->move(c->opaque, d->buffer, len, true);
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

static void dma_write_done(IdeDrive *d, int result)
{
    IdeChannel *c = d->channel;

    if (failed(d, result)) {
        c->dma->done(c->opaque, true);
        return;
    }
    d->lba += d->block;
    d->left -= d->block;
    if (d->left == 0) {
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
        c->dma->done(c->opaque, true);
        return;
    }
    while (d->pos < d->end) {
        uint64_t e = load_le64(d->buffer + d->pos), lba = e & (BIT64(48) - 1), n = e >> 48;

        d->pos += 8;
        if (n && (lba >= d->nb_sectors || n > d->nb_sectors - lba)) {
            d->dma = IDE_DMA_NONE;
            ide_abort(d, ATA_ERR_IDNF);
            c->dma->done(c->opaque, true);
            return;
        }
        if (n) {
            ide_discard_io(d, lba * IDE_SECTOR, n * IDE_SECTOR, trim_next);
            return;
        }
    }
    d->dma = IDE_DMA_NONE;
    d->pos = d->end = 0;
    ide_done(d, true);
    c->dma->done(c->opaque, false);
}

static void data_set_management(IdeDrive *d)
{
    uint32_t blocks = d->r.count | d->r.hob_count << 8;

    if (!(d->r.feature & 1) || blocks == 0 || blocks > IDE_TRIM_MAX) {
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
        if (c->dma->move(c->opaque, d->buffer, len, false) == len) {
            d->pos = 0;
            d->end = len;
            trim_next(d, 0);
        }
        return;
    }

    d->block = MIN(d->left, IDE_STEP / IDE_SECTOR);
    len = d->block * IDE_SECTOR;
    if (d->dma == IDE_DMA_READ) {
        ide_io(d, false, d->lba * IDE_SECTOR, len, dma_read_done);
    } else if (c->dma->move(c->opaque, d->buffer, len, false) == len) {
        ide_io(d, true, d->lba * IDE_SECTOR, len, dma_write_done);
    }
}

static void dma_transfer(IdeDrive *d, bool write, bool lba48)
{
    if (begin_transfer(d, lba48)) {
        ide_dma_start(d, write ? IDE_DMA_WRITE : IDE_DMA_READ);
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
    identify_modes(d);
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
            if ((mode & 7) > 5) {
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

    if (n > IDE_MAX_MULT || (n && !IS_POWER_OF_2(n))) {
        ide_abort(d, ATA_ERR_ABRT);
        return;
    }
    d->mult_sectors = n;
    d->identify[59] = n ? 0x100 | n : 0;
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
        if ((command & 0xf0) == 0x10 || (command & 0xf0) == 0x70 || command == 0xf5) {
            ide_done(d, true);                  /* RECALIBRATE, SEEK, SECURITY FREEZE LOCK */
        } else {
            ide_abort(d, ATA_ERR_ABRT);
        }
    }
}

void ata_command(IdeDrive *d, uint8_t command)
{
    switch (command) {
    case 0xef:
        set_features(d);
        break;
    case 0x94: case 0x95: case 0x96: case 0x97: case 0x99:
    case 0xe0: case 0xe1: case 0xe2: case 0xe3: case 0xe6:     /* power: it is always ready */
        ide_done(d, true);
        break;
    case 0x98: case 0xe5:                       /* CHECK POWER MODE: active */
        d->r.count = 0xff;
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
