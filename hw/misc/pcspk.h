/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Port 61h: gate of timer 2, speaker, refresh. */
#ifndef HW_MISC_PCSPK_H
#define HW_MISC_PCSPK_H

#include "hw/isa/isa.h"

#define TYPE_PCSPK  "isa-pcspk"     /* property "pit": a link to the timer */

/* The tone that is heard now, Hz; 0: silence. For an audio front end. */
unsigned pcspk_tone_hz(Device *spk);

#endif
