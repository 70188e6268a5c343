/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices. A BlockNode is an image or one layer of it, made by a driver
 * (-blockdev); a BlockBackend is what a guest's device holds (-drive): it has
 * a node, or none when there is no medium, and knows its device.
 *
 * Requests are coroutines: the blk_co_ functions may yield, and are called in
 * coroutines of the loop that the back end belongs to (the main loop). Devices
 * that don't run in coroutines use blk_aio_rw and blk_aio_flush, whose callback
 * comes in that loop, under the big lock. Everything else: big lock.
 *
 * Offsets and lengths are in bytes; results are 0 or -errno.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include <sys/uio.h>
#include "qobject/error.h"
#include "qobject/qobject.h"

typedef struct BlockNode BlockNode;
typedef struct BlockBackend BlockBackend;

/* --- drivers --- */

typedef struct BlockDriver {
    const char *name;               /* "file", "raw" */
    const char *const *options;     /* accepted members besides the common ones; NULL ends */
    size_t state_size;
    /* @opts: checked against .options. The node's read_only may be set when
     * auto-read-only is on. */
    bool (*open)(BlockNode *n, const QDict *opts, Error **errp);
    void (*close)(BlockNode *n);
    int64_t (*length)(BlockNode *n);        /* bytes or -errno */
    int coroutine_fn (*co_preadv)(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                  size_t niov);
    int coroutine_fn (*co_pwritev)(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                   size_t niov);
    int coroutine_fn (*co_flush)(BlockNode *n);     /* NULL: nothing to do */
    int coroutine_fn (*co_discard)(BlockNode *n, uint64_t offset, uint64_t len); /* NULL: ignored */
    int coroutine_fn (*co_zero)(BlockNode *n, uint64_t offset, uint64_t len); /* NULL: zeros are written */
    struct BlockDriver *next;       /* registry's */
} BlockDriver;
void block_driver_register(BlockDriver *drv);
const BlockDriver *block_driver_find(const char *name);
const BlockDriver *block_driver_first(void);

struct BlockNode {
    const BlockDriver *drv;
    char *name;                     /* node-name, or "#blockN" */
    char *filename;                 /* for people; may be NULL */
    BlockNode *file;                /* child, a reference; or NULL */
    BlockNode *next;                /* list of all */
    unsigned refs;
    bool read_only, auto_read_only, discard, direct, no_flush;
    bool writer;                    /* some back end writes to it */
    void *state;                    /* the driver's */
};

/* --- nodes --- */

/* @opts as -blockdev: "driver", "node-name", "read-only", "auto-read-only", "discard", "cache.*" and the
 * driver's own; children as names of nodes, nested objects, or "file.*" keys. One reference. */
BlockNode *block_node_open(const QDict *opts, Error **errp);
BlockNode *block_node_find(const char *name);
BlockNode *block_node_ref(BlockNode *n);
void block_node_unref(BlockNode *n);
BlockNode *block_node_first(void);
/* Fails with ERR_IN_USE as long as somebody uses it. */
bool block_node_delete(const char *name, Error **errp);
bool blockdev_add(const QDict *opts, Error **errp);         /* -blockdev */

int coroutine_fn block_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                 size_t niov);
int coroutine_fn block_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                  size_t niov);
int coroutine_fn block_co_flush(BlockNode *n);
int coroutine_fn block_co_discard(BlockNode *n, uint64_t offset, uint64_t len);
int coroutine_fn block_co_zero(BlockNode *n, uint64_t offset, uint64_t len);
int64_t block_length(BlockNode *n);

/* --- back ends --- */

/* What a device is told; any may be NULL. */
typedef struct BlockDeviceOps {
    void (*media_changed)(void *opaque, bool loaded);
    bool (*is_locked)(void *opaque);            /* the guest holds the tray */
    bool (*tray_open)(void *opaque);
    void (*eject_request)(void *opaque, bool force);
} BlockDeviceOps;

typedef struct BlockStats {
    uint64_t rd_bytes, wr_bytes, rd_ops, wr_ops, flush_ops, discard_ops;
    uint64_t rd_ns, wr_ns, flush_ns;            /* sums of latencies */
    uint64_t rd_failed, wr_failed, flush_failed;
} BlockStats;

typedef enum BlockErrorAction { BLOCK_ERROR_REPORT, BLOCK_ERROR_IGNORE, BLOCK_ERROR_STOP,
                                BLOCK_ERROR_ENOSPC } BlockErrorAction;

struct BlockBackend {
    char *id;
    BlockNode *node;                /* a reference; NULL: no medium */
    bool read_only;                 /* media=cdrom, or readonly=on */
    bool removable;
    BlockErrorAction on_read_error, on_write_error;
    const BlockDeviceOps *ops;
    void *opaque;                   /* of ops */
    void *owner;                    /* the device (Object) that holds it */
    BlockStats stats;
    unsigned in_flight;
    BlockBackend *next;
};

BlockBackend *blk_new(const char *id, Error **errp);        /* ERR_DUPLICATE_ID */
void blk_delete(BlockBackend *b);
/* By id, or by node name: then a back end for that node is made. NULL with errp set. */
BlockBackend *blk_find(const char *id);
BlockBackend *blk_first(void);
bool blk_insert(BlockBackend *b, BlockNode *n, Error **errp);       /* takes a reference of its own */
void blk_eject(BlockBackend *b);
void blk_set_device_ops(BlockBackend *b, const BlockDeviceOps *ops, void *opaque);
bool blk_has_medium(const BlockBackend *b);
uint64_t blk_length(BlockBackend *b);           /* 0 without medium */
bool blk_is_read_only(const BlockBackend *b);

int coroutine_fn blk_co_preadv(BlockBackend *b, uint64_t offset, const struct iovec *iov,
                               size_t niov);
int coroutine_fn blk_co_pwritev(BlockBackend *b, uint64_t offset, const struct iovec *iov,
                                size_t niov);
int coroutine_fn blk_co_flush(BlockBackend *b);
int coroutine_fn blk_co_discard(BlockBackend *b, uint64_t offset, uint64_t len);

/* A request of a device: @done comes exactly once, never before return. The iovec array and the
 * buffers stay valid until then. */
typedef void BlkDone(void *opaque, int result);
void blk_aio_rw(BlockBackend *b, bool write, uint64_t offset, const struct iovec *iov,
                size_t niov, BlkDone *done, void *opaque);
void blk_aio_flush(BlockBackend *b, BlkDone *done, void *opaque);
void blk_aio_discard(BlockBackend *b, uint64_t offset, uint64_t len, BlkDone *done, void *opaque);
/* Until nothing is in flight; runs the main loop's events. */
void blk_drain(BlockBackend *b);
void blk_drain_all(void);

/* --- -drive --- */

typedef struct DriveSpec {
    char *interface;                /* "ide", "none" ...; owned, as the next */
    char *blockdev;                 /* id of the back end */
    int bus, unit;                  /* -1: not given */
    int index;                      /* -1: not given */
    bool cdrom;
} DriveSpec;
/* @default_if: what if= is without being given. False: nothing was made. */
bool drive_add(const QDict *opts, const char *default_if, DriveSpec *out, Error **errp);
void drive_spec_cleanup(DriveSpec *d);

#endif
