#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's virtio drivers: a file system is made, written, mounted again and compared on a disk with packed rings
# and an I/O thread, and on one behind the legacy interface.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64
truncate -s 64M "$tmp/disk.img"
drive="if=none,id=d,file=$tmp/disk.img,format=raw"

# disk NAME ARG...
disk() {
	dname=$1
	shift
	linux_modules "$dname" 120 'run=disk arg=/dev/vda' -drive "$drive" "$@"
	[ $? = 0 ] && has "$dname" '^disk /dev/vda rc=0' && has "$dname" 'GUEST-DONE rc=0'
	ok $? "$dname: written, mounted again and compared"
}

disk packed -smp 2 -object iothread,id=t \
	-device virtio-blk-pci-non-transitional,drive=d,packed=on,iothread=t
disk legacy -device virtio-blk-pci,drive=d,disable-modern=on
done_testing
