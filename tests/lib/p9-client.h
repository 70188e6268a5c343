/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client of the 9P server, without a machine: messages made by a format, answers looked at. */
#ifndef TESTS_LIB_P9_CLIENT_H
#define TESTS_LIB_P9_CLIENT_H

#include "hw/9p/p9.h"

typedef struct P9Client {
    P9 *p9;
    uint8_t ans[P9_MSIZE_MAX];
    size_t len;                 /* of the last answer; 0: there was none */
    uint32_t room;              /* for an answer */
} P9Client;

/* @message: of @len bytes, as it is; waits for the answer, whose type is returned (0: none). */
uint8_t p9_client_raw(P9Client *c, const void *message, size_t len);
/*
 * A message of @type. @fmt: b, h, w, q for 1, 2, 4, 8 bytes, s for a string, D for bytes (size_t and pointer).
 * Returns 0, or the error that the answer tells; -1: no answer.
 */
int p9_client(P9Client *c, uint8_t type, const char *fmt, ...);
/* Numbers of the answer, by offset behind its header. */
uint64_t p9_ans(const P9Client *c, size_t offset, unsigned bytes);
/* Tversion and Tattach as fid 0. */
int p9_client_start(P9Client *c, const char *version);

#endif
