/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run state of the whole machine, and the requests that change it.
 *
 * Devices, CPUs and monitors *request* a reset, shutdown, power-down, suspend
 * or wake-up, from any thread; the main loop carries it out with all vCPUs
 * stopped (runstate_process(), called by runstate_main_loop()). The
 * file is in hw/core and not in system/ because devices ask, and a room may
 * only use the rooms below it.
 *
 * All but the *_request functions need the big lock.
 */
#ifndef HW_CORE_RUNSTATE_H
#define HW_CORE_RUNSTATE_H

#include "util/osdep.h"
#include "qapi/types-run-state.h"
#include "qobject/error.h"

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
/* It has saved itself to its disk and asked for S4: SUSPEND_DISK is sent, and the machine is off. Big lock. */
void system_suspend_to_disk(void);

typedef enum { WAKEUP_OTHER, WAKEUP_RTC, WAKEUP_PM_TIMER } WakeupReason;
/* Fails when not suspended or when that reason isn't enabled. */
bool system_wakeup_request(WakeupReason reason, Error **errp);
void system_wakeup_enable(WakeupReason reason, bool enabled);
/* The machine can be suspended and woken (query-current-machine). */
void system_wakeup_set_supported(void);
bool system_wakeup_supported(void);
/* The guest panicked; -action panic= decides what follows. @info may be NULL. Big lock. */
void system_guest_panicked(const GuestPanicInformation *info);
/* The guest tells that it has panicked and runs its crash kernel. Big lock. */
void system_guest_crashloaded(const GuestPanicInformation *info);
/* A watchdog has expired; -watchdog-action decides what follows. Big lock. */
void system_watchdog_expired(void);

/* Stop the VM soon, from a vCPU or I/O thread. */
void vm_stop_request(RunState state);

/* ------------------------------------------------ under the big lock */

RunState runstate_get(void);
bool runstate_is_running(void);
bool runstate_check(RunState state);
const char *runstate_name(RunState state);
/* Move to @next without starting or stopping anything; a transition that can't be is refused. */
bool runstate_set(RunState next, Error **errp);

/* Run or stop all vCPUs and the virtual clock; send RESUME or STOP. */
bool vm_start(Error **errp);
/* From a vCPU's thread this only asks for it. */
void vm_stop(RunState state);
/* At the end of the emulator: stop without telling clients. */
void vm_shutdown(void);
/* Whether `cont` is what starts the machine: -S, or stop before an incoming migration ends. */
void runstate_set_autostart(bool on);
bool runstate_autostart(void);

/* ------------------------------------------------------- who listens */

typedef struct RunstateListener RunstateListener;
struct RunstateListener {
    /* The VM was started or stopped; @state is the new one. */
    void (*changed)(RunstateListener *l, bool running, RunState state);
    /*
     * Order: on start, low priorities first; on stop, high ones first. vCPUs
     * start after all listeners and stop before them.
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

/* -action, set-action, -no-reboot, -no-shutdown, -watchdog-action. */
typedef struct RunstateActions {
    RebootAction reboot;
    ShutdownAction shutdown;
    PanicAction panic;
    WatchdogAction watchdog;
} RunstateActions;
RunstateActions *runstate_actions(void);        /* borrowed, to read and to set */

/*
 * The accelerator's way to stop and to start all vCPUs; both return when it is
 * done. Without hooks there are none.
 */
void runstate_set_cpu_hooks(void (*pause_all)(void), void (*resume_all)(void));
/* What must succeed before the machine runs: its disks become active. */
void runstate_set_start_hook(bool (*prepare)(Error **errp));
/* What the inject-nmi action and command do; default: CPU_INTR_NMI of all CPUs. */
void runstate_set_nmi_hook(bool (*inject)(Error **errp));
bool runstate_inject_nmi(Error **errp);

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
