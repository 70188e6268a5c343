/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-scsi with its request queues in the main loop and in an I/O thread: commands, task management, units that come and go. */
#include "util/osdep.h"
#include "tests/hw/virtio/virtio-pc.h"

#include <glib.h>
#include "libqmp/qmp-client.h"

#define BAR     0xfe000000u
#define RINGS   0x100000u
#define OUT     0x200000u       /* of command n: + n * 0x10000 */
#define IN      0x208000u
#define TMF     0x300000u
#define RESP    108             /* before the data */
#define BLOCKS  2048

/* The queues: 0 task management, 1 events, 2 requests. */
typedef struct Scsi {
    Test *t;
    QTest *q;
    Vdev d;
    uint16_t avail[3], used[3];
} Scsi;

static uint8_t byte_of(unsigned at)
{
    return at / 512 + at * 3;
}

static void start(Scsi *s, Test *t, const char *props, const char *more)
{
    g_autofree char *path = g_strdup_printf("%s/disk.img", test_tmpdir(t));
    g_autofree uint8_t *data = g_malloc(BLOCKS * 512);

    for (unsigned i = 0; i < BLOCKS * 512; i++) {
        data[i] = byte_of(i);
    }
    check_true(t, g_file_set_contents(path, (char *)data, BLOCKS * 512, NULL), "the image");
    *s = (Scsi){ .t = t };
    s->q = qtest_start_qmp(t, "-machine pc -m 32 -nodefaults -object iothread,id=io"
                           " -blockdev file,filename=%s,node-name=f -blockdev raw,file=f,node-name=d"
                           " -device virtio-scsi-pci,id=s,addr=4%s -device scsi-hd,drive=d,bus=s.0,scsi-id=3,lun=0,id=hd"
                           " %s", path, props, more);
    vdev_find(&s->d, s->q, 4 << 3, BAR, RINGS);
    vdev_start(&s->d, F_VERSION_1, 3);
    check_u8(t, vdev_get_status(&s->d), 15, "the device runs");
}

static void offer(Scsi *s, unsigned queue, uint16_t head)
{
    s->d.avail = s->avail[queue];
    vdev_offer(&s->d, queue, head);
    s->avail[queue] = s->d.avail;
}

static int64_t wait_used(Scsi *s, unsigned queue)
{
    int64_t len;

    s->d.used = s->used[queue];
    len = vdev_wait(&s->d, queue);
    s->used[queue] = s->d.used;
    check_true(s->t, len >= 0, "an answer");
    return len;
}

/* Command @n, with tag n + 1, of a 10-byte CDB at @target: @out or @in bytes of data. */
static void command(Scsi *s, unsigned n, uint8_t target, uint8_t op, uint32_t lba, uint16_t count, uint32_t out, uint32_t in)
{
    uint64_t req = OUT + n * 0x10000, resp = IN + n * 0x10000, table = s->d.rings + 0x2000;

    qtest_memset(s->q, req, 0, 51);
    qtest_memset(s->q, resp, 0xee, RESP);
    qtest_writeb(s->q, req, 1);
    qtest_writeb(s->q, req + 1, target);
    qtest_writeq(s->q, req + 8, n + 1);
    qtest_writeb(s->q, req + 19, op);
    for (unsigned i = 0; i < 4; i++) {
        qtest_writeb(s->q, req + 21 + i, (uint8_t)(lba >> (24 - 8 * i)));
    }
    qtest_writeb(s->q, req + 26, (uint8_t)(count >> 8));
    qtest_writeb(s->q, req + 27, (uint8_t)count);
    put_desc(&s->d, table, 2 * n, req, 51 + out, D_NEXT, (uint16_t)(2 * n + 1));
    put_desc(&s->d, table, 2 * n + 1, resp, RESP + in, D_WRITE, 0);
    offer(s, 2, (uint16_t)(2 * n));
}

static void qmp(Scsi *s, const char *name, QDict *args)
{
    Error *err = NULL;

    if (!qmp_cmd_ok(qtest_qmp(s->q), name, args, &err)) {
        test_fail(s->t, "%s: %s", name, error_message(err));
        error_free(err);
    }
}

static uint8_t response(Scsi *s, unsigned n)
{
    return qtest_readb(s->q, IN + n * 0x10000 + 11);
}

static uint8_t status(Scsi *s, unsigned n)
{
    return qtest_readb(s->q, IN + n * 0x10000 + 10);
}

/* Done by itself, with response OK; its status. */
static uint8_t run(Scsi *s, uint8_t op, uint32_t lba, uint16_t count, uint32_t out, uint32_t in)
{
    command(s, 0, 3, op, lba, count, out, in);
    wait_used(s, 2);
    check_u8(s->t, response(s, 0), 0, "OK");
    return status(s, 0);
}

/* The first command finds the unit attention of the reset. */
static void take_attention(Scsi *s)
{
    check_u8(s->t, run(s, 0, 0, 0, 0, 0), 2, "CHECK CONDITION");
    check_u8(s->t, qtest_readb(s->q, IN + 12 + 2), 6, "UNIT ATTENTION");
}

static void io(Test *t, const char *props)
{
    Scsi s;

    start(&s, t, props, "");
    take_attention(&s);
    check_u8(t, run(&s, 0x28, 5, 2, 0, 1024), 0, "READ(10)");
    for (unsigned i = 0; i < 1024; i += 93) {
        check_u8(t, qtest_readb(s.q, IN + RESP + i), byte_of(5 * 512 + i), "its data");
    }
    qtest_memset(s.q, OUT + 51, 0x5a, 512);
    check_u8(t, run(&s, 0x2a, 9, 1, 512, 0), 0, "WRITE(10)");
    check_u8(t, run(&s, 0x35, 0, 0, 0, 0), 0, "SYNCHRONIZE CACHE");
    check_u8(t, run(&s, 0x28, 9, 1, 0, 512), 0, "read again");
    check_u8(t, qtest_readb(s.q, IN + RESP + 511), 0x5a, "what was written");
    check_u8(t, run(&s, 0x28, BLOCKS, 1, 0, 512), 2, "beyond the end: CHECK CONDITION");
    check_u8(t, run(&s, 0x25, 0, 0, 0, 8), 0, "READ CAPACITY");
    check_u8(t, qtest_readb(s.q, IN + RESP + 3), (BLOCKS - 1) & 0xff, "the last block");
    command(&s, 0, 4, 0x28, 0, 1, 0, 512);
    wait_used(&s, 2);
    check_u8(t, response(&s, 0), 3, "BAD_TARGET");
}

TEST(virtio_scsi, io)
{
    io(t, "");
}

TEST(virtio_scsi, io_in_an_io_thread)
{
    io(t, ",iothread=io");
}

/* V 5.6.6.2, in queue 0; its response. */
static uint8_t task_management(Scsi *s, uint32_t subtype, uint64_t tag)
{
    qtest_memset(s->q, TMF, 0, 0x40);
    qtest_writel(s->q, TMF + 4, subtype);
    qtest_writeb(s->q, TMF + 8, 1);
    qtest_writeb(s->q, TMF + 9, 2);
    qtest_writeq(s->q, TMF + 16, tag);
    qtest_writeb(s->q, TMF + 0x20, 0xee);
    put_desc(&s->d, s->d.rings, 0, TMF, 24, D_NEXT, 1);
    put_desc(&s->d, s->d.rings, 1, TMF + 0x20, 1, D_WRITE, 0);
    offer(s, 0, 0);
    wait_used(s, 0);
    return qtest_readb(s->q, TMF + 0x20);
}

enum { ABORT_TASK = 0, ABORT_TASK_SET = 1, RESET_UNIT = 5, QUERY_TASK = 6, QUERY_TASK_SET = 7 };

/* A disk whose reads take half a second: what is cancelled is told so, and nothing is lost. */
static void manage(Test *t, const char *props)
{
    Scsi s;

    start(&s, t, props, "-blockdev null-co,node-name=slow,size=1M,latency-ns=500000000"
                        " -device scsi-hd,drive=slow,bus=s.0,scsi-id=2,lun=0");
    command(&s, 0, 2, 0, 0, 0, 0, 0);
    wait_used(&s, 2);
    check_u8(t, task_management(&s, QUERY_TASK_SET, 0), 0, "nothing to be done");
    for (unsigned n = 0; n < 3; n++) {
        command(&s, n, 2, 0x28, n, 1, 0, 512);
    }
    /* It may not have looked into its queue yet. */
    while (task_management(&s, QUERY_TASK, 3) == 0 && response(&s, 2) == 0xee) {
    }
    check_u8(t, task_management(&s, QUERY_TASK, 99), 0, "a task that isn't there");
    check_u8(t, task_management(&s, ABORT_TASK, 2), 0, "one is aborted");
    for (unsigned n = 0; n < 3; n++) {
        wait_used(&s, 2);
    }
    check_u8(t, response(&s, 0), 0, "the first is done");
    check_u8(t, response(&s, 1), 2, "the second is told to be aborted");
    check_u8(t, response(&s, 2), 0, "the third is done");
    for (unsigned n = 0; n < 3; n++) {
        command(&s, n, 2, 0x28, n, 1, 0, 512);
    }
    while (task_management(&s, QUERY_TASK, 3) == 0 && response(&s, 2) == 0xee) {
    }
    check_u8(t, task_management(&s, RESET_UNIT, 0), 0, "a reset");
    for (unsigned n = 0; n < 3; n++) {
        wait_used(&s, 2);
        check_u8(t, response(&s, n), 4, "it is told to all of them");
    }
    command(&s, 0, 2, 0, 0, 0, 0, 0);
    wait_used(&s, 2);
    check_u8(t, status(&s, 0), 2, "then there is a unit attention");
    command(&s, 0, 2, 0x28, 0, 1, 0, 512);
    wait_used(&s, 2);
    check_u8(t, status(&s, 0), 0, "and the unit works");
}

TEST(virtio_scsi, task_management)
{
    manage(t, "");
}

TEST(virtio_scsi, task_management_in_an_io_thread)
{
    manage(t, ",iothread=io");
}

/* Reset with commands in flight; saved and loaded; a unit is pulled out. */
static void life(Test *t, const char *props)
{
    Scsi s;

    start(&s, t, props, "-blockdev null-co,node-name=slow,size=1M,latency-ns=100000000"
                        " -device scsi-hd,drive=slow,bus=s.0,scsi-id=2,lun=0");
    take_attention(&s);
    for (unsigned i = 0; i < 3; i++) {
        command(&s, 0, 2, 0x28, 0, 1, 0, 512);
        command(&s, 1, 3, 0x28, 0, 1, 0, 512);
        vdev_start(&s.d, F_VERSION_1, 3);
        memset(s.avail, 0, sizeof(s.avail));
        memset(s.used, 0, sizeof(s.used));
        check_u8(t, vdev_get_status(&s.d), 15, "it begins anew");
        check_int(t, qtest_readw(s.q, RINGS + 0x2000 + 0x802), 0, "nothing comes of what was before");
    }
    take_attention(&s);
    /* Not notified of yet: it is found after loading. */
    command(&s, 0, 3, 0x28, 5, 1, 0, 512);
    qtest_reload(s.q);
    vdev_kick(&s.d, 2);
    wait_used(&s, 2);
    check_u8(t, qtest_readb(s.q, IN + RESP), byte_of(5 * 512), "data after loading");
    command(&s, 0, 2, 0x28, 0, 1, 0, 512);
    command(&s, 1, 3, 0x28, 7, 1, 0, 512);
    qmp(&s, "device_del", qdict_from_fmt("{'id': 'hd'}"));
    wait_used(&s, 2);
    wait_used(&s, 2);
    check_u8(t, response(&s, 0), 0, "another unit's command is done");
    command(&s, 1, 3, 0x28, 7, 1, 0, 512);
    wait_used(&s, 2);
    check_u8(t, response(&s, 1), 3, "BAD_TARGET: it has gone");
    qmp(&s, "device_add", qdict_from_fmt("{'driver': 'scsi-hd', 'drive': 'd', 'bus': 's.0', 'scsi-id': 3, 'lun': 0}"));
    take_attention(&s);
    check_u8(t, run(&s, 0x28, 6, 1, 0, 512), 0, "it is back");
    check_u8(t, qtest_readb(s.q, IN + RESP), byte_of(6 * 512), "with its data");
}

TEST(virtio_scsi, life)
{
    life(t, "");
}

TEST(virtio_scsi, life_in_an_io_thread)
{
    life(t, ",iothread=io");
}

/* A CD drive in an I/O thread: media and tray are the main loop's. */
TEST(virtio_scsi, cd_in_an_io_thread)
{
    Scsi s;

    start(&s, t, ",iothread=io", "-blockdev null-co,node-name=m,size=1M,read-only=on,read-zeroes=on"
                                 " -device scsi-cd,id=cd,bus=s.0,scsi-id=2,lun=0");
    command(&s, 0, 2, 0, 0, 0, 0, 0);
    wait_used(&s, 2);
    command(&s, 0, 2, 0x28, 0, 1, 0, 2048);
    wait_used(&s, 2);
    check_u8(t, status(&s, 0), 2, "no medium");
    qmp(&s, "blockdev-open-tray", qdict_from_fmt("{'id': 'cd'}"));
    qmp(&s, "blockdev-insert-medium", qdict_from_fmt("{'id': 'cd', 'node-name': 'm'}"));
    qmp(&s, "blockdev-close-tray", qdict_from_fmt("{'id': 'cd'}"));
    command(&s, 0, 2, 0, 0, 0, 0, 0);
    wait_used(&s, 2);
    check_u8(t, qtest_readb(s.q, IN + 12 + 12), 0x28, "it may have changed");
    command(&s, 0, 2, 0x28, 0, 1, 0, 2048);
    wait_used(&s, 2);
    check_u8(t, status(&s, 0), 0, "it is read");
    qmp(&s, "device_del", qdict_from_fmt("{'id': 's'}"));
    check_true(t, qmp_cmd_ok(qtest_qmp(s.q), "query-iothreads", NULL, NULL), "and nothing waits for ever");
}
