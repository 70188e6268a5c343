/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of the host's processors or NUMA nodes, as values of properties. */
#ifndef MEMORY_HOST_SET_H
#define MEMORY_HOST_SET_H

#include "qobject/qobject.h"

/* A list of the numbers below @n whose bits are set. */
QObject *host_set_get(const uint64_t *bits, unsigned n);
/* From a list of numbers, or text: "0", "0-3". False with errp set, which names @property. */
bool host_set_put(uint64_t *bits, unsigned n, const char *property, const QObject *v, Error **errp);
/* Adds [@first, @last]; false: that isn't below @n. */
bool host_set_add(uint64_t *bits, unsigned n, uint64_t first, uint64_t last);

#endif
