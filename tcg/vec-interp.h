/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lanes of vectors, and the form of the reference functions (tcg/vec-interp*.c). One
 * function a row of vec-ops.def; each computes into a copy, as @d may be an operand.
 */
#ifndef TCG_VEC_INTERP_H
#define TCG_VEC_INTERP_H

#include "util/bswap.h"
#include "tcg/fpenv.h"
#include "tcg/vec.h"

#define VEC_OP(sym, ...) IrVecFn vec_##sym;
#include "tcg/vec-ops.def"
#undef VEC_OP

#define VEC_FN(sym) \
    void vec_##sym(VecReg *d, UNUSED const VecReg *a, UNUSED const VecReg *b, \
                   UNUSED const VecReg *c, UNUSED uint8_t imm, UNUSED FpEnv *e)

static inline uint8_t vec_b(const VecReg *v, unsigned i) { return v->b[i]; }
static inline uint16_t vec_w(const VecReg *v, unsigned i) { return load_le16(v->b + 2 * i); }
static inline uint32_t vec_l(const VecReg *v, unsigned i) { return load_le32(v->b + 4 * i); }
static inline uint64_t vec_q(const VecReg *v, unsigned i) { return load_le64(v->b + 8 * i); }
static inline void vec_set_b(VecReg *v, unsigned i, uint8_t x) { v->b[i] = x; }
static inline void vec_set_w(VecReg *v, unsigned i, uint16_t x) { store_le16(v->b + 2 * i, x); }
static inline void vec_set_l(VecReg *v, unsigned i, uint32_t x) { store_le32(v->b + 4 * i, x); }
static inline void vec_set_q(VecReg *v, unsigned i, uint64_t x) { store_le64(v->b + 8 * i, x); }

/* A result in a general register. */
static inline void vec_gpr(VecReg *d, uint64_t v)
{
    *d = (VecReg){ .q = { v, 0 } };
}

/* Lane by lane: @expr of x and y, the lanes of a and b as type @T. @k: b w l q. */
#define VEC_LANES(sym, k, T, expr) \
VEC_FN(sym) \
{ \
    VecReg r; \
    for (unsigned i = 0; i < 16 / sizeof(T); i++) { \
        UNUSED T x = vec_##k(a, i), y = vec_##k(b, i); \
        vec_set_##k(&r, i, (expr)); \
    } \
    *d = r; \
}

#endif
