/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC client's bytes: from the handshake on, after it, or within websocket frames, for a server
 * whose screen changes meanwhile.
 *
 * Input: a byte (bit 0: after the handshake; bit 1: a websocket whose request is sent before;
 * bit 2: with a password; bit 3: paint in between; bit 4: a display that can be resized), then the
 * client's bytes.
 */
#include "util/osdep.h"
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ui/vnc/vnc-int.h"
#include "ui/vnc/vnc.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIDTH   200
#define HEIGHT  120

static Console *con;
static VncServer *open_server, *closed_server;
static unsigned paints;

static void resize(UNUSED void *opaque, int w, int h)
{
    console_set_size(con, MIN(w, 400), MIN(h, 300));
}

static ConsoleOps ops;

static VncServer *server(const char *password)
{
    QDict *opts = qdict_new();
    VncServer *s;

    qdict_put_str(opts, "vnc", "none");
    qdict_put_str(opts, "lossy", "on");
    qdict_put_str(opts, "key-delay-ms", "0");
    qdict_put_str(opts, "power-control", "off");
    qdict_put_str(opts, "password", password ? "on" : "off");
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
    open_server = server(NULL);
    closed_server = server("secret");
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

static bool busy(void)
{
    return (open_server->clients && open_server->clients->job) ||
           (closed_server->clients && closed_server->clients->job);
}

/* Until nothing more happens by itself. */
static void settle(int fd)
{
    for (int i = 0; i < 12; i++) {
        main_loop_iterate(busy());
        drain(fd);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char hello[] = "RFB 003.008\n\1\1";
    static const char request[] = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Version: 13\r\n\r\n";
    uint8_t flags = size ? data[0] : 0;
    VncServer *s = flags & 4 ? closed_server : open_server;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
        return 0;
    }
    ops.resize = flags & 16 ? resize : NULL;
    console_set_size(con, WIDTH, HEIGHT);
    vnc_client_new(s, pair[0], flags & 2, false);
    if (flags & 2 && send(pair[1], request, sizeof(request) - 1, MSG_NOSIGNAL) > 0) {
        settle(pair[1]);
    } else if (flags & 1 && send(pair[1], hello, sizeof(hello) - 1, MSG_NOSIGNAL) > 0) {
        settle(pair[1]);
    }
    for (size_t at = 1; at < size && s->clients; ) {
        ssize_t n = send(pair[1], data + at, MIN(size - at, 512), MSG_NOSIGNAL);

        if (n <= 0 && errno != EAGAIN) {
            break;
        }
        at += MAX(n, 0);
        settle(pair[1]);
        if (flags & 8) {
            paint();
        }
    }
    settle(pair[1]);
    close(pair[1]);
    for (int i = 0; i < 2000 && s->clients; i++) {
        main_loop_iterate(true);
    }
    if (s->clients) {
        abort();                /* it doesn't end with its connection */
    }
    return 0;
}
