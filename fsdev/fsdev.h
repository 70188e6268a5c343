/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back ends of file systems: -fsdev, and what their drivers do.
 *
 * An FsDev is one exported tree. Its objects are FsNodes (a name in a directory, by references) and FsFiles (open for
 * reading and writing); both are made and used by driver functions, which block: they are called in
 * worker threads, several at a time, without the big lock. They return 0 (or a length), or a negative errno of Linux, and
 * then give no reference.
 * A name is one component: not empty, not "." or "..", without '/'; callers see to that with fs_name_is_good().
 * The list of FsDevs, fsdev_add() and so on: big lock.
 */
#ifndef FSDEV_FSDEV_H
#define FSDEV_FSDEV_H

#include "util/osdep.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include "qobject/error.h"
#include "qobject/qobject.h"

typedef struct FsDev FsDev;
typedef struct FsNode FsNode;
typedef struct FsFile FsFile;

typedef struct FsStat {
    uint64_t path;              /* no other object of the tree has it: an inode number */
    uint64_t nlink, size, blocks, rdev;     /* blocks: of 512 bytes */
    uint32_t mode, uid, gid, blksize;
    struct timespec atime, mtime, ctime;
} FsStat;

/* Whose a new object is, and its permissions. */
typedef struct FsCred {
    uint32_t uid, gid, mode;
} FsCred;

enum { FS_SET_MODE = 1, FS_SET_UID = 2, FS_SET_GID = 4, FS_SET_SIZE = 8, FS_SET_ATIME = 16, FS_SET_MTIME = 32 };
typedef struct FsSetattr {
    uint32_t valid;             /* FS_SET_... */
    uint32_t mode, uid, gid;
    uint64_t size;
    struct timespec atime, mtime;           /* tv_nsec may be UTIME_NOW */
} FsSetattr;

typedef struct FsDirent {
    uint64_t path, next;        /* next: where reading goes on behind it */
    uint8_t type;               /* DT_...; DT_UNKNOWN */
    char name[256];
} FsDirent;

typedef struct FsDriver {
    const char *name;           /* "local" */
    const char *const *options; /* that -fsdev takes besides id; ends with NULL */
    size_t size;                /* of the struct that starts with an FsDev */
    bool (*open)(FsDev *fs, const QDict *opts, Error **errp);
    void (*close)(FsDev *fs);   /* no node is left */

    int (*root)(FsDev *fs, FsNode **out);
    /* @nowait: -EAGAIN instead of waiting for a disk; only asked for where FsDev.hot is true. */
    int (*lookup)(FsNode *dir, const char *name, bool nowait, FsNode **out);
    FsNode *(*node_ref)(FsNode *n);     /* any thread; doesn't block */
    void (*node_unref)(FsNode *n);
    /* @brief: only what can't change without another mtime, and which type it has; owner and permissions may be anybody's. */
    int (*stat)(FsNode *n, bool brief, FsStat *st);
    int (*setattr)(FsNode *n, const FsSetattr *a);
    ssize_t (*readlink)(FsNode *n, char *buf, size_t room);
    int (*statfs)(FsNode *n, struct statfs *st);
    /* A directory with S_IFDIR in @mode. */
    int (*mknod)(FsNode *dir, const char *name, uint32_t type, uint64_t rdev, const FsCred *cred, FsNode **out);
    int (*symlink)(FsNode *dir, const char *name, const char *target, const FsCred *cred, FsNode **out);
    int (*link)(FsNode *n, FsNode *dir, const char *name);
    int (*rename)(FsNode *dir, const char *name, FsNode *new_dir, const char *new_name);
    int (*unlink)(FsNode *dir, const char *name, bool directory);
    /* Where it is: a reference to its directory, and its name (g_free()); -EBUSY for the root. */
    int (*where)(FsNode *n, FsNode **dir, char **name);
    /* @buf NULL: only the length. The list has a NUL behind each name. */
    ssize_t (*xattr_get)(FsNode *n, const char *name, void *buf, size_t room);
    ssize_t (*xattr_list)(FsNode *n, char *buf, size_t room);
    int (*xattr_set)(FsNode *n, const char *name, const void *value, size_t len, int flags);
    int (*xattr_remove)(FsNode *n, const char *name);

    /* @flags: O_RDONLY, O_WRONLY, O_RDWR with O_TRUNC, O_SYNC, O_DSYNC, O_DIRECTORY, O_EXCL. */
    int (*open_node)(FsNode *n, int flags, FsFile **out);
    int (*create)(FsNode *dir, const char *name, int flags, const FsCred *cred, FsNode **node, FsFile **file);
    void (*file_close)(FsFile *f);
    ssize_t (*read)(FsFile *f, const struct iovec *iov, int n, uint64_t offset, bool nowait);
    ssize_t (*write)(FsFile *f, const struct iovec *iov, int n, uint64_t offset);
    int (*fsync)(FsFile *f, bool data_only);
    /* The entry at @offset (0, or a .next); 0: there is none. @nowait: -EAGAIN for what hasn't been read yet. */
    int (*readdir)(FsFile *f, uint64_t offset, bool nowait, FsDirent *e);
    /* As fcntl: @l is changed by a test. */
    int (*lock)(FsFile *f, struct flock *l, bool test);
} FsDriver;

/* Limits in bytes and requests a second; 0: none. */
enum { FS_LIMIT_BPS, FS_LIMIT_BPS_RD, FS_LIMIT_BPS_WR, FS_LIMIT_IOPS, FS_LIMIT_IOPS_RD, FS_LIMIT_IOPS_WR, FS_LIMITS };

struct FsDev {
    const FsDriver *drv;
    char *id;
    bool readonly;
    bool in_use;                /* one device has it */
    bool hot;                   /* stat, where, root and opening without O_TRUNC don't wait for a disk */
    uint64_t limit[FS_LIMITS];
    int64_t next_ns[FS_LIMITS]; /* CLOCK_RT from when on the next request may go; big lock */
    FsDev *next;
};

struct FsNode {
    FsDev *fs;
};
struct FsFile {
    FsDev *fs;
};

void fs_driver_register(const FsDriver *drv);
#define FS_DRIVER(x) \
    CONSTRUCTOR static void x##_register(void) { fs_driver_register(&x); }

/* -fsdev: "fsdriver", "id", and the driver's options, as text. */
bool fsdev_add(const QDict *opts, Error **errp);
FsDev *fsdev_find(const char *id);
/* For a device, which gives it back. NULL with errp set. */
FsDev *fsdev_use(const char *id, Error **errp);
void fsdev_release(FsDev *fs);
char *fsdev_help(void);         /* g_free() */
void fsdev_close_all(void);

bool fs_name_is_good(const char *name, size_t len);
/* How long a request of @bytes has to wait, which it is booked for. */
int64_t fs_throttle_ns(FsDev *fs, bool write, uint64_t bytes);

/* Options as text. */
bool fs_opt_bool(const QDict *opts, const char *name, bool def, bool *value, Error **errp);
bool fs_opt_mode(const QDict *opts, const char *name, uint32_t def, uint32_t *value, Error **errp);

#endif
