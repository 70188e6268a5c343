/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI cards made of the VGA core, all with linear memory in BAR 0 and registers as memory in BAR 2:
 *
 *   0h     EDID of the display
 *   400h   VGA ports 3C0h and up
 *   500h   DISPI registers
 *   600h   size of this last block, and the byte order of the frame buffer
 *
 *   VGA              with the ports and the memory window of a PC's VGA
 *   secondary-vga    without these: one beside another card
 *   bochs-display    DISPI registers only, and only 32 bits a pixel
 */
#include "util/osdep.h"
#include "hw/display/edid.h"
#include "hw/display/vga.h"
#include "hw/pci/pci.h"

typedef struct VgaCard {
    bool legacy;                /* ports and window of the PC */
    bool ports;                 /* the ports as memory */
} VgaCard;

typedef struct VgaPci {
    PCIDevice pci;
    VgaState vga;
    MemRegion mmio;
    const VgaCard *card;
    uint32_t vgamem_mb;         /* properties: this, or ... */
    uint64_t vgamem;            /* ... bytes */
    bool edid;
    uint32_t xres, yres;
    uint8_t edid_block[EDID_SIZE];
} VgaPci;

static VgaPci *VGA_PCI(const void *obj)
{
    return (VgaPci *)object_cast(obj, TYPE_PCI_DEVICE);
}

static MemResult mmio_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                           UNUSED MemAttrs attrs)
{
    VgaPci *s = opaque;

    *val = 0;
    if (addr >= 0x400 && addr < 0x420 && s->card->ports) {
        for (unsigned i = 0; i < size; i++) {
            *val |= (uint64_t)vga_port_read(&s->vga, addr + i - 0x400 + 0x3c0) << (8 * i);
        }
    } else if (addr >= 0x500 && addr < 0x500 + 2 * DISPI_NUM) {
        *val = dispi_read(&s->vga, (addr - 0x500) / 2) >> (8 * (addr & 1));
    } else if (addr == 0x600) {
        *val = 8;                               /* size of this block */
    } else if (addr == 0x604) {
        *val = 0x1e1e1e1e;                      /* little-endian */
    } else if (addr + size <= EDID_SIZE && s->edid) {
        for (unsigned i = 0; i < size; i++) {
            *val |= (uint64_t)s->edid_block[addr + i] << (8 * i);
        }
    }
    return MEM_OK;
}

static MemResult mmio_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                            UNUSED MemAttrs attrs)
{
    VgaPci *s = opaque;

    if (addr >= 0x400 && addr < 0x420 && s->card->ports) {
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

static bool check_size(VgaPci *s, Error **errp)
{
    if (s->vgamem_mb < 1 || s->vgamem_mb > 256 || !IS_POWER_OF_2(s->vgamem_mb)) {
        error_setf(errp, ERR_PROPERTY_RANGE,
                   "property 'vgamem_mb' is %u; accepted: powers of two from 1 to 256",
                   s->vgamem_mb);
        return false;
    }
    return true;
}

/* bochs-display's is in bytes, and made a power of two. */
static bool take_bytes(VgaPci *s, Error **errp)
{
    if (s->vgamem < 4 * MIB || s->vgamem > 256 * MIB) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'vgamem' is %" PRIu64 "; accepted: 4 MiB to 256 MiB",
                   s->vgamem);
        return false;
    }
    s->vgamem_mb = 4;
    while (s->vgamem_mb * MIB < s->vgamem) {
        s->vgamem_mb *= 2;
    }
    return true;
}

static bool vga_pci_realize(Device *dev, Error **errp)
{
    VgaPci *s = VGA_PCI(dev);

    s->card = device_data(dev);
    if (!(s->card->ports ? check_size(s, errp) : take_bytes(s, errp)) ||
        !vga_init(&s->vga, dev, s->vgamem_mb, errp)) {
        return false;
    }
    s->vga.only_32 = !s->card->ports;
    edid_fill(s->edid_block, s->xres, s->yres);
    if (s->card->legacy) {
        vga_map_legacy(&s->vga, pci_bus(&s->pci)->mem, pci_bus(&s->pci)->io);
    }
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

#define EDID_PROPS \
    PROP_BOOL("edid", VgaPci, edid, true, "the display tells of itself by EDID"), \
    PROP_U32_RANGE("xres", VgaPci, xres, 1280, 64, EDID_RES_MAX, "width of the best mode in its EDID"), \
    PROP_U32_RANGE("yres", VgaPci, yres, 800, 64, EDID_RES_MAX, "height of the best mode in its EDID")

static const Property vga_pci_props[] = {
    PROP_U32("vgamem_mb", VgaPci, vgamem_mb, 16, "memory in MiB, a power of two from 1 to 256"),
    EDID_PROPS,
    PROP_END
};

static const Property bochs_display_props[] = {
    PROP_SIZE("vgamem", VgaPci, vgamem, 16 * MIB, "memory in bytes, 4 MiB to 256 MiB"),
    EDID_PROPS,
    PROP_END
};

static const VgaCard vga_card = { .legacy = true, .ports = true };
static const VgaCard secondary_card = { .ports = true };
static const VgaCard bochs_card = { .ports = false };

#define CARD(ident, type_name, text, properties, facts, class, prog_rev, rom) \
    static const DeviceType ident = { \
        .name = type_name, .parent = TYPE_PCI_DEVICE, .desc = text, .size = sizeof(VgaPci), \
        .category = DEVICE_DISPLAY, \
        .pci = { .vendor = 0x1234, .device = 0x1111, .class_code = class, .revision = prog_rev, \
                 .pin = PCI_PIN_NONE, .subsystem_vendor = 0x1af4, .subsystem = 0x1100, .romfile = rom }, \
        .props = properties, .realize = vga_pci_realize, .unrealize = vga_pci_unrealize, \
        .reset_hold = vga_pci_reset, .vm = { 1, vga_pci_fields }, .data = &facts, \
    }; \
    DEVICE_TYPE(ident)

CARD(vga_pci_type, "VGA", "VGA with Bochs' extensions", vga_pci_props, vga_card, 0x030000, 2, "vgabios-stdvga.bin")
CARD(secondary_vga_type, "secondary-vga", "VGA with Bochs' extensions, without a PC's ports", vga_pci_props,
     secondary_card, 0x038000, 2, NULL)
CARD(bochs_display_type, "bochs-display", "display with Bochs' DISPI registers", bochs_display_props, bochs_card,
     0x038000, 2, "vgabios-bochs-display.bin")
