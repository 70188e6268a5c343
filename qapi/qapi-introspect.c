/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema as data, from the same tables that commands run by. Types that
 * aren't built in get numbers for names in the order of their first use, so
 * that no client can depend on a name.
 */
#include "util/osdep.h"
#include "qapi/qapi-command.h"

typedef struct Introspection {
    QList *out;
    const QapiType **types;     /* numbered; types[i] is named "i" */
    size_t n, done;
} Introspection;

/* A command without arguments or result has this one. */
static const QapiType empty_type = { .name = "q_empty", .kind = QAPI_STRUCT };

static const char *builtin_name(const QapiType *type)
{
    switch (type->kind) {
    case QAPI_INT:
        return "int";           /* of whatever size: JSON doesn't know */
    case QAPI_STR:
    case QAPI_NUMBER:
    case QAPI_BOOL:
    case QAPI_ANY:
    case QAPI_NULL:
        return type->name;
    default:
        return NULL;
    }
}

static size_t number_of(Introspection *s, const QapiType *type)
{
    if (type->kind == QAPI_INT) {
        type = &qapi_type_int;
    } else if (type->kind == QAPI_ARRAY && type->element->kind == QAPI_INT) {
        type = &qapi_type_intList;
    } else if (type->kind == QAPI_STRUCT && !type->n_members && !type->n_variants) {
        type = &empty_type;     /* all that have no members are one */
    }
    for (size_t i = 0; i < s->n; i++) {
        if (s->types[i] == type) {
            return i;
        }
    }
    s->types = realloc(s->types, (s->n + 1) * sizeof(*s->types));
    if (!s->types) {
        abort();
    }
    s->types[s->n] = type;
    return s->n++;
}

/* The name in the answer; arrays are the element's name in brackets. */
static QObject *type_name(Introspection *s, const QapiType *type)
{
    size_t number = number_of(s, type);
    const char *name = builtin_name(type);

    if (name) {
        return qstring_from(name);
    }
    if (type->kind == QAPI_ARRAY) {
        QObject *inner = type_name(s, type->element);
        QObject *outer = qstring_from_printf("[%s]", qstring_value(inner));

        qobject_unref(inner);
        return outer;
    }
    return qstring_from_printf("%zu", number);
}

static void put_features(QDict *d, const char *const *features)
{
    QList *list;

    if (!features) {
        return;
    }
    list = qlist_new();
    for (; *features; features++) {
        qlist_append_str(list, *features);
    }
    qdict_put(d, "features", list);
}

static void put_enum(QDict *d, const QapiType *type)
{
    QList *members = qlist_new(), *values = qlist_new();

    for (size_t i = 0; i < type->n_values; i++) {
        QDict *m = qdict_new();

        qdict_put_str(m, "name", type->values[i].name);
        put_features(m, type->values[i].features);
        qlist_append(members, m);
        qlist_append_str(values, type->values[i].name);
    }
    qdict_put_str(d, "meta-type", "enum");
    qdict_put(d, "members", members);
    qdict_put(d, "values", values);
}

static void put_object(Introspection *s, QDict *d, const QapiType *type)
{
    QList *members = qlist_new(), *variants;
    const QapiType *tag_type = NULL;

    qdict_put_str(d, "meta-type", "object");
    for (size_t i = 0; i < type->n_members; i++) {
        const QapiMember *m = &type->members[i];
        QDict *member = qdict_new();

        qdict_put_str(member, "name", m->name);
        qdict_put(member, "type", type_name(s, m->type));
        if (m->optional) {
            qdict_put_null(member, "default");
        }
        put_features(member, m->features);
        qlist_append(members, member);
        if (type->tag && !strcmp(type->tag, m->name)) {
            tag_type = m->type;
        }
    }
    qdict_put(d, "members", members);
    if (!tag_type) {
        return;
    }
    /* Values without members of their own are there too, with the empty type. */
    variants = qlist_new();
    for (size_t i = 0; i < tag_type->n_values; i++) {
        const QapiType *vt = &empty_type;
        QDict *variant = qdict_new();

        for (size_t j = 0; j < type->n_variants; j++) {
            if (type->variants[j].value == (int)i) {
                vt = type->variants[j].type;
            }
        }
        qdict_put_str(variant, "case", tag_type->values[i].name);
        qdict_put(variant, "type", type_name(s, vt));
        qlist_append(variants, variant);
    }
    qdict_put_str(d, "tag", type->tag);
    qdict_put(d, "variants", variants);
}

static void put_alternate(Introspection *s, QDict *d, const QapiType *type)
{
    QList *members = qlist_new();

    for (size_t i = 0; i < type->n_variants; i++) {
        QDict *member = qdict_new();

        qdict_put(member, "type", type_name(s, type->variants[i].type));
        qlist_append(members, member);
    }
    qdict_put_str(d, "meta-type", "alternate");
    qdict_put(d, "members", members);
}

static void put_builtin(QDict *d, const QapiType *type)
{
    static const char *const json[] = {
        [QAPI_STR] = "string", [QAPI_NUMBER] = "number", [QAPI_INT] = "int",
        [QAPI_BOOL] = "boolean", [QAPI_ANY] = "value", [QAPI_NULL] = "null",
    };

    qdict_put_str(d, "meta-type", "builtin");
    qdict_put_str(d, "json-type", json[type->kind]);
}

static void put_type(Introspection *s, const QapiType *type)
{
    QDict *d = qdict_new();

    qdict_put(d, "name", type_name(s, type));
    switch (type->kind) {
    case QAPI_ENUM:
        put_enum(d, type);
        break;
    case QAPI_STRUCT:
        put_object(s, d, type);
        break;
    case QAPI_ALTERNATE:
        put_alternate(s, d, type);
        break;
    case QAPI_ARRAY:
        qdict_put_str(d, "meta-type", "array");
        qdict_put(d, "element-type", type_name(s, type->element));
        break;
    default:
        put_builtin(d, type);
        break;
    }
    put_features(d, type->features);
    qlist_append(s->out, d);
}

QObject *qapi_introspect(const QapiSchema *schema)
{
    Introspection s = { .out = qlist_new() };

    for (size_t i = 0; i < schema->n_commands; i++) {
        const QapiCommand *cmd = schema->commands[i];
        QDict *d = qdict_new();

        qdict_put_str(d, "name", cmd->name);
        qdict_put_str(d, "meta-type", "command");
        qdict_put(d, "arg-type", type_name(&s, cmd->args ? cmd->args : &empty_type));
        qdict_put(d, "ret-type", type_name(&s, cmd->ret ? cmd->ret : &empty_type));
        if (cmd->oob) {
            qdict_put_bool(d, "allow-oob", true);
        }
        put_features(d, cmd->features);
        qlist_append(s.out, d);
    }
    for (size_t i = 0; i < schema->n_events; i++) {
        const QapiEvent *ev = schema->events[i];
        QDict *d = qdict_new();

        qdict_put_str(d, "name", ev->name);
        qdict_put_str(d, "meta-type", "event");
        qdict_put(d, "arg-type", type_name(&s, ev->args ? ev->args : &empty_type));
        put_features(d, ev->features);
        qlist_append(s.out, d);
    }
    while (s.done < s.n) {
        put_type(&s, s.types[s.done++]);
    }
    free(s.types);
    return QOBJECT(s.out);
}
