/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FPU instructions (PRM chapter 5): operands by generated code, arithmetic by helpers. */
#include "util/osdep.h"
#include "target/m68k/fp-double.h"
#include "target/m68k/helpers.h"
#include "target/m68k/translate.h"

/* Bytes of each format; log2 of what one load takes. */
static const uint8_t format_bytes[8] = { 4, 4, 12, 12, 2, 8, 1, 12 };

static IrValue pc32(M68kTr *tr)
{
    return ir_trunc(tr->ir, IR_I32, m68k_pc(tr, tr->pc));
}

static unsigned mmu_of(const M68kTr *tr)
{
    return (tr->mo & IR_MO_MMU) >> IR_MO_MMU_SHIFT;
}

static bool have_fpu(M68kTr *tr)
{
    if (tr->features & M68K_FPU) {
        return true;
    }
    m68k_except(tr, EXCP_LINE_F, tr->pc);
    return false;
}

bool m68k_fp_ea(M68kTr *tr, unsigned format, bool store, Ea *ea)
{
    unsigned mode = tr->op >> 3 & 7, reg = tr->op & 7, bytes = format_bytes[format];
    unsigned index = ea_index(mode, reg), size = bytes == 1 ? 0 : bytes == 2 ? 1 : 2;
    int32_t step = bytes == 1 && reg == 7 ? 2 : (int32_t)bytes;

    *ea = (Ea){ .index = (uint8_t)index, .reg = (uint8_t)reg, .size = (uint8_t)size };
    if (index == 12 || index == 1 || (index == 0 && bytes > 4) || (store && index >= 9)) {
        m68k_except(tr, EXCP_LINE_F, tr->pc);
        return false;
    }
    switch (1u << index) {
    case EA_DN: case EA_IMM:
        break;
    case EA_INC:
        ea->addr = m68k_reg64(tr, 8 + reg);
        m68k_put_reg64(tr, 8 + reg, m68k_addr_add(tr, ea->addr, step));
        break;
    case EA_DEC:
        ea->addr = m68k_addr_add(tr, m68k_reg64(tr, 8 + reg), -step);
        m68k_put_reg64(tr, 8 + reg, ea->addr);
        break;
    default:
        *ea = m68k_ea_control(tr);
        ea->size = (uint8_t)size;
        break;
    }
    return true;
}

void m68k_fp_load(M68kTr *tr, unsigned format, Ea *ea, IrValue *lo, IrValue *hi)
{
    IrRegion *ir = tr->ir;
    unsigned bytes = format_bytes[format];

    *hi = ir_i32(ir, 0);
    if (ea->index == 11) {              /* immediate */
        if (bytes == 12) {
            *hi = ir_i32(ir, m68k_long(tr));
        }
        if (bytes >= 8) {
            uint64_t v = (uint64_t)m68k_long(tr) << 32;

            *lo = ir_i64(ir, v | m68k_long(tr));
        } else {
            *lo = ir_i64(ir, bytes == 4 ? m68k_long(tr) : m68k_word(tr));
        }
    } else if (ea->index == 0) {
        *lo = m68k_reg64(tr, ea->reg);
    } else if (bytes <= 4) {
        *lo = ir_zext(ir, IR_I64, m68k_ld(tr, ea->addr, ea->size, 0));
    } else {
        int32_t at = bytes == 12 ? 4 : 0;

        if (at) {
            *hi = m68k_ld(tr, ea->addr, 2, 0);
        }
        *lo = ir_ld(ir, IR_I64, m68k_addr_add(tr, ea->addr, at), tr->mo | IR_MO_64);
    }
}

void m68k_fp_store(M68kTr *tr, unsigned format, Ea *ea, IrValue r)
{
    IrRegion *ir = tr->ir;
    unsigned bytes = format_bytes[format];

    if (bytes <= 4) {
        m68k_put(tr, ea, ir_trunc(ir, m68k_type(ea->size), r));
        return;
    }
    if (bytes == 12) {
        m68k_st(tr, ea->addr, 2, ir_ld_env(ir, IR_I32, offsetof(M68kState, fp_out)), 0);
    }
    ir_st(ir, m68k_addr_add(tr, ea->addr, bytes == 12 ? 4 : 0), r, tr->mo | IR_MO_64);
}

/* What an exception behind the instruction needs to know: M68K_AFTER(). */
static IrValue after_insn(M68kTr *tr, unsigned format)
{
    unsigned mode = tr->op >> 3 & 7, reg = tr->op & 7, bytes = format_bytes[format];
    int step = bytes == 1 && reg == 7 ? 2 : (int)bytes;

    return ir_i32(tr->ir, M68K_AFTER(tr->next - tr->pc, reg, mode == 3 ? step : mode == 4 ? -step : 0));
}

static void fmove_out(M68kTr *tr, uint16_t cmd)
{
    IrRegion *ir = tr->ir;
    unsigned format = cmd >> 10 & 7;
    IrValue k = format == FPF_P_DYN ? m68k_reg(tr, cmd >> 4 & 7, 2) : ir_i32(ir, cmd & 0x7f), r;
    uint16_t dirty;
    IrValue before[16];
    Ea ea;

    if (!m68k_fp_ea(tr, format, true, &ea)) {
        return;
    }
    /* The address register changes after the store only. */
    dirty = tr->dirty;
    memcpy(before, tr->reg, sizeof(before));
    tr->dirty = 0;
    r = M68K_CALL(tr, &m68k_h_fstore, ir_i32(ir, cmd), k, pc32(tr), after_insn(tr, format),
                  ea.index == 0 ? ir_i32(ir, 0) : ir_trunc(ir, IR_I32, ea.addr));
    memcpy(tr->reg, before, sizeof(before));
    tr->dirty = dirty;
    m68k_fpd_forget(tr, cmd >> 7 & 7);
    m68k_fp_store(tr, format, &ea, r);
}

/* FMOVEM of control registers: FPCR, FPSR, FPIAR, in that order at rising addresses. */
static void fmovem_control(M68kTr *tr, uint16_t cmd)
{
    IrRegion *ir = tr->ir;
    unsigned list = cmd >> 10 & 7, n = (unsigned)__builtin_popcount(list);
    unsigned mode = tr->op >> 3 & 7, reg = tr->op & 7, index = ea_index(mode, reg);
    bool store = cmd & 0x2000;
    IrValue addr = IR_NO_VALUE, v[3] = { 0 };

    if (!n) {
        list = 1;
        n = 1;                          /* PRM: FPIAR */
    }
    if (index == 12 || (index < 2 && n > 1) || (index == 1 && list != 1) || (store && index >= 9)) {
        m68k_except(tr, EXCP_LINE_F, tr->pc);
        return;
    }
    if (index >= 2 && index != 11) {
        if (index == 4) {
            addr = m68k_addr_add(tr, m68k_reg64(tr, 8 + reg), -4 * (int32_t)n);
        } else {
            addr = m68k_ea_control(tr).addr;
        }
    }
    for (unsigned i = 0, k = 0; i < 3; i++) {
        if (!(list & 4u >> i)) {
            continue;
        }
        if (store) {
            IrValue c = i == 0 ? ir_ld_env(ir, IR_I32, offsetof(M68kState, fpcr))
                      : i == 1 ? M68K_CALL(tr, &m68k_h_fget_fpsr) : ir_get(ir, G_FPIAR);

            if (index < 2) {
                m68k_put_reg(tr, index * 8 + reg, 2, c);
            } else {
                m68k_st(tr, m68k_addr_add(tr, addr, 4 * (int32_t)k), 2, c, 0);
            }
        } else {
            v[i] = index < 2 ? m68k_reg(tr, index * 8 + reg, 2)
                 : index == 11 ? ir_i32(ir, m68k_long(tr))
                 : m68k_ld(tr, m68k_addr_add(tr, addr, 4 * (int32_t)k), 2, 0);
        }
        k++;
    }
    if (index == 3 || index == 4) {
        m68k_put_reg64(tr, 8 + reg, index == 4 ? addr : m68k_addr_add(tr, addr, 4 * (int32_t)n));
    }
    for (unsigned i = 0; !store && i < 3; i++) {
        if (v[i]) {
            M68K_CALL(tr, &m68k_h_fset_ctl, ir_i32(ir, 4u >> i), v[i]);
            m68k_fpd_forget(tr, -1);
        }
    }
}

/* FMOVEM of data registers. The list's bit 7 is FP0, for -(An) it is FP7. */
static void fmovem_data(M68kTr *tr, uint16_t cmd)
{
    IrRegion *ir = tr->ir;
    bool store = cmd & 0x2000, dynamic = cmd & 0x800, dec = !(cmd & 0x1000);
    unsigned mode = tr->op >> 3 & 7, reg = tr->op & 7, index = ea_index(mode, reg);
    IrValue list, bytes, addr;

    if (index < 2 || index >= 11 || (store && index >= 9) || (store && index == 3) ||
        (!store && index == 4) || (index == 4) != dec) {
        m68k_except(tr, EXCP_LINE_F, tr->pc);
        return;
    }
    list = dynamic ? ir_and(ir, IR_I32, m68k_reg(tr, cmd >> 4 & 7, 2), ir_i32(ir, 0xff))
                   : ir_i32(ir, cmd & 0xff);
    if (dec) {                          /* turn the eight bits round */
        static const uint32_t masks[] = { 0x55, 0x33, 0x0f };

        for (unsigned i = 0; i < 3; i++) {
            IrValue m = ir_i32(ir, masks[i]), n = ir_i32(ir, 1u << i);

            list = ir_or(ir, IR_I32, ir_and(ir, IR_I32, ir_shr(ir, IR_I32, list, n), m),
                         ir_shl(ir, IR_I32, ir_and(ir, IR_I32, list, m), n));
        }
    }
    bytes = ir_mul(ir, IR_I32, ir_un(ir, IR_POPCNT, IR_I32, list), ir_i32(ir, 12));
    addr = ir_trunc(ir, IR_I32, m68k_ea_control(tr).addr);
    if (dec) {
        addr = ir_sub(ir, IR_I32, addr, bytes);
    }
    M68K_CALL(tr, &m68k_h_fmovem, addr, list, ir_i32(ir, store), ir_i32(ir, mmu_of(tr)));
    m68k_fpd_forget(tr, -1);
    if (dec) {
        m68k_put_reg(tr, 8 + reg, 2, addr);
    } else if (index == 3) {
        m68k_put_reg(tr, 8 + reg, 2, ir_add(ir, IR_I32, addr, bytes));
    }
}

void m68k_tr_fgen(M68kTr *tr);
void m68k_tr_fgen(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    uint16_t cmd = m68k_word(tr);
    IrValue lo = ir_i64(ir, 0), hi = ir_i32(ir, 0);
    unsigned format = cmd >> 10 & 7;
    Ea ea;

    if (!have_fpu(tr) || m68k_fpd_gen(tr, cmd)) {
        return;
    }
    switch (cmd >> 13) {
    case 0:
        break;
    case 2:
        if (format != FPF_P_DYN) {      /* that one is FMOVECR */
            uint16_t dirty;
            IrValue after[16];

            if (!m68k_fp_ea(tr, format, false, &ea)) {
                return;
            }
            m68k_fp_load(tr, format, &ea, &lo, &hi);
            /* Should the helper raise, it is before the instruction: so is An. */
            dirty = tr->dirty;
            memcpy(after, tr->reg, sizeof(after));
            tr->dirty = 0;
            M68K_CALL(tr, m68k_fop_helper(cmd), ir_i32(ir, cmd), lo, hi, pc32(tr), after_insn(tr, format));
            memcpy(tr->reg, after, sizeof(after));
            tr->dirty = dirty;
            m68k_fpd_forget(tr, cmd >> 7 & 7);
            return;
        }
        break;
    case 3:
        fmove_out(tr, cmd);
        return;
    case 4: case 5:
        fmovem_control(tr, cmd);
        return;
    case 6: case 7:
        fmovem_data(tr, cmd);
        return;
    default:
        m68k_except(tr, EXCP_LINE_F, tr->pc);
        return;
    }
    M68K_CALL(tr, m68k_fop_helper(cmd), ir_i32(ir, cmd), lo, hi, pc32(tr), ir_i32(ir, M68K_AFTER(tr->next - tr->pc, 0, 0)));
    m68k_fpd_forget(tr, (cmd & 0x78) == 0x30 ? -1 : cmd >> 7 & 7);
}

/* ------------------------------------------------------------------ conditions */

static M68kCond condition(M68kTr *tr, unsigned pred)
{
    IrRegion *ir = tr->ir;
    M68kCond c;
    IrValue v;

    if (m68k_fpd_cond(tr, pred, &c)) {
        return c;
    }
    v = M68K_CALL(tr, &m68k_h_fcond, ir_i32(ir, pred & 0x1f), pc32(tr));
    return (M68kCond){ IR_NE, IR_I32, v, ir_i32(ir, 0) };
}

void m68k_tr_fbcc(M68kTr *tr);
void m68k_tr_fbcc(M68kTr *tr)
{
    uint32_t target = tr->pc + 2;

    target += tr->row->arg == 2 ? m68k_long(tr) : (uint32_t)(int16_t)m68k_word(tr);
    if (!have_fpu(tr)) {
        return;
    }
    m68k_jump_if(tr, condition(tr, tr->op), target);
}

void m68k_tr_fscc(M68kTr *tr);
void m68k_tr_fscc(M68kTr *tr)
{
    unsigned pred = m68k_word(tr);
    M68kCond c;
    Ea ea;

    if (have_fpu(tr)) {
        c = condition(tr, pred);
        ea = m68k_ea_src(tr, 0);
        m68k_put(tr, &ea, ir_un(tr->ir, IR_NEG, IR_I8, m68k_bool(tr, c)));
    }
}

void m68k_tr_fdbcc(M68kTr *tr);
void m68k_tr_fdbcc(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    unsigned pred = m68k_word(tr), dn = tr->op & 7;
    uint32_t target = tr->pc + 4;
    IrValue v;

    target += (uint32_t)(int16_t)m68k_word(tr);
    if (!have_fpu(tr)) {
        return;
    }
    m68k_jump_if(tr, condition(tr, pred), tr->next);
    v = ir_sub(ir, IR_I16, m68k_reg(tr, dn, 1), ir_i16(ir, 1));
    m68k_put_reg(tr, dn, 1, v);
    m68k_jump_if(tr, (M68kCond){ IR_NE, IR_I16, v, ir_i16(ir, 0xffff) }, target);
}

void m68k_tr_ftrapcc(M68kTr *tr);
void m68k_tr_ftrapcc(M68kTr *tr)
{
    unsigned pred = m68k_word(tr);

    if (tr->row->arg == 1) {
        m68k_word(tr);
    } else if (tr->row->arg == 2) {
        m68k_long(tr);
    }
    if (have_fpu(tr)) {
        m68k_except2_if(tr, condition(tr, pred), EXCP_TRAPCC);
    }
}

/* ---------------------------------------------------------------------- frames */

void m68k_tr_fsave(M68kTr *tr);
void m68k_tr_fsave(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    bool dec = (tr->op >> 3 & 7) == 4;
    IrValue addr;

    if (!have_fpu(tr) || !m68k_privileged(tr)) {
        return;
    }
    addr = ir_trunc(ir, IR_I32, m68k_ea_control(tr).addr);
    addr = M68K_CALL(tr, &m68k_h_fsave, addr, ir_i32(ir, dec), ir_i32(ir, mmu_of(tr)));
    m68k_fpd_forget(tr, -1);
    if (dec) {
        m68k_put_reg(tr, 8 + (tr->op & 7), 2, addr);
    }
}

void m68k_tr_frestore(M68kTr *tr);
void m68k_tr_frestore(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    IrValue addr, size;

    if (!have_fpu(tr) || !m68k_privileged(tr)) {
        return;
    }
    addr = ir_trunc(ir, IR_I32, m68k_ea_control(tr).addr);
    size = M68K_CALL(tr, &m68k_h_frestore, addr, ir_i32(ir, mmu_of(tr)));
    m68k_fpd_forget(tr, -1);
    if ((tr->op >> 3 & 7) == 3) {
        m68k_put_reg(tr, 8 + (tr->op & 7), 2, ir_add(ir, IR_I32, addr, size));
    }
}
