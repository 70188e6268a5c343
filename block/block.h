/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices. A BlockNode is an image or one layer of it, made by a driver
 * (-blockdev); a BlockBackend is what a guest's device holds (-drive): it has
 * a node, or none when there is no medium, and knows its device.
 *
 * Requests are coroutines. They run in the loop of whoever asks: the back end's
 * loop (blk_set_loop) for devices, the main loop for monitors and jobs, and
 * several loops may have requests in one node. A driver therefore guards its
 * state itself: with a Mutex where nothing waits in the middle, a CoMutex where
 * something does. Devices that don't run in coroutines use the blk_aio_
 * functions, whose callback comes in the back end's loop: under the big lock
 * if that is the main loop, without it in an I/O thread.
 *
 * What nodes there are, their children, media, options and sizes change in the
 * main thread, under the big lock, while the requests of the back ends above
 * are held (blk_drain_begin). Everything that isn't said to be otherwise needs
 * the big lock.
 *
 * Offsets and lengths are in bytes; results are 0 or -errno.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include <sys/uio.h>
#include "block/latency.h"
#include "qobject/error.h"
#include "qobject/qobject.h"
#include "util/main-loop.h"

typedef struct BlockNode BlockNode;
typedef struct BlockBackend BlockBackend;
struct BlockTrack;
struct ImageInfoSpecific;
struct Job;

/* What accesses fit an image best. Powers of two, or 0: nothing is known. */
typedef struct BlockLimits {
    uint32_t logical_block;         /* of the host's device, 512 if unknown */
    uint32_t physical_block;
    uint32_t min_io, opt_io;        /* bytes */
    uint32_t request_alignment;     /* what offset and length must be multiples of; callers of
                                     * block_co_ needn't care */
    uint32_t memory_alignment;      /* of buffers, where the kernel wants it */
    uint32_t discard_granularity;   /* bytes that are freed together */
    bool discard_zeroes;            /* zeroing with BLOCK_ZERO_UNMAP frees space */
} BlockLimits;

/* A snapshot inside of an image. */
typedef struct BlockSnapshot {
    char *id, *name;                /* id: of digits, unique; name: the user's, may be empty */
    uint64_t vm_state_size;         /* bytes of machine state, 0: disk only */
    uint64_t disk_size;
    int64_t date_sec;               /* since 1970, UTC */
    uint32_t date_nsec;
    uint64_t vm_clock_ns;           /* guest time */
    uint64_t icount;                /* instructions executed, UINT64_MAX: not counted */
} BlockSnapshot;

enum { BLOCK_ZERO_UNMAP = 1 };      /* flags of zeroing: the space may be freed */

/* What a range of a node is; all of its @len bytes are the same. */
typedef struct BlockStatus {
    uint64_t len;
    bool allocated;                 /* in this image, not in one below */
    bool data, zero;                /* has data of its own; reads as zeros */
    bool compressed, has_offset;
    uint64_t offset;                /* in the file below */
} BlockStatus;

/* What a format tells about an image. */
typedef struct BlockFormatInfo {
    uint64_t cluster_size, vm_state_offset;
    bool new_has_noise;             /* a new image doesn't read as zeros */
    bool encrypted;
    bool only_compressed;           /* takes compressed writes only, each block once */
    bool is_qcow2, v3, dirty, corrupt, lazy_refcounts, extended_l2;
    const char *compat, *compression;
    unsigned refcount_bits;
    uint64_t other_files;           /* bytes of the host that files beside the image's take */
    const struct LuksHeader *luks;  /* of a format's encryption; NULL: none */
} BlockFormatInfo;

/* The result of checking an image, and where each finding is told. */
typedef struct BlockCheck {
    uint64_t corruptions, leaks, corruptions_fixed, leaks_fixed, flags_wrong;
    uint64_t total, allocated, compressed, fragmented;      /* clusters */
    uint64_t end_offset;            /* of the last cluster in use */
    void (*tell)(void *opaque, const char *text);           /* may be NULL */
    void *opaque;
} BlockCheck;
enum { BLOCK_FIX_LEAKS = 1, BLOCK_FIX_ERRORS = 2 };

typedef enum BlockDetectZeroes { DETECT_ZEROES_OFF, DETECT_ZEROES_ON,
                                 DETECT_ZEROES_UNMAP } BlockDetectZeroes;

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
    /* NULL, or -ENOTSUP: zeros are written. */
    int coroutine_fn (*co_zero)(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags);
    /* A new length; what is added reads as zeros. NULL: can't be. */
    int coroutine_fn (*co_truncate)(BlockNode *n, uint64_t length, Error **errp);
    void (*limits)(BlockNode *n, BlockLimits *l);   /* NULL: as the child's; @l is filled with those */
    bool is_filter;                 /* shows the data of its child */
    bool has_backing;               /* images may be based on others */
    bool has_map;                   /* it knows where in the file things are: read again when somebody else had the image */
    int (*probe)(const uint8_t *head, size_t len);  /* 0 to 100: how sure an image is of this format */
    /* NULL: one piece of data, in the child at the same offset. @len is at least 1. */
    int coroutine_fn (*co_status)(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st);
    void (*info)(BlockNode *n, BlockFormatInfo *info);
    /* What else query-block tells of an image; owned by the caller. NULL: nothing. */
    struct ImageInfoSpecific *(*specific)(BlockNode *n);
    /* Exactly one cluster, or what the disk's end leaves of it. */
    int coroutine_fn (*co_write_compressed)(BlockNode *n, uint64_t offset, const void *buf,
                                            size_t len);
    int coroutine_fn (*co_check)(BlockNode *n, unsigned fix, BlockCheck *result, Error **errp);
    /* Formats: make an image in @file, which is empty. Others: make "filename" of "size" bytes;
     * @file is NULL. @opts: of create_options, numbers and bools as such. */
    bool coroutine_fn (*co_create)(BlockNode *file, const QDict *opts, Error **errp);
    const char *const *create_options;
    /* What else can be changed of an image that is open, as its branch of BlockdevAmendOptions says. NULL: nothing. */
    bool coroutine_fn (*co_amend)(BlockNode *n, const QDict *opts, bool force, Error **errp);
    /* All that is in this image goes; the one below shows through. */
    int coroutine_fn (*co_make_empty)(BlockNode *n);
    int coroutine_fn (*co_change_backing)(BlockNode *n, const char *file, const char *format,
                                          Error **errp);
    /* Nothing is held back and no lock is held from now on. NULL: nothing to do. */
    bool (*inactivate)(BlockNode *n, Error **errp);
    /* The node becomes read-only or writable; false: it can't. NULL: nothing to do. */
    bool (*reopen)(BlockNode *n, bool read_only, Error **errp);
    /* Internal snapshots: all or none. @id_or_name as in block_snapshot_goto. */
    bool coroutine_fn (*co_snapshot_create)(BlockNode *n, BlockSnapshot *s, Error **errp);
    bool coroutine_fn (*co_snapshot_goto)(BlockNode *n, const BlockSnapshot *s, Error **errp);
    bool coroutine_fn (*co_snapshot_delete)(BlockNode *n, const BlockSnapshot *s, Error **errp);
    /* The node is read-only: from now on it shows that snapshot. Nothing is written. */
    int coroutine_fn (*co_snapshot_look)(BlockNode *n, const BlockSnapshot *s);
    /* Array of @count, owned by the caller. */
    BlockSnapshot *(*snapshot_list)(BlockNode *n, size_t *count);
    int coroutine_fn (*co_vmstate)(BlockNode *n, bool write, uint64_t pos, const struct iovec *iov,
                                   size_t niov);
    /* Dirty bitmaps that are kept in the image: they are stored at close, and there after open. */
    bool (*can_store_bitmap)(BlockNode *n, const char *name, Error **errp);
    void (*forget_bitmap)(BlockNode *n, const char *name);
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
    BlockNode *backing;             /* the image below, a reference; or NULL */
    char *backing_file, *backing_format;    /* as the image names them; or NULL */
    BlockNode *next;                /* list of all */
    unsigned refs;
    bool read_only, auto_read_only, discard, direct, no_flush, force_share;
    BlockDetectZeroes detect_zeroes;
    bool grows;                     /* a write past the end makes it longer; what is there reads as zeros */
    bool probed;                    /* its format was guessed */
    bool check_only;                /* opened to be looked at or mended: damage is no reason to refuse */
    bool monitor_owned;             /* made by blockdev-add */
    bool inactive;                  /* another process may be writing to it: see block_activate_all */
    QDict *opts;                    /* what it was opened with; owned */
    struct BlockTrack *track;       /* who is told of writes (track.h); owned, may be NULL */
    struct Job *job;                /* what uses it and wants no change of it; NULL: nothing */
    unsigned job_refs;              /* of refs: those of jobs */
    _Atomic uint64_t wr_highest;    /* end of the last byte ever written */
    _Atomic uint64_t write_threshold;   /* the first write that goes beyond is told; 0: none */
    void *state;                    /* the driver's */
};

/* --- nodes --- */

/* @opts as -blockdev: "driver" (without it, the format is probed), "node-name", "read-only", "auto-read-only", "discard", "cache.*" and the
 * driver's own; children as names of nodes, nested objects, or "file.*" keys. One reference. */
BlockNode *block_node_open(const QDict *opts, Error **errp);
BlockNode *block_node_find(const char *name);
BlockNode *block_node_ref(BlockNode *n);
void block_node_unref(BlockNode *n);
BlockNode *block_node_first(void);
/* Fails with ERR_IN_USE as long as somebody uses it. */
bool block_node_delete(const char *name, Error **errp);
/* The node and its file become read-only or writable. Requests are drained. */
bool block_node_set_read_only(BlockNode *n, bool read_only, Error **errp);
/* What has @old, devices and nodes above but @except, has @with from now on. */
void block_node_replace(BlockNode *old, BlockNode *with, const BlockNode *except);
/* An empty qcow2 image in @path, based on @backing_file if that isn't NULL. */
bool block_create_qcow2(const char *path, uint64_t size, const char *backing_file,
                        const char *backing_format, Error **errp);
/* The format that @file's first bytes look like; raw if none. */
const BlockDriver *block_probe(BlockNode *file, Error **errp);
bool blockdev_add(const QDict *opts, Error **errp);         /* -blockdev */
/* Options that may be values or texts: "on", "off"; numbers with K, M, G, T. */
bool block_bool_option(const QDict *opts, const char *key, bool otherwise);
/* The value of "KEY" as an object, or of "KEY.x"; NULL: there is neither. A new reference. */
QDict *block_nested_options(const QDict *opts, const char *key);
bool block_size_option(const QDict *opts, const char *key, uint64_t *v, Error **errp);
/* Where an image's backing file is: relative names begin at the image's folder. Freed by the caller. */
char *block_backing_path(const char *image, const char *backing);
/* Options of a node for a name as people write it: "file", "file:x", "json:{...}", "null-co://",
 * "blkdebug:config:x". NULL with errp set. */
QDict *block_filename_options(const char *name, Error **errp);

int coroutine_fn block_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                 size_t niov);
int coroutine_fn block_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                  size_t niov);
int coroutine_fn block_co_flush(BlockNode *n);
int coroutine_fn block_co_discard(BlockNode *n, uint64_t offset, uint64_t len);
int coroutine_fn block_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags);
/* Zeros as data, whatever the driver has for them. */
int coroutine_fn block_co_write_zeros(BlockNode *n, uint64_t offset, uint64_t len);
/* Of this node alone. */
int coroutine_fn block_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st);
/* With the images below: what isn't allocated in @n is looked up there; *@depth tells how far. What is
 * past the end of an image below reads as zeros. */
int coroutine_fn block_co_chain_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st,
                                       BlockNode **where, unsigned *depth);
/* The same down to @end, which is one of the images below and isn't looked at; NULL: all of them. Not
 * allocated: it comes from @end, or (zero) an image on the way was too short. */
int coroutine_fn block_co_status_above(BlockNode *n, const BlockNode *end, uint64_t offset, uint64_t len,
                                       BlockStatus *st, BlockNode **where, unsigned *depth);
/* The image below, whatever filters there are in between. */
BlockNode *block_below(BlockNode *n);
BlockNode *block_skip_filters(BlockNode *n);
int64_t block_length(BlockNode *n);
/* Whether @n is @top or below it. */
bool block_node_uses(const BlockNode *top, const BlockNode *n);
/* Tells the devices above. @length is a multiple of 512. */
bool block_truncate(BlockNode *n, uint64_t length, Error **errp);
void block_limits(BlockNode *n, BlockLimits *l);

/* Run @fn(@opaque) as a coroutine of the main loop and handle events until it has returned; in a
 * coroutine it is just called. */
void block_run(void (*fn)(void *opaque), void *opaque);

/* --- for migration: images that two processes have open, of which one at a time writes --- */

/* Images that are opened from now on are inactive: not locked, only read, until all are activated. */
void block_open_inactive(void);
/* Lock them and look again at what is in them. The machine is stopped, here and in the next. */
bool block_activate_all(Error **errp);
/* Write back everything and let go of the locks; the machine's requests are drained. After a failure
 * all are active again as far as possible. */
bool block_inactivate_all(Error **errp);

/* --- internal snapshots: the machine is stopped, its requests are drained --- */

/* Whether the node's format has them and it can be written; @errp says why not. */
bool block_can_snapshot(BlockNode *n, Error **errp);
/* @s->name, dates, clock and vm_state_size are the caller's; the id and the disk's size are made up.
 * A snapshot of the same name is no obstacle: delete it first if it shall go. */
bool block_snapshot_create(BlockNode *n, BlockSnapshot *s, Error **errp);
/* By id or, failing that, by name. goto gives the disk the content it had; a disk whose size was
 * another gets that one back. */
bool block_snapshot_goto(BlockNode *n, const char *id_or_name, Error **errp);
bool block_snapshot_delete(BlockNode *n, const char *id_or_name, Error **errp);
/* A node that was opened read-only shows the snapshot, disk and machine state, until it is closed; the image isn't
 * changed. By id or name. */
bool block_snapshot_look(BlockNode *n, const char *id_or_name, Error **errp);
/* Array of @count, to be freed with block_snapshot_list_free. NULL without errp: none. */
BlockSnapshot *block_snapshot_list(BlockNode *n, size_t *count, Error **errp);
void block_snapshot_list_free(BlockSnapshot *list, size_t count);
/* NULL: there is none; errp isn't set. *@list is to be freed. */
const BlockSnapshot *block_snapshot_find(const BlockSnapshot *list, size_t count,
                                         const char *id_or_name);
/* Machine state: bytes that belong to the current state of the image, beside the disk's. Write
 * it, then make a snapshot, whose vm_state_size tells how much there is; goto, then read. What was
 * never written reads as zeros. */
bool block_vmstate_write(BlockNode *n, const void *buf, uint64_t pos, size_t len, Error **errp);
bool block_vmstate_read(BlockNode *n, void *buf, uint64_t pos, size_t len, Error **errp);

/* --- back ends --- */

/* What a device is told; any may be NULL. */
typedef struct BlockDeviceOps {
    void (*media_changed)(void *opaque, bool loaded);
    bool (*is_locked)(void *opaque);            /* the guest holds the tray */
    bool (*tray_open)(void *opaque);
    void (*eject_request)(void *opaque, bool force);
    void (*resized)(void *opaque);              /* blk_length() is another now */
    void (*set_tray)(void *opaque, bool open);  /* the user moves the tray */
} BlockDeviceOps;

typedef struct BlockStats {
    uint64_t rd_bytes, wr_bytes, discard_bytes, rd_ops, wr_ops, flush_ops, discard_ops;
    uint64_t rd_ns, wr_ns, flush_ns, discard_ns;        /* sums of latencies */
    uint64_t rd_failed, wr_failed, flush_failed, discard_failed;
    uint64_t wr_highest;                        /* end of the last byte ever written */
    int64_t last_ns;                            /* CLOCK_RT of the last request's end; 0: none */
} BlockStats;

/* What follows when a device's request fails: the guest is told, nothing, or the machine stops and the
 * request is held until it goes on; ENOSPC: stops for want of space, else tells the guest. */
typedef enum BlockErrorAction { BLOCK_ERROR_REPORT, BLOCK_ERROR_IGNORE, BLOCK_ERROR_STOP,
                                BLOCK_ERROR_ENOSPC } BlockErrorAction;

struct BlockBackend {
    char *id;
    BlockNode *node;                /* a reference; NULL: no medium */
    bool read_only;                 /* media=cdrom, or readonly=on */
    bool removable;
    BlockErrorAction on_read_error, on_write_error;
    int io_status;                  /* 0, or the error that stopped the machine */
    bool write_cache;               /* off: a write is on the disk when it is done */
    bool anonymous;                 /* made for a node: query-block shows no id */
    bool hidden;                    /* of an export: query-block doesn't show it */
    struct ThrottleGroup *throttle; /* a reference; NULL: no limits */
    unsigned hurry;                 /* somebody drains: limits don't count; atomic */
    const BlockDeviceOps *ops;
    void *opaque;                   /* of ops */
    void *owner;                    /* the device (Object) that holds it */
    EventLoop *loop;                /* of its requests */
    Mutex lock;                     /* any thread; guards the rest but next */
    BlockStats stats;
    BlockLatency latency;
    unsigned in_flight;             /* requests that the node has */
    unsigned submitted;             /* of devices, not done */
    unsigned quiesced;              /* blk_drain_begin less blk_drain_end */
    struct BlkWaiter *waiters;      /* what came meanwhile, oldest first */
    struct AioRequest *held;        /* failed, to be tried again; oldest first */
    BlockBackend *next;
};

/* What QMP calls the device that holds it: its id, else its path. Freed with free(); NULL: none holds it. */
char *blk_owner_name(const BlockBackend *b);
/* The event DEVICE_TRAY_MOVED. */
void blk_tray_moved(const BlockBackend *b, bool open);
BlockBackend *blk_new(const char *id, Error **errp);        /* ERR_DUPLICATE_ID */
void blk_delete(BlockBackend *b);
/* The user wants it gone: a device that holds it has no medium any more, and it goes with that device. */
bool blk_remove(BlockBackend *b, Error **errp);
/* By id, or by node name: then a back end for that node is made. NULL with errp set. */
BlockBackend *blk_find(const char *id);
BlockBackend *blk_first(void);
bool blk_insert(BlockBackend *b, BlockNode *n, Error **errp);       /* takes a reference of its own */
void blk_eject(BlockBackend *b);
void blk_set_device_ops(BlockBackend *b, const BlockDeviceOps *ops, void *opaque);
bool blk_has_medium(const BlockBackend *b);
uint64_t blk_length(BlockBackend *b);           /* 0 without medium */
bool blk_is_read_only(const BlockBackend *b);

void blk_limits(BlockBackend *b, BlockLimits *l);
/* cache.writeback and the guest's own switch: off makes each write a flushed one. */
void blk_set_write_cache(BlockBackend *b, bool on);

/* Where requests run and their callbacks come: NULL for the main loop. In the main thread; waits for
 * what is in flight. The functions below are then called in that loop's thread. */
void blk_set_loop(BlockBackend *b, EventLoop *loop);
/* Files let go of a loop. blk_set_loop does it when the last back end leaves; who runs coroutines with
 * nodes in a loop of its own does it before event_loop_free. */
void block_forget_loop(EventLoop *loop);

/* NULL: none. Takes a reference of its own. */
void blk_set_throttle(BlockBackend *b, struct ThrottleGroup *g);

/* The blk_co_ and blk_aio_ functions need no lock. */
int coroutine_fn blk_co_preadv(BlockBackend *b, uint64_t offset, const struct iovec *iov,
                               size_t niov);
int coroutine_fn blk_co_pwritev(BlockBackend *b, uint64_t offset, const struct iovec *iov,
                                size_t niov);
int coroutine_fn blk_co_flush(BlockBackend *b);
int coroutine_fn blk_co_discard(BlockBackend *b, uint64_t offset, uint64_t len);
int coroutine_fn blk_co_zero(BlockBackend *b, uint64_t offset, uint64_t len, unsigned flags);
/* As block_co_chain_status; limits don't count. */
int coroutine_fn blk_co_status(BlockBackend *b, uint64_t offset, uint64_t len, BlockStatus *st, unsigned *depth);

/* A request of a device: @done comes exactly once, never before return. The iovec array and the
 * buffers stay valid until then. */
typedef void BlkDone(void *opaque, int result);
void blk_aio_rw(BlockBackend *b, bool write, uint64_t offset, const struct iovec *iov,
                size_t niov, BlkDone *done, void *opaque);
/* The same; true: it has ended already, with *@result, and @done doesn't come. */
bool blk_aio_rw_now(BlockBackend *b, bool write, uint64_t offset, const struct iovec *iov, size_t niov,
                    BlkDone *done, void *opaque, int *result);
void blk_aio_flush(BlockBackend *b, BlkDone *done, void *opaque);
void blk_aio_discard(BlockBackend *b, uint64_t offset, uint64_t len, BlkDone *done, void *opaque);
/* @may_unmap: the space may be freed, as long as it reads as zeros. */
void blk_aio_zero(BlockBackend *b, uint64_t offset, uint64_t len, bool may_unmap, BlkDone *done,
                  void *opaque);

/* Until no device has a request in flight; runs the main loop's events. What is held after an
 * error (stop) stays so. In an I/O thread's callbacks: not allowed. */
void blk_drain(BlockBackend *b);
/* Requests of devices that aren't done. Any thread. */
bool blk_any_in_flight(void);
void blk_drain_all(void);
/* Requests wait from begin, which returns when none is in flight, to end. Main thread. */
void blk_drain_begin(BlockBackend *b);
void blk_drain_end(BlockBackend *b);
/* The same for all back ends that use @n, at any depth. */
void block_drain_begin(BlockNode *n);
void block_drain_end(BlockNode *n);

/* --- requests held after errors --- */

/* What stops the machine; system/ sets it. */
void block_set_stop_hook(void (*stop)(void));
/* The machine goes on: held requests are tried again. */
void blk_retry_held(void);
/* A reset, or the device goes: held requests end with their errors. */
void blk_cancel_held(BlockBackend *b);
/* Whether any back end holds one: the machine's state isn't complete then. */
bool blk_any_held(void);

/* The emulator ends: what is in flight ends, images are flushed and closed, as far as nobody else has
 * them. The machine is stopped. */
void block_close_all(void);

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
