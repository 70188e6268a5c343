/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty bitmaps of disks go with the machine. */
#include "util/osdep.h"
#include "tests/migration/move.h"

/* A disk of 16 MiB; the destination's is a copy, or the same file. */
static char *image(Test *t, const char *name, const char *format)
{
    g_autofree char *path = path_of(t, name);
    g_autofree char *make = g_strdup_printf("%s/qemu-img create -q -f %s %s 16M", g_getenv("BUILD_DIR") ?: ".",
                                            format, path);
    int status = -1;

    g_spawn_command_line_sync(make, NULL, NULL, &status, NULL);
    check_int(t, status, 0, "qemu-img create");
    return g_steal_pointer(&path);
}

/* A machine with the disk as node "disk", drive "d0", and a connection for its guest's writes. */
static QTest *machine(Test *t, const char *path, const char *format, const char *incoming)
{
    return qtest_start_qmp(t, PC "-drive if=none,id=d0,file=%s,format=%s,node-name=disk -device ide-hd,drive=d0 %s%s",
                           path, format, incoming ? "-incoming " : "", incoming ? incoming : "");
}

/* The guest writes one sector. */
static void write_sector(QTest *q, unsigned lba)
{
    qtest_outb(q, 0x1f6, 0xe0);
    qtest_outb(q, 0x1f2, 1);
    qtest_outb(q, 0x1f3, (uint8_t)lba);
    qtest_outb(q, 0x1f4, (uint8_t)(lba >> 8));
    qtest_outb(q, 0x1f5, (uint8_t)(lba >> 16));
    qtest_outb(q, 0x1f7, 0x30);
    while (qtest_inb(q, 0x3f6) & 0x80) {
    }
    for (int i = 0; i < 256; i++) {
        qtest_outw(q, 0x1f0, 0x5aa5);
    }
    while (qtest_inb(q, 0x3f6) & 0x80) {
    }
}

static void add(Test *t, QTest *q, const char *name, const char *more)
{
    g_autofree char *fmt = g_strdup_printf("{'node': 'disk', 'name': %%s%s}", more);

    run(t, q, "block-dirty-bitmap-add", qdict_from_fmt(fmt, name));
}

/* A reference to what query-named-block-nodes tells of the bitmap; NULL: there is none. */
static QDict *info(QTest *q, const char *name)
{
    QObject *nodes = qmp_cmd(qtest_qmp(q), "query-named-block-nodes", NULL, NULL);
    QDict *found = NULL;

    QLIST_FOR_EACH(n, qobject_to_list(nodes)) {
        const QList *bitmaps = qobject_to_list(qdict_get(qobject_to_dict(n), "dirty-bitmaps"));

        if (strcmp(qdict_str_or(qobject_to_dict(n), "node-name", ""), "disk") || !bitmaps) {
            continue;
        }
        QLIST_FOR_EACH(b, bitmaps) {
            if (!strcmp(qdict_str_or(qobject_to_dict(b), "name", ""), name)) {
                found = qobject_to_dict(qobject_copy(b));
            }
        }
    }
    qobject_unref(nodes);
    return found;
}

static void expect(Test *t, QTest *q, const char *name, int64_t count, int64_t granularity, bool recording,
                   bool persistent)
{
    QDict *d = info(q, name);

    if (!check_true(t, d, name)) {
        return;
    }
    check_int(t, qdict_int_or(d, "count", -1), count, name);
    check_int(t, qdict_int_or(d, "granularity", -1), granularity, "granularity");
    check_true(t, qdict_bool_or(d, "recording", false) == recording, "recording");
    check_true(t, qdict_bool_or(d, "persistent", false) == persistent, "persistent");
    check_true(t, !qdict_bool_or(d, "inconsistent", false), "consistent");
    qobject_unref(d);
}

static void move_it(Test *t, QTest *here, QTest *there, const char *uri)
{
    capability(t, here, "dirty-bitmaps");
    capability(t, there, "dirty-bitmaps");
    run(t, there, "migrate-incoming", qdict_from_fmt("{'uri': %s}", uri));
    migrate(t, here, uri);
    expect_status(t, here, "completed");
    wait_run_state(t, there, "running");
}

/* Marks, granularity, and whether writes are recorded, on another image than the source's. */
TEST(bitmaps, to_another_image)
{
    g_autofree char *from = image(t, "from", "raw"), *to = image(t, "to", "raw"), *sock = path_of(t, "m.sock"),
                    *uri = g_strdup_printf("unix:%s", sock);
    QTest *here = machine(t, from, "raw", NULL), *there = machine(t, to, "raw", "defer");

    add(t, here, "fine", ", 'granularity': 512");
    add(t, here, "coarse", ", 'granularity': 65536");
    add(t, here, "none", "");
    write_sector(here, 0);
    write_sector(here, 8191);
    write_sector(here, 32767);
    add(t, here, "late", ", 'granularity': 512");
    run(t, here, "block-dirty-bitmap-disable", qdict_from_fmt("{'node': 'disk', 'name': 'coarse'}"));
    run(t, here, "block-dirty-bitmap-clear", qdict_from_fmt("{'node': 'disk', 'name': 'none'}"));
    move_it(t, here, there, uri);
    expect(t, there, "fine", 3 * 512, 512, true, false);
    expect(t, there, "coarse", 3 * 65536, 65536, false, false);
    expect(t, there, "none", 0, 65536, true, false);
    write_sector(there, 100);
    expect(t, there, "fine", 4 * 512, 512, true, false);
    expect(t, there, "coarse", 3 * 65536, 65536, false, false);
    expect(t, there, "late", 512, 512, true, false);
}

/* Both sides open one image that keeps the bitmap; at last it is in the image once, and right. */
TEST(bitmaps, in_an_image_that_both_open)
{
    g_autofree char *path = image(t, "disk", "qcow2"), *sock = path_of(t, "m.sock"),
                    *uri = g_strdup_printf("unix:%s", sock);
    QTest *here = machine(t, path, "qcow2", NULL), *there = machine(t, path, "qcow2", "defer");

    add(t, here, "kept", ", 'granularity': 65536, 'persistent': true");
    write_sector(here, 1000);
    move_it(t, here, there, uri);
    expect(t, there, "kept", 65536, 65536, true, true);
    write_sector(there, 20000);
    check_int(t, qtest_stop(here), 0, "the source ends");
    check_int(t, qtest_stop(there), 0, "the destination ends");
    here = machine(t, path, "qcow2", NULL);
    expect(t, here, "kept", 2 * 65536, 65536, true, true);
}

/* The mapping leaves out, renames, and makes one persistent. */
TEST(bitmaps, mapping)
{
    g_autofree char *from = image(t, "from", "raw"), *to = image(t, "to", "qcow2"), *sock = path_of(t, "m.sock"),
                    *uri = g_strdup_printf("unix:%s", sock);
    QTest *here = machine(t, from, "raw", NULL), *there = machine(t, to, "qcow2", "defer");

    add(t, here, "one", ", 'granularity': 65536");
    add(t, here, "two", "");
    write_sector(here, 5);
    refused(t, here, "migrate-set-parameters", qdict_from_fmt(
        "{'block-bitmap-mapping': [{'node-name': 'disk', 'alias': 'a', 'bitmaps': ["
        "{'name': 'one', 'alias': 'x'}, {'name': 'two', 'alias': 'x'}]}]}"), "'x' is given twice");
    refused(t, here, "migrate-set-parameters", qdict_from_fmt(
        "{'block-bitmap-mapping': [{'node-name': 'disk', 'alias': '', 'bitmaps': []}]}"), "accepted: 1 to 255");
    run(t, here, "migrate-set-parameters", qdict_from_fmt(
        "{'block-bitmap-mapping': [{'node-name': 'disk', 'alias': 'a', 'bitmaps': ["
        "{'name': 'one', 'alias': 'x'}]}]}"));
    run(t, there, "migrate-set-parameters", qdict_from_fmt(
        "{'block-bitmap-mapping': [{'node-name': 'disk', 'alias': 'a', 'bitmaps': ["
        "{'name': 'uno', 'alias': 'x', 'transform': {'persistent': true}}]}]}"));
    move_it(t, here, there, uri);
    expect(t, there, "uno", 65536, 65536, true, true);
    check_true(t, !info(there, "two") && !info(there, "one"), "the others stay");
}

/* What the destination can't take is named, and ends it; the source goes on. */
static void fails(Test *t, const char *bitmap, const char *destination, bool capable, const char *words)
{
    g_autofree char *from = image(t, "from", "raw"), *to = image(t, "to", "raw"), *sock = path_of(t, "m.sock"),
                    *uri = g_strdup_printf("unix:%s", sock);
    g_autofree char *args = g_strdup_printf(destination, to);
    QTest *here = machine(t, from, "raw", NULL), *there = qtest_start_qmp(t, PC "%s -incoming defer", args);
    QDict *d;

    add(t, here, "one", bitmap);
    capability(t, here, "dirty-bitmaps");
    capability(t, here, "return-path");
    if (capable) {
        capability(t, there, "dirty-bitmaps");
    }
    run(t, there, "migrate-incoming", qdict_from_fmt("{'uri': %s}", uri));
    migrate(t, here, uri);
    d = wait_status(t, here, "failed");
    check_true(t, strstr(qdict_str_or(d, "error-desc", ""), words), qdict_str_or(d, "error-desc", "?"));
    qobject_unref(d);
    check_int(t, qtest_wait(there), 1, "the destination ends");
    wait_run_state(t, here, "running");
    write_sector(here, 7);
    expect(t, here, "one", 65536, 65536, true, false);
}

TEST(bitmaps, no_such_node)
{
    fails(t, ", 'granularity': 65536", "-drive if=none,id=dX,file=%s,format=raw,node-name=diskX -device ide-hd,drive=dX",
          true, "a bitmap 'one' of node 'd0', which isn't here");
}

TEST(bitmaps, without_the_capability)
{
    fails(t, ", 'granularity': 65536", "-drive if=none,id=d0,file=%s,format=raw,node-name=disk -device ide-hd,drive=d0",
          false, "the stream has dirty bitmaps of disks");
}

/* A bitmap that a job uses: the source says so, and goes on. */
TEST(bitmaps, that_is_in_use)
{
    g_autofree char *from = image(t, "from", "raw"), *to = image(t, "to", "raw"), *file = path_of(t, "stream"),
                    *uri = g_strdup_printf("file:%s", file);
    QTest *here = machine(t, from, "raw", NULL);
    QDict *d;

    add(t, here, "one", ", 'granularity': 65536");
    write_sector(here, 0);
    run(t, here, "blockdev-add", qdict_from_fmt(
        "{'driver': 'raw', 'node-name': 'target', 'file': {'driver': 'file', 'filename': %s}}", to));
    run(t, here, "blockdev-backup", qdict_from_fmt(
        "{'job-id': 'j', 'device': 'disk', 'target': 'target', 'sync': 'bitmap', 'bitmap': 'one',"
        " 'bitmap-mode': 'always', 'speed': 1, 'auto-finalize': false}"));
    capability(t, here, "dirty-bitmaps");
    migrate(t, here, uri);
    d = wait_status(t, here, "failed");
    check_true(t, strstr(qdict_str_or(d, "error-desc", ""), "Bitmap 'one' is currently in use"),
               qdict_str_or(d, "error-desc", "?"));
    qobject_unref(d);
    wait_run_state(t, here, "running");
}
