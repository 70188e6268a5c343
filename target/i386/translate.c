/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From guest code to a region of IR: finding blocks, keeping them apart by what is
 * known of the flags, and leaving.
 *
 * A block's key is (PC, FlagDesc). Branches inside the region go to the block
 * with the flags as they are at the branch, so that a loop's second iteration finds a
 * block that knows its compare's operands by register: nothing is stored. After
 * MAX_VERSIONS of one PC the flags are stored and the dynamic version is used.
 * Targets outside of the region, faults and the like are blocks as well, with
 * nothing but the way out; they are made last, so they lie behind all code.
 */
#include "util/osdep.h"
#include "target/i386/sse.h"
#include "target/i386/translate.h"
#include "util/bswap.h"
#include "util/log.h"

#define MAX_BLOCKS      256         /* with those that only leave */
#define MAX_CODE_BLOCKS 40
#define MAX_VERSIONS    3
#define MAX_INSNS       120
#define MAX_BELOW       1024        /* bytes before the entry */

extern const IrHelper x86_h_raise, x86_h_raise_code, x86_h_step, x86_h_cs_limit;

/* ------------------------------------------------- flags across block edges */

/* How a block finds an operand of its flags. */
enum { SY_NONE, SY_CONST, SY_REG, SY_LOCAL, SY_FROM_RES };
typedef struct FlagSym {
    uint8_t how, reg;           /* FROM_RES: reg has the result */
    int64_t imm;
} FlagSym;

typedef struct FlagDesc {
    bool dynamic;
    uint8_t kind, size;
    FlagSym a, b, c;
} FlagDesc;

typedef enum BlockKind { BK_CODE, BK_FAULT, BK_EXIT } BlockKind;

struct X86Block {
    uint64_t pc;                /* FAULT: of the instruction; EXIT: where to go on */
    FlagDesc flags;
    uint32_t mode;              /* at its top: the x87's TOP and SMAP may differ from the entry's */
    uint8_t kind;               /* BlockKind */
    bool done, loop;            /* begun; target of a backward branch */
    bool reached;               /* by something else than a conditional jump back beyond the entry */
    IrBlockId id;
    int16_t vector;             /* FAULT */
    bool has_error;             /* EXIT: no single-step trap */
    uint32_t error;             /* FAULT: code; EXIT: reason */
};

#define EXIT_BY_CACHE   UINT32_MAX  /* no reason for C: the jump cache knows the place in the new mode */

static bool sym_equal(const FlagSym *x, const FlagSym *y)
{
    return x->how == y->how && x->reg == y->reg && x->imm == y->imm;
}

static bool desc_equal(const FlagDesc *x, const FlagDesc *y)
{
    if (x->dynamic || y->dynamic) {
        return x->dynamic && y->dynamic;
    }
    return x->kind == y->kind && x->size == y->size && sym_equal(&x->a, &y->a) &&
           sym_equal(&x->b, &y->b) && sym_equal(&x->c, &y->c);
}

static FlagSym describe(X86Tr *tr, IrValue v, unsigned size)
{
    FlagSym s = { SY_NONE, 0, 0 };
    uint64_t imm;

    if (v) {
        s.how = SY_LOCAL;
        if (ir_is_const(tr->ir, v, &imm)) {
            s.how = SY_CONST;
            s.imm = imm;
        } else if (ir_value_type(tr->ir, v) == x86_type(1u << size)) {
            for (unsigned r = 0; r < 16; r++) {
                if (tr->reg[r][size] == v) {
                    s.how = SY_REG;
                    s.reg = r;
                    break;
                }
            }
        }
    }
    return s;
}

/* What the flags are, in terms that another block understands. */
static FlagDesc describe_flags(X86Tr *tr)
{
    const X86Flags *f = &tr->fl;
    FlagDesc d = { .dynamic = f->dynamic, .kind = f->kind, .size = f->size };

    if (f->dynamic) {
        return d;
    }
    d.a = describe(tr, f->a, f->size);
    d.b = describe(tr, f->b, f->kind == CC_EFLAGS ? 2 : f->size);
    d.c = describe(tr, f->c, 0);
    if (d.a.how == SY_LOCAL && f->res && (f->kind == CC_ADD || f->kind == CC_SUB ||
                                          f->kind == CC_INC || f->kind == CC_DEC)) {
        FlagSym r = describe(tr, f->res, f->size);

        if (r.how == SY_REG) {
            d.a = (FlagSym){ SY_FROM_RES, r.reg, 0 };
        }
    }
    return d;
}

static void put_local(X86Tr *tr, unsigned n, const FlagSym *s, IrValue v)
{
    if (s->how != SY_LOCAL || tr->fl_local_value[n] == v) {
        return;
    }
    if (tr->fl_local[n] == IR_NO_VAR) {
        tr->fl_local[n] = ir_local_new(tr->ir, IR_I64);
    }
    ir_put(tr->ir, tr->fl_local[n], ir_zext(tr->ir, IR_I64, v));
    tr->fl_local_value[n] = v;
}

/* Before a branch to a block with this key. */
static void pass_flags(X86Tr *tr, const FlagDesc *d)
{
    x87_commit_pointers(tr);
    if (d->dynamic) {
        ir_commit_pending(tr->ir);
        return;
    }
    put_local(tr, 0, &d->a, tr->fl.a);
    put_local(tr, 1, &d->b, tr->fl.b);
    put_local(tr, 2, &d->c, tr->fl.c);
}

static IrValue receive(X86Tr *tr, unsigned n, const FlagSym *s, unsigned size)
{
    IrType t = x86_type(1u << size);

    switch (s->how) {
    case SY_CONST:
        return ir_const(tr->ir, t, s->imm);
    case SY_REG: case SY_FROM_RES:
        return x86_reg(tr, s->reg, 1u << size);
    case SY_LOCAL: {
        IrValue v = ir_trunc(tr->ir, t, ir_get(tr->ir, tr->fl_local[n]));

        tr->fl_local_value[n] = v;
        return v;
    }
    default:
        return IR_NO_VALUE;
    }
}

/* At a block's top. */
static void receive_flags(X86Tr *tr, const FlagDesc *d)
{
    IrRegion *ir = tr->ir;
    IrType t = x86_type(1u << d->size);
    IrValue a, b, c, res = IR_NO_VALUE;

    memset(tr->fl_local_value, 0, sizeof(tr->fl_local_value));
    if (d->dynamic) {
        tr->fl = (X86Flags){ .dynamic = true };
        return;
    }
    a = receive(tr, 0, &d->a, d->size);
    b = receive(tr, 1, &d->b, d->kind == CC_EFLAGS ? 2 : d->size);
    c = receive(tr, 2, &d->c, 0);
    if (d->a.how == SY_FROM_RES) {
        res = a;
        switch (d->kind) {
        case CC_ADD: a = ir_sub(ir, t, res, b); break;
        case CC_SUB: a = ir_add(ir, t, res, b); break;
        case CC_INC: a = ir_sub(ir, t, res, ir_const(ir, t, 1)); break;
        default: a = ir_add(ir, t, res, ir_const(ir, t, 1)); break;
        }
    }
    if (d->kind == CC_EFLAGS) {
        x86_set_flags_value(tr, b);
    } else {
        x86_set_flags(tr, d->kind, 1u << d->size, a, b, c, res);
    }
}

/* ------------------------------------------------------------------- blocks */

/* What is translated from here on assumes @mode. */
static void set_mode(X86Tr *tr, uint32_t mode)
{
    tr->mode = mode;
    tr->mmu = IR_MO_MMU_IDX(mode & MW_SMM ? X86_MMU_SMM : tr->cpl == 3 ? X86_MMU_USER :
                            mode & MW_SMAP_AC ? X86_MMU_KERNEL_SMAP : X86_MMU_KERNEL);
    if (mode & MW_AC) {
        tr->mmu |= IR_MO_ALIGN;
    }
}

void x86_put_mode(X86Tr *tr, uint32_t mode)
{
    size_t low = offsetof(TcgEnv, mode_gen) + (HOST_BIG_ENDIAN ? 4 : 0);

    if (mode != tr->mode) {
        set_mode(tr, mode);
        ir_st_env(tr->ir, low, ir_i32(tr->ir, mode));
    }
}

static X86Block *new_block(X86Tr *tr, BlockKind kind, uint64_t pc, const FlagDesc *d)
{
    X86Block *b;

    if (tr->n_blocks == MAX_BLOCKS) {
        return NULL;
    }
    b = &tr->blocks[tr->n_blocks++];
    *b = (X86Block){ .pc = pc, .flags = *d, .mode = tr->mode, .kind = kind,
                     .id = ir_block_new(tr->ir) };
    return b;
}

/* Does the instruction byte at @pc lie in the entry's page, no more than @below before the entry? */
static bool in_page_from(const X86Tr *tr, uint64_t pc, uint64_t below)
{
    below = MIN((uint64_t)tr->t->entry_offset, below);
    return pc - tr->t->pc + below < (uint64_t)(TCG_PAGE_SIZE - tr->t->entry_offset) + below;
}

static bool in_page(const X86Tr *tr, uint64_t pc)
{
    return in_page_from(tr, pc, MAX_BELOW);
}

/*
 * May code at @pc belong to this region? Regions keep to one page, so that jumps
 * to them can be chained; only an instruction that lies across the end of a page makes
 * a region of two, for itself.
 */
static bool in_region(const X86Tr *tr, uint64_t pc)
{
    return !tr->one && !tr->hot && !tr->t->straight && in_page(tr, pc);
}

/*
 * The block for @pc with the flags as they are now; passes them. The key may
 * become dynamic (in *stored: the flags were stored).
 */
static X86Block *block_at(X86Tr *tr, uint64_t pc)
{
    FlagDesc d = describe_flags(tr);
    unsigned versions = 0;
    X86Block *b;

    for (int pass = 0; ; pass++) {
        for (unsigned k = 0; k < tr->n_blocks; k++) {
            b = &tr->blocks[k];
            /* One that jumps to itself leaves a region of one instruction: each round is one. */
            if (b->kind == BK_CODE && b->pc == pc && b->mode == tr->mode && !(tr->one && b->done)) {
                if (desc_equal(&b->flags, &d)) {
                    pass_flags(tr, &d);
                    return b;
                }
                versions++;
            }
        }
        if (pass == 1 || (versions < MAX_VERSIONS - 1 && in_region(tr, pc))) {
            break;
        }
        if (!in_region(tr, pc)) {
            break;
        }
        d = (FlagDesc){ .dynamic = true };
    }
    b = new_block(tr, BK_CODE, pc, &d);
    if (b) {
        pass_flags(tr, &d);
    }
    return b;
}

static bool has_block(const X86Tr *tr, uint64_t pc)
{
    for (unsigned k = 0; k < tr->n_blocks; k++) {
        if (tr->blocks[k].kind == BK_CODE && tr->blocks[k].pc == pc) {
            return true;
        }
    }
    return false;
}

/* What snapshots say from here on, without counting an instruction. */
static void at_insn(X86Tr *tr, uint64_t pc)
{
    ir_insn_at(tr->ir, tcg_pc_offset(tr->t, pc), 0);
}

/* ------------------------------------------------------------------ leaving */

/* After the last operation of an instruction in a one-instruction region: PC is home. */
static void leave_one(X86Tr *tr)
{
    if ((tr->mode & MW_TF) && !tr->no_step) {
        X86_CALL(tr, &x86_h_step);
    }
    ir_exit(tr->ir, tr->mode & (MW_TF | MW_SHADOW) ? IR_EXIT_IRQ_CHECK : IR_EXIT_INSN_LIMIT);
}

static X86DecodeResult decode_at(X86Tr *tr, uint64_t pc, X86Insn *i);

/* Does an instruction of this page at @pc end in the next? Then nothing chains to its region. */
static bool lies_across(X86Tr *tr, uint64_t pc)
{
    unsigned off = tcg_pc_offset(tr->t, pc) & (TCG_PAGE_SIZE - 1);
    X86Insn i;

    return in_page(tr, pc) && off > TCG_PAGE_SIZE - 15 &&
           (decode_at(tr, pc, &i) == XD_NO_BYTES || off + i.len > TCG_PAGE_SIZE);
}

/* Leave to @pc without looking for it inside. */
static void leave_to(X86Tr *tr, uint64_t pc)
{
    int64_t off = tcg_pc_offset(tr->t, pc);

    ir_commit_pending(tr->ir);
    if (tr->one) {
        ir_put_pc(tr->ir, off);
        leave_one(tr);
    } else if (tr->hold) {
        /* After STI: the next instruction gets a region for itself. */
        ir_st_env(tr->ir, offsetof(X86State, int_shadow), ir_i8(tr->ir, 1));
        ir_put_pc(tr->ir, off);
        ir_exit(tr->ir, IR_EXIT_NEXT);
    } else if (lies_across(tr, pc)) {
        ir_goto_ind(tr->ir, ir_pc(tr->ir, off), IR_JUMP_PLAIN);
    } else {
        ir_goto(tr->ir, off);
    }
    tr->ended = true;
}

void x86_jump(X86Tr *tr, uint64_t pc)
{
    X86Block *b = in_region(tr, pc) ? block_at(tr, pc) : NULL;

    if (b) {
        b->loop |= pc <= tr->pc;
        b->reached = true;
        ir_jmp(tr->ir, b->id);
        tr->ended = true;
    } else {
        leave_to(tr, pc);
    }
}

void x86_jump_if(X86Tr *tr, X86Cond c, uint64_t pc)
{
    X86Block *b = block_at(tr, pc);

    if (b) {
        b->loop |= pc <= tr->pc;
        b->reached |= pc > tr->pc || in_page_from(tr, pc, 0);
        ir_brcond(tr->ir, c.c, c.t, c.a, c.b, b->id);
    } else {
        tr->ir->overflow = true;        /* the caller translates less */
    }
}

void x86_jump_value(X86Tr *tr, IrValue pc, unsigned hint)
{
    ir_commit_pending(tr->ir);
    if (tr->one) {
        ir_put_pc_value(tr->ir, pc);
        leave_one(tr);
    } else {
        ir_goto_ind(tr->ir, pc, hint);
    }
    tr->ended = true;
}

void x86_exit(X86Tr *tr, unsigned reason)
{
    ir_commit_pending(tr->ir);
    if ((tr->mode & MW_TF) && !tr->no_step && reason != IR_EXIT_HALT) {
        X86_CALL(tr, &x86_h_step);
    }
    ir_exit(tr->ir, reason == IR_EXIT_NEXT && (tr->mode & MW_SHADOW) ? IR_EXIT_IRQ_CHECK : reason);
    tr->ended = true;
}

void x86_go_on(X86Tr *tr)
{
    if (tr->one) {
        x86_exit(tr, IR_EXIT_IRQ_CHECK);
    } else {
        x86_jump_value(tr, ir_ld_env(tr->ir, IR_I64, offsetof(TcgEnv, pc)), IR_JUMP_PLAIN);
    }
}

void x86_exit_next(X86Tr *tr, unsigned reason)
{
    ir_commit_pending(tr->ir);
    ir_put_pc(tr->ir, tcg_pc_offset(tr->t, tr->next_pc));
    x86_exit(tr, reason);
}

static void branch_out(X86Tr *tr, BlockKind kind, uint64_t pc, IrCond c, IrType t, IrValue x,
                       IrValue y, int vector, bool has_error, uint32_t error)
{
    FlagDesc d = describe_flags(tr);
    X86Block *b = NULL;

    pass_flags(tr, &d);
    for (unsigned k = 0; k < tr->n_blocks; k++) {
        X86Block *o = &tr->blocks[k];

        if (o->kind == kind && o->pc == pc && o->vector == vector && o->error == error &&
            o->has_error == has_error && desc_equal(&o->flags, &d)) {
            b = o;
            break;
        }
    }
    if (!b) {
        b = new_block(tr, kind, pc, &d);
        if (!b) {
            tr->ir->overflow = true;
            return;
        }
        b->vector = vector;
        b->has_error = has_error;
        b->error = error;
    }
    ir_brcond(tr->ir, c, t, x, y, b->id);
}

void x86_exit_if_mode(X86Tr *tr, IrValue new_mode, bool synced)
{
    branch_out(tr, BK_EXIT, tr->next_pc, IR_NE, IR_I32, new_mode, ir_i32(tr->ir, tr->mode), 0,
               tr->no_step, synced ? EXIT_BY_CACHE : IR_EXIT_NEXT);
}

void x86_fault_if(X86Tr *tr, IrCond c, IrType t, IrValue a, IrValue b, int vector,
                  bool has_error, uint32_t error)
{
    branch_out(tr, BK_FAULT, tr->pc, c, t, a, b, vector, has_error, error);
}

void x86_exit_if(X86Tr *tr, IrCond c, IrType t, IrValue a, IrValue b, unsigned reason)
{
    branch_out(tr, BK_EXIT, tr->next_pc, c, t, a, b, 0, tr->no_step, reason);
}

void x86_leave(X86Tr *tr, uint64_t pc)
{
    leave_to(tr, pc);
}

void x86_begin_block(X86Tr *tr, IrBlockId b)
{
    ir_block_begin(tr->ir, b);
    x86_forget(tr);
    tr->fl = (X86Flags){ .dynamic = true };
    memset(tr->fl_local_value, 0, sizeof(tr->fl_local_value));
}

static void raise_now(X86Tr *tr, int vector, bool has_error, uint32_t error)
{
    IrRegion *ir = tr->ir;

    if (has_error) {
        X86_CALL(tr, &x86_h_raise_code, ir_i32(ir, vector), ir_i32(ir, error));
    } else {
        X86_CALL(tr, &x86_h_raise, ir_i32(ir, vector));
    }
    ir_unreachable(ir);
    tr->ended = true;
}

void x86_fault(X86Tr *tr, int vector)
{
    raise_now(tr, vector, false, 0);
}

void x86_fault_code(X86Tr *tr, int vector, uint32_t error)
{
    raise_now(tr, vector, true, error);
}

/* ------------------------------------------------------------- instructions */

bool x86_insn_has(const X86State *s, unsigned xf)
{
    static const struct { uint8_t word, bit; } bits[XF_NUM] = {
#define E1(x, n) [XF_##x] = { FEAT_1_EDX, n }
#define C1(x, n) [XF_##x] = { FEAT_1_ECX, n }
#define B7(x, n) [XF_##x] = { FEAT_7_0_EBX, n }
#define C7(x, n) [XF_##x] = { FEAT_7_0_ECX, n }
#define XE(x, n) [XF_##x] = { FEAT_8000_0001_EDX, n }
#define XC(x, n) [XF_##x] = { FEAT_8000_0001_ECX, n }
        E1(FPU, 0), E1(TSC, 4), E1(MSR, 5), E1(CX8, 8), E1(SEP, 11), E1(CMOV, 15),
        E1(CLFLUSH, 19), E1(MMX, 23), E1(FXSR, 24), E1(SSE, 25), E1(SSE2, 26),
        C1(SSE3, 0), C1(PCLMUL, 1), C1(MONITOR, 3), C1(SSSE3, 9), C1(FMA, 12), C1(CX16, 13), C1(SSE41, 19),
        C1(SSE42, 20), C1(MOVBE, 22), C1(POPCNT, 23), C1(AES, 25), C1(XSAVE, 26), C1(AVX, 28),
        C1(F16C, 29), C1(RDRAND, 30),
        B7(FSGSBASE, 0), B7(BMI1, 3), B7(AVX2, 5), B7(BMI2, 8), B7(INVPCID, 10), B7(RDSEED, 18), B7(ADX, 19),
        B7(SMAP, 20), B7(CLFLUSHOPT, 23), B7(CLWB, 24), B7(SHA, 29),
        C7(PKU, 3), C7(RDPID, 22),
        XE(SYSCALL, 11), XE(RDTSCP, 27), XE(LM, 29),
        XC(LAHF, 0), XC(SVM, 2), XC(LZCNT, 5), XC(SSE4A, 6), XC(3DNOWPREFETCH, 8),
        [XF_XSAVEOPT] = { FEAT_XSAVE, 0 }, [XF_XSAVEC] = { FEAT_XSAVE, 1 },
        [XF_XSAVES] = { FEAT_XSAVE, 3 }, [XF_CLZERO] = { FEAT_8000_0008_EBX, 0 },
#undef E1
#undef C1
#undef B7
#undef C7
#undef XE
#undef XC
    };

    /* APM vol. 3, PREFETCH: long mode or 3DNow! stand for it too. */
    if (xf == XF_3DNOWPREFETCH && x86_has(s, FEAT_8000_0001_EDX, 29)) {
        return true;
    }
    return xf == XF_NONE || x86_has(s, bits[xf].word, bits[xf].bit);
}

typedef struct Fetch {
    X86Tr *tr;
    uint64_t pc;
    uint32_t delta;             /* of the instruction from the entry */
    uint8_t buf[16];
    unsigned have;
} Fetch;

static bool read_byte(void *opaque, unsigned pos, uint8_t *b)
{
    Fetch *f = opaque;
    TcgTranslate *t = f->tr->t;

    if (unlikely(f->tr->s->generation == X86_8086) && f->pc + pos > 0xffff) {
        /* IP wraps (such an instruction isn't looked after if it is rewritten). */
        *b = tcg_ldu8(t->env, f->tr->s->seg[S_CS].base + (f->pc + pos - 0x10000), 0);
        return true;
    }
    while (pos >= f->have) {
        /* What is left of this page: it can be read in whole or not at all. */
        unsigned off = (t->entry_offset + f->delta + f->have) & (TCG_PAGE_SIZE - 1);
        unsigned n = MIN(sizeof(f->buf) - f->have, TCG_PAGE_SIZE - off);

        if (!n || !tcg_fetch(t, f->delta + f->have, f->buf + f->have, n)) {
            return false;
        }
        f->have += n;
    }
    *b = f->buf[pos];
    return true;
}

static X86DecodeResult decode_at(X86Tr *tr, uint64_t pc, X86Insn *i)
{
    Fetch f = { .tr = tr, .pc = pc, .delta = pc - tr->t->pc };

    if (unlikely(tr->s->generation != X86_LATER)) {
        return x86_decode_old(i, tr->s->generation, x86_has(tr->s, FEAT_1_EDX, 0), tr->bits, read_byte,
                              &f);
    }
    return x86_decode(i, tr->bits, read_byte, &f);
}

bool x86_peek(X86Tr *tr, uint64_t pc, X86Insn *i)
{
    uint64_t delta = pc - tr->t->pc;

    return ((tr->t->entry_offset + delta) & (TCG_PAGE_SIZE - 1)) <= TCG_PAGE_SIZE - 16 &&
           (tr->t->entry_offset + delta) / TCG_PAGE_SIZE == 0 && decode_at(tr, pc, i) == XD_OK;
}

static bool is_breakpoint(const X86Tr *tr, uint64_t pc)
{
    for (unsigned k = 0; k < tr->t->n_breakpoints; k++) {
        if (tr->t->breakpoints[k] == pc) {
            return true;
        }
    }
    return false;
}

/* The CPUID feature XF_* that the instruction needs. */
static unsigned insn_feature(const X86Insn *i)
{
    return (i->flags & XI_Y2) && i->vex_l ? XF_AVX2 : i->flags >> XI_FEAT_SHIFT & 0xff;
}

/* True if the instruction may be executed; else it raises. */
static bool check_insn(X86Tr *tr, const X86Insn *i)
{
    bool real = !(tr->mode & MW_PE) || (tr->mode & MW_VM);

    if ((i->flags & XI_PM && real) || !i->fn ||
        !x86_insn_has(tr->s, insn_feature(i))) {
        if (!i->fn) {
            log_unimp("x86", "%s isn't modelled", i->row->text);
        }
        x86_fault(tr, EXCP_UD);
        return false;
    }
    if ((i->flags & XI_CPL0) && tr->cpl != 0) {
        x86_fault_code(tr, EXCP_GP, 0);
        return false;
    }
    return true;
}

/* One instruction at tr->pc, whose ir_insn_start was done. */
static void translate_insn(X86Tr *tr, X86DecodeResult result)
{
    const X86Insn *i = &tr->insn;
    uint64_t last = tr->pc + i->len - 1;

    tr->ended = false;
    tr->no_step = tr->hold = false;
    tr->addr = IR_NO_VALUE;
    tr->next_pc = tr->pc + i->len;
    tr->n_split = 0;
    if (unlikely(tr->s->generation == X86_8086)) {
        tr->next_pc &= 0xffff;
    } else if (!tr->code64 && !(tr->mode & MW_CSFLAT) && last > tr->s->seg[S_CS].limit) {
        X86_CALL(tr, &x86_h_cs_limit, ir_i32(tr->ir, i->len));
    }
    if (tr->mode & MW_BP) {
        X86_CALL(tr, &x86_h_breakpoint, ir_pc(tr->ir, tcg_pc_offset(tr->t, tr->pc)));
    }
    if (tr->mode & MW_SHADOW) {
        ir_st_env(tr->ir, offsetof(X86State, int_shadow), ir_i8(tr->ir, 0));
    }
    if (result == XD_TOO_LONG) {
        x86_fault_code(tr, EXCP_GP, 0);
    } else if (result == XD_UD) {
        x86_fault(tr, EXCP_UD);
    } else if (tr->s->generation != X86_LATER && x86_old_insn(tr, i)) {
        return;
    } else if (check_insn(tr, i)) {
        i->fn(tr, i);
    }
}

/* At an instruction's start within a block: does the block end here? */
static bool block_ends(X86Tr *tr, uint64_t pc)
{
    X86Block *b;

    if (tr->hold && !tr->ir->overflow) {
        return false;
    }
    if (tr->n_insns >= tr->max_insns || tr->ir->overflow || is_breakpoint(tr, pc) || (pc < tr->t->pc && !in_region(tr, pc))) {
        leave_to(tr, pc);
        return true;
    }
    if (has_block(tr, pc)) {
        b = block_at(tr, pc);
        if (b) {
            b->reached = true;
            ir_jmp(tr->ir, b->id);
        } else {
            leave_to(tr, pc);
        }
        return true;
    }
    return false;
}

/* Do the operations from @first on write memory, or may they? */
static bool writes_memory(const IrRegion *ir, uint32_t first)
{
    for (uint32_t v = first; v < ir->n_ops; v++) {
        const IrOp *o = &ir->ops[v];

        if (o->opcode == IR_ST || (o->opcode >= IR_ATOMIC_XCHG && o->opcode <= IR_ATOMIC_CMPXCHG) ||
            (o->opcode == IR_CALL && !(o->helper->flags & IR_H_PURE))) {
            return true;
        }
    }
    return false;
}

/* Hot code keeps to itself. */
static bool other_heat(X86Tr *tr, uint64_t pc)
{
    bool hot = tcg_code_hot(tr->t, pc - tr->t->pc, MAX(tr->insn.len, 1));

    if (tr->n_insns == 0) {
        tr->hot = hot;
    }
    return hot != tr->hot;
}

static void note_bytes(X86Tr *tr, uint64_t pc, unsigned len)
{
    int64_t first = (int64_t)(pc - tr->t->pc), end = first + len;

    tr->below = MAX((int64_t)tr->below, -first);
    tr->high = MAX((int64_t)tr->high, end);
}

static void code_block(X86Tr *tr, X86Block *b)
{
    FlagDesc flags = b->flags;
    uint64_t pc = b->pc;
    bool first = true;

    b->done = true;
    set_mode(tr, b->mode);
    ir_block_begin(tr->ir, b->id);
    x86_forget(tr);
    for (;;) {
        X86DecodeResult result;
        uint32_t first_op;

        if (!first && block_ends(tr, pc)) {
            return;
        }
        result = decode_at(tr, pc, &tr->insn);
        if (result == XD_NO_BYTES && tr->n_insns == 0) {
            tcg_fetch_fault(tr->t);
        }
        if (result == XD_NO_BYTES || other_heat(tr, pc) ||
            (tr->n_insns && !in_page(tr, pc + MAX(tr->insn.len, 1) - 1))) {
            if (first) {
                at_insn(tr, pc);
                receive_flags(tr, &flags);
            }
            leave_to(tr, pc);
            return;
        }
        ir_insn_start(tr->ir, tcg_pc_offset(tr->t, pc), 0);
        if (first) {
            receive_flags(tr, &flags);
        }
        tr->n_insns++;
        tr->pc = pc;
        note_bytes(tr, pc, MAX(tr->insn.len, 1));
        first_op = tr->ir->n_ops;
        translate_insn(tr, result);
        if (unlikely(tr->hot) && !tr->ended && writes_memory(tr->ir, first_op)) {
            leave_to(tr, tr->next_pc);      /* it may have written what comes next */
        }
        first = false;
        if (tr->ended) {
            return;
        }
        pc = tr->next_pc;
    }
}

/* A block that only leaves the region. */
static void leaving_block(X86Tr *tr, X86Block *b)
{
    b->done = true;
    tr->hold = false;
    ir_block_begin(tr->ir, b->id);
    tr->ir->blocks[b->id].flags |= IR_BLOCK_COLD;
    x86_forget(tr);
    at_insn(tr, b->pc);
    receive_flags(tr, &b->flags);
    tr->no_step = b->kind == BK_EXIT && b->has_error;
    switch (b->kind) {
    case BK_FAULT:
        raise_now(tr, b->vector, b->has_error, b->error);
        break;
    case BK_EXIT:
        ir_commit_pending(tr->ir);
        if (b->error == EXIT_BY_CACHE && !tr->one) {
            ir_goto_ind(tr->ir, ir_pc(tr->ir, tcg_pc_offset(tr->t, b->pc)), IR_JUMP_PLAIN);
            break;
        }
        ir_put_pc(tr->ir, tcg_pc_offset(tr->t, b->pc));
        if (tr->one) {
            leave_one(tr);
        } else {
            ir_exit(tr->ir, b->error);
        }
        break;
    default:
        leave_to(tr, b->pc);
        break;
    }
}

/*
 * The next block of code to be translated: loops first. A conditional jump back beyond the entry closes a loop
 * that this one is in: that has a region of its own, which begins at its top.
 */
static X86Block *next_block(X86Tr *tr)
{
    X86Block *found = NULL;

    if (tr->ir->overflow || tr->n_insns >= tr->max_insns ||
        tr->n_code_blocks >= MAX_CODE_BLOCKS) {
        return NULL;
    }
    for (unsigned k = 0; k < tr->n_blocks; k++) {
        X86Block *b = &tr->blocks[k];

        if (b->kind == BK_CODE && !b->done && b->reached && in_region(tr, b->pc) && !is_breakpoint(tr, b->pc) &&
            (!found || (b->loop && !found->loop))) {
            found = b;
        }
    }
    return found;
}

void x86_translate(TcgTranslate *t)
{
    X86Block blocks[MAX_BLOCKS];
    uint32_t mode = t->mode;
    X86Tr tr = {
        .x87_block = IR_NO_BLOCK,
        .t = t, .ir = t->ir, .s = x86_state(t->env),
        .code64 = mode & MW_CS64, .bits = mode & MW_CS64 ? 64 : mode & MW_CS32 ? 32 : 16,
        .cpl = mode & MW_CPL, .blocks = blocks,
        .max_insns = MIN(t->max_insns, MAX_INSNS),
        .fl_local = { IR_NO_VAR, IR_NO_VAR, IR_NO_VAR },
    };
    FlagDesc dynamic = { .dynamic = true };
    X86Block *b;

    set_mode(&tr, mode);
    if (mode & (MW_TF | MW_SHADOW | MW_BP)) {
        tr.max_insns = 1;
    }
    tr.one = tr.max_insns == 1;
    b = new_block(&tr, BK_CODE, t->pc, &dynamic);
    code_block(&tr, b);
    while ((b = next_block(&tr)) != NULL) {
        tr.n_code_blocks++;
        code_block(&tr, b);
    }
    for (unsigned k = 0; k < tr.n_blocks; k++) {
        if (!tr.blocks[k].done) {
            leaving_block(&tr, &tr.blocks[k]);
        }
    }
    t->below = tr.below;
    t->bytes = tr.below + tr.high;
    ir_finish(t->ir);
}
