/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal of characters: text and the control sequences of ECMA-48 and DEC's VT100 that monitors, shells and
 * kernels use. It knows cells, not pixels. Big lock.
 */
#ifndef UI_VC_TERMINAL_H
#define UI_VC_TERMINAL_H

#include "util/osdep.h"

#define VC_HISTORY  1000        /* lines that have left at the top */

enum { VC_BOLD = 1, VC_UNDERLINE = 2, VC_REVERSE = 4 };

typedef struct VcCell {
    uint32_t ch;
    uint8_t fg, bg, attr;       /* colors 0 to 15 */
} VcCell;

typedef struct VcTerm {
    int cols, rows;
    VcCell *cells;              /* a ring of VC_HISTORY + rows lines */
    int first;                  /* the ring's line that is the screen's first */
    int history;                /* lines above it that hold text */
    int back;                   /* lines that the user has gone up */
    int x, y;                   /* cursor; x may be cols: the next character wraps */
    bool cursor_on, wraps;
    VcCell pen;                 /* color and attributes of what comes */
    int top, bottom;            /* of the lines that scroll */
    struct { int x, y; VcCell pen; } saved;
    /* of what is being read */
    enum { VC_TEXT, VC_ESC, VC_CSI, VC_CHARSET, VC_OSC } state;
    int params[16], n_params;
    bool private;
    uint32_t utf8;
    unsigned utf8_left;
    /* Lines of the screen that look different now. */
    int dirty_from, dirty_to;
    /* What the terminal says itself; may be NULL. */
    void (*answer)(void *opaque, const char *text);
    void *opaque;
} VcTerm;

void vc_term_init(VcTerm *t, int cols, int rows);
void vc_term_cleanup(VcTerm *t);
void vc_term_write(VcTerm *t, const uint8_t *text, size_t len);
/* What the user sees in line @y; @cols cells. */
const VcCell *vc_term_line(const VcTerm *t, int y);
/* The user goes up (positive) or down. */
void vc_term_scroll_back(VcTerm *t, int lines);
void vc_term_all_dirty(VcTerm *t);

#endif
