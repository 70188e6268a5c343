/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network block devices. Source: "The NBD protocol" (doc/proto.md of the NBD project; "P" and a section's
 * name). Fixed newstyle negotiation, with TLS where credentials are given; structured replies where both ends have
 * them. All of it runs in the main loop; numbers are big endian.
 */
#ifndef BLOCK_NBD_H
#define BLOCK_NBD_H

#include <sys/uio.h>
#include "block/block.h"
#include "block/track.h"
#include "crypto/tls-session.h"
#include "qapi/types-sockets.h"
#include "util/coroutine.h"

/* P "Values": magic numbers. */
#define NBD_MAGIC           UINT64_C(0x4e42444d41474943)    /* "NBDMAGIC" */
#define NBD_OPTS_MAGIC      UINT64_C(0x49484156454f5054)    /* "IHAVEOPT" */
#define NBD_REP_MAGIC       UINT64_C(0x0003e889045565a9)
#define NBD_REQUEST_MAGIC   0x25609513U
#define NBD_REPLY_MAGIC     0x67446698U
#define NBD_CHUNK_MAGIC     0x668e33efU

enum { NBD_FLAG_FIXED_NEWSTYLE = 1, NBD_FLAG_NO_ZEROES = 2 };
enum { NBD_OPT_EXPORT_NAME = 1, NBD_OPT_ABORT = 2, NBD_OPT_LIST = 3, NBD_OPT_STARTTLS = 5,
       NBD_OPT_INFO = 6, NBD_OPT_GO = 7, NBD_OPT_STRUCTURED_REPLY = 8,
       NBD_OPT_LIST_META_CONTEXT = 9, NBD_OPT_SET_META_CONTEXT = 10 };
enum { NBD_REP_ACK = 1, NBD_REP_SERVER = 2, NBD_REP_INFO = 3, NBD_REP_META_CONTEXT = 4 };
#define NBD_REP_ERR_UNSUP       0x80000001U
#define NBD_REP_ERR_POLICY      0x80000002U
#define NBD_REP_ERR_INVALID     0x80000003U
#define NBD_REP_ERR_TLS_REQD    0x80000005U
#define NBD_REP_ERR_UNKNOWN     0x80000006U
#define NBD_REP_ERR_TOO_BIG     0x80000009U
enum { NBD_INFO_EXPORT = 0, NBD_INFO_DESCRIPTION = 2, NBD_INFO_BLOCK_SIZE = 3 };
enum { NBD_HAS_FLAGS = 1, NBD_READ_ONLY = 2, NBD_SEND_FLUSH = 4, NBD_SEND_FUA = 8, NBD_SEND_TRIM = 32,
       NBD_SEND_WRITE_ZEROES = 64, NBD_SEND_DF = 128, NBD_CAN_MULTI_CONN = 256, NBD_SEND_CACHE = 1024 };
enum { NBD_CMD_READ, NBD_CMD_WRITE, NBD_CMD_DISC, NBD_CMD_FLUSH, NBD_CMD_TRIM, NBD_CMD_CACHE,
       NBD_CMD_WRITE_ZEROES, NBD_CMD_BLOCK_STATUS };
enum { NBD_CMD_FUA = 1, NBD_CMD_NO_HOLE = 2, NBD_CMD_DF = 4, NBD_CMD_REQ_ONE = 8 };
/* P "Structured reply types" */
enum { NBD_CHUNK_DONE = 1 };
enum { NBD_CHUNK_NONE = 0, NBD_CHUNK_DATA = 1, NBD_CHUNK_HOLE = 2, NBD_CHUNK_BLOCK_STATUS = 5,
       NBD_CHUNK_IS_ERROR = 0x8000, NBD_CHUNK_ERROR = 0x8001, NBD_CHUNK_ERROR_OFFSET = 0x8002 };
/* base:allocation's flags, and those of bitmaps */
enum { NBD_STATE_HOLE = 1, NBD_STATE_ZERO = 2, NBD_STATE_DIRTY = 1 };

enum { NBD_REQUEST_BYTES = 28, NBD_REPLY_BYTES = 16, NBD_CHUNK_BYTES = 20, NBD_NAME_MAX = 4096,
       NBD_DATA_MAX = 32 * 1024 * 1024, NBD_DEFAULT_PORT = 10809 };

/* A piece of an export, all of the same state in a context. */
typedef struct NbdExtent {
    uint32_t len, flags;
} NbdExtent;

/* --- nbd-stream.c: a socket, plain or with TLS --- */

typedef struct NbdStream {
    int fd;                         /* non-blocking; owned */
    TlsSession *tls;                /* owned; NULL: plain */
} NbdStream;

/* All of it, or false with errp set; ERR_EOF when the stream ends before the first byte. */
bool coroutine_fn nbd_read(NbdStream *s, void *buf, size_t len, Error **errp);
bool coroutine_fn nbd_readv(NbdStream *s, const struct iovec *iov, size_t niov, Error **errp);
bool coroutine_fn nbd_writev(NbdStream *s, const struct iovec *iov, size_t niov, Error **errp);
bool coroutine_fn nbd_write(NbdStream *s, const void *buf, size_t len, Error **errp);
bool coroutine_fn nbd_skip(NbdStream *s, size_t len, Error **errp);
bool coroutine_fn nbd_start_tls(NbdStream *s, TlsCreds *creds, const char *hostname, const char *authz,
                                Error **errp);
/* Whoever reads or writes gets an error. */
void nbd_shut(NbdStream *s);
void nbd_stream_close(NbdStream *s);

/* An errno and what stands for it in a reply (P "Error values"). */
uint32_t nbd_error_code(int error);
int nbd_errno(uint32_t code);

/* --- nbd-server.c: exports and the server --- */

typedef struct NbdExport NbdExport;
typedef struct NbdExportSpec {
    const char *id, *name, *description;    /* id may be NULL */
    BlockNode *node;
    bool writable, write_through;
    bool allocation_depth;          /* clients may ask for qemu:allocation-depth */
    BlockBitmap **bitmaps;          /* and for these, which nobody else may be using */
    size_t n_bitmaps;
} NbdExportSpec;

bool nbd_server_start(const SocketAddress *addr, TlsCreds *creds, const char *authz, uint32_t max_clients,
                      Error **errp);
/* A listening socket that is there already, which is taken. */
bool nbd_server_start_fd(int fd, TlsCreds *creds, const char *authz, uint32_t max_clients, Error **errp);
bool nbd_server_running(void);
/* Clients are cut off, exports go. */
void nbd_server_stop(void);
/* Called whenever the last client has left; NULL: nothing. */
void nbd_server_on_idle(void (*idle)(void));

NbdExport *nbd_export_add(const NbdExportSpec *spec, Error **errp);
NbdExport *nbd_export_find(const char *id_or_name);
NbdExport *nbd_export_next(const NbdExport *e);     /* NULL: the first */
/* Clients that use it are cut off. */
void nbd_export_remove(NbdExport *e);
/* Of the node or, if it has none of that name, an image below. */
BlockBitmap *nbd_find_bitmap(BlockNode *n, const char *name, Error **errp);
bool nbd_export_in_use(const NbdExport *e);
const char *nbd_export_id(const NbdExport *e);
const char *nbd_export_node(const NbdExport *e);

#endif
