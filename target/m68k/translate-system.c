/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System control (PRM 3.1.8, chapter 6): status register, control registers, MMU, caches. */
#include "util/osdep.h"
#include "target/m68k/helpers.h"
#include "target/m68k/translate.h"

/* To SR: the mode may change, interrupts may be let in. */
static void put_sr(M68kTr *tr, IrValue sr)
{
    M68K_CALL(tr, &m68k_h_set_sr, sr);
    m68k_exit_next(tr, IR_EXIT_IRQ_CHECK);
}

static IrValue get_sr(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    IrValue sys = ir_zext(ir, IR_I32, ir_ld_env(ir, IR_I16, offsetof(M68kState, sr)));

    return ir_or(ir, IR_I32, sys, m68k_ccr(tr));
}

/* May the region go on where the mask changes and nothing waits for it? Else the instruction is done anew by the helper. */
static bool goes_on(const M68kTr *tr)
{
    return !tr->one && !tr->hot && !tr->slow && (tr->features & M68K_020UP);
}

/* The system byte is @sys (I32, the rest doesn't count) from now on, which differs in the mask only. An interrupt that comes after
 * the look at its level makes the region leave at its next edge. */
static void let_in(M68kTr *tr, IrValue sys)
{
    IrRegion *ir = tr->ir;
    IrValue level = ir_zext(ir, IR_I32, ir_ld_env(ir, IR_I8, offsetof(M68kState, ipl)));
    IrValue nmi = ir_zext(ir, IR_I32, ir_ld_env(ir, IR_I8, offsetof(M68kState, nmi)));

    level = ir_or(ir, IR_I32, level, ir_shl(ir, IR_I32, nmi, ir_i32(ir, 3)));
    m68k_slow_if(tr, (M68kCond){ IR_GTU, IR_I32, level, ir_extract(ir, IR_I32, sys, SR_IPL_SHIFT, 3) });
    ir_st_env(ir, offsetof(M68kState, sr), ir_trunc(ir, IR_I16, ir_and(ir, IR_I32, sys, ir_i32(ir, SR_SYSTEM))));
}

static void put_mask(M68kTr *tr, IrValue v)
{
    IrRegion *ir = tr->ir;
    IrValue old = ir_zext(ir, IR_I32, ir_ld_env(ir, IR_I16, offsetof(M68kState, sr)));

    m68k_slow_if(tr, (M68kCond){ IR_TST_NZ, IR_I32, ir_xor(ir, IR_I32, v, old), ir_i32(ir, SR_SYSTEM & ~SR_IPL) });
    let_in(tr, v);
    m68k_put_ccr(tr, v);
}

static IrValue logic_with(M68kTr *tr, IrValue v, uint16_t imm)
{
    static const IrOpcode op[] = { [ALU_AND] = IR_AND, [ALU_OR] = IR_OR, [ALU_EOR] = IR_XOR };

    return ir_bin(tr->ir, op[tr->row->arg], IR_I32, v, ir_i32(tr->ir, imm));
}

static IrValue logic(M68kTr *tr, IrValue v)
{
    return logic_with(tr, v, m68k_word(tr));
}

void m68k_tr_ori_ccr(M68kTr *tr);
void m68k_tr_ori_ccr(M68kTr *tr)
{
    m68k_put_ccr(tr, logic(tr, m68k_ccr(tr)));
}

void m68k_tr_ori_sr(M68kTr *tr);
void m68k_tr_ori_sr(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    uint16_t imm;

    if (!m68k_privileged(tr)) {
        return;
    }
    memcpy(tr->before, tr->reg, sizeof(tr->before));
    imm = m68k_word(tr);
    if (tr->row->arg == ALU_OR && !(imm & ~SR_IPL) && !(tr->mode & MW_TRACE)) {
        /* More is masked, which lets no interrupt in and leaves the mode as it is. */
        ir_st_env(ir, offsetof(M68kState, sr), ir_or(ir, IR_I16, ir_ld_env(ir, IR_I16, offsetof(M68kState, sr)), ir_i16(ir, imm)));
        return;
    }
    if (tr->row->arg == ALU_AND && (imm | SR_IPL) == 0xffff && goes_on(tr)) {
        let_in(tr, ir_and(ir, IR_I32, ir_zext(ir, IR_I32, ir_ld_env(ir, IR_I16, offsetof(M68kState, sr))), ir_i32(ir, imm)));
        return;
    }
    put_sr(tr, logic_with(tr, get_sr(tr), imm));
}

/* Privileged from the 68010 on. */
void m68k_tr_move_fsr(M68kTr *tr);
void m68k_tr_move_fsr(M68kTr *tr)
{
    Ea ea;

    if ((tr->features & M68K_000) || m68k_privileged(tr)) {
        ea = m68k_ea_src(tr, 1);
        if ((tr->features & M68K_000) && m68k_ea_is_mem(&ea)) {
            m68k_get(tr, &ea);
        }
        m68k_put(tr, &ea, ir_trunc(tr->ir, IR_I16, get_sr(tr)));
    }
}

void m68k_tr_move_fccr(M68kTr *tr);
void m68k_tr_move_fccr(M68kTr *tr)
{
    Ea ea = m68k_ea_src(tr, 1);

    m68k_put(tr, &ea, ir_trunc(tr->ir, IR_I16, m68k_ccr(tr)));
}

void m68k_tr_move_tccr(M68kTr *tr);
void m68k_tr_move_tccr(M68kTr *tr)
{
    Ea ea = m68k_ea_src(tr, 1);

    m68k_put_ccr(tr, ir_zext(tr->ir, IR_I32, m68k_get(tr, &ea)));
}

void m68k_tr_move_tsr(M68kTr *tr);
void m68k_tr_move_tsr(M68kTr *tr)
{
    if (m68k_privileged(tr)) {
        Ea ea;
        IrValue v;

        memcpy(tr->before, tr->reg, sizeof(tr->before));
        ea = m68k_ea_src(tr, 1);
        v = ir_zext(tr->ir, IR_I32, m68k_get(tr, &ea));
        if (goes_on(tr)) {
            put_mask(tr, v);
        } else {
            put_sr(tr, v);
        }
    }
}

void m68k_tr_move_usp(M68kTr *tr);
void m68k_tr_move_usp(M68kTr *tr)
{
    unsigned r = 8 + (tr->op & 7);

    if (!m68k_privileged(tr)) {
        return;
    }
    if (tr->op & 8) {
        m68k_put_reg(tr, r, 2, ir_ld_env(tr->ir, IR_I32, offsetof(M68kState, usp)));
    } else {
        ir_st_env(tr->ir, offsetof(M68kState, usp), m68k_reg(tr, r, 2));
    }
}

void m68k_tr_reset(M68kTr *tr);
void m68k_tr_reset(M68kTr *tr)
{
    if (m68k_privileged(tr)) {
        M68K_CALL(tr, &m68k_h_reset);
    }
}

void m68k_tr_stop(M68kTr *tr);
void m68k_tr_stop(M68kTr *tr)
{
    uint16_t sr = m68k_word(tr);

    if (!m68k_privileged(tr)) {
        return;
    }
    m68k_commit(tr);
    ir_put_pc_value(tr->ir, m68k_pc(tr, tr->next));
    M68K_CALL(tr, &m68k_h_stop, ir_i32(tr->ir, sr));
    if (tr->mode & MW_TRACE) {
        m68k_exit(tr, IR_EXIT_IRQ_CHECK);
    } else {
        m68k_exit(tr, IR_EXIT_HALT);
    }
}

void m68k_tr_rte(M68kTr *tr);
void m68k_tr_rte(M68kTr *tr)
{
    if (!m68k_privileged(tr)) {
        return;
    }
    ir_commit_pending(tr->ir);
    tr->ir->state.aux = (uint32_t)tr->op << AUX_OPCODE_SHIFT | AUX_PROGRAM | 1 << AUX_PC_SHIFT;
    tr->ir->last_snap = 0;
    M68K_CALL(tr, &m68k_h_rte);         /* sets PC */
    m68k_go_on(tr, true);
}

void m68k_tr_movec(M68kTr *tr);
void m68k_tr_movec(M68kTr *tr)
{
    uint16_t ext = m68k_word(tr);
    IrRegion *ir = tr->ir;
    unsigned r = ext >> 12;

    if (!m68k_privileged(tr)) {
        return;
    }
    if (tr->op & 1) {
        M68K_CALL(tr, &m68k_h_movec_to, ir_i32(ir, ext & 0xfff), m68k_reg(tr, r, 2));
        m68k_exit_next(tr, IR_EXIT_NEXT);
    } else {
        m68k_put_reg(tr, r, 2, M68K_CALL(tr, &m68k_h_movec_from, ir_i32(ir, ext & 0xfff)));
    }
}

void m68k_tr_moves(M68kTr *tr);
void m68k_tr_moves(M68kTr *tr)
{
    unsigned size = m68k_size(tr);
    uint16_t ext = m68k_word(tr);
    IrMemOp own = tr->mo;
    unsigned r = ext >> 12;
    IrValue v;
    Ea ea;

    if (!m68k_privileged(tr)) {
        return;
    }
    v = m68k_reg(tr, r, size);          /* before -(An) or (An)+ changes it */
    ea = m68k_ea_src(tr, size);
    tr->mo = IR_MO_BE | IR_MO_MMU_IDX(tr->mode & (ext & 0x800 ? MW_DFC_S : MW_SFC_S) ? M68K_MMU_SUPER : M68K_MMU_USER);
    if (ext & 0x800) {
        m68k_st(tr, ea.addr, size, v, ea.aux);
        tr->mo = own;
    } else {
        v = m68k_ld(tr, ea.addr, size, ea.aux);
        tr->mo = own;
        if (r >= 8) {
            m68k_put_areg_sx(tr, r - 8, size, v);
        } else {
            m68k_put_reg(tr, r, size, v);
        }
    }
}

/* ------------------------------------------------------------------ caches, MMU */

/* There are no caches; code that changes is seen at once. */
void m68k_tr_cinv(M68kTr *tr);
void m68k_tr_cinv(M68kTr *tr)
{
    if (!(tr->op >> 3 & 3)) {
        m68k_except(tr, EXCP_LINE_F, tr->pc);
        return;
    }
    m68k_privileged(tr);
}

void m68k_tr_pflush(M68kTr *tr);
void m68k_tr_pflush(M68kTr *tr)
{
    IrRegion *ir = tr->ir;

    if (m68k_privileged(tr)) {
        M68K_CALL(tr, &m68k_h_pflush, ir_i32(ir, tr->op >> 3 & 3), m68k_reg(tr, 8 + (tr->op & 7), 2));
        m68k_exit_next(tr, IR_EXIT_NEXT);
    }
}

void m68k_tr_ptest(M68kTr *tr);
void m68k_tr_ptest(M68kTr *tr)
{
    IrRegion *ir = tr->ir;

    if (m68k_privileged(tr)) {
        M68K_CALL(tr, &m68k_h_ptest, m68k_reg(tr, 8 + (tr->op & 7), 2), ir_i32(ir, !(tr->op & 0x20)));
    }
}

/* The 68030's coprocessor 0: all done by the helper, by the second word and the operand's address. */
void m68k_tr_pmmu(M68kTr *tr);
void m68k_tr_pmmu(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    uint16_t ext = m68k_word(tr);
    unsigned index = ea_index(tr->op >> 3 & 7, tr->op & 7);
    IrValue addr = ir_i32(ir, 0);

    if (!m68k_privileged(tr)) {
        return;
    }
    if (EA_CONTROL_ALT & 1u << index) {
        addr = ir_trunc(ir, IR_I32, m68k_ea_control(tr).addr);
    } else if ((ext & 0xe000) != 0x2000 || (ext >> 10 & 7) == 1 || (ext >> 10 & 7) == 5 ||
               (ext >> 10 & 7) == 6) {
        /* PFLUSHA and the like need no operand; PMOVE takes memory only. */
        if ((ext & 0xe000) != 0x2000) {
            m68k_except(tr, EXCP_LINE_F, tr->pc);
            return;
        }
    }
    M68K_CALL(tr, &m68k_h_pmmu, ir_i32(ir, ext), addr, ir_i32(ir, tr->op & 7));
    m68k_exit_next(tr, IR_EXIT_NEXT);
}
