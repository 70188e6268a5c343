/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cfi.pflash01: commands, the image behind it, who may change it, saved state. */
#include "util/osdep.h"
#include <glib.h>
#include "tests/lib/qtest.h"

#define SIZE    0x20000                 /* 128 KiB each */
#define CODE    (0x100000000 - SIZE)
#define VARS    (CODE - SIZE)

static char *image(Test *t, const char *name, uint8_t fill)
{
    char *path = g_build_filename(test_tmpdir(t), name, NULL);
    g_autofree char *data = g_malloc(SIZE);

    memset(data, fill, SIZE);
    g_file_set_contents(path, data, SIZE, NULL);
    return path;
}

static QTest *flash(Test *t, const char *more)
{
    g_autofree char *code = image(t, "code", 0xc0), *vars = image(t, "vars", 0xff);

    return qtest_start(t, "-M q35 -nodefaults -drive if=pflash,unit=0,format=raw,readonly=on,file=%s "
                       "-drive if=pflash,unit=1,format=raw,file=%s %s", code, vars, more);
}

static uint8_t in_image(Test *t, unsigned at)
{
    g_autofree char *path = g_build_filename(test_tmpdir(t), "vars", NULL), *data = NULL;
    gsize len = 0;

    return g_file_get_contents(path, &data, &len, NULL) && len == SIZE ? (uint8_t)data[at] : 0x55;
}

static void command(QTest *q, uint64_t at, uint8_t first, uint8_t second)
{
    qtest_writeb(q, at, first);
    qtest_writeb(q, at, second);
}

TEST(pflash, places)
{
    QTest *q = flash(t, "");

    check_u32(t, qtest_readl(q, CODE), 0xc0c0c0c0, "unit 0 ends at 4 GiB");
    check_u32(t, qtest_readl(q, VARS), 0xffffffff, "unit 1 is below");
    check_u32(t, qtest_readl(q, 0xffffc), 0xc0c0c0c0, "and its end below 1 MiB");
}

TEST(pflash, program_and_erase)
{
    QTest *q = flash(t, "");

    command(q, VARS + 0x1234, 0x10, 0xa5);
    check_u8(t, qtest_readb(q, VARS), 0x80, "the status is read: ready");
    qtest_writeb(q, VARS, 0xff);
    check_u8(t, qtest_readb(q, VARS + 0x1234), 0xa5, "programmed");
    command(q, VARS + 0x1234, 0x40, 0xf0);
    qtest_writeb(q, VARS, 0xff);
    check_u8(t, qtest_readb(q, VARS + 0x1234), 0xa0, "bits go to zero only");
    qtest_writeb(q, VARS + 0x2000, 0x42);
    check_u8(t, qtest_readb(q, VARS + 0x2000), 0xff, "without a command nothing changes");
    command(q, VARS + 0x1000, 0x20, 0xd0);
    qtest_writeb(q, VARS, 0xff);
    check_u8(t, qtest_readb(q, VARS + 0x1234), 0xff, "its block is erased");
    command(q, VARS + 0x10, 0x10, 0x77);
    qtest_reload(q);
    check_u8(t, qtest_readb(q, VARS), 0x80, "status mode after a load");
    while (in_image(t, 0x10) != 0x77) {         /* written behind the guest's back */
        qtest_readb(q, VARS);
    }
    check_u8(t, in_image(t, 0x10), 0x77, "it is in the image");
}

TEST(pflash, buffer)
{
    QTest *q = flash(t, "");

    qtest_writeb(q, VARS + 0x3000, 0xe8);
    check_u8(t, qtest_readb(q, VARS + 0x3000), 0x80, "the buffer is free");
    qtest_writeb(q, VARS + 0x3000, 3);
    for (unsigned i = 0; i < 4; i++) {
        qtest_writeb(q, VARS + 0x3004 + i, (uint8_t)(0x11 * (i + 1)));
        if (i == 1) {
            qtest_reload(q);
        }
    }
    qtest_writeb(q, VARS + 0x3000, 0xd0);
    check_u8(t, qtest_readb(q, VARS), 0x80, "no error");
    qtest_writeb(q, VARS, 0xff);
    check_u32(t, qtest_readl(q, VARS + 0x3004), 0x44332211, "four bytes");
    qtest_writeb(q, VARS, 0xe8);
    qtest_writeb(q, VARS, 0);
    qtest_writeb(q, VARS, 0);
    qtest_writeb(q, VARS, 0xff);
    check_u8(t, qtest_readb(q, VARS) & 0x10, 0x10, "not confirmed: an error");
}

TEST(pflash, query)
{
    QTest *q = flash(t, "");

    qtest_writeb(q, VARS + 0x55, 0x98);
    check_u32(t, qtest_readl(q, VARS + 0x10) & 0xffffff, 0x595251, "QRY");
    check_u8(t, qtest_readb(q, VARS + 0x27), 17, "128 KiB");
    check_u16(t, qtest_readw(q, VARS + 0x2d), 31, "32 blocks");
    check_u16(t, qtest_readw(q, VARS + 0x2f), 16, "of 4 KiB");
    qtest_writeb(q, VARS, 0x50);
    qtest_writeb(q, VARS, 0x70);
    check_u8(t, qtest_readb(q, VARS), 0x00, "cleared: OVMF knows flash by this");
    qtest_writeb(q, VARS, 0x03);
    check_u8(t, qtest_readb(q, VARS), 0xff, "an unknown command: array");
}

TEST(pflash, read_only)
{
    QTest *q = flash(t, "");

    command(q, CODE, 0x10, 0x00);
    check_u8(t, qtest_readb(q, CODE), 0x90, "a programming error");
    qtest_writeb(q, CODE, 0xff);
    check_u8(t, qtest_readb(q, CODE), 0xc0, "as it was");
}

TEST(pflash, secure)
{
    QTest *q = flash(t, "-global driver=cfi.pflash01,property=secure,value=on");

    command(q, VARS, 0x10, 0x00);
    check_u8(t, qtest_readb(q, VARS), 0xff, "who isn't in SMM changes nothing");
}

TEST(pflash, by_node)
{
    g_autofree char *code = image(t, "code", 0xc0), *vars = image(t, "vars", 0xee);
    QTest *q = qtest_start(t, "-M q35,pflash0=c,pflash1=v -nodefaults "
                           "-blockdev driver=file,node-name=c,filename=%s,read-only=on "
                           "-blockdev driver=file,node-name=v,filename=%s", code, vars);

    check_u32(t, qtest_readl(q, CODE), 0xc0c0c0c0, "-machine pflash0");
    check_u32(t, qtest_readl(q, VARS), 0xeeeeeeee, "pflash1");
    qtest_stop(q);
    q = qtest_start(t, "-M pc -nodefaults -drive if=pflash,format=raw,file=%s", vars);
    check_u32(t, qtest_readl(q, CODE), 0xeeeeeeee, "machine pc has them too");
}
