/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets: objects that hold a password or a key (-object secret), so that neither stands in
 * options of something else. Big lock.
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include "qobject/error.h"

#define SECRET_MAX_BYTES    (1024 * 1024)

/* The bytes of the secret object @id, with a NUL after *len; freed with secret_free(). NULL with
 * errp set if there is none. */
uint8_t *secret_bytes(const char *id, size_t *len, Error **errp);
/* As text: refused if it is no UTF-8 or has a NUL inside. */
char *secret_text(const char *id, Error **errp);
/* Overwrites before it frees; NULL is allowed. */
void secret_free(void *p, size_t len);

#endif
