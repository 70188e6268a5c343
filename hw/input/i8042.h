/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyboard controller of a PC. Big lock. */
#ifndef HW_INPUT_I8042_H
#define HW_INPUT_I8042_H

#include "hw/input/ps2.h"
#include "hw/isa/isa.h"

#define TYPE_I8042  "i8042"

/* Output line "a20": the gate, 1 lets address bit 20 through. */

/* The devices at its cables; lent. */
Ps2Kbd *i8042_keyboard(Device *dev);
Ps2Mouse *i8042_mouse(Device *dev);

#endif
