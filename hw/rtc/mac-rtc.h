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
    bool dirty;                 /* PRAM has changed since it was written to the file */
    int fd;                     /* of that file; -1: none */
} MacRtc;
enum { MAC_RTC_COMMAND, MAC_RTC_COMMAND2, MAC_RTC_READ, MAC_RTC_WRITE };

/* @base: what -rtc base= says, or NULL (rtc-base.h). @pram: a file of 256 bytes that parameter RAM is kept in, made if
 * it isn't there; NULL: it is forgotten. */
bool mac_rtc_init(MacRtc *r, const char *base, const char *pram, Error **errp);
void mac_rtc_cleanup(MacRtc *r);
/* To the file, if there is one and PRAM has changed. */
void mac_rtc_keep(MacRtc *r);
void mac_rtc_reset(MacRtc *r);
/* The wires as the host drives them. */
void mac_rtc_set(MacRtc *r, bool enable_n, bool clk, bool data);
static inline bool mac_rtc_data(const MacRtc *r) { return r->out; }
uint32_t mac_rtc_seconds(const MacRtc *r);      /* since 1904 */
extern const VmState mac_rtc_vm;

#endif
