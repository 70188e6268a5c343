/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reset in three phases over a tree of devices and buses.
 *
 * enter: put state to its reset values, touch nobody else. hold: the line is
 * asserted; drive the outputs. exit: the line is released; things that start
 * by themselves start. Each phase visits the whole tree, children first,
 * before the next one begins. Big lock.
 */
#ifndef HW_CORE_RESET_H
#define HW_CORE_RESET_H

#include "util/osdep.h"

struct Device;
struct Bus;

typedef enum ResetKind {
    RESET_COLD,                 /* power on, system_reset */
    RESET_WARM,                 /* keyboard controller, INIT, 0xcf9 */
} ResetKind;

/* A device with all that is on its buses; a bus with its devices. */
void device_reset(struct Device *dev, ResetKind kind);
void bus_reset(struct Bus *bus, ResetKind kind);
/* All of the machine: every realized device, then the callbacks below. */
void system_reset(ResetKind kind);
/* The kind of the reset that is going on. */
ResetKind reset_kind(void);

/* What is no device (loaders that put a kernel back, say): called in order
 * of registration, in the hold phase after all devices. */
typedef void (*ResetHandler)(void *opaque);
void system_reset_register(ResetHandler handler, void *opaque);
void system_reset_unregister(ResetHandler handler, void *opaque);

#endif
