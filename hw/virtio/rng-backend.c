/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources of random bytes. */
#include "util/osdep.h"
#include "hw/virtio/rng-backend.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/random.h>
#include <unistd.h>

size_t rng_read(RngBackend *b, void *buf, size_t len)
{
    ssize_t n = b->fd >= 0 ? read(b->fd, buf, len) : getrandom(buf, MIN(len, 256), 0);

    return n > 0 ? (size_t)n : 0;
}

FdWatch *rng_wait(RngBackend *b, FdFn *fn, void *opaque)
{
    return b->fd >= 0 ? fd_watch_new_on(main_event_loop(), b->fd, FD_READ, fn, opaque) : NULL;
}

static void rng_init(Object *obj)
{
    RNG_BACKEND(obj)->fd = -1;
}

static bool rng_random_complete(Object *obj, Error **errp)
{
    RngBackend *b = RNG_BACKEND(obj);

    b->fd = open(b->filename, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (b->fd < 0) {
        error_setf(errp, ERR_HOST, "could not open '%s': %s", b->filename, strerror(errno));
        error_argument(errp, "filename", b->filename, "a file of random bytes");
        return false;
    }
    return true;
}

static void rng_finalize(Object *obj)
{
    if (RNG_BACKEND(obj)->fd >= 0) {
        close(RNG_BACKEND(obj)->fd);
    }
}

static const Property rng_props[] = {
    PROP_BOOL("opened", RngBackend, opened, true, "accepted for compatibility"), PROP_END
};
static const TypeInfo rng_info = {
    .name = TYPE_RNG_BACKEND, .size = sizeof(RngBackend), .abstract = true, .props = rng_props,
    .init = rng_init, .finalize = rng_finalize,
};
TYPE(rng_info)

static const Property random_props[] = {
    PROP_STR("filename", RngBackend, filename, "/dev/urandom", "file that is read"), PROP_END
};
static const TypeInfo random_info = {
    .name = "rng-random", .parent = TYPE_RNG_BACKEND, .user_creatable = true,
    .desc = "random bytes from a file of the host", .props = random_props,
    .complete = rng_random_complete,
};
TYPE(random_info)

static const TypeInfo builtin_info = {
    .name = "rng-builtin", .parent = TYPE_RNG_BACKEND, .user_creatable = true,
    .desc = "random bytes of the host's kernel",
};
TYPE(builtin_info)
