/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rings of an xHCI controller (xHCI 1.1, 4.9, 6). */
#include "util/osdep.h"
#include "hw/usb/hci-state.h"

#include "hw/usb/xhci.h"

const VmMeaning xhci_port_meanings[] = {
    { "sc", "PORTSC", .flags = FLAGS({ "CCS", 1 }, { "PED", 2 }, { "OCA", 8 }, { "PR", 0x10 }, { "PLS", 0x1e0 },
                                     { "PP", 0x200 }, { "SPEED", 0x3c00 }, { "CSC", 1u << 17 }, { "PEC", 1u << 18 },
                                     { "WRC", 1u << 19 }, { "OCC", 1u << 20 }, { "PRC", 1u << 21 },
                                     { "PLC", 1u << 22 }) }, { .name = NULL }
};
const VmMeaning xhci_ep_meanings[] = {
    { "cycle", "consumer cycle state" },
    { "state", VALUES("disabled", "running", "halted", "stopped", "error") },
    { "type", VALUES("none", "isochronous OUT", "bulk OUT", "interrupt OUT", "control", "isochronous IN", "bulk IN",
                     "interrupt IN") },
    { "dequeue", "next TRB", .address = true }, { "edtla", "bytes since the last event data TRB" }, { .name = NULL }
};
const VmMeaning xhci_slot_meanings[] = {
    { "route", "route string: ports of hubs on the way" },
    { "ctx", "device context", .address = true }, { "port", "root port; 0: none" }, { "intr", "interrupter target" },
    { .name = NULL }
};
const VmMeaning xhci_meanings[] = {
    { "ring_cycle", "consumer cycle state of the command ring" },
    { "cmd", "USBCMD", .flags = FLAGS({ "RS", CMD_RS }, { "HCRST", CMD_HCRST }, { "INTE", CMD_INTE },
                                      { "HSEE", CMD_HSEE }, { "EWE", CMD_EWE }) },
    { "status", "USBSTS", .flags = FLAGS({ "HCH", STS_HCH }, { "HSE", STS_HSE }, { "EINT", STS_EINT },
                                         { "PCD", STS_PCD }, { "SRE", STS_SRE }, { "HCE", STS_HCE }) },
    { "dnctrl", "DNCTRL" }, { "config", "CONFIG: slots that the driver uses" }, { "crcr", "CRCR" },
    { "dcbaap", "device contexts", .address = true }, { "ring", "next command", .address = true },
    { "start_ns", "when MFINDEX was 0" }, { .name = NULL }
};

static const char *trb_name(unsigned type)
{
    static const char *const names[] = {
        [TRB_NORMAL] = "Normal", [TRB_SETUP] = "Setup Stage", [TRB_DATA] = "Data Stage",
        [TRB_STATUS] = "Status Stage", [TRB_ISOCH] = "Isoch", [TRB_LINK] = "Link", [TRB_EVENT_DATA] = "Event Data",
        [TRB_NOOP] = "No Op", [TRB_ENABLE_SLOT] = "Enable Slot", [TRB_DISABLE_SLOT] = "Disable Slot",
        [TRB_ADDRESS_DEVICE] = "Address Device", [TRB_CONFIGURE_EP] = "Configure Endpoint",
        [TRB_EVALUATE_CTX] = "Evaluate Context", [TRB_RESET_EP] = "Reset Endpoint", [TRB_STOP_EP] = "Stop Endpoint",
        [TRB_SET_DEQUEUE] = "Set TR Dequeue Pointer", [TRB_RESET_DEVICE] = "Reset Device",
        [TRB_NOOP_CMD] = "No Op Command", [TRB_EV_TRANSFER] = "Transfer Event",
        [TRB_EV_COMMAND] = "Command Completion Event", [TRB_EV_PORT] = "Port Status Change Event",
    };

    return type < ARRAY_SIZE(names) && names[type] ? names[type] : "reserved";
}

/* From @addr on, as long as the cycle bit is @cycle: what the controller hasn't executed. */
static void show_ring(StateView *v, StateNode *into, uint64_t addr, unsigned cycle)
{
    for (unsigned i = 0; addr && i < state_view_limit(v, 4096); i++) {
        StateNode *n;
        uint32_t w[4];
        unsigned type;

        if (!hci_read(v, addr, w, 4)) {
            state_mean(into, "isn't in memory that the controller reaches");
            return;
        }
        if ((w[3] & TRB_C) != cycle) {
            return;
        }
        type = TRB_TYPE(w[3]);
        n = state_add_element(into, STATE_STRUCT);
        state_add_address(n, "at", addr, 64);
        state_set_word(state_add_uint(n, "type", type, 6), trb_name(type));
        state_add_address(n, "parameter", w[0] | (uint64_t)w[1] << 32, 64);
        state_add_uint(n, "status", w[2], 32);
        state_add_flags(state_add_uint(n, "control", w[3], 32),
                        FLAGS({ "CYCLE", TRB_C }, { "TC/ENT", TRB_TC }, { "ISP", TRB_ISP }, { "CHAIN", TRB_CH },
                              { "IOC", TRB_IOC }, { "IDT", TRB_IDT }));
        if (type == TRB_LINK) {
            addr = (w[0] & ~15u) | (uint64_t)w[1] << 32;
            cycle ^= (w[3] & TRB_TC) != 0;
        } else {
            addr += 16;
        }
    }
}

static void print_commands(StateView *v, StateNode *into)
{
    StateNode *n = state_add_queue(into, "waiting");

    state_mean(n, "the ring is %s", state_view_get(v, "ring_running") ? "running" : "stopped");
    show_ring(v, n, state_view_get(v, "ring"), (unsigned)state_view_get(v, "ring_cycle"));
}

static void print_transfers(StateView *v, StateNode *into)
{
    for (unsigned slot = 0; slot < XHCI_SLOTS; slot++) {
        if (!state_view_get(v, "slot[%u].enabled", slot)) {
            continue;
        }
        for (unsigned ep = 0; ep < XHCI_EPS; ep++) {
            g_autofree char *name = g_strdup_printf("slot%u-ep%u", slot + 1, ep + 1);

            if (state_view_get(v, "slot[%u].ep[%u].state", slot, ep) != EP_DISABLED) {
                show_ring(v, state_add_queue(into, name), state_view_get(v, "slot[%u].ep[%u].dequeue", slot, ep),
                          (unsigned)state_view_get(v, "slot[%u].ep[%u].cycle", slot, ep));
            }
        }
    }
}

/* What the driver hasn't read: from ERDP to where the controller writes. */
static void print_events(StateView *v, StateNode *into)
{
    for (unsigned i = 0; i < XHCI_INTRS; i++) {
        uint64_t base = state_view_get(v, "intr[%u].base", i), at = state_view_get(v, "intr[%u].erdp", i) & ~UINT64_C(15);
        unsigned size = (unsigned)state_view_get(v, "intr[%u].size", i);
        uint64_t end = base + 16 * state_view_get(v, "intr[%u].enqueue", i);
        g_autofree char *name = g_strdup_printf("interrupter%u", i);
        StateNode *list;

        if (!size || at < base || at >= base + 16 * (uint64_t)size) {
            continue;
        }
        list = state_add_queue(into, name);
        for (unsigned k = 0; at != end && k < state_view_limit(v, size); k++) {
            StateNode *n = state_add_element(list, STATE_STRUCT);
            uint32_t w[4];

            if (!hci_read(v, at, w, 4)) {
                return;
            }
            state_set_word(state_add_uint(n, "type", TRB_TYPE(w[3]), 6), trb_name(TRB_TYPE(w[3])));
            state_add_uint(n, "parameter", w[0] | (uint64_t)w[1] << 32, 64);
            state_add_uint(n, "completion-code", w[2] >> 24, 8);
            at = at + 16 == base + 16 * (uint64_t)size ? base : at + 16;
        }
    }
}

const StatePrinter xhci_printers[] = {
    { "command-ring", "commands that wait", print_commands },
    { "transfer-rings", "of each endpoint, from where it stands", print_transfers },
    { "event-rings", "events that the driver hasn't read", print_events }, { NULL, NULL, NULL }
};
