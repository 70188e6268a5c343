/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio over PCI: V 4.1 with its legacy interface (V 4.1.4.8, and 0.9.5). A function owns a bus with one
 * device on it, whose properties it shows as its own. Big lock, but for notifications.
 */
#ifndef HW_VIRTIO_VIRTIO_PCI_H
#define HW_VIRTIO_VIRTIO_PCI_H

#include "hw/pci/pci.h"
#include "hw/virtio/virtio.h"

#define TYPE_VIRTIO_PCI     "virtio-pci"

/* Which of the three flavours of a name: "virtio-blk-pci", with "-transitional", "-non-transitional". */
typedef enum VirtioPciFlavour { VIRTIO_PCI_GENERIC, VIRTIO_PCI_TRANSITIONAL,
                                VIRTIO_PCI_NON_TRANSITIONAL } VirtioPciFlavour;

/* A device as a PCI function. */
typedef struct VirtioPciInfo {
    const char *name;           /* "virtio-blk-pci" */
    const char *device;         /* "virtio-blk-device" */
    const char *desc;
    uint16_t id;                /* VIRTIO_ID_... */
    uint32_t class_code;
    DeviceCategory category;
    const char *romfile;
    uint32_t vectors;           /* MSI-X vectors by default; 0: one a queue and one more */
    bool modern_only;           /* there is one flavour */
    const Property *const *props;       /* tables to be shown, ends with NULL */
    VirtioPciFlavour flavour;   /* set by virtio_pci_register() */
} VirtioPciInfo;
/* Registers the types. @info stays. */
void virtio_pci_register(const VirtioPciInfo *info);
#define VIRTIO_PCI(info) \
    CONSTRUCTOR static void info##_register(void) { virtio_pci_register(&info); }

/* Regions of the modern BAR (V 4.1.4), and where they are in it. */
enum { VIRTIO_PCI_COMMON = 0x0000, VIRTIO_PCI_ISR = 0x1000, VIRTIO_PCI_DEVICE = 0x2000,
       VIRTIO_PCI_NOTIFY = 0x3000, VIRTIO_PCI_REGION = 0x1000 };
enum { VIRTIO_PCI_LEGACY_BAR = 0, VIRTIO_PCI_MSIX_BAR = 1, VIRTIO_PCI_NOTIFY_PIO_BAR = 2,
       VIRTIO_PCI_MODERN_BAR = 4 };

typedef struct VirtioPci {
    PCIDevice pci;
    VirtIODevice *device;       /* a reference */
    VirtioBus *bus;             /* owned; NULL until it is realized */
    int disable_legacy;         /* OnOffAuto */
    bool disable_modern, page_per_vq, modern_pio_notify, ioeventfd, aer;
    uint32_t vectors;           /* UINT32_MAX: the device's default */
    uint8_t isr;                /* V 4.1.4.5 */
    uint16_t queue_select;
    uint32_t device_feature_select, driver_feature_select;
    uint8_t cfg_cap;            /* where the PCI configuration access capability is; 0: none */
    MemRegion legacy, modern, common, isr_mr, config, notify, notify_pio;
} VirtioPci;
static inline VirtioPci *VIRTIO_PCI_DEV(const void *obj)
{
    return (VirtioPci *)object_cast(obj, TYPE_VIRTIO_PCI);
}

static inline bool virtio_pci_legacy(const VirtioPci *p)
{
    return p->disable_legacy == ON_OFF_AUTO_OFF;
}
static inline bool virtio_pci_modern(const VirtioPci *p)
{
    return !p->disable_modern;
}
/* The queue that the driver has selected; NULL: there is none. */
static inline VirtQueue *virtio_pci_queue(VirtioPci *p)
{
    return virtio_queue(p->device, p->queue_select);
}
uint8_t virtio_pci_read_isr(VirtioPci *p);
void virtio_pci_set_status(VirtioPci *p, uint8_t status);
void virtio_pci_set_vector(VirtioPci *p, uint16_t *vector, uint16_t val);

/* --- virtio-pci-legacy.c, virtio-pci-modern.c: regions and capabilities; from realize --- */
void virtio_pci_legacy_init(VirtioPci *p);
bool virtio_pci_modern_init(VirtioPci *p, Error **errp);
uint32_t virtio_pci_config_read(PCIDevice *pci, uint32_t addr, unsigned len);
void virtio_pci_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len);

#endif
