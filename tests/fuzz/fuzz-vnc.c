/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC client's bytes: from the handshake on, after it, or within websocket frames, for a server
 * whose screen changes meanwhile.
 *
 * Input: a byte (bit 0: after the handshake; bit 1: a websocket whose request is sent before;
 * bit 2: with a password; bit 3: paint in between; bit 4: a display that can be resized; bit 5: a server with
 * TLS; bit 6: what follows goes through a TLS session, in records of any length), then the client's bytes.
 * Bit 5 without bit 6: they are what TLS is to take for a handshake.
 */
#include "util/osdep.h"
#include "config.h"
#include <glib.h>
#ifdef CONFIG_GNUTLS
#include <gnutls/gnutls.h>
#endif
#include <sys/socket.h>
#include <unistd.h>
#include "qom/object.h"
#include "ui/vnc/vnc-int.h"
#include "ui/vnc/vnc.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IN_SESSION = 1, WEBSOCKET = 2, PASSWORD = 4, PAINTS = 8, RESIZES = 16, TLS = 32, TLS_SESSION = 64 };

#define WIDTH   200
#define HEIGHT  120

static Console *con;
static VncServer *open_server, *closed_server, *tls_server;
static unsigned paints;

static void resize(UNUSED void *opaque, int w, int h)
{
    console_set_size(con, MIN(w, 400), MIN(h, 300));
}

static ConsoleOps ops;

static VncServer *server(const char *password, const char *creds)
{
    QDict *opts = qdict_new();
    VncServer *s;

    qdict_put_str(opts, "vnc", "none");
    qdict_put_str(opts, "lossy", "on");
    qdict_put_str(opts, "key-delay-ms", "0");
    qdict_put_str(opts, "power-control", "off");
    qdict_put_str(opts, "password", password ? "on" : "off");
    if (creds) {
        qdict_put_str(opts, "tls-creds", creds);
    }
    if (!vnc_open(opts, NULL)) {
        abort();
    }
    qobject_unref(opts);
    s = vnc_servers;
    while (s->next) {
        s = s->next;
    }
    s->password = g_strdup(password);
    return s;
}

int LLVMFuzzerInitialize(UNUSED int *argc, UNUSED char ***argv)
{
    main_loop_init();
    con = console_new(NULL, 0, &ops, NULL);
    open_server = server(NULL, NULL);
    closed_server = server("secret", NULL);
#ifdef CONFIG_GNUTLS
    {
        QDict *end = qdict_new();

        qdict_put_str(end, "endpoint", "server");
        if (!user_object_new("tls-creds-anon", "fuzz-tls", end, true, NULL)) {
            abort();
        }
        qobject_unref(end);
        tls_server = server(NULL, "fuzz-tls");
    }
#endif
    return 0;
}

static void paint(void)
{
    int w = console_width(con), h = console_height(con);
    uint32_t s = ++paints * 2654435761u;

    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            s = s * 1664525 + 1013904223;
            console_line(con, y)[x] = x < w / 2 ? s >> 8 : (x / 9 + y / 7 + paints) * 0x010203;
        }
    }
    console_damage(con, 0, 0, w, h);
}

static void drain(int fd)
{
    static uint8_t buf[65536];

    while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0) {
    }
}

static bool busy(const VncServer *s)
{
    return s->clients && s->clients->job;
}

/* Until nothing more happens by itself. */
static void settle(const VncServer *s, int fd)
{
    for (int i = 0; i < 12; i++) {
        main_loop_iterate(busy(s));
        drain(fd);
    }
}

#ifdef CONFIG_GNUTLS
static gnutls_session_t tls_start(const VncServer *s, int fd)
{
    static gnutls_anon_client_credentials_t anon;
    gnutls_session_t tls;
    int rc = GNUTLS_E_AGAIN;

    if (!anon) {
        gnutls_anon_allocate_client_credentials(&anon);
    }
    gnutls_init(&tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    gnutls_priority_set_direct(tls, "NORMAL:-VERS-TLS1.3:+ANON-ECDH:+ANON-DH", NULL);
    gnutls_credentials_set(tls, GNUTLS_CRD_ANON, anon);
    gnutls_transport_set_int(tls, fd);
    while (rc == GNUTLS_E_AGAIN && s->clients) {
        rc = gnutls_handshake(tls);
        main_loop_iterate(false);
    }
    if (rc == 0) {
        return tls;
    }
    gnutls_deinit(tls);
    return NULL;
}

static ssize_t put(gnutls_session_t tls, int fd, const void *data, size_t len)
{
    ssize_t n;

    if (!tls) {
        return send(fd, data, len, MSG_NOSIGNAL);
    }
    n = gnutls_record_send(tls, data, MIN(len, 1 + *(const uint8_t *)data * 3u));
    if (n < 0) {
        errno = n == GNUTLS_E_AGAIN ? EAGAIN : EPIPE;
    }
    return n;
}

static void tls_end(gnutls_session_t tls)
{
    if (tls) {
        gnutls_deinit(tls);
    }
}
#else
typedef void *gnutls_session_t;

static gnutls_session_t tls_start(UNUSED const VncServer *s, UNUSED int fd)
{
    return NULL;
}

static ssize_t put(UNUSED gnutls_session_t tls, int fd, const void *data, size_t len)
{
    return send(fd, data, len, MSG_NOSIGNAL);
}

static void tls_end(UNUSED gnutls_session_t tls)
{
}
#endif

/* All of it; false if nobody takes it. */
static bool put_all(const VncServer *s, gnutls_session_t tls, int fd, const char *data, size_t len)
{
    for (size_t at = 0; at < len; ) {
        ssize_t n = put(tls, fd, data + at, len - at);

        if (n <= 0) {
            return false;
        }
        at += n;
    }
    settle(s, fd);
    return true;
}

/* As far as the flags say. */
static gnutls_session_t begin(VncServer *s, uint8_t flags, int fd)
{
    /* Version 3.8; no security, shared. Or VeNCrypt 0.2, TLSNone (rfbproto.rst), and shared within. */
    static const char hello[] = "RFB 003.008\n\1\1", vencrypt[] = "RFB 003.008\n\23\0\2\0\0\1\1", shared[] = "\1";
    static const char request[] = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Version: 13\r\n\r\n";
    gnutls_session_t tls = NULL;

    if (s == tls_server) {
        if (!(flags & WEBSOCKET)) {
            put_all(s, NULL, fd, vencrypt, sizeof(vencrypt) - 1);
        }
        if (flags & TLS_SESSION) {
            tls = tls_start(s, fd);
        }
        if (!tls) {
            return NULL;
        }
    }
    if (flags & WEBSOCKET) {
        put_all(s, tls, fd, request, sizeof(request) - 1);
    } else if (flags & IN_SESSION) {
        put_all(s, tls, fd, tls ? shared : hello, tls ? 1 : sizeof(hello) - 1);
    }
    return tls;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t flags = size ? data[0] : 0;
    VncServer *s = flags & TLS && tls_server ? tls_server : flags & PASSWORD ? closed_server : open_server;
    gnutls_session_t tls;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
        return 0;
    }
    ops.resize = flags & RESIZES ? resize : NULL;
    console_set_size(con, WIDTH, HEIGHT);
    vnc_client_new(s, pair[0], flags & WEBSOCKET, false);
    tls = begin(s, flags, pair[1]);
    for (size_t at = 1; at < size && s->clients; ) {
        ssize_t n = put(tls, pair[1], data + at, MIN(size - at, 512));

        if (n <= 0 && errno != EAGAIN) {
            break;
        }
        at += MAX(n, 0);
        settle(s, pair[1]);
        if (flags & PAINTS) {
            paint();
        }
    }
    settle(s, pair[1]);
    tls_end(tls);
    close(pair[1]);
    for (int i = 0; i < 2000 && s->clients; i++) {
        main_loop_iterate(true);
    }
    if (s->clients) {
        abort();                /* it doesn't end with its connection */
    }
    return 0;
}
