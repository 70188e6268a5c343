/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8237A DMA controller with the page registers of a PC: channels 0 to 3 move
 * bytes, 5 to 7 words; 4 is the cascade.
 *
 * Sources: Intel 8237A data sheet, order 231466 ("DS"); IBM PC AT Technical
 * Reference for ports and pages.
 * Transfers run from a bottom half while a device holds its request.
 * Not modelled: memory-to-memory and verify transfers, rotating priority.
 */
#include "util/osdep.h"
#include "hw/dma/i8237.h"

#include "util/log.h"
#include "util/main-loop.h"

#define NUM_CHANNELS    4
#define PAGE_BASE       0x80
#define NUM_PAGES       16

/* DS, "Software commands" and register codes; times the port stride. */
enum { REG_COMMAND = 8, REG_REQUEST, REG_MASK, REG_MODE, REG_CLEAR_FF, REG_MASTER_CLEAR,
       REG_CLEAR_MASK, REG_MASK_ALL };
#define COMMAND_DISABLE BIT(2)
#define COMMAND_UNIMP   (BIT(0) | BIT(1) | BIT(3) | BIT(4) | BIT(6) | BIT(7))
#define MODE_AUTO_INIT  BIT(4)
#define MODE_DECREMENT  BIT(5)

typedef struct DmaChannel {
    uint16_t base_addr, base_count;
    uint32_t pos;                   /* bytes moved since the base was taken */
    uint8_t mode;
    IsaDmaTransfer transfer;        /* of the device at it */
    void *opaque;
} DmaChannel;

typedef struct I8237State {
    ISADevice isa;
    MemRegion io, page_io;
    IsaDma dma;
    BottomHalf *bh;
    DmaChannel ch[NUM_CHANNELS];
    uint8_t pages[NUM_PAGES];       /* as written; some are plain scratch */
    uint8_t command, status, mask;
    uint8_t requests;               /* DREQ, one bit a channel */
    bool flip_flop, running;
    bool high;                      /* property: channels 4 to 7 */
} I8237State;

DEFINE_CAST(I8237, I8237State, TYPE_I8237)

/* Page register of each channel: offset from port 80h. */
static const uint8_t page_of[2][NUM_CHANNELS] = {
    { 0x7, 0x3, 0x1, 0x2 }, { 0xf, 0xb, 0x9, 0xa },
};

static uint32_t channel_size(const I8237State *s, unsigned n)
{
    return (s->ch[n].base_count + 1u) << s->high;
}

static void i8237_run(void *opaque)
{
    I8237State *s = opaque;
    bool again = false;

    if (s->running || (s->command & COMMAND_DISABLE)) {
        return;
    }
    s->running = true;              /* a device may ask for us again */
    for (unsigned n = 0; n < NUM_CHANNELS; n++) {
        DmaChannel *c = &s->ch[n];
        uint32_t size = channel_size(s, n), old = c->pos;
        int pos;

        if (!(s->requests & BIT(n)) || (s->mask & BIT(n)) || !c->transfer) {
            continue;
        }
        pos = c->transfer(c->opaque, (int)n + (s->high ? 4 : 0), (int)old, (int)size);
        c->pos = pos < 0 ? old : MIN((uint32_t)pos, size);
        if (c->pos == size) {       /* terminal count */
            s->status |= (uint8_t)BIT(n);
            c->pos = 0;
            if (!(c->mode & MODE_AUTO_INIT)) {
                s->mask |= (uint8_t)BIT(n);
            }
        }
        again |= c->pos != old;
    }
    s->running = false;
    if (again) {
        bh_schedule(s->bh);
    }
}

static unsigned i8237_read_counter(const I8237State *s, unsigned reg)
{
    const DmaChannel *c = &s->ch[reg / 2];
    uint16_t units = (uint16_t)(c->pos >> s->high);

    if (reg & 1) {
        return (uint16_t)(c->base_count - units);
    }
    return (uint16_t)(c->mode & MODE_DECREMENT ? c->base_addr - units : c->base_addr + units);
}

static void i8237_write_counter(I8237State *s, unsigned reg, uint8_t val)
{
    DmaChannel *c = &s->ch[reg / 2];
    uint16_t *v = reg & 1 ? &c->base_count : &c->base_addr;

    *v = s->flip_flop ? (uint16_t)((*v & 0xff) | val << 8) : (uint16_t)((*v & 0xff00) | val);
    c->pos = 0;
    s->flip_flop = !s->flip_flop;
}

static void i8237_clear(I8237State *s)
{
    s->command = s->status = s->requests = 0;
    s->flip_flop = false;
    s->mask = 0x0f;
}

static MemResult i8237_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                             UNUSED MemAttrs attrs)
{
    I8237State *s = opaque;
    unsigned reg = (unsigned)addr >> s->high;
    uint8_t bit = (uint8_t)BIT(val & 3);

    switch (reg) {
    case REG_COMMAND:
        if (val & COMMAND_UNIMP) {
            log_unimp("i8237", "command 0x%02x", (unsigned)val);
        }
        s->command = (uint8_t)val;
        break;
    case REG_REQUEST:
        s->requests = (uint8_t)(val & 4 ? s->requests | bit : s->requests & ~bit);
        s->status &= (uint8_t)~bit;
        break;
    case REG_MASK:
        s->mask = (uint8_t)(val & 4 ? s->mask | bit : s->mask & ~bit);
        break;
    case REG_MODE:
        s->ch[val & 3].mode = (uint8_t)val & 0xfc;
        break;
    case REG_CLEAR_FF:
        s->flip_flop = false;
        break;
    case REG_MASTER_CLEAR:
        i8237_clear(s);
        break;
    case REG_CLEAR_MASK:
        s->mask = 0;
        break;
    case REG_MASK_ALL:
        s->mask = val & 0x0f;
        break;
    default:
        i8237_write_counter(s, reg & 7, (uint8_t)val);
        return MEM_OK;
    }
    bh_schedule(s->bh);
    return MEM_OK;
}

static MemResult i8237_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                            MemAttrs attrs)
{
    I8237State *s = opaque;
    unsigned reg = (unsigned)addr >> s->high;

    switch (reg) {
    case REG_COMMAND:               /* status; terminal counts are read once */
        *val = s->status | s->requests << 4;
        if (!attrs.debug) {
            s->status = 0;
        }
        break;
    case REG_MASK_ALL:
        *val = s->mask | 0xf0;
        break;
    default:
        *val = 0;
        if (reg < REG_COMMAND) {
            *val = i8237_read_counter(s, reg) >> (s->flip_flop ? 8 : 0) & 0xff;
            if (!attrs.debug) {
                s->flip_flop = !s->flip_flop;
            }
        }
        break;
    }
    return MEM_OK;
}

static const MemOps i8237_ops = {
    .read = i8237_read, .write = i8237_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static MemResult page_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                            UNUSED MemAttrs attrs)
{
    ((I8237State *)opaque)->pages[addr + (((I8237State *)opaque)->high ? 8 : 0)] = (uint8_t)val;
    return MEM_OK;
}

static MemResult page_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    *val = ((I8237State *)opaque)->pages[addr + (((I8237State *)opaque)->high ? 8 : 0)];
    return MEM_OK;
}

static const MemOps page_ops = {
    .read = page_read, .write = page_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

/* ------------------------------------------------- for devices on the bus */

static I8237State *of_dma(IsaDma *dma)
{
    return container_of(dma, I8237State, dma);
}

/* The counter wraps inside the page, as the page register has no carry. */
static uint32_t byte_address(const I8237State *s, unsigned n, uint32_t pos)
{
    const DmaChannel *c = &s->ch[n];
    uint32_t page = s->pages[page_of[s->high][n]], units = pos >> s->high;
    uint16_t addr = (uint16_t)(c->mode & MODE_DECREMENT ? c->base_addr - units
                                                        : c->base_addr + units);

    if (s->high) {                  /* AT: words, 128 KiB pages */
        return (page & 0xfe) << 16 | (uint32_t)addr << 1 | (pos & 1);
    }
    return page << 16 | addr;
}

static int dma_move(IsaDma *dma, int channel, uint8_t *buf, int pos, int len, bool is_write)
{
    I8237State *s = of_dma(dma);
    unsigned n = (unsigned)channel & 3;

    for (int i = 0; i < len; i++) {
        address_space_rw(&address_space_memory, byte_address(s, n, (uint32_t)(pos + i)),
                         MEM_ATTRS_NONE, buf + i, 1, is_write);
    }
    return len;
}

static int dma_read_memory(IsaDma *dma, int channel, void *buf, int pos, int len)
{
    return dma_move(dma, channel, buf, pos, len, false);
}

static int dma_write_memory(IsaDma *dma, int channel, const void *buf, int pos, int len)
{
    return dma_move(dma, channel, (uint8_t *)(uintptr_t)buf, pos, len, true);
}

static bool dma_is_auto_init(IsaDma *dma, int channel)
{
    return of_dma(dma)->ch[channel & 3].mode & MODE_AUTO_INIT;
}

static void dma_hold(IsaDma *dma, int channel)
{
    of_dma(dma)->requests |= (uint8_t)BIT(channel & 3);
    bh_schedule(of_dma(dma)->bh);
}

static void dma_release(IsaDma *dma, int channel)
{
    of_dma(dma)->requests &= (uint8_t)~BIT(channel & 3);
}

static void dma_schedule(IsaDma *dma)
{
    bh_schedule(of_dma(dma)->bh);
}

static void dma_register(IsaDma *dma, int channel, IsaDmaTransfer fn, void *opaque)
{
    of_dma(dma)->ch[channel & 3].transfer = fn;
    of_dma(dma)->ch[channel & 3].opaque = opaque;
}

static const IsaDmaOps dma_ops = {
    .is_auto_init = dma_is_auto_init, .read_memory = dma_read_memory,
    .write_memory = dma_write_memory, .hold_dreq = dma_hold, .release_dreq = dma_release,
    .schedule = dma_schedule, .register_channel = dma_register,
};

static void i8237_reset_hold(Device *dev)
{
    i8237_clear(I8237(dev));
}

static bool i8237_realize(Device *dev, UNUSED Error **errp)
{
    I8237State *s = I8237(dev);

    s->dma.ops = &dma_ops;
    s->bh = bh_new_on(main_event_loop(), i8237_run, s);
    memory_region_init_io(&s->io, s, &i8237_ops, s, "dma", 16u << s->high);
    isa_register_ioport(&s->isa, &s->io, s->high ? 0xc0 : 0x00);
    memory_region_init_io(&s->page_io, s, &page_ops, s, "dma-page", NUM_PAGES / 2);
    isa_register_ioport(&s->isa, &s->page_io, PAGE_BASE + (s->high ? 8 : 0));
    isa_bus_set_dma(isa_bus(&s->isa), &s->dma, s->high);
    i8237_clear(s);
    return true;
}

static void i8237_unrealize(Device *dev)
{
    I8237State *s = I8237(dev);

    bh_delete(s->bh);
    memory_region_cleanup(&s->io);
    memory_region_cleanup(&s->page_io);
}

static bool i8237_post_load(void *opaque, Error **errp)
{
    I8237State *s = opaque;

    for (unsigned n = 0; n < NUM_CHANNELS; n++) {
        if (s->ch[n].pos >= channel_size(s, n)) {
            error_setf(errp, ERR_STATE_INVALID, "channel %u is beyond its count", n);
            return false;
        }
    }
    bh_schedule(s->bh);
    return true;
}

static const VmField channel_fields[] = {
    VM_U16(DmaChannel, base_addr), VM_U16(DmaChannel, base_count),
    VM_U32_RANGE(DmaChannel, pos, 0, 0x20000), VM_U8(DmaChannel, mode), VM_END
};
static const VmMeaning channel_meanings[] = {
    { "base_addr", "base address" }, { "base_count", "base word count, less one" },
    { "pos", "bytes of the transfer that are done" },
    { "mode", "mode register", .flags = FLAGS({ "WRITE", 4 }, { "READ", 8 }, { "AUTO_INIT", 0x10 }, { "DECREMENT", 0x20 },
      { "MODE", 0xc0 }) },
    { .name = NULL }
};
static const VmState channel_vm = { 1, channel_fields, .name = "channel", .meanings = channel_meanings };

static const VmField i8237_fields[] = {
    VM_STRUCT_ARRAY(I8237State, ch, channel_vm), VM_U8_ARRAY(I8237State, pages),
    VM_U8(I8237State, command), VM_U8_RANGE(I8237State, status, 0, 15),
    VM_U8_RANGE(I8237State, mask, 0, 15), VM_U8_RANGE(I8237State, requests, 0, 15),
    VM_BOOL(I8237State, flip_flop), VM_END
};

static const Property i8237_props[] = {
    PROP_BOOL("high", I8237State, high, false, "channels 4 to 7"),
    PROP_END
};

#define CHANNELS FLAGS({ "0", 1 }, { "1", 2 }, { "2", 4 }, { "3", 8 })
static const VmMeaning i8237_meanings[] = {
    { "command", "command register", .flags = FLAGS({ "MEM_TO_MEM", 1 }, { "ADDRESS_HOLD", 2 }, { "DISABLE", 4 },
      { "COMPRESSED", 8 }, { "ROTATING", 0x10 }, { "EXTENDED_WRITE", 0x20 }, { "DREQ_LOW", 0x40 }, { "DACK_HIGH", 0x80 }) },
    { "status", "channels that have come to their end", .flags = CHANNELS },
    { "mask", "channels that are masked", .flags = CHANNELS },
    { "requests", "channels that are asked to transfer", .flags = CHANNELS },
    { "pages", "page registers, by port from 80h" },
    { .name = NULL }
};

static const DeviceType i8237_type = {
    .name = TYPE_I8237, .parent = TYPE_ISA_DEVICE, .size = sizeof(I8237State),
    .desc = "8237A DMA controller", .not_user_creatable = true, .props = i8237_props,
    .realize = i8237_realize, .unrealize = i8237_unrealize, .reset_hold = i8237_reset_hold,
    .vm = { 1, i8237_fields, .post_load = i8237_post_load, .meanings = i8237_meanings },
};
DEVICE_TYPE(i8237_type)

bool i8237_create_pair(ISABus *bus, Error **errp)
{
    for (int high = 0; high < 2; high++) {
        Device *dev = device_new(TYPE_I8237);

        if (!object_set_bool(dev, "high", high, errp)) {
            object_unref(dev);
            return false;
        }
        if (!device_realize_unref(dev, &bus->bus, errp)) {
            return false;
        }
    }
    return true;
}
