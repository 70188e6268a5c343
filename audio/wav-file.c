/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "audio/wav-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>
#include "util/bswap.h"

#define HEADER_BYTES    44
#define FORMAT_PCM      1
#define FORMAT_FLOAT    3
#define DATA_MAX        (UINT32_MAX - HEADER_BYTES)

void wav_file_sync(WavFile *s)
{
    const AudioFormat *f = &s->format;
    uint32_t frame = audio_frame_bytes(f);
    uint8_t h[HEADER_BYTES];

    memcpy(h, "RIFF", 4);
    store_le32(h + 4, (uint32_t)s->bytes + HEADER_BYTES - 8);
    memcpy(h + 8, "WAVEfmt ", 8);
    store_le32(h + 16, 16);
    store_le16(h + 20, f->sample == AUDIO_F32 ? FORMAT_FLOAT : FORMAT_PCM);
    store_le16(h + 22, f->channels);
    store_le32(h + 24, f->freq);
    store_le32(h + 28, f->freq * frame);
    store_le16(h + 32, (uint16_t)frame);
    store_le16(h + 34, (uint16_t)(frame / f->channels * 8));
    memcpy(h + 36, "data", 4);
    store_le32(h + 40, (uint32_t)s->bytes);
    if (pwrite(s->fd, h, sizeof(h), 0) != (ssize_t)sizeof(h)) {
        s->failed = true;
    }
    s->told = s->bytes;
}

void wav_file_adjust(AudioFormat *f)
{
    switch (f->sample) {
    case AUDIO_S8:
        f->sample = AUDIO_U8;
        break;
    case AUDIO_U16:
        f->sample = AUDIO_S16;
        break;
    case AUDIO_U32:
        f->sample = AUDIO_S32;
        break;
    default:
        break;
    }
}

bool wav_file_open(WavFile *w, const char *path, const AudioFormat *f, Error **errp)
{
    *w = (WavFile){ .format = *f };
    w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        error_setf(errp, ERR_HOST, "can't write the sound file '%s': %s", path, g_strerror(errno));
        return false;
    }
    wav_file_sync(w);
    return true;
}

void wav_file_write(WavFile *w, const void *data, uint32_t bytes)
{
    if (w->failed || w->bytes + bytes > DATA_MAX) {
        return;
    }
    if (pwrite(w->fd, data, bytes, (off_t)(HEADER_BYTES + w->bytes)) != (ssize_t)bytes) {
        w->failed = true;               /* the disk is full: what is there stays */
        return;
    }
    w->bytes += bytes;
    if (w->bytes - w->told >= w->format.freq * audio_frame_bytes(&w->format)) {
        wav_file_sync(w);
    }
}

void wav_file_close(WavFile *w)
{
    wav_file_sync(w);
    close(w->fd);
}
