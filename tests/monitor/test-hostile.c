/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every command of the running emulator with missing, wrong, huge and hostile
 * arguments: each is answered, and the emulator lives.
 */
#include "util/osdep.h"
#include <glib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libqmp/qmp-client.h"
#include "monitor/hmp.h"
#include "qobject/json.h"
#include "tests/lib/test.h"

#define WAIT_MS     20000

/* @extra: one more option, or NULL. */
static pid_t start_with(const char *machine, const char *permissions, const char *extra, QmpClient **q)
{
    int pair[2];
    pid_t pid;
    char chardev[64], mon[96];
    Error *err = NULL;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        return -1;
    }
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);       /* a failed test leaves nothing running */
        close(pair[1]);
        snprintf(chardev, sizeof(chardev), "socket,id=q,fd=%d", pair[0]);
        snprintf(mon, sizeof(mon), "chardev=q,mode=control,permissions=%s", permissions);
        execl(test_qemu_bin(), "qemu-system-x86_64", "-M", machine, "-display", "none",
              "-nodefaults", "-S", "-chardev", chardev, "-mon", mon, extra, NULL);
        _exit(127);
    }
    close(pair[0]);
    *q = qmp_client_new_fd(pair[1], WAIT_MS, &err);
    error_free(err);
    return pid;
}

static pid_t start(const char *machine, QmpClient **q)
{
    return start_with(machine, "full", NULL, q);
}

/* Ends the emulator, or shows that it had ended. */
static void stop(Test *t, pid_t pid, QmpClient *q)
{
    int status = 0;

    if (q) {
        check_true(t, qmp_cmd_ok(q, "quit", NULL, NULL), "it lives and quits");
        qmp_client_free(q);
    } else {
        kill(pid, SIGKILL);
    }
    waitpid(pid, &status, 0);
    check_true(t, !q || (WIFEXITED(status) && WEXITSTATUS(status) == 0), "status 0");
}

/* What would end it, or write files. */
static bool is_harmless(const char *name)
{
    static const char *const not[] = { "quit", "memsave", "pmemsave", "screendump", "stop",
                                       "system_powerdown", "qmp_capabilities", "cont",
                                       "x-exit-preconfig" };

    for (size_t i = 0; i < ARRAY_SIZE(not); i++) {
        if (!strcmp(not[i], name)) {
            return false;
        }
    }
    return true;
}

static const char *const values[] = {
    "null", "true", "0", "-1", "18446744073709551615", "1e308", "\"\"", "\"x\"", "\"/\"",
    "\"../../..\"", "\"%s%n%p\"", "\"a\\u0000b\"", "\"\\ud83d\\ude00\"", "[]", "[[]]", "{}",
    "{\"type\": \"file\"}", "[null, 1, \"x\", {}]",
};

static void call(Test *t, QmpClient *q, const char *name, QDict *args)
{
    Error *err = NULL;
    QObject *result = qmp_cmd(q, name, args, &err);

    if (!result && (error_code(err) == ERR_EOF || error_code(err) == ERR_HOST)) {
        test_fail(t, "%s: %s", name, error_message(err));
    } else if (!result && (error_code(err) == ERR_GENERIC || !*error_message(err) || strchr(error_message(err), '\n'))) {
        test_fail(t, "%s: an error has a code of its own and says in one line what it is about: '%s'", name, error_message(err));
    }
    error_free(err);
    qobject_unref(result);
}

/* Names of the arguments that the schema tells for type @type. */
static GPtrArray *argument_names(const QList *schema, const char *type)
{
    GPtrArray *names = g_ptr_array_new();

    QLIST_FOR_EACH(entry, schema) {
        const QDict *d = qobject_to_dict(entry);
        const QList *members = qobject_to_list(qdict_get(d, "members"));

        if (strcmp(qdict_str_or(d, "name", ""), type) || !members) {
            continue;
        }
        QLIST_FOR_EACH(m, members) {
            g_ptr_array_add(names, (void *)qdict_str_or(qobject_to_dict(m), "name", ""));
        }
    }
    return names;
}

static void attack(Test *t, QmpClient *q, const QList *schema, const QDict *cmd)
{
    const char *name = qdict_str_or(cmd, "name", "");
    GPtrArray *names = argument_names(schema, qdict_str_or(cmd, "arg-type", ""));

    call(t, q, name, NULL);
    call(t, q, name, qdict_from_fmt("{'no-such-argument': 1}"));
    for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
        QDict *all = qdict_new();

        for (unsigned i = 0; i < names->len; i++) {
            QDict *one = qdict_new();

            qdict_put(one, names->pdata[i], json_parse(values[v], NULL));
            qdict_put(all, names->pdata[i], json_parse(values[v], NULL));
            call(t, q, name, one);
        }
        call(t, q, name, all);
    }
    g_ptr_array_unref(names);
}

static void all_commands(Test *t, const char *machine, const char *extra)
{
    QmpClient *q = NULL;
    pid_t pid = start_with(machine, "full", extra, &q);
    QObject *schema;

    if (!check_true(t, pid > 0 && q, "it starts")) {
        return;
    }
    schema = qmp_cmd(q, "query-qmp-schema", NULL, NULL);
    check_true(t, qobject_to_list(schema) != NULL, "query-qmp-schema");
    QLIST_FOR_EACH(entry, qobject_to_list(schema)) {
        const QDict *d = qobject_to_dict(entry);

        if (!strcmp(qdict_str_or(d, "meta-type", ""), "command") &&
            is_harmless(qdict_str_or(d, "name", ""))) {
            attack(t, q, qobject_to_list(schema), d);
        }
    }
    qobject_unref(schema);
    stop(t, pid, q);
}

TEST(hostile, commands_without_a_machine)
{
    all_commands(t, "none", NULL);
}

TEST(hostile, commands_on_a_pc)
{
    all_commands(t, "pc", NULL);
}

TEST(hostile, commands_before_the_machine)
{
    all_commands(t, "pc", "-preconfig");
}

TEST(hostile, deep_and_long_input)
{
    QmpClient *q = NULL;
    pid_t pid = start("none", &q);
    GString *s = g_string_new("{\"execute\": \"query-name\", \"arguments\": ");
    Error *err = NULL;
    QObject *o;

    if (!check_true(t, pid > 0 && q, "it starts")) {
        g_string_free(s, true);
        return;
    }
    for (int i = 0; i < 100000; i++) {
        g_string_append(s, "[{\"a\":");
    }
    g_string_append(s, "\n");
    for (size_t sent = 0; sent < s->len;) {
        ssize_t n = send(qmp_client_fd(q), s->str + sent, s->len - sent, MSG_NOSIGNAL);

        if (n <= 0) {
            break;
        }
        sent += n;
    }
    g_string_free(s, true);
    /* The answer to that has no id; the next command's is found behind it. */
    o = qmp_cmd(q, "query-name", NULL, &err);
    if (!o) {
        error_free(err);
        o = qmp_cmd(q, "query-name", NULL, NULL);
    }
    check_true(t, o != NULL, "the session goes on");
    qobject_unref(o);
    stop(t, pid, q);
}

/* ------------------------------------------------------ the human monitor */

/* What would end it, stop it, write files or wait for a debugger. */
static bool hmp_is_harmless(const char *name)
{
    static const char *const not[] = { "quit|q", "memsave", "pmemsave", "screendump", "logfile",
                                       "dump-guest-memory", "gdbserver", "wavcapture", "system_powerdown",
                                       "cont|c", "migrate", "log" };

    for (size_t i = 0; i < ARRAY_SIZE(not); i++) {
        if (!strcmp(not[i], name)) {
            return false;
        }
    }
    return true;
}

static const char *const hmp_words[] = {
    "", "--json", "x", "0", "-1", "99999999999999999999", "/8i 0", "/999999xg 0xfffffffffffffff8", "%s%n",
    "\"", "\"a\\", "(((((", "1/0", "$nothing", "x x", "0 0", "-1 -1 -1", "x,id=y", "a=b,c.d=e", "-x -y -z",
    "ide1-cd0", "{\"a\": [", "\xff\xfe", "..", "/machine", "/machine/unattached x y",
};

static void hmp_attack(Test *t, QmpClient *q, const HmpCommand *table, const char *lead)
{
    for (const HmpCommand *c = table; c->name; c++) {
        g_autofree char *name = g_strndup(c->name, strcspn(c->name, "|"));
        g_autofree char *path = g_strdup_printf("%s%s ", lead, name);

        if (!hmp_is_harmless(c->name)) {
            continue;
        }
        for (size_t i = 0; i < ARRAY_SIZE(hmp_words); i++) {
            g_autofree char *line = g_strconcat(path, hmp_words[i], NULL);

            call(t, q, "human-monitor-command", qdict_from_fmt("{'command-line': %s}", line));
        }
        if (c->sub) {
            hmp_attack(t, q, c->sub, path);
        }
    }
}

static void all_lines(Test *t, const char *machine)
{
    QmpClient *q = NULL;
    pid_t pid = start(machine, &q);

    if (!check_true(t, pid > 0 && q, "it starts")) {
        return;
    }
    hmp_attack(t, q, hmp_commands, "");
    stop(t, pid, q);
}

TEST(hostile, human_monitor_without_a_machine)
{
    all_lines(t, "none");
}

TEST(hostile, human_monitor_on_a_pc)
{
    all_lines(t, "pc");
}

/* ------------------------------------------------------------- permissions */

static void expect_permission(Test *t, QmpClient *q, const char *command, bool allowed)
{
    Error *err = NULL;
    bool ok = qmp_cmd_ok(q, command, NULL, &err);

    check_true(t, ok == allowed && (ok || error_code(err) == ERR_PERMISSION), command);
    error_free(err);
}

TEST(hostile, permissions)
{
    QmpClient *q = NULL;
    pid_t pid = start_with("pc", "read-only", NULL, &q);

    if (!check_true(t, pid > 0 && q, "it starts")) {
        return;
    }
    expect_permission(t, q, "query-status", true);
    expect_permission(t, q, "x-query-numa", true);
    expect_permission(t, q, "cont", false);
    expect_permission(t, q, "quit", false);
    qmp_client_free(q);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    q = NULL;
    pid = start_with("pc", "life-cycle", NULL, &q);
    if (!check_true(t, pid > 0 && q, "it starts")) {
        return;
    }
    expect_permission(t, q, "query-block", true);
    expect_permission(t, q, "system_reset", true);
    expect_permission(t, q, "human-monitor-command", false);
    expect_permission(t, q, "device_add", false);
    stop(t, pid, q);
}
