/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples to and from the engine's stereo of 32 bits, and rates. */
#include "util/osdep.h"
#include "audio/audio-int.h"

#include <glib.h>
#include <math.h>
#include "util/bswap.h"

const char *const audio_sample_names[AUDIO_SAMPLE__MAX + 1] = {
    "u8", "s8", "u16", "s16", "u32", "s32", "f32", NULL
};

static const uint8_t sample_bytes[AUDIO_SAMPLE__MAX] = { 1, 1, 2, 2, 4, 4, 4 };

uint32_t audio_frame_bytes(const AudioFormat *f)
{
    return sample_bytes[f->sample] * f->channels;
}

static int32_t decode(const uint8_t *p, AudioSample sample)
{
    uint32_t bits;
    float v;

    switch (sample) {
    case AUDIO_U8:
        return (int32_t)((uint32_t)(p[0] ^ 0x80) << 24);
    case AUDIO_S8:
        return (int32_t)((uint32_t)p[0] << 24);
    case AUDIO_U16:
        return (int32_t)((uint32_t)(load_le16(p) ^ 0x8000) << 16);
    case AUDIO_S16:
        return (int32_t)((uint32_t)load_le16(p) << 16);
    case AUDIO_U32:
        return (int32_t)(load_le32(p) ^ 0x80000000u);
    case AUDIO_S32:
        return (int32_t)load_le32(p);
    default:
        bits = load_le32(p);
        memcpy(&v, &bits, sizeof(v));
        return !(v > -1.0f) ? (isnan(v) ? 0 : INT32_MIN) : v >= 1.0f ? INT32_MAX
               : (int32_t)(v * 2147483648.0f);
    }
}

static void encode(uint8_t *p, AudioSample sample, int32_t v)
{
    uint32_t bits = (uint32_t)v;
    float f;

    switch (sample) {
    case AUDIO_U8:
        p[0] = (uint8_t)(bits >> 24 ^ 0x80);
        break;
    case AUDIO_S8:
        p[0] = (uint8_t)(bits >> 24);
        break;
    case AUDIO_U16:
        store_le16(p, (uint16_t)(bits >> 16 ^ 0x8000));
        break;
    case AUDIO_S16:
        store_le16(p, (uint16_t)(bits >> 16));
        break;
    case AUDIO_U32:
        store_le32(p, bits ^ 0x80000000u);
        break;
    case AUDIO_S32:
        store_le32(p, bits);
        break;
    default:
        f = (float)v / 2147483648.0f;
        memcpy(&bits, &f, sizeof(f));
        store_le32(p, bits);
        break;
    }
}

void audio_decode(AudioFrame *out, const void *data, const AudioFormat *f, uint32_t n)
{
    const uint8_t *p = data;
    uint32_t bytes = sample_bytes[f->sample];

    for (uint32_t i = 0; i < n; i++) {
        out[i].l = decode(p, f->sample);
        p += bytes;
        out[i].r = out[i].l;
        if (f->channels == 2) {
            out[i].r = decode(p, f->sample);
            p += bytes;
        }
    }
}

void audio_encode(void *data, const AudioFrame *in, const AudioFormat *f, uint32_t n)
{
    uint8_t *p = data;
    uint32_t bytes = sample_bytes[f->sample];

    for (uint32_t i = 0; i < n; i++) {
        if (f->channels == 2) {
            encode(p, f->sample, in[i].l);
            encode(p + bytes, f->sample, in[i].r);
            p += 2 * bytes;
        } else {
            encode(p, f->sample, (int32_t)(((int64_t)in[i].l + in[i].r) / 2));
            p += bytes;
        }
    }
}

void audio_ring_init(AudioRing *r, uint32_t size)
{
    *r = (AudioRing){ .frames = g_new0(AudioFrame, size), .size = size };
}

void audio_ring_free(AudioRing *r)
{
    g_free(r->frames);
    *r = (AudioRing){ .size = 0 };
}

void audio_ring_put(AudioRing *r, const AudioFrame *in, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        r->frames[(r->head + r->count) % r->size] = in[i];
        r->count++;
    }
}

static int32_t clip(int64_t v)
{
    return (int32_t)(v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v);
}

static int64_t between(int32_t a, int32_t b, uint32_t part)
{
    return a + ((((int64_t)b - a) * (part >> 8)) >> 24);
}

uint32_t audio_ring_mix(AudioRing *r, uint32_t from, uint32_t to, AudioFrame *out, uint32_t n,
                        int vl, int vr)
{
    uint64_t step = ((uint64_t)from << 32) / to;
    uint32_t i;

    for (i = 0; i < n; i++) {
        const AudioFrame *a, *b;
        uint32_t whole;

        if (!r->count) {
            break;
        }
        a = &r->frames[r->head];
        b = r->count > 1 ? &r->frames[(r->head + 1) % r->size] : a;
        out[i].l = clip(out[i].l + (between(a->l, b->l, (uint32_t)r->pos) * vl >> 8));
        out[i].r = clip(out[i].r + (between(a->r, b->r, (uint32_t)r->pos) * vr >> 8));
        r->pos += step;
        whole = (uint32_t)(r->pos >> 32);
        if (whole > r->count) {
            whole = r->count;
        }
        r->head = (r->head + whole) % r->size;
        r->count -= whole;
        r->pos &= UINT32_MAX;
    }
    return i;
}
