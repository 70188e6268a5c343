/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page walks: no paging, 32-bit (with PSE and PSE-36), PAE, 4-level and 5-level.
 *
 * A walk reads the tables as the CPU's physical accesses do, sets accessed
 * and dirty bits by compare-and-swap (another CPU may be changing the entry),
 * and starts again if an entry has changed under it.
 *
 * Sources: SDM vol. 3A chapter 4; APM vol. 2 chapter 5.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "util/bswap.h"
#include "util/log.h"

#define PTE_P       BIT64(0)
#define PTE_W       BIT64(1)
#define PTE_U       BIT64(2)
#define PTE_A       BIT64(5)
#define PTE_D       BIT64(6)
#define PTE_PS      BIT64(7)
#define PTE_G       BIT64(8)
#define PTE_NX      BIT64(63)

/* Error code of #PF (SDM 3A figure 4-12). */
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16, PF_PK = 32 };

typedef struct Walk {
    X86State *s;
    MmuAccess access;
    bool user, smap, probe;
    bool nx_on, wp;
    uint64_t a20;
    /* What the tables allow so far. */
    uint64_t rights;            /* AND of W and U */
    bool nx;
    unsigned key;               /* the page's PKRU bits: AD, WD */
} Walk;

typedef enum { WALK_OK, WALK_FAULT, WALK_AGAIN } WalkStatus;

/* fault[]: the vector and its error code. */
static bool page_fault(const Walk *w, unsigned code, uint64_t fault[4])
{
    code |= w->access == MMU_WRITE ? PF_W : 0;
    code |= w->user ? PF_U : 0;
    if (w->access == MMU_EXEC && (w->nx_on || (w->s->cr[4] & CR4_SMEP))) {
        code |= PF_I;
    }
    fault[0] = EXCP_PF;
    fault[1] = code;
    return false;
}

static uint64_t read_entry(Walk *w, uint64_t addr, unsigned size)
{
    uint8_t buf[8];

    if (!tcg_phys_ld(&w->s->tcg, addr & w->a20, buf, size)) {
        memset(buf, 0xff, sizeof(buf));         /* nobody answers: all ones */
    }
    return size == 4 ? load_le32(buf) : load_le64(buf);
}

static WalkStatus set_bits(Walk *w, uint64_t addr, uint64_t *entry, uint64_t bits, unsigned size)
{
    if (w->probe || (*entry & bits) == bits) {
        return WALK_OK;
    }
    if (!tcg_phys_cmpxchg(&w->s->tcg, addr & w->a20, *entry, *entry | bits, size)) {
        /* Changed under us; or in ROM, where the bits can't be kept. */
        return read_entry(w, addr, size) != *entry ? WALK_AGAIN : WALK_OK;
    }
    *entry |= bits;
    return WALK_OK;
}

/* Do the rights of the page's protection key forbid it? (SDM 3A 4.6.2) */
static bool key_forbids(const Walk *w, MmuAccess access)
{
    if (access == MMU_EXEC || !(w->rights & PTE_U)) {
        return false;
    }
    return (w->key & 1) || (access == MMU_WRITE && (w->key & 2) && (w->user || w->wp));
}

/* May the access be made to a page with these rights? (SDM 3A 4.6) */
static bool allowed(const Walk *w, MmuAccess access)
{
    bool u = w->rights & PTE_U, wr = w->rights & PTE_W;
    const X86State *s = w->s;

    if ((access == MMU_EXEC && w->nx) || key_forbids(w, access)) {
        return false;
    }
    if (w->user) {
        return u && (access != MMU_WRITE || wr);
    }
    if (access == MMU_EXEC) {
        return !u || !(s->cr[4] & CR4_SMEP);
    }
    if (u && w->smap) {
        return false;
    }
    return access != MMU_WRITE || wr || !w->wp;
}

/* The last entry was found: check rights, set A and D, fill @out. */
static WalkStatus finish(Walk *w, uint64_t addr, uint64_t entry_addr, uint64_t entry,
                         unsigned entry_size, uint64_t base, uint64_t page_size,
                         MmuResult *out, uint64_t fault[4])
{
    WalkStatus st;

    if ((w->s->cr[4] & CR4_PKE) && x86_lma(w->s)) {
        w->key = w->s->pkru >> (entry >> 59 & 15) * 2 & 3;
    }
    if (!allowed(w, w->access)) {
        page_fault(w, key_forbids(w, w->access) ? PF_P | PF_PK : PF_P, fault);
        return WALK_FAULT;
    }
    st = set_bits(w, entry_addr, &entry, w->access == MMU_WRITE ? PTE_A | PTE_D : PTE_A,
                  entry_size);
    if (st != WALK_OK) {
        return st;
    }
    out->phys = ((base & ~(page_size - 1)) | (addr & (page_size - 1) & ~UINT64_C(0xfff))) &
                w->a20;
    out->page_size = page_size;
    out->global = (entry & PTE_G) && (w->s->cr[4] & CR4_PGE);
    out->prot = allowed(w, MMU_READ) ? 1 << MMU_READ : 0;
    out->prot |= (entry & PTE_D) && allowed(w, MMU_WRITE) ? 1 << MMU_WRITE : 0;
    out->prot |= allowed(w, MMU_EXEC) ? 1 << MMU_EXEC : 0;
    return WALK_OK;
}

/* Bits of a PAE or long-mode entry between the physical width and 51. */
static uint64_t reserved_high(const X86State *s)
{
    return s->phys_bits < 52 ? MASK64(s->phys_bits, 52 - s->phys_bits) : 0;
}

static WalkStatus walk_32(Walk *w, uint64_t addr, MmuResult *out, uint64_t fault[4])
{
    X86State *s = w->s;
    uint64_t pde_addr = (s->cr[3] & 0xfffff000) + (addr >> 22 & 0x3ff) * 4;
    uint64_t pde = read_entry(w, pde_addr, 4), pte_addr, pte;
    WalkStatus st;

    if (!(pde & PTE_P)) {
        page_fault(w, 0, fault);
        return WALK_FAULT;
    }
    w->rights = pde;
    if ((pde & PTE_PS) && (s->cr[4] & CR4_PSE)) {
        /* PSE-36: bits 13 to 20 are address bits 32 to 39 (table 4-4). */
        uint64_t base = (pde & 0xffc00000) | (pde >> 13 & 0xff) << 32;

        if (pde & BIT64(21)) {
            page_fault(w, PF_P | PF_RSVD, fault);
            return WALK_FAULT;
        }
        return finish(w, addr, pde_addr, pde, 4, base, 4 * MIB, out, fault);
    }
    pte_addr = (pde & 0xfffff000) + (addr >> 12 & 0x3ff) * 4;
    pte = read_entry(w, pte_addr, 4);
    if (!(pte & PTE_P)) {
        page_fault(w, 0, fault);
        return WALK_FAULT;
    }
    w->rights &= pte;
    /* A of the directory entry is set only if the walk goes on. */
    st = set_bits(w, pde_addr, &pde, PTE_A, 4);
    if (st != WALK_OK) {
        return st;
    }
    return finish(w, addr, pte_addr, pte, 4, pte & 0xfffff000, 4096, out, fault);
}

/* From the table at @table downwards, whose index begins at bit @shift. */
static WalkStatus walk_64(Walk *w, uint64_t addr, uint64_t table, unsigned shift,
                          MmuResult *out, uint64_t fault[4])
{
    X86State *s = w->s;
    uint64_t rsvd = reserved_high(s) | (w->nx_on ? 0 : PTE_NX);
    bool lma = x86_lma(s);

    if (!lma) {
        rsvd |= MASK64(52, 11);                 /* table 4-9: 62:52 are reserved in PAE */
    }
    for (;;) {
        uint64_t entry_addr = table + (addr >> shift & 0x1ff) * 8;
        uint64_t entry = read_entry(w, entry_addr, 8);
        WalkStatus st;

        if (!(entry & PTE_P)) {
            page_fault(w, 0, fault);
            return WALK_FAULT;
        }
        if ((entry & rsvd) || (shift >= 39 && (entry & PTE_PS))) {
            page_fault(w, PF_P | PF_RSVD, fault);
            return WALK_FAULT;
        }
        w->rights &= entry;
        w->nx |= w->nx_on && (entry & PTE_NX);
        if (shift == 12) {
            return finish(w, addr, entry_addr, entry, 8, entry & MASK64(12, 40), 4096, out,
                          fault);
        }
        if (entry & PTE_PS) {
            uint64_t size = UINT64_C(1) << shift;

            /* Bits between PAT (12) and the page's base must be 0. */
            if (entry & (size - 1) & ~UINT64_C(0x1fff)) {
                page_fault(w, PF_P | PF_RSVD, fault);
                return WALK_FAULT;
            }
            return finish(w, addr, entry_addr, entry, 8, entry & MASK64(12, 40), size, out,
                          fault);
        }
        st = set_bits(w, entry_addr, &entry, PTE_A, 8);
        if (st != WALK_OK) {
            return st;
        }
        table = entry & MASK64(12, 40);
        shift -= 9;
    }
}

static WalkStatus walk_pae(Walk *w, uint64_t addr, MmuResult *out, uint64_t fault[4])
{
    uint64_t pdpte = read_entry(w, (w->s->cr[3] & 0xffffffe0) + (addr >> 30 & 3) * 8, 8);

    if (!(pdpte & PTE_P)) {
        page_fault(w, 0, fault);
        return WALK_FAULT;
    }
    /* Table 4-8: the first level has no rights of its own. */
    if (pdpte & (reserved_high(w->s) | MASK64(52, 12) | 0x1e6)) {
        page_fault(w, PF_P | PF_RSVD, fault);
        return WALK_FAULT;
    }
    return walk_64(w, addr, pdpte & MASK64(12, 40), 21, out, fault);
}

bool x86_mmu_walk(TcgEnv *env, uint64_t addr, MmuAccess access, unsigned mmu, bool probe,
                  MmuResult *out, uint64_t fault[4])
{
    X86State *s = x86_state(env);
    Walk w = {
        .s = s, .access = access, .probe = probe,
        .user = mmu == X86_MMU_USER, .smap = mmu == X86_MMU_KERNEL_SMAP,
        .nx_on = s->efer & EFER_NXE, .wp = s->cr[0] & CR0_WP,
        .a20 = (uint64_t)(int64_t)(int32_t)s->a20_mask,
    };
    WalkStatus st;

    memset(out, 0, sizeof(*out));
    out->attrs = (MemAttrs){ .secure = s->smm, .user = w.user };
    out->as_index = env->as_index;
    if (!x86_lma(s)) {
        addr = (uint32_t)addr;
    }
    out->watch = (s->dr[7] & 0xff) && x86_page_watched(s, addr & ~UINT64_C(0xfff));
    if (!(s->cr[0] & CR0_PG)) {
        out->phys = addr & ~UINT64_C(0xfff) & w.a20;
        out->prot = 1 << MMU_READ | 1 << MMU_WRITE | 1 << MMU_EXEC;
        out->page_size = 4096;
        return true;
    }
    if (x86_lma(s) && !x86_canonical(s, addr)) {
        fault[0] = EXCP_GP;
        fault[1] = 0;
        return false;
    }
    do {
        w.rights = PTE_W | PTE_U;
        w.nx = false;
        if (x86_lma(s)) {
            st = walk_64(&w, addr, s->cr[3] & MASK64(12, 40), s->cr[4] & CR4_LA57 ? 48 : 39, out,
                         fault);
        } else if (s->cr[4] & CR4_PAE) {
            st = walk_pae(&w, addr, out, fault);
        } else {
            st = walk_32(&w, addr, out, fault);
        }
    } while (st == WALK_AGAIN);
    return st == WALK_OK;
}

void x86_mmu_fault(TcgEnv *env, uint64_t addr, UNUSED MmuAccess access, UNUSED unsigned mmu,
                   const uint64_t fault[4])
{
    X86State *s = x86_state(env);

    if (fault[0] == EXCP_PF) {
        s->cr[2] = x86_lma(s) ? addr : (uint32_t)addr;
        log_printf(LOG_MMU, "page fault at %016" PRIx64 " error %02" PRIx64 " pc %016" PRIx64
                   "\n", s->cr[2], fault[1], env->pc);
    }
    x86_queue_exception(s, fault[0] == EXCP_GP && s->insn_is_stack ? EXCP_SS : (int)fault[0],
                        true, fault[1]);
}

static uint32_t tag_of(const X86State *s, uint64_t pcid)
{
    return s->cr[4] & CR4_PCIDE ? (pcid & 0xfff) + 1 : 0;
}

uint32_t x86_address_space(const TcgEnv *env)
{
    const X86State *s = (const X86State *)env;

    return tag_of(s, s->cr[3]);
}

void x86_invlpg(X86State *s, uint64_t addr)
{
    if (x86_lma(s) && !x86_canonical(s, addr)) {
        return;                                 /* APM vol. 3, INVLPG: no effect */
    }
    tcg_tlb_flush_page(&s->tcg, x86_linear(s, addr));
}

void x86_invpcid(X86State *s, unsigned type, uint64_t pcid, uint64_t addr)
{
    if (type > 3 || (pcid & ~UINT64_C(0xfff)) ||
        (type < 2 && pcid && !(s->cr[4] & CR4_PCIDE)) || (type == 0 && !x86_canonical(s, addr))) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    switch (type) {
    case 0:
        tcg_tlb_forget_page(&s->tcg, tag_of(s, pcid), addr);
        break;
    case 1:
        tcg_tlb_forget_space(&s->tcg, tag_of(s, pcid));
        break;
    case 2:
        tcg_tlb_flush(&s->tcg);
        break;
    default:
        tcg_tlb_flush_non_global(&s->tcg);
        break;
    }
}
