/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "block/copy.h"
#include <glib.h>
#include "util/iov.h"

Job *block_job_new(const BlockJobSpec *s, const JobOps *ops, void *opaque, Error **errp)
{
    JobSpec spec = { .id = s->id ? s->id : s->device, .ops = ops, .manual_finalize = s->manual_finalize,
                     .manual_dismiss = s->manual_dismiss, .speed = s->speed, .txn = s->txn };

    if (s->speed < 0) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter 'speed' expects a non-negative value");
        error_argument(errp, "speed", NULL, "0 and more");
        return NULL;
    }
    if (!s->id) {
        bool is_device = false;

        for (BlockBackend *b = blk_first(); b; b = b->next) {
            is_device |= strcmp(b->id, s->device) == 0 && !b->anonymous;
        }
        if (!is_device) {
            error_setf(errp, ERR_MISSING_ARGUMENT, "An explicit job ID is required for this node");
            return NULL;
        }
    }
    return job_new(&spec, opaque, errp);
}

/* --- standing still --- */

void block_hold(BlockNode *n, BlockHold *h)
{
    GPtrArray *list = g_ptr_array_new();

    jobs_hold();
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (block_node_uses(b->node, n)) {
            g_ptr_array_add(list, b);
        }
    }
    *h = (BlockHold){ .count = list->len };
    h->held = (BlockBackend **)g_ptr_array_free(list, false);
    for (size_t i = 0; i < h->count; i++) {
        blk_drain_begin(h->held[i]);
    }
}

void block_release(BlockHold *h)
{
    for (size_t i = 0; i < h->count; i++) {
        blk_drain_end(h->held[i]);
    }
    g_free(h->held);
    *h = (BlockHold){ 0 };
    jobs_let_go();
}

/* --- copying --- */

static int coroutine_fn read_padded(BlockNode *n, uint64_t offset, uint8_t *buf, uint64_t len)
{
    int64_t length = block_length(n);
    uint64_t have = length < 0 || offset >= (uint64_t)length ? 0 : MIN(len, length - offset);
    struct iovec v = { buf, have };

    memset(buf + have, 0, len - have);
    return length < 0 ? length : have ? block_co_preadv(n, offset, &v, 1) : 0;
}

static int coroutine_fn copy_data(BlockNode *from, BlockNode *to, uint64_t offset, uint64_t len,
                                  bool *reading)
{
    struct iovec v = { NULL, len };
    int r;

    if (posix_memalign(&v.iov_base, 4096, len)) {
        return -ENOMEM;
    }
    *reading = true;
    r = read_padded(from, offset, v.iov_base, len);
    if (r == 0) {
        *reading = false;
        r = block_co_pwritev(to, offset, &v, 1);
    }
    free(v.iov_base);
    return r;
}

int coroutine_fn block_copy_range(BlockNode *from, BlockNode *to, uint64_t offset, uint64_t len, bool unmap,
                                  bool *reading)
{
    int r = 0;

    while (len > 0 && r == 0) {
        BlockStatus st;
        BlockNode *where;
        unsigned depth;
        int64_t length = block_length(from);

        *reading = true;
        if (length < 0) {
            return length;
        }
        if (offset >= (uint64_t)length) {
            st = (BlockStatus){ .len = len, .zero = true };
        } else {
            r = block_co_chain_status(from, offset, MIN(len, length - offset), &st, &where, &depth);
        }
        if (r < 0) {
            return r;
        }
        if (st.zero) {
            *reading = false;
            r = block_co_zero(to, offset, st.len, unmap ? BLOCK_ZERO_UNMAP : 0);
        } else {
            r = copy_data(from, to, offset, st.len, reading);
        }
        offset += st.len;
        len -= st.len;
    }
    return r;
}

int coroutine_fn block_co_fill(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    return n->read_only ? -EROFS : n->inactive ? -EPERM : n->drv->co_pwritev(n, offset, iov, niov);
}

/* --- chains --- */

bool coroutine_fn block_pass(Job *j, const BlockPass *p, void *opaque, int *error)
{
    uint64_t offset = 0;

    job_progress(j, 0, p->len);
    while (offset < p->len && p->goes_on(opaque)) {
        BlockStatus st;
        BlockNode *where;
        unsigned depth;
        int r;

        if (!job_pause_point(j)) {
            return false;
        }
        r = block_co_status_above(p->top, p->base, offset, MIN(p->len - offset, (uint64_t)BLOCK_COPY_MAX), &st,
                                  &where, &depth);
        if (r < 0) {
            *error = r;
            break;
        }
        if (!p->wanted(opaque, &st, where)) {
            job_advance(j, st.len);
        } else if (!job_piece(j, p->piece, opaque, offset, st.len)) {
            return false;
        }
        offset += st.len;
    }
    job_pieces_end(j);
    return true;
}

BlockNode *block_overlay_of(BlockNode *top, BlockNode *n)
{
    for (top = block_skip_filters(top); top && top->backing; top = block_skip_filters(top->backing)) {
        if (top->backing == n || block_skip_filters(top->backing) == n) {
            return top;
        }
    }
    return NULL;
}

BlockNode *block_find_in_chain(BlockNode *top, const char *filename)
{
    for (BlockNode *n = block_skip_filters(top); n; n = block_skip_filters(block_below(n))) {
        char *path = n->filename ? g_canonicalize_filename(n->filename, NULL) : NULL;
        char *other = g_canonicalize_filename(filename, NULL);
        bool same = n->filename && (!strcmp(n->filename, filename) || !strcmp(path, other));

        g_free(path);
        g_free(other);
        if (same) {
            return n;
        }
    }
    return NULL;
}

typedef struct Change {
    BlockNode *n;
    const char *file, *format;
    Error **errp;
    int result;
} Change;

static void coroutine_fn change_entry(void *opaque)
{
    Change *c = opaque;

    c->result = c->n->drv->co_change_backing(c->n, c->file, c->format, c->errp);
}

bool block_change_backing(BlockNode *n, BlockNode *below, const char *file, Error **errp)
{
    BlockNode *image = block_skip_filters(below), *old = n->backing;
    Change c = { n, file, image ? image->drv->name : NULL, errp, 0 };

    if (file || !below) {
        if (!n->drv->co_change_backing) {
            error_setf(errp, ERR_NOT_SUPPORTED, "node '%s': driver '%s' has no backing files", n->name,
                       n->drv->name);
            return false;
        }
        block_run(change_entry, &c);
        if (c.result < 0) {
            return false;
        }
    }
    n->backing = below ? block_node_ref(below) : NULL;
    block_node_unref(old);
    return true;
}

typedef struct Flush {
    BlockNode *n;
    int result;
} Flush;

static void coroutine_fn flush_entry(void *opaque)
{
    Flush *f = opaque;

    f->result = block_co_flush(f->n);
}

int block_flush_now(BlockNode *n)
{
    Flush f = { n, 0 };

    block_run(flush_entry, &f);
    return f.result;
}

/* --- targets of the commands that name files --- */

typedef struct Make {
    const QDict *opts;
    Error **errp;
    bool ok;
} Make;

static void coroutine_fn make_entry(void *opaque)
{
    Make *m = opaque;

    m->ok = block_driver_find("file")->co_create(NULL, m->opts, m->errp);
}

static bool make_image(const char *filename, const char *format, uint64_t size, BlockNode *backing,
                       Error **errp)
{
    Make m = { .errp = errp };
    QDict *opts;

    if (strcmp(format, "qcow2") == 0) {
        char *path = backing && backing->filename ? g_canonicalize_filename(backing->filename, NULL) : NULL;
        bool ok = block_create_qcow2(filename, size, path, path ? backing->drv->name : NULL, errp);

        g_free(path);
        return ok;
    }
    if (strcmp(format, "raw") || backing) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Invalid format '%s' for a new image%s", format,
                   backing ? " with an image below" : "");
        return false;
    }
    opts = qdict_from_fmt("{'filename': %s, 'size': %lld}", filename, (long long)size);
    m.opts = opts;
    block_run(make_entry, &m);
    qobject_unref(opts);
    return m.ok;
}

BlockNode *block_open_target(BlockNode *source, const char *filename, const char *format, bool make,
                             BlockNode *backing, const char *node_name, Error **errp)
{
    QDict *opts, *file;
    BlockNode *n;

    format = format ? format : make ? block_skip_filters(source)->drv->name : NULL;
    if (make && !make_image(filename, format, block_length(source), backing, errp)) {
        return NULL;
    }
    file = block_filename_options(filename, errp);
    if (!file) {
        return NULL;
    }
    opts = qdict_new();
    qdict_put(opts, "file", file);
    if (format) {
        qdict_put_str(opts, "driver", format);
    }
    if (!format || block_driver_find(format) == NULL || block_driver_find(format)->has_backing) {
        if (make || backing) {
            qdict_put(opts, "backing", qnull());
        }
    }
    if (node_name) {
        qdict_put_str(opts, "node-name", node_name);
    }
    qdict_put_bool(opts, "cache.direct", source->direct);
    qdict_put_bool(opts, "cache.no-flush", source->no_flush);
    qdict_put_str(opts, "discard", "unmap");
    n = block_node_open(opts, errp);
    qobject_unref(opts);
    return n;
}
