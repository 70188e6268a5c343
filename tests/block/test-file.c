/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of files: the host's cache when an image is taken over, and requests that are handed over in batches. */
#include "util/osdep.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "qobject/json.h"
#include "tests/lib/image.h"
#include "util/coroutine.h"
#include "util/main-loop.h"

enum { BYTES = 1024 * 1024 };

static char *make(Test *t)
{
    char *path = g_build_filename(test_tmpdir(t), "image", NULL), *b = g_malloc(BYTES);
    int fd;

    memset(b, 0x5a, BYTES);
    g_file_set_contents(path, b, BYTES, NULL);
    fd = open(path, O_RDWR);
    check_true(t, fsync(fd) == 0, "it is on the disk");
    /* Nothing of it in the cache but what is read now. */
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    g_free(b);
    return path;
}

/* How many pages of the file the host has in memory. */
static unsigned cached(const char *path)
{
    size_t page = sysconf(_SC_PAGESIZE), n = BYTES / page;
    unsigned char *there = g_malloc0(n);
    int fd = open(path, O_RDONLY);
    void *map = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, fd, 0);
    unsigned count = 0;

    mincore(map, BYTES, there);
    for (size_t i = 0; i < n; i++) {
        count += there[i] & 1;
    }
    munmap(map, BYTES);
    close(fd);
    g_free(there);
    return count;
}

static BlockNode *open_node(Test *t, const char *path, const char *opts)
{
    char *json = g_strdup_printf("{\"driver\": \"file\", \"filename\": \"%s\"%s}", path, opts);
    QDict *d = json_parse_dict(json, NULL);
    Error *err = NULL;
    BlockNode *n = d ? block_node_open(d, &err) : NULL;

    if (!n) {
        test_fail(t, "%s: %s", json, err ? error_message(err) : "no JSON");
    }
    error_free(err);
    qobject_unref(d);
    g_free(json);
    return n;
}

TEST(file, cache_is_dropped_when_it_is_taken_over)
{
    char *path = make(t), *b;
    unsigned empty = cached(path);
    BlockNode *n, *keep;
    Error *err = NULL;

    main_loop_init();
    block_open_inactive();
    n = open_node(t, path, "");
    g_file_get_contents(path, &b, NULL, NULL);
    g_free(b);
    if (empty || !cached(path)) {
        test_skip(t, "the file system has a cache of its own, or none");
    } else {
        check_true(t, block_activate_all(&err), "it is taken over");
        check_int(t, cached(path), 0, "the cache has nothing of it");
        block_node_unref(n);
        block_open_inactive();
        keep = open_node(t, path, ", \"drop-cache\": false, \"x-check-cache-dropped\": true");
        g_file_get_contents(path, &b, NULL, NULL);
        g_free(b);
        check_true(t, block_activate_all(&err), "another is");
        check_int(t, cached(path), BYTES / sysconf(_SC_PAGESIZE), "drop-cache=off: it keeps it");
        n = keep;
    }
    block_node_unref(n);
    g_free(path);
}

/* What somebody has mapped and locked can't be dropped. */
TEST(file, cache_that_stays_is_found)
{
    char *path = make(t);
    int fd = open(path, O_RDONLY);
    void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    BlockNode *n;
    Error *err = NULL;

    main_loop_init();
    block_open_inactive();
    n = open_node(t, path, ", \"x-check-cache-dropped\": true");
    if (mlock(map, 4096) < 0 || !cached(path)) {
        test_skip(t, "no memory can be locked");
    } else {
        check_true(t, !block_activate_all(&err) && strstr(error_message(err), "still has some"), "it isn't taken over");
        munlock(map, 4096);
        munmap(map, 4096);
        map = NULL;
        check_true(t, block_activate_all(NULL), "when it is let go of, it is");
    }
    if (map) {
        munmap(map, 4096);
    }
    close(fd);
    error_free(err);
    block_node_unref(n);
    g_free(path);
}

typedef struct Request {
    BlockNode *n;
    uint64_t offset;
    uint8_t *buf;                   /* of a block of O_DIRECT */
    int result;
    unsigned *left;
} Request;

static void coroutine_fn request_entry(void *opaque)
{
    Request *r = opaque;
    struct iovec v = { r->buf, 4096 };

    r->result = block_co_preadv(r->n, r->offset, &v, 1);
    --*r->left;
}

TEST(file, batches)
{
    static const char *const limits[] = { "0", "1", "3", "200" };
    char *path = make(t), *opts;
    Request r[16];
    BlockNode *n;
    unsigned left;
    Error *err = NULL;
    QDict *d;

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        opts = g_strdup_printf(", \"aio\": \"io_uring\", \"cache\": {\"direct\": true}, \"aio-max-batch\": %s", limits[i]);
        d = qdict_from_fmt("{'driver': 'file', 'filename': %s, 'aio': 'io_uring', 'cache': {'direct': true}}", path);
        n = block_node_open(d, NULL);
        qobject_unref(d);
        if (!n) {
            test_skip(t, "no io_uring, or no O_DIRECT");
            g_free(opts);
            break;
        }
        block_node_unref(n);
        n = open_node(t, path, opts);
        left = ARRAY_SIZE(r);
        for (size_t k = 0; k < ARRAY_SIZE(r); k++) {
            r[k] = (Request){ n, k * 4096, g_malloc0(4096), -1, &left };
            co_start(request_entry, &r[k]);
        }
        while (left) {
            main_loop_iterate(true);
        }
        for (size_t k = 0; k < ARRAY_SIZE(r); k++) {
            check_true(t, r[k].result == 0 && r[k].buf[0] == 0x5a && r[k].buf[4095] == 0x5a, "each one is read");
            g_free(r[k].buf);
        }
        block_node_unref(n);
        g_free(opts);
    }
    d = qdict_from_fmt("{'driver': 'file', 'filename': %s, 'aio-max-batch': 4294967296}", path);
    check_true(t, !block_node_open(d, &err), "too many");
    check_true(t, err && strstr(error_message(err), "'aio-max-batch' is 4294967296"), "which is said");
    error_free(err);
    qobject_unref(d);
    g_free(path);
}
