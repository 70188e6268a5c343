/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures in the clipboard: PNG (ISO/IEC 15948) and BMP, one from the other. Any thread. */
#ifndef UI_CORE_CLIP_IMAGE_H
#define UI_CORE_CLIP_IMAGE_H

#include <glib.h>
#include "util/osdep.h"

#define CLIP_BMP_HEAD   14      /* bytes of a BMP before what Windows calls a DIB */

/* NULL: it isn't one, or one of more than @max bytes as BMP. */
GBytes *clip_bmp_from_png(GBytes *png, size_t max);
/* Of 24 and 32 bits without compression; NULL if it isn't one. */
GBytes *clip_png_from_bmp(GBytes *bmp);
/* A DIB with a BMP's header in front; NULL if it isn't one. */
GBytes *clip_bmp_from_dib(const uint8_t *dib, size_t len);

#endif
