/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about block devices. */
#include "util/osdep.h"
#include <glib.h>
#include <sys/stat.h>
#include "block/block.h"
#include "qapi/commands-block.h"
#include "qapi/events-block.h"
#include "qom/object.h"

/* Drivers have names for the layer at the bottom; people know the image's. */
static const char *file_of(const BlockNode *n)
{
    for (; n; n = n->file) {
        if (n->filename) {
            return n->filename;
        }
    }
    return "";
}

static ImageInfo *image_info(BlockNode *n)
{
    ImageInfo *info = qapi_new(ImageInfo);
    int64_t length = block_length(n);
    struct stat st;

    info->filename = strdup(file_of(n));
    info->format = strdup(n->drv->name);
    info->virtual_size = MAX(length, INT64_C(0));
    if (*info->filename && stat(info->filename, &st) == 0) {
        QAPI_SET(info, actual_size, (int64_t)st.st_blocks * 512);
    }
    return info;
}

static BlockDeviceInfo *node_info(BlockNode *n)
{
    BlockDeviceInfo *info = qapi_new(BlockDeviceInfo);

    info->file = strdup(file_of(n));
    info->node_name = strdup(n->name);
    info->ro = n->read_only;
    info->drv = strdup(n->drv->name);
    info->image = image_info(n);
    info->cache = qapi_new(BlockdevCacheInfo);
    info->cache->writeback = true;
    info->cache->direct = n->direct;
    info->cache->no_flush = n->no_flush;
    return info;
}

static char *device_path(const BlockBackend *b)
{
    char *path = b->owner ? object_canonical_path(b->owner) : NULL;
    char *copy = path ? strdup(path) : NULL;

    g_free(path);
    return copy;
}

BlockInfoList *qmp_query_block(Error **errp)
{
    BlockInfoList *list = qapi_new(BlockInfoList);

    (void)errp;
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        BlockInfo *info = qapi_new(BlockInfo);

        info->device = strdup(b->id);
        info->qdev = device_path(b);
        info->type = strdup("unknown");
        info->removable = b->removable;
        info->locked = b->ops && b->ops->is_locked && b->ops->is_locked(b->opaque);
        if (b->node) {
            info->inserted = node_info(b->node);
            info->inserted->ro = blk_is_read_only(b);
        }
        if (b->ops && b->ops->tray_open) {
            QAPI_SET(info, tray_open, b->ops->tray_open(b->opaque));
        }
        if (!b->removable) {
            QAPI_SET(info, io_status, BLOCK_DEVICE_IO_STATUS_OK);
        }
        qapi_list_append(list, info);
    }
    return list;
}

BlockDeviceInfoList *qmp_query_named_block_nodes(bool has_flat, bool flat, Error **errp)
{
    BlockDeviceInfoList *list = qapi_new(BlockDeviceInfoList);

    (void)errp;
    (void)has_flat;
    (void)flat;                         /* no image here has another below it */
    for (BlockNode *n = block_node_first(); n; n = n->next) {
        qapi_list_append(list, node_info(n));
    }
    return list;
}

static BlockDeviceStats *stats_of(const BlockStats *s)
{
    BlockDeviceStats *d = qapi_new(BlockDeviceStats);

    d->rd_bytes = (int64_t)s->rd_bytes;
    d->wr_bytes = (int64_t)s->wr_bytes;
    d->rd_operations = (int64_t)s->rd_ops;
    d->wr_operations = (int64_t)s->wr_ops;
    d->flush_operations = (int64_t)s->flush_ops;
    d->unmap_operations = (int64_t)s->discard_ops;
    d->rd_total_time_ns = (int64_t)s->rd_ns;
    d->wr_total_time_ns = (int64_t)s->wr_ns;
    d->flush_total_time_ns = (int64_t)s->flush_ns;
    d->failed_rd_operations = (int64_t)s->rd_failed;
    d->failed_wr_operations = (int64_t)s->wr_failed;
    d->failed_flush_operations = (int64_t)s->flush_failed;
    d->account_invalid = d->account_failed = true;
    return d;
}

BlockStatsInfoList *qmp_query_blockstats(bool has_query_nodes, bool query_nodes, Error **errp)
{
    BlockStatsInfoList *list = qapi_new(BlockStatsInfoList);
    static const BlockStats none;

    (void)errp;
    if (has_query_nodes && query_nodes) {
        for (BlockNode *n = block_node_first(); n; n = n->next) {
            BlockStatsInfo *info = qapi_new(BlockStatsInfo);

            info->node_name = strdup(n->name);
            info->stats = stats_of(&none);      /* counted where devices are, not here */
            qapi_list_append(list, info);
        }
        return list;
    }
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        BlockStatsInfo *info = qapi_new(BlockStatsInfo);

        info->device = strdup(b->id);
        info->qdev = device_path(b);
        info->node_name = b->node ? strdup(b->node->name) : NULL;
        info->stats = stats_of(&b->stats);
        qapi_list_append(list, info);
    }
    return list;
}

/* --------------------------------------------------------------- media */

static BlockBackend *find_backend(const char *device, const char *id, Error **errp)
{
    if (!device == !id) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Need exactly one of 'device' and 'id'");
        error_argument(errp, "id", NULL, "the id or path of a guest's device");
        return NULL;
    }
    if (device) {
        for (BlockBackend *b = blk_first(); b; b = b->next) {
            if (!strcmp(b->id, device)) {
                return b;
            }
        }
    } else {
        bool ambiguous;
        Object *owner = object_resolve_path(id, &ambiguous);

        for (BlockBackend *b = blk_first(); b && owner; b = b->next) {
            if (b->owner == owner) {
                return b;
            }
        }
    }
    error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_DEVICE,
                    "Device '%s' not found", device ? device : id);
    error_argument(errp, device ? "device" : "id", device ? device : id, NULL);
    return NULL;
}

/* Whether the medium may go. The guest is asked to let go of one that it holds. */
static bool may_eject(BlockBackend *b, bool force, Error **errp)
{
    if (!b->removable) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Device '%s' is not removable", b->id);
        return false;
    }
    if (b->ops && b->ops->is_locked && b->ops->is_locked(b->opaque)) {
        if (b->ops->eject_request) {
            b->ops->eject_request(b->opaque, force);
        }
        if (!force) {
            error_setf(errp, ERR_IN_USE,
                       "Device '%s' is locked and force was not specified, wait for tray to open "
                       "and try again", b->id);
            return false;
        }
    }
    return true;
}

static void tray_moved(const BlockBackend *b, bool open)
{
    char *path = device_path(b);

    qapi_event_send_device_tray_moved(b->id, path ? path : "", open);
    free(path);
}

bool qmp_eject(const char *device, const char *id, bool has_force, bool force, Error **errp)
{
    BlockBackend *b = find_backend(device, id, errp);

    if (!b || !may_eject(b, has_force && force, errp)) {
        return false;
    }
    if (b->node) {
        blk_eject(b);
        tray_moved(b, true);
    }
    return true;
}

static bool wants_read_only(const BlockBackend *b, bool has_mode, BlockdevChangeReadOnlyMode mode)
{
    if (!has_mode || mode == BLOCKDEV_CHANGE_READ_ONLY_MODE_RETAIN) {
        return b->node ? b->node->read_only : b->read_only;
    }
    return mode == BLOCKDEV_CHANGE_READ_ONLY_MODE_READ_ONLY;
}

bool qmp_blockdev_change_medium(const char *device, const char *id, const char *filename,
                                const char *format, bool has_force, bool force,
                                bool has_read_only_mode,
                                BlockdevChangeReadOnlyMode read_only_mode, Error **errp)
{
    BlockBackend *b = find_backend(device, id, errp);
    BlockNode *node;
    QDict *opts;
    bool ok;

    if (!b || !may_eject(b, has_force && force, errp)) {
        return false;
    }
    opts = qdict_from_fmt("{'driver': %s, 'read-only': %i, 'file': {'driver': 'file', "
                          "'filename': %s}}", format ? format : "raw",
                          (int)wants_read_only(b, has_read_only_mode, read_only_mode), filename);
    node = block_node_open(opts, errp);         /* before the old one goes */
    qobject_unref(opts);
    if (!node) {
        return false;
    }
    if (b->node) {
        blk_eject(b);
        tray_moved(b, true);
    }
    ok = blk_insert(b, node, errp);
    block_node_unref(node);
    if (ok) {
        tray_moved(b, false);
    }
    return ok;
}

/* --------------------------------------------------------------- nodes */

bool qmp_blockdev_add(const QDict *args, Error **errp)
{
    return blockdev_add(args, errp);
}

bool qmp_blockdev_del(const char *node_name, Error **errp)
{
    return block_node_delete(node_name, errp);
}
