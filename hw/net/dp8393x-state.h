/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of dp8393x-state.c, for dp8393x.c. */
#ifndef HW_NET_DP8393X_STATE_H
#define HW_NET_DP8393X_STATE_H

#include "hw/core/state-view.h"

extern const VmMeaning sonic_meanings[];
extern const StatePrinter sonic_printers[];

#endif
