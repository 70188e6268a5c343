/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a client wants its pixels (RFC 6143, 7.4), and pixels written in that form.
 *
 * Our pixels are 0x00RRGGBB in host order. A "value" is a pixel as the client counts it, before
 * it becomes bytes: encoders compare and count values, so that what looks equal there is equal.
 * A VncFormat never changes once it is made; any thread may read it.
 */
#ifndef UI_VNC_VNC_FORMAT_H
#define UI_VNC_VNC_FORMAT_H

#include "util/osdep.h"
#include "util/bswap.h"

typedef struct VncFormat {
    _Atomic unsigned refs;
    uint8_t bits, depth;
    bool big_endian, true_color;
    uint16_t red_max, green_max, blue_max;
    uint8_t red_shift, green_shift, blue_shift;
    /* Derived. */
    uint8_t bytes;              /* of a PIXEL */
    uint8_t c_bytes;            /* of a CPIXEL (7.7.5) */
    uint8_t c_shift;            /* 8: it is the upper three bytes */
    uint8_t t_bytes;            /* of Tight's TPIXEL; 3: red, green, blue */
    bool same;                  /* a value is a pixel of ours */
    uint32_t red[256], green[256], blue[256];
} VncFormat;

/* From the 16 bytes of PIXEL_FORMAT; NULL if it can't be served. One reference. */
VncFormat *vnc_format_parse(const uint8_t b[16]);
/* What the server offers: 32 bits, 8 a color, in the order of the host's bytes. */
VncFormat *vnc_format_native(void);
/* The 16 bytes of it. */
void vnc_format_put(const VncFormat *f, uint8_t b[16]);
bool vnc_format_equal(const VncFormat *a, const VncFormat *b);
VncFormat *vnc_format_ref(VncFormat *f);
void vnc_format_unref(VncFormat *f);        /* NULL is allowed */

/* A pixel goes out as it is in memory. */
static inline bool vnc_format_is_ours(const VncFormat *f)
{
    return f->same && f->big_endian == HOST_BIG_ENDIAN;
}

static inline uint32_t vnc_value(const VncFormat *f, uint32_t rgb)
{
    return f->red[rgb >> 16 & 255] | f->green[rgb >> 8 & 255] | f->blue[rgb & 255];
}
void vnc_values(const VncFormat *f, uint32_t *values, const uint32_t *rgb, size_t n);
/* The colors of a value, 0 to 255 each. */
uint32_t vnc_value_rgb(const VncFormat *f, uint32_t value);

/* Write one or many as PIXEL, CPIXEL or TPIXEL; the end is returned. */
uint8_t *vnc_put_pixels(const VncFormat *f, uint8_t *p, const uint32_t *values, size_t n);
uint8_t *vnc_put_cpixels(const VncFormat *f, uint8_t *p, const uint32_t *values, size_t n);
uint8_t *vnc_put_tpixels(const VncFormat *f, uint8_t *p, const uint32_t *values, size_t n);

#endif
