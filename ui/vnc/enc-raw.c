/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw: the pixels as they are (RFC 6143, 7.7.1). */
#include "util/osdep.h"
#include "ui/vnc/enc.h"

void enc_raw(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    size_t n = (size_t)pic->w * pic->h;

    enc_rect(o, pic->x, pic->y, pic->w, pic->h, ENC_RAW);
    vnc_put_pixels(p->format, enc_room(o, n * p->format->bytes), pic->values, n);
}
