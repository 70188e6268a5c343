/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client: a coroutine that reads as RFC 6143 section 7 tells the dialogue.
 * Output is buffered and goes out as the socket takes it; while much of it waits, no further
 * update is made.
 */
#include "util/osdep.h"
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "qapi/events-ui.h"
#include "ui/core/input.h"
#include "ui/vnc/vnc-int.h"
#include "util/bswap.h"

enum { SECURITY_NONE = 1 };
enum { ENC_RAW = 0, ENC_EXT_KEY = -258, ENC_DESKTOP_SIZE = -223, ENC_LAST_RECT = -224 };

/* --- output --- */

static void flush_out(VncClient *c)
{
    while (c->out_pos < c->out->len) {
        ssize_t n = send(c->fd, c->out->data + c->out_pos, c->out->len - c->out_pos,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            break;
        }
        if (n <= 0) {
            vnc_client_close(c);
            return;
        }
        c->out_pos += n;
        c->sent_bytes += n;
    }
    if (c->out_pos == c->out->len) {
        g_byte_array_set_size(c->out, 0);
        c->out_pos = 0;
        fd_watch_set(c->watch, 0);
    } else {
        fd_watch_set(c->watch, FD_WRITE);
    }
}

static void writable(UNUSED int fd, UNUSED unsigned events, void *opaque)
{
    VncClient *c = opaque;

    flush_out(c);
    if (!c->closing) {
        vnc_client_update(c);
    }
}

/* --- updates --- */

static void changed(ConsoleListener *l, int x, int y, int w, int h)
{
    VncClient *c = container_of(l, VncClient, listener);

    pixman_region_union_rect(&c->dirty, &c->dirty, x, y, w, h);
}

static void resized(ConsoleListener *l)
{
    VncClient *c = container_of(l, VncClient, listener);

    c->size_changed = true;
}

static void rect_header(VncClient *c, int x, int y, int w, int h, int32_t encoding)
{
    vnc_put_u16(c, x);
    vnc_put_u16(c, y);
    vnc_put_u16(c, w);
    vnc_put_u16(c, h);
    vnc_put_u32(c, encoding);
}

/* A client that can't follow a new size sees the part that fits. */
static bool send_size(VncClient *c)
{
    Console *con = c->listener.console;

    c->size_changed = false;
    if (!c->ext_resize || (c->width == console_width(con) && c->height == console_height(con))) {
        return false;
    }
    c->width = console_width(con);
    c->height = console_height(con);
    vnc_put_u8(c, 0);
    vnc_put_u8(c, 0);
    vnc_put_u16(c, 1);
    rect_header(c, 0, 0, c->width, c->height, ENC_DESKTOP_SIZE);
    pixman_region_union_rect(&c->dirty, &c->dirty, 0, 0, c->width, c->height);
    return true;
}

void vnc_client_update(VncClient *c)
{
    Console *con = c->listener.console;
    pixman_box16_t *boxes;
    int n;

    if (!c->update_wanted || c->closing || !con || c->out->len - c->out_pos > VNC_OUT_MAX / 4) {
        return;
    }
    if (c->size_changed && send_size(c)) {
        c->update_wanted = false;
        flush_out(c);
        return;
    }
    pixman_region_intersect_rect(&c->dirty, &c->dirty, 0, 0, MIN(c->width, console_width(con)),
                                 MIN(c->height, console_height(con)));
    boxes = pixman_region_rectangles(&c->dirty, &n);
    if (n == 0) {
        return;
    }
    n = MIN(n, UINT16_MAX);
    vnc_put_u8(c, 0);
    vnc_put_u8(c, 0);
    vnc_put_u16(c, n);
    for (int i = 0; i < n; i++) {
        int w = boxes[i].x2 - boxes[i].x1, h = boxes[i].y2 - boxes[i].y1;

        rect_header(c, boxes[i].x1, boxes[i].y1, w, h, ENC_RAW);
        vnc_send_raw(c, boxes[i].x1, boxes[i].y1, w, h);
    }
    pixman_region_clear(&c->dirty);
    c->update_wanted = false;
    flush_out(c);
}

/* --- input from the client --- */

/* Exactly @len bytes. False: the stream ended, or the client is being closed. */
static bool coroutine_fn co_read(VncClient *c, void *buf, size_t len)
{
    for (size_t got = 0; got < len; ) {
        ssize_t n = c->closing ? 0 : recv(c->fd, (uint8_t *)buf + got, len - got, MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN) {
            co_wait_fd(c->fd, FD_READ);
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else if (n <= 0) {
            return false;
        } else {
            got += n;
        }
    }
    return true;
}

static bool set_pixel_format(VncClient *c, const uint8_t *b)
{
    VncPixelFormat f = {
        .bits = b[3], .depth = b[4], .big_endian = b[5], .true_color = b[6],
        .red_max = load_be16(b + 7), .green_max = load_be16(b + 9), .blue_max = load_be16(b + 11),
        .red_shift = b[13], .green_shift = b[14], .blue_shift = b[15],
    };

    if ((f.bits != 8 && f.bits != 16 && f.bits != 32) || f.red_shift > 31 || f.green_shift > 31 ||
        f.blue_shift > 31) {
        return false;
    }
    if (!f.true_color) {        /* a palette of our own making: 3 bits red, 3 green, 2 blue */
        f.red_max = f.green_max = 7;
        f.blue_max = 3;
        f.red_shift = 0;
        f.green_shift = 3;
        f.blue_shift = 6;
    }
    c->format = f;
    pixman_region_union_rect(&c->dirty, &c->dirty, 0, 0, c->width, c->height);
    return true;
}

static bool coroutine_fn set_encodings(VncClient *c, unsigned n)
{
    bool ext_key = c->ext_key;

    if (n > VNC_MAX_ENCODINGS) {
        return false;
    }
    c->ext_resize = c->last_rect = c->ext_key = false;
    for (unsigned i = 0; i < n; i++) {
        uint8_t b[4];
        int32_t e;

        if (!co_read(c, b, 4)) {
            return false;
        }
        e = load_be32(b);
        c->ext_resize |= e == ENC_DESKTOP_SIZE;
        c->last_rect |= e == ENC_LAST_RECT;
        c->ext_key |= e == ENC_EXT_KEY;
    }
    if (c->ext_key && !ext_key) {           /* tell that we take them: an empty rectangle */
        vnc_put_u8(c, 0);
        vnc_put_u8(c, 0);
        vnc_put_u16(c, 1);
        rect_header(c, 0, 0, c->width, c->height, ENC_EXT_KEY);
        flush_out(c);
    }
    return true;
}

static void update_request(VncClient *c, const uint8_t *b)
{
    if (!b[0]) {
        pixman_region_union_rect(&c->dirty, &c->dirty, load_be16(b + 1), load_be16(b + 3),
                                 load_be16(b + 5), load_be16(b + 7));
    }
    c->update_wanted = true;
    console_refresh(c->listener.console);
    vnc_client_update(c);
}

/* X11 keysyms of a US keyboard as numbers of the PC's keys. */
static unsigned keysym_number(uint32_t sym)
{
    static const struct { uint16_t sym; uint8_t number; } keys[] = {
        { 0xff08, 0x0e }, { 0xff09, 0x0f }, { 0xff0d, 0x1c }, { 0xff13, 0xc6 }, { 0xff14, 0x46 },
        { 0xff1b, 0x01 }, { 0xff50, 0xc7 }, { 0xff51, 0xcb }, { 0xff52, 0xc8 }, { 0xff53, 0xcd },
        { 0xff54, 0xd0 }, { 0xff55, 0xc9 }, { 0xff56, 0xd1 }, { 0xff57, 0xcf }, { 0xff61, 0xb7 },
        { 0xff63, 0xd2 }, { 0xff67, 0xdd }, { 0xff7f, 0x45 }, { 0xff8d, 0x9c }, { 0xffaa, 0x37 },
        { 0xffab, 0x4e }, { 0xffad, 0x4a }, { 0xffae, 0x53 }, { 0xffaf, 0xb5 }, { 0xffb0, 0x52 },
        { 0xffb1, 0x4f }, { 0xffb2, 0x50 }, { 0xffb3, 0x51 }, { 0xffb4, 0x4b }, { 0xffb5, 0x4c },
        { 0xffb6, 0x4d }, { 0xffb7, 0x47 }, { 0xffb8, 0x48 }, { 0xffb9, 0x49 }, { 0xffe1, 0x2a },
        { 0xffe2, 0x36 }, { 0xffe3, 0x1d }, { 0xffe4, 0x9d }, { 0xffe5, 0x3a }, { 0xffe9, 0x38 },
        { 0xffea, 0xb8 }, { 0xffeb, 0xdb }, { 0xffec, 0xdc }, { 0xffff, 0xd3 },
    };
    /* By number, plain and shifted. */
    static const char plain[] = "\0\0" "1234567890-=\0\0qwertyuiop[]\0\0asdfghjkl;'`\0\\zxcvbnm,./"
                                "\0\0\0 ";
    static const char shifted[] = "\0\0" "!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?"
                                  "\0\0\0 ";

    if (sym >= 0x20 && sym < 0x7f) {
        for (unsigned i = 2; i < sizeof(plain) - 1; i++) {
            if ((uint8_t)plain[i] == sym || (uint8_t)shifted[i] == sym) {
                return i;
            }
        }
        return 0;
    }
    if (sym >= 0xffbe && sym <= 0xffc9) {       /* F1 to F12 */
        unsigned f = sym - 0xffbe;

        return f < 10 ? 0x3b + f : 0x57 + (f - 10);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].sym == sym) {
            return keys[i].number;
        }
    }
    return 0;
}

static void key_event(bool down, unsigned number)
{
    if (number) {
        input_key(number, down);
    }
}

static void pointer_event(VncClient *c, const uint8_t *b)
{
    static const InputButton buttons[] = {
        INPUT_BUTTON_LEFT, INPUT_BUTTON_MIDDLE, INPUT_BUTTON_RIGHT, INPUT_BUTTON_WHEEL_UP,
        INPUT_BUTTON_WHEEL_DOWN,
    };
    int x = load_be16(b + 1), y = load_be16(b + 3);
    InputHandler *h = input_pointer();

    if (h && h->absolute) {
        input_abs(c->width > 1 ? x * INPUT_ABS_MAX / (c->width - 1) : 0,
                  c->height > 1 ? y * INPUT_ABS_MAX / (c->height - 1) : 0);
    } else {
        input_rel(x - c->x, y - c->y);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(buttons); i++) {
        if ((b[0] ^ c->buttons) & BIT(i)) {
            input_button(buttons[i], b[0] & BIT(i));
        }
    }
    c->x = x;
    c->y = y;
    c->buttons = b[0];
    input_sync();
}

static bool coroutine_fn cut_text(VncClient *c, uint32_t len)
{
    char skip[1024];

    if (len > VNC_MAX_CUT_TEXT) {
        return false;
    }
    while (len > 0) {
        size_t n = MIN(len, sizeof(skip));

        if (!co_read(c, skip, n)) {
            return false;
        }
        len -= n;
    }
    return true;
}

/* RFC 6143, 7.5; 255 is the extended key event of the community's list. */
static bool coroutine_fn serve_one(VncClient *c)
{
    uint8_t type, b[20];

    if (!co_read(c, &type, 1)) {
        return false;
    }
    switch (type) {
    case 0:
        return co_read(c, b, 19) && set_pixel_format(c, b);
    case 2:
        return co_read(c, b, 3) && set_encodings(c, load_be16(b + 1));
    case 3:
        if (!co_read(c, b, 9)) {
            return false;
        }
        update_request(c, b);
        return !c->closing;
    case 4:
        if (!co_read(c, b, 7)) {
            return false;
        }
        key_event(b[0], keysym_number(load_be32(b + 3)));
        return true;
    case 5:
        if (!co_read(c, b, 5)) {
            return false;
        }
        pointer_event(c, b);
        return true;
    case 6:
        return co_read(c, b, 7) && cut_text(c, load_be32(b + 3));
    case 255:
        if (!co_read(c, b, 11) || b[0] != 0) {
            return false;
        }
        key_event(load_be16(b + 1), load_be32(b + 7) & 0xff);
        return true;
    default:
        return false;
    }
}

/* --- handshake --- */

static bool coroutine_fn version(VncClient *c)
{
    char text[13] = { 0 };
    unsigned major, minor;

    vnc_put(c, "RFB 003.008\n", 12);
    flush_out(c);
    if (!co_read(c, text, 12) || sscanf(text, "RFB %03u.%03u\n", &major, &minor) != 2 ||
        major != 3) {
        return false;
    }
    c->minor = minor >= 8 ? 8 : minor == 7 ? 7 : 3;
    return true;
}

static bool coroutine_fn security(VncClient *c)
{
    uint8_t type;

    if (c->minor == 3) {
        vnc_put_u32(c, SECURITY_NONE);
        flush_out(c);
        return true;
    }
    vnc_put_u8(c, 1);
    vnc_put_u8(c, SECURITY_NONE);
    flush_out(c);
    if (!co_read(c, &type, 1) || type != SECURITY_NONE) {
        return false;
    }
    if (c->minor >= 8) {
        vnc_put_u32(c, 0);
        flush_out(c);
    }
    return true;
}

static void server_init(VncClient *c)
{
    static const uint8_t format[16] = { 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 };
    static const char name[] = "QEMU";

    vnc_put_u16(c, c->width);
    vnc_put_u16(c, c->height);
    vnc_put(c, format, sizeof(format));
    vnc_put_u32(c, sizeof(name) - 1);
    vnc_put(c, name, sizeof(name) - 1);
    flush_out(c);
}

static bool coroutine_fn handshake(VncClient *c)
{
    uint8_t shared;

    if (!version(c) || !security(c) || !co_read(c, &shared, 1)) {
        return false;
    }
    c->width = console_width(c->listener.console);
    c->height = console_height(c->listener.console);
    server_init(c);
    return !c->closing;
}

/* --- life --- */

static void client_free(VncClient *c)
{
    VncServer *s = c->server;

    for (VncClient **pp = &s->clients; *pp; pp = &(*pp)->next) {
        if (*pp == c) {
            *pp = c->next;
            break;
        }
    }
    s->n_clients--;
    console_unlisten(&c->listener);
    fd_watch_remove(c->watch);
    close(c->fd);
    pixman_region_fini(&c->dirty);
    g_byte_array_unref(c->out);
    g_free(c->host);
    g_free(c->service);
    g_free(c);
}

/* A client lives exactly as long as this coroutine. */
static void coroutine_fn client_run(void *opaque)
{
    VncClient *c = opaque;

    if (handshake(c)) {
        c->initialized = true;
        while (serve_one(c)) {
        }
    }
    input_release_keys();
    client_free(c);
}

/* The coroutine notices by the end of its input. */
void vnc_client_close(VncClient *c)
{
    c->closing = true;
    shutdown(c->fd, SHUT_RDWR);
}

void vnc_client_new(VncServer *s, int fd)
{
    Console *con = console_by_index(0);
    VncClient *c;

    if (!con || s->n_clients >= VNC_MAX_CLIENTS) {
        close(fd);
        return;
    }
    c = g_new0(VncClient, 1);
    c->server = s;
    c->fd = fd;
    c->out = g_byte_array_new();
    c->format = (VncPixelFormat){ 32, 24, false, true, 255, 255, 255, 16, 8, 0 };
    pixman_region_init(&c->dirty);
    c->listener = (ConsoleListener){ .changed = changed, .resized = resized };
    console_listen(con, &c->listener);
    c->watch = fd_watch_new(fd, 0, writable, c);
    c->next = s->clients;
    s->clients = c;
    s->n_clients++;
    co_start(client_run, c);
}
