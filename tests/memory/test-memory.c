/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "memory/memory.h"
#include "tests/lib/test.h"

#include <glib.h>
#include "util/bswap.h"
#include "util/main-loop.h"
#include "util/rcu.h"
#include "util/thread.h"

/* A device that keeps what it was asked and answers with its address. */
typedef struct Probe {
    MemRegion mr;
    unsigned reads, writes, size;
    hwaddr addr;
    uint64_t val;
    bool locked;
} Probe;

static MemResult probe_read(void *opaque, hwaddr addr, uint64_t *val,
                            unsigned size, UNUSED MemAttrs attrs)
{
    Probe *p = opaque;

    p->reads++;
    p->addr = addr;
    p->size = size;
    p->locked = big_lock_held();
    *val = UINT64_C(0x8877665544332211) + addr;
    return MEM_OK;
}

static MemResult probe_write(void *opaque, hwaddr addr, uint64_t val,
                             unsigned size, UNUSED MemAttrs attrs)
{
    Probe *p = opaque;

    p->writes++;
    p->addr = addr;
    p->size = size;
    p->val = val;
    return MEM_OK;
}

static const MemOps probe_le = { .read = probe_read, .write = probe_write };
static const MemOps probe_be = {
    .read = probe_read, .write = probe_write, .order = MEM_BE,
};
static const MemOps probe_byte = {
    .read = probe_read, .write = probe_write, .impl = { .min = 1, .max = 1 },
};
static const MemOps probe_dword = {
    .read = probe_read, .write = probe_write, .impl = { .min = 4, .max = 4 },
};
static const MemOps probe_lockless = {
    .read = probe_read, .write = probe_write, .lockless = true,
};

/* A space of its own with 64 KiB of RAM at 0 and a window for devices. */
typedef struct World {
    MemRegion root, ram;
    AddressSpace as;
} World;

static void world_end(void *opaque)
{
    World *w = opaque;

    memory_region_cleanup(&w->ram);
    memory_region_cleanup(&w->root);
    address_space_cleanup(&w->as);
    rcu_drain();
    g_free(w);
}

static World *world_new(Test *t)
{
    World *w = g_new0(World, 1);

    memory_region_init(&w->root, NULL, "root", UINT64_MAX);
    check_true(t, memory_region_init_ram(&w->ram, NULL, "test.ram", 65536, NULL), "RAM");
    memory_region_add(&w->root, 0, &w->ram);
    address_space_init(&w->as, &w->root, "test");
    test_at_end(t, world_end, w);
    return w;
}

#define A MEM_ATTRS_NONE

TEST(memory, ram_and_gap)
{
    World *w = world_new(t);
    MemResult r;

    address_space_st32_le(&w->as, 0x100, 0x12345678, A, &r);
    check_int(t, r, MEM_OK, "RAM takes a store");
    check_u32(t, address_space_ld32_le(&w->as, 0x100, A, NULL), 0x12345678, "load");
    check_u32(t, address_space_ld32_be(&w->as, 0x100, A, NULL), 0x78563412, "big endian");
    check_u16(t, address_space_ld16_be(&w->as, 0x101, A, NULL), 0x5634, "unaligned");
    check_u32(t, address_space_ld32_le(&w->as, 0x20000, A, &r), 0xffffffff, "gap");
    check_int(t, r, MEM_DECODE_ERROR, "nothing in the gap");
    address_space_st32_le(&w->as, 0xfffe, 0xaabbccdd, A, &r);
    check_int(t, r, MEM_DECODE_ERROR, "half of it is outside");
    check_u16(t, address_space_ld16_le(&w->as, 0xfffe, A, NULL), 0xccdd,
              "the other half arrives");
    check_true(t, address_space_valid(&w->as, 0, 65536, true, A), "all of RAM is there");
    check_true(t, !address_space_valid(&w->as, 0, 65537, true, A), "and no byte more");
}

static void with_probe(World *w, Probe *p, const MemOps *ops, hwaddr at)
{
    memset(p, 0, sizeof(*p));
    memory_region_init_io(&p->mr, NULL, ops, p, "probe", 0x100);
    memory_region_add_overlap(&w->root, at, &p->mr, 1);
}

TEST(memory, dispatch_sizes_and_orders)
{
    World *w = world_new(t);
    Probe p;

    with_probe(w, &p, &probe_le, 0x1000);
    check_u32(t, address_space_ld32_le(&w->as, 0x1000, A, NULL), 0x44332211, "LE as LE");
    check_u32(t, address_space_ld32_be(&w->as, 0x1000, A, NULL), 0x11223344, "LE as BE");
    check_u64(t, address_space_ld64_le(&w->as, 0x1000, A, NULL), 0x4433221544332211,
              "eight bytes are two accesses");
    check_int(t, p.size, 4, "each as wide as the default allows");
    check_u16(t, address_space_ld16_le(&w->as, 0x1001, A, NULL), 0x1312, "split in bytes");
    check_int(t, p.size, 1, "unaligned ones are");
    address_space_st16_be(&w->as, 0x1002, 0x1234, A, NULL);
    check_u64(t, p.val, 0x3412, "BE store into LE region");
    memory_region_cleanup(&p.mr);
    check_int(t, address_space_ld8(&w->as, 0x1000, A, NULL), 0, "RAM shows again");

    with_probe(w, &p, &probe_be, 0x1000);
    check_u32(t, address_space_ld32_be(&w->as, 0x1000, A, NULL), 0x44332211, "BE as BE");
    check_u64(t, address_space_ld64_be(&w->as, 0x1000, A, NULL), 0x4433221144332215,
              "the first half is the high one");
    memory_region_cleanup(&p.mr);

    with_probe(w, &p, &probe_byte, 0x1000);
    check_u32(t, address_space_ld32_le(&w->as, 0x1000, A, NULL), 0x14131211, "four reads");
    check_int(t, p.reads, 4, "of one byte each");
    address_space_st16_le(&w->as, 0x1000, 0xabcd, A, NULL);
    check_u64(t, p.val, 0xab, "the last of two writes");
    memory_region_cleanup(&p.mr);

    with_probe(w, &p, &probe_dword, 0x1000);
    check_u8(t, address_space_ld8(&w->as, 0x1006, A, NULL), 0x33, "third byte of a dword");
    check_u64(t, p.addr, 4, "read as a whole");
    address_space_st8(&w->as, 0x1001, 0x7f, A, NULL);
    check_u64(t, p.val, 0x7f00, "a narrow write has zeros around it");
    memory_region_cleanup(&p.mr);
}

TEST(memory, priorities_aliases_enable)
{
    World *w = world_new(t);
    MemRegion over, rom, alias;
    MemResult r;

    memory_region_init_ram(&over, NULL, "over", 4096, NULL);
    memory_region_init_rom(&rom, NULL, "rom", 4096, NULL);
    memory_region_init_alias(&alias, NULL, "alias", &w->ram, 0x8000, 0x1000);
    memory_region_add_overlap(&w->root, 0x2000, &over, 5);
    memory_region_add(&w->root, 0x100000, &rom);
    memory_region_add(&w->root, UINT64_MAX - 0xfff, &alias);

    address_space_st8(&w->as, 0x2000, 0x11, A, NULL);
    memory_region_set_enabled(&over, false);
    check_u8(t, address_space_ld8(&w->as, 0x2000, A, NULL), 0, "what is below");
    memory_region_set_enabled(&over, true);
    check_u8(t, address_space_ld8(&w->as, 0x2000, A, NULL), 0x11, "what is above");

    address_space_st8(&w->as, 0x100000, 0x22, A, &r);
    check_int(t, r, MEM_OK, "a write to ROM is no error");
    check_u8(t, address_space_ld8(&w->as, 0x100000, A, NULL), 0, "and does nothing");
    address_space_write_rom(&w->as, 0x100000, A, "\x33", 1);
    check_u8(t, address_space_ld8(&w->as, 0x100000, A, NULL), 0x33, "loaders may");

    address_space_st8(&w->as, UINT64_MAX, 0x44, A, NULL);
    check_u8(t, address_space_ld8(&w->as, 0x8fff, A, NULL), 0x44, "alias at the very top");
    memory_region_set_alias_offset(&alias, 0x9000);
    address_space_st8(&w->as, UINT64_MAX, 0x55, A, NULL);
    check_u8(t, address_space_ld8(&w->as, 0x9fff, A, NULL), 0x55, "alias moved");
    memory_region_set_readonly(&alias, true);
    address_space_st8(&w->as, UINT64_MAX, 0x66, A, NULL);
    check_u8(t, address_space_ld8(&w->as, 0x9fff, A, NULL), 0x55, "read-only alias of RAM");
    memory_region_set_size(&alias, 0x800);
    address_space_ld8(&w->as, UINT64_MAX, A, &r);
    check_int(t, r, MEM_DECODE_ERROR, "smaller alias");
    memory_region_set_address(&alias, 0x200000);
    check_u8(t, address_space_ld8(&w->as, 0x200000, A, &r), 0, "moved");
    check_int(t, r, MEM_OK, "moved");

    memory_region_cleanup(&alias);
    memory_region_cleanup(&rom);
    memory_region_cleanup(&over);
}

TEST(memory, romd)
{
    World *w = world_new(t);
    Probe p = { 0 };
    MemRegion romd;

    memory_region_init_romd(&romd, NULL, &probe_le, &p, "flash", 4096, NULL);
    memory_region_add_overlap(&w->root, 0, &romd, 1);
    *(uint8_t *)memory_region_ram_ptr(&romd) = 0x5a;
    check_u8(t, address_space_ld8(&w->as, 0, A, NULL), 0x5a, "array mode reads RAM");
    address_space_st8(&w->as, 0, 0x90, A, NULL);
    check_int(t, p.writes, 1, "writes are commands");
    memory_region_set_romd(&romd, false);
    check_u8(t, address_space_ld8(&w->as, 0, A, NULL), 0x11, "status mode asks the device");
    address_space_write_rom(&w->as, 0, A, "\x77", 1);
    check_u8(t, *(uint8_t *)memory_region_ram_ptr(&romd), 0x77, "loaders write the array");
    memory_region_cleanup(&romd);
}

TEST(memory, transactions_are_whole)
{
    World *w = world_new(t);
    FlatView *before = w->as.view;

    memory_transaction_begin();
    memory_region_set_address(&w->ram, 0x10000);
    memory_region_set_enabled(&w->ram, false);
    memory_region_set_enabled(&w->ram, true);
    check_true(t, w->as.view == before, "nothing is seen before the commit");
    memory_transaction_commit();
    check_true(t, w->as.view != before, "all at once");
    before = w->as.view;
    memory_region_set_enabled(&w->ram, false);
    memory_region_set_enabled(&w->ram, true);
    memory_transaction_begin();
    memory_region_set_address(&w->ram, 0x20000);
    memory_region_set_address(&w->ram, 0x10000);
    before = w->as.view;
    memory_transaction_commit();
    check_true(t, w->as.view == before, "a view that is the same stays");
}

typedef struct Log {
    MemListener l;
    GString *text;
} Log;

static void log_add(MemListener *l, const MemSection *s)
{
    g_string_append_printf(((Log *)l)->text, "+%s@%" PRIx64 " ", s->mr->name, s->start);
}

static void log_del(MemListener *l, const MemSection *s)
{
    g_string_append_printf(((Log *)l)->text, "-%s@%" PRIx64 " ", s->mr->name, s->start);
}

static void log_commit(MemListener *l)
{
    g_string_append(((Log *)l)->text, ".");
}

TEST(memory, listeners)
{
    World *w = world_new(t);
    Probe p;
    Log log = { { .name = "log", .region_add = log_add, .region_del = log_del,
                  .commit = log_commit }, g_string_new(NULL) };

    memory_listener_add(&w->as, &log.l);
    check_str(t, log.text->str, "+test.ram@0 .", "the view as it is");
    g_string_truncate(log.text, 0);
    with_probe(w, &p, &probe_le, 0x1000);
    check_str(t, log.text->str, "-test.ram@0 +test.ram@0 +probe@1000 +test.ram@1100 .",
              "what went, then what came");
    g_string_truncate(log.text, 0);
    memory_region_cleanup(&p.mr);
    check_str(t, log.text->str, "-test.ram@0 -probe@1000 -test.ram@1100 +test.ram@0 .",
              "and back");
    g_string_truncate(log.text, 0);
    memory_listener_del(&log.l);
    check_str(t, log.text->str, "-test.ram@0 .", "the rest");
    g_string_free(log.text, TRUE);
}

static uint64_t hook_addr, hook_len;
static unsigned hook_calls, track_calls;

static void hook_code(ram_addr_t addr, uint64_t len)
{
    hook_addr = addr;
    hook_len = len;
    hook_calls++;
}

static void hook_track(UNUSED ram_addr_t addr, UNUSED uint64_t len)
{
    track_calls++;
}

TEST(memory, dirty_and_code)
{
    static const RamAccelHooks hooks = {
        .code_written = hook_code, .track_writes = hook_track,
    };
    World *w = world_new(t);
    RamBlock *b = memory_region_ram_block(&w->ram);
    RamDirtySnapshot *snap;

    ram_set_accel_hooks(&hooks);
    check_true(t, !ram_needs_tracking(b, 0, 65536), "nobody watches");
    memory_region_set_log(&w->ram, true, RAM_DIRTY_DISPLAY);
    check_true(t, memory_region_test_and_clear_dirty(&w->ram, 0, 65536, RAM_DIRTY_DISPLAY),
               "all is dirty at first");
    check_true(t, track_calls > 0, "the accelerator is told to track");
    check_true(t, ram_needs_tracking(b, 0x3000, 1), "clean pages need it");
    address_space_st8(&w->as, 0x3fff, 1, A, NULL);
    check_true(t, !ram_needs_tracking(b, 0x3000, 1), "dirty ones don't");
    check_true(t, ram_dirty_test(b, RAM_DIRTY_DISPLAY, 0x3000, 4096), "dirty");
    check_true(t, !ram_dirty_test(b, RAM_DIRTY_DISPLAY, 0x4000, 4096), "next page is not");
    address_space_write(&w->as, 0x4ffe, A, "abcd", 4);
    snap = ram_dirty_snapshot(b, RAM_DIRTY_DISPLAY, 0x2000, 0x8000);
    check_true(t, ram_dirty_snapshot_get(snap, 0x4ffe, 4), "both pages");
    check_true(t, ram_dirty_snapshot_get(snap, 0x5000, 1), "second page");
    check_true(t, !ram_dirty_snapshot_get(snap, 0x6000, 1), "not the third");
    check_true(t, !ram_dirty_snapshot_get(snap, 0x1000000, 1), "outside");
    ram_dirty_snapshot_free(snap);
    check_true(t, !ram_dirty_test(b, RAM_DIRTY_DISPLAY, 0, 65536), "cleared by it");

    ram_code_mark(b, 0x7010, 4);
    address_space_st32_le(&w->as, 0x7800, 0, A, NULL);
    check_int(t, hook_calls, 1, "a store to the page");
    check_u64(t, hook_addr, b->start + 0x7800, "is told exactly");
    check_u64(t, hook_len, 4, "with its length");
    address_space_st32_le(&w->as, 0x8000, 0, A, NULL);
    check_int(t, hook_calls, 1, "other pages are not");
    ram_code_unmark(b, 0x7000, 4096);
    address_space_st32_le(&w->as, 0x7800, 0, A, NULL);
    check_int(t, hook_calls, 1, "nor without code");
    ram_set_accel_hooks(NULL);
}

TEST(memory, map_and_bounce)
{
    World *w = world_new(t);
    RamBlock *b = memory_region_ram_block(&w->ram);
    hwaddr len = 0x20000;
    Probe p;
    uint8_t *host = address_space_map(&w->as, 0xf000, &len, true, A);

    check_true(t, host == b->host + 0xf000, "RAM as it is");
    check_u64(t, len, 0x1000, "to its end");
    address_space_unmap(&w->as, host, len, true, len);
    with_probe(w, &p, &probe_le, 0x1000);
    len = 8;
    host = address_space_map(&w->as, 0x1000, &len, false, A);
    check_true(t, host && len == 8, "MMIO is bounced");
    check_u32(t, load_le32(host), 0x44332211, "read at once");
    address_space_unmap(&w->as, host, len, false, len);
    len = 8;
    host = address_space_map(&w->as, 0x1000, &len, true, A);
    memset(host, 0x5a, 8);
    address_space_unmap(&w->as, host, len, true, 4);
    check_int(t, p.writes, 1, "only what was used is written");
    len = 2 * MEM_BOUNCE_MAX;
    check_true(t, !address_space_map(&w->as, 0x100000, &len, true, A), "gaps map to nothing");
    memory_region_cleanup(&p.mr);
}

/* --- IOMMU --- */

typedef struct FakeIommu {
    MemRegion mr;
    AddressSpace *target;
    unsigned seen_requester;
} FakeIommu;

/* Page 0 is refused, page 1 goes to 0x3000 for reading, others are identity. */
static IommuEntry fake_translate(MemRegion *mr, hwaddr addr, UNUSED IommuPerm access,
                                 MemAttrs attrs)
{
    FakeIommu *f = mr->opaque;
    hwaddr page = addr & ~UINT64_C(0xfff);

    f->seen_requester = attrs.requester_id;
    return (IommuEntry){
        .target = f->target, .iova = page, .mask = 0xfff,
        .translated = page == 0x1000 ? 0x3000 : page,
        .perm = page == 0 ? IOMMU_NONE : page == 0x1000 ? IOMMU_READ : IOMMU_RW,
    };
}

static const IommuOps fake_ops = { .translate = fake_translate };

TEST(memory, iommu)
{
    World *w = world_new(t);
    FakeIommu f = { .target = &w->as };
    AddressSpace as;
    MemResult r;
    uint8_t buf[8];
    hwaddr len = 0x3000;

    memory_region_init_iommu(&f.mr, NULL, &fake_ops, &f, "iommu", UINT64_MAX);
    address_space_init(&as, &f.mr, "dma");
    address_space_st32_le(&w->as, 0x3004, 0xcafe, A, NULL);
    check_u32(t, address_space_ld32_le(&as, 0x1004, (MemAttrs){ .requester_id = 0x18 }, &r),
              0xcafe, "translated");
    check_int(t, f.seen_requester, 0x18, "the IOMMU sees who asks");
    address_space_st32_le(&as, 0x1004, 1, A, &r);
    check_int(t, r, MEM_IOMMU_ERROR, "no write permission");
    address_space_ld32_le(&as, 0x10, A, &r);
    check_int(t, r, MEM_IOMMU_ERROR, "not mapped");
    check_int(t, address_space_read(&as, 0xffe, A, buf, 8), MEM_IOMMU_ERROR,
              "a transfer that is half refused");
    check_true(t, address_space_map(&as, 0x2000, &len, true, A) ==
                  memory_region_ram_block(&w->ram)->host + 0x2000, "pages in a row");
    check_u64(t, len, 0x3000, "are one mapping");
    address_space_cleanup(&as);
    memory_region_cleanup(&f.mr);
}

TEST(memory, strided_chip)
{
    World *w = world_new(t);
    MemRegion board;
    Probe p;

    memset(&p, 0, sizeof(p));
    memory_region_init_io(&p.mr, NULL, &probe_byte, &p, "chip", 4);
    memory_region_init_strided(&board, NULL, "board", &p.mr, 1, 4, 3);
    memory_region_add_overlap(&w->root, 0x1000, &board, 1);
    check_u8(t, address_space_ld8(&w->as, 0x1007, A, NULL), 0x12, "register 1 in lane 3");
    check_u8(t, address_space_ld8(&w->as, 0x1005, A, NULL), 0, "other lanes are empty");
    address_space_st32_be(&w->as, 0x1008, 0x11223344, A, NULL);
    check_u64(t, p.addr, 2, "a wide write reaches the register once");
    check_u64(t, p.val, 0x44, "with its lane");
    check_int(t, p.writes, 1, "once");
    memory_region_cleanup(&board);
    memory_region_cleanup(&p.mr);
}

/* A device whose register write makes it write that register. */
static AddressSpace *loop_as;
static unsigned loop_depth, loop_max;

static MemResult loop_write(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t val,
                            UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    MemResult r;

    loop_depth++;
    loop_max = MAX(loop_max, loop_depth);
    address_space_st32_le(loop_as, 0x1000, (uint32_t)val + 1, A, &r);
    loop_depth--;
    return r;
}

TEST(memory, endless_dma_ends)
{
    static const MemOps ops = { .write = loop_write, .lockless = true };
    World *w = world_new(t);
    MemRegion mr;
    MemResult r;

    loop_as = &w->as;
    memory_region_init_io(&mr, NULL, &ops, NULL, "loop", 16);
    memory_region_add_overlap(&w->root, 0x1000, &mr, 1);
    address_space_st32_le(&w->as, 0x1000, 0, A, &r);
    check_int(t, r, MEM_DEVICE_ERROR, "ends with an error");
    check_true(t, loop_max < 100, "before the stack does");
    memory_region_cleanup(&mr);
}

/* --- readers beside a writer --- */

typedef struct Race {
    World *w;
    _Atomic bool stop;
    _Atomic unsigned wrong, loops;
    Probe *probe;
} Race;

static void *race_reader(void *opaque)
{
    Race *r = opaque;

    while (!r->stop) {
        uint32_t v = address_space_ld32_le(&r->w->as, 0x4000, A, NULL);

        /* RAM has ones there, the other region zeros: never anything else. */
        if (v != 0x11111111 && v != 0) {
            r->wrong++;
        }
        r->loops++;
    }
    return NULL;
}

TEST(memory, readers_need_no_lock)
{
    World *w = world_new(t);
    Race r = { .w = w };
    MemRegion over;
    Thread threads[2];

    address_space_set(&w->as, 0x4000, 0x11, 4096, A);
    memory_region_init_ram(&over, NULL, "over", 4096, NULL);
    memory_region_add_overlap(&w->root, 0x4000, &over, 1);
    for (int i = 0; i < 2; i++) {
        thread_create(&threads[i], "reader", race_reader, &r);
    }
    for (int i = 0; i < 2000 || r.loops < 1000; i++) {
        memory_region_set_enabled(&over, i & 1);
    }
    r.stop = true;
    for (int i = 0; i < 2; i++) {
        thread_join(&threads[i]);
    }
    check_int(t, r.wrong, 0, "each read sees a whole view");
    memory_region_cleanup(&over);
}

static void *lock_prober(void *opaque)
{
    Race *r = opaque;

    address_space_ld32_le(&r->w->as, 0x1000, A, NULL);
    return NULL;
}

TEST(memory, lock_rule)
{
    World *w = world_new(t);
    Probe p;
    Race r = { .w = w, .probe = &p };
    Thread thread;

    main_loop_init();
    with_probe(w, &p, &probe_lockless, 0x1000);
    thread_create(&thread, "prober", lock_prober, &r);
    thread_join(&thread);
    check_true(t, p.reads == 1 && !p.locked, "a lockless region is called as we are");
    memory_region_cleanup(&p.mr);

    with_probe(w, &p, &probe_le, 0x1000);
    big_unlock();
    thread_create(&thread, "prober", lock_prober, &r);
    thread_join(&thread);
    big_lock();
    check_true(t, p.reads == 1 && p.locked, "others get the big lock");
    memory_region_cleanup(&p.mr);
    big_unlock();
    rcu_drain();
    big_lock();
}

/* --- writes by I/O threads --- */

typedef struct Posting {
    AddressSpace *as;
    hwaddr addr;
    unsigned times;
    MemResult result;           /* of the last */
    Event done;
} Posting;

static void post(void *opaque)
{
    Posting *p = opaque;

    for (unsigned i = 0; i < p->times; i++) {
        address_space_st16_le(p->as, p->addr + 2 * (i % 8), i, A, &p->result);
    }
    event_set(&p->done);
}

/* The big lock is kept: who needed it would never be done. */
static void post_from(EventLoop *loop, Posting *p)
{
    event_init(&p->done, false);
    bh_once(loop, post, p);
    event_wait(&p->done);
}

TEST(memory, io_threads_post)
{
    World *w = world_new(t);
    Probe locked = { 0 }, free = { 0 };
    Posting p = { .as = &w->as, .addr = 0x4000, .times = 5 };
    EventLoop *loop;

    main_loop_init();
    loop = event_loop_new("io");
    memory_region_init_io(&locked.mr, NULL, &probe_le, &locked, "locked", 16);
    memory_region_init_io(&free.mr, NULL, &probe_lockless, &free, "free", 16);
    memory_region_add_overlap(&w->root, 0x4000, &locked.mr, 1);
    memory_region_add_overlap(&w->root, 0x5000, &free.mr, 1);
    post_from(loop, &p);
    check_int(t, p.result, MEM_OK, "posted");
    check_int(t, locked.writes, 0, "and not done before the main loop does it");
    main_loop_iterate(false);
    check_int(t, locked.writes, 5, "all of them");
    check_true(t, locked.val == 4 && locked.addr == 8 && locked.size == 2, "in their order");

    p.addr = 0x5000;
    post_from(loop, &p);
    check_int(t, free.writes, 5, "what needs no lock is written at once");

    p.addr = 0x4000;
    p.times = 100000;
    post_from(loop, &p);
    check_int(t, p.result, MEM_DEVICE_ERROR, "there is room for a number of them");
    locked.writes = 0;
    memory_region_cleanup(&locked.mr);
    main_loop_iterate(false);
    check_int(t, locked.writes, 0, "none reaches what has gone");
    p.times = 1;
    post_from(loop, &p);
    check_int(t, p.result, MEM_OK, "what was there before is: memory");
    event_loop_free(loop);
    memory_region_cleanup(&free.mr);
}

TEST(memory, ram_blocks)
{
    Error *err = NULL;
    uint64_t off;
    RamBlock *a = ram_block_new("a", 5000, 0, &err), *b = ram_block_new("b", 1, 0, &err), *c;
    char *path = g_strdup_printf("%s/ram", test_tmpdir(t));

    check_u64(t, a->size, 8192, "whole pages");
    check_true(t, ram_block_find("b") == b, "found by id");
    check_true(t, ram_block_at(b->start + 4095) == b, "by RAM address");
    check_true(t, !ram_block_at(b->start + 4096), "not past its end");
    check_true(t, ram_block_of_host(a->host + 8191, &off) == a && off == 8191, "by pointer");
    check_true(t, !ram_block_new("a", 4096, 0, &err), "ids are unique");
    check_str(t, error_message(err), "RAM block 'a' exists already", "and says so");
    error_free(err);
    err = NULL;
    check_true(t, !ram_block_new("z", 0, 0, &err), "no empty blocks");
    error_free(err);
    err = NULL;
    check_true(t, !ram_block_new("z", UINT64_MAX, 0, &err), "no endless blocks");
    error_free(err);
    err = NULL;
    c = ram_block_new_file("c", 4096, path, 0, 2 * MIB, RAM_SHARED, &err);
    if (check_true(t, c, "from a file")) {
        c->host[5] = 0x77;
        check_int(t, (uintptr_t)c->host % (2 * MIB), 0, "at the alignment that was asked for");
        ram_block_free(c);
        c = ram_block_new_file("c2", 4096, path, 0, 0, RAM_READ_ONLY, &err);
        check_true(t, c && c->host[5] == 0x77, "its bytes are the file's");
        ram_block_free(c);
        check_true(t, !ram_block_new_file("c3", 4096, path, 0, 0, RAM_SHARED | RAM_PMEM, &err) && strstr(error_message(err), "DAX"),
                   "which isn't in persistent memory");
        error_free(err);
        err = NULL;
    }
    ram_block_free(a);
    ram_block_free(b);
    check_true(t, !ram_block_find("a"), "gone");
    g_free(path);
}
