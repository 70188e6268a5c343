/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of the local driver that are open: reading, writing, folders' entries, locks. */
#include "util/osdep.h"
#include "fsdev/local.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DIRENTS     32768       /* bytes of entries read at a time */

static FsFile *new_file(LocalNode *n, int fd, int flags)
{
    LocalFile *f = g_new0(LocalFile, 1);

    f->file.fs = n->node.fs;
    f->node = local_ref(n);
    f->flags = flags & ~(O_CREAT | O_EXCL | O_TRUNC);
    f->h.fd = -1;
    f->h.keep = n->type == S_IFDIR;             /* it has a place where it reads */
    mutex_init(&f->dir_lock);
    local_file_opened(f, fd);
    return &f->file;
}

/* Only files and folders of the host: a device or a pipe there is none of the guest's. */
int local_open_node(FsNode *node, int flags, FsFile **out)
{
    LocalNode *n = local_node(node);
    int fd, file;

    if (n->type != S_IFREG && n->type != S_IFDIR) {
        return n->type == S_IFLNK ? -ELOOP : -ENXIO;
    }
    fd = local_pin(n);
    if (fd < 0) {
        return fd;
    }
    flags &= ~(O_CREAT | O_EXCL);
    file = open(proc_path(fd).text, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    file = file < 0 ? -errno : file;
    local_unpin(n);
    if (file < 0) {
        return file;
    }
    *out = new_file(n, file, flags);
    return 0;
}

int local_create(FsNode *dir, const char *name, int flags, const FsCred *cred, FsNode **node, FsFile **file)
{
    int r = -EEXIST, fd;

    /* Somebody on the host may make it or take it away meanwhile. */
    for (int i = 0; i < 10; i++) {
        r = local_new_file(dir, name, flags, cred, node, &fd);
        if (r == 0) {
            *file = new_file(local_node(*node), fd, flags);
        }
        if (r != -EEXIST || flags & O_EXCL) {
            return r;
        }
        r = local_lookup_node(dir, name, false, node);
        if (r == 0) {
            r = local_open_node(*node, flags, file);
            if (r < 0) {
                local_unref(local_node(*node));
                *node = NULL;
            }
        }
        if (r != -ENOENT) {
            break;
        }
    }
    return r;
}

void local_file_close(FsFile *file)
{
    LocalFile *f = (LocalFile *)file;

    local_file_closed(f);
    local_unref(f->node);
    mutex_destroy(&f->dir_lock);
    g_free(f->dirents);
    g_free(f);
}

ssize_t local_read(FsFile *file, const struct iovec *iov, int n, uint64_t offset, bool nowait)
{
    LocalFile *f = (LocalFile *)file;
    int fd = local_file_pin(f);
    ssize_t r;

    if (fd < 0) {
        return fd;
    }
    do {
        r = preadv2(fd, iov, n, (off_t)offset, nowait ? RWF_NOWAIT : 0);
    } while (r < 0 && errno == EINTR);
    r = r < 0 ? nowait ? -EAGAIN : -errno : r;
    local_file_unpin(f);
    return r;
}

ssize_t local_write(FsFile *file, const struct iovec *iov, int n, uint64_t offset)
{
    LocalFile *f = (LocalFile *)file;
    int fd = local_file_pin(f);
    ssize_t r;

    if (fd < 0) {
        return fd;
    }
    do {
        r = pwritev(fd, iov, n, (off_t)offset);
    } while (r < 0 && errno == EINTR);
    r = r < 0 ? -errno : r;
    if (r > 0 && ((Local *)file->fs)->writeout) {
        /* Begun, not waited for: the host's memory isn't filled with what waits. */
        sync_file_range(fd, (off_t)offset, r, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);
    }
    local_file_unpin(f);
    return r;
}

int local_fsync(FsFile *file, bool data_only)
{
    LocalFile *f = (LocalFile *)file;
    int fd = local_file_pin(f), r;

    if (fd < 0) {
        return fd;
    }
    r = (data_only ? fdatasync(fd) : fsync(fd)) < 0 ? -errno : 0;
    local_file_unpin(f);
    return r;
}

struct linux_dirent {
    uint64_t ino;
    int64_t off;
    uint16_t len;
    uint8_t type;
    char name[];
};

/* More entries, from where the kernel's descriptor stands. */
static int fill_dirents(LocalFile *f)
{
    int fd = local_file_pin(f);
    long n;

    if (fd < 0) {
        return fd;
    }
    if (!f->dirents) {
        f->dirents = g_malloc(DIRENTS);
    }
    n = syscall(SYS_getdents64, fd, f->dirents, DIRENTS);
    n = n < 0 ? -errno : n;
    local_file_unpin(f);
    f->have = n > 0 ? (size_t)n : 0;
    f->at = f->last = 0;
    f->end = n == 0;
    return (int)n;
}

static int seek_dir(LocalFile *f, uint64_t offset)
{
    int fd = local_file_pin(f), r;

    if (fd < 0) {
        return fd;
    }
    r = lseek(fd, (off_t)offset, SEEK_SET) < 0 ? -errno : 0;
    local_file_unpin(f);
    f->have = f->at = f->last = 0;
    f->next = offset;
    f->end = false;
    return r;
}

/* The lock is held. */
static int next_entry(LocalFile *f, Local *l, uint64_t offset, bool nowait, FsDirent *e)
{
    int r;

    if (f->at > f->last && offset && offset == f->next_last) {
        f->at = f->last;                /* it had no room in an answer */
        f->next = offset;
    } else if ((offset == 0 && f->dirents) || offset != f->next) {
        if (nowait) {
            return -EAGAIN;
        }
        r = seek_dir(f, offset);
        if (r < 0) {
            return r;
        }
    }
    for (;;) {
        const struct linux_dirent *d;

        if (f->at >= f->have) {
            if (f->end || nowait) {
                return f->end ? 0 : -EAGAIN;
            }
            r = fill_dirents(f);
            if (r <= 0) {
                return r;
            }
        }
        d = (const struct linux_dirent *)(f->dirents + f->at);
        f->last = f->at;
        f->next_last = f->next;
        f->at += d->len;
        f->next = (uint64_t)d->off;
        if (local_map_hides(l, d->name)) {
            continue;
        }
        e->path = local_path(l, f->node->dev, d->ino);
        e->next = (uint64_t)d->off;
        /* What a mapped model shows as a link or a device is a file here. */
        e->type = local_is_mapped(l) && d->type != DT_DIR ? DT_UNKNOWN : d->type;
        g_strlcpy(e->name, d->name, sizeof(e->name));
        return 1;
    }
}

int local_readdir(FsFile *file, uint64_t offset, bool nowait, FsDirent *e)
{
    LocalFile *f = (LocalFile *)file;
    Local *l = (Local *)file->fs;
    int r;

    if (f->node->type != S_IFDIR) {
        return -ENOTDIR;
    }
    if (nowait) {
        if (!mutex_trylock(&f->dir_lock)) {
            return -EAGAIN;
        }
    } else {
        mutex_lock(&f->dir_lock);
    }
    r = next_entry(f, l, offset, nowait, e);
    mutex_unlock(&f->dir_lock);
    return r;
}

int local_lock(FsFile *file, struct flock *lock, bool test)
{
    LocalFile *f = (LocalFile *)file;
    int fd = local_file_pin(f), r;

    if (fd < 0) {
        return fd;
    }
    lock->l_pid = 0;
    r = fcntl(fd, test ? F_OFD_GETLK : F_OFD_SETLK, lock) < 0 ? -errno : 0;
    local_file_unpin(f);
    if (!test && lock->l_type != F_UNLCK) {
        local_file_keep(f);         /* closing it would give the lock up */
    }
    return r;
}
