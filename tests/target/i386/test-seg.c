/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segment loads, far transfers, descriptor queries (SDM vol. 2). */
#include "util/osdep.h"
#include "tests/target/i386/fixture.h"

static const struct {
    const char *what;
    unsigned cpl;
    int seg;
    uint16_t sel;
    uint32_t flags;             /* of the descriptor SEL_FREE */
    int vector;                 /* EXCP_NONE: loads */
    uint32_t error;
} loads[] = {
    { "data", 0, S_DS, SEL_FREE, D_DATA, EXCP_NONE, 0 },
    { "null", 0, S_DS, 3, 0, EXCP_NONE, 0 },
    { "null SS", 0, S_SS, 0, 0, EXCP_GP, 0 },
    { "beyond the GDT", 0, S_DS, 0x100, 0, EXCP_GP, 0x100 },
    { "no LDT", 0, S_DS, SEL_FREE | 4, 0, EXCP_GP, SEL_FREE | 4 },
    { "readable code", 0, S_ES, SEL_FREE, D_CODE, EXCP_NONE, 0 },
    { "execute-only code", 0, S_ES, SEL_FREE, D_CODE & ~(uint32_t)SEG_RW, EXCP_GP, SEL_FREE },
    { "system descriptor", 0, S_DS, SEL_FREE, SEG_P | SYS_LDT << 8, EXCP_GP, SEL_FREE },
    { "not present", 0, S_DS, SEL_FREE, D_DATA & ~(uint32_t)SEG_P, EXCP_NP, SEL_FREE },
    { "SS not present", 0, S_SS, SEL_FREE, D_DATA & ~(uint32_t)SEG_P, EXCP_SS, SEL_FREE },
    { "SS read-only", 0, S_SS, SEL_FREE, D_DATA & ~(uint32_t)SEG_RW, EXCP_GP, SEL_FREE },
    { "SS of another DPL", 0, S_SS, SEL_FREE, D_DATA | D_DPL(3), EXCP_GP, SEL_FREE },
    { "SS of another RPL", 0, S_SS, SEL_FREE | 3, D_DATA, EXCP_GP, SEL_FREE },
    { "DPL below CPL", 3, S_DS, SEL_FREE, D_DATA, EXCP_GP, SEL_FREE },
    { "DPL below RPL", 0, S_DS, SEL_FREE | 3, D_DATA | D_DPL(1), EXCP_GP, SEL_FREE },
    { "conforming code from level 3", 3, S_DS, SEL_FREE | 3, D_CODE | SEG_DC, EXCP_NONE, 0 },
};

TEST(seg, loads)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");

    for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
        bool raised;

        x86_reset_state(f->s);
        enter_protected(f, loads[i].cpl);
        put_desc(f, GDT + SEL_FREE, 0x123456, 0x12, loads[i].flags);
        raised = CATCH(f, x86_load_segment(f->s, loads[i].seg, loads[i].sel));
        check_int(t, raised ? f->s->excp : EXCP_NONE, loads[i].vector, loads[i].what);
        if (raised) {
            check_u32(t, f->s->excp_error, loads[i].error, loads[i].what);
            check_u16(t, f->s->seg[loads[i].seg].selector, loads[i].cpl ? SEL_DATA3 : SEL_DATA0,
                      "nothing has changed");
        } else {
            check_u16(t, f->s->seg[loads[i].seg].selector, loads[i].sel, loads[i].what);
        }
    }
}

TEST(seg, cache)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");

    enter_protected(f, 0);
    put_desc(f, GDT + SEL_FREE, 0x12345678, 0x12, D_DATA);
    x86_load_segment(f->s, S_DS, SEL_FREE);
    check_u64(t, f->s->seg[S_DS].base, 0x12345678, "base");
    check_u32(t, f->s->seg[S_DS].limit, 0x12fff, "limit in pages");
    check_u32(t, f->s->seg[S_DS].flags, D_DATA | SEG_ACCESSED, "attributes");
    check_u32(t, load_le32(f->ram + GDT + SEL_FREE + 4) & SEG_ACCESSED, SEG_ACCESSED,
              "the accessed bit is written back");
    check_true(t, !(x86_mode_word(f->s) & MW_FLAT), "not flat");
    x86_load_segment(f->s, S_DS, SEL_DATA0);
    check_true(t, x86_mode_word(f->s) & MW_FLAT, "flat");
}

TEST(seg, real)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");

    f->s->seg[S_DS].limit = UINT32_MAX;
    x86_load_segment(f->s, S_DS, 0x1234);
    check_u64(t, f->s->seg[S_DS].base, 0x12340, "base");
    check_u32(t, f->s->seg[S_DS].limit, UINT32_MAX, "the limit stays");
    x86_far_jump(f->s, 0xf000, 0xe05b, 2, 0);
    check_u64(t, f->s->seg[S_CS].base, 0xf0000, "CS base after a far jump");
    check_u64(t, f->s->tcg.pc, 0xe05b, "IP");
}

TEST(seg, far_jump)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");

    enter_protected(f, 0);
    check_true(t, !CATCH(f, x86_far_jump(f->s, SEL_CODE0, 0x12345678, 4, 0)), "code");
    check_u64(t, f->s->tcg.pc, 0x12345678, "EIP");
    check_true(t, CATCH(f, x86_far_jump(f->s, SEL_CODE3, 0, 4, 0)), "outer level");
    check_int(t, f->s->excp, EXCP_GP, "#GP");
    put_desc(f, GDT + SEL_FREE, 0, 0xfff, (D_CODE & ~(uint32_t)SEG_G));
    check_true(t, CATCH(f, x86_far_jump(f->s, SEL_FREE, 0x1000, 4, 0)), "past the limit");
    check_u32(t, f->s->excp_error, 0, "#GP(0)");
    check_u16(t, f->s->seg[S_CS].selector, SEL_CODE0, "CS stays");
}

TEST(seg, call_gate)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;

    enter_protected(f, 3);
    put_gate(f, GDT + SEL_FREE, SEL_CODE0, 0x5678, SYS_CALL32, 3, 2);
    store_le32(f->ram + STACK3 - 8, 0x11111111);
    store_le32(f->ram + STACK3 - 4, 0x22222222);
    s->regs[R_SP] = STACK3 - 8;
    check_true(t, !CATCH(f, x86_far_call(s, SEL_FREE | 3, 0, 4, 0x4007)), "through the gate");
    check_u8(t, s->cpl, 0, "level 0");
    check_u64(t, s->tcg.pc, 0x5678, "EIP");
    check_u16(t, s->seg[S_SS].selector, SEL_DATA0, "SS from the TSS");
    check_u64(t, s->regs[R_SP], STACK0 - 24, "six pushes");
    check_u32(t, load_le32(f->ram + STACK0 - 4), SEL_DATA3, "old SS");
    check_u32(t, load_le32(f->ram + STACK0 - 8), STACK3 - 8, "old ESP");
    check_u32(t, load_le32(f->ram + STACK0 - 12), 0x22222222, "second parameter");
    check_u32(t, load_le32(f->ram + STACK0 - 16), 0x11111111, "first parameter");
    check_u32(t, load_le32(f->ram + STACK0 - 20), SEL_CODE3, "old CS");
    check_u32(t, load_le32(f->ram + STACK0 - 24), 0x4007, "return address");
    check_true(t, !CATCH(f, x86_far_ret(s, 4, 8)), "and back");
    check_u8(t, s->cpl, 3, "level 3");
    check_u64(t, s->regs[R_SP], STACK3, "parameters released on the outer stack");
    check_u64(t, s->tcg.pc, 0x4007, "EIP after the return");
    check_u16(t, s->seg[S_DS].selector, SEL_DATA3, "DS may stay");
}

TEST(seg, queries)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    bool ok;

    enter_protected(f, 3);
    check_u32(t, x86_lar(f->s, SEL_DATA3, &ok), (D_DATA | D_DPL(3)), "LAR");
    check_true(t, ok, "visible");
    x86_lar(f->s, SEL_DATA0, &ok);
    check_true(t, !ok, "level 0's segment isn't visible to level 3");
    check_u32(t, x86_lsl(f->s, SEL_CODE3, &ok), UINT32_MAX, "LSL");
    check_true(t, x86_verr(f->s, SEL_CODE3) && !x86_verw(f->s, SEL_CODE3), "code");
    check_true(t, x86_verr(f->s, SEL_DATA3) && x86_verw(f->s, SEL_DATA3), "data");
}

TEST(seg, io_permission)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");

    enter_protected(f, 3);
    store_le16(f->ram + TSS + 0x66, 0x68);
    memset(f->ram + TSS + 0x68, 0xff, 0x2001);
    f->ram[TSS + 0x68 + 0x60 / 8] = 0xfe;
    check_true(t, !CATCH(f, x86_check_io(f->s, 0x60, 1)), "bit clear");
    check_true(t, CATCH(f, x86_check_io(f->s, 0x60, 2)), "one of two bits set");
    check_int(t, f->s->excp, EXCP_GP, "#GP");
    f->s->eflags |= FL_IOPL;
    check_true(t, !CATCH(f, x86_check_io(f->s, 0x80, 4)), "IOPL 3");
}

TEST(seg, syscall)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;

    enter_long(f, 3);
    s->efer |= EFER_SCE;
    s->star = UINT64_C(0x0013000800000000);
    s->lstar = UINT64_C(0xffffffff81000000);
    s->fmask = FL_IF | FL_DF;
    x86_set_eflags(s, FL_1 | FL_IF | FL_ZF);
    check_true(t, !CATCH(f, x86_syscall(s, 0x4002)), "SYSCALL");
    check_u64(t, s->tcg.pc, s->lstar, "RIP");
    check_u64(t, s->regs[R_CX], 0x4002, "RCX");
    check_u64(t, s->regs[R_11], FL_1 | FL_IF | FL_ZF, "R11");
    check_u32(t, x86_get_eflags(s), FL_1 | FL_ZF, "masked flags");
    check_u16(t, s->seg[S_CS].selector, 8, "CS");
    check_u8(t, s->cpl, 0, "level 0");
    check_true(t, !CATCH(f, x86_sysret(s, 8)), "SYSRET");
    check_u64(t, s->tcg.pc, 0x4002, "back");
    check_u16(t, s->seg[S_CS].selector, 0x23, "CS of level 3");
    check_u16(t, s->seg[S_SS].selector, 0x1b, "SS of level 3");
    check_u32(t, x86_get_eflags(s), FL_1 | FL_IF | FL_ZF, "flags are back");
}
