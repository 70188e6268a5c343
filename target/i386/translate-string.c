/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * String instructions and port I/O: SDM vol. 1, 7.3.9 and 7.3.10; vol. 2, REP.
 *
 * With a repeat prefix the instruction is a loop of IR blocks whose top is the
 * instruction's start: registers are committed after each round (an element, or for MOVS and STOS
 * a run of them inside pages, done by a helper), so that it can be left at each.
 */
#include "util/osdep.h"
#include "tcg/exec.h"
#include "target/i386/translate.h"

extern const IrHelper x86_h_rep_movs, x86_h_rep_stos, x86_h_in, x86_h_out, x86_h_check_io, x86_h_io_hit;

typedef enum { S_MOVS, S_CMPS, S_STOS, S_LODS, S_SCAS, S_INS, S_OUTS } StringOp;

static IrValue src_address(X86Tr *tr, const X86Insn *i, unsigned size)
{
    IrValue off = ir_zext(tr->ir, IR_I64, x86_reg(tr, R_SI, i->adsize));

    return x86_linear_address(tr, i->seg, off, size, false);
}

static IrValue dst_address(X86Tr *tr, const X86Insn *i, unsigned size, bool write)
{
    IrValue off = ir_zext(tr->ir, IR_I64, x86_reg(tr, R_DI, i->adsize));

    return x86_linear_address(tr, S_ES, off, size, write);
}

/* The register moves by the element's size, up or down. */
static void advance(X86Tr *tr, const X86Insn *i, unsigned reg, unsigned size)
{
    IrRegion *ir = tr->ir;
    IrType t = x86_type(i->adsize);
    IrValue step = ir_trunc(ir, t, ir_get(ir, G_DF));

    if (size > 1) {
        step = ir_shl(ir, t, step, ir_const(ir, t, x86_log2(size)));
    }
    x86_put_reg(tr, reg, i->adsize, ir_add(ir, t, x86_reg(tr, reg, i->adsize), step));
}

static void check_io(X86Tr *tr, IrValue port, unsigned size)
{
    if ((tr->mode & MW_PE) && ((tr->mode & MW_VM) || !(tr->mode & MW_IOPL_OK))) {
        X86_CALL(tr, &x86_h_check_io, port, ir_i32(tr->ir, size));
    }
}

static IrValue read_port(X86Tr *tr, IrValue port, unsigned size)
{
    IrValue v = X86_CALL(tr, &x86_h_in, port, ir_i32(tr->ir, size));

    X86_CALL(tr, &x86_h_io_hit, port, ir_i32(tr->ir, size));
    return size == 4 ? v : ir_trunc(tr->ir, x86_type(size), v);
}

static void write_port(X86Tr *tr, IrValue port, IrValue v, unsigned size)
{
    X86_CALL(tr, &x86_h_out, port, ir_zext(tr->ir, IR_I32, v), ir_i32(tr->ir, size));
    X86_CALL(tr, &x86_h_io_hit, port, ir_i32(tr->ir, size));
}

/* One element; registers and flags are committed. */
static void element(X86Tr *tr, const X86Insn *i, unsigned size)
{
    IrRegion *ir = tr->ir;
    IrType t = x86_type(size);
    IrValue v, w, port;

    if (unlikely(tr->s->generation == X86_286) && size == 2 && !(tr->mode & MW_PE)) {
        bool src = i->arg == S_MOVS || i->arg == S_CMPS || i->arg == S_LODS || i->arg == S_OUTS;

        x86_string_286(tr, i, src, i->arg != S_LODS && i->arg != S_OUTS, i->arg == S_CMPS, i->arg == S_MOVS || i->arg == S_STOS || i->arg == S_INS);
    }
    switch ((StringOp)i->arg) {
    case S_MOVS:
        v = x86_load(tr, src_address(tr, i, size), size);
        x86_store(tr, dst_address(tr, i, size, true), v);
        advance(tr, i, R_SI, size);
        advance(tr, i, R_DI, size);
        break;
    case S_STOS:
        x86_store(tr, dst_address(tr, i, size, true), x86_reg(tr, R_AX, size));
        advance(tr, i, R_DI, size);
        break;
    case S_LODS:
        v = x86_load(tr, src_address(tr, i, size), size);
        advance(tr, i, R_SI, size);
        x86_put_reg(tr, R_AX, size, v);
        break;
    case S_CMPS:
        v = x86_load(tr, src_address(tr, i, size), size);
        w = x86_load(tr, dst_address(tr, i, size, false), size);
        advance(tr, i, R_SI, size);
        advance(tr, i, R_DI, size);
        x86_set_flags(tr, CC_SUB, size, v, w, IR_NO_VALUE, IR_NO_VALUE);
        break;
    case S_SCAS:
        v = x86_reg(tr, R_AX, size);
        w = x86_load(tr, dst_address(tr, i, size, false), size);
        advance(tr, i, R_DI, size);
        x86_set_flags(tr, CC_SUB, size, v, w, IR_NO_VALUE, IR_NO_VALUE);
        break;
    case S_INS:
        /* The port must not be read if the store faults. */
        port = ir_zext(ir, IR_I32, x86_reg(tr, R_DX, 2));
        check_io(tr, port, size);
        w = dst_address(tr, i, size, true);
        ir_probe(ir, w, x86_memop(tr, size), true);
        v = read_port(tr, port, size);
        ir_st(ir, w, ir_value_type(ir, v) == t ? v : ir_trunc(ir, t, v), x86_memop(tr, size));
        advance(tr, i, R_DI, size);
        break;
    case S_OUTS:
        port = ir_zext(ir, IR_I32, x86_reg(tr, R_DX, 2));
        check_io(tr, port, size);
        v = x86_load(tr, src_address(tr, i, size), size);
        write_port(tr, port, v, size);
        advance(tr, i, R_SI, size);
        break;
    }
}

/* Few elements upwards, in pages that the TLB has, are done by one operation; else on at block *@other. */
static void few_at_once(X86Tr *tr, const X86Insn *i, unsigned size, IrBlockId other, IrBlockId done)
{
    IrRegion *ir = tr->ir;
    IrType t = x86_type(i->adsize);
    IrValue n = x86_reg(tr, R_CX, i->adsize), to, ok;

    ir_brcond(ir, IR_NE, IR_I64, ir_get(ir, G_DF), ir_i64(ir, 1), other);
    if (i->adsize == 8 && size > 1) {
        ir_brcond(ir, IR_GTU, IR_I64, n, ir_i64(ir, IR_BULK_MAX / size), other);
    }
    n = ir_shl(ir, IR_I64, ir_zext(ir, IR_I64, n), ir_i64(ir, x86_log2(size)));
    to = dst_address(tr, i, size, true);
    if (i->arg == S_MOVS) {
        ok = ir_copy(ir, to, src_address(tr, i, size), n, x86_memop(tr, size));
    } else {
        IrValue v = ir_zext(ir, IR_I64, x86_reg(tr, R_AX, size));

        v = size == 8 ? v : ir_mul(ir, IR_I64, v, ir_i64(ir, (int64_t)(UINT64_MAX / MASK64(0, 8 * size))));
        ok = ir_fill(ir, to, v, n, x86_memop(tr, size));
    }
    ir_brcond(ir, IR_EQ, IR_I64, ok, ir_i64(ir, 0), other);
    n = ir_trunc(ir, t, ok);
    if (i->arg == S_MOVS) {
        x86_put_reg(tr, R_SI, i->adsize, ir_add(ir, t, x86_reg(tr, R_SI, i->adsize), n));
    }
    x86_put_reg(tr, R_DI, i->adsize, ir_add(ir, t, x86_reg(tr, R_DI, i->adsize), n));
    x86_put_reg(tr, R_CX, i->adsize, ir_const(ir, t, 0));
    ir_commit_pending(ir);
    ir_jmp(ir, done);
}

/* Runs of elements by a helper, where segments need no checks by element. */
static bool bulk(X86Tr *tr, const X86Insn *i, unsigned size, IrBlockId done)
{
    IrRegion *ir = tr->ir;
    bool flat_src, flat_dst;
    IrBlockId other;

    if ((tr->mode & MW_TF) || (i->arg != S_MOVS && i->arg != S_STOS)) {
        return false;
    }
    flat_dst = tr->code64 || (tr->mode & MW_FLAT);
    flat_src = tr->code64 || ((i->seg >= S_FS || i->seg == S_CS) ? false : flat_dst);
    if (!flat_dst || (i->arg == S_MOVS && !flat_src)) {
        return false;
    }
    /* With a base, an offset of 32 bits may come round inside a page. */
    if (tcg_switches.bulk && (i->arg == S_STOS || i->seg < S_FS || i->adsize == 8)) {
        other = ir_block_new(ir);
        few_at_once(tr, i, size, other, done);
        x86_begin_block(tr, other);
    }
    if (i->arg == S_MOVS) {
        IrValue base = tr->code64 && i->seg >= S_FS
                       ? ir_get(ir, i->seg == S_FS ? G_FS_BASE : G_GS_BASE) : ir_i64(ir, 0);

        X86_CALL(tr, &x86_h_rep_movs, ir_i32(ir, size | i->adsize << 8 | tr->mmu << 16), base);
    } else {
        X86_CALL(tr, &x86_h_rep_stos, ir_i32(ir, size | i->adsize << 8 | tr->mmu << 16));
    }
    return true;
}

static void tr_string(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].kind == XO_STR_DST || i->op[0].kind == XO_STR_SRC ? i->op[0].size
                                                                               : i->op[1].size;
    IrType t = x86_type(i->adsize);
    IrRegion *ir = tr->ir;
    IrBlockId top, done;
    IrValue cx;

    if (!i->rep) {
        element(tr, i, size);
        if (i->arg == S_INS || i->arg == S_OUTS) {
            x86_exit_if(tr, IR_NE, IR_I32, ir_ld_env(ir, IR_I32, offsetof(TcgEnv, exit_request)),
                        ir_i32(ir, 0), IR_EXIT_IRQ_CHECK);
        }
        return;
    }
    x86_flags_store(tr);
    top = ir_block_new(ir);
    done = ir_block_new(ir);
    x86_begin_block(tr, top);
    if (ir->count_insns) {
        ir->blocks[top].flags |= IR_BLOCK_NO_EXIT;      /* begun anew it would count again */
    }
    cx = x86_reg(tr, R_CX, i->adsize);
    ir_brcond(ir, IR_EQ, t, cx, ir_const(ir, t, 0), done);
    if (!bulk(tr, i, size, done)) {
        element(tr, i, size);
        cx = ir_sub(ir, t, x86_reg(tr, R_CX, i->adsize), ir_const(ir, t, 1));
        x86_put_reg(tr, R_CX, i->adsize, cx);
        if (i->arg == S_CMPS || i->arg == S_SCAS) {
            X86Cond c = x86_cond(tr, i->rep == XR_REP ? 5 : 4);

            ir_commit_pending(ir);
            ir_brcond(ir, c.c, c.t, c.a, c.b, done);
        }
    }
    if (tr->mode & MW_TF) {
        /* The trap is taken after each element, and after the last one behind the instruction. */
        ir_commit_pending(ir);
        ir_brcond(ir, IR_EQ, t, x86_reg(tr, R_CX, i->adsize), ir_const(ir, t, 0), done);
        x86_flags_store(tr);
        x86_leave(tr, tr->pc);
        tr->ended = false;
    } else {
        ir_commit_pending(ir);
        ir_jmp(ir, top);
    }
    x86_begin_block(tr, done);
}

/* After port I/O: something may want to stop us right here. */
static void after_io(X86Tr *tr)
{
    IrRegion *ir = tr->ir;

    x86_exit_if(tr, IR_NE, IR_I32, ir_ld_env(ir, IR_I32, offsetof(TcgEnv, exit_request)),
                ir_i32(ir, 0), IR_EXIT_IRQ_CHECK);
}

static IrValue port_of(X86Tr *tr, const X86Operand *o)
{
    return o->kind == XO_IMM ? ir_i32(tr->ir, o->imm & 0xff)
                             : ir_zext(tr->ir, IR_I32, x86_reg(tr, R_DX, 2));
}

static void tr_in(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrValue port = port_of(tr, &i->op[1]);

    check_io(tr, port, size);
    x86_put(tr, i, 0, read_port(tr, port, size));
    after_io(tr);
}

static void tr_out(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[1].size;
    IrValue port = port_of(tr, &i->op[0]);

    check_io(tr, port, size);
    write_port(tr, port, x86_get(tr, i, 1), size);
    after_io(tr);
}

static const X86Handler string_handlers[] = {
    { "MOVS", tr_string, S_MOVS }, { "CMPS", tr_string, S_CMPS }, { "STOS", tr_string, S_STOS },
    { "LODS", tr_string, S_LODS }, { "SCAS", tr_string, S_SCAS }, { "INS", tr_string, S_INS },
    { "OUTS", tr_string, S_OUTS }, { "IN", tr_in, 0 }, { "OUT", tr_out, 0 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(string_handlers)
