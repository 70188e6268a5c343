/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info: the human monitor's windows. */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "memory/memory.h"
#include "memory/ram.h"
#include "monitor/hmp-cmds.h"
#include "qapi/commands-balloon.h"
#include "qapi/commands-char.h"
#include "qapi/commands-control.h"
#include "qapi/commands-machine.h"
#include "qapi/commands-misc.h"
#include "qapi/commands-run-state.h"

static void info_version(Hmp *hmp, const QDict *args)
{
    VersionInfo *v = qmp_query_version(NULL);

    (void)args;
    hmp_printf(hmp, "%" PRId64 ".%" PRId64 ".%" PRId64 " (%s)\n", v->qemu->major, v->qemu->minor,
               v->qemu->micro, v->package);
    qapi_free_VersionInfo(v);
}

static void info_status(Hmp *hmp, const QDict *args)
{
    StatusInfo *s = qmp_query_status(NULL);

    (void)args;
    hmp_printf(hmp, "VM status: %s%s", s->running ? "running" : "paused",
               s->singlestep ? " (single step mode)" : "");
    if (!s->running && s->status != RUN_STATE_PAUSED) {
        hmp_printf(hmp, " (%s)", RunState_name(s->status));
    }
    hmp_printf(hmp, "\n");
    qapi_free_StatusInfo(s);
}

static void info_name(Hmp *hmp, const QDict *args)
{
    NameInfo *n = qmp_query_name(NULL);

    (void)args;
    if (n->name) {
        hmp_printf(hmp, "%s\n", n->name);
    }
    qapi_free_NameInfo(n);
}

static void info_uuid(Hmp *hmp, const QDict *args)
{
    UuidInfo *u = qmp_query_uuid(NULL);

    (void)args;
    hmp_printf(hmp, "%s\n", u->UUID);
    qapi_free_UuidInfo(u);
}

static void info_kvm(Hmp *hmp, const QDict *args)
{
    KvmInfo *k = qmp_query_kvm(NULL);

    (void)args;
    hmp_printf(hmp, "kvm support: %s\n", !k->present ? "not compiled"
               : k->enabled ? "enabled" : "disabled");
    qapi_free_KvmInfo(k);
}

static void info_chardev(Hmp *hmp, const QDict *args)
{
    ChardevInfoList *list = qmp_query_chardev(NULL);

    (void)args;
    for (size_t i = 0; i < list->n; i++) {
        hmp_printf(hmp, "%s: filename=%s\n", list->items[i]->label, list->items[i]->filename);
    }
    qapi_free_ChardevInfoList(list);
}

/* ----------------------------------------------------------------- CPUs */

static void info_cpus(Hmp *hmp, const QDict *args)
{
    CpuInfoFastList *list = qmp_query_cpus_fast(NULL);

    (void)args;
    for (size_t i = 0; i < list->n; i++) {
        CpuInfoFast *c = list->items[i];

        hmp_printf(hmp, "%c CPU #%" PRId64 ": thread_id=%" PRId64 "\n",
                   c->cpu_index == hmp->cpu_index ? '*' : ' ', c->cpu_index, c->thread_id);
    }
    qapi_free_CpuInfoFastList(list);
}

/* For a type that has no text of its own: the named registers, four a line. */
static void registers_by_name(Hmp *hmp, CPUState *cpu)
{
    for (unsigned i = 0; i < cpu->ops->num_regs; i++) {
        uint64_t value;

        if (cpu->ops->get_reg && cpu->ops->get_reg(cpu, i, &value)) {
            hmp_printf(hmp, "%s=%0*" PRIx64 "%c", cpu->ops->regs[i].name,
                       (cpu->ops->regs[i].bits + 3) / 4, value, i % 4 == 3 ? '\n' : ' ');
        }
    }
    hmp_printf(hmp, "\n");
}

static void show_cpu(CPUState *cpu, void *data)
{
    Hmp *hmp = data;
    char *text;

    if (!cpu->ops->state_text) {
        registers_by_name(hmp, cpu);
        return;
    }
    text = cpu->ops->state_text(cpu, true);
    hmp_printf(hmp, "%s", text);
    g_free(text);
}

static void info_registers(Hmp *hmp, const QDict *args)
{
    CPUState *only = NULL;

    if (qdict_has(args, "vcpu")) {
        int64_t index = qdict_int_or(args, "vcpu", 0);

        only = index >= 0 ? cpu_by_index((int)MIN(index, INT_MAX)) : NULL;
        if (!only) {
            hmp_printf(hmp, "CPU#%" PRId64 " not available\n", index);
            return;
        }
    } else if (!qdict_bool_or(args, "all", false) && !(only = hmp_cpu(hmp))) {
        return;
    }
    CPU_FOREACH(cpu) {
        if (!only || cpu == only) {
            hmp_printf(hmp, "%s\nCPU#%d\n", cpu->index && !only ? "\n" : "", cpu->index);
            run_on_cpu(cpu, show_cpu, hmp);
        }
    }
}

/* --------------------------------------------------------------- memory */

static void info_mtree(Hmp *hmp, const QDict *args)
{
    char *text = memory_tree_text((qdict_bool_or(args, "flat", false) ? MEM_TREE_FLAT : 0) |
                                  (qdict_bool_or(args, "dispatch", false) ? MEM_TREE_DISPATCH : 0) |
                                  (qdict_bool_or(args, "owner", false) ? MEM_TREE_OWNERS : 0));

    hmp_printf(hmp, "%s", text);
    g_free(text);
}

static int show_block(RamBlock *block, void *opaque)
{
    hmp_printf(opaque, "%-24s %9s 0x%016" PRIx64 " 0x%016" PRIx64 "%s\n", block->id,
               block->borrowed ? "caller" : block->shared ? "shared" : "private", block->start,
               block->size, block->read_only ? " ro" : "");
    return 0;
}

static void info_ramblock(Hmp *hmp, const QDict *args)
{
    (void)args;
    hmp_printf(hmp, "%-24s %9s %-18s %-18s\n", "Block Name", "Mapping", "Offset", "Size");
    ram_block_foreach(show_block, hmp);
}

static void info_memory_size_summary(Hmp *hmp, const QDict *args)
{
    MemoryInfo *m = qmp_query_memory_size_summary(NULL);

    (void)args;
    hmp_printf(hmp, "base memory: %" PRIu64 "\n", m->base_memory);
    if (m->has_plugged_memory) {
        hmp_printf(hmp, "plugged memory: %" PRIu64 "\n", m->plugged_memory);
    }
    qapi_free_MemoryInfo(m);
}

static void info_memdev(Hmp *hmp, const QDict *args)
{
    MemdevList *list = qmp_query_memdev(NULL);

    (void)args;
    for (size_t i = 0; i < list->n; i++) {
        const Memdev *m = list->items[i];

        hmp_printf(hmp, "memory backend: %s\n  size:  %" PRIu64 "\n  merge: %s\n  dump: %s\n"
                   "  prealloc: %s\n  share: %s\n  policy: %s\n", m->id, m->size,
                   m->merge ? "true" : "false", m->dump ? "true" : "false",
                   m->prealloc ? "true" : "false", m->share ? "true" : "false",
                   HostMemPolicy_name(m->policy));
        if (m->host_nodes && m->host_nodes->n) {
            hmp_printf(hmp, "  host nodes:");
            for (size_t k = 0; k < m->host_nodes->n; k++) {
                hmp_printf(hmp, " %u", m->host_nodes->items[k]);
            }
            hmp_printf(hmp, "\n");
        }
    }
    qapi_free_MemdevList(list);
}

static void info_balloon(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    BalloonInfo *info = qmp_query_balloon(&err);

    (void)args;
    if (info) {
        hmp_printf(hmp, "balloon: actual=%" PRId64 "\n", info->actual >> 20);
        qapi_free_BalloonInfo(info);
    } else {
        hmp_error(hmp, err);
    }
}

static void info_iothreads(Hmp *hmp, const QDict *args)
{
    IOThreadInfoList *list = qmp_query_iothreads(NULL);

    (void)args;
    for (size_t i = 0; i < list->n; i++) {
        const IOThreadInfo *t = list->items[i];

        hmp_printf(hmp, "%s:\n  thread_id=%" PRId64 "\n  poll-max-ns=%" PRId64 "\n  poll-grow=%"
                   PRId64 "\n  poll-shrink=%" PRId64 "\n  aio-max-batch=%" PRId64 "\n", t->id,
                   t->thread_id, t->poll_max_ns, t->poll_grow, t->poll_shrink, t->aio_max_batch);
    }
    qapi_free_IOThreadInfoList(list);
}

static void show_place(Hmp *hmp, const CpuInstanceProperties *p)
{
    const struct { const char *name; bool has; int64_t value; } rows[] = {
        { "node-id", p->has_node_id, p->node_id },
        { "socket-id", p->has_socket_id, p->socket_id },
        { "die-id", p->has_die_id, p->die_id },
        { "cluster-id", p->has_cluster_id, p->cluster_id },
        { "core-id", p->has_core_id, p->core_id },
        { "thread-id", p->has_thread_id, p->thread_id },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].has) {
            hmp_printf(hmp, "    %s: \"%" PRId64 "\"\n", rows[i].name, rows[i].value);
        }
    }
}

static void info_hotpluggable_cpus(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    HotpluggableCPUList *list = qmp_query_hotpluggable_cpus(&err);

    (void)args;
    if (hmp_error(hmp, err)) {
        return;
    }
    hmp_printf(hmp, "Hotpluggable CPUs:\n");
    for (size_t i = 0; i < list->n; i++) {
        HotpluggableCPU *c = list->items[i];

        hmp_printf(hmp, "  type: \"%s\"\n  vcpus_count: \"%" PRId64 "\"\n", c->type,
                   c->vcpus_count);
        if (c->qom_path) {
            hmp_printf(hmp, "  qom_path: \"%s\"\n", c->qom_path);
        }
        hmp_printf(hmp, "  CPUInstance Properties:\n");
        show_place(hmp, c->props);
    }
    qapi_free_HotpluggableCPUList(list);
}

const HmpCommand hmp_info_commands[] = {
    { .name = "version", .run = info_version, .qmp = "query-version",
      .help = "show the version" },
    { .name = "status", .run = info_status, .qmp = "query-status",
      .help = "show the run state (running or stopped)" },
    { .name = "name", .run = info_name, .qmp = "query-name", .help = "show the VM's name" },
    { .name = "uuid", .run = info_uuid, .qmp = "query-uuid", .help = "show the VM's UUID" },
    { .name = "kvm", .run = info_kvm, .qmp = "query-kvm", .help = "show KVM information" },
    { .name = "chardev", .run = info_chardev, .qmp = "query-chardev",
      .help = "show the character devices" },
    { .name = "cpus", .run = info_cpus, .qmp = "query-cpus-fast", .help = "show the CPUs" },
    { .name = "hotpluggable-cpus", .run = info_hotpluggable_cpus,
      .qmp = "query-hotpluggable-cpus", .help = "show places for CPUs" },
    { .name = "registers", .args = "all:-a vcpu:i?", .params = "[-a|vcpu]", .run = info_registers,
      .help = "show the CPU's registers (-a: of all CPUs; or of that number)" },
    { .name = "mtree", .args = "flat:-f dispatch:-d owner:-o disabled:-D", .params = "[-f][-d][-o][-D]", .run = info_mtree,
      .help = "show the memory tree (-f: as CPUs see it, with -d where accesses go; -o: whose regions are; -D: accepted, what is switched off is always there)" },
    { .name = "mem", .run = hmp_info_mem, .help = "show the active virtual memory mappings" },
    { .name = "tlb", .run = hmp_info_tlb, .help = "show virtual to physical mappings by page" },
    { .name = "pic", .run = hmp_info_pic, .help = "show the interrupt controllers' state" },
    { .name = "lapic", .args = "apic-id:i?", .params = "[apic-id]", .run = hmp_info_lapic,
      .help = "show the local APICs' state" },
    { .name = "device-state", .args = "path:s? all:-- diff:--s", .params = "[path] [--all] [--diff NAME]",
      .run = hmp_info_device_state, .complete = hmp_complete_device, .qmp = "query-device-state",
      .qmp_args = hmp_device_state_args,
      .help = "show the state of a device, of those on a bus, or of all (--all: long lists and data too; "
              "--diff: what is different from a snapshot)" },
    { .name = "device-state-snapshots", .run = hmp_info_device_state_snapshots,
      .qmp = "query-device-state-snapshots", .help = "show the snapshots of devices' state" },
    { .name = "device-state-watches", .run = hmp_info_device_state_watches,
      .qmp = "query-device-state-watches", .help = "show which fields of devices are watched" },
    { .name = "ramblock", .run = info_ramblock, .qmp = "x-query-ramblock", .help = "show the RAM blocks" },
    { .name = "memory_size_summary", .run = info_memory_size_summary,
      .qmp = "query-memory-size-summary", .help = "show how much memory there is" },
    { .name = "block", .args = "nodes:-n verbose:-v device:s?", .params = "[-n] [-v] [device]", .run = hmp_info_block,
      .complete = hmp_complete_block, .qmp = "query-block", .qmp_args = hmp_info_block_args,
      .help = "show the block devices, or one (-n: named nodes; -v: with their images; --json: all)" },
    { .name = "blockstats", .run = hmp_info_blockstats, .qmp = "query-blockstats",
      .help = "show what block devices have done" },
    { .name = "network", .run = hmp_info_network, .qmp = "x-query-network",
      .help = "show the network back ends" },
    { .name = "usernet", .run = hmp_info_usernet, .help = "show the connections of user networks" },
    { .name = "pci", .run = hmp_info_pci, .qmp = "query-pci", .help = "show the PCI functions" },
    { .name = "audio", .run = hmp_info_audio, .qmp = "x-query-audio",
      .help = "show the sound back ends" },
    { .name = "capture", .run = hmp_info_capture, .help = "show what is being recorded" },
    { .name = "usb", .run = hmp_info_usb, .qmp = "x-query-usb", .help = "show the USB devices" },
    { .name = "jit", .run = hmp_info_jit, .qmp = "query-jit", .help = "show the code generator's counters" },
    { .name = "migrate", .run = hmp_info_migrate, .qmp = "query-migrate",
      .help = "show the migration's state" },
    { .name = "snapshots", .run = hmp_info_snapshots,
      .help = "show the machine's snapshots" },
    { .name = "migrate_capabilities", .run = hmp_info_migrate_capabilities,
      .qmp = "query-migrate-capabilities", .help = "show migration capabilities" },
    { .name = "migrate_parameters", .run = hmp_info_migrate_parameters,
      .qmp = "query-migrate-parameters", .help = "show migration parameters" },
    { .name = "dirty_rate", .run = hmp_info_dirty_rate, .qmp = "query-dirty-rate",
      .help = "show how much memory the guest writes to" },
    { .name = "memory-devices", .run = hmp_info_memory_devices, .qmp = "query-memory-devices",
      .help = "show the memory devices" },
    { .name = "memdev", .run = info_memdev, .qmp = "query-memdev",
      .help = "show the memory back ends" },
    { .name = "balloon", .run = info_balloon, .qmp = "query-balloon",
      .help = "show how much memory the guest has" },
    { .name = "iothreads", .run = info_iothreads, .qmp = "query-iothreads",
      .help = "show the I/O threads" },
    { .name = "mice", .run = hmp_info_mice, .qmp = "query-mice",
      .help = "show the pointing devices" },
    { .name = "vnc", .run = hmp_info_vnc, .qmp = "query-vnc", .help = "show the VNC server" },
    { .name = "block-jobs", .run = hmp_info_block_jobs, .qmp = "query-block-jobs",
      .help = "show the jobs of block devices" },
    { .name = "dump", .run = hmp_info_dump, .qmp = "query-dump", .help = "show how far the dump is" },
    { .name = "irq", .run = hmp_info_irq, .qmp = "x-query-irq", .help = "show how often interrupts came" },
    { .name = "numa", .run = hmp_info_numa, .qmp = "x-query-numa", .help = "show the NUMA nodes" },
    { .name = "roms", .run = hmp_info_roms, .qmp = "x-query-roms", .help = "show the ROMs" },
    { .name = "sync-profile", .args = "mean:-m no_coalesce:-n max:i?", .params = "[-m] [-n] [max]",
      .run = hmp_info_sync_profile, .qmp = "x-query-sync-profile", .qmp_args = hmp_sync_profile_args,
      .help = "show where threads wait for locks, up to max places (default 10; -m: by the mean wait; "
              "-n: each object by itself)" },
    { .name = "trace-events", .args = "name:s? vcpu:i?", .params = "[name] [vcpu]", .run = hmp_info_trace_events,
      .qmp = "trace-event-get-state", .qmp_args = hmp_trace_events_args,
      .help = "show which items of the log are on" },
    { .name = "stats", .args = "target:s? names:s? provider:s?", .params = "[vm|vcpu] [names] [provider]", .run = hmp_info_stats,
      .qmp = "query-stats", .qmp_args = hmp_stats_args,
      .help = "show statistics of providers" },
    { .name = "tpm", .run = hmp_info_tpm, .help = "show the TPM" },
    { .name = "virtio", .run = hmp_info_virtio, .qmp = "x-query-virtio", .help = "show the virtio devices" },
    { .name = "virtio-status", .args = "path:s", .params = "path", .run = hmp_info_virtio_status,
      .qmp = "x-query-virtio-status", .qmp_args = hmp_same_args,
      .help = "show the state of a virtio device" },
    { .name = "virtio-vhost-queue-status", .args = "path:s queue:i", .params = "path queue",
      .run = hmp_info_virtio_vhost_queue_status,
      .qmp = "x-query-virtio-vhost-queue-status", .qmp_args = hmp_same_args, .help = "show the state of a queue that another process serves" },
    { .name = "virtio-queue-status", .args = "path:s queue:i", .params = "path queue",
      .run = hmp_info_virtio_queue_status,
      .qmp = "x-query-virtio-queue-status", .qmp_args = hmp_same_args, .help = "show the state of a queue" },
    { .name = "virtio-queue-element", .args = "path:s queue:i index:i?", .params = "path queue [index]",
      .run = hmp_info_virtio_queue_element,
      .qmp = "x-query-virtio-queue-element", .qmp_args = hmp_same_args, .help = "show an element of a queue" },
    { .name = "vm-generation-id", .run = hmp_info_vm_generation_id, .qmp = "query-vm-generation-id",
      .help = "show the VM's generation number" },
    { .name = "yank", .run = hmp_info_yank, .qmp = "query-yank",
      .help = "show the connections that can be shut down" },
    { .name = "history", .early = true, .run = hmp_info_history, .help = "show the lines that were typed" },
    { .name = "qtree", .run = hmp_info_qtree, .help = "show the devices by bus" },
    { .name = "qom-tree", .early = true, .args = "path:s?", .params = "[path]", .run = hmp_info_qom_tree,
      .help = "show the tree of objects" },
    { .name = "qdm", .run = hmp_info_qdm, .help = "show the types of devices" },
    { .name = NULL },
};
