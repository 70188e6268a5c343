/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pc-testdev: ports and memory for test kernels.
 *
 * Source: its user, kvm-unit-tests (x86/emulator.c, ioapic.c, vmexit.c): four scratch ports
 * at E0h that keep what is written; a write of any byte to port 2000h + n sets the level of ISA
 * interrupt n; 64 KiB of scratch memory at FF000000h. Port E4h, by which a host page
 * was made inaccessible, does nothing.
 */
#include "util/osdep.h"
#include "hw/isa/isa.h"

#define PORT_SCRATCH    0xe0
#define PORT_FLUSH      0xe4
#define PORT_IRQ        0x2000
#define NUM_LINES       24
#define MEM_ADDR        0xff000000u
#define MEM_SIZE        0x10000

typedef struct PcTestdev {
    ISADevice isa;
    MemRegion scratch_io, flush_io, irq_io, mem;
    uint8_t scratch[4];
    uint8_t bytes[MEM_SIZE];
    uint16_t lines;
} PcTestdev;
DEFINE_CAST(PC_TESTDEV, PcTestdev, "pc-testdev")

static MemResult scratch_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                              UNUSED MemAttrs attrs)
{
    *val = 0;
    for (unsigned i = 0; i < size; i++) {
        *val |= (uint64_t)((PcTestdev *)opaque)->scratch[(addr + i) & 3] << 8 * i;
    }
    return MEM_OK;
}

static MemResult scratch_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                               UNUSED MemAttrs attrs)
{
    for (unsigned i = 0; i < size; i++) {
        ((PcTestdev *)opaque)->scratch[(addr + i) & 3] = (uint8_t)(val >> 8 * i);
    }
    return MEM_OK;
}

static MemResult nothing_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val,
                              UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = 0;
    return MEM_OK;
}

static MemResult nothing_write(UNUSED void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val,
                               UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    return MEM_OK;
}

static void drive_lines(PcTestdev *s)
{
    for (unsigned i = 0; i < ISA_NUM_IRQS; i++) {
        irq_set(isa_get_irq(&s->isa, i), s->lines >> i & 1);
    }
}

static MemResult irq_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    PcTestdev *s = opaque;

    if (addr < ISA_NUM_IRQS) {
        uint16_t bit = (uint16_t)BIT(addr);

        s->lines = (uint16_t)(val & 0xff ? s->lines | bit : s->lines & ~bit);
        irq_set(isa_get_irq(&s->isa, (unsigned)addr), (val & 0xff) != 0);
    }
    return MEM_OK;
}

static MemResult mem_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                          UNUSED MemAttrs attrs)
{
    *val = 0;
    for (unsigned i = 0; i < size; i++) {
        *val |= (uint64_t)((PcTestdev *)opaque)->bytes[(addr + i) % MEM_SIZE] << 8 * i;
    }
    return MEM_OK;
}

static MemResult mem_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                           UNUSED MemAttrs attrs)
{
    for (unsigned i = 0; i < size; i++) {
        ((PcTestdev *)opaque)->bytes[(addr + i) % MEM_SIZE] = (uint8_t)(val >> 8 * i);
    }
    return MEM_OK;
}

static const MemOps scratch_ops = {
    .read = scratch_read, .write = scratch_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 4 },
};
static const MemOps flush_ops = {
    .read = nothing_read, .write = nothing_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 4 },
};
static const MemOps irq_ops = {
    .read = nothing_read, .write = irq_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 1 },
};
static const MemOps mem_ops = {
    .read = mem_read, .write = mem_write, .order = MEM_LE, .valid = { 1, 8 },
    .impl = { .min = 1, .max = 8 },
};

static void testdev_reset_hold(Device *dev)
{
    PcTestdev *s = PC_TESTDEV(dev);

    memset(s->scratch, 0, sizeof(s->scratch));
    memset(s->bytes, 0, sizeof(s->bytes));
    s->lines = 0;
}

static bool testdev_realize(Device *dev, UNUSED Error **errp)
{
    PcTestdev *s = PC_TESTDEV(dev);

    memory_region_init_io(&s->scratch_io, s, &scratch_ops, s, "pc-testdev-scratch", 4);
    isa_register_ioport(&s->isa, &s->scratch_io, PORT_SCRATCH);
    memory_region_init_io(&s->flush_io, s, &flush_ops, s, "pc-testdev-flush", 4);
    isa_register_ioport(&s->isa, &s->flush_io, PORT_FLUSH);
    memory_region_init_io(&s->irq_io, s, &irq_ops, s, "pc-testdev-irq", NUM_LINES);
    isa_register_ioport(&s->isa, &s->irq_io, PORT_IRQ);
    memory_region_init_io(&s->mem, s, &mem_ops, s, "pc-testdev-mem", MEM_SIZE);
    memory_region_add_overlap(isa_mem(&s->isa), MEM_ADDR, &s->mem, 1);
    return true;
}

static void testdev_unrealize(Device *dev)
{
    PcTestdev *s = PC_TESTDEV(dev);

    memory_region_cleanup(&s->scratch_io);
    memory_region_cleanup(&s->flush_io);
    memory_region_cleanup(&s->irq_io);
    memory_region_cleanup(&s->mem);
}

static bool testdev_post_load(void *opaque, UNUSED Error **errp)
{
    drive_lines(opaque);
    return true;
}

static const VmField testdev_fields[] = {
    VM_U8_ARRAY(PcTestdev, scratch), VM_BUFFER(PcTestdev, bytes), VM_U16(PcTestdev, lines), VM_END
};

static const VmMeaning testdev_meanings[] = {
    { "scratch", "ports that keep what is written" }, { "lines", "ISA interrupts that are asserted, a bit each" },
    { "bytes", .payload = "memory for tests" },
    { .name = NULL }
};

static const DeviceType testdev_type = {
    .name = "pc-testdev", .parent = TYPE_ISA_DEVICE, .size = sizeof(PcTestdev),
    .desc = "ports and memory for test kernels", .category = DEVICE_MISC,
    .realize = testdev_realize, .unrealize = testdev_unrealize,
    .reset_hold = testdev_reset_hold,
    .vm = { 1, testdev_fields, .post_load = testdev_post_load, .meanings = testdev_meanings },
};
DEVICE_TYPE(testdev_type)
