/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registry of types. Filled by constructors in any order, so parents are
 * looked up when a type is first used.
 */
#include "util/osdep.h"
#include "qom/object.h"
#include "qom/qom-int.h"

static GHashTable *types;       /* name to Type */
static GPtrArray *sorted;       /* by name; NULL when it must be made again */

void type_register(const TypeInfo *info)
{
    Type *type;

    if (!types) {
        types = g_hash_table_new(g_str_hash, g_str_equal);
    }
    type = g_new0(Type, 1);
    type->info = *info;
    if (!info->parent && strcmp(info->name, TYPE_OBJECT)) {
        type->info.parent = TYPE_OBJECT;
    }
    if (!g_hash_table_insert(types, (gpointer)info->name, type)) {
        fprintf(stderr, "type '%s' is registered twice\n", info->name);
        abort();
    }
    g_clear_pointer(&sorted, g_ptr_array_unref);
}

const Type *type_find(const char *name)
{
    return types ? g_hash_table_lookup(types, name) : NULL;
}

const char *type_name(const Type *type)
{
    return type->info.name;
}

const char *type_desc(const Type *type)
{
    return type->info.desc;
}

const Type *type_parent(const Type *type)
{
    if (!type->parent && type->info.parent) {
        Type *t = (Type *)type;

        t->parent = type_find(type->info.parent);
        if (!t->parent) {
            fprintf(stderr, "type '%s' has an unknown parent '%s'\n",
                    type->info.name, type->info.parent);
            abort();
        }
    }
    return type->parent;
}

const TypeInfo *type_info(const Type *type)
{
    return &type->info;
}

bool type_is_abstract(const Type *type)
{
    return type->info.abstract;
}

bool type_is_user_creatable(const Type *type)
{
    for (const Type *t = type; t; t = type_parent(t)) {
        if (t->info.user_creatable) {
            return !type->info.abstract;
        }
    }
    return false;
}

size_t type_size(const Type *type)
{
    for (const Type *t = type; t; t = type_parent(t)) {
        if (t->info.size) {
            return t->info.size;
        }
    }
    return sizeof(Object);
}

bool type_is_a(const Type *type, const char *ancestor)
{
    for (; type; type = type_parent(type)) {
        if (type->info.name == ancestor || !strcmp(type->info.name, ancestor)) {
            return true;
        }
    }
    return false;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    const Type *const *x = a, *const *y = b;

    return strcmp((*x)->info.name, (*y)->info.name);
}

void type_foreach(const char *ancestor, bool include_abstract,
                  void (*fn)(const Type *type, void *opaque), void *opaque)
{
    if (!sorted) {
        GHashTableIter it;
        gpointer type;

        sorted = g_ptr_array_new();
        g_hash_table_iter_init(&it, types);
        while (g_hash_table_iter_next(&it, NULL, &type)) {
            g_ptr_array_add(sorted, type);
        }
        g_ptr_array_sort(sorted, compare_names);
    }
    for (guint i = 0; i < sorted->len; i++) {
        const Type *t = g_ptr_array_index(sorted, i);

        if ((include_abstract || !t->info.abstract) &&
            (!ancestor || type_is_a(t, ancestor))) {
            fn(t, opaque);
        }
    }
}

const Property *type_find_property(const Type *type, const char *name)
{
    for (; type; type = type_parent(type)) {
        for (const Property *p = type->info.props; p && p->kind; p++) {
            if (!strcmp(p->name, name)) {
                return p;
            }
        }
    }
    return NULL;
}

void type_property_foreach(const Type *type,
                           void (*fn)(const Property *prop, void *opaque),
                           void *opaque)
{
    for (const Type *t = type; t; t = type_parent(t)) {
        for (const Property *p = t->info.props; p && p->kind; p++) {
            /* A derived type's row of the same name hides this one. */
            if (!(p->flags & PROP_F_HIDDEN) && type_find_property(type, p->name) == p) {
                fn(p, opaque);
            }
        }
    }
}
