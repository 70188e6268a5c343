/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of cpu-state.c, for cpu.c. */
#ifndef HW_CORE_CPU_STATE_H
#define HW_CORE_CPU_STATE_H

#include "hw/core/state-view.h"

extern const StatePrinter cpu_printers[];

#endif
