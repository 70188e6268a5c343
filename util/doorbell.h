/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doorbells: eventfds by which other processes interrupt guests. What a bell calls runs with the big lock, in the main
 * loop or, if there is one, in a thread of a vCPU that has nothing to do: it waits for the bells itself, and needn't be
 * woken by the main loop after that has woken.
 *
 * All functions: big lock, but where it is said.
 */
#ifndef UTIL_DOORBELL_H
#define UTIL_DOORBELL_H

#include "util/osdep.h"

typedef struct Doorbell Doorbell;
typedef void DoorbellFn(void *opaque);

/* Call @fn after somebody has written to @fd, a non-blocking eventfd, which stays the caller's; it has been read then. */
Doorbell *doorbell_new(int fd, DoorbellFn *fn, void *opaque);
/* Off: what is written waits until it is on. */
void doorbell_enable(Doorbell *b, bool on);
/* Its own function may do this. NULL is allowed. Remove before closing the fd. */
void doorbell_remove(Doorbell *b);

/*
 * For a thread with nothing to do. False: there are no bells, or another thread waits for them. Else they are this
 * thread's until doorbell_watch_end(), which answers those that were rung.
 */
bool doorbell_watch_begin(void);
/* Until a bell is rung, or somebody writes to @wake, an eventfd, which is read then. Without the big lock. Gives whether it has looked
 * for a while before it slept: where before each of the last DOORBELL_TURNS watches, this one too, doorbell_rang() was called once. */
#define DOORBELL_TURNS  4
bool doorbell_watch(int wake);
void doorbell_watch_end(void);

/* Another process's bell was rung. Where questions and answers take turns, each one ring, they are waited for with patience; who
 * moves a stream of messages sleeps, and finds many at a time: that is faster than to look at them as they are written. Any thread,
 * no lock. */
void doorbell_rang(void);

#endif
