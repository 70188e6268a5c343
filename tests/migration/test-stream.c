/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of the migration stream, page differences, CRC-32C. */
#include "util/osdep.h"
#include "migration/bitmaps.h"
#include "migration/ram.h"
#include "migration/stream.h"
#include "qobject/qobject.h"
#include "tests/lib/test.h"
#include "util/crc32c.h"

#include <glib.h>

/* A channel in memory: what was written is read. */
typedef struct MemChannel {
    MigChannel parent;
    GByteArray *data;
    size_t pos;
} MemChannel;

static ssize_t mem_read(MigChannel *c, void *buf, size_t len, UNUSED Error **errp)
{
    MemChannel *m = (MemChannel *)c;
    size_t n = MIN(len, m->data->len - m->pos);

    memcpy(buf, m->data->data + m->pos, n);
    m->pos += n;
    return (ssize_t)n;
}

static ssize_t mem_write(MigChannel *c, const void *buf, size_t len, UNUSED Error **errp)
{
    g_byte_array_append(((MemChannel *)c)->data, buf, (guint)len);
    return (ssize_t)len;
}

static void mem_free(MigChannel *c)
{
    g_byte_array_unref(((MemChannel *)c)->data);
    g_free(c);
}

static const MigChannelOps mem_ops = { .read = mem_read, .write = mem_write, .free = mem_free };

static MemChannel *mem_channel(void)
{
    MemChannel *m = g_new0(MemChannel, 1);

    m->parent.ops = &mem_ops;
    m->data = g_byte_array_new();
    return m;
}

static void write_two(MigChannel *c)
{
    MigWriter w;

    mig_writer_init(&w, c);
    mig_write_head(&w, 0, NULL);
    mig_begin(&w, MIG_RAMP);
    mig_put_u8(&w, 0x12);
    mig_put_u16(&w, 0x3456);
    mig_put_u32(&w, 0x789abcde);
    mig_put_u64(&w, 0x0123456789abcdef);
    mig_end(&w, NULL);
    mig_begin(&w, MIG_DONE);
    mig_end(&w, NULL);
    mig_writer_cleanup(&w);
}

TEST(stream, numbers_come_back)
{
    MemChannel *m = mem_channel();
    MigReader r;
    Error *err = NULL;
    uint8_t a;
    uint16_t b;
    uint32_t c;
    uint32_t channel;
    uint64_t d;

    write_two(&m->parent);
    mig_reader_init(&r, &m->parent);
    check_true(t, mig_read_head(&r, &channel, &err) && mig_next(&r, &err), "head and first record");
    check_u32(t, r.tag, MIG_RAMP, "its tag");
    check_true(t, mig_get_u8(&r, &a, &err) && mig_get_u16(&r, &b, &err) &&
               mig_get_u32(&r, &c, &err) && mig_get_u64(&r, &d, &err), "its numbers");
    check_u8(t, a, 0x12, "u8");
    check_u16(t, b, 0x3456, "u16");
    check_u32(t, c, 0x789abcde, "u32");
    check_u64(t, d, 0x0123456789abcdef, "u64");
    check_true(t, mig_get_end(&r, &err), "nothing is left");
    check_true(t, !mig_get_u8(&r, &a, &err) && err, "no more can be had");
    error_free(err);
    err = NULL;
    check_true(t, mig_next(&r, &err) && r.tag == MIG_DONE, "the end");
    check_true(t, !mig_next(&r, &err) && error_code(err) == ERR_EOF, "then nothing");
    error_free(err);
    mig_reader_cleanup(&r);
    mig_channel_free(&m->parent);
}

TEST(stream, each_damaged_byte_is_noticed)
{
    MemChannel *m = mem_channel();
    unsigned noticed = 0;

    write_two(&m->parent);
    for (guint i = 0; i < m->data->len; i++) {
        uint32_t channel;
        MigReader r;
        bool ok;

        m->data->data[i] ^= 0x10;
        m->pos = 0;
        mig_reader_init(&r, &m->parent);
        ok = mig_read_head(&r, &channel, NULL) && !channel && mig_next(&r, NULL) && mig_next(&r, NULL);
        noticed += !ok;
        mig_reader_cleanup(&r);
        m->data->data[i] ^= 0x10;
    }
    /* The last four bytes of the head are reserved. */
    check_int(t, noticed, m->data->len, "bytes that were noticed");
    mig_channel_free(&m->parent);
}

TEST(stream, a_length_is_no_order_for_memory)
{
    static const uint8_t bytes[] = { 'R', 'A', 'M', 'P', 0x03, 0xff, 0xff, 0xff, 1, 2, 3 };
    MemChannel *m = mem_channel();
    MigReader r;
    Error *err = NULL;

    g_byte_array_append(m->data, bytes, sizeof(bytes));
    mig_reader_init(&r, &m->parent);
    check_true(t, !mig_next(&r, &err) && error_code(err) == ERR_EOF, "it ends early");
    check_true(t, r.room < 16 * MIB, "memory for what could be there only");
    error_free(err);
    mig_reader_cleanup(&r);
    mig_channel_free(&m->parent);
}

TEST(stream, crc_is_castagnoli)
{
    uint8_t data[100];

    check_u32(t, crc32c(0, "123456789", 9), 0xe3069283, "the check value");
    check_u32(t, crc32c_portable(0, "123456789", 9), 0xe3069283, "without the host's help");
    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = i * 41;
    }
    for (unsigned i = 0; i < sizeof(data); i++) {
        check_u32(t, crc32c(crc32c(0, data, i), data + i, sizeof(data) - i),
                  crc32c_portable(0, data, sizeof(data)), "in two pieces");
    }
}

TEST(stream, differences_of_pages)
{
    g_autofree uint8_t *old = g_malloc(4096), *new = g_malloc(4096), *page = g_malloc(4096);
    uint8_t out[4096];

    for (unsigned round = 0; round < 300; round++) {
        unsigned changes = round % 40;
        int n;

        for (unsigned i = 0; i < 4096; i++) {
            old[i] = new[i] = g_test_rand_int();
        }
        while (changes--) {
            unsigned at = g_test_rand_int_range(0, 4096), len = g_test_rand_int_range(1, 60);

            for (unsigned i = at; i < MIN(at + len, 4096); i++) {
                new[i]++;
            }
        }
        n = xbzrle_encode(old, new, 4096, out, sizeof(out));
        memcpy(page, old, 4096);
        if (check_true(t, n >= 0 && xbzrle_decode(page, 4096, out, (size_t)n), "it fits")) {
            check_mem(t, page, new, 4096, "the page");
        }
        for (int cut = 1; cut < n && cut < 5; cut++) {
            memcpy(page, old, 4096);
            check_true(t, !xbzrle_decode(page, 4096, out, (size_t)cut), "cut short");
        }
    }
    for (unsigned i = 0; i < 4096; i++) {
        new[i] = old[i] + 1;
    }
    check_int(t, xbzrle_encode(old, new, 4096, out, sizeof(out)), -1, "all is new");
}

/* --- dirty bitmaps --- */

static bool read_bitmap(MigBitmaps *b, const char *node, const char *name, uint8_t flags, uint8_t shift,
                        uint64_t size, uint64_t at, size_t len, Error **errp)
{
    MemChannel *m = mem_channel();
    uint8_t data[64];
    MigWriter w;
    MigReader r;
    bool ok;

    memset(data, 0xff, sizeof(data));
    mig_writer_init(&w, &m->parent);
    mig_begin(&w, MIG_BITM);
    mig_put_u16(&w, (uint16_t)strlen(node));
    mig_put(&w, node, strlen(node));
    mig_put_u16(&w, (uint16_t)strlen(name));
    mig_put(&w, name, strlen(name));
    mig_put_u8(&w, flags);
    mig_put_u8(&w, shift);
    mig_put_u64(&w, size);
    mig_put_u64(&w, at);
    mig_put(&w, data, len);
    mig_end(&w, NULL);
    mig_writer_cleanup(&w);
    mig_reader_init(&r, &m->parent);
    ok = mig_next(&r, errp) && mig_bitmaps_read(b, &r, errp);
    mig_reader_cleanup(&r);
    mig_channel_free(&m->parent);
    return ok;
}

/* A disk of 1 MiB with a bit for each 4 KiB has a map of 32 bytes. */
TEST(stream, bitmaps_that_lie)
{
    static const struct { const char *what, *node, *name; uint8_t flags, shift; uint64_t size, at; size_t len;
                          bool ok; } cases[] = {
        { "a whole map", "n", "a", 2, 12, MIB, 0, 32, true },
        { "its second part again", "n", "a", 2, 12, MIB, 16, 16, true },
        { "no bytes at its end", "n", "a", 2, 12, MIB, 32, 0, true },
        { "one byte past its end", "n", "a", 2, 12, MIB, 0, 33, false },
        { "behind its end", "n", "a", 2, 12, MIB, 40, 8, false },
        { "between words", "n", "a", 2, 12, MIB, 4, 8, false },
        { "an end that overflows", "n", "a", 2, 12, MIB, UINT64_MAX - 7, 16, false },
        { "another granularity", "n", "a", 2, 13, MIB, 0, 8, false },
        { "other flags", "n", "a", 3, 12, MIB, 0, 8, false },
        { "another size", "n", "a", 2, 12, MIB + 1, 0, 8, false },
        { "unknown flags", "n", "b", 4, 12, MIB, 0, 8, false },
        { "too fine", "n", "b", 0, 8, MIB, 0, 8, false },
        { "too coarse", "n", "b", 0, 63, MIB, 0, 0, false },
        { "the largest disk", "n", "c", 0, 9, UINT64_MAX, UINT64_C(1) << 51, 32, true },
        { "no node", "", "b", 0, 12, MIB, 0, 8, false },
        { "no name", "n", "", 0, 12, MIB, 0, 8, false },
        { "a name that isn't UTF-8", "n", "\xff\xfe", 0, 12, MIB, 0, 8, false },
        { "a disk without bytes", "n", "d", 0, 12, 0, 0, 0, true },
        { "and one byte of it", "n", "d", 0, 12, 0, 0, 1, false },
    };
    MigBitmaps *b = mig_bitmaps_new();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Error *err = NULL;
        bool ok = read_bitmap(b, cases[i].node, cases[i].name, cases[i].flags, cases[i].shift, cases[i].size,
                              cases[i].at, cases[i].len, &err);

        check_true(t, ok == cases[i].ok, cases[i].what);
        check_true(t, ok == !err, "a refusal says why");
        error_free(err);
    }
    mig_bitmaps_free(b);
}

/* ------------------------------------------------------------- pages */

#define PAGES   (8 * MIB / MEM_PAGE_SIZE)

/* A record of @n pages from @first on: zeros where (page + round) % 5 is 0, else that number all over. */
static void put_pages(MigWriter *w, uint64_t first, unsigned n, unsigned round)
{
    mig_begin(w, MIG_RAMP);
    mig_put_u32(w, 0);
    mig_put_u32(w, n);
    for (unsigned i = 0; i < n; i++) {
        mig_put_u64(w, (first + i) << 4 | ((first + i + round) % 5 != 0));
    }
    for (unsigned i = 0; i < n; i++) {
        if ((first + i + round) % 5) {
            memset(mig_put_space(w, MEM_PAGE_SIZE), (int)(first + i + round) & 0xff, MEM_PAGE_SIZE);
        }
    }
    mig_end(w, NULL);
}

/* More than may wait at a time, in records that end anywhere, and all of it again: what came last counts. */
TEST(ram_load, pages_that_come_again)
{
    static const unsigned sizes[] = { 512, 100, 1, 412, 700 };
    MemChannel *m = mem_channel();
    RamBlock *b = ram_block_new("stream-test", PAGES * MEM_PAGE_SIZE, 0, NULL);
    QList *blocks = qlist_new();
    QDict *one = qdict_new();
    Error *err = NULL;
    unsigned wrong = 0, rounds = 4, read = 0;
    RamLoad *l;
    MigWriter w;
    MigReader r;

    qdict_put_str(one, "id", "stream-test");
    qdict_put_uint(one, "size", b->size);
    qlist_append(blocks, one);
    l = ram_load_new(blocks, &err);
    qobject_unref(blocks);
    if (!check_true(t, l, err ? error_message(err) : "the block is there")) {
        return;
    }
    mig_writer_init(&w, &m->parent);
    for (unsigned round = 0; round < rounds; round++) {
        for (uint64_t at = 0, k = round; at < PAGES; k++) {
            unsigned n = (unsigned)MIN(sizes[k % ARRAY_SIZE(sizes)], PAGES - at);

            put_pages(&w, at, n, round);
            at += n;
        }
    }
    /* One whose contents are missing. */
    mig_begin(&w, MIG_RAMP);
    mig_put_u32(&w, 0);
    mig_put_u32(&w, 1);
    mig_put_u64(&w, 1);
    mig_end(&w, NULL);
    mig_writer_cleanup(&w);
    mig_reader_init(&r, &m->parent);
    while (mig_next(&r, &err) && ram_load_record_later(l, &r, &err)) {
        read++;
    }
    check_true(t, read > 20 && err && strstr(error_message(err), "'stream-test'"), "a page without contents");
    error_free(err);
    ram_load_settle(l);
    for (uint64_t i = 0; i < PAGES; i++) {
        uint8_t want = (i + rounds - 1) % 5 ? (uint8_t)(i + rounds - 1) : 0;
        const uint8_t *page = b->host + i * MEM_PAGE_SIZE;

        wrong += page[0] != want || memcmp(page, page + 1, MEM_PAGE_SIZE - 1);
    }
    check_int(t, wrong, 0, "every page is the last one");
    ram_load_free(l);
    mig_reader_cleanup(&r);
    mig_channel_free(&m->parent);
    ram_block_free(b);
}
