/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices tell switches where they are, after they have moved. Big lock. */
#ifndef NET_ANNOUNCE_H
#define NET_ANNOUNCE_H

#include "net/net.h"
#include "qapi/qapi-type.h"

/* @rounds, the first at once, then after @initial_ms, growing by @step_ms up to @max_ms. @ids: of devices;
 * NULL: all. */
void net_announce(int64_t initial_ms, int64_t max_ms, unsigned rounds, int64_t step_ms, const strList *ids);

#endif
