/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of rtl8139-state.c, for rtl8139.c. */
#ifndef HW_NET_RTL8139_STATE_H
#define HW_NET_RTL8139_STATE_H

#include "hw/core/state-view.h"

extern const VmMeaning rtl8139_meanings[];
extern const StatePrinter rtl8139_printers[];

#endif
