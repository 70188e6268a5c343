/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/clipboard/wire.h"
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEAD        8
#define SEND_MAX    4096

bool wire_open(Wire *w)
{
    const char *display = getenv("WAYLAND_DISPLAY"), *dir = getenv("XDG_RUNTIME_DIR");
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int n;

    memset(w, 0, sizeof(*w));
    w->next_id = 2;                     /* 1 is the display */
    if (!display || !*display) {
        display = "wayland-0";
    }
    n = *display == '/' ? snprintf(a.sun_path, sizeof(a.sun_path), "%s", display)
                        : snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", dir ? dir : "", display);
    if (n < 0 || (size_t)n >= sizeof(a.sun_path) || (*display != '/' && !dir)) {
        errno = n < 0 || dir ? ENAMETOOLONG : ENOENT;
        return false;
    }
    w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (w->fd >= 0 && connect(w->fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        close(w->fd);
        w->fd = -1;
    }
    return w->fd >= 0;
}

void wire_close(Wire *w)
{
    while (w->fds_n) {
        close(w->fds[--w->fds_n]);
    }
    close(w->fd);
}

uint32_t wire_new_id(Wire *w)
{
    return w->next_id++;
}

/* --- out --- */

static void put(uint8_t *b, size_t *at, uint32_t v)
{
    memcpy(b + *at, &v, 4);
    *at += 4;
}

static bool send_all(Wire *w, const uint8_t *b, size_t len, int fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .room = { 0 } };

    for (size_t at = 0; at < len; ) {
        struct iovec iov = { (void *)(b + at), len - at };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
        ssize_t n;

        if (fd >= 0) {
            m.msg_control = &control;
            m.msg_controllen = sizeof(control.room);
            control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
                                             .cmsg_type = SCM_RIGHTS };
            memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
        }
        n = sendmsg(w->fd, &m, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            at += n;
            fd = -1;
        }
    }
    return true;
}

bool wire_send(Wire *w, uint32_t object, uint16_t opcode, const char *sig, ...)
{
    uint8_t b[SEND_MAX];
    size_t at = HEAD, len;
    int fd = -1;
    va_list ap;

    va_start(ap, sig);
    for (; *sig; sig++) {
        if (*sig == 'h') {
            fd = va_arg(ap, int);
        } else if (*sig == 'u') {
            put(b, &at, va_arg(ap, uint32_t));
        } else {
            const char *s = va_arg(ap, const char *);

            len = strlen(s) + 1;
            if (at + 4 + len + 4 > SEND_MAX) {
                va_end(ap);
                return false;
            }
            put(b, &at, len);
            memset(b + at, 0, (len + 3) & ~(size_t)3);
            memcpy(b + at, s, len);
            at += (len + 3) & ~(size_t)3;
        }
    }
    va_end(ap);
    len = at;
    at = 0;
    put(b, &at, object);
    put(b, &at, (uint32_t)len << 16 | opcode);
    return send_all(w, b, len, fd);
}

/* --- in --- */

static void take_fds(Wire *w, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        size_t n = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int)
                                                                             : 0;

        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (w->fds_n < WIRE_FDS_MAX) {
                w->fds[w->fds_n++] = fd;
            } else {
                close(fd);
            }
        }
    }
}

bool wire_fill(Wire *w)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
    } control;
    struct iovec iov;
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                        .msg_controllen = sizeof(control.room) };
    ssize_t n;

    memmove(w->in, w->in + w->in_at, w->in_n - w->in_at);
    w->in_n -= w->in_at;
    w->in_at = 0;
    iov = (struct iovec){ w->in + w->in_n, sizeof(w->in) - w->in_n };
    n = recvmsg(w->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    take_fds(w, &m);
    w->in_n += n;
    return n > 0;
}

bool wire_next(Wire *w, WireMessage *m)
{
    uint32_t head[2];
    size_t len;

    if (w->in_n - w->in_at < HEAD) {
        return false;
    }
    memcpy(head, w->in + w->in_at, HEAD);
    len = head[1] >> 16;
    if (len < HEAD || w->in_n - w->in_at < len) {
        return false;
    }
    *m = (WireMessage){ .object = head[0], .opcode = head[1], .args = w->in + w->in_at + HEAD, .len = len - HEAD };
    w->in_at += len;
    return true;
}

uint32_t wire_u32(WireMessage *m)
{
    uint32_t v = 0;

    if (m->len - m->at < 4) {
        m->bad = true;
        return 0;
    }
    memcpy(&v, m->args + m->at, 4);
    m->at += 4;
    return v;
}

const char *wire_string(WireMessage *m)
{
    uint32_t n = wire_u32(m);
    const char *s = (const char *)m->args + m->at;

    if (!n || n > m->len - m->at || s[n - 1]) {
        m->bad = true;
        return "";
    }
    n = (n + 3) & ~3u;
    m->at += n < m->len - m->at ? n : m->len - m->at;
    return s;
}

int wire_take_fd(Wire *w)
{
    int fd = w->fds_n ? w->fds[0] : -1;

    if (w->fds_n) {
        memmove(w->fds, w->fds + 1, --w->fds_n * sizeof(int));
    }
    return fd;
}
