/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sound into a RIFF WAVE file: what is played while some voice is active, without the pauses. */
#include "util/osdep.h"
#include "audio/audio-int.h"

#include <glib.h>
#include "audio/wav-file.h"

typedef struct WavState {
    WavFile file;
} WavState;

static bool wav_open(AudioBackend *b, const QDict *opts, Error **errp)
{
    WavState *s = b->state;

    wav_file_adjust(&b->out.format);
    return wav_file_open(&s->file, qdict_str_or(opts, "path", "qemu.wav"), &b->out.format, errp);
}

static void wav_close(AudioBackend *b)
{
    wav_file_close(&((WavState *)b->state)->file);
}

static void wav_write(AudioBackend *b, const void *data, uint32_t frames)
{
    wav_file_write(&((WavState *)b->state)->file, data, frames * audio_frame_bytes(&b->out.format));
}

static void wav_enable(AudioBackend *b, bool on)
{
    if (!on) {
        wav_file_sync(&((WavState *)b->state)->file);
    }
}

static const char *const options[] = { "path", NULL };
static AudioDriver driver_wav = {
    .name = "wav", .options = options, .state_size = sizeof(WavState), .open = wav_open,
    .close = wav_close, .write = wav_write, .enable = wav_enable,
};

CONSTRUCTOR static void register_wav(void)
{
    audio_driver_register(&driver_wav);
}
