/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory modules that come and go while the guest runs: registers that the DSDT's methods use, after QEMU's
 * "ACPI memory hotplug interface", with the last address added. Big lock.
 *
 *   0  W: selects a slot        R: address, low 32 bits      4  high
 *   8  R: size, low             12 high                     16  R: NUMA node
 *   4  W: event of _OST         8  W: its status
 *  20  R: 1 there, 2 has come, 4 is wanted back. W: 2, 4 the guest knows; 8 it may go
 *  24  R: last address, low     28 high
 */
#ifndef HW_ACPI_MEMORY_HOTPLUG_H
#define HW_ACPI_MEMORY_HOTPLUG_H

#include "hw/acpi/slots.h"
#include "hw/mem/pc-dimm.h"

#define TYPE_ACPI_MEMORY_HOTPLUG    "acpi-memory-hotplug"
#define MEMORY_HOTPLUG_IO           0xa00
#define MEMORY_HOTPLUG_LEN          32
enum { MEMORY_HOTPLUG_EVENT = 3 };      /* number of the general-purpose event */

/* In \_SB: a device for each of @n slots, and MSCN for the event. */
void memory_hotplug_put_aml(Aml *a, unsigned n);

#endif
