/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared between the files of memory/ only. */
#ifndef MEMORY_MEMORY_INT_H
#define MEMORY_MEMORY_INT_H

#include "util/osdep.h"
#include <glib.h>
#include "memory/memory.h"

/* Inside a transaction: the views must be made anew at its end. */
void memory_changed(void);

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
