/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

void cg_load_v128(Cg *cg, int reg, uint64_t lo, uint64_t hi)
{
    Asm *a = &cg->a;
    Mem m = { R_NONE, R_NONE, 0, true, 0 };

    if (lo == 0 && hi == 0) {
        x_rr(a, 0x57 | X_0F, reg & 15, reg & 15);       /* XORPS */
        return;
    }
    GROW(cg->pool, cg->n_pool, cg->cap_pool);
    x_vld(a, 16, reg, m);
    cg->pool[cg->n_pool].at = asm_pos(a) - 4;
    cg->pool[cg->n_pool].lo = lo;
    cg->pool[cg->n_pool++].hi = hi;
}

bool emit_vec(Cg *cg, IrValue i, IrOp *op)
{
    (void)cg; (void)i; (void)op;
    return false;
}
