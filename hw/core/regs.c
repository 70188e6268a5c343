/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register blocks: what a guest's access does to a table's values, and the
 * table's other readers (reset, checks, saved state, text).
 */
#include "util/osdep.h"
#include "hw/core/regs.h"

#include "util/log.h"
#include "util/rcu.h"
#include "vmstate/node.h"

static inline unsigned width_of(const RegDef *d)
{
    return d->width ? d->width : 4;
}

static inline uint32_t width_mask(unsigned bytes)
{
    return UINT32_MAX >> (32 - 8 * bytes);
}

static uint32_t read_one(const RegDef *d, uint32_t *value, void *opaque)
{
    uint32_t v = d->read ? d->read(opaque) : *value;

    *value &= ~d->rc;
    if (d->write_only) {
        log_guest_error(d->name, "read of a write-only register");
        return 0;
    }
    return v;
}

/* @val in the register's bits, @mask: the bytes that are written. */
static void write_one(const RegDef *d, uint32_t *value, void *opaque,
                      uint32_t val, uint32_t mask)
{
    uint32_t old = *value, known = d->rw | d->w1c;

    if (!known && !d->write && !d->written) {
        if (d->unimp & mask) {
            log_unimp(d->name, "write of 0x%x: not modelled", val & mask);
        } else {
            log_guest_error(d->name, "write of 0x%x to a read-only register", val & mask);
        }
        return;
    }
    if ((val ^ old) & d->unimp & mask) {
        log_unimp(d->name, "write of 0x%x: bits 0x%x are not modelled", val & mask,
                  (val ^ old) & d->unimp & mask);
    }
    *value = (old & ~(d->rw & mask)) | (val & d->rw & mask);
    *value &= ~(val & d->w1c & mask);
    if (d->write) {
        /* Bytes left out of a narrow write must not clear w1c bits again. */
        d->write(opaque, (val & mask) | (old & ~mask & ~d->w1c), old);
    }
    if (d->written) {
        d->written(opaque);
    }
}

uint32_t regs_span(const RegDef *defs, size_t n)
{
    uint32_t span = 0;

    for (size_t i = 0; i < n; i++) {
        if (defs[i].name) {
            span = MAX(span, defs[i].offset + width_of(&defs[i]));
        }
    }
    return span;
}

/* Does @d lie in the access? *shift: left shift from the register's bits to
 * those of the access, negative where it begins before it. */
static bool overlaps(const RegDef *d, uint32_t offset, unsigned size,
                     RegsOrder order, int *shift)
{
    unsigned width = width_of(d);
    int at = (int)d->offset - (int)offset;

    if (!d->name || at >= (int)size || at + (int)width <= 0) {
        return false;
    }
    *shift = 8 * (order == LITTLE_ENDIAN_REGS ? at : (int)size - at - (int)width);
    return true;
}

static uint64_t block_read(const RegDef *defs, size_t n, uint32_t *values,
                           void *opaque, uint32_t offset, unsigned size,
                           RegsOrder order)
{
    uint64_t result = 0;
    bool hit = false;

    for (size_t i = 0; i < n; i++) {
        int shift;

        if (overlaps(&defs[i], offset, size, order, &shift)) {
            uint64_t v = read_one(&defs[i], &values[i], opaque) &
                         width_mask(width_of(&defs[i]));

            result |= shift >= 0 ? v << shift : v >> -shift;
            hit = true;
        }
    }
    if (!hit) {
        log_guest_error("regs", "read of %u bytes at 0x%x, where no register is", size,
                        offset);
    }
    return size < 8 ? result & (BIT64(8 * size) - 1) : result;
}

static void block_write(const RegDef *defs, size_t n, uint32_t *values,
                        void *opaque, uint32_t offset, uint64_t val,
                        unsigned size, RegsOrder order)
{
    uint64_t all = size < 8 ? BIT64(8 * size) - 1 : UINT64_MAX;
    bool hit = false;

    for (size_t i = 0; i < n; i++) {
        int shift;

        if (overlaps(&defs[i], offset, size, order, &shift)) {
            uint32_t whole = width_mask(width_of(&defs[i]));
            uint64_t v = shift >= 0 ? val >> shift : val << -shift;
            uint64_t m = shift >= 0 ? all >> shift : all << -shift;

            write_one(&defs[i], &values[i], opaque, (uint32_t)v & whole,
                      (uint32_t)m & whole);
            hit = true;
        }
    }
    if (!hit) {
        log_guest_error("regs", "write of 0x%" PRIx64 " at 0x%x, where no register is",
                        val & all, offset);
    }
}

uint32_t regs_read(const RegDef *defs, size_t n, uint32_t *values,
                   void *opaque, uint32_t offset, unsigned size)
{
    return (uint32_t)block_read(defs, n, values, opaque, offset, size,
                                LITTLE_ENDIAN_REGS);
}

void regs_write(const RegDef *defs, size_t n, uint32_t *values, void *opaque,
                uint32_t offset, uint32_t val, unsigned size)
{
    block_write(defs, n, values, opaque, offset, val, size, LITTLE_ENDIAN_REGS);
}

/* --- as a memory region --- */

typedef struct RegBlock {
    const RegDef *defs;
    size_t n;
    uint32_t *values;
    void *opaque;
    RegsOrder order;
    unsigned stride;
} RegBlock;

/* With a stride only the first byte-lane group of each unit has registers. */
static MemResult region_read(void *opaque, hwaddr addr, uint64_t *val,
                             unsigned size, UNUSED MemAttrs attrs)
{
    RegBlock *b = opaque;

    *val = block_read(b->defs, b->n, b->values, b->opaque,
                      (uint32_t)(addr / b->stride), size, b->order);
    return MEM_OK;
}

static MemResult region_write(void *opaque, hwaddr addr, uint64_t val,
                              unsigned size, UNUSED MemAttrs attrs)
{
    RegBlock *b = opaque;

    block_write(b->defs, b->n, b->values, b->opaque, (uint32_t)(addr / b->stride), val,
                size, b->order);
    return MEM_OK;
}

static const MemOps little_ops = {
    .read = region_read, .write = region_write, .order = MEM_LE,
    .impl = { .min = 1, .max = 4 },
};
static const MemOps big_ops = {
    .read = region_read, .write = region_write, .order = MEM_BE,
    .impl = { .min = 1, .max = 4 },
};

static void region_release(MemRegion *mr)
{
    rcu_call(g_free, mr->opaque);
}

void regs_init_region_full(MemRegion *mr, void *owner, const char *name,
                           uint64_t size, const RegDef *defs, size_t n,
                           uint32_t *values, void *opaque, RegsOrder order,
                           unsigned stride)
{
    RegBlock *b = g_new(RegBlock, 1);

    *b = (RegBlock){ defs, n, values, opaque, order, stride };
    if (!size) {
        size = (uint64_t)regs_span(defs, n) * stride;
    }
    memory_region_init_io(mr, owner, order == LITTLE_ENDIAN_REGS ? &little_ops : &big_ops,
                          b, name, size);
    mr->release = region_release;
}

void regs_init_region(MemRegion *mr, const RegDef *defs, size_t n,
                      uint32_t *values, void *opaque, RegsOrder order)
{
    regs_init_region_full(mr, NULL, "regs", 0, defs, n, values, opaque, order, 1);
}

/* --- the table's other readers --- */

void regs_reset(uint32_t *values, const RegDef *defs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        values[i] = defs[i].reset;
    }
}

bool regs_valid(const uint32_t *values, const RegDef *defs, size_t n,
                Error **errp)
{
    for (size_t i = 0; i < n; i++) {
        const RegDef *d = &defs[i];
        uint32_t may = d->rw | d->w1c | d->rc | d->hw | d->unimp;

        if ((values[i] ^ d->reset) & ~may) {
            error_setf(errp, ERR_STATE_INVALID,
                       "register '%s' cannot hold 0x%x: bits 0x%x never differ from 0x%x",
                       d->name ? d->name : "?", values[i],
                       (values[i] ^ d->reset) & ~may, d->reset);
            error_argument(errp, d->name, NULL, NULL);
            return false;
        }
    }
    return true;
}

void reg_show(const RegDef *d, uint32_t value, StateNode *into)
{
    StateNode *n = state_add_uint(into, d->name, value, 8 * width_of(d));

    state_add_flags(n, d->flags);
}

/* --- saved state --- */

static bool vm_regs_save(VmWriter *w, const VmField *f, const void *elem,
                         UNUSED Error **errp)
{
    const uint32_t *values = elem;

    vm_put_u32(w, (uint32_t)f->max);
    for (uint64_t i = 0; i < f->max; i++) {
        vm_put_u32(w, values[i]);
    }
    return true;
}

static bool vm_regs_load(VmReader *r, const VmField *f, void *elem, Error **errp)
{
    uint32_t *values = elem, n;

    if (!vm_get_u32(r, &n, errp)) {
        return false;
    }
    if (n != f->max) {
        error_setf(errp, ERR_STATE_INVALID, "field '%s' has %u registers; accepted: %" PRIu64,
                   f->name, n, f->max);
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!vm_get_u32(r, &values[i], errp)) {
            return false;
        }
    }
    return true;
}

static bool vm_regs_show(VmReader *r, const VmField *f, UNUSED size_t bytes, StateNode *into, Error **errp)
{
    const RegDef *defs = f->arg;
    uint32_t n, value;

    if (!vm_get_u32(r, &n, errp)) {
        return false;
    }
    into->kind = STATE_STRUCT;
    for (uint32_t i = 0; i < n; i++) {
        if (!vm_get_u32(r, &value, errp)) {
            return false;
        }
        if (i >= f->max) {
            state_add_uintf(into, value, 32, "register[%u]", i);
        } else if (defs[i].name) {
            reg_show(&defs[i], value, into);
        }
    }
    return true;
}

const VmKind vm_kind_regs = {
    .name = "regs", .save = vm_regs_save, .load = vm_regs_load,
    .show = vm_regs_show,
};
