/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VM generation id, as a board sees it. Big lock. */
#ifndef HW_ACPI_VMGENID_H
#define HW_ACPI_VMGENID_H

#include "hw/core/device.h"

#define TYPE_VMGENID    "vmgenid"
#define VMGENID_ADDR    0xfef00000u     /* of the 16 bytes, in memory of their own */
enum { VMGENID_EVENT = 5 };             /* number of the general-purpose event */

/* Output line "changed": a pulse when the guest should look again. The device; NULL. */
Device *vmgenid_find(void);

#endif
