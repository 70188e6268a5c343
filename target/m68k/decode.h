/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an instruction's first word to its row in insns.def. Knows no semantics.
 */
#ifndef TARGET_M68K_DECODE_H
#define TARGET_M68K_DECODE_H

#include "util/osdep.h"

/* Addressing modes, PRM table 2-4; bit n is mode n of ea_index(). */
enum {
    EA_DN = BIT(0), EA_AN = BIT(1), EA_IND = BIT(2), EA_INC = BIT(3), EA_DEC = BIT(4),
    EA_DISP = BIT(5), EA_INDEX = BIT(6), EA_ABSW = BIT(7), EA_ABSL = BIT(8),
    EA_PCDISP = BIT(9), EA_PCINDEX = BIT(10), EA_IMM = BIT(11),

    EA_PC = EA_PCDISP | EA_PCINDEX,
    EA_CONTROL_ALT = EA_IND | EA_DISP | EA_INDEX | EA_ABSW | EA_ABSL,
    EA_CONTROL = EA_CONTROL_ALT | EA_PC,
    EA_MEM_ALT = EA_CONTROL_ALT | EA_INC | EA_DEC,
    EA_DATA_ALT = EA_MEM_ALT | EA_DN,
    EA_ALTERABLE = EA_DATA_ALT | EA_AN,
    EA_DATA = EA_DATA_ALT | EA_PC | EA_IMM,
    EA_ANY = EA_DATA | EA_AN,
};

enum { ALU_ADD, ALU_SUB, ALU_AND, ALU_OR, ALU_EOR, ALU_CMP };
enum { BIT_TST, BIT_CHG, BIT_CLR, BIT_SET };
enum { BF_TST, BF_EXTU, BF_CHG, BF_EXTS, BF_CLR, BF_FFO, BF_SET, BF_INS };

struct M68kTr;
typedef void M68kTrFn(struct M68kTr *tr);

typedef struct M68kInsn {
    M68kTrFn *fn;
    const char *pattern;
    uint16_t modes;             /* EA_* */
    uint8_t models;             /* M68K_* */
    uint8_t arg;
    const char *text;
} M68kInsn;

extern const M68kInsn m68k_insns[];
extern const unsigned m68k_num_insns;

/* 0 to 11, or 12 where there is no such mode. */
static inline unsigned ea_index(unsigned mode, unsigned reg)
{
    return mode < 7 ? mode : reg < 5 ? 7 + reg : 12;
}
/* Does the row stand for this first word? */
bool m68k_insn_matches(const M68kInsn *row, uint16_t word);
/* The row, whatever models have it; NULL: none. */
const M68kInsn *m68k_decode(uint16_t word);

#endif
