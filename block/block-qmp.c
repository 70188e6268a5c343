/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about block devices. */
#include "util/osdep.h"
#include <glib.h>
#include <sys/stat.h>
#include "block/bitmap-qmp.h"
#include "block/block-qmp.h"
#include "block/file.h"
#include "block/luks/luks.h"
#include "block/throttle.h"
#include "block/track.h"
#include "qapi/commands-block.h"
#include "qapi/events-block.h"
#include "qom/object.h"
#include "util/timer.h"

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

SnapshotInfoList *block_qmp_snapshots(BlockNode *n)
{
    SnapshotInfoList *list = qapi_new(SnapshotInfoList);
    BlockSnapshot *s;
    size_t count;

    s = n->drv->snapshot_list ? n->drv->snapshot_list(n, &count) : NULL;
    for (size_t i = 0; s && i < count; i++) {
        SnapshotInfo *info = qapi_new(SnapshotInfo);

        info->id = strdup(s[i].id);
        info->name = strdup(s[i].name);
        info->vm_state_size = s[i].vm_state_size;
        info->date_sec = s[i].date_sec;
        info->date_nsec = s[i].date_nsec;
        info->vm_clock_sec = s[i].vm_clock_ns / NS_PER_SECOND;
        info->vm_clock_nsec = s[i].vm_clock_ns % NS_PER_SECOND;
        if (s[i].icount != UINT64_MAX) {
            QAPI_SET(info, icount, (int64_t)s[i].icount);
        }
        qapi_list_append(list, info);
    }
    if (s) {
        block_snapshot_list_free(s, count);
    }
    return list;
}

/* Those in memory of an image that is written to aren't valid in the image. */
static Qcow2BitmapInfoList *stored_bitmaps(const BlockNode *n)
{
    Qcow2BitmapInfoList *list = NULL;

    for (const BlockBitmap *b = n->track ? n->track->bitmaps : NULL; b; b = b->next) {
        Qcow2BitmapInfo *info;

        if (!b->name || !b->persistent) {
            continue;
        }
        list = list ? list : qapi_new(Qcow2BitmapInfoList);
        info = qapi_new(Qcow2BitmapInfo);
        info->name = strdup(b->name);
        info->granularity = UINT32_C(1) << b->shift;
        info->flags = qapi_new(Qcow2BitmapInfoFlagsList);
        if (b->inconsistent || !n->read_only) {
            qapi_list_append(info->flags, QCOW2_BITMAP_INFO_FLAGS_IN_USE);
        }
        if (b->enabled) {
            qapi_list_append(info->flags, QCOW2_BITMAP_INFO_FLAGS_AUTO);
        }
        qapi_list_append(list, info);
    }
    return list;
}

static ImageInfoSpecific *specific(const BlockNode *n, const BlockFormatInfo *f)
{
    ImageInfoSpecific *s = qapi_new(ImageInfoSpecific);
    ImageInfoSpecificQCow2 *q = qapi_new(ImageInfoSpecificQCow2);

    s->type = IMAGE_INFO_SPECIFIC_KIND_QCOW2;
    q->compat = strdup(f->compat);
    q->refcount_bits = f->refcount_bits;
    q->compression_type = f->compression[1] == 's' ? QCOW2_COMPRESSION_TYPE_ZSTD
                                                   : QCOW2_COMPRESSION_TYPE_ZLIB;
    if (f->v3) {
        QAPI_SET(q, lazy_refcounts, f->lazy_refcounts);
        QAPI_SET(q, corrupt, f->corrupt);
        QAPI_SET(q, extended_l2, f->extended_l2);
    }
    q->bitmaps = stored_bitmaps(n);
    if (f->luks) {
        q->encrypt = qapi_new(ImageInfoSpecificQCow2Encryption);
        q->encrypt->format = BLOCKDEV_QCOW2_ENCRYPTION_FORMAT_LUKS;
        luks_put_info(&q->encrypt->u.luks, f->luks);
    }
    s->u.qcow2.data = q;
    return s;
}

ImageInfo *block_qmp_image_info(BlockNode *n, bool chain)
{
    ImageInfo *info = qapi_new(ImageInfo);
    int64_t length = block_length(n);
    BlockFormatInfo f = { 0 };
    struct stat st;

    info->filename = strdup(file_of(n));
    info->format = strdup(n->drv->name);
    info->virtual_size = MAX(length, INT64_C(0));
    if (n->drv->info) {
        n->drv->info(n, &f);
    }
    if (*info->filename && stat(info->filename, &st) == 0) {
        QAPI_SET(info, actual_size, (int64_t)(st.st_blocks * 512 + f.other_files));
    }
    if (f.cluster_size) {
        QAPI_SET(info, cluster_size, (int64_t)f.cluster_size);
    }
    if (f.is_qcow2) {
        QAPI_SET(info, dirty_flag, f.dirty);
        info->format_specific = specific(n, &f);
    } else if (n->drv->specific) {
        info->format_specific = n->drv->specific(n);
    }
    if (f.encrypted) {
        QAPI_SET(info, encrypted, true);
    }
    if (n->backing_file) {
        info->backing_filename = strdup(n->backing_file);
        {
            char *full = block_backing_path(n->filename, n->backing_file);

            info->full_backing_filename = strdup(full);
            g_free(full);
        }
        info->backing_filename_format = n->backing_format ? strdup(n->backing_format) : NULL;
    }
    if (n->drv->snapshot_list) {
        SnapshotInfoList *list = block_qmp_snapshots(n);

        if (list->n) {
            info->snapshots = list;
        } else {
            qapi_free_SnapshotInfoList(list);
        }
    }
    if (chain && n->backing) {
        info->backing_image = block_qmp_image_info(n->backing, true);
    }
    return info;
}

static void add_limits(BlockDeviceInfo *info, struct ThrottleGroup *g)
{
    ThrottleConfig c = throttle_group_config(g);

    info->bps = c.avg[THROTTLE_BPS];
    info->bps_rd = c.avg[THROTTLE_BPS_RD];
    info->bps_wr = c.avg[THROTTLE_BPS_WR];
    info->iops = c.avg[THROTTLE_IOPS];
    info->iops_rd = c.avg[THROTTLE_IOPS_RD];
    info->iops_wr = c.avg[THROTTLE_IOPS_WR];
    QAPI_SET(info, bps_max, (int64_t)c.max[THROTTLE_BPS]);
    QAPI_SET(info, bps_rd_max, (int64_t)c.max[THROTTLE_BPS_RD]);
    QAPI_SET(info, bps_wr_max, (int64_t)c.max[THROTTLE_BPS_WR]);
    QAPI_SET(info, iops_max, (int64_t)c.max[THROTTLE_IOPS]);
    QAPI_SET(info, iops_rd_max, (int64_t)c.max[THROTTLE_IOPS_RD]);
    QAPI_SET(info, iops_wr_max, (int64_t)c.max[THROTTLE_IOPS_WR]);
    QAPI_SET(info, bps_max_length, (int64_t)MAX(c.length[THROTTLE_BPS], UINT64_C(1)));
    QAPI_SET(info, bps_rd_max_length, (int64_t)MAX(c.length[THROTTLE_BPS_RD], UINT64_C(1)));
    QAPI_SET(info, bps_wr_max_length, (int64_t)MAX(c.length[THROTTLE_BPS_WR], UINT64_C(1)));
    QAPI_SET(info, iops_max_length, (int64_t)MAX(c.length[THROTTLE_IOPS], UINT64_C(1)));
    QAPI_SET(info, iops_rd_max_length, (int64_t)MAX(c.length[THROTTLE_IOPS_RD], UINT64_C(1)));
    QAPI_SET(info, iops_wr_max_length, (int64_t)MAX(c.length[THROTTLE_IOPS_WR], UINT64_C(1)));
    QAPI_SET(info, iops_size, (int64_t)c.iops_size);
    info->group = strdup(throttle_group_name(g));
}

static BlockDeviceInfo *node_info(BlockNode *n, bool chain)
{
    BlockDeviceInfo *info = qapi_new(BlockDeviceInfo);

    info->file = strdup(file_of(n));
    info->node_name = strdup(n->name);
    info->ro = n->read_only;
    info->drv = strdup(n->drv->name);
    info->detect_zeroes = (BlockdevDetectZeroesOptions)n->detect_zeroes;
    for (BlockNode *b = n->backing; b; b = b->backing) {
        info->backing_file_depth++;
    }
    info->backing_file = n->backing ? strdup(file_of(n->backing)) : NULL;
    info->image = block_qmp_image_info(n, chain);
    info->encrypted = info->image->has_encrypted && info->image->encrypted;
    if (n->track && n->track->bitmaps) {
        info->dirty_bitmaps = block_qmp_bitmaps(n);
    }
    info->write_threshold = (int64_t)atomic_load(&n->write_threshold);
    info->cache = qapi_new(BlockdevCacheInfo);
    info->cache->writeback = true;
    info->cache->direct = n->direct;
    info->cache->no_flush = n->no_flush;
    return info;
}

char *blk_owner_name(const BlockBackend *b)
{
    static const char named[] = "/machine/peripheral/";
    g_autofree char *path = b->owner ? object_canonical_path(b->owner) : NULL;
    const char *id = path && g_str_has_prefix(path, named) ? path + strlen(named) : NULL;

    return path ? strdup(id && !strchr(id, '/') ? id : path) : NULL;
}

void blk_tray_moved(const BlockBackend *b, bool open)
{
    char *name = blk_owner_name(b);

    qapi_event_send_device_tray_moved(b->anonymous ? "" : b->id, name ? name : "", open);
    free(name);
}

BlockInfoList *qmp_query_block(Error **errp)
{
    BlockInfoList *list = qapi_new(BlockInfoList);

    (void)errp;
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        BlockInfo *info;

        if (b->hidden) {
            continue;
        }
        info = qapi_new(BlockInfo);
        info->device = strdup(b->anonymous ? "" : b->id);
        info->qdev = blk_owner_name(b);
        info->type = strdup("unknown");
        info->removable = b->removable;
        info->locked = b->ops && b->ops->is_locked && b->ops->is_locked(b->opaque);
        if (b->node) {
            info->inserted = node_info(b->node, true);
            info->inserted->ro = blk_is_read_only(b);
            info->inserted->cache->writeback = b->write_cache;
            if (b->throttle) {
                add_limits(info->inserted, b->throttle);
            }
        }
        if (b->ops && b->ops->tray_open) {
            QAPI_SET(info, tray_open, b->ops->tray_open(b->opaque));
        }
        if (!b->removable) {
            QAPI_SET(info, io_status, b->io_status == 0 ? BLOCK_DEVICE_IO_STATUS_OK
                                      : b->io_status == ENOSPC ? BLOCK_DEVICE_IO_STATUS_NOSPACE
                                      : BLOCK_DEVICE_IO_STATUS_FAILED);
        }
        qapi_list_append(list, info);
    }
    return list;
}

BlockDeviceInfoList *qmp_query_named_block_nodes(bool has_flat, bool flat, Error **errp)
{
    BlockDeviceInfoList *list = qapi_new(BlockDeviceInfoList);

    (void)errp;
    for (BlockNode *n = block_node_first(); n; n = n->next) {
        qapi_list_append(list, node_info(n, !has_flat || !flat));
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
    d->unmap_bytes = (int64_t)s->discard_bytes;
    d->unmap_total_time_ns = (int64_t)s->discard_ns;
    d->failed_unmap_operations = (int64_t)s->discard_failed;
    d->wr_highest_offset = (int64_t)s->wr_highest;
    if (s->last_ns) {
        QAPI_SET(d, idle_time_ns, clock_get_ns(CLOCK_RT) - s->last_ns);
    }
    d->rd_total_time_ns = (int64_t)s->rd_ns;
    d->wr_total_time_ns = (int64_t)s->wr_ns;
    d->flush_total_time_ns = (int64_t)s->flush_ns;
    d->failed_rd_operations = (int64_t)s->rd_failed;
    d->failed_wr_operations = (int64_t)s->wr_failed;
    d->failed_flush_operations = (int64_t)s->flush_failed;
    d->account_invalid = d->account_failed = true;
    return d;
}

static BlockLatencyHistogramInfo *latency_of(const LatencyHistogram *h)
{
    BlockLatencyHistogramInfo *info;

    if (!h->boundaries) {
        return NULL;
    }
    info = qapi_new(BlockLatencyHistogramInfo);
    info->boundaries = qapi_new(uint64List);
    info->bins = qapi_new(uint64List);
    for (size_t i = 0; i <= h->n; i++) {
        qapi_list_append(info->bins, h->bins[i]);
        if (i < h->n) {
            qapi_list_append(info->boundaries, h->boundaries[i]);
        }
    }
    return info;
}

/* What devices do is counted where they are; nodes know only how far was written. */
static BlockStatsInfo *node_stats(BlockNode *n);

static void below(BlockStatsInfo *info, BlockNode *n)
{
    if (n && n->file) {
        info->parent = node_stats(n->file);
    }
    if (n && n->backing) {
        info->backing = node_stats(n->backing);
    }
}

static BlockStatsSpecific *driver_stats(BlockNode *n)
{
    FileDiscards d;
    BlockStatsSpecific *s;
    BlockStatsSpecificFile *f;

    if (!file_discards(n, &d)) {
        return NULL;
    }
    s = qapi_new(BlockStatsSpecific);
    s->driver = strcmp(n->drv->name, "file") ? BLOCKDEV_DRIVER_HOST_DEVICE : BLOCKDEV_DRIVER_FILE;
    f = s->driver == BLOCKDEV_DRIVER_FILE ? &s->u.file : &s->u.host_device;
    *f = (BlockStatsSpecificFile){ d.ok, d.failed, d.bytes };
    return s;
}

static BlockStatsInfo *node_stats(BlockNode *n)
{
    BlockStats stats = { .wr_highest = atomic_load(&n->wr_highest) };
    BlockStatsInfo *info = qapi_new(BlockStatsInfo);

    info->node_name = strdup(n->name);
    info->stats = stats_of(&stats);
    info->driver_specific = driver_stats(n);
    below(info, n);
    return info;
}

BlockStatsInfoList *qmp_query_blockstats(bool has_query_nodes, bool query_nodes, Error **errp)
{
    BlockStatsInfoList *list = qapi_new(BlockStatsInfoList);

    (void)errp;
    if (has_query_nodes && query_nodes) {
        for (BlockNode *n = block_node_first(); n; n = n->next) {
            qapi_list_append(list, node_stats(n));
        }
        return list;
    }
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        BlockStatsInfo *info;
        BlockStats stats;

        if (b->hidden) {
            continue;
        }
        info = qapi_new(BlockStatsInfo);
        info->device = strdup(b->anonymous ? "" : b->id);
        info->qdev = blk_owner_name(b);
        info->node_name = b->node ? strdup(b->node->name) : NULL;
        mutex_lock(&b->lock);
        stats = b->stats;
        info->stats = stats_of(&stats);
        info->stats->rd_latency_histogram = latency_of(&b->latency.kind[LATENCY_READ]);
        info->stats->wr_latency_histogram = latency_of(&b->latency.kind[LATENCY_WRITE]);
        info->stats->flush_latency_histogram = latency_of(&b->latency.kind[LATENCY_FLUSH]);
        mutex_unlock(&b->lock);
        below(info, b->node);
        qapi_list_append(list, info);
    }
    return list;
}

/* --------------------------------------------------------------- media */

BlockBackend *block_qmp_backend(const char *device, const char *id, Error **errp)
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

BlockNode *block_qmp_node(const char *device, const char *node_name, Error **errp)
{
    const char *name = device ? device : node_name;

    if (!device == !node_name) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Need exactly one of 'device' and 'node-name'");
        return NULL;
    }
    for (BlockBackend *b = blk_first(); b && device; b = b->next) {
        if (!strcmp(b->id, device)) {
            if (!b->node) {
                error_setf(errp, ERR_WRONG_STATE, "Device '%s' has no medium", device);
            }
            return b->node;
        }
    }
    if (!block_node_find(name)) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "Cannot find device='%s' nor node-name='%s'",
                   device ? device : "", name);
        return NULL;
    }
    return block_node_find(name);
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

bool qmp_eject(const char *device, const char *id, bool has_force, bool force, Error **errp)
{
    BlockBackend *b = block_qmp_backend(device, id, errp);

    if (!b || !may_eject(b, has_force && force, errp)) {
        return false;
    }
    if (b->node) {
        blk_eject(b);
        blk_tray_moved(b, true);
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
    BlockBackend *b = block_qmp_backend(device, id, errp);
    BlockNode *node;
    QDict *opts;
    bool ok;

    if (!b || !may_eject(b, has_force && force, errp)) {
        return false;
    }
    {
        QDict *file = block_filename_options(filename, errp);

        if (!file) {
            return false;
        }
        opts = qdict_new();
        qdict_put(opts, "file", file);
    }
    if (format) {
        qdict_put_str(opts, "driver", format);
    }
    qdict_put_bool(opts, "read-only", wants_read_only(b, has_read_only_mode, read_only_mode));
    node = block_node_open(opts, errp);         /* before the old one goes */
    qobject_unref(opts);
    if (!node) {
        return false;
    }
    if (b->node) {
        blk_eject(b);
        blk_tray_moved(b, true);
    }
    ok = blk_insert(b, node, errp);
    block_node_unref(node);
    if (ok) {
        blk_tray_moved(b, false);
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
