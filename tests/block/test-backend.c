/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Back ends: requests in the main loop and in an I/O thread, draining, errors that hold requests. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
#include "tests/lib/test.h"
#include "util/coroutine.h"

typedef struct Wait {
    int result;
    bool done;
    EventLoop *loop;            /* where the callback came */
} Wait;

static void done(void *opaque, int result)
{
    Wait *w = opaque;

    w->result = result;
    w->loop = current_event_loop();
    __atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
    event_loop_kick(main_event_loop());
}

static BlockBackend *disk(Test *t, size_t size)
{
    char *name = g_build_filename(test_tmpdir(t), "disk", NULL), *zeros = g_malloc0(size);
    QDict *opts;
    BlockBackend *b;
    BlockNode *n;

    g_file_set_contents(name, zeros, size, NULL);
    opts = qdict_from_fmt("{'driver': 'raw', 'discard': 'unmap', 'file': {'driver': 'file', "
                          "'filename': %s, 'discard': 'unmap'}}", name);
    n = block_node_open(opts, NULL);
    b = blk_new("d", NULL);
    blk_insert(b, n, NULL);
    block_node_unref(n);
    qobject_unref(opts);
    g_free(name);
    g_free(zeros);
    return b;
}

static int rw(BlockBackend *b, bool write, uint64_t offset, void *buf, size_t len, EventLoop **loop)
{
    struct iovec v = { buf, len };
    Wait w = { 0 };

    blk_aio_rw(b, write, offset, &v, 1, done, &w);
    main_loop_run_until(&w.done);
    if (loop) {
        *loop = w.loop;
    }
    return w.result;
}

TEST(block, requests)
{
    BlockBackend *b;
    char buf[512], back[512];
    EventLoop *loop, *io;
    BlockLimits l;
    Wait w = { 0 };

    main_loop_init();
    b = disk(t, 64 * KIB);
    memset(buf, 0x5a, sizeof(buf));
    check_int(t, rw(b, true, 1024, buf, 512, &loop), 0, "a write");
    check_true(t, loop == main_event_loop(), "its callback comes in the main loop");
    check_int(t, rw(b, false, 1024, back, 512, NULL), 0, "a read");
    check_mem(t, back, buf, 512, "it gives what was written");
    check_int(t, rw(b, false, 64 * KIB - 256, back, 512, NULL), -EIO, "past the end");

    io = event_loop_new("io");
    blk_set_loop(b, io);
    check_int(t, rw(b, false, 1024, back, 512, &loop), 0, "a read in an I/O thread");
    check_true(t, loop == io, "its callback comes there");
    blk_aio_zero(b, 1024, 512, true, done, &w);
    main_loop_run_until(&w.done);
    check_int(t, w.result, 0, "zeroing");
    check_int(t, rw(b, false, 1024, back, 512, NULL), 0, "a read");
    memset(buf, 0, sizeof(buf));
    check_mem(t, back, buf, 512, "zeros");
    w.done = false;
    blk_aio_flush(b, done, &w);
    blk_drain(b);
    check_true(t, w.done, "draining waits for the callback in an I/O thread");
    blk_limits(b, &l);
    check_int(t, l.logical_block, 512, "a file has sectors of 512 bytes");
    check_true(t, block_truncate(b->node, 128 * KIB, NULL), "a raw file grows");
    check_u64(t, blk_length(b), 128 * KIB, "and has the new length");
    blk_set_loop(b, NULL);
    event_loop_free(io);
    blk_delete(b);
}

TEST(block, pause)
{
    BlockBackend *b;
    char buf[512];
    struct iovec v = { buf, sizeof(buf) };
    Wait w = { 0 };

    main_loop_init();
    b = disk(t, 64 * KIB);
    blk_drain_begin(b);
    blk_aio_rw(b, false, 0, &v, 1, done, &w);
    blk_drain(b);
    for (int i = 0; i < 10; i++) {
        main_loop_iterate(false);
    }
    check_true(t, !w.done, "a request waits during a pause");
    blk_drain_end(b);
    main_loop_run_until(&w.done);
    check_int(t, w.result, 0, "and goes on after it");
    blk_delete(b);
}

static int stops;

static void stop(void)
{
    stops++;
}

TEST(block, errors)
{
    BlockBackend *b;
    char buf[512] = { 0 };
    struct iovec v = { buf, sizeof(buf) };
    Wait w = { 0 };

    main_loop_init();
    block_set_stop_hook(stop);
    b = disk(t, 64 * KIB);
    b->on_write_error = BLOCK_ERROR_STOP;
    b->node->read_only = true;
    blk_aio_rw(b, true, 0, &v, 1, done, &w);
    blk_drain(b);
    check_true(t, stops == 1 && !w.done && blk_any_held(), "a failed write stops and is held");
    check_int(t, b->io_status, EROFS, "the status tells why");
    b->node->read_only = false;
    blk_retry_held();
    main_loop_run_until(&w.done);
    check_int(t, w.result, 0, "tried again, it succeeds");
    check_true(t, !blk_any_held() && b->io_status == 0, "nothing is held");

    b->node->read_only = true;
    w.done = false;
    blk_aio_rw(b, true, 0, &v, 1, done, &w);
    blk_drain(b);
    blk_cancel_held(b);
    check_true(t, w.done && w.result == -EROFS, "a cancelled one ends with its error");

    b->on_write_error = BLOCK_ERROR_IGNORE;
    check_int(t, rw(b, true, 0, buf, 512, NULL), 0, "ignored errors look like success");
    b->on_write_error = BLOCK_ERROR_ENOSPC;
    check_int(t, rw(b, true, 0, buf, 512, NULL), -EROFS, "enospc reports other errors");
    check_u64(t, b->stats.wr_failed, 4, "failures are counted");
    blk_drain(b);
    blk_delete(b);
    block_set_stop_hook(NULL);
}

TEST(block, snapshots_of_raw)
{
    BlockSnapshot s = { .name = (char *)"s" };
    BlockBackend *b;
    Error *err = NULL;
    size_t n;

    main_loop_init();
    b = disk(t, 64 * KIB);
    check_true(t, !block_snapshot_create(b->node, &s, &err), "raw has none");
    check_true(t, err && strstr(error_message(err), "does not support internal snapshots"),
               "and says so");
    error_free(err);
    check_true(t, !block_snapshot_list(b->node, &n, NULL), "none to list");
    check_true(t, !block_vmstate_write(b->node, "x", 0, 1, NULL), "no machine state");
    blk_delete(b);
}
