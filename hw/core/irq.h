/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt lines, or any other wire with a level.
 *
 * A line is a handle to the receiving end: irq_set() calls the receiver's
 * handler with the line's number and level. A device has named arrays of
 * input lines (receivers) and of outputs (pointers that the board fills):
 *
 *     device_init_irq_in(dev, "irq", ex_irq_in, 8);        in init or realize
 *     device_init_irq_out(dev, "intr", &s->intr, 1);       s->intr: IrqLine *
 *     device_connect_irq_out(pic, "intr", 0, device_irq_in(cpu, "intr", 0));
 *
 * An output that nobody connected is NULL; setting it does nothing. Lines are
 * not saved: each device raises its outputs again after load. Big lock.
 */
#ifndef HW_CORE_IRQ_H
#define HW_CORE_IRQ_H

#include "util/osdep.h"

typedef struct IrqLine IrqLine;
struct Device;

/* @level is 0 or 1, except on wires that are documented to carry a number. */
typedef void (*IrqHandler)(void *opaque, int n, int level);

struct IrqLine {
    IrqHandler handler;
    void *opaque;
    int n;
    int level;                  /* as last set; for people and qtest */
    uint64_t raised;            /* how often it rose; for people */
};

static inline void irq_set(IrqLine *line, int level)
{
    if (line) {
        line->raised += level && !line->level;
        line->level = level;
        line->handler(line->opaque, line->n, level);
    }
}
static inline void irq_raise(IrqLine *line) { irq_set(line, 1); }
static inline void irq_lower(IrqLine *line) { irq_set(line, 0); }
static inline void irq_pulse(IrqLine *line)
{
    irq_set(line, 1);
    irq_set(line, 0);
}

/* Free-standing lines; @n of them, for a board. Freed with irq_free(). */
IrqLine *irq_new(IrqHandler handler, void *opaque, int n);
IrqLine **irq_new_array(IrqHandler handler, void *opaque, int n);
void irq_free(IrqLine *line);
void irq_free_array(IrqLine **lines, int n);
/* Wiring; the results live as long as @owner (an Object, NULL: for ever). */
IrqLine *irq_split(void *owner, IrqLine *a, IrqLine *b);
IrqLine *irq_invert(void *owner, IrqLine *out);
/* @n inputs, *@out is high while any input is; lines[i] is input i. */
IrqLine **irq_or(void *owner, int n, IrqLine *out);

/* Names may be NULL: the device's only, unnamed array. A name that comes
 * again adds lines. The handler's opaque is the device. */
void device_init_irq_in(struct Device *dev, const char *name,
                        IrqHandler handler, int n);
void device_init_irq_in_opaque(struct Device *dev, const char *name,
                               IrqHandler handler, void *opaque, int n);
/* @pins: array of @n pointers in the device's struct, set to NULL here. */
void device_init_irq_out(struct Device *dev, const char *name, IrqLine **pins,
                         int n);
/* NULL if there is no such line. */
IrqLine *device_irq_in(struct Device *dev, const char *name, int n);
void device_connect_irq_out(struct Device *dev, const char *name, int n,
                            IrqLine *line);
IrqLine *device_irq_out(struct Device *dev, const char *name, int n);
int device_num_irq_in(struct Device *dev, const char *name);
int device_num_irq_out(struct Device *dev, const char *name);

/* qtest: see what goes over a device's unnamed (or named) lines, before the
 * receiver does; for ever. False if there are none. */
typedef void (*IrqObserver)(void *opaque, int n, int level);
bool device_intercept_irq_in(struct Device *dev, const char *name,
                             IrqObserver observer, void *opaque);
bool device_intercept_irq_out(struct Device *dev, const char *name,
                              IrqObserver observer, void *opaque);

#endif
