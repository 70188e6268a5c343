/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info: interrupt controllers, and what a CPU's MMU maps. */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/device.h"
#include "monitor/hmp-cmds.h"

/* -------------------------------------------------------------- devices */

typedef struct TypeWalk {
    Hmp *hmp;
    const char *const *types;
    int64_t id;                 /* of property "id"; -1: all */
    bool any;
} TypeWalk;

static bool has_id(Device *dev, int64_t id)
{
    uint64_t value = 0;

    return object_get_uint(dev, "id", &value, NULL) && value == (uint64_t)id;
}

static int show_if_of_type(Device *dev, void *opaque)
{
    TypeWalk *w = opaque;

    for (const char *const *t = w->types; *t; t++) {
        if (object_is_a(dev, *t) && (w->id < 0 || has_id(dev, w->id))) {
            g_autofree char *path = object_canonical_path(dev);

            hmp_printf(w->hmp, "%s", w->any ? "\n" : "");
            w->any = true;
            hmp_show_device_state(w->hmp, path, false);
        }
    }
    return 0;
}

static void show_types(Hmp *hmp, const char *const *types, int64_t id)
{
    TypeWalk w = { hmp, types, id, false };

    device_foreach(show_if_of_type, &w);
    if (!w.any) {
        hmp_printf(hmp, "No such device\n");
    }
}

void hmp_info_pic(Hmp *hmp, const QDict *args)
{
    static const char *const types[] = { "isa-i8259", "ioapic", NULL };

    (void)args;
    show_types(hmp, types, -1);
}

void hmp_info_lapic(Hmp *hmp, const QDict *args)
{
    static const char *const types[] = { "apic", NULL };

    show_types(hmp, types, qdict_int_or(args, "apic-id", -1));
}

/* ------------------------------------------------------------------ MMU */

/* A list of millions helps nobody, and takes memory. */
#define MAPPINGS_MAX    200000

typedef struct MapWalk {
    Hmp *hmp;
    bool merge;
    unsigned n;
    CpuMapping run;             /* merged so far; size 0: nothing */
} MapWalk;

static void show_run(MapWalk *w)
{
    if (w->run.size) {
        hmp_printf(w->hmp, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %c%c%c%c\n",
                   w->run.vaddr, w->run.vaddr + w->run.size, w->run.size,
                   w->run.user ? 'u' : '-', 'r', w->run.write ? 'w' : '-',
                   w->run.exec ? 'x' : '-');
    }
}

static bool add_mapping(const CpuMapping *m, void *opaque)
{
    MapWalk *w = opaque;

    if (++w->n > MAPPINGS_MAX) {
        return false;
    }
    if (!w->merge) {
        hmp_printf(w->hmp, "%016" PRIx64 ": %016" PRIx64 " %6" PRIu64 " KiB %c%c%c%c%c%c\n",
                   m->vaddr, m->phys, m->size / KIB, m->exec ? 'x' : '-',
                   m->global ? 'g' : '-', m->dirty ? 'd' : '-', m->accessed ? 'a' : '-',
                   m->user ? 'u' : '-', m->write ? 'w' : '-');
        return true;
    }
    if (w->run.size && w->run.vaddr + w->run.size == m->vaddr && w->run.user == m->user &&
        w->run.write == m->write && w->run.exec == m->exec) {
        w->run.size += m->size;
    } else {
        show_run(w);
        w->run = *m;
    }
    return true;
}

static void list_on_cpu(CPUState *cpu, void *data)
{
    cpu->ops->list_mappings(cpu, add_mapping, data);
}

static void show_mappings(Hmp *hmp, bool merge)
{
    MapWalk w = { hmp, merge, 0, { 0 } };
    CPUState *cpu = hmp_cpu(hmp);

    if (!cpu) {
        return;
    }
    if (!cpu->ops->list_mappings) {
        hmp_printf(hmp, "The page tables of this architecture can't be listed\n");
        return;
    }
    run_on_cpu(cpu, list_on_cpu, &w);
    show_run(&w);
    if (!w.n) {
        hmp_printf(hmp, "PG disabled, or nothing mapped\n");
    } else if (w.n > MAPPINGS_MAX) {
        hmp_printf(hmp, "(the first %d pages only)\n", MAPPINGS_MAX);
    }
}

void hmp_info_mem(Hmp *hmp, const QDict *args)
{
    (void)args;
    show_mappings(hmp, true);
}

void hmp_info_tlb(Hmp *hmp, const QDict *args)
{
    (void)args;
    show_mappings(hmp, false);
}
