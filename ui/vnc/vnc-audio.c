/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "ui/vnc/vnc-audio.h"
#include "util/bswap.h"

bool vnc_audio_offered(UNUSED const VncClient *c)
{
    return false;
}

bool coroutine_fn vnc_audio_message(VncClient *c)
{
    uint8_t b[6];

    return vnc_co_read(c, b, 2) && (load_be16(b) != 2 || vnc_co_read(c, b, 6));
}

void vnc_audio_free(UNUSED VncClient *c)
{
}
