/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The builder, the verifier and the printer (tcg/builder.c, verify.c, print.c). */
#include "util/osdep.h"
#include "tcg/exec.h"
#include "tests/lib/test.h"

typedef struct TestCpu {
    TcgEnv env;
    uint64_t a, b;
    uint32_t flags;
} TestCpu;

static const IrGlobal globals[] = {
    { "a", IR_I64, offsetof(TestCpu, a) },
    { "b", IR_I64, offsetof(TestCpu, b) },
    { "flags", IR_I32, offsetof(TestCpu, flags) },
    { "pc_bias", IR_I64, offsetof(TestCpu, env.pc_bias) },
};
static const IrGlobalTable table = { globals, ARRAY_SIZE(globals) };
enum { G_A, G_B, G_FLAGS, G_PC_BIAS };

static IrRegion *region(void)
{
    IrRegion *r = ir_region_new();

    ir_region_reset(r, &table);
    ir_block_begin(r, ir_block_new(r));
    ir_insn_start(r, 0x10, 0);
    return r;
}

static void check_verifies(Test *t, const IrRegion *r)
{
    char why[256];

    if (!ir_verify(r, why, sizeof(why))) {
        ir_print(r, stdout);
        test_fail(t, "%s", why);
    }
}

TEST(ir, fold)
{
    IrRegion *r = region();
    IrValue a = ir_get(r, G_A), x;
    uint64_t k = 0;

    check_true(t, ir_is_const(r, ir_add(r, IR_I8, ir_i8(r, 200), ir_i8(r, 100)), &k), "holds");
    check_u64(t, k, 44, "as the IR says");
    check_u64(t, ir_add(r, IR_I64, a, ir_i64(r, 0)), a, "as the IR says");
    check_u64(t, ir_get(r, G_A), a, "as the IR says");
    x = ir_add(r, IR_I64, ir_add(r, IR_I64, a, ir_i64(r, 3)), ir_i64(r, -3));
    check_u64(t, x, a, "as the IR says");
    x = ir_and(r, IR_I64, ir_zext(r, IR_I64, ir_trunc(r, IR_I8, a)), ir_i64(r, 0xffff));
    check_u64(t, r->ops[x].opcode, IR_ZEXT, "as the IR says");
    check_u64(t, ir_trunc(r, IR_I8, x), ir_trunc(r, IR_I8, a), "as the IR says");
    x = ir_setcond(r, IR_LT, IR_I64, a, ir_get(r, G_B));
    x = ir_setcond(r, IR_EQ, IR_I32, ir_zext(r, IR_I32, x), ir_i32(r, 0));
    check_u64(t, r->ops[x].cond, IR_GE, "as the IR says");
    check_true(t, ir_is_const(r, ir_setcond(r, IR_LTU, IR_I64, a, a), &k), "holds");
    check_u64(t, k, 0, "as the IR says");
    ir_put(r, G_A, ir_i64(r, 5));
    check_true(t, ir_is_const(r, ir_get(r, G_A), &k), "holds");
    check_u64(t, k, 5, "as the IR says");
    check_true(t, ir_is_const(r, ir_x86flags(r, IR_XF_SUB, IR_I8, ir_i8(r, 1), ir_i8(r, 2), 0),
                              &k), "holds");
    check_u64(t, k, 0x95, "as the IR says");       /* CF PF AF SF */
    ir_goto(r, 0x12);
    ir_finish(r);
    check_verifies(t, r);
    ir_region_free(r);
}

TEST(ir, pending)
{
    IrRegion *r = region();
    IrValue v = ir_trunc(r, IR_I32, ir_get(r, G_A)), ld;

    ir_pend(r, G_FLAGS, v);
    ld = ir_ld(r, IR_I64, ir_get(r, G_B), IR_MO_64);
    check_u64(t, r->snaps[r->ops[ld].snap].n_pending, 1, "as the IR says");
    check_u64(t, ir_get(r, G_FLAGS), v, "as the IR says");
    ir_goto(r, 0x12);
    ir_finish(r);
    check_verifies(t, r);
    check_u64(t, r->ops[r->blocks[0].last - 1].opcode, IR_PUT, "as the IR says");
    ir_region_free(r);
}

TEST(ir, back_edge)
{
    IrRegion *r = region();
    IrBlockId loop = ir_block_new(r);
    IrValue n;

    ir_jmp(r, loop);
    ir_block_begin(r, loop);
    ir_insn_start(r, 0x14, 7);
    n = ir_sub(r, IR_I64, ir_get(r, G_A), ir_i64(r, 1));
    ir_put(r, G_A, n);
    ir_brcond(r, IR_NE, IR_I64, n, ir_i64(r, 0), loop);
    ir_goto(r, 0x20);
    ir_finish(r);
    check_verifies(t, r);
    check_true(t, r->blocks[loop].flags & IR_BLOCK_LOOP_HEADER, "holds");
    check_u64(t, r->blocks[loop].n_preds, 2, "as the IR says");
    n = r->blocks[loop].last - 1;
    check_u64(t, r->ops[n].opcode, IR_BRCOND, "as the IR says");
    check_u64(t, r->snaps[r->ops[n].snap].pc_offset, 0x14, "as the IR says");
    check_u64(t, r->snaps[r->ops[n].snap].aux, 7, "as the IR says");
    ir_region_free(r);
}

/* A block that only leaves, and that something further down jumps to. */
TEST(ir, back_edge_to_a_block_that_leaves)
{
    IrRegion *r = region();
    IrBlockId leaves = ir_block_new(r), other = ir_block_new(r);
    IrValue n;

    ir_insn_start(r, 0x14, 7);
    ir_brcond(r, IR_NE, IR_I64, ir_get(r, G_A), ir_i64(r, 0), other);
    ir_jmp(r, leaves);
    ir_block_begin(r, leaves);
    ir_insn_at(r, 0x30, 5);
    ir_goto(r, 0x30);
    ir_block_begin(r, other);
    ir_insn_start(r, 0x18, 7);
    ir_jmp(r, leaves);
    ir_finish(r);
    check_verifies(t, r);
    n = r->blocks[other].last;
    check_u64(t, r->ops[n].opcode, IR_JMP, "a back edge");
    check_u64(t, r->snaps[r->ops[n].snap].pc_offset, 0x30, "where it leads");
    check_u64(t, r->snaps[r->ops[n].snap].aux, 5, "with that block's word");
    check_u64(t, r->blocks[leaves].n_insns, 0, "no instruction is counted");
    ir_region_free(r);
}

TEST(ir, verify_refuses)
{
    IrRegion *r = region();
    IrValue a = ir_get(r, G_A);
    char why[256];

    r->raw = true;
    ir_bin(r, IR_ADD, IR_I32, a, a);            /* operands of another type */
    ir_goto(r, 0x12);
    ir_finish(r);
    check_true(t, !ir_verify(r, why, sizeof(why)), "refused");
    check_true(t, strstr(why, "i64"), "names the type");
    ir_region_free(r);
}
