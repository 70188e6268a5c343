/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about objects and types. */
#include "util/osdep.h"
#include "qapi/commands-objects.h"
#include "qapi/commands-qom.h"
#include "qobject/qobject.h"
#include "qom/object.h"
#include "qom/type-list.h"

/* Set at start-up: the types of other architectures aren't shown. */
static bool (*type_filter)(const Type *type);

void qom_set_type_filter(bool (*shown)(const Type *type))
{
    type_filter = shown;
}

bool qom_type_is_shown(const Type *type)
{
    return !type_filter || type_filter(type);
}

static Object *find_object(const char *path, Error **errp)
{
    bool ambiguous = false;
    Object *obj = object_resolve_path(path, &ambiguous);

    if (!obj && ambiguous) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "Path '%s' is ambiguous", path);
        error_hint(errp, "give the whole path, from the root");
    } else if (!obj) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_OBJECT,
                        "Device '%s' not found", path);
    }
    if (!obj) {
        error_argument(errp, "path", path, "the path of an object");
    }
    return obj;
}

static QomPropertyInfo *new_info(const char *name, const char *type, const char *desc)
{
    QomPropertyInfo *info = qapi_new(QomPropertyInfo);

    info->name = strdup(name);
    info->type = strdup(type);
    info->description = desc ? strdup(desc) : NULL;
    return info;
}

static void add_instance_property(const ObjectPropertyInfo *p, void *opaque)
{
    QomPropertyInfoList *list = opaque;

    qapi_list_append(list, new_info(p->name, p->type, NULL));
}

QomPropertyInfoList *qmp_qom_list(const char *path, Error **errp)
{
    Object *obj = find_object(path, errp);
    QomPropertyInfoList *list;

    if (!obj) {
        return NULL;
    }
    list = qapi_new(QomPropertyInfoList);
    object_property_foreach(obj, add_instance_property, list);
    return list;
}

QObject *qmp_qom_get(const char *path, const char *property, Error **errp)
{
    Object *obj = find_object(path, errp);

    if (!obj) {
        return NULL;
    }
    return object_get(obj, property, errp);
}

bool qmp_qom_set(const char *path, const char *property, const QObject *value, Error **errp)
{
    Object *obj = find_object(path, errp);

    return obj && object_set(obj, property, value, errp);
}

/* --------------------------------------------------------------- types */

static void add_type(const Type *type, void *opaque)
{
    ObjectTypeInfoList *list = opaque;
    ObjectTypeInfo *info;

    if (!qom_type_is_shown(type)) {
        return;
    }
    info = qapi_new(ObjectTypeInfo);
    info->name = strdup(type_name(type));
    if (type_is_abstract(type)) {
        QAPI_SET(info, abstract, true);
    }
    if (type_parent(type)) {
        info->parent = strdup(type_name(type_parent(type)));
    }
    qapi_list_append(list, info);
}

ObjectTypeInfoList *qmp_qom_list_types(const char *implements, bool has_abstract, bool abstract,
                                       Error **errp)
{
    ObjectTypeInfoList *list = qapi_new(ObjectTypeInfoList);

    (void)errp;
    type_foreach(implements, has_abstract && abstract, add_type, list);
    return list;
}

typedef struct PropertyWalk {
    QomPropertyInfoList *list;
    const Type *stop;
} PropertyWalk;

static void add_type_property(const Property *prop, void *opaque)
{
    PropertyWalk *w = opaque;
    QomPropertyInfo *info;

    /* A property of the ancestor where the list is to end, and not overridden. */
    if (w->stop && type_find_property(w->stop, prop->name) == prop) {
        return;
    }
    info = new_info(prop->name, property_type_name(prop), prop->desc);
    info->default_value = property_default(prop);
    qapi_list_append(w->list, info);
}

QomPropertyInfoList *qom_type_properties(const Type *type, const char *stop)
{
    PropertyWalk w = { qapi_new(QomPropertyInfoList), stop ? type_find(stop) : NULL };

    type_property_foreach(type, add_type_property, &w);
    return w.list;
}

const Type *qom_type_for_query(const char *name, Error **errp)
{
    const Type *type = type_find(name);

    if (!type) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_TYPE,
                        "Class '%s' not found", name);
        error_argument(errp, "typename", name, "a name that qom-list-types shows");
    }
    return type;
}

QomPropertyInfoList *qmp_qom_list_properties(const char *typename, Error **errp)
{
    const Type *type = qom_type_for_query(typename, errp);

    return type ? qom_type_properties(type, NULL) : NULL;
}

/* -------------------------------------------------------- user objects */

/* Raw, since the arguments besides these are the type's properties. */
bool qmp_object_add(const QDict *args, Error **errp)
{
    const char *type = qdict_get_str(args, "qom-type", NULL);
    const char *id = qdict_get_str(args, "id", NULL);
    const char *missing = !qdict_has(args, "qom-type") ? "qom-type" : "id";
    QDict *props;
    Object *obj;

    if (!type || !id) {
        if (qdict_has(args, "qom-type") && qdict_has(args, "id")) {
            error_setf(errp, ERR_WRONG_TYPE, "Invalid parameter type for '%s', expected: string",
                       type ? "id" : "qom-type");
        } else {
            error_setf(errp, ERR_MISSING_ARGUMENT, "Parameter '%s' is missing", missing);
            error_argument(errp, missing, NULL, "a string");
        }
        return false;
    }
    props = qobject_to_dict(qobject_copy(QOBJECT(args)));
    qdict_del(props, "qom-type");
    qdict_del(props, "id");
    obj = user_object_new(type, id, props, false, errp);
    qobject_unref(props);
    return obj != NULL;
}

bool qmp_object_del(const char *id, Error **errp)
{
    return user_object_delete(id, errp);
}
