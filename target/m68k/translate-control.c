/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Program control (PRM 3.1.7), checks, and multiprocessor instructions (3.1.9). */
#include "util/osdep.h"
#include "target/m68k/helpers.h"
#include "target/m68k/translate.h"

/* Distance of a branch; *target. False: an illegal instruction (long form before the 68020). */
static bool branch_target(M68kTr *tr, uint32_t *target)
{
    uint32_t base = tr->pc + 2;
    int32_t d = (int8_t)tr->op;

    if (d == 0) {
        d = (int16_t)m68k_word(tr);
    } else if (d == -1 && !(tr->features & (M68K_000 | M68K_010))) {
        d = (int32_t)m68k_long(tr);
    }
    *target = base + (uint32_t)d;
    return true;
}

void m68k_tr_bcc(M68kTr *tr);
void m68k_tr_bcc(M68kTr *tr)
{
    unsigned cond = tr->op >> 8 & 15;
    uint32_t target;

    if (!branch_target(tr, &target)) {
        return;
    }
    if (cond == 1) {            /* BSR */
        m68k_push32(tr, ir_trunc(tr->ir, IR_I32, m68k_pc(tr, tr->next)));
        m68k_jump(tr, target);
    } else if (cond == 0) {
        m68k_jump(tr, target);
    } else {
        m68k_jump_if(tr, m68k_cond(tr, cond), target);
    }
}

/* The counter is a word; the loop ends when it is -1 (PRM, DBcc). */
void m68k_tr_dbcc(M68kTr *tr);
void m68k_tr_dbcc(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    unsigned cond = tr->op >> 8 & 15, dn = tr->op & 7;
    uint32_t target = tr->pc + 2;
    IrValue v;

    target += (uint32_t)(int16_t)m68k_word(tr);
    if (cond == 0) {
        return;
    }
    if (cond != 1) {
        m68k_jump_if(tr, m68k_cond(tr, cond), tr->next);
    }
    v = ir_sub(ir, IR_I16, m68k_reg(tr, dn, 1), ir_i16(ir, 1));
    m68k_put_reg(tr, dn, 1, v);
    m68k_jump_if(tr, (M68kCond){ IR_NE, IR_I16, v, ir_i16(ir, 0xffff) }, target);
}

static void jump_to_ea(M68kTr *tr, const Ea *ea, uint32_t pcdisp, unsigned hint)
{
    if (ea->index == 9) {
        m68k_jump(tr, pcdisp);
    } else {
        m68k_jump_value(tr, ea->addr, hint);
    }
}

/* What (d16,PC) stands for, told from the word behind the first. */
static uint32_t pc_target(M68kTr *tr, Ea *ea)
{
    uint32_t at = tr->next;
    M68kTr peek = *tr;

    *ea = m68k_ea_control(tr);
    return ea->index == 9 ? at + (uint32_t)(int16_t)m68k_word(&peek) : 0;
}

void m68k_tr_jmp(M68kTr *tr);
void m68k_tr_jmp(M68kTr *tr)
{
    Ea ea;
    uint32_t target = pc_target(tr, &ea);

    jump_to_ea(tr, &ea, target, IR_JUMP_PLAIN);
}

void m68k_tr_jsr(M68kTr *tr);
void m68k_tr_jsr(M68kTr *tr)
{
    Ea ea;
    uint32_t target = pc_target(tr, &ea);

    m68k_check_target(tr, ir_trunc(tr->ir, IR_I32, ea.addr), (tr->next - tr->pc) / 2);
    m68k_push32(tr, ir_trunc(tr->ir, IR_I32, m68k_pc(tr, tr->next)));
    jump_to_ea(tr, &ea, target, IR_JUMP_CALL);
}

static void ret(M68kTr *tr, uint32_t more)
{
    IrValue sp = m68k_reg64(tr, 15), pc = m68k_ld(tr, sp, 2, 0);

    m68k_put_reg64(tr, 15, m68k_addr_add(tr, sp, (int32_t)(4 + more)));
    m68k_jump_value(tr, ir_zext(tr->ir, IR_I64, pc), IR_JUMP_RET);
}

void m68k_tr_rts(M68kTr *tr);
void m68k_tr_rts(M68kTr *tr)
{
    ret(tr, 0);
}

void m68k_tr_rtd(M68kTr *tr);
void m68k_tr_rtd(M68kTr *tr)
{
    ret(tr, (uint32_t)(int16_t)m68k_word(tr));
}

void m68k_tr_rtr(M68kTr *tr);
void m68k_tr_rtr(M68kTr *tr)
{
    IrValue sp = m68k_reg64(tr, 15), ccr = m68k_ld(tr, sp, 1, 0);
    IrValue pc = m68k_ld(tr, m68k_addr_add(tr, sp, 2), 2, 0);

    m68k_put_reg64(tr, 15, m68k_addr_add(tr, sp, 6));
    m68k_put_ccr(tr, ir_zext(tr->ir, IR_I32, ccr));
    m68k_jump_value(tr, ir_zext(tr->ir, IR_I64, pc), IR_JUMP_RET);
}

void m68k_tr_nop(M68kTr *tr);
void m68k_tr_nop(UNUSED M68kTr *tr)
{
}

void m68k_tr_illegal(M68kTr *tr);
void m68k_tr_illegal(M68kTr *tr)
{
    m68k_illegal(tr);
}

void m68k_tr_line_a(M68kTr *tr);
void m68k_tr_line_a(M68kTr *tr)
{
    m68k_except(tr, EXCP_LINE_A, tr->pc);
}

void m68k_tr_callm(M68kTr *tr);
void m68k_tr_callm(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    uint16_t count = m68k_word(tr) & 0xff;
    Ea ea = m68k_ea_control(tr);

    ir_commit_pending(ir);
    ir->state.aux = (uint32_t)tr->op << AUX_OPCODE_SHIFT;
    ir->last_snap = 0;
    M68K_CALL(tr, &m68k_h_callm, ir_trunc(ir, IR_I32, ea.addr), ir_i32(ir, count),
              ir_trunc(ir, IR_I32, m68k_pc(tr, tr->next)));
    m68k_go_on(tr, true);
}

void m68k_tr_rtm(M68kTr *tr);
void m68k_tr_rtm(M68kTr *tr)
{
    ir_commit_pending(tr->ir);
    tr->ir->state.aux = (uint32_t)tr->op << AUX_OPCODE_SHIFT;
    tr->ir->last_snap = 0;
    M68K_CALL(tr, &m68k_h_rtm, ir_i32(tr->ir, tr->op & 15));
    m68k_go_on(tr, true);
}

void m68k_tr_trap(M68kTr *tr);
void m68k_tr_trap(M68kTr *tr)
{
    m68k_except(tr, EXCP_TRAP + (tr->op & 15), tr->next);
}

void m68k_tr_trapv(M68kTr *tr);
void m68k_tr_trapv(M68kTr *tr)
{
    m68k_except2_if(tr, m68k_cond(tr, 9), EXCP_TRAPCC);
}

void m68k_tr_trapcc(M68kTr *tr);
void m68k_tr_trapcc(M68kTr *tr)
{
    if (tr->row->arg == 1) {
        m68k_word(tr);
    } else if (tr->row->arg == 2) {
        m68k_long(tr);
    }
    m68k_except2_if(tr, m68k_cond(tr, tr->op >> 8 & 15), EXCP_TRAPCC);
}

void m68k_tr_chk(M68kTr *tr);
void m68k_tr_chk(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    unsigned size = tr->row->arg;
    Ea ea = m68k_ea_src(tr, size);
    IrValue bound = m68k_get(tr, &ea), v = m68k_reg(tr, tr->op >> 9 & 7, size);

    m68k_set_logic(tr, size, v);
    M68K_CALL(tr, &m68k_h_chk, ir_sext(ir, IR_I32, v), ir_sext(ir, IR_I32, bound),
              ir_i32(ir, tr->next - tr->pc));
}

void m68k_tr_cmp2(M68kTr *tr);
void m68k_tr_cmp2(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    unsigned size = tr->row->arg;
    uint16_t ext = m68k_word(tr);
    Ea ea = m68k_ea_control(tr);
    IrValue lo = m68k_ld(tr, ea.addr, size, 0), v = m68k_reg(tr, ext >> 12, 2), f;
    IrValue hi = m68k_ld(tr, m68k_addr_add(tr, ea.addr, 1 << size), size, 0);

    lo = ir_sext(ir, IR_I32, lo);
    hi = ir_sext(ir, IR_I32, hi);
    if (!(ext & 0x8000) && size < 2) {
        v = ir_sext(ir, IR_I32, ir_trunc(ir, m68k_type(size), v));
    }
    f = ir_and(ir, IR_I32, m68k_flags(tr), ir_i32(ir, CCR_N | CCR_V));
    f = ir_or(ir, IR_I32, f, M68K_CALL(tr, &m68k_h_cmp2, v, lo, hi));
    m68k_set_flags(tr, f);
    if (ext & 0x800) {          /* CHK2 */
        m68k_except2_if(tr, m68k_cond(tr, 5), EXCP_CHK);
    }
}

void m68k_tr_cas(M68kTr *tr);
void m68k_tr_cas(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    unsigned size = tr->row->arg;
    uint16_t ext = m68k_word(tr);
    Ea ea = m68k_ea_src(tr, size);
    IrType t = m68k_type(size);
    IrValue want = m68k_reg(tr, ext & 7, size), old;

    ir->state.aux = (uint32_t)tr->op << AUX_OPCODE_SHIFT | size | AUX_LOCKED | ea.aux;
    ir->last_snap = 0;
    old = ir_cmpxchg(ir, t, ea.addr, want, m68k_reg(tr, ext >> 6 & 7, size), tr->mo | size);
    m68k_put_reg(tr, ext & 7, size, old);       /* what it was if they are equal */
    m68k_set_cc(tr, CC_CMP, size, old, want, IR_NO_VALUE, IR_NO_VALUE);
}

void m68k_tr_cas2(M68kTr *tr);
void m68k_tr_cas2(M68kTr *tr)
{
    uint16_t e1 = m68k_word(tr), e2 = m68k_word(tr);
    IrRegion *ir = tr->ir;

    ir_commit_pending(ir);
    M68K_CALL(tr, &m68k_h_cas2, ir_i32(ir, (uint32_t)e1 << 16 | e2), ir_i32(ir, tr->row->arg),
              ir_i32(ir, (tr->mo & IR_MO_MMU) >> IR_MO_MMU_SHIFT));
}
