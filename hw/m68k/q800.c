/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine `q800`: Macintosh Quadra 800.
 *
 *   68040 -- djMEMC -- RAM, ROM
 *              |`- NuBus slots 9 to E, video in slot 9
 *             IOSB -- VIA1 (clock, ADB), VIA2 (slots, power), SCC, SCSI, Ethernet, sound, floppy
 *                `-- GLUE: interrupt levels
 *
 * Source: Macintosh Quadra 800 Developer Note; addresses as Linux's and NetBSD's drivers have them.
 */
#include "util/osdep.h"
#include "hw/m68k/bootinfo.h"
#include "hw/m68k/q800-glue.h"
#include "hw/m68k/q800-rom.h"

#include <glib.h>
#include "chardev/chardev.h"
#include "hw/char/escc.h"
#include "hw/core/cpu.h"
#include "hw/audio/easc.h"
#include "hw/block/floppy.h"
#include "hw/block/swim.h"
#include "hw/display/macfb.h"
#include "hw/misc/djmemc.h"
#include "hw/misc/mac-via.h"
#include "hw/net/dp8393x.h"
#include "hw/scsi/esp.h"
#include "net/net.h"
#include "qom/property.h"
#include "util/bswap.h"

/* The I/O chip's 256 Kbytes repeat all over 50000000 to 53FFFFFF. */
#define IO_BASE         0x50000000u
#define IO_SLICE        0x40000u
#define IO_OTHER        0x50f00000u     /* where system software looks */
#define VIA1_OFFSET     0x00000u
#define VIA2_OFFSET     0x02000u
#define SCC_OFFSET      0x0c020u
#define SCC_SHIFT       1
#define PROM_OFFSET     0x08000u
#define PROM_SIZE       0x1000u
#define SONIC_OFFSET    0x0a000u
#define DJMEMC_OFFSET   0x0e000u
#define ESP_OFFSET      0x10000u
#define ESP_PDMA_OFFSET 0x10100u
#define EASC_OFFSET     0x14000u
#define SWIM_OFFSET     0x1e000u
#define ID_ADDR         0x5ffffffcu     /* tells the ROM which board it is on */
#define ID_Q800         0xa55a2badu     /* Quadra and Centris 610, 650, 800; VIA1's port A has the rest */
#define VIA_DDRA_OFFSET (VIA1_OFFSET + 3 * 512)
#define VIDEO_BASE      0xf9000000u     /* NuBus slot 9 */
#define DAFB_BASE       0xf9800000u
#define RAM_MAX         (1 * GIB)

typedef struct Q800 {
    Machine parent;
    MemRegion io, io_alias[2], prom, id;
    M68kBoot *boot;             /* owned */
    MacRom rom;
    Device *cpu, *glue, *via1, *via2, *escc, *macfb, *sonic, *esp, *swim;     /* lent */
} Q800;

static Q800 *Q800_MACHINE(const void *obj)
{
    return (Q800 *)object_cast(obj, TYPE_MACHINE);
}

static bool create_cpu(Q800 *q, Error **errp)
{
    q->cpu = machine_new_cpu(&q->parent, q->parent.cpu_type, errp);
    return q->cpu && device_realize_unref(q->cpu, NULL, errp);
}

static Device *create(const char *type, Error **errp)
{
    Device *dev = device_new(type);

    return device_realize_unref(dev, NULL, errp) ? dev : NULL;
}

static bool create_djmemc(Q800 *q, Error **errp)
{
    Device *dev = device_new(TYPE_DJMEMC);

    djmemc_set_ram(dev, q->parent.ram);
    if (!device_realize_unref(dev, NULL, errp)) {
        return false;
    }
    memory_region_add(system_memory(), 0, djmemc_ram(dev));
    memory_region_add(&q->io, DJMEMC_OFFSET, djmemc_regs(dev));
    return true;
}

static bool create_glue(Q800 *q, Error **errp)
{
    q->glue = create(TYPE_Q800_GLUE, errp);
    if (q->glue) {
        device_connect_irq_out(q->glue, "ipl", 0, device_irq_in(q->cpu, "ipl", 0));
    }
    return q->glue != NULL;
}

static IrqLine *glue_in(Q800 *q, const char *name)
{
    return device_irq_in(q->glue, name, 0);
}

static bool create_vias(Q800 *q, Error **errp)
{
    Device *kbd, *mouse;
    Bus *adb;

    q->via1 = device_new(TYPE_MAC_VIA1);
    if (q->parent.rtc_base && !object_set_str(q->via1, "base", q->parent.rtc_base, errp)) {
        object_unref(q->via1);
        return false;
    }
    q->via2 = device_realize_unref(q->via1, NULL, errp) ? create(TYPE_MAC_VIA2, errp) : NULL;
    if (!q->via2) {
        return false;
    }
    device_connect_irq_out(q->via1, "irq", 0, glue_in(q, "via1"));
    device_connect_irq_out(q->via1, "auxmode", 0, glue_in(q, "auxmode"));
    device_connect_irq_out(q->via2, "irq", 0, glue_in(q, "via2"));
    device_connect_irq_out(q->glue, "nubus-slot9", 0, device_irq_in(q->via2, "nubus", 0));
    device_connect_irq_out(q->glue, "asc-via2", 0, device_irq_in(q->via2, "asc", 0));
    memory_region_add(&q->io, VIA1_OFFSET, mac_via1_region(q->via1));
    memory_region_add(&q->io, VIA2_OFFSET, mac_via2_region(q->via2));
    adb = bus_find("adb.0", errp);
    if (!adb) {
        return false;
    }
    kbd = device_new("adb-keyboard");
    mouse = device_new("adb-mouse");
    return device_realize_unref(kbd, adb, errp) && device_realize_unref(mouse, adb, errp);
}

static bool create_escc(Q800 *q, Error **errp)
{
    Device *dev = device_new(TYPE_ESCC);
    static const char *const names[] = { "chrA", "chrB" };

    if (!object_set_uint(dev, "it_shift", SCC_SHIFT, errp)) {
        object_unref(dev);
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (q->parent.serial[i] && !object_set_str(dev, names[i], q->parent.serial[i], errp)) {
            object_unref(dev);
            return false;
        }
    }
    device_connect_irq_out(dev, "irq", 0, glue_in(q, "escc"));
    if (!device_realize_unref(dev, NULL, errp)) {
        return false;
    }
    q->escc = dev;
    memory_region_add(&q->io, SCC_OFFSET, escc_region(dev));
    return true;
}

static bool create_macfb(Q800 *q, Error **errp)
{
    const Machine *m = &q->parent;

    q->macfb = device_new(TYPE_MACFB);
    if ((m->screen_width && (!object_set_uint(q->macfb, "width", m->screen_width, errp) ||
                             !object_set_uint(q->macfb, "height", m->screen_height, errp))) ||
        (m->screen_depth && !object_set_uint(q->macfb, "depth", m->screen_depth, errp))) {
        object_unref(q->macfb);
        return false;
    }
    if (!device_realize_unref(q->macfb, NULL, errp)) {
        return false;
    }
    memory_region_add(system_memory(), VIDEO_BASE, macfb_vram(q->macfb));
    memory_region_add(system_memory(), DAFB_BASE, macfb_regs(q->macfb));
    device_connect_irq_out(q->macfb, "irq", 0, device_irq_in(q->via2, "nubus", 6));
    return true;
}

/* The address PROM: bits in the order of the wire, an Apple address (its first three bytes), and a byte that
 * makes the exclusive or of all FF. */
static void fill_prom(Q800 *q, const uint8_t *mac)
{
    uint8_t *p = memory_region_ram_ptr(&q->prom), sum = 0xff;

    for (unsigned i = 0; i < 6; i++) {
        uint8_t v = mac[i];

        v = (uint8_t)((v & 0x55) << 1 | (v & 0xaa) >> 1);
        v = (uint8_t)((v & 0x33) << 2 | (v & 0xcc) >> 2);
        p[i] = (uint8_t)(v << 4 | v >> 4);
        sum ^= p[i];
    }
    p[6] = 0;
    p[7] = sum;
}

static bool create_sonic(Q800 *q, Error **errp)
{
    Machine *m = &q->parent;
    Device *dev = device_new(TYPE_DP8393X);
    MacAddr mac = net_new_mac();
    char text[18];

    for (unsigned i = 0; i < m->n_nics; i++) {
        MachineNic *nic = &m->nics[i];

        if (nic->used || (nic->model && strcmp(nic->model, "dp83932") && strcmp(nic->model, "dp8393x"))) {
            continue;
        }
        nic->used = true;
        if (nic->netdev && !object_set_str(dev, "netdev", nic->netdev, errp)) {
            object_unref(dev);
            return false;
        }
        if (nic->mac) {
            unsigned b[6];

            if (sscanf(nic->mac, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) == 6) {
                for (unsigned k = 0; k < 6; k++) {
                    mac.a[k] = (uint8_t)b[k];
                }
            }
        }
        break;
    }
    snprintf(text, sizeof(text), "08:00:07:%02x:%02x:%02x", mac.a[3], mac.a[4], mac.a[5]);
    if (!object_set_str(dev, "mac", text, errp) || !object_set_uint(dev, "it_shift", 1, errp) ||
        !object_set_bool(dev, "big_endian", true, errp)) {
        object_unref(dev);
        return false;
    }
    device_connect_irq_out(dev, "irq", 0, glue_in(q, "sonic"));
    if (!device_realize_unref(dev, NULL, errp)) {
        return false;
    }
    q->sonic = dev;
    memory_region_add(&q->io, SONIC_OFFSET, dp8393x_regs(dev));
    if (!memory_region_init_rom(&q->prom, q, "dp8393x-prom", PROM_SIZE, errp)) {
        return false;
    }
    fill_prom(q, dp8393x_mac(dev));
    memory_region_add(&q->io, PROM_OFFSET, &q->prom);
    return true;
}

static bool create_disk(Machine *m, Bus *bus, unsigned unit, Error **errp)
{
    MachineDrive *d = machine_take_drive(m, "scsi", 0, (int)unit);
    Device *dev;

    if (!d) {
        return true;
    }
    dev = device_new(d->cdrom ? "scsi-cd" : "scsi-hd");
    if (!object_set_uint(dev, "scsi-id", unit, errp) ||
        (d->blockdev && !object_set_str(dev, "drive", d->blockdev, errp))) {
        object_unref(dev);
        return false;
    }
    return device_realize_unref(dev, bus, errp);
}

static bool create_esp(Q800 *q, Error **errp)
{
    Device *dev = device_new(TYPE_ESP);
    Bus *bus;

    device_connect_irq_out(dev, "irq", 0, device_irq_in(q->via2, "scsi", 0));
    device_connect_irq_out(dev, "drq", 0, device_irq_in(q->via2, "scsi-drq", 0));
    if (!object_set_uint(dev, "it_shift", 4, errp)) {
        object_unref(dev);
        return false;
    }
    if (!device_realize_unref(dev, NULL, errp)) {
        return false;
    }
    q->esp = dev;
    memory_region_add(&q->io, ESP_OFFSET, esp_regs(dev));
    memory_region_add(&q->io, ESP_PDMA_OFFSET, esp_pdma(dev));
    bus = bus_find("scsi.0", errp);
    for (unsigned i = 0; bus && i < 7; i++) {
        if (!create_disk(&q->parent, bus, i, errp)) {
            return false;
        }
    }
    return bus != NULL;
}

/* The drive in the case is always there, one at the connector outside if -fdb or -drive if=floppy,index=1 names it. */
static bool create_floppy(Q800 *q, unsigned unit, Error **errp)
{
    MachineDrive *d = machine_take_drive(&q->parent, "floppy", 0, (int)unit);
    Device *dev;

    if (!d && unit) {
        return true;
    }
    dev = device_new(TYPE_FLOPPY);
    if (!object_set_uint(dev, "unit", unit, errp) ||
        (d && d->blockdev && !object_set_str(dev, "drive", d->blockdev, errp))) {
        object_unref(dev);
        return false;
    }
    return device_realize_unref(dev, q->swim->buses, errp);
}

static bool create_swim(Q800 *q, Error **errp)
{
    q->swim = create(TYPE_SWIM, errp);
    if (!q->swim) {
        return false;
    }
    memory_region_add(&q->io, SWIM_OFFSET, swim_region(q->swim));
    device_connect_irq_out(q->via1, "floppy-sel", 0, device_irq_in(q->swim, "sel", 0));
    return create_floppy(q, 0, errp) && create_floppy(q, 1, errp);
}

static bool create_easc(Q800 *q, Error **errp)
{
    Device *dev = device_new(TYPE_EASC);

    device_connect_irq_out(dev, "irq", 0, glue_in(q, "asc"));
    if (!device_realize_unref(dev, NULL, errp)) {
        return false;
    }
    memory_region_add(&q->io, EASC_OFFSET, easc_region(dev));
    return true;
}

static bool create_id(Q800 *q, Error **errp)
{
    if (!memory_region_init_rom(&q->id, q, "q800.id", 4096, errp)) {
        return false;
    }
    store_be32((uint8_t *)memory_region_ram_ptr(&q->id) + (ID_ADDR & 4095), ID_Q800);
    memory_region_add(system_memory(), ID_ADDR & ~4095u, &q->id);
    return true;
}

static bool load_kernel(Q800 *q, Error **errp)
{
    const Machine *m = &q->parent;
    uint32_t w, h, depth, stride;
    M68kBoot *b;

    if (m->firmware && !mac_rom_init(&q->rom, q, m->firmware, errp)) {
        return false;
    }
    if (!m->kernel && cpu_accel() && !strcmp(cpu_accel()->name, "qtest")) {
        return true;            /* nothing will run */
    }
    if (!m->kernel && !m->firmware) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "machine 'q800' has nothing to start: it needs -kernel with a Linux/m68k kernel, "
                   "or -bios with the image of a Quadra 800's ROM, which nobody but Apple can distribute");
        return false;
    }
    if (!m->kernel) {
        return true;
    }
    b = q->boot = m68k_boot_load(m, errp);
    if (!b || (!m->firmware && !mac_rom_stand_in(&q->rom, q, errp))) {
        return false;
    }
    m68k_boot_u32(b, BI_MACHTYPE, MACH_MAC);
    m68k_boot_u32(b, BI_CPUTYPE, BI_68040);
    m68k_boot_u32(b, BI_FPUTYPE, BI_68040);
    m68k_boot_u32(b, BI_MMUTYPE, BI_68040);
    m68k_boot_u32_pair(b, BI_MEMCHUNK, 0, (uint32_t)m->ram_size);
    m68k_boot_u32(b, BI_MAC_CPUID, 2);
    m68k_boot_u32(b, BI_MAC_MODEL, BI_MAC_Q800);
    m68k_boot_u32(b, BI_MAC_MEMSIZE, (uint32_t)(m->ram_size / MIB));
    macfb_mode(q->macfb, &w, &h, &depth, &stride);
    m68k_boot_u32(b, BI_MAC_VADDR, VIDEO_BASE);
    m68k_boot_u32(b, BI_MAC_VLOGICAL, VIDEO_BASE);
    m68k_boot_u32(b, BI_MAC_VDEPTH, depth);
    m68k_boot_u32(b, BI_MAC_VDIM, h << 16 | w);
    m68k_boot_u32(b, BI_MAC_VROW, stride);
    m68k_boot_u32(b, BI_MAC_SCCBASE, IO_BASE + SCC_OFFSET);
    return m68k_boot_finish(b, m, errp);
}

static bool q800_prepare(Machine *m, Error **errp)
{
    if (m->ram_size > RAM_MAX || m->ram_size < 4 * MIB) {
        error_setf(errp, ERR_OUT_OF_RANGE, "machine 'q800' can't have %" PRIu64 " MiB of RAM; accepted: "
                   "4 to 1024", m->ram_size / MIB);
        return false;
    }
    return true;
}

static bool q800_init(Machine *m, Error **errp)
{
    Q800 *q = Q800_MACHINE(m);
    static const char *const alias_names[] = { "q800.io", "q800.io-system" };

    memory_region_init(&q->io, q, "q800.io-slice", IO_SLICE);
    for (unsigned i = 0; i < 2; i++) {
        memory_region_init_alias(&q->io_alias[i], q, alias_names[i], &q->io, 0, IO_SLICE);
        memory_region_add(system_memory(), i ? IO_OTHER : IO_BASE, &q->io_alias[i]);
    }
    return create_djmemc(q, errp) && create_cpu(q, errp) && create_glue(q, errp) && create_vias(q, errp) &&
           create_escc(q, errp) && create_macfb(q, errp) && create_sonic(q, errp) &&
           create_esp(q, errp) && create_swim(q, errp) && create_easc(q, errp) && create_id(q, errp) &&
           load_kernel(q, errp);
}

static void q800_reset(Machine *m, ResetKind kind)
{
    Q800 *q = Q800_MACHINE(m);

    if (q->boot) {
        m68k_boot_place(q->boot, m);
    } else {
        mac_rom_overlay(&q->rom, true);
    }
    system_reset(kind);
    mac_rom_overlay(&q->rom, false);
    if (q->boot) {
        /* As the ROM leaves it: head selection and video synchronization are outputs of VIA1. */
        address_space_store(&address_space_memory, IO_BASE + VIA_DDRA_OFFSET, 0x28, 1, MEM_BE, MEM_ATTRS_NONE, NULL);
    }
}

static const char *const q800_arch[] = { "m68k", NULL };

static const MachineType q800_type = {
    .name = "q800", .desc = "Macintosh Quadra 800", .size = sizeof(Q800), .arch = q800_arch,
    .default_for = q800_arch, .default_cpu = "m68040-m68k-cpu", .max_cpus = 1,
    .default_ram_size = 128 * MIB, .default_ram_id = "m68k_mac.ram", .default_block_interface = "scsi",
    .units_per_default_bus = 7, .no_parallel = true, .no_floppy = true, .no_cdrom = true,
    .no_sdcard = true, .screen_size = true, .prepare = q800_prepare, .init = q800_init, .reset = q800_reset,
};
MACHINE_TYPE(q800_type)
