/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The saved state: everything that the guest can see. */
#include "util/osdep.h"
#include "target/m68k/cpu.h"
#include "target/m68k/fp-double.h"

static const VmField f80_fields[] = { VM_U64(F80, m), VM_U16(F80, se), VM_END };
static const VmMeaning f80_meanings[] = {
    { "m", "mantissa" }, { "se", "sign and exponent", .flags = FLAGS({ "EXPONENT", 0x7fff }, { "SIGN", 0x8000 }) }, { .name = NULL }
};
static const VmState f80_vm = { .version = 1, .fields = f80_fields, .meanings = f80_meanings };

typedef struct M68kFpFrame M68kFpFrame;
static const VmField frame_fields[] = {
    VM_U8_RANGE(M68kFpFrame, kind, 0, 2), VM_U16(M68kFpFrame, cmdreg), VM_U8(M68kFpFrame, stag),
    VM_U8(M68kFpFrame, dtag), VM_BOOL(M68kFpFrame, e1), VM_BOOL(M68kFpFrame, e3),
    VM_BOOL(M68kFpFrame, t), VM_BOOL(M68kFpFrame, unsup), VM_STRUCT(M68kFpFrame, etemp, f80_vm),
    VM_STRUCT(M68kFpFrame, fptemp, f80_vm), VM_STRUCT(M68kFpFrame, wbtemp, f80_vm),
    VM_U32(M68kFpFrame, ea), VM_END
};
static const VmMeaning frame_meanings[] = {
    { "kind", "of the frame", VALUES("null", "idle", "unimplemented or busy") }, { "cmdreg", "command word of the instruction" },
    { "stag", "kind of its source" }, { "dtag", "kind of its destination" }, { "ea", "where it stores" },
    { "unsup", "an operand is of a type left to software" }, { .name = NULL }
};
static const VmState frame_vm = { .version = 1, .fields = frame_fields, .meanings = frame_meanings };

static const VmField env_fields[] = {
    VM_U64_ARRAY(M68kState, d), VM_U64_ARRAY(M68kState, a),
    { .name = "pc", .kind = &vm_kind_u64, .offset = offsetof(M68kState, tcg.pc),
      .size = sizeof(uint64_t), .num = 1 },
    VM_U32(M68kState, cc_op), VM_U32(M68kState, cc_a), VM_U32(M68kState, cc_b),
    VM_U32(M68kState, x_op), VM_U32(M68kState, x_a), VM_U32(M68kState, x_b),
    VM_U32(M68kState, usp), VM_U32(M68kState, isp), VM_U32(M68kState, msp), VM_U16(M68kState, sr),
    VM_U32(M68kState, vbr), VM_U32(M68kState, cacr), VM_U32(M68kState, caar),
    VM_U8_RANGE(M68kState, sfc, 0, 7), VM_U8_RANGE(M68kState, dfc, 0, 7),
    VM_U32(M68kState, buscr), VM_U32(M68kState, pcr),
    VM_U32(M68kState, tc), VM_U32(M68kState, urp), VM_U32(M68kState, srp),
    VM_U32_ARRAY(M68kState, itt), VM_U32_ARRAY(M68kState, dtt), VM_U32(M68kState, mmusr),
    VM_U64(M68kState, crp64), VM_U64(M68kState, srp64), VM_U32_ARRAY(M68kState, tt),
    VM_STRUCT_ARRAY(M68kState, fp, f80_vm), VM_U32(M68kState, fpcr), VM_U32(M68kState, fpsr),
    VM_U32(M68kState, fpiar), VM_BOOL(M68kState, fp_null), VM_U8(M68kState, fp_pending), VM_STRUCT(M68kState, fpframe, frame_vm),
    VM_BOOL(M68kState, stopped), VM_BOOL(M68kState, dead), VM_BOOL(M68kState, trace_pending),
    VM_END
};

static bool recipe_ok(uint32_t op, bool x)
{
    uint32_t kind = op >> 2;

    return (op & 3) < 3 && (x ? kind <= CC_SUB : kind < CC_KINDS);
}

static bool env_post_load(void *opaque, Error **errp)
{
    M68kState *s = opaque;
    bool wide = false;

    for (unsigned i = 0; i < 8; i++) {
        wide |= s->d[i] >> 32 || s->a[i] >> 32;
    }
    if (wide || s->tcg.pc >> 32 || !recipe_ok(s->cc_op, false) ||
        !(recipe_ok(s->x_op, true) || s->x_op >> 2 == CC_SHIFT) || (s->sr & ~(uint32_t)SR_SYSTEM)) {
        error_setf(errp, ERR_STATE_INVALID, "the CPU's state holds values that it can't have");
        return false;
    }
    s->excp = EXCP_NONE;
    s->delivering = s->in_group0 = false;
    return true;
}

static const VmMeaning env_meanings[] = {
    { "pc", "program counter" }, { "cc_op", "what the condition codes are made of" }, { "cc_a", "an operand of it" },
    { "cc_b", "the other" },
    { "x_op", "what X is made of" }, { "x_a", "an operand of it" }, { "x_b", "the other" },
    { "usp", "user stack pointer" }, { "isp", "interrupt stack pointer" }, { "msp", "master stack pointer" },
    { "vbr", "vector base" },
    { "cacr", "cache control" }, { "caar", "cache address" }, { "sfc", "source function code" },
    { "dfc", "destination function code" },
    { "buscr", "bus control (68060)" }, { "pcr", "processor configuration (68060)" },
    { "tc", "translation control", .flags = FLAGS({ "P", 0x4000 }, { "E40", 0x8000 }, { "E30", 0x80000000 }) },
    { "urp", "user root pointer" }, { "srp", "supervisor root pointer" },
    { "itt", "instruction transparent translation", ELEMENTS("ITT0", "ITT1") },
    { "dtt", "data transparent translation", ELEMENTS("DTT0", "DTT1") },
    { "mmusr", "MMU status" }, { "crp64", "CPU root pointer (68030, 68851)" }, { "srp64", "supervisor root pointer of the same" },
    { "tt", "transparent translation (68030)", ELEMENTS("TT0", "TT1") },
    { "fpcr", "floating-point control", .flags = FLAGS({ "RND", 0x30 }, { "PREC", 0xc0 }, { "EXC", 0xff00 }) },
    { "fpsr", "floating-point status", .flags = FLAGS({ "AEXC", 0xf8 }, { "EXC", 0xff00 }, { "QUOTIENT", 0xff0000 },
      { "CC", 0x0f000000 }) }, { "fpiar", "the last floating-point instruction" },
    { "fp_pending", "vector of a floating-point exception that waits; 0: none" },
    { "d", "data registers" }, { "a", "address registers" },
    { "sr", "without the condition codes, which cc_op computes",
      .flags = FLAGS({ "T", 0xc000 }, { "S", 0x2000 }, { "M", 0x1000 }, { "IPM", 0x700 }) },
    { .name = NULL }
};

static const VmState env_vm = {
    .version = 1, .fields = env_fields, .post_load = env_post_load, .meanings = env_meanings,
};

const VmMeaning m68k_cpu_meanings[] = {
    { "saved_lines", "requests that wait for the processor, a bit each" }, { "saved_halted", "it doesn't run" },
    { "saved_ipl", "level of the interrupt that is asked for" }, { .name = NULL }
};

const VmField m68k_cpu_fields[] = {
    VM_U32(M68kCpu, saved_lines), VM_BOOL(M68kCpu, saved_halted),
    VM_U8_RANGE(M68kCpu, saved_ipl, 0, 7), VM_STRUCT_PTR(M68kCpu, env, env_vm), VM_END
};

void m68k_cpu_gather(void *opaque)
{
    M68kCpu *cpu = opaque;

    m68k_fp_settle(cpu->env);
    cpu->saved_lines = cpu->parent.interrupt_request;
    cpu->saved_halted = cpu->parent.halted;
    cpu->saved_ipl = cpu->env->ipl;
}

bool m68k_cpu_post_load(void *opaque, UNUSED Error **errp)
{
    M68kCpu *cpu = opaque;
    M68kState *s = cpu->env;

    cpu->parent.interrupt_request = cpu->saved_lines;
    cpu->parent.halted = cpu->saved_halted;
    s->ipl = cpu->saved_ipl;
    s->nmi = false;
    memset(s->fptag, 0, sizeof(s->fptag));
    s->fl_cmd = 0;
    s->tcg.fp_mxcsr = 0;
    m68k_fp_mode(s);
    tcg_tlb_flush(&s->tcg);
    m68k_mode_sync(s);
    return true;
}
