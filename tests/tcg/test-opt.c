/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The optimiser changes nothing that can be seen: random regions are built once
 * as asked (raw) and once with everything, and both are run by the interpreter, to
 * their end, with a fault forced at each access and helper in turn, and with an
 * exit request raised there.
 */
#include "util/osdep.h"
#include "tcg/exec.h"
#include "tcg/fpenv.h"
#include "tcg/vec.h"
#include "tests/lib/test.h"
#include "tests/lib/fp-random.h"

enum { N_Q = 8, N_L = 3, N_V = 3, N_D = 2, MEM_SIZE = 4096, LEAVE_FAULT = 0x300 };

typedef struct State {          /* what is compared */
    uint64_t q[N_Q];
    uint32_t l[N_L];
    VecReg v[N_V];
    uint64_t d[N_D];
    uint64_t scratch;           /* by LD_ENV, ST_ENV */
    uint8_t mem[MEM_SIZE];
    uint64_t pc;
    uint32_t mxcsr, reason, exit_index, icount, aux;
    unsigned events;
} State;

typedef struct TestCpu {
    TcgEnv env;
    State s;
    unsigned fault_at, request_at;      /* event number; 0: never */
} TestCpu;

#define HOME(field) offsetof(TestCpu, s.field)
static const IrGlobal globals[] = {
    { "q0", IR_I64, HOME(q[0]) }, { "q1", IR_I64, HOME(q[1]) },
    { "q2", IR_I64, HOME(q[2]) }, { "q3", IR_I64, HOME(q[3]) },
    { "q4", IR_I64, HOME(q[4]) }, { "q5", IR_I64, HOME(q[5]) },
    { "q6", IR_I64, HOME(q[6]) }, { "q7", IR_I64, HOME(q[7]) },
    { "l0", IR_I32, HOME(l[0]) }, { "l1", IR_I32, HOME(l[1]) },
    { "l2", IR_I32, HOME(l[2]) },
    { "v0", IR_V128, HOME(v[0]) }, { "v1", IR_V128, HOME(v[1]) },
    { "v2", IR_V128, HOME(v[2]) },
    { "d0", IR_F64, HOME(d[0]) }, { "d1", IR_F64, HOME(d[1]) },
    { "pc_bias", IR_I64, offsetof(TestCpu, env.pc_bias) },
};
static const IrGlobalTable table = { globals, ARRAY_SIZE(globals) };
enum { G_Q = 0, G_L = N_Q, G_V = G_L + N_L, G_D = G_V + N_V };

/* --- the machine --- */

static void event(TcgEnv *env, void *ra)
{
    TestCpu *c = (TestCpu *)env;
    unsigned n = ++c->s.events;

    if (n == c->request_at) {
        env->exit_request = 1;
    }
    if (n == c->fault_at) {
        if (!tcg_backend_interp.unwind(env, ra, &c->s.icount, &c->s.aux)) {
            c->s.reason = 0xbad;
        }
        tcg_backend_interp.leave(env, LEAVE_FAULT);
    }
}

static uint64_t slow_ld(TcgEnv *env, uint64_t addr, uint32_t mo, void *ra)
{
    uint64_t v = 0;

    event(env, ra);
    for (unsigned i = 0; i < ir_mo_bytes(mo); i++) {
        v |= (uint64_t)((TestCpu *)env)->s.mem[(addr + i) % MEM_SIZE] << 8 * i;
    }
    return v;
}

static void slow_st(TcgEnv *env, uint64_t addr, uint64_t v, uint32_t mo, void *ra)
{
    event(env, ra);
    for (unsigned i = 0; i < ir_mo_bytes(mo); i++) {
        ((TestCpu *)env)->s.mem[(addr + i) % MEM_SIZE] = v >> 8 * i;
    }
}

static uint64_t h_pure(uint64_t a, uint64_t b)
{
    return a * 3 ^ b;
}

static void h_raises(TcgEnv *env, uint64_t a)
{
    ((TestCpu *)env)->s.scratch += a;
    event(env, env->jit_ra);
}

static uint64_t h_mixes(TcgEnv *env)        /* reads and writes every global */
{
    State *s = &((TestCpu *)env)->s;

    for (unsigned i = 0; i < N_Q; i++) {
        s->q[i] = s->q[i] * 5 + s->l[i % N_L];
    }
    s->l[1] += s->q[0];
    return s->q[3];
}

static void h_some(TcgEnv *env)             /* q1 into q2 */
{
    State *s = &((TestCpu *)env)->s;

    s->q[2] = s->q[1] + 1;
}

static const IrHelper pure = { "pure", h_pure, "q:qq", IR_H_PURE, 0, 0 };
static const IrHelper raises = { "raises", h_raises, "v:eq", IR_H_RAISES, 0, 0 };
static const IrHelper mixes = { "mixes", h_mixes, "q:e", IR_H_READS | IR_H_WRITES, 0, 0 };
static const IrHelper some = { "some", h_some, "v:e", 0, BIT64(1), BIT64(2) };

/* --- random regions; the choices don't depend on what the builder makes of them --- */

enum { POOL = 12 };

typedef struct Gen {
    Random rnd;
    IrRegion *r;
    IrValue q[POOL], l[POOL], b[POOL], v[POOL], d[POOL];
    IrVar local[2], counter;
    int32_t pc;
} Gen;

static unsigned below(Gen *g, unsigned n)
{
    return random_below(&g->rnd, n);
}

static uint64_t number(Gen *g)
{
    return below(g, 2) ? random_bits(&g->rnd) : below(g, 9) - 4u;
}

static IrValue *pool(Gen *g, IrType t)
{
    return t == IR_I64 ? g->q : t == IR_I32 ? g->l : t == IR_I8 ? g->b
         : t == IR_V128 ? g->v : g->d;
}

static IrValue pick(Gen *g, IrType t)
{
    return pool(g, t)[below(g, POOL)];
}

static void add(Gen *g, IrType t, IrValue v)
{
    pool(g, t)[below(g, POOL)] = v;
}

/* At a block's top: some values of each type. */
static void fill_pools(Gen *g)
{
    for (unsigned i = 0; i < POOL; i++) {
        bool k = below(g, 3) == 0;

        g->q[i] = k ? ir_i64(g->r, number(g)) : ir_get(g->r, G_Q + below(g, N_Q));
        g->l[i] = k ? ir_i32(g->r, number(g)) : ir_get(g->r, G_L + below(g, N_L));
        g->b[i] = k ? ir_i8(g->r, number(g)) : ir_trunc(g->r, IR_I8, g->l[i]);
        g->v[i] = k ? ir_vconst(g->r, number(g), number(g))
                    : ir_get(g->r, G_V + below(g, N_V));
        g->d[i] = ir_get(g->r, G_D + below(g, N_D));
    }
}

static IrType some_int(Gen *g)
{
    static const IrType types[] = { IR_I64, IR_I64, IR_I32, IR_I32, IR_I8 };

    return types[below(g, ARRAY_SIZE(types))];
}

static void gen_int(Gen *g)
{
    static const uint8_t bins[] = {
        IR_ADD, IR_SUB, IR_MUL, IR_MULHU, IR_MULHS, IR_AND, IR_OR, IR_XOR, IR_SHL, IR_SHR,
        IR_SAR, IR_ROTL, IR_ROTR, IR_ADD, IR_SUB, IR_AND,
    };
    static const uint8_t uns[] = { IR_NEG, IR_NOT, IR_CLZ, IR_CTZ, IR_POPCNT, IR_BSWAP };
    IrType t = some_int(g), t2 = some_int(g);
    unsigned w = ir_type_bits(t), pos = below(g, w), len = 1 + below(g, w - pos);
    IrValue a = pick(g, t), b = pick(g, t), v;

    switch (below(g, 12)) {
    case 0:
        v = ir_un(g->r, uns[below(g, ARRAY_SIZE(uns))], t, a);
        break;
    case 1:
        v = ir_extract(g->r, t, a, pos, len);
        break;
    case 2:
        v = ir_sextract(g->r, t, a, pos, len);
        break;
    case 3:
        v = ir_deposit(g->r, t, a, b, pos, len);
        break;
    case 4:
        v = ir_setcond(g->r, below(g, IR_COND_NUM), t, a, b);
        t = IR_I8;
        break;
    case 5:
        v = ir_select(g->r, below(g, IR_COND_NUM), t, a, b, t2, pick(g, t2), pick(g, t2));
        t = t2;
        break;
    case 6:
        v = ir_x86flags(g->r, below(g, IR_XF_SHL), t, a, b, pick(g, IR_I8));
        t = IR_I32;
        break;
    case 7: case 8:
        if (t < t2) {
            v = below(g, 2) ? ir_zext(g->r, t2, a) : ir_sext(g->r, t2, a);
        } else {
            v = ir_trunc(g->r, t2, a);
        }
        t = t2;
        break;
    default:
        v = ir_bin(g->r, bins[below(g, ARRAY_SIZE(bins))], t, a, b);
        break;
    }
    add(g, t, v);
}

static void gen_fp(Gen *g)
{
    static const uint8_t ops[] = { IR_FADD, IR_FSUB, IR_FMUL, IR_FDIV };
    static const uint16_t vops[] = { IR_V_PADDB, IR_V_PXOR, IR_V_MULPS, IR_V_ADDSD };
    IrRegion *r = g->r;

    switch (below(g, 5)) {
    case 0:
        add(g, IR_F64, ir_fbits(r, IR_F64, pick(g, IR_I64)));
        break;
    case 1:
        add(g, IR_I64, ir_fbits(r, IR_I64, pick(g, IR_F64)));
        break;
    case 2:
        add(g, IR_V128, ir_vec(r, vops[below(g, ARRAY_SIZE(vops))], pick(g, IR_V128),
                               pick(g, IR_V128), 0, 0));
        break;
    case 3:
        add(g, IR_I32, ir_fcmp(r, IR_F64, pick(g, IR_F64), pick(g, IR_F64), below(g, 2)));
        break;
    default:
        add(g, IR_F64, ir_bin(r, ops[below(g, ARRAY_SIZE(ops))], IR_F64, pick(g, IR_F64),
                              pick(g, IR_F64)));
        break;
    }
}

static void gen_effect(Gen *g)
{
    static const IrMemOp sizes[] = { IR_MO_8, IR_MO_16, IR_MO_32, IR_MO_64 };
    IrMemOp mo = sizes[below(g, 4)];
    IrRegion *r = g->r;

    switch (below(g, 9)) {
    case 0: case 1:
        mo |= below(g, 2) && mo < IR_MO_64 ? IR_MO_SIGN : 0;
        add(g, IR_I64, ir_ld(r, IR_I64, pick(g, IR_I64), mo));
        break;
    case 2: case 3:
        ir_st(r, pick(g, IR_I64), pick(g, IR_I64), mo);
        break;
    case 4:
        IR_CALL(r, &raises, pick(g, IR_I64));
        break;
    case 5:
        add(g, IR_I64, IR_CALL(r, &pure, pick(g, IR_I64), pick(g, IR_I64)));
        break;
    case 6:
        if (below(g, 2)) {
            add(g, IR_I64, IR_CALL(r, &mixes));
        } else {
            IR_CALL(r, &some);
        }
        break;
    case 7:
        ir_st_env(r, HOME(scratch), pick(g, IR_I64));
        break;
    default:
        add(g, IR_I64, ir_ld_env(r, IR_I64, HOME(scratch)));
        break;
    }
}

static void gen_variable(Gen *g)
{
    unsigned n = below(g, N_Q);
    IrRegion *r = g->r;

    switch (below(g, 10)) {
    case 0:
        ir_pend(r, G_Q + n, pick(g, IR_I64));
        break;
    case 1:
        ir_commit_pending(r);
        break;
    case 2:
        add(g, IR_I32, ir_get(r, G_L + n % N_L));
        break;
    case 3:
        ir_put(r, G_L + n % N_L, pick(g, IR_I32));
        break;
    case 4:
        ir_put(r, G_V + n % N_V, pick(g, IR_V128));
        ir_put(r, G_D + n % N_D, pick(g, IR_F64));
        break;
    case 5:
        ir_put(r, g->local[n % 2], pick(g, IR_I64));
        break;
    case 6:
        add(g, IR_I64, ir_get(r, g->local[n % 2]));
        break;
    case 7:
        add(g, IR_I64, ir_get(r, G_Q + n));
        break;
    default:
        ir_put(r, G_Q + n, pick(g, IR_I64));
        break;
    }
}

static void gen_insns(Gen *g, unsigned n)
{
    while (n--) {
        g->pc += 1 + below(g, 4);
        ir_insn_start(g->r, g->pc, below(g, 3));
        for (unsigned i = below(g, 7); i > 0; i--) {
            switch (below(g, 8)) {
            case 0: case 1: case 2:
                gen_int(g);
                break;
            case 3:
                gen_fp(g);
                break;
            case 4: case 5:
                gen_effect(g);
                break;
            default:
                gen_variable(g);
                break;
            }
        }
    }
}

static void gen_leave(Gen *g)
{
    switch (below(g, 3)) {
    case 0:
        ir_goto(g->r, g->pc + below(g, 3));
        break;
    case 1:
        ir_goto_ind(g->r, pick(g, IR_I64), IR_JUMP_PLAIN);
        break;
    default:
        ir_put_pc(g->r, g->pc);
        ir_exit(g->r, IR_EXIT_IRQ_CHECK);
        break;
    }
}

/* Blocks in a row; each branches forward, or back to an earlier one while the counter
 * lasts, which only the back edges decrement. */
static void random_region(IrRegion *r, uint64_t seed, bool raw)
{
    Gen g = { .rnd = { seed * UINT64_C(0x9e3779b97f4a7c15) + 1 }, .r = r, .pc = 0x100 };
    unsigned n = 1 + below(&g, 6);
    IrBlockId blocks[8];

    r->raw = raw;
    ir_region_reset(r, &table);
    r->entry_offset = 0x100;
    for (unsigned i = 0; i <= n; i++) {
        blocks[i] = ir_block_new(r);
    }
    g.counter = ir_local_new(r, IR_I32);
    g.local[0] = ir_local_new(r, IR_I64);
    g.local[1] = ir_local_new(r, IR_I64);
    for (unsigned i = 0; i < n; i++) {
        ir_block_begin(r, blocks[i]);
        if (i == 0) {
            ir_put(r, g.counter, ir_i32(r, 5));
            ir_put(r, g.local[0], ir_i64(r, 1));
            ir_put(r, g.local[1], ir_i64(r, 2));
        }
        fill_pools(&g);
        gen_insns(&g, 1 + below(&g, 4));
        if (below(&g, 3) == 0) {
            ir_commit_pending(r);
            ir_brcond(r, below(&g, IR_COND_NUM), IR_I64, pick(&g, IR_I64), pick(&g, IR_I64),
                      blocks[i + 1 + below(&g, n - i)]);
            gen_insns(&g, below(&g, 3));
        }
        if (i && below(&g, 3) == 0) {
            IrValue left = ir_sub(r, IR_I32, ir_get(r, g.counter), ir_i32(r, 1));

            ir_commit_pending(r);
            ir_put(r, g.counter, left);
            if (below(&g, 2)) {
                ir_pend(r, G_Q + 1, pick(&g, IR_I64));
            }
            ir_brcond(r, IR_GT, IR_I32, left, ir_i32(r, 0), blocks[1 + below(&g, i)]);
        }
        ir_commit_pending(r);
        if (below(&g, 6) == 0) {
            gen_leave(&g);
        } else {
            ir_jmp(r, blocks[i + 1 + below(&g, n - i)]);
        }
    }
    ir_block_begin(r, blocks[n]);
    fill_pools(&g);
    gen_insns(&g, 1);
    gen_leave(&g);
    ir_finish(r);
}

/* --- comparison --- */

static void run(TestCpu *c, const TcgCode *code, const State *start, unsigned fault_at,
                unsigned request_at)
{
    TcgLeave leave;

    tcg_env_clear(&c->env, sizeof(c->env));
    for (unsigned i = 0; i < TLB_MODES; i++) {
        c->env.tlb_table[i].tag_read[0] = c->env.tlb_table[i].tag_write[0] = TLB_NO_TAG;
    }
    c->s = *start;
    c->fault_at = fault_at;
    c->request_at = request_at;
    c->env.pc = 0x7100;
    c->env.fp_mxcsr = 0x1f80;
    tcg_backend_interp.enter(&c->env, code, &leave);
    c->s.pc = c->env.pc;
    c->s.mxcsr = c->env.fp_mxcsr;
    c->s.reason |= leave.reason;
}

static void random_start(State *s, Random *r)
{
    memset(s, 0, sizeof(*s));
    for (unsigned i = 0; i < N_Q; i++) {
        s->q[i] = random_bits(r);
    }
    for (unsigned i = 0; i < N_L; i++) {
        s->l[i] = random_bits(r);
    }
    for (unsigned i = 0; i < N_D; i++) {
        s->d[i] = random_f64(r);
        s->v[i].q[0] = random_u64(r);
        s->v[i].q[1] = random_u64(r);
    }
    for (unsigned i = 0; i < MEM_SIZE; i += 8) {
        uint64_t v = random_u64(r);

        memcpy(s->mem + i, &v, 8);
    }
}

static void tell(Test *t, const State *a, const State *b)
{
    for (unsigned i = 0; i < N_Q; i++) {
        if (a->q[i] != b->q[i]) {
            test_note(t, "q%u %" PRIx64 " %" PRIx64, i, a->q[i], b->q[i]);
        }
    }
    for (unsigned i = 0; i < N_L; i++) {
        if (a->l[i] != b->l[i]) {
            test_note(t, "l%u %x %x", i, a->l[i], b->l[i]);
        }
    }
    test_note(t, "v %d d %d scratch %d mem %d pc %" PRIx64 " %" PRIx64 " mxcsr %x %x reason %x "
              "%x icount %u %u aux %u %u events %u %u", memcmp(a->v, b->v, sizeof(a->v)),
              memcmp(a->d, b->d, sizeof(a->d)), a->scratch != b->scratch,
              memcmp(a->mem, b->mem, MEM_SIZE), a->pc, b->pc, a->mxcsr, b->mxcsr, a->reason,
              b->reason, a->icount, b->icount, a->aux, b->aux, a->events, b->events);
}

static TestCpu cpu_raw, cpu_opt;

static bool same_runs(Test *t, uint64_t seed, const TcgCode *raw, const TcgCode *opt)
{
    Random rnd = { seed + 77 };
    State start;
    unsigned events;

    random_start(&start, &rnd);
    run(&cpu_raw, raw, &start, 0, 0);
    events = MIN(cpu_raw.s.events, 60u);
    for (unsigned k = 0; k <= 2 * events; k++) {
        unsigned fault_at = k <= events ? k : 0, request_at = k > events ? k - events : 0;

        run(&cpu_raw, raw, &start, fault_at, request_at);
        run(&cpu_opt, opt, &start, fault_at, request_at);
        if (memcmp(&cpu_raw.s, &cpu_opt.s, sizeof(State))) {
            test_fail(t, "seed %" PRIu64 ", fault at %u, request at %u", seed, fault_at,
                      request_at);
            tell(t, &cpu_raw.s, &cpu_opt.s);
            return false;
        }
    }
    return true;
}

static bool verified(Test *t, const IrRegion *r, uint64_t seed)
{
    char why[256];

    if (!ir_verify(r, why, sizeof(why))) {
        test_fail(t, "seed %" PRIu64 ": %s", seed, why);
        ir_print(r, stdout);
        return false;
    }
    return true;
}

static void check_optimiser(Test *t, uint64_t first, unsigned n, bool build_raw,
                            void (*optimise)(IrRegion *))
{
    IrRegion *raw = ir_region_new(), *opt = ir_region_new();
    bool ok = true;

    tcg_slow_paths.ld = slow_ld;
    tcg_slow_paths.st = slow_st;
    tcg_backend_interp.init(&table, NULL, NULL, 0);
    for (uint64_t seed = first; seed < first + n && ok; seed++) {
        TcgCode a, b;

        random_region(raw, seed, true);
        random_region(opt, seed, build_raw);
        ok = verified(t, raw, seed) && verified(t, opt, seed);
        if (ok && optimise) {
            optimise(opt);
            ok = verified(t, opt, seed);
        }
        if (!ok || !tcg_backend_interp.codegen(raw, NULL, &a) ||
            !tcg_backend_interp.codegen(opt, NULL, &b)) {
            break;
        }
        ok = same_runs(t, seed, &a, &b);
        if (!ok) {
            ir_print(raw, stdout);
            ir_print(opt, stdout);
        }
        tcg_backend_interp.code_free(&a);
        tcg_backend_interp.code_free(&b);
        tcg_backend_interp.flush();
    }
    ir_region_free(raw);
    ir_region_free(opt);
}

static unsigned scale(unsigned n)
{
    const char *s = getenv("TEST_SCALE");

    return s ? n * (unsigned)atoi(s) : n;
}

TEST(opt, builder)
{
    check_optimiser(t, 1, scale(1500), false, NULL);
}

TEST(opt, fast)
{
    check_optimiser(t, 100001, scale(1500), false, ir_optimise_fast);
}

TEST(opt, whole)
{
    check_optimiser(t, 200001, scale(1500), false, ir_optimise);
}

TEST(opt, whole_from_raw)
{
    check_optimiser(t, 300001, scale(1500), true, ir_optimise);
}
