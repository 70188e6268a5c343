/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pair of interrupt controllers of a PC. Big lock. */
#ifndef HW_INTC_I8259_H
#define HW_INTC_I8259_H

#include "hw/isa/isa.h"

#define TYPE_I8259  "isa-i8259"

/*
 * Make both controllers at their PC addresses (20h, A0h, ELCR 4D0h), the
 * second on input 2 of the first. @intr hears the first one's INT output.
 * lines[0..15] are the inputs (2 is NULL: it is taken). The master is the
 * result, lent; NULL with errp set.
 */
Device *i8259_create_pair(ISABus *bus, IrqLine *intr,
                          IrqLine *lines[ISA_NUM_IRQS], Error **errp);
/* An acknowledge cycle of the CPU: the vector. For CPUState.int_ack. */
int i8259_ack(void *master);

#endif
