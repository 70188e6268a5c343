/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local driver: a folder of the host. All access is by a name in an open directory, never through a symbolic
 * link and never by "..", so nothing that the guest, or somebody on the host meanwhile, puts there leads out.
 *
 *   local.c       options, names and attributes     local-node.c  nodes and their descriptors
 *   local-file.c  what is open
 *   local-map.c   owners and modes that the guest set, kept beside the host's
 */
#ifndef FSDEV_LOCAL_H
#define FSDEV_LOCAL_H

#include <glib.h>
#include "fsdev/fsdev.h"
#include "util/thread.h"

typedef enum FsModel {
    FS_PASSTHROUGH,             /* owner and mode are the host's */
    FS_MAPPED_XATTR,            /* in extended attributes user.virtfs.* */
    FS_MAPPED_FILE,             /* in files in .virtfs_metadata */
    FS_NONE,                    /* as passthrough, without changing owners */
} FsModel;

typedef enum FsMultidevs { FS_MULTIDEVS_WARN, FS_MULTIDEVS_REMAP, FS_MULTIDEVS_FORBID } FsMultidevs;

/* A descriptor that may be closed for a while when there are too many. Under Local.lock. */
typedef struct Handle {
    int fd;                     /* -1: closed for now */
    unsigned pins;              /* being used */
    bool keep;                  /* couldn't be opened again */
    GList link;                 /* in Local.open, longest unused first; link.data: NULL: not in it */
} Handle;

typedef struct LocalNode LocalNode;

typedef struct Local {
    FsDev fs;
    FsModel model;
    FsMultidevs multidevs;
    uint32_t fmode, dmode;      /* of new files of the host when modes are mapped */
    bool writeout;              /* what is written goes to the disk soon */
    Mutex lock;
    GHashTable *nodes;          /* by directory and name */
    GQueue open;                /* of Handle */
    unsigned quota;
    LocalNode *root;
    dev_t devs[255];            /* seen, the root's first */
    unsigned n_devs;
    bool warned;
} Local;

struct LocalNode {
    FsNode node;
    unsigned ref;               /* under lock, as are: */
    LocalNode *dir;             /* a reference; NULL: the root */
    char *name;
    bool orphan;                /* its name means something else by now, or nothing */
    Handle h;                   /* O_PATH */
    dev_t dev;
    ino_t ino;
    uint32_t type;              /* S_IFMT of the host's object */
};

typedef struct LocalFile {
    FsFile file;
    LocalNode *node;            /* a reference */
    int flags;                  /* to open it again */
    Handle h;
    Mutex dir_lock;             /* of what follows: directories */
    uint8_t *dirents;
    size_t have, at, last;      /* last: of the entry before .at, which may be asked for again */
    uint64_t next, next_last;   /* their offsets */
    bool end;                   /* there is none */
} LocalFile;

static inline Local *local_of(const FsNode *n) { return (Local *)n->fs; }
static inline LocalNode *local_node(FsNode *n) { return (LocalNode *)n; }
static inline bool local_is_mapped(const Local *l)
{
    return l->model == FS_MAPPED_XATTR || l->model == FS_MAPPED_FILE;
}

/* --- local-node.c --- */
/* A descriptor to use until local_unpin(); negative errno. */
int local_pin(LocalNode *n);
void local_unpin(LocalNode *n);
int local_file_pin(LocalFile *f);
void local_file_unpin(LocalFile *f);
void local_file_keep(LocalFile *f);
LocalNode *local_ref(LocalNode *n);
void local_unref(LocalNode *n);
/* The node of @name in @dir, which @fd (O_PATH, taken) has been opened as. */
int local_adopt(LocalNode *dir, const char *name, int fd, LocalNode **out);
int local_lookup(LocalNode *dir, const char *name, bool nowait, LocalNode **out);
/* A name is about to go: what is open there must stay reachable. */
void local_name_hold(LocalNode *dir, const char *name);
/* A name has gone, or moved. */
void local_name_gone(LocalNode *dir, const char *name);
void local_name_moved(LocalNode *dir, const char *name, LocalNode *to, const char *new_name);
/* Reference to the directory and copy of the name; false: the root, or an orphan. */
bool local_where(LocalNode *n, LocalNode **dir, char **name);
bool local_open_root(Local *l, const char *path, Error **errp);
void local_close_root(Local *l);
/* Registers a new descriptor of a file, or forgets it. */
void local_file_opened(LocalFile *f, int fd);
void local_file_closed(LocalFile *f);
uint64_t local_path(Local *l, dev_t dev, ino_t ino);

/* "/proc/self/fd/N", for calls that take no O_PATH descriptor. */
typedef struct ProcPath { char text[32]; } ProcPath;
static inline ProcPath proc_path(int fd)
{
    ProcPath p;

    snprintf(p.text, sizeof(p.text), "/proc/self/fd/%d", fd);
    return p;
}

/* --- local.c, local-file.c: calls of the driver --- */
int local_lookup_node(FsNode *dir, const char *name, bool nowait, FsNode **out);
int local_mknod(FsNode *dir, const char *name, uint32_t type, uint64_t rdev, const FsCred *cred, FsNode **out);
/* A file that isn't there yet, open at once: the same object whatever becomes of its name meanwhile. @file: descriptor. */
int local_new_file(FsNode *dir, const char *name, int flags, const FsCred *cred, FsNode **out, int *file);
int local_open_node(FsNode *node, int flags, FsFile **out);
int local_create(FsNode *dir, const char *name, int flags, const FsCred *cred, FsNode **node, FsFile **file);
void local_file_close(FsFile *file);
ssize_t local_read(FsFile *file, const struct iovec *iov, int n, uint64_t offset, bool nowait);
ssize_t local_write(FsFile *file, const struct iovec *iov, int n, uint64_t offset);
int local_fsync(FsFile *file, bool data_only);
int local_readdir(FsFile *file, uint64_t offset, bool nowait, FsDirent *e);
int local_lock(FsFile *file, struct flock *lock, bool test);

/* --- local-map.c --- */
/* What the guest has set: only the members in @valid count. */
enum { MAP_UID = 1, MAP_GID = 2, MAP_MODE = 4, MAP_RDEV = 8, MAP_ALL = 15 };
typedef struct LocalMap {
    unsigned valid;
    uint32_t uid, gid, mode;
    uint64_t rdev;
} LocalMap;
/* @fd: O_PATH of the object; for models in files @dir_fd and @name say where it is (NULL: the root itself). */
/* @wanted: MAP_...; more may be told. */
int local_map_get(Local *l, int fd, int dir_fd, const char *name, unsigned wanted, LocalMap *m);
/* @is_open: @fd isn't O_PATH. */
int local_map_set(Local *l, int fd, bool is_open, int dir_fd, const char *name, const LocalMap *m);
/* The files of mapped-file follow their objects. */
void local_map_moved(Local *l, int dir_fd, const char *name, int to_fd, const char *new_name);
void local_map_linked(Local *l, int dir_fd, const char *name, int to_fd, const char *new_name);
void local_map_gone(Local *l, int dir_fd, const char *name);
/* A directory is about to be removed: its own map is no content. */
void local_map_empty(Local *l, int fd);
bool local_map_hides(const Local *l, const char *name);
bool local_map_hides_xattr(const Local *l, const char *name);
/* The attribute's name on the host, of @room bytes; false: not for guests. */
bool local_map_xattr(const Local *l, const char *name, char *host, size_t room);

#endif
