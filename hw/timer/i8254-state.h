/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of i8254-state.c, for i8254.c. */
#ifndef HW_TIMER_I8254_STATE_H
#define HW_TIMER_I8254_STATE_H

#include "hw/core/state-view.h"

extern const VmMeaning pit_channel_meanings[];
extern const StatePrinter pit_printers[];

#endif
