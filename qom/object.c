/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects: making and releasing them, and the tree.
 */
#include "util/osdep.h"
#include "qom/object.h"
#include "qom/qom-int.h"

/* --- life --- */

static void init_defaults(Object *obj, const Type *type)
{
    if (type_parent(type)) {
        init_defaults(obj, type_parent(type));
    }
    for (const Property *p = type->info.props; p && p->kind; p++) {
        property_init_default(obj, p);
    }
}

static void init_chain(Object *obj, const Type *type)
{
    if (type_parent(type)) {
        init_chain(obj, type_parent(type));
    }
    if (type->info.init) {
        type->info.init(obj);
    }
}

static void object_start(Object *obj, const Type *type)
{
    obj->type = type;
    atomic_init(&obj->ref, 1);
    init_defaults(obj, type);
    init_chain(obj, type);
}

Object *object_new(const char *type_name)
{
    const Type *type = type_find(type_name);
    Object *obj;

    if (!type || type->info.abstract) {
        fprintf(stderr, "type '%s' is %s\n", type_name, type ? "abstract" : "unknown");
        abort();
    }
    obj = g_malloc0(type_size(type));
    object_start(obj, type);
    return obj;
}

Object *object_new_checked(const char *name, const char *ancestor, Error **errp)
{
    const Type *type = type_find(name);

    if (!type || (ancestor && !type_is_a(type, ancestor))) {
        error_setf(errp, ERR_NO_SUCH_TYPE, "'%s' is not a valid %s type name", name,
                   ancestor ? ancestor : "object");
        error_argument(errp, "type", name, ancestor);
        return NULL;
    }
    if (type->info.abstract) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "type '%s' is abstract: objects are made of the types derived from it",
                   name);
        error_argument(errp, "type", name, NULL);
        return NULL;
    }
    return object_new(name);
}

void object_init_embedded(void *storage, size_t size, const char *type_name)
{
    const Type *type = type_find(type_name);
    Object *obj = storage;

    assert(type && !type->info.abstract && size >= type_size(type));
    memset(storage, 0, size);
    obj->embedded = true;
    object_start(obj, type);
}

static void object_finalize(Object *obj)
{
    ObjectExtra *extra;

    for (const Type *t = obj->type; t; t = type_parent(t)) {
        if (t->info.finalize) {
            t->info.finalize(obj);
        }
    }
    extra = obj->extra;
    if (extra && extra->children) {
        while (extra->children->len) {
            object_unparent(g_ptr_array_index(extra->children,
                                              extra->children->len - 1));
        }
        g_ptr_array_unref(extra->children);
    }
    for (const Type *t = obj->type; t; t = type_parent(t)) {
        for (const Property *p = t->info.props; p && p->kind; p++) {
            property_release(obj, p);
        }
    }
    if (extra) {
        if (extra->props) {
            for (guint i = 0; i < extra->props->len; i++) {
                property_release(obj, g_ptr_array_index(extra->props, i));
            }
            g_ptr_array_unref(extra->props);
        }
        g_free(extra);
        obj->extra = NULL;
    }
    g_clear_pointer(&obj->name, g_free);
    if (!obj->embedded) {
        g_free(obj);
    }
}

void *object_ref(void *obj)
{
    if (obj) {
        atomic_fetch_add_explicit(&((Object *)obj)->ref, 1, memory_order_relaxed);
    }
    return obj;
}

void object_unref(void *opaque)
{
    Object *obj = opaque;

    if (obj) {
        uint32_t was = atomic_fetch_sub_explicit(&obj->ref, 1, memory_order_acq_rel);

        assert(was > 0);
        if (was == 1) {
            object_finalize(obj);
        }
    }
}

const char *object_type_name(const void *obj)
{
    return ((const Object *)obj)->type->info.name;
}

bool object_is_a(const void *obj, const char *type)
{
    return type_is_a(((const Object *)obj)->type, type);
}

void *object_cast_checked(const void *obj, const char *type)
{
    assert(!obj || object_is_a(obj, type));
    return (void *)obj;
}

/* --- tree --- */

static const TypeInfo container_info = { .name = TYPE_CONTAINER };
TYPE(container_info)

Object *object_root(void)
{
    static Object *root;

    if (!root) {
        root = object_new(TYPE_CONTAINER);
    }
    return root;
}

static ObjectExtra *extra_of(Object *obj)
{
    if (!obj->extra) {
        obj->extra = g_new0(ObjectExtra, 1);
    }
    return obj->extra;
}

Object *object_child(const void *opaque, const char *name)
{
    const Object *parent = opaque;
    GPtrArray *c = parent->extra ? parent->extra->children : NULL;

    for (guint i = 0; c && i < c->len; i++) {
        Object *child = g_ptr_array_index(c, i);

        if (!strcmp(child->name, name)) {
            return child;
        }
    }
    return NULL;
}

void object_add_child(void *opaque, const char *name, void *child_opaque)
{
    Object *parent = opaque, *child = child_opaque;
    ObjectExtra *extra = extra_of(parent);
    const char *star = strstr(name, "[*]");

    assert(!child->parent);
    if (star && !star[3]) {
        for (unsigned n = 0; ; n++) {
            g_autofree char *try = g_strdup_printf("%.*s[%u]", (int)(star - name),
                                                   name, n);

            if (!object_child(parent, try)) {
                child->name = g_steal_pointer(&try);
                break;
            }
        }
    } else {
        assert(!object_child(parent, name));
        child->name = g_strdup(name);
    }
    if (!extra->children) {
        extra->children = g_ptr_array_new();
    }
    g_ptr_array_add(extra->children, object_ref(child));
    child->parent = parent;
}

void object_unparent(void *opaque)
{
    Object *obj = opaque, *parent = obj->parent;

    if (!parent) {
        return;
    }
    g_ptr_array_remove(parent->extra->children, obj);
    obj->parent = NULL;
    g_clear_pointer(&obj->name, g_free);
    object_unref(obj);
}

/* The children as they are now, each held. */
static GPtrArray *held_children(Object *obj)
{
    GPtrArray *copy = g_ptr_array_new_with_free_func(object_unref);
    GPtrArray *c = obj->extra ? obj->extra->children : NULL;

    for (guint i = 0; c && i < c->len; i++) {
        g_ptr_array_add(copy, object_ref(g_ptr_array_index(c, i)));
    }
    return copy;
}

int object_child_foreach(void *obj, int (*fn)(Object *child, void *opaque),
                         void *opaque)
{
    g_autoptr(GPtrArray) children = held_children(obj);
    int ret = 0;

    for (guint i = 0; i < children->len && !ret; i++) {
        Object *child = g_ptr_array_index(children, i);

        if (child->parent == obj) {
            ret = fn(child, opaque);
        }
    }
    return ret;
}

int object_child_foreach_recursive(void *obj,
                                   int (*fn)(Object *child, void *opaque),
                                   void *opaque)
{
    g_autoptr(GPtrArray) children = held_children(obj);
    int ret = 0;

    for (guint i = 0; i < children->len && !ret; i++) {
        Object *child = g_ptr_array_index(children, i);

        if (child->parent == obj) {
            ret = fn(child, opaque);
            if (!ret) {
                ret = object_child_foreach_recursive(child, fn, opaque);
            }
        }
    }
    return ret;
}

char *object_canonical_path(const void *opaque)
{
    const Object *obj = opaque, *root = object_root();
    g_autoptr(GString) path = g_string_new(NULL);

    for (; obj != root; obj = obj->parent) {
        if (!obj->parent) {
            return NULL;
        }
        g_string_prepend(path, obj->name);
        g_string_prepend_c(path, '/');
    }
    if (!path->len) {
        g_string_append_c(path, '/');
    }
    return g_strdup(path->str);
}

Object *object_container(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Object *obj = object_root();

    for (char **p = parts; *p; p++) {
        Object *child;

        if (!**p) {
            continue;
        }
        child = object_child(obj, *p);
        if (!child) {
            child = object_new(TYPE_CONTAINER);
            object_add_child(obj, *p, child);
            object_unref(child);
        }
        obj = child;
    }
    return obj;
}

/* One step of a path: a child, or what a link leads to. */
static Object *path_step(Object *obj, const char *name)
{
    Object *child = object_child(obj, name);
    const Property *p;

    if (child) {
        return child;
    }
    p = object_find_property(obj, name);
    return p && p->kind == PROP_KIND_LINK ? *(Object **)((char *)obj + p->offset) : NULL;
}

static Object *walk(Object *obj, char **parts)
{
    for (; obj && *parts; parts++) {
        if (**parts) {
            obj = path_step(obj, *parts);
        }
    }
    return obj;
}

typedef struct Search {
    char **parts;
    const char *type;
    Object *found;
    bool ambiguous;
} Search;

static int search_step(Object *obj, void *opaque)
{
    Search *s = opaque;
    Object *hit;

    /* Only real children begin a partial path, or links would make doubles. */
    if (strcmp(obj->name, s->parts[0])) {
        return 0;
    }
    hit = walk(obj, s->parts + 1);
    if (hit && (!s->type || object_is_a(hit, s->type))) {
        if (s->found && s->found != hit) {
            s->ambiguous = true;
            return 1;
        }
        s->found = hit;
    }
    return 0;
}

Object *object_resolve_path_type(const char *path, const char *type,
                                 bool *ambiguous)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Search s = { parts, type, NULL, false };

    if (ambiguous) {
        *ambiguous = false;
    }
    if (path[0] == '/') {
        Object *obj = walk(object_root(), parts);

        return obj && (!type || object_is_a(obj, type)) ? obj : NULL;
    }
    if (!parts[0] || !*parts[0]) {
        return NULL;
    }
    object_child_foreach_recursive(object_root(), search_step, &s);
    if (s.ambiguous) {
        if (ambiguous) {
            *ambiguous = true;
        }
        return NULL;
    }
    return s.found;
}

Object *object_resolve_path(const char *path, bool *ambiguous)
{
    return object_resolve_path_type(path, NULL, ambiguous);
}

/* --- properties of an instance --- */

const Property *object_find_property(const Object *obj, const char *name)
{
    GPtrArray *own = obj->extra ? obj->extra->props : NULL;

    for (guint i = 0; own && i < own->len; i++) {
        const Property *p = g_ptr_array_index(own, i);

        if (!strcmp(p->name, name)) {
            return p;
        }
    }
    return type_find_property(obj->type, name);
}

void object_add_property(void *opaque, const Property *prop)
{
    Object *obj = opaque;
    ObjectExtra *extra = extra_of(obj);

    assert(!object_find_property(obj, prop->name));
    if (!extra->props) {
        extra->props = g_ptr_array_new();
    }
    g_ptr_array_add(extra->props, (gpointer)prop);
    property_init_default(obj, prop);
}

bool object_has_property(const void *obj, const char *name)
{
    return object_find_property(obj, name) || object_child(obj, name);
}

typedef struct Visit {
    Object *obj;
    void (*fn)(const ObjectPropertyInfo *info, void *opaque);
    void *opaque;
} Visit;

static void visit_property(const Property *p, void *opaque)
{
    Visit *v = opaque;
    ObjectPropertyInfo info = {
        .name = p->name, .type = property_type_name(p), .desc = p->desc, .prop = p,
        .readable = p->kind != PROP_KIND_CUSTOM || p->get,
        .writable = !(p->flags & PROP_F_READ_ONLY) &&
                    (p->kind != PROP_KIND_CUSTOM || p->set),
    };

    v->fn(&info, v->opaque);
}

static int visit_child(Object *child, void *opaque)
{
    Visit *v = opaque;
    g_autofree char *type = g_strdup_printf("child<%s>", object_type_name(child));
    ObjectPropertyInfo info = {
        .name = child->name, .type = type, .readable = true,
    };

    v->fn(&info, v->opaque);
    return 0;
}

void object_property_foreach(void *opaque,
                             void (*fn)(const ObjectPropertyInfo *info,
                                        void *opaque),
                             void *fn_opaque)
{
    Object *obj = opaque;
    GPtrArray *own = obj->extra ? obj->extra->props : NULL;
    Visit v = { obj, fn, fn_opaque };

    type_property_foreach(obj->type, visit_property, &v);
    for (guint i = 0; own && i < own->len; i++) {
        visit_property(g_ptr_array_index(own, i), &v);
    }
    object_child_foreach(obj, visit_child, &v);
}
