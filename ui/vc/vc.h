/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual consoles: character devices whose other end is a screen of text, shown by Ctrl-Alt-2 and up. */
#ifndef UI_VC_VC_H
#define UI_VC_VC_H

#include "util/osdep.h"

/* The back end "vc", at start-up. */
void vc_register(void);
/* Whether one can be made: a font is there. */
bool vc_possible(void);

#endif
