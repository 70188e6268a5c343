/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control registers, EFER, and HLT: the checks of MOV to CRn (SDM vol. 2),
 * the mode changes that follow, and what they do to the TLB (SDM 3A 4.10.4).
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "util/log.h"

void x86_set_cr0(X86State *s, uint64_t v)
{
    uint64_t old = s->cr[0], changed;

    if (v >> 32 || ((v & CR0_PG) && !(v & CR0_PE)) || ((v & CR0_NW) && !(v & CR0_CD))) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    v &= CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;
    v &= s->generation == X86_386 ? CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_PG : UINT64_MAX;
    v |= CR0_ET;
    changed = old ^ v;
    if ((changed & CR0_PG) && (v & CR0_PG) && (s->efer & EFER_LME)) {
        /* APM vol. 2, 14.6.2 */
        if (!(s->cr[4] & CR4_PAE) || (s->seg[S_CS].flags & SEG_L)) {
            x86_raise_error(s, EXCP_GP, 0);
        }
        s->efer |= EFER_LMA;
    } else if ((changed & CR0_PG) && !(v & CR0_PG)) {
        if (x86_code64(s) || (s->cr[4] & CR4_PCIDE)) {
            x86_raise_error(s, EXCP_GP, 0);
        }
        s->efer &= ~(uint64_t)EFER_LMA;
    }
    s->cr[0] = v;
    if ((changed & CR0_PE) && !(v & CR0_PE)) {
        x86_set_cpl(s, 0);
    }
    if (changed & (CR0_PG | CR0_WP | CR0_PE)) {
        tcg_tlb_flush(&s->tcg);
    }
    x86_mode_sync(s);
}

/* LMSW can set PE but not clear it. */
void x86_lmsw(X86State *s, uint16_t v)
{
    x86_set_cr0(s, (s->cr[0] & ~UINT64_C(0xe)) | (v & 0xf));
}

/* SDM vol. 3A, 4.10.4.1: with PCIDs, bit 63 asks to keep the entries of the new one; those of others stay in any case. */
void x86_set_cr3(X86State *s, uint64_t v)
{
    bool keep = (s->cr[4] & CR4_PCIDE) && (v & BIT64(63));

    if (keep) {
        v &= ~BIT64(63);
    }
    if (x86_lma(s)) {
        if (v >> s->phys_bits) {
            x86_raise_error(s, EXCP_GP, 0);
        }
    } else {
        v = (uint32_t)v;
    }
    s->cr[3] = v;
    if (s->cr[0] & CR0_PG) {
        tcg_tlb_switch(&s->tcg, keep);
    }
}

static uint64_t cr4_allowed(const X86State *s)
{
    static const struct { uint32_t cr4; uint8_t word, bit; } needs[] = {
        { CR4_VME | CR4_PVI, FEAT_1_EDX, 1 }, { CR4_TSD, FEAT_1_EDX, 4 },
        { CR4_DE, FEAT_1_EDX, 2 }, { CR4_PSE, FEAT_1_EDX, 3 }, { CR4_PAE, FEAT_1_EDX, 6 },
        { CR4_MCE, FEAT_1_EDX, 7 }, { CR4_PGE, FEAT_1_EDX, 13 },
        { CR4_OSFXSR, FEAT_1_EDX, 24 }, { CR4_OSXMMEXCPT, FEAT_1_EDX, 25 },
        { CR4_UMIP, FEAT_7_0_ECX, 2 }, { CR4_FSGSBASE, FEAT_7_0_EBX, 0 },
        { CR4_PCIDE, FEAT_1_ECX, 17 }, { CR4_OSXSAVE, FEAT_1_ECX, 26 },
        { CR4_SMEP, FEAT_7_0_EBX, 7 }, { CR4_SMAP, FEAT_7_0_EBX, 20 },
        { CR4_PKE, FEAT_7_0_ECX, 3 }, { CR4_LA57, FEAT_7_0_ECX, 16 },
    };
    uint64_t mask = CR4_PCE;

    for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
        if (x86_has(s, needs[i].word, needs[i].bit)) {
            mask |= needs[i].cr4;
        }
    }
    return mask;
}

void x86_set_cr4(X86State *s, uint64_t v)
{
    uint64_t changed = s->cr[4] ^ v;

    if (v & ~cr4_allowed(s)) {
        log_guest_error("cpu", "CR4 = %016" PRIx64 ": reserved bits %" PRIx64, v,
                        v & ~cr4_allowed(s));
        x86_raise_error(s, EXCP_GP, 0);
    }
    if (x86_lma(s) && (!(v & CR4_PAE) || (changed & CR4_LA57))) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    if ((changed & v & CR4_PCIDE) && (!x86_lma(s) || (s->cr[3] & 0xfff))) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    s->cr[4] = v;
    if (changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP |
                   CR4_PKE | CR4_LA57)) {
        tcg_tlb_flush(&s->tcg);
    }
    x86_mode_sync(s);
}

/* PKRU's rights are in the TLB's entries. */
void x86_pkru_changed(X86State *s)
{
    if (s->cr[4] & CR4_PKE) {
        tcg_tlb_flush(&s->tcg);
    }
}

/* WRMSR of EFER; the caller has checked the bits. LMA can't be written. */
void x86_set_efer(X86State *s, uint64_t v)
{
    uint64_t changed = s->efer ^ v;

    s->efer = (v & ~(uint64_t)EFER_LMA) | (s->efer & EFER_LMA);
    if (changed & EFER_NXE) {
        tcg_tlb_flush(&s->tcg);
    }
    x86_mode_sync(s);
}

void x86_set_cr8(X86State *s, uint64_t v)
{
    if (v >> 4) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    if (s->apic) {
        bool locked = x86_lock();

        local_apic_ops(s->apic)->set_tpr(s->apic, v << 4);
        x86_unlock(locked);
    } else {
        s->cr[8] = v;
    }
}

uint64_t x86_get_cr8(X86State *s)
{
    uint64_t v;
    bool locked;

    if (!s->apic) {
        return s->cr[8];
    }
    locked = x86_lock();
    v = local_apic_ops(s->apic)->get_tpr(s->apic) >> 4;
    x86_unlock(locked);
    return v;
}

void x86_hlt(X86State *s, uint64_t next_pc)
{
    CPUState *cpu = s->tcg.cpu;

    s->tcg.pc = next_pc;
    s->int_shadow = false;
    s->in_hlt = true;
    cpu->halted = true;
    x86_mode_sync(s);
}
