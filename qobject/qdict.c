/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dicts: an array of entries in the order of insertion, and above SMALL entries
 * an open-addressed table of their numbers. The hash is keyed with bytes that
 * differ from process to process, so that a client cannot choose keys that
 * collide (SipHash-1-3: Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF").
 */
#include "util/osdep.h"
#include "qobject/qobject.h"
#include "qobject/leaks.h"
#include "qobject/qkey.h"
#include "qobject/qpool.h"
#include "qobject/strbuf.h"
#include <sys/auxv.h>

#define SMALL 8

struct QDictIndex {
    uint32_t size;              /* a power of two */
    uint32_t slot[];            /* entry number + 1, by hash; 0: empty */
};

static inline uint64_t rotl(uint64_t v, int n)
{
    return v << n | v >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static uint32_t hash_key(const char *key, size_t len)
{
    uint64_t k[2] = { 0, 0 }, v[4], m;
    /* 16 random bytes that the kernel gives each process (getauxval(3)). */
    const void *seed = (const void *)getauxval(AT_RANDOM);
    size_t i;

    if (seed) {
        memcpy(k, seed, sizeof(k));
    }
    v[0] = k[0] ^ 0x736f6d6570736575;
    v[1] = k[1] ^ 0x646f72616e646f6d;
    v[2] = k[0] ^ 0x6c7967656e657261;
    v[3] = k[1] ^ 0x7465646279746573;
    for (i = 0; i + 8 <= len; i += 8) {
        memcpy(&m, key + i, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    m = (uint64_t)len << 56;
    memcpy(&m, key + i, len - i);
    v[3] ^= m;
    sip_round(v);
    v[0] ^= m;
    v[2] ^= 0xff;
    for (i = 0; i < 3; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

QDict *qdict_new(void)
{
    QDict *d = qobject_alloc(sizeof(*d));

    d->base.type = QTYPE_DICT;
    atomic_init(&d->base.refs, 1);
    qobject_track(&d->base);
    return d;
}

size_t qdict_size(const QDict *d)
{
    return d->n;
}

const QDictEntry *qdict_entry(const QDict *d, size_t i)
{
    return i < d->n ? &d->entries[i] : NULL;
}

QKey *qkey_new(const char *s, size_t len)
{
    QKey *k = qobject_realloc(NULL, sizeof(*k) + len + 1);

    assert(len <= UINT32_MAX);
    atomic_init(&k->refs, 1);
    k->len = (uint32_t)len;
    memcpy(k->str, s, len);
    k->str[len] = 0;
    return k;
}

static uint32_t hash_of(const QDictEntry *e)
{
    return hash_key(e->key, qkey_of(e->key)->len);
}

static void index_add(QDict *d, uint32_t number)
{
    uint32_t *slot = d->index->slot, mask = d->index->size - 1, i = hash_of(&d->entries[number]) & mask;

    while (slot[i]) {
        i = (i + 1) & mask;
    }
    slot[i] = number + 1;
}

static void index_rebuild(QDict *d)
{
    uint32_t size;

    if (d->n <= SMALL) {
        free(d->index);
        d->index = NULL;
        return;
    }
    /* At most half full, so that probes stay short. */
    if (!d->index || d->index->size / 2 < d->n) {
        for (size = 32; size / 3 < d->n; size *= 2) {
            assert(size <= UINT32_MAX / 2);
        }
        d->index = qobject_realloc(d->index, sizeof(*d->index) + size * sizeof(*d->index->slot));
        d->index->size = size;
    }
    memset(d->index->slot, 0, d->index->size * sizeof(*d->index->slot));
    for (uint32_t i = 0; i < d->n; i++) {
        index_add(d, i);
    }
}

static QDictEntry *find(const QDict *d, const char *key, size_t len)
{
    uint32_t mask;

    if (!d->index) {
        for (size_t i = 0; i < d->n; i++) {
            if (d->entries[i].key == key || qkey_is(qkey_of(d->entries[i].key), key, len)) {
                return &d->entries[i];
            }
        }
        return NULL;
    }
    mask = d->index->size - 1;
    for (uint32_t i = hash_key(key, len) & mask; d->index->slot[i]; i = (i + 1) & mask) {
        QDictEntry *e = &d->entries[d->index->slot[i] - 1];

        if (qkey_is(qkey_of(e->key), key, len)) {
            return e;
        }
    }
    return NULL;
}

bool qdict_has(const QDict *d, const char *key)
{
    return find(d, key, strlen(key));
}

QObject *qdict_get(const QDict *d, const char *key)
{
    QDictEntry *e = find(d, key, strlen(key));

    return e ? e->value : NULL;
}

bool qdict_has_key(const QDict *d, const QKey *key)
{
    return find(d, key->str, key->len);
}

void qdict_add_key(QDict *d, QKey *key, QObject *value)
{
    if (d->n == d->room) {
        /* Read from text: the entries lie behind the dict itself. */
        bool was_inline = (void *)d->entries == (void *)(d + 1);
        QDictEntry *old = d->entries;

        assert(d->room <= UINT32_MAX / 2);
        d->room = d->room ? d->room * 2 : 4;
        d->entries = qobject_realloc(was_inline ? NULL : old, d->room * sizeof(*d->entries));
        if (was_inline) {
            memcpy(d->entries, old, d->n * sizeof(*d->entries));
        }
    }
    d->entries[d->n++] = (QDictEntry){ key->str, value };
    if (d->n > SMALL) {
        if (d->index && d->index->size / 2 >= d->n) {
            index_add(d, d->n - 1);
        } else {
            index_rebuild(d);
        }
    }
}

QDict *qdict_from_entries(QPool *pool, const QDictEntry *entries, size_t n)
{
    size_t size = sizeof(QDict) + n * sizeof(*entries);
    bool pooled = pool && size <= QPOOL_MAX;
    QDict *d = pooled ? qpool_alloc(pool, size) : qobject_realloc(NULL, size);

    assert(n <= UINT32_MAX);
    *d = (QDict){ .n = n, .room = n, .entries = n ? (QDictEntry *)(d + 1) : NULL };
    d->base.type = QTYPE_DICT;
    d->base.pool = pooled ? (uint8_t)pool->bits : 0;
    atomic_init(&d->base.refs, 1);
    if (n) {
        memcpy(d->entries, entries, n * sizeof(*entries));
    }
    if (n > SMALL) {
        index_rebuild(d);
    }
    qobject_track(&d->base);
    return d;
}

void qdict_put_base(QDict *d, const char *key, QObject *value)
{
    size_t len = strlen(key);
    QDictEntry *e = find(d, key, len);

    assert(value);
    if (e) {
        qobject_unref(e->value);
        e->value = value;
        return;
    }
    qdict_add_key(d, qkey_new(key, len), value);
}

void qdict_put_str(QDict *d, const char *key, const char *value)
{
    qdict_put(d, key, value ? qstring_from(value) : qnull());
}

void qdict_put_int(QDict *d, const char *key, int64_t value)
{
    qdict_put(d, key, qnum_from_int(value));
}

void qdict_put_uint(QDict *d, const char *key, uint64_t value)
{
    qdict_put(d, key, qnum_from_uint(value));
}

void qdict_put_double(QDict *d, const char *key, double value)
{
    qdict_put(d, key, qnum_from_double(value));
}

void qdict_put_bool(QDict *d, const char *key, bool value)
{
    qdict_put(d, key, qbool_from(value));
}

void qdict_put_null(QDict *d, const char *key)
{
    qdict_put(d, key, qnull());
}

QObject *qdict_take(QDict *d, const char *key)
{
    QDictEntry *e = find(d, key, strlen(key));
    QObject *value;

    if (!e) {
        return NULL;
    }
    value = e->value;
    qkey_unref(qkey_of(e->key));
    d->n--;
    memmove(e, e + 1, (d->entries + d->n - e) * sizeof(*e));
    if (d->index) {
        index_rebuild(d);       /* the numbers behind it have changed */
    }
    return value;
}

bool qdict_del(QDict *d, const char *key)
{
    QObject *value = qdict_take(d, key);

    qobject_unref(value);
    return value;
}
