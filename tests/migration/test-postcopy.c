/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Post-copy: the guest runs while its pages come; what happens when the connection breaks. */
#include "util/osdep.h"
#include "tests/hw/virtio/virtio-pc.h"
#include "tests/migration/move.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BIG     "-machine pc -m 64 -nodefaults -vga none "
/* Pages go in order, and 48 MiB at 10,000 bytes a second take more than an hour: what is behind them isn't there. */
#define FULL    (8u * MIB)
#define FAR     (56u * MIB)

/* Begin, and leave for the other side, which may break off at once; false: not on this host. */
static bool leave(Test *t, QTest *here, const char *uri)
{
    capability(t, here, "postcopy-ram");
    qtest_memset(here, FULL, 0x77, FAR - FULL);
    qtest_memset(here, FAR, 0x33, 4096);
    fill(here);
    run(t, here, "migrate-set-parameters",
        qdict_from_fmt("{'max-bandwidth': 10000, 'max-postcopy-bandwidth': 10000}"));
    migrate(t, here, uri);
    expect_status(t, here, "active");
    run(t, here, "migrate-start-postcopy", NULL);
    for (;; g_usleep(10000)) {
        QDict *d = query(here);
        const char *now = qdict_str_or(d, "status", "none");
        bool left = !strcmp(now, "postcopy-active") || !strcmp(now, "postcopy-paused");

        if (left || is_over(now) || !strcmp(now, "none")) {
            if (!left) {
                test_fail(t, "status '%s' instead of 'postcopy-active': %s", now, qdict_str_or(d, "error-desc", ""));
            }
            qobject_unref(d);
            return left;
        }
        qobject_unref(d);
    }
}

/* Until the guest goes on there. */
static bool start_postcopy(Test *t, QTest *here, QTest *there, const char *uri)
{
    bool ok = leave(t, here, uri);

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
    QTest *there = qtest_start_qmp(t, BIG "-m 256 -incoming %s", uri), *here = qtest_start_qmp(t, BIG "-m 256");
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

/* --- a connection that breaks while devices are loaded --- */

typedef struct Relay {
    int listener;
    const char *to;
} Relay;

/* One connection to @to, nothing of which comes back. Ends it when the other side asks for a page. */
static gpointer one_way(gpointer opaque)
{
    const Relay *r = opaque;
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int from = accept(r->listener, NULL, NULL), to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autofree char *buf = g_malloc(65536);
    bool go_on = true, asked = false;

    g_strlcpy(un.sun_path, r->to, sizeof(un.sun_path));
    go_on = connect(to, (struct sockaddr *)&un, sizeof(un)) == 0;
    while (go_on && !asked) {
        struct pollfd p[2] = { { .fd = from, .events = POLLIN }, { .fd = to, .events = POLLIN } };
        ssize_t n = 1;

        poll(p, 2, -1);
        if (p[0].revents) {
            n = recv(from, buf, 65536, 0);
            for (ssize_t at = 0, k; at < n; at += k) {
                k = send(to, buf + at, (size_t)(n - at), MSG_NOSIGNAL);
                if (k <= 0) {
                    n = 0;
                }
            }
        } else if (p[1].revents) {
            n = recv(to, buf, 65536, 0);
            asked = n > 0 && memmem(buf, (size_t)n, "REQP", 4);
        }
        go_on = n > 0;
    }
    close(from);
    close(to);
    return GINT_TO_POINTER(asked);
}

/* The guest was about to hand a request to a disk. The destination's main thread reads its ring when it lets the devices go on,
 * and gets no answer before the connection is gone. */
TEST(postcopy, resumed_while_devices_are_loaded)
{
    static const char disk[] = "-blockdev null-co,node-name=n,size=1M -device virtio-blk-pci,drive=n,addr=4 ";
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path),
                    *door = path_of(t, "r.sock"), *by = g_strdup_printf("unix:%s", door);
    QTest *there = qtest_start_qmp(t, BIG "%s -incoming %s", disk, uri), *here = qtest_start_qmp(t, BIG "%s", disk);
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    Relay r = { socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), path };
    GThread *relay;
    bool left, over = false;
    Vdev d;

    g_strlcpy(un.sun_path, door, sizeof(un.sun_path));
    if (bind(r.listener, (struct sockaddr *)&un, sizeof(un)) < 0 || listen(r.listener, 1) < 0) {
        test_fail(t, "can't listen at '%s'", door);
        return;
    }
    vdev_find(&d, here, 0x20, 0xfe000000, FAR + MIB);
    vdev_start(&d, F_VERSION_1, 1);
    relay = g_thread_new("relay", one_way, &r);
    left = leave(t, here, by);
    if (!left) {
        shutdown(r.listener, SHUT_RDWR);
    }
    check_true(t, GPOINTER_TO_INT(g_thread_join(relay)) || !left, "the destination waits for a page");
    close(r.listener);
    run(t, here, "migrate-set-parameters", qdict_from_fmt("{'max-postcopy-bandwidth': 0}"));
    while (left && !over) {
        QDict *now = query(here);
        const char *status = qdict_str_or(now, "status", "none");

        over = is_over(status) || !strcmp(status, "none");
        if (!strcmp(status, "postcopy-paused")) {
            /* Again, if the other side doesn't listen yet. */
            qmp_cmd_ok(qtest_qmp(here), "migrate", qdict_from_fmt("{'uri': %s, 'resume': true}", uri), NULL);
        }
        qobject_unref(now);
        g_usleep(10000);
    }
    if (left) {
        all_arrives(t, here, there);
    }
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
