/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model-specific registers and the time-stamp counter. What isn't here is a #GP, as
 * on a processor that lacks it, and is logged.
 *
 * Sources: SDM vol. 4; APM vol. 2 appendix A.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "util/host-utils.h"
#include "util/log.h"
#include "util/timer.h"

enum {
    MSR_P5_MC_ADDR = 0x0, MSR_P5_MC_TYPE = 0x1, MSR_TSC = 0x10, MSR_PLATFORM_ID = 0x17,
    MSR_APIC_BASE = 0x1b, MSR_EBL_CR_POWERON = 0x2a, MSR_FEATURE_CONTROL = 0x3a,
    MSR_TSC_ADJUST = 0x3b, MSR_BIOS_UPDT_TRIG = 0x79, MSR_BIOS_SIGN_ID = 0x8b,
    MSR_SMBASE = 0x9e, MSR_MTRRCAP = 0xfe, MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP,
    MSR_SYSENTER_EIP, MSR_MCG_CAP = 0x179, MSR_MCG_STATUS, MSR_MCG_CTL,
    MSR_PERF_STATUS = 0x198, MSR_MISC_ENABLE = 0x1a0, MSR_MTRR_PHYS = 0x200,
    MSR_MTRR_FIX64K = 0x250, MSR_MTRR_FIX16K = 0x258, MSR_MTRR_FIX4K = 0x268, MSR_PAT = 0x277,
    MSR_MTRR_DEF = 0x2ff, MSR_MC0_CTL = 0x400, MSR_TSC_DEADLINE = 0x6e0, MSR_X2APIC = 0x800, MSR_XSS = 0xda0,
    MSR_EFER = 0xc0000080, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_FMASK,
    MSR_FS_BASE = 0xc0000100, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_TSC_AUX,
    MSR_SYSCFG = 0xc0010010, MSR_HWCR = 0xc0010015, MSR_TOP_MEM = 0xc001001a,
    MSR_TOP_MEM2 = 0xc001001d, MSR_NB_CFG = 0xc001001f, MSR_INT_PENDING = 0xc0010055,
    MSR_VM_CR = 0xc0010114, MSR_VM_HSAVE_PA = 0xc0010117, MSR_PATCH_LOADER = 0xc0010020,
};

#define MCG_BANKS(s)    ((unsigned)((s)->mcg_cap & 0xff))

/* --------------------------------------------------------------------- the TSC */

static uint64_t tsc_of_clock(const X86State *s, int64_t ns)
{
    if (s->tsc_hz == (uint64_t)NS_PER_SECOND) {
        return ns;
    }
    return muldiv64((uint64_t)ns, s->tsc_hz, NS_PER_SECOND);
}

uint64_t x86_rdtsc(X86State *s)
{
    return tsc_of_clock(s, clock_get_ns(CLOCK_VIRTUAL)) + s->tsc_offset;
}

static void move_tsc(X86State *s, uint64_t delta)
{
    s->tsc_offset += delta;
    s->tsc_adjust += delta;
    if (s->apic) {
        bool locked = x86_lock();

        local_apic_ops(s->apic)->set_tsc(s->apic, s->tsc_hz, s->tsc_offset);
        x86_unlock(locked);
    }
}

/* ------------------------------------------------------------------ the APIC's */

static bool apic_read(X86State *s, uint32_t index, uint64_t *v)
{
    const LocalApicOps *ops;
    bool locked, ok = true;

    if (!s->apic) {
        return false;
    }
    ops = local_apic_ops(s->apic);
    locked = x86_lock();
    if (index == MSR_APIC_BASE) {
        *v = ops->get_base(s->apic);
    } else if (index == MSR_TSC_DEADLINE) {
        ok = x86_has(s, FEAT_1_ECX, 24);
        *v = ok ? ops->get_deadline(s->apic) : 0;
    } else {
        ok = ops->read_msr(s->apic, index - MSR_X2APIC, v);
    }
    x86_unlock(locked);
    return ok;
}

static bool apic_write(X86State *s, uint32_t index, uint64_t v)
{
    const LocalApicOps *ops;
    bool locked, ok = true;

    if (!s->apic) {
        return false;
    }
    ops = local_apic_ops(s->apic);
    locked = x86_lock();
    if (index == MSR_APIC_BASE) {
        ok = !((v & BIT(10)) && !x86_has(s, FEAT_1_ECX, 21)) && !(v >> s->phys_bits) &&
             ops->set_base(s->apic, v);
        s->apic_disabled = !(ops->get_base(s->apic) & BIT(11));
        if (ok && x86_cpu_of(s)) {
            x86_cpu_move_apic(x86_cpu_of(s));
        }
    } else if (index == MSR_TSC_DEADLINE) {
        ok = x86_has(s, FEAT_1_ECX, 24);
        if (ok) {
            ops->set_deadline(s->apic, v);
        }
    } else {
        ok = ops->write_msr(s->apic, index - MSR_X2APIC, v);
    }
    x86_unlock(locked);
    return ok;
}

/* ---------------------------------------------------------------- MTRR and MCE */

/* The slot of a fixed-range MTRR in mtrr_fixed[]; NULL if it is none. */
static uint64_t *mtrr_fixed(X86State *s, uint32_t index)
{
    switch (index) {
    case MSR_MTRR_FIX64K:
        return &s->mtrr_fixed[0];
    case MSR_MTRR_FIX16K ... MSR_MTRR_FIX16K + 1:
        return &s->mtrr_fixed[1 + index - MSR_MTRR_FIX16K];
    case MSR_MTRR_FIX4K ... MSR_MTRR_FIX4K + 7:
        return &s->mtrr_fixed[3 + index - MSR_MTRR_FIX4K];
    default:
        return NULL;
    }
}

/* Memory types: UC WC WT WP WB are 0 1 4 5 6 (SDM 3A table 12-8). */
static bool types_valid(uint64_t v, bool pat)
{
    for (int i = 0; i < 8; i++, v >>= 8) {
        unsigned t = v & 0xff;

        if (t == 2 || t == 3 || t > 7 || (t == 7 && !pat)) {
            return false;
        }
    }
    return true;
}

static bool has_mtrr(const X86State *s)
{
    return x86_has(s, FEAT_1_EDX, 12);
}

/* IA32_MCi_STATUS may be written with zeros only (SDM 3B 16.3.2.2). */
static bool write_mce(X86State *s, uint32_t index, uint64_t v)
{
    unsigned n = index - MSR_MC0_CTL;

    if (n >= MCG_BANKS(s) * 4 || n >= ARRAY_SIZE(s->mce_banks)) {
        return false;
    }
    if ((n & 3) == 0) {
        if (v != 0 && v != UINT64_MAX && (v | BIT64(10)) != UINT64_MAX) {
            return false;
        }
    } else if ((n & 3) == 1 && v && !(s->hwcr & BIT64(18))) {
        return false;
    }
    s->mce_banks[n] = v;
    return true;
}

/* ------------------------------------------------------------------------ EFER */

static bool write_efer(X86State *s, uint64_t v)
{
    uint64_t allowed = 0;

    if (x86_has(s, FEAT_8000_0001_EDX, 11)) {
        allowed |= EFER_SCE;
    }
    if (x86_has(s, FEAT_8000_0001_EDX, 29)) {
        allowed |= EFER_LME | EFER_LMA;
    }
    if (x86_has(s, FEAT_8000_0001_EDX, 20)) {
        allowed |= EFER_NXE;
    }
    if (x86_has(s, FEAT_8000_0001_EDX, 25)) {
        allowed |= EFER_FFXSR;
    }
    if ((v & ~allowed) || (((v ^ s->efer) & EFER_LME) && (s->cr[0] & CR0_PG))) {
        return false;
    }
    x86_set_efer(s, v);
    return true;
}

/* ---------------------------------------------------------------- plain storage */

static uint64_t *plain(X86State *s, uint32_t index)
{
    bool lm = x86_has(s, FEAT_8000_0001_EDX, 29);

    switch (index) {
    case MSR_SYSENTER_CS: return &s->sysenter_cs;
    case MSR_SYSENTER_ESP: return &s->sysenter_esp;
    case MSR_SYSENTER_EIP: return &s->sysenter_eip;
    case MSR_STAR: return &s->star;
    case MSR_LSTAR: return lm ? &s->lstar : NULL;
    case MSR_CSTAR: return lm ? &s->cstar : NULL;
    case MSR_FMASK: return lm ? &s->fmask : NULL;
    case MSR_FS_BASE: return lm ? &s->seg[S_FS].base : NULL;
    case MSR_GS_BASE: return lm ? &s->seg[S_GS].base : NULL;
    case MSR_KERNEL_GS_BASE: return lm ? &s->kernel_gs_base : NULL;
    case MSR_TSC_AUX: return x86_has(s, FEAT_8000_0001_EDX, 27) ? &s->tsc_aux : NULL;
    case MSR_PAT: return x86_has(s, FEAT_1_EDX, 16) ? &s->pat : NULL;
    case MSR_MISC_ENABLE: return &s->misc_enable;
    case MSR_MTRR_DEF: return has_mtrr(s) ? &s->mtrr_def : NULL;
    case MSR_MTRR_PHYS ... MSR_MTRR_PHYS + 15:
        return has_mtrr(s) ? &s->mtrr_var[index - MSR_MTRR_PHYS] : NULL;
    case MSR_MCG_STATUS: return MCG_BANKS(s) ? &s->mcg_status : NULL;
    case MSR_MCG_CTL: return s->mcg_cap & BIT(8) ? &s->mcg_ctl : NULL;
    case MSR_HWCR: return &s->hwcr;
    default: return has_mtrr(s) ? mtrr_fixed(s, index) : NULL;
    }
}

static bool unknown(const X86State *s, const char *op, uint32_t index)
{
    log_guest_error("cpu", "%s of unknown MSR %08x at %016" PRIx64, op, index, s->tcg.pc);
    return false;
}

bool x86_rdmsr(X86State *s, uint32_t index, uint64_t *v)
{
    const uint64_t *p;

    *v = 0;
    switch (index) {
    case MSR_TSC:
        *v = x86_rdtsc(s);
        return true;
    case MSR_TSC_ADJUST:
        *v = s->tsc_adjust;
        return x86_has(s, FEAT_7_0_EBX, 1);
    case MSR_APIC_BASE:
    case MSR_TSC_DEADLINE:
    case MSR_X2APIC ... MSR_X2APIC + 0xff:
        return apic_read(s, index, v);
    case MSR_EFER:
        *v = s->efer;
        return true;
    case MSR_MTRRCAP:                   /* 8 variable ranges, fixed ones, WC */
        *v = 8 | BIT(8) | BIT(10);
        return has_mtrr(s) || unknown(s, "read", index);
    case MSR_MCG_CAP:
        *v = s->mcg_cap;
        return true;
    case MSR_MC0_CTL ... MSR_MC0_CTL + ARRAY_SIZE(s->mce_banks) - 1:
        if (index - MSR_MC0_CTL >= MCG_BANKS(s) * 4) {
            return unknown(s, "read", index);
        }
        *v = s->mce_banks[index - MSR_MC0_CTL];
        return true;
    case MSR_XSS:
        *v = s->xss;
        return x86_has(s, FEAT_XSAVE, 3) || unknown(s, "read", index);
    case MSR_SMBASE:
        *v = s->smbase;
        return s->smm || unknown(s, "read", index);
    case MSR_BIOS_SIGN_ID:              /* a microcode revision */
        *v = UINT64_C(1) << 32;
        return true;
    case MSR_PERF_STATUS:
        *v = 1000 | UINT64_C(4) << 40;
        return true;
    case MSR_P5_MC_ADDR:
    case MSR_P5_MC_TYPE:
    case MSR_PLATFORM_ID:
    case MSR_EBL_CR_POWERON:
    case MSR_SYSCFG:
    case MSR_TOP_MEM:
    case MSR_TOP_MEM2:
    case MSR_NB_CFG:
    case MSR_INT_PENDING:
        return true;                    /* read as zeros */
    default:
        p = plain(s, index);
        if (!p) {
            return unknown(s, "read", index);
        }
        *v = *p;
        return true;
    }
}

bool x86_wrmsr(X86State *s, uint32_t index, uint64_t v)
{
    uint64_t *p;

    switch (index) {
    case MSR_TSC:
        move_tsc(s, v - x86_rdtsc(s));
        return true;
    case MSR_TSC_ADJUST:
        if (!x86_has(s, FEAT_7_0_EBX, 1)) {
            return unknown(s, "write", index);
        }
        move_tsc(s, v - s->tsc_adjust);
        return true;
    case MSR_APIC_BASE:
    case MSR_TSC_DEADLINE:
    case MSR_X2APIC ... MSR_X2APIC + 0xff:
        return apic_write(s, index, v);
    case MSR_EFER:
        return write_efer(s, v);
    case MSR_MC0_CTL ... MSR_MC0_CTL + ARRAY_SIZE(s->mce_banks) - 1:
        return write_mce(s, index, v) || unknown(s, "write", index);
    case MSR_PAT:
        if (!types_valid(v, true)) {
            return false;
        }
        break;
    case MSR_MTRR_FIX64K:
    case MSR_MTRR_FIX16K ... MSR_MTRR_FIX16K + 1:
    case MSR_MTRR_FIX4K ... MSR_MTRR_FIX4K + 7:
        if (!types_valid(v, false)) {
            return false;
        }
        break;
    case MSR_MTRR_DEF:
        if ((v & ~UINT64_C(0xcff)) || !types_valid(v & 0xff, false)) {
            return false;
        }
        break;
    case MSR_LSTAR:
    case MSR_CSTAR:
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_KERNEL_GS_BASE:
    case MSR_SYSENTER_ESP:
    case MSR_SYSENTER_EIP:
        if (!x86_canonical(s, v)) {
            return false;
        }
        break;
    case MSR_XSS:                       /* no component is the supervisor's */
        return x86_has(s, FEAT_XSAVE, 3) ? v == 0 : unknown(s, "write", index);
    case MSR_TSC_AUX:
        if (v >> 32) {
            return false;
        }
        break;
    case MSR_FMASK:
        v = (uint32_t)v;
        break;
    case MSR_SYSENTER_CS:
        v &= 0xffff;
        break;
    case MSR_HWCR:
        v &= BIT64(3) | BIT64(4) | BIT64(6) | BIT64(8) | BIT64(18) | BIT64(24);
        break;
    case MSR_P5_MC_ADDR:
    case MSR_P5_MC_TYPE:
    case MSR_BIOS_UPDT_TRIG:
    case MSR_BIOS_SIGN_ID:
    case MSR_SYSCFG:
    case MSR_TOP_MEM:
    case MSR_TOP_MEM2:
    case MSR_NB_CFG:
    case MSR_INT_PENDING:
    case MSR_EBL_CR_POWERON:
    case MSR_PATCH_LOADER:
        return true;                    /* no effect here */
    default:
        break;
    }
    p = plain(s, index);
    if (!p) {
        return unknown(s, "write", index);
    }
    *p = v;
    return true;
}
