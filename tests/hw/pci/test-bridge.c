/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci-bridge: configuration cycles, windows, interrupts, the secondary bus's reset. */
#include "util/osdep.h"
#include "qobject/qobject.h"
#include "tests/lib/qtest.h"

#define BEHIND  (1 << 8 | 5 << 3)       /* bus 1, slot 5 */

static int set_up(QTest *q)
{
    int bridge = qpci_find(q, 0x1b36, 1);

    qpci_writel(q, bridge, 0x18, 0x00010100);           /* primary 0, secondary 1, subordinate 1 */
    return bridge;
}

TEST(bridge, routes_and_windows)
{
    QTest *q = qtest_start(t, "-M pc -nodefaults -device pci-bridge,id=pci.1,chassis_nr=1 "
                              "-device pci-testdev,bus=pci.1,addr=5");
    int bridge = qpci_find(q, 0x1b36, 1);

    check_u32(t, qpci_readl(q, BEHIND, 0), UINT32_MAX, "without bus numbers nothing is behind it");
    set_up(q);
    check_u32(t, qpci_readl(q, BEHIND, 0), 0x00051b36, "the function behind it");
    check_u32(t, qpci_readl(q, 2 << 8, 0), UINT32_MAX, "another bus isn't there");
    qpci_writel(q, BEHIND, 0x10, 0xe0000000);
    qpci_writew(q, BEHIND, 4, 2);
    check_u32(t, qtest_readl(q, 0xe0000000), UINT32_MAX, "no window: not reached");
    qpci_writel(q, bridge, 0x20, 0xe000e000);           /* 0xe0000000 to 0xe00fffff */
    check_u32(t, qtest_readl(q, 0xe0000000), UINT32_MAX, "memory is off");
    qpci_writew(q, bridge, 4, 2);
    check_true(t, qtest_readl(q, 0xe0000000) != UINT32_MAX, "reached");
    qtest_reload(q);
    check_true(t, qtest_readl(q, 0xe0000000) != UINT32_MAX, "also after saving and loading");
    qpci_writel(q, bridge, 0x20, 0xe000e010);           /* base above limit */
    check_u32(t, qtest_readl(q, 0xe0000000), UINT32_MAX, "a closed window");
    qpci_writel(q, bridge, 0x24, 0xe001e001);
    check_true(t, qtest_readl(q, 0xe0000000) != UINT32_MAX, "by the prefetchable window");
    qpci_writel(q, bridge, 0x28, 1);
    qpci_writel(q, bridge, 0x2c, 1);
    check_u32(t, qtest_readl(q, 0xe0000000), UINT32_MAX, "whose upper halves count");
    qpci_writel(q, BEHIND, 0x14, 0x8001);
    qpci_writew(q, BEHIND, 4, 3);
    qpci_writew(q, bridge, 0x1c, 0x8080);
    qpci_writew(q, bridge, 4, 3);
    check_true(t, qtest_inb(q, 0x8000) != 0xff || qtest_inb(q, 0x8001) != 0xff, "ports");
    qpci_writew(q, bridge, 0x3e, 0x40);
    check_u16(t, qpci_readw(q, BEHIND, 4) & 3, 0, "its reset reaches the function");
}

TEST(bridge, refused)
{
    QTest *q = qtest_start_qmp(t, "-M pc -nodefaults");
    Error *err = NULL;
    int bridge;

    check_true(t, !qmp_cmd_ok(qtest_qmp(q), "device_add", qdict_from_fmt("{'driver': 'pci-bridge', 'chassis_nr': 1}"),
                              &err), "it doesn't come while the guest runs");
    error_free(err);
    q = qtest_start(t, "-M pc -nodefaults -device pci-bridge,id=pci.1,chassis_nr=1 "
                       "-device pci-bridge,id=pci.2,chassis_nr=2,bus=pci.1 -device e1000,bus=pci.2");
    bridge = qpci_find(q, 0x1b36, 1);
    /* Bus numbers that go round. */
    for (unsigned i = 0; i < 256; i++) {
        qpci_writel(q, bridge, 0x18, i | i << 8 | 0xff << 16);
        qpci_writel(q, i << 8 | 1 << 3, 0x18, i << 8 | i | (255 - i) << 16);
        qpci_readl(q, i << 8, 0);
    }
    for (unsigned r = 0x1c; r < 0x34; r += 4) {
        qpci_writel(q, bridge, r, UINT32_MAX);
    }
    qpci_writew(q, bridge, 4, 7);
    qpci_writew(q, bridge, 0x3e, UINT16_MAX);
    qpci_writel(q, bridge, 0x24, 0xfff00000);           /* all of 64 bits */
    qpci_writel(q, bridge, 0x28, 0);
    qpci_writel(q, bridge, 0x2c, UINT32_MAX);
    check_u32(t, qpci_readl(q, bridge, 0), 0x00011b36, "it is still there");
}
