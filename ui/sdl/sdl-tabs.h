/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bar with a tab for each console, below the picture. It is there if there is more than one console.
 * Coordinates are those of the picture; the bar's lines are below the console's.
 */
#ifndef UI_SDL_SDL_TABS_H
#define UI_SDL_SDL_TABS_H

#include <SDL.h>

#define SDL_TABS_HEIGHT 20

/* How many lines it has now: 0 or SDL_TABS_HEIGHT. */
int sdl_tabs_height(void);
/* At line @y, @width pixels; @shown: index of the console that is shown. */
void sdl_tabs_draw(SDL_Renderer *r, int y, int width, int shown);
/* The console whose tab is at @x; -1. */
int sdl_tabs_at(int x, int width);

#endif
