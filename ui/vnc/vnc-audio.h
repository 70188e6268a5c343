/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sound to a client (rfbproto.rst, "QEMU Audio"). */
#ifndef UI_VNC_VNC_AUDIO_H
#define UI_VNC_VNC_AUDIO_H

#include "ui/vnc/vnc-int.h"

bool vnc_audio_offered(const VncClient *c);
/* The message after its type and submessage type. */
bool coroutine_fn vnc_audio_message(VncClient *c);
void vnc_audio_free(VncClient *c);

#endif
