/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client's byte stream as layers on each other: the socket, and what the connection's set-up puts
 * on it: TLS, websocket frames, SASL's protection, in any order. None blocks. Main loop, big lock.
 */
#ifndef UI_VNC_VNC_LAYER_H
#define UI_VNC_VNC_LAYER_H

#include <sys/types.h>
#include "crypto/tls-session.h"
#include "util/osdep.h"

typedef struct VncLayer VncLayer;
struct VncLayer {
    /* As those of a non-blocking socket: a count, 0 at the end, -1 with errno. */
    ssize_t (*read)(VncLayer *l, void *buf, size_t len);
    ssize_t (*write)(VncLayer *l, const void *buf, size_t len);
    /* Pass on what write() took but kept; true: nothing is left. NULL: it keeps nothing. */
    bool (*flush)(VncLayer *l);
    void (*free)(VncLayer *l);
    VncLayer *below;            /* owned */
};

/* @fd is owned from then on. */
VncLayer *vnc_layer_fd(int fd);
/* On top of @below, which is owned from then on; NULL with errp set. */
VncLayer *vnc_layer_tls(VncLayer *below, TlsCreds *creds, const char *authz, Error **errp);
TlsSession *vnc_layer_tls_session(VncLayer *l);
VncLayer *vnc_layer_websocket(VncLayer *below);
#define VNC_HAS_SASL_LAYER 1
struct sasl_conn;
VncLayer *vnc_layer_sasl(VncLayer *below, struct sasl_conn *conn, size_t max_out);

/* All layers from @l down; true: nothing is left in any. */
bool vnc_layers_flush(VncLayer *l);
void vnc_layers_free(VncLayer *l);

/* RFC 6455, 4.2: what a client's request must have, and our answer to it; NULL with errp set if it
 * is none. @request is NUL-terminated; the answer is freed by the caller. */
char *vnc_websocket_answer(const char *request, Error **errp);

#endif
