/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoders of the test viewer. */
#include "util/osdep.h"
#include "config.h"
#include <glib.h>
#ifdef CONFIG_PNG
#include <png.h>
#endif
#include <setjmp.h>
#include <zlib.h>
#ifdef CONFIG_JPEG
#include <jpeglib.h>
#endif
#include "tests/lib/rfb-client.h"
#include "util/bswap.h"

const RfbFormat rfb_rgb888 = { 32, 24, false, true, { 255, 255, 255 }, { 16, 8, 0 } };
const RfbFormat rfb_rgb888_be = { 32, 24, true, true, { 255, 255, 255 }, { 16, 8, 0 } };
const RfbFormat rfb_bgr888 = { 32, 24, false, true, { 255, 255, 255 }, { 8, 16, 24 } };
const RfbFormat rfb_rgb565 = { 16, 16, false, true, { 31, 63, 31 }, { 11, 5, 0 } };
const RfbFormat rfb_rgb565_be = { 16, 16, true, true, { 31, 63, 31 }, { 11, 5, 0 } };
const RfbFormat rfb_rgb555 = { 16, 15, false, true, { 31, 31, 31 }, { 10, 5, 0 } };
const RfbFormat rfb_bgr233 = { 8, 8, false, true, { 7, 7, 3 }, { 0, 3, 6 } };

uint32_t rfb_value(const RfbFormat *f, uint32_t rgb)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 3; i++) {
        v |= (uint32_t)((rgb >> (16 - 8 * i) & 255) * f->max[i] / 255.0 + 0.5) << f->shift[i];
    }
    return v;
}

uint32_t rfb_value_rgb(const RfbFormat *f, uint32_t value)
{
    uint32_t rgb = 0;

    for (unsigned i = 0; i < 3; i++) {
        rgb = rgb << 8 | (uint32_t)((value >> f->shift[i] & f->max[i]) * 255.0 / f->max[i] + 0.5);
    }
    return rgb;
}

/* A reader over bytes in memory, for what was inflated. */
typedef struct Bytes {
    const uint8_t *p, *end;
} Bytes;

static bool take(Bytes *b, void *to, size_t n)
{
    if ((size_t)(b->end - b->p) < n) {
        return false;
    }
    memcpy(to, b->p, n);
    b->p += n;
    return true;
}

static uint32_t pixel_of(const RfbFormat *f, const uint8_t *p)
{
    switch (f->bits) {
    case 8:
        return p[0];
    case 16:
        return f->big_endian ? load_be16(p) : load_le16(p);
    default:
        return f->big_endian ? load_be32(p) : load_le32(p);
    }
}

static unsigned cpixel_bytes(const RfbFormat *f, bool *upper)
{
    uint32_t mask = 0;

    for (unsigned i = 0; i < 3; i++) {
        mask |= (uint32_t)f->max[i] << f->shift[i];
    }
    *upper = false;
    if (!f->true_color || f->bits != 32 || f->depth > 24) {
        return f->bits / 8;
    }
    if (!(mask & 0xff000000)) {
        return 3;
    }
    if (!(mask & 0xff)) {
        *upper = true;
        return 3;
    }
    return 4;
}

static uint32_t cpixel_of(const RfbFormat *f, const uint8_t *p)
{
    bool upper;
    uint32_t v;

    if (cpixel_bytes(f, &upper) != 3) {
        return pixel_of(f, p);
    }
    v = f->big_endian ? p[0] << 16 | p[1] << 8 | p[2] : p[0] | p[1] << 8 | p[2] << 16;
    return upper ? v << 8 : v;
}

static unsigned tpixel_bytes(const RfbFormat *f)
{
    return f->true_color && f->bits == 32 && f->depth == 24 && f->max[0] == 255 &&
           f->max[1] == 255 && f->max[2] == 255 ? 3 : f->bits / 8;
}

static uint32_t tpixel_of(const RfbFormat *f, const uint8_t *p)
{
    if (tpixel_bytes(f) != 3) {
        return pixel_of(f, p);
    }
    return (uint32_t)p[0] << f->shift[0] | (uint32_t)p[1] << f->shift[1] |
           (uint32_t)p[2] << f->shift[2];
}

static void set(RfbClient *c, int x, int y, uint32_t v)
{
    c->values[(size_t)y * c->width + x] = v;
}

static void fill(RfbClient *c, int x, int y, int w, int h, uint32_t v)
{
    for (int j = 0; j < h; j++) {
        for (int i = 0; i < w; i++) {
            set(c, x + i, y + j, v);
        }
    }
}

static bool raw_bytes(RfbClient *c, Bytes *b, int x, int y, int w, int h)
{
    unsigned n = c->format.bits / 8;

    for (int j = 0; j < h; j++) {
        for (int i = 0; i < w; i++) {
            uint8_t p[4];

            if (!take(b, p, n)) {
                return rfb_fail(c, "pixels end early");
            }
            set(c, x + i, y + j, pixel_of(&c->format, p));
        }
    }
    return true;
}

static bool recv_bytes(RfbClient *c, size_t n, uint8_t **buf)
{
    if (n > 256 * MIB) {
        return rfb_fail(c, "%zu bytes in one piece", n);
    }
    *buf = g_malloc(n ? n : 1);
    if (!rfb_recv(c, *buf, n)) {
        g_free(*buf);
        return false;
    }
    return true;
}

static bool raw(RfbClient *c, int x, int y, int w, int h)
{
    size_t n = (size_t)w * h * (c->format.bits / 8);
    uint8_t *buf;
    Bytes b;

    if (!recv_bytes(c, n, &buf)) {
        return false;
    }
    b = (Bytes){ buf, buf + n };
    raw_bytes(c, &b, x, y, w, h);
    g_free(buf);
    return true;
}

/* All that @len compressed bytes give; the stream goes on in the next piece. */
static bool inflate_bytes(RfbClient *c, unsigned stream, const uint8_t *in, size_t len,
                          GByteArray *out)
{
    z_stream *z = c->inflate[stream];

    if (!z) {
        z = c->inflate[stream] = g_new0(z_stream, 1);
        inflateInit(z);
    }
    z->next_in = (Bytef *)in;
    z->avail_in = len;
    for (;;) {
        uint8_t buf[65536];
        int rc;

        z->next_out = buf;
        z->avail_out = sizeof(buf);
        rc = inflate(z, Z_SYNC_FLUSH);
        if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END) {
            return rfb_fail(c, "stream %u: zlib says %d", stream, rc);
        }
        g_byte_array_append(out, buf, sizeof(buf) - z->avail_out);
        if (z->avail_out) {
            break;
        }
    }
    return z->avail_in == 0 || rfb_fail(c, "stream %u: compressed bytes are left", stream);
}

static bool recv_inflate(RfbClient *c, unsigned stream, size_t len, GByteArray *out)
{
    uint8_t *buf;
    bool ok;

    if (!recv_bytes(c, len, &buf)) {
        return false;
    }
    ok = inflate_bytes(c, stream, buf, len, out);
    g_free(buf);
    return ok;
}

static bool zlib_rect(RfbClient *c, int x, int y, int w, int h)
{
    GByteArray *out = g_byte_array_new();
    uint8_t b[4];
    Bytes in;
    bool ok = rfb_recv(c, b, 4) && recv_inflate(c, 4, load_be32(b), out);

    in = (Bytes){ out->data, out->data + out->len };
    ok = ok && raw_bytes(c, &in, x, y, w, h) && (in.p == in.end || rfb_fail(c, "zlib: too much"));
    g_byte_array_unref(out);
    return ok;
}

static bool copy_rect(RfbClient *c, int x, int y, int w, int h)
{
    uint8_t b[4];
    uint32_t *copy;
    int sx, sy;

    if (!rfb_recv(c, b, 4)) {
        return false;
    }
    sx = load_be16(b);
    sy = load_be16(b + 2);
    if (sx + w > c->width || sy + h > c->height) {
        return rfb_fail(c, "copy from outside");
    }
    copy = g_new(uint32_t, (size_t)w * h);
    for (int j = 0; j < h; j++) {
        memcpy(copy + (size_t)j * w, c->values + (size_t)(sy + j) * c->width + sx, 4 * (size_t)w);
    }
    for (int j = 0; j < h; j++) {
        memcpy(c->values + (size_t)(y + j) * c->width + x, copy + (size_t)j * w, 4 * (size_t)w);
    }
    g_free(copy);
    c->copies++;
    return true;
}

static bool rre(RfbClient *c, int x, int y, int w, int h)
{
    unsigned n = c->format.bits / 8;
    uint8_t b[12];
    uint32_t count;

    if (!rfb_recv(c, b, 4 + n)) {
        return false;
    }
    count = load_be32(b);
    fill(c, x, y, w, h, pixel_of(&c->format, b + 4));
    for (uint32_t i = 0; i < count; i++) {
        int rx, ry, rw, rh;

        if (!rfb_recv(c, b, n + 8)) {
            return false;
        }
        rx = load_be16(b + n);
        ry = load_be16(b + n + 2);
        rw = load_be16(b + n + 4);
        rh = load_be16(b + n + 6);
        if (rx + rw > w || ry + rh > h) {
            return rfb_fail(c, "RRE: subrectangle outside");
        }
        fill(c, x + rx, y + ry, rw, rh, pixel_of(&c->format, b));
    }
    return true;
}

/* A Hextile tile after its mask, from the socket or from memory. */
typedef struct Hex {
    bool bg_ok, fg_ok;
    uint32_t bg, fg;
} Hex;

static bool hex_take(RfbClient *c, Bytes *b, void *to, size_t n)
{
    return b ? take(b, to, n) || rfb_fail(c, "hextile: ends early") : rfb_recv(c, to, n);
}

static bool hex_tile(RfbClient *c, Bytes *b, uint8_t mask, int x, int y, int w, int h, Hex *st)
{
    unsigned n = c->format.bits / 8;
    uint8_t p[1024], count;

    if (mask & 1) {
        if (!hex_take(c, b, p, (size_t)w * h * n)) {
            return false;
        }
        for (int i = 0; i < w * h; i++) {
            set(c, x + i % w, y + i / w, pixel_of(&c->format, p + i * n));
        }
        st->bg_ok = st->fg_ok = false;
        return true;
    }
    if (mask & 2) {
        if (!hex_take(c, b, p, n)) {
            return false;
        }
        st->bg = pixel_of(&c->format, p);
        st->bg_ok = true;
    }
    if (!st->bg_ok) {
        return rfb_fail(c, "hextile: no background is known");
    }
    if (mask & 4) {
        if (!hex_take(c, b, p, n)) {
            return false;
        }
        st->fg = pixel_of(&c->format, p);
        st->fg_ok = true;
        if (mask & 16) {
            return rfb_fail(c, "hextile: foreground of a colored tile");
        }
    }
    fill(c, x, y, w, h, st->bg);
    if (!(mask & 8)) {
        return true;
    }
    if (!hex_take(c, b, &count, 1)) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        uint32_t v = st->fg;
        int sx, sy, sw, sh;

        if (mask & 16) {
            if (!hex_take(c, b, p, n)) {
                return false;
            }
            v = pixel_of(&c->format, p);
        } else if (!st->fg_ok) {
            return rfb_fail(c, "hextile: no foreground is known");
        }
        if (!hex_take(c, b, p, 2)) {
            return false;
        }
        sx = p[0] >> 4;
        sy = p[0] & 15;
        sw = (p[1] >> 4) + 1;
        sh = (p[1] & 15) + 1;
        if (sx + sw > w || sy + sh > h) {
            return rfb_fail(c, "hextile: subrectangle outside");
        }
        fill(c, x + sx, y + sy, sw, sh, v);
    }
    if (mask & 16) {
        st->fg_ok = false;
    }
    return true;
}

static bool zlibhex_tile(RfbClient *c, uint8_t mask, int x, int y, int w, int h, Hex *st)
{
    GByteArray *out = g_byte_array_new();
    uint8_t b[2];
    bool is_raw = mask & 32, ok;
    Bytes in;

    ok = rfb_recv(c, b, 2) && recv_inflate(c, is_raw ? 6 : 7, load_be16(b), out);
    in = (Bytes){ out->data, out->data + out->len };
    ok = ok && hex_tile(c, &in, is_raw ? 1 : mask & 31, x, y, w, h, st) &&
         (in.p == in.end || rfb_fail(c, "zlibhex: too much"));
    g_byte_array_unref(out);
    return ok;
}

static bool hextile(RfbClient *c, int x, int y, int w, int h, bool zlibhex)
{
    Hex st = { 0 };

    for (int j = 0; j < h; j += 16) {
        for (int i = 0; i < w; i += 16) {
            int tw = MIN(16, w - i), th = MIN(16, h - j);
            uint8_t mask;

            if (!rfb_recv(c, &mask, 1)) {
                return false;
            }
            if (zlibhex && mask & 96) {
                if (!zlibhex_tile(c, mask, x + i, y + j, tw, th, &st)) {
                    return false;
                }
            } else if (mask & ~31) {
                return rfb_fail(c, "hextile: mask %u", mask);
            } else if (!hex_tile(c, NULL, mask, x + i, y + j, tw, th, &st)) {
                return false;
            }
        }
    }
    return true;
}

/* --- ZRLE --- */

static bool run_length(Bytes *b, size_t *len)
{
    uint8_t v;

    *len = 1;
    do {
        if (!take(b, &v, 1)) {
            return false;
        }
        *len += v;
    } while (v == 255);
    return true;
}

/* ZYWRLE's transform back: the tile's values are coefficients, band after band. */
typedef struct Wavelet {
    int w, h;                   /* of the tile */
    int c[3][64][64];           /* by the pixel's bits from below: U, Y, V */
} Wavelet;

static void haar_back(int *low, int *high)
{
    int l = *low, h = *high;

    /* Of equal signs, the low part is the larger of two of a kind; else it is their sum. */
    if ((l < 0) == (h < 0)) {
        *low = abs(l) > abs(h) ? l : h;
        *high = l - h;
    } else {
        int sum = l + h;

        *low = sum;
        *high = (sum < 0) == (h < 0) ? -h : l;
    }
}

/* Bits of a value as 8 bits, and back. */
static int bits_of(const RfbFormat *f, uint32_t v, int k)
{
    static const int at565[3] = { 0, 5, 11 }, at555[3] = { 0, 5, 10 };

    if (f->bits == 32) {
        return v >> (8 * k) & 255;
    }
    if (f->max[1] == 63) {
        return k == 1 ? (v >> 5 & 63) << 2 : (v >> at565[k] & 31) << 3;
    }
    return (v >> at555[k] & 31) << 3;
}

static uint32_t value_of_bits(const RfbFormat *f, int k, int bits)
{
    static const int at565[3] = { 0, 5, 11 }, at555[3] = { 0, 5, 10 };

    if (f->bits == 32) {
        return (uint32_t)bits << (8 * k);
    }
    if (f->max[1] == 63) {
        return (uint32_t)(k == 1 ? bits >> 2 : bits >> 3) << at565[k];
    }
    return (uint32_t)(bits >> 3) << at555[k];
}

static int clamp255(int v)
{
    return v < 0 ? 0 : MIN(v, 255);
}

static void synthesize(RfbClient *c, int x0, int y0, int w, int h, int levels)
{
    int tw = w >> levels << levels, th = h >> levels << levels;
    uint32_t *in = g_new(uint32_t, w * h), *next = in;
    Wavelet *t = g_new0(Wavelet, 1);

    for (int i = 0; i < w * h; i++) {
        in[i] = c->values[(y0 + i / w) * c->width + x0 + i % w];
    }
    if (!tw || !th) {
        goto out;
    }
    for (int l = 0; l < levels; l++) {
        for (int band = 3; band >= (l == levels - 1 ? 0 : 1); band--) {
            for (int y = (band >> 1) << l; y < th; y += 2 << l) {
                for (int x = (band & 1) << l; x < tw; x += 2 << l, next++) {
                    for (int k = 0; k < 3; k++) {
                        t->c[k][y][x] = (int8_t)bits_of(&c->format, *next, k);
                    }
                }
            }
        }
    }
    for (int l = levels - 1; l >= 0; l--) {
        for (int k = 0; k < 3; k++) {
            for (int x = 0; x < tw; x += 1 << l) {
                for (int y = 0; y < th; y += 2 << l) {
                    haar_back(&t->c[k][y][x], &t->c[k][y + (1 << l)][x]);
                }
            }
            for (int y = 0; y < th; y += 1 << l) {
                for (int x = 0; x < tw; x += 2 << l) {
                    haar_back(&t->c[k][y][x], &t->c[k][y][x + (1 << l)]);
                }
            }
        }
    }
    for (int y = 0; y < th; y++) {
        for (int x = 0; x < tw; x++) {
            int luma = t->c[1][y][x] + 128, u = 2 * t->c[0][y][x], v = 2 * t->c[2][y][x];
            int g = luma - ((u + v) >> 2);

            set(c, x0 + x, y0 + y, value_of_bits(&c->format, 0, clamp255(u + g)) |
                                   value_of_bits(&c->format, 1, clamp255(g)) |
                                   value_of_bits(&c->format, 2, clamp255(v + g)));
        }
    }
    /* What is left over is as it was: to the right, then below without the corner, then that. */
    for (int part = 0; part < 3; part++) {
        for (int y = part ? th : 0; y < (part ? h : th); y++) {
            for (int x = part == 1 ? 0 : tw; x < (part == 1 ? tw : w); x++) {
                set(c, x0 + x, y0 + y, *next++);
            }
        }
    }
out:
    g_free(in);
    g_free(t);
}

static bool zrle_tile(RfbClient *c, Bytes *b, int x, int y, int w, int h, int levels)
{
    bool upper;
    unsigned n = cpixel_bytes(&c->format, &upper), colors;
    size_t total = (size_t)w * h;
    uint32_t pal[128];
    uint8_t mode, p[4];

    if (!take(b, &mode, 1)) {
        return rfb_fail(c, "ZRLE: ends early");
    }
    colors = mode & 127;
    if (mode == 129 || (mode >= 17 && mode <= 127)) {
        return rfb_fail(c, "ZRLE: subencoding %u", mode);
    }
    if (mode == 0 && levels) {              /* another tile, of coefficients */
        if (!zrle_tile(c, b, x, y, w, h, 0)) {
            return false;
        }
        synthesize(c, x, y, w, h, levels);
        c->wavelets++;
        return true;
    }
    for (unsigned i = 0; i < colors; i++) {
        if (!take(b, p, n)) {
            return rfb_fail(c, "ZRLE: palette ends early");
        }
        pal[i] = cpixel_of(&c->format, p);
    }
    if (mode == 1) {
        fill(c, x, y, w, h, pal[0]);
        return true;
    }
    if (mode >= 2 && mode <= 16) {
        unsigned bits = mode == 2 ? 1 : mode <= 4 ? 2 : 4;

        for (int j = 0; j < h; j++) {
            unsigned acc = 0, have = 0;

            for (int i = 0; i < w; i++) {
                unsigned v;

                if (!have) {
                    if (!take(b, p, 1)) {
                        return rfb_fail(c, "ZRLE: packed pixels end early");
                    }
                    acc = p[0];
                    have = 8;
                }
                have -= bits;
                v = acc >> have & (BIT(bits) - 1);
                if (v >= colors) {
                    return rfb_fail(c, "ZRLE: color %u of %u", v, colors);
                }
                set(c, x + i, y + j, pal[v]);
            }
        }
        return true;
    }
    for (size_t i = 0; i < total; ) {
        size_t run = 1;
        uint32_t v;

        if (mode == 0 || mode == 128) {
            if (!take(b, p, n)) {
                return rfb_fail(c, "ZRLE: pixels end early");
            }
            v = cpixel_of(&c->format, p);
        } else {
            if (!take(b, p, 1) || (p[0] & 127) >= colors) {
                return rfb_fail(c, "ZRLE: bad index");
            }
            v = pal[p[0] & 127];
        }
        if ((mode == 128 || (mode > 128 && p[0] & 128)) && !run_length(b, &run)) {
            return rfb_fail(c, "ZRLE: run ends early");
        }
        if (run > total - i) {
            return rfb_fail(c, "ZRLE: run too long");
        }
        while (run-- > 0) {
            set(c, x + (int)(i % w), y + (int)(i / w), v);
            i++;
        }
    }
    return true;
}

static bool zrle(RfbClient *c, int x, int y, int w, int h, int levels)
{
    GByteArray *out = g_byte_array_new();
    uint8_t b[4];
    bool ok = rfb_recv(c, b, 4) && recv_inflate(c, 5, load_be32(b), out);
    Bytes in = { out->data, out->data + out->len };

    for (int j = 0; ok && j < h; j += 64) {
        for (int i = 0; ok && i < w; i += 64) {
            ok = zrle_tile(c, &in, x + i, y + j, MIN(64, w - i), MIN(64, h - j), levels);
        }
    }
    ok = ok && (in.p == in.end || rfb_fail(c, "ZRLE: too much"));
    g_byte_array_unref(out);
    return ok;
}

/* --- Tight --- */

static bool compact(RfbClient *c, size_t *len)
{
    uint8_t b;

    *len = 0;
    for (unsigned i = 0; i < 3; i++) {
        if (!rfb_recv(c, &b, 1)) {
            return false;
        }
        *len |= (size_t)(i < 2 ? b & 127 : b) << (7 * i);
        if (i < 2 && !(b & 128)) {
            break;
        }
    }
    return true;
}

static void put_rgb(RfbClient *c, int x, int y, const uint8_t *rgb)
{
    set(c, x, y, rfb_value(&c->format, (uint32_t)rgb[0] << 16 | rgb[1] << 8 | rgb[2]));
}

#ifdef CONFIG_JPEG
typedef struct JpegError {
    struct jpeg_error_mgr mgr;
    jmp_buf jump;
} JpegError;

static void jpeg_failed(j_common_ptr j)
{
    longjmp(((JpegError *)j->err)->jump, 1);
}
#endif

static bool jpeg(RfbClient *c, const uint8_t *data, size_t len, int x, int y, int w, int h)
{
#ifdef CONFIG_JPEG
    struct jpeg_decompress_struct d;
    uint8_t *row = g_malloc(3 * (size_t)w);
    JpegError e;

    d.err = jpeg_std_error(&e.mgr);
    e.mgr.error_exit = jpeg_failed;
    if (setjmp(e.jump)) {
        jpeg_destroy_decompress(&d);
        g_free(row);
        return rfb_fail(c, "JPEG can't be decoded");
    }
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, data, len);
    jpeg_read_header(&d, TRUE);
    d.out_color_space = JCS_RGB;
    jpeg_start_decompress(&d);
    if ((int)d.output_width != w || (int)d.output_height != h) {
        jpeg_destroy_decompress(&d);
        g_free(row);
        return rfb_fail(c, "JPEG of another size");
    }
    for (int j = 0; j < h; j++) {
        jpeg_read_scanlines(&d, &row, 1);
        for (int i = 0; i < w; i++) {
            put_rgb(c, x + i, y + j, row + 3 * i);
        }
    }
    jpeg_finish_decompress(&d);
    jpeg_destroy_decompress(&d);
    g_free(row);
    return true;
#else
    (void)data, (void)len, (void)x, (void)y, (void)w, (void)h;
    return rfb_fail(c, "JPEG isn't known here");
#endif
}

static bool png(RfbClient *c, const uint8_t *data, size_t len, int x, int y, int w, int h)
{
#ifdef CONFIG_PNG
    png_image image = { .version = PNG_IMAGE_VERSION };
    uint8_t *rgb;

    if (!png_image_begin_read_from_memory(&image, data, len) || (int)image.width != w ||
        (int)image.height != h) {
        return rfb_fail(c, "PNG: %s", image.message);
    }
    image.format = PNG_FORMAT_RGB;
    rgb = g_malloc(PNG_IMAGE_SIZE(image));
    png_image_finish_read(&image, NULL, rgb, 0, NULL);
    for (int i = 0; i < w * h; i++) {
        put_rgb(c, x + i % w, y + i / w, rgb + 3 * i);
    }
    g_free(rgb);
    return true;
#else
    (void)data, (void)len, (void)x, (void)y, (void)w, (void)h;
    return rfb_fail(c, "PNG isn't known here");
#endif
}

static bool picture(RfbClient *c, bool is_png, int x, int y, int w, int h)
{
    uint8_t *buf;
    size_t len;
    bool ok;

    if (!compact(c, &len) || !recv_bytes(c, len, &buf)) {
        return false;
    }
    ok = is_png ? png(c, buf, len, x, y, w, h) : jpeg(c, buf, len, x, y, w, h);
    g_free(buf);
    return ok;
}

static bool tight_data(RfbClient *c, unsigned stream, bool plain, size_t size, GByteArray *out)
{
    size_t len;

    if (size < 12 || plain) {
        g_byte_array_set_size(out, size);
        return rfb_recv(c, out->data, size);
    }
    if (!compact(c, &len) || !recv_inflate(c, stream, len, out)) {
        return false;
    }
    return out->len == size || rfb_fail(c, "tight: %u bytes, not %zu", out->len, size);
}

static void tight_gradient(RfbClient *c, const uint8_t *p, int x, int y, int w, int h)
{
    const RfbFormat *f = &c->format;
    unsigned n = tpixel_bytes(f);

    for (int j = 0; j < h; j++) {
        for (int i = 0; i < w; i++, p += n) {
            uint32_t d = tpixel_of(f, p), v = 0;

            for (unsigned k = 0; k < 3; k++) {
                int part[3] = { 0, 0, 0 }, guess;
                const int at[3][2] = { { -1, 0 }, { 0, -1 }, { -1, -1 } };

                for (unsigned m = 0; m < 3; m++) {
                    int px = i + at[m][0], py = j + at[m][1];

                    if (px >= 0 && py >= 0) {
                        part[m] = c->values[(size_t)(y + py) * c->width + x + px] >> f->shift[k] &
                                  f->max[k];
                    }
                }
                guess = MAX(0, MIN(part[0] + part[1] - part[2], f->max[k]));
                v |= (uint32_t)((guess + (int)(d >> f->shift[k] & f->max[k])) & f->max[k])
                     << f->shift[k];
            }
            set(c, x + i, y + j, v);
        }
    }
}

static bool tight_basic(RfbClient *c, uint8_t control, bool plain, int x, int y, int w, int h)
{
    const RfbFormat *f = &c->format;
    unsigned n = tpixel_bytes(f), stream = control >> 4 & 3;
    uint8_t filter = 0, colors, b[256 * 4];
    GByteArray *out = g_byte_array_new();
    bool ok = true;

    if (control & 0x40) {
        ok = rfb_recv(c, &filter, 1);
    }
    if (ok && filter == 1) {
        unsigned count;

        ok = rfb_recv(c, &colors, 1) && rfb_recv(c, b, (colors + 1u) * n);
        count = colors + 1u;
        if (ok && count < 2) {
            ok = rfb_fail(c, "tight: palette of %u", count);
        }
        if (ok && count == 2) {
            size_t row = (w + 7) / 8;

            ok = tight_data(c, stream, plain, row * h, out);
            for (int i = 0; ok && i < w * h; i++) {
                unsigned bit = out->data[(size_t)(i / w) * row + i % w / 8] >> (7 - i % w % 8) & 1;

                set(c, x + i % w, y + i / w, tpixel_of(f, b + bit * n));
            }
            c->tight_mono++;
        } else if (ok) {
            ok = tight_data(c, stream, plain, (size_t)w * h, out);
            for (int i = 0; ok && i < w * h; i++) {
                if (out->data[i] >= count) {
                    ok = rfb_fail(c, "tight: color %u of %u", out->data[i], count);
                    break;
                }
                set(c, x + i % w, y + i / w, tpixel_of(f, b + out->data[i] * n));
            }
            c->tight_palette++;
        }
    } else if (ok && filter <= 2) {
        ok = tight_data(c, stream, plain, (size_t)w * h * n, out);
        if (ok && filter == 2) {
            tight_gradient(c, out->data, x, y, w, h);
            c->tight_gradient++;
        } else {
            for (int i = 0; ok && i < w * h; i++) {
                set(c, x + i % w, y + i / w, tpixel_of(f, out->data + (size_t)i * n));
            }
            c->tight_full++;
        }
    } else if (ok) {
        ok = rfb_fail(c, "tight: filter %u", filter);
    }
    g_byte_array_unref(out);
    return ok;
}

static bool tight(RfbClient *c, int x, int y, int w, int h, bool as_png)
{
    uint8_t control, b[4];

    if (w > 2048) {
        return rfb_fail(c, "tight: %d pixels wide", w);
    }
    if (!rfb_recv(c, &control, 1)) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (control & BIT(i) && c->inflate[i]) {
            inflateReset(c->inflate[i]);
        }
    }
    switch (control >> 4) {
    case 8:
        if (!rfb_recv(c, b, tpixel_bytes(&c->format))) {
            return false;
        }
        fill(c, x, y, w, h, tpixel_of(&c->format, b));
        c->tight_fill++;
        return true;
    case 9:
        c->tight_jpeg++;
        return c->format.bits != 8 ? picture(c, false, x, y, w, h)
                                   : rfb_fail(c, "JPEG with 8 bits");
    case 10:
        if (as_png) {
            c->tight_png++;
            return picture(c, true, x, y, w, h);
        }
        return tight_basic(c, control, true, x, y, w, h);
    case 14:
        return tight_basic(c, control, true, x, y, w, h);
    default:
        if (control & 0x80 || as_png) {
            return rfb_fail(c, "tight: control %#x", control);
        }
        return tight_basic(c, control, false, x, y, w, h);
    }
}

/* --- Open H.264 --- */

static bool film(RfbClient *c, int x, int y, int w, int h)
{
    uint8_t head[8];
    uint32_t len, flags;
    GByteArray *a = c->film;

    if (!rfb_recv(c, head, 8)) {
        return false;
    }
    len = load_be32(head);
    flags = load_be32(head + 4);
    if (len > 64 * MIB || flags & ~3u) {
        return rfb_fail(c, "H.264: %u bytes, flags 0x%x", len, flags);
    }
    if (flags) {
        c->film_resets++;
        if (a) {
            g_byte_array_set_size(a, 0);
        }
    } else if (!c->film_frames || c->film_x != x || c->film_y != y || c->film_w != w || c->film_h != h) {
        return rfb_fail(c, "H.264: another rectangle without a reset");
    }
    if (!a) {
        a = c->film = g_byte_array_new();
    }
    g_byte_array_set_size(a, a->len + len);
    if (!rfb_recv(c, a->data + a->len - len, len)) {
        return false;
    }
    c->film_frames++;
    c->film_x = x;
    c->film_y = y;
    c->film_w = w;
    c->film_h = h;
    return true;
}

bool rfb_decode(RfbClient *c, int32_t encoding, int x, int y, int w, int h)
{
    if (x + w > c->width || y + h > c->height) {
        return rfb_fail(c, "rectangle %d,%d %dx%d outside", x, y, w, h);
    }
    if (encoding >= 0 && encoding < 64) {
        c->by_encoding[encoding]++;
    }
    switch (encoding) {
    case 0:
        return raw(c, x, y, w, h);
    case 1:
        return copy_rect(c, x, y, w, h);
    case 2:
        return rre(c, x, y, w, h);
    case 5:
        return hextile(c, x, y, w, h, false);
    case 6:
        return zlib_rect(c, x, y, w, h);
    case 7:
        return tight(c, x, y, w, h, false);
    case 8:
        return hextile(c, x, y, w, h, true);
    case 16:
        return zrle(c, x, y, w, h, 0);
    case 17:
        return zrle(c, x, y, w, h, c->format.bits == 8 ? 0 : c->wavelet_levels);
    case 50:
        return film(c, x, y, w, h);
    case -260:
        c->by_encoding[60]++;
        return tight(c, x, y, w, h, true);
    default:
        return rfb_fail(c, "encoding %d", encoding);
    }
}
