/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracks of Macintosh floppy disks, and SWIM with its drives as a Quadra's processor sees them. */
#include "util/osdep.h"
#include "hw/block/swim-track.h"
#include "tests/lib/qtest.h"

#include <glib.h>
#include <unistd.h>

#define VIA1        0x50f00000u
#define SWIM        0x50f1e000u
#define ORA         (VIA1 + 15 * 512)
#define DDRA        (VIA1 + 3 * 512)

static uint8_t byte_of(unsigned block, unsigned i)
{
    return (uint8_t)(block * 37 + i * 11 + (i >> 5) * block);
}

/* ---------------------------------------------------------------------- tracks */

/* Each track of each kind of disk is found again, wherever it begins, and nothing of another one. */
TEST(swim, tracks_of_all_media)
{
    static const SwimMedium media[] = { SWIM_MFM_1440, SWIM_MFM_720, SWIM_GCR_800, SWIM_GCR_400 };
    static const uint32_t blocks[] = { 2880, 1440, 1600, 800 };
    SwimTrack *trk = g_new(SwimTrack, 2);
    uint8_t in[SWIM_SECTORS_MAX * SWIM_SECTOR], out[sizeof(in)];

    for (unsigned m = 0; m < ARRAY_SIZE(media); m++) {
        uint32_t next = 0;

        check_true(t, swim_medium(blocks[m] * UINT64_C(512)) == media[m], "the kind by the size");
        for (unsigned track = 0; track < SWIM_TRACKS; track++) {
            for (unsigned head = 0; head < swim_heads(media[m]); head++) {
                unsigned n = swim_sectors(media[m], track), turn = track * 97;

                check_u32(t, swim_first_block(media[m], track, head), next, "blocks one after the other");
                for (unsigned i = 0; i < n * SWIM_SECTOR; i++) {
                    in[i] = byte_of(next + i / SWIM_SECTOR, i % SWIM_SECTOR);
                }
                swim_track_make(&trk[0], media[m], track, head, in);
                trk[1].len = trk[0].len;
                for (unsigned i = 0; i < trk[0].len; i++) {
                    trk[1].cell[i] = trk[0].cell[(i + turn) % trk[0].len];
                }
                memset(out, 0, sizeof(out));
                check_u32(t, swim_track_parse(&trk[1], media[m], track, head, out), (1u << n) - 1, "all sectors");
                check_true(t, !memcmp(in, out, n * SWIM_SECTOR), "and what is in them");
                check_u32(t, swim_track_parse(&trk[1], media[m], (track + 1) % SWIM_TRACKS, head, out), 0, "of this track only");
                next += n;
            }
        }
        check_u32(t, next, blocks[m], "blocks in all");
    }
    trk[0].cell[700] ^= 1;
    check_true(t, swim_track_parse(&trk[0], SWIM_GCR_400, 79, 0, out) != (1u << 8) - 1, "what is damaged isn't taken");
    g_free(trk);
}

/* ---------------------------------------------------------------------- drives */

static char *disk(Test *t, uint32_t blocks)
{
    g_autofree uint8_t *data = g_malloc(blocks * 512);
    char *path = NULL;

    close(g_file_open_tmp("swim.XXXXXX", &path, NULL));
    for (uint32_t i = 0; i < blocks * 512; i++) {
        data[i] = byte_of(i / 512, i % 512);
    }
    check_true(t, g_file_set_contents(path, (const char *)data, blocks * 512, NULL), "the image");
    return path;
}

static QTest *start(Test *t, const char *path)
{
    return qtest_start_qmp(t, "-machine q800 -m 16 -nodefaults -drive if=floppy,file=%s,format=raw", path);
}

static uint8_t get(QTest *q, unsigned reg)
{
    return qtest_readb(q, SWIM + reg * 512);
}
static void set(QTest *q, unsigned reg, uint8_t v)
{
    qtest_writeb(q, SWIM + reg * 512, v);
}

/* To ISM's registers, drive 0 selected, VIA1's PA5 an output. */
static void to_ism(QTest *q)
{
    qtest_writeb(q, DDRA, 0x28);
    get(q, 14);
    get(q, 8);
    get(q, 13);
    set(q, 15, 0x57);
    set(q, 15, 0x17);
    set(q, 15, 0x57);
    set(q, 15, 0x57);
    set(q, 6, 0x04);
    set(q, 7, 0x02);
}

static void address(QTest *q, unsigned a)
{
    set(q, 4, 0x33);
    qtest_writeb(q, ORA, a & 8 ? 0x20 : 0);
    set(q, 4, (uint8_t)(0x70 | (a & 7)));
}

static bool sense(QTest *q, unsigned a)
{
    address(q, a);
    return get(q, 15) & 8;
}

static void command(QTest *q, unsigned a)
{
    address(q, a);
    set(q, 4, 0x88);
    set(q, 4, 0x87);
}

/* A byte, when the controller says that there is one: the image is read in the background. */
static uint8_t next(QTest *q, unsigned reg)
{
    while (!(get(q, 15) & 0x80)) {
        if (get(q, 12) >> 4 != 7) {             /* address() wrote that: nobody answers any more */
            return 0;
        }
        g_usleep(100);
    }
    return get(q, reg);
}

static void begin(QTest *q)
{
    set(q, 6, 0x18);
    set(q, 7, 0x01);
    set(q, 6, 0x01);
    get(q, 10);
    set(q, 7, 0x88);
}

/* The next address mark: its track, side, sector. */
static void next_header(Test *t, QTest *q, uint8_t id[3])
{
    for (unsigned n = 0; n < 60; n++) {
        begin(q);
        if (next(q, 9) == 0xa1 && next(q, 9) == 0xa1 && next(q, 9) == 0xa1 && next(q, 9) == 0xfe) {
            for (unsigned i = 0; i < 3; i++) {
                id[i] = next(q, 9);
            }
            next(q, 9);
            next(q, 9);
            next(q, 9);
            check_u8(t, get(q, 15) & 2, 2, "the header's CRC is right");
            return;
        }
    }
    test_fail(t, "no header comes");
}

static void read_sector(Test *t, QTest *q, unsigned sector, uint8_t *data)
{
    uint8_t id[3] = { 0, 0, 0 };

    for (unsigned n = 0; n < 40 && id[2] != sector; n++) {
        next_header(t, q, id);
    }
    begin(q);
    for (unsigned i = 0; i < 3; i++) {
        check_u8(t, next(q, 9), 0xa1, "a mark");
    }
    check_u8(t, next(q, 9), 0xfb, "data");
    for (unsigned i = 0; i < 512; i++) {
        data[i] = next(q, 8);
    }
    next(q, 9);
    next(q, 9);
    check_u8(t, get(q, 15) & 2, 2, "the data's CRC is right");
    set(q, 6, 0x18);
}

static bool is_block(const uint8_t *data, unsigned block)
{
    for (unsigned i = 0; i < 512; i++) {
        if (data[i] != byte_of(block, i)) {
            return false;
        }
    }
    return true;
}

TEST(swim, drive_lines)
{
    g_autofree char *path = disk(t, 2880);
    QTest *q = start(t, path);

    to_ism(q);
    set(q, 4, 0xf5);
    check_u8(t, get(q, 12), 0xf5, "ISM's phase register");
    check_true(t, !sense(q, 7), "a drive is connected");
    check_true(t, !sense(q, 8), "a disk is in");
    check_true(t, sense(q, 9), "and may be written");
    check_true(t, !sense(q, 15), "it is one of high density");
    check_true(t, sense(q, 2), "the motor is off");
    command(q, 2);
    check_true(t, !sense(q, 2), "and on");
    check_true(t, !sense(q, 10), "track 0");
    command(q, 0);
    command(q, 1);
    check_true(t, sense(q, 10) && sense(q, 1), "a step from it, which is over");
    qtest_reload(q);
    check_true(t, sense(q, 10) && !sense(q, 2), "saved and loaded");
    command(q, 4);
    command(q, 1);
    command(q, 1);
    check_true(t, !sense(q, 10), "back");
    set(q, 6, 0x02);
    set(q, 7, 0x04);
    check_true(t, sense(q, 7), "no second drive");
    set(q, 6, 0x04);
    set(q, 7, 0x02);
    command(q, 7);
    check_true(t, sense(q, 8), "ejected");
    qtest_stop(q);
    unlink(path);
}

TEST(swim, mfm_read_and_write)
{
    g_autofree char *path = disk(t, 2880), *file = NULL;
    QTest *q = start(t, path);
    uint8_t data[512], id[3] = { 0, 0, 0 };
    gsize len;

    to_ism(q);
    set(q, 5, 0x28);
    command(q, 2);
    command(q, 9);
    for (unsigned i = 0; i < 5; i++) {
        command(q, 1);
    }
    address(q, 12);             /* the upper head */
    read_sector(t, q, 7, data);
    check_true(t, is_block(data, 5 * 36 + 18 + 6), "track 5, head 1, sector 7");
    qtest_reload(q);
    read_sector(t, q, 18, data);
    check_true(t, is_block(data, 5 * 36 + 18 + 17), "the last one, saved and loaded in between");
    address(q, 4);
    while (id[2] != 3) {
        next_header(t, q, id);
    }
    check_true(t, id[0] == 5 && id[1] == 0, "the lower head");
    set(q, 6, 0x18);
    set(q, 7, 0x98);            /* write, at once */
    for (unsigned i = 0; i < 22; i++) {
        set(q, 0, 0x4e);
    }
    for (unsigned i = 0; i < 12; i++) {
        set(q, 0, 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        set(q, 1, 0xa1);
    }
    set(q, 0, 0xfb);
    for (unsigned i = 0; i < 512; i++) {
        set(q, 0, (uint8_t)(i ^ 0x5a));
    }
    set(q, 2, 0);
    set(q, 6, 0x18);
    read_sector(t, q, 4, data);
    check_true(t, is_block(data, 5 * 36 + 3), "its neighbour is as before");
    read_sector(t, q, 3, data);
    check_u8(t, data[3], 3 ^ 0x5a, "what was written");
    qtest_reload(q);            /* waits for the image */
    qtest_stop(q);
    check_true(t, g_file_get_contents(path, &file, &len, NULL) && len == 2880 * 512 &&
               (uint8_t)file[(5 * 36 + 2) * 512 + 500] == (uint8_t)(500 ^ 0x5a), "is in the image");
    unlink(path);
}

/* IWM's way: state lines, a byte at each read; the disk's own code is undone by the track's own rules. */
TEST(swim, gcr_read)
{
    g_autofree char *path = disk(t, 1600);
    QTest *q = start(t, path);
    SwimTrack *trk = g_new0(SwimTrack, 1);
    uint8_t out[SWIM_SECTORS_MAX * SWIM_SECTOR];
    uint32_t found = 0;

    qtest_writeb(q, DDRA, 0x28);
    qtest_writeb(q, ORA, 0);
    get(q, 9);                  /* enabled, drive 1, motor on: CA1, LSTRB */
    get(q, 10);
    get(q, 0);
    get(q, 4);
    get(q, 3);
    get(q, 7);
    get(q, 6);
    get(q, 2);
    get(q, 14);
    get(q, 13);
    check_u8(t, get(q, 13) & 0x20, 0x20, "IWM's status: the drive is on");
    get(q, 12);
    while (found != 0xfff) {
        trk->len = 9500;
        for (unsigned i = 0; i < trk->len; i++) {
            trk->cell[i] = get(q, 12);
        }
        found = swim_track_parse(trk, SWIM_GCR_800, 0, 0, out);
    }
    check_u32(t, found, 0xfff, "twelve sectors");
    check_true(t, is_block(out, 0) && is_block(out + 11 * 512, 11), "and their contents");
    qtest_stop(q);
    g_free(trk);
    unlink(path);
}
