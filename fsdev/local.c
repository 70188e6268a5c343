/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "fsdev/local.h"

#include <sys/xattr.h>
#include <unistd.h>

/* --- where a node is, for the files of mapped-file --- */

typedef struct Place {
    LocalNode *dir;             /* NULL: the root; pinned, a reference */
    char *name;
    int dir_fd;
} Place;

static int place_find(LocalNode *n, int fd, Place *p)
{
    *p = (Place){ .dir_fd = fd };
    if (local_of(&n->node)->model != FS_MAPPED_FILE || !local_where(n, &p->dir, &p->name)) {
        return 0;
    }
    p->dir_fd = local_pin(p->dir);
    if (p->dir_fd < 0) {
        local_unref(p->dir);
        g_free(p->name);
        return p->dir_fd;
    }
    return 0;
}

static void place_done(Place *p)
{
    if (p->dir) {
        local_unpin(p->dir);
        local_unref(p->dir);
        g_free(p->name);
    }
}

/* An object of mapped-file without a name has no map any more. */
static bool has_map(const LocalNode *n, const Place *p)
{
    const Local *l = local_of(&n->node);

    return l->model == FS_MAPPED_XATTR || (l->model == FS_MAPPED_FILE && (p->dir || n == l->root));
}

static int get_map(LocalNode *n, int fd, unsigned wanted, LocalMap *m)
{
    Place p;
    int r = place_find(n, fd, &p);

    *m = (LocalMap){ 0 };
    if (r == 0) {
        r = has_map(n, &p) ? local_map_get(local_of(&n->node), fd, p.dir_fd, p.name, wanted, m) : 0;
        place_done(&p);
    }
    return r;
}

static int set_map(LocalNode *n, int fd, const LocalMap *m)
{
    Place p;
    int r = place_find(n, fd, &p);

    if (r == 0) {
        r = has_map(n, &p) ? local_map_set(local_of(&n->node), fd, false, p.dir_fd, p.name, m) : 0;
        place_done(&p);
    }
    return r;
}

/* --- nodes --- */

static int do_root(FsDev *fs, FsNode **out)
{
    *out = &local_ref(((Local *)fs)->root)->node;
    return 0;
}

int local_lookup_node(FsNode *dir, const char *name, bool nowait, FsNode **out)
{
    return local_map_hides(local_of(dir), name) ? -ENOENT
                                               : local_lookup(local_node(dir), name, nowait, (LocalNode **)out);
}

static FsNode *do_node_ref(FsNode *n)
{
    return &local_ref(local_node(n))->node;
}

static void do_node_unref(FsNode *n)
{
    local_unref(local_node(n));
}

static int do_where(FsNode *n, FsNode **dir, char **name)
{
    if (n == &local_of(n)->root->node) {
        return -EBUSY;
    }
    return local_where(local_node(n), (LocalNode **)dir, name) ? 0 : -ENOENT;
}

static int stat_fd(LocalNode *n, int fd, bool brief, FsStat *out)
{
    unsigned wanted = brief ? MAP_MODE : MAP_ALL;
    struct stat st;
    LocalMap m;

    if (fstatat(fd, "", &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0) {
        return -errno;
    }
    *out = (FsStat){
        .path = local_path(local_of(&n->node), st.st_dev, st.st_ino), .nlink = st.st_nlink,
        .size = (uint64_t)st.st_size, .blocks = (uint64_t)st.st_blocks, .rdev = st.st_rdev, .mode = st.st_mode,
        .uid = st.st_uid, .gid = st.st_gid, .blksize = (uint32_t)st.st_blksize, .atime = st.st_atim,
        .mtime = st.st_mtim, .ctime = st.st_ctim,
    };
    if (brief && n->type != S_IFREG) {
        return 0;                       /* the guest can make nothing else of it */
    }
    if (local_is_mapped(local_of(&n->node)) && get_map(n, fd, wanted, &m) == 0) {
        out->uid = m.valid & MAP_UID ? m.uid : out->uid;
        out->gid = m.valid & MAP_GID ? m.gid : out->gid;
        /* A directory of the host is one, and nothing else is. */
        if (m.valid & MAP_MODE && S_ISDIR(m.mode) == S_ISDIR(st.st_mode)) {
            out->mode = m.mode;
        }
        out->rdev = m.valid & MAP_RDEV ? m.rdev : out->rdev;
    }
    return 0;
}

static int do_stat(FsNode *node, bool brief, FsStat *st)
{
    LocalNode *n = local_node(node);
    int fd = local_pin(n), r;

    if (fd < 0) {
        return fd;
    }
    r = stat_fd(n, fd, brief, st);
    local_unpin(n);
    return r;
}

static int set_times(int fd, const FsSetattr *a)
{
    struct timespec t[2] = { a->atime, a->mtime };

    if (!(a->valid & FS_SET_ATIME)) {
        t[0].tv_nsec = UTIME_OMIT;
    }
    if (!(a->valid & FS_SET_MTIME)) {
        t[1].tv_nsec = UTIME_OMIT;
    }
    if (utimensat(fd, "", t, AT_EMPTY_PATH) == 0) {
        return 0;
    }
    /* Kernels before 5.8; a symbolic link of the host is what the path leads to. */
    return errno == EINVAL && utimensat(AT_FDCWD, proc_path(fd).text, t, 0) == 0 ? 0 : -errno;
}

static int set_owner_and_mode(LocalNode *n, int fd, const FsSetattr *a)
{
    Local *l = local_of(&n->node);
    uid_t uid = a->valid & FS_SET_UID ? a->uid : (uid_t)-1;
    gid_t gid = a->valid & FS_SET_GID ? a->gid : (gid_t)-1;

    if (local_is_mapped(l)) {
        LocalMap m = { .uid = a->uid, .gid = a->gid, .valid = (a->valid & FS_SET_UID ? MAP_UID : 0) |
                       (a->valid & FS_SET_GID ? MAP_GID : 0) };
        FsStat st;
        int r = stat_fd(n, fd, true, &st);

        if (r == 0 && a->valid & FS_SET_MODE) {
            m.mode = (st.mode & S_IFMT) | (a->mode & 07777);
            m.valid |= MAP_MODE;
        }
        return r == 0 && m.valid ? set_map(n, fd, &m) : r;
    }
    if (a->valid & (FS_SET_UID | FS_SET_GID) &&
        fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 && l->model != FS_NONE) {
        return -errno;
    }
    /* Last: a new owner takes set-id bits away. */
    if (a->valid & FS_SET_MODE) {
        if (n->type == S_IFLNK) {
            return -EOPNOTSUPP;
        }
        if (chmod(proc_path(fd).text, a->mode & 07777) < 0) {
            return -errno;
        }
    }
    return 0;
}

static int do_setattr(FsNode *node, const FsSetattr *a)
{
    LocalNode *n = local_node(node);
    int fd = local_pin(n), r = 0;

    if (fd < 0) {
        return fd;
    }
    if (a->valid & FS_SET_SIZE) {
        r = n->type != S_IFREG ? -EINVAL : truncate(proc_path(fd).text, (off_t)a->size) < 0 ? -errno : 0;
    }
    if (r == 0 && a->valid & (FS_SET_MODE | FS_SET_UID | FS_SET_GID)) {
        r = set_owner_and_mode(n, fd, a);
    }
    if (r == 0 && a->valid & (FS_SET_ATIME | FS_SET_MTIME)) {
        r = set_times(fd, a);
    }
    local_unpin(n);
    return r;
}

/* A link of a mapped model is a file whose content is where it leads. */
static ssize_t do_readlink(FsNode *node, char *buf, size_t room)
{
    LocalNode *n = local_node(node);
    int fd = local_pin(n), file;
    ssize_t r;

    if (fd < 0) {
        return fd;
    }
    if (n->type == S_IFREG && local_is_mapped(local_of(node))) {
        file = open(proc_path(fd).text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        r = file < 0 ? -1 : read(file, buf, room);
        r = r < 0 ? -errno : r;
        if (file >= 0) {
            close(file);
        }
    } else {
        r = readlinkat(fd, "", buf, room);
        r = r < 0 ? -errno : r;
    }
    local_unpin(n);
    return r;
}

static int do_statfs(FsNode *node, struct statfs *st)
{
    LocalNode *n = local_node(node);
    int fd = local_pin(n), r;

    if (fd < 0) {
        return fd;
    }
    r = fstatfs(fd, st) < 0 ? -errno : 0;
    local_unpin(n);
    return r;
}

/* --- new names --- */

/* A new object gets its owner and mode, and becomes a node. Failing that, it goes again. @file: it is open; -1: it isn't. */
static int finish_new(LocalNode *dir, int dir_fd, int file, const char *name, uint32_t type, uint64_t rdev,
                      const FsCred *cred, LocalNode **out)
{
    Local *l = local_of(&dir->node);
    FsSetattr a = { .valid = FS_SET_UID | FS_SET_GID | (type == S_IFLNK ? 0 : FS_SET_MODE), .uid = cred->uid,
                    .gid = cred->gid, .mode = cred->mode };
    int fd = file >= 0 ? open(proc_path(file).text, O_PATH | O_CLOEXEC)
                       : openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), r;

    if (fd < 0) {
        return -errno;
    }
    if (local_is_mapped(l)) {
        LocalMap m = { .valid = MAP_UID | MAP_GID | MAP_MODE | (rdev ? MAP_RDEV : 0), .uid = cred->uid,
                       .gid = cred->gid, .mode = type | (cred->mode & 07777), .rdev = rdev };

        r = local_map_set(l, file >= 0 ? file : fd, file >= 0, dir_fd, name, &m);
        if (r == 0) {
            return local_adopt(dir, name, fd, out);
        }
        close(fd);
    } else {
        r = local_adopt(dir, name, fd, out);
        if (r == 0) {
            fd = local_pin(*out);
            r = fd < 0 ? fd : set_owner_and_mode(*out, fd, &a);
            if (fd >= 0) {
                local_unpin(*out);
            }
            if (r == 0) {
                return 0;
            }
            local_unref(*out);
            *out = NULL;
        }
    }
    unlinkat(dir_fd, name, type == S_IFDIR ? AT_REMOVEDIR : 0);
    local_map_gone(l, dir_fd, name);
    local_name_gone(dir, name);
    return r;
}

/* What a mapped model has on the host: folders and files only. */
static int make_object(Local *l, int dir_fd, const char *name, uint32_t type, uint64_t rdev)
{
    int fd;

    if (type == S_IFDIR) {
        return mkdirat(dir_fd, name, local_is_mapped(l) ? l->dmode : 0700) < 0 ? -errno : 0;
    }
    if (local_is_mapped(l) || type == S_IFREG) {
        fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    local_is_mapped(l) ? l->fmode : 0600);
        if (fd >= 0) {
            close(fd);
        }
        return fd < 0 ? -errno : 0;
    }
    return mknodat(dir_fd, name, type | 0600, (dev_t)rdev) < 0 ? -errno : 0;
}

int local_mknod(FsNode *dir, const char *name, uint32_t type, uint64_t rdev, const FsCred *cred, FsNode **out)
{
    Local *l = local_of(dir);
    int fd = local_map_hides(l, name) ? -EINVAL : local_pin(local_node(dir)), r;

    if (fd < 0) {
        return fd;
    }
    r = make_object(l, fd, name, type, rdev);
    if (r == 0) {
        r = finish_new(local_node(dir), fd, -1, name, type, type == S_IFCHR || type == S_IFBLK ? rdev : 0, cred,
                       (LocalNode **)out);
    }
    local_unpin(local_node(dir));
    return r;
}

int local_new_file(FsNode *dir, const char *name, int flags, const FsCred *cred, FsNode **out, int *file)
{
    Local *l = local_of(dir);
    int fd = local_map_hides(l, name) ? -EINVAL : local_pin(local_node(dir)), r;

    if (fd < 0) {
        return fd;
    }
    *file = openat(fd, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                   local_is_mapped(l) ? l->fmode : 0600);
    r = *file < 0 ? -errno : finish_new(local_node(dir), fd, *file, name, S_IFREG, 0, cred, (LocalNode **)out);
    if (r < 0 && *file >= 0) {
        close(*file);
    }
    local_unpin(local_node(dir));
    return r;
}

static int do_symlink(FsNode *dir, const char *name, const char *target, const FsCred *cred, FsNode **out)
{
    Local *l = local_of(dir);
    FsCred c = { cred->uid, cred->gid, 0777 };
    int fd = local_map_hides(l, name) ? -EINVAL : local_pin(local_node(dir)), file, r = 0;

    if (fd < 0) {
        return fd;
    }
    if (local_is_mapped(l)) {
        size_t len = strlen(target);

        file = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, l->fmode);
        r = file < 0 ? -errno : write(file, target, len) != (ssize_t)len ? -EIO : 0;
        if (file >= 0) {
            close(file);
        }
    } else if (symlinkat(target, fd, name) < 0) {
        r = -errno;
    }
    if (r == 0) {
        r = finish_new(local_node(dir), fd, -1, name, S_IFLNK, 0, &c, (LocalNode **)out);
    }
    local_unpin(local_node(dir));
    return r;
}

static int do_link(FsNode *node, FsNode *dir, const char *name)
{
    LocalNode *n = local_node(node);
    Local *l = local_of(node);
    int fd = local_map_hides(l, name) ? -EINVAL : local_pin(n), dir_fd, r;
    Place p;

    if (fd < 0) {
        return fd;
    }
    dir_fd = local_pin(local_node(dir));
    r = dir_fd < 0 ? dir_fd : linkat(AT_FDCWD, proc_path(fd).text, dir_fd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
    if (r == 0 && place_find(n, fd, &p) == 0) {
        if (p.dir) {
            local_map_linked(l, p.dir_fd, p.name, dir_fd, name);
        }
        place_done(&p);
    }
    if (dir_fd >= 0) {
        local_unpin(local_node(dir));
    }
    local_unpin(n);
    return r;
}

static int do_rename(FsNode *dir, const char *name, FsNode *to, const char *new_name)
{
    Local *l = local_of(dir);
    LocalNode *a = local_node(dir), *b = local_node(to);
    int from_fd, to_fd, r;

    if (local_map_hides(l, name) || local_map_hides(l, new_name)) {
        return -EINVAL;
    }
    from_fd = local_pin(a);
    to_fd = local_pin(b);
    r = from_fd < 0 ? from_fd : to_fd < 0 ? to_fd : 0;
    if (r == 0) {
        local_name_hold(b, new_name);
        if (l->model == FS_MAPPED_FILE) {
            int target = openat(to_fd, new_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

            if (target >= 0) {
                local_map_empty(l, target);
                close(target);
            }
        }
        r = renameat(from_fd, name, to_fd, new_name) < 0 ? -errno : 0;
    }
    if (r == 0) {
        local_map_moved(l, from_fd, name, to_fd, new_name);
        local_name_moved(a, name, b, new_name);
    }
    if (from_fd >= 0) {
        local_unpin(a);
    }
    if (to_fd >= 0) {
        local_unpin(b);
    }
    return r;
}

static int do_unlink(FsNode *dir, const char *name, bool directory)
{
    Local *l = local_of(dir);
    LocalNode *d = local_node(dir);
    int fd = local_map_hides(l, name) ? -ENOENT : local_pin(d), r;

    if (fd < 0) {
        return fd;
    }
    local_name_hold(d, name);
    if (directory && l->model == FS_MAPPED_FILE) {
        int target = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (target >= 0) {
            local_map_empty(l, target);
            close(target);
        }
    }
    r = unlinkat(fd, name, directory ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
    if (r == 0) {
        local_map_gone(l, fd, name);
        local_name_gone(d, name);
    }
    local_unpin(d);
    return r;
}

/* --- extended attributes --- */

static ssize_t do_xattr_get(FsNode *node, const char *name, void *buf, size_t room)
{
    LocalNode *n = local_node(node);
    char host[300];
    int fd = local_map_xattr(local_of(node), name, host, sizeof(host)) ? local_pin(n) : -ENODATA;
    ssize_t r;

    if (fd < 0) {
        return fd;
    }
    r = getxattr(proc_path(fd).text, host, buf, room);
    r = r < 0 ? -errno : r;
    local_unpin(n);
    return r;
}

static ssize_t do_xattr_list(FsNode *node, char *buf, size_t room)
{
    LocalNode *n = local_node(node);
    g_autofree char *all = g_malloc(XATTR_LIST_MAX);
    int fd = local_pin(n);
    ssize_t len, out = 0;

    if (fd < 0) {
        return fd;
    }
    len = listxattr(proc_path(fd).text, all, XATTR_LIST_MAX);
    len = len < 0 ? -errno : len;
    local_unpin(n);
    for (ssize_t at = 0; at < len; at += (ssize_t)strlen(all + at) + 1) {
        const char *name = all + at;
        size_t l;

        if (local_is_mapped(local_of(node)) && g_str_has_prefix(name, "user.virtfs.system.posix_acl_")) {
            name += strlen("user.virtfs.");
        } else if (local_map_hides_xattr(local_of(node), name)) {
            continue;
        }
        l = strlen(name) + 1;
        if (buf && (size_t)out + l > room) {
            return -ERANGE;
        }
        if (buf) {
            memcpy(buf + out, name, l);
        }
        out += (ssize_t)l;
    }
    return len < 0 ? len : out;
}

static int do_xattr_set(FsNode *node, const char *name, const void *value, size_t len, int flags)
{
    LocalNode *n = local_node(node);
    char host[300];
    int fd = local_map_xattr(local_of(node), name, host, sizeof(host)) ? local_pin(n) : -EACCES, r;

    if (fd < 0) {
        return fd;
    }
    r = setxattr(proc_path(fd).text, host, value, len, flags) < 0 ? -errno : 0;
    local_unpin(n);
    return r;
}

static int do_xattr_remove(FsNode *node, const char *name)
{
    LocalNode *n = local_node(node);
    char host[300];
    int fd = local_map_xattr(local_of(node), name, host, sizeof(host)) ? local_pin(n) : -EACCES, r;

    if (fd < 0) {
        return fd;
    }
    r = removexattr(proc_path(fd).text, host) < 0 ? -errno : 0;
    local_unpin(n);
    return r;
}

/* --- options --- */

static int one_of(const QDict *opts, const char *name, const char *def, const char *const *names, Error **errp)
{
    const char *text = qdict_str_or(opts, name, def);

    for (int i = 0; text && names[i]; i++) {
        if (!strcmp(text, names[i])) {
            return i;
        }
    }
    error_setf(errp, text ? ERR_INVALID_ARGUMENT : ERR_MISSING_ARGUMENT, "fsdev local: option '%s' is %s%s%s", name,
               text ? "'" : "missing", text ? text : "", text ? "'" : "");
    return -1;
}

static bool do_open(FsDev *fs, const QDict *opts, Error **errp)
{
    static const char *const models[] = { "passthrough", "mapped-xattr", "mapped-file", "none", "mapped", NULL };
    static const char *const multi[] = { "warn", "remap", "forbid", NULL };
    Local *l = (Local *)fs;
    const char *path = qdict_str_or(opts, "path", NULL), *writeout = qdict_str_or(opts, "writeout", NULL);
    int model = one_of(opts, "security_model", NULL, models, errp), multidevs;

    if (model < 0) {
        error_hint(errp, "accepted: security_model=passthrough, mapped-xattr (or mapped), mapped-file, none");
        return false;
    }
    multidevs = one_of(opts, "multidevs", "warn", multi, errp);
    if (multidevs < 0) {
        error_hint(errp, "accepted: multidevs=warn, remap, forbid");
        return false;
    }
    l->model = model == 4 ? FS_MAPPED_XATTR : (FsModel)model;
    l->multidevs = (FsMultidevs)multidevs;
    if (writeout && strcmp(writeout, "immediate")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "fsdev local: option 'writeout' is '%s'; accepted: immediate", writeout);
        return false;
    }
    l->writeout = writeout;
    if (!local_is_mapped(l) && (qdict_has(opts, "fmode") || qdict_has(opts, "dmode"))) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "fmode and dmode are only allowed with mapped security modes");
        return false;
    }
    if (!fs_opt_mode(opts, "fmode", 0600, &l->fmode, errp) || !fs_opt_mode(opts, "dmode", 0700, &l->dmode, errp)) {
        return false;
    }
    if (!path) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "fsdev local: path property not set");
        return false;
    }
    return local_open_root(l, path, errp);
}

static void do_close(FsDev *fs)
{
    local_close_root((Local *)fs);
}

static const char *const options[] = {
    "path", "security_model", "writeout", "fmode", "dmode", "multidevs", NULL
};
static const FsDriver local_driver = {
    .name = "local", .options = options, .size = sizeof(Local), .open = do_open, .close = do_close,
    .root = do_root, .lookup = local_lookup_node, .node_ref = do_node_ref, .node_unref = do_node_unref, .stat = do_stat, .setattr = do_setattr,
    .readlink = do_readlink, .statfs = do_statfs, .mknod = local_mknod, .symlink = do_symlink, .link = do_link,
    .rename = do_rename, .unlink = do_unlink, .where = do_where, .xattr_get = do_xattr_get,
    .xattr_list = do_xattr_list, .xattr_set = do_xattr_set, .xattr_remove = do_xattr_remove,
    .open_node = local_open_node, .create = local_create, .file_close = local_file_close, .read = local_read,
    .write = local_write, .fsync = local_fsync, .readdir = local_readdir, .lock = local_lock,
};
FS_DRIVER(local_driver)
