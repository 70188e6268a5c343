/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 9P2000.L: messages after Linux's system calls. */
#include "util/osdep.h"
#include "hw/9p/p9-int.h"

#include <dirent.h>
#include <sys/sysmacros.h>
#include "util/bswap.h"

#define LINK_MAX_LEN    4096

static const FsDriver *drv(const P9Req *r)
{
    return r->p->fs->drv;
}

/* What every handler begins with, when it has read its message. */
static int check(const P9Req *r, const P9Fid *f)
{
    return r->bad ? -EINVAL : !f || !f->node ? -EBADF : 0;
}

/* Two fids stand for one that is usable if both are. */
static const P9Fid *both(const P9Fid *a, const P9Fid *b)
{
    return a && a->node ? b : NULL;
}

/* The same for one that changes something. */
static int check_change(const P9Req *r, const P9Fid *f)
{
    int n = check(r, f);

    return n == 0 && p9_readonly(r) ? -EROFS : n;
}

/* --- opening --- */

static void put_open(P9Req *r)
{
    p9_put_qid(r, &r->st);
    p9_put32(r, 0);                     /* iounit: as much as msize allows */
}

/* The fid may have been opened meanwhile by another request. */
static int give_file(P9Req *r, P9Fid *f)
{
    FsFile *file = r->file;

    r->file = NULL;
    if (f->file || f->xattr) {
        drv(r)->file_close(file);
        return -EBUSY;
    }
    f->file = file;
    return 0;
}

static int coroutine_fn do_lopen(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    uint32_t flags = p9_u32(r);
    int n = check(r, f);

    if (n < 0) {
        return n;
    }
    if (f->file || f->xattr) {
        return -EBUSY;
    }
    if (p9_readonly(r) && ((flags & 3) || flags & 01000)) {
        return -EROFS;
    }
    r->flags = (uint32_t)p9_open_flags(flags);
    n = r->flags & O_TRUNC ? p9_work(r, p9_work_open) : p9_work_hot(r, p9_work_open);
    n = n < 0 ? n : give_file(r, f);
    if (n == 0) {
        put_open(r);
    }
    return n;
}

static int work_create(P9Req *r)
{
    int n = drv(r)->create(r->fid->node, r->name, (int)r->flags, &r->cred, &r->node, &r->file);

    if (n == 0) {
        n = drv(r)->stat(r->node, true, &r->st);
        if (n < 0) {
            drv(r)->file_close(r->file);
        }
    }
    return n;
}

static int coroutine_fn do_lcreate(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    FsNode *old;
    int n = 0;

    r->name = p9_name(r, &n);
    r->flags = (uint32_t)p9_open_flags(p9_u32(r));
    r->cred.mode = p9_u32(r) & 07777;
    r->cred.gid = p9_u32(r);
    n = check_change(r, f) < 0 ? check_change(r, f) : n;
    if (n < 0) {
        return n;
    }
    if (f->file || f->xattr) {
        return -EBUSY;
    }
    r->cred.uid = f->uid;
    n = p9_work(r, work_create);
    if (n == 0) {
        n = give_file(r, f);
    }
    if (n == 0) {
        /* "After the call it represents the new file." */
        old = f->node;
        f->node = r->node;
        r->node = old;
        put_open(r);
    }
    return n;
}

/* --- other new objects --- */

static int work_symlink(P9Req *r)
{
    int n = drv(r)->symlink(r->fid->node, r->name, r->name2, &r->cred, &r->node);

    return n < 0 ? n : drv(r)->stat(r->node, true, &r->st);
}

static int work_mknod(P9Req *r)
{
    int n = drv(r)->mknod(r->fid->node, r->name, r->flags, r->number, &r->cred, &r->node);

    return n < 0 ? n : drv(r)->stat(r->node, true, &r->st);
}

static int coroutine_fn make(P9Req *r, P9Fid *f, int n, int (*work)(P9Req *r))
{
    int m = check_change(r, f);

    if (m < 0 || n < 0) {
        return m < 0 ? m : n;
    }
    r->cred.uid = f->uid;
    n = p9_work(r, work);
    if (n == 0) {
        p9_put_qid(r, &r->st);
    }
    return n;
}

static int coroutine_fn do_symlink(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    int n = 0;

    r->name = p9_name(r, &n);
    r->name2 = p9_str(r);
    r->cred.gid = p9_u32(r);
    if (!r->bad && (!*r->name2 || strlen(r->name2) >= LINK_MAX_LEN)) {
        n = *r->name2 ? -ENAMETOOLONG : -ENOENT;
    }
    return make(r, f, n, work_symlink);
}

static int coroutine_fn do_mknod(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    uint32_t mode, major, minor;
    int n = 0;

    r->name = p9_name(r, &n);
    mode = p9_u32(r);
    major = p9_u32(r);
    minor = p9_u32(r);
    r->cred.gid = p9_u32(r);
    r->cred.mode = mode & 07777;
    r->flags = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
    r->number = makedev(major, minor);
    if (r->flags != S_IFREG && r->flags != S_IFCHR && r->flags != S_IFBLK && r->flags != S_IFIFO &&
        r->flags != S_IFSOCK) {
        n = -EINVAL;
    }
    return make(r, f, n, work_mknod);
}

static int coroutine_fn do_mkdir(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    int n = 0;

    r->name = p9_name(r, &n);
    r->cred.mode = p9_u32(r) & 07777;
    r->cred.gid = p9_u32(r);
    r->flags = S_IFDIR;
    return make(r, f, n, work_mknod);
}

static int work_link(P9Req *r)
{
    return drv(r)->link(r->fid2->node, r->fid->node, r->name);
}

static int coroutine_fn do_link(P9Req *r)
{
    P9Fid *dir = p9_fid(r), *f = p9_fid(r);
    int n = 0, m;

    r->name = p9_name(r, &n);
    m = check_change(r, both(dir, f));
    return m < 0 ? m : n < 0 ? n : p9_work(r, work_link);
}

/* --- names that change --- */

static int work_rename(P9Req *r)
{
    char *name = NULL;
    int n = drv(r)->where(r->fid->node, &r->dir, &name);

    r->name2 = name;
    return n < 0 ? n : drv(r)->rename(r->dir, r->name2, r->fid2->node, r->name);
}

static int coroutine_fn do_rename(P9Req *r)
{
    P9Fid *f = p9_fid(r), *dir = p9_fid(r);
    int n = 0, m;

    r->name = p9_name(r, &n);
    m = check_change(r, both(dir, f));
    return m < 0 ? m : n < 0 ? n : p9_work(r, work_rename);
}

static int work_renameat(P9Req *r)
{
    return drv(r)->rename(r->fid->node, r->name, r->fid2->node, r->name2);
}

static int coroutine_fn do_renameat(P9Req *r)
{
    P9Fid *from, *to;
    int n = 0, m;

    from = p9_fid(r);
    r->name = p9_name(r, &n);
    to = p9_fid(r);
    r->name2 = p9_name(r, &n);
    m = check_change(r, both(from, to));
    return m < 0 ? m : n < 0 ? n : p9_work(r, work_renameat);
}

static int work_unlinkat(P9Req *r)
{
    return drv(r)->unlink(r->fid->node, r->name, r->flags);
}

static int coroutine_fn do_unlinkat(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    int n = 0, m;

    r->name = p9_name(r, &n);
    r->flags = p9_u32(r) & 0x200;               /* AT_REMOVEDIR */
    m = check_change(r, f);
    return m < 0 ? m : n < 0 ? n : p9_work(r, work_unlinkat);
}

/* --- attributes --- */

#define GETATTR_BASIC   0x7ffu

static void put_time(P9Req *r, const struct timespec *t)
{
    p9_put64(r, (uint64_t)t->tv_sec);
    p9_put64(r, (uint64_t)t->tv_nsec);
}

static int coroutine_fn do_getattr(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    const FsStat *st = &r->st;
    int n;

    p9_u64(r);                                  /* request_mask: all is told */
    n = check(r, f);
    n = n < 0 ? n : p9_work_hot(r, p9_work_stat);
    if (n < 0) {
        return n;
    }
    p9_put64(r, GETATTR_BASIC);
    p9_put_qid(r, st);
    p9_put32(r, st->mode);
    p9_put32(r, st->uid);
    p9_put32(r, st->gid);
    p9_put64(r, st->nlink);
    p9_put64(r, st->rdev);
    p9_put64(r, st->size);
    p9_put64(r, st->blksize);
    p9_put64(r, st->blocks);
    put_time(r, &st->atime);
    put_time(r, &st->mtime);
    put_time(r, &st->ctime);
    for (int i = 0; i < 4; i++) {
        p9_put64(r, 0);                         /* btime, gen, data_version */
    }
    return 0;
}

static int work_setattr(P9Req *r)
{
    return drv(r)->setattr(r->fid->node, &r->set);
}

static int coroutine_fn do_setattr(P9Req *r)
{
    enum { MODE = 1, UID = 2, GID = 4, SIZE = 8, ATIME = 16, MTIME = 32, ATIME_SET = 128, MTIME_SET = 256 };
    P9Fid *f = p9_fid(r);
    uint32_t valid = p9_u32(r);
    FsSetattr *a = &r->set;
    int n;

    a->mode = p9_u32(r);
    a->uid = p9_u32(r);
    a->gid = p9_u32(r);
    a->size = p9_u64(r);
    a->atime.tv_sec = (time_t)p9_u64(r);
    a->atime.tv_nsec = (long)p9_u64(r);
    a->mtime.tv_sec = (time_t)p9_u64(r);
    a->mtime.tv_nsec = (long)p9_u64(r);
    n = check_change(r, f);
    if (n < 0) {
        return n;
    }
    a->valid = (valid & MODE ? FS_SET_MODE : 0) | (valid & UID ? FS_SET_UID : 0) | (valid & GID ? FS_SET_GID : 0) |
               (valid & SIZE ? FS_SET_SIZE : 0) | (valid & ATIME ? FS_SET_ATIME : 0) |
               (valid & MTIME ? FS_SET_MTIME : 0);
    if (!(valid & ATIME_SET)) {
        a->atime = (struct timespec){ 0, UTIME_NOW };
    }
    if (!(valid & MTIME_SET)) {
        a->mtime = (struct timespec){ 0, UTIME_NOW };
    }
    if ((valid & SIZE && a->size > INT64_MAX) ||
        (valid & ATIME_SET && (uint64_t)a->atime.tv_nsec > 999999999) ||
        (valid & MTIME_SET && (uint64_t)a->mtime.tv_nsec > 999999999)) {
        return -EINVAL;
    }
    return p9_work(r, work_setattr);
}

static int work_readlink(P9Req *r)
{
    ssize_t n;

    if (!r->data) {
        r->data = g_malloc(LINK_MAX_LEN);
    }
    n = drv(r)->stat(r->fid->node, true, &r->st);
    if (n == 0) {
        n = S_ISLNK(r->st.mode) ? drv(r)->readlink(r->fid->node, (char *)r->data, LINK_MAX_LEN - 1) : -EINVAL;
    }
    if (n >= 0) {
        r->data[n] = 0;
    }
    return (int)MIN(n, 0);
}

static int coroutine_fn do_readlink(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    int n = check(r, f);

    n = n < 0 ? n : p9_work(r, work_readlink);
    if (n == 0) {
        p9_put_str(r, (const char *)r->data);
    }
    return n;
}

static int work_statfs(P9Req *r)
{
    return drv(r)->statfs(r->fid->node, &r->statfs);
}

static int coroutine_fn do_statfs(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    const struct statfs *st = &r->statfs;
    uint32_t fsid[2];
    int n = check(r, f);

    n = n < 0 ? n : p9_work(r, work_statfs);
    if (n < 0) {
        return n;
    }
    memcpy(fsid, &st->f_fsid, sizeof(fsid));
    p9_put32(r, 0x01021997);                    /* V9FS_MAGIC */
    p9_put32(r, (uint32_t)st->f_bsize);
    p9_put64(r, st->f_blocks);
    p9_put64(r, st->f_bfree);
    p9_put64(r, st->f_bavail);
    p9_put64(r, st->f_files);
    p9_put64(r, st->f_ffree);
    p9_put64(r, fsid[0] | (uint64_t)fsid[1] << 32);
    p9_put32(r, (uint32_t)MIN(st->f_namelen, 255));
    return 0;
}

/* --- directories --- */

/* As many entries as fit into @count bytes of the answer. */
static int work_readdir(P9Req *r)
{
    FsDirent e;
    int n;

    /* A second try goes on where the first one, which didn't wait, has come to. */
    while ((n = drv(r)->readdir(r->file, r->offset, r->nowait, &e)) > 0) {
        size_t len = strlen(e.name), need = P9_QID + 8 + 1 + 2 + len;
        uint8_t *at;

        if (r->ans->len - r->number + need > r->count) {
            break;
        }
        g_byte_array_set_size(r->ans, r->ans->len + (guint)need);
        at = r->ans->data + r->ans->len - need;
        at[0] = e.type == DT_DIR ? P9_QTDIR : e.type == DT_LNK ? P9_QTSYMLINK : 0;
        store_le32(at + 1, 0);
        store_le64(at + 5, e.path);
        store_le64(at + P9_QID, e.next);
        at[P9_QID + 8] = e.type;
        store_le16(at + P9_QID + 9, (uint16_t)len);
        memcpy(at + P9_QID + 11, e.name, len);
        r->offset = e.next;
    }
    /* What has been read is told first; the error comes again. */
    return n < 0 && ((n == -EAGAIN && r->nowait) || r->ans->len == r->number) ? n : 0;
}

static int coroutine_fn do_readdir(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    size_t room = MIN(r->io->in_bytes, r->p->msize);
    int n;

    r->offset = p9_u64(r);
    r->count = p9_u32(r);
    n = check(r, f);
    if (n < 0) {
        return n;
    }
    if (!f->file || room < P9_HEADER + 4 || r->offset > INT64_MAX) {
        return f->file ? -EINVAL : -EBADF;
    }
    r->count = (uint32_t)MIN(r->count, room - P9_HEADER - 4);
    r->file = f->file;
    p9_put32(r, 0);
    r->number = r->ans->len;
    n = p9_work_hot(r, work_readdir);
    if (n == 0) {
        store_le32(r->ans->data + r->number - 4, r->ans->len - (uint32_t)r->number);
    }
    return n;
}

static int work_fsync(P9Req *r)
{
    return drv(r)->fsync(r->file, r->flags);
}

static int coroutine_fn do_fsync(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    int n;

    /* Linux before 2.6.38 sent no datasync[4]. */
    r->flags = r->at < r->have ? p9_u32(r) : 0;
    n = check(r, f);
    if (n < 0) {
        return n;
    }
    r->file = f->file;
    return f->file ? p9_work(r, work_fsync) : -EBADF;
}

/* --- locks --- */

enum { LOCK_SUCCESS, LOCK_BLOCKED, LOCK_ERROR };
enum { TYPE_RDLCK, TYPE_WRLCK, TYPE_UNLCK };
#define LOCK_BLOCK          1       /* flags: the process would wait */
#define LOCK_PATIENCE_NS    NS_PER_SECOND
#define LOCK_BUSY           16      /* requests under way */

static int work_lock(P9Req *r)
{
    return drv(r)->lock(r->file, &r->lock, r->flags);
}

/* type[1] start[8] length[8] from the message; r->cred.mode keeps the type. */
static int take_range(P9Req *r, uint8_t type)
{
    r->lock = (struct flock){ .l_type = type == TYPE_RDLCK ? F_RDLCK : type == TYPE_WRLCK ? F_WRLCK : F_UNLCK,
                              .l_whence = SEEK_SET };
    r->offset = p9_u64(r);
    r->number = p9_u64(r);
    r->lock.l_start = (off_t)r->offset;
    r->lock.l_len = (off_t)r->number;
    return type > TYPE_UNLCK || r->offset > INT64_MAX || r->number > INT64_MAX ||
           r->offset + r->number > INT64_MAX ? -EINVAL : 0;
}

/*
 * Linux's client gives a lock to its next process before it tells us that the last one has given it up, and when it is answered
 * "blocked" it asks again after 30 seconds only. So a little patience saves much: as long as nobody wants the request flushed, and
 * enough others may be under way.
 */
static int coroutine_fn lock_patiently(P9Req *r)
{
    int64_t step = NS_PER_SECOND / 1000, waited = 0;
    int n = p9_work(r, work_lock);

    while ((n == -EAGAIN || n == -EACCES) && waited < LOCK_PATIENCE_NS && co_queue_empty(&r->flushers) &&
           r->p->n_requests <= LOCK_BUSY) {
        co_sleep_ns(CLOCK_RT, step);
        waited += step;
        step = MIN(2 * step, NS_PER_SECOND / 20);
        n = p9_work(r, work_lock);
    }
    return n;
}

static int coroutine_fn do_lock(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    uint8_t type = p9_u8(r);
    uint32_t flags = p9_u32(r);
    int n, bad;

    bad = take_range(r, type);
    p9_u32(r);
    g_free(p9_str(r));
    n = check(r, f);
    if (n < 0 || bad < 0) {
        return n < 0 ? n : bad;
    }
    r->file = f->file;
    r->flags = false;
    n = !f->file ? -EBADF : flags & LOCK_BLOCK ? lock_patiently(r) : p9_work(r, work_lock);
    if (n < 0 && n != -EAGAIN && n != -EACCES) {
        return n;
    }
    p9_put8(r, n == 0 ? LOCK_SUCCESS : LOCK_BLOCKED);
    return 0;
}

static int coroutine_fn do_getlock(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    uint8_t type = p9_u8(r);
    int n, bad = take_range(r, type);
    uint32_t proc = p9_u32(r);

    r->name = p9_str(r);
    n = check(r, f);
    if (n < 0 || bad < 0) {
        return n < 0 ? n : bad;
    }
    r->file = f->file;
    r->flags = true;
    n = f->file ? p9_work(r, work_lock) : -EBADF;
    if (n < 0) {
        return n;
    }
    p9_put8(r, r->lock.l_type == F_RDLCK ? TYPE_RDLCK : r->lock.l_type == F_WRLCK ? TYPE_WRLCK : TYPE_UNLCK);
    p9_put64(r, (uint64_t)r->lock.l_start);
    p9_put64(r, (uint64_t)r->lock.l_len);
    p9_put32(r, proc);
    p9_put_str(r, r->name);
    return 0;
}

/* --- extended attributes --- */

/* The value, or the list of names, into r->data. */
static int work_xattr(P9Req *r)
{
    bool list = !*r->name;
    ssize_t n = list ? drv(r)->xattr_list(r->fid->node, NULL, 0)
                     : drv(r)->xattr_get(r->fid->node, r->name, NULL, 0);

    if (n > P9_XATTR_MAX) {
        return -E2BIG;
    }
    if (n >= 0) {
        size_t room = (size_t)n;

        r->data = g_malloc(room + 1);
        n = !room ? 0 : list ? drv(r)->xattr_list(r->fid->node, (char *)r->data, room)
                             : drv(r)->xattr_get(r->fid->node, r->name, r->data, room);
    }
    r->number = (uint64_t)MAX(n, 0);
    return (int)MIN(n, 0);
}

static int coroutine_fn do_xattrwalk(P9Req *r)
{
    P9Fid *f = p9_fid(r), *new;
    uint32_t id = p9_u32(r);
    int n;

    r->name = p9_str(r);
    n = check(r, f);
    if (n < 0) {
        return n;
    }
    if (strlen(r->name) > 255 || !p9_fid_is_free(r->p, id)) {
        return -EINVAL;
    }
    n = p9_work(r, work_xattr);
    if (n < 0) {
        return n;
    }
    new = p9_fid_new(r->p, id, NULL, f->uid);
    if (!new) {
        return -EINVAL;
    }
    new->xattr = g_new0(P9Xattr, 1);
    new->xattr->size = r->number;
    new->xattr->data = r->data;
    r->data = NULL;
    p9_put64(r, new->xattr->size);
    return 0;
}

static int coroutine_fn do_xattrcreate(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    uint32_t flags;
    int n;

    r->name = p9_str(r);
    r->number = p9_u64(r);
    flags = p9_u32(r);
    n = check_change(r, f);
    if (n < 0) {
        return n;
    }
    if (f->file || f->xattr || !f->node) {
        return -EINVAL;
    }
    if (r->number > P9_XATTR_MAX || !*r->name || strlen(r->name) > 255 || flags > 2) {
        return r->number > P9_XATTR_MAX ? -ENOSPC : -EINVAL;
    }
    f->xattr = g_new0(P9Xattr, 1);
    f->xattr->name = g_steal_pointer(&r->name);
    f->xattr->size = r->number;
    f->xattr->flags = (int)flags;
    f->xattr->data = g_malloc0(r->number + 1);
    return 0;
}

P9Handler *p9_dotl_handler(uint8_t type)
{
    switch (type) {
    case P9_TSTATFS: return do_statfs;
    case P9_TLOPEN: return do_lopen;
    case P9_TLCREATE: return do_lcreate;
    case P9_TSYMLINK: return do_symlink;
    case P9_TMKNOD: return do_mknod;
    case P9_TRENAME: return do_rename;
    case P9_TREADLINK: return do_readlink;
    case P9_TGETATTR: return do_getattr;
    case P9_TSETATTR: return do_setattr;
    case P9_TXATTRWALK: return do_xattrwalk;
    case P9_TXATTRCREATE: return do_xattrcreate;
    case P9_TREADDIR: return do_readdir;
    case P9_TFSYNC: return do_fsync;
    case P9_TLOCK: return do_lock;
    case P9_TGETLOCK: return do_getlock;
    case P9_TLINK: return do_link;
    case P9_TMKDIR: return do_mkdir;
    case P9_TRENAMEAT: return do_renameat;
    case P9_TUNLINKAT: return do_unlinkat;
    default: return NULL;
    }
}
