/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that writes and flushes is killed at a random moment. The image must
 * have no damage but leaks, and each sector holds what was written last before a
 * flush, or something later. KILLS=1000 in the environment makes it a long test.
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/lib/image.h"
#include "util/coroutine.h"

enum { SECTOR = 512, SLOT = 3, SLOTS = 2400, SECTORS = SLOT * SLOTS, WRITERS = 8 };

/* What the writers know, in a file that outlives them. */
typedef struct Log {
    uint32_t begun[SECTORS], ended[SECTORS], flushed[SECTORS];      /* versions */
    uint32_t zeroed[SECTORS];       /* the last version that was zeros, 0: none */
    uint32_t version;
    uint32_t ops, flushes;
} Log;

static const struct Shape {
    const char *create, *open;
    bool backing;
} shapes[] = {
    { "", "", false },
    { "'cluster_size': 512", "'l2-cache-size': 4096, 'refcount-cache-size': 4096", false },
    { "'cluster_size': 4096", "", true },
    { "'extended_l2': true, 'cluster_size': 16384", "", true },
    { "'compat': '0.10', 'cluster_size': 1024", "'l2-cache-size': 8192", false },
};

static Log *map_log(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    Log *log;

    if (fd < 0 || ftruncate(fd, sizeof(Log)) < 0) {
        abort();
    }
    log = mmap(NULL, sizeof(Log), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return log;
}

/* --- the process that is killed --- */

typedef struct Writer {
    BlockNode *n;
    Log *log;
    unsigned id;
    GRand *rand;
} Writer;

static void fill(uint8_t *p, uint32_t sector, uint32_t version)
{
    uint32_t words[2] = { sector ^ 0x5eed0000, version };

    for (unsigned i = 0; i < SECTOR; i += sizeof(words)) {
        memcpy(p + i, words, sizeof(words));
    }
}

static int coroutine_fn write_slot(Writer *w, uint32_t slot, bool zeros)
{
    uint8_t buf[SLOT * SECTOR];
    struct iovec v = { buf, sizeof(buf) };
    uint32_t version = ++w->log->version;
    int r;

    for (uint32_t i = slot * SLOT; i < (slot + 1) * SLOT; i++) {
        if (zeros) {
            w->log->zeroed[i] = version;
        } else {
            fill(buf + (i - slot * SLOT) * SECTOR, i, version);
        }
        w->log->begun[i] = version;
    }
    r = zeros ? block_co_zero(w->n, slot * SLOT * SECTOR, sizeof(buf), BLOCK_ZERO_UNMAP)
              : block_co_pwritev(w->n, slot * SLOT * SECTOR, &v, 1);
    for (uint32_t i = slot * SLOT; r == 0 && i < (slot + 1) * SLOT; i++) {
        w->log->ended[i] = version;
    }
    w->log->ops++;
    return r;
}

static int coroutine_fn flush(Writer *w)
{
    uint32_t *ended = g_memdup2(w->log->ended, sizeof(w->log->ended));
    int r = block_co_flush(w->n);

    for (uint32_t i = 0; r == 0 && i < SECTORS; i++) {
        w->log->flushed[i] = MAX(w->log->flushed[i], ended[i]);
    }
    w->log->flushes++;
    g_free(ended);
    return r;
}

static void coroutine_fn writer(void *opaque)
{
    Writer *w = opaque;
    int r = 0;

    while (r == 0) {
        uint32_t slot = g_rand_int_range(w->rand, 0, SLOTS / WRITERS) * WRITERS + w->id;
        int what = g_rand_int_range(w->rand, 0, 30);

        r = what == 0 ? flush(w) : write_slot(w, slot, what < 4);
    }
    abort();
}

TEST(kill, child)
{
    const char *path = g_getenv("KILL_IMAGE"), *seed = g_getenv("KILL_SEED");
    const char *shape = g_getenv("KILL_SHAPE"), *log = g_getenv("KILL_LOG");
    BlockNode *n;

    if (!path) {
        return;
    }
    main_loop_init();
    n = image_open(t, path, "qcow2", shapes[atoi(shape)].open);
    for (unsigned i = 0; n && i < WRITERS; i++) {
        Writer *w = g_new(Writer, 1);

        *w = (Writer){ n, map_log(log), i, g_rand_new_with_seed(atoi(seed) * WRITERS + i) };
        co_start(writer, w);
    }
    while (n) {
        main_loop_iterate(true);
    }
}

/* --- who kills it --- */

static bool sector_is_right(const Log *log, const uint8_t *p, uint32_t i, uint32_t *version)
{
    static const uint8_t zeros[SECTOR];
    uint8_t want[SECTOR];

    memcpy(version, p + 4, sizeof(*version));
    if (memcmp(p, zeros, SECTOR) == 0) {
        *version = 0;
        return log->flushed[i] == 0 || log->zeroed[i] >= log->flushed[i];
    }
    fill(want, i, *version);
    return memcmp(p, want, SECTOR) == 0 && *version >= log->flushed[i] && *version <= log->begun[i];
}

static bool look(Test *t, const char *path, Log *log, const struct Shape *shape)
{
    uint8_t *buf = g_malloc(SECTORS * SECTOR);
    BlockNode *n;
    bool ok = true;

    image_must_be_sound(t, path, true, "after a kill");
    n = image_open(t, path, "qcow2", shape->open);
    ok = n && check_int(t, image_read(n, 0, buf, SECTORS * SECTOR), 0, "the image is read");
    for (uint32_t i = 0; ok && i < SECTORS; i++) {
        uint32_t version;

        if (!sector_is_right(log, buf + i * SECTOR, i, &version)) {
            test_fail(t, "sector %u has version %u; flushed %u, begun %u, zeroed %u", i, version,
                      log->flushed[i], log->begun[i], log->zeroed[i]);
            ok = false;
        }
        /* What is there now is what counts from here on. */
        log->flushed[i] = log->ended[i] = log->begun[i] = version;
        log->zeroed[i] = 0;
    }
    block_node_unref(n);
    g_free(buf);
    return ok;
}

static void kill_one(const char *path, const char *log, int shape, int seed, unsigned ms)
{
    char number[16], which[16], *argv[] = { (char *)"/proc/self/exe", (char *)"-p",
                                           (char *)"/kill/child", NULL };
    char **env = g_get_environ();
    pid_t pid;

    snprintf(number, sizeof(number), "%d", seed);
    snprintf(which, sizeof(which), "%d", shape);
    env = g_environ_setenv(env, "KILL_IMAGE", path, true);
    env = g_environ_setenv(env, "KILL_LOG", log, true);
    env = g_environ_setenv(env, "KILL_SEED", number, true);
    env = g_environ_setenv(env, "KILL_SHAPE", which, true);
    pid = fork();
    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        execve(argv[0], argv, env);
        _exit(1);
    }
    usleep(ms * 1000);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    g_strfreev(env);
}

TEST(kill, at_any_moment)
{
    const char *kills = g_getenv("KILLS"), *seed = g_getenv("SEED");
    unsigned count = kills ? atoi(kills) : 10, base = seed ? atoi(seed) : 1, ops = 0, flushes = 0;
    char *log_path = g_build_filename(test_tmpdir(t), "log", NULL);
    GRand *rand = g_rand_new_with_seed(base);

    if (g_getenv("KILL_IMAGE")) {
        return;
    }
    main_loop_init();
    for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
        char *path = g_strdup_printf("%s/kill%zu.qcow2", test_tmpdir(t), s);
        Log *log;
        bool ok;
        char *opts = shapes[s].backing ? g_strdup_printf("%s, 'backing_file': 'zeros', 'backing_fmt': "
                                                         "'raw'", shapes[s].create)
                                       : g_strdup(shapes[s].create);
        char *zeros = g_build_filename(test_tmpdir(t), "zeros", NULL);

        g_file_set_contents(zeros, "", 0, NULL);
        if (truncate(zeros, SECTORS * SECTOR / 2) < 0) {
            test_fail(t, "no backing file");
        }
        unlink(log_path);
        log = map_log(log_path);
        ok = image_create(t, path, SECTORS * SECTOR, opts);
        for (unsigned i = s; i < count && ok; i += ARRAY_SIZE(shapes)) {
            kill_one(path, log_path, s, base * 100000 + i, g_rand_int_range(rand, 20, kills ? 250 : 120));
            ok = look(t, path, log, &shapes[s]);
        }
        ops += log->ops;
        flushes += log->flushes;
        munmap(log, sizeof(Log));
        g_free(path);
        g_free(opts);
        g_free(zeros);
    }
    test_note(t, "%u kills, %u writes, %u flushes", count, ops, flushes);
    check_true(t, ops > count, "the killed processes wrote");
    g_rand_free(rand);
    g_free(log_path);
}
