/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A string that grows. All zero is an empty one. Libc only; without memory the
 * program ends.
 */
#ifndef QOBJECT_STRBUF_H
#define QOBJECT_STRBUF_H

#include "util/osdep.h"

typedef struct StrBuf {
    char *s;                    /* owned; NUL-terminated if not NULL */
    size_t len, room;
} StrBuf;

/* Memory or the end of the program. */
void *qobject_alloc(size_t size);       /* zeroed */
void *qobject_realloc(void *p, size_t size);
char *qobject_strndup(const char *s, size_t len);

void strbuf_reserve(StrBuf *b, size_t more);
void strbuf_add(StrBuf *b, const char *s, size_t len);
void strbuf_add_str(StrBuf *b, const char *s);
void strbuf_printf(StrBuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
static inline void strbuf_add_char(StrBuf *b, char c)
{
    strbuf_add(b, &c, 1);
}
/* Never NULL; valid until the next change. */
static inline const char *strbuf_text(const StrBuf *b)
{
    return b->s ? b->s : "";
}
/* The text becomes the caller's, to free(); @b is empty then. Never NULL. */
char *strbuf_take(StrBuf *b);
void strbuf_free(StrBuf *b);

#endif
