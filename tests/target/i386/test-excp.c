/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exception and interrupt frames, double faults, IRET, task switches. */
#include "util/osdep.h"
#include "tests/target/i386/fixture.h"

static void idt32(Fixture *f, int vector, uint16_t sel, uint32_t off, unsigned type, unsigned dpl)
{
    put_gate(f, IDT + vector * 8, sel, off, type, dpl, 0);
}

static void idt64(Fixture *f, int vector, uint16_t sel, uint32_t off, unsigned ist)
{
    put_gate(f, IDT + vector * 16, sel, off, SYS_INT32, 0, ist);
    store_le64(f->ram + IDT + vector * 16 + 8, 0);
}

/* As the loop does: take what is pending, again if that raised. */
static void take(Fixture *f)
{
    for (int i = 0; i < 5 && f->s->excp != EXCP_NONE; i++) {
        (void)CATCH(f, x86_take_exception(&f->s->tcg));
    }
}

TEST(excp, real_mode)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;

    store_le16(f->ram + 0x10 * 4, 0x1234);
    store_le16(f->ram + 0x10 * 4 + 2, 0xc000);
    x86_set_segment_real(s, S_SS, 0x800);
    x86_set_segment_real(s, S_CS, 0x700);
    s->regs[R_SP] = 0xaaaa0100;
    s->tcg.pc = 0x55;
    x86_set_eflags(s, FL_1 | FL_IF | FL_CF);
    check_true(t, CATCH(f, x86_raise_soft(s, 0x10, 2)), "INT 10h");
    take(f);
    check_u16(t, s->seg[S_CS].selector, 0xc000, "CS");
    check_u64(t, s->tcg.pc, 0x1234, "IP");
    check_u64(t, s->regs[R_SP], 0xaaaa00fa, "SP; the upper half stays");
    check_u16(t, load_le16(f->ram + 0x80fa), 0x57, "IP behind the instruction");
    check_u16(t, load_le16(f->ram + 0x80fc), 0x700, "old CS");
    check_u16(t, load_le16(f->ram + 0x80fe), FL_1 | FL_IF | FL_CF, "flags");
    check_u32(t, x86_get_eflags(s), FL_1 | FL_CF, "IF is clear");
    check_true(t, !CATCH(f, x86_iret(s, 2, 0)), "IRET");
    check_u64(t, s->tcg.pc, 0x57, "back");
    check_u32(t, x86_get_eflags(s), FL_1 | FL_IF | FL_CF, "IF is back");
}

TEST(excp, same_level)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;

    enter_protected(f, 0);
    idt32(f, EXCP_GP, SEL_CODE0, 0x6000, SYS_INT32, 0);
    x86_set_eflags(s, FL_1 | FL_IF | FL_TF);
    check_true(t, CATCH(f, x86_raise_error(s, EXCP_GP, 0x58)), "#GP");
    take(f);
    check_u64(t, s->tcg.pc, 0x6000, "EIP");
    check_u64(t, s->regs[R_SP], STACK0 - 16, "no stack switch, four pushes");
    check_u32(t, load_le32(f->ram + STACK0 - 16), 0x58, "error code");
    check_u32(t, load_le32(f->ram + STACK0 - 12), 0x4000, "EIP of the instruction");
    check_u32(t, load_le32(f->ram + STACK0 - 8), SEL_CODE0, "CS");
    check_u32(t, load_le32(f->ram + STACK0 - 4), FL_1 | FL_IF | FL_TF | FL_RF, "RF in a fault's flags");
    check_u32(t, x86_get_eflags(s), FL_1, "IF and TF are clear");
}

/* Going back from a fault: RF is for the next instruction's breakpoint, and only for it. */
TEST(excp, rf_returned_to)
{
    for (unsigned breakpoints = 0; breakpoints < 2; breakpoints++) {
        Fixture *f = fixture_new(t, "max-x86_64-cpu");
        X86State *s = f->s;

        enter_protected(f, 0);
        idt32(f, EXCP_GP, SEL_CODE0, 0x6000, SYS_INT32, 0);
        x86_set_eflags(s, FL_1 | FL_IF);
        check_true(t, CATCH(f, x86_raise_error(s, EXCP_GP, 0x58)), "#GP");
        take(f);
        x86_set_dr(s, 0, 0x4000);
        x86_set_dr(s, 7, breakpoints ? 0x401 : 0x400);
        s->regs[R_SP] += 4;
        check_true(t, !CATCH(f, x86_iret(s, 4, 0)), "IRET");
        check_u32(t, x86_get_eflags(s), FL_1 | FL_IF | (breakpoints ? FL_RF : 0),
                  "RF where something looks at it, else nothing would clear it");
    }
}

TEST(excp, inner_level)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;

    enter_protected(f, 3);
    idt32(f, 0x80, SEL_CODE0, 0x6000, SYS_TRAP32, 3);
    idt32(f, 0x81, SEL_CODE0, 0x6000, SYS_TRAP32, 0);
    idt32(f, EXCP_GP, SEL_CODE0, 0x7000, SYS_INT32, 0);
    x86_set_eflags(s, FL_1 | FL_IF);
    check_true(t, CATCH(f, x86_raise_soft(s, 0x80, 2)), "INT 80h");
    take(f);
    check_u8(t, s->cpl, 0, "level 0");
    check_u32(t, load_le32(f->ram + STACK0 - 4), SEL_DATA3, "SS");
    check_u32(t, load_le32(f->ram + STACK0 - 8), STACK3, "ESP");
    check_u32(t, load_le32(f->ram + STACK0 - 20), 0x4002, "EIP");
    check_u32(t, x86_get_eflags(s), FL_1 | FL_IF, "a trap gate leaves IF");
    check_true(t, !CATCH(f, x86_iret(s, 4, 0)), "IRET");
    check_u8(t, s->cpl, 3, "level 3");
    check_u64(t, s->regs[R_SP], STACK3, "its stack");
    (void)CATCH(f, x86_raise_soft(s, 0x81, 2));
    take(f);
    check_u64(t, s->tcg.pc, 0x7000, "a gate of level 0 is a #GP to level 3");
    check_u32(t, load_le32(f->ram + STACK0 - 24), 0x81 * 8 + 2, "its IDT error code, no EXT");
}

TEST(excp, long_mode)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;

    enter_long(f, 3);
    idt64(f, EXCP_PF, SEL_CODE64, 0x6000, 0);
    idt64(f, EXCP_NMI, SEL_CODE64, 0x7000, 2);
    store_le64(f->ram + TSS + 0x24 + 8, 0xa000);
    s->regs[R_SP] = STACK3 - 3;
    s->cr[2] = 0;
    x86_set_eflags(s, FL_1 | FL_IF);
    (void)CATCH(f, x86_raise_error(s, EXCP_PF, 7));
    take(f);
    check_u64(t, s->tcg.pc, 0x6000, "RIP");
    check_u64(t, s->regs[R_SP], STACK0 - 48, "six pushes of 8 bytes");
    check_u64(t, load_le64(f->ram + STACK0 - 8), SEL_DATA3, "SS");
    check_u64(t, load_le64(f->ram + STACK0 - 16), STACK3 - 3, "RSP");
    check_u64(t, load_le64(f->ram + STACK0 - 48), 7, "error code");
    check_u16(t, s->seg[S_SS].selector, 0, "SS is null");
    x86_queue_interrupt(s, EXCP_NMI);
    s->regs[R_SP] = 0x8005;
    take(f);
    check_u64(t, s->regs[R_SP], 0xa000 - 40, "IST stack");
    check_u64(t, load_le64(f->ram + 0xa000 - 16), 0x8005, "RSP");
    check_true(t, s->nmi_masked, "NMI masks NMIs");
    check_true(t, !CATCH(f, x86_iret(s, 8, 0)), "IRETQ with the null SS of level 0");
    check_u64(t, s->tcg.pc, 0x6000, "back");
    check_u64(t, s->regs[R_SP], 0x8005, "RSP is back");
    check_true(t, !s->nmi_masked, "IRET unmasks");
}

TEST(excp, double_and_triple)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;

    enter_protected(f, 0);
    idt32(f, EXCP_DF, SEL_CODE0, 0x6000, SYS_INT32, 0);
    (void)CATCH(f, x86_raise_error(s, EXCP_GP, 0));     /* no gate: #GP again */
    take(f);
    check_u64(t, s->tcg.pc, 0x6000, "#DF");
    check_u32(t, load_le32(f->ram + STACK0 - 16), 0, "its error code is 0");
    idt32(f, EXCP_NP, SEL_CODE0, 0x7000, SYS_INT32, 0);
    put_gate(f, IDT + 0x30 * 8, SEL_CODE0, 0, SYS_INT32, 0, 0);
    store_le32(f->ram + IDT + 0x30 * 8 + 4, SYS_INT32 << 8);    /* not present */
    x86_queue_interrupt(s, 0x30);
    take(f);
    check_u64(t, s->tcg.pc, 0x7000, "a fault in an interrupt's delivery is no double fault");
    check_u32(t, load_le32(f->ram + s->regs[R_SP]), 0x30 * 8 + 3, "its error code has EXT");
    memset(f->ram + IDT, 0, 0x800);
    (void)CATCH(f, x86_raise_error(s, EXCP_GP, 0));
    take(f);
    check_true(t, s->shutdown && f->cpu->parent.halted, "three faults: shutdown");
    check_true(t, !x86_has_work(&s->tcg), "nothing but INIT, NMI, SMI wakes it");
}

TEST(excp, virtual_8086)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;
    uint32_t frame[] = { 0x100, 0x2000, FL_1 | FL_VM | FL_IF, 0x200, 0x3000, 0x11, 0x22, 0x33, 0x44 };

    enter_protected(f, 0);
    s->regs[R_SP] = STACK0 - sizeof(frame);
    for (size_t i = 0; i < ARRAY_SIZE(frame); i++) {
        store_le32(f->ram + STACK0 - sizeof(frame) + i * 4, frame[i]);
    }
    check_true(t, !CATCH(f, x86_iret(s, 4, 0)), "IRET to virtual-8086 mode");
    check_u8(t, s->cpl, 3, "level 3");
    check_u64(t, s->seg[S_CS].base, 0x20000, "CS base");
    check_u16(t, s->seg[S_ES].selector, 0x11, "ES");
    check_u16(t, s->seg[S_GS].selector, 0x44, "GS");
    check_u64(t, s->regs[R_SP], 0x200, "SP");
    idt32(f, EXCP_GP, SEL_CODE0, 0x6000, SYS_INT32, 0);
    (void)CATCH(f, x86_raise_soft(s, 0x21, 2));
    take(f);
    check_u64(t, s->tcg.pc, 0x6000, "INT n with IOPL 0 is a #GP");
    check_u32(t, x86_get_eflags(s) & FL_VM, 0, "VM is clear");
    check_u64(t, s->regs[R_SP], STACK0 - 40, "nine pushes and the error code");
    check_u32(t, load_le32(f->ram + STACK0 - 4), 0x44, "GS");
    check_u32(t, load_le32(f->ram + STACK0 - 16), 0x11, "ES");
    check_u32(t, load_le32(f->ram + STACK0 - 36), 0x100, "IP of the instruction");
    check_u16(t, s->seg[S_DS].selector, 0, "data segments are null");
}

TEST(excp, task_switch)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;
    enum { TSS2 = 0x5000 };

    enter_protected(f, 0);
    put_desc(f, GDT + SEL_TSS, TSS, 0xfff, SEG_P | SYS_TSS32_BUSY << 8);
    put_desc(f, GDT + SEL_FREE, TSS2, 0x67, SEG_P | SYS_TSS32 << 8);
    store_le32(f->ram + TSS2 + 0x20, 0x7777);
    store_le32(f->ram + TSS2 + 0x24, FL_1 | FL_IF);
    store_le32(f->ram + TSS2 + 0x28, 0xdeadbeef);
    store_le32(f->ram + TSS2 + 0x38, STACK3);
    for (int i = 0; i < 6; i++) {
        store_le16(f->ram + TSS2 + 0x48 + i * 4, i == S_CS ? SEL_CODE0 : SEL_DATA0);
    }
    s->regs[R_AX] = 0x12345678;
    check_true(t, !CATCH(f, x86_far_call(s, SEL_FREE, 0, 4, 0x4005)), "CALL to a TSS");
    check_u64(t, s->tcg.pc, 0x7777, "EIP of the new task");
    check_u64(t, s->regs[R_AX], 0xdeadbeef, "EAX of the new task");
    check_u64(t, s->regs[R_SP], STACK3, "ESP");
    check_u32(t, x86_get_eflags(s), FL_1 | FL_IF | FL_NT, "NT: nested");
    check_u16(t, s->seg[S_TR].selector, SEL_FREE, "TR");
    check_true(t, s->cr[0] & CR0_TS, "TS");
    check_u16(t, load_le16(f->ram + TSS2), SEL_TSS, "back link");
    check_u32(t, load_le32(f->ram + TSS + 0x20), 0x4005, "the old task's EIP");
    check_u32(t, load_le32(f->ram + TSS + 0x28), 0x12345678, "the old task's EAX");
    check_u8(t, f->ram[GDT + SEL_FREE + 5] & 15, SYS_TSS32_BUSY, "busy");
    check_true(t, !CATCH(f, x86_iret(s, 4, 0x7778)), "IRET to the old task");
    check_u64(t, s->tcg.pc, 0x4005, "its EIP");
    check_u64(t, s->regs[R_AX], 0x12345678, "its EAX");
    check_u8(t, f->ram[GDT + SEL_FREE + 5] & 15, SYS_TSS32, "no longer busy");
    check_u32(t, load_le32(f->ram + TSS2 + 0x24) & FL_NT, 0, "NT was cleared in the image");
}

TEST(excp, breakpoints)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;
    void (*check)(X86State *, uint64_t) = (void (*)(X86State *, uint64_t))x86_h_breakpoint.fn;

    enter_long(f, 0);
    idt64(f, EXCP_DB, SEL_CODE64, 0x6000, 0);
    x86_set_dr(s, 0, 0x4000);
    x86_set_dr(s, 1, 0x5004);
    check_true(t, !(x86_mode_word(s) & MW_BP), "disabled");
    x86_set_dr(s, 7, 0x00d00005);       /* 0: instruction; 1: a write of 4 bytes, L1 */
    check_true(t, x86_mode_word(s) & MW_BP, "one is of instructions");
    check_true(t, !CATCH(f, check(s, 0x4001)), "another instruction");
    check_true(t, CATCH(f, check(s, 0x4000)), "it hits");
    take(f);
    check_u64(t, s->tcg.pc, 0x6000, "#DB");
    check_u64(t, s->dr[6], 0xffff0ff1, "B0");
    check_u64(t, load_le64(f->ram + s->regs[R_SP]), 0x4000, "before the instruction");
    s->eflags |= FL_RF;
    check_true(t, !CATCH(f, check(s, 0x4000)), "RF lets it pass");
    check_true(t, CATCH(f, check(s, 0x4000)), "once");
    s->excp = EXCP_NONE;
    x86_set_dr(s, 6, 0);
    x86_set_dr(s, 7, 0x00d10404);       /* 1: a write of 4 bytes, L1 */
    check_true(t, x86_page_watched(s, 0x5000) && !x86_page_watched(s, 0x6000), "watched page");
    x86_debug_hit(&s->tcg, 0x5000, 4, MMU_WRITE);
    check_int(t, s->excp, EXCP_NONE, "beside it");
    x86_debug_hit(&s->tcg, 0x5002, 4, MMU_READ);
    check_int(t, s->excp, EXCP_NONE, "a read");
    x86_debug_hit(&s->tcg, 0x5002, 4, MMU_WRITE);
    check_int(t, s->excp, EXCP_DB, "a write of some of its bytes");
    x86_set_dr(s, 7, 0x2400);
    check_true(t, CATCH(f, x86_get_dr(s, 0)), "general detect");
    check_u64(t, s->excp_dr6, BIT(13), "BD");
}
