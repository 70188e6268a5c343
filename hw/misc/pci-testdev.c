/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci-testdev: a PCI function that counts accesses, for test kernels.
 *
 * Source: QEMU's document "pci-test device" (docs/specs/pci-testdev) and its user, kvm-unit-tests
 * (lib/pci-testdev.c). BAR 0 (memory) and BAR 1 (ports) begin with a header: test number (written to
 * choose one), width of the access to be made, its offset and data, how often it
 * has come, and the test's name. membar=SIZE adds BAR 2, whose bytes read as zeros.
 */
#include "util/osdep.h"
#include "hw/pci/pci.h"

#include <glib.h>
#include "util/bswap.h"

enum { HDR_TEST = 0, HDR_WIDTH = 1, HDR_OFFSET = 4, HDR_DATA = 8, HDR_COUNT = 12, HDR_NAME = 16 };
#define HEADER_SIZE     0x40
#define TEST_OFFSET     0x80            /* of test 0; the others follow, one byte each */
#define TEST_DATA       0xfa
#define MEM_SIZE        0x1000
#define IO_SIZE         0x100
#define NO_TEST         0xff

typedef struct Half {
    uint8_t test;                       /* chosen; NO_TEST */
    uint32_t count;
} Half;

typedef struct PciTestdev {
    PCIDevice pci;
    MemRegion mem, io, big;
    uint64_t membar;
    bool membar_backed;
    Half half[2];                       /* memory, ports */
} PciTestdev;
DEFINE_CAST(PCI_TESTDEV, PciTestdev, "pci-testdev")

static const char *const names[2][3] = {
    { "mmio:no-eventfd", "mmio:wildcard-eventfd", "mmio:datamatch-eventfd" },
    { "portio:no-eventfd", "portio:wildcard-eventfd", "portio:datamatch-eventfd" },
};

static uint8_t header_byte(const Half *h, bool io, uint32_t addr)
{
    uint8_t raw[HEADER_SIZE] = { [HDR_TEST] = h->test };

    if (h->test < 3) {
        raw[HDR_WIDTH] = 1;
        store_le32(raw + HDR_OFFSET, TEST_OFFSET + h->test);
        store_le32(raw + HDR_DATA, TEST_DATA);
        store_le32(raw + HDR_COUNT, h->count);
        g_strlcpy((char *)raw + HDR_NAME, names[io][h->test], HEADER_SIZE - HDR_NAME);
    }
    return raw[addr];
}

static MemResult read_half(PciTestdev *s, bool io, hwaddr addr, uint64_t *val, unsigned size)
{
    *val = 0;
    for (unsigned i = 0; i < size; i++) {
        if (addr + i < HEADER_SIZE) {
            *val |= (uint64_t)header_byte(&s->half[io], io, (uint32_t)addr + i) << 8 * i;
        }
    }
    return MEM_OK;
}

static MemResult write_half(PciTestdev *s, bool io, hwaddr addr, uint64_t val, unsigned size)
{
    Half *h = &s->half[io];

    if (addr == HDR_TEST) {
        h->test = (uint8_t)val < 3 ? (uint8_t)val : NO_TEST;
        h->count = 0;
    } else if (h->test < 3 && addr == (hwaddr)TEST_OFFSET + h->test && size == 1 &&
               (h->test == 1 || (val & 0xff) == TEST_DATA)) {
        h->count++;
    }
    return MEM_OK;
}

static MemResult mem_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                          UNUSED MemAttrs attrs)
{
    return read_half(opaque, false, addr, val, size);
}

static MemResult mem_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                           UNUSED MemAttrs attrs)
{
    return write_half(opaque, false, addr, val, size);
}

static MemResult io_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                         UNUSED MemAttrs attrs)
{
    return read_half(opaque, true, addr, val, size);
}

static MemResult io_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                          UNUSED MemAttrs attrs)
{
    return write_half(opaque, true, addr, val, size);
}

static MemResult big_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val,
                          UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = 0;
    return MEM_OK;
}

static MemResult big_write(UNUSED void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val,
                           UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    return MEM_OK;
}

static const MemOps mem_ops = {
    .read = mem_read, .write = mem_write, .order = MEM_LE, .valid = { 1, 8 },
    .impl = { .min = 1, .max = 8 },
};
static const MemOps io_ops = {
    .read = io_read, .write = io_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 4 },
};
static const MemOps big_ops = {
    .read = big_read, .write = big_write, .order = MEM_LE, .valid = { 1, 8 },
    .impl = { .min = 1, .max = 8 },
};

static void testdev_reset_hold(Device *dev)
{
    PciTestdev *s = PCI_TESTDEV(dev);

    s->half[0] = s->half[1] = (Half){ .test = NO_TEST };
}

static bool testdev_realize(Device *dev, Error **errp)
{
    PciTestdev *s = PCI_TESTDEV(dev);

    if (s->membar && (s->membar < 16 || (s->membar & (s->membar - 1)) ||
                      s->membar > UINT64_C(1) << 46)) {
        error_setf(errp, ERR_PROPERTY_RANGE,
                   "property 'membar' is %" PRIu64 "; accepted: 0, or a power of two from 16", s->membar);
        return false;
    }
    memory_region_init_io(&s->mem, s, &mem_ops, s, "pci-testdev-mmio", MEM_SIZE);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM32, &s->mem);
    memory_region_init_io(&s->io, s, &io_ops, s, "pci-testdev-portio", IO_SIZE);
    pci_register_bar(&s->pci, 1, PCI_BAR_IO, &s->io);
    if (s->membar) {
        memory_region_init_io(&s->big, s, &big_ops, s, "pci-testdev-membar", s->membar);
        pci_register_bar(&s->pci, 2, PCI_BAR_MEM64_PREFETCH, &s->big);
    }
    return true;
}

static void testdev_unrealize(Device *dev)
{
    PciTestdev *s = PCI_TESTDEV(dev);

    memory_region_cleanup(&s->mem);
    memory_region_cleanup(&s->io);
    memory_region_cleanup(&s->big);
}

static const VmField half_fields[] = { VM_U8(Half, test), VM_U32(Half, count), VM_END };
static const VmMeaning half_meanings[] = {
    { "test", "the test that was chosen" }, { "count", "writes of the right value" },
    { .name = NULL }
};
static const VmState half_vm = { 1, half_fields, .name = "half", .meanings = half_meanings };
static const VmField testdev_fields[] = {
    VM_PCI(PciTestdev, pci), VM_STRUCT_ARRAY(PciTestdev, half, half_vm), VM_END
};
static const VmMeaning testdev_meanings[] = {
    { "half", "of the memory BAR, of the port BAR" },
    { .name = NULL }
};

static const Property testdev_props[] = {
    PROP_SIZE("membar", PciTestdev, membar, 0, "bytes of BAR 2; 0: there is none"),
    PROP_BOOL("membar-backed", PciTestdev, membar_backed, false, "accepted; BAR 2 keeps nothing"),
    PROP_END
};

static const DeviceType testdev_type = {
    .name = "pci-testdev", .parent = TYPE_PCI_DEVICE, .size = sizeof(PciTestdev),
    .desc = "PCI Test Device", .category = DEVICE_MISC,
    .pci = { .vendor = 0x1b36, .device = 0x0005, .class_code = 0xff0000, .pin = PCI_PIN_NONE },
    .props = testdev_props, .realize = testdev_realize, .unrealize = testdev_unrealize,
    .reset_hold = testdev_reset_hold, .vm = { 1, testdev_fields, .meanings = testdev_meanings },
};
DEVICE_TYPE(testdev_type)
