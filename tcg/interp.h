/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the IR interpreter; nobody else includes it. */
#ifndef TCG_INTERP_H
#define TCG_INTERP_H

#include <setjmp.h>
#include "tcg/exec.h"
#include "tcg/fpenv.h"
#include "tcg/vec.h"

/* Integers, F32 and F64 are in .i, zero-extended; the second result of a pair in .second. */
typedef union InterpValue {
    struct { uint64_t i, second; };
    F80 x;
    VecReg v;
    uint8_t b[32];
} InterpValue;

/* Translated "code": a copy of the region. */
typedef struct InterpRegion InterpRegion;
struct InterpRegion {
    IrRegion *ir;
    void *user;
    unsigned n_exits;
    _Atomic(InterpRegion *) *linked;        /* by exit, or NULL */
    InterpRegion *next;                     /* in the cache */
    size_t bytes;
};

/* One run of the interpreter; TcgEnv.host_sp points to it, and it is the
 * "return address" that slow paths and helpers get. */
typedef struct InterpFrame {
    TcgEnv *env;
    const InterpRegion *region;
    IrBlockId block;
    IrValue at;                     /* the operation being executed */
    InterpValue *val;               /* by operation */
    uint32_t n_val;
    TcgLeave leave;
    jmp_buf out;
} InterpFrame;

/* interp-ops.c: operations without effect on memory or control. */
void interp_pure_op(InterpFrame *f, const IrOp *o, InterpValue *d);
void interp_get_home(const void *home, IrType t, InterpValue *d);
void interp_put_home(void *home, IrType t, const InterpValue *v);
/* interp-fp.c: FADD to FBITS, VEC. */
void interp_fp_op(InterpFrame *f, const IrOp *o, InterpValue *d);
/* interp-mem.c: LD to ATOMIC_CMPXCHG. */
void interp_mem_op(InterpFrame *f, const IrOp *o, InterpValue *d);

#endif
