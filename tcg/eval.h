/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the integer operations compute: for constant folding and the interpreter.
 * Values are kept zero-extended from their type's width.
 */
#ifndef TCG_EVAL_H
#define TCG_EVAL_H

#include "tcg/ir.h"
#include "util/host-utils.h"

/* I8 to I64, and the bit patterns of F32 and F64. */
static inline unsigned ir_int_bits(IrType t)
{
    return t <= IR_I64 ? 4u << t : t == IR_F32 ? 32 : 64;
}

static inline uint64_t ir_int_mask(IrType t)
{
    return UINT64_MAX >> (64 - ir_int_bits(t));
}

static inline uint64_t ir_zext_of(IrType t, uint64_t v)
{
    return v & ir_int_mask(t);
}

static inline int64_t ir_sext_of(IrType t, uint64_t v)
{
    unsigned n = 64 - ir_int_bits(t);

    return (int64_t)(v << n) >> n;
}

static inline bool ir_type_is_int(IrType t)
{
    return t >= IR_I8 && t <= IR_I64;
}

static inline bool ir_eval_cond(IrCond c, IrType t, uint64_t a, uint64_t b)
{
    uint64_t ua = ir_zext_of(t, a), ub = ir_zext_of(t, b);
    int64_t sa = ir_sext_of(t, a), sb = ir_sext_of(t, b);

    switch (c) {
    case IR_EQ:
        return ua == ub;
    case IR_NE:
        return ua != ub;
    case IR_LT:
        return sa < sb;
    case IR_GE:
        return sa >= sb;
    case IR_LE:
        return sa <= sb;
    case IR_GT:
        return sa > sb;
    case IR_LTU:
        return ua < ub;
    case IR_GEU:
        return ua >= ub;
    case IR_LEU:
        return ua <= ub;
    case IR_GTU:
        return ua > ub;
    case IR_TST_Z:
        return (ua & ub) == 0;
    default:
        return (ua & ub) != 0;
    }
}

/* IR_ADD to IR_ROTR. */
static inline uint64_t ir_eval_bin(IrOpcode op, IrType t, uint64_t a, uint64_t b)
{
    unsigned w = ir_int_bits(t), n = b & (w - 1);
    uint64_t ua = ir_zext_of(t, a), ub = ir_zext_of(t, b), v, low;

    switch (op) {
    case IR_ADD:
        v = a + b;
        break;
    case IR_SUB:
        v = a - b;
        break;
    case IR_MUL:
        v = a * b;
        break;
    case IR_MULHU:
        if (w < 64) {
            v = ua * ub >> w;
        } else {
            mulu64(&low, &v, ua, ub);
        }
        break;
    case IR_MULHS:
        if (w < 64) {
            v = (uint64_t)(ir_sext_of(t, a) * ir_sext_of(t, b) >> w);
        } else {
            muls64(&low, &v, (int64_t)a, (int64_t)b);
        }
        break;
    case IR_AND:
        v = a & b;
        break;
    case IR_OR:
        v = a | b;
        break;
    case IR_XOR:
        v = a ^ b;
        break;
    case IR_SHL:
        v = a << n;
        break;
    case IR_SHR:
        v = ua >> n;
        break;
    case IR_SAR:
        v = ir_sext_of(t, a) >> n;
        break;
    case IR_ROTL:
        v = n ? ua << n | ua >> (w - n) : ua;
        break;
    case IR_ROTR:
        v = n ? ua >> n | ua << (w - n) : ua;
        break;
    default:
        v = 0;
        break;
    }
    return ir_zext_of(t, v);
}

/* IR_NEG to IR_BSWAP. */
static inline uint64_t ir_eval_un(IrOpcode op, IrType t, uint64_t a)
{
    unsigned w = ir_int_bits(t);
    uint64_t ua = ir_zext_of(t, a), v;

    switch (op) {
    case IR_NEG:
        v = -a;
        break;
    case IR_NOT:
        v = ~a;
        break;
    case IR_CLZ:
        v = ua ? (unsigned)__builtin_clzll(ua) - (64 - w) : w;
        break;
    case IR_CTZ:
        v = ua ? (unsigned)__builtin_ctzll(ua) : w;
        break;
    case IR_POPCNT:
        v = __builtin_popcountll(ua);
        break;
    case IR_BSWAP:
        v = __builtin_bswap64(ua) >> (64 - w);
        break;
    default:
        v = 0;
        break;
    }
    return ir_zext_of(t, v);
}

static inline uint64_t ir_eval_extract(IrType t, uint64_t a, uint64_t imm, bool is_signed)
{
    unsigned pos = imm & 0xff, len = imm >> 8 & 0xff;
    uint64_t v = a << (64 - pos - len);

    v = is_signed ? (uint64_t)((int64_t)v >> (64 - len)) : v >> (64 - len);
    return ir_zext_of(t, v);
}

static inline uint64_t ir_eval_deposit(IrType t, uint64_t base, uint64_t v, uint64_t imm)
{
    unsigned pos = imm & 0xff, len = imm >> 8 & 0xff;
    uint64_t mask = MASK64(pos, len);

    return ir_zext_of(t, (base & ~mask) | (v << pos & mask));
}

#endif
