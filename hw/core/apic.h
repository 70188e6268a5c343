/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A local APIC as its CPU sees it. The CPU makes a device of the type
 * TYPE_LOCAL_APIC for itself, sets its properties "cpu" (link) and "id", and
 * talks to it through these operations, which are the type's DeviceType.data;
 * the APIC talks to the CPU through cpu_raise() and cpu_lower():
 *
 *   CPU_INTR_POLL   a vector is above the processor priority: call intr_ack
 *   CPU_INTR_HARD   an ExtINT: run an acknowledge cycle (CPUState.int_ack)
 *   CPU_INTR_NMI, CPU_INTR_SMI, CPU_INTR_INIT, CPU_INTR_SIPI
 *
 * Big lock for everything.
 */
#ifndef HW_CORE_APIC_H
#define HW_CORE_APIC_H

#include "hw/core/cpu.h"

#define TYPE_LOCAL_APIC     "apic"

typedef struct LocalApicOps {
    /* The register page, to be mapped into the CPU's own address spaces. */
    MemRegion *(*mmio)(Device *apic);
    /* IA32_APIC_BASE; set: false for a #GP (APM 16.3.1, SDM 3A 10.12.5). */
    uint64_t (*get_base)(Device *apic);
    bool (*set_base)(Device *apic, uint64_t v);
    /* CR8: the upper half of TPR. */
    uint8_t (*get_tpr)(Device *apic);
    void (*set_tpr)(Device *apic, uint8_t tpr);
    /* x2APIC MSR 0x800 + @reg; false for a #GP. */
    bool (*read_msr)(Device *apic, unsigned reg, uint64_t *v);
    bool (*write_msr)(Device *apic, unsigned reg, uint64_t v);
    /* Accept the highest deliverable vector: moves it from IRR to ISR. -1: a
     * deliverable one is no longer there; may be the spurious vector. */
    int (*intr_ack)(Device *apic);
    /* Is one deliverable now? */
    bool (*intr_pending)(Device *apic);
    /* IA32_TSC_DEADLINE, in TSC ticks; 0: disarmed. */
    uint64_t (*get_deadline)(Device *apic);
    void (*set_deadline)(Device *apic, uint64_t tsc);
    /* TSC was written or its rate is known: @hz, and its value at time 0. */
    void (*set_tsc)(Device *apic, uint64_t hz, uint64_t offset);
    /* The vector of the last STARTUP IPI. */
    uint8_t (*sipi_vector)(Device *apic);
    /* INIT at the CPU: all but id and base to reset values. */
    void (*init_reset)(Device *apic);
    /* Input pins: 0: LINT0 (INTR), 1: LINT1 (NMI). */
    void (*set_lint)(Device *apic, int pin, int level);
} LocalApicOps;

static inline const LocalApicOps *local_apic_ops(Device *apic)
{
    return (const LocalApicOps *)device_data(apic);
}

#endif
