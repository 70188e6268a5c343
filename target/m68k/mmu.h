/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between mmu.c (what all have, the 68040's and 68060's tables) and mmu-030.c. */
#ifndef TARGET_M68K_MMU_H
#define TARGET_M68K_MMU_H

#include "target/m68k/state.h"

/* A walk's result before it becomes an MmuResult; status as MMUSR of the model has it. */
typedef struct M68kWalk {
    uint64_t phys, page_size;
    bool write_protected, supervisor_only, modified, global;
    uint32_t status;
} M68kWalk;

/* Physical memory, big-endian; false: bus error. */
static inline bool m68k_phys_ld32(M68kState *s, uint32_t addr, uint32_t *v)
{
    uint8_t b[4];

    if (!tcg_phys_ld(&s->tcg, addr, b, 4)) {
        return false;
    }
    *v = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    return true;
}
/* Set bits of a descriptor, unless it is another meanwhile: false then, and on a bus error. */
bool m68k_phys_set_bits(M68kState *s, uint32_t addr, uint32_t old, uint32_t bits);

/* mmu-030.c. @fc: function code; @level: of PTEST, 7: all. False: @w->status tells why. */
bool m68k_walk_030(M68kState *s, uint32_t addr, unsigned fc, bool write, bool probe, unsigned level,
                   M68kWalk *w);
bool m68k_tt_030(const M68kState *s, uint32_t addr, unsigned fc, bool write);

#endif
