/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Macintosh's real-time clock.
 *
 * Bits move at the clock's rising edge, most significant first. A command byte has bit 7 set for reading:
 *   z000aa01  seconds, byte aa from the lowest     z010aa01  PRAM $08 to $0B
 *   00110001  test register                        z1aaaa01  PRAM $10 to $1F
 *   00110101  write protect (bit 7 of the data)
 *   z0111aaa 0aaaaa00  PRAM $00 to $FF, eight bits of address in two bytes
 * Source: GMFH chapter 4, "Real-time clock chip".
 */
#include "util/osdep.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "hw/rtc/mac-rtc.h"
#include "hw/rtc/rtc-base.h"
#include "util/log.h"
#include "util/timer.h"

#define SECONDS_1904_TO_1970    INT64_C(2082844800)
#define CMD_READ                0x80

uint32_t mac_rtc_seconds(const MacRtc *r)
{
    return (uint32_t)(clock_get_ns(CLOCK_HOST) / NS_PER_SECOND + r->offset_s);
}

static void set_seconds(MacRtc *r, uint32_t s)
{
    r->offset_s = (int64_t)s - clock_get_ns(CLOCK_HOST) / NS_PER_SECOND;
}

static bool is_extended(uint8_t cmd)
{
    return (cmd & 0x78) == 0x38;
}

/* Address in PRAM, or -1. */
static int pram_address(const MacRtc *r)
{
    if (is_extended(r->cmd)) {
        return (r->cmd & 7) << 5 | (r->cmd2 >> 2 & 0x1f);
    }
    if ((r->cmd & 0x73) == 0x21) {
        return 0x08 + (r->cmd >> 2 & 3);
    }
    return (r->cmd & 0x43) == 0x41 ? 0x10 + (r->cmd >> 2 & 15) : -1;
}

static bool is_seconds(uint8_t cmd)
{
    return (cmd & 0x73) == 0x01;
}

static uint8_t read_register(const MacRtc *r)
{
    int at = pram_address(r);

    if (at >= 0) {
        return r->pram[at];
    }
    return is_seconds(r->cmd) ? (uint8_t)(mac_rtc_seconds(r) >> (8 * (r->cmd >> 2 & 3))) : 0;
}

static void write_register(MacRtc *r, uint8_t v)
{
    int at = pram_address(r);

    if ((r->cmd & 0x7f) == 0x35) {
        r->write_protected = v & 0x80;
    } else if (r->write_protected) {
        log_guest_error("mac-rtc", "register %02x is written while protected", r->cmd);
    } else if (at >= 0) {
        r->dirty |= r->pram[at] != v;
        r->pram[at] = v;
    } else if (is_seconds(r->cmd)) {
        unsigned shift = 8 * (r->cmd >> 2 & 3);

        set_seconds(r, (mac_rtc_seconds(r) & ~(UINT32_C(0xff) << shift)) | (uint32_t)v << shift);
    }
}

static void begin_data(MacRtc *r)
{
    if (r->cmd & CMD_READ) {
        r->phase = MAC_RTC_READ;
        r->shift = read_register(r);
    } else {
        r->phase = MAC_RTC_WRITE;
    }
}

static void byte_done(MacRtc *r)
{
    uint8_t v = r->shift;

    r->bits = 0;
    switch (r->phase) {
    case MAC_RTC_COMMAND:
        r->cmd = v;
        if (is_extended(v)) {
            r->phase = MAC_RTC_COMMAND2;
        } else {
            begin_data(r);
        }
        break;
    case MAC_RTC_COMMAND2:
        r->cmd2 = v;
        begin_data(r);
        break;
    case MAC_RTC_WRITE:
        write_register(r, v);
        r->phase = MAC_RTC_COMMAND;
        break;
    default:
        r->phase = MAC_RTC_COMMAND;
        break;
    }
}

void mac_rtc_set(MacRtc *r, bool enable_n, bool clk, bool data)
{
    bool rise = clk && !r->clk;

    r->clk = clk;
    if (enable_n) {
        r->enabled = false;
        r->phase = MAC_RTC_COMMAND;
        r->bits = 0;
        return;
    }
    if (!r->enabled) {
        r->enabled = true;
        return;
    }
    if (!rise) {
        return;
    }
    if (r->phase == MAC_RTC_READ) {
        r->out = r->shift & 0x80;
        r->shift = (uint8_t)(r->shift << 1);
    } else {
        r->shift = (uint8_t)(r->shift << 1 | data);
    }
    if (++r->bits == 8) {
        byte_done(r);
    }
}

void mac_rtc_keep(MacRtc *r)
{
    if (r->dirty && r->fd >= 0 && pwrite(r->fd, r->pram, sizeof(r->pram), 0) != (ssize_t)sizeof(r->pram)) {
        log_printf(LOG_GUEST_ERROR, "mac-rtc: the parameter RAM's file can't be written\n");
    }
    r->dirty = false;
}

/* An empty file is a new one. */
static bool open_file(MacRtc *r, const char *path, Error **errp)
{
    ssize_t n;

    r->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    n = r->fd < 0 ? -1 : pread(r->fd, r->pram, sizeof(r->pram), 0);
    if (n < 0) {
        error_setf(errp, ERR_HOST, "could not open the parameter RAM '%s': %s", path, strerror(errno));
    } else if (n && (n != (ssize_t)sizeof(r->pram) || lseek(r->fd, 0, SEEK_END) != n)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is no parameter RAM; accepted: 256 bytes, or an empty file", path);
        n = -1;
    }
    if (n < 0) {
        mac_rtc_cleanup(r);
        return false;
    }
    r->dirty = n == 0;
    mac_rtc_keep(r);
    return true;
}

void mac_rtc_cleanup(MacRtc *r)
{
    if (r->fd >= 0) {
        mac_rtc_keep(r);
        close(r->fd);
        r->fd = -1;
    }
}

bool mac_rtc_init(MacRtc *r, const char *base, const char *pram, Error **errp)
{
    int64_t offset_ns;

    r->fd = -1;
    if (!rtc_base_offset(base, CLOCK_HOST, &offset_ns, errp) || (pram && !open_file(r, pram, errp))) {
        return false;
    }
    r->offset_s = SECONDS_1904_TO_1970 + (offset_ns + NS_PER_SECOND / 2) / NS_PER_SECOND;
    r->out = true;
    return true;
}

void mac_rtc_reset(MacRtc *r)
{
    r->phase = MAC_RTC_COMMAND;
    r->bits = 0;
    r->enabled = false;
}

static const VmField mac_rtc_fields[] = {
    VM_I64(MacRtc, offset_s), VM_BUFFER(MacRtc, pram), VM_U8(MacRtc, shift),
    VM_U8_RANGE(MacRtc, bits, 0, 7), VM_U8(MacRtc, cmd), VM_U8(MacRtc, cmd2),
    VM_U8_RANGE(MacRtc, phase, 0, MAC_RTC_WRITE), VM_BOOL(MacRtc, clk), VM_BOOL(MacRtc, enabled),
    VM_BOOL(MacRtc, out), VM_BOOL(MacRtc, write_protected), VM_END
};
static const VmMeaning mac_rtc_meanings[] = {
    { "shift", "bits of the current byte" }, { "bits", "how many have come or gone" }, { "cmd", "command byte" },
    { "cmd2", "second byte of an extended command" },
    { "phase", "of the transfer", VALUES("command", "second command byte", "read", "write") },
    { "pram", "parameter memory", .payload = "what the operating system keeps there" }, { .name = NULL }
};

static bool mac_rtc_post_load(void *opaque, UNUSED Error **errp)
{
    MacRtc *r = opaque;

    r->dirty = true;
    mac_rtc_keep(r);
    return true;
}

const VmState mac_rtc_vm = {
    1, mac_rtc_fields, .name = "mac-rtc", .post_load = mac_rtc_post_load, .meanings = mac_rtc_meanings,
};
