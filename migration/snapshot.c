/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/snapshot.h"

#include <glib.h>
#include "hw/core/runstate.h"
#include "migration/state-file.h"
#include "util/timer.h"
#include "vmstate/blocker.h"

/* ------------------------------------------------------------------- disks */

/* The nodes that belong to a snapshot; borrowed. The first one holds the machine's state. */
typedef GPtrArray Disks;

static void add_disk(Disks *disks, BlockNode *n)
{
    if (!g_ptr_array_find(disks, n, NULL)) {
        g_ptr_array_add(disks, n);
    }
}

static const char *label(const BlockBackend *b)
{
    return *b->id ? b->id : b->node->name;
}

static bool add_all(Disks *disks, Error **errp)
{
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        Error *why = NULL;

        if (!blk_has_medium(b) || blk_is_read_only(b)) {
            continue;
        }
        if (!block_can_snapshot(b->node, &why)) {
            error_setf(errp, ERR_NOT_SUPPORTED,
                       "Device '%s' is writable but does not support snapshots: %s", label(b),
                       error_message(why));
            error_subject(errp, label(b));
            error_free(why);
            return false;
        }
        add_disk(disks, b->node);
    }
    return true;
}

static bool add_named(Disks *disks, const char *name, Error **errp)
{
    BlockNode *n = block_node_find(name);

    if (!n) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "No block device node '%s'", name);
        return false;
    }
    if (!block_can_snapshot(n, errp)) {
        return false;
    }
    add_disk(disks, n);
    return true;
}

static Disks *find_disks(const SnapshotWhere *where, Error **errp)
{
    Disks *disks = g_ptr_array_new();
    bool ok = !where->vmstate || add_named(disks, where->vmstate, errp);

    for (size_t i = 0; ok && where->devices && i < where->devices->n; i++) {
        ok = add_named(disks, where->devices->items[i], errp);
    }
    ok = ok && (where->devices || add_all(disks, errp));
    if (ok && !disks->len) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "No block device can store vmstate for snapshot");
        ok = false;
    }
    if (!ok) {
        g_ptr_array_unref(disks);
        return NULL;
    }
    return disks;
}

/* Its id in this image, to be freed; NULL: not there. */
static char *snapshot_id(BlockNode *n, const char *name, uint64_t *state_size)
{
    size_t count;
    BlockSnapshot *list = block_snapshot_list(n, &count, NULL);
    const BlockSnapshot *s = block_snapshot_find(list, count, name);
    char *id = s ? g_strdup(s->id) : NULL;

    if (s && state_size) {
        *state_size = s->vm_state_size;
    }
    block_snapshot_list_free(list, count);
    return id;
}

static bool delete_everywhere(Disks *disks, const char *name, Error **errp)
{
    for (guint i = 0; i < disks->len; i++) {
        char *id;

        while ((id = snapshot_id(disks->pdata[i], name, NULL))) {
            bool ok = block_snapshot_delete(disks->pdata[i], id, errp);

            g_free(id);
            if (!ok) {
                return false;
            }
        }
    }
    return true;
}

/* ------------------------------------------------------- state in an image */

#define CHUNK   MIB

typedef struct ImageChannel {
    MigChannel parent;
    BlockNode *node;
    uint64_t pos, size;         /* size: what there is to read */
    uint8_t *buf;
    size_t len, at;             /* in buf: bytes, and where the reader is */
} ImageChannel;

static bool image_flush(MigChannel *c, Error **errp)
{
    ImageChannel *i = (ImageChannel *)c;

    if (i->len && !block_vmstate_write(i->node, i->buf, i->pos, i->len, errp)) {
        return false;
    }
    i->pos += i->len;
    i->len = 0;
    return true;
}

static ssize_t image_write(MigChannel *c, const void *buf, size_t len, Error **errp)
{
    ImageChannel *i = (ImageChannel *)c;
    size_t n = MIN(len, CHUNK - i->len);

    memcpy(i->buf + i->len, buf, n);
    i->len += n;
    if (i->len == CHUNK && !image_flush(c, errp)) {
        return -1;
    }
    return (ssize_t)n;
}

static ssize_t image_read(MigChannel *c, void *buf, size_t len, Error **errp)
{
    ImageChannel *i = (ImageChannel *)c;
    size_t n;

    if (i->at == i->len) {
        i->len = MIN(CHUNK, i->size - i->pos);
        i->at = 0;
        if (i->len && !block_vmstate_read(i->node, i->buf, i->pos, i->len, errp)) {
            return -1;
        }
        i->pos += i->len;
    }
    n = MIN(len, i->len - i->at);
    memcpy(buf, i->buf + i->at, n);
    i->at += n;
    return (ssize_t)n;
}

static void image_free(MigChannel *c)
{
    ImageChannel *i = (ImageChannel *)c;

    g_free(i->buf);
    g_free(i);
}

static const MigChannelOps image_ops = {
    .read = image_read, .write = image_write, .finish = image_flush, .free = image_free,
};

static ImageChannel *image_channel(BlockNode *n, uint64_t size)
{
    ImageChannel *i = g_new0(ImageChannel, 1);

    i->parent.ops = &image_ops;
    i->node = n;
    i->size = size;
    i->buf = g_malloc(CHUNK);
    return i;
}

MigChannel *snapshot_channel(BlockNode *n, uint64_t size)
{
    return &image_channel(n, size)->parent;
}

static bool write_state(BlockNode *n, RunState state, uint64_t *size, Error **errp)
{
    ImageChannel *i = image_channel(n, 0);
    bool ok = state_write(&i->parent, state, errp) && mig_channel_finish(&i->parent, errp);

    *size = i->pos;
    mig_channel_free(&i->parent);
    return ok;
}

/* -------------------------------------------------------------------- save */

static bool create_everywhere(Disks *disks, const char *name, uint64_t state_size, Error **errp)
{
    int64_t now = clock_get_ns(CLOCK_HOST);

    for (guint i = 0; i < disks->len; i++) {
        BlockSnapshot s = { .name = g_strdup(name), .vm_state_size = i ? 0 : state_size,
                            .date_sec = now / NS_PER_SECOND,
                            .date_nsec = (uint32_t)(now % NS_PER_SECOND),
                            .vm_clock_ns = (uint64_t)clock_get_ns(CLOCK_VIRTUAL),
                            .icount = UINT64_MAX };
        bool ok = block_snapshot_create(disks->pdata[i], &s, errp);

        g_free(s.id);
        g_free(s.name);
        if (!ok) {
            /* All or none. */
            while (i--) {
                block_snapshot_delete(disks->pdata[i], name, NULL);
            }
            return false;
        }
    }
    return true;
}

static bool stop_for(RunState state, bool *ran, Error **errp)
{
    if (migration_is_busy()) {
        error_setf(errp, ERR_WRONG_STATE, "There's a migration process in progress");
        return false;
    }
    if (runstate_check(RUN_STATE_INMIGRATE)) {
        error_setf(errp, ERR_WRONG_STATE, "Guest is waiting for an incoming migration");
        return false;
    }
    migration_set_busy(true);
    *ran = runstate_is_running();
    vm_stop(state);
    blk_drain_all();
    return true;
}

bool snapshot_save(const char *given, bool replace, const SnapshotWhere *where, Error **errp)
{
    g_autoptr(GDateTime) date = g_date_time_new_now_local();
    g_autofree char *made = g_date_time_format(date, "vm-%Y%m%d%H%M%S"), *old = NULL;
    const char *name = given ? given : made;
    RunState before = runstate_get();
    uint64_t size = 0;
    Disks *disks;
    bool ok, ran;

    if (!migration_is_possible(errp) || !(disks = find_disks(where, errp))) {
        return false;
    }
    for (guint i = 0; i < disks->len && !old; i++) {
        old = snapshot_id(disks->pdata[i], name, NULL);
    }
    if (old && !replace) {
        error_setf(errp, ERR_DUPLICATE_ID, "Snapshot '%s' already exists in one or more devices",
                   name);
        g_ptr_array_unref(disks);
        return false;
    }
    ok = stop_for(RUN_STATE_SAVE_VM, &ran, errp);
    if (ok) {
        ok = (!old || delete_everywhere(disks, name, errp)) &&
             write_state(disks->pdata[0], before, &size, errp) &&
             create_everywhere(disks, name, size, errp);
        migration_set_busy(false);
        if (ran) {
            vm_start(NULL);
        }
    }
    g_ptr_array_unref(disks);
    return ok;
}

/* -------------------------------------------------------------------- load */

/* Before anything is changed: every disk must have it. */
static bool check_everywhere(Disks *disks, const char *name, uint64_t *state_size, Error **errp)
{
    for (guint i = 0; i < disks->len; i++) {
        BlockNode *n = disks->pdata[i];
        g_autofree char *id = snapshot_id(n, name, i ? NULL : state_size);

        if (!id) {
            error_setf(errp, ERR_NO_SUCH_OBJECT, "Snapshot '%s' does not exist in node '%s'", name,
                       n->name);
            return false;
        }
    }
    if (!*state_size) {
        error_setf(errp, ERR_NOT_SUPPORTED,
                   "Snapshot '%s' has no machine state, it is one of the disk only", name);
        error_hint(errp, "qemu-img snapshot -a gives the disk that content");
        return false;
    }
    return true;
}

static bool load_stopped(Disks *disks, const char *name, uint64_t size, Error **errp)
{
    ImageChannel *ch;
    bool ok;

    for (guint i = 0; i < disks->len; i++) {
        if (!block_snapshot_goto(disks->pdata[i], name, errp)) {
            return false;
        }
    }
    system_reset_now(SHUTDOWN_CAUSE_SNAPSHOT_LOAD);
    ch = image_channel(disks->pdata[0], size);
    ok = state_read(&ch->parent, errp);
    mig_channel_free(&ch->parent);
    return ok;
}

bool snapshot_load(const char *name, const SnapshotWhere *where, Error **errp)
{
    uint64_t size = 0;
    Disks *disks;
    bool ok, ran;

    if (!migration_is_possible(errp) || !(disks = find_disks(where, errp))) {
        return false;
    }
    ok = check_everywhere(disks, name, &size, errp) && stop_for(RUN_STATE_RESTORE_VM, &ran, errp);
    if (ok) {
        ok = load_stopped(disks, name, size, errp);
        migration_set_busy(false);
        if (!ok) {
            runstate_set(RUN_STATE_PAUSED, NULL);
        } else if (ran) {
            vm_start(NULL);
        }
    }
    g_ptr_array_unref(disks);
    return ok;
}

bool snapshot_delete(const char *name, const SnapshotWhere *where, Error **errp)
{
    Disks *disks = find_disks(where, errp);
    bool there = false, ok = false;

    if (!disks) {
        return false;
    }
    for (guint i = 0; i < disks->len; i++) {
        g_autofree char *id = snapshot_id(disks->pdata[i], name, NULL);

        there |= id != NULL;
    }
    if (!there) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "Snapshot '%s' does not exist", name);
    } else {
        ok = delete_everywhere(disks, name, errp);
    }
    g_ptr_array_unref(disks);
    return ok;
}

BlockSnapshot *snapshot_list(size_t *count, Error **errp)
{
    const SnapshotWhere all = { 0 };
    Disks *disks = find_disks(&all, errp);
    BlockSnapshot *list;
    size_t n, kept = 0;

    *count = 0;
    if (!disks) {
        return NULL;
    }
    list = block_snapshot_list(disks->pdata[0], &n, NULL);
    for (size_t k = 0; k < n; k++) {
        bool everywhere = list[k].vm_state_size > 0;

        for (guint i = 1; everywhere && i < disks->len; i++) {
            g_autofree char *id = snapshot_id(disks->pdata[i], list[k].name, NULL);

            everywhere = id != NULL;
        }
        if (everywhere) {
            BlockSnapshot s = list[kept];

            list[kept++] = list[k];
            list[k] = s;
        }
    }
    for (size_t k = kept; k < n; k++) {
        g_free(list[k].id);
        g_free(list[k].name);
    }
    g_ptr_array_unref(disks);
    *count = kept;
    return list;
}
