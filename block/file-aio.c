/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io_uring for files: a ring for each event loop that uses one. A ring belongs to its loop's thread
 * (the main loop: to whoever holds the big lock); completions come by an eventfd of it.
 */
#include "util/osdep.h"
#include <glib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "config.h"
#include "block/file.h"
#include "util/iov.h"
#ifdef CONFIG_LIBURING
#include <liburing.h>

#define RING_ENTRIES    128

typedef struct Ring {
    EventLoop *loop;
    struct io_uring ring;
    int fd;                         /* eventfd */
    FdWatch *watch;
    BottomHalf *submit;             /* what was queued in this round */
    bool planned;
    unsigned queued;                /* since the last submission */
    unsigned in_flight;
    struct Ring *next;
} Ring;

static Ring *rings;                 /* registry, by loop; under rings_lock */
static Mutex rings_lock = MUTEX_INITIALIZER;

typedef struct Wait {
    Coroutine *co;
    int result;
} Wait;

static void reap(Ring *r)
{
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(&r->ring, &cqe) == 0) {
        Wait *w = io_uring_cqe_get_data(cqe);

        w->result = cqe->res;
        io_uring_cqe_seen(&r->ring, cqe);
        r->in_flight--;
        co_enter(w->co);
    }
}

static void completed(int fd, UNUSED unsigned events, void *opaque)
{
    uint64_t n;

    while (read(fd, &n, sizeof(n)) > 0) {
    }
    reap(opaque);
}

static void submit(void *opaque)
{
    Ring *r = opaque;

    r->planned = false;
    r->queued = 0;
    while (io_uring_submit(&r->ring) == -EINTR) {
    }
}

static Ring *ring_of_loop(void)
{
    EventLoop *loop = current_event_loop();
    Ring *r;

    MUTEX_GUARD(&rings_lock);
    for (r = rings; r && r->loop != loop; r = r->next) {
    }
    if (r) {
        return r;
    }
    r = g_new0(Ring, 1);
    r->loop = loop;
    r->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (r->fd < 0 || io_uring_queue_init(RING_ENTRIES, &r->ring, 0) < 0) {
        if (r->fd >= 0) {
            close(r->fd);
        }
        g_free(r);
        return NULL;
    }
    if (io_uring_register_eventfd(&r->ring, r->fd) < 0) {
        io_uring_queue_exit(&r->ring);
        close(r->fd);
        g_free(r);
        return NULL;
    }
    r->submit = bh_new_on(loop, submit, r);
    r->watch = fd_watch_new_on(loop, r->fd, FD_READ, completed, r);
    r->next = rings;
    rings = r;
    return r;
}

/* The lower of the file's limit and the loop's; 0 is none. */
static unsigned batch(const Ring *r, const FileState *s)
{
    unsigned loop = event_loop_max_batch(r->loop);

    return MIN(s->max_batch ? s->max_batch : UINT_MAX, loop ? loop : UINT_MAX);
}

/* One system call's worth. */
static int coroutine_fn once(Ring *r, const FileState *s, const FileJob *j, const struct iovec *iov, size_t niov,
                             uint64_t offset)
{
    Wait w = { .co = co_self() };
    struct io_uring_sqe *sqe = r->in_flight < RING_ENTRIES ? io_uring_get_sqe(&r->ring) : NULL;

    if (!sqe) {
        return -ENOTSUP;            /* full: a thread takes it */
    }
    switch (j->what) {
    case JOB_READ:
        io_uring_prep_readv(sqe, j->fd, iov, niov, offset);
        break;
    case JOB_WRITE:
        io_uring_prep_writev(sqe, j->fd, iov, niov, offset);
        break;
    default:
        io_uring_prep_fsync(sqe, j->fd, IORING_FSYNC_DATASYNC);
    }
    io_uring_sqe_set_data(sqe, &w);
    r->in_flight++;
    if (++r->queued >= batch(r, s)) {
        submit(r);
    } else if (!r->planned) {
        r->planned = true;
        bh_schedule(r->submit);
    }
    co_yield();
    return w.result;
}

int coroutine_fn file_aio(FileState *s, const FileJob *job)
{
    Ring *r = job->niov > 1024 ? NULL : ring_of_loop();
    size_t len = iov_size(job->iov, job->niov);
    int n;

    if (!r) {
        return -ENOTSUP;
    }
    n = once(r, s, job, job->iov, job->niov, job->offset);
    if (n < 0 || job->what == JOB_FLUSH) {
        return n == -EAGAIN || n == -EINTR ? -ENOTSUP : n;
    }
    /* A part only: at the end of the file, say. A thread does it again. */
    return (size_t)n == len ? 0 : -ENOTSUP;
}

bool file_aio_check(int kind, Error **errp)
{
    if (!ring_of_loop() && kind == AIO_URING) {
        error_set_errno(errp, errno, "the kernel has no io_uring for us");
        return false;
    }
    return true;
}

void block_forget_loop(EventLoop *loop)
{
    Ring *r, **pp = &rings;

    file_native_forget(loop);
    MUTEX_GUARD(&rings_lock);
    while (*pp && (*pp)->loop != loop) {
        pp = &(*pp)->next;
    }
    r = *pp;
    if (r) {
        *pp = r->next;
        assert(!r->in_flight);
        fd_watch_remove(r->watch);
        bh_delete(r->submit);
        io_uring_queue_exit(&r->ring);
        close(r->fd);
        g_free(r);
    }
}
#else
int coroutine_fn file_aio(FileState *s, const FileJob *job)
{
    (void)s;
    (void)job;
    return -ENOTSUP;
}

bool file_aio_check(int kind, Error **errp)
{
    if (kind == AIO_URING) {
        error_setf(errp, ERR_NOT_SUPPORTED, "io_uring isn't built in");
        return false;
    }
    return true;
}

void block_forget_loop(EventLoop *loop)
{
    file_native_forget(loop);
}
#endif
