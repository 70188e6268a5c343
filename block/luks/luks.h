/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LUKS, version 1. Source: "LUKS On-Disk Format Specification" 1.2.3 ("LUKS").
 *
 *   luks-header.c  the header, keys and passwords       luks.c  the driver       luks-amend.c  passwords come and go
 *   luks-io.c      requests
 *
 * A volume is a file, or its header is in the file of another format (qcow2), somewhere, and the data elsewhere.
 */
#ifndef BLOCK_LUKS_LUKS_H
#define BLOCK_LUKS_LUKS_H

#include "block/block.h"
#include "crypto/sector-cipher.h"
#include "util/coroutine.h"

#define LUKS_SLOTS          8
#define LUKS_DIGEST_BYTES   20
#define LUKS_SALT_BYTES     32
#define LUKS_STRIPES        4000
#define LUKS_HEADER_BYTES   592
/* A password's slot that asks for more isn't tried: it would be minutes. */
#define LUKS_MAX_ITERATIONS 20000000

typedef struct LuksSlot {
    bool active;
    uint32_t iterations, material, stripes;     /* material: in sectors */
    uint8_t salt[LUKS_SALT_BYTES];
} LuksSlot;

typedef struct LuksHeader {
    uint64_t base;                  /* bytes: where in the file it is, and its slots' material from there on */
    char cipher[33], mode[33], hash[33], uuid[41];
    uint32_t payload, key_bytes, digest_iterations;     /* payload: in sectors */
    uint8_t digest[LUKS_DIGEST_BYTES], digest_salt[LUKS_SALT_BYTES];
    LuksSlot slots[LUKS_SLOTS];
} LuksHeader;

/* At @base; @length bytes from there on are the volume's, in which its data begins, if it isn't elsewhere. */
bool coroutine_fn luks_read_header(BlockNode *file, uint64_t base, int64_t length, LuksHeader *h, Error **errp);
/* The cipher for the payload, by a password for one of the slots. NULL with errp set. */
SectorCipher *coroutine_fn luks_unlock(BlockNode *file, const LuksHeader *h, const uint8_t *password, size_t len, Error **errp);

/* The volume's key, by a password for one of the slots; @key has room for SECTOR_CIPHER_KEY_MAX bytes. */
bool coroutine_fn luks_find_key(BlockNode *file, const LuksHeader *h, const uint8_t *password, size_t len, uint8_t *key, Error **errp);
/* Whether an active slot opens with the password. */
bool coroutine_fn luks_slot_opens(BlockNode *file, const LuksHeader *h, unsigned i, const uint8_t *password, size_t len, bool *opens,
                                  Error **errp);
/* A slot's key material is written, for a password or as noise, and the slot in @h becomes active or not; luks_write_header() is
 * due then. .material is set already. */
bool coroutine_fn luks_fill_slot(BlockNode *file, LuksHeader *h, unsigned i, const uint8_t *password, size_t len, const uint8_t *key,
                                 uint64_t iter_time_ms, Error **errp);
bool coroutine_fn luks_erase_slot(BlockNode *file, LuksHeader *h, unsigned i, Error **errp);
bool coroutine_fn luks_write_header(BlockNode *file, const LuksHeader *h, Error **errp);

#define LUKS_ITER_TIME_MS   2000        /* what trying a password takes, by default */
bool luks_check_iter_time(uint64_t ms, Error **errp);

/* luks-info.c: what query-block tells. */
struct ImageInfoSpecific *luks_specific(const LuksHeader *h);
struct QCryptoBlockInfoLUKS;
void luks_put_info(struct QCryptoBlockInfoLUKS *i, const LuksHeader *h);

/* luks-amend.c: passwords come and go, as @opts (BlockdevAmendOptionsLUKS) says. @secret: id of one that opens the volume. @h
 * is what the header was, and becomes what it is. */
bool coroutine_fn luks_amend(BlockNode *file, LuksHeader *h, const char *secret, const QDict *opts, bool force, Error **errp);

typedef struct LuksChoice {
    const char *cipher, *hash;
    char mode[33];
    uint32_t key_bytes;
    uint64_t iter_time_ms;
    uint64_t base;                  /* as LuksHeader.base */
} LuksChoice;
/* By the options "cipher-alg" and so on, which have to stay. */
bool luks_choose(LuksChoice *c, const QDict *opts, Error **errp);
/* Bytes of a header with its slots. */
uint64_t luks_header_bytes(const LuksChoice *c);
/* A header with the password in the first slot; *@payload is where the data begins, in bytes. */
bool coroutine_fn luks_make_header(BlockNode *file, const LuksChoice *c, const uint8_t *password, size_t len, uint64_t *payload,
                                   Error **errp);

/* Data: the sector with number i is at @payload + 512 * i of the file. */
typedef struct LuksIo {
    SectorCipher *cipher;           /* owned */
    uint64_t payload;
    CoMutex partial;                /* of writes of less than sectors */
} LuksIo;
void luks_io_init(LuksIo *io);
void luks_io_free(LuksIo *io);
int coroutine_fn luks_io_read(LuksIo *io, BlockNode *file, uint64_t offset, const struct iovec *iov, size_t niov);
int coroutine_fn luks_io_write(LuksIo *io, BlockNode *file, uint64_t offset, const struct iovec *iov, size_t niov);

#endif
