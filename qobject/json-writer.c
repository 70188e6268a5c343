/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "qobject/json.h"
#include "qobject/strbuf.h"
#include "qobject/utf8.h"
#include <locale.h>
#include <math.h>

struct JsonWriter {
    StrBuf out;
    bool pretty;
    bool first;                 /* nothing yet in the innermost container */
    unsigned depth;
};

JsonWriter *json_writer_new(JsonStyle style)
{
    JsonWriter *w = qobject_alloc(sizeof(*w));

    w->pretty = style == JSON_PRETTY;
    w->first = true;
    return w;
}

void json_writer_free(JsonWriter *w)
{
    if (w) {
        strbuf_free(&w->out);
        free(w);
    }
}

static void new_line(JsonWriter *w)
{
    strbuf_add_char(&w->out, '\n');
    for (unsigned i = 0; i < w->depth; i++) {
        strbuf_add(&w->out, "    ", 4);
    }
}

static const char hex[] = "0123456789abcdef";

static void add_u(StrBuf *b, unsigned unit)
{
    char u[6] = { '\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15],
                  hex[unit >> 4 & 15], hex[unit & 15] };

    strbuf_add(b, u, sizeof(u));
}

static void add_string(StrBuf *b, const char *s, size_t len)
{
    const char *end = s + len;

    strbuf_reserve(b, len + 2);
    strbuf_add_char(b, '"');
    while (s < end) {
        const char *plain = s;
        unsigned char c;
        uint32_t cp;

        while (s < end && (c = *s) >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            s++;
        }
        strbuf_add(b, plain, s - plain);
        if (s == end) {
            break;
        }
        c = *s;
        switch (c) {
        case '"':   strbuf_add(b, "\\\"", 2); s++; continue;
        case '\\':  strbuf_add(b, "\\\\", 2); s++; continue;
        case '\b':  strbuf_add(b, "\\b", 2); s++; continue;
        case '\f':  strbuf_add(b, "\\f", 2); s++; continue;
        case '\n':  strbuf_add(b, "\\n", 2); s++; continue;
        case '\r':  strbuf_add(b, "\\r", 2); s++; continue;
        case '\t':  strbuf_add(b, "\\t", 2); s++; continue;
        default:    break;
        }
        s += utf8_decode(s, end - s, &cp);
        if (cp >= 0x10000) {            /* RFC 8259 section 7: a pair of surrogates */
            add_u(b, 0xd800 + ((cp - 0x10000) >> 10));
            add_u(b, 0xdc00 + (cp & 0x3ff));
        } else {
            add_u(b, cp);
        }
    }
    strbuf_add_char(b, '"');
}

/* What comes before a value: comma, line break, name. */
static void before(JsonWriter *w, const char *name)
{
    if (!w->first) {
        strbuf_add(&w->out, ", ", w->pretty ? 1 : 2);
    }
    if (w->pretty && w->depth) {
        new_line(w);
    }
    if (name) {
        add_string(&w->out, name, strlen(name));
        strbuf_add(&w->out, ": ", 2);
    }
    w->first = false;
}

static void begin(JsonWriter *w, const char *name, char c)
{
    before(w, name);
    strbuf_add_char(&w->out, c);
    w->depth++;
    w->first = true;
}

static void end(JsonWriter *w, char c)
{
    assert(w->depth);
    w->depth--;
    if (w->pretty && !w->first) {
        new_line(w);
    }
    strbuf_add_char(&w->out, c);
    w->first = false;
}

void json_writer_begin_dict(JsonWriter *w, const char *name)
{
    begin(w, name, '{');
}

void json_writer_end_dict(JsonWriter *w)
{
    end(w, '}');
}

void json_writer_begin_list(JsonWriter *w, const char *name)
{
    begin(w, name, '[');
}

void json_writer_end_list(JsonWriter *w)
{
    end(w, ']');
}

void json_writer_null(JsonWriter *w, const char *name)
{
    before(w, name);
    strbuf_add_str(&w->out, "null");
}

void json_writer_bool(JsonWriter *w, const char *name, bool value)
{
    before(w, name);
    strbuf_add_str(&w->out, value ? "true" : "false");
}

void json_writer_int(JsonWriter *w, const char *name, int64_t value)
{
    before(w, name);
    strbuf_printf(&w->out, "%" PRId64, value);
}

void json_writer_uint(JsonWriter *w, const char *name, uint64_t value)
{
    before(w, name);
    strbuf_printf(&w->out, "%" PRIu64, value);
}

void json_writer_double(JsonWriter *w, const char *name, double value)
{
    char text[40];
    locale_t c, old;

    if (!isfinite(value)) {
        json_writer_null(w, name);
        return;
    }
    before(w, name);
    /* The program's locale may have another decimal point. */
    c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    old = uselocale(c);
    for (int digits = 15; digits <= 17; digits++) {     /* the shortest that reads back */
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    uselocale(old);
    freelocale(c);
    strbuf_add_str(&w->out, text);
    if (!strpbrk(text, ".e")) {
        strbuf_add_str(&w->out, ".0");  /* so that it reads back as a double */
    }
}

void json_writer_str(JsonWriter *w, const char *name, const char *value)
{
    before(w, name);
    add_string(&w->out, value, strlen(value));
}

void json_writer_value(JsonWriter *w, const char *name, const QObject *o)
{
    const QNum *n;
    const QString *s;

    switch (o->type) {
    case QTYPE_NULL:
        json_writer_null(w, name);
        break;
    case QTYPE_BOOL:
        json_writer_bool(w, name, qbool_value(o));
        break;
    case QTYPE_NUMBER:
        n = qobject_to_num(o);
        if (n->kind == QNUM_I64) {
            json_writer_int(w, name, n->u.i64);
        } else if (n->kind == QNUM_U64) {
            json_writer_uint(w, name, n->u.u64);
        } else {
            json_writer_double(w, name, n->u.dbl);
        }
        break;
    case QTYPE_STRING:
        s = qobject_to_string(o);
        before(w, name);
        add_string(&w->out, s->str, s->len);
        break;
    case QTYPE_LIST:
        json_writer_begin_list(w, name);
        QLIST_FOR_EACH(item, qobject_to_list(o)) {
            json_writer_value(w, NULL, item);
        }
        json_writer_end_list(w);
        break;
    default:
        json_writer_begin_dict(w, name);
        QDICT_FOR_EACH(e, qobject_to_dict(o)) {
            json_writer_value(w, e->key, e->value);
        }
        json_writer_end_dict(w);
        break;
    }
}

const char *json_writer_text(const JsonWriter *w, size_t *len)
{
    if (len) {
        *len = w->out.len;
    }
    return strbuf_text(&w->out);
}

char *json_writer_finish(JsonWriter *w)
{
    char *text = strbuf_take(&w->out);

    json_writer_free(w);
    return text;
}

char *json_write(const QObject *o, JsonStyle style)
{
    JsonWriter *w = json_writer_new(style);

    json_writer_value(w, NULL, o);
    return json_writer_finish(w);
}

void qobject_dump(const void *o)
{
    char *text = o ? json_write(o, JSON_PRETTY) : NULL;

    fprintf(stderr, "%s\n", text ? text : "(NULL)");
    free(text);
}
