/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the monitor's queries about machines need to know from system/. */
#ifndef HW_CORE_MACHINE_QMP_H
#define HW_CORE_MACHINE_QMP_H

#include "util/osdep.h"

/*
 * The architecture whose name the program was called by: machines, CPUs and
 * types of others aren't shown. NULL: all are. Lent for ever.
 */
void machine_set_shown_arch(const char *arch);
const char *machine_shown_arch(void);
/* The same, or the machine's own where all are shown. */
const char *machine_target_arch(void);

#endif
