/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which keys of a PC's keyboard type which characters, where the guest has set a layout up. Layouts are the X
 * server's (xkeyboard-config, by libxkbcommon), with the names that -k takes. Never changes once made.
 */
#ifndef UI_CORE_KEYMAP_H
#define UI_CORE_KEYMAP_H

#include "qobject/error.h"

typedef struct Keymap Keymap;

enum { KEYMAP_SHIFT = BIT(0), KEYMAP_ALTGR = BIT(1) };

/* @name: "de", "en-us", "fr-ca" and so on. NULL with errp set. */
Keymap *keymap_new(const char *name, Error **errp);
void keymap_free(Keymap *m);

/* The key for an X11 keysym that stands for a character (or a dead key), by its number as input_key()
 * takes it, and what must be held. 0: there is none. */
unsigned keymap_key(const Keymap *m, uint32_t keysym, unsigned *held);
/* The keys, one or two (a dead key first), that type a character. 0: it can't be typed. */
typedef struct KeymapStroke {
    uint8_t number, held;
} KeymapStroke;
unsigned keymap_strokes(const Keymap *m, uint32_t character, KeymapStroke strokes[2]);

/* What -k says; NULL: nothing. What is lent isn't to be freed. */
bool keymap_set_default(const char *name, Error **errp);
const Keymap *keymap_default(void);
const char *keymap_default_name(void);          /* "en-us" if -k says nothing */

#endif
