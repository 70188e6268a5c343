/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code words, registers, effective addresses (PRM chapter 2), guest memory.
 *
 * The 68000 and 68010 move long words as two words and want both even: so do we there.
 */
#include "util/osdep.h"
#include "target/m68k/translate.h"
#include "util/bswap.h"

uint16_t m68k_word(M68kTr *tr)
{
    uint32_t k = tr->next - tr->ahead_at;
    uint8_t b[2];

    if (k < tr->ahead_n && !(k & 1)) {
        tr->next += 2;
        return load_be16(tr->ahead + k);
    }
    if (tr->fetch_failed || !tcg_fetch(tr->t, tr->next - (uint32_t)tr->t->pc, b, 2)) {
        tr->fetch_failed = true;
        return 0;
    }
    tr->next += 2;
    return load_be16(b);
}

uint32_t m68k_long(M68kTr *tr)
{
    uint32_t hi = m68k_word(tr);

    return hi << 16 | m68k_word(tr);
}

IrValue m68k_pc(M68kTr *tr, uint32_t pc)
{
    IrValue v = ir_pc(tr->ir, tcg_pc_offset(tr->t, tr->t->pc + (int32_t)(pc - (uint32_t)tr->t->pc)));

    return ir_zext(tr->ir, IR_I64, ir_trunc(tr->ir, IR_I32, v));
}

/* ------------------------------------------------------------------- registers */

IrValue m68k_reg64(M68kTr *tr, unsigned r)
{
    if (!tr->reg[r]) {
        tr->reg[r] = ir_get(tr->ir, m68k_reg_var[r]);
    }
    return tr->reg[r];
}

IrValue m68k_reg(M68kTr *tr, unsigned r, unsigned size)
{
    return ir_trunc(tr->ir, m68k_type(size), m68k_reg64(tr, r));
}

void m68k_put_reg64(M68kTr *tr, unsigned r, IrValue v)
{
    tr->reg[r] = v;
    tr->dirty |= (uint16_t)(1u << r);
}

void m68k_put_reg(M68kTr *tr, unsigned r, unsigned size, IrValue v)
{
    IrRegion *ir = tr->ir;

    if (size == 2) {
        m68k_put_reg64(tr, r, ir_zext(ir, IR_I64, v));
    } else {
        m68k_put_reg64(tr, r, ir_deposit(ir, IR_I64, m68k_reg64(tr, r), ir_zext(ir, IR_I64, v), 0,
                                         8u << size));
    }
}

void m68k_put_areg_sx(M68kTr *tr, unsigned n, unsigned size, IrValue v)
{
    if (size < 2) {
        v = ir_sext(tr->ir, IR_I32, v);
    }
    m68k_put_reg64(tr, 8 + n, ir_zext(tr->ir, IR_I64, v));
}

void m68k_commit(M68kTr *tr)
{
    for (unsigned r = 0; tr->dirty; r++) {
        if (tr->dirty & 1u << r) {
            ir_put(tr->ir, m68k_reg_var[r], tr->reg[r]);
            tr->dirty &= (uint16_t)~(1u << r);
        }
    }
}

void m68k_forget(M68kTr *tr)
{
    memset(tr->reg, 0, sizeof(tr->reg));
    tr->dirty = 0;
}

void m68k_commit_000(M68kTr *tr)
{
    if (tr->features & M68K_000) {
        m68k_commit(tr);
    }
}

/* ---------------------------------------------------------------------- memory */

static unsigned aux_pc(const M68kTr *tr, uint32_t at)
{
    return tr->features & M68K_000 ? (at - tr->pc) / 2 << AUX_PC_SHIFT : 0;
}

static void set_aux(M68kTr *tr, unsigned size, unsigned aux)
{
    uint32_t word = (uint32_t)tr->op << AUX_OPCODE_SHIFT | size | aux;

    /* What has no addressing mode is done behind the instruction's last prefetch. */
    if (!(aux & AUX_PC)) {
        word |= aux_pc(tr, tr->next + 2);
    }

    if (tr->ir->state.aux != word) {
        tr->ir->state.aux = word;
        tr->ir->last_snap = 0;
    }
}

static bool word_bus(const M68kTr *tr)
{
    return tr->features & (M68K_000 | M68K_010);
}

IrValue m68k_addr_add(M68kTr *tr, IrValue addr, int32_t d)
{
    IrRegion *ir = tr->ir;

    if (!d) {
        return addr;
    }
    return ir_zext(ir, IR_I64, ir_add(ir, IR_I32, ir_trunc(ir, IR_I32, addr),
                                      ir_i32(ir, (uint32_t)d)));
}

static IrValue load(M68kTr *tr, IrValue addr, unsigned size, unsigned aux, IrMemOp extra)
{
    IrRegion *ir = tr->ir;

    set_aux(tr, size, aux);
    if (size && word_bus(tr)) {
        IrMemOp mo = tr->mo | IR_MO_16 | IR_MO_ALIGN | extra;

        if (size == 2) {
            IrValue next = m68k_addr_add(tr, addr, 2), hi, lo = IR_NO_VALUE;

            if (aux & AUX_LOW_FIRST) {
                lo = ir_zext(ir, IR_I32, ir_ld(ir, IR_I16, next, mo));
            }
            hi = ir_zext(ir, IR_I32, ir_ld(ir, IR_I16, addr, mo));
            if (!lo) {
                lo = ir_zext(ir, IR_I32, ir_ld(ir, IR_I16, next, mo));
            }

            return ir_or(ir, IR_I32, ir_shl(ir, IR_I32, hi, ir_i32(ir, 16)), lo);
        }
        return ir_ld(ir, IR_I16, addr, mo);
    }
    return ir_ld(ir, m68k_type(size), addr, tr->mo | size | extra);
}

IrValue m68k_ld(M68kTr *tr, IrValue addr, unsigned size, unsigned aux)
{
    return load(tr, addr, size, aux, 0);
}

void m68k_st(M68kTr *tr, IrValue addr, unsigned size, IrValue v, unsigned aux)
{
    IrRegion *ir = tr->ir;

    set_aux(tr, size, aux);
    if (size && word_bus(tr)) {
        IrMemOp mo = tr->mo | IR_MO_16 | IR_MO_ALIGN;

        if (size == 2) {
            IrValue next = m68k_addr_add(tr, addr, 2);
            IrValue hi = ir_trunc(ir, IR_I16, ir_shr(ir, IR_I32, v, ir_i32(ir, 16))), lo = ir_trunc(ir, IR_I16, v);
            bool back = aux & AUX_LOW_FIRST;

            ir_st(ir, back ? next : addr, back ? lo : hi, mo);
            ir_st(ir, back ? addr : next, back ? hi : lo, mo);
        } else {
            ir_st(ir, addr, v, mo);
        }
        return;
    }
    ir_st(ir, addr, v, tr->mo | size);
}

void m68k_push32(M68kTr *tr, IrValue v)
{
    IrValue sp = m68k_addr_add(tr, m68k_reg64(tr, 15), -4);

    m68k_st(tr, sp, 2, v, 0);
    m68k_put_reg64(tr, 15, sp);
}

/* ---------------------------------------------------------- effective addresses */

static IrValue add32(M68kTr *tr, IrValue a, IrValue b)
{
    return ir_add(tr->ir, IR_I32, a, b);
}

static IrValue index_value(M68kTr *tr, uint16_t ext)
{
    IrRegion *ir = tr->ir;
    IrValue v = m68k_reg(tr, ext >> 12, 2);

    if (!(ext & 0x800)) {
        v = ir_sext(ir, IR_I32, ir_trunc(ir, IR_I16, v));
    }
    if (!word_bus(tr) && (ext & 0x600)) {
        v = ir_shl(ir, IR_I32, v, ir_i32(ir, ext >> 9 & 3));
    }
    return v;
}

/* Full extension words (PRM 2.2.2 and following). @base: I32. */
static IrValue full_index(M68kTr *tr, uint16_t ext, IrValue base)
{
    IrRegion *ir = tr->ir;
    IrValue v = ext & 0x80 ? ir_i32(ir, 0) : base, index = IR_NO_VALUE, outer = IR_NO_VALUE;
    unsigned iis = ext & 7;

    if ((ext & 0x30) == 0x20) {
        v = add32(tr, v, ir_i32(ir, (uint32_t)(int16_t)m68k_word(tr)));
    } else if ((ext & 0x30) == 0x30) {
        v = add32(tr, v, ir_i32(ir, m68k_long(tr)));
    }
    if (!(ext & 0x40)) {
        index = index_value(tr, ext);
    }
    if ((iis & 3) == 2) {
        outer = ir_i32(ir, (uint32_t)(int16_t)m68k_word(tr));
    } else if ((iis & 3) == 3) {
        outer = ir_i32(ir, m68k_long(tr));
    }
    if (index && !(iis & 4)) {          /* preindexed, or no indirection */
        v = add32(tr, v, index);
    }
    if (iis & 3) {
        v = m68k_ld(tr, ir_zext(ir, IR_I64, v), 2, 0);
    }
    if (index && (iis & 4)) {
        v = add32(tr, v, index);
    }
    return outer ? add32(tr, v, outer) : v;
}

static IrValue indexed(M68kTr *tr, IrValue base)
{
    uint16_t ext = m68k_word(tr);
    IrValue v;

    if ((ext & 0x100) && !word_bus(tr)) {
        v = full_index(tr, ext, base);
    } else {
        v = add32(tr, add32(tr, base, index_value(tr, ext)), ir_i32(tr->ir, (uint32_t)(int8_t)ext));
    }
    return ir_zext(tr->ir, IR_I64, v);
}

/* Address of the modes that don't change their register. */
static IrValue address(M68kTr *tr, unsigned index, unsigned reg)
{
    IrRegion *ir = tr->ir;
    uint32_t pc;

    switch (1u << index) {
    case EA_IND: case EA_INC: case EA_DEC:
        return m68k_reg64(tr, 8 + reg);
    case EA_DISP:
        return m68k_addr_add(tr, m68k_reg64(tr, 8 + reg), (int16_t)m68k_word(tr));
    case EA_INDEX:
        return indexed(tr, m68k_reg(tr, 8 + reg, 2));
    case EA_ABSW:
        return ir_i64(ir, (uint32_t)(int16_t)m68k_word(tr));
    case EA_ABSL:
        return ir_i64(ir, m68k_long(tr));
    case EA_PCDISP:
        pc = tr->next;
        return m68k_pc(tr, pc + (uint32_t)(int16_t)m68k_word(tr));
    default:                    /* EA_PCINDEX */
        return indexed(tr, ir_trunc(ir, IR_I32, m68k_pc(tr, tr->next)));
    }
}

Ea m68k_ea(M68kTr *tr, unsigned mode, unsigned reg, unsigned size)
{
    Ea ea = { .index = (uint8_t)ea_index(mode, reg), .reg = (uint8_t)reg, .size = (uint8_t)size };
    int32_t step = size == 0 && reg == 7 ? 2 : 1 << size;
    uint32_t ext = tr->next;

    switch (1u << ea.index) {
    case EA_DN: case EA_AN:
        break;
    case EA_IMM:
        ea.imm = size == 2 ? ir_i32(tr->ir, m68k_long(tr)) : m68k_const(tr, size, m68k_word(tr));
        break;
    case EA_INC:
        ea.addr = m68k_reg64(tr, 8 + reg);
        m68k_put_reg64(tr, 8 + reg, m68k_addr_add(tr, ea.addr, step));
        break;
    case EA_DEC:
        ea.addr = m68k_addr_add(tr, m68k_reg64(tr, 8 + reg), -step);
        m68k_put_reg64(tr, 8 + reg, ea.addr);
        ea.aux = AUX_PREDEC;
        break;
    default:
        ea.addr = address(tr, ea.index, reg);
        break;
    }
    /* The 68000 fetches the first word behind an absolute address, and behind -(An) of a word, before it reads there. */
    if (ea.index == 7 || ea.index == 8) {
        ext = tr->next;
    } else if (ea.index == 4 && size == 1) {
        ext += 2;
    } else if (ea.index == 9 || ea.index == 10) {
        ea.aux |= AUX_PROGRAM;
    }
    ea.aux |= (uint16_t)aux_pc(tr, ext);
    return ea;
}

Ea m68k_ea_control(M68kTr *tr)
{
    unsigned index = ea_index(tr->op >> 3 & 7, tr->op & 7);

    return (Ea){ .index = (uint8_t)index, .reg = tr->op & 7, .addr = address(tr, index, tr->op & 7),
                 .aux = index == 9 || index == 10 ? AUX_PROGRAM : 0 };
}

/* Of -(An), and of (An)+ for a word, the 68000 has changed the register when it reads. */
static void commit_step(M68kTr *tr, const Ea *ea)
{
    if ((ea->index == 4 && !(ea->aux & AUX_LOW_FIRST)) || (ea->index == 3 && ea->size < 2)) {
        m68k_commit_000(tr);
    }
}

IrValue m68k_get(M68kTr *tr, Ea *ea)
{
    switch (ea->index) {
    case 0: case 1: return m68k_reg(tr, ea->index * 8u + ea->reg, ea->size);
    case 11: return ea->imm;
    default:
        commit_step(tr, ea);
        return m68k_ld(tr, ea->addr, ea->size, ea->aux);
    }
}

IrValue m68k_get_rmw(M68kTr *tr, Ea *ea)
{
    if (m68k_ea_is_mem(ea)) {
        commit_step(tr, ea);
    }
    return m68k_ea_is_mem(ea) ? load(tr, ea->addr, ea->size, ea->aux, IR_MO_PROBE_W)
                              : m68k_get(tr, ea);
}

void m68k_put(M68kTr *tr, Ea *ea, IrValue v)
{
    if (ea->index == 0) {
        m68k_put_reg(tr, ea->reg, ea->size, v);
    } else if (ea->index == 1) {
        m68k_put_areg_sx(tr, ea->reg, ea->size, v);
    } else {
        m68k_st(tr, ea->addr, ea->size, v, ea->aux);
    }
}
