/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses: look-up, dispatch to a region's callbacks, and the address-space
 * functions on top. Nothing here takes a lock but the big one, for regions
 * that need it.
 */
#include "util/osdep.h"
#include "memory/memory.h"
#include "memory/guest-ram.h"
#include "memory/memory-int.h"

#include "util/bswap.h"
#include "util/log.h"
#include "util/main-loop.h"
#include "util/rcu.h"

/* --- nothing there --- */

static MemResult unassigned_read(UNUSED void *opaque, UNUSED hwaddr addr,
                                 uint64_t *val, UNUSED unsigned size,
                                 UNUSED MemAttrs attrs)
{
    *val = UINT64_MAX;
    return MEM_DECODE_ERROR;
}

static MemResult unassigned_write(UNUSED void *opaque, UNUSED hwaddr addr,
                                  UNUSED uint64_t val, UNUSED unsigned size,
                                  UNUSED MemAttrs attrs)
{
    return MEM_DECODE_ERROR;
}

static const MemOps unassigned_ops = {
    .read = unassigned_read, .write = unassigned_write,
    .impl = { 1, 8, true }, .lockless = true,
};

static MemRegion unassigned = {
    .kind = MEM_MMIO, .enabled = true, .lockless = true, .size = UINT64_MAX,
    .name = "unassigned", .ops = &unassigned_ops,
};

const MemSection memory_unassigned_section = {
    .start = 0, .last = UINT64_MAX, .mr = &unassigned,
};

/* --- look-up --- */

const MemSection *memory_lookup(AddressSpace *as, hwaddr addr, hwaddr *xlat,
                                hwaddr *len)
{
    const FlatView *view = rcu_load(&as->view);
    uint32_t lo = 0, hi, hint;
    const MemSection *s;

    if (unlikely(!view)) {
        *xlat = addr;
        return &memory_unassigned_section;
    }
    hint = atomic_load_explicit(&as->last_hit, memory_order_relaxed);
    hi = view->num;
    if (likely(hint < hi)) {
        s = &view->sections[hint];
        if (addr >= s->start && addr <= s->last) {
            goto found;
        }
    }
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        s = &view->sections[mid];
        if (addr < s->start) {
            hi = mid;
        } else if (addr > s->last) {
            lo = mid + 1;
        } else {
            atomic_store_explicit(&as->last_hit, mid, memory_order_relaxed);
            goto found;
        }
    }
    /* A gap: up to the next section. */
    *xlat = addr;
    if (lo < view->num) {
        *len = MIN(*len, view->sections[lo].start - addr);
    }
    return &memory_unassigned_section;
found:
    *xlat = s->offset + (addr - s->start);
    if (*len > s->last - addr) {
        *len = s->last - addr + 1;      /* a whole 2^64 can't be asked for */
    }
    return s;
}

const MemSection *memory_translate(AddressSpace *as, hwaddr addr,
                                   hwaddr *xlat, hwaddr *len, bool is_write,
                                   MemAttrs attrs, AddressSpace **target)
{
    IommuPerm want = is_write ? IOMMU_WRITE : IOMMU_READ;

    /* IOMMUs behind IOMMUs: any sane number of them. */
    for (unsigned depth = 0; depth < 8; depth++) {
        const MemSection *s = memory_lookup(as, addr, xlat, len);
        IommuEntry e;
        hwaddr in_page;

        if (likely(s->mr->kind != MEM_IOMMU)) {
            if (target) {
                *target = as;
            }
            return s;
        }
        e = s->mr->iommu->translate(s->mr, *xlat, want, attrs);
        if (!(e.perm & want) || !e.target) {
            return NULL;
        }
        in_page = *xlat & e.mask;
        if (*len > e.mask - in_page) {
            *len = e.mask - in_page + 1;
        }
        addr = (e.translated & ~e.mask) | in_page;
        as = e.target;
    }
    return NULL;
}

/* --- dispatch --- */

/* A device whose DMA reaches its own registers, and so on, must not eat the
 * stack: deeper than this the bus answers with an error. */
#define DISPATCH_DEPTH_MAX  16
static _Thread_local unsigned dispatch_depth;

static inline uint64_t value_mask(unsigned size)
{
    return UINT64_MAX >> (64 - size * 8);
}

/* Value of one part of a split access. */
static inline unsigned part_shift(const MemRegion *mr, unsigned size,
                                  unsigned part, unsigned at)
{
    return mr->order == MEM_BE ? 8 * (size - part - at) : 8 * at;
}

/* Largest size up to @limit that @addr is aligned to, or @size. */
static inline unsigned aligned_part(hwaddr addr, unsigned size, unsigned limit)
{
    unsigned part = MIN(size, limit);

    while (addr & (part - 1)) {
        part /= 2;
    }
    return part;
}

static MemResult io_read(MemRegion *mr, hwaddr addr, uint64_t *val,
                         unsigned size, MemAttrs attrs)
{
    const MemOps *ops = mr->ops;
    unsigned min = ops->impl.min ? ops->impl.min : 1;
    unsigned max = ops->impl.max ? ops->impl.max : MAX(4, min);
    MemResult r = MEM_OK;
    uint64_t v = 0;

    if (likely(size >= min && size <= max &&
               (!(addr & (size - 1)) || ops->impl.unaligned))) {
        r = ops->read(mr->opaque, addr, &v, size, attrs);
        *val = v & value_mask(size);
        return r;
    }
    if (size < min) {
        hwaddr base = ALIGN_DOWN(addr, (hwaddr)min);
        unsigned at = addr - base;

        if (at + size <= min) {
            r = ops->read(mr->opaque, base, &v, min, attrs);
            *val = v >> part_shift(mr, min, size, at) & value_mask(size);
            return r;
        }
    }
    *val = 0;
    for (unsigned at = 0, part; at < size; at += part) {
        part = ops->impl.unaligned ? MIN(size - at, max)
                                   : aligned_part(addr + at, size - at, max);
        v = 0;
        if (part < min) {
            r |= io_read(mr, addr + at, &v, part, attrs);
        } else {
            r |= ops->read(mr->opaque, addr + at, &v, part, attrs);
        }
        *val |= (v & value_mask(part)) << part_shift(mr, size, part, at);
    }
    return r;
}

static MemResult io_write(MemRegion *mr, hwaddr addr, uint64_t val,
                          unsigned size, MemAttrs attrs)
{
    const MemOps *ops = mr->ops;
    unsigned min = ops->impl.min ? ops->impl.min : 1;
    unsigned max = ops->impl.max ? ops->impl.max : MAX(4, min);
    MemResult r = MEM_OK;

    val &= value_mask(size);
    if (likely(size >= min && size <= max &&
               (!(addr & (size - 1)) || ops->impl.unaligned))) {
        return ops->write(mr->opaque, addr, val, size, attrs);
    }
    if (size < min) {
        hwaddr base = ALIGN_DOWN(addr, (hwaddr)min);
        unsigned at = addr - base;

        if (at + size <= min) {
            return ops->write(mr->opaque, base,
                              val << part_shift(mr, min, size, at), min, attrs);
        }
    }
    for (unsigned at = 0, part; at < size; at += part) {
        uint64_t v;

        part = ops->impl.unaligned ? MIN(size - at, max)
                                   : aligned_part(addr + at, size - at, max);
        v = val >> part_shift(mr, size, part, at) & value_mask(part);
        if (part < min) {
            r |= io_write(mr, addr + at, v, part, attrs);
        } else {
            r |= ops->write(mr->opaque, addr + at, v, part, attrs);
        }
    }
    return r;
}

/* Parts of three, five ... bytes don't exist on any bus. */
static inline unsigned floor_pow2(unsigned n)
{
    while (n & (n - 1)) {
        n &= n - 1;
    }
    return n;
}

/* Enter a callback: false if it mustn't be called. */
static inline bool enter(MemRegion *mr, bool *locked)
{
    bool gone;

    *locked = false;
    if (!mr->lockless && !big_lock_held()) {
        big_lock();
        *locked = true;
    }
    gone = __atomic_load_n(&mr->gone, __ATOMIC_RELAXED);
    if (unlikely(gone || dispatch_depth >= DISPATCH_DEPTH_MAX)) {
        if (!gone) {
            log_guest_error(mr->name, "accesses nested more than %d deep",
                            DISPATCH_DEPTH_MAX);
        }
        if (*locked) {
            big_unlock();
        }
        return false;
    }
    dispatch_depth++;
    return true;
}

/*
 * Who observes steps under the big lock sees accesses to regions that need none, too; but for those of I/O threads,
 * which must not wait for that lock.
 */
static void step_of_lockless(void)
{
    if (big_lock_held()) {
        big_lock_step();
    } else if (current_event_loop() == main_event_loop()) {
        big_lock();
        big_unlock();
    }
}

static inline void leave(const MemRegion *mr, bool locked)
{
    dispatch_depth--;
    if (locked) {
        big_unlock();
    } else if (dispatch_depth) {
        return;                 /* a device is in the middle of something */
    } else if (!mr->lockless) {
        big_lock_step();
    } else if (unlikely(atomic_load_explicit(&big_lock_observer, memory_order_relaxed))) {
        step_of_lockless();
    }
}

MemResult memory_region_dispatch_read(MemRegion *mr, hwaddr addr,
                                      uint64_t *val, unsigned size,
                                      MemOrder order, MemAttrs attrs)
{
    MemResult r;
    bool locked;

    if (mr->ram && (mr->kind != MEM_ROMD || mr->romd)) {
        if (addr > size_last(mr->size) || size - 1 > size_last(mr->size) - addr) {
            *val = value_mask(size);
            return MEM_DECODE_ERROR;
        }
        *val = ram_load(mr->ram->host + addr, size);
        if (order == MEM_BE) {
            *val = bswap_size(*val, size);
        }
        return MEM_OK;
    }
    if (!mr->ops || (mr->ops->valid.min && size < mr->ops->valid.min) ||
        !mr->ops->read || !enter(mr, &locked)) {
        *val = value_mask(size);
        return dispatch_depth >= DISPATCH_DEPTH_MAX ? MEM_DEVICE_ERROR : MEM_DECODE_ERROR;
    }
    r = io_read(mr, addr, val, size, attrs);
    leave(mr, locked);
    if (order != mr->order && size > 1) {
        *val = bswap_size(*val, size);
    }
    return r;
}

MemResult memory_region_dispatch_write(MemRegion *mr, hwaddr addr,
                                       uint64_t val, unsigned size,
                                       MemOrder order, MemAttrs attrs)
{
    MemResult r;
    bool locked;

    if (mr->kind == MEM_RAM || mr->kind == MEM_ROM) {
        if (addr > size_last(mr->size) || size - 1 > size_last(mr->size) - addr) {
            return MEM_DECODE_ERROR;
        }
        /* Writes to ROM go nowhere; no bus reports that. */
        if (!mr->readonly) {
            ram_store(mr->ram->host + addr,
                      order == MEM_BE ? bswap_size(val, size) : val, size);
            ram_written(mr->ram, addr, size);
        }
        return MEM_OK;
    }
    if (mr->ops && !mr->lockless && !big_lock_held() && in_io_thread()) {
        return posted_write(mr, addr, val, size, order, attrs);
    }
    if (!mr->ops || (mr->ops->valid.min && size < mr->ops->valid.min) ||
        !mr->ops->write || !enter(mr, &locked)) {
        return dispatch_depth >= DISPATCH_DEPTH_MAX ? MEM_DEVICE_ERROR : MEM_DECODE_ERROR;
    }
    if (order != mr->order && size > 1) {
        val = bswap_size(val, size);
    }
    r = io_write(mr, addr, val, size, attrs);
    leave(mr, locked);
    return r;
}

/* --- address spaces --- */

/* Size of the next bus cycle of a transfer. */
static inline unsigned cycle_size(const MemRegion *mr, hwaddr addr, hwaddr len)
{
    unsigned max = mr->ops && mr->ops->valid.max ? mr->ops->valid.max : 8;
    unsigned size = floor_pow2((unsigned)MIN(len, (hwaddr)max));

    if (mr->ops && mr->ops->impl.unaligned) {
        return size;
    }
    while (addr & (size - 1)) {
        size /= 2;
    }
    return size;
}

MemResult address_space_read(AddressSpace *as, hwaddr addr, MemAttrs attrs,
                             void *buf, hwaddr len)
{
    uint8_t *p = buf;
    MemResult r = MEM_OK;
    RCU_READ_GUARD();

    while (len) {
        hwaddr xlat, n = len;
        const MemSection *s = memory_translate(as, addr, &xlat, &n, false,
                                               attrs, NULL);

        if (unlikely(!s)) {
            memset(p, 0xff, n);
            r |= MEM_IOMMU_ERROR;
        } else if (likely(s->host)) {
            ram_copy(p, memory_section_host(s, xlat), n);
        } else {
            uint64_t v;

            n = cycle_size(s->mr, xlat, n);
            r |= memory_region_dispatch_read(s->mr, xlat, &v, n, MEM_LE, attrs);
            store_le(p, n, v);
        }
        p += n;
        addr += n;
        len -= n;
    }
    return r;
}

static MemResult space_write(AddressSpace *as, hwaddr addr, MemAttrs attrs,
                             const void *buf, hwaddr len, bool rom_too)
{
    const uint8_t *p = buf;
    MemResult r = MEM_OK;
    RCU_READ_GUARD();

    while (len) {
        hwaddr xlat, n = len;
        const MemSection *s = memory_translate(as, addr, &xlat, &n, true,
                                               attrs, NULL);

        if (unlikely(!s)) {
            r |= MEM_IOMMU_ERROR;
        } else if (likely(section_writable(s)) || (rom_too && s->ram)) {
            hwaddr off = s->ram_offset + (xlat - s->offset);

            ram_copy(s->ram->host + off, p, n);
            ram_written(s->ram, off, n);
        } else if (s->host && s->mr->kind != MEM_ROMD) {
            /* ROM: ignored */
        } else {
            n = cycle_size(s->mr, xlat, n);
            r |= memory_region_dispatch_write(s->mr, xlat, load_le(p, n), n,
                                              MEM_LE, attrs);
        }
        p += n;
        addr += n;
        len -= n;
    }
    return r;
}

MemResult address_space_write(AddressSpace *as, hwaddr addr, MemAttrs attrs,
                              const void *buf, hwaddr len)
{
    return space_write(as, addr, attrs, buf, len, false);
}

MemResult address_space_write_rom(AddressSpace *as, hwaddr addr,
                                  MemAttrs attrs, const void *buf, hwaddr len)
{
    return space_write(as, addr, attrs, buf, len, true);
}

MemResult address_space_rw(AddressSpace *as, hwaddr addr, MemAttrs attrs,
                           void *buf, hwaddr len, bool is_write)
{
    return is_write ? address_space_write(as, addr, attrs, buf, len)
                    : address_space_read(as, addr, attrs, buf, len);
}

MemResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t byte,
                            hwaddr len, MemAttrs attrs)
{
    uint8_t buf[512];
    MemResult r = MEM_OK;

    memset(buf, byte, sizeof(buf));
    while (len && r == MEM_OK) {
        hwaddr n = MIN(len, (hwaddr)sizeof(buf));

        r |= address_space_write(as, addr, attrs, buf, n);
        addr += n;
        len -= n;
    }
    return r;
}

bool address_space_valid(AddressSpace *as, hwaddr addr, hwaddr len,
                         bool is_write, MemAttrs attrs)
{
    RCU_READ_GUARD();

    while (len) {
        hwaddr xlat, n = len;
        const MemSection *s = memory_translate(as, addr, &xlat, &n, is_write,
                                               attrs, NULL);

        if (!s || s == &memory_unassigned_section ||
            (is_write && s->host && s->readonly && s->mr->kind != MEM_ROMD)) {
            return false;
        }
        addr += n;
        len -= n;
    }
    return true;
}

static uint64_t load_slow(AddressSpace *as, hwaddr addr, unsigned size,
                          MemOrder order, MemAttrs attrs, MemResult *r)
{
    uint8_t buf[8];

    *r = address_space_read(as, addr, attrs, buf, size);
    return order == MEM_LE ? load_le(buf, size) : load_be(buf, size);
}

uint64_t address_space_load(AddressSpace *as, hwaddr addr, unsigned size,
                            MemOrder order, MemAttrs attrs, MemResult *result)
{
    hwaddr xlat, n = size;
    const MemSection *s;
    uint64_t v = UINT64_MAX;
    MemResult r = MEM_OK;
    RCU_READ_GUARD();

    s = memory_translate(as, addr, &xlat, &n, false, attrs, NULL);
    if (likely(s && n == size)) {
        if (likely(s->host)) {
            v = ram_load(memory_section_host(s, xlat), size);
            if (order == MEM_BE) {
                v = bswap_size(v, size);
            }
        } else {
            r = memory_region_dispatch_read(s->mr, xlat, &v, size, order, attrs);
        }
    } else if (s) {
        v = load_slow(as, addr, size, order, attrs, &r);
    } else {
        r = MEM_IOMMU_ERROR;
    }
    if (result) {
        *result = r;
    }
    return r ? value_mask(size) : v;
}

void address_space_store(AddressSpace *as, hwaddr addr, uint64_t val,
                         unsigned size, MemOrder order, MemAttrs attrs,
                         MemResult *result)
{
    hwaddr xlat, n = size;
    const MemSection *s;
    MemResult r = MEM_OK;
    RCU_READ_GUARD();

    s = memory_translate(as, addr, &xlat, &n, true, attrs, NULL);
    if (likely(s && n == size)) {
        if (likely(section_writable(s))) {
            ram_store(memory_section_host(s, xlat),
                      order == MEM_BE ? bswap_size(val, size) : val, size);
            ram_written(s->ram, s->ram_offset + (xlat - s->offset), size);
        } else if (!s->host || s->mr->kind == MEM_ROMD) {
            r = memory_region_dispatch_write(s->mr, xlat, val, size, order, attrs);
        }
    } else if (s) {
        uint8_t buf[8];

        if (order == MEM_LE) {
            store_le(buf, size, val);
        } else {
            store_be(buf, size, val);
        }
        r = address_space_write(as, addr, attrs, buf, size);
    } else {
        r = MEM_IOMMU_ERROR;
    }
    if (result) {
        *result = r;
    }
}
