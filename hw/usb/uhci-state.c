/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schedule of a UHCI controller (UHCI 1.1, 3). */
#include "util/osdep.h"
#include "hw/usb/hci-state.h"

#define LINK_T      1u
#define LINK_QH     2u
#define LINK_ADDR   0xfffffff0u

const VmMeaning uhci_port_meanings[] = {
    { "ctrl", "PORTSC", .flags = FLAGS({ "CCS", 1 }, { "CSC", 2 }, { "PED", 4 }, { "PEDC", 8 }, { "LINE", 0x30 },
                                       { "RD", 0x40 }, { "LSDA", 0x100 }, { "PR", 0x200 }, { "SUSPEND", 0x1000 }) },
    { .name = NULL }
};

const VmMeaning uhci_meanings[] = {
    { "spd_int", "a short packet was detected in this frame" },
    { "ioc_int", "a transfer that asks for an interrupt has ended in this frame" },
    { "cmd", "USBCMD", .flags = FLAGS({ "RS", 1 }, { "HCRESET", 2 }, { "GRESET", 4 }, { "EGSM", 8 }, { "FGR", 0x10 },
                                      { "SWDBG", 0x20 }, { "CF", 0x40 }, { "MAXP", 0x80 }) },
    { "status", "USBSTS", .flags = FLAGS({ "USBINT", 1 }, { "ERROR", 2 }, { "RESUME", 4 }, { "HSE", 8 },
                                         { "HCPE", 0x10 }, { "HALTED", 0x20 }) },
    { "intr", "USBINTR", .flags = FLAGS({ "TOCRC", 1 }, { "RESUME", 2 }, { "IOC", 4 }, { "SPD", 8 }) },
    { "frnum", "FRNUM" }, { "fl_base", "FLBASEADD", .address = true }, { "sof_mod", "SOFMOD" }, { .name = NULL }
};

/* UHCI 3.2. Its link is the result. */
static uint32_t show_td(StateView *v, StateNode *into, uint32_t addr)
{
    StateNode *n = state_add_element(into, STATE_STRUCT);
    uint32_t w[4];
    const char *pid;

    state_add_address(n, "TD", addr, 32);
    if (!hci_read(v, addr, w, 4)) {
        state_mean(n, "isn't in memory that the controller reaches");
        return LINK_T;
    }
    pid = (w[2] & 0xff) == 0x69 ? "IN" : (w[2] & 0xff) == 0xe1 ? "OUT" : (w[2] & 0xff) == 0x2d ? "SETUP" : "no PID";
    state_add_flags(state_add_uint(n, "control", w[1], 32),
                    FLAGS({ "ACTLEN", 0x7ff }, { "BITSTUFF", 1u << 17 }, { "CRC", 1u << 18 }, { "NAK", 1u << 19 },
                          { "BABBLE", 1u << 20 }, { "BUFFER", 1u << 21 }, { "STALLED", 1u << 22 },
                          { "ACTIVE", 1u << 23 }, { "IOC", 1u << 24 }, { "IOS", 1u << 25 }, { "LS", 1u << 26 },
                          { "CERR", 3u << 27 }, { "SPD", 1u << 29 }));
    state_mean(n, "%s, device %u, endpoint %u, %u bytes", pid, w[2] >> 8 & 0x7f, w[2] >> 15 & 15,
               ((w[2] >> 21) + 1) & 0x7ff);
    state_add_address(n, "buffer", w[3], 32);
    /* UHCI 3.4.1: a queue waits at one that isn't active. */
    return w[1] & 1u << 23 ? w[0] : LINK_T;
}

static void show_queue(StateView *v, StateNode *n, uint32_t element)
{
    StateNode *list = state_add_queue(n, "TDs");

    for (unsigned i = 0; !(element & LINK_T) && !(element & LINK_QH) && i < state_view_limit(v, 64); i++) {
        element = show_td(v, list, element & LINK_ADDR);
    }
}

/* What a frame links to: TDs, then queue heads, by their horizontal links. */
static void show_frame(StateView *v, StateNode *into, uint32_t link)
{
    for (unsigned i = 0; !(link & LINK_T) && i < state_view_limit(v, 128); i++) {
        StateNode *n;
        uint32_t w[2];

        if (!(link & LINK_QH)) {
            link = show_td(v, into, link & LINK_ADDR);
            continue;
        }
        n = state_add_element(into, STATE_STRUCT);
        state_add_address(n, "QH", link & LINK_ADDR, 32);
        if (!hci_read(v, link & LINK_ADDR, w, 2)) {
            state_mean(n, "isn't in memory that the controller reaches");
            return;
        }
        show_queue(v, n, w[1]);
        link = w[0];
    }
}

/* Frames that link to the same are shown once. */
static void print_frames(StateView *v, StateNode *into)
{
    uint32_t base = (uint32_t)state_view_get(v, "fl_base") & 0xfffff000, seen[8], link;
    unsigned now = (unsigned)state_view_get(v, "frnum") & 0x3ff, n_seen = 0;

    if (!(state_view_get(v, "cmd") & 1)) {
        return;
    }
    for (unsigned i = 0; i < 1024 && n_seen < (v->all ? ARRAY_SIZE(seen) : 2); i++) {
        unsigned frame = (now + i) & 0x3ff;
        g_autofree char *name = g_strdup_printf("frame%u", frame);
        bool known = false;

        if (!hci_read(v, base + 4 * frame, &link, 1)) {
            return;
        }
        for (unsigned k = 0; k < n_seen; k++) {
            known |= seen[k] == link;
        }
        if (!known && !(link & LINK_T)) {
            seen[n_seen++] = link;
            show_frame(v, state_add_queue(into, name), link);
        }
    }
}

const StatePrinter uhci_printers[] = {
    { "frame-list", "from the frame that comes next, each different one once", print_frames }, { NULL, NULL, NULL }
};
