/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "config.h"
#ifdef CONFIG_SDL
#include <glib.h>
#include <SDL.h>
#include "ui/core/clipboard.h"
#include "ui/sdl/sdl-clipboard.h"

typedef struct SdlClipboard {
    ClipPeer peer;
    bool started;
    char *ours;                 /* what we have put there; NULL: it is somebody else's */
} SdlClipboard;

static SdlClipboard clip;       /* the desktop has one */

/* SDL has no way to be asked later: the text is fetched at once. */
static void changed(UNUSED ClipPeer *p, unsigned formats)
{
    if (formats & BIT(CLIP_TEXT)) {
        clipboard_want(CLIP_TEXT);
    }
}

static void arrived(UNUSED ClipPeer *p, ClipFormat format)
{
    gsize len;
    const char *text;

    if (format == CLIP_TEXT) {
        text = g_bytes_get_data(clipboard_data(CLIP_TEXT), &len);
        g_free(clip.ours);
        clip.ours = g_strndup(text ? text : "", len);
        SDL_SetClipboardText(clip.ours);
    }
}

static void wanted(ClipPeer *p, ClipFormat format)
{
    char *text = format == CLIP_TEXT ? SDL_GetClipboardText() : NULL;

    if (text) {
        if (g_utf8_validate(text, -1, NULL)) {
            clipboard_provide(p, CLIP_TEXT, text, strlen(text));
        }
        SDL_free(text);
    }
}

void sdl_clipboard_update(void)
{
    char *text = clip.started && SDL_HasClipboardText() ? SDL_GetClipboardText() : NULL;

    /* What we have put there comes back as news. */
    if (text && *text && g_strcmp0(text, clip.ours) != 0) {
        g_free(clip.ours);
        clip.ours = NULL;
        clipboard_claim(&clip.peer, BIT(CLIP_TEXT));
    }
    SDL_free(text);
}

void sdl_clipboard_start(void)
{
    clip.peer = (ClipPeer){ .name = "sdl", .changed = changed, .arrived = arrived, .wanted = wanted };
    clip.started = true;
    clipboard_add(&clip.peer);
    if (!clipboard_formats()) {
        sdl_clipboard_update();
    }
}

void sdl_clipboard_stop(void)
{
    if (clip.started) {
        clip.started = false;
        clipboard_remove(&clip.peer);
        g_free(clip.ours);
        clip.ours = NULL;
    }
}
#endif
