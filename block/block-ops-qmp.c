/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands that change block devices: size, limits, trays, new images. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block-qmp.h"
#include "block/job.h"
#include "block/throttle.h"
#include "qapi/commands-block-ops.h"
#include "qom/object.h"

bool qmp_block_resize(const char *device, const char *node_name, int64_t size, Error **errp)
{
    BlockNode *n = block_qmp_node(device, node_name, errp);

    if (!n) {
        return false;
    }
    if (size < 0 || size % 512) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter 'size' expects a >0 size");
        error_argument(errp, "size", NULL, "a multiple of 512");
        return false;
    }
    return block_truncate(n, size, errp);
}

/* --- limits --- */

bool qmp_block_set_io_throttle(const BlockIOThrottle *a, Error **errp)
{
    BlockBackend *b = block_qmp_backend(a->device, a->id, errp);
    ThrottleConfig c = {
        .avg = { a->bps, a->bps_rd, a->bps_wr, a->iops, a->iops_rd, a->iops_wr },
        .max = { a->bps_max, a->bps_rd_max, a->bps_wr_max, a->iops_max, a->iops_rd_max, a->iops_wr_max },
        .length = { a->bps_max_length, a->bps_rd_max_length, a->bps_wr_max_length, a->iops_max_length,
                    a->iops_rd_max_length, a->iops_wr_max_length },
        .iops_size = a->iops_size,
    };
    ThrottleGroup *g;

    if (!b) {
        return false;
    }
    if (!b->node) {
        error_setf(errp, ERR_WRONG_STATE, "Device has no medium");
        return false;
    }
    if (!throttle_check(&c, errp)) {
        return false;
    }
    if (!throttle_enabled(&c)) {
        blk_set_throttle(b, NULL);
        return true;
    }
    g = a->group || !b->throttle ? throttle_group_get(a->group ? a->group : b->id)
        : throttle_group_get(throttle_group_name(b->throttle));
    throttle_group_set(g, &c);
    blk_set_throttle(b, g);
    throttle_group_put(g);
    return true;
}

/* --- trays --- */

static bool has_tray(const BlockBackend *b, Error **errp)
{
    if (b->removable && b->ops && b->ops->tray_open) {
        return true;
    }
    error_setf(errp, ERR_NOT_SUPPORTED, "Device '%s' %s", b->id,
               b->removable ? "does not have a tray" : "is not removable");
    return false;
}

static void move_tray(BlockBackend *b, bool open)
{
    if (b->ops->tray_open(b->opaque) == open) {
        return;
    }
    if (b->ops->set_tray) {
        b->ops->set_tray(b->opaque, open);
    }
    blk_tray_moved(b, open);
}

bool qmp_blockdev_open_tray(const char *device, const char *id, bool has_force, bool force, Error **errp)
{
    BlockBackend *b = block_qmp_backend(device, id, errp);

    if (!b || !has_tray(b, errp)) {
        return false;
    }
    if (b->ops->tray_open(b->opaque)) {
        return true;
    }
    if (b->ops->is_locked && b->ops->is_locked(b->opaque)) {
        if (b->ops->eject_request) {
            b->ops->eject_request(b->opaque, has_force && force);
        }
        if (!has_force || !force) {
            error_setf(errp, ERR_IN_USE, "Device '%s' is locked and force was not specified, wait for tray "
                       "to open and try again", b->id);
            return false;
        }
    }
    move_tray(b, true);
    return true;
}

bool qmp_blockdev_close_tray(const char *device, const char *id, Error **errp)
{
    BlockBackend *b = block_qmp_backend(device, id, errp);

    if (!b || !has_tray(b, errp)) {
        return false;
    }
    move_tray(b, false);
    return true;
}

static bool tray_is_open(const BlockBackend *b, Error **errp)
{
    if (!b->removable) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Device '%s' is not removable", b->id);
        return false;
    }
    if (b->ops && b->ops->tray_open && !b->ops->tray_open(b->opaque)) {
        error_setf(errp, ERR_WRONG_STATE, "Tray of device '%s' is not open", b->id);
        return false;
    }
    return true;
}

bool qmp_blockdev_remove_medium(const char *id, Error **errp)
{
    BlockBackend *b = block_qmp_backend(NULL, id, errp);

    if (!b || !tray_is_open(b, errp)) {
        return false;
    }
    blk_eject(b);
    return true;
}

bool qmp_blockdev_insert_medium(const char *id, const char *node_name, Error **errp)
{
    BlockBackend *b = block_qmp_backend(NULL, id, errp);
    BlockNode *n = b ? block_qmp_node(NULL, node_name, errp) : NULL;
    bool open;

    if (!n || !tray_is_open(b, errp)) {
        return false;
    }
    if (b->node) {
        error_setf(errp, ERR_IN_USE, "There already is a medium in device '%s'", b->id);
        return false;
    }
    for (BlockBackend *o = blk_first(); o; o = o->next) {
        if (o->node == n) {
            error_setf(errp, ERR_IN_USE, "Node '%s' is already in use by '%s'", node_name, o->id);
            return false;
        }
    }
    open = b->ops && b->ops->tray_open && b->ops->tray_open(b->opaque);
    if (!blk_insert(b, n, errp)) {
        return false;
    }
    if (open && b->ops->set_tray) {
        b->ops->set_tray(b->opaque, true);      /* it is in, and the tray stays open */
    }
    return true;
}

/* --- changes of images --- */

typedef struct Amend {
    BlockNode *n;
    QDict *opts;
    bool force;
} Amend;

static bool coroutine_fn amend_run(UNUSED Job *j, void *opaque, Error **errp)
{
    Amend *a = opaque;

    return a->n->drv->co_amend(a->n, a->opts, a->force, errp);
}

static void amend_done(void *opaque)
{
    Amend *a = opaque;

    block_node_unref(a->n);
    qobject_unref(a->opts);
    g_free(a);
}

bool qmp_x_blockdev_amend(const QDict *args, Error **errp)
{
    const char *id = qdict_get_str(args, "job-id", errp), *name = id ? qdict_get_str(args, "node-name", errp) : NULL;
    QDict *options = name ? qdict_get_dict(args, "options", errp) : NULL;
    const char *driver = options ? qdict_get_str(options, "driver", errp) : NULL;
    BlockNode *n = driver ? block_qmp_node(NULL, name, errp) : NULL;
    Amend *a;

    if (!n) {
        return false;
    }
    if (strcmp(n->drv->name, driver)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "node '%s' has driver '%s', not '%s', which can't be changed", name, n->drv->name, driver);
        return false;
    }
    if (!n->drv->co_amend) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Driver '%s' does not support x-blockdev-amend", driver);
        return false;
    }
    if (n->read_only) {
        error_setf(errp, ERR_PERMISSION, "node '%s' is read-only", name);
        return false;
    }
    a = g_new(Amend, 1);
    *a = (Amend){ block_node_ref(n), qobject_ref(options), qdict_bool_or(args, "force", false) };
    if (!job_start(id, JOB_TYPE_AMEND, amend_run, amend_done, a, errp)) {
        amend_done(a);
        return false;
    }
    return true;
}

/* --- new images --- */

typedef struct Create {
    const BlockDriver *drv;
    QDict *opts;
    BlockNode *file;
} Create;

static bool coroutine_fn create_run(UNUSED Job *j, void *opaque, Error **errp)
{
    Create *c = opaque;

    return c->drv->co_create(c->file, c->opts, errp);
}

static void create_done(void *opaque)
{
    Create *c = opaque;

    block_node_unref(c->file);
    qobject_unref(c->opts);
    g_free(c);
}

static bool has_option(const BlockDriver *drv, const char *name)
{
    for (const char *const *o = drv->create_options; o && *o; o++) {
        if (!strcmp(*o, name)) {
            return true;
        }
    }
    return false;
}

/* The schema's names to those of creation options. */
static QDict *creation_options(const BlockDriver *drv, const QDict *options)
{
    QDict *d = qdict_new();

    QDICT_FOR_EACH(e, options) {
        char *name = g_strdup(strcmp(e->key, "version") ? e->key : "compat");

        if (!has_option(drv, name)) {
            g_strdelimit(name, "-", '_');
        }
        if (strcmp(name, "driver") && strcmp(name, "file")) {
            qdict_put(d, name, qobject_ref(e->value));
        }
        g_free(name);
    }
    return d;
}

bool qmp_blockdev_create(const QDict *args, Error **errp)
{
    const char *id = qdict_get_str(args, "job-id", errp), *driver;
    QDict *options = id ? qdict_get_dict(args, "options", errp) : NULL;
    Create *c;

    driver = options ? qdict_get_str(options, "driver", errp) : NULL;
    if (!driver) {
        return false;
    }
    c = g_new0(Create, 1);
    c->drv = block_driver_find(driver);
    if (!c->drv || !c->drv->co_create || !strcmp(driver, "raw")) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Driver '%s' does not support blockdev-create", driver);
        g_free(c);
        return false;
    }
    if (strcmp(driver, "file")) {
        QObject *ref = qdict_get(options, "file");
        const char *name = ref ? qobject_get_str(ref, "file", NULL) : NULL;

        if (name) {
            c->file = block_qmp_node(NULL, name, errp);
            if (c->file) {
                block_node_ref(c->file);
            }
        } else if (ref && qobject_to_dict(ref)) {
            c->file = block_node_open(qobject_to_dict(ref), errp);
        } else {
            error_setf(errp, ERR_MISSING_ARGUMENT, "Parameter 'options.file' is missing");
        }
        if (!c->file) {
            g_free(c);
            return false;
        }
    }
    c->opts = creation_options(c->drv, options);
    if (!job_start(id, JOB_TYPE_CREATE, create_run, create_done, c, errp)) {
        create_done(c);
        return false;
    }
    return true;
}
