/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved in the middle of an operation: each device of the PC begins something, the machine's state is
 * saved, the machine reset and the state loaded, and the device ends what it had begun.
 */
#include "util/osdep.h"

#include <glib.h>
#include "tests/lib/qtest.h"
#include "util/bswap.h"

typedef enum { END, OUT, IN, WR, RD, LINE, STEP, RELOAD } Do;

/* OUT, WR: write @value; IN, RD: it must read so (any value with a @path); LINE: @path's input @at gets @value; STEP: ns. */
typedef struct Step {
    Do what;
    unsigned size;              /* in bytes */
    uint64_t at, value;
    const char *path;
} Step;

#define O(port, v)      { OUT, 1, port, v, NULL }
#define I(port, v)      { IN, 1, port, v, NULL }
#define ANY(port)       { IN, 1, port, 0, "whatever" }
#define OW(port, v)     { OUT, 2, port, v, NULL }
#define IW(port, v)     { IN, 2, port, v, NULL }
#define OL(port, v)     { OUT, 4, port, v, NULL }
#define IL(port, v)     { IN, 4, port, v, NULL }
#define WL(addr, v)     { WR, 4, addr, v, NULL }
#define RL(addr, v)     { RD, 4, addr, v, NULL }
#define WAIT(ns)        { STEP, 0, 0, ns, NULL }
#define SAVE_LOAD       { RELOAD, 0, 0, 0, NULL }
#define PIN(path, n, v) { LINE, 0, n, v, path }

#define PCI(devfn, reg) OL(0xcf8, 0x80000000u | (devfn) << 8 | (reg))
#define IOAPIC          "/machine/i440fx/ioapic"

#define PICS(imr) O(0x43, 0x30), O(0x20, 0x11), O(0x21, 0x08), O(0x21, 0x04), O(0x21, 0x01), \
                  O(0x21, imr)

/* An interrupt in service, a second one requested. Timer 0 in mode 0 makes them. */
static const Step i8259_in_service[] = {
    PICS(0x00), O(0x43, 0x30), O(0x40, 0x10), O(0x40, 0x00), WAIT(100000),
    O(0x20, 0x0c), I(0x20, 0x80),               /* polled: now in service */
    O(0x43, 0x30), O(0x40, 0x10), O(0x40, 0x00), WAIT(100000),
    SAVE_LOAD,
    O(0x20, 0x0b), I(0x20, 0x01), O(0x20, 0x0a), I(0x20, 0x01),
    O(0x20, 0x20), O(0x20, 0x0b), I(0x20, 0x00), O(0x20, 0x0c), I(0x20, 0x80), { 0 }
};
static const Step i8259_initialisation[] = {
    O(0x20, 0x11), O(0x21, 0x50), SAVE_LOAD, O(0x21, 0x04), SAVE_LOAD, O(0x21, 0x01),
    O(0x21, 0xa5), I(0x21, 0xa5), { 0 }
};

static const Step i8254_half_a_count[] = {
    O(0x43, 0xb4), O(0x42, 0x34), SAVE_LOAD, O(0x42, 0x12),     /* the low byte, then the high one */
    O(0x43, 0x80), I(0x42, 0x34), SAVE_LOAD, I(0x42, 0x12), { 0 }
};
/* 1.193182 MHz: 1000 ns are 1.19 counts. Mode 2 on counter 2, latched. */
static const Step i8254_counting[] = {
    O(0x61, 0x01), O(0x43, 0xb4), O(0x42, 0x00), O(0x42, 0x10), WAIT(838095 * 2),
    O(0x43, 0x80), I(0x42, 0x31), I(0x42, 0x08), SAVE_LOAD,
    O(0x43, 0x80), I(0x42, 0x31), I(0x42, 0x08), WAIT(838095),
    O(0x43, 0x80), I(0x42, 0x49), I(0x42, 0x04), { 0 }
};

/* The index, a register that SET holds, and the second's alarm on its way. */
static const Step rtc_set[] = {
    O(0x70, 0x0b), O(0x71, 0x82), O(0x70, 0x00), O(0x71, 0x30), O(0x70, 0x0b), O(0x71, 0x02),
    WAIT(1500000000), O(0x70, 0x0b), O(0x71, 0x82), O(0x70, 0x00), SAVE_LOAD,
    I(0x71, 0x31), WAIT(3000000000), I(0x71, 0x31), { 0 }
};

static const Step i8237_half_an_address[] = {
    O(0x0c, 0), O(0x02, 0x34), SAVE_LOAD, O(0x02, 0x12), O(0x03, 0xff), SAVE_LOAD, O(0x03, 0x00),
    O(0x0c, 0), I(0x02, 0x34), SAVE_LOAD, I(0x02, 0x12), I(0x03, 0xff), I(0x03, 0x00),
    O(0x0b, 0x45), O(0x0a, 0x01), O(0x83, 0x55), SAVE_LOAD, I(0x83, 0x55), { 0 }
};

/* In loop-back what is sent is received: five bytes wait, two were taken. */
static const Step serial_fifo[] = {
    O(0x3fb, 0x83), O(0x3f8, 0x01), O(0x3f9, 0x00), O(0x3fb, 0x03), O(0x3fa, 0xc1),
    O(0x3fc, 0x10), O(0x3f8, 'a'), WAIT(1000000), O(0x3f8, 'b'), WAIT(1000000),
    O(0x3f8, 'c'), WAIT(1000000), O(0x3f8, 'd'), WAIT(1000000), I(0x3f8, 'a'), SAVE_LOAD,
    I(0x3f8, 'b'), I(0x3fd, 0x61), I(0x3f8, 'c'), SAVE_LOAD, I(0x3f8, 'd'), I(0x3fd, 0x60),
    O(0x3f8, 'e'), WAIT(1000000), I(0x3f8, 'e'), { 0 }
};

/* Its own commands wait for an argument; so does the keyboard's F0h, and an answer in its queue. */
static const Step i8042_command[] = {
    O(0x64, 0x60), SAVE_LOAD, O(0x60, 0x05), O(0x64, 0x20), SAVE_LOAD, I(0x60, 0x05),
    O(0x60, 0xf0), I(0x60, 0xfa), SAVE_LOAD, O(0x60, 0x00), I(0x60, 0xfa), SAVE_LOAD,
    I(0x60, 0x02), O(0x64, 0xd4), SAVE_LOAD, O(0x60, 0xf2), I(0x60, 0xfa), SAVE_LOAD, I(0x60, 0x00),
    { 0 }
};

/* Periodic, between two of its interrupts; a level-triggered one that is asserted. */
static const Step hpet_running[] = {
    O(0x43, 0x30), WL(0xfed00100, 20 << 9 | 0x14e), WL(0xfed00108, 1000), WL(0xfed00108, 1000),
    WL(0xfed00010, 1), WAIT(15000), RL(0xfed000f0, 1500), RL(0xfed00020, 1), SAVE_LOAD,
    RL(0xfed000f0, 1500), RL(0xfed00020, 1), RL(0xfed00108, 2000), WL(0xfed00020, 1),
    WAIT(4000), RL(0xfed00020, 0), WAIT(2000), RL(0xfed00020, 1), RL(0xfed00108, 3000), { 0 }
};

/* A level that was delivered and not answered, with the index register set. */
static const Step ioapic_remote_irr[] = {
    WL(0xfec00000, 0x38), WL(0xfec00010, 0x8030), PIN(IOAPIC, 20, 1), RL(0xfec00010, 0xc030),
    SAVE_LOAD, RL(0xfec00010, 0xc030), WL(0xfec00040, 0x30), RL(0xfec00010, 0xc030),
    PIN(IOAPIC, 20, 0), SAVE_LOAD, WL(0xfec00040, 0x30), RL(0xfec00010, 0x8030), { 0 }
};

/* An interrupt to itself that waits for a CPU, and its timer, divided by one, counting. */
static const Step apic_pending[] = {
    WL(0xfee000f0, 0x1ff), WL(0xfee00300, 0x40051), RL(0xfee00220, 0x20000),
    WL(0xfee003e0, 0xb), WL(0xfee00320, 0x20060), WL(0xfee00380, 1000000), WAIT(100000), SAVE_LOAD,
    RL(0xfee00220, 0x20000), RL(0xfee00390, 900000), WAIT(100000), RL(0xfee00390, 800000),
    WAIT(900000), RL(0xfee00230, 1), RL(0xfee00390, 900000), { 0 }
};

/* The timer's upper bit has changed, the SCI is enabled, APM's bytes lie there. */
static const Step piix4_pm[] = {
    PCI(0x0b, 0x40), OL(0xcfc, 0x601), PCI(0x0b, 0x80), O(0xcfc, 1), OW(0x602, 0x0101),
    WAIT(3000000000), IW(0x600, 0x0001), O(0xb3, 0x5a), O(0xb2, 0xf1), SAVE_LOAD,
    IW(0x600, 0x0001), IW(0x602, 0x0101), IW(0x604, 0x0001), I(0xb3, 0x5a), I(0xb2, 0xf1),
    OW(0x600, 1), SAVE_LOAD, IW(0x600, 0), { 0 }
};

/* The address port is written, the data port not yet. PAM 1 makes RAM of the segment C000h. */
static const Step i440fx_config[] = {
    PCI(0, 0x58), OL(0xcfc, 0x00330000), WL(0xc0000, 0x12345678), PCI(0x08, 0), SAVE_LOAD,
    IL(0xcfc, 0x70008086), RL(0xc0000, 0x12345678), PCI(0, 0x58), IL(0xcfc, 0x00330000),
    WL(0xc0000, 0x55), RL(0xc0000, 0x55), { 0 }
};

/* The attribute index without its value; two of a colour's three parts. */
static const Step vga_sequences[] = {
    PCI(0x10, 4), OW(0xcfc, 3), O(0x3c2, 0x01), ANY(0x3da), O(0x3c0, 0x05), SAVE_LOAD, O(0x3c0, 0x2a), O(0x3c0, 0x05), I(0x3c1, 0x2a),
    O(0x3c8, 7), O(0x3c9, 1), O(0x3c9, 2), SAVE_LOAD, O(0x3c9, 3), O(0x3c7, 7), I(0x3c9, 1),
    SAVE_LOAD, I(0x3c9, 2), I(0x3c9, 3), O(0x3c4, 2), SAVE_LOAD, O(0x3c5, 0x0b), I(0x3c5, 0x0b),
    OW(0x1ce, 4), SAVE_LOAD, OW(0x1cf, 1), IW(0x1cf, 1), { 0 }
};

static const Step fw_cfg_reading[] = {
    OW(0x510, 0), I(0x511, 'Q'), I(0x511, 'E'), SAVE_LOAD, I(0x511, 'M'), I(0x511, 'U'), { 0 }
};

static const Step port92[] = {
    O(0x92, 0x00), SAVE_LOAD, I(0x92, 0x00), O(0x92, 0x02), SAVE_LOAD, I(0x92, 0x02),
    O(0x61, 0x02), SAVE_LOAD, { 0 }
};

static uint64_t mask_of(unsigned size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

static void run(Test *t, QTest *q, const Step *steps)
{
    for (unsigned i = 0; steps[i].what != END; i++) {
        const Step *s = &steps[i];
        uint64_t got;

        switch (s->what) {
        case OUT:
            s->size == 1 ? qtest_outb(q, s->at, s->value) :
            s->size == 2 ? qtest_outw(q, s->at, s->value) : qtest_outl(q, s->at, s->value);
            break;
        case WR:
            qtest_writel(q, s->at, s->value);
            break;
        case IN:
        case RD:
            got = s->what == RD ? qtest_readl(q, s->at) : s->size == 1 ? qtest_inb(q, s->at)
                  : s->size == 2 ? qtest_inw(q, s->at) : qtest_inl(q, s->at);
            if (!s->path && (got ^ s->value) & mask_of(s->size)) {
                test_fail(t, "step %u, %s %" PRIx64 ": %" PRIx64 "h, expected %" PRIx64 "h", i,
                          s->what == RD ? "address" : "port", s->at, got, s->value);
            }
            break;
        case LINE:
            qtest_set_irq_in(q, s->path, NULL, s->at, s->value);
            break;
        case STEP:
            qtest_clock_step(q, s->value);
            break;
        default:
            qtest_reload(q);
            break;
        }
    }
}

#define CASE(device, steps, args) \
    TEST(pc_reload, steps) \
    { \
        run(t, qtest_start(t, "-machine pc -m 32 -nodefaults " args), steps); \
    }

#define CLOCK "-global mc146818rtc.clock=vm -global mc146818rtc.base=2024-02-29T23:59:58 "
CASE(i8259, i8259_in_service, "-machine hpet=off")
CASE(i8259, i8259_initialisation, "")
CASE(i8254, i8254_half_a_count, "")
CASE(i8254, i8254_counting, "")
CASE(rtc, rtc_set, CLOCK)
CASE(i8237, i8237_half_an_address, "")
CASE(serial, serial_fifo, "-serial null")
CASE(i8042, i8042_command, "")
CASE(hpet, hpet_running, "")
CASE(ioapic, ioapic_remote_irr, "")
CASE(apic, apic_pending, "")
CASE(piix4_pm, piix4_pm, "")
CASE(i440fx, i440fx_config, "")
CASE(vga, vga_sequences, "-device VGA,addr=2")
CASE(fw_cfg, fw_cfg_reading, "")
CASE(port92, port92, "")

/* --- what a table can't say --- */

enum { BUFFER = 0x100000, TABLE = 0x200000, BM = 0xc000, IDE = 0x1f0 };

static uint8_t idle(QTest *q)
{
    uint8_t s = 0x80;

    while (s & 0x80) {
        s = qtest_inb(q, 0x3f6);
    }
    return s;
}

static QTest *disk_pc(Test *t, uint8_t *data, size_t size)
{
    g_autofree char *path = g_strdup_printf("%s/disk.img", test_tmpdir(t));

    for (size_t i = 0; i < size; i++) {
        data[i] = i / 512 + i * 7;
    }
    check_true(t, g_file_set_contents(path, (char *)data, size, NULL), "the image");
    return qtest_start(t, "-machine pc -m 32 -nodefaults -drive file=%s,format=raw,if=ide", path);
}

static void read_command(QTest *q, uint8_t count, uint8_t command)
{
    qtest_outb(q, IDE + 6, 0xe0);
    qtest_outb(q, IDE + 2, count);
    qtest_outb(q, IDE + 3, 3);
    qtest_outb(q, IDE + 4, 0);
    qtest_outb(q, IDE + 5, 0);
    qtest_outb(q, IDE + 7, command);
}

/* In the first of two sectors, then between the second's words. */
TEST(pc_reload, ide_pio)
{
    static uint8_t data[64 * 512];
    QTest *q = disk_pc(t, data, sizeof(data));

    read_command(q, 2, 0x20);
    for (unsigned i = 0; i < 512; i++) {
        if (i % 256 == 0) {
            check_u8(t, idle(q) & 0x09, 0x08, "a sector waits");
        }
        if (i == 100 || i == 256 || i == 511) {
            qtest_reload(q);
        }
        check_u16(t, qtest_inw(q, IDE), load_le16(data + 3 * 512 + 2 * i), "data");
    }
    check_u8(t, idle(q) & 0x09, 0, "all read");
}

/* The drive has the command, the bus master its table: it is started afterwards. */
TEST(pc_reload, ide_dma)
{
    static uint8_t data[64 * 512];
    QTest *q = disk_pc(t, data, sizeof(data));
    uint8_t prd[16] = { 0 }, got[4096];

    qpci_writel(q, 1 << 3 | 1, 0x20, BM);
    qpci_writew(q, 1 << 3 | 1, 4, 5);
    store_le32(prd, BUFFER);
    store_le16(prd + 4, 1024);
    store_le32(prd + 8, BUFFER + 8192);
    store_le16(prd + 12, 3072);
    store_le16(prd + 14, 0x8000);
    qtest_write(q, TABLE, prd, sizeof(prd));
    qtest_outl(q, BM + 4, TABLE);
    read_command(q, 8, 0xc8);
    qtest_outb(q, BM, 0x08);
    qtest_reload(q);
    qtest_outb(q, BM, 0x09);
    while (!(qtest_inb(q, BM + 2) & 4)) {
    }
    check_u8(t, idle(q) & 0x89, 0, "done without an error");
    qtest_read(q, BUFFER, got, 1024);
    qtest_read(q, BUFFER + 8192, got + 1024, 3072);
    check_mem(t, got, data + 3 * 512, sizeof(got), "both parts");
}

/* A transfer's address is written in two halves; the second one starts it. */
TEST(pc_reload, fw_cfg_dma)
{
    QTest *q = qtest_start(t, "-machine pc -m 32 -nodefaults");
    uint8_t d[16] = { 0 }, got[4];

    store_be32(d, 0x0000000a);
    store_be32(d + 4, 2);
    store_be64(d + 8, BUFFER);
    qtest_write(q, TABLE, d, sizeof(d));
    qtest_outl(q, 0x514, 0);
    qtest_reload(q);
    qtest_outl(q, 0x518, bswap32(TABLE));
    store_be32(d, 0x00000002);
    store_be64(d + 8, BUFFER + 2);
    qtest_write(q, TABLE, d, sizeof(d));
    qtest_reload(q);
    qtest_outl(q, 0x514, 0);
    qtest_outl(q, 0x518, bswap32(TABLE));
    qtest_read(q, BUFFER, got, 4);
    check_mem(t, got, "QEMU", 4, "the item goes on where it was");
}

/* Descriptors lie in the ring while the transmitter is off. */
TEST(pc_reload, e1000_descriptors)
{
    enum { REGS = 0xe0000000u };
    QTest *q = qtest_start(t, "-machine pc -m 32 -nodefaults -netdev user,id=n"
                              " -device e1000,netdev=n,addr=5");
    uint8_t d[32] = { 0 };

    qpci_map(q, 5 << 3, 0, REGS);
    for (unsigned i = 0; i < 2; i++) {
        store_le64(d + 16 * i, BUFFER);
        store_le16(d + 16 * i + 8, 60);
        d[16 * i + 11] = 0x0b;                      /* RS, IFCS, EOP */
    }
    qtest_write(q, TABLE, d, sizeof(d));
    qtest_writel(q, REGS + 0x3800, TABLE);
    qtest_writel(q, REGS + 0x3804, 0);
    qtest_writel(q, REGS + 0x3808, 128);
    qtest_writel(q, REGS + 0x3810, 0);
    qtest_writel(q, REGS + 0x3818, 2);
    qtest_writel(q, REGS + 0xd0, 1);
    qtest_reload(q);
    check_u32(t, qtest_readl(q, REGS + 0x3818), 2, "TDT");
    check_u32(t, qtest_readl(q, REGS + 0x3810), 0, "TDH");
    qtest_writel(q, REGS + 0x400, 0x0a);
    qtest_writel(q, REGS + 0x3818, 2);
    while (qtest_readl(q, REGS + 0x3810) != 2) {
        qtest_clock_step(q, 100000);
    }
    check_u32(t, qtest_readl(q, REGS + 0x3810), 2, "both sent");
    qtest_read(q, TABLE, d, sizeof(d));
    check_u8(t, d[12] & d[28] & 1, 1, "and given back");
    qtest_reload(q);
    qtest_clock_step(q, 1000000);
    check_u32(t, qtest_readl(q, REGS + 0xc0) & 1, 1, "its interrupt's cause");
}
