/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCO timer.
 *
 * Source: Intel ICH9 data sheet, 316972 ("DS"), 13.9.
 * Departure: after a reset the timer is halted, as firmware leaves it. Not modelled: intruder detection, SMLink.
 */
#include "util/osdep.h"
#include "hw/watchdog/tco.h"

#include "hw/core/runstate.h"

enum { TCO_RLD = 0x00, TCO_DAT_IN = 0x02, TCO_DAT_OUT = 0x03, TCO1_STS = 0x04, TCO2_STS = 0x06, TCO1_CNT = 0x08,
       TCO2_CNT = 0x0a, TCO_MESSAGE1 = 0x0c, TCO_MESSAGE2 = 0x0d, TCO_WDCNT = 0x0e, SW_IRQ_GEN = 0x10,
       TCO_TMR = 0x12 };
#define TICK_NS             INT64_C(600000000)
#define STS1_W1C            0x1788
#define STS1_SW_SMI         BIT(1)
#define STS1_INT            BIT(2)
#define STS1_TIMEOUT        BIT(3)
#define STS2_W1C            0x001f
#define STS2_SECOND         BIT(1)
#define CNT1_LOCK           BIT(12)
#define CNT1_HALT           BIT(11)
#define CNT1_RW             (CNT1_HALT | BIT(9) | BIT(8))
#define CNT2_RW             0x003e
#define TMR_RW              0x03ff
#define TMR_MIN             2

static void start(Tco *s)
{
    if (s->cnt1 & CNT1_HALT) {
        s->deadline_ns = 0;
        timer_del(&s->timer);
        return;
    }
    s->deadline_ns = clock_get_ns(CLOCK_VIRTUAL) + MAX(s->tmr, TMR_MIN) * TICK_NS;
    timer_mod_ns(&s->timer, s->deadline_ns);
}

/* DS 13.9.5: the first time it is an SMI, the second time (nobody cleared TIMEOUT) a reset. */
static void expired(void *opaque)
{
    Tco *s = opaque;

    if (s->sts1 & STS1_TIMEOUT) {
        s->sts2 |= STS2_SECOND;
        if (!s->no_reboot(s->opaque)) {
            s->deadline_ns = 0;
            system_watchdog_expired();
            return;
        }
    }
    s->sts1 |= STS1_TIMEOUT;
    start(s);
    s->smi(s->opaque);
}

static uint16_t current(const Tco *s)
{
    int64_t left = s->deadline_ns - clock_get_ns(CLOCK_VIRTUAL);

    return !s->deadline_ns ? s->tmr : left <= 0 ? 0 : (uint16_t)MIN((left + TICK_NS - 1) / TICK_NS, TMR_RW);
}

static uint16_t read_word(Tco *s, unsigned reg)
{
    switch (reg) {
    case TCO_RLD: return current(s);
    case TCO_DAT_IN: return (uint16_t)(s->dat_in | s->dat_out << 8);
    case TCO1_STS: return s->sts1;
    case TCO2_STS: return s->sts2;
    case TCO1_CNT: return s->cnt1;
    case TCO2_CNT: return s->cnt2;
    case TCO_MESSAGE1: return (uint16_t)(s->message[0] | s->message[1] << 8);
    case TCO_WDCNT: return s->wdcnt;
    case SW_IRQ_GEN: return s->sw_irq;
    case TCO_TMR: return s->tmr;
    default: return 0;
    }
}

uint8_t tco_read(Tco *s, unsigned reg)
{
    return (uint8_t)(read_word(s, reg & ~1u) >> (reg & 1) * 8);
}

static void write_byte(Tco *s, unsigned reg, uint8_t val)
{
    switch (reg) {
    case TCO_DAT_IN:                    /* DS 13.9.2: sets SW_TCO_SMI */
        s->dat_in = val;
        s->sts1 |= STS1_SW_SMI;
        s->smi(s->opaque);
        break;
    case TCO_DAT_OUT:
        s->dat_out = val;
        s->sts1 |= STS1_INT;
        break;
    case TCO_MESSAGE1:
    case TCO_MESSAGE2:
        s->message[reg - TCO_MESSAGE1] = val;
        break;
    case TCO_WDCNT:
        s->wdcnt = val;
        break;
    case SW_IRQ_GEN:
        s->sw_irq = val & 3;
        break;
    }
}

static void write_cnt1(Tco *s, uint16_t val)
{
    uint16_t old = s->cnt1;

    /* DS 13.9.7: the lock keeps HALT as it is until a reset. */
    s->cnt1 = (val & CNT1_RW) | ((old | val) & CNT1_LOCK);
    if (old & CNT1_LOCK) {
        s->cnt1 = (uint16_t)((s->cnt1 & ~CNT1_HALT) | (old & CNT1_HALT));
    }
    if ((old ^ s->cnt1) & CNT1_HALT) {
        start(s);
    }
}

static void write_word(Tco *s, unsigned reg, uint16_t val, uint16_t lanes)
{
    uint16_t merged = (uint16_t)((read_word(s, reg) & ~lanes) | (val & lanes));

    switch (reg) {
    case TCO_RLD:
        start(s);
        break;
    case TCO1_STS:
        s->sts1 &= (uint16_t)~(val & lanes & (STS1_W1C | STS1_SW_SMI | STS1_INT));
        break;
    case TCO2_STS:
        s->sts2 &= (uint16_t)~(val & lanes & STS2_W1C);
        break;
    case TCO1_CNT:
        write_cnt1(s, merged);
        break;
    case TCO2_CNT:
        s->cnt2 = merged & CNT2_RW;
        break;
    case TCO_TMR:
        s->tmr = merged & TMR_RW;
        break;
    default:
        for (unsigned i = 0; i < 2; i++) {
            if (lanes >> i * 8 & 0xff) {
                write_byte(s, reg + i, (uint8_t)(val >> i * 8));
            }
        }
    }
}

void tco_write(Tco *s, unsigned reg, uint16_t val, unsigned size)
{
    unsigned shift = (reg & 1) * 8;

    if (size == 1) {
        write_word(s, reg & ~1u, (uint16_t)(val << shift), (uint16_t)(0xff << shift));
    } else {
        write_word(s, reg & ~1u, val, 0xffff);
    }
}

void tco_reset(Tco *s)
{
    timer_del(&s->timer);
    s->sts1 = s->sts2 = 0;
    s->cnt1 = CNT1_HALT;
    s->cnt2 = 0x0008;
    s->tmr = 4;
    s->dat_in = s->dat_out = s->wdcnt = 0;
    s->message[0] = s->message[1] = 0;
    s->sw_irq = 3;
    s->deadline_ns = 0;
}

void tco_init(Tco *s, void (*smi)(void *opaque), bool (*no_reboot)(void *opaque), void *opaque)
{
    s->smi = smi;
    s->no_reboot = no_reboot;
    s->opaque = opaque;
    timer_init_ns(&s->timer, CLOCK_VIRTUAL, expired, s);
}

void tco_cleanup(Tco *s)
{
    timer_del(&s->timer);
}

bool tco_post_load(Tco *s, Error **errp)
{
    if (s->deadline_ns < 0 || (s->cnt1 & ~(CNT1_RW | CNT1_LOCK)) || s->tmr > TMR_RW ||
        (s->deadline_ns && s->cnt1 & CNT1_HALT)) {
        error_setf(errp, ERR_STATE_INVALID, "TCO: control 0x%04x, timer %u, due at %" PRId64, s->cnt1, s->tmr,
                   s->deadline_ns);
        return false;
    }
    if (s->deadline_ns) {
        timer_mod_ns(&s->timer, s->deadline_ns);
    } else {
        timer_del(&s->timer);
    }
    return true;
}

static const VmField tco_fields[] = {
    VM_U16(Tco, sts1), VM_U16(Tco, sts2), VM_U16(Tco, cnt1), VM_U16(Tco, cnt2), VM_U16(Tco, tmr), VM_U8(Tco, dat_in),
    VM_U8(Tco, dat_out), VM_U8_ARRAY(Tco, message), VM_U8(Tco, wdcnt), VM_U8_RANGE(Tco, sw_irq, 0, 3),
    VM_I64(Tco, deadline_ns), VM_END
};
static const VmMeaning tco_meanings[] = {
    { "sts1", "TCO1_STS", .flags = FLAGS({ "NMI2SMI", 1 }, { "SW_TCO_SMI", 2 }, { "TCO_INT", 4 }, { "TIMEOUT", 8 },
      { "NEWCENTURY", 0x80 }, { "BIOSWR", 0x100 }, { "DMISCI", 0x200 }, { "DMISMI", 0x400 }, { "DMISERR", 0x1000 }) },
    { "sts2", "TCO2_STS", .flags = FLAGS({ "INTRD_DET", 1 }, { "SECOND_TO", 2 }, { "BOOT", 4 }, { "SMLINK_SLV_SMI", 0x10 }) },
    { "cnt1", "TCO1_CNT", .flags = FLAGS({ "NMI_NOW", 0x100 }, { "NMI2SMI_EN", 0x200 }, { "TMR_HLT", 0x800 },
      { "LOCK", 0x1000 }) },
    { "cnt2", "TCO2_CNT", .flags = FLAGS({ "INTRD_SEL", 6 }, { "GPI11_ALERT_DISABLE", 8 }, { "OS_POLICY", 0x30 }) },
    { "tmr", "TCO_TMR: what the timer starts from, in 0.6 s" },
    { "dat_in", "TCO_DAT_IN: byte to the SMI handler" },
    { "dat_out", "TCO_DAT_OUT: byte from it" },
    { "message", "TCO_MESSAGE1 and 2, for a management card" },
    { "wdcnt", "TCO_WDCNT: boot progress, for a management card" },
    { "sw_irq", "SW_IRQ_GEN", .flags = FLAGS({ "IRQ1_CAUSE", 1 }, { "IRQ12_CAUSE", 2 }) },
    { "deadline_ns", "when the timer ends, of the guest's clock; 0: it is halted" },
    { .name = NULL }
};
const VmState tco_vm = { 1, tco_fields, .name = "tco", .meanings = tco_meanings };
