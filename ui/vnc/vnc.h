/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VNC server: RFB 3.3, 3.7 and 3.8 (RFC 6143) with Raw encoding, no authentication. Each
 * client is a coroutine of the main loop. Big lock.
 */
#ifndef UI_VNC_VNC_H
#define UI_VNC_VNC_H

#include "qobject/error.h"
#include "qobject/qobject.h"

/* -vnc: "vnc" is HOST:DISPLAY, unix:PATH or none; "to" the last display to be tried, "share"
 * accepted. False with errp set. */
bool vnc_open(const QDict *opts, Error **errp);
void vnc_close_all(void);

#endif
