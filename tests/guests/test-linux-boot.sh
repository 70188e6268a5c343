#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's kernels come up, with one CPU and with two, and switch the machine off.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 kernel-i386 initramfs-x86_64 initramfs-i386

came_up() {
	grep -q 'GUEST-READY' "$tmp/$1.log" && grep -q 'GUEST-DONE rc=0' "$tmp/$1.log"
}

for arch in amd64 i386; do
	for cpus in 1 2; do
		name=linux-$arch-smp$cpus
		linux "$name" $arch 240 'run=boot' -smp $cpus
		status=$?
		came_up "$name" && [ $status = 0 ]
		ok $? "$name"
	done
done
done_testing
