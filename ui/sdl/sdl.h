/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A window of the host's desktop, by SDL2. It shows one console at a time; with several, below it is a tab for each. Main thread, big lock.
 *
 * Keys with Ctrl and Alt (and what grab-mod says) held: f full screen, g grab, u the guest's size,
 * 1 to 9 that console.
 */
#ifndef UI_SDL_SDL_H
#define UI_SDL_SDL_H

#include "qobject/error.h"
#include "qobject/qobject.h"

/* -display sdl: "full-screen", "grab-mod" (lshift-lctrl-lalt, rctrl), "window-close",
 * "show-cursor", "gl" (off), "clipboard" (text with the desktop). False with errp set; also if this build is without SDL. */
bool sdl_open(const QDict *opts, Error **errp);
void sdl_close(void);

#endif
