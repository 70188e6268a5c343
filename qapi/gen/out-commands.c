/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * commands-MODULE.h: prototypes of the handlers; commands-MODULE.c: their
 * callers, which know the argument struct's layout; likewise for events.
 */
#include "util/osdep.h"
#include "qapi/gen/gen.h"

/* What a client sends is only lent to the handler, hence const. */
static const char *c_param_type(const Type *type)
{
    const char *t = c_type_of(type);

    return type_is_pointer(type) ? str_fmt("const %s", t) : t;
}

/*
 * The parameters for @args, each followed by ", ". With @names_only write the
 * expressions of a call instead, taking the values from struct @from.
 */
void out_params(Out *out, const Type *args, bool boxed, bool names_only, const char *from)
{
    if (!args) {
        return;
    }
    if (boxed) {
        if (names_only) {
            out_printf(out, "%s, ", from);
        } else {
            out_printf(out, "const %s *arg, ", args->c_name);
        }
        return;
    }
    for (size_t i = 0; i < args->all.n; i++) {
        const Member *m = &args->all.v[i];

        if (m->optional && !type_is_pointer(m->type)) {
            if (names_only) {
                out_printf(out, "%s->has_%s, ", from, m->c_name);
            } else {
                out_printf(out, "bool has_%s, ", m->c_name);
            }
        }
        if (names_only) {
            out_printf(out, "%s->%s, ", from, m->c_name);
        } else {
            out_printf(out, "%s%s, ", c_param_type(m->type), m->c_name);
        }
    }
}

static const char *args_struct(const Type *args, const char *c_name_)
{
    return args->implicit ? str_fmt("qapi_args_%s", c_name_) : args->c_name;
}

static void out_handler(Out *out, const Command *cmd)
{
    if (cmd->raw) {
        out_printf(out, "%sqmp_%s(const QDict *args, Error **errp)",
                   cmd->ret ? "QObject *" : "bool ", cmd->c_name);
        return;
    }
    out_printf(out, "%sqmp_%s(", cmd->ret ? c_type_of(cmd->ret) : "bool ", cmd->c_name);
    out_params(out, cmd->args, cmd->boxed, false, NULL);
    out_printf(out, "Error **errp)");
}

static void include_types(Out *out, const Module *module, const Type *type, Names *seen)
{
    while (type && type->kind == T_ARRAY) {
        type = type->element;
    }
    if (!type) {
        return;
    }
    if (type->implicit) {
        for (size_t i = 0; i < type->all.n; i++) {
            include_types(out, module, type->all.v[i].type, seen);
        }
        return;
    }
    if (!type->module) {
        return;
    }
    for (size_t i = 0; i < seen->n; i++) {
        if (!strcmp(seen->v[i], type->module->name)) {
            return;
        }
    }
    LIST_ADD(seen, type->module->name);
    out_printf(out, "#include \"%s%stypes-%s.h\"\n", gen_options.include_dir,
               gen_options.prefix, type->module->name);
}

static void out_head(Out *out, const Module *module, const char *kind)
{
    char *guard = to_upper(str_fmt("QAPI_%s%s_%s_H", gen_options.prefix, kind, module->name));

    out_printf(out, "/* Made by qapi-gen from %s; don't edit. */\n", module->path);
    out_printf(out, "#ifndef %s\n#define %s\n\n#include \"qapi/qapi-command.h\"\n", guard, guard);
}

static void out_source_head(Out *out, const Module *module, const char *kind)
{
    out_printf(out, "/* Made by qapi-gen from %s; don't edit. */\n", module->path);
    out_printf(out, "#include \"util/osdep.h\"\n#include \"%s%s%s-%s.h\"\n\n",
               gen_options.include_dir, gen_options.prefix, kind, module->name);
}

/* The struct and table of arguments written in the command's own 'data'. */
void out_args(Out *out, const Type *args, const char *c_name_)
{
    const char *s;

    if (!args || !args->implicit) {
        return;
    }
    s = args_struct(args, c_name_);
    out_printf(out, "typedef struct %s {\n", s);
    out_struct_body(out, args);
    if (!args->all.n) {
        out_printf(out, "    char empty;\n");
    }
    out_printf(out, "} %s;\n", s);
    if (args->all.n) {
        out_printf(out, "static const QapiMember members_%s[] = {\n", s);
        out_members(out, args, s);
        out_printf(out, "};\n");
    }
    out_printf(out, "static const QapiType type_%s = {\n"
               "    .name = \"%s\", .kind = QAPI_STRUCT, .size = sizeof(%s),\n", s, args->name, s);
    if (args->all.n) {
        out_printf(out, "    .members = members_%s, .n_members = ARRAY_SIZE(members_%s),\n", s, s);
    }
    out_printf(out, "};\n");
}

static const char *args_descriptor(const Type *args, const char *c_name_)
{
    if (!args) {
        return "NULL";
    }
    return args->implicit ? str_fmt("&type_%s", args_struct(args, c_name_))
                          : str_fmt("&%s", descriptor_of(args));
}

static const char *features_list(const Names *features)
{
    char *s = xstrdup("(const char *const[]){ ");

    for (size_t i = 0; i < features->n; i++) {
        s = str_fmt("%s\"%s\", ", s, features->v[i]);
    }
    return features->n ? str_fmt("%sNULL }", s) : "NULL";
}

static void out_call(Out *out, const Command *cmd)
{
    if (cmd->raw) {
        return;
    }
    out_printf(out, "static bool call_%s(void *args, void *ret, Error **errp)\n{\n", cmd->c_name);
    if (cmd->args && (cmd->boxed || cmd->args->all.n)) {
        const char *s = args_struct(cmd->args, cmd->c_name);

        out_printf(out, "    const %s *a = args;\n", s);
    } else {
        out_printf(out, "    (void)args;\n");
    }
    if (cmd->ret) {
        /* A pointer says itself whether the call failed, a scalar can't. */
        out_printf(out, "    Error *err = NULL;\n\n    *(%s*)ret = ", c_type_of(cmd->ret));
    } else {
        out_printf(out, "    (void)ret;\n    return ");
    }
    out_printf(out, "qmp_%s(", cmd->c_name);
    out_params(out, cmd->args, cmd->boxed, true, "a");
    if (cmd->ret) {
        out_printf(out, "&err);\n    error_propagate(errp, err);\n    return !err;\n}\n");
    } else {
        out_printf(out, "errp);\n}\n");
    }
}

void out_commands(const Module *module)
{
    Out *h = out_new(gen_options.out_dir,
                     str_fmt("%scommands-%s.h", gen_options.prefix, module->name));
    Out *c = out_new(gen_options.out_dir,
                     str_fmt("%scommands-%s.c", gen_options.prefix, module->name));
    Names seen = { 0, NULL };

    out_head(h, module, "commands");
    for (size_t i = 0; i < schema.commands.n; i++) {
        const Command *cmd = &schema.commands.v[i];

        if (cmd->module == module && !cmd->raw) {
            include_types(h, module, cmd->args, &seen);
            include_types(h, module, cmd->ret, &seen);
        }
    }
    out_printf(h, "\n");
    out_source_head(c, module, "commands");
    for (size_t i = 0; i < schema.commands.n; i++) {
        const Command *cmd = &schema.commands.v[i];

        if (cmd->module == module && cmd->raw) {
            include_types(c, module, cmd->args, &seen);
            include_types(c, module, cmd->ret, &seen);
        }
    }
    for (size_t i = 0; i < schema.commands.n; i++) {
        const Command *cmd = &schema.commands.v[i];

        if (cmd->module != module) {
            continue;
        }
        out_if(h, cmd->cond);
        out_handler(h, cmd);
        out_printf(h, ";\n");
        out_endif(h, cmd->cond);

        out_if(c, cmd->cond);
        out_args(c, cmd->args, cmd->c_name);
        out_call(c, cmd);
        out_printf(c, "const QapiCommand %sqapi_command_%s = {\n    .name = \"%s\",\n"
                   "    .args = %s, .ret = %s%s,\n", gen_options.c_prefix, cmd->c_name, cmd->name,
                   args_descriptor(cmd->args, cmd->c_name), cmd->ret ? "&" : "",
                   cmd->ret ? descriptor_of(cmd->ret) : "NULL");
        if (cmd->raw) {
            out_printf(c, "    .%s = qmp_%s,\n", cmd->ret ? "raw" : "raw_bool", cmd->c_name);
        } else {
            out_printf(c, "    .call = call_%s,\n", cmd->c_name);
        }
        out_printf(c, "    .oob = %d, .preconfig = %d, .coroutine = %d, .no_response = %d,\n"
                   "    .features = %s,\n};\n", cmd->oob, cmd->preconfig, cmd->coroutine,
                   cmd->no_response, features_list(&cmd->features));
        out_endif(c, cmd->cond);
        out_printf(c, "\n");
    }
    out_printf(h, "\n#endif\n");
    out_close(h);
    out_close(c);
}

void out_events(const Module *module)
{
    Out *h = out_new(gen_options.out_dir,
                     str_fmt("%sevents-%s.h", gen_options.prefix, module->name));
    Out *c = out_new(gen_options.out_dir,
                     str_fmt("%sevents-%s.c", gen_options.prefix, module->name));
    Names seen = { 0, NULL };

    out_head(h, module, "events");
    for (size_t i = 0; i < schema.events.n; i++) {
        if (schema.events.v[i].module == module) {
            include_types(h, module, schema.events.v[i].args, &seen);
        }
    }
    out_printf(h, "\n");
    out_source_head(c, module, "events");
    for (size_t i = 0; i < schema.events.n; i++) {
        const Event *ev = &schema.events.v[i];
        bool has_args = ev->args && (ev->boxed || ev->args->all.n);

        if (ev->module != module) {
            continue;
        }
        out_if(h, ev->cond);
        out_printf(h, "extern const QapiEvent %sqapi_event_%s;\nvoid qapi_event_send_%s(",
                   gen_options.c_prefix, ev->c_name, ev->c_name);
        out_printf(h, "%s", has_args ? "" : "void");
        out_if(c, ev->cond);
        out_args(c, ev->args, ev->c_name);
        out_printf(c, "const QapiEvent %sqapi_event_%s = {\n    .name = \"%s\", .args = %s,\n"
                   "    .features = %s,\n};\n", gen_options.c_prefix, ev->c_name, ev->name,
                   args_descriptor(ev->args, ev->c_name), features_list(&ev->features));
        out_printf(c, "void qapi_event_send_%s(%s", ev->c_name, has_args ? "" : "void");
        if (has_args && ev->boxed) {
            out_printf(h, "const %s *arg", ev->args->c_name);
            out_printf(c, "const %s *arg", ev->args->c_name);
        }
        for (size_t j = 0; has_args && !ev->boxed && j < ev->args->all.n; j++) {
            const Member *m = &ev->args->all.v[j];
            const char *s = str_fmt("%s%s%s%s", j ? ", " : "",
                                    m->optional && !type_is_pointer(m->type)
                                    ? str_fmt("bool has_%s, ", m->c_name) : "",
                                    c_param_type(m->type), m->c_name);

            out_printf(h, "%s", s);
            out_printf(c, "%s", s);
        }
        out_printf(h, ");\n");
        out_printf(c, ")\n{\n");
        if (has_args && !ev->boxed) {
            out_printf(c, "    %s args = {\n", args_struct(ev->args, ev->c_name));
            for (size_t j = 0; j < ev->args->all.n; j++) {
                const Member *m = &ev->args->all.v[j];

                if (type_is_pointer(m->type)) {
                    out_printf(c, "        .%s = (%s)%s,\n", m->c_name, c_type_of(m->type),
                               m->c_name);
                } else {
                    if (m->optional) {
                        out_printf(c, "        .has_%s = has_%s,\n", m->c_name, m->c_name);
                    }
                    out_printf(c, "        .%s = %s,\n", m->c_name, m->c_name);
                }
            }
            out_printf(c, "    };\n\n");
        }
        out_printf(c, "    qapi_event_emit(&%sqapi_event_%s, %s);\n}\n", gen_options.c_prefix,
                   ev->c_name, !has_args ? "NULL" : ev->boxed ? "arg" : "&args");
        out_endif(h, ev->cond);
        out_endif(c, ev->cond);
        out_printf(c, "\n");
    }
    out_printf(h, "\n#endif\n");
    out_close(h);
    out_close(c);
}

/* Everything that a client can call or receive, in the schema's order. */
void out_schema(void)
{
    Out *c = out_new(gen_options.out_dir, str_fmt("%sschema.c", gen_options.prefix));
    const char *p = gen_options.c_prefix;

    out_printf(c, "/* Made by qapi-gen; don't edit. */\n#include \"util/osdep.h\"\n"
               "#include \"qapi/qapi-command.h\"\n\n");
    for (size_t i = 0; i < schema.commands.n; i++) {
        out_printf(c, "extern const QapiCommand %sqapi_command_%s;\n", p,
                   schema.commands.v[i].c_name);
    }
    for (size_t i = 0; i < schema.events.n; i++) {
        out_printf(c, "extern const QapiEvent %sqapi_event_%s;\n", p,
                   schema.events.v[i].c_name);
    }
    out_printf(c, "\nstatic const QapiCommand *const commands[] = {\n");
    for (size_t i = 0; i < schema.commands.n; i++) {
        out_if(c, schema.commands.v[i].cond);
        out_printf(c, "    &%sqapi_command_%s,\n", p, schema.commands.v[i].c_name);
        out_endif(c, schema.commands.v[i].cond);
    }
    out_printf(c, "    NULL\n};\nstatic const QapiEvent *const events[] = {\n");
    for (size_t i = 0; i < schema.events.n; i++) {
        out_if(c, schema.events.v[i].cond);
        out_printf(c, "    &%sqapi_event_%s,\n", p, schema.events.v[i].c_name);
        out_endif(c, schema.events.v[i].cond);
    }
    out_printf(c, "    NULL\n};\n\nconst QapiSchema %sqapi_schema = {\n"
               "    .commands = commands, .n_commands = ARRAY_SIZE(commands) - 1,\n"
               "    .events = events, .n_events = ARRAY_SIZE(events) - 1,\n};\n", p);
    out_close(c);
}
