/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters: injected errors, limits, copy-on-read; -drive's options that use them. */
#include "util/osdep.h"
#include <unistd.h>
#include "qobject/json.h"
#include "tests/lib/image.h"
#include "util/main-loop.h"
#include "util/timer.h"

static BlockNode *node(Test *t, const char *json)
{
    char *text = g_strdup(json);
    Error *err = NULL;
    BlockNode *n;
    QDict *d;

    g_strdelimit(text, "'", '"');
    d = json_parse_dict(text, &err);
    n = d ? block_node_open(d, &err) : NULL;
    if (!n) {
        test_fail(t, "%s: %s", json, error_message(err));
        error_free(err);
    }
    qobject_unref(d);
    g_free(text);
    return n;
}

#define IMAGE "'image': {'driver': 'null-co', 'size': 1048576}"

TEST(blkdebug, rules)
{
    uint8_t b[512] = { 0 };
    BlockNode *n;

    main_loop_init();
    n = node(t, "{'driver': 'blkdebug', " IMAGE ", 'inject-error': [{'event': 'write_aio', 'errno': 28, "
                "'sector': 4, 'once': true}, {'event': 'read_aio', 'state': 2}], "
                "'set-state': [{'event': 'flush_to_disk', 'state': 1, 'new_state': 2}]}");
    if (!n) {
        return;
    }
    check_int(t, image_write(n, 0, b, 512), 0, "another sector is written");
    check_int(t, image_write(n, 4 * 512, b, 512), -28, "the one that fails");
    check_int(t, image_write(n, 4 * 512, b, 512), 0, "once");
    check_int(t, image_read(n, 0, b, 512), 0, "reads go well in the first state");
    check_int(t, image_flush(n), 0, "a flush");
    check_int(t, image_read(n, 0, b, 512), -EIO, "brings the second state");
    block_node_unref(n);
}

TEST(blkdebug, config_file)
{
    char *path = g_build_filename(test_tmpdir(t), "rules", NULL), *json;
    uint8_t b[512] = { 0 };
    BlockNode *n;

    main_loop_init();
    g_file_set_contents(path, "# a comment\n[inject-error]\nevent = \"read_aio\"\nerrno = \"5\"\nonce = \"on\"\n",
                        -1, NULL);
    json = g_strdup_printf("{'driver': 'blkdebug', " IMAGE ", 'config': '%s'}", path);
    n = node(t, json);
    if (n) {
        check_int(t, image_read(n, 0, b, 512), -EIO, "the file's rule");
        check_int(t, image_read(n, 0, b, 512), 0, "counts once");
    }
    block_node_unref(n);
    g_free(json);
    g_free(path);
}

/* A device's request fails by a rule and is held, as with -drive file=blkdebug:...,werror=stop. */
static unsigned stops;

static void stop(void)
{
    stops++;
}

static void request_done(void *opaque, int result)
{
    *(int *)opaque = result;
}

TEST(blkdebug, drive_stops)
{
    char *rules = g_build_filename(test_tmpdir(t), "rules", NULL);
    char *image = g_build_filename(test_tmpdir(t), "image", NULL), *file;
    uint8_t b[512] = { 0 };
    struct iovec v = { b, sizeof(b) };
    DriveSpec spec;
    int result = 1;
    BlockBackend *blk;
    QDict *d;
    Error *err = NULL;

    main_loop_init();
    block_set_stop_hook(stop);
    g_file_set_contents(rules, "[inject-error]\nevent = \"write_aio\"\nerrno = \"28\"\nonce = \"on\"\n", -1, NULL);
    g_file_set_contents(image, "", 0, NULL);
    check_int(t, truncate(image, 65536), 0, "an image");
    file = g_strdup_printf("blkdebug:%s:%s", rules, image);
    d = qdict_from_fmt("{'file': %s, 'format': 'raw', 'id': 'd', 'if': 'none', 'werror': 'enospc'}", file);
    if (!check_true(t, drive_add(d, "none", &spec, &err), "the drive is made")) {
        printf("# %s\n", error_message(err));
        return;
    }
    blk = blk_find("d");
    blk_aio_rw(blk, true, 0, &v, 1, request_done, &result);
    blk_drain(blk);
    while (!stops) {
        main_loop_iterate(true);
    }
    check_int(t, result, 1, "the request is held");
    check_int(t, blk->io_status, ENOSPC, "for want of space");
    blk_retry_held();
    blk_drain(blk);
    check_int(t, result, 0, "and done when the machine goes on");
    blk_delete(blk);
    drive_spec_cleanup(&spec);
    block_set_stop_hook(NULL);
    qobject_unref(d);
    g_free(file);
    g_free(rules);
    g_free(image);
}

TEST(drive, limits)
{
    QDict *d = qdict_from_fmt("{'file': 'null-co://', 'format': 'raw', 'id': 'l', 'if': 'none', "
                              "'throttling.iops-total': '50', 'cache': 'none', 'copy-on-read': 'off'}");
    int64_t begin;
    uint8_t b[512];
    struct iovec v = { b, sizeof(b) };
    int results[40];
    DriveSpec spec;
    BlockBackend *blk;
    Error *err = NULL;

    main_loop_init();
    if (!check_true(t, drive_add(d, "none", &spec, &err), "the drive is made")) {
        printf("# %s\n", error_message(err));
        return;
    }
    blk = blk_find("l");
    begin = clock_get_ns(CLOCK_RT);
    for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
        results[i] = 1;
        blk_aio_rw(blk, false, 0, &v, 1, request_done, &results[i]);
    }
    while (results[ARRAY_SIZE(results) - 1] == 1) {
        main_loop_iterate(true);
    }
    check_true(t, clock_get_ns(CLOCK_RT) - begin > 500 * NS_PER_MS, "40 requests at 50 a second take their time");
    begin = clock_get_ns(CLOCK_RT);
    for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
        results[i] = 1;
        blk_aio_rw(blk, false, 0, &v, 1, request_done, &results[i]);
    }
    blk_drain(blk);
    check_int(t, results[ARRAY_SIZE(results) - 1], 0, "who drains needn't wait for limits");
    blk_delete(blk);
    drive_spec_cleanup(&spec);
    qobject_unref(d);
}

TEST(copy_on_read, keeps)
{
    char *base = g_build_filename(test_tmpdir(t), "base", NULL), *text = g_strnfill(200000, 'b');
    char *top = g_build_filename(test_tmpdir(t), "top.qcow2", NULL), *json;
    uint8_t *buf = g_malloc(65536);
    BlockNode *n;

    main_loop_init();
    g_file_set_contents(base, text, 199680, NULL);
    image_create(t, top, 262144, "'backing_file': 'base', 'backing_fmt': 'raw'");
    json = g_strdup_printf("{'driver': 'copy-on-read', 'file': {'driver': 'qcow2', 'file': {'driver': 'file', "
                           "'filename': '%s'}}}", top);
    n = node(t, json);
    if (n) {
        uint8_t x = 'x';

        check_int(t, image_write(n, 100, &x, 1), 0, "a write");
        check_int(t, image_read(n, 60000, buf, 20000), 0, "a read");
        check_mem(t, buf, text, 20000, "gives the base's content");
        block_node_unref(n);
    }
    /* The base changes behind its back: what was read stays. */
    memset(text, 'c', 200000);
    g_file_set_contents(base, text, 199680, NULL);
    n = image_open(t, top, "qcow2", NULL);
    check_int(t, image_read(n, 60000, buf, 20000), 0, "a read");
    check_int(t, buf[0], 'b', "was kept");
    check_int(t, image_read(n, 140000, buf, 1), 0, "another");
    check_int(t, buf[0], 'c', "wasn't");
    block_node_unref(n);
    image_must_be_sound(t, top, false, "after copying");
    g_free(json);
    g_free(buf);
    g_free(text);
    g_free(top);
    g_free(base);
}
