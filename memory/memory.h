/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory regions and address spaces.
 *
 * Regions form a tree: containers hold sub-regions at offsets, with
 * priorities where they overlap. An address space is the view from one root:
 * the tree is flattened into sorted ranges, published as a whole, and read
 * without locks under RCU. Port I/O is an address space like any other.
 *
 * Locks: the tree is changed under the big lock only. address_space_*(),
 * memory_lookup() and the dispatch functions may be called by any thread,
 * with or without the big lock; a region's callbacks run under the big lock
 * unless it asked for none (memory_region_set_lockless()). To those that want it
 * an I/O thread's writes are posted: the main loop does them soon.
 *
 * A MemRegion lives in its owner's struct. It must not go away, nor be
 * initialised again, while it is part of a tree. memory_region_cleanup() takes
 * it out; its callbacks aren't called any more (lockless ones: after a grace
 * period of RCU, which the storage must outlive; devices see to that).
 */
#ifndef MEMORY_MEMORY_H
#define MEMORY_MEMORY_H

#include "memory/attrs.h"
#include "memory/ram.h"

struct Object;
typedef struct MemRegion MemRegion;
typedef struct AddressSpace AddressSpace;
typedef struct MemListener MemListener;

/*
 * Callbacks of an MMIO region. @addr counts from the region's start. @val is
 * the number that an access of @size bytes in the region's byte order moves;
 * only its low @size bytes count.
 */
typedef struct MemOps {
    MemResult (*read)(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                      MemAttrs attrs);
    MemResult (*write)(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                       MemAttrs attrs);
    MemOrder order;
    /* Narrower accesses than min are decode errors, wider ones than max are
     * split as a bus does. 0: 1 and 8. */
    struct { uint8_t min, max; } valid;
    /* Sizes that the callbacks see; others are split, or widened (read,
     * modify, write is never done: a narrow write is handed down as a wide
     * one with zeros). 0: 1 and 4. The callbacks see aligned addresses
     * only, unless they take unaligned ones. */
    struct { uint8_t min, max; bool unaligned; } impl;
    bool lockless;              /* the callbacks need no big lock */
} MemOps;

/* IOMMU: what an address becomes. */
typedef enum IommuPerm {
    IOMMU_NONE = 0, IOMMU_READ = 1, IOMMU_WRITE = 2, IOMMU_RW = 3,
} IommuPerm;
typedef struct IommuEntry {
    AddressSpace *target;
    hwaddr iova, translated, mask;      /* mask: of the page, size - 1 */
    IommuPerm perm;
} IommuEntry;
typedef struct IommuOps {
    /* Any thread, under RCU. perm IOMMU_NONE: the access is refused. */
    IommuEntry (*translate)(MemRegion *mr, hwaddr addr, IommuPerm access,
                            MemAttrs attrs);
    /* The set of notifiers went from none to some, or back. */
    void (*notify_changed)(MemRegion *mr, bool any);
} IommuOps;
typedef struct IommuNotifier {
    void (*notify)(struct IommuNotifier *n, const IommuEntry *entry);
    bool map, unmap;            /* which events it wants */
    hwaddr start, last;
    struct IommuNotifier *next; /* private */
} IommuNotifier;

typedef enum MemKind {
    MEM_CONTAINER, MEM_RAM, MEM_ROM, MEM_ROMD, MEM_MMIO, MEM_ALIAS, MEM_IOMMU,
} MemKind;

/* Private; initialised and changed through the functions below. */
struct MemRegion {
    MemKind kind;
    bool enabled, readonly, romd, lockless, own_ram;
    bool gone;                  /* cleaned up: late readers get errors */
    MemOrder order;
    int32_t priority;
    uint64_t size;              /* UINT64_MAX stands for 2^64 */
    hwaddr addr;                /* in the container */
    const char *name;           /* a copy */
    struct Object *owner;       /* borrowed */
    const MemOps *ops;
    const IommuOps *iommu;
    void *opaque;
    RamBlock *ram;
    MemRegion *alias;
    hwaddr alias_offset;
    MemRegion *container;
    MemRegion *children;        /* by falling priority, youngest first */
    MemRegion *next;
    IommuNotifier *notifiers;
    uint32_t log_mask;          /* BIT(RamDirtyClient) started by us */
    void (*release)(MemRegion *mr);     /* frees what init made */
};

/* A size of UINT64_MAX means 2^64. @name is copied. */
void memory_region_init(MemRegion *mr, void *owner, const char *name,
                        uint64_t size);
/* RAM block ids are "<path of the owner's bus address>/<name>" when the
 * owner's device gives one, else @name. */
bool memory_region_init_ram(MemRegion *mr, void *owner, const char *name,
                            uint64_t size, Error **errp);
/* Read-only for the guest; the loader writes through the host pointer. */
bool memory_region_init_rom(MemRegion *mr, void *owner, const char *name,
                            uint64_t size, Error **errp);
/* Reads go to RAM while in ROMD mode (the start), all else to @ops. */
bool memory_region_init_romd(MemRegion *mr, void *owner, const MemOps *ops,
                             void *opaque, const char *name, uint64_t size,
                             Error **errp);
/* Takes @block; freed with the region. */
void memory_region_init_ram_block(MemRegion *mr, void *owner,
                                  const char *name, RamBlock *block);
void memory_region_init_io(MemRegion *mr, void *owner, const MemOps *ops,
                           void *opaque, const char *name, uint64_t size);
void memory_region_init_alias(MemRegion *mr, void *owner, const char *name,
                              MemRegion *target, hwaddr offset, uint64_t size);
void memory_region_init_iommu(MemRegion *mr, void *owner, const IommuOps *ops,
                              void *opaque, const char *name, uint64_t size);
/* A board's wiring: byte n*@width of @chip appears at n*@stride + @lane;
 * other lanes read as zeros and ignore writes. */
void memory_region_init_strided(MemRegion *mr, void *owner, const char *name,
                                MemRegion *chip, unsigned width,
                                unsigned stride, unsigned lane);
/* Out of its container, its RAM freed after a grace period. Does nothing to
 * a region of zeros, so a failed realize may call it. */
void memory_region_cleanup(MemRegion *mr);

void memory_region_add(MemRegion *container, hwaddr offset, MemRegion *mr);
void memory_region_add_overlap(MemRegion *container, hwaddr offset,
                               MemRegion *mr, int priority);
void memory_region_del(MemRegion *container, MemRegion *mr);
void memory_region_set_enabled(MemRegion *mr, bool enabled);
void memory_region_set_readonly(MemRegion *mr, bool readonly);
void memory_region_set_romd(MemRegion *mr, bool romd);
void memory_region_set_address(MemRegion *mr, hwaddr addr);
void memory_region_set_size(MemRegion *mr, uint64_t size);
void memory_region_set_alias_offset(MemRegion *mr, hwaddr offset);
/* Before it is mapped. The board sets what the chip can't know. */
void memory_region_set_order(MemRegion *mr, MemOrder order);
void memory_region_set_lockless(MemRegion *mr);

static inline const char *memory_region_name(const MemRegion *mr)
{
    return mr->name;
}
static inline uint64_t memory_region_size(const MemRegion *mr)
{
    return mr->size;
}
bool memory_region_is_ram(const MemRegion *mr);     /* RAM, ROM or ROMD */
bool memory_region_is_mapped(const MemRegion *mr);
/* Host address of its first byte; NULL if it has no RAM. */
void *memory_region_ram_ptr(const MemRegion *mr);
RamBlock *memory_region_ram_block(const MemRegion *mr);

/* Changes between these become visible together, at the outermost commit. */
void memory_transaction_begin(void);
void memory_transaction_commit(void);

/* Dirty tracking of a RAM region (see memory/ram.h); nests per region. */
void memory_region_set_log(MemRegion *mr, bool on, RamDirtyClient client);
void memory_region_set_dirty(MemRegion *mr, hwaddr addr, uint64_t len);
bool memory_region_test_and_clear_dirty(MemRegion *mr, hwaddr addr,
                                        uint64_t len, RamDirtyClient client);

void iommu_notifier_add(MemRegion *mr, IommuNotifier *n);
void iommu_notifier_del(MemRegion *mr, IommuNotifier *n);
/* A mapping came (perm set) or went (IOMMU_NONE). */
void iommu_notify(MemRegion *mr, const IommuEntry *entry);

/* One range of a flattened view. */
typedef struct MemSection {
    hwaddr start, last;         /* in the address space, inclusive */
    MemRegion *mr;              /* never an alias or a container */
    hwaddr offset;              /* in @mr, of @start */
    uint8_t *host;              /* of @start when direct reads are allowed */
    RamBlock *ram;              /* with host: its block */
    uint64_t ram_offset;        /* in @ram, of @start */
    bool readonly;              /* host pointer, if any, is for reading only */
} MemSection;

typedef struct FlatView {
    uint32_t num;
    uint32_t ref;               /* address spaces that show it; big lock */
    MemSection sections[];      /* by address; gaps are unassigned */
} FlatView;

struct AddressSpace {
    const char *name;           /* a copy */
    MemRegion *root;
    FlatView *view;             /* rcu_load() */
    _Atomic uint32_t last_hit;  /* index of a section; only a hint */
    struct MemListener *listeners;
    AddressSpace *next;
};

extern AddressSpace address_space_memory;   /* what the CPUs see */
extern AddressSpace address_space_io;       /* x86 port I/O, 64 KiB */
MemRegion *system_memory(void);             /* root of the former */
MemRegion *system_io(void);

void address_space_init(AddressSpace *as, MemRegion *root, const char *name);
void address_space_cleanup(AddressSpace *as);
int address_space_foreach(int (*fn)(AddressSpace *as, void *opaque),
                          void *opaque);

/*
 * Fast path of CPUs; call under rcu_read_lock() and use the result inside it
 * (or until the listener's commit, when you have one). Never NULL: where
 * nothing is mapped the section's region answers with decode errors. *xlat
 * is @addr's offset in section->mr, *len (in: wanted, out: available) is cut
 * to the section or the gap. An IOMMU region is returned as it is.
 */
const MemSection *memory_lookup(AddressSpace *as, hwaddr addr, hwaddr *xlat,
                                hwaddr *len);
/* As above, through IOMMUs; NULL if one refused the access. *target is the
 * address space where the section is. */
const MemSection *memory_translate(AddressSpace *as, hwaddr addr,
                                   hwaddr *xlat, hwaddr *len, bool is_write,
                                   MemAttrs attrs, AddressSpace **target);
/* Host address of a lookup's result. */
static inline uint8_t *memory_section_host(const MemSection *s, hwaddr xlat)
{
    return s->host + (xlat - s->offset);
}

/* One access of 1, 2, 4 or 8 bytes to an MMIO region (or any other: RAM works
 * too); the big lock is taken if the region needs it and we don't hold it.
 * @order is how the accessor puts bytes together; *val is a number. */
MemResult memory_region_dispatch_read(MemRegion *mr, hwaddr addr,
                                      uint64_t *val, unsigned size,
                                      MemOrder order, MemAttrs attrs);
MemResult memory_region_dispatch_write(MemRegion *mr, hwaddr addr,
                                       uint64_t val, unsigned size,
                                       MemOrder order, MemAttrs attrs);

/* Any length; MMIO gets accesses as wide as it allows, in address order. */
MemResult address_space_read(AddressSpace *as, hwaddr addr, MemAttrs attrs,
                             void *buf, hwaddr len);
MemResult address_space_write(AddressSpace *as, hwaddr addr, MemAttrs attrs,
                              const void *buf, hwaddr len);
MemResult address_space_rw(AddressSpace *as, hwaddr addr, MemAttrs attrs,
                           void *buf, hwaddr len, bool is_write);
/* In pieces; ends after the first that fails: the length is a guest's. */
MemResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t byte,
                            hwaddr len, MemAttrs attrs);
/* As a loader or debugger: writes ROM too. */
MemResult address_space_write_rom(AddressSpace *as, hwaddr addr,
                                  MemAttrs attrs, const void *buf, hwaddr len);
/* Could all of it be accessed? */
bool address_space_valid(AddressSpace *as, hwaddr addr, hwaddr len,
                         bool is_write, MemAttrs attrs);

/* For looking: reads RAM and ROM, false where anything else is. Calls no device. */
bool address_space_peek(AddressSpace *as, hwaddr addr, void *buf, hwaddr len);
/* "pc.ram+0x1000 (RAM)": which region answers at @addr; NULL: none. g_free(). */
char *address_space_where(AddressSpace *as, hwaddr addr);

/* One number; a load returns all ones on error. @result may be NULL. */
uint64_t address_space_load(AddressSpace *as, hwaddr addr, unsigned size,
                            MemOrder order, MemAttrs attrs, MemResult *result);
void address_space_store(AddressSpace *as, hwaddr addr, uint64_t val,
                         unsigned size, MemOrder order, MemAttrs attrs,
                         MemResult *result);
#define MEM_DEFINE_LDST_(bits, bytes, sfx, ord) \
    static inline uint##bits##_t address_space_ld##bits##sfx( \
        AddressSpace *as, hwaddr addr, MemAttrs attrs, MemResult *result) \
    { \
        return (uint##bits##_t)address_space_load(as, addr, bytes, ord, \
                                                  attrs, result); \
    } \
    static inline void address_space_st##bits##sfx( \
        AddressSpace *as, hwaddr addr, uint##bits##_t val, MemAttrs attrs, \
        MemResult *result) \
    { \
        address_space_store(as, addr, val, bytes, ord, attrs, result); \
    }
MEM_DEFINE_LDST_(8, 1, , MEM_LE)
MEM_DEFINE_LDST_(16, 2, _le, MEM_LE)
MEM_DEFINE_LDST_(16, 2, _be, MEM_BE)
MEM_DEFINE_LDST_(32, 4, _le, MEM_LE)
MEM_DEFINE_LDST_(32, 4, _be, MEM_BE)
MEM_DEFINE_LDST_(64, 8, _le, MEM_LE)
MEM_DEFINE_LDST_(64, 8, _be, MEM_BE)

/* Host memory for DMA: *len is cut to what is contiguous. MMIO is bounced, up
 * to MEM_BOUNCE_MAX bytes at a time in all. NULL: try again later, or use
 * address_space_rw(). Unmap with the pointer and length that map gave;
 * @access_len is how much of it was written or read. */
#define MEM_BOUNCE_MAX  (1 * MIB)
void *address_space_map(AddressSpace *as, hwaddr addr, hwaddr *len,
                        bool is_write, MemAttrs attrs);
void address_space_unmap(AddressSpace *as, void *host, hwaddr len,
                         bool is_write, hwaddr access_len);

/* Told under the big lock. Adding it replays the view as region_add. */
struct MemListener {
    const char *name;
    int priority;               /* lower first for add, last for del */
    void (*begin)(MemListener *l);
    void (*commit)(MemListener *l);         /* the new view is published */
    void (*region_add)(MemListener *l, const MemSection *s);
    void (*region_del)(MemListener *l, const MemSection *s);
    AddressSpace *as;           /* private from here */
    MemListener *next;
};
void memory_listener_add(AddressSpace *as, MemListener *l);
void memory_listener_del(MemListener *l);

/* Set by hw/core: the prefix of RAM block ids for regions of @owner, or NULL;
 * freed with g_free(). */
void memory_set_id_prefix(char *(*prefix)(struct Object *owner));

/* For "info mtree": the tree or, with FLAT, the flat view as text; caller frees. OWNERS: whose each region is.
 * DISPATCH: with FLAT, where accesses go. */
enum { MEM_TREE_FLAT = BIT(0), MEM_TREE_OWNERS = BIT(1), MEM_TREE_DISPATCH = BIT(2) };
char *memory_tree_text(unsigned flags);

#endif
