/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes by name, and PBKDF2 with them (RFC 8018, 5.2), by Nettle. Any thread. */
#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

#include "qobject/error.h"

#define KDF_HASH_MAX    64

/* Bytes of a hash: "sha1", "sha256", "sha512"; 0: there is no such one (or Nettle isn't built in). */
size_t kdf_hash_bytes(const char *hash);
/* @out: kdf_hash_bytes(). The two pieces are hashed as one; the second may be NULL. */
void kdf_hash(const char *hash, const void *a, size_t a_len, const void *b, size_t b_len, uint8_t *out);
void kdf_pbkdf2(const char *hash, const uint8_t *password, size_t password_len, const uint8_t *salt, size_t salt_len,
                uint32_t iterations, uint8_t *out, size_t out_len);

#endif
