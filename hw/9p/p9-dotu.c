/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 9P2000.u: the messages of 9P2000 with Unix's additions. */
#include "util/osdep.h"
#include "hw/9p/p9-int.h"

#include <sys/sysmacros.h>
#include "util/bswap.h"
#include "util/iov.h"

#define NONE32      UINT32_MAX
/* Modes ("intro", "stat"; 9P2000.u). */
#define DMDIR       0x80000000u
#define DMSYMLINK   0x02000000u
#define DMLINK      0x01000000u
#define DMDEVICE    0x00800000u
#define DMNAMEDPIPE 0x00200000u
#define DMSOCKET    0x00100000u
#define DMSETUID    0x00080000u
#define DMSETGID    0x00040000u
#define DMSETVTX    0x00010000u
enum { OREAD = 0, OWRITE = 1, ORDWR = 2, OEXEC = 3, OTRUNC = 0x10, ORCLOSE = 0x40 };

static const FsDriver *drv(const P9Req *r)
{
    return r->p->fs->drv;
}

static int check(const P9Req *r, const P9Fid *f)
{
    return r->bad ? -EINVAL : !f || !f->node ? -EBADF : 0;
}

static uint32_t mode_to_dm(uint32_t mode)
{
    uint32_t m = mode & 0777;

    m |= S_ISDIR(mode) ? DMDIR : S_ISLNK(mode) ? DMSYMLINK : S_ISFIFO(mode) ? DMNAMEDPIPE :
         S_ISSOCK(mode) ? DMSOCKET : S_ISCHR(mode) || S_ISBLK(mode) ? DMDEVICE : 0;
    m |= (mode & S_ISUID ? DMSETUID : 0) | (mode & S_ISGID ? DMSETGID : 0) | (mode & S_ISVTX ? DMSETVTX : 0);
    return m;
}

static uint32_t dm_to_perm(uint32_t dm)
{
    return (dm & 0777) | (dm & DMSETUID ? S_ISUID : 0) | (dm & DMSETGID ? S_ISGID : 0) |
           (dm & DMSETVTX ? S_ISVTX : 0);
}

/* --- stat --- */

static void bytes16(GByteArray *a, uint16_t v)
{
    uint8_t raw[2];

    store_le16(raw, v);
    g_byte_array_append(a, raw, 2);
}

static void bytes32(GByteArray *a, uint32_t v)
{
    uint8_t raw[4];

    store_le32(raw, v);
    g_byte_array_append(a, raw, 4);
}

static void bytes64(GByteArray *a, uint64_t v)
{
    bytes32(a, (uint32_t)v);
    bytes32(a, (uint32_t)(v >> 32));
}

static void bytes_str(GByteArray *a, const char *s)
{
    size_t len = MIN(strlen(s), UINT16_MAX);

    bytes16(a, (uint16_t)len);
    g_byte_array_append(a, (const uint8_t *)s, (guint)len);
}

/* size[2] type[2] dev[4] qid[13] mode[4] atime[4] mtime[4] length[8] name[s] uid[s] gid[s] muid[s] extension[s]
 * n_uid[4] n_gid[4] n_muid[4] */
static void put_stat(GByteArray *a, const FsStat *st, const char *name, const char *extension)
{
    guint start = a->len;
    uint8_t type = S_ISDIR(st->mode) ? P9_QTDIR : S_ISLNK(st->mode) ? P9_QTSYMLINK : 0;
    char device[40];

    if (S_ISCHR(st->mode) || S_ISBLK(st->mode)) {
        snprintf(device, sizeof(device), "%c %u %u", S_ISCHR(st->mode) ? 'c' : 'b', major(st->rdev),
                 minor(st->rdev));
        extension = device;
    } else if (S_ISREG(st->mode) && st->nlink > 1) {
        /* As Linux's client reads it. */
        snprintf(device, sizeof(device), "HARDLINKCOUNT %u", (unsigned)st->nlink);
        extension = device;
    }
    bytes16(a, 0);
    bytes16(a, 0);
    bytes32(a, 0);
    g_byte_array_append(a, &type, 1);
    bytes32(a, (uint32_t)st->mtime.tv_sec ^ (uint32_t)st->mtime.tv_nsec ^ (uint32_t)(st->size << 8));
    bytes64(a, st->path);
    bytes32(a, mode_to_dm(st->mode));
    bytes32(a, (uint32_t)st->atime.tv_sec);
    bytes32(a, (uint32_t)st->mtime.tv_sec);
    bytes64(a, S_ISDIR(st->mode) ? 0 : st->size);
    bytes_str(a, name);
    bytes_str(a, "");
    bytes_str(a, "");
    bytes_str(a, "");
    bytes_str(a, extension);
    bytes32(a, st->uid);
    bytes32(a, st->gid);
    bytes32(a, NONE32);
    store_le16(a->data + start, (uint16_t)(a->len - start - 2));
}

/* Attributes, name and where a link leads. */
static int work_full_stat(P9Req *r)
{
    FsNode *n = r->fid->node;
    char *name = NULL;
    int e = drv(r)->stat(n, false, &r->st);
    ssize_t len = 0;

    if (e < 0) {
        return e;
    }
    if (drv(r)->where(n, &r->dir, &name) < 0) {
        name = g_strdup("/");
    }
    r->name = name;
    r->name2 = g_malloc0(4096);
    if (S_ISLNK(r->st.mode)) {
        len = drv(r)->readlink(n, r->name2, 4095);
    }
    return len < 0 ? (int)len : 0;
}

static int coroutine_fn do_stat(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    g_autoptr(GByteArray) a = g_byte_array_new();
    int n = check(r, f);

    n = n < 0 ? n : p9_work(r, work_full_stat);
    if (n == 0) {
        put_stat(a, &r->st, r->name, r->name2);
        p9_put16(r, (uint16_t)a->len);
        g_byte_array_append(r->ans, a->data, a->len);
    }
    return n;
}

static int work_wstat(P9Req *r)
{
    char *now = NULL;
    int n = r->set.valid ? drv(r)->setattr(r->fid->node, &r->set) : 0;

    if (n == 0 && r->name && *r->name) {
        n = drv(r)->where(r->fid->node, &r->dir, &now);
        r->name2 = now;
        n = n < 0 ? n : drv(r)->rename(r->dir, r->name2, r->dir, r->name);
    }
    return n;
}

/* Values of all ones, and empty names, are left as they are. */
static int coroutine_fn do_wstat(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    FsSetattr *a = &r->set;
    uint32_t mode, atime, mtime;
    int n;

    p9_u16(r);                                  /* of the whole, and size[2] type[2] dev[4] */
    p9_u16(r);
    p9_u16(r);
    p9_u32(r);
    p9_u8(r);
    p9_u32(r);
    p9_u64(r);
    mode = p9_u32(r);
    atime = p9_u32(r);
    mtime = p9_u32(r);
    a->size = p9_u64(r);
    r->name = p9_str(r);
    for (int i = 0; i < 4; i++) {
        g_free(p9_str(r));
    }
    a->uid = p9_u32(r);
    a->gid = p9_u32(r);
    p9_u32(r);
    n = check(r, f);
    if (n < 0 || p9_readonly(r)) {
        return n < 0 ? n : -EROFS;
    }
    if (*r->name && !fs_name_is_good(r->name, strlen(r->name))) {
        return -EINVAL;
    }
    a->mode = dm_to_perm(mode);
    a->atime.tv_sec = atime;
    a->mtime.tv_sec = mtime;
    a->valid = (mode != NONE32 ? FS_SET_MODE : 0) | (atime != NONE32 ? FS_SET_ATIME : 0) |
               (mtime != NONE32 ? FS_SET_MTIME : 0) | (a->size != UINT64_MAX ? FS_SET_SIZE : 0) |
               (a->uid != NONE32 ? FS_SET_UID : 0) | (a->gid != NONE32 ? FS_SET_GID : 0);
    if (a->valid & FS_SET_SIZE && a->size > INT64_MAX) {
        return -EINVAL;
    }
    return p9_work(r, work_wstat);
}

/* --- opening --- */

static int open_flags(uint8_t mode)
{
    int r = (mode & 3) == OWRITE ? O_WRONLY : (mode & 3) == ORDWR ? O_RDWR : O_RDONLY;

    return r | (mode & OTRUNC ? O_TRUNC : 0);
}

static int give_file(P9Req *r, P9Fid *f, uint8_t mode)
{
    FsFile *file = r->file;

    r->file = NULL;
    if (f->file || f->xattr) {
        drv(r)->file_close(file);
        return -EBUSY;
    }
    f->file = file;
    f->remove_on_clunk = mode & ORCLOSE;
    f->dir_at = f->dir_next = 0;
    p9_put_qid(r, &r->st);
    p9_put32(r, 0);
    return 0;
}

static int coroutine_fn do_open(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    uint8_t mode = p9_u8(r);
    int n = check(r, f);

    if (n < 0 || f->file || f->xattr) {
        return n < 0 ? n : -EBUSY;
    }
    if (p9_readonly(r) && ((mode & 3) == OWRITE || (mode & 3) == ORDWR || mode & (OTRUNC | ORCLOSE))) {
        return -EROFS;
    }
    r->flags = (uint32_t)open_flags(mode);
    n = p9_work(r, p9_work_open);
    return n < 0 ? n : give_file(r, f, mode);
}

static int work_create(P9Req *r)
{
    uint32_t type = r->count;
    int n;

    switch (type) {
    case S_IFREG:
        n = drv(r)->create(r->fid->node, r->name, (int)r->flags | O_EXCL, &r->cred, &r->node, &r->file);
        break;
    case S_IFLNK:
        n = drv(r)->symlink(r->fid->node, r->name, r->name2, &r->cred, &r->node);
        break;
    case 0:                                     /* a hard link: extension is a fid's number */
        n = drv(r)->link(r->fid2->node, r->fid->node, r->name);
        n = n < 0 ? n : drv(r)->lookup(r->fid->node, r->name, false, &r->node);
        break;
    default:
        n = drv(r)->mknod(r->fid->node, r->name, type, r->number, &r->cred, &r->node);
        break;
    }
    if (n == 0 && type == S_IFDIR) {
        n = drv(r)->open_node(r->node, O_RDONLY, &r->file);
    }
    return n < 0 ? n : drv(r)->stat(r->node, true, &r->st);
}

/* What "perm" and "extension" ask for: S_IFMT, 0 for a hard link; negative: errno. */
static int create_type(P9Req *r, uint32_t perm)
{
    const char *x = r->name2;
    unsigned maj, min;
    char c;

    if (perm & DMLINK) {
        P9Fid *f = g_hash_table_lookup(r->p->fids, GUINT_TO_POINTER((guint)strtoul(x, NULL, 10)));

        if (!f || !f->node) {
            return -EBADF;
        }
        f->ref++;
        r->fid2 = f;
        return 0;
    }
    if (perm & DMDEVICE) {
        if (sscanf(x, "%c %u %u", &c, &maj, &min) != 3 || (c != 'c' && c != 'b')) {
            return -EINVAL;
        }
        r->number = makedev(maj, min);
        return c == 'c' ? S_IFCHR : S_IFBLK;
    }
    if (perm & DMSYMLINK && (!*x || strlen(x) >= 4096)) {
        return -EINVAL;
    }
    return perm & DMDIR ? S_IFDIR : perm & DMSYMLINK ? S_IFLNK : perm & DMNAMEDPIPE ? S_IFIFO :
           perm & DMSOCKET ? S_IFSOCK : S_IFREG;
}

static int coroutine_fn do_create(P9Req *r)
{
    P9Fid *f = p9_fid(r);
    uint32_t perm;
    uint8_t mode;
    FsNode *old;
    int n = 0, m, type;

    r->name = p9_name(r, &n);
    perm = p9_u32(r);
    mode = p9_u8(r);
    r->name2 = p9_str(r);
    m = check(r, f);
    if (m < 0 || n < 0) {
        return m < 0 ? m : n;
    }
    if (p9_readonly(r) || f->file || f->xattr) {
        return p9_readonly(r) ? -EROFS : -EBUSY;
    }
    type = create_type(r, perm);
    if (type < 0) {
        return type;
    }
    r->count = (uint32_t)type;
    r->flags = (uint32_t)open_flags(mode);
    r->cred = (FsCred){ .uid = f->uid, .gid = f->uid, .mode = dm_to_perm(perm) };
    n = p9_work(r, work_create);
    if (n < 0) {
        if (r->file) {
            drv(r)->file_close(r->file);
        }
        return n;
    }
    if (r->file) {
        n = give_file(r, f, mode);
    } else {
        p9_put_qid(r, &r->st);
        p9_put32(r, 0);
    }
    if (n == 0) {
        old = f->node;
        f->node = r->node;
        r->node = old;
    }
    return n;
}

/* --- reading a directory: stats, one after the other, whole ones only --- */

static int work_read_dir(P9Req *r)
{
    P9Fid *f = r->fid;
    g_autoptr(GByteArray) a = g_byte_array_new();
    uint64_t next = f->dir_next;
    FsDirent e;
    int n;

    while ((n = drv(r)->readdir(r->file, next, false, &e)) > 0) {
        FsNode *node = NULL;
        FsStat st;
        char link[4096] = "";
        guint before = a->len;

        /* What has just gone is left out; "." and ".." aren't told. */
        if (fs_name_is_good(e.name, strlen(e.name)) && drv(r)->lookup(f->node, e.name, false, &node) == 0) {
            if (drv(r)->stat(node, false, &st) == 0) {
                if (S_ISLNK(st.mode)) {
                    ssize_t len = drv(r)->readlink(node, link, sizeof(link) - 1);

                    link[MAX(len, 0)] = 0;
                }
                put_stat(a, &st, e.name, link);
            }
            drv(r)->node_unref(node);
        }
        if (a->len > r->count) {
            g_byte_array_set_size(a, before);
            break;
        }
        next = e.next;
    }
    r->data = g_memdup2(a->data, a->len);
    r->number = a->len;
    r->offset = next;
    return MIN(n, 0);
}

static int coroutine_fn do_read(P9Req *r)
{
    P9Handler *plain = p9_common_handler(P9_TREAD);
    uint32_t at = r->at;
    P9Fid *f = g_hash_table_lookup(r->p->fids, GUINT_TO_POINTER(p9_u32(r)));
    int n;

    r->at = at;
    r->st.mode = 0;
    if (!f || !f->file || !f->node || f->xattr) {
        return plain(r);
    }
    f = p9_fid(r);
    r->offset = p9_u64(r);
    r->count = p9_u32(r);
    if (r->bad) {
        return -EINVAL;
    }
    n = p9_work(r, p9_work_stat);
    if (n < 0) {
        return n;
    }
    if (!S_ISDIR(r->st.mode)) {
        r->at = at;
        p9_fid_unref(r->fid);
        r->fid = NULL;
        return plain(r);
    }
    if (r->offset == 0) {
        f->dir_at = f->dir_next = 0;
    } else if (r->offset != f->dir_at) {
        return -EINVAL;                         /* "seeking in a directory is illegal" */
    }
    r->count = (uint32_t)MIN(r->count, MIN(r->io->in_bytes, r->p->msize) - MIN(r->io->in_bytes, P9_HEADER + 4));
    r->file = f->file;
    n = p9_work(r, work_read_dir);
    if (n == 0) {
        f->dir_at += r->number;
        f->dir_next = r->offset;
        p9_put32(r, (uint32_t)r->number);
        if (r->number) {
            g_byte_array_append(r->ans, r->data, (guint)r->number);
        }
    }
    return n;
}

P9Handler *p9_dotu_handler(uint8_t type)
{
    switch (type) {
    case P9_TOPEN: return do_open;
    case P9_TCREATE: return do_create;
    case P9_TREAD: return do_read;
    case P9_TSTAT: return do_stat;
    case P9_TWSTAT: return do_wstat;
    default: return NULL;
    }
}
