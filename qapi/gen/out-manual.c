/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference manual, as Markdown: one chapter a module, in the schema's order; out-html.c makes another form of it. */
#include "util/osdep.h"
#include "qapi/gen/gen.h"

static const char *type_text(const Type *type)
{
    if (type->kind == T_ARRAY) {
        return str_fmt("array of %s", type_text(type->element));
    }
    if (type->kind == T_BUILTIN) {
        return type->name;
    }
    return str_fmt("[%s](#%s)", type->name, to_lower(type->name));
}

static const char *part_text(const Doc *doc, const char *name)
{
    for (size_t i = 0; doc && i < doc->args.n; i++) {
        if (!strcmp(doc->args.v[i].name, name)) {
            return doc->args.v[i].text;
        }
    }
    return "";
}

/* Continuation lines are indented so that they stay in the list's item. */
static void out_item_text(Out *out, const char *text)
{
    for (; *text; text++) {
        out_printf(out, *text == '\n' ? "\n  " : "%c", *text);
    }
    out_printf(out, "\n");
}

static void out_heading(Out *out, const char *kind, const char *name)
{
    /* There are a command stop and an event STOP. */
    const char *prefix = !strcmp(kind, "Event") ? "event-" : "";

    out_printf(out, "\n<a id=\"%s%s\"></a>\n### %s `%s`\n\n", prefix, to_lower(name), kind, name);
}

static void out_member_list(Out *out, const Members *list, const Doc *doc, const char *what)
{
    if (!list->n) {
        return;
    }
    out_printf(out, "\n%s:\n\n", what);
    for (size_t i = 0; i < list->n; i++) {
        const Member *m = &list->v[i];

        out_printf(out, "- `%s`", m->name);
        if (m->type) {
            out_printf(out, " (%s%s)", type_text(m->type), m->optional ? ", optional" : "");
        }
        out_printf(out, *part_text(doc, m->name) ? ": " : "");
        out_item_text(out, part_text(doc, m->name));
    }
}

static void out_tags(Out *out, const Doc *doc, const Names *features)
{
    for (size_t i = 0; i < features->n; i++) {
        const char *text = "";

        for (size_t j = 0; j < doc->features.n; j++) {
            if (!strcmp(doc->features.v[j].name, features->v[i])) {
                text = doc->features.v[j].text;
            }
        }
        out_printf(out, "\nFeature `%s`: %s\n", features->v[i], text);
    }
    for (size_t i = 0; i < doc->tags.n; i++) {
        const DocPart *p = &doc->tags.v[i];

        if (!strncmp(p->name, "Example", 7)) {
            out_printf(out, "\n%s:\n\n```\n%s\n```\n", p->name, p->text);
        } else {
            out_printf(out, "\n%s: %s\n", p->name, p->text);
        }
    }
}

static void out_arguments(Out *out, const Type *args, const Doc *doc)
{
    if (args && args->implicit) {
        out_member_list(out, &args->all, doc, "Arguments");
    } else if (args) {
        out_printf(out, "\nArguments: the members of %s\n", type_text(args));
    }
}

static void out_type_doc(Out *out, const Type *type)
{
    static const char *const kinds[] = {
        [T_ENUM] = "Enumeration", [T_STRUCT] = "Object", [T_UNION] = "Union",
        [T_ALTERNATE] = "Alternate",
    };

    out_heading(out, kinds[type->kind], type->name);
    out_printf(out, "%s\n", type->doc->text);
    if (type->base) {
        out_printf(out, "\nHas the members of %s and:\n", type_text(type->base));
    }
    if (type->kind == T_UNION && type->variants.n) {
        out_member_list(out, &type->own, type->doc, "Members");
        out_printf(out, "\nMore members by `%s`:\n\n", type->tag->name);
        for (size_t i = 0; i < type->variants.n; i++) {
            out_printf(out, "- `%s`: those of %s\n", type->variants.v[i].name,
                       type_text(type->variants.v[i].type));
        }
    } else if (type->kind == T_ALTERNATE) {
        out_member_list(out, &type->variants, type->doc, "One of");
    } else {
        out_member_list(out, &type->own, type->doc, type->kind == T_ENUM ? "Values" : "Members");
    }
    out_tags(out, type->doc, &type->features);
}

void out_manual(void)
{
    Out *out = out_new(gen_options.doc_dir, "qmp-reference.md");

    out_printf(out, "# QMP reference\n\nMade from the schema in qapi/. "
               "A command is sent as `{\"execute\": NAME, \"arguments\": {...}}`.\n");
    for (size_t m = 0; m < n_modules; m++) {
        const Module *module = &modules[m];

        for (size_t j = 0; j < module->n; j++) {
            const Statement *st = &module->v[j];
            const char *text = st->doc ? st->doc->text : "";

            if (!st->expr && *text == '=') {
                out_printf(out, "\n## %s\n", text + 1 + strspn(text + 1, " "));
            } else if (!st->expr) {
                out_printf(out, "\n%s\n", text);
            }
        }
        for (size_t i = 0; i < schema.commands.n; i++) {
            const Command *cmd = &schema.commands.v[i];

            if (cmd->module == module) {
                out_heading(out, "Command", cmd->name);
                out_printf(out, "%s\n", cmd->doc->text);
                out_arguments(out, cmd->args, cmd->doc);
                if (cmd->ret) {
                    out_printf(out, "\nResult: %s\n", type_text(cmd->ret));
                }
                out_tags(out, cmd->doc, &cmd->features);
            }
        }
        for (size_t i = 0; i < schema.events.n; i++) {
            const Event *ev = &schema.events.v[i];

            if (ev->module == module) {
                out_heading(out, "Event", ev->name);
                out_printf(out, "%s\n", ev->doc->text);
                out_arguments(out, ev->args, ev->doc);
                out_tags(out, ev->doc, &ev->features);
            }
        }
        for (size_t i = 0; i < schema.types.n; i++) {
            if (schema.types.v[i]->module == module && schema.types.v[i]->kind != T_ARRAY) {
                out_type_doc(out, schema.types.v[i]);
            }
        }
    }
    out_html(out_text(out));
    out_close(out);
}
