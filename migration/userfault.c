/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources: the kernel's Documentation/admin-guide/mm/userfaultfd.rst; ioctl_userfaultfd(2). */
#include "util/osdep.h"
#include "migration/userfault.h"

#include <fcntl.h>
#include <glib.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "util/thread.h"

/* Newer than some hosts' headers. */
#define FEATURE_WP_SHMEM        (UINT64_C(1) << 12)     /* Linux 5.19 */
#define FEATURE_WP_UNPOPULATED  (UINT64_C(1) << 13)     /* Linux 6.4 */

struct Userfault {
    RamBlock *const *blocks;    /* borrowed */
    size_t n;
    int fd, wake_fd;
    Thread thread;
    _Atomic bool quit;
    UserfaultFn *fn;
    void *opaque;
};

/* @features: to be switched on; on return those that the kernel has. */
static int open_fd(uint64_t *features, const char *what, Error **errp)
{
    struct uffdio_api api = { .api = UFFD_API, .features = *features };
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        error_set_errno(errp, errno, "%s needs userfaultfd, which this host refuses", what);
        error_hint(errp, "run as root, or set the sysctl vm.unprivileged_userfaultfd");
        return -1;
    }
    if (ioctl(fd, UFFDIO_API, &api) < 0) {
        error_set_errno(errp, errno, "this kernel's userfaultfd has another interface");
        close(fd);
        return -1;
    }
    *features = api.features;
    return fd;
}

/* What isn't there isn't protected by kernels that can't do that: it shall be there. */
static void populate(const RamBlock *b)
{
    for (uint64_t at = 0; at < b->size; at += MEM_PAGE_SIZE) {
        (void)*(const volatile uint8_t *)(b->host + at);
    }
}

static int open_for(RamBlock *const *blocks, size_t n, UserfaultKind kind, const char *what, Error **errp)
{
    uint64_t wanted = 0, have = 0;
    int fd = open_fd(&have, what, errp);

    if (fd < 0 || kind == USERFAULT_MISSING) {
        return fd;
    }
    close(fd);
    wanted = UFFD_FEATURE_PAGEFAULT_FLAG_WP | FEATURE_WP_SHMEM;
    if ((have & wanted) != wanted) {
        error_setf(errp, ERR_NOT_SUPPORTED, "%s needs a kernel whose userfaultfd reports writes to shared memory: "
                   "Linux 5.19 or newer", what);
        return -1;
    }
    for (size_t i = 0; i < n && !(have & FEATURE_WP_UNPOPULATED); i++) {
        populate(blocks[i]);
    }
    wanted |= have & FEATURE_WP_UNPOPULATED;
    return open_fd(&wanted, what, errp);
}

static bool watch_blocks(int fd, RamBlock *const *blocks, size_t n, UserfaultKind kind, const char *what, Error **errp)
{
    for (size_t i = 0; i < n; i++) {
        struct uffdio_register reg = {
            .range = { (uintptr_t)blocks[i]->host, blocks[i]->size },
            .mode = kind == USERFAULT_WRITE ? UFFDIO_REGISTER_MODE_WP : UFFDIO_REGISTER_MODE_MISSING,
        };

        if (blocks[i]->borrowed || (blocks[i]->fd >= 0 && !blocks[i]->shared)) {
            error_setf(errp, ERR_NOT_SUPPORTED, "%s can't be used with RAM block '%s': its pages can't be taken away",
                       what, blocks[i]->id);
            return false;
        }
        if (ioctl(fd, UFFDIO_REGISTER, &reg) < 0) {
            error_set_errno(errp, errno, "%s can't be used with RAM block '%s'", what, blocks[i]->id);
            return false;
        }
    }
    return true;
}

bool userfault_check(RamBlock *const *blocks, size_t n, UserfaultKind kind, const char *what, Error **errp)
{
    int fd = open_for(NULL, 0, kind, what, errp);
    bool ok = fd >= 0 && watch_blocks(fd, blocks, n, kind, what, errp);

    if (fd >= 0) {
        close(fd);              /* which ends the watching */
    }
    return ok;
}

static void fault(Userfault *u, uint64_t address)
{
    for (size_t i = 0; i < u->n; i++) {
        uint64_t offset = address - (uintptr_t)u->blocks[i]->host;

        if (address >= (uintptr_t)u->blocks[i]->host && offset < u->blocks[i]->size) {
            u->fn(u->opaque, (uint32_t)i, offset >> MEM_PAGE_BITS);
            return;
        }
    }
}

static void *fault_thread(void *opaque)
{
    Userfault *u = opaque;

    while (!u->quit) {
        struct pollfd fds[2] = { { .fd = u->fd, .events = POLLIN },
                                 { .fd = u->wake_fd, .events = POLLIN } };
        struct uffd_msg msg;

        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            break;
        }
        while (read(u->fd, &msg, sizeof(msg)) == sizeof(msg)) {
            if (msg.event == UFFD_EVENT_PAGEFAULT) {
                fault(u, msg.arg.pagefault.address);
            }
        }
    }
    return NULL;
}

Userfault *userfault_new(RamBlock *const *blocks, size_t n, UserfaultKind kind, const char *what, UserfaultFn *fn,
                         void *opaque, Error **errp)
{
    int fd = open_for(blocks, n, kind, what, errp);
    Userfault *u;

    if (fd < 0 || !watch_blocks(fd, blocks, n, kind, what, errp)) {
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    u = g_new0(Userfault, 1);
    *u = (Userfault){ .blocks = blocks, .n = n, .fd = fd, .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .fn = fn,
                      .opaque = opaque };
    thread_create(&u->thread, "userfault", fault_thread, u);
    return u;
}

void userfault_free(Userfault *u)
{
    uint64_t one = 1;

    if (!u) {
        return;
    }
    u->quit = true;
    while (write(u->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    thread_join(&u->thread);
    for (size_t i = 0; i < u->n; i++) {
        struct uffdio_range range = { (uintptr_t)u->blocks[i]->host, u->blocks[i]->size };

        ioctl(u->fd, UFFDIO_UNREGISTER, &range);        /* wakes who waits */
    }
    close(u->fd);
    close(u->wake_fd);
    g_free(u);
}

int userfault_fd(const Userfault *u)
{
    return u->fd;
}

bool userfault_protect(Userfault *u, uint32_t block, uint64_t page, uint64_t n, bool on, Error **errp)
{
    struct uffdio_writeprotect wp = {
        .range = { (uintptr_t)u->blocks[block]->host + (page << MEM_PAGE_BITS), n << MEM_PAGE_BITS },
        .mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
    };

    while (ioctl(u->fd, UFFDIO_WRITEPROTECT, &wp) < 0) {
        if (errno != EAGAIN) {
            error_set_errno(errp, errno, "RAM block '%s', pages %" PRIu64 " to %" PRIu64 " can't be %s",
                            u->blocks[block]->id, page, page + n - 1, on ? "protected" : "let go");
            return false;
        }
    }
    return true;
}
