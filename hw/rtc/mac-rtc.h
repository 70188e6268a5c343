/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Macintosh's real-time clock chip with 256 bytes of parameter RAM, on three wires: enable (low),
 * clock, data. A part of its owner's device. Big lock.
 *
 * Source: Guide to the Macintosh Family Hardware, 2nd ed., chapter 4 ("GMFH").
 */
#ifndef HW_RTC_MAC_RTC_H
#define HW_RTC_MAC_RTC_H

#include "hw/core/device.h"

typedef struct MacRtc {
    int64_t offset_s;           /* seconds since 1904 less those of the host's clock since 1970 */
    uint8_t pram[256];
    uint8_t shift, bits;        /* bits moved of the current byte */
    uint8_t cmd, cmd2;
    uint8_t phase;              /* MAC_RTC_* */
    bool clk, enabled, out;     /* levels; data that we drive */
    bool write_protected;
    bool dirty;                 /* PRAM changed since the owner looked */
} MacRtc;
enum { MAC_RTC_COMMAND, MAC_RTC_COMMAND2, MAC_RTC_READ, MAC_RTC_WRITE };

/* @base: what -rtc base= says, or NULL (rtc-base.h). */
bool mac_rtc_init(MacRtc *r, const char *base, Error **errp);
void mac_rtc_reset(MacRtc *r);
/* The wires as the host drives them. */
void mac_rtc_set(MacRtc *r, bool enable_n, bool clk, bool data);
static inline bool mac_rtc_data(const MacRtc *r) { return r->out; }
uint32_t mac_rtc_seconds(const MacRtc *r);      /* since 1904 */
extern const VmState mac_rtc_vm;

#endif
