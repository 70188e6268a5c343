/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HBA around its commands: hot-plug, sector sizes, multipliers, coalescing, power, and a guest that does wrong. */
#include "util/osdep.h"
#include "tests/lib/ahci-driver.h"
#include "util/bswap.h"

#include <glib.h>

#define BDF         (4 << 3)
#define ALL         UINT32_MAX
#define NOWHERE     UINT64_C(0x2000000000)      /* no memory is there */

static const AhciCmd identify = { .opcode = 0xec, .bytes = 512 };

static AhciCmd read_dma(uint64_t lba, uint16_t count, uint64_t buffer, uint32_t bytes)
{
    return (AhciCmd){ .opcode = 0x25, .device = 0x40, .lba = lba, .count = count, .buffer = buffer,
                      .bytes = bytes };
}

/* --- a guest that does wrong: an error that the specification has, and a port that recovers --- */

static void recover(const AhciDriver *a)
{
    AhciCmd c = read_dma(7, 1, a->data, 512);

    ahci_stop(a);
    ahci_set_port(a, PORT_SCTL, 1);
    ahci_set_port(a, PORT_SCTL, 0);
    ahci_start(a);
    check_u32(a->t, ahci_run(a, 0, &c), 0x50, "after a reset it works again");
    ahci_check_data(a, a->data, 7, 1);
}

static void expect(const AhciDriver *a, uint32_t is, const char *what)
{
    ahci_wait(a, PORT_IS, PIS_TFES | PIS_HBFS | PIS_IFS | PIS_OFS, is, what);
    recover(a);
}

TEST(ahci_hba, wrong_frames)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd c = read_dma(0, 1, a.data, 512);

    ahci_start(&a);
    ahci_build(&a, 0, &c);
    qtest_writeb(q, a.tables, 0x34);
    ahci_set_port(&a, PORT_CI, 1);
    expect(&a, PIS_IFS, "a frame that only a device sends");
    ahci_build(&a, 0, &c);
    qtest_writel(q, a.list, 1 << 16 | 1);
    ahci_set_port(&a, PORT_CI, 1);
    expect(&a, PIS_IFS, "a frame of one double word");
    c.flags = BIT(9);
    ahci_build(&a, 0, &c);
    ahci_set_port(&a, PORT_CI, 1);
    expect(&a, PIS_IFS, "BIST");
}

TEST(ahci_hba, wrong_memory)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);

    ahci_start(&a);
    for (unsigned queued = 0; queued < 2; queued++) {
        const uint64_t beyond[][2] = { { a.data, 512 }, { NOWHERE, 512 } };
        const uint64_t registers[][2] = { { a.data, 512 }, { a.bar, 512 } };
        AhciCmd c = queued ? ahci_queued(&a, 0, false, 0, 2, 0) : read_dma(0, 2, 0, 0);

        c.num_prds = 2;
        c.prds = beyond;
        ahci_run(&a, 0, &c);
        expect(&a, PIS_HBFS, "a region that is nowhere");
        c.prds = registers;
        ahci_run(&a, 0, &c);
        expect(&a, PIS_HBFS, "a region of our own registers");
        c.num_prds = 1;
        ahci_run(&a, 0, &c);
        expect(&a, PIS_OFS, "regions that are too short");
        c.prds = NULL;
        c.bytes = 0;
        ahci_run(&a, 0, &c);
        expect(&a, PIS_OFS, "no regions");
    }
    ahci_set_port(&a, PORT_CLBU, NOWHERE >> 32);
    ahci_set_port(&a, PORT_CI, 1);
    expect(&a, PIS_HBFS, "a list that is nowhere");
    ahci_set_port(&a, PORT_FBU, NOWHERE >> 32);
    ahci_run(&a, 0, &identify);
    expect(&a, PIS_HBFS, "frames that go nowhere");
    ahci_build(&a, 0, &identify);
    qtest_writel(q, a.list + 12, NOWHERE >> 32);
    ahci_set_port(&a, PORT_CI, 1);
    expect(&a, PIS_HBFS, "a table that is nowhere");
}

/* What a driver must not do, in the middle of 32 commands. */
TEST(ahci_hba, changed_while_it_runs)
{
    QTest *q = ahci_disk_pc(t, "", ",cache=none", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);

    for (unsigned round = 0; round < 6; round++) {
        ahci_start(&a);
        for (unsigned s = 0; s < 32; s++) {
            AhciCmd c = ahci_queued(&a, s, false, s * 64, 64, a.data + s * 32768);

            ahci_build(&a, s, &c);
        }
        ahci_set_port(&a, PORT_SACT, ALL);
        ahci_set_port(&a, PORT_CI, 0xffff);
        switch (round) {
        case 0: ahci_set_port(&a, PORT_CLB, 0xfff00000); break;
        case 1: ahci_set_port(&a, PORT_FB, 0); break;
        case 2: ahci_set_port(&a, PORT_SCTL, 1); ahci_set_port(&a, PORT_SCTL, 0); break;
        case 3: ahci_set_port(&a, PORT_CMD, 0); ahci_set_port(&a, PORT_CMD, CMD_FRE | CMD_ST); break;
        case 4: ahci_set_hba(&a, HBA_GHC, GHC_HR); break;
        default: qpci_writew(q, BDF, 4, 2);     /* no bus master */
        }
        ahci_set_port(&a, PORT_CI, ALL);
        ahci_set_port(&a, PORT_CI, 3);
        qpci_writew(q, BDF, 4, 6);
        while (ahci_hba(&a, HBA_GHC) & GHC_HR) {
            g_usleep(100);
        }
        ahci_set_hba(&a, HBA_GHC, GHC_AE | GHC_IE);
        recover(&a);
        ahci_stop(&a);
    }
}

/* ACS 4.16.1: a tag that is in use comes again. The drive is slow, so that it is. */
TEST(ahci_hba, a_tag_twice)
{
    for (unsigned i = 0; i < 2; i++) {
        QTest *q = ahci_disk_pc(t, i ? ",iothread=io" : "", ",throttling.iops-total=1", "");
        AhciDriver a = ahci_find(t, q, BDF, 0);

        ahci_start(&a);
        for (unsigned s = 0; s < 4; s++) {
            AhciCmd c = ahci_queued(&a, s, false, s * 8, 8, a.data + s * 4096);

            ahci_build(&a, s, &c);
        }
        ahci_set_port(&a, PORT_SACT, 0xf);
        ahci_set_port(&a, PORT_CI, 0xf);
        ahci_wait(&a, PORT_CI, 0xf, 0, "the drive has them");
        ahci_set_port(&a, PORT_CI, 8);
        ahci_wait(&a, PORT_TFD, 1, 1, "it refuses the last one, which it has");
        check_true(t, ahci_port(&a, PORT_IS) & PIS_TFES, "an error of the task file");
        recover(&a);
        ahci_stop(&a);
        qtest_stop(q);
    }
}

/* CVE-2021-3735: soft resets as commands, beside others that fail or are under way, and resets of the port in their midst. */
TEST(ahci_hba, resets_upon_resets)
{
    for (unsigned i = 0; i < 2; i++) {
        QTest *q = ahci_disk_pc(t, i ? ",iothread=io" : "", ",cache=none,aio=threads", "");
        AhciDriver a = ahci_find(t, q, BDF, 0);

        for (unsigned round = 0; round < 24; round++) {
            ahci_start(&a);
            for (unsigned s = 0; s < 8; s++) {
                AhciCmd c = ahci_queued(&a, s, false, s * 64, 64, a.data + s * 32768);

                switch ((s + round) % 4) {
                case 0: c = (AhciCmd){ .not_command = true, .control = 4, .flags = BIT(8) | BIT(10) }; break;
                case 1: c = (AhciCmd){ .not_command = true }; break;
                case 2: c = read_dma(UINT32_MAX >> 5, 8, a.data, 4096); break;
                }
                ahci_build(&a, s, &c);
            }
            ahci_set_port(&a, PORT_SACT, 0xff);
            ahci_set_port(&a, PORT_CI, 0xff);
            switch (round % 3) {
            case 0: ahci_set_port(&a, PORT_SCTL, 1); break;
            case 1: ahci_set_hba(&a, HBA_GHC, GHC_HR); break;
            default: ahci_set_port(&a, PORT_CMD, 0);
            }
            ahci_set_port(&a, PORT_CI, 0xff);
            ahci_set_port(&a, PORT_SCTL, 0);
            while (ahci_hba(&a, HBA_GHC) & GHC_HR) {
                g_usleep(100);
            }
            ahci_set_hba(&a, HBA_GHC, GHC_AE | GHC_IE);
            recover(&a);
            ahci_stop(&a);
        }
        qtest_stop(q);
    }
}

TEST(ahci_hba, addresses_of_32_bits)
{
    QTest *q = ahci_disk_pc(t, ",64bit=off", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd c = read_dma(5, 1, a.data | UINT64_C(1) << 32, 512);

    check_u32(t, ahci_hba(&a, HBA_CAP) & CAP_S64A, 0, "S64A");
    ahci_start(&a);
    ahci_set_port(&a, PORT_CLBU, ALL);
    ahci_set_port(&a, PORT_FBU, ALL);
    check_u32(t, ahci_port(&a, PORT_CLBU) | ahci_port(&a, PORT_FBU), 0, "upper halves are reserved");
    check_u32(t, ahci_run(&a, 0, &c), 0x50, "and not looked at");
    ahci_check_data(&a, a.data, 5, 1);
}

/* --- drives that come and go --- */

TEST(ahci_hba, hot_plug)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 3);
    g_autofree char *path = ahci_image(t, "second.img");
    QmpClient *c = qtest_qmp(q);
    AhciCmd r = read_dma(9, 4, a.data, 2048);

    ahci_set_port(&a, PORT_IE, ALL);
    check_true(t, qmp_cmd_ok(c, "blockdev-add", qdict_from_fmt("{'driver': 'raw', 'node-name': 'n', 'file': "
                                                             "{'driver': 'file', 'filename': %s}}", path), NULL), "node");
    check_true(t, qmp_cmd_ok(c, "device_add", qdict_from_fmt("{'driver': 'ide-hd', 'id': 'new', 'drive': 'n', "
                                                           "'bus': 'ahci0.3'}"), NULL), "device_add");
    check_u32(t, ahci_port(&a, PORT_SSTS), 0x133, "the link is up");
    check_u32(t, ahci_port(&a, PORT_IS) & (PIS_PCS | PIS_PRCS), PIS_PCS | PIS_PRCS, "PCS and PRCS");
    check_u32(t, ahci_hba(&a, HBA_IS), BIT(3), "interrupt");
    ahci_start(&a);
    check_u32(t, ahci_run(&a, 0, &r), 0x50, "it is read");
    ahci_check_data(&a, a.data, 9, 4);
    check_true(t, !qmp_cmd_ok(c, "device_add", qdict_from_fmt("{'driver': 'ide-hd', 'id': 'x', 'drive': 'n', "
                                                            "'bus': 'ahci0.3'}"), NULL), "the port is taken");
    check_true(t, qmp_cmd_ok(c, "device_del", qdict_from_fmt("{'id': 'new'}"), NULL), "device_del");
    check_u32(t, ahci_port(&a, PORT_SSTS), 0, "the link is down");
    check_u32(t, ahci_port(&a, PORT_IS) & PIS_PRCS, PIS_PRCS, "PRCS");
    ahci_set_port(&a, PORT_CI, 1);
    qtest_reload(q);
    check_u32(t, ahci_port(&a, PORT_TFD), 0x7f, "nothing is there");
    check_true(t, !qmp_cmd_ok(c, "device_del", qdict_from_fmt("{'id': 'ahci0.3'}"), NULL), "nor to be taken");
}

/* In the middle of commands, with and without an I/O thread. */
TEST(ahci_hba, pulled_out)
{
    for (unsigned i = 0; i < 2; i++) {
        QTest *q = ahci_disk_pc(t, i ? ",iothread=io" : "", ",cache=none,aio=threads", "");
        AhciDriver a = ahci_find(t, q, BDF, 0);

        ahci_start(&a);
        for (unsigned s = 0; s < 32; s++) {
            AhciCmd c = ahci_queued(&a, s, false, s * 64, 64, a.data + s * 32768);

            ahci_build(&a, s, &c);
        }
        ahci_set_port(&a, PORT_SACT, ALL);
        ahci_set_port(&a, PORT_CI, ALL);
        check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_del", qdict_from_fmt("{'id': 'hd'}"), NULL), "device_del");
        check_u32(t, ahci_port(&a, PORT_SSTS), 0, "the link is down");
        check_u32(t, ahci_port(&a, PORT_SACT), 0, "no commands");
        check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_del", qdict_from_fmt("{'id': 'ahci0'}"), NULL), "the HBA");
    }
}

/* --- disks of other kinds --- */

TEST(ahci_hba, sectors_of_4096_bytes)
{
    QTest *q = ahci_disk_pc(t, "", "", ",logical_block_size=4096,physical_block_size=4096");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd id = identify, r = read_dma(3, 2, a.data, 8192), n = ahci_queued(&a, 4, false, 100, 3, a.data);
    uint16_t w[256];

    ahci_start(&a);
    id.buffer = a.data;
    check_u32(t, ahci_run(&a, 0, &id), 0x50, "IDENTIFY has 512 bytes all the same");
    qtest_read(q, a.data, w, 512);
    check_u32(t, w[60] | (uint32_t)w[61] << 16, AHCI_SECTORS / 8, "sectors");
    check_u32(t, w[106], 0x5000, "longer than 256 words");
    check_u32(t, w[117] | (uint32_t)w[118] << 16, 2048, "words of a sector");
    check_u32(t, ahci_run(&a, 0, &r), 0x50, "DMA");
    ahci_check_data(&a, a.data, 24, 16);
    r.opcode = 0x24;
    check_u32(t, ahci_run(&a, 0, &r), 0x50, "PIO");
    ahci_check_data(&a, a.data, 24, 16);
    n.bytes = 3 * 4096;
    check_u32(t, ahci_run(&a, 4, &n), 0x40, "queued");
    ahci_check_data(&a, a.data, 800, 24);
    r.lba = AHCI_SECTORS / 8;
    check_u32(t, ahci_run(&a, 0, &r), 0x1451, "past the end");
}

TEST(ahci_hba, physical_sectors)
{
    QTest *q = ahci_disk_pc(t, "", "", ",physical_block_size=4096");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd id = identify;

    ahci_start(&a);
    id.buffer = a.data;
    ahci_run(&a, 0, &id);
    check_u16(t, qtest_readw(q, a.data + 2 * 106), 0x6003, "8 logical sectors a physical one");
    check_u16(t, qtest_readw(q, a.data + 2 * 209), 0x4000, "aligned");
}

TEST(ahci_hba, read_only)
{
    QTest *q = ahci_disk_pc(t, "", ",readonly=on", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd w = read_dma(0, 1, a.data, 512), n = ahci_queued(&a, 1, true, 0, 1, a.data);

    w.opcode = 0x35;
    w.write = true;
    ahci_start(&a);
    check_u32(t, ahci_run(&a, 0, &w), 0x451, "WRITE DMA EXT");
    recover(&a);
    check_u32(t, ahci_run(&a, 1, &n), 0x441, "WRITE FPDMA QUEUED");
}

TEST(ahci_hba, power_and_smart)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd r = read_dma(1, 1, a.data, 512);
    AhciCmd smart = { .opcode = 0xb0, .feature = 0xda, .lba = 0xc24f00 };

    ahci_start(&a);
    check_u32(t, ahci_run(&a, 0, &(AhciCmd){ .opcode = 0xe5 }), 0x50, "CHECK POWER MODE");
    check_u8(t, qtest_readb(q, a.frames + 0x4c), 0xff, "active");
    check_u32(t, ahci_run(&a, 0, &(AhciCmd){ .opcode = 0xe0 }), 0x50, "STANDBY IMMEDIATE");
    ahci_run(&a, 0, &(AhciCmd){ .opcode = 0xe5 });
    check_u8(t, qtest_readb(q, a.frames + 0x4c), 0, "standby");
    check_u32(t, ahci_run(&a, 0, &r), 0x50, "it wakes by itself");
    ahci_run(&a, 0, &(AhciCmd){ .opcode = 0xe5 });
    check_u8(t, qtest_readb(q, a.frames + 0x4c), 0xff, "active");

    check_u32(t, ahci_run(&a, 0, &smart), 0x50, "SMART RETURN STATUS");
    check_u32(t, qtest_readl(q, a.frames + 0x44) & 0xffff00, 0xc24f00, "well");
    smart.feature = 0xd0;
    smart.buffer = a.data;
    smart.bytes = 512;
    check_u32(t, ahci_run(&a, 0, &smart), 0x50, "SMART READ DATA");
    check_u8(t, qtest_readb(q, a.data + 2), 1, "an attribute");
    check_u32(t, ahci_run(&a, 0, &(AhciCmd){ .opcode = 0xf5 }), 0x50, "SECURITY FREEZE LOCK");
    check_u32(t, ahci_run(&a, 0, &(AhciCmd){ .opcode = 0xf1, .write = true, .buffer = a.data, .bytes = 512 }),
              0x451, "SECURITY SET PASSWORD: it is frozen");
    recover(&a);

    check_u32(t, ahci_run(&a, 0, &(AhciCmd){ .opcode = 0xe6 }), 0x50, "SLEEP");
    ahci_build(&a, 1, &r);
    ahci_set_port(&a, PORT_CI, 2);
    check_u32(t, ahci_port(&a, PORT_CI), 2, "it doesn't answer");
    recover(&a);
}

/* --- link power, coalescing, lights, hand-off, messages --- */

TEST(ahci_hba, link_power)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd r = read_dma(1, 1, a.data, 512);
    uint32_t cmd;

    ahci_start(&a);
    cmd = ahci_port(&a, PORT_CMD);
    ahci_set_port(&a, PORT_CMD, cmd | 2u << 28);
    check_u32(t, ahci_port(&a, PORT_SSTS), 0x233, "partial");
    check_u32(t, ahci_port(&a, PORT_CMD) >> 28, 0, "ICC is idle again");
    ahci_set_port(&a, PORT_CMD, cmd | 6u << 28);
    check_u32(t, ahci_port(&a, PORT_SSTS), 0x633, "slumber");
    check_u32(t, ahci_run(&a, 0, &r), 0x50, "a command wakes it");
    check_u32(t, ahci_port(&a, PORT_SSTS), 0x133, "active");
    ahci_set_port(&a, PORT_CMD, cmd | CMD_ALPE | CMD_ASP);
    ahci_run(&a, 0, &r);
    check_u32(t, ahci_port(&a, PORT_SSTS), 0x633, "by itself when nothing is to be done");
    ahci_set_port(&a, PORT_SCTL, 0x300);
    ahci_set_port(&a, PORT_CMD, cmd | 1u << 28);
    ahci_set_port(&a, PORT_CMD, cmd | 2u << 28);
    check_u32(t, ahci_port(&a, PORT_SSTS), 0x133, "SCTL.IPM forbids it");
}

TEST(ahci_hba, spin_up)
{
    QTest *q = ahci_disk_pc(t, ",staggered-spin-up=on", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);

    check_u32(t, ahci_hba(&a, HBA_CAP) & CAP_SSS, CAP_SSS, "SSS");
    check_u32(t, ahci_port(&a, PORT_SSTS), 0, "the drive waits");
    ahci_set_port(&a, PORT_CMD, CMD_SUD);
    check_u32(t, ahci_port(&a, PORT_SSTS), 0x133, "for SUD");
}

TEST(ahci_hba, coalescing)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd r = read_dma(1, 1, a.data, 512);

    ahci_start(&a);
    ahci_set_port(&a, PORT_IE, 0);
    check_u32(t, ahci_hba(&a, HBA_CCC_CTL) >> 3 & 31, 6, "its interrupt is the first that no port has");
    ahci_set_hba(&a, HBA_CCC_PORTS, 1);
    ahci_set_hba(&a, HBA_CCC_CTL, 100 << 16 | 3 << 8);
    ahci_set_hba(&a, HBA_CCC_CTL, 100 << 16 | 3 << 8 | 1);
    ahci_run(&a, 0, &r);
    ahci_run(&a, 0, &r);
    check_u32(t, ahci_hba(&a, HBA_IS), 0, "two commands");
    ahci_run(&a, 0, &r);
    check_u32(t, ahci_hba(&a, HBA_IS), BIT(6), "three");
    ahci_set_hba(&a, HBA_IS, ALL);
    ahci_run(&a, 0, &r);
    check_u32(t, ahci_hba(&a, HBA_IS), 0, "one");
    qtest_clock_step(q, 50000000);
    qtest_reload(q);
    check_u32(t, ahci_hba(&a, HBA_IS), 0, "for 50 ms");
    qtest_clock_step(q, 60000000);
    check_u32(t, ahci_hba(&a, HBA_IS), BIT(6), "not for 110");
}

TEST(ahci_hba, lights_and_hand_off)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    uint32_t at = (ahci_hba(&a, HBA_EM_LOC) >> 16) * 4;

    ahci_set_hba(&a, at, 4 << 8);
    ahci_set_hba(&a, at + 4, (1 << 0 | 1 << 3) << 16 | 0);
    check_u32(t, ahci_hba(&a, at + 4), 9 << 16, "the message");
    ahci_set_hba(&a, HBA_EM_CTL, EM_TM);
    check_u32(t, ahci_hba(&a, HBA_EM_CTL), EM_LED, "sent");
    ahci_set_hba(&a, HBA_EM_CTL, EM_RST);
    check_u32(t, ahci_hba(&a, at + 4), 0, "reset");

    check_u32(t, ahci_hba(&a, HBA_CAP2) & 1, 1, "BOH");
    ahci_set_hba(&a, HBA_BOHC, BOHC_BOS);
    ahci_set_hba(&a, HBA_BOHC, BOHC_BOS | BOHC_OOS);
    check_u32(t, ahci_hba(&a, HBA_BOHC), BOHC_BOS | BOHC_OOS | BOHC_OOC, "the ownership changes");
    ahci_set_hba(&a, HBA_BOHC, BOHC_OOS | BOHC_OOC);
    check_u32(t, ahci_hba(&a, HBA_BOHC), BOHC_OOS, "changed");
}

/* A message is a write to memory here. */
TEST(ahci_hba, messages)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd r = read_dma(1, 1, a.data, 512);
    uint64_t at = a.data + 0x1000;

    check_u8(t, qpci_readb(q, BDF, 0x80), 5, "MSI");
    qpci_writel(q, BDF, 0x84, at);
    qpci_writel(q, BDF, 0x88, 0);
    qpci_writew(q, BDF, 0x8c, 0x1234);
    qpci_writew(q, BDF, 0x82, 0x81);
    qtest_writel(q, at, 0);
    ahci_start(&a);
    ahci_run(&a, 0, &r);
    check_u32(t, qtest_readl(q, at), 0x1234, "sent");
    qtest_writel(q, at, 0);
    ahci_run(&a, 0, &r);
    check_u32(t, qtest_readl(q, at), 0, "one for all until IS is written");
    ahci_set_hba(&a, HBA_IS, 1);
    check_u32(t, qtest_readl(q, at), 0x1234, "what is left is told again");
    ahci_set_port(&a, PORT_IS, ALL);
    qtest_writel(q, at, 0);
    ahci_set_hba(&a, HBA_IS, 1);
    check_u32(t, qtest_readl(q, at), 0, "nothing is left");
    /* To our own registers: the machine lives on. A message may follow the end of its command, so it must not meet
     * the new address with the old data. */
    qpci_writel(q, BDF, 0x84, a.bar + HBA_IS);
    ahci_run(&a, 0, &r);
    qpci_writew(q, BDF, 0x82, 0x80);
    qpci_writel(q, BDF, 0x84, a.bar + HBA_PORTS + PORT_CI);
    qpci_writew(q, BDF, 0x8c, 0x0001);
    qpci_writew(q, BDF, 0x82, 0x81);
    ahci_set_hba(&a, HBA_IS, 1);
    ahci_set_port(&a, PORT_IS, ALL);
    ahci_run(&a, 0, &r);
    qpci_writew(q, BDF, 0x82, 0x80);
    recover(&a);
}

/* --- port multipliers --- */

static uint32_t pm_read(const AhciDriver *a, unsigned port, unsigned reg)
{
    ahci_run(a, 0, &(AhciCmd){ .opcode = 0xe4, .pmp = 15, .device = port, .feature = reg });
    return qtest_readb(a->q, a->frames + 0x4c) | qtest_readl(a->q, a->frames + 0x44) << 8;
}

static void pm_write(const AhciDriver *a, unsigned port, unsigned reg, uint32_t v)
{
    ahci_run(a, 0, &(AhciCmd){ .opcode = 0xe8, .pmp = 15, .device = port, .feature = reg, .count = v & 0xff,
                               .lba = v >> 8 });
}

TEST(ahci_hba, port_multiplier)
{
    g_autofree char *path = ahci_image(t, "disk.img");
    QTest *q = qtest_start_qmp(t, "-machine pc -m 64 -nodefaults -device ahci,id=ahci0,addr=4 "
                                  "-device sata-pm,id=pm,bus=ahci0.1,ports=4 "
                                  "-drive file=%s,format=raw,if=none,id=d -device ide-hd,drive=d,bus=pm.2 "
                                  "-blockdev driver=null-co,node-name=n,size=1M -device ide-hd,drive=n,bus=pm.3",
                               path);
    AhciDriver a = ahci_find(t, q, BDF, 1);
    AhciCmd r = read_dma(77, 3, a.data, 1536), n = ahci_queued(&a, 6, false, 200, 4, a.data);

    ahci_start(&a);
    ahci_run(&a, 0, &(AhciCmd){ .not_command = true, .control = 4, .flags = BIT(8) | BIT(10), .pmp = 15 });
    ahci_run(&a, 0, &(AhciCmd){ .not_command = true, .pmp = 15 });
    check_u32(t, ahci_port(&a, PORT_SIG), 0x96690101, "a multiplier's signature");
    check_u32(t, pm_read(&a, 15, 2), 4, "ports");
    check_u32(t, pm_read(&a, 2, 0), 0x133, "a drive is at port 2");
    check_u32(t, pm_read(&a, 0, 0), 0, "none at port 0");
    pm_write(&a, 2, 1, ALL);
    check_u32(t, pm_read(&a, 2, 1), 0, "SError is cleared");
    pm_write(&a, 2, 2, 1);
    pm_write(&a, 2, 2, 0);
    ahci_wait(&a, PORT_TFD, 0x88, 0, "the drive was reset");
    r.pmp = n.pmp = 2;
    check_u32(t, ahci_run(&a, 1, &r), 0x50, "DMA");
    ahci_check_data(&a, a.data, 77, 3);
    check_u32(t, ahci_run(&a, 6, &n), 0x40, "queued");
    ahci_check_data(&a, a.data, 200, 4);

    /* FIS-based switching: frames of each device have a place of their own. */
    ahci_stop(&a);
    ahci_set_port(&a, PORT_FBS, FBS_EN);
    check_u32(t, ahci_port(&a, PORT_FBS) & 1, 1, "EN");
    ahci_set_port(&a, PORT_CMD, ahci_port(&a, PORT_CMD) | CMD_ST);
    ahci_set_port(&a, PORT_IS, ALL);
    r.lba = 5000;                               /* past the end of one, not of the other */
    r.pmp = 3;
    ahci_build(&a, 2, &r);
    r.pmp = 2;
    ahci_build(&a, 1, &r);
    n.lba = 300;
    ahci_set_port(&a, PORT_CI, 6);
    ahci_wait(&a, PORT_IS, PIS_TFES, PIS_TFES, "one fails");
    ahci_set_port(&a, PORT_FBS, FBS_EN | 2 << FBS_DEV_SHIFT);
    check_u32(t, ahci_port(&a, PORT_TFD), 0x1451, "its own task file");
    check_u8(t, qtest_readb(q, a.frames + 2 * 256 + 0x42), 0x51, "its own frame");
    ahci_set_port(&a, PORT_FBS, FBS_EN | FBS_DEC | 2 << FBS_DEV_SHIFT);
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_del", qdict_from_fmt("{'id': 'pm'}"), NULL), "device_del");
    check_u32(t, ahci_port(&a, PORT_SSTS), 0, "all gone");
}
