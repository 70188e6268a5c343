/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The run state and its transitions, start and stop; requests are in requests.c. */
#include "util/osdep.h"
#include "hw/core/requests.h"
#include "hw/core/runstate.h"
#include "qapi/events-run-state.h"
#include "util/main-loop.h"
#include "util/timer.h"

/* The process has one machine, and so one of these. Big lock. */
static struct {
    RunState state;
    bool autostart;
    RunstateListener *listeners;        /* by priority, low ones first */
    void (*pause_all)(void), (*resume_all)(void);
    bool (*prepare)(Error **errp);
    RunstateActions actions;
} run = {
    .state = RUN_STATE_PRELAUNCH, .autostart = true,
    .actions = { .panic = PANIC_ACTION_SHUTDOWN },
};

#define S(name) BIT(RUN_STATE_##name)

/* Where each state may lead to. A reset leads from any stopped state to prelaunch. */
static const uint32_t transitions[RUN_STATE__MAX] = {
    [RUN_STATE_DEBUG] = S(RUNNING) | S(FINISH_MIGRATE) | S(PAUSED) | S(PRELAUNCH) | S(SUSPENDED),
    [RUN_STATE_INMIGRATE] = S(INTERNAL_ERROR) | S(IO_ERROR) | S(PAUSED) | S(RUNNING) |
        S(SHUTDOWN) | S(SUSPENDED) | S(WATCHDOG) | S(GUEST_PANICKED) | S(FINISH_MIGRATE) |
        S(PRELAUNCH) | S(POSTMIGRATE) | S(COLO),
    [RUN_STATE_INTERNAL_ERROR] = S(PAUSED) | S(FINISH_MIGRATE) | S(PRELAUNCH),
    [RUN_STATE_IO_ERROR] = S(RUNNING) | S(FINISH_MIGRATE) | S(PAUSED) | S(PRELAUNCH),
    [RUN_STATE_PAUSED] = S(RUNNING) | S(FINISH_MIGRATE) | S(POSTMIGRATE) | S(PRELAUNCH) |
        S(COLO) | S(RESTORE_VM) | S(SAVE_VM),
    [RUN_STATE_POSTMIGRATE] = S(RUNNING) | S(FINISH_MIGRATE) | S(PRELAUNCH),
    [RUN_STATE_PRELAUNCH] = S(INMIGRATE) | S(RUNNING) | S(FINISH_MIGRATE) | S(PAUSED) |
        S(RESTORE_VM) | S(SAVE_VM) | S(SUSPENDED) | S(POSTMIGRATE),
    [RUN_STATE_FINISH_MIGRATE] = S(RUNNING) | S(PAUSED) | S(POSTMIGRATE) | S(PRELAUNCH) |
        S(COLO) | S(INTERNAL_ERROR) | S(IO_ERROR) | S(SHUTDOWN) | S(SUSPENDED) | S(WATCHDOG) |
        S(GUEST_PANICKED),
    [RUN_STATE_RESTORE_VM] = S(RUNNING) | S(PRELAUNCH) | S(PAUSED) | S(SUSPENDED),
    [RUN_STATE_RUNNING] = S(DEBUG) | S(INTERNAL_ERROR) | S(IO_ERROR) | S(PAUSED) |
        S(FINISH_MIGRATE) | S(RESTORE_VM) | S(SAVE_VM) | S(SHUTDOWN) | S(WATCHDOG) |
        S(GUEST_PANICKED) | S(COLO) | S(SUSPENDED),
    [RUN_STATE_SAVE_VM] = S(RUNNING) | S(PAUSED) | S(PRELAUNCH) | S(SHUTDOWN) | S(SUSPENDED),
    [RUN_STATE_SHUTDOWN] = S(PAUSED) | S(FINISH_MIGRATE) | S(PRELAUNCH),
    [RUN_STATE_SUSPENDED] = S(RUNNING) | S(FINISH_MIGRATE) | S(PRELAUNCH) | S(COLO) | S(PAUSED) |
        S(SAVE_VM) | S(RESTORE_VM) | S(SHUTDOWN),
    [RUN_STATE_WATCHDOG] = S(RUNNING) | S(FINISH_MIGRATE) | S(PRELAUNCH) | S(PAUSED),
    [RUN_STATE_GUEST_PANICKED] = S(RUNNING) | S(FINISH_MIGRATE) | S(PRELAUNCH) | S(PAUSED),
    [RUN_STATE_COLO] = S(RUNNING) | S(PRELAUNCH) | S(SHUTDOWN),
};

RunState runstate_get(void)
{
    return run.state;
}

bool runstate_check(RunState state)
{
    return run.state == state;
}

bool runstate_is_running(void)
{
    return run.state == RUN_STATE_RUNNING;
}

const char *runstate_name(RunState state)
{
    return RunState_name(state);
}

bool runstate_set(RunState next, Error **errp)
{
    if (next != run.state && !(transitions[run.state] & BIT(next))) {
        error_setf(errp, ERR_WRONG_STATE, "the machine can't go from state '%s' to '%s'",
                   runstate_name(run.state), runstate_name(next));
        return false;
    }
    run.state = next;
    return true;
}

RunstateActions *runstate_actions(void)
{
    return &run.actions;
}

void runstate_set_autostart(bool on)
{
    run.autostart = on;
}

bool runstate_autostart(void)
{
    return run.autostart;
}

/* ----------------------------------------------------------- listeners */

void runstate_add_listener(RunstateListener *l)
{
    RunstateListener **p = &run.listeners;

    while (*p && (*p)->priority <= l->priority) {
        p = &(*p)->next;
    }
    l->next = *p;
    *p = l;
}

void runstate_remove_listener(RunstateListener *l)
{
    for (RunstateListener **p = &run.listeners; *p; p = &(*p)->next) {
        if (*p == l) {
            *p = l->next;
            return;
        }
    }
}

static void tell_stopped(RunstateListener *l, RunState state)
{
    if (l) {
        tell_stopped(l->next, state);           /* high priorities first */
        l->changed(l, false, state);
    }
}

/* -------------------------------------------------------- start and stop */

void runstate_set_cpu_hooks(void (*pause_all)(void), void (*resume_all)(void))
{
    run.pause_all = pause_all;
    run.resume_all = resume_all;
}

void runstate_set_start_hook(bool (*prepare)(Error **errp))
{
    run.prepare = prepare;
}

void runstate_pause_cpus(void)
{
    if (run.pause_all) {
        run.pause_all();
    }
}

void runstate_resume_cpus(void)
{
    if (run.resume_all) {
        run.resume_all();
    }
}

bool vm_start(Error **errp)
{
    if (run.state == RUN_STATE_RUNNING) {
        return true;
    }
    if (run.state == RUN_STATE_INTERNAL_ERROR || run.state == RUN_STATE_SHUTDOWN) {
        error_setf(errp, ERR_WRONG_STATE, "Resetting the Virtual Machine is required");
        error_hint(errp, "use system_reset, then cont");
        return false;
    }
    if (run.prepare && !run.prepare(errp)) {
        return false;
    }
    if (!runstate_set(RUN_STATE_RUNNING, errp)) {
        return false;
    }
    clock_enable(true);
    for (RunstateListener *l = run.listeners, *next; l; l = next) {
        next = l->next;
        l->changed(l, true, RUN_STATE_RUNNING);
    }
    qapi_event_send_resume();
    runstate_resume_cpus();
    return true;
}

static bool stop_running(RunState state)
{
    if (run.state != RUN_STATE_RUNNING) {
        return false;
    }
    clock_enable(false);
    runstate_pause_cpus();
    run.state = state;
    tell_stopped(run.listeners, state);
    return true;
}

void vm_stop(RunState state)
{
    if (!in_main_thread()) {
        vm_stop_request(state);
    } else if (stop_running(state)) {
        qapi_event_send_stop();
    }
}

void vm_shutdown(void)
{
    stop_running(RUN_STATE_SHUTDOWN);
}
