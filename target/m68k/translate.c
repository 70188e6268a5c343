/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From guest code to a region of IR: blocks, what is known of the codes between them, leaving.
 *
 * A block's key is (PC, FlagDesc): the recipes of the codes as far as registers and constants
 * express them. So a loop's second turn finds a block that knows its compare, and nothing is
 * stored. After MAX_VERSIONS of one PC the codes are stored, and known by the globals.
 */
#include "util/osdep.h"
#include "target/m68k/fp-double.h"
#include "target/m68k/helpers.h"
#include "target/m68k/translate.h"
#include "util/bswap.h"
#include "util/log.h"

#define MAX_BLOCKS      320
#define SPARE_BLOCKS    8       /* what an instruction may need */
#define MAX_CODE_BLOCKS 40
#define MAX_VERSIONS    3
#define MAX_INSNS       120

/* ------------------------------------------------------ codes across block edges */

enum { SY_NONE, SY_CONST, SY_REG };
typedef struct Sym {
    uint8_t how, reg;
    uint32_t imm;
} Sym;
typedef struct RecipeDesc {
    bool dynamic;
    uint8_t kind, size;
    Sym a, b;
} RecipeDesc;
typedef struct FlagDesc {
    RecipeDesc cc, x;
} FlagDesc;

typedef enum BlockKind { BK_CODE, BK_EXCEPT, BK_EXIT, BK_SLOW, BK_ODD } BlockKind;

struct M68kBlock {
    uint32_t pc, next;          /* EXCEPT: of the instruction, and behind it; ODD: and its target */
    FlagDesc flags;
    uint8_t kind;
    bool done, loop;
    int16_t vector;             /* EXCEPT; ODD: words from the instruction to its prefetch */
    IrBlockId id;
};

static const FlagDesc all_dynamic = { { .dynamic = true }, { .dynamic = true } };

static bool sym_equal(const Sym *x, const Sym *y)
{
    return x->how == y->how && x->reg == y->reg && x->imm == y->imm;
}

static bool recipe_equal(const RecipeDesc *x, const RecipeDesc *y)
{
    if (x->dynamic || y->dynamic) {
        return x->dynamic && y->dynamic;
    }
    return x->kind == y->kind && x->size == y->size && sym_equal(&x->a, &y->a) &&
           sym_equal(&x->b, &y->b);
}

static bool desc_equal(const FlagDesc *x, const FlagDesc *y)
{
    return recipe_equal(&x->cc, &y->cc) && recipe_equal(&x->x, &y->x);
}

/* Is @v the low part of @reg as m68k_reg() would give it? Without making that. */
static bool is_low(const IrOp *ops, IrValue reg, IrType t, IrValue v)
{
    const IrOp *o = &ops[v];

    for (;;) {
        const IrOp *r = &ops[reg];

        if ((reg == v && o->type == t) || (o->opcode == IR_TRUNC && o->type == t && o->arg[0] == reg)) {
            return true;
        }
        if (r->opcode == IR_ZEXT || r->opcode == IR_SEXT) {
            reg = r->arg[0];
        } else if (r->opcode == IR_DEPOSIT && r->imm == (uint64_t)ir_type_bits(t) << 8) {
            reg = r->arg[1];
        } else {
            return false;
        }
    }
}

static bool describe_value(M68kTr *tr, IrValue v, unsigned size, Sym *s)
{
    uint64_t imm;

    *s = (Sym){ SY_NONE, 0, 0 };
    if (!v) {
        return true;
    }
    if (ir_is_const(tr->ir, v, &imm)) {
        s->how = SY_CONST;
        s->imm = (uint32_t)imm;
        return true;
    }
    for (unsigned r = 0; r < 16; r++) {
        if (tr->reg[r] && is_low(tr->ir->ops, tr->reg[r], m68k_type(size), v)) {
            s->how = SY_REG;
            s->reg = (uint8_t)r;
            return true;
        }
    }
    return false;
}

static RecipeDesc describe_recipe(M68kTr *tr, const Recipe *r)
{
    RecipeDesc d = { .dynamic = true };

    if (!r->dynamic) {
        d = (RecipeDesc){ .kind = r->kind, .size = r->size };
        if (!describe_value(tr, r->a, r->kind == CC_FLAGS ? 2 : r->size, &d.a) ||
            !describe_value(tr, r->b, r->kind >= CC_SHIFT ? 2 : r->size, &d.b)) {
            d = (RecipeDesc){ .dynamic = true };
        }
    }
    return d;
}

static FlagDesc describe(M68kTr *tr)
{
    return (FlagDesc){ describe_recipe(tr, &tr->cc), describe_recipe(tr, &tr->x) };
}

static IrValue receive_value(M68kTr *tr, const Sym *s, unsigned size)
{
    return s->how == SY_CONST ? ir_const(tr->ir, m68k_type(size), s->imm) :
           s->how == SY_REG ? m68k_reg(tr, s->reg, size) : IR_NO_VALUE;
}

static IrValue widen(M68kTr *tr, IrValue v)
{
    return v ? ir_zext(tr->ir, IR_I32, v) : ir_i32(tr->ir, 0);
}

static void put_recipe(M68kTr *tr, const Recipe *r, IrVar op)
{
    ir_put(tr->ir, op, ir_i32(tr->ir, CC_OP(r->kind, r->size)));
    ir_put(tr->ir, op + 1, widen(tr, r->a));
    if (r->b) {
        ir_put(tr->ir, op + 2, widen(tr, r->b));
    }
}

/* What a block with this key doesn't know must be in the globals. */
static void pass_flags(M68kTr *tr, const FlagDesc *d)
{
    if (d->cc.dynamic && !tr->cc.dynamic) {
        put_recipe(tr, &tr->cc, G_CC_OP);
    }
    if (d->x.dynamic && !tr->x.dynamic) {
        put_recipe(tr, &tr->x, G_X_OP);
    }
}

static void receive_recipe(M68kTr *tr, const RecipeDesc *d, Recipe *r, IrVar op)
{
    if (d->dynamic) {
        *r = (Recipe){ .dynamic = true };
        return;
    }
    *r = (Recipe){ .kind = d->kind, .size = d->size };
    r->a = receive_value(tr, &d->a, d->kind == CC_FLAGS ? 2 : d->size);
    r->b = receive_value(tr, &d->b, d->kind >= CC_SHIFT ? 2 : d->size);
    ir_pend(tr->ir, op, ir_i32(tr->ir, CC_OP(r->kind, r->size)));
    ir_pend(tr->ir, op + 1, widen(tr, r->a));
    if (r->b) {
        ir_pend(tr->ir, op + 2, widen(tr, r->b));
    }
}

static void receive_flags(M68kTr *tr, const FlagDesc *d)
{
    tr->codes_due = 0;
    receive_recipe(tr, &d->cc, &tr->cc, G_CC_OP);
    receive_recipe(tr, &d->x, &tr->x, G_X_OP);
}

/* --------------------------------------------------------------------- blocks */

static M68kBlock *new_block(M68kTr *tr, BlockKind kind, uint32_t pc, const FlagDesc *d)
{
    M68kBlock *b;

    if (tr->n_blocks == MAX_BLOCKS) {
        tr->ir->overflow = true;
        return NULL;
    }
    b = &tr->blocks[tr->n_blocks++];
    *b = (M68kBlock){ .pc = pc, .flags = *d, .kind = (uint8_t)kind, .id = ir_block_new(tr->ir) };
    return b;
}

/* Does the word at @pc begin in the entry's page, not below the entry? */
static bool in_page(const M68kTr *tr, uint32_t pc)
{
    return pc - (uint32_t)tr->t->pc < (uint32_t)(TCG_PAGE_SIZE - tr->t->entry_offset);
}

static bool in_region(const M68kTr *tr, uint32_t pc)
{
    return !tr->one && !tr->hot && !tr->t->straight && !(pc & 1) && in_page(tr, pc);
}

static int64_t offset_of(const M68kTr *tr, uint32_t pc)
{
    return tcg_pc_offset(tr->t, tr->t->pc + (int32_t)(pc - (uint32_t)tr->t->pc));
}

/* The block for @pc with the codes as they are now, which are passed: in the first tier, where a branch leaves, by the globals. */
static M68kBlock *block_at(M68kTr *tr, uint32_t pc)
{
    FlagDesc d = tr->t->straight ? all_dynamic : describe(tr);
    unsigned versions = 0;
    M68kBlock *b;

    for (int pass = 0; pass < 2; pass++) {
        for (unsigned k = 0; k < tr->n_blocks; k++) {
            b = &tr->blocks[k];
            /* A region that has no loops isn't entered again from within: a step is one step. */
            if (k == 0 && !in_region(tr, pc)) {
                continue;
            }
            if (b->kind == BK_CODE && b->pc == pc) {
                if (desc_equal(&b->flags, &d)) {
                    pass_flags(tr, &d);
                    return b;
                }
                versions++;
            }
        }
        if (!in_region(tr, pc) || versions < MAX_VERSIONS - 1) {
            break;
        }
        d = all_dynamic;
    }
    b = new_block(tr, BK_CODE, pc, &d);
    if (b) {
        pass_flags(tr, &d);
    }
    return b;
}

static bool has_block(const M68kTr *tr, uint32_t pc)
{
    for (unsigned k = 0; k < tr->n_blocks; k++) {
        if (tr->blocks[k].kind == BK_CODE && tr->blocks[k].pc == pc) {
            return true;
        }
    }
    return false;
}

static void at_insn(M68kTr *tr, uint32_t pc)
{
    ir_insn_at(tr->ir, (int32_t)offset_of(tr, pc), 0);
}

/* -------------------------------------------------------------------- leaving */

static void h_trace(void *env, uint32_t jumped)
{
    M68kState *s = env;

    s->trace_pending = (s->sr & SR_T1) || ((s->sr & SR_T0) && jumped);
    if (s->trace_pending) {
        cpu_raise(s->tcg.cpu, CPU_INTR_DEBUG);
    }
}
static const IrHelper trace_helper = { "m68k_trace", h_trace, "v:el", 0, 0, 0 };

/* Trace (PRM 1.3.2): tested with the bits as they were at the instruction's start, which the
 * mode word has; taken as an interrupt before the next. */
static void trace(M68kTr *tr, bool jumped)
{
    if (tr->mode & MW_TRACE) {
        IR_CALL(tr->ir, &trace_helper, ir_i32(tr->ir, jumped));
    }
}

static void leave_one(M68kTr *tr, bool jumped)
{
    trace(tr, jumped);
    ir_exit(tr->ir, tr->mode & MW_TRACE ? IR_EXIT_IRQ_CHECK : IR_EXIT_INSN_LIMIT);
}

/* May an instruction at @pc lie across the end of the page? Nothing chains to its region. */
static bool lies_across(M68kTr *tr, uint32_t pc)
{
    return in_page(tr, pc) && (offset_of(tr, pc) & (TCG_PAGE_SIZE - 1)) > TCG_PAGE_SIZE - 24;
}

static void leave_to(M68kTr *tr, uint32_t pc, bool jumped)
{
    int64_t off = offset_of(tr, pc);

    m68k_commit(tr);
    ir_commit_pending(tr->ir);
    if (tr->one) {
        ir_put_pc_value(tr->ir, m68k_pc(tr, pc));
        leave_one(tr, jumped);
    } else if (lies_across(tr, pc) || (pc & 1) || !in_page(tr, pc)) {
        ir_goto_ind(tr->ir, m68k_pc(tr, pc), IR_JUMP_PLAIN);
    } else {
        ir_goto(tr->ir, off);
    }
    tr->ended = true;
}

/* The 68000 fetches from an odd target as a part of the jump. */
void m68k_check_target(M68kTr *tr, IrValue target, uint32_t words)
{
    if (tr->features & M68K_000) {
        tr->ir->state.aux = (uint32_t)tr->op << AUX_OPCODE_SHIFT | AUX_PROGRAM | words << AUX_PC_SHIFT;
        tr->ir->last_snap = 0;
        IR_CALL(tr->ir, &m68k_h_odd_target, target, ir_i32(tr->ir, tr->ir->state.aux));
    }
}

static bool odd_000(const M68kTr *tr, uint32_t pc)
{
    return (pc & 1) && (tr->features & M68K_000);
}

void m68k_jump(M68kTr *tr, uint32_t pc)
{
    M68kBlock *b;

    m68k_commit(tr);
    if (odd_000(tr, pc)) {
        bool bsr = tr->op >> 8 == 0x61;

        m68k_check_target(tr, ir_trunc(tr->ir, IR_I32, m68k_pc(tr, pc)),
                     bsr ? 0 : tr->op >> 6 == 0x13a ? (tr->next - tr->pc) / 2 : 1);
        ir_unreachable(tr->ir);
        tr->ended = true;
        return;
    }
    b = in_region(tr, pc) ? block_at(tr, pc) : NULL;
    if (b) {
        b->loop |= pc <= tr->pc;
        ir_jmp(tr->ir, b->id);
        tr->ended = true;
    } else {
        leave_to(tr, pc, true);
    }
}

void m68k_jump_if(M68kTr *tr, M68kCond c, uint32_t pc)
{
    M68kBlock *b;

    if (odd_000(tr, pc)) {              /* DBcc hasn't changed its counter then */
        FlagDesc d = describe(tr);

        pass_flags(tr, &d);
        b = new_block(tr, BK_ODD, tr->pc, &d);
        if (b) {
            b->next = pc;
            b->vector = (int16_t)(tr->op >> 12 == 5 ? 2 : 1);   /* DBcc, Bcc */
        }
    } else {
        m68k_commit(tr);
        b = block_at(tr, pc);
    }
    if (b) {
        b->loop |= pc <= tr->pc;
        ir_brcond(tr->ir, c.c, c.t, c.a, c.b, b->id);
    }
}

void m68k_jump_value(M68kTr *tr, IrValue pc, unsigned hint)
{
    m68k_commit(tr);
    m68k_check_target(tr, ir_trunc(tr->ir, IR_I32, pc), hint == IR_JUMP_CALL ? (tr->next - tr->pc) / 2 : 1);
    ir_commit_pending(tr->ir);
    if (tr->one) {
        ir_put_pc_value(tr->ir, pc);
        leave_one(tr, true);
    } else {
        ir_goto_ind(tr->ir, pc, hint);
    }
    tr->ended = true;
}

void m68k_exit(M68kTr *tr, unsigned reason)
{
    m68k_commit(tr);
    ir_commit_pending(tr->ir);
    if (reason != IR_EXIT_HALT) {
        trace(tr, true);
    }
    ir_exit(tr->ir, tr->mode & MW_TRACE && reason == IR_EXIT_NEXT ? IR_EXIT_IRQ_CHECK : reason);
    tr->ended = true;
}

void m68k_exit_next(M68kTr *tr, unsigned reason)
{
    m68k_commit(tr);
    ir_commit_pending(tr->ir);
    ir_put_pc_value(tr->ir, m68k_pc(tr, tr->next));
    m68k_exit(tr, reason);
}

/* ----------------------------------------------------------------- exceptions */

static void h_raise2(void *env, uint32_t vector, uint32_t len)
{
    m68k_raise_format2(env, (int)vector, (unsigned)len);
}
static const IrHelper raise2_helper = {
    "m68k_raise2", h_raise2, "v:ell", IR_H_RAISES | IR_H_NORETURN, 0, 0,
};

/* To the PC that a helper has set, in another mode perhaps. */
void m68k_go_on(M68kTr *tr, bool traced)
{
    if (traced) {
        trace(tr, true);
    }
    if (tr->one) {
        ir_exit(tr->ir, IR_EXIT_IRQ_CHECK);
    } else {
        ir_goto_ind(tr->ir, ir_ld_env(tr->ir, IR_I64, offsetof(TcgEnv, pc)), IR_JUMP_PLAIN);
    }
    tr->ended = true;
}

/* Entered at once, as by a call: system calls are many. */
void m68k_except(M68kTr *tr, int vector, uint32_t pc)
{
    m68k_commit(tr);
    ir_commit_pending(tr->ir);
    ir_put_pc_value(tr->ir, m68k_pc(tr, tr->pc));
    M68K_CALL(tr, &m68k_h_enter, ir_i32(tr->ir, (uint32_t)vector), ir_i32(tr->ir, pc - tr->pc));
    m68k_go_on(tr, false);
}

void m68k_except2(M68kTr *tr, int vector)
{
    m68k_commit(tr);
    IR_CALL(tr->ir, &raise2_helper, ir_i32(tr->ir, (uint32_t)vector),
            ir_i32(tr->ir, tr->next - tr->pc));
    ir_unreachable(tr->ir);
    tr->ended = true;
}

void m68k_except2_if(M68kTr *tr, M68kCond c, int vector)
{
    FlagDesc d;
    M68kBlock *b;

    m68k_commit(tr);
    d = describe(tr);
    pass_flags(tr, &d);
    b = new_block(tr, BK_EXCEPT, tr->pc, &d);
    if (b) {
        b->next = tr->next;
        b->vector = (int16_t)vector;
        ir_brcond(tr->ir, c.c, c.t, c.a, c.b, b->id);
    }
}

void m68k_slow_if(M68kTr *tr, M68kCond c)
{
    IrValue now[16];
    uint16_t dirty = tr->dirty;
    M68kBlock *b = NULL;
    FlagDesc d;

    memcpy(now, tr->reg, sizeof(now));
    memcpy(tr->reg, tr->before, sizeof(now));
    tr->dirty = 0;
    d = describe(tr);
    pass_flags(tr, &d);
    for (unsigned k = tr->n_blocks; k-- > 0 && !b;) {
        M68kBlock *o = &tr->blocks[k];

        b = o->kind == BK_SLOW && o->pc == tr->pc && !o->done && desc_equal(&o->flags, &d) ? o : NULL;
    }
    b = b ? b : new_block(tr, BK_SLOW, tr->pc, &d);
    if (b) {
        ir_brcond(tr->ir, c.c, c.t, c.a, c.b, b->id);
    }
    memcpy(tr->reg, now, sizeof(now));
    tr->dirty = dirty;
}

void m68k_illegal(M68kTr *tr)
{
    m68k_except(tr, EXCP_ILLEGAL, tr->pc);
}

bool m68k_privileged(M68kTr *tr)
{
    if (!(tr->mode & MW_S)) {
        m68k_except(tr, EXCP_PRIVILEGE, tr->pc);
        return false;
    }
    return true;
}

IrValue m68k_call(M68kTr *tr, const IrHelper *h, unsigned n, const IrValue *args)
{
    IrValue v;

    m68k_commit(tr);
    v = ir_call(tr->ir, h, n, args);
    if ((h->flags & IR_H_WRITES) || (h->writes & ~FP_GLOBALS)) {
        m68k_forget(tr);
        tr->cc = tr->x = (Recipe){ .dynamic = true };
    }
    return v;
}

/* --------------------------------------------------------------- instructions */

static bool is_breakpoint(const M68kTr *tr, uint32_t pc)
{
    for (unsigned k = 0; k < tr->t->n_breakpoints; k++) {
        if ((uint32_t)tr->t->breakpoints[k] == pc) {
            return true;
        }
    }
    return false;
}

/* What a word means that the model doesn't have. */
static void unknown(M68kTr *tr)
{
    unsigned line = tr->op >> 12;

    m68k_except(tr, line == 15 ? EXCP_LINE_F : line == 10 ? EXCP_LINE_A : EXCP_ILLEGAL, tr->pc);
}

static void translate_insn(M68kTr *tr)
{
    tr->ended = tr->jumps = false;
    tr->row = m68k_decode(tr->op);
    if (!tr->row) {
        unknown(tr);
    } else if (!(tr->row->models & tr->features & M68K_ALL)) {
        if ((tr->features & M68K_060) && (tr->row->models & M68K_020UP) && tr->op >> 12 != 15) {
            m68k_except(tr, EXCP_UNIMP_INT, tr->pc);
        } else {
            unknown(tr);
        }
    } else {
        tr->row->fn(tr);
    }
    if (!tr->ended) {
        m68k_commit(tr);
    }
}

static bool block_ends(M68kTr *tr, uint32_t pc)
{
    if (tr->n_insns >= tr->max_insns || tr->ir->overflow || is_breakpoint(tr, pc) ||
        tr->n_blocks > MAX_BLOCKS - SPARE_BLOCKS) {
        leave_to(tr, pc, tr->jumps);
        return true;
    }
    if (has_block(tr, pc)) {
        M68kBlock *b = block_at(tr, pc);

        if (b) {
            ir_jmp(tr->ir, b->id);
        } else {
            leave_to(tr, pc, tr->jumps);
        }
        return true;
    }
    return false;
}

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

static bool other_heat(M68kTr *tr, uint32_t pc)
{
    bool hot = tcg_code_hot(tr->t, pc - (uint32_t)tr->t->pc, 2);

    if (tr->n_insns == 0) {
        tr->hot = hot;
    }
    return hot != tr->hot;
}

/* The longest instruction has 11 words: it is known beforehand whether all of them can be
 * fetched, so that nothing has been emitted of one that can't. */
static bool can_fetch(M68kTr *tr, uint32_t pc)
{
    uint32_t delta = pc - (uint32_t)tr->t->pc;
    unsigned room = (unsigned)(TCG_PAGE_SIZE - (offset_of(tr, pc) & (TCG_PAGE_SIZE - 1)));

    tr->ahead_at = pc;
    tr->ahead_n = room >= sizeof(tr->ahead) ? sizeof(tr->ahead) : 2;
    return tcg_fetch(tr->t, delta, tr->ahead, tr->ahead_n);
}

static void odd_pc(M68kTr *tr);

static void code_block(M68kTr *tr, M68kBlock *b)
{
    FlagDesc flags = b->flags;
    uint32_t pc = b->pc;
    bool first = true;

    b->done = true;
    ir_block_begin(tr->ir, b->id);
    m68k_forget(tr);
    for (;;) {
        uint32_t first_op;

        if (!first && block_ends(tr, pc)) {
            return;
        }
        if ((pc & 1) && tr->n_insns == 0) {
            odd_pc(tr);
            return;
        }
        if (!can_fetch(tr, pc)) {
            if (tr->n_insns == 0) {
                tcg_fetch_fault(tr->t);
            }
            if (first) {
                at_insn(tr, pc);
                receive_flags(tr, &flags);
            }
            leave_to(tr, pc, false);
            return;
        }
        /* Near the page's end an instruction is alone, since it may go on in the next. */
        if (other_heat(tr, pc) || (tr->n_insns && lies_across(tr, pc))) {
            if (first) {
                at_insn(tr, pc);
                receive_flags(tr, &flags);
            }
            leave_to(tr, pc, false);
            return;
        }
        ir_insn_start(tr->ir, (int32_t)offset_of(tr, pc), 0);
        if (first) {
            receive_flags(tr, &flags);
        }
        if (lies_across(tr, pc)) {
            tr->max_insns = 1;
        }
        tr->n_insns++;
        tr->pc = tr->next = pc;
        first_op = tr->ir->n_ops;
        tr->op = m68k_word(tr);
        translate_insn(tr);
        if (tr->fetch_failed) {
            tcg_fetch_fault(tr->t);     /* only a region's first instruction reaches a second page */
        }
        tr->high = MAX(tr->high, tr->next - (uint32_t)tr->t->pc);
        if (unlikely(tr->hot) && !tr->ended && writes_memory(tr->ir, first_op)) {
            leave_to(tr, tr->next, tr->jumps);
        }
        first = false;
        if (tr->ended) {
            return;
        }
        pc = tr->next;
    }
}

/* A jump to an odd address: the jump is over, the fetch fails. */
static void odd_pc(M68kTr *tr)
{
    ir_insn_start(tr->ir, (int32_t)offset_of(tr, (uint32_t)tr->t->pc), 0);
    receive_flags(tr, &all_dynamic);
    tr->n_insns++;
    tr->pc = tr->next = (uint32_t)tr->t->pc;
    tr->high = 2;
    m68k_except(tr, EXCP_ADDRESS, tr->pc);
}

static void leaving_block(M68kTr *tr, M68kBlock *b)
{
    b->done = true;
    ir_block_begin(tr->ir, b->id);
    tr->ir->blocks[b->id].flags |= IR_BLOCK_COLD;
    m68k_forget(tr);
    at_insn(tr, b->pc);
    receive_flags(tr, &b->flags);
    if (b->kind == BK_EXCEPT) {
        tr->pc = b->pc;
        tr->next = b->next;
        m68k_except2(tr, b->vector);
    } else if (b->kind == BK_ODD) {
        tr->pc = tr->next = b->pc;
        tr->op = m68k_word(tr);
        m68k_check_target(tr, ir_trunc(tr->ir, IR_I32, m68k_pc(tr, b->next)), (unsigned)b->vector);
        ir_unreachable(tr->ir);
    } else if (b->kind == BK_SLOW) {
        tr->pc = tr->next = b->pc;
        tr->op = m68k_word(tr);
        tr->slow = true;
        translate_insn(tr);
        tr->slow = false;
        if (!tr->ended) {
            leave_to(tr, tr->next, tr->jumps);
        }
    } else {
        leave_to(tr, b->pc, true);
    }
}

static M68kBlock *next_block(M68kTr *tr)
{
    M68kBlock *found = NULL;

    if (tr->ir->overflow || tr->n_insns >= tr->max_insns ||
        tr->n_code_blocks >= MAX_CODE_BLOCKS) {
        return NULL;
    }
    for (unsigned k = 0; k < tr->n_blocks; k++) {
        M68kBlock *b = &tr->blocks[k];

        if (b->kind == BK_CODE && !b->done && in_region(tr, b->pc) && !is_breakpoint(tr, b->pc) &&
            !lies_across(tr, b->pc) && (!found || (b->loop && !found->loop))) {
            found = b;
        }
    }
    return found;
}

void m68k_translate(TcgTranslate *t)
{
    M68kBlock blocks[MAX_BLOCKS];
    const M68kState *s = (const M68kState *)t->env;
    M68kTr tr = {
        .t = t, .ir = t->ir, .s = s, .mode = (uint32_t)t->mode, .features = s->features,
        .max_insns = MIN(t->max_insns, MAX_INSNS), .blocks = blocks,
    };
    M68kBlock *b;

    tr.mo = IR_MO_BE | IR_MO_MMU_IDX(tr.mode & MW_S ? M68K_MMU_SUPER : M68K_MMU_USER);
    if (tr.mode & MW_TRACE) {
        tr.max_insns = 1;
    }
    tr.one = tr.max_insns == 1;
    tr.ir->pend_due = m68k_pend_codes;
    tr.ir->pend_opaque = &tr;
    b = new_block(&tr, BK_CODE, (uint32_t)t->pc, &all_dynamic);
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
    t->bytes = tr.high;
    ir_finish(t->ir);
}
