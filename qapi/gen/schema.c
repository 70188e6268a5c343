/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Definitions: types, commands and events from the parsed statements, with
 * all of the schema language's rules checked (QAPI code generation document,
 * "Schema syntax"), among them that everything a client can call is documented.
 */
#include "util/osdep.h"
#include "qapi/gen/gen.h"

Schema schema;

static Type builtins[] = {
#define BUILTIN(n, c, d, alt) \
    { .kind = T_BUILTIN, .name = n, .c_name = n, .c_scalar = c, .descriptor = d, .alt_class = alt }
    BUILTIN("str", NULL, "str", "string"),
    BUILTIN("number", "double", "number", "number"),
    BUILTIN("int", "int64_t", "int", "number"),
    BUILTIN("int8", "int8_t", "int8", "number"),
    BUILTIN("int16", "int16_t", "int16", "number"),
    BUILTIN("int32", "int32_t", "int32", "number"),
    BUILTIN("int64", "int64_t", "int64", "number"),
    BUILTIN("uint8", "uint8_t", "uint8", "number"),
    BUILTIN("uint16", "uint16_t", "uint16", "number"),
    BUILTIN("uint32", "uint32_t", "uint32", "number"),
    BUILTIN("uint64", "uint64_t", "uint64", "number"),
    BUILTIN("size", "uint64_t", "size", "number"),
    BUILTIN("bool", "bool", "bool", "boolean"),
    BUILTIN("any", NULL, "any", NULL),
    BUILTIN("null", NULL, "null", "null"),
#undef BUILTIN
};

bool type_is_pointer(const Type *type)
{
    return !(type->kind == T_ENUM || (type->kind == T_BUILTIN && type->c_scalar));
}

static Type *find_type(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(builtins); i++) {
        if (!strcmp(builtins[i].name, name)) {
            return &builtins[i];
        }
    }
    for (size_t i = 0; i < schema.types.n; i++) {
        if (schema.types.v[i]->kind != T_ARRAY && !strcmp(schema.types.v[i]->name, name)) {
            return schema.types.v[i];
        }
    }
    return NULL;
}

static Type *new_type(TypeKind kind, const char *name, Loc loc, const Module *module)
{
    Type *type = memset(xrealloc(NULL, sizeof(*type)), 0, sizeof(*type));

    type->kind = kind;
    type->name = name;
    type->c_name = c_name(name);
    type->loc = loc;
    type->module = module;
    return type;
}

static Type *array_of(Type *element, Loc loc)
{
    Type *type;

    for (size_t i = 0; i < schema.types.n; i++) {
        if (schema.types.v[i]->kind == T_ARRAY && schema.types.v[i]->element == element) {
            return schema.types.v[i];
        }
    }
    type = new_type(T_ARRAY, str_fmt("%sList", element->name), loc, element->module);
    type->element = element;
    type->cond = element->cond;
    LIST_ADD(&schema.types, type);
    return type;
}

static Type *resolve(const Value *v)
{
    const Value *name = v;
    Type *type;

    if (v->kind == V_LIST) {
        if (v->n != 1 || v->items[0]->kind != V_STR) {
            fail_at(v->loc, "an array is written ['TYPE']");
        }
        name = v->items[0];
    } else if (v->kind != V_STR) {
        fail_at(v->loc, "expected a type name or ['TYPE']");
    }
    type = find_type(name->str);
    if (!type) {
        fail_at(v->loc, "no type '%s'", name->str);
    }
    return v->kind == V_LIST ? array_of(type, v->loc) : type;
}

/* ------------------------------------------------- conditions, features */

static char *cond_text(const Value *v);

static char *cond_join(const Value *list, const char *op)
{
    char *s = NULL;

    if (list->kind != V_LIST || !list->n) {
        fail_at(list->loc, "expected a list of conditions");
    }
    for (size_t i = 0; i < list->n; i++) {
        char *one = cond_text(list->items[i]);

        s = s ? str_fmt("%s %s %s", s, op, one) : one;
    }
    return str_fmt("(%s)", s);
}

static char *cond_text(const Value *v)
{
    Value *inner;

    if (v->kind == V_STR) {
        return str_fmt("defined(%s)", v->str);
    }
    if (v->kind == V_DICT && v->n == 1) {
        if ((inner = dict_get(v, "all"))) {
            return cond_join(inner, "&&");
        }
        if ((inner = dict_get(v, "any"))) {
            return cond_join(inner, "||");
        }
        if ((inner = dict_get(v, "not"))) {
            return str_fmt("!%s", cond_text(inner));
        }
    }
    fail_at(v->loc, "a condition is a name, {'all': [...]}, {'any': [...]} or {'not': ...}");
}

static const char *get_cond(const Value *dict)
{
    Value *v = dict_get(dict, "if");

    return v ? cond_text(v) : NULL;
}

static Names get_features(const Value *dict)
{
    Names names = { 0, NULL };
    Value *v = dict_get(dict, "features");

    for (size_t i = 0; v && i < v->n; i++) {
        Value *item = v->items[i];
        const char *name = item->kind == V_DICT ? dict_get_str(item, "name") : item->str;

        if (!name) {
            fail_at(item->loc, "a feature is a name or {'name': ...}");
        }
        LIST_ADD(&names, name);
    }
    return names;
}

static bool get_flag(const Value *dict, const char *key, bool def)
{
    Value *v = dict_get(dict, key);

    if (v && v->kind != V_BOOL) {
        fail_at(v->loc, "'%s' must be true or false", key);
    }
    return v ? v->b : def;
}

static void check_keys(const Value *dict, const char *const *known)
{
    for (size_t i = 0; i < dict->n; i++) {
        const char *const *k = known;

        while (*k && strcmp(*k, dict->keys[i])) {
            k++;
        }
        if (!*k) {
            fail_at(dict->items[i]->loc, "unknown key '%s'", dict->keys[i]);
        }
    }
}
#define CHECK_KEYS(dict, ...) check_keys(dict, (const char *const[]){ __VA_ARGS__, NULL })

/* ---------------------------------------------------------- members */

static Members get_members(const Value *data)
{
    Members list = { 0, NULL };

    if (data->kind != V_DICT) {
        fail_at(data->loc, "expected {'NAME': 'TYPE' ...}");
    }
    for (size_t i = 0; i < data->n; i++) {
        Value *v = data->items[i];
        Value *type = v->kind == V_DICT ? dict_get(v, "type") : v;
        bool optional = data->keys[i][0] == '*';
        Member m = { .loc = v->loc, .name = data->keys[i] + optional, .optional = optional };

        if (!type) {
            fail_at(v->loc, "'%s' has no 'type'", m.name);
        }
        if (v->kind == V_DICT) {
            CHECK_KEYS(v, "type", "if", "features");
            m.features = get_features(v);
            m.cond = get_cond(v);
        }
        m.c_name = c_name(m.name);
        m.type = resolve(type);
        LIST_ADD(&list, m);
    }
    return list;
}

static Members get_enum_values(const Value *data)
{
    Members list = { 0, NULL };

    if (data->kind != V_LIST) {
        fail_at(data->loc, "expected a list of names");
    }
    for (size_t i = 0; i < data->n; i++) {
        Value *v = data->items[i];
        Member m = { .loc = v->loc };

        m.name = v->kind == V_DICT ? dict_get_str(v, "name") : v->str;
        if (!m.name) {
            fail_at(v->loc, "a value is a name or {'name': ...}");
        }
        if (v->kind == V_DICT) {
            CHECK_KEYS(v, "name", "if", "features");
            m.features = get_features(v);
            m.cond = get_cond(v);
        }
        m.c_name = to_upper(m.name);
        LIST_ADD(&list, m);
    }
    return list;
}

static const Member *find_member(const Members *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!strcmp(list->v[i].name, name)) {
            return &list->v[i];
        }
    }
    return NULL;
}

/* ------------------------------------------------------------ passes */

/* Pass 1: names of all types, so that they may be used before their place. */
static void declare(const Module *module, const Statement *st)
{
    static const struct { const char *key; TypeKind kind; } kinds[] = {
        { "enum", T_ENUM }, { "struct", T_STRUCT }, { "union", T_UNION },
        { "alternate", T_ALTERNATE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const char *name = dict_get_str(st->expr, kinds[i].key);
        Type *type;

        if (!name) {
            continue;
        }
        if ((type = find_type(name))) {
            fail_at(st->expr->loc, "'%s' is defined at %s:%d already", name,
                    type->loc.file ? type->loc.file : "(built in)", type->loc.line);
        }
        type = new_type(kinds[i].kind, name, st->expr->loc, module);
        type->expr = st->expr;
        type->doc = st->doc;
        LIST_ADD(&schema.types, type);
    }
}

/* Pass 2: what the types hold. */
static void define_type(Type *type)
{
    const Value *expr = type->expr;
    const Value *data = dict_get(expr, "data");
    const Value *base = dict_get(expr, "base");
    const char *prefix = dict_get_str(expr, "prefix");

    CHECK_KEYS(expr, "enum", "struct", "union", "alternate", "data", "base", "prefix",
               "discriminator", "if", "features");
    if (!data) {
        fail_at(expr->loc, "'%s' has no 'data'", type->name);
    }
    type->cond = get_cond(expr);
    type->features = get_features(expr);
    switch (type->kind) {
    case T_ENUM:
        type->prefix = prefix ? str_fmt("%s_", prefix)
                              : str_fmt("%s_", camel_to_upper(type->name));
        type->own = get_enum_values(data);
        break;
    case T_STRUCT:
        type->own = get_members(data);
        type->base = base ? resolve(base) : NULL;
        break;
    case T_UNION:
        if (!base || !dict_get_str(expr, "discriminator")) {
            fail_at(expr->loc, "a union needs 'base' and 'discriminator'");
        }
        if (base->kind == V_DICT) {
            type->own = get_members(base);
        } else {
            type->base = resolve(base);
        }
        type->variants = get_members(data);
        break;
    case T_ALTERNATE:
        type->variants = get_members(data);
        break;
    default:
        break;
    }
}

static void check_alternate(Type *type)
{
    for (size_t i = 0; i < type->variants.n; i++) {
        for (size_t j = 0; j <= i; j++) {
            Type *t = type->variants.v[j].type;
            const char *a = NULL, *b = NULL;

            a = t->kind == T_BUILTIN ? t->alt_class : t->kind == T_ENUM ? "string"
                : t->kind == T_ARRAY ? "array" : t->kind == T_ALTERNATE ? NULL : "object";
            if (!a) {
                fail_at(type->loc, "'%s' can't be a branch of an alternate", t->name);
            }
            if (j == i) {
                break;
            }
            t = type->variants.v[i].type;
            b = t->kind == T_BUILTIN ? t->alt_class : t->kind == T_ENUM ? "string"
                : t->kind == T_ARRAY ? "array" : "object";
            if (b && !strcmp(a, b)) {
                fail_at(type->loc, "branches '%s' and '%s' look the same in JSON",
                        type->variants.v[j].name, type->variants.v[i].name);
            }
        }
    }
}

/* Pass 3: flatten bases, find tags, refuse loops and clashes. */
static void check_type(Type *type)
{
    if (type->checked || type->kind == T_ENUM || type->kind == T_ARRAY) {
        return;
    }
    if (type->checking) {
        fail_at(type->loc, "'%s' contains itself", type->name);
    }
    type->checking = true;
    if (type->base) {
        if (type->base->kind != T_STRUCT) {
            fail_at(type->loc, "base '%s' isn't a struct", type->base->name);
        }
        check_type(type->base);
        for (size_t i = 0; i < type->base->all.n; i++) {
            LIST_ADD(&type->all, type->base->all.v[i]);
        }
    }
    for (size_t i = 0; i < type->own.n; i++) {
        const Member *m = &type->own.v[i];

        if (find_member(&type->all, m->name)) {
            fail_at(m->loc, "'%s' is there twice", m->name);
        }
        LIST_ADD(&type->all, *m);
    }
    if (type->kind == T_UNION) {
        const char *tag = dict_get_str(type->expr, "discriminator");

        type->tag = find_member(&type->all, tag);
        if (!type->tag || type->tag->type->kind != T_ENUM || type->tag->optional) {
            fail_at(type->loc, "discriminator '%s' isn't a required enum member", tag);
        }
        for (size_t i = 0; i < type->variants.n; i++) {
            Member *v = &type->variants.v[i];

            if (!find_member(&type->tag->type->own, v->name)) {
                fail_at(v->loc, "'%s' is no value of '%s'", v->name, type->tag->type->name);
            }
            if (v->type->kind != T_STRUCT && v->type->kind != T_UNION) {
                fail_at(v->loc, "branch '%s' isn't a struct", v->name);
            }
            check_type(v->type);
            for (size_t j = 0; j < v->type->all.n; j++) {
                if (find_member(&type->all, v->type->all.v[j].name)) {
                    fail_at(v->loc, "'%s' of branch '%s' clashes with the base",
                            v->type->all.v[j].name, v->name);
                }
            }
        }
    } else if (type->kind == T_ALTERNATE) {
        check_alternate(type);
        for (size_t i = 0; i < type->variants.n; i++) {
            check_type(type->variants.v[i].type);
        }
    }
    type->checking = false;
    type->checked = true;
}

/* ------------------------------------------------------ documentation */

static const DocPart *doc_find(const DocParts *parts, const char *name)
{
    for (size_t i = 0; i < parts->n; i++) {
        if (!strcmp(parts->v[i].name, name)) {
            return &parts->v[i];
        }
    }
    return NULL;
}

/* @args may be NULL. With @strict each of them must be documented. */
static void check_doc(const Doc *doc, const char *name, const char *what, Loc loc,
                      const Members *args, const Members *more, bool strict)
{
    if (!doc || !doc->symbol) {
        fail_at(loc, "%s '%s' isn't documented", what, name);
    }
    if (strcmp(doc->symbol, name)) {
        fail_at(doc->loc, "documentation of '%s' stands before '%s'", doc->symbol, name);
    }
    if (!*doc->text) {
        fail_at(doc->loc, "documentation of '%s' says nothing", name);
    }
    for (size_t i = 0; i < doc->args.n; i++) {
        const DocPart *p = &doc->args.v[i];

        if (!(args && find_member(args, p->name)) && !(more && find_member(more, p->name))) {
            fail_at(doc->loc, "'%s' has no '%s', which its documentation describes",
                    name, p->name);
        }
        if (strict && !*p->text) {
            fail_at(doc->loc, "documentation of '%s' of '%s' says nothing", p->name, name);
        }
    }
    for (size_t i = 0; strict && args && i < args->n; i++) {
        if (!doc_find(&doc->args, args->v[i].name)) {
            fail_at(args->v[i].loc, "'%s' of %s '%s' isn't documented", args->v[i].name,
                    what, name);
        }
    }
}

/* ------------------------------------------------- commands and events */

static Type *get_args(const Value *expr, const char *name, const Module *module, bool boxed)
{
    const Value *data = dict_get(expr, "data");
    Type *type;

    if (!data) {
        return NULL;
    }
    if (data->kind != V_DICT) {
        type = resolve(data);
        if (type->kind != T_STRUCT && !(boxed && type->kind == T_UNION)) {
            fail_at(data->loc, "arguments must be a struct (or, boxed, a union)");
        }
        return type;
    }
    type = new_type(T_STRUCT, str_fmt("q_obj_%s-arg", name), expr->loc, module);
    type->implicit = true;
    type->own = get_members(data);
    check_type(type);
    return type;
}

static void add_command(const Module *module, const Statement *st)
{
    const Value *expr = st->expr;
    const Value *ret = dict_get(expr, "returns");
    Command cmd = {
        .loc = expr->loc, .module = module, .doc = st->doc,
        .name = dict_get_str(expr, "command"),
        .boxed = get_flag(expr, "boxed", false),
        .raw = !get_flag(expr, "gen", true),
        .oob = get_flag(expr, "allow-oob", false),
        .preconfig = get_flag(expr, "allow-preconfig", false),
        .coroutine = get_flag(expr, "coroutine", false),
        .no_response = !get_flag(expr, "success-response", true),
        .cond = get_cond(expr), .features = get_features(expr),
    };

    CHECK_KEYS(expr, "command", "data", "returns", "boxed", "gen", "allow-oob",
               "allow-preconfig", "coroutine", "success-response", "if", "features");
    for (size_t i = 0; i < schema.commands.n; i++) {
        if (!strcmp(schema.commands.v[i].name, cmd.name)) {
            fail_at(expr->loc, "command '%s' is there twice", cmd.name);
        }
    }
    cmd.c_name = c_name(cmd.name);
    cmd.args = get_args(expr, cmd.name, module, cmd.boxed);
    cmd.ret = ret ? resolve(ret) : NULL;
    check_doc(cmd.doc, cmd.name, "command", cmd.loc, cmd.args ? &cmd.args->all : NULL, NULL,
              cmd.args && cmd.args->implicit);
    LIST_ADD(&schema.commands, cmd);
}

static void add_event(const Module *module, const Statement *st)
{
    const Value *expr = st->expr;
    Event ev = {
        .loc = expr->loc, .module = module, .doc = st->doc,
        .name = dict_get_str(expr, "event"),
        .boxed = get_flag(expr, "boxed", false),
        .cond = get_cond(expr), .features = get_features(expr),
    };

    CHECK_KEYS(expr, "event", "data", "boxed", "if", "features");
    ev.c_name = to_lower(ev.name);
    ev.args = get_args(expr, ev.name, module, ev.boxed);
    check_doc(ev.doc, ev.name, "event", ev.loc, ev.args ? &ev.args->all : NULL, NULL,
              ev.args && ev.args->implicit);
    LIST_ADD(&schema.events, ev);
}

static void for_each(void (*f)(const Module *, const Statement *), const char *key)
{
    for (size_t i = 0; i < n_modules; i++) {
        for (size_t j = 0; j < modules[i].n; j++) {
            const Statement *st = &modules[i].v[j];

            if (st->expr && (!key || dict_get(st->expr, key))) {
                f(&modules[i], st);
            }
        }
    }
}

static void check_known(const Module *module, const Statement *st)
{
    static const char *const kinds[] = {
        "enum", "struct", "union", "alternate", "command", "event", "pragma",
    };

    (void)module;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (dict_get(st->expr, kinds[i])) {
            return;
        }
    }
    fail_at(st->expr->loc, "expected a definition, 'include' or 'pragma'");
}

void schema_build(void)
{
    for_each(check_known, NULL);
    for_each(declare, NULL);
    for (size_t i = 0; i < schema.types.n; i++) {
        if (schema.types.v[i]->kind != T_ARRAY) {
            define_type(schema.types.v[i]);
        }
    }
    for (size_t i = 0; i < schema.types.n; i++) {
        Type *type = schema.types.v[i];

        if (type->kind != T_ARRAY) {
            check_type(type);
            check_doc(type->doc, type->name, "type", type->loc,
                      type->kind == T_ALTERNATE ? &type->variants :
                      type->kind == T_ENUM ? &type->own : &type->all,
                      &type->variants, false);
        }
    }
    for_each(add_command, "command");
    for_each(add_event, "event");
}
