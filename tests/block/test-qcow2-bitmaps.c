/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty bitmaps that are kept in qcow2 images, with the distribution's qemu-img as the second opinion. */
#include "util/osdep.h"
#include <glib.h>
#include "block/copy.h"
#include "tests/lib/image.h"

static BlockBitmap *add(Test *t, BlockNode *n, const char *name, unsigned shift)
{
    Error *err = NULL;
    BlockBitmap *b = block_can_store_bitmap(n, name, &err) ? block_bitmap_new(n, name, shift, &err) : NULL;

    if (b) {
        b->persistent = true;
    } else {
        test_fail(t, "%s", error_message(err));
        error_free(err);
    }
    return b;
}

static BlockNode *open_again(Test *t, BlockNode *n, const char *path)
{
    block_node_unref(n);
    image_must_be_sound(t, path, false, "with bitmaps");
    return image_open(t, path, "qcow2", "");
}

TEST(qcow2_bitmaps, kept)
{
    char *path = g_build_filename(test_tmpdir(t), "b.qcow2", NULL), *out = NULL, *command;
    uint8_t buf[4096] = { 1 };
    BlockBitmap *b;
    BlockNode *n;

    main_loop_init();
    image_create(t, path, 64 * MIB, "'cluster_size': 4096");
    n = image_open(t, path, "qcow2", "");
    b = add(t, n, "one", 9);
    add(t, n, "two", 16);
    if (!b) {
        return;
    }
    image_write(n, 5 * MIB, buf, sizeof(buf));
    image_write(n, 64 * MIB - 512, buf, 512);
    check_int(t, block_bitmap_count(b), 4096 + 512, "what was written");
    n = open_again(t, n, path);
    b = block_bitmap_find(n, "one", NULL);
    check_true(t, b && b->persistent && b->enabled && !b->inconsistent, "it is there again");
    check_int(t, b ? block_bitmap_count(b) : 0, 4096 + 512, "with its marks");
    image_write(n, 0, buf, sizeof(buf));
    check_int(t, b ? block_bitmap_count(b) : 0, 2 * 4096 + 512, "and gets more");
    b = block_bitmap_find(n, "two", NULL);
    check_int(t, b ? block_bitmap_count(b) : 0, 3 * 65536, "the other too");
    check_true(t, block_node_set_read_only(n, true, NULL) && block_node_set_read_only(n, false, NULL), "read-only and back");
    n = open_again(t, n, path);

    command = g_strdup_printf("info %s", path);
    block_node_unref(n);
    if (distribution_qemu_img(command, &out) == 0) {
        check_true(t, strstr(out, "name: one") && strstr(out, "granularity: 512") && !strstr(out, "in-use"),
                   "the distribution's qemu-img sees them");
        g_free(out);
        g_free(command);
        command = g_strdup_printf("bitmap --add -g 4096 %s three", path);
        check_int(t, distribution_qemu_img(command, NULL), 0, "and adds one");
        n = image_open(t, path, "qcow2", "");
        check_true(t, block_bitmap_find(n, "three", NULL), "which we see");
        b = block_bitmap_find(n, "one", NULL);
        check_int(t, b ? block_bitmap_count(b) : 0, 2 * 4096 + 512, "and ours is unharmed");
        while (n->track->bitmaps) {
            block_bitmap_free(n->track->bitmaps);
        }
        n = open_again(t, n, path);
        check_true(t, !n->track || !n->track->bitmaps, "all are removed");
        block_node_unref(n);
    }
    g_free(command);
    g_free(path);
}

/* A copy of the file while it is open is what a crash leaves. */
TEST(qcow2_bitmaps, crash)
{
    char *path = g_build_filename(test_tmpdir(t), "c.qcow2", NULL), *left, *bytes;
    uint8_t buf[4096] = { 1 };
    BlockBitmap *b;
    BlockNode *n;
    gsize len;

    main_loop_init();
    left = g_strconcat(path, ".left", NULL);
    image_create(t, path, 4 * MIB, "");
    n = image_open(t, path, "qcow2", "");
    add(t, n, "one", 16);
    n = open_again(t, n, path);
    image_write(n, 0, buf, sizeof(buf));
    image_flush(n);
    check_true(t, g_file_get_contents(path, &bytes, &len, NULL) && g_file_set_contents(left, bytes, len, NULL),
               "a copy of the file");
    g_free(bytes);
    block_node_unref(n);
    n = image_open(t, left, "qcow2", "");
    b = block_bitmap_find(n, "one", NULL);
    check_true(t, b && b->inconsistent && !block_bitmap_usable(b, false, NULL), "nobody believes the bitmap");
    n = open_again(t, n, left);
    b = block_bitmap_find(n, "one", NULL);
    check_true(t, b && b->inconsistent, "nor later");
    block_bitmap_free(b);
    n = open_again(t, n, left);
    check_true(t, !block_bitmap_find(n, "one", NULL), "until it is removed");
    block_node_unref(n);
    g_free(left);
    g_free(path);
}

/* Each byte of the directory and the extension gets other values: an error or not, but nothing worse. */
TEST(qcow2_bitmaps, hostile)
{
    char *path = g_build_filename(test_tmpdir(t), "h.qcow2", NULL), *bytes, *found = NULL;
    static const uint8_t magic[4] = { 0x23, 0x85, 0x28, 0x75 };
    BlockNode *n;
    gsize len;

    main_loop_init();
    image_create(t, path, 4 * MIB, "'cluster_size': 4096");
    n = image_open(t, path, "qcow2", "");
    add(t, n, "hostile-one", 16);
    block_node_unref(n);
    g_file_get_contents(path, &bytes, &len, NULL);
    for (gsize i = 0; i + 32 < 4096 && !found; i++) {
        found = memcmp(bytes + i, magic, 4) ? NULL : bytes + i;
    }
    check_true(t, found, "the header has the extension");
    for (unsigned part = 0; found && part < 2; part++) {
        uint64_t directory = (uint64_t)(uint8_t)found[30] << 8 | (uint8_t)found[31] | (uint64_t)(uint8_t)found[29] << 16;
        char *at = part ? bytes + directory : found + 4;

        for (unsigned i = 0; i < (part ? 40 : 28) && at + i < bytes + len; i++) {
            static const uint8_t values[] = { 0, 1, 0x7f, 0xff };

            for (unsigned k = 0; k < sizeof(values); k++) {
                char was = at[i];
                QDict *opts = qdict_from_fmt("{'driver': 'qcow2', 'read-only': true, 'file': {'driver': 'file', "
                                             "'filename': %s}}", path);

                at[i] = values[k];
                g_file_set_contents(path, bytes, len, NULL);
                n = block_node_open(opts, NULL);
                block_node_unref(n);
                qobject_unref(opts);
                at[i] = was;
            }
        }
    }
    check_true(t, true, "no harm is done");
    g_free(bytes);
    g_free(path);
}
