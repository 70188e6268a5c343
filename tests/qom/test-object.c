/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "qom/object.h"
#include "tests/lib/test.h"

#include <glib.h>
#include "qobject/qobject.h"

static const char *const colours[] = { "red", "green", "blue", NULL };

typedef struct Thing {
    Object obj;
    bool flag;
    uint32_t bits;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64, size;
    int32_t i32;
    char *str;
    int colour;
    MacAddr mac;
    Object *friend;
    void *chr;
    int custom;
} Thing;
DEFINE_CAST(THING, Thing, "test-thing")

static unsigned finalized, attached;

static QObject *get_custom(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    return qnum_from_int(THING(obj)->custom);
}

static bool set_custom(Object *obj, const Property *p, const QObject *v, Error **errp)
{
    int64_t i;

    if (!qobject_get_int(v, p->name, &i, errp)) {
        return false;
    }
    THING(obj)->custom = (int)i * 2;
    return true;
}

static const Property thing_props[] = {
    PROP_BOOL("flag", Thing, flag, true, "a flag"),
    PROP_BIT32("bit", Thing, bits, 3, true, "a bit"),
    PROP_U8("u8", Thing, u8, 7, "a byte"),
    PROP_U16_RANGE("u16", Thing, u16, 100, 10, 1000, "a range"),
    PROP_U32("u32", Thing, u32, 1, "a word"),
    PROP_U64("u64", Thing, u64, UINT64_MAX, "a long one"),
    PROP_SIZE("size", Thing, size, 1 * MIB, "a size"),
    PROP_I32("i32", Thing, i32, -5, "a signed one"),
    PROP_STR("str", Thing, str, "text", "a text"),
    PROP_ENUM("colour", Thing, colour, 1, colours, "a colour"),
    PROP_MAC("mac", Thing, mac, "an address"),
    PROP_LINK("friend", Thing, friend, "test-thing", "another thing"),
    PROP_CHARDEV("chardev", Thing, chr, "a back end"),
    PROP_CUSTOM("custom", "int", get_custom, set_custom, "doubles"),
    PROP_CUSTOM("fixed", "int", get_custom, NULL, "read-only"),
    PROP_END
};

static void thing_finalize(UNUSED Object *obj)
{
    finalized++;
}

static const TypeInfo thing_info = {
    .name = "test-thing", .size = sizeof(Thing), .props = thing_props,
    .finalize = thing_finalize, .user_creatable = true, .desc = "A thing",
};
TYPE(thing_info)

static const Property sub_props[] = {
    PROP_U8("u8", Thing, u8, 9, "another default"), PROP_END
};
static const TypeInfo sub_info = {
    .name = "test-sub", .parent = "test-thing", .props = sub_props,
};
TYPE(sub_info)
static const TypeInfo abstract_info = { .name = "test-abstract", .abstract = true };
TYPE(abstract_info)

static void *fake_attach(UNUSED Object *owner, const char *id, Error **errp)
{
    if (strcmp(id, "chr0")) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "no chardev '%s'", id);
        return NULL;
    }
    attached++;
    return "chr0";
}

static void fake_detach(UNUSED Object *owner, UNUSED void *be)
{
    attached--;
}

static const char *fake_id(void *be)
{
    return be;
}

static const BackendKind fake_kind = { fake_attach, fake_detach, fake_id };

TEST(qom, types)
{
    const Type *sub = type_find("test-sub");

    check_true(t, type_is_a(sub, "test-thing") && type_is_a(sub, "object"), "ancestors");
    check_true(t, !type_is_a(sub, "test-abstract"), "no others");
    check_true(t, type_is_user_creatable(sub), "inherited");
    check_true(t, !type_find("test-nothing"), "unknown");
    check_int(t, type_find_property(sub, "u8")->def.u, 9, "the nearest row");
    check_true(t, type_find_property(sub, "flag"), "rows of parents");
}

TEST(qom, defaults)
{
    Thing *a = THING(object_new("test-thing")), *b = THING(object_new("test-sub"));

    check_true(t, a->flag && a->bits == 8 && a->u8 == 7 && a->u16 == 100, "numbers");
    check_true(t, a->size == 1 * MIB && a->i32 == -5 && a->colour == 1, "more");
    check_str(t, a->str, "text", "a copy");
    check_int(t, b->u8, 9, "a derived type's own default");
    finalized = 0;
    object_unref(a);
    object_unref(b);
    check_int(t, finalized, 2, "finalized once each");
}

static const struct { const char *prop, *text; bool ok; const char *shown; } text_cases[] = {
    { "flag", "off", true, "false" },       { "flag", "maybe", false, NULL },
    { "flag", "yes", true, "true" },        { "bit", "off", true, "false" },
    { "u8", "255", true, "255" },           { "u8", "256", false, NULL },
    { "u8", "-1", false, NULL },            { "u8", "0x10", true, "16" },
    { "u8", " 1", false, NULL },            { "u8", "", false, NULL },
    { "u16", "9", false, NULL },            { "u16", "10", true, "10" },
    { "u16", "1001", false, NULL },         { "u32", "4294967295", true, "4294967295" },
    { "u32", "4294967296", false, NULL },   { "u64", "18446744073709551615", true,
                                              "18446744073709551615" },
    { "u64", "18446744073709551616", false, NULL },
    { "size", "64M", true, "67108864" },    { "size", "1.5K", true, "1536" },
    { "size", "1.5", false, NULL },         { "size", "16E", false, NULL },
    { "size", "2Q", false, NULL },          { "i32", "-2147483648", true, "-2147483648" },
    { "i32", "2147483648", false, NULL },   { "str", "", true, "" },
    { "colour", "blue", true, "blue" },     { "colour", "pink", false, NULL },
    { "mac", "52:54:00:12:34:56", true, "52:54:00:12:34:56" },
    { "mac", "52:54:00:12:34", false, NULL },
    { "mac", "52:54:00:12:34:567", false, NULL },
    { "chardev", "chr0", true, "chr0" },    { "chardev", "chr1", false, NULL },
    { "fixed", "1", false, NULL },          { "nothing", "1", false, NULL },
};

TEST(qom, values_from_text)
{
    Thing *a = THING(object_new("test-thing"));

    backend_kind_register(PROP_KIND_CHARDEV, &fake_kind);
    for (size_t i = 0; i < ARRAY_SIZE(text_cases); i++) {
        Error *err = NULL;
        bool ok = object_set_str(a, text_cases[i].prop, text_cases[i].text, &err);
        char *shown;

        check_true(t, ok == text_cases[i].ok && !ok == !!err, text_cases[i].text);
        if (ok) {
            shown = object_get_str(a, text_cases[i].prop, NULL);
            check_str(t, shown, text_cases[i].shown, text_cases[i].prop);
            g_free(shown);
        }
        error_free(err);
    }
    check_int(t, attached, 1, "the back end is taken");
    object_unref(a);
    check_int(t, attached, 0, "and given back");
}

TEST(qom, errors_name_what_is_accepted)
{
    Thing *a = THING(object_new("test-thing"));
    Error *err = NULL;

    object_set_str(a, "u16", "5", &err);
    check_str(t, error_message(err),
              "property 'test-thing.u16' cannot be '5'; accepted: 10 to 1000", "message");
    check_str(t, error_argument_name(err), "u16", "argument");
    check_str(t, error_argument_value(err), "5", "value");
    check_str(t, error_argument_accepted(err), "10 to 1000", "accepted");
    check_int(t, error_code(err), ERR_PROPERTY_RANGE, "code");
    error_free(err);
    err = NULL;
    object_set_bool(a, "u8", true, &err);
    check_int(t, error_code(err), ERR_WRONG_TYPE, "JSON values are strict");
    error_free(err);
    object_unref(a);
}

TEST(qom, json_values)
{
    Thing *a = THING(object_new("test-thing"));
    QOBJECT_AUTO QDict *d = qdict_from_fmt("{'u8': 3, 'flag': %i, 'colour': 'red',"
                                           " 'size': '2M', 'custom': 21}", false);
    QOBJECT_AUTO QDict *bad = qdict_from_fmt("{'u8': '3'}");
    Error *err = NULL;
    uint64_t u;

    check_true(t, object_set_dict(a, d, false, &err), "all fit");
    check_true(t, a->u8 == 3 && !a->flag && a->colour == 0 && a->size == 2 * MIB, "set");
    check_true(t, object_get_uint(a, "custom", &u, &err) && u == 42, "custom get");
    check_true(t, !object_set_dict(a, bad, false, NULL), "no text for numbers");
    check_true(t, object_set_dict(a, bad, true, &err), "unless it is text");
    a->obj.props_fixed = true;
    check_true(t, !object_set_uint(a, "u8", 1, &err), "not while in use");
    check_int(t, error_code(err), ERR_WRONG_STATE, "says so");
    error_free(err);
    object_unref(a);
}

TEST(qom, tree_and_paths)
{
    Object *top = object_container("/test/a"), *x = object_new("test-thing");
    Object *y = object_new("test-thing");
    Error *err = NULL;
    bool ambiguous;
    char *path;

    object_add_child(top, "x", x);
    object_add_child(object_container("/test/b"), "device[*]", y);
    check_str(t, y->name, "device[0]", "numbered");
    path = object_canonical_path(y);
    check_str(t, path, "/test/b/device[0]", "path");
    check_true(t, object_resolve_path(path, NULL) == y, "and back");
    check_true(t, object_resolve_path("b/device[0]", NULL) == y, "partial");
    check_true(t, object_resolve_path("x", NULL) == x, "by name");
    check_true(t, object_resolve_path("/", NULL) == object_root(), "root");
    check_true(t, !object_resolve_path("/test/none", NULL), "nothing");
    check_true(t, !object_resolve_path("", NULL), "nothing");
    object_container("/test/a/twice");
    object_container("/test/b/twice");
    check_true(t, !object_resolve_path("twice", &ambiguous) && ambiguous, "two of them");

    check_true(t, object_set_str(x, "friend", path, &err), "link by path");
    check_true(t, THING(x)->friend == y && y->ref == 3, "holds a reference");
    check_true(t, object_resolve_path("/test/a/x/friend", NULL) == y, "links are steps");
    check_true(t, !object_set_str(x, "friend", "/test/a", &err), "of the right type only");
    error_free(err);
    object_set_str(x, "friend", "", NULL);
    g_free(path);

    finalized = 0;
    object_unparent(y);
    object_unref(y);
    check_int(t, finalized, 1, "gone");
    object_unref(x);
    object_unparent(object_container("/test"));
    check_int(t, finalized, 2, "a subtree goes with its root");
}

static void count_props(const ObjectPropertyInfo *info, void *opaque)
{
    unsigned *n = opaque;

    n[0]++;
    n[1] += !strncmp(info->type, "child<", 6);
    n[2] += info->writable;
}

TEST(qom, listing)
{
    Object *a = object_new("test-thing"), *b = object_new("test-thing");
    unsigned n[3] = { 0 };

    object_add_child(a, "kid", b);
    object_property_foreach(a, count_props, n);
    check_int(t, n[0], 17, "15 rows, type, child");
    check_int(t, n[1], 1, "one child");
    check_int(t, n[2], 14, "writable ones");
    object_unref(b);
    object_unref(a);
}

TEST(qom, user_objects)
{
    QOBJECT_AUTO QDict *props = qdict_from_fmt("{'u8': '12'}");
    Error *err = NULL;
    Object *obj = user_object_new("test-thing", "o1", props, true, &err);

    check_true(t, obj && THING(obj)->u8 == 12, "made");
    check_true(t, object_resolve_path("/objects/o1", NULL) == obj, "in its place");
    check_true(t, !user_object_new("test-thing", "o1", NULL, true, NULL), "taken");
    check_true(t, !user_object_new("test-thing", "1o", NULL, true, NULL), "no id");
    check_true(t, !user_object_new("container", "o2", NULL, true, NULL), "not for users");
    check_true(t, !user_object_new("test-abstract", "o2", NULL, true, NULL), "abstract");
    check_true(t, !user_object_new("nothing", "o2", NULL, true, NULL), "unknown");
    object_ref(obj);
    check_true(t, !user_object_delete("o1", &err), "in use");
    error_free(err);
    object_unref(obj);
    check_true(t, user_object_delete("o1", NULL), "gone");
    check_true(t, !user_object_delete("o1", NULL), "gone already");
}

TEST(qom, globals)
{
    Object *a;

    global_property_add("test-thing", "u32", "77");
    a = object_new("test-sub");
    check_true(t, object_apply_globals(a, NULL) && THING(a)->u32 == 77, "derived types too");
    object_unref(a);
}
