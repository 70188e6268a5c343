/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reference for IR_X86FLAGS: EFLAGS of x86 arithmetic from its operands (Intel SDM
 * vol. 1, 3.4.3.1 and the instructions' pages in vol. 2). What the manuals leave
 * undefined is as AMD family 17h and later give it: AF is 1 after shifts and 0
 * after logic; OF after a shift by more than one is that of its last step.
 */
#ifndef TCG_X86FLAGS_H
#define TCG_X86FLAGS_H

#include "tcg/ir.h"

enum {
    IR_FL_CF = 1, IR_FL_PF = 4, IR_FL_AF = 16, IR_FL_ZF = 64, IR_FL_SF = 128,
    IR_FL_OF = 2048,
};

/* PF looks at the low byte only: set for an even number of ones. */
static inline uint32_t x86flags_szp(unsigned width, uint64_t result)
{
    uint64_t v = width == 64 ? result : result & (((uint64_t)1 << width) - 1);
    uint32_t f = __builtin_parity(v & 0xff) ? 0 : IR_FL_PF;

    if (v == 0) {
        f |= IR_FL_ZF;
    }
    if (v >> (width - 1)) {
        f |= IR_FL_SF;
    }
    return f;
}

/* The carries out of each bit place of a + b + c, or the borrows of a - b - c. */
static inline uint32_t x86flags_carries(unsigned width, uint64_t carries)
{
    uint32_t f = 0;

    if (carries >> (width - 1) & 1) {
        f |= IR_FL_CF;
    }
    if (carries >> 3 & 1) {
        f |= IR_FL_AF;
    }
    if ((carries >> (width - 1) ^ carries >> (width - 2)) & 1) {
        f |= IR_FL_OF;
    }
    return f;
}

static inline uint32_t x86flags_shift(IrX86Flags kind, unsigned width, uint64_t a,
                                      unsigned count)
{
    uint64_t mask = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    uint64_t last, result;          /* before and after the last step */
    int64_t s = (int64_t)(a << (64 - width)) >> (64 - width);
    uint32_t f = IR_FL_AF;

    count &= width == 64 ? 63 : 31;
    if (count == 0) {
        count = 1;                  /* the front end never asks */
    }
    switch (kind) {
    case IR_XF_SHL:
        last = a << (count - 1) & mask;
        result = last << 1 & mask;
        f |= last >> (width - 1) & 1 ? IR_FL_CF : 0;
        f |= (last ^ result) >> (width - 1) & 1 ? IR_FL_OF : 0;
        break;
    case IR_XF_SHR:
        last = (a & mask) >> (count - 1);
        result = last >> 1;
        f |= last & 1 ? IR_FL_CF : 0;
        f |= last >> (width - 1) & 1 ? IR_FL_OF : 0;
        break;
    default:
        last = s >> (count - 1);
        result = (int64_t)last >> 1;
        f |= last & 1 ? IR_FL_CF : 0;
        break;
    }
    return f | x86flags_szp(width, result);
}

/* @width: 8, 16, 32 or 64; operands as IrX86Flags says, upper bits ignored. */
static inline uint32_t x86flags(IrX86Flags kind, unsigned width, uint64_t a, uint64_t b,
                                uint64_t c)
{
    uint64_t result;

    switch (kind) {
    case IR_XF_ADD:
        c = 0;
        /* fall through */
    case IR_XF_ADC:
        result = a + b + (c & 1);
        return x86flags_szp(width, result) |
               x86flags_carries(width, (a & b) | ((a | b) & ~result));
    case IR_XF_SUB:
        c = 0;
        /* fall through */
    case IR_XF_SBB:
        result = a - b - (c & 1);
        return x86flags_szp(width, result) |
               x86flags_carries(width, (~a & b) | ((~a | b) & result));
    case IR_XF_INC:
        return (x86flags(IR_XF_ADD, width, a, 1, 0) & ~IR_FL_CF) | (c & 1);
    case IR_XF_DEC:
        return (x86flags(IR_XF_SUB, width, a, 1, 0) & ~IR_FL_CF) | (c & 1);
    case IR_XF_SHL:
    case IR_XF_SHR:
    case IR_XF_SAR:
        return x86flags_shift(kind, width, a, b);
    default:
        return x86flags_szp(width, a);
    }
}

#endif
