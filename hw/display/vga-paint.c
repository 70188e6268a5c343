/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From VGA memory to the surface: text, planar and linear modes (PS/2 TR), DISPI modes. Text is
 * compared cell by cell with what was painted; pictures use the dirty bits of memory.
 */
#include "util/osdep.h"
#include "hw/display/vga.h"
#include "util/bswap.h"
#include "util/timer.h"

enum { MODE_BLANK = 1, MODE_TEXT, MODE_PLANAR, MODE_CGA, MODE_LINEAR8, MODE_DISPI };

static void make_colors(VgaState *s, bool text16)
{
    bool wide = s->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC;

    for (unsigned i = 0; i < (text16 ? 16 : 256); i++) {
        unsigned n = i;
        const uint8_t *p;

        if (text16) {
            n = s->attr[i] & 0x3f;
            n = s->attr[0x10] & 0x80 ? (s->attr[0x14] & 15) << 4 | (n & 15)
                                     : (s->attr[0x14] & 12) << 4 | n;
        }
        p = &s->palette[(n & s->dac_mask) * 3];
        s->colors[i] = wide ? (uint32_t)p[0] << 16 | p[1] << 8 | p[2]
                            : (uint32_t)(p[0] << 2 | p[0] >> 4) << 16 |
                              (uint32_t)(uint8_t)(p[1] << 2 | p[1] >> 4) << 8 |
                              (uint8_t)(p[2] << 2 | p[2] >> 4);
    }
}

unsigned vga_lines(const VgaState *s)
{
    return (s->crtc[0x12] | (s->crtc[7] & 2) << 7 | (s->crtc[7] & 0x40) << 3) + 1;
}

static uint32_t start_address(const VgaState *s)
{
    return s->crtc[0x0c] << 8 | s->crtc[0x0d];
}

static uint32_t line_offset(const VgaState *s)
{
    return s->crtc[0x13] * 2u;
}

/* A new mode or place in memory: everything is painted. True if so. @lend: memory is painted already. */
static bool changed_mode(VgaState *s, uint32_t mode, uint32_t start, uint32_t stride, int w, int h, bool lend)
{
    bool all = s->all_dirty || s->painted_mode != mode || s->painted_start != start ||
               s->painted_stride != stride || console_width(s->con) != w ||
               console_height(s->con) != h;

    s->painted_mode = mode;
    s->painted_start = start;
    s->painted_stride = stride;
    s->all_dirty = false;
    if (lend) {
        console_lend(s->con, s->ram + start, w, h, stride);
    } else {
        console_set_size(s->con, w, h);
    }
    return all;
}

static void paint_blank(VgaState *s)
{
    int w = console_width(s->con), h = console_height(s->con);

    if (!changed_mode(s, MODE_BLANK, 0, 0, w, h, false)) {
        return;
    }
    for (int y = 0; y < h; y++) {
        memset(console_line(s->con, y), 0, 4 * (size_t)w);
    }
    console_damage(s->con, 0, 0, w, h);
}

/* --- text --- */

static uint32_t byte_at(const VgaState *s, uint32_t at)
{
    return s->ram[at & (s->ram_size - 1)];
}

/* Glyphs are in plane 2, 32 bytes each; sequencer register 3 picks two sets of eight. */
static void paint_cell(VgaState *s, int x, int y, uint32_t cell, int cw, int ch, bool cursor)
{
    static const uint16_t sets[] = { 0, 0x4000, 0x8000, 0xc000, 0x2000, 0x6000, 0xa000, 0xe000 };
    uint8_t code = cell, attr = cell >> 8, map = s->seq[3];
    unsigned set_a = (map >> 2 & 3) | (map >> 3 & 4), set_b = (map & 3) | (map >> 2 & 4);
    uint32_t font = sets[attr & 8 ? set_a : set_b] + code * 32u;
    bool blink = s->attr[0x10] & 8, nine = cw == 9;
    uint32_t fg = s->colors[attr & 15], bg = s->colors[attr >> 4 & (blink ? 7 : 15)];
    unsigned first = s->crtc[0x0a] & 31, last = s->crtc[0x0b] & 31;

    for (int line = 0; line < ch; line++) {
        uint8_t bits = byte_at(s, (font + line) * 4 + 2);
        uint32_t *p = console_line(s->con, y * ch + line) + x * cw;

        if (cursor && (unsigned)line >= first && (unsigned)line <= last) {
            bits = 0xff;
        }
        for (int i = 0; i < 8; i++) {
            p[i] = bits & 0x80 >> i ? fg : bg;
        }
        if (nine) {
            /* Box characters go on into the ninth column (attribute mode bit 2). */
            bool box = (s->attr[0x10] & 4) && code >= 0xc0 && code <= 0xdf;

            p[8] = box && (bits & 1) ? fg : bg;
        }
    }
}

static bool font_changed(VgaState *s)
{
    /* Glyphs are all in the first 256 KiB; a sum is cheaper than telling them from text. */
    uint32_t sum = 0;

    for (uint32_t i = 0; i < 0x10000; i++) {
        sum = (sum << 1 | sum >> 31) ^ s->ram[i * 4 + 2];
    }
    if (sum != s->last_font) {
        s->last_font = sum;
        return true;
    }
    return false;
}

static void paint_text(VgaState *s)
{
    VgaTextLayout l = vga_text_layout(s);
    int cw = l.cell_w, ch = l.cell_h, cols = l.cols, rows = l.rows;
    uint32_t cursor = s->crtc[0x0e] << 8 | s->crtc[0x0f];
    bool blink_on = clock_get_ms(CLOCK_RT) / 266 & 1;
    bool cursor_on = !(s->crtc[0x0a] & 0x20) && blink_on, all;
    int x0 = INT32_MAX, y0 = INT32_MAX, x1 = -1, y1 = -1;

    all = changed_mode(s, MODE_TEXT, l.start, l.stride, cols * cw, rows * ch, false);
    all |= font_changed(s);
    make_colors(s, true);
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < cols; x++) {
            uint32_t at = l.start + y * l.stride + x;
            uint32_t cell = byte_at(s, at * 8) | byte_at(s, at * 8 + 1) << 8;
            bool cur = cursor_on && at == cursor;

            cell |= (uint32_t)cur << 16;
            if (!all && s->last_text[y * cols + x] == cell) {
                continue;
            }
            s->last_text[y * cols + x] = cell;
            paint_cell(s, x, y, cell, cw, ch, cur);
            x0 = MIN(x0, x);
            x1 = MAX(x1, x);
            y0 = MIN(y0, y);
            y1 = MAX(y1, y);
        }
    }
    if (y1 >= 0) {
        console_damage(s->con, x0 * cw, y0 * ch, (x1 - x0 + 1) * cw, (y1 - y0 + 1) * ch);
    }
}

/* --- pictures --- */

typedef void LineFn(VgaState *s, uint32_t at, uint32_t *out, int w);

static void line_planar(VgaState *s, uint32_t at, uint32_t *out, int w)
{
    for (int x = 0; x < w; x++) {
        uint32_t a = at + (x >> 3) * 4;
        unsigned bit = 7 - (x & 7), n = 0;

        for (int p = 0; p < 4; p++) {
            n |= (byte_at(s, a + p) >> bit & 1) << p;
        }
        out[x] = s->colors[n & s->attr[0x12] & 15];
    }
}

/* Two bits a pixel, in planes 0 and 1 by turns (CGA modes 4 and 5). */
static void line_cga(VgaState *s, uint32_t at, uint32_t *out, int w)
{
    for (int x = 0; x < w; x++) {
        uint32_t a = at + (x >> 3) * 4 + (x >> 2 & 1);

        out[x] = s->colors[byte_at(s, a) >> (6 - 2 * (x & 3)) & 3];
    }
}

static void line_8(VgaState *s, uint32_t at, uint32_t *out, int w)
{
    for (int x = 0; x < w; x++) {
        out[x] = s->colors[byte_at(s, at + x)];
    }
}

static void line_15(VgaState *s, uint32_t at, uint32_t *out, int w)
{
    for (int x = 0; x < w; x++) {
        uint32_t v = byte_at(s, at + 2 * x) | byte_at(s, at + 2 * x + 1) << 8;
        uint32_t r = v >> 10 & 31, g = v >> 5 & 31, b = v & 31;

        out[x] = (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
    }
}

static void line_16(VgaState *s, uint32_t at, uint32_t *out, int w)
{
    for (int x = 0; x < w; x++) {
        uint32_t v = byte_at(s, at + 2 * x) | byte_at(s, at + 2 * x + 1) << 8;
        uint32_t r = v >> 11, g = v >> 5 & 63, b = v & 31;

        out[x] = (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | (b << 3 | b >> 2);
    }
}

static void line_24(VgaState *s, uint32_t at, uint32_t *out, int w)
{
    for (int x = 0; x < w; x++) {
        out[x] = byte_at(s, at + 3 * x) | byte_at(s, at + 3 * x + 1) << 8 |
                 byte_at(s, at + 3 * x + 2) << 16;
    }
}

/* The common one; console_lend() does without where it can. */
static void line_32(VgaState *s, uint32_t at, uint32_t *out, int w)
{
    for (int x = 0; x < w; x++) {
        out[x] = load_le32(s->ram + ((at + 4 * x) & (s->ram_size - 1) & ~3u)) & 0xffffff;
    }
}

/* Lines of four bytes a pixel can be shown where they are. */
static bool can_lend(const VgaState *s, LineFn *fn, uint32_t start, uint32_t stride, int w, int h)
{
    return fn == line_32 && !HOST_BIG_ENDIAN && w > 0 && h > 0 && w <= CONSOLE_MAX_WIDTH && h <= CONSOLE_MAX_HEIGHT &&
           start % 4 == 0 && stride % 4 == 0 && stride >= 4u * w &&
           start + (uint64_t)(h - 1) * stride + 4u * w <= s->ram_size;
}

static void paint_line(VgaState *s, LineFn *fn, uint32_t at, int y, int w, int scale)
{
    uint32_t *first = console_line(s->con, y * scale);

    fn(s, at, first, w);
    for (int k = 1; k < scale; k++) {
        memcpy(console_line(s->con, y * scale + k), first, 4 * (size_t)w);
    }
}

/* Lines @scale times each; a line is painted when its bytes are dirty. */
static void paint_lines(VgaState *s, uint32_t mode, LineFn *fn, uint32_t start, uint32_t stride,
                        uint32_t bytes, int w, int h, int scale)
{
    bool lend = can_lend(s, fn, start, stride, w, h);
    bool all = changed_mode(s, mode, start, stride, w, h * scale, lend);
    uint64_t total = start < s->ram_size ? MIN((uint64_t)h * stride + bytes, (uint64_t)s->ram_size - start) : 0;
    /* Bits are clear before the bytes are read: what is written meanwhile is seen the next time. */
    RamDirtySnapshot *dirty = ram_dirty_snapshot(memory_region_ram_block(&s->vram), RAM_DIRTY_DISPLAY, start, total);
    int first = -1;

    for (int y = 0; y <= h; y++) {
        uint32_t at = start + y * stride;
        uint32_t len = at < s->ram_size ? MIN(bytes, s->ram_size - at) : 0;

        /* No memory for the bits: all may be. */
        if (y < h && (all || !dirty || ram_dirty_snapshot_get(dirty, at, len))) {
            if (!lend) {
                paint_line(s, fn, at, y, w, scale);
            }
            first = first < 0 ? y : first;
        } else if (first >= 0) {
            console_damage(s->con, 0, first * scale, w, (y - first) * scale);
            first = -1;
        }
    }
    ram_dirty_snapshot_free(dirty);
}

static void paint_dispi(VgaState *s)
{
    uint32_t bpp = s->dispi[DISPI_BPP], stride = dispi_stride(s);
    uint32_t start = s->dispi[DISPI_Y_OFFSET] * stride +
                     s->dispi[DISPI_X_OFFSET] * ((bpp + 7) / 8);
    int w = s->dispi[DISPI_XRES], h = s->dispi[DISPI_YRES];
    LineFn *fn = bpp == 4 ? line_planar : bpp == 8 ? line_8 : bpp == 15 ? line_15
                 : bpp == 16 ? line_16 : bpp == 24 ? line_24 : line_32;

    make_colors(s, bpp == 4);
    if (bpp == 4) {
        stride *= 4;
        start = s->dispi[DISPI_Y_OFFSET] * stride;
    }
    paint_lines(s, MODE_DISPI | bpp << 8, fn, start, stride, stride, w, h, 1);
}

static void paint_graphics(VgaState *s)
{
    int w = (s->crtc[1] + 1) * 8, lines = vga_lines(s);
    int scale = (s->crtc[9] & 0x80 ? 2 : 1) * ((s->crtc[9] & 31) + 1), h;
    uint32_t stride = line_offset(s) * 4, start = start_address(s) * 4;

    h = MAX(lines / scale, 1);
    if (s->gfx[5] & 0x40) {                             /* 256 colours, two clocks a pixel */
        make_colors(s, false);
        paint_lines(s, MODE_LINEAR8, line_8, start, stride, w / 2, w / 2, h, scale);
    } else if (s->gfx[5] & 0x20) {
        make_colors(s, true);
        paint_lines(s, MODE_CGA, line_cga, start, stride, w / 2, w, h, scale);
    } else {
        make_colors(s, true);
        paint_lines(s, MODE_PLANAR, line_planar, start, stride, w / 2, w, h, scale);
    }
}

VgaShows vga_shows(const VgaState *s)
{
    if (dispi_on(s) && !(s->only_32 && s->dispi[DISPI_BPP] != 32)) {
        return VGA_SHOWS_DISPI;
    }
    if (s->only_32 || !(s->attr_index & 0x20) || (s->seq[1] & 0x20)) {
        return VGA_SHOWS_NOTHING;
    }
    return s->gfx[6] & 1 ? VGA_SHOWS_GRAPHICS : VGA_SHOWS_TEXT;
}

void vga_update(void *opaque)
{
    static void (*const paint[])(VgaState *s) = {
        [VGA_SHOWS_NOTHING] = paint_blank, [VGA_SHOWS_TEXT] = paint_text,
        [VGA_SHOWS_GRAPHICS] = paint_graphics, [VGA_SHOWS_DISPI] = paint_dispi,
    };
    VgaState *s = opaque;

    paint[vga_shows(s)](s);
}

void vga_invalidate(void *opaque)
{
    ((VgaState *)opaque)->all_dirty = true;
}
