/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page that compares the schema with a list of names: which commands and events are here, which
 * don't apply and why, which are missing. Lines of the list: "command NAME [REASON]", "event NAME ...".
 */
#include "util/osdep.h"
#include "qapi/gen/gen.h"

typedef struct Entry {
    char *name, *reason;        /* reason: NULL if it applies */
    bool present;
} Entry;

typedef struct Entries {
    size_t n;
    Entry *v;
} Entries;

static bool schema_has(bool event, const char *name)
{
    for (size_t i = 0; !event && i < schema.commands.n; i++) {
        if (!strcmp(schema.commands.v[i].name, name)) {
            return true;
        }
    }
    for (size_t i = 0; event && i < schema.events.n; i++) {
        if (!strcmp(schema.events.v[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void read_list(const char *path, Entries *commands, Entries *events)
{
    FILE *f = fopen(path, "r");
    char line[512], kind[16], name[128];

    if (!f) {
        fprintf(stderr, "qapi-gen: can't open '%s'\n", path);
        exit(1);
    }
    while (fgets(line, sizeof(line), f)) {
        int used = 0;
        Entry e = { NULL, NULL, false };
        bool event;

        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%15s %127s %n", kind, name, &used) < 2 || line[0] == '#') {
            continue;
        }
        event = !strcmp(kind, "event");
        e.name = xstrdup(name);
        e.reason = line[used] ? xstrdup(line + used) : NULL;
        e.present = schema_has(event, name);
        if (e.present && e.reason) {
            fprintf(stderr, "%s: '%s' doesn't apply, it says, but the schema has it\n", path, name);
            exit(1);
        }
        LIST_ADD(event ? events : commands, e);
    }
    fclose(f);
}

static void out_list(Out *out, const char *what, const Entries *list)
{
    size_t present = 0, not = 0;

    for (size_t i = 0; i < list->n; i++) {
        present += list->v[i].present;
        not += list->v[i].reason != NULL;
    }
    out_printf(out, "\n## %s\n\n%zu: %zu present, %zu not applicable, %zu missing.\n\n"
               "| name | here |\n|---|---|\n", what, list->n, present, not,
               list->n - present - not);
    for (size_t i = 0; i < list->n; i++) {
        const Entry *e = &list->v[i];

        if (e->reason) {
            out_printf(out, "| `%s` | not applicable: %s |\n", e->name, e->reason);
        } else {
            out_printf(out, "| `%s` | %s |\n", e->name, e->present ? "present" : "**missing**");
        }
    }
}

static bool is_listed(const Entries *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!strcmp(list->v[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void out_own(Out *out, const Entries *commands, const Entries *events)
{
    out_printf(out, "\n## Only here\n\n");
    for (size_t i = 0; i < schema.commands.n; i++) {
        if (!is_listed(commands, schema.commands.v[i].name)) {
            out_printf(out, "- `%s`\n", schema.commands.v[i].name);
        }
    }
    for (size_t i = 0; i < schema.events.n; i++) {
        if (!is_listed(events, schema.events.v[i].name)) {
            out_printf(out, "- event `%s`\n", schema.events.v[i].name);
        }
    }
}

void out_coverage(const char *path)
{
    Entries commands = { 0, NULL }, events = { 0, NULL };
    Out *out = out_new(gen_options.doc_dir, "qmp-coverage.md");

    read_list(path, &commands, &events);
    out_printf(out, "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n"
               "<!-- Made by qapi-gen; `make qmp-coverage` writes it anew. -->\n"
               "# Coverage of QMP\n\n"
               "The commands and events of QEMU 7.2 (x86_64). What isn't applicable concerns something\n"
               "that doesn't exist here.\n");
    out_list(out, "Commands", &commands);
    out_list(out, "Events", &events);
    out_own(out, &commands, &events);
    out_close(out);
}
