/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page walks on tables in memory (SDM vol. 3A chapter 4). */
#include "util/osdep.h"
#include "tests/target/i386/fixture.h"

enum { RD = 1 << MMU_READ, WR = 1 << MMU_WRITE, EX = 1 << MMU_EXEC };

typedef struct WalkCase {
    const char *what;
    uint64_t entry;             /* of the last level */
    MmuAccess access;
    unsigned mmu;
    uint64_t cr4;
    bool wp;
    int64_t error;              /* of #PF; -1: no fault */
    unsigned prot;
} WalkCase;

/* 4-KiB page 5 at linear 0x5000; the levels above allow all. */
static const WalkCase cases[] = {
    { "read of a read-only user page", 0x5005, MMU_READ, X86_MMU_USER, 0, true, -1, RD | EX },
    { "write needs W", 0x5005, MMU_WRITE, X86_MMU_USER, 0, true, 7, 0 },
    { "user needs U", 0x5003, MMU_READ, X86_MMU_USER, 0, true, 5, 0 },
    { "not present, write, user", 0x5006, MMU_WRITE, X86_MMU_USER, 0, true, 6, 0 },
    { "not present, read, supervisor", 0, MMU_READ, X86_MMU_KERNEL, 0, true, 0, 0 },
    { "supervisor write with WP", 0x5001, MMU_WRITE, X86_MMU_KERNEL, 0, true, 3, 0 },
    { "supervisor write without WP", 0x5001, MMU_WRITE, X86_MMU_KERNEL, 0, false, -1,
      RD | WR | EX },
    { "clean page has no write permission after a read", 0x5003, MMU_READ, X86_MMU_KERNEL, 0, true,
      -1, RD | EX },
    { "NX", 0x5007 | BIT64(63), MMU_EXEC, X86_MMU_USER, 0, true, 0x15, 0 },
    { "NX page can be read", 0x5007 | BIT64(63), MMU_READ, X86_MMU_USER, 0, true, -1, RD },
    { "SMEP", 0x5007, MMU_EXEC, X86_MMU_KERNEL, CR4_SMEP, true, 0x11, 0 },
    { "SMAP", 0x5007, MMU_READ, X86_MMU_KERNEL_SMAP, CR4_SMAP, true, 1, 0 },
    { "AC lifts SMAP", 0x5007, MMU_READ, X86_MMU_KERNEL, CR4_SMAP, true, -1, RD | EX },
    { "reserved bit", 0x5007 | BIT64(51), MMU_READ, X86_MMU_KERNEL, 0, true, 9, 0 },
};

TEST(mmu, rights)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    uint64_t fault[4];
    MmuResult r;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const WalkCase *c = &cases[i];
        bool ok;

        x86_reset_state(f->s);
        enter_long(f, 0);
        store_le64(f->ram + PD, PT | 7);
        store_le64(f->ram + PT + 5 * 8, c->entry);
        f->s->cr[4] |= c->cr4;
        if (!c->wp) {
            f->s->cr[0] &= ~(uint64_t)CR0_WP;
        }
        ok = x86_mmu_walk(&f->s->tcg, 0x5123, c->access, c->mmu, false, &r, fault);
        check_int(t, ok ? -1 : (int64_t)fault[1], c->error, c->what);
        if (ok) {
            check_u32(t, r.prot, c->prot, c->what);
            check_u64(t, r.phys, 0x5000, c->what);
        } else {
            check_int(t, fault[0], EXCP_PF, c->what);
        }
    }
}

TEST(mmu, accessed_and_dirty)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    uint64_t fault[4];
    MmuResult r;

    enter_long(f, 0);
    check_true(t, x86_mmu_walk(&f->s->tcg, 0x200000, MMU_READ, X86_MMU_KERNEL, true, &r, fault),
               "probe");
    check_u64(t, load_le64(f->ram + PML4), PDPT | 7, "a probe changes nothing");
    check_true(t, x86_mmu_walk(&f->s->tcg, 0x200000, MMU_READ, X86_MMU_KERNEL, false, &r, fault),
               "read");
    check_u64(t, load_le64(f->ram + PML4), PDPT | 0x27, "A of each level");
    check_u64(t, load_le64(f->ram + PD + 8), 0x200000 | 0xa7, "A but not D");
    check_u64(t, r.page_size, 2 * MIB, "large page");
    check_true(t, x86_mmu_walk(&f->s->tcg, 0x234567, MMU_WRITE, X86_MMU_KERNEL, false, &r, fault),
               "write");
    check_u64(t, load_le64(f->ram + PD + 8), 0x200000 | 0xe7, "D");
    check_u64(t, r.phys, 0x234000, "the 4-KiB page inside the large one");
    check_u32(t, r.prot, RD | WR | EX, "now writable");
}

TEST(mmu, modes)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;
    uint64_t fault[4];
    MmuResult r;

    check_true(t, x86_mmu_walk(&s->tcg, 0x123456, MMU_WRITE, X86_MMU_KERNEL, false, &r, fault),
               "no paging");
    check_u64(t, r.phys, 0x123000, "identity");
    s->a20_mask = ~BIT(20);
    x86_mmu_walk(&s->tcg, 0x123456, MMU_WRITE, X86_MMU_KERNEL, false, &r, fault);
    check_u64(t, r.phys, 0x023000, "A20 masked");
    s->a20_mask = UINT32_MAX;

    /* 32-bit: a 4-MiB page with PSE-36, and a 4-KiB one. */
    s->cr[0] |= CR0_PE | CR0_PG;
    s->cr[4] = CR4_PSE;
    s->cr[3] = 0x10000;
    store_le32(f->ram + 0x10000 + 4, 0x00400000 | 1 << 13 | 0x87);
    store_le32(f->ram + 0x10000 + 8, 0x11000 | 7);
    store_le32(f->ram + 0x11000 + 12, 0x77000 | 7);
    check_true(t, x86_mmu_walk(&s->tcg, 0x412345, MMU_READ, X86_MMU_USER, false, &r, fault), "PSE");
    check_u64(t, r.phys, UINT64_C(0x100412000), "PSE-36 address bits");
    check_u64(t, r.page_size, 4 * MIB, "PSE size");
    check_true(t, x86_mmu_walk(&s->tcg, 0x803456, MMU_WRITE, X86_MMU_USER, false, &r, fault), "4 KiB");
    check_u64(t, r.phys, 0x77000, "4 KiB address");
    check_u32(t, load_le32(f->ram + 0x11000 + 12), 0x77067, "A and D");
    s->cr[4] = 0;
    check_true(t, !x86_mmu_walk(&s->tcg, 0x412345, MMU_READ, X86_MMU_USER, false, &r, fault),
               "without PSE the bit is ignored: a table at 0x402000");

    /* PAE */
    s->cr[4] = CR4_PAE;
    s->cr[3] = 0x10020;
    store_le64(f->ram + 0x10020, 0x12000 | 1);
    store_le64(f->ram + 0x12000, 0x200000 | 0x87);
    check_true(t, x86_mmu_walk(&s->tcg, 0x3456, MMU_READ, X86_MMU_USER, false, &r, fault), "PAE");
    check_u64(t, r.phys, 0x203000, "PAE address");
    store_le64(f->ram + 0x10020, 0x12000 | 7);
    check_true(t, !x86_mmu_walk(&s->tcg, 0x3456, MMU_READ, X86_MMU_USER, false, &r, fault),
               "rights bits of a PDPTE are reserved");
    check_u64(t, fault[1], 0xd, "reserved, user");
}

TEST(mmu, canonical)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    uint64_t fault[4];
    MmuResult r;

    enter_long(f, 0);
    check_true(t, !x86_mmu_walk(&f->s->tcg, UINT64_C(0x800000000000), MMU_READ, X86_MMU_KERNEL,
                                false, &r, fault), "not canonical");
    check_int(t, fault[0], EXCP_GP, "#GP");
    x86_mmu_fault(&f->s->tcg, UINT64_C(0x800000000000), MMU_READ, X86_MMU_KERNEL, fault);
    check_int(t, f->s->excp, EXCP_GP, "queued");
    check_u64(t, f->s->cr[2], 0, "CR2 stays");
}
