/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object thread-context: a thread that does errands, and makes further threads, on the host's processors that it is
 * bound to; memory back ends take their memory so (prealloc-context). Big lock.
 */
#ifndef MEMORY_THREAD_CONTEXT_H
#define MEMORY_THREAD_CONTEXT_H

#include "memory/ram.h"
#include "qom/object.h"

#define TYPE_THREAD_CONTEXT     "thread-context"

typedef struct ThreadContext ThreadContext;

/* Runs @fn in the context's thread, and returns when it has. */
void thread_context_run(ThreadContext *c, void (*fn)(void *opaque), void *opaque);

/* prealloc.c: the host's memory is taken for all of the block, by @threads threads, made in @c (NULL: here). What is in the
 * block stays. */
bool ram_prealloc(RamBlock *block, unsigned threads, ThreadContext *c, Error **errp);

#endif
