/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interval timer of a PC, for what is wired to it. Big lock. */
#ifndef HW_TIMER_I8254_H
#define HW_TIMER_I8254_H

#include "hw/isa/isa.h"

#define TYPE_I8254      "isa-pit"
#define I8254_HZ        1193182     /* 14.31818 MHz / 12 */

/* Input line "gate" 0 to 2; output line (unnamed) 0: OUT of counter 0. */

/* The OUT pins of the others, for whoever polls them (port 61h). */
bool i8254_out(Device *pit, unsigned channel);
/* Frequency that a speaker at OUT2 would play, 0: none. */
unsigned i8254_tone_hz(Device *pit, unsigned channel);
/* The HPET has taken the timer's interrupt: OUT0 is not driven meanwhile. */
void i8254_set_irq_enabled(Device *pit, bool enabled);

#endif
