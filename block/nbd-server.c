/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NBD server: its socket, its clients and the exports. */
#include "util/osdep.h"
#include <unistd.h>
#include "block/nbd-int.h"
#include "block/track.h"
#include "qapi/events-block-export.h"
#include "qapi/sockets.h"

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
    NbdPeer *clients;
    NbdExport *exports;
    uint64_t serial;                /* of the newest export */
} server = { .fd = -1 };

/* --- clients --- */

static void forget_client(NbdPeer *c)
{
    NbdPeer **pp = &server.clients;

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
    g_free(c->contexts);
    g_free(c);
}

static void coroutine_fn client_entry(void *opaque)
{
    NbdPeer *c = opaque;
    Error *err = NULL;

    if (nbd_negotiate(c, &err) && c->e) {
        c->e->clients++;
        while (!c->gone && nbd_one_request(c, &err)) {
        }
    } else {
        c->e = NULL;
    }
    error_free(err);
    c->gone = true;
    nbd_wait_for_requests(c, 0);
    forget_client(c);
}

static void start_client(void *opaque)
{
    co_start(client_entry, opaque);
}

static void accept_client(int fd, UNUSED unsigned events, UNUSED void *opaque)
{
    int s = socket_accept(fd);
    NbdPeer *c;

    if (s < 0) {
        return;
    }
    if (server.max_clients && server.n_clients >= server.max_clients) {
        close(s);
        return;
    }
    socket_set_nodelay(s, true);
    c = g_new0(NbdPeer, 1);
    c->st.fd = s;
    c->creds = server.creds;
    c->authz = server.authz;
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

NbdExport *nbd_export_by_name(const char *name, size_t len)
{
    for (NbdExport *e = server.exports; e; e = e->next) {
        if (strlen(e->name) == len && memcmp(e->name, name, len) == 0) {
            return e;
        }
    }
    return NULL;
}

NbdExport *nbd_export_first(void)
{
    return server.exports;
}

BlockBitmap *nbd_find_bitmap(BlockNode *n, const char *name, Error **errp)
{
    for (BlockNode *at = n; at; at = at->drv->is_filter && at->file ? at->file : at->backing) {
        BlockBitmap *b = block_bitmap_find(at, name, NULL);

        if (b) {
            return b;
        }
    }
    error_setf(errp, ERR_NO_SUCH_OBJECT, "Bitmap '%s' is not found in node '%s' or below it", name, n->name);
    return NULL;
}

/* Nobody else changes them as long as they are exported. */
static void let_go_of_bitmaps(NbdExport *e)
{
    for (size_t i = 0; i < e->n_bitmaps; i++) {
        e->bitmaps[i]->busy = NULL;
        block_node_unref(e->bitmaps[i]->track->n);
    }
    g_free(e->bitmaps);
}

static bool take_bitmaps(NbdExport *e, const NbdExportSpec *spec, Error **errp)
{
    e->bitmaps = g_new0(BlockBitmap *, MAX(spec->n_bitmaps, (size_t)1));
    for (size_t i = 0; i < spec->n_bitmaps; i++) {
        BlockBitmap *b = spec->bitmaps[i];

        for (size_t j = 0; j < i; j++) {
            if (b != spec->bitmaps[j] && !strcmp(b->name, spec->bitmaps[j]->name)) {
                error_setf(errp, ERR_DUPLICATE_ID, "Bitmap name '%s' is given twice: a client can't tell them apart",
                           b->name);
                let_go_of_bitmaps(e);
                return false;
            }
        }
        if (!block_bitmap_usable(b, false, errp)) {
            let_go_of_bitmaps(e);
            return false;
        }
        b->busy = "export";
        block_node_ref(b->track->n);
        e->bitmaps[e->n_bitmaps++] = b;
    }
    return true;
}

NbdExport *nbd_export_add(const NbdExportSpec *spec, Error **errp)
{
    const char *name = spec->name ? spec->name : spec->node->name;
    NbdExport *e;
    char *id;

    if (strlen(name) > NBD_NAME_MAX || (spec->description && strlen(spec->description) > NBD_NAME_MAX)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "export name '%s' too long", name);
        return NULL;
    }
    if (nbd_export_by_name(name, strlen(name))) {
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
    if (!e->blk || !take_bitmaps(e, spec, errp)) {
        if (e->blk) {
            blk_delete(e->blk);
        }
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
    e->allocation_depth = spec->allocation_depth;
    e->serial = ++server.serial;
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
    return nbd_export_by_name(id_or_name, strlen(id_or_name));
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
        for (NbdPeer *c = server.clients; c; c = c->next) {
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
    let_go_of_bitmaps(e);
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
