/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector operations from the columns of tcg/vec-ops.def: VEX encodings with three
 * operands where the host has AVX, else the SSE ones. What has no instruction
 * on this host calls the row's reference function.
 */
#include "util/osdep.h"
#include "tcg/fpenv.h"
#include "tcg/x86_64/backend.h"

void cg_load_v128(Cg *cg, int reg, uint64_t lo, uint64_t hi)
{
    Asm *a = &cg->a;

    if (lo == 0 && hi == 0) {
        if (a->has_avx) {
            x_vrr(a, 0x57 | X_0F, reg & 15, reg & 15, reg & 15);    /* XORPS */
        } else {
            x_rr(a, 0x57 | X_0F, reg & 15, reg & 15);
        }
        return;
    }
    x_vld(a, 16, reg, (Mem){ R_NONE, R_NONE, 0, true, 0 });
    cg_pool(cg, lo, hi);
}

/* The four bytes just written are the displacement of a constant. */
void cg_pool(Cg *cg, uint64_t lo, uint64_t hi)
{
    GROW(cg->pool, cg->n_pool, cg->cap_pool);
    cg->pool[cg->n_pool].at = asm_pos(&cg->a) - 4;
    cg->pool[cg->n_pool].lo = lo;
    cg->pool[cg->n_pool++].hi = hi;
}

static uint32_t opcode_of(const IrVecInfo *info)
{
    uint32_t op = info->opcode;

    op |= info->map == 0x38 ? X_0F38 : info->map == 0x3a ? X_0F3A : X_0F;
    op |= info->pp == 0x66 ? X_66 : info->pp == 0xf3 ? X_F3 : info->pp == 0xf2 ? X_F2 : 0;
    return op;
}

static bool host_has(const Asm *a, unsigned feature)
{
    return feature < IR_VX_NONE && a->features >> feature & 1;
}

/* d = a op b */
void cg_vop(Cg *cg, uint32_t op, int d, int ra, int rb)
{
    Asm *a = &cg->a;

    if (a->has_avx) {
        x_vrr(a, op, d & 15, ra & 15, rb & 15);
    } else {
        if (d != ra) {
            x_movaps(a, d, ra);
        }
        x_rr(a, op, d & 15, rb & 15);
    }
}

/* EFLAGS ZF PF CF as a value: what UCOMIS, PTEST and FUCOMI give. */
void cg_flags_value(Cg *cg, IrValue i)
{
    Asm *a = &cg->a;

    x_byte(a, 0x9f);                            /* LAHF; RAX is free (ra_fixed) */
    cg_ah_value(cg, i);
}

void cg_ah_value(Cg *cg, IrValue i)
{
    Asm *a = &cg->a;

    x_rr(a, 0xb6 | X_0F, R_RAX, 4);             /* MOVZX EAX, AH */
    x_alu_ri(a, ALU_AND, false, R_RAX, 0x45);
    ra_def_at(cg, i, R_RAX);
    cg->val[i].zbits = 8;
}

/* ------------------------------------------------- the reference functions */

/* Operands and result travel through TcgEnv.spill. */
static void vec_fallback(TcgEnv *env, uint32_t vop, uint32_t imm)
{
    VecReg *v = (VecReg *)(void *)env->spill;
    FpEnv e = {
        .round = (FpRound)(env->fp_mxcsr >> 13 & 3), .ftz = env->fp_mxcsr >> 15 & 1,
        .daz = env->fp_mxcsr >> 6 & 1, .precision = 64,
        .unmasked = env->fp_unmasked,
    };

    ir_vec_info[vop].fn(&v[3], &v[0], &v[1], &v[2], (uint8_t)imm, &e);
    env->fp_mxcsr |= e.flags;
    env->fp_step[0] |= e.step[0];
    env->fp_step[1] |= e.step[1];
}

static void emit_fallback(Cg *cg, IrValue i, IrOp *op, const IrVecInfo *info)
{
    Asm *a = &cg->a;
    Mem m = ENV(spill);

    for (unsigned n = 0; n < op->nargs; n++, m.disp += 16) {
        int r = ra_use(cg, op->arg[n]);
        if (info->args[n] == 'V') {
            x_vst(a, 16, r, m);
        } else {
            x_st(a, 8, r, m);
            if (info->args[n] == 'l') {         /* the upper half means nothing */
                Mem hi = m;
                hi.disp += 4;
                x_st_imm(a, 4, 0, hi);
            }
        }
        cg->locked = 0;
    }
    emit_call_env(cg, (void *)vec_fallback, op->vop, (uint32_t)op->imm,
                  info->form & IR_VF_FP);
    m = ENV(spill);
    m.disp += 48;
    cg_load(cg, op->type, ra_def(cg, i, R_NONE, 0), m);
}

/* -------------------------------------------------------------- the forms */

/* Is the memory form of the row the same function of the first bytes? Not
 * for the moves between halves and INSERTPS. */
static bool memory_form(const IrVecInfo *info)
{
    if (info->map == 0x0f) {
        return info->opcode != 0x10 && info->opcode != 0x12 && info->opcode != 0x16;
    }
    return !(info->map == 0x3a && info->opcode == 0x21);
}

static bool is_x0(const IrVecInfo *info)
{
    return (info->form & 0x7f) == IR_VF_VV_X0;
}

/* XMM0 is an operand (SHA256RNDS2), of the SSE form. */
static void emit_x0(Cg *cg, IrValue i, IrOp *op, uint32_t o)
{
    Asm *a = &cg->a;

    ra_use_fixed(cg, op->arg[2], R_XMM0);
    int ra = ra_use(cg, op->arg[0]), rb = ra_use(cg, op->arg[1]);
    int d = ra_def(cg, i, ra, 1u << R_XMM0 | (ra == rb ? 0 : 1u << rb));

    if (d != ra) {
        x_movaps(a, d, ra);
    }
    x_rr(a, o, d & 15, rb & 15);
}

bool emit_vec(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    const IrVecInfo *info;
    uint32_t o, w;
    int ra, rb, d;
    Mem m;

    if (op->opcode != IR_VEC) {
        return false;
    }
    info = &ir_vec_info[op->vop];
    unsigned form = info->form & 0x7f;
    /* VEX has 32 predicates of CMPPS and its like where SSE has 8. */
    bool cmp = info->map == 0x0f && info->opcode == 0xc2;
    if (op->cond || !host_has(a, info->feature) || form == IR_VF_STRCMP || form == IR_VF_NONE ||
        (form == IR_VF_VV_X0 && !a->has_avx && info->feature != IR_VX_SHA) ||
        (cmp && op->imm > 7 && !a->has_avx)) {
        emit_fallback(cg, i, op, info);
        return true;
    }
    /* The SHA instructions have no VEX form. */
    bool avx = a->has_avx && info->feature != IR_VX_SHA;
    bool imm = form == IR_VF_VV_IMM || form == IR_VF_MV_IMM || form == IR_VF_SHIFT_IMM ||
               form == IR_VF_VVG_IMM || form == IR_VF_GV_IMM || form == IR_VF_GV_ST_IMM ||
               form == IR_VF_MV_ST_IMM;
    o = opcode_of(info);
    w = info->ext ? X_W : 0;
    switch (form) {
    case IR_VF_VV:
    case IR_VF_VV_IMM:
    case IR_VF_VVG:
    case IR_VF_VVG_IMM: {
        bool gpr = form == IR_VF_VVG || form == IR_VF_VVG_IMM;
        o |= w;
        ra = ra_use(cg, op->arg[0]);
        if (avx && !gpr && op->arg[0] != op->arg[1] && memory_form(info) &&
            ra_mem(cg, op->arg[1], &m)) {
            d = ra_def(cg, i, ra, 0);
            x_vrm(a, o, d & 15, ra & 15, m);
            break;
        }
        rb = ra_use(cg, op->arg[1]);
        d = ra_def(cg, i, ra, avx || ra == rb || gpr ? 0 : 1u << rb);
        if (avx) {
            x_vrr(a, o, d & 15, ra & 15, rb & 15);
        } else {
            if (d != ra) {
                x_movaps(a, d, ra);
            }
            x_rr(a, o, d & 15, rb & 15);
        }
        break;
    }
    case IR_VF_MV:
    case IR_VF_MV_IMM:
        if (avx && memory_form(info) && ra_mem(cg, op->arg[0], &m)) {
            d = ra_def(cg, i, R_NONE, 0);
            x_vrm(a, o, d & 15, R_NONE, m);
            break;
        }
        ra = ra_use(cg, op->arg[0]);
        d = ra_def(cg, i, ra, 0);
        if (avx) {
            x_vrr(a, o, d & 15, R_NONE, ra & 15);
        } else {
            x_rr(a, o, d & 15, ra & 15);
        }
        break;
    case IR_VF_SHIFT_IMM:
        ra = ra_use(cg, op->arg[0]);
        d = ra_def(cg, i, ra, 0);
        if (avx) {
            x_vrr(a, o, info->ext, d & 15, ra & 15);
        } else {
            if (d != ra) {
                x_movaps(a, d, ra);
            }
            x_rr(a, o, info->ext, d & 15);
        }
        break;
    case IR_VF_MV_ST_IMM:
        ra = ra_use(cg, op->arg[0]);
        d = ra_def(cg, i, ra, 0);
        x_vrr(a, o, ra & 15, R_NONE, d & 15);
        break;
    case IR_VF_FMA: {
        ra = ra_use(cg, op->arg[0]);
        rb = ra_use(cg, op->arg[1]);
        int rc = ra_use(cg, op->arg[2]);
        d = ra_def(cg, i, rc, (1u << ra | 1u << rb) & ~(1u << rc));
        if (d != rc) {
            x_movaps(a, d, rc);
        }
        x_vrr(a, o | w, d & 15, ra & 15, rb & 15);
        break;
    }
    case IR_VF_VG:
        ra = ra_use(cg, op->arg[0]);
        d = ra_def(cg, i, R_NONE, 0);
        if (avx) {
            x_vrr(a, o | w, d & 15, R_NONE, ra);
        } else {
            x_rr(a, o | w, d & 15, ra);
        }
        break;
    case IR_VF_GV:
    case IR_VF_GV_IMM:
    case IR_VF_GV_ST:
    case IR_VF_GV_ST_IMM: {
        bool st = form == IR_VF_GV_ST || form == IR_VF_GV_ST_IMM;
        ra = ra_use(cg, op->arg[0]);
        d = ra_def(cg, i, R_NONE, 0);
        if (avx) {
            x_vrr(a, o | w, st ? ra & 15 : d, R_NONE, st ? d : ra & 15);
        } else {
            x_rr(a, o | w, st ? ra & 15 : d, st ? d : ra & 15);
        }
        if (op->type == IR_I32) {
            cg->val[i].zbits = 32;
        }
        break;
    }
    case IR_VF_FLAGS:
        ra_fixed(cg, R_RAX);
        ra = ra_use(cg, op->arg[0]);
        rb = ra_use(cg, op->arg[1]);
        x_flags_lost(a);
        if (avx) {
            x_vrr(a, o, ra & 15, R_NONE, rb & 15);
        } else {
            x_rr(a, o, ra & 15, rb & 15);
        }
        cg_flags_value(cg, i);
        return true;
    default:                                    /* VV_X0 with AVX: mask as is4 */
        if (!is_x0(info)) {
            return false;
        }
        if (info->feature == IR_VX_SHA) {
            emit_x0(cg, i, op, o);
            return true;
        }
        ra = ra_use(cg, op->arg[0]);
        rb = ra_use(cg, op->arg[1]);
        int rc = ra_use(cg, op->arg[2]);
        d = ra_def(cg, i, ra, 0);
        o = (info->opcode == 0x10 ? 0x4c : info->opcode == 0x14 ? 0x4a : 0x4b) | X_0F3A | X_66;
        x_vrr(a, o, d & 15, ra & 15, rb & 15);
        x_byte(a, (uint8_t)((rc & 15) << 4));
        return true;
    }
    if (imm) {
        x_byte(a, (uint8_t)(cmp ? op->imm & 31 : op->imm));
    }
    return true;
}
