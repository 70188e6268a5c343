/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A human monitor on a character device: prompt, editing, output with CR LF. */
#include "util/osdep.h"
#include "monitor/hmp.h"
#include "monitor/monitor-int.h"
#include "util/readline.h"
#include "monitor/version.h"
#include "util/main-loop.h"

#define PROMPT  "(qemu) "

typedef struct HmpMonitor {
    Monitor parent;
    Readline *rl;               /* NULL: plain lines */
    GString *line;              /* plain lines: what came so far */
    int cpu_index;              /* the CPU that commands are about */
    bool greeted;
    bool starved;               /* input waited for a command's end */
    bool busy;                  /* a command runs, which may run the main loop */
    bool out_of_focus;          /* on a mux: somebody else's turn */
    BottomHalf *bh;             /* the first greeting on a mux */
} HmpMonitor;

static void write_text(HmpMonitor *s, const char *text, size_t len)
{
    GString *out = g_string_sized_new(len + 64);

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            g_string_append_c(out, '\r');
        }
        g_string_append_c(out, text[i]);
    }
    monitor_write(&s->parent, out->str, out->len);
    g_string_free(out, true);
}

static void run_line(void *opaque, const char *line)
{
    HmpMonitor *s = opaque;
    Hmp hmp = { .out = g_string_new(NULL), .cpu_index = s->cpu_index, .rl = s->rl };
    Monitor *outer = monitor_current;

    monitor_current = &s->parent;
    s->busy = true;
    hmp_execute(&hmp, line);
    s->busy = false;
    monitor_current = outer;
    s->cpu_index = hmp.cpu_index;
    write_text(s, hmp.out->str, hmp.out->len);
    g_string_free(hmp.out, true);
    if (s->rl) {
        readline_redraw(s->rl);
    }
}

static void rl_write(void *opaque, const char *text, size_t len)
{
    write_text(opaque, text, len);
}

static GPtrArray *rl_complete(void *opaque, const char *text)
{
    (void)opaque;
    return hmp_complete(text);
}

static const ReadlineOps rl_ops = { rl_write, run_line, rl_complete };

static size_t hmp_can_receive(void *opaque)
{
    HmpMonitor *s = opaque;

    s->starved |= s->busy;
    return s->busy || monitor_is_congested(&s->parent) ? 0 : 256;
}

static void plain_input(HmpMonitor *s, uint8_t c)
{
    if (c == '\n' || c == '\r') {
        g_autofree char *line = g_strdup(s->line->str);

        g_string_truncate(s->line, 0);
        run_line(s, line);
    } else if (s->line->len < 4096) {
        g_string_append_c(s->line, (char)c);
    }
}

static void hmp_receive(void *opaque, const uint8_t *buf, size_t len)
{
    HmpMonitor *s = opaque;

    for (size_t i = 0; i < len; i++) {
        if (s->rl) {
            readline_input(s->rl, buf[i]);
        } else {
            plain_input(s, buf[i]);
        }
    }
    if (s->starved) {
        s->starved = false;
        chr_fe_accept_input(&s->parent.fe);
    }
}

static void greet(HmpMonitor *s)
{
    static const char text[] =
        "QEMU " G_STRINGIFY(VERSION_MAJOR) "." G_STRINGIFY(VERSION_MINOR) "."
        G_STRINGIFY(VERSION_MICRO) " monitor (" VERSION_PACKAGE ")"
        " - type 'help' for more information\n";

    if (!s->greeted) {
        s->greeted = true;
        write_text(s, text, strlen(text));
    }
    if (s->rl) {
        readline_redraw(s->rl);
    }
}

static void greet_on_mux(void *opaque)
{
    HmpMonitor *s = opaque;

    if (!s->out_of_focus) {
        if (s->greeted) {
            write_text(s, "\n", 1);
        }
        greet(s);
    }
}

static void hmp_chr_event(void *opaque, ChrEvent event)
{
    HmpMonitor *s = opaque;

    switch (event) {
    case CHR_EVENT_OPENED:
        s->greeted = false;
        if (s->rl) {
            readline_reset(s->rl);
        }
        /* On a mux the greeting waits until the user comes here. */
        if (!chardev_is_mux(chr_fe_get_chardev(&s->parent.fe))) {
            greet(s);
        }
        break;
    case CHR_EVENT_CLOSED:
        g_string_truncate(s->parent.out, 0);
        break;
    case CHR_EVENT_MUX_IN:
        if (s->out_of_focus) {
            /* At start-up the focus passes by; who has it when the main loop runs counts. */
            bh_schedule(s->bh);
        }
        s->out_of_focus = false;
        break;
    case CHR_EVENT_MUX_OUT:
        s->out_of_focus = true;
        break;
    default:
        break;
    }
}

static void hmp_writable(void *opaque)
{
    HmpMonitor *s = opaque;

    monitor_flush(&s->parent);
    chr_fe_accept_input(&s->parent.fe);
}

static const ChrHandlers hmp_handlers = {
    .can_receive = hmp_can_receive, .receive = hmp_receive, .event = hmp_chr_event,
    .writable = hmp_writable,
};

static void hmp_free(Monitor *mon)
{
    HmpMonitor *s = (HmpMonitor *)mon;

    bh_delete(s->bh);
    if (s->rl) {
        readline_free(s->rl);
    }
    g_string_free(s->line, true);
    g_free(s);
}

static const MonitorKind hmp_kind = { .free = hmp_free };

bool monitor_new_hmp(Chardev *chr, bool readline, Error **errp)
{
    HmpMonitor *s = g_new0(HmpMonitor, 1);

    if (!chr_fe_init(&s->parent.fe, chr, errp)) {
        g_free(s);
        return false;
    }
    s->parent.kind = &hmp_kind;
    s->line = g_string_new(NULL);
    s->out_of_focus = true;
    s->bh = bh_new_on(main_event_loop(), greet_on_mux, s);
    if (readline) {
        s->rl = readline_new(PROMPT, &rl_ops, s);
    }
    monitor_add(&s->parent);
    chr_fe_set_handlers(&s->parent.fe, &hmp_handlers, s);
    return true;
}
