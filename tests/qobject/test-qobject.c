/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "qobject/error.h"
#include "qobject/json.h"

static void check_json(Test *t, const void *o, const char *expect, const char *what)
{
    char *text = json_write(o, JSON_COMPACT);

    check_str(t, text, expect, what);
    free(text);
}

TEST(qobject, literals)
{
    const char *volatile none = NULL;
    QList *l = qlist_from_fmt("[1]");
    QDict *d = qdict_from_fmt("{'s': %s, \"none\": %s, 'i': %d, 'l': %" PRId64 ", 'u': %"
                              PRIu64 ", 'b': %i, 'f': %f, 'o': %p, %s: [%d, %d]}",
                              "it's", none, -5, INT64_MIN, UINT64_MAX, 1, 0.5,
                              (void *)l, "key", 1, 2);

    check_json(t, d, "{\"s\": \"it's\", \"none\": null, \"i\": -5, "
               "\"l\": -9223372036854775808, \"u\": 18446744073709551615, \"b\": true, "
               "\"f\": 0.5, \"o\": [1], \"key\": [1, 2]}", "all conversions");
    qobject_unref(d);
}

TEST(qobject, paths)
{
    QDict *d = qdict_from_fmt("{'a': {'b': [0, 1, {'c': 'found'}]}, 'x': [[5]]}");

    check_str(t, qdict_str_or(d, "a.b[2].c", NULL), "found", "a.b[2].c");
    check_int(t, qdict_int_or(d, "x[0][0]", 0), 5, "lists in lists");
    check_true(t, !qdict_get_path(d, "a.b[3]"), "past the end");
    check_true(t, !qdict_get_path(d, "a.b.c"), "a name in a list");
    check_true(t, !qdict_get_path(d, "a[0]"), "an index in a dict");
    check_true(t, !qdict_get_path(d, "a.b["), "cut short");
    check_true(t, !qdict_get_path(d, "a.b[]"), "no index");
    check_true(t, !qdict_get_path(d, "a.b[99999999999999999999999]"), "huge index");
    check_true(t, !qdict_get_path(d, "a.b[2].c.d"), "beyond a string");
    qobject_unref(d);
}

static const struct { const char *path, *message; } wrong[] = {
    { "a.s", "parameter 'a.s' is of type string; expected: integer" },
    { "a.none", "parameter 'a.none' is missing" },
    { "a.f", "parameter 'a.f' is of type number; expected: integer" },
    { "a.u", "parameter 'a.u' is 18446744073709551615; accepted: -2^63 to 2^63-1" },
    { "a", "parameter 'a' is of type object; expected: integer" },
};

TEST(qobject, getters_say_where_and_what)
{
    QDict *d = qdict_from_fmt("{'a': {'s': 'x', 'f': 1.0, 'n': -1, 'z': 'a\\u0000b',"
                              "'u': 18446744073709551615}}");
    int64_t i;
    uint64_t u;
    bool b;
    Error *err = NULL;

    for (size_t k = 0; k < ARRAY_SIZE(wrong); k++) {
        check_true(t, !qdict_get_int(d, wrong[k].path, &i, &err), "refused");
        check_str(t, error_message(err), wrong[k].message, "message");
        error_free(err);
        err = NULL;
    }
    check_true(t, qdict_get_uint(d, "a.u", &u, &err), "uint64_t");
    check_u64(t, u, UINT64_MAX, "value");
    check_true(t, !qdict_get_uint(d, "a.n", &u, NULL), "negative");
    check_true(t, !qdict_get_bool(d, "a.n", &b, NULL), "no bool");
    check_true(t, !qdict_get_str(d, "a.z", &err), "NUL in a string");
    check_int(t, error_code(err), ERR_INVALID_ARGUMENT, "code");
    error_free(err);
    err = NULL;
    check_true(t, !qdict_get_int_range(d, "a.n", 0, 15, &i, &err), "range");
    check_str(t, error_message(err), "parameter 'a.n' is -1; accepted: 0 to 15", "message");
    check_str(t, error_argument_accepted(err), "0 to 15", "accepted");
    error_free(err);
    qobject_unref(d);
}

TEST(qobject, large_dicts_keep_order_and_find)
{
    enum { N = 1000 };
    QDict *d = qdict_new();
    char key[16];

    for (int i = 0; i < N; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        qdict_put_int(d, key, i);
    }
    for (int i = 0; i < N; i += 3) {
        snprintf(key, sizeof(key), "key%d", i);
        check_true(t, qdict_del(d, key), "deleted");
        check_true(t, !qdict_del(d, key), "only once");
    }
    qdict_put_int(d, "key1", -1);
    check_int(t, qdict_size(d), N - (N + 2) / 3, "size");
    check_str(t, qdict_entry(d, 0)->key, "key1", "a replaced value keeps its place");
    for (int i = 0, n = 0; i < N; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        check_int(t, qdict_int_or(d, key, -2), i % 3 == 0 ? -2 : i == 1 ? -1 : i, key);
        if (i % 3) {
            check_str(t, qdict_entry(d, n++)->key, key, "order");
        }
    }
    qobject_unref(d);
}

TEST(qobject, lists)
{
    QList *l = qlist_new();

    qlist_append_int(l, 1);
    qlist_append_str(l, "x");
    qlist_insert(l, 0, qnull());
    check_json(t, l, "[null, 1, \"x\"]", "insert and append");
    qobject_unref(qlist_take(l, 1));
    check_json(t, l, "[null, \"x\"]", "take");
    check_true(t, !qlist_take(l, 2), "past the end");
    qobject_unref(l);
}

TEST(qobject, equality_and_copies)
{
    QDict *a = qdict_from_fmt("{'x': [1, 2.5, 'abc', null, true], 'y': {'z': {}}}");
    QDict *b = qdict_from_fmt("{'y': {'z': {}}, 'x': [1, 2.5, 'abc', null, true]}");
    QObject *copy = qobject_copy(QOBJECT(a));
    QObject *i = qnum_from_int(1), *f = qnum_from_double(1);

    check_true(t, qobject_equal(QOBJECT(a), QOBJECT(b)), "whatever the order");
    check_true(t, qobject_equal(QOBJECT(a), copy), "a copy is equal");
    qlist_append_int(qdict_get_list(a, "x", NULL), 1);
    check_true(t, !qobject_equal(QOBJECT(a), copy), "and does not share containers");
    check_true(t, !qobject_equal(i, f), "1 is not 1.0");
    qobject_unref(a);
    qobject_unref(b);
    qobject_unref(copy);
    qobject_unref(i);
    qobject_unref(f);
}

TEST(qobject, differences)
{
    QDict *a = qdict_from_fmt("{'a': 1, 'b': {'c': [1, 2, {'x': 'y'}]}, 'gone': null, 'same': [true]}");
    QDict *b = qdict_from_fmt("{'same': [true], 'a': 1.0, 'b': {'c': [1, 3, {'x': 'z'}, 4]}, 'new': {}}");
    char *text = qobject_diff(QOBJECT(a), QOBJECT(b));

    check_str(t, text, "a: 1 -> 1.0\nb.c[1]: 2 -> 3\nb.c[2].x: \"y\" -> \"z\"\nb.c[3]: nothing -> 4\n"
              "gone: null -> nothing\nnew: nothing -> {}\n", "each difference with its path");
    free(text);
    check_true(t, !qobject_diff(QOBJECT(a), QOBJECT(a)), "none");
    text = qobject_diff(QOBJECT(a), NULL);
    check_true(t, text && !strncmp(text, "(all): {", 8), "nothing at all");
    free(text);
    qobject_unref(a);
    qobject_unref(b);
}
