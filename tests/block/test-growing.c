/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vdi, vpc, vmdk and vhdx: random requests compared with a shadow in memory; the distribution's qemu-img reads the same, and what it
 * makes is read; what was flushed is there without the image being closed; images whose every number is wrong once; VHDX's log.
 */
#include "util/osdep.h"
#include <sys/stat.h>
#include <unistd.h>
#include "qobject/json.h"
#include "tests/lib/shadow.h"
#include "util/bswap.h"
#include "util/crc32c.h"
#include "util/main-loop.h"

static const struct Shape {
    const char *format, *opts, *their_opts;
    uint64_t size;
    bool checks;                /* the distribution's qemu-img can check it */
} shapes[] = {
    { "vdi", "", "", 9 * MIB, true },
    { "vdi", "'static': true", "-o static=on", 5 * MIB + 512, true },
    { "vpc", "'force_size': true", "-o force_size=on", 9 * MIB + 1024, false },
    { "vpc", "'subformat': 'fixed', 'force_size': true", "-o subformat=fixed,force_size=on", 3 * MIB, false },
    { "vmdk", "", "", 9 * MIB, true },
    { "vmdk", "'adapter_type': 'lsilogic', 'hwversion': '6', 'toolsversion': '10'", "-o adapter_type=lsilogic,hwversion=6,toolsversion=10", 40 * MIB, true },
    { "vhdx", "", "", 20 * MIB, true },
    { "vhdx", "'block_size': 1048576", "-o block_size=1M", 9 * MIB, true },
    { "vhdx", "'subformat': 'fixed', 'block_size': 2097152", "-o subformat=fixed", 9 * MIB, true },
};

#define FAST    "'cache.no-flush': true"       /* nothing of this has to outlive the host */

static char *path_of(Test *t, const char *name)
{
    return g_build_filename(test_tmpdir(t), name, NULL);
}

/* In memory, where requests are done at once; removed by who asked. */
static char *fast_path_of(const char *name)
{
    return g_strdup_printf("%s/growing-%d-%s", g_file_test("/dev/shm", G_FILE_TEST_IS_DIR) ? "/dev/shm" : g_get_tmp_dir(), (int)getpid(), name);
}

static void remove_path(char *path)
{
    unlink(path);
    g_free(path);
}

static void must_be_sound(Test *t, const struct Shape *shape, const char *path, const char *what)
{
    char *args = g_strdup_printf("check -f %s '%s'", shape->format, path), *out = NULL;
    BlockNode *n = image_open(t, path, shape->format, "'read-only': true");
    BlockCheck c = { 0 };

    if (shape->checks && distribution_qemu_img(args, &out) > 0) {
        test_fail(t, "%s: qemu-img check says %.600s", what, out);
    }
    if (n) {
        check_int(t, image_check(n, 0, &c), 0, "it can be checked");
        check_u64(t, c.corruptions, 0, what);
    }
    block_node_unref(n);
    g_free(out);
    g_free(args);
}

static bool use(Test *t, const struct Shape *shape, const char *path, Shadow *s)
{
    BlockNode *n = image_open(t, path, shape->format, NULL);
    bool ok = n && check_u64(t, block_length(n), s->size, "the disk's size");

    for (int i = 0; ok && i < 60; i++) {
        ok = shadow_step(t, n, s);
    }
    ok = ok && shadow_read_all(t, n, s, "before closing");
    block_node_unref(n);
    return ok;
}

TEST(growing, random_requests)
{
    const char *seed = g_getenv("SEED");
    char *path = path_of(t, "image");

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        const struct Shape *shape = &shapes[i];
        Shadow s = { g_malloc0(shape->size), shape->size, g_rand_new_with_seed(seed ? strtoul(seed, NULL, 0) : 1 + i) };
        bool ok = image_create_format(t, path, shape->format, shape->size, shape->opts);

        must_be_sound(t, shape, path, "a new image");
        for (int round = 0; ok && round < 2; round++) {
            ok = use(t, shape, path, &s);
            must_be_sound(t, shape, path, shape->opts);
            shadow_compare_by_distribution(t, path, shape->format, &s, "the distribution's qemu-img reads the same");
        }
        if (!ok) {
            test_fail(t, "format %s, shape %zu", shape->format, i);
        }
        g_rand_free(s.rand);
        g_free(s.data);
    }
    g_free(path);
}

/* What the distribution's qemu-img makes is read, written, and still read by it. */
TEST(growing, made_by_others)
{
    char *path = path_of(t, "theirs"), *raw = path_of(t, "raw");

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        const struct Shape *shape = &shapes[i];
        Shadow s = { g_malloc0(shape->size), shape->size, g_rand_new_with_seed(100 + i) };
        char *args = g_strdup_printf("convert -f raw -O %s %s '%s' '%s'", shape->format, shape->their_opts, raw, path);

        for (uint64_t at = MIB / 2; at < shape->size; at += 2 * MIB) {
            memset(s.data + at, (int)(at >> 19) | 1, 70000);
        }
        g_file_set_contents(raw, (char *)s.data, s.size, NULL);
        if (distribution_qemu_img(args, NULL) == 0 && use(t, shape, path, &s)) {
            must_be_sound(t, shape, path, shape->their_opts);
            shadow_compare_by_distribution(t, path, shape->format, &s, "what we changed");
        }
        g_free(args);
        g_rand_free(s.rand);
        g_free(s.data);
    }
    g_free(path);
    g_free(raw);
}

/* A killed process: the file as it is after a flush, and some more writes. */
TEST(growing, what_was_flushed_is_there)
{
    char *path = path_of(t, "image"), *copy = path_of(t, "copy"), *bytes;
    uint8_t buf[8192], back[8192];
    gsize len;

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        const struct Shape *shape = &shapes[i];
        BlockNode *n;

        image_create_format(t, path, shape->format, shape->size, shape->opts);
        n = image_open(t, path, shape->format, NULL);
        if (!n) {
            continue;
        }
        for (int k = 0; k < 2; k++) {
            memset(buf, 0x11 * (k + 1), sizeof(buf));
            check_int(t, image_write(n, k ? shape->size - sizeof(buf) : MIB, buf, sizeof(buf)), 0, "a write");
        }
        check_int(t, image_flush(n), 0, "a flush");
        check_int(t, image_write(n, 2 * MIB + 4096, buf, sizeof(buf)), 0, "a write that isn't flushed");
        check_true(t, g_file_get_contents(path, &bytes, &len, NULL) && g_file_set_contents(copy, bytes, len, NULL), "a copy");
        g_free(bytes);
        block_node_unref(n);
        for (int k = 0; k < 2; k++) {
            n = image_open(t, copy, shape->format, NULL);
            if (n) {
                memset(buf, 0x11 * (k + 1), sizeof(buf));
                check_int(t, image_read(n, k ? shape->size - sizeof(buf) : MIB, back, sizeof(back)), 0, "a read");
                check_true(t, !memcmp(buf, back, sizeof(buf)), shape->format);
                check_int(t, image_write(n, k * 4096, buf, sizeof(buf)), 0, "it goes on");
                block_node_unref(n);
            }
        }
        must_be_sound(t, shape, copy, "after it was killed");
    }
    g_free(path);
    g_free(copy);
}

/* --- a stream of compressed grains --- */

TEST(growing, compressed_stream)
{
    char *path = path_of(t, "s.vmdk"), *raw = path_of(t, "raw"), *args;
    Shadow s = { g_malloc0(3 * MIB), 3 * MIB, NULL };
    BlockNode *n;
    uint8_t *b = s.data;

    main_loop_init();
    for (uint64_t i = MIB; i < 2 * MIB; i++) {
        b[i] = i * i >> 9;
    }
    image_create_format(t, path, "vmdk", s.size, "'subformat': 'streamOptimized'");
    n = image_open(t, path, "vmdk", NULL);
    for (uint64_t at = MIB; n && at < 2 * MIB; at += 64 * KIB) {
        check_int(t, image_write(n, at, b + at, 64 * KIB), 0, "a grain is written");
    }
    if (n) {
        check_int(t, image_write(n, MIB, b + MIB, 64 * KIB), -EEXIST, "once");
        check_int(t, image_write(n, 512, b, 512), -ENOTSUP, "and whole");
        shadow_read_all(t, n, &s, "what was written");
        block_node_unref(n);
    }
    shadow_compare_by_distribution(t, path, "vmdk", &s, "the distribution's qemu-img reads the stream");
    g_file_set_contents(raw, (char *)b, s.size, NULL);
    args = g_strdup_printf("convert -f raw -O vmdk -o subformat=streamOptimized '%s' '%s'", raw, path);
    if (distribution_qemu_img(args, NULL) == 0) {
        n = image_open(t, path, "vmdk", "'read-only': true");
        if (n) {
            shadow_read_all(t, n, &s, "a stream that it made");
        }
        block_node_unref(n);
    }
    g_free(args);
    g_free(s.data);
    g_free(path);
    g_free(raw);
}

/* --- hostile images --- */

static void patch(const char *path, uint64_t offset, const void *b, size_t len)
{
    FILE *f = fopen(path, "r+b");

    if (!f || fseek(f, offset, SEEK_SET) < 0 || fwrite(b, 1, len, f) != len) {
        abort();
    }
    fclose(f);
}

static void fetch(const char *path, uint64_t offset, void *b, size_t len)
{
    FILE *f = fopen(path, "rb");

    if (!f || fseek(f, offset, SEEK_SET) < 0 || fread(b, 1, len, f) != len) {
        abort();
    }
    fclose(f);
}

static char *open_error(const char *path, const char *format, bool read_only)
{
    return image_refusal(qdict_from_fmt("{'driver': %s, 'read-only': %i, 'file': {'driver': 'file', 'filename': %s}}", format,
                                        (int)read_only, path));
}

/* Checksums are put right, so that what stands behind them is looked at. */
static void mend(const char *path, const char *format)
{
    static const struct { uint64_t at; size_t len; } sums[] = {
        { 64 * KIB, 4096 }, { 128 * KIB, 4096 }, { 192 * KIB, 64 * KIB }, { 256 * KIB, 64 * KIB },
    };
    uint8_t *b = g_malloc(64 * KIB);

    for (size_t i = 0; !strcmp(format, "vhdx") && i < ARRAY_SIZE(sums); i++) {
        fetch(path, sums[i].at, b, sums[i].len);
        store_le32(b + 4, 0);
        store_le32(b + 4, crc32c(0, b, sums[i].len));
        patch(path, sums[i].at, b, sums[i].len);
    }
    if (!strcmp(format, "vpc")) {
        struct stat st;
        uint32_t sum;

        if (stat(path, &st) < 0) {
            abort();
        }
        for (int i = 0; i < 3; i++) {       /* the footer's copy, the dynamic header, the footer */
            uint64_t at = i == 0 ? 0 : i == 1 ? 512 : st.st_size - 512;
            size_t len = i == 1 ? 1024 : 512, where = i == 1 ? 36 : 64;

            fetch(path, at, b, len);
            store_be32(b + where, 0);
            sum = 0;
            for (size_t k = 0; k < len; k++) {
                sum += b[k];
            }
            store_be32(b + where, ~sum);
            patch(path, at, b, len);
        }
    }
    g_free(b);
}

static const struct Bad {
    const char *format, *what;
    uint64_t offset;
    uint8_t bytes[8];
    unsigned len;
    const char *text;           /* part of the message */
} bad[] = {
    { "vdi", "no signature", 0x40, { 1, 2, 3, 4 }, 4, "no VDI image" },
    { "vdi", "version 2.0", 0x44, { 0, 0, 2, 0 }, 4, "byte 0x44" },
    { "vdi", "a type that there isn't", 0x4c, { 9 }, 4, "byte 0x4c" },
    { "vdi", "a parent", 0x1b8, { 9 }, 4, "based on another" },
    { "vdi", "sectors of 4096 bytes", 0x168, { 0, 16 }, 4, "byte 0x168" },
    { "vdi", "blocks of 0 bytes", 0x178, { 0 }, 4, "byte 0x178" },
    { "vdi", "blocks with extra data", 0x17c, { 1 }, 4, "byte 0x178" },
    { "vdi", "a disk larger than its map", 0x170, { 0, 0, 0, 0, 1 }, 8, "byte 0x170" },
    { "vdi", "a disk near the end of all numbers", 0x170, { 255, 255, 255, 255, 255, 255, 255, 255 }, 8, "byte 0x170" },
    { "vdi", "4 G blocks", 0x180, { 255, 255, 255, 255 }, 4, "byte 0x180" },
    { "vdi", "more blocks in use than there are", 0x184, { 200 }, 4, "byte 0x184" },
    { "vdi", "a map in the header", 0x154, { 0, 1 }, 4, "byte 0x154" },
    { "vdi", "data in the map", 0x158, { 0, 2 }, 4, "byte 0x158" },
    { "vpc", "version 2", 12, { 0, 2, 0, 0 }, 4, "byte 12" },
    { "vpc", "a type that there isn't", 60, { 0, 0, 0, 9 }, 4, "byte 60" },
    { "vpc", "a differencing disk", 60, { 0, 0, 0, 4 }, 4, "based on another" },
    { "vpc", "a disk of 8 EiB", 48, { 0x7f, 255, 255, 255, 255, 255, 255, 255 }, 8, "byte 48" },
    { "vpc", "a header that isn't aligned", 16, { 0, 0, 0, 0, 0, 0, 2, 1 }, 8, "byte 16" },
    { "vpc", "a header near the end of all numbers", 16, { 0x7f, 255, 255, 255, 255, 255, 254, 0 }, 8, "byte 16" },
    { "vpc", "a header elsewhere", 16, { 0, 0, 0, 0, 0, 0, 8, 0 }, 8, "cxsparse" },
    { "vpc", "blocks of 0 bytes", 512 + 32, { 0 }, 4, "byte 32" },
    { "vpc", "blocks that are no power of two", 512 + 32, { 0, 0x30, 0, 0 }, 4, "byte 32" },
    { "vpc", "a table of 4 G entries", 512 + 28, { 255, 255, 255, 255 }, 4, "byte 28" },
    { "vpc", "a table too short for the disk", 512 + 28, { 0, 0, 0, 1 }, 4, "byte 28" },
    { "vpc", "a table that isn't aligned", 512 + 16, { 0, 0, 0, 0, 0, 0, 6, 1 }, 8, "byte 16" },
    { "vpc", "a table at the end of all numbers", 512 + 16, { 255, 255, 255, 255, 255, 255, 254, 0 }, 8, "byte 16" },
    { "vmdk", "no magic", 0, { 'K', 'D', 'M', 'X' }, 4, "no VMDK image" },
    { "vmdk", "version 4", 4, { 4 }, 4, "byte 4" },
    { "vmdk", "newlines of another system", 73, { '\n', '\n' }, 2, "copied as text" },
    { "vmdk", "compression without its flag", 77, { 1 }, 2, "byte 77" },
    { "vmdk", "a disk of 2^63 sectors", 12, { 0, 0, 0, 0, 0, 0, 0, 0x80 }, 8, "byte 12" },
    { "vmdk", "grains of 0 sectors", 20, { 0 }, 8, "byte 20" },
    { "vmdk", "grains of 8 EiB", 20, { 0, 0, 0, 0, 0, 0, 0, 0x40 }, 8, "byte 20" },
    { "vmdk", "grain tables of 1 entry", 44, { 1, 0 }, 4, "byte 44" },
    { "vmdk", "a descriptor of 2^40 sectors", 36, { 0, 0, 0, 0, 0, 1 }, 8, "byte 28" },
    { "vmdk", "no grain directory", 56, { 0 }, 8, "byte 56" },
    { "vmdk", "a grain directory at the end, without a footer", 56, { 255, 255, 255, 255, 255, 255, 255, 255 }, 8, "no footer" },
    { "vmdk", "a second grain directory at 2^63", 48, { 0, 0, 0, 0, 0, 0, 0, 0x80 }, 8, "byte 48" },
    { "vhdx", "no identifier", 0, { 'v', 'h', 'd', 'y' }, 4, "no VHDX image" },
    { "vhdx", "a log behind 2^63", 128 * KIB + 72, { 0, 0, 0, 0, 0, 0, 0, 0x80 }, 8, "byte 68" },
    { "vhdx", "a log of 1 byte", 128 * KIB + 68, { 1, 0 }, 4, "byte 68" },
    { "vhdx", "version 2", 128 * KIB + 66, { 2 }, 2, "byte 66" },
    { "vhdx", "2^31 regions", 192 * KIB + 8, { 0, 0, 0, 0x80 }, 4, "byte 8" },
    { "vhdx", "no regions", 192 * KIB + 8, { 0 }, 4, "block allocation table" },
    { "vhdx", "a region in the headers", 192 * KIB + 16 + 16, { 0, 0, 0 }, 8, "region 0" },
    { "vhdx", "a required region that nobody knows", 192 * KIB + 16, { 9, 9 }, 2, "region 0 is required" },
    { "vhdx", "a table past the file", 192 * KIB + 16 + 20, { 1 }, 1, "isn't within the file" },
    { "vhdx", "metadata without its name", 2 * MIB, { 'M' }, 1, "'metadata'" },
    { "vhdx", "65535 items of metadata", 2 * MIB + 10, { 255, 255 }, 2, "'metadata'" },
    { "vhdx", "no items", 2 * MIB + 10, { 0, 0 }, 2, "doesn't have all" },
    { "vhdx", "a required item that nobody knows", 2 * MIB + 32, { 9, 9 }, 2, "required and isn't known" },
    { "vhdx", "an item in the table", 2 * MIB + 32 + 16, { 0, 1, 0, 0 }, 4, "item 0" },
    { "vhdx", "an item past the region", 2 * MIB + 32 + 16, { 0, 0, 0, 0x7f }, 4, "item 0" },
    { "vhdx", "an item without room", 2 * MIB + 32 + 20, { 3 }, 4, "item 0" },
    { "vhdx", "blocks of 3 MiB", 2 * MIB + 64 * KIB, { 0, 0, 0x30 }, 4, "a block" },
    { "vhdx", "a parent", 2 * MIB + 64 * KIB + 4, { 2 }, 4, "based on another" },
    { "vhdx", "a disk of 8 EiB", 2 * MIB + 64 * KIB + 8, { 0, 0, 0, 0, 0, 0, 0, 0x7f }, 8, "64 TiB" },
    { "vhdx", "a disk that isn't of sectors", 2 * MIB + 64 * KIB + 8, { 1, 0, 0x10 }, 8, "multiples" },
    { "vhdx", "a disk too large for its table", 2 * MIB + 64 * KIB + 8, { 0, 0, 0, 0, 0, 0x10 }, 8, "table has" },
    { "vhdx", "sectors of 520 bytes", 2 * MIB + 64 * KIB + 32, { 8, 2 }, 4, "logical sector" },
};

static void make_victim(Test *t, const char *path, const char *format)
{
    uint8_t buf[4096] = { 1 };
    BlockNode *n;

    image_create_format(t, path, format, 9 * MIB, !strcmp(format, "vpc") ? "'force_size': true" : "");
    n = image_open(t, path, format, FAST);
    for (uint64_t at = 0; n && at < 8 * MIB; at += 3 * MIB) {
        image_write(n, at, buf, sizeof(buf));
    }
    block_node_unref(n);
}

TEST(growing_hostile, headers)
{
    char *path = fast_path_of("bad");

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const struct Bad *c = &bad[i];
        char *text;

        make_victim(t, path, c->format);
        /* The header that was written last is the second one. */
        patch(path, c->offset, c->bytes, c->len);
        if (!strcmp(c->format, "vhdx") && c->offset >= 128 * KIB && c->offset < 192 * KIB) {
            patch(path, c->offset - 64 * KIB, c->bytes, c->len);
        }
        mend(path, c->format);
        text = open_error(path, c->format, true);
        if (!text || !strstr(text, c->text)) {
            test_fail(t, "%s, %s: expected a message with '%s', got '%s'", c->format, c->what, c->text,
                      text ? text : "(it was opened)");
        }
        g_free(text);
    }
    remove_path(path);
}

/* Whatever stands in the map: requests fail or not, and the next ones too. */
TEST(growing_hostile, maps)
{
    static const struct { const char *format; uint64_t map; unsigned entry; bool big; } maps[] = {
        { "vdi", 512, 4, false }, { "vpc", 1536, 4, true }, { "vmdk", 512 * (21 + 5), 4, false }, { "vhdx", 3 * MIB, 8, false },
    };
    static const uint64_t values[] = {
        0, 1, 2, 3, 6, 7, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x100006, UINT64_C(0x7ffffffffff00006),
        UINT64_C(0xfffffffffff00006), UINT64_MAX, 5,
    };
    char *path = fast_path_of("bad");
    uint8_t b[8], buf[70000];

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(maps) * ARRAY_SIZE(values); i++) {
        const char *format = maps[i / ARRAY_SIZE(values)].format;
        uint64_t value = values[i % ARRAY_SIZE(values)], map = maps[i / ARRAY_SIZE(values)].map;
        unsigned entry = maps[i / ARRAY_SIZE(values)].entry;
        BlockNode *n;
        BlockCheck c = { 0 };

        make_victim(t, path, format);
        if (maps[i / ARRAY_SIZE(values)].big) {
            store_be32(b, value);
        } else {
            store_le64(b, value);
        }
        patch(path, map, b, entry);
        n = image_open(t, path, format, FAST);
        if (n) {
            memset(buf, 0x55, sizeof(buf));
            image_read(n, 0, buf, sizeof(buf));
            image_check(n, 0, &c);
            image_write(n, 100, buf, sizeof(buf));
            image_write(n, 6 * MIB, buf, sizeof(buf));
            image_flush(n);
            block_node_unref(n);
        }
        while (main_loop_iterate(false)) {
        }
    }
    remove_path(path);
}

/* The file is @bytes again: what isn't zero of them is written. */
static void restore(const char *path, const uint8_t *bytes, size_t len)
{
    static const uint8_t zeros[4096];
    FILE *f = fopen(path, "wb");

    for (size_t at = 0; f && at < len; at += 4096) {
        size_t n = MIN(len - at, sizeof(zeros));

        if (memcmp(bytes + at, zeros, n) && (fseek(f, at, SEEK_SET) < 0 || fwrite(bytes + at, 1, n, f) != n)) {
            abort();
        }
    }
    if (!f || fclose(f) || truncate(path, len) < 0) {
        abort();
    }
}

/* Each number of the headers is each of some values once. */
TEST(growing_hostile, every_number)
{
    static const struct { const char *format; uint64_t start, end; } parts[] = {
        { "vdi", 0x40, 0x1c8 }, { "vdi", 512, 560 }, { "vpc", 0, 96 }, { "vpc", 512, 576 }, { "vpc", 1536, 1560 }, { "vmdk", 0, 80 },
        { "vmdk", 512 * 21, 512 * 21 + 16 }, { "vhdx", 64 * KIB, 64 * KIB + 80 }, { "vhdx", 192 * KIB, 192 * KIB + 80 },
        { "vhdx", 2 * MIB, 2 * MIB + 200 }, { "vhdx", 2 * MIB + 64 * KIB, 2 * MIB + 64 * KIB + 40 }, { "vhdx", 3 * MIB, 3 * MIB + 32 },
    };
    static const uint32_t values[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
    char *path = fast_path_of("bad"), *good = fast_path_of("good");
    unsigned opened = 0, refused = 0;

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        char *whole;
        gsize len;

        make_victim(t, good, parts[i].format);
        if (!check_true(t, g_file_get_contents(good, &whole, &len, NULL), "read")) {
            break;
        }
        for (uint64_t at = parts[i].start; at < parts[i].end; at += 4) {
            for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
                uint8_t b[4], buf[5000] = { 7 };
                BlockNode *n;
                QDict *d = qdict_from_fmt("{'driver': %s, 'cache.no-flush': true, 'file': {'driver': 'file', 'filename': %s}}", parts[i].format, path);

                restore(path, (uint8_t *)whole, len);
                store_le32(b, values[v]);
                patch(path, at, b, 4);
                mend(path, parts[i].format);
                n = block_node_open(d, NULL);
                opened += n != NULL;
                refused += !n;
                if (n && block_length(n) >= 5000) {
                    image_read(n, 0, buf, sizeof(buf));
                    image_write(n, block_length(n) - sizeof(buf), buf, sizeof(buf));
                    image_flush(n);
                }
                block_node_unref(n);
                qobject_unref(d);
                while (main_loop_iterate(false)) {
                }
            }
        }
        g_free(whole);
    }
    printf("# %u opened, %u refused\n", opened, refused);
    check_true(t, opened > 100 && refused > 100, "some of each");
    remove_path(path);
    remove_path(good);
}

/* --- VHDX's log --- */

/* An entry at @at of the log: the first @len bytes at @offset of the file become @data's. */
static void put_entry(const char *path, uint64_t log, uint64_t at, uint32_t tail, uint64_t sequence, uint64_t offset,
                      const uint8_t data[4096], const uint8_t guid[16], uint64_t file_size)
{
    uint8_t b[8192] = "loge";

    store_le32(b + 8, sizeof(b));
    store_le32(b + 12, tail);
    store_le64(b + 16, sequence);
    store_le32(b + 24, 1);
    memcpy(b + 32, guid, 16);
    store_le64(b + 48, file_size);
    store_le64(b + 56, file_size);
    memcpy(b + 64, "desc", 4);
    memcpy(b + 68, data + 4092, 4);
    memcpy(b + 72, data, 8);
    store_le64(b + 80, offset);
    store_le64(b + 88, sequence);
    memcpy(b + 4096, "data", 4);
    store_le32(b + 4100, sequence >> 32);
    memcpy(b + 4104, data + 8, 4084);
    store_le32(b + 8188, sequence);
    store_le32(b + 4, crc32c(0, b, sizeof(b)));
    patch(path, log + at, b, sizeof(b));
}

/* The block allocation table loses its first block and its second, by two entries of the log; a third that is torn doesn't count. */
TEST(growing, vhdx_log)
{
    char *path = path_of(t, "l.vhdx"), *copy = path_of(t, "theirs.vhdx"), *args, *whole, *text;
    uint8_t guid[16] = "a log's name 123", head[4096], bat[4096], buf[4096];
    struct stat st;
    BlockNode *n;
    gsize len;

    main_loop_init();
    image_create_format(t, path, "vhdx", 9 * MIB, "'block_size': 1048576");
    n = image_open(t, path, "vhdx", NULL);
    for (int i = 0; n && i < 4; i++) {
        memset(buf, 0x41 + i, sizeof(buf));
        image_write(n, i * MIB, buf, sizeof(buf));
    }
    block_node_unref(n);
    stat(path, &st);
    fetch(path, 3 * MIB, bat, sizeof(bat));
    store_le64(bat, 0);
    /* It goes round the ring's end. */
    put_entry(path, MIB, MIB - 8192, MIB - 8192, 7, 3 * MIB, bat, guid, st.st_size);
    store_le64(bat + 8, 2);
    put_entry(path, MIB, 0, MIB - 8192, 8, 3 * MIB, bat, guid, st.st_size);
    store_le64(bat + 16, 0);
    put_entry(path, MIB, 8192, MIB - 8192, 9, 3 * MIB, bat, guid, st.st_size);
    patch(path, MIB + 8192 + 5000, "torn", 4);
    for (int i = 0; i < 2; i++) {
        fetch(path, (64 + 64 * i) * KIB, head, sizeof(head));
        memcpy(head + 48, guid, 16);
        patch(path, (64 + 64 * i) * KIB, head, sizeof(head));
    }
    mend(path, "vhdx");
    check_true(t, g_file_get_contents(path, &whole, &len, NULL) && g_file_set_contents(copy, whole, len, NULL), "a copy");
    g_free(whole);
    text = open_error(path, "vhdx", true);
    check_true(t, text && strstr(text, "log"), "read-only it can't be opened");
    g_free(text);
    n = image_open(t, path, "vhdx", NULL);
    for (int i = 0; n && i < 4; i++) {
        check_int(t, image_read(n, i * MIB, buf, sizeof(buf)), 0, "a read");
        check_u8(t, buf[100], i < 2 ? 0 : 0x41 + i, "what the log left");
    }
    block_node_unref(n);
    text = open_error(path, "vhdx", true);
    check_true(t, !text, "the log is empty now");
    g_free(text);
    /* Somebody else's idea of the same log. */
    args = g_strdup_printf("check -r all -f vhdx '%s'", copy);
    if (distribution_qemu_img(args, NULL) >= 0) {
        g_free(args);
        args = g_strdup_printf("compare -f vhdx -F vhdx '%s' '%s'", path, copy);
        check_int(t, distribution_qemu_img(args, &text), 0, "the distribution's qemu-img replays it to the same disk");
        g_free(text);
    }
    g_free(args);
    g_free(path);
    g_free(copy);
}

/* Two have an image open, as at both ends of a migration: who takes it over believes nothing that it has read before. */
TEST(growing, taken_over_from_another)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        char *path = path_of(t, shapes[i].format);
        uint8_t *b = g_malloc(65536), *back = g_malloc(65536);
        BlockNode *here, *there;
        Error *err = NULL;

        if (!image_create_format(t, path, shapes[i].format, shapes[i].size, shapes[i].opts)) {
            break;
        }
        here = image_open(t, path, shapes[i].format, FAST ", 'file.locking': 'off'");
        block_open_inactive();
        there = image_open(t, path, shapes[i].format, FAST ", 'file.locking': 'off'");
        memset(b, 0x11, 65536);
        check_int(t, image_write(here, MIB, b, 65536), 0, "one writes");
        block_node_unref(here);
        if (!check_true(t, block_activate_all(&err), "the other takes it over")) {
            test_fail(t, "%s: %s", shapes[i].format, error_message(err));
            error_free(err);
        }
        memset(b, 0x22, 65536);
        check_int(t, image_write(there, 2 * MIB + 65536, b, 65536), 0, "and writes");
        memset(b, 0x11, 65536);
        check_int(t, image_read(there, MIB, back, 65536), 0, "what was written before");
        check_true(t, !memcmp(b, back, 65536), "is there");
        block_node_unref(there);
        must_be_sound(t, &shapes[i], path, "the image after that");
        unlink(path);
        g_free(path);
        g_free(b);
        g_free(back);
    }
}

TEST(growing, facts)
{
    static const char *const kinds[] = { "'subformat': 'monolithicSparse'", "'subformat': 'streamOptimized'" };
    char *path = path_of(t, "f.vmdk");

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        BlockNode *n = image_create_format(t, path, "vmdk", 9 * MIB, kinds[i]) ? image_open(t, path, "vmdk", NULL) : NULL;

        image_must_have_facts(t, n, path, kinds[i]);
        block_node_unref(n);
        unlink(path);
    }
    g_free(path);
}
