/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A console font of the host, in PC Screen Font's format (version 1 and 2, gzipped or not): read once,
 * constant afterwards. Big lock.
 */
#ifndef UI_VC_FONT_H
#define UI_VC_FONT_H

#include "qobject/error.h"

typedef struct VcFont {
    unsigned width, height;     /* pixels; up to 32 */
    unsigned n_glyphs, row_bytes;
    uint8_t *bits;              /* of the glyphs, one after the other; rows from the top, most significant bit left */
    void *by_char;              /* GHashTable: character to glyph number + 1 */
} VcFont;

/* The first one that is installed; NULL with *errp set: none, and which package has one. */
const VcFont *vc_font(Error **errp);
/* For tests: a font from a file's content; NULL with *errp set. */
VcFont *vc_font_parse(const uint8_t *data, size_t len, Error **errp);
void vc_font_free(VcFont *f);
/* A question mark for what the font doesn't have. */
const uint8_t *vc_font_glyph(const VcFont *f, uint32_t ch);

#endif
