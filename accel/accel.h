/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accelerators: how vCPUs run. Each registers itself under its name; the
 * command line (-accel NAME,prop=value, -machine accel=a:b) picks one before any CPU is made.
 */
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include "hw/core/cpu.h"
#include "qobject/qobject.h"

typedef struct Accel {
    const char *name;           /* "tcg" */
    const char *desc;
    /* Prepare and call cpu_set_accel(). @props: the options without the
     * name (strings or typed); unknown ones are errors. */
    bool (*init)(const QDict *props, Error **errp);
    /* Is it usable on this host? NULL: always. */
    bool (*available)(Error **errp);
    struct Accel *next;         /* registry's */
} Accel;

void accel_register(Accel *a);
/* After all registrations; NULL ends. */
const Accel *accel_first(void);
const Accel *accel_find(const char *name);
/* Initialise the one called @name. False with the list of what there is, or why not. */
bool accel_use(const char *name, const QDict *props, Error **errp);
/* The one in use, or NULL. */
const Accel *accel_current(void);

#endif
