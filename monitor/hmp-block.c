/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands that change block devices. */
#include "util/osdep.h"
#include "monitor/hmp-cmds.h"
#include "qapi/commands-block-ops.h"

/* "512M" and the like; without a unit @unit. */
static bool number(const char *text, uint64_t unit, int64_t *v, Error **errp)
{
    static const char units[] = "bkmgtpe";
    char *end, c;
    double n = strtod(text, &end);

    c = *end >= 'A' && *end <= 'Z' ? *end + ('a' - 'A') : *end;
    if (end == text || n < 0 || (c && (!strchr(units, c) || end[1]))) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't a number; accepted: one with k, M, G, T", text);
        return false;
    }
    n *= c ? (double)BIT64(10 * (strchr(units, c) - units)) : (double)unit;
    if (n >= 9.2e18) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'%s' is too large", text);
        return false;
    }
    *v = n;
    return true;
}

void hmp_block_resize(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    int64_t size;

    if (number(qdict_str_or(args, "size", ""), MIB, &size, &err)) {
        qmp_block_resize(qdict_str_or(args, "device", ""), NULL, size, &err);
    }
    hmp_error(hmp, err);
}

void hmp_snapshot_blkdev(Hmp *hmp, const QDict *args)
{
    BlockdevSnapshotSync a = {
        .device = (char *)qdict_str_or(args, "device", ""),
        .snapshot_file = (char *)qdict_str_or(args, "file", NULL),
        .format = (char *)qdict_str_or(args, "format", NULL), .has_mode = true,
        .mode = qdict_bool_or(args, "reuse", false) ? NEW_IMAGE_MODE_EXISTING
                                                    : NEW_IMAGE_MODE_ABSOLUTE_PATHS,
    };
    Error *err = NULL;

    if (!a.snapshot_file) {
        error_setf(&err, ERR_MISSING_ARGUMENT, "Parameter 'snapshot-file' is missing");
    } else {
        qmp_blockdev_snapshot_sync(&a, &err);
    }
    hmp_error(hmp, err);
}

void hmp_snapshot_blkdev_internal(Hmp *hmp, const QDict *args)
{
    BlockdevSnapshotInternal a = { .device = (char *)qdict_str_or(args, "device", ""),
                                   .name = (char *)qdict_str_or(args, "name", "") };
    Error *err = NULL;

    qmp_blockdev_snapshot_internal_sync(&a, &err);
    hmp_error(hmp, err);
}

void hmp_snapshot_delete_blkdev_internal(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    SnapshotInfo *info = qmp_blockdev_snapshot_delete_internal_sync(
        qdict_str_or(args, "device", ""), qdict_str_or(args, "id", NULL), qdict_str_or(args, "name", NULL),
        &err);

    qapi_free_SnapshotInfo(info);
    hmp_error(hmp, err);
}

void hmp_block_set_io_throttle(Hmp *hmp, const QDict *args)
{
    BlockIOThrottle a = { .device = (char *)qdict_str_or(args, "device", "") };
    Error *err = NULL;

    if (number(qdict_str_or(args, "bps", "0"), 1, &a.bps, &err) &&
        number(qdict_str_or(args, "bps_rd", "0"), 1, &a.bps_rd, &err) &&
        number(qdict_str_or(args, "bps_wr", "0"), 1, &a.bps_wr, &err) &&
        number(qdict_str_or(args, "iops", "0"), 1, &a.iops, &err) &&
        number(qdict_str_or(args, "iops_rd", "0"), 1, &a.iops_rd, &err) &&
        number(qdict_str_or(args, "iops_wr", "0"), 1, &a.iops_wr, &err)) {
        qmp_block_set_io_throttle(&a, &err);
    }
    hmp_error(hmp, err);
}
