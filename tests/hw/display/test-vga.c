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
