/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include "ui/core/clipboard.h"
#include "ui/core/screen-text.h"

/* Who owns the clipboard after a copy: the data is there already. */
static ClipPeer screen = { .name = "screen" };

static void strip_end(GString *s, char c, size_t least)
{
    while (s->len > least && s->str[s->len - 1] == c) {
        g_string_truncate(s, s->len - 1);
    }
}

char *screen_text(Console *c, unsigned x, unsigned y, unsigned columns, unsigned rows, Error **errp)
{
    int across = 0, down = 0;
    g_autofree uint32_t *cells = c->ops->text ? c->ops->text(c->opaque, &across, &down) : NULL;
    GString *s;

    if (!cells) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "the screen shows a picture, not text");
        return NULL;
    }
    if (x >= (unsigned)across || y >= (unsigned)down || columns > across - x || rows > down - y) {
        error_setf(errp, ERR_OUT_OF_RANGE, "%u columns and %u rows at %u,%u; the screen has %d and %d", columns, rows, x, y, across,
                   down);
        return NULL;
    }
    columns = columns ? columns : across - x;
    rows = rows ? rows : down - y;
    s = g_string_new(NULL);
    for (unsigned r = y; r < y + rows; r++) {
        size_t start = s->len;

        for (unsigned k = x; k < x + columns; k++) {
            g_string_append_unichar(s, cells[r * across + k]);
        }
        strip_end(s, ' ', start);
        g_string_append_c(s, '\n');
    }
    strip_end(s, '\n', 0);
    if (s->len) {
        g_string_append_c(s, '\n');
    }
    return g_string_free(s, FALSE);
}

void screen_text_to_clipboard(const char *text)
{
    if (!clipboard_is_peer(&screen)) {
        clipboard_add(&screen);
    }
    clipboard_claim(&screen, BIT(CLIP_TEXT));
    clipboard_provide(&screen, CLIP_TEXT, text, strlen(text));
}
