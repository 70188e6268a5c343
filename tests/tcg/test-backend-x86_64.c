/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86-64 back end against the interpreter (tcg/x86_64/, tcg/interp.c): random
 * regions on random state, with memory behind a small soft MMU of this test, and
 * faults forced at every access.
 */
#include "util/osdep.h"
#include <sys/mman.h>
#include <unistd.h>
#include "tcg/exec.h"
#include "tcg/vec.h"
#include "config.h"
#include "tests/lib/test.h"
#ifdef CONFIG_CAPSTONE
#include <capstone/capstone.h>
#endif

#ifdef __x86_64__

/* ------------------------------------------------------------ the machine */

enum { N_INT = 18, N_I32 = 3, N_VEC = 6, N_FP = 4, MEM_BASE = 0x10000, MEM_SIZE = 0x4000,
       TLB_BITS = 3, LEAVE_FAULT = 0x300 };

typedef struct TestCpu {
    TcgEnv env;
    uint64_t g[N_INT];
    uint32_t w[N_I32];
    VecReg v[N_VEC];
    struct { uint8_t b[16]; } f[N_FP] __attribute__((aligned(16)));
    uint64_t scratch[4];            /* IR_LD_ENV, IR_ST_ENV */
} TestCpu;

static IrGlobal globals[N_INT + N_I32 + N_VEC + N_FP + 1];
static IrGlobalTable table = { globals, 0 };
enum { G_INT = 0, G_I32 = N_INT, G_VEC = G_I32 + N_I32, G_FP = G_VEC + N_VEC,
       G_BIAS = G_FP + N_FP };

static struct {
    uint8_t *mem;
    JumpCacheEntry *jc;
    const TcgBackend *be;
    unsigned accesses, fault_at;    /* the fault_at'th slow access faults */
    bool no_tlb;                    /* everything takes the slow path */
    uint32_t icount, aux;
} m;

static void fault(TcgEnv *env, void *ra)
{
    if (++m.accesses == m.fault_at) {
        if (!m.be->unwind(env, ra, &m.icount, &m.aux)) {
            fprintf(stderr, "no snapshot at this address\n");
            abort();
        }
        m.be->leave(env, LEAVE_FAULT);
    }
}

static uint8_t *byte_at(uint64_t addr)
{
    return &m.mem[addr & (MEM_SIZE - 1)];
}

static void fill(TcgEnv *env, uint64_t addr)
{
    uint64_t page = addr & ~(uint64_t)0xfff;
    unsigned i = (page >> 12) & env->tlb[0].mask;

    /* The last page is never in the TLB. */
    if (!m.no_tlb && page >= MEM_BASE && page < MEM_BASE + MEM_SIZE - 0x1000) {
        env->tlb_table[0].tag_read[i] = page;
        env->tlb_table[0].tag_write[i] = page;
        env->tlb_table[0].addend[i] = (uint64_t)(uintptr_t)m.mem - MEM_BASE;
    }
}

static uint64_t swap(uint64_t v, unsigned n)
{
    return __builtin_bswap64(v) >> (64 - 8 * n);
}

static uint64_t get(uint64_t addr, unsigned n, uint32_t mo)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < n; i++) {
        v |= (uint64_t)*byte_at(addr + i) << 8 * i;
    }
    return mo & IR_MO_BE ? swap(v, n) : v;
}

static void put(uint64_t addr, uint64_t v, unsigned n, uint32_t mo)
{
    v = mo & IR_MO_BE ? swap(v, n) : v;
    for (unsigned i = 0; i < n; i++) {
        *byte_at(addr + i) = (uint8_t)(v >> 8 * i);
    }
}

static uint64_t slow_ld(TcgEnv *env, uint64_t addr, uint32_t mo, void *ra)
{
    unsigned n = ir_mo_bytes(mo);

    fault(env, ra);
    fill(env, addr);
    uint64_t v = get(addr, n, mo);
    return mo & IR_MO_SIGN && n < 8 ? (uint64_t)((int64_t)(v << (64 - 8 * n)) >> (64 - 8 * n))
                                    : v;
}

static void slow_st(TcgEnv *env, uint64_t addr, uint64_t v, uint32_t mo, void *ra)
{
    fault(env, ra);
    fill(env, addr);
    put(addr, v, ir_mo_bytes(mo), mo);
}

static void slow_ld_buf(TcgEnv *env, uint64_t addr, void *buf, uint32_t mo, void *ra)
{
    fault(env, ra);
    for (unsigned i = 0; i < ir_mo_bytes(mo); i++) {
        ((uint8_t *)buf)[i] = *byte_at(addr + i);
    }
}

static void slow_st_buf(TcgEnv *env, uint64_t addr, const void *buf, uint32_t mo, void *ra)
{
    fault(env, ra);
    for (unsigned i = 0; i < ir_mo_bytes(mo); i++) {
        *byte_at(addr + i) = ((const uint8_t *)buf)[i];
    }
}

static void slow_probe(TcgEnv *env, uint64_t addr, uint32_t mo, uint32_t write, void *ra)
{
    (void)addr; (void)mo; (void)write;
    fault(env, ra);
}

static uint64_t slow_atomic(TcgEnv *env, uint64_t addr, uint64_t v, uint64_t expect,
                            uint32_t mo, uint32_t op, void *ra)
{
    unsigned n = ir_mo_bytes(mo);
    uint64_t mask = UINT64_MAX >> (64 - 8 * n), old, new;

    fault(env, ra);
    fill(env, addr);
    old = get(addr, n, mo);
    new = op == IR_ATOMIC_XCHG ? v : op == IR_ATOMIC_ADD ? old + v
        : op == IR_ATOMIC_AND ? (old & v) : op == IR_ATOMIC_OR ? (old | v)
        : op == IR_ATOMIC_XOR ? (old ^ v) : old == (expect & mask) ? v : old;
    put(addr, new, n, mo);
    return old;
}

static bool machine_init(void)
{
    static uint8_t *rw, *rx;
    static char names[ARRAY_SIZE(globals)][8];
    unsigned n = 0;

    if (rw) {
        return true;
    }
    for (unsigned i = 0; i < N_INT; i++) {
        snprintf(names[n], sizeof(names[n]), "g%u", i);
        globals[n] = (IrGlobal){ names[n], IR_I64, (int32_t)(offsetof(TestCpu, g) + 8 * i) };
        n++;
    }
    for (unsigned i = 0; i < N_I32; i++) {
        snprintf(names[n], sizeof(names[n]), "w%u", i);
        globals[n] = (IrGlobal){ names[n], IR_I32, (int32_t)(offsetof(TestCpu, w) + 4 * i) };
        n++;
    }
    for (unsigned i = 0; i < N_VEC; i++) {
        snprintf(names[n], sizeof(names[n]), "v%u", i);
        globals[n] = (IrGlobal){ names[n], IR_V128, (int32_t)(offsetof(TestCpu, v) + 16 * i) };
        n++;
    }
    for (unsigned i = 0; i < N_FP; i++) {
        snprintf(names[n], sizeof(names[n]), "f%u", i);
        globals[n] = (IrGlobal){ names[n], IR_F80, (int32_t)(offsetof(TestCpu, f) + 16 * i) };
        n++;
    }
    globals[n++] = (IrGlobal){ "pc_bias", IR_I64, offsetof(TestCpu, env.pc_bias) };
    table.count = n;
    m.mem = aligned_alloc(4096, MEM_SIZE);
    m.jc = calloc(JC_SIZE, sizeof(*m.jc));
    tcg_slow_paths = (TcgSlowPaths){ slow_ld, slow_st, slow_ld_buf, slow_st_buf, slow_probe,
                                     slow_atomic };
    int fd = memfd_create("code", 0);
    tcg_switches.guesses = true;
    if (fd < 0 || ftruncate(fd, 16 * MIB) < 0) {
        return false;
    }
    rw = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    rx = mmap(NULL, 16 * MIB, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    return rw != MAP_FAILED && rx != MAP_FAILED &&
           tcg_backend_x86_64.init(&table, rw, rx, 16 * MIB) &&
           tcg_backend_interp.init(&table, NULL, NULL, 0);
}

/* ----------------------------------------------------------------- random */

static uint64_t seed;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned below(unsigned n)
{
    return (unsigned)((rnd() >> 33) % n);
}

/* Numbers where things go wrong, and others. */
static uint64_t number(void)
{
    static const uint64_t special[] = {
        0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
        0xffffffff, INT64_MAX, (uint64_t)1 << 63, UINT64_MAX, 0x100000000, 31, 32, 63,
    };

    switch (below(3)) {
    case 0:
        return special[below(ARRAY_SIZE(special))];
    case 1:
        return rnd() >> below(64);
    default:
        return rnd();
    }
}

/* ------------------------------------------------------- helpers for IR_CALL */

static uint64_t h_pure(uint64_t a, uint32_t b, uint8_t c, uint64_t d)
{
    return a * 3 + b * 5 + c * 7 + (d >> 3);
}

static uint64_t h_reads(TcgEnv *env, uint64_t a)
{
    TestCpu *c = (TestCpu *)env;
    uint64_t x = a;

    for (unsigned i = 0; i < N_INT; i++) {
        x = x * 31 + c->g[i];
    }
    for (unsigned i = 0; i < N_VEC; i++) {
        x = x * 31 + c->v[i].q[0];
    }
    return x + c->w[1];
}

static void h_writes(TcgEnv *env, uint64_t a, uint64_t b)
{
    TestCpu *c = (TestCpu *)env;

    c->g[2] += a;
    c->g[7] ^= b;
    c->g[12] += c->g[3];
    c->w[0] = (uint32_t)a;
    c->v[1].q[1] += 3;
}

static uint32_t h_raises(TcgEnv *env, uint32_t a, uint64_t b)
{
    fault(env, env->jit_ra);
    return a + (uint32_t)b * 9;
}

static uint32_t h_some(TcgEnv *env)
{
    TestCpu *c = (TestCpu *)env;

    c->g[6] += 5;                   /* pinned, caller-saved or not */
    c->g[9]++;
    return (uint32_t)(c->g[5] ^ c->g[10]);
}

static const IrHelper helpers[] = {
    { "pure", (void *)h_pure, "q:qlbq", IR_H_PURE, 0, 0 },
    { "reads", (void *)h_reads, "q:eq", IR_H_READS, 0, 0 },
    { "writes", (void *)h_writes, "v:eqq", IR_H_READS | IR_H_WRITES, 0, 0 },
    { "raises", (void *)h_raises, "l:elq", IR_H_RAISES, 0, 0 },
    { "some", (void *)h_some, "l:e", IR_H_RAISES, 1 << 5 | 1 << 10 | 1 << 6 | 1 << 9,
      1 << 6 | 1 << 9 },
};

/* ---------------------------------------------------------- random regions */

enum { POOL = 24 };
typedef struct Gen {
    IrRegion *r;
    IrValue pool[IR_TYPE_NUM][POOL];
    unsigned n[IR_TYPE_NUM];
    int32_t pc;
    IrVar local;
} Gen;

static void add(Gen *g, IrValue v)
{
    IrType t = ir_value_type(g->r, v);

    g->pool[t][g->n[t]++ % POOL] = v;
}

static IrValue gval(Gen *g, IrType t);

static IrType int_type(void)
{
    return (IrType)(IR_I8 + below(4));
}

static IrValue gval(Gen *g, IrType t)
{
    IrRegion *r = g->r;
    unsigned n = MIN(g->n[t], POOL);

    if (t >= IR_I8 && t <= IR_I64) {
        switch (below(n ? 6 : 2)) {
        case 0:
            return ir_const(r, t, number());
        case 1:
            if (t == IR_I32 && below(2)) {
                return ir_get(r, (IrVar)(G_I32 + below(N_I32)));
            }
            return ir_trunc(r, t, ir_get(r, (IrVar)(G_INT + below(N_INT))));
        default:
            return g->pool[t][below(n)];
        }
    }
    if (t == IR_V128) {
        switch (below(n ? 4 : 2)) {
        case 0:
            return ir_vconst(r, number(), number());
        case 1:
            return ir_get(r, (IrVar)(G_VEC + below(N_VEC)));
        default:
            return g->pool[t][below(n)];
        }
    }
    return n ? g->pool[t][below(n)] : ir_const(r, t, number());
}

static IrValue address(Gen *g)
{
    IrRegion *r = g->r;
    IrValue a = ir_and(r, IR_I64, gval(g, IR_I64), ir_i64(r, MEM_SIZE - 1 - 64));

    a = ir_add(r, IR_I64, a, ir_i64(r, MEM_BASE));
    if (below(3) == 0) {
        a = ir_add(r, IR_I64, a, ir_i64(r, below(32)));
    }
    return a;
}

static void gen_int(Gen *g)
{
    IrRegion *r = g->r;
    IrType t = int_type(), u = int_type();
    unsigned bits = ir_type_bits(t), pos, len;

    switch (below(14)) {
    case 0: case 1: case 2: case 3: {
        static const uint8_t ops[] = { IR_ADD, IR_ADD, IR_SUB, IR_SUB, IR_MUL, IR_MULHU,
            IR_MULHS, IR_AND, IR_OR, IR_XOR, IR_SHL, IR_SHR, IR_SAR, IR_ROTL, IR_ROTR };
        add(g, ir_bin(r, ops[below(ARRAY_SIZE(ops))], t, gval(g, t), gval(g, t)));
        break;
    }
    case 4: {
        static const uint8_t ops[] = { IR_NEG, IR_NOT, IR_CLZ, IR_CTZ, IR_POPCNT, IR_BSWAP };
        add(g, ir_un(r, ops[below(t == IR_I8 ? 5 : 6)], t, gval(g, t)));
        break;
    }
    case 5:
        add(g, t >= u ? ir_zext(r, t, gval(g, u)) : ir_trunc(r, t, gval(g, u)));
        break;
    case 6:
        add(g, t >= u ? ir_sext(r, t, gval(g, u)) : ir_trunc(r, t, gval(g, u)));
        break;
    case 7:
        pos = below(4) ? below(bits) : 8 % bits;
        len = below(3) ? 1 + below(bits - pos) : MIN(8u, bits - pos);
        if (below(2)) {
            add(g, ir_extract(r, t, gval(g, t), pos, len));
        } else {
            add(g, ir_sextract(r, t, gval(g, t), pos, len));
        }
        break;
    case 8:
        pos = below(4) ? below(bits) : (below(2) ? 8 % bits : 0);
        len = below(3) ? 1 + below(bits - pos) : MIN(8u, bits - pos);
        add(g, ir_deposit(r, t, gval(g, t), gval(g, t), pos, len));
        break;
    case 9:
        add(g, ir_setcond(r, (IrCond)below(IR_COND_NUM), t, gval(g, t), gval(g, t)));
        break;
    case 10:
        add(g, ir_select(r, (IrCond)below(IR_COND_NUM), t, gval(g, t), gval(g, t), u,
                         gval(g, u), gval(g, u)));
        break;
    case 11: {
        IrX86Flags k = (IrX86Flags)below(IR_XF_NUM);
        IrValue c = ir_setcond(r, IR_EQ, IR_I64, gval(g, IR_I64), gval(g, IR_I64));
        if (k >= IR_XF_SHL) {
            IrValue n = ir_const(r, t, 1 + below(bits - 1));
            if (below(2)) {         /* a count that isn't constant */
                n = ir_or(r, t, ir_and(r, t, gval(g, t), ir_const(r, t, bits - 1)),
                          ir_const(r, t, 1));
            }
            add(g, ir_x86flags(r, k, t, gval(g, t), n, IR_NO_VALUE));
        } else {
            add(g, ir_x86flags(r, k, t, gval(g, t), gval(g, t), c));
        }
        break;
    }
    case 12: {                      /* a quotient that fits: hi < d, or hi the sign of lo */
        IrValue lo = gval(g, t), d, q;
        if (below(2)) {
            IrValue hi = ir_and(r, t, gval(g, t), ir_const(r, t, 0x3f));
            d = ir_or(r, t, gval(g, t), ir_const(r, t, 0x40));
            q = ir_div2(r, false, t, hi, lo, d);
        } else {
            lo = ir_sar(r, t, lo, ir_const(r, t, 1));
            d = ir_or(r, t, ir_and(r, t, gval(g, t), ir_const(r, t, 0x3f)), ir_const(r, t, 1));
            q = ir_div2(r, true, t, ir_sar(r, t, lo, ir_const(r, t, bits - 1)), lo, d);
        }
        add(g, q);
        if (below(2)) {
            add(g, ir_second(r, q));
        }
        break;
    }
    default:                        /* address modes */
        add(g, ir_add(r, t, ir_add(r, t, gval(g, t), ir_shl(r, t, gval(g, t),
                      ir_const(r, t, below(4)))), ir_const(r, t, number() & 0xffffff)));
        break;
    }
}

static void gen_mem(Gen *g)
{
    IrRegion *r = g->r;
    IrType t = int_type();
    unsigned size = below(t);                       /* I8 is 1 */
    IrMemOp mo = size | (below(2) ? IR_MO_SIGN : 0) | (below(5) ? 0 : IR_MO_BE) |
                 (below(6) ? 0 : IR_MO_PROBE_W);
    IrType at = IR_I8 + size;

    switch (below(9)) {
    case 8: {                                       /* some of them too long, and some with nothing to do */
        IrValue n = ir_and(r, IR_I64, gval(g, IR_I64), ir_i64(r, below(4) ? 63 : 511));
        IrValue to = address(g), from = below(2) ? address(g) : ir_add(r, IR_I64, to, ir_i64(r, (int64_t)below(80) - 40));

        if (below(2)) {
            add(g, ir_copy(r, to, from, n, 0));
        } else {
            unsigned period = 1u << below(4);
            IrValue v = ir_and(r, IR_I64, gval(g, IR_I64), ir_i64(r, (int64_t)MASK64(0, 8 * period)));

            v = period == 8 ? v : ir_mul(r, IR_I64, v, ir_i64(r, (int64_t)(UINT64_MAX / MASK64(0, 8 * period))));
            add(g, ir_fill(r, to, v, ir_and(r, IR_I64, n, ir_i64(r, -(int64_t)period)), 0));
        }
        break;
    }
    case 0: case 1: case 2:
        add(g, ir_ld(r, t, address(g), mo));
        break;
    case 3: case 4: case 5:
        ir_st(r, address(g), gval(g, at), mo & ~(IrMemOp)(IR_MO_SIGN | IR_MO_PROBE_W));
        break;
    case 6: {
        IrMemOp amo = size | IR_MO_ATOMIC;
        if (below(2)) {
            add(g, ir_atomic(r, (IrOpcode)(IR_ATOMIC_XCHG + below(5)), at, address(g),
                             gval(g, at), amo));
        } else {
            add(g, ir_cmpxchg(r, at, address(g), gval(g, at), gval(g, at), amo));
        }
        break;
    }
    default:
        if (below(2)) {
            ir_probe(r, address(g), size, below(2));
        } else {
            ir_fence(r);
        }
        break;
    }
}

static void gen_call(Gen *g)
{
    IrRegion *r = g->r;
    IrValue v;

    switch (below(5)) {
    case 0:
        v = IR_CALL(r, &helpers[0], gval(g, IR_I64), gval(g, IR_I32), gval(g, IR_I8),
                    gval(g, IR_I64));
        break;
    case 1:
        v = IR_CALL(r, &helpers[1], gval(g, IR_I64));
        break;
    case 2:
        v = IR_CALL(r, &helpers[2], gval(g, IR_I64), gval(g, IR_I64));
        break;
    case 3:
        v = IR_CALL(r, &helpers[3], gval(g, IR_I32), gval(g, IR_I64));
        break;
    default:
        v = IR_CALL(r, &helpers[4]);
        break;
    }
    if (v) {
        add(g, v);
    }
}

static void gen_puts(Gen *g)
{
    IrRegion *r = g->r;

    for (unsigned n = below(3); n > 0; n--) {
        switch (below(8)) {
        case 0:
            ir_put(r, (IrVar)(G_I32 + below(N_I32)), gval(g, IR_I32));
            break;
        case 1:
            if (below(2)) {
                ir_pend(r, (IrVar)(G_INT + 14 + below(4)), gval(g, IR_I64));
            } else {
                ir_pend(r, (IrVar)(G_INT + 14 + below(4)),
                        ir_zext(r, IR_I64, gval(g, (IrType)(IR_I8 + below(3)))));
            }
            break;
        case 2: {
            IrVar v = (IrVar)(G_INT + below(N_INT));
            IrType t = (IrType)(IR_I8 + below(3));
            ir_put(r, v, ir_deposit(r, IR_I64, ir_get(r, v), ir_zext(r, IR_I64, gval(g, t)),
                                    0, ir_type_bits(t)));
            break;
        }
        case 3:
            ir_put(r, (IrVar)(G_INT + below(N_INT)), ir_zext(r, IR_I64, gval(g, IR_I32)));
            break;
        default: {
            IrVar v = (IrVar)(G_INT + below(N_INT));
            if (below(2)) {         /* add reg, x */
                ir_put(r, v, ir_bin(r, below(2) ? IR_ADD : IR_SUB, IR_I64, ir_get(r, v),
                                    gval(g, IR_I64)));
            } else {
                ir_put(r, v, gval(g, IR_I64));
            }
            break;
        }
        }
    }
}

enum { GEN_MEM = 1, GEN_CALL = 2, GEN_VEC = 4, GEN_FP = 8 };

static void gen_vec(Gen *g)
{
    IrRegion *r = g->r;
    IrVecOp vop = (IrVecOp)below(IR_VEC_NUM);
    const IrVecInfo *info = &ir_vec_info[vop];
    IrValue a[3] = { 0 };

    /* Approximations, which differ between makers of processors. */
    if (!strncmp(info->name, "rcp", 3) || !strncmp(info->name, "rsqrt", 5)) {
        return;
    }
    for (unsigned i = 0; info->args[i]; i++) {
        a[i] = gval(g, info->args[i] == 'V' ? IR_V128 : info->args[i] == 'l' ? IR_I32 : IR_I64);
    }
    add(g, ir_vec(r, vop, a[0], a[1], a[2], (uint8_t)rnd()));
    if (below(3) == 0) {
        ir_put(r, (IrVar)(G_VEC + below(N_VEC)), gval(g, IR_V128));
    }
    switch (below(12)) {
    case 0:
        add(g, ir_ld(r, IR_V128, address(g), IR_MO_128));
        break;
    case 1:
        ir_st(r, address(g), gval(g, IR_V128), IR_MO_128);
        break;
    }
}

static IrValue gf80(Gen *g)
{
    unsigned n = MIN(g->n[IR_F80], POOL);

    return n && below(3) ? g->pool[IR_F80][below(n)] : ir_get(g->r, (IrVar)(G_FP + below(N_FP)));
}

static IrValue gfp(Gen *g, IrType t)
{
    if (t == IR_F80) {
        return gf80(g);
    }
    if (below(3) == 0) {
        return ir_fbits(g->r, t, gval(g, t == IR_F32 ? IR_I32 : IR_I64));
    }
    return gval(g, t);
}

static void gen_fp(Gen *g)
{
    IrRegion *r = g->r;
    static const IrType types[] = { IR_F32, IR_F64, IR_F80, IR_F80 };
    IrType t = types[below(4)], u = types[below(4)];

    switch (below(12)) {
    case 0: case 1: case 2: case 3:
        add(g, ir_bin(r, (IrOpcode)(IR_FADD + below(4)), t, gfp(g, t), gfp(g, t)));
        break;
    case 4: {
        static const uint8_t ops[] = { IR_FSQRT, IR_FNEG, IR_FABS, IR_FRINT };
        add(g, ir_un(r, ops[below(4)], t, gfp(g, t)));
        break;
    }
    case 5:
        add(g, ir_fcmp(r, t, gfp(g, t), gfp(g, t), below(2)));
        break;
    case 6:
        if (t != u) {
            add(g, ir_fcvt(r, t, gfp(g, u)));
        }
        break;
    case 7:
        add(g, ir_fcvt(r, t, gval(g, below(2) ? IR_I32 : IR_I64)));
        break;
    case 8:
        add(g, ir_ftoi(r, t == IR_F80 ? (IrType)(IR_I16 + below(3)) : (IrType)(IR_I32 + below(2)),
                       gfp(g, t), below(2)));
        break;
    case 9:
        add(g, ir_fbits(r, below(2) ? IR_I32 : IR_I32, gfp(g, IR_F32)));
        break;
    case 10:
        if (below(2)) {
            add(g, ir_ld(r, t, address(g), t == IR_F80 ? IR_MO_80 : t == IR_F64 ? IR_MO_64
                                                                               : IR_MO_32));
        } else {
            ir_st(r, address(g), gfp(g, t), t == IR_F80 ? IR_MO_80 : t == IR_F64 ? IR_MO_64
                                                                                : IR_MO_32);
        }
        break;
    default:
        add(g, ir_fbits(r, IR_I64, gfp(g, IR_F64)));
        break;
    }
    if (below(3) == 0) {
        ir_put(r, (IrVar)(G_FP + below(N_FP)), gf80(g));
    }
}

static void gen_body(Gen *g, unsigned insns, unsigned what)
{
    for (unsigned i = 0; i < insns; i++) {
        ir_insn_start(g->r, g->pc, (uint32_t)g->pc * 3);
        g->pc += 4;
        for (unsigned k = below(4); k > 0; k--) {
            gen_int(g);
        }
        if (what & GEN_MEM && below(2)) {
            gen_mem(g);
        }
        if (what & GEN_CALL && below(4) == 0) {
            gen_call(g);
        }
        if (what & GEN_VEC && below(2)) {
            gen_vec(g);
        }
        if (what & GEN_FP && below(2)) {
            gen_fp(g);
        }
        if (below(3) == 0) {
            ir_st_env(g->r, (int32_t)(offsetof(TestCpu, scratch) + 8 * below(4)),
                      gval(g, IR_I64));
            add(g, ir_ld_env(g->r, IR_I64, (int32_t)(offsetof(TestCpu, scratch) +
                                                     8 * below(4))));
        }
        gen_puts(g);
    }
}

static void new_block(Gen *g, IrBlockId b)
{
    ir_block_begin(g->r, b);
    memset(g->n, 0, sizeof(g->n));
}

/* A head, a loop of a few rounds with a diamond in it, a tail. */
static IrRegion *random_region(unsigned what)
{
    IrRegion *r = ir_region_new();
    Gen gen = { .r = r, .pc = 0x100 }, *g = &gen;
    bool loop = below(2);

    r->raw = below(3) == 0;
    ir_region_reset(r, &table);
    r->entry_offset = 0x100;
    IrBlockId head = ir_block_new(r), top = ir_block_new(r), side = ir_block_new(r);
    IrBlockId join = ir_block_new(r), tail = ir_block_new(r);
    g->local = ir_local_new(r, IR_I64);
    new_block(g, head);
    gen_body(g, 1 + below(5), what);
    ir_put(r, g->local, ir_i64(r, below(4)));
    ir_commit_pending(r);
    ir_jmp(r, top);
    new_block(g, top);
    gen_body(g, 1 + below(6), what);
    ir_commit_pending(r);
    IrType t = int_type();
    ir_brcond(r, (IrCond)below(IR_COND_NUM), t, gval(g, t), gval(g, t), side);
    gen_body(g, below(3), what);
    ir_commit_pending(r);
    ir_jmp(r, join);
    new_block(g, side);
    gen_body(g, 1 + below(3), what);
    ir_commit_pending(r);
    ir_jmp(r, join);
    new_block(g, join);
    gen_body(g, 1 + below(3), what);
    if (below(2)) {
        ir_commit_pending(r);
    }
    if (loop) {
        IrValue left = ir_sub(r, IR_I64, ir_get(r, g->local), ir_i64(r, 1));
        ir_put(r, g->local, left);
        ir_commit_pending(r);
        ir_brcond(r, IR_GT, IR_I64, left, ir_i64(r, 0), top);
    }
    ir_commit_pending(r);
    ir_jmp(r, tail);
    new_block(g, tail);
    gen_body(g, 1 + below(4), what);
    switch (below(3)) {
    case 0:
        ir_goto(r, 0x200);
        break;
    case 1:
        ir_goto_ind(r, gval(g, IR_I64), IR_JUMP_PLAIN);
        break;
    default:
        ir_commit_pending(r);
        ir_put_pc(r, 0x5555);
        ir_exit(r, IR_EXIT_IRQ_CHECK);
        break;
    }
    ir_finish(r);
    return r;
}

/* -------------------------------------------------------------- running it */

static void random_state(TestCpu *c)
{
    for (unsigned i = 0; i < N_INT; i++) {
        c->g[i] = number();
    }
    for (unsigned i = 0; i < N_I32; i++) {
        c->w[i] = (uint32_t)number();
    }
    for (unsigned i = 0; i < N_VEC; i++) {
        c->v[i].q[0] = number();
        c->v[i].q[1] = number();
    }
    for (unsigned i = 0; i < N_FP; i++) {
        /* Normal numbers of moderate size. */
        uint64_t man = rnd() | (uint64_t)1 << 63;
        uint16_t se = (uint16_t)(0x3fff - 20 + below(40) + (below(2) ? 0x8000 : 0));
        memset(&c->f[i], 0, sizeof(c->f[i]));
        memcpy(c->f[i].b, &man, 8);
        memcpy(c->f[i].b + 8, &se, 2);
    }
    for (unsigned i = 0; i < 4; i++) {
        c->scratch[i] = number();
    }
    c->env.pc = 0x7000000000100;
    c->env.fp_mxcsr = 0x1f80;
    c->env.fp_fcw = 0x037f;
}

typedef struct Run {
    TestCpu cpu;
    uint8_t mem[MEM_SIZE];
    TcgLeave leave;
    unsigned accesses;
    uint32_t icount, aux;
} Run;

static void run(const TcgBackend *be, const TcgCode *code, Run *x)
{
    TestCpu *c = &x->cpu;

    memcpy(m.mem, x->mem, MEM_SIZE);
    c->env.tlb[0] = tlb_fast(TLB_BITS);
    for (unsigned i = 0; i <= c->env.tlb[0].mask; i++) {
        c->env.tlb_table[0].tag_read[i] = c->env.tlb_table[0].tag_write[i] = TLB_NO_TAG;
    }
    c->env.jc = m.jc;
    c->env.mode_gen = (uint64_t)1 << 32;
    m.be = be;
    m.accesses = 0;
    m.icount = m.aux = 0;
    be->enter(&c->env, code, &x->leave);
    memcpy(x->mem, m.mem, MEM_SIZE);
    x->accesses = m.accesses;
    x->icount = m.icount;
    x->aux = m.aux;
}

static bool same(Test *t, const Run *a, const Run *b)
{
    bool ok = a->leave.reason == b->leave.reason && a->cpu.env.pc == b->cpu.env.pc &&
              a->icount == b->icount && a->aux == b->aux;

    if (!ok) {
        test_note(t, "leave %x %x pc %" PRIx64 " %" PRIx64 " icount %u %u aux %x %x",
                  a->leave.reason, b->leave.reason, a->cpu.env.pc, b->cpu.env.pc, a->icount,
                  b->icount, a->aux, b->aux);
    }
    for (unsigned i = 0; i < N_INT; i++) {
        if (a->cpu.g[i] != b->cpu.g[i]) {
            test_note(t, "g%u: %" PRIx64 " and %" PRIx64, i, a->cpu.g[i], b->cpu.g[i]);
            ok = false;
        }
    }
    for (unsigned i = 0; i < N_I32; i++) {
        if (a->cpu.w[i] != b->cpu.w[i]) {
            test_note(t, "w%u: %x and %x", i, a->cpu.w[i], b->cpu.w[i]);
            ok = false;
        }
    }
    for (unsigned i = 0; i < N_VEC; i++) {
        if (memcmp(&a->cpu.v[i], &b->cpu.v[i], 16)) {
            test_note(t, "v%u: %016" PRIx64 "%016" PRIx64 " and %016" PRIx64 "%016" PRIx64, i,
                      a->cpu.v[i].q[1], a->cpu.v[i].q[0], b->cpu.v[i].q[1], b->cpu.v[i].q[0]);
            ok = false;
        }
    }
    for (unsigned i = 0; i < N_FP; i++) {
        if (memcmp(&a->cpu.f[i], &b->cpu.f[i], 10)) {
            uint64_t x[2], y[2];
            memcpy(x, &a->cpu.f[i], 16);
            memcpy(y, &b->cpu.f[i], 16);
            test_note(t, "f%u: %04x %016" PRIx64 " and %04x %016" PRIx64, i,
                      (uint16_t)x[1], x[0], (uint16_t)y[1], y[0]);
            ok = false;
        }
    }
    if (memcmp(a->cpu.scratch, b->cpu.scratch, sizeof(a->cpu.scratch))) {
        test_note(t, "scratch differs");
        ok = false;
    }
    if (memcmp(a->mem, b->mem, MEM_SIZE)) {
        test_note(t, "memory differs");
        ok = false;
    }
    if ((a->cpu.env.fp_mxcsr ^ b->cpu.env.fp_mxcsr) & 0x3f) {
        test_note(t, "mxcsr %x and %x", a->cpu.env.fp_mxcsr, b->cpu.env.fp_mxcsr);
        ok = false;
    }
    if ((a->cpu.env.fp_fsw ^ b->cpu.env.fp_fsw) & 0x3f) {
        test_note(t, "fsw %x and %x", a->cpu.env.fp_fsw, b->cpu.env.fp_fsw);
        ok = false;
    }
    return ok;
}

static Run ref, got;

static void compare(Test *t, unsigned what, uint64_t first, unsigned n, bool faults)
{
    if (!machine_init()) {
        test_skip(t, "no executable memory");
        return;
    }
    for (uint64_t s = first; s < first + n; s++) {
        TcgCode a = { 0 }, b = { 0 };
        seed = s * UINT64_C(0x9e3779b97f4a7c15) + 1;
        IrRegion *r = random_region(what);
        if (below(2)) {
            ir_optimise(r);
        }
        r->quick = below(2);
        if (!tcg_backend_x86_64.codegen(r, &b, &b)) {
            tcg_backend_x86_64.flush();
            if (!tcg_backend_x86_64.codegen(r, &b, &b)) {
                ir_print(r, stdout);
                test_fail(t, "seed %" PRIu64 ": no code", s);
                ir_region_free(r);
                break;
            }
        }
        IrRegion *copy = ir_region_clone(r);
        tcg_backend_interp.codegen(copy, &a, &a);
        static Run start;
        memset(&start, 0, sizeof(start));
        random_state(&start.cpu);
        for (unsigned i = 0; i < MEM_SIZE; i++) {
            start.mem[i] = (uint8_t)rnd();
        }
        m.no_tlb = faults;
        m.fault_at = 0;
        bool ok = true;
        unsigned last = 0;
        for (unsigned k = 0; k <= last && ok; k++) {
            m.fault_at = k;
            ref = start;
            got = start;
            run(&tcg_backend_interp, &a, &ref);
            run(&tcg_backend_x86_64, &b, &got);
            if (k == 0 && faults) {
                last = MIN(ref.accesses, 200u);
            }
            ok = same(t, &ref, &got);
            if (!ok) {
                ir_print(r, stdout);
                FILE *f = getenv("DUMP_CODE") ? fopen(getenv("DUMP_CODE"), "w") : NULL;
                if (f) {
                    fwrite(b.full_entry, 1, b.size, f);
                    fclose(f);
                }
                test_fail(t, "seed %" PRIu64 ", fault at %u", s, k);
            }
        }
        tcg_backend_x86_64.code_free(&b);
        tcg_backend_interp.code_free(&a);
        ir_region_free(copy);
        ir_region_free(r);
        if (!ok) {
            break;
        }
    }
}

/* ------------------------------------------------------ code that is looked at */

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, CC_DST = 14, CC_SRC, CC_OP = G_I32 };

static void pend_cmp(IrRegion *r, IrValue a, IrValue b)
{
    ir_pend(r, CC_OP, ir_i32(r, 15));
    ir_pend(r, CC_DST, a);
    ir_pend(r, CC_SRC, b);
}

/*
 *  top:  mov eax, [rsi + rcx*4]; test eax, eax; js neg
 *        add rdx, rax; jmp join
 *  neg:  sub rdx, rax
 *  join: add rcx, 1; mov [rdi + rcx*4], edx; cmp rcx, r8; jb top
 * with lazy flags pending as a front end makes them: the flags of the compare
 * are known again at the loop's top, those of the sums are never looked at.
 */
static IrRegion *guest_loop(void)
{
    IrRegion *r = ir_region_new();
    IrValue x, a;

    ir_region_reset(r, &table);
    IrBlockId head = ir_block_new(r), top = ir_block_new(r), neg = ir_block_new(r);
    IrBlockId join = ir_block_new(r), out = ir_block_new(r);
    ir_block_begin(r, head);
    ir_insn_start(r, 0, 0);
    ir_jmp(r, top);
    ir_block_begin(r, top);
    ir_insn_start(r, 0, 0);
    pend_cmp(r, ir_get(r, RCX), ir_get(r, R8));
    a = ir_add(r, IR_I64, ir_get(r, RSI), ir_shl(r, IR_I64, ir_get(r, RCX), ir_i64(r, 2)));
    x = ir_ld(r, IR_I32, a, IR_MO_32);
    ir_put(r, RAX, ir_zext(r, IR_I64, x));
    ir_insn_start(r, 3, 0);
    ir_insn_start(r, 5, 0);
    ir_brcond(r, IR_LT, IR_I32, x, ir_i32(r, 0), neg);
    ir_insn_start(r, 7, 0);
    ir_put(r, RDX, ir_add(r, IR_I64, ir_get(r, RDX), ir_get(r, RAX)));
    ir_insn_start(r, 10, 0);
    ir_jmp(r, join);
    ir_block_begin(r, neg);
    ir_insn_start(r, 12, 0);
    ir_put(r, RDX, ir_sub(r, IR_I64, ir_get(r, RDX), ir_get(r, RAX)));
    ir_jmp(r, join);
    ir_block_begin(r, join);
    ir_insn_start(r, 15, 0);
    x = ir_get(r, RCX);
    a = ir_add(r, IR_I64, x, ir_i64(r, 1));
    ir_put(r, RCX, a);
    ir_pend(r, CC_OP, ir_i32(r, 7));
    ir_pend(r, CC_DST, x);
    ir_pend(r, CC_SRC, ir_i64(r, 1));
    ir_insn_start(r, 19, 0);
    x = ir_add(r, IR_I64, ir_get(r, RDI), ir_shl(r, IR_I64, a, ir_i64(r, 2)));
    ir_st(r, x, ir_trunc(r, IR_I32, ir_get(r, RDX)), IR_MO_32);
    ir_insn_start(r, 22, 0);
    pend_cmp(r, a, ir_get(r, R8));
    ir_insn_start(r, 25, 0);
    ir_brcond(r, IR_LTU, IR_I64, a, ir_get(r, R8), top);
    ir_commit_pending(r);
    ir_jmp(r, out);
    ir_block_begin(r, out);
    ir_insn_start(r, 27, 0);
    ir_goto(r, 27);
    ir_finish(r);
    ir_optimise(r);
    return r;
}

#ifdef CONFIG_CAPSTONE
/* The loop's body, from its top to the jump back there: nothing of it stores to
 * the CPU state, moves registers or calls. */
static void check_listing(Test *t, const TcgCode *c)
{
    cs_insn *insn;
    csh h;
    size_t n, back = 0, top = 0;
    bool ok = true;

    if (cs_open(CS_ARCH_X86, CS_MODE_64, &h) != CS_ERR_OK) {
        return;
    }
    n = cs_disasm(h, c->full_entry, c->size, (uintptr_t)c->full_entry, 0, &insn);
    for (size_t i = 0; i < n && !back; i++) {
        uint64_t to = strtoull(insn[i].op_str, NULL, 0);
        if (insn[i].mnemonic[0] == 'j' && to && to < insn[i].address) {
            back = i;
            while (top < i && insn[top].address < to) {
                top++;
            }
        }
    }
    check_true(t, back > top, "there is a loop");
    for (size_t i = top; i < back; i++) {
        const char *m = insn[i].mnemonic, *o = insn[i].op_str;
        bool to_memory = strstr(o, "ptr [") && (!strchr(o, ',') || strstr(o, "ptr [") <
                                                strchr(o, ','));
        bool state = to_memory && (strstr(o, "[rbp") || strstr(o, "[rsp"));
        if (!strcmp(m, "call") || (state && strcmp(m, "cmp"))) {
            ok = false;
        }
    }
    /* Two accesses of ten instructions, four of the guest's own, two jumps of
     * the diamond, the compare and the test of the loop. */
    check_true(t, back - top <= 32, "as many instructions as it takes");
    if (!check_true(t, ok, "no store to CPU state and no call on the hit path")) {
        for (size_t i = top; i <= back; i++) {
            test_note(t, "%s %s", insn[i].mnemonic, insn[i].op_str);
        }
    }
    cs_free(insn, n);
    cs_close(&h);
}
#else
static void check_listing(Test *t, const TcgCode *c)
{
    (void)t; (void)c;
}
#endif

TEST(backend_x86_64, guest_loop)
{
    if (!machine_init()) {
        test_skip(t, "no executable memory");
        return;
    }
    IrRegion *r = guest_loop();
    TcgCode c;
    check_true(t, tcg_backend_x86_64.codegen(r, NULL, &c), "one region");
    check_listing(t, &c);
    /* A fault in the nth iteration gives the exact registers. */
    static Run x;
    memset(&x, 0, sizeof(x));
    random_state(&x.cpu);
    x.cpu.g[RCX] = 0;
    x.cpu.g[RDX] = 0;
    x.cpu.g[RSI] = MEM_BASE;
    x.cpu.g[RDI] = MEM_BASE + 0x1000;
    x.cpu.g[R8] = 500;
    for (unsigned i = 0; i < 600; i++) {
        uint32_t v = i & 1 ? (uint32_t)i : i * 0x10001;
        memcpy(x.mem + 4 * i, &v, 4);
    }
    m.no_tlb = true;
    m.fault_at = 2 * 123 + 2;                   /* the store of round 123 */
    x.cpu.env.pc = 0x7000;
    uint64_t sum = 0;
    for (unsigned i = 0; i <= 123; i++) {
        sum += i & 1 ? i : i * 0x10001;
    }
    run(&tcg_backend_x86_64, &c, &x);
    check_u32(t, x.leave.reason, LEAVE_FAULT, "faulted");
    check_u64(t, x.cpu.env.pc, 0x7013, "at the store");
    check_u64(t, x.cpu.g[RCX], 124, "the index is incremented");
    check_u64(t, x.cpu.g[RDX], sum, "the sum");
    check_u64(t, x.cpu.g[RAX], 123, "what was loaded");
    check_u32(t, x.cpu.w[0], 7, "flags are those of the addition");
    check_u64(t, x.cpu.g[CC_DST], 123, "its first operand");
    check_u64(t, x.cpu.g[CC_SRC], 1, "and the second");
    FILE *f = getenv("DUMP_CODE") ? fopen(getenv("DUMP_CODE"), "w") : NULL;
    if (f) {
        ir_print(r, stdout);
        fwrite(c.full_entry, 1, c.size, f);
        fclose(f);
    }
    tcg_backend_x86_64.code_free(&c);
    ir_region_free(r);
}

/* --------------------------------------------------------- jumps and leaving */

/* g0 += n; goto @to */
static void step_region(TcgCode *c, void *user, int32_t from, int64_t to, uint64_t n, bool count)
{
    IrRegion *r = ir_region_new();

    ir_region_reset(r, &table);
    r->entry_offset = from;
    r->count_insns = count;
    ir_block_begin(r, ir_block_new(r));
    ir_insn_start(r, from, 0);
    ir_put(r, 0, ir_add(r, IR_I64, ir_get(r, 0), ir_i64(r, n)));
    ir_put(r, 9, ir_add(r, IR_I64, ir_get(r, 9), ir_i64(r, 1)));
    ir_insn_start(r, from + 4, 0);
    ir_goto(r, to);
    ir_finish(r);
    tcg_backend_x86_64.codegen(r, user, c);
    ir_region_free(r);
}

static void enter(TcgCode *c, TestCpu *cpu, uint64_t pc, TcgLeave *l)
{
    cpu->env.jc = m.jc;
    cpu->env.mode_gen = 5 | (uint64_t)1 << 32;
    cpu->env.fp_mxcsr = 0x1f80;
    cpu->env.fp_fcw = 0x37f;
    cpu->env.pc = pc;
    tcg_backend_x86_64.enter(&cpu->env, c, l);
}

TEST(backend_x86_64, links)
{
    static TestCpu cpu;
    TcgCode a, b, c;
    TcgLeave l;
    int ua, ub;

    if (!machine_init()) {
        test_skip(t, "no executable memory");
        return;
    }
    memset(&cpu, 0, sizeof(cpu));
    step_region(&a, &ua, 0x100, 0x300, 1, false);
    step_region(&b, &ub, 0x300, 0x7000, 1000, false);
    check_u32(t, a.n_exits, 1, "a same-page exit can be linked");
    check_u32(t, b.n_exits, 0, "a cross-page one can't");
    enter(&a, &cpu, 0x55000100, &l);
    check_u32(t, l.reason, TCG_LEAVE_GOTO, "not linked yet: to the loop");
    check_true(t, l.from == &ua && l.exit_index == 0, "says which exit");
    check_u64(t, cpu.env.pc, 0x55000300, "with the PC of the destination");
    check_u64(t, cpu.g[0], 1, "one region ran");
    tcg_backend_x86_64.link(&a, 0, &b);
    enter(&a, &cpu, 0x55000100, &l);
    check_u32(t, l.reason, TCG_LEAVE_LOOKUP, "unknown cross-page destination");
    check_u64(t, cpu.env.pc, 0x55007000, "its PC");
    check_u64(t, cpu.g[0], 1002, "both ran");
    check_u64(t, cpu.g[9], 3, "a global that isn't pinned, too");
    /* The jump cache leads back to a, at another virtual address, in full. */
    JumpCacheEntry *e = &m.jc[jc_index(0x55007000)];
    step_region(&c, &ua, 0x0, 0x55 + 0x1000, 7, false);
    *e = (JumpCacheEntry){ 0x55007000, cpu.env.mode_gen, c.full_entry, NULL };
    enter(&b, &cpu, 0x55000300, &l);
    check_u32(t, l.reason, TCG_LEAVE_LOOKUP, "left from the second region");
    check_u64(t, cpu.env.pc, 0x55007000 + 0x1055, "whose PC bias is its own");
    check_u64(t, cpu.g[0], 2009, "both ran");
    e->mode_gen++;
    enter(&b, &cpu, 0x55000300, &l);
    check_u64(t, cpu.env.pc, 0x55007000, "an entry of another mode doesn't match");
    memset(m.jc, 0, JC_SIZE * sizeof(*m.jc));
    tcg_backend_x86_64.code_free(&a);
    tcg_backend_x86_64.code_free(&b);
    tcg_backend_x86_64.code_free(&c);
}

TEST(backend_x86_64, exit_request)
{
    static TestCpu cpu;
    TcgCode a;
    TcgLeave l;

    if (!machine_init()) {
        test_skip(t, "no executable memory");
        return;
    }
    memset(&cpu, 0, sizeof(cpu));
    step_region(&a, NULL, 0x100, 0x100, 1, true);
    tcg_backend_x86_64.link(&a, 0, &a);
    cpu.env.exit_request = 1;
    enter(&a, &cpu, 0x9100, &l);
    check_u32(t, l.reason, TCG_LEAVE_REQUEST, "tested at the entry");
    check_u64(t, cpu.env.pc, 0x9100, "nothing ran");
    check_u64(t, cpu.g[0], 0, "nothing ran");
    cpu.env.exit_request = 0;
    cpu.env.budget = 10;
    enter(&a, &cpu, 0x9100, &l);
    check_u32(t, l.reason, TCG_LEAVE_REQUEST, "the budget ends");
    check_u64(t, cpu.g[0], 5, "after five rounds of two instructions");
    check_int(t, cpu.env.budget, 0, "exactly");
    tcg_backend_x86_64.code_free(&a);
}

/* A loop that never ends by itself: a pending value is stored on the way out. */
TEST(backend_x86_64, back_edge)
{
    static TestCpu cpu;
    IrRegion *r;
    TcgCode c;
    TcgLeave l;

    if (!machine_init()) {
        test_skip(t, "no executable memory");
        return;
    }
    memset(&cpu, 0, sizeof(cpu));
    r = ir_region_new();
    ir_region_reset(r, &table);
    IrBlockId head = ir_block_new(r), top = ir_block_new(r);
    ir_block_begin(r, head);
    ir_insn_start(r, 0, 0);
    ir_jmp(r, top);
    ir_block_begin(r, top);
    ir_insn_start(r, 8, 0);
    IrValue x = ir_add(r, IR_I64, ir_get(r, 3), ir_i64(r, 1));
    ir_put(r, 3, x);
    ir_put(r, 12, ir_add(r, IR_I64, ir_get(r, 12), ir_i64(r, 2)));
    /* Asks to leave after a while. */
    IrValue stop = ir_setcond(r, IR_EQ, IR_I64, x, ir_i64(r, 1000));
    ir_insn_start(r, 12, 0);
    ir_st_env(r, offsetof(TestCpu, env.exit_request), ir_zext(r, IR_I32, stop));
    ir_pend(r, 16, ir_mul(r, IR_I64, x, ir_i64(r, 3)));
    ir_jmp(r, top);
    ir_finish(r);
    ir_optimise(r);
    check_true(t, tcg_backend_x86_64.codegen(r, NULL, &c), "compiles");
    enter(&c, &cpu, 0x4000, &l);
    check_u32(t, l.reason, TCG_LEAVE_REQUEST, "left at the back edge");
    check_u64(t, cpu.env.pc, 0x4008, "PC of the loop's top");
    check_u64(t, cpu.g[3], 1000, "pinned");
    check_u64(t, cpu.g[12], 2000, "resident or at home");
    check_u64(t, cpu.g[16], 3000, "pending");
    tcg_backend_x86_64.code_free(&c);
    ir_region_free(r);
}

static unsigned scale(unsigned n)
{
    const char *s = getenv("TEST_SCALE");

    return s ? n * (unsigned)atoi(s) : n;
}

TEST(backend_x86_64, integer)
{
    compare(t, 0, 1, scale(400), false);
}

TEST(backend_x86_64, memory)
{
    compare(t, GEN_MEM, 10001, scale(400), false);
}

TEST(backend_x86_64, calls)
{
    compare(t, GEN_MEM | GEN_CALL, 20001, scale(400), false);
}

TEST(backend_x86_64, vectors)
{
    compare(t, GEN_VEC | GEN_MEM | GEN_CALL, 40001, scale(400), false);
}

TEST(backend_x86_64, floating_point)
{
    compare(t, GEN_FP | GEN_MEM | GEN_CALL, 50001, scale(400), false);
}

TEST(backend_x86_64, faults_all)
{
    compare(t, GEN_FP | GEN_VEC | GEN_MEM | GEN_CALL, 60001, scale(100), true);
}

TEST(backend_x86_64, faults)
{
    compare(t, GEN_MEM | GEN_CALL, 30001, scale(200), true);
}

#else
TEST(backend_x86_64, integer)
{
    test_skip(t, "another host");
}
#endif
