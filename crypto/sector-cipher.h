/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encryption of a disk's sectors of 512 bytes, each by itself and by its number: AES in XTS or CBC mode. By Nettle. The object is
 * only read after it was made: any thread.
 */
#ifndef CRYPTO_SECTOR_CIPHER_H
#define CRYPTO_SECTOR_CIPHER_H

#include "qobject/error.h"

#define SECTOR_CIPHER_KEY_MAX   64
typedef struct SectorCipher SectorCipher;

/* @cipher: "aes"; @mode: "xts-plain64", "xts-plain", "cbc-plain64", "cbc-plain", "cbc-essiv:sha256". @key_len in bytes: 16 or 32,
 * for XTS twice that. NULL with errp set. */
SectorCipher *sector_cipher_new(const char *cipher, const char *mode, const uint8_t *key, size_t key_len, Error **errp);
void sector_cipher_free(SectorCipher *c);       /* overwrites the key; NULL is allowed */
/* In place; @len is a multiple of 512. @sector: the first one's number. */
void sector_cipher_run(const SectorCipher *c, bool encrypt, uint64_t sector, uint8_t *buf, size_t len);

#endif
