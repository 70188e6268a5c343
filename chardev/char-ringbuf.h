/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Access to the memory of a ringbuf back end, by its id. Big lock. */
#ifndef CHARDEV_CHAR_RINGBUF_H
#define CHARDEV_CHAR_RINGBUF_H

#include "util/osdep.h"
#include "qobject/error.h"

bool chr_ringbuf_write(const char *id, const uint8_t *buf, size_t len, Error **errp);
/* At most @max bytes, taken out; freed by g_free(), with a NUL after *len. */
uint8_t *chr_ringbuf_read(const char *id, size_t max, size_t *len, Error **errp);

#endif
