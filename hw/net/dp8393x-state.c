/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a SONIC by name, and its descriptor lists (DS 3, 4). */
#include "util/osdep.h"
#include "hw/net/dp8393x-state.h"

#include "util/bswap.h"

/* DS 4. */
static const char *const names[64] = {
    "CR", "DCR", "RCR", "TCR", "IMR", "ISR", "UTDA", "CTDA", "TPS", "TFC", "TSA0", "TSA1", "TFS", "URDA", "CRDA",
    "CRBA0", "CRBA1", "RBWC0", "RBWC1", "EOBC", "URRA", "RSA", "REA", "RRP", "RWP", "TRBA0", "TRBA1", "TBWC0",
    "TBWC1", "ADDR0", "ADDR1", "LLFA", "TTDA", "CEP", "CAP2", "CAP1", "CAP0", "CE", "CDP", "CDC", "SR", "WT0", "WT1",
    "RSC", "CRCT", "FAET", "MPT", "MDT", [63] = "DCR2",
};

#define INTERRUPTS  { "LCD", 0x1000 }, { "PINT", 0x800 }, { "PKTRX", 0x400 }, { "TXDN", 0x200 }, { "TXER", 0x100 }, \
                    { "TC", 0x80 }, { "RDE", 0x40 }, { "RBE", 0x20 }, { "RBAE", 0x10 }, { "CRC", 8 }, { "FAE", 4 }, \
                    { "MP", 2 }, { "RFO", 1 }

static const struct { const char *name; const RegFlag *flags; } flags[] = {
    { "CR", FLAGS({ "LCAM", 0x200 }, { "RRRA", 0x100 }, { "RST", 0x80 }, { "ST", 0x20 }, { "STP", 0x10 },
                  { "RXEN", 8 }, { "RXDIS", 4 }, { "TXP", 2 }, { "HTX", 1 }) },
    { "RCR", FLAGS({ "ERR", 0x8000 }, { "RNT", 0x4000 }, { "BRD", 0x2000 }, { "PRO", 0x1000 }, { "AMC", 0x800 },
                   { "LB", 0x600 }, { "MC", 0x100 }, { "BC", 0x80 }, { "LPKT", 0x40 }, { "PRX", 1 }) },
    { "TCR", FLAGS({ "PINTR", 0x8000 }, { "POWC", 0x4000 }, { "CRCI", 0x2000 }, { "EXDIS", 0x1000 },
                   { "BCM", 2 }, { "PTX", 1 }) },
    { "IMR", FLAGS(INTERRUPTS) }, { "ISR", FLAGS(INTERRUPTS) },
    { "DCR", FLAGS({ "EXBUS", 0x8000 }, { "LBR", 0x2000 }, { "PO", 0x1800 }, { "SBUS", 0x400 }, { "USR", 0x300 },
                   { "WC", 0xc0 }, { "DW", 0x20 }, { "BMS", 0x10 }, { "RFT", 0x0c }, { "TFT", 3 }) },
};

static void show_regs(StateNode *n)
{
    const VmMeaning m = { .name = "regs", .help = "registers", .elements = names, .num_elements = ARRAY_SIZE(names) };

    state_apply_meaning(n, &m);
    for (size_t i = 0; i < n->num_fields; i++) {
        for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
            if (!strcmp(n->fields[i]->name, flags[k].name)) {
                state_add_flags(n->fields[i], flags[k].flags);
            }
        }
    }
}

/* Sixteen addresses of six bytes. */
static void show_cam(StateNode *n)
{
    for (size_t i = 0; i + 6 <= n->num_bytes; i += 6) {
        const uint8_t *a = n->bytes + i;
        StateNode *e = state_add_element(n, STATE_TEXT);

        e->text = g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    n->kind = STATE_ARRAY;
    g_clear_pointer(&n->bytes, g_free);
    n->num_bytes = 0;
}

const VmMeaning sonic_meanings[] = {
    { "regs", .show = show_regs }, { "cam", "addresses that are received", .show = show_cam },
    { "wt_start_ns", "when the watchdog was loaded" }, { .name = NULL }
};

static uint16_t reg(const StateView *v, const char *name)
{
    return (uint16_t)state_view_get(v, "regs.%s", name);
}

/* Words of the host's memory are 2 or 4 bytes wide; the boards that have the chip are big-endian. */
static uint16_t word(const StateView *v, uint32_t at, unsigned n)
{
    bool wide = reg(v, "DCR") & 0x20;
    uint8_t b[4];

    state_view_read(v, at + n * (wide ? 4 : 2), b, wide ? 4 : 2);
    return wide ? (uint16_t)load_be32(b) : load_be16(b);
}

static void print_rx(StateView *v, StateNode *into)
{
    uint32_t high = (uint32_t)reg(v, "URDA") << 16, at = high | (reg(v, "CRDA") & 0xfffe);
    StateNode *queue = state_add_queue(into, "descriptors");

    if (!(reg(v, "CR") & 8)) {
        state_mean(queue, "the receiver is off");
    }
    for (unsigned i = 0; at != high && i < state_view_limit(v, 1024); i++) {
        StateNode *n = state_add_element(queue, STATE_STRUCT);
        uint16_t link = word(v, at, 5);

        state_add_address(n, "at", at, 32);
        state_add_flags(state_add_uint(n, "status", word(v, at, 0), 16), FLAGS({ "PRX", 1 }, { "MC", 0x100 },
                                                                             { "BC", 0x80 }, { "LPKT", 0x40 }));
        state_add_uint(n, "bytes", word(v, at, 1), 16);
        state_add_address(n, "packet", (uint32_t)word(v, at, 3) << 16 | word(v, at, 2), 32);
        state_add_bool(n, "chip's", word(v, at, 6));
        if (link & 1) {
            state_mean(n, "the end of the list");
            return;
        }
        at = high | (link & 0xfffe);
    }
}

static void print_resources(StateView *v, StateNode *into)
{
    uint32_t high = (uint32_t)reg(v, "URRA") << 16, rsa = reg(v, "RSA"), rea = reg(v, "REA");
    uint32_t at = reg(v, "RRP"), end = reg(v, "RWP"), step = reg(v, "DCR") & 0x20 ? 16 : 8;
    StateNode *queue = state_add_queue(into, "buffers");

    state_mean(queue, "from 0x%04x to 0x%04x, of 0x%04x to 0x%04x", at, end, rsa, rea);
    for (unsigned i = 0; at != end && i < state_view_limit(v, 1024); i++) {
        StateNode *n = state_add_element(queue, STATE_STRUCT);

        state_add_address(n, "buffer", (uint32_t)word(v, high | at, 1) << 16 | word(v, high | at, 0), 32);
        state_add_uint(n, "bytes", 2 * ((uint32_t)word(v, high | at, 3) << 16 | word(v, high | at, 2)), 32);
        at = at + step == rea ? rsa : (at + step) & 0xffff;
    }
}

static void print_tx(StateView *v, StateNode *into)
{
    uint32_t high = (uint32_t)reg(v, "UTDA") << 16, at = high | (reg(v, "CTDA") & 0xfffe);
    StateNode *queue = state_add_queue(into, "descriptors");

    for (unsigned i = 0; at != high && i < state_view_limit(v, 1024); i++) {
        StateNode *n = state_add_element(queue, STATE_STRUCT);
        unsigned count = word(v, at, 3), link;

        state_add_address(n, "at", at, 32);
        state_add_flags(state_add_uint(n, "status", word(v, at, 0), 16), FLAGS({ "PTX", 1 }));
        state_add_uint(n, "size", word(v, at, 2), 16);
        state_add_uint(n, "fragments", count, 16);
        if (count > 32) {
            state_mean(n, "more fragments than there can be");
            return;
        }
        link = word(v, at, 4 + 3 * count);
        if (link & 1) {
            state_mean(n, "the end of the list");
            return;
        }
        at = high | (link & 0xfffe);
    }
}

const StatePrinter sonic_printers[] = {
    { "rx-descriptors", "from CRDA on", print_rx }, { "rx-buffers", "resources from RRP to RWP", print_resources },
    { "tx-descriptors", "from CTDA on", print_tx }, { NULL, NULL, NULL }
};
