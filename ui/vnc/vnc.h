/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VNC server: RFB 3.3, 3.7 and 3.8 (RFC 6143) with the community's extensions (rfbproto.rst).
 * Each client is a coroutine of the main loop; updates are encoded on worker threads. Big lock.
 */
#ifndef UI_VNC_VNC_H
#define UI_VNC_VNC_H

#include "qobject/error.h"
#include "qobject/qobject.h"

/* -vnc: "vnc" is HOST:DISPLAY, unix:PATH or none, and the options that docs/vnc.md lists, as
 * strings or JSON values. False with errp set. */
bool vnc_open(const QDict *opts, Error **errp);
/* Ends all servers; their clients are told and gone at return. */
void vnc_close_all(void);
/* add_client: takes the connected socket @fd on success. */
bool vnc_add_client(int fd, bool skip_auth, bool tls, Error **errp);

#endif
