/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The accelerator "qtest": CPUs are there and never run. */
#include "util/osdep.h"
#include "accel/accel.h"
#include "util/thread.h"
#include "util/timer.h"

static bool qtest_create(CPUState *cpu, UNUSED Error **errp)
{
    cpu->thread_id = thread_tid();
    return true;
}

static const CpuAccelOps qtest_cpu_ops = { .name = "qtest", .create = qtest_create };

static bool qtest_init(const QDict *props, Error **errp)
{
    if (qdict_size(props)) {
        error_setf(errp, ERR_UNKNOWN_ARGUMENT, "qtest has no property '%s'",
                   qdict_entry(props, 0)->key);
        return false;
    }
    virtual_clock_set_manual(true);
    cpu_set_accel(&qtest_cpu_ops);
    return true;
}

static Accel qtest_accel = {
    .name = "qtest", .desc = "no CPU runs; device tests", .init = qtest_init,
};

CONSTRUCTOR static void qtest_register(void)
{
    accel_register(&qtest_accel);
}
