/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code made once for a table of globals: the way into generated code and out,
 * and what all regions share on the way to C.
 */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

/* Callee-saved first: C functions leave those alone. */
const uint8_t cg_pinned_regs[N_PINNED] = {
    R_RBX, R_R12, R_R13, R_R14, R_R15, R_RSI, R_RDI, R_R8,
};

static const uint8_t saved[] = { R_RBX, R_RBP, R_R12, R_R13, R_R14, R_R15 };
static const uint8_t volatile_regs[] = {
    R_RAX, R_RCX, R_RDX, R_RSI, R_RDI, R_R8, R_R9, R_R10, R_R11,
};

typedef struct Maker {
    Asm *a;
    intptr_t rx_delta;
    const ThunkSet *t;
} Maker;

static uint8_t *here(Maker *m)
{
    while (asm_pos(m->a) & 15) {
        x_byte(m->a, 0xcc);
    }
    return m->a->p + m->rx_delta;
}

static void push_pop(Asm *a, bool pop, int r)
{
    if (r & 8) {
        x_byte(a, 0x41);
    }
    x_byte(a, (uint8_t)((pop ? 0x58 : 0x50) | (r & 7)));
}

static void ret(Asm *a)
{
    x_byte(a, 0xc3);
}

static void call_c(Asm *a, const void *fn)
{
    x_mov_ri(a, R_RAX, (uintptr_t)fn);
    x_rr(a, 0xff, 2, R_RAX);
}

static void pinned(Maker *m, bool load)
{
    for (unsigned i = 0; i < m->t->n_pinned; i++) {
        const IrGlobal *g = &m->t->globals->globals[m->t->pinned_var[i]];
        Mem home = mem_b(R_RBP, g->offset);
        if (load) {
            x_ld(m->a, g->type == IR_I64, cg_pinned_regs[i], home);
        } else {
            x_st(m->a, g->type == IR_I64 ? 8 : 4, cg_pinned_regs[i], home);
        }
    }
}

static void dump_gprs(Asm *a)
{
    for (int r = 0; r < 16; r++) {
        if (r != R_RSP && r != R_RBP) {
            x_st(a, 8, r, ENV_REG(r));
        }
    }
}

/* The sticky flags of the host's x87 unit: those are the guest's. Uses RAX. */
static void collect_x87(Asm *a)
{
    x_byte(a, 0xdf);                            /* FNSTSW AX */
    x_byte(a, 0xe0);
    x_alu_ri(a, ALU_AND, false, R_RAX, 0x3f);
    x_rm(a, 0x09 | X_66, R_RAX, ENV(fp_fsw));   /* OR m16, AX */
}

static void fnclex(Asm *a)
{
    x_byte(a, 0xdb);
    x_byte(a, 0xe2);
}

enum { LDMXCSR = 2, STMXCSR = 3 };
static void mxcsr(Asm *a, unsigned ext, Mem m)
{
    x_rm(a, 0xae | X_0F, (int)ext, m);
}

static void fcw(Asm *a, bool load, Mem m)
{
    x_rm(a, 0xd9, load ? 5 : 7, m);             /* FLDCW, FNSTCW */
}

/* void enter(TcgEnv *env, code, TcgLeave *leave) */
static void make_enter(Maker *m)
{
    Asm *a = m->a;

    for (unsigned i = 0; i < ARRAY_SIZE(saved); i++) {
        push_pop(a, false, saved[i]);
    }
    x_alu_ri(a, ALU_SUB, true, R_RSP, FR_SIZE);
    x_mov_rr(a, true, R_RBP, R_RDI);
    x_mov_rr(a, true, R_R11, R_RSI);
    x_st(a, 8, R_RDX, mem_b(R_RSP, FR_LEAVE));
    x_st_imm(a, 4, 0, mem_b(R_RSP, FR_FP_OUT));
    x_st(a, 8, R_RSP, ENV(host_sp));
    mxcsr(a, STMXCSR, ENV(host_mxcsr));
    fcw(a, false, ENV(host_fcw));
    mxcsr(a, LDMXCSR, ENV(fp_mxcsr));
    fnclex(a);
    fcw(a, true, ENV(fp_fcw));
    pinned(m, true);
    x_ld(a, true, R_RAX, ENV(pc));
    x_jmp_r(a, R_R11);
}

/* EAX: reason, EDX: exit's index, RCX: from. */
static void make_leave(Maker *m, uint8_t **leave_c)
{
    Asm *a = m->a;
    uint32_t skip;

    pinned(m, false);
    *leave_c = a->p + m->rx_delta;
    x_byte(a, 0x0f);                            /* EMMS: see emit-x87.c */
    x_byte(a, 0x77);
    x_mov_rr(a, false, R_R8, R_RAX);
    x_alu_mi(a, ALU_CMP, false, mem_b(R_RSP, FR_FP_OUT), 0);
    skip = x_jcc(a, X_NE);
    mxcsr(a, STMXCSR, ENV(fp_mxcsr));
    collect_x87(a);
    mxcsr(a, LDMXCSR, ENV(host_mxcsr));
    fnclex(a);
    fcw(a, true, ENV(host_fcw));
    asm_bind(a, skip);
    x_st_imm(a, 8, 0, ENV(jit_ra));
    x_ld(a, true, R_RDI, mem_b(R_RSP, FR_LEAVE));
    x_st(a, 4, R_R8, mem_b(R_RDI, offsetof(TcgLeave, reason)));
    x_st(a, 4, R_RDX, mem_b(R_RDI, offsetof(TcgLeave, exit_index)));
    x_st(a, 8, R_RCX, mem_b(R_RDI, offsetof(TcgLeave, from)));
    x_alu_ri(a, ALU_ADD, true, R_RSP, FR_SIZE);
    for (unsigned i = ARRAY_SIZE(saved); i-- > 0; ) {
        push_pop(a, true, saved[i]);
    }
    ret(a);
}

static void to_thunk(Maker *m, const uint8_t *fn)
{
    uint32_t at = x_jmp(m->a);

    asm_patch32(m->a, at, (uint32_t)(fn - (m->a->start + at + 4 + m->rx_delta)));
}

/* @in_rax: a loaded value goes there, too. */
static void make_slow(Maker *m, bool vregs, unsigned kind, bool in_rax)
{
    const void *const fns[] = {
        [SLOW_LD] = tcg_slow_paths.ld, [SLOW_ST] = tcg_slow_paths.st,
        [SLOW_LD_BUF] = tcg_slow_paths.ld_buf, [SLOW_ST_BUF] = tcg_slow_paths.st_buf,
        [SLOW_PROBE] = tcg_slow_paths.probe, [SLOW_ATOMIC] = tcg_slow_paths.atomic,
    };
    Asm *a = m->a;
#define FRAME(off) mem_b(R_RSP, 8 + (off))      /* above the return address */

    dump_gprs(a);
    for (int r = R_XMM0; vregs && r < R_NUM; r++) {
        x_vst(a, 16, r, ENV_VREG(r));
    }
    x_ld(a, true, R_RAX, mem_b(R_RSP, 0));
    x_st(a, 8, R_RAX, ENV(jit_ra));
    x_mov_rr(a, true, R_RDI, R_RBP);
    x_ld(a, true, R_RSI, FRAME(FR_ARG0));
    switch (kind) {
    case SLOW_LD:
        x_ld(a, false, R_RDX, FRAME(FR_ARG3));
        x_mov_rr(a, true, R_RCX, R_RAX);
        break;
    case SLOW_ST:
        x_ld(a, true, R_RDX, FRAME(FR_ARG1));
        x_ld(a, false, R_RCX, FRAME(FR_ARG3));
        x_mov_rr(a, true, R_R8, R_RAX);
        break;
    case SLOW_LD_BUF:
    case SLOW_ST_BUF:
        x_ld(a, false, R_RDX, FRAME(FR_ARG1));
        x_lea(a, true, R_RDX, mem_bi(R_RSP, R_RDX, 0, 8));
        x_ld(a, false, R_RCX, FRAME(FR_ARG3));
        x_mov_rr(a, true, R_R8, R_RAX);
        break;
    case SLOW_PROBE:
        x_ld(a, false, R_RDX, FRAME(FR_ARG3));
        x_ld(a, false, R_RCX, FRAME(FR_ARG4));
        x_mov_rr(a, true, R_R8, R_RAX);
        break;
    default:
        x_ld(a, true, R_RDX, FRAME(FR_ARG1));
        x_ld(a, true, R_RCX, FRAME(FR_ARG2));
        x_ld(a, false, R_R8, FRAME(FR_ARG3));
        x_ld(a, false, R_R9, FRAME(FR_ARG4));
        break;
    }
    /* Aligns the stack, and is the seventh argument of the atomics. */
    push_pop(a, false, R_RAX);
    call_c(a, fns[kind]);
    push_pop(a, true, R_RCX);
    x_st(a, 8, R_RAX, FRAME(FR_ARG0));
    for (unsigned i = 0; i < ARRAY_SIZE(volatile_regs); i++) {
        x_ld(a, true, volatile_regs[i], ENV_REG(volatile_regs[i]));
    }
    if (in_rax) {
        x_ld(a, true, R_RAX, FRAME(FR_ARG0));
    }
    for (int r = R_XMM0; vregs && r < R_NUM; r++) {
        x_vld(a, 16, r, ENV_VREG(r));
    }
    ret(a);
}

/* An access of the first tier: as emit-mem.c makes it inline in the second. @slow is made for a call from generated code. */
static void make_quick(Maker *m, unsigned mmu, unsigned size, bool write, const uint8_t *slow)
{
    Asm *a = m->a;
    IrMemOp mo = (IrMemOp)size | IR_MO_MMU_IDX(mmu);
    Mem to = mem_bi(R_RCX, R_RAX, 0, 0);
    uint32_t miss;

    emit_tlb_index(a, R_RCX, R_RAX, mo);
    emit_last_page(a, R_R11, R_RAX, 1u << size);
    x_alu_rm(a, ALU_CMP, true, R_R11, emit_tlb_tag(R_RCX, mo, write));
    miss = x_jcc(a, X_NE);
    x_ld(a, true, R_RCX, emit_tlb_addend(R_RCX, mo));
    if (write) {
        x_st(a, 1u << size, R_RDX, to);
    } else if (size < 2) {
        x_rm(a, (size ? 0xb7 : 0xb6) | X_0F, R_RAX, to);    /* MOVZX */
    } else {
        x_ld(a, size == 3, R_RAX, to);
    }
    ret(a);
    asm_bind(a, miss);
    x_st(a, 8, R_RAX, FRAME(FR_ARG0));
    if (write) {
        x_st(a, 8, R_RDX, FRAME(FR_ARG1));
    }
    x_st_imm(a, 4, mo, FRAME(FR_ARG3));
    to_thunk(m, slow);
}

/* The guest address in @r becomes the host's if the TLB has the page in which RCX bytes lie, at least one. R11 is scratch. */
static uint32_t make_host(Asm *a, int r, IrMemOp mo, bool write)
{
    uint32_t miss;

    x_st(a, 8, R_RCX, FRAME(FR_ARG0));
    x_lea(a, true, R_RCX, mem_bi(r, R_RCX, 0, -1));
    x_alu_ri(a, ALU_AND, true, R_RCX, -TCG_PAGE_SIZE);
    emit_tlb_index(a, R_R11, r, mo);
    x_alu_rm(a, ALU_CMP, true, R_RCX, emit_tlb_tag(R_R11, mo, write));
    x_ld(a, true, R_RCX, FRAME(FR_ARG0));
    miss = x_jcc(a, X_NE);
    x_alu_rm(a, ALU_ADD, true, r, emit_tlb_addend(R_R11, mo));
    return miss;
}
#undef FRAME

static void give(Asm *a, int r)
{
    x_mov_rr(a, false, R_RAX, r);
    ret(a);
}

/* Zero is no number of bytes either. */
static uint32_t too_many(Asm *a)
{
    x_lea(a, true, R_R11, mem_b(R_RCX, -1));
    x_alu_ri(a, ALU_CMP, true, R_R11, IR_BULK_MAX);
    return x_jcc(a, X_AE);
}

/* Both for @n to 2 * @n - 1 bytes: the first @n and the last @n, which may overlap; all is read before any is written. */
static void copy_ends(Asm *a, unsigned n)
{
    x_rm(a, n == 2 ? 0xb7 | X_0F : n == 4 ? 0x8b : 0x8b | X_W, R_R11, mem_b(R_RAX, 0));
    x_rm(a, n == 2 ? 0xb7 | X_0F : n == 4 ? 0x8b : 0x8b | X_W, R_RAX, mem_bi(R_RAX, R_RCX, 0, -(int32_t)n));
    x_st(a, n, R_R11, mem_b(R_RDX, 0));
    x_st(a, n, R_RAX, mem_bi(R_RDX, R_RCX, 0, -(int32_t)n));
}

static void fill_ends(Asm *a, unsigned n)
{
    x_st(a, n, R_RAX, mem_b(R_RDX, 0));
    x_st(a, n, R_RAX, mem_bi(R_RDX, R_RCX, 0, -(int32_t)n));
}

/* Fewer than 16 bytes. */
static void make_short(Asm *a, void (*ends)(Asm *a, unsigned n), void (*one)(Asm *a))
{
    for (unsigned n = 8; n >= 2; n /= 2) {
        x_alu_ri(a, ALU_CMP, false, R_RCX, (int32_t)n);
        uint32_t fewer = x_jcc(a, X_B);
        ends(a, n);
        give(a, R_RCX);
        asm_bind(a, fewer);
    }
    one(a);
    give(a, R_RCX);
}

static void copy_one(Asm *a)
{
    x_rm(a, 0xb6 | X_0F, R_R11, mem_b(R_RAX, 0));
    x_st(a, 1, R_R11, mem_b(R_RDX, 0));
}

static void fill_one(Asm *a)
{
    x_st(a, 1, R_RAX, mem_b(R_RDX, 0));
}

/* COPY: ThunkSet.copy. Where the destination is before the source, what is read has not been written yet: the end is
 * read first, and the rest upwards. */
static void make_copy(Maker *m, unsigned mmu)
{
    enum { FIRST = R_XMM0, LAST, SECOND, LAST_BUT_ONE };
    Asm *a = m->a;
    IrMemOp mo = IR_MO_MMU_IDX(mmu);
    uint32_t miss[4], few, more, many, end, top;

    miss[0] = too_many(a);
    miss[1] = make_host(a, R_RAX, mo, false);
    miss[2] = make_host(a, R_RDX, mo, true);
    x_mov_rr(a, true, R_R11, R_RDX);
    x_alu_rr(a, ALU_SUB, true, R_R11, R_RAX);
    x_alu_rr(a, ALU_CMP, true, R_R11, R_RCX);
    miss[3] = x_jcc(a, X_B);
    x_alu_ri(a, ALU_CMP, false, R_RCX, 16);
    few = x_jcc(a, X_B);
    x_vld(a, 16, FIRST, mem_b(R_RAX, 0));
    x_vld(a, 16, LAST, mem_bi(R_RAX, R_RCX, 0, -16));
    x_alu_ri(a, ALU_CMP, false, R_RCX, 32);
    more = x_jcc(a, X_A);
    x_vst(a, 16, FIRST, mem_b(R_RDX, 0));
    x_vst(a, 16, LAST, mem_bi(R_RDX, R_RCX, 0, -16));
    give(a, R_RCX);
    asm_bind(a, more);
    x_vld(a, 16, SECOND, mem_b(R_RAX, 16));
    x_vld(a, 16, LAST_BUT_ONE, mem_bi(R_RAX, R_RCX, 0, -32));
    x_alu_ri(a, ALU_CMP, false, R_RCX, 64);
    many = x_jcc(a, X_A);
    x_vst(a, 16, FIRST, mem_b(R_RDX, 0));
    x_vst(a, 16, SECOND, mem_b(R_RDX, 16));
    x_vst(a, 16, LAST_BUT_ONE, mem_bi(R_RDX, R_RCX, 0, -32));
    x_vst(a, 16, LAST, mem_bi(R_RDX, R_RCX, 0, -16));
    give(a, R_RCX);
    asm_bind(a, many);
    x_alu_rr(a, ALU_SUB, true, R_RAX, R_RDX);
    x_lea(a, true, R_R11, mem_bi(R_RDX, R_RCX, 0, -32));
    top = asm_pos(a);
    x_vst(a, 16, FIRST, mem_b(R_RDX, 0));
    x_vst(a, 16, SECOND, mem_b(R_RDX, 16));
    x_alu_ri(a, ALU_ADD, true, R_RDX, 32);
    x_alu_rr(a, ALU_CMP, true, R_RDX, R_R11);
    end = x_jcc(a, X_AE);
    x_vld(a, 16, FIRST, mem_bi(R_RAX, R_RDX, 0, 0));
    x_vld(a, 16, SECOND, mem_bi(R_RAX, R_RDX, 0, 16));
    x_jmp_back(a, top);
    asm_bind(a, end);
    x_vst(a, 16, LAST_BUT_ONE, mem_b(R_R11, 0));
    x_vst(a, 16, LAST, mem_b(R_R11, 16));
    give(a, R_RCX);
    asm_bind(a, few);
    make_short(a, copy_ends, copy_one);
    for (unsigned k = 0; k < ARRAY_SIZE(miss); k++) {
        asm_bind(a, miss[k]);
    }
    x_mov_ri(a, R_RAX, 0);
    ret(a);
}

/* FILL: ThunkSet.fill. A whole number of periods before the end the pattern begins anew. */
static void make_fill(Maker *m, unsigned mmu)
{
    Asm *a = m->a;
    uint32_t miss[2], few, top;

    miss[0] = too_many(a);
    miss[1] = make_host(a, R_RDX, IR_MO_MMU_IDX(mmu), true);
    x_alu_ri(a, ALU_CMP, false, R_RCX, 16);
    few = x_jcc(a, X_B);
    if (a->has_avx) {
        x_vrr(a, 0x6e | X_66 | X_0F | X_W, 0, R_NONE, R_RAX);   /* VMOVQ */
        x_vrr(a, 0x6c | X_66 | X_0F, 0, 0, 0);                  /* VPUNPCKLQDQ */
    } else {
        x_rr(a, 0x6e | X_66 | X_0F | X_W, 0, R_RAX);
        x_rr(a, 0x6c | X_66 | X_0F, 0, 0);
    }
    x_lea(a, true, R_R11, mem_bi(R_RDX, R_RCX, 0, -16));
    x_vst(a, 16, R_XMM0, mem_b(R_R11, 0));
    top = asm_pos(a);
    x_vst(a, 16, R_XMM0, mem_b(R_RDX, 0));
    x_alu_ri(a, ALU_ADD, true, R_RDX, 16);
    x_alu_rr(a, ALU_CMP, true, R_RDX, R_R11);
    x_jcc_back(a, X_B, top);
    give(a, R_RCX);
    asm_bind(a, few);
    make_short(a, fill_ends, fill_one);
    asm_bind(a, miss[0]);
    asm_bind(a, miss[1]);
    x_mov_ri(a, R_RAX, 0);
    ret(a);
}

/* Look up the PC in RAX in the jump cache; RCX, RDX are scratch. Jumps @miss if it isn't there. */
void emit_jump_probe(Asm *a, uint32_t miss[2])
{
    x_mov_rr(a, true, R_RCX, R_RAX);
    x_shift_i(a, SH_SHR, true, R_RCX, JC_BITS);
    x_alu_rr(a, ALU_XOR, false, R_RCX, R_RAX);
    x_alu_ri(a, ALU_AND, false, R_RCX, JC_MASK);
    x_shift_i(a, SH_SHL, false, R_RCX, 5);
    x_alu_rm(a, ALU_ADD, true, R_RCX, ENV(jc));
    x_alu_rm(a, ALU_CMP, true, R_RAX, mem_b(R_RCX, offsetof(JumpCacheEntry, pc)));
    miss[0] = x_jcc(a, X_NE);
    x_ld(a, true, R_RDX, ENV(mode_gen));
    x_alu_rm(a, ALU_CMP, true, R_RDX, mem_b(R_RCX, offsetof(JumpCacheEntry, mode_gen)));
    miss[1] = x_jcc(a, X_NE);
    x_rm(a, 0xff, 4, mem_b(R_RCX, offsetof(JumpCacheEntry, code)));
}
_Static_assert(sizeof(JumpCacheEntry) == 32, "scaled by a shift");

void thunks_emit(ThunkSet *t, const IrGlobalTable *g, Asm *a, intptr_t rx_delta)
{
    Maker m = { a, rx_delta, t };
    uint32_t miss[2];
    const uint8_t *slow_ld;

    *t = (ThunkSet){ .globals = g };
    for (unsigned v = 0; v < g->count && t->n_pinned < N_PINNED; v++) {
        const IrGlobal *x = &g->globals[v];

        /* Entries write the bias to its home, so it can't be pinned. */
        if ((x->type == IR_I32 || x->type == IR_I64) &&
            x->offset != offsetof(TcgEnv, pc_bias)) {
            t->pinned_var[t->n_pinned++] = (IrVar)v;
        }
    }
    t->enter = here(&m);
    make_enter(&m);
    t->lookup = here(&m);
    x_st(a, 8, R_RAX, ENV(pc));
    x_mov_ri(a, R_RAX, TCG_LEAVE_LOOKUP);
    x_mov_ri(a, R_RDX, 0);
    x_mov_ri(a, R_RCX, 0);
    t->leave = a->p + rx_delta;
    make_leave(&m, &t->leave_c);

    t->request = here(&m);
    x_alu_rm(a, ALU_ADD, true, R_RCX, ENV(pc_bias));
    x_st(a, 8, R_RCX, ENV(pc));
    x_mov_ri(a, R_RAX, TCG_LEAVE_REQUEST);
    x_mov_ri(a, R_RDX, 0);
    x_mov_ri(a, R_RCX, 0);
    to_thunk(&m, t->leave);

    t->probe = here(&m);
    emit_jump_probe(a, miss);
    asm_bind(a, miss[0]);
    asm_bind(a, miss[1]);
    to_thunk(&m, t->lookup);

    t->dump = here(&m);
    dump_gprs(a);
    x_ld(a, true, R_RAX, mem_b(R_RSP, 0));
    x_st(a, 8, R_RAX, ENV(jit_ra));
    ret(a);

    t->edge = here(&m);
    dump_gprs(a);
    for (int r = R_XMM0; r < R_NUM; r++) {
        x_vst(a, 16, r, ENV_VREG(r));
    }
    push_pop(a, true, R_RAX);               /* aligns the stack, too */
    x_st(a, 8, R_RAX, ENV(jit_ra));
    x_mov_rr(a, true, R_RDI, R_RBP);
    call_c(a, x86_64_leave_edge);

    t->sync = here(&m);
    pinned(&m, false);
    ret(a);
    t->reload = here(&m);
    pinned(&m, true);
    ret(a);

    t->fp_out = here(&m);
    mxcsr(a, STMXCSR, ENV(fp_mxcsr));
    collect_x87(a);
    fnclex(a);
    mxcsr(a, LDMXCSR, ENV(host_mxcsr));
    fcw(a, true, ENV(host_fcw));
    x_st_imm(a, 4, 1, mem_b(R_RSP, 8 + FR_FP_OUT));
    ret(a);
    t->fp_in = here(&m);
    mxcsr(a, LDMXCSR, ENV(fp_mxcsr));
    fcw(a, true, ENV(fp_fcw));
    x_st_imm(a, 4, 0, mem_b(R_RSP, 8 + FR_FP_OUT));
    ret(a);

    for (unsigned v = 0; v < 2; v++) {
        for (unsigned k = SLOW_LD; k <= SLOW_ATOMIC; k++) {
            t->slow[v][k] = here(&m);
            make_slow(&m, v, k, false);
        }
    }
    slow_ld = here(&m);
    make_slow(&m, false, SLOW_LD, true);
    for (unsigned mmu = 0; mmu < TLB_MODES; mmu++) {
        for (unsigned size = 0; size < 4; size++) {
            t->quick_ld[mmu][size] = here(&m);
            make_quick(&m, mmu, size, false, slow_ld);
            t->quick_st[mmu][size] = here(&m);
            make_quick(&m, mmu, size, true, t->slow[0][SLOW_ST]);
        }
        t->copy[mmu] = here(&m);
        make_copy(&m, mmu);
        t->fill[mmu] = here(&m);
        make_fill(&m, mmu);
    }
}
