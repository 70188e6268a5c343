/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Property values: from JSON and from text into the instance, and back.
 */
#include "util/osdep.h"
#include "qom/property.h"
#include "qom/qom-int.h"

const char *const on_off_auto_names[] = { "auto", "on", "off", NULL };

static const BackendKind *backends[PROP_KIND__MAX];

void backend_kind_register(PropKind kind, const BackendKind *ops)
{
    assert(kind >= PROP_KIND_CHARDEV && kind <= PROP_KIND_AUDIODEV);
    backends[kind] = ops;
}

static inline Object *holder_of(Object *obj, const Property *p)
{
    return p->part ? p->part(obj) : obj;
}

static inline void *field_of(Object *obj, const Property *p)
{
    return (char *)obj + p->offset;
}

const char *property_type_name(const Property *p)
{
    static const char *const names[PROP_KIND__MAX] = {
        [PROP_KIND_BOOL] = "bool", [PROP_KIND_BIT32] = "bool", [PROP_KIND_BIT64] = "bool",
        [PROP_KIND_U8] = "uint8", [PROP_KIND_U16] = "uint16",
        [PROP_KIND_U32] = "uint32", [PROP_KIND_U64] = "uint64",
        [PROP_KIND_I32] = "int32", [PROP_KIND_I64] = "int64",
        [PROP_KIND_SIZE] = "size", [PROP_KIND_STR] = "str", [PROP_KIND_ENUM] = "enum",
        [PROP_KIND_MAC] = "str", [PROP_KIND_CHARDEV] = "str", [PROP_KIND_DRIVE] = "str",
        [PROP_KIND_NETDEV] = "str", [PROP_KIND_AUDIODEV] = "str",
    };

    if (p->kind == PROP_KIND_LINK) {
        g_autofree char *s = g_strdup_printf("link<%s>", p->type ? p->type : TYPE_OBJECT);

        return g_intern_string(s);
    }
    if (p->kind == PROP_KIND_CUSTOM) {
        return p->type ? p->type : "any";
    }
    if (p->kind == PROP_KIND_ENUM && p->names == on_off_auto_names) {
        return "OnOffAuto";
    }
    return names[p->kind];
}

/* --- limits --- */

static uint64_t unsigned_max(const Property *p)
{
    if (p->max) {
        return p->max;
    }
    switch (p->kind) {
    case PROP_KIND_U8: return UINT8_MAX;
    case PROP_KIND_U16: return UINT16_MAX;
    case PROP_KIND_U32: return UINT32_MAX;
    default: return UINT64_MAX;
    }
}

char *property_accepts(const Property *p)
{
    GString *s = g_string_new(NULL);

    switch (p->kind) {
    case PROP_KIND_BOOL: case PROP_KIND_BIT32: case PROP_KIND_BIT64:
        g_string_append(s, "on, off");
        break;
    case PROP_KIND_U8: case PROP_KIND_U16: case PROP_KIND_U32: case PROP_KIND_U64:
        g_string_printf(s, "%" PRIu64 " to %" PRIu64, p->min, unsigned_max(p));
        break;
    case PROP_KIND_SIZE:
        g_string_append(s, "a size in bytes, or with a suffix K, M, G, T, P, E");
        break;
    case PROP_KIND_I32:
        g_string_printf(s, "%d to %d", INT32_MIN, INT32_MAX);
        break;
    case PROP_KIND_I64:
        g_string_printf(s, "%" PRId64 " to %" PRId64, INT64_MIN, INT64_MAX);
        break;
    case PROP_KIND_ENUM:
        for (size_t i = 0; p->names[i]; i++) {
            g_string_append_printf(s, "%s%s", i ? ", " : "", p->names[i]);
        }
        break;
    case PROP_KIND_MAC:
        g_string_append(s, "six bytes in hex, as in 52:54:00:12:34:56");
        break;
    case PROP_KIND_LINK:
        g_string_printf(s, "path or id of a '%s'", p->type ? p->type : TYPE_OBJECT);
        break;
    case PROP_KIND_CHARDEV:
        g_string_append(s, "id of a character device");
        break;
    case PROP_KIND_DRIVE:
        g_string_append(s, "id of a drive or name of a block node");
        break;
    case PROP_KIND_NETDEV:
        g_string_append(s, "id of a network back end");
        break;
    case PROP_KIND_AUDIODEV:
        g_string_append(s, "id of an audio back end");
        break;
    default:
        g_string_append(s, property_type_name(p));
        break;
    }
    return g_string_free(s, FALSE);
}

/* --- setting --- */

char *scalar_text(const QObject *v)
{
    int64_t i;
    uint64_t u;

    switch (qobject_type(v)) {
    case QTYPE_STRING:
        return g_strdup(qstring_value(v));
    case QTYPE_BOOL:
        return g_strdup(qbool_value(v) ? "true" : "false");
    case QTYPE_NUMBER:
        if (qnum_to_int(qobject_to_num(v), &i)) {
            return g_strdup_printf("%" PRId64, i);
        }
        if (qnum_to_uint(qobject_to_num(v), &u)) {
            return g_strdup_printf("%" PRIu64, u);
        }
        return g_strdup_printf("%.17g", qnum_to_double(qobject_to_num(v)));
    default:
        return NULL;
    }
}

static char *value_text(const QObject *v)
{
    char *text = scalar_text(v);

    return text ? text : g_strdup(qobject_type_text(v));
}

static bool refuse(Object *obj, const Property *p, const QObject *v, ErrorCode code,
                   Error **errp)
{
    g_autofree char *text = value_text(v), *accepted = property_accepts(p);

    if (code == ERR_WRONG_TYPE) {
        error_setf(errp, code, "property '%s.%s' is of type '%s', not %s; accepted: %s",
                   object_type_name(obj), p->name, property_type_name(p),
                   qobject_type_text(v), accepted);
    } else {
        error_setf(errp, code, "property '%s.%s' cannot be '%s'; accepted: %s",
                   object_type_name(obj), p->name, text, accepted);
    }
    error_argument(errp, p->name, text, accepted);
    return false;
}

typedef enum Parse { PARSE_OK, PARSE_TYPE, PARSE_VALUE } Parse;

static Parse get_unsigned(const Property *p, const QObject *v, bool text, uint64_t *u)
{
    QNum *n = qobject_to_num(v);
    uint64_t lo = p->min, hi = unsigned_max(p);

    if (n) {
        if (!qnum_to_uint(n, u)) {
            return PARSE_VALUE;
        }
    } else if (qobject_type(v) == QTYPE_STRING &&
               (text || p->kind == PROP_KIND_SIZE)) {
        const char *s = qstring_value(v);

        if (!(p->kind == PROP_KIND_SIZE ? property_parse_size(s, u) : property_parse_unsigned(s, u))) {
            return PARSE_VALUE;
        }
    } else {
        return PARSE_TYPE;
    }
    return *u >= lo && *u <= hi ? PARSE_OK : PARSE_VALUE;
}

static Parse get_signed(const Property *p, const QObject *v, bool text, int64_t *i)
{
    QNum *n = qobject_to_num(v);

    if (n) {
        if (!qnum_to_int(n, i)) {
            return PARSE_VALUE;
        }
    } else if (text && qobject_type(v) == QTYPE_STRING) {
        if (!property_parse_signed(qstring_value(v), i)) {
            return PARSE_VALUE;
        }
    } else {
        return PARSE_TYPE;
    }
    return p->kind == PROP_KIND_I32 && (*i < INT32_MIN || *i > INT32_MAX)
           ? PARSE_VALUE : PARSE_OK;
}

static Parse get_bool(const QObject *v, bool text, bool *b)
{
    if (qobject_type(v) == QTYPE_BOOL) {
        *b = qbool_value(v);
        return PARSE_OK;
    }
    if (text && qobject_type(v) == QTYPE_STRING) {
        return property_parse_bool(qstring_value(v), b) ? PARSE_OK : PARSE_VALUE;
    }
    return PARSE_TYPE;
}

static Parse set_enum(Object *obj, const Property *p, const QObject *v)
{
    const char *s;

    /* on|off|auto and the like also take a JSON bool. */
    if (qobject_type(v) == QTYPE_BOOL) {
        s = qbool_value(v) ? "on" : "off";
    } else if (qobject_type(v) == QTYPE_STRING) {
        s = qstring_value(v);
    } else {
        return PARSE_TYPE;
    }
    for (int i = 0; p->names[i]; i++) {
        if (!strcmp(p->names[i], s)) {
            *(int *)field_of(obj, p) = i;
            return PARSE_OK;
        }
    }
    return PARSE_VALUE;
}

static bool set_link(Object *obj, const Property *p, const char *path, Error **errp)
{
    Object **field = field_of(obj, p), *target = NULL;

    if (*path) {
        bool ambiguous;

        target = object_resolve_path_type(path, p->type, &ambiguous);
        if (!target) {
            error_setf(errp, ERR_NO_SUCH_OBJECT,
                       ambiguous ? "property '%s.%s': more than one '%s' matches '%s'"
                                 : "property '%s.%s': there is no '%s' called '%s'",
                       object_type_name(obj), p->name, p->type ? p->type : TYPE_OBJECT,
                       path);
            error_argument(errp, p->name, path, p->type);
            return false;
        }
    }
    object_ref(target);
    object_unref(*field);
    *field = target;
    return true;
}

static bool set_backend(Object *obj, const Property *p, const char *id, Error **errp)
{
    const BackendKind *ops = backends[p->kind];
    void **field = field_of(obj, p), *new = NULL;

    if (*id) {
        if (!ops) {
            error_setf(errp, ERR_NOT_SUPPORTED, "property '%s.%s': there are no back ends",
                       object_type_name(obj), p->name);
            return false;
        }
        new = ops->attach(obj, id, errp);
        if (!new) {
            error_argument(errp, p->name, id, NULL);
            return false;
        }
    }
    if (*field && ops) {
        ops->detach(obj, *field);
    }
    *field = new;
    return true;
}

bool property_set(Object *obj, const Property *p, const QObject *v,
                  bool text, Error **errp)
{
    void *field;
    Parse r = PARSE_OK;
    uint64_t u;
    int64_t i;
    bool b;

    obj = holder_of(obj, p);
    field = field_of(obj, p);
    switch (p->kind) {
    case PROP_KIND_BOOL:
        if ((r = get_bool(v, text, &b)) == PARSE_OK) {
            *(bool *)field = b;
        }
        break;
    case PROP_KIND_BIT32:
        if ((r = get_bool(v, text, &b)) == PARSE_OK) {
            uint32_t *w = field;

            *w = b ? *w | BIT(p->bit) : *w & ~BIT(p->bit);
        }
        break;
    case PROP_KIND_BIT64:
        if ((r = get_bool(v, text, &b)) == PARSE_OK) {
            uint64_t *w = field;

            *w = b ? *w | BIT64(p->bit) : *w & ~BIT64(p->bit);
        }
        break;
    case PROP_KIND_U8: case PROP_KIND_U16: case PROP_KIND_U32:
    case PROP_KIND_U64: case PROP_KIND_SIZE:
        r = get_unsigned(p, v, text, &u);
        if (r != PARSE_OK) {
            break;
        }
        switch (p->kind) {
        case PROP_KIND_U8: *(uint8_t *)field = (uint8_t)u; break;
        case PROP_KIND_U16: *(uint16_t *)field = (uint16_t)u; break;
        case PROP_KIND_U32: *(uint32_t *)field = (uint32_t)u; break;
        default: *(uint64_t *)field = u; break;
        }
        break;
    case PROP_KIND_I32: case PROP_KIND_I64:
        r = get_signed(p, v, text, &i);
        if (r != PARSE_OK) {
            break;
        }
        if (p->kind == PROP_KIND_I32) {
            *(int32_t *)field = (int32_t)i;
        } else {
            *(int64_t *)field = i;
        }
        break;
    case PROP_KIND_ENUM:
        r = set_enum(obj, p, v);
        break;
    case PROP_KIND_STR:
        if (qobject_type(v) != QTYPE_STRING) {
            r = PARSE_TYPE;
            break;
        }
        g_free(*(char **)field);
        *(char **)field = g_strdup(qstring_value(v));
        break;
    case PROP_KIND_MAC:
        r = qobject_type(v) != QTYPE_STRING ? PARSE_TYPE :
            property_parse_mac(qstring_value(v), field) ? PARSE_OK : PARSE_VALUE;
        break;
    case PROP_KIND_LINK:
        if (qobject_type(v) == QTYPE_STRING) {
            return set_link(obj, p, qstring_value(v), errp);
        }
        r = PARSE_TYPE;
        break;
    case PROP_KIND_CHARDEV: case PROP_KIND_DRIVE:
    case PROP_KIND_NETDEV: case PROP_KIND_AUDIODEV:
        if (qobject_type(v) == QTYPE_STRING) {
            return set_backend(obj, p, qstring_value(v), errp);
        }
        r = PARSE_TYPE;
        break;
    case PROP_KIND_CUSTOM:
        return p->set(obj, p, v, errp);
    default:
        return false;
    }
    if (r != PARSE_OK) {
        return refuse(obj, p, v, r == PARSE_TYPE ? ERR_WRONG_TYPE : ERR_PROPERTY_RANGE,
                      errp);
    }
    return true;
}

/* --- getting --- */

QObject *property_get(Object *obj, const Property *p, Error **errp)
{
    const void *field;

    obj = holder_of(obj, p);
    field = field_of(obj, p);
    switch (p->kind) {
    case PROP_KIND_BOOL: return qbool_from(*(const bool *)field);
    case PROP_KIND_BIT32: return qbool_from(*(const uint32_t *)field & BIT(p->bit));
    case PROP_KIND_BIT64: return qbool_from(*(const uint64_t *)field & BIT64(p->bit));
    case PROP_KIND_U8: return qnum_from_uint(*(const uint8_t *)field);
    case PROP_KIND_U16: return qnum_from_uint(*(const uint16_t *)field);
    case PROP_KIND_U32: return qnum_from_uint(*(const uint32_t *)field);
    case PROP_KIND_U64: case PROP_KIND_SIZE:
        return qnum_from_uint(*(const uint64_t *)field);
    case PROP_KIND_I32: return qnum_from_int(*(const int32_t *)field);
    case PROP_KIND_I64: return qnum_from_int(*(const int64_t *)field);
    case PROP_KIND_ENUM: return qstring_from(p->names[*(const int *)field]);
    case PROP_KIND_STR: {
        const char *s = *(char *const *)field;

        return qstring_from(s ? s : "");
    }
    case PROP_KIND_MAC: {
        const uint8_t *a = ((const MacAddr *)field)->a;

        return qstring_from_printf("%02x:%02x:%02x:%02x:%02x:%02x",
                                   a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    case PROP_KIND_LINK: {
        Object *target = *(Object *const *)field;
        g_autofree char *path = target ? object_canonical_path(target) : NULL;

        return qstring_from(path ? path : "");
    }
    case PROP_KIND_CHARDEV: case PROP_KIND_DRIVE:
    case PROP_KIND_NETDEV: case PROP_KIND_AUDIODEV: {
        void *be = *(void *const *)field;
        const char *id = be && backends[p->kind] ? backends[p->kind]->id(be) : NULL;

        return qstring_from(id ? id : "");
    }
    case PROP_KIND_CUSTOM:
        return p->get(obj, p, errp);
    default:
        return NULL;
    }
}

struct QObject *property_default(const Property *p)
{
    switch (p->kind) {
    case PROP_KIND_BOOL: case PROP_KIND_BIT32: case PROP_KIND_BIT64:
        return qbool_from(p->def.b);
    case PROP_KIND_U8: case PROP_KIND_U16: case PROP_KIND_U32: case PROP_KIND_U64:
    case PROP_KIND_SIZE:
        return qnum_from_uint(p->def.u);
    case PROP_KIND_I32: case PROP_KIND_I64:
        return qnum_from_int(p->def.i);
    case PROP_KIND_ENUM:
        return qstring_from(p->names[p->def.i]);
    case PROP_KIND_STR:
        return p->def.s ? qstring_from(p->def.s) : NULL;
    default:
        return NULL;
    }
}

void property_init_default(Object *obj, const Property *p)
{
    void *field = field_of(obj, p);

    if (p->part) {
        return;
    }
    switch (p->kind) {
    case PROP_KIND_BOOL: *(bool *)field = p->def.b; break;
    case PROP_KIND_BIT32: {
        uint32_t *w = field;

        *w = p->def.b ? *w | BIT(p->bit) : *w & ~BIT(p->bit);
        break;
    }
    case PROP_KIND_BIT64: {
        uint64_t *w = field;

        *w = p->def.b ? *w | BIT64(p->bit) : *w & ~BIT64(p->bit);
        break;
    }
    case PROP_KIND_U8: *(uint8_t *)field = (uint8_t)p->def.u; break;
    case PROP_KIND_U16: *(uint16_t *)field = (uint16_t)p->def.u; break;
    case PROP_KIND_U32: *(uint32_t *)field = (uint32_t)p->def.u; break;
    case PROP_KIND_U64: case PROP_KIND_SIZE: *(uint64_t *)field = p->def.u; break;
    case PROP_KIND_I32: *(int32_t *)field = (int32_t)p->def.i; break;
    case PROP_KIND_I64: *(int64_t *)field = p->def.i; break;
    case PROP_KIND_ENUM: *(int *)field = (int)p->def.i; break;
    case PROP_KIND_STR:
        g_free(*(char **)field);
        *(char **)field = g_strdup(p->def.s);
        break;
    default:
        break;
    }
}

void property_release(Object *obj, const Property *p)
{
    void *field = field_of(obj, p);

    if (p->part) {
        return;
    }
    switch (p->kind) {
    case PROP_KIND_STR:
        g_clear_pointer((char **)field, g_free);
        break;
    case PROP_KIND_LINK:
        object_unref(*(Object **)field);
        *(Object **)field = NULL;
        break;
    case PROP_KIND_CHARDEV: case PROP_KIND_DRIVE:
    case PROP_KIND_NETDEV: case PROP_KIND_AUDIODEV:
        if (*(void **)field && backends[p->kind]) {
            backends[p->kind]->detach(obj, *(void **)field);
        }
        *(void **)field = NULL;
        break;
    case PROP_KIND_CUSTOM:
        if (p->release) {
            p->release(obj, p);
        }
        break;
    default:
        break;
    }
}

/* --- what every object has --- */

static QObject *get_type(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    return qstring_from(object_type_name(obj));
}

static const Property object_props[] = {
    PROP_CUSTOM("type", "string", get_type, NULL, "name of its type"),
    PROP_END
};
static const TypeInfo object_info = {
    .name = TYPE_OBJECT, .abstract = true, .props = object_props,
};
TYPE(object_info)
