/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queued commands of SATA disks: 32 at once, errors and their log, state saved in the middle, in an I/O thread. */
#include "util/osdep.h"
#include "tests/lib/ahci-driver.h"

#include <fcntl.h>
#include <glib.h>
#include "util/bswap.h"

#define BDF         (4 << 3)
#define ALL         UINT32_MAX

/* 32 commands, then one write to each of SACT and CI. */
static void run_32(const AhciDriver *a, bool write)
{
    for (unsigned s = 0; s < 32; s++) {
        AhciCmd c = ahci_queued(a, s, write, 1000 + s * 8, 8, a->data + s * 4096);

        ahci_build(a, s, &c);
    }
    ahci_set_port(a, PORT_SACT, ALL);
    ahci_set_port(a, PORT_CI, ALL);
    ahci_wait(a, PORT_CI, ALL, 0, "all accepted");
    ahci_wait(a, PORT_SACT, ALL, 0, "all done");
}

static void read_and_write(Test *t, const char *hba, const char *drive)
{
    QTest *q = ahci_disk_pc(t, hba, drive, "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    uint8_t f[256];

    ahci_start(&a);
    run_32(&a, false);
    for (unsigned s = 0; s < 32; s++) {
        ahci_check_data(&a, a.data + s * 4096, 1000 + s * 8, 8);
    }
    check_u32(t, ahci_port(&a, PORT_TFD), 0x40, "no error");
    check_true(t, ahci_port(&a, PORT_IS) & PIS_SDBS, "SDBS");
    check_u32(t, ahci_hba(&a, HBA_IS), 1, "interrupt");
    qtest_read(q, a.frames, f, sizeof(f));
    check_u8(t, f[0], 0x41, "a DMA Setup frame");
    check_u8(t, f[0x58], 0xa1, "a Set Device Bits frame");
    check_u8(t, f[0x40], 0x34, "a Register frame");

    for (unsigned s = 0; s < 32; s++) {
        qtest_memset(q, a.data + s * 4096, 0x80 + s, 4096);
    }
    run_32(&a, true);
    qtest_memset(q, a.data, 0, 32 * 4096);
    run_32(&a, false);
    for (unsigned s = 0; s < 32; s++) {
        check_u8(t, qtest_readb(q, a.data + s * 4096 + 4095), 0x80 + s, "what was written");
    }
}

TEST(ncq, read_and_write)
{
    read_and_write(t, "", "");
}

TEST(ncq, in_an_io_thread)
{
    read_and_write(t, ",iothread=io", "");
}

TEST(ncq, without_the_cache_of_the_host)
{
    read_and_write(t, "", ",cache=none,aio=native");
}

static void restart(const AhciDriver *a)
{
    ahci_stop(a);
    ahci_set_port(a, PORT_IS, ALL);
    ahci_set_port(a, PORT_CMD, ahci_port(a, PORT_CMD) | CMD_ST);
}

/* ACS 4.16.4: the log tells which one failed, and has to be read. */
static void error_log(Test *t, const char *hba)
{
    QTest *q = ahci_disk_pc(t, hba, "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd bad = ahci_queued(&a, 7, false, AHCI_SECTORS - 1, 2, a.data), good = ahci_queued(&a, 3, false, 5, 1, a.data);
    AhciCmd log = { .opcode = 0x2f, .lba = 0x10, .count = 1, .buffer = a.data, .bytes = 512 };
    uint8_t b[512], sum = 0;

    ahci_start(&a);
    check_u32(t, ahci_run(&a, 7, &bad), 0x1441, "IDNF, ABRT");
    check_u32(t, ahci_port(&a, PORT_SACT), BIT(7), "the failed one stays in SACT");
    restart(&a);
    check_u32(t, ahci_run(&a, 3, &good), 0x441, "no other command before the log is read");
    restart(&a);
    check_u32(t, ahci_run(&a, 0, &log), 0x50, "READ LOG EXT");
    qtest_read(q, a.data, b, sizeof(b));
    for (unsigned i = 0; i < sizeof(b); i++) {
        sum += b[i];
    }
    check_u8(t, b[0], 7, "the tag");
    check_u8(t, b[2], 0x41, "status");
    check_u8(t, b[3], 0x14, "error");
    check_u32(t, load_le32(b + 4) & 0xffffff, AHCI_SECTORS - 1, "the sector");
    check_u8(t, sum, 0, "checksum");
    check_u32(t, ahci_run(&a, 3, &good), 0x40, "then it goes on");
    ahci_check_data(&a, a.data, 5, 1);

    good = ahci_queued(&a, 4, false, 5, 1, a.data);
    check_u32(t, ahci_run(&a, 3, &good), 0x441, "a tag that isn't the slot's");
    log.opcode = 0x47;
    restart(&a);
    check_u32(t, ahci_run(&a, 0, &log), 0x50, "READ LOG DMA EXT");
    check_u8(t, qtest_readb(q, a.data), 4, "its tag");
}

TEST(ncq, error_log)
{
    error_log(t, "");
}

TEST(ncq, error_log_in_an_io_thread)
{
    error_log(t, ",iothread=io");
}

/* @times 0: always. */
static void fault(Test *t, QTest *q, unsigned lba, unsigned count, const char *kind, unsigned times)
{
    QDict *args = qdict_from_fmt("{'id': 'hd', 'lba': %u, 'count': %u, 'kind': %s}", lba, count, kind);

    if (times) {
        qdict_put_int(args, "times", times);
    }
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "x-ide-inject-fault", args, NULL), kind);
}

static void faults(Test *t, const char *hba)
{
    QTest *q = ahci_disk_pc(t, hba, "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd c = ahci_queued(&a, 1, false, 100, 8, a.data), w = ahci_queued(&a, 2, true, 200, 8, a.data);
    AhciCmd log = { .opcode = 0x2f, .lba = 0x10, .count = 1, .buffer = a.data, .bytes = 512 };
    AhciCmd dma = { .opcode = 0x25, .device = 0x40, .lba = 98, .count = 8, .buffer = a.data, .bytes = 4096 };
    QObject *r;

    ahci_start(&a);
    fault(t, q, 103, 1, "unc", 0);
    check_u32(t, ahci_run(&a, 1, &c), 0x4041, "UNC");
    restart(&a);
    ahci_run(&a, 0, &log);
    check_u32(t, qtest_readl(q, a.data + 4) & 0xffffff, 103, "its sector");
    check_u32(t, ahci_run(&a, 0, &dma), 0x4051, "by DMA too");
    check_u32(t, qtest_readl(q, a.frames + 0x44) & 0xffffff, 103, "its sector");
    restart(&a);
    dma.opcode = 0x24;
    check_u32(t, ahci_run(&a, 0, &dma), 0x4051, "and by PIO");
    check_u32(t, qtest_readl(q, a.frames + 0x44) & 0xffffff, 103, "its sector");
    ahci_check_data(&a, a.data, 98, 5);
    restart(&a);

    fault(t, q, 200, 4, "crc", 1);
    check_u32(t, ahci_run(&a, 2, &w), 0x8441, "ICRC, ABRT");
    check_u32(t, ahci_port(&a, PORT_SERR) & SERR_DIAG_C, SERR_DIAG_C, "the link knows");
    restart(&a);
    ahci_run(&a, 0, &log);
    check_u32(t, ahci_run(&a, 2, &w), 0x40, "once only");

    fault(t, q, 200, 4, "timeout", 0);
    r = qmp_cmd_fmt(qtest_qmp(q), NULL, "x-query-ide-faults", "{'id': 'hd'}");
    check_u32(t, qlist_size(qobject_to_list(r)), 2, "two faults");
    qobject_unref(r);
    ahci_build(&a, 2, &w);
    ahci_set_port(&a, PORT_SACT, BIT(2));
    ahci_set_port(&a, PORT_CI, BIT(2));
    ahci_wait(&a, PORT_CI, ALL, 0, "accepted");
    c.lba = 300;
    ahci_build(&a, 1, &c);
    ahci_set_port(&a, PORT_SACT, BIT(1));
    ahci_set_port(&a, PORT_CI, BIT(1));
    ahci_wait(&a, PORT_SACT, BIT(1), 0, "another ends");
    check_u32(t, ahci_port(&a, PORT_SACT), BIT(2), "this one doesn't");
    qtest_reload(q);
    check_u32(t, ahci_port(&a, PORT_SACT), BIT(2), "nor after its state was saved and loaded");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "x-ide-clear-faults", qdict_from_fmt("{'id': 'hd'}"), NULL),
               "cleared");
    ahci_stop(&a);
    ahci_set_port(&a, PORT_SCTL, 1);
    ahci_set_port(&a, PORT_SCTL, 0);
    ahci_start(&a);
    check_u32(t, ahci_run(&a, 2, &w), 0x40, "after COMRESET it works again");
}

TEST(ncq, faults)
{
    faults(t, "");
}

TEST(ncq, faults_in_an_io_thread)
{
    faults(t, ",iothread=io");
}

/* ACS 4.16.1: a command that isn't queued ends the queue. */
TEST(ncq, flush_in_between)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    AhciCmd c = ahci_queued(&a, 1, false, 100, 8, a.data);

    ahci_start(&a);
    check_u32(t, ahci_run(&a, 1, &c), 0x40, "read");
    check_u32(t, ahci_run(&a, 2, &(AhciCmd){ .opcode = 0xea }), 0x50, "a flush after it");
    fault(t, q, 100, 1, "timeout", 0);
    ahci_build(&a, 1, &c);
    ahci_set_port(&a, PORT_SACT, BIT(1));
    ahci_set_port(&a, PORT_CI, BIT(1));
    ahci_wait(&a, PORT_CI, ALL, 0, "accepted");
    check_u32(t, ahci_run(&a, 2, &(AhciCmd){ .opcode = 0xea }), 0x451, "a flush while it runs");
    check_u32(t, ahci_port(&a, PORT_SACT), BIT(1), "it is lost");
}

/* ACS 7.27, 7.36, 7.41. */
TEST(ncq, other_queued_commands)
{
    QTest *q = ahci_disk_pc(t, "", ",discard=unmap", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    uint64_t ranges[64] = { 0 };
    AhciCmd c = ahci_queued(&a, 5, false, 0x13, 1, a.data);

    ahci_start(&a);
    c.opcode = 0x65;
    c.count |= 1 << 8;                          /* READ LOG DMA EXT */
    check_u32(t, ahci_run(&a, 5, &c), 0x40, "RECEIVE FPDMA QUEUED");
    check_u32(t, qtest_readl(q, a.data), 1, "log 13h: DATA SET MANAGEMENT can be sent");
    check_u32(t, ahci_run(&a, 6, &(AhciCmd){ .opcode = 0x63, .count = 6 << 3 }), 0x40, "ABORT NCQ QUEUE");

    store_le64(&ranges[0], 1024 | UINT64_C(64) << 48);
    qtest_write(q, a.data, ranges, sizeof(ranges));
    c = ahci_queued(&a, 7, true, UINT64_C(1) << 32, 1, a.data);
    c.opcode = 0x64;
    check_u32(t, ahci_run(&a, 7, &c), 0x40, "SEND FPDMA QUEUED: TRIM");
    c = ahci_queued(&a, 8, false, 1023, 66, a.data);
    check_u32(t, ahci_run(&a, 8, &c), 0x40, "read");
    ahci_check_data(&a, a.data, 1023, 1);
    ahci_check_data(&a, a.data + 65 * 512, 1088, 1);
    for (unsigned i = 512; i < 65 * 512; i += 512) {
        check_u32(t, qtest_readl(q, a.data + i), 0, "freed, and reads as zeros");
    }
    c.opcode = 0x63;
    c.feature = 9;
    check_u32(t, ahci_run(&a, 8, &c), 0x441, "no such subcommand");
}

/* What runs ends before the state is saved; what waits is run after it was loaded. */
TEST(ncq, state_in_the_middle)
{
    for (unsigned i = 0; i < 2; i++) {
        QTest *q = ahci_disk_pc(t, i ? ",iothread=io" : "", ",cache=none,aio=threads", "");
        AhciDriver a = ahci_find(t, q, BDF, 0);

        ahci_start(&a);
        for (unsigned s = 0; s < 32; s++) {
            AhciCmd c = ahci_queued(&a, s, false, 1000 + s * 8, 8, a.data + s * 4096);

            ahci_build(&a, s, &c);
        }
        ahci_set_port(&a, PORT_SACT, ALL);
        ahci_set_port(&a, PORT_CI, ALL);
        qtest_reload(q);
        ahci_wait(&a, PORT_CI, ALL, 0, "all accepted");
        ahci_wait(&a, PORT_SACT, ALL, 0, "all done");
        for (unsigned s = 0; s < 32; s++) {
            ahci_check_data(&a, a.data + s * 4096, 1000 + s * 8, 8);
        }
    }
}

/* The device-state view names the commands of a full list. */
TEST(ncq, shown_to_people)
{
    QTest *q = ahci_disk_pc(t, "", "", "");
    AhciDriver a = ahci_find(t, q, BDF, 0);
    unsigned busy = 0;
    char *text;

    ahci_start(&a);
    fault(t, q, 0, AHCI_SECTORS, "timeout", 0);
    for (unsigned s = 0; s < 32; s++) {
        AhciCmd c = ahci_queued(&a, s, s & 1, 1000 + s * 8, 8, a.data + s * 4096);

        ahci_build(&a, s, &c);
    }
    ahci_set_port(&a, PORT_SACT, ALL);
    ahci_set_port(&a, PORT_CI, ALL);
    ahci_wait(&a, PORT_CI, ALL, 0, "all accepted");
    text = qmp_hmp(qtest_qmp(q), "info device-state ahci0 --all", NULL);
    for (const char *p = text; p && (p = strstr(p, "in the drive's queue")); p++) {
        busy++;
    }
    check_u32(t, busy, 32, "commands that run");
    check_true(t, text && strstr(text, "WRITE FPDMA QUEUED"), "their names");
    free(text);
}
