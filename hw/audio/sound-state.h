/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Printers of sound devices: rings and lists of buffers in the guest's memory. */
#ifndef HW_AUDIO_SOUND_STATE_H
#define HW_AUDIO_SOUND_STATE_H

#include "hw/core/state-view.h"

extern const StatePrinter hda_printers[], ac97_printers[];

#endif
