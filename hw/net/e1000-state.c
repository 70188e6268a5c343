/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptor rings of an 82540EM, and what its tables hold (SDM 3.2, 3.3, 13). */
#include "util/osdep.h"
#include "hw/net/e1000.h"

#include "util/bswap.h"

static void show_stats(StateNode *n)
{
    static const char *const names[E1000_STATS] = {
        [STAT_MPC] = "MPC", [STAT_PRC64] = "PRC64", [STAT_GPRC] = "GPRC", [STAT_BPRC] = "BPRC",
        [STAT_MPRC] = "MPRC", [STAT_GPTC] = "GPTC", [STAT_GORCL] = "GORCL", [STAT_GOTCL] = "GOTCL",
        [STAT_RNBC] = "RNBC", [STAT_ROC] = "ROC", [STAT_TORL] = "TORL", [STAT_TOTL] = "TOTL",
        [STAT_TPR] = "TPR", [STAT_TPT] = "TPT", [STAT_MPTC] = "MPTC", [STAT_BPTC] = "BPTC",
        [STAT_TSCTC] = "TSCTC",
    };
    const VmMeaning m = { .name = "stats", .help = "statistics", .elements = names, .num_elements = E1000_STATS };

    state_apply_meaning(n, &m);
}

/* SDM 13.4.3: RAL and RAH of each address. */
static void show_addresses(StateNode *n)
{
    for (size_t i = 0; i + 1 < n->num_numbers; i += 2) {
        uint32_t low = (uint32_t)n->numbers[i], high = (uint32_t)n->numbers[i + 1];
        StateNode *e = state_add_element(n, STATE_STRUCT);

        state_add_uint(e, "RAL", low, 32);
        state_add_flags(state_add_uint(e, "RAH", high, 32), FLAGS({ "AV", BIT(31) }, { "AS", 3u << 16 }));
        if (high & BIT(31)) {
            state_mean(e, "%02x:%02x:%02x:%02x:%02x:%02x", low & 0xff, low >> 8 & 0xff, low >> 16 & 0xff, low >> 24,
                       high & 0xff, high >> 8 & 0xff);
        }
    }
    g_clear_pointer(&n->numbers, g_free);
    n->num_numbers = 0;
}

/* Of all models. */
#define MEANINGS_OF_ALL \
    { "eecd_in", "Microwire: bits that have come" }, { "eecd_bits", "how many" }, { "eecd_out", "the word that goes out" }, \
    { "tx_popts", "POPTS of the packet", .flags = FLAGS({ "IXSM", 1 }, { "TXSM", 2 }) }, \
    { "tx_dcmd", "DCMD of the packet", .flags = FLAGS({ "EOP", 1 }, { "IFCS", 2 }, { "TSE", 4 }, { "RS", 8 }, { "DEXT", 0x20 }, \
      { "VLE", 0x40 }, { "IDE", 0x80 }) }, \
    { "tx_vlan", "VLAN tag of the packet" }, { "tx_len", "bytes of it so far" }, \
    { "stats", .show = show_stats }, \
    { "mta", "multicast table: a bit for each hash", .payload = "the filter's bits" }, \
    { "ra", "receive addresses", .show = show_addresses }, \
    { "vfta", "VLAN filter: a bit for each tag", .payload = "the filter's bits" }, \
    { "io_address", "register that the I/O data port reaches" }, \
    { "eeprom", "words of the EEPROM", .payload = "what is stored in it" }, \
    { "phy", "registers of the PHY", ELEMENTS("PCTRL", "PSTATUS", "PID1", "PID2", "ANA", "LPA", "ANE", "NPT", "LPN", \
                                              "GCON", "GSTATUS", NULL, NULL, NULL, NULL, "ESTATUS", "PSCON", \
                                              "PSSTAT", "PINTE", "PINTS") }, \
    { "tso", "context of segmentation" }, { "csum", "context of checksums" }, \
    { "tx", "the packet that is being gathered", .payload = "its bytes" }

const VmMeaning e1000_meanings[] = { MEANINGS_OF_ALL, { .name = NULL } };

const VmMeaning e1000e_meanings[] = {
    MEANINGS_OF_ALL,
    { "told", "causes that a message was sent for" }, { "reta", "redirection table: a queue for each hash, four a word" },
    { "rssrk", "key of the hash" }, { "tx_queue", "queue that the packet comes from" }, { "systim_ns", "when SYSTIM was 0" },
    { .name = NULL }
};

typedef struct Ring {
    uint64_t base;
    uint32_t size, count, head, tail;   /* size: bytes of a descriptor */
} Ring;

/* @queue: "" or "1". */
static Ring get_ring(const StateView *v, const char *letter, const char *queue)
{
    bool split = *letter == 'R' && state_view_get(v, "reg.RFCTL") & E1000_RFCTL_EXSTEN &&
                 state_view_get(v, "reg.RCTL") & E1000_RCTL_DTYP_PS;
    uint32_t size = split ? 32 : 16;

    return (Ring){
        .size = size,
        .base = state_view_get(v, "reg.%sDBAL%s", letter, queue) | state_view_get(v, "reg.%sDBAH%s", letter, queue) << 32,
        .count = (uint32_t)state_view_get(v, "reg.%sDLEN%s", letter, queue) / size,
        .head = (uint32_t)state_view_get(v, "reg.%sDH%s", letter, queue),
        .tail = (uint32_t)state_view_get(v, "reg.%sDT%s", letter, queue),
    };
}

static void show_rx(StateNode *n, const uint8_t *d)
{
    state_add_uint(n, "length", load_le16(d + 8), 16);
    state_add_flags(state_add_uint(n, "status", d[12], 8),
                    FLAGS({ "DD", 1 }, { "EOP", 2 }, { "IXSM", 4 }, { "VP", 8 }, { "TCPCS", 0x20 }, { "IPCS", 0x40 },
                          { "PIF", 0x80 }));
    state_add_flags(state_add_uint(n, "errors", d[13], 8),
                    FLAGS({ "CE", 1 }, { "SE", 2 }, { "SEQ", 4 }, { "CXE", 0x10 }, { "TCPE", 0x20 }, { "IPE", 0x40 },
                          { "RXE", 0x80 }));
}

/* 82574 7.1.5: what the hardware writes over the buffer's address of an extended descriptor. */
static void show_extended_rx(StateNode *n, const uint8_t *d)
{
    uint32_t status = load_le32(d + 8);

    state_add_uint(n, "length", load_le16(d + 12), 16);
    state_add_flags(state_add_uint(n, "status", status & 0xfffff, 20),
                    FLAGS({ "DD", 1 }, { "EOP", 2 }, { "IXSM", 4 }, { "VP", 8 }, { "UDPCS", 0x10 }, { "TCPCS", 0x20 }, { "IPCS", 0x40 },
                          { "PIF", 0x80 }, { "IPIDV", 0x200 }, { "UDPV", 0x400 }, { "ACK", 0x8000 }));
    state_add_flags(state_add_uint(n, "errors", status >> 20, 12),
                    FLAGS({ "CE", 0x10 }, { "SE", 0x20 }, { "SEQ", 0x40 }, { "CXE", 0x100 }, { "TCPE", 0x200 }, { "IPE", 0x400 },
                          { "RXE", 0x800 }));
}

static void show_tx(StateNode *n, const uint8_t *d)
{
    uint32_t lower = load_le32(d + 8);
    bool extended = lower & BIT(29);

    state_add_uint(n, "length", lower & (extended ? 0xfffff : 0xffff), extended ? 20 : 16);
    state_add_flags(state_add_uint(n, "command", lower >> 24, 8),
                    FLAGS({ "EOP", 1 }, { "IFCS", 2 }, { "IC/TSE", 4 }, { "RS", 8 }, { "RPS", 0x10 }, { "DEXT", 0x20 },
                          { "VLE", 0x40 }, { "IDE", 0x80 }));
    state_add_flags(state_add_uint(n, "status", d[12] & 15, 4), FLAGS({ "DD", 1 }, { "EC", 2 }, { "LC", 4 }));
    if (extended && (lower >> 20 & 15) == 0) {
        state_mean(n, "a context");
    }
}

/* Those between head and tail are the hardware's; all of them with "all". */
static void show_ring(StateView *v, StateNode *into, const char *letter, const char *which,
                      void (*show)(StateNode *n, const uint8_t *d))
{
    Ring r = get_ring(v, letter, which);
    unsigned owned = r.count && r.head < r.count && r.tail < r.count ? (r.tail + r.count - r.head) % r.count : 0;
    unsigned n = state_view_limit(v, v->all ? r.count : owned);
    StateNode *queue;

    state_add_address(into, "base", r.base, 64);
    state_add_uint(into, "descriptors", r.count, 32);
    state_add_uint(into, "head", r.head, 16);
    state_add_uint(into, "tail", r.tail, 16);
    queue = state_add_queue(into, "hardware's");
    state_mean(queue, "%u of %u%s", owned, r.count,
               r.count && (r.head >= r.count || r.tail >= r.count) ? ": head or tail is behind the end" : "");
    for (unsigned i = 0; i < n; i++) {
        unsigned at = (v->all ? i : r.head + i) % r.count;
        uint8_t d[16];
        StateNode *e = state_add_element(queue, STATE_STRUCT);

        if (!state_view_read(v, r.base + r.size * (uint64_t)at, d, sizeof(d))) {
            state_mean(e, "the ring isn't in memory that the device reaches");
            return;
        }
        state_add_uint(e, "index", at, 16);
        state_add_address(e, "buffer", load_le64(d), 64);
        show(e, d);
    }
}

static void print_rx_of(StateView *v, StateNode *into, const char *which)
{
    show_ring(v, into, "R", which, state_view_get(v, "reg.RFCTL") & E1000_RFCTL_EXSTEN ? show_extended_rx : show_rx);
}

static void print_rx(StateView *v, StateNode *into)
{
    print_rx_of(v, into, "");
}

static void print_rx1(StateView *v, StateNode *into)
{
    print_rx_of(v, into, "1");
}

static void print_tx(StateView *v, StateNode *into)
{
    show_ring(v, into, "T", "", show_tx);
}

static void print_tx1(StateView *v, StateNode *into)
{
    show_ring(v, into, "T", "1", show_tx);
}

#define PRINTERS_OF_ALL \
    { "rx-ring", "receive descriptors", print_rx }, { "tx-ring", "transmit descriptors", print_tx }
const StatePrinter e1000_printers[] = { PRINTERS_OF_ALL, { NULL, NULL, NULL } };
const StatePrinter e1000e_printers[] = {
    PRINTERS_OF_ALL, { "rx-ring-1", "those of the second queue", print_rx1 },
    { "tx-ring-1", "those of the second queue", print_tx1 }, { NULL, NULL, NULL }
};
