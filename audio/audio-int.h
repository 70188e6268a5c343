/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine and its drivers share. */
#ifndef AUDIO_AUDIO_INT_H
#define AUDIO_AUDIO_INT_H

#include <glib.h>
#include "audio/audio.h"
#include "qobject/qobject.h"
#include "util/timer.h"

/* The engine's own frames. */
typedef struct AudioFrame {
    int32_t l, r;
} AudioFrame;

/* One direction of -audiodev. */
typedef struct AudioDirection {
    AudioFormat format;
    uint32_t buffer_us;         /* 0: the driver's default */
    char *dev;                  /* "out.dev"; NULL: default; owned */
} AudioDirection;

typedef struct AudioDriver {
    const char *name;
    /* Members besides the common ones, with "in." or "out."; NULL ends. */
    const char *const *options;
    size_t state_size;
    /* out.format may be changed to what there is. */
    bool (*open)(AudioBackend *b, const QDict *opts, Error **errp);
    void (*close)(AudioBackend *b);
    /* Sound in b->out.format; what doesn't fit is lost. May be NULL. */
    void (*write)(AudioBackend *b, const void *data, uint32_t frames);
    /* Playing begins, pauses. May be NULL. */
    void (*enable)(AudioBackend *b, bool on);
    /* Up to @frames of recorded sound in b->in.format; how many there were. NULL: silence. */
    uint32_t (*read)(AudioBackend *b, void *data, uint32_t frames);
    struct AudioDriver *next;
} AudioDriver;
void audio_driver_register(AudioDriver *d);

struct AudioBackend {
    char *id;
    const AudioDriver *drv;
    void *state;                /* the driver's */
    AudioDirection in, out;
    int64_t period_ns;
    Timer timer;
    int64_t last_ns;            /* until when sound was made */
    int64_t rest;               /* of ns * Hz that made no whole frame */
    bool playing;
    AudioOut *outs;
    AudioIn *ins;
    AudioCapture *captures;
    AudioBackend *next;
};

/* audio.c */
void audio_backend_start(AudioBackend *b);
void audio_voices_text(const AudioBackend *b, GString *text);

/* capture.c: frames at the rate of b->out; playing begins, ends. */
void audio_capture_feed(AudioBackend *b, const AudioFrame *mix, uint32_t n);
void audio_capture_playing(AudioBackend *b, bool on);

/* convert.c: @n frames. */
void audio_decode(AudioFrame *out, const void *data, const AudioFormat *f, uint32_t n);
void audio_encode(void *data, const AudioFrame *in, const AudioFormat *f, uint32_t n);

/* A ring of frames, and reading it at another rate. */
typedef struct AudioRing {
    AudioFrame *frames;
    uint32_t size, head, count; /* head: the oldest */
    uint64_t pos;               /* 32.32: between the oldest and the next */
} AudioRing;
void audio_ring_init(AudioRing *r, uint32_t size);
void audio_ring_free(AudioRing *r);
void audio_ring_put(AudioRing *r, const AudioFrame *in, uint32_t n);    /* n <= room */
/* Up to @n frames at rate @to from a ring at rate @from; added to @out, at volume @vl, @vr (of
 * 256). How many. */
uint32_t audio_ring_mix(AudioRing *r, uint32_t from, uint32_t to, AudioFrame *out, uint32_t n,
                        int vl, int vr);
static inline uint32_t audio_ring_room(const AudioRing *r)
{
    return r->size - r->count;
}

#endif
