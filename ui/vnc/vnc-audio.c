/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "audio/audio.h"
#include "ui/vnc/vnc-audio.h"
#include "util/bswap.h"

enum { AUDIO_OP_ENABLE, AUDIO_OP_DISABLE, AUDIO_OP_FORMAT };        /* of the client */
enum { AUDIO_OP_END, AUDIO_OP_BEGIN, AUDIO_OP_DATA };               /* ours */

#define QUEUE_MAX       (256 * 1024)    /* more waits already: this sound is late */

typedef struct VncAudio {
    AudioFormat format;
    AudioCapture *capture;      /* NULL: it doesn't listen */
    bool begun;
} VncAudio;

static AudioBackend *backend(const VncClient *c)
{
    return c->server->audiodev ? audiodev_find(c->server->audiodev) : NULL;
}

bool vnc_audio_offered(const VncClient *c)
{
    return backend(c);
}

static void put_op(VncClient *c, uint16_t op)
{
    vnc_put_u8(c, 255);
    vnc_put_u8(c, 1);
    vnc_put_u16(c, op);
}

static void playing(void *opaque, bool on)
{
    VncClient *c = opaque;

    if (c->audio->begun != on) {
        c->audio->begun = on;
        put_op(c, on ? AUDIO_OP_BEGIN : AUDIO_OP_END);
        vnc_flush(c);
    }
}

static void sound(void *opaque, const void *data, uint32_t bytes)
{
    VncClient *c = opaque;

    if (c->closing || c->out_bytes > QUEUE_MAX) {
        return;
    }
    playing(c, true);
    put_op(c, AUDIO_OP_DATA);
    vnc_put_u32(c, bytes);
    vnc_put(c, data, bytes);
    vnc_flush(c);
}

static void enable(VncClient *c)
{
    AudioBackend *b = backend(c);

    if (b && !c->audio->capture) {
        c->audio->capture = audio_capture_add(b, &c->audio->format, playing, sound, c);
    }
}

static void disable(VncClient *c)
{
    audio_capture_remove(c->audio->capture);
    c->audio->capture = NULL;
    playing(c, false);
}

/* Takes effect at once, also while it listens. */
static bool set_format(VncClient *c, const uint8_t *b)
{
    static const AudioSample samples[] = { AUDIO_U8, AUDIO_S8, AUDIO_U16, AUDIO_S16, AUDIO_U32,
                                           AUDIO_S32 };
    uint32_t freq = load_be32(b + 2);

    if (b[0] >= ARRAY_SIZE(samples) || (b[1] != 1 && b[1] != 2) || freq < AUDIO_FREQ_MIN ||
        freq > AUDIO_FREQ_MAX) {
        return false;
    }
    c->audio->format = (AudioFormat){ freq, b[1], samples[b[0]] };
    if (c->audio->capture) {
        audio_capture_remove(c->audio->capture);
        c->audio->capture = NULL;
        enable(c);
    }
    return true;
}

bool coroutine_fn vnc_audio_message(VncClient *c)
{
    uint8_t b[6];

    if (!vnc_co_read(c, b, 2)) {
        return false;
    }
    if (!c->audio) {
        c->audio = g_new0(VncAudio, 1);
        c->audio->format = (AudioFormat){ 44100, 2, AUDIO_S16 };
    }
    switch (load_be16(b)) {
    case AUDIO_OP_ENABLE:
        enable(c);
        return true;
    case AUDIO_OP_DISABLE:
        disable(c);
        return true;
    case AUDIO_OP_FORMAT:
        return vnc_co_read(c, b, 6) && set_format(c, b);
    default:
        return false;
    }
}

void vnc_audio_free(VncClient *c)
{
    if (c->audio) {
        audio_capture_remove(c->audio->capture);
        g_free(c->audio);
        c->audio = NULL;
    }
}
