/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Consoles: the screens of the machine's display devices, and who watches them.
 *
 * A display device makes a Console and paints into its surface, a pixman
 * image; displays (VNC, a window) are listeners, told which rectangles changed.
 * A console paints only when somebody asks: console_refresh() has the device bring
 * the surface up to date, and then every listener knows what changed. Big lock.
 */
#ifndef UI_CORE_CONSOLE_H
#define UI_CORE_CONSOLE_H

#include <pixman.h>
#include "qobject/error.h"

struct Object;
typedef struct Console Console;
typedef struct ConsoleListener ConsoleListener;

/* The shape of the pointer that the display device draws apart from the surface. */
#define CONSOLE_CURSOR_MAX  256         /* pixels a side */
typedef struct ConsoleCursor {
    int width, height, hot_x, hot_y;
    uint32_t argb[];                    /* in host order; not premultiplied */
} ConsoleCursor;

#define CONSOLE_MAX_WIDTH   16384
#define CONSOLE_MAX_HEIGHT  16384

/* What the display device does; any may be NULL. */
typedef struct ConsoleOps {
    /* Paint what changed since the last call, with console_damage() for each part. */
    void (*update)(void *opaque);
    /* Consider everything changed. */
    void (*invalidate)(void *opaque);
    /* A user asks for another size (a window was resized). */
    void (*resize)(void *opaque, int width, int height);
    /* A screen of text, which takes keys itself: one was pressed (keysyms.h). NULL: keys are the guest's. */
    void (*key)(void *opaque, uint32_t keysym, bool ctrl);
    /* What is written on a screen of text: @columns * @rows characters of Unicode, the caller's (g_free). NULL: it is a picture. */
    uint32_t *(*text)(void *opaque, int *columns, int *rows);
} ConsoleOps;

struct Console {
    int index;
    struct Object *device;          /* borrowed */
    int head;
    const ConsoleOps *ops;
    void *opaque;
    pixman_image_t *surface;        /* owned; x8r8g8b8; never NULL */
    uint8_t *pixels;                /* of the surface */
    size_t stride;
    bool lent;                      /* they are the device's memory, see console_lend() */
    ConsoleCursor *cursor;          /* owned; NULL: the guest has none of its own */
    int cursor_x, cursor_y;         /* its hot spot */
    bool cursor_visible;
    ConsoleListener *listeners;
    Console *next;
    bool refreshing;
};

struct ConsoleListener {
    /* Any may be NULL. */
    void (*changed)(ConsoleListener *l, int x, int y, int w, int h);
    void (*resized)(ConsoleListener *l);    /* a surface of another size: look at console->surface */
    void (*cursor_moved)(ConsoleListener *l, int x, int y, bool visible);
    void (*cursor_defined)(ConsoleListener *l);     /* look at console->cursor */
    Console *console;
    ConsoleListener *next;
};

/* --- display devices --- */
/* With a surface of 640x480, black. Screens of text (ops->key) come behind the others. Lives as long as the device (console_free in unrealize). */
Console *console_new(struct Object *device, int head, const ConsoleOps *ops, void *opaque);
void console_free(Console *c);
/* A new surface of that size; does nothing if it has one already that isn't lent. Sizes out of
 * range are cut. Everything counts as changed. */
void console_set_size(Console *c, int width, int height);
/* The device's memory becomes the surface, until console_set_size() or another place is lent: pixels as
 * console_line() has them, but with anything in their top byte. Nothing is painted then; the device still tells
 * what has changed, after it did. Who looks must bear that pixels change meanwhile. */
void console_lend(Console *c, void *pixels, int width, int height, size_t stride);
void console_damage(Console *c, int x, int y, int w, int h);
/* Another shape, copied; @argb as in ConsoleCursor. Sizes out of range: no shape. */
void console_define_cursor(Console *c, int width, int height, int hot_x, int hot_y,
                           const uint32_t *argb);
void console_move_cursor(Console *c, int x, int y, bool visible);

static inline int console_width(const Console *c) { return pixman_image_get_width(c->surface); }
static inline int console_height(const Console *c) { return pixman_image_get_height(c->surface); }
/* First pixel of a line: 0x00RRGGBB in host order. */
static inline uint32_t *console_line(const Console *c, int y)
{
    return (uint32_t *)(c->pixels + (size_t)y * c->stride);
}

/* --- displays --- */
/* NULL if there is no such console. */
Console *console_by_index(int index);
/* @device: id or path, or NULL for the first console; NULL with errp set. */
Console *console_find(const char *device, int head, Error **errp);
/* A key for @c itself: false if it is the guest's. */
bool console_key(Console *c, uint32_t keysym, bool ctrl, bool down);
void console_listen(Console *c, ConsoleListener *l);
void console_unlisten(ConsoleListener *l);
/* Bring the surface up to date; listeners are told. */
void console_refresh(Console *c);
void console_invalidate(Console *c);

/* Write the surface to @path; "ppm" or "png". */
bool console_dump(Console *c, const char *path, bool png, Error **errp);

/* What -display was given, for query-display-options; NULL: nothing. Copied. */
struct QDict;
void console_set_display_options(const struct QDict *opts);

#endif
