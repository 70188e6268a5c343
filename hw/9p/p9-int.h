/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the 9P server share. */
#ifndef HW_9P_P9_INT_H
#define HW_9P_P9_INT_H

#include "hw/9p/p9.h"

#include <glib.h>
#include "util/coroutine.h"
#include "vmstate/blocker.h"

/* Message types; an answer's is one higher. */
enum {
    P9_RLERROR = 7, P9_TSTATFS = 8, P9_TLOPEN = 12, P9_TLCREATE = 14, P9_TSYMLINK = 16, P9_TMKNOD = 18,
    P9_TRENAME = 20, P9_TREADLINK = 22, P9_TGETATTR = 24, P9_TSETATTR = 26, P9_TXATTRWALK = 30,
    P9_TXATTRCREATE = 32, P9_TREADDIR = 40, P9_TFSYNC = 50, P9_TLOCK = 52, P9_TGETLOCK = 54, P9_TLINK = 70,
    P9_TMKDIR = 72, P9_TRENAMEAT = 74, P9_TUNLINKAT = 76, P9_TVERSION = 100, P9_TAUTH = 102, P9_TATTACH = 104,
    P9_RERROR = 107, P9_TFLUSH = 108, P9_TWALK = 110, P9_TOPEN = 112, P9_TCREATE = 114, P9_TREAD = 116,
    P9_TWRITE = 118, P9_TCLUNK = 120, P9_TREMOVE = 122, P9_TSTAT = 124, P9_TWSTAT = 126,
};
#define P9_HEADER       7           /* size[4] type[1] tag[2] */
#define P9_QID          13
#define P9_MAXWELEM     16
#define P9_NOFID        UINT32_MAX
enum { P9_QTDIR = 0x80, P9_QTSYMLINK = 0x02 };
#define P9_XATTR_MAX    65536       /* bytes of a value */

typedef enum P9Dialect { P9_NONE, P9_DOT_U, P9_DOT_L } P9Dialect;

typedef struct P9Xattr {
    char *name;                     /* owned; NULL: to be read */
    uint8_t *data;
    uint64_t size, written;
    int flags;
} P9Xattr;

/* Under the big lock. A clunked one lives until the last request is done with it. */
typedef struct P9Fid {
    uint32_t id;
    unsigned ref;
    P9 *p;
    FsNode *node;
    FsFile *file;                   /* NULL: not open */
    P9Xattr *xattr;                 /* instead of a file */
    uint32_t uid;
    bool remove_on_clunk;           /* ORCLOSE */
    uint64_t dir_at, dir_next;      /* .u: bytes read of a directory, and where it goes on */
} P9Fid;

typedef struct P9Req P9Req;
struct P9 {
    FsDev *fs;
    char *name;
    P9Dialect dialect;
    uint32_t msize;
    GHashTable *fids;               /* id -> P9Fid */
    MigrationBlocker *blocker;      /* while there are any */
    P9Req *requests;                /* under way */
    unsigned n_requests;
};

struct P9Req {
    P9 *p;
    P9Io *io;
    P9Req *next;
    uint8_t type;
    uint16_t tag;
    CoQueue flushers;               /* wait until it is done */
    /* The message, but for the data of a Twrite: @at is where reading it has come to. */
    uint8_t *msg;
    uint32_t size, have, at;
    bool bad;                       /* it ended too early */
    GByteArray *ans;                /* from the header on */
    uint32_t ans_data;              /* bytes behind it that are in io->in already */
    /* For the worker. */
    int (*work)(P9Req *r);
    bool nowait;                    /* it runs in the caller's thread: -EAGAIN instead of waiting for a disk */
    P9Fid *fid, *fid2;              /* references */
    FsNode *node, *dir;             /* references, or NULL */
    FsFile *file;
    char *name, *name2;             /* owned */
    FsStat st;
    FsSetattr set;
    FsCred cred;
    struct statfs statfs;
    struct flock lock;
    uint64_t offset, number;
    uint32_t count, flags;
    struct iovec *iov;              /* owned */
    unsigned n_iov;
    uint8_t *data;                  /* owned */
    unsigned n_names;
    char *names[P9_MAXWELEM];       /* owned */
    FsStat stats[P9_MAXWELEM];
    unsigned walked;
};

/* Reading the message: zeros once it has ended. */
uint8_t p9_u8(P9Req *r);
uint16_t p9_u16(P9Req *r);
uint32_t p9_u32(P9Req *r);
uint64_t p9_u64(P9Req *r);
/* g_free(); NULL and bad if it has a NUL in it. */
char *p9_str(P9Req *r);
/* A name of one component; *err -EINVAL or so for others. */
char *p9_name(P9Req *r, int *err);
/* A fid that is there, with a reference that goes with the request; NULL: EBADF. */
P9Fid *p9_fid(P9Req *r);

void p9_put8(P9Req *r, uint8_t v);
void p9_put16(P9Req *r, uint16_t v);
void p9_put32(P9Req *r, uint32_t v);
void p9_put64(P9Req *r, uint64_t v);
void p9_put_str(P9Req *r, const char *s);
void p9_put_qid(P9Req *r, const FsStat *st);

/* Yields until @work has run in a worker. */
int coroutine_fn p9_work(P9Req *r, int (*work)(P9Req *r));
/* The same for what the host knows at once most of the time: tried here first, which saves two changes of threads. */
int coroutine_fn p9_work_hot(P9Req *r, int (*work)(P9Req *r));
/* @node and @file are taken. NULL: the id is taken, or there are too many; then they aren't. */
P9Fid *p9_fid_new(P9 *p, uint32_t id, FsNode *node, uint32_t uid);
bool p9_fid_is_free(P9 *p, uint32_t id);
void p9_fid_unref(P9Fid *f);
/* From the table; what it has goes when nobody uses it. */
void p9_fid_drop(P9Fid *f);
bool p9_readonly(const P9Req *r);

typedef int coroutine_fn P9Handler(P9Req *r);
P9Handler *p9_common_handler(uint8_t type);
P9Handler *p9_dotl_handler(uint8_t type);
P9Handler *p9_dotu_handler(uint8_t type);

/* Shared by the dialects. */
int p9_work_stat(P9Req *r);
int p9_work_open(P9Req *r);
int coroutine_fn p9_remove_node(P9Req *r, FsNode *n);
/* Linux's numbers of open flags to this host's. */
int p9_open_flags(uint32_t flags);

#endif
