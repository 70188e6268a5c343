/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

bool emit_fp(Cg *cg, IrValue i, IrOp *op)
{
    (void)cg; (void)i; (void)op;
    return false;
}
