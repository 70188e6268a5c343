/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: from displays and the monitor to the guest's keyboards and pointing devices. Big lock.
 */
#ifndef UI_CORE_INPUT_H
#define UI_CORE_INPUT_H

#include "qapi/types-ui.h"

#define INPUT_ABS_MAX   0x7fff

/* A device of the guest; registers itself while it is there. Any function may be NULL. */
typedef struct InputHandler InputHandler;
struct InputHandler {
    const char *name;               /* "QEMU PS/2 Mouse" */
    bool absolute;                  /* takes places, not movements */
    /* @number: scan code set 1, with 0x80 for those behind E0 (QMP's "number"). */
    void (*key)(void *opaque, unsigned number, bool down);
    void (*rel)(void *opaque, int dx, int dy);
    void (*abs)(void *opaque, int x, int y);        /* 0 to INPUT_ABS_MAX */
    void (*button)(void *opaque, InputButton button, bool down);
    /* A group of events is complete. */
    void (*sync)(void *opaque);
    void *opaque;
    int index;                      /* below: input.c's */
    bool unsynced;
    InputHandler *next;
};
/* The one registered last gets the events of its kind. */
void input_add(InputHandler *h);
void input_remove(InputHandler *h);
InputHandler *input_first(void);
/* Make it the one that gets its kind of events. */
void input_activate(InputHandler *h);
/* Let all others of its kind go before it. Does nothing to one that isn't registered. */
void input_deactivate(InputHandler *h);
/* The active pointing device, or NULL. It gets buttons; movements and places go to the first that takes such. */
InputHandler *input_pointer(void);

void input_key(unsigned number, bool down);
void input_rel(int dx, int dy);
void input_abs(int x, int y);
void input_button(InputButton button, bool down);
void input_sync(void);
/* Lock lights of the guest's keyboard; told by its device. */
enum { INPUT_LED_SCROLL = 1, INPUT_LED_NUM = 2, INPUT_LED_CAPS = 4 };
void input_set_leds(unsigned leds);
unsigned input_leds(void);
/* All keys that are down go up (a display lost the focus). */
void input_release_keys(void);

/* QKeyCode's index to the number, 0 if there is none; and back. */
unsigned input_qcode_to_number(int qcode);
int input_number_to_qcode(unsigned number);

#endif
