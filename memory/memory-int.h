/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared between the files of memory/ only. */
#ifndef MEMORY_MEMORY_INT_H
#define MEMORY_MEMORY_INT_H

#include "util/osdep.h"
#include <glib.h>
#include "memory/memory.h"

/* Inside a transaction: the views must be made anew at its end. */
void memory_changed(void);

/* --- posted.c --- */
/* An I/O thread's write to a region whose callbacks need the big lock: the main loop does it soon. Inside an RCU read
 * section. */
MemResult posted_write(MemRegion *mr, hwaddr addr, uint64_t val, unsigned size, MemOrder order, MemAttrs attrs);
/* From now on the region is gone, and nothing that was posted reaches it. Big lock. */
void posted_forget(MemRegion *mr);

/* Answers everywhere where nothing is mapped. */
extern const MemSection memory_unassigned_section;

/* The last byte of a region of this size. */
static inline uint64_t size_last(uint64_t size)
{
    return size == UINT64_MAX ? UINT64_MAX : size - 1;
}

/* What a flat view's section of this region offers, whatever it is. */
static inline bool section_writable(const MemSection *s)
{
    return s->host && !s->readonly;
}

#endif
