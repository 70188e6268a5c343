/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux is moved from process to process while programs in it compute, and they
 * print the same results as on this host. MIGRATE_LOOPS says how often each
 * guest is moved (default 2); downtime and throughput are printed. After each move
 * the guest must have said something new, and at last it is told to end.
 */
#include "util/osdep.h"
#include "libqmp/qmp-client.h"
#include "tests/lib/test.h"

#include <glib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_S      100

/* One emulator. */
typedef struct Vm {
    Test *t;
    pid_t pid;
    QmpClient *qmp;
    char *serial;               /* file */
    char *line;                 /* socket: what the guest is told */
} Vm;

/* A guest on its way. */
typedef struct Guest {
    Test *t;
    const char *arch, *append, *more;
    bool modules;               /* the kernel gets Debian's modules */
    unsigned made;              /* processes so far */
    char *kernel, *initrd;      /* looked for once, before the guest's time runs */
    Vm *vm;
    GString *said;              /* serial output of the processes that are gone */
    int64_t downtime, total, bytes;
} Guest;

static void forget(Guest *g)
{
    g_string_free(g->said, TRUE);
    g_free(g->kernel);
    g_free(g->initrd);
}

static char *cached(Test *t, const char *item, const char *file)
{
    g_autofree char *script = test_src_path("scripts/guests.sh"), *out = NULL;
    char *argv[] = { script, (char *)item, NULL };
    int status = -1;

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, &status,
                 NULL);
    if (status || !out) {
        test_fail(t, "the guest '%s' can't be had", item);
        return g_strdup(file);
    }
    g_strstrip(out);
    return g_strdup_printf("%s/%s", out, file);
}

static void vm_free(void *opaque)
{
    Vm *v = opaque;

    if (v->pid > 0) {
        kill(v->pid, SIGKILL);
        waitpid(v->pid, NULL, 0);
    }
    qmp_client_free(v->qmp);
    g_free(v->serial);
    g_free(v->line);
    g_free(v);
}

static void find_files(Guest *g, bool is64)
{
    if (g->kernel) {
        return;
    }
    g->kernel = cached(g->t, is64 ? "kernel-amd64" : "kernel-i386", is64 ? "linux-amd64" : "linux-i386");
    g->initrd = cached(g->t, is64 ? "initramfs-x86_64" : "initramfs-i386",
                       is64 ? "initramfs-x86_64.cpio.gz" : "initramfs-i386.cpio.gz");
    if (g->modules) {
        g_autofree char *both = g_strdup_printf("%s/initrd", test_tmpdir(g->t));
        g_autofree char *mods = cached(g->t, "modules-amd64", "modules-amd64.cpio.gz");
        g_autofree char *join = g_strdup_printf("/bin/sh -c 'cat %s %s > %s'", g->initrd, mods, both);

        g_spawn_command_line_sync(join, NULL, NULL, NULL, NULL);
        g_free(g->initrd);
        g->initrd = g_steal_pointer(&both);
    }
}

static Vm *vm_start(Guest *g, const char *incoming, const char *option)
{
    Vm *v = g_new0(Vm, 1);
    bool is64 = !strcmp(g->arch, "amd64");
    g_autofree char *sock = g_strdup_printf("%s/qmp%u", test_tmpdir(g->t), g->made);
    g_autofree char *address = g_strdup_printf("unix:%s", sock);
    g_autofree char *line = NULL;
    g_auto(GStrv) argv = NULL;
    Error *err = NULL;

    find_files(g, is64);
    v->t = g->t;
    v->line = g_strdup_printf("%s/line%u", test_tmpdir(g->t), g->made);
    v->serial = g_strdup_printf("%s/serial%u", test_tmpdir(g->t), g->made++);
    line = g_strdup_printf("%s-%s -m 256 -nodefaults -nographic -no-reboot -kernel %s -initrd %s "
                           "-append 'console=ttyS0 no_timer_check %s' "
                           "-chardev socket,id=line,path=%s,server=on,wait=off,logfile=%s "
                           "-serial chardev:line -qmp unix:%s,server=on,wait=off %s %s %s%s",
                           test_qemu_bin(), is64 ? "x86_64" : "i386", g->kernel, g->initrd, g->append,
                           v->line, v->serial, sock, g->more, option, incoming ? "-incoming " : "",
                           incoming ? incoming : "");
    g_shell_parse_argv(line, NULL, &argv, NULL);
    v->pid = fork();
    if (v->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execv(argv[0], argv);
        _exit(127);
    }
    test_at_end(g->t, vm_free, v);
    v->qmp = qmp_client_new(address, WAIT_S * 1000, &err);
    if (!v->qmp) {
        test_fail(g->t, "no QMP: %s", error_message(err));
        error_free(err);
    }
    return v;
}

static bool command(Vm *v, const char *name, QDict *args)
{
    Error *err = NULL;

    if (!v->qmp || !qmp_cmd_ok(v->qmp, name, args, &err)) {
        test_fail(v->t, "%s: %s", name, err ? error_message(err) : "no monitor");
        error_free(err);
        return false;
    }
    return true;
}

/* Until the serial port has said @text; false when the guest has said nothing new for @seconds. */
static bool wait_for(Vm *v, const char *text, int seconds)
{
    g_autofree char *said = NULL;
    gsize len = 0, was = 0;

    for (int i = 0; i < seconds * 20; i++) {
        g_clear_pointer(&said, g_free);
        if (g_file_get_contents(v->serial, &said, &len, NULL) && strstr(said, text)) {
            return true;
        }
        if (said && len != was) {
            was = len;
            i = 0;
        }
        g_usleep(50000);
    }
    test_fail(v->t, "the guest doesn't say '%s', but at last '%s'", text,
              said ? said + MAX(strlen(said), 60) - 60 : "nothing");
    return false;
}

/* The end of a migration as the source sees it. */
static bool wait_completed(Guest *g, Vm *v)
{
    for (int i = 0; i < WAIT_S * 50; i++) {
        Error *err = NULL;
        QObject *o = qmp_cmd(v->qmp, "query-migrate", NULL, &err);
        const QDict *d = qobject_to_dict(o);
        const char *status = d ? qdict_str_or(d, "status", "") : "failed";

        if (!strcmp(status, "completed")) {
            g->downtime = qdict_int_or(d, "downtime", -1);
            g->total = qdict_int_or(d, "total-time", -1);
            g->bytes = qdict_int_or(d, "ram.transferred", -1);
            qobject_unref(o);
            return true;
        }
        if (!strcmp(status, "failed")) {
            test_fail(g->t, "migration failed: %s",
                      err ? error_message(err) : qdict_str_or(d, "error-desc", "?"));
            error_free(err);
            qobject_unref(o);
            return false;
        }
        qobject_unref(o);
        g_usleep(20000);
    }
    test_fail(g->t, "the migration takes too long");
    return false;
}

static bool wait_running(Guest *g, Vm *v)
{
    for (int i = 0; v->qmp && i < WAIT_S * 50; i++) {
        QObject *o = qmp_cmd(v->qmp, "query-status", NULL, NULL);
        bool running = o && qdict_bool_or(qobject_to_dict(o), "running", false);

        qobject_unref(o);
        if (running) {
            return true;
        }
        g_usleep(20000);
    }
    test_fail(g->t, "the guest doesn't run");
    return false;
}

static void finished(Guest *g, Vm *v)
{
    g_autofree char *said = NULL;

    /* A guest that is through switches its machine off; which comes first doesn't matter. */
    qmp_cmd_ok(v->qmp, "quit", NULL, NULL);
    waitpid(v->pid, NULL, 0);
    v->pid = 0;
    if (g_file_get_contents(v->serial, &said, NULL, NULL)) {
        g_string_append(g->said, said);
    }
}

/* Begin to move @g to @uri, with parameters that let it go as fast as it can. */
static bool migrate(Guest *g, const char *uri)
{
    return command(g->vm, "migrate-set-parameters", qdict_from_fmt("{'max-bandwidth': 0}")) &&
           command(g->vm, "migrate", qdict_from_fmt("{'uri': %s}", uri)) &&
           wait_completed(g, g->vm);
}

/* Saved inside of a disk image; another process goes on from there. */
static bool by_snapshot(Guest *g)
{
    gint64 begin = g_get_monotonic_time(), saved;
    Error *err = NULL;
    char *text = qmp_hmp(g->vm->qmp, "savevm here", &err);

    if (!text || *text) {
        test_fail(g->t, "savevm: %s", text ? text : error_message(err));
        error_free(err);
        free(text);
        return false;
    }
    free(text);
    saved = g_get_monotonic_time();
    command(g->vm, "stop", NULL);
    /* What it did since then is forgotten. */
    if (!command(g->vm, "quit", NULL)) {
        return false;
    }
    waitpid(g->vm->pid, NULL, 0);
    g->vm->pid = 0;
    g->vm = vm_start(g, NULL, "-loadvm here");
    if (!wait_running(g, g->vm)) {
        return false;
    }
    test_note(g->t, "snapshot: saved in %" PRId64 " ms, loaded in %" PRId64 " ms with start-up",
              (saved - begin) / 1000, (g_get_monotonic_time() - saved) / 1000);
    return true;
}

static bool capability(Vm *v, const char *name)
{
    return command(v, "migrate-set-capabilities",
                   qdict_from_fmt("{'capabilities': [{'capability': %s, 'state': true}]}", name));
}

static bool is_migration(Vm *v, const char *status)
{
    QObject *o = qmp_cmd(v->qmp, "query-migrate", NULL, NULL);
    bool is = o && !strcmp(qdict_str_or(qobject_to_dict(o), "status", ""), status);

    qobject_unref(o);
    return is;
}

/* Saved while it goes on; what it does after the moment of saving is forgotten. */
static bool in_background(Guest *g)
{
    g_autofree char *file = g_strdup_printf("%s/state", test_tmpdir(g->t)), *uri = g_strdup_printf("file:%s", file);
    Vm *old = g->vm;

    if (!capability(old, "background-snapshot") || !migrate(g, uri) || !wait_running(g, old)) {
        return false;
    }
    command(old, "quit", NULL);
    waitpid(old->pid, NULL, 0);
    old->pid = 0;
    g->vm = vm_start(g, uri, "");
    test_note(g->t, "background: stopped for %" PRId64 " ms, total %" PRId64 " ms, %" PRId64 " MiB", g->downtime,
              g->total, g->bytes >> 20);
    return wait_running(g, g->vm);
}

/* The connection breaks, and a new one is made. Before that it may all be over. The other side may say nothing
 * meanwhile: all of it may be waiting for a page. */
static bool interrupt(Guest *g, const char *uri)
{
    Vm *v = g->vm;
    bool paused = false;

    while (!qmp_cmd_ok(v->qmp, "migrate-pause", NULL, NULL)) {
        if (is_migration(v, "completed") || is_migration(v, "failed")) {
            return true;
        }
        g_usleep(1000);
    }
    for (int i = 0; i < WAIT_S * 100; i++) {
        if (is_migration(v, "postcopy-paused")) {
            /* Again, if the other side wasn't ready yet. */
            if (!command(v, "migrate-set-parameters", qdict_from_fmt("{'max-postcopy-bandwidth': 0}")) ||
                !command(v, "migrate", qdict_from_fmt("{'uri': %s, 'resume': true}", uri))) {
                return false;
            }
            paused = true;
        } else if (is_migration(v, "completed") || (paused && is_migration(v, "postcopy-active"))) {
            test_note(g->t, "post-copy %s", paused ? "was interrupted, and goes on" : "was already over");
            return true;
        }
        g_usleep(10000);
    }
    test_fail(g->t, "an interrupted post-copy doesn't go on");
    return false;
}

/* The guest goes on over there while most of its memory is still here. */
static bool postcopy(Guest *g, const char *uri, bool resumed)
{
    Vm *v = g->vm;
    bool ok = capability(v, "postcopy-ram") &&
              command(v, "migrate-set-parameters", qdict_from_fmt(
                  "{'max-bandwidth': 20000000, 'max-postcopy-bandwidth': %d}", resumed ? 10000000 : 0)) &&
              command(v, "migrate", qdict_from_fmt("{'uri': %s}", uri));

    /* It may be refused in the moment when it is being set up. */
    while (ok && !qmp_cmd_ok(v->qmp, "migrate-start-postcopy", NULL, NULL)) {
        ok = !is_migration(v, "completed") && !is_migration(v, "failed");
        g_usleep(10000);
    }
    return ok && (!resumed || interrupt(g, uri)) && wait_completed(g, v);
}

static bool move(Guest *g, const char *kind)
{
    g_autofree char *uri = NULL, *at = NULL;
    bool file = !strcmp(kind, "file"), multifd = !strcmp(kind, "multifd"),
         resumed = !strcmp(kind, "resumed"), post = resumed || !strcmp(kind, "postcopy"), deferred = multifd || !strcmp(kind, "tcp");
    Vm *old = g->vm, *new = NULL;

    if (!strcmp(kind, "snapshot")) {
        return by_snapshot(g);
    }
    if (!strcmp(kind, "background")) {
        return in_background(g);
    }
    at = g_strdup_printf("%s/stream%u", test_tmpdir(g->t), g->made);
    uri = deferred ? g_strdup("tcp:127.0.0.1:0") : g_strdup_printf("%s:%s", file ? kind : "unix", at);
    if (!file) {
        new = vm_start(g, deferred ? "defer" : uri, "");
    }
    for (Vm *v = old; multifd && v; v = v == old ? new : NULL) {
        if (!capability(v, "multifd") ||
            !command(v, "migrate-set-parameters", qdict_from_fmt(
                "{'multifd-channels': 4, 'multifd-compression': 'zstd'}"))) {
            return false;
        }
    }
    if (deferred) {
        QObject *o;

        if (!command(new, "migrate-incoming", qdict_from_fmt("{'uri': %s}", uri))) {
            return false;
        }
        o = qmp_cmd(new->qmp, "query-migrate", NULL, NULL);
        g_free(uri);
        uri = g_strdup_printf("tcp:127.0.0.1:%s", o ? qdict_str_or(qobject_to_dict(o),
                              "socket-address[0].port", "0") : "0");
        qobject_unref(o);
    }
    if (!(post ? postcopy(g, uri, resumed) : migrate(g, uri))) {
        return false;
    }
    finished(g, old);
    g->vm = file ? vm_start(g, uri, "") : new;
    test_note(g->t, "%s: downtime %" PRId64 " ms, total %" PRId64 " ms, %" PRId64 " MiB, %.0f MiB/s",
              kind, g->downtime, g->total, g->bytes >> 20,
              g->total > 0 ? (double)g->bytes / 1048576 * 1000 / (double)g->total : 0.0);
    if (file) {
        unlink(at);
    }
    return wait_running(g, g->vm);
}

/* What the program must have computed in as many passes as each of its @threads says it did. */
static void compare(Guest *g, unsigned threads, unsigned megabytes)
{
    bool is64 = !strcmp(g->arch, "amd64");
    g_autofree char *src = test_src_path("tests/guests/src/migtest.c");
    g_autofree char *bin = g_strdup_printf("%s/migtest", test_tmpdir(g->t));
    g_autofree char *build = g_strdup_printf("cc -O2 -static %s %s -o %s -pthread",
                                             is64 ? "" : "-m32 -march=i686", src, bin);
    g_autofree char *want = NULL;
    GString *line = g_string_new(bin);
    unsigned n = 0;

    g_string_append_printf(line, " %u %u", threads, megabytes);
    for (unsigned i = 0; i < threads; i++) {
        g_autofree char *result = g_strdup_printf("migtest-result %u passes ", i);
        const char *at = strstr(g->said->str, result);

        g_string_append_printf(line, " %d", at ? MAX(atoi(at + strlen(result)), 1) : 1);
    }
    if (!g_spawn_command_line_sync(build, NULL, NULL, NULL, NULL) ||
        !g_spawn_command_line_sync(line->str, &want, NULL, NULL, NULL)) {
        test_fail(g->t, "the program can't be run here");
    }
    g_string_free(line, TRUE);
    for (char *at = want; at && (at = strstr(at, "migtest-result")); at++) {
        g_autofree char *one = g_strndup(at, strcspn(at, "\n"));

        check_true(g->t, strstr(g->said->str, one), one);
        n++;
    }
    check_int(g->t, n, threads, "results");
}

static unsigned loops(void)
{
    const char *text = g_getenv("MIGRATE_LOOPS");

    return text ? (unsigned)atoi(text) : 2;
}

/* A line on the guest's console. Its programs then end, and it switches its machine off. */
static bool tell_to_end(Guest *g)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok;

    g_strlcpy(at.sun_path, g->vm->line, sizeof(at.sun_path));
    ok = fd >= 0 && !connect(fd, (struct sockaddr *)&at, sizeof(at)) && write(fd, "\n", 1) == 1;
    if (fd >= 0) {
        close(fd);
    }
    if (!ok) {
        test_fail(g->t, "nothing can be said to the guest");
        return false;
    }
    return wait_for(g->vm, "GUEST-DONE", WAIT_S);
}

/*
 * Start @g, move it as often as is asked for, by @kinds in turns, and let it end. When it has said
 * @first it is in the middle of its work; after each move it must go on with saying @again.
 */
static bool travel(Guest *g, const char *first, const char *again, const char *const *kinds)
{
    unsigned k = 0;

    g->vm = vm_start(g, NULL, "");
    if (!g->vm->qmp || !wait_for(g->vm, first, WAIT_S)) {
        return false;
    }
    for (unsigned i = 0; i < loops(); i++) {
        g_usleep(200000);
        if (!move(g, kinds[k]) || !wait_for(g->vm, again, WAIT_S)) {
            return false;
        }
        k = kinds[k + 1] ? k + 1 : 0;
    }
    if (!tell_to_end(g)) {
        return false;
    }
    finished(g, g->vm);
    return true;
}

static void journey(Test *t, const char *arch, unsigned threads, const char *more,
                    const char *const *kinds)
{
    Guest g = { .t = t, .arch = arch, .more = more, .said = g_string_new(NULL) };
    g_autofree char *append = g_strdup_printf("run=migtest arg=%u,8", threads);

    g.append = append;
    if (travel(&g, "migtest-pass 8 ", "migtest-pass ", kinds)) {
        check_true(t, strstr(g.said->str, "GUEST-DONE rc=0"), "the program ends well");
        check_true(t, !strstr(g.said->str, "BACKWARDS"), "time goes on");
        check_true(t, !strstr(g.said->str, "BUG:") && !strstr(g.said->str, "Oops"),
                   "the kernel has no complaint");
        compare(&g, threads, 8);
    }
    forget(&g);
}

static const char *const sockets[] = { "unix", "tcp", NULL };
static const char *const files[] = { "file", NULL };

TEST(migrate, linux_by_sockets)
{
    test_note(t, "timeout: 900");
    journey(t, "amd64", 1, "", sockets);
}

TEST(migrate, linux_by_file)
{
    journey(t, "amd64", 1, "", files);
}

TEST(migrate, two_processors)
{
    journey(t, "amd64", 2, "-smp 2", sockets);
}

TEST(migrate, two_processors_by_multifd)
{
    static const char *const kinds[] = { "multifd", NULL };

    journey(t, "amd64", 2, "-smp 2", kinds);
}

TEST(migrate, two_processors_by_post_copy)
{
    static const char *const kinds[] = { "postcopy", "resumed", NULL };

    if (access("/proc/sys/vm/unprivileged_userfaultfd", F_OK) || geteuid()) {
        test_skip(t, "userfaultfd is for root here");
        return;
    }
    journey(t, "amd64", 2, "-smp 2", kinds);
}

TEST(migrate, two_processors_in_background)
{
    static const char *const kinds[] = { "background", NULL };

    if (access("/proc/sys/vm/unprivileged_userfaultfd", F_OK) || geteuid()) {
        test_skip(t, "userfaultfd is for root here");
        return;
    }
    journey(t, "amd64", 2, "-smp 2", kinds);
}

TEST(migrate, linux_i386)
{
    journey(t, "i386", 1, "", sockets);
}

TEST(migrate, linux_by_snapshot)
{
    static const char *const kinds[] = { "snapshot", NULL };
    g_autofree char *path = g_strdup_printf("%s/disk.qcow2", test_tmpdir(t));
    g_autofree char *make = g_strdup_printf("qemu-img create -q -f qcow2 %s 16M", path);
    g_autofree char *more = g_strdup_printf("-smp 2 -drive file=%s,format=qcow2,if=ide", path);
    int status = -1;

    if (!g_spawn_command_line_sync(make, NULL, NULL, &status, NULL) || status) {
        test_skip(t, "qemu-img is not installed");
        return;
    }
    journey(t, "amd64", 2, more, kinds);
}

/* Files are written to a disk that both processes open: none is lost, and the image is whole. */
static void with_disk(Test *t, const char *format, const char *run, const char *const *kinds, const char *device)
{
    g_autofree char *path = g_strdup_printf("%s/disk", test_tmpdir(t));
    g_autofree char *make = g_strdup_printf("qemu-img create -q -f %s %s 64M", format, path);
    g_autofree char *more = g_strdup_printf("-smp 2 -drive file=%s,format=%s,%s", path, format, device);
    /* Enough for files to be read again; beside other programs it is slower. */
    g_autofree char *append = g_strdup_printf("run=%s arg=%d", run, strcmp(run, "load") ? 100 : 50);
    Guest g = { .t = t, .arch = "amd64", .append = append, .more = more, .modules = true,
                .said = g_string_new(NULL) };
    int status = -1;

    if (!g_spawn_command_line_sync(make, NULL, NULL, &status, NULL) || status) {
        test_skip(t, "qemu-img is not installed");
        forget(&g);
        return;
    }
    if (travel(&g, "migdisk-round 8", "migdisk-round ", kinds)) {
        check_true(t, strstr(g.said->str, "migdisk-bad 0"), "no write is lost");
        check_true(t, !strstr(g.said->str, "load-differs"), "what is computed is right");
        check_true(t, !strstr(g.said->str, "I/O error") && !strstr(g.said->str, "Oops") &&
                   !strstr(g.said->str, "exception Emask"), "the kernel has no complaint");
        if (!strcmp(format, "qcow2")) {
            g_autofree char *look = g_strdup_printf("qemu-img check -q %s", path);

            g_spawn_command_line_sync(look, NULL, NULL, &status, NULL);
            check_int(t, status, 0, "qemu-img check");
        }
    }
    forget(&g);
}

TEST(migrate, linux_raw_disk)
{
    with_disk(t, "raw", "migdisk", sockets, "if=ide");
}

TEST(migrate, linux_qcow2_disk)
{
    with_disk(t, "qcow2", "migdisk", sockets, "if=ide");
}

TEST(migrate, linux_scsi_disk_in_an_io_thread)
{
    static const char *const kinds[] = { "tcp", "snapshot", NULL };

    with_disk(t, "qcow2", "migdisk", kinds, "if=none,id=d -object iothread,id=io"
              " -device virtio-scsi-pci,iothread=io -device scsi-hd,drive=d");
}

/* Saved, ended, and loaded by another process, in the middle of computing and writing. */
TEST(migrate, linux_by_snapshot_under_load)
{
    static const char *const kinds[] = { "snapshot", NULL };

    with_disk(t, "qcow2", "load", kinds, "if=ide");
}

/*
 * More is written than the bandwidth lets through: the guest is slowed down until
 * it can be followed, and its pages are sent as differences.
 */
TEST(migrate, linux_that_writes_too_much)
{
    g_autofree char *path = g_strdup_printf("%s/m.sock", test_tmpdir(t));
    g_autofree char *uri = g_strdup_printf("unix:%s", path);
    Guest g = { .t = t, .arch = "amd64", .append = "run=migtest arg=2,24", .more = "-smp 2",
                .said = g_string_new(NULL) };
    Vm *old, *new;

    g.vm = old = vm_start(&g, NULL, "");
    if (old->qmp && wait_for(old, "migtest-pass 8 ", WAIT_S)) {
        new = vm_start(&g, uri, "");
        capability(old, "auto-converge");
        capability(old, "xbzrle");
        command(old, "migrate-set-parameters",
                qdict_from_fmt("{'max-bandwidth': 40000000, 'cpu-throttle-initial': 60,"
                               " 'cpu-throttle-increment': 20, 'downtime-limit': 500}"));
        if (command(old, "migrate", qdict_from_fmt("{'uri': %s}", uri)) && wait_completed(&g, old)) {
            char *text = qmp_hmp(old->qmp, "info migrate", NULL);

            test_note(t, "downtime %" PRId64 " ms, total %" PRId64 " ms", g.downtime, g.total);
            check_true(t, text && strstr(text, "xbzrle pages"), "differences are counted");
            free(text);
            finished(&g, old);
            g.vm = new;
            if (wait_running(&g, new) && wait_for(new, "migtest-pass ", WAIT_S) && tell_to_end(&g)) {
                finished(&g, new);
                compare(&g, 2, 24);
            }
        }
    }
    forget(&g);
}
