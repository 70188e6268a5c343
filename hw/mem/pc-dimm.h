/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pc-dimm: a memory module whose RAM is a memory back end. The board gives it a slot and an address
 * (pc_dimm_place), and maps it. Big lock.
 */
#ifndef HW_MEM_PC_DIMM_H
#define HW_MEM_PC_DIMM_H

#include "hw/core/machine.h"
#include "memory/backend.h"

#define TYPE_PC_DIMM    "pc-dimm"

typedef struct PcDimm {
    Device dev;
    /* Properties. */
    Object *memdev;
    uint64_t addr;              /* 0: the board chooses */
    int32_t slot;               /* -1: the board chooses */
    uint32_t node;
    MemRegion *ram;             /* of memdev; lent, while realized */
} PcDimm;
static inline PcDimm *PC_DIMM(const void *obj)
{
    return (PcDimm *)object_cast(obj, TYPE_PC_DIMM);
}
uint64_t pc_dimm_size(const PcDimm *d);
/* The module in @slot of the realized ones; NULL: it is empty. */
PcDimm *pc_dimm_in_slot(unsigned slot);
/* Before it is realized: a free slot, and an address in m->plugged_ram (whose guest address is @base), or
 * the checks of what the user has asked for. */
bool pc_dimm_place(Machine *m, PcDimm *d, uint64_t base, Error **errp);

#endif
