/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server of libivshmem in the main loop, so that guests share memory without a process between them: devices of
 * this emulator name the broker, those of others connect to its socket.
 */
#include "util/osdep.h"
#include "hw/misc/ivshmem-broker.h"

#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "libivshmem/server.h"
#include "qobject/qobject.h"
#include "util/main-loop.h"

typedef struct Broker {
    Object obj;
    char *path;
    uint64_t size;
    uint32_t vectors, clients;
    bool hugetlb;
    int memory;
    IvshmemServer *server;
    FdWatch *watch;
} Broker;
DEFINE_CAST(BROKER, Broker, TYPE_IVSHMEM_BROKER)

#define SIZE_LIMIT  (64 * GIB)

static void something_to_do(UNUSED int fd, UNUSED unsigned events, void *opaque)
{
    ivshmem_server_run(((Broker *)opaque)->server);
}

static bool broker_complete(Object *obj, Error **errp)
{
    Broker *b = BROKER(obj);
    IvshmemServerOptions o = { .socket = b->path, .vectors = b->vectors, .clients = b->clients };
    char why[IVSHMEM_ERR_LEN];

    b->memory = -1;
    if (!IS_POWER_OF_2(b->size) || b->size < 4096 || b->size > SIZE_LIMIT) {
        error_setf(errp, ERR_PROPERTY_RANGE,
                   "property 'size' is %" PRIu64 "; accepted: powers of two from 4 KiB to 64 GiB", b->size);
        return false;
    }
    b->memory = ivshmem_memory_new(b->hugetlb ? IVSHMEM_MEMORY_HUGE : IVSHMEM_MEMORY_MEMFD, NULL, b->size, why);
    o.memory = b->memory;
    b->server = b->memory >= 0 ? ivshmem_server_new(&o, why) : NULL;
    if (!b->server) {
        error_setf(errp, ERR_HOST, "object '%s': %s", obj->name, why);
        if (b->memory >= 0) {
            close(b->memory);
        }
        return false;
    }
    b->watch = fd_watch_new_on(main_event_loop(), ivshmem_server_fd(b->server), FD_READ, something_to_do, b);
    return true;
}

static void broker_finalize(Object *obj)
{
    Broker *b = BROKER(obj);

    if (b->server) {
        fd_watch_remove(b->watch);
        ivshmem_server_free(b->server);
        b->server = NULL;
        close(b->memory);
    }
}

static int close_one(Object *obj, UNUSED void *opaque)
{
    if (object_is_a(obj, TYPE_IVSHMEM_BROKER)) {
        broker_finalize(obj);
    }
    return 0;
}

void ivshmem_broker_close_all(void)
{
    object_child_foreach(object_container("/objects"), close_one, NULL);
}

Chardev *ivshmem_broker_connect(Object *obj, Error **errp)
{
    Broker *b = BROKER(obj);
    QOBJECT_AUTO QDict *opts = NULL;
    char *id, fd[16];
    Chardev *chr;
    int pair[2], r;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        error_set_errno(errp, errno, "object '%s': no connection", obj->name);
        return NULL;
    }
    r = ivshmem_server_add(b->server, pair[0]);
    if (r < 0) {
        error_set_errno(errp, -r, "object '%s' can't serve another device", obj->name);
        close(pair[1]);
        return NULL;
    }
    id = chardev_new_id("ivshmem-broker");
    snprintf(fd, sizeof(fd), "%d", pair[1]);
    opts = qdict_from_fmt("{'backend': 'socket', 'id': %s, 'server': false, 'fd': %s}", id, fd);
    g_free(id);
    chr = chardev_new_from_opts(opts, errp);
    if (!chr) {
        close(pair[1]);
    }
    return chr;
}

static const Property broker_props[] = {
    PROP_STR("path", Broker, path, NULL, "unix socket for the devices of other emulators"),
    PROP_SIZE("size", Broker, size, 4 * MIB, "bytes of shared memory, a power of two"),
    PROP_U32_RANGE("vectors", Broker, vectors, 1, 1, IVSHMEM_VECTORS_MAX, "of each device"),
    PROP_U32_RANGE("clients", Broker, clients, IVSHMEM_CLIENTS_MAX, 1, IVSHMEM_CLIENTS_MAX, "at most"),
    PROP_BOOL("hugetlb", Broker, hugetlb, false, "memory of huge pages"),
    PROP_END
};

static const TypeInfo broker_info = {
    .name = TYPE_IVSHMEM_BROKER, .size = sizeof(Broker), .user_creatable = true, .props = broker_props,
    .complete = broker_complete, .finalize = broker_finalize,
    .desc = "shared memory and doorbells for ivshmem-doorbell devices",
};
TYPE(broker_info)
