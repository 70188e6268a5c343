/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MMX, SSE, AVX, AVX2, FMA, BMI and their kin, and the x87, random ones in sequence, on the host
 * CPU, on the interpreter and on the host's back end: registers, MXCSR, the x87's state with its
 * pointers, flags, memory and exceptions must agree.
 * X86_NATIVE_SEED and X86_NATIVE_COUNT (environment) choose other sequences and how many.
 */
#include "util/osdep.h"
#include <cpuid.h>
#include "tests/lib/test.h"
#include "tests/lib/x86-random.h"

enum { MAX_ROWS = 1500, MAX_LEN = 24 };

/* Flags that an instruction leaves undefined (those that change none aren't here). */
static const struct { const char *mnemonic; uint32_t undefined; } flag_uses[] = {
    { "PTEST", 0 }, { "VPTEST", 0 }, { "VTESTPS", 0 }, { "VTESTPD", 0 }, { "UCOMISS", 0 },
    { "UCOMISD", 0 }, { "COMISS", 0 }, { "COMISD", 0 }, { "VUCOMISS", 0 }, { "VUCOMISD", 0 },
    { "VCOMISS", 0 }, { "VCOMISD", 0 }, { "ANDN", FL_AF | FL_PF }, { "BLSR", FL_AF | FL_PF },
    { "BLSMSK", FL_AF | FL_PF }, { "BLSI", FL_AF | FL_PF }, { "BZHI", FL_AF | FL_PF },
    { "BEXTR", FL_AF | FL_SF | FL_PF },
};

/* What can't be compared: state images (their layout is the system's), other state. */
static bool comparable(const char *mnemonic, bool interp)
{
    static const char *const no[] = { "FX", "XSAVE", "XRSTOR" };

    for (unsigned k = 0; k < ARRAY_SIZE(no); k++) {
        if (!strncmp(mnemonic, no[k], strlen(no[k]))) {
            return false;
        }
    }
    /* Approximations are the host's own in its back end alone. */
    return !(interp && (strstr(mnemonic, "RCP") || strstr(mnemonic, "RSQRT")));
}

static bool host_has(unsigned feature)
{
    unsigned a, b, c, d, b7, c7, d7, cx;

    __cpuid(1, a, b, c, d);
    __cpuid_count(7, 0, a, b7, c7, d7);
    __cpuid(0x80000001, a, b, cx, d);
    switch (feature) {
    case XF_SSE3: return c & bit_SSE3;
    case XF_SSSE3: return c & bit_SSSE3;
    case XF_SSE41: return c & bit_SSE4_1;
    case XF_SSE42: return c & bit_SSE4_2;
    case XF_AES: return c & bit_AES;
    case XF_PCLMUL: return c & bit_PCLMUL;
    case XF_SHA: return b7 & bit_SHA;
    case XF_SSE4A: return cx & bit_SSE4a;
    case XF_AVX: return __builtin_cpu_supports("avx");
    case XF_AVX2: return __builtin_cpu_supports("avx2");
    case XF_FMA: return __builtin_cpu_supports("fma");
    case XF_F16C: return __builtin_cpu_supports("avx") && (c & bit_F16C);
    case XF_BMI1: return b7 & bit_BMI;
    case XF_BMI2: return b7 & bit_BMI2;
    case XF_FPU: case XF_MMX: case XF_SSE: case XF_SSE2: return true;
    default: return false;
    }
}

/* X87: in sequence; C1 of ordinary arithmetic is known by the reference only, which runs what stands before
 * an instruction that stores the status, and X87_STEPS (one instruction under the trap flag). */
typedef enum What { VECTORS, X87, X87_STEPS } What;

/* FNSTENV and FNSAVE have the selectors that protected mode's images hold on some CPUs. */
static bool has_selectors(const char *mnemonic)
{
    return !strcmp(mnemonic, "FNSTENV") || !strcmp(mnemonic, "FNSAVE");
}

/* Rows of vector instructions, and of general registers with VEX; or of the x87. */
static unsigned choose_rows(const X86Row **rows, bool interp, What what)
{
    const char *mnemonic;
    const X86Row *row;
    bool handled;
    unsigned n = 0;

    for (unsigned k = 0; (row = x86_decode_row(k, &mnemonic, &handled)) != NULL; k++) {
        unsigned feature = row->flags >> XI_FEAT_SHIFT & 0xff;

        if ((feature == XF_FPU) != (what != VECTORS) || (what == X87 && has_selectors(mnemonic))) {
            continue;
        }
        if (handled && n < MAX_ROWS && host_has(feature) && comparable(mnemonic, interp) &&
            (!(row->flags & XI_Y2) || host_has(XF_AVX2))) {
            rows[n++] = row;
        }
    }
    return n;
}

typedef struct Sequence {
    uint8_t code[MAX_LEN * 16 + 2];
    unsigned n, count, at[MAX_LEN];
    uint32_t undefined[MAX_LEN + 1];    /* flags, before each */
} Sequence;

static void make_sequence(Random *r, unsigned bits, const X86Row **rows, unsigned n_rows,
                          unsigned len, Sequence *q)
{
    memset(q, 0, sizeof(*q));
    while (q->count < len) {
        uint8_t b[32];
        unsigned n = x86_random_insn(r, bits, rows[random_below(r, n_rows)], b);
        X86Insn i;

        if (!n || x86_decode_bytes(&i, bits, b, n) != XD_OK || i.seg_override >= S_FS ||
            !i.fn || !host_has(i.flags >> XI_FEAT_SHIFT & 0xff) ||
            !strcmp(i.row->opcode, "D9 D8+i")) {        /* an FSTP which checks no tags */
            continue;
        }
        q->at[q->count] = q->n;
        memcpy(q->code + q->n, b, i.len);
        q->n += i.len;
        q->undefined[q->count + 1] = q->undefined[q->count];
        for (unsigned k = 0; k < ARRAY_SIZE(flag_uses); k++) {
            if (!strcmp(flag_uses[k].mnemonic, i.mnemonic)) {
                q->undefined[q->count + 1] = flag_uses[k].undefined;
            }
        }
        q->count++;
    }
    q->code[q->n++] = 0x0f;
    q->code[q->n++] = 0x0b;
}

static uint32_t undefined_at(const Sequence *q, uint64_t offset)
{
    for (unsigned k = 0; k < q->count; k++) {
        if (q->at[k] == offset) {
            return q->undefined[k];
        }
    }
    return q->undefined[q->count];
}

static void report(Test *t, const Sequence *q, unsigned bits, const char *diff, unsigned number,
                   const XhState *host)
{
    char text[3072];
    size_t n = 0;

    for (unsigned k = 0; k < q->count && n < sizeof(text) - 120; k++) {
        X86Insn i;

        x86_decode_bytes(&i, bits, q->code + q->at[k], q->n - q->at[k]);
        n += snprintf(text + n, sizeof(text) - n, "  %3x:", q->at[k]);
        for (unsigned b = 0; b < i.len; b++) {
            n += snprintf(text + n, sizeof(text) - n, " %02x", q->code[q->at[k] + b]);
        }
        n += snprintf(text + n, sizeof(text) - n, "  %s\n", i.row->text);
    }
    test_fail(t, "sequence %u (%u bits), host's exception %d at %" PRIx64 ", emulator / host:\n%s%s",
              number, bits, host->vector, host->rip, diff, text);
}

/* The state, for someone who looks for the mistake. */
static void note_state(Test *t, const Sequence *q, const XhState *in, const XhState *emu,
                       const XhState *host, What what)
{
    uint32_t m[3];

    memcpy(&m[0], in->fx + 24, 4);
    memcpy(&m[1], emu->fx + 24, 4);
    memcpy(&m[2], host->fx + 24, 4);
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *fx = i == 0 ? in->fx : i == 1 ? emu->fx : host->fx;
        char text[400];
        size_t n = 0;

        for (unsigned k = 0; k < 24; k++) {
            n += snprintf(text + n, sizeof(text) - n, "%02x", fx[k]);
        }
        for (unsigned k = 0; k < 8 && what != VECTORS; k++) {
            F80 v;

            memcpy(&v.m, fx + 32 + 16 * k, 8);
            memcpy(&v.se, fx + 40 + 16 * k, 2);
            n += snprintf(text + n, sizeof(text) - n, " %04x.%016" PRIx64, v.se, v.m);
        }
        test_note(t, "%s %s", i == 0 ? "in  " : i == 1 ? "emu " : "host", text);
    }
    test_note(t, "MXCSR %x, then %x / %x; CR2 %" PRIx64 " / %" PRIx64, m[0], m[1], m[2], emu->cr2,
              host->cr2);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t v[3][4];

        for (unsigned s = 0; s < 3; s++) {
            const XhState *st = s == 0 ? in : s == 1 ? emu : host;

            memcpy(v[s], st->fx + 160 + 16 * i, 16);
            memcpy(v[s] + 2, st->ymmh[i], 16);
        }
        if (q->count > 1 && !memcmp(v[1], v[2], 32)) {
            continue;
        }
        for (unsigned s = 0; s < 3; s++) {
            if (s == 0 || memcmp(v[s], v[0], 32)) {
                test_note(t, "ymm%u%s %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64, i,
                          s == 0 ? " in" : s == 1 ? " emu" : " host", v[s][3], v[s][2], v[s][1],
                          v[s][0]);
            }
        }
    }
}

/*
 * MASKMOVDQU, MASKMOVQ: whether bytes that the mask leaves out, or even all with a mask of zero, fault is the
 * implementation's (SDM vol. 2, MASKMOVDQU: "may still be signaled"), and so which address is
 * told. True: the host stopped at one that selects no byte outside of the data, or both did at different bytes.
 */
static bool masked_store_faults(const Sequence *q, const XhState *in, const XhState *emu, const XhState *host)
{
    uint64_t at = host->rip - in->rip, di;
    const uint8_t *mask;
    X86Insn i;

    if ((host->vector != EXCP_PF && host->vector != EXCP_GP) || at >= q->n ||
        x86_decode_bytes(&i, host->bits, q->code + at, q->n - at) != XD_OK ||
        !strstr(i.mnemonic, "MASKMOV") || i.op[0].kind == XO_MEM || i.op[1].kind == XO_MEM) {
        return false;
    }
    di = host->regs[R_DI] & (i.adsize == 8 ? UINT64_MAX : i.adsize == 4 ? UINT32_MAX : UINT16_MAX);
    if (emu->rip == host->rip && emu->vector == host->vector) {
        return emu->cr2 - di < 16 && host->cr2 - di < 16;
    }
    mask = host->fx + (i.op[1].kind == XO_MMX ? 32 : 160) + 16 * i.op[1].reg;
    for (unsigned k = 0; k < (i.op[1].kind == XO_MMX ? 8 : 16); k++) {
        if ((mask[k] & 0x80) && di + k - (host->bits == 16 ? 0 : XH_DATA) >= XH_DATA_SIZE) {
            return false;
        }
    }
    return true;
}

/* VMASKMOVPS and its kin over the end of 64 KiB, in 16-bit code: one CPU (AMD family 17h) wraps the addresses of
 * elements, which no manual says of the bytes of an operand. */
static bool wraps_elements(const Sequence *q, const XhState *in, const XhState *emu)
{
    uint64_t at = emu->rip - in->rip;
    X86Insn i;

    return emu->bits == 16 && (emu->vector == EXCP_GP || emu->vector == EXCP_SS) && at < q->n &&
           x86_decode_bytes(&i, 16, q->code + at, q->n - at) == XD_OK && strstr(i.mnemonic, "MASKMOV") &&
           i.adsize == 2;
}

static unsigned env_number(const char *name, unsigned otherwise)
{
    const char *v = getenv(name);

    return v ? strtoul(v, NULL, 0) : otherwise;
}

static void run_all(Test *t, const TcgBackend *be, unsigned bits, unsigned count, What what)
{
    static XhState in, emu, host;
    static Sequence q;
    const X86Row *rows[MAX_ROWS];
    unsigned n_rows = choose_rows(rows, be == &tcg_backend_interp, what), failures = 0, insns = 0;
    Random r = { UINT64_C(0x9e3779b97f4a7c15) + env_number("X86_NATIVE_SEED", 0) * 7919 + bits };
    Xh *h = xh_new(be);
    char host_vendor[13] = "";
    unsigned ignored;

    printf("# timeout: 240\n");         /* five seconds of work, on a machine that has others too */
    fflush(stdout);
    if (!h) {
        test_fail(t, "no harness");
        return;
    }
    __cpuid(0, ignored, *(unsigned *)&host_vendor[0], *(unsigned *)&host_vendor[8],
            *(unsigned *)&host_vendor[4]);
    memcpy(xh_cpu(h)->cpuid_vendor, host_vendor, sizeof(host_vendor));
    __cpuid(0x80000001, ignored, ignored, xh_cpu(h)->features[FEAT_8000_0001_ECX], ignored);
    count = env_number("X86_NATIVE_COUNT", count);
    for (unsigned k = 0; k < count && failures < 4; k++) {
        char diff[1024];

        make_sequence(&r, bits, rows, n_rows, k & 1 ? 1 + random_below(&r, 3)
                                                   : 1 + random_below(&r, MAX_LEN), &q);
        x86_random_vector_state(&r, bits, &in);
        if (what != VECTORS) {
            x86_random_x87_state(&r, &in);
        }
        if (x86_has(xh_cpu(h), FEAT_8000_0001_ECX, 7) && random_below(&r, 8) == 0) {
            in.fx[26] |= MXCSR_MM >> 16;
        }
        in.eflags |= what == X87_STEPS ? FL_TF : 0;
        if (!xh_native(q.code, q.n, &in, &host)) {
            test_skip(t, "not on this host");
            return;
        }
        xh_run(h, q.code, q.n, &in, &emu);
        insns += q.count;
        if (what == X87) {
            emu.fx[3] = (emu.fx[3] & ~2) | (host.fx[3] & 2);
        }
        if (bits == 32 && ((emu.vector == EXCP_PF && (uint32_t)emu.cr2 >= UINT32_MAX - 64) ||
                           (emu.vector == EXCP_PF && emu.cr2 < 64 && host.vector == EXCP_GP) ||
                           (host.vector == EXCP_PF && (uint32_t)host.cr2 < 64))) {
            continue;           /* wraps at 4 GiB here; the host checks flat limits too */
        }
        if (bits == 64 && emu.vector == EXCP_PF && (host.vector == EXCP_GP || host.vector == EXCP_SS) &&
            emu.cr2 >= UINT64_C(0x7fffffffffe1) && emu.cr2 < UINT64_C(0x800000000000)) {
            continue;           /* the operand's last byte isn't canonical: #GP on the host */
        }
        if (bits == 16 && emu.vector == EXCP_SS && host.vector == EXCP_GP && emu.rip == host.rip) {
            continue;           /* beyond the limit and unaligned: makers differ */
        }
        if ((emu.rip != host.rip || emu.cr2 != host.cr2) && masked_store_faults(&q, &in, &emu, &host)) {
            continue;
        }
        if (emu.rip != host.rip && wraps_elements(&q, &in, &emu)) {
            continue;
        }
        if (!xh_same(&emu, &host, FL_ARITH & ~undefined_at(&q, host.rip - in.rip), true, diff,
                     sizeof(diff))) {
            report(t, &q, bits, diff, k, &host);
            note_state(t, &q, &in, &emu, &host, what);
            failures++;
        }
    }
    test_note(t, "%u rows, %u instructions", n_rows, insns);
}

TEST(x86_native_vec, interpreter_64)
{
    run_all(t, &tcg_backend_interp, 64, 1000, VECTORS);
}

TEST(x86_native_vec, interpreter_32)
{
    run_all(t, &tcg_backend_interp, 32, 500, VECTORS);
}

TEST(x86_native_vec, x87_steps)
{
    run_all(t, &tcg_backend_interp, 64, 1500, X87_STEPS);
}

TEST(x86_native_vec, interpreter_x87)
{
    run_all(t, &tcg_backend_interp, 64, 800, X87);
}

#ifdef __x86_64__
TEST(x86_native_vec, backend_x87_64)
{
    run_all(t, &tcg_backend_x86_64, 64, 1500, X87);
}

TEST(x86_native_vec, backend_x87_32)
{
    run_all(t, &tcg_backend_x86_64, 32, 1000, X87);
}

TEST(x86_native_vec, backend_64)
{
    run_all(t, &tcg_backend_x86_64, 64, 2500, VECTORS);
}

TEST(x86_native_vec, backend_32)
{
    run_all(t, &tcg_backend_x86_64, 32, 1200, VECTORS);
}

TEST(x86_native_vec, backend_16)
{
    run_all(t, &tcg_backend_x86_64, 16, 1000, VECTORS);
}
#endif
