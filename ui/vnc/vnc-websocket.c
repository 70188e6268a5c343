/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFB in websocket frames (RFC 6455), for viewers in browsers. Any path is accepted; the
 * subprotocol "binary" is agreed to if it is offered; no extensions.
 */
#include "util/osdep.h"
#include <glib.h>
#include "ui/vnc/vnc-layer.h"
#include "util/bswap.h"

enum { OP_CONTINUATION = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

#define FRAME_OUT_MAX   65536
#define CONTROL_MAX     125             /* 5.5 */

typedef struct WsLayer {
    VncLayer layer;
    /* The frame that is being read. */
    uint8_t head[14];
    unsigned head_n;
    uint64_t left;                      /* of its payload; valid with @in_payload */
    uint8_t key[4], opcode;
    unsigned key_at;
    bool in_payload, ended;
    uint8_t control[CONTROL_MAX];
    unsigned control_n;
    GByteArray *out;                    /* frames that wait */
    size_t out_at;
} WsLayer;

/* 5.5: pongs are the only frames that a client can make us send; unsent ones are dropped. */
static void put_frame(WsLayer *w, uint8_t opcode, const void *data, size_t len)
{
    uint8_t head[4] = { 0x80 | opcode };
    unsigned n = 2;

    if (len < 126) {
        head[1] = len;
    } else {                            /* FRAME_OUT_MAX - 1 at most */
        head[1] = 126;
        store_be16(head + 2, len);
        n = 4;
    }
    g_byte_array_append(w->out, head, n);
    g_byte_array_append(w->out, data, len);
}

static bool ws_flush(VncLayer *l)
{
    WsLayer *w = (WsLayer *)l;

    while (w->out_at < w->out->len) {
        ssize_t n = l->below->write(l->below, w->out->data + w->out_at, w->out->len - w->out_at);

        if (n <= 0) {
            return false;
        }
        w->out_at += n;
    }
    g_byte_array_set_size(w->out, 0);
    w->out_at = 0;
    return true;
}

static ssize_t ws_write(VncLayer *l, const void *buf, size_t len)
{
    WsLayer *w = (WsLayer *)l;

    if (!ws_flush(l)) {
        return -1;                      /* errno is of the layer below */
    }
    len = MIN(len, FRAME_OUT_MAX - 1);
    put_frame(w, OP_BINARY, buf, len);
    if (!ws_flush(l) && errno != EAGAIN && errno != EINTR) {
        return -1;
    }
    return len;
}

static ssize_t broken(void)
{
    errno = EPROTO;
    return -1;
}

/* Read the head of a frame (5.2): 1 when it is there, else as read(). */
static ssize_t read_head(WsLayer *w)
{
    VncLayer *below = w->layer.below;

    for (;;) {
        unsigned need = 2;
        ssize_t n;

        if (w->head_n >= 2) {
            unsigned len = w->head[1] & 127;

            if (!(w->head[1] & 128) || w->head[0] & 0x70) {     /* 5.1: clients mask */
                return broken();
            }
            need = 2 + (len == 126 ? 2 : len == 127 ? 8 : 0) + 4;
            if (w->head_n == need) {
                w->left = len == 126 ? load_be16(w->head + 2)
                        : len == 127 ? load_be64(w->head + 2) : len;
                w->opcode = w->head[0] & 15;
                memcpy(w->key, w->head + need - 4, 4);
                w->key_at = 0;
                w->control_n = 0;
                w->head_n = 0;
                w->in_payload = true;
                if (w->opcode >= OP_CLOSE && w->left > CONTROL_MAX) {
                    return broken();
                }
                return 1;
            }
        }
        n = below->read(below, w->head + w->head_n, need - w->head_n);
        if (n <= 0) {
            return n;
        }
        w->head_n += n;
    }
}

static void control_frame(WsLayer *w)
{
    if (w->opcode == OP_PING && w->out->len == 0) {
        put_frame(w, OP_PONG, w->control, w->control_n);
        ws_flush(&w->layer);
    } else if (w->opcode == OP_CLOSE) {
        if (w->out->len == 0) {
            put_frame(w, OP_CLOSE, w->control, MIN(w->control_n, 2));
            ws_flush(&w->layer);
        }
        w->ended = true;
    }
}

static ssize_t ws_read(VncLayer *l, void *buf, size_t len)
{
    WsLayer *w = (WsLayer *)l;

    for (;;) {
        uint8_t *to = buf;
        bool control;
        size_t want;
        ssize_t n;

        if (w->ended) {
            return 0;
        }
        if (!w->in_payload) {
            n = read_head(w);
            if (n <= 0) {
                return n;
            }
        }
        control = w->opcode >= OP_CLOSE;
        if (w->left) {
            want = MIN(w->left, control ? CONTROL_MAX - w->control_n : len);
            to = control ? w->control + w->control_n : to;
            n = l->below->read(l->below, to, want);
            if (n <= 0) {
                return n;
            }
            for (ssize_t i = 0; i < n; i++) {
                to[i] ^= w->key[w->key_at++ & 3];
            }
            w->left -= n;
            w->in_payload = w->left;
            if (!control) {
                return n;
            }
            w->control_n += n;
        }
        if (!w->left) {
            w->in_payload = false;
            if (control) {
                control_frame(w);
            }
        }
    }
}

static void ws_free(VncLayer *l)
{
    g_byte_array_unref(((WsLayer *)l)->out);
    g_free(l);
}

VncLayer *vnc_layer_websocket(VncLayer *below)
{
    WsLayer *w = g_new0(WsLayer, 1);

    w->layer = (VncLayer){ .read = ws_read, .write = ws_write, .flush = ws_flush, .free = ws_free,
                           .below = below };
    w->out = g_byte_array_new();
    return &w->layer;
}

/* --- the opening handshake --- */

/* Value of a header, without the blanks around it; freed by the caller, NULL if it isn't there. */
static char *header(const char *request, const char *name)
{
    size_t n = strlen(name);

    for (const char *line = strstr(request, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (g_ascii_strncasecmp(line, name, n) == 0 && line[n] == ':') {
            const char *end = strstr(line, "\r\n");

            return end ? g_strstrip(g_strndup(line + n + 1, end - line - n - 1)) : NULL;
        }
    }
    return NULL;
}

/* Whether a list separated by commas has @word. */
static bool listed(const char *list, const char *word)
{
    char **parts = g_strsplit(list ? list : "", ",", 32);
    bool found = false;

    for (char **p = parts; *p && !found; p++) {
        found = g_ascii_strcasecmp(g_strstrip(*p), word) == 0;
    }
    g_strfreev(parts);
    return found;
}

char *vnc_websocket_answer(const char *request, Error **errp)
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";     /* 1.3 */
    char *key = header(request, "Sec-WebSocket-Key"), *version, *upgrade, *connection, *protocol,
         *answer = NULL;
    const char *space = strchr(request, ' ');

    version = header(request, "Sec-WebSocket-Version");
    upgrade = header(request, "Upgrade");
    connection = header(request, "Connection");
    protocol = header(request, "Sec-WebSocket-Protocol");
    if (strncmp(request, "GET ", 4) != 0 || !space || !strstr(space + 1, " HTTP/1.1\r\n")) {
        error_setf(errp, ERR_PROTOCOL, "no GET request of HTTP/1.1");
    } else if (!key || strlen(key) != 24 || !listed(upgrade, "websocket") ||
               !listed(connection, "upgrade")) {
        error_setf(errp, ERR_PROTOCOL, "not a request to become a websocket");
    } else if (!version || strcmp(version, "13") != 0) {
        error_setf(errp, ERR_PROTOCOL, "websocket version '%s'; accepted: 13",
                   version ? version : "");
    } else if (protocol && !listed(protocol, "binary")) {
        error_setf(errp, ERR_PROTOCOL, "websocket protocol '%s'; accepted: binary", protocol);
    } else {
        GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA1);
        uint8_t digest[20];
        gsize n = sizeof(digest);
        char *text;

        g_checksum_update(sum, (guchar *)key, -1);
        g_checksum_update(sum, (guchar *)magic, -1);
        g_checksum_get_digest(sum, digest, &n);
        g_checksum_free(sum);
        text = g_base64_encode(digest, n);
        answer = g_strdup_printf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
                                 text, protocol ? "Sec-WebSocket-Protocol: binary\r\n" : "");
        g_free(text);
    }
    g_free(key);
    g_free(version);
    g_free(upgrade);
    g_free(connection);
    g_free(protocol);
    return answer;
}
