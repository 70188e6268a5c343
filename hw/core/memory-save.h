/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory into a file (memsave, pmemsave), a MiB at a time: between the pieces the machine and the
 * monitors go on, and the file is written by a worker. Big lock.
 */
#ifndef HW_CORE_MEMORY_SAVE_H
#define HW_CORE_MEMORY_SAVE_H

#include "qobject/error.h"

typedef struct MemorySave {
    bool is_virtual;
    int cpu_index;              /* of virtual addresses */
    uint64_t addr;
    int64_t size;               /* up to MEMORY_SAVE_MAX */
    const char *path;
} MemorySave;

#define MEMORY_SAVE_MAX     (INT64_C(1) << 40)

/* Waits; events are handled meanwhile. */
bool memory_save_wait(const MemorySave *what, Error **errp);

#endif
