/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ui/vnc/vnc-layer.h"

#define LOCAL_BUFFER    (1024 * 1024)

bool vnc_layers_flush(VncLayer *l)
{
    bool empty = true;

    for (; l; l = l->below) {
        empty = (!l->flush || l->flush(l)) && empty;
    }
    return empty;
}

void vnc_layers_free(VncLayer *l)
{
    while (l) {
        VncLayer *below = l->below;

        l->free(l);
        l = below;
    }
}

/* --- the socket --- */

typedef struct FdLayer {
    VncLayer layer;
    int fd;
} FdLayer;

static ssize_t fd_read(VncLayer *l, void *buf, size_t len)
{
    return recv(((FdLayer *)l)->fd, buf, len, MSG_DONTWAIT);
}

static ssize_t fd_write(VncLayer *l, const void *buf, size_t len)
{
    return send(((FdLayer *)l)->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void fd_free(VncLayer *l)
{
    close(((FdLayer *)l)->fd);
    g_free(l);
}

/* Between processes of this host: as much as the kernel allows, that a picture takes few rounds. TCP finds what
 * is good for it by itself. */
static void widen(int fd)
{
    int domain = 0, size = LOCAL_BUFFER;
    socklen_t len = sizeof(domain);

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
}

VncLayer *vnc_layer_fd(int fd)
{
    FdLayer *f = g_new0(FdLayer, 1);

    widen(fd);

    f->layer = (VncLayer){ .read = fd_read, .write = fd_write, .free = fd_free };
    f->fd = fd;
    return &f->layer;
}

/* --- TLS --- */

typedef struct TlsLayer {
    VncLayer layer;
    TlsSession *tls;
} TlsLayer;

static ssize_t below_read(void *opaque, void *buf, size_t len)
{
    VncLayer *below = ((VncLayer *)opaque)->below;

    return below->read(below, buf, len);
}

static ssize_t below_write(void *opaque, const void *buf, size_t len)
{
    VncLayer *below = ((VncLayer *)opaque)->below;

    return below->write(below, buf, len);
}

static ssize_t tls_layer_read(VncLayer *l, void *buf, size_t len)
{
    return tls_read(((TlsLayer *)l)->tls, buf, len);
}

static ssize_t tls_layer_write(VncLayer *l, const void *buf, size_t len)
{
    return tls_write(((TlsLayer *)l)->tls, buf, len);
}

static void tls_layer_free(VncLayer *l)
{
    tls_session_free(((TlsLayer *)l)->tls);
    g_free(l);
}

VncLayer *vnc_layer_tls(VncLayer *below, TlsCreds *creds, const char *authz, Error **errp)
{
    TlsLayer *t = g_new0(TlsLayer, 1);
    TlsCarrier carrier = { below_read, below_write, t };

    t->layer = (VncLayer){ .read = tls_layer_read, .write = tls_layer_write,
                           .free = tls_layer_free, .below = below };
    t->tls = tls_session_new(creds, NULL, authz, &carrier, errp);
    if (!t->tls) {
        g_free(t);
        return NULL;
    }
    return &t->layer;
}

TlsSession *vnc_layer_tls_session(VncLayer *l)
{
    return ((TlsLayer *)l)->tls;
}
