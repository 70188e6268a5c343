/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clipboard of a Wayland compositor that has ext-data-control-v1 or wlr-data-control-unstable-v1, which
 * differ in names only: programs without windows may see and set the selections.
 *
 * What a program of the guest has copied is told to the host by its formats; the data goes through a pipe when
 * the host asks. What the host has is a source of ours; the data is fetched when a program asks.
 */
#include "guest/clipboard/formats.h"
#include "guest/clipboard/port.h"
#include "guest/clipboard/screen.h"
#include "guest/clipboard/wire.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OFFERS_MAX      8               /* that the compositor tells of at a time */
#define WAITING_MAX     16              /* programs that want something at a time */
#define PIECE           65536
#define PATIENCE_MS     60000           /* with a program that doesn't answer; guests may be slow */
/* Tells our own offers from those of others. */
#define OURS            "application/x-qemu-clipboard"

/* Opcodes, in the order of the protocols' files. */
enum { DISPLAY = 1, DISPLAY_GET_REGISTRY = 1, DISPLAY_EV_ERROR = 0 };
enum { REGISTRY_BIND = 0, REGISTRY_EV_GLOBAL = 0 };
enum { MANAGER_CREATE_SOURCE = 0, MANAGER_GET_DEVICE = 1 };
enum { DEVICE_SET_SELECTION = 0, DEVICE_SET_PRIMARY = 2 };
enum { DEVICE_EV_OFFER = 0, DEVICE_EV_SELECTION = 1, DEVICE_EV_FINISHED = 2, DEVICE_EV_PRIMARY = 3 };
enum { SOURCE_OFFER = 0, SOURCE_DESTROY = 1, SOURCE_EV_SEND = 0, SOURCE_EV_CANCELLED = 1 };
enum { OFFER_RECEIVE = 0, OFFER_DESTROY = 1, OFFER_EV_OFFER = 0 };

typedef struct Offer {
    uint32_t id;                            /* 0: none */
    bool ours;
    uint8_t type[FORMAT_NUM];               /* index in format_types + 1; 0: it hasn't got that */
} Offer;

/* A program that wants what the host has. */
typedef struct Waiting {
    bool used, ready;
    int fd;
    Format format;
    uint8_t *data;
    size_t len, at;
} Waiting;

typedef struct Way {
    Wire wire;
    Port *port;
    bool primary, wlr, over;
    uint32_t registry, seat, manager, manager_version, device;
    uint32_t source[2];                     /* ours, in CLIPBOARD and in PRIMARY; 0: not ours */
    /* A program of the guest has something: */
    Offer offers[OFFERS_MAX];
    uint32_t theirs;                        /* the offer; 0: none */
    unsigned wanted;                        /* formats that the host waits for */
    int pipe;                               /* where the one that is on the way comes from; -1 */
    Format coming;
    uint8_t *got;
    size_t got_len, got_room;
    int64_t asked_ms;
    /* The host has something: */
    unsigned hosts;                         /* formats; 0: nothing */
    uint8_t *data[FORMAT_NUM];
    size_t len[FORMAT_NUM];
    Waiting waiting[WAITING_MAX];
} Way;

static void send_to(Way *w, bool sent)
{
    w->over |= !sent;
}

/* --- from programs to the host --- */

static Offer *offer_by_id(Way *w, uint32_t id)
{
    for (int i = 0; id && i < OFFERS_MAX; i++) {
        if (w->offers[i].id == id) {
            return &w->offers[i];
        }
    }
    return NULL;
}

static void ask_next(Way *w)
{
    for (int f = 0; f < FORMAT_NUM && w->pipe < 0; f++) {
        Offer *o = offer_by_id(w, w->theirs);
        int fds[2];

        if (!(w->wanted >> f & 1)) {
            continue;
        }
        if (!o || !o->type[f] || pipe2(fds, O_CLOEXEC) < 0) {
            w->wanted &= ~(1u << f);
            port_data(w->port, f, NULL, 0);
            continue;
        }
        send_to(w, wire_send(&w->wire, o->id, OFFER_RECEIVE, "sh", format_types[o->type[f] - 1].name, fds[1]));
        close(fds[1]);
        fcntl(fds[0], F_SETFL, O_NONBLOCK);
        w->pipe = fds[0];
        w->coming = f;
        w->asked_ms = now_ms();
    }
}

static void arrived(Way *w, bool whole)
{
    Format f = w->coming;

    close(w->pipe);
    w->pipe = -1;
    w->wanted &= ~(1u << f);
    port_data(w->port, f, whole ? w->got ? w->got : (uint8_t *)"" : NULL, whole ? w->got_len : 0);
    free(w->got);
    w->got = NULL;
    w->got_len = w->got_room = 0;
    ask_next(w);
}

static void collect(Way *w)
{
    for (;;) {
        ssize_t n;

        if (w->got_room - w->got_len < PIECE) {
            size_t room = 2 * w->got_room + 2 * PIECE;
            uint8_t *more = w->got_len <= PORT_DATA_MAX ? realloc(w->got, room) : NULL;

            if (!more) {
                arrived(w, false);
                return;
            }
            w->got = more;
            w->got_room = room;
        }
        n = read(w->pipe, w->got + w->got_len, w->got_room - w->got_len);
        if (n > 0) {
            w->got_len += n;
            w->asked_ms = now_ms();
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            arrived(w, n == 0);
            return;
        } else {
            return;
        }
    }
}

static void drop_offer(Way *w, uint32_t id)
{
    Offer *o = offer_by_id(w, id);

    if (o) {
        send_to(w, wire_send(&w->wire, id, OFFER_DESTROY, ""));
        o->id = 0;
    }
}

/* The compositor has a new selection: @id 0: nothing is copied any more. */
static void selection(Way *w, uint32_t id)
{
    Offer *o = offer_by_id(w, id);
    unsigned formats = 0;

    if (o && o->ours) {
        drop_offer(w, id);
        return;
    }
    if (!o && !w->theirs) {
        return;
    }
    if (w->pipe >= 0) {
        arrived(w, false);              /* of what is gone */
    }
    if (w->theirs != id) {
        drop_offer(w, w->theirs);
    }
    w->theirs = o ? id : 0;
    for (int f = 0; o && f < FORMAT_NUM; f++) {
        formats |= o->type[f] ? 1u << f : 0;
    }
    w->hosts = formats ? 0 : w->hosts;
    port_grab(w->port, formats);
    ask_next(w);
}

static void new_offer(Way *w, uint32_t id)
{
    for (int i = 0; i < OFFERS_MAX; i++) {
        if (!w->offers[i].id) {
            w->offers[i] = (Offer){ .id = id };
            return;
        }
    }
    send_to(w, wire_send(&w->wire, id, OFFER_DESTROY, ""));
}

static void offered(Offer *o, const char *type)
{
    o->ours |= strcmp(type, OURS) == 0;
    for (size_t t = 0; t < FORMAT_TYPES; t++) {
        uint8_t *best = &o->type[format_types[t].format];

        if (strcmp(type, format_types[t].name) == 0 && (!*best || *best > t + 1)) {
            *best = t + 1;
        }
    }
}

/* --- from the host to programs --- */

static void end_waiting(Waiting *x)
{
    close(x->fd);
    free(x->data);
    memset(x, 0, sizeof(*x));
}

static void push(Waiting *x)
{
    while (x->at < x->len) {
        ssize_t n = write(x->fd, x->data + x->at, x->len - x->at);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            break;                      /* the program has enough */
        }
        x->at += n;
    }
    end_waiting(x);
}

static void deliver(Way *w, Waiting *x)
{
    size_t len = w->len[x->format];

    x->data = malloc(len + 1);
    if (!x->data) {
        end_waiting(x);
        return;
    }
    memcpy(x->data, w->data[x->format], len);
    x->len = len;
    x->ready = true;
    push(x);
}

static void want(Way *w, const char *type, int fd)
{
    for (size_t t = 0; t < FORMAT_TYPES; t++) {
        Format f = format_types[t].format;

        if (strcmp(type, format_types[t].name) != 0 || !(w->hosts >> f & 1)) {
            continue;
        }
        for (int i = 0; i < WAITING_MAX; i++) {
            Waiting *x = &w->waiting[i];

            if (!x->used) {
                fcntl(fd, F_SETFL, O_NONBLOCK);
                *x = (Waiting){ .used = true, .fd = fd, .format = f };
                if (w->data[f]) {
                    deliver(w, x);
                } else {
                    port_request(w->port, f);
                }
                return;
            }
        }
    }
    close(fd);
}

static void drop_source(Way *w, int i)
{
    if (w->source[i]) {
        send_to(w, wire_send(&w->wire, w->source[i], SOURCE_DESTROY, ""));
        w->source[i] = 0;
    }
}

static void set_source(Way *w, int i)
{
    uint32_t id = wire_new_id(&w->wire), old = w->source[i];

    send_to(w, wire_send(&w->wire, w->manager, MANAGER_CREATE_SOURCE, "u", id));
    for (size_t t = 0; t < FORMAT_TYPES; t++) {
        if (w->hosts >> format_types[t].format & 1) {
            send_to(w, wire_send(&w->wire, id, SOURCE_OFFER, "s", format_types[t].name));
        }
    }
    send_to(w, wire_send(&w->wire, id, SOURCE_OFFER, "s", OURS));
    send_to(w, wire_send(&w->wire, w->device, i ? DEVICE_SET_PRIMARY : DEVICE_SET_SELECTION, "u", id));
    w->source[i] = id;
    if (old) {
        send_to(w, wire_send(&w->wire, old, SOURCE_DESTROY, ""));
    }
}

static void forget_data(Way *w)
{
    for (int f = 0; f < FORMAT_NUM; f++) {
        free(w->data[f]);
        w->data[f] = NULL;
    }
    for (int i = 0; i < WAITING_MAX; i++) {
        if (w->waiting[i].used && !w->waiting[i].ready) {
            end_waiting(&w->waiting[i]);
        }
    }
}

static void host_grab(void *opaque, unsigned formats)
{
    Way *w = opaque;

    forget_data(w);
    w->hosts = formats;
    if (formats) {
        if (w->pipe >= 0) {
            arrived(w, false);
        }
        drop_offer(w, w->theirs);
        w->theirs = 0;
    }
    for (int i = 0; i < 1 + w->primary; i++) {
        if (formats) {
            set_source(w, i);
        } else {
            drop_source(w, i);
        }
    }
}

static void host_request(void *opaque, Format f)
{
    Way *w = opaque;

    w->wanted |= 1u << f;
    ask_next(w);
}

static void host_data(void *opaque, Format f, const void *data, size_t len)
{
    Way *w = opaque;

    if (data && f < FORMAT_NUM && w->hosts >> f & 1) {
        free(w->data[f]);
        w->data[f] = malloc(len + 1);
        if (w->data[f]) {
            memcpy(w->data[f], data, len);
            w->len[f] = len;
        }
    }
    for (int i = 0; i < WAITING_MAX; i++) {
        Waiting *x = &w->waiting[i];

        if (!x->used || x->ready || (data && x->format != f)) {
            continue;
        }
        if (data && w->data[f]) {
            deliver(w, x);
        } else {
            end_waiting(x);
        }
    }
}

static const PortOps host = { .grab = host_grab, .request = host_request, .data = host_data };

/* --- the compositor --- */

static void global(Way *w, WireMessage *m)
{
    uint32_t name = wire_u32(m), version, id;
    const char *interface = wire_string(m);
    bool ext = strcmp(interface, "ext_data_control_manager_v1") == 0;
    bool wlr = strcmp(interface, "zwlr_data_control_manager_v1") == 0;

    version = wire_u32(m);
    if (m->bad) {
        return;
    }
    if (strcmp(interface, "wl_seat") == 0 && !w->seat) {
        id = w->seat = wire_new_id(&w->wire);
        version = 1;
    } else if ((ext && (!w->manager || w->wlr)) || (wlr && !w->manager)) {
        id = w->manager = wire_new_id(&w->wire);
        version = ext || version < 2 ? 1 : 2;
        w->wlr = wlr;
        w->manager_version = wlr ? version : 2;
    } else {
        return;
    }
    send_to(w, wire_send(&w->wire, w->registry, REGISTRY_BIND, "usuu", name, interface, version, id));
}

static void device_event(Way *w, WireMessage *m)
{
    uint32_t id = wire_u32(m);

    switch (m->opcode) {
    case DEVICE_EV_OFFER:
        new_offer(w, id);
        break;
    case DEVICE_EV_SELECTION:
        selection(w, id);
        break;
    case DEVICE_EV_PRIMARY:
        if (w->primary && id) {
            selection(w, id);
        } else {
            drop_offer(w, id);
        }
        break;
    case DEVICE_EV_FINISHED:
        w->over = true;
        break;
    default:
        break;
    }
}

static void source_event(Way *w, WireMessage *m, int i)
{
    if (m->opcode == SOURCE_EV_SEND) {
        const char *type = wire_string(m);
        int fd = wire_take_fd(&w->wire);

        if (fd >= 0) {
            want(w, type, fd);
        }
    } else if (m->opcode == SOURCE_EV_CANCELLED) {
        drop_source(w, i);
    }
}

static void message(Way *w, WireMessage *m)
{
    Offer *o = offer_by_id(w, m->object);

    if (m->object == DISPLAY && m->opcode == DISPLAY_EV_ERROR) {
        uint32_t object = wire_u32(m), code = wire_u32(m);

        fprintf(stderr, "qemu-clipboard: the compositor's error %u about object %u: %s\n", code, object,
                wire_string(m));
        w->over = true;
    } else if (m->object == w->registry && m->opcode == REGISTRY_EV_GLOBAL) {
        global(w, m);
    } else if (m->object == w->device && w->device) {
        device_event(w, m);
    } else if (o && m->opcode == OFFER_EV_OFFER) {
        offered(o, wire_string(m));
    } else {
        for (int i = 0; i < 2; i++) {
            if (w->source[i] == m->object) {
                source_event(w, m, i);
            }
        }
    }
}

static void compositor_work(Way *w)
{
    WireMessage m;

    send_to(w, wire_fill(&w->wire));
    while (wire_next(&w->wire, &m)) {
        message(w, &m);
    }
}

/* The globals are told at once after the registry is asked for; a sync's answer comes behind them. */
static bool meet(Way *w)
{
    uint32_t done;
    bool told = false;

    w->registry = wire_new_id(&w->wire);
    send_to(w, wire_send(&w->wire, DISPLAY, DISPLAY_GET_REGISTRY, "u", w->registry));
    done = wire_new_id(&w->wire);
    send_to(w, wire_send(&w->wire, DISPLAY, 0, "u", done));
    while (!told && !w->over) {
        struct pollfd fd = { .fd = w->wire.fd, .events = POLLIN };
        WireMessage m;

        poll(&fd, 1, -1);
        send_to(w, wire_fill(&w->wire));
        while (wire_next(&w->wire, &m)) {
            told |= m.object == done;
            message(w, &m);
        }
    }
    return !w->over && w->manager && w->seat;
}

static unsigned poll_set(Way *w, struct pollfd *fds)
{
    unsigned n = 0;

    fds[n++] = (struct pollfd){ .fd = w->wire.fd, .events = POLLIN };
    fds[n++] = (struct pollfd){ .fd = port_fd(w->port), .events = POLLIN | (port_wants_out(w->port) ? POLLOUT : 0) };
    fds[n++] = (struct pollfd){ .fd = w->pipe, .events = POLLIN };      /* -1 is passed over */
    for (int i = 0; i < WAITING_MAX; i++) {
        fds[n++] = (struct pollfd){ .fd = w->waiting[i].ready ? w->waiting[i].fd : -1,
                                    .events = POLLOUT };
    }
    return n;
}

/* What is copied already is told at once, and is looked at when the host knows us. */
static bool meet_host(Way *w, const char *path)
{
    w->device = wire_new_id(&w->wire);
    send_to(w, wire_send(&w->wire, w->manager, MANAGER_GET_DEVICE, "uu", w->device, w->seat));
    w->port = port_open(path, &host, w);
    if (!w->port) {
        perror(path);
        return false;
    }
    while (!port_ready(w->port)) {
        struct pollfd fd = { .fd = port_fd(w->port), .events = POLLIN | (port_wants_out(w->port) ? POLLOUT : 0) };

        poll(&fd, 1, -1);
        if (!port_work(w->port)) {
            return false;
        }
    }
    return true;
}

int wayland_run(const char *path, bool primary)
{
    Way *w = calloc(1, sizeof(*w));
    bool going;

    if (!w || !wire_open(&w->wire)) {
        free(w);
        return -1;
    }
    if (!meet(w)) {
        wire_close(&w->wire);
        free(w);
        return -1;
    }
    w->primary = primary && w->manager_version >= 2;
    w->pipe = -1;
    going = meet_host(w, path);
    while (going && !w->over) {
        struct pollfd fds[3 + WAITING_MAX];

        poll(fds, poll_set(w, fds), w->pipe >= 0 ? 1000 : -1);
        going = port_work(w->port);
        compositor_work(w);
        if (w->pipe >= 0) {
            collect(w);
        }
        if (w->pipe >= 0 && now_ms() - w->asked_ms > PATIENCE_MS) {
            arrived(w, false);
        }
        for (int i = 0; i < WAITING_MAX; i++) {
            if (w->waiting[i].ready) {
                push(&w->waiting[i]);
            }
        }
    }
    fprintf(stderr, "qemu-clipboard: %s\n", going ? "the compositor has gone" : "the host has gone");
    if (w->port) {
        port_close(w->port);
    }
    wire_close(&w->wire);
    free(w);
    return 1;
}
