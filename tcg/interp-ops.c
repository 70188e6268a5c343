/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interpreter's integer operations and variables. */
#include "util/osdep.h"
#include "tcg/eval.h"
#include "tcg/interp.h"
#include "tcg/x86flags.h"
#include "util/uint128.h"

void interp_get_home(const void *home, IrType t, InterpValue *d)
{
    uint8_t b;
    uint16_t w;
    uint32_t l;

    switch (t) {
    case IR_I8:
        memcpy(&b, home, 1);
        d->i = b;
        break;
    case IR_I16:
        memcpy(&w, home, 2);
        d->i = w;
        break;
    case IR_I32: case IR_F32:
        memcpy(&l, home, 4);
        d->i = l;
        break;
    case IR_I64: case IR_F64:
        memcpy(&d->i, home, 8);
        break;
    case IR_F80:
        memcpy(&d->x.m, home, 8);
        memcpy(&d->x.se, (const char *)home + 8, 2);
        break;
    default:
        memcpy(d->b, home, ir_type_bits(t) / 8);
        break;
    }
}

void interp_put_home(void *home, IrType t, const InterpValue *v)
{
    uint8_t b = v->i;
    uint16_t w = v->i;
    uint32_t l = v->i;

    switch (t) {
    case IR_I8:
        memcpy(home, &b, 1);
        break;
    case IR_I16:
        memcpy(home, &w, 2);
        break;
    case IR_I32: case IR_F32:
        memcpy(home, &l, 4);
        break;
    case IR_I64: case IR_F64:
        memcpy(home, &v->i, 8);
        break;
    case IR_F80:
        memcpy(home, &v->x.m, 8);
        memcpy((char *)home + 8, &v->x.se, 2);
        break;
    default:
        memcpy(home, v->b, ir_type_bits(t) / 8);
        break;
    }
}

/* (hi:lo) / divisor. The front end has excluded overflow; what it would give is 0. */
static void divide(const IrOp *o, uint64_t hi, uint64_t lo, uint64_t divisor, InterpValue *d)
{
    unsigned w = ir_int_bits(o->type);
    bool by_negative, negative;
    U128 n = u128_or(u128_shl(u128(0, hi), w), u128(0, lo));
    uint64_t q, rest;

    d->i = d->second = 0;
    if (divisor == 0) {
        return;
    }
    if (o->opcode == IR_DIVU2) {
        q = u128_lo(u128_div(n, divisor, &rest));
    } else {
        by_negative = ir_sext_of(o->type, divisor) < 0;
        negative = ir_sext_of(o->type, hi) < 0;
        divisor = (uint64_t)ir_sext_of(o->type, divisor);
        if (negative) {             /* as 128 bits */
            n = w < 64 ? u128_or(n, u128_shl(u128(UINT64_MAX, UINT64_MAX), 2 * w)) : n;
        }
        q = u128_lo(u128_div(negative ? u128_neg(n) : n, by_negative ? -divisor : divisor, &rest));
        q = negative != by_negative ? -q : q;
        rest = negative ? -rest : rest;
    }
    d->i = ir_zext_of(o->type, q);
    d->second = ir_zext_of(o->type, rest);
}

void interp_pure_op(InterpFrame *f, const IrOp *o, InterpValue *d)
{
    const InterpValue *val = f->val;
    IrType t = o->type;
#define A(n) (val[o->arg[n]].i)

    switch (o->opcode) {
    case IR_CONST:
        d->i = o->imm;
        break;
    case IR_VCONST:
        for (unsigned i = 0; i < 8; i++) {
            d->b[i] = o->imm >> 8 * i;
            d->b[8 + i] = ((uint64_t)o->arg[1] << 32 | o->arg[0]) >> 8 * i;
        }
        break;
    case IR_ADD: case IR_SUB: case IR_MUL: case IR_MULHU: case IR_MULHS:
    case IR_AND: case IR_OR: case IR_XOR:
    case IR_SHL: case IR_SHR: case IR_SAR: case IR_ROTL: case IR_ROTR:
        d->i = ir_eval_bin(o->opcode, t, A(0), A(1));
        break;
    case IR_NEG: case IR_NOT: case IR_CLZ: case IR_CTZ: case IR_POPCNT: case IR_BSWAP:
        d->i = ir_eval_un(o->opcode, t, A(0));
        break;
    case IR_ZEXT:
        d->i = A(0);
        break;
    case IR_SEXT:
        d->i = ir_zext_of(t, ir_sext_of(f->region->ir->ops[o->arg[0]].type, A(0)));
        break;
    case IR_TRUNC:
        d->i = ir_zext_of(t, A(0));
        break;
    case IR_EXTRACT:
        d->i = ir_eval_extract(t, A(0), o->imm, false);
        break;
    case IR_SEXTRACT:
        d->i = ir_eval_extract(t, A(0), o->imm, true);
        break;
    case IR_DEPOSIT:
        d->i = ir_eval_deposit(t, A(0), A(1), o->imm);
        break;
    case IR_SETCOND:
        d->i = ir_eval_cond(o->cond, o->imm, A(0), A(1));
        break;
    case IR_SELECT:
        *d = val[ir_eval_cond(o->cond, o->imm, A(0), A(1)) ? o->arg[2] : o->arg[3]];
        break;
    case IR_X86FLAGS:
        d->i = x86flags(o->cond, ir_int_bits(o->imm), A(0), o->arg[1] ? A(1) : 0,
                        o->arg[2] ? A(2) : 0);
        break;
    case IR_DIVU2: case IR_DIVS2:
        divide(o, A(0), A(1), A(2), d);
        break;
    case IR_SECOND:
        d->i = val[o->arg[0]].second;
        break;
    default:
        interp_fp_op(f, o, d);
        break;
    }
#undef A
}
