/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about images in use, memory and CPUs, as people and tools give them to a whole emulator. */
#include "util/osdep.h"
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libqmp/qmp-client.h"
#include "qobject/json.h"
#include "tests/lib/image.h"
#include "tests/lib/test.h"

#define WAIT_MS     30000

typedef struct Vm {
    pid_t pid;
    QmpClient *q;
    char *base, *top, *out;     /* file names */
} Vm;

/* A disk of two images, "d0", that a device has; a node "n0" of nothing. */
static bool start(Test *t, Vm *vm)
{
    const char *dir = test_tmpdir(t);
    g_autofree char *drive = NULL, *fd = NULL, *raw = NULL;
    Error *err = NULL;
    int pair[2];

    vm->base = g_build_filename(dir, "base.raw", NULL);
    vm->top = g_build_filename(dir, "top.qcow2", NULL);
    vm->out = g_build_filename(dir, "out", NULL);
    main_loop_init();
    raw = g_malloc0(4 * 1024 * 1024);
    if (!g_file_set_contents(vm->base, raw, 4 * 1024 * 1024, NULL) ||
        !block_create_qcow2(vm->top, 4 * 1024 * 1024, vm->base, "raw", &err) ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        error_free(err);
        return false;
    }
    drive = g_strdup_printf("file=%s,if=none,id=d0", vm->top);
    fd = g_strdup_printf("socket,id=m,fd=%d", pair[0]);
    vm->pid = fork();
    if (vm->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[1]);
        execl(test_qemu_bin(), "qemu-system-x86_64", "-M", "pc", "-m", "64", "-S", "-display", "none", "-nodefaults",
              "-no-reboot", "-drive", drive, "-device", "virtio-blk-pci,drive=d0,id=v0", "-blockdev",
              "null-co,node-name=n0,size=1048576", "-audiodev", "none,id=a0", "-chardev", fd, "-mon",
              "chardev=m,mode=control", NULL);
        _exit(127);
    }
    close(pair[0]);
    vm->q = qmp_client_new_fd(pair[1], WAIT_MS, NULL);
    return check_true(t, vm->q != NULL, "it starts");
}

static void stop(Test *t, Vm *vm)
{
    int status = -1;

    if (vm->q) {
        qmp_cmd_ok(vm->q, "quit", NULL, NULL);
        waitpid(vm->pid, &status, 0);
        check_int(t, status, 0, "it ends well");
        qmp_client_free(vm->q);
    }
    g_free(vm->base);
    g_free(vm->top);
    g_free(vm->out);
}

/* A line of the human monitor shows @expected ("": nothing at all). */
static void shows(Test *t, Vm *vm, const char *line, const char *expected)
{
    QObject *o = qmp_cmd(vm->q, "human-monitor-command", qdict_from_fmt("{'command-line': %s}", line), NULL);
    const char *text = qobject_to_string(o) ? qstring_value(o) : "no answer";

    if (*expected ? !strstr(text, expected) : *text) {
        test_fail(t, "%s: '%s', not '%s'", line, text, expected);
    }
    qobject_unref(o);
}

static void refused(Test *t, Vm *vm, const char *command, QDict *args, ErrorCode code)
{
    Error *err = NULL;

    if (qmp_cmd_ok(vm->q, command, args, &err) || error_code(err) != code) {
        test_fail(t, "%s: %s; expected: %s", command, err ? error_message(err) : "accepted", error_code_name(code));
    }
    error_free(err);
}

static bool ok(Vm *vm, const char *command, QDict *args)
{
    return qmp_cmd_ok(vm->q, command, args, NULL);
}

TEST(disk_commands, requests_and_commit)
{
    Vm vm = { 0 };
    g_autofree char *data = NULL;
    gsize len = 0;

    if (!start(t, &vm)) {
        return;
    }
    shows(t, &vm, "qemu-io d0 \"write -P 7 64k 128k\"", "wrote 131072/131072 bytes at offset 65536");
    shows(t, &vm, "qemu-io d0 \"read -P 7 64k 128k\"", "read 131072/131072 bytes at offset 65536");
    shows(t, &vm, "qemu-io d0 \"read -P 8 64k 4k\"", "Pattern verification failed at offset 65536, 4096 bytes");
    shows(t, &vm, "qemu-io d0 \"read -P 7 -s 512 -l 512 65024 4k\"", "read 4096/4096");
    shows(t, &vm, "qemu-io d0 \"alloc 0 1M\"", "131072/1048576 bytes allocated at offset 0 bytes");
    shows(t, &vm, "qemu-io d0 \"read 4M 512\"", "read failed: Input/output error");
    shows(t, &vm, "qemu-io d0 \"read x 512\"", "non-numeric");
    shows(t, &vm, "qemu-io d0 \"read 0 17M\"", "length cannot exceed 16777216");
    shows(t, &vm, "qemu-io d0 \"write -P 256 0 1\"", "256 is not a valid pattern byte");
    shows(t, &vm, "qemu-io d0 \"write -P\"", "option requires an argument");
    shows(t, &vm, "qemu-io d0 \"read\"", "bad argument count 0 to read, expected 2 arguments");
    shows(t, &vm, "qemu-io d0 \"fly 1\"", "command \"fly\" not found");
    shows(t, &vm, "qemu-io nix \"read 0 1\"", "Device 'nix' not found");

    shows(t, &vm, "commit d0", "");
    shows(t, &vm, "qemu-io d0 \"alloc 0 1M\"", "0/1048576 bytes allocated");
    shows(t, &vm, "qemu-io d0 \"read -P 7 64k 128k\"", "read 131072/131072");
    check_true(t, g_file_get_contents(vm.base, &data, &len, NULL) && len == 4 * 1024 * 1024 && data[65536] == 7 &&
               data[65536 + 131071] == 7 && data[65535] == 0, "the image below has it");
    shows(t, &vm, "commit all", "");
    shows(t, &vm, "commit nix", "Device 'nix' not found");

    shows(t, &vm, "drive_del d0", "");
    shows(t, &vm, "info block", "[not inserted]");
    shows(t, &vm, "drive_del d0", "Device 'd0' not found");
    stop(t, &vm);
}

TEST(disk_commands, looking)
{
    Vm vm = { 0 };
    QDict *event;
    QObject *o;

    if (!start(t, &vm)) {
        return;
    }
    check_true(t, ok(&vm, "block-set-write-threshold", qdict_from_fmt("{'node-name': 'n0', 'write-threshold': %d}", 5000)),
               "a threshold");
    shows(t, &vm, "qemu-io n0 \"write 0 4k\"", "wrote");
    shows(t, &vm, "qemu-io n0 \"write 4k 4k\"", "wrote");
    event = qmp_wait_event(vm.q, "BLOCK_WRITE_THRESHOLD", WAIT_MS, NULL);
    check_true(t, event && qdict_int_or(qobject_to_dict(qdict_get(event, "data")), "amount-exceeded", 0) == 8192 - 5000,
               "the second write goes beyond");
    qobject_unref(event);
    refused(t, &vm, "block-set-write-threshold", qdict_from_fmt("{'node-name': 'nix', 'write-threshold': %d}", 1),
            ERR_NO_SUCH_BACKEND);

    check_true(t, ok(&vm, "block-latency-histogram-set",
                     qdict_from_fmt("{'id': '/machine/peripheral/v0/virtio-backend', 'boundaries': [1, 60000000000]}")),
               "bins");
    shows(t, &vm, "qemu-io d0 \"read 0 4k\"", "read");
    o = qmp_cmd(vm.q, "query-blockstats", NULL, NULL);
    {
        const QDict *stats = NULL, *h;
        const QList *bins;

        QLIST_FOR_EACH(e, qobject_to_list(o)) {
            const QDict *d = qobject_to_dict(e);

            stats = strcmp(qdict_str_or(d, "device", ""), "d0") ? stats
                    : qobject_to_dict(qdict_get(d, "stats"));
        }
        h = stats ? qobject_to_dict(qdict_get(stats, "rd_latency_histogram")) : NULL;
        bins = h ? qobject_to_list(qdict_get(h, "bins")) : NULL;
        check_true(t, bins && qlist_size(bins) == 3, "three bins");
        check_true(t, stats && qdict_has(stats, "flush_latency_histogram"), "of each kind");
    }
    qobject_unref(o);
    refused(t, &vm, "block-latency-histogram-set",
            qdict_from_fmt("{'id': '/machine/peripheral/v0/virtio-backend', 'boundaries': [5, 5]}"), ERR_INVALID_ARGUMENT);

    /* The sums are those that the distribution's emulator gives for the same bits. */
    check_true(t, ok(&vm, "block-dirty-bitmap-add", qdict_from_fmt("{'node': 'n0', 'name': 'b'}")), "a bitmap");
    o = qmp_cmd(vm.q, "x-debug-block-dirty-bitmap-sha256", qdict_from_fmt("{'node': 'n0', 'name': 'b'}"), NULL);
    check_str(t, qdict_str_or(qobject_to_dict(o), "sha256", ""),
              "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc", "of 64 clear bits");
    qobject_unref(o);

    o = qmp_cmd(vm.q, "x-debug-query-block-graph", NULL, NULL);
    check_true(t, o && qlist_size(qobject_to_list(qdict_get(qobject_to_dict(o), "nodes"))) == 6 &&
               qlist_size(qobject_to_list(qdict_get(qobject_to_dict(o), "edges"))) == 4,
               "a back end, its image, the one below, their files, and a node of nobody");
    qobject_unref(o);
    stop(t, &vm);
}

TEST(disk_commands, nbd)
{
    Vm vm = { 0 };
    g_autofree char *line = NULL;

    if (!start(t, &vm)) {
        return;
    }
    line = g_strdup_printf("nbd_server_start -a -w unix:%s", vm.out);
    shows(t, &vm, "nbd_server_start -w unix:x", "-w only valid together with -a");
    shows(t, &vm, "nbd_server_add d0", "NBD server not running");
    shows(t, &vm, line, "");
    shows(t, &vm, "nbd_server_add d0 two", "");
    shows(t, &vm, "nbd_server_add nix", "Error");
    shows(t, &vm, "nbd_server_remove -f two", "");
    shows(t, &vm, "nbd_server_stop", "");
    shows(t, &vm, "nbd_server_stop", "NBD server not running");
    stop(t, &vm);
}

TEST(disk_commands, memory_to_files)
{
    Vm vm = { 0 };
    g_autofree char *line = NULL;
    struct stat st = { 0 };

    if (!start(t, &vm)) {
        return;
    }
    check_true(t, ok(&vm, "pmemsave", qdict_from_fmt("{'val': 0, 'size': %d, 'filename': %s}", 3 * 1024 * 1024 + 5, vm.out)),
               "pmemsave");
    check_true(t, stat(vm.out, &st) == 0 && st.st_size == 3 * 1024 * 1024 + 5, "all of it");
    check_true(t, ok(&vm, "memsave", qdict_from_fmt("{'val': %d, 'size': 16, 'filename': %s}", 0xffff0, vm.out)), "memsave");
    check_true(t, stat(vm.out, &st) == 0 && st.st_size == 16, "written anew");
    refused(t, &vm, "pmemsave", qdict_from_fmt("{'val': 0, 'size': -1, 'filename': %s}", vm.out), ERR_OUT_OF_RANGE);
    refused(t, &vm, "pmemsave", qdict_from_fmt("{'val': 0, 'size': 9223372036854775807, 'filename': %s}", vm.out),
            ERR_OUT_OF_RANGE);
    refused(t, &vm, "memsave", qdict_from_fmt("{'val': 0, 'size': 1, 'cpu-index': 7, 'filename': %s}", vm.out),
            ERR_OUT_OF_RANGE);
    /* A pipe that nobody reads isn't waited for. */
    g_unlink(vm.out);
    check_true(t, mkfifo(vm.out, 0600) == 0, "a pipe");
    refused(t, &vm, "pmemsave", qdict_from_fmt("{'val': 0, 'size': 10, 'filename': %s}", vm.out), ERR_HOST);
    line = g_strdup_printf("pmemsave 0 100 \"%s\"", vm.out);
    shows(t, &vm, line, "Could not open");
    stop(t, &vm);
}

TEST(disk_commands, machine)
{
    Vm vm = { 0 };
    g_autofree char *line = NULL, *wav = NULL;
    QDict *event;
    gsize len = 0;

    if (!start(t, &vm)) {
        return;
    }
    shows(t, &vm, "boot_set nd", "boot device list now set to nd");
    shows(t, &vm, "boot_set dd", "accepted: letters a to p, each once");
    shows(t, &vm, "boot_set p", "Invalid boot device for PC");
    shows(t, &vm, "singlestep", "");
    shows(t, &vm, "info status", "single step mode");
    shows(t, &vm, "singlestep maybe", "unexpected option maybe");
    shows(t, &vm, "singlestep off", "");
    line = g_strdup_printf("wavcapture \"%s\" a0 8000 8 1", vm.out);
    shows(t, &vm, line, "");
    shows(t, &vm, "info capture", "[0]: Capturing audio(8000,8,1) of a0");
    shows(t, &vm, "wavcapture x a0 5", "'freq' is 5; accepted: 1000 to 384000");
    shows(t, &vm, "wavcapture x nix", "there is no audiodev 'nix'");
    shows(t, &vm, "stopcapture 1", "there is no capture 1");
    shows(t, &vm, "stopcapture 0", "");
    check_true(t, g_file_get_contents(vm.out, &wav, &len, NULL) && len >= 44 && !memcmp(wav, "RIFF", 4), "a sound file");

    refused(t, &vm, "calc-dirty-rate", qdict_from_fmt("{'calc-time': 0}"), ERR_OUT_OF_RANGE);
    refused(t, &vm, "calc-dirty-rate", qdict_from_fmt("{'calc-time': 1, 'mode': 'dirty-ring'}"), ERR_NOT_SUPPORTED);
    check_true(t, ok(&vm, "calc-dirty-rate", qdict_from_fmt("{'calc-time': 1}")), "calc-dirty-rate");
    refused(t, &vm, "calc-dirty-rate", qdict_from_fmt("{'calc-time': 1}"), ERR_WRONG_STATE);
    shows(t, &vm, "info dirty_rate", "Status: measuring");
    refused(t, &vm, "migrate-recover", qdict_from_fmt("{'uri': 'tcp:0:1'}"), ERR_WRONG_STATE);

    shows(t, &vm, "mce 0 99 0 0 0 0", "bank 99 isn't there; accepted: 0 to 9");
    shows(t, &vm, "mce 0 1 1 0 0 0", "bit 63 must be set");
    shows(t, &vm, "mce 5 1 0 0 0 0", "there is no CPU 5");
    shows(t, &vm, "mce -b 0 1 0x8000000000000000 0 0 0", "");
    /* The firmware hasn't switched machine checks on: the CPU shuts down, which the board answers with a reset. */
    check_true(t, ok(&vm, "cont", NULL), "cont");
    shows(t, &vm, "mce 0 1 0xb200000000000000 5 0 0", "");
    event = qmp_wait_event(vm.q, "SHUTDOWN", WAIT_MS, NULL);
    check_true(t, event != NULL, "an uncorrected error");
    qobject_unref(event);
    qmp_client_free(vm.q);
    vm.q = NULL;
    waitpid(vm.pid, NULL, 0);
    stop(t, &vm);
}
