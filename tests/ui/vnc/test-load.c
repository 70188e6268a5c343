/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many viewers, one that never reads, and a slow link. Times are told, not judged. */
#include "util/osdep.h"
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "qapi/commands-ui.h"
#include "tests/lib/vnc-fixture.h"
#include "util/thread.h"
#include "util/timer.h"

static void fail(Fixture *f, const RfbClient *c, const char *what)
{
    test_fail(f->t, "%s: %s", what, c->error);
}

#define VIEWERS     50

/* Fifty with six encodings; one of them never reads. */
static void many(Fixture *f, UNUSED void *arg)
{
    RfbClient *c = g_new0(RfbClient, VIEWERS), deaf;
    static const int32_t all[] = { 16, 7, 5, 0, 6, 2 };
    unsigned bad = 0;
    int small = 4096;

    printf("# timeout: 240\n");
    fflush(stdout);
    fixture_paint(f, 3);
    if (!rfb_open(&deaf, rfb_connect(f->where), NULL)) {
        fail(f, &deaf, "the deaf one");
        return;
    }
    setsockopt(deaf.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    for (unsigned i = 0; i < 300; i++) {
        rfb_request(&deaf, false, 0, 0, 640, 400);
    }
    for (unsigned i = 0; i < VIEWERS; i++) {
        if (!rfb_open(&c[i], rfb_connect(f->where), NULL) ||
            !rfb_set_encodings(&c[i], &all[i % ARRAY_SIZE(all)], 1) || !rfb_update(&c[i], true)) {
            fail(f, &c[i], "a viewer");
        }
    }
    for (unsigned k = 0; k < 3; k++) {
        fixture_paint(f, 10 + k);
        for (unsigned i = 0; i < VIEWERS; i++) {
            rfb_request(&c[i], true, 0, 0, 640, 400);
        }
        for (unsigned i = 0; i < VIEWERS; i++) {
            bad += !fixture_settle(f, &c[i], 10);
        }
    }
    check_int(f->t, bad, 0, "all of them see all of it");
    for (unsigned i = 0; i < VIEWERS; i++) {
        rfb_close(&c[i]);
    }
    rfb_close(&deaf);
    g_free(c);
}

TEST(load, fifty_viewers)
{
    Fixture *f = fixture_start(t, 640, 400, "");

    if (f) {
        fixture_run(f, many, NULL);
        fixture_stop(f);
    }
}

/* --- viewers that want the same --- */

static double encoding_ms(void)
{
    VncClientStatsList *st = qmp_x_query_vnc_stats(NULL);
    double sum = 0;

    for (size_t i = 0; i < st->n; i++) {
        sum += (double)st->items[i]->cpu_ns / 1e6;
    }
    qapi_free_VncClientStatsList(st);
    return sum;
}

static void shared_by(Fixture *f, int32_t encoding, unsigned viewers)
{
    RfbClient *c = g_new0(RfbClient, viewers);
    double before;

    for (unsigned i = 0; i < viewers; i++) {
        if (!rfb_open(&c[i], rfb_connect(f->where), NULL) ||
            !rfb_set_encodings(&c[i], &encoding, 1) || !rfb_update(&c[i], true)) {
            fail(f, &c[i], "a viewer");
        }
    }
    before = encoding_ms();
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < viewers; i++) {
            rfb_request(&c[i], true, 0, 0, 640, 400);
        }
        fixture_paint(f, viewers + 10 * k);
        for (unsigned i = 0; i < viewers; i++) {
            while (c[i].updates < k + 2 && rfb_message(&c[i]) >= 0) {
            }
        }
    }
    test_note(f->t, "encoding %d, %u viewers: %.1f ms of encoding for a frame", encoding, viewers,
              (encoding_ms() - before) / 2);
    for (unsigned i = 0; i < viewers; i++) {
        check_int(f->t, fixture_wrong(f, &c[i]), 0, "each sees all of it");
        rfb_close(&c[i]);
    }
    g_free(c);
}

static void shared(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 5, 16, -260 };

    for (unsigned e = 0; e < ARRAY_SIZE(list); e++) {
        shared_by(f, list[e], 1);
        shared_by(f, list[e], 8);
        shared_by(f, list[e], 50);
    }
}

TEST(load, shared_encoding)
{
    Fixture *f = fixture_start(t, 640, 400, "");

    if (f) {
        fixture_run(f, shared, NULL);
        fixture_stop(f);
    }
}

/* --- a slow link: 300 KB/s, 50 ms --- */

#define LINK_STEP_MS    10
#define LINK_STEP_BYTES 3000
#define LINK_DELAY      5           /* steps */

typedef struct Link {
    int server, viewer;
    _Atomic bool end;
} Link;

static void *carry(void *opaque)
{
    Link *l = opaque;
    uint8_t buf[LINK_DELAY][LINK_STEP_BYTES], up[4096];
    ssize_t n[LINK_DELAY] = { 0 };

    for (unsigned i = 0; !atomic_load(&l->end); i = (i + 1) % LINK_DELAY) {
        ssize_t k;

        if (n[i] > 0 && send(l->viewer, buf[i], n[i], MSG_NOSIGNAL) != n[i]) {
            break;
        }
        n[i] = recv(l->server, buf[i], LINK_STEP_BYTES, MSG_DONTWAIT);
        k = recv(l->viewer, up, sizeof(up), MSG_DONTWAIT);
        if (k > 0 && send(l->server, up, k, MSG_NOSIGNAL) != k) {
            break;
        }
        g_usleep(LINK_STEP_MS * 1000);
    }
    return NULL;
}

typedef struct Film {
    Fixture *f;
    Timer timer;
    unsigned n;
} Film;

static void next_frame(void *opaque)
{
    Film *m = opaque;
    uint32_t s = ++m->n;

    for (int y = 100; y < 340; y++) {
        uint32_t *line = console_line(m->f->con, y);

        for (int x = 100; x < 420; x++) {
            s = s * 1664525 + 1013904223;
            line[x] = (uint32_t)((x + 5 * m->n) & 255) << 16 | (uint32_t)((y * 2) & 255) << 8 |
                      (s >> 24 & 15);
        }
    }
    console_damage(m->f->con, 100, 100, 320, 240);
    timer_mod_ns(&m->timer, clock_get_ns(CLOCK_RT) + 33 * NS_PER_MS);
}

static void film_start(void *arg)
{
    Film *m = arg;

    timer_init_ns(&m->timer, CLOCK_RT, next_frame, m);
    next_frame(m);
}

static void film_stop(void *arg)
{
    timer_del(&((Film *)arg)->timer);
}

static void slow_link(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 7, -26, 1, -312, -313 };
    static const uint8_t on[] = { 150, 1, 0, 0, 0, 0, 2, 0x80, 1, 0x90 };
    int pair[2];
    Link l = { .server = rfb_connect(f->where) };
    Film m = { .f = f };
    int64_t worst = 0, sum = 0, begin;
    unsigned n = 0;
    Thread thread;
    RfbClient c;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        return;
    }
    l.viewer = pair[0];
    thread_create(&thread, "link", carry, &l);
    fixture_paint(f, 1);
    if (!rfb_open(&c, pair[1], NULL) || !rfb_set_encodings(&c, list, 5) || !rfb_update(&c, true)) {
        fail(f, &c, "start");
    }
    c.auto_fence = true;
    rfb_send(&c, on, sizeof(on));
    fixture_main(film_start, &m);
    begin = clock_get_ns(CLOCK_RT);
    for (unsigned i = 0; i < 60 && rfb_message(&c) >= 0; i++) {     /* the window finds its size */
    }
    for (unsigned i = 1; i <= 8; i++) {
        uint32_t color = i * 0x1d2b39;
        int64_t start = clock_get_ns(CLOCK_RT), took;

        fixture_fill(f, 600, 10, 8, 8, color);      /* a pointer that the guest draws */
        while (c.values[10 * 640 + 600] != color && rfb_message(&c) >= 0) {
        }
        took = clock_get_ns(CLOCK_RT) - start;
        worst = MAX(worst, took);
        sum += took;
        n++;
    }
    test_note(f->t, "%u updates in %.1f s; from a change to the viewer: %.0f ms, at worst %.0f ms",
              c.updates, (double)(clock_get_ns(CLOCK_RT) - begin) / NS_PER_SECOND,
              (double)sum / n / NS_PER_MS, (double)worst / NS_PER_MS);
    fixture_main(film_stop, &m);
    begin = clock_get_ns(CLOCK_RT);
    while (fixture_wrong(f, &c) && rfb_message(&c) >= 0) {
    }
    check_int(f->t, fixture_wrong(f, &c), 0, "at rest it gets exact");
    test_note(f->t, "exact %.0f ms after the film's end",
              (double)(clock_get_ns(CLOCK_RT) - begin) / NS_PER_MS);
    atomic_store(&l.end, true);
    thread_join(&thread);
    close(l.server);
    close(l.viewer);
    rfb_close(&c);
}

TEST(load, slow_link)
{
    Fixture *f = fixture_start(t, 640, 400, "lossy=on");

    if (f) {
        fixture_run(f, slow_link, NULL);
        fixture_stop(f);
    }
}
