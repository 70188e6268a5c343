/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU types: one of each model for x86_64 and for i386, their properties
 * (one for each CPUID feature besides the plain ones), and the text after the
 * model of -cpu.
 */
#include "util/osdep.h"
#include <glib.h>
#include "target/i386/cpu.h"
#include "qobject/qobject.h"

typedef struct CpuType {
    DeviceType type;            /* first */
    const X86Model *model;
    bool is_i386;
} CpuType;

void x86_cpu_init_model(X86Cpu *cpu)
{
    const CpuType *t = container_of(device_type(&cpu->parent.dev), CpuType, type);

    cpu->model = t->model;
    cpu->is_i386 = t->is_i386;
    cpu->family = cpu->cpu_model = cpu->stepping = UINT32_MAX;
    cpu->level = cpu->xlevel = UINT32_MAX;
}

/* ---------------------------------------------------------------- properties */

static bool parse_bool(const QObject *value, bool *on)
{
    const char *text;

    if (qobject_type(value) == QTYPE_BOOL) {
        *on = qbool_value(value);
        return true;
    }
    if (qobject_type(value) != QTYPE_STRING) {
        return false;
    }
    text = qstring_value(value);
    if (!strcmp(text, "on") || !strcmp(text, "yes") || !strcmp(text, "true")) {
        *on = true;
    } else if (!strcmp(text, "off") || !strcmp(text, "no") || !strcmp(text, "false")) {
        *on = false;
    } else {
        return false;
    }
    return true;
}

static bool set_feature(Object *obj, const Property *prop, const QObject *value, Error **errp)
{
    X86Cpu *cpu = X86_CPU(obj);
    const X86Feature *f = prop->arg;
    bool on;

    if (!parse_bool(value, &on)) {
        error_setf(errp, ERR_WRONG_TYPE, "property '%s' takes 'on' or 'off'", prop->name);
        return false;
    }
    cpu->plus[f->word] = (cpu->plus[f->word] & ~BIT(f->bit)) | (uint32_t)on << f->bit;
    cpu->minus[f->word] = (cpu->minus[f->word] & ~BIT(f->bit)) | (uint32_t)!on << f->bit;
    return true;
}

/* Before realize: what it would be; after: what it is. */
static QObject *get_feature(Object *obj, const Property *prop, UNUSED Error **errp)
{
    X86Cpu *cpu = X86_CPU(obj);
    const X86Feature *f = prop->arg;
    uint32_t v = cpu->env->features[f->word];

    if (!cpu->parent.dev.realized) {
        v = cpu->model->all_features ? x86_implemented(f->word) : cpu->model->features[f->word];
        v = (v | cpu->plus[f->word]) & ~cpu->minus[f->word];
    }
    return qbool_from(v >> f->bit & 1);
}

/* family, model, stepping ...: the model's value until one is set. */
typedef struct Number {
    size_t offset;              /* uint32_t of X86Cpu; UINT32_MAX: unset */
    enum { NUM_FAMILY, NUM_MODEL, NUM_STEPPING, NUM_LEVEL, NUM_XLEVEL, NUM_PHYS } what;
    uint32_t max;
} Number;

static const Number numbers[] = {
    { offsetof(X86Cpu, family), NUM_FAMILY, 255 + 15 },
    { offsetof(X86Cpu, cpu_model), NUM_MODEL, 255 },
    { offsetof(X86Cpu, stepping), NUM_STEPPING, 15 },
    { offsetof(X86Cpu, level), NUM_LEVEL, UINT32_MAX },
    { offsetof(X86Cpu, xlevel), NUM_XLEVEL, UINT32_MAX },
};

static QObject *get_number(Object *obj, const Property *prop, UNUSED Error **errp)
{
    X86Cpu *cpu = X86_CPU(obj);
    const Number *n = prop->arg;
    uint32_t v = *(uint32_t *)((char *)cpu + n->offset);
    const X86Model *m = cpu->model;

    if (v == UINT32_MAX) {
        bool real = cpu->parent.dev.realized;
        const X86State *s = cpu->env;

        switch (n->what) {
        case NUM_FAMILY: v = m->family; break;
        case NUM_MODEL: v = m->model; break;
        case NUM_STEPPING: v = m->stepping; break;
        case NUM_LEVEL: v = real ? s->cpuid_level : m->level; break;
        default: v = real ? s->cpuid_xlevel : m->xlevel; break;
        }
    }
    return qnum_from_uint(v);
}

static bool set_number(Object *obj, const Property *prop, const QObject *value, Error **errp)
{
    const Number *n = prop->arg;
    uint64_t v = UINT64_MAX;

    if (qobject_type(value) == QTYPE_STRING) {
        char *end;
        const char *text = qstring_value(value);

        errno = 0;
        v = strtoull(text, &end, 0);
        if (errno || end == text || *end || *text == '-') {
            v = UINT64_MAX;
        }
    } else if (!qobject_get_uint(value, prop->name, &v, NULL)) {
        v = UINT64_MAX;
    }
    if (v > n->max) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property '%s': accepted: 0 to %" PRIu32,
                   prop->name, n->max);
        return false;
    }
    *(uint32_t *)((char *)X86_CPU(obj) + n->offset) = v;
    return true;
}

static QObject *get_vendor(Object *obj, UNUSED const Property *prop, UNUSED Error **errp)
{
    X86Cpu *cpu = X86_CPU(obj);

    return qstring_from(cpu->vendor ? cpu->vendor : cpu->model->vendor);
}

static bool set_vendor(Object *obj, UNUSED const Property *prop, const QObject *value,
                       Error **errp)
{
    X86Cpu *cpu = X86_CPU(obj);

    if (qobject_type(value) != QTYPE_STRING || strlen(qstring_value(value)) != 12) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'vendor' takes 12 characters");
        return false;
    }
    g_free(cpu->vendor);
    cpu->vendor = g_strdup(qstring_value(value));
    return true;
}

static QObject *get_model_id(Object *obj, UNUSED const Property *prop, UNUSED Error **errp)
{
    X86Cpu *cpu = X86_CPU(obj);

    return qstring_from(cpu->model_id ? cpu->model_id : cpu->model->model_id);
}

static bool set_model_id(Object *obj, UNUSED const Property *prop, const QObject *value,
                         Error **errp)
{
    X86Cpu *cpu = X86_CPU(obj);

    if (qobject_type(value) != QTYPE_STRING || strlen(qstring_value(value)) > 48) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'model-id' takes up to 48 characters");
        return false;
    }
    g_free(cpu->model_id);
    cpu->model_id = g_strdup(qstring_value(value));
    return true;
}

static void release_vendor(Object *obj, UNUSED const Property *prop)
{
    g_clear_pointer(&X86_CPU(obj)->vendor, g_free);
}

static void release_model_id(Object *obj, UNUSED const Property *prop)
{
    g_clear_pointer(&X86_CPU(obj)->model_id, g_free);
}

/* Names of the features that were asked for and taken away. */
static QObject *get_unavailable(Object *obj, UNUSED const Property *prop, UNUSED Error **errp)
{
    X86Cpu *cpu = X86_CPU(obj);
    QList *list = qlist_new();

    for (unsigned i = 0; i < x86_num_features; i++) {
        if (cpu->filtered[x86_features[i].word] >> x86_features[i].bit & 1) {
            qlist_append(list, qstring_from(x86_features[i].name));
        }
    }
    return (QObject *)list;
}

#define NUMBER(n, i, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_CUSTOM, .type = "int", .arg = &numbers[i], \
      .get = get_number, .set = set_number }

static const Property plain_props[] = {
    NUMBER("family", 0, "CPUID family"), NUMBER("model", 1, "CPUID model"),
    NUMBER("stepping", 2, "CPUID stepping"), NUMBER("level", 3, "highest basic CPUID leaf"),
    NUMBER("xlevel", 4, "highest extended CPUID leaf"),
    { .name = "vendor", .desc = "CPUID vendor, 12 characters", .kind = PROP_KIND_CUSTOM,
      .type = "string", .get = get_vendor, .set = set_vendor, .release = release_vendor },
    { .name = "model-id", .desc = "CPUID brand string", .kind = PROP_KIND_CUSTOM,
      .type = "string", .get = get_model_id, .set = set_model_id, .release = release_model_id },
    { .name = "unavailable-features", .desc = "asked for and not implemented",
      .kind = PROP_KIND_CUSTOM, .type = "strList", .get = get_unavailable },
    PROP_U32("min-level", X86Cpu, min_level, 0, "CPUID level is at least this"),
    PROP_U32("min-xlevel", X86Cpu, min_xlevel, 0, "CPUID xlevel is at least this"),
    PROP_U32_RANGE("phys-bits", X86Cpu, phys_bits, 0, 0, 52, "physical address bits; 0: default"),
    PROP_U64("tsc-frequency", X86Cpu, tsc_frequency, 0, "TSC ticks per second; 0: 10^9"),
    PROP_U32("apic-id", X86Cpu, apic_id_prop, UINT32_MAX, "local APIC id"),
    PROP_I32("socket-id", X86Cpu, socket_id, -1, "socket number"),
    PROP_I32("die-id", X86Cpu, die_id, -1, "die in the socket"),
    PROP_I32("core-id", X86Cpu, core_id, -1, "core in the die"),
    PROP_I32("thread-id", X86Cpu, thread_id, -1, "thread in the core"),
    PROP_I32("node-id", X86Cpu, node_id, -1, "NUMA node"),
    PROP_BOOL("check", X86Cpu, check, true, "warn of features that aren't there"),
    PROP_BOOL("enforce", X86Cpu, enforce, false, "refuse to start without them"),
    PROP_BOOL("tcg-cpuid", X86Cpu, hypervisor_leaf, true, "hypervisor bit and leaf 0x40000000"),
    PROP_BOOL("l3-cache", X86Cpu, l3_cache, true, "accepted; leaf 4 always has an L3"),
    PROP_BOOL("migratable", X86Cpu, migratable, true, "accepted; every feature is"),
    PROP_BOOL("kvm", X86Cpu, kvm_leaf, true, "accepted; there is no KVM interface"),
    PROP_BOOL("pmu", X86Cpu, pmu, false, "accepted; there are no counters"),
    PROP_BOOL("host-phys-bits", X86Cpu, host_phys_bits, false, "accepted; see phys-bits"),
};

/* One table for all types, made at start-up: features have a row each, under
 * their name and their alias. */
static Property *make_props(void)
{
    unsigned n = 0, max = ARRAY_SIZE(plain_props) + 2 * x86_num_features + 1;
    Property *p = g_new0(Property, max);

    for (size_t i = 0; i < ARRAY_SIZE(plain_props); i++) {
        p[n++] = plain_props[i];
    }
    for (unsigned i = 0; i < x86_num_features; i++) {
        const X86Feature *f = &x86_features[i];

        p[n++] = (Property){
            .name = f->name, .desc = x86_feature_word_name(f->word), .kind = PROP_KIND_CUSTOM,
            .type = "bool", .arg = f, .get = get_feature, .set = set_feature,
        };
        if (f->alias) {
            p[n] = p[n - 1];
            p[n].name = f->alias;
            n++;
        }
    }
    return p;
}

/* ---------------------------------------------------------------------- types */

CONSTRUCTOR static void register_types(void)
{
    Property *props = make_props();

    for (unsigned i = 0; i < x86_num_models; i++) {
        for (int is_i386 = 0; is_i386 < 2; is_i386++) {
            CpuType *t = g_new0(CpuType, 1);

            t->model = &x86_models[i];
            t->is_i386 = is_i386;
            t->type = (DeviceType){
                .name = g_strdup_printf("%s-%s-cpu", x86_models[i].name,
                                        is_i386 ? "i386" : "x86_64"),
                .parent = TYPE_X86_CPU, .desc = x86_models[i].desc, .props = props,
                .data = is_i386 ? &x86_i386_cpu_ops : &x86_64_cpu_ops,
            };
            device_type_register(&t->type);
        }
    }
}

/* Aliases of features are left out. */
bool x86_cpu_is_model_property(const Property *prop)
{
    static const char *const names[] = { "family", "model", "stepping", "vendor", "model-id",
                                         "min-level", "min-xlevel" };

    if (prop->set == set_feature) {
        return !strcmp(((const X86Feature *)prop->arg)->name, prop->name);
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(names[i], prop->name)) {
            return true;
        }
    }
    return false;
}

/* ----------------------------------------------------------------------- -cpu */

/* "sse4_1" is "sse4-1" too: underscores in feature names are old spelling. */
static char *property_name(const char *type, const char *text)
{
    const Type *t = type_find(type);
    char *name = g_strdup(text);

    if (t && !type_find_property(t, name)) {
        g_strdelimit(name, "_", '-');
    }
    return name;
}

/* A name that isn't known is added to @unknown. */
static void add_feature(const char *type, const char *text, const char *value, GString *unknown)
{
    g_autofree char *name = property_name(type, text);
    const Type *t = type_find(type);

    if (t && type_find_property(t, name)) {
        global_property_add(type, name, value);
    } else {
        g_string_append_printf(unknown, "%s'%s'", unknown->len ? ", " : "", text);
    }
}

bool x86_cpu_parse_features(const char *type, const char *text, Error **errp)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    g_autoptr(GString) unknown = g_string_new("");

    for (char **w = words; *w; w++) {
        char *eq = strchr(*w, '=');

        if (!**w) {
            continue;
        }
        if (**w == '+' || **w == '-') {
            add_feature(type, *w + 1, **w == '+' ? "on" : "off", unknown);
        } else if (eq) {
            *eq = '\0';
            add_feature(type, *w, eq + 1, unknown);
        } else {
            add_feature(type, *w, "on", unknown);
        }
    }
    if (unknown->len) {
        error_setf(errp, ERR_NO_SUCH_PROPERTY, "CPU model '%s' has no feature %s", type,
                   unknown->str);
        error_hint(errp, "-device %s,help lists them", type);
        return false;
    }
    return true;
}
