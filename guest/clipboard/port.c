/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/clipboard/port.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CHUNK_PORT = 1, PROTOCOL = 1, CHUNK_HEAD = 8, CHUNK_MAX = 2048, MSG_HEAD = 20 };
enum { MSG_CLIPBOARD = 4, MSG_CAPABILITIES = 6, MSG_GRAB = 7, MSG_REQUEST = 8, MSG_RELEASE = 9 };
/* The last is ours: HTML and RTF have no number in the protocol. */
#define CAP_BY_DEMAND   (1u << 5)
#define CAP_SELECTION   (1u << 6)
#define CAP_RICH_TEXT   (1u << 31)

static const uint32_t numbers[FORMAT_NUM] = {
    [FORMAT_TEXT] = 1, [FORMAT_PNG] = 2, [FORMAT_BMP] = 3,
    [FORMAT_HTML] = 0x68746d6c, [FORMAT_RTF] = 0x72746620,
};

typedef struct Bytes {
    uint8_t *data;
    size_t len, room;
} Bytes;

struct Port {
    int fd;
    const PortOps *ops;
    void *opaque;
    uint8_t head[CHUNK_HEAD];
    size_t head_n, chunk_left, out_at;
    Bytes msg, out;
    uint32_t caps;
    unsigned answers;
};

static uint32_t load32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = v >> 8 * i;
    }
}

static void append(Bytes *b, const void *data, size_t len)
{
    if (b->len + len > b->room) {
        b->room = 2 * (b->len + len);
        b->data = realloc(b->data, b->room);
        if (!b->data) {
            abort();
        }
    }
    if (len) {
        memcpy(b->data + b->len, data, len);
    }
    b->len += len;
}

/* --- to the host --- */

static void send_message(Port *p, uint32_t type, const void *a, size_t a_len, const void *b, size_t b_len)
{
    Bytes m = { NULL, 0, 0 };
    uint8_t head[MSG_HEAD] = { 0 };

    store32(head, PROTOCOL);
    store32(head + 4, type);
    store32(head + 16, a_len + b_len);
    append(&m, head, sizeof(head));
    append(&m, a, a_len);
    append(&m, b, b_len);
    for (size_t at = 0; at < m.len; at += CHUNK_MAX) {
        size_t n = m.len - at < CHUNK_MAX ? m.len - at : CHUNK_MAX;
        uint8_t chunk[CHUNK_HEAD];

        store32(chunk, CHUNK_PORT);
        store32(chunk + 4, n);
        append(&p->out, chunk, sizeof(chunk));
        append(&p->out, m.data + at, n);
    }
    free(m.data);
}

/* Words, with the selection (CLIPBOARD, 0) in front if the host knows that. */
static void send_clip(Port *p, uint32_t type, const uint32_t *words, unsigned n, const void *data, size_t len)
{
    uint8_t b[4 + 4 * FORMAT_NUM] = { 0 };
    size_t at = p->caps & CAP_SELECTION ? 4 : 0;

    for (unsigned i = 0; i < n; i++, at += 4) {
        store32(b + at, words[i]);
    }
    send_message(p, type, b, at, data, len);
}

static void send_capabilities(Port *p, bool ask)
{
    uint8_t b[8];

    store32(b, ask);
    store32(b + 4, CAP_BY_DEMAND | CAP_SELECTION | CAP_RICH_TEXT);
    send_message(p, MSG_CAPABILITIES, b, sizeof(b), NULL, 0);
}

void port_grab(Port *p, unsigned formats)
{
    uint32_t list[FORMAT_NUM];
    unsigned n = 0;

    for (unsigned f = 0; f < FORMAT_NUM; f++) {
        bool rich = f == FORMAT_HTML || f == FORMAT_RTF;

        if (formats >> f & 1 && (!rich || p->caps & CAP_RICH_TEXT)) {
            list[n++] = numbers[f];
        }
    }
    send_clip(p, n ? MSG_GRAB : MSG_RELEASE, list, n, NULL, 0);
}

void port_request(Port *p, Format f)
{
    send_clip(p, MSG_REQUEST, &numbers[f], 1, NULL, 0);
}

void port_data(Port *p, Format f, const void *data, size_t len)
{
    uint32_t number = data && len <= PORT_DATA_MAX ? numbers[f] : 0;

    send_clip(p, MSG_CLIPBOARD, &number, 1, data, number ? len : 0);
}

/* --- from the host --- */

static int format_of(uint32_t number)
{
    for (int f = 0; f < FORMAT_NUM; f++) {
        if (numbers[f] == number) {
            return f;
        }
    }
    return -1;
}

static void clip_message(Port *p, uint32_t type, const uint8_t *d, size_t len)
{
    unsigned formats = 0;
    int f;

    if (p->caps & CAP_SELECTION) {
        if (len < 4 || d[0] != 0) {
            return;
        }
        d += 4;
        len -= 4;
    }
    f = len >= 4 ? format_of(load32(d)) : -1;
    switch (type) {
    case MSG_GRAB:
        for (; len >= 4; d += 4, len -= 4) {
            f = format_of(load32(d));
            formats |= f >= 0 ? 1u << f : 0;
        }
        if (p->ops->grab) {
            p->ops->grab(p->opaque, formats);
        }
        break;
    case MSG_RELEASE:
        if (p->ops->grab) {
            p->ops->grab(p->opaque, 0);
        }
        break;
    case MSG_REQUEST:
        if (f >= 0 && p->ops->request) {
            p->ops->request(p->opaque, f);
        } else {
            port_data(p, FORMAT_TEXT, NULL, 0);
        }
        break;
    default:
        if (len >= 4 && p->ops->data) {
            p->ops->data(p->opaque, f < 0 ? FORMAT_NUM : (Format)f, f < 0 ? NULL : d + 4, f < 0 ? 0 : len - 4);
        }
    }
}

static void message(Port *p, uint32_t type, const uint8_t *d, size_t len)
{
    switch (type) {
    case MSG_CAPABILITIES:
        if (len >= 8) {
            p->caps = load32(d + 4);
            if (load32(d)) {
                send_capabilities(p, false);
            } else {
                p->answers++;
            }
        }
        break;
    case MSG_CLIPBOARD:
    case MSG_GRAB:
    case MSG_REQUEST:
    case MSG_RELEASE:
        clip_message(p, type, d, len);
        break;
    default:                    /* the pointer and what else the host offers */
        break;
    }
}

static bool take(Port *p, const uint8_t *d, size_t len)
{
    while (len) {
        size_t want = MSG_HEAD, n;

        if (p->msg.len >= MSG_HEAD) {
            want += load32(p->msg.data + 16);
        }
        n = len < want - p->msg.len ? len : want - p->msg.len;
        append(&p->msg, d, n);
        d += n;
        len -= n;
        if (p->msg.len >= MSG_HEAD) {
            uint32_t size = load32(p->msg.data + 16);

            if (load32(p->msg.data) != PROTOCOL || size > PORT_DATA_MAX + 64) {
                return false;
            }
            if (p->msg.len == MSG_HEAD + size) {
                message(p, load32(p->msg.data + 4), p->msg.data + MSG_HEAD, size);
                p->msg.len = 0;
            }
        }
    }
    return true;
}

static bool take_chunks(Port *p, const uint8_t *d, size_t len)
{
    while (len) {
        size_t n = 1;

        if (!p->chunk_left) {
            p->head[p->head_n++] = *d;
            if (p->head_n == CHUNK_HEAD) {
                p->head_n = 0;
                p->chunk_left = load32(p->head + 4);
                if (p->chunk_left > CHUNK_MAX) {
                    return false;
                }
            }
        } else {
            n = len < p->chunk_left ? len : p->chunk_left;
            p->chunk_left -= n;
            if (!take(p, d, n)) {
                return false;
            }
        }
        d += n;
        len -= n;
    }
    return true;
}

/* --- life --- */

static int open_path(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct stat st;
    int fd;

    if (stat(path, &st) < 0) {
        return -1;
    }
    if (!S_ISSOCK(st.st_mode)) {
        return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
    if (strlen(path) >= sizeof(a.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(a.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        close(fd);
        return -1;
    }
    if (fd >= 0) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return fd;
}

Port *port_open(const char *path, const PortOps *ops, void *opaque)
{
    int fd = open_path(path);
    Port *p = fd < 0 ? NULL : calloc(1, sizeof(*p));

    if (p) {
        p->fd = fd;
        p->ops = ops;
        p->opaque = opaque;
        send_capabilities(p, true);
    }
    return p;
}

void port_close(Port *p)
{
    close(p->fd);
    free(p->msg.data);
    free(p->out.data);
    free(p);
}

int port_fd(const Port *p)
{
    return p->fd;
}

bool port_wants_out(const Port *p)
{
    return p->out.len > p->out_at;
}

bool port_ready(const Port *p)
{
    return p->caps & CAP_BY_DEMAND;
}

unsigned port_answers(const Port *p)
{
    return p->answers;
}

void port_ask(Port *p)
{
    send_capabilities(p, true);
}

bool port_work(Port *p)
{
    uint8_t buf[65536];
    ssize_t n;

    while (port_wants_out(p)) {
        n = write(p->fd, p->out.data + p->out_at, p->out.len - p->out_at);
        if (n <= 0) {
            if (n < 0 && errno != EAGAIN && errno != EINTR) {
                return false;
            }
            break;
        }
        p->out_at += n;
    }
    if (!port_wants_out(p)) {
        p->out.len = p->out_at = 0;
    }
    n = read(p->fd, buf, sizeof(buf));
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    return n > 0 && take_chunks(p, buf, n);
}
