/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each row of vec-ops.def: the host's instruction, encoded as the row says, against
 * the reference function, with random and special operands; floating-point rows
 * under all rounding modes with and without FTZ and DAZ, flags compared too.
 */
#include "util/osdep.h"
#include "tcg/vec-interp.h"
#include "tests/lib/test.h"
#include "tests/lib/fp-random.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <sys/mman.h>

#define ROUNDS 2500

typedef void Stub(VecReg *d, const VecReg *a, const VecReg *b, const VecReg *c);

enum { XMM_C = 0, XMM_A = 1, XMM_B = 2, XMM_D = 3, RAX = 0, R_RDX = 2 };

typedef struct Code { uint8_t *p; } Code;

static void bytes(Code *x, const char *hex)
{
    unsigned v;

    for (; sscanf(hex, "%2x", &v) == 1; hex += 2) {
        *x->p++ = v;
    }
}

static bool is_cmp(const IrVecInfo *info)
{
    return info->map == 0x0f && info->opcode == 0xc2;
}

/* With @v as the first operand, 0: none. */
static void vex_insn(Code *x, const IrVecInfo *info, unsigned reg, unsigned v, unsigned rm)
{
    unsigned pp = info->pp == 0x66 ? 1 : info->pp == 0xf3 ? 2 : info->pp == 0xf2 ? 3 : 0;

    *x->p++ = 0xc4;
    *x->p++ = 0xe0 | (info->map == 0x0f ? 1 : info->map == 0x38 ? 2 : 3);
    *x->p++ = info->ext << 7 | (~v & 15) << 3 | pp;
    *x->p++ = info->opcode;
    *x->p++ = 0xc0 | reg << 3 | rm;
}

static void insn(Code *x, const IrVecInfo *info, bool rex_w, unsigned reg, unsigned rm)
{
    if (info->feature >= IR_VX_AVX || (is_cmp(info) && __builtin_cpu_supports("avx"))) {
        unsigned form = info->form & ~IR_VF_FP;

        vex_insn(x, info, reg, form == IR_VF_VV || form == IR_VF_VV_IMM ? reg : 0, rm);
        return;
    }
    if (info->pp) {
        *x->p++ = info->pp;
    }
    if (rex_w) {
        *x->p++ = 0x48;
    }
    *x->p++ = 0x0f;
    if (info->map != 0x0f) {
        *x->p++ = info->map;
    }
    *x->p++ = info->opcode;
    *x->p++ = 0xc0 | reg << 3 | rm;
}

/* rdi, rsi, rdx, rcx: d, a, b, c. False: the form has no instruction. */
static bool make_stub(uint8_t *code, const IrVecInfo *info, uint8_t imm)
{
    Code x = { code };
    bool w = info->ext == 1;
    enum { OUT_A, OUT_C, OUT_D, OUT_RAX, OUT_FLAGS } out;

    bytes(&x, "f30f6f0e");          /* movdqu xmm1, [rsi] */
    bytes(&x, "f30f6f12");          /* movdqu xmm2, [rdx] */
    bytes(&x, "f30f6f01");          /* movdqu xmm0, [rcx] */
    bytes(&x, "488b06");            /* mov rax, [rsi] */
    bytes(&x, "488b12");            /* mov rdx, [rdx] */
    switch (info->form & ~IR_VF_FP) {
    case IR_VF_VV: case IR_VF_VV_IMM: case IR_VF_VV_X0:
        insn(&x, info, false, XMM_A, XMM_B);
        out = OUT_A;
        break;
    case IR_VF_MV: case IR_VF_MV_IMM:
        insn(&x, info, false, XMM_D, XMM_A);
        out = OUT_D;
        break;
    case IR_VF_MV_ST_IMM:
        insn(&x, info, false, XMM_A, XMM_D);
        out = OUT_D;
        break;
    case IR_VF_FMA:
        vex_insn(&x, info, XMM_C, XMM_A, XMM_B);
        out = OUT_C;
        break;
    case IR_VF_SHIFT_IMM:
        insn(&x, info, false, info->ext, XMM_A);
        out = OUT_A;
        break;
    case IR_VF_VG:
        insn(&x, info, w, XMM_D, RAX);
        out = OUT_D;
        break;
    case IR_VF_VVG: case IR_VF_VVG_IMM:
        insn(&x, info, w, XMM_A, R_RDX);
        out = OUT_A;
        break;
    case IR_VF_GV: case IR_VF_GV_IMM:
        insn(&x, info, w, RAX, XMM_A);
        out = OUT_RAX;
        break;
    case IR_VF_GV_ST: case IR_VF_GV_ST_IMM:
        insn(&x, info, w, XMM_A, RAX);
        out = OUT_RAX;
        break;
    case IR_VF_FLAGS:
        insn(&x, info, false, XMM_A, XMM_B);
        out = OUT_FLAGS;
        break;
    case IR_VF_STRCMP:
        if (info->args[2]) {        /* lengths of the explicit ones: c's halves */
            bytes(&x, "8b01");      /* mov eax, [rcx] */
            bytes(&x, "8b5104");    /* mov edx, [rcx + 4] */
        }
        insn(&x, info, false, XMM_A, XMM_B);
        out = info->result == IR_I32 ? OUT_FLAGS : OUT_D;
        break;
    default:
        return false;
    }
    switch (info->form & ~IR_VF_FP) {
    case IR_VF_VV_IMM: case IR_VF_MV_IMM: case IR_VF_SHIFT_IMM: case IR_VF_VVG_IMM:
    case IR_VF_GV_IMM: case IR_VF_GV_ST_IMM: case IR_VF_STRCMP: case IR_VF_MV_ST_IMM:
        *x.p++ = is_cmp(info) ? imm & 31 : imm;
        break;
    }
    if (out == OUT_A) {
        bytes(&x, "f30f7f0f");      /* movdqu [rdi], xmm1 */
    } else if (out == OUT_D && info->form != IR_VF_STRCMP) {
        bytes(&x, "f30f7f1f");      /* movdqu [rdi], xmm3 */
    } else if (out == OUT_D || out == OUT_C) {
        bytes(&x, "f30f7f07");      /* movdqu [rdi], xmm0 */
    } else {
        if (out == OUT_FLAGS) {
            bytes(&x, "9c58");      /* pushf; pop rax */
            if (info->form == IR_VF_STRCMP) {
                bytes(&x, "25c5080000");    /* and eax, 0x8c5 */
                bytes(&x, "c1e010");        /* shl eax, 16 */
                bytes(&x, "09c8");          /* or eax, ecx */
            } else {
                bytes(&x, "83e045");        /* and eax, 0x45 */
            }
        }
        bytes(&x, "488907");        /* mov [rdi], rax */
        bytes(&x, "48c7470800000000");      /* mov qword [rdi + 8], 0 */
    }
    bytes(&x, "c3");
    return true;
}

static uint32_t run_stub(Stub *stub, uint32_t mxcsr, VecReg *d, const VecReg *a,
                         const VecReg *b, const VecReg *c)
{
    uint32_t saved, out;

    __asm__ volatile("stmxcsr %0\n ldmxcsr %1" : "=m"(saved) : "m"(mxcsr));
    stub(d, a, b, c);
    __asm__ volatile("stmxcsr %0\n ldmxcsr %1" : "=m"(out) : "m"(saved));
    return out & 0x3f;
}

static bool host_has(uint8_t feature)
{
    unsigned a, b, c, d;

    __cpuid(1, a, b, c, d);
    switch (feature) {
    case IR_VX_SSE2:
        return true;
    case IR_VX_SSE3:
        return c & bit_SSE3;
    case IR_VX_SSSE3:
        return c & bit_SSSE3;
    case IR_VX_SSE41:
        return c & bit_SSE4_1;
    case IR_VX_SSE42:
        return c & bit_SSE4_2;
    case IR_VX_AES:
        return c & bit_AES;
    case IR_VX_PCLMUL:
        return c & bit_PCLMUL;
    case IR_VX_SHA:
        __cpuid_count(7, 0, a, b, c, d);
        return b & bit_SHA;
    case IR_VX_AVX:
        return __builtin_cpu_supports("avx");       /* the system has to allow it */
    case IR_VX_AVX2:
        return __builtin_cpu_supports("avx2");
    case IR_VX_FMA:
        return __builtin_cpu_supports("fma");
    case IR_VX_F16C:
        return __builtin_cpu_supports("avx") && (c & bit_F16C);
    default:
        return false;
    }
}

/* @k: 0 bits, 1 singles, 2 doubles, 3 small bytes with zeros among them
 * (strings), 4 shift counts. */
static VecReg random_vec(Random *r, unsigned k)
{
    VecReg v;

    for (unsigned i = 0; i < 4; i++) {
        switch (k) {
        case 1:
            vec_set_l(&v, i, random_f32(r));
            break;
        case 2:
            vec_set_q(&v, i / 2, random_f64(r));
            break;
        case 3:
            vec_set_l(&v, i, random_u64(r) & 0x03030303);
            break;
        case 4:
            vec_set_l(&v, i, random_below(r, 3) ? random_below(r, 70) : random_u64(r));
            break;
        default:
            vec_set_q(&v, i / 2, random_below(r, 8) ? random_bits(r) : random_below(r, 70));
            break;
        }
    }
    return v;
}

static float as_float(uint32_t v)
{
    float f;

    memcpy(&f, &v, 4);
    return f;
}

/* RCP*, RSQRT*: both within the architected relative error of 1.5 * 2^-12 of each other. */
static bool near(uint32_t x, uint32_t y)
{
    float fx = as_float(x), fy = as_float(y), diff = fx - fy;

    if (x == y) {
        return true;
    }
    if ((x & 0x7f800000) <= 0x00800000 || (y & 0x7f800000) <= 0x00800000) {
        return (x ^ y) >> 31 == 0;      /* at the edge of what is flushed to zero */
    }
    return (diff < 0 ? -diff : diff) <= (fx < 0 ? -fx : fx) * (3.0f / 4096);
}

static bool equal(unsigned op, const VecReg *x, const VecReg *y)
{
    if (op == IR_V_RCPPS || op == IR_V_RCPSS || op == IR_V_RSQRTPS || op == IR_V_RSQRTSS) {
        for (unsigned i = 0; i < 4; i++) {
            if (!near(vec_l(x, i), vec_l(y, i))) {
                return false;
            }
        }
        return true;
    }
    return memcmp(x, y, sizeof(*x)) == 0;
}

/* What suits the row's operands, sometimes something else. */
static unsigned operand_kind(const IrVecInfo *info, Random *r)
{
    size_t n = strlen(info->name);

    if (info->form == IR_VF_STRCMP) {
        return random_below(r, 4) ? 3 : 0;
    }
    if (random_below(r, 16) == 0) {
        return 0;
    }
    if (info->opcode >= 0x45 && info->opcode <= 0x47 && info->map == 0x38) {
        return 4;
    }
    if (strncmp(info->name, "cvt", 3) == 0) {
        return strstr(info->name, "sd2") || strstr(info->name, "pd2") ? 2
             : strstr(info->name, "ss2") || strstr(info->name, "ps2") ? 1 : 0;
    }
    if (info->form & IR_VF_FP || info->name[0] == 'r') {
        return info->name[n - 1] == 'd' ? 2 : 1;
    }
    return 0;
}

/* c near to -(a * b), in lane 0. */
static void cancel(Random *r, const IrVecInfo *info, const VecReg *a, const VecReg *b, VecReg *c)
{
    FpEnv e = { .precision = 64 };

    if (info->ext) {
        vec_set_q(c, 0, (f64_mul(vec_q(a, 0), vec_q(b, 0), &e) ^ random_u64(r) << 63) +
                  random_below(r, 3));
    } else {
        vec_set_l(c, 0, (f32_mul(vec_l(a, 0), vec_l(b, 0), &e) ^ (uint32_t)random_u64(r) << 31) +
                  random_below(r, 3));
    }
}

static void check_row(Test *t, unsigned op, uint8_t *code, Random *r)
{
    const IrVecInfo *info = &ir_vec_info[op];

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned k = operand_kind(info, r), round = random_below(r, 4);
        bool ftz = random_below(r, 3) == 0, daz = random_below(r, 3) == 0;
        FpEnv e = { .round = round, .ftz = ftz, .daz = daz, .precision = 64 };
        uint32_t mxcsr = 0x1f80 | round << 13 | (uint32_t)ftz << 15 | (uint32_t)daz << 6;
        VecReg a = random_vec(r, k), b = random_vec(r, k);
        VecReg c = random_vec(r, info->form == IR_VF_FMA_FP ? k : 0), host, soft;
        uint8_t imm = random_u64(r) >> 40;
        uint32_t flags;

        if (random_below(r, 4) == 0) {
            vec_set_q(&b, 0, vec_q(&a, 0));
        }
        if (info->form == IR_VF_FMA_FP && random_below(r, 3) == 0) {   /* sums that cancel */
            cancel(r, info, &a, &b, &c);
        }
        if (info->form == IR_VF_STRCMP && random_below(r, 4)) {
            c.q[0] = random_below(r, 20) | (uint64_t)random_below(r, 20) << 32;
        }
        /* An integer operand is the low half. */
        if (!make_stub(code, info, imm)) {
            return;
        }
        flags = run_stub((Stub *)code, mxcsr, &host, &a, &b, &c);
        soft = a;
        info->fn(&soft, &soft, &b, &c, is_cmp(info) && !__builtin_cpu_supports("avx") ? imm & 7 : imm,
                 &e);
        if (!equal(op, &host, &soft) ||
            (info->form & IR_VF_FP ? flags != e.flags : e.flags != 0)) {
            test_fail(t, "%s imm %02x mxcsr %04x\n#   a %016" PRIx64 "%016" PRIx64
                      " b %016" PRIx64 "%016" PRIx64 " c %016" PRIx64 "%016" PRIx64
                      "\n# got %016" PRIx64 "%016" PRIx64 " flags %02x\n# not %016" PRIx64
                      "%016" PRIx64 " flags %02x", info->name, imm, mxcsr, a.q[1], a.q[0],
                      b.q[1], b.q[0], c.q[1], c.q[0], soft.q[1], soft.q[0], e.flags,
                      host.q[1], host.q[0], flags);
            return;
        }
    }
}

TEST(vec, rows_against_host)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    Random r = { 0xabcdef };

    if (code == MAP_FAILED) {
        test_skip(t, "no memory that may be executed");
        return;
    }
    for (unsigned op = 0; op < IR_VEC_NUM; op++) {
        if (host_has(ir_vec_info[op].feature)) {
            check_row(t, op, code, &r);
        }
    }
    munmap(code, 4096);
}

#else

TEST(vec, rows_against_host)
{
    test_skip(t, "the host has no x86 vector instructions to compare with");
}

#endif
