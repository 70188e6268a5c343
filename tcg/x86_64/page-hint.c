/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which accesses try a page hint (TcgEnv.hint) before the TLB: those whose address is likely to stay in
 * one page from one time to the next. That is told by what the address is made of: a guest register that
 * isn't itself loaded through a pointer (stack, arrays), a constant, plus an index that
 * is small. Chains of pointers and large random tables go to the TLB, which finds any page.
 */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

enum { HINT_FS_GS = 16, HINT_CONST = 18, N_CONST = 4 };
_Static_assert(HINT_CONST + N_CONST <= TCG_HINTS, "the hints of a mode");

static bool is_small(Cg *cg, IrValue v)
{
    IrOp *op = cg_op(cg, v);
    uint64_t c;

    switch (op->opcode) {
    case IR_CONST:
        return op->imm < TCG_PAGE_SIZE;
    case IR_ZEXT:
        return ir_type_bits(cg_op(cg, op->arg[0])->type) == 8 || is_small(cg, op->arg[0]);
    case IR_SHL:
        return ra_const(cg, op->arg[1], &c) && c <= 3 && is_small(cg, op->arg[0]);
    case IR_AND:
        return is_small(cg, op->arg[0]) || is_small(cg, op->arg[1]);
    case IR_EXTRACT:
        return (op->imm >> 8 & 0xff) <= 11;
    default:
        return false;
    }
}

/* The variable that an address is based on; IR_NO_VAR: constant, *page says where. False: neither. */
static bool base_of(Cg *cg, IrValue v, IrVar *var, uint64_t *page, unsigned depth)
{
    IrOp *op = cg_op(cg, v);

    if (depth > 8) {
        return false;
    }
    switch (op->opcode) {
    case IR_CONST:
        *page += op->imm >> TCG_PAGE_BITS;
        return true;
    case IR_LD_ENV:
        return op->imm == offsetof(TcgEnv, pc_bias);
    case IR_GET:
        if (!ir_var_is_global(op->var)) {
            return false;
        }
        if (cg->r->globals->globals[op->var].offset == offsetof(TcgEnv, pc_bias)) {
            return true;
        }
        if (op->var < 64 && cg->chased >> op->var & 1) {
            return false;
        }
        *var = *var == IR_NO_VAR ? op->var : *var;
        return true;
    case IR_ADD:
        if (is_small(cg, op->arg[1])) {
            return base_of(cg, op->arg[0], var, page, depth + 1);
        }
        if (is_small(cg, op->arg[0])) {
            return base_of(cg, op->arg[1], var, page, depth + 1);
        }
        return base_of(cg, op->arg[0], var, page, depth + 1) &&
               base_of(cg, op->arg[1], var, page, depth + 1);
    case IR_SHL: case IR_ZEXT: case IR_SEXT: case IR_TRUNC:
        return base_of(cg, op->arg[0], var, page, depth + 1);
    default:
        return false;
    }
}

/* Is @op a load through a pointer that may be anywhere? */
static bool is_chase(Cg *cg, const IrOp *op)
{
    IrVar var = IR_NO_VAR;
    uint64_t page = 0;

    while (op->opcode == IR_ZEXT || op->opcode == IR_SEXT || op->opcode == IR_TRUNC) {
        op = cg_op(cg, op->arg[0]);
    }
    if (op->opcode != IR_LD) {
        return false;
    }
    /* From the stack (the fifth and sixth registers) or a constant address: an old friend. */
    return !base_of(cg, op->arg[0], &var, &page, 0) ||
           !(var == IR_NO_VAR || var == 4 || var == 5);
}

void hint_region(Cg *cg)
{
    IrRegion *r = cg->r;

    cg->chased = 0;
    for (IrValue i = 1; i < r->n_ops; i++) {
        const IrOp *op = &r->ops[i];

        if (op->opcode == IR_PUT && op->var < 64 && is_chase(cg, cg_op(cg, op->arg[0]))) {
            cg->chased |= BIT64(op->var);
        }
    }
}

int hint_of(Cg *cg, IrValue addr, IrMemOp mo, bool write)
{
    unsigned mmu = (mo & IR_MO_MMU) >> IR_MO_MMU_SHIFT, n;
    IrVar var = IR_NO_VAR;
    uint64_t page = 0;

    if (!tcg_switches.page_hints || mmu >= TLB_MODES || !base_of(cg, addr, &var, &page, 0)) {
        return -1;
    }
    n = var == IR_NO_VAR ? HINT_CONST + (unsigned)(page % N_CONST)
                         : var < 16 ? var : (unsigned)HINT_FS_GS + var % 2;
    return (int)offsetof(TcgEnv, hint) +
           (int)(((mmu * 2 + write) * TCG_HINTS + n) * sizeof(TcgHint));
}
