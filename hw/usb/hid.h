/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys as HID Usage Tables number them (HUT 1.12, chapter 10). */
#ifndef HW_USB_HID_H
#define HW_USB_HID_H

#include "util/osdep.h"

/* Usage of a key number as ui/core/input.h has it (set 1, 0x80 for E0); 0: no key. */
uint8_t hid_usage_of_key(unsigned number);

#endif
