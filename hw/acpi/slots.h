/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Base of the controllers of slots, from which things come and go while the guest runs: processors, memory. Each
 * slot has flags that the DSDT's methods read and write, and the last report of its _OST method (ACPI 6.0, 6.3.5),
 * which query-acpi-ospm-status shows. A controller has its own registers. Big lock.
 */
#ifndef HW_ACPI_SLOTS_H
#define HW_ACPI_SLOTS_H

#include "hw/acpi/aml-build.h"
#include "hw/core/device.h"
#include "memory/memory.h"
#include "qapi/types-machine.h"

#define TYPE_ACPI_SLOTS     "acpi-slots"
#define ACPI_SLOTS_MAX      256

/* A slot's flags, as the registers show and take them. */
enum { SLOT_ENABLED = 1, SLOT_INSERTED = 2, SLOT_WANTED_BACK = 4, SLOT_EJECT = 8 };

typedef struct AcpiSlots {
    Device dev;
    uint32_t num;               /* property: slots */
    MemRegion io;
    IrqLine *event;
    uint8_t flags[ACPI_SLOTS_MAX];      /* SLOT_INSERTED, SLOT_WANTED_BACK */
    uint32_t ost_event[ACPI_SLOTS_MAX], ost_status[ACPI_SLOTS_MAX];
    uint32_t selected;          /* what the guest says: any number */
} AcpiSlots;

/* .data of a controller's type. */
typedef struct AcpiSlotsClass {
    ACPISlotType type;
    const char *name;           /* of the region, and in the log */
    const MemOps *ops;          /* the registers */
    unsigned len;
    unsigned fixed;             /* so many first slots keep what they have */
    Device *(*at)(unsigned slot);       /* what is there, or NULL */
    void (*leaves)(Device *dev);        /* before it is deleted; may be NULL */
} AcpiSlotsClass;

DEFINE_CAST(ACPI_SLOTS, AcpiSlots, TYPE_ACPI_SLOTS)

/* A controller of type @type for @n slots, at port @base of @io; output line "event". NULL with @errp set. */
Device *acpi_slots_create(const char *type, MemRegion *io, uint16_t base, unsigned n, Error **errp);

/* The board's: something came into @slot, or the user wants it back. The guest is told. */
void acpi_slot_plugged(Device *controller, int slot);
void acpi_slot_wanted_back(Device *controller, int slot);

/* For the registers; all but the first want a selected slot that there is. */
bool acpi_slot_valid(const AcpiSlots *s);               /* logs when it isn't */
uint8_t acpi_slot_flags(const AcpiSlots *s);
void acpi_slot_write_flags(AcpiSlots *s, uint8_t val);
void acpi_slot_write_ost_event(AcpiSlots *s, uint32_t val);
void acpi_slot_write_ost_status(AcpiSlots *s, uint32_t val);    /* the report is whole then */

extern const VmState acpi_slots_vm;

/* Methods. @select and @flags name fields of the controller's registers, "value" goes to @field. */
void acpi_slots_put_store(Aml *a, uint64_t value, const char *field);
/* Method @name (slot): the flags of _STA. */
void acpi_slots_put_sta(Aml *a, const char *name, const char *select, const char *flags);
/* Method @name (slot): it may go. */
void acpi_slots_put_eject(Aml *a, const char *name, const char *select, const char *flags);
/* Method @name: notifies each device named by the format @device of its news. */
void acpi_slots_put_scan(Aml *a, const char *name, const char *select, const char *flags,
                         void (*name_of)(char *name, size_t len, unsigned slot), unsigned n);

#endif
