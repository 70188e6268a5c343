/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared between the files of memory/ only. */
#ifndef MEMORY_RAM_INT_H
#define MEMORY_RAM_INT_H

#include "memory/ram.h"

extern const RamAccelHooks *ram_accel_hooks;    /* NULL: none */

#endif
