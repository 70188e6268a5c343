/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shutting down connections whose other end doesn't answer. */
#include "util/osdep.h"
#include "chardev/char-int.h"
#include "migration/migration.h"
#include "qapi/commands-migration.h"
#include "qapi/commands-yank.h"
#include "util/main-loop.h"
#include "vmstate/blocker.h"

/* Those with an other end that may hang. */
static bool chardev_is_yankable(const Chardev *chr)
{
    return chr->ops->kind == CHARDEV_BACKEND_KIND_SOCKET && chr->be_open;
}

static YankInstance *new_instance(YankInstanceType type)
{
    YankInstance *y = qapi_new(YankInstance);

    y->type = type;
    return y;
}

YankInstanceList *qmp_query_yank(UNUSED Error **errp)
{
    YankInstanceList *list = qapi_new(YankInstanceList);

    for (const Chardev *chr = chardev_list; chr; chr = chr->next) {
        if (chardev_is_yankable(chr)) {
            YankInstance *y = new_instance(YANK_INSTANCE_TYPE_CHARDEV);

            y->u.chardev.id = strdup(chr->id);
            qapi_list_append(list, y);
        }
    }
    if (migration_is_busy()) {
        qapi_list_append(list, new_instance(YANK_INSTANCE_TYPE_MIGRATION));
    }
    return list;
}

static bool is_there(const YankInstance *y)
{
    const Chardev *chr;

    switch (y->type) {
    case YANK_INSTANCE_TYPE_CHARDEV:
        chr = chardev_find(y->u.chardev.id);
        return chr && chardev_is_yankable(chr);
    case YANK_INSTANCE_TYPE_MIGRATION:
        return migration_is_busy();
    default:
        return false;           /* no image has a connection that can be shut down */
    }
}

/* Later, since the command may have come over that very connection. */
static void disconnect(void *opaque)
{
    g_autofree char *id = opaque;
    Chardev *chr = chardev_find(id);

    if (chr && chr->ops->disconnect) {
        chr->ops->disconnect(chr);
    }
}

bool qmp_yank(const YankInstanceList *instances, Error **errp)
{
    for (size_t i = 0; i < instances->n; i++) {
        if (!is_there(instances->items[i])) {
            error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_OBJECT,
                            "Instance not found");
            error_hint(errp, "query-yank lists what can be shut down");
            return false;
        }
    }
    for (size_t i = 0; i < instances->n; i++) {
        const YankInstance *y = instances->items[i];

        if (y->type == YANK_INSTANCE_TYPE_CHARDEV) {
            bh_once(NULL, disconnect, g_strdup(y->u.chardev.id));
        } else if (!outgoing_pause() && !qmp_migrate_cancel(errp)) {
            return false;
        }
    }
    return true;
}
