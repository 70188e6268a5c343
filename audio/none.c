/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver that plays nothing and records silence. */
#include "util/osdep.h"
#include "audio/audio-int.h"

static bool none_open(UNUSED AudioBackend *b, UNUSED const QDict *opts, UNUSED Error **errp)
{
    return true;
}

static AudioDriver driver_none = { .name = "none", .open = none_open };

CONSTRUCTOR static void register_none(void)
{
    audio_driver_register(&driver_none);
}
