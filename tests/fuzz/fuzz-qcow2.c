/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a qcow2 image: it is refused, or opened, read, written, given and
 * taken snapshots, resized, checked, mended, and opened again. What was written
 * without an error reads back. The last 32 bytes choose what happens.
 * Damage is told on stderr: -close_fd_mask=2 keeps that away.
 */
#include "util/osdep.h"
#include <unistd.h>
#include "qobject/error.h"
#include "tests/fuzz/image.h"
#include "util/main-loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
FUZZ_IMAGES_BEGIN

#define CHOICES     32
#define MAX_FILE    (64 * MIB)          /* larger ones are only read */

typedef struct Run {
    BlockNode *n;
    const uint8_t *choice;
    bool write;
} Run;

static void coroutine_fn entry(void *opaque)
{
    Run *r = opaque;
    BlockStatus st;
    BlockNode *where;
    unsigned depth;

    for (int i = 0; i < 4; i++) {
        fuzz_image_io(r->n, r->choice + i * FUZZ_IO_CHOICES, r->write && i);
    }
    if (block_length(r->n) > 0) {
        block_co_chain_status(r->n, 0, block_length(r->n), &st, &where, &depth);
    }
    if (r->write) {
        block_co_flush(r->n);
    }
}

static void coroutine_fn check_entry(void *opaque)
{
    Run *r = opaque;
    BlockCheck result = { 0 };
    BlockFormatInfo f;
    Error *err = NULL;

    r->n->drv->info(r->n, &f);
    if (f.cluster_size <= 65536) {
        r->n->drv->co_check(r->n, r->write ? BLOCK_FIX_ERRORS | BLOCK_FIX_LEAKS : 0, &result, &err);
        error_free(err);
    }
}

static void snapshots(BlockNode *n, const uint8_t *c)
{
    BlockSnapshot s = { .name = (char *)"new" };
    size_t count;
    BlockSnapshot *list = block_snapshot_list(n, &count, NULL);

    if (c[0] & 1) {
        block_vmstate_write(n, "state", c[1], 5, NULL);
        s.vm_state_size = 5;
        block_snapshot_create(n, &s, NULL);
        g_free(s.id);
    }
    if (c[0] & 2 && count) {
        block_snapshot_goto(n, list[0].id, NULL);
    }
    if (c[0] & 4 && count) {
        block_snapshot_delete(n, list[count - 1].id, NULL);
    }
    block_snapshot_list_free(list, count);
}

static BlockNode *open_image(const char *path, bool write, bool check)
{
    QDict *d = qdict_from_fmt("{'driver': 'qcow2', 'backing': null, 'discard': 'unmap', 'read-only': %i, "
                              "'x-check-only': %i, 'l2-cache-size': 8192, 'refcount-cache-size': 8192, "
                              "'file': {'driver': 'file', 'filename': %s, 'locking': 'off'}}",
                              (int)!write, (int)check, path);

    return fuzz_image_open(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *c = data + size - CHOICES;
    char path[64];
    Run r = { 0 };
    int fd;

    if (size < CHOICES) {
        return 0;
    }
    fd = fuzz_image_file(path, data, size - CHOICES, 512);
    for (int pass = 0; pass < 3; pass++) {
        r = (Run){ .choice = c, .write = pass < 2 };
        r.n = open_image(path, r.write, pass == 1);
        if (!r.n) {
            continue;
        }
        block_run(entry, &r);
        if (r.write) {
            snapshots(r.n, c + 20);
            if (c[24] & 1) {
                block_truncate(r.n, (uint64_t)(c[25] << 8 | c[26]) << 12, NULL);
            }
        }
        if (pass) {
            block_run(check_entry, &r);
        }
        block_run(entry, &r);
        block_node_unref(r.n);
    }
    fuzz_image_settle();
    close(fd);
    return 0;
}
