/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the builder and the optimiser share; nobody else includes it. */
#ifndef TCG_BUILD_H
#define TCG_BUILD_H

#include "tcg/ir.h"

#define IR_BUILD_HASH   512
/* Variables are numbered densely here: globals, then locals. */
#define IR_BUILD_LOCALS 128
#define IR_BUILD_VARS   (IR_MAX_GLOBALS + IR_BUILD_LOCALS)

/*
 * What is known while a block is being filled. Entries of earlier blocks are told by
 * their op index, which is smaller than the block's first, so a new block costs nothing.
 */
typedef struct IrBuild {
    IrValue share[IR_BUILD_HASH];       /* pure operations by hash */
    IrValue avail[IR_BUILD_VARS];       /* value that a variable's home holds */
    uint32_t avail_at[IR_BUILD_VARS];   /* n_ops when that was noted */
    uint32_t vars_changed;      /* n_ops after the last call that writes all globals */
    uint32_t env_changed;       /* the same for what LD_ENV reads */
    uint32_t fp_changed;        /* and for the FP environment */
    IrVar pc_bias;              /* the global with TcgEnv.pc_bias' home */
} IrBuild;

/* Make room in an array of @elem bytes each for index @n. */
void ir_grow(void **array, uint32_t *cap, uint32_t n, size_t elem);
/* Emit @o, simplified and shared unless r->raw. Gives its value: for operations
 * without a result not 0 either; 0 if it vanished. @o is changed: a copy would wait for what has just been stored there. */
IrValue ir_emit(IrRegion *r, IrOp *o);
/* simplify.c: 0 if @o, perhaps rewritten, is to be emitted; else the value that it has.
 * *vanished: it does nothing and has no value. */
IrValue ir_simplify(IrRegion *r, IrOp *o, bool *vanished);
/* Which bits of an integer value may be set. */
uint64_t ir_maybe_bits(const IrRegion *r, IrValue v, unsigned depth);
/* The value that variable @v is known to hold now. */
bool ir_avail(const IrRegion *r, IrVar v, IrValue *x);
/* What is pending for @v, or NULL. */
IrPending *ir_find_pending(IrRegion *r, IrVar v);
/* What the front end has yet to pend. */
void ir_ask_due(IrRegion *r);
/* A snapshot of r->state. */
uint32_t ir_snapshot(IrRegion *r);

#endif
