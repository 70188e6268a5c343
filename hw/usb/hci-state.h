/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of uhci-state.c, ehci-state.c and xhci-state.c, for the controllers. */
#ifndef HW_USB_HCI_STATE_H
#define HW_USB_HCI_STATE_H

#include "hw/core/state-view.h"
#include "util/bswap.h"

extern const VmMeaning uhci_meanings[], uhci_port_meanings[];
extern const StatePrinter uhci_printers[];
extern const VmMeaning ehci_meanings[], ehci_port_meanings[];
extern const StatePrinter ehci_printers[];
extern const VmMeaning xhci_meanings[], xhci_port_meanings[], xhci_ep_meanings[], xhci_slot_meanings[];
extern const StatePrinter xhci_printers[];

/* @n 32-bit words of the guest's memory; false if there is none. */
static inline bool hci_read(const StateView *v, uint64_t addr, uint32_t *words, unsigned n)
{
    uint8_t b[64];

    if (4 * n > sizeof(b) || !state_view_read(v, addr, b, 4 * n)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        words[i] = load_le32(b + 4 * i);
    }
    return true;
}

#endif
