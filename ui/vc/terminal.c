/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources: ECMA-48, 5th edition ("E" and a section); Digital VT100 User Guide, chapter 3 ("VT100").
 */
#include "util/osdep.h"
#include "ui/vc/terminal.h"

#include <glib.h>

enum { USUAL_FG = 7, USUAL_BG = 0, TAB = 8 };

static int ring_lines(const VcTerm *t)
{
    return VC_HISTORY + t->rows;
}

/* Line @y of the screen; negative ones have left it. */
static VcCell *line(const VcTerm *t, int y)
{
    int n = ring_lines(t);

    return t->cells + (size_t)((t->first + y + n) % n) * t->cols;
}

const VcCell *vc_term_line(const VcTerm *t, int y)
{
    return line(t, y - t->back);
}

static void touch(VcTerm *t, int from, int to)
{
    t->dirty_from = MIN(t->dirty_from, from);
    t->dirty_to = MAX(t->dirty_to, to);
}

void vc_term_all_dirty(VcTerm *t)
{
    touch(t, 0, t->rows);
}

static void blank(VcTerm *t, int y, int from, int to)
{
    VcCell *l = line(t, y);

    for (int x = MAX(from, 0); x < MIN(to, t->cols); x++) {
        l[x] = (VcCell){ ' ', t->pen.fg, t->pen.bg, 0 };
    }
    touch(t, y, y + 1);
}

/* The lines from @top up to @bottom go up by @n; negative: down. */
static void scroll(VcTerm *t, int top, int bottom, int n)
{
    int height = bottom - top, k = MIN(n < 0 ? -n : n, height);

    if (n > 0 && top == 0 && bottom == t->rows) {
        t->first = (t->first + k) % ring_lines(t);
        t->history = MIN(t->history + k, VC_HISTORY);
    } else {
        for (int i = 0; i < height - k; i++) {
            int to = n > 0 ? top + i : bottom - 1 - i, from = n > 0 ? to + k : to - k;

            memcpy(line(t, to), line(t, from), sizeof(VcCell) * (size_t)t->cols);
        }
    }
    for (int i = 0; i < k; i++) {
        blank(t, n > 0 ? bottom - 1 - i : top + i, 0, t->cols);
    }
    touch(t, top, bottom);
}

static void move_to(VcTerm *t, int x, int y)
{
    touch(t, t->y, t->y + 1);
    t->x = MAX(0, MIN(x, t->cols - 1));
    t->y = MAX(0, MIN(y, t->rows - 1));
    touch(t, t->y, t->y + 1);
}

static void line_feed(VcTerm *t)
{
    if (t->y == t->bottom - 1) {
        scroll(t, t->top, t->bottom, 1);
    } else {
        move_to(t, t->x, t->y + 1);
    }
}

static void reverse_line_feed(VcTerm *t)
{
    if (t->y == t->top) {
        scroll(t, t->top, t->bottom, -1);
    } else {
        move_to(t, t->x, t->y - 1);
    }
}

static void put(VcTerm *t, uint32_t ch)
{
    VcCell *l;

    if (t->x >= t->cols) {
        if (t->wraps) {
            t->x = 0;
            line_feed(t);
        } else {
            t->x = t->cols - 1;
        }
    }
    l = line(t, t->y);
    l[t->x] = t->pen;
    l[t->x].ch = ch;
    t->x++;
    touch(t, t->y, t->y + 1);
}

static void reset(VcTerm *t)
{
    t->pen = (VcCell){ ' ', USUAL_FG, USUAL_BG, 0 };
    t->top = 0;
    t->bottom = t->rows;
    t->x = t->y = 0;
    t->cursor_on = t->wraps = true;
    t->saved.x = t->saved.y = 0;
    t->saved.pen = t->pen;
    for (int y = 0; y < t->rows; y++) {
        blank(t, y, 0, t->cols);
    }
}

/* --- sequences --- */

static int param(const VcTerm *t, int i, int otherwise)
{
    return i < t->n_params && t->params[i] > 0 ? t->params[i] : otherwise;
}

/* E 8.3.117, SGR. */
static void set_pen(VcTerm *t)
{
    for (int i = 0; i < MAX(t->n_params, 1); i++) {
        int p = param(t, i, 0);

        if (p == 0) {
            t->pen = (VcCell){ ' ', USUAL_FG, USUAL_BG, 0 };
        } else if (p == 1) {
            t->pen.attr |= VC_BOLD;
        } else if (p == 4) {
            t->pen.attr |= VC_UNDERLINE;
        } else if (p == 7) {
            t->pen.attr |= VC_REVERSE;
        } else if (p == 22) {
            t->pen.attr &= (uint8_t)~VC_BOLD;
        } else if (p == 24) {
            t->pen.attr &= (uint8_t)~VC_UNDERLINE;
        } else if (p == 27) {
            t->pen.attr &= (uint8_t)~VC_REVERSE;
        } else if ((p >= 30 && p <= 37) || p == 39) {
            t->pen.fg = p == 39 ? USUAL_FG : (uint8_t)(p - 30);
        } else if ((p >= 40 && p <= 47) || p == 49) {
            t->pen.bg = p == 49 ? USUAL_BG : (uint8_t)(p - 40);
        } else if (p >= 90 && p <= 97) {
            t->pen.fg = (uint8_t)(p - 90 + 8);
        } else if (p >= 100 && p <= 107) {
            t->pen.bg = (uint8_t)(p - 100 + 8);
        } else if (p == 38 || p == 48) {
            i += param(t, i + 1, 0) == 5 ? 2 : 4;       /* of 256 or 16 million: not shown */
        }
    }
}

/* E 8.3.39, ED; 8.3.41, EL. */
static void erase_screen(VcTerm *t, int what)
{
    int from = what == 0 ? t->y + 1 : 0, to = what == 1 ? t->y : t->rows;

    if (what == 0) {
        blank(t, t->y, t->x, t->cols);
    } else if (what == 1) {
        blank(t, t->y, 0, t->x + 1);
    }
    for (int y = from; y < to; y++) {
        blank(t, y, 0, t->cols);
    }
}

static void erase_line(VcTerm *t, int what)
{
    blank(t, t->y, what == 0 ? t->x : 0, what == 1 ? t->x + 1 : t->cols);
}

/* ICH, DCH: what is right of the cursor moves. */
static void shift(VcTerm *t, int n)
{
    VcCell *l = line(t, t->y);
    int x = MIN(t->x, t->cols - 1), room = t->cols - x, k = MIN(n < 0 ? -n : n, room);

    if (n > 0) {
        memmove(l + x + k, l + x, sizeof(VcCell) * (size_t)(room - k));
        blank(t, t->y, x, x + k);
    } else {
        memmove(l + x, l + x + k, sizeof(VcCell) * (size_t)(room - k));
        blank(t, t->y, t->cols - k, t->cols);
    }
}

static void set_modes(VcTerm *t, bool on)
{
    for (int i = 0; i < t->n_params && t->private; i++) {
        if (t->params[i] == 7) {                        /* VT100, DECAWM */
            t->wraps = on;
        } else if (t->params[i] == 25) {                /* VT220, DECTCEM */
            t->cursor_on = on;
            touch(t, t->y, t->y + 1);
        }
    }
}

static void report(VcTerm *t)
{
    char text[32];

    if (!t->answer) {
        return;
    }
    if (param(t, 0, 0) == 5) {
        t->answer(t->opaque, "\033[0n");                /* E 8.3.35, DSR: ready */
    } else if (param(t, 0, 0) == 6) {                   /* E 8.3.14, CPR */
        snprintf(text, sizeof(text), "\033[%d;%dR", t->y + 1, MIN(t->x, t->cols - 1) + 1);
        t->answer(t->opaque, text);
    }
}

static void save_cursor(VcTerm *t)
{
    t->saved.x = t->x;
    t->saved.y = t->y;
    t->saved.pen = t->pen;
}

static void restore_cursor(VcTerm *t)
{
    t->pen = t->saved.pen;
    move_to(t, t->saved.x, t->saved.y);
}

static void set_region(VcTerm *t)
{
    int top = param(t, 0, 1) - 1, bottom = MIN(param(t, 1, t->rows), t->rows);

    if (top < bottom - 1) {                             /* VT100, DECSTBM: two lines at least */
        t->top = top;
        t->bottom = bottom;
        move_to(t, 0, 0);
    }
}

static void sequence(VcTerm *t, char final)
{
    int n = MIN(param(t, 0, 1), 10000);

    switch (final) {
    case 'A': move_to(t, t->x, t->y - n); break;
    case 'B': case 'e': move_to(t, t->x, t->y + n); break;
    case 'C': case 'a': move_to(t, t->x + n, t->y); break;
    case 'D': move_to(t, MIN(t->x, t->cols - 1) - n, t->y); break;
    case 'E': move_to(t, 0, t->y + n); break;
    case 'F': move_to(t, 0, t->y - n); break;
    case 'G': case '`': move_to(t, n - 1, t->y); break;
    case 'H': case 'f': move_to(t, param(t, 1, 1) - 1, n - 1); break;
    case 'd': move_to(t, t->x, n - 1); break;
    case 'J': erase_screen(t, param(t, 0, 0)); break;
    case 'K': erase_line(t, param(t, 0, 0)); break;
    case 'L':
        if (t->y >= t->top && t->y < t->bottom) {
            scroll(t, t->y, t->bottom, -n);
        }
        break;
    case 'M':
        if (t->y >= t->top && t->y < t->bottom) {
            scroll(t, t->y, t->bottom, n);
        }
        break;
    case 'S': scroll(t, t->top, t->bottom, n); break;
    case 'T': scroll(t, t->top, t->bottom, -n); break;
    case '@': shift(t, n); break;
    case 'P': shift(t, -n); break;
    case 'X': blank(t, t->y, t->x, t->x + n); break;
    case 'm': set_pen(t); break;
    case 'r': set_region(t); break;
    case 's': save_cursor(t); break;
    case 'u': restore_cursor(t); break;
    case 'h': set_modes(t, true); break;
    case 'l': set_modes(t, false); break;
    case 'n': report(t); break;
    case 'c':
        if (t->answer && !t->private) {
            t->answer(t->opaque, "\033[?6c");           /* VT100, DA: a VT102 */
        }
        break;
    default: break;
    }
}

/* --- bytes --- */

static void control(VcTerm *t, uint8_t c)
{
    switch (c) {
    case '\b':
        move_to(t, MIN(t->x, t->cols) - 1, t->y);
        break;
    case '\t':
        move_to(t, (t->x / TAB + 1) * TAB, t->y);
        break;
    case '\n': case '\v': case '\f':
        line_feed(t);
        break;
    case '\r':
        move_to(t, 0, t->y);
        break;
    case 0x1b:
        t->state = VC_ESC;
        break;
    default:
        break;
    }
}

static void escape(VcTerm *t, uint8_t c)
{
    t->state = VC_TEXT;
    switch (c) {
    case '[':
        t->state = VC_CSI;
        t->n_params = 0;
        t->private = false;
        memset(t->params, 0, sizeof(t->params));
        break;
    case ']':
        t->state = VC_OSC;
        break;
    case '(': case ')': case '#':
        t->state = VC_CHARSET;
        break;
    case '7': save_cursor(t); break;
    case '8': restore_cursor(t); break;
    case 'D': line_feed(t); break;
    case 'M': reverse_line_feed(t); break;
    case 'E':
        move_to(t, 0, t->y);
        line_feed(t);
        break;
    case 'c': reset(t); break;
    default: break;
    }
}

static void csi(VcTerm *t, uint8_t c)
{
    int *p;

    if (c >= '0' && c <= '9') {
        t->n_params = MAX(t->n_params, 1);
        p = &t->params[t->n_params - 1];
        *p = MIN(*p * 10 + (c - '0'), 100000);
    } else if (c == ';') {
        t->n_params = MIN(MAX(t->n_params, 1) + 1, (int)ARRAY_SIZE(t->params));
        t->params[t->n_params - 1] = 0;
    } else if (c == '?') {
        t->private = true;
    } else if (c >= 0x40 && c < 0x7f) {
        t->state = VC_TEXT;
        sequence(t, (char)c);
    } else if (c < 0x20) {
        control(t, c);
    }
}

static void text(VcTerm *t, uint8_t c)
{
    if (t->utf8_left && (c & 0xc0) == 0x80) {
        t->utf8 = t->utf8 << 6 | (c & 0x3f);
        if (--t->utf8_left == 0) {
            put(t, t->utf8);
        }
        return;
    }
    t->utf8_left = 0;
    if (c < 0x20) {
        control(t, c);
    } else if (c < 0x7f) {
        put(t, c);
    } else if (c >= 0xc2 && c < 0xf5) {
        t->utf8_left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        t->utf8 = c & (0x3fU >> t->utf8_left);
    }
}

void vc_term_write(VcTerm *t, const uint8_t *s, size_t len)
{
    if (t->back) {
        t->back = 0;                    /* news: the user sees them */
        vc_term_all_dirty(t);
    }
    for (size_t i = 0; i < len; i++) {
        switch (t->state) {
        case VC_TEXT:
            text(t, s[i]);
            break;
        case VC_ESC:
            escape(t, s[i]);
            break;
        case VC_CSI:
            csi(t, s[i]);
            break;
        case VC_CHARSET:
            t->state = VC_TEXT;
            break;
        case VC_OSC:                    /* titles and the like, up to BEL or ESC \ */
            t->state = s[i] == 7 ? VC_TEXT : s[i] == 0x1b ? VC_CHARSET : VC_OSC;
            break;
        }
    }
}

void vc_term_scroll_back(VcTerm *t, int lines)
{
    int back = MAX(0, MIN(t->back + lines, t->history));

    if (back != t->back) {
        t->back = back;
        vc_term_all_dirty(t);
    }
}

void vc_term_init(VcTerm *t, int cols, int rows)
{
    *t = (VcTerm){ .cols = cols, .rows = rows, .dirty_from = rows };
    t->cells = g_new0(VcCell, (size_t)(VC_HISTORY + rows) * (size_t)cols);
    reset(t);
}

void vc_term_cleanup(VcTerm *t)
{
    g_free(t->cells);
}
