/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The legacy interface: registers in I/O space (V 4.1.4.8; 0.9.5, 2.2.2). */
#include "util/osdep.h"
#include "hw/virtio/virtio-pci.h"

#include "util/bswap.h"
#include "util/log.h"

enum { L_DEVICE_FEATURES = 0x00, L_DRIVER_FEATURES = 0x04, L_QUEUE_ADDRESS = 0x08,
       L_QUEUE_SIZE = 0x0c, L_QUEUE_SELECT = 0x0e, L_QUEUE_NOTIFY = 0x10, L_STATUS = 0x12,
       L_ISR = 0x13, L_CONFIG_VECTOR = 0x14, L_QUEUE_VECTOR = 0x16 };
#define QUEUE_PAGE_BITS 12

/* The device's own configuration comes behind the vectors, if there are any. */
static unsigned config_start(const VirtioPci *p)
{
    return msix_enabled(&p->pci) ? 0x18 : 0x14;
}

static uint32_t legacy_reg(VirtioPci *p, unsigned reg)
{
    VirtIODevice *v = p->device;
    VirtQueue *vq = virtio_pci_queue(p);

    switch (reg) {
    case L_DEVICE_FEATURES: return (uint32_t)v->host_features;
    case L_DRIVER_FEATURES: return (uint32_t)v->guest_features;
    case L_QUEUE_ADDRESS: return vq ? vq->desc >> QUEUE_PAGE_BITS : 0;
    case L_QUEUE_SIZE: return vq ? vq->num : 0;
    case L_QUEUE_SELECT: return p->queue_select;
    case L_QUEUE_NOTIFY: return 0;
    case L_STATUS: return v->status;
    case L_ISR: return virtio_pci_read_isr(p);
    case L_CONFIG_VECTOR: return v->config_vector;
    case L_QUEUE_VECTOR: return vq ? vq->vector : VIRTIO_NO_VECTOR;
    default: return 0;
    }
}

static MemResult legacy_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                             UNUSED MemAttrs attrs)
{
    VirtioPci *p = opaque;
    unsigned start = config_start(p);

    if (addr >= start) {
        /* Of a legacy driver these are in the guest's byte order, as bytes in memory are. */
        *val = virtio_config_read(p->device, addr - start, size);
        if (size > 1 && p->device->legacy_order == MEM_BE) {
            *val = bswap_size(*val, size);
        }
    } else {
        *val = legacy_reg(p, addr);
    }
    return MEM_OK;
}

static void legacy_reg_write(VirtioPci *p, unsigned reg, uint32_t val)
{
    VirtIODevice *v = p->device;
    VirtQueue *vq = virtio_pci_queue(p);

    switch (reg) {
    case L_DRIVER_FEATURES:
        virtio_set_features(v, 0, val);
        break;
    case L_QUEUE_ADDRESS:
        if (vq) {
            virtio_queue_set_legacy_addr(vq, (hwaddr)val << QUEUE_PAGE_BITS);
        }
        break;
    case L_QUEUE_SELECT:
        p->queue_select = val;
        break;
    case L_QUEUE_NOTIFY:
        virtio_queue_kicked(v, val & 0xffff);
        break;
    case L_STATUS:
        virtio_pci_set_status(p, val);
        break;
    case L_CONFIG_VECTOR:
        virtio_pci_set_vector(p, &v->config_vector, val);
        break;
    case L_QUEUE_VECTOR:
        if (vq) {
            virtio_pci_set_vector(p, &vq->vector, val);
        }
        break;
    default:
        log_guest_error("virtio-pci", "write to read-only register 0x%x", reg);
    }
}

static MemResult legacy_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                              UNUSED MemAttrs attrs)
{
    VirtioPci *p = opaque;
    unsigned start = config_start(p);

    if (addr >= start) {
        if (size > 1 && p->device->legacy_order == MEM_BE) {
            val = bswap_size(val, size);
        }
        virtio_config_write(p->device, addr - start, val, size);
    } else {
        legacy_reg_write(p, addr, val);
    }
    return MEM_OK;
}

static const MemOps legacy_ops = {
    .read = legacy_read, .write = legacy_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { 1, 4, true },
};

void virtio_pci_legacy_init(VirtioPci *p)
{
    uint32_t size = 32;

    while (size < 0x18u + p->device->ops->config_len) {
        size *= 2;
    }
    memory_region_init_io(&p->legacy, p, &legacy_ops, p, "virtio-pci", size);
    pci_register_bar(&p->pci, VIRTIO_PCI_LEGACY_BAR, PCI_BAR_IO, &p->legacy);
}
