/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address translation: transparent translation registers and three-level tables of the 68040 and 68060,
 * and what the soft MMU asks of any model.
 *
 * Sources: 040UM chapter 3, 060UM chapter 4.
 */
#include "util/osdep.h"
#include "target/m68k/helpers.h"
#include "target/m68k/mmu.h"
#include "util/bswap.h"

#define TC_E        BIT(15)
#define TC_P        BIT(14)         /* 8-Kbyte pages */
#define TT_E        BIT(15)
#define TT_S_IGNORE BIT(14)
#define TT_S        BIT(13)
#define TT_W        BIT(2)
/* Descriptors. */
#define DESC_W      BIT(2)
#define DESC_U      BIT(3)
#define PAGE_M      BIT(4)
#define PAGE_S      BIT(7)
#define PAGE_G      BIT(10)
/* MMUSR, 040UM chapter 3. */
#define MMUSR_R     BIT(0)
#define MMUSR_T     BIT(1)
#define MMUSR_B     BIT(11)

bool m68k_phys_set_bits(M68kState *s, uint32_t addr, uint32_t old, uint32_t bits)
{
    uint8_t o[4], n[4];

    store_be32(o, old);
    store_be32(n, old | bits);
    return tcg_phys_cmpxchg(&s->tcg, addr, load_le32(o), load_le32(n), 4);
}

/* Does one of the two registers match? */
static const uint32_t *transparent(const uint32_t tt[2], uint32_t addr, bool super)
{
    for (unsigned i = 0; i < 2; i++) {
        uint32_t r = tt[i], mask = ~r >> 16 & 0xff;

        if ((r & TT_E) && !(((addr >> 24) ^ (r >> 24)) & mask) &&
            ((r & TT_S_IGNORE) || super == !!(r & TT_S))) {
            return &tt[i];
        }
    }
    return NULL;
}

static bool set_used(M68kState *s, uint32_t at, uint32_t desc, uint32_t bits, bool probe)
{
    return probe || (desc & bits) == bits || m68k_phys_set_bits(s, at, desc, bits);
}

typedef enum WalkEnd { WALK_OK, WALK_FAIL, WALK_AGAIN } WalkEnd;

static WalkEnd walk_040(M68kState *s, uint32_t addr, bool super, bool write, bool probe, M68kWalk *w)
{
    bool big = s->tc & TC_P;
    unsigned page_bits = big ? 13 : 12;
    uint32_t table = super ? s->srp : s->urp, desc, at;
    bool wp = false;

    w->status = MMUSR_B;
    for (unsigned level = 0; level < 2; level++) {
        at = (table & 0xfffffe00) | (level ? addr >> 18 & 0x7f : addr >> 25) << 2;
        if (!m68k_phys_ld32(s, at, &desc)) {
            return WALK_FAIL;
        }
        if (!(desc & 2)) {
            w->status = 0;
            return WALK_FAIL;
        }
        wp |= (desc & DESC_W) != 0;
        if (!set_used(s, at, desc, DESC_U, probe)) {
            return WALK_AGAIN;
        }
        table = desc;
    }
    at = big ? (table & 0xffffff80) | (addr >> 13 & 0x1f) << 2
             : (table & 0xffffff00) | (addr >> 12 & 0x3f) << 2;
    if (!m68k_phys_ld32(s, at, &desc)) {
        return WALK_FAIL;
    }
    if ((desc & 3) == 2) {              /* indirect */
        at = desc & ~UINT32_C(3);
        if (!m68k_phys_ld32(s, at, &desc)) {
            return WALK_FAIL;
        }
        if ((desc & 3) == 2) {
            w->status = 0;
            return WALK_FAIL;
        }
    }
    if (!(desc & 1)) {
        w->status = 0;
        return WALK_FAIL;
    }
    wp |= (desc & DESC_W) != 0;
    w->write_protected = wp;
    w->supervisor_only = desc & PAGE_S;
    if (!((write && wp) || (!super && w->supervisor_only)) &&
        !set_used(s, at, desc, DESC_U | (write ? PAGE_M : 0), probe)) {
        return WALK_AGAIN;
    }
    w->modified = (desc & PAGE_M) || (write && !probe);
    w->global = desc & PAGE_G;
    w->page_size = (uint64_t)1 << page_bits;
    w->phys = desc & ~(uint32_t)(w->page_size - 1);
    w->status = (desc & ~UINT32_C(0xfff)) | (desc & 0x7f0) | (wp ? DESC_W : 0) | MMUSR_R |
                (write && !wp ? PAGE_M : 0);
    return WALK_OK;
}

static bool walk(M68kState *s, uint32_t addr, unsigned fc, bool write, bool probe, M68kWalk *w)
{
    WalkEnd end;

    if (m68k_has(s, M68K_030)) {
        return m68k_walk_030(s, addr, fc, write, probe, 7, w);
    }
    do {
        *w = (M68kWalk){ 0 };
        end = walk_040(s, addr, fc & 4, write, probe, w);
    } while (end == WALK_AGAIN);
    return end == WALK_OK;
}

/* --- for the soft MMU --- */

enum { R = 1 << MMU_READ, W = 1 << MMU_WRITE, X = 1 << MMU_EXEC };

static bool identity(MmuResult *out, uint64_t addr, uint8_t prot, bool user)
{
    out->phys = addr & ~UINT64_C(0xfff);
    out->prot = prot;
    out->page_size = TCG_PAGE_SIZE;
    out->attrs.user = user;
    return true;
}

/* Through a transparent translation register. Code and data have their own: what is allowed is
 * told for the one kind only. */
static bool by_transparent(const M68kState *s, uint32_t addr, MmuAccess access, bool super,
                           MmuResult *out, bool *refused)
{
    const uint32_t *code = transparent(s->itt, addr, super), *data = transparent(s->dtt, addr, super);
    const uint32_t *tt = access == MMU_EXEC ? code : data;

    if (!tt) {
        return false;
    }
    *refused = access == MMU_WRITE && (*tt & TT_W);
    identity(out, addr, access == MMU_EXEC ? X : (uint8_t)(R | (*tt & TT_W ? 0 : W)), !super);
    return true;
}

bool m68k_mmu_walk(TcgEnv *env, uint64_t addr64, MmuAccess access, unsigned mmu, bool probe,
                   MmuResult *out, uint64_t fault[4])
{
    M68kState *s = m68k_state(env);
    uint32_t addr = (uint32_t)addr64;
    bool super = mmu == M68K_MMU_SUPER, refused = false, mapped, either;
    unsigned fc = (super ? 4u : 0) | (access == MMU_EXEC ? 2u : 1u);
    M68kWalk w = { 0 };

    (void)fault;
    if (!m68k_has(s, M68K_020UP)) {
        return identity(out, addr & 0xffffff, R | W | X, !super);
    }
    if (!m68k_has(s, M68K_MMU)) {
        return identity(out, addr, R | W | X, !super);
    }
    if (m68k_has(s, M68K_030)) {
        if (!(s->tc & BIT(31)) || m68k_tt_030(s, addr, fc, access == MMU_WRITE)) {
            return identity(out, addr, !(s->tc & BIT(31)) && !((s->tt[0] | s->tt[1]) & TT_E) ? R | W | X :
                            (uint8_t)(1 << access), !super);
        }
    } else {
        if (by_transparent(s, addr, access, super, out, &refused)) {
            return !refused;
        }
        if (!(s->tc & TC_E)) {
            return identity(out, addr, R | W | X, !super);
        }
    }
    mapped = walk(s, addr, fc, access == MMU_WRITE, probe, &w);
    if (!mapped || (!super && w.supervisor_only) || (access == MMU_WRITE && w.write_protected)) {
        return false;
    }
    out->phys = (w.phys | (addr & (w.page_size - 1))) & ~UINT64_C(0xfff);
    out->page_size = w.page_size;
    out->global = w.global;
    out->attrs.user = !super;
    /* Another kind of access may be translated transparently, or by other tables. */
    either = m68k_has(s, M68K_030) ? (s->tt[0] | s->tt[1]) & TT_E
             : transparent(s->itt, addr, super) || transparent(s->dtt, addr, super);
    if (either) {
        out->prot = access == MMU_EXEC ? X : R;
    } else {
        out->prot = R | X;
    }
    if (!w.write_protected && w.modified && access != MMU_EXEC) {
        out->prot |= W;
    }
    return true;
}

/* --- instructions --- */

/* PFLUSHN, PFLUSH: one page of the space in DFC; PFLUSHAN, PFLUSHA: all (PRM, PFLUSH). */
static void h_pflush(void *env, uint32_t how, uint32_t addr)
{
    M68kState *s = env;

    switch (how) {
    case 0: case 1: tcg_tlb_flush_page(&s->tcg, addr); break;
    case 2: tcg_tlb_flush_non_global(&s->tcg); break;
    default: tcg_tlb_flush(&s->tcg); break;
    }
}
const IrHelper m68k_h_pflush = { "m68k_pflush", h_pflush, "v:ell", IR_H_RAISES, 0, 0 };

static void h_ptest(void *env, uint32_t addr, uint32_t write)
{
    M68kState *s = env;
    bool super = s->dfc & 4, code = (s->dfc & 3) == 2;
    M68kWalk w = { 0 };

    if (transparent(code ? s->itt : s->dtt, addr, super)) {
        s->mmusr = (addr & ~UINT32_C(0xfff)) | MMUSR_T | MMUSR_R;
        return;
    }
    walk(s, addr, s->dfc, write, false, &w);
    s->mmusr = w.status;
}
const IrHelper m68k_h_ptest = { "m68k_ptest", h_ptest, "v:ell", IR_H_RAISES, 0, 0 };
