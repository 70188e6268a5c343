/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run state of the whole machine, and the requests that change it.
 *
 * Devices, CPUs and monitors *request* a reset, shutdown, power-down, suspend
 * or wake-up, from any thread; the main loop carries it out with all vCPUs
 * stopped (runstate_process(), called by the main loop's bottom half). The
 * file is in hw/core and not in system/ because devices ask, and a room may
 * only use the rooms below it.
 *
 * All but the *_request functions need the big lock.
 */
#ifndef HW_CORE_RUNSTATE_H
#define HW_CORE_RUNSTATE_H

#include "util/osdep.h"
#include "qobject/error.h"

/* QMP's RunState. */
typedef enum {
    RUN_STATE_DEBUG,            /* stopped by the gdb stub */
    RUN_STATE_INMIGRATE,
    RUN_STATE_INTERNAL_ERROR,
    RUN_STATE_IO_ERROR,
    RUN_STATE_PAUSED,
    RUN_STATE_POSTMIGRATE,
    RUN_STATE_PRELAUNCH,
    RUN_STATE_FINISH_MIGRATE,
    RUN_STATE_RESTORE_VM,
    RUN_STATE_RUNNING,
    RUN_STATE_SAVE_VM,
    RUN_STATE_SHUTDOWN,
    RUN_STATE_SUSPENDED,
    RUN_STATE_WATCHDOG,
    RUN_STATE_GUEST_PANICKED,
    RUN_STATE_COLO,
    RUN_STATE__MAX
} RunState;

/* QMP's ShutdownCause: why a reset or shutdown was asked for. */
typedef enum {
    SHUTDOWN_CAUSE_NONE,
    SHUTDOWN_CAUSE_HOST_ERROR,
    SHUTDOWN_CAUSE_HOST_QMP_QUIT,
    SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET,
    SHUTDOWN_CAUSE_HOST_SIGNAL,
    SHUTDOWN_CAUSE_HOST_UI,
    SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
    SHUTDOWN_CAUSE_GUEST_RESET,
    SHUTDOWN_CAUSE_GUEST_PANIC,
    SHUTDOWN_CAUSE_SUBSYSTEM_RESET,
    SHUTDOWN_CAUSE_SNAPSHOT_LOAD,
    SHUTDOWN_CAUSE__MAX
} ShutdownCause;

/* ------------------------------------------- requests, from any thread */

/* Reset the machine (or shut down, under -no-reboot / -action reboot=shutdown). */
void system_reset_request(ShutdownCause cause);
/* End the emulator (or pause, under -no-shutdown / -action shutdown=pause). */
void system_shutdown_request(ShutdownCause cause);
/* End with this exit status (isa-debug-exit, semihosting). */
void system_shutdown_request_with_code(ShutdownCause cause, int exit_code);
/* Press the power button: runs the power-down notifiers, sends POWERDOWN. */
void system_powerdown_request(void);
/* The guest asked for S3: all vCPUs stop until a wake-up. */
void system_suspend_request(void);

typedef enum { WAKEUP_OTHER, WAKEUP_RTC, WAKEUP_PM_TIMER } WakeupReason;
/* Fails when not suspended or when that reason isn't enabled. */
bool system_wakeup_request(WakeupReason reason, Error **errp);
void system_wakeup_enable(WakeupReason reason, bool enabled);
/* The machine can be suspended and woken (query-current-machine). */
void system_wakeup_set_supported(void);
bool system_wakeup_supported(void);
/* The guest panicked; -action panic= decides what follows. */
void system_guest_panicked(bool pause_only);

/* Stop the VM soon, from a vCPU or I/O thread. */
void vm_stop_request(RunState state);

/* ------------------------------------------------ under the big lock */

RunState runstate_get(void);
bool runstate_is_running(void);
bool runstate_check(RunState state);
const char *runstate_name(RunState state);
/* Move to @new; a transition that can't be is refused. */
bool runstate_set(RunState new, Error **errp);

/* Run or stop all vCPUs and the virtual clock; send RESUME or STOP. */
bool vm_start(Error **errp);
void vm_stop(RunState state);

/* ------------------------------------------------------- who listens */

typedef struct RunstateListener RunstateListener;
struct RunstateListener {
    /* The VM was started or stopped; @state is the new one. */
    void (*changed)(RunstateListener *l, bool running, RunState state);
    /*
     * Order: on start, low priorities first; on stop, high ones first. vCPUs
     * are 100 (start last, stop first), clocks 50, devices 0.
     */
    int priority;
    RunstateListener *next;         /* belongs to runstate.c */
};
void runstate_add_listener(RunstateListener *l);
void runstate_remove_listener(RunstateListener *l);

typedef struct PowerListener PowerListener;
struct PowerListener {
    /* Any may be NULL. */
    void (*powerdown)(PowerListener *l);
    void (*suspend)(PowerListener *l);
    void (*wakeup)(PowerListener *l, WakeupReason reason);
    void (*shutdown)(PowerListener *l, ShutdownCause cause);
    PowerListener *next;
};
void power_add_listener(PowerListener *l);
void power_remove_listener(PowerListener *l);

/* ------------------------------------------------------- for system/ */

/* -action, set-action. */
typedef enum { REBOOT_ACTION_RESET, REBOOT_ACTION_SHUTDOWN } RebootAction;
typedef enum { SHUTDOWN_ACTION_POWEROFF, SHUTDOWN_ACTION_PAUSE } ShutdownAction;
typedef enum {
    PANIC_ACTION_PAUSE, PANIC_ACTION_SHUTDOWN, PANIC_ACTION_EXIT_FAILURE, PANIC_ACTION_NONE,
} PanicAction;
typedef enum {
    WATCHDOG_ACTION_RESET, WATCHDOG_ACTION_SHUTDOWN, WATCHDOG_ACTION_POWEROFF,
    WATCHDOG_ACTION_PAUSE, WATCHDOG_ACTION_DEBUG, WATCHDOG_ACTION_NONE,
    WATCHDOG_ACTION_INJECT_NMI,
} WatchdogAction;

typedef struct RunstateActions {
    RebootAction reboot;
    ShutdownAction shutdown;
    PanicAction panic;
    WatchdogAction watchdog;
} RunstateActions;
RunstateActions *runstate_actions(void);        /* borrowed, to read and to set */

/* What a reset does; machine code sets it (default: nothing). */
void runstate_set_reset_hook(void (*reset)(void *opaque, ShutdownCause cause), void *opaque);
/* Reset at once; all vCPUs must be stopped or not yet started. */
void system_reset_now(ShutdownCause cause);

/*
 * Run the main loop until the end is asked for; returns the exit status.
 * Carries out all requests.
 */
int runstate_main_loop(void);
/* One pass over the pending requests; true when the end was asked for. */
bool runstate_process(int *exit_status);

#endif
