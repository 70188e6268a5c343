/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sound to SDL2's default device, by its queue; recording gives silence. */
#include "util/osdep.h"
#include "config.h"

#ifdef CONFIG_SDL
#include "audio/audio-int.h"
#include "util/lazy-lib.h"

#include <SDL.h>

#define QUEUE_MS    200         /* more than this ahead is dropped */

typedef struct SdlState {
    SDL_AudioDeviceID dev;
} SdlState;

static bool sdl_open(AudioBackend *b, UNUSED const QDict *opts, Error **errp)
{
    SdlState *s = b->state;
    const char *missing = lazy_lib_load("libSDL2-");
    SDL_AudioSpec want = { .freq = (int)b->out.format.freq, .channels = b->out.format.channels,
                           .format = AUDIO_S16LSB, .samples = 1024 };

    b->out.format.sample = AUDIO_S16;
    if (missing) {
        error_setf(errp, ERR_HOST, "SDL has no sound: %s", missing);
        return false;
    }
    if (SDL_InitSubSystem(SDL_INIT_AUDIO) != 0) {
        error_setf(errp, ERR_HOST, "SDL has no sound: %s", SDL_GetError());
        return false;
    }
    s->dev = SDL_OpenAudioDevice(NULL, 0, &want, NULL, 0);
    if (!s->dev) {
        error_setf(errp, ERR_HOST, "SDL can't open its sound device: %s", SDL_GetError());
        SDL_QuitSubSystem(SDL_INIT_AUDIO);
        return false;
    }
    return true;
}

static void sdl_close(AudioBackend *b)
{
    SDL_CloseAudioDevice(((SdlState *)b->state)->dev);
    SDL_QuitSubSystem(SDL_INIT_AUDIO);
}

static void sdl_write(AudioBackend *b, const void *data, uint32_t frames)
{
    SdlState *s = b->state;
    uint32_t frame = audio_frame_bytes(&b->out.format);
    uint32_t limit = b->out.format.freq / 1000 * QUEUE_MS * frame;

    if (SDL_GetQueuedAudioSize(s->dev) < limit) {
        SDL_QueueAudio(s->dev, data, frames * frame);
    }
}

static void sdl_enable(AudioBackend *b, bool on)
{
    SDL_PauseAudioDevice(((SdlState *)b->state)->dev, !on);
}

static const char *const options[] = { "in.buffer-count", "out.buffer-count", NULL };
static AudioDriver driver_sdl = {
    .name = "sdl", .options = options, .state_size = sizeof(SdlState), .open = sdl_open,
    .close = sdl_close, .write = sdl_write, .enable = sdl_enable,
};

CONSTRUCTOR static void register_sdl(void)
{
    audio_driver_register(&driver_sdl);
}
#endif
