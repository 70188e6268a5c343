#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's virtio drivers: a file system is made, written, mounted again and compared on a disk with packed rings
# and an I/O thread, and on one behind the legacy interface; bytes go both ways through a named port, to a console, and
# come from the entropy device; a disk behind virtio-scsi is read, and one is written, in an I/O thread.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64
truncate -s 64M "$tmp/disk.img"
drive="if=none,id=d,file=$tmp/disk.img,format=raw"

# disk NAME ARG...: on $device
device=/dev/vda
disk() {
	dname=$1
	shift
	linux_modules "$dname" 120 "run=disk arg=$device" -drive "$drive" "$@"
	[ $? = 0 ] && has "$dname" "^disk $device rc=0" && has "$dname" 'GUEST-DONE rc=0'
	ok $? "$dname: written, mounted again and compared"
}

disk packed -smp 2 -object iothread,id=t \
	-device virtio-blk-pci-non-transitional,drive=d,packed=on,iothread=t
disk legacy -device virtio-blk-pci,drive=d,disable-modern=on
device=/dev/sda
disk scsi -smp 2 -object iothread,id=t -device virtio-scsi-pci,iothread=t -device scsi-hd,drive=d

# The port's other side: what is in a pipe's .in comes in, what goes out is in .out.
mkfifo "$tmp/port.in" "$tmp/port.out"
cat "$tmp/port.out" > "$tmp/port" &
reader=$!
(echo "hello guest"; exec sleep 1000) > "$tmp/port.in" &
feeder=$!
linux_modules devices 120 'run=virtio' -drive "$drive" -device virtio-rng-pci \
	-object iothread,id=t -device virtio-scsi-pci,iothread=t -device scsi-hd,drive=d -device virtio-serial-pci,id=s \
	-chardev "file,id=c,path=$tmp/console" -device virtconsole,bus=s.0,chardev=c \
	-chardev "pipe,id=p,path=$tmp/port" -device virtserialport,bus=s.0,chardev=p,name=test.port
status=$?
kill $feeder 2> /dev/null
wait $reader
[ $status = 0 ] && has devices 'GUEST-DONE rc=0' && has devices '^virtio rng 64'
ok $? 'devices: entropy'
grep -q 'hello console' "$tmp/console"
ok $? 'devices: the console'
grep -q 'hello port' "$tmp/port" && has devices '^virtio port <hello guest>'
ok $? 'devices: the port, both ways'
has devices "^virtio disk QEMU *131072 $(md5sum < "$tmp/disk.img" | cut -d' ' -f1)"
ok $? 'devices: the SCSI disk'
done_testing
