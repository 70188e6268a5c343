/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IDENTIFY DEVICE of disks (ACS 7.12.7). Words of serial transports are there behind one only. */
#include "util/osdep.h"
#include "hw/ide/ide.h"

void ata_put_string(uint16_t *w, unsigned words, const char *text)
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

static void set_bit(uint16_t *w, unsigned bits, bool on)
{
    *w = (*w & ~bits) | (on ? bits : 0);
}

/* What commands and the user change. Modes: the one selected has its bit in the high byte. */
void ata_identify_update(IdeDrive *d)
{
    uint16_t *w = d->identify;
    uint64_t n = d->nb_sectors;
    uint8_t sum = 0;

    w[63] = 0x07 | (d->mwdma_mode < 3 ? 0x100 << d->mwdma_mode : 0);
    w[88] = (ide_is_sata(d) ? 0x7f : 0x3f) | (d->udma_mode < 7 ? 0x100 << d->udma_mode : 0);
    if (d->is_cd) {
        return;
    }
    put_u32(w + 60, n > 0x0fffffff ? 0x0fffffff : n);
    for (int i = 0; i < 4; i++) {
        w[100 + i] = n >> 16 * i;
    }
    w[59] = d->mult_sectors ? 0x100 | d->mult_sectors : 0;
    set_bit(&w[85], 0x20, d->write_cache);
    set_bit(&w[85], 0x01, d->smart);
    w[255] = 0xa5;
    for (unsigned i = 0; i < 256; i++) {
        sum += (w[i] & 0xff) + (w[i] >> 8);
    }
    w[255] |= (uint8_t)-sum << 8;
}

/* A geometry that old BIOSes and partition tables can live with: at most 16383/16/63. */
static void guess_geometry(IdeDrive *d)
{
    uint64_t c;

    d->heads = d->conf.heads ? MIN(d->conf.heads, 16) : 16;
    d->sectors = d->conf.secs ? MIN(d->conf.secs, 63) : 63;
    c = d->nb_sectors / (d->heads * d->sectors);
    d->cylinders = d->conf.cyls ? d->conf.cyls : c > 16383 ? 16383 : c < 2 ? 2 : c;
}

static void sata_words(IdeDrive *d)
{
    uint16_t *w = d->identify;

    w[75] = 31;                                 /* commands in the queue, less one */
    w[76] = 0x850e;                             /* Gen1 to Gen3, NCQ, phy counters, READ LOG DMA */
    w[77] = 0x0066;                             /* at Gen3; NCQ NON-DATA; SEND and RECEIVE FPDMA */
    w[80] = 0x07f0;                             /* to ACS-3 */
    w[81] = 0x006d;
    w[93] = 0;
    w[222] = 0x107f;                            /* SATA 3.1 */
}

static void block_words(IdeDrive *d)
{
    uint16_t *w = d->identify;
    unsigned ratio = d->conf.physical_block_size / d->sector;

    w[106] = 0x4000;
    if (ratio > 1) {
        w[106] |= 0x2000 | __builtin_ctz(ratio);
        w[209] = 0x4000;                        /* the first logical sector begins a physical one */
    }
    if (d->sector > IDE_SECTOR) {
        w[106] |= 0x1000;
        put_u32(w + 117, d->sector / 2);
    }
}

void ata_identify_init(IdeDrive *d)
{
    uint16_t *w = d->identify;

    memset(w, 0, sizeof(d->identify));
    guess_geometry(d);
    w[0] = 0x0040;                              /* fixed disk */
    w[1] = d->cylinders;
    w[3] = d->heads;
    w[6] = d->sectors;
    ata_put_string(w + 10, 10, d->serial);
    ata_put_string(w + 23, 4, d->version);
    ata_put_string(w + 27, 20, d->model);
    w[47] = 0x8000 | ide_max_mult(d);
    w[48] = 1;
    w[49] = 0x0b00;                             /* DMA, LBA, IORDY */
    w[50] = 0x4000;
    w[51] = 0x0200;
    w[53] = 7;                                  /* words 54-58, 64-70, 88 are valid */
    w[54] = d->cylinders;
    w[55] = d->heads;
    w[56] = d->sectors;
    put_u32(w + 57, d->cylinders * d->heads * d->sectors);
    w[64] = 3;                                  /* PIO 3 and 4 */
    w[65] = w[66] = w[67] = w[68] = 120;
    w[80] = 0x00f0;                             /* ATA-4 to ATA-7 */
    w[81] = 0x0016;
    w[82] = 0x402b;                             /* NOP, write cache, power, security, SMART */
    w[83] = 0x7400;                             /* FLUSH CACHE (EXT), 48-bit */
    w[84] = 0x4063 | (d->wwn ? 0x100 : 0);      /* FUA, logs, SMART's logs and self-tests */
    w[85] = 0x4029;                             /* without a password security isn't enabled */
    w[86] = 0x3400 | 0x8000;                    /* words 119 and 120 are valid */
    w[87] = w[84];
    w[93] = 0x6001;                             /* 80-wire cable */
    if (d->wwn) {
        for (int i = 0; i < 4; i++) {
            w[108 + i] = d->wwn >> (48 - 16 * i);
        }
    }
    w[119] = w[120] = 0x4008;                   /* READ LOG DMA EXT */
    w[128] = 0x0009;                            /* security: supported, frozen */
    if (block_conf_discard_unit(&d->conf) && !blk_is_read_only(d->conf.blk)) {
        w[105] = IDE_TRIM_MAX;                  /* blocks of ranges a command */
        w[169] = 1;                             /* TRIM */
    }
    w[217] = d->rotation_rate;
    block_words(d);
    if (ide_is_sata(d)) {
        sata_words(d);
    }
    ata_identify_update(d);
}
