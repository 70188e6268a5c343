/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts that all PC machines have. Each function here is one block of the
 * diagram: create, set properties, connect, map.
 */
#include "util/osdep.h"
#include "hw/i386/pc.h"
#include "hw/i386/pc-hotplug.h"

#include <glib.h>
#include "hw/acpi/pci-hotplug.h"
#include "hw/acpi/vmgenid.h"
#include "hw/block/fdc.h"
#include "hw/core/apic.h"
#include "hw/core/boot.h"
#include "hw/core/numa.h"
#include "hw/core/cpu.h"
#include "hw/dma/i8237.h"
#include "hw/i386/acpi-build.h"
#include "hw/i386/chipset.h"
#include "hw/input/i8042.h"
#include "hw/intc/i8259.h"
#include "hw/misc/pcspk.h"
#include "hw/rtc/mc146818.h"
#include "hw/smbios/smbios.h"
#include "hw/timer/hpet.h"
#include "hw/timer/i8254.h"
#include "util/bswap.h"

#define E820_RAM            1

const char *const pc_entry_points[] = { "32", "64", NULL };

const Property pc_machine_props[] = { PC_MACHINE_PROPS, PROP_END };

bool pc_prepare(Machine *m, Error **errp)
{
    PcMachine *pc = PC_MACHINE(m);
    const PcChipset *chipset = pc_chipset(pc);
    uint64_t low = m->ram_size >= chipset->low_max ? chipset->low_split : chipset->low_max;

    if (pc->max_ram_below_4g) {
        if (pc->max_ram_below_4g > 4 * GIB || pc->max_ram_below_4g < MIB) {
            error_setf(errp, ERR_PROPERTY_RANGE, "property 'max-ram-below-4g' is %" PRIu64
                       "; accepted: 1 MiB to 4 GiB", pc->max_ram_below_4g);
            return false;
        }
        low = MIN(low, pc->max_ram_below_4g);
    }
    pc->ram_below_4g = MIN(m->ram_size, low);
    pc->ram_above_4g = m->ram_size - pc->ram_below_4g;
    return true;
}

void pc_map_ram(PcMachine *pc, MemRegion *system)
{
    MemRegion *ram = pc->parent.ram;

    memory_region_init_alias(&pc->ram_low, pc, "ram-below-4g", ram, 0, pc->ram_below_4g);
    memory_region_add(system, 0, &pc->ram_low);
    if (pc->ram_above_4g) {
        memory_region_init_alias(&pc->ram_high, pc, "ram-above-4g", ram, pc->ram_below_4g,
                                 pc->ram_above_4g);
        memory_region_add(system, 4 * GIB, &pc->ram_high);
    }
}

/* ------------------------------------------------------------- interrupts */

/* An interrupt of the ISA bus goes to both controllers; the timer's is on pin
 * 2 of the IOAPIC (as its MADT override says). */
static void pc_set_gsi(void *opaque, int n, int level)
{
    PcMachine *pc = opaque;

    if (n < ISA_NUM_IRQS) {
        irq_set(pc->pic_lines[n], level);
    }
    irq_set(pc->ioapic_lines[n == 0 ? 2 : n], level);
}

void pc_init_gsi(PcMachine *pc)
{
    pc->gsi = irq_new_array(pc_set_gsi, pc, PC_NUM_GSI);
}

/* The 8259s' output is wired to LINT0 of all local APICs; a CPU without one
 * has it at INTR. */
static void pc_set_intr(UNUSED void *opaque, UNUSED int n, int level)
{
    CPU_FOREACH(cpu) {
        Device *apic = (Device *)object_child(cpu, "lapic");

        if (apic) {
            local_apic_ops(apic)->set_lint(apic, 0, level);
        } else {
            cpu_set_interrupt_line(cpu, CPU_INTR_HARD, level);
        }
    }
}

static void pc_set_a20(UNUSED void *opaque, UNUSED int n, int level)
{
    CPU_FOREACH(cpu) {
        irq_set(device_irq_in(&cpu->dev, "a20", 0), level);
    }
}

static void pc_set_smi(UNUSED void *opaque, UNUSED int n, int level)
{
    CPUState *cpu = cpu_by_index(0);

    if (level && cpu) {
        cpu_raise(cpu, CPU_INTR_SMI);
    }
}

IrqLine *pc_smi_line(PcMachine *pc)
{
    return irq_new(pc_set_smi, pc, 0);
}

/* Firmware takes this shutdown code for "resume from S3". */
static void pc_set_s3(void *opaque, UNUSED int n, int level)
{
    PcMachine *pc = opaque;

    if (level) {
        mc146818_cmos_set(pc->rtc, 0x0f, 0xfe);
    }
}

IrqLine *pc_s3_line(PcMachine *pc)
{
    return irq_new(pc_set_s3, pc, 0);
}

/* ------------------------------------------------------------ ISA devices */

static Device *create_isa(PcMachine *pc, const char *type, Error **errp)
{
    ISADevice *isa = isa_create(pc->isa, type, errp);

    return isa ? &isa->dev : NULL;
}

static bool create_pcspk(PcMachine *pc, Error **errp)
{
    Device *dev = device_new(TYPE_PCSPK);

    if (!object_set_link(dev, "pit", pc->pit, errp) ||
        (pc->pcspk_audiodev && !object_set_str(dev, "audiodev", pc->pcspk_audiodev, errp))) {
        object_unref(dev);
        return false;
    }
    return device_realize_unref(dev, &pc->isa->bus, errp);
}

/* The clock of -rtc; its interrupt goes where the HPET lets it. */
static bool create_rtc(PcMachine *pc, IrqLine *irq, Error **errp)
{
    Device *dev = device_new(TYPE_MC146818_RTC);

    if ((pc->parent.rtc_base && !object_set_str(dev, "base", pc->parent.rtc_base, errp)) ||
        (pc->parent.rtc_clock && !object_set_str(dev, "clock", pc->parent.rtc_clock, errp)) ||
        (pc->parent.rtc_slew && !object_set_str(dev, "lost_tick_policy", "slew", errp))) {
        object_unref(dev);
        return false;
    }
    device_connect_irq_out(dev, NULL, 0, irq);
    object_add_child(pc, "rtc", dev);
    pc->rtc = dev;
    return device_realize_unref(dev, &pc->isa->bus, errp);
}

static bool create_serials(PcMachine *pc, Error **errp)
{
    for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
        Device *dev;

        if (!pc->parent.serial[i]) {
            continue;
        }
        dev = device_new("isa-serial");
        if (!object_set_uint(dev, "index", i, errp) ||
            !object_set_str(dev, "chardev", pc->parent.serial[i], errp)) {
            object_unref(dev);
            return false;
        }
        if (!device_realize_unref(dev, &pc->isa->bus, errp)) {
            return false;
        }
    }
    return true;
}

static bool create_parallels(PcMachine *pc, Error **errp)
{
    for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
        Device *dev;

        if (!pc->parent.parallel[i]) {
            continue;
        }
        dev = device_new("isa-parallel");
        if (!object_set_uint(dev, "index", i, errp) ||
            !object_set_str(dev, "chardev", pc->parent.parallel[i], errp)) {
            object_unref(dev);
            return false;
        }
        if (!device_realize_unref(dev, &pc->isa->bus, errp)) {
            return false;
        }
    }
    return true;
}

/* The controller is always there; drives are what -fda and -drive if=floppy name. */
static bool create_floppies(PcMachine *pc, Error **errp)
{
    static const char *const type_props[] = { "fdtypeA", "fdtypeB" };

    pc->fdc = create_isa(pc, TYPE_ISA_FDC, errp);
    for (int unit = 0; pc->fdc && unit < 2; unit++) {
        MachineDrive *d = machine_take_drive(&pc->parent, "floppy", 0, unit);
        g_autofree char *type = NULL;
        Device *dev;

        if (!d) {
            continue;
        }
        type = object_get_str(pc->fdc, type_props[unit], errp);
        dev = device_new("floppy");
        if (!type || !object_set_uint(dev, "unit", (unsigned)unit, errp) ||
            !object_set_str(dev, "drive-type", type, errp) ||
            (d->blockdev && !object_set_str(dev, "drive", d->blockdev, errp))) {
            object_unref(dev);
            return false;
        }
        if (!device_realize_unref(dev, pc->fdc->buses, errp)) {
            return false;
        }
    }
    return pc->fdc != NULL;
}

static bool create_a20(PcMachine *pc, Error **errp)
{
    Device *port92 = create_isa(pc, "port92", errp);
    IrqLine **gate;

    if (!port92) {
        return false;
    }
    gate = irq_or(pc, 2, irq_new(pc_set_a20, pc, 0));
    device_connect_irq_out(port92, "a20", 0, gate[0]);
    if (pc->i8042_enabled) {
        pc->i8042 = device_new(TYPE_I8042);
        device_connect_irq_out(pc->i8042, "a20", 0, gate[1]);
        return device_realize_unref(pc->i8042, &pc->isa->bus, errp);
    }
    irq_raise(gate[1]);
    return true;
}

/* FERR# and IGNNE# are the boot processor's. */
static bool create_coprocessor_error(PcMachine *pc, Error **errp)
{
    Device *dev = create_isa(pc, "coprocessor-error", errp);

    if (!dev) {
        return false;
    }
    device_connect_irq_out(dev, "irq", 0, pc->gsi[13]);
    device_connect_irq_out(dev, "ignne", 0, device_irq_in(pc->cpus[0], "ignne", 0));
    device_connect_irq_out(pc->cpus[0], "ferr", 0, device_irq_in(dev, "ferr", 0));
    return true;
}

bool pc_init_isa_devices(PcMachine *pc, Error **errp)
{
    isa_bus_set_irqs(pc->isa, pc->gsi);
    pc->pic = i8259_create_pair(pc->isa, irq_new(pc_set_intr, pc, 0), pc->pic_lines, errp);
    if (!pc->pic) {
        return false;
    }
    pc->pit = create_isa(pc, TYPE_I8254, errp);
    if (!pc->pit) {
        return false;
    }
    if (pc->hpet_enabled) {
        pc->hpet = hpet_create(system_memory(), PC_HPET_ADDR, pc->gsi, PC_NUM_GSI, errp);
        if (!pc->hpet) {
            return false;
        }
    }
    device_connect_irq_out(pc->pit, NULL, 0, pc->hpet ? device_irq_in(pc->hpet, "legacy", 0)
                                                      : pc->gsi[0]);
    return i8237_create_pair(pc->isa, errp) && create_pcspk(pc, errp) &&
           create_rtc(pc, pc->hpet ? device_irq_in(pc->hpet, "legacy", 1) : pc->gsi[8], errp) &&
           create_a20(pc, errp) && create_coprocessor_error(pc, errp) && create_serials(pc, errp) &&
           create_parallels(pc, errp) && create_floppies(pc, errp);
}

/* ------------------------------------------------------ display, network */

bool pc_init_slots(PcMachine *pc, Error **errp)
{
    Machine *m = &pc->parent;
    const char *vga = m->vga ? m->vga : m->type->default_display;

    if (vga && strcmp(vga, "none") && type_find("VGA")) {
        if (strcmp(vga, "std")) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "unknown display adapter '%s'", vga);
            error_argument(errp, "vga", vga, "std, none");
            return false;
        }
        if (!pci_create(pc->pci, -1, "VGA", errp)) {
            return false;
        }
    }
    for (unsigned i = 0; i < m->n_nics; i++) {
        MachineNic *nic = &m->nics[i];
        const char *model = nic->model ? nic->model : m->type->default_nic;
        const Type *type;
        Device *dev;

        /* "virtio" is what people have always said. */
        type = device_type_find(!strcmp(model, "virtio") ? "virtio-net-pci" : model, errp);
        if (!type) {
            return false;
        }
        if (type_is_abstract(type) || !type_is_a(type, TYPE_PCI_DEVICE)) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "network card model '%s' is no PCI card", model);
            error_argument(errp, "model", model, "a card that -device help lists on bus PCI");
            return false;
        }
        dev = device_new(type_name(type));
        if ((nic->netdev && !object_set_str(dev, "netdev", nic->netdev, errp)) ||
            (nic->mac && !object_set_str(dev, "mac", nic->mac, errp)) ||
            (nic->id && !device_set_id(dev, nic->id, errp))) {
            object_unref(dev);
            return false;
        }
        if (!device_realize_unref(dev, &pc->pci->bus, errp)) {
            return false;
        }
        nic->used = true;
    }
    return true;
}

/* ------------------------------------------------------------------- CPUs */

bool pc_new_cpus(PcMachine *pc, Error **errp)
{
    unsigned n = pc->parent.smp.cpus;

    pc->cpus = g_new0(Device *, n);
    for (unsigned i = 0; i < n; i++) {
        pc->cpus[i] = machine_new_cpu(&pc->parent, NULL, errp);
        if (!pc->cpus[i]) {
            return false;
        }
        if (object_has_property(pc->cpus[i], "apic-id") &&
            !object_set_uint(pc->cpus[i], "apic-id", i, errp)) {
            return false;
        }
    }
    return true;
}

bool pc_realize_cpus(PcMachine *pc, Error **errp)
{
    for (unsigned i = 0; i < pc->parent.smp.cpus; i++) {
        CPUState *cpu = CPU(pc->cpus[i]);

        pc_connect_cpu(pc, cpu);
        if (!device_realize_unref(pc->cpus[i], NULL, errp)) {
            return false;
        }
    }
    return true;
}

/* ----------------------------------------------------------------- fw_cfg */

static bool add_e820(PcMachine *pc, Error **errp)
{
    uint8_t map[2 * 20];
    size_t len = 20;

    store_le64(map, 0);
    store_le64(map + 8, pc->ram_below_4g);
    store_le32(map + 16, E820_RAM);
    if (pc->ram_above_4g) {
        store_le64(map + 20, 4 * GIB);
        store_le64(map + 28, pc->ram_above_4g);
        store_le32(map + 36, E820_RAM);
        len += 20;
    }
    return fw_cfg_add_file(pc->fw_cfg, "etc/e820", map, len, errp);
}

/* What firmware may offer: bit 7 says that the state exists. */
static bool add_system_states(PcMachine *pc, Error **errp)
{
    static const uint8_t states[6] = { 128, 0, 0, 129, 130, 128 };

    return !pc_acpi_enabled(pc) ||
           fw_cfg_add_file(pc->fw_cfg, "etc/system-states", states, sizeof(states), errp);
}

/* Firmware puts large BARs behind it. */
static bool add_reserved_end(PcMachine *pc, Error **errp)
{
    uint8_t raw[8];

    store_le64(raw, pc_plugged_end(pc));
    return !pc->parent.ram_slots ||
           fw_cfg_add_file(pc->fw_cfg, "etc/reserved-memory-end", raw, sizeof(raw), errp);
}

void pc_tell_cpus(PcMachine *pc)
{
    fw_cfg_add_i16(pc->fw_cfg, FW_CFG_NB_CPUS, (uint16_t)cpu_count());
    pc_cmos_set_cpus(pc, cpu_count());
}

bool pc_init_fw_cfg(PcMachine *pc, Error **errp)
{
    Machine *m = &pc->parent;
    FwCfg *f = fw_cfg_create_io(system_io(), &address_space_memory, errp);
    uint64_t numa[1 + PC_MAX_CPUS + NUMA_MAX_NODES] = { 0 };    /* no nodes: all in one */
    unsigned nodes = m->numa ? m->numa->n_nodes : 0;

    if (!f) {
        return false;
    }
    pc->fw_cfg = f;
    fw_cfg_add_i16(f, FW_CFG_NB_CPUS, (uint16_t)m->smp.cpus);
    fw_cfg_add_i16(f, FW_CFG_MAX_CPUS, (uint16_t)MAX(m->smp.max_cpus, m->smp.cpus));
    fw_cfg_add_i64(f, FW_CFG_RAM_SIZE, m->ram_size);
    fw_cfg_add_i32(f, FW_CFG_IRQ0_OVERRIDE, 1);
    fw_cfg_add_i16(f, FW_CFG_NOGRAPHIC, !m->graphics);
    fw_cfg_add_i16(f, FW_CFG_BOOT_MENU, m->boot.menu);
    fw_cfg_add_bytes(f, FW_CFG_UUID, m->uuid, sizeof(m->uuid));
    /* Nodes; each CPU's node; each node's memory. */
    store_le64(&numa[0], nodes);
    for (unsigned i = 0; i < m->smp.cpus; i++) {
        store_le64(&numa[1 + i], numa_node_of(m, i));
    }
    for (unsigned i = 0; i < nodes; i++) {
        store_le64(&numa[1 + m->smp.cpus + i], m->numa->node[i].mem);
    }
    fw_cfg_add_bytes(f, FW_CFG_NUMA, numa, (1 + m->smp.cpus + nodes) * sizeof(uint64_t));
    return add_e820(pc, errp) && add_system_states(pc, errp) && add_reserved_end(pc, errp);
}

static bool add_le(PcMachine *pc, const char *name, uint64_t val, unsigned size, Error **errp)
{
    uint8_t raw[8];

    store_le64(raw, val);
    return fw_cfg_add_file(pc->fw_cfg, name, raw, size, errp);
}

/* SeaBIOS tells the two formats by the file's name. */
static bool add_splash(PcMachine *pc, const char *path, Error **errp)
{
    g_autoptr(GError) gerr = NULL;
    g_autofree char *data = NULL;
    gsize len = 0;
    bool bmp, jpeg;

    if (!g_file_get_contents(path, &data, &len, &gerr)) {
        error_setf(errp, ERR_FILE_NOT_FOUND, "-boot splash: can't read '%s': %s", path,
                   gerr->message);
        return false;
    }
    bmp = len > 2 && !memcmp(data, "BM", 2);
    jpeg = len > 2 && !memcmp(data, "\xff\xd8", 2);
    if (!bmp && !jpeg) {
        error_setf(errp, ERR_FILE_FORMAT, "-boot splash: '%s' is neither; accepted: JPEG, BMP", path);
        return false;
    }
    return fw_cfg_add_file(pc->fw_cfg, bmp ? "bootsplash.bmp" : "bootsplash.jpg", data, len, errp);
}

static bool add_boot_config(PcMachine *pc, Error **errp)
{
    const BootConfig *b = &pc->parent.boot;

    if (b->splash && !add_splash(pc, b->splash, errp)) {
        return false;
    }
    if (b->splash_time >= 0 &&
        !add_le(pc, "etc/boot-menu-wait", (uint64_t)MIN(b->splash_time, 0xffff), 2, errp)) {
        return false;
    }
    return b->reboot_timeout < 0 ||
           add_le(pc, "etc/boot-fail-wait", (uint64_t)MIN(b->reboot_timeout, 0xffff), 4, errp);
}

static bool add_smbios(PcMachine *pc, Error **errp)
{
    const PcChipset *c = pc_chipset(pc);
    const Machine *m = &pc->parent;
    SmbiosInfo info = {
        .manufacturer = c->maker ? c->maker : "QEMU", .product = c->product ? c->product : m->type->desc,
        .version = c->product_version ? c->product_version : m->type->name,
        .uuid = m->have_uuid ? m->uuid : NULL, .chassis_manufacturer = c->maker ? c->maker : "QEMU",
        .board = c->maker,
        .sockets = MAX(m->smp.sockets, 1), .cores = MAX(m->smp.cores, 1),
        .threads = MAX(m->smp.threads, 1),
        .ram_size = m->ram_size, .ram_below_4g = pc->ram_below_4g,
        .entry_point_64 = pc->smbios_entry_point == 1, .options = m->smbios,
    };

    return smbios_add_tables(&info, pc->fw_cfg, errp);
}

static bool add_fw_files(PcMachine *pc, Error **errp)
{
    const Machine *m = &pc->parent;

    for (unsigned i = 0; i < m->n_fw_files; i++) {
        if (!fw_cfg_add_file(pc->fw_cfg, m->fw_files[i].name, m->fw_files[i].data,
                             m->fw_files[i].len, errp)) {
            return false;
        }
    }
    return true;
}

/* The firmware's list of boot devices: one path a line, zero at the end. */
static bool add_boot_order(PcMachine *pc, Error **errp)
{
    g_autofree char *devices = boot_order_text();
    g_autoptr(GString) text = g_string_new(pc->boot_rom_path);

    if (devices) {
        g_string_append_printf(text, "%s%s", text->len ? "\n" : "", devices);
    }
    if (pc->parent.boot.strict) {
        /* Nothing that isn't listed: SeaBIOS stops here. */
        g_string_append_printf(text, "%sHALT", text->len ? "\n" : "");
    }
    return !text->len ||
           fw_cfg_add_file(pc->fw_cfg, "bootorder", text->str, text->len + 1, errp);
}

bool pc_set_boot(Machine *m, const char *order, Error **errp)
{
    return pc_cmos_set_boot(PC_MACHINE(m), order, errp);
}

/* -boot once= is for the first start. */
void pc_reset(Machine *m, ResetKind kind)
{
    PcMachine *pc = PC_MACHINE(m);

    if (m->ready && m->boot.once && pc->started_once) {
        pc_cmos_set_boot(pc, m->boot.order ? m->boot.order : m->type->default_boot_order, NULL);
    }
    pc->started_once = m->ready;
    system_reset(kind);
}

static void add_hotplug_bridges(PcMachine *pc)
{
    bool bridges;
    PciHotplug *h = pc_chipset(pc)->pci_hotplug(pc, &bridges);

    if (h && bridges) {
        pci_hotplug_add_bridges(h);
    }
}

bool pc_done(Machine *m, Error **errp)
{
    PcMachine *pc = PC_MACHINE(m);
    const char *order = m->boot.once ? m->boot.once
                        : m->boot.order ? m->boot.order : m->type->default_boot_order;

    Device *vmgenid = vmgenid_find();

    if (vmgenid && pc->pm) {
        device_connect_irq_out(vmgenid, "changed", 0, device_irq_in(pc->pm, "gpe", VMGENID_EVENT));
    }
    add_hotplug_bridges(pc);
    pc_cmos_init(pc);
    return pc_cmos_set_boot(pc, order, errp) && add_boot_config(pc, errp) &&
           add_boot_order(pc, errp) && add_smbios(pc, errp) &&
           add_fw_files(pc, errp) &&
           (!pc_acpi_enabled(pc) || pc_add_acpi_tables(pc, errp));
}
