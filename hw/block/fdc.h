/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The floppy disk controller of a PC. Big lock. */
#ifndef HW_BLOCK_FDC_H
#define HW_BLOCK_FDC_H

#include "hw/isa/isa.h"

#define TYPE_ISA_FDC    "isa-fdc"

/* CMOS byte 10h: kinds of drives, A: in the high half. */
unsigned fdc_cmos_types(Device *fdc);

#endif
