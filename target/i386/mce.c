/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine checks that the monitor makes up. Source: Intel SDM 3B, chapter 16 ("Machine-check architecture").
 */
#include "util/osdep.h"
#include <glib.h>
#include "target/i386/cpu.h"

#include "qobject/error.h"
#include "target/i386/state.h"

/* SDM 3B figure 16-6: IA32_MCi_STATUS. */
#define STATUS_VAL      BIT64(63)
#define STATUS_OVER     BIT64(62)       /* another one was there */
#define STATUS_UC       BIT64(61)       /* not corrected */
/* SDM 3B figure 16-2: IA32_MCG_CAP. */
#define MCG_CTL_P       BIT64(8)        /* IA32_MCG_CTL is there */
/* SDM 3B figure 16-3: IA32_MCG_STATUS. */
#define MCG_MCIP        BIT64(2)        /* one is being handled */

enum { BANK_CTL, BANK_STATUS, BANK_ADDR, BANK_MISC, BANK_REGS };

static void put(uint64_t *bank, const CpuMachineCheck *e, uint64_t over)
{
    bank[BANK_STATUS] = e->status | over;
    bank[BANK_ADDR] = e->addr;
    bank[BANK_MISC] = e->misc;
}

/* On the CPU's thread. */
static void inject(CPUState *cpu, void *data)
{
    X86State *s = X86_CPU(cpu)->env;
    CpuMachineCheck *e = data;
    uint64_t *bank = &s->mce_banks[e->bank * BANK_REGS];
    bool busy = bank[BANK_STATUS] & STATUS_VAL;

    if (e->status & STATUS_UC) {
        if ((s->mcg_cap & MCG_CTL_P && !s->mcg_ctl) || !bank[BANK_CTL]) {
            /* Reporting is switched off (SDM 3B 16.3.1.3, 16.3.2.1). Which bit is which error's isn't said. */
        } else if ((s->mcg_status & MCG_MCIP) || !(s->cr[4] & CR4_MCE)) {
            /* SDM 3B 16.3.1.2, SDM 3A 6.15 (#MC): the processor shuts down. */
            x86_triple_fault(s);
        } else {
            put(bank, e, busy ? STATUS_OVER : 0);
            s->mcg_status = e->mcg_status;
            cpu_raise(cpu, CPU_INTR_MCHECK);
        }
    } else if (!busy || !(bank[BANK_STATUS] & STATUS_UC)) {
        /* SDM 3B table 16-8: a corrected one overwrites none but its kind. */
        put(bank, e, busy ? STATUS_OVER : 0);
    } else {
        bank[BANK_STATUS] |= STATUS_OVER;
    }
    g_free(e);
}

bool x86_inject_mce(CPUState *cpu, const CpuMachineCheck *e, Error **errp)
{
    X86State *s = X86_CPU(cpu)->env;
    unsigned banks = (unsigned)MIN(s->mcg_cap & 0xff, (uint64_t)ARRAY_SIZE(s->mce_banks) / BANK_REGS);

    if (!banks) {
        error_setf(errp, ERR_NOT_SUPPORTED, "CPU %d has no machine-check registers", cpu->index);
        return false;
    }
    if (e->bank >= banks) {
        error_setf(errp, ERR_OUT_OF_RANGE, "bank %u isn't there; accepted: 0 to %u", e->bank, banks - 1);
        error_argument(errp, "bank", NULL, NULL);
        return false;
    }
    if (!(e->status & STATUS_VAL)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "the status isn't valid: bit 63 must be set");
        error_argument(errp, "status", NULL, "numbers with bit 63 set");
        return false;
    }
    async_run_on_cpu(cpu, inject, g_memdup2(e, sizeof(*e)));
    return true;
}
