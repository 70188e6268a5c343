/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -preconfig: a monitor before the machine, NUMA nodes told by it, and the machine that comes of it. */
#include "util/osdep.h"
#include <glib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libqmp/qmp-client.h"
#include "qobject/json.h"
#include "tests/lib/test.h"

#define WAIT_MS     20000

static pid_t start(QmpClient **q)
{
    int pair[2];
    pid_t pid;
    char chardev[64];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        return -1;
    }
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[1]);
        snprintf(chardev, sizeof(chardev), "socket,id=q,fd=%d", pair[0]);
        execl(test_qemu_bin(), "qemu-system-x86_64", "-M", "pc", "-m", "128", "-smp", "2,sockets=2",
              "-object", "memory-backend-ram,id=low,size=96M", "-object", "memory-backend-ram,id=high,size=32M",
              "-display", "none", "-nodefaults", "-S", "-preconfig", "-chardev", chardev,
              "-mon", "chardev=q,mode=control", NULL);
        _exit(127);
    }
    close(pair[0]);
    *q = qmp_client_new_fd(pair[1], WAIT_MS, NULL);
    return pid;
}

static int end_of(pid_t pid)
{
    int status = 0;

    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* @json in the form of qdict_from_fmt(), without values. */
static bool run(QmpClient *q, const char *command, const char *json)
{
    return qmp_cmd_ok(q, command, json ? qdict_from_fmt(json) : NULL, NULL);
}

static void refused(Test *t, QmpClient *q, const char *command, const char *json, ErrorCode code)
{
    Error *err = NULL;
    bool ok = qmp_cmd_ok(q, command, json ? qdict_from_fmt(json) : NULL, &err);

    if (ok || error_code(err) != code) {
        test_fail(t, "%s %s: %s; expected: %s", command, json ? json : "", ok ? "accepted" : error_message(err),
                  error_code_name(code));
    }
    error_free(err);
}

static char *hmp(QmpClient *q, const char *line)
{
    QObject *o = qmp_cmd(q, "human-monitor-command", qdict_from_fmt("{'command-line': %s}", line), NULL);
    char *text = g_strdup(qobject_to_string(o) ? qstring_value(o) : "");

    qobject_unref(o);
    return text;
}

TEST(preconfig, nodes_and_then_a_machine)
{
    QmpClient *q = NULL;
    pid_t pid = start(&q);
    char *text;

    if (!check_true(t, pid > 0 && q, "it starts")) {
        return;
    }
    check_true(t, run(q, "query-status", NULL), "a command that is allowed");
    check_true(t, run(q, "query-hotpluggable-cpus", NULL), "the places of CPUs");
    refused(t, q, "query-cpus-fast", NULL, ERR_WRONG_STATE);
    refused(t, q, "cont", NULL, ERR_WRONG_STATE);
    refused(t, q, "human-monitor-command", "{'command-line': 'info pci'}", ERR_WRONG_STATE);

    refused(t, q, "set-numa-node", "{'type': 'dist', 'src': 0, 'dst': 1, 'val': 20}", ERR_OUT_OF_RANGE);
    refused(t, q, "set-numa-node", "{'type': 'node', 'memdev': 'none'}", ERR_NO_SUCH_OBJECT);
    refused(t, q, "set-numa-node", "{'type': 'node', 'nodeid': 7}", ERR_INVALID_ARGUMENT);
    refused(t, q, "set-numa-node", "{'type': 'node', 'cpus': [0, 2]}", ERR_OUT_OF_RANGE);
    check_true(t, run(q, "set-numa-node", "{'type': 'node', 'memdev': 'low', 'cpus': [1]}"), "a node");
    refused(t, q, "set-numa-node", "{'type': 'node', 'cpus': [0, 1]}", ERR_IN_USE);
    check_true(t, run(q, "set-numa-node", "{'type': 'node', 'memdev': 'high'}"), "another one");
    refused(t, q, "set-numa-node", "{'type': 'cpu', 'socket-id': 0}", ERR_MISSING_ARGUMENT);
    refused(t, q, "set-numa-node", "{'type': 'cpu', 'node-id': 1, 'socket-id': 5}", ERR_OUT_OF_RANGE);
    check_true(t, run(q, "set-numa-node", "{'type': 'cpu', 'node-id': 1, 'socket-id': 0}"), "a CPU");
    refused(t, q, "set-numa-node", "{'type': 'dist', 'src': 0, 'dst': 1, 'val': 10}", ERR_OUT_OF_RANGE);
    check_true(t, run(q, "set-numa-node", "{'type': 'dist', 'src': 0, 'dst': 1, 'val': 31}"), "a distance");

    check_true(t, run(q, "x-exit-preconfig", NULL), "the machine is made");
    refused(t, q, "x-exit-preconfig", NULL, ERR_WRONG_STATE);
    refused(t, q, "set-numa-node", "{'type': 'node'}", ERR_WRONG_STATE);
    text = hmp(q, "info numa");
    check_true(t, strstr(text, "2 nodes") && strstr(text, "node 0 cpus: 1\r\nnode 0 size: 96 MB") &&
               strstr(text, "node 1 cpus: 0\r\nnode 1 size: 32 MB"), "its nodes");
    g_free(text);
    check_true(t, run(q, "query-cpus-fast", NULL), "the other commands");
    check_true(t, run(q, "quit", NULL), "it ends");
    check_int(t, end_of(pid), 0, "status");
    qmp_client_free(q);
}

TEST(preconfig, end_without_a_machine)
{
    QmpClient *q = NULL;
    pid_t pid = start(&q);

    if (check_true(t, pid > 0 && q, "it starts")) {
        check_true(t, run(q, "quit", NULL), "it ends");
        check_int(t, end_of(pid), 0, "status");
        qmp_client_free(q);
    }
}

TEST(preconfig, a_machine_that_cannot_be_made)
{
    QmpClient *q = NULL;
    pid_t pid = start(&q);
    Error *err = NULL;

    if (!check_true(t, pid > 0 && q, "it starts")) {
        return;
    }
    /* Less memory than the machine has. */
    check_true(t, run(q, "set-numa-node", "{'type': 'node', 'memdev': 'low'}"), "a node");
    check_true(t, !qmp_cmd_ok(q, "x-exit-preconfig", NULL, &err), "it can't be made");
    check_true(t, err && strstr(error_message(err), "total memory"), "the answer says why");
    error_free(err);
    check_int(t, end_of(pid), 1, "status");
    qmp_client_free(q);
}
