/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register blocks declared as tables: one row a register, and its value in
 * an array of uint32_t, by the same index.
 *
 * A write changes the bits of .rw to what was written, clears those of .w1c
 * that were written as 1, then calls .write and .written. A read calls .read
 * if there is one, else returns the value; then bits of .rc are cleared.
 * Bits in no mask keep their value. Of an access that is narrower than the
 * register only its bytes count; a wider one touches all registers it
 * covers, and reads the gaps between as zeros. Misuse by the guest is logged.
 */
#ifndef HW_CORE_REGS_H
#define HW_CORE_REGS_H

#include "memory/memory.h"
#include "vmstate/vmstate.h"

typedef struct RegDef {
    uint32_t offset;            /* bytes from the block's start */
    const char *name;           /* as the data sheet has it; NULL: no row */
    uint32_t reset;
    uint32_t rw;                /* plain read/write */
    uint32_t w1c;               /* set by the device, cleared by writing 1 */
    uint32_t rc;                /* set by the device, cleared by reading */
    uint32_t hw;                /* read-only, changed by the device */
    uint32_t unimp;             /* reads as stored; a write is logged */
    uint8_t width;              /* bytes: 1, 2, 4; 0: 4 */
    bool write_only;            /* reads as zeros */
    const RegFlag *flags;
    uint32_t (*read)(void *opaque);     /* instead of the stored value */
    /* After the masks were applied; @val is what the guest wrote, with the
     * bytes that a narrow access left out taken from the old value. */
    void (*write)(void *opaque, uint32_t val, uint32_t old);
    void (*written)(void *opaque);
} RegDef;

typedef enum RegsOrder {
    LITTLE_ENDIAN_REGS, BIG_ENDIAN_REGS,
} RegsOrder;

/* MMIO region over a table; @defs and @values must outlive it. */
void regs_init_region(MemRegion *mr, const RegDef *defs, size_t n,
                      uint32_t *values, void *opaque, RegsOrder order);
/* @size in bytes, 0: to the last register's end; PCI BARs need 2^n. @stride:
 * bytes from one offset unit to the next (1: none added). */
void regs_init_region_full(MemRegion *mr, void *owner, const char *name,
                           uint64_t size, const RegDef *defs, size_t n,
                           uint32_t *values, void *opaque, RegsOrder order,
                           unsigned stride);

/* The same without a region, for blocks reached in other ways (an index and
 * a data port). @size 1, 2 or 4; the access lies within the table's span. */
uint32_t regs_read(const RegDef *defs, size_t n, uint32_t *values,
                   void *opaque, uint32_t offset, unsigned size);
void regs_write(const RegDef *defs, size_t n, uint32_t *values, void *opaque,
                uint32_t offset, uint32_t val, unsigned size);
uint32_t regs_span(const RegDef *defs, size_t n);

/* All to .reset; hooks are not called. */
void regs_reset(uint32_t *values, const RegDef *defs, size_t n);
/* Could a running device hold this? Bits outside rw, w1c, rc, hw and unimp
 * must be those of .reset. */
bool regs_valid(const uint32_t *values, const RegDef *defs, size_t n,
                Error **errp);
/* The value of a register as a field of @into. */
void reg_show(const RegDef *def, uint32_t value, StateNode *into);

/* A block in the table of saved fields: @f is uint32_t[], @defs an array. */
typedef struct VmRegs { const RegDef *defs; } VmRegs;
extern const VmKind vm_kind_regs;
#define VM_REGS(S, f, table) \
    { .name = #f, .kind = &vm_kind_regs, \
      .offset = offsetof(S, f) + \
                0 * sizeof((uint32_t *)0 == &VM_ELEM_(S, f)[0]), \
      .size = sizeof(VM_ELEM_(S, f)), .num = 1, .arg = (table), \
      .max = ARRAY_SIZE(table) }

#endif
