/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef QOBJECT_UTF8_H
#define QOBJECT_UTF8_H

#include "util/osdep.h"

/*
 * The character at @s, of which @len bytes (at least 1) are there. Returns how
 * many bytes it takes; what is no character gives *cp = U+FFFD and takes 1.
 */
size_t utf8_decode(const char *s, size_t len, uint32_t *cp);
/* Writes 1 to 4 bytes, returns how many. */
size_t utf8_encode(uint32_t cp, char out[4]);
bool utf8_valid(const char *s, size_t len);

/*
 * The range of the byte after a lead byte, and how many follow it altogether
 * (RFC 3629 section 4); 0 for what is no lead byte of a longer sequence.
 */
unsigned utf8_lead(unsigned char lead, unsigned char *lo, unsigned char *hi);

#endif
