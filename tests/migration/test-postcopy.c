/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Post-copy: the guest runs while its pages come; what happens when the connection breaks. */
#include "util/osdep.h"
#include "tests/migration/move.h"

#include <signal.h>

#define BIG     "-machine pc -m 512 -nodefaults -vga none "
#define FAR     (480u * MIB)            /* pages go in order, so slowly that this one isn't there */

/* Begin, and go on at the other side; false: not on this host. */
static bool start_postcopy(Test *t, QTest *here, QTest *there, const char *uri)
{
    QDict *d;
    bool ok;

    capability(t, here, "postcopy-ram");
    qtest_memset(here, FAR, 0x33, 4096);
    fill(here);
    run(t, here, "migrate-set-parameters",
        qdict_from_fmt("{'max-bandwidth': 10000, 'max-postcopy-bandwidth': 10000}"));
    migrate(t, here, uri);
    expect_status(t, here, "active");
    run(t, here, "migrate-start-postcopy", NULL);
    d = wait_status(t, here, "postcopy-active");
    ok = !strcmp(qdict_str_or(d, "status", ""), "postcopy-active");
    qobject_unref(d);
    if (ok) {
        wait_run_state(t, there, "running");
    }
    return ok;
}

TEST(postcopy, moves)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, BIG "-incoming %s", uri), *here = qtest_start_qmp(t, BIG);
    QDict *d;

    refused(t, here, "migrate-start-postcopy", NULL, "Enable postcopy");
    capability(t, here, "postcopy-ram");
    refused(t, here, "migrate-start-postcopy", NULL, "when a migration is going on");
    if (!start_postcopy(t, here, there, uri)) {
        return;
    }
    check_u8(t, qtest_readb(there, FAR), 0x33, "a page comes when it is touched");
    run(t, here, "migrate_cancel", NULL);       /* there is no way back */
    d = query(here);
    check_str(t, qdict_str_or(d, "status", ""), "postcopy-active", "status");
    qobject_unref(d);
    check(t, there);
    run(t, here, "migrate-set-parameters", qdict_from_fmt("{'max-postcopy-bandwidth': 0}"));
    d = wait_status(t, here, "completed");
    check_true(t, qdict_int_or(d, "ram.postcopy-requests", 0) > 0, "pages were asked for");
    check_true(t, qdict_int_or(d, "ram.postcopy-bytes", 0) > 0, "bytes afterwards");
    qobject_unref(d);
    wait_run_state(t, here, "postmigrate");
    check(t, there);
}

/* KiB of memory that no file has. */
static long resident(QTest *q)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)qtest_pid(q)), *text = NULL;
    const char *at, *shared;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return 0;
    }
    at = strstr(text, "RssAnon:");
    shared = strstr(text, "RssShmem:");
    return (at ? atol(at + 8) : 0) + (shared ? atol(shared + 9) : 0);
}

/* What was sent before the guest left, and what follows it. */
TEST(postcopy, the_source_gives_back)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, BIG "-incoming %s", uri), *here = qtest_start_qmp(t, BIG);
    long before;

    capability(t, here, "release-ram");
    for (unsigned mib = 64; mib < 192; mib++) {
        qtest_memset(here, mib * MIB, 0x5a, MIB);
    }
    before = resident(here);
    if (!start_postcopy(t, here, there, uri)) {
        return;
    }
    run(t, here, "migrate-set-parameters", qdict_from_fmt("{'max-postcopy-bandwidth': 0}"));
    expect_status(t, here, "completed");
    check_true(t, resident(here) < before - 100 * 1024, "at the end it hasn't got the guest's memory");
    check_u8(t, qtest_readb(there, 191 * MIB), 0x5a, "which is there");
    check(t, there);
}

/* The source goes away in the middle: nothing hangs. */
TEST(postcopy, broken_off)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, BIG "-incoming %s", uri), *here = qtest_start_qmp(t, BIG);

    if (start_postcopy(t, here, there, uri)) {
        kill(qtest_pid(here), SIGKILL);
        qtest_wait(here);
        expect_status(t, there, "postcopy-paused");
        check_int(t, qtest_stop(there), 0, "it can be ended");
    }
}

/* And the other way round: the source can't run what runs, or has run, somewhere else. */
TEST(postcopy, without_destination)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, BIG "-incoming %s", uri), *here = qtest_start_qmp(t, BIG);

    if (start_postcopy(t, here, there, uri)) {
        kill(qtest_pid(there), SIGKILL);
        qtest_wait(there);
        expect_status(t, here, "postcopy-paused");
        run(t, here, "migrate_cancel", NULL);
        expect_status(t, here, "failed");
        wait_run_state(t, here, "postmigrate");
    }
}

/* --- an interrupted one goes on --- */

static void resume_at(Test *t, QTest *here, const char *uri)
{
    run(t, here, "migrate-set-parameters", qdict_from_fmt("{'max-postcopy-bandwidth': 0}"));
    run(t, here, "migrate", qdict_from_fmt("{'uri': %s, 'resume': true}", uri));
}

static void all_arrives(Test *t, QTest *here, QTest *there)
{
    expect_status(t, here, "completed");
    expect_status(t, there, "completed");
    check_u8(t, qtest_readb(there, FAR), 0x33, "a page that was missing");
    check(t, there);
    wait_run_state(t, here, "postmigrate");
    wait_run_state(t, there, "running");
}

/* Interrupted from either side, again and again. */
TEST(postcopy, resumed)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, BIG "-incoming %s", uri), *here = qtest_start_qmp(t, BIG);

    refused(t, here, "migrate", qdict_from_fmt("{'uri': %s, 'resume': true}", uri), "no paused migration");
    refused(t, there, "migrate-recover", qdict_from_fmt("{'uri': %s}", uri), "when postcopy is paused");
    refused(t, here, "migrate-pause", NULL, "only supported during postcopy-active");
    if (!start_postcopy(t, here, there, uri)) {
        return;
    }
    for (int i = 0; i < 4; i++) {
        run(t, i & 1 ? there : here, "migrate-pause", NULL);
        expect_status(t, here, "postcopy-paused");
        expect_status(t, there, "postcopy-paused");
        wait_run_state(t, there, "running");
        run(t, here, "migrate", qdict_from_fmt("{'uri': %s, 'resume': true}", uri));
        expect_status(t, here, "postcopy-active");
        expect_status(t, there, "postcopy-active");
        check_u8(t, qtest_readb(there, PLACE + (unsigned)i * 4096), (uint8_t)(i + 1), "a page that is asked for");
    }
    run(t, here, "migrate-pause", NULL);
    expect_status(t, here, "postcopy-paused");
    expect_status(t, there, "postcopy-paused");
    resume_at(t, here, uri);
    all_arrives(t, here, there);
}

/* The place has changed; and a first attempt to go on fails. */
TEST(postcopy, resumed_elsewhere)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path),
                    *wrong = path_of(t, "nobody"), *nobody = g_strdup_printf("unix:%s", wrong);
    QTest *there = qtest_start_qmp(t, BIG "-incoming %s", uri), *here = qtest_start_qmp(t, BIG);
    g_autofree char *port = NULL, *tcp = NULL;
    QDict *d;

    if (!start_postcopy(t, here, there, uri)) {
        return;
    }
    run(t, there, "migrate-pause", NULL);
    expect_status(t, here, "postcopy-paused");
    expect_status(t, there, "postcopy-paused");
    refused(t, there, "migrate-recover", qdict_from_fmt("{'uri': 'exec:true'}"), "listened on");
    run(t, there, "migrate-recover", qdict_from_fmt("{'uri': %s}", uri));       /* which it does already */
    run(t, there, "migrate-recover", qdict_from_fmt("{'uri': 'tcp:127.0.0.1:0'}"));
    d = query(there);
    port = g_strdup(qdict_str_or(d, "socket-address[0].port", "?"));
    qobject_unref(d);
    run(t, here, "migrate", qdict_from_fmt("{'uri': %s, 'resume': true}", nobody));
    expect_status(t, here, "postcopy-paused");
    tcp = g_strdup_printf("tcp:127.0.0.1:%s", port);
    resume_at(t, here, tcp);
    all_arrives(t, here, there);
}

static gpointer read_far(gpointer opaque)
{
    return GINT_TO_POINTER(qtest_readb(opaque, FAR));
}

/* The destination's main thread itself waits for a page (a device's DMA, here qtest): its monitor says nothing
 * any more, and yet the source finds it. */
TEST(postcopy, resumed_while_everything_waits)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, BIG "-incoming %s", uri), *here = qtest_start_qmp(t, BIG);
    GThread *reader;

    if (!start_postcopy(t, here, there, uri)) {
        return;
    }
    run(t, here, "migrate-pause", NULL);
    expect_status(t, here, "postcopy-paused");
    expect_status(t, there, "postcopy-paused");
    reader = g_thread_new("reader", read_far, there);
    resume_at(t, here, uri);
    check_int(t, GPOINTER_TO_INT(g_thread_join(reader)), 0x33, "the page comes");
    all_arrives(t, here, there);
}

/* Whoever else comes to that door is turned away, and the source is still welcome. */
TEST(postcopy, strangers)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, BIG "-incoming %s", uri), *here = qtest_start_qmp(t, BIG), *other;

    if (!start_postcopy(t, here, there, uri)) {
        return;
    }
    run(t, here, "migrate-pause", NULL);
    expect_status(t, here, "postcopy-paused");
    expect_status(t, there, "postcopy-paused");
    other = qtest_start_qmp(t, PC);
    migrate(t, other, uri);
    expect_status(t, other, "failed");
    expect_status(t, there, "postcopy-paused");
    resume_at(t, here, uri);
    all_arrives(t, here, there);
}
