/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory regions: making them, and changing the tree. Each change inside a
 * transaction; memory/flatview.c turns the tree into what readers see.
 */
#include "util/osdep.h"
#include "memory/memory.h"
#include "memory/memory-int.h"

#include "util/bswap.h"
#include "util/rcu.h"

static char *(*id_prefix)(struct Object *owner);

void memory_set_id_prefix(char *(*prefix)(struct Object *owner))
{
    id_prefix = prefix;
}

void memory_region_init(MemRegion *mr, void *owner, const char *name,
                        uint64_t size)
{
    *mr = (MemRegion){
        .kind = MEM_CONTAINER,
        .enabled = true,
        .size = size,
        .name = g_strdup(name ? name : ""),
        .owner = owner,
    };
}

/* "0000:00:02.0/vga.vram", and "...#2" for the second of that name. */
static RamBlock *new_block(MemRegion *mr, uint64_t size, Error **errp)
{
    g_autofree char *prefix = id_prefix && mr->owner ? id_prefix(mr->owner) : NULL;
    g_autofree char *id = prefix ? g_strconcat(prefix, "/", mr->name, NULL)
                                 : g_strdup(mr->name);

    if (ram_block_find(id)) {
        g_autofree char *base = g_steal_pointer(&id);

        for (unsigned n = 2; ; n++) {
            id = g_strdup_printf("%s#%u", base, n);
            if (!ram_block_find(id)) {
                break;
            }
            g_clear_pointer(&id, g_free);
        }
    }
    return ram_block_new(id, size, 0, errp);
}

static bool init_ram_kind(MemRegion *mr, void *owner, const char *name,
                          uint64_t size, MemKind kind, Error **errp)
{
    RamBlock *block;

    memory_region_init(mr, owner, name, size);
    block = new_block(mr, size, errp);
    if (!block) {
        memory_region_cleanup(mr);
        return false;
    }
    mr->kind = kind;
    mr->ram = block;
    mr->own_ram = true;
    mr->readonly = kind == MEM_ROM;
    return true;
}

bool memory_region_init_ram(MemRegion *mr, void *owner, const char *name,
                            uint64_t size, Error **errp)
{
    return init_ram_kind(mr, owner, name, size, MEM_RAM, errp);
}

bool memory_region_init_rom(MemRegion *mr, void *owner, const char *name,
                            uint64_t size, Error **errp)
{
    return init_ram_kind(mr, owner, name, size, MEM_ROM, errp);
}

static void set_ops(MemRegion *mr, const MemOps *ops, void *opaque)
{
    mr->ops = ops;
    mr->opaque = opaque;
    mr->order = ops->order;
    mr->lockless = ops->lockless;
}

bool memory_region_init_romd(MemRegion *mr, void *owner, const MemOps *ops,
                             void *opaque, const char *name, uint64_t size,
                             Error **errp)
{
    if (!init_ram_kind(mr, owner, name, size, MEM_ROMD, errp)) {
        return false;
    }
    mr->romd = true;
    set_ops(mr, ops, opaque);
    return true;
}

void memory_region_init_ram_block(MemRegion *mr, void *owner,
                                  const char *name, RamBlock *block)
{
    memory_region_init(mr, owner, name, block->size);
    mr->kind = MEM_RAM;
    mr->ram = block;
    mr->own_ram = true;
    mr->readonly = block->read_only;
}

void memory_region_init_io(MemRegion *mr, void *owner, const MemOps *ops,
                           void *opaque, const char *name, uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->kind = MEM_MMIO;
    set_ops(mr, ops, opaque);
}

void memory_region_init_alias(MemRegion *mr, void *owner, const char *name,
                              MemRegion *target, hwaddr offset, uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->kind = MEM_ALIAS;
    mr->alias = target;
    mr->alias_offset = offset;
}

void memory_region_init_iommu(MemRegion *mr, void *owner, const IommuOps *ops,
                              void *opaque, const char *name, uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->kind = MEM_IOMMU;
    mr->iommu = ops;
    mr->opaque = opaque;
}

/* --- a chip whose bytes are spread over a wider bus --- */

typedef struct Strided {
    MemRegion *chip;
    unsigned width, stride, lane;
} Strided;

/* Which byte of the chip is at @addr? */
static bool strided_locate(const Strided *st, hwaddr addr, hwaddr *at)
{
    hwaddr in_lane = addr % st->stride - st->lane;

    if (addr % st->stride < st->lane || in_lane >= st->width) {
        return false;
    }
    *at = addr / st->stride * st->width + in_lane;
    return *at < st->chip->size;
}

static MemResult strided_read(void *opaque, hwaddr addr, uint64_t *val,
                              unsigned size, MemAttrs attrs)
{
    Strided *st = opaque;
    MemResult r = MEM_OK;
    hwaddr at;

    /* The chip's whole width at once, as its strobe has it. */
    if (size >= st->width && addr % st->stride <= st->lane &&
        addr % st->stride + size >= st->lane + st->width &&
        strided_locate(st, ALIGN_DOWN(addr, st->stride) + st->lane, &at)) {
        unsigned before = st->lane - addr % st->stride;
        uint64_t v = 0;

        r = memory_region_dispatch_read(st->chip, at, &v, st->width, MEM_LE, attrs);
        *val = v << (8 * before);
        return r;
    }
    *val = 0;
    for (unsigned i = 0; i < size; i++) {
        uint64_t v = 0;

        if (strided_locate(st, addr + i, &at)) {
            r |= memory_region_dispatch_read(st->chip, at, &v, 1, MEM_LE, attrs);
            *val |= v << (8 * i);
        }
    }
    return r;
}

static MemResult strided_write(void *opaque, hwaddr addr, uint64_t val,
                               unsigned size, MemAttrs attrs)
{
    Strided *st = opaque;
    MemResult r = MEM_OK;
    hwaddr at;

    if (size >= st->width && addr % st->stride <= st->lane &&
        addr % st->stride + size >= st->lane + st->width &&
        strided_locate(st, ALIGN_DOWN(addr, st->stride) + st->lane, &at)) {
        unsigned before = st->lane - addr % st->stride;

        return memory_region_dispatch_write(st->chip, at, val >> (8 * before),
                                            st->width, MEM_LE, attrs);
    }
    for (unsigned i = 0; i < size; i++) {
        if (strided_locate(st, addr + i, &at)) {
            r |= memory_region_dispatch_write(st->chip, at, val >> (8 * i) & 0xff,
                                              1, MEM_LE, attrs);
        }
    }
    return r;
}

/* Memory order of the bytes is what counts here, so little endian will do:
 * the chip's own order is applied by the inner dispatch. */
static const MemOps strided_ops = {
    .read = strided_read, .write = strided_write, .order = MEM_LE,
    .impl = { .min = 1, .max = 8 }, .lockless = true,
};

static void strided_release(MemRegion *mr)
{
    rcu_call(g_free, mr->opaque);
}

void memory_region_init_strided(MemRegion *mr, void *owner, const char *name,
                                MemRegion *chip, unsigned width,
                                unsigned stride, unsigned lane)
{
    Strided *st = g_new(Strided, 1);

    assert(IS_POWER_OF_2(stride) && IS_POWER_OF_2(width) && lane + width <= stride);
    *st = (Strided){ chip, width, stride, lane };
    memory_region_init_io(mr, owner, &strided_ops, st, name,
                          chip->size / width * stride);
    mr->release = strided_release;
}

/* --- the tree --- */

static void unlink_child(MemRegion *mr)
{
    for (MemRegion **p = &mr->container->children; *p; p = &(*p)->next) {
        if (*p == mr) {
            *p = mr->next;
            break;
        }
    }
    mr->next = NULL;
}

/* Children are sorted by falling priority; of equals the youngest wins. */
static void link_child(MemRegion *container, MemRegion *mr)
{
    MemRegion **p = &container->children;

    while (*p && (*p)->priority > mr->priority) {
        p = &(*p)->next;
    }
    mr->next = *p;
    *p = mr;
}

void memory_region_add_overlap(MemRegion *container, hwaddr offset,
                               MemRegion *mr, int priority)
{
    assert(!mr->container && mr != container);
    memory_transaction_begin();
    mr->container = container;
    mr->addr = offset;
    mr->priority = priority;
    link_child(container, mr);
    memory_changed();
    memory_transaction_commit();
}

void memory_region_add(MemRegion *container, hwaddr offset, MemRegion *mr)
{
    memory_region_add_overlap(container, offset, mr, 0);
}

void memory_region_del(MemRegion *container, MemRegion *mr)
{
    assert(mr->container == container);
    memory_transaction_begin();
    unlink_child(mr);
    mr->container = NULL;
    memory_changed();
    memory_transaction_commit();
}

void memory_region_cleanup(MemRegion *mr)
{
    if (!mr->name || mr->gone) {
        return;
    }
    memory_transaction_begin();
    if (mr->container) {
        memory_region_del(mr->container, mr);
    }
    while (mr->children) {
        memory_region_del(mr, mr->children);
    }
    memory_transaction_commit();
    posted_forget(mr);
    if (mr->own_ram) {
        for (int c = 0; c < RAM_DIRTY_NUM; c++) {
            if (mr->log_mask & BIT(c)) {
                ram_log_stop(mr->ram, c);
            }
        }
        ram_block_free(mr->ram);
    }
    if (mr->release) {
        mr->release(mr);
    }
    rcu_call(g_free, (char *)mr->name);
    mr->name = NULL;
}

#define CHANGE(mr, field, value) \
    do { \
        if ((mr)->field != (value)) { \
            memory_transaction_begin(); \
            (mr)->field = (value); \
            memory_changed(); \
            memory_transaction_commit(); \
        } \
    } while (0)

void memory_region_set_enabled(MemRegion *mr, bool enabled)
{
    CHANGE(mr, enabled, enabled);
}

void memory_region_set_readonly(MemRegion *mr, bool readonly)
{
    CHANGE(mr, readonly, readonly);
}

void memory_region_set_romd(MemRegion *mr, bool romd)
{
    CHANGE(mr, romd, romd);
}

void memory_region_set_address(MemRegion *mr, hwaddr addr)
{
    CHANGE(mr, addr, addr);
}

void memory_region_set_size(MemRegion *mr, uint64_t size)
{
    CHANGE(mr, size, size);
}

void memory_region_set_alias_offset(MemRegion *mr, hwaddr offset)
{
    CHANGE(mr, alias_offset, offset);
}

void memory_region_set_order(MemRegion *mr, MemOrder order)
{
    mr->order = order;
}

void memory_region_set_lockless(MemRegion *mr)
{
    mr->lockless = true;
}

bool memory_region_is_ram(const MemRegion *mr)
{
    return mr->ram != NULL;
}

bool memory_region_is_mapped(const MemRegion *mr)
{
    return mr->container != NULL;
}

void *memory_region_ram_ptr(const MemRegion *mr)
{
    return mr->kind == MEM_ALIAS
           ? (memory_region_ram_ptr(mr->alias)
              ? (uint8_t *)memory_region_ram_ptr(mr->alias) + mr->alias_offset : NULL)
           : mr->ram ? mr->ram->host : NULL;
}

RamBlock *memory_region_ram_block(const MemRegion *mr)
{
    return mr->kind == MEM_ALIAS ? memory_region_ram_block(mr->alias) : mr->ram;
}

/* --- dirty tracking by region --- */

void memory_region_set_log(MemRegion *mr, bool on, RamDirtyClient client)
{
    if (!mr->ram || !!(mr->log_mask & BIT(client)) == on) {
        return;
    }
    if (on) {
        mr->log_mask |= BIT(client);
        ram_log_start(mr->ram, client);
    } else {
        mr->log_mask &= ~BIT(client);
        ram_log_stop(mr->ram, client);
    }
}

void memory_region_set_dirty(MemRegion *mr, hwaddr addr, uint64_t len)
{
    if (mr->ram) {
        ram_written(mr->ram, addr, len);
    }
}

bool memory_region_test_and_clear_dirty(MemRegion *mr, hwaddr addr,
                                        uint64_t len, RamDirtyClient client)
{
    return mr->ram && ram_dirty_test_and_clear(mr->ram, client, addr, len);
}
