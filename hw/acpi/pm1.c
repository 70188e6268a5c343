/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fixed hardware of ACPI: PM1 events and control, the power management timer. */
#include "util/osdep.h"
#include "hw/acpi/pm1.h"
#include "util/host-utils.h"

#define PMTMR_HZ        3579545
#define PMTMR_MASK      0xffffffu
#define PMTMR_HALF      0x800000
#define SLP_TYP(v)      ((v) >> 10 & 7)

static int64_t timer_count(void)
{
    return (int64_t)muldiv64((uint64_t)clock_get_ns(CLOCK_VIRTUAL), PMTMR_HZ, NS_PER_SECOND);
}

uint32_t pm1_timer(void)
{
    return (uint32_t)timer_count() & PMTMR_MASK;
}

bool pm1_pending(const AcpiPm1 *pm)
{
    return pm->sts & pm->en & (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_RTC);
}

/* TMR_STS: bit 23 has changed since it was cleared (ACPI 3.0, 4.7.3.3). */
static void update_timer_status(AcpiPm1 *pm)
{
    if (timer_count() / PMTMR_HALF > pm->half_periods) {
        pm->sts |= PM1_TMR;
    }
}

static void arm_timer(AcpiPm1 *pm)
{
    int64_t next;

    if ((pm->sts & PM1_TMR) || !(pm->en & PM1_TMR)) {
        timer_del(&pm->overflow);
        return;
    }
    next = (pm->half_periods + 1) * PMTMR_HALF;
    timer_mod_ns(&pm->overflow, (int64_t)muldiv64_up((uint64_t)next, NS_PER_SECOND, PMTMR_HZ));
}

static void overflow(void *opaque)
{
    AcpiPm1 *pm = opaque;

    update_timer_status(pm);
    pm->chip->changed(pm->opaque);
    arm_timer(pm);
}

uint16_t pm1_read_sts(AcpiPm1 *pm)
{
    update_timer_status(pm);
    return pm->sts;
}

void pm1_write_sts(AcpiPm1 *pm, uint16_t val)
{
    update_timer_status(pm);
    pm->sts &= (uint16_t)~(val & pm->chip->sts_w1c);
    if (val & PM1_TMR) {
        pm->half_periods = timer_count() / PMTMR_HALF;
    }
    arm_timer(pm);
    pm->chip->changed(pm->opaque);
}

void pm1_write_en(AcpiPm1 *pm, uint16_t val)
{
    update_timer_status(pm);
    pm->en = val & pm->chip->en_mask;
    system_wakeup_enable(WAKEUP_RTC, val & PM1_RTC);
    system_wakeup_enable(WAKEUP_PM_TIMER, val & PM1_TMR);
    arm_timer(pm);
    pm->chip->changed(pm->opaque);
}

/* SLP_EN starts what SLP_TYP names. */
void pm1_write_cnt(AcpiPm1 *pm, uint16_t val)
{
    pm->cnt = val & pm->chip->cnt_mask;
    if (val & PM1_SLP_EN) {
        switch ((Pm1Sleep)pm->chip->sleep[SLP_TYP(val)]) {
        case PM1_SLEEP_NONE:
            break;
        case PM1_SLEEP_RAM:
            irq_pulse(pm->s3);
            system_suspend_request();
            break;
        case PM1_SLEEP_DISK:
            system_suspend_to_disk();
            break;
        case PM1_SLEEP_OFF:
            system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
            break;
        }
    }
    pm->chip->changed(pm->opaque);
}

void pm1_set_sci_enable(AcpiPm1 *pm, bool on)
{
    pm->cnt = (uint16_t)(on ? pm->cnt | PM1_SCI_EN : pm->cnt & ~PM1_SCI_EN);
    pm->chip->changed(pm->opaque);
}

static void powerdown(PowerListener *l)
{
    AcpiPm1 *pm = container_of(l, AcpiPm1, power);

    pm->sts |= PM1_PWRBTN;
    pm->chip->changed(pm->opaque);
}

static void wakeup(PowerListener *l, WakeupReason reason)
{
    AcpiPm1 *pm = container_of(l, AcpiPm1, power);

    pm->sts |= PM1_WAK;
    if (reason == WAKEUP_RTC) {
        pm->sts |= PM1_RTC;
    } else if (reason == WAKEUP_PM_TIMER) {
        pm->sts |= PM1_TMR;
    } else {
        pm->sts |= PM1_PWRBTN;
    }
    pm->chip->changed(pm->opaque);
}

void pm1_reset(AcpiPm1 *pm)
{
    if (!runstate_check(RUN_STATE_SUSPENDED)) {
        pm->sts = pm->en = 0;
    }
    pm->cnt = 0;
    pm->half_periods = timer_count() / PMTMR_HALF;
    arm_timer(pm);
}

bool pm1_post_load(AcpiPm1 *pm, Error **errp)
{
    if (pm->half_periods < 0 || pm->half_periods > INT64_MAX / PMTMR_HALF / 2) {
        error_setf(errp, ERR_STATE_INVALID, "the timer's count is out of range");
        return false;
    }
    arm_timer(pm);
    return true;
}

void pm1_init(AcpiPm1 *pm, const Pm1Chip *chip, void *opaque)
{
    pm->chip = chip;
    pm->opaque = opaque;
    timer_init_ns(&pm->overflow, CLOCK_VIRTUAL, overflow, pm);
}

void pm1_realize(AcpiPm1 *pm, bool no_s3)
{
    pm->power.powerdown = powerdown;
    pm->power.wakeup = wakeup;
    power_add_listener(&pm->power);
    if (!no_s3) {
        system_wakeup_set_supported();
    }
}

void pm1_unrealize(AcpiPm1 *pm)
{
    power_remove_listener(&pm->power);
    timer_del(&pm->overflow);
}
