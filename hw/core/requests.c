/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests for reset, shutdown, power-down, suspend, wake-up and stop: noted by
 * whoever asks, in any thread, and carried out by the main loop.
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/requests.h"
#include "hw/core/runstate.h"
#include "qapi/events-run-state.h"
#include "util/main-loop.h"

/* What was asked for and not yet done. The causes are ShutdownCause, 0 is none. */
static struct {
    _Atomic int reset, shutdown, exit_code;
    _Atomic bool powerdown, suspend, wakeup;
    _Atomic int wakeup_reason;
    _Atomic int stop;                   /* RunState + 1 */
} asked;

/* Big lock. */
static struct {
    PowerListener *listeners;
    uint32_t wakeup_reasons;            /* enabled ones, a bit each */
    bool wakeup_supported;
    void (*reset)(void *opaque, ShutdownCause cause);
    void *reset_opaque;
    bool (*nmi)(Error **errp);
} power = { .wakeup_reasons = BIT(WAKEUP_OTHER) };

static void kick(void)
{
    event_loop_kick(main_event_loop());
}

static bool caused_by_guest(ShutdownCause cause)
{
    return cause >= SHUTDOWN_CAUSE_GUEST_SHUTDOWN;
}

/* ------------------------------------------------------------ requests */

void system_shutdown_request(ShutdownCause cause)
{
    atomic_store(&asked.shutdown, cause);
    kick();
}

void system_shutdown_request_with_code(ShutdownCause cause, int exit_code)
{
    atomic_store(&asked.exit_code, exit_code);
    system_shutdown_request(cause);
}

void system_reset_request(ShutdownCause cause)
{
    if (runstate_actions()->reboot == REBOOT_ACTION_SHUTDOWN &&
        cause != SHUTDOWN_CAUSE_SUBSYSTEM_RESET) {
        system_shutdown_request(cause);
        return;
    }
    atomic_store(&asked.reset, cause);
    kick();
}

void system_powerdown_request(void)
{
    atomic_store(&asked.powerdown, true);
    kick();
}

void system_suspend_request(void)
{
    atomic_store(&asked.suspend, true);
    kick();
}

void system_suspend_to_disk(void)
{
    qapi_event_send_suspend_disk();
    system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
}

bool system_wakeup_request(WakeupReason reason, Error **errp)
{
    if (!runstate_check(RUN_STATE_SUSPENDED)) {
        error_setf(errp, ERR_WRONG_STATE,
                   "Unable to wake up: guest is not in suspended state");
        return false;
    }
    if (!(power.wakeup_reasons & BIT(reason))) {
        error_setf(errp, ERR_WRONG_STATE, "Unable to wake up: this reason isn't enabled");
        return false;
    }
    atomic_store(&asked.wakeup_reason, reason);
    atomic_store(&asked.wakeup, true);
    kick();
    return true;
}

void system_wakeup_enable(WakeupReason reason, bool enabled)
{
    if (enabled) {
        power.wakeup_reasons |= BIT(reason);
    } else {
        power.wakeup_reasons &= ~BIT(reason);
    }
}

void system_wakeup_set_supported(void)
{
    power.wakeup_supported = true;
}

bool system_wakeup_supported(void)
{
    return power.wakeup_supported;
}

void vm_stop_request(RunState state)
{
    atomic_store(&asked.stop, (int)state + 1);
    kick();
}

void system_guest_panicked(const GuestPanicInformation *info)
{
    PanicAction action = runstate_actions()->panic;

    switch (action) {
    case PANIC_ACTION_NONE:
        qapi_event_send_guest_panicked(GUEST_PANIC_ACTION_RUN, info);
        break;
    case PANIC_ACTION_PAUSE:
        qapi_event_send_guest_panicked(GUEST_PANIC_ACTION_PAUSE, info);
        vm_stop(RUN_STATE_GUEST_PANICKED);
        break;
    default:
        qapi_event_send_guest_panicked(GUEST_PANIC_ACTION_POWEROFF, info);
        vm_stop(RUN_STATE_GUEST_PANICKED);
        system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_PANIC,
                                          action == PANIC_ACTION_EXIT_FAILURE);
        break;
    }
}

void system_guest_crashloaded(const GuestPanicInformation *info)
{
    qapi_event_send_guest_crashloaded(GUEST_PANIC_ACTION_RUN, info);
}

void system_watchdog_expired(void)
{
    WatchdogAction action = runstate_actions()->watchdog;

    qapi_event_send_watchdog(action);
    switch (action) {
    case WATCHDOG_ACTION_RESET:
        system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        break;
    case WATCHDOG_ACTION_SHUTDOWN:
        system_powerdown_request();
        break;
    case WATCHDOG_ACTION_POWEROFF:
        system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        break;
    case WATCHDOG_ACTION_PAUSE:
        vm_stop(RUN_STATE_WATCHDOG);
        break;
    case WATCHDOG_ACTION_INJECT_NMI:
        runstate_inject_nmi(NULL);
        break;
    default:
        break;                          /* debug, none: the event says it */
    }
}

void runstate_set_nmi_hook(bool (*inject)(Error **errp))
{
    power.nmi = inject;
}

bool runstate_inject_nmi(Error **errp)
{
    if (power.nmi) {
        return power.nmi(errp);
    }
    if (!cpu_count()) {
        error_setf(errp, ERR_NOT_SUPPORTED, "machine does not provide NMIs");
        return false;
    }
    CPU_FOREACH(cpu) {
        cpu_raise(cpu, CPU_INTR_NMI);
    }
    return true;
}

/* ----------------------------------------------------------- listeners */

void power_add_listener(PowerListener *l)
{
    l->next = power.listeners;
    power.listeners = l;
}

void power_remove_listener(PowerListener *l)
{
    for (PowerListener **p = &power.listeners; *p; p = &(*p)->next) {
        if (*p == l) {
            *p = l->next;
            return;
        }
    }
}

#define TELL(what, ...) \
    do { \
        for (PowerListener *l = power.listeners, *next; l; l = next) { \
            next = l->next; \
            if (l->what) { \
                l->what(l __VA_OPT__(,) __VA_ARGS__); \
            } \
        } \
    } while (0)

/* ---------------------------------------------------------- carried out */

void runstate_set_reset_hook(void (*reset)(void *opaque, ShutdownCause cause), void *opaque)
{
    power.reset = reset;
    power.reset_opaque = opaque;
}

void system_reset_now(ShutdownCause cause)
{
    if (power.reset) {
        power.reset(power.reset_opaque, cause);
    }
    if (cause != SHUTDOWN_CAUSE_NONE && cause != SHUTDOWN_CAUSE_SUBSYSTEM_RESET &&
        cause != SHUTDOWN_CAUSE_SNAPSHOT_LOAD) {
        qapi_event_send_reset(caused_by_guest(cause), cause);
    }
}

/* True if the emulator ends. */
static bool do_shutdown(ShutdownCause cause)
{
    /* Whoever runs the emulator wants it to end; a guest may be kept. */
    bool by_host = cause > SHUTDOWN_CAUSE_NONE && cause < SHUTDOWN_CAUSE_GUEST_SHUTDOWN &&
                   cause != SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET;

    qapi_event_send_shutdown(caused_by_guest(cause), cause);
    TELL(shutdown, cause);
    if (!by_host && runstate_actions()->shutdown == SHUTDOWN_ACTION_PAUSE) {
        vm_stop(RUN_STATE_SHUTDOWN);
        return false;
    }
    return true;
}

static void do_reset(ShutdownCause cause)
{
    runstate_pause_cpus();
    system_reset_now(cause);
    if (!runstate_is_running() && !runstate_check(RUN_STATE_INMIGRATE) &&
        !runstate_check(RUN_STATE_FINISH_MIGRATE)) {
        runstate_set(RUN_STATE_PRELAUNCH, NULL);
    }
    if (runstate_is_running()) {
        runstate_resume_cpus();
    }
}

static void do_suspend(void)
{
    if (!runstate_is_running()) {
        return;
    }
    runstate_pause_cpus();
    TELL(suspend);
    runstate_set(RUN_STATE_SUSPENDED, NULL);
    qapi_event_send_suspend();
}

/* ACPI S3 wake-up: the processors start at their reset vector. */
static void do_wakeup(void)
{
    if (!runstate_check(RUN_STATE_SUSPENDED)) {
        return;
    }
    runstate_pause_cpus();
    system_reset_now(SHUTDOWN_CAUSE_NONE);
    TELL(wakeup, (WakeupReason)atomic_load(&asked.wakeup_reason));
    runstate_set(RUN_STATE_RUNNING, NULL);
    qapi_event_send_wakeup();
    runstate_resume_cpus();
}

bool runstate_process(int *exit_status)
{
    int cause, state;

    if (atomic_exchange(&asked.suspend, false)) {
        do_suspend();
    }
    cause = atomic_exchange(&asked.shutdown, 0);
    if (cause && do_shutdown(cause)) {
        *exit_status = atomic_load(&asked.exit_code);
        return true;
    }
    cause = atomic_exchange(&asked.reset, 0);
    if (cause) {
        do_reset(cause);
    }
    if (atomic_exchange(&asked.wakeup, false)) {
        do_wakeup();
    }
    if (atomic_exchange(&asked.powerdown, false)) {
        qapi_event_send_powerdown();
        TELL(powerdown);
    }
    state = atomic_exchange(&asked.stop, 0);
    if (state) {
        vm_stop(state - 1);
    }
    return false;
}

int runstate_main_loop(void)
{
    int status = 0;

    while (!runstate_process(&status)) {
        main_loop_round();
    }
    return status;
}
