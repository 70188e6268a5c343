/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Message signalled interrupts: PCI 6.8.1. */
#include "util/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci-int.h"

#include "util/log.h"

#define FLAGS_QMASK     0x000e      /* vectors the function can use, log2 */
#define FLAGS_QSIZE     0x0070      /* vectors software enabled, log2 */

static uint16_t flags_of(const PCIDevice *pci)
{
    return pci_get_word(pci->config + pci->msi_cap + PCI_MSI_FLAGS);
}

/* PCI figure 6-9: what follows the address depends on its width. */
static unsigned data_offset(const PCIDevice *pci)
{
    return pci->msi_cap + (flags_of(pci) & PCI_MSI_FLAGS_64BIT ? 12u : 8u);
}

static unsigned mask_offset(const PCIDevice *pci)
{
    return data_offset(pci) + 4;
}

unsigned msi_pending_offset(const PCIDevice *pci)
{
    return pci->msi_cap && flags_of(pci) & PCI_MSI_FLAGS_MASKBIT ? mask_offset(pci) + 4 : 0;
}

bool msi_init(PCIDevice *pci, uint8_t offset, unsigned vectors, bool is64,
              bool per_vector_mask, Error **errp)
{
    uint8_t len = (uint8_t)((is64 ? 14 : 10) + (per_vector_mask ? 10 : 0)), at;
    uint16_t flags;

    if (!IS_POWER_OF_2(vectors) || vectors > 32) {
        error_setf(errp, ERR_OUT_OF_RANGE,
                   "a function cannot have %u MSI vectors; accepted: 1, 2, 4, 8, 16, 32",
                   vectors);
        return false;
    }
    at = pci_add_capability(pci, PCI_CAP_ID_MSI, offset, len, errp);
    if (!at) {
        return false;
    }
    pci->msi_cap = at;
    flags = (uint16_t)(__builtin_ctz(vectors) << 1 | (is64 ? PCI_MSI_FLAGS_64BIT : 0) |
                       (per_vector_mask ? PCI_MSI_FLAGS_MASKBIT : 0));
    pci_set_word(pci->config + at + PCI_MSI_FLAGS, flags);
    pci_set_word(pci->wmask + at + PCI_MSI_FLAGS, FLAGS_QSIZE | PCI_MSI_FLAGS_ENABLE);
    pci_set_long(pci->wmask + at + PCI_MSI_ADDRESS_LO, ~UINT32_C(3));
    if (is64) {
        pci_set_long(pci->wmask + at + PCI_MSI_ADDRESS_HI, UINT32_MAX);
    }
    pci_set_word(pci->wmask + data_offset(pci), 0xffff);
    if (per_vector_mask) {
        pci_set_long(pci->wmask + mask_offset(pci), UINT32_MAX >> (32 - vectors));
    }
    return true;
}

bool msi_enabled(const PCIDevice *pci)
{
    return pci->msi_cap && flags_of(pci) & PCI_MSI_FLAGS_ENABLE;
}

/* More than the function has can't be enabled (PCI 6.8.1.3). */
static unsigned vectors_enabled(const PCIDevice *pci)
{
    unsigned log = (flags_of(pci) & FLAGS_QSIZE) >> 4;
    unsigned cap = (flags_of(pci) & FLAGS_QMASK) >> 1;

    return 1u << MIN(log, cap);
}

static void send(PCIDevice *pci, unsigned vector)
{
    const uint8_t *c = pci->config + pci->msi_cap;
    uint64_t addr = pci_get_long(c + PCI_MSI_ADDRESS_LO);
    uint32_t data = pci_get_word(pci->config + data_offset(pci));
    unsigned n = vectors_enabled(pci);

    if (flags_of(pci) & PCI_MSI_FLAGS_64BIT) {
        addr |= (uint64_t)pci_get_long(c + PCI_MSI_ADDRESS_HI) << 32;
    }
    /* PCI 6.8.1.6: the low bits of the data tell the vectors apart. */
    data = (data & ~(n - 1)) | (vector & (n - 1));
    pci_dma_st32(pci, addr, data, NULL);
}

void msi_notify(PCIDevice *pci, unsigned vector)
{
    unsigned pending = msi_pending_offset(pci);

    if (!msi_enabled(pci)) {
        return;
    }
    vector &= vectors_enabled(pci) - 1;
    if (pending && pci_get_long(pci->config + mask_offset(pci)) & BIT(vector)) {
        pci_set_long(pci->config + pending,
                     pci_get_long(pci->config + pending) | BIT(vector));
        return;
    }
    send(pci, vector);
}

void msi_config_written(PCIDevice *pci, uint32_t addr, unsigned len)
{
    unsigned pending = msi_pending_offset(pci);
    uint32_t ready;

    if (!pending || !pci_config_touches(addr, len, pci->msi_cap, 24) || !msi_enabled(pci)) {
        return;
    }
    ready = pci_get_long(pci->config + pending) &
            ~pci_get_long(pci->config + mask_offset(pci));
    for (unsigned v = 0; v < 32; v++) {
        if (ready & BIT(v)) {
            pci_set_long(pci->config + pending,
                         pci_get_long(pci->config + pending) & ~BIT(v));
            send(pci, v);
        }
    }
}

void msi_reset(PCIDevice *pci)
{
    unsigned pending = msi_pending_offset(pci), end;

    if (!pci->msi_cap) {
        return;
    }
    end = pending ? pending : data_offset(pci) + 2;
    for (unsigned i = pci->msi_cap + PCI_MSI_FLAGS; i < end; i++) {
        pci->config[i] &= (uint8_t)~pci->wmask[i];
    }
    if (pending) {
        pci_set_long(pci->config + pending, 0);
    }
}
