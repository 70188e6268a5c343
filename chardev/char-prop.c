/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices' properties that name a character device (PROP_CHARDEV). */
#include "util/osdep.h"
#include "chardev/char-int.h"
#include "qom/property.h"

/* Whether it is free is seen when the device connects its front end. */
static void *attach(struct Object *owner, const char *id, Error **errp)
{
    Chardev *chr = chardev_find(id);

    (void)owner;
    if (!chr) {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "there is no character device '%s'", id);
        error_argument(errp, "chardev", id, "the id of a character device");
    }
    return chr;
}

static void detach(struct Object *owner, void *backend)
{
    (void)owner;
    (void)backend;
}

static const char *get_id(void *backend)
{
    return chardev_id(backend);
}

static const BackendKind chardev_kind = { attach, detach, get_id };

CONSTRUCTOR static void register_kind(void)
{
    backend_kind_register(PROP_KIND_CHARDEV, &chardev_kind);
}
