/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a 68000-family CPU, and what its files share.
 *
 * Sources: M68000 Family Programmer's Reference Manual ("PRM"), MC68020, MC68030 and MC68040
 * User's Manuals ("020UM", "030UM", "040UM"), MC68881/882 User's Manual ("881UM").
 *
 * d[] and a[] are 64 bits wide in the state, the upper half always zero, so that an address
 * register is an address without further ado. a[7] is the active stack pointer; the others
 * wait in usp, isp, msp, and are exchanged when S or M changes (m68k_set_sr).
 *
 * Condition codes are lazy: cc_op tells how N, Z, V, C follow from cc_a and cc_b, x_op likewise
 * how X does. Both are written together by arithmetic; moves and compares leave x_* alone.
 *
 * Belongs to the vCPU's thread; others set ipl only.
 */
#ifndef TARGET_M68K_STATE_H
#define TARGET_M68K_STATE_H

#include "accel/tcg/target-ops.h"
#include "tcg/fpenv.h"

/* Status register (PRM 1.3.2). */
enum {
    CCR_C = 1, CCR_V = 2, CCR_Z = 4, CCR_N = 8, CCR_X = 16, CCR_ALL = 31,
    SR_IPL = 0x0700, SR_IPL_SHIFT = 8, SR_M = 0x1000, SR_S = 0x2000, SR_T0 = 0x4000,
    SR_T1 = 0x8000, SR_SYSTEM = 0xf700,
};

/* How the codes follow: kind << 2 | log2 of the operand's bytes. Operands are zero-extended
 * values of that size, except where said. */
enum {
    CC_FLAGS,           /* a: N Z V C at their places in the CCR */
    CC_ADD,             /* a: result, b: one operand */
    CC_SUB,             /* a: result, b: subtrahend */
    CC_CMP,             /* a: minuend, b: subtrahend */
    CC_LOGIC,           /* a: result; V = C = 0 */
    CC_SHIFT,           /* a: result, b: C (0 or 1); V = 0 */
    CC_ROTL, CC_ROTR,   /* a: result, b: count modulo 64; C is the bit that went round last, 0 for a count of 0; V = 0 */
    CC_KINDS
};
/* x_op: CC_FLAGS: x_a is X (0 or 1); CC_ADD, CC_SUB: the carry, the borrow of x_a, x_b. */
#define CC_OP(kind, size)   ((uint32_t)(kind) << 2 | (size))

/* Exception vectors (PRM table B-1). */
enum {
    EXCP_NONE = -1,
    EXCP_RESET = 0, EXCP_ACCESS = 2, EXCP_ADDRESS = 3, EXCP_ILLEGAL = 4, EXCP_DIV0 = 5,
    EXCP_CHK = 6, EXCP_TRAPCC = 7, EXCP_PRIVILEGE = 8, EXCP_TRACE = 9, EXCP_LINE_A = 10,
    EXCP_LINE_F = 11, EXCP_FORMAT = 14, EXCP_UNINIT = 15, EXCP_SPURIOUS = 24, EXCP_AUTOVECTOR = 24,
    EXCP_TRAP = 32, EXCP_FP_BSUN = 48, EXCP_FP_INEX, EXCP_FP_DZ, EXCP_FP_UNFL, EXCP_FP_OPERR,
    EXCP_FP_OVFL, EXCP_FP_SNAN, EXCP_FP_UNIMP, EXCP_MMU_CONFIG,
    EXCP_FP_UNIMP_EA = 60, EXCP_UNIMP_INT,
};

/* What a model has. */
enum {
    M68K_000 = BIT(0), M68K_010 = BIT(1), M68K_020 = BIT(2), M68K_030 = BIT(3), M68K_040 = BIT(4),
    M68K_060 = BIT(5),
    M68K_MMU = BIT(6), M68K_FPU = BIT(7),
    M68K_ALL = 0x3f, M68K_010UP = 0x3e, M68K_020UP = 0x3c,
    M68K_ONLY020 = M68K_020, M68K_040UP = 0x30,
};
typedef struct M68kModel {
    const char *name, *desc;
    uint8_t number;             /* in the mode word, from 1 */
    uint32_t features;
} M68kModel;
extern const M68kModel m68k_models[];
extern const unsigned m68k_num_models;

/*
 * Guest state that generated code knows as variables. The registers that compiled code uses most come first: they
 * are kept in the host's (what a call may change, the stack pointer, then from the lowest up).
 */
enum {
    G_D0, G_D1, G_D2, G_D3, G_A0, G_A7, G_D4, G_D5, G_A1, G_A2, G_D6, G_D7, G_A3, G_A6, G_A4, G_A5, G_CC_OP, G_CC_A, G_CC_B, G_X_OP, G_X_A, G_X_B, G_PC_BIAS,
    G_FD0, G_FD7 = G_FD0 + 7, G_FL_A, G_FL_B, G_FL_CMD, G_FPIAR, G_NUM      /* fp-double.h */
};

/* Mode word: what a translation assumes. */
enum {
    MW_S = BIT(0), MW_TRACE = BIT(1), MW_FPSP_HOST = BIT(2),
    MW_MODEL_SHIFT = 4, MW_MODEL = 0xf0,
    MW_SFC_S = BIT(8), MW_DFC_S = BIT(9),   /* MOVES reads, writes the supervisor's space */
    MW_M68K = 0x68000000,       /* no mode of another architecture looks so */
};

/* MMU modes of data accesses. */
enum { M68K_MMU_USER, M68K_MMU_SUPER, M68K_MMU_NUM };

/* Snapshot's word: what the access being made is (040UM chapter 8, 030UM chapter 8), with the
 * instruction's first word. */
enum {
    AUX_SIZE = 3,               /* log2 of bytes; 3: more than four */
    AUX_LOCKED = BIT(2), AUX_MOVEM = BIT(3), AUX_PREDEC = BIT(4), AUX_OPCODE_SHIFT = 16,
    /* 68000: words from the instruction to where its prefetch stands; the access is one of a program. */
    AUX_PC_SHIFT = 5, AUX_PC = 0x1e0, AUX_PROGRAM = BIT(9),
    AUX_LOW_FIRST = BIT(10),    /* of a long word's halves */
};

typedef struct M68kState {
    TcgEnv tcg;                 /* first */
    uint64_t d[8], a[8];
    uint32_t cc_op, cc_a, cc_b, x_op, x_a, x_b;
    uint32_t usp, isp, msp;     /* those that aren't active */
    uint16_t sr;                /* SR_SYSTEM bits */
    uint32_t features;
    uint8_t model;              /* M68kModel.number */
    bool fpsp_host;

    /* Control registers (MOVEC). */
    uint32_t vbr, cacr, caar;
    uint8_t sfc, dfc;
    uint32_t buscr, pcr;        /* 68060 */
    /* MMU: 68040 and 68060; the 68030's as it names them. */
    uint32_t tc, urp, srp, itt[2], dtt[2], mmusr;
    uint64_t crp64, srp64;      /* 030: root pointers, limit and type in the upper half */
    uint32_t tt[2];             /* 030 */

    /* FPU. */
    F80 fp[8];
    uint32_t fpcr, fpsr, fpiar;
    uint64_t fpd[8], fl_a, fl_b;        /* fp-double.h: bits of doubles */
    uint32_t fl_cmd;
    uint8_t fptag[8];
    bool fp_fast;
    uint8_t fp_pending;         /* vector of an enabled exception that waits; 0: none */
    uint32_t fp_out;            /* upper long word of what FMOVE stores */
    bool fp_null;               /* no FPU instruction since reset or FRESTORE of a null frame */
    /* An unimplemented or unsupported instruction's frame for FSAVE (040UM 9.8). */
    struct M68kFpFrame {
        uint8_t kind;           /* 0: idle, 1: unimplemented, 2: busy */
        uint16_t cmdreg;        /* CMDREG1B */
        uint8_t stag, dtag;
        bool e1, e3, t;
        bool unsup;             /* NMCEXC: an operand of an unsupported type */
        F80 etemp, fptemp, wbtemp;
        uint32_t ea;            /* FMOVE to memory: where to */
    } fpframe;

    /* Exception that waits to be taken. */
    int16_t excp;               /* EXCP_NONE, or the vector number */
    uint8_t excp_len;           /* from tcg.pc to the stacked PC */
    uint8_t excp_format;        /* 0, 2, 3 or 7 ... */
    uint32_t excp_ea;           /* access address; format 2 and 3: the second address */
    uint32_t excp_aux;          /* AUX_* of the instruction */
    uint16_t excp_ssw;          /* of the model */
    uint32_t excp_fslw;         /* 68060 */
    uint8_t excp_fc;
    bool excp_write;
    bool excp_nested;           /* it came while another was entered */
    bool delivering, in_group0; /* an exception is being entered */
    bool stopped;               /* STOP */
    bool dead;                  /* a fault while a bus or address error was entered */
    bool trace_pending;         /* after this instruction */
    bool div_overflow;          /* of the division helper that ran last */

    _Atomic uint8_t ipl;        /* what the interrupt pins say, 0 to 7 */
    _Atomic bool nmi;           /* went to 7 */
} M68kState;

static inline M68kState *m68k_state(TcgEnv *env) { return (M68kState *)env; }
static inline bool m68k_has(const M68kState *s, uint32_t f) { return s->features & f; }

/* flags.c: the codes from a recipe; N Z V C at their places. */
uint32_t m68k_cc_eval(uint32_t op, uint32_t a, uint32_t b);
uint32_t m68k_x_eval(uint32_t op, uint32_t a, uint32_t b);      /* 0 or 1 */
uint32_t m68k_get_ccr(const M68kState *s);
void m68k_set_ccr(M68kState *s, uint32_t ccr);
uint32_t m68k_get_sr(const M68kState *s);
/* All of it: stack pointers change places, interrupts are to be looked at. */
void m68k_set_sr(M68kState *s, uint32_t sr);
uint32_t m68k_mode_word(const M68kState *s);
/* After what the mode word or the address space depends on has changed. */
void m68k_mode_sync(M68kState *s);

/* The stack pointer that @which (SR_S, SR_S | SR_M, 0) selects. */
uint32_t *m68k_banked_sp(M68kState *s, uint32_t sr);

/* excp.c. Raise from helpers with IR_H_RAISES: stacked PC is @len after the instruction. */
void m68k_raise(M68kState *s, int vector, unsigned len) NORETURN;
void m68k_raise_format2(M68kState *s, int vector, unsigned len) NORETURN;
/*
 * The same of an instruction that is over but for its result: (An)+ and -(An) have taken effect. @after: M68K_AFTER(), @ea:
 * format 3's address. The caller has called tcg_sync_state() before it changed anything.
 */
void m68k_raise_after(M68kState *s, int vector, unsigned format, uint32_t after, uint32_t ea) NORETURN;
#define M68K_AFTER(len, an, step)   ((uint32_t)(len) | (uint32_t)(an) << 8 | (uint32_t)(uint8_t)(step) << 16)
/* Nobody answers where the 68020 asks about access levels (020UM 9.8). */
void m68k_raise_access_level(M68kState *s) NORETURN;
void m68k_reset_state(M68kState *s);
bool m68k_take_exception(TcgEnv *env);
bool m68k_take_interrupt(TcgEnv *env);
bool m68k_has_work(const TcgEnv *env);
/* The mask or the mode has changed: what waits is taken at the next region's entry. */
void m68k_let_interrupts_in(M68kState *s);
bool m68k_bus_fault(TcgEnv *env, uint64_t addr, uint64_t phys, MmuAccess access, MemResult res);
void m68k_mmu_fault(TcgEnv *env, uint64_t addr, MmuAccess access, unsigned mmu,
                    const uint64_t fault[4]);
void m68k_unaligned(TcgEnv *env, uint64_t addr, MmuAccess access, unsigned mmu);
void m68k_restore_aux(TcgEnv *env, uint32_t aux);

/* mmu.c */
bool m68k_mmu_walk(TcgEnv *env, uint64_t addr, MmuAccess access, unsigned mmu, bool probe,
                   MmuResult *out, uint64_t fault[4]);
/* Big-endian guest memory; raise. */
static inline uint32_t m68k_ld32(M68kState *s, uint32_t addr, unsigned mmu)
{
    return __builtin_bswap32((uint32_t)tcg_ldu32(&s->tcg, addr, mmu));
}
static inline uint32_t m68k_ld16(M68kState *s, uint32_t addr, unsigned mmu)
{
    return __builtin_bswap16((uint16_t)tcg_ldu16(&s->tcg, addr, mmu));
}
static inline void m68k_st32(M68kState *s, uint32_t addr, uint32_t v, unsigned mmu)
{
    tcg_stu32(&s->tcg, addr, __builtin_bswap32(v), mmu);
}
static inline void m68k_st16(M68kState *s, uint32_t addr, uint32_t v, unsigned mmu)
{
    tcg_stu16(&s->tcg, addr, __builtin_bswap16((uint16_t)v), mmu);
}
static inline unsigned m68k_mmu_mode(const M68kState *s)
{
    return s->sr & SR_S ? M68K_MMU_SUPER : M68K_MMU_USER;
}

/* For calls from generated code into what needs the big lock. */
bool m68k_lock(void);
void m68k_unlock(bool locked);

extern const IrGlobal m68k_globals[G_NUM];
extern const uint8_t m68k_reg_var[16];      /* G_*, of D0 to D7, A0 to A7 */
extern const TargetOps m68k_target_ops;
void m68k_translate(TcgTranslate *t);

#endif
