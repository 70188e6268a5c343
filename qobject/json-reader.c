/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader is a state machine that takes bytes in pieces of any size. What it
 * expects next is in @state; a token that a piece may cut is in @token. Inside
 * strings a table finds the end of what can be copied as it is. Most of a long text is
 * read by json-quick.c instead.
 */
#include "util/osdep.h"
#include "qobject/json-int.h"
#include "qobject/utf8.h"
#include <locale.h>
#include <math.h>

const uint8_t json_class_of[256] = {
    ['\t'] = C_SPACE, ['\n'] = C_SPACE, ['\r'] = C_SPACE,
    [' '] = C_SPACE | C_PLAIN,
    ['!'] = C_PLAIN, ['#' ... '&'] = C_PLAIN, ['('] = C_PLAIN, [')'] = C_PLAIN,
    ['*'] = C_PLAIN, ['+'] = C_PLAIN | C_WORD, [','] = C_PLAIN,
    ['-'] = C_PLAIN | C_WORD, ['.'] = C_PLAIN | C_WORD, ['/'] = C_PLAIN,
    ['0' ... '9'] = C_PLAIN | C_WORD,
    [':' ... '@'] = C_PLAIN,
    ['A' ... 'Z'] = C_PLAIN | C_WORD,
    ['['] = C_PLAIN, [']'] = C_PLAIN, ['^'] = C_PLAIN,
    ['_'] = C_PLAIN | C_WORD, ['`'] = C_PLAIN,
    ['a' ... 'z'] = C_PLAIN | C_WORD,
    ['{' ... 0x7f] = C_PLAIN,
};

/* ------------------------------------------------------------- results */

static void add_result(JsonReader *r, QObject *value, Error *err)
{
    if (r->last == r->results_room) {
        r->results_room = r->results_room ? r->results_room * 2 : 4;
        r->results = qobject_realloc(r->results, r->results_room * sizeof(*r->results));
    }
    r->results[r->last++] = (Result){ value, err };
}

/* Words of the pool go with it: one that is remembered would hold a chunk. */
static void close_pool(JsonReader *r)
{
    if (r->pool.end) {
        json_forget_words(r);
        qpool_close(&r->pool);
    }
}

static void drop_entries(JsonReader *r, size_t first)
{
    while (r->n_entries > first) {
        QDictEntry *e = &r->entries[--r->n_entries];

        if (e->key) {
            qkey_unref(qkey_of(e->key));
        }
        qobject_unref(e->value);
    }
}

/* Forget the value that was begun. */
static void drop(JsonReader *r)
{
    while (r->depth) {
        r->depth--;
        qobject_unref(r->stack[r->depth].dict);
        if (r->stack[r->depth].key) {
            qkey_unref(r->stack[r->depth].key);
        }
    }
    drop_entries(r, 0);
    close_pool(r);
    r->token.len = 0;
    r->token_type = TOK_NONE;
    r->high_surrogate = 0;
    r->values = 0;
    r->state = ST_VALUE;
}

/* The byte at which a stream forgets the value that was begun, wherever in it. */
static bool drops(const JsonReader *r, const char *p)
{
    return r->stream && *p == '\xff';
}

static void PRINTF_LIKE(4, 5) fail_at(JsonReader *r, size_t offset, ErrorCode code,
                                      const char *fmt, ...)
{
    Error *err = NULL;
    char text[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    error_setf(&err, code, "JSON: line %zu, column %zu (byte %zu): %s",
               r->line, offset - r->line_start + 1, offset, text);
    drop(r);
    add_result(r, NULL, err);
    if (r->stream) {
        r->skip_line = true;
    } else {
        r->state = ST_END;
    }
}

/* How an error shows the byte at @p. */
static const char *show(const char *p, char buf[16])
{
    unsigned char c = *p;

    if (c >= 0x20 && c < 0x7f) {
        snprintf(buf, 16, "'%c'", c);
    } else {
        snprintf(buf, 16, "byte 0x%02x", c);
    }
    return buf;
}

void json_more_entries(JsonReader *r)
{
    r->entries_room = r->entries_room ? r->entries_room * 2 : 32;
    r->entries = qobject_realloc(r->entries, r->entries_room * sizeof(*r->entries));
}

void json_value_done(JsonReader *r, QObject *value)
{
    Frame *f;

    if (!r->depth) {
        add_result(r, value, NULL);
        close_pool(r);
        r->values = 0;
        r->state = r->stream ? ST_VALUE : ST_END;
        return;
    }
    f = &r->stack[r->depth - 1];
    r->state = ST_COMMA;
    if (f->dict) {
        qdict_add_key(f->dict, f->key, value);
        f->key = NULL;
        return;
    }
    if (r->n_entries == r->entries_room) {
        json_more_entries(r);
    }
    r->entries[r->n_entries++] = (QDictEntry){ f->key ? f->key->str : NULL, value };
    f->key = NULL;
    if (f->is_dict && r->n_entries - f->first == DICT_FROM) {
        f->dict = qdict_from_entries(NULL, r->entries + f->first, DICT_FROM);
        r->n_entries = f->first;
    }
}

/* ---------------------------------------------------------- containers */

static bool count_value(JsonReader *r, size_t offset)
{
    if (!r->depth) {
        r->value_start = offset;
    }
    if (++r->values > r->limits.values) {
        fail_at(r, offset, ERR_JSON_LIMIT, "more than %zu values in one", r->limits.values);
        return false;
    }
    return true;
}

void json_open_container(JsonReader *r, size_t offset, bool is_dict)
{
    if (r->depth == r->limits.depth) {
        fail_at(r, offset, ERR_JSON_LIMIT, "nested deeper than %zu", r->limits.depth);
        return;
    }
    if (r->depth == r->stack_room) {
        r->stack_room = r->stack_room ? r->stack_room * 2 : 8;
        r->stack = qobject_realloc(r->stack, r->stack_room * sizeof(*r->stack));
    }
    r->stack[r->depth++] = (Frame){ is_dict, r->epoch, r->n_entries, NULL, NULL };
    r->state = is_dict ? ST_FIRST_KEY : ST_FIRST_ITEM;
}

void json_close_container(JsonReader *r)
{
    const Frame *f = &r->stack[--r->depth];
    size_t n = r->n_entries - f->first;
    const QDictEntry *e = n ? &r->entries[f->first] : NULL;

    r->n_entries = f->first;
    json_value_done(r, f->dict ? QOBJECT(f->dict) : f->is_dict ? QOBJECT(qdict_from_entries(pool_of(r), e, n))
                                                         : QOBJECT(qlist_from_entries(pool_of(r), e, n)));
}

bool json_has_member(const JsonReader *r, const Frame *f, const QKey *key)
{
    if (f->dict) {
        return qdict_has_key(f->dict, key);
    }
    for (size_t i = f->first; i < r->n_entries; i++) {
        const QDictEntry *e = &r->entries[i];

        if (e->key == key->str || qkey_is(qkey_of(e->key), key->str, key->len)) {
            return true;
        }
    }
    return false;
}

/* @plain: without escapes, of which alone a NUL can come. */
static void key_done(JsonReader *r, const char *s, size_t len, bool plain)
{
    Frame *f = &r->stack[r->depth - 1];

    f->key = json_name(r, s, len);
    if (!plain && memchr(s, 0, len)) {
        fail_at(r, r->token_start, ERR_JSON_SYNTAX, "NUL in a member's name");
        return;
    }
    if (json_has_member(r, f, f->key)) {
        fail_at(r, r->token_start, ERR_JSON_SYNTAX, "duplicate member '%.64s'", f->key->str);
        return;
    }
    r->state = ST_COLON;
}

static void string_done(JsonReader *r, const char *s, size_t len, bool plain)
{
    r->token_type = TOK_NONE;
    if (r->state == ST_KEY || r->state == ST_FIRST_KEY) {
        key_done(r, s, len, plain);
    } else {
        json_value_done(r, json_string(r, s, len));
    }
    r->token.len = 0;
}

/* --------------------------------------------------- words and numbers */

/* RFC 8259 section 6. @end: behind the number; *integer: no fraction, no exponent. */
static bool number_valid(const char *s, bool *integer)
{
    *integer = true;
    s += *s == '-';
    if (*s == '0') {
        s++;
    } else if (digit(*s)) {
        while (digit(*s)) {
            s++;
        }
    } else {
        return false;
    }
    if (*s == '.') {
        *integer = false;
        if (!digit(*++s)) {
            return false;
        }
        while (digit(*s)) {
            s++;
        }
    }
    if (*s == 'e' || *s == 'E') {
        *integer = false;
        s++;
        s += *s == '+' || *s == '-';
        if (!digit(*s)) {
            return false;
        }
        while (digit(*s)) {
            s++;
        }
    }
    return !*s;
}

/* NULL if it is no number; *too_large if no double holds it. */
static QObject *number_from(const char *s, bool *too_large)
{
    bool integer, negative = *s == '-';
    double d;
    locale_t c;

    *too_large = false;
    if (!number_valid(s, &integer)) {
        return NULL;
    }
    if (integer) {
        uint64_t v = 0;
        const char *p = s + negative;

        while (*p && !__builtin_mul_overflow(v, 10, &v) &&
               !__builtin_add_overflow(v, (uint64_t)(*p - '0'), &v)) {
            p++;
        }
        if (!*p && !negative) {
            return qnum_from_uint(v);
        }
        if (!*p && v <= (uint64_t)INT64_MAX + 1 && v) {
            return qnum_from_int(-v);
        }
        if (!*p && !v) {
            return qnum_from_double(-0.0);      /* -0 has no integer */
        }
    }
    c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    d = strtod_l(s, NULL, c);
    freelocale(c);
    if (!isfinite(d)) {
        *too_large = true;
        return NULL;
    }
    return qnum_from_double(d);
}

static void word_done(JsonReader *r)
{
    const char *s = strbuf_text(&r->token);
    bool too_large;
    QObject *o;

    r->token_type = TOK_NONE;
    if (!strcmp(s, "true")) {
        o = qbool_from(true);
    } else if (!strcmp(s, "false")) {
        o = qbool_from(false);
    } else if (!strcmp(s, "null")) {
        o = qnull();
    } else {
        o = number_from(s, &too_large);
        if (!o) {
            fail_at(r, r->token_start, too_large ? ERR_JSON_LIMIT : ERR_JSON_SYNTAX,
                    too_large ? "number too large: %.40s" : "no JSON value: %.40s", s);
            return;
        }
    }
    r->token.len = 0;
    json_value_done(r, o);
}

static const char *read_word(JsonReader *r, const char *p, const char *end)
{
    const char *s = p;

    while (p < end && class_at(p) & C_WORD) {
        p++;
    }
    if (r->token.len + (p - s) > 4096) {
        fail_at(r, r->token_start, ERR_JSON_LIMIT, "number of more than 4096 characters");
        return p;
    }
    strbuf_add(&r->token, s, p - s);
    if (p < end && !drops(r, p)) {
        word_done(r);
    }
    return p;
}

/* -------------------------------------------------------------- strings */

/* Behind the bytes that are plain text in a string. */
static inline const char *skip_plain(const char *p, const char *end)
{
    while (p < end && class_at(p) & C_PLAIN) {
        p++;
    }
    return p;
}

static const char *read_string(JsonReader *r, const char *p, const char *end)
{
    const char *s = p;
    unsigned char c;

    p = skip_plain(p, end);
    if (r->high_surrogate && (p > s || (p < end && *p != '\\'))) {
        fail_at(r, offset_of(r, s), ERR_JSON_SYNTAX, "first half of a surrogate pair alone");
        return p;
    }
    if (p == end) {
        strbuf_add(&r->token, s, p - s);
        return p;
    }
    c = *p;
    if (drops(r, p)) {
        return p;
    }
    if (c == (unsigned char)r->quote) {
        if (r->token.len) {
            strbuf_add(&r->token, s, p - s);
            string_done(r, r->token.s, r->token.len, false);
        } else {
            string_done(r, s, p - s, true);
        }
        return p + 1;
    }
    strbuf_add(&r->token, s, p - s);
    if (c == '\\') {
        r->token_type = TOK_ESCAPE;
    } else if (c == '"' || c == '\'') {
        strbuf_add_char(&r->token, c);
    } else if (c < 0x20) {
        char buf[16];

        fail_at(r, offset_of(r, p), ERR_JSON_SYNTAX,
                "control character in a string: %s", show(p, buf));
    } else {
        r->utf8_left = utf8_lead(c, &r->utf8_lo, &r->utf8_hi);
        if (!r->utf8_left) {
            fail_at(r, offset_of(r, p), ERR_JSON_SYNTAX, "not UTF-8: byte 0x%02x", c);
        } else {
            strbuf_add_char(&r->token, c);
            r->token_type = TOK_UTF8;
        }
    }
    return p + 1;
}

static const char *read_utf8(JsonReader *r, const char *p)
{
    unsigned char c = *p;

    if (c < r->utf8_lo || c > r->utf8_hi) {
        fail_at(r, offset_of(r, p), ERR_JSON_SYNTAX, "not UTF-8: byte 0x%02x", c);
        return p + 1;
    }
    strbuf_add_char(&r->token, c);
    r->utf8_lo = 0x80;
    r->utf8_hi = 0xbf;
    if (--r->utf8_left == 0) {
        r->token_type = TOK_STRING;
    }
    return p + 1;
}

static const char *read_escape(JsonReader *r, const char *p)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = *p ? strchr(from, *p) : NULL;
    char buf[16];

    if (*p == 'u') {
        r->token_type = TOK_HEX;
        r->hex_digits = 0;
        r->hex_value = 0;
    } else if (r->high_surrogate) {
        fail_at(r, offset_of(r, p), ERR_JSON_SYNTAX, "first half of a surrogate pair alone");
    } else if (at || (r->literal && *p == '\'')) {
        strbuf_add_char(&r->token, at ? to[at - from] : '\'');
        r->token_type = TOK_STRING;
    } else {
        fail_at(r, offset_of(r, p), ERR_JSON_SYNTAX,
                "unknown escape: backslash and %s", show(p, buf));
    }
    return p + 1;
}

static void hex_done(JsonReader *r, size_t offset)
{
    uint32_t cp = r->hex_value;
    char utf8[4];

    r->token_type = TOK_STRING;
    if (r->high_surrogate) {
        if (cp < 0xdc00 || cp > 0xdfff) {
            fail_at(r, offset, ERR_JSON_SYNTAX, "first half of a surrogate pair alone");
            return;
        }
        cp = 0x10000 + ((r->high_surrogate & 0x3ff) << 10 | (cp & 0x3ff));
        r->high_surrogate = 0;
    } else if (cp >= 0xd800 && cp < 0xdc00) {
        r->high_surrogate = cp;
        return;
    } else if (cp >= 0xdc00 && cp < 0xe000) {
        fail_at(r, offset, ERR_JSON_SYNTAX, "second half of a surrogate pair alone");
        return;
    }
    strbuf_add(&r->token, utf8, utf8_encode(cp, utf8));
}

static const char *read_hex(JsonReader *r, const char *p)
{
    char c = *p, buf[16];
    int v = digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
            c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

    if (v < 0) {
        fail_at(r, offset_of(r, p), ERR_JSON_SYNTAX,
                "not a hexadecimal digit behind \\u: %s", show(p, buf));
        return p + 1;
    }
    r->hex_value = r->hex_value << 4 | v;
    if (++r->hex_digits == 4) {
        hex_done(r, offset_of(r, p));
    }
    return p + 1;
}

/* ------------------------------------------------- arguments of literals */

/* Reads the conversion at @p (a '%'); NULL in *value: unknown. */
static const char *take_argument(JsonReader *r, const char *p, QObject **value)
{
    int longs = 0;
    const char *s;
    QObject *o;

    *value = NULL;
    p++;
    while (*p == 'l') {
        longs++;
        p++;
    }
    switch (*p) {
    case 'd':
        *value = qnum_from_int(longs == 0 ? va_arg(*r->args, int) :
                               longs == 1 ? va_arg(*r->args, long) :
                                            va_arg(*r->args, long long));
        break;
    case 'u':
        *value = qnum_from_uint(longs == 0 ? va_arg(*r->args, unsigned) :
                                longs == 1 ? va_arg(*r->args, unsigned long) :
                                             va_arg(*r->args, unsigned long long));
        break;
    case 'i':
        *value = qbool_from(va_arg(*r->args, int));
        break;
    case 'f':
        *value = qnum_from_double(va_arg(*r->args, double));
        break;
    case 's':
        s = va_arg(*r->args, const char *);
        *value = s ? qstring_from(s) : qnull();
        break;
    case 'p':
        o = va_arg(*r->args, QObject *);
        *value = o ? o : qnull();
        break;
    default:
        return p;
    }
    return p + 1;
}

static const char *read_argument(JsonReader *r, const char *p)
{
    bool key = r->state == ST_KEY || r->state == ST_FIRST_KEY;
    QObject *o;

    p = take_argument(r, p, &o);
    if (o && key && o->type == QTYPE_STRING) {
        key_done(r, qstring_value(o), qobject_to_string(o)->len, false);
        qobject_unref(o);
    } else if (o && !key) {
        json_value_done(r, o);
    } else {
        qobject_unref(o);
        fail_at(r, offset_of(r, p), ERR_JSON_SYNTAX, "wrong conversion here");
    }
    return p;
}

/* ------------------------------------------------------------ structure */

static void unexpected(JsonReader *r, const char *p)
{
    char buf[16];
    const char *expected;

    switch (r->state) {
    case ST_VALUE:      expected = "a value"; break;
    case ST_FIRST_ITEM: expected = "a value or ']'"; break;
    case ST_FIRST_KEY:  expected = "a member's name or '}'"; break;
    case ST_KEY:        expected = "a member's name"; break;
    case ST_COLON:      expected = "':' after a member's name"; break;
    case ST_COMMA:      expected = in_dict(r) ? "',' or '}'" : "',' or ']'"; break;
    default:            expected = "nothing more after the value"; break;
    }
    fail_at(r, offset_of(r, p), ERR_JSON_SYNTAX, "expected %s, found %s",
            expected, show(p, buf));
}

static bool quote_here(const JsonReader *r, char c)
{
    return c == '"' || (c == '\'' && r->literal);
}

/* A byte that begins or is a token, outside of tokens. */
static const char *read_structure(JsonReader *r, const char *p)
{
    bool value = r->state == ST_VALUE || r->state == ST_FIRST_ITEM;
    bool key = r->state == ST_KEY || r->state == ST_FIRST_KEY;
    size_t offset = offset_of(r, p);
    char c = *p;

    r->token_start = offset;
    if (value && !(c == ']' && r->state == ST_FIRST_ITEM) && !count_value(r, offset)) {
        return p + 1;
    }
    if ((value || key) && quote_here(r, c)) {
        r->token_type = TOK_STRING;
        r->quote = c;
        return p + 1;
    }
    if ((value || key) && r->literal && c == '%') {
        return read_argument(r, p);
    }
    if (value && class_at(p) & C_WORD) {
        r->token_type = TOK_WORD;
        return p;
    }
    if (value && c == '{') {
        json_open_container(r, offset, true);
    } else if (value && c == '[') {
        json_open_container(r, offset, false);
    } else if ((r->state == ST_FIRST_ITEM || (r->state == ST_COMMA && !in_dict(r))) &&
               c == ']') {
        json_close_container(r);
    } else if ((r->state == ST_FIRST_KEY || (r->state == ST_COMMA && in_dict(r))) &&
               c == '}') {
        json_close_container(r);
    } else if (r->state == ST_COMMA && c == ',') {
        r->state = in_dict(r) ? ST_KEY : ST_VALUE;
    } else if (r->state == ST_COLON && c == ':') {
        r->state = ST_VALUE;
    } else {
        unexpected(r, p);
    }
    return p + 1;
}

const char *json_skip_spaces(JsonReader *r, const char *p, const char *end)
{
    while (p < end && class_at(p) & C_SPACE) {
        if (*p == '\n') {
            r->line++;
            r->line_start = offset_of(r, p) + 1;
        }
        p++;
    }
    return p;
}

static const char *skip_to_line_end(JsonReader *r, const char *p, const char *end)
{
    while (p < end && *p != '\n' && *p != '\xff') {
        p++;
    }
    if (p < end) {
        r->skip_line = false;           /* what ended it is read as usual */
    }
    return p;
}

void json_reader_feed(JsonReader *r, const void *data, size_t len)
{
    const char *p = data, *end = p + len;

    r->piece = p;
    while (p < end) {
        if (drops(r, p)) {
            drop(r);
            r->skip_line = false;
            p++;
            continue;
        }
        if (r->skip_line) {
            p = skip_to_line_end(r, p, end);
            continue;
        }
        switch (r->token_type) {
        case TOK_STRING:
            p = read_string(r, p, end);
            break;
        case TOK_ESCAPE:
            p = read_escape(r, p);
            break;
        case TOK_HEX:
            p = read_hex(r, p);
            break;
        case TOK_UTF8:
            p = read_utf8(r, p);
            break;
        case TOK_WORD:
            p = read_word(r, p, end);
            break;
        default:
            p = json_skip_spaces(r, p, end);
            p = json_read_quick(r, p, end);
            if (p < end && !r->skip_line && !drops(r, p) && !(class_at(p) & C_SPACE)) {
                p = read_structure(r, p);
            }
            break;
        }
        if ((r->depth || r->token_type != TOK_NONE) &&
            offset_of(r, p) - r->value_start > r->limits.bytes) {
            fail_at(r, offset_of(r, p), ERR_JSON_LIMIT, "value of more than %zu bytes",
                    r->limits.bytes);
        }
        if (!r->stream && r->last > 1) {
            break;                      /* an error behind the value */
        }
        if (!r->stream && r->last == 1 && r->results[0].err) {
            break;
        }
    }
    r->base += len;
}

void json_reader_end(JsonReader *r)
{
    r->piece = "";
    if (r->token_type == TOK_WORD) {
        word_done(r);
    }
    if (r->depth || r->token_type != TOK_NONE) {
        fail_at(r, r->base, ERR_JSON_SYNTAX, "the text ends inside of %s",
                r->token_type != TOK_NONE ? "a string" : in_dict(r) ? "an object" : "an array");
    } else if (!r->stream && r->last == 0) {
        fail_at(r, r->base, ERR_JSON_SYNTAX, "expected a value, found the end of the text");
    }
}

bool json_reader_next(JsonReader *r, QObject **value, Error **err)
{
    Result res;

    if (r->first == r->last) {
        return false;
    }
    res = r->results[r->first++];
    if (r->first == r->last) {
        r->first = r->last = 0;
    }
    *value = res.value;
    *err = res.err;
    return true;
}

/* ------------------------------------------------------------- lifetime */

static void reader_init(JsonReader *r, const JsonLimits *limits)
{
    *r = (JsonReader){
        .limits = { JSON_DEPTH_DEFAULT, JSON_BYTES_DEFAULT, JSON_VALUES_DEFAULT },
        .line = 1,
    };
    if (limits) {
        r->limits.depth = limits->depth ? limits->depth : JSON_DEPTH_DEFAULT;
        r->limits.bytes = limits->bytes ? limits->bytes : JSON_BYTES_DEFAULT;
        r->limits.values = limits->values ? MIN(limits->values, UINT32_MAX / 2) : JSON_VALUES_DEFAULT;
    }
}

static void reader_cleanup(JsonReader *r)
{
    drop(r);
    while (r->first < r->last) {
        qobject_unref(r->results[r->first].value);
        error_free(r->results[r->first].err);
        r->first++;
    }
    json_forget_all(r);
    free(r->entries);
    free(r->results);
    free(r->stack);
    strbuf_free(&r->token);
}

JsonReader *json_reader_new(const JsonLimits *limits)
{
    JsonReader *r = qobject_alloc(sizeof(*r));

    reader_init(r, limits);
    r->stream = true;
    return r;
}

void json_reader_free(JsonReader *r)
{
    if (r) {
        reader_cleanup(r);
        free(r);
    }
}

/* -------------------------------------------------------- whole buffers */

static QObject *read_whole(JsonReader *r, const char *text, size_t len, Error **errp)
{
    QObject *value = NULL;

    json_reader_feed(r, text, len);
    json_reader_end(r);
    /* The first error counts, and spoils a value before it. */
    for (size_t i = 0; i < r->last; i++) {
        if (r->results[i].err) {
            error_propagate(errp, r->results[i].err);
            r->results[i].err = NULL;
            reader_cleanup(r);
            return NULL;
        }
    }
    value = r->results[0].value;
    r->results[0].value = NULL;
    reader_cleanup(r);
    return value;
}

QObject *json_parse_len(const char *text, size_t len, Error **errp)
{
    JsonReader r;

    reader_init(&r, NULL);
    return read_whole(&r, text, len, errp);
}

QObject *json_parse(const char *text, Error **errp)
{
    return json_parse_len(text, strlen(text), errp);
}

QDict *json_parse_dict(const char *text, Error **errp)
{
    QObject *o = json_parse(text, errp);
    QDict *d = qobject_to_dict(o);

    if (o && !d) {
        error_setf(errp, ERR_WRONG_TYPE, "JSON: the value is of type %s; expected: object",
                   qobject_type_text(o));
        qobject_unref(o);
    }
    return d;
}

/* ------------------------------------------------------------- literals */

QObject *qobject_from_vfmt(const char *fmt, va_list ap)
{
    JsonReader r;
    Error *err = NULL;
    QObject *o;
    va_list args;

    reader_init(&r, NULL);
    va_copy(args, ap);
    r.literal = true;
    r.args = &args;
    o = read_whole(&r, fmt, strlen(fmt), &err);
    va_end(args);
    if (!o) {
        fprintf(stderr, "qobject_from_fmt(\"%s\"): %s\n", fmt, error_message(err));
        abort();
    }
    return o;
}

QObject *qobject_from_fmt(const char *fmt, ...)
{
    va_list ap;
    QObject *o;

    va_start(ap, fmt);
    o = qobject_from_vfmt(fmt, ap);
    va_end(ap);
    return o;
}

QDict *qdict_from_fmt(const char *fmt, ...)
{
    va_list ap;
    QObject *o;

    va_start(ap, fmt);
    o = qobject_from_vfmt(fmt, ap);
    va_end(ap);
    assert(o->type == QTYPE_DICT);
    return qobject_to_dict(o);
}

QList *qlist_from_fmt(const char *fmt, ...)
{
    va_list ap;
    QObject *o;

    va_start(ap, fmt);
    o = qobject_from_vfmt(fmt, ap);
    va_end(ap);
    assert(o->type == QTYPE_LIST);
    return qobject_to_list(o);
}
