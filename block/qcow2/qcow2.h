/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2, inside of the driver. Source: "Qcow2 Image File Format" (the published
 * specification; "Spec" and a section's name below).
 *
 *   header.c     header and extensions     create.c    new images, resizing
 *   table.c      cache of L2 tables and refcount blocks, the order of writes
 *   refcount.c   refcounts, allocation     cluster.c   guest offsets to host offsets
 *   io.c         requests                  compress.c  compressed clusters
 *   snapshot.c   internal snapshots        check.c     finding and mending damage
 *   bitmaps.c    dirty bitmaps         crypt.c     encryption
 *   driver.c     the driver's table
 *
 * What makes a killed process or a power cut harmless: L1, L2 tables, refcounts
 * and the refcount table are changed in memory, and written in this order, with
 * a flush of the file between the groups that something was written in:
 *
 *   refcount blocks, refcount table, L2 tables, L1 table, then refcounts that fell
 *
 * So a cluster that is referenced on the disk has a refcount there, and one that
 * is still referenced there isn't given to others: frees wait (FreeLater) until
 * the tables that dropped the reference are written, and until the requests that
 * may still use the cluster have ended. What is lost in between leaks, and only
 * writes that weren't flushed are lost.
 *
 * Everything here is under Qcow2.lock but for what is said to be atomic. Data is
 * read and written without it; requests that allocate hold their guest clusters
 * (Alloc), and others that would change the mapping of those wait.
 */
#ifndef BLOCK_QCOW2_QCOW2_H
#define BLOCK_QCOW2_QCOW2_H

#include <glib.h>
#include "block/format.h"
#include "block/luks/luks.h"
#include "util/coroutine.h"

#define QCOW2_MAGIC     0x514649fbU             /* "QFI\xfb" */

/* Spec "Header", incompatible_features and the others. */
enum { INCOMPAT_DIRTY = 1, INCOMPAT_CORRUPT = 2, INCOMPAT_DATA_FILE = 4, INCOMPAT_COMPRESSION = 8,
       INCOMPAT_EXTENDED_L2 = 16 };
enum { COMPAT_LAZY_REFCOUNTS = 1 };
enum { AUTOCLEAR_BITMAPS = 1 };
enum { EXT_END = 0, EXT_BACKING_FORMAT = (int)0xe2792aca, EXT_FEATURES = 0x6803f857,
       EXT_BITMAPS = 0x23852875, EXT_DATA_FILE = 0x44415441, EXT_CRYPT = 0x0537be77 };
enum { CRYPT_LUKS = 2 };                /* crypt_method */

/* Offsets of header fields. */
enum { HDR_BACKING_OFFSET = 8, HDR_BACKING_SIZE = 16, HDR_SIZE = 24, HDR_CRYPT = 32, HDR_L1_SIZE = 36,
       HDR_L1_OFFSET = 40, HDR_RT_OFFSET = 48, HDR_RT_CLUSTERS = 56, HDR_NB_SNAPSHOTS = 60,
       HDR_SNAPSHOTS_OFFSET = 64, HDR_INCOMPAT = 72, HDR_COMPAT = 80, HDR_AUTOCLEAR = 88,
       HDR_REFCOUNT_ORDER = 96, HDR_LENGTH = 100, HDR_COMPRESSION = 104, HDR_V2_LENGTH = 72,
       HDR_V3_LENGTH = 104, HDR_OUR_LENGTH = 112 };

#define OFFSET_MASK     UINT64_C(0x00fffffffffffe00)    /* bits 9 to 55 */
#define FLAG_COPIED     BIT64(63)
#define FLAG_COMPRESSED BIT64(62)
#define FLAG_ZERO       BIT64(0)
#define L1_RESERVED     UINT64_C(0x7f000000000001ff)
#define L2_RESERVED     UINT64_C(0x3f000000000001fe)

/* Limits: of ours, and those that others have for what they open. */
#define MIN_CLUSTER_BITS        9
#define MAX_CLUSTER_BITS        21
#define MAX_L1_BYTES            (32 * MIB)
#define MAX_REFTABLE_BYTES      (8 * MIB)
#define MAX_SNAPSHOTS           65536
#define MAX_SNAPSHOT_TABLE      (64 * MIB)
#define MAX_SNAPSHOT_EXTRA      1024
#define MAX_BACKING_NAME        1023
#define MAX_EXTENSION           (64 * KIB)

/* One table or refcount block in memory. */
typedef struct Table {
    uint64_t offset;                /* in the file */
    uint8_t *data;                  /* a cluster, big endian as in the file */
    uint32_t lo, hi;                /* bytes to be written; lo < hi: it is dirty */
    unsigned pins;
    struct Table *newer, *older;    /* by use */
} Table;

typedef struct TableCache {
    GHashTable *by_offset;          /* of Table, owned */
    Table *newest, *oldest;
    size_t max;                     /* tables */
    size_t dirty;                   /* tables that are */
    bool is_l2;
} TableCache;

typedef struct Extension {
    uint32_t type, len;
    uint8_t *data;
} Extension;

typedef struct Snapshot {
    BlockSnapshot info;
    uint64_t l1_offset;
    uint32_t l1_size;
    uint32_t extra_size;            /* as it was read */
    uint8_t *extra;                 /* all of it; what we don't know is kept */
} Snapshot;

/* A cluster reference that goes when its last mention on the disk has gone. */
typedef struct FreeLater {
    uint64_t cluster, count;        /* host clusters */
    uint64_t serial;                /* requests up to this one may still use it */
    bool discard;                   /* free the space in the file too */
} FreeLater;

/* A request that reads or writes data. */
typedef struct InFlight {
    uint64_t serial;
    struct InFlight *next;
} InFlight;

/* Guest clusters whose mapping is about to change. */
typedef struct Alloc {
    uint64_t first, end;
    struct Alloc *next;
} Alloc;

typedef struct Qcow2 {
    BlockNode *n;                   /* back pointer */
    CoMutex lock;

    uint32_t version, cluster_bits, refcount_order, header_length;
    uint64_t cluster_size;
    uint32_t l2_bits;               /* of an L2 index */
    uint32_t l2_entry_size;         /* 8, extended: 16 */
    uint32_t sub_bits;              /* log2 of a subcluster's size; without them: cluster_bits */
    uint32_t refcount_bits, rb_bits;        /* width; log2 of the entries of a refcount block */
    uint64_t refcount_max;
    uint64_t size;                  /* virtual; atomic */
    uint64_t incompat, compat, autoclear;
    uint8_t compression;            /* 0 zlib, 1 zstd */
    uint8_t *header_tail;           /* header fields that we don't know, kept */
    GArray *extensions;             /* of Extension */
    char *backing_file, *backing_format;

    uint64_t *l1;                   /* host byte order */
    uint32_t l1_size, l1_lo, l1_hi; /* entries; those to be written */
    uint64_t l1_offset;
    uint64_t *rt;                   /* refcount table, host byte order */
    uint32_t rt_size, rt_lo, rt_hi; /* entries; those to be written */
    uint64_t rt_offset;
    uint32_t rt_clusters;

    TableCache l2_cache, rb_cache;
    uint64_t free_hint;             /* no free cluster before this one */
    uint64_t free_byte;             /* where compressed data goes on, 0: nowhere */

    GArray *frees;                  /* of FreeLater, oldest first */
    uint64_t serial;
    InFlight *oldest, **newest;
    Alloc *allocs;
    CoQueue alloc_ended;

    Snapshot *snapshots;
    uint32_t nb_snapshots;
    uint64_t snapshots_offset, snapshots_bytes;

    bool lazy;                      /* refcounts are written at the end only */
    bool dirty_set;                 /* the dirty bit is in the header, and we set it */
    bool keep_dirty;                /* something went wrong on the way: who opens next shall check */
    uint32_t **in_use;              /* while references are counted: chunks of counts, NULL where
                                     * nothing is referenced; else NULL */
    uint64_t in_use_chunks;
    uint32_t crypt_method;          /* 0, CRYPT_LUKS */
    uint64_t crypt_offset, crypt_length;    /* of its header in the file */
    LuksHeader luks;
    LuksIo crypt;                   /* without a cipher: opened without the password, to look at tables */
    CoMutex crypt_header;           /* held while passwords change */
    bool broken;                    /* damage was found: no more writes */
    bool discard_passes;            /* freed clusters are discarded in the file */
} Qcow2;

typedef enum Kind { Q_UNALLOCATED, Q_ZERO, Q_NORMAL, Q_COMPRESSED } Kind;

static inline uint64_t l1_index_of(const Qcow2 *s, uint64_t guest)
{
    return guest >> (s->cluster_bits + s->l2_bits);
}

static inline uint32_t l2_index_of(const Qcow2 *s, uint64_t guest)
{
    return (guest >> s->cluster_bits) & ((1U << s->l2_bits) - 1);
}

static inline bool extended_l2(const Qcow2 *s)
{
    return s->l2_entry_size == 16;
}

static inline uint64_t clusters_for(const Qcow2 *s, uint64_t bytes)
{
    return (bytes >> s->cluster_bits) + ((bytes & (s->cluster_size - 1)) != 0);
}

/* Where machine state begins: the first L1 entry past the disk (Spec "Snapshots", byte 32). */
uint64_t qcow2_vmstate_offset(const Qcow2 *s);
uint64_t qcow2_l1_for(const Qcow2 *s, uint64_t size);

/* Damage: told once; from then on nothing is written. Returns -EIO. */
#define qcow2_broken(s, ...) format_damaged((s)->n, &(s)->broken, __VA_ARGS__)

static inline int coroutine_fn qcow2_read(Qcow2 *s, uint64_t offset, void *buf, size_t len)
{
    return format_read(s->n->file, offset, buf, len);
}

static inline int coroutine_fn qcow2_write(Qcow2 *s, uint64_t offset, const void *buf, size_t len)
{
    return format_write(s->n->file, offset, buf, len);
}

/* --- table.c --- */
void qcow2_cache_init(TableCache *c, size_t max, bool is_l2);
void qcow2_cache_free(TableCache *c);
/* Pinned until qcow2_table_put. @fresh: it is new, all zeros and all to be written. */
int coroutine_fn qcow2_table_get(Qcow2 *s, TableCache *c, uint64_t offset, bool fresh, Table **t);
void qcow2_table_put(Table *t);
void qcow2_table_dirty(TableCache *c, Table *t, uint32_t lo, uint32_t hi);
/* A table's cluster is free now: what is cached of it is worthless. */
void qcow2_table_forget(TableCache *c, uint64_t offset);
/* Write all that is to be written, in order. */
int coroutine_fn qcow2_write_tables(Qcow2 *s);
/* The same, and refcounts that only fell, and those that lazy refcounts keep back. */
int coroutine_fn qcow2_write_all(Qcow2 *s);
void qcow2_l1_dirty(Qcow2 *s, uint32_t first, uint32_t end);

/* --- refcount.c --- */
int coroutine_fn qcow2_refcount_get(Qcow2 *s, uint64_t cluster, uint64_t *count);
/* Adds @delta (1 or -1) to @n clusters' refcounts. */
int coroutine_fn qcow2_refcount_add(Qcow2 *s, uint64_t cluster, uint64_t n, int delta);
int coroutine_fn qcow2_refcount_set(Qcow2 *s, uint64_t cluster, uint64_t count);
/* Contiguous free clusters, 1 to @want of them, or exactly @want if @all; returns how many, *@offset
 * is the first one's. */
int64_t coroutine_fn qcow2_alloc(Qcow2 *s, uint64_t want, bool all, uint64_t *offset);
void qcow2_free_later(Qcow2 *s, uint64_t offset, uint64_t bytes, bool discard);
/* The tables are written: what nobody uses any more is freed. */
int coroutine_fn qcow2_apply_frees(Qcow2 *s);
/* While references are counted: how many a cluster has. @make: a place to write; NULL if there is none. */
enum { IN_USE_BITS = 16 };          /* log2 of the clusters in a chunk */
uint32_t *qcow2_in_use(Qcow2 *s, uint64_t cluster, bool make);
uint64_t qcow2_refcount_read(const Qcow2 *s, const uint8_t *block, uint64_t index);
void qcow2_refcount_write(const Qcow2 *s, uint8_t *block, uint64_t index, uint64_t count);

/* --- cluster.c --- */
typedef struct Map {
    Kind kind;
    uint64_t len;                   /* bytes of this kind */
    uint64_t host;                  /* Q_NORMAL: where they are; Q_ZERO: allocated or 0 */
    uint64_t entry;                 /* Q_COMPRESSED: the L2 entry */
} Map;
int coroutine_fn qcow2_map(Qcow2 *s, uint64_t guest, uint64_t len, Map *m);
uint64_t qcow2_l2_entry(const Qcow2 *s, const Table *t, uint32_t index);
uint64_t qcow2_l2_bitmap(const Qcow2 *s, const Table *t, uint32_t index);
void qcow2_l2_set(Qcow2 *s, Table *t, uint32_t index, uint64_t entry, uint64_t bitmap);
/* The L2 table of a guest offset, to be changed. */
int coroutine_fn qcow2_l2_get(Qcow2 *s, uint64_t guest, Table **t);
/* Drop the reference of an entry that was replaced. */
void qcow2_free_entry(Qcow2 *s, uint64_t entry, bool discard);
/* Where a compressed cluster's bytes are (Spec "Compressed Clusters Descriptor"). */
void qcow2_compressed_place(const Qcow2 *s, uint64_t entry, uint64_t *offset, uint64_t *len);

/* What a write needs: clusters from the one of @guest on. */
typedef struct Plan {
    enum { PLAN_IN_PLACE, PLAN_REUSE, PLAN_NEW } what;
    uint64_t host;                  /* of the first cluster; PLAN_NEW: 0 */
    uint64_t clusters;
    bool whole;                     /* the cluster holds other data: copy all of it */
} Plan;
int coroutine_fn qcow2_plan(Qcow2 *s, uint64_t guest, uint64_t len, Plan *p);
/* Enter clusters [guest, guest + len) (@whole: all subclusters) at @host; what was there is freed later. */
int coroutine_fn qcow2_link(Qcow2 *s, uint64_t guest, uint64_t len, uint64_t host, bool whole);
/* Whole clusters: discard (@zero false) or make them read as zeros. */
int coroutine_fn qcow2_drop(Qcow2 *s, uint64_t guest, uint64_t clusters, bool zero, bool unmap);
int coroutine_fn qcow2_grow_l1(Qcow2 *s, uint64_t entries, bool exact);

/* --- io.c --- */
int coroutine_fn qcow2_pread(Qcow2 *s, uint64_t guest, const struct iovec *iov, size_t niov);
int coroutine_fn qcow2_pwrite(Qcow2 *s, uint64_t guest, const struct iovec *iov, size_t niov);
int coroutine_fn qcow2_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov);
int coroutine_fn qcow2_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov);
int coroutine_fn qcow2_co_flush(BlockNode *n);
int coroutine_fn qcow2_co_discard(BlockNode *n, uint64_t offset, uint64_t len);
int coroutine_fn qcow2_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags);
int coroutine_fn qcow2_co_vmstate(BlockNode *n, bool write, uint64_t pos, const struct iovec *iov,
                                  size_t niov);
int coroutine_fn qcow2_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st);

/* --- crypt.c --- */
bool coroutine_fn qcow2_open_crypt(Qcow2 *s, const QDict *opts, Error **errp);
/* Data at host offsets, as the guest has it. */
int coroutine_fn qcow2_read_data(Qcow2 *s, uint64_t host, const struct iovec *iov, size_t niov);
int coroutine_fn qcow2_write_data(Qcow2 *s, uint64_t host, const struct iovec *iov, size_t niov);
bool coroutine_fn qcow2_co_amend(BlockNode *n, const QDict *opts, bool force, Error **errp);
/* A new image, @opts those of "encrypt", NULL for none: what they choose, and how long the header will be, in @s; then the header at .crypt_offset, and its extension. */
bool qcow2_choose_crypt(Qcow2 *s, const QDict *opts, LuksChoice *c, Error **errp);
bool coroutine_fn qcow2_make_crypt(Qcow2 *s, const QDict *opts, LuksChoice *c, Error **errp);

/* --- compress.c --- */
int coroutine_fn qcow2_read_compressed(Qcow2 *s, uint64_t entry, uint8_t *cluster);
int coroutine_fn qcow2_co_write_compressed(BlockNode *n, uint64_t offset, const void *buf, size_t len);

/* --- header.c --- */
bool coroutine_fn qcow2_read_header(Qcow2 *s, Error **errp);
/* Header, extensions, backing file's name: the first cluster. */
int coroutine_fn qcow2_write_header(Qcow2 *s, Error **errp);
int coroutine_fn qcow2_write_be32(Qcow2 *s, uint64_t offset, uint32_t v);
int coroutine_fn qcow2_write_be64(Qcow2 *s, uint64_t offset, uint64_t v);
int coroutine_fn qcow2_set_dirty(Qcow2 *s, bool on);
void qcow2_set_geometry(Qcow2 *s);
void qcow2_free_extensions(Qcow2 *s);
int coroutine_fn qcow2_co_change_backing(BlockNode *n, const char *file, const char *format, Error **errp);

/* --- create.c --- */
bool coroutine_fn qcow2_co_create(BlockNode *file, const QDict *opts, Error **errp);
int coroutine_fn qcow2_co_truncate(BlockNode *n, uint64_t length, Error **errp);

/* --- snapshot.c --- */
/* Bit 63 of the active tables, from the refcounts; @clear: all off. */
int coroutine_fn qcow2_set_copied(Qcow2 *s, bool clear);
bool coroutine_fn qcow2_read_snapshots(Qcow2 *s, Error **errp);
void qcow2_free_snapshots(Qcow2 *s);
bool coroutine_fn qcow2_co_snapshot_create(BlockNode *n, BlockSnapshot *info, Error **errp);
bool coroutine_fn qcow2_co_snapshot_goto(BlockNode *n, const BlockSnapshot *info, Error **errp);
int coroutine_fn qcow2_co_snapshot_look(BlockNode *n, const BlockSnapshot *info);
bool coroutine_fn qcow2_co_snapshot_delete(BlockNode *n, const BlockSnapshot *info, Error **errp);
int coroutine_fn qcow2_co_make_empty(BlockNode *n);
BlockSnapshot *qcow2_snapshot_list(BlockNode *n, size_t *count);

/* --- bitmaps.c: dirty bitmaps in the image --- */
/* At opening: they become the node's, and (if it is written) say in the file that they are in use. */
bool coroutine_fn qcow2_load_bitmaps(Qcow2 *s, Error **errp);
int coroutine_fn qcow2_mark_bitmaps_in_use(Qcow2 *s);
/* At closing: the node's persistent ones, in the place of those in the file. */
int coroutine_fn qcow2_store_bitmaps(Qcow2 *s);
bool qcow2_can_store_bitmap(BlockNode *n, const char *name, Error **errp);

/* --- check.c --- */
int coroutine_fn qcow2_co_check(BlockNode *n, unsigned fix, BlockCheck *result, Error **errp);

#endif
