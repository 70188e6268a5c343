/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that both dialects have: sessions, walking, reading and writing. */
#include "util/osdep.h"
#include "hw/9p/p9-int.h"

#include "util/iov.h"
#include "util/timer.h"

static const FsDriver *drv(const P9Req *r)
{
    return r->p->fs->drv;
}

/* --- workers' parts that several messages use --- */

int p9_work_stat(P9Req *r)
{
    return drv(r)->stat(r->fid->node, false, &r->st);
}

int p9_work_open(P9Req *r)
{
    int n = drv(r)->stat(r->fid->node, true, &r->st);

    return n < 0 ? n : drv(r)->open_node(r->fid->node, (int)r->flags, &r->file);
}

static int work_remove(P9Req *r)
{
    char *name = NULL;
    int n = drv(r)->where(r->node, &r->dir, &name);

    r->name = name;
    if (n == 0) {
        n = drv(r)->stat(r->node, true, &r->st);
    }
    return n < 0 ? n : drv(r)->unlink(r->dir, r->name, S_ISDIR(r->st.mode));
}

/* The request has no name and no node yet; @n's reference is kept. */
int coroutine_fn p9_remove_node(P9Req *r, FsNode *n)
{
    FsNode *before = r->node;
    int result;

    r->node = n;
    result = p9_readonly(r) ? -EROFS : p9_work(r, work_remove);
    r->node = before;
    return result;
}

int p9_open_flags(uint32_t flags)
{
    /* Numbers of Linux on most architectures, as 9P2000.L has them. What isn't here is the client's affair;
     * appending too, since it says where it writes. */
    static const struct { uint32_t theirs; int ours; } known[] = {
        { 0200, O_EXCL }, { 01000, O_TRUNC }, { 010000, O_DSYNC }, { 0200000, O_DIRECTORY },
        { 04000000, O_SYNC & ~O_DSYNC },
    };
    int r = (flags & 3) == 1 ? O_WRONLY : (flags & 3) == 2 ? O_RDWR : O_RDONLY;

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        r |= flags & known[i].theirs ? known[i].ours : 0;
    }
    return r;
}

/* --- sessions --- */

/* All fids are gone, and requests under way have nobody who waits for them. */
static int coroutine_fn do_version(P9Req *r)
{
    uint32_t msize = p9_u32(r);
    g_autofree char *version = p9_str(r);
    P9Dialect d;

    if (r->bad) {
        return -EINVAL;
    }
    if (msize < P9_MSIZE_MIN) {
        return -EMSGSIZE;
    }
    d = !strcmp(version, "9P2000.L") ? P9_DOT_L : !strcmp(version, "9P2000.u") ? P9_DOT_U : P9_NONE;
    p9_reset(r->p);
    r->p->dialect = d;
    r->p->msize = (uint32_t)MIN(msize, P9_MSIZE_MAX);
    p9_put32(r, r->p->msize);
    p9_put_str(r, d == P9_NONE ? "unknown" : version);
    return 0;
}

/* Nobody is asked who he is: the host's rights are those of this process. */
static int coroutine_fn do_auth(UNUSED P9Req *r)
{
    return -EOPNOTSUPP;
}

static int work_attach(P9Req *r)
{
    int n = drv(r)->root(r->p->fs, &r->node);

    return n < 0 ? n : drv(r)->stat(r->node, true, &r->st);
}

static int coroutine_fn do_attach(P9Req *r)
{
    uint32_t id = p9_u32(r), uid;
    P9 *p = r->p;
    int n;

    p9_u32(r);                                  /* afid */
    g_free(p9_str(r));                          /* uname, aname: there is one tree, for everybody */
    g_free(p9_str(r));
    uid = p9_u32(r);
    if (r->bad) {
        return -EINVAL;
    }
    if (!p->blocker) {
        g_autofree char *why = g_strdup_printf("device '%s' (virtio-9p) has a file system mounted: unmount it in the "
                                               "guest before migration", p->name);

        p->blocker = migration_add_blocker(why, NULL);
        if (!p->blocker) {
            return -EBUSY;
        }
    }
    n = p9_work(r, work_attach);
    if (n == 0 && !p9_fid_new(p, id, r->node, uid)) {
        n = -EINVAL;
    }
    if (n < 0) {
        if (!g_hash_table_size(p->fids)) {
            migration_del_blocker(p->blocker);
            p->blocker = NULL;
        }
        return n;
    }
    r->node = NULL;                             /* the fid's now */
    p9_put_qid(r, &r->st);
    return 0;
}

/* A flush is answered after what it flushes. */
static int coroutine_fn do_flush(P9Req *r)
{
    uint16_t tag = p9_u16(r);

    for (P9Req *o = r->p->requests; o; o = o->next) {
        if (o != r && o->tag == tag) {
            co_queue_wait(&o->flushers, NULL);
            break;
        }
    }
    return 0;
}

/* --- walking --- */

/* As far as the names go: "..", at most to the root, is found by where a node is, not on the host. */
static int work_walk(P9Req *r)
{
    FsNode *at = r->node;
    int n = 0;

    /* A second try goes on where the first one, which didn't wait, has come to. */
    for (; r->walked < r->n_names; r->walked++) {
        const char *name = r->names[r->walked];
        FsNode *next = NULL;
        char *own = NULL;

        if (!strcmp(name, "..")) {
            n = drv(r)->where(at, &next, &own);
            g_free(own);
            if (n == -EBUSY) {
                n = drv(r)->root(r->p->fs, &next);
            }
        } else if (!fs_name_is_good(name, strlen(name))) {
            n = -ENOENT;
        } else {
            n = drv(r)->lookup(at, name, r->nowait, &next);
        }
        if (n == 0) {
            n = drv(r)->stat(next, true, &r->stats[r->walked]);
        }
        if (n < 0) {
            if (next) {
                drv(r)->node_unref(next);
            }
            break;
        }
        drv(r)->node_unref(at);
        at = next;
    }
    r->node = at;
    return n;
}

static int coroutine_fn do_walk(P9Req *r)
{
    P9Fid *f = p9_fid(r), *new;
    uint32_t id = p9_u32(r);
    unsigned wanted;
    int n;

    r->n_names = 0;
    wanted = p9_u16(r);
    if (wanted > P9_MAXWELEM) {
        return -EINVAL;
    }
    while (r->n_names < wanted && !r->bad) {
        char *name = p9_str(r);

        if (name) {
            r->names[r->n_names++] = name;
        }
    }
    if (r->bad || !f) {
        return r->bad ? -EINVAL : -EBADF;
    }
    if (f->file || f->xattr) {
        return -EBUSY;                          /* "fid must not have been opened" */
    }
    if (id != f->id && !p9_fid_is_free(r->p, id)) {
        return -EINVAL;
    }
    r->node = r->p->fs->drv->node_ref(f->node);
    n = wanted ? p9_work_hot(r, work_walk) : 0;
    if (n < 0 && !r->walked) {
        return n;
    }
    /* A walk that ends early tells how far it has come, and newfid isn't used. */
    if (r->walked == wanted) {
        if (id == f->id) {
            FsNode *old = f->node;

            f->node = r->node;
            r->node = old;
        } else {
            new = p9_fid_new(r->p, id, r->node, f->uid);
            if (!new) {
                return -EINVAL;
            }
            r->node = NULL;
        }
    }
    p9_put16(r, (uint16_t)r->walked);
    for (unsigned i = 0; i < r->walked; i++) {
        p9_put_qid(r, &r->stats[i]);
    }
    return 0;
}

/* --- reading and writing --- */

static void coroutine_fn throttle(P9Req *r, bool write)
{
    int64_t ns = fs_throttle_ns(r->p->fs, write, r->count);

    if (ns > 0) {
        co_sleep_ns(CLOCK_RT, ns);
    }
}

static int work_read(P9Req *r)
{
    return (int)drv(r)->read(r->file, r->iov, (int)r->n_iov, r->offset, r->nowait);
}

static int work_write(P9Req *r)
{
    return (int)drv(r)->write(r->file, r->iov, (int)r->n_iov, r->offset);
}

static int read_xattr(P9Req *r, const P9Xattr *x)
{
    uint64_t left = r->offset < x->size ? x->size - r->offset : 0;
    uint32_t n = (uint32_t)MIN(r->count, left);

    if (x->name) {
        return -EBADF;
    }
    p9_put32(r, n);
    if (n) {
        g_byte_array_append(r->ans, x->data + r->offset, n);
    }
    return 0;
}

/* Into the answer's own buffers, behind its header and count[4]. */
static int coroutine_fn do_read(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    const unsigned head = P9_HEADER + 4;
    size_t room = r->io->in_bytes;
    int n;

    r->offset = p9_u64(r);
    r->count = p9_u32(r);
    if (r->bad || !f) {
        return r->bad ? -EINVAL : -EBADF;
    }
    room = MIN(room, r->p->msize);
    if (room < head) {
        return -EINVAL;
    }
    r->count = (uint32_t)MIN(r->count, room - head);
    if (f->xattr) {
        return read_xattr(r, f->xattr);
    }
    if (!f->file) {
        return -EBADF;
    }
    if (r->offset > INT64_MAX) {
        return -EINVAL;
    }
    throttle(r, false);
    r->iov = g_new(struct iovec, r->io->n_in);
    r->n_iov = (unsigned)iov_slice(r->iov, r->io->n_in, r->io->in, r->io->n_in, head, r->count);
    r->file = f->file;
    n = r->count ? p9_work_hot(r, work_read) : 0;
    if (n < 0) {
        return n;
    }
    p9_put32(r, (uint32_t)n);
    r->ans_data = (uint32_t)n;
    return 0;
}

static int write_xattr(P9Req *r, P9Xattr *x)
{
    if (!x->name || r->offset != x->written || r->count > x->size - x->written) {
        return x->name ? -ENOSPC : -EBADF;
    }
    iov_to_buf(r->iov, r->n_iov, 0, x->data + x->written, r->count);
    x->written += r->count;
    p9_put32(r, r->count);
    return 0;
}

static int coroutine_fn do_write(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    int n;

    r->offset = p9_u64(r);
    r->count = p9_u32(r);
    if (r->bad || !f) {
        return r->bad ? -EINVAL : -EBADF;
    }
    if (r->count > r->size - r->at || r->offset > INT64_MAX) {
        return -EINVAL;
    }
    r->iov = g_new(struct iovec, r->io->n_out);
    r->n_iov = (unsigned)iov_slice(r->iov, r->io->n_out, r->io->out, r->io->n_out, r->at, r->count);
    if (f->xattr) {
        return write_xattr(r, f->xattr);
    }
    if (!f->file) {
        return -EBADF;
    }
    throttle(r, true);
    r->file = f->file;
    n = r->count ? p9_work(r, work_write) : 0;
    if (n < 0) {
        return n;
    }
    p9_put32(r, (uint32_t)n);
    return 0;
}

/* --- the end of a fid --- */

static int work_set_xattr(P9Req *r)
{
    const P9Xattr *x = r->fid->xattr;

    /* Linux removes an attribute by setting nothing. */
    return x->size ? drv(r)->xattr_set(r->fid->node, x->name, x->data, x->size, x->flags)
                   : drv(r)->xattr_remove(r->fid->node, x->name);
}

static int coroutine_fn do_clunk(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    int n = 0;

    if (r->bad || !f) {
        return r->bad ? -EINVAL : -EBADF;
    }
    p9_fid_drop(f);
    if (f->xattr && f->xattr->name) {
        n = f->xattr->written == f->xattr->size ? p9_work(r, work_set_xattr) : -EINVAL;
    } else if (f->remove_on_clunk) {
        n = p9_remove_node(r, f->node);
    }
    return n;
}

/* "The fid is clunked, even if the remove fails." */
static int coroutine_fn do_remove(P9Req *r)
{
    P9Fid *f = p9_fid(r);

    if (r->bad || !f) {
        return r->bad ? -EINVAL : -EBADF;
    }
    p9_fid_drop(f);
    return f->node ? p9_remove_node(r, f->node) : -EBADF;
}

P9Handler *p9_common_handler(uint8_t type)
{
    switch (type) {
    case P9_TVERSION: return do_version;
    case P9_TAUTH: return do_auth;
    case P9_TATTACH: return do_attach;
    case P9_TFLUSH: return do_flush;
    case P9_TWALK: return do_walk;
    case P9_TREAD: return do_read;
    case P9_TWRITE: return do_write;
    case P9_TCLUNK: return do_clunk;
    case P9_TREMOVE: return do_remove;
    default: return NULL;
    }
}
