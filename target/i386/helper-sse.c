/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What SSE and MMX instructions call: MXCSR, unmasked exceptions, state images. */
#include "util/osdep.h"
#include "target/i386/seg.h"
#include "target/i386/sse.h"

#define MXCSR_FLAGS     0x3fu
#define BEFORE_FLAGS    7u              /* IE, DE, ZE: found before the operation */

/* Live sticky bits go to the architected register, and start anew. */
static void sse_begin(TcgEnv *env)
{
    X86State *s = x86_state(env);

    s->mxcsr |= env->fp_mxcsr & MXCSR_FLAGS;
    env->fp_mxcsr &= ~MXCSR_FLAGS;
    memset(env->fp_step, 0, sizeof(env->fp_step));
}

/* SDM vol. 1, 11.5.2: of unmasked ones found before the operation, nothing is computed. An operation ends with the step that
 * raises one in any of its elements, also in the other half; what the steps before raised stays. */
static void sse_check(TcgEnv *env)
{
    X86State *s = x86_state(env);
    uint32_t flags = env->fp_mxcsr & MXCSR_FLAGS, masks = s->mxcsr >> 7 & MXCSR_FLAGS, earlier = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(env->fp_step); i++) {
        if (env->fp_step[i] & ~masks) {
            flags = env->fp_step[i];
            break;
        }
        earlier |= env->fp_step[i];
    }
    if (flags & ~masks & BEFORE_FLAGS) {
        flags = (flags & BEFORE_FLAGS) | earlier;
    }
    s->mxcsr |= flags;
    env->fp_mxcsr = (env->fp_mxcsr & ~MXCSR_FLAGS) | (s->mxcsr & MXCSR_FLAGS);
    if (flags & ~masks) {
        x86_raise(s, s->cr[4] & CR4_OSXMMEXCPT ? EXCP_XM : EXCP_UD);
    }
}

static void ldmxcsr(TcgEnv *env, uint32_t v)
{
    X86State *s = x86_state(env);

    if (v & ~x86_mxcsr_mask(s)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    x86_fp_collect(s);
    s->mxcsr = v;
    x86_fp_update_env(s);
}

static uint32_t stmxcsr(TcgEnv *env)
{
    X86State *s = x86_state(env);

    x86_fp_collect(s);
    return s->mxcsr;
}

/* MASKMOVDQU, MASKMOVQ: bytes whose mask has its high bit set. Nothing is written where one faults. */
static void maskmov(TcgEnv *env, uint64_t addr, uint32_t src, uint32_t mask, uint32_t mmx,
                    uint32_t mmu)
{
    X86State *s = x86_state(env);
    unsigned n = mmx ? 8 : 16;
    uint64_t width = x86_code64(s) ? UINT64_MAX : UINT32_MAX;
    const uint8_t *v = mmx ? (const uint8_t *)&s->st[src].m : s->xmm[src];
    const uint8_t *m = mmx ? (const uint8_t *)&s->st[mask].m : s->xmm[mask];

    if (x86_code64(s) && !x86_canonical(s, addr)) {     /* whatever the mask says */
        x86_raise_error(s, EXCP_GP, 0);
    }
    for (unsigned i = 0; i < n; i++) {
        if (m[i] & 0x80) {              /* CR2: where the operand, or its second page, begins */
            uint64_t page = (addr + i) & ~(uint64_t)(TCG_PAGE_SIZE - 1);

            tcg_probe(env, MAX(addr, page) & width, 1, true, mmu);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (m[i] & 0x80) {
            tcg_stu8(env, (addr + i) & width, v[i], mmu);
        }
    }
}

/* Before each MMX instruction (SDM vol. 1, 9.2): #UD, #NM, #MF. */
static void mmx_check(TcgEnv *env)
{
    X86State *s = x86_state(env);

    if (s->cr[0] & CR0_EM) {
        x86_raise(s, EXCP_UD);
    }
    if (s->cr[0] & CR0_TS) {
        x86_raise(s, EXCP_NM);
    }
    x86_fp_collect(s);
    x86_fpu_wait(s);
}

static void fxsave(TcgEnv *env, uint64_t addr, uint32_t wide, uint32_t mmu)
{
    X86State *s = x86_state(env);
    bool xmm = s->cr[4] & CR4_OSFXSR;
    /* EFER.FFXSR: without the XMM registers in 64-bit mode at CPL 0 (APM vol. 2, 11.4.4). */
    uint8_t img[512];

    x86_fp_collect(s);
    tcg_ld_bytes(env, addr, img, sizeof(img), mmu);
    tcg_probe(env, addr, sizeof(img), true, mmu);
    x86_fxsave_image(s, img, wide, xmm);
    tcg_st_bytes(env, addr, img, sizeof(img), mmu);
}

static void fxrstor(TcgEnv *env, uint64_t addr, uint32_t wide, uint32_t mmu)
{
    X86State *s = x86_state(env);
    uint8_t img[512];

    tcg_ld_bytes(env, addr, img, sizeof(img), mmu);
    x86_fp_collect(s);
    if (!x86_fxrstor_image(s, img, wide, s->cr[4] & CR4_OSFXSR)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
}

#define ALL (IR_H_RAISES | IR_H_READS | IR_H_WRITES | IR_H_FPENV)
const IrHelper helper_sse_begin = { "sse_begin", sse_begin, "v:e", IR_H_FPENV, 0, 0 };
const IrHelper helper_sse_check = { "sse_check", sse_check, "v:e", IR_H_FPENV | IR_H_RAISES, 0, 0 };
const IrHelper helper_ldmxcsr = { "ldmxcsr", ldmxcsr, "v:el", IR_H_FPENV | IR_H_RAISES, 0, 0 };
const IrHelper helper_stmxcsr = { "stmxcsr", stmxcsr, "l:e", IR_H_FPENV, 0, 0 };
const IrHelper helper_maskmov = { "maskmov", maskmov, "v:eqllll", IR_H_READS | IR_H_RAISES, 0, 0 };
const IrHelper helper_mmx_check = { "mmx_check", mmx_check, "v:e", ALL, 0, 0 };
const IrHelper helper_fxsave = { "fxsave", fxsave, "v:eqll", ALL & ~IR_H_WRITES, 0, 0 };
const IrHelper helper_fxrstor = { "fxrstor", fxrstor, "v:eqll", ALL, 0, 0 };
