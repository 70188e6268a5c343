/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Data movement (PRM 3.1.1): MOVE, MOVEM, MOVEP, LEA, PEA, LINK, EXG, SWAP, EXT, MOVE16. */
#include "util/osdep.h"
#include "target/m68k/translate.h"

/* MOVE on the 68000, as an address error at the destination tells. The prefetch stands a word further, but for a long
 * absolute address that memory is moved to; a word to -(An) is written last, when the next instruction's first word is in
 * the instruction register already. The codes are set by then; those of a long word come by halves, and (An) and (An)+ are
 * written before, displacements and indices in the middle of it. */
static void move_000(M68kTr *tr, const Ea *src, Ea *dst, IrValue v)
{
    IrRegion *ir = tr->ir;
    uint16_t op = tr->op;
    bool mem = m68k_ea_is_mem(src), slow = dst->index == 2 || dst->index == 3;

    dst->aux = (uint16_t)(dst->aux & ~AUX_PC);
    if (m68k_ea_is_mem(dst)) {
        uint32_t at = dst->index < 5 ? tr->next + 2 : dst->index == 8 && mem ? tr->next - 2 : tr->next;

        dst->aux |= (uint16_t)((at - tr->pc) / 2 << AUX_PC_SHIFT | (dst->index == 4 ? AUX_LOW_FIRST : 0));
        if (dst->size < 2 || (!slow && (mem || (dst->index != 5 && dst->index != 6)) && !(mem && dst->index == 8))) {
            m68k_set_logic(tr, dst->size, v);
        } else if (mem) {
            m68k_set_logic(tr, 1, ir_trunc(ir, IR_I16, v));
        } else if (!slow) {
            m68k_set_flags(tr, ir_or(ir, IR_I32, m68k_nz(tr, 2, v),
                                     ir_and(ir, IR_I32, m68k_flags(tr), ir_i32(ir, CCR_V | CCR_C))));
        }
        ir_commit_pending(ir);
        if (dst->index == 4 && dst->size == 1) {
            M68kTr peek = *tr;

            m68k_commit(tr);
            tr->op = m68k_word(&peek);
            tr->high = MAX(tr->high, peek.next - (uint32_t)tr->t->pc);
        }
    }
    m68k_put(tr, dst, v);
    tr->op = op;
    m68k_set_logic(tr, dst->size, v);
}

void m68k_tr_move(M68kTr *tr);
void m68k_tr_move(M68kTr *tr)
{
    Ea src = m68k_ea_src(tr, tr->row->arg), dst;
    IrValue v = m68k_get(tr, &src);

    m68k_commit_000(tr);
    dst = m68k_ea(tr, tr->op >> 6 & 7, tr->op >> 9 & 7, tr->row->arg);
    if (tr->features & M68K_000) {
        move_000(tr, &src, &dst, v);
        return;
    }
    m68k_put(tr, &dst, v);
    m68k_set_logic(tr, src.size, v);
}

void m68k_tr_movea(M68kTr *tr);
void m68k_tr_movea(M68kTr *tr)
{
    Ea src = m68k_ea_src(tr, tr->row->arg);

    m68k_put_areg_sx(tr, tr->op >> 9 & 7, src.size, m68k_get(tr, &src));
}

void m68k_tr_moveq(M68kTr *tr);
void m68k_tr_moveq(M68kTr *tr)
{
    IrValue v = ir_i32(tr->ir, (uint32_t)(int8_t)tr->op);

    if (tr->op & 0x100) {
        m68k_illegal(tr);
        return;
    }
    m68k_put_reg(tr, tr->op >> 9 & 7, 2, v);
    m68k_set_logic(tr, 2, v);
}

void m68k_tr_lea(M68kTr *tr);
void m68k_tr_lea(M68kTr *tr)
{
    m68k_put_reg64(tr, 8 + (tr->op >> 9 & 7), m68k_ea_control(tr).addr);
}

void m68k_tr_pea(M68kTr *tr);
void m68k_tr_pea(M68kTr *tr)
{
    m68k_push32(tr, ir_trunc(tr->ir, IR_I32, m68k_ea_control(tr).addr));
}

void m68k_tr_clr(M68kTr *tr);
void m68k_tr_clr(M68kTr *tr)
{
    unsigned size = m68k_size(tr);
    Ea dst = m68k_ea_src(tr, size);
    IrValue zero = m68k_const(tr, size, 0);

    if ((tr->features & M68K_000) && m68k_ea_is_mem(&dst)) {
        m68k_get(tr, &dst);     /* PRM, CLR: the 68000 reads it first */
    }
    m68k_put(tr, &dst, zero);
    m68k_set_logic(tr, size, zero);
}

void m68k_tr_link(M68kTr *tr);
void m68k_tr_link(M68kTr *tr)
{
    unsigned r = tr->op & 7;
    int32_t disp = tr->row->arg == 2 ? (int32_t)m68k_long(tr) : (int16_t)m68k_word(tr);
    IrValue sp = m68k_addr_add(tr, m68k_reg64(tr, 15), -4);
    /* LINK A7 stores the pointer as it was on the 68000, decremented from the 68020 on. */
    IrValue v = r == 7 && !(tr->features & (M68K_000 | M68K_010)) ? ir_trunc(tr->ir, IR_I32, sp)
                                                                  : m68k_reg(tr, 8 + r, 2);

    m68k_st(tr, sp, 2, v, 0);
    m68k_put_reg64(tr, 8 + r, sp);
    m68k_put_reg64(tr, 15, m68k_addr_add(tr, sp, disp));
}

void m68k_tr_unlk(M68kTr *tr);
void m68k_tr_unlk(M68kTr *tr)
{
    unsigned r = tr->op & 7;
    IrValue sp = m68k_reg64(tr, 8 + r), v = m68k_ld(tr, sp, 2, 0);

    m68k_put_reg64(tr, 15, m68k_addr_add(tr, sp, 4));
    m68k_put_reg(tr, 8 + r, 2, v);
}

void m68k_tr_exg(M68kTr *tr);
void m68k_tr_exg(M68kTr *tr)
{
    unsigned x = (tr->op >> 9 & 7) + (tr->row->arg == 1 ? 8 : 0);
    unsigned y = (tr->op & 7) + (tr->row->arg ? 8 : 0);
    IrValue vx = m68k_reg64(tr, x), vy = m68k_reg64(tr, y);

    m68k_put_reg64(tr, x, vy);
    m68k_put_reg64(tr, y, vx);
}

void m68k_tr_swap(M68kTr *tr);
void m68k_tr_swap(M68kTr *tr)
{
    IrValue v = ir_rotl(tr->ir, IR_I32, m68k_reg(tr, tr->op & 7, 2), ir_i32(tr->ir, 16));

    m68k_put_reg(tr, tr->op & 7, 2, v);
    m68k_set_logic(tr, 2, v);
}

void m68k_tr_ext(M68kTr *tr);
void m68k_tr_ext(M68kTr *tr)
{
    unsigned size = tr->row->arg;
    IrValue v = ir_sext(tr->ir, m68k_type(size), m68k_reg(tr, tr->op & 7, size - 1));

    m68k_put_reg(tr, tr->op & 7, size, v);
    m68k_set_logic(tr, size, v);
}

void m68k_tr_extb(M68kTr *tr);
void m68k_tr_extb(M68kTr *tr)
{
    IrValue v = ir_sext(tr->ir, IR_I32, m68k_reg(tr, tr->op & 7, 0));

    m68k_put_reg(tr, tr->op & 7, 2, v);
    m68k_set_logic(tr, 2, v);
}

/* ------------------------------------------------------------------------ MOVEM */

/* PRM, MOVEM: to -(An) the list is reversed. An itself stored by the 68020 and later is its value less
 * the operand's size, before that the initial one. */
void m68k_tr_movem_st(M68kTr *tr);
void m68k_tr_movem_st(M68kTr *tr)
{
    unsigned size = tr->op & 0x40 ? 2 : 1, reg = tr->op & 7;
    bool dec = (tr->op >> 3 & 7) == 4;
    uint16_t list = m68k_word(tr);
    IrValue addr = m68k_ea_control(tr).addr;
    int32_t step = 1 << size;

    for (unsigned n = 0; n < 16; n++) {
        unsigned r = dec ? 15 - n : n;
        IrValue v;

        if (!(list & 1u << n)) {
            continue;
        }
        v = m68k_reg(tr, r, size);
        if (dec) {
            addr = m68k_addr_add(tr, addr, -step);
            if (r == 8 + reg && !(tr->features & (M68K_000 | M68K_010))) {
                v = ir_sub(tr->ir, m68k_type(size), v, m68k_const(tr, size, (uint32_t)step));
            }
        }
        m68k_st(tr, addr, size, v, AUX_MOVEM | (dec ? AUX_LOW_FIRST : 0));
        if (!dec) {
            addr = m68k_addr_add(tr, addr, step);
        }
    }
    if (dec) {
        m68k_put_reg64(tr, 8 + reg, addr);
    }
}

void m68k_tr_movem_ld(M68kTr *tr);
void m68k_tr_movem_ld(M68kTr *tr)
{
    unsigned size = tr->op & 0x40 ? 2 : 1;
    bool inc = (tr->op >> 3 & 7) == 3;
    uint16_t list = m68k_word(tr);
    Ea ea = m68k_ea_control(tr);
    IrValue addr = ea.addr, v[16];

    for (unsigned r = 0; r < 16; r++) {
        if (list & 1u << r) {
            v[r] = m68k_ld(tr, addr, size, AUX_MOVEM | ea.aux);
            addr = m68k_addr_add(tr, addr, 1 << size);
        }
    }
    for (unsigned r = 0; r < 16; r++) {
        if (list & 1u << r) {
            m68k_put_reg(tr, r, 2, size == 1 ? ir_sext(tr->ir, IR_I32, v[r]) : v[r]);
        }
    }
    if (inc) {
        m68k_put_reg64(tr, 8 + (tr->op & 7), addr);
    }
}

void m68k_tr_movep(M68kTr *tr);
void m68k_tr_movep(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    unsigned dn = tr->op >> 9 & 7, n = tr->op & 0x40 ? 4 : 2;
    IrValue addr = m68k_addr_add(tr, m68k_reg64(tr, 8 + (tr->op & 7)), (int16_t)m68k_word(tr));
    IrValue v = m68k_reg(tr, dn, 2), sum = ir_i32(ir, 0);

    for (unsigned i = 0; i < n; i++) {
        unsigned shift = 8 * (n - 1 - i);

        if (tr->op & 0x80) {
            m68k_st(tr, addr, 0, ir_trunc(ir, IR_I8, ir_shr(ir, IR_I32, v, ir_i32(ir, shift))), 0);
        } else {
            IrValue b = ir_zext(ir, IR_I32, m68k_ld(tr, addr, 0, 0));

            sum = ir_or(ir, IR_I32, sum, ir_shl(ir, IR_I32, b, ir_i32(ir, shift)));
        }
        addr = m68k_addr_add(tr, addr, 2);
    }
    if (!(tr->op & 0x80)) {
        m68k_put_reg(tr, dn, n == 4 ? 2 : 1, n == 4 ? sum : ir_trunc(ir, IR_I16, sum));
    }
}

/* Sixteen bytes of an aligned line (PRM, MOVE16). */
void m68k_tr_move16(M68kTr *tr);
void m68k_tr_move16(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    unsigned x = 8 + (tr->op & 7), y = x, mode = tr->row->arg ? 4 : tr->op >> 3 & 3;
    IrValue from, to, abs, line = ir_i64(ir, 0xfffffff0), v[4], vx;

    if (tr->row->arg) {
        uint16_t ext = m68k_word(tr);

        y = ext >> 12 & 15;
        if (!(ext & 0x8000)) {
            m68k_illegal(tr);
            return;
        }
    }
    abs = mode == 4 ? m68k_reg64(tr, y) : ir_i64(ir, m68k_long(tr));
    vx = m68k_reg64(tr, x);
    from = ir_and(ir, IR_I64, mode == 1 || mode == 3 ? abs : vx, line);
    to = ir_and(ir, IR_I64, mode == 1 || mode == 3 ? vx : abs, line);
    for (unsigned i = 0; i < 4; i++) {
        v[i] = m68k_ld(tr, m68k_addr_add(tr, from, 4 * (int)i), 2, 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        m68k_st(tr, m68k_addr_add(tr, to, 4 * (int)i), 2, v[i], 0);
    }
    if (mode == 0 || mode == 1 || mode == 4) {
        m68k_put_reg64(tr, x, m68k_addr_add(tr, vx, 16));
    }
    if (mode == 4 && y != x) {
        m68k_put_reg64(tr, y, m68k_addr_add(tr, abs, 16));
    }
}
