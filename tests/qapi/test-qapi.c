/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the generator makes of schema-test.json, and what the tables are read for. */
#include "util/osdep.h"
#include "qapi/qapi-command.h"
#include "qobject/json.h"
#include "tests/lib/test.h"
/* The generated code is small, and nobody else's. */
#include "tests/qapi/gen/test-types-schema-test.c"
#include "tests/qapi/gen/test-commands-schema-test.c"
#include "tests/qapi/gen/test-events-schema-test.c"
#include "tests/qapi/gen/test-schema.c"

/* ------------------------------------------------------------- handlers */

int64_t qmp_add(int64_t a, bool has_b, int64_t b, Error **errp)
{
    if (a == 13) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "no luck");
        return 0;
    }
    return a + (has_b ? b : 1);
}

Shape *qmp_describe(const Thing *arg, Error **errp)
{
    Shape *s = qapi_new(Shape);

    (void)errp;
    s->x = arg->kind == COLOR_DARK_BLUE ? (int8_t)arg->u.dark_blue.radius : -1;
    QAPI_SET(s, color, arg->kind);
    return s;
}

QObject *qmp_raw(const QDict *args, Error **errp)
{
    (void)errp;
    return qobject_ref(QOBJECT(args));
}

bool qmp_nothing(Error **errp)
{
    (void)errp;
    return true;
}

/* --------------------------------------------------------------- decoding */

/* What decoding @json as @type and encoding it again gives, or the error. */
static char *round_trip(const QapiType *type, const char *json, unsigned flags)
{
    Error *err = NULL;
    QObject *in = json_parse(json, &err), *out;
    void *p = NULL;
    char *text;

    assert(in);
    if (!qapi_decode(type, in, NULL, flags, &p, &err)) {
        text = strdup(error_message(err));
        error_free(err);
        qobject_unref(in);
        return text;
    }
    out = qapi_encode(type, &p);
    text = json_write(out, JSON_COMPACT);
    qobject_unref(out);
    qobject_unref(in);
    qapi_free(type, p);
    return text;
}

static const struct { const QapiType *type; const char *in, *out; } trips[] = {
    { &qapi_type_Shape, "{\"x\": -128, \"y\": 65535}", "{\"x\": -128, \"y\": 65535}" },
    { &qapi_type_Shape,
      "{\"y\": 1, \"x\": 2, \"name\": \"\\u00e4\", \"color\": \"dark-blue\", "
      "\"big\": 18446744073709551615, \"real\": 0.5, \"flag\": false, \"any\": [1, {}], "
      "\"list\": [1, 2, 3], \"names\": [\"a\"], \"inner\": {\"x\": 0, \"y\": 0}, "
      "\"points\": [{\"x\": 1, \"y\": 2}], \"colors\": [\"red\"], \"nothing\": null, "
      "\"ref\": \"r\"}",
      "{\"x\": 2, \"y\": 1, \"name\": \"\\u00e4\", \"color\": \"dark-blue\", "
      "\"big\": 18446744073709551615, \"real\": 0.5, \"flag\": false, \"any\": [1, {}], "
      "\"list\": [1, 2, 3], \"names\": [\"a\"], \"inner\": {\"x\": 0, \"y\": 0}, "
      "\"points\": [{\"x\": 1, \"y\": 2}], \"colors\": [\"red\"], \"nothing\": null, "
      "\"ref\": \"r\"}" },
    { &qapi_type_Thing, "{\"kind\": \"red\", \"weight\": 3}", "{\"kind\": \"red\", \"weight\": 3}" },
    { &qapi_type_Thing, "{\"radius\": 7, \"kind\": \"dark-blue\"}",
      "{\"kind\": \"dark-blue\", \"radius\": 7}" },
    { &qapi_type_Ref, "{\"radius\": 7}", "{\"radius\": 7}" },
    { &qapi_type_Ref, "[1, 2]", "[1, 2]" },
    { &qapi_type_Ref, "9", "9" },

    { &qapi_type_Shape, "{\"x\": 1}", "Parameter 'y' is missing" },
    { &qapi_type_Shape, "{\"x\": 128, \"y\": 0}",
      "Parameter 'x' expects an integer from -128 to 127, not '128'" },
    { &qapi_type_Shape, "{\"x\": 1.5, \"y\": 0}",
      "Parameter 'x' expects an integer from -128 to 127, not '1.5'" },
    { &qapi_type_Shape, "{\"x\": 0, \"y\": -1}",
      "Parameter 'y' expects an integer from 0 to 65535, not '-1'" },
    { &qapi_type_Shape, "{\"x\": \"1\", \"y\": 0}",
      "Invalid parameter type for 'x', expected: integer" },
    { &qapi_type_Shape, "{\"x\": 0, \"y\": 0, \"inner\": {\"x\": 0, \"y\": 0, \"list\": [1, null]}}",
      "Invalid parameter type for 'inner.list[1]', expected: integer" },
    { &qapi_type_Shape, "{\"x\": 0, \"y\": 0, \"points\": [{\"x\": 0}]}",
      "Parameter 'points[0].y' is missing" },
    { &qapi_type_Shape, "{\"x\": 0, \"y\": 0, \"z\": 0}", "Parameter 'z' is unexpected" },
    { &qapi_type_Shape, "{\"x\": 0, \"y\": 0, \"absent\": 0}", "Parameter 'absent' is unexpected" },
    { &qapi_type_Shape, "{\"x\": 0, \"y\": 0, \"color\": \"gone\"}",
      "Parameter 'color' does not accept value 'gone'" },
    { &qapi_type_Shape, "{\"x\": 0, \"y\": 0, \"name\": \"a\\u0000b\"}",
      "Parameter 'name' expects a string without NUL characters, not 'a'" },
    { &qapi_type_Thing, "{\"kind\": \"red\", \"radius\": 3}", "Parameter 'radius' is unexpected" },
    { &qapi_type_Thing, "{\"kind\": \"dark-blue\"}", "Parameter 'radius' is missing" },
    { &qapi_type_Thing, "{}", "Parameter 'kind' is missing" },
    { &qapi_type_Ref, "true", "Invalid parameter type for 'input', expected: "
      "Round or str or int or intList" },
    { &qapi_type_Ref, "{\"radius\": \"x\"}", "Invalid parameter type for 'radius', expected: integer" },
};

TEST(qapi, strict_decoding)
{
    for (size_t i = 0; i < ARRAY_SIZE(trips); i++) {
        char *got = round_trip(trips[i].type, trips[i].in, 0);

        check_str(t, got, trips[i].out, trips[i].in);
        free(got);
    }
}

static const struct { const char *in, *out; } keyvals[] = {
    { "{\"x\": \"-5\", \"y\": \"0x10\", \"flag\": \"on\", \"size\": \"1.5k\"}",
      "{\"x\": -5, \"y\": 16, \"flag\": true, \"size\": 1536}" },
    { "{\"x\": \"1\", \"y\": \"1\", \"size\": \"16E\"}",
      "Parameter 'size' expects a size, a number with an optional suffix k, M, G, T, P or E, "
      "not '16E'" },
    { "{\"x\": \"1\", \"y\": \"-1\"}", "Parameter 'y' expects a number, not '-1'" },
    { "{\"x\": \"1x\", \"y\": \"1\"}", "Parameter 'x' expects a number, not '1x'" },
    { "{\"x\": \"\", \"y\": \"1\"}", "Parameter 'x' expects a number, not ''" },
    { "{\"x\": \"1\", \"y\": \"1\", \"flag\": \"maybe\"}",
      "Parameter 'flag' expects 'on' or 'off', not 'maybe'" },
};

TEST(qapi, decoding_of_command_lines)
{
    for (size_t i = 0; i < ARRAY_SIZE(keyvals); i++) {
        char *got = round_trip(&qapi_type_Shape, keyvals[i].in, QAPI_DECODE_KEYVAL);

        check_str(t, got, keyvals[i].out, keyvals[i].in);
        free(got);
    }
}

TEST(qapi, clone_and_free)
{
    Shape *s = qapi_new(Shape), *copy;
    Ref *ref = qapi_new(Ref);

    s->name = strdup("n");
    s->list = qapi_new(intList);
    for (int i = 0; i < 100; i++) {
        qapi_list_append(s->list, i);
    }
    s->names = qapi_new(strList);
    qapi_list_append(s->names, strdup("a"));
    ref->alt = REF_ALT_LIST;
    qapi_list_append(&ref->u.list, 5);
    s->ref = ref;
    copy = qapi_clone_Shape(s);
    qapi_free_Shape(s);
    check_str(t, copy->name, "n", "strings are copied");
    check_int(t, copy->list->items[99], 99, "lists too");
    check_int(t, (int64_t)copy->list->n, 100, "whole");
    check_int(t, copy->ref->u.list.items[0], 5, "and alternates");
    qapi_list_append(copy->list, 100);
    qapi_free_Shape(copy);
    qapi_free_Shape(NULL);
    check_str(t, Color_name(COLOR_DARK_BLUE), "dark-blue", "names of values");
    check_str(t, Color_name(7), "?", "of none");
}

/* ---------------------------------------------------------------- commands */

static char *run(const char *name, const char *args)
{
    Error *err = NULL;
    QDict *d = args ? json_parse_dict(args, NULL) : NULL;
    QObject *result = qapi_dispatch(qapi_find_command(&test_qapi_schema, name), d, &err);
    char *text = err ? strdup(error_message(err)) : json_write(result, JSON_COMPACT);

    error_free(err);
    qobject_unref(result);
    qobject_unref(d);
    return text;
}

static const struct { const char *name, *args, *result; } calls[] = {
    { "add", "{\"a\": 1}", "2" },
    { "add", "{\"a\": 1, \"b\": -4}", "-3" },
    { "add", "{\"a\": 13}", "no luck" },
    { "add", NULL, "Parameter 'a' is missing" },
    { "describe", "{\"kind\": \"dark-blue\", \"radius\": 9}",
      "{\"x\": 9, \"y\": 0, \"color\": \"dark-blue\"}" },
    { "raw", "{\"anything\": [1]}", "{\"anything\": [1]}" },
    { "raw", NULL, "{}" },
    { "nothing", NULL, "{}" },
    { "nothing", "{\"x\": 1}", "Parameter 'x' is unexpected" },
};

TEST(qapi, commands)
{
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        char *got = run(calls[i].name, calls[i].args);

        check_str(t, got, calls[i].result, calls[i].name);
        free(got);
    }
    check_true(t, !qapi_find_command(&test_qapi_schema, "ad"), "no command");
    check_true(t, qapi_find_command(&test_qapi_schema, "describe")->oob, "allow-oob");
}

static char *last_event;

static void sink(const QapiEvent *event, const QDict *data)
{
    free(last_event);
    last_event = json_write(QOBJECT(data), JSON_COMPACT);
    (void)event;
}

TEST(qapi, events)
{
    Shape s = { .x = 1, .y = 2 };

    qapi_event_set_sink(sink);
    qapi_event_send_happened(COLOR_RED, true, 3, &s);
    check_str(t, last_event, "{\"what\": \"red\", \"count\": 3, \"shape\": {\"x\": 1, \"y\": 2}}",
              "data of an event");
    qapi_event_send_happened(COLOR_RED, false, 3, NULL);
    check_str(t, last_event, "{\"what\": \"red\"}", "optional members are left out");
    qapi_event_set_sink(NULL);
    qapi_event_send_happened(COLOR_RED, false, 3, NULL);        /* nobody listens */
    free(last_event);
    last_event = NULL;
}

/* ----------------------------------------------------------- introspection */

TEST(qapi, introspection)
{
    static const char expect[] =
        "[{\"name\": \"add\", \"meta-type\": \"command\", \"arg-type\": \"0\", \"ret-type\": \"int\"}";
    QObject *o = qapi_introspect(&test_qapi_schema);
    char *text = json_write(o, JSON_COMPACT);

    check_true(t, !strncmp(text, expect, strlen(expect)), "commands come first");
    check_true(t, strstr(text, "{\"name\": \"describe\", \"meta-type\": \"command\"") != NULL &&
               strstr(text, "\"allow-oob\": true, \"features\": [\"unstable\"]}") != NULL,
               "flags and features");
    check_true(t, !strstr(text, "Shape") && !strstr(text, "Color"), "names are masked");
    check_true(t, strstr(text, "\"default\": null") != NULL, "optional members");
    check_true(t, strstr(text, "{\"case\": \"red\", \"type\":") != NULL, "empty branches are there");
    check_true(t, strstr(text, "\"name\": \"[int]\", \"meta-type\": \"array\", "
                         "\"element-type\": \"int\"") != NULL, "arrays");
    check_true(t, strstr(text, "\"json-type\": \"value\"") != NULL, "built-in types");
    free(text);
    qobject_unref(o);
}
