/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VHDX: replaying the log (VHDX 2.3). It is a ring of entries, each of which begins at a multiple of 4 KiB and tells what 4 KiB
 * sectors of the file become. The entries to be done are those from the tail that the newest whole one names up to itself.
 */
#include "util/osdep.h"
#include "block/growing/vhdx.h"
#include "util/bswap.h"
#include "util/crc32c.h"

/* VHDX 2.3.1.1 "Entry Header", 2.3.1.2, 2.3.1.3, 2.3.1.4. */
enum { LOGE_SUM = 4, LOGE_LENGTH = 8, LOGE_TAIL = 12, LOGE_SEQUENCE = 16, LOGE_COUNT = 24, LOGE_GUID = 32, LOGE_FLUSHED = 48,
       LOGE_LAST = 56, LOGE_BYTES = 64 };
enum { DESC_TRAILING = 4, DESC_LEADING = 8, DESC_OFFSET = 16, DESC_SEQUENCE = 24, DESC_BYTES = 32 };
enum { SECTOR = 4096, DATA_HIGH = 4, DATA_BYTES = 8, DATA_LOW = 4092 };
#define LOG_MAX         (64 * MIB)
/* Checksums of entries may overlap in what they cover, this many times the log. */
#define LOG_PASSES      64

typedef struct Entry {
    uint32_t length, tail;
    uint64_t sequence;              /* 0: there is no whole entry here */
} Entry;

typedef struct Log {
    uint8_t *ring;                  /* owned */
    uint64_t length, slots;
    Entry *entries;                 /* by slot; owned */
    uint64_t budget;                /* bytes that may still be looked at */
} Log;

static uint8_t *at(const Log *l, uint64_t offset)
{
    return l->ring + offset % l->length;
}

/* Whole sectors of an entry, which may go round the ring's end. */
static uint32_t entry_checksum(const Log *l, uint64_t start, uint32_t length)
{
    uint8_t first[SECTOR];
    uint32_t crc;

    memcpy(first, at(l, start), SECTOR);
    store_le32(first + LOGE_SUM, 0);
    crc = crc32c(0, first, SECTOR);
    for (uint32_t i = SECTOR; i < length; i += SECTOR) {
        crc = crc32c(crc, at(l, start + i), SECTOR);
    }
    return crc;
}

static void look_at_slot(Log *l, uint64_t slot, const uint8_t guid[16])
{
    uint64_t start = slot * SECTOR;
    const uint8_t *e = at(l, start);
    uint32_t length = load_le32(e + LOGE_LENGTH), count = load_le32(e + LOGE_COUNT), tail = load_le32(e + LOGE_TAIL);

    if (memcmp(e, "loge", 4) || length == 0 || length % SECTOR || length > l->length || tail % SECTOR || tail >= l->length ||
        memcmp(e + LOGE_GUID, guid, 16) || load_le64(e + LOGE_SEQUENCE) == 0 ||
        LOGE_BYTES + (uint64_t)count * DESC_BYTES > length || length > l->budget) {
        return;
    }
    l->budget -= length;
    if (load_le32(e + LOGE_SUM) == entry_checksum(l, start, length)) {
        l->entries[slot] = (Entry){ length, tail, load_le64(e + LOGE_SEQUENCE) };
    }
}

/* Whether entries with consecutive numbers lead from the tail that the one at @head names to itself. */
static bool is_whole(const Log *l, uint64_t head)
{
    const Entry *last = &l->entries[head];
    uint64_t offset = last->tail, used = 0, sequence = l->entries[offset / SECTOR].sequence;

    while (sequence && used <= l->length) {
        const Entry *e = &l->entries[offset / SECTOR];

        if (e->sequence != sequence) {
            return false;
        }
        if (e == last) {
            return used + e->length <= l->length;
        }
        used += e->length;
        offset = (offset + e->length) % l->length;
        sequence++;
    }
    return false;
}

static int64_t newest(const Log *l)
{
    int64_t best = -1;

    for (uint64_t i = 0; i < l->slots; i++) {
        if (l->entries[i].sequence && (best < 0 || l->entries[i].sequence > l->entries[best].sequence) && is_whole(l, i)) {
            best = i;
        }
    }
    return best;
}

/* --- doing what entries say --- */

static bool coroutine_fn do_data(const Log *l, BlockNode *n, const uint8_t *d, uint64_t sector_at, uint64_t sequence, Error **errp)
{
    const uint8_t *s = at(l, sector_at);
    uint8_t b[SECTOR];

    if (memcmp(s, "data", 4) || ((uint64_t)load_le32(s + DATA_HIGH) << 32 | load_le32(s + DATA_LOW)) != sequence) {
        return GROW_BAD("a data sector of entry %" PRIu64 " of the log isn't the entry's", sequence);
    }
    memcpy(b, d + DESC_LEADING, 8);
    memcpy(b + DATA_BYTES, s + DATA_BYTES, DATA_LOW - DATA_BYTES);
    memcpy(b + DATA_LOW, d + DESC_TRAILING, 4);
    return format_store(n->file, load_le64(d + DESC_OFFSET), b, SECTOR, errp);
}

static bool coroutine_fn do_zeros(BlockNode *n, const uint8_t *d, Error **errp)
{
    int r = block_co_zero(n->file, load_le64(d + DESC_OFFSET), load_le64(d + DESC_LEADING), 0);

    if (r < 0) {
        error_set_errno(errp, -r, "can't write zeros that the log asks for");
    }
    return r == 0;
}

static bool coroutine_fn do_entry(const Log *l, BlockNode *n, uint64_t start, Error **errp)
{
    const Entry *entry = &l->entries[start / SECTOR];
    const uint8_t *e = at(l, start);
    uint32_t count = load_le32(e + LOGE_COUNT);
    uint64_t data = ALIGN_UP(LOGE_BYTES + (uint64_t)count * DESC_BYTES, (uint64_t)SECTOR), last = load_le64(e + LOGE_LAST);
    int64_t length = block_length(n->file);

    if (length < 0 || load_le64(e + LOGE_FLUSHED) > (uint64_t)length) {
        return GROW_BAD("the file has %" PRId64 " bytes, less than the %" PRIu64 " that the log says were written", length,
                        load_le64(e + LOGE_FLUSHED));
    }
    for (uint32_t i = 0; i < count; i++) {
        /* A descriptor doesn't cross a sector. */
        const uint8_t *d = at(l, start + LOGE_BYTES + (uint64_t)i * DESC_BYTES);
        bool zero = !memcmp(d, "zero", 4);
        uint64_t offset = load_le64(d + DESC_OFFSET), bytes = zero ? load_le64(d + DESC_LEADING) : SECTOR;
        uint64_t end = MAX((uint64_t)length, MIN(last, (uint64_t)length + GROW_MAP_MAX));

        if ((!zero && memcmp(d, "desc", 4)) || load_le64(d + DESC_SEQUENCE) != entry->sequence || offset % SECTOR || bytes % SECTOR ||
            bytes > end || offset > end - bytes || (!zero && data + SECTOR > entry->length)) {
            return GROW_BAD("descriptor %u of entry %" PRIu64 " of the log is for %" PRIu64 " bytes at 0x%" PRIx64
                            "; accepted: sectors of 4096 in the file", i, entry->sequence, bytes, offset);
        }
        if (!(zero ? do_zeros(n, d, errp) : do_data(l, n, d, start + data, entry->sequence, errp))) {
            return false;
        }
        data += zero ? 0 : SECTOR;
    }
    return true;
}

static bool coroutine_fn do_all(const Log *l, BlockNode *n, uint64_t head, Error **errp)
{
    uint64_t offset = l->entries[head].tail;

    for (;;) {
        if (!do_entry(l, n, offset, errp)) {
            return false;
        }
        if (offset / SECTOR == head) {
            return true;
        }
        offset = (offset + l->entries[offset / SECTOR].length) % l->length;
    }
}

bool coroutine_fn vhdx_replay_log(Vhdx *s, BlockNode *n, Error **errp)
{
    Log l = { .length = s->log_length, .slots = s->log_length / SECTOR, .budget = s->log_length * LOG_PASSES };
    int64_t head;
    bool ok;

    if (l.length == 0 || l.length > LOG_MAX) {
        return GROW_BAD("its log of %" PRIu64 " bytes isn't empty; accepted: 1 to %" PRIu64 " bytes", l.length, LOG_MAX);
    }
    l.ring = g_malloc(l.length);
    l.entries = g_new0(Entry, l.slots);
    ok = format_load(n->file, s->log_offset, l.ring, l.length, errp);
    for (uint64_t i = 0; ok && i < l.slots; i++) {
        look_at_slot(&l, i, s->header + HEAD_LOG_GUID);
    }
    head = newest(&l);
    if (ok && head >= 0) {
        ok = do_all(&l, n, head, errp);
    }
    if (ok && block_co_flush(n->file) < 0) {
        ok = GROW_BAD("can't flush what the log asked for");
    }
    if (ok) {
        memset(s->header + HEAD_LOG_GUID, 0, 16);
        ok = vhdx_write_header(s, n->file, errp) && vhdx_write_header(s, n->file, errp);
    }
    g_free(l.ring);
    g_free(l.entries);
    return ok;
}
