/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the C form to QObjects. */
#include "util/osdep.h"
#include "qapi/qapi-type.h"

static QObject *encode_int(const QapiType *type, const void *slot)
{
    bool is_signed = type->min < 0;

    switch (type->size) {
    case 1:
        return qnum_from_int(is_signed ? *(const int8_t *)slot : *(const uint8_t *)slot);
    case 2:
        return qnum_from_int(is_signed ? *(const int16_t *)slot : *(const uint16_t *)slot);
    case 4:
        return qnum_from_int(is_signed ? *(const int32_t *)slot
                                       : (int64_t)*(const uint32_t *)slot);
    default:
        return is_signed ? qnum_from_int(*(const int64_t *)slot)
                         : qnum_from_uint(*(const uint64_t *)slot);
    }
}

static void encode_members(const QapiType *type, const char *p, QDict *dict)
{
    for (size_t i = 0; i < type->n_members; i++) {
        const QapiMember *m = &type->members[i];

        if (m->has_offset >= 0 && !*(const bool *)(p + m->has_offset)) {
            continue;
        }
        if (qapi_is_pointer(m->type) && !*(void *const *)(p + m->offset)) {
            if (!m->optional && m->type->kind == QAPI_ARRAY) {
                qdict_put(dict, m->name, qlist_new());      /* NULL is an empty list */
            } else if (!m->optional && m->type->kind == QAPI_STR) {
                qdict_put_str(dict, m->name, "");
            }
            continue;
        }
        qdict_put(dict, m->name, qapi_encode(m->type, p + m->offset));
    }
    if (type->tag) {
        int value = *(const int *)(p + type->tag_offset);

        for (size_t i = 0; i < type->n_variants; i++) {
            if (type->variants[i].value == value) {
                encode_members(type->variants[i].type, p + type->variants[i].offset, dict);
            }
        }
    }
}

static QObject *encode_alternate(const QapiType *type, const char *p)
{
    int alt = *(const int *)p;

    for (size_t i = 0; i < type->n_variants; i++) {
        const QapiVariant *v = &type->variants[i];

        if (v->value == alt) {
            if (v->type->kind == QAPI_STRUCT || v->type->kind == QAPI_ARRAY) {
                const void *inner = p + v->offset;      /* held inline */

                return qapi_encode(v->type, &inner);
            }
            return qapi_encode(v->type, p + v->offset);
        }
    }
    return qnull();
}

static QObject *encode_array(const QapiType *type, const void *p)
{
    const struct { size_t n; char *items; } *list = p;
    size_t step = qapi_is_pointer(type->element) ? sizeof(void *) : type->element->size;
    QList *out = qlist_new();

    for (size_t i = 0; i < list->n; i++) {
        qlist_append(out, qapi_encode(type->element, list->items + i * step));
    }
    return QOBJECT(out);
}

QObject *qapi_encode(const QapiType *type, const void *slot)
{
    switch (type->kind) {
    case QAPI_INT:
        return encode_int(type, slot);
    case QAPI_NUMBER:
        return qnum_from_double(*(const double *)slot);
    case QAPI_BOOL:
        return qbool_from(*(const bool *)slot);
    case QAPI_ENUM:
        return qstring_from(qapi_enum_name(type, *(const int *)slot));
    default:
        break;
    }
    /* The others are held by pointer. */
    if (!*(void *const *)slot) {
        return qnull();
    }
    switch (type->kind) {
    case QAPI_STR:
        return qstring_from(*(char *const *)slot);
    case QAPI_STRUCT:
        return QOBJECT(qapi_encode_struct(type, *(void *const *)slot));
    case QAPI_ARRAY:
        return encode_array(type, *(void *const *)slot);
    case QAPI_ALTERNATE:
        return encode_alternate(type, *(void *const *)slot);
    default:
        return qobject_ref(*(QObject *const *)slot);
    }
}

QDict *qapi_encode_struct(const QapiType *type, const void *in)
{
    QDict *dict = qdict_new();

    encode_members(type, in, dict);
    return dict;
}
