/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DES in electronic code book mode (FIPS 46-3), which VNC Authentication is made of. */
#ifndef CRYPTO_DES_H
#define CRYPTO_DES_H

#include "util/osdep.h"

/* @len: a multiple of 8. False: this build has no DES. */
bool des_ecb_encrypt(const uint8_t key[8], const uint8_t *in, uint8_t *out, size_t len);

#endif
