/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "block/nbd.h"
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "util/iov.h"

static ssize_t some(NbdStream *s, bool write, struct iovec *iov, size_t niov)
{
    struct msghdr m = { .msg_iov = iov, .msg_iovlen = MIN(niov, (size_t)64) };

    if (s->tls) {
        while (niov > 1 && iov->iov_len == 0) {
            iov++;
            niov--;
        }
        return write ? tls_write(s->tls, iov->iov_base, iov->iov_len)
                     : tls_read(s->tls, iov->iov_base, iov->iov_len);
    }
    return write ? sendmsg(s->fd, &m, MSG_NOSIGNAL) : recvmsg(s->fd, &m, 0);
}

static bool coroutine_fn transfer(NbdStream *s, bool write, const struct iovec *iov, size_t niov, Error **errp)
{
    struct iovec *copy = g_memdup2(iov, niov * sizeof(*iov)), *at = copy;
    size_t left = iov_size(iov, niov);
    bool begun = false;

    while (left > 0) {
        ssize_t n = some(s, write, at, niov);

        if (n > 0) {
            iov_drop_front(&at, &niov, n);
            left -= n;
            begun = true;
        } else if (n < 0 && errno == EAGAIN) {
            co_wait_fd(s->fd, write ? FD_WRITE : FD_READ);
        } else if (n < 0 && errno != EINTR) {
            error_set_errno(errp, errno, "%s", write ? "can't send" : "can't receive");
            break;
        } else if (n == 0) {
            error_setf(errp, begun ? ERR_PROTOCOL : ERR_EOF, "the other end has closed the connection");
            break;
        }
    }
    g_free(copy);
    return left == 0;
}

bool coroutine_fn nbd_readv(NbdStream *s, const struct iovec *iov, size_t niov, Error **errp)
{
    return transfer(s, false, iov, niov, errp);
}

bool coroutine_fn nbd_writev(NbdStream *s, const struct iovec *iov, size_t niov, Error **errp)
{
    return transfer(s, true, iov, niov, errp);
}

bool coroutine_fn nbd_read(NbdStream *s, void *buf, size_t len, Error **errp)
{
    struct iovec v = { buf, len };

    return nbd_readv(s, &v, 1, errp);
}

bool coroutine_fn nbd_write(NbdStream *s, const void *buf, size_t len, Error **errp)
{
    struct iovec v = { (void *)buf, len };

    return nbd_writev(s, &v, 1, errp);
}

bool coroutine_fn nbd_skip(NbdStream *s, size_t len, Error **errp)
{
    uint8_t buf[4096];

    while (len > 0) {
        size_t n = MIN(len, sizeof(buf));

        if (!nbd_read(s, buf, n, errp)) {
            return false;
        }
        len -= n;
    }
    return true;
}

bool coroutine_fn nbd_start_tls(NbdStream *s, TlsCreds *creds, const char *hostname, const char *authz,
                                Error **errp)
{
    TlsSession *tls = tls_session_new_fd(creds, hostname, authz, s->fd, errp);

    if (!tls || !tls_handshake_co(tls, s->fd, errp)) {
        tls_session_free(tls);
        return false;
    }
    s->tls = tls;
    return true;
}

void nbd_shut(NbdStream *s)
{
    shutdown(s->fd, SHUT_RDWR);
}

void nbd_stream_close(NbdStream *s)
{
    tls_session_free(s->tls);
    if (s->fd >= 0) {
        close(s->fd);
    }
    *s = (NbdStream){ .fd = -1 };
}

static const int errors[] = { EPERM, EIO, ENOMEM, EINVAL, ENOSPC, EOVERFLOW, ENOTSUP, ESHUTDOWN };
static const uint32_t codes[] = { 1, 5, 12, 22, 28, 75, 95, 108 };

uint32_t nbd_error_code(int error)
{
    if (error == EROFS) {
        error = EPERM;
    } else if (error == EFBIG || error == EDQUOT) {
        error = ENOSPC;
    }
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        if (errors[i] == error) {
            return codes[i];
        }
    }
    return error ? 5 : 0;
}

int nbd_errno(uint32_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        if (codes[i] == code) {
            return errors[i];
        }
    }
    return code ? EINVAL : 0;
}
