/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power management ports of the I/O controller hubs (ICH9 316972, 13.8.3): PM1, general-purpose events, SMI, TCO
 * timer. Part of the LPC bridge's function. Big lock.
 */
#ifndef HW_ACPI_ICH9_PM_H
#define HW_ACPI_ICH9_PM_H

#include "hw/acpi/pm1.h"
#include "hw/watchdog/tco.h"
#include "memory/memory.h"

/* What the FADT says about it: offsets from PMBASE. */
#define ICH9_PM1_EVT        0x00
#define ICH9_PM1_CNT        0x04
#define ICH9_PM_TMR         0x08
#define ICH9_GPE0           0x20
#define ICH9_GPE0_LEN       16
#define ICH7_GPE0           0x28
#define ICH7_GPE0_LEN       8
#define ICH9_PM_IO_SIZE     0x80
#define ICH9_NUM_GPE        64

typedef struct Ich9Pm {
    AcpiPm1 pm1;
    Tco tco;
    MemRegion io;
    uint64_t gpe_sts, gpe_en;
    uint32_t smi_en, smi_sts;
    uint16_t alt_smi_en, alt_smi_sts;
    uint8_t pm2_cnt;
    /* From the LPC bridge. */
    void (*sci)(void *opaque, bool level);
    void (*smi)(void *opaque);
    bool smi_lock;              /* GEN_PMCON_1: GBL_SMI_EN stays as it is */
    bool no_reboot, sci_level;
    bool ich7;                  /* GPE0 is at ICH7_GPE0, 32 bits */
    void *opaque;
} Ich9Pm;

void ich9_pm_init(Ich9Pm *s, Device *owner);
void ich9_pm_realize(Ich9Pm *s, Device *owner, bool no_s3);
void ich9_pm_unrealize(Ich9Pm *s);
/* @no_smm: firmware finds SMIs set up already, and makes none. */
void ich9_pm_reset(Ich9Pm *s, bool no_smm);
bool ich9_pm_post_load(Ich9Pm *s, Error **errp);
/* A general-purpose event. */
void ich9_pm_event(Ich9Pm *s, unsigned n);
/* A command was written to port B2h. */
void ich9_pm_apm(Ich9Pm *s);
extern const VmState ich9_pm_vm;

#endif
