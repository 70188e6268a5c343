/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Setting and getting an object's properties by name, with the errors that
 * name object, property, value and what would be accepted.
 */
#include "util/osdep.h"
#include "qom/object.h"
#include "qom/qom-int.h"

static void name_subject(Object *obj, Error **errp)
{
    if (errp && *errp) {
        g_autofree char *path = object_canonical_path(obj);

        error_subject(errp, path ? path : object_type_name(obj));
    }
}

static void add_name(const Property *p, void *opaque)
{
    GString *names = opaque;

    if (!(p->flags & PROP_F_READ_ONLY) && (p->kind != PROP_KIND_CUSTOM || p->set)) {
        g_string_append_printf(names, "%s%s", names->len ? ", " : "", p->name);
    }
}

static const Property *find_or_error(Object *obj, const char *name, Error **errp)
{
    const Property *p = object_find_property(obj, name);

    if (!p) {
        g_autoptr(GString) names = g_string_new("");

        error_setf(errp, ERR_NO_SUCH_PROPERTY, "Property '%s.%s' not found",
                   object_type_name(obj), name);
        type_property_foreach(obj->type, add_name, names);
        error_argument(errp, name, NULL, names->str);
        name_subject(obj, errp);
    }
    return p;
}

static bool is_fixed(Object *obj, const Property *p, Error **errp)
{
    if (!obj->props_fixed || p->flags & PROP_F_RUNTIME) {
        return false;
    }
    error_setf(errp, ERR_WRONG_STATE,
               "property '%s.%s' cannot be changed once the object is in use",
               object_type_name(obj), p->name);
    error_argument(errp, p->name, NULL, NULL);
    name_subject(obj, errp);
    return true;
}

static bool set_value(Object *obj, const char *name, const QObject *value,
                      bool from_text, Error **errp)
{
    const Property *p = find_or_error(obj, name, errp);
    bool ok;

    if (!p) {
        return false;
    }
    if ((p->flags & PROP_F_READ_ONLY) || (p->kind == PROP_KIND_CUSTOM && !p->set)) {
        error_setf(errp, ERR_PROPERTY_READ_ONLY, "property '%s.%s' is read-only",
                   object_type_name(obj), name);
        error_argument(errp, name, NULL, NULL);
        name_subject(obj, errp);
        return false;
    }
    if (is_fixed(obj, p, errp)) {
        return false;
    }
    ok = property_set(obj, p, value, from_text, errp);
    if (!ok) {
        name_subject(obj, errp);
    }
    return ok;
}

bool object_set(void *obj, const char *name, const struct QObject *value,
                Error **errp)
{
    return set_value(obj, name, value, false, errp);
}

bool object_set_str(void *obj, const char *name, const char *value,
                    Error **errp)
{
    QOBJECT_AUTO QObject *v = qstring_from(value);

    return set_value(obj, name, v, true, errp);
}

bool object_set_bool(void *obj, const char *name, bool value, Error **errp)
{
    QOBJECT_AUTO QObject *v = qbool_from(value);

    return set_value(obj, name, v, false, errp);
}

bool object_set_uint(void *obj, const char *name, uint64_t value, Error **errp)
{
    QOBJECT_AUTO QObject *v = qnum_from_uint(value);

    return set_value(obj, name, v, false, errp);
}

bool object_set_int(void *obj, const char *name, int64_t value, Error **errp)
{
    QOBJECT_AUTO QObject *v = qnum_from_int(value);

    return set_value(obj, name, v, false, errp);
}

bool object_set_link(void *opaque, const char *name, void *target, Error **errp)
{
    Object *obj = opaque, **field;
    const Property *p = find_or_error(obj, name, errp);

    if (!p) {
        return false;
    }
    if (p->kind != PROP_KIND_LINK ||
        (target && p->type && !object_is_a(target, p->type))) {
        error_setf(errp, ERR_WRONG_TYPE, "property '%s.%s' is a %s, not a link to a '%s'",
                   object_type_name(obj), name, property_type_name(p),
                   target ? object_type_name(target) : "null");
        name_subject(obj, errp);
        return false;
    }
    if (is_fixed(obj, p, errp)) {
        return false;
    }
    field = (Object **)((char *)(p->part ? p->part(obj) : obj) + p->offset);
    object_ref(target);
    object_unref(*field);
    *field = target;
    return true;
}

bool object_set_dict(void *obj, const struct QDict *dict, bool from_text,
                     Error **errp)
{
    QDICT_FOR_EACH(e, dict) {
        if (!set_value(obj, e->key, e->value, from_text, errp)) {
            return false;
        }
    }
    return true;
}

struct QObject *object_get(void *opaque, const char *name, Error **errp)
{
    Object *obj = opaque, *child = object_child(obj, name);
    const Property *p;
    QObject *value;

    if (child) {
        g_autofree char *path = object_canonical_path(child);

        return qstring_from(path ? path : "");
    }
    p = find_or_error(obj, name, errp);
    if (!p) {
        return NULL;
    }
    if (p->kind == PROP_KIND_CUSTOM && !p->get) {
        error_setf(errp, ERR_NOT_SUPPORTED, "property '%s.%s' cannot be read",
                   object_type_name(obj), name);
        name_subject(obj, errp);
        return NULL;
    }
    value = property_get(obj, p, errp);
    if (!value) {
        name_subject(obj, errp);
    }
    return value;
}

char *object_get_str(void *obj, const char *name, Error **errp)
{
    QOBJECT_AUTO QObject *v = object_get(obj, name, errp);
    char *text = v ? scalar_text(v) : NULL;

    if (v && !text) {
        error_setf(errp, ERR_WRONG_TYPE, "property '%s.%s' is an %s and has no text",
                   object_type_name(obj), name, qobject_type_text(v));
        name_subject(obj, errp);
    }
    return text;
}

bool object_get_bool(void *obj, const char *name, bool *value, Error **errp)
{
    QOBJECT_AUTO QObject *v = object_get(obj, name, errp);

    return v && qobject_get_bool(v, name, value, errp);
}

bool object_get_uint(void *obj, const char *name, uint64_t *value, Error **errp)
{
    QOBJECT_AUTO QObject *v = object_get(obj, name, errp);

    return v && qobject_get_uint(v, name, value, errp);
}

bool object_get_int(void *obj, const char *name, int64_t *value, Error **errp)
{
    QOBJECT_AUTO QObject *v = object_get(obj, name, errp);

    return v && qobject_get_int(v, name, value, errp);
}

/* What -object made belongs to the user, who may delete it when nothing uses it. */
static bool links_user_object(Object *obj, const Property *p)
{
    const Object *part = p->part ? p->part(obj) : obj;
    const Object *target = *(Object *const *)((const char *)part + p->offset);

    return target && target->parent == object_container("/objects");
}

void object_release_backends(void *opaque)
{
    Object *obj = opaque;

    for (const Type *t = obj->type; t; t = type_parent(t)) {
        for (const Property *p = t->info.props; p && p->kind; p++) {
            bool backend = p->kind >= PROP_KIND_CHARDEV && p->kind <= PROP_KIND_AUDIODEV;

            if (backend || (p->kind == PROP_KIND_LINK && links_user_object(obj, p))) {
                Property own = *p;

                own.part = NULL;
                property_release(p->part ? p->part(obj) : obj, &own);
            }
        }
    }
}
