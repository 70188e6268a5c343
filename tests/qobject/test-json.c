/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "qobject/error.h"
#include "qobject/json.h"

/* Text, and what it is when written again. */
static const char *const good[][2] = {
    { "null", "null" }, { " true\n", "true" }, { "false", "false" },
    { "0", "0" }, { "-1", "-1" },
    { "9223372036854775807", "9223372036854775807" },
    { "-9223372036854775808", "-9223372036854775808" },
    { "18446744073709551615", "18446744073709551615" },
    { "1.5", "1.5" }, { "1e2", "100.0" }, { "-0", "-0.0" }, { "0.1", "0.1" },
    { "1E-2", "0.01" }, { "18446744073709551616", "1.8446744073709552e+19" },
    { "\"\"", "\"\"" }, { "\"a'b\"", "\"a'b\"" },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
    { "\"\\u0041\"", "\"A\"" },
    { "\"\\u00e9 \xc3\xa9\"", "\"\\u00e9 \\u00e9\"" },
    { "\"\\ud83d\\ude00\xf0\x9f\x98\x80\"", "\"\\ud83d\\ude00\\ud83d\\ude00\"" },
    { "\"\\u0000x\"", "\"\\u0000x\"" },
    { "\"\x7f\"", "\"\\u007f\"" },
    { "[]", "[]" }, { "[ ]", "[]" }, { "[1,2 , 3]", "[1, 2, 3]" },
    { "{}", "{}" }, { "{ \"b\" : 1 ,\"a\":[{}]}", "{\"b\": 1, \"a\": [{}]}" },
    { "[[[[]]]]", "[[[[]]]]" },
};

static const char *const bad[] = {
    "", " ", "nul", "nulll", "True", "+1", "01", "-", "-01", "1.", ".5", "1e", "1e+", "1.e1",
    "0x10", "1_000", "NaN", "Infinity", "-Infinity", "1e999",
    "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "'a'", "\"\n\"", "\"\t\"",
    "\"\\ud800\"", "\"\\ud800x\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800\\n\"",
    "\"\x80\"", "\"\xc0\x80\"", "\"\xe0\x80\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
    "\"\xf5\x80\x80\x80\"", "\"\xc3\"", "\"\xff\"", "\xef\xbb\xbf[]",
    "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "[1}", "{]",
    "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{\"a\" 1}",
    "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}", "{\"\\u0000\":1}",
    "1 2", "[] []", "{}x", "null,", "%s", "%", "/* */ 1", "// x\n1",
};

static QObject *parse_in_pieces(const char *text, size_t piece, Error **errp)
{
    JsonReader *r = json_reader_new(NULL);
    QObject *value = NULL, *more;
    Error *err = NULL;
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i += piece) {
        json_reader_feed(r, text + i, MIN(piece, len - i));
    }
    json_reader_end(r);
    if (json_reader_next(r, &value, &err) && json_reader_next(r, &more, &err)) {
        qobject_unref(more);
    }
    json_reader_free(r);
    error_propagate(errp, err);
    return value;
}

TEST(json, what_is_right)
{
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        Error *err = NULL;
        QObject *o = json_parse(good[i][0], &err), *again;
        char *text;

        if (!o) {
            test_fail(t, "%s: %s", good[i][0], error_message(err));
            error_free(err);
            continue;
        }
        text = json_write(o, JSON_COMPACT);
        check_str(t, text, good[i][1], good[i][0]);
        again = json_parse(text, NULL);
        check_true(t, again && qobject_equal(o, again), "reads back equal");
        qobject_unref(again);
        free(text);
        text = json_write(o, JSON_PRETTY);
        again = json_parse(text, NULL);
        check_true(t, again && qobject_equal(o, again), "pretty reads back equal");
        qobject_unref(again);
        free(text);
        for (size_t piece = 1; piece < 4; piece++) {
            again = parse_in_pieces(good[i][0], piece, NULL);
            check_true(t, again && qobject_equal(o, again), "in pieces");
            qobject_unref(again);
        }
        qobject_unref(o);
    }
}

TEST(json, what_is_wrong)
{
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        Error *err = NULL;
        QObject *o = json_parse(bad[i], &err);

        if (o) {
            test_fail(t, "accepted: %s", bad[i]);
        } else if (check_true(t, err, "an error tells")) {
            check_true(t, strstr(error_message(err), "JSON: line "), "where");
        }
        qobject_unref(o);
        error_free(err);
    }
}

static const struct { const char *text, *message; } errors[] = {
    { "[1,\n  2,\n  x]", "JSON: line 3, column 3 (byte 11): no JSON value: x" },
    { "{\"a\":1\n\"b\"", "JSON: line 2, column 1 (byte 7): expected ',' or '}', found '\"'" },
    { "{\"a\":1,\"a\"", "JSON: line 1, column 8 (byte 7): duplicate member 'a'" },
    { "\"abc\x80", "JSON: line 1, column 5 (byte 4): not UTF-8: byte 0x80" },
    { "[1", "JSON: line 1, column 3 (byte 2): the text ends inside of an array" },
    { "[1] 2", "JSON: line 1, column 5 (byte 4): expected nothing more after the value, "
               "found '2'" },
    { "{\"a\"}", "JSON: line 1, column 5 (byte 4): expected ':' after a member's name, "
                 "found '}'" },
};

TEST(json, errors_tell_where_and_what)
{
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        Error *err = NULL;

        qobject_unref(json_parse(errors[i].text, &err));
        check_str(t, err ? error_message(err) : NULL, errors[i].message, errors[i].text);
        error_free(err);
    }
}

TEST(json, depth_and_size_are_limited)
{
    JsonLimits limits = { .depth = 3, .bytes = 100, .values = 20 };
    JsonReader *r = json_reader_new(&limits);
    Error *err = NULL;
    QObject *o;
    char deep[3000];

    memset(deep, '[', 1500);
    memset(deep + 1500, ']', 1500);
    check_true(t, !json_parse_len(deep, 3000, &err), "1500 lists in each other");
    check_int(t, error_code(err), ERR_JSON_LIMIT, "code");
    error_free(err);
    o = json_parse_len(deep + 500, 2000, NULL);
    check_true(t, o, "1000 are accepted");
    qobject_unref(o);

    json_reader_feed(r, "[[[1]]]\n[[[[1]]]]\n", 18);
    check_true(t, json_reader_next(r, &o, &err) && o, "3 deep");
    qobject_unref(o);
    check_true(t, json_reader_next(r, &o, &err) && err, "4 deep");
    error_free(err);
    json_reader_feed(r, "[\"", 2);
    for (int i = 0; i < 20; i++) {
        json_reader_feed(r, "0123456789", 10);
    }
    check_true(t, json_reader_next(r, &o, &err) && err, "too long");
    error_free(err);
    check_true(t, !json_reader_next(r, &o, &err), "one error for it");
    json_reader_feed(r, "\n[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]\n", 46);
    check_true(t, json_reader_next(r, &o, &err) && err, "too many values");
    error_free(err);
    json_reader_free(r);
}

TEST(json, a_stream_goes_on_after_an_error)
{
    static const char text[] = "{\"a\":1}[2]\n nonsense {\"x\":1}\n{\"b\":\xff\"c\"\n3\n";

    for (size_t piece = 1; piece < sizeof(text); piece++) {
        JsonReader *r = json_reader_new(NULL);
        static const char *const expect[] = { "{\"a\": 1}", "[2]", NULL, "\"c\"", "3" };
        size_t n = 0;
        QObject *o;
        Error *err = NULL;

        for (size_t i = 0; i < sizeof(text) - 1; i += piece) {
            json_reader_feed(r, text + i, MIN(piece, sizeof(text) - 1 - i));
            while (json_reader_next(r, &o, &err)) {
                char *s = o ? json_write(o, JSON_COMPACT) : NULL;

                if (n < ARRAY_SIZE(expect)) {
                    check_str(t, s, expect[n], "value of the stream");
                }
                n++;
                free(s);
                qobject_unref(o);
                error_free(err);
                err = NULL;
            }
        }
        check_int(t, n, ARRAY_SIZE(expect), "all of them");
        json_reader_free(r);
    }
}

TEST(json, text_for_people)
{
    QDict *d = qdict_from_fmt("{'a': [], 'b': {}, 'c': [1, {'d': null}]}");
    char *text = json_write(QOBJECT(d), JSON_PRETTY);

    check_str(t, text,
              "{\n    \"a\": [],\n    \"b\": {},\n    \"c\": [\n        1,\n        {\n"
              "            \"d\": null\n        }\n    ]\n}", "pretty");
    free(text);
    qobject_unref(d);
}

TEST(json, bytes_that_are_not_utf8_are_replaced)
{
    QObject *o = qstring_from("a\xff\xc3z");
    char *text = json_write(o, JSON_COMPACT);

    check_str(t, text, "\"a\\ufffd\\ufffdz\"", "written");
    free(text);
    qobject_unref(o);
}
