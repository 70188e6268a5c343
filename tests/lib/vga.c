/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/vga.h"

QTest *vga_pc(Test *t)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 32 -nodefaults -device VGA,addr=2");

    qpci_writel(q, VGA_BDF, 0x10, VGA_LFB);
    qpci_writew(q, VGA_BDF, 0x04, 3);
    return q;
}

void vga_indexed(QTest *q, uint16_t port, uint8_t index, uint8_t val)
{
    qtest_outb(q, port, index);
    qtest_outb(q, port + 1, val);
}

void vga_dispi(QTest *q, uint16_t index, uint16_t val)
{
    qtest_outw(q, 0x1ce, index);
    qtest_outw(q, 0x1cf, val);
}

uint16_t vga_dispi_get(QTest *q, uint16_t index)
{
    qtest_outw(q, 0x1ce, index);
    return qtest_inw(q, 0x1cf);
}
