/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run states, and the requests that change them. */
#include "util/osdep.h"
#include "hw/core/runstate.h"
#include "qapi/qapi-command.h"
#include "tests/lib/test.h"
#include "util/main-loop.h"
#include "util/timer.h"

/* What happened, a word each. */
static char trace[512];

static void note(const char *word)
{
    size_t len = strlen(trace);

    snprintf(trace + len, sizeof(trace) - len, "%s%s", len ? " " : "", word);
}

static void sink(const QapiEvent *event, const QDict *data)
{
    (void)data;
    note(event->name);
}

static void pause_all(void)
{
    note("pause");
}

static void resume_all(void)
{
    note("resume");
}

static void reset(void *opaque, ShutdownCause cause)
{
    (void)opaque;
    note(cause ? "reset" : "wake-reset");
}

static void changed(RunstateListener *l, bool running, RunState state)
{
    (void)state;
    note(running ? (l->priority ? "run1" : "run0") : (l->priority ? "stop1" : "stop0"));
}

static void begin(void)
{
    main_loop_init();
    trace[0] = '\0';
    qapi_event_set_sink(sink);
    runstate_set_cpu_hooks(pause_all, resume_all);
    runstate_set_reset_hook(reset, NULL);
    *runstate_actions() = (RunstateActions){ .panic = PANIC_ACTION_SHUTDOWN };
}

/* The trace since the last time, after all requests were carried out. */
static const char *carried_out(bool *ended)
{
    static char copy[sizeof(trace)];
    int status = 0;

    *ended = runstate_process(&status);
    memcpy(copy, trace, sizeof(copy));
    trace[0] = '\0';
    return copy;
}

/* A system reset brings every state back to prelaunch, or running. */
static void back_to_prelaunch(void)
{
    bool ended;

    vm_stop(RUN_STATE_PAUSED);
    system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    carried_out(&ended);
}

TEST(runstate, start_and_stop)
{
    RunstateListener a = { .changed = changed, .priority = 0 };
    RunstateListener b = { .changed = changed, .priority = 1 };
    bool ended;

    begin();
    runstate_add_listener(&b);
    runstate_add_listener(&a);
    check_true(t, runstate_check(RUN_STATE_PRELAUNCH), "at first");
    check_true(t, vm_start(NULL) && runstate_is_running(), "start");
    check_str(t, carried_out(&ended), "run0 run1 RESUME resume", "low priorities start first");
    check_true(t, vm_start(NULL), "again");
    check_str(t, carried_out(&ended), "", "has no effect");
    vm_stop(RUN_STATE_PAUSED);
    check_str(t, carried_out(&ended), "pause stop1 stop0 STOP", "and stop last");
    check_true(t, runstate_check(RUN_STATE_PAUSED), "paused");
    vm_stop_request(RUN_STATE_IO_ERROR);
    check_str(t, carried_out(&ended), "", "a stopped machine isn't stopped again");
    runstate_remove_listener(&a);
    runstate_remove_listener(&b);
    back_to_prelaunch();
}

TEST(runstate, transitions_are_checked)
{
    Error *err = NULL;

    begin();
    back_to_prelaunch();
    check_true(t, !runstate_set(RUN_STATE_SHUTDOWN, &err) && error_code(err) == ERR_WRONG_STATE,
               "prelaunch doesn't lead to shutdown");
    error_free(err);
    check_true(t, runstate_check(RUN_STATE_PRELAUNCH), "nothing changed");
}

TEST(runstate, reset_request)
{
    bool ended;

    begin();
    vm_start(NULL);
    trace[0] = '\0';
    system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    check_str(t, carried_out(&ended), "pause reset RESET resume", "once, with the vCPUs stopped");
    check_true(t, !ended && runstate_is_running(), "and on it runs");
    system_reset_request(SHUTDOWN_CAUSE_SUBSYSTEM_RESET);
    check_str(t, carried_out(&ended), "pause reset resume", "without an event");
    runstate_actions()->reboot = REBOOT_ACTION_SHUTDOWN;
    system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    check_str(t, carried_out(&ended), "SHUTDOWN", "-no-reboot");
    check_true(t, ended, "ends");
    runstate_actions()->reboot = REBOOT_ACTION_RESET;
    back_to_prelaunch();
}

TEST(runstate, shutdown_request)
{
    Error *err = NULL;
    bool ended;

    begin();
    vm_start(NULL);
    trace[0] = '\0';
    runstate_actions()->shutdown = SHUTDOWN_ACTION_PAUSE;
    system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    check_str(t, carried_out(&ended), "SHUTDOWN pause STOP", "-no-shutdown");
    check_true(t, !ended && runstate_check(RUN_STATE_SHUTDOWN), "keeps the emulator");
    check_true(t, !vm_start(&err), "which needs a reset before it goes on");
    check_str(t, error_message(err), "Resetting the Virtual Machine is required", "and says so");
    error_free(err);
    system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    check_str(t, carried_out(&ended), "pause reset RESET", "a reset");
    check_true(t, runstate_check(RUN_STATE_PRELAUNCH), "leads to prelaunch");
    system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    carried_out(&ended);
    check_true(t, ended, "whoever runs the emulator can always end it");
}

TEST(runstate, suspend_and_wake)
{
    Error *err = NULL;
    bool ended;

    begin();
    back_to_prelaunch();
    vm_start(NULL);
    trace[0] = '\0';
    check_true(t, !system_wakeup_request(WAKEUP_OTHER, &err), "nobody sleeps");
    error_free(err);
    err = NULL;
    system_suspend_request();
    check_str(t, carried_out(&ended), "pause SUSPEND", "suspend");
    check_true(t, runstate_check(RUN_STATE_SUSPENDED), "asleep");
    check_true(t, !system_wakeup_request(WAKEUP_RTC, &err), "a reason that isn't enabled");
    error_free(err);
    system_wakeup_enable(WAKEUP_RTC, true);
    check_true(t, system_wakeup_request(WAKEUP_RTC, NULL), "and one that is");
    check_str(t, carried_out(&ended), "pause wake-reset WAKEUP resume", "wake");
    check_true(t, runstate_is_running(), "awake");
    system_wakeup_enable(WAKEUP_RTC, false);
    back_to_prelaunch();
}

TEST(runstate, panic_and_watchdog)
{
    bool ended;

    begin();
    vm_start(NULL);
    trace[0] = '\0';
    runstate_actions()->panic = PANIC_ACTION_PAUSE;
    system_guest_panicked(NULL);
    check_str(t, carried_out(&ended), "GUEST_PANICKED pause STOP", "panic=pause");
    check_true(t, runstate_check(RUN_STATE_GUEST_PANICKED), "panicked");
    runstate_actions()->panic = PANIC_ACTION_NONE;
    system_guest_panicked(NULL);
    check_str(t, carried_out(&ended), "GUEST_PANICKED", "panic=none");
    runstate_actions()->watchdog = WATCHDOG_ACTION_RESET;
    system_watchdog_expired();
    check_str(t, carried_out(&ended), "WATCHDOG pause reset RESET", "watchdog=reset");
    runstate_actions()->watchdog = WATCHDOG_ACTION_POWEROFF;
    system_watchdog_expired();
    check_str(t, carried_out(&ended), "WATCHDOG SHUTDOWN", "watchdog=poweroff");
    check_true(t, ended, "ends");
}

static void powerdown(PowerListener *l)
{
    (void)l;
    note("button");
}

TEST(runstate, power_button)
{
    PowerListener l = { .powerdown = powerdown };
    bool ended;

    begin();
    back_to_prelaunch();
    trace[0] = '\0';
    power_add_listener(&l);
    system_powerdown_request();
    check_str(t, carried_out(&ended), "POWERDOWN button", "the event, then who listens");
    power_remove_listener(&l);
    system_powerdown_request();
    check_str(t, carried_out(&ended), "POWERDOWN", "nobody listens");
    qapi_event_set_sink(NULL);
}
