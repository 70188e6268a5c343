/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "config.h"
#include <glib.h>
#include "crypto/sector-cipher.h"
#include "crypto/kdf.h"
#include "util/bswap.h"
#ifdef CONFIG_NETTLE
#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <nettle/xts.h>

#define SECTOR  512

typedef enum Iv { IV_PLAIN, IV_PLAIN64, IV_ESSIV } Iv;

struct SectorCipher {
    bool xts, wide;                 /* wide: AES-256 */
    Iv iv;
    struct xts_aes128_key xts128;
    struct xts_aes256_key xts256;
    struct aes128_ctx enc128, dec128;
    struct aes256_ctx enc256, dec256, essiv;
};

static const struct { const char *name; bool xts; Iv iv; } modes[] = {
    { "xts-plain64", true, IV_PLAIN64 }, { "xts-plain", true, IV_PLAIN }, { "cbc-plain64", false, IV_PLAIN64 },
    { "cbc-plain", false, IV_PLAIN }, { "cbc-essiv:sha256", false, IV_ESSIV },
};

static void set_keys(SectorCipher *c, const uint8_t *key, size_t len)
{
    uint8_t hash[32];

    if (c->xts && c->wide) {
        xts_aes256_set_encrypt_key(&c->xts256, key);
        return;
    }
    if (c->xts) {
        xts_aes128_set_encrypt_key(&c->xts128, key);
        return;
    }
    if (c->wide) {
        aes256_set_encrypt_key(&c->enc256, key);
        aes256_set_decrypt_key(&c->dec256, key);
    } else {
        aes128_set_encrypt_key(&c->enc128, key);
        aes128_set_decrypt_key(&c->dec128, key);
    }
    if (c->iv == IV_ESSIV) {
        kdf_hash("sha256", key, len, NULL, 0, hash);
        aes256_set_encrypt_key(&c->essiv, hash);
        explicit_bzero(hash, sizeof(hash));
    }
}

static void make_decrypting(SectorCipher *c, const uint8_t *key)
{
    if (c->xts && c->wide) {
        xts_aes256_set_decrypt_key(&c->xts256, key);
    } else if (c->xts) {
        xts_aes128_set_decrypt_key(&c->xts128, key);
    }
}

/* XTS contexts of Nettle go one way only: the cipher has two of itself. */
struct Both {
    SectorCipher encrypt, decrypt;
};

SectorCipher *sector_cipher_new(const char *cipher, const char *mode, const uint8_t *key, size_t key_len, Error **errp)
{
    struct Both *b;
    size_t i, half;

    for (i = 0; i < ARRAY_SIZE(modes) && strcmp(modes[i].name, mode); i++) {
    }
    if (strcmp(cipher, "aes") || i == ARRAY_SIZE(modes)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "there is no cipher '%.31s' with the mode '%.31s'; accepted: aes with xts-plain64, "
                   "xts-plain, cbc-plain64, cbc-plain, cbc-essiv:sha256", cipher, mode);
        return NULL;
    }
    half = modes[i].xts ? key_len / 2 : key_len;
    if ((half != 16 && half != 32) || (modes[i].xts && key_len % 2)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "a key of %zu bytes; accepted for %s: %s", key_len, mode,
                   modes[i].xts ? "32, 64" : "16, 32");
        return NULL;
    }
    b = g_new0(struct Both, 1);
    b->encrypt.xts = modes[i].xts;
    b->encrypt.wide = half == 32;
    b->encrypt.iv = modes[i].iv;
    b->decrypt = b->encrypt;
    set_keys(&b->encrypt, key, key_len);
    set_keys(&b->decrypt, key, key_len);
    make_decrypting(&b->decrypt, key);
    return &b->encrypt;
}

void sector_cipher_free(SectorCipher *c)
{
    if (c) {
        explicit_bzero(c, sizeof(struct Both));
        g_free(c);
    }
}

static void make_iv(const SectorCipher *c, uint64_t sector, uint8_t iv[16])
{
    memset(iv, 0, 16);
    store_le64(iv, c->iv == IV_PLAIN ? (uint32_t)sector : sector);
    if (c->iv == IV_ESSIV) {
        aes256_encrypt(&c->essiv, 16, iv, iv);
    }
}

/* Nettle takes the keys of XTS as if it changed them; it doesn't. */
static void one(const SectorCipher *c, bool encrypt, uint8_t iv[16], uint8_t *p)
{
    if (c->xts && c->wide) {
        (encrypt ? xts_aes256_encrypt_message : xts_aes256_decrypt_message)((struct xts_aes256_key *)&c->xts256, iv, SECTOR, p, p);
    } else if (c->xts) {
        (encrypt ? xts_aes128_encrypt_message : xts_aes128_decrypt_message)((struct xts_aes128_key *)&c->xts128, iv, SECTOR, p, p);
    } else if (encrypt) {
        cbc_encrypt(c->wide ? (const void *)&c->enc256 : &c->enc128,
                    c->wide ? (nettle_cipher_func *)aes256_encrypt : (nettle_cipher_func *)aes128_encrypt, 16, iv, SECTOR, p, p);
    } else {
        cbc_decrypt(c->wide ? (const void *)&c->dec256 : &c->dec128,
                    c->wide ? (nettle_cipher_func *)aes256_decrypt : (nettle_cipher_func *)aes128_decrypt, 16, iv, SECTOR, p, p);
    }
}

void sector_cipher_run(const SectorCipher *c, bool encrypt, uint64_t sector, uint8_t *buf, size_t len)
{
    const struct Both *b = (const struct Both *)c;

    for (size_t at = 0; at < len; at += SECTOR) {
        uint8_t iv[16];

        make_iv(c, sector + at / SECTOR, iv);
        one(encrypt ? &b->encrypt : &b->decrypt, encrypt, iv, buf + at);
    }
}

#else

SectorCipher *sector_cipher_new(UNUSED const char *cipher, UNUSED const char *mode, UNUSED const uint8_t *key, UNUSED size_t key_len,
                                Error **errp)
{
    error_setf(errp, ERR_NOT_SUPPORTED, "encryption isn't built in: Nettle was missing");
    return NULL;
}

void sector_cipher_free(UNUSED SectorCipher *c)
{
}

void sector_cipher_run(UNUSED const SectorCipher *c, UNUSED bool encrypt, UNUSED uint64_t sector, UNUSED uint8_t *buf, UNUSED size_t len)
{
}
#endif
