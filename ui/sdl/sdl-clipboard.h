/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The desktop's clipboard as a peer of the guest's (ui/core/clipboard.h): text. SDL's video has been started. */
#ifndef UI_SDL_SDL_CLIPBOARD_H
#define UI_SDL_SDL_CLIPBOARD_H

void sdl_clipboard_start(void);
/* SDL_CLIPBOARDUPDATE has come. */
void sdl_clipboard_update(void);
void sdl_clipboard_stop(void);

#endif
