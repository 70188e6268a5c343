/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 9P server on a folder of the host: sessions, attacks by messages and from the host's side, limits. */
#include "util/osdep.h"
#include "fsdev/local.h"
#include "qobject/json.h"
#include "tests/lib/p9-client.h"
#include "tests/lib/test.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "util/main-loop.h"
#include "util/thread.h"
#include "vmstate/blocker.h"

enum { TLOPEN = 12, TLCREATE = 14, TSYMLINK = 16, TMKNOD = 18, TRENAME = 20, TREADLINK = 22, TGETATTR = 24,
       TSETATTR = 26, TXATTRWALK = 30, TXATTRCREATE = 32, TREADDIR = 40, TFSYNC = 50, TLOCK = 52,
       TGETLOCK = 54, TLINK = 70, TMKDIR = 72,
       TRENAMEAT = 74, TUNLINKAT = 76, TVERSION = 100, TATTACH = 104, TFLUSH = 108, TWALK = 110, TOPEN = 112,
       TCREATE = 114, TREAD = 116, TWRITE = 118, TCLUNK = 120, TREMOVE = 122, TSTAT = 124 };

typedef struct World {
    P9Client c;
    FsDev *fs;
    char *dir, *outside;
} World;

static void world_close(World *w)
{
    if (w->c.p9) {
        p9_free(w->c.p9);
        fsdev_release(w->fs);
        fsdev_close_all();
        w->c.p9 = NULL;
    }
}

static void world_end(void *opaque)
{
    World *w = opaque;

    world_close(w);
    g_free(w->dir);
    g_free(w->outside);
    g_free(w);
}

static void put(const char *dir, const char *name, const char *text)
{
    g_autofree char *path = g_strdup_printf("%s/%s", dir, name);

    g_file_set_contents(path, text, -1, NULL);
}

/* Of @more, the options of -fsdev among "word,key=value". */
static void add_options(QDict *opts, const char *more)
{
    g_auto(GStrv) words = g_strsplit(more, ",", -1);

    for (unsigned i = 0; words[i]; i++) {
        g_auto(GStrv) pair = g_strsplit(words[i], "=", 2);

        if (pair[0] && pair[1]) {
            qdict_put_str(opts, pair[0], pair[1]);
        }
    }
}

/* A share with "file" and "d/file", beside a folder that isn't shared, with "secret". */
static World *world_new(Test *t, const char *more)
{
    World *w = g_new0(World, 1);
    QOBJECT_AUTO QDict *opts = NULL;
    g_autofree char *d = NULL;
    Error *err = NULL;

    main_loop_init();
    w->dir = g_strdup_printf("%s/share", test_tmpdir(t));
    w->outside = g_strdup_printf("%s/outside", test_tmpdir(t));
    d = g_strdup_printf("%s/d", w->dir);
    g_mkdir_with_parents(d, 0755);
    g_mkdir_with_parents(w->outside, 0755);
    put(w->dir, "file", "inside");
    put(d, "file", "inside");
    put(w->outside, "file", "secret");
    put(w->outside, "secret", "secret");
    opts = qdict_from_fmt("{'fsdriver': 'local', 'id': 'f', 'path': %s}", w->dir);
    qdict_put_str(opts, "security_model", strstr(more, "mapped") ? "mapped-xattr" : "none");
    if (g_str_has_prefix(more, "ro")) {
        qdict_put_str(opts, "readonly", "on");
    }
    add_options(opts, more);
    if (!check_true(t, fsdev_add(opts, &err), "fsdev")) {
        g_error("%s", error_message(err));
    }
    w->fs = fsdev_use("f", NULL);
    w->c.p9 = p9_new(w->fs, "dev");
    w->c.room = sizeof(w->c.ans);
    test_at_end(t, world_end, w);
    return w;
}

TEST(p9, sessions)
{
    World *w = world_new(t, "");
    P9Client *c = &w->c;

    check_int(t, p9_client(c, TATTACH, "wwssw", 0u, UINT32_MAX, "", "", 0u), EOPNOTSUPP, "version comes first");
    check_int(t, p9_client(c, TVERSION, "ws", 100u, "9P2000.L"), EMSGSIZE, "too small");
    check_int(t, p9_client(c, TVERSION, "ws", 8192u, "9P2000.X"), 0, "an answer");
    check_mem(t, c->ans + 13, "unknown", 7, "that it isn't known");
    check_int(t, p9_client(c, TVERSION, "ws", UINT32_MAX, "9P2000.L"), 0, "the largest");
    check_u64(t, p9_ans(c, 0, 4), P9_MSIZE_MAX, "is what we have");
    check_true(t, migration_is_possible(NULL), "nothing is mounted");
    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    check_true(t, !migration_is_possible(NULL), "something is");
    check_int(t, p9_client(c, TATTACH, "wwssw", 0u, UINT32_MAX, "", "", 0u), EINVAL, "fid in use");
    check_int(t, p9_client(c, TCLUNK, "w", 7u), EBADF, "no such fid");
    check_int(t, p9_client(c, TWALK, "wwhss", 0u, 1u, 2u, "d", "file"), 0, "walked");
    check_u64(t, p9_ans(c, 0, 2), 2, "two qids");
    check_u8(t, p9_ans(c, 2, 1), 0x80, "a folder");
    check_int(t, p9_client(c, TWALK, "wwhss", 0u, 2u, 2u, "d", "none"), 0, "as far as it goes");
    check_u64(t, p9_ans(c, 0, 2), 1, "one qid");
    check_int(t, p9_client(c, TCLUNK, "w", 2u), EBADF, "and no fid");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 2u, 1u, "none"), ENOENT, "not even the first");
    check_int(t, p9_client(c, TREAD, "wqw", 1u, UINT64_C(0), 10u), EBADF, "not open");
    check_int(t, p9_client(c, TLOPEN, "ww", 1u, 0u), 0, "open");
    check_int(t, p9_client(c, TLOPEN, "ww", 1u, 0u), EBUSY, "twice");
    check_int(t, p9_client(c, TWALK, "wwh", 1u, 5u, 0u), EBUSY, "open fids don't walk");
    check_int(t, p9_client(c, TREAD, "wqw", 1u, UINT64_C(2), 100u), 0, "read");
    check_u64(t, p9_ans(c, 0, 4), 4, "up to the end");
    check_mem(t, c->ans + 11, "side", 4, "the bytes");
    check_int(t, p9_client(c, TFLUSH, "h", 77u), 0, "nothing to flush");
    check_int(t, p9_client(c, TVERSION, "ws", 8192u, "9P2000.L"), 0, "a new session");
    check_true(t, migration_is_possible(NULL), "has nothing");
    check_int(t, p9_client(c, TCLUNK, "w", 1u), EBADF, "of the old one's");
}

/* Names that would lead elsewhere, in every message that has one. */
TEST(p9_attack, names)
{
    static const char *const bad[] = { "", ".", "..", "../outside", "a/b", "/", "/etc/passwd", "d/..", "d/" };
    World *w = world_new(t, "");
    P9Client *c = &w->c;
    char longest[300];

    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "d"), 0, "d");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 2u, 1u, "file"), 0, "file");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *n = bad[i];

        check_true(t, p9_client(c, TLCREATE, "wswww", 1u, n, 0102u, 0644u, 0u) > 0, n);
        check_true(t, p9_client(c, TMKDIR, "wsww", 1u, n, 0755u, 0u) > 0, n);
        check_true(t, p9_client(c, TMKNOD, "wswwww", 1u, n, 0100644u, 0u, 0u, 0u) > 0, n);
        check_true(t, p9_client(c, TSYMLINK, "wssw", 1u, n, "x", 0u) > 0, n);
        check_true(t, p9_client(c, TLINK, "wws", 1u, 2u, n) > 0, n);
        check_true(t, p9_client(c, TRENAME, "wws", 2u, 1u, n) > 0, n);
        check_true(t, p9_client(c, TRENAMEAT, "wsws", 1u, n, 1u, "ok") > 0, n);
        check_true(t, p9_client(c, TRENAMEAT, "wsws", 1u, "file", 1u, n) > 0, n);
        check_true(t, p9_client(c, TUNLINKAT, "wsw", 1u, n, 0u) > 0, n);
        check_true(t, p9_client(c, TUNLINKAT, "wsw", 1u, n, 0x200u) > 0, n);
        if (strcmp(n, "..")) {
            check_true(t, p9_client(c, TWALK, "wwhs", 1u, 9u, 1u, n) > 0, n);
        }
    }
    check_int(t, p9_client(c, TWALK, "wwhD", 1u, 9u, 1u, (size_t)6, "\4\0f\0le"), EINVAL, "a NUL in a name");
    memset(longest, 'x', 256);
    longest[256] = 0;
    check_int(t, p9_client(c, TMKDIR, "wsww", 1u, longest, 0755u, 0u), ENAMETOOLONG, "too long");
    /* ".." leads to the root at most. */
    check_int(t, p9_client(c, TGETATTR, "wq", 0u, UINT64_C(0x7ff)), 0, "the root");
    check_int(t, p9_client(c, TWALK, "wwhsssss", 1u, 9u, 5u, "..", "..", "..", "..", "file"), 0, "up and up");
    check_u64(t, p9_ans(c, 0, 2), 5, "all of it");
    check_int(t, p9_client(c, TLOPEN, "ww", 9u, 0u), 0, "open");
    check_int(t, p9_client(c, TREAD, "wqw", 9u, UINT64_C(0), 100u), 0, "read");
    check_mem(t, c->ans + 11, "inside", 6, "the share's own");
}

/* Links, pipes, sockets and devices that are there. */
TEST(p9_attack, objects_of_the_host)
{
    World *w = world_new(t, "");
    P9Client *c = &w->c;
    g_autofree char *link = g_strdup_printf("%s/link", w->dir), *fifo = g_strdup_printf("%s/fifo", w->dir);
    g_autofree char *abs = g_strdup_printf("%s/dirlink", w->dir), *secret = g_strdup_printf("%s/secret", w->outside);

    check_true(t, symlink(secret, link) == 0 && symlink(w->outside, abs) == 0 && mkfifo(fifo, 0600) == 0, "planted");
    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "link"), 0, "the link itself");
    check_u8(t, p9_ans(c, 2, 1), 2, "a link");
    check_int(t, p9_client(c, TLOPEN, "ww", 1u, 0u), ELOOP, "isn't followed");
    check_int(t, p9_client(c, TREADLINK, "w", 1u), 0, "but told");
    check_int(t, p9_client(c, TSETATTR, "wwwwwqqqqq", 1u, 8u, 0u, 0u, 0u, UINT64_C(0), UINT64_C(0), UINT64_C(0),
                           UINT64_C(0), UINT64_C(0)), EINVAL, "truncated neither");
    check_int(t, p9_client(c, TWALK, "wwhss", 0u, 2u, 2u, "dirlink", "secret"), 0, "a link to a folder");
    check_u64(t, p9_ans(c, 0, 2), 1, "isn't walked through");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 2u, 1u, "dirlink"), 0, "the link");
    check_int(t, p9_client(c, TLCREATE, "wswww", 2u, "new", 0102u, 0644u, 0u), ENOTDIR, "nothing is made there");
    check_int(t, p9_client(c, TUNLINKAT, "wsw", 2u, "secret", 0u), ENOTDIR, "nor removed");
    check_int(t, p9_client(c, TMKDIR, "wsww", 2u, "x", 0755u, 0u), ENOTDIR, "nor made");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 3u, 1u, "fifo"), 0, "a pipe");
    check_int(t, p9_client(c, TLOPEN, "ww", 3u, 0u), ENXIO, "is the guest's affair");
    check_int(t, p9_client(c, TWALK, "wwh", 0u, 4u, 0u), 0, "the root again");
    check_int(t, p9_client(c, TLCREATE, "wswww", 4u, "fifo", 0102u, 0644u, 0u), ENXIO, "created neither");
    check_int(t, p9_client(c, TLCREATE, "wswww", 4u, "link", 01102u, 0644u, 0u), ELOOP, "through a link neither");
    check_true(t, access(secret, F_OK) == 0, "it is untouched");
}

/* Somebody on the host turns a folder into a link and back, all the time. */
typedef struct Race {
    char *dir, *away, *link, *outside;
    _Atomic bool stop;
} Race;

static void *racer(void *opaque)
{
    Race *r = opaque;

    while (!atomic_load(&r->stop)) {
        if (rename(r->dir, r->away) == 0) {
            if (symlink(r->outside, r->dir) == 0) {
                sched_yield();
                unlink(r->dir);
            }
            rename(r->away, r->dir);
        }
    }
    return NULL;
}

TEST(p9_attack, a_race_on_the_host)
{
    World *w = world_new(t, "");
    P9Client *c = &w->c;
    Race r = { .dir = g_strdup_printf("%s/d", w->dir), .away = g_strdup_printf("%s/away", w->dir),
               .outside = w->outside };
    unsigned opened = 0;
    Thread thread;

    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    thread_create(&thread, "racer", racer, &r);
    for (int i = 0; i < 3000; i++) {
        if (p9_client(c, TWALK, "wwhss", 0u, 1u, 2u, "d", "file") == 0 && p9_ans(c, 0, 2) == 2) {
            if (p9_client(c, TLOPEN, "ww", 1u, 0u) == 0 &&
                p9_client(c, TREAD, "wqw", 1u, UINT64_C(0), 100u) == 0) {
                opened++;
                if (memcmp(c->ans + 11, "inside", 6)) {
                    test_fail(t, "what is outside was read");
                    break;
                }
            }
            p9_client(c, TCLUNK, "w", 1u);
        }
        if (p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "d") == 0) {
            if (i % 2) {
                p9_client(c, TMKDIR, "wsww", 1u, "made", 0755u, 0u);
                p9_client(c, TUNLINKAT, "wsw", 1u, "made", 0x200u);
            } else {
                p9_client(c, TUNLINKAT, "wsw", 1u, "secret", 0u);
            }
            p9_client(c, TCLUNK, "w", 1u);
        }
    }
    atomic_store(&r.stop, true);
    thread_join(&thread);
    {
        g_autofree char *secret = g_strdup_printf("%s/secret", w->outside);
        g_autofree char *made = g_strdup_printf("%s/made", w->outside);

        check_true(t, access(secret, F_OK) == 0, "nothing outside was removed");
        check_true(t, access(made, F_OK) < 0, "nor made");
    }
    test_note(t, "%u of 3000 reads hit the folder", opened);
    g_free(r.dir);
    g_free(r.away);
}

TEST(p9, the_largest_messages)
{
    World *w = world_new(t, "");
    const uint32_t most_out = P9_MSIZE_MAX - 23, most_in = P9_MSIZE_MAX - 11;
    g_autofree uint8_t *data = g_malloc(P9_MSIZE_MAX);
    P9Client *c = &w->c;

    for (uint32_t i = 0; i < P9_MSIZE_MAX; i++) {
        data[i] = (uint8_t)(i * 7 + (i >> 12));
    }
    check_int(t, p9_client(c, TVERSION, "ws", (unsigned)P9_MSIZE_MAX, "9P2000.L"), 0, "16 MiB");
    check_int(t, p9_client(c, TATTACH, "wwssw", 0u, UINT32_MAX, "root", "", 0u), 0, "attached");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "file"), 0, "file");
    check_int(t, p9_client(c, TLOPEN, "ww", 1u, 2u), 0, "open");
    check_int(t, p9_client(c, TWRITE, "wqwD", 1u, UINT64_C(0), most_out, (size_t)most_out, data), 0, "written");
    check_u64(t, p9_ans(c, 0, 4), most_out, "all of it");
    check_int(t, p9_client(c, TWRITE, "wqwD", 1u, (uint64_t)most_out, 12u, (size_t)12, data + most_out), 0, "the rest");
    check_int(t, p9_client(c, TREAD, "wqw", 1u, UINT64_C(0), UINT32_MAX), 0, "read");
    check_u64(t, p9_ans(c, 0, 4), most_in, "as much as a message holds");
    check_true(t, !memcmp(c->ans + 11, data, most_in), "what was written");
    check_int(t, p9_client(c, TWRITE, "wqwD", 1u, UINT64_C(0), most_out + 1, (size_t)most_out + 1, data), -1, "a byte too long");
}

/* All entries from @offset on, @count bytes an answer; how many, and in *end the offset behind them. */
static unsigned list(Test *t, P9Client *c, uint64_t offset, uint32_t count, uint64_t *end)
{
    unsigned n = 0;

    for (;;) {
        uint32_t used, at = 4;

        if (!check_int(t, p9_client(c, TREADDIR, "wqw", 1u, offset, count), 0, "read")) {
            return n;
        }
        used = (uint32_t)p9_ans(c, 0, 4);
        if (!used) {
            *end = offset;
            return n;
        }
        check_true(t, used <= count, "no more than wanted");
        while (at < used + 4) {         /* qid[13] offset[8] type[1] name[s] */
            offset = p9_ans(c, at + 13, 8);
            at += 24 + (uint32_t)p9_ans(c, at + 22, 2);
            n++;
        }
        check_u64(t, at, used + 4, "whole entries");
    }
}

TEST(p9, folders)
{
    enum { FILES = 400 };
    World *w = world_new(t, "");
    P9Client *c = &w->c;
    uint64_t end = 0, more = 0;

    for (unsigned i = 0; i < FILES; i++) {
        g_autofree char *name = g_strdup_printf("d/%0*u", 1 + (int)i % 100, i);

        put(w->dir, name, "");
    }
    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "d"), 0, "d");
    check_int(t, p9_client(c, TLOPEN, "ww", 1u, 0u), 0, "open");
    check_u64(t, list(t, c, 0, 8000, &end), FILES + 3, "with \"file\", \".\" and \"..\"");
    check_u64(t, list(t, c, 0, 300, &end), FILES + 3, "in small pieces");
    check_u64(t, list(t, c, end, 300, &more), 0, "the end stays one");
    put(w->dir, "d/new", "");
    check_u64(t, list(t, c, 0, 300, &end), FILES + 4, "from the beginning it is read again");
    check_int(t, p9_client(c, TREADDIR, "wqw", 1u, UINT64_C(0), 300u), 0, "the first piece");
    more = p9_ans(c, 4 + 13, 8);
    check_u64(t, list(t, c, more, 300, &end), FILES + 3, "all but the first entry");
}

/* A folder is renamed by one fid while others are inside of it. */
TEST(p9, renames)
{
    World *w = world_new(t, "");
    P9Client *c = &w->c;

    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    check_int(t, p9_client(c, TWALK, "wwhss", 0u, 1u, 2u, "d", "file"), 0, "a file");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 2u, 1u, "d"), 0, "its folder");
    check_int(t, p9_client(c, TRENAME, "wws", 2u, 0u, "e"), 0, "renamed by its fid");
    check_int(t, p9_client(c, TRENAME, "wws", 1u, 0u, "moved"), 0, "the file, by its fid");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 3u, 1u, "moved"), 0, "is there");
    check_int(t, p9_client(c, TREMOVE, "w", 1u), 0, "and removed by its fid");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 4u, 1u, "moved"), ENOENT, "is gone");
    check_int(t, p9_client(c, TGETATTR, "wq", 3u, UINT64_C(0x7ff)), 0, "who has it still sees it");
    check_int(t, p9_client(c, TREMOVE, "w", 3u), ENOENT, "but can't remove it again");
    check_int(t, p9_client(c, TRENAME, "wws", 0u, 2u, "root"), EBUSY, "the root doesn't move");
    check_int(t, p9_client(c, TUNLINKAT, "wsw", 0u, "e", 0u), EISDIR, "a folder is no file");
    check_int(t, p9_client(c, TUNLINKAT, "wsw", 0u, "e", 0x200u), 0, "removed");
}

/* More fids than descriptors: those not in use are closed, and opened again when they are. */
TEST(p9, descriptors_are_reclaimed)
{
    World *w = world_new(t, "");
    P9Client *c = &w->c;
    Local *l = (Local *)w->fs;

    l->quota = 20;
    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    for (unsigned i = 1; i < 200; i++) {
        g_autofree char *name = g_strdup_printf("f%u", i);

        check_int(t, p9_client(c, TWALK, "wwhs", 0u, i, 1u, "d"), 0, "d");
        check_int(t, p9_client(c, TLCREATE, "wswww", i, name, 0102u, 0600u, 0u), 0, "made");
        check_int(t, p9_client(c, TWRITE, "wqwD", i, UINT64_C(0), 4u, (size_t)4, (uint8_t *)&i), 0, "written");
    }
    check_true(t, l->open.length <= 22, "no more than allowed are open");
    check_int(t, p9_client(c, TUNLINKAT, "wsw", 0u, "none", 0u), ENOENT, "no such name");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 500u, 1u, "d"), 0, "d");
    check_int(t, p9_client(c, TUNLINKAT, "wsw", 500u, "f7", 0u), 0, "one is unlinked while it is closed");
    check_int(t, p9_client(c, TRENAME, "wws", 500u, 0u, "other"), 0, "and all are moved");
    for (unsigned i = 1; i < 200; i++) {
        check_int(t, p9_client(c, TREAD, "wqw", i, UINT64_C(0), 8u), 0, "read");
        check_u64(t, p9_ans(c, 4, 4), i, "what was written");
    }
    check_true(t, l->open.length <= 24, "still no more");
}

TEST(p9, read_only)
{
    World *w = world_new(t, "ro");
    P9Client *c = &w->c;

    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "file"), 0, "file");
    check_int(t, p9_client(c, TLOPEN, "ww", 1u, 1u), EROFS, "for writing");
    check_int(t, p9_client(c, TLOPEN, "ww", 1u, 01000u), EROFS, "truncating");
    check_int(t, p9_client(c, TLOPEN, "ww", 1u, 0u), 0, "for reading");
    check_int(t, p9_client(c, TMKDIR, "wsww", 0u, "x", 0755u, 0u), EROFS, "mkdir");
    check_int(t, p9_client(c, TUNLINKAT, "wsw", 0u, "file", 0u), EROFS, "unlink");
    check_int(t, p9_client(c, TRENAMEAT, "wsws", 0u, "file", 0u, "y"), EROFS, "rename");
    check_int(t, p9_client(c, TSETATTR, "wwwwwqqqqq", 1u, 1u, 0u, 0u, 0u, UINT64_C(0), UINT64_C(0), UINT64_C(0),
                           UINT64_C(0), UINT64_C(0)), EROFS, "chmod");
    check_int(t, p9_client(c, TREMOVE, "w", 1u), EROFS, "remove");
}

/* An answer, though the host never gives its lock up; and a lock that the host does. */
TEST(p9, locks)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10 };
    World *w = world_new(t, "none");
    g_autofree char *path = g_build_filename(w->dir, "file", NULL);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    P9Client *c = &w->c;

    check_int(t, fcntl(fd, F_OFD_SETLK, &l), 0, "the host's lock");
    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "file"), 0, "file");
    check_int(t, p9_client(c, TLOPEN, "ww", 1u, (unsigned)O_RDWR), 0, "open");
    check_int(t, p9_client(c, TLOCK, "wbwqqws", 1u, 1u, 0u, UINT64_C(0), UINT64_C(5), 1u, "guest"), 0, "asked");
    check_u8(t, p9_ans(c, 0, 1), 1, "P9_LOCK_BLOCKED");
    check_int(t, p9_client(c, TLOCK, "wbwqqws", 1u, 1u, 1u, UINT64_C(0), UINT64_C(5), 1u, "guest"), 0, "asked to wait");
    check_u8(t, p9_ans(c, 0, 1), 1, "P9_LOCK_BLOCKED, after a while");
    check_int(t, p9_client(c, TGETLOCK, "wbqqws", 1u, 1u, UINT64_C(0), UINT64_C(5), 1u, "guest"), 0, "who has it");
    check_u8(t, p9_ans(c, 0, 1), 1, "somebody");
    l.l_type = F_UNLCK;
    check_int(t, fcntl(fd, F_OFD_SETLK, &l), 0, "given up");
    check_int(t, p9_client(c, TLOCK, "wbwqqws", 1u, 1u, 1u, UINT64_C(0), UINT64_C(5), 1u, "guest"), 0, "asked");
    check_u8(t, p9_ans(c, 0, 1), 0, "P9_LOCK_SUCCESS");
    l.l_type = F_WRLCK;
    check_true(t, fcntl(fd, F_OFD_SETLK, &l) < 0 && errno == EAGAIN, "the host has to wait");
    check_int(t, p9_client(c, TLOCK, "wbwqqws", 1u, 2u, 0u, UINT64_C(0), UINT64_C(5), 1u, "guest"), 0, "given up");
    check_u8(t, p9_ans(c, 0, 1), 0, "P9_LOCK_SUCCESS");
    check_int(t, fcntl(fd, F_OFD_SETLK, &l), 0, "the host's again");
    close(fd);
}

/* The qid's path of "/" and of @name in it; -errno when there is no way there. */
static int path_of(P9Client *c, unsigned fid, const char *name, uint64_t *path)
{
    int n = p9_client(c, TWALK, "wwhs", 0u, fid, 1u, name);

    *path = n == 0 ? p9_ans(c, 2 + 5, 8) : 0;
    return n;
}

/* /proc and /sys: two file systems whose roots have the same inode number. */
TEST(p9, several_file_systems)
{
    static const char *const kinds[] = { "warn", "remap", "forbid" };
    struct stat proc, sys, root;

    if (stat("/proc", &proc) < 0 || stat("/sys", &sys) < 0 || stat("/", &root) < 0 || proc.st_ino != sys.st_ino ||
        proc.st_dev == sys.st_dev || root.st_dev == proc.st_dev) {
        test_skip(t, "the host's /proc and /sys aren't as they are usually");
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        g_autofree char *more = g_strdup_printf("ro,path=/,multidevs=%s", kinds[i]);
        World *w = world_new(t, more);
        uint64_t a, b, again;
        int n;

        check_int(t, p9_client_start(&w->c, "9P2000.L"), 0, "attached");
        n = path_of(&w->c, 1, "proc", &a);
        if (i == 2) {
            check_true(t, n > 0, "forbid: it isn't there");
        } else {
            check_int(t, n, 0, kinds[i]);
            check_int(t, path_of(&w->c, 2, "sys", &b), 0, kinds[i]);
            check_true(t, (a == b) == (i == 0), "remap: another number");
            check_int(t, path_of(&w->c, 3, "proc", &again), 0, "once more");
            check_u64(t, again, a, "the same as before");
        }
        world_close(w);
    }
}

/* No faster than allowed; how much slower is the host's affair. */
TEST(p9, throttling)
{
    static const char *const kinds[] = { "iops-read=40", "bps-total=80000", "iops-write=40" };

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        g_autofree char *more = g_strdup_printf("none,throttling.%s", kinds[i]);
        World *w = world_new(t, more);
        P9Client *c = &w->c;
        uint8_t data[2000] = { 0 };
        gint64 begin, us;

        check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
        check_int(t, p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "file"), 0, "file");
        check_int(t, p9_client(c, TLOPEN, "ww", 1u, (unsigned)O_RDWR), 0, "open");
        check_int(t, p9_client(c, TWRITE, "wqwD", 1u, UINT64_C(0), 2000u, sizeof(data), data), 0, "something to read");
        begin = g_get_monotonic_time();
        for (unsigned k = 0; k < 21; k++) {
            int n = i < 2 ? p9_client(c, TREAD, "wqw", 1u, UINT64_C(0), 2000u)
                          : p9_client(c, TWRITE, "wqwD", 1u, UINT64_C(0), 2000u, sizeof(data), data);

            check_int(t, n, 0, kinds[i]);
        }
        us = g_get_monotonic_time() - begin;
        check_true(t, us >= 450000, "20 requests of half a second");
        test_note(t, "%s: %" PRId64 " ms", kinds[i], us / 1000);
        world_close(w);
    }
}

TEST(p9, extended_attributes)
{
    World *w = world_new(t, "mapped");
    P9Client *c = &w->c;

    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "file"), 0, "file");
    if (p9_client(c, TXATTRWALK, "wws", 1u, 2u, "") == EOPNOTSUPP) {
        test_skip(t, "the host's file system has no extended attributes");
        return;
    }
    check_int(t, p9_client(c, TGETATTR, "wq", 2u, UINT64_C(0)), EBADF, "no file is behind it");
    check_int(t, p9_client(c, TREMOVE, "w", 2u), EBADF, "nothing to remove");
    check_int(t, p9_client(c, TWALK, "wwh", 1u, 3u, 0u), 0, "again");
    check_int(t, p9_client(c, TXATTRCREATE, "wsqw", 3u, "user.x", UINT64_C(65537), 0u), ENOSPC, "too large");
    check_int(t, p9_client(c, TXATTRCREATE, "wsqw", 3u, "user.x", UINT64_C(4), 0u), 0, "a value to come");
    check_int(t, p9_client(c, TREAD, "wqw", 3u, UINT64_C(0), 4u), EBADF, "isn't read");
    check_int(t, p9_client(c, TWRITE, "wqwD", 3u, UINT64_C(0), 5u, (size_t)5, "abcde"), ENOSPC, "more than said");
    check_int(t, p9_client(c, TWRITE, "wqwD", 3u, UINT64_C(1), 1u, (size_t)1, "a"), ENOSPC, "with a hole");
    check_int(t, p9_client(c, TWRITE, "wqwD", 3u, UINT64_C(0), 4u, (size_t)4, "abcd"), 0, "the value");
    check_int(t, p9_client(c, TCLUNK, "w", 3u), 0, "set");
    check_int(t, p9_client(c, TXATTRWALK, "wws", 1u, 4u, "user.x"), 0, "read");
    check_u64(t, p9_ans(c, 0, 8), 4, "its size");
    check_int(t, p9_client(c, TREAD, "wqw", 4u, UINT64_C(1), 100u), 0, "from an offset");
    check_mem(t, c->ans + 11, "bcd", 3, "its bytes");
    check_int(t, p9_client(c, TXATTRWALK, "wws", 1u, 5u, "user.virtfs.uid"), ENODATA, "ours are hidden");
}

/* CVE-2016-9102 to -9104: values announced and never written, or announced again; offsets that overflow. */
TEST(p9_attack, extended_attributes)
{
    static const uint64_t far[] = { 4, 5, 0x7fffffff, 0x80000000, UINT64_C(0xfffffffc), UINT64_C(0xffffffffffff0000),
                                    UINT64_MAX - 3, UINT64_MAX };
    World *w = world_new(t, "mapped");
    P9Client *c = &w->c;

    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "file"), 0, "file");
    if (p9_client(c, TXATTRWALK, "wws", 1u, 2u, "") == EOPNOTSUPP) {
        test_skip(t, "the host's file system has no extended attributes");
        return;
    }
    for (int i = 0; i < 200; i++) {
        check_int(t, p9_client(c, TWALK, "wwh", 1u, 3u, 0u), 0, "again");
        check_int(t, p9_client(c, TXATTRCREATE, "wsqw", 3u, "user.x", UINT64_C(60000), 0u), 0, "announced");
        check_int(t, p9_client(c, TXATTRCREATE, "wsqw", 3u, "user.y", UINT64_C(60000), 0u), EINVAL, "and again");
        check_int(t, p9_client(c, TREAD, "wqw", 3u, UINT64_C(0), 60000u), EBADF, "what wasn't written isn't read");
        if (i % 2) {
            p9_client(c, TCLUNK, "w", 3u);
        } else {
            p9_client(c, TREMOVE, "w", 3u);
        }
    }
    check_int(t, p9_client(c, TXATTRWALK, "wws", 1u, 4u, "user.x"), ENODATA, "what wasn't written whole isn't set");
    check_int(t, p9_client(c, TWALK, "wwh", 1u, 3u, 0u), 0, "once more");
    check_int(t, p9_client(c, TXATTRCREATE, "wsqw", 3u, "user.x", UINT64_C(4), 0u), 0, "a value to come");
    for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
        check_true(t, p9_client(c, TWRITE, "wqwD", 3u, far[i], 4u, (size_t)4, "abcd") != 0, "not there");
    }
    check_int(t, p9_client(c, TWRITE, "wqwD", 3u, UINT64_C(0), 4u, (size_t)4, "abcd"), 0, "the value");
    check_int(t, p9_client(c, TCLUNK, "w", 3u), 0, "set");
    check_int(t, p9_client(c, TXATTRWALK, "wws", 1u, 4u, "user.x"), 0, "read");
    for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
        p9_client(c, TREAD, "wqw", 4u, far[i], UINT32_MAX);
        check_u64(t, p9_ans(c, 0, 4), 0, "nothing there");
    }
}

/* CVE-2016-8578: strings of no bytes wherever there is a string. CVE-2016-8577, -9105, -9106: what fails half-way. */
TEST(p9_attack, empty_strings_and_failures)
{
    World *w = world_new(t, "mapped");
    P9Client *c = &w->c;

    check_true(t, p9_client(c, TVERSION, "ws", 8192u, "") == 0, "an answer");
    check_int(t, p9_client_start(c, "9P2000.L"), 0, "attached");
    check_int(t, p9_client(c, TATTACH, "wwssw", 9u, UINT32_MAX, "", "", 0u), 0, "no name, no folder: the root");
    check_int(t, p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "file"), 0, "file");
    for (int i = 0; i < 200; i++) {
        check_true(t, p9_client(c, TWALK, "wwhs", 0u, 2u, 1u, "") != 0, "walk");
        check_int(t, p9_client(c, TWALK, "wwh", 0u, 2u, 0u), 0, "the folder");
        check_true(t, p9_client(c, TLCREATE, "wswww", 2u, "", 0u, 0644u, 0u) != 0, "create");
        check_true(t, p9_client(c, TSYMLINK, "wssw", 2u, "", "to", 0u) != 0, "symlink");
        p9_client(c, TSYMLINK, "wssw", 2u, "l", "", 0u);
        check_true(t, p9_client(c, TMKNOD, "wswwww", 2u, "", 0100644u, 0u, 0u, 0u) != 0, "mknod");
        check_true(t, p9_client(c, TMKDIR, "wsww", 2u, "", 0755u, 0u) != 0, "mkdir");
        check_true(t, p9_client(c, TLINK, "wws", 2u, 1u, "") != 0, "link");
        check_true(t, p9_client(c, TLINK, "wws", 2u, 1u, "d") != 0, "link to what is there");
        check_true(t, p9_client(c, TLINK, "wws", 1u, 2u, "x") != 0, "link of a folder into a file");
        check_true(t, p9_client(c, TRENAME, "wws", 1u, 2u, "") != 0, "rename");
        check_true(t, p9_client(c, TRENAMEAT, "wsws", 2u, "file", 2u, "") != 0, "renameat");
        check_true(t, p9_client(c, TUNLINKAT, "wsw", 2u, "", 0u) != 0, "unlink");
        check_true(t, p9_client(c, TXATTRCREATE, "wsqw", 2u, "", UINT64_C(4), 0u) != 0, "attribute");
        check_true(t, p9_client(c, TREAD, "wqw", 2u, UINT64_C(0), 100u) != 0, "read of what isn't open");
        check_true(t, p9_client(c, TWRITE, "wqwD", 2u, UINT64_C(0), 4u, (size_t)4, "abcd") != 0, "write");
        check_int(t, p9_client(c, TCLUNK, "w", 2u), 0, "given back");
    }
    check_int(t, p9_client(c, TLOPEN, "ww", 1u, 0u), 0, "open to read");
    check_true(t, p9_client(c, TWRITE, "wqwD", 1u, UINT64_MAX, 4u, (size_t)4, "abcd") != 0, "isn't written");
    check_true(t, p9_client(c, TREAD, "wqw", 1u, UINT64_MAX, UINT32_MAX) != 0 || p9_ans(c, 0, 4) == 0, "nothing there");
}

/* Any bytes: an answer, or none, and no more harm than the share may take. */
TEST(p9_attack, random_messages)
{
    static const uint8_t types[] = { 8, 12, 14, 16, 18, 20, 22, 24, 26, 30, 32, 40, 50, 52, 54, 70, 72, 74, 76, 100, 102,
                                     104, 108, 110, 112, 114, 116, 118, 120, 122, 124, 126, 0, 7, 255 };
    World *w = world_new(t, "mapped");
    P9Client *c = &w->c;
    g_autoptr(GRand) rnd = g_rand_new_with_seed(9);

    for (int i = 0; i < 6000; i++) {
        uint8_t m[200];
        size_t len = (size_t)g_rand_int_range(rnd, 0, 120);

        if (i % 300 == 0) {
            c->room = sizeof(c->ans);
            p9_client_start(c, i % 600 ? "9P2000.u" : "9P2000.L");
            p9_client(c, TWALK, "wwhs", 0u, 1u, 1u, "d");
            p9_client(c, TWALK, "wwhs", 0u, 2u, 1u, "file");
        }
        for (size_t k = 0; k < sizeof(m); k++) {
            m[k] = g_rand_int_range(rnd, 0, 3) ? (uint8_t)g_rand_int_range(rnd, 0, 4) : (uint8_t)g_rand_int(rnd);
        }
        if (i % 8) {
            m[0] = (uint8_t)len;
            m[1] = m[2] = m[3] = 0;
        }
        m[4] = types[g_rand_int_range(rnd, 0, ARRAY_SIZE(types))];
        c->room = g_rand_int_range(rnd, 0, 10) ? 8192 : (uint32_t)g_rand_int_range(rnd, 0, 40);
        p9_client_raw(c, m, len);
    }
    {
        g_autofree char *secret = g_strdup_printf("%s/secret", w->outside);

        check_true(t, access(secret, F_OK) == 0, "nothing outside is touched");
    }
}

TEST(p9, options)
{
    static const struct { const char *opts, *part; } wrong[] = {
        { "{'id': 'x'}", "driver" },
        { "{'fsdriver': 'local', 'path': '/tmp'}", "id" },
        { "{'fsdriver': 'local', 'id': 'x', 'path': '/tmp'}", "security_model" },
        { "{'fsdriver': 'local', 'id': 'x', 'path': '/tmp', 'security_model': 'loose'}", "loose" },
        { "{'fsdriver': 'local', 'id': 'x', 'security_model': 'none'}", "path" },
        { "{'fsdriver': 'local', 'id': 'x', 'path': '/nonexistent', 'security_model': 'none'}", "/nonexistent" },
        { "{'fsdriver': 'local', 'id': 'x', 'path': '/tmp', 'security_model': 'none', 'fmode': '0600'}", "fmode" },
        { "{'fsdriver': 'local', 'id': 'x', 'path': '/tmp', 'security_model': 'mapped', 'fmode': '8'}", "fmode" },
        { "{'fsdriver': 'local', 'id': 'x', 'path': '/tmp', 'security_model': 'none', 'multidevs': 'x'}", "multidevs" },
        { "{'fsdriver': 'local', 'id': 'x', 'path': '/tmp', 'security_model': 'none', 'writeout': 'x'}", "writeout" },
        { "{'fsdriver': 'local', 'id': 'x', 'path': '/tmp', 'security_model': 'none', 'readonly': 'x'}", "readonly" },
        { "{'fsdriver': 'local', 'id': 'x', 'path': '/tmp', 'security_model': 'none', 'sock': 'x'}", "sock" },
        { "{'fsdriver': 'local', 'id': 'x', 'path': '/tmp', 'security_model': 'none', 'throttling.x': '1'}",
          "throttling.x" },
        { "{'fsdriver': 'local', 'id': 'x', 'path': '/tmp', 'security_model': 'none', 'throttling.bps-total': 'y'}",
          "bps-total" },
    };

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        g_autofree char *text = g_strdelimit(g_strdup(wrong[i].opts), "'", '"');
        QOBJECT_AUTO QDict *opts = json_parse_dict(text, NULL);
        Error *err = NULL;

        check_true(t, !fsdev_add(opts, &err) && strstr(error_message(err), wrong[i].part),
                   err ? error_message(err) : wrong[i].part);
        error_free(err);
    }
}
