/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include "block/format.h"
#include "qapi/events-block.h"

/* --- parts of the file --- */

int coroutine_fn format_read(BlockNode *file, uint64_t offset, void *buf, size_t len)
{
    struct iovec v = { buf, len };

    return block_co_preadv(file, offset, &v, 1);
}

int coroutine_fn format_write(BlockNode *file, uint64_t offset, const void *buf, size_t len)
{
    struct iovec v = { (void *)buf, len };

    return block_co_pwritev(file, offset, &v, 1);
}

bool coroutine_fn format_load(BlockNode *file, uint64_t offset, void *buf, size_t len, Error **errp)
{
    int r = format_read(file, offset, buf, len);

    if (r < 0) {
        error_set_errno(errp, -r, "can't read %zu bytes at offset 0x%" PRIx64, len, offset);
    }
    return r == 0;
}

bool coroutine_fn format_store(BlockNode *file, uint64_t offset, const void *buf, size_t len, Error **errp)
{
    int r = format_write(file, offset, buf, len);

    if (r < 0) {
        error_set_errno(errp, -r, "can't write %zu bytes at offset 0x%" PRIx64, len, offset);
    }
    return r == 0;
}

bool coroutine_fn format_set_length(BlockNode *file, uint64_t length, Error **errp)
{
    int64_t now = block_length(file);
    int r;

    if (file->drv->co_truncate) {
        return file->drv->co_truncate(file, length, errp) == 0;
    }
    r = now < 0 ? now : (uint64_t)now < length ? block_co_write_zeros(file, now, length - now) : 0;
    if (r < 0) {
        error_set_errno(errp, -r, "can't make '%s' %" PRIu64 " bytes long", file->filename, length);
    }
    return r == 0;
}

int coroutine_fn format_truncate_file(BlockNode *n, uint64_t length, Error **errp)
{
    if (!n->file->drv->co_truncate) {
        error_setf(errp, ERR_NOT_SUPPORTED, "node '%s': driver '%s' can't resize images", n->file->name, n->file->drv->name);
        return -ENOTSUP;
    }
    return n->file->drv->co_truncate(n->file, length, errp);
}

int coroutine_fn format_barrier(BlockNode *n)
{
    return n->no_flush ? 0 : block_co_flush(n->file);
}

/* --- opening --- */

typedef struct Open {
    BlockNode *n;
    bool coroutine_fn (*read)(BlockNode *n, Error **errp);
    Error **errp;
    bool ok;
} Open;

static void coroutine_fn open_entry(void *opaque)
{
    Open *o = opaque;

    o->ok = o->read(o->n, o->errp);
}

bool format_open(BlockNode *n, const char *what, bool coroutine_fn (*read)(BlockNode *n, Error **errp), Error **errp)
{
    Open o = { .n = n, .read = read, .errp = errp };

    n->read_only |= n->file->read_only;
    n->filename = g_strdup(n->file->filename);
    block_run(open_entry, &o);
    if (!o.ok) {
        error_prepend(errp, "%s '%s': ", what, n->filename ? n->filename : n->file->name);
    }
    return o.ok;
}

/* --- damage --- */

typedef struct Damage {
    char *node, *text;
} Damage;

static void tell(void *opaque)
{
    Damage *d = opaque;

    qapi_event_send_block_image_corrupted("", d->node, d->text, false, 0, false, 0, true);
    g_free(d->node);
    g_free(d->text);
    g_free(d);
}

int format_damaged(BlockNode *n, bool *broken, const char *fmt, ...)
{
    Damage *d;
    va_list ap;

    if (*broken) {
        return -EIO;
    }
    *broken = true;
    d = g_new0(Damage, 1);
    va_start(ap, fmt);
    d->text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    fprintf(stderr, "qemu-system: image '%s' is corrupt: %s; it isn't written any more\n",
            n->filename ? n->filename : n->name, d->text);
    d->node = g_strdup(n->name);
    bh_once(NULL, tell, d);
    return -EIO;
}

void format_close_failed(const BlockNode *n, int result)
{
    if (result < 0) {
        fprintf(stderr, "qemu-system: image '%s' couldn't be closed properly: %s\n", n->filename, strerror(-result));
    }
}
