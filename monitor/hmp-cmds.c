/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands that change something. */
#include "util/osdep.h"
#include "chardev/chardev.h"
#include "hw/core/cpu.h"
#include "monitor/hmp-cmds.h"
#include "monitor/hmp.h"
#include "qapi/commands-char.h"
#include "qapi/commands-balloon.h"
#include "qapi/commands-control.h"
#include "qapi/commands-misc.h"
#include "qapi/commands-run-state.h"
#include "util/log.h"

static void hmp_info(Hmp *hmp, const QDict *args)
{
    (void)args;
    for (const HmpCommand *c = hmp_info_commands; c->name; c++) {
        hmp_printf(hmp, "info %s %s -- %s\n", c->name, c->params ? c->params : "", c->help);
    }
}

#define SIMPLE(name, call) \
    static void hmp_##name(Hmp *hmp, const QDict *args) \
    { \
        Error *err = NULL; \
        (void)args; \
        call(&err); \
        hmp_error(hmp, err); \
    }
SIMPLE(quit, qmp_quit)
SIMPLE(stop, qmp_stop)
SIMPLE(cont, qmp_cont)
SIMPLE(system_reset, qmp_system_reset)
SIMPLE(system_powerdown, qmp_system_powerdown)
SIMPLE(system_wakeup, qmp_system_wakeup)
SIMPLE(nmi, qmp_inject_nmi)

static void hmp_watchdog_action(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    int action = qapi_enum_parse(&qapi_type_WatchdogAction, qdict_str_or(args, "action", ""),
                                 "action", &err);

    if (action >= 0) {
        qmp_watchdog_set_action(action, &err);
    }
    hmp_error(hmp, err);
}

static void hmp_balloon(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    int64_t megabytes = 0, bytes;

    qdict_get_int(args, "value", &megabytes, NULL);
    if (__builtin_mul_overflow(megabytes, (int64_t)MIB, &bytes)) {
        bytes = megabytes < 0 ? INT64_MIN : INT64_MAX;
    }
    qmp_balloon(bytes, &err);
    hmp_error(hmp, err);
}

static void complete_watchdog_action(GPtrArray *candidates, const char *prefix)
{
    for (int i = 0; i < WATCHDOG_ACTION__MAX; i++) {
        hmp_candidate(candidates, prefix, WatchdogAction_name(i));
    }
}

/* ------------------------------------------------------------- devices */

static void hmp_chardev_add(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    QDict *opts = hmp_keyval(qdict_str_or(args, "args", ""), "backend", &err);

    if (opts) {
        chardev_new_from_opts(opts, &err);
        qobject_unref(opts);
    }
    hmp_error(hmp, err);
}

static void hmp_chardev_remove(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_chardev_remove(qdict_str_or(args, "id", ""), &err);
    hmp_error(hmp, err);
}

static void hmp_chardev_send_break(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_chardev_send_break(qdict_str_or(args, "id", ""), &err);
    hmp_error(hmp, err);
}

static void complete_chardev(GPtrArray *candidates, const char *prefix)
{
    ChardevInfoList *list = qmp_query_chardev(NULL);

    for (size_t i = 0; i < list->n; i++) {
        hmp_candidate(candidates, prefix, list->items[i]->label);
    }
    qapi_free_ChardevInfoList(list);
}

static void hmp_ringbuf_write(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_ringbuf_write(qdict_str_or(args, "device", ""), qdict_str_or(args, "data", ""), false, 0,
                      &err);
    hmp_error(hmp, err);
}

static void hmp_ringbuf_read(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    char *data = qmp_ringbuf_read(qdict_str_or(args, "device", ""), qdict_int_or(args, "size", 0),
                                  false, 0, &err);

    if (hmp_error(hmp, err)) {
        return;
    }
    for (const char *p = data; *p; p++) {
        if (((uint8_t)*p < ' ' && *p != '\n' && *p != '\t') || *p == 127) {
            hmp_printf(hmp, "\\u%04X", (uint8_t)*p);
        } else {
            hmp_printf(hmp, *p == '\\' ? "\\\\" : "%c", *p);
        }
    }
    hmp_printf(hmp, "\n");
    free(data);
}

/* ----------------------------------------------------------------- log */

static void log_help(Hmp *hmp)
{
    hmp_printf(hmp, "Log items (comma separated):\n");
    for (const LogItem *item = log_items; item->name; item++) {
        hmp_printf(hmp, "%-15s %s\n", item->name, item->help);
    }
    hmp_printf(hmp, "%-15s %s\n", "none", "remove all logs");
}

static void hmp_log(Hmp *hmp, const QDict *args)
{
    char *bad = NULL;

    if (!log_set_items(qdict_str_or(args, "items", "none"), &bad)) {
        hmp_printf(hmp, "Error: no log item '%s'\n", bad);
        free(bad);
        log_help(hmp);
    }
}

static void complete_log(GPtrArray *candidates, const char *prefix)
{
    for (const LogItem *item = log_items; item->name; item++) {
        hmp_candidate(candidates, prefix, item->name);
    }
    hmp_candidate(candidates, prefix, "none");
}

static void hmp_logfile(Hmp *hmp, const QDict *args)
{
    const char *path = qdict_str_or(args, "filename", "");
    int rc = log_set_file(path);

    if (rc < 0) {
        hmp_printf(hmp, "Error: can't open log file '%s': %s\n", path, strerror(-rc));
    }
}

static void hmp_cpu_select(Hmp *hmp, const QDict *args)
{
    int64_t index = qdict_int_or(args, "index", 0);

    if (index < 0 || !cpu_by_index((int)index)) {
        hmp_printf(hmp, "Error: invalid CPU index %" PRId64 "\n", index);
        return;
    }
    hmp->cpu_index = (int)index;
}

static void hmp_exit_preconfig(Hmp *hmp, UNUSED const QDict *args)
{
    Error *err = NULL;

    qmp_x_exit_preconfig(&err);
    hmp_error(hmp, err);
}

static void hmp_set_name_fd(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_getfd(qdict_str_or(args, "fdname", ""), &err);
    hmp_error(hmp, err);
}

static void hmp_closefd(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_closefd(qdict_str_or(args, "fdname", ""), &err);
    hmp_error(hmp, err);
}

const HmpCommand hmp_commands[] = {
    { .name = "help|?", .early = true, .args = "name:S?", .params = "[cmd]", .run = hmp_help,
      .help = "show the help", .group = "general" },
    { .name = "info", .args = "item:S?", .params = "[subcommand]", .run = hmp_info,
      .help = "show various information about the system state", .sub = hmp_info_commands },
    { .name = "quit|q", .early = true, .run = hmp_quit, .help = "quit the emulator" },
    { .name = "exit_preconfig", .early = true, .run = hmp_exit_preconfig,
      .help = "make the machine, under -preconfig" },
    { .name = "cpu", .args = "index:i", .params = "index", .run = hmp_cpu_select,
      .help = "set the default CPU" },

    { .name = "stop|s", .run = hmp_stop, .help = "stop emulation", .group = "run" },
    { .name = "cont|c", .run = hmp_cont, .help = "resume emulation" },
    { .name = "system_reset", .run = hmp_system_reset, .help = "reset the system" },
    { .name = "system_powerdown", .run = hmp_system_powerdown,
      .help = "press the power button" },
    { .name = "system_wakeup", .run = hmp_system_wakeup, .help = "wake the guest from suspend" },
    { .name = "nmi", .run = hmp_nmi, .help = "inject an NMI on all CPUs" },
    { .name = "boot_set", .args = "bootdevice:s", .params = "bootdevice", .run = hmp_boot_set,
      .help = "the order in which the firmware tries devices, as letters" },
    { .name = "mce", .args = "broadcast:-b cpu_index:i bank:i status:l mcg_status:l addr:l misc:l",
      .params = "[-b] cpu bank status mcgstatus addr misc", .run = hmp_mce,
      .help = "let a CPU's hardware find an error (-b: and the other CPUs)" },
    { .name = "pcie_aer_inject_error", .args = "advisory_non_fatal:-a correctable:-c id:s error_status:s "
      "header0:l? header1:l? header2:l? header3:l? prefix0:l? prefix1:l? prefix2:l? prefix3:l?",
      .params = "[-a] [-c] id error [header (4 words) [prefix (4 words)]]", .run = hmp_pcie_aer_inject_error,
      .complete = hmp_complete_device,
      .help = "let a PCI Express function find an error (-a: advisory, -c: the number is a correctable one's bit)" },
    { .name = "watchdog_action", .args = "action:s", .params = "action",
      .run = hmp_watchdog_action, .complete = complete_watchdog_action,
      .help = "choose what an expired watchdog does" },

    { .name = "balloon", .args = "value:l", .params = "target", .run = hmp_balloon,
      .help = "ask the guest to keep so many megabytes of memory" },

    { .name = "print|p", .args = "fmt:f val:l", .params = "/fmt expr", .run = hmp_print,
      .help = "print the value of an expression; registers are $NAME", .group = "memory" },
    { .name = "x", .args = "fmt:f addr:l", .params = "/fmt addr", .run = hmp_x,
      .help = "dump virtual memory starting at addr" },
    { .name = "xp", .args = "fmt:f addr:l", .params = "/fmt addr", .run = hmp_xp,
      .help = "dump physical memory starting at addr" },
    { .name = "gva2gpa", .args = "addr:l", .params = "addr", .run = hmp_gva2gpa,
      .help = "translate a virtual to a physical address" },
    { .name = "i", .args = "fmt:f addr:i", .params = "/fmt addr", .run = hmp_i,
      .help = "read an I/O port" },
    { .name = "o", .args = "fmt:f addr:i val:i", .params = "/fmt addr value", .run = hmp_o,
      .help = "write an I/O port" },
    { .name = "memsave", .args = "val:l size:i filename:s", .params = "addr size file",
      .run = hmp_memsave, .help = "save virtual memory to a file" },
    { .name = "pmemsave", .args = "val:l size:l filename:s", .params = "addr size file",
      .run = hmp_pmemsave, .help = "save physical memory to a file" },

    { .name = "gpa2hva", .args = "addr:l", .params = "addr", .run = hmp_gpa2hva,
      .help = "show where a physical address is in the emulator's memory" },
    { .name = "gpa2hpa", .args = "addr:l", .params = "addr", .run = hmp_gpa2hpa,
      .help = "show where a physical address is in the host's" },
    { .name = "sum", .args = "start:l size:l", .params = "addr size", .run = hmp_sum,
      .help = "the 16-bit checksum of physical memory" },
    { .name = "dump-guest-memory",
      .args = "paging:-p detach:-d windmp:-w zlib:-z lzo:-l snappy:-s filename:s begin:l? length:l?",
      .params = "[-p] [-d] [-z|-l|-s|-w] filename [begin length]", .run = hmp_dump_guest_memory,
      .help = "dump memory and registers to a file, for debuggers (-p: virtual addresses)" },

    { .name = "device_add", .args = "args:S", .params = "driver[,prop=value][,...]",
      .run = hmp_device_add, .complete = hmp_complete_driver,
      .help = "add a device", .group = "devices" },
    { .name = "device_del", .args = "id:s", .params = "device", .run = hmp_device_del,
      .complete = hmp_complete_device, .help = "remove a device" },
    { .name = "object_add", .early = true,
      .args = "args:S", .params = "[qom-type=]type,id=str[,prop=value]",
      .run = hmp_object_add, .help = "make an object" },
    { .name = "object_del", .early = true, .args = "id:s", .params = "id", .run = hmp_object_del,
      .help = "destroy an object" },
    { .name = "qom-list", .early = true, .args = "path:s?", .params = "path", .run = hmp_qom_list,
      .qmp = "qom-list", .qmp_args = hmp_qom_list_args,
      .help = "list the properties of an object" },
    { .name = "qom-get", .early = true, .args = "path:s property:s", .params = "path property",
      .run = hmp_qom_get, .qmp = "qom-get", .qmp_args = hmp_same_args, .help = "show a property of an object" },
    { .name = "qom-set", .early = true, .args = "json:-j path:s property:s value:S",
      .params = "[-j] path property value", .run = hmp_qom_set,
      .help = "set a property of an object; -j: the value is JSON" },
    { .name = "chardev-add", .args = "args:S", .params = "backend,id=str[,...]",
      .run = hmp_chardev_add, .help = "add a character device" },
    { .name = "chardev-change", .args = "id:s args:S", .params = "id backend[,...]",
      .run = hmp_chardev_change, .complete = complete_chardev,
      .help = "give a character device another back end" },
    { .name = "chardev-remove", .args = "id:s", .params = "id", .run = hmp_chardev_remove,
      .complete = complete_chardev, .help = "remove a character device" },
    { .name = "chardev-send-break", .args = "id:s", .params = "id",
      .run = hmp_chardev_send_break, .complete = complete_chardev,
      .help = "send a serial break" },
    { .name = "ringbuf_write", .args = "device:s data:s", .params = "device data",
      .run = hmp_ringbuf_write, .complete = complete_chardev, .help = "write to a ring buffer" },
    { .name = "ringbuf_read", .args = "device:s size:i", .params = "device size",
      .run = hmp_ringbuf_read, .complete = complete_chardev, .help = "read from a ring buffer" },
    { .name = "getfd", .early = true, .args = "fdname:s", .params = "name", .run = hmp_set_name_fd,
      .help = "keep a file descriptor sent with this command" },
    { .name = "closefd", .early = true, .args = "fdname:s", .params = "name", .run = hmp_closefd,
      .help = "close such a descriptor" },

    { .name = "eject", .args = "force:-f device:s", .params = "[-f] device", .run = hmp_eject,
      .complete = hmp_complete_block, .help = "eject a removable medium (-f: force it)",
      .group = "media" },
    { .name = "change", .args = "force:-f device:s target:s format:s? mode:s?",
      .params = "[-f] device filename [format [read-only-mode]]", .run = hmp_change,
      .complete = hmp_complete_block, .help = "change a removable medium" },
    { .name = "block_resize", .early = true,
      .args = "device:s size:s", .params = "device size", .run = hmp_block_resize,
      .complete = hmp_complete_block, .help = "resize a block image" },
    { .name = "drive_add", .args = "node:-n pci_addr:s opts:S",
      .params = "[-n] [[domain:]bus:]slot file=...,if=none,id=...", .run = hmp_drive_add,
      .help = "add a drive (if=none); the address is for show (-n: with node-name and driver)" },
    { .name = "block_stream", .early = true,
      .args = "device:s speed:l? base:s?", .params = "device [speed [base]]",
      .run = hmp_block_stream, .complete = hmp_complete_block,
      .help = "copy what images below have into the one on top" },
    { .name = "drive_mirror", .early = true, .args = "reuse:-n full:-f device:s target:s format:s?",
      .params = "[-n] [-f] device target [format]", .run = hmp_drive_mirror,
      .complete = hmp_complete_block, .help = "copy a device, and what is written meanwhile (-f: all of it)" },
    { .name = "drive_backup", .early = true,
      .args = "reuse:-n full:-f compress:-c device:s target:s format:s?",
      .params = "[-n] [-f] [-c] device target [format]", .run = hmp_drive_backup,
      .complete = hmp_complete_block, .help = "copy a device as it is now" },
    { .name = "block_job_cancel", .early = true, .args = "force:-f device:s", .params = "[-f] device",
      .run = hmp_block_job_cancel, .complete = hmp_complete_block, .help = "stop a job" },
    { .name = "block_job_complete", .early = true, .args = "device:s", .params = "device",
      .run = hmp_block_job_complete, .complete = hmp_complete_block, .help = "let a job that is ready come to its end" },
    { .name = "block_job_pause", .early = true,
      .args = "device:s", .params = "device", .run = hmp_block_job_pause,
      .complete = hmp_complete_block, .help = "pause a job" },
    { .name = "block_job_resume", .early = true,
      .args = "device:s", .params = "device", .run = hmp_block_job_resume,
      .complete = hmp_complete_block, .help = "let a job go on" },
    { .name = "block_job_set_speed", .early = true,
      .args = "device:s speed:l", .params = "device bytes-per-second",
      .run = hmp_block_job_set_speed, .complete = hmp_complete_block, .help = "set a job's speed, 0: no limit" },
    { .name = "snapshot_blkdev", .early = true, .args = "reuse:-n device:s file:s? format:s?",
      .params = "[-n] device [new-image-file] [format]", .run = hmp_snapshot_blkdev,
      .complete = hmp_complete_block, .help = "put a new image on top of a device's (-n: it exists)" },
    { .name = "snapshot_blkdev_internal", .early = true, .args = "device:s name:s", .params = "device name",
      .run = hmp_snapshot_blkdev_internal, .complete = hmp_complete_block,
      .help = "make a snapshot inside of a device's image" },
    { .name = "snapshot_delete_blkdev_internal", .early = true, .args = "device:s name:s id:s?",
      .params = "device name [id]", .run = hmp_snapshot_delete_blkdev_internal,
      .complete = hmp_complete_block, .help = "delete a snapshot inside of a device's image" },
    { .name = "block_set_io_throttle", .early = true,
      .args = "device:s bps:s bps_rd:s bps_wr:s iops:s iops_rd:s iops_wr:s",
      .params = "device bps bps_rd bps_wr iops iops_rd iops_wr", .run = hmp_block_set_io_throttle,
      .complete = hmp_complete_block, .help = "set limits of a block device" },
    { .name = "commit", .args = "device:s", .params = "device|all", .run = hmp_commit,
      .complete = hmp_complete_block, .help = "put what an image holds into the one below" },
    { .name = "drive_del", .args = "id:s", .params = "device", .run = hmp_drive_del,
      .complete = hmp_complete_block, .help = "take a drive away, even from a device that has it" },
    { .name = "qemu-io", .args = "qdev:-d device:s command:s", .params = "[-d] device \"command\"",
      .run = hmp_qemu_io, .complete = hmp_complete_block,
      .help = "a request by hand (\"help\" as the command lists them; -d: by the guest's device)" },
    { .name = "nbd_server_start", .early = true, .args = "all:-a writable:-w uri:s",
      .params = "[-a] [-w] host:port", .run = hmp_nbd_server_start,
      .help = "serve block devices on a host and port (-a: all that there are; -w: to be written)" },
    { .name = "nbd_server_add", .early = true, .args = "writable:-w device:s name:s?",
      .params = "[-w] device [name]", .run = hmp_nbd_server_add, .complete = hmp_complete_block,
      .help = "serve a block device" },
    { .name = "nbd_server_remove", .early = true, .args = "force:-f name:s", .params = "[-f] name",
      .run = hmp_nbd_server_remove, .help = "serve it no more (-f: even to those who use it)" },
    { .name = "nbd_server_stop", .early = true, .run = hmp_nbd_server_stop, .help = "serve nothing any more" },
    { .name = "set_link", .args = "name:s up:b", .params = "name on|off", .run = hmp_set_link,
      .complete = hmp_complete_netdev, .help = "plug a network cable in or out" },
    { .name = "netdev_add", .early = true, .args = "args:S", .params = "type,id=str[,prop=value][,...]",
      .run = hmp_netdev_add, .help = "add a network back end" },
    { .name = "hostfwd_add", .args = "arg1:s arg2:s?",
      .params = "[netdev_id] [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport",
      .run = hmp_hostfwd_add, .help = "lead a port of the host to the guest" },
    { .name = "hostfwd_remove", .args = "arg1:s arg2:s?",
      .params = "[netdev_id] [tcp|udp]:[hostaddr]:hostport", .run = hmp_hostfwd_remove,
      .help = "lead it no more" },
    { .name = "announce_self", .args = "interfaces:s? id:s?", .params = "[interfaces] [id]", .run = hmp_announce_self,
      .help = "tell the network where the guest's devices are (those named, or all; id: of this announcement)" },
    { .name = "netdev_del", .early = true, .args = "id:s", .params = "id", .run = hmp_netdev_del,
      .complete = hmp_complete_netdev, .help = "remove a network back end" },

    { .name = "device_state_snapshot", .args = "delete:-d name:s path:s?", .params = "[-d] name [path]",
      .run = hmp_device_state_snapshot,
      .help = "keep the state of devices for info device-state --diff (-d: forget it)" },
    { .name = "device_state_watch", .args = "path:s field:s id:s? stop:--", .params = "path field [id] [--stop]",
      .run = hmp_device_state_watch, .complete = hmp_complete_device,
      .help = "tell when a field of a device changes (--stop: and stop the machine)" },
    { .name = "device_state_unwatch", .args = "id:s", .params = "id", .run = hmp_device_state_unwatch,
      .help = "end a watch (default id: path.field)" },

    { .name = "savevm", .args = "name:s?", .params = "tag", .run = hmp_savevm,
      .help = "save a snapshot of the machine into its disks' images", .group = "migration" },
    { .name = "loadvm", .args = "name:s", .params = "tag", .run = hmp_loadvm,
      .help = "go back to a snapshot" },
    { .name = "delvm", .args = "name:s", .params = "tag", .run = hmp_delvm,
      .help = "delete a snapshot" },
    { .name = "migrate", .args = "detach:-d blk:-b inc:-i resume:-r uri:s",
      .params = "[-d] [-b] [-i] [-r] uri", .run = hmp_migrate,
      .help = "migrate to another emulator, or into a file" },
    { .name = "migrate_incoming", .args = "uri:s", .params = "uri",
      .run = hmp_migrate_incoming, .help = "where to wait for a guest, after -incoming defer" },
    { .name = "migrate_cancel", .run = hmp_migrate_cancel,
      .help = "cancel the migration that is going on" },
    { .name = "migrate_continue", .args = "state:s", .params = "state",
      .run = hmp_migrate_continue, .help = "go on with a migration that was paused" },
    { .name = "migrate_pause", .run = hmp_migrate_pause,
      .help = "interrupt a post-copy migration" },
    { .name = "migrate_recover", .args = "uri:s", .params = "uri", .run = hmp_migrate_recover,
      .help = "wait elsewhere for an interrupted post-copy migration" },
    { .name = "calc_dirty_rate", .args = "dirty_ring:-r dirty_bitmap:-b second:l sample_pages_per_GB:l?",
      .params = "[-r] [-b] second [sample_pages_per_GB]", .run = hmp_calc_dirty_rate,
      .help = "measure how much memory the guest writes to" },
    { .name = "migrate_start_postcopy", .run = hmp_migrate_start_postcopy,
      .help = "go from pre-copy to post-copy" },
    { .name = "migrate_set_capability", .args = "capability:s state:b",
      .params = "capability on|off", .run = hmp_migrate_set_capability,
      .complete = hmp_complete_capability, .help = "switch a migration capability" },
    { .name = "migrate_set_parameter", .args = "parameter:s value:s",
      .params = "parameter value", .run = hmp_migrate_set_parameter,
      .complete = hmp_complete_parameter, .help = "set a parameter of migrations" },

    { .name = "screendump", .args = "png:-p filename:s format:-fs device:s? head:i?",
      .params = "[-p] filename [-f format] [device [head]]", .run = hmp_screendump,
      .help = "save the screen as PPM (-f png, or -p: PNG)", .group = "screen" },
    { .name = "sendkey", .args = "keys:s hold:i?", .params = "keys [hold_ms]",
      .run = hmp_sendkey, .complete = hmp_complete_key,
      .help = "press keys, such as ctrl-alt-f1" },
    { .name = "set_password", .args = "protocol:s password:s display:-ds connected:s?",
      .params = "protocol password [-d display] [action-if-connected]", .run = hmp_set_password,
      .help = "set the password of a remote display (vnc)" },
    { .name = "expire_password", .args = "protocol:s time:s display:-ds",
      .params = "protocol time [-d display]", .run = hmp_expire_password,
      .help = "when a password ends: now, never, +seconds, seconds since 1970" },
    { .name = "wavcapture", .args = "path:s audiodev:s? freq:i? bits:i? nchannels:i?",
      .params = "path [audiodev [frequency [bits [channels]]]]", .run = hmp_wavcapture,
      .help = "record what is played into a file (44100 Hz, 16 bits, 2 channels)" },
    { .name = "stopcapture", .args = "n:i", .params = "index", .run = hmp_stopcapture,
      .help = "stop recording; info capture shows the indices" },
    { .name = "mouse_move", .args = "dx:i dy:i dz:i?", .params = "dx dy [dz]",
      .run = hmp_mouse_move, .help = "move the pointer" },
    { .name = "mouse_button", .args = "state:i", .params = "state", .run = hmp_mouse_button,
      .help = "set the buttons (1 left, 2 middle, 4 right)" },
    { .name = "mouse_set", .args = "index:i", .params = "index", .run = hmp_mouse_set,
      .help = "choose which pointing device gets the input" },

    { .name = "log", .args = "items:s", .params = "item1[,...]", .run = hmp_log,
      .complete = complete_log, .help = "activate logging of the specified items",
      .group = "debug" },
    { .name = "trace-event", .args = "name:s option:b vcpu:i?", .params = "name on|off [vcpu]", .run = hmp_trace_event,
      .complete = complete_log, .help = "switch items of the log, by name or pattern" },
    { .name = "singlestep", .args = "option:s?", .params = "[on|off]", .run = hmp_singlestep,
      .help = "translate one instruction at a time, or as usual" },
    { .name = "gdbserver", .args = "device:s?", .params = "[device]", .run = hmp_gdbserver,
      .help = "wait for a debugger (default tcp::1234; none: no more)" },
    { .name = "sync-profile", .args = "op:s?", .params = "[on|off|reset]", .run = hmp_sync_profile,
      .complete = hmp_complete_sync_profile, .help = "count where threads wait for locks (alone: is it on?)" },
    { .name = "logfile", .args = "filename:s", .params = "filename", .run = hmp_logfile,
      .help = "output logs to 'filename'" },
    { .name = NULL },
};
