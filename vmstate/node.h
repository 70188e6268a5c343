/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device's state as people and programs look at it: a tree of values, each with a name, what it is and what it
 * means. vm_show() makes one of a saved state; printers of devices add what they know. A node owns all below it; one
 * thread at a time uses a tree. Names and texts are copied.
 */
#ifndef VMSTATE_NODE_H
#define VMSTATE_NODE_H

#include "vmstate/vmstate.h"

typedef enum StateKind {
    STATE_BOOL,
    STATE_UINT,
    STATE_INT,
    STATE_REAL,                 /* .u holds the bits of a double */
    STATE_TIME,                 /* a deadline in ns of the guest's clock, -1: none */
    STATE_TEXT,
    STATE_BYTES,
    STATE_STRUCT,               /* has fields */
    STATE_ARRAY,                /* has numbers, or fields that are its elements */
    STATE_QUEUE,                /* fields are its entries, the next to be handled first */
    STATE__MAX
} StateKind;

typedef struct StateFlag {
    char *name;                 /* owned */
    uint64_t value;             /* 1 for a bit */
} StateFlag;

struct StateNode {
    char *name;                 /* owned; "[3]" for an element */
    const char *type;           /* kind of the saved field, static; NULL: computed by a printer */
    const char *help;           /* borrowed from a table; may be NULL */
    StateKind kind;
    uint8_t bits;               /* of a number; 0: not said */
    bool address;               /* the number is a place in memory */
    bool is_signed;             /* the numbers of an array are int64_t */
    bool copy;                  /* says again what other fields say: isn't compared */
    uint64_t u;                 /* BOOL, UINT, INT (as int64_t), REAL, TIME */
    char *text;                 /* TEXT; owned, as all that follows */
    uint8_t *bytes;             /* BYTES */
    size_t num_bytes;
    uint64_t *numbers;          /* ARRAY without fields */
    size_t num_numbers;
    const char *payload;        /* borrowed: the bytes or numbers are data, and this says which */
    char *word;                 /* the value's name */
    char *meaning;              /* what it is in words */
    StateFlag *flags;
    size_t num_flags;
    StateNode **fields;
    size_t num_fields, room;
};

StateNode *state_node_new(const char *name);            /* a struct without fields */
void state_node_free(StateNode *n);                     /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StateNode, state_node_free)

/* Adding to @into; the result is its, for more to be said of it. */
StateNode *state_add(StateNode *into, const char *name, StateKind kind);
StateNode *state_add_struct(StateNode *into, const char *name);
StateNode *state_add_queue(StateNode *into, const char *name);
/* "[n]", the next element of an array or a queue. */
StateNode *state_add_element(StateNode *into, StateKind kind);
StateNode *state_add_uint(StateNode *into, const char *name, uint64_t value, unsigned bits);
StateNode *state_add_uintf(StateNode *into, uint64_t value, unsigned bits, const char *fmt, ...) PRINTF_LIKE(4, 5);
StateNode *state_add_int(StateNode *into, const char *name, int64_t value);
StateNode *state_add_bool(StateNode *into, const char *name, bool value);
StateNode *state_add_address(StateNode *into, const char *name, uint64_t value, unsigned bits);
StateNode *state_add_text(StateNode *into, const char *name, const char *text);
StateNode *state_add_textf(StateNode *into, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
StateNode *state_add_bytes(StateNode *into, const char *name, const void *data, size_t len);
/* To an array of plain numbers. */
void state_add_number(StateNode *array, uint64_t value);
/* The field of that name goes, if there is one. */
void state_remove(StateNode *from, const char *name);
/* The flags of the number that @n is; NULL: none. */
void state_add_flags(StateNode *n, const RegFlag *flags);
void state_add_flag(StateNode *n, const char *name, uint64_t value);
void state_set_bytes(StateNode *n, const void *data, size_t len);
void state_set_word(StateNode *n, const char *word);
void state_mean(StateNode *n, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What a row of a table says about @n. */
void state_apply_meaning(StateNode *n, const VmMeaning *m);

/* "regs.command", "chan[2].count", "mem[7]": NULL if there is none. For [n] in numbers or bytes *index is n, else
 * SIZE_MAX. */
const StateNode *state_find(const StateNode *root, const char *path, size_t *index);
/* The number there; @otherwise if there is none. */
uint64_t state_get(const StateNode *root, const char *path, uint64_t otherwise);
/* Number @i of an array or byte @i of a buffer. */
uint64_t state_number(const StateNode *n, size_t i);
/* Are value, flags and all below equal? Meanings don't count. */
bool state_equal(const StateNode *a, const StateNode *b);
/* Everything that differs, with the path of each; a node that is only in one of them is a difference of its own,
 * with NULL for the other. */
void state_diff(const StateNode *a, const StateNode *b,
                void (*fn)(const char *path, const StateNode *a, const StateNode *b, size_t index, void *opaque),
                void *opaque);

#endif
