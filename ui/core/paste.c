/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include "ui/core/input.h"
#include "ui/core/paste.h"
#include "util/timer.h"

#define KEY_SHIFT_L     0x2a
#define KEY_ALT_R       0xb8

/* The one text that is being typed. */
static struct {
    GArray *strokes;            /* of KeymapStroke; NULL: nothing is */
    size_t at;
    int64_t between_ns;
    bool ready;
    Timer timer;
} job;

static void press(const KeymapStroke *s)
{
    const struct { unsigned held, number; } held[] = { { KEYMAP_SHIFT, KEY_SHIFT_L }, { KEYMAP_ALTGR, KEY_ALT_R } };

    for (unsigned i = 0; i < ARRAY_SIZE(held); i++) {
        if (s->held & held[i].held) {
            input_key(held[i].number, true);
        }
    }
    input_key(s->number, true);
    input_key(s->number, false);
    for (unsigned i = ARRAY_SIZE(held); i-- > 0; ) {
        if (s->held & held[i].held) {
            input_key(held[i].number, false);
        }
    }
    input_sync();
}

void paste_cancel(void)
{
    if (job.strokes) {
        timer_del(&job.timer);
        g_array_unref(job.strokes);
        job.strokes = NULL;
    }
}

static void next(UNUSED void *opaque)
{
    press(&g_array_index(job.strokes, KeymapStroke, job.at++));
    if (job.at == job.strokes->len) {
        paste_cancel();
    } else {
        timer_mod_ns(&job.timer, clock_get_ns(CLOCK_VIRTUAL) + job.between_ns);
    }
}

size_t paste_left(void)
{
    return job.strokes ? job.strokes->len - job.at : 0;
}

/* NULL: a character isn't on the keyboard. */
static GArray *strokes_of(const char *text, const Keymap *map, Error **errp)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(KeymapStroke));

    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        KeymapStroke s[2];
        unsigned n;

        if (c == '\r') {
            continue;
        }
        n = keymap_strokes(map, c, s);
        if (!n) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "the character U+%04X isn't on this keyboard", (unsigned)c);
            g_array_unref(all);
            return NULL;
        }
        g_array_append_vals(all, s, n);
    }
    return all;
}

static bool start(const char *text, const Keymap *map, unsigned rate, Error **errp)
{
    GArray *strokes;

    if (job.strokes) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "%zu keys of another text are still to be typed; an empty text ends that",
                   paste_left());
        return false;
    }
    if (!g_utf8_validate(text, -1, NULL) || g_utf8_strlen(text, -1) > PASTE_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'text' has more than %d characters, or isn't UTF-8", PASTE_MAX);
        return false;
    }
    strokes = strokes_of(text, map, errp);
    if (!strokes) {
        return false;
    }
    if (!job.ready) {
        job.ready = true;
        timer_init_ns(&job.timer, CLOCK_VIRTUAL, next, NULL);
    }
    job.strokes = strokes;
    job.at = 0;
    job.between_ns = NS_PER_SECOND / rate;
    if (strokes->len) {
        timer_mod_ns(&job.timer, clock_get_ns(CLOCK_VIRTUAL));
    } else {
        paste_cancel();
    }
    return true;
}

bool paste_text(const char *text, Keymap *map, unsigned rate, Error **errp)
{
    bool ok = start(text, map, rate, errp);

    keymap_free(map);
    return ok;
}
