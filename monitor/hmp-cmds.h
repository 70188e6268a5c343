/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions of the human monitor's table that stand in other files of monitor/. */
#ifndef MONITOR_HMP_CMDS_H
#define MONITOR_HMP_CMDS_H

#include "monitor/hmp.h"

/* "a,b=c": the first part is the value of @first; NULL with *errp set. */
QDict *hmp_keyval(const char *text, const char *first, Error **errp);

/* hmp-mem.c */
void hmp_print(Hmp *hmp, const QDict *args);
void hmp_x(Hmp *hmp, const QDict *args);
void hmp_xp(Hmp *hmp, const QDict *args);
void hmp_gva2gpa(Hmp *hmp, const QDict *args);
void hmp_i(Hmp *hmp, const QDict *args);
void hmp_o(Hmp *hmp, const QDict *args);
void hmp_memsave(Hmp *hmp, const QDict *args);
void hmp_pmemsave(Hmp *hmp, const QDict *args);

/* hmp-qom.c */
void hmp_device_add(Hmp *hmp, const QDict *args);
void hmp_device_del(Hmp *hmp, const QDict *args);
void hmp_object_add(Hmp *hmp, const QDict *args);
void hmp_object_del(Hmp *hmp, const QDict *args);
void hmp_qom_list(Hmp *hmp, const QDict *args);
void hmp_qom_get(Hmp *hmp, const QDict *args);
void hmp_qom_set(Hmp *hmp, const QDict *args);
void hmp_info_qtree(Hmp *hmp, const QDict *args);
void hmp_info_qom_tree(Hmp *hmp, const QDict *args);
void hmp_info_qdm(Hmp *hmp, const QDict *args);
void hmp_complete_driver(GPtrArray *candidates, const char *prefix);
void hmp_complete_device(GPtrArray *candidates, const char *prefix);

/* HmpCommand.qmp_args: the query's arguments are those of the line. */
QDict *hmp_same_args(const QDict *args, const char **command);
QDict *hmp_trace_events_args(const QDict *args, const char **command);
QDict *hmp_info_block_args(const QDict *args, const char **command);
QDict *hmp_stats_args(const QDict *args, const char **command);
QDict *hmp_qom_list_args(const QDict *args, const char **command);

/* sync-profile.c */
void hmp_sync_profile(Hmp *hmp, const QDict *args);
void hmp_info_sync_profile(Hmp *hmp, const QDict *args);
QDict *hmp_sync_profile_args(const QDict *args, const char **command);
void hmp_complete_sync_profile(GPtrArray *candidates, const char *prefix);

/* hmp-state.c */
void hmp_info_pic(Hmp *hmp, const QDict *args);
void hmp_info_lapic(Hmp *hmp, const QDict *args);
void hmp_info_mem(Hmp *hmp, const QDict *args);
void hmp_info_tlb(Hmp *hmp, const QDict *args);

/* hmp-device-state.c */
void hmp_info_device_state(Hmp *hmp, const QDict *args);
QDict *hmp_device_state_args(const QDict *args, const char **command);
/* Of @path, NULL for all. False, with the error shown, if there is no such device. */
bool hmp_show_device_state(Hmp *hmp, const char *path, bool all);
void hmp_device_state_snapshot(Hmp *hmp, const QDict *args);
void hmp_info_device_state_snapshots(Hmp *hmp, const QDict *args);
void hmp_device_state_watch(Hmp *hmp, const QDict *args);
void hmp_device_state_unwatch(Hmp *hmp, const QDict *args);
void hmp_info_device_state_watches(Hmp *hmp, const QDict *args);

/* hmp-ui.c */
void hmp_screendump(Hmp *hmp, const QDict *args);
void hmp_sendkey(Hmp *hmp, const QDict *args);
void hmp_complete_key(GPtrArray *candidates, const char *prefix);
void hmp_mouse_move(Hmp *hmp, const QDict *args);
void hmp_mouse_button(Hmp *hmp, const QDict *args);
void hmp_mouse_set(Hmp *hmp, const QDict *args);
void hmp_info_mice(Hmp *hmp, const QDict *args);
void hmp_info_vnc(Hmp *hmp, const QDict *args);
void hmp_set_password(Hmp *hmp, const QDict *args);
void hmp_expire_password(Hmp *hmp, const QDict *args);

/* hmp-backends.c */
void hmp_info_block(Hmp *hmp, const QDict *args);
void hmp_info_blockstats(Hmp *hmp, const QDict *args);
void hmp_info_network(Hmp *hmp, const QDict *args);
void hmp_info_pci(Hmp *hmp, const QDict *args);
void hmp_info_audio(Hmp *hmp, const QDict *args);
void hmp_info_usb(Hmp *hmp, const QDict *args);
void hmp_info_jit(Hmp *hmp, const QDict *args);
void hmp_eject(Hmp *hmp, const QDict *args);
void hmp_block_resize(Hmp *hmp, const QDict *args);
void hmp_snapshot_blkdev(Hmp *hmp, const QDict *args);
void hmp_snapshot_blkdev_internal(Hmp *hmp, const QDict *args);
void hmp_snapshot_delete_blkdev_internal(Hmp *hmp, const QDict *args);
void hmp_block_set_io_throttle(Hmp *hmp, const QDict *args);
void hmp_change(Hmp *hmp, const QDict *args);
void hmp_set_link(Hmp *hmp, const QDict *args);
void hmp_netdev_add(Hmp *hmp, const QDict *args);
void hmp_netdev_del(Hmp *hmp, const QDict *args);
void hmp_hostfwd_add(Hmp *hmp, const QDict *args);
void hmp_hostfwd_remove(Hmp *hmp, const QDict *args);
void hmp_announce_self(Hmp *hmp, const QDict *args);
void hmp_complete_block(GPtrArray *candidates, const char *prefix);
void hmp_complete_netdev(GPtrArray *candidates, const char *prefix);

/* hmp-migration.c */
void hmp_migrate(Hmp *hmp, const QDict *args);
void hmp_migrate_incoming(Hmp *hmp, const QDict *args);
void hmp_migrate_cancel(Hmp *hmp, const QDict *args);
void hmp_migrate_pause(Hmp *hmp, const QDict *args);
void hmp_migrate_start_postcopy(Hmp *hmp, const QDict *args);
void hmp_migrate_continue(Hmp *hmp, const QDict *args);
void hmp_migrate_set_capability(Hmp *hmp, const QDict *args);
void hmp_migrate_set_parameter(Hmp *hmp, const QDict *args);
void hmp_complete_capability(GPtrArray *candidates, const char *prefix);
void hmp_complete_parameter(GPtrArray *candidates, const char *prefix);
void hmp_info_migrate(Hmp *hmp, const QDict *args);
void hmp_info_migrate_capabilities(Hmp *hmp, const QDict *args);
void hmp_info_migrate_parameters(Hmp *hmp, const QDict *args);

/* hmp-snapshot.c */
void hmp_savevm(Hmp *hmp, const QDict *args);
void hmp_loadvm(Hmp *hmp, const QDict *args);
void hmp_delvm(Hmp *hmp, const QDict *args);
void hmp_info_snapshots(Hmp *hmp, const QDict *args);

/* hmp-call.c. Run a QMP command with @args (taken; may be NULL): its result, the caller's, or NULL with the
 * error shown. */
QObject *hmp_qmp(Hmp *hmp, const char *command, QDict *args);
bool hmp_qmp_ok(Hmp *hmp, const char *command, QDict *args);
/* Show the text that it returns. */
void hmp_qmp_text(Hmp *hmp, const char *command);
void hmp_block_job_cancel(Hmp *hmp, const QDict *args);
void hmp_block_job_complete(Hmp *hmp, const QDict *args);
void hmp_block_job_pause(Hmp *hmp, const QDict *args);
void hmp_block_job_resume(Hmp *hmp, const QDict *args);
void hmp_block_job_set_speed(Hmp *hmp, const QDict *args);
void hmp_block_stream(Hmp *hmp, const QDict *args);
void hmp_drive_mirror(Hmp *hmp, const QDict *args);
void hmp_drive_backup(Hmp *hmp, const QDict *args);
void hmp_info_block_jobs(Hmp *hmp, const QDict *args);
void hmp_dump_guest_memory(Hmp *hmp, const QDict *args);
void hmp_info_dump(Hmp *hmp, const QDict *args);
void hmp_trace_event(Hmp *hmp, const QDict *args);
void hmp_info_trace_events(Hmp *hmp, const QDict *args);
void hmp_info_irq(Hmp *hmp, const QDict *args);
void hmp_info_numa(Hmp *hmp, const QDict *args);
void hmp_info_roms(Hmp *hmp, const QDict *args);
void hmp_info_virtio(Hmp *hmp, const QDict *args);
void hmp_info_virtio_status(Hmp *hmp, const QDict *args);
void hmp_info_virtio_queue_status(Hmp *hmp, const QDict *args);
void hmp_info_virtio_vhost_queue_status(Hmp *hmp, const QDict *args);
void hmp_info_virtio_queue_element(Hmp *hmp, const QDict *args);
void hmp_info_vm_generation_id(Hmp *hmp, const QDict *args);
void hmp_info_stats(Hmp *hmp, const QDict *args);
void hmp_info_tpm(Hmp *hmp, const QDict *args);
void hmp_info_yank(Hmp *hmp, const QDict *args);
void hmp_chardev_change(Hmp *hmp, const QDict *args);

/* hmp-disks.c */
void hmp_commit(Hmp *hmp, const QDict *args);
void hmp_drive_del(Hmp *hmp, const QDict *args);
void hmp_qemu_io(Hmp *hmp, const QDict *args);
void hmp_nbd_server_start(Hmp *hmp, const QDict *args);
void hmp_nbd_server_add(Hmp *hmp, const QDict *args);
void hmp_nbd_server_remove(Hmp *hmp, const QDict *args);
void hmp_nbd_server_stop(Hmp *hmp, const QDict *args);

/* hmp-machine.c */
void hmp_boot_set(Hmp *hmp, const QDict *args);
void hmp_mce(Hmp *hmp, const QDict *args);
void hmp_pcie_aer_inject_error(Hmp *hmp, const QDict *args);
void hmp_singlestep(Hmp *hmp, const QDict *args);
void hmp_wavcapture(Hmp *hmp, const QDict *args);
void hmp_stopcapture(Hmp *hmp, const QDict *args);
void hmp_info_capture(Hmp *hmp, const QDict *args);
void hmp_info_usernet(Hmp *hmp, const QDict *args);
void hmp_info_memory_devices(Hmp *hmp, const QDict *args);
void hmp_calc_dirty_rate(Hmp *hmp, const QDict *args);
void hmp_info_dirty_rate(Hmp *hmp, const QDict *args);
void hmp_migrate_recover(Hmp *hmp, const QDict *args);

/* hmp-host.c */
void hmp_gpa2hva(Hmp *hmp, const QDict *args);
void hmp_gpa2hpa(Hmp *hmp, const QDict *args);
void hmp_sum(Hmp *hmp, const QDict *args);
void hmp_gdbserver(Hmp *hmp, const QDict *args);
void hmp_drive_add(Hmp *hmp, const QDict *args);
void hmp_info_history(Hmp *hmp, const QDict *args);

#endif
