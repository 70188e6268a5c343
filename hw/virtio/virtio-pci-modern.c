/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interface of virtio 1: four structures in a BAR, found by capabilities (V 4.1.4). */
#include "util/osdep.h"
#include "hw/virtio/virtio-pci.h"

#include "util/log.h"

/* Common configuration (V 4.1.4.3). */
enum { C_DEVICE_FEATURE_SELECT = 0x00, C_DEVICE_FEATURE = 0x04, C_DRIVER_FEATURE_SELECT = 0x08,
       C_DRIVER_FEATURE = 0x0c, C_CONFIG_MSIX_VECTOR = 0x10, C_NUM_QUEUES = 0x12,
       C_DEVICE_STATUS = 0x14, C_CONFIG_GENERATION = 0x15, C_QUEUE_SELECT = 0x16,
       C_QUEUE_SIZE = 0x18, C_QUEUE_MSIX_VECTOR = 0x1a, C_QUEUE_ENABLE = 0x1c,
       C_QUEUE_NOTIFY_OFF = 0x1e, C_QUEUE_DESC = 0x20, C_QUEUE_DRIVER = 0x28,
       C_QUEUE_DEVICE = 0x30, C_QUEUE_NOTIFY_DATA = 0x38, C_QUEUE_RESET = 0x3a, C_END = 0x3c };

/* Capability types (V 4.1.4). */
enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4, CAP_PCI = 5 };
/* Offsets in a capability. */
enum { CAP_LEN = 2, CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12,
       CAP_MULTIPLIER = 16, CAP_DATA = 16 };

static uint32_t feature_word(uint64_t features, uint32_t select)
{
    return select < 2 ? features >> (32 * select) : 0;
}

static uint32_t common_reg(VirtioPci *p, unsigned reg)
{
    VirtIODevice *v = p->device;
    VirtQueue *vq = virtio_pci_queue(p);
    uint64_t legacy_bits = BIT64(VIRTIO_F_NOTIFY_ON_EMPTY) | BIT64(VIRTIO_F_ANY_LAYOUT);

    switch (reg) {
    case C_DEVICE_FEATURE_SELECT: return p->device_feature_select;
    case C_DEVICE_FEATURE:
        return feature_word(v->host_features & ~legacy_bits, p->device_feature_select);
    case C_DRIVER_FEATURE_SELECT: return p->driver_feature_select;
    case C_DRIVER_FEATURE: return feature_word(v->guest_features, p->driver_feature_select);
    case C_CONFIG_MSIX_VECTOR: return v->config_vector;
    case C_NUM_QUEUES: return v->num_vqs;
    case C_DEVICE_STATUS: return v->status;
    case C_CONFIG_GENERATION: return v->config_generation;
    case C_QUEUE_SELECT: return p->queue_select;
    case C_QUEUE_SIZE: return vq ? vq->num : 0;
    case C_QUEUE_MSIX_VECTOR: return vq ? vq->vector : VIRTIO_NO_VECTOR;
    case C_QUEUE_ENABLE: return vq ? vq->enabled : 0;
    case C_QUEUE_NOTIFY_OFF: return vq ? vq->index : 0;
    case C_QUEUE_DESC: return vq ? vq->desc : 0;
    case C_QUEUE_DESC + 4: return vq ? vq->desc >> 32 : 0;
    case C_QUEUE_DRIVER: return vq ? vq->avail : 0;
    case C_QUEUE_DRIVER + 4: return vq ? vq->avail >> 32 : 0;
    case C_QUEUE_DEVICE: return vq ? vq->used : 0;
    case C_QUEUE_DEVICE + 4: return vq ? vq->used >> 32 : 0;
    case C_QUEUE_NOTIFY_DATA: return vq ? vq->index : 0;
    default: return 0;
    }
}

static void set_half(VirtQueue *vq, hwaddr *addr, bool high, uint32_t val)
{
    if (vq->enabled) {              /* V 4.1.4.3.2: they stand while it is enabled */
        log_guest_error("virtio-pci", "address of enabled queue %u is written", vq->index);
        return;
    }
    *addr = high ? (*addr & UINT32_MAX) | (hwaddr)val << 32 : (*addr & ~(hwaddr)UINT32_MAX) | val;
}

static void queue_reg_write(VirtioPci *p, VirtQueue *vq, unsigned reg, uint32_t val)
{
    VirtIODevice *v = p->device;

    switch (reg) {
    case C_QUEUE_SIZE:
        if (vq->enabled || !virtio_queue_set_num(vq, val)) {
            log_guest_error("virtio-pci", "size %u of queue %u", val, vq->index);
        }
        break;
    case C_QUEUE_MSIX_VECTOR: virtio_pci_set_vector(p, &vq->vector, val); break;
    case C_QUEUE_ENABLE:
        if (val == 1 && !vq->enabled) {
            virtio_queue_enable(vq);
        }
        break;
    case C_QUEUE_DESC: set_half(vq, &vq->desc, false, val); break;
    case C_QUEUE_DESC + 4: set_half(vq, &vq->desc, true, val); break;
    case C_QUEUE_DRIVER: set_half(vq, &vq->avail, false, val); break;
    case C_QUEUE_DRIVER + 4: set_half(vq, &vq->avail, true, val); break;
    case C_QUEUE_DEVICE: set_half(vq, &vq->used, false, val); break;
    case C_QUEUE_DEVICE + 4: set_half(vq, &vq->used, true, val); break;
    case C_QUEUE_RESET:             /* V 4.1.4.3.1: done when it reads as zero */
        if (val == 1 && virtio_has(v, VIRTIO_F_RING_RESET)) {
            if (v->ops->queue_reset) {
                v->ops->queue_reset(v, vq);
            }
            virtio_queue_reset(vq);
        }
        break;
    default:
        log_guest_error("virtio-pci", "write to read-only register 0x%x", reg);
    }
}

static void common_reg_write(VirtioPci *p, unsigned reg, uint32_t val)
{
    VirtIODevice *v = p->device;

    switch (reg) {
    case C_DEVICE_FEATURE_SELECT: p->device_feature_select = val; break;
    case C_DRIVER_FEATURE_SELECT: p->driver_feature_select = val; break;
    case C_DRIVER_FEATURE:
        if (p->driver_feature_select < 2) {
            virtio_set_features(v, p->driver_feature_select, val);
        }
        break;
    case C_CONFIG_MSIX_VECTOR: virtio_pci_set_vector(p, &v->config_vector, val); break;
    case C_DEVICE_STATUS: virtio_pci_set_status(p, val); break;
    case C_QUEUE_SELECT: p->queue_select = val; break;
    default:
        if (virtio_pci_queue(p)) {
            queue_reg_write(p, virtio_pci_queue(p), reg, val);
        }
    }
}

/* --- the four structures, as functions for the BAR and for the capability that stands for it --- */

static MemResult common_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                             UNUSED MemAttrs attrs)
{
    *val = common_reg(opaque, addr);
    return MEM_OK;
}

static MemResult common_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                              UNUSED MemAttrs attrs)
{
    common_reg_write(opaque, addr, val);
    return MEM_OK;
}

static MemResult isr_read(void *opaque, UNUSED hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          UNUSED MemAttrs attrs)
{
    *val = addr ? 0 : virtio_pci_read_isr(opaque);
    return MEM_OK;
}

static MemResult isr_write(UNUSED void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val,
                           UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    return MEM_OK;
}

static MemResult config_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                             UNUSED MemAttrs attrs)
{
    *val = virtio_config_read(((VirtioPci *)opaque)->device, addr, size);
    return MEM_OK;
}

static MemResult config_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                              UNUSED MemAttrs attrs)
{
    virtio_config_write(((VirtioPci *)opaque)->device, addr, val, size);
    return MEM_OK;
}

static MemResult notify_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val,
                             UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = 0;
    return MEM_OK;
}

/* Any thread: the address tells the queue. */
static MemResult notify_write(void *opaque, hwaddr addr, UNUSED uint64_t val,
                              UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    VirtioPci *p = opaque;

    virtio_queue_kicked(p->device, addr >> (p->page_per_vq ? 12 : 2));
    return MEM_OK;
}

/* The value tells it. */
static MemResult notify_pio_write(void *opaque, UNUSED hwaddr addr, uint64_t val,
                                  UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    virtio_queue_kicked(((VirtioPci *)opaque)->device, val & 0xffff);
    return MEM_OK;
}

static const MemOps common_ops = {
    .read = common_read, .write = common_write, .order = MEM_LE, .valid = { 1, 8 },
    .impl = { 1, 4 },
};
static const MemOps isr_ops = {
    .read = isr_read, .write = isr_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { 1, 4 },
};
static const MemOps config_ops = {
    .read = config_read, .write = config_write, .order = MEM_LE, .valid = { 1, 8 },
    .impl = { 1, 4 },
};
static const MemOps notify_ops = {
    .read = notify_read, .write = notify_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { 1, 4 }, .lockless = true,
};
static const MemOps notify_pio_ops = {
    .read = notify_read, .write = notify_pio_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { 1, 4 }, .lockless = true,
};

/* --- access through configuration space (V 4.1.4.9) --- */

/* The BAR, offset and length that the driver has put into the capability; false: not in the BAR. */
static bool cfg_window(VirtioPci *p, uint32_t *offset, uint32_t *len)
{
    const uint8_t *cap = p->pci.config + p->cfg_cap;

    *offset = pci_get_long(cap + CAP_OFFSET);
    *len = pci_get_long(cap + CAP_LENGTH);
    return cap[CAP_BAR] == VIRTIO_PCI_MODERN_BAR && (*len == 1 || *len == 2 || *len == 4) &&
           !(*offset & (*len - 1)) && *offset < memory_region_size(&p->modern) &&
           *len <= memory_region_size(&p->modern) - *offset;
}

static MemRegion *region_at(VirtioPci *p, uint32_t *offset)
{
    MemRegion *all[] = { &p->common, &p->isr_mr, &p->config, &p->notify };

    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        if (*offset >= all[i]->addr && *offset - all[i]->addr < memory_region_size(all[i])) {
            *offset -= all[i]->addr;
            return all[i];
        }
    }
    return NULL;
}

static bool touches_data(const VirtioPci *p, uint32_t addr, unsigned len)
{
    return p->cfg_cap && pci_config_touches(addr, len, p->cfg_cap + CAP_DATA, 4);
}

uint32_t virtio_pci_config_read(PCIDevice *pci, uint32_t addr, unsigned len)
{
    VirtioPci *p = VIRTIO_PCI_DEV(pci);
    uint32_t offset, size;
    uint64_t val = 0;

    if (touches_data(p, addr, len) && cfg_window(p, &offset, &size)) {
        MemRegion *mr = region_at(p, &offset);

        if (mr) {
            memory_region_dispatch_read(mr, offset, &val, size, MEM_LE, pci_attrs(pci));
            pci_set_long(pci->config + p->cfg_cap + CAP_DATA, (uint32_t)val);
        }
    }
    return pci_default_config_read(pci, addr, len);
}

void virtio_pci_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len)
{
    VirtioPci *p = VIRTIO_PCI_DEV(pci);
    uint32_t offset, size;

    pci_default_config_write(pci, addr, val, len);
    if (touches_data(p, addr, len) && cfg_window(p, &offset, &size)) {
        MemRegion *mr = region_at(p, &offset);
        uint32_t data = pci_get_long(pci->config + p->cfg_cap + CAP_DATA);

        if (mr) {
            memory_region_dispatch_write(mr, offset, data, size, MEM_LE, pci_attrs(pci));
        }
    }
}

/* --- set-up --- */

static uint8_t add_cap(VirtioPci *p, uint8_t type, uint8_t len, uint8_t bar, uint32_t offset,
                       uint32_t length, Error **errp)
{
    uint8_t at = pci_add_capability(&p->pci, PCI_CAP_ID_VENDOR, 0, len, errp);
    uint8_t *cap = p->pci.config + at;

    if (at) {
        cap[CAP_LEN] = len;
        cap[CAP_TYPE] = type;
        cap[CAP_BAR] = bar;
        pci_set_long(cap + CAP_OFFSET, offset);
        pci_set_long(cap + CAP_LENGTH, length);
    }
    return at;
}

static void add_region(VirtioPci *p, MemRegion *mr, const MemOps *ops, const char *name,
                       uint32_t at, uint64_t size)
{
    memory_region_init_io(mr, p, ops, p, name, size);
    memory_region_add(&p->modern, at, mr);
}

static bool add_caps(VirtioPci *p, uint32_t notify_size, Error **errp)
{
    const uint8_t bar = VIRTIO_PCI_MODERN_BAR;
    uint8_t notify, pio = 0;

    if (!add_cap(p, CAP_COMMON, 16, bar, VIRTIO_PCI_COMMON, VIRTIO_PCI_REGION, errp) ||
        !add_cap(p, CAP_ISR, 16, bar, VIRTIO_PCI_ISR, VIRTIO_PCI_REGION, errp) ||
        !add_cap(p, CAP_DEVICE, 16, bar, VIRTIO_PCI_DEVICE, VIRTIO_PCI_REGION, errp)) {
        return false;
    }
    if (p->modern_pio_notify) {
        pio = add_cap(p, CAP_NOTIFY, 20, VIRTIO_PCI_NOTIFY_PIO_BAR, 0, 4, errp);
        if (!pio) {
            return false;
        }
    }
    notify = add_cap(p, CAP_NOTIFY, 20, bar, VIRTIO_PCI_NOTIFY, notify_size, errp);
    p->cfg_cap = add_cap(p, CAP_PCI, 20, 0, 0, 0, errp);
    if (!notify || !p->cfg_cap) {
        return false;
    }
    pci_set_long(p->pci.config + notify + CAP_MULTIPLIER, p->page_per_vq ? 4096 : 4);
    p->pci.wmask[p->cfg_cap + CAP_BAR] = 0xff;
    for (unsigned i = CAP_OFFSET; i < CAP_DATA + 4; i++) {
        p->pci.wmask[p->cfg_cap + i] = 0xff;
    }
    return true;
}

bool virtio_pci_modern_init(VirtioPci *p, Error **errp)
{
    uint32_t notify_size = p->page_per_vq ? 4096 * VIRTIO_MAX_QUEUES : VIRTIO_PCI_REGION;
    uint64_t size = 4 * VIRTIO_PCI_REGION;

    while (size < VIRTIO_PCI_NOTIFY + notify_size) {
        size *= 2;
    }
    memory_region_init(&p->modern, p, "virtio-pci", size);
    add_region(p, &p->common, &common_ops, "virtio-pci-common", VIRTIO_PCI_COMMON,
               VIRTIO_PCI_REGION);
    add_region(p, &p->isr_mr, &isr_ops, "virtio-pci-isr", VIRTIO_PCI_ISR, VIRTIO_PCI_REGION);
    add_region(p, &p->config, &config_ops, "virtio-pci-device", VIRTIO_PCI_DEVICE,
               VIRTIO_PCI_REGION);
    add_region(p, &p->notify, &notify_ops, "virtio-pci-notify", VIRTIO_PCI_NOTIFY, notify_size);
    if (p->modern_pio_notify) {
        memory_region_init_io(&p->notify_pio, p, &notify_pio_ops, p, "virtio-pci-notify-pio", 4);
        pci_register_bar(&p->pci, VIRTIO_PCI_NOTIFY_PIO_BAR, PCI_BAR_IO, &p->notify_pio);
    }
    pci_register_bar(&p->pci, VIRTIO_PCI_MODERN_BAR, PCI_BAR_MEM64_PREFETCH, &p->modern);
    return add_caps(p, notify_size, errp);
}
