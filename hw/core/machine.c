/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machine types, and bringing up the one machine. */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/numa.h"
#include "hw/core/machine-qmp.h"
#include "hw/core/core-int.h"

#include "hw/core/cpu.h"
#include "memory/backend.h"
#include "qobject/qobject.h"

#define TYPE_SUFFIX         "-machine"
#define DEFAULT_RAM_SIZE    (128 * MIB)

static Machine *the_machine;

typedef struct DoneHook {
    void (*fn)(Machine *m, void *opaque);
    void *opaque;
} DoneHook;

static GArray *done_hooks;

/* --- types --- */

/* A type's own table, with what it leaves out taken from its parents. */
static GHashTable *resolved;    /* const Type to MachineType */

static char *type_name_of(const char *machine)
{
    return g_strconcat(machine, TYPE_SUFFIX, NULL);
}

void machine_type_register(const MachineType *mt)
{
    TypeInfo info = {
        .name = type_name_of(mt->name),
        .parent = mt->parent ? type_name_of(mt->parent) : TYPE_MACHINE,
        .desc = mt->desc, .size = mt->size, .abstract = mt->abstract,
        .props = mt->props, .data = mt,
    };

    type_register(&info);
}

#define INHERIT(field) \
    do { \
        if (!mt->field) { \
            mt->field = up->field; \
        } \
    } while (0)

static const MachineType *resolve(const Type *type)
{
    const Type *parent = type_parent(type);
    const MachineType *own = type_info(type)->data, *up;
    MachineType *mt;

    if (!own || !strcmp(type_name(type), TYPE_MACHINE)) {
        return NULL;
    }
    if (!resolved) {
        resolved = g_hash_table_new(NULL, NULL);
    }
    mt = g_hash_table_lookup(resolved, type);
    if (mt) {
        return mt;
    }
    mt = g_new(MachineType, 1);
    *mt = *own;
    up = resolve(parent);
    if (up) {
        INHERIT(desc);
        INHERIT(size);
        INHERIT(arch);
        INHERIT(default_cpu);
        INHERIT(arch_cpus);
        INHERIT(valid_cpus);
        INHERIT(min_cpus);
        INHERIT(default_cpus);
        INHERIT(max_cpus);
        INHERIT(default_ram_size);
        INHERIT(default_ram_id);
        INHERIT(default_boot_order);
        INHERIT(default_display);
        INHERIT(default_nic);
        INHERIT(default_block_interface);
        INHERIT(units_per_default_bus);
        INHERIT(no_serial);
        INHERIT(no_parallel);
        INHERIT(no_floppy);
        INHERIT(no_cdrom);
        INHERIT(no_sdcard);
        INHERIT(hotplug_cpus);
        INHERIT(ignore_boot_device_suffixes);
        INHERIT(prepare);
        INHERIT(pre_plug);
        INHERIT(plugged);
        INHERIT(unplug_request);
        INHERIT(set_boot);
        INHERIT(init);
        INHERIT(reset);
        INHERIT(done);
        INHERIT(data);
    }
    g_hash_table_insert(resolved, (gpointer)type, mt);
    return mt;
}

typedef struct TypeVisit {
    void (*fn)(const MachineType *type, void *opaque);
    void *opaque;
} TypeVisit;

static void visit_type(const Type *type, void *opaque)
{
    TypeVisit *v = opaque;
    const MachineType *mt = resolve(type);

    if (mt) {
        v->fn(mt, v->opaque);
    }
}

void machine_type_foreach(void (*fn)(const MachineType *type, void *opaque),
                          void *opaque)
{
    TypeVisit v = { fn, opaque };

    type_foreach(TYPE_MACHINE, false, visit_type, &v);
}

typedef struct TypeSearch {
    const char *name, *arch;
    const MachineType *found;
} TypeSearch;

static void match_name(const MachineType *mt, void *opaque)
{
    TypeSearch *s = opaque;

    if (!strcmp(mt->name, s->name) || (mt->alias && !strcmp(mt->alias, s->name))) {
        s->found = mt;
    }
}

const MachineType *machine_type_find(const char *name, Error **errp)
{
    TypeSearch s = { .name = name };

    machine_type_foreach(match_name, &s);
    if (!s.found) {
        error_setf(errp, ERR_NO_SUCH_TYPE, "unsupported machine type: \"%s\"", name);
        error_argument(errp, "type", name, "a machine that -machine help lists");
        error_hint(errp, "Use -machine help to list supported machines");
    }
    return s.found;
}

static bool has_word(const char *const *list, const char *word)
{
    for (; list && *list; list++) {
        if (!strcmp(*list, word)) {
            return true;
        }
    }
    return false;
}

static void match_default(const MachineType *mt, void *opaque)
{
    TypeSearch *s = opaque;

    if (has_word(mt->default_for, s->arch)) {
        s->found = mt;
    }
}

const MachineType *machine_type_default(const char *arch)
{
    TypeSearch s = { .arch = arch };

    machine_type_foreach(match_default, &s);
    return s.found;
}

bool machine_type_has_arch(const MachineType *type, const char *arch)
{
    return has_word(type->arch, arch);
}

/* --- the instance --- */

static void machine_finalize(Object *obj)
{
    Machine *m = (Machine *)obj;

    for (unsigned i = 0; i < m->n_drives; i++) {
        g_free(m->drives[i].interface);
        g_free(m->drives[i].blockdev);
    }
    g_free(m->drives);
    for (unsigned i = 0; i < m->n_nics; i++) {
        g_free(m->nics[i].model);
        g_free(m->nics[i].netdev);
        g_free(m->nics[i].mac);
        g_free(m->nics[i].id);
    }
    g_free(m->nics);
    for (int i = 0; i < MACHINE_SERIALS; i++) {
        g_free(m->serial[i]);
        g_free(m->parallel[i]);
    }
    g_free(m->vga);
    for (unsigned i = 0; i < m->n_fw_files; i++) {
        g_free(m->fw_files[i].name);
        g_free(m->fw_files[i].data);
    }
    g_free(m->fw_files);
    qobject_unref(m->smbios);
    numa_free(m->numa);
    g_free(m->rtc_base);
    g_free(m->rtc_clock);
    g_free(m->boot.order);
    g_free(m->boot.once);
    g_free(m->boot.splash);
    g_free(m->cpu_type);
    g_free(m->cpu_features);
}

static void machine_instance_init(Object *obj)
{
    Machine *m = (Machine *)obj;
    const Type *chain[16];
    unsigned n = 0;

    m->type = resolve(obj->type);
    m->boot.splash_time = -1;
    m->boot.reboot_timeout = -1;
    for (const Type *t = obj->type; type_info(t)->data && n < ARRAY_SIZE(chain);
         t = type_parent(t)) {
        chain[n++] = t;
    }
    while (n--) {
        const MachineType *mt = type_info(chain[n])->data;

        if (mt->instance_init) {
            mt->instance_init(m);
        }
    }
}

static const Property machine_props[] = {
    PROP_STR("memory-backend", Machine, ram_memdev, NULL, "id of the RAM's memory back end"),
    PROP_STR("firmware", Machine, firmware, NULL, "firmware image"),
    PROP_STR("kernel", Machine, kernel, NULL, "kernel image"),
    PROP_STR("initrd", Machine, initrd, NULL, "initial ramdisk"),
    PROP_STR("append", Machine, append, NULL, "kernel command line"),
    PROP_STR("dtb", Machine, dtb, NULL, "device tree"),
    PROP_BOOL("usb", Machine, usb, false, "USB controllers on or off"),
    PROP_BOOL("graphics", Machine, graphics, true, "graphics output, if there is any"),
    PROP_BOOL("dump-guest-core", Machine, dump_guest_core, true,
              "guest memory is part of core dumps"),
    PROP_END
};

static const TypeInfo machine_info = {
    .name = TYPE_MACHINE, .size = sizeof(Machine), .abstract = true,
    .props = machine_props, .init = machine_instance_init, .finalize = machine_finalize,
};
TYPE(machine_info)

Machine *current_machine(void)
{
    return the_machine;
}

/* What was put under /machine before there was one moves to it. */
static int adopt(Object *child, void *opaque)
{
    g_autofree char *name = g_strdup(child->name);

    object_ref(child);
    object_unparent(child);
    object_add_child(opaque, name, child);
    object_unref(child);
    return 0;
}

/* Parents first: an older machine adds to what its successor has. */
static void apply_compat(const Type *type)
{
    const MachineType *mt = type ? type_info(type)->data : NULL;

    if (!mt) {
        return;
    }
    apply_compat(type_parent(type));
    for (const MachineCompat *c = mt->compat; c && c->driver; c++) {
        global_property_add_compat(c->driver, c->property, c->value);
    }
}

Machine *machine_new(const MachineType *mt)
{
    g_autofree char *name = type_name_of(mt->name);
    Machine *m = (Machine *)object_new(name);
    Object *old = object_child(object_root(), "machine");

    if (old) {
        object_child_foreach(old, adopt, m);
        object_unparent(old);
    }
    object_add_child(object_root(), "machine", m);
    object_unref(m);
    object_container("/machine/unattached");
    object_container("/machine/peripheral");
    object_container("/machine/peripheral-anon");
    bus_system();
    the_machine = m;
    apply_compat(m->obj.type);
    return m;
}

const char *machine_type_default_cpu(const MachineType *type)
{
    const char *arch = machine_shown_arch();

    for (const char *const *p = type->arch_cpus; arch && p && *p; p += 2) {
        if (!strcmp(p[0], arch)) {
            return p[1];
        }
    }
    return type->default_cpu;
}

static void fill_defaults(Machine *m)
{
    const MachineType *mt = m->type;
    SmpConfig *s = &m->smp;

    if (!s->cpus) {
        s->cpus = mt->default_cpus ? mt->default_cpus : 1;
    }
    s->max_cpus = MAX(s->max_cpus, s->cpus);
    s->threads = MAX(s->threads, 1);
    s->cores = MAX(s->cores, 1);
    s->dies = MAX(s->dies, 1);
    if (!s->sockets) {
        s->sockets = MAX(1, s->max_cpus / (s->threads * s->cores * s->dies));
    }
    if (!m->cpu_type) {
        m->cpu_type = g_strdup(machine_type_default_cpu(mt));
    }
    if (!m->ram_size && !m->ram) {
        m->ram_size = mt->default_ram_size ? mt->default_ram_size : DEFAULT_RAM_SIZE;
    }
    if (!m->boot.order) {
        m->boot.order = g_strdup(mt->default_boot_order ? mt->default_boot_order : "");
    }
}

static bool check_smp(Machine *m, Error **errp)
{
    unsigned max = m->type->max_cpus ? m->type->max_cpus : 1;
    unsigned min = MAX(m->type->min_cpus, 1);

    if (m->smp.max_cpus > max || m->smp.cpus < min) {
        error_setf(errp, ERR_OUT_OF_RANGE,
                   "machine '%s' cannot have %u CPUs; accepted: %u to %u", m->type->name,
                   m->smp.max_cpus, min, max);
        return false;
    }
    return true;
}

/* -machine memory-backend=: the user's object is all of the RAM. */
static bool use_backend(Machine *m, Error **errp)
{
    Object *obj = user_object_find(m->ram_memdev, TYPE_MEMORY_BACKEND, errp);

    if (!obj) {
        return false;
    }
    if (m->ram_size && m->ram_size != memory_backend_size(obj)) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "Size specified by -m option must match size of explicitly specified "
                   "'memory-backend' property");
        error_argument(errp, "memory-backend", m->ram_memdev, NULL);
        return false;
    }
    m->ram = memory_backend_use(obj, errp);
    if (m->ram) {
        m->ram_size = memory_backend_size(obj);
    }
    return m->ram != NULL;
}

static bool make_ram(Machine *m, Error **errp)
{
    if (m->ram || !m->ram_size || !m->type->default_ram_id) {
        return true;
    }
    if (numa_has_backends(m)) {
        m->ram = numa_ram(m, errp);
        return m->ram;
    }
    m->ram = g_new0(MemRegion, 1);
    if (!memory_region_init_ram(m->ram, m, m->type->default_ram_id, m->ram_size, errp)) {
        g_clear_pointer(&m->ram, g_free);
        return false;
    }
    return true;
}

bool machine_init(Machine *m, Error **errp)
{
    bool ok;

    if (m->ram_memdev && !m->ram && !use_backend(m, errp)) {
        return false;
    }
    fill_defaults(m);
    if (!check_smp(m, errp) || !numa_complete(m, errp) || (m->type->prepare && !m->type->prepare(m, errp)) ||
        !make_ram(m, errp)) {
        return false;
    }
    memory_transaction_begin();
    ok = !m->type->init || m->type->init(m, errp);
    memory_transaction_commit();
    m->initialized = ok;
    m->obj.props_fixed = ok;
    return ok;
}

bool machine_set_boot(Machine *m, const char *order, Error **errp)
{
    if (!m->type->set_boot) {
        error_setf(errp, ERR_NOT_SUPPORTED, "machine '%s' has no order of boot devices", m->type->name);
        return false;
    }
    for (const char *p = order; *p; p++) {
        if (*p < 'a' || *p > 'p' || strchr(p + 1, *p)) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is no order of boot devices; accepted: letters a to p, "
                       "each once", order);
            return false;
        }
    }
    if (!m->type->set_boot(m, order, errp)) {
        return false;
    }
    g_free(m->boot.order);
    m->boot.order = g_strdup(order);
    g_free(m->boot.once);
    m->boot.once = NULL;
    return true;
}

void machine_add_done(UNUSED Machine *m, void (*fn)(Machine *m, void *opaque),
                      void *opaque)
{
    DoneHook h = { fn, opaque };

    if (!done_hooks) {
        done_hooks = g_array_new(FALSE, FALSE, sizeof(DoneHook));
    }
    g_array_append_val(done_hooks, h);
}

bool machine_done(Machine *m, Error **errp)
{
    if (m->type->done && !m->type->done(m, errp)) {
        return false;
    }
    for (guint i = 0; done_hooks && i < done_hooks->len; i++) {
        const DoneHook *h = &g_array_index(done_hooks, DoneHook, i);

        h->fn(m, h->opaque);
    }
    m->ready = true;
    devices_set_ready(true);
    return true;
}

MachineDrive *machine_take_drive(Machine *m, const char *interface, int bus, int unit)
{
    for (unsigned i = 0; i < m->n_drives; i++) {
        MachineDrive *d = &m->drives[i];

        if (d->bus == bus && d->unit == unit && !g_strcmp0(d->interface, interface)) {
            d->used = true;
            return d;
        }
    }
    return NULL;
}

void machine_reset(ResetKind kind)
{
    Machine *m = the_machine;

    if (m && m->type->reset) {
        m->type->reset(m, kind);
    } else {
        system_reset(kind);
    }
}

/* "name=value,..." for one CPU. */
static bool apply_features(Device *cpu, const char *features, Error **errp)
{
    g_auto(GStrv) words = g_strsplit(features, ",", -1);

    for (char **w = words; *w; w++) {
        char *eq = strchr(*w, '=');

        if (eq) {
            *eq = '\0';
        }
        if (**w && !object_set_str(cpu, *w, eq ? eq + 1 : "on", errp)) {
            return false;
        }
    }
    return true;
}

/* The architecture's own syntax, once, for all CPUs of the type. */
static bool parse_features(Machine *m, const char *type, Error **errp)
{
    const Type *t = type_find(type);
    const CpuOps *ops = NULL;

    for (; t && !ops && device_type_of(t); t = type_parent(t)) {
        ops = device_type_of(t)->data;
    }
    if (!m->cpu_features || !ops || !ops->parse_features) {
        return true;
    }
    if (!ops->parse_features(type, m->cpu_features, errp)) {
        return false;
    }
    g_clear_pointer(&m->cpu_features, g_free);
    return true;
}

Device *machine_new_cpu(Machine *m, const char *type, Error **errp)
{
    Object *obj;
    Device *cpu;

    if (!type) {
        type = m->cpu_type;
    }
    if (!type) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "machine '%s' has no CPU model",
                   m->type->name);
        return NULL;
    }
    if (!parse_features(m, type, errp)) {
        return NULL;
    }
    obj = object_new_checked(type, TYPE_CPU, errp);
    if (!obj) {
        return NULL;
    }
    cpu = (Device *)obj;
    object_apply_globals(cpu, &cpu->global_error);
    if (m->cpu_features && !apply_features(cpu, m->cpu_features, errp)) {
        object_unref(cpu);
        return NULL;
    }
    object_add_child(object_container("/machine/unattached"), "device[*]", cpu);
    return cpu;
}
