/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What host bridges of PCs have in common. */
#include "util/osdep.h"
#include "hw/pci-host/pc-host.h"

#define LOW_HOLE    0xa0000

/* 82441FX 3.1.1: only a full dword is CONFIG_ADDRESS; the rest goes on to PCI,
 * where the south bridge has its reset control register. */
static MemResult conf_io_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                              MemAttrs attrs)
{
    PcHost *s = opaque;

    if (size == 4) {
        return memory_region_dispatch_read(&s->parent.conf, 0, val, 4, MEM_LE, attrs);
    }
    if (s->narrow && addr == 1 && size == 1) {
        return memory_region_dispatch_read(s->narrow, 0, val, 1, MEM_LE, attrs);
    }
    *val = UINT64_MAX;
    return MEM_OK;
}

static MemResult conf_io_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                               MemAttrs attrs)
{
    PcHost *s = opaque;

    if (size == 4) {
        return memory_region_dispatch_write(&s->parent.conf, 0, val, 4, MEM_LE, attrs);
    }
    if (s->narrow && addr == 1 && size == 1) {
        return memory_region_dispatch_write(s->narrow, 0, val, 1, MEM_LE, attrs);
    }
    return MEM_OK;
}

static const MemOps conf_io_ops = {
    .read = conf_io_read, .write = conf_io_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 4 },
};

/* A master abort (PCI 3.2.2.3.4). It is a region so that the RAM underneath
 * doesn't show. */
static MemResult nobody_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val,
                             UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = UINT64_MAX;
    return MEM_OK;
}

static MemResult nobody_write(UNUSED void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val,
                              UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    return MEM_OK;
}

static const MemOps nobody_ops = {
    .read = nobody_read, .write = nobody_write, .order = MEM_LE,
    .valid = { 1, 8 }, .impl = { .min = 1, .max = 8 },
};

void pc_host_set_cf9(Device *host, MemRegion *mr)
{
    PC_HOST(host)->narrow = mr;
}

static bool pc_host_realize(Device *dev, UNUSED Error **errp)
{
    PcHost *s = PC_HOST(dev);

    memory_region_init(&s->pci_memory, s, "pci", UINT64_MAX);
    memory_region_init_io(&s->nobody, s, &nobody_ops, s, "pci-low-hole", MIB - LOW_HOLE);
    memory_region_add_overlap(&s->pci_memory, LOW_HOLE, &s->nobody, -1000);
    memory_region_init_io(&s->conf_io, s, &conf_io_ops, s, "pci-conf-idx", 4);
    memory_region_add(s->io, 0xcf8, &s->conf_io);
    memory_region_add(s->io, 0xcfc, &s->parent.data);
    return true;
}

static const DeviceType pc_host_type = {
    .name = TYPE_PC_PCI_HOST, .parent = TYPE_PCI_HOST, .size = sizeof(PcHost), .abstract = true,
    .desc = "PC host bridge", .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .realize = pc_host_realize,
};
DEVICE_TYPE(pc_host_type)

PcHost *pc_host_create(PcHostBoard *board, const char *type, const char *name, Error **errp)
{
    Device *host = device_new(type);
    PcHost *h = PC_HOST(host);

    h->io = board->io;
    object_add_child(object_container("/machine"), name, host);
    if (!device_realize_unref(host, NULL, errp)) {
        return NULL;
    }
    /* What no RAM answers goes to PCI. */
    memory_region_add_overlap(board->system, 0, &h->pci_memory, -1);
    board->pci = &h->pci_memory;
    board->host = host;
    board->bus = h->parent.bus;
    return h;
}
