/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The architectural state of an x86 CPU, its lazy flags, the mode word that
 * translations are keyed by, and the interface between the parts of target/i386/:
 *
 *   decode*.c      bytes to instructions, from tables (insns-*.def)
 *   translate*.c   integer instructions to IR
 *   sse-*.c, x87-*.c   vector and floating-point instructions to IR
 *   helper-*.c     what generated code calls
 *   seg.c excp.c task.c smm.c   segmentation, exception entry, task switch, SMM
 *   mmu.c          page walks
 *   cpuid.c msr.c models.c      identification, models and features
 *
 * Everything here belongs to the vCPU's thread.
 * Sources: Intel SDM ("SDM"), AMD APM vol. 2 ("APM").
 */
#ifndef TARGET_I386_STATE_H
#define TARGET_I386_STATE_H

#include "accel/tcg/target-ops.h"
#include "tcg/fpenv.h"

enum { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI, R_8, R_9, R_10, R_11,
       R_12, R_13, R_14, R_15 };
enum { S_ES, S_CS, S_SS, S_DS, S_FS, S_GS, S_LDT, S_TR, S_NUM };

/* EFLAGS (SDM vol. 1, 3.4.3). */
enum {
    FL_CF = 1, FL_1 = 2, FL_PF = 4, FL_AF = 16, FL_ZF = 64, FL_SF = 128,
    FL_TF = 256, FL_IF = 512, FL_DF = 1024, FL_OF = 2048, FL_IOPL = 3 << 12,
    FL_NT = 1 << 14, FL_RF = 1 << 16, FL_VM = 1 << 17, FL_AC = 1 << 18,
    FL_VIF = 1 << 19, FL_VIP = 1 << 20, FL_ID = 1 << 21,
    FL_ARITH = FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF,
};

enum {
    CR0_PE = 1, CR0_MP = 2, CR0_EM = 4, CR0_TS = 8, CR0_ET = 16, CR0_NE = 32,
    CR0_WP = 1 << 16, CR0_AM = 1 << 18, CR0_NW = 1 << 29, CR0_CD = 1 << 30,
    CR4_VME = 1, CR4_PVI = 2, CR4_TSD = 4, CR4_DE = 8, CR4_PSE = 16,
    CR4_PAE = 32, CR4_MCE = 64, CR4_PGE = 128, CR4_PCE = 256, CR4_OSFXSR = 512,
    CR4_OSXMMEXCPT = 1024, CR4_UMIP = 2048, CR4_LA57 = 1 << 12,
    CR4_FSGSBASE = 1 << 16, CR4_PCIDE = 1 << 17, CR4_OSXSAVE = 1 << 18,
    CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21, CR4_PKE = 1 << 22,
    EFER_SCE = 1, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11,
    EFER_SVME = 1 << 12, EFER_FFXSR = 1 << 14,
};
#define CR0_PG (1u << 31)

enum {
    EXCP_DE = 0, EXCP_DB, EXCP_NMI, EXCP_BP, EXCP_OF, EXCP_BR, EXCP_UD, EXCP_NM,
    EXCP_DF, EXCP_TS = 10, EXCP_NP, EXCP_SS, EXCP_GP, EXCP_PF, EXCP_MF = 16,
    EXCP_AC, EXCP_MC, EXCP_XM,
    EXCP_NONE = -1,
};

/* Descriptor cache. @flags: the descriptor's high word bits 8..23 in place
 * (type, S, DPL, P, AVL, L, DB, G), limit in bytes, unscrambled. */
typedef struct X86Segment {
    uint16_t selector;
    uint32_t flags;
    uint64_t base;
    uint32_t limit;
} X86Segment;
enum {
    SEG_TYPE_SHIFT = 8, SEG_ACCESSED = 1 << 8, SEG_RW = 1 << 9, SEG_DC = 1 << 10,
    SEG_CODE = 1 << 11, SEG_S = 1 << 12, SEG_DPL_SHIFT = 13, SEG_P = 1 << 15,
    SEG_AVL = 1 << 20, SEG_L = 1 << 21, SEG_DB = 1 << 22, SEG_G = 1 << 23,
};

typedef struct X86Table { uint64_t base; uint16_t limit; } X86Table;

/*
 * Lazy flags: the arithmetic flags are a function of (cc_op, cc_dst, cc_src).
 * CC_EFLAGS: cc_src holds them. Otherwise cc_op = CC_KIND * 4 + log2 of the width in bytes:
 *   ADD, SUB           cc_dst, cc_src: the operands a and b
 *   ADC, SBB           cc_dst: a, cc_src: b; the carry in is cc_src2
 *   LOGIC              cc_dst: the result
 *   INC, DEC           cc_dst: the operand; cc_src2: CF kept
 *   SHL, SHR, SAR      cc_dst: the operand; cc_src: the count (masked, not 0)
 *   MUL                cc_dst: the low result, cc_src: non-zero if CF = OF = 1
 * Others (bit tests ...) are computed into CC_EFLAGS. With CC_OVER (rotates), CF and OF are those at cc_op's bits 16 and 27, and
 * the rest of cc_op says what the others are.
 */
enum { CC_EFLAGS = 0, CC_ADD = 4, CC_ADC = 8, CC_SUB = 12, CC_SBB = 16,
       CC_LOGIC = 20, CC_INC = 24, CC_DEC = 28, CC_SHL = 32, CC_SHR = 36,
       CC_SAR = 40, CC_MUL = 44, CC_NUM = 48, CC_OVER = 1 << 15 };

/* Globals (IrVar), in order of rank: the first are pinned. */
enum {
    G_RAX, G_RCX, G_RDX, G_RBX, G_RSP, G_RBP, G_RSI, G_RDI,
    G_R8, G_R9, G_R10, G_R11, G_R12, G_R13, G_R14, G_R15,
    G_CC_DST, G_CC_SRC, G_CC_SRC2, G_CC_OP,        /* q q q l */
    G_PC_BIAS, G_DF,        /* G_DF: q, +1 or -1 */
    G_FS_BASE, G_GS_BASE, G_DS_BASE, G_ES_BASE, G_SS_BASE, G_CS_BASE,
    G_XMM0, G_XMM15 = G_XMM0 + 15,
    G_ST0, G_ST7 = G_ST0 + 7,   /* F80, physical registers R0..R7 */
    G_FPU_INSN, G_FPU_FDP,
    G_YMMH0, G_YMMH15 = G_YMMH0 + 15,   /* bits 128 to 255 of the YMM registers */
    G_NUM
};

/*
 * The mode word (low 32 bits of TcgEnv.mode_gen): what a translation assumes.
 */
enum {
    MW_CPL      = 3,
    MW_CS64     = 1 << 2,   /* 64-bit code segment */
    MW_CS32     = 1 << 3,   /* D bit of CS */
    MW_SS32     = 1 << 4,   /* B bit of SS (64-bit: stack is 64 bits anyway) */
    MW_PE       = 1 << 5,
    MW_VM       = 1 << 6,
    MW_LMA      = 1 << 7,
    MW_FLAT     = 1 << 8,   /* DS, ES, SS have base 0, limit 4G-1, writable,
                               expand-up: no checks, no base */
    MW_CSFLAT   = 1 << 9,   /* CS likewise, readable */
    MW_TF       = 1 << 10,  /* single-step: one instruction a region */
    MW_TS       = 1 << 11,  /* CR0.TS */
    MW_EM       = 1 << 12,  /* CR0.EM */
    MW_OSFXSR   = 1 << 13,
    MW_SMM      = 1 << 14,
    MW_IOPL_OK  = 1 << 15,  /* CPL <= IOPL */
    MW_AC       = 1 << 16,  /* alignment checks (CPL 3, CR0.AM, EFLAGS.AC) */
    MW_SHADOW   = 1 << 17,  /* interrupts held off for one instruction (STI, MOV SS) */
    MW_TOP_SHIFT = 18,      /* x87 TOP, 3 bits */
    MW_FPU_EXC  = 1 << 21,  /* an unmasked x87 exception is pending: waiting
                               instructions raise #MF */
    MW_FPU_UNMASKED = 1 << 22, /* x87 control word has unmasked exceptions */
    MW_SSE_UNMASKED = 1 << 23, /* MXCSR has */
    MW_FSFLAT   = 1 << 24,  /* FS: writable, expand-up, limit 4G-1 (its base varies) */
    MW_AVX      = 1 << 25,  /* CR4.OSXSAVE, and XCR0 has SSE and AVX */
    MW_MP       = 1 << 26,  /* CR0.MP */
    MW_TSD_UMIP = 1 << 27,  /* CR4.TSD at CPL > 0: RDTSC faults */
    MW_UMIP     = 1 << 28,
    MW_BP       = 1 << 30,  /* DR7 has instruction breakpoints: one instruction a
                               region, and each looks at them */
    MW_SMAP_AC  = 1 << 29,  /* CPL < 3 and SMAP in force (AC clear): MMU mode */
};
#define MW_GSFLAT (1u << 31)    /* as MW_FSFLAT; never in a 32-bit kernel */

/* MMU modes: whose rights an access has. */
enum { X86_MMU_KERNEL, X86_MMU_USER, X86_MMU_KERNEL_SMAP, X86_MMU_SMM, X86_MMU_NUM };

/* CPUID leaves as features[] words; names in models.c. */
enum { FEAT_1_EDX, FEAT_1_ECX, FEAT_7_0_EBX, FEAT_7_0_ECX, FEAT_7_0_EDX,
       FEAT_8000_0001_EDX, FEAT_8000_0001_ECX, FEAT_8000_0007_EDX,
       FEAT_8000_0008_EBX, FEAT_XSAVE, FEAT_6_EAX, FEAT_KVM, FEAT_SVM, FEAT_NUM };

typedef struct X86State {
    TcgEnv tcg;                     /* first */

    uint64_t regs[16];
    /* tcg.pc is EIP/RIP (outside generated code). */
    uint64_t cc_dst, cc_src, cc_src2;
    uint32_t cc_op;
    uint64_t df;                    /* 1 or -1 */
    uint32_t eflags;                /* all but the arithmetic flags and DF */
    X86Segment seg[S_NUM];
    X86Table gdt, idt;

    uint64_t cr[9];                 /* CR0, CR2, CR3, CR4 in place; CR8 is the TPR's */
    uint64_t dr[8];
    uint64_t efer, star, lstar, cstar, fmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t tsc_offset, tsc_aux, tsc_adjust, tsc_deadline;
    uint64_t pat, apic_base, misc_enable, mtrr_def, mtrr_fixed[11], mtrr_var[16];
    uint64_t mcg_cap, mcg_status, mcg_ctl, mce_banks[40];
    uint64_t smbase, smi_count, feature_control, spec_ctrl, hwcr, vm_hsave_pa;
    uint64_t xcr0, xss;
    uint32_t pkru;
    uint32_t a20_mask;              /* ~0 or ~(1 << 20) */
    bool ferr, ignne;               /* FERR# is asserted; IGNNE# is, by the board (atomic) */
    bool smm, nmi_masked, int_shadow;
    uint8_t cpl;

    /* x87: physical registers; tag[i] 1: empty. TOP is in fpu_top. */
    F80 st[8] __attribute__((aligned(16)));     /* 16 bytes each */
    uint8_t fpu_tag_empty[8];
    uint8_t fpu_top;
    uint16_t fpu_fcw, fpu_fsw;      /* fsw without TOP; live sticky bits are
                                       in tcg.fp_fsw until collected */
    uint16_t fpu_fop, fpu_fcs, fpu_fds;
    uint64_t fpu_fip, fpu_fdp;      /* fip and fop are current after x86_fp_collect: */
    uint64_t fpu_bias;              /* FIP is this plus the low half (signed) of */
    uint64_t fpu_insn;              /* ... whose bits 32 to 42 are FOP */
    /* SSE: guest MXCSR; its live sticky bits are in tcg.fp_mxcsr. */
    uint32_t mxcsr;
    uint8_t xmm[32][64] __attribute__((aligned(64)));   /* room for ZMM */

    /* Exception to be taken (TargetOps.take_exception). */
    int excp;                       /* EXCP_*, or EXCP_NONE */
    bool excp_has_error, excp_is_soft;  /* soft: INT n, INT3, INTO */
    bool excp_is_int;               /* from outside: INTR, NMI; no error code */
    bool excp_is_int1;              /* INT1 (ICEBP): as a trap, no DPL check */
    uint8_t excp_insn_len;          /* added to PC for soft ones */
    uint32_t excp_error;
    uint64_t excp_cr2;
    int excp_old;                   /* for double faults; EXCP_NONE */
    uint64_t excp_dr6;

    /* Identification (models.c): fixed after realize. */
    uint32_t features[FEAT_NUM];
    uint32_t cpuid_level, cpuid_xlevel;
    char cpuid_vendor[13], cpuid_model_id[49];
    uint8_t family, model, stepping;
    uint8_t generation;             /* X86Gen (decode.h) */
    uint8_t phys_bits;
    uint32_t apic_id;
    bool apic_disabled;             /* IA32_APIC_BASE.EN is clear: CPUID hides it */
    void *apic;                     /* Device of hw/core/apic.h, or NULL */
    uint32_t nr_cores, nr_threads, nr_dies;     /* of a package; from -smp */
    uint64_t tsc_hz;

    bool shutdown;                  /* after a triple fault: only INIT, NMI, SMI, RESET */
    bool wait_sipi;                 /* after INIT, not the boot processor */
    bool is_bsp;
    bool in_hlt;                    /* HLT was executed and nothing has ended it */
    bool smm_nmi_masked;            /* nmi_masked of before the SMI */
    /* Where delivery of an exception stands (excp.c). */
    bool delivering;                /* excp_old is the first of two; it is
                                       EXCP_NONE for those that never double */
    bool delivering_ext;            /* sets EXT in error codes */
    bool insn_is_stack;             /* from restore_aux: the access is to the stack
                                       segment (non-canonical: #SS, not #GP) */
} X86State;

static inline X86State *x86_state(TcgEnv *env) { return (X86State *)env; }

/* flags.c: the architected EFLAGS, all bits; and the way back. */
uint32_t x86_get_eflags(const X86State *s);
void x86_set_eflags(X86State *s, uint32_t eflags);      /* every bit given */
/* Arithmetic flags alone. */
uint32_t x86_cc_eflags(uint32_t cc_op, uint64_t dst, uint64_t src, uint64_t src2);

/* EFLAGS bits that exist, or that software can change; those of the 8086 above 11 are always set. */
uint32_t x86_flags_there(const X86State *s);
/* i8086.c: length of the instruction at PC. */
unsigned x86_8086_length(X86State *s);

/* excp.c: make an exception pending / raise from a helper (doesn't return). */
void x86_triple_fault(X86State *s);
/* mce.c: the CPU's op. */
bool x86_inject_mce(CPUState *cpu, const CpuMachineCheck *e, Error **errp);
void x86_queue_exception(X86State *s, int vector, bool has_error, uint32_t error);
void x86_raise(X86State *s, int vector) NORETURN;
void x86_raise_error(X86State *s, int vector, uint32_t error) NORETURN;
/* INT n, INT3, INTO: deliver @vector; the instruction is @insn_len bytes
 * long. Checks the IOPL in virtual-8086 mode (not for INT3, INTO). */
void x86_raise_soft(X86State *s, int vector, unsigned insn_len) NORETURN;
/* INT1 (0xf1): #DB as a trap after the instruction. */
void x86_raise_int1(X86State *s, unsigned insn_len) NORETURN;
/* Deliver through IDT/IVT now (take_exception, interrupts, INT n). */
void x86_deliver(X86State *s, int vector, bool soft, bool has_error,
                 uint32_t error, uint64_t return_pc);

/* seg.c. Raise by x86_raise_error where loading isn't allowed. */
void x86_load_segment(X86State *s, int seg, uint16_t selector);
void x86_set_segment_real(X86State *s, int seg, uint16_t selector);
uint32_t x86_mode_word(const X86State *s);
void x86_far_jump(X86State *s, uint16_t sel, uint64_t off, unsigned opsize, uint64_t next_pc);
void x86_far_call(X86State *s, uint16_t sel, uint64_t off, unsigned opsize, uint64_t next_pc);
void x86_far_ret(X86State *s, unsigned opsize, unsigned imm);
void x86_iret(X86State *s, unsigned opsize, uint64_t next_pc);
void x86_syscall(X86State *s, uint64_t next_pc);
void x86_sysret(X86State *s, unsigned opsize);
void x86_sysenter(X86State *s);
void x86_sysexit(X86State *s, unsigned opsize);
void x86_swapgs(X86State *s);
/* Of a selector: *ok says what ZF becomes. Raise #PF and #UD at most. */
uint32_t x86_lar(X86State *s, uint16_t sel, bool *ok);
uint32_t x86_lsl(X86State *s, uint16_t sel, bool *ok);
bool x86_verr(X86State *s, uint16_t sel);
bool x86_verw(X86State *s, uint16_t sel);
void x86_lldt(X86State *s, uint16_t sel);
void x86_ltr(X86State *s, uint16_t sel);
/* #GP(0) unless IOPL or the I/O bitmap allow @size bytes at @port. */
void x86_check_io(X86State *s, uint16_t port, unsigned size);
/* RSM; #UD outside SMM. Goes on at the saved PC. */
void x86_rsm(X86State *s);
/* POPF, STI and the like are the translator's; these are MOV to control and
 * debug registers and what else changes modes. */
void x86_set_cr0(X86State *s, uint64_t v);
void x86_lmsw(X86State *s, uint16_t v);
void x86_set_cr8(X86State *s, uint64_t v);
uint64_t x86_get_cr8(X86State *s);
uint64_t x86_get_dr(X86State *s, unsigned n);       /* #UD, #DB (GD) raised */
void x86_set_dr(X86State *s, unsigned n, uint64_t v);
extern const IrHelper x86_h_breakpoint;     /* at an instruction's start; PC */
void x86_invlpg(X86State *s, uint64_t addr);
void x86_invpcid(X86State *s, unsigned type, uint64_t pcid, uint64_t addr);
/* MONITOR/MWAIT have no effect but to end a region; HLT: */
void x86_hlt(X86State *s, uint64_t next_pc);
/* Tell the accelerator if the mode word isn't what it was. */
void x86_mode_sync(X86State *s);
/* MMU mode of descriptor-table and TSS accesses, whatever CPL. */
unsigned x86_mmu_system(const X86State *s);
/* As seen by SGDT.. in seg.c: a descriptor's parts. */
static inline uint64_t x86_desc_base(uint32_t lo, uint32_t hi)
{
    return lo >> 16 | (hi & 0xff) << 16 | (hi & 0xff000000);
}
static inline uint32_t x86_desc_limit(uint32_t lo, uint32_t hi)
{
    uint32_t limit = (lo & 0xffff) | (hi & 0xf0000);
    return hi & SEG_G ? limit << 12 | 0xfff : limit;
}
void x86_set_cr3(X86State *s, uint64_t v);
void x86_set_cr4(X86State *s, uint64_t v);
void x86_pkru_changed(X86State *s);
void x86_set_cpl(X86State *s, unsigned cpl);
unsigned x86_mmu_mode(const X86State *s);       /* data accesses now */

/* msr.c: false for a #GP. */
bool x86_rdmsr(X86State *s, uint32_t index, uint64_t *v);
bool x86_wrmsr(X86State *s, uint32_t index, uint64_t v);
/* cpuid.c */
void x86_cpuid(const X86State *s, uint32_t leaf, uint32_t sub, uint32_t out[4]);
static inline bool x86_has(const X86State *s, unsigned word, unsigned bit)
{
    return s->features[word] >> bit & 1;
}
uint64_t x86_rdtsc(X86State *s);

/* x87/sse state images (fpu.c). The caller collects the live bits first
 * (x86_fp_collect) and moves the bytes; the loading ones update the live
 * environment themselves. */
void x86_fpu_init(X86State *s);         /* FNINIT */
/* An unmasked exception waits: #MF, or with CR0.NE clear FERR# and a stop until an interrupt. Returns
 * where there is none or the board ignores it. From helpers with IR_H_RAISES. */
void x86_fpu_wait(X86State *s);
void x86_ferr_update(X86State *s);      /* the exception may have gone */
void x86_fpu_set_pointers(X86State *s); /* FIP and FOP were loaded */
uint16_t x86_fpu_status(const X86State *s);     /* FSW with TOP, ES, B */
uint16_t x86_fpu_tag_word(const X86State *s);   /* two bits a register */
/* FCW as loaded: bit 6 is set, bits that don't exist are clear. */
static inline uint16_t x86_fcw(uint16_t v) { return (v & 0x1f3f) | 0x40; }
/* FSW as loaded: TOP goes to fpu_top, ES and B are computed. */
void x86_fpu_set_status(X86State *s, uint16_t fsw);
/* FXSAVE: bytes 0..159 (x87), 160..415 (XMM; if @xmm); @wide: REX.W. */
void x86_fxsave_image(const X86State *s, uint8_t img[512], bool wide, bool xmm);
/* False: reserved MXCSR bits are set (#GP), nothing was changed. */
bool x86_fxrstor_image(X86State *s, const uint8_t img[512], bool wide, bool xmm);
#define MXCSR_MM        (1u << 17)      /* AMD: SSE's operands in memory needn't be aligned */
static inline uint32_t x86_mxcsr_mask(const X86State *s)
{
    return x86_has(s, FEAT_8000_0001_ECX, 7) ? 0xffff | MXCSR_MM : 0xffff;
}
/* The x87 part of it alone. */
void x86_save_x87(const X86State *s, uint8_t *img, bool wide);
void x86_load_x87(X86State *s, const uint8_t *img, bool wide);
/* FNSTENV/FLDENV: 14 (16-bit) or 28 bytes; FNSAVE/FRSTOR: 80 bytes more.
 * Return the size. */
unsigned x86_fstenv_image(const X86State *s, uint8_t img[28], unsigned opsize);
unsigned x86_fldenv_image(X86State *s, const uint8_t img[28], unsigned opsize);
unsigned x86_fsave_image(const X86State *s, uint8_t img[108], unsigned opsize);
unsigned x86_frstor_image(X86State *s, const uint8_t img[108], unsigned opsize);
/* Bring live FP control and sticky bits into tcg.fp_* before running (after FLDCW, LDMXCSR, FXRSTOR,
 * reset, migration), and collect them after. */
void x86_fp_update_env(X86State *s);
void x86_fp_collect(X86State *s);

extern const IrGlobal x86_globals[G_NUM];
extern const TargetOps x86_64_target_ops;

#endif
