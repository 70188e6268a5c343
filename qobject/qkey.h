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

static inline bool qkey_is(const QKey *k, const char *s, size_t len)
{
    return k->len == len && !memcmp(k->str, s, len);
}

/* Is there a member of that name? */
bool qdict_has_key(const QDict *d, const QKey *key);
/* Add one that isn't there yet; takes both. */
void qdict_add_key(QDict *d, QKey *key, QObject *value);

#endif
