/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CPU model stands for: a CPU of it is made, which nobody will ever run, and
 * asked for its properties.
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/machine-qmp.h"
#include "qapi/commands-cpu-model.h"

typedef struct Expansion {
    Object *cpu;
    const CpuOps *ops;
    bool full;
    QDict *props;
} Expansion;

/* One reference; NULL with *errp set. */
static Object *make_cpu(const CpuModelInfo *model, Error **errp)
{
    g_autofree char *name = g_strdup_printf("%s-%s-cpu", model->name, machine_target_arch());
    const Type *type = type_find(name);
    const QDict *props = qobject_to_dict(model->props);
    Object *cpu;

    if (!type || type_is_abstract(type) || !type_is_a(type, TYPE_CPU)) {
        error_setf(errp, ERR_NO_SUCH_TYPE, "CPU model '%s' not found", model->name);
        error_argument(errp, "model.name", model->name, "a name that query-cpu-definitions shows");
        return NULL;
    }
    if (model->props && !props) {
        error_setf(errp, ERR_WRONG_TYPE, "Invalid parameter type for 'model.props', expected: dict");
        error_argument(errp, "model.props", NULL, "an object");
        return NULL;
    }
    cpu = object_new(name);
    if (props) {
        QDICT_FOR_EACH(e, props) {
            if (!object_has_property(cpu, e->key)) {
                error_setf(errp, ERR_NO_SUCH_PROPERTY, "Property '%s.%s' not found", name, e->key);
                error_argument(errp, e->key, NULL, "a property of the CPU");
                object_unref(cpu);
                return NULL;
            }
        }
        if (!object_set_dict(cpu, props, false, errp)) {
            object_unref(cpu);
            return NULL;
        }
    }
    return cpu;
}

static void add_property(const Property *prop, void *opaque)
{
    Expansion *x = opaque;
    QObject *value;

    if (x->full ? prop->flags & PROP_F_READ_ONLY || (prop->kind == PROP_KIND_CUSTOM && !prop->set)
                : !x->ops->is_model_property(prop)) {
        return;
    }
    if (qdict_has(x->props, prop->name)) {
        return;
    }
    value = object_get(x->cpu, prop->name, NULL);
    if (value) {
        qdict_put(x->props, prop->name, value);
    }
}

CpuModelExpansionInfo *qmp_query_cpu_model_expansion(CpuModelExpansionType type,
                                                     const CpuModelInfo *model, Error **errp)
{
    Expansion x = { .full = type == CPU_MODEL_EXPANSION_TYPE_FULL };
    CpuModelExpansionInfo *info;

    x.cpu = make_cpu(model, errp);
    if (!x.cpu) {
        return NULL;
    }
    x.ops = device_data((Device *)x.cpu);
    if (!x.ops || !x.ops->is_model_property) {
        error_setf(errp, ERR_NOT_SUPPORTED, "CPU model '%s' can't be expanded", model->name);
        object_unref(x.cpu);
        return NULL;
    }
    x.props = qdict_new();
    type_property_foreach(x.cpu->type, add_property, &x);
    object_unref(x.cpu);
    info = qapi_new(CpuModelExpansionInfo);
    info->model = qapi_new(CpuModelInfo);
    info->model->name = strdup(x.full ? model->name : "base");
    info->model->props = QOBJECT(x.props);
    return info;
}
