/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wayland's wire: messages of 32-bit words in the host's order, with file descriptors beside them (The Wayland
 * Protocol, "Wire Format"). The C library only.
 */
#ifndef GUEST_CLIPBOARD_WIRE_H
#define GUEST_CLIPBOARD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_FDS_MAX    28

typedef struct Wire {
    int fd;
    uint8_t in[65536];
    size_t in_n, in_at;         /* bytes that have come; up to the next message */
    int fds[WIRE_FDS_MAX];      /* that came with them */
    unsigned fds_n;
    uint32_t next_id;           /* of a new object */
} Wire;

typedef struct WireMessage {
    uint32_t object;
    uint16_t opcode;
    const uint8_t *args;
    size_t len, at;
    bool bad;                   /* it was shorter than what was asked for */
} WireMessage;

/* To $WAYLAND_DISPLAY; false with errno set. */
bool wire_open(Wire *w);
void wire_close(Wire *w);
uint32_t wire_new_id(Wire *w);
/* @sig: a letter an argument: u (uint32_t; objects and new ids too), s (const char *), h (int, a file descriptor,
 * which stays the caller's). False: the compositor has gone. */
bool wire_send(Wire *w, uint32_t object, uint16_t opcode, const char *sig, ...);
/* Read what is there; false: the compositor has gone. */
bool wire_fill(Wire *w);
/* The next whole message. */
bool wire_next(Wire *w, WireMessage *m);
uint32_t wire_u32(WireMessage *m);
/* Ends with a NUL; "" if it isn't well-formed. */
const char *wire_string(WireMessage *m);
/* -1: none has come. The caller's. */
int wire_take_fd(Wire *w);

#endif
