/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw: the pixels as they are (RFC 6143, 7.7.1). */
#include "util/osdep.h"
#include "ui/vnc/enc.h"

void enc_raw(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    uint8_t *to;

    enc_rect(o, pic->x, pic->y, pic->w, pic->h, ENC_RAW);
    to = enc_room(o, (size_t)pic->w * pic->h * p->format->bytes);
    for (int y = 0; y < pic->h; y++) {
        to = vnc_put_pixels(p->format, to, enc_line(pic, y), pic->w);
    }
}
