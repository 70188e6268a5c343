/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets of character devices, read and written by turns. */
#include "util/osdep.h"
#include <poll.h>
#include <sys/socket.h>
#include "chardev/char-int.h"
#include "util/main-loop.h"
#include "util/timer.h"

static int socket_of(CharFrontend *fe, Error **errp)
{
    int fd = fe->chr && fe->chr->ops->socket_fd ? fe->chr->ops->socket_fd(fe->chr) : -1;

    if (fd < 0) {
        error_setf(errp, ERR_WRONG_STATE, "character device '%s' is no connected socket",
                   fe->chr ? fe->chr->id : "");
    }
    return fd;
}

/* Until @deadline (CLOCK_RT). */
static bool wait_ready(CharFrontend *fe, int fd, short events, int64_t deadline, Error **errp)
{
    struct pollfd p = { .fd = fd, .events = events };
    int64_t left;
    int n;

    do {
        left = (deadline - clock_get_ns(CLOCK_RT)) / 1000000;
        n = left < 0 ? 0 : poll(&p, 1, left);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        error_setf(errp, ERR_HOST, "the other side of '%s' doesn't answer", fe->chr->id);
    }
    return n > 0;
}

static int64_t deadline_in(int timeout_ms)
{
    return clock_get_ns(CLOCK_RT) + timeout_ms * INT64_C(1000000);
}

bool chr_fe_write_sync(CharFrontend *fe, const void *buf, size_t len, const int *fds, size_t n_fds,
                       int timeout_ms, Error **errp)
{
    int64_t deadline = deadline_in(timeout_ms);
    char control[CMSG_SPACE(CHR_SYNC_FDS * sizeof(int))] = { 0 };
    int fd = socket_of(fe, errp);

    assert(n_fds <= CHR_SYNC_FDS);
    while (fd >= 0 && len) {
        struct iovec iov = { (void *)buf, len };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
        ssize_t n;

        if (n_fds) {
            struct cmsghdr *c;

            msg.msg_control = control;
            msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
            c = CMSG_FIRSTHDR(&msg);
            c->cmsg_level = SOL_SOCKET;
            c->cmsg_type = SCM_RIGHTS;
            c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
            memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
        }
        n = sendmsg(fd, &msg, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            if (!wait_ready(fe, fd, POLLOUT, deadline, errp)) {
                return false;
            }
        } else if (n < 0 && errno != EINTR) {
            error_set_errno(errp, errno, "can't write to '%s'", fe->chr->id);
            return false;
        } else if (n > 0) {
            buf = (const uint8_t *)buf + n;
            len -= n;
            n_fds = 0;                          /* they have gone with the first byte */
        }
    }
    return fd >= 0;
}

bool chr_fe_read_sync(CharFrontend *fe, void *buf, size_t len, int timeout_ms, Error **errp)
{
    int64_t deadline = deadline_in(timeout_ms);
    int fd = socket_of(fe, errp);
    char control[CMSG_SPACE(CHR_SYNC_FDS * sizeof(int))];

    while (fd >= 0 && len) {
        struct iovec iov = { buf, len };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof(control) };
        ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

        if (n < 0 && errno == EAGAIN) {
            if (!wait_ready(fe, fd, POLLIN, deadline, errp)) {
                return false;
            }
        } else if (n == 0 || (n < 0 && errno != EINTR)) {
            error_setf(errp, ERR_EOF, "the other side of '%s' is gone", fe->chr->id);
            return false;
        } else if (n > 0) {
            fe->chr->ops->keep_fds(fe->chr, &msg);
            buf = (uint8_t *)buf + n;
            len -= n;
        }
    }
    return fd >= 0;
}

static void time_is_up(void *opaque)
{
    *(bool *)opaque = true;
}

bool chr_fe_wait_open(CharFrontend *fe, int timeout_ms, Error **errp)
{
    bool late = false;
    Timer t = { 0 };

    timer_init_ns(&t, CLOCK_RT, time_is_up, &late);
    timer_mod_ns(&t, deadline_in(timeout_ms));
    while (!late && !chr_fe_is_open(fe)) {
        main_loop_iterate(true);
    }
    timer_del(&t);
    if (!chr_fe_is_open(fe)) {
        error_setf(errp, ERR_HOST, "nobody connects to '%s'", fe->chr ? fe->chr->id : "");
    }
    return chr_fe_is_open(fe);
}
