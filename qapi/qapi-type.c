/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Built-in types, enums, memory. Conversions are in qapi-decode.c and qapi-encode.c. */
#include "util/osdep.h"
#include "qapi/qapi-type.h"

#define BUILTIN_LIST(t) \
    const QapiType qapi_type_##t##List = { \
        .name = #t "List", .kind = QAPI_ARRAY, .size = sizeof(t##List), .element = &qapi_type_##t, \
    };
#define BUILTIN(t, k, ctype) \
    const QapiType qapi_type_##t = { .name = #t, .kind = k, .size = sizeof(ctype) }; \
    BUILTIN_LIST(t)
#define INTEGER(t, ctype, lo, hi) \
    const QapiType qapi_type_##t = { \
        .name = #t, .kind = QAPI_INT, .size = sizeof(ctype), .min = lo, .max = hi, \
    }; \
    BUILTIN_LIST(t)

BUILTIN(str, QAPI_STR, char *)
BUILTIN(number, QAPI_NUMBER, double)
BUILTIN(any, QAPI_ANY, QObject *)
INTEGER(int, int64_t, INT64_MIN, INT64_MAX)
INTEGER(int8, int8_t, INT8_MIN, INT8_MAX)
INTEGER(int16, int16_t, INT16_MIN, INT16_MAX)
INTEGER(int32, int32_t, INT32_MIN, INT32_MAX)
INTEGER(int64, int64_t, INT64_MIN, INT64_MAX)
INTEGER(uint8, uint8_t, 0, UINT8_MAX)
INTEGER(uint16, uint16_t, 0, UINT16_MAX)
INTEGER(uint32, uint32_t, 0, UINT32_MAX)
INTEGER(uint64, uint64_t, 0, UINT64_MAX)
/* `bool` is a macro: BUILTIN() would see what it stands for. */
const QapiType qapi_type_bool = { .name = "bool", .kind = QAPI_BOOL, .size = sizeof(bool) };
const QapiType qapi_type_boolList = {
    .name = "boolList", .kind = QAPI_ARRAY, .size = sizeof(boolList), .element = &qapi_type_bool,
};
const QapiType qapi_type_null = { .name = "null", .kind = QAPI_NULL, .size = sizeof(QObject *) };
const QapiType qapi_type_size = {
    .name = "size", .kind = QAPI_INT, .size = sizeof(uint64_t), .max = UINT64_MAX, .is_size = true,
};
BUILTIN_LIST(size)

bool qapi_is_pointer(const QapiType *type)
{
    switch (type->kind) {
    case QAPI_NUMBER:
    case QAPI_INT:
    case QAPI_BOOL:
    case QAPI_ENUM:
        return false;
    default:
        return true;
    }
}

const char *qapi_enum_name(const QapiType *type, int value)
{
    return value >= 0 && (size_t)value < type->n_values ? type->values[value].name : "?";
}

int qapi_enum_parse(const QapiType *type, const char *name, const char *what, Error **errp)
{
    char accepted[512] = "";
    size_t len = 0;

    for (size_t i = 0; i < type->n_values; i++) {
        if (!strcmp(type->values[i].name, name)) {
            return i;
        }
        if (len < sizeof(accepted) - 1) {
            len += snprintf(accepted + len, sizeof(accepted) - len, "%s%s", i ? ", " : "",
                            type->values[i].name);
        }
    }
    if (len >= sizeof(accepted)) {
        memcpy(accepted + sizeof(accepted) - 4, "...", 4);
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "Parameter '%s' does not accept value '%.200s'",
               what ? what : "input", name);
    error_argument(errp, what, name, accepted);
    error_hint(errp, "accepted: %s", accepted);
    return -1;
}

/* -------------------------------------------------------------- memory */

void *qapi_alloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return p;
}

void *qapi_list_grow(void *items, size_t n, size_t item_size)
{
    /* Room is the next power of two: it has grown whenever n is one. */
    if (n == 0 || IS_POWER_OF_2(n)) {
        items = realloc(items, (n ? 2 * n : 1) * item_size);
        if (!items) {
            fputs("out of memory\n", stderr);
            abort();
        }
    }
    return items;
}

static const QapiVariant *find_variant(const QapiType *type, const void *p)
{
    int value = *(const int *)((const char *)p + type->tag_offset);

    for (size_t i = 0; i < type->n_variants; i++) {
        if (type->variants[i].value == value) {
            return &type->variants[i];
        }
    }
    return NULL;
}

void qapi_clear_struct(const QapiType *type, void *p)
{
    const QapiVariant *v = type->n_variants ? find_variant(type, p) : NULL;

    for (size_t i = 0; i < type->n_members; i++) {
        if (qapi_is_pointer(type->members[i].type)) {
            qapi_clear(type->members[i].type, (char *)p + type->members[i].offset);
        }
    }
    if (v && (v->type->kind == QAPI_STRUCT || v->type->kind == QAPI_ARRAY)) {
        qapi_clear_struct(v->type, (char *)p + v->offset);
    } else if (v && qapi_is_pointer(v->type)) {
        qapi_clear(v->type, (char *)p + v->offset);
    }
    if (type->kind == QAPI_ARRAY) {
        struct { size_t n; char *items; } *list = p;
        bool pointers = qapi_is_pointer(type->element);

        for (size_t i = 0; pointers && i < list->n; i++) {
            qapi_clear(type->element, list->items + i * sizeof(void *));
        }
        free(list->items);
    }
}

void qapi_free(const QapiType *type, void *p)
{
    if (!p) {
        return;
    }
    switch (type->kind) {
    case QAPI_STRUCT:
    case QAPI_ALTERNATE:
    case QAPI_ARRAY:
        qapi_clear_struct(type, p);
        free(p);
        break;
    case QAPI_ANY:
    case QAPI_NULL:
        qobject_unref((QObject *)p);
        break;
    default:
        free(p);
        break;
    }
}

void qapi_clear(const QapiType *type, void *slot)
{
    if (qapi_is_pointer(type)) {
        qapi_free(type, *(void **)slot);
        *(void **)slot = NULL;
    } else {
        memset(slot, 0, type->size);
    }
}

void *qapi_clone(const QapiType *type, const void *p)
{
    QObject *o;
    void *copy = NULL;

    if (!p) {
        return NULL;
    }
    o = qapi_encode(type, &p);
    qapi_decode(type, o, NULL, 0, &copy, NULL);
    qobject_unref(o);
    return copy;
}
