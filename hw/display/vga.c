/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VGA: sequencer, graphics controller, CRT controller, attribute controller, DAC
 * (PS/2 TR), and the memory window through the planes. Not modelled: light pen, timing
 * of the beam but for the retrace bits, which change as they are read.
 */
#include "util/osdep.h"
#include "hw/display/vga.h"
#include "util/log.h"

enum { SEQ_MAP_MASK = 2, SEQ_FONT = 3, SEQ_MODE = 4 };
enum { GFX_SET_RESET = 0, GFX_ENABLE_SR = 1, GFX_COMPARE = 2, GFX_ROTATE = 3, GFX_READ_MAP = 4,
       GFX_MODE = 5, GFX_MISC = 6, GFX_DONT_CARE = 7, GFX_BIT_MASK = 8 };
enum { SEQ_MODE_ODD_EVEN_OFF = 4, SEQ_MODE_CHAIN4 = 8 };

/* Writable bits (PS/2 TR). */
static const uint8_t seq_mask[8] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0xff };
static const uint8_t gfx_mask[16] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };

/* --- memory --- */

/* Vertical slices of 32 bits: byte n belongs to plane n. */
static const uint32_t plane_mask[16] = {
    0x00000000, 0x000000ff, 0x0000ff00, 0x0000ffff, 0x00ff0000, 0x00ff00ff, 0x00ffff00,
    0x00ffffff, 0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff, 0xffff0000, 0xffff00ff,
    0xffffff00, 0xffffffff,
};

/* Offset in the window to address in memory; false: outside of the mapped part (GFX_MISC). */
static bool window_address(const VgaState *s, hwaddr *addr)
{
    switch (s->gfx[GFX_MISC] >> 2 & 3) {
    case 0:
        break;
    case 1:
        if (*addr >= 0x10000) {
            return false;
        }
        *addr += (uint32_t)s->dispi[DISPI_BANK] << 16;
        break;
    case 2:
        *addr -= 0x10000;
        return *addr < 0x8000;
    default:
        *addr -= 0x18000;
        return *addr < 0x8000;
    }
    return true;
}

static uint32_t get_latch(const VgaState *s)
{
    return s->latch[0] | s->latch[1] << 8 | s->latch[2] << 16 | (uint32_t)s->latch[3] << 24;
}

static uint8_t window_get(VgaState *s, hwaddr addr)
{
    uint32_t at;

    if (!window_address(s, &addr)) {
        return 0xff;
    }
    if (s->seq[SEQ_MODE] & SEQ_MODE_CHAIN4) {
        return addr < s->ram_size ? s->ram[addr] : 0xff;
    }
    if (s->gfx[GFX_MODE] & 0x10) {                      /* odd/even */
        unsigned plane = (s->gfx[GFX_READ_MAP] & 2) | (addr & 1);

        at = (addr & ~1ull) * 4 + plane;
        return at < s->ram_size ? s->ram[at] : 0xff;
    }
    at = addr * 4;
    if (at >= s->ram_size) {
        return 0xff;
    }
    memcpy(s->latch, s->ram + at, 4);
    if (s->gfx[GFX_MODE] & 8) {                         /* read mode 1: colour compare */
        uint32_t care = plane_mask[s->gfx[GFX_DONT_CARE] & 15];
        uint32_t x = (get_latch(s) ^ plane_mask[s->gfx[GFX_COMPARE] & 15]) & care;

        x |= x >> 16;
        x |= x >> 8;
        return ~x;
    }
    return s->latch[s->gfx[GFX_READ_MAP] & 3];
}

static void wrote(VgaState *s, uint32_t at, uint32_t len)
{
    memory_region_set_dirty(&s->vram, at, len);
}

static uint32_t logic(const VgaState *s, uint32_t val)
{
    switch (s->gfx[GFX_ROTATE] >> 3 & 3) {
    case 1: return val & get_latch(s);
    case 2: return val | get_latch(s);
    case 3: return val ^ get_latch(s);
    default: return val;
    }
}

static void planar_put(VgaState *s, uint32_t at, uint8_t byte)
{
    uint32_t bits = s->gfx[GFX_BIT_MASK], val, map = plane_mask[s->seq[SEQ_MAP_MASK] & 15];
    uint32_t set = plane_mask[s->gfx[GFX_SET_RESET] & 15];
    unsigned rotate = s->gfx[GFX_ROTATE] & 7, mode = s->gfx[GFX_MODE] & 3;

    if (mode == 0 || mode == 3) {
        byte = byte >> rotate | byte << (8 - rotate);
    }
    switch (mode) {
    case 0: {
        uint32_t enable = plane_mask[s->gfx[GFX_ENABLE_SR] & 15];

        val = logic(s, (byte * 0x01010101u & ~enable) | (set & enable));
        break;
    }
    case 1:
        val = get_latch(s);
        bits = 0xff;
        break;
    case 2:
        val = logic(s, plane_mask[byte & 15]);
        break;
    default:
        bits &= byte;
        val = logic(s, set);
    }
    bits *= 0x01010101u;
    val = (val & bits) | (get_latch(s) & ~bits);
    for (int p = 0; p < 4; p++) {
        if (map >> (8 * p) & 1) {
            s->ram[at + p] = val >> (8 * p);
        }
    }
    wrote(s, at, 4);
}

static void window_put(VgaState *s, hwaddr addr, uint8_t byte)
{
    uint32_t at;

    if (!window_address(s, &addr)) {
        return;
    }
    if (s->seq[SEQ_MODE] & SEQ_MODE_CHAIN4) {
        if (addr < s->ram_size && (s->seq[SEQ_MAP_MASK] & BIT(addr & 3))) {
            s->ram[addr] = byte;
            wrote(s, addr, 1);
        }
        return;
    }
    if (s->gfx[GFX_MODE] & 0x10) {
        unsigned plane = (s->gfx[GFX_READ_MAP] & 2) | (addr & 1);

        at = (addr & ~1ull) * 4 + plane;
        if (at < s->ram_size && (s->seq[SEQ_MAP_MASK] & BIT(plane))) {
            s->ram[at] = byte;
            wrote(s, at, 1);
        }
        return;
    }
    at = addr * 4;
    if (at < s->ram_size) {
        planar_put(s, at, byte);
    }
}

static MemResult window_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                             UNUSED MemAttrs attrs)
{
    *val = window_get(opaque, addr);
    return MEM_OK;
}

static MemResult window_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                              UNUSED MemAttrs attrs)
{
    window_put(opaque, addr, val);
    return MEM_OK;
}

static const MemOps window_ops = {
    .read = window_read, .write = window_write, .order = MEM_LE, .valid = { 1, 8 },
    .impl = { 1, 1 },
};

/* --- ports --- */

static void attr_write(VgaState *s, uint8_t val)
{
    unsigned i = s->attr_index & 31;

    if (!s->attr_data) {
        s->attr_index = val & 0x3f;
    } else if (i < 0x15) {
        s->attr[i] = i < 16 ? val & 0x3f : val;
        s->all_dirty = true;
    }
    s->attr_data = !s->attr_data;
}

static void dac_data_write(VgaState *s, uint8_t val)
{
    s->dac_latch[s->dac_sub++] = val;
    if (s->dac_sub == 3) {
        memcpy(&s->palette[s->dac_write * 3], s->dac_latch, 3);
        s->dac_sub = 0;
        s->dac_write++;
        s->all_dirty = true;
    }
}

static uint8_t dac_data_read(VgaState *s)
{
    uint8_t v = s->palette[s->dac_read * 3 + s->dac_sub];

    if (++s->dac_sub == 3) {
        s->dac_sub = 0;
        s->dac_read++;
    }
    return v;
}

/* CR11 bit 7 protects CR0 to CR7, but for the line compare bit in CR7. */
static void crtc_write(VgaState *s, uint8_t val)
{
    unsigned i = s->crtc_index;

    if ((s->crtc[0x11] & 0x80) && i <= 7) {
        if (i == 7) {
            s->crtc[7] = (s->crtc[7] & ~0x10) | (val & 0x10);
        }
        return;
    }
    if (i <= 0x18) {
        s->crtc[i] = val;
        if (i != 0x0e && i != 0x0f) {
            s->all_dirty = true;
        }
    }
}

/* Retrace comes and goes as a program polls for it. */
static uint8_t status1_read(VgaState *s)
{
    s->attr_data = false;
    s->status1 ^= 0x09;
    return s->status1;
}

static bool decodes(const VgaState *s, uint16_t port)
{
    bool color = s->misc & 1;

    return !((port >= 0x3b0 && port <= 0x3bf && color) || (port >= 0x3d0 && !color));
}

uint8_t vga_port_read(VgaState *s, uint16_t port)
{
    if (!decodes(s, port)) {
        return 0xff;
    }
    switch (port) {
    case 0x3c0: return s->attr_data ? 0 : s->attr_index;
    case 0x3c1: return (s->attr_index & 31) < 0x15 ? s->attr[s->attr_index & 31] : 0;
    case 0x3c2: return 0x10;                            /* sense: a colour monitor */
    case 0x3c4: return s->seq_index;
    case 0x3c5: return s->seq[s->seq_index & 7];
    case 0x3c6: return s->dac_mask;
    case 0x3c7: return s->dac_reading ? 3 : 0;
    case 0x3c8: return s->dac_write;
    case 0x3c9: return dac_data_read(s);
    case 0x3ca: return s->feature;
    case 0x3cc: return s->misc;
    case 0x3ce: return s->gfx_index;
    case 0x3cf: return s->gfx[s->gfx_index & 15];
    case 0x3b4: case 0x3d4: return s->crtc_index;
    case 0x3b5: case 0x3d5: return s->crtc[s->crtc_index];
    case 0x3ba: case 0x3da: return status1_read(s);
    default: return 0xff;
    }
}

void vga_port_write(VgaState *s, uint16_t port, uint8_t val)
{
    if (!decodes(s, port)) {
        return;
    }
    switch (port) {
    case 0x3c0:
        attr_write(s, val);
        break;
    case 0x3c2:
        s->misc = val & ~0x10;
        break;
    case 0x3c4:
        s->seq_index = val & 7;
        break;
    case 0x3c5:
        s->seq[s->seq_index & 7] = val & seq_mask[s->seq_index & 7];
        s->all_dirty = true;
        break;
    case 0x3c6:
        s->dac_mask = val;
        s->all_dirty = true;
        break;
    case 0x3c7:
        s->dac_read = val;
        s->dac_sub = 0;
        s->dac_reading = true;
        break;
    case 0x3c8:
        s->dac_write = val;
        s->dac_sub = 0;
        s->dac_reading = false;
        break;
    case 0x3c9:
        dac_data_write(s, val);
        break;
    case 0x3ce:
        s->gfx_index = val & 15;
        break;
    case 0x3cf:
        s->gfx[s->gfx_index & 15] = val & gfx_mask[s->gfx_index & 15];
        s->all_dirty = true;
        break;
    case 0x3b4: case 0x3d4:
        s->crtc_index = val;
        break;
    case 0x3b5: case 0x3d5:
        crtc_write(s, val);
        break;
    case 0x3ba: case 0x3da:
        s->feature = val & 0x10;
        break;
    default:
        break;
    }
}

/* The three regions begin at 3B0h, 3C0h, 3D0h: one set of callbacks with the base in the address. */
#define PORTS(name, base) \
static MemResult name##_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size, \
                             UNUSED MemAttrs attrs) \
{ \
    *val = vga_port_read(opaque, (base) + addr); \
    return MEM_OK; \
} \
static MemResult name##_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size, \
                              UNUSED MemAttrs attrs) \
{ \
    vga_port_write(opaque, (base) + addr, val); \
    return MEM_OK; \
} \
static const MemOps name##_ops = { \
    .read = name##_read, .write = name##_write, .order = MEM_LE, .valid = { 1, 4 }, \
    .impl = { 1, 1 }, \
};
PORTS(mono, 0x3b4)
PORTS(main, 0x3c0)
PORTS(color, 0x3d4)

/* --- Bochs' DISPI --- */

uint16_t dispi_read(VgaState *s, unsigned index)
{
    if (index >= DISPI_NUM) {
        return 0;
    }
    if (s->dispi[DISPI_ENABLE] & DISPI_GETCAPS) {
        switch (index) {
        case DISPI_XRES: return DISPI_MAX_XRES;
        case DISPI_YRES: return DISPI_MAX_YRES;
        case DISPI_BPP: return 32;
        default: break;
        }
    }
    return index == DISPI_VIDEO_MEMORY_64K ? s->ram_size >> 16 : s->dispi[index];
}

/* The sizes that go together: what doesn't fit into memory is cut. */
static void dispi_fix(VgaState *s)
{
    uint16_t *d = s->dispi;
    uint32_t stride, bytes = (d[DISPI_BPP] + 7u) / 8;

    if (d[DISPI_BPP] != 4 && d[DISPI_BPP] != 8 && d[DISPI_BPP] != 15 && d[DISPI_BPP] != 16 &&
        d[DISPI_BPP] != 24 && d[DISPI_BPP] != 32) {
        d[DISPI_BPP] = 8;
        bytes = 1;
    }
    d[DISPI_XRES] = MAX(8, MIN(d[DISPI_XRES] & ~7, DISPI_MAX_XRES));
    d[DISPI_VIRT_WIDTH] = MAX(d[DISPI_VIRT_WIDTH] & ~7, d[DISPI_XRES]);
    if ((uint32_t)d[DISPI_VIRT_WIDTH] * bytes > s->ram_size) {
        d[DISPI_VIRT_WIDTH] = d[DISPI_XRES] = s->ram_size / bytes & ~7u;
    }
    stride = MAX(dispi_stride(s), 1);
    d[DISPI_YRES] = MAX(1, MIN(d[DISPI_YRES], MIN(s->ram_size / stride, DISPI_MAX_YRES)));
    d[DISPI_VIRT_HEIGHT] = MIN(s->ram_size / stride, UINT16_MAX);
    if ((uint64_t)d[DISPI_Y_OFFSET] * stride + (uint64_t)d[DISPI_X_OFFSET] * bytes +
        (uint64_t)d[DISPI_YRES] * stride > s->ram_size) {
        d[DISPI_X_OFFSET] = d[DISPI_Y_OFFSET] = 0;
    }
}

static void dispi_enable(VgaState *s, uint16_t val)
{
    bool was = dispi_on(s);

    s->dispi[DISPI_ENABLE] = val;
    s->dispi[DISPI_BANK] = 0;
    if (!dispi_on(s) || was) {
        dispi_fix(s);
        return;
    }
    s->dispi[DISPI_VIRT_WIDTH] = s->dispi[DISPI_XRES];
    s->dispi[DISPI_X_OFFSET] = s->dispi[DISPI_Y_OFFSET] = 0;
    dispi_fix(s);
    if (!(val & DISPI_NOCLEAR)) {
        uint32_t n = dispi_stride(s) * s->dispi[DISPI_YRES];

        memset(s->ram, 0, n);
        wrote(s, 0, n);
    }
    /* The window shows banks of 64 KiB, linear. */
    s->gfx[GFX_MISC] = (s->gfx[GFX_MISC] & ~0x0c) | 0x05;
    s->seq[SEQ_MODE] |= s->dispi[DISPI_BPP] != 4 ? SEQ_MODE_CHAIN4 : 0;
    s->seq[SEQ_MAP_MASK] |= 15;
}

void dispi_write(VgaState *s, unsigned index, uint16_t val)
{
    if (index >= DISPI_NUM || index == DISPI_VIDEO_MEMORY_64K || index == DISPI_VIRT_HEIGHT) {
        return;
    }
    switch (index) {
    case DISPI_ID:
        if (val >= 0xb0c0 && val <= DISPI_ID_MAX) {
            s->dispi[DISPI_ID] = val;
        }
        return;
    case DISPI_ENABLE:
        dispi_enable(s, val);
        break;
    case DISPI_BANK:
        s->dispi[index] = MIN(val, (s->ram_size >> 16) - 1);
        return;
    default:
        s->dispi[index] = val;
        if (dispi_on(s)) {
            dispi_fix(s);
        }
    }
    s->all_dirty = true;
}

static MemResult dispi_port_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                                 UNUSED MemAttrs attrs)
{
    VgaState *s = opaque;

    *val = addr == 0 ? s->dispi_index : dispi_read(s, s->dispi_index);
    return MEM_OK;
}

static MemResult dispi_port_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                                  UNUSED MemAttrs attrs)
{
    VgaState *s = opaque;

    if (addr == 0) {
        s->dispi_index = val;
    } else {
        dispi_write(s, s->dispi_index, val);
    }
    return MEM_OK;
}

/* Index at 1CEh; data at 1CFh, and aligned at 1D0h. */
static const MemOps dispi_port_ops = {
    .read = dispi_port_read, .write = dispi_port_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { 1, 2, true },
};

/* --- set-up --- */

static const ConsoleOps console_ops = { .update = vga_update, .invalidate = vga_invalidate, .text = vga_text };

bool vga_init(VgaState *s, Device *owner, uint32_t mib, Error **errp)
{
    s->ram_size = mib << 20;
    if (!memory_region_init_ram(&s->vram, owner, "vga.vram", s->ram_size, errp)) {
        return false;
    }
    s->ram = memory_region_ram_ptr(&s->vram);
    memory_region_set_log(&s->vram, true, RAM_DIRTY_DISPLAY);
    memory_region_init_io(&s->window, owner, &window_ops, s, "vga-lowmem", 0x20000);
    memory_region_init_io(&s->ports_mono, owner, &mono_ops, s, "vga-mono", 7);
    memory_region_init_io(&s->ports, owner, &main_ops, s, "vga", 16);
    memory_region_init_io(&s->ports_color, owner, &color_ops, s, "vga-color", 7);
    memory_region_init_io(&s->dispi_ports, owner, &dispi_port_ops, s, "vbe", 3);
    s->con = console_new(&owner->obj, 0, &console_ops, s);
    return true;
}

void vga_map_legacy(VgaState *s, MemRegion *mem, MemRegion *io)
{
    memory_region_add_overlap(mem, 0xa0000, &s->window, 1);
    memory_region_add(io, 0x3b4, &s->ports_mono);
    memory_region_add(io, 0x3c0, &s->ports);
    memory_region_add(io, 0x3d4, &s->ports_color);
    memory_region_add(io, 0x1ce, &s->dispi_ports);
}

void vga_cleanup(VgaState *s)
{
    console_free(s->con);
    s->con = NULL;
    memory_region_cleanup(&s->window);
    memory_region_cleanup(&s->ports_mono);
    memory_region_cleanup(&s->ports);
    memory_region_cleanup(&s->ports_color);
    memory_region_cleanup(&s->dispi_ports);
    memory_region_cleanup(&s->vram);
}

void vga_reset(VgaState *s)
{
    s->misc = s->feature = s->status1 = 0;
    s->seq_index = s->gfx_index = s->crtc_index = s->attr_index = 0;
    s->attr_data = s->dac_reading = false;
    memset(s->seq, 0, sizeof(s->seq));
    memset(s->gfx, 0, sizeof(s->gfx));
    memset(s->crtc, 0, sizeof(s->crtc));
    memset(s->attr, 0, sizeof(s->attr));
    memset(s->palette, 0, sizeof(s->palette));
    memset(s->latch, 0, sizeof(s->latch));
    memset(s->dispi, 0, sizeof(s->dispi));
    s->dac_mask = 0xff;
    s->dac_read = s->dac_write = s->dac_sub = 0;
    s->dispi_index = 0;
    s->dispi[DISPI_ID] = DISPI_ID_MAX;
    s->gfx[GFX_BIT_MASK] = 0xff;
    s->all_dirty = true;
}

static bool vga_post_load(void *opaque, UNUSED Error **errp)
{
    VgaState *s = opaque;

    /* Indices and sizes are cut as they are when registers are written. */
    s->seq_index &= 7;
    s->gfx_index &= 15;
    s->dac_sub %= 3;
    if (dispi_on(s)) {
        dispi_fix(s);
    }
    s->dispi[DISPI_BANK] = MIN(s->dispi[DISPI_BANK], (s->ram_size >> 16) - 1);
    s->all_dirty = true;
    return true;
}

static const VmField vga_fields[] = {
    VM_U8(VgaState, misc), VM_U8(VgaState, feature), VM_U8(VgaState, status1),
    VM_U8(VgaState, seq_index), VM_U8(VgaState, gfx_index), VM_U8(VgaState, crtc_index),
    VM_U8(VgaState, attr_index), VM_BOOL(VgaState, attr_data), VM_BUFFER(VgaState, seq),
    VM_BUFFER(VgaState, gfx), VM_BUFFER(VgaState, crtc), VM_BUFFER(VgaState, attr),
    VM_U8(VgaState, dac_mask), VM_U8(VgaState, dac_read), VM_U8(VgaState, dac_write),
    VM_U8(VgaState, dac_sub), VM_BOOL(VgaState, dac_reading), VM_BUFFER(VgaState, dac_latch),
    VM_BUFFER(VgaState, palette), VM_BUFFER(VgaState, latch), VM_U16(VgaState, dispi_index),
    VM_U16_ARRAY(VgaState, dispi), VM_END
};
static const VmMeaning vga_meanings[] = {
    { "feature", "feature control" },
    { "status1", "input status 1", .flags = FLAGS({ "DISPLAY_DISABLED", 1 }, { "VRETRACE", 8 }) },
    { "seq_index", "register of the sequencer that is reached" }, { "gfx_index", "register of the graphics controller" },
    { "crtc_index", "register of the CRT controller" }, { "attr_index", "register of the attribute controller" },
    { "dac_mask", "PEL mask" }, { "dac_read", "colour that is read next" }, { "dac_write", "colour that is written next" },
    { "dac_sub", "red, green or blue of it" },
    { "dispi_index", "register of DISPI that is reached" },
    { "misc", "miscellaneous output", .flags = FLAGS({ "COLOR", 1 }, { "RAM", 2 }, { "CLOCK", 0x0c }, { "HSYNC", 0x40 },
                                                     { "VSYNC", 0x80 }) },
    { "seq", "sequencer", ELEMENTS("Reset", "Clocking Mode", "Map Mask", "Character Map Select", "Memory Mode") },
    { "gfx", "graphics controller", ELEMENTS("Set/Reset", "Enable Set/Reset", "Color Compare", "Data Rotate",
      "Read Map Select", "Graphics Mode", "Miscellaneous", "Color Don't Care", "Bit Mask") },
    { "crtc", "CRT controller", ELEMENTS("Horizontal Total", "Horizontal Display End", "Start Horizontal Blanking",
      "End Horizontal Blanking", "Start Horizontal Retrace", "End Horizontal Retrace", "Vertical Total", "Overflow",
      "Preset Row Scan", "Maximum Scan Line", "Cursor Start", "Cursor End", "Start Address High",
      "Start Address Low", "Cursor Location High", "Cursor Location Low", "Vertical Retrace Start",
      "Vertical Retrace End", "Vertical Display End", "Offset", "Underline Location", "Start Vertical Blanking",
      "End Vertical Blanking", "CRTC Mode Control", "Line Compare") },
    { "attr", "attribute controller", ELEMENTS("Palette 0", "Palette 1", "Palette 2", "Palette 3", "Palette 4",
      "Palette 5", "Palette 6", "Palette 7", "Palette 8", "Palette 9", "Palette 10", "Palette 11", "Palette 12",
      "Palette 13", "Palette 14", "Palette 15", "Mode Control", "Overscan Color", "Color Plane Enable",
      "Horizontal Pixel Panning", "Color Select") },
    { "dac_latch", "colour that is being written", ELEMENTS("red", "green", "blue") },
    { "palette", .payload = "colours of the DAC, three bytes each" },
    { "latch", "of the planes", ELEMENTS("plane 0", "plane 1", "plane 2", "plane 3") },
    { "dispi", "VBE registers", ELEMENTS("ID", "XRES", "YRES", "BPP", "ENABLE", "BANK", "VIRT_WIDTH", "VIRT_HEIGHT",
      "X_OFFSET", "Y_OFFSET", "VIDEO_MEMORY_64K") },
    { .name = NULL }
};
const VmState vga_vm = { 1, vga_fields, .post_load = vga_post_load, .meanings = vga_meanings };
