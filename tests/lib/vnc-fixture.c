/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include <math.h>
#include "qapi/commands-ui.h"
#include "tests/lib/vnc-fixture.h"
#include "ui/vnc/vnc.h"
#include "util/main-loop.h"
#include "util/thread.h"

static void on_resize(void *opaque, int w, int h)
{
    Fixture *f = opaque;

    f->resize_w = w;
    f->resize_h = h;
}

static const ConsoleOps ops = { .resize = on_resize };

Fixture *fixture_start(Test *t, int width, int height, const char *options)
{
    Fixture *f = g_new0(Fixture, 1);
    QDict *opts = qdict_new();
    char **parts = g_strsplit(options, ",", -1);
    Error *err = NULL;

    main_loop_init();
    f->t = t;
    f->con = console_new(NULL, 0, &ops, f);
    console_set_size(f->con, width, height);
    f->where = g_strdup_printf("unix:%s/vnc", test_tmpdir(t));
    qdict_put_str(opts, "vnc", f->where);
    for (char **p = parts; *p; p++) {
        char *eq = strchr(*p, '=');

        if (**p) {
            char *key = eq ? g_strndup(*p, eq - *p) : g_strdup(*p);

            qdict_put_str(opts, key, eq ? eq + 1 : "on");
            g_free(key);
        }
    }
    if (strstr(options, "websocket")) {
        qdict_put_str(opts, "vnc", "127.0.0.1:0");
        qdict_put_str(opts, "to", "200");
    }
    if (!vnc_open(opts, &err)) {
        test_fail(t, "%s: %s", options, error_message(err));
        error_free(err);
        console_free(f->con);
        g_free(f->where);
        g_free(f);
        f = NULL;
    } else if (strstr(options, "websocket")) {
        VncInfo2List *list = qmp_query_vnc_servers(NULL);

        g_free(f->where);
        f->where = g_strdup(list->items[0]->server->items[0]->service);
        f->where_ws = g_strdup(list->items[0]->server->items[1]->service);
        qapi_free_VncInfo2List(list);
    }
    qobject_unref(opts);
    g_strfreev(parts);
    return f;
}

void fixture_stop(Fixture *f)
{
    vnc_close_all();
    console_free(f->con);
    g_free(f->where);
    g_free(f->where_ws);
    g_free(f);
}

typedef struct Run {
    Fixture *f;
    void (*fn)(Fixture *f, void *arg);
    void *arg;
    bool done;
} Run;

static void finished(void *opaque)
{
    ((Run *)opaque)->done = true;
}

static void *runner(void *opaque)
{
    Run *r = opaque;

    r->fn(r->f, r->arg);
    bh_once(main_event_loop(), finished, r);
    return NULL;
}

void fixture_run(Fixture *f, void (*fn)(Fixture *f, void *arg), void *arg)
{
    Run r = { f, fn, arg, false };
    Thread thread;

    thread_create(&thread, "viewer", runner, &r);
    main_loop_run_until(&r.done);
    thread_join(&thread);
}

typedef struct Call {
    void (*fn)(void *arg);
    void *arg;
    Event done;
} Call;

static void called(void *opaque)
{
    Call *c = opaque;

    c->fn(c->arg);
    event_set(&c->done);
}

void fixture_main(void (*fn)(void *arg), void *arg)
{
    Call c = { .fn = fn, .arg = arg };

    event_init(&c.done, false);
    bh_once(main_event_loop(), called, &c);
    event_wait(&c.done);
}

/* --- painting --- */

typedef struct Paint {
    Fixture *f;
    int x, y, w, h;
    uint32_t rgb;
    unsigned seed, wrong;
    const RfbClient *c;
} Paint;

static void do_fill(void *arg)
{
    Paint *p = arg;

    for (int y = p->y; y < p->y + p->h; y++) {
        for (int x = p->x; x < p->x + p->w; x++) {
            console_line(p->f->con, y)[x] = p->rgb;
        }
    }
    console_damage(p->f->con, p->x, p->y, p->w, p->h);
}

void fixture_fill(Fixture *f, int x, int y, int w, int h, uint32_t rgb)
{
    Paint p = { f, x, y, w, h, rgb };

    fixture_main(do_fill, &p);
}

static void do_paint(void *arg)
{
    Paint *p = arg;
    int w = console_width(p->f->con), h = console_height(p->f->con);
    uint32_t s = p->seed * 2654435761u;

    for (int y = 0; y < h; y++) {
        uint32_t *line = console_line(p->f->con, y);

        for (int x = 0; x < w; x++) {
            s = s * 1664525 + 1013904223;
            if (x < w / 3) {                    /* a photograph */
                line[x] = (uint32_t)(127 + 100 * sin((x + p->seed) / 31.0)) << 16 |
                          (uint32_t)(127 + 90 * cos(y / 23.0)) << 8 | (s >> 24 & 7);
            } else if (x < 2 * w / 3) {         /* text */
                line[x] = (s >> 20) % 5 || y % 16 > 11 ? 0xffffff : 0x000000;
            } else {                            /* windows */
                line[x] = (x / 40 + y / 30 + p->seed) % 7 * 0x202020 + 0x101080;
            }
        }
    }
    console_damage(p->f->con, 0, 0, w, h);
}

void fixture_paint(Fixture *f, unsigned seed)
{
    Paint p = { .f = f, .seed = seed };

    fixture_main(do_paint, &p);
}

static void do_scroll(void *arg)
{
    Paint *p = arg;
    int h = console_height(p->f->con), w = console_width(p->f->con), n = p->h;

    for (int i = 0; i < h; i++) {
        int y = n > 0 ? i : h - 1 - i, from = y + n;

        if (from >= 0 && from < h) {
            memcpy(console_line(p->f->con, y), console_line(p->f->con, from), 4 * (size_t)w);
        } else {
            for (int x = 0; x < w; x++) {
                console_line(p->f->con, y)[x] = (x * y + y) & 0xffffff;
            }
        }
    }
    console_damage(p->f->con, 0, 0, w, h);
}

void fixture_scroll(Fixture *f, int lines)
{
    Paint p = { .f = f, .h = lines };

    fixture_main(do_scroll, &p);
}

static void do_resize(void *arg)
{
    Paint *p = arg;

    console_set_size(p->f->con, p->w, p->h);
}

void fixture_resize(Fixture *f, int w, int h)
{
    Paint p = { .f = f, .w = w, .h = h };

    fixture_main(do_resize, &p);
}

static void do_compare(void *arg)
{
    Paint *p = arg;
    const RfbClient *c = p->c;

    for (int y = 0; y < c->height; y++) {
        for (int x = 0; x < c->width; x++) {
            uint32_t rgb = x < console_width(p->f->con) && y < console_height(p->f->con)
                         ? console_line(p->f->con, y)[x] : 0;

            p->wrong += c->values[(size_t)y * c->width + x] != rfb_value(&c->format, rgb);
        }
    }
}

unsigned fixture_wrong(Fixture *f, const RfbClient *c)
{
    Paint p = { .f = f, .c = c };

    fixture_main(do_compare, &p);
    return p.wrong;
}

bool fixture_settle(Fixture *f, RfbClient *c, unsigned tries)
{
    unsigned before;

    for (unsigned i = 0; i < tries; i++) {
        before = c->updates;
        if (fixture_wrong(f, c) == 0) {
            return true;
        }
        if (!rfb_request(c, true, 0, 0, c->width, c->height)) {
            return false;
        }
        while (c->updates == before) {
            if (!rfb_readable(c, 1500)) {
                break;                  /* nothing more comes */
            }
            if (rfb_message(c) < 0) {
                return false;
            }
        }
    }
    return fixture_wrong(f, c) == 0 || rfb_fail(c, "%u pixels stay wrong", fixture_wrong(f, c));
}
