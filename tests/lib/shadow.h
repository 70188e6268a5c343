/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images for tests: random requests, compared with a shadow of the disk in memory. */
#ifndef TESTS_LIB_SHADOW_H
#define TESTS_LIB_SHADOW_H

#include "tests/lib/image.h"

typedef struct Shadow {
    uint8_t *data;
    uint64_t size;
    GRand *rand;
} Shadow;

/* A request of any kind; false: it failed, or gave something else than the shadow has. */
bool shadow_step(Test *t, BlockNode *n, Shadow *s);
bool shadow_read_all(Test *t, BlockNode *n, const Shadow *s, const char *what);
/* What the distribution's qemu-img reads, if it is there. */
void shadow_compare_by_distribution(Test *t, const char *path, const char *format, const Shadow *s, const char *what);

#endif
