/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI functions, buses and host bridges, seen through the example device of
 * the style guide and a function with MSI and MSI-X. */
#include "util/osdep.h"
#include "hw/core/regs.h"
#include "hw/pci/pci.h"
#include "tests/lib/test.h"

#include <glib.h>
#include "qobject/qobject.h"
#include "util/bswap.h"
#include "util/main-loop.h"

/* --- EX9050: a mailbox with one 16-byte memory BAR --- */

#define CTRL_IE      BIT(0)
#define STATUS_FULL  BIT(0)

enum { REG_CTRL, REG_STATUS, REG_DATA, REG_REVID, REG_NUM };

typedef struct Ex9050State {
    PCIDevice pci;
    MemRegion bar0;
    uint32_t reg[REG_NUM];
    uint8_t revision;
} Ex9050State;
DEFINE_CAST(EX9050, Ex9050State, "ex9050")

static void ex9050_update_irq(void *opaque)
{
    Ex9050State *s = opaque;

    pci_set_irq(&s->pci, (s->reg[REG_STATUS] & STATUS_FULL) && (s->reg[REG_CTRL] & CTRL_IE));
}

static void ex9050_data_written(void *opaque)
{
    Ex9050State *s = opaque;

    s->reg[REG_STATUS] |= STATUS_FULL;
    ex9050_update_irq(s);
}

static uint32_t ex9050_revid_read(void *opaque)
{
    return ((Ex9050State *)opaque)->revision;
}

static const RegDef ex9050_regs[REG_NUM] = {
    [REG_CTRL]   = { 0x0, "CTRL",   .rw = CTRL_IE, .flags = FLAGS({ "IE", CTRL_IE }),
                     .written = ex9050_update_irq },
    [REG_STATUS] = { 0x4, "STATUS", .w1c = STATUS_FULL,
                     .flags = FLAGS({ "FULL", STATUS_FULL }),
                     .written = ex9050_update_irq },
    [REG_DATA]   = { 0x8, "DATA",   .rw = UINT32_MAX, .written = ex9050_data_written },
    [REG_REVID]  = { 0xc, "REVID",  .read = ex9050_revid_read },
};

static void ex9050_reset_hold(Device *dev)
{
    Ex9050State *s = EX9050(dev);

    regs_reset(s->reg, ex9050_regs, REG_NUM);
    ex9050_update_irq(s);
}

static bool ex9050_realize(Device *dev, Error **errp)
{
    Ex9050State *s = EX9050(dev);

    if (s->revision > 15) {
        error_setf(errp, ERR_PROPERTY_RANGE,
                   "property 'revision' is %u; accepted: 0 to 15", s->revision);
        return false;
    }
    regs_init_region(&s->bar0, ex9050_regs, REG_NUM, s->reg, s, LITTLE_ENDIAN_REGS);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM32, &s->bar0);
    return true;
}

static void ex9050_unrealize(Device *dev)
{
    memory_region_cleanup(&EX9050(dev)->bar0);
}

static bool ex9050_post_load(void *opaque, Error **errp)
{
    Ex9050State *s = opaque;

    if (!regs_valid(s->reg, ex9050_regs, REG_NUM, errp)) {
        return false;
    }
    ex9050_update_irq(s);
    return true;
}

static const VmField ex9050_fields[] = {
    VM_PCI(Ex9050State, pci), VM_REGS(Ex9050State, reg, ex9050_regs), VM_END
};

static const Property ex9050_props[] = {
    PROP_U8("revision", Ex9050State, revision, 2, "value of REVID, 0 to 15"),
    PROP_END
};

static const DeviceType ex9050_type = {
    .name = "ex9050", .parent = TYPE_PCI_DEVICE, .size = sizeof(Ex9050State),
    .pci = { .vendor = 0x1234, .device = 0x9050, .class_code = 0x088000 },
    .props = ex9050_props, .realize = ex9050_realize, .unrealize = ex9050_unrealize,
    .reset_hold = ex9050_reset_hold,
    .vm = { 1, ex9050_fields, .post_load = ex9050_post_load },
};
DEVICE_TYPE(ex9050_type)

/* --- a function with MSI (4 vectors, masks) and MSI-X in BAR 1 --- */

typedef struct MsgState {
    PCIDevice pci;
} MsgState;

static bool msg_realize(Device *dev, Error **errp)
{
    PCIDevice *pci = PCI_DEVICE(dev);

    return pci_add_pm(pci, errp) && msi_init(pci, 0, 4, true, true, errp) &&
           msix_init_exclusive_bar(pci, 3, 1, errp);
}

static const VmField msg_fields[] = { VM_PCI(MsgState, pci), VM_END };
static const DeviceType msg_type = {
    .name = "test-msg", .parent = TYPE_PCI_DEVICE, .size = sizeof(MsgState),
    .pci = { .vendor = 0x1234, .device = 0x0001, .class_code = 0xff0000 },
    .realize = msg_realize, .vm = { 1, msg_fields },
};
DEVICE_TYPE(msg_type)

/* --- a host bridge with four interrupt inputs --- */

typedef struct HostState {
    PCIHost host;
    MemRegion mem, io;
    int irq[4];
} HostState;

static void host_set_irq(void *opaque, int n, int level)
{
    ((HostState *)opaque)->irq[n] = level;
}

static bool host_realize(Device *dev, UNUSED Error **errp)
{
    HostState *h = (HostState *)dev;

    memory_region_init(&h->mem, h, "pci", UINT64_MAX);
    memory_region_init(&h->io, h, "pci-io", 65536);
    h->host.bus = pci_root_bus_new(dev, TYPE_PCI_BUS, NULL, &h->mem, &h->io, 0);
    pci_bus_set_irqs(h->host.bus, host_set_irq, pci_swizzle, h, 4);
    return true;
}

static void host_unrealize(Device *dev)
{
    HostState *h = (HostState *)dev;

    memory_region_cleanup(&h->mem);
    memory_region_cleanup(&h->io);
}

static const DeviceType host_type = {
    .name = "test-host", .parent = TYPE_PCI_HOST, .size = sizeof(HostState),
    .realize = host_realize, .unrealize = host_unrealize,
};
DEVICE_TYPE(host_type)

typedef struct World {
    HostState *h;
    PCIBus *bus;
    MemRegion ram;
    AddressSpace mem, io;       /* what a CPU would see */
} World;

static void world_end(void *opaque)
{
    World *w = opaque;

    device_delete(&w->h->host.dev);
    memory_region_cleanup(&w->ram);
    address_space_cleanup(&w->mem);
    address_space_cleanup(&w->io);
    g_free(w);
    while (main_loop_iterate(false)) {
    }
}

static World *world_new(Test *t)
{
    World *w = g_new0(World, 1);
    Error *err = NULL;

    main_loop_init();
    w->h = (HostState *)device_new("test-host");
    check_true(t, device_realize_unref(&w->h->host.dev, NULL, &err), "host bridge");
    w->bus = w->h->host.bus;
    address_space_init(&w->mem, &w->h->mem, "test-mem");
    memory_region_init_ram(&w->ram, NULL, "test.ram", 65536, &err);
    memory_region_add(system_memory(), 0, &w->ram);
    address_space_init(&w->io, &w->h->io, "test-io");
    test_at_end(t, world_end, w);
    return w;
}

static PCIDevice *add(Test *t, World *w, const char *type, int devfn)
{
    Error *err = NULL;
    PCIDevice *pci = pci_create(w->bus, devfn, type, &err);

    check_true(t, pci, err ? error_message(err) : "created");
    error_free(err);
    device_reset(&pci->dev, RESET_COLD);
    return pci;
}

static uint32_t cfg_read(PCIDevice *pci, unsigned reg, unsigned len)
{
    return pci_data_read(pci_bus(pci), (uint32_t)pci->devfn << 8 | reg, len);
}

static void cfg_write(PCIDevice *pci, unsigned reg, uint32_t v, unsigned len)
{
    pci_data_write(pci_bus(pci), (uint32_t)pci->devfn << 8 | reg, v, len);
}

#define A MEM_ATTRS_NONE

TEST(pci, configuration_space)
{
    World *w = world_new(t);
    PCIDevice *pci = add(t, w, "ex9050", PCI_DEVFN(3, 0));

    check_u32(t, cfg_read(pci, 0, 4), 0x90501234, "ids");
    check_u32(t, cfg_read(pci, 8, 4), 0x08800000, "class and revision");
    check_u8(t, cfg_read(pci, 0x3d, 1), 1, "INTA#");
    cfg_write(pci, 0, 0, 4);
    check_u16(t, cfg_read(pci, 0, 2), 0x1234, "ids are read-only");
    cfg_write(pci, 4, 0xffffffff, 4);
    check_u16(t, cfg_read(pci, 4, 2), 0x0547, "bits of COMMAND");
    check_u32(t, pci_data_read(w->bus, PCI_DEVFN(9, 0) << 8, 4), 0xffffffff, "nobody there");
    check_u32(t, pci_data_read(w->bus, 1 << 16 | PCI_DEVFN(3, 0) << 8, 4), 0xffffffff,
              "no such bus");
    check_u32(t, pci_default_config_read(pci, 0xfe, 4), 0xffffffff, "past the end");
    pci_default_config_write(pci, 0xfe, 0, 4);
}

TEST(pci, mechanism_1)
{
    World *w = world_new(t);
    PCIHost *host = &w->h->host;
    PCIDevice *pci = add(t, w, "ex9050", PCI_DEVFN(3, 0));
    uint64_t v;

    memory_region_dispatch_write(&host->conf, 0, 0x80001800, 4, MEM_LE, A);
    memory_region_dispatch_read(&host->data, 0, &v, 4, MEM_LE, A);
    check_u64(t, v, 0x90501234, "CONFIG_DATA");
    memory_region_dispatch_read(&host->data, 2, &v, 2, MEM_LE, A);
    check_u64(t, v, 0x9050, "upper half");
    memory_region_dispatch_write(&host->conf, 1, 0xff, 1, MEM_LE, A);
    memory_region_dispatch_read(&host->conf, 0, &v, 4, MEM_LE, A);
    check_u64(t, v, 0x80001800, "only DWORDs set the latch");
    memory_region_dispatch_write(&host->conf, 0, 0x00001800, 4, MEM_LE, A);
    memory_region_dispatch_read(&host->data, 0, &v, 4, MEM_LE, A);
    check_u64(t, v, 0xffffffff, "not enabled");
    check_true(t, pci, "there");
}

TEST(pci, bar_and_registers)
{
    World *w = world_new(t);
    PCIDevice *pci = add(t, w, "ex9050", PCI_DEVFN(3, 0));

    cfg_write(pci, 0x10, 0xffffffff, 4);
    check_u32(t, cfg_read(pci, 0x10, 4), 0xfffffff0, "size of 16 bytes");
    cfg_write(pci, 0x10, 0xe0000000, 4);
    check_u32(t, address_space_ld32_le(&w->mem, 0xe000000c, A, NULL), 0xffffffff,
              "nothing before MEM is enabled");
    cfg_write(pci, 4, PCI_COMMAND_MEMORY, 2);
    check_u32(t, address_space_ld32_le(&w->mem, 0xe000000c, A, NULL), 2, "REVID");
    address_space_st32_le(&w->mem, 0xe0000000, 0xffffffff, A, NULL);
    check_u32(t, address_space_ld32_le(&w->mem, 0xe0000000, A, NULL), 1, "defined bits");
    cfg_write(pci, 0x10, 0xd0000000, 4);
    check_u32(t, address_space_ld32_le(&w->mem, 0xe000000c, A, NULL), 0xffffffff, "moved");
    check_u32(t, address_space_ld32_le(&w->mem, 0xd000000c, A, NULL), 2, "moved");
    cfg_write(pci, 0x10, 0xffffffff, 4);
    check_u64(t, pci_bar_address(pci, 0), PCI_BAR_UNMAPPED, "sizing unmaps");
}

TEST(pci, interrupts_are_wired_or)
{
    World *w = world_new(t);
    PCIDevice *a = add(t, w, "ex9050", PCI_DEVFN(3, 0));
    PCIDevice *b = add(t, w, "ex9050", PCI_DEVFN(7, 0));

    pci_set_irq(a, 1);
    check_int(t, w->h->irq[3], 1, "slot 3 pin A is input 3");
    pci_set_irq(b, 1);
    pci_set_irq(b, 1);
    pci_set_irq(a, 0);
    check_int(t, w->h->irq[3], 1, "slot 7 still pulls it");
    check_u16(t, cfg_read(b, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, 8, "status bit");
    cfg_write(b, PCI_COMMAND, PCI_COMMAND_INTX_OFF, 2);
    check_int(t, w->h->irq[3], 0, "switched off by COMMAND");
    check_u16(t, cfg_read(b, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, 8, "status bit stays");
    cfg_write(b, PCI_COMMAND, 0, 2);
    check_int(t, w->h->irq[3], 1, "and on");
    device_reset(&b->dev, RESET_COLD);
    check_int(t, w->h->irq[3], 0, "reset lets go");
}

TEST(pci, dma_needs_bus_master)
{
    World *w = world_new(t);
    PCIDevice *pci = add(t, w, "ex9050", -1);
    uint32_t v = 0x12345678;

    check_int(t, pci_dma_write(pci, 0x100, &v, 4), MEM_DECODE_ERROR, "not a master");
    cfg_write(pci, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    check_int(t, pci_dma_write(pci, 0x100, &v, 4), MEM_OK, "a master");
    check_u32(t, pci_dma_ld32(pci, 0x100, NULL), v, "same bytes");
    device_reset(&pci->dev, RESET_COLD);
    check_int(t, pci_dma_read(pci, 0x100, &v, 4), MEM_DECODE_ERROR, "reset takes it away");
}

TEST(pci, msi)
{
    World *w = world_new(t);
    PCIDevice *pci = add(t, w, "test-msg", PCI_DEVFN(4, 0));
    unsigned cap = pci_find_capability(pci, PCI_CAP_ID_MSI);
    uint8_t *ram = memory_region_ram_ptr(&w->ram);

    check_true(t, cap && pci_find_capability(pci, PCI_CAP_ID_PM), "in the list");
    check_u16(t, cfg_read(pci, cap + 2, 2), 0x0184, "4 vectors, 64 bit, masks");
    cfg_write(pci, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    cfg_write(pci, cap + 4, 0x1000, 4);
    cfg_write(pci, cap + 12, 0x40ff, 2);
    msi_notify(pci, 1);
    check_u32(t, load_le32(ram + 0x1000), 0, "not enabled");
    cfg_write(pci, cap + 2, 0x21, 2);
    msi_notify(pci, 1);
    check_u32(t, load_le32(ram + 0x1000), 0x40fd, "the vector in the low bits");
    cfg_write(pci, cap + 16, 0xffffffff, 4);
    check_u32(t, cfg_read(pci, cap + 16, 4), 0xf, "as many masks as vectors");
    msi_notify(pci, 2);
    check_u32(t, load_le32(ram + 0x1000), 0x40fd, "masked");
    check_u32(t, cfg_read(pci, cap + 20, 4), 4, "pending");
    cfg_write(pci, cap + 16, 0, 4);
    check_u32(t, load_le32(ram + 0x1000), 0x40fe, "sent when unmasked");
    check_u32(t, cfg_read(pci, cap + 20, 4), 0, "no longer pending");
    cfg_write(pci, cap + 2, 0x71, 2);
    msi_notify(pci, 31);
    check_u32(t, load_le32(ram + 0x1000), 0x40ff, "more vectors than there are");
}

TEST(pci, msix)
{
    World *w = world_new(t);
    PCIDevice *pci = add(t, w, "test-msg", PCI_DEVFN(4, 0));
    unsigned cap = pci_find_capability(pci, PCI_CAP_ID_MSIX);
    uint8_t *ram = memory_region_ram_ptr(&w->ram);

    check_u16(t, cfg_read(pci, cap + 2, 2), 2, "three vectors");
    cfg_write(pci, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY, 2);
    cfg_write(pci, 0x14, 0xe0000000, 4);
    check_u32(t, address_space_ld32_le(&w->mem, 0xe000000c, A, NULL), 1, "starts masked");
    for (unsigned v = 0; v < 3; v++) {
        address_space_st64_le(&w->mem, 0xe0000000 + 16 * v, 0x2000 + 4 * v, A, NULL);
        address_space_st32_le(&w->mem, 0xe0000008 + 16 * v, 0x1111 * (v + 1), A, NULL);
    }
    cfg_write(pci, cap + 2, 0x8000, 2);
    msix_notify(pci, 1);
    check_u32(t, load_le32(ram + 0x2004), 0, "masked");
    check_u64(t, address_space_ld64_le(&w->mem, 0xe0000800, A, NULL), 2, "pending bit");
    address_space_st32_le(&w->mem, 0xe000001c, 0, A, NULL);
    check_u32(t, load_le32(ram + 0x2004), 0x2222, "sent when unmasked");
    check_u64(t, address_space_ld64_le(&w->mem, 0xe0000800, A, NULL), 0, "pending no more");
    cfg_write(pci, cap + 2, 0xc000, 2);
    address_space_st32_le(&w->mem, 0xe000000c, 0, A, NULL);
    msix_notify(pci, 0);
    check_u32(t, load_le32(ram + 0x2000), 0, "function mask");
    cfg_write(pci, cap + 2, 0x8000, 2);
    check_u32(t, load_le32(ram + 0x2000), 0x1111, "and its end");
    msix_notify(pci, 3);
    msix_notify(pci, 4096);
    check_u8(t, address_space_ld8(&w->mem, 0xe0000000, A, NULL), 0xff, "no byte accesses");
}

TEST(pci, save_and_load)
{
    World *w = world_new(t);
    PCIDevice *a = add(t, w, "ex9050", PCI_DEVFN(3, 0)), *m = add(t, w, "test-msg", -1);
    g_autoptr(GByteArray) one = g_byte_array_new(), two = g_byte_array_new();
    Error *err = NULL;

    cfg_write(a, 0x10, 0xe0000000, 4);
    cfg_write(a, 4, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    address_space_st32_le(&w->mem, 0xe0000000, 1, A, NULL);
    address_space_st32_le(&w->mem, 0xe0000008, 0x77, A, NULL);
    cfg_write(m, 0x14, 0xd0000000, 4);
    cfg_write(m, 4, PCI_COMMAND_MEMORY, 2);
    address_space_st32_le(&w->mem, 0xd0000008, 0xabcd, A, NULL);
    check_int(t, w->h->irq[3], 1, "it interrupts");
    check_true(t, devices_save_all(one, &err), "saved");
    system_reset(RESET_COLD);
    check_int(t, w->h->irq[3], 0, "reset");
    check_true(t, devices_load_all(one->data, one->len, &err),
               err ? error_message(err) : "loaded");
    check_int(t, w->h->irq[3], 1, "it interrupts again");
    check_u32(t, address_space_ld32_le(&w->mem, 0xe0000008, A, NULL), 0x77, "mapped, DATA");
    check_u32(t, address_space_ld32_le(&w->mem, 0xd0000008, A, NULL), 0xabcd, "MSI-X table");
    devices_save_all(two, &err);
    check_true(t, one->len == two->len && !memcmp(one->data, two->data, one->len),
               "saved again it is the same");
}

/* Each byte of a saved state changed: refused or loaded, never worse. */
TEST(pci, hostile_state)
{
    World *w = world_new(t);
    PCIDevice *pci = add(t, w, "test-msg", -1);
    g_autoptr(GByteArray) good = g_byte_array_new();
    g_autofree uint8_t *bad = NULL;
    unsigned refused = 0;

    check_true(t, device_save(&pci->dev, good, NULL), "saved");
    bad = g_malloc(good->len);
    for (guint i = 0; i < good->len; i++) {
        for (int pattern = 0; pattern < 3; pattern++) {
            Error *err = NULL;

            memcpy(bad, good->data, good->len);
            bad[i] = pattern == 0 ? 0 : pattern == 1 ? 0xff : bad[i] ^ 0x80;
            if (!device_load(&pci->dev, bad, good->len, &err)) {
                refused++;
                check_true(t, err, "a refusal says why");
            }
            error_free(err);
            cfg_read(pci, 0x40, 4);
            msi_notify(pci, 3);
            msix_notify(pci, 2);
        }
    }
    check_true(t, refused > 100, "read-only bits, names, lengths");
    for (guint len = 0; len < good->len; len += 7) {
        check_true(t, !device_load(&pci->dev, good->data, len, NULL), "cut off");
    }
    check_true(t, device_load(&pci->dev, good->data, good->len, NULL), "the good one loads");
}

/* A guest that writes everywhere. */
TEST(pci, hostile_guest)
{
    World *w = world_new(t);
    PCIDevice *pci[2] = { add(t, w, "ex9050", -1), add(t, w, "test-msg", -1) };
    g_autoptr(GRand) rnd = g_rand_new_with_seed(1);

    for (int i = 0; i < 20000; i++) {
        PCIDevice *d = pci[g_rand_int_range(rnd, 0, 2)];
        unsigned len = 1u << g_rand_int_range(rnd, 0, 3);
        unsigned reg = (unsigned)g_rand_int_range(rnd, 0, 256) & ~(len - 1);

        if (g_rand_boolean(rnd)) {
            cfg_write(d, reg, g_rand_int(rnd), len);
        } else {
            cfg_read(d, reg, len);
        }
        if (i % 16 == 0) {
            address_space_st32_le(&w->mem, (hwaddr)g_rand_int(rnd), g_rand_int(rnd), A, NULL);
            msi_notify(pci[1], g_rand_int(rnd) & 31);
            msix_notify(pci[1], g_rand_int(rnd) & 31);
        }
    }
    check_u32(t, cfg_read(pci[0], 0, 4), 0x90501234, "still itself");
    device_reset(&pci[0]->dev, RESET_COLD);
    check_u16(t, cfg_read(pci[0], 4, 2), 0, "and can be reset");
}

TEST(pci, places)
{
    World *w = world_new(t);
    Error *err = NULL;
    g_autofree char *path = NULL;
    PCIDevice *a, *b;

    add(t, w, "ex9050", PCI_DEVFN(0, 0));
    a = add(t, w, "ex9050", -1);
    check_int(t, a->devfn, PCI_DEVFN(1, 0), "the first free slot");
    path = device_bus_path(&a->dev);
    check_str(t, path, "0000:00:01.0", "its name");
    check_true(t, !pci_create(w->bus, PCI_DEVFN(1, 0), "ex9050", &err), "taken");
    error_free(err);
    err = NULL;
    check_true(t, !pci_create(w->bus, PCI_DEVFN(1, 1), "ex9050", &err), "one function only");
    error_free(err);
    err = NULL;
    b = pci_new(-1, "ex9050");
    check_true(t, object_set_str(b, "addr", "0x1f.7", &err) &&
                  b->devfn == PCI_DEVFN(31, 7), "SLOT.FUNCTION");
    check_true(t, object_set_str(b, "addr", "6", &err) && b->devfn == PCI_DEVFN(6, 0), "SLOT");
    check_true(t, object_set_str(b, "addr", "0x1.0x2", &err) &&
                  b->devfn == PCI_DEVFN(1, 2), "as libvirt writes it");
    check_true(t, !object_set_str(b, "addr", "20.0", &err), "no slot 0x20");
    error_free(err);
    err = NULL;
    check_true(t, !object_set_str(b, "addr", "3.1x", &err), "nothing behind");
    error_free(err);
    err = NULL;
    check_true(t, object_set_str(b, "revision", "16", &err), "fits the field");
    b->devfn = -1;
    check_true(t, !device_realize_unref(&b->dev, &w->bus->bus, &err), "but not the device");
    check_str(t, error_message(err), "property 'revision' is 16; accepted: 0 to 15", "says so");
    error_free(err);
    check_true(t, !w->bus->devices[PCI_DEVFN(2, 0)], "its slot is free again");
}
