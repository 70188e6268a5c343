/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 6522 Versatile Interface Adapter: two ports, two timers, a shift register, four control lines.
 * A part of its owner's device, which maps it, connects @irq and gets told of what the guest writes.
 *
 * Source: Synertek SY6522 data sheet ("DS"). Big lock.
 */
#ifndef HW_MISC_VIA6522_H
#define HW_MISC_VIA6522_H

#include "hw/core/device.h"
#include "memory/memory.h"
#include "util/timer.h"

enum { VIA_ORB, VIA_ORA, VIA_DDRB, VIA_DDRA, VIA_T1CL, VIA_T1CH, VIA_T1LL, VIA_T1LH, VIA_T2CL,
       VIA_T2CH, VIA_SR, VIA_ACR, VIA_PCR, VIA_IFR, VIA_IER, VIA_ORA_NH, VIA_REGS };
/* Bits of IFR and IER. */
enum { VIA_CA2 = 1, VIA_CA1 = 2, VIA_SHIFT = 4, VIA_CB2 = 8, VIA_CB1 = 16, VIA_T2 = 32, VIA_T1 = 64,
       VIA_ANY = 128 };

typedef struct Via6522 Via6522;
typedef struct Via6522Ops {
    /* Levels of the port's outputs changed (input bits read as 1). Any may be NULL. */
    void (*port_a)(void *opaque, uint8_t level, uint8_t old);
    void (*port_b)(void *opaque, uint8_t level, uint8_t old);
    /* The shift register was written, or read: IFR's bit is clear. */
    void (*shift)(void *opaque, bool written);
} Via6522Ops;

struct Via6522 {
    const Via6522Ops *ops;
    void *opaque;
    IrqLine *irq;
    uint32_t hz;
    uint8_t ora, orb, ddra, ddrb, sr, acr, pcr, ifr, ier;
    uint8_t pins_a, pins_b;         /* what comes from outside */
    bool ca1, ca2, cb1, cb2;        /* levels of the control lines */
    uint16_t t1_latch, t2_count;
    uint8_t t2_latch;
    bool t1_armed, t2_armed;        /* an interrupt will come */
    int64_t t1_start, t2_start;     /* tick at which the counter was loaded */
    Timer t1, t2;
};

void via6522_init(Via6522 *v, const Via6522Ops *ops, void *opaque, uint32_t hz);
void via6522_cleanup(Via6522 *v);
void via6522_reset(Via6522 *v);
uint8_t via6522_read(Via6522 *v, unsigned reg, bool debug);
void via6522_write(Via6522 *v, unsigned reg, uint8_t val);
/* Inputs of a port; bits that are outputs don't matter. */
void via6522_set_pins(Via6522 *v, bool port_b, uint8_t mask, uint8_t level);
/* A control line's level: @line is its VIA_C* bit. */
void via6522_set_line(Via6522 *v, uint8_t line, bool level);
/* Set or clear flags from outside: a byte was shifted, a line that isn't latched. */
void via6522_set_flags(Via6522 *v, uint8_t mask, bool set);
static inline uint8_t via6522_out_a(const Via6522 *v) { return v->ora | (uint8_t)~v->ddra; }
static inline uint8_t via6522_out_b(const Via6522 *v) { return v->orb | (uint8_t)~v->ddrb; }
extern const VmState via6522_vm;
/* "IFR = 0x82 [CA1 ANY]" and the like, for people. */
extern const char *const via6522_reg_names[VIA_REGS];

#endif
