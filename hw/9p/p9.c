/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages, fids, and the life of a request. */
#include "util/osdep.h"
#include "hw/9p/p9-int.h"

#include "util/bswap.h"
#include "util/iov.h"
#include "util/thread-pool.h"

#define TWRITE_HEADER   (P9_HEADER + 16)        /* fid[4] offset[8] count[4] */

/* --- reading --- */

static const uint8_t *take(P9Req *r, uint32_t n)
{
    static const uint8_t zeros[8];

    if (r->bad || r->have - r->at < n) {
        r->bad = true;
        return zeros;
    }
    r->at += n;
    return r->msg + r->at - n;
}

uint8_t p9_u8(P9Req *r) { return *take(r, 1); }
uint16_t p9_u16(P9Req *r) { return load_le16(take(r, 2)); }
uint32_t p9_u32(P9Req *r) { return load_le32(take(r, 4)); }
uint64_t p9_u64(P9Req *r) { return load_le64(take(r, 8)); }

char *p9_str(P9Req *r)
{
    uint16_t len = p9_u16(r);
    const char *s = NULL;

    if (!r->bad && r->have - r->at >= len) {
        s = (const char *)r->msg + r->at;
        r->at += len;
    }
    if (!s || memchr(s, 0, len)) {
        r->bad = true;
        return NULL;
    }
    return g_strndup(s, len);
}

char *p9_name(P9Req *r, int *err)
{
    char *s = p9_str(r);

    if (s && !fs_name_is_good(s, strlen(s))) {
        *err = strlen(s) > 255 ? -ENAMETOOLONG : !*s ? -ENOENT : strchr(s, '/') ? -EINVAL : -EEXIST;
    }
    return s;
}

P9Fid *p9_fid(P9Req *r)
{
    P9Fid *f = g_hash_table_lookup(r->p->fids, GUINT_TO_POINTER(p9_u32(r)));

    if (f && !r->bad) {
        f->ref++;
        if (!r->fid) {
            r->fid = f;
        } else {
            assert(!r->fid2);
            r->fid2 = f;
        }
        return f;
    }
    return NULL;
}

/* --- answering --- */

void p9_put8(P9Req *r, uint8_t v)
{
    g_byte_array_append(r->ans, &v, 1);
}

void p9_put16(P9Req *r, uint16_t v)
{
    uint8_t raw[2];

    store_le16(raw, v);
    g_byte_array_append(r->ans, raw, 2);
}

void p9_put32(P9Req *r, uint32_t v)
{
    uint8_t raw[4];

    store_le32(raw, v);
    g_byte_array_append(r->ans, raw, 4);
}

void p9_put64(P9Req *r, uint64_t v)
{
    uint8_t raw[8];

    store_le64(raw, v);
    g_byte_array_append(r->ans, raw, 8);
}

void p9_put_str(P9Req *r, const char *s)
{
    size_t len = MIN(strlen(s), UINT16_MAX);

    p9_put16(r, (uint16_t)len);
    g_byte_array_append(r->ans, (const uint8_t *)s, (guint)len);
}

/* "version": changes when the content does. */
void p9_put_qid(P9Req *r, const FsStat *st)
{
    p9_put8(r, S_ISDIR(st->mode) ? P9_QTDIR : S_ISLNK(st->mode) ? P9_QTSYMLINK : 0);
    p9_put32(r, (uint32_t)st->mtime.tv_sec ^ (uint32_t)st->mtime.tv_nsec ^ (uint32_t)(st->size << 8));
    p9_put64(r, st->path);
}

/* --- fids --- */

static void fid_block(P9 *p)
{
    if (!g_hash_table_size(p->fids) && p->blocker) {
        migration_del_blocker(p->blocker);
        p->blocker = NULL;
    }
}

bool p9_fid_is_free(P9 *p, uint32_t id)
{
    return id != P9_NOFID && !g_hash_table_contains(p->fids, GUINT_TO_POINTER(id)) &&
           g_hash_table_size(p->fids) < P9_FIDS_MAX;
}

P9Fid *p9_fid_new(P9 *p, uint32_t id, FsNode *node, uint32_t uid)
{
    P9Fid *f;

    if (!p9_fid_is_free(p, id)) {
        return NULL;
    }
    f = g_new0(P9Fid, 1);
    *f = (P9Fid){ .id = id, .ref = 1, .p = p, .node = node, .uid = uid };
    g_hash_table_insert(p->fids, GUINT_TO_POINTER(id), f);
    return f;
}

void p9_fid_unref(P9Fid *f)
{
    if (--f->ref) {
        return;
    }
    if (f->xattr) {
        g_free(f->xattr->name);
        g_free(f->xattr->data);
        g_free(f->xattr);
    }
    if (f->file) {
        f->file->fs->drv->file_close(f->file);
    }
    if (f->node) {
        f->node->fs->drv->node_unref(f->node);
    }
    g_free(f);
}

void p9_fid_drop(P9Fid *f)
{
    P9 *p = f->p;

    if (g_hash_table_lookup(p->fids, GUINT_TO_POINTER(f->id)) == f) {
        g_hash_table_remove(p->fids, GUINT_TO_POINTER(f->id));
        p9_fid_unref(f);
        fid_block(p);
    }
}

void p9_reset(P9 *p)
{
    GHashTableIter i;
    gpointer f;

    g_hash_table_iter_init(&i, p->fids);
    while (g_hash_table_iter_next(&i, NULL, &f)) {
        g_hash_table_iter_remove(&i);
        p9_fid_unref(f);
    }
    fid_block(p);
    p->dialect = P9_NONE;
    p->msize = 8192;
}

/* --- a request --- */

static int run_work(void *opaque)
{
    P9Req *r = opaque;

    return r->work(r);
}

int coroutine_fn p9_work(P9Req *r, int (*work)(P9Req *r))
{
    r->work = work;
    return thread_pool_co_fast(run_work, r);
}

int coroutine_fn p9_work_hot(P9Req *r, int (*work)(P9Req *r))
{
    int n = -EAGAIN;

    if (r->p->fs->hot) {
        r->nowait = true;
        n = work(r);
        r->nowait = false;
    }
    return n == -EAGAIN ? p9_work(r, work) : n;
}

bool p9_readonly(const P9Req *r)
{
    return r->p->fs->readonly;
}

static const char *const error_text[] = {
    [EPERM] = "Operation not permitted", [ENOENT] = "No such file or directory", [EIO] = "I/O error",
    [EBADF] = "Bad file number", [EACCES] = "Permission denied", [EEXIST] = "File exists",
    [ENOTDIR] = "Not a directory", [EISDIR] = "Is a directory", [EINVAL] = "Invalid argument",
    [ENOSPC] = "No space left on device", [EROFS] = "Read-only file system",
};

static void answer_error(P9Req *r, int error)
{
    g_byte_array_set_size(r->ans, P9_HEADER);
    r->ans_data = 0;
    if (r->p->dialect == P9_DOT_U) {
        const char *text = (size_t)error < ARRAY_SIZE(error_text) ? error_text[error] : NULL;

        r->ans->data[4] = P9_RERROR;
        p9_put_str(r, text ? text : "Error");
    } else {
        r->ans->data[4] = P9_RLERROR;
    }
    p9_put32(r, (uint32_t)error);
}

static P9Handler *find_handler(const P9 *p, uint8_t type)
{
    P9Handler *h = NULL;

    if (p->dialect == P9_NONE && type != P9_TVERSION) {
        return NULL;                    /* "version" is the first message of a session */
    }
    if (p->dialect != P9_NONE) {
        h = p->dialect == P9_DOT_L ? p9_dotl_handler(type) : p9_dotu_handler(type);
    }
    return h ? h : p9_common_handler(type);
}

static void finish(P9Req *r)
{
    P9Io *io = r->io;
    size_t len = r->ans->len + r->ans_data;

    if (io->in_bytes < len) {
        len = 0;
    } else {
        store_le32(r->ans->data, (uint32_t)len);
        store_le16(r->ans->data + 5, r->tag);
        iov_from_buf(io->in, io->n_in, 0, r->ans->data, r->ans->len);
    }
    for (P9Req **i = &r->p->requests; *i; i = &(*i)->next) {
        if (*i == r) {
            *i = r->next;
            break;
        }
    }
    if (r->fid) {
        p9_fid_unref(r->fid);
    }
    if (r->fid2) {
        p9_fid_unref(r->fid2);
    }
    if (r->node) {
        r->node->fs->drv->node_unref(r->node);
    }
    if (r->dir) {
        r->dir->fs->drv->node_unref(r->dir);
    }
    g_free(r->name);
    g_free(r->name2);
    for (unsigned i = 0; i < r->n_names; i++) {
        g_free(r->names[i]);
    }
    g_free(r->iov);
    g_free(r->data);
    g_free(r->msg);
    g_byte_array_unref(r->ans);
    co_queue_all(&r->flushers);
    co_queue_destroy(&r->flushers);
    r->p->n_requests--;
    g_free(r);
    io->done(io, len);
}

static void coroutine_fn run_request(void *opaque)
{
    P9Req *r = opaque;
    P9Handler *h = find_handler(r->p, r->type);
    int n = h ? h(r) : -EOPNOTSUPP;

    if (r->bad && n == 0) {
        n = -EINVAL;
    }
    if (n < 0) {
        answer_error(r, -n);
    }
    finish(r);
}

/* The message's header, and all of it but what a write brings. */
static bool take_message(P9Req *r)
{
    P9Io *io = r->io;
    uint8_t head[P9_HEADER];

    if (iov_to_buf(io->out, io->n_out, 0, head, sizeof(head)) != sizeof(head)) {
        return false;
    }
    r->size = load_le32(head);
    r->type = head[4];
    r->tag = load_le16(head + 5);
    if (r->size < P9_HEADER || r->size > io->out_bytes || r->size > r->p->msize) {
        return false;
    }
    r->have = r->type == P9_TWRITE ? MIN(r->size, (uint32_t)TWRITE_HEADER) : r->size;
    r->msg = g_malloc(r->have);
    iov_to_buf(io->out, io->n_out, 0, r->msg, r->have);
    r->at = P9_HEADER;
    return true;
}

void p9_request(P9 *p, P9Io *io)
{
    P9Req *r = g_new0(P9Req, 1);
    uint8_t zeros[P9_HEADER] = { 0 };

    r->p = p;
    r->io = io;
    if (!take_message(r)) {
        g_free(r);
        io->done(io, 0);
        return;
    }
    co_queue_init(&r->flushers);
    r->ans = g_byte_array_sized_new(256);
    zeros[4] = r->type + 1;
    g_byte_array_append(r->ans, zeros, sizeof(zeros));
    r->next = p->requests;
    p->requests = r;
    p->n_requests++;
    co_start(run_request, r);
}

P9 *p9_new(FsDev *fs, const char *name)
{
    P9 *p = g_new0(P9, 1);

    p->fs = fs;
    p->name = g_strdup(name);
    p->fids = g_hash_table_new(NULL, NULL);
    p9_reset(p);
    return p;
}

void p9_free(P9 *p)
{
    p9_reset(p);
    g_hash_table_destroy(p->fids);
    g_free(p->name);
    g_free(p);
}

unsigned p9_under_way(const P9 *p)
{
    return p->n_requests;
}
