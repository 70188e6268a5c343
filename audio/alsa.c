/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sound to and from ALSA, never waiting: what its buffer has no room for is dropped. */
#include "util/osdep.h"
#include "config.h"

#ifdef CONFIG_ALSA
#include "audio/audio-int.h"
#include "util/lazy-lib.h"

#include <alsa/asoundlib.h>
#include <glib.h>

#define DEFAULT_BUFFER_US   100000

typedef struct AlsaState {
    snd_pcm_t *out, *in;
} AlsaState;

static snd_pcm_t *open_pcm(const AudioDirection *d, snd_pcm_stream_t stream, Error **errp)
{
    static const snd_pcm_format_t formats[AUDIO_SAMPLE__MAX] = {
        [AUDIO_U8] = SND_PCM_FORMAT_U8, [AUDIO_S8] = SND_PCM_FORMAT_S8,
        [AUDIO_U16] = SND_PCM_FORMAT_U16_LE, [AUDIO_S16] = SND_PCM_FORMAT_S16_LE,
        [AUDIO_U32] = SND_PCM_FORMAT_U32_LE, [AUDIO_S32] = SND_PCM_FORMAT_S32_LE,
        [AUDIO_F32] = SND_PCM_FORMAT_FLOAT_LE,
    };
    const char *name = d->dev ? d->dev : "default";
    snd_pcm_t *pcm = NULL;
    int err = snd_pcm_open(&pcm, name, stream, SND_PCM_NONBLOCK);

    if (err >= 0) {
        err = snd_pcm_set_params(pcm, formats[d->format.sample], SND_PCM_ACCESS_RW_INTERLEAVED,
                                 d->format.channels, d->format.freq, 1,
                                 d->buffer_us ? d->buffer_us : DEFAULT_BUFFER_US);
    }
    if (err < 0) {
        error_setf(errp, ERR_HOST, "ALSA device '%s': %s", name, snd_strerror(err));
        if (pcm) {
            snd_pcm_close(pcm);
        }
        return NULL;
    }
    return pcm;
}

/* ALSA's own complaints would go to stderr; ours says the same. */
static void quiet(UNUSED const char *file, UNUSED int line, UNUSED const char *function,
                  UNUSED int err, UNUSED const char *fmt, ...)
{
}

static bool alsa_open(AudioBackend *b, UNUSED const QDict *opts, Error **errp)
{
    AlsaState *s = b->state;
    const char *missing = lazy_lib_load("libasound.");

    if (missing) {
        error_setf(errp, ERR_HOST, "no sound by ALSA: %s", missing);
        return false;
    }
    snd_lib_error_set_handler(quiet);
    s->out = open_pcm(&b->out, SND_PCM_STREAM_PLAYBACK, errp);
    if (s->out) {
        s->in = open_pcm(&b->in, SND_PCM_STREAM_CAPTURE, NULL);     /* may be missing */
    }
    return s->out != NULL;
}

static void alsa_close(AudioBackend *b)
{
    AlsaState *s = b->state;

    snd_pcm_close(s->out);
    if (s->in) {
        snd_pcm_close(s->in);
    }
}

static void alsa_write(AudioBackend *b, const void *data, uint32_t frames)
{
    AlsaState *s = b->state;
    const uint8_t *p = data;

    while (frames) {
        snd_pcm_sframes_t n = snd_pcm_writei(s->out, p, frames);

        if (n <= 0) {
            if (n == -EAGAIN || n == 0 || snd_pcm_recover(s->out, (int)n, 1) < 0) {
                return;
            }
            continue;
        }
        p += (uint32_t)n * audio_frame_bytes(&b->out.format);
        frames -= (uint32_t)n;
    }
}

static void alsa_enable(AudioBackend *b, bool on)
{
    AlsaState *s = b->state;

    if (on) {
        snd_pcm_prepare(s->out);
    } else {
        snd_pcm_drop(s->out);
    }
}

static uint32_t alsa_read(AudioBackend *b, void *data, uint32_t frames)
{
    AlsaState *s = b->state;
    snd_pcm_sframes_t n = s->in ? snd_pcm_readi(s->in, data, frames) : 0;

    if (n < 0 && n != -EAGAIN) {
        snd_pcm_recover(s->in, (int)n, 1);
        snd_pcm_start(s->in);
    }
    return n > 0 ? (uint32_t)n : 0;
}

static const char *const options[] = {
    "in.dev", "in.period-length", "in.try-poll", "out.dev", "out.period-length", "out.try-poll",
    "threshold", NULL
};
static AudioDriver driver_alsa = {
    .name = "alsa", .options = options, .state_size = sizeof(AlsaState), .open = alsa_open,
    .close = alsa_close, .write = alsa_write, .enable = alsa_enable, .read = alsa_read,
};

CONSTRUCTOR static void register_alsa(void)
{
    audio_driver_register(&driver_alsa);
}
#endif
