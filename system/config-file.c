/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -readconfig FILE and -set GROUP.ID.KEY=VALUE.
 *
 * A file has sections: [device "net0"], then lines key = "value". Each becomes
 * the option of the group's name with these keys; the name in quotes is its id.
 */
#include "util/osdep.h"
#include "qobject/error.h"
#include "system/config.h"

#define FILE_MAX    (1 << 20)

/* Groups whose option has another name. */
static const char *option_of(const char *group)
{
    static const struct { const char *group, *option; } names[] = {
        { "memory", "m" }, { "smp-opts", "smp" }, { "boot-opts", "boot" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(names[i].group, group)) {
            return names[i].option;
        }
    }
    return group;
}

static const Option *find_option(const char *group)
{
    const char *name = option_of(group);
    const Option *o = config_options;

    while (o->name && strcmp(o->name, name)) {
        o++;
    }
    return o->name && o->has_arg ? o : NULL;
}

/* A comma in a value is written twice. */
static void add_pair(GString *s, const char *key, const char *value)
{
    g_string_append_printf(s, "%s%s=", s->len ? "," : "", key);
    for (const char *p = value; *p; p++) {
        if (*p == ',') {
            g_string_append_c(s, ',');
        }
        g_string_append_c(s, *p);
    }
}

typedef struct Section {
    const Option *o;
    GString *text;
} Section;

static void finish(Config *c, Section *s)
{
    if (s->o) {
        s->o->handle(c, s->o, s->text->str);
    }
    s->o = NULL;
    g_string_truncate(s->text, 0);
}

/* [group] or [group "id"] */
static bool header(Section *s, const char *line, Error **errp)
{
    char group[64] = "", id[64] = "";
    int n = 0;

    if ((sscanf(line, "[%63[^] \t\"] \"%63[^\"]\"]%n", group, id, &n) != 2 || !n || line[n]) &&
        (n = 0, *id = 0, sscanf(line, "[%63[^] \t\"]]%n", group, &n) != 1 || !n || line[n])) {
        error_setf(errp, ERR_FILE_FORMAT, "'%s'; accepted: [GROUP], [GROUP \"ID\"]", line);
        return false;
    }
    s->o = find_option(group);
    if (!s->o) {
        error_setf(errp, ERR_NO_SUCH_OPTION, "there is no group '%s'; accepted: options' names",
                   group);
        return false;
    }
    if (*id) {
        add_pair(s->text, "id", id);
    }
    return true;
}

static bool pair(Section *s, const char *line, Error **errp)
{
    char key[64], value[1024] = "";
    int n = 0;

    if ((sscanf(line, "%63[^= \t] = \"%1023[^\"]\"%n", key, value, &n) == 2 && n && !line[n]) ||
        (n = 0, sscanf(line, "%63[^= \t] = \"\"%n", key, &n) == 1 && n && !line[n])) {
        if (!s->o) {
            error_setf(errp, ERR_FILE_FORMAT, "'%s' stands before the first [GROUP]", line);
            return false;
        }
        add_pair(s->text, key, n && line[n - 2] == '"' && line[n - 1] == '"' ? "" : value);
        return true;
    }
    error_setf(errp, ERR_FILE_FORMAT, "'%s'; accepted: KEY = \"VALUE\"", line);
    return false;
}

void config_read_file(Config *c, const Option *o, const char *path)
{
    g_autoptr(GString) text = g_string_new("");
    g_autoptr(GError) gerr = NULL;
    g_auto(GStrv) lines = NULL;
    g_autofree char *data = NULL;
    Section s = { NULL, text };
    Error *err = NULL;
    bool ok = true;
    gsize len;

    if (!g_file_get_contents(path, &data, &len, &gerr) || len > FILE_MAX || strlen(data) != len) {
        error_setf(&err, ERR_FILE_NOT_FOUND, "can't read '%s': %s", path,
                   gerr ? gerr->message : "it is no text");
        config_error(c, o->name, err);
        return;
    }
    lines = g_strsplit(data, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        const char *line = g_strstrip(lines[i]);

        if (!*line || *line == '#') {
            continue;
        }
        if (*line == '[') {
            finish(c, &s);
            ok = header(&s, line, &err);
        } else if (ok) {                /* not once more for an unknown group's lines */
            pair(&s, line, &err);
        }
        if (err) {
            error_prepend(&err, "%s:%u: ", path, i + 1);
            config_error(c, o->name, err);
            err = NULL;
        }
    }
    finish(c, &s);
}

void config_set(Config *c, const Option *o, const char *arg)
{
    char group[64], id[64], key[64];
    const Option *target = NULL;
    Error *err = NULL;
    QDict *found = NULL;
    int n = 0;

    if (sscanf(arg, "%63[^.].%63[^.].%63[^=]=%n", group, id, key, &n) != 3 || !n) {
        error_setf(&err, ERR_INVALID_ARGUMENT, "'%s'; accepted: GROUP.ID.KEY=VALUE", arg);
        config_error(c, o->name, err);
        return;
    }
    target = find_option(group);
    if (!target || !config_is_list(target)) {
        error_setf(&err, ERR_NO_SUCH_OPTION, "there is no group '%s' with ids", group);
        config_error(c, o->name, err);
        return;
    }
    QLIST_FOR_EACH(e, *(QList **)((char *)c + target->offset)) {
        QDict *d = qobject_to_dict(e);

        if (!g_strcmp0(qdict_str_or(d, "id", NULL), id)) {
            found = d;
        }
    }
    if (found) {
        qdict_put_str(found, key, arg + n);
    } else {
        error_setf(&err, ERR_NO_SUCH_OBJECT, "there is no -%s with the id '%s' before it", group, id);
        config_error(c, o->name, err);
    }
}
