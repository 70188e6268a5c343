/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PS/2 keyboard and mouse: what is at the other end of the cable of a
 * keyboard controller. Parts of the controller's struct. Big lock.
 */
#ifndef HW_INPUT_PS2_H
#define HW_INPUT_PS2_H

#include "util/osdep.h"
#include "vmstate/vmstate.h"

#define PS2_QUEUE_SIZE  256         /* power of two */

/* Bytes on their way to the host. */
typedef struct Ps2Queue {
    uint8_t data[PS2_QUEUE_SIZE];
    uint32_t head, count;
    uint8_t last;                   /* what RESEND repeats */
    void (*changed)(void *opaque);  /* there is something to take */
    void *opaque;
} Ps2Queue;

typedef struct Ps2Kbd {
    Ps2Queue q;
    uint8_t command;                /* waits for its argument; 0: none */
    uint8_t scan_set;               /* 1 to 3 */
    uint8_t leds, rate;
    bool scanning;
    uint8_t down[32];               /* one bit a key number */
    uint8_t no_break[32];           /* set 3: make only */
} Ps2Kbd;

typedef struct Ps2Mouse {
    Ps2Queue q;
    uint8_t command;
    uint8_t resolution, rate, id;   /* id 0; 3: wheel; 4: five buttons */
    uint8_t rate_history[2];        /* the two rates before, for the knocks */
    bool reporting, remote, wrap, scale_2_1;
    int32_t dx, dy, dz;             /* moved but not reported yet */
    uint8_t buttons, reported_buttons;
} Ps2Mouse;

void ps2_kbd_init(Ps2Kbd *k, void (*changed)(void *opaque), void *opaque);
void ps2_kbd_reset(Ps2Kbd *k);
void ps2_kbd_write(Ps2Kbd *k, uint8_t val);         /* from the host */
/*
 * A key went down or up. @key is its code in scan code set 1, with 80h added
 * when that has the prefix E0h (the "number" of QMP's send-key); PrintScreen
 * is B7h, Pause C6h.
 */
void ps2_kbd_event(Ps2Kbd *k, unsigned key, bool down);

enum { PS2_BUTTON_LEFT = 1, PS2_BUTTON_RIGHT = 2, PS2_BUTTON_MIDDLE = 4,
       PS2_BUTTON_SIDE = 8, PS2_BUTTON_EXTRA = 16 };
void ps2_mouse_init(Ps2Mouse *m, void (*changed)(void *opaque), void *opaque);
void ps2_mouse_reset(Ps2Mouse *m);
void ps2_mouse_write(Ps2Mouse *m, uint8_t val);
/* Movement since the last event (right, down and wheel towards the user are
 * positive) and the buttons that are pressed now. */
void ps2_mouse_event(Ps2Mouse *m, int dx, int dy, int dz, unsigned buttons);

bool ps2_queue_empty(const Ps2Queue *q);
uint8_t ps2_queue_take(Ps2Queue *q);

/* Set 2 to set 1, as the 8042 translates (codes 80h and up are themselves). */
uint8_t ps2_translate(uint8_t set2);

extern const VmState ps2_kbd_vm, ps2_mouse_vm;

#endif
