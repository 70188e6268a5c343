/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The constructors of the IR's operations: each fills an IrOp and emits it. */
#include "util/osdep.h"
#include "tcg/build.h"
#include "tcg/eval.h"
#include "tcg/exec.h"
#include "tcg/vec.h"

static IrValue emit_snap(IrRegion *r, IrOp *o)
{
    o->snap = ir_snapshot(r);
    return ir_emit(r, o);
}

/* --- constants and variables --- */

IrValue ir_const(IrRegion *r, IrType t, uint64_t v)
{
    return ir_emit(r, &(IrOp){ .opcode = IR_CONST, .type = t, .imm = ir_zext_of(t, v) });
}

IrValue ir_vconst(IrRegion *r, uint64_t lo, uint64_t hi)
{
    return ir_emit(r, &(IrOp){ .opcode = IR_VCONST, .type = IR_V128, .imm = lo,
                               .arg = { (uint32_t)hi, hi >> 32 } });
}

IrValue ir_get(IrRegion *r, IrVar v)
{
    IrPending *p = ir_find_pending(r, v);
    IrValue x;

    if (p) {
        return p->value;
    }
    if (ir_avail(r, v, &x)) {
        return x;
    }
    return ir_emit(r, &(IrOp){ .opcode = IR_GET, .type = ir_var_type(r, v), .var = v });
}

void ir_put(IrRegion *r, IrVar v, IrValue x)
{
    IrValue home;

    ir_unpend(r, v);
    if (ir_avail(r, v, &home) && home == x) {
        return;
    }
    ir_emit(r, &(IrOp){ .opcode = IR_PUT, .type = ir_var_type(r, v), .var = v, .nargs = 1,
                        .arg = { x } });
    /* The snapshots after a PUT are the same: variables hold their own state. */
}

/* --- arithmetic --- */

IrValue ir_bin(IrRegion *r, IrOpcode op, IrType t, IrValue a, IrValue b)
{
    return ir_emit(r, &(IrOp){ .opcode = op, .type = t, .nargs = 2, .arg = { a, b } });
}

IrValue ir_un(IrRegion *r, IrOpcode op, IrType t, IrValue a)
{
    return ir_emit(r, &(IrOp){ .opcode = op, .type = t, .nargs = 1, .arg = { a } });
}

IrValue ir_zext(IrRegion *r, IrType to, IrValue a)
{
    return ir_value_type(r, a) == to ? a : ir_un(r, IR_ZEXT, to, a);
}

IrValue ir_sext(IrRegion *r, IrType to, IrValue a)
{
    return ir_value_type(r, a) == to ? a : ir_un(r, IR_SEXT, to, a);
}

IrValue ir_trunc(IrRegion *r, IrType to, IrValue a)
{
    return ir_value_type(r, a) == to ? a : ir_un(r, IR_TRUNC, to, a);
}

static IrValue un_imm(IrRegion *r, IrOpcode op, IrType t, IrValue a, uint64_t imm)
{
    return ir_emit(r, &(IrOp){ .opcode = op, .type = t, .nargs = 1, .arg = { a },
                               .imm = imm });
}

IrValue ir_extract(IrRegion *r, IrType t, IrValue a, unsigned pos, unsigned len)
{
    return un_imm(r, IR_EXTRACT, t, a, pos | len << 8);
}

IrValue ir_sextract(IrRegion *r, IrType t, IrValue a, unsigned pos, unsigned len)
{
    return un_imm(r, IR_SEXTRACT, t, a, pos | len << 8);
}

IrValue ir_deposit(IrRegion *r, IrType t, IrValue base, IrValue v, unsigned pos, unsigned len)
{
    return ir_emit(r, &(IrOp){ .opcode = IR_DEPOSIT, .type = t, .nargs = 2,
                               .arg = { base, v }, .imm = pos | len << 8 });
}

IrValue ir_setcond(IrRegion *r, IrCond c, IrType t, IrValue a, IrValue b)
{
    return ir_emit(r, &(IrOp){ .opcode = IR_SETCOND, .type = IR_I8, .cond = c, .nargs = 2,
                               .arg = { a, b }, .imm = t });
}

IrValue ir_select(IrRegion *r, IrCond c, IrType t, IrValue a, IrValue b, IrType rt,
                  IrValue x, IrValue y)
{
    return ir_emit(r, &(IrOp){ .opcode = IR_SELECT, .type = rt, .cond = c, .nargs = 4,
                               .arg = { a, b, x, y }, .imm = t });
}

IrValue ir_x86flags(IrRegion *r, IrX86Flags kind, IrType t, IrValue a, IrValue b, IrValue c)
{
    bool two = kind != IR_XF_LOGIC && kind != IR_XF_INC && kind != IR_XF_DEC;
    bool carry = kind == IR_XF_ADC || kind == IR_XF_SBB || kind == IR_XF_INC ||
                 kind == IR_XF_DEC;

    if (carry && !c) {
        c = ir_i8(r, 0);
    }
    return ir_emit(r, &(IrOp){ .opcode = IR_X86FLAGS, .type = IR_I32, .cond = kind,
                               .nargs = 3, .imm = t,
                               .arg = { a, two ? b : 0, carry ? c : 0 } });
}

IrValue ir_div2(IrRegion *r, bool is_signed, IrType t, IrValue hi, IrValue lo, IrValue d)
{
    return ir_emit(r, &(IrOp){ .opcode = is_signed ? IR_DIVS2 : IR_DIVU2, .type = t,
                               .nargs = 3, .arg = { hi, lo, d } });
}

IrValue ir_second(IrRegion *r, IrValue pair)
{
    return ir_un(r, IR_SECOND, ir_value_type(r, pair), pair);
}

IrValue ir_fcmp(IrRegion *r, IrType t, IrValue a, IrValue b, bool signaling)
{
    (void)t;
    return ir_emit(r, &(IrOp){ .opcode = IR_FCMP, .type = IR_I32, .cond = signaling,
                               .nargs = 2, .arg = { a, b } });
}

IrValue ir_fcvt(IrRegion *r, IrType to, IrValue a)
{
    return ir_value_type(r, a) == to ? a : ir_un(r, IR_FCVT, to, a);
}

IrValue ir_ftoi(IrRegion *r, IrType to, IrValue a, bool truncate)
{
    return ir_emit(r, &(IrOp){ .opcode = IR_FTOI, .type = to, .cond = truncate, .nargs = 1,
                               .arg = { a } });
}

IrValue ir_fbits(IrRegion *r, IrType to, IrValue a)
{
    return ir_un(r, IR_FBITS, to, a);
}

static IrValue vec(IrRegion *r, IrVecOp vop, IrValue a, IrValue b, IrValue c, uint8_t imm, bool soft)
{
    const IrVecInfo *info = &ir_vec_info[vop];

    return ir_emit(r, &(IrOp){ .opcode = IR_VEC, .type = info->result, .vop = vop, .cond = soft,
                               .nargs = strlen(info->args), .arg = { a, b, c },
                               .imm = imm });
}

IrValue ir_vec(IrRegion *r, IrVecOp vop, IrValue a, IrValue b, IrValue c, uint8_t imm)
{
    return vec(r, vop, a, b, c, imm, false);
}

IrValue ir_vec_soft(IrRegion *r, IrVecOp vop, IrValue a, IrValue b, IrValue c, uint8_t imm)
{
    return vec(r, vop, a, b, c, imm, true);
}

/* --- memory --- */

IrValue ir_ld(IrRegion *r, IrType t, IrValue addr, IrMemOp mo)
{
    return emit_snap(r, &(IrOp){ .opcode = IR_LD, .type = t, .nargs = 1, .arg = { addr },
                                 .memop = mo });
}

void ir_st(IrRegion *r, IrValue addr, IrValue v, IrMemOp mo)
{
    emit_snap(r, &(IrOp){ .opcode = IR_ST, .type = ir_value_type(r, v), .nargs = 2,
                          .arg = { addr, v }, .memop = mo });
}

void ir_probe(IrRegion *r, IrValue addr, IrMemOp mo, bool write)
{
    emit_snap(r, &(IrOp){ .opcode = IR_PROBE, .cond = write, .nargs = 1, .arg = { addr },
                          .memop = mo });
}

IrValue ir_atomic(IrRegion *r, IrOpcode op, IrType t, IrValue addr, IrValue v, IrMemOp mo)
{
    return emit_snap(r, &(IrOp){ .opcode = op, .type = t, .nargs = 2, .arg = { addr, v },
                                 .memop = mo });
}

IrValue ir_cmpxchg(IrRegion *r, IrType t, IrValue addr, IrValue expect, IrValue v, IrMemOp mo)
{
    return emit_snap(r, &(IrOp){ .opcode = IR_ATOMIC_CMPXCHG, .type = t, .nargs = 3,
                                 .arg = { addr, expect, v }, .memop = mo });
}

static IrValue bulk(IrRegion *r, IrOpcode op, IrValue at, IrValue what, IrValue n, IrMemOp mmu)
{
    return ir_emit(r, &(IrOp){ .opcode = op, .type = IR_I64, .nargs = 3, .arg = { at, what, n },
                               .memop = mmu & IR_MO_MMU });
}

IrValue ir_copy(IrRegion *r, IrValue to, IrValue from, IrValue n, IrMemOp mmu)
{
    return bulk(r, IR_COPY, to, from, n, mmu);
}

IrValue ir_fill(IrRegion *r, IrValue at, IrValue pattern, IrValue n, IrMemOp mmu)
{
    return bulk(r, IR_FILL, at, pattern, n, mmu);
}

void ir_fence(IrRegion *r)
{
    ir_emit(r, &(IrOp){ .opcode = IR_FENCE });
}

IrValue ir_ld_env(IrRegion *r, IrType t, int32_t offset)
{
    return ir_emit(r, &(IrOp){ .opcode = IR_LD_ENV, .type = t, .imm = (int64_t)offset });
}

IrValue ir_ld_code(IrRegion *r, IrType t, const void *host)
{
    return ir_emit(r, &(IrOp){ .opcode = IR_LD_CODE, .type = t, .imm = (uintptr_t)host });
}

void ir_guard(IrRegion *r, const uint8_t *host, unsigned size, uint64_t value)
{
    ir_grow((void **)&r->guards, &r->cap_guards, r->n_guards, sizeof(*r->guards));
    r->guards[r->n_guards++] = (IrGuard){ host, value, size };
}

void ir_st_env(IrRegion *r, int32_t offset, IrValue v)
{
    ir_emit(r, &(IrOp){ .opcode = IR_ST_ENV, .type = ir_value_type(r, v), .nargs = 1,
                        .arg = { v }, .imm = (int64_t)offset });
}

static IrType sig_type(char letter)
{
    switch (letter) {
    case 'b':
        return IR_I8;
    case 'w':
        return IR_I16;
    case 'l':
        return IR_I32;
    case 'q':
        return IR_I64;
    default:
        return IR_VOID;
    }
}

/* Before a call: what the helper may look at, or overwrite, goes home. */
static void commit_for_helper(IrRegion *r, const IrHelper *h)
{
    uint64_t touched = h->reads | h->writes;

    ir_ask_due(r);
    if (h->flags & (IR_H_READS | IR_H_WRITES)) {
        ir_commit_pending(r);
        return;
    }
    for (unsigned i = 0; i < r->state.n_pending; ) {
        IrPending p = r->state.pending[i];

        if (p.var < 64 && touched >> p.var & 1) {
            ir_put(r, p.var, p.value);
        } else {
            i++;
        }
    }
}

IrValue ir_call(IrRegion *r, const IrHelper *h, unsigned n, const IrValue *args)
{
    IrOp o = { .opcode = IR_CALL, .type = sig_type(h->sig[0]), .nargs = n, .helper = h };
    IrValue v;

    for (unsigned i = 0; i < n && i < IR_MAX_ARGS; i++) {
        *ir_arg_ptr(&o, i) = args[i];
    }
    commit_for_helper(r, h);
    v = h->flags & IR_H_RAISES ? emit_snap(r, &o) : ir_emit(r, &o);
    return o.type == IR_VOID ? IR_NO_VALUE : v;
}

/* --- control --- */

/* A branch to a block begun earlier may leave there: with the state at its top. */
static void snap_back_edge(IrRegion *r, IrOp *o)
{
    const IrBlock *to = &r->blocks[o->br.target];
    IrSnapshot kept;

    if (to->first) {
        ir_ask_due(r);
        to = &r->blocks[o->br.target];
        kept = r->state;
        r->state.pc_offset = to->pc_offset;
        r->state.aux = to->aux;
        r->state.icount = r->n_insns;
        r->last_snap = 0;
        o->snap = ir_snapshot(r);
        r->state = kept;
        r->last_snap = 0;
    }
}

void ir_brcond(IrRegion *r, IrCond c, IrType t, IrValue a, IrValue b, IrBlockId target)
{
    IrOp o = { .opcode = IR_BRCOND, .type = t, .cond = c, .nargs = 2, .arg = { a, b } };

    o.br.target = target;
    o.br.icount = r->cur == IR_NO_BLOCK ? 0 : r->blocks[r->cur].n_insns;
    snap_back_edge(r, &o);
    ir_emit(r, &o);
}

void ir_jmp(IrRegion *r, IrBlockId target)
{
    IrOp o = { .opcode = IR_JMP };

    o.br.target = target;
    snap_back_edge(r, &o);
    ir_emit(r, &o);
}

void ir_goto(IrRegion *r, int64_t pc_offset)
{
    ir_commit_pending(r);
    ir_emit(r, &(IrOp){ .opcode = IR_GOTO, .pc_offset = pc_offset });
}

void ir_goto_ind(IrRegion *r, IrValue pc, unsigned hint)
{
    ir_commit_pending(r);
    ir_emit(r, &(IrOp){ .opcode = IR_GOTO_IND, .cond = hint, .nargs = 1, .arg = { pc } });
}

IrValue ir_pc(IrRegion *r, int64_t pc_offset)
{
    IrVar g = r->build->pc_bias;
    IrValue bias = g != IR_NO_VAR ? ir_get(r, g)
                                  : ir_ld_env(r, IR_I64, offsetof(TcgEnv, pc_bias));

    return ir_add(r, IR_I64, bias, ir_i64(r, pc_offset));
}

void ir_put_pc(IrRegion *r, int64_t pc_offset)
{
    ir_put_pc_value(r, ir_pc(r, pc_offset));
}

void ir_put_pc_value(IrRegion *r, IrValue pc)
{
    ir_st_env(r, offsetof(TcgEnv, pc), pc);
}

void ir_exit(IrRegion *r, unsigned reason)
{
    ir_commit_pending(r);
    ir_emit(r, &(IrOp){ .opcode = IR_EXIT, .imm = reason });
}

void ir_unreachable(IrRegion *r)
{
    ir_emit(r, &(IrOp){ .opcode = IR_UNREACHABLE });
}
