/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fixed hardware of ACPI that PC chip sets have in common: PM1 events and control, the power management
 * timer, sleep, the power button (ACPI 3.0, 4.7.3). A chip embeds it, shows its registers at its own places, and
 * saves the fields that PM1_VM names. Big lock.
 */
#ifndef HW_ACPI_PM1_H
#define HW_ACPI_PM1_H

#include "hw/core/device.h"
#include "hw/core/runstate.h"
#include "util/timer.h"

/* Bits of PM1_STS and PM1_EN (4.7.3.1), of PM1_CNT (4.7.3.2). */
#define PM1_TMR         BIT(0)
#define PM1_GBL         BIT(5)
#define PM1_PWRBTN      BIT(8)
#define PM1_RTC         BIT(10)
#define PM1_WAK         BIT(15)
#define PM1_SCI_EN      BIT(0)
#define PM1_SLP_EN      BIT(13)

typedef enum Pm1Sleep { PM1_SLEEP_NONE, PM1_SLEEP_RAM, PM1_SLEEP_DISK, PM1_SLEEP_OFF } Pm1Sleep;

/* What differs between chips. */
typedef struct Pm1Chip {
    uint16_t sts_w1c, en_mask, cnt_mask;
    uint8_t sleep[8];           /* Pm1Sleep of each SLP_TYP */
    /* Inputs of the SCI have changed. */
    void (*changed)(void *opaque);
} Pm1Chip;

typedef struct AcpiPm1 {
    uint16_t sts, en, cnt;
    int64_t half_periods;       /* of the timer, when STS.TMR was set last */
    Timer overflow;
    PowerListener power;
    const Pm1Chip *chip;
    void *opaque;
    IrqLine *s3;                /* raised when the guest goes to sleep; the chip's output line */
} AcpiPm1;

/* The chip's init, realize (@no_s3: there is no sleep to RAM), unrealize. */
void pm1_init(AcpiPm1 *pm, const Pm1Chip *chip, void *opaque);
void pm1_realize(AcpiPm1 *pm, bool no_s3);
void pm1_unrealize(AcpiPm1 *pm);
/* Status and what wakes are in the resume well: a reset after S3 leaves them. */
void pm1_reset(AcpiPm1 *pm);
bool pm1_post_load(AcpiPm1 *pm, Error **errp);

uint16_t pm1_read_sts(AcpiPm1 *pm);
void pm1_write_sts(AcpiPm1 *pm, uint16_t val);          /* W1C */
void pm1_write_en(AcpiPm1 *pm, uint16_t val);
void pm1_write_cnt(AcpiPm1 *pm, uint16_t val);
/* 24 bits. */
uint32_t pm1_timer(void);
void pm1_set_sci_enable(AcpiPm1 *pm, bool on);
/* Is an event enabled and set? */
bool pm1_pending(const AcpiPm1 *pm);
static inline bool pm1_sci_enabled(const AcpiPm1 *pm)
{
    return pm->cnt & PM1_SCI_EN;
}

#endif
