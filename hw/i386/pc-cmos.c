/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PC's CMOS RAM tells the firmware.
 *
 * Sources: IBM PC AT Technical Reference, "CMOS RAM"; the registers above 30h
 * are those that SeaBIOS and Bochs' BIOS agreed on.
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/i386/pc.h"

#include "hw/block/fdc.h"
#include "hw/rtc/mc146818.h"

enum {
    CMOS_FLOPPIES = 0x10, CMOS_EQUIPMENT = 0x14, CMOS_BASE_KIB = 0x15, CMOS_EXTENDED_KIB = 0x17,
    CMOS_EXTENDED2_KIB = 0x30, CMOS_ABOVE_16M = 0x34, CMOS_BOOT_3 = 0x38, CMOS_BOOT_12 = 0x3d,
    CMOS_ABOVE_4G = 0x5b, CMOS_CPUS = 0x5f,
};
#define EQUIPMENT_FLOPPY    BIT(0)
#define EQUIPMENT_FPU       BIT(1)
#define EQUIPMENT_MOUSE     BIT(2)
#define NO_FLOPPY_CHECK     BIT(0)

static void cmos_set16(PcMachine *pc, unsigned addr, uint64_t val)
{
    mc146818_cmos_set(pc->rtc, addr, (uint8_t)val);
    mc146818_cmos_set(pc->rtc, addr + 1, (uint8_t)(val >> 8));
}

/* Kinds of floppy drives; their number, less one, is in bits 7:6 of the equipment. */
static uint8_t floppy_equipment(PcMachine *pc)
{
    unsigned types = fdc_cmos_types(pc->fdc);

    mc146818_cmos_set(pc->rtc, CMOS_FLOPPIES, (uint8_t)types);
    return !types ? 0 : EQUIPMENT_FLOPPY | (types & 0x0f && types & 0xf0 ? 0x40 : 0);
}

void pc_cmos_set_cpus(PcMachine *pc, unsigned n)
{
    mc146818_cmos_set(pc->rtc, CMOS_CPUS, (uint8_t)(n - 1));
}

void pc_cmos_init(PcMachine *pc)
{
    uint64_t low = pc->ram_below_4g, above_1m = low > MIB ? (low - MIB) / KIB : 0;
    uint64_t above_16m = low > 16 * MIB ? (low - 16 * MIB) / (64 * KIB) : 0;
    uint64_t above_4g = pc->ram_above_4g / (64 * KIB);

    cmos_set16(pc, CMOS_BASE_KIB, MIN(low / KIB, 640));
    cmos_set16(pc, CMOS_EXTENDED_KIB, MIN(above_1m, UINT16_MAX));
    cmos_set16(pc, CMOS_EXTENDED2_KIB, MIN(above_1m, UINT16_MAX));
    cmos_set16(pc, CMOS_ABOVE_16M, MIN(above_16m, UINT16_MAX));
    for (unsigned i = 0; i < 3; i++) {
        mc146818_cmos_set(pc->rtc, CMOS_ABOVE_4G + i, (uint8_t)(above_4g >> i * 8));
    }
    pc_cmos_set_cpus(pc, cpu_count());
    mc146818_cmos_set(pc->rtc, CMOS_EQUIPMENT, EQUIPMENT_FPU | EQUIPMENT_MOUSE | floppy_equipment(pc));
}

bool pc_cmos_set_boot(PcMachine *pc, const char *order, Error **errp)
{
    static const char letters[] = "acdn";       /* codes 1 to 4 */
    uint8_t code[3] = { 0 };
    unsigned n = 0;

    for (const char *p = order; p && *p; p++) {
        const char *at = strchr(letters, *p);

        if (!at) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "Invalid boot device for PC");
            error_argument(errp, "order", order, "letters a (floppy), c (disk), d (CD), n (network)");
            return false;
        }
        if (n < ARRAY_SIZE(code)) {
            code[n++] = (uint8_t)(at - letters + 1);
        }
    }
    mc146818_cmos_set(pc->rtc, CMOS_BOOT_12, (uint8_t)(code[1] << 4 | code[0]));
    mc146818_cmos_set(pc->rtc, CMOS_BOOT_3, (uint8_t)(code[2] << 4 | NO_FLOPPY_CHECK));
    return true;
}
