/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sound into a RIFF WAVE file: what is played while some voice is active, without the pauses.
 *
 * Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0".
 * The header's lengths are brought up to date about every second, so that the file is whole even
 * if the program ends suddenly.
 */
#include "util/osdep.h"
#include "audio/audio-int.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>
#include "util/bswap.h"

#define HEADER_BYTES    44
#define FORMAT_PCM      1
#define FORMAT_FLOAT    3
#define DATA_MAX        (UINT32_MAX - HEADER_BYTES)

typedef struct WavState {
    int fd;
    uint64_t bytes, told;       /* written; in the header */
    bool failed;
} WavState;

static void put_header(AudioBackend *b)
{
    WavState *s = b->state;
    const AudioFormat *f = &b->out.format;
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

static bool wav_open(AudioBackend *b, const QDict *opts, Error **errp)
{
    WavState *s = b->state;
    const char *path = qdict_str_or(opts, "path", "qemu.wav");

    /* The file format has 8 bits unsigned and the others signed. */
    switch (b->out.format.sample) {
    case AUDIO_S8:
        b->out.format.sample = AUDIO_U8;
        break;
    case AUDIO_U16:
        b->out.format.sample = AUDIO_S16;
        break;
    case AUDIO_U32:
        b->out.format.sample = AUDIO_S32;
        break;
    default:
        break;
    }
    s->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (s->fd < 0) {
        error_setf(errp, ERR_HOST, "can't write the sound file '%s': %s", path, g_strerror(errno));
        return false;
    }
    put_header(b);
    return true;
}

static void wav_close(AudioBackend *b)
{
    WavState *s = b->state;

    put_header(b);
    close(s->fd);
}

static void wav_write(AudioBackend *b, const void *data, uint32_t frames)
{
    WavState *s = b->state;
    uint32_t frame = audio_frame_bytes(&b->out.format), bytes = frames * frame;

    if (s->failed || s->bytes + bytes > DATA_MAX) {
        return;
    }
    if (pwrite(s->fd, data, bytes, (off_t)(HEADER_BYTES + s->bytes)) != (ssize_t)bytes) {
        s->failed = true;               /* the disk is full: what is there stays */
        return;
    }
    s->bytes += bytes;
    if (s->bytes - s->told >= b->out.format.freq * frame) {
        put_header(b);
    }
}

static void wav_enable(AudioBackend *b, bool on)
{
    if (!on) {
        put_header(b);
    }
}

static const char *const options[] = { "path", NULL };
static AudioDriver driver_wav = {
    .name = "wav", .options = options, .state_size = sizeof(WavState), .open = wav_open,
    .close = wav_close, .write = wav_write, .enable = wav_enable,
};

CONSTRUCTOR static void register_wav(void)
{
    audio_driver_register(&driver_wav);
}
