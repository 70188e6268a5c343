/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encrypted qcow2 images: random requests against a shadow; the distribution's qemu-img reads ours, and we its; snapshots, passwords, hostile headers. */
#include "util/osdep.h"
#include "qobject/json.h"
#include "tests/lib/shadow.h"
#include "util/bswap.h"

static const struct Shape { const char *opts, *crypt, *theirs; } shapes[] = {
    { "", "", "" },
    { "'extended_l2': true,", "", ",extended_l2=on" },
    { "'compat': '0.10',", ", 'cipher-alg': 'aes-128', 'ivgen-alg': 'plain'", ",compat=0.10,encrypt.cipher-alg=aes-128,encrypt.ivgen-alg=plain" },
    { "'cluster_size': 4096,", ", 'cipher-mode': 'cbc', 'ivgen-alg': 'essiv', 'hash-alg': 'sha1'",
      ",cluster_size=4096,encrypt.cipher-mode=cbc,encrypt.ivgen-alg=essiv,encrypt.ivgen-hash-alg=sha256,encrypt.hash-alg=sha1" },
    { "'preallocation': 'metadata', 'cluster_size': 2097152,", "", ",preallocation=metadata,cluster_size=2M" },
};
#define SIZE        (3 * MIB + 512)
#define OPEN        "'encrypt.format': 'luks', 'encrypt.key-secret': 's0', 'cache.no-flush': true"
#define OBJECTS     "--object 'secret,id=s0,data=open sesame' --object 'secret,id=s1,data=open barley' --image-opts "
#define THEIRS      "driver=qcow2,encrypt.format=luks,encrypt.key-secret=s0,file.filename="

static char *path_of(Test *t, const char *name)
{
    return g_build_filename(test_tmpdir(t), name, NULL);
}

static BlockNode *make(Test *t, const char *path, const struct Shape *s)
{
    char *opts = g_strdup_printf("%s 'encrypt': {'format': 'luks', 'key-secret': 's0', 'iter-time': 1%s}", s->opts, s->crypt);
    BlockNode *n = image_create_format(t, path, "qcow2", SIZE, opts) ? image_open(t, path, "qcow2", OPEN) : NULL;

    g_free(opts);
    return n;
}

TEST(qcow2_luks, random_requests)
{
    char *path = path_of(t, "d.qcow2"), *raw = path_of(t, "d.raw"), *args;

    printf("# timeout: 240\n");         /* five seconds of work, on a machine that has others too */
    image_secrets();
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        Shadow s = { g_malloc0(SIZE), SIZE, g_rand_new_with_seed(i + 1) };
        BlockNode *n = make(t, path, &shapes[i]);
        /* Of a new image that has all its clusters, what was never written is noise. */
        bool ok = n && (!strstr(shapes[i].opts, "preallocation") || image_write(n, 0, s.data, SIZE) == 0);

        for (int k = 0; ok && k < 40; k++) {
            ok = shadow_step(t, n, &s);
        }
        check_true(t, ok && shadow_read_all(t, n, &s, shapes[i].theirs), "requests");
        block_node_unref(n);
        n = image_open(t, path, "qcow2", OPEN);
        check_true(t, n && shadow_read_all(t, n, &s, "opened again"), "again");
        args = g_strdup_printf(OBJECTS THEIRS "'%s'", path);
        image_must_have_facts(t, n, args, shapes[i].theirs);
        block_node_unref(n);
        g_free(args);
        g_file_set_contents(raw, (char *)s.data, SIZE, NULL);
        args = g_strdup_printf("compare " OBJECTS "driver=raw,file.filename='%s' " THEIRS "'%s'", raw, path);
        check_true(t, distribution_qemu_img(args, NULL) <= 0, "the distribution's qemu-img reads the same");
        g_free(args);
        args = g_strdup_printf("check " OBJECTS THEIRS "'%s'", path);
        check_true(t, distribution_qemu_img(args, NULL) <= 0, "and finds nothing wrong");
        g_free(args);
        args = g_strdup_printf("convert --object 'secret,id=s0,data=open sesame' -f raw -O qcow2 -o encrypt.format=luks,encrypt.key-secret=s0,"
                               "encrypt.iter-time=10%s '%s' '%s'", shapes[i].theirs, raw, path);
        /* It takes two seconds to measure how fast it is. */
        if (i % 3 == 0 && distribution_qemu_img(args, NULL) == 0) {
            n = image_open(t, path, "qcow2", OPEN);
            check_true(t, n && shadow_read_all(t, n, &s, "an image that it made"), "read");
            for (int k = 0; n && k < 20; k++) {
                ok = shadow_step(t, n, &s);
            }
            check_true(t, ok, "and written");
            block_node_unref(n);
        }
        g_free(args);
        g_rand_free(s.rand);
        g_free(s.data);
    }
    g_free(raw);
    g_free(path);
}

TEST(qcow2_luks, snapshots)
{
    char *path = path_of(t, "d.qcow2");
    BlockSnapshot shot = { .name = (char *)"one", .vm_state_size = 70000 };
    uint8_t *b = g_malloc(70000), *disk = g_malloc(100000);
    BlockNode *n;

    image_secrets();
    n = make(t, path, &shapes[0]);
    if (check_true(t, n, "an image")) {
        memset(b, 0xa7, 70000);
        memset(disk, 0x31, 100000);
        check_int(t, image_write(n, 300, disk, 100000), 0, "a disk");
        check_true(t, block_vmstate_write(n, b, 100, 69900, NULL) && block_snapshot_create(n, &shot, NULL), "a snapshot");
        memset(disk, 0x32, 100000);
        check_int(t, image_write(n, 0, disk, 100000), 0, "another");
        check_true(t, block_snapshot_goto(n, "one", NULL), "back");
        memset(b, 0, 70000);
        check_true(t, block_vmstate_read(n, b, 100, 69900, NULL) && b[0] == 0xa7 && b[69899] == 0xa7, "machine state");
        check_true(t, image_read(n, 299, disk, 50000) == 0 && disk[0] == 0 && disk[1] == 0x31 && disk[49999] == 0x31, "the disk as it was");
    }
    block_node_unref(n);
    g_free(disk);
    g_free(b);
    g_free(path);
}

static char *open_error(const char *path, const char *secret, const char *format)
{
    QDict *d = qdict_from_fmt("{'driver': 'qcow2', 'read-only': true, 'file': {'driver': 'file', 'filename': %s, 'locking': 'off'}}", path);

    if (secret) {
        qdict_put(d, "encrypt", (QObject *)qdict_from_fmt("{'key-secret': %s, 'format': %s}", secret, format));
    }
    return image_refusal(d);
}

TEST(qcow2_luks, hostile)
{
    enum { METHOD = 32, TYPE = 112, OFFSET = 120, LENGTH = 128, LUKS = 0x40000 };
    static const struct { const char *what, *secret, *format; uint64_t offset; uint8_t bytes[8]; unsigned len; const char *text; } bad[] = {
        { "another password", "s1", "luks", 0, { 0 }, 0, "Invalid password" },
        { "no password", NULL, NULL, 0, { 0 }, 0, "encrypt.key-secret" },
        { "a secret that there isn't", "s2", "luks", 0, { 0 }, 0, "s2" },
        { "an old format", "s0", "aes", 0, { 0 }, 0, "encrypt.format" },
        { "not encrypted", "s0", "luks", METHOD, { 0, 0, 0, 0 }, 4, "No encryption in image header" },
        { "a method that nobody writes", "s0", "luks", METHOD, { 0, 0, 0, 1 }, 4, "crypt_method" },
        { "a method that nobody knows", "s0", "luks", METHOD, { 0, 0, 0, 3 }, 4, "crypt_method" },
        { "no pointer to the header", "s0", "luks", TYPE, { 1 }, 1, "encryption header" },
        { "a header in the image's", "s0", "luks", OFFSET, { 0, 0, 0, 0, 0, 0, 0, 0 }, 8, "encryption header" },
        { "a header between clusters", "s0", "luks", OFFSET, { 0, 0, 0, 0, 0, 4, 2, 0 }, 8, "encryption header" },
        { "a header past the end", "s0", "luks", OFFSET, { 0, 0, 1, 0, 0, 0, 0, 0 }, 8, "encryption header" },
        { "a header with an end past the address space", "s0", "luks", OFFSET, { 255, 255, 255, 255, 255, 255, 0, 0 }, 8, "encryption header" },
        { "a short header", "s0", "luks", LENGTH, { 0, 0, 0, 0, 0, 0, 1, 0 }, 8, "encryption header" },
        { "an endless header", "s0", "luks", LENGTH, { 255, 255, 255, 255, 255, 255, 255, 255 }, 8, "encryption header" },
        { "a header that ends before its slots", "s0", "luks", LENGTH, { 0, 0, 0, 0, 0, 1, 0, 0 }, 8, "byte 104" },
        { "no LUKS header", "s0", "luks", LUKS, { 0 }, 1, "no LUKS volume" },
        { "a slot with 4 G iterations", "s0", "luks", LUKS + 212, { 255, 255, 255, 255 }, 4, "key slot 0" },
    };
    char *path = path_of(t, "bad.qcow2");

    image_secrets();
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        BlockNode *n = make(t, path, &shapes[0]);
        char *text;

        if (!check_true(t, n, "an image")) {
            break;
        }
        block_node_unref(n);
        image_patch(path, bad[i].offset, bad[i].bytes, bad[i].len);
        text = open_error(path, bad[i].secret, bad[i].format);
        if (!text || !strstr(text, bad[i].text)) {
            test_fail(t, "%s: expected a message with '%s', got '%s'", bad[i].what, bad[i].text, text ? text : "(it was opened)");
        }
        g_free(text);
    }
    g_free(path);
}

static void change(Test *t, BlockNode *n, const char *secret, const char *state, const char *member)
{
    QDict *opts = qdict_from_fmt("{'driver': 'qcow2', 'encrypt': {'format': 'luks', 'state': %s}}", state);
    QDict *d = qobject_to_dict(qdict_get(opts, "encrypt"));
    Error *err = NULL;

    qdict_put_str(d, member, secret);
    if (!strcmp(state, "active")) {
        qdict_put_uint(d, "iter-time", 1);
    }
    if (!image_amend(n, opts, false, &err)) {
        test_fail(t, "%s: %s", state, error_message(err));
    }
    error_free(err);
}

TEST(qcow2_luks, passwords_come_and_go)
{
    char *path = path_of(t, "d.qcow2"), *text;
    BlockNode *n;

    image_secrets();
    n = make(t, path, &shapes[0]);
    if (check_true(t, n, "an image")) {
        change(t, n, "s1", "active", "new-secret");
        change(t, n, "s0", "inactive", "old-secret");
        block_node_unref(n);
        text = open_error(path, "s1", "luks");
        check_true(t, !text, "the new one opens it");
        g_free(text);
        text = open_error(path, "s0", "luks");
        check_true(t, text && strstr(text, "Invalid password"), "the old one doesn't");
        g_free(text);
    }
    g_free(path);
}
