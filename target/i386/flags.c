/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lazy flags of the CPU state, made architectural and back.
 */
#include "util/osdep.h"
#include "target/i386/decode.h"
#include "target/i386/state.h"
#include "tcg/x86flags.h"

uint32_t x86_cc_eflags(uint32_t cc_op, uint64_t dst, uint64_t src, uint64_t src2)
{
    static const uint8_t kinds[CC_NUM / 4] = {
        [CC_ADD / 4] = IR_XF_ADD, [CC_ADC / 4] = IR_XF_ADC, [CC_SUB / 4] = IR_XF_SUB,
        [CC_SBB / 4] = IR_XF_SBB, [CC_LOGIC / 4] = IR_XF_LOGIC, [CC_INC / 4] = IR_XF_INC,
        [CC_DEC / 4] = IR_XF_DEC, [CC_SHL / 4] = IR_XF_SHL, [CC_SHR / 4] = IR_XF_SHR,
        [CC_SAR / 4] = IR_XF_SAR,
    };
    unsigned width = 8u << (cc_op & 3), kind = cc_op & ~3u;

    if (cc_op & CC_OVER) {
        return (x86_cc_eflags(cc_op & (CC_OVER - 1), dst, src, src2) & ~(uint32_t)(FL_CF | FL_OF)) |
               (cc_op >> 16 & (FL_CF | FL_OF));
    }
    if (kind == CC_EFLAGS || kind >= CC_NUM) {
        return src & FL_ARITH;
    }
    if (kind == CC_MUL) {
        return x86flags(IR_XF_LOGIC, width, dst, 0, 0) | (src ? FL_CF | FL_OF : 0);
    }
    return x86flags(kinds[kind / 4], width, dst, src, src2);
}

uint32_t x86_flags_there(const X86State *s)
{
    switch (s->generation) {
    case X86_8086:
        return 0xfff;
    case X86_286:
        return s->cr[0] & CR0_PE ? 0x7fff : 0xfff;     /* NT and IOPL are of protected mode */
    case X86_386:
        return FL_VM | FL_RF | 0x7fff;
    default:
        return UINT32_MAX;
    }
}

uint32_t x86_get_eflags(const X86State *s)
{
    return (s->eflags & ~(FL_ARITH | FL_DF)) | FL_1 |
           x86_cc_eflags(s->cc_op, s->cc_dst, s->cc_src, s->cc_src2) |
           ((int64_t)s->df < 0 ? FL_DF : 0);
}

void x86_set_eflags(X86State *s, uint32_t eflags)
{
    s->cc_op = CC_EFLAGS;
    s->cc_src = eflags & FL_ARITH;
    s->df = eflags & FL_DF ? UINT64_MAX : 1;
    s->eflags = (eflags & ~(FL_ARITH | FL_DF)) | FL_1;
}
