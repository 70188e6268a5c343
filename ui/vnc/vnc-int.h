/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the server's files.
 *
 *   vnc.c            servers: options, listening     vnc-qmp.c       monitor commands, events
 *   vnc-screen.c     what a console shows: tiles, what has changed
 *   vnc-motion.c     what has moved
 *   vnc-update.c     updates: who gets which         vnc-job.c       what worker threads do
 *   vnc-client.c     a client's life and messages    vnc-io.c        its bytes in and out
 *   vnc-auth.c       security types                  vnc-sasl.c      one of them
 *   vnc-pseudo.c     pseudo-encodings                vnc-input.c     keys and pointer
 *   vnc-clip.c       the clipboard
 *   vnc-layer.c, vnc-websocket.c                     what carries the bytes
 *   vnc-format.c, enc*.c                             pixels and encoders, on worker threads
 *
 * All of it belongs to the main loop and the big lock, but for jobs while they run.
 */
#ifndef UI_VNC_VNC_INT_H
#define UI_VNC_VNC_INT_H

#include <glib.h>
#include "crypto/tls-creds.h"
#include "qapi/types-ui.h"
#include "ui/core/console.h"
#include "ui/vnc/enc.h"
#include "ui/vnc/vnc-layer.h"
#include "util/coroutine.h"
#include "util/main-loop.h"
#include "util/timer.h"

#define VNC_CUT_TEXT_MAX    (1024 * 1024)           /* classic text, in bytes */
#define VNC_CLIP_MAX        (20 * 1024 * 1024)      /* extended formats, inflated */
#define VNC_ENCODINGS_MAX   1024
#define VNC_OUT_LOW         (16 * 1024)             /* a new update may begin */
#define VNC_OUT_HIGH        (1024 * 1024)           /* no further message is read */
#define VNC_OUT_MAX         (96 * 1024 * 1024)      /* nobody needs more: closed */
#define VNC_HANDSHAKE_NS    (60 * NS_PER_SECOND)    /* for the time until it is in the session */
#define VNC_STALL_NS        (120 * NS_PER_SECOND)   /* it takes nothing of what waits */
#define VNC_TILE            64                      /* side of a tile */

typedef struct VncServer VncServer;
typedef struct VncClient VncClient;
typedef struct VncScreen VncScreen;
typedef struct VncJob VncJob;

/* 64x64 pixels that never change while more than one holds them. */
typedef struct VncTile {
    _Atomic unsigned refs;
    uint32_t px[VNC_TILE * VNC_TILE];
} VncTile;

/* What a console shows, as the clients are to see it. One for each console that is watched. */
struct VncScreen {
    unsigned refs;              /* servers and clients */
    ConsoleListener listener;   /* .console NULL: there is none, all black */
    int width, height, tiles_x, tiles_y;
    VncTile **tiles;            /* NULL: black */
    uint8_t *heat;              /* of each tile: how often it has changed of late */
    int64_t cooled_ns;
    pixman_region16_t damage;   /* that the console told of */
    uint32_t *frozen;           /* what has changed, while what has moved is looked for; NULL until needed */
    bool is_frozen;
    Timer tick;
    int64_t tick_ns;            /* between two ticks, now */
    int64_t changed_ns;         /* when something last changed */
    GQueue spare;               /* of EncOut: memory for jobs */
    BottomHalf *kick;           /* look for clients that can be served */
    unsigned no_motion, skip_motion;
    int watchers;               /* clients in the session */
    VncScreen *next;
};

/* A move of parts of the screen that some clients can do by themselves. */
#define VNC_COPIES_MAX  16
typedef struct VncCopy {
    int n, dx, dy;              /* source - destination */
    pixman_box16_t dst[VNC_COPIES_MAX];     /* in the order in which they must be done */
} VncCopy;

/* Pseudo-encodings that a client knows, and things it has yet to be told. */
enum {
    CAP_CURSOR = BIT(0), CAP_ALPHA_CURSOR = BIT(1), CAP_POINTER_POS = BIT(2), CAP_SIZE = BIT(3),
    CAP_EXT_SIZE = BIT(4), CAP_LEDS = BIT(5), CAP_EXT_KEY = BIT(6), CAP_POINTER_MODE = BIT(7),
    CAP_FENCE = BIT(8), CAP_CONTINUOUS = BIT(9), CAP_CLIPBOARD = BIT(10), CAP_NAME = BIT(11),
    CAP_LAST_RECT = BIT(12), CAP_XVP = BIT(13), CAP_AUDIO = BIT(14), CAP_COPY = BIT(15),
    CAP_EXT_BUTTONS = BIT(16),
};

struct VncClient {
    VncServer *server;
    VncScreen *screen;
    Coroutine *co;
    bool parked;                /* the coroutine waits for vnc_unpark() */
    bool closing, initialized, websocket, skip_auth;
    bool sync_next;             /* no update begins before its next message is done (Fence, SyncNext) */
    bool result_sent;           /* SASL: the SecurityResult is out already */
    Timer timeout;              /* of the handshake, later of stalled output */

    /* Bytes. */
    int fd;                     /* of the lowest layer */
    VncLayer *top;
    TlsSession *tls;            /* borrowed of a layer; NULL */
    uint8_t in[4096];
    unsigned in_at, in_n;
    GQueue out;                 /* of GByteArray, which other clients may share ... */
    bool out_open;              /* ... but for the last, if this is set: it can be appended to */
    size_t out_at, out_bytes;   /* sent of the first; waiting in all */
    FdWatch *watch;

    /* Who it is, for the monitor. */
    char *host, *service, *x509_dname, *sasl_username;
    NetworkAddressFamily family;
    struct sasl_conn *sasl;

    /* What it wants. */
    unsigned minor;             /* 3, 7 or 8 */
    bool shared;
    VncFormat *format;          /* a reference */
    EncParams params;           /* .format is borrowed of @format */
    uint32_t caps, pending;     /* CAP_ */
    bool map_sent;              /* SetColourMapEntries */
    int width, height;          /* as it believes */
    bool size_changed;

    /* Updates. */
    bool wanted, continuous;
    pixman_region16_t request;  /* the parts it waits for, while @wanted */
    pixman_box16_t continuous_box;
    pixman_region16_t dirty;    /* what it hasn't been sent */
    pixman_region16_t lossy;    /* what it has been sent with loss */
    pixman_box16_t film;        /* where a film is shown; empty: nowhere */
    VncCopy copy;               /* to be done before anything else; .n 0: none */
    VncJob *job;
    EncStreams streams;         /* the job's while there is one */

    /* Congestion: what is on the way, by fences (rfbproto.rst, "Fence"). */
    uint32_t fence_seq, fence_acked;
    int64_t fence_sent_ns[64];
    uint32_t fence_bytes[64];
    size_t in_flight, window;
    int64_t base_rtt_ns;

    /* Input. */
    uint8_t buttons, ext_buttons;
    int x, y;
    bool absolute;              /* as it was told */
    bool shift, altgr;          /* such a key is down */
    unsigned leds;              /* as it was told */
    bool ctrl, alt;
    uint64_t keys_down[4];      /* by number */

    /* Clipboard: the client's side, see vnc-clip.c. */
    struct VncClip *clip;
    struct VncAudio *audio;

    /* Counted for "info vnc". */
    uint64_t sent_bytes, updates, rects, pixels;
    int64_t cpu_ns, since_ns;
    VncClient *next;
};

typedef enum { SHARE_ALLOW_EXCLUSIVE, SHARE_FORCE_SHARED, SHARE_IGNORE } VncSharePolicy;

typedef struct VncListener {
    int fd;
    FdWatch *watch;
    bool websocket;
    char *path;                 /* of a Unix socket, removed at the end */
    VncServer *server;
} VncListener;

struct VncServer {
    char *id, *name;
    GPtrArray *listeners;       /* of VncListener */
    VncScreen *screen;          /* a reference; NULL until somebody came */
    char *display;              /* id of the display device, NULL: the first console */
    int head;
    /* Security. */
    bool use_password, use_sasl;
    char *password;             /* NULL: nobody gets in */
    int64_t expires_s;          /* since 1970; INT64_MAX: never */
    TlsCreds *tls;              /* a reference; NULL */
    char *tls_id, *tls_authz, *sasl_authz;
    VncSharePolicy share;
    unsigned connections;       /* that may be in the handshake at a time */
    bool lossy, adaptive, power_control;
    unsigned key_delay_ms;
    char *audiodev;
    VncClient *clients;
    VncServer *next;
};

extern VncServer *vnc_servers;      /* registry */

/* --- vnc.c --- */
VncServer *vnc_server_find(const char *id);         /* NULL: the first */
VncScreen *vnc_server_screen(VncServer *s);
/* Listen there instead. On failure the old places stay. */
bool vnc_server_listen(VncServer *s, const SocketAddressList *addresses, Error **errp);

/* --- vnc-screen.c --- */
VncScreen *vnc_screen_get(Console *con);            /* a reference; NULL: no console */
void vnc_screen_unref(VncScreen *s);
/* All clients that watch it see another console from now on. */
void vnc_screen_show(VncScreen *s, Console *con);
/* A client is in the session, or leaves it. */
void vnc_screen_watch(VncScreen *s);
void vnc_screen_unwatch(VncScreen *s);
/* Somebody does something: look soon. */
void vnc_screen_hurry(VncScreen *s);
/* Bring tiles up to date; @delta (initialised) gets what has changed, @copy what has moved. */
bool vnc_screen_scan(VncScreen *s, pixman_region16_t *delta, VncCopy *copy);
void vnc_tile_unref(VncTile *t);                    /* any thread; NULL is allowed */
bool vnc_screen_hot(const VncScreen *s, const pixman_box16_t *b);
/* A line of what is to be shown next; between the extents of what has changed only. */
const uint32_t *vnc_screen_line(const VncScreen *s, int y);

/* --- vnc-motion.c --- */
/* What of @e, where something has changed, are pixels of elsewhere that have moved. */
bool vnc_motion_find(const VncScreen *s, const pixman_box16_t *e, VncCopy *copy);

/* --- vnc-update.c --- */
/* For every client of @s: this has changed. */
void vnc_update_changed(VncScreen *s, pixman_region16_t *delta, const VncCopy *copy);
void vnc_update_resized(VncScreen *s);
/* Have those that wait served soon. */
void vnc_update_kick(VncScreen *s);
void vnc_update_serve(void *screen);                /* the bottom half */
void vnc_update_dirty_all(VncClient *c);
void vnc_update_fence(VncClient *c, uint32_t seq);

/* --- vnc-client.c --- */
void vnc_client_new(VncServer *s, int fd, bool websocket, bool skip_auth);
/* The coroutine notices by the end of its input. */
void vnc_client_close(VncClient *c);
/* For @fn of each client of @s; it may close them. */
void vnc_for_each_client(VncScreen *s, void (*fn)(VncClient *c, void *opaque), void *opaque);

/* --- vnc-io.c --- */
/* Exactly @len bytes; false when the stream ended or the client is being closed. */
bool coroutine_fn vnc_co_read(VncClient *c, void *buf, size_t len);
bool coroutine_fn vnc_co_skip(VncClient *c, size_t len);
/* Wait for vnc_unpark(), which anybody in the main loop may call. */
void coroutine_fn vnc_park(VncClient *c);
void vnc_unpark(VncClient *c);
/* Wait until the output is below VNC_OUT_HIGH. */
bool coroutine_fn vnc_co_drain(VncClient *c);
bool coroutine_fn vnc_co_tls(VncClient *c, Error **errp);
bool coroutine_fn vnc_co_websocket(VncClient *c, Error **errp);
void vnc_put(VncClient *c, const void *data, size_t len);
void vnc_put_u8(VncClient *c, uint8_t v);
void vnc_put_u16(VncClient *c, uint16_t v);
void vnc_put_u32(VncClient *c, uint32_t v);
/* Takes a reference; it must not change any more. */
void vnc_put_array(VncClient *c, GByteArray *a);
/* Send what can be sent. */
void vnc_flush(VncClient *c);
void vnc_out_clear(VncClient *c);

/* --- vnc-auth.c, vnc-sasl.c --- */
bool coroutine_fn vnc_auth(VncClient *c, Error **errp);
/* SecurityType and VeNCrypt's subtype as query-vnc names them. */
VncPrimaryAuth vnc_auth_primary(const VncServer *s, bool websocket);
bool vnc_auth_vencrypt(const VncServer *s, VncVencryptSubAuth *sub);
bool coroutine_fn vnc_auth_sasl(VncClient *c, bool *accepted, Error **errp);
bool vnc_sasl_available(void);
void vnc_sasl_free(VncClient *c);

/* --- vnc-pseudo.c --- */
void vnc_pseudo_encoding(VncClient *c, int32_t e, uint32_t *caps);
/* After SetEncodings: tell what has to be told at once, note the rest. */
void vnc_pseudo_announce(VncClient *c, uint32_t before);
/* Rectangles for what is pending, into @to; how many. */
unsigned vnc_pseudo_rects(VncClient *c, GByteArray *to);
/* See whether there is news of LEDs and of the pointer's mode. */
void vnc_pseudo_poll(VncClient *c);
/* An update of its own that tells the size. */
void vnc_pseudo_size(VncClient *c, unsigned reason, unsigned status);
void vnc_pseudo_send_fence(VncClient *c, uint32_t flags, const void *payload, unsigned len);

/* --- vnc-input.c --- */
void vnc_key(VncClient *c, bool down, uint32_t keysym);
void vnc_key_number(VncClient *c, bool down, uint32_t keysym, unsigned number);
void vnc_pointer(VncClient *c, uint16_t buttons, int x, int y);
void vnc_release_input(VncClient *c);
/* The number of a key on a US keyboard, 0; whether it is reached with shift. */
unsigned vnc_keysym_number(uint32_t keysym, bool *shifted);

/* --- vnc-qmp.c --- */
void vnc_event_connected(VncClient *c);
void vnc_event_initialized(VncClient *c);
void vnc_event_disconnected(VncClient *c);

#endif
