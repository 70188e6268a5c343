/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which values are alive, and where they were made: in builds with
 * --enable-debug only, else all of this is nothing. With the environment variable
 * QOBJECT_LEAKS set, what is alive at the end of the program is told on stderr,
 * grouped by the calls that led to it.
 */
#ifndef QOBJECT_LEAKS_H
#define QOBJECT_LEAKS_H

#include "util/osdep.h"
#include "config.h"

typedef struct QObject QObject;

#ifdef CONFIG_DEBUG
void qobject_track(const QObject *o);
void qobject_untrack(const QObject *o);
/* How many values are alive. */
size_t qobject_live_count(void);
/* Tell them, by allocation site; most frequent first. */
void qobject_leaks_report(FILE *f);
#else
static inline void qobject_track(UNUSED const QObject *o)
{
}
static inline void qobject_untrack(UNUSED const QObject *o)
{
}
static inline size_t qobject_live_count(void)
{
    return 0;
}
static inline void qobject_leaks_report(UNUSED FILE *f)
{
}
#endif

#endif
