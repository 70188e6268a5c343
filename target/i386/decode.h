/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding of x86 instructions. The rows in insns-*.def read like the opcode
 * lines of the SDM; decoding knows no semantics, translation tests no raw bits.
 *
 * A row is { "opcode", "MNEMONIC operands", flags }:
 *   opcode:  hex bytes (map and opcode), before them a mandatory prefix (NP none,
 *            66, F3, F2), after them
 *              /r      ModRM follows (implied by operands that need it)
 *              /0../7  ModRM with this reg field
 *              F8      ModRM is this byte (only after an opcode)
 *              C0+i    ModRM is C0 to C7 (x87)
 *            VEX before all of it: encoded with a VEX prefix, whose pp field is the
 *            mandatory prefix.
 *            50+r: eight opcodes with a register; 70+c: sixteen with a condition.
 *   operands: letters of SDM vol. 2 appendix A.2, size letters after them:
 *              E general register or memory, G general register (reg field),
 *              R general register (rm, must be one), M memory, Z register in the opcode,
 *              K general register in rm whatever mod says (MOV CR/DR),
 *              B general register in VEX.vvvv,
 *              I immediate (sign-extended), J relative jump, A far pointer,
 *              O memory at an address in the code, S segment register,
 *              C, D control and debug registers, X DS:rSI, Y ES:rDI,
 *              V, W, U XMM register (reg), XMM or memory, XMM (rm),
 *              H, L XMM register in VEX.vvvv, in the last byte's upper half,
 *              P, Q, N the same as V, W, U for MMX; T: x87 stack element of the ModRM byte
 *              AL CL DX AX rAX 1 ES CS SS DS FS GS ST0: that
 *            b 1, w 2, d 4, q 8, x 16 bytes (32 with VEX.L), o 16, u 32, h f e a half, a
 *            fourth, an eighth of x, t 10 bytes; v operand size, z the same but at most
 *            4, y 8 with REX.W, else 4 (in 32-bit code 4); p far pointer (operand size + 2),
 *            s table register image, a two of the operand size, none: no size
 *            (LEA, INVLPG, FXSAVE ...); two letters "Udq" don't exist: one letter after each.
 * Rows of the same opcode are told apart by prefix, reg field, mod and mode. A row with
 * a mandatory prefix wins over one without.
 */
#ifndef TARGET_I386_DECODE_H
#define TARGET_I386_DECODE_H

#include "util/osdep.h"

/* Flags of a row. */
enum {
    XI_LOCK   = 1 << 0,     /* LOCK is allowed when operand 0 is memory */
    XI_I64    = 1 << 1,     /* invalid in 64-bit mode */
    XI_O64    = 1 << 2,     /* only in 64-bit mode */
    XI_D64    = 1 << 3,     /* operand size in 64-bit mode: 8, or 2 with 66 */
    XI_F64    = 1 << 4,     /* operand size in 64-bit mode: always 8 */
    XI_W1     = 1 << 5,     /* only with REX.W */
    XI_W0     = 1 << 6,     /* only without */
    XI_PM     = 1 << 7,     /* #UD in real and virtual-8086 mode */
    XI_CPL0   = 1 << 8,     /* #GP(0) outside CPL 0 */
    XI_REP    = 1 << 9,     /* F2/F3 are repeat prefixes */
    XI_16     = 1 << 10,    /* only with operand size 16, */
    XI_32     = 1 << 11,    /* only with 32, */
    XI_64     = 1 << 12,    /* only with 64 (mnemonics that differ) */
    XI_L0     = 1 << 13,    /* only with VEX.L clear, */
    XI_L1     = 1 << 14,    /* only with it set */
    XI_Y2     = 1 << 15,    /* with VEX.L set it needs AVX2, else AVX */
    XI_FEAT_SHIFT = 16,     /* XF_* << XI_FEAT_SHIFT: CPUID bit it needs (8 bits) */
    XI_VSIB   = 1 << 24,    /* the memory operand's index is an XMM register */
};
/* CPUID features that rows ask for (x86_insn_has maps them to bits). */
enum {
    XF_NONE, XF_CX8, XF_CX16, XF_CMOV, XF_MMX, XF_SSE, XF_SSE2, XF_SSE3, XF_SSSE3,
    XF_SSE41, XF_SSE42, XF_SSE4A, XF_AES, XF_PCLMUL, XF_SHA, XF_POPCNT, XF_LZCNT, XF_BMI1, XF_BMI2,
    XF_MOVBE, XF_ADX, XF_RDRAND, XF_RDSEED, XF_FXSR, XF_XSAVE, XF_XSAVEOPT, XF_XSAVEC, XF_XSAVES,
    XF_TSC, XF_RDTSCP, XF_MSR, XF_SEP, XF_SYSCALL, XF_LM, XF_LAHF, XF_FSGSBASE, XF_MONITOR,
    XF_CLFLUSH, XF_CLFLUSHOPT, XF_CLWB, XF_INVPCID, XF_RDPID, XF_SMAP, XF_SVM, XF_3DNOWPREFETCH,
    XF_FPU, XF_PKU, XF_AVX, XF_AVX2, XF_FMA, XF_F16C, XF_CLZERO, XF_NUM
};

typedef struct X86Row {
    const char *opcode, *text;
    uint32_t flags;
} X86Row;

typedef enum X86OpKind {
    XO_NONE,
    XO_REG,         /* reg: 0..15; high: AH CH DH BH (reg 0..3) */
    XO_MEM,
    XO_IMM,
    XO_REL,         /* imm: displacement from the next instruction */
    XO_FAR,         /* imm: offset, X86Insn.sel */
    XO_SEG, XO_CR, XO_DR,
    XO_XMM, XO_MMX, XO_ST,
    XO_STR_SRC, XO_STR_DST,     /* [rSI], ES:[rDI] */
} X86OpKind;

typedef struct X86Operand {
    uint8_t kind;               /* X86OpKind */
    uint8_t size;               /* bytes; 0 if it has none */
    uint8_t reg;
    bool high;
    uint8_t at, enc;            /* IMM, REL: where in the instruction, how many bytes */
    int64_t imm;
} X86Operand;

enum { XR_NONE = 0, XR_REPNE = 0xf2, XR_REP = 0xf3 };
#define XM_NO_REG   0xff
#define XM_RIP      0xfe
#define X86_MAX_OPERANDS 4

struct X86Tr;
struct X86Insn;
typedef void X86TrFn(struct X86Tr *tr, const struct X86Insn *i);


typedef struct X86Insn {
    const X86Row *row;
    const char *mnemonic;       /* of the row: "ADD" */
    X86TrFn *fn;                /* its translator, NULL: none registered */
    int arg;                    /* as registered with it */
    uint32_t flags;             /* XI_* */
    uint8_t len;
    uint8_t opsize, adsize;     /* 2, 4, 8 */
    uint8_t rep;                /* XR_*: the last F2/F3, also where it is no repeat */
    bool lock, has_66, rex_w;   /* rex_w: VEX.W too */
    bool vex, vex_l;
    bool has_h;                 /* operand 1 is H: a first source apart from the destination */
    uint8_t vex_v;              /* VEX.vvvv, as it was before its inversion */
    uint8_t cond;               /* of 70+c rows: 0..15 */
    uint8_t n_ops;
    X86Operand op[X86_MAX_OPERANDS];
    /* The memory operand, if one is XO_MEM. */
    uint8_t base, index, scale; /* XM_*; scale 0..3 */
    int8_t seg_override;        /* S_*, or -1 */
    uint8_t seg;                /* effective: S_* */
    int64_t disp;
    uint8_t disp_at, disp_enc;  /* as for immediates; 0 bytes: none */
    uint16_t sel;               /* far pointer's selector */
    uint8_t modrm;              /* for x87's last-opcode register and listings */
    uint8_t opcode;
    uint8_t raw;                /* x86_decode_old: the opcode byte as it lies in memory */
} X86Insn;

typedef enum X86DecodeResult {
    XD_OK,
    XD_UD,                      /* no such instruction, or LOCK not allowed */
    XD_TOO_LONG,                /* more than 15 bytes: #GP(0) */
    XD_NO_BYTES,                /* the reader gave none */
} X86DecodeResult;

/* Gives the byte at @pos from the instruction's start; false: not available. */
typedef bool X86ReadByte(void *opaque, unsigned pos, uint8_t *b);

/* @bits: 16, 32 or 64, of the code segment. On XD_UD, @i->len is what was read. */
X86DecodeResult x86_decode(X86Insn *i, unsigned bits, X86ReadByte *rd, void *opaque);

/* Processors that decode otherwise. */
typedef enum X86Gen { X86_LATER, X86_8086, X86_286, X86_386 } X86Gen;
/* @fpu: has a coprocessor. */
X86DecodeResult x86_decode_old(X86Insn *i, X86Gen gen, bool fpu, unsigned bits, X86ReadByte *rd,
                               void *opaque);

/* Translators of mnemonics. A table ends with a NULL mnemonic. */
typedef struct X86Handler {
    const char *mnemonic;
    X86TrFn *fn;
    int arg;
} X86Handler;
void x86_register_handlers(const X86Handler *table);
#define X86_HANDLERS(table) \
    CONSTRUCTOR static void table##_register(void) { x86_register_handlers(table); }

/* For tests: rows that overlap, bad rows, handlers of no row. Number of mistakes;
 * texts to @f. */
unsigned x86_decode_check(FILE *f);
/* Row @n with its mnemonic and whether it has a handler; NULL after the last. */
const X86Row *x86_decode_row(unsigned n, const char **mnemonic, bool *handled);

#endif
