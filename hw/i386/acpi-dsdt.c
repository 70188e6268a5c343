/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DSDT of the PC machines: processors, the PCI root with its windows,
 * the ISA devices, sleep states; the chip sets' own parts are in files beside this one.
 *
 * Source: ACPI 3.0, chapters 6 to 9 and 19.
 */
#include "util/osdep.h"
#include "hw/i386/acpi-build.h"

#include "hw/acpi/cpu-hotplug.h"
#include "hw/acpi/memory-hotplug.h"
#include "hw/acpi/pci-hotplug.h"
#include "hw/acpi/vmgenid.h"
#include "hw/i386/chipset.h"
#include "hw/i386/pc-hotplug.h"

#define PCI_HOLE_END    0xfebfffffu     /* the IOAPIC is above */
#define PCI64_SIZE      (512 * GIB)
#define STA_PRESENT     0x0f

static void put_processors(Aml *a, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char name[8];

        snprintf(name, sizeof(name), "C%03X", i & 0xfffu);
        aml_device(a, name);
        aml_name(a, "_HID");
        aml_string(a, "ACPI0007");
        aml_put_int(a, "_UID", i);
        aml_put_int(a, "_STA", STA_PRESENT);
        aml_end(a);
    }
}

typedef struct Window {
    uint64_t first, last;
} Window;

/* Firmware may have put BARs elsewhere above 4 GiB; when it reads the tables, memory may still be off. */
static int add_bars(PCIDevice *pci, void *opaque)
{
    Window *w = opaque;

    for (int n = 0; n < PCI_NUM_BARS; n++) {
        const PciBar *bar = &pci->bars[n];
        const uint8_t *reg = pci->config + PCI_BASE_ADDRESS_0 + 4 * n;
        bool is_64 = bar->mr && (bar->type == PCI_BAR_MEM64 || bar->type == PCI_BAR_MEM64_PREFETCH);
        hwaddr addr = is_64 ? (pci_get_long(reg) & ~15u) | (hwaddr)pci_get_long(reg + 4) << 32 : 0;

        if (addr >= 4 * GIB && addr <= UINT64_MAX - bar->size) {
            w->first = MIN(w->first, addr & ~(GIB - 1));
            w->last = MAX(w->last, (addr + bar->size - 1) | (GIB - 1));
        }
    }
    return 0;
}

static void put_root_resources(Aml *a, PcMachine *pc)
{
    GByteArray *r = g_byte_array_new();
    uint32_t hole = (uint32_t)MAX(pc->ram_below_4g, 0x80000000u);
    Window high = { pc_plugged_end(pc), pc_plugged_end(pc) + PCI64_SIZE - 1 };
    const PcChipset *chipset = pc_chipset(pc);
    uint64_t ecam, ecam_size;

    res_word(r, RES_BUS, 0, 0xff);
    res_io(r, 0xcf8, 0xcf8, 1, 8);
    res_word(r, RES_IO, 0, 0xcf7);
    res_word(r, RES_IO, 0xd00, 0xffff);
    res_dword(r, RES_MEMORY, 0xa0000, 0xbffff, true);
    if (chipset->ecam && chipset->ecam(pc, &ecam, &ecam_size) && ecam < PCI_HOLE_END) {
        if (ecam > hole) {
            res_dword(r, RES_MEMORY, hole, (uint32_t)ecam - 1, false);
        }
        hole = (uint32_t)MAX(hole, ecam + ecam_size);
    }
    res_dword(r, RES_MEMORY, hole, PCI_HOLE_END, false);
    pci_bus_foreach(pc->pci, add_bars, &high);
    res_qword(r, RES_MEMORY, high.first, high.last, true);
    aml_name(a, "_CRS");
    aml_resources(a, r);
}

/* A device with up to two runs of ports and an interrupt (0: none). */
static void put_isa(Aml *a, const char *name, const char *hid, unsigned uid, uint16_t io1,
                    uint8_t len1, uint16_t io2, uint8_t len2, unsigned irq)
{
    GByteArray *r = g_byte_array_new();

    aml_device(a, name);
    aml_put_hid(a, "_HID", hid);
    if (uid) {
        aml_put_int(a, "_UID", uid);
    }
    aml_put_int(a, "_STA", STA_PRESENT);
    if (len1) {
        res_io(r, io1, io1, 1, len1);
    }
    if (len2) {
        res_io(r, io2, io2, 1, len2);
    }
    if (irq) {
        res_irq(r, (uint16_t)BIT(irq), false);
    }
    aml_name(a, "_CRS");
    aml_resources(a, r);
    aml_end(a);
}

static int put_pvpanic(Device *dev, void *opaque)
{
    Aml *a = opaque;
    uint64_t port = 0;
    GByteArray *r;

    if (!object_is_a(dev, "pvpanic") || !object_get_uint(dev, "ioport", &port, NULL)) {
        return 0;
    }
    r = g_byte_array_new();
    aml_device(a, "PEVT");
    aml_name(a, "_HID");
    aml_string(a, "QEMU0001");
    aml_put_int(a, "_STA", STA_PRESENT);
    res_io(r, (uint16_t)port, (uint16_t)port, 1, 1);
    aml_name(a, "_CRS");
    aml_resources(a, r);
    aml_end(a);
    return 1;                   /* one name, one device */
}

typedef struct Ports {
    Aml *a;
    const char *type, *name, *hid;
    uint8_t len;
    unsigned n;                 /* described so far */
} Ports;

static int put_port(Device *dev, void *opaque)
{
    Ports *p = opaque;
    uint64_t io = 0, irq = 0;
    char name[8];

    if (!object_is_a(dev, p->type) || !object_get_uint(dev, "iobase", &io, NULL) ||
        !object_get_uint(dev, "irq", &irq, NULL)) {
        return 0;
    }
    snprintf(name, sizeof(name), "%s%u", p->name, ++p->n);
    /* The adapter with video memory had its port at 3BCh, in front of the VGA's. */
    put_isa(p->a, name, p->hid, p->n, (uint16_t)io, io == 0x3bc ? MIN(p->len, 4) : p->len, 0, 0,
            (unsigned)irq);
    return p->n == 9;           /* names have four characters */
}

static int put_applesmc(Device *dev, void *opaque)
{
    uint64_t port = 0;

    if (!object_is_a(dev, "isa-applesmc") || !object_get_uint(dev, "iobase", &port, NULL)) {
        return 0;
    }
    put_isa(opaque, "SMC", "APP0001", 0, (uint16_t)port, 32, 0, 0, 6);
    return 1;
}

static void put_isa_devices(Aml *a, PcMachine *pc)
{
    Ports com = { a, "isa-serial", "COM", "PNP0501", 8, 0 },
          lpt = { a, "isa-parallel", "LPT", "PNP0400", 8, 0 };

    put_isa(a, "RTC", "PNP0B00", 0, 0x70, 2, 0, 0, 8);
    if (pc->i8042) {
        put_isa(a, "KBD", "PNP0303", 0, 0x60, 1, 0x64, 1, 1);
        put_isa(a, "MOU", "PNP0F13", 0, 0, 0, 0, 0, 12);
    }
    device_foreach(put_port, &com);
    device_foreach(put_port, &lpt);
    device_foreach(put_pvpanic, a);
    device_foreach(put_applesmc, a);
}

static void put_hpet_device(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    aml_device(a, "HPET");
    aml_put_hid(a, "_HID", "PNP0103");
    aml_put_int(a, "_UID", 0);
    aml_put_int(a, "_STA", STA_PRESENT);
    res_memory32(r, PC_HPET_ADDR, 0x400);
    aml_name(a, "_CRS");
    aml_resources(a, r);
    aml_end(a);
}

/* The firmware's configuration device, for drivers in the guest. */
static void put_fw_cfg_device(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    aml_device(a, "FWCF");
    aml_name(a, "_HID");
    aml_string(a, "QEMU0002");
    aml_put_int(a, "_STA", 0x0b);
    res_io(r, 0x510, 0x510, 1, 12);
    aml_name(a, "_CRS");
    aml_resources(a, r);
    aml_end(a);
}

/* Config space in memory belongs to the board (PCI Firmware Specification 3.0, 4.1.2). */
static void put_ecam(Aml *a, PcMachine *pc)
{
    const PcChipset *chipset = pc_chipset(pc);
    GByteArray *r;
    uint64_t base, size;

    if (chipset->ecam && chipset->ecam(pc, &base, &size)) {
        r = g_byte_array_new();
        aml_device(a, "ECAM");
        aml_put_hid(a, "_HID", "PNP0C02");
        res_memory32(r, (uint32_t)base, (uint32_t)size);
        aml_name(a, "_CRS");
        aml_resources(a, r);
        aml_end(a);
    }
}

/* Where the generation id is ("Virtual Machine Generation ID", 2012). */
static void put_vmgenid(Aml *a)
{
    aml_device(a, "VGEN");
    aml_name(a, "_HID");
    aml_string(a, "QEMUVGID");
    aml_name(a, "_CID");
    aml_string(a, "VM_Gen_Counter");
    aml_name(a, "_DDN");
    aml_string(a, "VM_Gen_Counter");
    aml_name(a, "ADDR");
    aml_package(a, 2);
    aml_int(a, VMGENID_ADDR);
    aml_int(a, 0);
    aml_end(a);
    aml_end(a);
}

/* What a general-purpose event of a controller, if there is one, calls. */
static void put_event(Aml *a, const Device *controller, const char *event, const char *method)
{
    if (controller) {
        aml_method(a, event, 0, false);
        aml_call(a, method);
        aml_end(a);
    }
}

/* Values for SUS_TYP of both PM1 control registers (82371AB 7.2.3). */
static void put_sleep_state(Aml *a, const char *name, unsigned type)
{
    aml_name(a, name);
    aml_package(a, 4);
    aml_int(a, type);
    aml_int(a, type);
    aml_int(a, 0);
    aml_int(a, 0);
    aml_end(a);
}

static bool pm_disables(PcMachine *pc, const char *prop)
{
    uint64_t off = 0;

    return object_get_uint(pc->pm, prop, &off, NULL) && off;
}

unsigned pc_put_dsdt(AcpiTables *t, PcMachine *pc)
{
    const PcChipset *chipset = pc_chipset(pc);
    bool bridges;
    const PciHotplug *hotplug = chipset->pci_hotplug(pc, &bridges);
    unsigned dsdt = acpi_table_begin(t, "DSDT", 1);
    Aml aml, *a = &aml;

    aml_init(a, t->tables);
    aml_scope(a, "\\_SB");
    if (pc->cpu_hotplug) {
        cpu_hotplug_put_aml(a, chipset->cpu_hotplug_io, pc->parent.smp.max_cpus);
    } else {
        put_processors(a, pc->parent.smp.cpus);
    }
    if (pc->mem_hotplug) {
        memory_hotplug_put_aml(a, pc->parent.ram_slots);
    }
    aml_device(a, "PCI0");
    chipset->put_root(a, pc);
    put_root_resources(a, pc);
    aml_device(a, "ISA");
    aml_put_int(a, "_ADR", chipset->isa_adr);
    chipset->put_router(a);
    put_isa_devices(a, pc);
    aml_end(a);
    put_fw_cfg_device(a);
    put_ecam(a, pc);
    aml_end(a);
    if (pc->hpet) {
        put_hpet_device(a);
    }
    aml_end(a);

    aml_scope(a, "\\_SB");
    chipset->put_links(a, pc);
    aml_end(a);
    aml_scope(a, "\\_SB.PCI0");
    chipset->put_routing(a, pc);
    if (hotplug) {
        pci_hotplug_put_aml(a, hotplug);
    }
    aml_end(a);
    if (vmgenid_find()) {
        aml_scope(a, "\\_SB");
        put_vmgenid(a);
        aml_end(a);
    }
    if (pc->pm) {
        aml_scope(a, "\\_GPE");
        if (hotplug) {
            aml_method(a, "_E01", 0, false);
            aml_call(a, "\\_SB.PCI0.PCNT");
            aml_end(a);
        }
        put_event(a, pc->cpu_hotplug, "_E02", "\\_SB.CSCN");
        put_event(a, pc->mem_hotplug, "_E03", "\\_SB.MSCN");
        if (vmgenid_find()) {
            aml_method(a, "_E05", 0, false);
            aml_notify(a);
            aml_ref(a, "\\_SB.VGEN");
            aml_int(a, 0x80);
            aml_end(a);
        }
        aml_end(a);
    }
    if (pc->pm && !pm_disables(pc, "disable_s3")) {
        put_sleep_state(a, "\\_S3", chipset->slp_typ_s3);
    }
    if (pc->pm && !pm_disables(pc, "disable_s4")) {
        put_sleep_state(a, "\\_S4", chipset->slp_typ_s4);
    }
    put_sleep_state(a, "\\_S5", chipset->slp_typ_s5);
    acpi_table_end(t, dsdt);
    return dsdt;
}
