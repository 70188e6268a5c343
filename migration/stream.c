/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/stream.h"

#include <ctype.h>
#include <glib.h>
#include "qobject/json.h"
#include "util/bswap.h"
#include "util/crc32c.h"

#define RECORD_HEAD     8       /* tag, length */
#define RECORD_TAIL     4       /* CRC */
/* What is allocated for a record before its bytes are there. */
#define READ_STEP       (4 * MIB)

static const char magic[8] = { 'V', 'M', 'S', 'T', 'R', 'E', 'A', 'M' };

void mig_tag_text(uint32_t tag, char text[5])
{
    for (int i = 0; i < 4; i++) {
        char c = tag >> (24 - 8 * i) & 0xff;

        text[i] = isgraph((unsigned char)c) ? c : '?';
    }
    text[4] = '\0';
}

/* ------------------------------------------------------------- writing */

void mig_writer_init(MigWriter *w, MigChannel *ch)
{
    *w = (MigWriter){ .ch = ch };
}

void mig_writer_cleanup(MigWriter *w)
{
    g_free(w->buf);
    w->buf = NULL;
}

static bool send(MigWriter *w, const void *data, size_t len, Error **errp)
{
    if (!mig_channel_write(w->ch, data, len, errp)) {
        w->broken = true;
        return false;
    }
    w->bytes += len;
    return true;
}

bool mig_write_head(MigWriter *w, uint32_t channel, Error **errp)
{
    uint8_t head[16] = { 0 };

    memcpy(head, magic, sizeof(magic));
    store_be32(head + 8, MIG_VERSION);
    store_be32(head + 12, channel);
    return send(w, head, sizeof(head), errp);
}

uint8_t *mig_put_space(MigWriter *w, size_t len)
{
    uint8_t *at;

    if (w->room - w->len < len) {
        w->room = MAX(w->room * 2, w->len + len);
        w->buf = g_realloc(w->buf, w->room);
    }
    at = w->buf + w->len;
    w->len += len;
    return at;
}

void mig_put(MigWriter *w, const void *data, size_t len)
{
    if (len) {
        memcpy(mig_put_space(w, len), data, len);
    }
}

void mig_put_u8(MigWriter *w, uint8_t v)
{
    *mig_put_space(w, 1) = v;
}

void mig_put_u16(MigWriter *w, uint16_t v)
{
    store_be16(mig_put_space(w, 2), v);
}

void mig_put_u32(MigWriter *w, uint32_t v)
{
    store_be32(mig_put_space(w, 4), v);
}

void mig_put_u64(MigWriter *w, uint64_t v)
{
    store_be64(mig_put_space(w, 8), v);
}

void mig_begin(MigWriter *w, uint32_t tag)
{
    w->len = 0;
    mig_put_u32(w, tag);
    mig_put_u32(w, 0);
}

size_t mig_record_len(const MigWriter *w)
{
    return w->len - RECORD_HEAD;
}

void mig_patch_u32(MigWriter *w, size_t at, uint32_t v)
{
    store_be32(w->buf + RECORD_HEAD + at, v);
}

bool mig_end(MigWriter *w, Error **errp)
{
    if (mig_record_len(w) > MIG_RECORD_MAX) {
        char text[5];

        mig_tag_text(load_be32(w->buf), text);
        error_setf(errp, ERR_OUT_OF_RANGE, "a record '%s' has %zu bytes; at most %u can be saved",
                   text, mig_record_len(w), (unsigned)MIG_RECORD_MAX);
        return false;
    }
    store_be32(w->buf + 4, (uint32_t)mig_record_len(w));
    mig_put_u32(w, crc32c(0, w->buf, w->len));
    return send(w, w->buf, w->len, errp);
}

bool mig_put_json(MigWriter *w, uint32_t tag, const struct QObject *value, Error **errp)
{
    char *text = json_write(value, JSON_COMPACT);

    mig_begin(w, tag);
    mig_put(w, text, strlen(text));
    free(text);
    return mig_end(w, errp);
}

/* ------------------------------------------------------------- reading */

void mig_reader_init(MigReader *r, MigChannel *ch)
{
    *r = (MigReader){ .ch = ch };
}

void mig_reader_cleanup(MigReader *r)
{
    g_free(r->buf);
    r->buf = NULL;
}

static bool receive(MigReader *r, void *buf, size_t len, Error **errp)
{
    if (!mig_channel_read(r->ch, buf, len, errp)) {
        r->broken = true;
        error_prepend(errp, "at byte %" PRIu64 ": ", r->bytes);
        return false;
    }
    r->bytes += len;
    return true;
}

bool mig_read_head(MigReader *r, uint32_t *channel, Error **errp)
{
    uint8_t head[16];
    uint32_t version;

    if (!receive(r, head, sizeof(head), errp)) {
        return false;
    }
    version = load_be32(head + 8);
    if (memcmp(head, magic, sizeof(magic))) {
        error_setf(errp, ERR_STATE_INVALID, "this is not a migration stream of this emulator");
        return false;
    }
    if (version != MIG_VERSION) {
        error_setf(errp, ERR_STATE_INVALID, "the stream has version %u; accepted: %d", version,
                   MIG_VERSION);
        return false;
    }
    *channel = load_be32(head + 12);
    return true;
}

/* A length that is a lie must not cost memory: the buffer grows as bytes come. */
static bool read_contents(MigReader *r, uint32_t len, Error **errp)
{
    for (size_t done = 0; done < len; ) {
        size_t n = MIN(len - done, READ_STEP);

        if (r->room < done + n) {
            r->room = done + n;
            r->buf = g_realloc(r->buf, r->room);
        }
        if (!receive(r, r->buf + done, n, errp)) {
            return false;
        }
        done += n;
    }
    return true;
}

bool mig_next(MigReader *r, Error **errp)
{
    uint8_t head[RECORD_HEAD], tail[RECORD_TAIL];
    uint32_t len;
    char text[5];

    r->record_at = r->bytes;
    r->len = r->pos = 0;
    if (!receive(r, head, sizeof(head), errp)) {
        return false;
    }
    r->tag = load_be32(head);
    len = load_be32(head + 4);
    mig_tag_text(r->tag, text);
    if (len > MIG_RECORD_MAX) {
        error_setf(errp, ERR_STATE_INVALID,
                   "record '%s' at byte %" PRIu64 " has %u bytes; accepted: up to %u", text,
                   r->record_at, len, (unsigned)MIG_RECORD_MAX);
        return false;
    }
    if (!read_contents(r, len, errp) || !receive(r, tail, sizeof(tail), errp)) {
        error_prepend(errp, "record '%s': ", text);
        return false;
    }
    if (load_be32(tail) != crc32c(crc32c(0, head, sizeof(head)), r->buf, len)) {
        error_setf(errp, ERR_STATE_INVALID,
                   "record '%s' at byte %" PRIu64 " is damaged: its checksum is wrong", text,
                   r->record_at);
        return false;
    }
    r->len = len;
    return true;
}

void mig_replace(MigReader *r, uint32_t tag, uint8_t *contents, size_t len, size_t room)
{
    g_free(r->buf);
    r->buf = contents;
    r->room = room;
    r->len = len;
    r->pos = 0;
    r->tag = tag;
}

void mig_exchange(MigReader *r, uint8_t **buf, size_t *room)
{
    uint8_t *taken = r->buf;
    size_t taken_room = r->room;

    r->buf = *buf;
    r->room = *room;
    *buf = taken;
    *room = taken_room;
    r->len = r->pos = 0;
}

size_t mig_left(const MigReader *r)
{
    return r->len - r->pos;
}

const void *mig_get(MigReader *r, size_t len, Error **errp)
{
    const uint8_t *p = r->buf + r->pos;

    if (len > mig_left(r)) {
        char text[5];

        mig_tag_text(r->tag, text);
        error_setf(errp, ERR_STATE_INVALID,
                   "record '%s' at byte %" PRIu64 " ends early: %zu bytes are wanted, %zu left",
                   text, r->record_at, len, mig_left(r));
        return NULL;
    }
    r->pos += len;
    /* Not NULL for an empty record either. */
    return p ? p : (const void *)"";
}

bool mig_get_u8(MigReader *r, uint8_t *v, Error **errp)
{
    const uint8_t *p = mig_get(r, 1, errp);

    *v = p ? *p : 0;
    return p;
}

bool mig_get_u16(MigReader *r, uint16_t *v, Error **errp)
{
    const void *p = mig_get(r, 2, errp);

    *v = p ? load_be16(p) : 0;
    return p;
}

bool mig_get_u32(MigReader *r, uint32_t *v, Error **errp)
{
    const void *p = mig_get(r, 4, errp);

    *v = p ? load_be32(p) : 0;
    return p;
}

bool mig_get_u64(MigReader *r, uint64_t *v, Error **errp)
{
    const void *p = mig_get(r, 8, errp);

    *v = p ? load_be64(p) : 0;
    return p;
}

bool mig_get_end(MigReader *r, Error **errp)
{
    if (mig_left(r)) {
        char text[5];

        mig_tag_text(r->tag, text);
        error_setf(errp, ERR_STATE_INVALID,
                   "record '%s' at byte %" PRIu64 " has %zu bytes too many", text, r->record_at,
                   mig_left(r));
        return false;
    }
    return true;
}

struct QDict *mig_get_json(MigReader *r, Error **errp)
{
    QObject *o = json_parse_len((const char *)r->buf, r->len, errp);
    QDict *d = qobject_to_dict(o);

    r->pos = r->len;
    if (!o) {
        char text[5];

        mig_tag_text(r->tag, text);
        error_prepend(errp, "record '%s' at byte %" PRIu64 ": ", text, r->record_at);
        return NULL;
    }
    if (!d) {
        error_setf(errp, ERR_STATE_INVALID, "a record of the stream is no JSON object");
        qobject_unref(o);
    }
    return d;
}
