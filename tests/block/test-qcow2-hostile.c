/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Broken and hostile qcow2 images: each is refused, or its requests fail, with words that name what is wrong. */
#include "util/osdep.h"
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "qobject/json.h"
#include "tests/lib/image.h"
#include "util/bswap.h"
#include "util/main-loop.h"

static const struct Case {
    const char *what;
    uint64_t offset;            /* where bytes are changed */
    unsigned bytes;
    uint64_t value;             /* big endian */
    const char *text;           /* part of the message */
} cases[] = {
    { "no magic", 0, 4, 0x514649fc, "no qcow2 image" },
    { "version 1", 4, 4, 1, "byte 4" },
    { "version 4", 4, 4, 4, "byte 4" },
    { "backing name past the cluster", 8, 8, 0x10000, "byte 8" },
    { "clusters of 256 bytes", 20, 4, 8, "byte 20" },
    { "clusters of 4 GiB", 20, 4, 32, "byte 20" },
    { "a size beyond all tables", 24, 8, UINT64_MAX, "byte 24" },
    { "a size beyond its L1 table", 24, 8, UINT64_C(1) << 50, "byte 36" },
    { "encrypted", 32, 4, 1, "crypt_method" },
    { "an L1 table of 4 G entries", 36, 4, UINT32_MAX, "L1 table" },
    { "an L1 table that isn't aligned", 40, 8, 0x10200, "0x10200" },
    { "an L1 table in the header", 40, 8, 0, "L1 table" },
    { "an L1 table near the end of all offsets", 40, 8, UINT64_C(0x7fffffffffff0000), "L1 table" },
    { "a refcount table that isn't aligned", 48, 8, 0x10100, "refcount table" },
    { "a refcount table of 4 G clusters", 56, 4, UINT32_MAX, "refcount table" },
    { "no refcount table", 56, 4, 0, "refcount table" },
    { "4 G snapshots", 60, 4, UINT32_MAX, "snapshots" },
    { "snapshots past the end", 60, 12, 5, "snapshot table" },
    { "an unknown feature", 72, 8, UINT64_C(1) << 40, "bit 40" },
    { "an external data file", 72, 8, 4, "external data file" },
    { "refcounts of 128 bits", 96, 4, 7, "byte 96" },
    { "a short header", 100, 4, 96, "byte 100" },
    { "a header longer than a cluster", 100, 4, 0x20000, "byte 100" },
    { "a compression type without its feature", 104, 1, 1, "byte 104" },
    { "an extension past the header", 116, 4, 0x00ffffff, "extension" },
};

static char *path_of(Test *t, const char *name)
{
    return g_build_filename(test_tmpdir(t), name, NULL);
}

static void change(const char *path, uint64_t offset, unsigned bytes, uint64_t value)
{
    uint8_t b[16] = { 0 };
    int fd = open(path, O_WRONLY);

    /* Longer than a number: the number first. */
    store_be64(b, bytes > 8 ? value << 32 | 0x10 : value << (64 - 8 * MIN(bytes, 8U)));
    if (bytes > 8) {
        store_be32(b + 8, 0x00000000);
        b[5] = 0x7f;
    }
    if (pwrite(fd, b, bytes, offset) < 0) {
        abort();
    }
    close(fd);
}

static char *open_error(const char *path)
{
    return image_refusal(qdict_from_fmt("{'driver': 'qcow2', 'file': {'driver': 'file', 'filename': %s}}", path));
}

TEST(qcow2_hostile, headers)
{
    char *path = path_of(t, "bad.qcow2");

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct Case *c = &cases[i];
        char *text;

        image_create(t, path, 10 * MIB, "");
        change(path, c->offset, c->bytes, c->value);
        text = open_error(path);
        if (!text || !strstr(text, c->text)) {
            test_fail(t, "%s: expected a message with '%s', got '%s'", c->what, c->text,
                      text ? text : "(it was opened)");
        }
        g_free(text);
    }
    g_free(path);
}

/* Cluster 0 header, 1 refcount table, 2 refcount block, 3 L1, then data, and an L2 table behind it. */
static BlockNode *damaged(Test *t, const char *path, uint64_t offset, uint64_t value, bool entry)
{
    uint8_t buf[512] = { 1 }, b[8];
    uint64_t l2;
    BlockNode *n;
    int fd;

    image_create(t, path, 10 * MIB, "");
    n = image_open(t, path, "qcow2", NULL);
    image_write(n, 0, buf, sizeof(buf));
    block_node_unref(n);
    fd = open(path, O_RDWR);
    if (pread(fd, b, 8, 3 * 65536) != 8) {
        abort();
    }
    close(fd);
    l2 = load_be64(b) & UINT64_C(0x00fffffffffffe00);
    change(path, entry ? l2 + offset : offset, 8, value);
    return image_open(t, path, "qcow2", NULL);
}

TEST(qcow2_hostile, tables)
{
    static const struct {
        const char *what;
        uint64_t offset, value;
        bool l2;
    } c[] = {
        { "an L1 entry that isn't aligned", 3 * 65536, 0x8000000000010200, false },
        { "an L1 entry with reserved bits", 3 * 65536, 0x7f00000000050000, false },
        { "an L2 entry that isn't aligned", 0, 0x8000000000010200, true },
        { "an L2 entry with reserved bits", 0, 0xbf00000000050002, true },
        { "a compressed cluster past the end", 0, 0x40000fffffffff00, true },
    };
    char *path = path_of(t, "bad.qcow2");
    uint8_t buf[512];

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
        BlockNode *n = damaged(t, path, c[i].offset, c[i].value, c[i].l2);

        if (n) {
            check_int(t, image_read(n, 0, buf, sizeof(buf)), -EIO, c[i].what);
            check_int(t, image_write(n, 65536, buf, sizeof(buf)), -EIO, "nothing is written any more");
            block_node_unref(n);
        }
    }
    g_free(path);
}

TEST(qcow2_hostile, circles)
{
    char *path = path_of(t, "ring.qcow2"), *text;

    main_loop_init();
    image_create(t, path, MIB, "'backing_file': 'ring.qcow2', 'backing_fmt': 'qcow2'");
    text = open_error(path);
    check_true(t, text && (strstr(text, "circle") || strstr(text, "lock")), "an image that is its own base");
    g_free(text);
    g_free(path);
}

/* --- image locks, with the distribution's programs on the other side --- */

static char *try_open(const char *path, const char *more)
{
    char *json = g_strdup_printf("{\"driver\": \"file\", \"filename\": \"%s\"%s}", path, more);
    char *text = image_refusal(json_parse_dict(json, NULL));

    g_free(json);
    return text;
}

TEST(image_lock, ours)
{
    char *path = path_of(t, "l.raw"), *text;
    QDict *d = qdict_from_fmt("{'driver': 'file', 'filename': %s}", path);
    BlockNode *n;

    main_loop_init();
    g_file_set_contents(path, "12345678", 8, NULL);
    n = block_node_open(d, NULL);
    text = try_open(path, "");
    check_str(t, text, "Failed to get \"write\" lock", "a second writer");
    g_free(text);
    text = try_open(path, ", \"read-only\": true");
    check_str(t, text, "Failed to get shared \"write\" lock", "a reader beside a writer");
    g_free(text);
    check_str(t, try_open(path, ", \"read-only\": true, \"force-share\": true"), NULL, "force-share");
    check_str(t, try_open(path, ", \"locking\": \"off\""), NULL, "locking=off");
    block_node_unref(n);
    check_str(t, try_open(path, ""), NULL, "the lock goes with its holder");
    qobject_unref(d);
    g_free(path);
}

TEST(image_lock, theirs)
{
    char *path = path_of(t, "l.qcow2"), *args, *out = NULL, *text;
    char *argv[] = { (char *)"/usr/bin/qemu-io", (char *)"-c", (char *)"write 0 64k", (char *)"-c",
                     (char *)"sleep 60000", path, NULL };
    BlockNode *n;
    pid_t pid;

    main_loop_init();
    image_create(t, path, MIB, "");
    args = g_strdup_printf("info '%s'", path);
    if (distribution_qemu_img(args, NULL) != 0 || access(argv[0], X_OK)) {
        test_skip(t, "the distribution's programs are missing");
        return;
    }
    n = image_open(t, path, "qcow2", NULL);
    check_true(t, distribution_qemu_img(args, &out) == 1 && strstr(out, "lock"), "we keep others out");
    g_free(out);
    block_node_unref(n);
    check_int(t, distribution_qemu_img(args, NULL), 0, "until we close it");
    g_free(args);
    args = g_strdup_printf("info -U '%s'", path);
    pid = fork();
    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        execv(argv[0], argv);
        _exit(1);
    }
    /* Until it has the image, which may take a while on a busy machine. */
    while (!(text = try_open(path, ""))) {
        g_usleep(50000);
    }
    check_true(t, text && strstr(text, "\"write\" lock"), "others keep us out");
    g_free(text);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    check_str(t, try_open(path, ""), NULL, "until they end");
    g_free(args);
    g_free(path);
}
