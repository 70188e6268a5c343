/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "config.h"
#ifdef CONFIG_SDL
#include "qom/object.h"
#include "ui/core/console.h"
#include "ui/sdl/sdl-tabs.h"
#include "ui/vc/font.h"

#define TAB_WIDTH   160             /* or less, that all are seen */

enum { DARK = 0x303030, LIGHT = 0xd8d8d8, LINE = 0x606060 };

static int count(void)
{
    int n = 0;

    while (console_by_index(n)) {
        n++;
    }
    return n;
}

int sdl_tabs_height(void)
{
    return count() > 1 ? SDL_TABS_HEIGHT : 0;
}

static int tab_width(int width)
{
    return MAX(1, MIN(TAB_WIDTH, width / MAX(1, count())));
}

int sdl_tabs_at(int x, int width)
{
    int i = x / tab_width(width);

    return x >= 0 && i < count() ? i : -1;
}

static void color(SDL_Renderer *r, uint32_t c)
{
    SDL_SetRenderDrawColor(r, c >> 16, c >> 8 & 255, c & 255, 255);
}

/* Without a font: numbers by as many dots. */
static void dots(SDL_Renderer *r, int x, int y, int n)
{
    for (int i = 0; i < n; i++) {
        SDL_Rect dot = { x + 6 * i, y + SDL_TABS_HEIGHT / 2 - 2, 4, 4 };

        SDL_RenderFillRect(r, &dot);
    }
}

static void label(SDL_Renderer *r, int x, int y, int width, const char *text)
{
    const VcFont *f = vc_font(NULL);

    for (; f && *text && (int)f->width <= width; text++, x += f->width, width -= f->width) {
        const uint8_t *glyph = vc_font_glyph(f, (uint8_t)*text);

        for (unsigned row = 0; row < MIN(f->height, (unsigned)SDL_TABS_HEIGHT - 2); row++) {
            for (unsigned i = 0; i < f->width; i++) {
                if (glyph[row * f->row_bytes + i / 8] & 0x80 >> i % 8) {
                    SDL_RenderDrawPoint(r, x + i, y + 2 + row);
                }
            }
        }
    }
}

void sdl_tabs_draw(SDL_Renderer *r, int y, int width, int shown)
{
    SDL_Rect bar = { 0, y, width, SDL_TABS_HEIGHT };
    int wide = tab_width(width), n = count();

    color(r, DARK);
    SDL_RenderFillRect(r, &bar);
    for (int i = 0; i < n; i++) {
        const Console *con = console_by_index(i);
        SDL_Rect tab = { i * wide + 1, y + 1, wide - 2, SDL_TABS_HEIGHT - 1 };
        char text[64];

        color(r, i == shown ? LIGHT : LINE);
        SDL_RenderFillRect(r, &tab);
        color(r, i == shown ? DARK : LIGHT);
        snprintf(text, sizeof(text), "%d %s", i + 1, con->device ? object_type_name(con->device) : "text");
        if (vc_font(NULL)) {
            label(r, tab.x + 4, y, tab.w - 8, text);
        } else {
            dots(r, tab.x + 4, y, i + 1);
        }
    }
}
#endif
