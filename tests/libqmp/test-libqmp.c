/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client library: against a server made of a script (a recorded session of QEMU 7.2 among them),
 * and against this emulator.
 */
#include "util/osdep.h"
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libqmp/qmp-glib.h"
#include "libqmp/qmp.h"
#include "qobject/json.h"
#include "tests/lib/test.h"

#define WAIT_MS     120000

#define GREETING "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, " \
    "\"package\": \"Debian 1:7.2+dfsg-7\"}, \"capabilities\": [\"oob\"]}}\r\n"

/* ------------------------------------------------------ a server by script */

/* What it says to a command; %s is the id. Nothing: it stays silent. */
typedef struct Line {
    const char *command, *text;
} Line;

typedef struct Server {
    int fd;
    const Line *script;
    pthread_t thread;
    int received_fd;
} Server;

static QObject *next_request(Server *s, JsonReader *r)
{
    char control[CMSG_SPACE(sizeof(int))], buf[4096];
    QObject *value = NULL;
    Error *err = NULL;

    while (!json_reader_next(r, &value, &err)) {
        struct iovec iov = { buf, sizeof(buf) };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof(control) };
        ssize_t n = recvmsg(s->fd, &msg, 0);

        if (n <= 0) {
            return NULL;
        }
        if (CMSG_FIRSTHDR(&msg)) {
            memcpy(&s->received_fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
        }
        json_reader_feed(r, buf, n);
    }
    error_free(err);
    return value;
}

static void *serve(void *opaque)
{
    Server *s = opaque;
    JsonReader *r = json_reader_new(NULL);
    QObject *o;

    if (write(s->fd, GREETING, strlen(GREETING)) < 0) {
        return NULL;
    }
    while ((o = next_request(s, r))) {
        const QDict *d = qobject_to_dict(o);
        const char *name = qdict_str_or(d, "execute", qdict_str_or(d, "exec-oob", ""));
        g_autofree char *id = g_strdup_printf("%" PRId64, qdict_int_or(d, "id", -1));
        bool done = false;

        for (const Line *l = s->script; l->command && !done; l++) {
            g_auto(GStrv) parts = g_strsplit(l->text, "%s", -1);
            g_autofree char *text = g_strjoinv(id, parts);

            if (!strcmp(l->command, name)) {
                done = true;
                if (!strcmp(l->text, "close") || write(s->fd, text, strlen(text)) < 0) {
                    shutdown(s->fd, SHUT_RDWR);
                }
            }
        }
        qobject_unref(o);
    }
    json_reader_free(r);
    close(s->fd);
    return NULL;
}

#define CAPS { "qmp_capabilities", "{\"return\": {}, \"id\": %s}\r\n" }

static QmpClient *connect_script(Test *t, Server *s, const Line *script, int timeout_ms)
{
    int pair[2];
    Error *err = NULL;
    QmpClient *c;

    memset(s, 0, sizeof(*s));
    s->received_fd = -1;
    if (!check_true(t, socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "a pair of sockets")) {
        return NULL;
    }
    s->fd = pair[0];
    s->script = script;
    pthread_create(&s->thread, NULL, serve, s);
    c = qmp_client_new_fd(pair[1], timeout_ms, &err);
    check_true(t, c != NULL, err ? error_message(err) : "connects");
    error_free(err);
    return c;
}

static void end_script(QmpClient *c, Server *s)
{
    qmp_client_free(c);
    pthread_join(s->thread, NULL);
    if (s->received_fd >= 0) {
        close(s->received_fd);
    }
}

/* -------------------------------------------------------- recorded session */

/* Answers of Debian's QEMU 7.2; what this schema doesn't have is passed over. */
static const Line recorded[] = {
    CAPS,
    { "query-status", "{\"return\": {\"status\": \"running\", \"singlestep\": false, \"running\": true}, "
      "\"id\": %s}\r\n" },
    { "query-name", "{\"id\": %s, \"return\": {\"name\": \"one\", \"brand-new\": [1, {\"x\": null}]}}\r\n" },
    { "query-block", "{\"return\": [{\"io-status\": \"ok\", \"device\": \"ide1-cd0\", \"locked\": false, "
      "\"removable\": true, \"qdev\": \"/machine/unattached/device[23]\", \"tray_open\": false, "
      "\"type\": \"unknown\"}], \"id\": %s}\r\n" },
    { "stop", "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"STOP\"}\r\n"
      "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 3}, \"event\": \"SHUTDOWN\", \"data\": "
      "{\"guest\": true, \"reason\": \"guest-reset\", \"more\": 1}}\r\n{\"return\": {}, \"id\": %s}\r\n" },
    { "device_del", "{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"Device 'x' not found\"}, "
      "\"id\": %s}\r\n" },
    { "query-kvm", "{\"return\": {\"enabled\": \"maybe\"}, \"id\": %s}\r\n" },
    { "query-uuid", "{\"return\": {\"UUID\": \"\\ud83d\\ude00\"}, \"id\": %s}\r\n" },
    { "query-iothreads", "" },
    { "getfd", "{\"return\": {}, \"id\": %s}\r\n" },
    { "yank", "{\"return\": {}, \"id\": %s}\r\n" },
    { "quit", "close" },
    { NULL, NULL }
};

TEST(libqmp, typed_answers)
{
    Server s;
    QmpClient *c = connect_script(t, &s, recorded, WAIT_MS);
    Error *err = NULL;
    StatusInfo *st = qmpc_query_status(c, &err);
    NameInfo *n = qmpc_query_name(c, &err);
    BlockInfoList *b = qmpc_query_block(c, &err);
    KvmInfo *k;

    check_true(t, st && st->running && st->status == RUN_STATE_RUNNING, "a struct with an enum");
    check_str(t, n ? n->name : NULL, "one", "members that are not known are passed over");
    check_true(t, b && b->n == 1 && !strcmp(b->items[0]->device, "ide1-cd0"), "a list");
    qapi_free_StatusInfo(st);
    qapi_free_NameInfo(n);
    qapi_free_BlockInfoList(b);
    check_true(t, !err, "no error so far");
    k = qmpc_query_kvm(c, &err);
    check_true(t, !k && error_code(err) == ERR_PROTOCOL, "an answer of the wrong type is told");
    error_free(err);
    err = NULL;
    check_true(t, !qmpc_device_del(c, "x", &err), "the server's errors");
    check_int(t, error_class(err), ERROR_CLASS_DEVICE_NOT_FOUND, "with their class");
    check_str(t, error_message(err), "Device 'x' not found", "and text");
    error_free(err);
    end_script(c, &s);
}

static void on_shutdown(UNUSED QmpClient *c, bool guest, ShutdownCause reason, void *user_data)
{
    *(int *)user_data = guest ? (int)reason : -1;
}

TEST(libqmp, typed_events)
{
    Server s;
    QmpClient *c = connect_script(t, &s, recorded, WAIT_MS);
    int reason = -2;
    QDict *e;

    qmpc_on_shutdown(c, on_shutdown, &reason);
    check_true(t, qmpc_stop(c, NULL), "stop");
    check_int(t, reason, SHUTDOWN_CAUSE_GUEST_RESET, "the callback has run");
    e = qmp_wait_event(c, "STOP", 0, NULL);
    check_true(t, e != NULL, "the other event was kept");
    qobject_unref(e);
    qmpc_on_shutdown(c, NULL, NULL);
    reason = -2;
    qmpc_stop(c, NULL);
    check_int(t, reason, -2, "no callback any more");
    e = qmp_wait_event(c, "SHUTDOWN", 0, NULL);
    check_true(t, e != NULL, "it is kept now");
    qobject_unref(e);
    end_script(c, &s);
}

typedef struct Answers {
    int n, errors;
    char *name;
} Answers;

static void name_done(UNUSED QmpClient *c, NameInfo *result, Error *err, void *user_data)
{
    Answers *a = user_data;

    a->n++;
    a->errors += err != NULL;
    if (result) {
        g_free(a->name);
        a->name = g_strdup(result->name);
    }
    qapi_free_NameInfo(result);
    error_free(err);
}

static void stop_done(QmpClient *c, Error *err, void *user_data)
{
    Answers *a = user_data;

    a->n++;
    a->errors += err != NULL;
    error_free(err);
    /* A callback may ask again. */
    qmpc_query_name_async(c, name_done, a, NULL);
}

TEST(libqmp, without_waiting)
{
    Server s;
    QmpClient *c = connect_script(t, &s, recorded, WAIT_MS);
    Answers a = { 0, 0, NULL };

    check_true(t, qmpc_stop_async(c, stop_done, &a, NULL) > 0, "a command on its way");
    check_true(t, qmpc_query_name_async(c, name_done, &a, NULL) > 0, "and another");
    while (a.n < 3) {
        struct pollfd p = { qmp_client_fd(c), qmp_client_poll_events(c), 0 };

        if (!check_true(t, poll(&p, 1, qmp_client_poll_timeout(c)) >= 0 && qmp_client_dispatch(c, NULL),
                        "poll")) {
            break;
        }
    }
    check_int(t, a.n, 3, "three answers");
    check_int(t, a.errors, 0, "no errors");
    check_str(t, a.name, "one", "with the result");
    g_free(a.name);
    end_script(c, &s);
}

TEST(libqmp, timeouts_and_ends)
{
    Server s;
    QmpClient *c = connect_script(t, &s, recorded, WAIT_MS);
    Error *err = NULL;
    Answers a = { 0, 0, NULL };

    qmp_client_set_timeout(c, 100);
    check_true(t, !qmpc_query_iothreads(c, &err) && error_code(err) == ERR_HOST, "no answer: timeout");
    qmp_client_set_timeout(c, WAIT_MS);
    error_free(err);
    err = NULL;
    check_true(t, qmpc_stop(c, NULL), "the connection is still good");
    qmp_cmd_async(c, "query-iothreads", NULL, -1, NULL, NULL, NULL);
    check_true(t, qmpc_query_name_async(c, name_done, &a, NULL) > 0, "under way");
    check_true(t, !qmpc_quit(c, &err) && error_code(err) == ERR_EOF, "the server closes");
    error_free(err);
    err = NULL;
    check_int(t, a.n, 1, "what was under way has been told");
    check_true(t, !qmp_client_is_connected(c) && qmp_client_fd(c) < 0, "not connected");
    check_true(t, !qmpc_stop(c, &err) && error_code(err) == ERR_EOF, "and so it stays");
    error_free(err);
    err = NULL;
    check_true(t, !qmp_client_reconnect(c, &err), "a descriptor can't be connected again");
    error_free(err);
    g_free(a.name);
    end_script(c, &s);
}

TEST(libqmp, descriptors)
{
    Server s;
    QmpClient *c = connect_script(t, &s, recorded, WAIT_MS);
    int pipe_fd[2];
    char ch = 0;

    check_true(t, pipe(pipe_fd) == 0, "a pipe");
    check_true(t, qmp_client_attach_fd(c, pipe_fd[1], NULL) && qmpc_getfd(c, "p", NULL), "getfd");
    close(pipe_fd[1]);
    check_true(t, s.received_fd >= 0 && write(s.received_fd, "x", 1) == 1 &&
               read(pipe_fd[0], &ch, 1) == 1 && ch == 'x', "it has arrived");
    close(pipe_fd[0]);
    end_script(c, &s);
}

static void lost(UNUSED QmpClient *c, const Error *err, void *opaque)
{
    *(bool *)opaque = error_code(err) == ERR_EOF;
}

TEST(libqmp, in_glibs_main_loop)
{
    Server s;
    QmpClient *c = connect_script(t, &s, recorded, WAIT_MS);
    GMainContext *ctx = g_main_context_new();
    bool gone = false;
    GSource *source = qmp_client_source_new(c, lost, &gone);
    Answers a = { 0, 0, NULL };

    g_source_attach(source, ctx);
    qmpc_stop_async(c, stop_done, &a, NULL);
    while (a.n < 2) {
        g_main_context_iteration(ctx, true);
    }
    check_str(t, a.name, "one", "answers come from the loop");
    qmp_cmd_async(c, "quit", NULL, -1, (QmpDoneFn *)NULL, NULL, NULL);
    while (!gone) {
        g_main_context_iteration(ctx, true);
    }
    check_true(t, gone, "the end too");
    g_source_destroy(source);
    g_source_unref(source);
    g_main_context_unref(ctx);
    g_free(a.name);
    end_script(c, &s);
}

/* ---------------------------------------------------------- the emulator */

static pid_t start_emulator(const char *path)
{
    pid_t pid = fork();

    if (pid == 0) {
        g_autofree char *qmp = g_strdup_printf("unix:%s,server=on,wait=off", path);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(test_qemu_bin(), "qemu-system-x86_64", "-M", "none", "-display", "none", "-qmp", qmp, NULL);
        _exit(127);
    }
    return pid;
}

typedef struct Many {
    QmpClient *c;
    int wrong;
} Many;

static void *many_commands(void *opaque)
{
    Many *m = opaque;

    for (int i = 0; i < 200; i++) {
        g_autofree char *id = g_strdup_printf("ring%p-%d", (void *)&i, i);
        VersionInfo *v = qmpc_query_version(m->c, NULL);
        UuidInfo *u = qmpc_query_uuid(m->c, NULL);
        Error *err = NULL;

        m->wrong += !v || v->qemu->major != 7 || !u || strlen(u->UUID) != 36;
        m->wrong += qmpc_chardev_remove(m->c, id, &err) || !strstr(error_message(err), id);
        error_free(err);
        qapi_free_VersionInfo(v);
        qapi_free_UuidInfo(u);
    }
    return NULL;
}

TEST(libqmp, many_threads_one_client)
{
    g_autofree char *dir = g_dir_make_tmp("libqmp-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "qmp", NULL);
    g_autofree char *address = g_strconcat("unix:", path, NULL);
    QmpOptions options = { WAIT_MS, .oob = true, .reconnect = true };
    pid_t pid = start_emulator(path);
    QmpClient *c = qmp_client_open(address, &options, NULL);
    Error *err = NULL;
    pthread_t threads[8];
    Many m[8];
    QObject *o;

    if (!check_true(t, c != NULL, "connects")) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(m); i++) {
        m[i] = (Many){ c, 0 };
        pthread_create(&threads[i], NULL, many_commands, &m[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(m); i++) {
        pthread_join(threads[i], NULL);
        check_int(t, m[i].wrong, 0, "each thread has its own answers");
    }
    o = qmp_cmd_oob(c, "query-yank", NULL, &err);
    check_true(t, o != NULL, "out of band");
    qobject_unref(o);
    check_true(t, qmp_client_reconnect(c, &err), "connected again");
    check_true(t, qmpc_quit(c, &err), "quit");
    waitpid(pid, NULL, 0);
    pid = start_emulator(path);
    /* The first that finds the connection gone may fail; then it is made anew. */
    qobject_unref(qmp_wait_event(c, "NONE", 200, NULL));
    check_true(t, qmp_cmd_ok(c, "query-name", NULL, NULL), "a new server is found by itself");
    qmpc_quit(c, NULL);
    waitpid(pid, NULL, 0);
    qmp_client_free(c);
    unlink(path);
    rmdir(dir);
}
