/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Updates through the whole server: every encoding and format, scrolling, sizes, fences. */
#include "util/osdep.h"
#include <glib.h>
#include "tests/lib/vnc-fixture.h"
#include "ui/vnc/enc.h"
#include "ui/vnc/vnc.h"
#include "util/thread.h"

static const int32_t encodings[] = { 0, 2, 5, 6, 7, 8, 16, -260 };
static const RfbFormat *const formats[] = {
    &rfb_rgb888, &rfb_rgb888_be, &rfb_bgr888, &rfb_rgb565, &rfb_rgb565_be, &rfb_rgb555, &rfb_bgr233,
};

static void fail(Fixture *f, const RfbClient *c, const char *what)
{
    test_fail(f->t, "%s: %s", what, c->error);
}

static void each_encoding(Fixture *f, UNUSED void *arg)
{
    for (unsigned e = 0; e < ARRAY_SIZE(encodings); e++) {
        for (unsigned k = 0; k < ARRAY_SIZE(formats); k++) {
            const int32_t list[] = { encodings[e], 1 };
            char what[40];
            RfbClient c;

            snprintf(what, sizeof(what), "encoding %d, format %u", encodings[e], k);
            fixture_paint(f, e * 10 + k);
            if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_format(&c, formats[k]) ||
                !rfb_set_encodings(&c, list, 2) || !rfb_update(&c, true) ||
                !fixture_settle(f, &c, 10)) {
                fail(f, &c, what);
            }
            for (unsigned i = 0; i < 5; i++) {
                fixture_fill(f, 10 + 30 * i, 20 * i, 37, 41, 0x123456 * (i + 1) & 0xffffff);
                fixture_fill(f, 200, 7 * i, 3, 2, 0xff00ff);
                if (!fixture_settle(f, &c, 10)) {
                    fail(f, &c, what);
                }
            }
            check_true(f->t, c.by_encoding[encodings[e] < 0 ? 60 : encodings[e]] > 0, what);
            rfb_close(&c);
        }
    }
}

TEST(updates, encodings_and_formats)
{
    Fixture *f = fixture_start(t, 333, 217, "");

    if (f) {
        fixture_run(f, each_encoding, NULL);
        fixture_stop(f);
    }
}

static void scrolled(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 16, 1 };
    RfbClient c;

    fixture_paint(f, 1);
    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, list, 2) ||
        !rfb_update(&c, true) || !fixture_settle(f, &c, 10)) {
        fail(f, &c, "start");
    }
    for (int i = 0; i < 6; i++) {
        uint64_t before = c.bytes;

        fixture_scroll(f, i < 3 ? 16 : -23);
        if (!fixture_settle(f, &c, 20)) {
            fail(f, &c, "scrolling");
        }
        test_note(f->t, "scroll %d: %" PRIu64 " bytes", i, c.bytes - before);
    }
    check_true(f->t, c.copies >= 4, "moved lines are copied");
    rfb_close(&c);
}

TEST(updates, scrolling_is_copied)
{
    Fixture *f = fixture_start(t, 640, 400, "");

    if (f) {
        fixture_run(f, scrolled, NULL);
        fixture_stop(f);
    }
}

typedef struct Windows {
    Fixture *f;
    int x[2], y[2];
} Windows;

/* Two windows with text of their own on a desktop; the second is above. */
static void paint_windows(void *arg)
{
    Windows *p = arg;
    int w = console_width(p->f->con), h = console_height(p->f->con);

    for (int y = 0; y < h; y++) {
        uint32_t *line = console_line(p->f->con, y);

        for (int x = 0; x < w; x++) {
            line[x] = 0x204060 + y / 8 * 0x000101;
        }
    }
    for (int k = 0; k < 2; k++) {
        uint32_t seed = 77 + k;

        for (int y = 0; y < 150; y++) {
            for (int x = 0; x < 200; x++) {
                seed = seed * 1664525 + 1013904223;
                console_line(p->f->con, p->y[k] + y)[p->x[k] + x] =
                    y < 16 ? 0x3060b0 : seed >> 28 ? 0xf4f4f4 : 0x202020;
            }
        }
    }
    console_damage(p->f->con, 0, 0, w, h);
}

/* In all directions, over each other, by odd distances. */
static void moved(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 16, 1 };
    static const int8_t by[][2] = { { 13, 7 }, { -11, 5 }, { -17, -9 }, { 19, -3 }, { 0, 8 }, { 23, 0 } };
    Windows p = { f, { 20, 200 }, { 20, 100 } };
    RfbClient c;

    fixture_main(paint_windows, &p);
    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, list, 2) ||
        !rfb_update(&c, true) || !fixture_settle(f, &c, 10)) {
        fail(f, &c, "start");
    }
    for (unsigned i = 0; i < 12; i++) {
        const int8_t *d = by[i % ARRAY_SIZE(by)];

        p.x[i / 6] += d[0];
        p.y[i / 6] += d[1];
        fixture_main(paint_windows, &p);
        if (!fixture_settle(f, &c, 20)) {
            fail(f, &c, "moving");
        }
    }
    check_true(f->t, c.copies >= 8, "windows that move are copied");
    test_note(f->t, "12 moves: %u copies", c.copies);
    rfb_close(&c);
}

TEST(updates, windows_are_copied)
{
    Fixture *f = fixture_start(t, 640, 400, "");

    if (f) {
        fixture_run(f, moved, NULL);
        fixture_stop(f);
    }
}

/* A letter is sent, and not what is around it. */
static void small(Fixture *f, UNUSED void *arg)
{
    static const int32_t raw[] = { 0 };
    uint64_t before;
    RfbClient c;

    fixture_paint(f, 1);
    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, raw, 1) ||
        !rfb_update(&c, true) || !fixture_settle(f, &c, 10)) {
        fail(f, &c, "start");
    }
    before = c.bytes;
    fixture_fill(f, 61, 30, 8, 16, 0x010203);
    if (!fixture_settle(f, &c, 10)) {
        fail(f, &c, "a letter");
    }
    check_int(f->t, c.bytes - before, 4 + 12 + 4 * 8 * 16, "a rectangle's head, and its pixels");
    rfb_close(&c);
}

TEST(updates, no_more_than_a_letter)
{
    Fixture *f = fixture_start(t, 320, 200, "");

    if (f) {
        fixture_run(f, small, NULL);
        fixture_stop(f);
    }
}

/* A guest that scrolls its screen, which the console shows where it is, without end. */
typedef struct Guest {
    Fixture *f;
    uint32_t *memory;
    int w, h;
    _Atomic bool stop;
} Guest;

static void *scroll_memory(void *opaque)
{
    Guest *g = opaque;
    size_t all = (size_t)g->w * g->h, line = g->w;

    for (unsigned n = 0; !atomic_load(&g->stop); n++) {
        for (size_t i = 0; i + line < all; i++) {
            g->memory[i] = g->memory[i + line];
        }
        for (size_t i = all - line; i < all; i++) {
            g->memory[i] = 0xff000000u | (uint32_t)(i + n) * 2654435761u;       /* the top byte is nobody's */
        }
        g_usleep(200);
    }
    return NULL;
}

static void lend_memory(void *opaque)
{
    Guest *g = opaque;

    console_lend(g->f->con, g->memory, g->w, g->h, 4 * (size_t)g->w);
}

static void memory_changed(void *opaque)
{
    Guest *g = opaque;

    console_damage(g->f->con, 0, 0, g->w, g->h);
}

static void give_back(void *opaque)
{
    Guest *g = opaque;

    console_set_size(g->f->con, g->w, g->h);
    for (int y = 0; y < g->h; y++) {
        memcpy(console_line(g->f->con, y), g->memory + (size_t)y * g->w, 4 * (size_t)g->w);
    }
    console_damage(g->f->con, 0, 0, g->w, g->h);
}

static void lent(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 16, 1 };
    Guest g = { .f = f, .w = 320, .h = 200 };
    Thread thread;
    RfbClient c;

    g.memory = g_new(uint32_t, (size_t)g.w * g.h);
    for (int i = 0; i < g.w * g.h; i++) {
        g.memory[i] = (uint32_t)i * 2654435761u & 0xffffff;
    }
    fixture_main(lend_memory, &g);
    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, list, 2) ||
        !rfb_update(&c, true) || !fixture_settle(f, &c, 10)) {
        fail(f, &c, "start");
    }
    thread_create(&thread, "guest", scroll_memory, &g);
    for (int i = 0; i < 40; i++) {
        fixture_main(memory_changed, &g);
        if (!rfb_update(&c, true)) {
            fail(f, &c, "while it scrolls");
        }
    }
    atomic_store(&g.stop, true);
    thread_join(&thread);
    fixture_main(memory_changed, &g);           /* a device tells of it afterwards */
    if (!fixture_settle(f, &c, 20)) {
        fail(f, &c, "at rest");
    }
    test_note(f->t, "%u copies", c.copies);
    fixture_main(give_back, &g);
    if (!fixture_settle(f, &c, 20)) {
        fail(f, &c, "the console's own surface again");
    }
    rfb_close(&c);
    g_free(g.memory);
}

TEST(updates, memory_that_changes_meanwhile)
{
    Fixture *f = fixture_start(t, 320, 200, "");

    if (f) {
        fixture_run(f, lent, NULL);
        fixture_stop(f);
    }
}

static void resized(Fixture *f, UNUSED void *arg)
{
    static const int32_t with[] = { 5, -223 }, ext[] = { 5, -223, -308 }, without[] = { 5 };
    RfbClient a, b, c;

    fixture_paint(f, 1);
    if (!rfb_open(&a, rfb_connect(f->where), NULL) || !rfb_set_encodings(&a, with, 2) ||
        !rfb_update(&a, true) || !rfb_open(&b, rfb_connect(f->where), NULL) ||
        !rfb_set_encodings(&b, ext, 3) || !rfb_update(&b, true) ||
        !rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, without, 1) ||
        !rfb_update(&c, true)) {
        fail(f, *a.error ? &a : *b.error ? &b : &c, "start");
        return;
    }
    check_true(f->t, b.ext_size && b.n_screens == 1 && b.screens[0].w == 320,
               "the first full request is answered with the layout");
    for (unsigned i = 0; i < 4; i++) {
        int w = i % 2 ? 320 : 500 + i, h = i % 2 ? 200 : 131;

        fixture_resize(f, w, h);
        fixture_paint(f, i + 7);
        if (!fixture_settle(f, &a, 10)) {
            fail(f, &a, "DesktopSize");
        }
        if (!fixture_settle(f, &b, 10)) {
            fail(f, &b, "ExtendedDesktopSize");
        }
        check_true(f->t, a.width == w && a.height == h && b.width == w && b.height == h,
                   "they have followed");
        if (!fixture_settle(f, &c, 10)) {
            fail(f, &c, "a viewer of fixed size sees the part that fits, and black");
        }
        check_int(f->t, c.width, 320, "it keeps its size");
    }
    /* SetDesktopSize: forwarded to the device. */
    {
        static const uint8_t m[] = { 251, 0, 4, 0, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 3, 0,
                                     0, 0, 0, 0 };

        rfb_send(&b, m, sizeof(m));
        if (rfb_message(&b) != 0) {
            fail(f, &b, "answer to SetDesktopSize");
        }
        check_true(f->t, b.size_reason == 1 && b.size_status == 4, "the request is forwarded");
        check_true(f->t, f->resize_w == 1024 && f->resize_h == 768, "to the device");
    }
    rfb_close(&a);
    rfb_close(&b);
    rfb_close(&c);
}

TEST(updates, sizes)
{
    Fixture *f = fixture_start(t, 320, 200, "");

    if (f) {
        fixture_run(f, resized, NULL);
        fixture_stop(f);
    }
}

static void continuous(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 16, 1, -312, -313, -223 };
    static const uint8_t on[] = { 150, 1, 0, 0, 0, 0, 2, 0x80, 1, 0x90 }, off[10] = { 150 };
    static const uint8_t ping[] = { 248, 0, 0, 0, 0x80, 0, 0, 7, 3, 'a', 'b', 'c' };
    unsigned i;
    RfbClient c;

    fixture_paint(f, 1);
    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, list, 5) ||
        !rfb_update(&c, true)) {
        fail(f, &c, "start");
        return;
    }
    check_true(f->t, c.end_of_cu == 1 && c.fences == 1, "both extensions are announced");
    c.auto_fence = true;
    rfb_send(&c, on, sizeof(on));
    for (i = 0; i < 30; i++) {
        unsigned before = c.updates;

        fixture_paint(f, i);
        while (c.updates == before && rfb_message(&c) >= 0) {
        }
    }
    check_true(f->t, fixture_settle(f, &c, 20), "updates come unasked");
    check_true(f->t, c.fences > 10, "each is fenced");
    rfb_send(&c, ping, sizeof(ping));
    c.auto_fence = false;
    for (i = 0; i < 20 && (c.fence_flags & BIT(31) || c.fence_len != 3); i++) {
        rfb_message(&c);
    }
    check_true(f->t, c.fence_flags == 7 && !memcmp(c.fence_payload, "abc", 3), "a fence's answer");
    rfb_send(&c, off, sizeof(off));
    while (c.end_of_cu == 1 && rfb_message(&c) >= 0) {
    }
    check_true(f->t, c.end_of_cu == 2, "and they end");
    rfb_close(&c);
}

TEST(updates, continuous_and_fences)
{
    Fixture *f = fixture_start(t, 640, 400, "");

    if (f) {
        fixture_run(f, continuous, NULL);
        fixture_stop(f);
    }
}

/* As a viewer changes its format: what comes after the answers of both extensions is in the new one. */
static void change_format(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 0, -312, -313, -223 };
    static const uint8_t on[] = { 150, 1, 0, 0, 0, 0, 2, 0x80, 1, 0x90 }, off[10] = { 150 };
    static const uint8_t sync[] = { 3, 0, 0, 0, 0, 0, 2, 0x80, 1, 0x90, 248, 0, 0, 0, 0x80, 0, 0, 4, 1, 's' };
    RfbClient c;

    fixture_paint(f, 1);
    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, list, 4) || !rfb_update(&c, true)) {
        fail(f, &c, "start");
        return;
    }
    c.auto_fence = true;
    for (unsigned i = 0; i < 20; i++) {
        const RfbFormat *format = i % 2 ? &rfb_rgb888 : &rfb_rgb565;
        unsigned ends = c.end_of_cu, before;

        /* With the request in one piece: the answer comes before the update does. */
        c.fence_len = 0;
        rfb_send(&c, sync, sizeof(sync));
        while (c.fence_len != 1 && rfb_message(&c) >= 0) {
        }
        rfb_readable(&c, 20);               /* one that comes too early has the time to */
        before = c.updates;
        rfb_set_format(&c, format);
        rfb_request(&c, false, 0, 0, c.width, c.height);
        while (c.updates == before && rfb_message(&c) >= 0) {
        }
        if (!check_true(f->t, c.updates > before && c.error[0] == 0, "the update after a fence")) {
            fail(f, &c, "update");
            break;
        }
        rfb_send(&c, on, sizeof(on));
        fixture_paint(f, i);
        rfb_readable(&c, 1000);             /* an update is on its way */
        rfb_send(&c, off, sizeof(off));
        while (c.end_of_cu == ends && rfb_message(&c) >= 0) {
        }
        before = c.updates;
        check_true(f->t, !rfb_readable(&c, 5) && c.updates == before, "none after the end of continuous updates");
    }
    check_true(f->t, fixture_settle(f, &c, 20), "the picture is right");
    rfb_close(&c);
}

TEST(updates, format_changes)
{
    Fixture *f = fixture_start(t, 640, 400, "");

    if (f) {
        fixture_run(f, change_format, NULL);
        fixture_stop(f);
    }
}

static void lossy(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 7, -32 + 5 };
    RfbClient c;

    fixture_paint(f, 1);
    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, list, 2)) {
        fail(f, &c, "start");
        return;
    }
    rfb_update(&c, true);
    check_true(f->t, c.tight_jpeg == 0 || arg, "a first picture is without loss, if adaptive");
    for (unsigned i = 0; i < 12; i++) {
        fixture_paint(f, i);
        rfb_update(&c, false);
    }
    check_true(f->t, c.tight_jpeg > 0, "a film is sent with loss");
    /* At rest it gets exact. */
    check_true(f->t, fixture_settle(f, &c, 40), "and refined when it rests");
    rfb_close(&c);
}

TEST(updates, lossy_and_refined)
{
    Fixture *f = fixture_start(t, 640, 400, "lossy=on");

    if (f) {
        fixture_run(f, lossy, NULL);
        fixture_stop(f);
    }
    f = fixture_start(t, 640, 400, "lossy=on,non-adaptive=on");
    if (f) {
        fixture_run(f, lossy, "at once");
        fixture_stop(f);
    }
}

/* What moves is a film, the rest is ZRLE, and all of it when it rests. */
static void film(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 50, 16, -32 + 8 };
    RfbClient c;

    fixture_paint(f, 1);
    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, list, 3)) {
        fail(f, &c, "start");
        return;
    }
    rfb_update(&c, true);
    check_true(f->t, c.film_frames == 0 && c.by_encoding[16] > 0, "a first picture is no film");
    for (unsigned i = 0; i < 16; i++) {
        fixture_paint(f, i);
        rfb_update(&c, false);
    }
    check_true(f->t, c.film_frames > 2 && c.film_resets >= 1 && c.film_resets < c.film_frames, "a film is one");
    check_true(f->t, fixture_settle(f, &c, 40), "and exact when it rests");
    rfb_close(&c);
}

TEST(updates, film)
{
    Fixture *f;

    if (!enc_h264_available()) {
        test_skip(t, "this build is without libx264");
        return;
    }
    f = fixture_start(t, 641, 399, "lossy=on");
    if (f) {
        fixture_run(f, film, NULL);
        fixture_stop(f);
    }
}

static void never_lossy(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 7, -32 + 5 };
    RfbClient c;

    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, list, 2)) {
        fail(f, &c, "start");
        return;
    }
    for (unsigned i = 0; i < 12; i++) {
        fixture_paint(f, i);
        rfb_update(&c, !i);
    }
    check_int(f->t, c.tight_jpeg, 0, "lossy=off is the default");
    rfb_close(&c);
}

TEST(updates, without_loss_by_default)
{
    Fixture *f = fixture_start(t, 320, 200, "");

    if (f) {
        fixture_run(f, never_lossy, NULL);
        fixture_stop(f);
    }
}

/* A color map of the server's making. */
static void mapped(Fixture *f, UNUSED void *arg)
{
    static const RfbFormat map8 = { 8, 8, false, false, { 7, 7, 3 }, { 0, 3, 6 } };
    RfbClient c;

    fixture_paint(f, 5);
    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_format(&c, &map8) ||
        !rfb_update(&c, true)) {
        fail(f, &c, "start");
    }
    check_true(f->t, c.map[7][0] == 65535 && c.map[7][1] == 0 && c.map[0x38][1] == 65535 &&
                     c.map[0xc0][2] == 65535, "SetColourMapEntries");
    check_true(f->t, fixture_settle(f, &c, 5), "pixels are indices");
    rfb_close(&c);
}

TEST(updates, color_map)
{
    Fixture *f = fixture_start(t, 320, 200, "");

    if (f) {
        fixture_run(f, mapped, NULL);
        fixture_stop(f);
    }
}
