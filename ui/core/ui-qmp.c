/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about the screen and about input. */
#include "util/osdep.h"
#include <glib.h>
#include "qapi/commands-ui.h"
#include "ui/core/clipboard.h"
#include "ui/core/console.h"
#include "ui/core/input.h"
#include "ui/core/key-queue.h"
#include "ui/core/paste.h"
#include "ui/core/screen-text.h"

#define SEND_KEY_MAX        16
#define HOLD_DEFAULT_MS     100
#define HOLD_MAX_MS         60000

/* input.c's table is in the order of QKeyCode. */
_Static_assert(Q_KEY_CODE_F11 == 92 && Q_KEY_CODE_LANG2 == 149, "QKeyCode's order");

bool qmp_screendump(const char *filename, const char *device, bool has_head, int64_t head,
                    bool has_format, ImageFormat format, Error **errp)
{
    Console *c = console_find(device, has_head ? (int)head : -1, errp);

    if (!c) {
        return false;
    }
    console_refresh(c);
    return console_dump(c, filename, has_format && format == IMAGE_FORMAT_PNG, errp);
}

static bool key_number(const KeyValue *k, unsigned *number, Error **errp)
{
    if (k->type == KEY_VALUE_KIND_QCODE) {
        *number = input_qcode_to_number(k->u.qcode.data);
    } else {
        *number = k->u.number.data < 0 || k->u.number.data > 255 ? 0 : k->u.number.data;
    }
    if (!*number) {
        error_setf(errp, ERR_OUT_OF_RANGE, "a key that no PC keyboard has; accepted: names of "
                   "QKeyCode but unmapped, numbers from 1 to 255");
        return false;
    }
    return true;
}

bool qmp_send_key(const KeyValueList *keys, bool has_hold_time, int64_t hold_time, Error **errp)
{
    int64_t ms = has_hold_time ? hold_time : HOLD_DEFAULT_MS;
    unsigned number[SEND_KEY_MAX];

    if (keys->n > SEND_KEY_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "%zu keys; accepted: up to %d", keys->n, SEND_KEY_MAX);
        return false;
    }
    if (ms < 0 || ms > HOLD_MAX_MS) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'hold-time' is %" PRId64 "; accepted: 0 to %d", ms,
                   HOLD_MAX_MS);
        return false;
    }
    for (size_t i = 0; i < keys->n; i++) {
        if (!key_number(keys->items[i], &number[i], errp)) {
            return false;
        }
    }
    /* Whole, or a key would stay down. */
    if (key_queue_room() < 2 * keys->n + 2) {
        error_setf(errp, ERR_OUT_OF_RANGE, "%u keys and pauses wait to be typed; accepted: up to %u",
                   KEY_QUEUE_MAX - key_queue_room(), KEY_QUEUE_MAX);
        error_hint(errp, "they go on when the guest runs");
        return false;
    }
    for (size_t i = 0; i < keys->n; i++) {
        key_queue_key(number[i], true);
    }
    key_queue_delay(ms);
    for (size_t i = keys->n; i-- > 0;) {
        key_queue_key(number[i], false);
    }
    key_queue_delay(ms);                /* before the keys of the next command */
    return true;
}

static bool check_event(const InputEvent *e, Error **errp)
{
    unsigned number;

    return e->type != INPUT_EVENT_KIND_KEY || key_number(e->u.key.data->key, &number, errp);
}

static void move(const InputMoveEvent *m, bool absolute, int place[2])
{
    int value = m->value < INT32_MIN ? INT32_MIN : m->value > INT32_MAX ? INT32_MAX : (int)m->value;

    if (absolute) {
        place[m->axis] = MAX(0, MIN(value, INPUT_ABS_MAX));
        input_abs(place[0], place[1]);
    } else if (m->axis == INPUT_AXIS_X) {
        input_rel(value, 0);
    } else {
        input_rel(0, value);
    }
}

bool qmp_input_send_event(const char *device, bool has_head, int64_t head,
                          const InputEventList *events, Error **errp)
{
    static int place[2];                /* last absolute position given */
    unsigned number;

    if (device && !console_find(device, has_head ? (int)head : -1, errp)) {
        return false;
    }
    for (size_t i = 0; i < events->n; i++) {
        if (!check_event(events->items[i], errp)) {
            return false;
        }
    }
    for (size_t i = 0; i < events->n; i++) {
        const InputEvent *e = events->items[i];

        switch (e->type) {
        case INPUT_EVENT_KIND_KEY:
            key_number(e->u.key.data->key, &number, NULL);
            input_key(number, e->u.key.data->down);
            break;
        case INPUT_EVENT_KIND_BTN:
            input_button(e->u.btn.data->button, e->u.btn.data->down);
            break;
        case INPUT_EVENT_KIND_REL:
        case INPUT_EVENT_KIND_ABS:
            move(e->u.rel.data, e->type == INPUT_EVENT_KIND_ABS, place);
            break;
        default:
            break;
        }
    }
    input_sync();
    return true;
}

MouseInfoList *qmp_query_mice(UNUSED Error **errp)
{
    MouseInfoList *list = qapi_new(MouseInfoList);
    InputHandler *current = input_pointer();

    for (InputHandler *h = input_first(); h; h = h->next) {
        MouseInfo *m;

        if (!h->rel && !h->abs) {
            continue;
        }
        m = qapi_new(MouseInfo);
        m->name = strdup(h->name);
        m->index = h->index;
        m->current = h == current;
        m->absolute = h->absolute;
        qapi_list_append(list, m);
    }
    return list;
}

/* What -display says, for query-display-options; NULL: none. */
static DisplayOptions *display_options;

void console_set_display_options(const QDict *opts)
{
    DisplayOptions *d = opts ? qapi_new(DisplayOptions) : NULL;

    qapi_free_DisplayOptions(display_options);
    display_options = NULL;
    /* Options that only the display itself knows are left out of the answer. */
    if (d && qapi_decode_struct(&qapi_type_DisplayOptions, opts, QAPI_DECODE_KEYVAL, d, NULL)) {
        display_options = d;
    } else {
        g_free(d);
    }
}

DisplayOptions *qmp_query_display_options(UNUSED Error **errp)
{
    DisplayOptions *d;

    if (display_options) {
        return qapi_clone_DisplayOptions(display_options);
    }
    d = qapi_new(DisplayOptions);
    d->type = DISPLAY_TYPE_NONE;
    return d;
}

bool qmp_x_paste_text(const char *text, const char *layout, bool has_rate, int64_t rate, Error **errp)
{
    g_autofree char *copied = NULL;
    Keymap *map;

    if (!has_rate) {
        rate = PASTE_RATE;
    }
    if (rate < 1 || rate > PASTE_RATE_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'rate' is %" PRId64 "; accepted: 1 to %d", rate, PASTE_RATE_MAX);
        return false;
    }
    if (!text) {
        GBytes *data = clipboard_data(CLIP_TEXT);
        gsize len = 0;
        const char *p = data ? g_bytes_get_data(data, &len) : NULL;

        clipboard_want(CLIP_TEXT);
        if (!data) {
            error_setf(errp, ERR_INVALID_ARGUMENT, clipboard_formats() & BIT(CLIP_TEXT)
                       ? "the clipboard's text is on its way: ask again" : "there is no text in the clipboard");
            return false;
        }
        text = copied = g_strndup(p, len);
    } else if (!*text) {
        paste_cancel();
        return true;
    }
    map = keymap_new(layout ? layout : keymap_default_name(), errp);
    return map && paste_text(text, map, rate, errp);
}

ScreenText *qmp_x_copy_screen_text(const char *device, bool has_head, int64_t head, bool has_x, uint32_t x, bool has_y,
                                   uint32_t y, bool has_columns, uint32_t columns, bool has_rows, uint32_t rows,
                                   Error **errp)
{
    Console *c = console_find(device, has_head ? (int)head : -1, errp);
    char *text = c ? screen_text(c, has_x ? x : 0, has_y ? y : 0, has_columns ? columns : 0, has_rows ? rows : 0, errp)
                   : NULL;
    ScreenText *t;

    if (!text) {
        return NULL;
    }
    screen_text_to_clipboard(text);
    t = qapi_new(ScreenText);
    t->text = text;
    return t;
}
