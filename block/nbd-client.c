/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver "nbd": a disk that a server has. Requests of any loop queue up; one coroutine of the main loop sends them,
 * another receives the answers. When the connection is lost the latter makes it again, and until then requests
 * wait for up to reconnect-delay; those that had no answer are sent once more.
 */
#include "util/osdep.h"
#include <glib.h>
#include "block/nbd-client.h"
#include "qapi/sockets.h"
#include "util/bswap.h"
#include "util/iov.h"

/* Between attempts to connect: from the first to the last, each twice the one before. */
#define PAUSE_FIRST     (100 * NS_PER_MS)
#define PAUSE_LAST      (4000 * NS_PER_MS)

typedef struct NbdClient {
    NbdTarget target;
    NbdLink link;                   /* main loop's */
    uint64_t size;                  /* the rest of the disk's properties stay what they were at first */
    uint16_t flags;
    bool structured, has_context;
    int64_t delay_ns;               /* reconnect-delay; 0: nothing waits */
    Mutex lock;                     /* guards the queue and @fails */
    NbdWait *queue, **last;         /* to be sent */
    bool fails;                     /* there is no connection, and requests don't wait for one */
    NbdWait *sent;                  /* main loop: waiting for answers */
    BottomHalf *kick;
    Timer delay, pause;
    Coroutine *sender, *pausing;    /* they wait for work, for @pause; NULL: they don't */
    Coroutine *unsent;              /* the receiver, which waits for the sender to let go of a request */
    unsigned coroutines;            /* that run */
    uint64_t cookies;
    bool up, sending, closing;
} NbdClient;

/* Enters a coroutine that waits there. */
static void resume(Coroutine **where)
{
    Coroutine *co = *where;

    if (co) {
        *where = NULL;
        co_enter(co);
    }
}

/* --- sending --- */

static void kick_sender(void *opaque)
{
    resume(&((NbdClient *)opaque)->sender);
}

static NbdWait *next_to_send(NbdClient *s)
{
    NbdWait *w;

    MUTEX_GUARD(&s->lock);
    w = s->up ? s->queue : NULL;
    if (w) {
        s->queue = w->next;
        s->last = s->queue ? s->last : &s->queue;
    }
    return w;
}

static bool coroutine_fn send_one(NbdClient *s, NbdWait *w)
{
    uint8_t head[NBD_REQUEST_BYTES];
    size_t n = w->type == NBD_CMD_WRITE ? w->niov : 0;
    struct iovec *v = g_new(struct iovec, n + 1);
    bool ok;

    w->cookie = ++s->cookies;
    w->result = w->got = 0;
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
    ok = nbd_writev(&s->link.st, v, n + 1, NULL);
    g_free(v);
    return ok;
}

static void coroutine_fn sender_entry(void *opaque)
{
    NbdClient *s = opaque;

    while (!s->closing) {
        NbdWait *w = next_to_send(s);

        if (!w) {
            s->sender = co_self();
            co_yield();
            continue;
        }
        s->sending = true;
        if (!send_one(s, w)) {
            s->up = false;
            nbd_shut(&s->link.st);  /* the receiver does the rest */
        }
        s->sending = false;
        resume(&s->unsent);
    }
    if (s->up) {
        uint8_t head[NBD_REQUEST_BYTES] = { 0 };

        store_be32(head, NBD_REQUEST_MAGIC);
        store_be16(head + 6, NBD_CMD_DISC);
        s->sending = true;
        nbd_write(&s->link.st, head, sizeof(head), NULL);
        s->sending = false;
        nbd_shut(&s->link.st);
        resume(&s->unsent);
    }
    s->coroutines--;
}

/* --- receiving, and connecting again --- */

static void fail_queue(void *opaque)
{
    NbdClient *s = opaque;
    NbdWait *w, *next;

    mutex_lock(&s->lock);
    s->fails = true;
    w = s->queue;
    s->queue = NULL;
    s->last = &s->queue;
    mutex_unlock(&s->lock);
    for (; w; w = next) {
        next = w->next;
        w->result = -EIO;
        co_wake(w->co);
    }
}

/* What was sent is to be sent again. */
static void coroutine_fn lost(NbdClient *s)
{
    s->up = false;
    nbd_shut(&s->link.st);
    if (s->sending) {
        s->unsent = co_self();
        co_yield();
    }
    mutex_lock(&s->lock);
    while (s->sent) {
        NbdWait *w = s->sent;

        s->sent = w->next;
        w->next = s->queue;
        s->last = s->queue ? s->last : &w->next;
        s->queue = w;
    }
    mutex_unlock(&s->lock);
    nbd_link_close(&s->link);
    if (s->delay_ns && !s->closing) {
        timer_mod_ns(&s->delay, clock_get_ns(CLOCK_RT) + s->delay_ns);
    } else {
        fail_queue(s);
    }
}

static void pause_over(void *opaque)
{
    resume(&((NbdClient *)opaque)->pausing);
}

static void coroutine_fn take_a_pause(NbdClient *s, int64_t *ns)
{
    timer_mod_ns(&s->pause, clock_get_ns(CLOCK_RT) + *ns);
    s->pausing = co_self();
    co_yield();
    *ns = MIN(*ns * 2, PAUSE_LAST);
}

/* The disk must be what it was; other flags, like that for many connections, don't matter. */
static bool same(const NbdClient *s)
{
    const uint16_t used = NBD_READ_ONLY | NBD_SEND_FLUSH | NBD_SEND_TRIM | NBD_SEND_WRITE_ZEROES;

    return s->link.size == s->size && ((s->link.flags ^ s->flags) & used) == 0 &&
           s->link.structured == s->structured && s->link.has_context == s->has_context;
}

static void coroutine_fn connect_again(NbdClient *s)
{
    int64_t ns = PAUSE_FIRST;

    while (!s->closing) {
        if (nbd_connect(&s->link, &s->target, NULL) && same(s)) {
            timer_del(&s->delay);
            mutex_lock(&s->lock);
            s->fails = false;
            mutex_unlock(&s->lock);
            s->up = true;
            kick_sender(s);
            return;
        }
        nbd_link_close(&s->link);
        if (!s->closing) {
            take_a_pause(s, &ns);
        }
    }
}

static void coroutine_fn receiver_entry(void *opaque)
{
    NbdClient *s = opaque;
    NbdWait *w;

    while (!s->closing) {
        while (nbd_receive(&s->link, &s->sent, &w)) {
            if (w) {
                co_wake(w->co);
            }
        }
        lost(s);
        if (s->target.address->type == SOCKET_ADDRESS_TYPE_FD) {
            fail_queue(s);          /* there is no way back */
            break;
        }
        connect_again(s);
    }
    s->coroutines--;
}

/* --- requests --- */

static int coroutine_fn submit(NbdClient *s, NbdWait *w)
{
    w->co = co_self();
    mutex_lock(&s->lock);
    if (s->fails) {
        mutex_unlock(&s->lock);
        return -EIO;
    }
    *s->last = w;
    s->last = &w->next;
    mutex_unlock(&s->lock);
    bh_schedule(s->kick);
    co_yield();
    return w->result;
}

static int coroutine_fn request(NbdClient *s, uint16_t type, uint16_t flags, uint64_t offset, uint32_t len,
                                const struct iovec *iov, size_t niov)
{
    NbdWait w = { .type = type, .flags = flags, .offset = offset, .len = len, .iov = iov, .niov = niov };

    return submit(s, &w);
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

/* As base:allocation has it: without data there is a hole. Other contexts are shown by the same bits. */
static int coroutine_fn nbd_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st)
{
    NbdClient *s = n->state;
    NbdExtent x = { 0 };
    NbdWait w = { .type = NBD_CMD_BLOCK_STATUS, .flags = NBD_CMD_REQ_ONE, .offset = offset,
                  .len = MIN(len, UINT64_C(1) << 30), .extent = &x };
    int r = s->has_context ? submit(s, &w) : 0;

    *st = (BlockStatus){ .len = s->has_context ? x.len : len, .allocated = true, .data = !(x.flags & NBD_STATE_HOLE),
                         .zero = x.flags & NBD_STATE_ZERO, .has_offset = true, .offset = offset };
    return r;
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
    NbdTarget *t = &s->target;

    nbd_link_close(&s->link);
    qapi_free_SocketAddress(t->address);
    if (t->creds) {
        object_unref(t->creds);
    }
    g_free(t->export);
    g_free(t->hostname);
    g_free(t->context);
    mutex_destroy(&s->lock);
}

static void start(NbdClient *s)
{
    s->size = s->link.size;
    s->flags = s->link.flags;
    s->structured = s->link.structured;
    s->has_context = s->link.has_context;
    s->up = true;
    s->kick = bh_new_on(main_event_loop(), kick_sender, s);
    s->coroutines = 2;
    co_start(sender_entry, s);
    co_start(receiver_entry, s);
}

typedef struct Open {
    NbdClient *s;
    int64_t deadline_ns;            /* of CLOCK_RT; no attempt is begun after it but the first */
    Error **errp;
    bool ok;
} Open;

static void coroutine_fn open_entry(void *opaque)
{
    Open *o = opaque;
    int64_t ns = PAUSE_FIRST;
    Error *err = NULL;

    for (;;) {
        o->ok = nbd_connect(&o->s->link, &o->s->target, &err);
        if (o->ok || clock_get_ns(CLOCK_RT) + ns > o->deadline_ns || o->s->target.address->type == SOCKET_ADDRESS_TYPE_FD) {
            break;
        }
        error_free(err);
        err = NULL;
        take_a_pause(o->s, &ns);
    }
    error_propagate(o->errp, err);
}

/* A number of seconds, to @ns. */
static bool seconds(const QDict *opts, const char *key, int64_t *ns, Error **errp)
{
    uint64_t v = 0;

    if (!block_size_option(opts, key, &v, errp)) {
        return false;
    }
    if (v > UINT32_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'%s' is %" PRIu64 "; accepted: 0 to %u seconds", key, v, UINT32_MAX);
        return false;
    }
    *ns = v * 1000 * NS_PER_MS;
    return true;
}

static bool fill_target(NbdTarget *t, const QDict *opts, Error **errp)
{
    const char *creds = qdict_str_or(opts, "tls-creds", NULL);

    t->address = server_address(opts, errp);
    t->export = g_strdup(qdict_str_or(opts, "export", ""));
    t->context = g_strdup(qdict_str_or(opts, "x-dirty-bitmap", "base:allocation"));
    t->hostname = g_strdup(qdict_str_or(opts, "tls-hostname", server_option(opts, "host")));
    if (!t->address) {
        return false;
    }
    if (strlen(t->export) > NBD_NAME_MAX || strlen(t->context) > NBD_NAME_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "export name too long to send to server");
        return false;
    }
    t->creds = creds ? tls_creds_get(creds, false, errp) : NULL;
    return !creds || t->creds;
}

/* What the server has fits what is wanted of it. */
static bool suits(BlockNode *n, const NbdLink *l, const char *bitmap, Error **errp)
{
    if (bitmap && !l->has_context) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "the server has no metadata context '%s' for this export", bitmap);
        return false;
    }
    if (!(l->flags & NBD_READ_ONLY) || n->read_only) {
        return true;
    }
    if (!n->auto_read_only) {
        error_setf(errp, ERR_PERMISSION, "request on read-only NBD export: the server doesn't allow writes");
        return false;
    }
    n->read_only = true;
    return true;
}

static bool nbd_open(BlockNode *n, const QDict *opts, Error **errp)
{
    NbdClient *s = n->state;
    Open o = { .s = s, .errp = errp };
    int64_t timeout = 0;
    char *name = NULL;

    s->link.st.fd = -1;
    s->last = &s->queue;
    mutex_init(&s->lock);
    timer_init_ns(&s->delay, CLOCK_RT, fail_queue, s);
    timer_init_ns(&s->pause, CLOCK_RT, pause_over, s);
    if (fill_target(&s->target, opts, errp) && seconds(opts, "reconnect-delay", &s->delay_ns, errp) &&
        seconds(opts, "open-timeout", &timeout, errp)) {
        o.deadline_ns = timeout ? clock_get_ns(CLOCK_RT) + timeout : 0;
        block_run(open_entry, &o);
    }
    if (!o.ok || !suits(n, &s->link, qdict_str_or(opts, "x-dirty-bitmap", NULL), errp)) {
        forget(s);
        return false;
    }
    if (s->target.address->type == SOCKET_ADDRESS_TYPE_UNIX) {
        name = g_strdup_printf("nbd+unix:///%s?socket=%s", s->target.export, server_option(opts, "path"));
    } else if (s->target.address->type == SOCKET_ADDRESS_TYPE_INET) {
        name = g_strdup_printf("nbd://%s:%s/%s", s->target.address->u.inet.host, s->target.address->u.inet.port,
                               s->target.export);
    }
    n->filename = name;
    start(s);
    return true;
}

static void nbd_close(BlockNode *n)
{
    NbdClient *s = n->state;

    s->closing = true;
    kick_sender(s);
    if (!s->up && s->link.st.fd >= 0) {
        nbd_shut(&s->link.st);
    }
    resume(&s->pausing);
    while (s->coroutines) {
        main_loop_iterate(true);
    }
    timer_del(&s->delay);
    timer_del(&s->pause);
    bh_delete(s->kick);
    forget(s);
}

static const char *const nbd_options[] = { "server", "export", "tls-creds", "tls-hostname", "x-dirty-bitmap",
                                           "reconnect-delay", "open-timeout", "host", "port", "path", NULL };

static BlockDriver driver_nbd = {
    .name = "nbd", .options = nbd_options, .state_size = sizeof(NbdClient), .open = nbd_open,
    .close = nbd_close, .length = nbd_length, .co_preadv = nbd_co_preadv, .co_pwritev = nbd_co_pwritev,
    .co_flush = nbd_co_flush, .co_discard = nbd_co_discard, .co_zero = nbd_co_zero, .co_status = nbd_co_status,
};

static void CONSTRUCTOR register_driver(void)
{
    block_driver_register(&driver_nbd);
}
