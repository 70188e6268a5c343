/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "config.h"
#include "ui/sdl/sdl.h"
#ifdef CONFIG_SDL
#include <glib.h>
#include <SDL.h>
#include "hw/core/runstate.h"
#include "ui/core/console.h"
#include "ui/core/input.h"
#include "ui/core/keysyms.h"
#include "ui/sdl/sdl-clipboard.h"
#include "ui/sdl/sdl-keys.h"
#include "ui/sdl/sdl-tabs.h"
#include "util/lazy-lib.h"
#include "util/timer.h"

#define TICK_NS         (16 * NS_PER_MS)

typedef struct SdlDisplay {
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *texture;
    ConsoleListener listener;
    Timer tick;
    int bar;                    /* lines of the bar of tabs below the picture */
    bool grabbed, full_screen, close_ends, show_cursor, clipboard;
    SDL_Keymod grab_mod;        /* all of these */
    bool hot;                   /* they are held: the next key is ours */
    bool damaged;
    char shown[96];             /* the title as it is */
} SdlDisplay;

static SdlDisplay *display;     /* the one window */

/* --- picture --- */

static void changed(ConsoleListener *l, int x, int y, int w, int h)
{
    SdlDisplay *d = container_of(l, SdlDisplay, listener);
    SDL_Rect r = { x, y, w, h };

    SDL_UpdateTexture(d->texture, &r, console_line(l->console, y) + x,
                      pixman_image_get_stride(l->console->surface));
    d->damaged = true;
}

static void new_texture(SdlDisplay *d)
{
    int w = console_width(d->listener.console), h = console_height(d->listener.console);

    if (d->texture) {
        SDL_DestroyTexture(d->texture);
    }
    d->texture = SDL_CreateTexture(d->renderer, SDL_PIXELFORMAT_RGB888,
                                   SDL_TEXTUREACCESS_STREAMING, w, h);
    d->bar = d->full_screen ? 0 : sdl_tabs_height();
    SDL_RenderSetLogicalSize(d->renderer, w, h + d->bar);       /* scaled, with black beside it */
    changed(&d->listener, 0, 0, w, h);
}

static void natural_size(SdlDisplay *d)
{
    SDL_SetWindowSize(d->window, console_width(d->listener.console),
                      console_height(d->listener.console) + d->bar);
}

static void resized(ConsoleListener *l)
{
    SdlDisplay *d = container_of(l, SdlDisplay, listener);

    new_texture(d);
    if (!d->full_screen) {
        natural_size(d);
    }
}

static void draw(SdlDisplay *d)
{
    const Console *con = d->listener.console;
    SDL_Rect picture = { 0, 0, console_width(con), console_height(con) };

    SDL_SetRenderDrawColor(d->renderer, 0, 0, 0, 255);
    SDL_RenderClear(d->renderer);
    SDL_RenderCopy(d->renderer, d->texture, NULL, &picture);
    if (d->bar) {
        sdl_tabs_draw(d->renderer, picture.h, picture.w, con->index);
    }
    SDL_RenderPresent(d->renderer);
    d->damaged = false;
}

static void set_title(SdlDisplay *d)
{
    char text[sizeof(d->shown)];

    snprintf(text, sizeof(text), "QEMU%s%s%s", runstate_is_running() ? "" : " [Paused]",
             d->listener.console->index ? " - another console" : "",
             d->grabbed ? " - Press Ctrl+Alt+G to release the pointer" : "");
    if (strcmp(text, d->shown) != 0) {
        strcpy(d->shown, text);
        SDL_SetWindowTitle(d->window, text);
    }
}

/* --- grabbing --- */

static bool absolute(void)
{
    InputHandler *h = input_pointer();

    return h && h->absolute;
}

static void grab(SdlDisplay *d, bool on)
{
    d->grabbed = on;
    SDL_SetWindowGrab(d->window, on);
    SDL_SetRelativeMouseMode(on && !absolute());
}

static void set_full_screen(SdlDisplay *d, bool on)
{
    d->full_screen = on;
    SDL_SetWindowFullscreen(d->window, on ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
    new_texture(d);
    if (on) {
        grab(d, true);
    } else {
        natural_size(d);
    }
}

static void show_console(SdlDisplay *d, int index)
{
    Console *con = console_by_index(index);

    if (con && con != d->listener.console) {
        input_release_keys();
        console_unlisten(&d->listener);
        console_listen(con, &d->listener);
        resized(&d->listener);
        console_invalidate(con);
    }
}

/* --- events --- */

static bool hot_key(SdlDisplay *d, const SDL_KeyboardEvent *e)
{
    /* As they were at the event: it may have waited in the queue. */
    if ((e->keysym.mod & d->grab_mod) != d->grab_mod || e->repeat) {
        return false;
    }
    switch (e->keysym.scancode) {
    case SDL_SCANCODE_F:
        set_full_screen(d, !d->full_screen);
        return true;
    case SDL_SCANCODE_G:
        grab(d, !d->grabbed);
        return true;
    case SDL_SCANCODE_U:
        natural_size(d);
        return true;
    default:
        if (e->keysym.scancode >= SDL_SCANCODE_1 && e->keysym.scancode <= SDL_SCANCODE_9) {
            show_console(d, e->keysym.scancode - SDL_SCANCODE_1);
            return true;
        }
        return false;
    }
}

/* Keys of a screen of text; what they write comes as SDL_TEXTINPUT. False: the guest's. */
static bool text_key(SdlDisplay *d, const SDL_KeyboardEvent *e)
{
    static const struct { SDL_Keycode code; uint32_t keysym; } keys[] = {
        { SDLK_BACKSPACE, KEYSYM_BACKSPACE }, { SDLK_TAB, KEYSYM_TAB }, { SDLK_RETURN, KEYSYM_RETURN },
        { SDLK_KP_ENTER, KEYSYM_KP_ENTER }, { SDLK_ESCAPE, KEYSYM_ESCAPE }, { SDLK_DELETE, KEYSYM_DELETE },
        { SDLK_INSERT, KEYSYM_INSERT }, { SDLK_HOME, KEYSYM_HOME }, { SDLK_END, KEYSYM_END },
        { SDLK_UP, KEYSYM_UP }, { SDLK_DOWN, KEYSYM_DOWN }, { SDLK_LEFT, KEYSYM_LEFT },
        { SDLK_RIGHT, KEYSYM_RIGHT }, { SDLK_PAGEUP, KEYSYM_PAGE_UP }, { SDLK_PAGEDOWN, KEYSYM_PAGE_DOWN },
    };
    Console *con = d->listener.console;
    bool ctrl = e->keysym.mod & KMOD_CTRL;

    if (!con || !con->ops->key) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].code == e->keysym.sym) {
            return console_key(con, keys[i].keysym, ctrl, e->type == SDL_KEYDOWN);
        }
    }
    if (ctrl && e->keysym.sym >= 'a' && e->keysym.sym <= 'z') {
        console_key(con, (uint32_t)e->keysym.sym, true, e->type == SDL_KEYDOWN);
    }
    return true;
}

static void text_input(SdlDisplay *d, const char *text)
{
    for (; *text && g_utf8_validate(text, -1, NULL); text = g_utf8_next_char(text)) {
        console_key(d->listener.console, g_utf8_get_char(text), false, true);
    }
}

static void key(SdlDisplay *d, const SDL_KeyboardEvent *e)
{
    unsigned number = sdl_key_number(e->keysym.scancode);
    bool down = e->type == SDL_KEYDOWN;

    if (down && hot_key(d, e)) {
        input_release_keys();           /* the guest has seen the modifiers go down */
        d->hot = true;
    } else if (d->hot && !down) {
        d->hot = e->keysym.mod & d->grab_mod;
    } else if (text_key(d, e)) {
        return;
    } else if (number) {
        input_key(number, down);
        input_sync();
    }
}

static bool on_bar(const SdlDisplay *d, int y)
{
    return !d->grabbed && d->bar && y >= console_height(d->listener.console);
}

static void motion(SdlDisplay *d, const SDL_MouseMotionEvent *e)
{
    int w = console_width(d->listener.console), h = console_height(d->listener.console);

    if (on_bar(d, e->y)) {
        return;
    }
    if (absolute()) {
        input_abs(MAX(0, MIN(e->x, w - 1)) * INPUT_ABS_MAX / MAX(1, w - 1),
                  MAX(0, MIN(e->y, h - 1)) * INPUT_ABS_MAX / MAX(1, h - 1));
    } else if (d->grabbed) {
        input_rel(e->xrel, e->yrel);
    } else {
        return;
    }
    input_sync();
}

static void button(SdlDisplay *d, const SDL_MouseButtonEvent *e)
{
    static const InputButton names[] = {
        [SDL_BUTTON_LEFT] = INPUT_BUTTON_LEFT, [SDL_BUTTON_MIDDLE] = INPUT_BUTTON_MIDDLE,
        [SDL_BUTTON_RIGHT] = INPUT_BUTTON_RIGHT, [SDL_BUTTON_X1] = INPUT_BUTTON_SIDE,
        [SDL_BUTTON_X2] = INPUT_BUTTON_EXTRA,
    };

    if (on_bar(d, e->y)) {
        if (e->type == SDL_MOUSEBUTTONDOWN) {
            show_console(d, sdl_tabs_at(e->x, console_width(d->listener.console)));
        } else if (e->button >= SDL_BUTTON_LEFT && e->button <= SDL_BUTTON_X2) {
            input_button(names[e->button], false);      /* pressed in the picture */
            input_sync();
        }
    } else if (!d->grabbed && !absolute()) {
        if (e->type == SDL_MOUSEBUTTONDOWN && e->button == SDL_BUTTON_LEFT) {
            grab(d, true);
        }
    } else if (e->button >= SDL_BUTTON_LEFT && e->button <= SDL_BUTTON_X2) {
        input_button(names[e->button], e->type == SDL_MOUSEBUTTONDOWN);
        input_sync();
    }
}

static void wheel(const SDL_MouseWheelEvent *e)
{
    InputButton b = e->y > 0 ? INPUT_BUTTON_WHEEL_UP : e->y < 0 ? INPUT_BUTTON_WHEEL_DOWN
                  : e->x > 0 ? INPUT_BUTTON_WHEEL_RIGHT : INPUT_BUTTON_WHEEL_LEFT;

    input_button(b, true);
    input_sync();
    input_button(b, false);
    input_sync();
}

static void window_event(SdlDisplay *d, const SDL_WindowEvent *e)
{
    switch (e->event) {
    case SDL_WINDOWEVENT_FOCUS_LOST:
        input_release_keys();
        if (d->grabbed) {
            grab(d, false);
        }
        break;
    case SDL_WINDOWEVENT_FOCUS_GAINED:
    case SDL_WINDOWEVENT_ENTER:         /* not every SDL tells of another program's copying */
        sdl_clipboard_update();
        break;
    case SDL_WINDOWEVENT_EXPOSED:
    case SDL_WINDOWEVENT_SIZE_CHANGED:
        d->damaged = true;
        break;
    case SDL_WINDOWEVENT_CLOSE:
        if (d->close_ends) {
            system_shutdown_request(SHUTDOWN_CAUSE_HOST_UI);
        }
        break;
    default:
        break;
    }
}

static void handle(SdlDisplay *d, const SDL_Event *e)
{
    switch (e->type) {
    case SDL_KEYDOWN:
    case SDL_KEYUP:
        key(d, &e->key);
        break;
    case SDL_TEXTINPUT:
        text_input(d, e->text.text);
        break;
    case SDL_MOUSEMOTION:
        motion(d, &e->motion);
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        button(d, &e->button);
        break;
    case SDL_MOUSEWHEEL:
        wheel(&e->wheel);
        break;
    case SDL_WINDOWEVENT:
        window_event(d, &e->window);
        break;
    case SDL_CLIPBOARDUPDATE:
        sdl_clipboard_update();
        break;
    case SDL_RENDER_TARGETS_RESET:
        new_texture(d);
        break;
    default:
        break;
    }
}

static void tick(void *opaque)
{
    SdlDisplay *d = opaque;
    SDL_Event e;

    while (SDL_PollEvent(&e)) {
        handle(d, &e);
    }
    if (d->listener.console) {
        if (!d->full_screen && d->bar != sdl_tabs_height()) {       /* a console has come or gone */
            resized(&d->listener);
        }
        console_refresh(d->listener.console);
        set_title(d);
        if (d->damaged) {
            draw(d);
        }
    } else if (console_by_index(0)) {           /* its device has gone */
        console_listen(console_by_index(0), &d->listener);
        resized(&d->listener);
    }
    timer_mod_ns(&d->tick, clock_get_ns(CLOCK_RT) + TICK_NS);
}

/* --- life --- */

static bool option(const QDict *opts, const char *name, bool otherwise, bool *value, Error **errp)
{
    const char *text = qdict_str_or(opts, name, NULL);

    *value = text ? strcmp(text, "on") == 0 : qdict_bool_or(opts, name, otherwise);
    if (text && strcmp(text, "on") && strcmp(text, "off")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: on, off", name, text);
        return false;
    }
    return true;
}

static bool parse(SdlDisplay *d, const QDict *opts, bool *full, Error **errp)
{
    static const char *const known[] = { "type", "full-screen", "grab-mod", "window-close",
                                         "show-cursor", "gl", "clipboard" };
    const char *mod = qdict_str_or(opts, "grab-mod", "lctrl-lalt");
    bool gl;

    QDICT_FOR_EACH(e, opts) {
        bool ok = false;

        for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
            ok |= strcmp(known[i], e->key) == 0;
        }
        if (!ok) {
            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "-display sdl has no option '%s'", e->key);
            return false;
        }
    }
    if (!option(opts, "full-screen", false, full, errp) ||
        !option(opts, "window-close", true, &d->close_ends, errp) ||
        !option(opts, "show-cursor", false, &d->show_cursor, errp) ||
        !option(opts, "clipboard", false, &d->clipboard, errp) ||
        !option(opts, "gl", false, &gl, errp)) {
        return false;
    }
    if (gl) {
        error_setf(errp, ERR_NOT_SUPPORTED, "-display sdl: 'gl' is 'on'; accepted: off");
        return false;
    }
    if (strcmp(mod, "lctrl-lalt") == 0) {
        d->grab_mod = KMOD_LCTRL | KMOD_LALT;
    } else if (strcmp(mod, "lshift-lctrl-lalt") == 0) {
        d->grab_mod = KMOD_LSHIFT | KMOD_LCTRL | KMOD_LALT;
    } else if (strcmp(mod, "rctrl") == 0) {
        d->grab_mod = KMOD_RCTRL;
    } else {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'grab-mod' is '%s'; accepted: lctrl-lalt, "
                   "lshift-lctrl-lalt, rctrl", mod);
        return false;
    }
    return true;
}

static bool make_window(SdlDisplay *d, Error **errp)
{
    Console *con = console_by_index(0);
    const char *missing = lazy_lib_load("libSDL2-");

    if (missing) {
        error_setf(errp, ERR_HOST, "no window: %s", missing);
        return false;
    }
    /* The emulator's own handlers of signals stay, and screen savers may come. */
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_GRAB_KEYBOARD, "1");
    if (SDL_Init(SDL_INIT_VIDEO) < 0) {
        error_setf(errp, ERR_HOST, "SDL can't open a display: %s", SDL_GetError());
        return false;
    }
    d->window = SDL_CreateWindow("QEMU", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                 console_width(con), console_height(con) + sdl_tabs_height(),
                                 SDL_WINDOW_RESIZABLE);
    d->renderer = d->window ? SDL_CreateRenderer(d->window, -1, 0) : NULL;
    if (!d->renderer) {
        error_setf(errp, ERR_HOST, "SDL can't make a window: %s", SDL_GetError());
        return false;
    }
    d->listener = (ConsoleListener){ .changed = changed, .resized = resized };
    console_listen(con, &d->listener);
    new_texture(d);
    SDL_ShowCursor(d->show_cursor || absolute());
    return true;
}

bool sdl_open(const QDict *opts, Error **errp)
{
    SdlDisplay *d = g_new0(SdlDisplay, 1);
    bool full;

    if (!console_by_index(0)) {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "-display sdl: the machine has no display");
    } else if (parse(d, opts, &full, errp) && make_window(d, errp)) {
        display = d;
        if (d->clipboard) {
            sdl_clipboard_start();
        }
        timer_init_ns(&d->tick, CLOCK_RT, tick, d);
        if (full) {
            set_full_screen(d, true);
        }
        console_invalidate(d->listener.console);
        tick(d);
        return true;
    }
    if (d->window) {
        SDL_DestroyWindow(d->window);
    }
    g_free(d);
    return false;
}

void sdl_close(void)
{
    SdlDisplay *d = display;

    if (d) {
        display = NULL;
        timer_del(&d->tick);
        sdl_clipboard_stop();
        console_unlisten(&d->listener);
        SDL_DestroyTexture(d->texture);
        SDL_DestroyRenderer(d->renderer);
        SDL_DestroyWindow(d->window);
        SDL_Quit();
        g_free(d);
    }
}

#else
bool sdl_open(UNUSED const QDict *opts, Error **errp)
{
    error_setf(errp, ERR_NOT_SUPPORTED, "this build is without SDL; -vnc shows the screen");
    return false;
}

void sdl_close(void)
{
}
#endif
