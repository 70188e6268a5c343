/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer operations. Types narrower than 32 bits are computed in 32-bit
 * registers whose upper bits mean nothing; where they would matter they are
 * cleared or filled first.
 */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

#define IS64(t) ((t) == IR_I64)

static uint64_t type_mask(IrType t)
{
    return UINT64_MAX >> (64 - ir_type_bits(t));
}

/* The flags just set are those of result @v, or of the compare a - b. */
static void flags_result(Cg *cg, IrType t, IrValue v)
{
    if (t == IR_I32 || t == IR_I64) {
        cg->a.flags = (AsmFlags){ FL_RESULT, t, v, 0 };
    }
}

static void flags_compare(Cg *cg, IrType t, IrValue a, IrValue b)
{
    cg->a.flags = (AsmFlags){ FL_CMP, t, a, b };
}

/* Will a compare soon want the flags of this operation? Then LEA won't do. */
static bool flags_wanted(Cg *cg, IrValue i)
{
    IrOp *op = cg_op(cg, i);
    uint64_t zero;

    for (IrValue k = i + 1; k < cg->block_end && k < i + 8; k++) {
        IrOp *u = cg_op(cg, k);
        if (u->opcode != IR_BRCOND && u->opcode != IR_SETCOND && u->opcode != IR_SELECT) {
            if (u->snap) {
                return false;
            }
            continue;
        }
        if (u->arg[0] == i && ra_const(cg, u->arg[1], &zero) && zero == 0) {
            return u->cond <= IR_GE;
        }
        return op->opcode == IR_SUB && u->arg[0] == op->arg[0] && u->arg[1] == op->arg[1];
    }
    return false;
}

static uint32_t bit(int r)
{
    return r == R_NONE ? 0 : 1u << r;
}

/* --------------------------------------------------------------- add, sub */

static void emit_add(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    bool w = IS64(op->type);
    Mem m, mb;
    int32_t imm;

    /* add reg, [mem] */
    for (unsigned n = 0; n < 2 && op->type >= IR_I32; n++) {
        IrValue x = op->arg[n], y = op->arg[1 - n];
        if (!(cg->val[x].flags & V_FOLDED) && !ra_imm32(cg, x, op->type, &imm) && x != y &&
            ra_mem(cg, y, &mb)) {
            int rx = ra_use(cg, x);
            if (!ra_mem(cg, y, &mb)) {
                break;
            }
            int d = ra_def(cg, i, ra_dies(cg, x) ? rx : R_NONE, 0);
            if (d != rx) {
                x_mov_rr(a, w, d, rx);
            }
            x_alu_rm(a, ALU_ADD, w, d, mb);
            flags_result(cg, op->type, i);
            return;
        }
    }
    m = ra_address(cg, i);
    int prefer = m.base != R_NONE ? m.base : m.index;
    int d = ra_def(cg, i, prefer, 0);
    if (m.base != R_NONE && m.index == R_NONE &&
        (m.base == d || flags_wanted(cg, i))) {
        if (m.base != d) {
            x_mov_rr(a, w, d, m.base);
        }
        x_alu_ri(a, ALU_ADD, w, d, m.disp);
        flags_result(cg, op->type, i);
    } else if (m.base != R_NONE && m.index != R_NONE && m.scale == 0 && m.disp == 0 &&
               (m.base == d || m.index == d)) {
        x_alu_rr(a, ALU_ADD, w, d, m.base == d ? m.index : m.base);
        flags_result(cg, op->type, i);
    } else {
        x_lea(a, w, d, m);
    }
}

static void emit_sub(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    bool w = IS64(op->type), wide = op->type >= IR_I32;
    int32_t imm;
    Mem m;

    if (ra_imm32(cg, op->arg[1], op->type, &imm)) {
        int ra = ra_use(cg, op->arg[0]);
        int d = ra_def(cg, i, ra, 0);
        if (d != ra && imm != INT32_MIN && !flags_wanted(cg, i)) {
            x_lea(a, w, d, mem_b(ra, -imm));
            return;
        }
        if (d != ra) {
            x_mov_rr(a, w, d, ra);
        }
        x_alu_ri(a, ALU_SUB, w, d, imm);
        if (wide) {
            flags_compare(cg, op->type, op->arg[0], op->arg[1]);
        }
        return;
    }
    bool b_mem = wide && op->arg[0] != op->arg[1] && ra_mem(cg, op->arg[1], &m);
    if (b_mem) {
        int ra = ra_use(cg, op->arg[0]);
        if (ra_mem(cg, op->arg[1], &m)) {
            int d = ra_def(cg, i, ra, 0);
            if (d != ra) {
                x_mov_rr(a, w, d, ra);
            }
            x_alu_rm(a, ALU_SUB, w, d, m);
            flags_compare(cg, op->type, op->arg[0], op->arg[1]);
            return;
        }
    }
    int rb = ra_use(cg, op->arg[1]);
    if (ra_imm32(cg, op->arg[0], op->type, &imm)) {
        int d = ra_def(cg, i, rb, 0);           /* imm - b */
        if (d != rb) {
            x_mov_rr(a, w, d, rb);
        }
        x_flags_lost(a);
        x_rr(a, 0xf7 | (w ? X_W : 0), 3, d);
        if (imm) {
            x_alu_ri(a, ALU_ADD, w, d, imm);
        }
        return;
    }
    int ra = ra_use(cg, op->arg[0]);
    int d = ra_def(cg, i, ra, bit(rb) & ~bit(ra));
    if (d != ra) {
        x_mov_rr(a, w, d, ra);
    }
    x_alu_rr(a, ALU_SUB, w, d, rb);
    if (wide) {
        flags_compare(cg, op->type, op->arg[0], op->arg[1]);
    }
}

/* ------------------------------------------------------------ and, or, xor */

static void emit_logic(Cg *cg, IrValue i, IrOp *op)
{
    static const uint8_t alu[] = { ALU_AND, ALU_OR, ALU_XOR };
    unsigned o = alu[op->opcode - IR_AND];
    Asm *a = &cg->a;
    bool w = IS64(op->type);
    IrValue x = op->arg[0], y = op->arg[1];
    uint64_t c;
    int32_t imm;
    Mem m;

    if (ra_const(cg, x, &c) && !ra_const(cg, y, &c)) {
        IrValue t = x;
        x = y;
        y = t;
    }
    int rx = ra_use(cg, x);
    if (ra_const(cg, y, &c)) {
        c &= type_mask(op->type);
        if (o == ALU_AND && (c == 0xff || c == 0xffff || c == 0xffffffff)) {
            int d = ra_def(cg, i, rx, 0);
            x_movzx(a, c == 0xff ? 1 : c == 0xffff ? 2 : 4, d, rx);
            cg->val[i].zbits = c == 0xff ? 8 : c == 0xffff ? 16 : 32;
            return;
        }
        if (o == ALU_AND && c < 0x80000000) {
            w = false;              /* the upper half becomes 0 either way */
        }
    }
    /* What AND makes of a 32-bit immediate is its 32-bit form. */
    if (ra_imm32(cg, y, w ? op->type : op->type == IR_I64 ? IR_I32 : op->type, &imm)) {
        int d = ra_def(cg, i, rx, 0);
        if (d != rx) {
            x_mov_rr(a, w, d, rx);
        }
        x_alu_ri(a, o, w, d, imm);
    } else if (op->type >= IR_I32 && x != y && ra_mem(cg, y, &m)) {
        int d = ra_def(cg, i, rx, 0);
        if (d != rx) {
            x_mov_rr(a, w, d, rx);
        }
        x_alu_rm(a, o, w, d, m);
    } else {
        int ry = ra_use(cg, y);
        int d = ra_def(cg, i, ra_dies(cg, x) ? rx : ry, 0);
        if (d == ry) {
            x_alu_rr(a, o, w, d, rx);
        } else {
            if (d != rx) {
                x_mov_rr(a, w, d, rx);
            }
            x_alu_rr(a, o, w, d, ry);
        }
    }
    if (w == IS64(op->type)) {
        flags_result(cg, op->type, i);
    }
}

/* --------------------------------------------------------------- multiply */

static void emit_mul(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    uint32_t w = IS64(op->type) ? X_W : 0;
    int32_t imm;

    x_flags_lost(a);
    if (ra_imm32(cg, op->arg[1], op->type, &imm)) {
        int ra = ra_use(cg, op->arg[0]);
        int d = ra_def(cg, i, R_NONE, 0);
        if (imm == (int8_t)imm) {
            x_rr(a, 0x6b | w, d, ra);
            x_byte(a, (uint8_t)imm);
        } else {
            x_rr(a, 0x69 | w, d, ra);
            x_imm32(a, (uint32_t)imm);
        }
        return;
    }
    int ra = ra_use(cg, op->arg[0]), rb = ra_use(cg, op->arg[1]);
    int d = ra_def(cg, i, ra_dies(cg, op->arg[0]) ? ra : rb, 0);
    if (d == rb) {
        x_rr(a, 0xaf | X_0F | w, d, ra);
    } else {
        if (d != ra) {
            x_mov_rr(a, w != 0, d, ra);
        }
        x_rr(a, 0xaf | X_0F | w, d, rb);
    }
}

static void extend(Cg *cg, bool sign, IrType t, bool w, int d, int s)
{
    unsigned n = type_bytes(t);

    if (n == 8) {
        if (d != s) {
            x_mov_rr(&cg->a, true, d, s);
        }
    } else if (!sign) {
        x_movzx(&cg->a, n, d, s);
    } else if (n == 4 && !w) {
        if (d != s) {
            x_mov_rr(&cg->a, false, d, s);
        }
    } else {
        x_movsx(&cg->a, n, w, d, s);
    }
}

static void emit_mulh(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    bool sign = op->opcode == IR_MULHS;

    if (op->type == IR_I64) {
        ra_fixed(cg, R_RDX);
        ra_use_fixed(cg, op->arg[0], R_RAX);
        int rb = ra_use(cg, op->arg[1]);
        x_flags_lost(a);
        x_rr(a, 0xf7 | X_W, sign ? 5 : 4, rb);
        ra_def_at(cg, i, R_RDX);
        return;
    }
    /* Both operands widened, multiplied in 64 bits. */
    int t = ra_scratch(cg);
    int rb = ra_use(cg, op->arg[1]);
    extend(cg, sign, op->type, true, t, rb);
    int ra = ra_use(cg, op->arg[0]);
    int u = ra_scratch(cg);
    extend(cg, sign, op->type, true, u, ra);
    x_flags_lost(a);
    x_rr(a, 0xaf | X_0F | X_W, t, u);
    x_shift_i(a, SH_SHR, true, t, ir_type_bits(op->type));
    ra_def_at(cg, i, t);
}

/* ------------------------------------------------------------------ shifts */

static void emit_shift(Cg *cg, IrValue i, IrOp *op)
{
    static const uint8_t sh[] = { SH_SHL, SH_SHR, SH_SAR, SH_ROL, SH_ROR };
    Asm *a = &cg->a;
    unsigned o = sh[op->opcode - IR_SHL], bits = ir_type_bits(op->type);
    bool w = IS64(op->type), narrow = bits < 32;
    bool rotate = o == SH_ROL || o == SH_ROR;
    uint64_t c;

    if (ra_const(cg, op->arg[1], &c)) {
        unsigned n = (unsigned)c & (bits - 1);
        int ra = ra_use(cg, op->arg[0]);
        if (rotate && !narrow && a->has_bmi2 && n && !ra_dies(cg, op->arg[0])) {
            int d = ra_def(cg, i, R_NONE, 0);
            x_vrr(a, 0xf0 | X_0F3A | X_F2 | (w ? X_W : 0), d, R_NONE, ra);  /* RORX */
            x_byte(a, (uint8_t)(o == SH_ROR ? n : bits - n));
            return;
        }
        int d = ra_def(cg, i, ra, 0);
        if (narrow && (o == SH_SHR || o == SH_SAR)) {
            extend(cg, o == SH_SAR, op->type, false, d, ra);
        } else if (d != ra) {
            if (o == SH_SHL && n <= 3 && n >= 1 && d != ra) {
                x_lea(a, w, d, mem_bi(R_NONE, ra, n, 0));
                return;
            }
            x_mov_rr(a, w, d, ra);
        }
        if (n == 0) {
            x_mov_rr(a, w, d, d);
            return;
        }
        if (rotate && narrow) {
            x_flags_lost(a);
            x_rr(a, bits == 8 ? 0xc0 | X_RM8 : 0xc1 | X_66, (int)o, d);
            x_byte(a, (uint8_t)n);
        } else {
            x_shift_i(a, o, w, d, n);
            if (!rotate) {
                flags_result(cg, op->type, i);
            }
        }
        return;
    }
    if (!narrow && !rotate && a->has_bmi2) {
        static const uint32_t pp[] = { X_66, X_F2, X_F3 };      /* SHLX SHRX SARX */
        int ra = ra_use(cg, op->arg[0]), rb = ra_use(cg, op->arg[1]);
        int d = ra_def(cg, i, ra_dies(cg, op->arg[0]) ? ra : rb, 0);
        x_vrr(a, 0xf7 | X_0F38 | pp[op->opcode - IR_SHL] | (w ? X_W : 0), d, rb, ra);
        return;
    }
    ra_use_fixed(cg, op->arg[1], R_RCX);
    int ra = ra_use(cg, op->arg[0]);
    int d = ra_def(cg, i, ra, 1u << R_RCX);
    if (narrow) {
        x_alu_ri(a, ALU_AND, false, R_RCX, (int32_t)bits - 1);
    }
    if (narrow && (o == SH_SHR || o == SH_SAR)) {
        extend(cg, o == SH_SAR, op->type, false, d, ra);
    } else if (d != ra) {
        x_mov_rr(a, w, d, ra);
    }
    if (rotate && narrow) {
        x_flags_lost(a);
        x_rr(a, bits == 8 ? 0xd2 | X_RM8 : 0xd3 | X_66, (int)o, d);
    } else {
        x_shift_cl(a, o, w, d);
    }
}

/* ------------------------------------------------------------ one operand */

static uint64_t c_clz(uint64_t v, uint64_t bits)
{
    v <<= 64 - bits;
    return v ? (uint64_t)__builtin_clzll(v) : bits;
}

static uint64_t c_ctz(uint64_t v, uint64_t bits)
{
    v <<= 64 - bits;
    return v ? (uint64_t)__builtin_ctzll(v) - (64 - bits) : bits;
}

static uint64_t c_popcnt(uint64_t v, uint64_t bits)
{
    uint64_t n = 0;

    for (v <<= 64 - bits; v; v &= v - 1) {
        n++;
    }
    return n;
}

static void emit_count(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    unsigned bits = ir_type_bits(op->type);
    uint32_t w = IS64(op->type) ? X_W : 0;

    if (op->opcode == IR_CLZ ? !a->has_lzcnt : op->opcode == IR_CTZ ? !a->has_bmi1
                                                                    : !a->has_popcnt) {
        emit_call_pure(cg, op->opcode == IR_CLZ ? (void *)c_clz : op->opcode == IR_CTZ
                       ? (void *)c_ctz : (void *)c_popcnt, i, 1, op->arg, bits);
        return;
    }
    int ra = ra_use(cg, op->arg[0]);
    int d = ra_def(cg, i, ra, 0);
    int s = ra;
    x_flags_lost(a);
    if (bits < 32) {
        s = d;
        extend(cg, false, op->type, false, d, ra);
        if (op->opcode == IR_CTZ) {
            x_alu_ri(a, ALU_OR, false, d, 1 << bits);
        }
    }
    switch (op->opcode) {
    case IR_CLZ:
        x_rr(a, 0xbd | X_0F | X_F3 | w, d, s);
        if (bits < 32) {
            x_alu_ri(a, ALU_SUB, false, d, 32 - (int)bits);
        }
        break;
    case IR_CTZ:
        x_rr(a, 0xbc | X_0F | X_F3 | w, d, s);
        break;
    default:
        x_rr(a, 0xb8 | X_0F | X_F3 | w, d, s);
        break;
    }
}

static void emit_unary(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    uint32_t w = IS64(op->type) ? X_W : 0;
    int ra = ra_use(cg, op->arg[0]);
    int d = ra_def(cg, i, ra, 0);

    if (d != ra) {
        x_mov_rr(a, w != 0, d, ra);
    }
    switch (op->opcode) {
    case IR_NEG:
        x_flags_lost(a);
        x_rr(a, 0xf7 | w, 3, d);
        flags_result(cg, op->type, i);
        break;
    case IR_NOT:
        x_rr(a, 0xf7 | w, 2, d);            /* leaves the flags */
        break;
    default:                                /* BSWAP */
        if (op->type == IR_I16) {
            x_flags_lost(a);
            x_rr(a, 0xc1 | X_66, SH_ROL, d);
            x_byte(a, 8);
        } else if (op->type != IR_I8) {
            if (w || d & 8) {
                x_byte(a, (uint8_t)(0x40 | (w ? 8 : 0) | d >> 3));
            }
            x_byte(a, 0x0f);
            x_byte(a, (uint8_t)(0xc8 | (d & 7)));
        }
        break;
    }
}

/* -------------------------------------------------------- widths and fields */

static void emit_widen(Cg *cg, IrValue i, IrOp *op)
{
    IrType from = cg_op(cg, op->arg[0])->type;
    unsigned bits = ir_type_bits(from);
    Asm *a = &cg->a;

    if (op->opcode == IR_TRUNC || bits >= ir_type_bits(op->type)) {
        ra_alias(cg, i, op->arg[0]);
        return;
    }
    if (op->opcode == IR_ZEXT && !(cg->val[op->arg[0]].flags & V_CONST)) {
        int r = ra_use(cg, op->arg[0]);
        if (cg->val[op->arg[0]].zbits <= bits) {
            ra_alias(cg, i, op->arg[0]);
            return;
        }
        int d = ra_def(cg, i, r, 0);
        x_movzx(a, bits / 8, d, r);
        cg->val[i].zbits = (uint8_t)bits;
        return;
    }
    int r = ra_use(cg, op->arg[0]);
    int d = ra_def(cg, i, r, 0);
    extend(cg, op->opcode == IR_SEXT, from, IS64(op->type), d, r);
    if (op->type == IR_I32) {
        cg->val[i].zbits = 32;
    }
}

static void emit_extract(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    unsigned pos = op->imm & 0xff, len = op->imm >> 8 & 0xff;
    unsigned bits = ir_type_bits(op->type);
    bool w = IS64(op->type), sign = op->opcode == IR_SEXTRACT;
    int r = ra_use(cg, op->arg[0]);

    if (pos == 8 && len == 8 && r <= R_RBX) {
        int d = ra_def(cg, i, r, 0);
        /* The high byte registers exist without REX only: 32-bit result in
         * a low register, else the general way. */
        if (d < 8 && !(w && sign)) {
            x_rr(a, (sign ? 0xbe : 0xb6) | X_0F, d, r + 4);
            if (!sign) {
                cg->val[i].zbits = 8;
            }
            return;
        }
        if (d != r) {
            x_mov_rr(a, w, d, r);
        }
        x_shift_i(a, SH_SHR, w, d, 8);
        extend(cg, sign, IR_I8, w, d, d);
        if (!sign) {
            cg->val[i].zbits = 8;
        }
        return;
    }
    int d = ra_def(cg, i, r, 0);
    if (pos == 0 && (len == 8 || len == 16 || len == 32)) {
        extend(cg, sign, len == 8 ? IR_I8 : len == 16 ? IR_I16 : IR_I32, w, d, r);
        if (!sign) {
            cg->val[i].zbits = (uint8_t)len;
        }
        return;
    }
    if (d != r) {
        x_mov_rr(a, w, d, r);
    }
    unsigned full = w ? 64 : 32;
    if (!sign && pos + len < bits && len < 32) {
        if (pos) {
            x_shift_i(a, SH_SHR, w, d, pos);
        }
        if (len == 8 || len == 16) {
            x_movzx(a, len / 8, d, d);
        } else {
            x_alu_ri(a, ALU_AND, false, d, (int32_t)MASK(0, len));
        }
        cg->val[i].zbits = len <= 8 ? 8 : len <= 16 ? 16 : 32;
        return;
    }
    if (full - pos - len) {
        x_shift_i(a, SH_SHL, w, d, full - pos - len);
    }
    if (full - len) {
        x_shift_i(a, sign ? SH_SAR : SH_SHR, w, d, full - len);
    }
}

static void emit_deposit(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    unsigned pos = op->imm & 0xff, len = op->imm >> 8 & 0xff;
    unsigned bits = ir_type_bits(op->type);
    bool w = IS64(op->type);

    if (len >= bits) {
        ra_alias(cg, i, op->arg[1]);
        return;
    }
    int rv = ra_use(cg, op->arg[1]), rb = ra_use(cg, op->arg[0]);
    if (len == 8 || len == 16) {
        if (pos == 0) {
            int d = ra_def(cg, i, rb, bit(rv) & ~bit(rb));
            if (d != rb) {
                x_mov_rr(a, w, d, rb);
            }
            x_rr(a, len == 8 ? 0x8a | X_REG8 | X_RM8 : 0x8b | X_66, d, rv);
            return;
        }
        if (pos == 8 && len == 8 && bits >= 32) {
            int d = ra_def(cg, i, rb, bit(rv));
            if (d != rb) {
                x_mov_rr(a, w, d, rb);
            }
            if (d <= R_RBX && rv <= R_RBX) {
                x_rr(a, 0x8a, d + 4, rv);
            } else {
                x_shift_i(a, SH_ROR, w, d, 8);
                x_rr(a, 0x8a | X_REG8 | X_RM8, d, rv);
                x_shift_i(a, SH_ROL, w, d, 8);
            }
            return;
        }
    }
    /* d = base with a hole, or'ed with the field. */
    int t = ra_scratch(cg);
    uint64_t field = MASK64(0, len);
    x_mov_rr(a, w, t, rv);
    if (len < 32) {
        x_alu_ri(a, ALU_AND, false, t, (int32_t)field);
    } else if (len < 64) {
        x_shift_i(a, SH_SHL, true, t, 64 - len);
        x_shift_i(a, SH_SHR, true, t, 64 - len);
    }
    if (pos) {
        x_shift_i(a, SH_SHL, w, t, pos);
    }
    int d = ra_def(cg, i, rb, 0);
    uint64_t hole = ~(field << pos);
    if (!w) {
        hole = (uint32_t)hole;
        if (d != rb) {
            x_mov_rr(a, false, d, rb);
        }
        x_alu_ri(a, ALU_AND, false, d, (int32_t)hole);
    } else if ((int64_t)hole == (int32_t)hole) {
        if (d != rb) {
            x_mov_rr(a, true, d, rb);
        }
        x_alu_ri(a, ALU_AND, true, d, (int32_t)hole);
    } else {
        /* Rotate the hole to the bottom and shift it out. */
        if (d != rb) {
            x_mov_rr(a, true, d, rb);
        }
        if (pos) {
            x_shift_i(a, SH_ROR, true, d, pos);
        }
        x_shift_i(a, SH_SHR, true, d, len);
        x_shift_i(a, SH_SHL, true, d, len);
        if (pos) {
            x_shift_i(a, SH_ROL, true, d, pos);
        }
    }
    x_alu_rr(a, ALU_OR, w, d, t);
}

/* -------------------------------------------------------------- conditions */

static unsigned host_cond(IrCond c)
{
    static const uint8_t cc[IR_COND_NUM] = {
        [IR_EQ] = X_E, [IR_NE] = X_NE, [IR_LT] = X_L, [IR_GE] = X_GE, [IR_LE] = X_LE,
        [IR_GT] = X_G, [IR_LTU] = X_B, [IR_GEU] = X_AE, [IR_LEU] = X_BE, [IR_GTU] = X_A,
        [IR_TST_Z] = X_E, [IR_TST_NZ] = X_NE,
    };

    return cc[c];
}

/* Operand-size bits for an opcode whose byte form is one less. */
static uint32_t sized(uint32_t op, IrType t)
{
    switch (t) {
    case IR_I8:
        return (op - 1) | X_REG8 | X_RM8;
    case IR_I16:
        return op | X_66;
    case IR_I64:
        return op | X_W;
    default:
        return op;
    }
}

unsigned emit_compare(Cg *cg, IrCond c, IrType t, IrValue x, IrValue y)
{
    Asm *a = &cg->a;
    uint64_t imm64;
    int32_t imm;
    Mem m;

    if (ra_const(cg, x, &imm64) && !ra_const(cg, y, &imm64)) {
        IrValue s = x;
        x = y;
        y = s;
        c = ir_cond_swap(c);
    }
    bool tst = c == IR_TST_Z || c == IR_TST_NZ;
    if (tst && ra_const(cg, y, &imm64) && (imm64 & type_mask(t)) == type_mask(t)) {
        tst = false;                /* x & all ones: the test of x for zero */
    } else if (!tst && a->flags.kind == FL_CMP && a->flags.type == t && a->flags.a == x &&
               a->flags.b == y) {
        return host_cond(c);
    }
    bool zero = ra_const(cg, y, &imm64) && (imm64 & type_mask(t)) == 0;
    if (c == IR_TST_Z || c == IR_TST_NZ) {
        if (!tst) {
            zero = true;
            c = c == IR_TST_Z ? IR_EQ : IR_NE;
        }
    }
    if (!tst && zero) {
        if (a->flags.kind == FL_RESULT && a->flags.type == t && a->flags.a == x && c <= IR_GE) {
            return c == IR_LT ? X_S : c == IR_GE ? X_NS : host_cond(c);
        }
        int rx = ra_use(cg, x);
        x_flags_lost(a);
        x_rr(a, sized(0x85, t), rx, rx);
        flags_result(cg, t, x);
        /* TEST clears OF and CF: every condition is as after a compare with 0. */
        return host_cond(c);
    }
    if (ra_imm32(cg, y, t, &imm)) {
        int rx = R_NONE;
        bool mem = t >= IR_I32 && !tst && ra_mem(cg, x, &m);
        if (mem) {
            x_alu_mi(a, ALU_CMP, IS64(t), m, imm);
            return host_cond(c);
        }
        rx = ra_use(cg, x);
        x_flags_lost(a);
        if (tst) {
            /* A byte or doubleword form sees the same bits. */
            if (t == IR_I64 && imm >= 0) {
                t = IR_I32;
            }
            if (imm >= 0 && imm <= 0x7f && rx < 4) {
                t = IR_I8;
            }
            x_rr(a, sized(0xf7, t), 0, rx);
            if (t == IR_I8) {
                x_byte(a, (uint8_t)imm);
            } else if (t == IR_I16) {
                x_byte(a, (uint8_t)imm);
                x_byte(a, (uint8_t)(imm >> 8));
            } else {
                x_imm32(a, (uint32_t)imm);
            }
        } else if (t == IR_I8) {
            x_rr(a, 0x80 | X_RM8, ALU_CMP, rx);
            x_byte(a, (uint8_t)imm);
        } else if (imm == (int8_t)imm) {
            x_rr(a, sized(0x83, t), ALU_CMP, rx);
            x_byte(a, (uint8_t)imm);
        } else if (t == IR_I16) {
            x_rr(a, 0x81 | X_66, ALU_CMP, rx);
            x_byte(a, (uint8_t)imm);
            x_byte(a, (uint8_t)(imm >> 8));
        } else {
            x_alu_ri(a, ALU_CMP, IS64(t), rx, imm);
        }
        if (!tst) {
            flags_compare(cg, t, x, y);
        }
        return host_cond(c);
    }
    int rx = ra_use(cg, x);
    if (t >= IR_I32 && !tst && x != y && ra_mem(cg, y, &m)) {
        x_alu_rm(a, ALU_CMP, IS64(t), rx, m);
        flags_compare(cg, t, x, y);
        return host_cond(c);
    }
    int ry = ra_use(cg, y);
    x_flags_lost(a);
    if (tst) {
        x_rr(a, sized(0x85, t), rx, ry);
    } else {
        x_rr(a, sized(0x3b, t), rx, ry);
        flags_compare(cg, t, x, y);
    }
    return host_cond(c);
}

static void emit_setcond(Cg *cg, IrValue i, IrOp *op)
{
    unsigned cc = emit_compare(cg, op->cond, (IrType)op->imm, op->arg[0], op->arg[1]);
    int d = ra_def(cg, i, R_NONE, 0);

    x_rr(&cg->a, 0x90 | cc | X_0F | X_RM8, 0, d);
}

static void emit_select(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    IrValue x = op->arg[2], y = op->arg[3];
    IrType ot = (IrType)op->imm;

    if (type_is_vec(op->type)) {
        unsigned cc = emit_compare(cg, op->cond, ot, op->arg[0], op->arg[1]);
        AsmFlags f = a->flags;
        int rx = ra_use(cg, x), ry = ra_use(cg, y);     /* moves alone */
        int d = ra_def(cg, i, ry, bit(rx) & ~bit(ry));
        if (d != ry) {
            x_movaps(a, d, ry);
        }
        if (rx != d) {
            x_byte(a, (uint8_t)(0x70 | (cc ^ 1)));      /* over the move */
            uint8_t *at = a->p;
            x_byte(a, 0);
            x_movaps(a, d, rx);
            *at = (uint8_t)(a->p - at - 1);
        }
        a->flags = f;
        return;
    }
    /* x and y come first: loading a constant may change the flags. */
    bool w = IS64(op->type);
    int rx = ra_use(cg, x), ry = ra_use(cg, y);
    unsigned cc = emit_compare(cg, op->cond, ot, op->arg[0], op->arg[1]);
    AsmFlags f = a->flags;
    a->flags.kind = FL_RESULT;              /* no XOR from here */
    cg->locked = bit(rx) | bit(ry);         /* a and b have been compared */
    int d = ra_def(cg, i, ra_dies(cg, y) ? ry : rx, 0);
    if (d == rx && d != ry) {
        x_rr(a, 0x40 | (cc ^ 1) | X_0F | (w ? X_W : 0), d, ry);
    } else {
        if (d != ry) {
            x_mov_rr(a, w, d, ry);
        }
        if (rx != ry) {
            x_rr(a, 0x40 | cc | X_0F | (w ? X_W : 0), d, rx);
        }
    }
    a->flags = f;
}

/* ------------------------------------------------------- flags and division */

/* The same operation on scratch copies, then the host's flags. */
static void emit_x86flags(Cg *cg, IrValue i, IrOp *op)
{
    static const int32_t masks[IR_XF_NUM] = {
        [IR_XF_ADD] = 0x8d5, [IR_XF_ADC] = 0x8d5, [IR_XF_SUB] = 0x8d5, [IR_XF_SBB] = 0x8d5,
        [IR_XF_LOGIC] = 0x0c4, [IR_XF_INC] = 0x8d4, [IR_XF_DEC] = 0x8d4,
        [IR_XF_SHL] = 0x8c5, [IR_XF_SHR] = 0x8c5, [IR_XF_SAR] = 0x8c5,
    };
    Asm *a = &cg->a;
    IrType t = (IrType)op->imm;
    bool shift = op->cond >= IR_XF_SHL, cin = op->cond == IR_XF_ADC || op->cond == IR_XF_SBB;
    uint64_t c = 0;

    if (shift) {
        ra_use_fixed(cg, op->arg[1], R_RCX);
    }
    int s = R_NONE;
    bool c_const = !op->arg[2] || ra_const(cg, op->arg[2], &c);
    bool keep_cf = op->cond == IR_XF_INC || op->cond == IR_XF_DEC;
    int rc = (cin || keep_cf) && !c_const ? ra_use(cg, op->arg[2]) : R_NONE;
    int ra = ra_use(cg, op->arg[0]);
    int rb = !shift && !keep_cf && op->cond != IR_XF_LOGIC ? ra_use(cg, op->arg[1]) : R_NONE;
    s = ra_scratch(cg);
    x_mov_rr(a, true, s, ra);
    if (rc != R_NONE) {
        /* CF = bit 0: BT leaves ZF and the like alone, we need CF only. */
        x_flags_lost(a);
        x_rr(a, 0xba | X_0F, 4, rc);
        x_byte(a, 0);
    } else if (cin || keep_cf) {
        x_byte(a, c & 1 ? 0xf9 : 0xf8);     /* STC, CLC */
    }
    x_flags_lost(a);
    switch (op->cond) {
    case IR_XF_ADD:
        x_rr(a, sized(0x03, t), s, rb);
        break;
    case IR_XF_ADC:
        x_rr(a, sized(0x13, t), s, rb);
        break;
    case IR_XF_SUB:
        x_rr(a, sized(0x2b, t), s, rb);
        break;
    case IR_XF_SBB:
        x_rr(a, sized(0x1b, t), s, rb);
        break;
    case IR_XF_LOGIC:
        x_rr(a, sized(0x85, t), s, s);
        break;
    case IR_XF_INC:
        x_rr(a, sized(0xff, t), 0, s);
        break;
    case IR_XF_DEC:
        x_rr(a, sized(0xff, t), 1, s);
        break;
    default:
        x_rr(a, sized(0xd3, t), op->cond == IR_XF_SHL ? SH_SHL
                : op->cond == IR_XF_SHR ? SH_SHR : SH_SAR, s);
        break;
    }
    x_byte(a, 0x9c);                        /* PUSHFQ, POP s */
    if (s & 8) {
        x_byte(a, 0x41);
    }
    x_byte(a, (uint8_t)(0x58 | (s & 7)));
    x_alu_ri(a, ALU_AND, false, s, masks[op->cond] | (keep_cf ? 1 : 0));
    if (shift) {
        x_alu_ri(a, ALU_OR, false, s, 0x10);    /* AF as tcg/x86flags.h has it */
    }
    ra_def_at(cg, i, s);
}

static void emit_div(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    bool sign = op->opcode == IR_DIVS2;
    IrType t = op->type;
    uint32_t w = IS64(t) ? X_W : 0;
    int rd;

    ra_use_fixed(cg, op->arg[1], R_RAX);
    ra_use_fixed(cg, op->arg[0], R_RDX);
    rd = ra_use(cg, op->arg[2]);
    x_flags_lost(a);
    if (t == IR_I8 || t == IR_I16) {
        /* As one dividend of 32 bits; the quotient fits by contract. */
        unsigned bits = ir_type_bits(t);
        int d = ra_scratch(cg);
        extend(cg, sign, t, false, d, rd);
        rd = d;
        x_movzx(a, bits / 8, R_RAX, R_RAX);
        x_shift_i(a, SH_SHL, false, R_RDX, bits);
        x_alu_rr(a, ALU_OR, false, R_RAX, R_RDX);
        if (t == IR_I8) {
            extend(cg, sign, IR_I16, false, R_RAX, R_RAX);
        }
        if (sign) {
            x_byte(a, 0x99);                /* CDQ */
        } else {
            x_rr(a, 0x31, R_RDX, R_RDX);
        }
    }
    x_rr(a, 0xf7 | w, sign ? 7 : 6, rd);
    ra_def_at(cg, i, R_RAX);
    if (cg->val[i].second && cg->val[cg->val[i].second].last_use) {
        ra_def_at(cg, cg->val[i].second, R_RDX);
    }
}

static void emit_ld_env(Cg *cg, IrValue i, IrOp *op)
{
    Mem m = mem_b(R_RBP, (int32_t)op->imm);

    if (op->type == IR_F80) {
        int s = ra_scratch_v(cg);
        cg_load(cg, IR_V128, s, m);
        cg_store(cg, IR_V128, s, mem_b(R_RSP, ra_slot(cg, i, 16)));
        return;
    }
    cg_load(cg, op->type, ra_def(cg, i, R_NONE, 0), m);
    if (type_is_int(op->type)) {
        cg->val[i].zbits = (uint8_t)ir_type_bits(op->type);
    }
}

static void emit_ld_code(Cg *cg, IrValue i, IrOp *op)
{
    int d = ra_def(cg, i, R_NONE, 0);

    x_mov_ri(&cg->a, d, op->imm);
    cg_load(cg, op->type, d, mem_b(d, 0));
    cg->val[i].zbits = (uint8_t)ir_type_bits(op->type);
}

static void emit_st_env(Cg *cg, IrOp *op)
{
    Mem m = mem_b(R_RBP, (int32_t)op->imm), from;
    IrType t = cg_op(cg, op->arg[0])->type;
    int32_t imm;

    if (t == IR_F80) {
        int s = ra_scratch_v(cg);
        x87_save(cg, op->arg[0]);
        from = cg->val[op->arg[0]].slot >= 0
               ? mem_b(R_RSP, FR_SPILL + 8 * cg->val[op->arg[0]].slot)
               : ra_home(cg, cg->val[op->arg[0]].var);
        cg_load(cg, IR_V128, s, from);
        /* Ten bytes, as the type says. */
        x_vst(&cg->a, 8, s, m);
        int g = ra_scratch(cg);
        from.disp += 8;
        x_rm(&cg->a, 0xb7 | X_0F, g, from);
        m.disp += 8;
        x_st(&cg->a, 2, g, m);
    } else if (type_is_int(t) && ra_imm32(cg, op->arg[0], t, &imm)) {
        x_st_imm(&cg->a, type_bytes(t), (uint64_t)(int64_t)imm, m);
    } else {
        cg_store(cg, t, ra_use(cg, op->arg[0]), m);
    }
}

bool emit_int(Cg *cg, IrValue i, IrOp *op)
{
    switch (op->opcode) {
    case IR_NOP:
    case IR_CONST:
    case IR_VCONST:
    case IR_SECOND:                         /* made by the division */
        return true;
    case IR_GET:
        ra_get(cg, i, op->var);
        return true;
    case IR_PUT:
        ra_put(cg, op->var, op->arg[0]);
        return true;
    case IR_ADD:
        emit_add(cg, i, op);
        break;
    case IR_SUB:
        emit_sub(cg, i, op);
        break;
    case IR_AND:
    case IR_OR:
    case IR_XOR:
        emit_logic(cg, i, op);
        break;
    case IR_MUL:
        emit_mul(cg, i, op);
        break;
    case IR_MULHU:
    case IR_MULHS:
        emit_mulh(cg, i, op);
        break;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROTL:
    case IR_ROTR:
        emit_shift(cg, i, op);
        break;
    case IR_NEG:
    case IR_NOT:
    case IR_BSWAP:
        emit_unary(cg, i, op);
        break;
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT:
        emit_count(cg, i, op);
        break;
    case IR_ZEXT:
    case IR_SEXT:
    case IR_TRUNC:
        emit_widen(cg, i, op);
        return true;
    case IR_EXTRACT:
    case IR_SEXTRACT:
        emit_extract(cg, i, op);
        return true;
    case IR_DEPOSIT:
        emit_deposit(cg, i, op);
        return true;
    case IR_SETCOND:
        emit_setcond(cg, i, op);
        return true;
    case IR_SELECT:
        emit_select(cg, i, op);
        return true;
    case IR_X86FLAGS:
        emit_x86flags(cg, i, op);
        cg->val[i].zbits = 16;
        return true;
    case IR_DIVU2:
    case IR_DIVS2:
        emit_div(cg, i, op);
        return true;
    case IR_LD_ENV:
        emit_ld_env(cg, i, op);
        return true;
    case IR_LD_CODE:
        emit_ld_code(cg, i, op);
        return true;
    case IR_ST_ENV:
        emit_st_env(cg, op);
        return true;
    default:
        return false;
    }
    /* A 32-bit operation has cleared the upper half. */
    if (op->type == IR_I32 && cg->val[i].zbits > 32) {
        cg->val[i].zbits = 32;
    }
    return true;
}
