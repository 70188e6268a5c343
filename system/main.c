/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "audio/audio.h"
#include <signal.h>
#include "block/block.h"
#include "block/block.h"
#include "chardev/chardev.h"
#include "fsdev/fsdev.h"
#include "hw/misc/ivshmem-broker.h"
#include "hw/core/machine.h"
#include "hw/core/machine-qmp.h"
#include "hw/core/runstate.h"
#include "migration/channel.h"
#include "migration/migration.h"
#include "migration/snapshot.h"
#include "monitor/monitor.h"
#include "net/net.h"
#include "system/build.h"
#include "system/gdbstub.h"
#include "system/qmp-options.h"
#include "ui/sdl/sdl.h"
#include "ui/vc/vc.h"
#include "ui/vnc/vnc.h"
#include "util/main-loop.h"

static void ask_exit(void)
{
    system_shutdown_request(SHUTDOWN_CAUSE_HOST_SIGNAL);
}

/* The last signal that asked for an end, and who sent it (0: the kernel). */
static _Atomic int end_signal, end_sender;

static void on_signal(int sig, siginfo_t *info, UNUSED void *context)
{
    atomic_store(&end_sender, info->si_code == SI_USER || info->si_code == SI_QUEUE ? info->si_pid : 0);
    atomic_store(&end_signal, sig);
    ask_exit();
}

/* Who it was isn't always easy to find out otherwise. */
static void tell_signal(void)
{
    g_autofree char *path = NULL, *name = NULL;
    int sig = atomic_load(&end_signal), pid = atomic_load(&end_sender);

    if (!sig) {
        return;
    }
    path = g_strdup_printf("/proc/%d/comm", pid);
    if (pid && g_file_get_contents(path, &name, NULL, NULL)) {
        g_strchomp(name);
    }
    if (pid) {
        fprintf(stderr, "qemu-system: terminating on signal %d from pid %d (%s)\n", sig, pid,
                name ? name : "which has ended");
    } else {
        fprintf(stderr, "qemu-system: terminating on signal %d\n", sig);
    }
}

static void set_signals(void)
{
    struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void reset_machine(UNUSED void *opaque, UNUSED ShutdownCause cause)
{
    machine_reset(RESET_COLD);
}

static int run(Config *c)
{
    Error *err = NULL;
    int status;

    /* After a wrong option the rest is still looked at, to tell all mistakes at once. */
    if (qlist_size(c->errors) == 0 && !daemonize_begin(c)) {
        config_report(c);
        return 1;
    }
    main_loop_init();
    set_signals();
    monitor_init();
    vc_register();
    mig_set_fd_source(monitor_take_fd);
    monitor_set_gdb_hook(gdbstub_open);
    monitor_set_options_query(command_line_options);
    monitor_set_client_hook("vnc", vnc_add_client);
    machine_set_shown_arch(c->arch);
    runstate_set_reset_hook(reset_machine, NULL);
    runstate_set_start_hook(block_activate_all);
    if (c->incoming) {
        block_open_inactive();
    }
    if (!config_build(c)) {
        config_report(c);
        if (c->ended) {
            block_close_all();
        }
        monitor_cleanup();
        net_cleanup();
        chardev_cleanup();
        return c->ended ? c->status : 1;
    }
    machine_reset(RESET_COLD);
    runstate_set_autostart(!c->stopped);
    if (c->loadvm) {
        const SnapshotWhere everywhere = { 0 };

        if (!snapshot_load(c->loadvm, &everywhere, &err)) {
            error_prepend(&err, "-loadvm %s: ", c->loadvm);
            error_report(err);
            return 1;
        }
    }
    if (c->incoming && !incoming_init(c->incoming, &err)) {
        error_prepend(&err, "-incoming %s: ", c->incoming);
        error_report(err);
        return 1;
    }
    if (!privileges_drop(c)) {
        config_report(c);
        monitor_cleanup();
        net_cleanup();
        chardev_cleanup();
        return 1;
    }
    daemonize_ready(c);
    if (!c->stopped && !c->incoming && !vm_start(&err)) {
        error_report(err);
        return 1;
    }
    status = runstate_main_loop();
    tell_signal();
    outgoing_cleanup();
    incoming_cleanup();
    vm_shutdown();
    block_close_all();
    gdbstub_close();
    sdl_close();
    vnc_close_all();
    monitor_cleanup();
    net_cleanup();
    chardev_cleanup();
    ivshmem_broker_close_all();
    fsdev_close_all();
    audio_close_all();
    return status;
}

int main(int argc, char **argv)
{
    Config c = { 0 };
    int status;

    config_parse(&c, argc, argv);
    status = c.done ? 0 : run(&c);
    config_free(&c);
    return status;
}
