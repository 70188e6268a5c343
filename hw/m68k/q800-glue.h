/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Quadra's interrupt encoder (part of its GLUE chip): which source asks for which level.
 * Inputs "via1", "via2", "escc", "sonic", "asc", "nmi", "auxmode"; output "ipl" carries the level;
 * output "nubus-slot9" carries SONIC's request in the classic mode. Big lock.
 */
#ifndef HW_M68K_Q800_GLUE_H
#define HW_M68K_Q800_GLUE_H

#include "hw/core/device.h"

#define TYPE_Q800_GLUE  "q800-glue"

#endif
