/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ivshmem-plain and ivshmem-doorbell: host memory that several guests see, as BAR 2 of a PCI
 * function, and doorbells by which they interrupt each other.
 *
 * Source: "Device Specification for Inter-VM shared memory device" ("IVSHMEM"), revision 1 of the
 * device. Its INTRMASK and INTRSTATUS mean nothing there, for it always has MSI-X. A doorbell device
 * with vectors=0 has none: it drives INTx by these registers, as they are described for revision 0.
 */
#include "util/osdep.h"
#include "hw/pci/pci.h"

#include <glib.h>
#include "hw/core/regs.h"
#include "hw/misc/ivshmem-broker.h"
#include "hw/misc/ivshmem-link.h"
#include "memory/backend.h"
#include "vmstate/blocker.h"

#define TYPE_IVSHMEM    "ivshmem-common"
#define TYPE_PLAIN      "ivshmem-plain"
#define TYPE_DOORBELL   "ivshmem-doorbell"

#define REGS_SIZE       256
#define DOORBELL        0xc         /* bits 0 to 15: vector, 16 to 31: peer */
#define MAX_VECTORS     2048        /* PCI 6.8.2 */

enum { INTRMASK, INTRSTATUS, IVPOSITION, REG_NUM };

typedef struct Ivshmem {
    PCIDevice pci;
    MemRegion regs, doorbell;
    MemRegion bar2;                 /* a power of two: what follows, and nothing */
    MemRegion *memory;              /* in bar2; of memdev, or of the link */
    uint32_t reg[REG_NUM];
    int master;                     /* OnOffAuto */
    MigrationBlocker *blocker;      /* a peer has it */
    Object *memdev;                 /* plain */
    Chardev *chr;                   /* doorbell, and what follows */
    Object *broker;                 /* instead of it */
    IvshmemLink link;
    uint32_t vectors;
    bool ioeventfd;
} Ivshmem;
DEFINE_CAST(IVSHMEM, Ivshmem, TYPE_IVSHMEM)

/* --- registers: IVSHMEM "PCI device registers" --- */

static void update_irq(void *opaque)
{
    Ivshmem *s = opaque;

    pci_set_irq(&s->pci, !s->pci.msix && (s->reg[INTRSTATUS] & s->reg[INTRMASK]));
}

static uint32_t read_status(void *opaque)
{
    Ivshmem *s = opaque;
    uint32_t v = s->reg[INTRSTATUS];

    s->reg[INTRSTATUS] = 0;
    update_irq(s);
    return v;
}

static uint32_t read_position(void *opaque)
{
    Ivshmem *s = opaque;

    return s->link.peers ? s->link.id : 0;
}

static const RegDef ivshmem_regs[REG_NUM] = {
    [INTRMASK]   = { 0x0, "INTRMASK", .rw = UINT32_MAX, .written = update_irq },
    [INTRSTATUS] = { 0x4, "INTRSTATUS", .rw = UINT32_MAX, .read = read_status, .written = update_irq },
    [IVPOSITION] = { 0x8, "IVPOSITION", .read = read_position },
};

static MemResult doorbell_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val,
                               UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = 0;
    return MEM_OK;
}

/* Any thread, without the big lock if ioeventfd=on. */
static MemResult doorbell_write(void *opaque, UNUSED hwaddr addr, uint64_t val,
                                UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    Ivshmem *s = opaque;

    ivshmem_link_ring(&s->link, (uint16_t)(val >> 16), (uint16_t)val);
    return MEM_OK;
}

static const MemOps doorbell_ops = {
    .read = doorbell_read, .write = doorbell_write, .order = MEM_LE, .valid = { 4, 4 },
    .impl = { .min = 4, .max = 4 },
};

static void ivshmem_reset_hold(Device *dev)
{
    Ivshmem *s = IVSHMEM(dev);

    regs_reset(s->reg, ivshmem_regs, REG_NUM);
    update_irq(s);
}

/* --- what both have --- */

static bool ivshmem_realize(Device *dev, UNUSED Error **errp)
{
    Ivshmem *s = IVSHMEM(dev);

    regs_init_region_full(&s->regs, s, "ivshmem-mmio", REGS_SIZE, ivshmem_regs, REG_NUM, s->reg, s,
                          LITTLE_ENDIAN_REGS, 1);
    memory_region_init_io(&s->doorbell, s, &doorbell_ops, s, "ivshmem-doorbell", 4);
    if (s->ioeventfd) {
        memory_region_set_lockless(&s->doorbell);
    }
    memory_region_add_overlap(&s->regs, DOORBELL, &s->doorbell, 1);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM32, &s->regs);
    return true;
}

static void ivshmem_unrealize(Device *dev)
{
    Ivshmem *s = IVSHMEM(dev);

    memory_region_cleanup(&s->doorbell);
    memory_region_cleanup(&s->regs);
    migration_del_blocker(s->blocker);
    s->blocker = NULL;
}

/* A file that isn't 2^n bytes large leaves the BAR's end empty (PCI 6.2.5.1). */
static uint64_t bar_size(uint64_t size)
{
    uint64_t n = 4096;

    while (n < size) {
        n *= 2;
    }
    return n;
}

static void show_memory(Ivshmem *s, MemRegion *memory)
{
    memory_region_init(&s->bar2, s, "ivshmem.bar2", bar_size(memory_region_size(memory)));
    memory_region_add(&s->bar2, 0, memory);
    pci_register_bar(&s->pci, 2, PCI_BAR_MEM64_PREFETCH, &s->bar2);
    s->memory = memory;
}

static void hide_memory(Ivshmem *s)
{
    if (s->memory) {
        memory_region_del(&s->bar2, s->memory);
        memory_region_cleanup(&s->bar2);
        s->memory = NULL;
    }
}

/*
 * One of those who share the memory takes it along when it migrates, the others would find
 * themselves with another memory: they are unplugged before, and plugged after.
 */
static bool choose_role(Ivshmem *s, Error **errp)
{
    bool master = s->master == ON_OFF_AUTO_ON ||
                  (s->master == ON_OFF_AUTO_AUTO && read_position(s) == 0);
    g_autofree char *label = device_label(&s->pci.dev);
    g_autofree char *why = g_strdup_printf("device '%s' (%s) is a peer of the shared memory (master=off): "
                                           "unplug it before migration", label, object_type_name(s));

    if (!master) {
        s->blocker = migration_add_blocker(why, errp);
    }
    return master || s->blocker;
}

static bool ivshmem_post_load(void *opaque, Error **errp)
{
    Ivshmem *s = opaque;

    if (!regs_valid(s->reg, ivshmem_regs, REG_NUM, errp)) {
        return false;
    }
    update_irq(s);
    return true;
}

static const VmField ivshmem_fields[] = {
    VM_PCI(Ivshmem, pci), VM_REGS(Ivshmem, reg, ivshmem_regs), VM_END
};

static const Property ivshmem_props[] = {
    PROP_ON_OFF_AUTO("master", Ivshmem, master, ON_OFF_AUTO_OFF,
                     "takes the memory along in a migration; auto: if its id is 0"),
    PROP_END
};

static const DeviceType ivshmem_type = {
    .name = TYPE_IVSHMEM, .parent = TYPE_PCI_DEVICE, .size = sizeof(Ivshmem), .abstract = true,
    .category = DEVICE_MISC, .hotpluggable = true,
    .pci = { .vendor = 0x1af4, .device = 0x1110, .class_code = 0x050000, .revision = 1,
             .pin = PCI_PIN_NONE },
    .props = ivshmem_props, .realize = ivshmem_realize, .unrealize = ivshmem_unrealize,
    .reset_hold = ivshmem_reset_hold, .vm = { 1, ivshmem_fields, .post_load = ivshmem_post_load },
};
DEVICE_TYPE(ivshmem_type)

/* --- ivshmem-plain: the memory of a back end --- */

static bool plain_realize(Device *dev, Error **errp)
{
    Ivshmem *s = IVSHMEM(dev);
    MemRegion *memory;

    if (!s->memdev) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "You must specify a 'memdev'");
        error_argument(errp, "memdev", NULL, "the id of a memory backend with share=on");
        return false;
    }
    memory = memory_backend_use(s->memdev, errp);
    if (!memory) {
        return false;
    }
    if (!choose_role(s, errp)) {
        memory_backend_release(s->memdev);
        return false;
    }
    show_memory(s, memory);
    return true;
}

static void plain_unrealize(Device *dev)
{
    Ivshmem *s = IVSHMEM(dev);

    hide_memory(s);
    memory_backend_release(s->memdev);
    /* Not only when the device's last reader has gone: the user may delete it at once. */
    object_unref(s->memdev);
    s->memdev = NULL;
}

static const Property plain_props[] = {
    PROP_LINK("memdev", Ivshmem, memdev, TYPE_MEMORY_BACKEND, "the memory, with share=on"),
    PROP_END
};

static const DeviceType plain_type = {
    .name = TYPE_PLAIN, .parent = TYPE_IVSHMEM, .size = sizeof(Ivshmem),
    .desc = "Inter-VM shared memory", .category = DEVICE_MISC, .hotpluggable = true,
    .props = plain_props, .realize = plain_realize, .unrealize = plain_unrealize,
};
DEVICE_TYPE(plain_type)

/* --- ivshmem-doorbell: memory and doorbells of a server --- */

static void doorbell_rung(void *opaque, unsigned vector)
{
    Ivshmem *s = opaque;

    if (s->pci.msix) {
        msix_notify(&s->pci, vector);
    } else {
        s->reg[INTRSTATUS] |= 1;
        update_irq(s);
    }
}

static const IvshmemLinkOps doorbell_link_ops = { .rung = doorbell_rung };

static void doorbell_undo(Ivshmem *s)
{
    hide_memory(s);
    ivshmem_link_close(&s->link);
}

static bool doorbell_realize(Device *dev, Error **errp)
{
    Ivshmem *s = IVSHMEM(dev);

    if (!ivshmem_link_open(&s->link, dev, s->chr, s->broker, MAX(s->vectors, 1), &doorbell_link_ops, s, errp)) {
        return false;
    }
    if (s->vectors && !msix_init_exclusive_bar(&s->pci, s->vectors, 1, errp)) {
        doorbell_undo(s);
        return false;
    }
    if (!s->vectors) {
        s->pci.config[PCI_INTERRUPT_PIN] = 1 + PCI_PIN_A;
    }
    if (!choose_role(s, errp)) {
        doorbell_undo(s);
        return false;
    }
    show_memory(s, &s->link.memory);
    return true;
}

static void doorbell_unrealize(Device *dev)
{
    doorbell_undo(IVSHMEM(dev));
}

static const Property doorbell_props[] = {
    PROP_CHARDEV("chardev", Ivshmem, chr, "a socket connected to an ivshmem server"),
    PROP_LINK("broker", Ivshmem, broker, TYPE_IVSHMEM_BROKER, "instead: the server inside of this emulator"),
    PROP_U32_RANGE("vectors", Ivshmem, vectors, 1, 0, MAX_VECTORS,
                   "MSI-X vectors; 0: none, any ring raises INTx"),
    PROP_BOOL("ioeventfd", Ivshmem, ioeventfd, true, "a doorbell is rung without waiting for other devices"),
    PROP_END
};

static const DeviceType doorbell_type = {
    .name = TYPE_DOORBELL, .parent = TYPE_IVSHMEM, .size = sizeof(Ivshmem),
    .desc = "Inter-VM shared memory", .category = DEVICE_MISC, .hotpluggable = true,
    .props = doorbell_props, .realize = doorbell_realize, .unrealize = doorbell_unrealize,
};
DEVICE_TYPE(doorbell_type)
