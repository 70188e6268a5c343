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
#include "qobject/json.h"
#include "tests/lib/test.h"

#define WAIT_MS     20000

static pid_t start(const char *machine, QmpClient **q)
{
    int pair[2];
    pid_t pid;
    char chardev[64];
    Error *err = NULL;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        return -1;
    }
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);       /* a failed test leaves nothing running */
        close(pair[1]);
        snprintf(chardev, sizeof(chardev), "socket,id=q,fd=%d", pair[0]);
        execl(test_qemu_bin(), "qemu-system-x86_64", "-M", machine, "-display", "none",
              "-nodefaults", "-S", "-chardev", chardev, "-mon", "chardev=q,mode=control", NULL);
        _exit(127);
    }
    close(pair[0]);
    *q = qmp_client_new_fd(pair[1], WAIT_MS, &err);
    error_free(err);
    return pid;
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
                                       "system_powerdown", "qmp_capabilities", "cont" };

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

static void all_commands(Test *t, const char *machine)
{
    QmpClient *q = NULL;
    pid_t pid = start(machine, &q);
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
    all_commands(t, "none");
}

TEST(hostile, commands_on_a_pc)
{
    all_commands(t, "pc");
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
