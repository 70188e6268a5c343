/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp-calls.[ch]: for libqmp, a typed function of each command, the same without waiting, and a
 * typed subscription to each event.
 */
#include "util/osdep.h"
#include "qapi/gen/gen.h"

static const char *result_type(const Command *cmd)
{
    return cmd->raw && cmd->ret ? "QObject *" : cmd->ret ? c_type_of(cmd->ret) : "bool ";
}

static bool takes_args(const Type *args, bool boxed)
{
    return args && (boxed || args->all.n);
}

static void out_call_params(Out *out, const Command *cmd)
{
    out_printf(out, "QmpClient *c, ");
    if (cmd->raw) {
        out_printf(out, "QDict *args, ");
    } else {
        out_params(out, cmd->args, cmd->boxed, false, NULL);
    }
}

/* The parameters of a callback that gets an event, each with ", " behind. */
static void out_event_params(Out *out, const Event *ev)
{
    if (takes_args(ev->args, ev->boxed)) {
        out_params(out, ev->args, ev->boxed, false, NULL);
    }
}

static void out_prototype(Out *out, const Command *cmd, bool async)
{
    if (async) {
        out_printf(out, "int64_t qmpc_%s_async(", cmd->c_name);
        out_call_params(out, cmd);
        out_printf(out, "\n    void (*done)(QmpClient *c, %s%sError *err, void *user_data), "
                   "void *user_data, Error **errp)",
                   cmd->ret ? result_type(cmd) : "", cmd->ret ? "result, " : "");
    } else {
        out_printf(out, "%sqmpc_%s(", result_type(cmd), cmd->c_name);
        out_call_params(out, cmd);
        out_printf(out, "Error **errp)");
    }
}

static const char *doc_line(const Doc *doc, const char *name)
{
    const char *text = doc && doc->text ? doc->text : name;

    return str_fmt("%.*s", (int)strcspn(text, "\n"), text);
}

static const char *descriptor(const Type *args, const char *c)
{
    return args->implicit ? str_fmt("type_qapi_args_%s", c) : descriptor_of(args);
}

static const char *args_type(const Type *args, const char *c)
{
    return args->implicit ? str_fmt("qapi_args_%s", c) : args->c_name;
}

/* "QDict *d = the arguments". */
static void out_encode(Out *out, const Command *cmd)
{
    if (cmd->raw) {
        out_printf(out, "    QDict *d = args;\n");
        return;
    }
    if (!takes_args(cmd->args, cmd->boxed)) {
        out_printf(out, "    QDict *d = NULL;\n");
        return;
    }
    if (cmd->boxed) {
        out_printf(out, "    QDict *d = qapi_encode_struct(&%s, arg);\n",
                   descriptor(cmd->args, cmd->c_name));
        return;
    }
    out_printf(out, "    %s a = {\n", args_type(cmd->args, cmd->c_name));
    for (size_t i = 0; i < cmd->args->all.n; i++) {
        const Member *m = &cmd->args->all.v[i];

        if (type_is_pointer(m->type)) {
            out_printf(out, "        .%s = (%s)%s,\n", m->c_name, c_type_of(m->type), m->c_name);
        } else {
            if (m->optional) {
                out_printf(out, "        .has_%s = has_%s,\n", m->c_name, m->c_name);
            }
            out_printf(out, "        .%s = %s,\n", m->c_name, m->c_name);
        }
    }
    out_printf(out, "    };\n    QDict *d = qapi_encode_struct(&%s, &a);\n",
               descriptor(cmd->args, cmd->c_name));
}

static void out_sync(Out *out, const Command *cmd)
{
    out_prototype(out, cmd, false);
    out_printf(out, "\n{\n");
    out_encode(out, cmd);
    if (!cmd->ret) {
        out_printf(out, "\n    return qmp_cmd_ok(c, \"%s\", d, errp);\n}\n", cmd->name);
    } else if (cmd->raw) {
        out_printf(out, "\n    return qmp_cmd(c, \"%s\", d, errp);\n}\n", cmd->name);
    } else {
        out_printf(out, "    %sresult = 0;\n\n    qmp_cmd_typed(c, \"%s\", d, &%s, &result, errp);\n"
                   "    return result;\n}\n", c_type_of(cmd->ret), cmd->name, descriptor_of(cmd->ret));
    }
}

static void out_async(Out *out, const Command *cmd)
{
    const char *ret = cmd->ret ? result_type(cmd) : "";

    out_printf(out, "static void done_%s(QmpClient *c, QObject *answer, Error *err, void *opaque)\n"
               "{\n    QmpTypedCall *call = opaque;\n"
               "    void (*done)(QmpClient *, %s%sError *, void *) = (void (*)(QmpClient *, %s%s"
               "Error *, void *))call->done;\n", cmd->c_name, ret, cmd->ret ? ", " : "", ret,
               cmd->ret ? ", " : "");
    if (cmd->ret && !cmd->raw) {
        out_printf(out, "    %sresult = 0;\n\n    qmp_answer_typed(answer, &%s, &result, &err);\n"
                   "    done(c, result, err, call->opaque);\n", c_type_of(cmd->ret),
                   descriptor_of(cmd->ret));
    } else if (cmd->ret) {
        out_printf(out, "\n    done(c, answer, err, call->opaque);\n");
    } else {
        out_printf(out, "\n    qobject_unref(answer);\n    done(c, err, call->opaque);\n");
    }
    out_printf(out, "    free(call);\n}\n");
    out_prototype(out, cmd, true);
    out_printf(out, "\n{\n");
    out_encode(out, cmd);
    out_printf(out, "\n    return qmp_cmd_async(c, \"%s\", d, -1, done_%s,\n"
               "                         qmp_typed_call((void (*)(void))done, user_data), errp);\n}\n",
               cmd->name, cmd->c_name);
}

static void out_event_prototype(Out *out, const Event *ev)
{
    out_printf(out, "void qmpc_on_%s(QmpClient *c,\n    void (*fn)(QmpClient *c, ", ev->c_name);
    out_event_params(out, ev);
    out_printf(out, "void *user_data), void *user_data)");
}

static void out_event(Out *out, const Event *ev)
{
    bool args = takes_args(ev->args, ev->boxed);

    out_printf(out, "static void on_%s(QmpClient *c, const QDict *event, void *opaque)\n"
               "{\n    QmpTypedCall *call = opaque;\n    void (*fn)(QmpClient *, ", ev->c_name);
    /* The parameters' names in a cast do no harm. */
    out_event_params(out, ev);
    out_printf(out, "void *) = (void (*)(QmpClient *, ");
    out_event_params(out, ev);
    out_printf(out, "void *))call->done;\n");
    if (args) {
        out_printf(out, "    %s a = { 0 }, *p = &a;\n\n"
                   "    if (!qmp_event_typed(event, &%s, p)) {\n        return;\n    }\n    fn(c, ",
                   args_type(ev->args, ev->c_name), descriptor(ev->args, ev->c_name));
        out_params(out, ev->args, ev->boxed, true, "p");
        out_printf(out, "call->opaque);\n    qapi_clear_struct(&%s, p);\n",
                   descriptor(ev->args, ev->c_name));
    } else {
        out_printf(out, "\n    (void)event;\n    fn(c, call->opaque);\n");
    }
    out_printf(out, "}\n");
    out_event_prototype(out, ev);
    out_printf(out, "\n{\n    qmp_client_on_event(c, \"%s\", fn ? on_%s : NULL,\n"
               "                        fn ? qmp_typed_call((void (*)(void))fn, user_data) : NULL, free);\n"
               "}\n\n", ev->name, ev->c_name);
}

static void out_header(void)
{
    Out *h = out_new(gen_options.out_dir, "qmp-calls.h");

    out_printf(h, "/* SPDX-License-Identifier: GPL-2.0-or-later */\n"
               "/*\n * Made by qapi-gen; don't edit. A function of each QMP command and event; libqmp/qmp.h says\n"
               " * how they are used.\n */\n"
               "#ifndef QAPI_QMP_CALLS_H\n#define QAPI_QMP_CALLS_H\n\n#include \"libqmp/qmp-client.h\"\n");
    for (size_t i = 0; i < n_modules; i++) {
        out_printf(h, "#include \"%stypes-%s.h\"\n", gen_options.include_dir, modules[i].name);
    }
    for (size_t i = 0; i < schema.commands.n; i++) {
        const Command *cmd = &schema.commands.v[i];

        out_printf(h, "\n/* %s: %s */\n", cmd->name, doc_line(cmd->doc, cmd->name));
        out_prototype(h, cmd, false);
        out_printf(h, ";\n");
        out_prototype(h, cmd, true);
        out_printf(h, ";\n");
    }
    for (size_t i = 0; i < schema.events.n; i++) {
        out_printf(h, "\n/* %s: %s */\n", schema.events.v[i].name,
                   doc_line(schema.events.v[i].doc, schema.events.v[i].name));
        out_event_prototype(h, &schema.events.v[i]);
        out_printf(h, ";\n");
    }
    out_printf(h, "\n#endif\n");
    out_close(h);
}

void out_client(void)
{
    Out *c = out_new(gen_options.out_dir, "qmp-calls.c");

    out_header();
    out_printf(c, "/* Made by qapi-gen; don't edit. */\n#include \"util/osdep.h\"\n"
               "#include \"%sqmp-calls.h\"\n#include \"libqmp/typed.h\"\n\n", gen_options.include_dir);
    for (size_t i = 0; i < schema.commands.n; i++) {
        const Command *cmd = &schema.commands.v[i];

        out_if(c, cmd->cond);
        if (!cmd->raw && takes_args(cmd->args, cmd->boxed)) {
            out_args(c, cmd->args, cmd->c_name);
        }
        out_sync(c, cmd);
        out_async(c, cmd);
        out_endif(c, cmd->cond);
        out_printf(c, "\n");
    }
    for (size_t i = 0; i < schema.events.n; i++) {
        const Event *ev = &schema.events.v[i];

        if (takes_args(ev->args, ev->boxed)) {
            out_args(c, ev->args, ev->c_name);
        }
        out_event(c, ev);
    }
    out_close(c);
}
