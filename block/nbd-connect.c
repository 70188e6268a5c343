/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver "nbd": a connection to a server is made (P "Newstyle negotiation"). */
#include "util/osdep.h"
#include <glib.h>
#include <unistd.h>
#include "block/nbd-client.h"
#include "qapi/sockets.h"
#include "util/bswap.h"
#include "util/thread-pool.h"

/* One reply to an option; its data is owned by the caller, with a NUL behind it. */
static bool coroutine_fn option_reply(NbdLink *l, uint32_t option, uint32_t *type, uint8_t **data,
                                      uint32_t *len, Error **errp)
{
    uint8_t head[20];

    if (!nbd_read(&l->st, head, sizeof(head), errp)) {
        return false;
    }
    *type = load_be32(head + 12);
    *len = load_be32(head + 16);
    if (load_be64(head) != NBD_REP_MAGIC || load_be32(head + 8) != option || *len > 64 * 1024) {
        error_setf(errp, ERR_PROTOCOL, "the server's answer makes no sense");
        return false;
    }
    *data = g_malloc0(*len + 1);
    if (!nbd_read(&l->st, *data, *len, errp)) {
        g_free(*data);
        return false;
    }
    return true;
}

static bool coroutine_fn send_option(NbdLink *l, uint32_t option, const void *data, uint32_t len, Error **errp)
{
    uint8_t head[16];
    struct iovec v[2] = { { head, sizeof(head) }, { (void *)data, len } };

    store_be64(head, NBD_OPTS_MAGIC);
    store_be32(head + 8, option);
    store_be32(head + 12, len);
    return nbd_writev(&l->st, v, 2, errp);
}

static bool coroutine_fn start_tls(NbdLink *l, const NbdTarget *t, Error **errp)
{
    uint32_t type, len;
    uint8_t *data;

    if (!send_option(l, NBD_OPT_STARTTLS, NULL, 0, errp) ||
        !option_reply(l, NBD_OPT_STARTTLS, &type, &data, &len, errp)) {
        return false;
    }
    g_free(data);
    if (type != NBD_REP_ACK) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Server does not support STARTTLS");
        return false;
    }
    return nbd_start_tls(&l->st, t->creds, t->hostname, NULL, errp);
}

/* P "Option types", NBD_OPT_EXPORT_NAME: for servers that don't know GO. */
static bool coroutine_fn old_name(NbdLink *l, const NbdTarget *t, bool no_zeroes, Error **errp)
{
    uint8_t b[10];

    if (!send_option(l, NBD_OPT_EXPORT_NAME, t->export, strlen(t->export), errp) ||
        !nbd_read(&l->st, b, sizeof(b), errp) || (!no_zeroes && !nbd_skip(&l->st, 124, errp))) {
        return false;
    }
    l->size = load_be64(b);
    l->flags = load_be16(b + 8);
    return true;
}

static bool coroutine_fn go(NbdLink *l, const NbdTarget *t, bool no_zeroes, Error **errp)
{
    uint32_t name = strlen(t->export), type, len;
    uint8_t *b = g_malloc0(name + 6), *data;
    bool ok, got = false;

    store_be32(b, name);
    memcpy(b + 4, t->export, name);
    ok = send_option(l, NBD_OPT_GO, b, name + 6, errp);
    g_free(b);
    while (ok) {
        ok = option_reply(l, NBD_OPT_GO, &type, &data, &len, errp);
        if (!ok) {
            break;
        }
        if (type == NBD_REP_INFO && len >= 12 && load_be16(data) == NBD_INFO_EXPORT) {
            l->size = load_be64(data + 2);
            l->flags = load_be16(data + 10);
            got = true;
        } else if (type == NBD_REP_ACK) {
            g_free(data);
            if (!got) {
                error_setf(errp, ERR_PROTOCOL, "the server tells no size");
            }
            return got;
        } else if (type == NBD_REP_ERR_UNSUP) {
            g_free(data);
            return old_name(l, t, no_zeroes, errp);
        } else if (type == NBD_REP_ERR_UNKNOWN) {
            error_setf(errp, ERR_NO_SUCH_OBJECT, "export '%s' not present", t->export);
            ok = false;
        } else if (type == NBD_REP_ERR_TLS_REQD) {
            error_setf(errp, ERR_PERMISSION, "the server wants TLS: option 'tls-creds'");
            ok = false;
        } else if (type != NBD_REP_INFO) {
            error_setf(errp, ERR_PROTOCOL, "the server refuses (0x%08x): %s", type, data);
            ok = false;
        }
        g_free(data);
    }
    return false;
}

/* A server that hasn't got it says so. */
static bool coroutine_fn ask_structured(NbdLink *l, Error **errp)
{
    uint32_t type, len;
    uint8_t *data;

    if (!send_option(l, NBD_OPT_STRUCTURED_REPLY, NULL, 0, errp) ||
        !option_reply(l, NBD_OPT_STRUCTURED_REPLY, &type, &data, &len, errp)) {
        return false;
    }
    g_free(data);
    l->structured = type == NBD_REP_ACK;
    return true;
}

/* P "Metadata querying": one context, by its whole name. Refused, or unknown: the disk has no status. */
static bool coroutine_fn ask_context(NbdLink *l, const NbdTarget *t, Error **errp)
{
    uint32_t name = strlen(t->export), query = strlen(t->context), type = NBD_REP_META_CONTEXT, len;
    uint8_t *b, *data;
    bool ok;

    if (!l->structured) {
        return true;
    }
    b = g_malloc(12 + name + query);
    store_be32(b, name);
    memcpy(b + 4, t->export, name);
    store_be32(b + 4 + name, 1);
    store_be32(b + 8 + name, query);
    memcpy(b + 12 + name, t->context, query);
    ok = send_option(l, NBD_OPT_SET_META_CONTEXT, b, 12 + name + query, errp);
    g_free(b);
    while (ok && type == NBD_REP_META_CONTEXT) {
        ok = option_reply(l, NBD_OPT_SET_META_CONTEXT, &type, &data, &len, errp);
        if (!ok) {
            break;
        }
        if (type == NBD_REP_META_CONTEXT && len == 4 + query && memcmp(data + 4, t->context, query) == 0) {
            l->has_context = true;
            l->context = load_be32(data);
        }
        g_free(data);
    }
    return ok;
}

static bool coroutine_fn negotiate(NbdLink *l, const NbdTarget *t, Error **errp)
{
    uint8_t b[18];
    uint16_t flags;

    if (!nbd_read(&l->st, b, sizeof(b), errp)) {
        return false;
    }
    flags = load_be16(b + 16);
    if (load_be64(b) != NBD_MAGIC || load_be64(b + 8) != NBD_OPTS_MAGIC || !(flags & NBD_FLAG_FIXED_NEWSTYLE)) {
        error_setf(errp, ERR_PROTOCOL, "the server isn't one of the fixed newstyle");
        return false;
    }
    flags &= NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES;
    store_be32(b, flags);
    return nbd_write(&l->st, b, 4, errp) && (!t->creds || start_tls(l, t, errp)) &&
           ask_structured(l, errp) && ask_context(l, t, errp) && go(l, t, flags & NBD_FLAG_NO_ZEROES, errp);
}

/* --- the socket --- */

typedef struct Start {
    const SocketAddress *address;
    bool in_progress;
    Error *err;
} Start;

/* In a worker: a name is looked up. */
static int start(void *opaque)
{
    Start *s = opaque;

    return socket_connect_start(s->address, &s->in_progress, &s->err);
}

static bool coroutine_fn open_socket(NbdLink *l, const SocketAddress *a, Error **errp)
{
    Start s = { .address = a };
    int err = 0;

    l->st.fd = a->type == SOCKET_ADDRESS_TYPE_INET ? thread_pool_co(start, &s) : start(&s);
    if (l->st.fd < 0) {
        error_propagate(errp, s.err);
        l->st.fd = -1;
        return false;
    }
    if (s.in_progress) {
        co_wait_fd(l->st.fd, FD_WRITE);
        err = socket_connect_result(l->st.fd);
    }
    if (err) {
        char *text = socket_address_text(a);

        error_set_errno(errp, err, "can't connect to '%s'", text);
        free(text);
        return false;
    }
    socket_set_nodelay(l->st.fd, true);
    return true;
}

bool coroutine_fn nbd_connect(NbdLink *l, const NbdTarget *t, Error **errp)
{
    *l = (NbdLink){ .st.fd = -1 };
    if (open_socket(l, t->address, errp) && negotiate(l, t, errp)) {
        if (l->size <= INT64_MAX) {
            return true;
        }
        error_setf(errp, ERR_PROTOCOL, "the server says that the disk has %" PRIu64 " bytes", l->size);
    }
    nbd_link_close(l);
    return false;
}

void nbd_link_close(NbdLink *l)
{
    nbd_stream_close(&l->st);
}
