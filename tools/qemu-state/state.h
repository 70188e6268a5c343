/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-state: a machine's saved state, read from a file. One thread. */
#ifndef TOOLS_QEMU_STATE_STATE_H
#define TOOLS_QEMU_STATE_STATE_H

#include "hw/core/state-view.h"
#include "memory/ram.h"
#include "migration/devices.h"

/* A range of the addresses of CPUs where RAM is. */
typedef struct Range {
    uint64_t address, size, offset;
    RamBlock *ram;              /* borrowed */
    char *region;               /* owned */
} Range;

typedef struct Stream {
    char *machine;              /* owned; as all */
    MigDevices *devices;
    GArray *ranges;             /* of Range */
    bool with_memory;
} Stream;

/* @path: a migration file, an image with a snapshot called @snapshot (NULL: its only one), "-": standard input. */
bool stream_open(Stream *s, const char *path, const char *snapshot, Error **errp);
void stream_cleanup(Stream *s);
/* Memory as devices see it; @m is good as long as @s. NULL ops when the file says nothing of memory. */
StateMemory stream_memory(Stream *s);
/* The snapshots of an image, one a line. */
bool stream_list(const char *path, Error **errp);

#endif
