/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a display tells of itself (VESA E-EDID A.2). */
#ifndef HW_DISPLAY_EDID_H
#define HW_DISPLAY_EDID_H

#include "util/osdep.h"

#define EDID_SIZE       128     /* bytes of the base block, the only one */
#define EDID_RES_MAX    4095    /* twelve bits for each side */

/* The block of a display whose best mode is @xres by @yres pixels at 60 Hz, or less where a pixel clock of 655.35 MHz
 * isn't enough. @xres, @yres: 64 to EDID_RES_MAX. */
void edid_fill(uint8_t block[EDID_SIZE], unsigned xres, unsigned yres);

#endif
