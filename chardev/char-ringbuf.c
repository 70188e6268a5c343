/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ringbuf: memory that keeps the last bytes written; read by ringbuf-read. */
#include "util/osdep.h"
#include "chardev/char-int.h"
#include "chardev/char-ringbuf.h"

typedef struct RingbufChardev {
    Chardev parent;
    uint8_t *data;
    size_t size;                /* power of two */
    size_t written, read;       /* totals; their difference is what is in it */
} RingbufChardev;

static bool ringbuf_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    RingbufChardev *s = (RingbufChardev *)chr;
    const ChardevRingbuf *opts = backend->u.ringbuf.data;
    int64_t size = opts->has_size ? opts->size : 65536;

    if (size <= 0 || size > INT64_C(1) << 30 || !IS_POWER_OF_2((uint64_t)size)) {
        error_setf(errp, ERR_OUT_OF_RANGE,
                   "size of ringbuf chardev must be power of two, 1 to 1 GiB, not %" PRId64,
                   size);
        return false;
    }
    s->size = size;
    s->data = g_malloc0(size);
    chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static void ringbuf_close(Chardev *chr)
{
    g_free(((RingbufChardev *)chr)->data);
}

static ssize_t ringbuf_put(Chardev *chr, const uint8_t *buf, size_t len)
{
    RingbufChardev *s = (RingbufChardev *)chr;

    for (size_t i = 0; i < len; i++) {
        s->data[s->written++ & (s->size - 1)] = buf[i];
    }
    if (s->written - s->read > s->size) {
        s->read = s->written - s->size;
    }
    return len;
}

static RingbufChardev *find(const char *id, Error **errp)
{
    Chardev *chr = chardev_find(id);

    if (!chr) {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "Device '%s' not found", id);
        return NULL;
    }
    if (chr->ops->write != ringbuf_put) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "%s is not a ringbuf device", id);
        return NULL;
    }
    return (RingbufChardev *)chr;
}

bool chr_ringbuf_write(const char *id, const uint8_t *buf, size_t len, Error **errp)
{
    RingbufChardev *s = find(id, errp);

    if (!s) {
        return false;
    }
    ringbuf_put(&s->parent, buf, len);
    return true;
}

uint8_t *chr_ringbuf_read(const char *id, size_t max, size_t *len, Error **errp)
{
    RingbufChardev *s = find(id, errp);
    uint8_t *buf;

    if (!s) {
        return NULL;
    }
    *len = MIN(max, s->written - s->read);
    buf = g_malloc(*len + 1);
    for (size_t i = 0; i < *len; i++) {
        buf[i] = s->data[s->read++ & (s->size - 1)];
    }
    buf[*len] = 0;
    return buf;
}

const ChardevOps chr_ringbuf_ops = {
    .kind = CHARDEV_BACKEND_KIND_RINGBUF, .args = "[size=BYTES]",
    .size = sizeof(RingbufChardev), .open = ringbuf_open, .close = ringbuf_close,
    .write = ringbuf_put,
};

const ChardevOps chr_memory_ops = {
    .kind = CHARDEV_BACKEND_KIND_MEMORY, .args = "[size=BYTES]",
    .size = sizeof(RingbufChardev), .open = ringbuf_open, .close = ringbuf_close,
    .write = ringbuf_put,
};
