/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the reader's parts share: json-reader.c, which takes bytes one by one wherever a piece of the text may end;
 * json-quick.c, which takes whole tokens where much text is there; json-names.c, what they remember of both.
 */
#ifndef QOBJECT_JSON_INT_H
#define QOBJECT_JSON_INT_H

#include "util/osdep.h"
#include "qobject/error.h"
#include "qobject/json.h"
#include "qobject/qkey.h"
#include "qobject/qpool.h"
#include "qobject/strbuf.h"

typedef enum State {
    ST_VALUE,                   /* a value */
    ST_FIRST_ITEM,              /* a value or ] */
    ST_FIRST_KEY,               /* a name or } */
    ST_KEY,                     /* a name */
    ST_COLON,
    ST_COMMA,                   /* , or the end of the container */
    ST_END,                     /* white space only */
} State;

typedef enum Token {
    TOK_NONE,
    TOK_STRING,
    TOK_ESCAPE,                 /* behind a backslash */
    TOK_HEX,                    /* in the digits of \u */
    TOK_UTF8,                   /* in a character of several bytes */
    TOK_WORD,                   /* a number, or true, false, null */
} Token;

/* A container that is being read. What it has so far lies in the reader's @entries; a dict with many
 * members is made early, since it finds duplicates by an index. */
typedef struct Frame {
    bool is_dict;
    uint32_t epoch;             /* of the names when it was begun */
    size_t first;               /* of its entries */
    QDict *dict;                /* owned; NULL: not made yet */
    QKey *key;                  /* a reference: name of the member being read; NULL: none */
} Frame;

/* Text of up to SHORT_MAX bytes is known by two numbers: its first and its last eight bytes, in the host's order, or what
 * there is of them. Up to 16 bytes they are all of it. */
enum { SHORT_MAX = 32 };

/* Names and short strings that came lately, by a hash that costs next to nothing: a clash only costs a new
 * copy. References are taken in stock, for the reader to give out without counting atomically. */
typedef struct Name {
    uint64_t first, last;
    QKey *key;                  /* NULL: none */
    uint32_t len;               /* of it */
    uint32_t stock;             /* references that are left, besides one */
    uint32_t next;              /* slot of the name that came behind it, which is tried first the next time */
} Name;

typedef struct Word {
    uint64_t first, last;
    QString *string;            /* NULL: none */
    uint32_t len;
    uint32_t stock;
} Word;

enum { NAME_BITS = 8, NAMES = 1 << NAME_BITS, WORD_BITS_FEW = 9, WORD_BITS_MANY = 12, STOCK = 1024 };

/* With more values in one, names and words are remembered, memory comes from a pool, and many words are remembered. */
enum { CACHE_FROM = 32, POOL_FROM = 256, WORDS_FROM = 8192 };

/* Members of a dict that are looked through one by one. */
enum { DICT_FROM = 16 };

typedef struct Result {
    QObject *value;
    Error *err;
} Result;

struct JsonReader {
    JsonLimits limits;
    bool stream;                /* else one value, and ST_END after it */
    bool literal;               /* single quotes and % are allowed */
    va_list *args;              /* of %, not owned */

    State state;
    Token token_type;
    StrBuf token;
    char quote;
    unsigned hex_digits, hex_value;
    unsigned high_surrogate;    /* waits for its second half; 0: none */
    unsigned utf8_left;         /* bytes that must follow */
    unsigned char utf8_lo, utf8_hi;

    Frame *stack;
    size_t depth, stack_room;
    size_t values;              /* begun in this top-level value */
    bool skip_line;             /* after an error */

    /* Offsets count from the start of the stream. */
    size_t base;                /* of the piece being read */
    const char *piece;
    size_t line, line_start;
    size_t token_start, value_start;

    QDictEntry *entries;        /* of all open containers; keys of lists' are NULL */
    size_t n_entries, entries_room;
    Name *names;                /* NAMES; made by the first value with more than CACHE_FROM; NULL: not yet */
    uint32_t last_name;         /* its slot */
    uint32_t epoch;             /* counts names that were forgotten or never remembered: in one epoch a name has one key */
    Word *words;                /* 1 << word_bits, with @names */
    unsigned word_bits;
    QPool pool;

    Result *results;            /* ring of [first, last) */
    size_t first, last, results_room;
};

enum { C_SPACE = 1, C_WORD = 2, C_PLAIN = 4 };

/* By byte: white space, parts of words and numbers, plain text in strings. */
extern const uint8_t json_class_of[256];

static inline uint8_t class_at(const char *p)
{
    return json_class_of[(unsigned char)*p];
}

static inline bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline size_t offset_of(const JsonReader *r, const char *p)
{
    return r->base + (p - r->piece);
}

static inline bool in_dict(const JsonReader *r)
{
    return r->depth && r->stack[r->depth - 1].is_dict;
}

static inline QPool *pool_of(JsonReader *r)
{
    return r->values > POOL_FROM ? &r->pool : NULL;
}

/* json-reader.c: a value is whole; a container begins; the one that was begun last ends. */
void json_value_done(JsonReader *r, QObject *value);
void json_open_container(JsonReader *r, size_t offset, bool is_dict);
void json_close_container(JsonReader *r);
/* Is there a member of that name in the container that is being read? */
bool json_has_member(const JsonReader *r, const Frame *f, const QKey *key);
void json_more_entries(JsonReader *r);
const char *json_skip_spaces(JsonReader *r, const char *p, const char *end);

/* json-names.c. References. */
QKey *json_name(JsonReader *r, const char *s, size_t len);
QObject *json_string(JsonReader *r, const char *s, size_t len);
/* The slot of a short name; NULL: nothing is remembered yet. */
Name *json_name_slot(JsonReader *r, uint64_t first, uint64_t last, const char *s, size_t len);
/* Short, and not found by json_word_slot(): remembered from now on, if anything is. */
QObject *json_new_word(JsonReader *r, uint64_t first, uint64_t last, const char *s, size_t len);
void json_forget_words(JsonReader *r);
void json_forget_all(JsonReader *r);

/* Which of 1 << @bits slots. */
static inline size_t json_slot(uint64_t first, uint64_t last, size_t len, unsigned bits)
{
    return ((first ^ (last << 19 | last >> 45)) + len) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits);
}

/* Is the text of a slot, whose numbers and length are the same, @s? */
static inline bool json_rest_is(const char *text, const char *s, size_t len)
{
    return len <= 16 || !memcmp(text + 8, s + 8, len - 16);
}

/* A reference to its key. */
static inline QKey *json_name_take(Name *n)
{
    if (unlikely(!n->stock)) {
        atomic_fetch_add_explicit(&n->key->refs, STOCK, memory_order_relaxed);
        n->stock = STOCK;
    }
    n->stock--;
    return n->key;
}

/* A reference to its string. */
static inline QObject *json_word_take(Word *w)
{
    if (unlikely(!w->stock)) {
        atomic_fetch_add_explicit(&w->string->base.refs, STOCK, memory_order_relaxed);
        w->stock = STOCK;
    }
    w->stock--;
    return &w->string->base;
}

/* A string of up to SHORT_MAX bytes. */
static inline QObject *json_word(JsonReader *r, uint64_t first, uint64_t last, const char *s, size_t len)
{
    if (likely(r->words)) {
        Word *w = &r->words[json_slot(first, last, len, r->word_bits)];

        if (likely(w->first == first && w->last == last && w->len == len && w->string &&
                   json_rest_is(w->string->str, s, len))) {
            return json_word_take(w);
        }
    }
    return json_new_word(r, first, last, s, len);
}

/* json-quick.c: reads what it can in [p, end), and returns where it stopped; the state is right there. */
const char *json_read_quick(JsonReader *r, const char *p, const char *end);

#endif
