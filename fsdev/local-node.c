/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes of the local driver. There is one node a name that is in use; so after a rename all who have it, or something
 * below it, have it at its new place. Each has an O_PATH descriptor: the very object, whatever becomes of its name.
 * When there are too many, those longest unused are closed, and opened again by their names if they still are
 * the same.
 */
#include "util/osdep.h"
#include "fsdev/local.h"

#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define QUOTA_MAX   65536u

/* One component, never through a link: openat2 says so in one flag, older kernels by O_NOFOLLOW. */
static int open_beneath(int dir, const char *name, int flags, bool nowait)
{
    struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_NOFOLLOW | O_CLOEXEC),
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (nowait ? RESOLVE_CACHED : 0) };
    long fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

    if (fd < 0 && nowait && errno != ENOENT) {
        return -EAGAIN;             /* not in the kernel's cache, or no such flag: it may take a while */
    }
    if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EAGAIN)) {
        fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC);
    }
    return fd < 0 ? -errno : (int)fd;
}

/* --- descriptors; under the lock --- */

static void handle_opened(Local *l, Handle *h, int fd)
{
    h->fd = fd;
    h->link.data = h;
    g_queue_push_tail_link(&l->open, &h->link);
}

static void handle_close(Local *l, Handle *h)
{
    if (h->fd >= 0) {
        close(h->fd);
        h->fd = -1;
        g_queue_unlink(&l->open, &h->link);
        h->link.data = NULL;
    }
}

static void handle_used(Local *l, Handle *h)
{
    g_queue_unlink(&l->open, &h->link);
    g_queue_push_tail_link(&l->open, &h->link);
}

static void reclaim(Local *l)
{
    GList *i = l->open.head;
    unsigned looked = 0;

    while (i && l->open.length > l->quota && looked++ < 256) {
        Handle *h = i->data;

        i = i->next;
        if (!h->pins && !h->keep) {
            handle_close(l, h);
        }
    }
}

static int pin_locked(Local *l, LocalNode *n)
{
    struct stat st;
    int dir, fd;

    if (n->h.fd < 0) {
        if (n->orphan || !n->dir) {
            return -ESTALE;
        }
        dir = pin_locked(l, n->dir);
        if (dir < 0) {
            return dir;
        }
        fd = open_beneath(dir, n->name, O_PATH, false);
        n->dir->h.pins--;
        if (fd < 0) {
            return fd == -ENOENT ? -ESTALE : fd;
        }
        if (fstat(fd, &st) < 0 || st.st_dev != n->dev || st.st_ino != n->ino) {
            close(fd);
            return -ESTALE;
        }
        handle_opened(l, &n->h, fd);
    } else {
        handle_used(l, &n->h);
    }
    n->h.pins++;
    return n->h.fd;
}

int local_pin(LocalNode *n)
{
    Local *l = local_of(&n->node);
    int fd;

    MUTEX_GUARD(&l->lock);
    fd = pin_locked(l, n);
    reclaim(l);
    return fd;
}

void local_unpin(LocalNode *n)
{
    MUTEX_GUARD(&local_of(&n->node)->lock);
    n->h.pins--;
}

int local_file_pin(LocalFile *f)
{
    Local *l = (Local *)f->file.fs;
    int fd;

    MUTEX_GUARD(&l->lock);
    if (f->h.fd < 0) {
        fd = pin_locked(l, f->node);
        if (fd < 0) {
            return fd;
        }
        fd = open(proc_path(fd).text, f->flags | O_CLOEXEC);
        f->node->h.pins--;
        if (fd < 0) {
            return -errno;
        }
        handle_opened(l, &f->h, fd);
    } else {
        handle_used(l, &f->h);
    }
    f->h.pins++;
    reclaim(l);
    return f->h.fd;
}

void local_file_unpin(LocalFile *f)
{
    MUTEX_GUARD(&((Local *)f->file.fs)->lock);
    f->h.pins--;
}

void local_file_keep(LocalFile *f)
{
    MUTEX_GUARD(&((Local *)f->file.fs)->lock);
    f->h.keep = true;
}

void local_file_opened(LocalFile *f, int fd)
{
    Local *l = (Local *)f->file.fs;

    MUTEX_GUARD(&l->lock);
    handle_opened(l, &f->h, fd);
    reclaim(l);
}

void local_file_closed(LocalFile *f)
{
    Local *l = (Local *)f->file.fs;

    MUTEX_GUARD(&l->lock);
    handle_close(l, &f->h);
}

/* --- names --- */

static guint node_hash(gconstpointer p)
{
    const LocalNode *n = p;

    return g_str_hash(n->name) ^ g_direct_hash(n->dir);
}

static gboolean node_equal(gconstpointer a, gconstpointer b)
{
    const LocalNode *x = a, *y = b;

    return x->dir == y->dir && !strcmp(x->name, y->name);
}

static LocalNode *find_locked(Local *l, LocalNode *dir, const char *name)
{
    LocalNode key = { .dir = dir, .name = (char *)name };

    return g_hash_table_lookup(l->nodes, &key);
}

static void forget_name(Local *l, LocalNode *n)
{
    if (!n->orphan) {
        g_hash_table_remove(l->nodes, n);
        n->orphan = true;
        n->h.keep = true;           /* there is no way back to it */
    }
}

static void unref_locked(Local *l, LocalNode *n)
{
    while (n && --n->ref == 0) {
        LocalNode *dir = n->dir;

        if (!n->orphan && dir) {
            g_hash_table_remove(l->nodes, n);
        }
        handle_close(l, &n->h);
        g_free(n->name);
        g_free(n);
        n = dir;
    }
}

LocalNode *local_ref(LocalNode *n)
{
    MUTEX_GUARD(&local_of(&n->node)->lock);
    n->ref++;
    return n;
}

void local_unref(LocalNode *n)
{
    Local *l = local_of(&n->node);

    MUTEX_GUARD(&l->lock);
    unref_locked(l, n);
}

/* --- looking up --- */

static unsigned dev_number(Local *l, dev_t dev)
{
    unsigned i = 0;

    while (i < l->n_devs && l->devs[i] != dev) {
        i++;
    }
    if (i == l->n_devs && i < ARRAY_SIZE(l->devs)) {
        l->devs[l->n_devs++] = dev;
    }
    return i;
}

/* Inode numbers of other devices get another top byte. Those that use it already are folded: two of them may then look
 * the same, as they would without remapping. */
uint64_t local_path(Local *l, dev_t dev, ino_t ino)
{
    uint64_t path = ino;

    if (dev != l->devs[0] && l->multidevs == FS_MULTIDEVS_REMAP) {      /* neither changes */
        MUTEX_GUARD(&l->lock);
        path = ((uint64_t)ino ^ (uint64_t)ino >> 56 << 48) & MASK64(0, 56);
        path |= (uint64_t)dev_number(l, dev) << 56;
    }
    return path;
}

static int check_dev(Local *l, const struct stat *st)
{
    if (st->st_dev == l->devs[0] || l->multidevs == FS_MULTIDEVS_REMAP) {
        return 0;
    }
    if (l->multidevs == FS_MULTIDEVS_FORBID) {
        return -ENODEV;
    }
    if (!l->warned) {
        l->warned = true;
        fprintf(stderr, "fsdev '%s': the share has several devices, whose inode numbers may be the same; "
                "multidevs=remap makes them differ\n", l->fs.id);
    }
    return 0;
}

int local_adopt(LocalNode *dir, const char *name, int fd, LocalNode **out)
{
    Local *l = local_of(&dir->node);
    LocalNode *n;
    struct stat st;
    int r;

    if (fstat(fd, &st) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    MUTEX_GUARD(&l->lock);
    r = check_dev(l, &st);
    if (r < 0) {
        close(fd);
        return r;
    }
    n = find_locked(l, dir, name);
    if (n && (n->dev != st.st_dev || n->ino != st.st_ino)) {
        forget_name(l, n);
        n = NULL;
    }
    if (n) {
        n->ref++;
        if (n->h.fd < 0) {
            handle_opened(l, &n->h, fd);
        } else {
            close(fd);
        }
    } else {
        n = g_new0(LocalNode, 1);
        n->node.fs = &l->fs;
        n->ref = 1;
        n->dir = dir;
        dir->ref++;
        n->name = g_strdup(name);
        n->dev = st.st_dev;
        n->ino = st.st_ino;
        n->type = st.st_mode & S_IFMT;
        handle_opened(l, &n->h, fd);
        g_hash_table_add(l->nodes, n);
    }
    reclaim(l);
    *out = n;
    return 0;
}

int local_lookup(LocalNode *dir, const char *name, bool nowait, LocalNode **out)
{
    int fd = local_pin(dir), r;

    if (fd < 0) {
        return fd;
    }
    r = open_beneath(fd, name, O_PATH, nowait);
    local_unpin(dir);
    return r < 0 ? r : local_adopt(dir, name, r, out);
}

void local_name_hold(LocalNode *dir, const char *name)
{
    Local *l = local_of(&dir->node);
    LocalNode *n;

    MUTEX_GUARD(&l->lock);
    n = find_locked(l, dir, name);
    if (n && pin_locked(l, n) >= 0) {
        n->h.pins--;
        n->h.keep = true;
    }
}

void local_name_gone(LocalNode *dir, const char *name)
{
    Local *l = local_of(&dir->node);
    LocalNode *n;

    MUTEX_GUARD(&l->lock);
    n = find_locked(l, dir, name);
    if (n) {
        forget_name(l, n);
    }
}

void local_name_moved(LocalNode *dir, const char *name, LocalNode *to, const char *new_name)
{
    Local *l = local_of(&dir->node);
    LocalNode *n, *old;

    MUTEX_GUARD(&l->lock);
    n = find_locked(l, dir, name);
    old = find_locked(l, to, new_name);
    if (old && old != n) {
        forget_name(l, old);
    }
    if (n && old != n) {
        g_hash_table_remove(l->nodes, n);
        g_free(n->name);
        n->name = g_strdup(new_name);
        to->ref++;
        n->dir = to;
        g_hash_table_add(l->nodes, n);
        unref_locked(l, dir);
    }
}

bool local_where(LocalNode *n, LocalNode **dir, char **name)
{
    MUTEX_GUARD(&local_of(&n->node)->lock);
    if (!n->dir || n->orphan) {
        return false;
    }
    *dir = n->dir;
    n->dir->ref++;
    *name = g_strdup(n->name);
    return true;
}

/* --- the root --- */

/* Half of what this process may have; the rest is for disks, sockets and so on. */
static unsigned descriptor_quota(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) < 0) {
        return 256;
    }
    if (r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
        getrlimit(RLIMIT_NOFILE, &r);
    }
    return (unsigned)MIN(r.rlim_cur / 2, QUOTA_MAX);
}

/* File systems whose open objects are known without asking anybody. */
static bool is_on_this_host(int fd)
{
    static const uint32_t known[] = {
        0xef53 /* ext4 */, 0x58465342 /* XFS */, 0x9123683e /* btrfs */, 0x01021994 /* tmpfs */, 0x794c7630 /* overlay */,
    };
    struct statfs st;

    for (size_t i = 0; fstatfs(fd, &st) == 0 && i < ARRAY_SIZE(known); i++) {
        if ((uint32_t)st.f_type == known[i]) {
            return true;
        }
    }
    return false;
}

bool local_open_root(Local *l, const char *path, Error **errp)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        error_set_errno(errp, errno, "fsdev '%s': can't open folder '%s'", l->fs.id, path);
        return false;
    }
    mutex_init(&l->lock);
    l->nodes = g_hash_table_new(node_hash, node_equal);
    g_queue_init(&l->open);
    l->quota = descriptor_quota();
    l->devs[0] = st.st_dev;
    l->n_devs = 1;
    l->root = g_new0(LocalNode, 1);
    l->root->node.fs = &l->fs;
    l->root->ref = 1;
    l->root->dev = st.st_dev;
    l->root->ino = st.st_ino;
    l->root->type = S_IFDIR;
    l->root->h.keep = true;
    handle_opened(l, &l->root->h, fd);
    l->fs.hot = l->model != FS_MAPPED_FILE && is_on_this_host(fd);
    return true;
}

void local_close_root(Local *l)
{
    local_unref(l->root);
    g_hash_table_destroy(l->nodes);
    mutex_destroy(&l->lock);
}
