/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Macintosh frame buffer (macfb.h): depths 1, 2, 4, 8 with a palette, 16 and 24 (32 bits a pixel).
 *
 * Source: Macintosh Quadra 700/900 Developer Note (DAFB); Designing Cards and Drivers for the
 * Macintosh Family, 3rd ed. Not modelled: DAFB's timing registers beyond mode and blanking.
 */
#include "util/osdep.h"
#include "hw/display/macfb.h"

#include "qom/property.h"
#include "ui/core/console.h"
#include "util/timer.h"

/* Control block. */
enum { DAFB_MODE_VADDR1 = 0x00, DAFB_MODE_VADDR2 = 0x04, DAFB_MODE_CTRL1 = 0x08,
       DAFB_MODE_CTRL2 = 0x0c, DAFB_MODE_SENSE = 0x1c, DAFB_INTR_MASK = 0x104,
       DAFB_INTR_STAT = 0x108, DAFB_INTR_CLEAR = 0x10c, DAFB_LUT_INDEX = 0x200, DAFB_LUT = 0x210 };
#define INTR_VBL        0x04
#define VBL_NS          (INT64_C(1000000000) * 100 / 6015)

typedef struct MacFb {
    Device dev;
    MemRegion vram, regs;
    Console *con;
    IrqLine *irq;
    Timer vbl;
    uint32_t width, height, depth, stride;      /* stride: bytes a line */
    uint8_t palette[256 * 3];
    uint32_t lut_at;            /* byte of the palette that comes next */
    uint32_t ctrl[64];          /* the first 256 bytes, as written */
    uint32_t intr_mask, intr_stat;
    bool all_dirty;
} MacFb;

static MacFb *MACFB(const void *obj)
{
    return (MacFb *)object_cast(obj, TYPE_MACFB);
}

/* -------------------------------------------------------------------- painting */

static uint32_t color(const MacFb *s, unsigned n)
{
    const uint8_t *p = &s->palette[n * 3];

    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* Of direct colors each component goes through its own third of the table. */
static uint32_t corrected(const MacFb *s, uint32_t r, uint32_t g, uint32_t b)
{
    return (uint32_t)s->palette[r * 3] << 16 | (uint32_t)s->palette[g * 3 + 1] << 8 | s->palette[b * 3 + 2];
}

static void paint_line(const MacFb *s, const uint8_t *src, uint32_t *dst)
{
    unsigned per_byte = s->depth < 8 ? 8 / s->depth : 1;

    for (unsigned x = 0; x < s->width; x++) {
        switch (s->depth) {
        case 1: case 2: case 4:
            dst[x] = color(s, src[x / per_byte] >> (8 - s->depth * (x % per_byte + 1)) &
                              ((1u << s->depth) - 1));
            break;
        case 8:
            dst[x] = color(s, src[x]);
            break;
        case 16: {
            unsigned v = (unsigned)src[2 * x] << 8 | src[2 * x + 1];
            uint32_t r = v >> 10 & 31, g = v >> 5 & 31, b = v & 31;

            dst[x] = corrected(s, r << 3 | r >> 2, g << 3 | g >> 2, b << 3 | b >> 2);
            break;
        }
        default:
            dst[x] = corrected(s, src[4 * x + 1], src[4 * x + 2], src[4 * x + 3]);
            break;
        }
    }
}

static void macfb_update(void *opaque)
{
    MacFb *s = opaque;
    const uint8_t *vram = memory_region_ram_ptr(&s->vram);
    int first = -1;

    for (unsigned y = 0; y <= s->height; y++) {
        bool dirty = y < s->height &&
                     (s->all_dirty ||
                      memory_region_test_and_clear_dirty(&s->vram, (hwaddr)y * s->stride, s->stride,
                                                         RAM_DIRTY_DISPLAY));

        /* Dirty bits are of pages: lines that share one with it are painted with it. */
        if (dirty) {
            paint_line(s, vram + (size_t)y * s->stride, console_line(s->con, (int)y));
            first = first < 0 ? (int)y : first;
        } else if (first >= 0) {
            console_damage(s->con, 0, first, (int)s->width, (int)y - first);
            first = -1;
        }
    }
    s->all_dirty = false;
}

static void macfb_invalidate(void *opaque)
{
    ((MacFb *)opaque)->all_dirty = true;
}

static const ConsoleOps console_ops = { .update = macfb_update, .invalidate = macfb_invalidate };

/* -------------------------------------------------------------------- registers */

static void update_irq(MacFb *s)
{
    irq_set(s->irq, (s->intr_stat & s->intr_mask) != 0);
}

static void vbl_tick(void *opaque)
{
    MacFb *s = opaque;

    s->intr_stat |= INTR_VBL;
    update_irq(s);
    if (s->intr_mask) {
        timer_mod_ns(&s->vbl, clock_get_ns(CLOCK_VIRTUAL) + VBL_NS);
    }
}

static MemResult regs_read_one(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                               UNUSED MemAttrs attrs)
{
    MacFb *s = opaque;

    switch (addr) {
    case DAFB_INTR_MASK: *val = s->intr_mask; break;
    case DAFB_INTR_STAT: *val = s->intr_stat; break;
    case DAFB_MODE_SENSE: *val = 6; break;      /* 13-inch RGB monitor */
    default: *val = addr < sizeof(s->ctrl) ? s->ctrl[addr / 4] : 0; break;
    }
    return MEM_OK;
}

static MemResult regs_write_one(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                                UNUSED MemAttrs attrs)
{
    MacFb *s = opaque;

    switch (addr & ~UINT64_C(3)) {
    case DAFB_INTR_MASK:
        s->intr_mask = (uint32_t)val & INTR_VBL;
        if (s->intr_mask && !timer_pending(&s->vbl)) {
            timer_mod_ns(&s->vbl, clock_get_ns(CLOCK_VIRTUAL) + VBL_NS);
        }
        update_irq(s);
        break;
    case DAFB_INTR_CLEAR:
        s->intr_stat &= ~(uint32_t)INTR_VBL;
        update_irq(s);
        break;
    case DAFB_LUT_INDEX:
        s->lut_at = (uint32_t)(val & 0xff) * 3;
        break;
    case DAFB_LUT:
        s->palette[s->lut_at] = (uint8_t)val;
        s->lut_at = (s->lut_at + 1) % sizeof(s->palette);
        s->all_dirty = true;
        break;
    default:
        if (addr < sizeof(s->ctrl) && size == 4) {
            s->ctrl[addr / 4] = (uint32_t)val;
        }
        break;
    }
    return MEM_OK;
}

static const MemOps regs_ops = {
    .read = regs_read_one, .write = regs_write_one, .order = MEM_BE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 4 },
};

/* ----------------------------------------------------------------------- device */

/* Black on white with one bit, else the Macintosh's usual order: white first, black last. Without a palette the table has
 * what each component becomes (gamma), at first itself. */
static void default_palette(MacFb *s)
{
    unsigned n = s->depth <= 8 ? 1u << s->depth : 256;

    for (unsigned i = 0; i < 256; i++) {
        if (s->depth > 8) {
            memset(&s->palette[i * 3], (int)i, 3);
            continue;
        }
        memset(&s->palette[i * 3], (int)(255 - MIN(i, n - 1) * 255 / (n - 1)), 3);
    }
}

static void macfb_reset_hold(Device *dev)
{
    MacFb *s = MACFB(dev);

    default_palette(s);
    memset(s->ctrl, 0, sizeof(s->ctrl));
    s->lut_at = 0;
    s->intr_mask = s->intr_stat = 0;
    timer_del(&s->vbl);
    memset(memory_region_ram_ptr(&s->vram), 0, MACFB_VRAM_SIZE);
    s->all_dirty = true;
    update_irq(s);
}

static void macfb_init(Device *dev)
{
    device_init_irq_out(dev, "irq", &MACFB(dev)->irq, 1);
}

static bool macfb_realize(Device *dev, Error **errp)
{
    MacFb *s = MACFB(dev);
    bool known = s->depth == 1 || s->depth == 2 || s->depth == 4 || s->depth == 8 || s->depth == 16 ||
                 s->depth == 24;

    s->stride = s->depth == 24 ? s->width * 4 : s->width * s->depth / 8;
    if (!known || s->width < 64 || s->height < 64 || s->width % 32 ||
        (uint64_t)s->stride * s->height > MACFB_VRAM_SIZE) {
        error_setf(errp, ERR_PROPERTY_RANGE, "a mode of %ux%u with %u bits a pixel isn't there",
                   s->width, s->height, s->depth);
        error_hint(errp, "depths: 1, 2, 4, 8, 16, 24; widths: multiples of 32; 4 MiB of video memory");
        return false;
    }
    if (!memory_region_init_ram(&s->vram, s, "macfb.vram", MACFB_VRAM_SIZE, errp)) {
        return false;
    }
    memory_region_set_log(&s->vram, true, RAM_DIRTY_DISPLAY);
    memory_region_init_io(&s->regs, s, &regs_ops, s, "macfb.regs", MACFB_REGS_SIZE);
    timer_init_ns(&s->vbl, CLOCK_VIRTUAL, vbl_tick, s);
    s->con = console_new(&dev->obj, 0, &console_ops, s);
    console_set_size(s->con, (int)s->width, (int)s->height);
    default_palette(s);
    return true;
}

static void macfb_unrealize(Device *dev)
{
    MacFb *s = MACFB(dev);

    timer_del(&s->vbl);
    console_free(s->con);
    memory_region_cleanup(&s->regs);
    memory_region_cleanup(&s->vram);
}

MemRegion *macfb_vram(Device *dev)
{
    return &MACFB(dev)->vram;
}

MemRegion *macfb_regs(Device *dev)
{
    return &MACFB(dev)->regs;
}

void macfb_mode(Device *dev, uint32_t *width, uint32_t *height, uint32_t *depth, uint32_t *stride)
{
    const MacFb *s = MACFB(dev);

    *width = s->width;
    *height = s->height;
    *depth = s->depth == 24 ? 32 : s->depth;
    *stride = s->stride;
}

static bool macfb_post_load(void *opaque, Error **errp)
{
    MacFb *s = opaque;

    if (s->lut_at >= sizeof(s->palette)) {
        error_setf(errp, ERR_STATE_INVALID, "palette index %u is out of range", s->lut_at);
        return false;
    }
    s->intr_mask &= INTR_VBL;
    s->all_dirty = true;
    update_irq(s);
    return true;
}

static const VmField macfb_fields[] = {
    VM_BUFFER(MacFb, palette), VM_U32(MacFb, lut_at), VM_U32_ARRAY(MacFb, ctrl),
    VM_U32(MacFb, intr_mask), VM_U32(MacFb, intr_stat), VM_TIMER(MacFb, vbl), VM_END
};

static const Property macfb_props[] = {
    PROP_U32_RANGE("width", MacFb, width, 640, 64, 2048, "pixels a line"),
    PROP_U32_RANGE("height", MacFb, height, 480, 64, 2048, "lines"),
    PROP_U32_RANGE("depth", MacFb, depth, 8, 1, 24, "bits a pixel: 1, 2, 4, 8, 16, 24"),
    PROP_END
};

static const VmMeaning macfb_meanings[] = {
    { "lut_at", "byte of the palette that comes next" },
    { "intr_mask", "interrupts that are enabled", .flags = FLAGS({ "VBL", 4 }) },
    { "intr_stat", "interrupts that are pending", .flags = FLAGS({ "VBL", 4 }) },
    { "palette", .payload = "colours, three bytes each" },
    { "ctrl", "the first 256 bytes of registers, as they were written" },
    { .name = NULL }
};

static const DeviceType macfb_type = {
    .name = TYPE_MACFB, .size = sizeof(MacFb), .desc = "Macintosh frame buffer",
    .category = DEVICE_DISPLAY, .not_user_creatable = true, .props = macfb_props, .init = macfb_init,
    .realize = macfb_realize, .unrealize = macfb_unrealize, .reset_hold = macfb_reset_hold,
    .vm = { 1, macfb_fields, .post_load = macfb_post_load, .meanings = macfb_meanings },
};
DEVICE_TYPE(macfb_type)
