/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about the run state. */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/runstate.h"
#include "qapi/commands-run-state.h"

StatusInfo *qmp_query_status(Error **errp)
{
    StatusInfo *info = qapi_new(StatusInfo);

    (void)errp;
    info->running = runstate_is_running();
    info->status = runstate_get();
    info->singlestep = cpus_singlestep();
    return info;
}

bool qmp_stop(Error **errp)
{
    (void)errp;
    if (runstate_check(RUN_STATE_INMIGRATE)) {
        runstate_set_autostart(false);
    } else {
        vm_stop(RUN_STATE_PAUSED);
    }
    return true;
}

bool qmp_cont(Error **errp)
{
    if (runstate_check(RUN_STATE_SUSPENDED)) {
        return true;                    /* it runs as far as a sleeper does */
    }
    if (runstate_check(RUN_STATE_INMIGRATE)) {
        runstate_set_autostart(true);
        return true;
    }
    if (runstate_check(RUN_STATE_FINISH_MIGRATE) || runstate_check(RUN_STATE_SAVE_VM) ||
        runstate_check(RUN_STATE_RESTORE_VM)) {
        error_setf(errp, ERR_WRONG_STATE, "Migration is not finalized yet");
        return false;
    }
    return vm_start(errp);
}

bool qmp_system_reset(Error **errp)
{
    (void)errp;
    system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    return true;
}

bool qmp_system_powerdown(Error **errp)
{
    (void)errp;
    system_powerdown_request();
    return true;
}

bool qmp_system_wakeup(Error **errp)
{
    if (!system_wakeup_supported()) {
        error_setf(errp, ERR_NOT_SUPPORTED, "wake-up from suspend is not supported by this guest");
        return false;
    }
    return system_wakeup_request(WAKEUP_OTHER, errp);
}

bool qmp_inject_nmi(Error **errp)
{
    return runstate_inject_nmi(errp);
}

bool qmp_watchdog_set_action(WatchdogAction action, Error **errp)
{
    (void)errp;
    runstate_actions()->watchdog = action;
    return true;
}

bool qmp_set_action(bool has_reboot, RebootAction reboot, bool has_shutdown,
                    ShutdownAction shutdown, bool has_panic, PanicAction panic,
                    bool has_watchdog, WatchdogAction watchdog, Error **errp)
{
    RunstateActions *a = runstate_actions();

    (void)errp;
    a->reboot = has_reboot ? reboot : a->reboot;
    a->panic = has_panic ? panic : a->panic;
    a->watchdog = has_watchdog ? watchdog : a->watchdog;
    a->shutdown = has_shutdown ? shutdown : a->shutdown;
    return true;
}
