/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power management function of the PIIX4. Big lock. */
#ifndef HW_ACPI_PIIX4_PM_H
#define HW_ACPI_PIIX4_PM_H

#include "hw/pci/pci.h"

#define TYPE_PIIX4_PM   "PIIX4_PM"

/* What the FADT says about it. */
#define PIIX4_PM1_EVT       0x00    /* offsets from the I/O base */
#define PIIX4_PM1_CNT       0x04
#define PIIX4_PM_TMR        0x08
#define PIIX4_GPE0          0x0c
#define PIIX4_SMI_CMD       0xb2
#define PIIX4_ACPI_ENABLE   0xf1
#define PIIX4_ACPI_DISABLE  0xf0
#define PIIX4_SCI           9

/*
 * Input lines "gpe": edges that set general-purpose events. Output lines: "sci" (a level; IRQ9), "smi" (edge to the CPU), "s3" (raised
 * when the guest goes to sleep: a board notes it for its firmware).
 */

/* How functions come and go; @bridges: also behind bridges. */
struct PciHotplug *piix4_pm_hotplug(Device *pm, bool *bridges);
/* Its SMBus, when it is realized. */
Bus *piix4_pm_smbus(Device *pm);
/* The base that firmware has set; 0: none. */
uint16_t piix4_pm_io_base(Device *pm);

#endif
