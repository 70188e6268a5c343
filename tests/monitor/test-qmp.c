/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QMP server as a client sees it; the client runs in a thread of its own. */
#include "util/osdep.h"
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "chardev/chardev.h"
#include "hw/core/runstate.h"
#include "libqmp/qmp-client.h"
#include "monitor/monitor.h"
#include "qapi/events-run-state.h"
#include "qapi/qapi-command.h"
#include "qobject/json.h"
#include "tests/lib/test.h"
#include "util/main-loop.h"
#include "util/thread.h"

typedef struct Client {
    Test *t;
    int fd;
    void (*run)(struct Client *c);
    bool done;
} Client;

static void client_ended(void *opaque)
{
    ((Client *)opaque)->done = true;
}

static void *client_thread(void *opaque)
{
    Client *c = opaque;

    c->run(c);
    bh_once(NULL, client_ended, c);
    return NULL;
}

/* A monitor on one end of a socket, @run on the other. */
static void with_monitor(Test *t, bool qmp, void (*run)(Client *c))
{
    int pair[2];
    Client c = { .t = t, .run = run };
    Error *err = NULL;
    QDict *d;
    pthread_t thread;
    bool ok;

    main_loop_init();
    monitor_init();
    ok = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0;
    if (!check_true(t, ok, "a pair of sockets")) {
        return;
    }
    d = qdict_from_fmt("{'id': 'mon0', 'backend': 'socket', 'fd': %p}",
                       qstring_from_printf("%d", pair[0]));
    c.fd = pair[1];
    ok = chardev_new_from_opts(d, &err) &&
         (qmp ? monitor_new_qmp(chardev_find("mon0"), false, MONITOR_FULL, &err)
              : monitor_new_hmp(chardev_find("mon0"), true, &err));
    qobject_unref(d);
    if (!check_true(t, ok, err ? error_message(err) : "monitor")) {
        return;
    }
    pthread_create(&thread, NULL, client_thread, &c);
    main_loop_run_until(&c.done);
    pthread_join(thread, NULL);
    monitor_cleanup();
    chardev_cleanup();
}

static QmpClient *connect_client(Client *c)
{
    Error *err = NULL;
    QmpClient *q = qmp_client_new_fd(c->fd, 120000, &err);

    check_true(c->t, q != NULL, err ? error_message(err) : "connects");
    error_free(err);
    return q;
}

/* -------------------------------------------------------------- commands */

static void run_basic(Client *c)
{
    QmpClient *q = connect_client(c);
    Test *t = c->t;
    Error *err = NULL;
    QObject *o;

    check_int(t, qdict_int_or(qmp_client_greeting(q), "version.qemu.major", 0), 7,
              "the greeting tells the version");
    o = qmp_cmd(q, "query-status", NULL, &err);
    check_str(t, qdict_str_or(qobject_to_dict(o), "status", ""), "prelaunch", "query-status");
    qobject_unref(o);

    o = qmp_cmd(q, "no-such-thing", NULL, &err);
    check_true(t, !o, "an unknown command fails");
    check_int(t, error_class(err), ERROR_CLASS_COMMAND_NOT_FOUND, "with its class");
    check_str(t, error_message(err), "The command no-such-thing has not been found", "and text");
    error_free(err);
    err = NULL;

    o = qmp_cmd(q, "qmp_capabilities", NULL, &err);
    check_true(t, !o && error_class(err) == ERROR_CLASS_COMMAND_NOT_FOUND,
               "the negotiation is over");
    error_free(err);
    err = NULL;

    o = qmp_cmd(q, "chardev-remove", NULL, &err);
    check_str(t, err ? error_message(err) : NULL, "Parameter 'id' is missing", "missing argument");
    check_int(t, error_code(err), ERR_MISSING_ARGUMENT, "its code comes along");
    error_free(err);
    err = NULL;

    o = qmp_cmd_fmt(q, &err, "chardev-remove", "{'id': 1}");
    check_str(t, err ? error_message(err) : NULL,
              "Invalid parameter type for 'id', expected: string", "wrong type");
    error_free(err);
    err = NULL;

    o = qmp_cmd_fmt(q, &err, "query-status", "{'x': 1}");
    check_str(t, err ? error_message(err) : NULL, "Parameter 'x' is unexpected",
              "unknown argument");
    error_free(err);
    err = NULL;

    o = qmp_cmd_fmt(q, &err, "set-action", "{'reboot': 'explode'}");
    check_str(t, err ? error_message(err) : NULL,
              "Parameter 'reboot' does not accept value 'explode'", "wrong enum value");
    error_free(err);
    qmp_client_free(q);
}

TEST(qmp, commands_and_their_errors)
{
    with_monitor(t, true, run_basic);
}

static void run_chardev(Client *c)
{
    QmpClient *q = connect_client(c);
    Test *t = c->t;
    Error *err = NULL;
    QObject *o;

    o = qmp_cmd_fmt(q, &err, "chardev-add", "{'id': 'ring', 'backend': {'type': 'ringbuf', "
                    "'data': {'size': 16}}}");
    check_true(t, o != NULL, "chardev-add");
    qobject_unref(o);
    qobject_unref(qmp_cmd_fmt(q, &err, "ringbuf-write",
                              "{'device': 'ring', 'data': '0123456789abcdefXYZ'}"));
    o = qmp_cmd_fmt(q, &err, "ringbuf-read", "{'device': 'ring', 'size': 100}");
    check_str(t, qobject_to_string(o)->str, "3456789abcdefXYZ", "the last 16 bytes");
    qobject_unref(o);
    o = qmp_cmd_fmt(q, &err, "chardev-add", "{'id': 'ring', 'backend': {'type': 'null', "
                    "'data': {}}}");
    check_true(t, !o && error_code(err) == ERR_DUPLICATE_ID, "an id is taken once");
    error_free(err);
    err = NULL;
    o = qmp_cmd_fmt(q, &err, "chardev-add",
                    "{'id': 'x', 'backend': {'type': 'socket', 'data': {'addr': {'type': 'inet', "
                    "'data': {'host': 'h', 'port': 7}}}}}");
    check_str(t, err ? error_message(err) : NULL, "Invalid parameter type for "
              "'backend.data.addr.data.port', expected: string", "the path of a deep member");
    error_free(err);
    err = NULL;
    o = qmp_cmd_fmt(q, &err, "chardev-remove", "{'id': 'mon0'}");
    check_true(t, !o && error_code(err) == ERR_IN_USE, "the monitor's own is in use");
    error_free(err);
    err = NULL;
    check_true(t, qmp_cmd_ok(q, "chardev-remove", qdict_from_fmt("{'id': 'ring'}"), &err),
               "chardev-remove");
    qmp_client_free(q);
}

TEST(qmp, character_devices)
{
    with_monitor(t, true, run_chardev);
}

static void send_events(void *opaque)
{
    (void)opaque;
    qapi_event_send_shutdown(true, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    for (int i = 0; i < 5; i++) {
        qapi_event_send_watchdog(WATCHDOG_ACTION_NONE);
    }
    qapi_event_send_powerdown();
}

static void run_events(Client *c)
{
    QmpClient *q = connect_client(c);
    Test *t = c->t;
    Error *err = NULL;
    QDict *e;

    bh_once(NULL, send_events, NULL);
    e = qmp_wait_event(q, "POWERDOWN", 5000, &err);
    check_true(t, e && qdict_get_path(e, "timestamp.microseconds"), "an event with its time");
    qobject_unref(e);
    e = qmp_wait_event(q, "SHUTDOWN", 0, &err);
    check_str(t, e ? qdict_str_or(e, "data.reason", "") : NULL, "guest-shutdown", "with data");
    qobject_unref(e);
    e = qmp_wait_event(q, "WATCHDOG", 0, &err);
    check_true(t, e != NULL, "the first of many");
    qobject_unref(e);
    e = qmp_wait_event(q, "WATCHDOG", 0, &err);
    check_true(t, !e, "the others wait for their second");
    error_free(err);
    qmp_client_free(q);
}

TEST(qmp, events)
{
    with_monitor(t, true, run_events);
}

/* ------------------------------------------------------------- protocol */

/* Send @text, return the next line. */
static char *exchange(Client *c, const char *text)
{
    GString *s = g_string_new(NULL);
    char ch;

    if (*text && write(c->fd, text, strlen(text)) < 0) {
        return g_string_free(s, false);
    }
    while (read(c->fd, &ch, 1) == 1 && ch != '\n') {
        g_string_append_c(s, ch);
    }
    return g_string_free(s, false);
}

static void expect(Client *c, const char *text, const char *part)
{
    g_autofree char *line = exchange(c, text);

    check_true(c->t, strstr(line, part) != NULL, part);
    if (!strstr(line, part)) {
        test_note(c->t, "%s -> %s", text, line);
    }
}

static void run_protocol(Client *c)
{
    expect(c, "", "\"capabilities\": [\"oob\"]");
    expect(c, "{'execute': 'query-name'}\n", "GenericError");
    expect(c, "{\"execute\": \"query-name\"}\n", "Expecting capabilities negotiation");
    expect(c, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"oob\"]}, "
           "\"id\": [1, \"x\"]}\n", "\"id\": [1, \"x\"]");
    expect(c, "[1, 2]\n", "QMP input must be a JSON object");
    expect(c, "{}", "QMP input lacks member 'execute'");
    expect(c, "{\"execute\": 1}", "QMP input member 'execute' must be a string");
    expect(c, "{\"execute\": \"stop\", \"arguments\": 3}",
           "QMP input member 'arguments' must be an object");
    expect(c, "{\"execute\": \"stop\", \"more\": 3}", "QMP input member 'more' is unexpected");
    expect(c, "{\"exec-oob\": \"query-name\"}", "does not support OOB");
    expect(c, "{\"exec-oob\": \"query-yank\", \"id\": 7}", "\"id\": 7");
    expect(c, "{\"exec-oob\": \"yank\", \"id\": 8, \"arguments\": {\"instances\": []}}", "\"id\": 8");
    expect(c, "{\"execute\": \"query-name\", \"id\": {\"a\": null}}", "\"id\": {\"a\": null}");
    expect(c, "{\"execute\": @}\n", "(byte ");
    expect(c, "{\"execute\": \"query-name\", \"id\": \"\xc3\xa9 \\ud83d\\ude00\"}", "\"id\": \"\\u00e9 \\ud83d\\ude00\"");
    expect(c, "{\"execute\": \"\\ud83d\"}\n", "surrogate");
    /* A byte that no text has: begin anew. */
    expect(c, "{\"execute\": \xff{\"execute\": \"query-name\"}\n", "\"return\": {}");
    expect(c, "{\"execute\": \"query-name\"}\n", "\"return\": {}");
}

TEST(qmp, protocol_errors_end_nothing)
{
    with_monitor(t, true, run_protocol);
}

/* ----------------------------------------------------------- introspection */

TEST(qmp, the_schema_is_closed)
{
    QObject *o = qapi_introspect(&qapi_schema);
    QList *list = qobject_to_list(o);
    GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
    static const char *const members[] = { "arg-type", "ret-type", "element-type" };

    QLIST_FOR_EACH(entry, list) {
        g_hash_table_add(names, (char *)qdict_str_or(qobject_to_dict(entry), "name", ""));
    }
    QLIST_FOR_EACH(entry, list) {
        QDict *d = qobject_to_dict(entry);
        QList *m = qobject_to_list(qdict_get(d, "members"));

        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
            const char *type = qdict_str_or(d, members[i], NULL);

            check_true(t, !type || g_hash_table_contains(names, type), "types are in the schema");
        }
        for (size_t i = 0; m && i < qlist_size(m); i++) {
            const char *type = qdict_str_or(qobject_to_dict(qlist_get(m, i)), "type", NULL);

            check_true(t, !type || g_hash_table_contains(names, type), "members' types too");
        }
    }
    g_hash_table_unref(names);
    qobject_unref(o);
}

/* ------------------------------------------------------------------- HMP */

static void run_hmp(Client *c)
{
    char buf[4096] = "";
    size_t len = 0;
    static const char input[] = "info statu\t\nprint (1+2)*3\nxyzzy\ninfo status --json\nquit\n";

    if (write(c->fd, input, strlen(input)) < 0) {
        return;
    }
    while (len < sizeof(buf) - 1 && !strstr(buf, "quit\r\n")) {
        ssize_t n = read(c->fd, buf + len, sizeof(buf) - 1 - len);

        if (n <= 0) {
            break;
        }
        len += n;
        buf[len] = '\0';
    }
    check_true(c->t, strstr(buf, "monitor (") != NULL, "greets");
    check_true(c->t, strstr(buf, "VM status: paused (prelaunch)") != NULL, "completes and runs");
    check_true(c->t, strstr(buf, "\r\n9\r\n") != NULL, "expressions");
    check_true(c->t, strstr(buf, "unknown command: 'xyzzy'") != NULL, "unknown command");
    check_true(c->t, strstr(buf, "\"status\": \"prelaunch\"") != NULL, "--json");
}

TEST(hmp, a_session)
{
    with_monitor(t, false, run_hmp);
}

TEST(hmp, every_command_survives_bad_arguments)
{
    static const char *const tails[] = { "", " ", " 1", " -1", " \"", " a b c d e", " /", " $x",
                                         " /99999999999x 0", " (((", " 0x" };
    char *help;

    main_loop_init();
    help = hmp_run("help", 0);
    for (char *line = help; *line;) {
        size_t len = strcspn(line, "\r\n"), name = strcspn(line, " |\r\n");

        for (size_t i = 0; name && i < ARRAY_SIZE(tails); i++) {
            g_autofree char *cmd = g_strdup_printf("%.*s%s", (int)name, line, tails[i]);

            if (strncmp(cmd, "quit", 4) && strncmp(cmd, "logfile", 7) &&
                strncmp(cmd, "pmemsave", 8) && strncmp(cmd, "memsave", 7)) {
                g_free(hmp_run(cmd, 0));
            }
        }
        line += len + strspn(line + len, "\r\n");
    }
    g_free(help);
}
