/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRC-32C (Castagnoli; RFC 3720 12.1), with the host's instruction where it has one. */
#ifndef UTIL_CRC32C_H
#define UTIL_CRC32C_H

#include "util/osdep.h"

/* Of @len bytes after those that gave @crc; start with 0. Any thread. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
/* The same without the host's instruction. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
