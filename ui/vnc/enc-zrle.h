/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ZYWRLE shares with ZRLE. */
#ifndef UI_VNC_ENC_ZRLE_H
#define UI_VNC_ENC_ZRLE_H

#include "ui/vnc/enc.h"

/* Makes of a tile's @w * @h pixels of ours the values to be sent. */
typedef void ZrleFilter(const EncParams *p, uint32_t *pixels, int w, int h);
void enc_zrle_tiles(EncOut *o, const EncParams *p, const EncPicture *pic, int32_t encoding,
                    ZrleFilter *filter);

#endif
