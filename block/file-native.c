/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aio=native: Linux's older asynchronous I/O (io_submit(2)), by its system calls. A context for each
 * event loop that uses one, with an eventfd for completions; it belongs to the loop's thread (the main
 * loop: to whoever holds the big lock).
 */
#include "util/osdep.h"
#include <glib.h>
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "block/file.h"
#include "util/iov.h"

enum { DEPTH = 128 };

typedef struct Native {
    EventLoop *loop;
    aio_context_t ctx;
    int fd;                         /* eventfd */
    FdWatch *watch;
    unsigned in_flight;
    struct Native *next;
} Native;

static Native *contexts;            /* registry, by loop; under contexts_lock */
static Mutex contexts_lock = MUTEX_INITIALIZER;

typedef struct Wait {
    Coroutine *co;
    int64_t result;
} Wait;

static void completed(int fd, UNUSED unsigned events, void *opaque)
{
    Native *a = opaque;
    struct timespec now = { 0 };
    struct io_event ev[DEPTH];
    uint64_t count;
    long n;

    while (read(fd, &count, sizeof(count)) > 0) {
    }
    while ((n = syscall(SYS_io_getevents, a->ctx, 0, DEPTH, ev, &now)) > 0) {
        for (long i = 0; i < n; i++) {
            Wait *w = (Wait *)(uintptr_t)ev[i].data;

            w->result = ev[i].res;
            a->in_flight--;
            co_enter(w->co);
        }
    }
}

static Native *of_loop(void)
{
    EventLoop *loop = current_event_loop();
    Native *a;

    MUTEX_GUARD(&contexts_lock);
    for (a = contexts; a && a->loop != loop; a = a->next) {
    }
    if (a) {
        return a;
    }
    a = g_new0(Native, 1);
    a->loop = loop;
    a->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (a->fd < 0 || syscall(SYS_io_setup, DEPTH, &a->ctx) < 0) {
        if (a->fd >= 0) {
            close(a->fd);
        }
        g_free(a);
        return NULL;
    }
    a->watch = fd_watch_new_on(loop, a->fd, FD_READ, completed, a);
    a->next = contexts;
    contexts = a;
    return a;
}

int coroutine_fn file_native(const FileJob *j)
{
    Native *a = j->what == JOB_FLUSH || j->niov > 1024 ? NULL : of_loop();
    Wait w = { .co = co_self() };
    struct iocb cb = { 0 }, *list = &cb;

    if (!a || a->in_flight >= DEPTH) {
        return -ENOTSUP;            /* a thread takes it */
    }
    cb.aio_data = (uintptr_t)&w;
    cb.aio_lio_opcode = j->what == JOB_READ ? IOCB_CMD_PREADV : IOCB_CMD_PWRITEV;
    cb.aio_fildes = j->fd;
    cb.aio_buf = (uintptr_t)j->iov;
    cb.aio_nbytes = j->niov;
    cb.aio_offset = j->offset;
    cb.aio_flags = IOCB_FLAG_RESFD;
    cb.aio_resfd = a->fd;
    a->in_flight++;
    if (syscall(SYS_io_submit, a->ctx, 1, &list) != 1) {
        a->in_flight--;
        return -ENOTSUP;
    }
    co_yield();
    if (w.result < 0) {
        return w.result == -EAGAIN || w.result == -EINTR ? -ENOTSUP : (int)w.result;
    }
    /* A part only: at the end of the file, say. A thread does it again. */
    return (size_t)w.result == iov_size(j->iov, j->niov) ? 0 : -ENOTSUP;
}

bool file_native_check(Error **errp)
{
    if (!of_loop()) {
        error_set_errno(errp, errno, "the kernel has no asynchronous I/O for us");
        return false;
    }
    return true;
}

void file_native_forget(EventLoop *loop)
{
    Native *a, **pp = &contexts;

    MUTEX_GUARD(&contexts_lock);
    while (*pp && (*pp)->loop != loop) {
        pp = &(*pp)->next;
    }
    a = *pp;
    if (a) {
        *pp = a->next;
        assert(!a->in_flight);
        fd_watch_remove(a->watch);
        syscall(SYS_io_destroy, a->ctx);
        close(a->fd);
        g_free(a);
    }
}
