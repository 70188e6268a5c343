/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order in which firmware tries devices: each has a property "bootindex",
 * lower first. A device that can be booted from has PROP_BOOTINDEX in its table
 * and calls boot_add() at the end of its realize and boot_remove() in unrealize.
 */
#ifndef HW_CORE_BOOT_H
#define HW_CORE_BOOT_H

#include "hw/core/device.h"

/* @f: int32_t; -1 is no place in the order. */
#define PROP_BOOTINDEX(S, f) \
    PROP_I32("bootindex", S, f, -1, "place in the boot order, from 0")

/* @suffix: what comes behind the device's own path ("/disk@0"), or NULL. Does
 * nothing when @index is negative; false when another device has it. */
bool boot_add(Device *dev, int32_t index, const char *suffix, Error **errp);
void boot_remove(Device *dev);
/* Paths by rising index, one a line, no line end after the last; NULL if there
 * are none. g_free(). */
char *boot_order_text(void);

#endif
