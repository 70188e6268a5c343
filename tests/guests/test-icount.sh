#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Under -icount the same input gives the same run: Linux boots twice, side by side, and all that it
# says is the same, its times of a microsecond too, with one CPU and with two. So is a disk's content.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64
cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"

# run NAME 'KERNEL ARGUMENTS' ARG...
run() {
	rname=$1 rappend=$2
	shift 2
	boot "$rname" x86_64 200 -icount shift=2,sleep=off -seed 1 -rtc clock=vm,base=2026-01-01T00:00:00 \
		-m 256 -nic none -kernel "$cache/linux-amd64" -initrd "$tmp/modules.gz" \
		-append "console=ttyS0 panic=-1 no_timer_check printk.devkmsg=on $rappend" "$@"
}

# twice NAME 'KERNEL ARGUMENTS' ARG...
twice() {
	name=$1 append=$2
	shift 2
	for n in 1 2; do
		truncate -s 16M "$tmp/$name-$n.img"
		run "$name-$n" "$append" -drive "file=$tmp/$name-$n.img,format=raw,if=ide" "$@" &
	done
	wait
	has "$name-1" '^GUEST-DONE rc=0'
	ok $? "$name-1: Linux boots and does its work"
	cmp -s "$tmp/$name-1.log" "$tmp/$name-2.log"
	ok $? "$name: both say the same"
	diff "$tmp/$name-1.log" "$tmp/$name-2.log" | head -6 | tr -dc '\n -~' | sed 's/^/# /'
	cmp -s "$tmp/$name-1.img" "$tmp/$name-2.img"
	ok $? "$name: the disks are the same"
}

twice one 'run=sysinfo'
twice disk 'run=disk arg=/dev/sda' -smp 2
! "$QEMU_BIN-x86_64" -icount shift=11 -display none > "$tmp/wrong.log" 2>&1 && has wrong 'accepted: 0 to 10, auto'
ok $? 'wrong: a shift that is too large is refused'
run auto 'run=symbols' -icount shift=auto,sleep=on
has auto '^GUEST-DONE'
ok $? 'auto: Linux boots'
done_testing
