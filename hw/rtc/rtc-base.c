/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <time.h>
#include "hw/rtc/rtc-base.h"

bool rtc_base_offset(const char *base, ClockId clock, int64_t *offset_ns, Error **errp)
{
    int64_t now = clock_get_ns(clock), host = clock_get_ns(CLOCK_HOST);
    struct tm tm = { 0 };
    time_t t = (time_t)(host / NS_PER_SECOND);
    const char *end;

    if (!base || !strcmp(base, "utc")) {
        *offset_ns = host - now;
        return true;
    }
    if (!strcmp(base, "localtime")) {
        if (localtime_r(&t, &tm)) {
            host += (int64_t)tm.tm_gmtoff * NS_PER_SECOND;
        }
        *offset_ns = host - now;
        return true;
    }
    end = strptime(base, strchr(base, 'T') ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d", &tm);
    if (!end || *end) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is no base for the clock; accepted: utc, "
                   "localtime, YYYY-MM-DDThh:mm:ss, YYYY-MM-DD", base);
        return false;
    }
    *offset_ns = (int64_t)timegm(&tm) * NS_PER_SECOND - now;
    return true;
}
