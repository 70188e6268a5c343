/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schedules of an EHCI controller (EHCI 1.0, 3). */
#include "util/osdep.h"
#include "hw/usb/hci-state.h"

#define LINK_T      1u
#define LINK_ADDR   0xffffffe0u

const VmMeaning ehci_port_meanings[] = {
    { "sc", "PORTSC", .flags = FLAGS({ "CCS", 1 }, { "CSC", 2 }, { "PED", 4 }, { "PEDC", 8 }, { "OCA", 0x10 },
                                     { "OCC", 0x20 }, { "FPR", 0x40 }, { "SUSPEND", 0x80 }, { "RESET", 0x100 },
                                     { "LINE", 0xc00 }, { "POWER", 0x1000 }, { "OWNER", 0x2000 }) },
    { .name = NULL }
};

const VmMeaning ehci_meanings[] = {
    { "cmd", "USBCMD", .flags = FLAGS({ "RS", 1 }, { "HCRESET", 2 }, { "FLS", 0x0c }, { "PSE", 0x10 }, { "ASE", 0x20 },
                                      { "IAAD", 0x40 }, { "ITC", 0xff0000 }) },
    { "status", "USBSTS", .flags = FLAGS({ "INT", 1 }, { "ERR", 2 }, { "PCD", 4 }, { "FLR", 8 }, { "HSE", 0x10 },
                                         { "IAA", 0x20 }, { "HALTED", 0x1000 }, { "RECLAIM", 0x2000 },
                                         { "PSS", 0x4000 }, { "ASS", 0x8000 }) },
    { "intr", "USBINTR", .flags = FLAGS({ "INT", 1 }, { "ERR", 2 }, { "PCD", 4 }, { "FLR", 8 }, { "HSE", 0x10 },
                                        { "IAA", 0x20 }) },
    { "frindex", "FRINDEX, in microframes" }, { "periodic", "PERIODICLISTBASE", .address = true },
    { "async", "ASYNCLISTADDR", .address = true }, { "config_flag", "CONFIGFLAG" }, { .name = NULL }
};

/* EHCI 3.5: a transfer descriptor, or the same words of a queue head's overlay. */
static void show_token(StateNode *n, const uint32_t *w)
{
    static const char *const pids[] = { "OUT", "IN", "SETUP", "no PID" };

    state_add_flags(state_add_uint(n, "token", w[2], 32),
                    FLAGS({ "PING", 1 }, { "SPLIT", 2 }, { "MISSED", 4 }, { "XACT", 8 }, { "BABBLE", 0x10 },
                          { "BUFFER", 0x20 }, { "HALTED", 0x40 }, { "ACTIVE", 0x80 }, { "CERR", 0xc00 },
                          { "PAGE", 0x7000 }, { "IOC", 0x8000 }, { "TOGGLE", 1u << 31 }));
    state_add_address(n, "buffer", w[3], 32);
    state_mean(n, "%s, %u bytes left", pids[w[2] >> 8 & 3], w[2] >> 16 & 0x7fff);
}

static void show_qtds(StateView *v, StateNode *into, uint32_t link)
{
    for (unsigned i = 0; !(link & LINK_T) && (link & LINK_ADDR) && i < state_view_limit(v, 64); i++) {
        StateNode *n = state_add_element(into, STATE_STRUCT);
        uint32_t w[4];

        state_add_address(n, "qTD", link & LINK_ADDR, 32);
        if (!hci_read(v, link & LINK_ADDR, w, 4)) {
            return;
        }
        show_token(n, w);
        link = w[0];
    }
}

/* EHCI 3.6. Its horizontal link is the result. */
static uint32_t show_qh(StateView *v, StateNode *into, uint32_t addr)
{
    static const char *const speeds[] = { "full", "low", "high", "reserved" };
    StateNode *n = state_add_element(into, STATE_STRUCT), *overlay;
    uint32_t w[8];

    state_add_address(n, "QH", addr, 32);
    if (!hci_read(v, addr, w, 8)) {
        state_mean(n, "isn't in memory that the controller reaches");
        return LINK_T;
    }
    state_mean(n, "device %u, endpoint %u, %s speed, packets of %u%s", w[1] & 0x7f, w[1] >> 8 & 15,
               speeds[w[1] >> 12 & 3], w[1] >> 16 & 0x7ff, w[1] & 0x8000 ? ", head of the list" : "");
    state_add_address(n, "current", w[3] & LINK_ADDR, 32);
    overlay = state_add_struct(n, "overlay");
    show_token(overlay, w + 4);
    show_qtds(v, state_add_queue(n, "next"), w[4]);
    return w[0];
}

static void print_async(StateView *v, StateNode *into)
{
    uint32_t first = (uint32_t)state_view_get(v, "async") & LINK_ADDR, addr = first;
    StateNode *list;

    if (!(state_view_get(v, "cmd") & 0x20)) {
        return;
    }
    list = state_add_queue(into, "queues");
    for (unsigned i = 0; i < state_view_limit(v, 256); i++) {
        uint32_t link = show_qh(v, list, addr);

        addr = link & LINK_ADDR;
        if ((link & LINK_T) || addr == first) {
            return;
        }
    }
}

/* What the current frame links to: queue heads of interrupts, others by their kind. */
static void print_periodic(StateView *v, StateNode *into)
{
    static const char *const kinds[] = { "iTD", "QH", "siTD", "FSTN" };
    uint32_t base = (uint32_t)state_view_get(v, "periodic") & 0xfffff000, link;
    unsigned frame = (unsigned)state_view_get(v, "frindex") >> 3 & 0x3ff;
    g_autofree char *name = g_strdup_printf("frame%u", frame);
    StateNode *list;

    if (!(state_view_get(v, "cmd") & 0x10) || !hci_read(v, base + 4 * frame, &link, 1)) {
        return;
    }
    list = state_add_queue(into, name);
    for (unsigned i = 0; !(link & LINK_T) && i < state_view_limit(v, 64); i++) {
        unsigned kind = link >> 1 & 3;

        if (kind == 1) {
            link = show_qh(v, list, link & LINK_ADDR);
        } else {
            StateNode *n = state_add_element(list, STATE_STRUCT);

            state_add_address(n, kinds[kind], link & LINK_ADDR, 32);
            if (!hci_read(v, link & LINK_ADDR, &link, 1)) {
                return;
            }
        }
    }
}

const StatePrinter ehci_printers[] = {
    { "async-schedule", "queue heads with their transfers", print_async },
    { "periodic-schedule", "of the frame that comes next", print_periodic }, { NULL, NULL, NULL }
};
