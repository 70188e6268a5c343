/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting Linux/m68k directly: the kernel at its physical addresses, boot information records behind it, the
 * initial RAM disk at the end of RAM. Written anew at each reset of the machine.
 *
 * Source: Linux, arch/m68k/include/uapi/asm/bootinfo.h and bootinfo-mac.h. Big lock.
 */
#ifndef HW_M68K_BOOTINFO_H
#define HW_M68K_BOOTINFO_H

#include "hw/core/machine.h"

enum {
    BI_LAST, BI_MACHTYPE, BI_CPUTYPE, BI_FPUTYPE, BI_MMUTYPE, BI_MEMCHUNK, BI_RAMDISK,
    BI_COMMAND_LINE, BI_RNG_SEED,
    BI_MAC_MODEL = 0x8000, BI_MAC_VADDR, BI_MAC_VDEPTH, BI_MAC_VROW, BI_MAC_VDIM, BI_MAC_VLOGICAL,
    BI_MAC_SCCBASE, BI_MAC_BTIME, BI_MAC_GMTBIAS, BI_MAC_MEMSIZE, BI_MAC_CPUID, BI_MAC_ROMBASE,
};
enum { MACH_MAC = 3 };
/* CPU, FPU and MMU alike. */
enum { BI_68020 = BIT(0), BI_68030 = BIT(1), BI_68040 = BIT(2), BI_68060 = BIT(3) };
enum { BI_MAC_Q800 = 35 };

typedef struct M68kBoot {
    uint8_t *image;             /* kernel from @addr on; owned, as the others */
    uint32_t addr, size, entry;
    uint8_t *initrd;
    uint32_t initrd_addr, initrd_size;
    GByteArray *records;
    uint32_t records_addr;
    bool seed;                  /* a random seed is added at each reset */
} M68kBoot;

/* -kernel and -initrd of @m, which has a kernel. NULL with errp set. */
M68kBoot *m68k_boot_load(const Machine *m, Error **errp);
void m68k_boot_free(M68kBoot *b);
/* Records, before m68k_boot_finish(). */
void m68k_boot_u32(M68kBoot *b, uint16_t tag, uint32_t v);
void m68k_boot_u32_pair(M68kBoot *b, uint16_t tag, uint32_t v, uint32_t w);
/* What all machines tell: command line, RAM disk, seed, the end. */
bool m68k_boot_finish(M68kBoot *b, const Machine *m, Error **errp);
/* All of it into RAM at 0, with the reset vectors. */
void m68k_boot_place(const M68kBoot *b, const Machine *m);

#endif
