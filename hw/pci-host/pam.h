/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programmable attribute map: what is RAM, ROM or PCI between C0000h and FFFFFh. The seven registers are the same
 * in all PC host bridges (82441FX 3.2.18, Q35 316966 5.1.20). Big lock.
 */
#ifndef HW_PCI_HOST_PAM_H
#define HW_PCI_HOST_PAM_H

#include "memory/memory.h"

#define PAM_REGS        7
#define PAM_SEGMENTS    13

/* One range, three of its four states; the fourth is plain RAM, which lies below. */
typedef struct PamSegment {
    MemRegion pci;              /* reads and writes go to PCI */
    MemRegion read_only;        /* reads from RAM */
    MemRegion write_only;       /* writes to RAM, reads from PCI */
    struct Pam *pam;
    uint32_t addr;
} PamSegment;

typedef struct Pam {
    MemRegion *ram;
    AddressSpace pci_as;        /* for reads of write-only segments */
    PamSegment seg[PAM_SEGMENTS];
} Pam;

/* From @owner's realize. @ram: from offset 0, mapped in @system already. */
void pam_init(Pam *p, void *owner, MemRegion *system, MemRegion *ram, MemRegion *pci_memory);
/* @regs: PAM0 to PAM6. Inside of a transaction. */
void pam_update(Pam *p, const uint8_t regs[PAM_REGS]);
/* Bits that software may change. */
void pam_init_wmask(uint8_t wmask[PAM_REGS]);

#endif
