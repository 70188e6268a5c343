/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What processors before the 486 do otherwise, as far as their instructions go (decode-old.c says what is
 * decoded). Most of it is the 8086: addresses that wrap inside the segment, counts of shifts that
 * aren't cut, decimal adjustment of AL and AH apart, divide errors that go on behind
 * the instruction, opcodes nobody documented.
 *
 * Sources: 8086 Family User's Manual (1979), appendix of the 80386 Programmer's Reference Manual (1986) on differences
 * (14.7); for what these leave open, real chips as measured in the vectors of SingleStepTests.
 * Not modelled: the sign of IMUL after a repeat prefix; flags left undefined; FE /2 to /7 and FF's calls and jumps
 * through a register do nothing.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "target/i386/translate.h"

extern const IrHelper x86_h_raise;

static uint32_t parity(uint32_t v)
{
    return __builtin_parity(v & 0xff) ? 0 : FL_PF;
}

static uint32_t szp(uint32_t v, unsigned size)
{
    return (v ? 0 : FL_ZF) | (v >> (8 * size - 1) & 1 ? FL_SF : 0) | parity(v);
}

/* --- shifts by CL: as many steps as it says --- */

enum { ROL, ROR, RCL, RCR, SHL, SHR, SETMO, SAR };

/* @info: count, which << 8, size << 16. Gives the result, and the flags << 16. */
static uint32_t shift(uint32_t v, uint32_t info, uint32_t flags)
{
    unsigned count = info & 0xff, op = info >> 8 & 7, size = info >> 16, top = 8 * size - 1;
    uint32_t mask = size == 1 ? 0xff : 0xffff, cf = flags & FL_CF, of = 0;

    if (count == 0) {
        return v | flags << 16;
    }
    while (count--) {
        uint32_t high = v >> top & 1, low = v & 1, old = cf;

        switch (op) {
        case ROL: cf = high; v = v << 1 | cf; break;
        case ROR: cf = low; v = v >> 1 | cf << top; break;
        case RCL: cf = high; v = v << 1 | old; break;
        case RCR: cf = low; v = v >> 1 | old << top; break;
        case SHL: cf = high; v <<= 1; break;
        case SHR: cf = low; v >>= 1; break;
        case SETMO: cf = 0; v = mask; break;
        default: cf = low; v = v >> 1 | high << top; break;
        }
        v &= mask;
        of = op == ROL || op == RCL || op == SHL ? cf ^ (v >> top & 1) : (v >> top ^ v >> (top - 1)) & 1;
        of = op == SETMO ? 0 : of;
    }
    flags &= ~(uint32_t)(op < SHL ? FL_CF | FL_OF : FL_ARITH);
    return v | (flags | cf | (of ? FL_OF : 0) | (op < SHL ? 0 : szp(v, size))) << 16;
}
static const IrHelper h_shift = { "shift_8086", (void *)shift, "l:lll", IR_H_PURE, 0, 0 };

static void tr_shift(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    unsigned size = i->op[0].size, op = i->modrm >> 3 & 7;
    IrValue a = x86_get_rmw(tr, i, 0), count, v;

    count = i->raw & 2 ? ir_zext(ir, IR_I32, x86_reg(tr, R_CX, 1)) : ir_i32(ir, 1);
    count = ir_or(ir, IR_I32, count, ir_i32(ir, op << 8 | size << 16));
    v = X86_CALL(tr, &h_shift, ir_zext(ir, IR_I32, a), count, x86_flags_value(tr));
    x86_put(tr, i, 0, ir_trunc(ir, x86_type(size), v));
    x86_set_flags_value(tr, ir_shr(ir, IR_I32, v, ir_i32(ir, 16)));
}

/* --- decimal adjustment: AH isn't part of the sum --- */

enum { DAA, DAS, AAA, AAS };

/* Gives AX, and the flags << 16. */
static uint32_t adjust(uint32_t ax, uint32_t flags, uint32_t op)
{
    uint32_t al = ax & 0xff, ah = ax >> 8, old = al;
    bool low = (al & 15) > 9 || (flags & FL_AF);

    if (op >= AAA) {
        if (low) {
            al = op == AAA ? al + 6 : al - 6;
            ah = op == AAA ? ah + 1 : ah - 1;
        }
        flags = low ? FL_AF | FL_CF : 0;
        al &= 15;
    } else {
        bool high = old > (flags & FL_AF ? 0x9f : 0x99) || (flags & FL_CF);
        uint32_t by = (low ? 6 : 0) + (high ? 0x60 : 0);

        al = (op == DAA ? al + by : al - by) & 0xff;
        flags = (low ? FL_AF : 0) | (high ? FL_CF : 0);
    }
    flags |= szp(al, 1);
    return al | (ah & 0xff) << 8 | flags << 16;
}
static const IrHelper h_adjust = { "adjust_8086", (void *)adjust, "l:lll", IR_H_PURE, 0, 0 };

static void tr_adjust(X86Tr *tr, unsigned op)
{
    IrRegion *ir = tr->ir;
    IrValue v = X86_CALL(tr, &h_adjust, ir_zext(ir, IR_I32, x86_reg(tr, R_AX, 2)), x86_flags_value(tr),
                         ir_i32(ir, op));

    x86_put_reg(tr, R_AX, 2, ir_trunc(ir, IR_I16, v));
    x86_set_flags_value(tr, ir_shr(ir, IR_I32, v, ir_i32(ir, 16)));
}

/* --- signed division: of magnitudes; for the 8086 -128 and -32768 aren't quotients, and a repeat prefix
 * turns the sign; the 286, of bytes, sees no overflow where its first subtraction leaves 80 hex --- */

static void idiv(TcgEnv *env, uint32_t divisor, uint32_t size, uint32_t negate)
{
    X86State *s = x86_state(env);
    uint16_t ax = s->regs[R_AX], dx = s->regs[R_DX];
    int32_t n = size == 1 ? (int16_t)ax : (int32_t)((uint32_t)dx << 16 | ax);
    int32_t d = size == 1 ? (int8_t)divisor : (int16_t)divisor;
    uint32_t mn = n < 0 ? -(uint32_t)n : (uint32_t)n, md = d < 0 ? -(uint32_t)d : (uint32_t)d, q, r;

    negate ^= (n < 0) ^ (d < 0);
    if (s->generation == X86_286 && negate && mn >> 7 == md + 0x80 && (mn & 0x7f) < md) {
        q = 0x80;                               /* too large, and not noticed */
        r = mn & 0x7f;
    } else if (!md || mn / md > (size == 1 ? 0x7fu : 0x7fffu) + (s->generation == X86_286 && negate)) {
        x86_raise(s, EXCP_DE);
    } else {
        q = mn / md;
        r = mn % md;
    }
    q = negate ? -q : q;
    r = n < 0 ? -r : r;
    if (size == 1) {
        s->regs[R_AX] = (s->regs[R_AX] & ~UINT64_C(0xffff)) | (r & 0xff) << 8 | (q & 0xff);
    } else {
        s->regs[R_AX] = (s->regs[R_AX] & ~UINT64_C(0xffff)) | (q & 0xffff);
        s->regs[R_DX] = (s->regs[R_DX] & ~UINT64_C(0xffff)) | (r & 0xffff);
    }
}
#define ALL (IR_H_READS | IR_H_WRITES | IR_H_RAISES)
static const IrHelper h_idiv = { "idiv_8086", (void *)idiv, "v:elll", ALL, 0, 0 };

/* AAM by 0 sets the flags before it raises: as of 0 on the 8086, of half of AL on the 286. */
static void aam_by_0(TcgEnv *env)
{
    X86State *s = x86_state(env);

    s->cc_op = CC_EFLAGS;
    s->cc_src = szp(s->generation == X86_8086 ? 0 : (s->regs[R_AX] & 0xff) >> 1, 1);
    x86_raise(s, EXCP_DE);
}
static const IrHelper h_aam_by_0 = { "aam_by_0", (void *)aam_by_0, "v:e", ALL, 0, 0 };

static bool old_byte(void *opaque, unsigned pos, uint8_t *b)
{
    X86State *s = opaque;

    *b = tcg_ldu8(&s->tcg, s->seg[S_CS].base + ((s->tcg.pc + pos) & 0xffff), x86_mmu_mode(s));
    return true;
}

unsigned x86_8086_length(X86State *s)
{
    X86Insn i;

    return x86_decode_old(&i, X86_8086, false, 16, old_byte, s) == XD_OK ? i.len : 0;
}

/* --- words at a segment's end --- */

bool x86_wraps_words(const X86Tr *tr)
{
    return tr->s->generation == X86_8086 || (tr->s->generation == X86_286 && !(tr->mode & MW_PE));
}

void x86_load_words(X86Tr *tr, const X86Insn *i, IrValue *first, IrValue *second)
{
    IrRegion *ir = tr->ir;
    IrValue at = x86_offset(tr, i), next;

    next = ir_and(ir, IR_I64, ir_add(ir, IR_I64, at, ir_i64(ir, 2)), ir_i64(ir, 0xffff));
    *first = x86_load(tr, x86_linear_address(tr, i->seg, at, 2, false), 2);
    *second = x86_load(tr, x86_linear_address(tr, i->seg, next, 2, false), 2);
}

enum { SRC = 1, DST = 2, DST_FIRST = 4, REPEATED = 8, WRITES = 16 };

static void move_16(X86State *s, unsigned reg, int by)
{
    s->regs[reg] = (s->regs[reg] & ~UINT64_C(0xffff)) | ((s->regs[reg] + by) & 0xffff);
}

/* Each register moves with its access, CX before reads and twice before writes; CMPS, which reads ES:DI
 * first, counts only then (as seen on a chip). */
static void string_286(TcgEnv *env, uint32_t what)
{
    X86State *s = x86_state(env);
    int step = (int64_t)s->df < 0 ? -2 : 2;
    bool src = what & SRC && (s->regs[R_SI] & 0xffff) == 0xffff;
    bool dst = what & DST && (s->regs[R_DI] & 0xffff) == 0xffff;

    if (!src && !dst) {
        return;
    }
    if ((what & SRC) && (src || !(what & DST_FIRST)) && !(dst && (what & DST_FIRST))) {
        move_16(s, R_SI, step);
    }
    if ((what & DST) && (what & DST_FIRST || !src)) {
        move_16(s, R_DI, step);
    }
    if (what & REPEATED) {
        bool writes = what & WRITES && !src;

        move_16(s, R_CX, what & DST_FIRST && dst ? 0 : writes ? -2 : -1);
    }
    x86_raise_error(s, EXCP_GP, 0);
}
static const IrHelper h_string_286 = { "string_286", (void *)string_286, "v:el", ALL, 0, 0 };

void x86_string_286(X86Tr *tr, const X86Insn *i, bool src, bool dst, bool dst_first, bool writes)
{
    IrRegion *ir = tr->ir;

    if (tr->one) {
        X86_CALL(tr, &h_string_286, ir_i32(ir, (src ? SRC : 0) | (dst ? DST : 0) | (dst_first ? DST_FIRST : 0) |
                                           (i->rep ? REPEATED : 0) | (writes ? WRITES : 0)));
        return;
    }
    for (unsigned k = 0; k < 2; k++) {
        if (k ? dst : src) {
            x86_fault_if(tr, IR_EQ, IR_I16, x86_reg(tr, k ? R_DI : R_SI, 2), ir_i16(ir, 0xffff),
                         X86_RETRY_ALONE, false, 0);
        }
    }
}

/* --- CS by MOV and POP: what follows comes from the new segment (without the bytes that the
 * prefetch queue would have held) --- */

static void set_cs(TcgEnv *env, uint32_t sel, uint64_t next_pc)
{
    X86State *s = x86_state(env);

    x86_set_segment_real(s, S_CS, sel);
    env->pc = next_pc;
    x86_mode_sync(s);
}
static const IrHelper h_set_cs = { "set_cs", (void *)set_cs, "v:elq", ALL, 0, 0 };

static void load_cs(X86Tr *tr, IrValue sel)
{
    X86_CALL(tr, &h_set_cs, ir_zext(tr->ir, IR_I32, sel), ir_pc(tr->ir, tcg_pc_offset(tr->t, tr->next_pc)));
    x86_go_on(tr);
}

static void tr_pop_cs(X86Tr *tr)
{
    IrValue sp = x86_reg(tr, R_SP, 2), v = x86_load(tr, x86_stack_address(tr, sp, 0, 2, false), 2);

    x86_put_reg(tr, R_SP, 2, ir_add(tr->ir, IR_I16, sp, ir_i16(tr->ir, 2)));
    load_cs(tr, v);
}

/* --- all of it --- */

/* ESC without a coprocessor: the operand is read, and nothing comes of it. */
static void tr_escape(X86Tr *tr, const X86Insn *i)
{
    if (tr->mode & (MW_EM | MW_TS)) {
        x86_fault(tr, EXCP_NM);
    } else if (i->op[0].kind == XO_MEM) {
        x86_get(tr, i, 0);
    }
}

static bool insn_8086(X86Tr *tr, const X86Insn *i)
{
    bool is_reg = i->op[0].kind == XO_REG;

    switch (i->raw) {
    case 0x0f:
        tr_pop_cs(tr);
        return true;
    case 0x27: case 0x2f: case 0x37: case 0x3f:
        tr_adjust(tr, (i->raw >> 3) - 4);
        return true;
    case 0x8d: case 0xc4: case 0xc5:
        return i->modrm >= 0xc0;
    case 0x8e:
        if (i->op[0].reg == S_CS) {
            load_cs(tr, x86_get(tr, i, 1));
            return true;
        }
        return false;
    case 0xd2: case 0xd3:
        tr_shift(tr, i);
        return true;
    case 0xd0: case 0xd1:
        if ((i->modrm >> 3 & 7) == SETMO) {
            tr_shift(tr, i);
            return true;
        }
        return false;
    case 0xf6: case 0xf7:
        if ((i->modrm >> 3 & 7) == 7) {
            X86_CALL(tr, &h_idiv, ir_zext(tr->ir, IR_I32, x86_get(tr, i, 0)), ir_i32(tr->ir, i->op[0].size),
                     ir_i32(tr->ir, i->rep != 0));
            return true;
        }
        return false;
    case 0x54: case 0xff:
        if (!strcmp(i->mnemonic, "PUSH") && is_reg && i->op[0].reg == R_SP) {
            /* What SP will be (80386 manual, 14.7). */
            x86_push(tr, ir_add(tr->ir, IR_I16, x86_reg(tr, R_SP, 2), ir_i16(tr->ir, -2)));
            return true;
        }
        return i->raw == 0xff && !strcmp(i->mnemonic, "TEST");
    default:
        return false;
    }
}

bool x86_old_insn(X86Tr *tr, const X86Insn *i)
{
    if (i->raw >= 0xd8 && i->raw <= 0xdf && !x86_has(tr->s, FEAT_1_EDX, 0)) {
        tr_escape(tr, i);
        return true;
    }
    if (i->raw == 0xd4 && !(i->op[0].imm & 0xff) && tr->s->generation != X86_386) {
        X86_CALL(tr, &h_aam_by_0);
        return true;
    }
    if (i->raw == 0xf6 && (i->modrm >> 3 & 7) == 7 && tr->s->generation == X86_286) {
        X86_CALL(tr, &h_idiv, ir_zext(tr->ir, IR_I32, x86_get(tr, i, 0)), ir_i32(tr->ir, 1), ir_i32(tr->ir, 0));
        return true;
    }
    return tr->s->generation == X86_8086 && insn_8086(tr, i);
}
