/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clipboard for a shell, where no daemon has the port: copy and paste. */
#include "guest/clipboard/formats.h"
#include "guest/clipboard/port.h"
#include "guest/clipboard/screen.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS     60000           /* guests may be slow */

typedef struct Console {
    Port *port;
    Format format;
    bool over, failed, owns;
    void *data;                 /* to be copied */
    size_t len;
} Console;

/* Whatever can be done; false: nothing happened for @ms, or the host has gone. */
static bool step(Console *c, int ms)
{
    struct pollfd fd = { .fd = port_fd(c->port), .events = POLLIN | (port_wants_out(c->port) ? POLLOUT : 0) };

    return poll(&fd, 1, ms) > 0 && port_work(c->port);
}

static bool meet(Console *c, const char *path, const PortOps *ops)
{
    c->port = port_open(path, ops, c);
    if (!c->port) {
        perror(path);
        return false;
    }
    while (!port_ready(c->port)) {
        if (!step(c, PATIENCE_MS)) {
            fprintf(stderr, "qemu-clipboard: the host doesn't share its clipboard\n");
            return false;
        }
    }
    return true;
}

/* --- paste --- */

static void pasted(void *opaque, Format f, const void *data, size_t len)
{
    Console *c = opaque;

    c->over = true;
    c->failed = !data || f != c->format || fwrite(data, 1, len, stdout) != len;
}

int console_paste(const char *path, const char *format)
{
    static const PortOps ops = { .data = pasted };
    Console c = { .format = format_by_name(format) };

    if (!meet(&c, path, &ops)) {
        return 1;
    }
    port_request(c.port, c.format);
    while (!c.over && step(&c, PATIENCE_MS)) {
    }
    port_close(c.port);
    return !c.over || c.failed || fflush(stdout) != 0;
}

/* --- copy --- */

static void other_owner(void *opaque, unsigned formats)
{
    Console *c = opaque;

    c->over = c->owns && formats;
}

static void wanted(void *opaque, Format f)
{
    Console *c = opaque;

    port_data(c->port, f, f == c->format ? c->data : NULL, f == c->format ? c->len : 0);
}

static bool read_all(Console *c)
{
    size_t room = 65536;

    c->data = malloc(room);
    while (c->data) {
        size_t n = fread((char *)c->data + c->len, 1, room - c->len, stdin);
        void *more;

        c->len += n;
        if (!n || c->len > PORT_DATA_MAX) {
            return c->len <= PORT_DATA_MAX && !ferror(stdin);
        }
        if (c->len < room) {
            continue;
        }
        room *= 2;
        more = realloc(c->data, room);
        if (!more) {
            return false;
        }
        c->data = more;
    }
    return false;
}

int console_copy(const char *path, const char *format)
{
    static const PortOps ops = { .grab = other_owner, .request = wanted };
    Console c = { .format = format_by_name(format) };

    if (!read_all(&c)) {
        fprintf(stderr, "qemu-clipboard: what is to be copied can't be read, or is more than 128 MiB\n");
        return 1;
    }
    if (!meet(&c, path, &ops)) {
        return 1;
    }
    port_grab(c.port, 1u << c.format);
    /* Owners that are told of until the host has answered are those from before. */
    port_ask(c.port);
    while (port_answers(c.port) < 2) {
        if (!step(&c, PATIENCE_MS)) {
            return 1;
        }
    }
    c.owns = true;
    if (daemon(0, 0) != 0) {
        return 1;
    }
    while (!c.over && step(&c, -1)) {
    }
    return 0;
}
