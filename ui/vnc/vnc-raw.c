/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output to a client, and Raw encoding (RFC 6143, 7.7.1). */
#include "util/osdep.h"
#include <glib.h>
#include "ui/vnc/vnc-int.h"
#include "util/bswap.h"

void vnc_put(VncClient *c, const void *data, size_t len)
{
    g_byte_array_append(c->out, data, len);
}

void vnc_put_u8(VncClient *c, uint8_t v)
{
    vnc_put(c, &v, 1);
}

void vnc_put_u16(VncClient *c, uint16_t v)
{
    uint8_t b[2];

    store_be16(b, v);
    vnc_put(c, b, 2);
}

void vnc_put_u32(VncClient *c, uint32_t v)
{
    uint8_t b[4];

    store_be32(b, v);
    vnc_put(c, b, 4);
}

static uint32_t convert(const VncPixelFormat *f, uint32_t rgb)
{
    uint32_t r = (rgb >> 16 & 255) * f->red_max / 255, g = (rgb >> 8 & 255) * f->green_max / 255,
             b = (rgb & 255) * f->blue_max / 255;

    return r << f->red_shift | g << f->green_shift | b << f->blue_shift;
}

void vnc_send_raw(VncClient *c, int x, int y, int w, int h)
{
    const Console *con = c->listener.console;
    const VncPixelFormat *f = &c->format;
    unsigned bytes = f->bits / 8;
    size_t at = c->out->len;
    uint8_t *p;

    g_byte_array_set_size(c->out, at + (size_t)w * h * bytes);
    p = c->out->data + at;
    for (int row = 0; row < h; row++) {
        const uint32_t *line = console_line(con, y + row) + x;

        for (int i = 0; i < w; i++, p += bytes) {
            uint32_t v = convert(f, line[i]);

            if (f->big_endian) {
                store_be(p, bytes, v);
            } else {
                store_le(p, bytes, v);
            }
        }
    }
}
