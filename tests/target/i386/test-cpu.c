/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identification, MSRs, control registers, saved state, SMM, FPU images. */
#include "util/osdep.h"
#include "target/i386/xsave.h"
#include "tests/target/i386/fixture.h"

TEST(cpu, reset_state)
{
    Fixture *f = fixture_new(t, "qemu64-x86_64-cpu");
    X86State *s = f->s;

    check_u64(t, s->tcg.pc, 0xfff0, "EIP");
    check_u64(t, s->seg[S_CS].base, 0xffff0000, "CS base");
    check_u64(t, s->cr[0], 0x60000010, "CR0");
    check_u64(t, s->regs[R_DX], 0x60fb1, "EDX: family 15, model 107, stepping 1");
    check_u32(t, x86_get_eflags(s), 2, "EFLAGS");
    check_u64(t, x86_64_target_ops.code_address(&s->tcg, s->tcg.pc), 0xfffffff0, "first fetch");
}

TEST(cpu, features)
{
    Error *err = NULL;
    Fixture *f;
    uint32_t r[4];

    check_true(t, x86_cpu_parse_features("pentium3-x86_64-cpu", "+sse2,-pat,sse4_1=on,model=9", &err),
               "syntax");
    check_true(t, !x86_cpu_parse_features("pentium3-x86_64-cpu", "+nonsense", &err), "unknown name");
    error_free(err);
    f = fixture_new(t, "pentium3-x86_64-cpu");
    x86_cpuid(f->s, 1, 0, r);
    check_true(t, r[3] & BIT(26), "+sse2");
    check_true(t, !(r[3] & BIT(16)), "-pat");
    check_true(t, r[2] & BIT(19), "sse4_1=on is sse4.1");
    check_u32(t, r[0], 0x693, "model=9");
    x86_cpuid(f->s, 0, 0, r);
    check_mem(t, &r[1], "Genu", 4, "vendor");
    check_mem(t, &r[3], "ineI", 4, "vendor");
    check_u32(t, r[0], 3, "level");
    x86_cpuid(f->s, 0x40000000, 0, r);
    check_mem(t, &r[1], "TCGTCGTCGTCG", 12, "signature");
}

TEST(cpu, only_what_is_implemented)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    uint32_t r[4];

    x86_cpuid(f->s, 7, 0, r);
    check_u32(t, r[1] & ~x86_implemented(FEAT_7_0_EBX), 0, "leaf 7");
    x86_cpuid(f->s, 0x80000001, 0, r);
    check_true(t, r[3] & BIT(29), "long mode");
    x86_cpuid(f->s, 0x80000008, 0, r);
    check_u32(t, r[0], 40 | 57 << 8, "address widths, of LA57");
    f = fixture_new(t, "max-i386-cpu");
    x86_cpuid(f->s, 0x80000001, 0, r);
    check_true(t, !(r[3] & BIT(29)), "no long mode in an i386 CPU");
}

TEST(cpu, msrs)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;
    uint64_t v;

    check_true(t, !x86_rdmsr(s, 0x12345, &v), "unknown: #GP");
    check_true(t, x86_wrmsr(s, 0x277, UINT64_C(0x0007010600070106)), "PAT");
    check_true(t, !x86_wrmsr(s, 0x277, 2), "PAT: reserved type");
    check_true(t, x86_rdmsr(s, 0x277, &v) && v == UINT64_C(0x0007010600070106), "PAT is kept");
    check_true(t, !x86_wrmsr(s, 0xc0000082, UINT64_C(0x800000000000)), "LSTAR: canonical");
    check_true(t, x86_wrmsr(s, 0xc0000080, EFER_LME | EFER_NXE), "EFER");
    check_true(t, !x86_wrmsr(s, 0xc0000080, BIT(2)), "EFER: reserved bit");
    check_true(t, x86_wrmsr(s, 0x10, 1000000), "TSC");
    check_true(t, x86_rdmsr(s, 0x10, &v) && v >= 1000000 && v < 2000000000, "it counts on");
    check_true(t, x86_rdmsr(s, 0x1b, &v) && (v & 0xfffffffffffff000) == 0xfee00000, "APIC base");
    check_true(t, x86_rdmsr(s, 0xfe, &v) && v == 0x508, "MTRRcap");
}

TEST(cpu, long_mode_entry)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;

    enter_protected(f, 0);
    check_true(t, CATCH(f, x86_set_cr0(s, CR0_PG)), "PG without PE");
    check_true(t, CATCH(f, x86_set_cr0(s, CR0_NW | CR0_PE)), "NW without CD");
    s->efer |= EFER_LME;
    check_true(t, CATCH(f, x86_set_cr0(s, CR0_PE | CR0_PG)), "LME needs PAE");
    x86_set_cr4(s, CR4_PAE);
    check_true(t, !CATCH(f, x86_set_cr0(s, CR0_PE | CR0_PG)), "paging on");
    check_true(t, s->efer & EFER_LMA, "LMA");
    check_true(t, CATCH(f, x86_set_cr4(s, 0)), "PAE can't go");
    check_true(t, CATCH(f, x86_set_cr4(s, CR4_PAE | CR4_LA57)), "unknown bit of CR4");
    x86_set_cr0(s, CR0_PE);
    check_true(t, !(s->efer & EFER_LMA), "LMA goes with PG");
}

TEST(cpu, saved_state)
{
    Fixture *a = fixture_new(t, "max-x86_64-cpu"), *b = fixture_new(t, "max-x86_64-cpu");
    GByteArray *buf = g_byte_array_new();
    Error *err = NULL;

    enter_long(a, 0);
    a->s->regs[R_15] = 0x123456789abcdef0;
    a->s->xmm[15][3] = 0x77;
    a->s->st[2].m = UINT64_C(0x8000000000000000);
    a->s->fpu_top = 6;
    a->s->mxcsr = 0x9fc0;
    a->s->nmi_masked = true;
    a->cpu->parent.halted = true;
    /* Behind a rotate that cleared CF and set OF: a result of 0, whose CF had been set, but for that. */
    x86_set_eflags(a->s, FL_CF | FL_ZF | FL_PF);
    a->s->cc_op |= CC_OVER | (uint32_t)FL_OF << 16;
    check_u32(t, x86_get_eflags(a->s), FL_OF | FL_ZF | FL_PF | FL_1, "flags behind a rotate");
    check_true(t, save_state(&a->cpu->parent.dev, buf, &err), "save");
    check_true(t, load_state(&b->cpu->parent.dev, buf, &err), "load");
    if (err) {
        test_note(t, "%s", error_message(err));
        error_free(err);
        err = NULL;
    }
    check_u64(t, b->s->regs[R_15], a->s->regs[R_15], "r15");
    check_u64(t, b->s->cr[3], PML4, "cr3");
    check_u32(t, x86_get_eflags(b->s), FL_OF | FL_ZF | FL_PF | FL_1, "flags, loaded");
    check_u64(t, b->s->tcg.pc, 0x4000, "pc");
    check_mem(t, b->s->seg, a->s->seg, sizeof(a->s->seg), "segments");
    check_mem(t, b->s->xmm, a->s->xmm, sizeof(a->s->xmm), "xmm");
    check_u32(t, b->s->mxcsr, 0x9fc0, "mxcsr");
    check_u8(t, b->s->fpu_top, 6, "top");
    check_true(t, b->s->nmi_masked && b->cpu->parent.halted, "flags");
    check_u32(t, x86_mode_word(b->s), x86_mode_word(a->s), "mode word");
    a->s->df = 5;
    g_byte_array_set_size(buf, 0);
    check_true(t, save_state(&a->cpu->parent.dev, buf, &err), "save what can't be");
    check_true(t, !load_state(&b->cpu->parent.dev, buf, &err), "is refused");
    error_free(err);
    g_byte_array_free(buf, TRUE);
}

TEST(cpu, smm)
{
    static const char *const types[] = { "max-x86_64-cpu", "max-i386-cpu" };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        Fixture *f = fixture_new(t, types[i]);
        X86State *s = f->s, before;

        enter_protected(f, 3);
        x86_set_eflags(s, FL_1 | FL_IF | FL_ZF);
        s->regs[R_BX] = 0x1234;
        s->cr[4] = CR4_PAE;
        s->efer = EFER_NXE;
        before = *s;
        x86_enter_smm(s);
        check_true(t, s->smm && s->cpl == 0, "in SMM");
        check_u64(t, s->seg[S_CS].base, 0x30000, "CS base");
        check_u64(t, s->tcg.pc, 0x8000, "EIP");
        check_u64(t, s->cr[0] & (CR0_PE | CR0_PG), 0, "real mode");
        check_u32(t, load_le32(f->ram + 0x3fefc), i ? 0x20000 : 0x20064, "revision");
        /* Relocate. */
        store_le32(f->ram + (i ? 0x3fef8 : 0x3ff00), 0xa0000);
        s->regs[R_BX] = 1;
        check_true(t, !CATCH(f, x86_rsm(s)), "RSM");
        check_u64(t, s->smbase, 0xa0000, "SMBASE");
        check_u64(t, s->tcg.pc, before.tcg.pc, "EIP is back");
        check_u64(t, s->regs[R_BX], 0x1234, "EBX is back");
        check_u8(t, s->cpl, 3, "level 3");
        check_mem(t, s->seg, before.seg, sizeof(s->seg), "segments");
        check_u64(t, s->cr[4], CR4_PAE, "CR4");
        check_u64(t, s->efer, EFER_NXE, "EFER, also where the save area has no place for it");
        check_u32(t, x86_get_eflags(s), FL_1 | FL_IF | FL_ZF, "flags");
        check_true(t, CATCH(f, x86_rsm(s)), "RSM outside SMM");
        check_int(t, s->excp, EXCP_UD, "#UD");
    }
}

TEST(cpu, fpu_images)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;
    uint8_t img[XSAVE_MAX_SIZE] = { 0 }, env[108];

    enter_long(f, 0);
    s->fpu_top = 7;
    s->fpu_tag_empty[7] = 0;
    s->st[7] = (F80){ UINT64_C(0x8000000000000000), 0x3fff };
    s->xmm[9][0] = 0x99;
    s->fpu_fop = 0x123;
    check_u16(t, x86_fpu_tag_word(s), 0x3fff, "tag word");
    check_u16(t, x86_fpu_status(s), 7 << 11, "TOP");
    x86_fxsave_image(s, img, true, true);
    check_u8(t, img[4], 0x80, "abridged tags");
    check_u64(t, load_le64(img + 32), UINT64_C(0x8000000000000000), "ST0 first");
    check_u8(t, img[160 + 9 * 16], 0x99, "xmm9");
    x86_fpu_init(s);
    s->xmm[9][0] = 0;
    check_true(t, x86_fxrstor_image(s, img, true, true), "FXRSTOR");
    check_u8(t, s->fpu_top, 7, "TOP is back");
    check_u8(t, s->xmm[9][0], 0x99, "xmm9 is back");
    check_true(t, !s->fpu_tag_empty[7] && s->fpu_tag_empty[0], "tags are back");
    store_le32(img + 24, 0x10000);
    check_true(t, !x86_fxrstor_image(s, img, true, true), "reserved MXCSR bit");
    check_u32(t, x86_fsave_image(s, env, 4), 108, "FNSAVE's size");
    check_u16(t, load_le16(env + 8), 0x3fff, "its tag word");
    check_u16(t, load_le16(env + 28 + 8), 0x3fff, "ST0's exponent");
    x86_fpu_init(s);
    check_u32(t, x86_frstor_image(s, env, 4), 108, "FRSTOR");
    check_u8(t, s->fpu_top, 7, "TOP again");
    s->xcr0 = 3;
    memset(img, 0, sizeof(img));
    x86_xsave_image(s, img, XSAVE_WIDE, 1);
    check_u64(t, load_le64(img + 512), 1, "XSTATE_BV");
    store_le32(img + 24, 0x1f80);
    check_true(t, x86_xrstor_image(s, img, true, 3), "XRSTOR");
    check_u8(t, s->xmm[9][0], 0, "what isn't in XSTATE_BV is initialised");
}

TEST(cpu, halt_and_lines)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");
    X86State *s = f->s;
    CPUState *cpu = &f->cpu->parent;

    s->wait_sipi = false;
    x86_hlt(s, 5);
    check_true(t, cpu->halted, "halted");
    check_true(t, !x86_has_work(&s->tcg), "nothing to do");
    cpu_raise(cpu, CPU_INTR_HARD);
    check_true(t, !x86_has_work(&s->tcg), "IF is clear");
    s->eflags |= FL_IF;
    check_true(t, x86_has_work(&s->tcg), "INTR wakes");
    cpu_lower(cpu, CPU_INTR_HARD);
    cpu_raise(cpu, CPU_INTR_NMI);
    check_true(t, x86_has_work(&s->tcg), "NMI wakes");
    cpu_lower(cpu, CPU_INTR_NMI);
    cpu_raise(cpu, CPU_INTR_INIT);
    s->is_bsp = false;
    check_true(t, x86_take_interrupt(&s->tcg), "INIT");
    check_true(t, s->wait_sipi && s->tcg.pc == 0xfff0, "waits for a start-up message");
    check_true(t, !x86_has_work(&s->tcg), "and for nothing else");
}
