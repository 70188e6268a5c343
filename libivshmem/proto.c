/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "libivshmem/proto.h"

#include <endian.h>
#include <sys/socket.h>
#include <unistd.h>

void ivshmem_reader_init(IvshmemReader *r)
{
    *r = (IvshmemReader){ .fd = -1 };
}

void ivshmem_reader_cleanup(IvshmemReader *r)
{
    if (r->fd >= 0) {
        close(r->fd);
    }
    r->fd = -1;
}

/* Several are a mistake: one is kept, the rest closed. */
static bool keep_fds(IvshmemReader *r, struct msghdr *msg)
{
    bool ok = !(msg->msg_flags & MSG_CTRUNC);

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (r->fd < 0) {
                r->fd = fd;
            } else {
                close(fd);
                ok = false;
            }
        }
    }
    return ok;
}

int ivshmem_read(IvshmemReader *r, int sock, int64_t *number, int *fd)
{
    uint64_t raw;

    while (r->have < sizeof(r->buf)) {
        char control[CMSG_SPACE(4 * sizeof(int))];
        /* Never more than the rest of one message: its descriptor is then known to be its own. */
        struct iovec iov = { r->buf + r->have, sizeof(r->buf) - r->have };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof(control) };
        ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? -EPIPE : errno == EAGAIN ? 0 : -errno;
        }
        if (!keep_fds(r, &msg)) {
            return -EPROTO;
        }
        r->have += (unsigned)n;
    }
    memcpy(&raw, r->buf, sizeof(raw));
    *number = (int64_t)le64toh(raw);
    *fd = r->fd;
    r->fd = -1;
    r->have = 0;
    return 1;
}

int ivshmem_write(int sock, int64_t number, int fd)
{
    uint64_t raw = htole64((uint64_t)number);
    char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { &raw, sizeof(raw) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    if (fd >= 0) {
        struct cmsghdr *c;

        msg.msg_control = control;
        msg.msg_controllen = sizeof(control);
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(int));
    }
    do {
        n = sendmsg(sock, &msg, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    /* Stream sockets of this family take eight bytes whole or not at all. */
    return n == sizeof(raw) ? 0 : n < 0 ? -errno : -EIO;
}
