/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the reader remembers: names and short strings, which documents repeat. Strings never change, so sharing is safe. */
#include "util/osdep.h"
#include "qobject/json-int.h"

static void forget_name(Name *n)
{
    if (n->key) {
        atomic_fetch_sub_explicit(&n->key->refs, n->stock, memory_order_relaxed);
        qkey_unref(n->key);
        n->key = NULL;
    }
}

static void forget_word(Word *w)
{
    if (w->string) {
        atomic_fetch_sub_explicit(&w->string->base.refs, w->stock, memory_order_relaxed);
        qobject_unref(w->string);
        w->string = NULL;
    }
}

void json_forget_words(JsonReader *r)
{
    for (size_t i = 0; r->words && i < (size_t)1 << r->word_bits; i++) {
        forget_word(&r->words[i]);
    }
}

void json_forget_all(JsonReader *r)
{
    json_forget_words(r);
    for (size_t i = 0; r->names && i < NAMES; i++) {
        forget_name(&r->names[i]);
    }
    free(r->names);
    free(r->words);
    r->names = NULL;
    r->words = NULL;
}

/* True: there are tables. Few words first: to clear a large table costs more than it brings. */
static bool remembers(JsonReader *r)
{
    unsigned bits = r->values < WORDS_FROM ? WORD_BITS_FEW : WORD_BITS_MANY;

    if (r->values < CACHE_FROM && !r->names) {
        return false;
    }
    if (!r->names) {
        r->names = qobject_alloc(NAMES * sizeof(*r->names));
        r->epoch++;
    }
    if (r->word_bits < bits) {
        json_forget_words(r);
        free(r->words);
        r->words = qobject_alloc(sizeof(*r->words) << bits);
        r->word_bits = bits;
    }
    return true;
}

/* As load8() with a mask does in json-quick.c, where no more bytes may be read. */
static uint64_t up_to_8(const char *s, size_t len)
{
    uint64_t v = 0;

    memcpy(&v, s, len);
    return v;
}

Name *json_name_slot(JsonReader *r, uint64_t first, uint64_t last, const char *s, size_t len)
{
    Name *n;

    if (!remembers(r)) {
        return NULL;
    }
    n = &r->names[json_slot(first, last, len, NAME_BITS)];
    if (!n->key || n->len != len || n->first != first || n->last != last || !json_rest_is(n->key->str, s, len)) {
        if (n->key) {
            r->epoch++;
        }
        forget_name(n);
        n->key = qkey_new(s, len);
        n->first = first;
        n->last = last;
        n->len = len;
        n->stock = 0;
    }
    return n;
}

QKey *json_name(JsonReader *r, const char *s, size_t len)
{
    size_t part = MIN(len, 8);
    Name *n = len > SHORT_MAX ? NULL : json_name_slot(r, up_to_8(s, part), up_to_8(s + len - part, part), s, len);

    if (n) {
        return json_name_take(n);
    }
    r->epoch++;
    return qkey_new(s, len);
}

QObject *json_new_word(JsonReader *r, uint64_t first, uint64_t last, const char *s, size_t len)
{
    Word *w;

    if (!remembers(r)) {
        return qstring_from_pool(pool_of(r), s, len);
    }
    w = &r->words[json_slot(first, last, len, r->word_bits)];
    forget_word(w);
    w->string = qobject_to_string(qstring_from_pool(pool_of(r), s, len));
    w->first = first;
    w->last = last;
    w->len = len;
    w->stock = 0;
    return json_word_take(w);
}

QObject *json_string(JsonReader *r, const char *s, size_t len)
{
    size_t part = MIN(len, 8);

    return len > SHORT_MAX ? qstring_from_pool(pool_of(r), s, len)
                           : json_word(r, up_to_8(s, part), up_to_8(s + len - part, part), s, len);
}
