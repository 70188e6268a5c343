/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of apic-state.c, for apic.c. */
#ifndef HW_INTC_APIC_STATE_H
#define HW_INTC_APIC_STATE_H

#include "hw/core/state-view.h"

extern const VmMeaning apic_meanings[];
extern const StatePrinter apic_printers[];

#endif
