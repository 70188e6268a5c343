/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual-8086 mode: what CLI, STI, PUSHF and POPF do with IOPL, CR4.VME, VIF and VIP (SDM vol. 3B, 21.2 and
 * 21.3), and the segments' limits, one row a case; each ends at an exception.
 */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "tests/lib/x86-harness.h"

enum { IOPL3 = FL_IOPL, NO_EXC = EXCP_UD };     /* UD2 behind the code */

static const struct {
    const char *what;
    uint8_t code[12], len;
    uint64_t cr4;
    uint32_t flags;             /* besides VM and bit 1 */
    uint16_t sp, word;          /* SP, and what lies there */
    int vector;
    uint32_t flags_after;       /* of FL_IF, FL_VIF, FL_VIP, FL_IOPL, FL_CF */
    uint16_t sp_after, pushed;  /* what lies at it then */
} cases[] = {
    { "CLI at IOPL 3", { 0xfa }, 1, 0, IOPL3 | FL_IF, 256, 0, NO_EXC, IOPL3, 256, 0 },
    { "CLI at IOPL 0", { 0xfa }, 1, 0, FL_IF, 256, 0, EXCP_GP, FL_IF, 256, 0 },
    { "CLI with VME clears VIF", { 0xfa }, 1, CR4_VME, FL_IF | FL_VIF, 256, 0, NO_EXC, FL_IF, 256, 0 },
    { "STI at IOPL 0", { 0xfb }, 1, 0, 0, 256, 0, EXCP_GP, 0, 256, 0 },
    { "STI with VME sets VIF", { 0xfb }, 1, CR4_VME, 0, 256, 0, NO_EXC, FL_VIF, 256, 0 },
    { "STI with VIP", { 0xfb }, 1, CR4_VME, FL_VIP, 256, 0, EXCP_GP, FL_VIP, 256, 0 },
    { "PUSHF at IOPL 3", { 0x9c }, 1, 0, IOPL3 | FL_IF, 256, 0, NO_EXC, IOPL3 | FL_IF, 254,
      IOPL3 | FL_IF | FL_1 },
    { "PUSHF at IOPL 0", { 0x9c }, 1, 0, FL_IF, 256, 0, EXCP_GP, FL_IF, 256, 0 },
    { "PUSHF with VME: VIF clear, IOPL 3", { 0x9c }, 1, CR4_VME, FL_IF | FL_CF, 256, 0, NO_EXC,
      FL_IF | FL_CF, 254, IOPL3 | FL_1 | FL_CF },
    { "PUSHF with VME: VIF set", { 0x9c }, 1, CR4_VME, FL_VIF, 256, 0, NO_EXC, FL_VIF, 254,
      IOPL3 | FL_IF | FL_1 },
    { "PUSHFD with VME", { 0x66, 0x9c }, 2, CR4_VME, FL_VIF, 256, 0, EXCP_GP, FL_VIF, 256, 0 },
    { "POPF at IOPL 0", { 0x9d }, 1, 0, FL_IF, 256, FL_CF, EXCP_GP, FL_IF, 256, FL_CF },
    { "POPF with VME: IF goes to VIF, IOPL stays", { 0x9d }, 1, CR4_VME, 0, 256, FL_CF | FL_IF | IOPL3,
      NO_EXC, FL_CF | FL_VIF, 258, 0 },
    { "POPF with VME clears VIF", { 0x9d }, 1, CR4_VME, FL_VIF | FL_IF, 256, 0, NO_EXC, FL_IF, 258, 0 },
    { "POPF with VME: IF and VIP", { 0x9d }, 1, CR4_VME, FL_VIP, 256, FL_IF, EXCP_GP, FL_VIP, 256, FL_IF },
    { "POPF with VME: IF clear and VIP", { 0x9d }, 1, CR4_VME, FL_VIP | FL_VIF, 256, FL_CF, NO_EXC,
      FL_VIP | FL_CF, 258, 0 },
    { "POPF with VME: TF", { 0x9d }, 1, CR4_VME, 0, 256, FL_TF, EXCP_GP, 0, 256, FL_TF },
    { "POPFD with VME", { 0x66, 0x9d }, 2, CR4_VME, 0, 256, 0, EXCP_GP, 0, 256, 0 },
    /* mov ax, [0xffff]: the word's second byte lies beyond the limit */
    { "a word at offset FFFF", { 0xa1, 0xff, 0xff }, 3, 0, 0, 256, 0, EXCP_GP, 0, 256, 0 },
    { "the byte at offset FFFF", { 0xa0, 0xff, 0xff }, 3, 0, 0, 256, 0, NO_EXC, 0, 256, 0 },
    /* 32-bit address 0x10000 */
    { "offset 10000", { 0x67, 0xa0, 0, 0, 1, 0 }, 6, 0, 0, 256, 0, EXCP_GP, 0, 256, 0 },
    { "PUSH AX with SP 1", { 0x50 }, 1, 0, 0, 1, 0, EXCP_SS, 0, 1, 0 },
    { "POP AX with SP FFFF", { 0x58 }, 1, 0, 0, 0xffff, 0, EXCP_SS, 0, 0xffff, 0 },
    { "[BP] at FFFF", { 0xbd, 0xff, 0xff, 0x8b, 0x46, 0 }, 6, 0, 0, 256, 0, EXCP_SS, 0, 256, 0 },
    { "LGDT isn't allowed", { 0x0f, 0x01, 0x16, 0, 0 }, 5, 0, IOPL3, 256, 0, EXCP_GP, IOPL3, 256, 0 },
    { "SLDT doesn't exist", { 0x0f, 0x00, 0xc0 }, 3, 0, IOPL3, 256, 0, EXCP_UD, IOPL3, 256, 0 },
    { "VEX doesn't exist", { 0xc5, 0xf8, 0x77 }, 3, 0, IOPL3, 256, 0, EXCP_UD, IOPL3, 256, 0 },
};

static void run_cases(Test *t, const TcgBackend *be)
{
    enum { MASK = FL_IF | FL_VIF | FL_VIP | FL_IOPL | FL_CF };
    static XhState in, out;
    Xh *h = xh_new(be);

    if (!h) {
        test_fail(t, "no harness");
        return;
    }
    for (unsigned k = 0; k < ARRAY_SIZE(cases); k++) {
        uint8_t code[16] = { 0 };
        uint16_t pushed = 0;

        memcpy(code, cases[k].code, cases[k].len);
        code[cases[k].len] = 0x0f;
        code[cases[k].len + 1] = 0x0b;
        xh_state_init(&in, 86);
        in.cr4 = cases[k].cr4;
        in.eflags = FL_VM | FL_1 | cases[k].flags;
        in.regs[R_SP] = cases[k].sp;
        if (cases[k].sp < XH_DATA_SIZE) {
            memcpy(in.data + cases[k].sp, &cases[k].word, 2);
        }
        xh_run(h, code, sizeof(code), &in, &out);
        check_int(t, out.vector, cases[k].vector, cases[k].what);
        check_u32(t, out.eflags & MASK, cases[k].flags_after, cases[k].what);
        check_u16(t, out.regs[R_SP], cases[k].sp_after, cases[k].what);
        if (cases[k].sp_after < XH_DATA_SIZE) {
            memcpy(&pushed, out.data + cases[k].sp_after, 2);
            check_u16(t, pushed, cases[k].pushed, cases[k].what);
        }
    }
}

TEST(x86_v86, interpreter)
{
    run_cases(t, &tcg_backend_interp);
}

#ifdef __x86_64__
TEST(x86_v86, backend)
{
    run_cases(t, &tcg_backend_x86_64);
}
#endif
