/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as an image of vdi, vpc, vmdk or vhdx: it is refused with a word, or opened, read, written, checked, and opened again.
 * The last bytes choose: format, whether checksums are put right, and what is done. A VHDX image's parts are far from each other:
 * each 4 KiB of the input is one of them. A VMDK descriptor lies in a folder with a file "a" of the same bytes.
 * Damage is told on stderr: -close_fd_mask=2 keeps that away.
 */
#include "util/osdep.h"
#include <unistd.h>
#include "qobject/error.h"
#include "tests/fuzz/image.h"
#include "util/bswap.h"
#include "util/crc32c.h"
#include "util/main-loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
FUZZ_IMAGES_BEGIN

#define CHOICES     24
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

static void coroutine_fn entry(void *opaque)
{
    Run *r = opaque;
    BlockCheck result = { 0 };
    BlockStatus st;
    Error *err = NULL;

    for (int i = 0; i < 4; i++) {
        fuzz_image_io(r->n, r->choice + 2 + i * FUZZ_IO_CHOICES, r->write && i);
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

/* A folder for a descriptor, and @path in it. */
static char *put_descriptor(char path[64], const uint8_t *data, size_t size)
{
    char *dir = g_dir_make_tmp("fuzz-growing-XXXXXX", NULL), *other;

    if (!dir || strlen(dir) > 50) {
        abort();
    }
    snprintf(path, 64, "%s/d", dir);
    other = g_build_filename(dir, "a", NULL);
    if (!g_file_set_contents(path, (const char *)data, size, NULL) || !g_file_set_contents(other, (const char *)data, size, NULL)) {
        abort();
    }
    g_free(other);
    return dir;
}

static void remove_folder(char *dir)
{
    static const char *const names[] = { "a", "d" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char *path = g_build_filename(dir, names[i], NULL);

        unlink(path);
        g_free(path);
    }
    rmdir(dir);
    g_free(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *c = data + size - CHOICES;
    const char *format;
    char path[64], *dir = NULL;
    int fd = -1;

    if (size < CHOICES || size > INPUT_MAX) {
        return 0;
    }
    format = formats[c[0] % ARRAY_SIZE(formats)];
    if (!strcmp(format, "vhdx")) {
        fd = fuzz_image_file(path, data, 0, 4096);
        put_vhdx(fd, data, size - CHOICES);
    } else if (!strcmp(format, "vmdk") && *data == '#') {
        dir = put_descriptor(path, data, size - CHOICES);
    } else {
        fd = fuzz_image_file(path, data, size - CHOICES, 4096);
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

        r.n = fuzz_image_open(d);
        if (r.n) {
            block_run(entry, &r);
            block_node_unref(r.n);
        }
    }
    fuzz_image_settle();
    if (dir) {
        remove_folder(dir);
    } else {
        close(fd);
    }
    return 0;
}
