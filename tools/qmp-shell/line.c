/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line to a command. */
#include "util/osdep.h"
#include "qobject/json.h"
#include "tools/qmp-shell/shell.h"

/*
 * The next word, without its quotes: '...' and "..." keep blanks, a backslash keeps the next
 * character; inside of braces and brackets everything is kept as it is. NULL: there is none.
 */
static char *next_word(const char **at, Error **errp)
{
    GString *s = g_string_new("");
    const char *p = *at;
    int depth = 0;
    char quote = 0;

    while (*p == ' ' || *p == '\t') {
        p++;
    }
    if (!*p) {
        *at = p;
        return g_string_free(s, true), NULL;
    }
    for (; *p && (quote || depth || (*p != ' ' && *p != '\t')); p++) {
        bool json = depth > 0;

        if (*p == '\\' && p[1]) {
            if (json) {
                g_string_append_c(s, *p);
            }
            p++;
        } else if (quote ? *p == quote : *p == '"' || *p == '\'') {
            quote = quote ? 0 : *p;
            if (!json) {
                continue;
            }
        } else if (!quote) {
            depth += *p == '{' || *p == '[';
            depth -= *p == '}' || *p == ']';
        }
        g_string_append_c(s, *p);
    }
    *at = p;
    if (quote || depth > 0) {
        error_setf(errp, ERR_JSON_SYNTAX, "the line ends inside of %s",
                   quote ? "quotes" : "braces or brackets");
        return g_string_free(s, true), NULL;
    }
    return g_string_free(s, false);
}

static QObject *parse_value(const char *text)
{
    QObject *o = json_parse(text, NULL);

    return o ? o : qstring_from(text);
}

/* "a.b" goes into member b of member a. */
static bool put(QDict *d, const char *key, QObject *value, Error **errp)
{
    const char *dot = strchr(key, '.');
    g_autofree char *first = dot ? g_strndup(key, dot - key) : g_strdup(key);
    QObject *inner = qdict_get(d, first);

    if (!*first) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is no name of an argument", key);
    } else if (!dot) {
        qdict_put(d, first, value);
        return true;
    } else if (inner && !qobject_to_dict(inner)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' has a value and members", first);
    } else {
        if (!inner) {
            inner = QOBJECT(qdict_new());
            qdict_put(d, first, inner);
        }
        return put(qobject_to_dict(inner), dot + 1, value, errp);
    }
    qobject_unref(value);
    return false;
}

static bool add_argument(QDict *args, const char *word, Error **errp)
{
    const char *eq = strchr(word, '=');
    g_autofree char *key = eq ? g_strndup(word, eq - word) : NULL;

    if (!eq) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't key=value", word);
        error_hint(errp, "JSON is accepted too: {\"execute\": ..., \"arguments\": {...}}");
        return false;
    }
    return put(args, key, parse_value(eq + 1), errp);
}

QDict *shell_parse_line(const char *line, Error **errp)
{
    g_autofree char *name = NULL;
    QDict *cmd, *args;
    Error *err = NULL;
    char *word;

    line += strspn(line, " \t");
    if (*line == '{') {
        return json_parse_dict(line, errp);
    }
    name = next_word(&line, errp);
    if (!name) {
        return NULL;
    }
    args = qdict_new();
    while ((word = next_word(&line, &err))) {
        bool ok = add_argument(args, word, &err);

        g_free(word);
        if (!ok) {
            break;
        }
    }
    if (err) {
        qobject_unref(args);
        error_propagate(errp, err);
        return NULL;
    }
    cmd = qdict_new();
    qdict_put_str(cmd, "execute", name);
    qdict_put(cmd, "arguments", args);
    return cmd;
}
