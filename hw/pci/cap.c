/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capabilities: the list (PCI 6.7), power management (PCI PM 1.2), and saved
 * state of config space.
 */
#include "util/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci-int.h"


#define CAP_FIRST   0x40        /* behind the header */

static bool is_free(const PCIDevice *pci, unsigned first, unsigned len)
{
    for (unsigned i = first; i < first + len; i++) {
        if (pci->used[i]) {
            return false;
        }
    }
    return true;
}

uint8_t pci_add_capability(PCIDevice *pci, uint8_t id, uint8_t offset,
                           uint8_t len, Error **errp)
{
    unsigned at = offset ? offset : CAP_FIRST, room = ALIGN_UP((unsigned)len, 4u);

    while (!offset && at + room <= PCI_CONFIG_SIZE && !is_free(pci, at, room)) {
        at += 4;
    }
    if (at < CAP_FIRST || at + room > PCI_CONFIG_SIZE || !is_free(pci, at, len)) {
        error_setf(errp, ERR_OUT_OF_RANGE,
                   "%s: no room in config space for capability %02x of %u bytes%s",
                   object_type_name(pci), id, len, offset ? " at its place" : "");
        return 0;
    }
    pci->config[at] = id;
    pci->config[at + 1] = pci->config[PCI_CAPABILITY_LIST];
    pci->config[PCI_CAPABILITY_LIST] = (uint8_t)at;
    pci->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    memset(pci->used + at, 1, room);
    memset(pci->config + at + 2, 0, len - 2u);
    memset(pci->wmask + at, 0, len);
    memset(pci->w1cmask + at, 0, len);
    return (uint8_t)at;
}

uint8_t pci_find_capability(const PCIDevice *pci, uint8_t id)
{
    uint8_t at = pci->config[PCI_CAPABILITY_LIST];

    for (int n = 0; at >= CAP_FIRST && n < 48; n++) {
        if (pci->config[at] == id) {
            return at;
        }
        at = pci->config[at + 1];
    }
    return 0;
}

bool pci_add_pm(PCIDevice *pci, Error **errp)
{
    uint8_t at = pci_add_capability(pci, PCI_CAP_ID_PM, 0, PCI_PM_SIZEOF, errp);

    if (!at) {
        return false;
    }
    pci->pm_cap = at;
    pci_set_word(pci->config + at + PCI_PM_PMC, 3);         /* version 1.2 */
    pci_set_word(pci->config + at + PCI_PM_CTRL, 0x0008);   /* No_Soft_Reset */
    pci_set_word(pci->wmask + at + PCI_PM_CTRL, 0x0003);    /* PowerState */
    return true;
}

/* --- saved state: config space, INTx, MSI-X --- */

static bool vm_pci_save(VmWriter *w, UNUSED const VmField *f, const void *elem,
                        UNUSED Error **errp)
{
    const PCIDevice *pci = elem;
    const MsixState *x = pci->msix;

    vm_put_u32(w, pci->config_size);
    vm_put_bytes(w, pci->config, pci->config_size);
    vm_put_u8(w, pci->irq_level);
    vm_put_u16(w, x ? (uint16_t)x->vectors : 0);
    if (x) {
        vm_put_bytes(w, x->table, x->vectors * PCI_MSIX_ENTRY_SIZE);
        for (unsigned i = 0; i < DIV_ROUND_UP(x->vectors, 64); i++) {
            vm_put_u64(w, x->pending[i]);
        }
    }
    return true;
}

/* Bits that a saved function may have otherwise than this one, of a byte. */
static uint8_t may_differ(const PCIDevice *pci, unsigned i)
{
    unsigned pending = msi_pending_offset(pci);

    if (pending && i >= pending && i < pending + 4) {
        return 0xff;
    }
    if (i == PCI_STATUS) {
        return pci->wmask[i] | pci->w1cmask[i] | PCI_STATUS_INTERRUPT;
    }
    /* Behind the header and outside of capabilities the device rules. */
    if (i >= CAP_FIRST && !pci->used[i]) {
        return 0xff;
    }
    return pci->wmask[i] | pci->w1cmask[i] | pci->hwmask[i];
}

static bool vm_pci_load(VmReader *r, UNUSED const VmField *f, void *elem, Error **errp)
{
    PCIDevice *pci = elem;
    MsixState *x = pci->msix;
    uint8_t config[PCIE_CONFIG_SIZE], level;
    uint16_t vectors;
    uint32_t size;

    if (!vm_get_u32(r, &size, errp)) {
        return false;
    }
    if (size != pci->config_size) {
        error_setf(errp, ERR_STATE_INVALID, "config space of %u bytes; accepted: %u", size,
                   pci->config_size);
        return false;
    }
    if (!vm_get_bytes(r, config, size, errp) || !vm_get_u8(r, &level, errp) ||
        !vm_get_u16(r, &vectors, errp)) {
        return false;
    }
    for (unsigned i = 0; i < size; i++) {
        uint8_t wrong = (uint8_t)((config[i] ^ pci->config[i]) & ~may_differ(pci, i));

        if (wrong) {
            error_setf(errp, ERR_STATE_INVALID,
                       "config byte 0x%02x is 0x%02x, but read-only bits say 0x%02x", i,
                       config[i], pci->config[i]);
            return false;
        }
    }
    if (level > 1 || vectors != (x ? x->vectors : 0)) {
        error_setf(errp, ERR_STATE_INVALID, "INTx level %u, %u MSI-X vectors; accepted: %u",
                   level, vectors, x ? x->vectors : 0);
        return false;
    }
    if (x) {
        if (!vm_get_bytes(r, x->table, x->vectors * PCI_MSIX_ENTRY_SIZE, errp)) {
            return false;
        }
        for (unsigned i = 0; i < DIV_ROUND_UP(x->vectors, 64); i++) {
            if (!vm_get_u64(r, &x->pending[i], errp)) {
                return false;
            }
        }
    }
    memcpy(pci->config, config, size);
    pci->irq_level = level;
    pci_config_applied(pci);
    return true;
}

const VmKind vm_kind_pci = {
    .name = "pci", .save = vm_pci_save, .load = vm_pci_load, .show = pci_state_show,
};
