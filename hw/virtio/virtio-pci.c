/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio PCI functions: what they are, interrupts, life, and their types. */
#include "util/osdep.h"
#include "hw/virtio/virtio-pci.h"

#include <glib.h>
#include "hw/pci/pcie.h"

#define TYPE_VIRTIO_PCI_BUS "virtio-pci-bus"
#define VECTORS_BY_QUEUES   UINT32_MAX
#define MAX_VECTORS         1025

static const VirtioPciInfo *info_of(const VirtioPci *p)
{
    return device_data(&p->pci.dev);
}

/* --- interrupts (V 4.1.5.3 ff.) --- */

enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

static void interrupt(void *opaque, uint16_t vector, bool config)
{
    VirtioPci *p = opaque;
    bool locked = big_lock_held();

    if (!locked) {
        big_lock();
    }
    if (msix_enabled(&p->pci)) {
        if (vector != VIRTIO_NO_VECTOR) {
            msix_notify(&p->pci, vector);
        }
    } else {
        p->isr |= config ? ISR_CONFIG : ISR_QUEUE;
        pci_set_irq(&p->pci, 1);
    }
    if (!locked) {
        big_unlock();
    }
}

void virtio_pci_set_status(VirtioPci *p, uint8_t status)
{
    {
        LOOP_PARKED(p->device->loop);

        /* Firmware may have renumbered the buses. */
        p->device->attrs = pci_attrs(&p->pci);
    }
    virtio_set_status(p->device, status);
}

uint8_t virtio_pci_read_isr(VirtioPci *p)
{
    uint8_t isr = p->isr;

    p->isr = 0;
    pci_set_irq(&p->pci, 0);
    return isr;
}

static void transport_reset(void *opaque)
{
    VirtioPci *p = opaque;

    p->queue_select = 0;
    p->device_feature_select = p->driver_feature_select = 0;
    p->isr = 0;
    pci_set_irq(&p->pci, 0);
}

static const VirtioTransport transport = { .interrupt = interrupt, .reset = transport_reset };

/* A vector that doesn't exist reads back as none (V 4.1.5.1.2). */
void virtio_pci_set_vector(VirtioPci *p, uint16_t *vector, uint16_t val)
{
    LOOP_PARKED(p->device->loop);

    *vector = val < p->vectors && p->pci.msix_cap ? val : VIRTIO_NO_VECTOR;
}

/* --- identification (V 4.1.2) --- */

static uint16_t legacy_device_id(uint16_t id)
{
    switch (id) {
    case VIRTIO_ID_NET: return 0x1000;
    case VIRTIO_ID_BLOCK: return 0x1001;
    case VIRTIO_ID_BALLOON: return 0x1002;
    case VIRTIO_ID_CONSOLE: return 0x1003;
    case VIRTIO_ID_SCSI: return 0x1004;
    case VIRTIO_ID_RNG: return 0x1005;
    case VIRTIO_ID_9P: return 0x1009;
    default: return 0x1000 + id;
    }
}

static void identify(VirtioPci *p)
{
    const VirtioPciInfo *info = info_of(p);
    uint8_t *c = p->pci.config;

    if (virtio_pci_legacy(p)) {
        pci_set_word(c + PCI_DEVICE_ID, legacy_device_id(info->id));
        pci_set_byte(c + PCI_REVISION_ID, 0);
        pci_set_word(c + PCI_SUBSYSTEM_ID, info->id);
    } else {
        pci_set_word(c + PCI_DEVICE_ID, 0x1040 + info->id);
        pci_set_byte(c + PCI_REVISION_ID, 1);
        pci_set_word(c + PCI_SUBSYSTEM_ID, 0x1100);
    }
}

/* --- life --- */

static bool choose_interfaces(VirtioPci *p, Error **errp)
{
    const VirtioPciInfo *info = info_of(p);

    if (info->flavour == VIRTIO_PCI_TRANSITIONAL) {
        p->disable_legacy = ON_OFF_AUTO_OFF;
        p->disable_modern = false;
    } else if (info->flavour == VIRTIO_PCI_NON_TRANSITIONAL || info->modern_only) {
        p->disable_legacy = ON_OFF_AUTO_ON;
    }
    if (p->disable_legacy == ON_OFF_AUTO_AUTO) {
        /* PCI Express functions do without I/O space where they can: behind a port it is scarce. */
        p->disable_legacy = pcie_bus_is_port(pci_bus(&p->pci)) ? ON_OFF_AUTO_ON : ON_OFF_AUTO_OFF;
    }
    if (!virtio_pci_legacy(p) && !virtio_pci_modern(p)) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "device '%s' can't work: 'disable-legacy' and 'disable-modern' are both on",
                   object_type_name(p));
        return false;
    }
    return true;
}

static bool virtio_pci_realize(Device *dev, Error **errp)
{
    VirtioPci *p = VIRTIO_PCI_DEV(dev);

    if (!choose_interfaces(p, errp)) {
        return false;
    }
    identify(p);
    if (pcie_bus_is_port(pci_bus(&p->pci))) {
        if (!pcie_add_endpoint(&p->pci, errp) || !pci_add_pm(&p->pci, errp)) {
            return false;
        }
        if (p->aer) {
            pcie_add_aer(&p->pci, false);
        }
    }
    p->bus = VIRTIO_BUS(bus_new(TYPE_VIRTIO_PCI_BUS, dev, "virtio-bus"));
    p->bus->transport = &transport;
    p->bus->opaque = p;
    p->bus->as = pci_dma_as(&p->pci);
    p->bus->modern = virtio_pci_modern(p);
    p->bus->legacy = virtio_pci_legacy(p);
    return true;
}

/* The device comes when all that types derived from this one set is there. */
static bool virtio_pci_realize_done(Device *dev, Error **errp)
{
    VirtioPci *p = VIRTIO_PCI_DEV(dev);

    if (!device_realize(&p->device->dev, &p->bus->bus, errp)) {
        return false;
    }
    if (p->vectors == VECTORS_BY_QUEUES) {
        p->vectors = info_of(p)->vectors ? info_of(p)->vectors
                                         : MIN(p->device->num_vqs + 1, MAX_VECTORS);
    }
    if (p->vectors && !msix_init_exclusive_bar(&p->pci, p->vectors, VIRTIO_PCI_MSIX_BAR, errp)) {
        return false;
    }
    if (virtio_pci_legacy(p)) {
        virtio_pci_legacy_init(p);
    }
    return !virtio_pci_modern(p) || virtio_pci_modern_init(p, errp);
}

static void virtio_pci_unrealize(Device *dev)
{
    VirtioPci *p = VIRTIO_PCI_DEV(dev);

    if (p->device->dev.realized) {
        device_unrealize(&p->device->dev);
    }
    memory_region_cleanup(&p->common);
    memory_region_cleanup(&p->isr_mr);
    memory_region_cleanup(&p->config);
    memory_region_cleanup(&p->notify);
    memory_region_cleanup(&p->notify_pio);
    memory_region_cleanup(&p->modern);
    memory_region_cleanup(&p->legacy);
    p->bus = NULL;
}

static void virtio_pci_reset_hold(Device *dev)
{
    VirtioPci *p = VIRTIO_PCI_DEV(dev);

    virtio_reset(p->device);
}

static const VmField virtio_pci_fields[] = {
    VM_PCI(VirtioPci, pci), VM_U8(VirtioPci, isr), VM_U16(VirtioPci, queue_select),
    VM_U32(VirtioPci, device_feature_select), VM_U32(VirtioPci, driver_feature_select), VM_END
};
static const VmMeaning virtio_pci_meanings[] = {
    { "isr", "ISR status", .flags = FLAGS({ "QUEUE", 1 }, { "CONFIG", 2 }) }, { "queue_select", "queue that the registers show" },
    { "device_feature_select", "word of the device's features that is shown" },
    { "driver_feature_select", "word of the driver's features that is shown" },
    { .name = NULL }
};

static const Property virtio_pci_props[] = {
    PROP_ON_OFF_AUTO("disable-legacy", VirtioPci, disable_legacy, ON_OFF_AUTO_AUTO,
                     "no legacy interface; auto: behind a PCI Express port"),
    PROP_BOOL("disable-modern", VirtioPci, disable_modern, false, "no interface of virtio 1.0"),
    PROP_BOOL("page-per-vq", VirtioPci, page_per_vq, false,
              "a page of its own for each queue's notifications"),
    PROP_BOOL("modern-pio-notify", VirtioPci, modern_pio_notify, false,
              "notifications by port I/O are offered too"),
    PROP_BOOL("ioeventfd", VirtioPci, ioeventfd, true,
              "accepted for compatibility: notifications never need the big lock"),
    PROP_BOOL("aer", VirtioPci, aer, false, "behind a PCI Express port, errors are reported (pcie_aer_inject_error)"),
    PROP_U32("vectors", VirtioPci, vectors, VECTORS_BY_QUEUES,
             "MSI-X vectors; 4294967295: the device's default"),
    PROP_END
};

static void virtio_pci_init(Device *dev)
{
    VirtioPci *p = VIRTIO_PCI_DEV(dev);

    p->device = VIRTIO_DEVICE(device_new(info_of(p)->device));
    object_add_child(dev, "virtio-backend", p->device);
}

static void virtio_pci_finalize(Device *dev)
{
    object_unref(VIRTIO_PCI_DEV(dev)->device);
}

static const DeviceType virtio_pci_type = {
    .name = TYPE_VIRTIO_PCI, .parent = TYPE_PCI_DEVICE, .abstract = true,
    .size = sizeof(VirtioPci), .hotpluggable = true, .props = virtio_pci_props,
    .init = virtio_pci_init, .finalize = virtio_pci_finalize, .realize = virtio_pci_realize,
    .realize_done = virtio_pci_realize_done, .unrealize = virtio_pci_unrealize,
    .reset_hold = virtio_pci_reset_hold, .vm = { 1, virtio_pci_fields, .meanings = virtio_pci_meanings },
    .pci = { .vendor = 0x1af4, .pin = PCI_PIN_A, .express_at_port = true, .config_read = virtio_pci_config_read,
             .config_write = virtio_pci_config_write },
};
DEVICE_TYPE(virtio_pci_type)

static const BusType virtio_pci_bus_type = {
    .name = TYPE_VIRTIO_PCI_BUS, .parent = TYPE_VIRTIO_BUS, .size = sizeof(VirtioBus),
    .max_devices = 1,
};
BUS_TYPE(virtio_pci_bus_type)

/* --- types of devices --- */

static struct Object *device_of(struct Object *obj)
{
    return &VIRTIO_PCI_DEV(obj)->device->dev.obj;
}

/* The device's properties, as the function's: one table for all flavours. */
static const Property *shown_properties(const VirtioPciInfo *info)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(Property));
    Property end = PROP_END;

    for (const Property *const *table = info->props; *table; table++) {
        for (const Property *p = *table; p->kind != PROP_KIND_END; p++) {
            Property row = *p;

            row.part = device_of;
            g_array_append_val(rows, row);
        }
    }
    g_array_append_val(rows, end);
    return (const Property *)g_array_free(rows, FALSE);
}

/* "virtio-blk": what people say for "virtio-blk-pci". */
static const char *short_name(const char *name)
{
    g_autofree char *s = g_strndup(name, strlen(name) - strlen("-pci"));

    return g_intern_string(s);
}

static void register_flavour(const VirtioPciInfo *info, VirtioPciFlavour flavour,
                             const char *suffix, const Property *props)
{
    VirtioPciInfo *own = g_memdup2(info, sizeof(*info));
    DeviceType *type = g_new0(DeviceType, 1);
    g_autofree char *name = g_strconcat(info->name, suffix, NULL);

    own->flavour = flavour;
    *type = (DeviceType){
        .name = g_intern_string(name),
        .parent = TYPE_VIRTIO_PCI, .desc = info->desc, .category = info->category,
        .props = props, .data = own,
        .alias = flavour == VIRTIO_PCI_GENERIC ? short_name(info->name) : NULL,
        .pci = { .class_code = info->class_code, .romfile = info->romfile },
    };
    device_type_register(type);
}

void virtio_pci_register(const VirtioPciInfo *info)
{
    const Property *props = shown_properties(info);

    register_flavour(info, VIRTIO_PCI_GENERIC, "", props);
    if (!info->modern_only) {
        register_flavour(info, VIRTIO_PCI_TRANSITIONAL, "-transitional", props);
        register_flavour(info, VIRTIO_PCI_NON_TRANSITIONAL, "-non-transitional", props);
    }
}
