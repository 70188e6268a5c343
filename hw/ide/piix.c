/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82371SB (PIIX3) function 1: two IDE channels at the ports of the PC/AT, with bus-master DMA.
 *
 * Sources: 82371FB/SB data sheet 290550 ("DS"); Programming Interface for Bus Master IDE
 * Controller 1.0 ("BM"). Not modelled: timings (the registers keep what is written).
 */
#include "util/osdep.h"
#include "hw/ide/ide.h"
#include "hw/ide/ide-state.h"
#include "hw/isa/isa.h"
#include "hw/pci/pci.h"
#include "util/bswap.h"

enum { BM_START = 0x01, BM_TO_MEMORY = 0x08 };                          /* command */
enum { BM_ACTIVE = 0x01, BM_ERROR = 0x02, BM_INTERRUPT = 0x04, BM_CAPABLE = 0x60 };

typedef struct PiixIde PiixIde;

typedef struct BusMaster {
    PiixIde *ide;
    uint8_t command, status;
    uint32_t table;             /* of region descriptors */
    uint32_t next;              /* address of the next descriptor */
    uint32_t addr, left;        /* of the current region */
    bool last;
} BusMaster;

struct PiixIde {
    PCIDevice pci;
    MemRegion bmdma;
    IdeChannel channel[2];
    BusMaster bm[2];
};

#define TYPE_PIIX3_IDE  "piix3-ide"
#define TYPE_ICH7_IDE   "ich7-ide"
DEFINE_CAST(PIIX_IDE, PiixIde, TYPE_PIIX3_IDE)

static IdeDrive *waiting(PiixIde *s, unsigned n)
{
    IdeChannel *c = &s->channel[n];

    for (int i = 0; i < 2; i++) {
        if (c->drive[i] && c->drive[i]->dma != IDE_DMA_NONE) {
            return c->drive[i];
        }
    }
    return NULL;
}

static void rewind_table(BusMaster *b)
{
    b->next = b->table;
    b->left = 0;
    b->last = false;
}

static void dma_pending(void *opaque)
{
    BusMaster *b = opaque;
    IdeDrive *d = waiting(b->ide, b - b->ide->bm);

    if (d && (b->status & BM_ACTIVE)) {
        ide_dma_go(d);
    }
}

/* BM 1.2: descriptors of 8 bytes, address, byte count (0: 64 KiB), end of table in bit 31. */
static bool next_region(BusMaster *b)
{
    uint8_t raw[8];

    if (b->last || pci_dma_read(&b->ide->pci, b->next, raw, sizeof(raw)) != MEM_OK) {
        return false;
    }
    b->addr = load_le32(raw) & ~1u;
    b->left = load_le32(raw + 4) & 0xfffe;
    b->left = b->left ? b->left : 0x10000;
    b->last = load_le32(raw + 4) >> 31;
    b->next += 8;
    return true;
}

static uint32_t dma_move(void *opaque, void *buf, uint32_t len, bool to_memory)
{
    BusMaster *b = opaque;
    uint32_t done = 0;

    /* Descriptors may be short; a table has at most 64 KiB of them. */
    for (unsigned regions = 0; done < len && regions < 0x2000; ) {
        uint32_t n;

        if (b->left == 0) {
            regions++;
            if (!next_region(b)) {
                break;
            }
            continue;
        }
        n = MIN(b->left, len - done);
        if (pci_dma_rw(&b->ide->pci, b->addr, (uint8_t *)buf + done, n, to_memory) != MEM_OK) {
            b->status |= BM_ERROR;
        }
        b->addr += n;
        b->left -= n;
        done += n;
    }
    return done;
}

static void dma_done(void *opaque, bool error)
{
    BusMaster *b = opaque;

    b->status |= error ? BM_ERROR : 0;
    /* BM 3.1: active stays set when the regions are larger than the transfer. */
    if (b->last && b->left == 0) {
        b->status &= ~BM_ACTIVE;
    }
}

static void irq_changed(void *opaque, bool level)
{
    BusMaster *b = opaque;

    if (level) {
        b->status |= BM_INTERRUPT;
    }
}

static const IdeTransport dma_ops = { dma_pending, dma_move, dma_done, irq_changed };

static MemResult bm_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                         UNUSED MemAttrs attrs)
{
    PiixIde *s = opaque;
    BusMaster *b = &s->bm[addr >> 3 & 1];

    *val = 0;
    for (unsigned i = 0; i < size; i++) {
        unsigned reg = (addr + i) & 7;
        uint8_t v = reg == 0 ? b->command : reg == 2 ? b->status
                    : reg >= 4 ? b->table >> (8 * (reg - 4)) : 0;

        *val |= (uint64_t)v << (8 * i);
    }
    return MEM_OK;
}

static void write_command(PiixIde *s, BusMaster *b, uint8_t val)
{
    bool start = (val & BM_START) && !(b->command & BM_START);
    bool stop = !(val & BM_START) && (b->command & BM_START);

    b->command = val & (BM_START | BM_TO_MEMORY);
    if (stop) {
        b->status &= ~BM_ACTIVE;
    } else if (start) {
        IdeDrive *d = waiting(s, b - s->bm);

        rewind_table(b);
        b->status |= BM_ACTIVE;
        if (d) {
            ide_dma_go(d);
        }
    }
}

static MemResult bm_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                          UNUSED MemAttrs attrs)
{
    PiixIde *s = opaque;
    BusMaster *b = &s->bm[addr >> 3 & 1];

    for (unsigned i = 0; i < size; i++) {
        unsigned reg = (addr + i) & 7, shift = 8 * (reg & 3);
        uint8_t v = val >> (8 * i);

        if (reg == 0) {
            write_command(s, b, v);
        } else if (reg == 2) {
            b->status = (b->status & ~BM_CAPABLE & ~(v & (BM_ERROR | BM_INTERRUPT))) |
                        (v & BM_CAPABLE);
        } else if (reg >= 4) {
            b->table = ((b->table & ~(0xffu << shift)) | (uint32_t)v << shift) & ~3u;
        }
    }
    return MEM_OK;
}

static const MemOps bm_ops = {
    .read = bm_read, .write = bm_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { 1, 4, true },
};

static IdeChannel *find_channel(Device *owner, Bus *bus)
{
    PiixIde *s = PIIX_IDE(owner);

    return bus == s->channel[1].bus ? &s->channel[1] : &s->channel[0];
}

static bool piix_ide_realize(Device *dev, Error **errp)
{
    static const uint16_t command_port[] = { 0x1f0, 0x170 }, control_port[] = { 0x3f6, 0x376 };
    /* Beside AHCI, whose buses are ide.0 and so on. */
    static const char *const piix_names[] = { "ide.0", "ide.1" }, *const ich7_names[] = { "pata.0", "pata.1" };
    PiixIde *s = PIIX_IDE(dev);
    const char *const *names = object_is_a(dev, TYPE_ICH7_IDE) ? ich7_names : piix_names;
    ISABus *isa = (ISABus *)bus_find_type(TYPE_ISA_BUS);

    if (!isa) {
        error_setf(errp, ERR_NO_SUCH_BUS, "there is no ISA bus, whose interrupts 14 and 15 it uses");
        return false;
    }
    s->pci.config[0x09] = 0x80;             /* compatibility mode, bus master */
    for (unsigned i = 0x40; i < 0x45; i++) {
        s->pci.wmask[i] = 0xff;             /* IDETIM, SIDETIM (DS 2.3) */
    }
    pci_set_word(s->pci.config + 0x40, 0x8000);
    pci_set_word(s->pci.config + 0x42, 0x8000);
    for (int i = 0; i < 2; i++) {
        s->bm[i].ide = s;
        ide_channel_init(&s->channel[i], dev, names[i], isa_bus_get_irq(isa, 14 + i), &dma_ops,
                         &s->bm[i]);
        memory_region_add(system_io(), command_port[i], &s->channel[i].command_io);
        memory_region_add(system_io(), control_port[i], &s->channel[i].control_io);
    }
    memory_region_init_io(&s->bmdma, s, &bm_ops, s, "piix-bmdma", 16);
    pci_register_bar(&s->pci, 4, PCI_BAR_IO, &s->bmdma);
    return true;
}

static void piix_ide_unrealize(Device *dev)
{
    PiixIde *s = PIIX_IDE(dev);

    memory_region_cleanup(&s->bmdma);
    for (int i = 0; i < 2; i++) {
        ide_channel_cleanup(&s->channel[i]);
    }
}

static void piix_ide_reset(Device *dev)
{
    PiixIde *s = PIIX_IDE(dev);

    for (int i = 0; i < 2; i++) {
        ide_channel_reset(&s->channel[i]);
        s->bm[i].command = s->bm[i].status = 0;
        s->bm[i].table = 0;
        rewind_table(&s->bm[i]);
    }
}

static const VmField bm_fields[] = {
    VM_U8(BusMaster, command), VM_U8(BusMaster, status), VM_U32(BusMaster, table),
    VM_U32(BusMaster, next), VM_U32(BusMaster, addr), VM_U32_RANGE(BusMaster, left, 0, 0x10000),
    VM_BOOL(BusMaster, last), VM_END
};
static const VmState bm_vm = { 1, bm_fields, .meanings = ide_bm_meanings };

static const VmField piix_ide_fields[] = {
    VM_PCI(PiixIde, pci), VM_STRUCT_ARRAY(PiixIde, channel, ide_channel_vm),
    VM_STRUCT_ARRAY(PiixIde, bm, bm_vm), VM_END
};

static const DeviceType piix_ide_type = {
    .name = TYPE_PIIX3_IDE, .parent = TYPE_PCI_DEVICE, .desc = "PIIX3 IDE controller",
    .size = sizeof(PiixIde), .category = DEVICE_STORAGE, .not_user_creatable = true,
    .pci = { .vendor = 0x8086, .device = 0x7010, .class_code = 0x010180, .pin = PCI_PIN_NONE },
    .realize = piix_ide_realize, .unrealize = piix_ide_unrealize, .reset_hold = piix_ide_reset,
    .vm = { 1, piix_ide_fields }, .data = find_channel, .printers = piix_ide_printers,
};
DEVICE_TYPE(piix_ide_type)

/* ICH7 data sheet 307013, chapter 11: with the PIIX3's registers, all that is modelled of it. */
static const DeviceType ich7_ide_type = {
    .name = TYPE_ICH7_IDE, .parent = TYPE_PIIX3_IDE, .desc = "ICH7 IDE controller", .not_user_creatable = true,
    .pci = { .device = 0x27df, .revision = 2 },
};
DEVICE_TYPE(ich7_ide_type)
