/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 68030's MMU: trees of up to four levels (and one by function code), long and short descriptors, limits,
 * early termination; PMOVE, PFLUSH, PLOAD, PTEST.
 *
 * Pages below 4 Kbytes are not modelled: the soft MMU's granule is that.
 * Sources: 030UM chapter 9.
 */
#include "util/osdep.h"
#include "target/m68k/helpers.h"
#include "target/m68k/mmu.h"
#include "util/log.h"

/* TC, 030UM chapter 9. */
#define TC_E        BIT(31)
#define TC_SRE      BIT(25)
#define TC_FCL      BIT(24)
/* MMUSR (030UM chapter 9): */
#define SR_B        BIT(15)
#define SR_L        BIT(14)
#define SR_SUPER    BIT(13)
#define SR_W        BIT(11)
#define SR_I        BIT(10)
#define SR_MOD      BIT(9)
#define SR_TT       BIT(6)
/* Descriptors. */
#define D_DT        3u
#define D_WP        BIT(2)
#define D_U         BIT(3)
#define D_M         BIT(4)
#define D_S         BIT(8)          /* long format */
#define D_LU        BIT(31)         /* long format: lower limit */
enum { DT_INVALID, DT_PAGE, DT_SHORT, DT_LONG };

bool m68k_tt_030(const M68kState *s, uint32_t addr, unsigned fc, bool write)
{
    for (unsigned i = 0; i < 2; i++) {
        uint32_t r = s->tt[i], mask = ~r >> 16 & 0xff, fc_mask = ~r & 7;
        bool rwm = r & BIT(8), rw = r & BIT(9);

        if ((r & BIT(15)) && !(((addr >> 24) ^ (r >> 24)) & mask) &&
            !((fc ^ (r >> 4)) & fc_mask) && (rwm || rw == !write)) {
            return true;
        }
    }
    return false;
}

typedef struct Desc {
    uint32_t at, word, addr;    /* first long word; the address part */
    uint32_t limit;             /* long format's: 0x8000 | upper limit; or lower */
    unsigned dt;
} Desc;

static bool load_desc(M68kState *s, uint32_t at, bool is_long, Desc *d)
{
    d->at = at;
    if (!m68k_phys_ld32(s, at, &d->word)) {
        return false;
    }
    d->addr = d->word;
    if (is_long && !m68k_phys_ld32(s, at + 4, &d->addr)) {
        return false;
    }
    d->dt = d->word & D_DT;
    return true;
}

/* Is the index outside of the limit in the upper word of a long descriptor? */
static bool beyond(uint32_t word, uint32_t index)
{
    uint32_t limit = word >> 16 & 0x7fff;

    return word & D_LU ? index < limit : index > limit;
}

bool m68k_walk_030(M68kState *s, uint32_t addr, unsigned fc, bool write, bool probe, unsigned level,
                   M68kWalk *w)
{
    uint64_t root = (s->tc & TC_SRE) && (fc & 4) ? s->srp64 : s->crp64;
    unsigned ps = s->tc >> 20 & 15, is = s->tc >> 16 & 15, left = 32 - is, n = 0;
    uint8_t width[4];
    Desc d = { .word = (uint32_t)(root >> 32), .addr = (uint32_t)root, .dt = root >> 32 & D_DT };
    bool is_long = true, fc_level = s->tc & TC_FCL;
    uint32_t status = 0;

    *w = (M68kWalk){ 0 };
    for (unsigned i = 0; i < 4; i++) {
        width[i] = s->tc >> (12 - 4 * i) & 15;
    }
    for (unsigned i = 0; d.dt != DT_PAGE; ) {
        unsigned bits, index;
        bool child_long = d.dt == DT_LONG;

        if (d.dt == DT_INVALID || n == level) {
            status |= d.dt == DT_INVALID ? SR_I : 0;
            break;
        }
        if (fc_level) {
            index = fc;
            fc_level = false;
        } else {
            if (i == 4 || !width[i]) {          /* beyond the last level: indirect */
                if (!load_desc(s, d.addr & ~UINT32_C(3), child_long, &d)) {
                    status |= SR_B | SR_I;
                    break;
                }
                is_long = child_long;
                if (d.dt != DT_PAGE) {
                    status |= SR_I;
                    break;
                }
                continue;
            }
            bits = width[i++];
            left -= bits;
            index = addr >> left & ((1u << bits) - 1);
        }
        if (is_long && beyond(d.word, index)) {
            status |= SR_L | SR_I;
            break;
        }
        if (!load_desc(s, (d.addr & ~UINT32_C(15)) + index * (child_long ? 8 : 4), child_long, &d)) {
            status |= SR_B | SR_I;
            break;
        }
        is_long = child_long;
        n++;
        if (d.dt != DT_INVALID) {
            w->write_protected |= (d.word & D_WP) != 0;
            w->supervisor_only |= is_long && (d.word & D_S);
            if (d.dt != DT_PAGE && !probe && !(d.word & D_U)) {
                m68k_phys_set_bits(s, d.at, d.word, D_U);
            }
        }
    }
    status |= (w->write_protected ? SR_W : 0) | (w->supervisor_only ? SR_SUPER : 0) | n;
    if (d.dt == DT_PAGE && !(status & (SR_B | SR_L | SR_I))) {
        uint32_t set = D_U | (write && !w->write_protected ? D_M : 0);

        w->modified = (d.word & D_M) || (write && !probe);
        status |= d.word & D_M ? SR_MOD : 0;
        if (d.at && !probe && (d.word & set) != set && (!w->supervisor_only || (fc & 4))) {
            m68k_phys_set_bits(s, d.at, d.word, set);
        }
        if (!d.at) {
            w->modified = true;
        }
        w->page_size = (uint64_t)1 << MAX(left, ps);
        w->phys = (d.addr & ~UINT32_C(0xff)) + (addr & (uint32_t)(w->page_size - 1) & ~((1u << ps) - 1));
        w->page_size = (uint64_t)1 << MAX(ps, 12u);
        w->phys &= ~(w->page_size - 1);
    }
    w->status = status;
    return d.dt == DT_PAGE && !(status & (SR_B | SR_L | SR_I));
}

/* -------------------------------------------------------------------- PMOVE etc. */

/* PRM, PFLUSH: function code as SFC, DFC, Dn, or immediate. */
static unsigned function_code(const M68kState *s, unsigned field)
{
    return field & 0x10 ? field & 7 : field & 8 ? (unsigned)s->d[field & 7] & 7 :
           field & 1 ? s->dfc : s->sfc;
}

static void move_register(M68kState *s, uint32_t ext, uint32_t addr)
{
    unsigned mmu = M68K_MMU_SUPER, preg = ext >> 10 & 7;
    bool from = ext & 0x200, flush = !(ext & 0x100), old = ext & 0x4000;
    uint32_t *reg = NULL;
    uint64_t *reg64 = NULL;

    if (!old && (ext & 0xe000) == 0) {
        reg = preg == 2 ? &s->tt[0] : preg == 3 ? &s->tt[1] : NULL;
    } else if ((ext & 0xe000) == 0x4000) {
        reg = preg == 0 ? &s->tc : NULL;
        reg64 = preg == 2 ? &s->srp64 : preg == 3 ? &s->crp64 : NULL;
    } else if ((ext & 0xe000) == 0x6000) {      /* MMUSR, a word */
        if (from) {
            m68k_st16(s, addr, s->mmusr, mmu);
        } else {
            s->mmusr = m68k_ld16(s, addr, mmu) & 0xee47;
        }
        return;
    }
    if (reg) {
        if (from) {
            m68k_st32(s, addr, *reg, mmu);
            return;
        }
        *reg = m68k_ld32(s, addr, mmu);
        if (reg == &s->tc && (*reg & TC_E)) {
            unsigned sum = 0;

            for (unsigned i = 0; i < 6; i++) {
                sum += *reg >> (4 * i) & 15;
            }
            if (sum != 32 || (*reg >> 20 & 15) < 8) {
                *reg &= ~TC_E;                  /* 030UM chapter 9: configuration error */
                m68k_raise(s, EXCP_MMU_CONFIG, 0);
            }
            if ((*reg >> 20 & 15) < 12) {
                log_unimp("m68k", "68030 pages of %u bytes are taken as 4096", 1u << (*reg >> 20 & 15));
            }
        }
    } else if (reg64) {
        if (from) {
            m68k_st32(s, addr, (uint32_t)(*reg64 >> 32), mmu);
            m68k_st32(s, addr + 4, (uint32_t)*reg64, mmu);
            return;
        }
        *reg64 = (uint64_t)m68k_ld32(s, addr, mmu) << 32;
        *reg64 |= m68k_ld32(s, addr + 4, mmu);
        if (!(*reg64 >> 32 & D_DT)) {
            m68k_raise(s, EXCP_MMU_CONFIG, 0);
        }
    } else {
        m68k_raise(s, EXCP_LINE_F, 0);
    }
    if (flush) {
        tcg_tlb_flush(&s->tcg);
    }
}

static void h_pmmu(void *env, uint32_t ext, uint32_t addr, uint32_t reg)
{
    M68kState *s = env;
    unsigned fc = function_code(s, ext & 0x1f);
    M68kWalk w;

    (void)reg;
    switch (ext >> 13) {
    case 1:
        if ((ext & 0xfde0) == 0x2000) {         /* PLOAD */
            m68k_walk_030(s, addr, fc, !(ext & 0x200), false, 7, &w);
            tcg_tlb_flush_page(&s->tcg, addr);
        } else if ((ext >> 10 & 7) == 6) {      /* PFLUSH with an address */
            tcg_tlb_flush_page(&s->tcg, addr);
        } else {
            tcg_tlb_flush(&s->tcg);
        }
        break;
    case 4: {                                   /* PTEST */
        unsigned level = ext >> 10 & 7;

        if (m68k_tt_030(s, addr, fc, !(ext & 0x200))) {
            s->mmusr = SR_TT;
        } else {
            m68k_walk_030(s, addr, fc, false, true, level ? level : 7, &w);
            s->mmusr = w.status;
        }
        break;
    }
    case 0: case 2: case 3:
        move_register(s, ext, addr);
        break;
    default:
        m68k_raise(s, EXCP_LINE_F, 0);
    }
}
const IrHelper m68k_h_pmmu = { "m68k_pmmu", h_pmmu, "v:elll", IR_H_RAISES | IR_H_READS, 0, 0 };
