/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interpreter's floating-point and vector operations, all in software. */
#include "util/osdep.h"
#include "tcg/eval.h"
#include "tcg/interp.h"

/* F32, F64 and vectors work under MXCSR (SDM vol. 1, 10.2.3). */
static FpEnv sse_env(const TcgEnv *env)
{
    return (FpEnv){
        .round = env->fp_mxcsr >> 13 & 3, .ftz = env->fp_mxcsr >> 15 & 1,
        .daz = env->fp_mxcsr >> 6 & 1, .precision = 64,
        .unmasked = env->fp_unmasked,
    };
}

/* F80 under the x87 control word (SDM vol. 1, 8.1.5). */
static FpEnv x87_env(const TcgEnv *env)
{
    static const uint8_t precision[4] = { 24, 64, 53, 64 };

    return (FpEnv){
        .round = env->fp_fcw >> 10 & 3, .precision = precision[env->fp_fcw >> 8 & 3],
        .unmasked = ~env->fp_fcw & 0x3f,
    };
}

#define ARITHMETIC(T, p, field) \
static void arith_##p(const IrOp *o, const InterpValue *a, const InterpValue *b, \
                      FpEnv *e, InterpValue *d) \
{ \
    switch (o->opcode) { \
    case IR_FADD: \
        d->field = p##_add(a->field, b->field, e); \
        break; \
    case IR_FSUB: \
        d->field = p##_sub(a->field, b->field, e); \
        break; \
    case IR_FMUL: \
        d->field = p##_mul(a->field, b->field, e); \
        break; \
    case IR_FDIV: \
        d->field = p##_div(a->field, b->field, e); \
        break; \
    case IR_FSQRT: \
        d->field = p##_sqrt(a->field, e); \
        break; \
    case IR_FRINT: \
        d->field = p##_rint(a->field, e); \
        break; \
    case IR_FCMP: \
        d->i = p##_cmp(a->field, b->field, o->cond, e); \
        break; \
    default: \
        d->i = p##_to_int(a->field, ir_int_bits(o->type), o->cond, e) & \
               ir_int_mask(o->type); \
        break; \
    } \
}
ARITHMETIC(uint32_t, f32, i)
ARITHMETIC(uint64_t, f64, i)
ARITHMETIC(F80, f80, x)
#undef ARITHMETIC

static void convert(const IrOp *o, IrType from, const InterpValue *a, FpEnv *e,
                    InterpValue *d)
{
    int64_t s = ir_type_is_int(from) ? ir_sext_of(from, a->i) : 0;

    switch (o->type) {
    case IR_F32:
        d->i = from == IR_F64 ? f64_to_f32(a->i, e) : from == IR_F80 ? f80_to_f32(a->x, e)
                                                    : f32_from_i64(s, e);
        break;
    case IR_F64:
        d->i = from == IR_F32 ? f32_to_f64(a->i, e) : from == IR_F80 ? f80_to_f64(a->x, e)
                                                    : f64_from_i64(s, e);
        break;
    default:
        d->x = from == IR_F32 ? f32_to_f80(a->i, e) : from == IR_F64 ? f64_to_f80(a->i, e)
                                                    : f80_from_i64(s, e);
        break;
    }
}

static void change_sign(const IrOp *o, const InterpValue *a, InterpValue *d)
{
    bool neg = o->opcode == IR_FNEG;

    if (o->type == IR_F80) {
        d->x.m = a->x.m;
        d->x.se = neg ? a->x.se ^ 0x8000 : a->x.se & 0x7fff;
    } else {
        uint64_t sign = o->type == IR_F32 ? BIT64(31) : BIT64(63);

        d->i = neg ? a->i ^ sign : a->i & ~sign;
    }
}

static void vec_op(InterpFrame *f, const IrOp *o, InterpValue *d)
{
    const IrVecInfo *info = &ir_vec_info[o->vop];
    FpEnv e = sse_env(f->env);
    VecReg zero = { .q = { 0 } }, out = zero;
    const VecReg *arg[3];

    for (unsigned i = 0; i < 3; i++) {
        arg[i] = i < o->nargs ? &f->val[o->arg[i]].v : &zero;
    }
    info->fn(&out, arg[0], arg[1], arg[2], o->imm, &e);
    d->v = out;
    f->env->fp_mxcsr |= e.flags;
    f->env->fp_step[0] |= e.step[0];
    f->env->fp_step[1] |= e.step[1];
}

/* One operand may be narrower than F80; where the other is a NaN or unsupported its being denormal doesn't count. */
static void widen(IrType from, InterpValue *v, const F80 *other, FpEnv *e)
{
    FpEnv own = *e;

    own.flags = 0;
    v->x = from == IR_F32 ? f32_operand(v->i, &own) : f64_operand(v->i, &own);
    if (!f80_is_odd(*other)) {
        e->flags |= own.flags;
    }
}

void interp_fp_op(InterpFrame *f, const IrOp *o, InterpValue *d)
{
    const InterpValue *a = &f->val[o->arg[0]], *b = &f->val[o->arg[1]];
    IrType from = f->region->ir->ops[o->arg[0]].type;
    bool x87 = o->type == IR_F80 || from == IR_F80;
    InterpValue out = { .i = 0 }, wide;
    FpEnv e;

    switch (o->opcode) {
    case IR_VEC:
        vec_op(f, o, d);
        return;
    case IR_FBITS:
        d->i = a->i;
        return;
    case IR_FNEG: case IR_FABS:
        change_sign(o, a, d);
        return;
    default:
        break;
    }
    e = x87 ? x87_env(f->env) : sse_env(f->env);
    if (x87 && o->nargs == 2) {
        IrType second = f->region->ir->ops[o->arg[1]].type;

        if (from != IR_F80) {
            wide = *a;
            widen(from, &wide, &b->x, &e);
            a = &wide;
        } else if (second != IR_F80) {
            wide = *b;
            widen(second, &wide, &a->x, &e);
            b = &wide;
        }
        arith_f80(o, a, b, &e, &out);
        if (e.flags & FP_ZE) {
            e.flags &= ~FP_DE;          /* SDM vol. 1, 4.9.2: the former goes before */
        }
    } else if (o->opcode == IR_FCVT) {
        convert(o, from, a, &e, &out);
    } else if (from == IR_F32) {
        arith_f32(o, a, b, &e, &out);
    } else if (from == IR_F64) {
        arith_f64(o, a, b, &e, &out);
    } else {
        arith_f80(o, a, b, &e, &out);
    }
    *d = out;
    if (x87) {
        f->env->fp_fsw |= e.flags;
    } else {
        f->env->fp_mxcsr |= e.flags;
    }
}
