/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "qobject/qobject.h"
#include "qobject/leaks.h"
#include "qobject/qkey.h"
#include "qobject/qpool.h"
#include "qobject/strbuf.h"
#include <math.h>

/* Never written: QOBJECT_STATIC keeps the counting away. */
static const QObject null_value = { QTYPE_NULL, 0, QOBJECT_STATIC };
static const QObject false_value = { QTYPE_BOOL, 0, QOBJECT_STATIC };
static const QObject true_value = { QTYPE_BOOL, 0, QOBJECT_STATIC };

static void init(QObject *o, QType type, const QPool *pool)
{
    o->type = (uint8_t)type;
    o->pool = pool ? (uint8_t)pool->bits : 0;
    atomic_init(&o->refs, 1);
    qobject_track(o);
}

const char *qobject_type_text(const QObject *o)
{
    switch (o->type) {
    case QTYPE_NULL:    return "null";
    case QTYPE_BOOL:    return "bool";
    case QTYPE_NUMBER:  return ((const QNum *)o)->kind == QNUM_DOUBLE ? "number" : "integer";
    case QTYPE_STRING:  return "string";
    case QTYPE_LIST:    return "array";
    default:            return "object";
    }
}

QNum *qobject_to_num(const QObject *o)
{
    return o && o->type == QTYPE_NUMBER ? (QNum *)o : NULL;
}

QString *qobject_to_string(const QObject *o)
{
    return o && o->type == QTYPE_STRING ? (QString *)o : NULL;
}

QList *qobject_to_list(const QObject *o)
{
    return o && o->type == QTYPE_LIST ? (QList *)o : NULL;
}

QDict *qobject_to_dict(const QObject *o)
{
    return o && o->type == QTYPE_DICT ? (QDict *)o : NULL;
}

/* Read from text: the items lie behind the list itself. */
static bool list_is_inline(const QList *l)
{
    return (const void *)l->items == (const void *)(l + 1);
}

void qobject_free(QObject *o)
{
    QList *l = qobject_to_list(o);
    QDict *d = qobject_to_dict(o);

    qobject_untrack(o);
    if (l) {
        for (size_t i = 0; i < l->n; i++) {
            qobject_unref(l->items[i]);
        }
        if (!list_is_inline(l)) {
            free(l->items);
        }
    } else if (d) {
        for (size_t i = 0; i < d->n; i++) {
            qkey_unref(qkey_of(d->entries[i].key));
            qobject_unref(d->entries[i].value);
        }
        if ((void *)d->entries != (void *)(d + 1)) {
            free(d->entries);
        }
        free(d->index);
    }
    if (o->pool) {
        qpool_release(o, o->pool);
    } else {
        free(o);
    }
}

/* ------------------------------------------------------------- scalars */

QObject *qnull(void)
{
    return (QObject *)&null_value;
}

QObject *qbool_from(bool value)
{
    return (QObject *)(value ? &true_value : &false_value);
}

bool qbool_value(const QObject *o)
{
    assert(o->type == QTYPE_BOOL);
    return o == &true_value;
}

static QNum *num_new(QNumKind kind)
{
    QNum *n = qobject_alloc(sizeof(*n));

    init(&n->base, QTYPE_NUMBER, NULL);
    n->kind = kind;
    return n;
}

QObject *qnum_from_int(int64_t value)
{
    QNum *n = num_new(QNUM_I64);

    n->u.i64 = value;
    return &n->base;
}

QObject *qnum_from_uint(uint64_t value)
{
    QNum *n;

    if (value <= INT64_MAX) {
        return qnum_from_int(value);
    }
    n = num_new(QNUM_U64);
    n->u.u64 = value;
    return &n->base;
}

QObject *qnum_from_double(double value)
{
    QNum *n = num_new(QNUM_DOUBLE);

    n->u.dbl = value;
    return &n->base;
}

bool qnum_to_int(const QNum *n, int64_t *value)
{
    if (n->kind != QNUM_I64) {
        return false;
    }
    *value = n->u.i64;
    return true;
}

bool qnum_to_uint(const QNum *n, uint64_t *value)
{
    if (n->kind == QNUM_U64) {
        *value = n->u.u64;
        return true;
    }
    if (n->kind == QNUM_I64 && n->u.i64 >= 0) {
        *value = n->u.i64;
        return true;
    }
    return false;
}

double qnum_to_double(const QNum *n)
{
    switch (n->kind) {
    case QNUM_I64:  return n->u.i64;
    case QNUM_U64:  return n->u.u64;
    default:        return n->u.dbl;
    }
}

QObject *qstring_from_len(const char *str, size_t len)
{
    QString *s = qobject_realloc(NULL, sizeof(*s) + len + 1);

    init(&s->base, QTYPE_STRING, NULL);
    s->len = len;
    memcpy(s->str, str, len);
    s->str[len] = 0;
    return &s->base;
}

QObject *qstring_from(const char *str)
{
    return qstring_from_len(str, strlen(str));
}

QObject *qstring_from_printf(const char *fmt, ...)
{
    va_list ap;
    char *s;
    int n;
    QObject *o;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0) {
        abort();
    }
    o = qstring_from_len(s, n);
    free(s);
    return o;
}

const char *qstring_value(const QObject *o)
{
    assert(o->type == QTYPE_STRING);
    return ((const QString *)o)->str;
}

/* -------------------------------------------------- what is read from text */

static void *new_piece(QPool **pool, size_t size)
{
    if (size > QPOOL_MAX) {
        *pool = NULL;
    }
    return *pool ? qpool_alloc(*pool, size) : qobject_realloc(NULL, size);
}

QObject *qstring_from_pool(QPool *pool, const char *str, size_t len)
{
    QString *s = new_piece(&pool, sizeof(*s) + len + 1);

    init(&s->base, QTYPE_STRING, pool);
    s->len = len;
    memcpy(s->str, str, len);
    s->str[len] = 0;
    return &s->base;
}

QObject *qnum_from_pool(QPool *pool, int64_t value)
{
    QNum *n = new_piece(&pool, sizeof(*n));

    init(&n->base, QTYPE_NUMBER, pool);
    n->kind = QNUM_I64;
    n->u.i64 = value;
    return &n->base;
}

QList *qlist_from_entries(QPool *pool, const QDictEntry *entries, size_t n)
{
    QList *l = new_piece(&pool, sizeof(*l) + n * sizeof(*l->items));

    assert(n <= UINT32_MAX);
    init(&l->base, QTYPE_LIST, pool);
    l->n = l->room = n;
    l->items = n ? (QObject **)(l + 1) : NULL;
    for (size_t i = 0; i < n; i++) {
        l->items[i] = entries[i].value;
    }
    return l;
}

/* --------------------------------------------------------------- lists */

QList *qlist_new(void)
{
    QList *l = qobject_alloc(sizeof(*l));

    init(&l->base, QTYPE_LIST, NULL);
    return l;
}

size_t qlist_size(const QList *l)
{
    return l->n;
}

QObject *qlist_get(const QList *l, size_t i)
{
    return i < l->n ? l->items[i] : NULL;
}

void qlist_insert(QList *l, size_t i, QObject *value)
{
    assert(i <= l->n && value);
    if (l->n == l->room) {
        bool was_inline = list_is_inline(l);
        QObject **old = l->items;

        assert(l->room <= UINT32_MAX / 2);
        l->room = l->room ? l->room * 2 : 4;
        l->items = qobject_realloc(was_inline ? NULL : old, l->room * sizeof(*l->items));
        if (was_inline) {
            memcpy(l->items, old, l->n * sizeof(*l->items));
        }
    }
    memmove(l->items + i + 1, l->items + i, (l->n - i) * sizeof(*l->items));
    l->items[i] = value;
    l->n++;
}

void qlist_append_base(QList *l, QObject *value)
{
    if (l->n < l->room) {
        assert(value);
        l->items[l->n++] = value;
    } else {
        qlist_insert(l, l->n, value);
    }
}

void qlist_append_str(QList *l, const char *value)
{
    qlist_append(l, qstring_from(value));
}

void qlist_append_int(QList *l, int64_t value)
{
    qlist_append(l, qnum_from_int(value));
}

QObject *qlist_take(QList *l, size_t i)
{
    QObject *o = qlist_get(l, i);

    if (o) {
        l->n--;
        memmove(l->items + i, l->items + i + 1, (l->n - i) * sizeof(*l->items));
    }
    return o;
}

/* ----------------------------------------------------- equality, copies */

static bool num_equal(const QNum *a, const QNum *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case QNUM_I64:  return a->u.i64 == b->u.i64;
    case QNUM_U64:  return a->u.u64 == b->u.u64;
    default:        return a->u.dbl == b->u.dbl || (isnan(a->u.dbl) && isnan(b->u.dbl));
    }
}

static bool string_equal(const QString *a, const QString *b)
{
    return a->len == b->len && !memcmp(a->str, b->str, a->len);
}

static bool list_equal(const QList *a, const QList *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!qobject_equal(a->items[i], b->items[i])) {
            return false;
        }
    }
    return true;
}

static bool dict_equal(const QDict *a, const QDict *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        const QObject *other = qdict_get(b, a->entries[i].key);

        if (!other || !qobject_equal(a->entries[i].value, other)) {
            return false;
        }
    }
    return true;
}

bool qobject_equal(const QObject *a, const QObject *b)
{
    if (a == b) {
        return true;
    }
    if (!a || !b || a->type != b->type) {
        return false;
    }
    switch (a->type) {
    case QTYPE_NULL:    return true;
    case QTYPE_BOOL:    return qbool_value(a) == qbool_value(b);
    case QTYPE_NUMBER:  return num_equal(qobject_to_num(a), qobject_to_num(b));
    case QTYPE_STRING:  return string_equal(qobject_to_string(a), qobject_to_string(b));
    case QTYPE_LIST:    return list_equal(qobject_to_list(a), qobject_to_list(b));
    default:            return dict_equal(qobject_to_dict(a), qobject_to_dict(b));
    }
}

QObject *qobject_copy(const QObject *o)
{
    const QList *l = qobject_to_list(o);
    const QDict *d = qobject_to_dict(o);

    if (l) {
        QList *c = qlist_new();

        for (size_t i = 0; i < l->n; i++) {
            qlist_append(c, qobject_copy(l->items[i]));
        }
        return QOBJECT(c);
    }
    if (d) {
        QDict *c = qdict_new();

        for (size_t i = 0; i < d->n; i++) {
            qdict_put(c, d->entries[i].key, qobject_copy(d->entries[i].value));
        }
        return QOBJECT(c);
    }
    return qobject_ref((QObject *)o);
}
