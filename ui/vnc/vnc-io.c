/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client's bytes: read by its coroutine, written as the socket takes them. */
#include "util/osdep.h"
#include <sys/socket.h>
#include "ui/vnc/vnc-int.h"
#include "util/bswap.h"

#define CHUNK       (16 * 1024)
#define HTTP_MAX    (16 * 1024)

/* --- in --- */

void coroutine_fn vnc_park(VncClient *c)
{
    c->parked = true;
    co_yield();
}

void vnc_unpark(VncClient *c)
{
    if (c->parked) {
        c->parked = false;
        co_wake(c->co);
    }
}

bool coroutine_fn vnc_co_read(VncClient *c, void *buf, size_t len)
{
    uint8_t *p = buf;

    while (len) {
        size_t n = MIN(len, c->in_n - c->in_at);
        ssize_t got;

        if (n) {
            memcpy(p, c->in + c->in_at, n);
            c->in_at += n;
            p += n;
            len -= n;
            continue;
        }
        if (c->closing) {
            return false;
        }
        got = c->top->read(c->top, c->in, sizeof(c->in));
        if (got > 0) {
            c->in_at = 0;
            c->in_n = got;
        } else if (got < 0 && errno == EAGAIN) {
            co_wait_fd(c->fd, FD_READ);
        } else if (got == 0 || errno != EINTR) {
            return false;
        }
    }
    return !c->closing;
}

bool coroutine_fn vnc_co_skip(VncClient *c, size_t len)
{
    uint8_t buf[1024];

    while (len) {
        size_t n = MIN(len, sizeof(buf));

        if (!vnc_co_read(c, buf, n)) {
            return false;
        }
        len -= n;
    }
    return true;
}

bool coroutine_fn vnc_co_drain(VncClient *c)
{
    while (!c->closing && c->out_bytes > VNC_OUT_HIGH) {
        vnc_park(c);
    }
    return !c->closing;
}

/* What was sent before must be out, and nothing may have come: it would be read as plain. */
static bool coroutine_fn at_rest(VncClient *c, Error **errp)
{
    while (!c->closing && c->out_bytes) {
        vnc_park(c);
    }
    if (c->in_at < c->in_n) {
        error_setf(errp, ERR_PROTOCOL, "bytes have come before their time");
        return false;
    }
    return !c->closing;
}

bool coroutine_fn vnc_co_tls(VncClient *c, Error **errp)
{
    VncLayer *tls;

    if (!at_rest(c, errp)) {
        return false;
    }
    tls = vnc_layer_tls(c->top, c->server->tls, c->server->tls_authz, errp);
    if (!tls) {
        return false;
    }
    c->top = tls;
    c->tls = vnc_layer_tls_session(tls);
    for (;;) {
        TlsProgress p = c->closing ? TLS_FAILED : tls_handshake(c->tls, errp);

        if (p == TLS_DONE) {
            break;
        }
        if (p == TLS_FAILED) {
            return false;
        }
        co_wait_fd(c->fd, p == TLS_WANT_READ ? FD_READ : FD_WRITE);
    }
    if (tls_peer_name(c->tls)) {
        g_free(c->x509_dname);
        c->x509_dname = g_strdup(tls_peer_name(c->tls));
    }
    return true;
}

bool coroutine_fn vnc_co_websocket(VncClient *c, Error **errp)
{
    GString *request = g_string_new(NULL);
    char *answer = NULL;
    bool whole = false;

    while (!whole && request->len < HTTP_MAX) {
        char ch;

        if (!vnc_co_read(c, &ch, 1)) {
            g_string_free(request, true);
            error_setf(errp, ERR_EOF, "the connection ended within the request");
            return false;
        }
        g_string_append_c(request, ch);
        whole = g_str_has_suffix(request->str, "\r\n\r\n");
    }
    if (whole && strlen(request->str) == request->len) {
        answer = vnc_websocket_answer(request->str, errp);
    } else {
        error_setf(errp, ERR_PROTOCOL, "no request, or one of more than %d bytes", HTTP_MAX);
    }
    g_string_free(request, true);
    if (!answer) {
        static const char no[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                                 "Content-Length: 0\r\n\r\n";

        vnc_put(c, no, sizeof(no) - 1);
        vnc_flush(c);
        return false;
    }
    vnc_put(c, answer, strlen(answer));
    g_free(answer);
    vnc_flush(c);
    if (!at_rest(c, errp)) {
        return false;
    }
    c->top = vnc_layer_websocket(c->top);
    return true;
}

/* --- out --- */

void vnc_put(VncClient *c, const void *data, size_t len)
{
    GByteArray *last = c->out.tail ? c->out.tail->data : NULL;

    if (!last || !c->out_open || last->len >= CHUNK) {
        last = g_byte_array_new();
        g_queue_push_tail(&c->out, last);
        c->out_open = true;
    }
    g_byte_array_append(last, data, len);
    c->out_bytes += len;
}

void vnc_put_u8(VncClient *c, uint8_t v)
{
    vnc_put(c, &v, 1);
}

void vnc_put_u16(VncClient *c, uint16_t v)
{
    uint8_t b[2];

    store_be16(b, v);
    vnc_put(c, b, 2);
}

void vnc_put_u32(VncClient *c, uint32_t v)
{
    uint8_t b[4];

    store_be32(b, v);
    vnc_put(c, b, 4);
}

void vnc_put_array(VncClient *c, GByteArray *a)
{
    c->out_bytes += a->len;
    if (a->len) {
        c->out_open = false;
        g_queue_push_tail(&c->out, a);
    } else {
        g_byte_array_unref(a);
    }
}

void vnc_out_clear(VncClient *c)
{
    GByteArray *a;

    while ((a = g_queue_pop_head(&c->out))) {
        g_byte_array_unref(a);
    }
    c->out_at = c->out_bytes = 0;
}

/* True while the socket takes more. */
static bool send_some(VncClient *c)
{
    GByteArray *a = c->out.head->data;
    ssize_t n = c->top->write(c->top, a->data + c->out_at, a->len - c->out_at);

    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            vnc_client_close(c);
        }
        return false;
    }
    c->out_at += n;
    c->out_bytes -= n;
    c->sent_bytes += n;
    if (c->out_at == a->len) {
        g_queue_pop_head(&c->out);
        g_byte_array_unref(a);
        c->out_at = 0;
    }
    return true;
}

void vnc_flush(VncClient *c)
{
    size_t before = c->out_bytes;
    bool waits;

    if (c->closing || !c->top) {
        return;
    }
    if (c->out_bytes > VNC_OUT_MAX) {
        vnc_client_close(c);
        return;
    }
    while (!c->closing && c->out.head && send_some(c)) {
    }
    if (c->closing) {
        return;
    }
    waits = !vnc_layers_flush(c->top) || c->out.head;
    fd_watch_set(c->watch, waits ? FD_WRITE : 0);
    if (c->initialized) {
        if (!waits) {
            timer_del(&c->timeout);
        } else if (c->out_bytes < before || !timer_pending(&c->timeout)) {
            timer_mod_ns(&c->timeout, clock_get_ns(CLOCK_RT) + VNC_STALL_NS);
        }
    }
    if (c->out_bytes <= VNC_OUT_HIGH) {
        vnc_unpark(c);
    }
    if (c->out_bytes <= VNC_OUT_LOW && before > VNC_OUT_LOW && c->screen) {
        vnc_update_kick(c->screen);
    }
}
