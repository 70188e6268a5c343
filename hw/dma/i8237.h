/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pair of DMA controllers of a PC. Big lock. */
#ifndef HW_DMA_I8237_H
#define HW_DMA_I8237_H

#include "hw/isa/isa.h"

#define TYPE_I8237  "i8257"         /* the name that this pair has in -device help */

/* Both, at their PC addresses with the page registers; they serve the bus. */
bool i8237_create_pair(ISABus *bus, Error **errp);

#endif
