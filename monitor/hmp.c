/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding and running commands of the human monitor; help and completion. */
#include "util/osdep.h"
#include "monitor/hmp.h"
#include "monitor/monitor-int.h"
#include "qapi/qapi-command.h"
#include "qobject/json.h"

void hmp_printf(Hmp *hmp, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_string_append_vprintf(hmp->out, fmt, ap);
    va_end(ap);
}

bool hmp_error(Hmp *hmp, Error *err)
{
    if (!err) {
        return false;
    }
    hmp_printf(hmp, "Error: %s\n", error_message(err));
    if (error_hint_text(err)) {
        hmp_printf(hmp, "%s\n", error_hint_text(err));
    }
    error_free(err);
    return true;
}

/* "quit|q": is @word one of them? */
static bool has_name(const char *names, const char *word, size_t len)
{
    while (*names) {
        size_t n = strcspn(names, "|");

        if (n == len && !strncmp(names, word, len)) {
            return true;
        }
        names += n + (names[n] == '|');
    }
    return false;
}

static const HmpCommand *find(const HmpCommand *table, const char *word, size_t len)
{
    for (; table->name; table++) {
        if (has_name(table->name, word, len)) {
            return table;
        }
    }
    return NULL;
}

static const char *skip_blanks(const char *s)
{
    return s + strspn(s, " \t");
}

/* A command's name ends at a blank, or at the '/' of a format. */
static size_t word_length(const char *s)
{
    return strcspn(s, " \t/");
}

/* Takes "--json" out of @text; false if it isn't there. */
static bool take_json_flag(char *text)
{
    char *p = strstr(text, "--json");

    if (!p || (p != text && p[-1] != ' ') || (p[6] && p[6] != ' ')) {
        return false;
    }
    memmove(p, p + 6, strlen(p + 6) + 1);
    return true;
}

/* A command without a QMP command behind it: what it shows, as one string. */
static void wrap_json(Hmp *hmp, size_t from)
{
    QDict *d = qdict_new();
    char *text;

    qdict_put_str(d, "human-readable-text", hmp->out->str + from);
    text = json_write(QOBJECT(d), JSON_PRETTY);
    g_string_truncate(hmp->out, from);
    hmp_printf(hmp, "%s\n", text);
    free(text);
    qobject_unref(d);
}

/* Takes @query. */
static void run_json(Hmp *hmp, const char *command, QDict *query)
{
    const QapiCommand *qmp = qapi_find_command(&qapi_schema, command);
    Error *err = NULL;
    QObject *result = qmp ? qapi_dispatch(qmp, query, &err) : NULL;
    char *text;

    qobject_unref(query);
    if (hmp_error(hmp, err) || !result) {
        return;
    }
    text = json_write(result, JSON_PRETTY);
    hmp_printf(hmp, "%s\n", text);
    free(text);
    qobject_unref(result);
}

/* Before the machine is made a part is only. */
static bool is_available(const HmpCommand *cmd)
{
    const QapiCommand *qmp = cmd->qmp ? qapi_find_command(&qapi_schema, cmd->qmp) : NULL;

    return cmd->early || cmd->sub || (qmp && qmp->preconfig) || !monitor_is_early();
}

static void run(Hmp *hmp, const HmpCommand *table, const char *line, const char *path)
{
    size_t len;
    const HmpCommand *cmd;
    Error *err = NULL;
    QDict *args;
    char *rest;
    bool json;

    line = skip_blanks(line);
    len = word_length(line);
    if (!*line) {
        return;
    }
    cmd = find(table, line, len);
    if (!cmd) {
        hmp_printf(hmp, "unknown command: '%s%.*s'\n", path, (int)MIN(len, (size_t)100), line);
        return;
    }
    if (cmd->sub && *skip_blanks(line + len)) {
        char *sub_path = g_strdup_printf("%s%.*s ", path, (int)len, line);

        run(hmp, cmd->sub, line + len, sub_path);
        g_free(sub_path);
        return;
    }
    if (!is_available(cmd)) {
        hmp_printf(hmp, "Error: '%s%.*s' needs the machine, which isn't made yet\n"
                   "exit_preconfig makes it\n", path, (int)len, line);
        return;
    }
    rest = g_strdup(line + len);
    json = take_json_flag(rest);
    /* With arguments the query would be another one. */
    if (cmd->qmp && json && !cmd->qmp_args && !*skip_blanks(rest)) {
        run_json(hmp, cmd->qmp, NULL);
        g_free(rest);
        return;
    }
    args = hmp_parse_args(hmp, cmd, rest, &err);
    if (args && json && cmd->qmp_args) {
        const char *command = cmd->qmp;
        QDict *query = cmd->qmp_args(args, &command);

        run_json(hmp, command, query);
        qobject_unref(args);
    } else if (args) {
        size_t from = hmp->out->len;

        cmd->run(hmp, args);
        qobject_unref(args);
        if (json) {
            wrap_json(hmp, from);
        }
    } else {
        hmp_printf(hmp, "%.*s: %s\n", (int)len, line, error_message(err));
        hmp_printf(hmp, "Try \"help %s%.*s\" for more information\n", path, (int)len, line);
        error_free(err);
    }
    g_free(rest);
}

void hmp_execute(Hmp *hmp, const char *line)
{
    run(hmp, hmp_commands, line, "");
}

char *hmp_run(const char *line, int cpu_index)
{
    Hmp hmp = { .out = g_string_new(NULL), .cpu_index = MAX(cpu_index, 0) };
    char *crlf, *p;

    hmp_execute(&hmp, line);
    /* The reference's lines end with CR LF here, and clients trim that. */
    crlf = g_malloc(2 * hmp.out->len + 1);
    p = crlf;
    for (size_t i = 0; i < hmp.out->len; i++) {
        if (hmp.out->str[i] == '\n') {
            *p++ = '\r';
        }
        *p++ = hmp.out->str[i];
    }
    *p = '\0';
    g_string_free(hmp.out, true);
    return crlf;
}

/* ----------------------------------------------------------------- help */

static void help_line(Hmp *hmp, const HmpCommand *cmd, const char *path)
{
    hmp_printf(hmp, "%s%s %s -- %s%s\n", path, cmd->name, cmd->params ? cmd->params : "",
               cmd->help, cmd->qmp ? " [--json]" : "");
}

static void help_topics(Hmp *hmp, const char *topic)
{
    const char *group = NULL;
    bool shown = false;

    for (const HmpCommand *cmd = hmp_commands; cmd->name; cmd++) {
        group = cmd->group ? cmd->group : group;
        if (!is_available(cmd)) {
            continue;
        }
        if (!topic) {
            if (cmd->group) {
                hmp_printf(hmp, "%s-- %s\n", cmd == hmp_commands ? "" : "\n", cmd->group);
            }
            help_line(hmp, cmd, "");
        } else if (group && !strcmp(group, topic)) {
            help_line(hmp, cmd, "");
            shown = true;
        }
    }
    if (topic && !shown) {
        hmp_printf(hmp, "no help for '%s'; \"help\" lists all commands\n", topic);
    }
}

void hmp_help(Hmp *hmp, const QDict *args)
{
    const char *what = qdict_str_or(args, "name", NULL);
    const HmpCommand *table = hmp_commands, *cmd;
    GString *path;

    if (!what || !*what) {
        help_topics(hmp, NULL);
        return;
    }
    path = g_string_new(NULL);
    for (;;) {
        size_t len = word_length(what);

        cmd = find(table, what, len);
        what = skip_blanks(what + len);
        if (!cmd || !*what || !cmd->sub) {
            break;
        }
        g_string_append_printf(path, "%.*s ", (int)strcspn(cmd->name, "|"), cmd->name);
        table = cmd->sub;
    }
    if (!cmd) {
        help_topics(hmp, qdict_str_or(args, "name", NULL));
    } else if (cmd->sub) {
        g_string_append_printf(path, "%.*s ", (int)strcspn(cmd->name, "|"), cmd->name);
        for (const HmpCommand *c = cmd->sub; c->name; c++) {
            if (is_available(c)) {
                help_line(hmp, c, path->str);
            }
        }
    } else {
        help_line(hmp, cmd, path->str);
    }
    g_string_free(path, true);
}

/* ----------------------------------------------------------- completion */

void hmp_candidate(GPtrArray *candidates, const char *prefix, const char *name)
{
    if (!strncmp(name, prefix, strlen(prefix))) {
        g_ptr_array_add(candidates, g_strdup(name));
    }
}

static void complete_names(GPtrArray *candidates, const HmpCommand *table, const char *prefix)
{
    for (; table->name; table++) {
        if (!is_available(table)) {
            continue;
        }
        char **names = g_strsplit(table->name, "|", -1);

        for (char **n = names; *n; n++) {
            hmp_candidate(candidates, prefix, *n);
        }
        g_strfreev(names);
    }
}

GPtrArray *hmp_complete(const char *line)
{
    GPtrArray *candidates = g_ptr_array_new_with_free_func(g_free);
    const HmpCommand *table = hmp_commands;

    line = skip_blanks(line);
    for (;;) {
        size_t len = word_length(line);
        const HmpCommand *cmd;

        if (!line[len]) {
            complete_names(candidates, table, line);
            return candidates;
        }
        cmd = find(table, line, len);
        line = skip_blanks(line + len);
        if (!cmd) {
            return candidates;
        }
        if (!strcmp(cmd->name, "help|?")) {
            continue;                   /* names again */
        }
        if (!cmd->sub) {
            const char *last = strrchr(line, ' ');

            if (cmd->complete) {
                cmd->complete(candidates, last ? last + 1 : line);
            }
            return candidates;
        }
        table = cmd->sub;
    }
}
