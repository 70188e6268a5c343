/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM blocks and dirty tracking.
 *
 * A block is host memory: anonymous, from a memfd (RAM_SHARED), a file or the caller, with an id
 * that is the same on both sides of a migration and a range of RAM addresses
 * (ram_addr_t) that no other block has. Blocks are made and destroyed under
 * the big lock; look-ups take no lock.
 *
 * Three clients watch writes, one bit a page of 4 KiB. Display and migration
 * ask "was it written since I last asked"; code asks to be told at once when
 * a page that holds translated code is written. ram_written() must follow
 * every store to guest RAM that doesn't come from a CPU's own fast path; the
 * fast path calls it where ram_needs_tracking() says so.
 */
#ifndef MEMORY_RAM_H
#define MEMORY_RAM_H

#include "qobject/error.h"
#include "memory/attrs.h"

typedef enum RamDirtyClient {
    RAM_DIRTY_DISPLAY, RAM_DIRTY_MIGRATION, RAM_DIRTY_CODE, RAM_DIRTY_NUM
} RamDirtyClient;

typedef struct RamBlock {
    char id[64];                /* "pc.ram", "0000:00:02.0/vga.vram" */
    uint8_t *host;
    uint64_t size;              /* bytes, whole pages */
    ram_addr_t start;           /* RAM address of host[0] */
    int fd;                     /* -1: anonymous, or the caller's */
    uint64_t fd_offset;
    bool shared;
    bool read_only;             /* host mapping without write permission */
    bool borrowed;              /* host memory is the caller's */
    _Atomic bool kept;          /* nothing is discarded for the time being */
    unsigned log_users[RAM_DIRTY_NUM];          /* big lock */
    _Atomic uint32_t tracking;  /* BIT(client) while it has users */
    /* One bit a page. Display, migration: written since asked. Code: holds
     * translated code. */
    uint64_t *dirty[RAM_DIRTY_NUM];
} RamBlock;

enum {
    RAM_SHARED = BIT(0),        /* other processes see writes */
    RAM_READ_ONLY = BIT(1),
    RAM_PMEM = BIT(2),          /* of a file, shared: in persistent memory, and a write to a mapped page stays */
};

/* @size is rounded up to whole pages. NULL with errp set. */
RamBlock *ram_block_new(const char *id, uint64_t size, uint32_t flags,
                        Error **errp);
/* The file is made, or grown to @size, unless RAM_READ_ONLY. @align: of its address here, 0 or a power of two. */
RamBlock *ram_block_new_file(const char *id, uint64_t size, const char *path,
                             uint64_t offset, uint64_t align, uint32_t flags, Error **errp);
/* Takes @fd. */
RamBlock *ram_block_new_fd(const char *id, uint64_t size, int fd,
                           uint64_t offset, uint32_t flags, Error **errp);
/* @host is the caller's and must outlive the block. */
RamBlock *ram_block_new_ptr(const char *id, uint64_t size, void *host,
                            Error **errp);
/* Unmapped once no reader can hold it. NULL is allowed. */
void ram_block_free(RamBlock *block);
/* Ids must be unique; false with ERR_DUPLICATE_ID. */
bool ram_block_set_id(RamBlock *block, const char *id, Error **errp);
RamBlock *ram_block_find(const char *id);
/* In order of RAM address, until @fn returns other than 0. */
int ram_block_foreach(int (*fn)(RamBlock *block, void *opaque), void *opaque);
/* Under RCU: the block of a RAM address, or NULL; the same for a pointer. */
RamBlock *ram_block_at(ram_addr_t addr);
RamBlock *ram_block_of_host(const void *host, uint64_t *offset);
uint64_t ram_total_size(void);

/* Tracking for one client begins with all pages dirty; calls nest. */
void ram_log_start(RamBlock *block, RamDirtyClient client);
void ram_log_stop(RamBlock *block, RamDirtyClient client);
/* Must a store to these bytes be reported with ram_written()? */
bool ram_needs_tracking(const RamBlock *block, uint64_t offset, uint64_t len);
/* Bytes were written: marks them for the clients, tells the code client. */
void ram_written(RamBlock *block, uint64_t offset, uint64_t len);
/* The whole pages of a range go back to the host and read as zeros from now on, where the host can do
 * that and the block isn't .kept; else nothing happens. Marked as written. */
void ram_block_discard(RamBlock *block, uint64_t offset, uint64_t len);
bool ram_dirty_test(const RamBlock *block, RamDirtyClient client,
                    uint64_t offset, uint64_t len);
bool ram_dirty_test_and_clear(RamBlock *block, RamDirtyClient client,
                              uint64_t offset, uint64_t len);
void ram_dirty_set(RamBlock *block, RamDirtyClient client, uint64_t offset,
                   uint64_t len);

/* All bits of a block are added to @into (a bitmap of its pages) and then clear. Says how many
 * were set. Stores that began before may still come without being reported: rcu_synchronize()
 * after cpu_kick() of all CPUs waits for them. Any thread. */
uint64_t ram_dirty_take(RamBlock *block, RamDirtyClient client, uint64_t *into);

/* A copy of one client's bits for a range, which are then clear. */
typedef struct RamDirtySnapshot RamDirtySnapshot;
RamDirtySnapshot *ram_dirty_snapshot(RamBlock *block, RamDirtyClient client,
                                     uint64_t offset, uint64_t len);
/* Offsets are those of the block. */
bool ram_dirty_snapshot_get(const RamDirtySnapshot *snap, uint64_t offset,
                            uint64_t len);
void ram_dirty_snapshot_free(RamDirtySnapshot *snap);

/* Code pages: set while translations of their bytes exist. */
void ram_code_mark(RamBlock *block, uint64_t offset, uint64_t len);
void ram_code_unmark(RamBlock *block, uint64_t offset, uint64_t len);

/* What the accelerator wants to hear; any thread may call. */
typedef struct RamAccelHooks {
    /* A store touched pages marked as code (by DMA, loader, debugger or a
     * CPU's slow path); after the bytes have changed. */
    void (*code_written)(ram_addr_t addr, uint64_t len);
    /* Pages must be tracked from now on: drop direct write mappings. */
    void (*track_writes)(ram_addr_t addr, uint64_t len);
    /* Host memory is going: drop every mapping. */
    void (*unmapped)(ram_addr_t addr, uint64_t len);
} RamAccelHooks;
void ram_set_accel_hooks(const RamAccelHooks *hooks);

#endif
