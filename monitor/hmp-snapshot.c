/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands about snapshots of the machine. */
#include "util/osdep.h"
#include "migration/snapshot.h"
#include "monitor/hmp-cmds.h"
#include "util/timer.h"

static const SnapshotWhere everywhere;

void hmp_savevm(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    snapshot_save(qdict_str_or(args, "name", NULL), true, &everywhere, &err);
    hmp_error(hmp, err);
}

void hmp_loadvm(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    snapshot_load(qdict_str_or(args, "name", ""), &everywhere, &err);
    hmp_error(hmp, err);
}

void hmp_delvm(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    snapshot_delete(qdict_str_or(args, "name", ""), &everywhere, &err);
    hmp_error(hmp, err);
}

void hmp_info_snapshots(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    size_t count;
    BlockSnapshot *list = snapshot_list(&count, &err);

    (void)args;
    if (hmp_error(hmp, err)) {
        return;
    }
    if (!count) {
        hmp_printf(hmp, "There is no snapshot available.\n");
    } else {
        hmp_printf(hmp, "List of snapshots present on all disks:\n");
        hmp_printf(hmp, "%-10s%-17s%12s%21s%14s%9s\n", "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK",
                   "ICOUNT");
    }
    for (size_t i = 0; i < count; i++) {
        const BlockSnapshot *s = &list[i];
        g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(s->date_sec);
        g_autofree char *when = date ? g_date_time_format(date, "%Y-%m-%d %H:%M:%S") : NULL;
        g_autofree char *size = g_format_size_full(s->vm_state_size, G_FORMAT_SIZE_IEC_UNITS);
        uint64_t sec = s->vm_clock_ns / NS_PER_SECOND;

        g_autofree char *clock = g_strdup_printf("%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64
                                                 ".%03" PRIu64, sec / 3600, sec / 60 % 60,
                                                 sec % 60, s->vm_clock_ns / NS_PER_MS % 1000);

        hmp_printf(hmp, "%-10s%-17s%12s%21s%14s%9s\n", "--", s->name, size, when ? when : "",
                   clock, "");
    }
    block_snapshot_list_free(list, count);
}
