/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pseudo-encodings (rfbproto.rst, "Pseudo-encodings"): what a client can, and what it is told. */
#include "util/osdep.h"
#include "ui/core/input.h"
#include "ui/vnc/vnc-audio.h"
#include "ui/vnc/vnc-clip.h"
#include "ui/vnc/vnc-int.h"
#include "util/bswap.h"

enum {
    PSEUDO_QUALITY_0 = -32, PSEUDO_QUALITY_9 = -23, PSEUDO_SIZE = -223, PSEUDO_LAST_RECT = -224,
    PSEUDO_CURSOR = -239, PSEUDO_POINTER_POS = -232, PSEUDO_COMPRESS_0 = -256,
    PSEUDO_COMPRESS_9 = -247, PSEUDO_POINTER_MODE = -257, PSEUDO_EXT_KEY = -258,
    PSEUDO_AUDIO = -259, PSEUDO_LEDS = -261, PSEUDO_NAME = -307, PSEUDO_EXT_SIZE = -308,
    PSEUDO_XVP = -309, PSEUDO_FENCE = -312, PSEUDO_CONTINUOUS = -313, PSEUDO_ALPHA_CURSOR = -314,
    PSEUDO_EXT_BUTTONS = -316, PSEUDO_TIGHT_PLAIN = -317, PSEUDO_FINE_0 = -512,
    PSEUDO_FINE_100 = -412, PSEUDO_SUBSAMPLING_0 = -768, PSEUDO_SUBSAMPLING_5 = -763,
    PSEUDO_CLIPBOARD = (int32_t)0xc0a1e5ce,
};

static const struct {
    int32_t number;
    uint32_t cap;
} known[] = {
    { ENC_COPY_RECT, CAP_COPY }, { PSEUDO_SIZE, CAP_SIZE }, { PSEUDO_LAST_RECT, CAP_LAST_RECT },
    { PSEUDO_CURSOR, CAP_CURSOR }, { PSEUDO_POINTER_POS, CAP_POINTER_POS },
    { PSEUDO_POINTER_MODE, CAP_POINTER_MODE }, { PSEUDO_EXT_KEY, CAP_EXT_KEY },
    { PSEUDO_AUDIO, CAP_AUDIO }, { PSEUDO_LEDS, CAP_LEDS }, { PSEUDO_NAME, CAP_NAME },
    { PSEUDO_EXT_SIZE, CAP_EXT_SIZE }, { PSEUDO_XVP, CAP_XVP }, { PSEUDO_FENCE, CAP_FENCE },
    { PSEUDO_CONTINUOUS, CAP_CONTINUOUS }, { PSEUDO_ALPHA_CURSOR, CAP_ALPHA_CURSOR },
    { PSEUDO_EXT_BUTTONS, CAP_EXT_BUTTONS }, { PSEUDO_CLIPBOARD, CAP_CLIPBOARD },
};

void vnc_pseudo_encoding(VncClient *c, int32_t e, uint32_t *caps)
{
    EncParams *p = &c->params;

    for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
        if (known[i].number == e) {
            *caps |= known[i].cap;
            return;
        }
    }
    if (e >= PSEUDO_QUALITY_0 && e <= PSEUDO_QUALITY_9) {
        p->quality = e - PSEUDO_QUALITY_0;
    } else if (e >= PSEUDO_COMPRESS_0 && e <= PSEUDO_COMPRESS_9) {
        p->compress = e - PSEUDO_COMPRESS_0;
    } else if (e >= PSEUDO_FINE_0 && e <= PSEUDO_FINE_100) {
        p->fine_quality = e - PSEUDO_FINE_0;
    } else if (e >= PSEUDO_SUBSAMPLING_0 && e <= PSEUDO_SUBSAMPLING_5) {
        p->subsampling = e - PSEUDO_SUBSAMPLING_0;
    } else if (e == PSEUDO_TIGHT_PLAIN) {
        p->tight_plain = true;
    }
}

/* --- messages --- */

void vnc_pseudo_send_fence(VncClient *c, uint32_t flags, const void *payload, unsigned len)
{
    vnc_put_u8(c, 248);
    vnc_put(c, "\0\0", 3);
    vnc_put_u32(c, flags);
    vnc_put_u8(c, len);
    vnc_put(c, payload, len);
}

static void rect_header(uint8_t b[12], int x, int y, int w, int h, int32_t e)
{
    store_be16(b, x);
    store_be16(b + 2, y);
    store_be16(b + 4, w);
    store_be16(b + 6, h);
    store_be32(b + 8, e);
}

void vnc_pseudo_size(VncClient *c, unsigned reason, unsigned status)
{
    static const uint8_t one_rect[4] = { 0, 0, 0, 1 };
    bool ext = c->caps & CAP_EXT_SIZE;
    uint8_t b[12];

    /* A failed request changes nothing. */
    if (!status || reason != 1) {
        c->width = c->screen->width;
        c->height = c->screen->height;
    }
    vnc_put(c, one_rect, 4);
    rect_header(b, ext ? reason : 0, ext ? status : 0, c->width, c->height,
                ext ? PSEUDO_EXT_SIZE : PSEUDO_SIZE);
    vnc_put(c, b, 12);
    if (ext) {                      /* one screen, all of it */
        static const uint8_t count[4] = { 1 };

        vnc_put(c, count, 4);
        vnc_put_u32(c, 0);
        vnc_put_u32(c, 0);
        vnc_put_u16(c, c->width);
        vnc_put_u16(c, c->height);
        vnc_put_u32(c, 0);
    }
}

void vnc_pseudo_announce(VncClient *c, uint32_t before)
{
    uint32_t fresh = c->caps & ~before;

    c->pending |= fresh & (CAP_EXT_KEY | CAP_NAME | CAP_EXT_BUTTONS);
    c->pending |= fresh & (CAP_CURSOR | CAP_ALPHA_CURSOR | CAP_POINTER_POS | CAP_LEDS |
                           CAP_POINTER_MODE);
    if (fresh & CAP_AUDIO && vnc_audio_offered(c)) {
        c->pending |= CAP_AUDIO;
    }
    if (fresh & CAP_FENCE) {
        vnc_pseudo_send_fence(c, BIT(31), "", 0);
    }
    if (fresh & CAP_CONTINUOUS) {
        vnc_put_u8(c, 150);                         /* EndOfContinuousUpdates */
    }
    if (fresh & CAP_XVP && c->server->power_control) {
        static const uint8_t init[4] = { 250, 0, 1, 1 };

        vnc_put(c, init, 4);
    }
    if (c->caps & CAP_CLIPBOARD) {                  /* on each SetEncodings */
        vnc_clip_announce(c);
    }
    vnc_flush(c);
}

/* --- rectangles --- */

static void put_rect(GByteArray *to, int x, int y, int w, int h, int32_t e)
{
    uint8_t b[12];

    rect_header(b, x, y, w, h, e);
    g_byte_array_append(to, b, 12);
}

static uint32_t premultiplied(uint32_t argb)
{
    uint32_t a = argb >> 24, r = (argb >> 16 & 255) * a / 255, g = (argb >> 8 & 255) * a / 255,
             b = (argb & 255) * a / 255;

    return a << 24 | r << 16 | g << 8 | b;
}

/* Always raw: red, green, blue, alpha. */
static void alpha_cursor(GByteArray *to, const ConsoleCursor *cur)
{
    static const uint8_t raw[4] = { 0 };
    int n = cur ? cur->width * cur->height : 0;

    put_rect(to, cur ? cur->hot_x : 0, cur ? cur->hot_y : 0, cur ? cur->width : 0,
             cur ? cur->height : 0, PSEUDO_ALPHA_CURSOR);
    g_byte_array_append(to, raw, 4);
    for (int i = 0; i < n; i++) {
        uint32_t p = premultiplied(cur->argb[i]);
        uint8_t b[4] = { p >> 16, p >> 8, p, p >> 24 };

        g_byte_array_append(to, b, 4);
    }
}

static void cursor(VncClient *c, GByteArray *to, const ConsoleCursor *cur)
{
    unsigned row = DIV_ROUND_UP(cur->width, 8);
    size_t n = (size_t)cur->width * cur->height, bytes = n * c->format->bytes;
    size_t at;
    uint8_t *mask;

    put_rect(to, cur->hot_x, cur->hot_y, cur->width, cur->height, PSEUDO_CURSOR);
    at = to->len;
    g_byte_array_set_size(to, at + bytes + (size_t)row * cur->height);
    mask = to->data + at + bytes;
    memset(mask, 0, (size_t)row * cur->height);
    for (size_t i = 0; i < n; i++) {
        uint32_t v = vnc_value(c->format, cur->argb[i]);

        vnc_put_pixels(c->format, to->data + at + i * c->format->bytes, &v, 1);
        if (cur->argb[i] >> 31) {               /* half opaque and more is shown */
            size_t y = i / cur->width, x = i % cur->width;

            mask[y * row + x / 8] |= 0x80 >> x % 8;
        }
    }
}

/* A client without a shape of the guest's shows a dot, so that its user sees where he is. */
static const ConsoleCursor *shape(VncClient *c, bool *hidden)
{
    const Console *con = c->screen->listener.console;

    *hidden = con && con->cursor && !con->cursor_visible;
    return con ? con->cursor : NULL;
}

static unsigned cursor_rects(VncClient *c, GByteArray *to)
{
    bool hidden;
    const ConsoleCursor *cur = shape(c, &hidden);

    if (!cur) {
        return 0;
    }
    if (c->caps & CAP_ALPHA_CURSOR) {
        alpha_cursor(to, hidden ? NULL : cur);
    } else if (hidden) {
        put_rect(to, 0, 0, 0, 0, PSEUDO_CURSOR);
    } else {
        cursor(c, to, cur);
    }
    return 1;
}

unsigned vnc_pseudo_rects(VncClient *c, GByteArray *to)
{
    const Console *con = c->screen->listener.console;
    uint32_t p = c->pending;
    unsigned n = 0;

    c->pending = 0;
    if (p & (CAP_CURSOR | CAP_ALPHA_CURSOR)) {
        n += cursor_rects(c, to);
    }
    if (p & CAP_POINTER_POS && con && con->cursor) {
        put_rect(to, MAX(con->cursor_x, 0), MAX(con->cursor_y, 0), 0, 0, PSEUDO_POINTER_POS);
        n++;
    }
    if (p & CAP_LEDS) {
        uint8_t leds = c->leds = input_leds();

        put_rect(to, 0, 0, 0, 0, PSEUDO_LEDS);
        g_byte_array_append(to, &leds, 1);
        n++;
    }
    if (p & CAP_POINTER_MODE) {
        InputHandler *h = input_pointer();

        c->absolute = h && h->absolute;
        put_rect(to, c->absolute, 0, c->width, c->height, PSEUDO_POINTER_MODE);
        n++;
    }
    if (p & CAP_NAME) {
        uint8_t b[4];

        store_be32(b, strlen(c->server->name));
        put_rect(to, 0, 0, 0, 0, PSEUDO_NAME);
        g_byte_array_append(to, b, 4);
        g_byte_array_append(to, (const uint8_t *)c->server->name, strlen(c->server->name));
        n++;
    }
    if (p & CAP_EXT_KEY) {
        put_rect(to, 0, 0, c->width, c->height, PSEUDO_EXT_KEY);
        n++;
    }
    if (p & CAP_AUDIO) {
        put_rect(to, 0, 0, c->width, c->height, PSEUDO_AUDIO);
        n++;
    }
    if (p & CAP_EXT_BUTTONS) {
        put_rect(to, 0, 0, 0, 0, PSEUDO_EXT_BUTTONS);
        n++;
    }
    return n;
}

void vnc_pseudo_poll(VncClient *c)
{
    InputHandler *h = input_pointer();

    if (c->caps & CAP_LEDS && c->leds != input_leds()) {
        c->pending |= CAP_LEDS;
    }
    if (c->caps & CAP_POINTER_MODE && c->absolute != (h && h->absolute)) {
        c->pending |= CAP_POINTER_MODE;
    }
}
