/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processors that come and go while the guest runs: registers that the DSDT's methods use, a design of QEMU's
 * ("QEMU<->ACPI BIOS CPU hotplug interface"). A general-purpose event tells the guest to look. Big lock.
 *
 *   0  W: selects a processor, by its number. R: 0 (by which firmware knows these registers, and the upper half of 8's)
 *   4  R: 1 it is there, 2 it has come, 4 the user wants it back. W: 2, 4 the guest knows; 8 it may go
 *   5  W: command: 0 selects the next one with news, 1 and 2 the next data are event and status of _OST, 3: see 8
 *   8  W: data of the command. R (command 0): the selected processor's number; (3) the number of its APIC, the same
 */
#ifndef HW_ACPI_CPU_HOTPLUG_H
#define HW_ACPI_CPU_HOTPLUG_H

#include "hw/acpi/slots.h"

#define TYPE_ACPI_CPU_HOTPLUG   "acpi-cpu-hotplug"
#define CPU_HOTPLUG_LEN         12
enum { CPU_HOTPLUG_EVENT = 2 };         /* number of the general-purpose event */

/* In \_SB: all @n processors with their methods, and CSCN for the event; the registers are at @port. */
void cpu_hotplug_put_aml(Aml *a, uint16_t port, unsigned n);

#endif
