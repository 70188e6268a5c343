/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts a virtual machine and shows its events until it ends.
 *
 *     cc watch-events.c $(pkg-config --cflags --libs libqmp) -o watch-events
 *     ./watch-events qemu-system-x86_64 -M pc -display none
 *
 * The machine is reset once, so that there is something to see, and ended after that.
 */
#include <libqmp/qmp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_reset(QmpClient *c, bool guest, ShutdownCause reason, void *user_data)
{
    (void)c;
    (void)user_data;
    printf("reset by the %s: %s\n", guest ? "guest" : "host", ShutdownCause_name(reason));
}

static void on_other(QmpClient *c, const QDict *event, void *opaque)
{
    (void)c;
    (void)opaque;
    printf("event %s\n", qdict_str_or(event, "event", "?"));
}

static void status_done(QmpClient *c, StatusInfo *status, Error *err, void *user_data)
{
    (void)c;
    (void)user_data;
    if (status) {
        printf("status: %s\n", RunState_name(status->status));
    } else {
        printf("no status: %s\n", error_message(err));
    }
    qapi_free_StatusInfo(status);
    error_free(err);
}

/* The command line with a monitor on @fd. */
static int start(int argc, char **argv, int fd)
{
    char **args = calloc(argc + 8, sizeof(*args));
    char chardev[64];
    int n = 0;

    snprintf(chardev, sizeof(chardev), "socket,id=qmp,fd=%d", fd);
    for (int i = 1; i < argc; i++) {
        args[n++] = argv[i];
    }
    args[n++] = "-chardev";
    args[n++] = chardev;
    args[n++] = "-mon";
    args[n++] = "chardev=qmp,mode=control";
    execvp(args[0], args);
    perror(args[0]);
    _exit(127);
}

int main(int argc, char **argv)
{
    Error *err = NULL;
    int pair[2], status;
    QmpClient *c;

    if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        fprintf(stderr, "usage: %s EMULATOR [ARGUMENT]...\n", argv[0]);
        return 2;
    }
    if (fork() == 0) {
        close(pair[0]);
        start(argc, argv, pair[1]);
    }
    close(pair[1]);
    c = qmp_client_new_fd(pair[0], 10000, &err);
    if (!c) {
        fprintf(stderr, "%s\n", error_message(err));
        error_free(err);
        return 1;
    }
    qmpc_on_reset(c, on_reset, NULL);
    qmp_client_on_event(c, NULL, on_other, NULL, NULL);
    qmpc_query_status_async(c, status_done, NULL, NULL);
    if (!qmpc_system_reset(c, &err)) {
        fprintf(stderr, "%s\n", error_message(err));
        error_free(err);
        err = NULL;
    }
    /* A second is enough to see what follows; then end it, and read on until it has gone. */
    qobject_unref(qmp_wait_event(c, "NO-SUCH-EVENT", 1000, NULL));
    qmpc_quit(c, NULL);
    qobject_unref(qmp_wait_event(c, "NO-SUCH-EVENT", 5000, NULL));
    qmp_client_free(c);
    wait(&status);
    return 0;
}
