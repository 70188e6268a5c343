/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of mc146818-state.c, for mc146818.c. */
#ifndef HW_RTC_MC146818_STATE_H
#define HW_RTC_MC146818_STATE_H

#include "hw/core/state-view.h"

extern const VmMeaning rtc_meanings[];
extern const StatePrinter rtc_printers[];

#endif
