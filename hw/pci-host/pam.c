/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programmable attribute map of PC host bridges. */
#include "util/osdep.h"
#include "hw/pci-host/pam.h"

#define PAM_READ    BIT(0)
#define PAM_WRITE   BIT(1)

/* 82441FX 3.2.18, table 1: F0000h is one, above C0000h there are twelve. */
static uint32_t segment_addr(unsigned n)
{
    return n == 0 ? 0xf0000 : 0xc0000 + (n - 1) * 0x4000;
}

static unsigned segment_attr(const uint8_t *regs, unsigned n)
{
    return n == 0 ? regs[0] >> 4 & 3 : regs[(n + 1) / 2] >> (n & 1 ? 0 : 4) & 3;
}

static MemResult pam_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size, MemAttrs attrs)
{
    PamSegment *seg = opaque;
    MemResult r;

    *val = address_space_load(&seg->pam->pci_as, seg->addr + addr, size, MEM_LE, attrs, &r);
    return r;
}

static MemResult pam_write(void *opaque, hwaddr addr, uint64_t val, unsigned size, MemAttrs attrs)
{
    PamSegment *seg = opaque;

    return memory_region_dispatch_write(seg->pam->ram, seg->addr + addr, val, size, MEM_LE, attrs);
}

static const MemOps write_only_ops = {
    .read = pam_read, .write = pam_write, .order = MEM_LE,
    .valid = { 1, 8 }, .impl = { .min = 1, .max = 8 },
};

void pam_update(Pam *p, const uint8_t regs[PAM_REGS])
{
    for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
        unsigned attr = segment_attr(regs, i);

        memory_region_set_enabled(&p->seg[i].pci, attr == 0);
        memory_region_set_enabled(&p->seg[i].read_only, attr == PAM_READ);
        memory_region_set_enabled(&p->seg[i].write_only, attr == PAM_WRITE);
    }
}

void pam_init_wmask(uint8_t wmask[PAM_REGS])
{
    memset(wmask, 0x33, PAM_REGS);
    wmask[0] = 0x30;
}

void pam_init(Pam *p, void *owner, MemRegion *system, MemRegion *ram, MemRegion *pci_memory)
{
    p->ram = ram;
    for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
        PamSegment *seg = &p->seg[i];
        uint32_t size = i == 0 ? 0x10000 : 0x4000;

        seg->pam = p;
        seg->addr = segment_addr(i);
        memory_region_init_alias(&seg->pci, owner, "pam-pci", pci_memory, seg->addr, size);
        memory_region_add_overlap(system, seg->addr, &seg->pci, 1);
        memory_region_init_alias(&seg->read_only, owner, "pam-rom", ram, seg->addr, size);
        memory_region_set_readonly(&seg->read_only, true);
        memory_region_set_enabled(&seg->read_only, false);
        memory_region_add_overlap(system, seg->addr, &seg->read_only, 1);
        memory_region_init_io(&seg->write_only, owner, &write_only_ops, seg, "pam-wo", size);
        memory_region_set_enabled(&seg->write_only, false);
        memory_region_add_overlap(system, seg->addr, &seg->write_only, 1);
    }
    address_space_init(&p->pci_as, pci_memory, "pci-memory");
}
