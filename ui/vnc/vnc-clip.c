/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <zlib.h>
#include "ui/core/clip-image.h"
#include "ui/core/clipboard.h"
#include "ui/vnc/vnc-clip.h"
#include "util/bswap.h"

/* Bits of the extended messages. */
enum {
    CLIP_BIT_TEXT = BIT(0), CLIP_BIT_RTF = BIT(1), CLIP_BIT_HTML = BIT(2), CLIP_BIT_DIB = BIT(3),
    CLIP_FORMAT_BITS = 0xffff,
    CLIP_CAPS = BIT(24), CLIP_REQUEST = BIT(25), CLIP_PEEK = BIT(26), CLIP_NOTIFY = BIT(27),
    CLIP_PROVIDE = BIT(28), CLIP_ACTIONS = CLIP_CAPS | CLIP_REQUEST | CLIP_PEEK | CLIP_NOTIFY |
                                           CLIP_PROVIDE,
};

/* In the order of the bits. */
static const struct {
    uint32_t bit;
    ClipFormat format;
} formats[] = {
    { CLIP_BIT_TEXT, CLIP_TEXT }, { CLIP_BIT_RTF, CLIP_RTF }, { CLIP_BIT_HTML, CLIP_HTML },
    { CLIP_BIT_DIB, CLIP_BMP },
};

typedef struct VncClip {
    ClipPeer peer;
    VncClient *c;
    uint32_t actions;           /* that the client takes */
    uint32_t asked;             /* formats it has asked for and that haven't come yet */
    bool latin_wanted;          /* classic: send the text when it comes */
} VncClip;

static uint32_t to_bits(unsigned mask)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        bits |= mask & BIT(formats[i].format) ? formats[i].bit : 0;
    }
    return bits;
}

static unsigned from_bits(uint32_t bits)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        mask |= bits & formats[i].bit ? BIT(formats[i].format) : 0;
    }
    return mask;
}

/* --- texts --- */

/* LF to CR LF with a NUL at the end, and back. */
static GByteArray *to_wire(const char *text, size_t len)
{
    GByteArray *a = g_byte_array_sized_new(len + 1);

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) {
            g_byte_array_append(a, (const uint8_t *)"\r", 1);
        }
        g_byte_array_append(a, (const uint8_t *)text + i, 1);
    }
    g_byte_array_append(a, (const uint8_t *)"", 1);
    return a;
}

static size_t from_wire(char *text, size_t len)
{
    char *to = text;

    for (size_t i = 0; i < len && text[i]; i++) {
        if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n') {
            *to++ = text[i];
        }
    }
    return to - text;
}

/* What Latin-1 lacks becomes a question mark. */
static void send_latin(VncClient *c, GBytes *data)
{
    gsize len, out = 0;
    const char *text = g_bytes_get_data(data, &len);
    char *latin = g_convert_with_fallback(text ? text : "", MIN(len, VNC_CUT_TEXT_MAX), "ISO-8859-1", "UTF-8",
                                          "?", NULL, &out, NULL);

    if (latin) {
        vnc_put(c, "\3\0\0", 4);
        vnc_put_u32(c, out);
        vnc_put(c, latin, out);
        vnc_flush(c);
        g_free(latin);
    }
}

/* --- to the client --- */

static void send_flags(VncClient *c, uint32_t flags)
{
    vnc_put(c, "\3\0\0", 4);
    vnc_put_u32(c, -4);
    vnc_put_u32(c, flags);
    vnc_flush(c);
}

static void append_format(GByteArray *a, ClipFormat f, GBytes *data)
{
    gsize len;
    const char *p = g_bytes_get_data(data, &len);
    GByteArray *text = f == CLIP_TEXT ? to_wire(p, len) : NULL;
    uint8_t b[4];

    if (f == CLIP_BMP) {                /* a DIB has no header of a file */
        p += MIN(len, CLIP_BMP_HEAD);
        len -= MIN(len, CLIP_BMP_HEAD);
    }

    store_be32(b, text ? text->len : len);
    g_byte_array_append(a, b, 4);
    g_byte_array_append(a, text ? text->data : (const uint8_t *)p, text ? text->len : len);
    if (text) {
        g_byte_array_unref(text);
    }
}

/* All that it has asked for and that is there. */
static void provide(VncClip *v)
{
    GByteArray *plain = g_byte_array_new();
    uint32_t flags = CLIP_PROVIDE;
    uLongf n;
    uint8_t *packed;

    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        GBytes *data = clipboard_data(formats[i].format);

        if (v->asked & formats[i].bit && data && g_bytes_get_size(data) <= VNC_CLIP_MAX) {
            append_format(plain, formats[i].format, data);
            flags |= formats[i].bit;
        }
    }
    v->asked &= ~flags;
    if (flags != CLIP_PROVIDE) {
        n = compressBound(plain->len);
        packed = g_malloc(n);
        if (compress2(packed, &n, plain->data, plain->len, 6) == Z_OK) {
            vnc_put(v->c, "\3\0\0", 4);
            vnc_put_u32(v->c, -(uint32_t)(n + 4));
            vnc_put_u32(v->c, flags);
            vnc_put(v->c, packed, n);
            vnc_flush(v->c);
        }
        g_free(packed);
    }
    g_byte_array_unref(plain);
}

static void changed(ClipPeer *p, unsigned mask)
{
    VncClip *v = container_of(p, VncClip, peer);

    v->asked = 0;
    if (v->c->caps & CAP_CLIPBOARD) {
        if (v->actions & CLIP_NOTIFY) {
            send_flags(v->c, CLIP_NOTIFY | to_bits(mask));
        }
        return;
    }
    v->latin_wanted = mask & BIT(CLIP_TEXT);
    clipboard_want(CLIP_TEXT);
}

static void arrived(ClipPeer *p, ClipFormat format)
{
    VncClip *v = container_of(p, VncClip, peer);

    if (v->asked & to_bits(BIT(format))) {
        provide(v);
    } else if (v->latin_wanted && format == CLIP_TEXT) {
        v->latin_wanted = false;
        send_latin(v->c, clipboard_data(CLIP_TEXT));
    }
}

static void wanted(ClipPeer *p, ClipFormat format)
{
    VncClip *v = container_of(p, VncClip, peer);

    if (v->c->caps & CAP_CLIPBOARD && v->actions & CLIP_REQUEST) {
        send_flags(v->c, CLIP_REQUEST | to_bits(BIT(format)));
    }
}

static VncClip *clip_of(VncClient *c)
{
    if (!c->clip) {
        c->clip = g_new0(VncClip, 1);
        c->clip->c = c;
        c->clip->peer = (ClipPeer){ .name = "vnc", .changed = changed, .arrived = arrived,
                                    .wanted = wanted };
        /* The default for clients that don't say (rfbproto.rst). */
        c->clip->actions = CLIP_REQUEST | CLIP_NOTIFY | CLIP_PROVIDE;
        clipboard_add(&c->clip->peer);
    }
    return c->clip;
}

void vnc_clip_start(VncClient *c)
{
    clip_of(c);
}

void vnc_clip_announce(VncClient *c)
{
    clip_of(c);
    vnc_put(c, "\3\0\0", 4);
    vnc_put_u32(c, -(4 + 4 * (int)ARRAY_SIZE(formats)));
    vnc_put_u32(c, CLIP_ACTIONS | CLIP_BIT_TEXT | CLIP_BIT_RTF | CLIP_BIT_HTML | CLIP_BIT_DIB);
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        vnc_put_u32(c, 0);              /* nothing unasked: always announced first */
    }
    if (clipboard_formats() && clipboard_owner() != &c->clip->peer) {
        send_flags(c, CLIP_NOTIFY | to_bits(clipboard_formats()));
    }
}

void vnc_clip_free(VncClient *c)
{
    if (c->clip) {
        clipboard_remove(&c->clip->peer);
        g_free(c->clip);
        c->clip = NULL;
    }
}

/* --- from the client --- */

/* What was compressed, up to a limit; NULL if it isn't zlib's or more. */
static GByteArray *inflated(const uint8_t *data, size_t len, size_t max)
{
    GByteArray *out = g_byte_array_new();
    z_stream z = { .next_in = (Bytef *)data, .avail_in = len };
    uint8_t buf[16384];
    int rc;

    if (inflateInit(&z) != Z_OK) {
        g_byte_array_unref(out);
        return NULL;
    }
    do {
        z.next_out = buf;
        z.avail_out = sizeof(buf);
        rc = inflate(&z, Z_SYNC_FLUSH);
        g_byte_array_append(out, buf, sizeof(buf) - z.avail_out);
    } while (rc == Z_OK && z.avail_out == 0 && out->len <= max);
    inflateEnd(&z);
    if ((rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) || out->len > max) {
        g_byte_array_unref(out);
        return NULL;
    }
    return out;
}

static void provide_picture(VncClip *v, const uint8_t *dib, size_t len)
{
    GBytes *bmp = clip_bmp_from_dib(dib, len);

    if (bmp) {
        clipboard_provide(&v->peer, CLIP_BMP, g_bytes_get_data(bmp, NULL), g_bytes_get_size(bmp));
        g_bytes_unref(bmp);
    }
}

static void provided(VncClip *v, uint32_t flags, const uint8_t *data, size_t len)
{
    GByteArray *a = inflated(data, len, VNC_CLIP_MAX + 64);
    size_t at = 0;

    if (!a) {
        return;
    }
    if (clipboard_owner() != &v->peer) {
        clipboard_claim(&v->peer, from_bits(flags));
    }
    for (unsigned i = 0; i < 16; i++) {
        uint32_t n;

        if (!(flags & BIT(i))) {
            continue;
        }
        if (a->len - at < 4 || (n = load_be32(a->data + at)) > a->len - at - 4) {
            break;
        }
        at += 4;
        for (unsigned k = 0; k < ARRAY_SIZE(formats); k++) {
            char *p = (char *)a->data + at;
            size_t size = n;

            if (formats[k].bit != BIT(i)) {
                continue;
            }
            if (formats[k].format == CLIP_BMP) {
                provide_picture(v, (uint8_t *)p, n);
                continue;
            }
            if (formats[k].format == CLIP_TEXT) {
                size = from_wire(p, n);
                if (!g_utf8_validate(p, size, NULL)) {
                    continue;
                }
            }
            clipboard_provide(&v->peer, formats[k].format, p, size);
        }
        at += n;
    }
    g_byte_array_unref(a);
}

static void extended(VncClip *v, const uint8_t *data, size_t len)
{
    uint32_t flags = load_be32(data);

    if (flags & CLIP_CAPS) {
        v->actions = flags & CLIP_ACTIONS;
    } else if (flags & CLIP_REQUEST) {
        v->asked = flags & CLIP_FORMAT_BITS & to_bits(clipboard_formats());
        provide(v);
        for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
            if (v->asked & formats[i].bit) {
                clipboard_want(formats[i].format);
            }
        }
    } else if (flags & CLIP_PEEK) {
        send_flags(v->c, CLIP_NOTIFY | (clipboard_owner() == &v->peer ? 0
                                                           : to_bits(clipboard_formats())));
    } else if (flags & CLIP_NOTIFY) {
        clipboard_claim(&v->peer, from_bits(flags));
    } else if (flags & CLIP_PROVIDE) {
        provided(v, flags & CLIP_FORMAT_BITS, data + 4, len - 4);
    }
}

static void latin(VncClip *v, const char *text, size_t len)
{
    gsize n = 0;
    char *utf8 = g_convert(text, len, "UTF-8", "ISO-8859-1", NULL, &n, NULL);

    if (utf8) {
        clipboard_claim(&v->peer, BIT(CLIP_TEXT));
        clipboard_provide(&v->peer, CLIP_TEXT, utf8, from_wire(utf8, n));
        g_free(utf8);
    }
}

bool coroutine_fn vnc_clip_message(VncClient *c, int32_t length)
{
    VncClip *v = clip_of(c);
    uint32_t n = length < 0 ? -(uint32_t)length : (uint32_t)length;
    uint8_t *buf;
    bool ok;

    /* More than we take is read all the same: it is well-formed. */
    if (length >= 0 ? n > VNC_CUT_TEXT_MAX : n > VNC_CLIP_MAX) {
        return length >= 0 && n <= VNC_CLIP_MAX && vnc_co_skip(c, n);
    }
    if (length < 0 && (n < 4 || !(c->caps & CAP_CLIPBOARD))) {
        return false;
    }
    buf = g_malloc(n + 1);
    ok = vnc_co_read(c, buf, n);
    if (ok && length < 0) {
        extended(v, buf, n);
    } else if (ok) {
        latin(v, (char *)buf, n);
    }
    g_free(buf);
    return ok;
}
