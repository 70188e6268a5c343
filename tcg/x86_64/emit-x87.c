/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * F80 on the host's x87 unit. Values live in memory: a spill slot of their own
 * or, read lazily, a variable's home. The last result stays in ST(0)
 * as a cache (Cg.x87_top) for the operation that consumes it; the cache is
 * dropped at block ends and before helpers, but not by memory accesses,
 * whose slow paths don't touch the x87 unit beyond balanced use.
 */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

static void fp2(Asm *a, uint8_t b0, uint8_t b1)
{
    x_byte(a, b0);
    x_byte(a, b1);
}

static void fld80(Asm *a, Mem m)
{
    x_rm(a, 0xdb, 5, m);
}

static void fstp80(Asm *a, Mem m)
{
    x_rm(a, 0xdb, 7, m);
}

static bool in_memory(Cg *cg, IrValue v)
{
    return cg->val[v].slot >= 0 || cg->val[v].flags & V_HOME;
}

static Mem place(Cg *cg, IrValue v)
{
    Val *x = &cg->val[v];

    return x->slot >= 0 ? mem_b(R_RSP, FR_SPILL + 8 * x->slot) : ra_home(cg, x->var);
}

void x87_save(Cg *cg, IrValue v)
{
    if (v == cg->x87_top && !in_memory(cg, v)) {
        fp2(&cg->a, 0xd9, 0xc0);                /* FLD ST(0) */
        fstp80(&cg->a, mem_b(R_RSP, ra_slot(cg, v, 16)));
    }
}

/* Empty the unit; what is needed from position @pos on goes to memory. */
static void drop(Cg *cg, uint32_t pos)
{
    IrValue v = cg->x87_top;

    if (!v) {
        return;
    }
    cg->x87_top = 0;
    if (cg->val[v].last_use >= pos && !in_memory(cg, v)) {
        fstp80(&cg->a, mem_b(R_RSP, ra_slot(cg, v, 16)));
    } else {
        fp2(&cg->a, 0xdd, 0xd8);                /* FSTP ST(0) */
    }
}

void x87_drop(Cg *cg)
{
    drop(cg, cg->pos);
}

/* @v into ST(0), to be consumed; the cache becomes empty. */
static void push(Cg *cg, IrValue v)
{
    if (cg->x87_top == v) {
        if (!ra_dies(cg, v)) {
            x87_save(cg, v);
        }
        cg->x87_top = 0;
        return;
    }
    drop(cg, cg->pos);
    fld80(&cg->a, place(cg, v));
}

/* ST(0) is @v now. */
static void result(Cg *cg, IrValue v)
{
    cg->x87_top = v;
    cg->val[v].flags |= V_DEFINED;
    if (cg->val[v].pended) {
        x87_save(cg, v);
    }
}

void x87_put(Cg *cg, IrVar var, IrValue v)
{
    if (cg->x87_top != v) {
        int s = ra_scratch_v(cg);
        cg_load(cg, IR_V128, s, place(cg, v));
        cg_store(cg, IR_V128, s, ra_home(cg, var));
        return;
    }
    if (ra_dies(cg, v)) {
        fstp80(&cg->a, ra_home(cg, var));
        cg->x87_top = 0;
        return;
    }
    fp2(&cg->a, 0xd9, 0xc0);
    fstp80(&cg->a, ra_home(cg, var));
    if (!in_memory(cg, v)) {
        ra_get(cg, v, var);                     /* the home is its copy in memory */
    }
}

static IrType type_of(Cg *cg, IrValue v)
{
    return cg_op(cg, v)->type;
}

/* An operand narrower than F80 is read from memory by the instruction, which so knows its NaNs. */
static void emit_narrow(Cg *cg, IrValue i, IrOp *op, IrValue wide, IrValue narrow)
{
    static const uint8_t digit[4][2] = { { 0, 0 }, { 4, 5 }, { 1, 1 }, { 6, 7 } };  /* FSUB, FSUBR ... */
    IrType t = type_of(cg, narrow);
    Mem m = mem_b(R_RSP, FR_BUF);

    cg_store(cg, t, ra_use(cg, narrow), m);
    push(cg, wide);
    x_rm(&cg->a, t == IR_F64 ? 0xdc : 0xd8, digit[op->opcode - IR_FADD][narrow == op->arg[0]], m);
    result(cg, i);
}

static void emit_binary(Cg *cg, IrValue i, IrOp *op)
{
    /* ST(1) op ST(0), ST(0) op ST(1) (both popping), ST(0) op ST(0). */
    static const uint8_t code[4][3] = {
        { 0xc1, 0xc1, 0xc0 },                   /* FADD */
        { 0xe9, 0xe1, 0xe0 },                   /* FSUB: FSUBP, FSUBRP */
        { 0xc9, 0xc9, 0xc8 },                   /* FMUL */
        { 0xf9, 0xf1, 0xf0 },                   /* FDIV: FDIVP, FDIVRP */
    };
    const uint8_t *c = code[op->opcode - IR_FADD];
    Asm *a = &cg->a;
    IrValue x = op->arg[0], y = op->arg[1];

    if (type_of(cg, x) != IR_F80) {
        emit_narrow(cg, i, op, y, x);
        return;
    } else if (type_of(cg, y) != IR_F80) {
        emit_narrow(cg, i, op, x, y);
        return;
    }
    if (x == y) {
        push(cg, x);
        fp2(a, 0xd8, c[2]);
    } else if (cg->x87_top == y) {
        push(cg, y);
        fld80(a, place(cg, x));
        fp2(a, 0xde, c[1]);                     /* x is ST(0), y ST(1) */
    } else {
        push(cg, x);
        fld80(a, place(cg, y));
        fp2(a, 0xde, c[0]);
    }
    result(cg, i);
}

static void emit_compare80(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    IrValue x = op->arg[0], y = op->arg[1];

    ra_fixed(cg, R_RAX);
    if (type_of(cg, y) != IR_F80) {
        Mem m = mem_b(R_RSP, FR_BUF);

        cg_store(cg, type_of(cg, y), ra_use(cg, y), m);
        push(cg, x);
        x_rm(a, type_of(cg, y) == IR_F64 ? 0xdc : 0xd8, 3, m);  /* FCOMP */
        fp2(a, 0xdf, 0xe0);                     /* FNSTSW AX: AH has what LAHF would give */
        cg_ah_value(cg, i);
        return;
    }
    if (cg->x87_top == x && x != y) {
        push(cg, x);
        fld80(a, place(cg, y));
        fp2(a, 0xd9, 0xc9);                     /* FXCH */
    } else {
        push(cg, y);
        if (x == y) {
            fp2(a, 0xd9, 0xc0);
        } else {
            fld80(a, place(cg, x));
        }
    }
    x_flags_lost(a);
    fp2(a, 0xdf, op->cond ? 0xf1 : 0xe9);       /* FCOMIP, FUCOMIP ST(1) */
    fp2(a, 0xdd, 0xd8);
    cg_flags_value(cg, i);
}

static void emit_to80(Cg *cg, IrValue i, IrOp *op, IrType from)
{
    Asm *a = &cg->a;
    Mem m = mem_b(R_RSP, FR_BUF);
    int s;

    switch (from) {
    case IR_F80:
        push(cg, op->arg[0]);
        result(cg, i);
        return;
    case IR_I8:
    case IR_I16:
    case IR_I32: {
        s = ra_use(cg, op->arg[0]);
        int t = s;
        if (from != IR_I32) {
            t = ra_scratch(cg);
            x_movsx(a, type_bytes(from), false, t, s);
        }
        x_st(a, 4, t, m);
        break;
    }
    default:
        cg_store(cg, from, ra_use(cg, op->arg[0]), m);
        break;
    }
    drop(cg, cg->pos);
    switch (from) {
    case IR_F32:
        x_rm(a, 0xd9, 0, m);
        break;
    case IR_F64:
        x_rm(a, 0xdd, 0, m);
        break;
    case IR_I64:
        x_rm(a, 0xdf, 5, m);
        break;
    default:
        x_rm(a, 0xdb, 0, m);
        break;
    }
    result(cg, i);
}

static void emit_from80(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    Mem m = mem_b(R_RSP, FR_BUF);
    bool trunc = op->opcode == IR_FTOI && op->cond;

    push(cg, op->arg[0]);
    switch (op->type) {
    case IR_F32:
        x_rm(a, 0xd9, 3, m);
        break;
    case IR_F64:
        x_rm(a, 0xdd, 3, m);
        break;
    case IR_I16:
        x_rm(a, 0xdf, trunc ? 1 : 3, m);
        break;
    case IR_I32:
        x_rm(a, 0xdb, trunc ? 1 : 3, m);
        break;
    default:
        x_rm(a, trunc ? 0xdd : 0xdf, trunc ? 1 : 7, m);
        break;
    }
    cg_load(cg, op->type, ra_def(cg, i, R_NONE, 0), m);
    if (type_is_int(op->type)) {
        cg->val[i].zbits = (uint8_t)ir_type_bits(op->type);
    }
}

bool emit_x87(Cg *cg, IrValue i, IrOp *op)
{
    IrType from = op->nargs ? cg_op(cg, op->arg[0])->type : IR_VOID;
    static const uint8_t unary[] = {
        [IR_FSQRT - IR_FSQRT] = 0xfa, [IR_FNEG - IR_FSQRT] = 0xe0,
        [IR_FABS - IR_FSQRT] = 0xe1, [IR_FRINT - IR_FSQRT] = 0xfc,
    };

    switch (op->opcode) {
    case IR_FADD:
    case IR_FSUB:
    case IR_FMUL:
    case IR_FDIV:
        emit_binary(cg, i, op);
        return true;
    case IR_FSQRT:
    case IR_FNEG:
    case IR_FABS:
    case IR_FRINT:
        push(cg, op->arg[0]);
        fp2(&cg->a, 0xd9, unary[op->opcode - IR_FSQRT]);
        result(cg, i);
        return true;
    case IR_FCMP:
        emit_compare80(cg, i, op);
        return true;
    case IR_FCVT:
        if (op->type == IR_F80) {
            emit_to80(cg, i, op, from);
        } else {
            emit_from80(cg, i, op);
        }
        return true;
    case IR_FTOI:
        emit_from80(cg, i, op);
        return true;
    default:
        return false;
    }
}
