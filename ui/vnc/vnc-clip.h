/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clipboard between a client and ui/core/clipboard.h: RFC 6143 7.5.6 and 7.6.4, and rfbproto.rst,
 * "Extended Clipboard Pseudo-Encoding". */
#ifndef UI_VNC_VNC_CLIP_H
#define UI_VNC_VNC_CLIP_H

#include "ui/vnc/vnc-int.h"

/* Say what we take, after a SetEncodings with the extension. */
void vnc_clip_announce(VncClient *c);
/* ClientCutText after its length. */
bool coroutine_fn vnc_clip_message(VncClient *c, int32_t length);
/* The client is in the session. */
void vnc_clip_start(VncClient *c);
void vnc_clip_free(VncClient *c);

#endif
