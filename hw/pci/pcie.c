/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The express capability and extended ones; errors are in pcie-aer.c. */
#include "util/osdep.h"
#include "hw/pci/pcie.h"

#define DEVCAP_ROLE_BASED   0x00008000      /* PCIe 7.5.3.3; payloads of 128 bytes */
#define DEVCTL_RW           0x78ff          /* error reporting, ordering, sizes, no snoop */
#define DEVCTL_RESET        0x2810          /* PCIe 7.5.3.4: 512 byte reads, relaxed ordering, no snoop */
#define LNKCTL_RW           0x01c3
#define DEVCAP2             0x00000010      /* completion time-outs may be disabled */
#define DEVCTL2_RW          0x0010
#define ACS_ALL             0x1f            /* 7.7.8.2: validation, blocking, redirection, upstream forwarding */

bool pcie_add_capability(PCIDevice *pci, uint8_t offset, unsigned type, const PcieLink *link, Error **errp)
{
    uint8_t at = pci_add_capability(pci, PCI_CAP_ID_EXP, offset, PCI_EXP_SIZEOF, errp);
    uint8_t *c = pci->config + at, *w = pci->wmask + at;
    bool root_endpoint = type == PCI_EXP_ROOT_ENDPOINT;

    if (!at) {
        return false;
    }
    pci->exp_cap = at;
    pci_set_word(c + PCI_EXP_FLAGS, (uint16_t)(2 | type << 4));
    pci_set_long(c + PCI_EXP_DEVCAP, DEVCAP_ROLE_BASED);
    pci_set_word(w + PCI_EXP_DEVCTL, DEVCTL_RW);
    pci_set_word(pci->w1cmask + at + PCI_EXP_DEVSTA, 0x000f);
    if (!root_endpoint) {
        pci_set_long(c + PCI_EXP_LNKCAP, link->speed | (uint32_t)link->width << 4 | (uint32_t)link->port << 24);
        pci_set_word(w + PCI_EXP_LNKCTL, LNKCTL_RW);
        pci_set_word(c + PCI_EXP_LNKSTA, (uint16_t)(link->speed | link->width << 4));
        pci_set_long(c + PCI_EXP_LNKCAP2, ((1u << link->speed) - 1) << 1);
        pci_set_word(c + PCI_EXP_LNKCTL2, link->speed);
        pci_set_word(w + PCI_EXP_LNKCTL2, 0x000f);
    }
    pci_set_long(c + PCI_EXP_DEVCAP2, DEVCAP2);
    pci_set_word(w + PCI_EXP_DEVCTL2, DEVCTL2_RW);
    return true;
}

bool pcie_add_endpoint(PCIDevice *pci, Error **errp)
{
    static const PcieLink link = { .speed = 1, .width = 1 };
    PCIBus *bus = pci_bus(pci);

    return !object_is_a(bus, TYPE_PCIE_BUS) || pci->config_size < PCIE_CONFIG_SIZE ||
           pcie_add_capability(pci, 0, pcie_bus_is_port(bus) ? PCI_EXP_ENDPOINT : PCI_EXP_ROOT_ENDPOINT, &link, errp);
}

unsigned pcie_add_extended(PCIDevice *pci, uint16_t id, unsigned version, unsigned size)
{
    unsigned at = PCI_EXT_CAP_FIRST, last = 0;

    while (at + size <= PCIE_CONFIG_SIZE && pci->used[at]) {
        if (pci_get_long(pci->config + at)) {
            last = at;
        }
        at += 4;
    }
    assert(at + size <= PCIE_CONFIG_SIZE);
    memset(pci->used + at, 1, ALIGN_UP(size, 4u));
    pci_set_long(pci->config + at, id | version << 16);
    /* The list's order is that of the offsets. */
    for (unsigned i = PCI_EXT_CAP_FIRST; last; ) {
        unsigned next = pci_get_word(pci->config + i + 2) >> 4;

        if (!next) {
            pci_set_word(pci->config + i + 2, (uint16_t)((pci_get_word(pci->config + i + 2) & 0xf) | at << 4));
            break;
        }
        i = next;
    }
    return at;
}

void pcie_add_acs(PCIDevice *pci)
{
    unsigned at = pcie_add_extended(pci, PCI_EXT_CAP_ID_ACS, 1, 8);

    pci_set_word(pci->config + at + 4, ACS_ALL);
    pci_set_word(pci->wmask + at + 6, ACS_ALL);
}

void pcie_add_serial_number(PCIDevice *pci, uint64_t number)
{
    unsigned at = pcie_add_extended(pci, PCI_EXT_CAP_ID_DSN, 1, 12);

    pci_set_long(pci->config + at + 4, (uint32_t)number);
    pci_set_long(pci->config + at + 8, (uint32_t)(number >> 32));
}

void pcie_reset(PCIDevice *pci)
{
    if (pci->exp_cap) {
        uint8_t *c = pci->config + pci->exp_cap;

        pci_set_word(c + PCI_EXP_DEVCTL, DEVCTL_RESET);
        pci_set_word(c + PCI_EXP_DEVSTA, 0);
        pci_set_word(c + PCI_EXP_LNKCTL, 0);
        pci_set_word(c + PCI_EXP_DEVCTL2, 0);
        pci_set_word(c + PCI_EXP_LNKCTL2, (uint16_t)(pci_get_long(c + PCI_EXP_LNKCAP) & 0xf));
    }
    if (pci->aer_cap) {
        pcie_aer_reset(pci);
    }
}
