/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include "ui/vnc/vnc-format.h"
#include "util/bswap.h"

static bool fits(uint32_t mask, unsigned shift)
{
    return (mask & ~(0xffffffu << shift)) == 0;
}

static bool is_byte(unsigned max, unsigned shift)
{
    return max == 255 && shift <= 24;
}

static void derive(VncFormat *f)
{
    uint32_t mask = (uint32_t)f->red_max << f->red_shift | (uint32_t)f->green_max << f->green_shift |
                    (uint32_t)f->blue_max << f->blue_shift;

    f->bytes = f->c_bytes = f->t_bytes = f->bits / 8;
    f->c_shift = 0;
    /* 7.7.5: three bytes if all colors are in the lower or in the upper three. */
    if (f->true_color && f->bits == 32 && f->depth <= 24 && (fits(mask, 0) || fits(mask, 8))) {
        f->c_bytes = 3;
        f->c_shift = fits(mask, 0) ? 0 : 8;
    }
    if (f->true_color && f->bits == 32 && f->depth == 24 && f->red_max == 255 &&
        f->green_max == 255 && f->blue_max == 255) {
        f->t_bytes = 3;
    }
    f->same = f->bits == 32 && is_byte(f->red_max, f->red_shift) && f->red_shift == 16 &&
              is_byte(f->green_max, f->green_shift) && f->green_shift == 8 &&
              is_byte(f->blue_max, f->blue_shift) && f->blue_shift == 0;
    for (unsigned i = 0; i < 256; i++) {
        f->red[i] = (i * f->red_max + 127) / 255 << f->red_shift;
        f->green[i] = (i * f->green_max + 127) / 255 << f->green_shift;
        f->blue[i] = (i * f->blue_max + 127) / 255 << f->blue_shift;
    }
}

VncFormat *vnc_format_parse(const uint8_t b[16])
{
    VncFormat *f;

    if ((b[0] != 8 && b[0] != 16 && b[0] != 32) || b[10] > 31 || b[11] > 31 || b[12] > 31 ||
        (!b[3] && b[0] != 8)) {
        return NULL;
    }
    f = g_new0(VncFormat, 1);
    f->refs = 1;
    f->bits = b[0];
    f->depth = b[1];
    f->big_endian = b[2];
    f->true_color = b[3];
    f->red_max = load_be16(b + 4);
    f->green_max = load_be16(b + 6);
    f->blue_max = load_be16(b + 8);
    f->red_shift = b[10];
    f->green_shift = b[11];
    f->blue_shift = b[12];
    if (!f->true_color) {       /* a color map of our own making: 3 bits red, 3 green, 2 blue */
        f->red_max = f->green_max = 7;
        f->blue_max = 3;
        f->red_shift = 0;
        f->green_shift = 3;
        f->blue_shift = 6;
    }
    /* 7.4: each is 2^n - 1; decoders count on it. */
    if (f->red_max & (f->red_max + 1) || f->green_max & (f->green_max + 1) ||
        f->blue_max & (f->blue_max + 1)) {
        g_free(f);
        return NULL;
    }
    derive(f);
    return f;
}

VncFormat *vnc_format_native(void)
{
    static const uint8_t b[16] = { 32, 24, HOST_BIG_ENDIAN, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 };

    return vnc_format_parse(b);
}

void vnc_format_put(const VncFormat *f, uint8_t b[16])
{
    memset(b, 0, 16);
    b[0] = f->bits;
    b[1] = f->depth;
    b[2] = f->big_endian;
    b[3] = f->true_color;
    store_be16(b + 4, f->red_max);
    store_be16(b + 6, f->green_max);
    store_be16(b + 8, f->blue_max);
    b[10] = f->red_shift;
    b[11] = f->green_shift;
    b[12] = f->blue_shift;
}

bool vnc_format_equal(const VncFormat *a, const VncFormat *b)
{
    uint8_t x[16], y[16];

    vnc_format_put(a, x);
    vnc_format_put(b, y);
    return memcmp(x, y, sizeof(x)) == 0;
}

VncFormat *vnc_format_ref(VncFormat *f)
{
    atomic_fetch_add(&f->refs, 1);
    return f;
}

void vnc_format_unref(VncFormat *f)
{
    if (f && atomic_fetch_sub(&f->refs, 1) == 1) {
        g_free(f);
    }
}

void vnc_values(const VncFormat *f, uint32_t *values, const uint32_t *rgb, size_t n)
{
    if (f->same) {
        memcpy(values, rgb, n * sizeof(*rgb));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        values[i] = i && rgb[i] == rgb[i - 1] ? values[i - 1] : vnc_value(f, rgb[i]);
    }
}

static uint32_t widen(uint32_t value, unsigned shift, unsigned max)
{
    uint32_t v = value >> shift & max;

    return max ? (v * 255 + max / 2) / max & 255 : 0;
}

uint32_t vnc_value_rgb(const VncFormat *f, uint32_t value)
{
    return widen(value, f->red_shift, f->red_max) << 16 |
           widen(value, f->green_shift, f->green_max) << 8 |
           widen(value, f->blue_shift, f->blue_max);
}

uint8_t *vnc_put_pixels(const VncFormat *f, uint8_t *p, const uint32_t *v, size_t n)
{
    switch (f->bytes) {
    case 1:
        for (size_t i = 0; i < n; i++) {
            *p++ = v[i];
        }
        return p;
    case 2:
        for (size_t i = 0; i < n; i++, p += 2) {
            store_host16(p, f->big_endian ? host_to_be16(v[i]) : host_to_le16(v[i]));
        }
        return p;
    default:
        if (f->big_endian == HOST_BIG_ENDIAN) {
            memcpy(p, v, 4 * n);
            return p + 4 * n;
        }
        for (size_t i = 0; i < n; i++, p += 4) {
            store_host32(p, bswap32(v[i]));
        }
        return p;
    }
}

uint8_t *vnc_put_cpixels(const VncFormat *f, uint8_t *p, const uint32_t *v, size_t n)
{
    if (f->c_bytes != 3) {
        return vnc_put_pixels(f, p, v, n);
    }
    for (size_t i = 0; i < n; i++, p += 3) {
        uint32_t c = v[i] >> f->c_shift;

        if (f->big_endian) {
            p[0] = c >> 16;
            p[1] = c >> 8;
            p[2] = c;
        } else {
            p[0] = c;
            p[1] = c >> 8;
            p[2] = c >> 16;
        }
    }
    return p;
}

uint8_t *vnc_put_tpixels(const VncFormat *f, uint8_t *p, const uint32_t *v, size_t n)
{
    if (f->t_bytes != 3) {
        return vnc_put_pixels(f, p, v, n);
    }
    for (size_t i = 0; i < n; i++, p += 3) {
        p[0] = v[i] >> f->red_shift;
        p[1] = v[i] >> f->green_shift;
        p[2] = v[i] >> f->blue_shift;
    }
    return p;
}
