/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CPU that isn't run, with 8 MiB of RAM at 0: tests call the target's
 * functions on its state. CATCH(f, statement) tells whether it raised; the
 * exception is then in f->s.
 */
#ifndef TESTS_TARGET_I386_FIXTURE_H
#define TESTS_TARGET_I386_FIXTURE_H

#include <glib.h>
#include <setjmp.h>
#include "accel/tcg/vcpu.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "tests/lib/test.h"
#include "util/bswap.h"

typedef struct Fixture {
    X86Cpu *cpu;
    X86State *s;
    VcpuTcg *v;
    uint8_t *ram;
} Fixture;

#define RAM_SIZE    (8 * MIB)

UNUSED static uint8_t *fixture_ram(void)
{
    static MemRegion ram;

    if (!memory_region_size(&ram)) {
        main_loop_init();
        memory_region_init_ram(&ram, NULL, "test.ram", RAM_SIZE, NULL);
        memory_region_add(system_memory(), 0, &ram);
    }
    return memory_region_ram_ptr(&ram);
}

/* A CPU of @type, as after RESET. It stays for ever: CPUs are few. The fixture goes with the case. */
UNUSED static Fixture *fixture_new(Test *t, const char *type)
{
    Fixture *f = g_new0(Fixture, 1);
    Error *err = NULL;
    CPUState *cpu;

    test_at_end(t, g_free, f);
    f->ram = fixture_ram();
    memset(f->ram, 0, RAM_SIZE);
    f->cpu = X86_CPU(device_new(type));
    f->s = f->cpu->env;
    if (!device_realize(&f->cpu->parent.dev, NULL, &err)) {
        test_fail(t, "CPU doesn't realize: %s", error_message(err));
        error_free(err);
        return NULL;
    }
    cpu = &f->cpu->parent;
    f->v = g_new0(VcpuTcg, 1);
    f->v->cpu = cpu;
    f->v->ops = &x86_64_target_ops;
    f->v->env = &f->s->tcg;
    f->v->jc = g_new0(JumpCacheEntry, JC_SIZE);
    f->s->tcg.jc = f->v->jc;
    tlb_init(f->v);
    cpu->accel = f->v;
    return f;
}

#define CATCH(f, statement) \
    ({ \
        volatile bool raised_ = true; \
        if (!sigsetjmp((f)->v->unwind, 0)) { \
            statement; \
            raised_ = false; \
        } \
        raised_; \
    })

/* The state of a device, whatever its path. */
UNUSED static bool save_state(Device *dev, GByteArray *out, Error **errp)
{
    return vm_save(device_type_vm(dev->obj.type), "dut", dev, out, errp);
}

UNUSED static bool load_state(Device *dev, const GByteArray *in, Error **errp)
{
    size_t used;

    return vm_load(device_type_vm(dev->obj.type), "dut", dev, in->data, in->len, &used, errp);
}

/* A segment descriptor: @flags as in X86Segment, limit in bytes or pages. */
UNUSED static void put_desc(Fixture *f, uint32_t at, uint32_t base, uint32_t limit, uint32_t flags)
{
    store_le32(f->ram + at, (limit & 0xffff) | base << 16);
    store_le32(f->ram + at + 4, (base >> 16 & 0xff) | (base & 0xff000000) | (limit & 0xf0000) |
                                flags);
}

/* A gate: call, interrupt, trap. */
UNUSED static void put_gate(Fixture *f, uint32_t at, uint16_t sel, uint32_t off, unsigned type,
                            unsigned dpl, unsigned count)
{
    store_le32(f->ram + at, (off & 0xffff) | (uint32_t)sel << 16);
    store_le32(f->ram + at + 4, (off & 0xffff0000) | SEG_P | dpl << 13 | type << 8 | count);
}

#define D_CODE      (SEG_P | SEG_S | SEG_CODE | SEG_RW | SEG_G | SEG_DB)
#define D_DATA      (SEG_P | SEG_S | SEG_RW | SEG_G | SEG_DB)
#define D_DPL(n)    ((uint32_t)(n) << 13)

enum { GDT = 0x1000, IDT = 0x2000, TSS = 0x3000, STACK0 = 0x8000, STACK3 = 0x9000 };
enum { SEL_CODE0 = 0x08, SEL_DATA0 = 0x10, SEL_CODE3 = 0x1b, SEL_DATA3 = 0x23, SEL_TSS = 0x28,
       SEL_FREE = 0x38, SEL_CODE64 = 0x48 };

UNUSED static void set_seg(Fixture *f, int seg, uint16_t sel, uint32_t flags)
{
    f->s->seg[seg] = (X86Segment){ .selector = sel, .limit = UINT32_MAX,
                                   .flags = flags | SEG_ACCESSED | SEG_G };
}

/* Flat protected mode at level @cpl: GDT, IDT and a 32-bit TSS are there. */
UNUSED static void enter_protected(Fixture *f, unsigned cpl)
{
    X86State *s = f->s;

    put_desc(f, GDT + 0x08, 0, 0xfffff, D_CODE);
    put_desc(f, GDT + 0x10, 0, 0xfffff, D_DATA);
    put_desc(f, GDT + 0x18, 0, 0xfffff, D_CODE | D_DPL(3));
    put_desc(f, GDT + 0x20, 0, 0xfffff, D_DATA | D_DPL(3));
    put_desc(f, GDT + 0x28, TSS, 0xfff, SEG_P | SYS_TSS32 << 8);
    put_desc(f, GDT + SEL_CODE64, 0, 0xfffff, (D_CODE & ~(uint32_t)SEG_DB) | SEG_L);
    s->gdt = (X86Table){ GDT, 0xff };
    s->idt = (X86Table){ IDT, 0x7ff };
    store_le32(f->ram + TSS + 4, STACK0);
    store_le32(f->ram + TSS + 8, SEL_DATA0);
    s->seg[S_TR] = (X86Segment){ SEL_TSS, SEG_P | SYS_TSS32_BUSY << 8, TSS, 0xfff };
    s->cr[0] |= CR0_PE;
    s->cpl = cpl;
    set_seg(f, S_CS, cpl ? SEL_CODE3 : SEL_CODE0, D_CODE | D_DPL(cpl));
    for (int i = 0; i < 6; i++) {
        if (i != S_CS) {
            set_seg(f, i, cpl ? SEL_DATA3 : SEL_DATA0, D_DATA | D_DPL(cpl));
        }
    }
    s->regs[R_SP] = cpl ? STACK3 : STACK0;
    s->tcg.pc = 0x4000;
}

/* Identity-mapped with 2 MiB pages; tables from 0x10000. */
enum { PML4 = 0x10000, PDPT = 0x11000, PD = 0x12000, PT = 0x13000 };

UNUSED static void enter_long(Fixture *f, unsigned cpl)
{
    X86State *s = f->s;

    enter_protected(f, cpl);
    store_le64(f->ram + PML4, PDPT | 7);
    store_le64(f->ram + PDPT, PD | 7);
    for (unsigned i = 0; i < 4; i++) {
        store_le64(f->ram + PD + i * 8, (uint64_t)i << 21 | 0x87);
    }
    s->cr[3] = PML4;
    s->cr[4] |= CR4_PAE;
    s->cr[0] |= CR0_PG | CR0_WP;
    s->efer |= EFER_LME | EFER_LMA | EFER_NXE;
    s->seg[S_CS].flags = (s->seg[S_CS].flags & ~(uint32_t)SEG_DB) | SEG_L;
    s->idt.limit = 0xfff;
    store_le64(f->ram + TSS + 4, STACK0);
}

#endif
