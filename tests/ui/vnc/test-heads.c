/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two display devices, a server for each: display=. */
#include "util/osdep.h"
#include <glib.h>
#include "tests/lib/qtest.h"
#include "tests/lib/rfb-client.h"

/* Each card's frame buffer and, from 500h of another BAR, its DISPI registers. */
static const struct {
    unsigned slot;
    uint32_t memory, registers;
    uint16_t w, h;
    uint32_t color;
    const char *name;
} heads[] = {
    { 3, 0xe0000000, 0xfebf0000, 320, 200, 0x00123456, "left" },
    { 4, 0xe2000000, 0xfebe0000, 400, 304, 0x00abcdef, "right" },
};

static void show(QTest *q, unsigned i)
{
    const uint16_t mode[][2] = { { 4, 0 }, { 1, heads[i].w }, { 2, heads[i].h }, { 3, 32 }, { 4, 0x41 } };

    qpci_map(q, heads[i].slot << 3, 0, heads[i].memory);
    qpci_map(q, heads[i].slot << 3, 2, heads[i].registers);
    for (size_t k = 0; k < ARRAY_SIZE(mode); k++) {
        qtest_writew(q, heads[i].registers + 0x500 + 2 * mode[k][0], mode[k][1]);
    }
    qtest_memset(q, heads[i].memory, 0, 4 * (size_t)heads[i].w * heads[i].h);
    qtest_writel(q, heads[i].memory, heads[i].color);
}

static bool sees(RfbClient *c, unsigned i)
{
    while (c->width != heads[i].w || c->height != heads[i].h || (c->values[0] & 0xffffff) != heads[i].color) {
        if (!rfb_update(c, false)) {
            return false;
        }
    }
    return true;
}

TEST(heads, a_server_for_each)
{
    static const int32_t encodings[] = { 0, -308 };
    QTest *q = qtest_start_qmp(t, "-machine pc -vga none -device bochs-display,id=left,addr=3 "
                               "-device secondary-vga,id=right,addr=4 -vnc unix:%s/left,display=left "
                               "-vnc unix:%s/right,display=right,head=0,id=other", test_tmpdir(t), test_tmpdir(t));
    RfbClient c[2];

    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *where = g_strdup_printf("unix:%s/%s", test_tmpdir(t), heads[i].name);

        show(q, i);
        check_true(t, rfb_open(&c[i], rfb_connect(where), NULL) && rfb_set_encodings(&c[i], encodings, 2) &&
                   rfb_update(&c[i], true), c[i].error);
        check_true(t, sees(&c[i], i), heads[i].name);
    }
    qtest_writel(q, heads[1].memory + 4, 0x00ff00ff);
    while (c[1].values[1] != 0xff00ff && rfb_update(&c[1], false)) {
    }
    check_u32(t, c[1].values[1], 0xff00ff, "what changes on one");
    check_true(t, rfb_update(&c[0], true), "the other");
    check_u32(t, c[0].values[1], 0, "stays as it is");
    for (unsigned i = 0; i < 2; i++) {
        rfb_close(&c[i]);
    }
}
