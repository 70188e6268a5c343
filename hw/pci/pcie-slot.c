/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots of PCI Express ports: presence, power, the attention button, and what they tell the guest.
 *
 * Source: PCI Express Base 4.0 ("PCIe"), 6.7 and 7.5.3.9 to 7.5.3.11.
 * Commands complete at once. There is no latch and no interlock; the indicators are only remembered.
 */
#include "util/osdep.h"
#include "hw/pci/pcie-port.h"

#include "util/main-loop.h"

#define SLTCAP          (PCI_EXP_SLTCAP_ABP | PCI_EXP_SLTCAP_AIP | PCI_EXP_SLTCAP_PIP | PCI_EXP_SLTCAP_HPC)
#define SLTCTL_RW       (PCI_EXP_SLTCTL_EVENTS | PCI_EXP_SLTCTL_CCIE | PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_AIC | \
                         PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_DLLSCE)
#define SLTSTA_W1C      (PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PFD | PCI_EXP_SLTSTA_MRLSC | PCI_EXP_SLTSTA_PDC | \
                         PCI_EXP_SLTSTA_CC | PCI_EXP_SLTSTA_DLLSC)

static uint8_t *cap_of(const PciePort *s)
{
    return s->bridge.pci.config + s->bridge.pci.exp_cap;
}

static bool has_slot(PciePort *s)
{
    return pci_get_word(cap_of(s) + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_SLOT;
}

static bool occupied(const PciePort *s)
{
    const PCIBus *bus = s->bridge.secondary;

    for (int fn = 0; fn < 8; fn++) {
        if (bus->devices[fn]) {
            return true;
        }
    }
    return false;
}

/* Where functions come by ACPI nobody uses the power controller. */
static bool powered(PciePort *s)
{
    return !has_slot(s) || !(pcie_slot_control(s) & PCI_EXP_SLTCTL_PCC) || s->bridge.secondary->acpi_hotplug;
}

/* PCIe 6.7.3.1: the enable bits are the status bits', but the last one. */
static bool hotplug_event(PciePort *s)
{
    uint16_t ctl = pcie_slot_control(s), sta = pci_get_word(cap_of(s) + PCI_EXP_SLTSTA);
    uint16_t enabled = ctl & (PCI_EXP_SLTCTL_EVENTS | PCI_EXP_SLTCTL_CCIE);

    enabled |= ctl & PCI_EXP_SLTCTL_DLLSCE ? PCI_EXP_SLTSTA_DLLSC : 0;
    return ctl & PCI_EXP_SLTCTL_HPIE && sta & enabled;
}

/* PCIe 6.7.3.4. */
static void notify(PciePort *s)
{
    bool rose = hotplug_event(s) && !s->notified;

    s->notified = hotplug_event(s);
    pcie_port_interrupt(s, rose);
}

static void set_status(PciePort *s, uint16_t bits)
{
    uint8_t *sta = cap_of(s) + PCI_EXP_SLTSTA;

    pci_set_word(sta, pci_get_word(sta) | bits);
    notify(s);
}

/* Presence and link follow what is in the slot, and its power. The events that this makes. */
static uint16_t follow(PciePort *s)
{
    uint8_t *sltsta = cap_of(s) + PCI_EXP_SLTSTA, *lnksta = cap_of(s) + PCI_EXP_LNKSTA;
    uint16_t sta = pci_get_word(sltsta), lnk = pci_get_word(lnksta), events = 0;
    bool there = occupied(s), up = there && powered(s);

    s->bridge.secondary->powered_off = !powered(s);
    if (!has_slot(s)) {
        return 0;
    }
    if (!(sta & PCI_EXP_SLTSTA_PDS) != !there) {
        pci_set_word(sltsta, sta ^ PCI_EXP_SLTSTA_PDS);
        events |= PCI_EXP_SLTSTA_PDC;
    }
    if (!(lnk & PCI_EXP_LNKSTA_DLLLA) != !up) {
        pci_set_word(lnksta, lnk ^ PCI_EXP_LNKSTA_DLLLA);
        events |= PCI_EXP_SLTSTA_DLLSC;
    }
    return events;
}

static void changed(PCIBus *bus)
{
    PciePort *s = PCIE_PORT(bus->bridge);
    uint16_t events;

    if (s->bridge.pci.exp_cap) {
        events = follow(s);
        if (events && s->bridge.pci.dev.realized) {
            set_status(s, events);
        }
    }
}

/* Functions go in the main loop: their threads and requests are waited for there. */
static void remove_function(void *dev)
{
    if (((Device *)dev)->realized) {
        device_unplug_done(dev);
    }
    object_unref(dev);
}

static void remove_all(PciePort *s)
{
    for (int fn = 7; fn >= 0; fn--) {
        PCIDevice *pci = s->bridge.secondary->devices[fn];

        if (pci) {
            bh_once(NULL, remove_function, object_ref(pci));
        }
    }
}

static bool wanted_back(const PciePort *s)
{
    for (int fn = 0; fn < 8; fn++) {
        const PCIDevice *pci = s->bridge.secondary->devices[fn];

        if (pci && pci->dev.pending_unplug) {
            return true;
        }
    }
    return false;
}

/* Who puts something in presses the attention button: of a slot that has one drivers want no other news. */
static void plugged(void *opaque, PCIDevice *pci)
{
    if (PCI_FUNC(pci->devfn) == 0) {
        set_status(opaque, PCI_EXP_SLTSTA_ABP);
    }
}

/* The user presses the attention button. Without power there is nobody to be asked. */
static void unplug_request(void *opaque, PCIDevice *pci)
{
    PciePort *s = opaque;

    pci->dev.pending_unplug = true;
    if (!powered(s)) {
        remove_all(s);
    } else {
        set_status(s, PCI_EXP_SLTSTA_ABP);
    }
}

static const PciHotplugOps slot_ops = { plugged, unplug_request };

void pcie_slot_written(PciePort *s, uint16_t old)
{
    uint16_t now = pcie_slot_control(s), events = 0;

    if (now != old) {
        events = PCI_EXP_SLTSTA_CC;
    }
    if (now & ~old & PCI_EXP_SLTCTL_PCC && !s->bridge.secondary->acpi_hotplug) {
        for (int fn = 0; fn < 8; fn++) {        /* power goes: nothing is kept */
            if (s->bridge.secondary->devices[fn]) {
                device_reset(&s->bridge.secondary->devices[fn]->dev, RESET_COLD);
            }
        }
        if (wanted_back(s)) {
            remove_all(s);
        }
    }
    events |= follow(s);
    set_status(s, events);
}

void pcie_slot_init(PciePort *s)
{
    PCIDevice *pci = &s->bridge.pci;
    uint8_t *c = cap_of(s), *w = pci->wmask + pci->exp_cap, *hw = pci->hwmask + pci->exp_cap;
    bool pcp = s->hotplug && s->power_controller;

    pci_set_word(c + PCI_EXP_FLAGS, pci_get_word(c + PCI_EXP_FLAGS) | PCI_EXP_FLAGS_SLOT);
    pci_set_long(c + PCI_EXP_SLTCAP, (s->hotplug ? SLTCAP : 0) | (pcp ? PCI_EXP_SLTCAP_PCP : 0) |
                                     (uint32_t)(s->slot & 0x1fff) << PCI_EXP_SLTCAP_PSN);
    pci_set_long(c + PCI_EXP_LNKCAP, pci_get_long(c + PCI_EXP_LNKCAP) | PCI_EXP_LNKCAP_DLLLARC);
    pci_set_word(hw + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_DLLLA);
    pci_set_word(hw + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_PDS);
    if (s->hotplug) {
        pci_set_word(w + PCI_EXP_SLTCTL, (uint16_t)(SLTCTL_RW & ~(pcp ? 0 : PCI_EXP_SLTCTL_PCC)));
        pci_set_word(pci->w1cmask + pci->exp_cap + PCI_EXP_SLTSTA, SLTSTA_W1C);
        pci_bus_set_hotplug(s->bridge.secondary, &slot_ops, s);
    }
    s->bridge.secondary->changed = changed;
}

void pcie_slot_reset(PciePort *s)
{
    uint16_t ctl = PCI_EXP_SLTCTL_AIC_OFF | PCI_EXP_SLTCTL_PIC_OFF;

    if (!has_slot(s)) {
        return;
    }
    if (wanted_back(s)) {               /* it will not answer any more */
        remove_all(s);
    }
    if (occupied(s)) {
        ctl = PCI_EXP_SLTCTL_AIC_OFF | PCI_EXP_SLTCTL_PIC_ON;
    } else if (s->hotplug && s->power_controller) {
        ctl |= PCI_EXP_SLTCTL_PCC;
    }
    pci_set_word(cap_of(s) + PCI_EXP_SLTCTL, s->hotplug ? ctl : 0);
    pci_set_word(cap_of(s) + PCI_EXP_SLTSTA, pci_get_word(cap_of(s) + PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_PDS);
    follow(s);
    s->notified = false;
    notify(s);
}

void pcie_slot_loaded(PciePort *s)
{
    if (has_slot(s)) {
        follow(s);
        s->notified = hotplug_event(s);
    }
}
