/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ZYWRLE shares with ZRLE. */
#ifndef UI_VNC_ENC_ZRLE_H
#define UI_VNC_ENC_ZRLE_H

#include "ui/vnc/enc.h"

/* How ZYWRLE's tiles differ from ZRLE's. */
typedef struct ZrleForm {
    /* Tiles that would be sent as pixels are sent as a tile of what this makes of their values. NULL: no. */
    void (*filter)(const VncFormat *f, unsigned levels, uint32_t *values, int w, int h);
    unsigned levels;            /* it makes them about a 2^levels-th */
    bool no_pixels;             /* without loss: a viewer would transform what comes as pixels */
} ZrleForm;

/* @form NULL: ZRLE. */
void enc_zrle_tiles(EncOut *o, const EncParams *p, const EncPicture *pic, int32_t encoding,
                    const ZrleForm *form);

#endif
