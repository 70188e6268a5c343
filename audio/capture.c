/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a back end plays, for somebody who listens in another format. */
#include "util/osdep.h"
#include "audio/audio-int.h"

#define RING_FRAMES     8192
#define OUT_FRAMES      2048

struct AudioCapture {
    AudioBackend *b;
    AudioFormat format;
    AudioRing ring;             /* at the back end's rate */
    void (*playing)(void *opaque, bool on);
    void (*data)(void *opaque, const void *data, uint32_t bytes);
    void *opaque;
    AudioCapture *next;
};

AudioCapture *audio_capture_add(AudioBackend *b, const AudioFormat *f,
                                void (*playing)(void *opaque, bool on),
                                void (*data)(void *opaque, const void *data, uint32_t bytes),
                                void *opaque)
{
    AudioCapture *c = g_new0(AudioCapture, 1);

    c->b = b;
    c->format = *f;
    c->playing = playing;
    c->data = data;
    c->opaque = opaque;
    audio_ring_init(&c->ring, RING_FRAMES);
    c->next = b->captures;
    b->captures = c;
    if (b->playing) {
        playing(opaque, true);
    }
    return c;
}

void audio_capture_remove(AudioCapture *c)
{
    if (!c) {
        return;
    }
    for (AudioCapture **pp = &c->b->captures; *pp; pp = &(*pp)->next) {
        if (*pp == c) {
            *pp = c->next;
            break;
        }
    }
    audio_ring_free(&c->ring);
    g_free(c);
}

void audio_capture_playing(AudioBackend *b, bool on)
{
    for (AudioCapture *c = b->captures, *next; c; c = next) {
        next = c->next;
        c->playing(c->opaque, on);
    }
}

void audio_capture_feed(AudioBackend *b, const AudioFrame *mix, uint32_t n)
{
    for (AudioCapture *c = b->captures, *next; c; c = next) {
        g_autofree AudioFrame *out = g_new0(AudioFrame, OUT_FRAMES);
        g_autofree uint8_t *raw = g_malloc(OUT_FRAMES * audio_frame_bytes(&c->format));
        uint32_t got;

        next = c->next;
        audio_ring_put(&c->ring, mix, MIN(n, audio_ring_room(&c->ring)));
        do {
            memset(out, 0, OUT_FRAMES * sizeof(*out));
            got = audio_ring_mix(&c->ring, b->out.format.freq, c->format.freq, out, OUT_FRAMES, 256,
                                 256);
            if (got) {
                audio_encode(raw, out, &c->format, got);
                c->data(c->opaque, raw, got * audio_frame_bytes(&c->format));
            }
        } while (got == OUT_FRAMES);
    }
}
