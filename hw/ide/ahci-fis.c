/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames that a device sends: what they change in a port's registers, and where they are stored
 * (AHCI 4.2.1; their forms are in SATA 10.5).
 */
#include "util/osdep.h"
#include "hw/ide/ahci-int.h"

#include "util/bswap.h"

enum { AT_DMA_SETUP = 0x00, AT_PIO_SETUP = 0x20, AT_D2H = 0x40, AT_SDB = 0x58 };
#define FBS_AREA        256             /* of each device, with FIS-based switching */

/* False: there is no memory. What comes while FRE is clear is not stored. */
static bool store(AhciLink *l, unsigned at, const uint8_t *fis, unsigned len)
{
    AhciPort *p = l->port;
    uint64_t area = p->reg[P_FB];

    if (!(p->reg[P_CMD] & CMD_FRE)) {
        return true;
    }
    if (p->s->wide) {
        area |= (uint64_t)p->reg[P_FBU] << 32;
    }
    if (p->reg[P_FBS] & FBS_EN) {
        /* AHCI 9.3.2 wants 4 KiB of alignment; Linux gives 1 KiB, and HBAs are known to add. */
        area += (l->pmp & 15) * FBS_AREA;
    }
    if (ahci_mem_write(p->s, area + at, fis, len)) {
        return true;
    }
    ahci_port_fatal(l, PIS_HBFS, SERR_ERR_E);
    return false;
}

static void put_regs(uint8_t *f, const IdeRegs *r)
{
    f[4] = r->lba_low;
    f[5] = r->lba_mid;
    f[6] = r->lba_high;
    f[7] = r->device;
    f[8] = r->hob_low;
    f[9] = r->hob_mid;
    f[10] = r->hob_high;
    f[12] = r->count;
    f[13] = r->hob_count;
}

void ahci_fis_d2h_regs(AhciLink *l, const IdeRegs *r, uint8_t status, uint8_t error, bool interrupt)
{
    uint8_t f[20] = { 0x34, interrupt << 6 | l->pmp, status, error };

    put_regs(f, r);
    *ahci_link_tfd(l) = error << 8 | status;
    if (!store(l, AT_D2H, f, sizeof(f))) {
        return;
    }
    if (interrupt) {
        ahci_port_irq(l->port, PIS_DHRS);
    }
    if (status & ATA_ERR) {
        ahci_port_fatal(l, PIS_TFES, 0);
    }
}

void ahci_fis_d2h(AhciLink *l, const IdeDrive *d, bool interrupt)
{
    ahci_fis_d2h_regs(l, &d->r, d->status, d->error, interrupt);
}

/* The status register gets @e_status when the data has been moved (SATA 10.5.11). */
void ahci_fis_pio_setup(AhciLink *l, const IdeDrive *d, bool to_host, bool interrupt, uint8_t e_status,
                        uint32_t bytes)
{
    uint8_t f[20] = { 0x5f, interrupt << 6 | to_host << 5 | l->pmp, ATA_DRDY | ATA_DSC | ATA_DRQ };

    put_regs(f, &d->r);
    f[15] = e_status;
    store_le16(f + 16, bytes);
    *ahci_link_tfd(l) = e_status;
    if (store(l, AT_PIO_SETUP, f, sizeof(f)) && interrupt) {
        ahci_port_irq(l->port, PIS_PSS);
    }
}

void ahci_fis_dma_setup(AhciLink *l, unsigned tag, bool to_host, uint32_t bytes)
{
    uint8_t f[28] = { 0x41, to_host << 5 | l->pmp };

    f[4] = tag;
    store_le32(f + 20, bytes);
    store(l, AT_DMA_SETUP, f, sizeof(f));
}

/* The bits of the status that this frame doesn't carry stay (SATA 10.5.7). */
void ahci_fis_sdb(AhciLink *l, uint32_t tags, uint8_t status, uint8_t error, bool notify)
{
    AhciPort *p = l->port;
    uint32_t *tfd = ahci_link_tfd(l);
    uint8_t f[8] = { 0xa1, notify << 7 | 1 << 6 | l->pmp, status & 0x77, error };

    store_le32(f + 4, tags);
    *tfd = error << 8 | (*tfd & 0x88) | (status & 0x77);
    p->reg[P_SACT] &= ~tags;
    if (notify) {
        p->reg[P_SNTF] |= BIT(l->pmp);
    }
    if (!store(l, AT_SDB, f, sizeof(f))) {
        return;
    }
    ahci_port_irq(p, PIS_SDBS);
    if (status & ATA_ERR) {
        ahci_port_fatal(l, PIS_TFES, 0);
    }
}
