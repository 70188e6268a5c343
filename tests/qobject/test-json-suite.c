/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verdicts of the JSON reader: a table of texts, each as a whole and byte by byte; and, where JSON_SUITE names a
 * folder of files y_*, n_* and i_* (as the public conformance corpora have them), those: y must be accepted, n
 * refused, i may be either but must not end the program.
 */
#include "util/osdep.h"
#include <glib.h>
#include "qobject/error.h"
#include "qobject/json.h"
#include "tests/lib/test.h"

#define S(text) { text, sizeof(text) - 1 }

typedef struct Text {
    const char *s;
    size_t len;
} Text;

static const Text right[] = {
    S("[]"), S("{}"), S("null"), S("\"\""), S(" [ ] "), S("[\"\"]"), S("[0]"), S("[-0]"), S("[0e+1]"), S("[0E1]"),
    S("[1E-2]"), S("[123.456e78]"), S("[-1]"), S("[1.5]"), S("[\"\\u0060\\u012a\\u12AB\"]"),
    S("[\"\\uD801\\udc37\"]"), S("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"), S("[\"\\u0000\"]"), S("[\"\x7f\"]"),
    S("[\"\xe2\x82\xac\"]"), S("[\"\xf4\x8f\xbf\xbf\"]"), S("{\"\":0}"), S("{\"a\":{},\"b\":[]}"),
    S("[null, 1, \"1\", {}]"), S("[1,null,null,null,2]"), S("[true,false]"), S("\t[1]\r\n"),
    S("[\"a/*b*/c\"]"), S("[\"\xc2\xa0\"]"), S("[[[[[[[[[[]]]]]]]]]]"), S("[18446744073709551615]"),
    S("[-9223372036854775808]"), S("{\"min\": -1.0e+28, \"max\": 1.0e+28}"),
    S("[\"0123456789abcdef0123456789abcdef'quote' in it\"]"),
};

static const Text wrong[] = {
    S(""), S(" "), S("["), S("]"), S("[1,]"), S("[,1]"), S("[1 2]"), S("[1,,2]"), S("{"), S("{]"), S("[}"), S("{\"a\"}"),
    S("{\"a\":}"), S("{\"a\" 1}"), S("{\"a\":1,}"), S("{a:1}"), S("{1:1}"), S("{'a':1}"), S("['a']"),
    S("{\"a\":1 \"b\":2}"), S("{\"a\":1}}"), S("[1]]"), S("[1]x"), S("[01]"), S("[1.]"), S("[.5]"), S("[+1]"), S("[1e]"),
    S("[1e+]"), S("[0x1]"), S("[1.2.3]"), S("[--1]"), S("[-]"), S("[Infinity]"), S("[NaN]"), S("[nul]"), S("[True]"),
    S("[\"]"), S("[\"\\x\"]"), S("[\"\\u12\"]"), S("[\"\\uD800\"]"), S("[\"\\uDC00\"]"), S("[\"\\uD800\\u0041\"]"),
    S("[\"\n\"]"), S("[\"\t\"]"), S("[\"\x1f\"]"), S("[\"a\0b\"]"), S("[\0]"), S("[\"\xff\"]"), S("[\"\xc0\x80\"]"),
    S("[\"\xed\xa0\x80\"]"), S("[\"\xf5\x80\x80\x80\"]"), S("[\"\xe2\x82\"]"), S("\xef\xbb\xbf[]"), S("[1]/**/"),
    S("// x\n[1]"), S("{\"a\":1,\"a\":2}"), S("[1e400]"), S("\f[1]"), S("[\xc2\xa0]"), S("1 2"), S("[\"\\\"]"),
    S("[\"0123456789abcdef0123456789\x01\"]"), S("{\"0123456789abcdef\":1,\"0123456789abcdef\":2}"),
};

/* In pieces of one byte, whatever a piece may cut. */
static bool accepted_in_pieces(const char *s, size_t len)
{
    JsonReader *r = json_reader_new(NULL);
    QObject *value;
    Error *err;
    size_t values = 0, errors = 0;

    for (size_t i = 0; i < len; i++) {
        json_reader_feed(r, s + i, 1);
    }
    json_reader_end(r);
    while (value = NULL, err = NULL, json_reader_next(r, &value, &err)) {
        values += value != NULL;
        errors += err != NULL;
        qobject_unref(value);
        error_free(err);
    }
    json_reader_free(r);
    return values == 1 && !errors;
}

static bool accepted(const char *s, size_t len)
{
    QObject *o = json_parse_len(s, len, NULL);

    qobject_unref(o);
    return o != NULL;
}

TEST(json_suite, table)
{
    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        check_true(t, accepted(right[i].s, right[i].len), right[i].s);
        check_true(t, accepted_in_pieces(right[i].s, right[i].len), right[i].s);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        /* A stream may hold two values, and drops what was begun at a byte 0xff. */
        bool stream = !strcmp(wrong[i].s, "1 2") || memchr(wrong[i].s, 0xff, wrong[i].len);

        check_true(t, !accepted(wrong[i].s, wrong[i].len), wrong[i].s);
        check_true(t, stream || !accepted_in_pieces(wrong[i].s, wrong[i].len), wrong[i].s);
    }
}

/* Right by RFC 8259, which leaves it to the reader, and refused here: QMP's rules want names that are
 * unique, and C wants them without NUL. */
static bool is_stricter(const char *name)
{
    return strstr(name, "object_duplicated_key") || strstr(name, "object_escaped_null_in_key");
}

TEST(json_suite, folder)
{
    const char *folder = g_getenv("JSON_SUITE"), *name;
    GDir *dir = folder ? g_dir_open(folder, 0, NULL) : NULL;
    unsigned n = 0;

    check_true(t, !folder || dir, "the folder of JSON_SUITE");
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
        gsize len;

        if (!g_file_get_contents(path, &text, &len, NULL)) {
            continue;
        }
        n++;
        if (*name != 'i' && accepted(text, len) != (*name == 'y' && !is_stricter(name))) {
            test_fail(t, "%s is %s", name, *name == 'y' ? "refused" : "accepted");
        }
        accepted_in_pieces(text, len);
    }
    if (dir) {
        g_dir_close(dir);
        test_note(t, "%u files", n);
    }
}
