/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands about objects and devices. */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "monitor/hmp-cmds.h"
#include "qapi/commands-qdev.h"
#include "qapi/commands-qom.h"
#include "qobject/json.h"
#include "qom/type-list.h"

QDict *hmp_keyval(const char *text, const char *first, Error **errp)
{
    QDict *d = qdict_new();
    bool is_first = true;

    while (*text) {
        GString *part = g_string_new(NULL);
        const char *eq;

        /* A comma inside a value is written twice. */
        for (; *text; text++) {
            if (*text == ',') {
                if (text[1] != ',') {
                    break;
                }
                text++;
            }
            g_string_append_c(part, *text);
        }
        text += *text == ',';
        eq = strchr(part->str, '=');
        if (eq) {
            g_autofree char *key = g_strndup(part->str, eq - part->str);

            qdict_put_str(d, key, eq + 1);
        } else if (is_first && first) {
            qdict_put_str(d, first, part->str);
        } else if (part->len) {
            qdict_put_str(d, part->str, "on");
        } else {
            error_setf(errp, ERR_INVALID_ARGUMENT, "expected KEY=VALUE at '%.40s'", text);
            qobject_unref(d);
            g_string_free(part, true);
            return NULL;
        }
        is_first = false;
        g_string_free(part, true);
    }
    return d;
}

/* -------------------------------------------------------------- devices */

static void list_driver(const Type *type, void *opaque)
{
    const DeviceType *dt = device_type_of(type);
    Hmp *hmp = opaque;

    if (!dt || dt->not_user_creatable) {
        return;
    }
    hmp_printf(hmp, "name \"%s\"", type_name(type));
    if (device_type_bus(type)) {
        hmp_printf(hmp, ", bus %s", device_type_bus(type));
    }
    if (dt->alias) {
        hmp_printf(hmp, ", alias \"%s\"", dt->alias);
    }
    if (type_desc(type)) {
        hmp_printf(hmp, ", desc \"%s\"", type_desc(type));
    }
    hmp_printf(hmp, "\n");
}

void hmp_info_qdm(Hmp *hmp, const QDict *args)
{
    (void)args;
    type_foreach(TYPE_DEVICE, false, list_driver, hmp);
}

static void driver_help(Hmp *hmp, const char *driver)
{
    Error *err = NULL;
    QomPropertyInfoList *list = qmp_device_list_properties(driver, &err);

    if (hmp_error(hmp, err)) {
        return;
    }
    hmp_printf(hmp, "%s options:\n", driver);
    for (size_t i = 0; i < list->n; i++) {
        QomPropertyInfo *p = list->items[i];

        hmp_printf(hmp, "  %s=<%s>%s%s\n", p->name, p->type, p->description ? " - " : "",
                   p->description ? p->description : "");
    }
    qapi_free_QomPropertyInfoList(list);
}

void hmp_device_add(Hmp *hmp, const QDict *args)
{
    const char *text = qdict_str_or(args, "args", "");
    Error *err = NULL;
    QDict *opts;

    if (!strcmp(text, "help") || !strcmp(text, "?")) {
        hmp_info_qdm(hmp, args);
        return;
    }
    opts = hmp_keyval(text, "driver", &err);
    if (opts && (qdict_has(opts, "help") || qdict_has(opts, "?"))) {
        driver_help(hmp, qdict_str_or(opts, "driver", ""));
    } else if (opts) {
        device_add(opts, true, &err);
    }
    qobject_unref(opts);
    hmp_error(hmp, err);
}

void hmp_device_del(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_device_del(qdict_str_or(args, "id", ""), &err);
    hmp_error(hmp, err);
}

typedef struct Completion {
    GPtrArray *candidates;
    const char *prefix;
} Completion;

static void complete_type(const Type *type, void *opaque)
{
    Completion *c = opaque;
    const DeviceType *dt = device_type_of(type);

    if (dt && !dt->not_user_creatable) {
        hmp_candidate(c->candidates, c->prefix, type_name(type));
    }
}

void hmp_complete_driver(GPtrArray *candidates, const char *prefix)
{
    Completion c = { candidates, prefix };

    type_foreach(TYPE_DEVICE, false, complete_type, &c);
}

static int complete_child(Object *child, void *opaque)
{
    Completion *c = opaque;

    hmp_candidate(c->candidates, c->prefix, child->name);
    return 0;
}

void hmp_complete_device(GPtrArray *candidates, const char *prefix)
{
    Completion c = { candidates, prefix };

    object_child_foreach(object_container("/machine/peripheral"), complete_child, &c);
}

/* ---------------------------------------------------------------- qtree */

static void show_value(Hmp *hmp, Object *obj, const char *name)
{
    QObject *value = object_get(obj, name, NULL);
    char *text;

    if (!value) {
        hmp_printf(hmp, "<null>");
        return;
    }
    text = json_write(value, JSON_COMPACT);
    hmp_printf(hmp, "%s", text);
    free(text);
    qobject_unref(value);
}

typedef struct TreeWalk {
    Hmp *hmp;
    Object *obj;
    int indent;
} TreeWalk;

static void show_property(const Property *prop, void *opaque)
{
    TreeWalk *w = opaque;

    /* One that a nearer type defines anew was shown there. */
    if (type_find_property(w->obj->type, prop->name) != prop) {
        return;
    }
    hmp_printf(w->hmp, "%*s%s = ", w->indent, "", prop->name);
    show_value(w->hmp, w->obj, prop->name);
    hmp_printf(w->hmp, "\n");
}

static void show_bus(Hmp *hmp, const Bus *bus, int indent);

static void show_device(Hmp *hmp, Device *dev, int indent)
{
    TreeWalk w = { hmp, &dev->obj, indent + 2 };
    char *path = device_bus_path(dev);

    hmp_printf(hmp, "%*sdev: %s, id \"%s\"\n", indent, "", object_type_name(dev),
               dev->id ? dev->id : "");
    type_property_foreach(dev->obj.type, show_property, &w);
    if (path) {
        hmp_printf(hmp, "%*saddress %s\n", indent + 2, "", path);
        g_free(path);
    }
    for (Bus *bus = dev->buses; bus; bus = bus->sibling) {
        show_bus(hmp, bus, indent + 2);
    }
}

static void show_bus(Hmp *hmp, const Bus *bus, int indent)
{
    hmp_printf(hmp, "%*sbus: %s\n%*stype %s\n", indent, "", bus->name, indent + 2, "",
               object_type_name(bus));
    for (Device *dev = bus->devices; dev; dev = dev->sibling) {
        show_device(hmp, dev, indent + 2);
    }
}

void hmp_info_qtree(Hmp *hmp, const QDict *args)
{
    (void)args;
    show_bus(hmp, bus_system(), 0);
}

/* --------------------------------------------------------------- objects */

static int show_child(Object *child, void *opaque)
{
    TreeWalk *w = opaque;
    TreeWalk below = { w->hmp, child, w->indent + 2 };

    hmp_printf(w->hmp, "%*s/%s (%s)\n", w->indent, "", child->name, object_type_name(child));
    return object_child_foreach(child, show_child, &below);
}

void hmp_info_qom_tree(Hmp *hmp, const QDict *args)
{
    const char *path = qdict_str_or(args, "path", "/machine");
    bool ambiguous = false;
    Object *obj = object_resolve_path(path, &ambiguous);
    TreeWalk w = { hmp, obj, 2 };

    if (!obj) {
        hmp_printf(hmp, ambiguous ? "Warning: Path '%s' is ambiguous.\n"
                                  : "Path '%s' could not be resolved.\n", path);
        return;
    }
    hmp_printf(hmp, "/%s (%s)\n", obj->name ? obj->name : "", object_type_name(obj));
    object_child_foreach(obj, show_child, &w);
}

void hmp_object_add(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    QDict *opts = hmp_keyval(qdict_str_or(args, "args", ""), "qom-type", &err);
    g_autofree char *type = NULL, *id = NULL;

    if (opts) {
        type = g_strdup(qdict_str_or(opts, "qom-type", ""));
        id = g_strdup(qdict_str_or(opts, "id", ""));
        qdict_del(opts, "qom-type");
        qdict_del(opts, "id");
        user_object_new(type, id, opts, true, &err);
        qobject_unref(opts);
    }
    hmp_error(hmp, err);
}

void hmp_object_del(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_object_del(qdict_str_or(args, "id", ""), &err);
    hmp_error(hmp, err);
}

QDict *hmp_qom_list_args(const QDict *args, UNUSED const char **command)
{
    return qdict_from_fmt("{'path': %s}", qdict_str_or(args, "path", "/"));
}

void hmp_qom_list(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    QomPropertyInfoList *list = qmp_qom_list(qdict_str_or(args, "path", "/"), &err);

    if (hmp_error(hmp, err)) {
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        hmp_printf(hmp, "%s (%s)\n", list->items[i]->name, list->items[i]->type);
    }
    qapi_free_QomPropertyInfoList(list);
}

void hmp_qom_get(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    QObject *value = qmp_qom_get(qdict_str_or(args, "path", ""),
                                 qdict_str_or(args, "property", ""), &err);
    char *text;

    if (hmp_error(hmp, err)) {
        return;
    }
    text = json_write(value, JSON_PRETTY);
    hmp_printf(hmp, "%s\n", text);
    free(text);
    qobject_unref(value);
}

void hmp_qom_set(Hmp *hmp, const QDict *args)
{
    const char *path = qdict_str_or(args, "path", ""), *name = qdict_str_or(args, "property", "");
    const char *text = qdict_str_or(args, "value", "");
    Error *err = NULL;

    if (qdict_bool_or(args, "json", false)) {
        QObject *value = json_parse(text, &err);

        if (value) {
            qmp_qom_set(path, name, value, &err);
            qobject_unref(value);
        }
    } else {
        Object *obj = object_resolve_path(path, NULL);

        if (obj) {
            object_set_str(obj, name, text, &err);
        } else {
            error_setf(&err, ERR_NO_SUCH_OBJECT, "Device '%s' not found", path);
        }
    }
    hmp_error(hmp, err);
}
