/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Constant folding and identities, applied to one operation as it is emitted.
 * Constants are kept as the second operand of commutative operations.
 */
#include "util/osdep.h"
#include "tcg/build.h"
#include "tcg/eval.h"
#include "tcg/x86flags.h"

static bool konst(const IrRegion *r, IrValue v, uint64_t *k)
{
    const IrOp *o = &r->ops[v];

    *k = o->imm;
    return o->opcode == IR_CONST;
}

uint64_t ir_maybe_bits(const IrRegion *r, IrValue v, unsigned depth)
{
    const IrOp *o = &r->ops[v];
    uint64_t mask = ir_int_mask(o->type), k;

    if (depth == 0) {
        return mask;
    }
    switch (o->opcode) {
    case IR_CONST:
        return o->imm;
    case IR_ZEXT:
        return ir_maybe_bits(r, o->arg[0], depth - 1);
    case IR_TRUNC:
        return mask & ir_maybe_bits(r, o->arg[0], depth - 1);
    case IR_AND:
        return ir_maybe_bits(r, o->arg[1], depth - 1) & ir_maybe_bits(r, o->arg[0], depth - 1);
    case IR_OR:
    case IR_XOR:
        return ir_maybe_bits(r, o->arg[1], depth - 1) | ir_maybe_bits(r, o->arg[0], depth - 1);
    case IR_SHR:
        if (konst(r, o->arg[1], &k)) {
            return ir_maybe_bits(r, o->arg[0], depth - 1) >> (k & (ir_int_bits(o->type) - 1));
        }
        return mask;
    case IR_SHL:
        if (konst(r, o->arg[1], &k)) {
            return mask & ir_maybe_bits(r, o->arg[0], depth - 1)
                              << (k & (ir_int_bits(o->type) - 1));
        }
        return mask;
    case IR_EXTRACT:
        return MASK64(0, o->imm >> 8 & 0xff);
    case IR_SETCOND:
        return 1;
    case IR_SELECT:
        return ir_maybe_bits(r, o->arg[2], depth - 1) | ir_maybe_bits(r, o->arg[3], depth - 1);
    case IR_X86FLAGS:
        return 0x8d5;
    case IR_FCMP:
        return 0x45;
    case IR_CLZ: case IR_CTZ: case IR_POPCNT:
        return 0x7f & mask;
    case IR_LD:
        return o->memop & IR_MO_SIGN || (o->memop & IR_MO_SIZE) > IR_MO_64 ? mask
                   : mask & MASK64(0, 8 * ir_mo_bytes(o->memop));
    default:
        return mask;
    }
}

static IrValue simplify_shift(IrRegion *r, IrOp *o, bool cb, uint64_t b)
{
    unsigned w = ir_int_bits(o->type);
    const IrOp *in = &r->ops[o->arg[0]];
    uint64_t k;

    if (!cb) {
        return 0;
    }
    if ((b & (w - 1)) == 0) {
        return o->arg[0];
    }
    /* Two shifts of the same kind that together stay below the width. */
    if (in->opcode == o->opcode && o->opcode != IR_ROTL && o->opcode != IR_ROTR &&
        konst(r, in->arg[1], &k) && (k & (w - 1)) + (b & (w - 1)) < w) {
        IrValue x = in->arg[0];

        o->arg[1] = ir_const(r, o->type, (k & (w - 1)) + (b & (w - 1)));
        o->arg[0] = x;
    }
    return 0;
}

/* (x op k) op b with both constant: x op (k op b). */
static void reassociate(IrRegion *r, IrOp *o, uint64_t b)
{
    const IrOp *in = &r->ops[o->arg[0]];
    uint64_t k;

    if (in->opcode == o->opcode && konst(r, in->arg[1], &k)) {
        IrValue x = in->arg[0];

        o->arg[1] = ir_const(r, o->type, ir_eval_bin(o->opcode, o->type, k, b));
        o->arg[0] = x;
    }
}

static IrValue simplify_bin(IrRegion *r, IrOp *o)
{
    IrType t = o->type;
    uint64_t a, b, ones = ir_int_mask(t);
    bool ca, cb, same = o->arg[0] == o->arg[1];

    ca = konst(r, o->arg[0], &a);
    cb = konst(r, o->arg[1], &b);
    if (ca && cb) {
        return ir_const(r, t, ir_eval_bin(o->opcode, t, a, b));
    }
    if (ca && (ir_op_info[o->opcode].flags & IR_F_COMM)) {
        IrValue v = o->arg[0];

        o->arg[0] = o->arg[1];
        o->arg[1] = v;
        b = a;
        cb = true;
        ca = false;
    }
    switch (o->opcode) {
    case IR_SUB:
        if (same) {
            return ir_const(r, t, 0);
        }
        if (!cb) {
            if (ca && a == 0) {
                o->opcode = IR_NEG;
                o->nargs = 1;
                o->arg[0] = o->arg[1];
                o->arg[1] = 0;
            }
            return 0;
        }
        o->opcode = IR_ADD;
        b = ir_zext_of(t, -b);
        o->arg[1] = ir_const(r, t, b);
        /* fall through */
    case IR_ADD:
        if (cb && b == 0) {
            return o->arg[0];
        }
        if (cb) {
            reassociate(r, o, b);
            if (konst(r, o->arg[1], &b) && b == 0) {
                return o->arg[0];
            }
        }
        return 0;
    case IR_MUL:
        if (!cb) {
            return 0;
        }
        if (b == 0) {
            return o->arg[1];
        }
        if (b == 1) {
            return o->arg[0];
        }
        if (IS_POWER_OF_2(b)) {
            o->opcode = IR_SHL;
            o->arg[1] = ir_const(r, t, __builtin_ctzll(b));
        }
        return 0;
    case IR_AND:
        if (same) {
            return o->arg[0];
        }
        if (cb) {
            uint64_t bits = ir_maybe_bits(r, o->arg[0], 3);

            if ((bits & b) == 0) {
                return ir_const(r, t, 0);
            }
            if ((bits & ~b & ones) == 0) {
                return o->arg[0];
            }
            reassociate(r, o, b);
        }
        return 0;
    case IR_OR:
        if (same || (cb && b == 0)) {
            return o->arg[0];
        }
        if (cb && b == ones) {
            return o->arg[1];
        }
        if (cb) {
            reassociate(r, o, b);
        }
        return 0;
    case IR_XOR:
        if (same) {
            return ir_const(r, t, 0);
        }
        if (cb && b == 0) {
            return o->arg[0];
        }
        if (cb) {
            reassociate(r, o, b);
        }
        return 0;
    case IR_MULHU:
        return cb && b <= 1 ? ir_const(r, t, 0) : 0;
    case IR_SHL: case IR_SHR: case IR_SAR: case IR_ROTL: case IR_ROTR:
        return simplify_shift(r, o, cb, b);
    default:
        return 0;
    }
}

static IrValue simplify_un(IrRegion *r, IrOp *o)
{
    const IrOp *in = &r->ops[o->arg[0]];
    uint64_t a;

    if (konst(r, o->arg[0], &a)) {
        return ir_const(r, o->type, ir_eval_un(o->opcode, o->type, a));
    }
    if (in->opcode == o->opcode &&
        (o->opcode == IR_NEG || o->opcode == IR_NOT || o->opcode == IR_BSWAP)) {
        return in->arg[0];
    }
    return 0;
}

/* ZEXT, SEXT and TRUNC through one another. */
static IrValue simplify_resize(IrRegion *r, IrOp *o)
{
    const IrOp *in = &r->ops[o->arg[0]];
    IrType from = in->type;
    uint64_t a;

    if (from == o->type) {
        return o->arg[0];
    }
    if (konst(r, o->arg[0], &a)) {
        return ir_const(r, o->type, o->opcode == IR_SEXT ? (uint64_t)ir_sext_of(from, a) : a);
    }
    if (o->opcode == IR_TRUNC) {
        if (in->opcode == IR_ZEXT || in->opcode == IR_SEXT) {
            IrType inner = r->ops[in->arg[0]].type;

            if (inner == o->type) {
                return in->arg[0];
            }
            if (inner < o->type) {
                o->opcode = in->opcode;
            }
            o->arg[0] = in->arg[0];
        } else if (in->opcode == IR_TRUNC) {
            o->arg[0] = in->arg[0];
        }
        return 0;
    }
    if (in->opcode == IR_ZEXT) {
        o->opcode = IR_ZEXT;        /* the sign of a zero-extended value is 0 */
        o->arg[0] = in->arg[0];
    } else if (in->opcode == IR_SEXT && o->opcode == IR_SEXT) {
        o->arg[0] = in->arg[0];
    } else if (in->opcode == IR_TRUNC && o->opcode == IR_ZEXT &&
               r->ops[in->arg[0]].type == o->type &&
               (ir_maybe_bits(r, in->arg[0], 3) & ~ir_int_mask(from)) == 0) {
        return in->arg[0];
    }
    return 0;
}

static IrValue simplify_extract(IrRegion *r, IrOp *o)
{
    unsigned pos = o->imm & 0xff, len = o->imm >> 8 & 0xff, w = ir_int_bits(o->type);
    const IrOp *in = &r->ops[o->arg[0]];
    bool is_signed = o->opcode == IR_SEXTRACT;
    uint64_t a;

    if (konst(r, o->arg[0], &a)) {
        return ir_const(r, o->type, ir_eval_extract(o->type, a, o->imm, is_signed));
    }
    if (pos == 0 && len == w) {
        return o->arg[0];
    }
    if (!is_signed && pos == 0 &&
        (ir_maybe_bits(r, o->arg[0], 3) & ~MASK64(0, len)) == 0) {
        return o->arg[0];
    }
    /* Of another extract, inside the bits that it took. */
    if (in->opcode == IR_EXTRACT && pos + len <= (in->imm >> 8 & 0xff)) {
        o->imm = (pos + (in->imm & 0xff)) | (uint64_t)len << 8;
        o->arg[0] = in->arg[0];
    }
    return 0;
}

static IrValue simplify_deposit(IrRegion *r, IrOp *o)
{
    unsigned pos = o->imm & 0xff, len = o->imm >> 8 & 0xff;
    uint64_t a, b;
    const IrOp *in = &r->ops[o->arg[1]];

    if (pos == 0 && len == ir_int_bits(o->type)) {
        return o->arg[1];
    }
    if (konst(r, o->arg[0], &a) && konst(r, o->arg[1], &b)) {
        return ir_const(r, o->type, ir_eval_deposit(o->type, a, b, o->imm));
    }
    /* The same bits written back. */
    if (in->opcode == IR_EXTRACT && in->imm == o->imm && in->arg[0] == o->arg[0]) {
        return o->arg[0];
    }
    return 0;
}

/* A 0-or-1 value's comparison behind @v, through ZEXT; NULL if it is none. */
static const IrOp *setcond_behind(const IrRegion *r, IrValue v)
{
    const IrOp *o = &r->ops[v];

    if (o->opcode == IR_ZEXT) {
        o = &r->ops[o->arg[0]];
    }
    return o->opcode == IR_SETCOND ? o : NULL;
}

/*
 * Simplify a comparison in place; *type is the operands' type. Gives 0 or 1 if it
 * is decided, else -1.
 */
static int simplify_cond(IrRegion *r, IrOp *o, IrType *type)
{
    uint64_t a, b;
    bool ca = konst(r, o->arg[0], &a), cb = konst(r, o->arg[1], &b);
    const IrOp *in;

    if (ca && cb) {
        return ir_eval_cond(o->cond, *type, a, b);
    }
    if (ca) {
        IrValue v = o->arg[0];

        o->arg[0] = o->arg[1];
        o->arg[1] = v;
        o->cond = ir_cond_swap(o->cond);
        b = a;
        cb = true;
    }
    if (o->arg[0] == o->arg[1]) {
        if (o->cond == IR_TST_Z || o->cond == IR_TST_NZ) {
            o->cond = o->cond == IR_TST_Z ? IR_EQ : IR_NE;
            o->arg[1] = ir_const(r, *type, 0);
            return -1;
        }
        return ir_eval_cond(o->cond, *type, 0, 0);
    }
    if (!cb) {
        return -1;
    }
    switch (o->cond) {
    case IR_LTU: case IR_GEU:
        if (b == 0) {
            return o->cond == IR_GEU;
        }
        break;
    case IR_TST_Z: case IR_TST_NZ:
        if ((b & ir_maybe_bits(r, o->arg[0], 3)) == 0) {
            return o->cond == IR_TST_Z;
        }
        in = setcond_behind(r, o->arg[0]);
        if (in) {               /* its bit 0, by the test above */
            o->cond = o->cond == IR_TST_NZ ? IR_NE : IR_EQ;
            b = 0;
            goto compared;
        }
        break;
    case IR_EQ: case IR_NE:
        in = setcond_behind(r, o->arg[0]);
    compared:
        if (in && b <= 1) {
            bool keep = (o->cond == IR_NE) == (b == 0);

            o->cond = keep ? in->cond : ir_cond_invert(in->cond);
            o->arg[0] = in->arg[0];
            o->arg[1] = in->arg[1];
            *type = in->imm;
            return -1;
        }
        in = &r->ops[o->arg[0]];
        if (b == 0 && in->opcode == IR_AND) {
            o->cond = o->cond == IR_EQ ? IR_TST_Z : IR_TST_NZ;
            o->arg[0] = in->arg[0];
            o->arg[1] = in->arg[1];
        } else if (b & ~ir_maybe_bits(r, o->arg[0], 3)) {
            return o->cond == IR_NE;
        } else if (in->opcode == IR_ZEXT) {
            IrType narrow = r->ops[in->arg[0]].type;

            o->arg[0] = in->arg[0];
            o->arg[1] = ir_const(r, narrow, b);
            *type = narrow;
        }
        break;
    default:
        break;
    }
    return -1;
}

IrValue ir_simplify(IrRegion *r, IrOp *o, bool *vanished)
{
    uint64_t a, b, c;
    const IrOp *in;
    IrType t;
    int known;

    switch (o->opcode) {
    case IR_ADD: case IR_SUB: case IR_MUL: case IR_MULHU: case IR_MULHS:
    case IR_AND: case IR_OR: case IR_XOR:
    case IR_SHL: case IR_SHR: case IR_SAR: case IR_ROTL: case IR_ROTR:
        return simplify_bin(r, o);
    case IR_NEG: case IR_NOT: case IR_CLZ: case IR_CTZ: case IR_POPCNT: case IR_BSWAP:
        return simplify_un(r, o);
    case IR_ZEXT: case IR_SEXT: case IR_TRUNC:
        return simplify_resize(r, o);
    case IR_EXTRACT: case IR_SEXTRACT:
        return simplify_extract(r, o);
    case IR_DEPOSIT:
        return simplify_deposit(r, o);
    case IR_SETCOND:
        t = o->imm;
        known = simplify_cond(r, o, &t);
        o->imm = t;
        if (known >= 0) {
            return ir_const(r, IR_I8, known);
        }
        return 0;
    case IR_SELECT:
        if (o->arg[2] == o->arg[3]) {
            return o->arg[2];
        }
        t = o->imm;
        known = simplify_cond(r, o, &t);
        o->imm = t;
        return known < 0 ? 0 : known ? o->arg[2] : o->arg[3];
    case IR_BRCOND:
        t = o->type;
        known = simplify_cond(r, o, &t);
        o->type = t;
        if (known == 0) {
            *vanished = true;
        } else if (known > 0) {
            /* The optimiser makes a jump of it; here the block goes on. */
            o->type = IR_I8;
            o->cond = IR_EQ;
            o->arg[0] = o->arg[1] = ir_const(r, IR_I8, 0);
        }
        return 0;
    case IR_X86FLAGS:
        b = c = 0;
        if (konst(r, o->arg[0], &a) && (!o->arg[1] || konst(r, o->arg[1], &b)) &&
            (!o->arg[2] || konst(r, o->arg[2], &c))) {
            return ir_const(r, IR_I32, x86flags(o->cond, ir_int_bits(o->imm), a, b, c));
        }
        return 0;
    case IR_FBITS:
        in = &r->ops[o->arg[0]];
        if (in->type == o->type) {
            return o->arg[0];
        }
        if (in->opcode == IR_CONST) {
            return ir_const(r, o->type, in->imm);
        }
        return in->opcode == IR_FBITS ? in->arg[0] : 0;
    case IR_FNEG:
        in = &r->ops[o->arg[0]];
        return in->opcode == IR_FNEG ? in->arg[0] : 0;
    default:
        return 0;
    }
}
