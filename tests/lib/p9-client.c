/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/p9-client.h"

#include <glib.h>
#include "util/bswap.h"
#include "util/main-loop.h"

typedef struct Call {
    P9Io io;
    bool done;
    size_t len;
} Call;

static void call_done(P9Io *io, size_t len)
{
    Call *call = container_of(io, Call, io);

    call->len = len;
    call->done = true;
}

uint8_t p9_client_raw(P9Client *c, const void *message, size_t len)
{
    /* In odd pieces, as a driver may. */
    struct iovec out[3] = { { (void *)message, MIN(len, 5) },
                            { (uint8_t *)message + MIN(len, 5), len > 5 ? MIN(len - 5, 20) : 0 },
                            { (uint8_t *)message + MIN(len, 25), len > 25 ? len - 25 : 0 } };
    struct iovec in[2] = { { c->ans, MIN(c->room, 11) },
                           { c->ans + MIN(c->room, 11), c->room > 11 ? c->room - 11 : 0 } };
    Call call = { .io = { .out = out, .n_out = 3, .out_bytes = len, .in = in, .n_in = 2, .in_bytes = c->room,
                          .done = call_done } };

    p9_request(c->p9, &call.io);
    main_loop_run_until(&call.done);
    c->len = call.len;
    return c->len ? c->ans[4] : 0;
}

int p9_client(P9Client *c, uint8_t type, const char *fmt, ...)
{
    g_autoptr(GByteArray) m = g_byte_array_new();
    uint8_t raw[8] = { 0 }, got;
    va_list ap;

    raw[4] = type;
    raw[5] = 1;
    g_byte_array_append(m, raw, 7);
    va_start(ap, fmt);
    for (; *fmt; fmt++) {
        const char *s;
        size_t n;

        switch (*fmt) {
        case 'b': case 'h': case 'w':
            store_le64(raw, va_arg(ap, unsigned));
            g_byte_array_append(m, raw, *fmt == 'b' ? 1 : *fmt == 'h' ? 2 : 4);
            break;
        case 'q':
            store_le64(raw, va_arg(ap, uint64_t));
            g_byte_array_append(m, raw, 8);
            break;
        case 's':
            s = va_arg(ap, const char *);
            store_le16(raw, (uint16_t)strlen(s));
            g_byte_array_append(m, raw, 2);
            g_byte_array_append(m, (const uint8_t *)s, (guint)strlen(s));
            break;
        case 'D':
            n = va_arg(ap, size_t);
            g_byte_array_append(m, va_arg(ap, const uint8_t *), (guint)n);
            break;
        }
    }
    va_end(ap);
    store_le32(m->data, m->len);
    got = p9_client_raw(c, m->data, m->len);
    if (!got) {
        return -1;
    }
    if (got == 7) {                             /* Rlerror */
        return (int)p9_ans(c, 0, 4);
    }
    if (got == 107) {                           /* Rerror */
        return (int)p9_ans(c, 2 + p9_ans(c, 0, 2), 4);
    }
    return got == type + 1 ? 0 : -1;
}

uint64_t p9_ans(const P9Client *c, size_t offset, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes && 7 + offset + i < c->len; i++) {
        v |= (uint64_t)c->ans[7 + offset + i] << 8 * i;
    }
    return v;
}

int p9_client_start(P9Client *c, const char *version)
{
    int r = p9_client(c, 100, "ws", 65536u, version);

    return r ? r : p9_client(c, 104, "wwssw", 0u, UINT32_MAX, "root", "", 0u);
}
