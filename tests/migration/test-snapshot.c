/* SPDX-License-Identifier: GPL-2.0-or-later */
/* savevm, loadvm, delvm, info snapshots, -loadvm: memory, devices and disks together. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#include <glib.h>

#define IDE     0x1f0
#define PLACE   0x200000u

/* An empty qcow2 image, made with the tool of the distribution; NULL: there is none. */
static char *image(Test *t, const char *name)
{
    g_autofree char *tool = g_find_program_in_path("qemu-img"), *line = NULL;
    char *path = g_strdup_printf("%s/%s", test_tmpdir(t), name);
    int status = -1;

    line = g_strdup_printf("qemu-img create -q -f qcow2 %s 16M", path);
    if (!tool || !g_spawn_command_line_sync(line, NULL, NULL, &status, NULL) || status) {
        g_free(path);
        test_skip(t, "qemu-img is not installed");
        return NULL;
    }
    return path;
}

/* One sector of the first disk by PIO. */
static void sector(QTest *q, bool write, uint8_t byte, uint8_t *out)
{
    qtest_outb(q, IDE + 6, 0xe0);
    qtest_outb(q, IDE + 2, 1);
    qtest_outb(q, IDE + 3, 5);
    qtest_outb(q, IDE + 4, 0);
    qtest_outb(q, IDE + 5, 0);
    qtest_outb(q, IDE + 7, write ? 0x30 : 0x20);
    while (qtest_inb(q, 0x3f6) & 0x80) {
    }
    for (int i = 0; i < 256; i++) {
        uint16_t w = (uint16_t)(byte << 8 | byte);

        if (write) {
            qtest_outw(q, IDE, w);
        } else {
            w = qtest_inw(q, IDE);
        }
        *out = w & 0xff;
    }
    while (qtest_inb(q, 0x3f6) & 0x80) {
    }
}

static char *hmp(Test *t, QTest *q, const char *line)
{
    Error *err = NULL;
    char *text = qmp_hmp(qtest_qmp(q), line, &err);

    if (err) {
        test_fail(t, "%s: %s", line, error_message(err));
        error_free(err);
    }
    return text ? text : strdup("");
}

static void expect(Test *t, QTest *q, const char *line, const char *what)
{
    char *text = hmp(t, q, line);

    check_true(t, *what ? strstr(text, what) != NULL : !*text, text);
    free(text);
}

static void put(QTest *q, uint8_t v)
{
    uint8_t last;

    qtest_memset(q, PLACE, v, 3 * 4096);
    qtest_outb(q, 0x70, 0x30);
    qtest_outb(q, 0x71, v);
    sector(q, true, v, &last);
}

static void check(Test *t, QTest *q, uint8_t v)
{
    uint8_t last = 0;

    check_u8(t, qtest_readb(q, PLACE + 2 * 4096), v, "memory");
    qtest_outb(q, 0x70, 0x30);
    check_u8(t, qtest_inb(q, 0x71), v, "a device's register");
    sector(q, false, 0, &last);
    check_u8(t, last, v, "the disk");
}

#define DISK    "-drive file=%s,format=qcow2,if=ide,index=0"
#define PC      "-machine pc -m 16 -nodefaults -vga none "

/* Monitors are served while images are read: until that is over. */
static void wait_running(Test *t, QTest *q)
{
    for (;;) {
        QObject *o = qmp_cmd(qtest_qmp(q), "query-status", NULL, NULL);
        bool gone = !o;
        bool running = o && qdict_bool_or(qobject_to_dict(o), "running", false);

        qobject_unref(o);
        if (running) {
            return;
        }
        if (gone) {
            test_fail(t, "it does not run: nobody answers");
            return;
        }
        g_usleep(10000);
    }
}

TEST(snapshot, saves_and_loads)
{
    g_autofree char *path = image(t, "a.qcow2");
    QTest *q;

    if (!path) {
        return;
    }
    q = qtest_start_qmp(t, PC DISK, path);
    expect(t, q, "info snapshots", "There is no snapshot available");
    put(q, 0x11);
    expect(t, q, "savevm one", "");
    put(q, 0x22);
    expect(t, q, "savevm two", "");
    put(q, 0x33);
    expect(t, q, "info snapshots", "one");
    expect(t, q, "info snapshots", "two");
    expect(t, q, "loadvm one", "");
    check(t, q, 0x11);
    expect(t, q, "loadvm two", "");
    check(t, q, 0x22);
    put(q, 0x44);
    expect(t, q, "savevm one", "");             /* replaces */
    expect(t, q, "loadvm two", "");
    expect(t, q, "loadvm one", "");
    check(t, q, 0x44);
    expect(t, q, "delvm two", "");
    expect(t, q, "loadvm two", "'two' does not exist");
    expect(t, q, "delvm two", "'two' does not exist");
    check_int(t, qtest_stop(q), 0, "it ends");

    q = qtest_start_qmp(t, PC DISK " -loadvm one", path);
    wait_running(t, q);
    check(t, q, 0x44);
}

TEST(snapshot, of_two_disks)
{
    g_autofree char *a = image(t, "a.qcow2"), *b = image(t, "b.qcow2");
    QTest *q;

    if (!a || !b) {
        return;
    }
    q = qtest_start_qmp(t, PC DISK " -drive file=%s,format=qcow2,if=ide,index=2", a, b);
    put(q, 0x55);
    expect(t, q, "savevm both", "");
    put(q, 0x66);
    expect(t, q, "loadvm both", "");
    check(t, q, 0x55);
}

TEST(snapshot, a_disk_that_cannot)
{
    g_autofree char *path = image(t, "a.qcow2");
    g_autofree char *raw = g_strdup_printf("%s/raw.img", test_tmpdir(t));
    QTest *q;

    if (!path) {
        return;
    }
    g_file_set_contents(raw, "", 0, NULL);
    check_int(t, truncate(raw, 1 << 20), 0, "a raw image");
    q = qtest_start_qmp(t, PC DISK " -drive file=%s,format=raw,if=ide,index=1,id=plain", path, raw);
    expect(t, q, "savevm x", "'plain' is writable but does not support snapshots");
    check_int(t, qtest_stop(q), 0, "it ends");
    q = qtest_start_qmp(t, PC);
    expect(t, q, "savevm x", "No block device can store vmstate");
}

/* Made with a CPU more: nothing of the machine changes. */
TEST(snapshot, of_another_machine)
{
    g_autofree char *path = image(t, "a.qcow2");
    QTest *q;

    if (!path) {
        return;
    }
    q = qtest_start_qmp(t, PC "-smp 2 " DISK, path);
    put(q, 0x11);
    expect(t, q, "savevm one", "");
    check_int(t, qtest_stop(q), 0, "it ends");
    q = qtest_start_qmp(t, PC DISK, path);
    expect(t, q, "loadvm one", "2 CPUs");
}

/* --- as jobs --- */

static void job(Test *t, QTest *q, const char *command, QDict *args, const char *words)
{
    Error *err = NULL;

    if (!qmp_cmd_ok(qtest_qmp(q), command, args, &err)) {
        test_fail(t, "%s: %s", command, error_message(err));
        error_free(err);
        return;
    }
    for (;;) {
        QObject *o = qmp_cmd(qtest_qmp(q), "query-jobs", NULL, NULL);
        const QList *l = qobject_to_list(o);
        const QDict *d = l ? qobject_to_dict(qlist_get(l, 0)) : NULL;
        bool over = !d || !strcmp(qdict_str_or(d, "status", ""), "concluded");

        if (over) {
            const char *error = d ? qdict_str_or(d, "error", "") : "no job";

            check_true(t, words ? strstr(error, words) != NULL : !*error, error);
        }
        qobject_unref(o);
        if (over) {
            break;
        }
        g_usleep(10000);
    }
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "job-dismiss", qdict_from_fmt("{'id': 'j'}"), NULL),
               "it is forgotten");
}

TEST(snapshot, jobs)
{
    g_autofree char *path = image(t, "a.qcow2");
    QTest *q;

    if (!path) {
        return;
    }
    q = qtest_start_qmp(t, PC "-blockdev driver=file,filename=%s,node-name=f"
                        " -blockdev driver=qcow2,file=f,node-name=d -device ide-hd,drive=d,bus=ide.0",
                        path);
#define WHERE   "'job-id': 'j', 'tag': 'one', 'devices': ['d']"
    put(q, 0x11);
    job(t, q, "snapshot-save", qdict_from_fmt("{" WHERE ", 'vmstate': 'd'}"), NULL);
    job(t, q, "snapshot-save", qdict_from_fmt("{" WHERE ", 'vmstate': 'd'}"), "already exists");
    put(q, 0x22);
    job(t, q, "snapshot-load", qdict_from_fmt("{" WHERE ", 'vmstate': 'd'}"), NULL);
    check(t, q, 0x11);
    job(t, q, "snapshot-delete", qdict_from_fmt("{" WHERE "}"), NULL);
    job(t, q, "snapshot-load", qdict_from_fmt("{" WHERE ", 'vmstate': 'd'}"), "does not exist");
    job(t, q, "snapshot-load", qdict_from_fmt("{" WHERE ", 'vmstate': 'x'}"), "'x'");
    check(t, q, 0x11);
}
