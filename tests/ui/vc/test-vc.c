/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual consoles: fonts, control sequences, and a viewer who switches to one and types. */
#include "util/osdep.h"
#include <glib.h>
#include "chardev/char-int.h"
#include "tests/lib/test.h"
#include "tests/lib/vnc-fixture.h"
#include "ui/core/keysyms.h"
#include "ui/vc/font.h"
#include "ui/vc/terminal.h"
#include "ui/vc/vc.h"

/* ----------------------------------------------------------------- fonts */

TEST(vc, fonts)
{
    /* PSF 1: 256 glyphs of 8x1; the table says that glyph 1 is 'A' and, in a sequence, more. */
    uint8_t one[4 + 256 + 8 + 2] = { 0x36, 0x04, 2, 1 };
    /* PSF 2: 2 glyphs of 9x2; glyph 1 is U+00E9. */
    uint8_t two[32 + 8 + 5] = { 0x72, 0xb5, 0x4a, 0x86, 0, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0,
                                2, 0, 0, 0, 9, 0, 0, 0 };
    VcFont *f;
    Error *err = NULL;

    one[4 + 1] = 0xaa;
    memcpy(one + 260, "\xff\xff" "A\0" "\xfe\xff" "B\0" "\xff\xff", 10);
    f = vc_font_parse(one, sizeof(one), NULL);
    check_true(t, f && f->width == 8 && f->height == 1 && *vc_font_glyph(f, 'A') == 0xaa &&
               *vc_font_glyph(f, 'B') == 0, "version 1");
    vc_font_free(f);
    two[32 + 4] = 0x81;
    memcpy(two + 40, "\xff\xc3\xa9\xff", 4);
    f = vc_font_parse(two, sizeof(two), NULL);
    check_true(t, f && f->width == 9 && f->row_bytes == 2 && *vc_font_glyph(f, 0xe9) == 0x81, "version 2");
    vc_font_free(f);
    for (size_t n = 0; n < 260; n++) {
        f = vc_font_parse(one, n, &err);
        check_true(t, !f && err, "one that is cut off");
        error_free(err);
        err = NULL;
    }
    for (size_t i = 8; i < 32; i++) {
        uint8_t bad[sizeof(two)];

        memcpy(bad, two, sizeof(two));
        bad[i] ^= 0xff;
        vc_font_free(vc_font_parse(bad, sizeof(bad), NULL));
    }
}

/* -------------------------------------------------------------- sequences */

static void answer(void *opaque, const char *text)
{
    g_string_append(opaque, text);
}

static void say(VcTerm *t, const char *text)
{
    vc_term_write(t, (const uint8_t *)text, strlen(text));
}

/* The text of a line, without blanks at its end. */
static char *line(const VcTerm *t, int y)
{
    GString *s = g_string_new(NULL);
    const VcCell *l = vc_term_line(t, y);

    for (int x = 0; x < t->cols; x++) {
        g_string_append_unichar(s, l[x].ch);
    }
    while (s->len && s->str[s->len - 1] == ' ') {
        g_string_truncate(s, s->len - 1);
    }
    return g_string_free(s, FALSE);
}

static void expect(Test *t, const VcTerm *term, int y, const char *what)
{
    g_autofree char *text = line(term, y);

    check_str(t, text, what, "a line");
}

TEST(vc, text_and_cursor)
{
    VcTerm v;
    g_autoptr(GString) said = g_string_new(NULL);

    vc_term_init(&v, 10, 4);
    v.answer = answer;
    v.opaque = said;
    say(&v, "hello\r\nworld\xc3\xa9\xe2\x82\xac");
    expect(t, &v, 0, "hello");
    expect(t, &v, 1, "world\xc3\xa9\xe2\x82\xac");
    say(&v, "\033[2;4H\033[K\033[1mX\033[0mY\033[6n");
    expect(t, &v, 1, "worXY");
    check_str(t, said->str, "\033[2;6R", "where the cursor is");
    check_int(t, vc_term_line(&v, 1)[3].attr, VC_BOLD, "bold");
    say(&v, "\033[1;1H\033[2P\033[1@-\033[31;42mz");
    expect(t, &v, 0, "-zlo");
    check_true(t, vc_term_line(&v, 0)[1].fg == 1 && vc_term_line(&v, 0)[1].bg == 2, "colors");
    /* The tenth character doesn't wrap, the eleventh does. */
    say(&v, "\033[0m\033[2J\033[H0123456789");
    check_int(t, v.y, 0, "still the first line");
    say(&v, "a\b\bb");
    expect(t, &v, 1, "b");
    say(&v, "\tc");
    expect(t, &v, 1, "b       c");
    vc_term_cleanup(&v);
}

TEST(vc, scrolling)
{
    VcTerm v;

    vc_term_init(&v, 8, 3);
    say(&v, "1\r\n2\r\n3\r\n4\r\n5");
    expect(t, &v, 0, "3");
    expect(t, &v, 2, "5");
    vc_term_scroll_back(&v, 100);
    expect(t, &v, 0, "1");
    vc_term_scroll_back(&v, -1);
    expect(t, &v, 0, "2");
    say(&v, "!");
    expect(t, &v, 2, "5!");
    /* Lines 2 and 3 scroll, line 1 stays. */
    say(&v, "\033[2;3r\033[3;1H\n6\033[1;1Htop");
    expect(t, &v, 0, "top");
    expect(t, &v, 1, "5!");
    expect(t, &v, 2, "6");
    say(&v, "\033[2;1H\033M");
    expect(t, &v, 1, "");
    expect(t, &v, 2, "5!");
    for (int i = 0; i < 3 * VC_HISTORY; i++) {
        say(&v, "\033[r\033[3;1Hx\n");
    }
    vc_term_scroll_back(&v, INT32_MAX / 2);
    check_int(t, v.back, VC_HISTORY, "so many lines are kept");
    vc_term_cleanup(&v);
}

/* Whatever comes, nothing is written outside: the sanitizers watch. */
TEST(vc, hostile_bytes)
{
    static const char *const pieces[] = {
        "\033[", "\033", "9999999999", ";", "?", "H", "L", "M", "S", "T", "@", "P", "X", "r", "m", "J", "K", "\n", "\b",
        "\t", "\033M", "\033D", "\xff", "\xe2\x82", "\xf4\xbf\xbf\xbf", "abc", "\033]0;", "\033(", "A", "D", "-1", "1", "38;5",
    };
    VcTerm v;

    vc_term_init(&v, 7, 3);
    for (int i = 0; i < 200000; i++) {
        say(&v, pieces[(unsigned)g_test_rand_int() % ARRAY_SIZE(pieces)]);
        if (v.x < 0 || v.x > v.cols || v.y < 0 || v.y >= v.rows || v.top < 0 || v.bottom > v.rows) {
            test_fail(t, "the cursor is at %d, %d", v.x, v.y);
            break;
        }
    }
    vc_term_cleanup(&v);
}

/* ----------------------------------------------------------------- viewer */

typedef struct Echo {
    CharFrontend fe;
    GString *got;
} Echo;

static size_t can_receive(UNUSED void *opaque)
{
    return 16;
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    Echo *e = opaque;

    g_string_append_len(e->got, (const char *)buf, (gssize)len);
    chr_fe_write(&e->fe, buf, len);
}

static const ChrHandlers handlers = { .can_receive = can_receive, .receive = receive };

static bool wait_for_width(RfbClient *c, int width)
{
    while (c->width != width) {
        if (!rfb_update(c, false)) {
            return false;
        }
    }
    return true;
}

static unsigned lit(const RfbClient *c)
{
    unsigned n = 0;

    for (int i = 0; i < c->width * c->height; i++) {
        n += c->values[i] != 0;
    }
    return n;
}

static void press(RfbClient *c, uint32_t keysym)
{
    rfb_key(c, true, keysym);
    rfb_key(c, false, keysym);
}

static void visit(Fixture *f, void *arg)
{
    static const int32_t encodings[] = { 0, -223 };
    Echo *e = arg;
    RfbClient c = { 0 };
    unsigned before;

    if (!check_true(f->t, rfb_open(&c, rfb_connect(f->where), &(RfbLogin){ 0 }), "a viewer")) {
        return;
    }
    rfb_set_format(&c, &rfb_rgb888);
    rfb_set_encodings(&c, encodings, 2);
    check_true(f->t, rfb_update(&c, true) && c.width == 320, "the guest's screen");
    rfb_key(&c, true, KEYSYM_CONTROL_L);
    rfb_key(&c, true, KEYSYM_ALT_L);
    press(&c, '2');
    rfb_key(&c, false, KEYSYM_ALT_L);
    rfb_key(&c, false, KEYSYM_CONTROL_L);
    check_true(f->t, wait_for_width(&c, 400), "Ctrl-Alt-2: the console of text");
    check_true(f->t, rfb_update(&c, true), "its picture");
    before = lit(&c);
    press(&c, 'H');
    press(&c, 'i');
    while (lit(&c) <= before && rfb_update(&c, false)) {
    }
    check_true(f->t, lit(&c) > before, "what is typed is shown");
    press(&c, KEYSYM_UP);
    press(&c, KEYSYM_RETURN);
    rfb_key(&c, true, KEYSYM_CONTROL_L);
    press(&c, 'a');
    rfb_key(&c, false, KEYSYM_CONTROL_L);
    rfb_key(&c, true, KEYSYM_CONTROL_L);
    rfb_key(&c, true, KEYSYM_ALT_L);
    press(&c, '1');
    rfb_key(&c, false, KEYSYM_ALT_L);
    rfb_key(&c, false, KEYSYM_CONTROL_L);
    check_true(f->t, wait_for_width(&c, 320), "Ctrl-Alt-1: the guest again");
    check_str(f->t, e->got->str, "Hi\033[A\r\001", "what the front end got");
    rfb_close(&c);
}

TEST(vc, a_viewer_switches_and_types)
{
    Echo e = { .got = g_string_new(NULL) };
    Fixture *f;
    Chardev *chr;
    Error *err = NULL;

    if (!vc_possible()) {
        test_skip(t, "no console font; Debian package: fonts-spleen");
        return;
    }
    f = fixture_start(t, 320, 200, "");
    if (!f) {
        return;
    }
    vc_register();
    chr = chardev_new_from_spec("vc0", "vc:50Cx10C", &err);
    if (check_true(t, chr && chr_fe_init(&e.fe, chr, &err), "a console")) {
        chr_fe_set_handlers(&e.fe, &handlers, &e);
        fixture_run(f, visit, &e);
        chr_fe_deinit(&e.fe);
    }
    chardev_cleanup();
    fixture_stop(f);
    g_string_free(e.got, TRUE);
}
