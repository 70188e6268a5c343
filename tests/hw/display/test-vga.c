/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VGA: registers, the memory window through the planes, DISPI modes, what the screen shows. */
#include "util/osdep.h"
#include "tests/lib/vga.h"

#include <glib.h>

TEST(vga, registers)
{
    QTest *q = vga_pc(t);

    qtest_outb(q, 0x3c2, 0x67);
    check_u8(t, qtest_inb(q, 0x3cc), 0x67, "miscellaneous output");
    vga_indexed(q, 0x3c4, 2, 0xff);
    check_u8(t, qtest_inb(q, 0x3c5), 0x0f, "map mask has four bits");
    vga_indexed(q, 0x3d4, 0x11, 0x80);
    vga_indexed(q, 0x3d4, 0x00, 0x5f);
    check_u8(t, qtest_inb(q, 0x3d5), 0, "CR0 is protected by CR11 bit 7");
    check_u8(t, qtest_inb(q, 0x3b5), 0xff, "monochrome ports aren't decoded");
    qtest_outb(q, 0x3c8, 7);
    qtest_outb(q, 0x3c9, 1);
    qtest_outb(q, 0x3c9, 2);
    qtest_outb(q, 0x3c9, 3);
    qtest_outb(q, 0x3c7, 7);
    check_u8(t, qtest_inb(q, 0x3c9), 1, "red");
    check_u8(t, qtest_inb(q, 0x3c9), 2, "green");
    check_u8(t, qtest_inb(q, 0x3c9), 3, "blue");
}

/* PS/2 TR, graphics controller: write modes 0 and 2, read mode 0 with latches. */
TEST(vga, planes)
{
    QTest *q = vga_pc(t);

    qtest_outb(q, 0x3c2, 0x63);
    vga_indexed(q, 0x3c4, 4, 0x06);                 /* planar */
    vga_indexed(q, 0x3ce, 6, 0x05);                 /* graphics, A0000h */
    vga_indexed(q, 0x3ce, 5, 0x02);                 /* write mode 2 */
    vga_indexed(q, 0x3ce, 8, 0xff);
    vga_indexed(q, 0x3c4, 2, 0x0f);
    qtest_writeb(q, 0xa0010, 0x05);
    vga_indexed(q, 0x3ce, 5, 0x00);
    for (int p = 0; p < 4; p++) {
        vga_indexed(q, 0x3ce, 4, p);
        check_u8(t, qtest_readb(q, 0xa0010), p & 1 ? 0 : 0xff, "colour 5 has planes 0 and 2");
    }
    vga_indexed(q, 0x3c4, 2, 0x02);
    vga_indexed(q, 0x3ce, 8, 0x0f);                 /* only four pixels */
    qtest_readb(q, 0xa0010);
    qtest_writeb(q, 0xa0010, 0xff);
    vga_indexed(q, 0x3ce, 4, 1);
    check_u8(t, qtest_readb(q, 0xa0010), 0x0f, "bit mask");
}

TEST(vga, dispi_modes)
{
    QTest *q = vga_pc(t);

    check_u16(t, vga_dispi_get(q, 0), 0xb0c5, "identification");
    vga_dispi(q, 1, 800);
    vga_dispi(q, 2, 600);
    vga_dispi(q, 3, 32);
    vga_dispi(q, 4, 0x41);
    check_u16(t, vga_dispi_get(q, 1), 800, "width");
    check_u16(t, vga_dispi_get(q, 6), 800, "virtual width");
    check_u16(t, vga_dispi_get(q, 10), 256, "16 MiB in units of 64 KiB");
    vga_dispi(q, 1, 65535);
    vga_dispi(q, 2, 65535);
    vga_dispi(q, 9, 65535);
    check_true(t, vga_dispi_get(q, 1) <= 16000, "a size that can't be is cut");
    check_true(t, (uint32_t)vga_dispi_get(q, 6) * 4 * vga_dispi_get(q, 2) <= 16 << 20,
               "and fits into memory");
}

/* What was painted is what a screen dump has. */
TEST(vga, screen_dump)
{
    QTest *q = vga_pc(t);
    g_autofree char *path = g_strdup_printf("%s/screen.ppm", test_tmpdir(t)), *text = NULL;
    Error *err = NULL;
    QObject *reply;
    size_t len;

    vga_dispi(q, 4, 0);
    vga_dispi(q, 1, 64);
    vga_dispi(q, 2, 48);
    vga_dispi(q, 3, 32);
    vga_dispi(q, 4, 0x41);
    qtest_writel(q, VGA_LFB + 4 * (64 * 3 + 2), 0x00123456);
    reply = qmp_cmd(qtest_qmp(q), "screendump", qdict_from_fmt("{'filename': %s}", path), &err);
    check_true(t, reply, "screendump");
    qobject_unref(reply);
    check_true(t, g_file_get_contents(path, &text, &len, NULL), "the file");
    check_true(t, g_str_has_prefix(text, "P6\n64 48\n255\n"), "its head");
    check_int(t, len, 13 + 64 * 48 * 3, "its size");
    check_u8(t, text[13 + 3 * (64 * 3 + 2)], 0x12, "red");
    check_u8(t, text[13 + 3 * (64 * 3 + 2) + 2], 0x56, "blue");
}

static void check_pixel(Test *t, QTest *q, int w, int at, uint32_t rgb, const char *what)
{
    g_autofree char *path = g_strdup_printf("%s/pixel.ppm", test_tmpdir(t)), *text = NULL, *head = NULL;
    Error *err = NULL;
    QObject *reply = qmp_cmd(qtest_qmp(q), "screendump", qdict_from_fmt("{'filename': %s}", path), &err);
    const uint8_t *p;
    size_t len;

    check_true(t, reply && g_file_get_contents(path, &text, &len, NULL), "screendump");
    qobject_unref(reply);
    head = g_strdup_printf("P6\n%d ", w);
    check_true(t, g_str_has_prefix(text, head), "its width");
    p = (uint8_t *)strstr(text, "\n255\n") + 5 + 3 * at;
    check_u32(t, (uint32_t)p[0] << 16 | p[1] << 8 | p[2], rgb, what);
}

/* Pixels of 32 bits are shown where they are. */
TEST(vga, memory_is_the_surface)
{
    QTest *q = vga_pc(t);

    vga_dispi(q, 4, 0);
    vga_dispi(q, 1, 64);
    vga_dispi(q, 2, 48);
    vga_dispi(q, 3, 32);
    vga_dispi(q, 4, 0x41);
    qtest_writel(q, VGA_LFB, 0xff123456);
    qtest_writel(q, VGA_LFB + 4 * 64 * 48, 0x00abcdef);
    check_pixel(t, q, 64, 0, 0x123456, "the top byte doesn't count");
    vga_dispi(q, 9, 48);
    check_pixel(t, q, 64, 0, 0xabcdef, "the other page");
    vga_dispi(q, 8, 4);
    check_pixel(t, q, 64, 0, 0, "and to its right");
    vga_dispi(q, 9, 0);
    vga_dispi(q, 8, 0);
    check_pixel(t, q, 64, 0, 0x123456, "the first page");
    vga_dispi(q, 4, 0);
    qtest_outb(q, 0x3c0, 0);                        /* the screen off */
    check_pixel(t, q, 64, 0, 0, "blank");
    check_u32(t, qtest_readl(q, VGA_LFB), 0xff123456, "memory isn't painted on");
    vga_dispi(q, 4, 0xc1);                          /* without clearing it */
    check_pixel(t, q, 64, 0, 0x123456, "on again");
    vga_dispi(q, 3, 16);
    check_pixel(t, q, 64, 0, 0x318ab5, "pixels of 16 bits are painted");
    check_u32(t, qtest_readl(q, VGA_LFB), 0xff123456, "elsewhere");
}

/* 80 columns and 25 rows. */
static void text_mode(QTest *q)
{
    static const struct { uint16_t port; uint8_t index, val; } regs[] = {
        { 0x3c4, 1, 0 }, { 0x3c4, 2, 3 }, { 0x3c4, 4, 2 }, { 0x3ce, 5, 0x10 }, { 0x3ce, 6, 0x0e }, { 0x3ce, 8, 0xff },
        { 0x3d4, 1, 79 }, { 0x3d4, 7, 0x1f }, { 0x3d4, 9, 0x4f }, { 0x3d4, 0x12, 0x8f }, { 0x3d4, 0x13, 40 },
    };

    qtest_outb(q, 0x3c2, 0x67);
    for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
        vga_indexed(q, regs[i].port, regs[i].index, regs[i].val);
    }
    qtest_outb(q, 0x3c0, 0x20);
}

/* What is said if there is none. */
static char *copy_text(QTest *q, QDict *arguments)
{
    Error *err = NULL;
    QObject *r = qmp_cmd(qtest_qmp(q), "x-copy-screen-text", arguments, &err);
    char *said = g_strdup(r ? qdict_get_str((QDict *)r, "text", NULL) : error_message(err));

    qobject_unref(r);
    error_free(err);
    return said;
}

TEST(vga, text_is_copied)
{
    static const char line[] = "login: \x81\xc9";          /* a letter with an accent, a corner */
    QTest *q = vga_pc(t);
    g_autofree char *none = copy_text(q, NULL), *all = NULL, *whole = NULL, *some = NULL, *beyond = NULL;
    QObject *r;

    check_true(t, strstr(none, "picture"), none);
    text_mode(q);
    for (unsigned i = 0; i < 80 * 25; i++) {
        qtest_writew(q, 0xb8000 + 2 * i, 0x0720);
    }
    for (unsigned i = 0; i < sizeof(line) - 1; i++) {
        qtest_writew(q, 0xb8000 + 2 * (80 + 3 + i), 0x0700 | (uint8_t)line[i]);
    }
    qtest_writew(q, 0xb8000 + 2 * (3 * 80 + 79), 0x0741);
    all = copy_text(q, NULL);
    whole = g_strdup_printf("\n   login: \u00fc\u2554\n\n%79sA\n", "");
    check_str(t, all, whole, "the whole screen");
    some = copy_text(q, qdict_from_fmt("{'x': 3, 'y': 1, 'columns': 5, 'rows': 1}"));
    check_str(t, some, "login\n", "a rectangle");
    beyond = copy_text(q, qdict_from_fmt("{'x': 76, 'columns': 5}"));
    check_true(t, strstr(beyond, "columns"), beyond);
    r = qmp_cmd(qtest_qmp(q), "x-paste-text", qdict_from_fmt("{'rate': 1}"), NULL);
    check_true(t, r, "what was copied last is in the clipboard");
    qobject_unref(r);
}

/* Memory at E0000000h, registers at FEBF0000h. */
static QTest *bochs_pc(Test *t, const char *device)
{
    QTest *q = qtest_start(t, "-machine pc -vga none -device %s,addr=3", device);

    qpci_map(q, 3 << 3, 0, 0xe0000000);
    qpci_map(q, 3 << 3, 2, 0xfebf0000);
    return q;
}

static void bochs_mode(QTest *q, uint16_t x, uint16_t y, uint16_t bpp)
{
    qtest_writew(q, 0xfebf0502, x);
    qtest_writew(q, 0xfebf0504, y);
    qtest_writew(q, 0xfebf0506, bpp);
    qtest_writew(q, 0xfebf0508, 0x41);
}

TEST(bochs_display, registers_and_edid)
{
    QTest *q = bochs_pc(t, "bochs-display,xres=1024,yres=600,vgamem=6M");
    uint8_t e[128], sum = 0;

    check_u32(t, qpci_readl(q, 3 << 3, 0), 0x11111234, "vendor and device");
    check_u32(t, qpci_readl(q, 3 << 3, 8) >> 8, 0x038000, "class: another display controller");
    check_true(t, qpci_bar_size(q, 3 << 3, 0) == 8 << 20, "memory's size is a power of two");
    check_u16(t, qtest_readw(q, 0xfebf0500), 0xb0c5, "identification");
    check_u16(t, qtest_readw(q, 0xfebf0514), 128, "8 MiB in units of 64 KiB");
    check_u32(t, qtest_readl(q, 0xfebf0604), 0x1e1e1e1e, "little-endian");
    qtest_writeb(q, 0xfebf0402, 0x67);
    check_u8(t, qtest_readb(q, 0xfebf040c), 0, "there are no VGA ports");
    for (unsigned i = 0; i < sizeof(e); i++) {
        e[i] = qtest_readb(q, 0xfebf0000 + i);
        sum = (uint8_t)(sum + e[i]);
    }
    check_u8(t, sum, 0, "EDID: its sum");
    check_u32(t, qtest_readl(q, 0xfebf0000), 0xffffff00, "its head");
    check_u16(t, (uint16_t)(e[56] | e[58] >> 4 << 8), 1024, "width of the best mode");
    check_u16(t, (uint16_t)(e[59] | e[61] >> 4 << 8), 600, "and height");
    bochs_mode(q, 640, 480, 32);
    qtest_reload(q);
    check_u16(t, qtest_readw(q, 0xfebf0502), 640, "the mode is saved");
}

TEST(bochs_display, without_edid)
{
    QTest *q = bochs_pc(t, "bochs-display,edid=off");

    check_u32(t, qtest_readl(q, 0xfebf0000), 0, "nothing");
}

TEST(bochs_display, picture)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -vga none -device bochs-display,addr=3 -device secondary-vga,addr=4");
    g_autofree char *path = g_strdup_printf("%s/bochs.ppm", test_tmpdir(t)), *dump = NULL;
    gsize len = 0;

    qpci_map(q, 3 << 3, 0, 0xe0000000);
    qpci_map(q, 3 << 3, 2, 0xfebf0000);
    qpci_map(q, 4 << 3, 2, 0xfebe0000);
    qtest_writeb(q, 0xfebe0402, 0x67);
    check_u8(t, qtest_readb(q, 0xfebe040c), 0x67, "secondary-vga has ports in its memory");
    bochs_mode(q, 64, 32, 32);
    for (uint32_t i = 0; i < 64 * 32; i++) {
        qtest_writel(q, 0xe0000000 + 4 * i, 0x123456 + i);
    }
    qobject_unref(qmp_cmd(qtest_qmp(q), "screendump", qdict_from_fmt("{'filename': %s}", path), NULL));
    check_true(t, g_file_get_contents(path, &dump, &len, NULL) && len == 13 + 64 * 32 * 3, "size of the picture");
    check_mem(t, dump + 13, "\x12\x34\x56\x12\x34\x57", 6, "its first pixels");
    g_clear_pointer(&dump, g_free);
    bochs_mode(q, 64, 32, 8);
    qobject_unref(qmp_cmd(qtest_qmp(q), "screendump", qdict_from_fmt("{'filename': %s}", path), NULL));
    check_true(t, g_file_get_contents(path, &dump, &len, NULL) && len > 15, "a picture");
    check_mem(t, dump + len - 6, "\0\0\0\0\0\0", 6, "other depths are black");
}

TEST(bochs_display, sizes_that_cannot_be)
{
    static const char *const bad[] = { "bochs-display,vgamem=1M", "bochs-display,vgamem=512M", "bochs-display,xres=5000",
                                       "VGA,vgamem_mb=3" };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        QTest *q = qtest_start(t, "-machine pc -vga none -qtest-log /dev/null -device %s", bad[i]);

        check_int(t, qtest_wait(q), 1, bad[i]);
    }
}
