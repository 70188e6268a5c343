/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The little of telnet (RFC 854) that a server of a serial line needs. */
#ifndef CHARDEV_CHAR_TELNET_H
#define CHARDEV_CHAR_TELNET_H

#include "util/osdep.h"

typedef struct TelnetState {
    int state;
    uint8_t last_cr;            /* a CR was the last byte: NUL or LF after it is part of it */
} TelnetState;

/* What a server says first: it echoes, go-aheads are off, bytes are binary. */
const uint8_t *telnet_start(TelnetState *t, size_t *len);
/* Take the commands out of @buf; returns how many bytes of data are left. */
size_t telnet_input(TelnetState *t, uint8_t *buf, size_t len, bool *is_break);

#endif
