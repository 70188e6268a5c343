/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's _OST methods report of slots for processors and memory (ACPI 6.0, 6.3.5). Each controller keeps
 * the last report of each slot; query-acpi-ospm-status asks all controllers. Big lock.
 */
#ifndef HW_ACPI_SLOT_REPORT_H
#define HW_ACPI_SLOT_REPORT_H

#include "hw/core/device.h"
#include "qapi/types-machine.h"

/* .data of a controller's type. */
typedef struct SlotReporter {
    void (*report)(Device *controller, ACPIOSTInfoList *list);
} SlotReporter;
#define TYPE_ACPI_SLOTS     "acpi-slots"

/* @dev: what is in the slot, or NULL. The caller frees. */
ACPIOSTInfo *slot_report(ACPISlotType type, unsigned slot, const Device *dev, uint32_t event, uint32_t status);
/* The guest has said so now: sends ACPI_DEVICE_OST, and for a refused eject what that means. */
void slot_reported(ACPISlotType type, unsigned slot, Device *dev, uint32_t event, uint32_t status);

/* A slot's flags, as the registers show and take them. */
enum { SLOT_ENABLED = 1, SLOT_INSERTED = 2, SLOT_WANTED_BACK = 4, SLOT_EJECT = 8 };

#endif
