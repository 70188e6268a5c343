/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects that users make (-object), and properties they preset (-global). */
#include "util/osdep.h"
#include "qom/object.h"
#include "qom/qom-int.h"

bool id_is_valid(const char *id)
{
    if (!g_ascii_isalpha(*id)) {
        return false;
    }
    while (*++id) {
        if (!g_ascii_isalnum(*id) && !strchr("-._", *id)) {
            return false;
        }
    }
    return true;
}

Object *user_object_new(const char *type_name, const char *id,
                        const struct QDict *props, bool from_text,
                        Error **errp)
{
    const Type *type = type_find(type_name);
    Object *objects = object_container("/objects"), *obj;

    if (!type || !type_is_user_creatable(type)) {
        error_setf(errp, ERR_NO_SUCH_TYPE, "invalid object type: %s", type_name);
        error_argument(errp, "qom-type", type_name, "types that -object help lists");
        return NULL;
    }
    if (!id_is_valid(id)) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "'%s' cannot be an id: ids are a letter, then letters, digits, '-', '.', '_'",
                   id);
        error_argument(errp, "id", id, "an identifier");
        return NULL;
    }
    if (object_child(objects, id)) {
        error_setf(errp, ERR_DUPLICATE_ID,
                   "attempt to add duplicate property '%s' to object (type 'container')", id);
        error_argument(errp, "id", id, NULL);
        return NULL;
    }
    obj = object_new(type_name);
    object_add_child(objects, id, obj);
    object_unref(obj);
    if (!object_apply_globals(obj, errp) ||
        (props && !object_set_dict(obj, props, from_text, errp))) {
        goto fail;
    }
    for (const Type *t = type; t; t = type_parent(t)) {
        if (t->info.complete) {
            if (!t->info.complete(obj, errp)) {
                goto fail;
            }
            break;              /* which calls its parent's where it wants to */
        }
    }
    obj->props_fixed = true;
    return obj;
fail:
    object_unparent(obj);
    return NULL;
}

Object *user_object_find(const char *id, const char *type, Error **errp)
{
    Object *obj = object_child(object_container("/objects"), id);

    if (!obj || (type && !object_is_a(obj, type))) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "object '%s' not found", id);
        error_argument(errp, "id", id, type);
        return NULL;
    }
    return obj;
}

bool user_object_delete(const char *id, Error **errp)
{
    Object *obj = user_object_find(id, NULL, errp);

    if (!obj) {
        return false;
    }
    for (const Type *t = obj->type; t; t = type_parent(t)) {
        if (t->info.can_be_deleted) {
            if (!t->info.can_be_deleted(obj, errp)) {
                return false;
            }
            break;
        }
    }
    if (atomic_load(&obj->ref) > 1) {
        error_setf(errp, ERR_IN_USE, "object '%s' is in use, can not be deleted", id);
        error_argument(errp, "id", id, NULL);
        return false;
    }
    object_unparent(obj);
    return true;
}

/* --- -global --- */

typedef struct GlobalProperty {
    char *type, *prop, *value;
} GlobalProperty;

static GArray *globals;
static guint n_compat;          /* the first ones of them are the machine's */
static guint n_compat;         /* the first ones of them are the machine's */

static void add_global(guint at, const char *type, const char *prop, const char *value)
{
    GlobalProperty g = { g_strdup(type), g_strdup(prop), g_strdup(value) };

    g_array_insert_val(globals, at, g);
}

void global_property_add(const char *type, const char *prop, const char *value)
{
    if (!globals) {
        globals = g_array_new(FALSE, FALSE, sizeof(GlobalProperty));
    }
    add_global(globals->len, type, prop, value);
}

void global_property_add_compat(const char *type, const char *prop, const char *value)
{
    if (!globals) {
        globals = g_array_new(FALSE, FALSE, sizeof(GlobalProperty));
    }
    add_global(n_compat++, type, prop, value);
}

bool object_apply_globals(void *obj, Error **errp)
{
    for (guint i = 0; globals && i < globals->len; i++) {
        const GlobalProperty *g = &g_array_index(globals, GlobalProperty, i);

        if (object_is_a(obj, g->type) &&
            !object_set_str(obj, g->prop, g->value, errp)) {
            error_prepend(errp, "can't apply global %s.%s=%s: ", g->type, g->prop, g->value);
            return false;
        }
    }
    return true;
}
