/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random numbers for the guest (RDRAND, random number devices): the host's, or with a seed
 * the same ones in each run. Any thread may ask.
 */
#ifndef UTIL_GUEST_RANDOM_H
#define UTIL_GUEST_RANDOM_H

#include "util/osdep.h"

/* Before the guest runs. */
void guest_random_seed(uint64_t seed);
uint64_t guest_random_u64(void);
void guest_random_bytes(void *buf, size_t n);

#endif
