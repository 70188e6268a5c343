/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine: voices, time, mixing. */
#include "util/osdep.h"
#include "audio/audio-int.h"

#include <glib.h>
#include "qom/property.h"

#define CHUNK           4096            /* frames handled at a time */
#define LATE_NS         (200 * NS_PER_MS)       /* a longer pause isn't made up for */

struct AudioOut {
    AudioBackend *b;
    char *name;
    AudioFormat format;
    void (*more)(void *opaque, uint32_t bytes);
    void *opaque;
    bool active, mute;
    uint8_t left, right;
    AudioRing ring;                     /* at the device's rate */
    AudioOut *next;
};

struct AudioIn {
    AudioBackend *b;
    char *name;
    AudioFormat format;
    void (*there)(void *opaque, uint32_t bytes);
    void *opaque;
    bool active;
    AudioRing raw;                      /* at the back end's rate */
    AudioRing ring;                     /* at the device's */
    AudioIn *next;
};

/* Frames at @freq for two periods and a bit: a device may fill that much ahead. */
static uint32_t ring_frames(const AudioBackend *b, uint32_t freq)
{
    return (uint32_t)(freq * (uint64_t)b->period_ns * 2 / 1000000000) + 64;
}

/* --- playing --- */

/* What a device has written is heard even if it has stopped since. */
static bool has_sound(const AudioOut *v)
{
    return v->active || v->ring.count;
}

static void feed(AudioOut *v)
{
    uint32_t room = audio_ring_room(&v->ring);

    if (room && v->active) {
        v->more(v->opaque, room * audio_frame_bytes(&v->format));
    }
}

static void play(AudioBackend *b, uint32_t frames)
{
    g_autofree AudioFrame *mix = g_new(AudioFrame, CHUNK);
    g_autofree uint8_t *raw = g_malloc(CHUNK * audio_frame_bytes(&b->out.format));

    while (frames) {
        uint32_t n = MIN(frames, CHUNK);

        memset(mix, 0, n * sizeof(*mix));
        for (AudioOut *v = b->outs, *next; v; v = next) {
            uint32_t done = 0, got;

            next = v->next;
            if (!has_sound(v)) {
                continue;
            }
            do {                        /* a ring may be smaller than a chunk */
                feed(v);
                got = audio_ring_mix(&v->ring, v->format.freq, b->out.format.freq, mix + done,
                                     n - done, v->mute ? 0 : v->left + (v->left >> 7),
                                     v->mute ? 0 : v->right + (v->right >> 7));
                done += got;
            } while (got && done < n);
        }
        if (b->drv->write) {
            audio_encode(raw, mix, &b->out.format, n);
            b->drv->write(b, raw, n);
        }
        audio_capture_feed(b, mix, n);
        frames -= n;
    }
}

/* --- recording --- */

static void record(AudioBackend *b, uint32_t frames)
{
    g_autofree AudioFrame *in = g_new0(AudioFrame, CHUNK);
    g_autofree uint8_t *raw = g_malloc0(CHUNK * audio_frame_bytes(&b->in.format));

    while (frames) {
        uint32_t n = MIN(frames, CHUNK), got = 0;

        if (b->drv->read) {
            got = b->drv->read(b, raw, n);
            audio_decode(in, raw, &b->in.format, got);
        }
        memset(in + got, 0, (n - got) * sizeof(*in));
        for (AudioIn *v = b->ins, *next; v; v = next) {
            g_autofree AudioFrame *out = NULL;
            uint32_t most, k;

            next = v->next;
            if (!v->active) {
                continue;
            }
            audio_ring_put(&v->raw, in, MIN(n, audio_ring_room(&v->raw)));
            most = audio_ring_room(&v->ring);
            out = g_new0(AudioFrame, most + 1);
            k = audio_ring_mix(&v->raw, b->in.format.freq, v->format.freq, out, most, 256, 256);
            audio_ring_put(&v->ring, out, k);
            v->there(v->opaque, v->ring.count * audio_frame_bytes(&v->format));
        }
        frames -= n;
    }
}

/* --- time --- */

static bool any_active(const AudioBackend *b, bool *out)
{
    bool in = false;

    *out = false;
    for (const AudioOut *v = b->outs; v; v = v->next) {
        *out |= has_sound(v);
    }
    for (const AudioIn *v = b->ins; v; v = v->next) {
        in |= v->active;
    }
    return in || *out;
}

static void set_playing(AudioBackend *b, bool on)
{
    if (b->playing != on) {
        b->playing = on;
        if (b->drv->enable) {
            b->drv->enable(b, on);
        }
        audio_capture_playing(b, on);
    }
}

static void tick(void *opaque)
{
    AudioBackend *b = opaque;
    int64_t now = clock_get_ns(CLOCK_VIRTUAL), units;
    uint32_t freq = b->out.format.freq, frames;
    bool out;

    if (now - b->last_ns > LATE_NS || now < b->last_ns) {
        b->last_ns = now - b->period_ns;
        b->rest = 0;
    }
    units = (now - b->last_ns) * freq + b->rest;
    frames = (uint32_t)(units / 1000000000);
    b->rest = units % 1000000000;
    if (any_active(b, &out)) {
        if (out) {
            play(b, frames);
        }
        record(b, (uint32_t)((uint64_t)frames * b->in.format.freq / freq));
    }
    b->last_ns = now;
    if (any_active(b, &out)) {
        timer_mod_ns(&b->timer, now + b->period_ns);
    }
    set_playing(b, out);
}

static void activity_changed(AudioBackend *b)
{
    bool out;

    if (any_active(b, &out) && !timer_pending(&b->timer)) {
        b->last_ns = clock_get_ns(CLOCK_VIRTUAL);
        b->rest = 0;
        timer_mod_ns(&b->timer, b->last_ns + b->period_ns);
    }
    if (out) {
        set_playing(b, true);
    }
}

void audio_backend_start(AudioBackend *b)
{
    timer_init_ns(&b->timer, CLOCK_VIRTUAL, tick, b);
}

/* --- voices --- */

AudioOut *audio_out_open(AudioBackend *b, const char *name, const AudioFormat *f,
                         void (*more)(void *opaque, uint32_t bytes), void *opaque)
{
    AudioOut *v = g_new0(AudioOut, 1);

    v->b = b ? b : audiodev_default();
    v->name = g_strdup(name);
    v->more = more;
    v->opaque = opaque;
    v->left = v->right = 255;
    audio_out_set_format(v, f);
    v->next = v->b->outs;
    v->b->outs = v;
    return v;
}

void audio_out_close(AudioOut *v)
{
    if (!v) {
        return;
    }
    for (AudioOut **pp = &v->b->outs; *pp; pp = &(*pp)->next) {
        if (*pp == v) {
            *pp = v->next;
            break;
        }
    }
    audio_ring_free(&v->ring);
    g_free(v->name);
    g_free(v);
}

static bool same_format(const AudioFormat *a, const AudioFormat *b)
{
    return a->freq == b->freq && a->channels == b->channels && a->sample == b->sample;
}

void audio_out_set_format(AudioOut *v, const AudioFormat *f)
{
    if (v->ring.frames && same_format(&v->format, f)) {
        return;
    }
    v->format = *f;
    audio_ring_free(&v->ring);
    audio_ring_init(&v->ring, ring_frames(v->b, f->freq));
}

void audio_out_set_active(AudioOut *v, bool active)
{
    if (v->active != active) {
        v->active = active;
        activity_changed(v->b);
    }
}

void audio_out_set_volume(AudioOut *v, bool mute, uint8_t left, uint8_t right)
{
    v->mute = mute;
    v->left = left;
    v->right = right;
}

uint32_t audio_out_write(AudioOut *v, const void *data, uint32_t bytes)
{
    uint32_t size = audio_frame_bytes(&v->format);
    uint32_t n = MIN(bytes / size, audio_ring_room(&v->ring));
    g_autofree AudioFrame *frames = g_new(AudioFrame, n + 1);

    audio_decode(frames, data, &v->format, n);
    audio_ring_put(&v->ring, frames, n);
    return n * size;
}

AudioIn *audio_in_open(AudioBackend *b, const char *name, const AudioFormat *f,
                       void (*there)(void *opaque, uint32_t bytes), void *opaque)
{
    AudioIn *v = g_new0(AudioIn, 1);

    v->b = b ? b : audiodev_default();
    v->name = g_strdup(name);
    v->there = there;
    v->opaque = opaque;
    audio_in_set_format(v, f);
    v->next = v->b->ins;
    v->b->ins = v;
    return v;
}

void audio_in_close(AudioIn *v)
{
    if (!v) {
        return;
    }
    for (AudioIn **pp = &v->b->ins; *pp; pp = &(*pp)->next) {
        if (*pp == v) {
            *pp = v->next;
            break;
        }
    }
    audio_ring_free(&v->raw);
    audio_ring_free(&v->ring);
    g_free(v->name);
    g_free(v);
}

void audio_in_set_format(AudioIn *v, const AudioFormat *f)
{
    if (v->ring.frames && same_format(&v->format, f)) {
        return;
    }
    v->format = *f;
    audio_ring_free(&v->raw);
    audio_ring_free(&v->ring);
    audio_ring_init(&v->raw, ring_frames(v->b, v->b->in.format.freq) + CHUNK);
    audio_ring_init(&v->ring, ring_frames(v->b, f->freq) + CHUNK);
}

void audio_in_set_active(AudioIn *v, bool active)
{
    if (v->active != active) {
        v->active = active;
        activity_changed(v->b);
    }
}

uint32_t audio_in_read(AudioIn *v, void *data, uint32_t bytes)
{
    uint32_t size = audio_frame_bytes(&v->format);
    uint32_t n = MIN(bytes / size, v->ring.count);
    g_autofree AudioFrame *frames = g_new0(AudioFrame, n + 1);

    n = audio_ring_mix(&v->ring, 1, 1, frames, n, 256, 256);
    audio_encode(data, frames, &v->format, n);
    return n * size;
}

/* --- for people --- */

void audio_voices_text(const AudioBackend *b, GString *text)
{
    for (const AudioOut *v = b->outs; v; v = v->next) {
        g_string_append_printf(text, "  out %s: %u Hz, %u channels, %s%s%s\n", v->name,
                               v->format.freq, v->format.channels,
                               audio_sample_names[v->format.sample],
                               v->active ? ", playing" : "", v->mute ? ", muted" : "");
    }
    for (const AudioIn *v = b->ins; v; v = v->next) {
        g_string_append_printf(text, "  in %s: %u Hz, %u channels, %s%s\n", v->name,
                               v->format.freq, v->format.channels,
                               audio_sample_names[v->format.sample],
                               v->active ? ", recording" : "");
    }
}
