/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: internal snapshots and machine state, requests that overlap in time, resizing, mending. */
#include "util/osdep.h"
#include "tests/lib/image.h"
#include "util/coroutine.h"

static char *path_of(Test *t, const char *name)
{
    return g_build_filename(test_tmpdir(t), name, NULL);
}

static void fill(uint8_t *p, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        p[i] = (seed * 2654435761U + i * 40503U) >> 8 | 1;
    }
}

static bool make_snapshot(BlockNode *n, const char *name, uint64_t vm_state)
{
    BlockSnapshot s = { .name = (char *)name, .vm_state_size = vm_state, .date_sec = 1700000000,
                        .vm_clock_ns = 12345678901, .icount = UINT64_MAX };
    bool ok = block_snapshot_create(n, &s, NULL);

    g_free(s.id);
    return ok;
}

static void snapshots(Test *t, const char *opts)
{
    enum { SIZE = 3 * 1024 * 1024, STATE = 300000 };
    char *path = path_of(t, "s.qcow2"), *out = NULL, *args;
    uint8_t *a = g_malloc(SIZE), *b = g_malloc(SIZE), *got = g_malloc(SIZE), *state = g_malloc(STATE);
    BlockSnapshot *list;
    BlockNode *n;
    size_t count;

    fill(a, SIZE, 1);
    fill(b, SIZE, 2);
    fill(state, STATE, 3);
    image_create(t, path, SIZE, opts);
    n = image_open(t, path, "qcow2", NULL);
    if (!n) {
        return;
    }
    check_int(t, image_write(n, 0, a, SIZE), 0, "first content");
    check_true(t, block_vmstate_write(n, state, 0, STATE / 2, NULL) &&
               block_vmstate_write(n, state + STATE / 2, STATE / 2, STATE - STATE / 2, NULL),
               "machine state is written");
    check_true(t, make_snapshot(n, "one", STATE), "a snapshot is made");
    check_int(t, image_write(n, 1000, b, SIZE - 5000), 0, "other content");
    check_true(t, make_snapshot(n, "two", 0), "another one");
    check_int(t, image_zero(n, 0, SIZE / 2, BLOCK_ZERO_UNMAP), 0, "zeros");
    block_node_unref(n);
    image_must_be_sound(t, path, false, "after two snapshots");

    args = g_strdup_printf("snapshot -l '%s'", path);
    if (distribution_qemu_img(args, &out) == 0) {
        check_true(t, strstr(out, "one") && strstr(out, "two") && strstr(out, "00:00:12.345"),
                   "the distribution's qemu-img lists them");
    }
    g_free(out);
    g_free(args);

    n = image_open(t, path, "qcow2", NULL);
    list = block_snapshot_list(n, &count, NULL);
    check_true(t, count == 2 && list[0].vm_state_size == STATE && !strcmp(list[1].name, "two") &&
               list[0].disk_size == SIZE, "both are listed");
    block_snapshot_list_free(list, count);
    check_true(t, block_snapshot_goto(n, "one", NULL), "back to the first");
    check_int(t, image_read(n, 0, got, SIZE), 0, "a read");
    check_mem(t, got, a, SIZE, "gives the first content");
    memset(got, 0, STATE);
    check_true(t, block_vmstate_read(n, got, 0, STATE, NULL), "machine state is read");
    check_mem(t, got, state, STATE, "as it was written");
    check_int(t, image_write(n, 0, b, 70000), 0, "a write to it");
    check_true(t, block_snapshot_goto(n, "2", NULL), "to the second, by id");
    memcpy(a + 1000, b, SIZE - 5000);
    check_int(t, image_read(n, 0, got, SIZE), 0, "a read");
    check_mem(t, got, a, SIZE, "gives what was there then");
    check_true(t, block_snapshot_delete(n, "one", NULL), "the first goes");
    check_true(t, !block_snapshot_goto(n, "one", NULL), "and isn't there any more");
    block_node_unref(n);
    image_must_be_sound(t, path, false, "after deleting one");

    n = image_open(t, path, "qcow2", NULL);
    check_int(t, image_read(n, 0, got, SIZE), 0, "a read");
    check_mem(t, got, a, SIZE, "the content stays");
    check_true(t, block_snapshot_delete(n, "two", NULL), "the second goes");
    block_node_unref(n);
    image_must_be_sound(t, path, false, "without snapshots");
    g_free(path);
    g_free(a);
    g_free(b);
    g_free(got);
    g_free(state);
}

TEST(qcow2, snapshots)
{
    main_loop_init();
    snapshots(t, "");
    snapshots(t, "'compat': '0.10'");
    snapshots(t, "'cluster_size': 512");
    snapshots(t, "'cluster_size': 512, 'refcount_bits': 64");
    snapshots(t, "'cluster_size': 4096, 'lazy_refcounts': true");
    snapshots(t, "'extended_l2': true, 'cluster_size': 32768");
}

TEST(qcow2, snapshots_of_the_distribution)
{
    char *path = path_of(t, "d.qcow2"), *args = g_strdup_printf("create -f qcow2 '%s' 4M", path);
    uint8_t *a = g_malloc(MIB), *got = g_malloc(MIB);
    BlockNode *n;

    main_loop_init();
    if (distribution_qemu_img(args, NULL) != 0) {
        test_skip(t, "there is no qemu-img");
        return;
    }
    n = image_open(t, path, "qcow2", NULL);
    fill(a, MIB, 5);
    check_int(t, image_write(n, MIB, a, MIB), 0, "a write");
    block_node_unref(n);
    g_free(args);
    args = g_strdup_printf("snapshot -c theirs '%s'", path);
    check_int(t, distribution_qemu_img(args, NULL), 0, "their snapshot");
    n = image_open(t, path, "qcow2", NULL);
    memset(got, 0xee, MIB);
    check_int(t, image_write(n, MIB, got, MIB), 0, "an overwrite");
    check_true(t, block_snapshot_goto(n, "theirs", NULL), "back to their snapshot");
    check_int(t, image_read(n, MIB, got, MIB), 0, "a read");
    check_mem(t, got, a, MIB, "as it was");
    check_true(t, make_snapshot(n, "ours", 0), "our snapshot");
    block_node_unref(n);
    g_free(args);
    args = g_strdup_printf("snapshot -d theirs '%s'", path);
    check_int(t, distribution_qemu_img(args, NULL), 0, "theirs is deleted by them");
    g_free(args);
    args = g_strdup_printf("snapshot -a ours '%s'", path);
    check_int(t, distribution_qemu_img(args, NULL), 0, "ours is applied by them");
    image_must_be_sound(t, path, false, "by both");
    g_free(args);
    g_free(path);
    g_free(a);
    g_free(got);
}

/* --- many requests at a time --- */

enum { WRITERS = 24, ROUNDS = 60, SLOT = 1536 };

typedef struct Writer {
    BlockNode *n;
    unsigned id;
    unsigned *running;
    int result;
    bool done;
} Writer;

/* Each owns every WRITERS-th slot: clusters are shared, bytes aren't. */
static void coroutine_fn writer(void *opaque)
{
    Writer *w = opaque;
    uint8_t buf[SLOT];
    struct iovec v = { buf, SLOT };

    for (unsigned i = 0; i < ROUNDS && w->result == 0; i++) {
        uint64_t slot = ((i * 7919) % ROUNDS) * WRITERS + w->id;

        fill(buf, SLOT, slot);
        w->result = block_co_pwritev(w->n, slot * SLOT, &v, 1);
        if (w->result == 0 && i % 16 == 5) {
            w->result = block_co_flush(w->n);
        }
        if (w->result == 0 && i % 8 == 3) {
            uint8_t want[SLOT];

            fill(want, SLOT, slot);
            memset(buf, 0, SLOT);
            w->result = block_co_preadv(w->n, slot * SLOT, &v, 1);
            if (w->result == 0 && memcmp(buf, want, SLOT)) {
                w->result = -EILSEQ;
            }
        }
    }
    --*w->running;
    w->done = *w->running == 0;
}

static void overlapping(Test *t, const char *opts, const char *open)
{
    char *path = path_of(t, "o.qcow2");
    unsigned running = WRITERS;
    Writer w[WRITERS];
    uint8_t buf[SLOT], want[SLOT];
    BlockNode *n;

    image_create(t, path, WRITERS * ROUNDS * SLOT, opts);
    n = image_open(t, path, "qcow2", open);
    if (!n) {
        return;
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        w[i] = (Writer){ n, i, &running, 0, false };
        co_start(writer, &w[i]);
    }
    while (running) {
        main_loop_iterate(true);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        check_int(t, w[i].result, 0, "a writer");
    }
    block_node_unref(n);
    image_must_be_sound(t, path, false, "after requests that overlap");
    n = image_open(t, path, "qcow2", open);
    for (unsigned i = 0; i < WRITERS * ROUNDS; i++) {
        fill(want, SLOT, i);
        if (image_read(n, i * SLOT, buf, SLOT) || memcmp(buf, want, SLOT)) {
            test_fail(t, "slot %u is wrong", i);
            break;
        }
    }
    block_node_unref(n);
    g_free(path);
}

TEST(qcow2, requests_at_a_time)
{
    main_loop_init();
    overlapping(t, "", NULL);
    overlapping(t, "'cluster_size': 512", "'l2-cache-size': 4096, 'refcount-cache-size': 4096");
    overlapping(t, "'cluster_size': 512, 'compat': '0.10'", NULL);
    overlapping(t, "'extended_l2': true", NULL);
    overlapping(t, "'lazy_refcounts': true", NULL);
}

/* --- the same from two threads: a back end in an I/O thread, and the main loop --- */

enum { AIO = 200 };

typedef struct Aio {
    uint8_t buf[SLOT];
    struct iovec v;
    _Atomic unsigned *left;
    _Atomic int *errors;
} Aio;

static void aio_done(void *opaque, int result)
{
    Aio *a = opaque;

    if (result < 0) {
        atomic_fetch_add(a->errors, 1);
    }
    if (atomic_fetch_sub(a->left, 1) == 1) {
        event_loop_kick(main_event_loop());
    }
}

/* Even slots by the I/O thread, odd ones by the main loop. */
TEST(qcow2, two_threads)
{
    char *path = path_of(t, "t.qcow2");
    _Atomic unsigned left = AIO;
    _Atomic int errors = 0;
    Aio *aio = g_new0(Aio, AIO);
    uint8_t buf[SLOT], want[SLOT];
    EventLoop *loop;
    BlockBackend *b;
    BlockNode *n;

    main_loop_init();
    image_create(t, path, 2 * AIO * SLOT, "'cluster_size': 4096");
    n = image_open(t, path, "qcow2", "'l2-cache-size': 16384, 'refcount-cache-size': 16384");
    b = blk_new("t", NULL);
    blk_insert(b, n, NULL);
    loop = event_loop_new("io");
    blk_set_loop(b, loop);
    for (unsigned i = 0; i < AIO; i++) {
        fill(aio[i].buf, SLOT, 2 * i);
        aio[i].v = (struct iovec){ aio[i].buf, SLOT };
        aio[i].left = &left;
        aio[i].errors = &errors;
        blk_aio_rw(b, true, 2 * i * SLOT, &aio[i].v, 1, aio_done, &aio[i]);
        fill(buf, SLOT, 2 * i + 1);
        if (image_write(n, (2 * i + 1) * SLOT, buf, SLOT) < 0 || (i % 20 == 0 && image_flush(n) < 0)) {
            test_fail(t, "a write in the main loop");
        }
    }
    while (atomic_load(&left)) {
        main_loop_iterate(true);
    }
    check_int(t, errors, 0, "no request fails");
    for (unsigned i = 0; i < 2 * AIO; i++) {
        fill(want, SLOT, i);
        if (image_read(n, i * SLOT, buf, SLOT) || memcmp(buf, want, SLOT)) {
            test_fail(t, "slot %u is wrong", i);
            break;
        }
    }
    blk_set_loop(b, NULL);
    blk_delete(b);
    block_forget_loop(loop);
    event_loop_free(loop);
    block_node_unref(n);
    image_must_be_sound(t, path, false, "after two threads");
    g_free(aio);
    g_free(path);
}

/* --- the rest --- */

TEST(qcow2, resize)
{
    char *path = path_of(t, "r.qcow2");
    uint8_t *a = g_malloc(MIB), *got = g_malloc(MIB), *zeros = g_malloc0(MIB);
    BlockNode *n;

    main_loop_init();
    fill(a, MIB, 9);
    image_create(t, path, MIB, "'cluster_size': 512");
    n = image_open(t, path, "qcow2", NULL);
    check_int(t, image_write(n, 0, a, MIB), 0, "a write");
    check_true(t, block_truncate(n, 700 * 1024 + 512, NULL), "smaller");
    check_true(t, block_truncate(n, 40 * MIB, NULL), "much larger");
    check_int(t, block_length(n), 40 * MIB, "the new size");
    check_int(t, image_read(n, 0, got, MIB), 0, "a read");
    check_mem(t, got, a, 700 * 1024 + 512, "what was kept");
    check_mem(t, got + 700 * 1024 + 512, zeros, MIB - 700 * 1024 - 512, "what was cut doesn't come back");
    check_int(t, image_write(n, 39 * MIB, a, MIB), 0, "a write at the new end");
    block_node_unref(n);
    image_must_be_sound(t, path, false, "after resizing");
    g_free(path);
    g_free(a);
    g_free(got);
    g_free(zeros);
}

/* The refcount of a cluster is overwritten in the file (16-bit refcounts, the first block). */
static void set_refcount(const char *path, uint64_t cluster, unsigned count)
{
    FILE *f = fopen(path, "r+b");

    fseek(f, 2 * 65536 + cluster * 2, SEEK_SET);
    fputc(count >> 8, f);
    fputc(count & 0xff, f);
    fclose(f);
}

TEST(qcow2, mending)
{
    char *path = path_of(t, "m.qcow2");
    uint8_t *a = g_malloc(MIB);
    BlockCheck found = { 0 }, fixed = { 0 }, again = { 0 };
    BlockNode *n;

    main_loop_init();
    fill(a, MIB, 11);
    image_create(t, path, 4 * MIB, "");
    n = image_open(t, path, "qcow2", NULL);
    image_write(n, 0, a, MIB);
    block_node_unref(n);
    set_refcount(path, 6, 0);
    set_refcount(path, 12, 3);
    n = image_open(t, path, "qcow2", "'x-check-only': true");
    check_int(t, image_check(n, 0, &found), 0, "the image is checked");
    check_true(t, found.corruptions == 3 && found.leaks == 1,
               "a lost refcount, a leak, two bits that are wrong by that");
    check_int(t, image_check(n, BLOCK_FIX_LEAKS | BLOCK_FIX_ERRORS, &fixed), 0, "and mended");
    check_int(t, image_check(n, 0, &again), 0, "and checked again");
    check_true(t, again.corruptions == 0 && again.leaks == 0, "nothing is left");
    block_node_unref(n);
    image_must_be_sound(t, path, false, "after mending");
    g_free(path);
    g_free(a);
}
