/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From SDL's scan codes to the numbers of ui/core/input.h. */
#ifndef UI_SDL_SDL_KEYS_H
#define UI_SDL_SDL_KEYS_H

/* 0: no key of a PC. */
unsigned sdl_key_number(unsigned scancode);

#endif
