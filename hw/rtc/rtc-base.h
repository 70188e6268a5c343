/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where -rtc base= puts a clock. */
#ifndef HW_RTC_RTC_BASE_H
#define HW_RTC_RTC_BASE_H

#include "qobject/error.h"
#include "util/timer.h"

/*
 * @base: "utc" or NULL, "localtime", or a date (YYYY-MM-DD, YYYY-MM-DDThh:mm:ss). @offset_ns: what is to be added
 * to @clock to get the time of day, in nanoseconds since 1970.
 */
bool rtc_base_offset(const char *base, ClockId clock, int64_t *offset_ns, Error **errp);

#endif
