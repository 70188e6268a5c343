/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tcg/x86_64/asm.h"

void x_imm32(Asm *a, uint32_t v)
{
    memcpy(a->p, &v, 4);
    a->p += 4;
}

void x_imm64(Asm *a, uint64_t v)
{
    memcpy(a->p, &v, 8);
    a->p += 8;
}

void asm_patch32(Asm *a, uint32_t at, uint32_t v)
{
    memcpy(a->start + at, &v, 4);
}

/* Legacy prefixes, REX and opcode (SDM 2.1, 2.2.1). */
static void opcode(Asm *a, uint32_t op, int reg, int index, int rm, bool rm_is_reg)
{
    static const uint8_t pp[4] = { 0, 0x66, 0xf3, 0xf2 };
    unsigned rex = 0;

    if (op & X_LOCK) {
        x_byte(a, 0xf0);
    }
    if (op & X_PP) {
        x_byte(a, pp[(op & X_PP) >> 12]);
    }
    rex |= op & X_W ? 0x48 : 0;
    rex |= reg & 8 ? 0x44 : 0;
    rex |= index >= 0 && index & 8 ? 0x42 : 0;
    rex |= rm >= 0 && rm & 8 ? 0x41 : 0;
    /* SPL, BPL, SIL and DIL need a REX prefix. */
    if ((op & X_REG8 && (reg & 15) >= 4) ||
        (op & X_RM8 && rm_is_reg && (rm & 15) >= 4)) {
        rex |= 0x40;
    }
    if (rex) {
        x_byte(a, (uint8_t)rex);
    }
    switch (op & X_MAP) {
    case X_0F:
        x_byte(a, 0x0f);
        break;
    case X_0F38:
        x_byte(a, 0x0f);
        x_byte(a, 0x38);
        break;
    case X_0F3A:
        x_byte(a, 0x0f);
        x_byte(a, 0x3a);
        break;
    }
    x_byte(a, (uint8_t)op);
}

/* ModRM, SIB and displacement (SDM 2.1.5). */
static void modrm_mem(Asm *a, int reg, Mem m)
{
    unsigned mod, r = (reg & 7) << 3;

    if (m.base < 0) {
        if (m.rip) {
            x_byte(a, (uint8_t)(r | 5));
        } else {
            x_byte(a, (uint8_t)(r | 4));
            x_byte(a, (uint8_t)(m.index < 0 ? 0x25
                                : m.scale << 6 | (m.index & 7) << 3 | 5));
        }
        x_imm32(a, (uint32_t)m.disp);
        return;
    }
    if (m.disp == 0 && (m.base & 7) != 5) {
        mod = 0;
    } else if (m.disp == (int8_t)m.disp) {
        mod = 0x40;
    } else {
        mod = 0x80;
    }
    if (m.index >= 0) {
        x_byte(a, (uint8_t)(mod | r | 4));
        x_byte(a, (uint8_t)(m.scale << 6 | (m.index & 7) << 3 | (m.base & 7)));
    } else if ((m.base & 7) == 4) {
        x_byte(a, (uint8_t)(mod | r | 4));
        x_byte(a, 0x24);
    } else {
        x_byte(a, (uint8_t)(mod | r | (m.base & 7)));
    }
    if (mod == 0x40) {
        x_byte(a, (uint8_t)m.disp);
    } else if (mod == 0x80) {
        x_imm32(a, (uint32_t)m.disp);
    }
}

void x_rr(Asm *a, uint32_t op, int reg, int rm)
{
    opcode(a, op, reg, R_NONE, rm, true);
    x_byte(a, (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7)));
}

void x_rm(Asm *a, uint32_t op, int reg, Mem m)
{
    opcode(a, op, reg, m.index, m.base, false);
    modrm_mem(a, reg, m);
}

/* SDM 2.3.5. */
static void vex(Asm *a, uint32_t op, int reg, int v, int index, int rm)
{
    static const uint8_t maps[4] = { 0, 1, 2, 3 };
    unsigned r = reg & 8 ? 0 : 0x80, x = index >= 0 && index & 8 ? 0 : 0x40;
    unsigned b = rm >= 0 && rm & 8 ? 0 : 0x20;
    unsigned vvvv = v < 0 ? 0x78 : (~(unsigned)v & 15) << 3;
    unsigned pp = (op & X_PP) >> 12, map = maps[(op & X_MAP) >> 8];

    if (x && b && map == 1 && !(op & X_W)) {
        x_byte(a, 0xc5);
        x_byte(a, (uint8_t)(r | vvvv | pp));
    } else {
        x_byte(a, 0xc4);
        x_byte(a, (uint8_t)(r | x | b | map));
        x_byte(a, (uint8_t)((op & X_W ? 0x80 : 0) | vvvv | pp));
    }
    x_byte(a, (uint8_t)op);
}

void x_vrr(Asm *a, uint32_t op, int reg, int v, int rm)
{
    vex(a, op, reg, v, R_NONE, rm);
    x_byte(a, (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7)));
}

void x_vrm(Asm *a, uint32_t op, int reg, int v, Mem m)
{
    vex(a, op, reg, v, m.index, m.base);
    modrm_mem(a, reg, m);
}

#define W(w) ((w) ? (uint32_t)X_W : 0)

void x_mov_rr(Asm *a, bool w, int d, int s)
{
    x_rr(a, 0x8b | W(w), d, s);
}

void x_mov_ri(Asm *a, int d, uint64_t imm)
{
    if (imm == 0 && a->flags.kind == FL_NONE) {
        x_rr(a, 0x31, d, d);
    } else if (imm <= UINT32_MAX) {
        if (d & 8) {
            x_byte(a, 0x41);
        }
        x_byte(a, (uint8_t)(0xb8 | (d & 7)));
        x_imm32(a, (uint32_t)imm);
    } else if ((int64_t)imm == (int32_t)imm) {
        x_rr(a, 0xc7 | X_W, 0, d);
        x_imm32(a, (uint32_t)imm);
    } else {
        x_byte(a, d & 8 ? 0x49 : 0x48);
        x_byte(a, (uint8_t)(0xb8 | (d & 7)));
        x_imm64(a, imm);
    }
}

void x_ld(Asm *a, bool w, int d, Mem m)
{
    x_rm(a, 0x8b | W(w), d, m);
}

void x_st(Asm *a, unsigned bytes, int s, Mem m)
{
    switch (bytes) {
    case 1:
        x_rm(a, 0x88 | X_REG8, s, m);
        break;
    case 2:
        x_rm(a, 0x89 | X_66, s, m);
        break;
    default:
        x_rm(a, 0x89 | W(bytes == 8), s, m);
        break;
    }
}

/* For 8 bytes the immediate is a sign-extended one. */
void x_st_imm(Asm *a, unsigned bytes, uint64_t imm, Mem m)
{
    switch (bytes) {
    case 1:
        x_rm(a, 0xc6, 0, m);
        x_byte(a, (uint8_t)imm);
        break;
    case 2:
        x_rm(a, 0xc7 | X_66, 0, m);
        x_byte(a, (uint8_t)imm);
        x_byte(a, (uint8_t)(imm >> 8));
        break;
    default:
        x_rm(a, 0xc7 | W(bytes == 8), 0, m);
        x_imm32(a, (uint32_t)imm);
        break;
    }
}

void x_lea(Asm *a, bool w, int d, Mem m)
{
    x_rm(a, 0x8d | W(w), d, m);
}

void x_neg(Asm *a, int d)
{
    x_flags_lost(a);
    x_rr(a, 0xf7 | X_W, 3, d);
}

void x_alu_rr(Asm *a, unsigned op, bool w, int d, int s)
{
    x_flags_lost(a);
    x_rr(a, (op << 3 | 3) | W(w), d, s);
}

void x_alu_ri(Asm *a, unsigned op, bool w, int d, int32_t imm)
{
    x_flags_lost(a);
    if (imm == (int8_t)imm) {
        x_rr(a, 0x83 | W(w), (int)op, d);
        x_byte(a, (uint8_t)imm);
    } else {
        x_rr(a, 0x81 | W(w), (int)op, d);
        x_imm32(a, (uint32_t)imm);
    }
}

void x_alu_rm(Asm *a, unsigned op, bool w, int d, Mem m)
{
    x_flags_lost(a);
    x_rm(a, (op << 3 | 3) | W(w), d, m);
}

void x_alu_mi(Asm *a, unsigned op, bool w, Mem m, int32_t imm)
{
    x_flags_lost(a);
    if (imm == (int8_t)imm) {
        x_rm(a, 0x83 | W(w), (int)op, m);
        x_byte(a, (uint8_t)imm);
    } else {
        x_rm(a, 0x81 | W(w), (int)op, m);
        x_imm32(a, (uint32_t)imm);
    }
}

void x_test_rr(Asm *a, bool w, int d, int s)
{
    x_flags_lost(a);
    x_rr(a, 0x85 | W(w), s, d);
}

void x_shift_i(Asm *a, unsigned op, bool w, int d, unsigned n)
{
    x_flags_lost(a);
    if (n == 1) {
        x_rr(a, 0xd1 | W(w), (int)op, d);
    } else {
        x_rr(a, 0xc1 | W(w), (int)op, d);
        x_byte(a, (uint8_t)n);
    }
}

void x_shift_cl(Asm *a, unsigned op, bool w, int d)
{
    x_flags_lost(a);
    x_rr(a, 0xd3 | W(w), (int)op, d);
}

void x_movzx(Asm *a, unsigned from_bytes, int d, int s)
{
    switch (from_bytes) {
    case 1:
        x_rr(a, 0xb6 | X_0F | X_RM8, d, s);
        break;
    case 2:
        x_rr(a, 0xb7 | X_0F, d, s);
        break;
    default:
        x_mov_rr(a, false, d, s);
        break;
    }
}

void x_movsx(Asm *a, unsigned from_bytes, bool w, int d, int s)
{
    switch (from_bytes) {
    case 1:
        x_rr(a, 0xbe | X_0F | X_RM8 | W(w), d, s);
        break;
    case 2:
        x_rr(a, 0xbf | X_0F | W(w), d, s);
        break;
    default:
        x_rr(a, 0x63 | X_W, d, s);
        break;
    }
}

void x_jmp_r(Asm *a, int r)
{
    x_rr(a, 0xff, 4, r);
}

/* The recommended multi-byte NOPs (SDM vol. 2B, NOP). */
void x_nops(Asm *a, unsigned n)
{
    static const uint8_t nop[9][9] = {
        { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 }, { 0x0f, 0x1f, 0x40, 0x00 },
        { 0x0f, 0x1f, 0x44, 0x00, 0x00 }, { 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
        { 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
        { 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
        { 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
    };

    while (n > 0) {
        unsigned k = MIN(n, 9u);

        memcpy(a->p, nop[k - 1], k);
        a->p += k;
        n -= k;
    }
}

uint32_t x_jmp(Asm *a)
{
    x_byte(a, 0xe9);
    x_imm32(a, 0);
    return asm_pos(a) - 4;
}

uint32_t x_jcc(Asm *a, unsigned cc)
{
    x_byte(a, 0x0f);
    x_byte(a, (uint8_t)(0x80 | cc));
    x_imm32(a, 0);
    return asm_pos(a) - 4;
}

uint32_t x_call(Asm *a)
{
    x_byte(a, 0xe8);
    x_imm32(a, 0);
    return asm_pos(a) - 4;
}

void asm_bind_to(Asm *a, uint32_t at, uint32_t pos)
{
    asm_patch32(a, at, pos - (at + 4));
}

void asm_bind(Asm *a, uint32_t at)
{
    asm_bind_to(a, at, asm_pos(a));
}

void x_jmp_back(Asm *a, uint32_t pos)
{
    int32_t rel = (int32_t)(pos - (asm_pos(a) + 2));

    if (rel == (int8_t)rel) {
        x_byte(a, 0xeb);
        x_byte(a, (uint8_t)rel);
    } else {
        asm_bind_to(a, x_jmp(a), pos);
    }
}

void x_jcc_back(Asm *a, unsigned cc, uint32_t pos)
{
    int32_t rel = (int32_t)(pos - (asm_pos(a) + 2));

    if (rel == (int8_t)rel) {
        x_byte(a, (uint8_t)(0x70 | cc));
        x_byte(a, (uint8_t)rel);
    } else {
        asm_bind_to(a, x_jcc(a, cc), pos);
    }
}

void x_movaps(Asm *a, int d, int s)
{
    if (a->has_avx) {
        x_vrr(a, 0x28 | X_0F, d & 15, R_NONE, s & 15);
    } else {
        x_rr(a, 0x28 | X_0F, d & 15, s & 15);
    }
}

static void vmem(Asm *a, uint32_t op, int r, Mem m)
{
    if (a->has_avx) {
        x_vrm(a, op, r & 15, R_NONE, m);
    } else {
        x_rm(a, op, r & 15, m);
    }
}

void x_vld(Asm *a, unsigned bytes, int d, Mem m)
{
    /* movd, movq: the rest of the register becomes 0; movups. */
    vmem(a, bytes == 4 ? 0x6e | X_66 | X_0F
            : bytes == 8 ? 0x7e | X_F3 | X_0F : 0x10 | X_0F, d, m);
}

void x_vst(Asm *a, unsigned bytes, int s, Mem m)
{
    vmem(a, bytes == 4 ? 0x7e | X_66 | X_0F
            : bytes == 8 ? 0xd6 | X_66 | X_0F : 0x11 | X_0F, s, m);
}
