#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux sleeps to RAM (ACPI S3) on both chipsets and is woken through the firmware; it sleeps to a disk (S4), virtio's or AHCI's, is switched off, and goes
# on in another emulator.
. "$(dirname "$0")/lib.sh"
echo "# timeout: 900"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64

for machine in pc q35; do
	with_qmp $machine 240 x86_64 -M $machine -m 256 -smp 2 -no-reboot -net none -kernel "$cache/linux-amd64" \
		-initrd "$cache/initramfs-x86_64.cpio.gz" -append 'console=ttyS0 panic=-1 no_timer_check no_console_suspend run=sleep'
	wait_for "$out" '"SUSPEND"' 150
	ok $? "$machine: the machine sleeps"
	qmp '{"execute":"query-status"}' && answered '"status": *"suspended"'
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

cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"
# machine NAME MACHINE DEVICE MODULES ARG...: starts with the disk as it is
machine() {
	name=$1 kind=$2 dev=$3 mods=$4
	shift 4
	with_qmp "$name" 240 x86_64 -M "$kind" -m 256 -smp 2 -no-reboot -net none -kernel "$cache/linux-amd64" \
		-initrd "$tmp/modules.gz" -drive "file=$tmp/disk.img,format=raw,if=none,id=d" "$@" \
		-append "console=ttyS0 panic=-1 no_timer_check no_console_suspend run=hibernate arg=$dev mods=$mods"
}

# hibernates MACHINE DEVICE MODULES ARG...
hibernates() {
	truncate -s 0 "$tmp/disk.img"
	truncate -s 256M "$tmp/disk.img"
	machine "$1-s4" "$@"
	wait_for "$out" '"SUSPEND_DISK"' 200
	ok $? "$1-s4: the machine has saved itself, and is off"
	wait $pid
	exec 3>&-
	has "$1-s4" '^hibernate begins' && ! has "$1-s4" '^hibernate over'
	ok $? "$1-s4: in time"
	machine "$1-goes-on" "$@"
	wait_for "$serial" '^GUEST-DONE rc=0' 200
	has "$1-goes-on" '^hibernate over, 2 cpus, memory whole' && ! has "$1-goes-on" '^hibernate begins'
	ok $? "$1-goes-on: where it was"
	! has "$1-goes-on" '^hibernate complaint'
	ok $? "$1-goes-on: without a complaint"
	wait $pid
	exec 3>&-
}

hibernates pc vda virtio_pci,virtio_blk -device virtio-blk-pci,drive=d
hibernates q35 sda ahci,sd_mod -device ide-hd,drive=d,bus=ide.0
done_testing
