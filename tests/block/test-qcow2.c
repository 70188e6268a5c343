/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: random requests compared with a shadow in memory, for all shapes of
 * images; the distribution's qemu-img finds the images sound and reads the same.
 */
#include "util/osdep.h"
#include "tests/lib/shadow.h"
#include "util/main-loop.h"

static const struct Shape {
    const char *name, *opts, *open;
    uint64_t size;
    bool backing;
} shapes[] = {
    { "v3", "", "", 8 * MIB },
    { "v2", "'compat': '0.10'", "", 8 * MIB },
    { "v3-backing", "", "", 8 * MIB + 512 * 3, true },
    { "v2-backing", "'compat': '0.10'", "", 6 * MIB, true },
    { "512", "'cluster_size': 512", "", MIB + 512, true },
    { "512-refcount64", "'cluster_size': 512, 'refcount_bits': 64", "", 700 * KIB },
    { "1k-refcount1", "'cluster_size': 1024, 'refcount_bits': 1", "", MIB },
    { "4k-refcount2", "'cluster_size': 4096, 'refcount_bits': 2", "", 3 * MIB },
    { "2M", "'cluster_size': 2097152", "", 16 * MIB + 4096, true },
    { "lazy", "'lazy_refcounts': true", "", 8 * MIB },
    { "extended", "'extended_l2': true, 'cluster_size': 16384", "", 4 * MIB },
    { "extended-backing", "'extended_l2': true, 'cluster_size': 65536", "", 8 * MIB + 512, true },
    { "small-cache", "'cluster_size': 512", "'l2-cache-size': 4096, 'refcount-cache-size': 4096", 2 * MIB },
    { "metadata", "'preallocation': 'metadata'", "", 4 * MIB },
    { "falloc", "'preallocation': 'falloc', 'cluster_size': 4096", "", 2 * MIB },
};

static char *path_of(Test *t, const char *name)
{
    return g_build_filename(test_tmpdir(t), name, NULL);
}

static void make_base(Test *t, const char *path, Shadow *s)
{
    /* Shorter than the image, and not a multiple of anything. */
    uint64_t len = MIN(s->size, s->size * 3 / 4 / 512 * 512 + 512);

    for (uint64_t i = 0; i < len; i++) {
        s->data[i] = i % 9 ? i >> 7 ^ i : 0;
    }
    if (!g_file_set_contents(path, (char *)s->data, len, NULL)) {
        test_fail(t, "can't write %s", path);
    }
}

static void try_shape(Test *t, const struct Shape *shape, unsigned seed)
{
    char *path = path_of(t, "i.qcow2"), *base = path_of(t, "base.raw"), *opts;
    Shadow s = { g_malloc0(shape->size), shape->size, g_rand_new_with_seed(seed) };
    BlockNode *n;
    bool ok;

    if (shape->backing) {
        make_base(t, base, &s);
    }
    opts = shape->backing ? g_strdup_printf("%s%s'backing_file': 'base.raw', 'backing_fmt': 'raw'",
                                            shape->opts, *shape->opts ? ", " : "")
                          : g_strdup(shape->opts);
    ok = image_create(t, path, shape->size, opts);
    image_must_be_sound(t, path, false, "a new image");
    for (int round = 0; round < 2 && ok; round++) {
        n = image_open(t, path, "qcow2", shape->open);
        ok = n;
        for (int i = 0; ok && i < 120; i++) {
            ok = shadow_step(t, n, &s);
        }
        if (ok) {
            ok = shadow_read_all(t, n, &s, "before closing");
        }
        block_node_unref(n);
        if (ok) {
            image_must_be_sound(t, path, false, shape->name);
            shadow_compare_by_distribution(t, path, "qcow2", &s, "the distribution's qemu-img reads the same");
            n = image_open(t, path, "qcow2", shape->open);
            ok = n && shadow_read_all(t, n, &s, "after opening again");
            block_node_unref(n);
        }
    }
    if (!ok) {
        test_fail(t, "shape %s, seed %u", shape->name, seed);
    }
    g_rand_free(s.rand);
    g_free(s.data);
    g_free(opts);
    g_free(path);
    g_free(base);
}

TEST(qcow2, random_requests)
{
    const char *seed = g_getenv("SEED");

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        try_shape(t, &shapes[i], seed ? strtoul(seed, NULL, 0) : 1 + i);
    }
}
