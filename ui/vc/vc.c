/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "ui/vc/vc.h"

#include <glib.h>
#include "chardev/char-int.h"
#include "ui/core/console.h"
#include "ui/core/keysyms.h"
#include "ui/vc/font.h"
#include "ui/vc/terminal.h"

enum { USUAL_COLS = 80, USUAL_ROWS = 24, CELLS_MAX = 512, INPUT_MAX = 4096 };

typedef struct VcChardev {
    Chardev parent;
    const VcFont *font;
    VcTerm term;
    Console *con;
    GString *typed;             /* not yet taken by the front end */
} VcChardev;

/* Black, red, green, yellow, blue, magenta, cyan, white; then the bright ones (E 8.3.117). */
static const uint32_t palette[16] = {
    0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa,
    0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
};

/* --- painting --- */

static void paint_cell(VcChardev *s, int x, int y, const VcCell *c, bool cursor)
{
    const uint8_t *glyph = vc_font_glyph(s->font, c->ch);
    bool reverse = !(c->attr & VC_REVERSE) != !cursor;
    uint32_t fg = palette[c->fg < 8 && c->attr & VC_BOLD ? c->fg + 8 : c->fg], bg = palette[c->bg];

    for (unsigned row = 0; row < s->font->height; row++) {
        uint32_t *p = console_line(s->con, y * (int)s->font->height + (int)row) + x * (int)s->font->width;
        bool under = c->attr & VC_UNDERLINE && row + 2 == s->font->height;

        for (unsigned i = 0; i < s->font->width; i++) {
            bool on = under || glyph[row * s->font->row_bytes + i / 8] & (0x80 >> i % 8);

            p[i] = on != reverse ? fg : bg;
        }
    }
}

static void update(void *opaque)
{
    VcChardev *s = opaque;
    VcTerm *t = &s->term;
    int from = MAX(t->dirty_from, 0), to = MIN(t->dirty_to, t->rows), height = (int)s->font->height;

    for (int y = from; y < to; y++) {
        const VcCell *l = vc_term_line(t, y);
        bool here = t->cursor_on && y - t->back == t->y;

        for (int x = 0; x < t->cols; x++) {
            paint_cell(s, x, y, &l[x], here && x == MIN(t->x, t->cols - 1));
        }
    }
    t->dirty_from = t->rows;
    t->dirty_to = 0;
    if (from < to) {
        console_damage(s->con, 0, from * height, t->cols * (int)s->font->width, (to - from) * height);
    }
}

static void invalidate(void *opaque)
{
    vc_term_all_dirty(&((VcChardev *)opaque)->term);
}

/* --- keys --- */

static void give(VcChardev *s)
{
    while (s->typed->len) {
        size_t n = MIN(chr_be_can_receive(&s->parent), s->typed->len);

        if (!n) {
            return;                     /* accept_input comes */
        }
        {
            g_autofree uint8_t *copy = g_memdup2(s->typed->str, n);

            g_string_erase(s->typed, 0, (gssize)n);
            chr_be_receive(&s->parent, copy, n);
        }
    }
}

static void type(void *opaque, const char *text)
{
    VcChardev *s = opaque;

    if (s->typed->len + strlen(text) <= INPUT_MAX) {
        g_string_append(s->typed, text);
    }
    give(s);
}

/* The sequences that xterm and the Linux console send. */
static const struct { uint32_t keysym; const char *text; } special[] = {
    { KEYSYM_BACKSPACE, "\177" }, { KEYSYM_TAB, "\t" }, { KEYSYM_RETURN, "\r" }, { KEYSYM_KP_ENTER, "\r" },
    { KEYSYM_ESCAPE, "\033" }, { KEYSYM_DELETE, "\033[3~" }, { KEYSYM_INSERT, "\033[2~" },
    { KEYSYM_HOME, "\033[1~" }, { KEYSYM_END, "\033[4~" }, { KEYSYM_UP, "\033[A" }, { KEYSYM_DOWN, "\033[B" },
    { KEYSYM_RIGHT, "\033[C" }, { KEYSYM_LEFT, "\033[D" },
};

static void key(void *opaque, uint32_t keysym, bool ctrl)
{
    VcChardev *s = opaque;
    char text[8] = { 0 };

    if (keysym == KEYSYM_PAGE_UP || keysym == KEYSYM_PAGE_DOWN) {
        int page = s->term.rows - 1;

        vc_term_scroll_back(&s->term, keysym == KEYSYM_PAGE_UP ? page : -page);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
        if (special[i].keysym == keysym) {
            type(s, special[i].text);
            return;
        }
    }
    if (ctrl && keysym >= '@' && keysym < 0x7f) {
        text[0] = (char)(keysym & 0x1f);
        if (text[0]) {
            type(s, text);
        }
    } else if ((keysym >= 0x20 && keysym < 0x7f) || (keysym >= 0xa0 && keysym <= 0xff)) {
        g_unichar_to_utf8(keysym, text);
        type(s, text);
    }
}

static const ConsoleOps console_ops = { .update = update, .invalidate = invalidate, .key = key };

/* --- the character device --- */

static bool vc_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    VcChardev *s = (VcChardev *)chr;
    const ChardevVC *o = backend->u.vc.data;
    int64_t cols, rows;

    s->font = vc_font(errp);
    if (!s->font) {
        return false;
    }
    cols = o->has_cols ? o->cols : o->has_width ? o->width / s->font->width : USUAL_COLS;
    rows = o->has_rows ? o->rows : o->has_height ? o->height / s->font->height : USUAL_ROWS;
    if (cols < 1 || rows < 1 || cols > CELLS_MAX || rows > CELLS_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "a console of %" PRId64 " columns and %" PRId64 " rows can't be; "
                   "accepted: 1 to %d of each", cols, rows, CELLS_MAX);
        return false;
    }
    vc_term_init(&s->term, (int)cols, (int)rows);
    s->term.answer = type;
    s->term.opaque = s;
    s->typed = g_string_new(NULL);
    s->con = console_new(NULL, 0, &console_ops, s);
    console_set_size(s->con, (int)cols * (int)s->font->width, (int)rows * (int)s->font->height);
    vc_term_all_dirty(&s->term);
    chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static void vc_close(Chardev *chr)
{
    VcChardev *s = (VcChardev *)chr;

    if (s->con) {
        console_free(s->con);
        vc_term_cleanup(&s->term);
        g_string_free(s->typed, TRUE);
    }
}

static ssize_t vc_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    vc_term_write(&((VcChardev *)chr)->term, buf, len);
    return (ssize_t)len;
}

static void vc_accept_input(Chardev *chr)
{
    VcChardev *s = (VcChardev *)chr;

    if (s->typed) {
        give(s);
    }
}

static const ChardevOps vc_ops = {
    .kind = CHARDEV_BACKEND_KIND_VC, .args = "[width=PIXELS,height=PIXELS | cols=N,rows=N]",
    .size = sizeof(VcChardev), .open = vc_open, .close = vc_close, .write = vc_write,
    .accept_input = vc_accept_input,
};

void vc_register(void)
{
    chardev_register(&vc_ops);
}

bool vc_possible(void)
{
    return vc_font(NULL) != NULL;
}
