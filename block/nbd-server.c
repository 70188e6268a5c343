/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NBD server: exports, clients, requests. A client is a coroutine that reads, and one for each request. */
#include "util/osdep.h"
#include <glib.h>
#include <unistd.h>
#include "block/nbd.h"
#include "qapi/events-block-export.h"
#include "qapi/sockets.h"
#include "util/bswap.h"

enum { REQUESTS_MAX = 16, OPTION_MAX = 64 * 1024 };

struct NbdExport {
    char *id, *name, *description;
    BlockBackend *blk;
    bool writable;
    unsigned clients;
    NbdExport *next;
};

typedef struct Client {
    NbdStream st;
    NbdExport *e;                   /* once it has chosen one */
    CoMutex sending;
    unsigned requests;              /* in flight */
    Coroutine *waiting;             /* the reader, for a request's end */
    bool no_zeroes, gone;
    struct Client *next;
} Client;

static struct {
    int fd;
    bool running;
    FdWatch *watch;
    SocketAddress *unlink;          /* a unix socket's, to be removed */
    TlsCreds *creds;
    char *authz;
    uint32_t max_clients;
    unsigned n_clients;
    void (*idle)(void);
    Client *clients;
    NbdExport *exports;
} server = { .fd = -1 };

/* --- negotiation (P "Newstyle negotiation") --- */

static bool coroutine_fn reply_option(Client *c, uint32_t option, uint32_t type, const void *data, uint32_t len,
                                      Error **errp)
{
    uint8_t head[20];
    struct iovec v[2] = { { head, sizeof(head) }, { (void *)data, len } };

    store_be64(head, NBD_REP_MAGIC);
    store_be32(head + 8, option);
    store_be32(head + 12, type);
    store_be32(head + 16, len);
    return nbd_writev(&c->st, v, 2, errp);
}

static bool coroutine_fn refuse_option(Client *c, uint32_t option, uint32_t type, const char *text, Error **errp)
{
    return reply_option(c, option, type, text, strlen(text), errp);
}

static NbdExport *export_by_name(const char *name, size_t len)
{
    for (NbdExport *e = server.exports; e; e = e->next) {
        if (strlen(e->name) == len && memcmp(e->name, name, len) == 0) {
            return e;
        }
    }
    return NULL;
}

static uint16_t export_flags(const NbdExport *e)
{
    return NBD_HAS_FLAGS | NBD_SEND_FLUSH | NBD_CAN_MULTI_CONN |
           (e->writable ? NBD_SEND_FUA | NBD_SEND_TRIM | NBD_SEND_WRITE_ZEROES : NBD_READ_ONLY);
}

static bool coroutine_fn list_exports(Client *c, Error **errp)
{
    for (NbdExport *e = server.exports; e; e = e->next) {
        size_t len = strlen(e->name);
        uint8_t *b = g_malloc(4 + len);
        bool ok;

        store_be32(b, len);
        memcpy(b + 4, e->name, len);
        ok = reply_option(c, NBD_OPT_LIST, NBD_REP_SERVER, b, 4 + len, errp);
        g_free(b);
        if (!ok) {
            return false;
        }
    }
    return reply_option(c, NBD_OPT_LIST, NBD_REP_ACK, NULL, 0, errp);
}

/* INFO and GO: length of the name, the name, what else the client asks for. */
static bool coroutine_fn go(Client *c, uint32_t option, const uint8_t *data, uint32_t len, bool *chosen,
                            Error **errp)
{
    uint32_t name_len = len >= 6 ? load_be32(data) : UINT32_MAX;
    uint8_t info[14];
    NbdExport *e;

    if (name_len > len - 6) {
        return refuse_option(c, option, NBD_REP_ERR_INVALID, "the name is longer than the option", errp);
    }
    e = export_by_name((const char *)data + 4, name_len);
    if (!e) {
        return refuse_option(c, option, NBD_REP_ERR_UNKNOWN, "there is no export of that name", errp);
    }
    store_be16(info, NBD_INFO_EXPORT);
    store_be64(info + 2, blk_length(e->blk));
    store_be16(info + 10, export_flags(e));
    if (!reply_option(c, option, NBD_REP_INFO, info, 12, errp)) {
        return false;
    }
    store_be16(info, NBD_INFO_BLOCK_SIZE);
    store_be32(info + 2, 1);
    store_be32(info + 6, 4096);
    store_be32(info + 10, NBD_DATA_MAX);
    if (!reply_option(c, option, NBD_REP_INFO, info, 14, errp) ||
        !reply_option(c, option, NBD_REP_ACK, NULL, 0, errp)) {
        return false;
    }
    if (option == NBD_OPT_GO) {
        c->e = e;
        *chosen = true;
    }
    return true;
}

static bool coroutine_fn export_name(Client *c, const uint8_t *data, uint32_t len, Error **errp)
{
    NbdExport *e = export_by_name((const char *)data, len);
    uint8_t b[10 + 124] = { 0 };

    if (!e) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "no export of that name");
        return false;               /* P: the only answer that there is */
    }
    store_be64(b, blk_length(e->blk));
    store_be16(b + 8, export_flags(e));
    c->e = e;
    return nbd_write(&c->st, b, c->no_zeroes ? 10 : sizeof(b), errp);
}

static bool coroutine_fn start_tls(Client *c, uint32_t len, Error **errp)
{
    if (len || c->st.tls || !server.creds) {
        return refuse_option(c, NBD_OPT_STARTTLS, server.creds ? NBD_REP_ERR_INVALID : NBD_REP_ERR_POLICY,
                             "no TLS here", errp);
    }
    return reply_option(c, NBD_OPT_STARTTLS, NBD_REP_ACK, NULL, 0, errp) &&
           nbd_start_tls(&c->st, server.creds, NULL, server.authz, errp);
}

static bool coroutine_fn one_option(Client *c, bool *chosen, Error **errp)
{
    uint8_t head[16], *data;
    uint32_t option, len;
    bool ok;

    if (!nbd_read(&c->st, head, sizeof(head), errp)) {
        return false;
    }
    option = load_be32(head + 8);
    len = load_be32(head + 12);
    if (load_be64(head) != NBD_OPTS_MAGIC) {
        error_setf(errp, ERR_PROTOCOL, "a wrong magic number");
        return false;
    }
    if (len > OPTION_MAX) {
        return nbd_skip(&c->st, len, errp) && option != NBD_OPT_EXPORT_NAME &&
               refuse_option(c, option, NBD_REP_ERR_TOO_BIG, "the option is too long", errp);
    }
    data = g_malloc(len + 1);
    ok = nbd_read(&c->st, data, len, errp);
    if (!ok) {
        /* errp is set */
    } else if (server.creds && !c->st.tls && option != NBD_OPT_STARTTLS && option != NBD_OPT_ABORT) {
        ok = option != NBD_OPT_EXPORT_NAME &&
             refuse_option(c, option, NBD_REP_ERR_TLS_REQD, "this server wants TLS", errp);
    } else {
        switch (option) {
        case NBD_OPT_EXPORT_NAME:
            ok = export_name(c, data, len, errp);
            *chosen = ok;
            break;
        case NBD_OPT_ABORT:
            reply_option(c, option, NBD_REP_ACK, NULL, 0, errp);
            ok = false;
            break;
        case NBD_OPT_LIST:
            ok = len ? refuse_option(c, option, NBD_REP_ERR_INVALID, "LIST has no data", errp)
                     : list_exports(c, errp);
            break;
        case NBD_OPT_STARTTLS:
            ok = start_tls(c, len, errp);
            break;
        case NBD_OPT_INFO:
        case NBD_OPT_GO:
            ok = go(c, option, data, len, chosen, errp);
            break;
        default:
            ok = refuse_option(c, option, NBD_REP_ERR_UNSUP, "the option isn't supported", errp);
        }
    }
    g_free(data);
    return ok;
}

static bool coroutine_fn negotiate(Client *c, Error **errp)
{
    bool chosen = false;
    uint8_t b[18];
    uint32_t flags;

    store_be64(b, NBD_MAGIC);
    store_be64(b + 8, NBD_OPTS_MAGIC);
    store_be16(b + 16, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
    if (!nbd_write(&c->st, b, sizeof(b), errp) || !nbd_read(&c->st, b, 4, errp)) {
        return false;
    }
    flags = load_be32(b);
    if (flags & ~(uint32_t)(NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES)) {
        error_setf(errp, ERR_PROTOCOL, "flags 0x%x aren't known", flags);
        return false;
    }
    c->no_zeroes = flags & NBD_FLAG_NO_ZEROES;
    while (!chosen) {
        if (!one_option(c, &chosen, errp)) {
            return false;
        }
    }
    return true;
}

/* --- requests (P "Transmission") --- */

typedef struct Request {
    Client *c;
    uint16_t flags, type;
    uint64_t cookie, offset;
    uint32_t len;
    uint8_t *data;                  /* owned */
} Request;

static int coroutine_fn serve(Request *r)
{
    BlockBackend *b = r->c->e->blk;
    struct iovec v = { r->data, r->len };
    int result;

    if (r->type != NBD_CMD_FLUSH && (r->offset > blk_length(b) || r->len > blk_length(b) - r->offset)) {
        return r->type == NBD_CMD_WRITE || r->type == NBD_CMD_WRITE_ZEROES ? -ENOSPC : -EINVAL;
    }
    if (!r->c->e->writable && (r->type == NBD_CMD_WRITE || r->type == NBD_CMD_TRIM ||
                               r->type == NBD_CMD_WRITE_ZEROES)) {
        return -EPERM;
    }
    switch (r->type) {
    case NBD_CMD_READ:
        return blk_co_preadv(b, r->offset, &v, 1);
    case NBD_CMD_FLUSH:
        return blk_co_flush(b);
    case NBD_CMD_WRITE:
        result = blk_co_pwritev(b, r->offset, &v, 1);
        break;
    case NBD_CMD_TRIM:
        result = blk_co_discard(b, r->offset, r->len);
        break;
    case NBD_CMD_WRITE_ZEROES:
        result = blk_co_zero(b, r->offset, r->len, r->flags & NBD_CMD_NO_HOLE ? 0 : BLOCK_ZERO_UNMAP);
        break;
    default:
        return -EINVAL;
    }
    return result == 0 && r->flags & NBD_CMD_FUA ? blk_co_flush(b) : result;
}

static void coroutine_fn request_entry(void *opaque)
{
    Request *r = opaque;
    Client *c = r->c;
    int result = serve(r);
    uint8_t head[NBD_REPLY_BYTES];
    struct iovec v[2] = { { head, sizeof(head) }, { r->data, r->len } };
    Error *err = NULL;

    store_be32(head, NBD_REPLY_MAGIC);
    store_be32(head + 4, nbd_error_code(-result));
    store_be64(head + 8, r->cookie);
    co_mutex_lock(&c->sending);
    if (!c->gone && !nbd_writev(&c->st, v, r->type == NBD_CMD_READ && result == 0 ? 2 : 1, &err)) {
        nbd_shut(&c->st);
        error_free(err);
    }
    co_mutex_unlock(&c->sending);
    g_free(r->data);
    g_free(r);
    c->requests--;
    if (c->waiting) {
        Coroutine *co = c->waiting;

        c->waiting = NULL;
        co_wake(co);
    }
}

static void coroutine_fn wait_for_requests(Client *c, unsigned most)
{
    while (c->requests > most) {
        c->waiting = co_self();
        co_yield();
    }
}

/* False: the client has left, or what it sends makes no sense. */
static bool coroutine_fn one_request(Client *c, Error **errp)
{
    uint8_t head[NBD_REQUEST_BYTES];
    Request *r;

    wait_for_requests(c, REQUESTS_MAX - 1);
    if (!nbd_read(&c->st, head, sizeof(head), errp)) {
        return false;
    }
    if (load_be32(head) != NBD_REQUEST_MAGIC) {
        error_setf(errp, ERR_PROTOCOL, "a wrong magic number");
        return false;
    }
    r = g_new0(Request, 1);
    *r = (Request){ .c = c, .flags = load_be16(head + 4), .type = load_be16(head + 6),
                    .cookie = load_be64(head + 8), .offset = load_be64(head + 16), .len = load_be32(head + 24) };
    if (r->type == NBD_CMD_DISC || ((r->type == NBD_CMD_READ || r->type == NBD_CMD_WRITE) &&
                                    r->len > NBD_DATA_MAX)) {
        g_free(r);
        return false;
    }
    if (r->type == NBD_CMD_READ || r->type == NBD_CMD_WRITE) {
        r->data = g_malloc(MAX(r->len, 1U));
        if (r->type == NBD_CMD_WRITE && !nbd_read(&c->st, r->data, r->len, errp)) {
            g_free(r->data);
            g_free(r);
            return false;
        }
    }
    c->requests++;
    co_start(request_entry, r);
    return true;
}

/* --- clients --- */

static void forget_client(Client *c)
{
    Client **pp = &server.clients;

    while (*pp != c) {
        pp = &(*pp)->next;
    }
    *pp = c->next;
    if (--server.n_clients == 0 && server.idle) {
        server.idle();
    }
    if (c->e) {
        c->e->clients--;
    }
    nbd_stream_close(&c->st);
    co_mutex_destroy(&c->sending);
    g_free(c);
}

static void coroutine_fn client_entry(void *opaque)
{
    Client *c = opaque;
    Error *err = NULL;

    if (negotiate(c, &err) && c->e) {
        c->e->clients++;
        while (!c->gone && one_request(c, &err)) {
        }
    } else {
        c->e = NULL;
    }
    error_free(err);
    c->gone = true;
    wait_for_requests(c, 0);
    forget_client(c);
}

static void start_client(void *opaque)
{
    co_start(client_entry, opaque);
}

static void accept_client(int fd, UNUSED unsigned events, UNUSED void *opaque)
{
    int s = socket_accept(fd);
    Client *c;

    if (s < 0) {
        return;
    }
    if (server.max_clients && server.n_clients >= server.max_clients) {
        close(s);
        return;
    }
    socket_set_nodelay(s, true);
    c = g_new0(Client, 1);
    c->st.fd = s;
    co_mutex_init(&c->sending);
    c->next = server.clients;
    server.clients = c;
    server.n_clients++;
    bh_once(NULL, start_client, c);
}

void nbd_server_on_idle(void (*idle)(void))
{
    server.idle = idle;
}

/* --- exports --- */

NbdExport *nbd_export_add(const NbdExportSpec *spec, Error **errp)
{
    const char *name = spec->name ? spec->name : spec->node->name;
    NbdExport *e;
    char *id;

    if (strlen(name) > NBD_NAME_MAX || (spec->description && strlen(spec->description) > NBD_NAME_MAX)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "export name '%s' too long", name);
        return NULL;
    }
    if (export_by_name(name, strlen(name))) {
        error_setf(errp, ERR_DUPLICATE_ID, "NBD server already has export named '%s'", name);
        return NULL;
    }
    if (spec->writable && spec->node->read_only) {
        error_setf(errp, ERR_PERMISSION, "Cannot export read-only node as writable");
        return NULL;
    }
    id = g_strdup_printf("#export:%s", spec->id ? spec->id : name);
    e = g_new0(NbdExport, 1);
    e->blk = blk_new(id, errp);
    g_free(id);
    if (!e->blk) {
        g_free(e);
        return NULL;
    }
    e->blk->hidden = e->blk->anonymous = true;
    e->blk->read_only = !spec->writable;
    blk_set_write_cache(e->blk, !spec->write_through);
    blk_insert(e->blk, spec->node, NULL);
    e->id = g_strdup(spec->id ? spec->id : name);
    e->name = g_strdup(name);
    e->description = g_strdup(spec->description);
    e->writable = spec->writable;
    e->next = server.exports;
    server.exports = e;
    return e;
}

NbdExport *nbd_export_find(const char *id_or_name)
{
    for (NbdExport *e = server.exports; e; e = e->next) {
        if (!strcmp(e->id, id_or_name)) {
            return e;
        }
    }
    return export_by_name(id_or_name, strlen(id_or_name));
}

NbdExport *nbd_export_next(const NbdExport *e)
{
    return e ? e->next : server.exports;
}

bool nbd_export_in_use(const NbdExport *e)
{
    return e->clients;
}

const char *nbd_export_id(const NbdExport *e)
{
    return e->id;
}

const char *nbd_export_node(const NbdExport *e)
{
    return e->blk->node ? e->blk->node->name : "";
}

/* Those of @e, or all for NULL, until they are gone. */
static void cut_off(const NbdExport *e)
{
    bool any;

    do {
        any = false;
        for (Client *c = server.clients; c; c = c->next) {
            if (!e || c->e == e) {
                c->gone = any = true;
                nbd_shut(&c->st);
            }
        }
        if (any) {
            main_loop_iterate(true);
        }
    } while (any);
}

void nbd_export_remove(NbdExport *e)
{
    NbdExport **pp = &server.exports;

    while (*pp != e) {
        pp = &(*pp)->next;
    }
    *pp = e->next;
    cut_off(e);
    blk_delete(e->blk);
    qapi_event_send_block_export_deleted(e->id);
    g_free(e->id);
    g_free(e->name);
    g_free(e->description);
    g_free(e);
}

/* --- the server --- */

bool nbd_server_running(void)
{
    return server.running;
}

bool nbd_server_start_fd(int fd, TlsCreds *creds, const char *authz, uint32_t max_clients, Error **errp)
{
    if (server.running) {
        error_setf(errp, ERR_WRONG_STATE, "NBD server already running");
        close(fd);
        return false;
    }
    server.fd = fd;
    server.running = true;
    server.creds = creds ? object_ref(creds) : NULL;
    server.authz = g_strdup(authz);
    server.max_clients = max_clients;
    server.watch = fd_watch_new_on(main_event_loop(), fd, FD_READ, accept_client, NULL);
    return true;
}

bool nbd_server_start(const SocketAddress *addr, TlsCreds *creds, const char *authz, uint32_t max_clients,
                      Error **errp)
{
    int fd;

    if (server.running) {
        error_setf(errp, ERR_WRONG_STATE, "NBD server already running");
        return false;
    }
    fd = socket_listen(addr, 16, errp);
    if (fd < 0 || !nbd_server_start_fd(fd, creds, authz, max_clients, errp)) {
        return false;
    }
    server.unlink = addr->type == SOCKET_ADDRESS_TYPE_UNIX ? socket_local_address(fd, NULL) : NULL;
    return true;
}

void nbd_server_stop(void)
{
    if (!server.running) {
        return;
    }
    fd_watch_remove(server.watch);
    if (server.unlink) {
        socket_unlink(server.unlink);
        qapi_free_SocketAddress(server.unlink);
    }
    close(server.fd);
    cut_off(NULL);
    while (server.exports) {
        nbd_export_remove(server.exports);
    }
    if (server.creds) {
        object_unref(server.creds);
    }
    g_free(server.authz);
    memset(&server, 0, sizeof(server));
    server.fd = -1;
}
