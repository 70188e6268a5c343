/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of vector operations. */
#include "util/osdep.h"
#include "tcg/vec-interp.h"

#define RESULT_V IR_V128
#define RESULT_l IR_I32
#define RESULT_q IR_I64

const IrVecInfo ir_vec_info[IR_VEC_NUM] = {
#define VEC_OP(sym, nm, frm, res, ar, prefix, mp, opc, extension, feat) \
    [IR_V_##sym] = { .name = nm, .form = IR_VF_##frm, .result = RESULT_##res, \
                     .args = ar, .pp = prefix, .map = mp, .opcode = opc, \
                     .ext = extension, .feature = IR_VX_##feat, .fn = vec_##sym },
#include "tcg/vec-ops.def"
#undef VEC_OP
};
