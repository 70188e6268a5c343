/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that the page tables map, for people. Nothing is changed by looking.
 *
 * Sources: SDM vol. 3A chapter 4.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "util/bswap.h"

#define PTE_P       BIT64(0)
#define PTE_W       BIT64(1)
#define PTE_U       BIT64(2)
#define PTE_A       BIT64(5)
#define PTE_D       BIT64(6)
#define PTE_PS      BIT64(7)
#define PTE_G       BIT64(8)
#define PTE_NX      BIT64(63)
#define ADDR_MASK   UINT64_C(0x000ffffffffff000)    /* SDM 3A table 4-20 */

typedef struct Lister {
    CPUState *cpu;
    bool nx_on, pse;
    bool (*fn)(const CpuMapping *m, void *opaque);
    void *opaque;
} Lister;

static uint64_t read_entry(Lister *l, uint64_t addr, unsigned size)
{
    uint8_t buf[8] = { 0 };

    if (address_space_read(cpu_address_space(l->cpu, 0), addr, MEM_ATTRS_DEBUG, buf, size)) {
        return 0;                               /* nobody there: not present */
    }
    return size == 4 ? load_le32(buf) : load_le64(buf);
}

static bool emit(Lister *l, uint64_t vaddr, uint64_t size, uint64_t phys, uint64_t entry,
                 uint64_t rights, bool nx)
{
    CpuMapping m = {
        .vaddr = vaddr, .size = size, .phys = phys & ~(size - 1),
        .user = rights & PTE_U, .write = rights & PTE_W, .exec = !(nx && l->nx_on),
        .global = entry & PTE_G, .accessed = entry & PTE_A, .dirty = entry & PTE_D,
    };

    return l->fn(&m, l->opaque);
}

/* 32-bit paging (4.3): PDEs of 4 MiB with PSE, bits 13 to 20 are address bits 32 to 39. */
static bool list_32(Lister *l, uint64_t cr3)
{
    for (uint64_t i = 0; i < 1024; i++) {
        uint64_t pde = read_entry(l, (cr3 & 0xfffff000) + 4 * i, 4);

        if (!(pde & PTE_P)) {
            continue;
        }
        if ((pde & PTE_PS) && l->pse) {
            uint64_t phys = (pde & 0xffc00000) | (pde & 0x1fe000) << 19;

            if (!emit(l, i << 22, 4 * MIB, phys, pde, pde, false)) {
                return false;
            }
            continue;
        }
        for (uint64_t j = 0; j < 1024; j++) {
            uint64_t pte = read_entry(l, (pde & 0xfffff000) + 4 * j, 4);

            if ((pte & PTE_P) &&
                !emit(l, i << 22 | j << 12, 4 * KIB, pte & 0xfffff000, pte, pde & pte, false)) {
                return false;
            }
        }
    }
    return true;
}

/* A table of 64-bit entries, each of which maps 2^@shift bytes (4.4, 4.5). */
static bool list_64(Lister *l, uint64_t table, unsigned shift, uint64_t vaddr, uint64_t rights,
                    bool nx, unsigned entries, unsigned top_shift)
{
    for (unsigned i = 0; i < entries; i++) {
        uint64_t e = read_entry(l, table + 8 * i, 8), va = vaddr | (uint64_t)i << shift;
        /* The entries of the PAE directory table have no rights (4.4.1). */
        bool is_pdpte = entries == 4;
        uint64_t r = is_pdpte ? rights : rights & e;
        bool n = nx || (!is_pdpte && (e & PTE_NX));

        if (!(e & PTE_P)) {
            continue;
        }
        if (shift == top_shift && shift >= 39 && (i & 256)) {
            va |= UINT64_MAX << (shift + 9);    /* canonical addresses (SDM 1, 3.3.7.1) */
        }
        if (shift == 12 || ((e & PTE_PS) && shift <= 30 && !is_pdpte)) {
            if (!emit(l, va, UINT64_C(1) << shift, e & ADDR_MASK, e, r, n)) {
                return false;
            }
        } else if (!list_64(l, e & ADDR_MASK, shift - 9, va, r, n, 512, top_shift)) {
            return false;
        }
    }
    return true;
}

void x86_list_mappings(CPUState *cpu, bool (*fn)(const CpuMapping *m, void *opaque),
                       void *opaque)
{
    X86State *s = X86_CPU(cpu)->env;
    Lister l = { cpu, s->efer & EFER_NXE, s->cr[4] & CR4_PSE, fn, opaque };

    if (!(s->cr[0] & CR0_PG)) {
        return;
    }
    if (!(s->cr[4] & CR4_PAE)) {
        list_32(&l, s->cr[3]);
    } else if (s->efer & EFER_LMA) {
        unsigned top = s->cr[4] & CR4_LA57 ? 48 : 39;

        list_64(&l, s->cr[3] & ADDR_MASK, top, 0, PTE_W | PTE_U, false, 512, top);
    } else {
        list_64(&l, s->cr[3] & 0xffffffe0, 30, 0, PTE_W | PTE_U, false, 4, 30);
    }
}
