/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as an image of vdi, vpc, vmdk or vhdx: it is refused with a word, or opened, read, written, checked, and opened again.
 * The last bytes choose: format, whether checksums are put right, and what is done. A VHDX image's parts are far from each other:
 * each 4 KiB of the input is one of them.
 * Damage is told on stderr: -close_fd_mask=2 keeps that away.
 */
#include "util/osdep.h"
#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "block/block.h"
#include "qobject/error.h"
#include "util/bswap.h"
#include "util/crc32c.h"
#include "util/main-loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define CHOICES     16
#define INPUT_MAX   (256 * KIB)

static const char *const formats[] = { "vdi", "vpc", "vmdk", "vhdx" };

typedef struct Run {
    BlockNode *n;
    const uint8_t *choice;
    bool write;
} Run;

static void put(int fd, uint64_t at, const void *b, size_t len)
{
    if (pwrite(fd, b, len, at) != (ssize_t)len) {
        abort();
    }
}

static void get(int fd, uint64_t at, void *b, size_t len)
{
    memset(b, 0, len);
    if (pread(fd, b, len, at) < 0) {
        abort();
    }
}

static void put_vhdx(int fd, const uint8_t *data, size_t size)
{
    static const uint32_t parts[] = { 0, 64, 128, 192, 256, 1024, 1028, 2048, 2112, 3072, 4096 };       /* KiB */

    for (size_t i = 0; i < ARRAY_SIZE(parts) && i * 4096 < size; i++) {
        put(fd, parts[i] * KIB, data + i * 4096, MIN(size - i * 4096, (size_t)4096));
    }
    if (ftruncate(fd, 6 * MIB) < 0) {
        abort();
    }
}

static void mend_vhdx(int fd)
{
    static const struct { uint64_t at; size_t len; } sums[] = {
        { 64 * KIB, 4096 }, { 128 * KIB, 4096 }, { 192 * KIB, 64 * KIB }, { 256 * KIB, 64 * KIB }, { MIB, 8192 },
    };
    uint8_t *b = g_malloc(64 * KIB);

    for (size_t i = 0; i < ARRAY_SIZE(sums); i++) {
        get(fd, sums[i].at, b, sums[i].len);
        store_le32(b + 4, 0);
        store_le32(b + 4, crc32c(0, b, sums[i].len));
        put(fd, sums[i].at + 4, b + 4, 4);
    }
    g_free(b);
}

static void mend_vpc(int fd)
{
    uint8_t b[1024];

    for (int i = 0; i < 2; i++) {           /* the footer's copy, the dynamic header */
        size_t len = i ? 1024 : 512, where = i ? 36 : 64;
        uint32_t sum = 0;

        get(fd, i * 512, b, len);
        for (size_t k = 0; k < len; k++) {
            sum += k >= where && k < where + 4 ? 0 : b[k];
        }
        store_be32(b, ~sum);
        put(fd, i * 512 + where, b, 4);
    }
}

static void coroutine_fn io(Run *r, const uint8_t *c, bool write)
{
    uint64_t length = block_length(r->n), len = (c[0] + 1) * UINT64_C(512), offset;
    struct iovec v;
    uint8_t *b;

    if (length < len) {
        return;
    }
    offset = c[1] & 1 ? length - len : ((uint64_t)c[2] << 13 | c[1]) % (length - len + 1);
    b = g_malloc0(len);
    v = (struct iovec){ b, len };
    if (!write) {
        block_co_preadv(r->n, offset, &v, 1);
    } else if (c[1] & 2) {
        block_co_zero(r->n, offset, len, 0);
    } else {
        memset(b, 0xa5, len);
        block_co_pwritev(r->n, offset, &v, 1);
    }
    g_free(b);
}

static void coroutine_fn entry(void *opaque)
{
    Run *r = opaque;
    BlockCheck result = { 0 };
    BlockStatus st;
    Error *err = NULL;

    for (int i = 0; i < 4; i++) {
        io(r, r->choice + 2 + i * 3, r->write && i);
    }
    if (block_length(r->n) > 0) {
        block_co_status(r->n, 0, MIN(block_length(r->n), (int64_t)GIB), &st);
    }
    if (block_length(r->n) < (int64_t)(4 * GIB)) {
        r->n->drv->co_check(r->n, 0, &result, &err);
        error_free(err);
    }
    if (r->write) {
        block_co_flush(r->n);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    main_loop_init();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *c = data + size - CHOICES;
    const char *format;
    char path[64];
    int fd;

    if (size < CHOICES || size > INPUT_MAX) {
        return 0;
    }
    format = formats[c[0] % ARRAY_SIZE(formats)];
    fd = memfd_create("image", MFD_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd < 0) {
        abort();
    }
    if (!strcmp(format, "vhdx")) {
        put_vhdx(fd, data, size - CHOICES);
    } else {
        put(fd, 0, data, size - CHOICES);
        if (ftruncate(fd, ALIGN_UP(size, (size_t)4096)) < 0) {
            abort();
        }
    }
    if (c[1] & 1) {
        if (!strcmp(format, "vhdx")) {
            mend_vhdx(fd);
        } else if (!strcmp(format, "vpc")) {
            mend_vpc(fd);
        }
    }
    for (int pass = 0; pass < 2; pass++) {
        QDict *d = qdict_from_fmt("{'driver': %s, 'read-only': %i, 'file': {'driver': 'file', 'filename': %s, 'locking': 'off'}}",
                                  format, pass, path);
        Run r = { .choice = c, .write = !pass };
        Error *err = NULL;

        r.n = block_node_open(d, &err);
        if (r.n) {
            block_run(entry, &r);
            block_node_unref(r.n);
        } else if (!err || !*error_message(err)) {
            abort();                        /* refused without a word */
        }
        error_free(err);
        qobject_unref(d);
    }
    while (main_loop_iterate(false)) {
    }
    close(fd);
    return 0;
}
