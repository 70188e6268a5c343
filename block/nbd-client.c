/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver "nbd": a disk that a server has. Requests of any loop queue up; one coroutine of the main loop
 * sends them and one receives the answers. After an error of the connection all fail.
 */
#include "util/osdep.h"
#include <glib.h>
#include "block/nbd.h"
#include "qapi/sockets.h"
#include "util/bswap.h"
#include "util/iov.h"

typedef struct Wait {
    uint16_t type, flags;
    uint64_t cookie, offset;
    uint32_t len;
    const struct iovec *iov;
    size_t niov;
    Coroutine *co;
    int result;
    struct Wait *next;
} Wait;

typedef struct NbdClient {
    NbdStream st;
    TlsCreds *creds;                /* a reference, or NULL */
    char *export, *hostname;
    uint64_t size;
    uint16_t flags;
    Mutex lock;                     /* guards the queue */
    Wait *queue, **last;            /* to be sent */
    Wait *sent;                     /* main loop: waiting for answers */
    BottomHalf *kick;
    Coroutine *sender;              /* it waits for work; NULL: it doesn't */
    unsigned coroutines;            /* that run */
    uint64_t cookies;
    bool broken, closing;
} NbdClient;

/* --- requests --- */

static void kick_sender(void *opaque)
{
    NbdClient *s = opaque;
    Coroutine *co = s->sender;

    if (co) {
        s->sender = NULL;
        co_enter(co);
    }
}

static Wait *next_to_send(NbdClient *s)
{
    Wait *w;

    MUTEX_GUARD(&s->lock);
    w = s->queue;
    if (w) {
        s->queue = w->next;
        s->last = s->queue ? s->last : &s->queue;
    }
    return w;
}

static void fail_all(NbdClient *s)
{
    Wait *lists[2], *next;

    mutex_lock(&s->lock);
    s->broken = true;
    lists[0] = s->queue;
    s->queue = NULL;
    s->last = &s->queue;
    mutex_unlock(&s->lock);
    lists[1] = s->sent;
    s->sent = NULL;
    for (int i = 0; i < 2; i++) {
        for (Wait *w = lists[i]; w; w = next) {
            next = w->next;
            w->result = -EIO;
            co_wake(w->co);
        }
    }
    nbd_shut(&s->st);
    kick_sender(s);
}

static bool coroutine_fn send_one(NbdClient *s, Wait *w)
{
    uint8_t head[NBD_REQUEST_BYTES];
    size_t n = w->type == NBD_CMD_WRITE ? w->niov : 0;
    struct iovec *v = g_new(struct iovec, n + 1);
    bool ok;

    w->cookie = ++s->cookies;
    w->next = s->sent;
    s->sent = w;
    store_be32(head, NBD_REQUEST_MAGIC);
    store_be16(head + 4, w->flags);
    store_be16(head + 6, w->type);
    store_be64(head + 8, w->cookie);
    store_be64(head + 16, w->offset);
    store_be32(head + 24, w->len);
    v[0] = (struct iovec){ head, sizeof(head) };
    if (n) {
        memcpy(v + 1, w->iov, n * sizeof(*v));
    }
    ok = nbd_writev(&s->st, v, n + 1, NULL);
    g_free(v);
    return ok;
}

static void coroutine_fn sender_entry(void *opaque)
{
    NbdClient *s = opaque;

    while (!s->closing && !s->broken) {
        Wait *w = next_to_send(s);

        if (!w) {
            s->sender = co_self();
            co_yield();
        } else if (!send_one(s, w)) {
            fail_all(s);
        }
    }
    if (s->closing && !s->broken) {
        uint8_t head[NBD_REQUEST_BYTES] = { 0 };

        store_be32(head, NBD_REQUEST_MAGIC);
        store_be16(head + 6, NBD_CMD_DISC);
        nbd_write(&s->st, head, sizeof(head), NULL);
        nbd_shut(&s->st);
    }
    s->coroutines--;
}

static Wait *take_sent(NbdClient *s, uint64_t cookie)
{
    for (Wait **pp = &s->sent; *pp; pp = &(*pp)->next) {
        if ((*pp)->cookie == cookie) {
            Wait *w = *pp;

            *pp = w->next;
            return w;
        }
    }
    return NULL;
}

static bool coroutine_fn receive_one(NbdClient *s)
{
    uint8_t head[NBD_REPLY_BYTES];
    bool ok = true;
    Wait *w;

    if (!nbd_read(&s->st, head, sizeof(head), NULL) || load_be32(head) != NBD_REPLY_MAGIC) {
        return false;
    }
    w = take_sent(s, load_be64(head + 8));
    if (!w) {
        return false;
    }
    w->result = -nbd_errno(load_be32(head + 4));
    if (w->result == 0 && w->type == NBD_CMD_READ) {
        ok = nbd_readv(&s->st, w->iov, w->niov, NULL);
        w->result = ok ? 0 : -EIO;
    }
    co_wake(w->co);
    return ok;
}

static void coroutine_fn receiver_entry(void *opaque)
{
    NbdClient *s = opaque;

    while (receive_one(s)) {
    }
    fail_all(s);
    s->coroutines--;
}

static int coroutine_fn request(NbdClient *s, uint16_t type, uint16_t flags, uint64_t offset, uint32_t len,
                                const struct iovec *iov, size_t niov)
{
    Wait w = { .type = type, .flags = flags, .offset = offset, .len = len, .iov = iov, .niov = niov,
               .co = co_self() };

    mutex_lock(&s->lock);
    if (s->broken) {
        mutex_unlock(&s->lock);
        return -EIO;
    }
    *s->last = &w;
    s->last = &w.next;
    mutex_unlock(&s->lock);
    bh_schedule(s->kick);
    co_yield();
    return w.result;
}

/* Pieces of what one request may carry. */
static int coroutine_fn data(BlockNode *n, uint16_t type, uint64_t offset, const struct iovec *iov, size_t niov)
{
    size_t len = iov_size(iov, niov), done = 0;
    struct iovec *part;
    int r = 0;

    if (len <= NBD_DATA_MAX) {
        return len ? request(n->state, type, 0, offset, len, iov, niov) : 0;
    }
    part = g_new(struct iovec, niov + 1);
    while (r == 0 && done < len) {
        size_t now = MIN(len - done, (size_t)NBD_DATA_MAX);
        size_t count = iov_slice(part, niov, iov, niov, done, now);

        r = request(n->state, type, 0, offset + done, now, part, count);
        done += now;
    }
    g_free(part);
    return r;
}

static int coroutine_fn nbd_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    return data(n, NBD_CMD_READ, offset, iov, niov);
}

static int coroutine_fn nbd_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    return data(n, NBD_CMD_WRITE, offset, iov, niov);
}

static int coroutine_fn nbd_co_flush(BlockNode *n)
{
    NbdClient *s = n->state;

    return s->flags & NBD_SEND_FLUSH ? request(s, NBD_CMD_FLUSH, 0, 0, 0, NULL, 0) : 0;
}

static int coroutine_fn without_data(NbdClient *s, uint16_t type, uint16_t flags, uint64_t offset, uint64_t len)
{
    int r = 0;

    while (r == 0 && len > 0) {
        uint32_t now = MIN(len, UINT64_C(1) << 30);

        r = request(s, type, flags, offset, now, NULL, 0);
        offset += now;
        len -= now;
    }
    return r;
}

static int coroutine_fn nbd_co_discard(BlockNode *n, uint64_t offset, uint64_t len)
{
    NbdClient *s = n->state;

    return s->flags & NBD_SEND_TRIM ? without_data(s, NBD_CMD_TRIM, 0, offset, len) : 0;
}

static int coroutine_fn nbd_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    NbdClient *s = n->state;

    return s->flags & NBD_SEND_WRITE_ZEROES
           ? without_data(s, NBD_CMD_WRITE_ZEROES, flags & BLOCK_ZERO_UNMAP ? 0 : NBD_CMD_NO_HOLE, offset, len)
           : -ENOTSUP;
}

static int64_t nbd_length(BlockNode *n)
{
    return ((NbdClient *)n->state)->size;
}

/* --- negotiation --- */

/* One reply to an option; its data is owned by the caller, with a NUL behind it. */
static bool coroutine_fn option_reply(NbdClient *s, uint32_t option, uint32_t *type, uint8_t **data,
                                      uint32_t *len, Error **errp)
{
    uint8_t head[20];

    if (!nbd_read(&s->st, head, sizeof(head), errp)) {
        return false;
    }
    *type = load_be32(head + 12);
    *len = load_be32(head + 16);
    if (load_be64(head) != NBD_REP_MAGIC || load_be32(head + 8) != option || *len > 64 * 1024) {
        error_setf(errp, ERR_PROTOCOL, "the server's answer makes no sense");
        return false;
    }
    *data = g_malloc0(*len + 1);
    if (!nbd_read(&s->st, *data, *len, errp)) {
        g_free(*data);
        return false;
    }
    return true;
}

static bool coroutine_fn send_option(NbdClient *s, uint32_t option, const void *data, uint32_t len, Error **errp)
{
    uint8_t head[16];
    struct iovec v[2] = { { head, sizeof(head) }, { (void *)data, len } };

    store_be64(head, NBD_OPTS_MAGIC);
    store_be32(head + 8, option);
    store_be32(head + 12, len);
    return nbd_writev(&s->st, v, 2, errp);
}

static bool coroutine_fn start_tls(NbdClient *s, Error **errp)
{
    uint32_t type, len;
    uint8_t *data;

    if (!send_option(s, NBD_OPT_STARTTLS, NULL, 0, errp) ||
        !option_reply(s, NBD_OPT_STARTTLS, &type, &data, &len, errp)) {
        return false;
    }
    g_free(data);
    if (type != NBD_REP_ACK) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Server does not support STARTTLS");
        return false;
    }
    return nbd_start_tls(&s->st, s->creds, s->hostname, NULL, errp);
}

/* P "Option types", NBD_OPT_EXPORT_NAME: for servers that don't know GO. */
static bool coroutine_fn old_name(NbdClient *s, bool no_zeroes, Error **errp)
{
    uint8_t b[10];

    if (!send_option(s, NBD_OPT_EXPORT_NAME, s->export, strlen(s->export), errp) ||
        !nbd_read(&s->st, b, sizeof(b), errp) || (!no_zeroes && !nbd_skip(&s->st, 124, errp))) {
        return false;
    }
    s->size = load_be64(b);
    s->flags = load_be16(b + 8);
    return true;
}

static bool coroutine_fn go(NbdClient *s, bool no_zeroes, Error **errp)
{
    uint32_t name = strlen(s->export), type, len;
    uint8_t *b = g_malloc0(name + 6), *data;
    bool ok, got = false;

    store_be32(b, name);
    memcpy(b + 4, s->export, name);
    ok = send_option(s, NBD_OPT_GO, b, name + 6, errp);
    g_free(b);
    while (ok) {
        ok = option_reply(s, NBD_OPT_GO, &type, &data, &len, errp);
        if (!ok) {
            break;
        }
        if (type == NBD_REP_INFO && len >= 12 && load_be16(data) == NBD_INFO_EXPORT) {
            s->size = load_be64(data + 2);
            s->flags = load_be16(data + 10);
            got = true;
        } else if (type == NBD_REP_ACK) {
            g_free(data);
            if (!got) {
                error_setf(errp, ERR_PROTOCOL, "the server tells no size");
            }
            return got;
        } else if (type == NBD_REP_ERR_UNSUP) {
            g_free(data);
            return old_name(s, no_zeroes, errp);
        } else if (type == NBD_REP_ERR_UNKNOWN) {
            error_setf(errp, ERR_NO_SUCH_OBJECT, "export '%s' not present", s->export);
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

static bool coroutine_fn negotiate(NbdClient *s, Error **errp)
{
    uint8_t b[18];
    uint16_t flags;

    if (!nbd_read(&s->st, b, sizeof(b), errp)) {
        return false;
    }
    flags = load_be16(b + 16);
    if (load_be64(b) != NBD_MAGIC || load_be64(b + 8) != NBD_OPTS_MAGIC || !(flags & NBD_FLAG_FIXED_NEWSTYLE)) {
        error_setf(errp, ERR_PROTOCOL, "the server isn't one of the fixed newstyle");
        return false;
    }
    flags &= NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES;
    store_be32(b, flags);
    return nbd_write(&s->st, b, 4, errp) && (!s->creds || start_tls(s, errp)) &&
           go(s, flags & NBD_FLAG_NO_ZEROES, errp);
}

typedef struct Open {
    NbdClient *s;
    Error **errp;
    bool ok;
} Open;

static void coroutine_fn open_entry(void *opaque)
{
    Open *o = opaque;

    o->ok = negotiate(o->s, o->errp);
}

/* --- opening --- */

/* A member of "server": of an object, or "server.KEY"; or as it was once given, without. */
static const char *server_option(const QDict *opts, const char *key)
{
    char *whole = g_strconcat("server.", key, NULL);
    QObject *flat = qdict_get(opts, whole);         /* a name with a dot, not a path */
    const char *text = flat ? qobject_get_str(flat, whole, NULL) : qdict_str_or(opts, whole, NULL);

    g_free(whole);
    return text ? text : strcmp(key, "type") ? qdict_str_or(opts, key, NULL) : NULL;
}

static SocketAddress *server_address(const QDict *opts, Error **errp)
{
    const char *type = server_option(opts, "type"), *path = server_option(opts, "path");
    const char *host = server_option(opts, "host"), *port = server_option(opts, "port");
    SocketAddress *a;
    char *text;

    if (!type) {
        type = path ? "unix" : "inet";
    }
    if (!strcmp(type, "unix") && path) {
        text = g_strdup_printf("unix:%s", path);
    } else if (!strcmp(type, "inet") && host) {
        text = g_strdup_printf(strchr(host, ':') ? "tcp:[%s]:%s" : "tcp:%s:%s", host, port ? port : "10809");
    } else if (!strcmp(type, "fd") && server_option(opts, "str")) {
        text = g_strdup_printf("fd:%s", server_option(opts, "str"));
    } else {
        error_setf(errp, ERR_MISSING_ARGUMENT, "NBD server address missing: 'server' with type inet (host, port) "
                   "or unix (path)");
        return NULL;
    }
    a = socket_address_parse(text, errp);
    g_free(text);
    return a;
}

static void forget(NbdClient *s)
{
    nbd_stream_close(&s->st);
    if (s->creds) {
        object_unref(s->creds);
    }
    g_free(s->export);
    g_free(s->hostname);
    mutex_destroy(&s->lock);
}

static void start(NbdClient *s)
{
    s->kick = bh_new_on(main_event_loop(), kick_sender, s);
    s->coroutines = 2;
    co_start(sender_entry, s);
    co_start(receiver_entry, s);
}

static bool nbd_open(BlockNode *n, const QDict *opts, Error **errp)
{
    NbdClient *s = n->state;
    const char *creds = qdict_str_or(opts, "tls-creds", NULL), *export = qdict_str_or(opts, "export", "");
    SocketAddress *a = server_address(opts, errp);
    Open o = { .s = s, .errp = errp };

    if (!a) {
        return false;
    }
    if (strlen(export) > NBD_NAME_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "export name too long to send to server");
        qapi_free_SocketAddress(a);
        return false;
    }
    s->st.fd = -1;
    s->last = &s->queue;
    mutex_init(&s->lock);
    s->export = g_strdup(export);
    s->hostname = g_strdup(qdict_str_or(opts, "tls-hostname", server_option(opts, "host")));
    n->filename = a->type == SOCKET_ADDRESS_TYPE_UNIX
                  ? g_strdup_printf("nbd+unix:///%s?socket=%s", export, server_option(opts, "path"))
                  : g_strdup_printf("nbd://%s:%s/%s", server_option(opts, "host"),
                                    server_option(opts, "port") ? server_option(opts, "port") : "10809", export);
    if (creds) {
        s->creds = tls_creds_get(creds, false, errp);
    }
    if (!creds || s->creds) {
        s->st.fd = socket_connect(a, errp);
    }
    qapi_free_SocketAddress(a);
    if (s->st.fd >= 0) {
        socket_set_nodelay(s->st.fd, true);
        block_run(open_entry, &o);
    }
    if (o.ok && s->flags & NBD_READ_ONLY && !n->read_only) {
        if (n->auto_read_only) {
            n->read_only = true;
        } else {
            error_setf(errp, ERR_PERMISSION, "request on read-only NBD export: the server doesn't allow writes");
            o.ok = false;
        }
    }
    if (o.ok && s->size > INT64_MAX) {
        error_setf(errp, ERR_PROTOCOL, "the server says that the disk has %" PRIu64 " bytes", s->size);
        o.ok = false;
    }
    if (!o.ok) {
        g_clear_pointer(&n->filename, g_free);
        forget(s);
        return false;
    }
    start(s);
    return true;
}

static void nbd_close(BlockNode *n)
{
    NbdClient *s = n->state;

    s->closing = true;
    kick_sender(s);
    while (s->coroutines) {
        main_loop_iterate(true);
    }
    bh_delete(s->kick);
    forget(s);
}

static const char *const nbd_options[] = { "server", "export", "tls-creds", "tls-hostname", "host", "port", "path",
                                           NULL };

static BlockDriver driver_nbd = {
    .name = "nbd", .options = nbd_options, .state_size = sizeof(NbdClient), .open = nbd_open,
    .close = nbd_close, .length = nbd_length, .co_preadv = nbd_co_preadv, .co_pwritev = nbd_co_pwritev,
    .co_flush = nbd_co_flush, .co_discard = nbd_co_discard, .co_zero = nbd_co_zero,
};

static void CONSTRUCTOR register_driver(void)
{
    block_driver_register(&driver_nbd);
}
