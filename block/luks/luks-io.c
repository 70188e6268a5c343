/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of encrypted data: sectors of 512 bytes by their number; requests of less read and write whole ones. */
#include "util/osdep.h"
#include <glib.h>
#include "block/luks/luks.h"
#include "util/iov.h"
#include "util/thread-pool.h"

#define PIECE           (256 * KIB)     /* of a request, at once in memory */
#define INLINE_BYTES    (8 * KIB)       /* so much isn't worth a thread */

typedef struct Crypt {
    const SectorCipher *cipher;
    bool encrypt;
    uint64_t sector;
    uint8_t *buf;
    size_t len;
} Crypt;

static int crypt_job(void *opaque)
{
    Crypt *j = opaque;

    sector_cipher_run(j->cipher, j->encrypt, j->sector, j->buf, j->len);
    return 0;
}

static void coroutine_fn run_cipher(LuksIo *io, bool encrypt, uint64_t offset, uint8_t *buf, size_t len)
{
    Crypt j = { io->cipher, encrypt, offset / 512, buf, len };

    if (len <= INLINE_BYTES) {
        crypt_job(&j);
    } else {
        thread_pool_co(crypt_job, &j);
    }
}

/* Whole sectors. */
static int coroutine_fn read_sectors(LuksIo *io, BlockNode *file, uint64_t offset, uint8_t *buf, size_t len)
{
    struct iovec v = { buf, len };
    int r = block_co_preadv(file, io->payload + offset, &v, 1);

    if (r == 0) {
        run_cipher(io, false, offset, buf, len);
    }
    return r;
}

int coroutine_fn luks_io_read(LuksIo *io, BlockNode *file, uint64_t offset, const struct iovec *iov, size_t niov)
{
    size_t len = iov_size(iov, niov), done = 0;
    uint8_t *buf = g_malloc(MIN(ALIGN_UP(len + 1024, (size_t)512), (size_t)PIECE));
    int r = 0;

    while (done < len && r == 0) {
        uint64_t start = ALIGN_DOWN(offset + done, UINT64_C(512)), skip = offset + done - start;
        size_t part = MIN(len - done, PIECE - skip);

        r = read_sectors(io, file, start, buf, ALIGN_UP(skip + part, UINT64_C(512)));
        if (r == 0) {
            iov_from_buf(iov, niov, done, buf + skip, part);
        }
        done += part;
    }
    g_free(buf);
    return r;
}

/* A piece of at most PIECE bytes, with the rest of its first and last sectors as they were. */
static int coroutine_fn write_piece(LuksIo *io, BlockNode *file, uint64_t offset, const struct iovec *iov, size_t niov, size_t at,
                                    size_t part, uint8_t *buf)
{
    uint64_t start = ALIGN_DOWN(offset, UINT64_C(512)), skip = offset - start;
    size_t whole = ALIGN_UP(skip + part, UINT64_C(512));
    struct iovec v = { buf, whole };
    int r = 0;

    if (skip) {
        r = read_sectors(io, file, start, buf, 512);
    }
    if (r == 0 && (skip + part) % 512 && (whole > 512 || !skip)) {
        r = read_sectors(io, file, start + whole - 512, buf + whole - 512, 512);
    }
    if (r < 0) {
        return r;
    }
    iov_to_buf(iov, niov, at, buf + skip, part);
    run_cipher(io, true, start, buf, whole);
    return block_co_pwritev(file, io->payload + start, &v, 1);
}

int coroutine_fn luks_io_write(LuksIo *io, BlockNode *file, uint64_t offset, const struct iovec *iov, size_t niov)
{
    size_t len = iov_size(iov, niov), done = 0;
    uint8_t *buf = g_malloc(MIN(ALIGN_UP(len + 1024, (size_t)512), (size_t)PIECE));
    bool partial = (offset | len) % 512;
    int r = 0;

    if (partial) {
        co_mutex_lock(&io->partial);
    }
    while (done < len && r == 0) {
        size_t part = MIN(len - done, PIECE - (offset + done) % 512);

        r = write_piece(io, file, offset + done, iov, niov, done, part, buf);
        done += part;
    }
    if (partial) {
        co_mutex_unlock(&io->partial);
    }
    g_free(buf);
    return r;
}

void luks_io_init(LuksIo *io)
{
    co_mutex_init(&io->partial);
}

void luks_io_free(LuksIo *io)
{
    co_mutex_destroy(&io->partial);
    sector_cipher_free(io->cipher);
}
