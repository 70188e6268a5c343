/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every device with a disk behind it lets its user choose: block sizes, the write
 * cache, and what follows when an access of the image fails. Big lock.
 */
#ifndef HW_BLOCK_BLOCK_CONF_H
#define HW_BLOCK_BLOCK_CONF_H

#include "block/block.h"
#include "hw/core/boot.h"
#include "qom/property.h"

typedef struct BlockConf {
    BlockBackend *blk;
    uint32_t logical_block_size, physical_block_size;   /* bytes; 0: the device's default */
    uint32_t min_io_size, opt_io_size;                  /* bytes; 0: not told */
    uint32_t discard_granularity;                       /* bytes; UINT32_MAX: the block size */
    int32_t bootindex;
    int write_cache;                                    /* OnOffAuto; auto: the drive's */
    bool cache_at_start;                                /* what that led to */
    bool share_rw;
    int rerror, werror;                                 /* 0: the drive's, else BlockErrorAction + 1 */
    uint32_t cyls, heads, secs;                         /* 0: computed */
} BlockConf;

extern const char *const block_error_names[];

#define BLOCK_CONF_PROPS(S, f) \
    PROP_DRIVE("drive", S, f.blk, "the image"), \
    PROP_U32("logical_block_size", S, f.logical_block_size, 0, \
             "bytes of a block, a power of two; 0: the device's default"), \
    PROP_U32("physical_block_size", S, f.physical_block_size, 0, \
             "bytes that the medium writes at once; 0: the logical block"), \
    PROP_U32("min_io_size", S, f.min_io_size, 0, "bytes of a small efficient transfer; 0: not told"), \
    PROP_U32("opt_io_size", S, f.opt_io_size, 0, "bytes of the best transfer; 0: not told"), \
    PROP_U32("discard_granularity", S, f.discard_granularity, UINT32_MAX, \
             "bytes that can be discarded at once; 0: discarding is not offered"), \
    PROP_ON_OFF_AUTO("write-cache", S, f.write_cache, ON_OFF_AUTO_AUTO, \
                     "whether writes may wait for a flush"), \
    PROP_BOOL("share-rw", S, f.share_rw, false, "others may write to the image too"), \
    PROP_ENUM("rerror", S, f.rerror, 0, block_error_names, "what follows a failed read"), \
    PROP_ENUM("werror", S, f.werror, 0, block_error_names, "what follows a failed write"), \
    PROP_BOOTINDEX(S, f.bootindex)
#define BLOCK_GEOMETRY_PROPS(S, f) \
    PROP_U32_RANGE("cyls", S, f.cyls, 0, 0, 65535, "cylinders; 0: computed"), \
    PROP_U32_RANGE("heads", S, f.heads, 0, 0, 255, "heads; 0: computed"), \
    PROP_U32_RANGE("secs", S, f.secs, 0, 0, 255, "sectors of a track; 0: computed")

/* Check, complete, and tell the back end: @block_size is the default. False with errp set. */
bool block_conf_realize(BlockConf *c, uint32_t block_size, Error **errp);
/* Bytes that can be discarded at once; 0: discarding isn't offered. */
uint32_t block_conf_discard_unit(const BlockConf *c);
/* The write cache is on when the machine starts. */
bool block_conf_write_cache(const BlockConf *c);

#endif
