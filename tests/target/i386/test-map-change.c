/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device's access changes the memory map, in the middle of an instruction of generated code: the TLB is flushed, its table of
 * another size then, and what follows, in the same instruction and the next, sees the new map. Tables are the size to be made anew with
 * each flush, and what the old one's memory held is overwritten.
 */
#include "util/osdep.h"
#include <sys/mman.h>
#include "accel/tcg/region.h"
#include "tests/target/i386/fixture.h"

enum { DEV = 0x700000, OVER = 0x680000, TOUCHED = 0x200000, CODE = 0x100000, CACHE_SIZE = 8 << 20,
       BASE_VALUE = 0x11111111, OVER_VALUE = 0x44444444, UNDER_VALUE = 0x33333333 };
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9 };

static struct {
    MemRegion dev, over;
    unsigned accesses;
    bool hide;                  /* the device goes, once it was asked */
    void *rubbish[64];
} board;

/* What the TLB's entries were isn't there any more. */
static void spoil(void)
{
    void **p = &board.rubbish[board.accesses++ % ARRAY_SIZE(board.rubbish)];
    size_t n = sizeof(TlbFull) << TLB_MIN_BITS;

    g_free(*p);
    *p = g_malloc(n);
    memset(*p, 0xa5, n);
}

static void change(void)
{
    memory_region_set_enabled(&board.over, !(board.accesses & 1));
    if (board.hide) {
        memory_region_set_enabled(&board.dev, false);
    }
    spoil();
}

static MemResult dev_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          UNUSED MemAttrs attrs)
{
    *val = UINT64_C(0x5a5a5a5a5a5a5a5a);
    change();
    return MEM_OK;
}

static MemResult dev_write(UNUSED void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    change();
    return MEM_OK;
}

static const MemOps dev_ops = { .read = dev_read, .write = dev_write, .valid = { 1, 8 }, .impl = { 1, 8, true } };

typedef struct Case {
    const char *name;
    const char *code;           /* hexadecimal; RBX: the device, RSI: what it switches, RDI: RAM */
    unsigned accesses;
    uint32_t eax;               /* 0: anything */
    bool hide;
} Case;

static const Case cases[] = {
    /* No device: the page of the code, which C must see written, so that its look-up for both kinds does for reads alone. */
    { "mov eax, [rdi]; mov [rdi + 4], ecx; mov eax, [rdi + 4]: beside the code, in a loop",
      "57bf000f1000b978563412ba03000000" "8b07894f048b4704ffca75f4" "5f", 0, 0x12345678, false },
    { "mov eax, [rbx]", "8b03", 1, 0x5a5a5a5a, false },
    { "mov [rbx], eax", "8903", 1, 0, false },
    { "mov eax, [rsi]; mov ecx, [rbx]; mov eax, [rsi]", "8b068b0b8b06", 1, OVER_VALUE, false },
    { "add [rbx], ecx", "010b", 2, 0, false },
    { "xchg [rbx], eax", "8703", 2, 0x5a5a5a5a, false },
    { "lock add [rbx], ecx", "f0010b", 2, 0, false },
    { "mov eax, [rbx + 0xffe]: RAM behind", "8b83fe0f0000", 2, 0x22225a5a, false },
    { "mov eax, [rbx - 2]: RAM before", "8b43fe", 2, 0x5a5a2222, false },
    { "mov [rbx + 0xffe], ecx", "898bfe0f0000", 2, 0, false },
    { "mov [rbx - 2], ecx", "894bfe", 2, 0, false },
    { "rep movsb from it", "5657488bf3b90300000048ffc0f3a45f5e", 3, 0, false },
    { "rep stosb to it", "57488bfbb905000000f3aa5f", 5, 0, false },
    { "movups xmm0, [rbx]", "0f1003", 2, 0, false },
    { "movups [rbx], xmm0", "0f1103", 2, 0, false },
    { "fld tbyte [rbx]; fstp st0", "db2bddd8", 2, 0, false },
    { "pop [rbx]; push [rbx]", "8f03ff33", 2, 0, false },
    { "mov eax, [rbx]; mov eax, [rbx]: the device has gone", "8b038b03", 1, UNDER_VALUE, true },
    { "mov eax, [rbx + 0xffe]: gone after a byte", "8b83fe0f0000", 2, 0, true },
    { "rep movsb from it: gone after a byte", "5657488bf3b90300000048ffc0f3a45f5e", 1, 0, true },
};

static unsigned put_hex(uint8_t *at, const char *hex)
{
    unsigned n = 0;

    for (; hex[2 * n]; n++) {
        char two[3] = { hex[2 * n], hex[2 * n + 1], 0 };

        at[n] = (uint8_t)strtoul(two, NULL, 16);
    }
    return n;
}

/* Fills more than half of the least table, and looks at what is switched before and after the case. */
static void run(Test *t, Fixture *f, const Case *c, uint64_t pc)
{
    X86State *s = f->s;
    uint8_t *at = f->ram + pc;

    at += put_hex(at, "b9c8000000" "bf00002000" "8b07" "4881c700100000" "ffc9" "75f3" "448b06");
    at += put_hex(at, c->code);
    put_hex(at, "448b0e" "f4");
    memset(f->ram + OVER, 0x11, 4096);
    memset(f->ram + DEV - 4096, 0x22, 4096);
    memset(f->ram + DEV, 0x33, 4096);
    memset(f->ram + DEV + 4096, 0x22, 4096);
    memory_region_set_enabled(&board.dev, true);
    memory_region_set_enabled(&board.over, false);
    board.accesses = 0;
    board.hide = c->hide;
    tlb_init(f->v);
    tcg_tlb_flush(&s->tcg);
    memset(s->regs, 0, sizeof(s->regs));
    s->regs[RBX] = DEV;
    s->regs[RSI] = OVER;
    s->regs[RSP] = STACK0;
    s->tcg.pc = pc;
    s->tcg.exit_request = 0;
    f->cpu->parent.halted = false;
    x86_mode_sync(s);
    tcg_mode_changed(&s->tcg);
    for (unsigned i = 0; i < 100 && !f->cpu->parent.halted; i++) {
        vcpu_exec(f->v);
    }
    test_note(t, "%s", c->name);
    check_true(t, f->cpu->parent.halted, "its end is reached");
    check_int(t, board.accesses, c->accesses, "accesses of the device");
    check_u32(t, s->regs[R8], BASE_VALUE, "the map before");
    check_u32(t, s->regs[R9], board.accesses & 1 ? OVER_VALUE : BASE_VALUE, "the map after");
    if (c->eax) {
        check_u32(t, s->regs[RAX], c->eax, "EAX");
    }
}

static void run_all(Test *t, const TcgBackend *be)
{
    static uint8_t *cache;
    Fixture *f = fixture_new(t, "max-x86_64-cpu");

    if (!cache) {
        cache = mmap(NULL, CACHE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memory_region_init_io(&board.dev, NULL, &dev_ops, NULL, "switch", 4096);
        memory_region_init_ram(&board.over, NULL, "over", 4096, NULL);
        memory_region_add_overlap(system_memory(), DEV, &board.dev, 1);
        memory_region_add_overlap(system_memory(), OVER, &board.over, 1);
        memset(memory_region_ram_ptr(&board.over), 0x44, 4096);
        softmmu_init();
    }
    if (!f || cache == MAP_FAILED || !be->init(x86_64_target_ops.globals, cache, cache, CACHE_SIZE)) {
        test_skip(t, "no memory that may be executed");
        return;
    }
    region_init(be);
    f->v->be = be;
    enter_long(f, 0);
    f->s->cr[4] |= CR4_OSFXSR;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        run(t, f, &cases[i], CODE + i * 256);
        tcg_options.tiers = !tcg_options.tiers;
        run(t, f, &cases[i], CODE + i * 256 + 128);
        tcg_options.tiers = !tcg_options.tiers;
    }
    region_lock();
    region_flush_all();
    region_unlock();
}

#ifdef __x86_64__
TEST(map_change, backend)
{
    run_all(t, &tcg_backend_x86_64);
}
#endif

TEST(map_change, interpreter)
{
    run_all(t, &tcg_backend_interp);
}
