/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract of tcg/exec.h at run time, on every back end: leaving, chaining, the
 * jump cache, exit requests, unwinding.
 */
#include "util/osdep.h"
#include <sys/mman.h>
#include "tcg/exec.h"
#include "tests/lib/test.h"

enum { CACHE_SIZE = 1 << 20, LEAVE_TEST = 0x300, PC = 0x7123, ENTRY = 0x123 };

typedef struct TestCpu {
    TcgEnv env;
    uint64_t a, b;
    uint32_t flags, icount, aux;
    bool unwound, found;
} TestCpu;

static const IrGlobal globals[] = {
    { "a", IR_I64, offsetof(TestCpu, a) },
    { "b", IR_I64, offsetof(TestCpu, b) },
    { "flags", IR_I32, offsetof(TestCpu, flags) },
    { "pc_bias", IR_I64, offsetof(TestCpu, env.pc_bias) },
};
static const IrGlobalTable table = { globals, ARRAY_SIZE(globals) };
enum { G_A, G_B, G_FLAGS };

static const TcgBackend *be;            /* the one under test */
static JumpCacheEntry jc[JC_SIZE];

typedef struct Unit {                   /* a region and its code */
    IrRegion *r;
    TcgCode code;
} Unit;

static IrRegion *begin(Unit *u)
{
    u->r = ir_region_new();
    ir_region_reset(u->r, &table);
    u->r->entry_offset = ENTRY;
    ir_block_begin(u->r, ir_block_new(u->r));
    ir_insn_start(u->r, ENTRY, 0);
    return u->r;
}

static bool end(Test *t, Unit *u)
{
    char why[256];

    ir_finish(u->r);
    if (!ir_verify(u->r, why, sizeof(why))) {
        test_fail(t, "%s", why);
        return false;
    }
    return check_true(t, be->codegen(u->r, u, &u->code), "translated");
}

static void done(Unit *u)
{
    be->code_free(&u->code);
    ir_region_free(u->r);
}

static void reset_cpu(TestCpu *c)
{
    tcg_env_clear(&c->env, sizeof(*c));
    memset(jc, 0, sizeof(jc));
    for (unsigned i = 0; i < TLB_MODES; i++) {
        c->env.tlb_table[i].tag_read[0] = c->env.tlb_table[i].tag_write[0] = TLB_NO_TAG;
    }
    c->env.jc = jc;
    c->env.pc = PC;
    c->env.mode_gen = 0x100000007;
    c->env.fp_mxcsr = 0x1f80;
    c->env.fp_fcw = 0x37f;
}

/* Each test runs once a back end. */
static void on_all(Test *t, void (*test)(Test *t, TestCpu *c))
{
    static TestCpu c;

    be = &tcg_backend_interp;
    be->init(&table, NULL, NULL, 0);
    reset_cpu(&c);
    test(t, &c);
    be->flush();
#ifdef __x86_64__
    {
        uint8_t *p = mmap(NULL, CACHE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        be = &tcg_backend_x86_64;
        if (p == MAP_FAILED || !be->init(&table, p, p, CACHE_SIZE)) {
            test_note(t, "no executable memory");
            return;
        }
        reset_cpu(&c);
        test(t, &c);
        be->flush();
        /* The back end keeps the cache's address: the memory stays. */
    }
#endif
}

/* a += 1, then on to pc_offset. */
static void count_and_goto(IrRegion *r, int64_t pc_offset)
{
    ir_put(r, G_A, ir_add(r, IR_I64, ir_get(r, G_A), ir_i64(r, 1)));
    ir_goto(r, pc_offset);
}

static void goto_chain(Test *t, TestCpu *c)
{
    Unit x, y;
    TcgLeave leave;

    count_and_goto(begin(&x), 0x200);
    begin(&y)->entry_offset = 0x200;
    ir_put(y.r, G_B, ir_add(y.r, IR_I64, ir_get(y.r, G_A), ir_i64(y.r, 10)));
    ir_put_pc(y.r, 0x222);
    ir_exit(y.r, IR_EXIT_IRQ_CHECK);
    if (!end(t, &x) || !end(t, &y)) {
        return;
    }
    check_int(t, x.code.n_exits, 1, "one exit");
    check_int(t, x.code.exits[0].pc_offset, 0x200, "to where it goes");
    check_true(t, x.code.exits[0].same_page, "in the page");
    be->enter(&c->env, &x.code, &leave);
    check_u32(t, leave.reason, TCG_LEAVE_GOTO, "not linked: leaves");
    check_true(t, leave.from == &x, "says from where");
    check_int(t, leave.exit_index, 0, "and which exit");
    check_u64(t, c->env.pc, PC - ENTRY + 0x200, "PC stored");
    check_u64(t, c->a, 1, "a");
    be->link(&x.code, 0, &y.code);
    c->env.pc = PC;
    be->enter(&c->env, &x.code, &leave);
    check_u32(t, leave.reason, IR_EXIT_IRQ_CHECK, "linked: on to the next region");
    check_true(t, leave.from == NULL, "nothing to link");
    check_u64(t, c->b, 12, "b");
    check_u64(t, c->env.pc, PC - ENTRY + 0x222, "put_pc");
    be->link(&x.code, 0, NULL);
    c->env.pc = PC;
    be->enter(&c->env, &x.code, &leave);
    check_u32(t, leave.reason, TCG_LEAVE_GOTO, "unlinked again");
    done(&x);
    done(&y);
}

static void jump_cache(Test *t, TestCpu *c)
{
    Unit x, y;
    TcgLeave leave;
    JumpCacheEntry *e = &jc[jc_index(0x9123)];

    begin(&x);
    ir_goto_ind(x.r, ir_i64(x.r, 0x9123), IR_JUMP_PLAIN);
    begin(&y);
    ir_put(y.r, G_A, ir_pc(y.r, ENTRY + 1));
    ir_goto(y.r, 0x1123);                   /* in the next page */
    if (!end(t, &x) || !end(t, &y)) {
        return;
    }
    be->enter(&c->env, &x.code, &leave);
    check_u32(t, leave.reason, TCG_LEAVE_LOOKUP, "empty entry");
    check_u64(t, c->env.pc, 0x9123, "PC stored");
    *e = (JumpCacheEntry){ 0x9123, c->env.mode_gen, y.code.full_entry, NULL };
    c->env.pc = PC;
    be->enter(&c->env, &x.code, &leave);
    check_u64(t, c->a, 0x9124, "entered by the full entry: the bias is new");
    check_u64(t, c->env.pc, 0xa123, "then across the page");
    check_true(t, leave.reason == TCG_LEAVE_LOOKUP || leave.reason == TCG_LEAVE_GOTO,
               "left for the loop");
    e->mode_gen++;
    c->env.pc = PC;
    be->enter(&c->env, &x.code, &leave);
    check_u64(t, c->env.pc, 0x9123, "another generation doesn't match");
    done(&x);
    done(&y);
}

static void ask_to_stop(TcgEnv *env, uint64_t n)
{
    if (n == 5) {
        env->exit_request = 1;
    }
}

static const IrHelper h_ask = { "ask_to_stop", ask_to_stop, "v:eq", 0, 0, 0 };

static void exit_request(Test *t, TestCpu *c)
{
    Unit x;
    IrRegion *r = begin(&x);
    IrBlockId loop = ir_block_new(r);
    TcgLeave leave;
    IrValue n;

    ir_jmp(r, loop);
    ir_block_begin(r, loop);
    ir_insn_start(r, 0x140, 3);
    n = ir_add(r, IR_I64, ir_get(r, G_A), ir_i64(r, 1));
    ir_put(r, G_A, n);
    IR_CALL(r, &h_ask, n);
    ir_pend(r, G_FLAGS, ir_trunc(r, IR_I32, ir_mul(r, IR_I64, n, ir_i64(r, 3))));
    ir_brcond(r, IR_NE, IR_I64, n, ir_i64(r, 1000), loop);
    ir_goto(r, 0x150);
    if (!end(t, &x)) {
        return;
    }
    be->enter(&c->env, &x.code, &leave);
    check_u32(t, leave.reason, TCG_LEAVE_REQUEST, "at the back edge");
    check_u64(t, c->a, 5, "as soon as asked");
    check_u32(t, c->flags, 15, "with the pending value");
    check_u64(t, c->env.pc, PC - ENTRY + 0x140, "at the loop's top");
    c->env.pc = PC;
    be->enter(&c->env, &x.code, &leave);
    check_u32(t, leave.reason, TCG_LEAVE_REQUEST, "at the entry");
    check_u64(t, c->a, 5, "before anything is done");
    check_u64(t, c->env.pc, PC, "PC as it was");
    c->env.exit_request = 0;
    be->enter(&c->env, &x.code, &leave);
    check_u32(t, leave.reason, TCG_LEAVE_GOTO, "runs to the end");
    check_u64(t, c->a, 1000, "all the way");
    check_u32(t, c->flags, 3000, "committed at the end");
    done(&x);
}

static void raise_now(TcgEnv *env)
{
    TestCpu *c = (TestCpu *)env;
    void *ra = env->jit_ra;

    c->found = be->find(env, ra) != NULL;
    c->unwound = be->unwind(env, ra, &c->icount, &c->aux);
    be->leave(env, LEAVE_TEST);
}

static const IrHelper h_raise = { "raise_now", raise_now, "v:e",
                                  IR_H_RAISES | IR_H_NORETURN, 0, 0 };

static void unwinding(Test *t, TestCpu *c)
{
    Unit x;
    IrRegion *r = begin(&x);
    TcgLeave leave;

    ir_put(r, G_A, ir_i64(r, 77));
    ir_insn_start(r, ENTRY + 2, 0);
    ir_pend(r, G_FLAGS, ir_i32(r, 0x55));
    ir_insn_start(r, ENTRY + 5, 0xabc);
    IR_CALL(r, &h_raise);
    ir_unreachable(r);
    if (!end(t, &x)) {
        return;
    }
    be->enter(&c->env, &x.code, &leave);
    check_u32(t, leave.reason, LEAVE_TEST, "left by the helper");
    check_true(t, c->unwound && c->found, "the address is known");
    check_u64(t, c->a, 77, "variables are home");
    check_u32(t, c->flags, 0x55, "pending values too");
    check_u64(t, c->env.pc, PC + 5, "PC of the instruction");
    check_u32(t, c->icount, 2, "two were begun before");
    check_u32(t, c->aux, 0xabc, "aux");
    check_true(t, !be->unwind(&c->env, NULL, &c->icount, &c->aux), "outside: no");
    done(&x);
}

TEST(exec, goto_and_link) { on_all(t, goto_chain); }
TEST(exec, jump_cache) { on_all(t, jump_cache); }
TEST(exec, exit_request) { on_all(t, exit_request); }
TEST(exec, unwind) { on_all(t, unwinding); }
