/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICH9 and ICH7: the bridge from PCI to LPC and ISA, with interrupt routing and power management. Big lock. */
#ifndef HW_ISA_LPC_ICH9_H
#define HW_ISA_LPC_ICH9_H

#include "hw/acpi/ich9-pm.h"
#include "hw/isa/isa.h"
#include "hw/pci/pci.h"

#define TYPE_ICH9_LPC       "ICH9-LPC"
#define TYPE_ICH7_LPC       "ICH7-LPC"
#define ICH9_LPC_DEVFN      PCI_DEVFN(31, 0)
#define ICH9_NUM_IRQS       24          /* of the I/O APIC */
#define ICH9_NUM_PIRQS      8
#define ICH9_PIRQ_GSI       16          /* PIRQA# is this input of the I/O APIC */

/* What the FADT and the DSDT say about it. */
#define ICH9_SMI_CMD        0xb2
#define ICH9_ACPI_ENABLE    0x02
#define ICH9_ACPI_DISABLE   0x03
#define ICH9_PIRQA_ROUT     0x60
#define ICH9_PIRQE_ROUT     0x68

/* Input lines "gpe": edges that set general-purpose events. Output lines: "smi" (edge), "s3" (raised when the guest
 * goes to sleep). */

/* @type: one of the two above; @smm: the CPUs have system management mode. Lent; NULL with errp set. */
PCIDevice *ich9_lpc_create(const char *type, PCIBus *bus, MemRegion *system, MemRegion *mem, MemRegion *io, bool smm, ISABus **isa,
                           Error **errp);
/* ICH9_NUM_IRQS lines, copied. */
void ich9_lpc_set_irqs(PCIDevice *lpc, IrqLine *const *lines);
/* The reset control register, one byte, at port CF9h. */
MemRegion *ich9_lpc_reset_control(PCIDevice *lpc);
/* PMBASE as firmware has set it; 0: none. The SCI's input of the I/O APIC. */
uint16_t ich9_lpc_pm_base(Device *lpc);
unsigned ich9_lpc_sci(Device *lpc);
/* How functions come and go by ACPI; NULL: not at all. */
struct PciHotplug *ich9_lpc_hotplug(Device *lpc);
/* PIRQ (0 to 7) that @pin of slot @slot of the root bus is wired to. */
int ich9_lpc_pirq(PCIDevice *lpc, unsigned slot, unsigned pin);

#endif
