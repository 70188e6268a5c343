/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-time clock of a PC with its 128 bytes of CMOS RAM. Big lock.
 *
 * -rtc is made of -global: mc146818rtc.base is "utc", "localtime" or a date
 * ("2026-11-23T05:00:00"), .clock is host, rt or vm.
 */
#ifndef HW_RTC_MC146818_H
#define HW_RTC_MC146818_H

#include "hw/isa/isa.h"

#define TYPE_MC146818_RTC   "mc146818rtc"

/* CMOS RAM from the board's side, registers 0Eh to 7Fh. */
void mc146818_cmos_set(Device *rtc, unsigned addr, uint8_t val);
uint8_t mc146818_cmos_get(Device *rtc, unsigned addr);

/* Seconds between the guest's clock and the one of -rtc; the event RTC_CHANGE
 * tells when the guest has set it. */
int64_t mc146818_offset_s(Device *rtc);

#endif
