/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers in expressions of the human monitor. */
#ifndef MONITOR_HMP_REGS_H
#define MONITOR_HMP_REGS_H

#include "monitor/hmp.h"

/* A register of the CPU that the user means. */
bool hmp_get_register(Hmp *hmp, const char *name, uint64_t *value, Error **errp);

#endif
