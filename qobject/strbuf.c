/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "qobject/strbuf.h"

void *qobject_alloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p) {
        abort();
    }
    return p;
}

void *qobject_realloc(void *p, size_t size)
{
    p = realloc(p, size);
    if (!p) {
        abort();
    }
    return p;
}

char *qobject_strndup(const char *s, size_t len)
{
    char *copy = qobject_realloc(NULL, len + 1);

    memcpy(copy, s, len);
    copy[len] = 0;
    return copy;
}

void strbuf_reserve(StrBuf *b, size_t more)
{
    if (b->room - b->len <= more) {
        b->room = MAX(b->room + b->room / 2, b->len + more + 1);
        b->room = MAX(b->room, 32);
        b->s = qobject_realloc(b->s, b->room);
    }
}

void strbuf_add(StrBuf *b, const char *s, size_t len)
{
    if (len) {
        strbuf_reserve(b, len);
        memcpy(b->s + b->len, s, len);
        b->len += len;
        b->s[b->len] = 0;
    }
}

void strbuf_add_str(StrBuf *b, const char *s)
{
    strbuf_add(b, s, strlen(s));
}

void strbuf_printf(StrBuf *b, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    strbuf_reserve(b, n);
    va_start(ap, fmt);
    vsnprintf(b->s + b->len, n + 1, fmt, ap);
    va_end(ap);
    b->len += n;
}

char *strbuf_take(StrBuf *b)
{
    char *s = b->s ? b->s : qobject_strndup("", 0);

    *b = (StrBuf){ 0 };
    return s;
}

void strbuf_free(StrBuf *b)
{
    free(b->s);
    *b = (StrBuf){ 0 };
}
