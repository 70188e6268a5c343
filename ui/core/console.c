/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include "qom/object.h"
#include "ui/core/console.h"

static Console *consoles;           /* registry */

/* @pixels NULL: of its own. */
static void new_surface(Console *c, int width, int height, void *pixels, size_t stride)
{
    pixman_image_t *old = c->surface;
    bool resized = !old || console_width(c) != width || console_height(c) != height;

    c->surface = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height, pixels, (int)stride);
    c->pixels = (uint8_t *)pixman_image_get_data(c->surface);
    c->stride = pixman_image_get_stride(c->surface);
    c->lent = pixels;
    for (ConsoleListener *l = resized ? c->listeners : NULL; l; l = l->next) {
        if (l->resized) {
            l->resized(l);
        }
    }
    if (old) {
        pixman_image_unref(old);
    }
    console_damage(c, 0, 0, width, height);
}

static void number_all(void)
{
    int i = 0;

    for (Console *c = consoles; c; c = c->next) {
        c->index = i++;
    }
}

bool console_key(Console *c, uint32_t keysym, bool ctrl, bool down)
{
    if (!c || !c->ops->key) {
        return false;
    }
    if (down) {
        c->ops->key(c->opaque, keysym, ctrl);
    }
    return true;
}

Console *console_new(Object *device, int head, const ConsoleOps *ops, void *opaque)
{
    Console *c = g_new0(Console, 1), **pp = &consoles;

    while (*pp && (!(*pp)->ops->key || ops->key)) {
        pp = &(*pp)->next;
    }
    c->next = *pp;
    c->device = device;
    c->head = head;
    c->ops = ops;
    c->opaque = opaque;
    new_surface(c, 640, 480, NULL, 0);
    *pp = c;
    number_all();
    return c;
}

void console_free(Console *c)
{
    if (!c) {
        return;
    }
    for (Console **pp = &consoles; *pp; pp = &(*pp)->next) {
        if (*pp == c) {
            *pp = c->next;
            break;
        }
    }
    while (c->listeners) {
        console_unlisten(c->listeners);
    }
    pixman_image_unref(c->surface);
    g_free(c->cursor);
    g_free(c);
}

void console_set_size(Console *c, int width, int height)
{
    width = MAX(1, MIN(width, CONSOLE_MAX_WIDTH));
    height = MAX(1, MIN(height, CONSOLE_MAX_HEIGHT));
    if (c->lent || width != console_width(c) || height != console_height(c)) {
        new_surface(c, width, height, NULL, 0);
    }
}

void console_lend(Console *c, void *pixels, int width, int height, size_t stride)
{
    assert(width > 0 && height > 0 && width <= CONSOLE_MAX_WIDTH && height <= CONSOLE_MAX_HEIGHT &&
           stride % 4 == 0 && stride >= 4 * (size_t)width);
    if (c->pixels != pixels || width != console_width(c) || height != console_height(c) || c->stride != stride) {
        new_surface(c, width, height, pixels, stride);
    }
}

void console_damage(Console *c, int x, int y, int w, int h)
{
    int x1 = MIN(x + w, console_width(c)), y1 = MIN(y + h, console_height(c));

    x = MAX(x, 0);
    y = MAX(y, 0);
    if (x >= x1 || y >= y1) {
        return;
    }
    for (ConsoleListener *l = c->listeners; l; l = l->next) {
        if (l->changed) {
            l->changed(l, x, y, x1 - x, y1 - y);
        }
    }
}

void console_define_cursor(Console *c, int width, int height, int hot_x, int hot_y,
                           const uint32_t *argb)
{
    g_free(c->cursor);
    c->cursor = NULL;
    if (width > 0 && height > 0 && width <= CONSOLE_CURSOR_MAX && height <= CONSOLE_CURSOR_MAX) {
        size_t bytes = 4 * (size_t)width * height;

        c->cursor = g_malloc(sizeof(ConsoleCursor) + bytes);
        *c->cursor = (ConsoleCursor){ width, height, MAX(0, MIN(hot_x, width - 1)),
                                      MAX(0, MIN(hot_y, height - 1)) };
        memcpy(c->cursor->argb, argb, bytes);
    }
    for (ConsoleListener *l = c->listeners; l; l = l->next) {
        if (l->cursor_defined) {
            l->cursor_defined(l);
        }
    }
}

void console_move_cursor(Console *c, int x, int y, bool visible)
{
    if (x == c->cursor_x && y == c->cursor_y && visible == c->cursor_visible) {
        return;
    }
    c->cursor_x = x;
    c->cursor_y = y;
    c->cursor_visible = visible;
    for (ConsoleListener *l = c->listeners; l; l = l->next) {
        if (l->cursor_moved) {
            l->cursor_moved(l, x, y, visible);
        }
    }
}

Console *console_by_index(int index)
{
    for (Console *c = consoles; c; c = c->next) {
        if (c->index == index) {
            return c;
        }
    }
    return NULL;
}

Console *console_find(const char *device, int head, Error **errp)
{
    Object *o = device ? object_resolve_path(device, NULL) : NULL;

    if (device && !o) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_DEVICE,
                        "there is no device '%s'", device);
        return NULL;
    }
    for (Console *c = consoles; c; c = c->next) {
        if ((!o || c->device == o) && (head < 0 || c->head == head)) {
            return c;
        }
    }
    if (device) {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "device '%s' has no console (head %d)", device,
                   MAX(head, 0));
    } else {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "the machine has no display");
    }
    return NULL;
}

void console_listen(Console *c, ConsoleListener *l)
{
    l->console = c;
    l->next = c->listeners;
    c->listeners = l;
}

void console_unlisten(ConsoleListener *l)
{
    if (!l->console) {
        return;
    }
    for (ConsoleListener **pp = &l->console->listeners; *pp; pp = &(*pp)->next) {
        if (*pp == l) {
            *pp = l->next;
            break;
        }
    }
    l->console = NULL;
}

void console_refresh(Console *c)
{
    if (c->ops->update && !c->refreshing) {
        c->refreshing = true;
        c->ops->update(c->opaque);
        c->refreshing = false;
    }
}

void console_invalidate(Console *c)
{
    if (c->ops->invalidate) {
        c->ops->invalidate(c->opaque);
    }
}
