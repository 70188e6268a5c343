/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recording into a file what a back end plays, for the monitor's wavcapture. Big lock. */
#ifndef AUDIO_WAV_CAPTURE_H
#define AUDIO_WAV_CAPTURE_H

#include "audio/wav-file.h"

typedef struct WavCapture {
    WavFile file;
    char *path;                 /* owned */
    const AudioBackend *backend;
    AudioCapture *capture;
    struct WavCapture *next;
} WavCapture;

enum { WAV_CAPTURES_MAX = 16 };

/* @audiodev NULL: the first one. @bits: 8 or 16. */
bool wav_capture_start(const char *path, const char *audiodev, int64_t freq, int64_t bits, int64_t channels,
                       Error **errp);
/* By its place in the list, from 0. */
bool wav_capture_stop(int64_t index, Error **errp);
/* The oldest; the others follow by ->next. */
const WavCapture *wav_capture_first(void);

#endif
