/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSI-X: PCI 6.8.2. Table and pending bits are memory of the function. */
#include "util/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci-int.h"

#include "util/bitmap.h"
#include "util/bswap.h"
#include "util/rcu.h"

#define ENTRY_ADDR_LO   0
#define ENTRY_ADDR_HI   4
#define ENTRY_DATA      8
#define ENTRY_CTRL      12
#define CTRL_MASK       BIT(0)

static uint16_t flags_of(const PCIDevice *pci)
{
    return pci_get_word(pci->config + pci->msix_cap + PCI_MSIX_FLAGS);
}

bool msix_enabled(const PCIDevice *pci)
{
    return pci->msix && flags_of(pci) & PCI_MSIX_FLAGS_ENABLE;
}

static uint8_t *entry_of(const PCIDevice *pci, unsigned vector)
{
    return pci->msix->table + vector * PCI_MSIX_ENTRY_SIZE;
}

bool msix_is_masked(const PCIDevice *pci, unsigned vector)
{
    return !msix_enabled(pci) || vector >= pci->msix->vectors ||
           flags_of(pci) & PCI_MSIX_FLAGS_MASKALL ||
           load_le32(entry_of(pci, vector) + ENTRY_CTRL) & CTRL_MASK;
}

static void send(PCIDevice *pci, unsigned vector)
{
    const uint8_t *e = entry_of(pci, vector);

    pci_dma_st32(pci, load_le64(e + ENTRY_ADDR_LO), load_le32(e + ENTRY_DATA), NULL);
}

void msix_notify(PCIDevice *pci, unsigned vector)
{
    if (!msix_enabled(pci) || vector >= pci->msix->vectors) {
        return;
    }
    if (msix_is_masked(pci, vector)) {
        bitmap_set_bit(pci->msix->pending, vector);
    } else {
        send(pci, vector);
    }
}

/* PCI 6.8.3.4: what became pending behind a mask is sent when it goes. */
static void send_pending(PCIDevice *pci, unsigned vector)
{
    if (!msix_is_masked(pci, vector) && bitmap_test(pci->msix->pending, vector)) {
        bitmap_clear_bit(pci->msix->pending, vector);
        send(pci, vector);
    }
}

void msix_config_written(PCIDevice *pci, uint32_t addr, unsigned len)
{
    if (!pci->msix || !pci_config_touches(addr, len, pci->msix_cap + PCI_MSIX_FLAGS, 2)) {
        return;
    }
    for (unsigned v = 0; v < pci->msix->vectors; v++) {
        send_pending(pci, v);
        if (pci->msix->changed) {
            pci->msix->changed(pci, v);
        }
    }
}

static MemResult table_read(void *opaque, hwaddr addr, uint64_t *val,
                            unsigned size, UNUSED MemAttrs attrs)
{
    *val = load_le(((PCIDevice *)opaque)->msix->table + addr, size);
    return MEM_OK;
}

static MemResult table_write(void *opaque, hwaddr addr, uint64_t val,
                             unsigned size, UNUSED MemAttrs attrs)
{
    PCIDevice *pci = opaque;
    unsigned vector = (unsigned)(addr / PCI_MSIX_ENTRY_SIZE);

    /* Reserved bits of Vector Control read as what was written; only the mask
     * bit means something. */
    store_le(pci->msix->table + addr, size, val);
    send_pending(pci, vector);
    if (pci->msix->changed) {
        pci->msix->changed(pci, vector);
    }
    return MEM_OK;
}

/* PCI 6.8.2: DWORD or QWORD accesses only. */
static const MemOps table_ops = {
    .read = table_read, .write = table_write,
    .valid = { .min = 4, .max = 8 }, .impl = { .min = 4, .max = 4 },
};

static MemResult pba_read(void *opaque, hwaddr addr, uint64_t *val,
                          unsigned size, UNUSED MemAttrs attrs)
{
    uint64_t word = ((PCIDevice *)opaque)->msix->pending[addr / 8];

    *val = size == 8 ? word : word >> (8 * (addr & 4));
    return MEM_OK;
}

static MemResult pba_write(UNUSED void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val,
                           UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    return MEM_OK;
}

static const MemOps pba_ops = {
    .read = pba_read, .write = pba_write,
    .valid = { .min = 4, .max = 8 }, .impl = { .min = 4, .max = 8 },
};

bool msix_init(PCIDevice *pci, unsigned vectors, MemRegion *table_bar,
               uint8_t table_bar_nr, uint32_t table_offset, MemRegion *pba_bar,
               uint8_t pba_bar_nr, uint32_t pba_offset, uint8_t cap_offset,
               Error **errp)
{
    MsixState *x;
    uint8_t at;

    if (vectors < 1 || vectors > MSIX_MAX_VECTORS) {
        error_setf(errp, ERR_OUT_OF_RANGE,
                   "a function cannot have %u MSI-X vectors; accepted: 1 to %u", vectors,
                   MSIX_MAX_VECTORS);
        return false;
    }
    at = pci_add_capability(pci, PCI_CAP_ID_MSIX, cap_offset, PCI_MSIX_SIZEOF, errp);
    if (!at) {
        return false;
    }
    pci->msix_cap = at;
    pci_set_word(pci->config + at + PCI_MSIX_FLAGS, (uint16_t)(vectors - 1));
    pci_set_word(pci->wmask + at + PCI_MSIX_FLAGS,
                 PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    pci_set_long(pci->config + at + PCI_MSIX_TABLE, table_offset | table_bar_nr);
    pci_set_long(pci->config + at + PCI_MSIX_PBA, pba_offset | pba_bar_nr);

    if (!pci->msix) {
        pci->msix = g_new0(MsixState, 1);
    }
    x = pci->msix;
    x->vectors = vectors;
    x->table = g_malloc0(vectors * PCI_MSIX_ENTRY_SIZE);
    x->pending = g_new0(uint64_t, BITMAP_WORDS(vectors));
    memory_region_init_io(&x->table_mr, pci, &table_ops, pci, "msix-table",
                          vectors * PCI_MSIX_ENTRY_SIZE);
    memory_region_init_io(&x->pba_mr, pci, &pba_ops, pci, "msix-pba",
                          BITMAP_WORDS(vectors) * 8);
    memory_region_add_overlap(table_bar, table_offset, &x->table_mr, 1);
    memory_region_add_overlap(pba_bar, pba_offset, &x->pba_mr, 1);
    msix_reset(pci);
    return true;
}

bool msix_init_exclusive_bar(PCIDevice *pci, unsigned vectors, uint8_t bar_nr,
                             Error **errp)
{
    uint32_t table = vectors * PCI_MSIX_ENTRY_SIZE, half = 2048;
    uint32_t pba = (uint32_t)BITMAP_WORDS(vectors) * 8;

    /* Halves of a power of two: the table, then the pending bits. */
    while (half < table || half < pba) {
        half *= 2;
    }
    pci->msix = g_new0(MsixState, 1);
    memory_region_init(&pci->msix->exclusive_bar, pci, "msix", 2 * half);
    pci->msix->has_bar = true;
    if (!msix_init(pci, vectors, &pci->msix->exclusive_bar, bar_nr, 0,
                   &pci->msix->exclusive_bar, bar_nr, half, 0, errp)) {
        msix_cleanup(pci);
        return false;
    }
    pci_register_bar(pci, bar_nr, PCI_BAR_MEM32, &pci->msix->exclusive_bar);
    return true;
}

static void free_msix(void *opaque)
{
    MsixState *x = opaque;

    g_free(x->table);
    g_free(x->pending);
    g_free(x);
}

void msix_cleanup(PCIDevice *pci)
{
    MsixState *x = pci->msix;

    if (!x) {
        return;
    }
    memory_region_cleanup(&x->table_mr);
    memory_region_cleanup(&x->pba_mr);
    if (x->has_bar) {
        memory_region_cleanup(&x->exclusive_bar);
    }
    pci->msix = NULL;
    /* Look-ups that began earlier may still hold the regions. */
    rcu_call(free_msix, x);
}

void msix_reset(PCIDevice *pci)
{
    MsixState *x = pci->msix;

    if (!x || !x->table) {
        return;
    }
    pci_set_word(pci->config + pci->msix_cap + PCI_MSIX_FLAGS,
                 flags_of(pci) & PCI_MSIX_FLAGS_SIZE);
    memset(x->table, 0, x->vectors * PCI_MSIX_ENTRY_SIZE);
    bitmap_clear(x->pending, 0, x->vectors);
    /* PCI 6.8.2.9: vectors start masked. */
    for (unsigned v = 0; v < x->vectors; v++) {
        store_le32(entry_of(pci, v) + ENTRY_CTRL, CTRL_MASK);
    }
}

void msix_set_observer(PCIDevice *pci,
                       void (*changed)(PCIDevice *pci, unsigned vector))
{
    if (pci->msix) {
        pci->msix->changed = changed;
    }
}
