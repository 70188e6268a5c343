/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The receive ring and the transmit slots of an RTL8139 (data sheet 1.4, "DS"). */
#include "util/osdep.h"
#include "hw/net/rtl8139-state.h"

#include "util/bswap.h"

#define INTERRUPTS  FLAGS({ "ROK", BIT(0) }, { "RER", BIT(1) }, { "TOK", BIT(2) }, { "TER", BIT(3) }, \
                          { "RXOVW", BIT(4) }, { "LINK", BIT(5) }, { "FOVW", BIT(6) }, { "TIMEOUT", BIT(14) }, \
                          { "SERR", BIT(15) })

const VmMeaning rtl8139_meanings[] = {
    { "timerint", "TimerInt: count at which the timer interrupts; 0: never" }, { "mulint", "MULINT: multiple interrupts" },
    { "bmcr", "BMCR", .flags = FLAGS({ "DUPLEX", BIT(8) }, { "RESTART_ANE", BIT(9) }, { "ANE", BIT(12) }, { "SPEED_100", BIT(13) },
      { "RESET", BIT(15) }) },
    { "anar", "ANAR: what is offered to the partner" },
    { "cr9346", "9346CR", .flags = FLAGS({ "EEDO", 1 }, { "EEDI", 2 }, { "EESK", 4 }, { "EECS", 8 }, { "EEM", 0xc0 }) },
    { "ee_in", "Microwire: bits that have come" }, { "ee_bits", "how many" }, { "ee_out", "the word that goes out" },
    { "ee_out_bits", "bits of it that are left" },
    { "idr", "station address" }, { "mar", "multicast filter" },
    { "tsd", "transmit status", .flags = FLAGS({ "SIZE", 0x1fff }, { "OWN", BIT(13) }, { "TUN", BIT(14) },
                                               { "TOK", BIT(15) }) },
    { "tsad", "transmit start addresses", .address = true }, { "rbstart", "receive ring", .address = true },
    { "tcr", "transmit configuration" },
    { "rcr", "receive configuration", .flags = FLAGS({ "AAP", BIT(0) }, { "APM", BIT(1) }, { "AM", BIT(2) },
                                                     { "AB", BIT(3) }, { "WRAP", BIT(7) }, { "RBLEN", 3u << 11 }) },
    { "mpc", "missed packets" }, { "capr", "where the driver reads, less 16" }, { "cbr", "where the device writes" },
    { "imr", "interrupt mask", .flags = INTERRUPTS }, { "isr", "interrupt status", .flags = INTERRUPTS },
    { "cr", "command", .flags = FLAGS({ "BUFE", BIT(0) }, { "TE", BIT(2) }, { "RE", BIT(3) }, { "RST", BIT(4) }) },
    { "config", "configuration", ELEMENTS("CONFIG0", "CONFIG1", "CONFIG2", "CONFIG3", "CONFIG4") },
    { .name = NULL }
};

/* DS 5.1: a header of status and length, the frame, its CRC; the next begins at a multiple of 4. */
static void print_rx(StateView *v, StateNode *into)
{
    uint64_t base = state_view_get(v, "rbstart");
    uint32_t size = 8192u << (state_view_get(v, "rcr") >> 11 & 3);
    uint32_t read = (uint32_t)((state_view_get(v, "capr") + 16) % size);
    uint32_t write = (uint32_t)state_view_get(v, "cbr") % size;
    uint32_t left = state_view_get(v, "cr") & 1 ? 0 : read == write ? size : (write + size - read) % size;
    StateNode *queue;

    state_add_address(into, "base", base, 32);
    state_add_uint(into, "size", size, 32);
    state_add_uint(into, "read", read, 32);
    state_add_uint(into, "write", write, 32);
    queue = state_add_queue(into, "frames");
    state_mean(queue, "%u bytes that the driver hasn't read", left);
    for (unsigned i = 0; left >= 4 && i < state_view_limit(v, 4096); i++) {
        StateNode *n;
        uint8_t head[4];
        uint32_t total;

        if (!state_view_read(v, base + read, head, sizeof(head))) {
            return;
        }
        n = state_add_element(queue, STATE_STRUCT);
        state_add_address(n, "address", base + read, 32);
        state_add_flags(state_add_uint(n, "status", load_le16(head), 16),
                        FLAGS({ "ROK", BIT(0) }, { "FAE", BIT(1) }, { "CRC", BIT(2) }, { "LONG", BIT(3) },
                              { "RUNT", BIT(4) }, { "ISE", BIT(5) }, { "BAR", BIT(13) }, { "PAM", BIT(14) },
                              { "MAR", BIT(15) }));
        state_add_uint(n, "length", load_le16(head + 2), 16);
        total = (4u + load_le16(head + 2) + 3) & ~3u;
        if (total > left) {
            return;
        }
        left -= total;
        read = (read + total) % size;
    }
}

static void print_tx(StateView *v, StateNode *into)
{
    StateNode *slots = state_add(into, "slots", STATE_ARRAY);

    for (unsigned i = 0; i < 4; i++) {
        StateNode *n = state_add_element(slots, STATE_STRUCT);
        uint32_t tsd = (uint32_t)state_view_get(v, "tsd[%u]", i);

        state_add_address(n, "address", state_view_get(v, "tsad[%u]", i), 32);
        state_add_uint(n, "size", tsd & 0x1fff, 13);
        state_mean(n, "%s", !(tsd & BIT(13)) ? "the device's" : tsd & BIT(15) ? "sent" : "the driver's");
    }
}

const StatePrinter rtl8139_printers[] = {
    { "rx-ring", "frames that wait for the driver", print_rx }, { "tx-slots", "transmit descriptors", print_tx },
    { NULL, NULL, NULL }
};
