/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "config.h"
#include "crypto/kdf.h"
#ifdef CONFIG_NETTLE
#include <nettle/hmac.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

typedef union State {
    struct sha1_ctx sha1;
    struct sha256_ctx sha256;
    struct sha512_ctx sha512;
} State;

typedef union Mac {
    struct hmac_sha1_ctx sha1;
    struct hmac_sha256_ctx sha256;
    struct hmac_sha512_ctx sha512;
} Mac;

/* Called through our own pointers, as Nettle's names have typed contexts. */
#define HASH(name, bytes) \
    static void name##_whole(State *s, const void *a, size_t a_len, const void *b, size_t b_len, uint8_t *out) \
    { \
        name##_init(&s->name); \
        name##_update(&s->name, a_len, a); \
        if (b) { \
            name##_update(&s->name, b_len, b); \
        } \
        name##_digest(&s->name, bytes, out); \
    } \
    static void name##_mac_update(void *m, size_t len, const uint8_t *data) \
    { \
        hmac_##name##_update(&((Mac *)m)->name, len, data); \
    } \
    static void name##_mac_digest(void *m, size_t len, uint8_t *out) \
    { \
        hmac_##name##_digest(&((Mac *)m)->name, len, out); \
    } \
    static void name##_mac_key(Mac *m, size_t len, const uint8_t *key) \
    { \
        hmac_##name##_set_key(&m->name, len, key); \
    }
HASH(sha1, 20)
HASH(sha256, 32)
HASH(sha512, 64)

#define ROW(name, bytes)    { #name, bytes, name##_whole, name##_mac_key, name##_mac_update, name##_mac_digest }
static const struct Hash {
    const char *name;
    uint8_t bytes;
    void (*whole)(State *s, const void *a, size_t a_len, const void *b, size_t b_len, uint8_t *out);
    void (*mac_key)(Mac *m, size_t len, const uint8_t *key);
    nettle_hash_update_func *mac_update;
    nettle_hash_digest_func *mac_digest;
} hashes[] = { ROW(sha1, 20), ROW(sha256, 32), ROW(sha512, 64) };

static const struct Hash *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
        if (!strcmp(hashes[i].name, name)) {
            return &hashes[i];
        }
    }
    return NULL;
}

size_t kdf_hash_bytes(const char *hash)
{
    const struct Hash *h = find(hash);

    return h ? h->bytes : 0;
}

void kdf_hash(const char *hash, const void *a, size_t a_len, const void *b, size_t b_len, uint8_t *out)
{
    State s;

    find(hash)->whole(&s, a, a_len, b, b_len, out);
}

void kdf_pbkdf2(const char *hash, const uint8_t *password, size_t password_len, const uint8_t *salt, size_t salt_len,
                uint32_t iterations, uint8_t *out, size_t out_len)
{
    const struct Hash *h = find(hash);
    Mac m;

    h->mac_key(&m, password_len, password);
    pbkdf2(&m, h->mac_update, h->mac_digest, h->bytes, iterations, salt_len, salt, out_len, out);
}

#else

size_t kdf_hash_bytes(UNUSED const char *hash)
{
    return 0;
}

void kdf_hash(UNUSED const char *hash, UNUSED const void *a, UNUSED size_t a_len, UNUSED const void *b, UNUSED size_t b_len,
              UNUSED uint8_t *out)
{
}

void kdf_pbkdf2(UNUSED const char *hash, UNUSED const uint8_t *password, UNUSED size_t password_len, UNUSED const uint8_t *salt,
                UNUSED size_t salt_len, UNUSED uint32_t iterations, UNUSED uint8_t *out, UNUSED size_t out_len)
{
}
#endif
