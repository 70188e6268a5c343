/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion: names of commands, of their arguments and members of those, values of enums. */
#include "util/osdep.h"
#include "tools/qmp-shell/shell.h"

static const QList *schema;     /* borrowed; set once */

void shell_set_schema(const QList *list)
{
    schema = list;
}

static const QDict *find(const char *name, const char *meta)
{
    QLIST_FOR_EACH(o, schema) {
        const QDict *d = qobject_to_dict(o);

        if (!strcmp(qdict_str_or(d, "name", ""), name) &&
            (!meta || !strcmp(qdict_str_or(d, "meta-type", ""), meta))) {
            return d;
        }
    }
    return NULL;
}

static void add(GPtrArray *out, const char *lead, const char *text, const char *tail,
                const char *prefix)
{
    char *word = g_strdup_printf("%s%s%s", lead, text, tail);

    if (g_str_has_prefix(word, prefix)) {
        g_ptr_array_add(out, word);
    } else {
        g_free(word);
    }
}

/* Calls @fn for each member of an object type, those of all its variants too. */
static void each_member(const QDict *type, void (*fn)(const QDict *member, void *opaque),
                        void *opaque)
{
    const QList *members = qobject_to_list(qdict_get(type, "members"));
    const QList *variants = qobject_to_list(qdict_get(type, "variants"));

    for (size_t i = 0; members && i < qlist_size(members); i++) {
        fn(qobject_to_dict(qlist_get(members, i)), opaque);
    }
    for (size_t i = 0; variants && i < qlist_size(variants); i++) {
        const QDict *v = qobject_to_dict(qlist_get(variants, i));
        const QDict *t = find(qdict_str_or(v, "type", ""), NULL);

        if (t) {
            each_member(t, fn, opaque);
        }
    }
}

typedef struct Search {
    const char *name;
    size_t len;
    const char *type;           /* result: name of the member's type */
} Search;

static void match_member(const QDict *member, void *opaque)
{
    Search *s = opaque;
    const char *name = qdict_str_or(member, "name", "");

    if (!s->type && strlen(name) == s->len && !strncmp(name, s->name, s->len)) {
        s->type = qdict_str_or(member, "type", NULL);
    }
}

/* The type of member "a.b" of @type, @len characters of it; NULL: there is none. */
static const QDict *member_type(const QDict *type, const char *path, size_t len)
{
    while (type && len) {
        size_t n = strcspn(path, ".");
        Search s = { path, MIN(n, len), NULL };

        each_member(type, match_member, &s);
        type = s.type ? find(s.type, NULL) : NULL;
        if (n >= len) {
            return type;
        }
        path += n + 1;
        len -= n + 1;
    }
    return type;
}

typedef struct Names {
    GPtrArray *out;
    const char *lead, *prefix;
} Names;

static void add_member(const QDict *member, void *opaque)
{
    Names *n = opaque;
    const QDict *type = find(qdict_str_or(member, "type", ""), NULL);
    bool object = type && !strcmp(qdict_str_or(type, "meta-type", ""), "object");

    add(n->out, n->lead, qdict_str_or(member, "name", ""), object ? "." : "=", n->prefix);
}

static void complete_names(GPtrArray *out, const QDict *args, const char *word)
{
    const char *dot = strrchr(word, '.');
    g_autofree char *lead = dot ? g_strndup(word, dot - word + 1) : g_strdup("");
    Names n = { out, lead, word };
    const QDict *type = dot ? member_type(args, word, dot - word) : args;

    if (type) {
        each_member(type, add_member, &n);
    }
}

static void complete_value(GPtrArray *out, const QDict *args, const char *word)
{
    const char *eq = strchr(word, '=');
    g_autofree char *lead = g_strndup(word, eq - word + 1);
    const QDict *type = member_type(args, word, eq - word);
    const QList *values = type ? qobject_to_list(qdict_get(type, "values")) : NULL;

    for (size_t i = 0; values && i < qlist_size(values); i++) {
        add(out, lead, qobject_to_string(qlist_get(values, i))->str, "", word);
    }
    if (type && !strcmp(qdict_str_or(type, "json-type", ""), "boolean")) {
        add(out, lead, "true", "", word);
        add(out, lead, "false", "", word);
    }
}

GPtrArray *shell_complete(const char *text)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
    const char *start = text + strspn(text, " \t"), *word = strrchr(start, ' ');
    g_autofree char *name = g_strndup(start, strcspn(start, " \t"));
    const QDict *cmd;

    if (!schema) {
        return out;
    }
    if (!word) {
        QLIST_FOR_EACH(o, schema) {
            const QDict *d = qobject_to_dict(o);

            if (!strcmp(qdict_str_or(d, "meta-type", ""), "command")) {
                add(out, "", qdict_str_or(d, "name", ""), "", start);
            }
        }
        return out;
    }
    cmd = find(name, "command");
    cmd = cmd ? find(qdict_str_or(cmd, "arg-type", ""), NULL) : NULL;
    if (cmd && strchr(word + 1, '=')) {
        complete_value(out, cmd, word + 1);
    } else if (cmd) {
        complete_names(out, cmd, word + 1);
    }
    return out;
}
