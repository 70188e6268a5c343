/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The synth driver: a small file system in memory, for tests, where nothing of the host is touched. It begins with
 * "hello" (a file) and "dir"; it holds SYNTH_NODES objects and SYNTH_BYTES bytes at most, and is gone with the emulator.
 */
#include "util/osdep.h"
#include "fsdev/fsdev.h"

#include <dirent.h>
#include <glib.h>
#include <sys/xattr.h>
#include <time.h>
#include "util/iov.h"
#include "util/thread.h"

#define SYNTH_NODES     4096u
#define SYNTH_BYTES     (4 * MIB)

typedef struct SynthNode SynthNode;
typedef struct Synth {
    FsDev fs;
    Mutex lock;                 /* of all that follows, and of the nodes */
    SynthNode *root;
    unsigned n_nodes;
    uint64_t bytes, next_path;
} Synth;

struct SynthNode {
    FsNode node;
    unsigned ref;               /* its directory's one too */
    SynthNode *dir;             /* borrowed; NULL: the root, or unlinked */
    GHashTable *children;       /* name -> SynthNode, a reference; directories */
    GByteArray *data;           /* files; where a link leads */
    char *name;
    FsStat st;
};

typedef struct SynthFile {
    FsFile file;
    SynthNode *n;
    int flags;
    GPtrArray *names;           /* of a directory, when reading began */
} SynthFile;

static Synth *synth_of(const FsNode *n) { return (Synth *)n->fs; }
static SynthNode *as_node(FsNode *n) { return (SynthNode *)n; }

/* --- nodes; under the lock --- */

static void now(struct timespec *t)
{
    clock_gettime(CLOCK_REALTIME, t);
}

static SynthNode *node_new(Synth *s, SynthNode *dir, const char *name, uint32_t mode, const FsCred *cred)
{
    SynthNode *n;

    if (s->n_nodes >= SYNTH_NODES) {
        return NULL;
    }
    n = g_new0(SynthNode, 1);
    s->n_nodes++;
    n->node.fs = &s->fs;
    n->ref = 1;
    n->dir = dir;
    n->name = g_strdup(name);
    n->st = (FsStat){ .path = ++s->next_path, .nlink = 1, .mode = mode, .uid = cred->uid, .gid = cred->gid,
                      .blksize = 4096 };
    now(&n->st.mtime);
    n->st.atime = n->st.ctime = n->st.mtime;
    if (S_ISDIR(mode)) {
        n->children = g_hash_table_new(g_str_hash, g_str_equal);
    } else {
        n->data = g_byte_array_new();
    }
    if (dir) {
        g_hash_table_insert(dir->children, n->name, n);
    }
    return n;
}

static void unref(SynthNode *n)
{
    Synth *s = synth_of(&n->node);

    if (--n->ref) {
        return;
    }
    s->n_nodes--;
    if (n->children) {
        g_hash_table_destroy(n->children);
    } else {
        s->bytes -= n->data->len;
        g_byte_array_unref(n->data);
    }
    g_free(n->name);
    g_free(n);
}

static void detach(SynthNode *n)
{
    g_hash_table_remove(n->dir->children, n->name);
    n->dir = NULL;
    n->st.nlink = 0;
    unref(n);
}

static int resize(SynthNode *n, uint64_t size)
{
    Synth *s = synth_of(&n->node);
    guint old = n->data->len;

    if (size > SYNTH_BYTES || s->bytes - old + size > SYNTH_BYTES) {
        return -ENOSPC;
    }
    g_byte_array_set_size(n->data, (guint)size);
    if (size > old) {
        memset(n->data->data + old, 0, size - old);
    }
    s->bytes += size - old;
    now(&n->st.mtime);
    return 0;
}

static int find(FsNode *dir, const char *name, SynthNode **out)
{
    SynthNode *d = as_node(dir);

    *out = d->children ? g_hash_table_lookup(d->children, name) : NULL;
    return !d->children ? -ENOTDIR : *out ? 0 : -ENOENT;
}

/* --- the driver --- */

static int do_root(FsDev *fs, FsNode **out)
{
    Synth *s = (Synth *)fs;

    MUTEX_GUARD(&s->lock);
    s->root->ref++;
    *out = &s->root->node;
    return 0;
}

static FsNode *do_node_ref(FsNode *n)
{
    MUTEX_GUARD(&synth_of(n)->lock);
    as_node(n)->ref++;
    return n;
}

static void do_node_unref(FsNode *n)
{
    MUTEX_GUARD(&synth_of(n)->lock);
    unref(as_node(n));
}

static int do_lookup(FsNode *dir, const char *name, UNUSED bool nowait, FsNode **out)
{
    SynthNode *n;
    int r;

    MUTEX_GUARD(&synth_of(dir)->lock);
    r = find(dir, name, &n);
    if (r == 0) {
        n->ref++;
        *out = &n->node;
    }
    return r;
}

static int do_stat(FsNode *node, UNUSED bool brief, FsStat *st)
{
    SynthNode *n = as_node(node);

    MUTEX_GUARD(&synth_of(node)->lock);
    *st = n->st;
    st->size = n->data ? n->data->len : 0;
    st->blocks = DIV_ROUND_UP(st->size, 512);
    return 0;
}

static int do_setattr(FsNode *node, const FsSetattr *a)
{
    SynthNode *n = as_node(node);
    int r = 0;

    MUTEX_GUARD(&synth_of(node)->lock);
    if (a->valid & FS_SET_SIZE) {
        r = S_ISREG(n->st.mode) ? resize(n, a->size) : -EINVAL;
    }
    if (r < 0) {
        return r;
    }
    if (a->valid & FS_SET_MODE) {
        n->st.mode = (n->st.mode & S_IFMT) | (a->mode & 07777);
    }
    n->st.uid = a->valid & FS_SET_UID ? a->uid : n->st.uid;
    n->st.gid = a->valid & FS_SET_GID ? a->gid : n->st.gid;
    if (a->valid & FS_SET_ATIME) {
        n->st.atime = a->atime;
    }
    if (a->valid & FS_SET_MTIME) {
        n->st.mtime = a->mtime;
    }
    if (n->st.atime.tv_nsec == UTIME_NOW) {
        now(&n->st.atime);
    }
    if (n->st.mtime.tv_nsec == UTIME_NOW) {
        now(&n->st.mtime);
    }
    now(&n->st.ctime);
    return 0;
}

static ssize_t do_readlink(FsNode *node, char *buf, size_t room)
{
    SynthNode *n = as_node(node);
    size_t len;

    MUTEX_GUARD(&synth_of(node)->lock);
    if (!S_ISLNK(n->st.mode)) {
        return -EINVAL;
    }
    len = MIN(room, n->data->len);
    memcpy(buf, n->data->data, len);
    return (ssize_t)len;
}

static int do_statfs(FsNode *node, struct statfs *st)
{
    Synth *s = synth_of(node);

    MUTEX_GUARD(&s->lock);
    *st = (struct statfs){ .f_bsize = 4096, .f_blocks = SYNTH_BYTES / 4096, .f_files = SYNTH_NODES, .f_namelen = 255,
                           .f_ffree = SYNTH_NODES - s->n_nodes, .f_bfree = (SYNTH_BYTES - s->bytes) / 4096 };
    st->f_bavail = st->f_bfree;
    return 0;
}

static int do_mknod(FsNode *dir, const char *name, uint32_t type, uint64_t rdev, const FsCred *cred, FsNode **out)
{
    Synth *s = synth_of(dir);
    SynthNode *n;
    int r;

    MUTEX_GUARD(&s->lock);
    r = find(dir, name, &n);
    if (r != -ENOENT) {
        return r < 0 ? r : -EEXIST;
    }
    n = as_node(dir)->dir || as_node(dir) == s->root
        ? node_new(s, as_node(dir), name, type | (cred->mode & 07777), cred) : NULL;
    if (!n) {
        return -ENOSPC;
    }
    n->st.rdev = rdev;
    n->ref++;
    *out = &n->node;
    return 0;
}

static int do_symlink(FsNode *dir, const char *name, const char *target, const FsCred *cred, FsNode **out)
{
    FsCred c = { cred->uid, cred->gid, 0777 };
    int r = do_mknod(dir, name, S_IFLNK, 0, &c, out);

    if (r == 0) {
        MUTEX_GUARD(&synth_of(dir)->lock);
        r = resize(as_node(*out), strlen(target));
        if (r == 0) {
            memcpy(as_node(*out)->data->data, target, strlen(target));
        } else {
            detach(as_node(*out));
            unref(as_node(*out));
            *out = NULL;
        }
    }
    return r;
}

/* One name an object. */
static int do_link(UNUSED FsNode *n, UNUSED FsNode *dir, UNUSED const char *name)
{
    return -EOPNOTSUPP;
}

static bool is_inside(const SynthNode *n, const SynthNode *of)
{
    while (n && n != of) {
        n = n->dir;
    }
    return n;
}

static int do_rename(FsNode *dir, const char *name, FsNode *to, const char *new_name)
{
    SynthNode *n, *old;
    int r;

    MUTEX_GUARD(&synth_of(dir)->lock);
    r = find(dir, name, &n);
    if (r < 0) {
        return r;
    }
    r = find(to, new_name, &old);
    if (r < 0 && r != -ENOENT) {
        return r;
    }
    if (old == n || is_inside(as_node(to), n) || !is_inside(as_node(to), synth_of(dir)->root)) {
        return old == n ? 0 : -EINVAL;
    }
    if (old && old->children && (!n->children || g_hash_table_size(old->children))) {
        return n->children ? -ENOTEMPTY : -EISDIR;
    }
    if (old && n->children && !old->children) {
        return -ENOTDIR;
    }
    if (old) {
        detach(old);
    }
    g_hash_table_remove(n->dir->children, n->name);
    g_free(n->name);
    n->name = g_strdup(new_name);
    n->dir = as_node(to);
    g_hash_table_insert(n->dir->children, n->name, n);
    return 0;
}

static int do_unlink(FsNode *dir, const char *name, bool directory)
{
    SynthNode *n;
    int r;

    MUTEX_GUARD(&synth_of(dir)->lock);
    r = find(dir, name, &n);
    if (r < 0) {
        return r;
    }
    if (directory != (n->children != NULL)) {
        return directory ? -ENOTDIR : -EISDIR;
    }
    if (n->children && g_hash_table_size(n->children)) {
        return -ENOTEMPTY;
    }
    detach(n);
    return 0;
}

static int do_where(FsNode *node, FsNode **dir, char **name)
{
    SynthNode *n = as_node(node);

    MUTEX_GUARD(&synth_of(node)->lock);
    if (!n->dir) {
        return n == synth_of(node)->root ? -EBUSY : -ENOENT;
    }
    n->dir->ref++;
    *dir = &n->dir->node;
    *name = g_strdup(n->name);
    return 0;
}

static ssize_t do_xattr_get(UNUSED FsNode *n, UNUSED const char *name, UNUSED void *buf, UNUSED size_t room)
{
    return -EOPNOTSUPP;
}

static ssize_t do_xattr_list(UNUSED FsNode *n, UNUSED char *buf, UNUSED size_t room)
{
    return -EOPNOTSUPP;
}

static int do_xattr_set(UNUSED FsNode *n, UNUSED const char *name, UNUSED const void *v, UNUSED size_t len,
                        UNUSED int flags)
{
    return -EOPNOTSUPP;
}

static int do_xattr_remove(UNUSED FsNode *n, UNUSED const char *name)
{
    return -EOPNOTSUPP;
}

/* --- files --- */

static int do_open_node(FsNode *node, int flags, FsFile **out)
{
    SynthNode *n = as_node(node);
    bool write = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
    SynthFile *f;

    MUTEX_GUARD(&synth_of(node)->lock);
    if (!S_ISREG(n->st.mode) && !S_ISDIR(n->st.mode)) {
        return -ENXIO;
    }
    if ((n->children && write) || (!n->children && flags & O_DIRECTORY)) {
        return n->children ? -EISDIR : -ENOTDIR;
    }
    if (flags & O_TRUNC) {
        resize(n, 0);
    }
    f = g_new0(SynthFile, 1);
    f->file.fs = node->fs;
    f->n = n;
    f->flags = flags;
    n->ref++;
    *out = &f->file;
    return 0;
}

static int do_create(FsNode *dir, const char *name, int flags, const FsCred *cred, FsNode **node, FsFile **file)
{
    int r = flags & O_EXCL ? -ENOENT : do_lookup(dir, name, false, node);

    if (r == -ENOENT) {
        r = do_mknod(dir, name, S_IFREG, 0, cred, node);
    }
    if (r == 0) {
        r = do_open_node(*node, flags, file);
        if (r < 0) {
            do_node_unref(*node);
            *node = NULL;
        }
    }
    return r;
}

static void do_file_close(FsFile *file)
{
    SynthFile *f = (SynthFile *)file;

    if (f->names) {
        g_ptr_array_unref(f->names);
    }
    do_node_unref(&f->n->node);
    g_free(f);
}

static ssize_t do_read(FsFile *file, const struct iovec *iov, int n, uint64_t offset, UNUSED bool nowait)
{
    SynthFile *f = (SynthFile *)file;
    GByteArray *d = f->n->data;

    MUTEX_GUARD(&((Synth *)file->fs)->lock);
    if (!d || (f->flags & O_ACCMODE) == O_WRONLY) {
        return d ? -EBADF : -EISDIR;
    }
    return offset < d->len ? (ssize_t)iov_from_buf(iov, (size_t)n, 0, d->data + offset, d->len - offset) : 0;
}

static ssize_t do_write(FsFile *file, const struct iovec *iov, int n, uint64_t offset)
{
    SynthFile *f = (SynthFile *)file;
    size_t len = iov_size(iov, (size_t)n);
    int r;

    MUTEX_GUARD(&((Synth *)file->fs)->lock);
    if (!f->n->data || (f->flags & O_ACCMODE) == O_RDONLY) {
        return -EBADF;
    }
    if (offset > SYNTH_BYTES || len > SYNTH_BYTES) {
        return -ENOSPC;
    }
    r = offset + len > f->n->data->len ? resize(f->n, offset + len) : 0;
    return r < 0 ? r : (ssize_t)iov_to_buf(iov, (size_t)n, 0, f->n->data->data + offset, len);
}

static int do_fsync(UNUSED FsFile *file, UNUSED bool data_only)
{
    return 0;
}

/* The names as they were at the start; those that have gone are left out. */
static int do_readdir(FsFile *file, uint64_t offset, UNUSED bool nowait, FsDirent *e)
{
    SynthFile *f = (SynthFile *)file;
    GHashTableIter i;
    gpointer name;

    MUTEX_GUARD(&((Synth *)file->fs)->lock);
    if (!f->n->children) {
        return -ENOTDIR;
    }
    if (!f->names || offset == 0) {
        if (f->names) {
            g_ptr_array_unref(f->names);
        }
        f->names = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_iter_init(&i, f->n->children);
        while (g_hash_table_iter_next(&i, &name, NULL)) {
            g_ptr_array_add(f->names, g_strdup(name));
        }
    }
    for (; offset < f->names->len; offset++) {
        SynthNode *n = g_hash_table_lookup(f->n->children, f->names->pdata[offset]);

        if (n) {
            e->path = n->st.path;
            e->next = offset + 1;
            e->type = (uint8_t)IFTODT(n->st.mode);
            g_strlcpy(e->name, n->name, sizeof(e->name));
            return 1;
        }
    }
    return 0;
}

static int do_lock(UNUSED FsFile *f, struct flock *l, bool test)
{
    if (test) {
        l->l_type = F_UNLCK;
    }
    return 0;
}

static bool do_open(FsDev *fs, UNUSED const QDict *opts, UNUSED Error **errp)
{
    static const FsCred cred = { 0, 0, 0 };
    Synth *s = (Synth *)fs;
    SynthNode *hello;

    mutex_init(&s->lock);
    fs->hot = true;
    s->root = node_new(s, NULL, "/", S_IFDIR | 0777, &cred);
    hello = node_new(s, s->root, "hello", S_IFREG | 0644, &cred);
    node_new(s, s->root, "dir", S_IFDIR | 0755, &cred);
    resize(hello, 6);
    memcpy(hello->data->data, "hello\n", 6);
    return true;
}

static void drop_tree(SynthNode *n)
{
    GHashTableIter i;
    gpointer child;

    if (n->children) {
        g_hash_table_iter_init(&i, n->children);
        while (g_hash_table_iter_next(&i, NULL, &child)) {
            g_hash_table_iter_remove(&i);
            drop_tree(child);
        }
    }
    unref(n);
}

static void do_close(FsDev *fs)
{
    Synth *s = (Synth *)fs;

    drop_tree(s->root);
    mutex_destroy(&s->lock);
}

static const char *const options[] = { NULL };
static const FsDriver synth_driver = {
    .name = "synth", .options = options, .size = sizeof(Synth), .open = do_open, .close = do_close,
    .root = do_root, .lookup = do_lookup, .node_ref = do_node_ref, .node_unref = do_node_unref, .stat = do_stat,
    .setattr = do_setattr, .readlink = do_readlink, .statfs = do_statfs, .mknod = do_mknod, .symlink = do_symlink,
    .link = do_link, .rename = do_rename, .unlink = do_unlink, .where = do_where, .xattr_get = do_xattr_get,
    .xattr_list = do_xattr_list, .xattr_set = do_xattr_set, .xattr_remove = do_xattr_remove,
    .open_node = do_open_node, .create = do_create, .file_close = do_file_close, .read = do_read,
    .write = do_write, .fsync = do_fsync, .readdir = do_readdir, .lock = do_lock,
};
FS_DRIVER(synth_driver)
