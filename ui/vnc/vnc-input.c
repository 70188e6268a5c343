/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and pointer. A client that sends scan codes (the extended key event) needs no keymap; else
 * X11 keysyms are looked for on a keyboard of the layout that -k says (US), with shift and AltGr pressed or
 * released around a key where the guest's keyboard needs it (RFC 6143, 7.5.4).
 */
#include "util/osdep.h"
#include "ui/core/input.h"
#include "ui/core/keysyms.h"
#include "ui/core/key-queue.h"
#include "ui/core/keymap.h"
#include "ui/vnc/vnc-int.h"
#include "util/bitmap.h"

#define KEY_SHIFT_L     0x2a
#define KEY_SHIFT_R     0x36
#define KEY_ALT_R       0xb8

/* --- keys --- */

static void type_key(VncClient *c, unsigned number, bool down)
{
    if (number == 0 || number > 255) {
        return;
    }
    if (down) {
        bitmap_set_bit(c->keys_down, number);
    } else {
        bitmap_clear_bit(c->keys_down, number);
    }
    key_queue_key(number, down);
    if (c->server->key_delay_ms) {
        key_queue_delay(c->server->key_delay_ms);
    }
}

static void release_keys(VncClient *c)
{
    BITMAP_FOR_EACH(n, c->keys_down, 256) {
        key_queue_key(n, false);
        bitmap_clear_bit(c->keys_down, n);
    }
}

/* Ctrl-Alt-1 and so on choose what is shown, if there is a choice; a screen of text takes the other keys.
 * False: the key is the guest's. */
static bool for_console(VncClient *c, bool down, uint32_t keysym)
{
    Console *con = c->screen->listener.console, *to;

    if (keysym == KEYSYM_CONTROL_L || keysym == KEYSYM_CONTROL_R) {
        c->ctrl = down;
    } else if (keysym == KEYSYM_ALT_L || keysym == KEYSYM_ALT_R) {
        c->alt = down;
    }
    if (c->ctrl && c->alt && keysym >= '1' && keysym <= '9' && console_by_index(1)) {
        to = console_by_index((int)keysym - '1');
        if (down && to && to != con) {
            release_keys(c);
            vnc_screen_show(c->screen, to);
        }
        return true;
    }
    if (console_key(con, keysym, c->ctrl, down)) {
        vnc_screen_hurry(c->screen);
        return true;
    }
    return false;
}

void vnc_key_number(VncClient *c, bool down, uint32_t keysym, unsigned number)
{
    if (for_console(c, down, keysym)) {
        return;
    }
    type_key(c, number == 0x54 ? 0xb7 : number, down);      /* Print, in its two spellings */
    vnc_screen_hurry(c->screen);
}

unsigned vnc_keysym_number(uint32_t sym, bool *shifted)
{
    static const struct { uint16_t sym; uint8_t number; } keys[] = {
        { 0xfe03, 0xb8 }, { 0xfe20, 0x0f }, { 0xff08, 0x0e }, { 0xff09, 0x0f }, { 0xff0d, 0x1c },
        { 0xff13, 0xc6 }, { 0xff14, 0x46 }, { 0xff15, 0xb7 }, { 0xff1b, 0x01 }, { 0xff50, 0xc7 },
        { 0xff51, 0xcb }, { 0xff52, 0xc8 }, { 0xff53, 0xcd }, { 0xff54, 0xd0 }, { 0xff55, 0xc9 },
        { 0xff56, 0xd1 }, { 0xff57, 0xcf }, { 0xff61, 0xb7 }, { 0xff63, 0xd2 }, { 0xff67, 0xdd },
        { 0xff7e, 0xb8 }, { 0xff7f, 0x45 }, { 0xff80, 0x39 }, { 0xff89, 0x0f }, { 0xff8d, 0x9c },
        { 0xff95, 0x47 }, { 0xff96, 0x4b }, { 0xff97, 0x48 }, { 0xff98, 0x4d }, { 0xff99, 0x50 },
        { 0xff9a, 0x49 }, { 0xff9b, 0x51 }, { 0xff9c, 0x4f }, { 0xff9d, 0x4c }, { 0xff9e, 0x52 },
        { 0xff9f, 0x53 }, { 0xffaa, 0x37 }, { 0xffab, 0x4e }, { 0xffac, 0x53 }, { 0xffad, 0x4a },
        { 0xffae, 0x53 }, { 0xffaf, 0xb5 }, { 0xffb0, 0x52 }, { 0xffb1, 0x4f }, { 0xffb2, 0x50 },
        { 0xffb3, 0x51 }, { 0xffb4, 0x4b }, { 0xffb5, 0x4c }, { 0xffb6, 0x4d }, { 0xffb7, 0x47 },
        { 0xffb8, 0x48 }, { 0xffb9, 0x49 }, { 0xffe1, 0x2a }, { 0xffe2, 0x36 }, { 0xffe3, 0x1d },
        { 0xffe4, 0x9d }, { 0xffe5, 0x3a }, { 0xffe7, 0xdb }, { 0xffe8, 0xdc }, { 0xffe9, 0x38 },
        { 0xffea, 0xb8 }, { 0xffeb, 0xdb }, { 0xffec, 0xdc }, { 0xffff, 0xd3 },
    };
    /* By number, plain and shifted. */
    static const char plain[] = "\0\0" "1234567890-=\0\0qwertyuiop[]\0\0asdfghjkl;'`\0\\zxcvbnm,./"
                                "\0\0\0 ";
    static const char upper[] = "\0\0" "!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?"
                                "\0\0\0 ";

    *shifted = false;
    if (sym >= 0x20 && sym < 0x7f) {
        for (unsigned i = 2; i < sizeof(plain) - 1; i++) {
            if ((uint8_t)plain[i] == sym || (uint8_t)upper[i] == sym) {
                *shifted = (uint8_t)plain[i] != sym;
                return i;
            }
        }
        return 0;
    }
    if (sym >= 0xffbe && sym <= 0xffc9) {       /* F1 to F12 */
        unsigned f = sym - 0xffbe;

        return f < 10 ? 0x3b + f : 0x57 + (f - 10);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].sym == sym) {
            return keys[i].number;
        }
    }
    return 0;
}

/* The key for a keysym: by the layout that -k says, else, or if that hasn't got it, on a US keyboard. */
static unsigned find_key(uint32_t keysym, unsigned *held)
{
    const Keymap *map = keymap_default();
    bool types = keysym < 0xfe00 || keysym >= 0x1000000 || (keysym >= 0xfe50 && keysym <= 0xfe8f);   /* dead keys */
    unsigned number = map && types ? keymap_key(map, keysym, held) : 0;
    bool shifted;

    if (!number) {
        number = vnc_keysym_number(keysym, &shifted);
        *held = shifted ? KEYMAP_SHIFT : 0;
    }
    return number;
}

/* Press or let go of what stands between the keys that are held and those that the character needs. */
static void hold(VncClient *c, unsigned differ, unsigned held)
{
    if (differ & KEYMAP_SHIFT) {
        type_key(c, KEY_SHIFT_L, held & KEYMAP_SHIFT);
    }
    if (differ & KEYMAP_ALTGR) {
        type_key(c, KEY_ALT_R, held & KEYMAP_ALTGR);
    }
}

void vnc_key(VncClient *c, bool down, uint32_t keysym)
{
    bool is_char = keysym > 0x20 && (keysym < 0xfe00 || keysym > 0x1000000) && keysym != 0x7f;
    unsigned held, has, differ, number = find_key(keysym, &held);

    if (for_console(c, down, keysym)) {
        return;
    }
    if (number == KEY_SHIFT_L || number == KEY_SHIFT_R) {
        c->shift = down;
    } else if (number == KEY_ALT_R) {
        c->altgr = down;
    }
    has = (c->shift ? KEYMAP_SHIFT : 0) | (c->altgr ? KEYMAP_ALTGR : 0);
    differ = down && is_char ? held ^ has : 0;
    if (!keymap_default()) {
        differ &= KEYMAP_SHIFT;
    }
    /* A letter with Caps Lock comes as another letter: the lock does what shift would. */
    if (g_ascii_isalpha(keysym < 0x7f ? keysym : 0) && input_leds() & INPUT_LED_CAPS) {
        differ &= ~(unsigned)KEYMAP_SHIFT;
    }
    hold(c, differ, held);
    type_key(c, number, down);
    hold(c, differ, has);
    vnc_screen_hurry(c->screen);
}

/* --- pointer --- */

void vnc_pointer(VncClient *c, uint16_t buttons, int x, int y)
{
    static const InputButton names[] = {
        INPUT_BUTTON_LEFT, INPUT_BUTTON_MIDDLE, INPUT_BUTTON_RIGHT, INPUT_BUTTON_WHEEL_UP,
        INPUT_BUTTON_WHEEL_DOWN, INPUT_BUTTON_WHEEL_LEFT, INPUT_BUTTON_WHEEL_RIGHT,
        INPUT_BUTTON_SIDE, INPUT_BUTTON_EXTRA,
    };
    InputHandler *h = input_pointer();
    uint16_t before = c->buttons | c->ext_buttons << 8;

    if (h && h->absolute) {
        input_abs(c->width > 1 ? MIN(x, c->width - 1) * INPUT_ABS_MAX / (c->width - 1) : 0,
                  c->height > 1 ? MIN(y, c->height - 1) * INPUT_ABS_MAX / (c->height - 1) : 0);
    } else if (c->caps & CAP_POINTER_MODE && !c->absolute) {
        input_rel(x - 0x7fff, y - 0x7fff);      /* deltas (rfbproto.rst, "Pointer Motion Change") */
    } else {
        input_rel(x - c->x, y - c->y);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if ((buttons ^ before) & BIT(i)) {
            input_button(names[i], buttons & BIT(i));
        }
    }
    c->x = x;
    c->y = y;
    c->buttons = buttons;
    c->ext_buttons = buttons >> 8;
    input_sync();
    vnc_screen_hurry(c->screen);
}

/* It goes: what it holds goes up. */
void vnc_release_input(VncClient *c)
{
    release_keys(c);
    if (c->buttons || c->ext_buttons) {
        bool relative = c->caps & CAP_POINTER_MODE && !c->absolute;

        vnc_pointer(c, 0, relative ? 0x7fff : c->x, relative ? 0x7fff : c->y);
    }
}
