/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys from the monitor, one after the other with pauses in guest time, as a
 * person would press them. Big lock.
 */
#ifndef UI_CORE_KEY_QUEUE_H
#define UI_CORE_KEY_QUEUE_H

#include "util/osdep.h"

#define KEY_QUEUE_MAX       1024        /* steps that may wait; more are dropped */

/* How many more may. */
unsigned key_queue_room(void);

/* Both wait for the steps before them. */
void key_queue_key(unsigned number, bool down);
void key_queue_delay(int64_t ms);

#endif
