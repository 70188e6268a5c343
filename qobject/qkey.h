/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of members: immutable, counted, with their length. A document has the same few names again and again;
 * the reader lets all of its dicts share them. A dict's entry points at the text.
 */
#ifndef QOBJECT_QKEY_H
#define QOBJECT_QKEY_H

#include "util/osdep.h"
#include "qobject/qobject.h"

typedef struct QKey {
    _Atomic uint32_t refs;
    uint32_t len;
    char str[];                 /* with a NUL behind */
} QKey;

QKey *qkey_new(const char *s, size_t len);

static inline QKey *qkey_of(const char *str)
{
    return container_of(str, QKey, str);
}

static inline QKey *qkey_ref(QKey *k)
{
    atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
    return k;
}

static inline void qkey_unref(QKey *k)
{
    if (atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) == 1) {
        free(k);
    }
}

/* memcmp's call costs more than the few bytes that names have. */
static inline bool qkey_same_bytes(const char *a, const char *b, size_t len)
{
    uint64_t x, y, v, w;
    uint32_t p, q, r, s;

    if (len > 16) {
        return !memcmp(a, b, len);
    }
    if (len >= 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        memcpy(&v, a + len - 8, 8);
        memcpy(&w, b + len - 8, 8);
        return x == y && v == w;
    }
    if (len >= 4) {
        memcpy(&p, a, 4);
        memcpy(&q, b, 4);
        memcpy(&r, a + len - 4, 4);
        memcpy(&s, b + len - 4, 4);
        return p == q && r == s;
    }
    return len == 0 || (a[0] == b[0] && a[len - 1] == b[len - 1] && a[len / 2] == b[len / 2]);
}

static inline bool qkey_is(const QKey *k, const char *s, size_t len)
{
    return k->len == len && qkey_same_bytes(k->str, s, len);
}

/* Is there a member of that name? */
bool qdict_has_key(const QDict *d, const QKey *key);
/* Add one that isn't there yet; takes both. */
void qdict_add_key(QDict *d, QKey *key, QObject *value);

#endif
