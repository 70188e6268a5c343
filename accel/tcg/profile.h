/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where guests spend their time: a sampling profile of the vCPUs that run, by program counter, and names
 * for program counters out of a list of symbols.
 *
 * A sample asks the vCPU to leave at its next edge, so it is told a region's entry or a
 * loop's head. Any thread may call these; start and load before a vCPU runs.
 */
#ifndef ACCEL_TCG_PROFILE_H
#define ACCEL_TCG_PROFILE_H

#include "qobject/error.h"

typedef struct ProfilePlace {
    uint64_t pc;
    uint32_t mode;
    uint64_t samples;
} ProfilePlace;

void profile_start(unsigned hz);
void profile_note(uint64_t pc, uint32_t mode);
/* The @max places with the most samples, most first; returns how many there are. *total: all samples. */
unsigned profile_top(ProfilePlace *list, unsigned max, uint64_t *total);

/* @path has lines "address type name" as nm and /proc/kallsyms write them, in any order. */
bool tcg_symbols_load(const char *path, Error **errp);
/* The last symbol at or before @pc and the distance from it, or NULL. */
const char *tcg_symbol(uint64_t pc, uint64_t *offset);

#endif
