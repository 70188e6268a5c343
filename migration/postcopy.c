/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources: the kernel's Documentation/admin-guide/mm/userfaultfd.rst; ioctl_userfaultfd(2). */
#include "util/osdep.h"
#include "migration/postcopy.h"

#include <fcntl.h>
#include <glib.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "util/bitmap.h"
#include "util/thread.h"

struct Postcopy {
    RamBlock *const *blocks;    /* borrowed */
    size_t n;
    uint64_t **missing;         /* a bit for each page of a block that has to come; the reading thread's */
    Mutex lock;
    uint64_t **asked;           /* lock; those that were asked for */
    int fd, wake_fd;
    Thread thread;
    _Atomic bool quit;
    void (*request)(void *opaque, uint32_t block, uint64_t page);
    void *opaque;
};

static int open_uffd(Error **errp)
{
    struct uffdio_api api = { .api = UFFD_API };
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        error_set_errno(errp, errno, "post-copy needs userfaultfd, which this host refuses");
        error_hint(errp, "run as root, or set the sysctl vm.unprivileged_userfaultfd");
        return -1;
    }
    if (ioctl(fd, UFFDIO_API, &api) < 0) {
        error_set_errno(errp, errno, "this kernel's userfaultfd has another interface");
        close(fd);
        return -1;
    }
    return fd;
}

static bool watch_blocks(int fd, RamBlock *const *blocks, size_t n, Error **errp)
{
    for (size_t i = 0; i < n; i++) {
        struct uffdio_register reg = {
            .range = { (uintptr_t)blocks[i]->host, blocks[i]->size },
            .mode = UFFDIO_REGISTER_MODE_MISSING,
        };

        if (blocks[i]->borrowed || (blocks[i]->fd >= 0 && !blocks[i]->shared)) {
            error_setf(errp, ERR_NOT_SUPPORTED,
                       "post-copy can't be used with RAM block '%s': its pages can't be taken away",
                       blocks[i]->id);
            return false;
        }
        if (ioctl(fd, UFFDIO_REGISTER, &reg) < 0) {
            error_set_errno(errp, errno, "post-copy can't be used with RAM block '%s'",
                            blocks[i]->id);
            return false;
        }
    }
    return true;
}

bool postcopy_check(RamBlock *const *blocks, size_t n, Error **errp)
{
    int fd = open_uffd(errp);
    bool ok = fd >= 0 && watch_blocks(fd, blocks, n, errp);

    if (fd >= 0) {
        close(fd);              /* which ends the watching */
    }
    return ok;
}

static void wanted(Postcopy *p, uint64_t address)
{
    for (size_t i = 0; i < p->n; i++) {
        uint64_t offset = address - (uintptr_t)p->blocks[i]->host, page = offset >> MEM_PAGE_BITS;

        if (address >= (uintptr_t)p->blocks[i]->host && offset < p->blocks[i]->size) {
            bool is_new;

            mutex_lock(&p->lock);
            is_new = !bitmap_test(p->asked[i], page);
            bitmap_set_bit(p->asked[i], page);
            mutex_unlock(&p->lock);
            if (is_new) {
                p->request(p->opaque, (uint32_t)i, page);
            }
            return;
        }
    }
}

static void *fault_thread(void *opaque)
{
    Postcopy *p = opaque;

    while (!p->quit) {
        struct pollfd fds[2] = { { .fd = p->fd, .events = POLLIN },
                                 { .fd = p->wake_fd, .events = POLLIN } };
        struct uffd_msg msg;

        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            break;
        }
        while (read(p->fd, &msg, sizeof(msg)) == sizeof(msg)) {
            if (msg.event == UFFD_EVENT_PAGEFAULT) {
                wanted(p, msg.arg.pagefault.address);
            }
        }
    }
    return NULL;
}

Postcopy *postcopy_new(RamBlock *const *blocks, size_t n,
                       void (*request)(void *opaque, uint32_t block, uint64_t page), void *opaque,
                       Error **errp)
{
    int fd = open_uffd(errp);
    Postcopy *p;

    if (fd < 0 || !watch_blocks(fd, blocks, n, errp)) {
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    p = g_new0(Postcopy, 1);
    p->blocks = blocks;
    p->n = n;
    p->fd = fd;
    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->request = request;
    p->opaque = opaque;
    mutex_init(&p->lock);
    p->missing = g_new0(uint64_t *, n);
    p->asked = g_new0(uint64_t *, n);
    for (size_t i = 0; i < n; i++) {
        p->missing[i] = bitmap_new(blocks[i]->size >> MEM_PAGE_BITS);
        p->asked[i] = bitmap_new(blocks[i]->size >> MEM_PAGE_BITS);
    }
    thread_create(&p->thread, "postcopy/fault", fault_thread, p);
    return p;
}

void postcopy_discard(Postcopy *p, uint32_t block, uint64_t page, uint64_t n)
{
    ram_block_discard(p->blocks[block], page << MEM_PAGE_BITS, n << MEM_PAGE_BITS);
    bitmap_set(p->missing[block], page, n);
}

const uint64_t *postcopy_missing(const Postcopy *p, uint32_t block)
{
    return p->missing[block];
}

void postcopy_ask_again(Postcopy *p)
{
    for (size_t i = 0; i < p->n; i++) {
        uint64_t pages = p->blocks[i]->size >> MEM_PAGE_BITS;

        for (uint64_t page = bitmap_find_set(p->missing[i], pages, 0); page < pages;
             page = bitmap_find_set(p->missing[i], pages, page + 1)) {
            bool asked;

            mutex_lock(&p->lock);
            asked = bitmap_test(p->asked[i], page);
            mutex_unlock(&p->lock);
            if (asked) {
                p->request(p->opaque, (uint32_t)i, page);
            }
        }
    }
}

bool postcopy_place(Postcopy *p, uint32_t block, uint64_t page, const uint8_t *data, Error **errp)
{
    struct uffdio_copy copy = {
        .dst = (uintptr_t)p->blocks[block]->host + (page << MEM_PAGE_BITS),
        .src = (uintptr_t)data, .len = MEM_PAGE_SIZE,
    };

    bitmap_clear_bit(p->missing[block], page);
    while (ioctl(p->fd, UFFDIO_COPY, &copy) < 0) {
        if (errno == EEXIST) {
            /* It is there already: so is whoever waited, perhaps without having been told. */
            struct uffdio_range range = { copy.dst, copy.len };

            ioctl(p->fd, UFFDIO_WAKE, &range);
            return true;
        }
        if (errno != EAGAIN) {
            error_set_errno(errp, errno, "RAM block '%s', page %" PRIu64 " can't be put in place",
                            p->blocks[block]->id, page);
            return false;
        }
        copy.copy = 0;
    }
    return true;
}

void postcopy_free(Postcopy *p)
{
    uint64_t one = 1;

    if (!p) {
        return;
    }
    p->quit = true;
    while (write(p->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    thread_join(&p->thread);
    for (size_t i = 0; i < p->n; i++) {
        struct uffdio_range range = { (uintptr_t)p->blocks[i]->host, p->blocks[i]->size };

        ioctl(p->fd, UFFDIO_UNREGISTER, &range);        /* wakes who waits */
        free(p->asked[i]);
        free(p->missing[i]);
    }
    mutex_destroy(&p->lock);
    close(p->fd);
    close(p->wake_fd);
    g_free(p->asked);
    g_free(p->missing);
    g_free(p);
}
