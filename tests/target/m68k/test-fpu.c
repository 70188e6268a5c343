/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random FPU programs for a 68040 in three ways: one instruction after the other, which helpers do in the whole
 * arithmetic of fp-arith.c; as regions, where generated code computes with doubles as far as it can; and both with operands
 * that the chip leaves to software, or with fpsp=host. All registers, FPSR with both exception bytes, FPIAR and memory must come
 * out the same. TEST_SCALE=n runs n times as many.
 */
#include "util/osdep.h"

#include <sys/mman.h>
#include <unistd.h>
#include <glib.h>
#include "accel/tcg/region.h"
#include "accel/tcg/vcpu.h"
#include "target/m68k/cpu.h"
#include "target/m68k/fp-double.h"
#include "target/m68k/helpers.h"
#include "tests/lib/fp-random.h"
#include "tests/lib/test.h"
#include "util/bswap.h"
#include "util/main-loop.h"
#include "config.h"

enum { RAM_SIZE = 0x40000, CODE = 0x10000, DATA = 0x20000, DATA_SIZE = 256, CACHE_SIZE = 16 << 20, N_INSNS = 24 };

typedef struct Result {
    F80 fp[8];
    uint32_t d[8], a[7], fpsr, fpcr, fpiar, pc, sr;
    uint8_t data[DATA_SIZE];
} Result;

static MemRegion ram;
static VcpuTcg vcpu;
static M68kCpu *cpu;

/* The number in @v, which is denormal or unnormal, as the package hands it back: normal, with ETE15 or FPTE15. */
static void normalize(F80 *v, uint8_t *tag)
{
    unsigned n;

    if (*tag < 0x80) {
        return;
    }
    if (*tag == 0xa0) {                 /* of single or double precision */
        bool single = (cpu->env->fpframe.cmdreg >> 10 & 7) == FPF_S;

        v->se = (uint16_t)((v->se & 0x8000) | (single ? 16383 - 126 : 16383 - 1022));
    }
    n = (unsigned)__builtin_clzll(v->m);
    v->m <<= n;
    n = (v->se & 0x7fffu) - n;
    *tag = (int)n < 0x4000 ? 0x10 : 0;
    v->se = (uint16_t)((v->se & 0x8000) | (n & 0x7fff));
}

/* FMOVE to memory or a data register as with fpsp=host. */
static void store_instead(M68kState *s)
{
    static const uint8_t bytes[8] = { 4, 4, 12, 12, 2, 8, 1, 12 };
    unsigned format = s->fpframe.cmdreg >> 10 & 7, size = bytes[format];
    uint32_t ea = s->excp_ea, pc = s->fpiar, word = 0;
    uint64_t v;

    address_space_read(&address_space_memory, pc, MEM_ATTRS_NONE, &word, 2);
    s->fpsp_host = true;
    v = ((uint64_t (*)(void *, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t))m68k_h_fstore.fn)(s, s->fpframe.cmdreg, 0, pc, 0, ea);
    s->fpsp_host = false;
    if (!ea) {
        unsigned n = load_be16(&word) & 7;

        s->d[n] = size == 4 ? (uint32_t)v : (s->d[n] & (UINT32_MAX << 8 * size)) | v;
    } else if (size == 12) {
        address_space_store(&address_space_memory, ea, s->fp_out, 4, MEM_BE, MEM_ATTRS_NONE, NULL);
        address_space_store(&address_space_memory, ea + 4, v, 8, MEM_BE, MEM_ATTRS_NONE, NULL);
    } else {
        address_space_store(&address_space_memory, ea, v, size, MEM_BE, MEM_ATTRS_NONE, NULL);
    }
    s->tcg.pc += s->excp_len;
}

/*
 * None is enabled but those of the integer unit, which don't occur. With fpsp=guest operands of unsupported types are
 * one: here is a package that is always right.
 */
static bool package(UNUSED TcgEnv *env)
{
    M68kState *s = cpu->env;
    struct M68kFpFrame *f = &s->fpframe;

    if (s->excp != EXCP_FP_UNIMP) {
        return true;
    }
    if (f->cmdreg & 0x2000) {
        store_instead(s);
    } else {
        s->fpsr &= ~(uint32_t)FPX_ALL;
        normalize(&f->etemp, &f->stag);
        normalize(&f->fptemp, &f->dtag);
        m68k_fp_resume(s);
    }
    f->kind = 0;
    s->excp = EXCP_NONE;
    m68k_fp_fast(s);
    return true;
}

static bool start_cpu(Test *t)
{
    static TargetOps ops;
    const TcgBackend *be = &tcg_backend_interp;
    uint8_t *rw = NULL, *rx = NULL;
    Error *err = NULL;

    if (cpu) {
        return true;
    }
    main_loop_init();
    memory_region_init_ram(&ram, NULL, "test.ram", RAM_SIZE, NULL);
    memory_region_add(system_memory(), 0, &ram);
    cpu = M68K_CPU(device_new("m68040-m68k-cpu"));
    if (!device_realize(&cpu->parent.dev, NULL, &err)) {
        test_fail(t, "no CPU: %s", error_message(err));
        error_free(err);
        return false;
    }
#if defined(__x86_64__)
    int fd = memfd_create("test-cache", MFD_CLOEXEC);

    if (fd >= 0 && !ftruncate(fd, CACHE_SIZE)) {
        rw = mmap(NULL, CACHE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        rx = mmap(NULL, CACHE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
        if (rw != MAP_FAILED && rx != MAP_FAILED && !getenv("TEST_INTERP")) {
            be = &tcg_backend_x86_64;
        }
    }
#endif
    ops = m68k_target_ops;
    ops.take_exception = package;
    vcpu.cpu = &cpu->parent;
    vcpu.ops = &ops;
    vcpu.be = be;
    vcpu.env = &cpu->env->tcg;
    vcpu.jc = g_new0(JumpCacheEntry, JC_SIZE);
    cpu->env->tcg.jc = vcpu.jc;
    vcpu.generation = 1;
    be->init(m68k_target_ops.globals, rw, rx, CACHE_SIZE);
    tlb_init(&vcpu);
    region_init(be);
    softmmu_init();
    cpu->parent.accel = &vcpu;
    m68k_reset_state(cpu->env);
    return true;
}

static void store(uint32_t addr, uint64_t v, unsigned size)
{
    address_space_store(&address_space_memory, addr, v, size, MEM_BE, MEM_ATTRS_NONE, NULL);
}

/* A double, most often one that the fast way takes. */
static uint64_t number(Random *r)
{
    uint64_t v = random_f64(r);

    switch (random_below(r, 8)) {
    case 0: return v;
    case 1: return v & BIT64(63);
    case 2: case 3:                     /* of 24 bits */
        v &= ~UINT64_C(0x1fffffff);
        break;
    case 4: return random_below(r, 2) ? UINT64_C(0x3ff0000000000000) : UINT64_C(0x4000000000000000);
    default: break;
    }
    return (v & ~(UINT64_C(0x7ff) << 52)) | (uint64_t)(1023 - 30 + random_below(r, 60)) << 52;
}

static uint32_t number32(Random *r)
{
    uint32_t v = (uint32_t)random_u64(r);

    return random_below(r, 6) ? (v & 0x807fffff) | (127 - 10 + random_below(r, 20)) << 23 : random_below(r, 2) ? v : 0;
}

/* An instruction's words at @p; their number. */
static unsigned instruction(Random *r, uint16_t *p)
{
    static const uint8_t ops[] = {
        0x00, 0x18, 0x1a, 0x38, 0x3a, 0x20, 0x22, 0x23, 0x28, 0x04, 0x24, 0x27,
        0x40, 0x41, 0x44, 0x45, 0x58, 0x5a, 0x5c, 0x5e, 0x60, 0x62, 0x63, 0x64, 0x66, 0x67, 0x68, 0x6c,
        0x62, 0x63, 0x66, 0x67, 0x66, 0x67, 0x68, 0x6c, 0x38,
    };
    static const uint8_t formats[] = { FPF_L, FPF_S, FPF_D, FPF_D, FPF_D, FPF_W, FPF_B, FPF_X, FPF_S };
    unsigned op = ops[random_below(r, sizeof(ops))], dst = random_below(r, 8) << 7;
    unsigned format = formats[random_below(r, sizeof(formats))];

    switch (random_below(r, 16)) {
    case 0:                             /* FMOVE.<format> FPn,d16(A0) */
    case 1:
        p[0] = 0xf228;
        p[1] = (uint16_t)(0x6000 | format << 10 | dst);
        p[2] = (uint16_t)(random_below(r, 20) * 12);
        return 3;
    case 2:                             /* ... to Dn */
        p[0] = (uint16_t)(0xf200 | random_below(r, 8));
        p[1] = (uint16_t)(0x6000 | (random_below(r, 2) ? FPF_L : FPF_S) << 10 | dst);
        return 2;
    case 3:                             /* FMOVE FPSR,Dn or FPIAR,Dn */
        p[0] = (uint16_t)(0xf200 | random_below(r, 8));
        p[1] = random_below(r, 4) ? 0xa800 : 0xa400;
        return 2;
    case 4:                             /* FBcc over the word that follows */
        p[0] = (uint16_t)(0xf280 | random_below(r, 32));
        p[1] = 4;
        p[2] = 0x5280;                  /* ADDQ.L #1,D0 */
        return 3;
    case 5: case 6: case 7: case 8: case 9: {   /* from (A0)+ or d16(A0) */
        unsigned f = format == FPF_X && random_below(r, 4) ? FPF_D : format;

        p[1] = (uint16_t)(0x4000 | f << 10 | dst | op);
        if (random_below(r, 3)) {
            p[0] = 0xf228;
            p[2] = (uint16_t)(random_below(r, 20) * 12);
            return 3;
        }
        p[0] = 0xf219;                  /* (A1)+ */
        return 2;
    }
    case 10:                            /* FMOVEM FP0-FP3,d16(A0) or back */
        p[0] = 0xf228;
        p[1] = random_below(r, 2) ? 0xf0f0 : 0xd0f0;
        p[2] = 0;
        return 3;
    default:
        p[0] = 0xf200;
        p[1] = (uint16_t)(random_below(r, 8) << 10 | dst | op);
        return 2;
    }
}

static void start_state(Random *r, uint64_t seed)
{
    M68kState *s = cpu->env;

    r->s = seed;
    m68k_fp_settle(s);
    s->fpcr = random_below(r, 3) ? 0 : random_below(r, 4) << 4;
    m68k_fp_set_fpsr(s, 0);
    s->fp_null = false;
    s->fp_pending = 0;
    s->fpiar = 0;
    m68k_fp_mode(s);
    for (unsigned i = 0; i < 8; i++) {
        s->d[i] = (uint32_t)random_u64(r);
        s->a[i] = i == 7 ? 0x8000 : DATA + (i == 1 ? 100u : 0u);
        s->fpd[i] = number(r);
        s->fp[i] = m68k_fp_pack(m68k_fp_from_d(s->fpd[i]));
        if (!random_below(r, 6)) {
            s->fp[i].m |= random_u64(r) & 0x7ff;        /* more than a double has */
        }
        s->fptag[i] = 0;
        if (random_below(r, 2)) {
            m68k_fp_narrow(s, i);
        }
    }
    for (unsigned i = 0; i < DATA_SIZE; i += 4) {
        store(DATA + i, number32(r), 4);
    }
    for (unsigned i = 0; i < 12; i++) {
        store(DATA + random_below(r, 20) * 12, number(r), 8);
    }
    s->sr = SR_S | SR_IPL;
    m68k_set_ccr(s, 0);
    s->tcg.pc = CODE;
    s->excp = EXCP_NONE;
    s->delivering = s->in_group0 = s->dead = s->stopped = s->trace_pending = false;
    cpu->parent.halted = false;
    cpu->parent.interrupt_request = 0;
    tcg_mode_changed(&s->tcg);
}

static void run(Result *out)
{
    M68kState *s = cpu->env;

    for (unsigned i = 0; !s->stopped && i < 4 * N_INSNS; i++) {
        vcpu_exec(&vcpu);
    }
    m68k_fp_settle(s);
    memcpy(out->fp, s->fp, sizeof(out->fp));
    for (unsigned i = 0; i < 8; i++) {
        out->d[i] = (uint32_t)s->d[i];
        out->a[i % 7] = (uint32_t)s->a[i % 7];
    }
    out->fpsr = s->fpsr;
    out->fpcr = s->fpcr;
    out->fpiar = s->fpiar;
    out->pc = (uint32_t)s->tcg.pc;
    out->sr = m68k_get_sr(s);
    address_space_read(&address_space_memory, DATA, MEM_ATTRS_NONE, out->data, DATA_SIZE);
}

static char *difference(const Result *x, const Result *y)
{
    for (unsigned i = 0; i < 8; i++) {
        if (x->fp[i].m != y->fp[i].m || x->fp[i].se != y->fp[i].se) {
            return g_strdup_printf("FP%u is %04x %016" PRIx64 ", by regions %04x %016" PRIx64, i, x->fp[i].se,
                                   x->fp[i].m, y->fp[i].se, y->fp[i].m);
        }
        if (x->d[i] != y->d[i]) {
            return g_strdup_printf("D%u is %08x, by regions %08x", i, x->d[i], y->d[i]);
        }
    }
    if (x->fpsr != y->fpsr || x->fpiar != y->fpiar || x->fpcr != y->fpcr) {
        return g_strdup_printf("FPSR is %08x, by regions %08x; FPIAR %08x, %08x", x->fpsr, y->fpsr, x->fpiar, y->fpiar);
    }
    if (x->pc != y->pc || x->sr != y->sr || memcmp(x->a, y->a, sizeof(x->a))) {
        return g_strdup_printf("PC is %08x, by regions %08x", x->pc, y->pc);
    }
    for (unsigned i = 0; i < DATA_SIZE; i++) {
        if (x->data[i] != y->data[i]) {
            return g_strdup_printf("byte %u of memory is %02x, by regions %02x", i, x->data[i], y->data[i]);
        }
    }
    return NULL;
}

/* The first @n_insns of the program. */
static void program(Random *r, unsigned n_insns, GString *text)
{
    uint32_t at = CODE;

    g_string_truncate(text, 0);
    for (unsigned i = 0; i < n_insns; i++) {
        uint16_t words[4];
        unsigned n = instruction(r, words);

        for (unsigned k = 0; k < n; k++, at += 2) {
            store(at, words[k], 2);
            g_string_append_printf(text, "%04x%c", words[k], k + 1 < n ? ' ' : ';');
        }
    }
    store(at, 0xf2800000, 4);           /* FNOP: what is pending is taken */
    store(at + 4, 0x4e722700, 4);       /* STOP #$2700 */
}

/* The same with fpsp=guest and with fpsp=host, too: three runs. */
static char *all_ways(uint64_t seed, unsigned n_insns, bool tiers, GString *text)
{
    Random r = { seed * UINT64_C(0x9e3779b97f4a7c15) | 1 };
    Result one, all, host;
    char *what;

    program(&r, n_insns, text);
    for (unsigned way = 0; way < 3; way++) {
        start_state(&r, seed << 8 | 3);
        cpu->env->fpsp_host = way == 2;
        m68k_mode_sync(cpu->env);
        vcpu.single_step = way == 0;
        tcg_options.tiers = tiers;
        region_flush_all();
        run(way == 0 ? &one : way == 1 ? &all : &host);
    }
    what = difference(&one, &all);
    if (!what && (what = difference(&host, &all)) != NULL) {
        char *of = g_strdup_printf("fpsp=host: %s", what);

        g_free(what);
        what = of;
    }
    return what;
}

static void compare(Test *t, bool tiers, uint64_t first)
{
    const char *scale = getenv("TEST_SCALE");
    unsigned n = 600 * (scale ? (unsigned)atoi(scale) : 1), failed = 0;
    g_autoptr(GString) text = g_string_new(NULL);

    if (!start_cpu(t)) {
        return;
    }
    for (uint64_t seed = first; seed < first + n && failed < 5; seed++) {
        char *what = all_ways(seed, N_INSNS, tiers, text);

        if (what) {                     /* the shortest beginning that differs */
            for (unsigned k = 1; k < N_INSNS; k++) {
                char *shorter = all_ways(seed, k, tiers, text);

                if (shorter) {
                    g_free(what);
                    what = shorter;
                    break;
                }
            }
            test_fail(t, "seed %" PRIu64 ": %s (%s)", seed, what, text->str);
            g_free(what);
            failed++;
        }
    }
}

TEST(m68k_fpu, regions_compute_what_helpers_do)
{
    compare(t, false, 1);
}

TEST(m68k_fpu, first_tier_too)
{
    compare(t, true, 1000000);
}
