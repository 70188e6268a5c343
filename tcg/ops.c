/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IR's tables: names, operand types and flags of each operation. */
#include "util/osdep.h"
#include "tcg/ir.h"
#include "tcg/vec.h"

const IrOpInfo ir_op_info[IR_OPCODE_NUM] = {
#define IR_OP(sym, nm, n, restype, argtypes, fl) \
    [IR_##sym] = { .name = nm, .nargs = n, .flags = fl, .result = restype[0], \
                   .args = argtypes },
#include "tcg/ops.def"
#undef IR_OP
};

const char *const ir_type_name[IR_TYPE_NUM] = {
    "void", "i8", "i16", "i32", "i64", "f32", "f64", "f80", "v128", "v256",
};

const char *const ir_cond_name[IR_COND_NUM] = {
    "eq", "ne", "lt", "ge", "le", "gt", "ltu", "geu", "leu", "gtu", "tst_z", "tst_nz",
};

const char *const ir_x86flags_name[IR_XF_NUM] = {
    "add", "adc", "sub", "sbb", "logic", "inc", "dec", "shl", "shr", "sar",
};

const uint16_t ir_type_widths[IR_TYPE_NUM] = { 0, 8, 16, 32, 64, 32, 64, 80, 128, 256 };

IrCond ir_cond_invert(IrCond c)
{
    return c ^ 1;
}
_Static_assert((IR_EQ ^ 1) == IR_NE && (IR_LT ^ 1) == IR_GE && (IR_LE ^ 1) == IR_GT &&
               (IR_LTU ^ 1) == IR_GEU && (IR_LEU ^ 1) == IR_GTU &&
               (IR_TST_Z ^ 1) == IR_TST_NZ, "a condition and its inverse are neighbours");

IrCond ir_cond_swap(IrCond c)
{
    static const uint8_t swapped[IR_COND_NUM] = {
        [IR_EQ] = IR_EQ, [IR_NE] = IR_NE,
        [IR_LT] = IR_GT, [IR_GE] = IR_LE, [IR_LE] = IR_GE, [IR_GT] = IR_LT,
        [IR_LTU] = IR_GTU, [IR_GEU] = IR_LEU, [IR_LEU] = IR_GEU, [IR_GTU] = IR_LTU,
        [IR_TST_Z] = IR_TST_Z, [IR_TST_NZ] = IR_TST_NZ,
    };

    return swapped[c];
}

unsigned ir_op_flags_of(const IrOp *o)
{
    unsigned f = ir_op_info[o->opcode].flags;

    if (o->opcode == IR_CALL) {
        if (!(o->helper->flags & IR_H_RAISES)) {
            f &= ~IR_F_SNAP;
        }
        if (o->helper->flags & IR_H_PURE) {
            f &= ~(IR_F_SIDE | IR_F_SNAP);
        }
    } else if (o->opcode == IR_VEC && !(ir_vec_info[o->vop].form & IR_VF_FP)) {
        f &= ~IR_F_FPENV;
    } else if (f & IR_F_BRANCH && o->snap) {
        f |= IR_F_SNAP;                 /* a back edge */
    }
    return f;
}
