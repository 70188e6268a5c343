/* SPDX-License-Identifier: GPL-2.0-or-later */
/* types-MODULE.h: C types; types-MODULE.c: the tables that describe them. */
#include "util/osdep.h"
#include "qapi/gen/gen.h"

const char *c_type_of(const Type *type)
{
    if (type->kind == T_BUILTIN) {
        return type->c_scalar ? str_fmt("%s ", type->c_scalar)
               : !strcmp(type->name, "str") ? "char *" : "QObject *";
    }
    return str_fmt(type->kind == T_ENUM ? "%s " : "%s *", type->c_name);
}

const char *descriptor_of(const Type *type)
{
    return str_fmt("qapi_type_%s", type->kind == T_BUILTIN ? type->descriptor : type->c_name);
}

/* Only what @module itself defines, and never a command's argument struct. */
static bool mine(const Type *type, const Module *module)
{
    return type->module == module;
}

static void note_use(const Type *type, const Module *module, Names *uses)
{
    while (type->kind == T_ARRAY) {
        type = type->element;
    }
    if (!type->module || type->module == module) {
        return;
    }
    for (size_t i = 0; i < uses->n; i++) {
        if (!strcmp(uses->v[i], type->module->name)) {
            return;
        }
    }
    LIST_ADD(uses, type->module->name);
}

static void note_members(const Members *list, const Module *module, Names *uses)
{
    for (size_t i = 0; i < list->n; i++) {
        note_use(list->v[i].type, module, uses);
    }
}

static void out_enum(Out *out, const Type *type)
{
    out_if(out, type->cond);
    out_printf(out, "typedef enum %s {\n", type->c_name);
    for (size_t i = 0; i < type->own.n; i++) {
        out_if(out, type->own.v[i].cond);
        out_printf(out, "    %s%s,\n", type->prefix, type->own.v[i].c_name);
        out_endif(out, type->own.v[i].cond);
    }
    out_printf(out, "    %s_MAX\n} %s;\n", type->prefix, type->c_name);
    out_printf(out, "extern const QapiType qapi_type_%s;\n", type->c_name);
    out_printf(out, "/* The value's name in the schema; never NULL. */\n"
               "static inline const char *%s_name(%s value)\n{\n"
               "    return qapi_enum_name(&qapi_type_%s, (int)value);\n}\n",
               type->c_name, type->c_name, type->c_name);
    out_endif(out, type->cond);
    out_printf(out, "\n");
}

/* The fields of a struct with @type's members; its variants too. */
void out_struct_body(Out *out, const Type *type)
{
    for (size_t i = 0; i < type->all.n; i++) {
        const Member *m = &type->all.v[i];

        out_if(out, m->cond);
        if (m->optional && !type_is_pointer(m->type)) {
            out_printf(out, "    bool has_%s;\n", m->c_name);
        }
        out_printf(out, "    %s%s;%s\n", c_type_of(m->type), m->c_name,
                   m->optional && type_is_pointer(m->type) ? "        /* NULL: absent */" : "");
        out_endif(out, m->cond);
    }
    if (type->kind == T_UNION && type->variants.n) {
        out_printf(out, "    union {     /* by %s */\n", type->tag->c_name);
        for (size_t i = 0; i < type->variants.n; i++) {
            const Member *v = &type->variants.v[i];

            out_if(out, v->cond);
            out_printf(out, "        %s %s;\n", v->type->c_name, v->c_name);
            out_endif(out, v->cond);
        }
        out_printf(out, "    } u;\n");
    }
}

static void out_struct(Out *out, Type *type)
{
    if (type->emitted) {
        return;
    }
    type->emitted = true;
    for (size_t i = 0; i < type->variants.n; i++) {     /* held inline: before this one */
        Type *v = type->variants.v[i].type;

        if (v->module == type->module && v->kind != T_BUILTIN && v->kind != T_ENUM) {
            out_struct(out, v);
        }
    }
    out_if(out, type->cond);
    if (type->kind == T_ALTERNATE) {
        char *prefix = camel_to_upper(type->name);

        out_printf(out, "typedef enum {\n");
        for (size_t i = 0; i < type->variants.n; i++) {
            out_printf(out, "    %s_ALT_%s,\n", prefix, to_upper(type->variants.v[i].name));
        }
        out_printf(out, "} %sAlt;\n", type->c_name);
        out_printf(out, "struct %s {\n    int alt;            /* %sAlt */\n    union {\n",
                   type->c_name, type->c_name);
        for (size_t i = 0; i < type->variants.n; i++) {
            const Member *v = &type->variants.v[i];

            if (v->type->kind == T_BUILTIN || v->type->kind == T_ENUM) {
                out_printf(out, "        %s%s;\n", c_type_of(v->type), v->c_name);
            } else {
                out_printf(out, "        %s %s;\n", v->type->c_name, v->c_name);
            }
        }
        out_printf(out, "    } u;\n");
    } else {
        out_printf(out, "struct %s {\n", type->c_name);
        out_struct_body(out, type);
        if (!type->all.n && !type->variants.n) {
            out_printf(out, "    char empty;\n");
        }
    }
    out_printf(out, "};\n");
    out_endif(out, type->cond);
    out_printf(out, "\n");
}

static void out_declaration(Out *out, const Type *type)
{
    const char *n = type->c_name;

    out_if(out, type->cond);
    out_printf(out, "extern const QapiType qapi_type_%s;\n", n);
    out_printf(out, "static inline void qapi_free_%s(%s *p)\n{\n"
               "    qapi_free(&qapi_type_%s, p);\n}\n", n, n, n);
    out_printf(out, "static inline %s *qapi_clone_%s(const %s *p)\n{\n"
               "    return qapi_clone(&qapi_type_%s, p);\n}\n", n, n, n, n);
    out_endif(out, type->cond);
}

static void out_array_struct(Out *out, const Type *type)
{
    out_if(out, type->cond);
    out_printf(out, "struct %s {\n    size_t n;\n    %s%s*items;\n};\n", type->c_name,
               type_is_pointer(type->element) ? str_fmt("%s *", type->element->c_name)
                                              : c_type_of(type->element),
               "");
    out_endif(out, type->cond);
}

void out_types(const Module *module)
{
    Out *out = out_new(gen_options.out_dir,
                       str_fmt("%stypes-%s.h", gen_options.prefix, module->name));
    char *guard = to_upper(str_fmt("%sTYPES_%s_H", gen_options.prefix, module->name));
    Names uses = { 0, NULL };

    out_printf(out, "/* Made by qapi-gen from %s; don't edit. */\n", module->path);
    out_printf(out, "#ifndef QAPI_%s\n#define QAPI_%s\n\n", guard, guard);
    out_printf(out, "#include \"qapi/qapi-type.h\"\n");
    for (size_t i = 0; i < schema.types.n; i++) {
        if (mine(schema.types.v[i], module)) {
            note_members(&schema.types.v[i]->all, module, &uses);
            note_members(&schema.types.v[i]->variants, module, &uses);
        }
    }
    for (size_t i = 0; i < uses.n; i++) {
        out_printf(out, "#include \"%s%stypes-%s.h\"\n", gen_options.include_dir,
                   gen_options.prefix, uses.v[i]);
    }
    out_printf(out, "\n");
    for (size_t i = 0; i < schema.types.n; i++) {
        const Type *type = schema.types.v[i];

        if (mine(type, module) && type->kind == T_ENUM) {
            out_enum(out, type);
        }
    }
    for (size_t i = 0; i < schema.types.n; i++) {
        const Type *type = schema.types.v[i];

        if (mine(type, module) && type->kind != T_ENUM) {
            out_printf(out, "typedef struct %s %s;\n", type->c_name, type->c_name);
        }
    }
    out_printf(out, "\n");
    for (size_t i = 0; i < schema.types.n; i++) {
        Type *type = schema.types.v[i];

        if (mine(type, module) && type->kind != T_ENUM && type->kind != T_ARRAY) {
            out_struct(out, type);
        }
    }
    for (size_t i = 0; i < schema.types.n; i++) {
        if (mine(schema.types.v[i], module) && schema.types.v[i]->kind == T_ARRAY) {
            out_array_struct(out, schema.types.v[i]);
        }
    }
    out_printf(out, "\n");
    for (size_t i = 0; i < schema.types.n; i++) {
        const Type *type = schema.types.v[i];

        if (mine(type, module) && type->kind != T_ENUM) {
            out_declaration(out, type);
        }
    }
    out_printf(out, "\n#endif\n");
    out_close(out);
}

/* -------------------------------------------------------------- tables */

static const char *features_of(Out *out, const Names *features)
{
    char *s;

    (void)out;
    if (!features->n) {
        return "NULL";
    }
    s = xstrdup("(const char *const[]){ ");
    for (size_t i = 0; i < features->n; i++) {
        s = str_fmt("%s\"%s\", ", s, features->v[i]);
    }
    return str_fmt("%sNULL }", s);
}

/* The member table of @type, whose C struct is @c_struct. */
void out_members(Out *out, const Type *type, const char *c_struct)
{
    for (size_t i = 0; i < type->all.n; i++) {
        const Member *m = &type->all.v[i];

        out_if(out, m->cond);
        out_printf(out, "    { \"%s\", &%s, offsetof(%s, %s), ", m->name,
                   descriptor_of(m->type), c_struct, m->c_name);
        if (m->optional && !type_is_pointer(m->type)) {
            out_printf(out, "offsetof(%s, has_%s), ", c_struct, m->c_name);
        } else {
            out_printf(out, "-1, ");
        }
        out_printf(out, "%s, %s },\n", m->optional ? "true" : "false",
                   features_of(out, &m->features));
        out_endif(out, m->cond);
    }
}

static void out_enum_table(Out *out, const Type *type)
{
    out_printf(out, "static const QapiEnumValue values_%s[] = {\n", type->c_name);
    for (size_t i = 0; i < type->own.n; i++) {
        const Member *m = &type->own.v[i];

        out_if(out, m->cond);
        out_printf(out, "    { \"%s\", %s },\n", m->name, features_of(out, &m->features));
        out_endif(out, m->cond);
    }
    out_printf(out, "};\nconst QapiType qapi_type_%s = {\n"
               "    .name = \"%s\", .kind = QAPI_ENUM, .size = sizeof(%s), .features = %s,\n"
               "    .values = values_%s, .n_values = ARRAY_SIZE(values_%s),\n};\n\n",
               type->c_name, type->name, type->c_name, features_of(out, &type->features),
               type->c_name, type->c_name);
}

static void out_struct_table(Out *out, const Type *type)
{
    const char *n = type->c_name;

    if (type->all.n) {
        out_printf(out, "static const QapiMember members_%s[] = {\n", n);
        out_members(out, type, n);
        out_printf(out, "};\n");
    }
    if (type->variants.n) {
        out_printf(out, "static const QapiVariant variants_%s[] = {\n", n);
        for (size_t i = 0; i < type->variants.n; i++) {
            const Member *v = &type->variants.v[i];

            out_if(out, v->cond);
            out_printf(out, "    { \"%s\", ", v->name);
            if (type->kind == T_UNION) {
                out_printf(out, "%s%s", type->tag->type->prefix, to_upper(v->name));
            } else {
                out_printf(out, "%s_ALT_%s", camel_to_upper(type->name), to_upper(v->name));
            }
            out_printf(out, ", &%s, offsetof(%s, u.%s) },\n", descriptor_of(v->type), n,
                       v->c_name);
            out_endif(out, v->cond);
        }
        out_printf(out, "};\n");
    }
    out_printf(out, "const QapiType qapi_type_%s = {\n"
               "    .name = \"%s\", .kind = %s, .size = sizeof(%s), .features = %s,\n", n,
               type->name, type->kind == T_ALTERNATE ? "QAPI_ALTERNATE" : "QAPI_STRUCT", n,
               features_of(out, &type->features));
    if (type->all.n) {
        out_printf(out, "    .members = members_%s, .n_members = ARRAY_SIZE(members_%s),\n", n, n);
    }
    if (type->kind == T_UNION) {
        out_printf(out, "    .tag = \"%s\", .tag_offset = offsetof(%s, %s),\n", type->tag->name,
                   n, type->tag->c_name);
    }
    if (type->variants.n) {
        out_printf(out, "    .variants = variants_%s, .n_variants = ARRAY_SIZE(variants_%s),\n",
                   n, n);
    }
    out_printf(out, "};\n\n");
}

void out_tables(const Module *module)
{
    Out *out = out_new(gen_options.out_dir,
                       str_fmt("%stypes-%s.c", gen_options.prefix, module->name));

    out_printf(out, "/* Made by qapi-gen from %s; don't edit. */\n", module->path);
    out_printf(out, "#include \"util/osdep.h\"\n#include \"%s%stypes-%s.h\"\n\n",
               gen_options.include_dir, gen_options.prefix, module->name);
    for (size_t i = 0; i < schema.types.n; i++) {
        const Type *type = schema.types.v[i];

        if (!mine(type, module)) {
            continue;
        }
        out_if(out, type->cond);
        if (type->kind == T_ENUM) {
            out_enum_table(out, type);
        } else if (type->kind == T_ARRAY) {
            out_printf(out, "const QapiType qapi_type_%s = {\n    .name = \"%s\", "
                       ".kind = QAPI_ARRAY, .size = sizeof(%s), .element = &%s,\n};\n\n",
                       type->c_name, type->name, type->c_name, descriptor_of(type->element));
        } else {
            out_struct_table(out, type);
        }
        out_endif(out, type->cond);
    }
    out_close(out);
}
