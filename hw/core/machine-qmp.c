/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about machines, CPUs and memory. */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "hw/core/machine-qmp.h"
#include "hw/core/numa.h"
#include "hw/core/runstate.h"
#include "memory/backend.h"
#include "qapi/commands-machine.h"
#include "qom/type-list.h"
#include "util/rcu.h"

/* Set at start-up. */
static const char *shown_arch;

/* The architecture of a CPU type: its own ops, or those of the nearest ancestor. */
static const char *cpu_type_arch(const Type *type)
{
    for (; type; type = type_parent(type)) {
        const DeviceType *dt = device_type_of(type);
        const CpuOps *ops = dt ? dt->data : NULL;

        if (ops) {
            return ops->arch;
        }
    }
    return NULL;
}

/* Machines and CPUs of other architectures are hidden, devices are for all. */
static bool type_is_shown(const Type *type)
{
    const char *arch;

    if (!shown_arch) {
        return true;
    }
    if (type_is_a(type, TYPE_CPU)) {
        arch = cpu_type_arch(type);
        return !arch || !strcmp(arch, shown_arch);
    }
    if (type_is_a(type, TYPE_MACHINE)) {
        const MachineType *mt = type_info(type)->data;

        return !mt || mt->abstract || machine_type_has_arch(mt, shown_arch);
    }
    return true;
}

void machine_set_shown_arch(const char *arch)
{
    shown_arch = arch;
    qom_set_type_filter(type_is_shown);
}

const char *machine_shown_arch(void)
{
    return shown_arch;
}

const char *machine_target_arch(void)
{
    Machine *m = current_machine();

    if (shown_arch) {
        return shown_arch;
    }
    return m && m->type->arch && m->type->arch[0] ? m->type->arch[0] : "x86_64";
}

static SysEmuTarget arch_to_target(const char *arch)
{
    int value = qapi_enum_parse(&qapi_type_SysEmuTarget, arch, "arch", NULL);

    return value < 0 ? SYS_EMU_TARGET_X86_64 : (SysEmuTarget)value;
}

TargetInfo *qmp_query_target(Error **errp)
{
    TargetInfo *info = qapi_new(TargetInfo);

    (void)errp;
    info->arch = arch_to_target(machine_target_arch());
    return info;
}

KvmInfo *qmp_query_kvm(Error **errp)
{
    (void)errp;
    return qapi_new(KvmInfo);           /* neither: vCPUs run in this program */
}

UuidInfo *qmp_query_uuid(Error **errp)
{
    UuidInfo *info = qapi_new(UuidInfo);
    Machine *m = current_machine();
    uint8_t zero[16] = { 0 };
    const uint8_t *u = m && m->have_uuid ? m->uuid : zero;
    char text[37];

    (void)errp;
    snprintf(text, sizeof(text),
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
             u[13], u[14], u[15]);
    info->UUID = strdup(text);
    return info;
}

/* ------------------------------------------------------------- machines */

typedef struct MachineWalk {
    MachineInfoList *list;
    const MachineType *by_default;
} MachineWalk;

static void add_machine(const MachineType *type, void *opaque)
{
    MachineWalk *w = opaque;
    MachineInfo *info;

    if (type->abstract || (shown_arch && !machine_type_has_arch(type, shown_arch))) {
        return;
    }
    info = qapi_new(MachineInfo);
    info->name = strdup(type->name);
    info->alias = type->alias ? strdup(type->alias) : NULL;
    if (type == w->by_default) {
        QAPI_SET(info, is_default, true);
    }
    info->cpu_max = MAX(type->max_cpus, 1U);
    info->hotpluggable_cpus = type->hotplug_cpus;
    info->numa_mem_supported = false;
    info->default_cpu_type = machine_type_default_cpu(type) ?
                             strdup(machine_type_default_cpu(type)) : NULL;
    info->default_ram_id = type->default_ram_id ? strdup(type->default_ram_id) : NULL;
    qapi_list_append(w->list, info);
}

MachineInfoList *qmp_query_machines(Error **errp)
{
    MachineWalk w = { qapi_new(MachineInfoList), machine_type_default(machine_target_arch()) };

    (void)errp;
    machine_type_foreach(add_machine, &w);
    return w.list;
}

CurrentMachineParams *qmp_query_current_machine(Error **errp)
{
    CurrentMachineParams *params = qapi_new(CurrentMachineParams);

    (void)errp;
    params->wakeup_suspend_support = system_wakeup_supported();
    return params;
}

MemoryInfo *qmp_query_memory_size_summary(Error **errp)
{
    MemoryInfo *info = qapi_new(MemoryInfo);
    Machine *m = current_machine();

    (void)errp;
    info->base_memory = m ? m->ram_size : 0;
    QAPI_SET(info, plugged_memory, m ? m->plugged_bytes : 0);
    return info;
}

static bool flag_of(Object *obj, const char *name)
{
    bool value = false;

    object_get_bool(obj, name, &value, NULL);
    return value;
}

static int add_memdev(Object *obj, void *opaque)
{
    MemdevList *list = opaque;
    Memdev *info;
    char *policy;
    QObject *nodes;
    int value;

    if (!object_is_a(obj, TYPE_MEMORY_BACKEND)) {
        return 0;
    }
    info = qapi_new(Memdev);
    policy = object_get_str(obj, "policy", NULL);
    value = policy ? qapi_enum_parse(&qapi_type_HostMemPolicy, policy, "policy", NULL) : 0;
    info->id = strdup(obj->name);
    info->size = memory_backend_size(obj);
    info->merge = flag_of(obj, "merge");
    info->dump = flag_of(obj, "dump");
    info->prealloc = flag_of(obj, "prealloc");
    info->share = flag_of(obj, "share");
    QAPI_SET(info, reserve, flag_of(obj, "reserve"));
    info->policy = MAX(value, 0);
    nodes = object_get(obj, "host-nodes", NULL);
    info->host_nodes = qapi_new(uint16List);
    QLIST_FOR_EACH(n, qobject_to_list(nodes)) {
        uint64_t node = 0;

        qnum_to_uint(qobject_to_num(n), &node);
        qapi_list_append(info->host_nodes, (uint16_t)node);
    }
    qobject_unref(nodes);
    qapi_list_append(list, info);
    g_free(policy);
    return 0;
}

MemdevList *qmp_query_memdev(Error **errp)
{
    MemdevList *list = qapi_new(MemdevList);

    (void)errp;
    object_child_foreach(object_container("/objects"), add_memdev, list);
    return list;
}

/* ----------------------------------------------------------------- CPUs */

/* Threads within cores within dies within sockets, as the numbers run. */
static CpuInstanceProperties *cpu_place(unsigned index)
{
    CpuInstanceProperties *p = qapi_new(CpuInstanceProperties);
    Machine *m = current_machine();
    unsigned threads = m && m->smp.threads ? m->smp.threads : 1;
    unsigned cores = m && m->smp.cores ? m->smp.cores : 1;
    unsigned dies = m && m->smp.dies ? m->smp.dies : 1;

    QAPI_SET(p, thread_id, index % threads);
    QAPI_SET(p, core_id, index / threads % cores);
    if (dies > 1) {
        QAPI_SET(p, die_id, index / threads / cores % dies);
    }
    QAPI_SET(p, socket_id, index / threads / cores / dies);
    if (m && m->numa && index < m->numa->n_cpus && m->numa->cpu_node[index] >= 0) {
        QAPI_SET(p, node_id, m->numa->cpu_node[index]);
    }
    return p;
}

CpuInfoFastList *qmp_query_cpus_fast(Error **errp)
{
    CpuInfoFastList *list = qapi_new(CpuInfoFastList);

    (void)errp;
    CPU_FOREACH(cpu) {
        CpuInfoFast *info = qapi_new(CpuInfoFast);
        char *path = object_canonical_path(cpu);

        info->cpu_index = cpu->index;
        info->qom_path = strdup(path ? path : "");
        info->thread_id = cpu->thread_id;
        info->props = cpu_place(cpu->index);
        info->target = arch_to_target(shown_arch ? shown_arch : cpu->ops->arch);
        qapi_list_append(list, info);
        g_free(path);
    }
    return list;
}

HotpluggableCPUList *qmp_query_hotpluggable_cpus(Error **errp)
{
    HotpluggableCPUList *list;
    Machine *m = current_machine();
    /* Before the machine is made nobody has filled it in. */
    const char *type = !m ? NULL : m->cpu_type ? m->cpu_type : machine_type_default_cpu(m->type);
    unsigned max;

    if (!m || !m->type->hotplug_cpus || !type) {
        error_setf(errp, ERR_NOT_SUPPORTED, "machine does not support hot-plugging CPUs");
        return NULL;
    }
    list = qapi_new(HotpluggableCPUList);
    max = MAX(m->smp.max_cpus, m->smp.cpus);
    /* The highest first, as clients know it. */
    for (unsigned i = max; i-- > 0;) {
        HotpluggableCPU *info = qapi_new(HotpluggableCPU);
        CPUState *cpu = cpu_by_index((int)i);

        info->type = strdup(type);
        info->vcpus_count = 1;
        info->props = cpu_place(i);
        if (cpu) {
            char *path = object_canonical_path(cpu);

            info->qom_path = path ? strdup(path) : NULL;
            g_free(path);
        }
        qapi_list_append(list, info);
    }
    return list;
}

static void add_cpu_model(const Type *type, void *opaque)
{
    CpuDefinitionInfoList *list = opaque;
    CpuDefinitionInfo *info;
    const char *arch = machine_target_arch(), *own = cpu_type_arch(type);
    char *suffix, *name;

    if (own && strcmp(own, arch)) {
        return;
    }
    /* "qemu64-x86_64-cpu" is the model qemu64. */
    suffix = g_strdup_printf("-%s-cpu", arch);
    name = g_str_has_suffix(type_name(type), suffix)
           ? g_strndup(type_name(type), strlen(type_name(type)) - strlen(suffix))
           : g_strdup(type_name(type));
    info = qapi_new(CpuDefinitionInfo);
    info->name = strdup(name);
    info->typename = strdup(type_name(type));
    QAPI_SET(info, migration_safe, strcmp(name, "max") != 0);
    info->q_static = !strcmp(name, "base");
    info->unavailable_features = qapi_new(strList);
    qapi_list_append(list, info);
    g_free(name);
    g_free(suffix);
}

CpuDefinitionInfoList *qmp_query_cpu_definitions(Error **errp)
{
    CpuDefinitionInfoList *list = qapi_new(CpuDefinitionInfoList);

    (void)errp;
    type_foreach(TYPE_CPU, false, add_cpu_model, list);
    return list;
}

/* ---------------------------------------------------- text for people */

static HumanReadableText *readable(GString *s)
{
    HumanReadableText *t = qapi_new(HumanReadableText);

    t->human_readable_text = strdup(s->str);
    g_string_free(s, true);
    return t;
}

HumanReadableText *qmp_x_query_numa(UNUSED Error **errp)
{
    GString *s = g_string_new("");
    Machine *m = current_machine();
    const NumaConfig *n = m ? m->numa : NULL;

    g_string_append_printf(s, "%u nodes\n", n ? n->n_nodes : 0);
    for (unsigned i = 0; n && i < n->n_nodes; i++) {
        g_string_append_printf(s, "node %u cpus:", i);
        CPU_FOREACH(cpu) {
            if (numa_node_of(m, cpu->index) == i) {
                g_string_append_printf(s, " %d", cpu->index);
            }
        }
        g_string_append_printf(s, "\nnode %u size: %" PRIu64 " MB\nnode %u plugged: 0 MB\n", i,
                               n->node[i].mem / MIB, i);
    }
    return readable(s);
}

static int add_ram_block(RamBlock *block, void *opaque)
{
    g_string_append_printf(opaque, "%24s    4 KiB  0x%016" PRIx64 " 0x%016" PRIx64
                           " 0x%016" PRIx64 "\n", block->id, block->start, block->size,
                           block->size);
    return 0;
}

HumanReadableText *qmp_x_query_ramblock(UNUSED Error **errp)
{
    GString *s = g_string_new("");

    g_string_printf(s, "%24s %8s  %18s %18s %18s\n", "Block Name", "PSize", "Offset", "Used",
                    "Total");
    ram_block_foreach(add_ram_block, s);
    return readable(s);
}

HumanReadableText *qmp_x_query_roms(UNUSED Error **errp)
{
    GString *s = g_string_new("");
    const FlatView *view = rcu_load(&address_space_memory.view);

    for (uint32_t i = 0; view && i < view->num; i++) {
        const MemSection *sec = &view->sections[i];

        if (sec->ram && sec->readonly) {
            g_string_append_printf(s, "addr=%016" PRIx64 " size=0x%06" PRIx64
                                   " mem=rom name=\"%s\"\n", sec->start,
                                   sec->last - sec->start + 1, memory_region_name(sec->mr));
        }
    }
    return readable(s);
}
