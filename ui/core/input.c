/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "ui/core/input.h"

static InputHandler *handlers;          /* registry; the active ones first */
static uint8_t keys_down[256];          /* by number */
static unsigned leds_on;

void input_add(InputHandler *h)
{
    static int count;                   /* numbers given out */

    h->index = count++;
    h->next = handlers;
    handlers = h;
}

void input_remove(InputHandler *h)
{
    for (InputHandler **pp = &handlers; *pp; pp = &(*pp)->next) {
        if (*pp == h) {
            *pp = h->next;
            return;
        }
    }
}

void input_activate(InputHandler *h)
{
    input_remove(h);
    h->next = handlers;
    handlers = h;
}

void input_deactivate(InputHandler *h)
{
    InputHandler **pp = &handlers;
    bool found = false;

    while (*pp) {
        if (*pp == h) {
            *pp = h->next;
            found = true;
        } else {
            pp = &(*pp)->next;
        }
    }
    if (found) {
        h->next = NULL;
        *pp = h;
    }
}

InputHandler *input_first(void)
{
    return handlers;
}

InputHandler *input_pointer(void)
{
    for (InputHandler *h = handlers; h; h = h->next) {
        if (h->rel || h->abs) {
            return h;
        }
    }
    return NULL;
}

void input_key(unsigned number, bool down)
{
    keys_down[number & 255] = down;
    for (InputHandler *h = handlers; h; h = h->next) {
        if (h->key) {
            h->key(h->opaque, number, down);
            return;
        }
    }
}

void input_release_keys(void)
{
    for (unsigned i = 0; i < 256; i++) {
        if (keys_down[i]) {
            input_key(i, false);
        }
    }
}

void input_set_leds(unsigned leds)
{
    leds_on = leds;
}

unsigned input_leds(void)
{
    return leds_on;
}

void input_rel(int dx, int dy)
{
    InputHandler *h = handlers;

    while (h && !h->rel) {
        h = h->next;
    }
    if (h) {
        h->unsynced = true;
        h->rel(h->opaque, dx, dy);
    }
}

void input_abs(int x, int y)
{
    InputHandler *h = handlers;

    while (h && !h->abs) {
        h = h->next;
    }
    if (h) {
        h->unsynced = true;
        h->abs(h->opaque, x, y);
    }
}

void input_button(InputButton button, bool down)
{
    InputHandler *h = input_pointer();

    if (h && h->button) {
        h->unsynced = true;
        h->button(h->opaque, button, down);
    }
}

void input_sync(void)
{
    for (InputHandler *h = handlers; h; h = h->next) {
        if (h->unsynced && h->sync) {
            h->sync(h->opaque);
        }
        h->unsynced = false;
    }
}

/* In the order of QMP's QKeyCode (qapi/ui.json); 0: no key of the PC/XT. */
static const uint8_t numbers[] = {
    0, 0x2a, 0x36, 0x38, 0xb8, 0x1d, 0x9d, 0xdd, 0x01,
    0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,
    0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a,
    0x1b, 0x1c, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27,
    0x28, 0x29, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32,
    0x33, 0x34, 0x35, 0x37, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e,
    0x3f, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0xb5,
    0x37, 0x4a, 0x4e, 0x9c, 0x53, 0x54, 0x52,
    0x4f, 0x50, 0x51, 0x4b, 0x4c, 0x4d, 0x47, 0x48, 0x49, 0x56,
    0x57, 0x58, 0xb7, 0xc7, 0xc9, 0xd1, 0xcf, 0xcb, 0xc8, 0xd0,
    0xcd, 0xd2, 0xd3, 0xe8, 0x85, 0x86, 0x87, 0x8c, 0xf8,
    0x64, 0x65, 0xc1, 0xbc, 0x5b, 0xf5, 0xdb, 0xdc, 0xdd,
    0xc6, 0x73, 0x70, 0x79, 0x7d, 0x7b, 0x78,
    0x7e, 0x59, 0xde, 0xdf, 0xe3, 0x99, 0x90,
    0xa4, 0xa2, 0xa0, 0xb0, 0xae, 0xed,
    0xec, 0xa1, 0xeb, 0xb2, 0xea, 0xe9, 0xe7,
    0xe6, 0, 0,
};

unsigned input_qcode_to_number(int qcode)
{
    return qcode >= 0 && (size_t)qcode < ARRAY_SIZE(numbers) ? numbers[qcode] : 0;
}

int input_number_to_qcode(unsigned number)
{
    for (unsigned i = 1; number && i < ARRAY_SIZE(numbers); i++) {
        if (numbers[i] == number) {
            return i;
        }
    }
    return 0;
}
