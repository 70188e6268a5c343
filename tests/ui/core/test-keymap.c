/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keyboard layouts, and text that is typed as keys. */
#include "util/osdep.h"
#include <glib.h>
#include "config.h"
#include "qapi/commands-ui.h"
#include "tests/lib/test.h"
#include "ui/core/clipboard.h"
#include "ui/core/input.h"
#include "ui/core/paste.h"
#include "util/main-loop.h"
#include "util/timer.h"

#ifdef CONFIG_XKBCOMMON
static const struct {
    const char *layout;
    uint32_t keysym;
    unsigned number, held;
} keys[] = {
    { "en-us", 'z', 0x2c, 0 }, { "en-us", 'Z', 0x2c, KEYMAP_SHIFT }, { "en-us", '@', 0x03, KEYMAP_SHIFT },
    { "de", 'z', 0x15, 0 }, { "de", '@', 0x10, KEYMAP_ALTGR }, { "de", 0xe4, 0x28, 0 }, { "de", 0xdf, 0x0c, 0 },
    { "de", 0x20ac | 0x1000000, 0x12, KEYMAP_ALTGR }, { "de", 0x20ac, 0x12, KEYMAP_ALTGR },
    { "de", '<', 0x56, 0 }, { "de", 0xfe51, 0x0d, 0 }, { "fr", 'a', 0x10, 0 }, { "fr", '1', 0x02, KEYMAP_SHIFT },
    { "fr", 0xe9, 0x03, 0 }, { "ru", 0x6c6, 0x1e, 0 }, { "ru", 0x444 | 0x1000000, 0x1e, 0 },
    { "pt-br", '/', 0x73, 0 }, { "ja", '\\', 0x73, 0 }, { "en-us", 0xe9, 0, 0 }, { "en-us", 0xff0d, 0x1c, 0 },
};

TEST(keymap, keys)
{
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        Error *err = NULL;
        Keymap *m = keymap_new(keys[i].layout, &err);
        unsigned held, number;
        char what[40];

        if (!m) {
            test_fail(t, "%s", error_message(err));
            error_free(err);
            continue;
        }
        snprintf(what, sizeof(what), "%s, keysym 0x%x", keys[i].layout, keys[i].keysym);
        number = keymap_key(m, keys[i].keysym, &held);
        if (keys[i].keysym != 0xff0d) {         /* not a character: either answer does */
            check_int(t, number, keys[i].number, what);
            check_int(t, number ? held : 0, keys[i].held, what);
        }
        keymap_free(m);
    }
}

TEST(keymap, all_layouts)
{
    static const char *const names[] = {
        "ar", "bepo", "cz", "da", "de", "de-ch", "en-gb", "en-us", "es", "et", "fi", "fo", "fr", "fr-be", "fr-ca",
        "fr-ch", "hr", "hu", "is", "it", "ja", "lt", "lv", "mk", "nl", "no", "pl", "pt", "pt-br", "ru", "sl", "sv",
        "th", "tr",
    };
    Error *err = NULL;

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        Keymap *m = keymap_new(names[i], &err);

        check_true(t, m, names[i]);
        keymap_free(m);
    }
    check_true(t, !keymap_new("klingon", &err) && strstr(error_message(err), "accepted: ar, "), "others are refused");
    error_free(err);
}

static void on_key(void *opaque, unsigned number, bool down)
{
    g_string_append_printf(opaque, "%s%02x", down ? " " : " -", number);
}

static void check_typed(Test *t, GString *typed, const char *text, const char *layout, const char *want)
{
    Error *err = NULL;

    g_string_truncate(typed, 0);
    if (!qmp_x_paste_text(text, layout, true, 1000, &err)) {
        test_fail(t, "%s", error_message(err));
        error_free(err);
        return;
    }
    while (paste_left()) {
        main_loop_iterate(true);
    }
    check_str(t, typed->str, want, layout);
}

TEST(keymap, text_is_typed)
{
    GString *typed = g_string_new(NULL);
    InputHandler h = { .name = "test", .key = on_key, .opaque = typed };
    Error *err = NULL;

    main_loop_init();
    clock_enable(true);
    input_add(&h);
    check_typed(t, typed, "aB\n", NULL, " 1e -1e 2a 30 -30 -2a 1c -1c");
    check_typed(t, typed, "z@", "de", " 15 -15 b8 10 -10 -b8");
    check_typed(t, typed, "\xc3\xa9^", "de", " 0d -0d 12 -12 29 -29 39 -39");
    g_string_truncate(typed, 0);
    check_true(t, !qmp_x_paste_text("ab\xf0\x9f\x98\x80", "de", false, 0, &err) && !typed->len,
               "what can't be typed isn't begun");
    error_free(err);
    err = NULL;
    check_true(t, !qmp_x_paste_text(NULL, NULL, false, 0, &err), "no clipboard");
    error_free(err);
    err = NULL;
    check_true(t, qmp_x_paste_text("abcdef", NULL, true, 1, &err), "a slow one");
    check_true(t, !qmp_x_paste_text("x", NULL, false, 0, &err), "one at a time");
    error_free(err);
    err = NULL;
    check_true(t, qmp_x_paste_text("", NULL, false, 0, &err) && !paste_left(), "an empty one ends it");
    input_remove(&h);
    g_string_free(typed, true);
}
#else
TEST(keymap, missing)
{
    Error *err = NULL;

    check_true(t, !keymap_new("de", &err), "built without libxkbcommon");
    error_free(err);
}
#endif
