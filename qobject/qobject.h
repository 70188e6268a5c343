/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values: null, bool, number, string, list, dict; what JSON can say.
 *
 * Values are counted references. A function that makes one gives the caller a
 * reference; `put`, `append` and `insert` take the caller's reference; `get` and
 * the loops lend one, valid as long as the container holds it; `take` gives it
 * out of the container. Counting is atomic, everything else is not: a container
 * that one thread changes needs a lock. Bools, null, numbers and strings never
 * change. Libc only; without memory the program ends.
 *
 * A path such as "a.b[2].c" names a value inside of others.
 */
#ifndef QOBJECT_QOBJECT_H
#define QOBJECT_QOBJECT_H

#include "util/osdep.h"

typedef struct Error Error;

typedef enum QType {
    QTYPE_NULL,
    QTYPE_BOOL,
    QTYPE_NUMBER,
    QTYPE_STRING,
    QTYPE_LIST,
    QTYPE_DICT,
    QTYPE__MAX
} QType;

typedef struct QObject {
    uint8_t type;               /* QType */
    uint8_t pool;               /* its memory is of a pool's chunk (qpool.h) of 1 << pool bytes; 0: malloc's */
    _Atomic uint32_t refs;      /* QOBJECT_STATIC: never freed */
} QObject;

#define QOBJECT_STATIC UINT32_MAX

typedef enum QNumKind {
    QNUM_I64,
    QNUM_U64,                   /* only what doesn't fit an int64_t, from JSON */
    QNUM_DOUBLE,                /* only what isn't written as an integer, from JSON */
} QNumKind;

typedef struct QNum {
    QObject base;
    QNumKind kind;
    union {
        int64_t i64;
        uint64_t u64;
        double dbl;
    } u;
} QNum;

typedef struct QString {
    QObject base;
    size_t len;                 /* in bytes; a JSON string may hold NULs */
    char str[];                 /* UTF-8, with a NUL after it */
} QString;

typedef struct QList {
    QObject base;
    uint32_t n, room;
    QObject **items;            /* owned */
} QList;

typedef struct QDictEntry {
    const char *key;            /* a reference to a shared name (qkey.h) */
    QObject *value;             /* owned */
} QDictEntry;

typedef struct QDict {
    QObject base;
    uint32_t n, room;
    QDictEntry *entries;        /* owned; in the order of insertion */
    struct QDictIndex *index;   /* owned; NULL while small */
} QDict;

/* ---------------------------------------------------------------- any */

/* Any of the types above as a QObject. */
#define QOBJECT(o) \
    ((QObject *)(o))

void qobject_free(QObject *o);          /* the last reference is gone */

static inline QObject *qobject_ref_base(QObject *o)
{
    if (o && atomic_load_explicit(&o->refs, memory_order_relaxed) != QOBJECT_STATIC) {
        atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
    }
    return o;
}

static inline void qobject_unref_base(QObject *o)
{
    if (o && atomic_load_explicit(&o->refs, memory_order_relaxed) != QOBJECT_STATIC &&
        atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) == 1) {
        qobject_free(o);
    }
}

/* For every type above; NULL is allowed. qobject_ref() returns its argument. */
#define qobject_ref(o)      ((typeof(o))qobject_ref_base((QObject *)(o)))
#define qobject_unref(o)    qobject_unref_base((QObject *)(o))

static inline void qobject_unref_cleanup(void *p)
{
    qobject_unref_base(*(QObject **)p);
}
/* QOBJECT_AUTO QDict *d = ...; drops the reference at the end of the block. */
#define QOBJECT_AUTO __attribute__((cleanup(qobject_unref_cleanup)))

static inline QType qobject_type(const QObject *o)
{
    return o->type;
}
/* "null", "bool", "integer", "number" (a double), "string", "array", "object". */
const char *qobject_type_text(const QObject *o);

/* Equal in depth; dicts whatever their order. 1 and 1.0 are different. */
bool qobject_equal(const QObject *a, const QObject *b);
/* Where they differ, a line each: "path: was -> is", "nothing" where one has no such member. Freed with free();
 * NULL: they are equal. */
char *qobject_diff(const QObject *a, const QObject *b);
/* Containers are copied in depth, the rest is shared. */
QObject *qobject_copy(const QObject *o);

/* NULL if it is of another type, or NULL. Borrowed. */
QNum *qobject_to_num(const QObject *o);
QString *qobject_to_string(const QObject *o);
QList *qobject_to_list(const QObject *o);
QDict *qobject_to_dict(const QObject *o);

/*
 * A value from JSON text in which strings may have single quotes and % stands
 * for arguments:
 *     %d %ld %lld %u %lu %llu (and PRId64, PRIu64)   integers
 *     %i   int, as a bool         %f   double
 *     %s   const char *, copied; NULL gives null
 *     %p   any QObject; its reference is taken
 * A wrong format is a programmer's mistake and ends the program.
 */
QObject *qobject_from_fmt(const char *fmt, ...) PRINTF_LIKE(1, 2);
QObject *qobject_from_vfmt(const char *fmt, va_list ap) PRINTF_LIKE(1, 0);
QDict *qdict_from_fmt(const char *fmt, ...) PRINTF_LIKE(1, 2);
QList *qlist_from_fmt(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* For a debugger's prompt: prints it on stderr. Any of the types, or NULL. */
void qobject_dump(const void *o);

/* ------------------------------------------------------------- scalars */

QObject *qnull(void);
QObject *qbool_from(bool value);
QObject *qnum_from_int(int64_t value);
QObject *qnum_from_uint(uint64_t value);
QObject *qnum_from_double(double value);
QObject *qstring_from(const char *str);
QObject *qstring_from_len(const char *str, size_t len);
QObject *qstring_from_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The value as that type; @o must be of the type. */
bool qbool_value(const QObject *o);
const char *qstring_value(const QObject *o);
/* Exactly representable as this type? Doubles are never integers. */
bool qnum_to_int(const QNum *n, int64_t *value);
bool qnum_to_uint(const QNum *n, uint64_t *value);
/* Any number; rounded. */
double qnum_to_double(const QNum *n);

/* --------------------------------------------------------------- lists */

QList *qlist_new(void);
size_t qlist_size(const QList *l);
QObject *qlist_get(const QList *l, size_t i);           /* NULL past the end */
void qlist_append_base(QList *l, QObject *value);
#define qlist_append(l, value) qlist_append_base(l, (QObject *)(value))
void qlist_append_str(QList *l, const char *value);
void qlist_append_int(QList *l, int64_t value);
void qlist_insert(QList *l, size_t i, QObject *value);  /* before item @i */
QObject *qlist_take(QList *l, size_t i);                /* NULL past the end */

/* for each item: QObject *name, borrowed; the list must not change meanwhile. */
#define QLIST_FOR_EACH(name, l) \
    for (size_t name##_i = 0; name##_i < qlist_size(l); name##_i++) \
        for (QObject *name = qlist_get(l, name##_i); name; name = NULL)

/* --------------------------------------------------------------- dicts */

QDict *qdict_new(void);
size_t qdict_size(const QDict *d);
bool qdict_has(const QDict *d, const char *key);
/* @key is a key as it is, not a path. NULL if there is none. */
QObject *qdict_get(const QDict *d, const char *key);
/* Replaces an earlier value in its place. @key is copied. */
void qdict_put_base(QDict *d, const char *key, QObject *value);
#define qdict_put(d, key, value) qdict_put_base(d, key, (QObject *)(value))
void qdict_put_str(QDict *d, const char *key, const char *value);   /* NULL: null */
void qdict_put_int(QDict *d, const char *key, int64_t value);
void qdict_put_uint(QDict *d, const char *key, uint64_t value);
void qdict_put_double(QDict *d, const char *key, double value);
void qdict_put_bool(QDict *d, const char *key, bool value);
void qdict_put_null(QDict *d, const char *key);
QObject *qdict_take(QDict *d, const char *key);         /* NULL if there is none */
bool qdict_del(QDict *d, const char *key);              /* false if there is none */
/* Entry @i in the order of insertion, NULL past the end. */
const QDictEntry *qdict_entry(const QDict *d, size_t i);

/* for each entry: const QDictEntry *name; the dict must not change meanwhile. */
#define QDICT_FOR_EACH(name, d) \
    for (size_t name##_i = 0; name##_i < qdict_size(d); name##_i++) \
        for (const QDictEntry *name = qdict_entry(d, name##_i); name; name = NULL)

/* ------------------------------------------------------ paths, getters */

/* The value at @path, NULL if a part of it doesn't exist. */
QObject *qobject_get_path(const QObject *o, const char *path);
QObject *qdict_get_path(const QDict *d, const char *path);

/*
 * Strict getters. The value at @path must exist and have the type, else the
 * error names the path, what was found and what was expected. Strings with a
 * NUL inside are refused. What is returned is borrowed.
 */
bool qdict_get_bool(const QDict *d, const char *path, bool *value, Error **errp);
bool qdict_get_int(const QDict *d, const char *path, int64_t *value, Error **errp);
bool qdict_get_uint(const QDict *d, const char *path, uint64_t *value, Error **errp);
/* @min and @max are what is accepted. */
bool qdict_get_int_range(const QDict *d, const char *path, int64_t min, int64_t max,
                         int64_t *value, Error **errp);
bool qdict_get_double(const QDict *d, const char *path, double *value, Error **errp);
const char *qdict_get_str(const QDict *d, const char *path, Error **errp);
QList *qdict_get_list(const QDict *d, const char *path, Error **errp);
QDict *qdict_get_dict(const QDict *d, const char *path, Error **errp);

/* The same for one value; @name is how the error calls it. */
bool qobject_get_bool(const QObject *o, const char *name, bool *value, Error **errp);
bool qobject_get_int(const QObject *o, const char *name, int64_t *value, Error **errp);
bool qobject_get_uint(const QObject *o, const char *name, uint64_t *value, Error **errp);
bool qobject_get_double(const QObject *o, const char *name, double *value, Error **errp);
const char *qobject_get_str(const QObject *o, const char *name, Error **errp);
QList *qobject_get_list(const QObject *o, const char *name, Error **errp);
QDict *qobject_get_dict(const QObject *o, const char *name, Error **errp);

/* What to use where the value is absent; a wrong type counts as absent. */
int64_t qdict_int_or(const QDict *d, const char *path, int64_t otherwise);
bool qdict_bool_or(const QDict *d, const char *path, bool otherwise);
const char *qdict_str_or(const QDict *d, const char *path, const char *otherwise);

#endif
