/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LUKS: the header, how a password opens it, and new ones. */
#include "util/osdep.h"
#include <glib.h>
#include <time.h>
#include "block/format.h"
#include "block/luks/luks.h"
#include "crypto/kdf.h"
#include "util/bswap.h"
#include "util/guest-random.h"
#include "util/thread-pool.h"

static const uint8_t magic[6] = { 'L', 'U', 'K', 'S', 0xba, 0xbe };
/* LUKS, figure 1 "PHDR layout", figure 2 "key slot". */
enum { HDR_VERSION = 6, HDR_CIPHER = 8, HDR_MODE = 40, HDR_HASH = 72, HDR_PAYLOAD = 104, HDR_KEY_BYTES = 108, HDR_DIGEST = 112,
       HDR_SALT = 132, HDR_ITERATIONS = 164, HDR_UUID = 168, HDR_SLOTS = 208, SLOT_BYTES = 48, SLOT_ITERATIONS = 4, SLOT_SALT = 8,
       SLOT_MATERIAL = 40, SLOT_STRIPES = 44 };
#define SLOT_ACTIVE     0x00ac71f3U
#define SLOT_INACTIVE   0x0000deadU
#define MATERIAL_FIRST  8               /* sectors: where the first slot's key material is */
#define MATERIAL_ALIGN  4096
#define MIN_ITERATIONS  1000

/* --- the anti-forensic splitter (LUKS, 2.4) --- */

/* Each piece of the hash's size becomes its hash with its number before it. */
static void diffuse(const char *hash, uint8_t *block, size_t len)
{
    size_t bytes = kdf_hash_bytes(hash);
    uint8_t out[KDF_HASH_MAX], number[4];

    for (size_t at = 0, i = 0; at < len; at += bytes, i++) {
        size_t n = MIN(bytes, len - at);

        store_be32(number, i);
        kdf_hash(hash, number, sizeof(number), block + at, n, out);
        memcpy(block + at, out, n);
    }
}

/* All stripes but the last, xor'ed and diffused, into @d. */
static void fold(const char *hash, const uint8_t *material, uint32_t stripes, size_t len, uint8_t *d)
{
    memset(d, 0, len);
    for (uint32_t i = 0; i + 1 < stripes; i++) {
        for (size_t k = 0; k < len; k++) {
            d[k] ^= material[i * len + k];
        }
        diffuse(hash, d, len);
    }
}

static void merge(const char *hash, const uint8_t *material, uint32_t stripes, size_t len, uint8_t *key)
{
    fold(hash, material, stripes, len, key);
    for (size_t k = 0; k < len; k++) {
        key[k] ^= material[(stripes - 1) * len + k];
    }
}

static void split(const char *hash, const uint8_t *key, uint32_t stripes, size_t len, uint8_t *material)
{
    uint8_t d[SECTOR_CIPHER_KEY_MAX];

    guest_random_bytes(material, (stripes - 1) * len);
    fold(hash, material, stripes, len, d);
    for (size_t k = 0; k < len; k++) {
        material[(stripes - 1) * len + k] = d[k] ^ key[k];
    }
    explicit_bzero(d, sizeof(d));
}

/* --- reading --- */

/* Of a slot whose number of stripes is known: its material is between the header and the data. */
static bool has_place(const LuksHeader *h, const LuksSlot *s)
{
    uint64_t material = ALIGN_UP((uint64_t)h->key_bytes * LUKS_STRIPES, UINT64_C(512));

    return s->material >= 2 && s->material * UINT64_C(512) + material <= h->payload * UINT64_C(512);
}

static bool check_header(const LuksHeader *h, int64_t length, Error **errp)
{
    if (!kdf_hash_bytes(h->hash)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "the hash (byte 72) is '%.32s'; accepted: sha1, sha256, sha512", h->hash);
        return false;
    }
    if (h->key_bytes < 16 || h->key_bytes > SECTOR_CIPHER_KEY_MAX) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the key (byte 108) has %u bytes; accepted: 16 to %d", h->key_bytes, SECTOR_CIPHER_KEY_MAX);
        return false;
    }
    if (h->payload < 2 || (int64_t)h->payload * 512 > length) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the data (byte 104) begins at sector %u of a file of %" PRId64 " bytes", h->payload, length);
        return false;
    }
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        const LuksSlot *s = &h->slots[i];

        if (s->active && (s->stripes != LUKS_STRIPES || s->iterations == 0 || s->iterations > LUKS_MAX_ITERATIONS ||
                          !has_place(h, s))) {
            error_setf(errp, ERR_IMAGE_CORRUPT, "key slot %u has %u iterations, %u stripes, its material at sector %u; accepted: up to %d "
                       "iterations, %d stripes, a place before the data", i, s->iterations, s->stripes, s->material, LUKS_MAX_ITERATIONS,
                       LUKS_STRIPES);
            return false;
        }
    }
    if (h->digest_iterations == 0 || h->digest_iterations > LUKS_MAX_ITERATIONS) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the key's digest (byte 164) has %u iterations; accepted: 1 to %d", h->digest_iterations,
                   LUKS_MAX_ITERATIONS);
        return false;
    }
    return true;
}

bool coroutine_fn luks_read_header(BlockNode *file, uint64_t base, int64_t length, LuksHeader *h, Error **errp)
{
    uint8_t b[LUKS_HEADER_BYTES];

    memset(h, 0, sizeof(*h));
    h->base = base;
    if (!format_load(file, base, b, sizeof(b), errp)) {
        return false;
    }
    if (memcmp(b, magic, sizeof(magic))) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the file doesn't begin with 'LUKS\\xba\\xbe': it is no LUKS volume");
        return false;
    }
    if (load_be16(b + HDR_VERSION) != 1) {
        error_setf(errp, ERR_NOT_SUPPORTED, "the version (byte 6) is %u; accepted: 1", load_be16(b + HDR_VERSION));
        return false;
    }
    memcpy(h->cipher, b + HDR_CIPHER, 32);
    memcpy(h->mode, b + HDR_MODE, 32);
    memcpy(h->hash, b + HDR_HASH, 32);
    memcpy(h->uuid, b + HDR_UUID, 40);
    h->payload = load_be32(b + HDR_PAYLOAD);
    h->key_bytes = load_be32(b + HDR_KEY_BYTES);
    h->digest_iterations = load_be32(b + HDR_ITERATIONS);
    memcpy(h->digest, b + HDR_DIGEST, LUKS_DIGEST_BYTES);
    memcpy(h->digest_salt, b + HDR_SALT, LUKS_SALT_BYTES);
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        const uint8_t *s = b + HDR_SLOTS + i * SLOT_BYTES;

        h->slots[i] = (LuksSlot){ load_be32(s) == SLOT_ACTIVE, load_be32(s + SLOT_ITERATIONS), load_be32(s + SLOT_MATERIAL),
                                  load_be32(s + SLOT_STRIPES), { 0 } };
        memcpy(h->slots[i].salt, s + SLOT_SALT, LUKS_SALT_BYTES);
    }
    return check_header(h, length, errp);
}

/* --- passwords --- */

typedef struct Kdf {
    const char *hash;
    const uint8_t *password, *salt;
    size_t password_len, out_len;
    uint32_t iterations;
    uint8_t *out;
} Kdf;

static int kdf_job(void *opaque)
{
    Kdf *k = opaque;

    kdf_pbkdf2(k->hash, k->password, k->password_len, k->salt, LUKS_SALT_BYTES, k->iterations, k->out, k->out_len);
    return 0;
}

static void coroutine_fn derive(const char *hash, const uint8_t *password, size_t password_len, const uint8_t *salt, uint32_t iterations,
                                uint8_t *out, size_t out_len)
{
    Kdf k = { hash, password, salt, password_len, out_len, iterations, out };

    thread_pool_co(kdf_job, &k);
}

/* LUKS, figure 5: what a slot's material gives with the password. @key: the candidate. */
static bool coroutine_fn open_slot(BlockNode *file, const LuksHeader *h, const LuksSlot *s, const uint8_t *password, size_t len,
                                   uint8_t *key, Error **errp)
{
    size_t bytes = ALIGN_UP((size_t)h->key_bytes * s->stripes, (size_t)512);
    uint8_t slot_key[SECTOR_CIPHER_KEY_MAX], *material;
    SectorCipher *c;
    bool ok;

    derive(h->hash, password, len, s->salt, s->iterations, slot_key, h->key_bytes);
    c = sector_cipher_new(h->cipher, h->mode, slot_key, h->key_bytes, errp);
    explicit_bzero(slot_key, sizeof(slot_key));
    if (!c) {
        return false;
    }
    material = g_malloc(bytes);
    ok = format_load(file, h->base + s->material * UINT64_C(512), material, bytes, errp);
    if (ok) {
        sector_cipher_run(c, false, 0, material, bytes);
        merge(h->hash, material, s->stripes, h->key_bytes, key);
    }
    sector_cipher_free(c);
    explicit_bzero(material, bytes);
    g_free(material);
    return ok;
}

/* Whether slot @i opens with the password; then @key has the volume's. False with errp set: it can't be told. */
static bool coroutine_fn try_slot(BlockNode *file, const LuksHeader *h, unsigned i, const uint8_t *password, size_t len, uint8_t *key,
                                  bool *opens, Error **errp)
{
    uint8_t digest[LUKS_DIGEST_BYTES];

    if (!open_slot(file, h, &h->slots[i], password, len, key, errp)) {
        return false;
    }
    derive(h->hash, key, h->key_bytes, h->digest_salt, h->digest_iterations, digest, sizeof(digest));
    *opens = !memcmp(digest, h->digest, sizeof(digest));
    if (!*opens) {
        explicit_bzero(key, h->key_bytes);
    }
    return true;
}

bool coroutine_fn luks_slot_opens(BlockNode *file, const LuksHeader *h, unsigned i, const uint8_t *password, size_t len, bool *opens,
                                  Error **errp)
{
    uint8_t key[SECTOR_CIPHER_KEY_MAX];
    bool ok = try_slot(file, h, i, password, len, key, opens, errp);

    explicit_bzero(key, sizeof(key));
    return ok;
}

bool coroutine_fn luks_find_key(BlockNode *file, const LuksHeader *h, const uint8_t *password, size_t len, uint8_t *key, Error **errp)
{
    bool opens = false;

    for (unsigned i = 0; i < LUKS_SLOTS && !opens; i++) {
        if (h->slots[i].active && !try_slot(file, h, i, password, len, key, &opens, errp)) {
            return false;
        }
    }
    if (!opens) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Invalid password, cannot unlock any keyslot");
    }
    return opens;
}

SectorCipher *coroutine_fn luks_unlock(BlockNode *file, const LuksHeader *h, const uint8_t *password, size_t len, Error **errp)
{
    uint8_t key[SECTOR_CIPHER_KEY_MAX];
    SectorCipher *c = NULL;

    if (luks_find_key(file, h, password, len, key, errp)) {
        c = sector_cipher_new(h->cipher, h->mode, key, h->key_bytes, errp);
    }
    explicit_bzero(key, sizeof(key));
    return c;
}

/* --- making --- */

/* How many take about @ms of this machine's time. */
static uint32_t iterations_for(const char *hash, size_t key_bytes, uint64_t ms)
{
    uint8_t key[SECTOR_CIPHER_KEY_MAX], salt[LUKS_SALT_BYTES] = { 1 };
    uint32_t n = 1 << 10;
    struct timespec a, b;
    double took, wanted;

    for (;;) {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
        kdf_pbkdf2(hash, salt, 16, salt, sizeof(salt), n, key, key_bytes);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
        took = (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6;
        if (took > 20 || n >= LUKS_MAX_ITERATIONS / 2) {
            break;
        }
        n *= 2;
    }
    wanted = n * (ms / MAX(took, 0.001));
    return wanted < MIN_ITERATIONS ? MIN_ITERATIONS : wanted > LUKS_MAX_ITERATIONS ? LUKS_MAX_ITERATIONS : (uint32_t)wanted;
}

static void make_uuid(char *b)
{
    uint8_t u[16];

    guest_random_bytes(u, sizeof(u));
    u[6] = (u[6] & 0x0f) | 0x40;
    u[8] = (u[8] & 0x3f) | 0x80;
    snprintf(b, 41, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2], u[3], u[4], u[5], u[6],
             u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

bool coroutine_fn luks_write_header(BlockNode *file, const LuksHeader *h, Error **errp)
{
    uint8_t b[1024] = { 0 };

    memcpy(b, magic, sizeof(magic));
    store_be16(b + HDR_VERSION, 1);
    memcpy(b + HDR_CIPHER, h->cipher, 32);
    memcpy(b + HDR_MODE, h->mode, 32);
    memcpy(b + HDR_HASH, h->hash, 32);
    memcpy(b + HDR_UUID, h->uuid, 40);
    store_be32(b + HDR_PAYLOAD, h->payload);
    store_be32(b + HDR_KEY_BYTES, h->key_bytes);
    store_be32(b + HDR_ITERATIONS, h->digest_iterations);
    memcpy(b + HDR_DIGEST, h->digest, LUKS_DIGEST_BYTES);
    memcpy(b + HDR_SALT, h->digest_salt, LUKS_SALT_BYTES);
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        uint8_t *s = b + HDR_SLOTS + i * SLOT_BYTES;

        store_be32(s, h->slots[i].active ? SLOT_ACTIVE : SLOT_INACTIVE);
        store_be32(s + SLOT_ITERATIONS, h->slots[i].iterations);
        memcpy(s + SLOT_SALT, h->slots[i].salt, LUKS_SALT_BYTES);
        store_be32(s + SLOT_MATERIAL, h->slots[i].material);
        store_be32(s + SLOT_STRIPES, h->slots[i].stripes);
    }
    return format_store(file, h->base, b, LUKS_HEADER_BYTES, errp);
}

bool coroutine_fn luks_fill_slot(BlockNode *file, LuksHeader *h, unsigned i, const uint8_t *password, size_t len, const uint8_t *key,
                                 uint64_t iter_time_ms, Error **errp)
{
    size_t bytes = ALIGN_UP((size_t)h->key_bytes * LUKS_STRIPES, (size_t)512);
    uint8_t slot_key[SECTOR_CIPHER_KEY_MAX], *material;
    LuksSlot *s = &h->slots[i];
    SectorCipher *c;
    bool ok;

    if (!has_place(h, s)) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "key slot %u has its material at sector %u, which is no place before the data", i, s->material);
        return false;
    }
    s->active = true;
    s->stripes = LUKS_STRIPES;
    s->iterations = iterations_for(h->hash, h->key_bytes, iter_time_ms);
    guest_random_bytes(s->salt, LUKS_SALT_BYTES);
    derive(h->hash, password, len, s->salt, s->iterations, slot_key, h->key_bytes);
    c = sector_cipher_new(h->cipher, h->mode, slot_key, h->key_bytes, errp);
    explicit_bzero(slot_key, sizeof(slot_key));
    if (!c) {
        return false;
    }
    material = g_malloc0(bytes);
    split(h->hash, key, LUKS_STRIPES, h->key_bytes, material);
    sector_cipher_run(c, true, 0, material, bytes);
    ok = format_store(file, h->base + s->material * UINT64_C(512), material, bytes, errp);
    sector_cipher_free(c);
    g_free(material);
    return ok;
}

bool coroutine_fn luks_erase_slot(BlockNode *file, LuksHeader *h, unsigned i, Error **errp)
{
    size_t bytes = ALIGN_UP((size_t)h->key_bytes * LUKS_STRIPES, (size_t)512);
    LuksSlot *s = &h->slots[i];
    uint8_t *noise = g_malloc(bytes);
    bool ok;

    guest_random_bytes(noise, bytes);
    ok = format_store(file, h->base + s->material * UINT64_C(512), noise, bytes, errp);
    g_free(noise);
    *s = (LuksSlot){ .material = s->material, .stripes = s->stripes };
    return ok;
}

static uint32_t slot_sectors(const LuksChoice *c)
{
    return ALIGN_UP((size_t)c->key_bytes * LUKS_STRIPES, (size_t)MATERIAL_ALIGN) / 512;
}

uint64_t luks_header_bytes(const LuksChoice *c)
{
    return (MATERIAL_FIRST + LUKS_SLOTS * slot_sectors(c)) * UINT64_C(512);
}

bool coroutine_fn luks_make_header(BlockNode *file, const LuksChoice *choice, const uint8_t *password, size_t len, uint64_t *payload,
                                   Error **errp)
{
    LuksHeader h = { .base = choice->base, .payload = luks_header_bytes(choice) / 512, .key_bytes = choice->key_bytes };
    uint8_t key[SECTOR_CIPHER_KEY_MAX];
    bool ok;

    if (!kdf_hash_bytes(choice->hash)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "there is no hash '%s'; accepted: sha1, sha256, sha512", choice->hash);
        return false;
    }
    g_strlcpy(h.cipher, choice->cipher, 32);
    g_strlcpy(h.mode, choice->mode, 32);
    g_strlcpy(h.hash, choice->hash, 32);
    make_uuid(h.uuid);
    guest_random_bytes(h.digest_salt, LUKS_SALT_BYTES);
    guest_random_bytes(key, h.key_bytes);
    for (unsigned i = 0; i < LUKS_SLOTS; i++) {
        h.slots[i] = (LuksSlot){ .material = MATERIAL_FIRST + i * slot_sectors(choice), .stripes = LUKS_STRIPES };
    }
    ok = luks_fill_slot(file, &h, 0, password, len, key, choice->iter_time_ms, errp);
    if (ok) {
        /* LUKS, 3.2: the digest's is an eighth of the time. */
        h.digest_iterations = MAX(h.slots[0].iterations / 8, (uint32_t)MIN_ITERATIONS);
        derive(h.hash, key, h.key_bytes, h.digest_salt, h.digest_iterations, h.digest, LUKS_DIGEST_BYTES);
        ok = luks_write_header(file, &h, errp);
    }
    explicit_bzero(key, sizeof(key));
    *payload = h.payload * UINT64_C(512);
    return ok;
}
