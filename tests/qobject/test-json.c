/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "qobject/error.h"
#include "qobject/json.h"
#include "qobject/strbuf.h"
#include "tests/lib/fp-random.h"

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
    static const char text[] = "{\"a\":1}[2]\n nonsense {\"x\":1}\n{\"b\":\xff\"c\"\n3\n? ?\xff\xff" "4\n";

    for (size_t piece = 1; piece < sizeof(text); piece++) {
        JsonReader *r = json_reader_new(NULL);
        static const char *const expect[] = { "{\"a\": 1}", "[2]", NULL, "\"c\"", "3", NULL, "4" };
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

/* ------------------------------------------------- whole tokens and bytes */

static void add_random(StrBuf *b, Random *r, unsigned depth)
{
    static const char *const words[] = {
        "null", "true", "false", "0", "-0", "-1", "12345", "999999999999999999", "-1000000000000000000", "1.5", "2e3",
        "\"\"", "\"a\"", "\"eight888\"", "\"sixteen-16161616\"", "\"it's seventeen!!!\"", "\"\\n\"", "\"\xc3\xa9\"",
        "\"a string that is longer than what is remembered, and than one look\"", "[]", "{}", "01", "tru", "nulll",
    };
    unsigned n = random_below(r, depth > 1 ? 4 : 24);

    switch (depth > 5 ? 3 : random_below(r, 5)) {
    case 0:
        strbuf_add_str(b, "[");
        for (unsigned i = 0; i < n; i++) {
            strbuf_add_str(b, i ? random_below(r, 3) ? ", " : ",\n " : "");
            add_random(b, r, depth + 1);
        }
        strbuf_add_str(b, "]");
        break;
    case 1:
    case 2:
        strbuf_add_str(b, "{");
        for (unsigned i = 0; i < n; i++) {
            strbuf_printf(b, "%s\"%.*s%u\"%s: ", i ? ", " : "", (int)random_below(r, 48),
                          "member-with-a-name-that-may-be-cut-somewhere-else",
                          random_below(r, 40) ? i : random_below(r, n), random_below(r, 9) ? "" : " ");
            add_random(b, r, depth + 1);
        }
        strbuf_add_str(b, "}");
        break;
    default:
        /* Mostly one that is right: what follows an error in its line isn't read. */
        strbuf_add_str(b, words[random_below(r, random_below(r, 100) ? ARRAY_SIZE(words) - 3 : ARRAY_SIZE(words))]);
    }
}

static void check_ways(Test *t, const char *text, size_t len, unsigned *accepted)
{
    JsonReader *whole = json_reader_new(NULL), *bytes = json_reader_new(NULL);
    bool more;

    json_reader_feed(whole, text, len);
    for (size_t i = 0; i < len; i++) {
        json_reader_feed(bytes, text + i, 1);
    }
    json_reader_end(whole);
    json_reader_end(bytes);
    do {
        QOBJECT_AUTO QObject *x = NULL, *y = NULL;
        Error *ex = NULL, *ey = NULL;

        more = json_reader_next(whole, &x, &ex);
        if (more != json_reader_next(bytes, &y, &ey)) {
            test_fail(t, "another number of values: %s", text);
        } else if (more && !x != !y) {
            test_fail(t, "%s: %s", error_message(ex ? ex : ey), text);
        } else if (ex && ey) {
            check_str(t, error_message(ex), error_message(ey), text);
        } else if (x) {
            ++*accepted;
            check_true(t, qobject_equal(x, y), text);
        }
        error_free(ex);
        error_free(ey);
    } while (more);
    json_reader_free(whole);
    json_reader_free(bytes);
}

TEST(json, whole_tokens_and_single_bytes_give_the_same)
{
    Random r = { 1 };
    unsigned accepted = 0;

    for (unsigned i = 0; i < 300; i++) {
        StrBuf b = { 0 };

        for (unsigned k = 0; k < 3; k++) {
            add_random(&b, &r, 0);
            strbuf_add_str(&b, "\n");
        }
        if (i % 3 == 0) {
            b.s[random_below(&r, b.len)] = (char)(random_below(&r, 4) ? "\"\\,:]}[{ x\n"[random_below(&r, 11)] :
                                                                       (int)random_below(&r, 255) + 1);
        }
        check_ways(t, b.s, b.len, &accepted);
        strbuf_free(&b);
    }
    check_true(t, accepted > 300, "most are right");
}

TEST(json, large_documents_share_and_give_back_memory)
{
    StrBuf b = { 0 };
    QObject *o, *kept;

    strbuf_add_str(&b, "[");
    for (int i = 0; i < 60000; i++) {
        strbuf_printf(&b, "%s{\"name\": \"value %d\", \"n\": %d, \"list\": [null, true, \"same\"]}", i ? ", " : "", i, i);
    }
    strbuf_add_str(&b, "]");
    o = json_parse_len(b.s, b.len, NULL);
    if (!check_true(t, o && qlist_size(qobject_to_list(o)) == 60000, "read whole")) {
        return;
    }
    /* What is kept stays when the rest goes, and can grow. */
    kept = qlist_take(qobject_to_list(o), 59999);
    qobject_unref(o);
    check_str(t, qdict_str_or(qobject_to_dict(kept), "name", ""), "value 59999", "kept");
    for (int i = 0; i < 40; i++) {
        char key[16];

        snprintf(key, sizeof(key), "more%d", i);
        qdict_put_int(qobject_to_dict(kept), key, i);
    }
    check_int(t, qdict_int_or(qobject_to_dict(kept), "more39", -1), 39, "grown");
    check_int(t, qdict_int_or(qobject_to_dict(kept), "n", -1), 59999, "and as it was");
    qobject_unref(kept);
    strbuf_free(&b);
}
