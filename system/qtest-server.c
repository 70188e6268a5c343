/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket of -qtest: lines in, answers and interrupts out. */
#include "util/osdep.h"
#include <glib.h>
#include "accel/qtest/qtest.h"
#include "chardev/chardev.h"
#include "hw/core/machine.h"
#include "system/build.h"
#include "util/main-loop.h"
#include "util/timer.h"

#define LINE_MAX_BYTES  (256 * MIB)     /* a hex write of TRANSFER_MAX fits */

typedef struct QtestServer {
    CharFrontend fe;
    GString *in;                /* up to the next line end */
    GString *out;               /* what the socket didn't take yet */
    FILE *log;                  /* NULL: none */
    int64_t start_ns;
} QtestServer;

static QtestServer *server;     /* the one of the process */

static void log_text(char dir, const char *text)
{
    double t = (double)(clock_get_ns(CLOCK_RT) - server->start_ns) / NS_PER_SECOND;

    if (server->log) {
        fprintf(server->log, "[%c +%f] %s", dir, t, text);
        fflush(server->log);
    }
}

static void flush_out(void *opaque)
{
    QtestServer *s = opaque;

    while (s->out->len) {
        size_t n = chr_fe_write(&s->fe, s->out->str, s->out->len);

        if (!n) {
            return;             /* writable() comes */
        }
        g_string_erase(s->out, 0, n);
    }
}

static void send_text(const char *text)
{
    log_text('S', text);
    g_string_append(server->out, text);
    flush_out(server);
}

static void process(void *opaque)
{
    QtestServer *s = opaque;
    const Machine *m = current_machine();
    char *end;

    if (m && m->ram && !m->initialized) {       /* its .init waits for something */
        bh_once(NULL, process, s);
        return;
    }
    while ((end = memchr(s->in->str, '\n', s->in->len))) {
        g_autofree char *line = g_strndup(s->in->str, end - s->in->str);
        g_autofree char *answer = NULL;

        g_string_erase(s->in, 0, end - s->in->str + 1);
        if (s->log) {
            g_autofree char *text = g_strconcat(line, "\n", NULL);

            log_text('R', text);
        }
        answer = qtest_command(line);
        send_text(answer);
    }
    if (s->in->len > LINE_MAX_BYTES) {
        g_string_truncate(s->in, 0);
        send_text("FAIL the line is too long\n");
    }
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    QtestServer *s = opaque;

    g_string_append_len(s->in, (const char *)buf, len);
    process(s);
}

static void event(void *opaque, ChrEvent ev)
{
    QtestServer *s = opaque;

    if (ev == CHR_EVENT_OPENED) {
        s->start_ns = clock_get_ns(CLOCK_RT);
        g_string_truncate(s->in, 0);
        g_string_truncate(s->out, 0);
    }
}

bool qtest_server_start(const char *spec, const char *log, Error **errp)
{
    static const ChrHandlers handlers = {
        .receive = receive, .event = event, .writable = flush_out,
    };
    Error *err = NULL;
    Chardev *chr = chardev_new_from_spec("qtest", spec, &err);

    if (err) {
        error_propagate(errp, err);
        return false;
    }
    server = g_new0(QtestServer, 1);
    server->in = g_string_new(NULL);
    server->out = g_string_new(NULL);
    server->start_ns = clock_get_ns(CLOCK_RT);
    if (log && strcmp(log, "none")) {
        server->log = fopen(log, "we");
        if (!server->log) {
            error_set_errno(errp, errno, "cannot open '%s'", log);
            return false;
        }
    }
    if (!chr_fe_init(&server->fe, chr, errp)) {
        return false;
    }
    qtest_set_event_sink(send_text);
    chr_fe_set_handlers(&server->fe, &handlers, server);
    return true;
}
