/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sound: back ends (-audiodev), and the voices that devices open on them.
 *
 * Guest time drives everything: a timer of the virtual clock fires each period while a voice
 * is active, asks each voice for as much as it plays in that time, mixes, and hands
 * the result to the driver. A device thereby consumes its buffers at its own rate, whatever the
 * host's device does. Samples are mixed as stereo, 32 bits; rates are converted linearly.
 *
 * Big lock; drivers that have threads of their own see their ring only.
 */
#ifndef AUDIO_AUDIO_H
#define AUDIO_AUDIO_H

#include "qobject/error.h"

struct QDict;

typedef enum AudioSample { AUDIO_U8, AUDIO_S8, AUDIO_U16, AUDIO_S16, AUDIO_U32, AUDIO_S32,
                           AUDIO_F32, AUDIO_SAMPLE__MAX } AudioSample;
extern const char *const audio_sample_names[AUDIO_SAMPLE__MAX + 1];

typedef struct AudioFormat {
    uint32_t freq;              /* Hz, 1000 to 384000 */
    uint8_t channels;           /* 1 or 2 */
    AudioSample sample;         /* little endian */
} AudioFormat;
#define AUDIO_FREQ_MIN  1000
#define AUDIO_FREQ_MAX  384000
uint32_t audio_frame_bytes(const AudioFormat *f);

typedef struct AudioBackend AudioBackend;
typedef struct AudioOut AudioOut;
typedef struct AudioIn AudioIn;

/* A line for each driver, for -audiodev help. Freed with g_free(). */
char *audiodev_help(void);
/* -audiodev; "id", "driver", "in.*" and "out.*" as flat keys or nested objects. */
bool audiodev_add(const struct QDict *opts, Error **errp);
AudioBackend *audiodev_find(const char *id);    /* NULL */
/* The first one, or one made for the purpose that plays nothing. Never NULL. */
AudioBackend *audiodev_default(void);
/* Files are whole afterwards: at the program's end. */
void audio_close_all(void);
const char *audiodev_id(const AudioBackend *b);

/* @more asks for up to @bytes (whole frames): call audio_out_write() from it. Not active at first.
 * @b NULL: the default. @f is valid: within the limits above. */
AudioOut *audio_out_open(AudioBackend *b, const char *name, const AudioFormat *f,
                         void (*more)(void *opaque, uint32_t bytes), void *opaque);
void audio_out_close(AudioOut *v);              /* NULL is allowed */
/* A change drops what is buffered. */
void audio_out_set_format(AudioOut *v, const AudioFormat *f);
void audio_out_set_active(AudioOut *v, bool active);
/* 255 is full. */
void audio_out_set_volume(AudioOut *v, bool mute, uint8_t left, uint8_t right);
/* Bytes taken, whole frames. */
uint32_t audio_out_write(AudioOut *v, const void *data, uint32_t bytes);

/* The same for recording: @there says how much audio_in_read() would give. */
AudioIn *audio_in_open(AudioBackend *b, const char *name, const AudioFormat *f,
                       void (*there)(void *opaque, uint32_t bytes), void *opaque);
void audio_in_close(AudioIn *v);
void audio_in_set_format(AudioIn *v, const AudioFormat *f);
void audio_in_set_active(AudioIn *v, bool active);
uint32_t audio_in_read(AudioIn *v, void *data, uint32_t bytes);

/* --- listening to what is played --- */
typedef struct AudioCapture AudioCapture;
/* @playing tells when sound begins and ends, @data brings it in @f; neither may add or remove
 * captures of others. */
AudioCapture *audio_capture_add(AudioBackend *b, const AudioFormat *f,
                                void (*playing)(void *opaque, bool on),
                                void (*data)(void *opaque, const void *data, uint32_t bytes),
                                void *opaque);
void audio_capture_remove(AudioCapture *c);     /* NULL is allowed */

#endif
