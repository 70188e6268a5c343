/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMDK images of several files: random requests against a shadow; the distribution's qemu-img reads ours, and we its; descriptors of strangers. */
#include "util/osdep.h"
#include "qobject/json.h"
#include "tests/lib/shadow.h"
#include "util/main-loop.h"

#define SIZE        (3 * MIB + 512)
#define HEAD        "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"twoGbMaxExtentFlat\"\n\n# Extent description\n"

static const char *const kinds[] = { "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat" };

static char *path_of(Test *t, const char *name)
{
    return g_build_filename(test_tmpdir(t), name, NULL);
}

static bool requests(Test *t, BlockNode *n, Shadow *s, const char *what)
{
    bool ok = n;

    for (int k = 0; ok && k < 60; k++) {
        ok = shadow_step(t, n, s);
    }
    return ok && shadow_read_all(t, n, s, what);
}

TEST(vmdk_extents, random_requests)
{
    char *path = path_of(t, "d.vmdk"), *raw = path_of(t, "d.raw"), *args;

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        Shadow s = { g_malloc0(SIZE), SIZE, g_rand_new_with_seed(i + 1) };
        char *opts = g_strdup_printf("'subformat': '%s'", kinds[i]);
        BlockNode *n = image_create_format(t, path, "vmdk", SIZE, opts) ? image_open(t, path, "vmdk", NULL) : NULL;

        check_true(t, requests(t, n, &s, kinds[i]), "requests");
        args = g_strdup_printf("-U '%s'", path);
        image_must_have_facts(t, n, args, kinds[i]);
        g_free(args);
        block_node_unref(n);
        shadow_compare_by_distribution(t, path, "vmdk", &s, kinds[i]);
        g_file_set_contents(raw, (char *)s.data, SIZE, NULL);
        args = g_strdup_printf("convert -f raw -O vmdk -o subformat=%s '%s' '%s'", kinds[i], raw, path);
        if (distribution_qemu_img(args, NULL) == 0) {
            n = image_open(t, path, "vmdk", NULL);
            check_true(t, n && shadow_read_all(t, n, &s, "an image that it made"), "read");
            check_true(t, requests(t, n, &s, "and written"), "requests");
            block_node_unref(n);
        }
        g_free(args);
        g_free(opts);
        g_rand_free(s.rand);
        g_free(s.data);
    }
    g_free(raw);
    g_free(path);
}

/* Parts of all kinds, one behind the other, so that requests go over their borders. */
TEST(vmdk_extents, parts)
{
    static const char text[] = HEAD "RW 100 FLAT \"a.bin\" 7\nRW 2048 SPARSE \"b-s001.vmdk\"\nRW 300 VMFS \"c.bin\"\n"
                                    "RW 1000 FLAT \"a.bin.2\" 0\n";
    static const struct { const char *name; uint64_t bytes; } flat[] = { { "a.bin", 107 * 512 }, { "c.bin", 300 * 512 }, { "a.bin.2", 512000 } };
    char *path = path_of(t, "d.vmdk"), *sparse = path_of(t, "b.vmdk");
    Shadow s = { NULL, 3448 * 512, g_rand_new_with_seed(5) };
    BlockNode *n;

    main_loop_init();
    s.data = g_malloc0(s.size);
    for (size_t i = 0; i < ARRAY_SIZE(flat); i++) {
        char *name = path_of(t, flat[i].name), *zeros = g_malloc0(flat[i].bytes);

        g_file_set_contents(name, zeros, flat[i].bytes, NULL);
        g_free(zeros);
        g_free(name);
    }
    /* Its extent is what is used. */
    check_true(t, image_create_format(t, sparse, "vmdk", MIB, "'subformat': 'twoGbMaxExtentSparse'"), "a sparse extent");
    g_file_set_contents(path, text, -1, NULL);
    n = image_open(t, path, "vmdk", NULL);
    check_true(t, requests(t, n, &s, "parts"), "requests");
    block_node_unref(n);
    shadow_compare_by_distribution(t, path, "vmdk", &s, "parts");
    g_rand_free(s.rand);
    g_free(s.data);
    g_free(sparse);
    g_free(path);
}

TEST(vmdk_extents, may_not_be_written)
{
    char *path = path_of(t, "d.vmdk"), *flat = path_of(t, "a.bin"), b[1024] = { 0 };
    BlockNode *n;

    main_loop_init();
    g_file_set_contents(flat, b, sizeof(b), NULL);
    g_file_set_contents(path, HEAD "RW 1 FLAT \"a.bin\" 0\nRW 1 ZERO\nRDONLY 1 FLAT \"a.bin\" 1\n", -1, NULL);
    n = image_open(t, path, "vmdk", "'force-share': true, 'read-only': true");
    check_true(t, n && block_length(n) == 1536 && image_read(n, 0, b, 1024) == 0, "read");
    block_node_unref(n);
    g_file_set_contents(path, HEAD "RW 1 ZERO\nRDONLY 1 FLAT \"a.bin\" 1\n", -1, NULL);
    n = image_open(t, path, "vmdk", NULL);
    check_true(t, n, "opened");
    check_true(t, n && image_write(n, 0, b, 512) < 0, "zeros stay zeros");
    check_true(t, n && image_write(n, 512, b, 512) < 0, "and others what they are");
    check_true(t, n && image_read(n, 0, b, 1024) == 0, "read");
    block_node_unref(n);
    g_free(flat);
    g_free(path);
}

TEST(vmdk_extents, hostile)
{
    static const struct { const char *what, *text, *expected; } bad[] = {
        { "no extents", HEAD, "no extents" },
        { "another folder", HEAD "RW 1 FLAT \"/etc/passwd\" 0\n", "folder" },
        { "the folder above", HEAD "RW 1 FLAT \"../a.bin\" 0\n", "folder" },
        { "no name", HEAD "RW 1 FLAT \"\" 0\n", "folder" },
        { "a folder", HEAD "RW 1 FLAT \"..\" 0\n", "folder" },
        { "no file", HEAD "RW 1 FLAT\n", "folder" },
        { "a file that there isn't", HEAD "RW 1 FLAT \"b.bin\" 0\n", "b.bin" },
        { "a file that is too short", HEAD "RW 3 FLAT \"a.bin\" 0\n", "fewer than" },
        { "a place past the file", HEAD "RW 1 FLAT \"a.bin\" 2\n", "fewer than" },
        { "a place past the address space", HEAD "RW 1 FLAT \"a.bin\" 9999999999999999999\n", "of the form" },
        { "no number", HEAD "RW x FLAT \"a.bin\" 0\n", "of the form" },
        { "more sectors than there can be", HEAD "RW 9999999999999999999 ZERO\n", "of the form" },
        { "too many together", HEAD "RW 18014398509481982 ZERO\nRW 2 ZERO\n", "of the form" },
        { "a kind that nobody knows", HEAD "RW 1 CLOUD \"a.bin\" 0\n", "CLOUD" },
        { "what may not be read", HEAD "NOACCESS 1 FLAT \"a.bin\" 0\n", "may not be read" },
        { "itself", HEAD "RW 1 SPARSE \"bad.vmdk\"\n", "KDMV" },
        { "no sparse file", HEAD "RW 1 SPARSE \"a.bin\"\n", "KDMV" },
        { "based on another", "# Disk DescriptorFile\nparentCID=12345678\ncreateType=\"monolithicFlat\"\nRW 1 ZERO\n", "based on another" },
        { "another kind of image", "# Disk DescriptorFile\ncreateType=\"fullDevice\"\nRW 1 ZERO\n", "fullDevice" },
        { "no kind", "# Disk DescriptorFile\nRW 1 ZERO\n", "createType" },
        { "the beginning alone", "# Disk Descriptor", "" },
    };
    char *path = path_of(t, "bad.vmdk"), *flat = path_of(t, "a.bin"), b[1024] = { 0 }, *text;
    GString *many = g_string_new(HEAD);

    main_loop_init();
    g_file_set_contents(flat, b, sizeof(b), NULL);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_file_set_contents(path, bad[i].text, -1, NULL);
        text = image_refusal(qdict_from_fmt("{'driver': 'vmdk', 'read-only': true, 'file': {'driver': 'file', 'filename': %s}}", path));
        if (!text || !strstr(text, bad[i].expected)) {
            test_fail(t, "%s: expected a message with '%s', got '%s'", bad[i].what, bad[i].expected, text ? text : "(it was opened)");
        }
        g_free(text);
    }
    for (int i = 0; i < 600; i++) {
        g_string_append(many, "RW 1 ZERO\n");
    }
    g_file_set_contents(path, many->str, many->len, NULL);
    text = image_refusal(qdict_from_fmt("{'driver': 'vmdk', 'read-only': true, 'file': {'driver': 'file', 'filename': %s}}", path));
    check_true(t, text && strstr(text, "more than"), "too many extents");
    g_free(text);
    g_string_free(many, true);
    g_free(flat);
    g_free(path);
}
