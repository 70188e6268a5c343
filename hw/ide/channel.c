/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two drives' shared cable: task file, control register, data port. */
#include "util/osdep.h"
#include "hw/ide/ide.h"
#include "hw/ide/ide-state.h"
#include "util/bswap.h"

static IdeDrive *selected(IdeChannel *c)
{
    return c->drive[c->select];
}

static void drive_irq(IdeChannel *c, bool level)
{
    c->irq_level = level;
    level = level && !(c->control & CTL_NIEN);
    if (c->irq) {
        irq_set(c->irq, level);
    }
    if (c->ops && c->ops->irq) {
        c->ops->irq(c->opaque, level);
    }
}

void ide_set_irq(IdeDrive *d)
{
    if (d->channel && selected(d->channel) == d) {
        drive_irq(d->channel, true);
    }
}

void ide_channel_reset(IdeChannel *c)
{
    c->select = 0;
    c->control = 0;
    for (int i = 0; i < 2; i++) {
        if (c->drive[i]) {
            ide_drive_reset(c->drive[i]);
        }
    }
    drive_irq(c, false);
}

/* --- data port --- */

static uint64_t data_read(IdeChannel *c, unsigned size)
{
    IdeDrive *d = selected(c);
    uint64_t v = 0;

    if (!d || !(d->status & ATA_DRQ) || !ide_host_reads(d)) {
        return 0;
    }
    for (unsigned i = 0; i < size && d->pos < d->end; i++) {
        v |= (uint64_t)d->buffer[d->pos++] << (8 * i);
    }
    if (d->pos >= d->end) {
        ide_data_end(d);
    }
    return v;
}

static void data_write(IdeChannel *c, uint64_t val, unsigned size)
{
    IdeDrive *d = selected(c);

    if (!d || !(d->status & ATA_DRQ) || ide_host_reads(d) || d->dma != IDE_DMA_NONE) {
        return;
    }
    for (unsigned i = 0; i < size && d->pos < d->end; i++) {
        d->buffer[d->pos++] = val >> (8 * i);
    }
    if (d->pos >= d->end) {
        ide_data_end(d);
    }
}

/* --- registers --- */

static void write_both(IdeChannel *c, unsigned reg, uint8_t val)
{
    for (int i = 0; i < 2; i++) {
        IdeDrive *d = c->drive[i];
        IdeRegs *r = d ? &d->r : NULL;

        if (!r || (d->status & (ATA_BSY | ATA_DRQ))) {
            continue;
        }
        switch (reg) {
        case 1: r->hob_feature = r->feature; r->feature = val; break;
        case 2: r->hob_count = r->count; r->count = val; break;
        case 3: r->hob_low = r->lba_low; r->lba_low = val; break;
        case 4: r->hob_mid = r->lba_mid; r->lba_mid = val; break;
        case 5: r->hob_high = r->lba_high; r->lba_high = val; break;
        default: r->device = val; break;
        }
    }
}

static void command(IdeChannel *c, uint8_t val)
{
    IdeDrive *d = selected(c);

    drive_irq(c, false);
    if (val == 0x90) {                      /* EXECUTE DEVICE DIAGNOSTIC: both */
        for (int i = 0; i < 2; i++) {
            if (c->drive[i]) {
                ide_drive_reset(c->drive[i]);
            }
        }
        c->select = 0;
        if (c->drive[0]) {
            ide_set_irq(c->drive[0]);
        }
        return;
    }
    if (!d) {
        return;
    }
    if (val == 0x08 && d->is_cd) {          /* DEVICE RESET: at any time */
        ide_drive_reset(d);
        return;
    }
    if (d->status & (ATA_BSY | ATA_DRQ)) {
        return;
    }
    d->error = 0;
    d->r.command = val;
    ata_command(d, val);
}

static uint8_t read_reg(IdeChannel *c, unsigned reg)
{
    IdeDrive *d = selected(c);
    bool hob = c->control & CTL_HOB;
    IdeRegs *r;

    if (!d) {
        /* Nobody drives the bus; an absent second drive is answered for by the first (ATA7 vol. 2, 3.3). */
        if (!c->drive[0] && !c->drive[1]) {
            return reg == 7 ? 0 : 0xff;
        }
        return reg == 6 ? c->select << 4 : 0;
    }
    r = &d->r;
    switch (reg) {
    case 1: return hob ? r->hob_feature : d->error;
    case 2: return hob ? r->hob_count : r->count;
    case 3: return hob ? r->hob_low : r->lba_low;
    case 4: return hob ? r->hob_mid : r->lba_mid;
    case 5: return hob ? r->hob_high : r->lba_high;
    case 6: return (r->device & ~SEL_DEV) | 0xa0 | c->select << 4;
    default: return d->status;
    }
}

static MemResult command_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                              UNUSED MemAttrs attrs)
{
    IdeChannel *c = opaque;

    if (addr == 0) {
        *val = data_read(c, size);
        return MEM_OK;
    }
    *val = read_reg(c, addr);
    if (addr == 7) {
        drive_irq(c, false);
    }
    return MEM_OK;
}

static MemResult command_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                               UNUSED MemAttrs attrs)
{
    IdeChannel *c = opaque;

    switch (addr) {
    case 0:
        data_write(c, val, size);
        break;
    case 7:
        c->control &= ~CTL_HOB;
        command(c, val);
        break;
    case 6:
        c->control &= ~CTL_HOB;
        write_both(c, 6, val);
        c->select = val >> 4 & 1;
        break;
    default:
        c->control &= ~CTL_HOB;
        write_both(c, addr, val);
    }
    return MEM_OK;
}

/* The data port takes 2 or 4 bytes, the others one. */
static const MemOps command_ops = {
    .read = command_read, .write = command_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { 1, 4, true },
};

static MemResult control_read(void *opaque, UNUSED hwaddr addr, uint64_t *val,
                              UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = read_reg(opaque, 7);             /* alternate status: no acknowledge */
    return MEM_OK;
}

static MemResult control_write(void *opaque, UNUSED hwaddr addr, uint64_t val,
                               UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    IdeChannel *c = opaque;
    bool was = c->control & CTL_SRST;

    c->control = val & (CTL_NIEN | CTL_SRST | CTL_HOB);
    for (int i = 0; i < 2; i++) {
        if (!c->drive[i]) {
            continue;
        }
        if (val & CTL_SRST) {
            ide_abandon(c->drive[i]);
            c->drive[i]->status = ATA_BSY;
        } else if (was) {
            ide_drive_reset(c->drive[i]);
        }
    }
    if (was && !(val & CTL_SRST)) {
        c->select = 0;
    }
    drive_irq(c, c->irq_level && !(val & CTL_SRST));
    return MEM_OK;
}

static const MemOps control_ops = {
    .read = control_read, .write = control_write, .order = MEM_LE, .valid = { 1, 1 },
    .impl = { 1, 1 },
};

void ide_link_init(IdeChannel *c, Device *owner, const IdeTransport *ops, void *opaque)
{
    c->bus = bus_new(TYPE_SATA_BUS, owner, NULL);
    c->units = 1;
    c->ops = ops;
    c->opaque = opaque;
}

void ide_channel_init(IdeChannel *c, Device *owner, const char *name, IrqLine *irq,
                      const IdeTransport *ops, void *opaque)
{
    c->bus = bus_new(TYPE_IDE_BUS, owner, name);
    c->units = 2;
    c->irq = irq;
    c->ops = ops;
    c->opaque = opaque;
    memory_region_init_io(&c->command_io, owner, &command_ops, c, "ide-command", 8);
    memory_region_init_io(&c->control_io, owner, &control_ops, c, "ide-control", 1);
}

void ide_channel_cleanup(IdeChannel *c)
{
    memory_region_cleanup(&c->command_io);
    memory_region_cleanup(&c->control_io);
}

static bool channel_post_load(void *opaque, UNUSED Error **errp)
{
    IdeChannel *c = opaque;

    drive_irq(c, c->irq_level);
    return true;
}

static const VmField channel_fields[] = {
    VM_U8_RANGE(IdeChannel, select, 0, 1), VM_U8(IdeChannel, control),
    VM_BOOL(IdeChannel, irq_level), VM_END
};
const VmState ide_channel_vm = {
    1, channel_fields, .post_load = channel_post_load, .meanings = ide_channel_meanings,
};
