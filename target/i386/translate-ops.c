/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers, operands, addresses and segments of translated instructions.
 * Sources: SDM vol. 1, 3.3 and 3.7; vol. 3A chapter 5.
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

/* Checks of a segment in protected mode that isn't known to be flat: type, limit,
 * canonical addresses. @info: segment | bytes << 8 | write << 16. */
extern const IrHelper x86_h_seg_check;

void x86_forget(X86Tr *tr)
{
    memset(tr->reg, 0, sizeof(tr->reg));
}

IrValue x86_reg(X86Tr *tr, unsigned reg, unsigned bytes)
{
    unsigned n = x86_log2(bytes);
    IrValue *known = tr->reg[reg];

    if (!known[3]) {
        known[3] = ir_get(tr->ir, G_RAX + reg);
    }
    if (!known[n]) {
        known[n] = ir_trunc(tr->ir, x86_type(bytes), known[3]);
    }
    return known[n];
}

void x86_put_reg(X86Tr *tr, unsigned reg, unsigned bytes, IrValue v)
{
    IrRegion *ir = tr->ir;
    IrValue *known = tr->reg[reg], full;

    if (bytes == 8) {
        full = v;
    } else if (bytes == 4) {
        full = ir_zext(ir, IR_I64, v);
    } else {
        full = ir_deposit(ir, IR_I64, x86_reg(tr, reg, 8), ir_zext(ir, IR_I64, v), 0, bytes * 8);
    }
    memset(known, 0, sizeof(tr->reg[reg]));
    known[x86_log2(bytes)] = v;
    known[3] = full;
    ir_put(ir, G_RAX + reg, full);
}

static IrValue get_high(X86Tr *tr, unsigned reg)
{
    return ir_trunc(tr->ir, IR_I8, ir_extract(tr->ir, IR_I64, x86_reg(tr, reg, 8), 8, 8));
}

static void put_high(X86Tr *tr, unsigned reg, IrValue v)
{
    IrValue full = ir_deposit(tr->ir, IR_I64, x86_reg(tr, reg, 8),
                              ir_zext(tr->ir, IR_I64, v), 8, 8);

    memset(tr->reg[reg], 0, sizeof(tr->reg[reg]));
    tr->reg[reg][3] = full;
    ir_put(tr->ir, G_RAX + reg, full);
}

/* ---------------------------------------------------------------- addresses */

static IrValue index_value(X86Tr *tr, unsigned reg, unsigned scale, unsigned size)
{
    IrType t = x86_type(size);
    IrValue v = x86_reg(tr, reg, size);

    return scale ? ir_shl(tr->ir, t, v, ir_const(tr->ir, t, scale)) : v;
}

IrValue x86_code_bytes(X86Tr *tr, unsigned at, unsigned enc, unsigned size)
{
    const void *p = tr->hot && enc ? tcg_code_patched(tr->t, tr->pc - tr->t->pc + at, enc) : NULL;

    return p ? ir_sext(tr->ir, x86_type(size), ir_ld_code(tr->ir, x86_type(enc), p)) : IR_NO_VALUE;
}

IrValue x86_offset(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    unsigned size = i->adsize;
    IrType t = x86_type(size);
    IrValue v = IR_NO_VALUE, d = x86_code_bytes(tr, i->disp_at, i->disp_enc, size);

    if (i->base == XM_RIP && d) {
        v = ir_pc(ir, tcg_pc_offset(tr->t, tr->next_pc));
        return ir_zext(ir, IR_I64, ir_add(ir, t, ir_trunc(ir, t, v), d));
    }
    if (i->base == XM_RIP) {
        v = ir_pc(ir, tcg_pc_offset(tr->t, tr->next_pc) + i->disp);
        return size == 8 ? v : ir_zext(ir, IR_I64, ir_trunc(ir, t, v));
    }
    if (i->base != XM_NO_REG) {
        v = x86_reg(tr, i->base, size);
    }
    if (i->index != XM_NO_REG) {
        IrValue x = index_value(tr, i->index, i->scale, size);

        v = v ? ir_add(ir, t, v, x) : x;
    }
    if (i->disp || !v || d) {
        d = d ? d : ir_const(ir, t, i->disp);
        v = v ? ir_add(ir, t, v, d) : d;
    }
    return ir_zext(ir, IR_I64, v);
}

/* base + off, cut to 32 bits outside 64-bit mode. */
static IrValue add_base(X86Tr *tr, unsigned seg, IrValue off)
{
    static const IrVar base_of[] = {
        [S_ES] = G_ES_BASE, [S_CS] = G_CS_BASE, [S_SS] = G_SS_BASE, [S_DS] = G_DS_BASE,
        [S_FS] = G_FS_BASE, [S_GS] = G_GS_BASE,
    };
    IrRegion *ir = tr->ir;
    IrValue base = ir_get(ir, base_of[seg]);

    if (tr->code64) {
        return ir_add(ir, IR_I64, base, off);
    }
    return ir_zext(ir, IR_I64, ir_add(ir, IR_I32, ir_trunc(ir, IR_I32, base),
                                      ir_trunc(ir, IR_I32, off)));
}

IrValue x86_linear_address(X86Tr *tr, unsigned seg, IrValue off, unsigned bytes, bool write)
{
    IrRegion *ir = tr->ir;
    bool real = !(tr->mode & MW_PE) || (tr->mode & MW_VM);
    int vector = seg == S_SS && !(real && tr->s->generation == X86_286) ? EXCP_SS : EXCP_GP;

    if (tr->code64) {
        /* Not canonical: #SS or #GP (restore_aux). */
        if (ir->state.aux != (seg == S_SS)) {
            ir->state.aux = seg == S_SS;
            ir->last_snap = 0;
        }
        return seg >= S_FS ? add_base(tr, seg, off) : off;
    }
    if (seg < S_FS && seg != S_CS && (tr->mode & MW_FLAT)) {
        return off;
    }
    if (seg >= S_FS && (tr->mode & (seg == S_FS ? (uint32_t)MW_FSFLAT : MW_GSFLAT))) {
        return add_base(tr, seg, off);
    }
    if (seg == S_CS && (tr->mode & MW_CSFLAT) && (!write || real)) {
        return off;
    }
    if (unlikely(tr->s->generation == X86_8086)) {
        IrValue lin = add_base(tr, seg, off);

        if (bytes > 1 && !tr->one) {
            x86_fault_if(tr, IR_GTU, IR_I64, off, ir_i64(ir, 0x10000 - bytes), X86_RETRY_ALONE, false, 0);
        } else if (bytes > 1) {
            IrValue next = ir_and(ir, IR_I64, ir_add(ir, IR_I64, off, ir_i64(ir, 1)), ir_i64(ir, 0xffff));

            tr->split[tr->n_split].lin = lin;
            tr->split[tr->n_split].second = add_base(tr, seg, next);
            tr->n_split = MIN(tr->n_split + 1, ARRAY_SIZE(tr->split) - 1);
        }
        return lin;
    }
    if (real) {
        /* Segments are writable data there; the limit may be any (SDM vol. 3B, 21.1.1). */
        IrValue limit = ir_zext(ir, IR_I64,
                                ir_ld_env(ir, IR_I32, offsetof(X86State, seg[seg].limit)));
        IrValue last = bytes > 1 ? ir_add(ir, IR_I64, off, ir_i64(ir, bytes - 1)) : off;

        x86_fault_if(tr, IR_GTU, IR_I64, last, limit, vector, true, 0);
    } else {
        X86_CALL(tr, &x86_h_seg_check, off,
                 ir_i32(ir, seg | bytes << 8 | (uint32_t)write << 16));
    }
    return add_base(tr, seg, off);
}

IrValue x86_address(X86Tr *tr, const X86Insn *i, unsigned bytes, bool write)
{
    return x86_linear_address(tr, i->seg, x86_offset(tr, i), bytes, write);
}

IrMemOp x86_memop(X86Tr *tr, unsigned bytes)
{
    static const uint8_t log2_of[33] = { [1] = IR_MO_8, [2] = IR_MO_16, [4] = IR_MO_32,
                                         [8] = IR_MO_64, [10] = IR_MO_80, [16] = IR_MO_128,
                                         [32] = IR_MO_256 };
    IrMemOp m = tr->mmu | log2_of[bytes];

    return bytes == 1 || bytes > 8 ? m & ~(IrMemOp)IR_MO_ALIGN : m;
}

/* Where the second byte is, if it isn't behind the first. */
static IrValue second_byte(const X86Tr *tr, IrValue lin)
{
    for (unsigned k = 0; k < tr->n_split; k++) {
        if (tr->split[k].lin == lin) {
            return tr->split[k].second;
        }
    }
    return IR_NO_VALUE;
}

IrValue x86_load(X86Tr *tr, IrValue lin, unsigned bytes)
{
    IrValue second = tr->n_split && bytes == 2 ? second_byte(tr, lin) : IR_NO_VALUE;

    if (second) {
        IrValue lo = ir_ld(tr->ir, IR_I8, lin, x86_memop(tr, 1)), hi = ir_ld(tr->ir, IR_I8, second, x86_memop(tr, 1));

        hi = ir_shl(tr->ir, IR_I16, ir_zext(tr->ir, IR_I16, hi), ir_i16(tr->ir, 8));
        return ir_or(tr->ir, IR_I16, hi, ir_zext(tr->ir, IR_I16, lo));
    }
    return ir_ld(tr->ir, x86_type(bytes), lin, x86_memop(tr, bytes));
}

void x86_store(X86Tr *tr, IrValue lin, IrValue v)
{
    unsigned bytes = ir_type_bits(ir_value_type(tr->ir, v)) / 8;
    IrValue second = tr->n_split && bytes == 2 ? second_byte(tr, lin) : IR_NO_VALUE;

    if (second) {
        ir_st(tr->ir, lin, ir_trunc(tr->ir, IR_I8, v), x86_memop(tr, 1));
        ir_st(tr->ir, second, ir_trunc(tr->ir, IR_I8, ir_shr(tr->ir, IR_I16, v, ir_i16(tr->ir, 8))),
              x86_memop(tr, 1));
        return;
    }
    ir_st(tr->ir, lin, v, x86_memop(tr, bytes));
}

void x86_load_pointer(X86Tr *tr, const X86Insn *i, IrValue *off, IrValue *sel)
{
    unsigned size = i->opsize;
    IrValue lin;

    if (x86_wraps_words(tr)) {
        x86_load_words(tr, i, off, sel);
        return;
    }
    lin = x86_address(tr, i, size + 2, false);
    *off = x86_load(tr, lin, size);
    *sel = x86_load(tr, ir_add(tr->ir, IR_I64, lin, ir_i64(tr->ir, size)), 2);
}

/* ----------------------------------------------------------------- operands */

IrValue x86_get(X86Tr *tr, const X86Insn *i, unsigned n)
{
    const X86Operand *o = &i->op[n];

    switch (o->kind) {
    case XO_REG:
        return o->high ? get_high(tr, o->reg) : x86_reg(tr, o->reg, o->size);
    case XO_MEM:
        return x86_load(tr, x86_address(tr, i, o->size, false), o->size);
    case XO_IMM: {
        unsigned size = MAX(o->size, i->op[0].size);
        IrValue v = x86_code_bytes(tr, o->at, o->enc, size);

        return v ? v : ir_const(tr->ir, x86_type(size), o->imm);
    }
    default:
        return ir_const(tr->ir, x86_type(o->size), 0);
    }
}

IrValue x86_get_rmw(X86Tr *tr, const X86Insn *i, unsigned n)
{
    const X86Operand *o = &i->op[n];

    if (o->kind != XO_MEM) {
        return x86_get(tr, i, n);
    }
    tr->addr = x86_address(tr, i, o->size, true);
    if (tr->n_split) {
        return x86_load(tr, tr->addr, o->size);
    }
    return ir_ld(tr->ir, x86_type(o->size), tr->addr, x86_memop(tr, o->size) | IR_MO_PROBE_W);
}

void x86_put(X86Tr *tr, const X86Insn *i, unsigned n, IrValue v)
{
    const X86Operand *o = &i->op[n];

    if (o->kind == XO_MEM) {
        x86_store(tr, tr->addr ? tr->addr : x86_address(tr, i, o->size, true), v);
    } else if (o->high) {
        put_high(tr, o->reg, v);
    } else {
        x86_put_reg(tr, o->reg, o->size, v);
    }
}

/* -------------------------------------------------------------------- stack */

unsigned x86_stack_size(const X86Tr *tr)
{
    return tr->code64 ? 8 : tr->mode & MW_SS32 ? 4 : 2;
}

IrValue x86_stack_address(X86Tr *tr, IrValue off, int64_t delta, unsigned bytes, bool write)
{
    IrType t = x86_type(x86_stack_size(tr));

    if (delta) {
        off = ir_add(tr->ir, t, off, ir_const(tr->ir, t, delta));
    }
    return x86_linear_address(tr, S_SS, ir_zext(tr->ir, IR_I64, off), bytes, write);
}

void x86_push(X86Tr *tr, IrValue v)
{
    unsigned size = x86_stack_size(tr), bytes = ir_type_bits(ir_value_type(tr->ir, v)) / 8;
    IrType t = x86_type(size);
    IrValue sp = ir_add(tr->ir, t, x86_reg(tr, R_SP, size), ir_const(tr->ir, t, -(int64_t)bytes));

    x86_store(tr, x86_stack_address(tr, sp, 0, bytes, true), v);
    x86_put_reg(tr, R_SP, size, sp);
}

IrValue x86_next_pc(X86Tr *tr, unsigned bytes)
{
    return ir_trunc(tr->ir, x86_type(bytes), ir_pc(tr->ir, tcg_pc_offset(tr->t, tr->next_pc)));
}

IrValue x86_call(X86Tr *tr, const IrHelper *h, unsigned n, const IrValue *args)
{
    tr->st_known = 0;           /* MMX instructions tag registers */
    IrValue v = ir_call(tr->ir, h, n, args);

    if (h->flags & IR_H_WRITES) {
        x86_forget(tr);
    } else {
        for (unsigned k = 0; k < 16; k++) {
            if (h->writes >> (G_RAX + k) & 1) {
                memset(tr->reg[k], 0, sizeof(tr->reg[k]));
            }
        }
    }
    return v;
}
