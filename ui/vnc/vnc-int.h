/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the server's files. */
#ifndef UI_VNC_VNC_INT_H
#define UI_VNC_VNC_INT_H

#include <glib.h>
#include "qapi/types-ui.h"
#include "ui/core/console.h"
#include "util/coroutine.h"
#include "util/timer.h"
#include "util/main-loop.h"

#define VNC_MAX_CLIENTS     64
#define VNC_MAX_CUT_TEXT    (1024 * 1024)
#define VNC_MAX_ENCODINGS   1024
#define VNC_OUT_MAX         (32u * 1024 * 1024)     /* bytes that may wait for a client */

/* RFC 6143, 7.4: how a client wants pixels. */
typedef struct VncPixelFormat {
    uint8_t bits, depth;
    bool big_endian, true_color;
    uint16_t red_max, green_max, blue_max;
    uint8_t red_shift, green_shift, blue_shift;
} VncPixelFormat;

typedef struct VncServer VncServer;
typedef struct VncClient VncClient;

struct VncClient {
    VncServer *server;
    int fd;
    Coroutine *co;
    char *host, *service;
    unsigned minor;                 /* 3, 7 or 8 */
    VncPixelFormat format;
    ConsoleListener listener;
    pixman_region16_t dirty;        /* what it hasn't been sent */
    bool update_wanted;             /* a FramebufferUpdateRequest waits */
    bool initialized, closing;
    bool ext_resize, last_rect, ext_key;    /* pseudo-encodings it knows */
    bool size_changed;
    int width, height;              /* as it believes */
    uint8_t buttons;
    int x, y;                       /* pointer */
    GByteArray *out;                /* waits to be sent */
    size_t out_pos;
    FdWatch *watch;
    uint64_t sent_bytes;
    VncClient *next;
};

struct VncServer {
    int fd;
    FdWatch *watch;
    char *host, *service, *path;
    bool is_unix;
    Timer refresh;
    VncClient *clients;
    unsigned n_clients;
    VncServer *next;
};

extern VncServer *vnc_servers;      /* registry */

/* vnc-client.c */
void vnc_client_new(VncServer *s, int fd);
void vnc_client_close(VncClient *c);
/* Send what is dirty if the client waits for it. */
void vnc_client_update(VncClient *c);
/* vnc-raw.c: a rectangle's pixels in the client's format. */
void vnc_send_raw(VncClient *c, int x, int y, int w, int h);
void vnc_put(VncClient *c, const void *data, size_t len);
void vnc_put_u8(VncClient *c, uint8_t v);
void vnc_put_u16(VncClient *c, uint16_t v);
void vnc_put_u32(VncClient *c, uint32_t v);

#endif
