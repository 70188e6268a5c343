/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AHCI 1.3.1 through its registers: link, commands that aren't queued, packets, frames, interrupts. */
#include "util/osdep.h"
#include "tests/lib/ahci-driver.h"
#include "util/bswap.h"

#include <glib.h>

#define BDF         (4 << 3)
#define ERRORS      (PIS_TFES | PIS_HBFS | PIS_IFS | PIS_OFS)

TEST(ahci, registers)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);

    check_u32(t, qpci_readl(q, BDF, 0), 0x29228086, "ICH9's HBA");
    check_u32(t, qpci_readl(q, BDF, 8) >> 8, 0x010601, "class: AHCI");
    check_u64(t, qpci_bar_size(q, BDF, 5), 4096, "memory BAR");
    check_u32(t, ahci_hba(&a, HBA_VS), 0x00010301, "1.3.1");
    check_u32(t, ahci_hba(&a, HBA_PI), 0x3f, "six ports");
    check_u32(t, ahci_hba(&a, HBA_CAP) & 0x1f, 5, "NP");
    check_u32(t, ahci_hba(&a, HBA_CAP) >> 8 & 0x1f, 31, "32 slots");
    check_u32(t, ahci_port(&a, PORT_SSTS), 0x133, "a link of 6 Gb/s");
    check_u32(t, ahci_port(&a, PORT_SIG), 0x00000101, "a disk's signature");
    check_u32(t, ahci_port(&a, PORT_TFD), 0x150, "ready");
    a.port = 1;
    check_u32(t, ahci_port(&a, PORT_SSTS), 0, "nothing at the next port");
    check_u32(t, ahci_port(&a, PORT_TFD), 0x7f, "and no task file");
    ahci_set_port(&a, PORT_CLB, 0xffffffff);
    ahci_set_port(&a, PORT_FB, 0xffffffff);
    check_u32(t, ahci_port(&a, PORT_CLB), 0xfffffc00, "1 KiB");
    check_u32(t, ahci_port(&a, PORT_FB), 0xffffff00, "256 bytes");
    ahci_set_port(&a, PORT_CI, 1);
    check_u32(t, ahci_port(&a, PORT_CI), 0, "no commands while ST is clear");
}

/* AHCI 5.6.2 ff.: a PIO command: PIO Setup frame, no Register frame at its end. */
TEST(ahci, identify)
{
    QTest *q = ahci_disk_pc(t, "", "", ",serial=A1,rotation_rate=7200");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    uint16_t w[256];
    uint8_t f[256], sum = 0;

    ahci_start(&a);
    check_u32(t, ahci_run(&a, 3, &(AhciCmd){ .opcode = 0xec, .buffer = a.data, .bytes = 512 }), 0x50,
              "done");
    qtest_read(q, a.data, w, 512);
    for (int i = 0; i < 512; i++) {
        sum += ((uint8_t *)w)[i];
    }
    check_u8(t, sum, 0, "checksum");
    check_u32(t, w[60] | (uint32_t)w[61] << 16, AHCI_SECTORS, "sectors");
    check_u32(t, w[75], 31, "queue of 32");
    check_u32(t, w[76] & 0x10e, 0x10e, "NCQ, Gen1 to Gen3");
    check_u32(t, w[217], 7200, "turns a minute");
    check_u32(t, w[128], 9, "security: supported, frozen");
    qtest_read(q, a.frames, f, sizeof(f));
    check_u8(t, f[0x20], 0x5f, "a PIO Setup frame");
    check_u8(t, f[0x21], 0x60, "to the host, with interrupt");
    check_u8(t, f[0x2f], 0x50, "E_STATUS");
    check_u32(t, load_le16(f + 0x30), 512, "transfer count");
    check_u32(t, ahci_port(&a, PORT_IS), PIS_PSS, "PSS and nothing else");
    check_u32(t, qtest_readl(q, a.list + 3 * 32 + 4), 512, "PRDBC");
}

TEST(ahci, dma_and_interrupt)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    uint8_t f[20];

    qtest_irq_intercept_in(q, "ioapic");
    ahci_start(&a);
    check_u32(t, ahci_run(&a, 0, &(AhciCmd){ .opcode = 0x25, .device = 0x40, .lba = 100, .count = 16,
                                             .buffer = a.data, .bytes = 16 * 512 }), 0x50, "read");
    ahci_check_data(&a, a.data, 100, 16);
    qtest_read(q, a.frames + 0x40, f, sizeof(f));
    check_u8(t, f[0], 0x34, "a Register frame");
    check_u8(t, f[2], 0x50, "status");
    check_u32(t, ahci_port(&a, PORT_IS), PIS_DHRS, "DHRS");
    check_u32(t, ahci_hba(&a, HBA_IS), 1, "IS");
    check_u32(t, qtest_readl(q, a.list + 4), 16 * 512, "PRDBC");
    ahci_set_port(&a, PORT_IS, UINT32_MAX);
    ahci_set_hba(&a, HBA_IS, 1);
    check_u32(t, ahci_hba(&a, HBA_IS), 0, "acknowledged");

    qtest_memset(q, a.data, 0x3c, 8 * 512);
    check_u32(t, ahci_run(&a, 5, &(AhciCmd){ .opcode = 0x3d, .device = 0x40, .lba = 200, .count = 8,
                                             .write = true, .buffer = a.data, .bytes = 8 * 512 }), 0x50,
              "WRITE DMA FUA EXT");
    check_u32(t, ahci_run(&a, 6, &(AhciCmd){ .opcode = 0x20, .device = 0x40, .lba = 207, .count = 2,
                                             .buffer = a.data + 0x10000, .bytes = 1024 }), 0x50, "PIO");
    check_u8(t, qtest_readb(q, a.data + 0x10000 + 511), 0x3c, "what was written");
    ahci_check_data(&a, a.data + 0x10000 + 512, 208, 1);
    check_u32(t, ahci_run(&a, 6, &(AhciCmd){ .opcode = 0xea }), 0x50, "FLUSH CACHE EXT");
    check_u32(t, ahci_run(&a, 6, &(AhciCmd){ .opcode = 0xc6, .count = 16 }), 0x50, "SET MULTIPLE");
    check_u32(t, ahci_run(&a, 7, &(AhciCmd){ .opcode = 0x29, .device = 0x40, .lba = 300, .count = 300,
                                             .buffer = a.data, .bytes = 300 * 512 }), 0x50, "multiple");
    ahci_check_data(&a, a.data, 300, 300);
    check_u32(t, ahci_run(&a, 7, &(AhciCmd){ .opcode = 0x24, .device = 0x40, .lba = 0, .count = AHCI_SECTORS,
                                             .buffer = a.data, .bytes = AHCI_SECTORS * 512 }), 0x50,
              "4096 data phases");
    ahci_check_data(&a, a.data, 1000, 0);
}

/* AHCI 4.2.3.3: any even address and length, up to 4 MiB, 65535 of them. */
TEST(ahci, regions)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    uint64_t prds[130][2];
    uint64_t at = a.data;

    ahci_start(&a);
    for (unsigned i = 0; i < ARRAY_SIZE(prds); i++) {
        prds[i][0] = at;
        prds[i][1] = i % 2 ? 126 : 2;
        at += prds[i][1];
    }
    prds[129][1] = 65536;
    for (unsigned queued = 0; queued < 2; queued++) {
        AhciCmd c = queued ? ahci_queued(&a, 9, false, 33, 40, 0)
                           : (AhciCmd){ .opcode = 0x25, .device = 0x40, .lba = 33, .count = 40 };

        qtest_memset(q, a.data, 0xee, 40 * 512);
        c.prds = prds;
        c.num_prds = ARRAY_SIZE(prds);
        check_u32(t, ahci_run(&a, 9, &c), 0x50 & ~(queued ? 0x10 : 0), "read");
        ahci_check_data(&a, a.data, 33, 40);
    }
}

TEST(ahci, errors_in_the_task_file)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);

    ahci_start(&a);
    check_u32(t, ahci_run(&a, 2, &(AhciCmd){ .opcode = 0x25, .device = 0x40, .lba = AHCI_SECTORS, .count = 1,
                                             .buffer = a.data, .bytes = 512 }), 0x1451, "IDNF, ABRT");
    check_u32(t, ahci_port(&a, PORT_IS) & ERRORS, PIS_TFES, "TFES");
    check_u32(t, ahci_port(&a, PORT_CI), BIT(2), "the command stays in the list");
    check_u32(t, ahci_port(&a, PORT_CMD) >> 8 & 31, 2, "CCS");
    ahci_set_port(&a, PORT_CI, BIT(5));
    check_u32(t, ahci_port(&a, PORT_CI), BIT(2) | BIT(5), "and nothing is begun");
    ahci_stop(&a);
    check_u32(t, ahci_port(&a, PORT_CI), 0, "until ST was cleared");
    ahci_start(&a);
    check_u32(t, ahci_run(&a, 0, &(AhciCmd){ .opcode = 0xf7 }), 0x451, "no such command");
}

/* AHCI 10.4.1, 10.4.2. */
TEST(ahci, resets)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);

    ahci_start(&a);
    ahci_run(&a, 0, &(AhciCmd){ .not_command = true, .control = 4, .flags = BIT(8) | BIT(10) });
    ahci_run(&a, 1, &(AhciCmd){ .not_command = true });
    ahci_wait(&a, PORT_TFD, 0xffff, 0x150, "the signature");
    check_u32(t, qtest_readl(q, a.frames + 0x44), 0x00000001, "the frame");
    ahci_stop(&a);
    ahci_set_port(&a, PORT_SCTL, 1);
    check_u32(t, ahci_port(&a, PORT_SSTS), 0, "no link during COMRESET");
    ahci_set_port(&a, PORT_SCTL, 0);
    ahci_wait(&a, PORT_SSTS, 0xfff, 0x133, "the link is back");
    check_true(t, ahci_port(&a, PORT_IS) & PIS_PCS, "PCS");
    check_true(t, ahci_port(&a, PORT_SERR) & SERR_DIAG_X, "exchanged");
    ahci_set_port(&a, PORT_SERR, UINT32_MAX);
    check_u32(t, ahci_port(&a, PORT_IS) & (PIS_PCS | PIS_PRCS), 0, "PCS and PRCS follow SERR");
    ahci_set_port(&a, PORT_SCTL, 4);
    check_u32(t, ahci_port(&a, PORT_SSTS), 4, "off");
    ahci_set_hba(&a, HBA_GHC, GHC_HR | GHC_AE);
    while (ahci_hba(&a, HBA_GHC) & GHC_HR) {
        g_usleep(100);
    }
    check_u32(t, ahci_hba(&a, HBA_GHC), GHC_AE, "HR and IE are clear");
    check_u32(t, ahci_port(&a, PORT_SSTS), 0x133, "reset brings the link up");
    check_u32(t, ahci_port(&a, PORT_CLB), a.list, "the list's address stays");
    ahci_set_hba(&a, HBA_GHC, GHC_IE | GHC_AE);
    ahci_start(&a);
    check_u32(t, ahci_run(&a, 0, &(AhciCmd){ .opcode = 0xec, .buffer = a.data, .bytes = 512 }), 0x50,
              "it works again");
}

TEST(ahci, packets)
{
    static const uint8_t read[12] = { 0x28, 0, 0, 0, 0, 7, 0, 0, 9 }, bad[12] = { 0xfe };
    g_autofree char *path = ahci_image(t, "disk.img");
    QTest *q = qtest_start_qmp(t, "-machine pc -m 64 -nodefaults -device ahci,id=ahci0,addr=4 "
                                  "-drive file=%s,format=raw,if=none,id=d,readonly=on "
                                  "-device ide-cd,id=cd,drive=d,bus=ahci0.2", path);
    AhciDriver a = ahci_find(t, q, BDF, 2);

    ahci_start(&a);
    check_u32(t, ahci_port(&a, PORT_SIG), 0xeb140101, "a packet device");
    check_u32(t, ahci_run(&a, 0, &(AhciCmd){ .opcode = 0xa1, .buffer = a.data, .bytes = 512 }), 0x50,
              "IDENTIFY PACKET DEVICE");
    for (unsigned dma = 0; dma < 2; dma++) {
        qtest_memset(q, a.data, 0, 9 * 2048);
        check_u32(t, ahci_run(&a, 1, &(AhciCmd){ .opcode = 0xa0, .feature = dma, .atapi = true,
                                                 .packet = read, .lba = 0xfffe00, .buffer = a.data,
                                                 .bytes = 9 * 2048 }), 0x50, "READ(10)");
        ahci_check_data(&a, a.data, 28, 36);
    }
    check_u32(t, ahci_run(&a, 1, &(AhciCmd){ .opcode = 0xef, .feature = 0x10, .count = 5 }), 0x50,
              "asynchronous notification is wanted");
    check_u32(t, ahci_port(&a, PORT_SNTF), 0, "nothing has happened");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "eject", qdict_from_fmt("{'id': 'cd', 'force': true}"), NULL), "eject");
    check_u32(t, ahci_port(&a, PORT_SNTF), 1, "the drive tells");
    check_u32(t, ahci_port(&a, PORT_IS) & PIS_SDBS, PIS_SDBS, "with an interrupt");
    ahci_set_port(&a, PORT_SNTF, 1);
    check_u32(t, ahci_port(&a, PORT_SNTF), 0, "acknowledged");
    check_u32(t, ahci_run(&a, 1, &(AhciCmd){ .opcode = 0xa0, .atapi = true, .packet = bad }), 0x5451,
              "illegal request");
}

/* Message signalled, INTx, and with both bits of the capability table. */
TEST(ahci, two_instances)
{
    g_autofree char *path = ahci_image(t, "disk.img");
    QTest *q = qtest_start(t, "-machine pc -m 64 -nodefaults -device ahci,id=a,addr=4 "
                              "-device ich7-ahci,id=b,addr=5,ports=4 "
                              "-drive file=%s,format=raw,if=none,id=d -device ide-hd,drive=d,bus=a.0 "
                              "-blockdev driver=null-co,node-name=e,size=64M -device ide-hd,drive=e,bus=b.3",
                           path);
    AhciDriver a = ahci_find(t, q, BDF, 0), b = ahci_find(t, q, 5 << 3, 3);
    AhciCmd c = { .opcode = 0x25, .device = 0x40, .lba = 10, .count = 1, .bytes = 512 };

    check_u32(t, qpci_readl(q, 5 << 3, 0), 0x27c18086, "ICH7's");
    check_u32(t, ahci_hba(&b, HBA_PI), 0xf, "four ports");
    ahci_start(&a);
    ahci_start(&b);
    c.buffer = b.data;
    check_u32(t, ahci_run(&b, 0, &c), 0x50, "the second");
    check_u32(t, ahci_hba(&a, HBA_IS), 0, "the first doesn't know");
    c.buffer = a.data;
    check_u32(t, ahci_run(&a, 0, &c), 0x50, "the first");
    ahci_check_data(&a, a.data, 10, 1);
}

/* What people and libvirt write for a Q35. */
TEST(ahci, built_in)
{
    g_autofree char *path = ahci_image(t, "disk.img");
    QTest *q = qtest_start(t, "-machine q35 -m 64 -nodefaults -drive file=%s,format=raw,if=ide "
                              "-device ide-cd,bus=ide.2 -device ide-cd", path);
    AhciDriver a = ahci_find(t, q, 0xfa, 0);
    AhciCmd c = { .opcode = 0x25, .device = 0x40, .lba = 10, .count = 1, .buffer = a.data, .bytes = 512 };

    ahci_start(&a);
    check_u32(t, ahci_run(&a, 0, &c), 0x50, "the disk of -drive");
    ahci_check_data(&a, a.data, 10, 1);
    a.port = 1;
    check_u32(t, ahci_port(&a, PORT_SIG), 0xeb140101, "a drive without a bus goes to the first free port");
    a.port = 2;
    check_u32(t, ahci_port(&a, PORT_SIG), 0xeb140101, "a drive of a named port");
}
