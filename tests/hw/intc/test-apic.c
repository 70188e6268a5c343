/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local APIC: priorities, EOI, messages, timer (SDM vol. 3A chapter 11). */
#include "util/osdep.h"
#include "tests/target/i386/fixture.h"
#include "hw/intc/apic.h"
#include "util/timer.h"

#define PAGE    UINT64_C(0xfee00000)

static uint32_t rd(Fixture *f, unsigned reg)
{
    return address_space_ld32_le(f->cpu->parent.as[0], PAGE + reg, MEM_ATTRS_NONE, NULL);
}
static void wr(Fixture *f, unsigned reg, uint32_t v)
{
    address_space_st32_le(f->cpu->parent.as[0], PAGE + reg, v, MEM_ATTRS_NONE, NULL);
}

static int ack(Fixture *f) { return local_apic_ops(f->cpu->apic)->intr_ack(f->cpu->apic); }
static bool poll(Fixture *f) { return cpu_line_is_raised(&f->cpu->parent, CPU_INTR_POLL); }

/* Two CPUs, APICs enabled. */
static Fixture *apic_new(Test *t)
{
    Fixture *f = fixture_new(t, "max-x86_64-cpu");

    wr(f, 0xf0, 0x1ff);
    wr(f, 0xd0, f->s->apic_id << 24);
    return f;
}

TEST(apic, priorities)
{
    Fixture *f = apic_new(t);
    uint32_t id = rd(f, 0x20) >> 24;

    check_u32(t, rd(f, 0x30), 0x50014, "version");
    check_u32(t, id, f->s->apic_id, "id");
    check_int(t, apic_deliver(id, false, APIC_DM_FIXED, 0x41, false), 1, "one receiver");
    check_true(t, poll(f), "the CPU is told");
    check_int(t, ack(f), 0x41, "accepted");
    check_true(t, !poll(f), "no more");
    check_u32(t, rd(f, 0x120), 2, "ISR");
    apic_deliver(id, false, APIC_DM_FIXED, 0x45, false);
    check_true(t, !poll(f), "the same class waits");
    apic_deliver(id, false, APIC_DM_FIXED, 0x51, false);
    check_int(t, ack(f), 0x51, "a higher class doesn't");
    check_u32(t, rd(f, 0xa0), 0x50, "PPR");
    wr(f, 0xb0, 0);
    check_true(t, !poll(f), "0x45 waits for 0x41");
    wr(f, 0xb0, 0);
    check_int(t, ack(f), 0x45, "its turn");
    wr(f, 0xb0, 0);
    wr(f, 0x80, 0x60);
    apic_deliver(id, false, APIC_DM_FIXED, 0x51, false);
    check_true(t, !poll(f), "TPR holds it back");
    x86_set_cr8(f->s, 4);
    check_true(t, poll(f), "CR8 lets it through");
    check_u32(t, rd(f, 0x80), 0x40, "CR8 is TPR's upper half");
}

typedef struct EoiCount {
    ApicEoiListener l;
    unsigned n, vector;
} EoiCount;

static void count_eoi(ApicEoiListener *l, uint8_t vector)
{
    EoiCount *c = container_of(l, EoiCount, l);

    c->n++;
    c->vector = vector;
}

TEST(apic, eoi_broadcast)
{
    Fixture *f = apic_new(t);
    EoiCount c = { .l.eoi = count_eoi };

    apic_add_eoi_listener(&c.l);
    apic_deliver(f->s->apic_id, false, APIC_DM_FIXED, 0x33, false);
    ack(f);
    wr(f, 0xb0, 0);
    check_u32(t, c.n, 0, "edge: none");
    apic_deliver(f->s->apic_id, false, APIC_DM_FIXED, 0x34, true);
    ack(f);
    wr(f, 0xb0, 0);
    check_u32(t, c.n, 1, "level: one");
    check_u32(t, c.vector, 0x34, "with its vector");
    apic_remove_eoi_listener(&c.l);
}

TEST(apic, messages)
{
    Fixture *a = apic_new(t), *b = apic_new(t);
    uint32_t ida = a->s->apic_id, idb = b->s->apic_id;

    wr(a, 0x310, idb << 24);
    wr(a, 0x300, 0x4061);
    check_true(t, !poll(a) && ack(b) == 0x61, "physical destination");
    wr(a, 0x300, 0x40000 | 0x62);
    check_int(t, ack(a), 0x62, "self");
    wr(a, 0x300, 0xc0000 | 0x73);
    check_true(t, !poll(a) && ack(b) == 0x73, "all but self");
    wr(a, 0xd0, 1 << 24);
    wr(b, 0xd0, 2 << 24);
    wr(a, 0x310, 2 << 24);
    wr(a, 0x300, 0x4800 | 0x84);
    check_true(t, !poll(a) && ack(b) == 0x84, "logical, flat");
    address_space_st32_le(&address_space_memory, PAGE | idb << 12, 0x4095, MEM_ATTRS_NONE, NULL);
    check_int(t, ack(b), 0x95, "a write to the message region");
    wr(a, 0x300, 0x4005);
    wr(a, 0x280, 0);
    check_u32(t, rd(a, 0x280), 0x20, "vectors below 16 can't be sent");
    wr(a, 0x310, idb << 24);
    wr(a, 0x300, 0x4500);
    check_true(t, cpu_line_is_raised(&b->cpu->parent, CPU_INTR_INIT), "INIT");
    wr(a, 0x300, 0x4699);
    check_u8(t, local_apic_ops(b->cpu->apic)->sipi_vector(b->cpu->apic), 0x99, "STARTUP");
    check_true(t, x86_take_interrupt(&b->s->tcg), "INIT is taken");
    (void)ida;
}

TEST(apic, start_up)
{
    Fixture *a = apic_new(t), *b = apic_new(t);

    wr(a, 0x310, b->s->apic_id << 24);
    wr(a, 0x300, 0x4611);
    wr(a, 0x300, 0x4500);
    wr(a, 0x300, 0x4612);
    x86_take_interrupt(&b->s->tcg);
    check_true(t, b->s->wait_sipi, "INIT comes first, whoever is quicker");
    check_true(t, x86_has_work(&b->s->tcg) && x86_take_interrupt(&b->s->tcg), "starts");
    check_u64(t, b->s->seg[S_CS].base + b->s->tcg.pc, 0x12000, "at the vector's page");
    check_true(t, !b->cpu->parent.halted, "runs");
}

TEST(apic, timer)
{
    Fixture *f = apic_new(t);
    int64_t now;

    virtual_clock_set_manual(true);
    now = clock_get_ns(CLOCK_VIRTUAL);
    wr(f, 0x320, 0x40);
    wr(f, 0x3e0, 0xb);                  /* divide by 1 */
    wr(f, 0x380, 1000);
    virtual_clock_advance_to(now + 400);
    check_u32(t, rd(f, 0x390), 600, "current count");
    virtual_clock_advance_to(now + 1000);
    check_int(t, ack(f), 0x40, "one-shot");
    wr(f, 0xb0, 0);
    check_u32(t, rd(f, 0x390), 0, "it stays at 0");
    wr(f, 0x3e0, 0x3);                  /* by 16 */
    wr(f, 0x320, 0x20041);
    now = clock_get_ns(CLOCK_VIRTUAL);
    wr(f, 0x380, 1000);
    for (int i = 1; i <= 3; i++) {
        virtual_clock_advance_to(now + i * 16000);
        check_int(t, ack(f), 0x41, "periodic");
        wr(f, 0xb0, 0);
    }
    wr(f, 0x320, 0x30041);
    virtual_clock_advance_to(now + 160000);
    check_true(t, !poll(f), "masked");
    wr(f, 0x320, 0x40042);
    check_true(t, x86_wrmsr(f->s, 0x6e0, x86_rdtsc(f->s) + 5000), "TSC deadline");
    virtual_clock_advance_to(clock_get_ns(CLOCK_VIRTUAL) + 4999);
    check_true(t, !poll(f), "not yet");
    virtual_clock_advance_to(clock_get_ns(CLOCK_VIRTUAL) + 1);
    check_int(t, ack(f), 0x42, "at the deadline");
    virtual_clock_set_manual(false);
}

TEST(apic, lint0)
{
    Fixture *f = apic_new(t);
    Device *apic = f->cpu->apic;
    CPUState *cpu = &f->cpu->parent;

    wr(f, 0x350, 0x700);
    local_apic_ops(apic)->set_lint(apic, 0, 1);
    check_true(t, cpu_line_is_raised(cpu, CPU_INTR_HARD), "ExtINT");
    wr(f, 0x350, 0x10700);
    check_true(t, !cpu_line_is_raised(cpu, CPU_INTR_HARD), "masked");
    local_apic_ops(apic)->set_lint(apic, 0, 0);
    wr(f, 0x360, 0x400);
    local_apic_ops(apic)->set_lint(apic, 1, 1);
    check_true(t, cpu_line_is_raised(cpu, CPU_INTR_NMI), "LINT1 as NMI");
}

TEST(apic, x2apic)
{
    Fixture *f = apic_new(t);
    uint64_t v;

    check_true(t, !x86_rdmsr(f->s, 0x802, &v), "not in xAPIC mode");
    check_true(t, x86_wrmsr(f->s, 0x1b, 0xfee00c00), "enable");
    check_true(t, x86_rdmsr(f->s, 0x802, &v) && v == f->s->apic_id, "id");
    check_true(t, x86_rdmsr(f->s, 0x80d, &v) && v == (f->s->apic_id >> 4 << 16 |
                                                      BIT(f->s->apic_id & 15)), "LDR");
    check_true(t, x86_wrmsr(f->s, 0x830, (uint64_t)f->s->apic_id << 32 | 0x77), "ICR");
    check_int(t, ack(f), 0x77, "sent to itself");
    check_true(t, !x86_wrmsr(f->s, 0x80b, 1), "EOI takes 0 only");
    check_true(t, x86_wrmsr(f->s, 0x80b, 0), "EOI");
    check_true(t, !x86_wrmsr(f->s, 0x1b, 0xfee00800), "no way back but through disabled");
}

TEST(apic, saved_state)
{
    Fixture *a = apic_new(t), *b = apic_new(t);
    GByteArray *buf = g_byte_array_new();

    apic_deliver(a->s->apic_id, false, APIC_DM_FIXED, 0x51, true);
    wr(a, 0x320, 0x20041);
    wr(a, 0x380, 1000000);
    check_true(t, save_state(a->cpu->apic, buf, NULL), "save");
    check_true(t, load_state(b->cpu->apic, buf, NULL), "load");
    check_true(t, poll(b), "the vector is pending again");
    check_int(t, ack(b), 0x51, "and is accepted");
    check_u32(t, rd(b, 0x380), 1000000, "count");
    check_true(t, rd(b, 0x390) > 0, "it runs");
    g_byte_array_free(buf, TRUE);
}
