/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The character device qemu-vdagent, from the guest's side of the port. */
#include "util/osdep.h"
#include <glib.h>
#include "chardev/chardev.h"
#include "qobject/qobject.h"
#include "tests/lib/test.h"
#include "ui/core/clipboard.h"
#include "ui/core/input.h"
#include "util/bswap.h"
#include "util/main-loop.h"
#include "util/timer.h"
#include "vmstate/vmstate.h"

typedef struct Guest {
    CharFrontend fe;
    GByteArray *got;
    size_t room;
} Guest;

static size_t can_receive(void *opaque)
{
    return ((Guest *)opaque)->room;
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    Guest *g = opaque;

    g->room -= len;
    g_byte_array_append(g->got, buf, len);
}

static const ChrHandlers handlers = { .can_receive = can_receive, .receive = receive };

static Chardev *start(Test *t, Guest *g, const char *clipboard, const char *mouse)
{
    QDict *o = qdict_from_fmt("{'backend': 'qemu-vdagent', 'id': 'agent', 'clipboard': %s, "
                              "'mouse': %s}", clipboard, mouse);
    Error *err = NULL;
    Chardev *chr;

    main_loop_init();
    chr = chardev_new_from_opts(o, &err);
    check_true(t, chr, err ? error_message(err) : "made");
    qobject_unref(o);
    g->got = g_byte_array_new();
    g->room = 1 << 26;
    chr_fe_init(&g->fe, chr, NULL);
    chr_fe_set_handlers(&g->fe, &handlers, g);
    chr_fe_set_open(&g->fe, true);
    return chr;
}

static void stop(Guest *g)
{
    chr_fe_deinit(&g->fe);
    chardev_remove("agent", NULL);
    g_byte_array_unref(g->got);
}

/* A message in chunks of at most @piece bytes. */
static void say(Guest *g, uint32_t type, const void *data, size_t len, size_t piece)
{
    GByteArray *m = g_byte_array_new();

    g_byte_array_set_size(m, 20);
    memset(m->data, 0, 20);
    store_le32(m->data, 1);
    store_le32(m->data + 4, type);
    store_le32(m->data + 16, len);
    g_byte_array_append(m, data, len);
    for (size_t at = 0; at < m->len; at += piece) {
        uint8_t head[8];

        store_le32(head, 1);
        store_le32(head + 4, MIN(piece, m->len - at));
        chr_fe_write(&g->fe, head, 8);
        chr_fe_write(&g->fe, m->data + at, MIN(piece, m->len - at));
    }
    g_byte_array_unref(m);
}

/* The next message that came, without its chunks; its type, 0 if there is none. */
static uint32_t hear(Guest *g, GByteArray *data)
{
    GByteArray *m = g_byte_array_new();
    uint32_t type = 0;

    g_byte_array_set_size(data, 0);
    while (g->got->len >= 8) {
        uint32_t n = load_le32(g->got->data + 4);

        g_byte_array_append(m, g->got->data + 8, n);
        g_byte_array_remove_range(g->got, 0, 8 + n);
        if (m->len >= 20 && m->len == 20 + load_le32(m->data + 16)) {
            type = load_le32(m->data + 4);
            g_byte_array_append(data, m->data + 20, m->len - 20);
            break;
        }
    }
    g_byte_array_unref(m);
    return type;
}

static const uint8_t all_caps[8] = { 1, 0, 0, 0, 0x61, 0, 0, 0 };

TEST(vdagent, capabilities)
{
    GByteArray *d = g_byte_array_new();
    Guest g;

    start(t, &g, "on", "off");
    check_int(t, hear(&g, d), 6, "capabilities when the port opens");
    check_true(t, load_le32(d->data) == 1 && load_le32(d->data + 4) == 0x80000060, "clipboard only");
    say(&g, 6, all_caps, 8, 2048);
    check_int(t, hear(&g, d), 6, "and when they are asked for");
    check_true(t, load_le32(d->data) == 0, "no further question");
    check_true(t, !input_pointer(), "no pointer");
    stop(&g);
    g_byte_array_unref(d);
}

typedef struct Other {
    ClipPeer peer;
    unsigned formats, arrived, wanted;
} Other;

static void changed(ClipPeer *p, unsigned formats)
{
    ((Other *)p)->formats = formats;
}

static void arrived(ClipPeer *p, ClipFormat f)
{
    ((Other *)p)->arrived |= BIT(f);
}

static void wanted(ClipPeer *p, ClipFormat f)
{
    ((Other *)p)->wanted |= BIT(f);
}

TEST(vdagent, clipboard)
{
    Other o = { .peer = { .name = "other", .changed = changed, .arrived = arrived,
                          .wanted = wanted } };
    static const uint8_t grab[] = { 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 99, 0, 0, 0 };
    GByteArray *d = g_byte_array_new(), *big = g_byte_array_new();
    gsize len;
    Guest g;

    start(t, &g, "on", "off");
    clipboard_add(&o.peer);
    hear(&g, d);
    say(&g, 6, all_caps, 8, 3);             /* chunks may be of any size */
    hear(&g, d);
    say(&g, 7, grab, sizeof(grab), 2048);
    check_int(t, o.formats, BIT(CLIP_TEXT) | BIT(CLIP_PNG) | BIT(CLIP_BMP),
              "the guest has text and a picture, which can be had in two formats");
    clipboard_want(CLIP_TEXT);
    check_int(t, hear(&g, d), 8, "the text is asked for");
    check_true(t, d->len == 8 && load_le32(d->data + 4) == 1, "as UTF-8");
    say(&g, 4, "\0\0\0\0\1\0\0\0gr\303\274n", 13, 5);
    check_true(t, o.arrived == BIT(CLIP_TEXT), "it comes");
    check_mem(t, g_bytes_get_data(clipboard_data(CLIP_TEXT), &len), "gr\303\274n", 5, "it is that");
    say(&g, 4, "\0\0\0\0\1\0\0\0\377\376", 10, 2048);
    check_int(t, g_bytes_get_size(clipboard_data(CLIP_TEXT)), 5, "no UTF-8, no text");

    /* spice-vdagentd's chunks are as long as their message. */
    {
        static uint8_t long_text[5008] = { 0, 0, 0, 0, 1 };

        memset(long_text + 8, 'x', 5000);
        say(&g, 4, long_text, sizeof(long_text), sizeof(long_text) + 20);
        check_int(t, g_bytes_get_size(clipboard_data(CLIP_TEXT)), 5000, "a long chunk");
    }

    /* The other way, 5 MB through a port that takes little at a time. */
    clipboard_claim(&o.peer, BIT(CLIP_PNG));
    check_int(t, hear(&g, d), 7, "we have a picture");
    check_true(t, d->len == 12 && load_le32(d->data + 4) == 2 && load_le32(d->data + 8) == 3, "as PNG, and BMP");
    say(&g, 8, "\0\0\0\0\2\0\0\0", 8, 2048);
    check_int(t, o.wanted, BIT(CLIP_PNG), "the guest wants it");
    g.room = 1000;
    g_byte_array_set_size(big, 5000000);
    for (unsigned i = 0; i < big->len; i++) {
        big->data[i] = i * 7 >> 3;
    }
    clipboard_provide(&o.peer, CLIP_PNG, big->data, big->len);
    while (g.room == 0) {
        g.room = 100000;
        chr_fe_accept_input(&g.fe);
    }
    check_int(t, hear(&g, d), 4, "it gets it");
    check_true(t, d->len == 8 + big->len && !memcmp(d->data + 8, big->data, big->len), "all of it");
    say(&g, 8, "\0\0\0\0\1\0\0\0", 8, 2048);
    check_true(t, hear(&g, d) == 4 && d->len == 8 && load_le32(d->data + 4) == 0, "there is no text");
    say(&g, 9, "\0\0\0", 4, 2048);
    check_int(t, clipboard_formats(), BIT(CLIP_PNG) | BIT(CLIP_BMP), "it can't release what isn't its own");
    clipboard_remove(&o.peer);
    stop(&g);
    g_byte_array_unref(d);
    g_byte_array_unref(big);
}

/* --- large ones --- */

#define LARGE   (100u * 1000 * 1000)

static uint8_t *large_data(void)
{
    uint8_t *p = g_malloc(LARGE);

    for (size_t i = 0; i < LARGE; i++) {
        p[i] = i * 13 >> 5;
    }
    return p;
}

/* What has come is one message of @type with @data behind its first 8 bytes. */
static bool heard_large(Guest *g, uint32_t type, const uint8_t *data)
{
    size_t in_chunk = 0, n = 0;
    uint8_t head[28];
    bool same = true;

    for (size_t i = 0; i < g->got->len; i++) {
        if (!in_chunk) {
            in_chunk = load_le32(g->got->data + i + 4);
            i += 7;
            continue;
        }
        if (n < sizeof(head)) {
            head[n] = g->got->data[i];
        } else {
            same &= n - sizeof(head) < LARGE && g->got->data[i] == data[n - sizeof(head)];
        }
        n++;
        in_chunk--;
    }
    return same && n == sizeof(head) + LARGE && load_le32(head + 4) == type && load_le32(head + 16) == 8 + LARGE;
}

/* 100 MB in each direction, and no more than is allowed. */
TEST(vdagent, large)
{
    static const uint8_t grab[] = { 0, 0, 0, 0, 2, 0, 0, 0 };
    Other o = { .peer = { .name = "other", .changed = changed, .arrived = arrived, .wanted = wanted } };
    GByteArray *d = g_byte_array_new(), *m = g_byte_array_new();
    uint8_t *data = large_data();
    gsize len;
    Guest g;

    start(t, &g, "on", "off");
    clipboard_add(&o.peer);
    hear(&g, d);
    say(&g, 6, all_caps, 8, 2048);
    hear(&g, d);
    say(&g, 7, grab, sizeof(grab), 2048);
    clipboard_want(CLIP_PNG);
    hear(&g, d);
    g_byte_array_append(m, grab, sizeof(grab));
    g_byte_array_append(m, data, LARGE);
    say(&g, 4, m->data, m->len, 2048);
    check_true(t, o.arrived == BIT(CLIP_PNG), "100 MB have come");
    check_true(t, !memcmp(g_bytes_get_data(clipboard_data(CLIP_PNG), &len), data, LARGE) && len == LARGE, "all of them");
    g_byte_array_set_size(m, 8 + CLIPBOARD_MAX + 100);
    memset(m->data + 8, 0, m->len - 8);
    say(&g, 4, m->data, m->len, 2048);
    check_int(t, g_bytes_get_size(clipboard_data(CLIP_PNG)), LARGE, "more than the limit isn't taken");
    chr_fe_set_open(&g.fe, false);
    chr_fe_set_open(&g.fe, true);
    g_byte_array_set_size(g.got, 0);
    say(&g, 6, all_caps, 8, 2048);
    g_byte_array_set_size(g.got, 0);

    clipboard_claim(&o.peer, BIT(CLIP_PNG));
    say(&g, 8, "\0\0\0\0\2\0\0\0", 8, 2048);
    g_byte_array_set_size(g.got, 0);
    g.room = 1 << 20;
    clipboard_provide(&o.peer, CLIP_PNG, data, LARGE);
    while (g.room == 0) {
        g.room = 1 << 20;
        chr_fe_accept_input(&g.fe);
    }
    check_true(t, heard_large(&g, 4, data), "100 MB to the guest");
    clipboard_remove(&o.peer);
    stop(&g);
    g_byte_array_unref(d);
    g_byte_array_unref(m);
    g_free(data);
}

/* --- saved in the middle --- */

typedef struct Saved {
    GByteArray *bytes;
    bool load;
    Error *err;
} Saved;

static int one_section(const char *name, const VmState *vm, void *opaque, void *user)
{
    Saved *s = user;
    size_t used;

    if (!g_str_has_prefix(name, "vdagent/")) {
        return 0;
    }
    return s->load ? !vm_load(vm, name, opaque, s->bytes->data, s->bytes->len, &used, &s->err)
                   : !vm_save(vm, name, opaque, s->bytes, &s->err);
}

/* In place of a guest that goes on: its clock's timers run. */
static void resume(void)
{
    clock_enable(true);
    for (int i = 0; i < 3; i++) {
        main_loop_iterate(false);
    }
}

/* An emulator is saved while a picture of 5 MB is half on its way, to the host or to the guest; another one
 * loads it: the rest arrives there, and nothing is out of step. */
TEST(vdagent, saved)
{
    static const uint8_t grab[] = { 0, 0, 0, 0, 2, 0, 0, 0 };
    Other o = { .peer = { .name = "other", .changed = changed, .arrived = arrived, .wanted = wanted } };
    GByteArray *d = g_byte_array_new(), *m = g_byte_array_new(), *wire = g_byte_array_new(), *all = g_byte_array_new();
    Saved s = { .bytes = g_byte_array_new() };
    size_t half;
    gsize len;
    Guest g;

    start(t, &g, "on", "off");
    clipboard_add(&o.peer);
    hear(&g, d);
    say(&g, 6, all_caps, 8, 2048);
    hear(&g, d);
    say(&g, 7, grab, sizeof(grab), 2048);
    g_byte_array_set_size(m, 5000008);
    for (size_t i = 0; i < m->len; i++) {
        m->data[i] = i * 5 >> 2;
    }
    memcpy(m->data, grab, 8);
    /* What say() would have written. */
    g_byte_array_set_size(wire, 20);
    memset(wire->data, 0, 20);
    store_le32(wire->data, 1);
    store_le32(wire->data + 4, 4);
    store_le32(wire->data + 16, m->len);
    g_byte_array_append(wire, m->data, m->len);
    for (size_t at = 0; at < wire->len; at += 2048) {
        uint8_t head[8];

        store_le32(head, 1);
        store_le32(head + 4, MIN(2048, wire->len - at));
        g_byte_array_append(all, head, 8);
        g_byte_array_append(all, wire->data + at, MIN(2048, wire->len - at));
    }
    half = all->len / 2 + 3;
    chr_fe_write(&g.fe, all->data, half);
    check_int(t, vm_registered_foreach(one_section, &s), 0, s.err ? error_message(s.err) : "saved");
    clipboard_remove(&o.peer);
    stop(&g);

    start(t, &g, "on", "off");
    clipboard_add(&o.peer);
    s.load = true;
    check_int(t, vm_registered_foreach(one_section, &s), 0, s.err ? error_message(s.err) : "loaded");
    resume();
    chr_fe_write(&g.fe, all->data + half, all->len - half);
    g_byte_array_set_size(g.got, 0);
    /* The host that loads knows of no owner: the guest says it again, as it does whenever somebody copies. */
    say(&g, 7, grab, sizeof(grab), 2048);
    check_true(t, o.formats & BIT(CLIP_PNG), "in step: the next message is understood");
    clipboard_want(CLIP_PNG);
    hear(&g, d);
    say(&g, 4, m->data, m->len, 2048);
    check_true(t, clipboard_data(CLIP_PNG) &&
               !memcmp(g_bytes_get_data(clipboard_data(CLIP_PNG), &len), m->data + 8, 5000000), "and a picture comes");

    /* To the guest, which has taken a part. */
    clipboard_claim(&o.peer, BIT(CLIP_PNG));
    say(&g, 8, "\0\0\0\0\2\0\0\0", 8, 2048);
    g_byte_array_set_size(g.got, 0);
    g.room = 2000001;
    clipboard_provide(&o.peer, CLIP_PNG, m->data + 8, 5000000);
    g_byte_array_set_size(s.bytes, 0);
    s.load = false;
    check_int(t, vm_registered_foreach(one_section, &s), 0, s.err ? error_message(s.err) : "saved");
    g_byte_array_set_size(all, 0);
    g_byte_array_append(all, g.got->data, g.got->len);
    clipboard_remove(&o.peer);
    stop(&g);

    start(t, &g, "on", "off");
    g_byte_array_set_size(g.got, 0);
    s.load = true;
    check_int(t, vm_registered_foreach(one_section, &s), 0, s.err ? error_message(s.err) : "loaded");
    check_int(t, g.got->len, 0, "nothing goes out before the guest runs");
    g_byte_array_append(g.got, all->data, all->len);    /* what it has got already */
    resume();
    check_int(t, hear(&g, d), 4, "the rest comes");
    check_true(t, d->len == m->len && !memcmp(d->data + 8, m->data + 8, 5000000), "and it is the rest");
    stop(&g);
    clock_enable(false);
    g_byte_array_unref(d);
    g_byte_array_unref(m);
    g_byte_array_unref(wire);
    g_byte_array_unref(all);
    g_byte_array_unref(s.bytes);
}

TEST(vdagent, pointer)
{
    GByteArray *d = g_byte_array_new();
    Guest g;

    start(t, &g, "off", "on");
    hear(&g, d);
    say(&g, 6, all_caps, 8, 2048);
    hear(&g, d);
    check_true(t, input_pointer() && input_pointer()->absolute, "an absolute pointer");
    input_abs(100, 200);
    input_sync();
    check_true(t, hear(&g, d) == 1 && load_le32(d->data) == 100 && load_le32(d->data + 4) == 200,
               "its place");
    g.room = 0;
    for (int i = 0; i < 1000; i++) {
        input_abs(i, i);
        input_sync();
    }
    input_button(INPUT_BUTTON_LEFT, true);
    input_button(INPUT_BUTTON_LEFT, false);
    g.room = 1 << 20;
    chr_fe_accept_input(&g.fe);
    check_true(t, hear(&g, d) == 1 && load_le32(d->data) == 0, "the first place");
    check_true(t, hear(&g, d) == 1 && load_le32(d->data) == 999 && load_le32(d->data + 8) == 2,
               "places between are left out, the button is seen");
    check_true(t, hear(&g, d) == 1 && load_le32(d->data + 8) == 0, "and goes up");
    chr_fe_set_open(&g.fe, false);
    check_true(t, !input_pointer(), "without an agent there is none");
    stop(&g);
    g_byte_array_unref(d);
}

TEST(vdagent, hostile)
{
    static const uint8_t bad[][28] = {
        { 7, 0, 0, 0, 4, 0, 0, 0 },                                 /* another port */
        { 1, 0, 0, 0, 1, 8, 0, 16 },                                /* a chunk of 256 MiB */
        { 1, 0, 0, 0, 20, 0, 0, 0, 2, 0, 0, 0 },                    /* another protocol */
        { 1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255,
          255 },                                                    /* 4 GiB */
    };
    GByteArray *d = g_byte_array_new();
    uint32_t s = 1;
    Guest g;

    start(t, &g, "on", "on");
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        chr_fe_write(&g.fe, bad[i], 28);
        say(&g, 6, all_caps, 8, 2048);
        chr_fe_set_open(&g.fe, false);
        chr_fe_set_open(&g.fe, true);       /* an agent that starts again is heard again */
    }
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t b[40];

        for (unsigned k = 0; k < sizeof(b); k++) {
            s = s * 1664525 + 1013904223;
            b[k] = s >> 24;
        }
        say(&g, 1 + s % 12, b, s >> 8 & 31, 1 + (s >> 16 & 31));
    }
    check_true(t, true, "it lives");
    stop(&g);
    g_byte_array_unref(d);
}
