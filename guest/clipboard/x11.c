/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clipboard of an X server, by XCB.
 *
 * Sources: ICCCM 2.0, section 2 (selections, INCR); X Fixes 2 (SelectionNotify).
 *
 * What a program of the guest has selected is told to the host by its formats; the data goes when
 * the host asks. What the host has is owned by our window; the data is fetched when a program asks.
 */
#include "guest/clipboard/formats.h"
#include "guest/clipboard/port.h"
#include "guest/clipboard/screen.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xcb.h>
#include <xcb/xfixes.h>

#define WAITING_MAX     32              /* programs that want something at a time */
#define PIECE           (64 * 1024)     /* bytes of a property */
#define PATIENCE_MS     60000           /* with a program that doesn't answer; guests may be slow */

/* Atoms: our own, and behind them those of format_types. */
enum { A_CLIPBOARD, A_TARGETS, A_TIMESTAMP, A_INCR, A_DATA, A_FORMATS, A_NUM = A_FORMATS + FORMAT_TYPES };
static const char *const atom_names[A_FORMATS] = { "CLIPBOARD", "TARGETS", "TIMESTAMP", "INCR", "QEMU_CLIPBOARD_DATA" };

/* A program that waits for the host's data, or takes it piece by piece. */
typedef struct Waiting {
    xcb_selection_request_event_t ask;      /* .requestor 0: nobody */
    Format format;
    bool incremental;
    uint8_t *data;                          /* of an incremental transfer */
    size_t len, at;
} Waiting;

typedef struct X11 {
    xcb_connection_t *c;
    xcb_window_t window;
    uint8_t fixes_event;
    xcb_atom_t atom[A_NUM];
    xcb_atom_t selection[2];
    unsigned n_selections;
    Port *port;
    /* A program of the guest has something: */
    xcb_atom_t theirs;                      /* in which selection; 0: none */
    xcb_atom_t target[FORMAT_NUM];          /* what to ask for; 0: it hasn't got that */
    unsigned wanted;                        /* formats that the host waits for */
    int converting;                         /* the one that is on the way; -1 */
    bool listing;                           /* the list of formats is on the way */
    bool collecting;                        /* piece by piece */
    uint8_t *got;
    size_t got_len;
    int64_t asked_ms;
    /* The host has something: */
    unsigned hosts;                         /* formats; 0: nothing */
    void *data[FORMAT_NUM];                 /* what has come */
    size_t len[FORMAT_NUM];
    Waiting waiting[WAITING_MAX];
} X11;

/* --- from programs to the host --- */

static void ask(X11 *x, xcb_atom_t target)
{
    xcb_delete_property(x->c, x->window, x->atom[A_DATA]);
    xcb_convert_selection(x->c, x->window, x->theirs, target, x->atom[A_DATA], XCB_CURRENT_TIME);
    x->asked_ms = now_ms();
}

static void ask_next(X11 *x)
{
    for (int f = 0; f < FORMAT_NUM && x->converting < 0 && !x->listing; f++) {
        if (!(x->wanted >> f & 1)) {
            continue;
        }
        if (x->theirs && x->target[f]) {
            x->converting = f;
            ask(x, x->target[f]);
        } else {
            x->wanted &= ~(1u << f);
            port_data(x->port, f, NULL, 0);
        }
    }
}

/* The end of a conversion. */
static void converted(X11 *x, const void *data, size_t len)
{
    int f = x->converting;

    x->converting = -1;
    x->collecting = false;
    if (f >= 0) {
        x->wanted &= ~(1u << f);
        port_data(x->port, f, data, len);
    }
    free(x->got);
    x->got = NULL;
    x->got_len = 0;
    ask_next(x);
}

static void listed(X11 *x, const xcb_atom_t *list, size_t n)
{
    unsigned formats = 0;

    x->listing = false;
    memset(x->target, 0, sizeof(x->target));
    for (size_t t = FORMAT_TYPES; t-- > 0; ) {
        for (size_t i = 0; i < n; i++) {
            if (list[i] == x->atom[A_FORMATS + t]) {
                x->target[format_types[t].format] = list[i];
                formats |= 1u << format_types[t].format;
            }
        }
    }
    if (formats) {
        x->hosts = 0;
        port_grab(x->port, formats);
    }
    ask_next(x);
}

/* The whole of our property, which is deleted: that is the sign for the next piece. NULL: nothing. */
static xcb_get_property_reply_t *take_property(X11 *x)
{
    xcb_get_property_cookie_t cookie = xcb_get_property(x->c, 1, x->window, x->atom[A_DATA], XCB_ATOM_ANY, 0,
                                                        PORT_DATA_MAX / 4);

    return xcb_get_property_reply(x->c, cookie, NULL);
}

static void selection_notify(X11 *x, const xcb_selection_notify_event_t *e)
{
    xcb_get_property_reply_t *r;

    if (e->requestor != x->window || (!x->listing && x->converting < 0)) {
        return;
    }
    r = e->property ? take_property(x) : NULL;
    if (x->listing) {
        listed(x, r ? xcb_get_property_value(r) : NULL,
               r && r->format == 32 ? xcb_get_property_value_length(r) / 4 : 0);
    } else if (r && r->type == x->atom[A_INCR]) {
        x->collecting = true;
    } else {
        converted(x, r ? xcb_get_property_value(r) : NULL, r ? xcb_get_property_value_length(r) : 0);
    }
    free(r);
}

/* A piece of an incremental transfer to us; an empty one is the end. */
static void collect(X11 *x)
{
    xcb_get_property_reply_t *r = take_property(x);
    size_t n = r ? xcb_get_property_value_length(r) : 0;
    uint8_t *more = NULL;

    if (n && x->got_len + n <= PORT_DATA_MAX) {
        more = realloc(x->got, x->got_len + n);
    }
    if (more) {
        memcpy(more + x->got_len, xcb_get_property_value(r), n);
        x->got = more;
        x->got_len += n;
        x->asked_ms = now_ms();
    } else {
        converted(x, n ? NULL : x->got ? x->got : (uint8_t *)"", n ? 0 : x->got_len);
    }
    free(r);
}

/* A program owns a selection now, or nobody does. */
static void owner_changed(X11 *x, const xcb_xfixes_selection_notify_event_t *e)
{
    if (e->owner == x->window) {
        return;
    }
    if (e->owner == XCB_NONE) {
        if (x->theirs == e->selection) {
            x->theirs = 0;
            port_grab(x->port, 0);
        }
        return;
    }
    x->theirs = e->selection;
    if (x->converting >= 0) {
        converted(x, NULL, 0);              /* of what is gone */
    }
    x->listing = true;
    ask(x, x->atom[A_TARGETS]);
}

/* --- from the host to programs --- */

static void answer(X11 *x, const xcb_selection_request_event_t *q, xcb_atom_t property)
{
    xcb_selection_notify_event_t e = {
        .response_type = XCB_SELECTION_NOTIFY, .time = q->time, .requestor = q->requestor,
        .selection = q->selection, .target = q->target, .property = property,
    };

    xcb_send_event(x->c, 0, q->requestor, 0, (const char *)&e);
}

static void end_waiting(X11 *x, Waiting *w)
{
    static const uint32_t no_events = 0;

    if (w->incremental) {
        xcb_change_window_attributes(x->c, w->ask.requestor, XCB_CW_EVENT_MASK, &no_events);
    }
    free(w->data);
    memset(w, 0, sizeof(*w));
}

static void deliver(X11 *x, Waiting *w)
{
    static const uint32_t events = XCB_EVENT_MASK_PROPERTY_CHANGE;
    size_t len = x->len[w->format];
    uint32_t size = len;

    if (len <= PIECE) {
        xcb_change_property(x->c, XCB_PROP_MODE_REPLACE, w->ask.requestor, w->ask.property, w->ask.target, 8, len,
                            x->data[w->format]);
        answer(x, &w->ask, w->ask.property);
        end_waiting(x, w);
        return;
    }
    w->data = malloc(len);
    if (!w->data) {
        answer(x, &w->ask, XCB_NONE);
        end_waiting(x, w);
        return;
    }
    memcpy(w->data, x->data[w->format], len);
    w->len = len;
    w->incremental = true;
    xcb_change_window_attributes(x->c, w->ask.requestor, XCB_CW_EVENT_MASK, &events);
    xcb_change_property(x->c, XCB_PROP_MODE_REPLACE, w->ask.requestor, w->ask.property, x->atom[A_INCR], 32, 1,
                        &size);
    answer(x, &w->ask, w->ask.property);
}

/* The program has taken a piece. */
static void next_piece(X11 *x, Waiting *w)
{
    size_t n = w->len - w->at < PIECE ? w->len - w->at : PIECE;

    xcb_change_property(x->c, XCB_PROP_MODE_REPLACE, w->ask.requestor, w->ask.property, w->ask.target, 8, n,
                        w->data + w->at);
    w->at += n;
    if (!n) {
        end_waiting(x, w);
    }
}

static void property_notify(X11 *x, const xcb_property_notify_event_t *e)
{
    if (e->window == x->window) {
        if (e->atom == x->atom[A_DATA] && e->state == XCB_PROPERTY_NEW_VALUE && x->collecting) {
            collect(x);
        }
        return;
    }
    for (int i = 0; i < WAITING_MAX; i++) {
        Waiting *w = &x->waiting[i];

        if (w->incremental && w->ask.requestor == e->window && w->ask.property == e->atom &&
            e->state == XCB_PROPERTY_DELETE) {
            next_piece(x, w);
            return;
        }
    }
}

static void list_ours(X11 *x, const xcb_selection_request_event_t *q)
{
    xcb_atom_t list[FORMAT_TYPES + 2] = { x->atom[A_TARGETS], x->atom[A_TIMESTAMP] };
    unsigned n = 2;

    for (unsigned t = 0; t < FORMAT_TYPES; t++) {
        if (x->hosts >> format_types[t].format & 1) {
            list[n++] = x->atom[A_FORMATS + t];
        }
    }
    xcb_change_property(x->c, XCB_PROP_MODE_REPLACE, q->requestor, q->property, XCB_ATOM_ATOM, 32, n, list);
    answer(x, q, q->property);
}

static void selection_request(X11 *x, const xcb_selection_request_event_t *e)
{
    xcb_selection_request_event_t q = *e;
    uint32_t time = 0;

    q.property = q.property ? q.property : q.target;    /* 2.2: obsolete clients */
    if (q.target == x->atom[A_TARGETS]) {
        list_ours(x, &q);
        return;
    }
    if (q.target == x->atom[A_TIMESTAMP]) {
        xcb_change_property(x->c, XCB_PROP_MODE_REPLACE, q.requestor, q.property, XCB_ATOM_INTEGER, 32, 1, &time);
        answer(x, &q, q.property);
        return;
    }
    for (unsigned t = 0; t < FORMAT_TYPES; t++) {
        Format f = format_types[t].format;

        if (q.target != x->atom[A_FORMATS + t] || !(x->hosts >> f & 1)) {
            continue;
        }
        for (int i = 0; i < WAITING_MAX; i++) {
            Waiting *w = &x->waiting[i];

            if (!w->ask.requestor) {
                *w = (Waiting){ .ask = q, .format = f };
                if (x->data[f]) {
                    deliver(x, w);
                } else {
                    port_request(x->port, f);
                }
                return;
            }
        }
    }
    answer(x, &q, XCB_NONE);
}

/* --- the host --- */

static void forget_data(X11 *x)
{
    for (int f = 0; f < FORMAT_NUM; f++) {
        free(x->data[f]);
        x->data[f] = NULL;
    }
    for (int i = 0; i < WAITING_MAX; i++) {
        Waiting *w = &x->waiting[i];

        if (w->ask.requestor && !w->incremental) {
            answer(x, &w->ask, XCB_NONE);
            end_waiting(x, w);
        }
    }
}

static void host_grab(void *opaque, unsigned formats)
{
    X11 *x = opaque;
    bool had = x->hosts;

    forget_data(x);
    x->hosts = formats;
    if (formats || had) {
        x->theirs = formats ? 0 : x->theirs;
        for (unsigned i = 0; i < x->n_selections; i++) {
            xcb_set_selection_owner(x->c, formats ? x->window : XCB_NONE, x->selection[i], XCB_CURRENT_TIME);
        }
    }
}

static void host_request(void *opaque, Format f)
{
    X11 *x = opaque;

    x->wanted |= 1u << f;
    ask_next(x);
}

static void host_data(void *opaque, Format f, const void *data, size_t len)
{
    X11 *x = opaque;

    if (data && x->hosts >> f & 1) {
        free(x->data[f]);
        x->data[f] = malloc(len + 1);
        if (x->data[f]) {
            memcpy(x->data[f], data, len);
            x->len[f] = len;
        }
    }
    for (int i = 0; i < WAITING_MAX; i++) {
        Waiting *w = &x->waiting[i];

        if (!w->ask.requestor || w->incremental || (data && w->format != f)) {
            continue;
        }
        if (data && x->data[f]) {
            deliver(x, w);
        } else {
            answer(x, &w->ask, XCB_NONE);
            end_waiting(x, w);
        }
    }
}

static const PortOps host = { .grab = host_grab, .request = host_request, .data = host_data };

/* --- life --- */

static void event(X11 *x, const xcb_generic_event_t *e)
{
    unsigned type = e->response_type & 0x7f;

    if (type == XCB_SELECTION_NOTIFY) {
        selection_notify(x, (const xcb_selection_notify_event_t *)e);
    } else if (type == XCB_SELECTION_REQUEST) {
        selection_request(x, (const xcb_selection_request_event_t *)e);
    } else if (type == XCB_PROPERTY_NOTIFY) {
        property_notify(x, (const xcb_property_notify_event_t *)e);
    } else if (type == x->fixes_event + XCB_XFIXES_SELECTION_NOTIFY) {
        owner_changed(x, (const xcb_xfixes_selection_notify_event_t *)e);
    }
}

static bool start(X11 *x)
{
    static const uint32_t events = XCB_EVENT_MASK_PROPERTY_CHANGE;
    const xcb_query_extension_reply_t *fixes = xcb_get_extension_data(x->c, &xcb_xfixes_id);
    xcb_screen_t *screen = xcb_setup_roots_iterator(xcb_get_setup(x->c)).data;
    xcb_intern_atom_cookie_t cookies[A_NUM];

    if (!fixes || !fixes->present) {
        fprintf(stderr, "qemu-clipboard: the X server hasn't got the extension XFIXES\n");
        return false;
    }
    free(xcb_xfixes_query_version_reply(x->c, xcb_xfixes_query_version(x->c, 2, 0), NULL));
    x->fixes_event = fixes->first_event;
    for (int i = 0; i < A_NUM; i++) {
        const char *name = i < A_FORMATS ? atom_names[i] : format_types[i - A_FORMATS].name;

        cookies[i] = xcb_intern_atom(x->c, 0, strlen(name), name);
    }
    for (int i = 0; i < A_NUM; i++) {
        xcb_intern_atom_reply_t *r = xcb_intern_atom_reply(x->c, cookies[i], NULL);

        x->atom[i] = r ? r->atom : 0;
        free(r);
    }
    x->selection[0] = x->atom[A_CLIPBOARD];
    x->selection[1] = XCB_ATOM_PRIMARY;
    x->window = xcb_generate_id(x->c);
    xcb_create_window(x->c, 0, x->window, screen->root, 0, 0, 1, 1, 0, XCB_WINDOW_CLASS_INPUT_ONLY,
                      screen->root_visual, XCB_CW_EVENT_MASK, &events);
    for (unsigned i = 0; i < x->n_selections; i++) {
        xcb_xfixes_select_selection_input(x->c, x->window, x->selection[i],
                                          XCB_XFIXES_SELECTION_EVENT_MASK_SET_SELECTION_OWNER |
                                          XCB_XFIXES_SELECTION_EVENT_MASK_SELECTION_WINDOW_DESTROY |
                                          XCB_XFIXES_SELECTION_EVENT_MASK_SELECTION_CLIENT_CLOSE);
    }
    return true;
}

static void give_up(X11 *x)
{
    if ((x->converting >= 0 || x->listing) && now_ms() - x->asked_ms > PATIENCE_MS) {
        x->listing = false;
        converted(x, NULL, 0);
    }
}

int x11_run(const char *path, bool primary)
{
    X11 x = { .c = xcb_connect(NULL, NULL), .converting = -1, .n_selections = primary ? 2 : 1 };
    bool going = true;

    if (xcb_connection_has_error(x.c)) {
        fprintf(stderr, "qemu-clipboard: no X server\n");
        return 1;
    }
    x.port = port_open(path, &host, &x);
    if (!x.port) {
        perror(path);
        return 1;
    }
    going = start(&x);
    while (going && !xcb_connection_has_error(x.c)) {
        struct pollfd fds[2] = {
            { .fd = xcb_get_file_descriptor(x.c), .events = POLLIN },
            { .fd = port_fd(x.port), .events = POLLIN | (port_wants_out(x.port) ? POLLOUT : 0) },
        };
        xcb_generic_event_t *e;

        xcb_flush(x.c);
        poll(fds, 2, x.converting >= 0 || x.listing ? 1000 : -1);
        going = port_work(x.port);
        while ((e = xcb_poll_for_event(x.c))) {
            event(&x, e);
            free(e);
        }
        give_up(&x);
    }
    fprintf(stderr, "qemu-clipboard: %s\n", going ? "the X server has gone" : "the host has gone");
    port_close(x.port);
    xcb_disconnect(x.c);
    return 1;
}
