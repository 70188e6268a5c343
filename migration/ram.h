/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM in the migration stream. Sending: passes over the pages that have been
 * written since they were sent last. The migration thread runs all of it,
 * without the big lock except where said.
 */
#ifndef MIGRATION_RAM_H
#define MIGRATION_RAM_H

#include "memory/ram.h"
#include "migration/stream.h"

struct QList;
typedef struct RamSave RamSave;
typedef struct RamLoad RamLoad;

/* Counted while it is sent; read from any thread. */
typedef struct RamCounters {
    _Atomic uint64_t zero, normal, skipped, syncs, dirty_rate, xbzrle_bytes, xbzrle_pages,
        xbzrle_misses, xbzrle_overflows, requests;
} RamCounters;

typedef struct RamSaveOptions {
    bool skip_shared;           /* x-ignore-shared */
    bool release;               /* ram_save_release() may come */
    uint64_t xbzrle_cache;      /* bytes; 0: not used */
} RamSaveOptions;

/* Watch all writes from now on. Big lock; migration_set_busy() keeps the blocks. */
RamSave *ram_save_new(const RamSaveOptions *opts, RamCounters *counters);
/* Stop watching. Big lock. NULL is allowed. */
void ram_save_free(RamSave *s);
/* For CONF: the blocks' ids and sizes. */
struct QList *ram_save_blocks(const RamSave *s);
uint64_t ram_save_total(const RamSave *s);
/* Take what was written since the last time into the pass that comes; with the bytes to send.
 * @stopped: all vCPUs are; else not with the big lock. */
uint64_t ram_save_sync(RamSave *s, bool stopped);
/* Bytes to send that are known of. */
uint64_t ram_save_pending(const RamSave *s);
/* Make one record, for mig_end() or multifd, with about @bytes of pages' contents, RAM_RECORD_MOST at most, which is a huge
 * page's: large ones cost less, small ones let what is urgent by. False: nothing is left of the
 * pass. */
#define RAM_RECORD_MOST (2 * MIB)
bool ram_save_some(RamSave *s, MigWriter *w, uint64_t bytes);

/*
 * A background snapshot: the RAM is saved as it is now. The guest may go on: what it wants to write is saved first.
 * Between these two; the machine is stopped when it begins. @wake: in another thread, when somebody waits. Once all is
 * saved nobody waits any more; the end lets those go on who do because it wasn't.
 */
bool ram_save_guard(RamSave *s, void (*wake)(void *opaque), void *opaque, Error **errp);
void ram_save_unguard(RamSave *s);
/* Whether this host can do it. Big lock. */
bool ram_save_can_guard(Error **errp);

/* Post-copy: the guest goes on at the other side, which must forget the pages that are still to be sent:
 * DISC records, u32 block, u32 number of ranges, for each u64 first page, u64 pages. */
bool ram_save_discards(RamSave *s, MigWriter *w, Error **errp);
/* The guest can't go on here any more, and runs where all is but what is to be sent: that, and from now on what is sent, is given
 * back to the host, if the options allow. */
void ram_save_release(RamSave *s);
/* After an interruption: nothing is to be sent but what the other side's DISC records, which follow, name. */
void ram_save_resume(RamSave *s);
bool ram_save_missing(RamSave *s, MigReader *r, Error **errp);
/* A page that the other side waits for is the next one. Any thread. False: there is no such page. */
bool ram_save_request(RamSave *s, uint32_t block, uint64_t page);
/* Whether there is such a page, or one that the guest here waits for. Any thread. */
bool ram_save_is_waited_for(RamSave *s);

/* @blocks: of CONF. Fails, naming the block, when this machine's are others. Big lock. */
RamLoad *ram_load_new(const struct QList *blocks, Error **errp);
void ram_load_free(RamLoad *l);                 /* NULL is allowed */
/* The record that the reader has. The machine must be stopped, but in post-copy; no lock. Several threads may, for different
 * pages. */
bool ram_load_record(RamLoad *l, MigReader *r, Error **errp);
/* The same by one thread, whose reader may lose the record: others put pages in their places, until ram_load_settle() returns. */
bool ram_load_record_later(RamLoad *l, MigReader *r, Error **errp);
void ram_load_settle(RamLoad *l);
/* Can the guest run here while pages are missing? */
bool ram_load_can_post_copy(const RamLoad *l, Error **errp);
/* A DISC record. @request: see postcopy.h. */
bool ram_load_discard(RamLoad *l, MigReader *r,
                      void (*request)(void *opaque, uint32_t block, uint64_t page), void *opaque,
                      Error **errp);
/* After an interruption: DISC records of the pages that haven't come, and requests again for those that
 * somebody waits for. */
bool ram_load_send_missing(RamLoad *l, MigWriter *w, Error **errp);
void ram_load_ask_again(RamLoad *l);
/* All pages have come, or never will. */
void ram_load_end_post_copy(RamLoad *l);

/* xbzrle.c. How @new differs from @old, both @len (up to 64 KiB) long: runs of a
 * 16-bit number of equal bytes, a 16-bit number of others, those. The length, 0 when they are
 * the same, -1 when it isn't shorter than @room. */
int xbzrle_encode(const uint8_t *old, const uint8_t *new, size_t len, uint8_t *out, size_t room);
/* False when it doesn't fit. */
bool xbzrle_decode(uint8_t *page, size_t len, const uint8_t *in, size_t in_len);

#endif
