/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block devices through QMP, as management tools use them: a whole emulator on a socket. */
#include "util/osdep.h"
#include <glib.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libqmp/qmp-client.h"
#include "tests/lib/image.h"

typedef struct Vm {
    pid_t pid;
    QmpClient *q;
    char *dir;
} Vm;

/* @args: words, with @DIR for the test's folder. */
static bool start(Test *t, Vm *vm, const char *args)
{
    char *text, **words, fd[32];
    GPtrArray *argv = g_ptr_array_new();
    int pair[2];
    Error *err = NULL;

    vm->dir = (char *)test_tmpdir(t);
    words = g_strsplit(args, "@DIR", -1);
    text = g_strjoinv(vm->dir, words);
    g_strfreev(words);
    words = g_strsplit(text, " ", -1);
    g_free(text);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        return false;
    }
    snprintf(fd, sizeof(fd), "socket,id=m,fd=%d", pair[0]);
    for (const char *const *w = (const char *const[]){ test_qemu_bin(), "-M", "pc", "-accel", "qtest", "-display",
                                                       "none", "-nodefaults", "-chardev", fd, "-mon",
                                                       "chardev=m,mode=control", NULL }; *w; w++) {
        g_ptr_array_add(argv, (gpointer)*w);
    }
    for (char **w = words; *w; w++) {
        if (**w) {
            g_ptr_array_add(argv, *w);
        }
    }
    g_ptr_array_add(argv, NULL);
    vm->pid = fork();
    if (vm->pid == 0) {
        close(pair[1]);
        execv(test_qemu_bin(), (char **)argv->pdata);
        _exit(1);
    }
    close(pair[0]);
    vm->q = qmp_client_new_fd(pair[1], 30000, &err);
    if (!vm->q) {
        test_fail(t, "no QMP: %s", error_message(err));
        error_free(err);
    }
    g_ptr_array_free(argv, true);
    g_strfreev(words);
    return vm->q;
}

static void stop(Test *t, Vm *vm)
{
    int status = 0;

    if (vm->q) {
        qmp_cmd_ok(vm->q, "quit", NULL, NULL);
        waitpid(vm->pid, &status, 0);
        check_int(t, status, 0, "the emulator ends well");
        qmp_client_free(vm->q);
    } else {
        kill(vm->pid, SIGKILL);
        waitpid(vm->pid, NULL, 0);
    }
}

static bool ok(Test *t, Vm *vm, const char *command, QDict *args)
{
    Error *err = NULL;
    bool good = qmp_cmd_ok(vm->q, command, args, &err);

    if (!good) {
        test_fail(t, "%s: %s", command, error_message(err));
        error_free(err);
    }
    return good;
}

static bool refused(Vm *vm, const char *command, QDict *args)
{
    return !qmp_cmd_ok(vm->q, command, args, NULL);
}

/* A job's status by query-jobs, until it has ended. */
static bool job_ends(Vm *vm, const char *id)
{
    for (;;) {
        QObject *list = qmp_cmd(vm->q, "query-jobs", NULL, NULL);
        QDict *j = qobject_to_dict(qlist_get(qobject_to_list(list), 0));
        bool concluded = j && !strcmp(qdict_str_or(j, "status", ""), "concluded");
        bool good = concluded && !qdict_has(j, "error");

        qobject_unref(list);
        if (concluded) {
            return good && qmp_cmd_ok(vm->q, "job-dismiss", qdict_from_fmt("{'id': %s}", id), NULL);
        }
        g_usleep(20000);
    }
}

static QObject *disk(Vm *vm, const char *path)
{
    QObject *list = qmp_cmd(vm->q, "query-block", NULL, NULL), *found = NULL;

    QLIST_FOR_EACH(e, qobject_to_list(list)) {
        if (strstr(qdict_str_or(qobject_to_dict(e), "qdev", ""), "hd")) {
            found = qobject_ref(qdict_get_path(qobject_to_dict(e), path));
        }
    }
    qobject_unref(list);
    return found;
}

static char *disk_text(Vm *vm, const char *path)
{
    QObject *o = disk(vm, path);
    char *text = g_strdup(o && qobject_to_string(o) ? qobject_get_str(o, "", NULL) : "");

    qobject_unref(o);
    return text;
}

#define MACHINE "-blockdev driver=file,filename=@DIR/a.qcow2,node-name=prot " \
    "-blockdev driver=qcow2,file=prot,node-name=fmt -device ide-hd,drive=fmt,id=hd " \
    "-blockdev driver=null-co,node-name=medium,read-only=on -device ide-cd,id=cd"

static bool with_image(Test *t, Vm *vm)
{
    char *path = g_build_filename(test_tmpdir(t), "a.qcow2", NULL);
    bool good = image_create(t, path, 4 * MIB, "") && start(t, vm, MACHINE);

    g_free(path);
    return good;
}

TEST(block_qmp, create_and_snapshot)
{
    Vm vm = { 0 };
    char *path, *text;

    main_loop_init();
    if (!with_image(t, &vm)) {
        return;
    }
    path = g_build_filename(vm.dir, "o.qcow2", NULL);
    ok(t, &vm, "blockdev-create", qdict_from_fmt("{'job-id': 'j', 'options': {'driver': 'file', 'filename': %s, "
                                                 "'size': 0}}", path));
    check_true(t, job_ends(&vm, "j"), "a file is made by a job");
    ok(t, &vm, "blockdev-add", qdict_from_fmt("{'driver': 'file', 'filename': %s, 'node-name': 'of'}", path));
    ok(t, &vm, "blockdev-create", qdict_from_fmt("{'job-id': 'j', 'options': {'driver': 'qcow2', 'file': 'of', "
                                                 "'size': 4194304}}"));
    check_true(t, job_ends(&vm, "j"), "an image is made in it");
    ok(t, &vm, "blockdev-add", qdict_from_fmt("{'driver': 'qcow2', 'file': 'of', 'node-name': 'o', "
                                              "'backing': null}"));
    text = g_build_filename(vm.dir, "o.vhdx", NULL);
    ok(t, &vm, "blockdev-create", qdict_from_fmt("{'job-id': 'j', 'options': {'driver': 'file', 'filename': %s, "
                                                 "'size': 0}}", text));
    check_true(t, job_ends(&vm, "j"), "another file");
    ok(t, &vm, "blockdev-add", qdict_from_fmt("{'driver': 'file', 'filename': %s, 'node-name': 'vf'}", text));
    ok(t, &vm, "blockdev-create", qdict_from_fmt("{'job-id': 'j', 'options': {'driver': 'vhdx', 'file': 'vf', "
                                                 "'size': 4194304, 'block-size': 2097152, 'subformat': 'dynamic'}}"));
    check_true(t, job_ends(&vm, "j"), "a VHDX image in it");
    ok(t, &vm, "blockdev-add", qdict_from_fmt("{'driver': 'vhdx', 'file': 'vf', 'node-name': 'v'}"));
    g_free(text);
    text = g_build_filename(vm.dir, "o.luks", NULL);
    ok(t, &vm, "object-add", qdict_from_fmt("{'qom-type': 'secret', 'id': 's0', 'data': 'open sesame'}"));
    ok(t, &vm, "object-add", qdict_from_fmt("{'qom-type': 'secret', 'id': 's1', 'data': 'open barley'}"));
    ok(t, &vm, "blockdev-create", qdict_from_fmt("{'job-id': 'j', 'options': {'driver': 'file', 'filename': %s, "
                                                 "'size': 0}}", text));
    check_true(t, job_ends(&vm, "j"), "a third");
    ok(t, &vm, "blockdev-add", qdict_from_fmt("{'driver': 'file', 'filename': %s, 'node-name': 'lf'}", text));
    ok(t, &vm, "blockdev-create", qdict_from_fmt("{'job-id': 'j', 'options': {'driver': 'luks', 'file': 'lf', "
                                                 "'size': 65536, 'key-secret': 's0', 'iter-time': 1}}"));
    check_true(t, job_ends(&vm, "j"), "an encrypted volume in it");
    ok(t, &vm, "blockdev-add", qdict_from_fmt("{'driver': 'luks', 'file': 'lf', 'key-secret': 's0', 'node-name': 'l'}"));
    ok(t, &vm, "x-blockdev-amend", qdict_from_fmt("{'job-id': 'j', 'node-name': 'l', 'options': {'driver': 'luks', "
                                                  "'state': 'active', 'new-secret': 's1', 'iter-time': 1}}"));
    check_true(t, job_ends(&vm, "j"), "another password");
    ok(t, &vm, "x-blockdev-amend", qdict_from_fmt("{'job-id': 'j', 'node-name': 'l', 'options': {'driver': 'luks', "
                                                  "'state': 'inactive', 'old-secret': 's0'}}"));
    check_true(t, job_ends(&vm, "j"), "instead of the first");
    check_true(t, refused(&vm, "x-blockdev-amend", qdict_from_fmt("{'job-id': 'j', 'node-name': 'v', 'options': "
        "{'driver': 'luks', 'state': 'inactive', 'old-secret': 's0'}}")), "not of another driver");
    ok(t, &vm, "blockdev-del", qdict_from_fmt("{'node-name': 'l'}"));
    ok(t, &vm, "blockdev-add", qdict_from_fmt("{'driver': 'luks', 'file': 'lf', 'key-secret': 's1', 'node-name': 'l'}"));
    g_free(text);
    check_true(t, refused(&vm, "transaction", qdict_from_fmt(
        "{'actions': [{'type': 'blockdev-snapshot', 'data': {'node': 'fmt', 'overlay': 'o'}}, "
        "{'type': 'abort', 'data': {}}]}")), "a transaction with abort fails");
    text = disk_text(&vm, "inserted.node-name");
    check_str(t, text, "fmt", "and leaves the disk as it was");
    g_free(text);
    ok(t, &vm, "transaction", qdict_from_fmt("{'actions': [{'type': 'blockdev-snapshot', 'data': {'node': 'fmt', "
                                             "'overlay': 'o'}}]}"));
    text = disk_text(&vm, "inserted.node-name");
    check_str(t, text, "o", "the overlay is the disk now");
    g_free(text);
    check_true(t, refused(&vm, "blockdev-del", qdict_from_fmt("{'node-name': 'fmt'}")), "the base is in use");
    ok(t, &vm, "blockdev-snapshot-internal-sync", qdict_from_fmt("{'device': 'o', 'name': 's'}"));
    check_true(t, refused(&vm, "blockdev-snapshot-internal-sync", qdict_from_fmt("{'device': 'o', 'name': 's'}")),
               "a name is taken");
    ok(t, &vm, "blockdev-snapshot-delete-internal-sync", qdict_from_fmt("{'device': 'o', 'name': 's'}"));
    ok(t, &vm, "block_resize", qdict_from_fmt("{'node-name': 'o', 'size': 8388608}"));
    check_true(t, refused(&vm, "block_resize", qdict_from_fmt("{'node-name': 'o', 'size': 1}")),
               "sizes are multiples of 512");
    stop(t, &vm);
    image_must_be_sound(t, path, false, "the overlay");
    g_free(path);
}

static bool event_comes(Test *t, Vm *vm, const char *name)
{
    Error *err = NULL;
    QDict *e = qmp_wait_event(vm->q, name, 20000, &err);

    if (!e) {
        test_fail(t, "%s: %s", name, error_message(err));
        error_free(err);
        return false;
    }
    qobject_unref(e);
    return true;
}

/* As a management tool moves a disk: a copy by NBD to ourselves, pivot, and the snapshot committed again. */
TEST(block_qmp, jobs)
{
    Vm vm = { 0 };
    char *text, *path, *socket;

    main_loop_init();
    if (!with_image(t, &vm)) {
        return;
    }
    path = g_build_filename(vm.dir, "copy.qcow2", NULL);
    socket = g_build_filename(vm.dir, "nbd", NULL);
    image_create(t, path, 4 * MIB, "");
    ok(t, &vm, "blockdev-add", qdict_from_fmt("{'driver': 'qcow2', 'node-name': 'copy', 'file': {'driver': 'file', "
                                              "'filename': %s}}", path));
    check_true(t, refused(&vm, "block-export-add", qdict_from_fmt("{'type': 'nbd', 'id': 'e', 'node-name': 'copy'}")),
               "an export needs the server");
    ok(t, &vm, "nbd-server-start", qdict_from_fmt("{'addr': {'type': 'unix', 'data': {'path': %s}}}", socket));
    ok(t, &vm, "block-export-add", qdict_from_fmt("{'type': 'nbd', 'id': 'e', 'node-name': 'copy', "
                                                  "'writable': true}"));
    check_true(t, refused(&vm, "blockdev-del", qdict_from_fmt("{'node-name': 'copy'}")), "an export holds its node");
    ok(t, &vm, "block-dirty-bitmap-add", qdict_from_fmt("{'node': 'fmt', 'name': 'b', 'granularity': 65536}"));
    check_true(t, refused(&vm, "block-dirty-bitmap-add", qdict_from_fmt("{'node': 'fmt', 'name': 'b'}")),
               "a name is taken");
    check_true(t, refused(&vm, "block-export-add", qdict_from_fmt("{'type': 'nbd', 'id': 'm', 'node-name': 'fmt', "
                                                                  "'bitmaps': ['b', 'other']}")),
               "a bitmap that isn't there can't be exported");
    ok(t, &vm, "block-export-add", qdict_from_fmt("{'type': 'nbd', 'id': 'm', 'node-name': 'fmt', 'bitmaps': [{'node': "
                                                  "'fmt', 'name': 'b'}], 'allocation-depth': true}"));
    check_true(t, refused(&vm, "block-dirty-bitmap-clear", qdict_from_fmt("{'node': 'fmt', 'name': 'b'}")) &&
               refused(&vm, "nbd-server-add", qdict_from_fmt("{'device': 'fmt', 'name': 'n', 'bitmap': 'b'}")),
               "what is exported is nobody else's");
    ok(t, &vm, "block-export-del", qdict_from_fmt("{'id': 'm'}"));
    ok(t, &vm, "nbd-server-add", qdict_from_fmt("{'device': 'fmt', 'name': 'n', 'bitmap': 'b'}"));
    ok(t, &vm, "block-export-del", qdict_from_fmt("{'id': 'n'}"));
    check_true(t, refused(&vm, "transaction", qdict_from_fmt(
        "{'actions': [{'type': 'block-dirty-bitmap-clear', 'data': {'node': 'fmt', 'name': 'b'}}, "
        "{'type': 'blockdev-backup', 'data': {'device': 'fmt', 'target': 'copy', 'job-id': 'x', 'sync': 'full'}}, "
        "{'type': 'abort', 'data': {}}]}")), "a transaction with a job that is undone");
    ok(t, &vm, "blockdev-backup", qdict_from_fmt("{'device': 'fmt', 'target': 'copy', 'job-id': 'x', 'sync': "
                                                 "'incremental', 'bitmap': 'b'}"));
    event_comes(t, &vm, "BLOCK_JOB_COMPLETED");
    ok(t, &vm, "blockdev-mirror", qdict_from_fmt("{'job-id': 'm', 'device': 'fmt', 'target': 'copy', 'sync': 'full', "
                                                 "'auto-dismiss': false, 'auto-finalize': false}"));
    event_comes(t, &vm, "BLOCK_JOB_READY");
    check_true(t, refused(&vm, "blockdev-snapshot", qdict_from_fmt("{'node': 'fmt', 'overlay': 'medium'}")),
               "the disk is in use by the job");
    ok(t, &vm, "job-complete", qdict_from_fmt("{'id': 'm'}"));
    event_comes(t, &vm, "BLOCK_JOB_PENDING");
    ok(t, &vm, "job-finalize", qdict_from_fmt("{'id': 'm'}"));
    check_true(t, job_ends(&vm, "m"), "the job has ended well, and is dismissed");
    text = disk_text(&vm, "inserted.node-name");
    check_str(t, text, "copy", "the copy is the disk now");
    g_free(text);
    text = g_build_filename(vm.dir, "top.qcow2", NULL);
    ok(t, &vm, "blockdev-snapshot-sync", qdict_from_fmt("{'node-name': 'copy', 'snapshot-file': %s, "
                                                        "'snapshot-node-name': 'top'}", text));
    g_free(text);
    qmp_drop_events(vm.q);
    ok(t, &vm, "block-commit", qdict_from_fmt("{'job-id': 'c', 'device': 'top', 'base-node': 'copy'}"));
    event_comes(t, &vm, "BLOCK_JOB_READY");
    ok(t, &vm, "block-job-complete", qdict_from_fmt("{'device': 'c'}"));
    event_comes(t, &vm, "BLOCK_JOB_COMPLETED");
    text = disk_text(&vm, "inserted.node-name");
    check_str(t, text, "copy", "and it is again, when what was on top is committed");
    g_free(text);
    ok(t, &vm, "nbd-server-stop", NULL);
    stop(t, &vm);
    g_free(path);
    g_free(socket);
}

TEST(block_qmp, limits_and_media)
{
    Vm vm = { 0 };
    QObject *o;
    int64_t v = 0;

    main_loop_init();
    if (!with_image(t, &vm)) {
        return;
    }
    ok(t, &vm, "block_set_io_throttle", qdict_from_fmt("{'id': 'hd', 'bps': 0, 'bps_rd': 0, 'bps_wr': 0, "
                                                       "'iops': 100, 'iops_rd': 0, 'iops_wr': 0}"));
    o = disk(&vm, "inserted.iops");
    check_true(t, o && qobject_get_int(o, "", &v, NULL) && v == 100, "limits are shown");
    qobject_unref(o);
    check_true(t, refused(&vm, "block_set_io_throttle", qdict_from_fmt(
        "{'id': 'hd', 'bps': 1, 'bps_rd': 1, 'bps_wr': 0, 'iops': 0, 'iops_rd': 0, 'iops_wr': 0}")),
        "totals exclude parts");
    ok(t, &vm, "object-add", qdict_from_fmt("{'qom-type': 'throttle-group', 'id': 'g', "
                                            "'limits': {'bps-total': 1000000}}"));
    ok(t, &vm, "blockdev-add", qdict_from_fmt("{'driver': 'throttle', 'throttle-group': 'g', 'node-name': 'slow', "
                                              "'file': 'medium', 'read-only': true}"));
    check_true(t, refused(&vm, "object-del", qdict_from_fmt("{'id': 'g'}")), "the group is in use");

    check_true(t, refused(&vm, "blockdev-insert-medium", qdict_from_fmt("{'id': 'cd', 'node-name': 'slow'}")),
               "nothing goes into a closed tray");
    ok(t, &vm, "blockdev-open-tray", qdict_from_fmt("{'id': 'cd'}"));
    ok(t, &vm, "blockdev-insert-medium", qdict_from_fmt("{'id': 'cd', 'node-name': 'slow'}"));
    ok(t, &vm, "blockdev-close-tray", qdict_from_fmt("{'id': 'cd'}"));
    check_true(t, refused(&vm, "blockdev-remove-medium", qdict_from_fmt("{'id': 'cd'}")), "the tray is closed");
    ok(t, &vm, "blockdev-open-tray", qdict_from_fmt("{'id': 'cd'}"));
    ok(t, &vm, "blockdev-remove-medium", qdict_from_fmt("{'id': 'cd'}"));
    ok(t, &vm, "blockdev-del", qdict_from_fmt("{'node-name': 'slow'}"));
    ok(t, &vm, "object-del", qdict_from_fmt("{'id': 'g'}"));
    stop(t, &vm);
}

TEST(block_qmp, what_only_some_drivers_tell)
{
    Vm vm = { 0 };
    g_autofree char *raw = g_build_filename(test_tmpdir(t), "raw", NULL);
    g_autofree char *zeros = g_malloc0(MIB);
    QObject *o;

    main_loop_init();
    if (!g_file_set_contents(raw, zeros, MIB, NULL) || !with_image(t, &vm)) {
        return;
    }
    ok(t, &vm, "blockdev-add", qdict_from_fmt("{'driver': 'file', 'filename': %s, 'node-name': 'raw', 'discard': 'unmap'}", raw));
    ok(t, &vm, "block-dirty-bitmap-add", qdict_from_fmt("{'node': 'fmt', 'name': 'kept', 'persistent': true, "
                                                        "'granularity': 65536}"));
    ok(t, &vm, "block-dirty-bitmap-add", qdict_from_fmt("{'node': 'fmt', 'name': 'passing'}"));
    o = disk(&vm, "inserted.image.format-specific.data.bitmaps");
    if (check_true(t, o && qobject_to_list(o) && qlist_size(qobject_to_list(o)) == 1, "a qcow2 image keeps one bitmap")) {
        QDict *b = qobject_to_dict(qlist_get(qobject_to_list(o), 0));

        check_str(t, qdict_str_or(b, "name", ""), "kept", "its name");
        check_int(t, qdict_int_or(b, "granularity", 0), 65536, "bytes a bit");
        check_int(t, qlist_size(qobject_to_list(qdict_get(b, "flags"))), 2, "in use, and written to");
    }
    qobject_unref(o);
    ok(t, &vm, "human-monitor-command", qdict_from_fmt("{'command-line': 'qemu-io raw \"discard 0 64k\"'}"));
    o = qmp_cmd(vm.q, "query-blockstats", qdict_from_fmt("{'query-nodes': true}"), NULL);
    QLIST_FOR_EACH(e, qobject_to_list(o)) {
        const QDict *d = qobject_to_dict(e);

        if (!strcmp(qdict_str_or(d, "node-name", ""), "raw")) {
            check_str(t, qdict_str_or(d, "driver-specific.driver", ""), "file", "a file has numbers of its own");
            check_int(t, qdict_int_or(d, "driver-specific.discard-nb-ok", 0) +
                         qdict_int_or(d, "driver-specific.discard-nb-failed", 0), 1, "one discard");
        } else if (!strcmp(qdict_str_or(d, "node-name", ""), "fmt")) {
            check_true(t, !qdict_has(d, "driver-specific"), "others don't");
        }
    }
    qobject_unref(o);
    stop(t, &vm);
}

TEST(block_qmp, snapshot_option)
{
    Vm vm = { 0 };
    char *path = g_build_filename(test_tmpdir(t), "r.raw", NULL), *text;

    main_loop_init();
    g_file_set_contents(path, "x", 1, NULL);
    if (truncate(path, 1024 * 1024) < 0 ||
        !start(t, &vm, "-snapshot -drive file=@DIR/r.raw,format=raw,if=none,id=d -device ide-hd,drive=d,id=hd")) {
        return;
    }
    text = disk_text(&vm, "inserted.drv");
    check_str(t, text, "qcow2", "-snapshot puts an image on top");
    g_free(text);
    text = disk_text(&vm, "inserted.backing_file");
    check_str(t, text, path, "of the one that was given");
    g_free(text);
    stop(t, &vm);
    g_free(path);
}
