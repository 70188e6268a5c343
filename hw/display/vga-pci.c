/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card "VGA": a VGA with linear memory in BAR 0, and the ports and DISPI registers as memory in
 * BAR 2 (400h: ports 3C0h and up, 500h: DISPI, 604h: byte order of the frame buffer).
 */
#include "util/osdep.h"
#include "hw/display/vga.h"
#include "hw/pci/pci.h"

typedef struct VgaPci {
    PCIDevice pci;
    VgaState vga;
    MemRegion mmio;
    uint32_t vgamem_mb;
} VgaPci;

DEFINE_CAST(VGA_PCI, VgaPci, "VGA")

static MemResult mmio_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                           UNUSED MemAttrs attrs)
{
    VgaPci *s = opaque;

    *val = 0;
    if (addr >= 0x400 && addr < 0x420) {
        for (unsigned i = 0; i < size; i++) {
            *val |= (uint64_t)vga_port_read(&s->vga, addr + i - 0x400 + 0x3c0) << (8 * i);
        }
    } else if (addr >= 0x500 && addr < 0x500 + 2 * DISPI_NUM) {
        *val = dispi_read(&s->vga, (addr - 0x500) / 2) >> (8 * (addr & 1));
    } else if (addr == 0x600) {
        *val = 8;                               /* size of this block */
    } else if (addr == 0x604) {
        *val = 0x1e1e1e1e;                      /* little-endian */
    } else if (addr < 0x100) {
        *val = 0;                               /* EDID: none */
    }
    return MEM_OK;
}

static MemResult mmio_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                            UNUSED MemAttrs attrs)
{
    VgaPci *s = opaque;

    if (addr >= 0x400 && addr < 0x420) {
        for (unsigned i = 0; i < size; i++) {
            vga_port_write(&s->vga, addr + i - 0x400 + 0x3c0, val >> (8 * i));
        }
    } else if (addr >= 0x500 && addr < 0x500 + 2 * DISPI_NUM && size == 2) {
        dispi_write(&s->vga, (addr - 0x500) / 2, val);
    }
    return MEM_OK;
}

static const MemOps mmio_ops = {
    .read = mmio_read, .write = mmio_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { 1, 4 },
};

static bool vga_pci_realize(Device *dev, Error **errp)
{
    VgaPci *s = VGA_PCI(dev);

    if (s->vgamem_mb < 1 || s->vgamem_mb > 256 || !IS_POWER_OF_2(s->vgamem_mb)) {
        error_setf(errp, ERR_PROPERTY_RANGE,
                   "property 'vgamem_mb' is %u; accepted: powers of two from 1 to 256",
                   s->vgamem_mb);
        return false;
    }
    if (!vga_init(&s->vga, dev, s->vgamem_mb, errp)) {
        return false;
    }
    vga_map_legacy(&s->vga, pci_bus(&s->pci)->mem, pci_bus(&s->pci)->io);
    memory_region_init_io(&s->mmio, s, &mmio_ops, s, "vga.mmio", 4096);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM32_PREFETCH, &s->vga.vram);
    pci_register_bar(&s->pci, 2, PCI_BAR_MEM32, &s->mmio);
    return true;
}

static void vga_pci_unrealize(Device *dev)
{
    VgaPci *s = VGA_PCI(dev);

    memory_region_cleanup(&s->mmio);
    vga_cleanup(&s->vga);
}

static void vga_pci_reset(Device *dev)
{
    vga_reset(&VGA_PCI(dev)->vga);
}

static const VmField vga_pci_fields[] = {
    VM_PCI(VgaPci, pci), VM_STRUCT(VgaPci, vga, vga_vm), VM_END
};

static const Property vga_pci_props[] = {
    PROP_U32("vgamem_mb", VgaPci, vgamem_mb, 16, "memory in MiB, a power of two from 1 to 256"),
    PROP_END
};

static const DeviceType vga_pci_type = {
    .name = "VGA", .parent = TYPE_PCI_DEVICE, .desc = "VGA with Bochs' extensions",
    .size = sizeof(VgaPci), .category = DEVICE_DISPLAY,
    .pci = { .vendor = 0x1234, .device = 0x1111, .class_code = 0x030000, .revision = 2,
             .pin = PCI_PIN_NONE, .subsystem_vendor = 0x1af4, .subsystem = 0x1100,
             .romfile = "vgabios-stdvga.bin" },
    .props = vga_pci_props, .realize = vga_pci_realize, .unrealize = vga_pci_unrealize,
    .reset_hold = vga_pci_reset, .vm = { 1, vga_pci_fields },
};
DEVICE_TYPE(vga_pci_type)
