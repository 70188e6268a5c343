/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Back ends: what devices hold, with media that come and go. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
#include "block/job.h"
#include "block/node-int.h"
#include "block/throttle.h"
#include "qom/object.h"

static BlockBackend *backends;          /* registry */

BlockBackend *blk_first(void)
{
    return backends;
}

static BlockBackend *find(const char *id)
{
    for (BlockBackend *b = backends; b; b = b->next) {
        if (strcmp(b->id, id) == 0) {
            return b;
        }
    }
    return NULL;
}

BlockBackend *blk_find(const char *id)
{
    BlockBackend *b = find(id);
    BlockNode *n = b ? NULL : block_node_find(id);

    if (n) {
        b = blk_new(id, NULL);
        b->anonymous = true;
        blk_insert(b, n, NULL);
    }
    return b;
}

BlockBackend *blk_new(const char *id, Error **errp)
{
    BlockBackend *b;

    if (find(id)) {
        error_setf(errp, ERR_DUPLICATE_ID, "there is a drive '%s' already", id);
        return NULL;
    }
    b = g_new0(BlockBackend, 1);
    b->id = g_strdup(id);
    b->on_write_error = BLOCK_ERROR_ENOSPC;
    b->write_cache = true;
    b->loop = main_event_loop();
    mutex_init(&b->lock);
    b->next = backends;
    backends = b;
    return b;
}

void blk_delete(BlockBackend *b)
{
    for (BlockBackend **pp = &backends; *pp; pp = &(*pp)->next) {
        if (*pp == b) {
            *pp = b->next;
            break;
        }
    }
    blk_cancel_held(b);
    blk_drain(b);
    block_node_unref(b->node);
    throttle_group_put(b->throttle);
    for (unsigned k = 0; k < LATENCY_NUM; k++) {
        latency_clear(&b->latency.kind[k]);
    }
    mutex_destroy(&b->lock);
    g_free(b->id);
    g_free(b);
}

void blk_set_node(BlockBackend *b, BlockNode *n)
{
    LOOP_PARKED(b->loop);

    b->node = n;
}

bool blk_remove(BlockBackend *b, Error **errp)
{
    BlockNode *n = b->node;

    if (n && !block_node_free(n, errp)) {
        return false;
    }
    if (!b->owner) {
        blk_delete(b);
        return true;
    }
    blk_cancel_held(b);
    blk_drain_begin(b);
    blk_set_node(b, NULL);
    b->on_read_error = b->on_write_error = BLOCK_ERROR_REPORT;
    blk_drain_end(b);
    block_node_unref(n);
    /* The id is free. */
    g_free(b->id);
    b->id = g_strdup("");
    b->anonymous = true;
    return true;
}

bool blk_insert(BlockBackend *b, BlockNode *n, Error **errp)
{
    if (b->node) {
        error_setf(errp, ERR_IN_USE, "drive '%s' has a medium", b->id);
        return false;
    }
    blk_set_node(b, block_node_ref(n));
    if (b->ops && b->ops->media_changed) {
        b->ops->media_changed(b->opaque, true);
    }
    return true;
}

void blk_eject(BlockBackend *b)
{
    BlockNode *n = b->node;

    if (n) {
        blk_drain_begin(b);
        blk_set_node(b, NULL);
        blk_drain_end(b);
        block_node_unref(n);
        if (b->ops && b->ops->media_changed) {
            b->ops->media_changed(b->opaque, false);
        }
    }
}

void blk_set_device_ops(BlockBackend *b, const BlockDeviceOps *ops, void *opaque)
{
    b->ops = ops;
    b->opaque = opaque;
}

bool blk_has_medium(const BlockBackend *b)
{
    return b->node;
}

uint64_t blk_length(BlockBackend *b)
{
    int64_t n = b->node ? block_length(b->node) : 0;

    return n < 0 ? 0 : n;
}

bool blk_is_read_only(const BlockBackend *b)
{
    return b->read_only || (b->node && b->node->read_only);
}

void blk_limits(BlockBackend *b, BlockLimits *l)
{
    *l = (BlockLimits){ 0 };
    if (b->node) {
        block_limits(b->node, l);
    }
}

void blk_set_write_cache(BlockBackend *b, bool on)
{
    __atomic_store_n(&b->write_cache, on, __ATOMIC_RELAXED);
}

/* --- properties of kind "drive" --- */

static void *attach(Object *owner, const char *id, Error **errp)
{
    BlockBackend *b = blk_find(id);

    if (!b) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no drive or block node '%s'", id);
        return NULL;
    }
    if (b->owner) {
        error_setf(errp, ERR_IN_USE, "drive '%s' is used by another device", id);
        return NULL;
    }
    b->owner = owner;
    return b;
}

static void detach(UNUSED Object *owner, void *backend)
{
    BlockBackend *b = backend;

    blk_cancel_held(b);
    b->owner = NULL;
    b->ops = NULL;
    if (b->anonymous) {
        blk_delete(b);                  /* it was made for this device; the node stays */
    }
}

static const char *backend_id(void *backend)
{
    return ((BlockBackend *)backend)->id;
}

static const BackendKind drive_kind = { attach, detach, backend_id };

static void CONSTRUCTOR register_kind(void)
{
    backend_kind_register(PROP_KIND_DRIVE, &drive_kind);
}
