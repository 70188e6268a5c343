/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images that grow: the disk is cut into blocks of one size, and a map in the file tells where each block is; a block that is
 * written for the first time gets its place at the file's end. This is what the formats vdi, vpc, vmdk and vhdx have in common;
 * what differs (headers, how an entry of the map is read and written) is in a GrowFormat each.
 *
 *   growing.c    requests        map.c      the map's pages in memory, the order of writes
 *
 * A block's data is written before the map tells of it, and the map's pages are written when the guest flushes: first the file
 * is flushed, then the map is written, then the file is flushed again. What a killed process or a power cut takes away is what
 * wasn't flushed; space at the file's end may be left that no block has.
 *
 * The map and all else here is under Growing.lock; data of blocks that have a place is read and written without it.
 */
#ifndef BLOCK_GROWING_GROWING_H
#define BLOCK_GROWING_GROWING_H

#include <glib.h>
#include "block/format.h"
#include "util/coroutine.h"

typedef struct Growing Growing;

typedef enum GrowKind { GROW_HOLE, GROW_ZERO, GROW_DATA, GROW_PACKED } GrowKind;

typedef struct GrowPlace {
    GrowKind kind;                  /* nothing was written; zeros were; data is in the file; compressed data is */
    uint64_t offset;                /* of the block's data in the file; packed: of what the format has before it */
} GrowPlace;

/* All are called with the lock held. Results are 0 or -errno. */
typedef struct GrowFormat {
    int coroutine_fn (*find)(Growing *g, uint64_t block, GrowPlace *p);
    /* The block's data is at @offset from now on; the map's pages may be changed in memory only. */
    int coroutine_fn (*place)(Growing *g, uint64_t block, uint64_t offset);
    /* Before the image is changed for the first time; NULL: nothing. */
    int coroutine_fn (*begin)(Growing *g);
    /* What belongs before a block's data (Growing.lead bytes) is written; NULL: nothing. */
    int coroutine_fn (*lead)(Growing *g, uint64_t offset);
    /* With the map, after its pages: what a header or footer says of the file. NULL: nothing. */
    int coroutine_fn (*finish)(Growing *g);
    /* A compressed block, unpacked: block_size bytes. NULL: there are none. */
    int coroutine_fn (*unpack)(Growing *g, const GrowPlace *p, uint8_t *out);
    /* Where a page of the map is in the file; 0: nowhere, it is all zeros and can't be written. NULL: one after the other. */
    uint64_t (*page_at)(Growing *g, uint64_t page);
    /* The same for the map's second copy; NULL: there is none. */
    uint64_t (*copy_at)(Growing *g, uint64_t page);
} GrowFormat;

struct Growing {
    BlockNode *n;                   /* back pointer */
    const GrowFormat *format;
    CoMutex lock;
    uint64_t size;                  /* of the disk; a multiple of 512 */
    uint64_t block_size;            /* a power of two, 512 to GROW_BLOCK_MAX */
    uint64_t blocks;
    uint64_t lead;                  /* bytes that the file has before each block's data */
    uint64_t align;                 /* of where a block, with its lead, begins; a power of two */
    uint64_t first;                 /* no block's data is before this offset in the file */
    uint64_t end;                   /* where the next new block goes */
    bool begun;                     /* GrowFormat.begin was called */
    bool finish_due;                /* something was placed since the last GrowFormat.finish */
    bool broken;                    /* damage was found: no more writes */

    uint64_t map_offset;            /* in the file */
    uint32_t page_bytes;            /* of the map */
    uint64_t pages;
    uint8_t **page;                 /* each NULL or page_bytes; owned */
    uint8_t *page_dirty;            /* a flag each */
    uint64_t loaded, hand;          /* pages in memory; where the search for one to be dropped goes on */
    bool any_dirty;
};

#define GROW_BLOCK_MAX      (256 * MIB)
/* A map of more bytes isn't opened, nor made. */
#define GROW_MAP_MAX        (256 * MIB)

/* Wrong values of an image: fill *errp, return false. */
#define GROW_BAD(...)       (error_setf(errp, ERR_IMAGE_CORRUPT, __VA_ARGS__), false)
#define GROW_UNSUPPORTED(...)   (error_setf(errp, ERR_NOT_SUPPORTED, __VA_ARGS__), false)

/* --- growing.c: for the drivers' tables --- */

/* After the format has filled the fields down to @end, and the map's place. */
void grow_init(Growing *g, BlockNode *n, const GrowFormat *format);
/* Everything is written, as far as the node may be written. */
void grow_close(Growing *g);
int64_t grow_length(BlockNode *n);
int coroutine_fn grow_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov);
int coroutine_fn grow_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov);
int coroutine_fn grow_co_flush(BlockNode *n);
int coroutine_fn grow_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags);
int coroutine_fn grow_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st);
int coroutine_fn grow_co_check(BlockNode *n, unsigned fix, BlockCheck *result, Error **errp);
bool grow_inactivate(BlockNode *n, Error **errp);
bool grow_reopen(BlockNode *n, bool read_only, Error **errp);
void grow_limits(BlockNode *n, BlockLimits *l);
void grow_info(BlockNode *n, BlockFormatInfo *info);

/* Of the drivers' rows, what is the same for those whose images all grow. */
#define GROW_ROW \
    .has_map = true, .length = grow_length, .co_preadv = grow_co_preadv, .co_flush = grow_co_flush, .co_zero = grow_co_zero, \
    .limits = grow_limits, .co_status = grow_co_status, .co_check = grow_co_check, .inactivate = grow_inactivate, \
    .reopen = grow_reopen

/* Damage: told once; from then on nothing is written. Returns -EIO. */
#define grow_broken(g, ...) format_damaged((g)->n, &(g)->broken, __VA_ARGS__)

/* --- map.c --- */

/* @len bytes of the map at byte @at, which are within one page; the pointer is good until the next call. */
int coroutine_fn grow_map_get(Growing *g, uint64_t at, uint8_t **p);
/* What the last grow_map_get gave was changed. */
void grow_map_changed(Growing *g, uint64_t at);
/* The order of writes that is told above. */
int coroutine_fn grow_write_map(Growing *g);
void grow_map_free(Growing *g);

#endif
