/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PIIX3: the bridge from PCI to ISA. Big lock. */
#ifndef HW_ISA_PIIX3_H
#define HW_ISA_PIIX3_H

#include "hw/isa/isa.h"
#include "hw/pci/pci.h"

#define TYPE_PIIX3  "PIIX3"

/* The bridge in slot 1 function 0 of @bus, with its ISA bus, whose interrupt
 * lines the PCI ones are routed to. Lent; NULL with errp set. */
PCIDevice *piix3_create(PCIBus *bus, MemRegion *mem, MemRegion *io, ISABus **isa, Error **errp);
/* The router's outputs: 16 lines, copied. */
void piix3_set_irqs(PCIDevice *piix3, IrqLine *const *lines);
/* The reset control register, one byte, which belongs at port CF9h: the host
 * bridge has its own register around it. */
MemRegion *piix3_reset_control(PCIDevice *piix3);

#endif
