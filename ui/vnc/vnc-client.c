/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client: a coroutine that reads as RFC 6143 section 7 tells the dialogue. Updates are made
 * beside it (vnc-update.c).
 */
#include "util/osdep.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include "hw/core/runstate.h"
#include "qapi/sockets.h"
#include "ui/vnc/vnc-audio.h"
#include "ui/vnc/vnc-clip.h"
#include "ui/vnc/vnc-int.h"
#include "util/bswap.h"
#include "util/log.h"

/* RFC 6143 7.5 and rfbproto.rst, "Client to Server Messages". */
enum {
    MSG_SET_PIXEL_FORMAT = 0, MSG_SET_ENCODINGS = 2, MSG_UPDATE_REQUEST = 3, MSG_KEY = 4,
    MSG_POINTER = 5, MSG_CUT_TEXT = 6, MSG_CONTINUOUS = 150, MSG_FENCE = 248, MSG_XVP = 250,
    MSG_SET_DESKTOP_SIZE = 251, MSG_QEMU = 255,
};
enum { XVP_FAIL = 0, XVP_SHUTDOWN = 2, XVP_REBOOT = 3, XVP_RESET = 4 };
enum { QEMU_EXT_KEY = 0, QEMU_AUDIO = 1 };

#define FENCE_REQUEST       BIT(31)
#define FENCE_SYNC_NEXT     BIT(2)
#define FENCE_KNOWN         (3u | FENCE_SYNC_NEXT)      /* BlockBefore, BlockAfter */
#define FENCE_PAYLOAD_MAX   64

/* --- messages --- */

/* A job has the format and the encodings from its start on: what follows them must wait. */
static void coroutine_fn wait_for_job(VncClient *c)
{
    while (c->job) {
        vnc_park(c);
    }
}

static void send_color_map(VncClient *c)
{
    vnc_put(c, "\1\0\0\0\1\0", 6);              /* 256 entries from 0 on */
    for (unsigned i = 0; i < 256; i++) {
        uint32_t rgb = vnc_value_rgb(c->format, i);

        vnc_put_u16(c, (rgb >> 16) * 257);
        vnc_put_u16(c, (rgb >> 8 & 255) * 257);
        vnc_put_u16(c, (rgb & 255) * 257);
    }
    vnc_flush(c);
}

static bool coroutine_fn set_pixel_format(VncClient *c, const uint8_t *b, Error **errp)
{
    VncFormat *f = vnc_format_parse(b + 3);

    if (!f) {
        error_setf(errp, ERR_PROTOCOL, "a pixel format that can't be served (%u bits)", b[3]);
        return false;
    }
    wait_for_job(c);
    vnc_format_unref(c->format);
    c->format = c->params.format = f;
    if (!f->true_color) {
        send_color_map(c);
    }
    c->pending |= c->caps & CAP_CURSOR;
    vnc_update_dirty_all(c);
    return true;
}

#define FILM_QUALITY    6           /* of viewers that don't say */

static bool coroutine_fn set_encodings(VncClient *c, const uint8_t *b, Error **errp)
{
    unsigned n = load_be16(b + 1);
    uint32_t caps = 0, before;
    EncParams old = c->params;
    bool found = false;

    if (n > VNC_ENCODINGS_MAX) {
        error_setf(errp, ERR_PROTOCOL, "%u encodings; accepted: up to %d", n, VNC_ENCODINGS_MAX);
        return false;
    }
    wait_for_job(c);
    memset(&c->params, 0, sizeof(c->params));
    c->params.format = c->format;
    c->params.encoding = ENC_RAW;
    c->params.compress = c->params.quality = c->params.fine_quality = c->params.subsampling = -1;
    for (unsigned i = 0; i < n; i++) {
        uint8_t e[4];
        int32_t number;

        if (!vnc_co_read(c, e, 4)) {
            c->params = old;
            return false;
        }
        number = load_be32(e);
        /* noVNC, the viewer that knows this one, has Tight but not its gradient filter. */
        c->params.no_gradient |= number == ENC_TIGHT_PNG;
        if (!found && number == ENC_H264) {         /* for what moves; what follows is for the rest */
            c->params.film = c->server->lossy && enc_h264_available();
        } else if (!found && enc_function(number)) {       /* in the client's order of preference */
            c->params.encoding = number;
            found = true;
        } else {
            vnc_pseudo_encoding(c, number, &caps);
        }
    }
    wait_for_job(c);                                /* one may have begun meanwhile */
    if (c->params.fine_quality >= 0 && c->params.quality < 0) {
        c->params.quality = c->params.fine_quality / 11;
    }
    if (c->params.film && c->params.quality < 0) {
        c->params.quality = FILM_QUALITY;
    }
    if (!c->server->lossy) {
        c->params.quality = c->params.fine_quality = -1;
    }
    if (c->params.encoding == ENC_ZYWRLE && c->params.quality < 0) {
        c->params.encoding = ENC_ZRLE;              /* the same, without loss */
    }
    before = c->caps;
    c->caps = caps;
    vnc_pseudo_announce(c, before);
    vnc_update_kick(c->screen);
    return true;
}

static bool update_request(VncClient *c, const uint8_t *b)
{
    int x = load_be16(b + 1), y = load_be16(b + 3), w = load_be16(b + 5), h = load_be16(b + 7);

    /* Continuous updates make incremental requests void. */
    if (b[0] && c->continuous) {
        return true;
    }
    x = MIN(x, c->width);
    y = MIN(y, c->height);
    w = MIN(w, c->width - x);
    h = MIN(h, c->height - y);
    if (!b[0]) {
        if (w > 0 && h > 0) {
            pixman_region_union_rect(&c->dirty, &c->dirty, x, y, w, h);
        }
        if (c->caps & CAP_EXT_SIZE) {
            vnc_pseudo_size(c, 0, 0);
            vnc_flush(c);
        }
    }
    if (w > 0 && h > 0) {
        pixman_region_union_rect(&c->request, &c->request, x, y, w, h);
    }
    c->wanted = true;
    vnc_update_kick(c->screen);
    return true;
}

static bool coroutine_fn pointer_event(VncClient *c, const uint8_t *b)
{
    uint16_t buttons = b[0];

    if (c->caps & CAP_EXT_BUTTONS && buttons & 0x80) {
        uint8_t more;

        if (!vnc_co_read(c, &more, 1)) {
            return false;
        }
        buttons = (buttons & 0x7f) | (more & 1) << 7 | (more & 2) << 7;
    }
    vnc_pointer(c, buttons, load_be16(b + 1), load_be16(b + 3));
    return true;
}

static bool coroutine_fn enable_continuous(VncClient *c, const uint8_t *b)
{
    c->continuous = b[0];
    if (b[0]) {
        int x = load_be16(b + 1), y = load_be16(b + 3);

        c->continuous_box = (pixman_box16_t){
            MIN(x, CONSOLE_MAX_WIDTH), MIN(y, CONSOLE_MAX_HEIGHT),
            MIN(x + load_be16(b + 5), CONSOLE_MAX_WIDTH),
            MIN(y + load_be16(b + 7), CONSOLE_MAX_HEIGHT),
        };
        c->in_flight = 0;
        c->fence_acked = c->fence_seq;
    } else {
        /* The answer says that no more come: viewers go on to another format then. */
        wait_for_job(c);
        vnc_put_u8(c, 150);
        vnc_flush(c);
    }
    vnc_update_kick(c->screen);
    return true;
}

static bool coroutine_fn fence(VncClient *c, const uint8_t *b)
{
    uint32_t flags = load_be32(b + 3);
    uint8_t payload[FENCE_PAYLOAD_MAX];
    unsigned len = b[7];

    if (len > FENCE_PAYLOAD_MAX || !vnc_co_read(c, payload, len)) {
        return false;
    }
    if (!(flags & FENCE_REQUEST)) {
        if (len == 4) {
            vnc_update_fence(c, load_be32(payload));
        }
        return true;
    }
    /* All before it has been handled but for an update that is being made. */
    if (flags & FENCE_KNOWN) {
        wait_for_job(c);
    }
    /* What follows the answer must be by the rules of the next message, which may not be there yet. */
    c->sync_next = flags & FENCE_SYNC_NEXT;
    vnc_pseudo_send_fence(c, flags & FENCE_KNOWN, payload, len);
    vnc_flush(c);
    return true;
}

static bool xvp(VncClient *c, const uint8_t *b)
{
    bool ok = c->server->power_control && b[1] == 1;

    switch (ok ? b[2] : 0) {
    case XVP_SHUTDOWN:
        system_powerdown_request();
        return true;
    case XVP_REBOOT:                    /* guests have no other button for it */
    case XVP_RESET:
        system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
        return true;
    default: {
        static const uint8_t fail[4] = { 250, 0, 1, XVP_FAIL };

        vnc_put(c, fail, 4);
        vnc_flush(c);
        return true;
    }
    }
}

static bool coroutine_fn set_desktop_size(VncClient *c, const uint8_t *b)
{
    int w = load_be16(b + 1), h = load_be16(b + 3);
    Console *con = c->screen->listener.console;
    unsigned status;

    if (!vnc_co_skip(c, 16 * b[5])) {
        return false;
    }
    if (!con || !con->ops->resize) {
        status = 1;                     /* administratively prohibited */
    } else if (w == 0 || h == 0 || w > CONSOLE_MAX_WIDTH || h > CONSOLE_MAX_HEIGHT || b[5] != 1) {
        status = 3;                     /* invalid layout */
    } else {
        con->ops->resize(con->opaque, w, h);
        status = 4;                     /* it is the guest's to follow */
    }
    vnc_pseudo_size(c, 1, status);
    vnc_flush(c);
    return true;
}

static bool coroutine_fn qemu_message(VncClient *c, const uint8_t *b)
{
    uint8_t k[10];

    switch (b[0]) {
    case QEMU_EXT_KEY:
        if (!vnc_co_read(c, k, 10)) {
            return false;
        }
        if (load_be32(k + 6)) {
            vnc_key_number(c, load_be16(k), load_be32(k + 2), load_be32(k + 6) & 0xff);
        } else {
            vnc_key(c, load_be16(k), load_be32(k + 2));
        }
        return true;
    case QEMU_AUDIO:
        return vnc_audio_message(c);
    default:
        return false;
    }
}

/* Bytes that follow the type byte. */
static const uint8_t body_bytes[256] = {
    [MSG_SET_PIXEL_FORMAT] = 19, [MSG_SET_ENCODINGS] = 3, [MSG_UPDATE_REQUEST] = 9, [MSG_KEY] = 7,
    [MSG_POINTER] = 5, [MSG_CUT_TEXT] = 7, [MSG_CONTINUOUS] = 9, [MSG_FENCE] = 8, [MSG_XVP] = 3,
    [MSG_SET_DESKTOP_SIZE] = 7, [MSG_QEMU] = 1,
};

static bool coroutine_fn handle(VncClient *c, uint8_t type, const uint8_t *b, Error **errp)
{
    switch (type) {
    case MSG_SET_PIXEL_FORMAT:
        return set_pixel_format(c, b, errp);
    case MSG_SET_ENCODINGS:
        return set_encodings(c, b, errp);
    case MSG_UPDATE_REQUEST:
        return update_request(c, b);
    case MSG_KEY:
        vnc_key(c, b[0], load_be32(b + 3));
        return true;
    case MSG_POINTER:
        return pointer_event(c, b);
    case MSG_CUT_TEXT:
        return vnc_clip_message(c, load_be32(b + 3));
    case MSG_CONTINUOUS:
        return enable_continuous(c, b);
    case MSG_FENCE:
        return fence(c, b);
    case MSG_XVP:
        return xvp(c, b);
    case MSG_SET_DESKTOP_SIZE:
        return set_desktop_size(c, b);
    default:
        return qemu_message(c, b);
    }
}

static bool coroutine_fn serve_one(VncClient *c, Error **errp)
{
    uint8_t type, b[20];
    bool sync, ok;

    if (!vnc_co_drain(c) || !vnc_co_read(c, &type, 1)) {
        return false;
    }
    if (!body_bytes[type]) {
        error_setf(errp, ERR_PROTOCOL, "unknown RFB message type %u", type);
        return false;
    }
    if (!vnc_co_read(c, b, body_bytes[type])) {
        return false;
    }
    sync = c->sync_next;
    ok = handle(c, type, b, errp);
    /* A fence that asks for something has said itself what holds from now on. */
    if (sync && (type != MSG_FENCE || !(load_be32(b + 3) & FENCE_REQUEST))) {
        c->sync_next = false;
        vnc_update_kick(c->screen);
    }
    return ok;
}

/* --- handshake --- */

static bool coroutine_fn version(VncClient *c, Error **errp)
{
    char text[13] = { 0 };
    unsigned major, minor;

    vnc_put(c, "RFB 003.008\n", 12);
    vnc_flush(c);
    if (!vnc_co_read(c, text, 12)) {
        return false;
    }
    if (sscanf(text, "RFB %03u.%03u\n", &major, &minor) != 2 || major != 3) {
        error_setf(errp, ERR_PROTOCOL, "the client doesn't speak RFB 3");
        return false;
    }
    /* 7.1.1: 3.4 to 3.6 were never published; some clients say 3.889 and mean 3.8. */
    c->minor = minor >= 8 ? 8 : minor == 7 ? 7 : 3;
    return true;
}

/* 7.3.1 and QEMU's policies. */
static bool settle_sharing(VncClient *c, Error **errp)
{
    VncServer *s = c->server;

    if (c->shared || s->share == SHARE_IGNORE) {
        if (s->share == SHARE_ALLOW_EXCLUSIVE) {
            for (VncClient *o = s->clients; o; o = o->next) {
                if (o != c && o->initialized && !o->closing && !o->shared) {
                    error_setf(errp, ERR_IN_USE, "another client is there alone");
                    return false;
                }
            }
        }
        return true;
    }
    if (s->share == SHARE_FORCE_SHARED) {
        error_setf(errp, ERR_PERMISSION, "the client wants to be alone");
        return false;
    }
    for (VncClient *o = s->clients; o; o = o->next) {
        if (o != c && o->initialized) {
            vnc_client_close(o);
        }
    }
    return true;
}

static void server_init(VncClient *c)
{
    uint8_t format[16];

    if (c->screen->listener.console) {
        console_refresh(c->screen->listener.console);   /* nobody looked: it may have another size */
    }
    c->size_changed = false;
    c->width = c->screen->width;
    c->height = c->screen->height;
    vnc_format_put(c->format, format);
    vnc_put_u16(c, c->width);
    vnc_put_u16(c, c->height);
    vnc_put(c, format, sizeof(format));
    vnc_put_u32(c, strlen(c->server->name));
    vnc_put(c, c->server->name, strlen(c->server->name));
    vnc_flush(c);
}

static bool coroutine_fn handshake(VncClient *c, Error **errp)
{
    uint8_t shared;

    if (c->websocket && ((c->server->tls && !vnc_co_tls(c, errp)) || !vnc_co_websocket(c, errp))) {
        return false;
    }
    if (!version(c, errp) || !vnc_auth(c, errp) || !vnc_co_read(c, &shared, 1)) {
        return false;
    }
    c->shared = shared;
    if (!settle_sharing(c, errp)) {
        return false;
    }
    server_init(c);
    return !c->closing;
}

/* --- life --- */

static void client_free(VncClient *c)
{
    for (VncClient **pp = &c->server->clients; *pp; pp = &(*pp)->next) {
        if (*pp == c) {
            *pp = c->next;
            break;
        }
    }
    timer_del(&c->timeout);
    fd_watch_remove(c->watch);
    vnc_out_clear(c);
    vnc_layers_free(c->top);
    vnc_sasl_free(c);
    vnc_screen_unref(c->screen);
    vnc_format_unref(c->format);
    enc_streams_free(&c->streams);
    pixman_region_fini(&c->dirty);
    pixman_region_fini(&c->lossy);
    pixman_region_fini(&c->request);
    g_free(c->host);
    g_free(c->service);
    g_free(c->x509_dname);
    g_free(c->sasl_username);
    g_free(c);
}

/* A client lives exactly as long as this coroutine. */
static void coroutine_fn client_run(void *opaque)
{
    VncClient *c = opaque;
    Error *err = NULL;

    if (handshake(c, &err)) {
        timer_del(&c->timeout);
        c->initialized = true;
        c->since_ns = clock_get_ns(CLOCK_RT);
        vnc_update_dirty_all(c);
        vnc_screen_watch(c->screen);
        vnc_clip_start(c);
        vnc_event_initialized(c);
        while (serve_one(c, &err)) {
        }
        vnc_release_input(c);
    }
    c->closing = true;
    wait_for_job(c);
    vnc_clip_free(c);
    vnc_audio_free(c);
    if (c->initialized) {
        vnc_screen_unwatch(c->screen);
    }
    if (err) {
        log_unimp("vnc", "client %s:%s: %s", c->host, c->service, error_message(err));
        error_free(err);
        /* Give what we have said a chance to be read before the reset that unread bytes cause. */
        shutdown(c->fd, SHUT_WR);
    }
    vnc_event_disconnected(c);
    client_free(c);
}

void vnc_client_close(VncClient *c)
{
    c->closing = true;
    fd_watch_set(c->watch, 0);
    shutdown(c->fd, SHUT_RDWR);
    vnc_unpark(c);
}

static void timed_out(void *opaque)
{
    vnc_client_close(opaque);
}

static void writable(UNUSED int fd, UNUSED unsigned events, void *opaque)
{
    vnc_flush(opaque);
}

/* Too many that aren't in the session yet: the oldest goes. */
static void limit_handshakes(VncServer *s)
{
    VncClient *oldest = NULL;
    unsigned n = 0;

    for (VncClient *c = s->clients; c; c = c->next) {
        if (!c->initialized && !c->closing) {
            oldest = c;                         /* the newest are first */
            n++;
        }
    }
    if (n > s->connections) {
        vnc_client_close(oldest);
    }
}

static void note_address(VncClient *c)
{
    SocketAddress *a = socket_peer_address(c->fd, NULL);

    c->family = socket_family(c->fd);
    if (a && a->type == SOCKET_ADDRESS_TYPE_INET) {
        c->host = g_strdup(a->u.inet.host);
        c->service = g_strdup(a->u.inet.port);
    } else {
        c->host = g_strdup("");
        c->service = g_strdup("");
    }
    qapi_free_SocketAddress(a);
}

void vnc_client_new(VncServer *s, int fd, bool websocket, bool skip_auth)
{
    VncClient *c = g_new0(VncClient, 1);
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    c->server = s;
    c->screen = vnc_server_screen(s);
    c->screen->refs++;
    c->fd = fd;
    c->top = vnc_layer_fd(fd);
    c->websocket = websocket;
    c->skip_auth = skip_auth;
    c->format = vnc_format_native();
    c->params = (EncParams){ .format = c->format, .encoding = ENC_RAW, .compress = -1,
                             .quality = -1, .fine_quality = -1, .subsampling = -1 };
    c->window = 64 * KIB;
    g_queue_init(&c->out);
    pixman_region_init(&c->dirty);
    pixman_region_init(&c->lossy);
    pixman_region_init(&c->request);
    note_address(c);
    c->watch = fd_watch_new(fd, 0, writable, c);
    timer_init_ns(&c->timeout, CLOCK_RT, timed_out, c);
    timer_mod_ns(&c->timeout, clock_get_ns(CLOCK_RT) + VNC_HANDSHAKE_NS);
    c->next = s->clients;
    s->clients = c;
    limit_handshakes(s);
    vnc_event_connected(c);
    c->co = co_new(client_run, c);
    co_enter(c->co);
}

void vnc_for_each_client(VncScreen *s, void (*fn)(VncClient *c, void *opaque), void *opaque)
{
    for (VncServer *server = vnc_servers; server; server = server->next) {
        for (VncClient *c = server->clients, *next; c; c = next) {
            next = c->next;
            if (c->screen == s) {
                fn(c, opaque);
            }
        }
    }
}
