/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "audio/wav-capture.h"

#include <glib.h>

static WavCapture *captures;

const WavCapture *wav_capture_first(void)
{
    return captures;
}

static void playing(void *opaque, bool on)
{
    if (!on) {
        wav_file_sync(&((WavCapture *)opaque)->file);
    }
}

static void data(void *opaque, const void *data, uint32_t bytes)
{
    wav_file_write(&((WavCapture *)opaque)->file, data, bytes);
}

static bool bad(Error **errp, const char *what, int64_t value, const char *accepted)
{
    g_autofree char *text = g_strdup_printf("%" PRId64, value);

    error_setf(errp, ERR_OUT_OF_RANGE, "'%s' is %s; accepted: %s", what, text, accepted);
    error_argument(errp, what, text, accepted);
    return false;
}

bool wav_capture_start(const char *path, const char *audiodev, int64_t freq, int64_t bits, int64_t channels,
                       Error **errp)
{
    AudioBackend *b = audiodev ? audiodev_find(audiodev) : audiodev_default();
    AudioFormat f = { .sample = bits == 8 ? AUDIO_U8 : AUDIO_S16 };
    WavCapture *c, **end = &captures;
    unsigned n = 0;

    if (!b) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no audiodev '%s'", audiodev);
        error_argument(errp, "audiodev", audiodev, NULL);
        return false;
    }
    if (freq < AUDIO_FREQ_MIN || freq > AUDIO_FREQ_MAX) {
        return bad(errp, "freq", freq, "1000 to 384000");
    }
    if (bits != 8 && bits != 16) {
        return bad(errp, "bits", bits, "8, 16");
    }
    if (channels != 1 && channels != 2) {
        return bad(errp, "nchannels", channels, "1, 2");
    }
    for (; *end; end = &(*end)->next) {
        n++;
    }
    if (n == WAV_CAPTURES_MAX) {
        error_setf(errp, ERR_IN_USE, "there are %d captures already, no more are accepted", WAV_CAPTURES_MAX);
        return false;
    }
    f.freq = (uint32_t)freq;
    f.channels = (uint8_t)channels;
    c = g_new0(WavCapture, 1);
    if (!wav_file_open(&c->file, path, &f, errp)) {
        g_free(c);
        return false;
    }
    c->path = g_strdup(path);
    c->backend = b;
    c->capture = audio_capture_add(b, &f, playing, data, c);
    *end = c;
    return true;
}

bool wav_capture_stop(int64_t index, Error **errp)
{
    WavCapture **pp = &captures, *c;

    for (int64_t i = 0; *pp && i < index; i++) {
        pp = &(*pp)->next;
    }
    c = index < 0 ? NULL : *pp;
    if (!c) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "there is no capture %" PRId64 "; info capture shows all", index);
        return false;
    }
    *pp = c->next;
    audio_capture_remove(c->capture);
    wav_file_close(&c->file);
    g_free(c->path);
    g_free(c);
    return true;
}
