/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The common way through a container, where at least MARGIN bytes more are there: punctuation, names and strings without
 * escapes, plain integers and words. All else, and every error, is left to json-reader.c, with nothing changed.
 *
 * Strings are looked through 16 bytes at a time where the host has SSE2, else 8 bytes in a word. Short ones are compared
 * as two words with what is remembered. Of a name the one that followed its predecessor the last time is tried
 * before its end is looked for: what a program writes has the same members in the same order again and again.
 */
#include "util/osdep.h"
#include "qobject/json-int.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Bytes that may be read behind the start of a token without a look at the end. */
enum { MARGIN = 64 };

static inline uint64_t load8(const void *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return v;
}

/* The bytes of the first @n of eight, @n up to 8. */
static inline uint64_t first_bytes(size_t n)
{
    static const uint8_t ones[16] = { 255, 255, 255, 255, 255, 255, 255, 255 };

    return load8(ones + 8 - n);
}

/* The end of the plain text at @p, which a quote ends; NULL: something else does, or the text's end is near. */
static inline const char *string_end(const char *p, const char *safe)
{
#ifdef __SSE2__
    /* Signed: what is below a blank is a control character or no ASCII. */
    do {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                                 _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))),
                                    _mm_cmplt_epi8(v, _mm_set1_epi8(' ')));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);

        if (mask) {
            p += __builtin_ctz(mask);
            return *p == '"' ? p : NULL;
        }
        p += 16;
    } while (p < safe);
#else
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;

    do {
        uint64_t v = load8(p), quote = v ^ ones * '"', slash = v ^ ones * '\\';

        /* A byte's high bit is set where it is 0 (of the two), below a blank, or no ASCII; carries may set more. */
        if (((quote - ones) | (slash - ones) | (v - ones * ' ') | v) & high) {
            for (int i = 0; i < 8; i++) {
                if (!(class_at(p + i) & C_PLAIN) && p[i] != '\'') {
                    return p[i] == '"' ? p + i : NULL;
                }
            }
        }
        p += 8;
    } while (p < safe);
#endif
    return NULL;
}

/* An integer of up to 18 digits, or one of the three words; NULL: something else. */
static inline QObject *plain_word(JsonReader *r, const char **at)
{
    const char *p = *at, *s = p;
    bool negative = *p == '-';
    int64_t v = 0;

    if (!memcmp(p, "null", 4) && !(class_at(p + 4) & C_WORD)) {
        *at = p + 4;
        return qnull();
    }
    if (!memcmp(p, "true", 4) && !(class_at(p + 4) & C_WORD)) {
        *at = p + 4;
        return qbool_from(true);
    }
    if (!memcmp(p, "false", 5) && !(class_at(p + 5) & C_WORD)) {
        *at = p + 5;
        return qbool_from(false);
    }
    for (p += negative; p - s < 18 && digit(*p); p++) {
        v = v * 10 + (*p - '0');
    }
    s += negative;
    if (p == s || class_at(p) & C_WORD || (*s == '0' && (p - s > 1 || negative))) {
        return NULL;
    }
    *at = p;
    return qnum_from_pool(pool_of(r), negative ? -v : v);
}

/* A reference to the name at @s, behind a quote; *end is its end. NULL: no plain name. */
static inline QKey *quick_name(JsonReader *r, const char *s, const char *safe, const char **end)
{
    Name *n;
    size_t len, part;
    uint64_t mask;

    if (r->names) {
        Name *last = &r->names[r->last_name];
        const char *q;

        n = &r->names[last->next];
        if (likely(n->key && n->len <= 16 && s[n->len] == '"')) {
            part = MIN(n->len, 8);
            mask = first_bytes(part);
            if (likely((load8(s) & mask) == n->first && (load8(s + n->len - part) & mask) == n->last)) {
                *end = s + n->len;
                r->last_name = last->next;
                return json_name_take(n);
            }
        }
        q = string_end(s, safe);
        if (!q) {
            return NULL;
        }
        *end = q;
        len = q - s;
        if (len > SHORT_MAX) {
            return json_name(r, s, len);
        }
        part = MIN(len, 8);
        mask = first_bytes(part);
        n = json_name_slot(r, load8(s) & mask, load8(s + len - part) & mask, s, len);
        r->last_name = last->next = n - r->names;
        return json_name_take(n);
    }
    *end = string_end(s, safe);
    if (!*end) {
        return NULL;
    }
    return json_name(r, s, *end - s);
}

static inline QObject *quick_string(JsonReader *r, const char *s, size_t len)
{
    size_t part = MIN(len, 8);
    uint64_t mask = first_bytes(part);

    if (len > SHORT_MAX) {
        return qstring_from_pool(pool_of(r), s, len);
    }
    return json_word(r, load8(s) & mask, load8(s + len - part) & mask, s, len);
}

static inline bool is_member(const JsonReader *r, const Frame *f, const QKey *key)
{
    if (unlikely(f->epoch != r->epoch || f->dict)) {
        return json_has_member(r, f, key);
    }
    for (size_t i = f->first; i < r->n_entries; i++) {
        if (unlikely(r->entries[i].key == key->str)) {
            return true;
        }
    }
    return false;
}

static inline void add_entry(JsonReader *r, Frame *f, QObject *value)
{
    if (unlikely(f->dict || r->n_entries - f->first == DICT_FROM - 1 || r->n_entries == r->entries_room)) {
        json_value_done(r, value);
        return;
    }
    r->entries[r->n_entries++] = (QDictEntry){ f->key ? f->key->str : NULL, value };
    f->key = NULL;
}

const char *json_read_quick(JsonReader *r, const char *p, const char *end)
{
    const char *safe = end - MARGIN, *q;
    State st = r->state;
    Frame *f;
    QObject *o;
    QKey *key;

    if (end - p < MARGIN || !r->depth || r->literal) {
        return p;
    }
    f = &r->stack[r->depth - 1];
    switch (st) {
    case ST_VALUE:
        goto value;
    case ST_FIRST_ITEM:
        goto first_item;
    case ST_FIRST_KEY:
        goto first_key;
    case ST_KEY:
        goto key;
    case ST_COLON:
        goto colon;
    case ST_COMMA:
        goto comma;
    default:
        return p;
    }

first_key:
    st = ST_FIRST_KEY;
    if (*p == '}') {
        goto close;
    }
key:
    if (unlikely(p >= safe || *p != '"')) {
        goto out;
    }
    key = quick_name(r, p + 1, safe, &q);
    if (unlikely(!key)) {
        goto out;
    }
    if (unlikely(is_member(r, f, key))) {
        qkey_unref(key);
        goto out;
    }
    f->key = key;
    p = q + 1;
colon:
    st = ST_COLON;
    if (unlikely(*p != ':')) {
        goto out;
    }
    p++;
    p += *p == ' ';
value:
    st = ST_VALUE;
any_value:
    if (unlikely(p >= safe || r->values >= r->limits.values)) {
        goto out;
    }
    if (*p == '"') {
        q = string_end(p + 1, safe);
        if (unlikely(!q)) {
            goto out;
        }
        r->values++;
        p++;
        o = quick_string(r, p, q - p);
        p = q + 1;
    } else if (*p == '{' || *p == '[') {
        bool is_dict = *p == '{';

        if (unlikely(r->depth == r->limits.depth)) {
            goto out;
        }
        r->values++;
        json_open_container(r, 0, is_dict);
        f = &r->stack[r->depth - 1];
        p++;
        if (is_dict) {
            goto first_key;
        }
        goto first_item;
    } else {
        if (!(class_at(p) & C_WORD) || !(o = plain_word(r, &p))) {
            goto out;
        }
        r->values++;
    }
    add_entry(r, f, o);
comma:
    st = ST_COMMA;
    if (unlikely(p >= safe)) {
        goto out;
    }
    if (*p == ',') {
        p++;
        p += *p == ' ';
        if (f->is_dict) {
            st = ST_KEY;
            goto key;
        }
        goto value;
    }
    if (*p != (f->is_dict ? '}' : ']')) {
        goto out;
    }
close:
    json_close_container(r);
    p++;
    if (!r->depth) {
        return p;               /* the state is what follows a whole value */
    }
    f = &r->stack[r->depth - 1];
    goto comma;

first_item:
    st = ST_FIRST_ITEM;
    if (*p == ']') {
        goto close;
    }
    goto any_value;

out:
    r->state = st;
    return p;
}
