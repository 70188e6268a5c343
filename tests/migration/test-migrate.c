/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Migration between two machines without CPUs that run: channels, commands, refusals. */
#include "util/osdep.h"
#include "tests/migration/move.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

TEST(migrate, unix_socket)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, PC "-incoming %s", uri), *here = qtest_start_qmp(t, PC);
    QDict *d;

    wait_run_state(t, there, "inmigrate");
    capability(t, here, "events");
    capability(t, there, "events");
    capability(t, here, "return-path");
    fill(here);
    migrate(t, here, uri);
    d = wait_status(t, here, "completed");
    check_true(t, qdict_int_or(d, "ram.total", 0) >= 32 << 20, "size of the RAM");
    check_true(t, qdict_int_or(d, "ram.duplicate", 0) > 1000, "pages of zeros");
    check_true(t, qdict_int_or(d, "ram.normal", 0) >= 16, "pages sent");
    check_int(t, qdict_int_or(d, "ram.remaining", -1), 0, "nothing remains");
    check_true(t, qdict_int_or(d, "downtime", -1) >= 0, "downtime");
    qobject_unref(d);
    for (QTest *q = here; ; q = there) {
        static const char *const states[2][3] = { { "setup", "active", "completed" },
                                                  { "active", "completed", NULL } };

        for (int i = 0; i < 3 && states[q == there][i]; i++) {
            QDict *e = qmp_wait_event(qtest_qmp(q), "MIGRATION", 10000, NULL);

            check_str(t, e ? qdict_str_or(e, "data.status", "") : "no event",
                      states[q == there][i], "events in order");
            qobject_unref(e);
        }
        if (q == there) {
            break;
        }
    }
    wait_run_state(t, here, "postmigrate");
    wait_run_state(t, there, "running");
    check(t, there);
    refused(t, here, "migrate", qdict_from_fmt("{'uri': %s}", uri), "previous migration");
}

TEST(migrate, tcp_socket_deferred)
{
    QTest *there = qtest_start_qmp(t, PC "-S -incoming defer"), *here = qtest_start_qmp(t, PC);
    g_autofree char *uri = NULL;
    QDict *d;

    refused(t, here, "migrate-incoming", qdict_from_fmt("{'uri': 'tcp:127.0.0.1:0'}"),
            "'-incoming' was not specified");
    run(t, there, "migrate-incoming", qdict_from_fmt("{'uri': 'tcp:127.0.0.1:0'}"));
    refused(t, there, "migrate-incoming", qdict_from_fmt("{'uri': 'tcp:127.0.0.1:0'}"),
            "already been started");
    refused(t, there, "migrate", qdict_from_fmt("{'uri': 'tcp:127.0.0.1:1'}"),
            "waiting for an incoming migration");
    d = query(there);
    uri = g_strdup_printf("tcp:127.0.0.1:%s", qdict_str_or(d, "socket-address[0].port", "0"));
    qobject_unref(d);
    capability(t, here, "xbzrle");
    fill(here);
    migrate(t, here, uri);
    expect_status(t, here, "completed");
    wait_run_state(t, there, "paused");         /* -S */
    run(t, there, "cont", NULL);
    wait_run_state(t, there, "running");
    check(t, there);
}

/* A machine that was stopped stays so. */
TEST(migrate, file_and_stopped)
{
    g_autofree char *path = path_of(t, "state"), *uri = g_strdup_printf("file:%s,offset=4096", path);
    QTest *here = qtest_start_qmp(t, PC), *there;

    fill(here);
    run(t, here, "stop", NULL);
    migrate(t, here, uri);
    expect_status(t, here, "completed");
    check_int(t, qtest_stop(here), 0, "it ends");
    there = qtest_start_qmp(t, PC "-incoming %s", uri);
    wait_run_state(t, there, "paused");
    check(t, there);
}

TEST(migrate, exec)
{
    g_autofree char *path = path_of(t, "state.gz"), *in = g_strdup_printf("exec:gzip -dc %s", path),
                    *out = g_strdup_printf("exec:gzip -c1 > %s", path);
    QTest *here = qtest_start_qmp(t, PC), *there;

    fill(here);
    migrate(t, here, "exec:exit 3");
    expect_status(t, here, "failed");
    wait_run_state(t, here, "running");
    migrate(t, here, out);
    expect_status(t, here, "completed");
    check_int(t, qtest_stop(here), 0, "it ends");
    there = qtest_start_qmp(t, PC "-incoming '%s'", in);
    wait_run_state(t, there, "running");
    check(t, there);
}

TEST(migrate, descriptor)
{
    g_autofree char *path = path_of(t, "state"), *uri = g_strdup_printf("file:%s", path);
    QTest *here = qtest_start_qmp(t, PC), *there;
    FILE *f = fopen(path, "w");
    QObject *o;

    fill(here);
    refused(t, here, "migrate", qdict_from_fmt("{'uri': 'fd:away'}"), "has not been found");
    o = qmp_cmd_fd(qtest_qmp(here), "getfd", qdict_from_fmt("{'fdname': 'away'}"), fileno(f), NULL);
    check_true(t, o, "getfd");
    qobject_unref(o);
    fclose(f);
    migrate(t, here, "fd:away");
    expect_status(t, here, "completed");
    there = qtest_start_qmp(t, PC "-incoming %s", uri);
    wait_run_state(t, there, "running");
    check(t, there);
}

/* After all of these the machine goes on. */
TEST(migrate, refusals)
{
    QTest *q = qtest_start_qmp(t, PC);

    refused(t, q, "migrate", qdict_from_fmt("{'uri': 'pigeon:home'}"), "unknown migration protocol");
    refused(t, q, "migrate", qdict_from_fmt("{'uri': 'file:x,offset=y'}"), "offset");
    refused(t, q, "migrate", qdict_from_fmt("{'uri': 'exec:true', 'blk': true}"), "disks");
    refused(t, q, "migrate-set-capabilities",
            qdict_from_fmt("{'capabilities': [{'capability': 'x-colo', 'state': true}]}"), "x-colo");
    refused(t, q, "migrate-set-parameters", qdict_from_fmt("{'multifd-channels': 0}"),
            "multifd-channels");
    refused(t, q, "migrate-set-parameters", qdict_from_fmt("{'xbzrle-cache-size': 5000}"),
            "power of two");
    refused(t, q, "migrate-continue", qdict_from_fmt("{'state': 'pre-switchover'}"), "state");
    run(t, q, "migrate_cancel", NULL);
    migrate(t, q, "tcp:127.0.0.1:1");
    expect_status(t, q, "failed");
    migrate(t, q, "file:/nowhere/at/all");
    expect_status(t, q, "failed");
    wait_run_state(t, q, "running");
}

TEST(migrate, cancelled_and_begun_again)
{
    g_autofree char *path = path_of(t, "state"), *uri = g_strdup_printf("file:%s", path);
    QTest *q = qtest_start_qmp(t, PC);

    fill(q);
    run(t, q, "migrate-set-parameters", qdict_from_fmt("{'max-bandwidth': 20000}"));
    migrate(t, q, uri);
    expect_status(t, q, "active");
    refused(t, q, "migrate", qdict_from_fmt("{'uri': %s}", uri), "in progress");
    refused(t, q, "migrate-set-capabilities",
            qdict_from_fmt("{'capabilities': [{'capability': 'events', 'state': true}]}"), "progress");
    run(t, q, "migrate_cancel", NULL);
    expect_status(t, q, "cancelled");
    wait_run_state(t, q, "running");
    run(t, q, "migrate-set-parameters", qdict_from_fmt("{'max-bandwidth': 0}"));
    capability(t, q, "pause-before-switchover");
    migrate(t, q, uri);
    expect_status(t, q, "pre-switchover");
    wait_run_state(t, q, "finish-migrate");
    run(t, q, "migrate_cancel", NULL);
    expect_status(t, q, "cancelled");
    wait_run_state(t, q, "running");
    migrate(t, q, uri);
    expect_status(t, q, "pre-switchover");
    refused(t, q, "cont", NULL, "not finalized");
    run(t, q, "migrate-continue", qdict_from_fmt("{'state': 'pre-switchover'}"));
    expect_status(t, q, "completed");
    wait_run_state(t, q, "postmigrate");
}

/* What a machine that differs says, and that it ends with status 1. */
static void differs(Test *t, const char *from, const char *to, const char *words)
{
    g_autofree char *path = path_of(t, "state"), *log = path_of(t, "log"), *line = NULL, *said = NULL;
    QTest *q = qtest_start_qmp(t, "%s", from);
    int status = 0;

    line = g_strdup_printf("/bin/sh -c \"%s -accel qtest -display none %s -incoming file:%s 2> %s\"",
                           test_qemu_bin(), to, path, log);
    run(t, q, "migrate", qdict_from_fmt("{'uri': %p}",
                                        (void *)qstring_from_printf("file:%s", path)));
    expect_status(t, q, "completed");
    qtest_stop(q);
    g_spawn_command_line_sync(line, NULL, NULL, &status, NULL);
    check_true(t, status, "it ends with an error");
    g_file_get_contents(log, &said, NULL, NULL);
    check_true(t, said && strstr(said, words), said ? said : "nothing said");
}

TEST(migrate, other_machines)
{
    differs(t, PC, "-machine none", "machine 'pc-i440fx-");
    differs(t, PC, PC "-smp 2", "1 CPUs, this has 2");
    differs(t, PC, "-machine pc -m 64 -nodefaults -vga none", "RAM block 'pc.ram' has 33554432");
    differs(t, PC "-device e1000,addr=5", PC, "'0000:00:05.0/e1000', which this machine doesn't");
    differs(t, PC, PC "-device e1000,addr=5", "no state of '0000:00:05.0/e1000'");
    differs(t, PC "-cpu max", PC, "max-x86_64-cpu");
}

/* --- disks that both sides open: each side finds what the other has written --- */

#define IDE     0x1f0

static void ready(QTest *q)
{
    while (qtest_inb(q, 0x3f6) & 0x80) {
    }
}

static uint8_t sector(QTest *q, bool write, unsigned lba, uint8_t byte)
{
    uint16_t w = (uint16_t)(byte << 8 | byte);

    qtest_outb(q, IDE + 6, 0xe0);
    qtest_outb(q, IDE + 2, 1);
    qtest_outb(q, IDE + 3, (uint8_t)lba);
    qtest_outb(q, IDE + 4, (uint8_t)(lba >> 8));
    qtest_outb(q, IDE + 5, 0);
    qtest_outb(q, IDE + 7, write ? 0x30 : 0x20);
    ready(q);
    for (int i = 0; i < 256; i++) {
        if (write) {
            qtest_outw(q, IDE, w);
        } else {
            w = qtest_inw(q, IDE);
        }
    }
    ready(q);
    return (uint8_t)w;
}

static void shared_disk(Test *t, const char *format)
{
    g_autofree char *path = path_of(t, "disk"), *sock = path_of(t, "m.sock"), *uri = NULL, *pc = NULL;
    g_autofree char *make = g_strdup_printf("qemu-img create -q -f %s %s 16M", format, path);
    QTest *here, *there;
    int status = -1;

    if (!g_spawn_command_line_sync(make, NULL, NULL, &status, NULL) || status) {
        test_skip(t, "qemu-img is not installed");
        return;
    }
    pc = g_strdup_printf(PC "-drive file=%s,format=%s,if=ide,index=0", path, format);
    uri = g_strdup_printf("unix:%s", sock);
    here = qtest_start_qmp(t, "%s", pc);
    for (unsigned round = 1; round < 5; round++) {
        there = qtest_start_qmp(t, "%s -incoming %s", pc, uri);
        for (unsigned i = 0; i < 8; i++) {
            sector(here, true, i * 1000 + round, (uint8_t)(16 * round + i));
        }
        /* A failure in the last moment: the source has its disk back. */
        if (round == 2) {
            capability(t, here, "pause-before-switchover");
            migrate(t, here, uri);
            expect_status(t, here, "pre-switchover");
            run(t, here, "migrate_cancel", NULL);
            expect_status(t, here, "cancelled");
            qtest_wait(there);
            sector(here, true, 4000, 0x77);
            there = qtest_start_qmp(t, "%s -incoming %s", pc, uri);
            run(t, here, "migrate-set-capabilities",
                qdict_from_fmt("{'capabilities': [{'capability': 'pause-before-switchover',"
                               " 'state': false}]}"));
        }
        capability(t, here, "return-path");
        migrate(t, here, uri);
        expect_status(t, here, "completed");
        wait_run_state(t, there, "running");
        for (unsigned i = 0; i < 8; i++) {
            check_u8(t, sector(there, false, i * 1000 + round, 0), (uint8_t)(16 * round + i),
                     "what the source has written");
        }
        check_int(t, qtest_stop(here), 0, "the source ends");
        here = there;
    }
    check_u8(t, sector(here, false, 4000, 0), 0x77, "what was written after the failure");
    check_int(t, qtest_stop(here), 0, "the last one ends");
    if (!strcmp(format, "qcow2")) {
        g_autofree char *look = g_strdup_printf("qemu-img check -q %s", path);

        g_spawn_command_line_sync(look, NULL, NULL, &status, NULL);
        check_int(t, status, 0, "qemu-img check");
    }
}

TEST(migrate, raw_disk)
{
    shared_disk(t, "raw");
}

TEST(migrate, qcow2_disk)
{
    shared_disk(t, "qcow2");
}

/* --- TLS --- */

TEST(migrate, tls)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, PC "-incoming defer -object tls-creds-anon,id=tls,endpoint=server");
    QTest *here = qtest_start_qmp(t, PC "-object tls-creds-anon,id=tls,endpoint=client");

    run(t, here, "migrate-set-parameters", qdict_from_fmt("{'tls-creds': 'nobody'}"));
    refused(t, here, "migrate", qdict_from_fmt("{'uri': %s}", uri), "nobody");
    run(t, here, "migrate-set-parameters", qdict_from_fmt("{'tls-creds': 'tls'}"));
    run(t, there, "migrate-set-parameters", qdict_from_fmt("{'tls-creds': 'tls'}"));
    run(t, there, "migrate-incoming", qdict_from_fmt("{'uri': %s}", uri));
    capability(t, here, "return-path");
    fill(here);
    migrate(t, here, uri);
    expect_status(t, here, "completed");
    wait_run_state(t, there, "running");
    check(t, there);
}

/* Who expects TLS takes nothing else. */
TEST(migrate, tls_on_one_side)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, PC "-incoming defer -object tls-creds-anon,id=tls,endpoint=server");
    QTest *here = qtest_start_qmp(t, PC);

    run(t, there, "migrate-set-parameters", qdict_from_fmt("{'tls-creds': 'tls'}"));
    run(t, there, "migrate-incoming", qdict_from_fmt("{'uri': %s}", uri));
    capability(t, here, "return-path");
    migrate(t, here, uri);
    check_int(t, qtest_wait(there), 1, "it gives up");
    expect_status(t, here, "failed");
    wait_run_state(t, here, "running");
}

/* --- multifd --- */

/* @on_there: parameters of the destination. */
static void by_multifd(Test *t, const char *method, const char *more)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, PC "-incoming defer %s%s", more, *more ? "server" : "");
    QTest *here = qtest_start_qmp(t, PC "%s%s", more, *more ? "client" : "");
    QTest *both[] = { here, there };
    QDict *d;

    for (unsigned i = 0; i < 2; i++) {
        capability(t, both[i], "multifd");
        run(t, both[i], "migrate-set-parameters", qdict_from_fmt("{'multifd-channels': 4}"));
        if (*more) {
            run(t, both[i], "migrate-set-parameters", qdict_from_fmt("{'tls-creds': 'tls'}"));
        }
    }
    run(t, here, "migrate-set-parameters", qdict_from_fmt("{'multifd-compression': %s}", method));
    run(t, there, "migrate-incoming", qdict_from_fmt("{'uri': %s}", uri));
    capability(t, here, "return-path");
    fill(here);
    migrate(t, here, uri);
    d = wait_status(t, here, "completed");
    check_true(t, qdict_int_or(d, "ram.multifd-bytes", 0) > 8192, "bytes of the connections");
    check_true(t, qdict_int_or(d, "ram.transferred", 0) > qdict_int_or(d, "ram.multifd-bytes", 0),
               "which isn't all");
    qobject_unref(d);
    wait_run_state(t, there, "running");
    check(t, there);
}

TEST(migrate, multifd)
{
    by_multifd(t, "none", "");
}

TEST(migrate, multifd_zlib)
{
    by_multifd(t, "zlib", "");
}

TEST(migrate, multifd_zstd)
{
    by_multifd(t, "zstd", "");
}

TEST(migrate, multifd_tls)
{
    by_multifd(t, "zstd", "-object tls-creds-anon,id=tls,endpoint=");
}

TEST(migrate, multifd_on_one_side)
{
    for (int side = 0; side < 2; side++) {
        g_autofree char *name = g_strdup_printf("m%d.sock", side), *path = path_of(t, name),
                        *uri = g_strdup_printf("unix:%s", path);
        QTest *there = qtest_start_qmp(t, PC "-incoming defer"), *here = qtest_start_qmp(t, PC);

        capability(t, side ? here : there, "multifd");
        run(t, there, "migrate-incoming", qdict_from_fmt("{'uri': %s}", uri));
        capability(t, here, "return-path");
        migrate(t, here, uri);
        expect_status(t, here, "failed");
        wait_run_state(t, here, "running");
        check_int(t, qtest_wait(there), 1, "the destination gives up");
    }
}

TEST(migrate, multifd_refusals)
{
    QTest *q = qtest_start_qmp(t, PC);

    capability(t, q, "multifd");
    refused(t, q, "migrate", qdict_from_fmt("{'uri': 'exec:true'}"), "several connections");
    refused(t, q, "migrate-set-capabilities",
            qdict_from_fmt("{'capabilities': [{'capability': 'postcopy-ram', 'state': true}]}"),
            "multifd");
    wait_run_state(t, q, "running");
}

/* --- network cards --- */

static int64_t frames_out(QTest *q)
{
    QObject *o = qmp_cmd(qtest_qmp(q), "x-query-network", NULL, NULL);
    int64_t n = o ? qdict_int_or(qobject_to_dict(qlist_get(qobject_to_list(o), 0)), "tx-packets", -1) : -1;

    qobject_unref(o);
    return n;
}

static void wait_frames(Test *t, QTest *q, int64_t n)
{
    while (frames_out(q) < n) {
        g_usleep(10000);
    }
    check_int(t, frames_out(q), n, "frames sent");
}

TEST(migrate, cards_are_announced)
{
    static const char *const cards[] = { "e1000", "rtl8139", "virtio-net-pci" };

    for (unsigned i = 0; i < ARRAY_SIZE(cards); i++) {
        g_autofree char *name = g_strdup_printf("state%u", i), *path = path_of(t, name),
                        *uri = g_strdup_printf("file:%s", path),
                        *pc = g_strdup_printf(PC "-netdev user,id=n -device %s,netdev=n,romfile=", cards[i]);
        QTest *here = qtest_start_qmp(t, "%s", pc), *there;

        run(t, here, "announce-self",
            qdict_from_fmt("{'initial': 1, 'max': 2, 'rounds': 3, 'step': 1}"));
        wait_frames(t, here, 3);
        run(t, here, "announce-self",
            qdict_from_fmt("{'initial': 1, 'max': 2, 'rounds': 3, 'step': 1, 'interfaces': ['x']}"));
        refused(t, here, "announce-self",
                qdict_from_fmt("{'initial': 1, 'max': 2, 'rounds': 5000, 'step': 1}"), "'rounds'");
        migrate(t, here, uri);
        expect_status(t, here, "completed");
        check_int(t, frames_out(here), 3, "no other card's name");
        check_int(t, qtest_stop(here), 0, "it ends");
        there = qtest_start_qmp(t, "%s -incoming %s", pc, uri);
        wait_run_state(t, there, "running");
        wait_frames(t, there, 5);
        check_int(t, qtest_stop(there), 0, "it ends");
    }
}

/*
 * The guest goes on, and writes to memory and registers; what is saved is as it was at the beginning. What it writes to is
 * saved first, however slowly the rest goes.
 */
static void in_background(Test *t, const char *pc)
{
    g_autofree char *path = path_of(t, "state"), *uri = g_strdup_printf("file:%s", path);
    QTest *here = qtest_start_qmp(t, "%s", pc), *there;

    fill(here);
    refused(t, here, "migrate-set-capabilities",
            qdict_from_fmt("{'capabilities': [{'capability': 'background-snapshot', 'state': true},"
                           " {'capability': 'multifd', 'state': true}]}"), "not compatible with multifd");
    capability(t, here, "background-snapshot");
    run(t, here, "migrate-set-parameters", qdict_from_fmt("{'max-bandwidth': 20000}"));
    migrate(t, here, uri);
    expect_status(t, here, "active");
    wait_run_state(t, here, "running");
    for (unsigned i = 0; i < 16; i++) {
        qtest_memset(here, PLACE + i * 4096, 0xaa, 4096);
    }
    qtest_outb(here, 0x70, 0x30);
    qtest_outb(here, 0x71, 0xaa);
    check_u8(t, qtest_readb(here, PLACE), 0xaa, "it has what it has written");
    run(t, here, "migrate_cancel", NULL);
    expect_status(t, here, "cancelled");
    wait_run_state(t, here, "running");
    fill(here);
    migrate(t, here, uri);
    expect_status(t, here, "active");
    for (unsigned i = 0; i < 16; i++) {
        qtest_memset(here, PLACE + i * 4096, 0x55, 4096);
    }
    qtest_outb(here, 0x70, 0x30);
    qtest_outb(here, 0x71, 0x55);
    run(t, here, "migrate-set-parameters", qdict_from_fmt("{'max-bandwidth': 0}"));
    expect_status(t, here, "completed");
    wait_run_state(t, here, "running");
    check_u8(t, qtest_readb(here, PLACE), 0x55, "it goes on");
    there = qtest_start_qmp(t, "%s -incoming %s", pc, uri);
    wait_run_state(t, there, "running");
    check(t, there);
}

TEST(migrate, background_snapshot)
{
    if (access("/proc/sys/vm/unprivileged_userfaultfd", F_OK) || geteuid()) {
        test_skip(t, "userfaultfd is for root here");
        return;
    }
    in_background(t, PC);
    in_background(t, PC "-object memory-backend-memfd,id=m,size=32M,share=on -machine memory-backend=m ");
}

/* Typed before the guest has arrived: the serial port is full, and isn't any more when the guest's state is there. */
TEST(migrate, typed_too_early)
{
    g_autofree char *path = path_of(t, "m.sock"), *line = path_of(t, "line"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, PC "-incoming %s -chardev socket,id=c,path=%s,server=on,wait=off -serial chardev:c", uri,
                                   line);
    QTest *here = qtest_start_qmp(t, PC "-serial null");
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(at.sun_path, line, sizeof(at.sun_path));
    check_true(t, fd >= 0 && !connect(fd, (struct sockaddr *)&at, sizeof(at)) && write(fd, "abc", 3) == 3, "typed");
    while (!(qtest_inb(there, 0x3fd) & 1)) {
    }
    migrate(t, here, uri);
    expect_status(t, here, "completed");
    wait_run_state(t, there, "running");
    while (!(qtest_inb(there, 0x3fd) & 1)) {
    }
    check_u8(t, qtest_inb(there, 0x3f8), 'b', "what wasn't taken yet");
    close(fd);
}
