#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux sleeps to RAM (ACPI S3) on both chipsets and is woken through the firmware.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64

for machine in pc q35; do
	with_qmp $machine 240 x86_64 -M $machine -m 256 -smp 2 -no-reboot -net none -kernel "$cache/linux-amd64" \
		-initrd "$cache/initramfs-x86_64.cpio.gz" -append 'console=ttyS0 panic=-1 no_timer_check no_console_suspend run=sleep'
	wait_for "$out" '"SUSPEND"' 150
	ok $? "$machine: the machine sleeps"
	qmp '{"execute":"query-status"}' && tail -n 1 "$out" | grep -q '"status": *"suspended"'
	ok $? "$machine: query-status says so"
	qmp '{"execute":"system_wakeup"}'
	ok $? "$machine: system_wakeup"
	wait_for "$serial" '^GUEST-DONE rc=0' 60
	has $machine '^sleep over, 2 cpus, memory whole'
	ok $? "$machine: Linux goes on where it was"
	! has $machine '^sleep complaint'
	ok $? "$machine: without a complaint"
	wait $pid
	exec 3>&-
	grep -q -a '"WAKEUP"' "$out"
	ok $? "$machine: WAKEUP is sent"
done
done_testing
