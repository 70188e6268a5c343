/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From QObjects to the C form, strictly: what the schema doesn't say isn't
 * accepted. Errors name the parameter by its path: "addr.data.port", "keys[2]".
 */
#include "util/osdep.h"
#include <math.h>
#include "qapi/qapi-type.h"

/* Where we are, from the inside out; lives on the stack. */
typedef struct Path {
    const struct Path *up;
    const char *name;           /* NULL: list element @index */
    size_t index;
} Path;

typedef struct Decoder {
    unsigned flags;
    Error **errp;
} Decoder;

static bool decode(Decoder *d, const Path *path, const QapiType *type, const QObject *obj,
                   void *slot);

/* ---------------------------------------------------------------- errors */

/* Cut where it is too long. */
static size_t path_text(const Path *path, char *buf, size_t size)
{
    size_t len = path->up ? path_text(path->up, buf, size) : 0;
    char index[32];
    const char *text = path->name;
    size_t n;

    if (!text) {
        snprintf(index, sizeof(index), "[%zu]", path->index);
        text = index;
    } else if (len && len < size - 1) {
        buf[len++] = '.';
    }
    n = MIN(strlen(text), size - 1 - len);
    memcpy(buf + len, text, n);
    buf[len + n] = '\0';
    return len + n;
}

static const char *path_name(const Path *path, char *buf, size_t size)
{
    if (!path) {
        return "input";
    }
    path_text(path, buf, size);
    return buf;
}

static void value_text(const QObject *obj, char *buf, size_t size)
{
    int64_t i;

    switch (qobject_type(obj)) {
    case QTYPE_STRING:
        snprintf(buf, size, "%s", qstring_value(obj));
        break;
    case QTYPE_BOOL:
        snprintf(buf, size, "%s", qbool_value(obj) ? "true" : "false");
        break;
    case QTYPE_NUMBER:
        if (qnum_to_int(qobject_to_num(obj), &i)) {
            snprintf(buf, size, "%" PRId64, i);
        } else {
            snprintf(buf, size, "%.17g", qnum_to_double(qobject_to_num(obj)));
        }
        break;
    default:
        snprintf(buf, size, "%s", qobject_type_text(obj));
        break;
    }
}

static bool wrong_type(Decoder *d, const Path *path, const QObject *obj, const char *expected)
{
    char name[256], value[128];

    const char *what = path_name(path, name, sizeof(name));

    value_text(obj, value, sizeof(value));
    error_setf(d->errp, ERR_WRONG_TYPE, "Invalid parameter type for '%s', expected: %s", what,
               expected);
    error_argument(d->errp, what, value, expected);
    return false;
}

static bool bad_value(Decoder *d, const Path *path, const QObject *obj, const char *expected)
{
    char name[256], value[128];

    const char *what = path_name(path, name, sizeof(name));

    value_text(obj, value, sizeof(value));
    error_setf(d->errp, ERR_OUT_OF_RANGE, "Parameter '%s' expects %s, not '%s'", what, expected,
               value);
    error_argument(d->errp, what, value, expected);
    return false;
}

/* --------------------------------------------------------------- scalars */

/* "4G": bytes with a suffix of IEC 80000-13's powers, as command lines have it. */
static bool parse_size(const char *s, uint64_t *value)
{
    static const char suffixes[] = "bkmgtpe";
    char *end;
    double d;
    uint64_t mul = 1;

    if (*s == '-' || *s == '\0' || *s == ' ') {
        return false;
    }
    errno = 0;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        *value = strtoull(s, &end, 16);
        return !errno && !*end && end != s + 2;
    }
    *value = strtoull(s, &end, 10);
    if (errno || end == s) {
        return false;
    }
    d = 0;
    if (*end == '.') {
        d = strtod(end, &end);
    }
    if (*end) {
        const char *p = strchr(suffixes, *end | 0x20);

        if (!p || end[1]) {
            return false;
        }
        mul = UINT64_C(1) << (10 * (p - suffixes));
    }
    if (*value > UINT64_MAX / mul) {
        return false;
    }
    *value = *value * mul + (uint64_t)(d * mul);
    return true;
}

static bool parse_integer(const QapiType *type, const char *s, int64_t *i, uint64_t *u)
{
    char *end;

    if (type->is_size) {
        return parse_size(s, u);
    }
    if (!*s || *s == ' ') {
        return false;
    }
    errno = 0;
    if (type->min < 0) {
        *i = strtoll(s, &end, 0);
    } else if (*s == '-') {
        return false;
    } else {
        *u = strtoull(s, &end, 0);
    }
    return !errno && end != s && !*end;
}

static bool decode_int(Decoder *d, const Path *path, const QapiType *type, const QObject *obj,
                       void *slot)
{
    char range[96];
    bool is_signed = type->min < 0, good;
    int64_t i = 0;
    uint64_t u = 0;

    if (qobject_type(obj) == QTYPE_STRING && (d->flags & QAPI_DECODE_KEYVAL)) {
        if (!parse_integer(type, qstring_value(obj), &i, &u)) {
            return bad_value(d, path, obj, type->is_size
                             ? "a size, a number with an optional suffix k, M, G, T, P or E"
                             : "a number");
        }
        good = is_signed ? i >= type->min && i <= (int64_t)type->max : u <= type->max;
    } else if (qobject_type(obj) != QTYPE_NUMBER) {
        return wrong_type(d, path, obj, "integer");
    } else if (is_signed) {
        good = qnum_to_int(qobject_to_num(obj), &i) && i >= type->min && i <= (int64_t)type->max;
    } else {
        good = qnum_to_uint(qobject_to_num(obj), &u) && u <= type->max;
    }
    if (!good) {
        snprintf(range, sizeof(range), "an integer from %" PRId64 " to %" PRIu64, type->min,
                 type->max);
        return bad_value(d, path, obj, range);
    }
    switch (type->size) {
    case 1:
        *(uint8_t *)slot = is_signed ? (uint64_t)i : u;
        break;
    case 2:
        *(uint16_t *)slot = is_signed ? (uint64_t)i : u;
        break;
    case 4:
        *(uint32_t *)slot = is_signed ? (uint64_t)i : u;
        break;
    default:
        *(uint64_t *)slot = is_signed ? (uint64_t)i : u;
        break;
    }
    return true;
}

static bool decode_bool(Decoder *d, const Path *path, const QObject *obj, bool *slot)
{
    static const struct { const char *name; bool value; } words[] = {
        { "on", true }, { "yes", true }, { "true", true }, { "y", true },
        { "off", false }, { "no", false }, { "false", false }, { "n", false },
    };

    if (qobject_type(obj) == QTYPE_BOOL) {
        *slot = qbool_value(obj);
        return true;
    }
    if (!(d->flags & QAPI_DECODE_KEYVAL) || qobject_type(obj) != QTYPE_STRING) {
        return wrong_type(d, path, obj, "boolean");
    }
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(words[i].name, qstring_value(obj))) {
            *slot = words[i].value;
            return true;
        }
    }
    return bad_value(d, path, obj, "'on' or 'off'");
}

static bool decode_number(Decoder *d, const Path *path, const QObject *obj, double *slot)
{
    char *end;

    if (qobject_type(obj) == QTYPE_NUMBER) {
        *slot = qnum_to_double(qobject_to_num(obj));
        return true;
    }
    if (!(d->flags & QAPI_DECODE_KEYVAL) || qobject_type(obj) != QTYPE_STRING) {
        return wrong_type(d, path, obj, "number");
    }
    *slot = strtod(qstring_value(obj), &end);
    if (end == qstring_value(obj) || *end || !isfinite(*slot)) {
        return bad_value(d, path, obj, "a number");
    }
    return true;
}

static bool decode_str(Decoder *d, const Path *path, const QObject *obj, char **slot)
{
    const QString *s = qobject_to_string(obj);

    if (!s) {
        return wrong_type(d, path, obj, "string");
    }
    if (memchr(s->str, 0, s->len)) {
        return bad_value(d, path, obj, "a string without NUL characters");
    }
    *slot = memcpy(qapi_alloc(s->len + 1), s->str, s->len + 1);
    return true;
}

static bool decode_enum(Decoder *d, const Path *path, const QapiType *type, const QObject *obj,
                        int *slot)
{
    char name[256];
    int value;

    if (qobject_type(obj) != QTYPE_STRING) {
        return wrong_type(d, path, obj, "string");
    }
    value = qapi_enum_parse(type, qstring_value(obj), path_name(path, name, sizeof(name)),
                            d->flags & QAPI_DECODE_TOLERANT ? NULL : d->errp);
    if (value < 0 && d->flags & QAPI_DECODE_TOLERANT) {
        value = (int)type->n_values;            /* ...__MAX */
    }
    *slot = MAX(value, 0);
    return value >= 0;
}

/* ------------------------------------------------------------ containers */

static const QapiMember *find_member(const QapiType *type, const char *name)
{
    for (size_t i = 0; i < type->n_members; i++) {
        if (!strcmp(type->members[i].name, name)) {
            return &type->members[i];
        }
    }
    return NULL;
}

static const QapiVariant *find_variant(const QapiType *type, int value)
{
    for (size_t i = 0; i < type->n_variants; i++) {
        if (type->variants[i].value == value) {
            return &type->variants[i];
        }
    }
    return NULL;
}

static bool decode_members(Decoder *d, const Path *up, const QapiType *type, const QDict *dict,
                           char *out)
{
    for (size_t i = 0; i < type->n_members; i++) {
        const QapiMember *m = &type->members[i];
        const QObject *value = qdict_get(dict, m->name);
        Path path = { up, m->name, 0 };
        char name[256];

        if (!value) {
            if (m->optional) {
                continue;
            }
            path_name(&path, name, sizeof(name));
            error_setf(d->errp, ERR_MISSING_ARGUMENT, "Parameter '%s' is missing", name);
            error_argument(d->errp, name, NULL, m->type->name);
            return false;
        }
        if (m->has_offset >= 0) {
            *(bool *)(out + m->has_offset) = true;
        }
        if (!decode(d, &path, m->type, value, out + m->offset)) {
            return false;
        }
    }
    if (type->tag) {
        const QapiVariant *v = find_variant(type, *(int *)(out + type->tag_offset));

        return !v || decode_members(d, up, v->type, dict, out + v->offset);
    }
    return true;
}

static bool known(const QapiType *type, const char *p, const char *name)
{
    const QapiVariant *v;

    if (find_member(type, name)) {
        return true;
    }
    if (!type->tag) {
        return false;
    }
    v = find_variant(type, *(const int *)(p + type->tag_offset));
    return v && known(v->type, p + v->offset, name);
}

static size_t list_names(const QapiType *type, const char *p, char *buf, size_t size)
{
    size_t len = 0;
    const QapiVariant *v;

    *buf = '\0';
    for (size_t i = 0; i < type->n_members && len < size; i++) {
        len += snprintf(buf + len, size - len, "%s%s", i ? ", " : "", type->members[i].name);
    }
    if (type->tag && len + 2 < size &&
        (v = find_variant(type, *(const int *)(p + type->tag_offset))) && v->type->n_members) {
        len += snprintf(buf + len, size - len, "%s", len ? ", " : "");
        len += list_names(v->type, p + v->offset, buf + len, size - len);
    }
    return MIN(len, size - 1);
}

static bool decode_dict(Decoder *d, const Path *path, const QapiType *type, const QDict *dict,
                        void *out)
{
    if (!decode_members(d, path, type, dict, out)) {
        goto fail;
    }
    QDICT_FOR_EACH(e, dict) {
        if (!(d->flags & QAPI_DECODE_TOLERANT) && !known(type, out, e->key)) {
            Path inner = { path, e->key, 0 };
            char name[256], names[512];

            path_name(&inner, name, sizeof(name));
            list_names(type, out, names, sizeof(names));
            error_setf(d->errp, ERR_UNKNOWN_ARGUMENT, "Parameter '%s' is unexpected", name);
            error_argument(d->errp, name, NULL, *names ? names : "no parameters");
            if (*names) {
                error_hint(d->errp, "accepted: %s", names);
            }
            goto fail;
        }
    }
    return true;

fail:
    qapi_clear_struct(type, out);
    memset(out, 0, type->size);
    return false;
}

static bool decode_array(Decoder *d, const Path *up, const QapiType *type, const QList *list,
                         void **slot)
{
    struct { size_t n; char *items; } *out;
    size_t step = qapi_is_pointer(type->element) ? sizeof(void *) : type->element->size;

    *slot = out = qapi_alloc(type->size);
    if (qlist_size(list)) {
        /* Room as qapi_list_append() counts on it: the next power of two. */
        size_t room = 1;

        while (room < qlist_size(list)) {
            room *= 2;
        }
        out->items = qapi_alloc(room * step);
    }
    for (size_t i = 0; i < qlist_size(list); i++) {
        Path path = { up, NULL, i };

        if (!decode(d, &path, type->element, qlist_get(list, i), out->items + i * step)) {
            qapi_clear(type, slot);
            return false;
        }
        out->n++;
    }
    return true;
}

static bool fits(const QapiType *type, const QObject *obj)
{
    switch (qobject_type(obj)) {
    case QTYPE_NULL:
        return type->kind == QAPI_NULL;
    case QTYPE_BOOL:
        return type->kind == QAPI_BOOL;
    case QTYPE_NUMBER:
        return type->kind == QAPI_INT || type->kind == QAPI_NUMBER;
    case QTYPE_STRING:
        return type->kind == QAPI_STR || type->kind == QAPI_ENUM;
    case QTYPE_LIST:
        return type->kind == QAPI_ARRAY;
    case QTYPE_DICT:
        return type->kind == QAPI_STRUCT;
    default:
        return false;
    }
}

static bool decode_alternate(Decoder *d, const Path *path, const QapiType *type,
                             const QObject *obj, void **slot)
{
    char names[256] = "";
    size_t len = 0;

    for (size_t i = 0; i < type->n_variants; i++) {
        const QapiVariant *v = &type->variants[i];
        char *out;
        bool ok;

        if (len < sizeof(names)) {
            len += snprintf(names + len, sizeof(names) - len, "%s%s", i ? " or " : "",
                            v->type->name);
        }
        if (!fits(v->type, obj)) {
            continue;
        }
        out = qapi_alloc(type->size);
        *(int *)out = v->value;
        if (v->type->kind == QAPI_STRUCT) {
            ok = decode_dict(d, path, v->type, qobject_to_dict(obj), out + v->offset);
        } else if (v->type->kind == QAPI_ARRAY) {
            void *list = NULL;

            ok = decode_array(d, path, v->type, qobject_to_list(obj), &list);
            if (ok) {
                memcpy(out + v->offset, list, v->type->size);       /* held inline */
                free(list);
            }
        } else {
            ok = decode(d, path, v->type, obj, out + v->offset);
        }
        if (!ok) {
            free(out);
            return false;
        }
        *slot = out;
        return true;
    }
    return wrong_type(d, path, obj, names);
}

static bool decode(Decoder *d, const Path *path, const QapiType *type, const QObject *obj,
                   void *slot)
{
    switch (type->kind) {
    case QAPI_STR:
        return decode_str(d, path, obj, slot);
    case QAPI_NUMBER:
        return decode_number(d, path, obj, slot);
    case QAPI_INT:
        return decode_int(d, path, type, obj, slot);
    case QAPI_BOOL:
        return decode_bool(d, path, obj, slot);
    case QAPI_ENUM:
        return decode_enum(d, path, type, obj, slot);
    case QAPI_NULL:
        if (qobject_type(obj) != QTYPE_NULL) {
            return wrong_type(d, path, obj, "null");
        }
        *(QObject **)slot = qnull();
        return true;
    case QAPI_ANY:
        *(QObject **)slot = qobject_ref((QObject *)obj);
        return true;
    case QAPI_STRUCT:
        if (qobject_type(obj) != QTYPE_DICT) {
            return wrong_type(d, path, obj, "object");
        }
        *(void **)slot = qapi_alloc(type->size);
        if (!decode_dict(d, path, type, qobject_to_dict(obj), *(void **)slot)) {
            free(*(void **)slot);
            *(void **)slot = NULL;
            return false;
        }
        return true;
    case QAPI_ARRAY:
        if (qobject_type(obj) != QTYPE_LIST) {
            return wrong_type(d, path, obj, "array");
        }
        return decode_array(d, path, type, qobject_to_list(obj), slot);
    case QAPI_ALTERNATE:
        return decode_alternate(d, path, type, obj, slot);
    }
    return false;
}

bool qapi_decode(const QapiType *type, const QObject *obj, const char *name, unsigned flags,
                 void *slot, Error **errp)
{
    Decoder d = { flags, errp };
    Path path = { NULL, name, 0 };

    return decode(&d, name ? &path : NULL, type, obj, slot);
}

bool qapi_decode_struct(const QapiType *type, const QDict *dict, unsigned flags, void *out,
                        Error **errp)
{
    Decoder d = { flags, errp };

    return decode_dict(&d, NULL, type, dict, out);
}
