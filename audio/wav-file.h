/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RIFF WAVE files.
 * Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0".
 * The header's lengths are brought up to date about every second, so that the file is whole even
 * if the program ends suddenly. Big lock.
 */
#ifndef AUDIO_WAV_FILE_H
#define AUDIO_WAV_FILE_H

#include "audio/audio.h"

typedef struct WavFile {
    AudioFormat format;
    int fd;
    uint64_t bytes, told;       /* written; in the header */
    bool failed;
} WavFile;

/* The samples become such as the format has: 8 bits unsigned and the others signed. */
void wav_file_adjust(AudioFormat *f);
/* @f is adjusted. */
bool wav_file_open(WavFile *w, const char *path, const AudioFormat *f, Error **errp);
/* Whole frames. What doesn't fit, on the disk or in 4 GiB, is dropped. */
void wav_file_write(WavFile *w, const void *data, uint32_t bytes);
void wav_file_sync(WavFile *w);
void wav_file_close(WavFile *w);

#endif
