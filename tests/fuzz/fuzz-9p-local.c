/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 9P server on a folder of the host, beside one that isn't shared. The input is a program: its first byte chooses
 * the dialect, the security model and so on, then come messages whose numbers and names are made of the next bytes, several of them under way
 * at a time if it says so, and what somebody on the host does between. The folder beside may be neither read nor changed, and no descriptor may stay open.
 */
#include "util/osdep.h"
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fsdev/local.h"
#include "hw/9p/p9.h"
#include "util/bswap.h"
#include "util/main-loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define STEPS       200
#define UNDER_WAY   8
#define ROOM        8192
#define SECRET      "S3CRET-OF-THE-HOST"

typedef struct Call {
    P9Io io;
    struct iovec out, in;
    bool under_way, done;
    GByteArray *message;
    uint8_t answer[ROOM];
} Call;

typedef struct Run {
    const uint8_t *data;
    size_t size;
    P9 *p9;
    Call calls[UNDER_WAY];
} Run;

static char base[256];                  /* has "share" and "outside" */

/* --- bytes of the input --- */

static uint8_t byte(Run *r)
{
    if (!r->size) {
        return 0;
    }
    r->size--;
    return *r->data++;
}

/* Small ones, those at which sizes and signs end, and any. */
static uint64_t number(Run *r)
{
    static const uint64_t odd[] = { UINT64_MAX, INT64_MAX, UINT64_C(1) << 63, UINT32_MAX, INT32_MAX, 4096, 65536, 65537,
                                    UINT64_C(1) << 32, 0100644, 040755, 0120777, 020666, 060666, 010666, 06755 };
    uint8_t b = byte(r);
    uint64_t v = 0;

    if (b < 128) {
        return b;
    }
    if (b < 128 + ARRAY_SIZE(odd)) {
        return odd[b - 128];
    }
    for (unsigned i = 0; i < b % 8u + 1; i++) {
        v = v << 8 | byte(r);
    }
    return v;
}

static void put(GByteArray *m, uint64_t v, unsigned bytes)
{
    uint8_t raw[8];

    store_le64(raw, v);
    g_byte_array_append(m, raw, bytes);
}

static void put_name(Run *r, GByteArray *m)
{
    static const char *const names[] = {
        "file", "d", "e", "new", "other", "link", "pipe", "deep", "", ".", "..", "../outside", "../outside/secret", "d/file",
        "/", "/etc/passwd", "d/..", ".virtfs_metadata", ".virtfs_metadata_root", "secret", "outside", "/proc/self/root",
        "user.x", "user.virtfs.uid", "user.virtfs.mode", "system.posix_acl_access", "security.capability", "trusted.x",
    };
    uint8_t b = byte(r), raw[300];
    size_t n;

    if (b < ARRAY_SIZE(names)) {
        put(m, strlen(names[b]), 2);
        g_byte_array_append(m, (const uint8_t *)names[b], (guint)strlen(names[b]));
        return;
    }
    if (b == 255) {                     /* the place outside, as links have it */
        g_autofree char *path = g_strconcat(base, byte(r) & 1 ? "/outside/secret" : "/outside", NULL);

        put(m, strlen(path), 2);
        g_byte_array_append(m, (const uint8_t *)path, (guint)strlen(path));
        return;
    }
    n = b == 254 ? sizeof(raw) : MIN((size_t)b % 32, r->size);
    for (size_t i = 0; i < n; i++) {
        raw[i] = b == 254 ? 'x' : byte(r);
    }
    put(m, n, 2);
    g_byte_array_append(m, raw, (guint)n);
}

/* --- messages --- */

/* f a fid, b h w q numbers, s a name, n names with their number, D bytes with their number. */
static const struct { uint8_t type; const char *fmt; } messages[] = {
    { 8, "f" }, { 12, "fw" }, { 14, "fswww" }, { 16, "fssw" }, { 18, "fswwww" }, { 20, "ffs" }, { 22, "f" }, { 24, "fq" },
    { 26, "fwwwwqqqqq" }, { 30, "ffs" }, { 32, "fsqw" }, { 40, "fqw" }, { 50, "fw" }, { 52, "fbwqqws" }, { 54, "fbqqws" },
    { 70, "ffs" }, { 72, "fsww" }, { 74, "fsfs" }, { 76, "fsw" }, { 100, "ws" }, { 104, "ffssw" }, { 108, "h" },
    { 110, "ffn" }, { 110, "ffn" }, { 112, "fb" }, { 114, "fswbs" }, { 116, "fqw" }, { 118, "fqD" }, { 120, "f" }, { 122, "f" },
    { 124, "f" }, { 126, "fhD" }, { 110, "ffn" },
};

static void put_message(Run *r, GByteArray *m, unsigned which, uint16_t tag)
{
    unsigned n;

    put(m, 0, 4);
    put(m, messages[which].type, 1);
    put(m, tag, 2);
    for (const char *f = messages[which].fmt; *f; f++) {
        switch (*f) {
        case 'f':
            n = byte(r);
            put(m, n == 255 ? UINT32_MAX : n % 8, 4);
            break;
        case 's':
            put_name(r, m);
            break;
        case 'n':
            n = byte(r) % 20;
            put(m, n, 2);
            while (n--) {
                put_name(r, m);
            }
            break;
        case 'D':
            n = byte(r);
            put(m, n, 4);
            while (n--) {
                put(m, 'x', 1);
            }
            break;
        default:
            put(m, number(r), *f == 'b' ? 1 : *f == 'h' ? 2 : *f == 'w' ? 4 : 8);
        }
    }
    store_le32(m->data, m->len);
}

static void call_done(P9Io *io, UNUSED size_t len)
{
    container_of(io, Call, io)->done = true;
}

static void end_call(Call *c)
{
    if (c->under_way) {
        main_loop_run_until(&c->done);
        c->under_way = false;
        g_byte_array_unref(c->message);
        if (memmem(c->answer, ROOM, SECRET, strlen(SECRET))) {
            g_error("what isn't shared was read");
        }
    }
}

static void begin_call(Run *r, Call *c, GByteArray *message, size_t room)
{
    end_call(c);
    memset(c->answer, 0, ROOM);
    c->message = message;
    c->out = (struct iovec){ message->data, message->len };
    c->in = (struct iovec){ c->answer, room };
    c->io = (P9Io){ .out = &c->out, .n_out = 1, .out_bytes = message->len, .in = &c->in, .n_in = 1, .in_bytes = room,
                    .done = call_done };
    c->under_way = true;
    c->done = false;
    p9_request(r->p9, &c->io);
}

/* --- the host --- */

static void at(char *path, const char *name)
{
    snprintf(path, 300, "%s/%s", base, name);
}

static void put_file(const char *name, const char *text)
{
    char path[300];

    at(path, name);
    g_file_set_contents(path, text, -1, NULL);
}

/* Errors are as good as anything: what is there depends on the input. */
static void on_the_host(unsigned what)
{
    char d[300], away[300], outside[300], secret[300];
    int fd;

    at(d, what & 8 ? "share/e" : "share/d");
    at(away, "share/other");
    at(outside, "outside");
    at(secret, "outside/secret");
    switch (what % 8) {
    case 0:
        if (rename(d, away) == 0 && symlink(outside, d) < 0) {
            rename(away, d);
        }
        break;
    case 1:
        if (unlink(d) == 0 && rename(away, d) < 0) {
            mkdir(d, 0700);
        }
        break;
    case 2:
        at(away, "share/file");
        if (unlink(away) == 0 && symlink(secret, away) < 0) {
            break;
        }
        break;
    case 3:
        at(away, "share/file");
        if (unlink(away) == 0 && mkfifo(away, 0600) < 0) {
            break;
        }
        break;
    case 4:
        if (symlink("../outside", away) < 0) {
            unlink(away);
        }
        break;
    case 5:
        fd = open(d, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) {
            fchmod(fd, what & 16 ? 0 : 0700);
            close(fd);
        }
        break;
    case 6:
        rmdir(d);
        break;
    case 7:
        mkdir(d, 0700);
        break;
    }
}

static int remove_one(const char *path, UNUSED const struct stat *st, UNUSED int flag, UNUSED struct FTW *ftw)
{
    return remove(path);
}

static int allow_one(const char *path, const struct stat *st, UNUSED int flag, UNUSED struct FTW *ftw)
{
    return S_ISDIR(st->st_mode) ? chmod(path, 0700) : 0;
}

static void remove_tree(const char *path)
{
    nftw(path, allow_one, 16, FTW_PHYS);
    nftw(path, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

static void new_share(void)
{
    static const char *const folders[] = { "share", "share/d", "share/e", "share/deep", "share/deep/deep" };
    char path[300];

    at(path, "share");
    remove_tree(path);
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        at(path, folders[i]);
        mkdir(path, 0700);
    }
    put_file("share/file", "inside");
    put_file("share/d/file", "inside");
}

typedef struct Outside {
    struct stat folder, secret;
    unsigned descriptors;
} Outside;

static Outside look_outside(void)
{
    char path[300];
    Outside o = { 0 };
    DIR *d = opendir("/proc/self/fd");

    while (d && readdir(d)) {
        o.descriptors++;
    }
    if (d) {
        closedir(d);
    }
    at(path, "outside");
    stat(path, &o.folder);
    at(path, "outside/secret");
    stat(path, &o.secret);
    return o;
}

static bool untouched(const struct stat *a, const struct stat *b)
{
    return a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec &&
           a->st_atim.tv_sec == b->st_atim.tv_sec && a->st_atim.tv_nsec == b->st_atim.tv_nsec && a->st_nlink == b->st_nlink;
}

/* --- a run --- */

static void start(Run *r, FsDev *fs, bool dotl)
{
    GByteArray *m = g_byte_array_new();

    r->p9 = p9_new(fs, "fuzz");
    put(m, 0, 4);
    put(m, 100, 1);
    put(m, 0, 2);
    put(m, 8192, 4);
    put(m, 8, 2);
    g_byte_array_append(m, (const uint8_t *)(dotl ? "9P2000.L" : "9P2000.u"), 8);
    store_le32(m->data, m->len);
    begin_call(r, &r->calls[0], m, ROOM);
    m = g_byte_array_new();
    put(m, 0, 4);
    put(m, 104, 1);
    put(m, 0, 2);
    put(m, 0, 4);
    put(m, UINT32_MAX, 4);
    put(m, 0, 4 + 4);
    store_le32(m->data, m->len);
    begin_call(r, &r->calls[0], m, ROOM);
    end_call(&r->calls[0]);
}

static void steps(Run *r)
{
    for (unsigned i = 0; i < STEPS && r->size; i++) {
        uint8_t op = byte(r);
        unsigned slot = i % UNDER_WAY;
        GByteArray *m;

        if (op % 64 >= ARRAY_SIZE(messages)) {
            on_the_host(op % 64 - ARRAY_SIZE(messages));
            continue;
        }
        m = g_byte_array_new();
        put_message(r, m, op % 64, (uint16_t)slot);
        begin_call(r, &r->calls[slot], m, op & 0x80 ? MIN((size_t)byte(r) + 7, (size_t)ROOM) : ROOM);
        if (!(op & 0x40)) {
            end_call(&r->calls[slot]);
        }
    }
    for (unsigned i = 0; i < UNDER_WAY; i++) {
        end_call(&r->calls[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const models[] = { "mapped-xattr", "mapped-file", "none", "passthrough" };
    g_autofree Run *r = g_new0(Run, 1);
    QOBJECT_AUTO QDict *opts = NULL;
    char path[300];
    Outside before, after;
    uint8_t kind;
    FsDev *fs;

    new_share();
    before = look_outside();
    r->data = data;
    r->size = size;
    kind = byte(r);
    at(path, "share");
    opts = qdict_from_fmt("{'fsdriver': 'local', 'id': 'f', 'path': %s, 'security_model': %s, 'multidevs': 'remap',"
                          " 'readonly': %s}", path, models[kind % 4], kind & 4 ? "on" : "off");
    if (!fsdev_add(opts, NULL)) {
        g_error("no fsdev");
    }
    fs = fsdev_use("f", NULL);
    if (kind & 8) {
        ((Local *)fs)->quota = 3;
    }
    start(r, fs, !(kind & 16));
    steps(r);
    p9_free(r->p9);
    fsdev_release(fs);
    fsdev_close_all();
    after = look_outside();
    if (!untouched(&before.folder, &after.folder) || !untouched(&before.secret, &after.secret)) {
        g_error("what isn't shared was touched");
    }
    if (before.descriptors != after.descriptors) {
        g_error("%u descriptors before, %u after", before.descriptors, after.descriptors);
    }
    return 0;
}

static void clean_up(void)
{
    remove_tree(base);
}

int LLVMFuzzerInitialize(UNUSED int *argc, UNUSED char ***argv)
{
    struct timespec long_ago[2] = { { .tv_sec = 1000000000 }, { .tv_nsec = UTIME_OMIT } };
    char path[300];

    main_loop_init();
    /* In memory, if it can be: attributes of extended kind are left out then where the kernel has none there. */
    snprintf(base, sizeof(base), "%s/fuzz-9p-local.XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(base)) {
        g_error("no folder '%s'", base);
    }
    atexit(clean_up);
    at(path, "outside");
    mkdir(path, 0700);
    put_file("outside/secret", SECRET);
    /* So that a first reading shows. */
    utimensat(AT_FDCWD, path, long_ago, 0);
    at(path, "outside/secret");
    utimensat(AT_FDCWD, path, long_ago, 0);
    return 0;
}
