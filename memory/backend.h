/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory back ends: RAM that a user makes with -object memory-backend-ram,
 * -file or -memfd and gives to the machine or to a device by its id. Big lock.
 */
#ifndef MEMORY_BACKEND_H
#define MEMORY_BACKEND_H

#include "memory/memory.h"
#include "qom/object.h"

#define TYPE_MEMORY_BACKEND "memory-backend"

/* Its RAM, which only one user may have at a time: NULL with errp set when
 * somebody has it. Lent until memory_backend_release(). */
MemRegion *memory_backend_use(Object *backend, Error **errp);
void memory_backend_release(Object *backend);
uint64_t memory_backend_size(const Object *backend);

#endif
