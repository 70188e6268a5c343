/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about exports and the NBD server. */
#include "util/osdep.h"
#include <glib.h>
#include "block/bitmap-qmp.h"
#include "block/block-qmp.h"
#include "block/nbd.h"
#include "qapi/commands-block-export.h"
#include "qapi/sockets.h"

bool qmp_nbd_server_start(const SocketAddressLegacy *addr, const char *tls_creds, const char *tls_authz,
                          bool has_max_connections, uint32_t max_connections, Error **errp)
{
    TlsCreds *creds = NULL;
    SocketAddress *a;
    bool ok;

    if (tls_authz && !tls_creds) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "'tls-authz' needs 'tls-creds'");
        return false;
    }
    if (tls_creds) {
        creds = tls_creds_get(tls_creds, true, errp);
        if (!creds) {
            return false;
        }
    }
    a = socket_address_from_legacy(addr);
    ok = nbd_server_start(a, creds, tls_authz, has_max_connections ? max_connections : 100, errp);
    qapi_free_SocketAddress(a);
    if (creds) {
        object_unref(creds);
    }
    return ok;
}

static bool needs_server(Error **errp)
{
    if (!nbd_server_running()) {
        error_setf(errp, ERR_WRONG_STATE, "NBD server not running");
        return false;
    }
    return true;
}

bool qmp_nbd_server_stop(Error **errp)
{
    if (!needs_server(errp)) {
        return false;
    }
    nbd_server_stop();
    return true;
}

bool qmp_nbd_server_add(const NbdServerAddOptions *a, Error **errp)
{
    BlockNode *n = needs_server(errp) ? block_qmp_node(a->device, NULL, errp) : NULL;
    BlockBitmap *bitmap = n && a->bitmap ? nbd_find_bitmap(n, a->bitmap, errp) : NULL;
    NbdExportSpec spec = { .name = a->name ? a->name : a->device, .description = a->description, .node = n,
                           .writable = a->has_writable && a->writable && n && !n->read_only,
                           .bitmaps = &bitmap, .n_bitmaps = bitmap ? 1 : 0 };

    return n && (!a->bitmap || bitmap) && nbd_export_add(&spec, errp);
}

/* False: one of them isn't there. */
static bool find_bitmaps(BlockNode *n, const BlockDirtyBitmapOrStrList *list, NbdExportSpec *spec, Error **errp)
{
    spec->bitmaps = g_new0(BlockBitmap *, list->n + 1);
    for (size_t i = 0; i < list->n; i++) {
        const BlockDirtyBitmapOrStr *o = list->items[i];
        BlockBitmap *b = o->alt == BLOCK_DIRTY_BITMAP_OR_STR_ALT_LOCAL
                         ? nbd_find_bitmap(n, o->u.local, errp)
                         : block_qmp_bitmap(o->u.external.node, o->u.external.name, errp);

        if (!b) {
            return false;
        }
        spec->bitmaps[spec->n_bitmaps++] = b;
    }
    return true;
}

bool qmp_block_export_add(const BlockExportOptions *a, Error **errp)
{
    BlockNode *n = needs_server(errp) ? block_qmp_node(NULL, a->node_name, errp) : NULL;
    const BlockExportOptionsNbd *nbd = &a->u.nbd;
    NbdExportSpec spec = { .id = a->id, .name = nbd->name, .description = nbd->description, .node = n,
                           .writable = a->has_writable && a->writable,
                           .write_through = a->has_writethrough && a->writethrough,
                           .allocation_depth = nbd->has_allocation_depth && nbd->allocation_depth };
    bool ok;

    for (NbdExport *e = nbd_export_next(NULL); e && n; e = nbd_export_next(e)) {
        if (!strcmp(nbd_export_id(e), a->id)) {
            error_setf(errp, ERR_DUPLICATE_ID, "Block export id '%s' is already in use", a->id);
            return false;
        }
    }
    ok = n && (!nbd->bitmaps || find_bitmaps(n, nbd->bitmaps, &spec, errp)) && nbd_export_add(&spec, errp);
    g_free(spec.bitmaps);
    return ok;
}

static bool remove_export(const char *name, bool hard, Error **errp)
{
    NbdExport *e = nbd_export_find(name);

    if (!e) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "Export '%s' is not found", name);
        return false;
    }
    if (!hard && nbd_export_in_use(e)) {
        error_setf(errp, ERR_IN_USE, "export '%s' still in use", name);
        error_hint(errp, "Use mode='hard' to force client disconnect");
        return false;
    }
    nbd_export_remove(e);
    return true;
}

bool qmp_nbd_server_remove(const char *name, bool has_mode, BlockExportRemoveMode mode, Error **errp)
{
    return needs_server(errp) && remove_export(name, has_mode && mode == BLOCK_EXPORT_REMOVE_MODE_HARD, errp);
}

bool qmp_block_export_del(const char *id, bool has_mode, BlockExportRemoveMode mode, Error **errp)
{
    return remove_export(id, has_mode && mode == BLOCK_EXPORT_REMOVE_MODE_HARD, errp);
}

BlockExportInfoList *qmp_query_block_exports(UNUSED Error **errp)
{
    BlockExportInfoList *list = qapi_new(BlockExportInfoList);

    for (NbdExport *e = nbd_export_next(NULL); e; e = nbd_export_next(e)) {
        BlockExportInfo *info = qapi_new(BlockExportInfo);

        info->id = strdup(nbd_export_id(e));
        info->type = BLOCK_EXPORT_TYPE_NBD;
        info->node_name = strdup(nbd_export_node(e));
        qapi_list_append(list, info);
    }
    return list;
}
