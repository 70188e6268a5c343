/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ivshmem-v2: shared memory in sections (a table of all peers' states, one for all, one that each peer has
 * for its output), doorbells, and life-cycle words.
 *
 * Source: Jailhouse's "IVSHMEM Device Specification", version 2 ("V2"), a work in progress. It says nothing of what is between
 * hypervisors; here that is the server of revision 1, and all devices at one server must have the same properties. Kept as
 * PCI has it: a ring behind a mask is pending (V2: there are no pending interrupts).
 */
#include "util/osdep.h"
#include "hw/pci/pci.h"

#include <glib.h>
#include "hw/core/regs.h"
#include "hw/misc/ivshmem-broker.h"
#include "hw/misc/ivshmem-link.h"
#include "util/bswap.h"
#include "vmstate/blocker.h"

#define REGS_SIZE       4096        /* V2: a page, to be given to programs */
#define PAGE            UINT64_C(4096)
#define DOORBELL        0xc
#define MAX_VECTORS     2048
#define STATE_VECTOR    0

/* Vendor-specific capability (V2 "Vendor Specific Capability"). */
enum { CAP_LEN = 0x18, CAP_CONTROL = 3, CAP_STATE_SIZE = 4, CAP_RW_SIZE = 8, CAP_OUTPUT_SIZE = 0x10 };
#define CONTROL_ONE_SHOT    BIT(0)
#define INT_ENABLE          BIT(0)

enum { REG_ID, REG_MAX_PEERS, REG_INT_CONTROL, REG_STATE, REG_NUM };

typedef struct IvshmemV2 {
    PCIDevice pci;
    MemRegion regs, doorbell, bar2;
    MemRegion *sections;            /* aliases of the link's memory: table, common, an output each */
    unsigned n_sections;
    uint32_t reg[REG_NUM];
    uint8_t cap;                    /* where the capability is */
    Chardev *chr;
    Object *broker;
    IvshmemLink link;
    uint32_t vectors, max_peers;
    uint64_t output_size, state_size, common_size;
    uint16_t protocol;
    bool ioeventfd;
    int master;                     /* OnOffAuto */
    MigrationBlocker *blocker;
} IvshmemV2;
DEFINE_CAST(IVSHMEM_V2, IvshmemV2, "ivshmem-v2")

/* --- interrupts --- */

/* One-shot: off again until the guest switches it on (V2 "Privileged Control"). */
static void interrupt(IvshmemV2 *s, unsigned vector)
{
    if (s->reg[REG_INT_CONTROL] & INT_ENABLE) {
        if (s->pci.config[s->cap + CAP_CONTROL] & CONTROL_ONE_SHOT) {
            s->reg[REG_INT_CONTROL] &= ~INT_ENABLE;
        }
        msix_notify(&s->pci, vector);
    }
}

static void rung(void *opaque, unsigned vector)
{
    interrupt(opaque, vector);
}

/* --- states --- */

static uint32_t *state_of(IvshmemV2 *s, uint16_t id)
{
    return (uint32_t *)memory_region_ram_ptr(&s->link.memory) + id;
}

/* Our entry of the table, which peers look at when they are rung. */
static void tell_state(IvshmemV2 *s)
{
    uint32_t old = __atomic_exchange_n(state_of(s, s->link.id), host_to_le32(s->reg[REG_STATE]), __ATOMIC_SEQ_CST);

    memory_region_set_dirty(&s->link.memory, s->link.id * sizeof(uint32_t), sizeof(uint32_t));
    if (old != host_to_le32(s->reg[REG_STATE])) {
        ivshmem_link_ring_all(&s->link, STATE_VECTOR);
    }
}

static void state_written(void *opaque)
{
    tell_state(opaque);
}

/* V2 "State Table": zero for a peer that is disconnected, however that came. */
static void peer_gone(void *opaque, uint16_t id)
{
    IvshmemV2 *s = opaque;

    if (id < s->max_peers) {
        __atomic_store_n(state_of(s, id), 0, __ATOMIC_SEQ_CST);
        memory_region_set_dirty(&s->link.memory, id * sizeof(uint32_t), sizeof(uint32_t));
        interrupt(s, STATE_VECTOR);
    }
}

static const IvshmemLinkOps link_ops = { .rung = rung, .peer_gone = peer_gone };

/* --- registers: V2 "Register Region" --- */

static uint32_t read_id(void *opaque)
{
    return ((IvshmemV2 *)opaque)->link.id;
}

static uint32_t read_max_peers(void *opaque)
{
    return ((IvshmemV2 *)opaque)->max_peers;
}

static const RegDef v2_regs[REG_NUM] = {
    [REG_ID]          = { 0x00, "ID", .read = read_id },
    [REG_MAX_PEERS]   = { 0x04, "MAX_PEERS", .read = read_max_peers },
    [REG_INT_CONTROL] = { 0x08, "INT_CONTROL", .rw = INT_ENABLE, .flags = FLAGS({ "ENABLE", INT_ENABLE }) },
    [REG_STATE]       = { 0x10, "STATE", .rw = UINT32_MAX, .written = state_written },
};

static MemResult doorbell_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val, UNUSED unsigned size,
                               UNUSED MemAttrs attrs)
{
    *val = 0;
    return MEM_OK;
}

/* Any thread, without the big lock if ioeventfd=on. */
static MemResult doorbell_write(void *opaque, UNUSED hwaddr addr, uint64_t val, UNUSED unsigned size,
                                UNUSED MemAttrs attrs)
{
    ivshmem_link_ring(&((IvshmemV2 *)opaque)->link, (uint16_t)(val >> 16), (uint16_t)val);
    return MEM_OK;
}

static const MemOps doorbell_ops = {
    .read = doorbell_read, .write = doorbell_write, .order = MEM_LE, .valid = { 4, 4 }, .impl = { .min = 4, .max = 4 },
};

static void v2_reset_hold(Device *dev)
{
    IvshmemV2 *s = IVSHMEM_V2(dev);

    regs_reset(s->reg, v2_regs, REG_NUM);
    tell_state(s);
}

/* --- sections: V2 "Shared Memory Region Layout" --- */

static bool lay_out(IvshmemV2 *s, Error **errp)
{
    uint64_t size = memory_region_size(&s->link.memory), used;

    if (s->link.id >= s->max_peers) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the server gives the id %u; accepted: 0 to %u (max-peers)", s->link.id,
                   s->max_peers - 1);
        return false;
    }
    s->state_size = ALIGN_UP((uint64_t)s->max_peers * sizeof(uint32_t), PAGE);
    if (s->output_size % PAGE || s->output_size > size) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'output-size' is %" PRIu64 "; accepted: multiples of 4096, up to "
                   "the memory's %" PRIu64, s->output_size, size);
        return false;
    }
    used = s->state_size + s->output_size * s->max_peers;
    if (used > size || size % PAGE) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the shared memory has %" PRIu64 " bytes; accepted: whole pages, at least %"
                   PRIu64 " for the state table and %u output sections", size, used, s->max_peers);
        return false;
    }
    s->common_size = size - used;
    return true;
}

static void add_section(IvshmemV2 *s, uint64_t *at, uint64_t size, bool readonly)
{
    MemRegion *mr = &s->sections[s->n_sections];

    if (size) {
        memory_region_init_alias(mr, s, "ivshmem-section", &s->link.memory, *at, size);
        memory_region_set_readonly(mr, readonly);
        memory_region_add(&s->bar2, *at, mr);
        s->n_sections++;
        *at += size;
    }
}

static void map_sections(IvshmemV2 *s)
{
    uint64_t size = PAGE, at = 0;

    while (size < memory_region_size(&s->link.memory)) {
        size *= 2;
    }
    memory_region_init(&s->bar2, s, "ivshmem.bar2", size);
    s->sections = g_new0(MemRegion, s->max_peers + 2);
    add_section(s, &at, s->state_size, true);
    add_section(s, &at, s->common_size, false);
    for (unsigned i = 0; i < s->max_peers; i++) {
        add_section(s, &at, s->output_size, i != s->link.id);
    }
    pci_register_bar(&s->pci, 2, PCI_BAR_MEM64_PREFETCH, &s->bar2);
}

static bool add_capability(IvshmemV2 *s, Error **errp)
{
    uint8_t *c;

    s->cap = pci_add_capability(&s->pci, 0x09, 0, CAP_LEN, errp);
    if (!s->cap) {
        return false;
    }
    c = s->pci.config + s->cap;
    c[2] = CAP_LEN;
    s->pci.wmask[s->cap + CAP_CONTROL] = CONTROL_ONE_SHOT;
    pci_set_long(c + CAP_STATE_SIZE, (uint32_t)s->state_size);
    pci_set_long(c + CAP_RW_SIZE, (uint32_t)s->common_size);
    pci_set_long(c + CAP_RW_SIZE + 4, (uint32_t)(s->common_size >> 32));
    pci_set_long(c + CAP_OUTPUT_SIZE, (uint32_t)s->output_size);
    pci_set_long(c + CAP_OUTPUT_SIZE + 4, (uint32_t)(s->output_size >> 32));
    return true;
}

/* --- life --- */

static void undo(IvshmemV2 *s)
{
    memory_region_cleanup(&s->doorbell);
    memory_region_cleanup(&s->regs);
    for (unsigned i = 0; i < s->n_sections; i++) {
        memory_region_cleanup(&s->sections[i]);
    }
    memory_region_cleanup(&s->bar2);
    s->n_sections = 0;
    ivshmem_link_close(&s->link);
    migration_del_blocker(s->blocker);
    s->blocker = NULL;
}

static bool choose_role(IvshmemV2 *s, Error **errp)
{
    g_autofree char *why = g_strdup_printf("device '%s' (ivshmem-v2) is a peer of the shared memory (master=off): "
                                           "unplug it before migration", s->link.name);

    if (s->master == ON_OFF_AUTO_ON || (s->master == ON_OFF_AUTO_AUTO && s->link.id == 0)) {
        return true;
    }
    s->blocker = migration_add_blocker(why, errp);
    return s->blocker;
}

static bool v2_realize(Device *dev, Error **errp)
{
    IvshmemV2 *s = IVSHMEM_V2(dev);

    pci_set_byte(s->pci.config + PCI_CLASS_PROG, (uint8_t)s->protocol);
    pci_set_byte(s->pci.config + PCI_CLASS_PROG + 1, (uint8_t)(s->protocol >> 8));
    if (!ivshmem_link_open(&s->link, dev, s->chr, s->broker, s->vectors, &link_ops, s, errp)) {
        return false;
    }
    if (!lay_out(s, errp) || !add_capability(s, errp) || !msix_init_exclusive_bar(&s->pci, s->vectors, 1, errp) ||
        !choose_role(s, errp)) {
        undo(s);
        return false;
    }
    regs_init_region_full(&s->regs, s, "ivshmem-mmio", REGS_SIZE, v2_regs, REG_NUM, s->reg, s, LITTLE_ENDIAN_REGS, 1);
    memory_region_init_io(&s->doorbell, s, &doorbell_ops, s, "ivshmem-doorbell", 4);
    if (s->ioeventfd) {
        memory_region_set_lockless(&s->doorbell);
    }
    memory_region_add_overlap(&s->regs, DOORBELL, &s->doorbell, 1);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM32, &s->regs);
    map_sections(s);
    return true;
}

static void v2_unrealize(Device *dev)
{
    undo(IVSHMEM_V2(dev));
}

static void v2_finalize(Device *dev)
{
    g_free(IVSHMEM_V2(dev)->sections);
}

static bool v2_post_load(void *opaque, Error **errp)
{
    IvshmemV2 *s = opaque;

    if (!regs_valid(s->reg, v2_regs, REG_NUM, errp)) {
        return false;
    }
    tell_state(s);
    return true;
}

static const VmField v2_fields[] = {
    VM_PCI(IvshmemV2, pci), VM_REGS(IvshmemV2, reg, v2_regs), VM_END
};

static const Property v2_props[] = {
    PROP_CHARDEV("chardev", IvshmemV2, chr, "a socket connected to an ivshmem server"),
    PROP_LINK("broker", IvshmemV2, broker, TYPE_IVSHMEM_BROKER, "instead: the server inside of this emulator"),
    PROP_U32_RANGE("vectors", IvshmemV2, vectors, 1, 1, MAX_VECTORS, "MSI-X vectors"),
    PROP_U32_RANGE("max-peers", IvshmemV2, max_peers, 2, 2, IVSHMEM_IDS, "ids are 0 to this less 1"),
    PROP_SIZE("output-size", IvshmemV2, output_size, 0, "bytes of the section that each peer alone writes"),
    PROP_U16("protocol", IvshmemV2, protocol, 0, "protocol type, in the class code"),
    PROP_ON_OFF_AUTO("master", IvshmemV2, master, ON_OFF_AUTO_OFF,
                     "takes the memory along in a migration; auto: if its id is 0"),
    PROP_BOOL("ioeventfd", IvshmemV2, ioeventfd, true, "a doorbell is rung without waiting for other devices"),
    PROP_END
};

static const DeviceType v2_type = {
    .name = "ivshmem-v2", .parent = TYPE_PCI_DEVICE, .size = sizeof(IvshmemV2),
    .desc = "Inter-VM shared memory, version 2", .category = DEVICE_MISC, .hotpluggable = true,
    .pci = { .vendor = 0x110a, .device = 0x4106, .class_code = 0xff0000, .subsystem_vendor = 0x110a,
             .subsystem = 0x4106, .pin = PCI_PIN_NONE },
    .props = v2_props, .realize = v2_realize, .unrealize = v2_unrealize, .finalize = v2_finalize,
    .reset_hold = v2_reset_hold, .vm = { 1, v2_fields, .post_load = v2_post_load },
};
DEVICE_TYPE(v2_type)
