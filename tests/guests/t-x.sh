#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's drivers on UHCI, on EHCI with companions, and on xHCI: devices behind the controllers, and behind a hub
# that comes by itself, enumerate; typed keys arrive through a USB keyboard (there is no other), a tablet
# tells absolute places, a disk is written and read.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64

abs() {
	qmp '{"execute":"input-send-event","arguments":{"events":[
		{"type":"abs","data":{"axis":"x","value":'"$1"'}},
		{"type":"abs","data":{"axis":"y","value":'"$2"'}}]}}'
}

# try NAME 'KERNEL ARGUMENTS' ARG...
try() {
	name=$1 append=$2
	shift 2
	out=$tmp/$name.qmp serial=$tmp/$name.log answers=0
	cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"
	rm -f "$tmp/in"
	mkfifo "$tmp/in"
	timeout -k 5 100 "$QEMU_BIN-x86_64" -M pc,i8042=off -m 512 -display none -no-reboot -qmp stdio \
		-serial "file:$serial" -kernel "$cache/linux-amd64" -initrd "$tmp/modules.gz" \
		-append "console=ttyS0 $append" "$@" < "$tmp/in" > "$out" 2> "$tmp/$name.err" &
	pid=$!
	exec 3> "$tmp/in"
	qmp '{"execute":"qmp_capabilities"}'
}

finish() {
	wait_for "$serial" '^GUEST-DONE' 30
	ok $? "$name: the guest is through"
	wait $pid
	ok $? "$name: the machine switches itself off"
	exec 3>&-
	! grep -q -a -i -e 'unlink after no-IRQ' -e 'host controller.*died' -e 'cannot reset' "$serial"
	ok $? "$name: the drivers have no complaint"
	sed 's/^/# /' "$tmp/$name.err"
}

type_and_point() {
	wait_for "$serial" '^keys ready' 60
	ok $? "$name: Linux has a USB keyboard and a USB tablet"
	for k in h e l l o spc 4 2; do
		key $k
	done
	abs 1000 2000
	sleep 0.3
	abs 20000 30000
	sleep 0.3
	qmp '{"execute":"input-send-event","arguments":{"events":[
		{"type":"btn","data":{"button":"left","down":true}}]}}'
	key ret
}

seen() {
	has "$name" '^keys got <hello 42>'
	ok $? "$name: the line typed arrives"
	has "$name" '^tablet event 3 0 1000$' && has "$name" '^tablet event 3 1 2000$' &&
		has "$name" '^tablet event 3 0 20000$' && has "$name" '^tablet event 3 1 30000$'
	ok $? "$name: the tablet's places are absolute"
	has "$name" '^tablet event 1 272 1$'
	ok $? "$name: and its button goes down"
}

disk() {
	truncate -s 32M "$tmp/$1.img"
	try "$1" "run=usb arg=$2,65536" -drive "file=$tmp/$1.img,format=raw,if=none,id=stick" $3
}

disk_seen() {
	has "$name" '^disk /dev/sd. rc=0'
	ok $? "$name: the disk is written, mounted again and compared"
	[ "$(od -An -tx2 -j1080 -N2 "$tmp/$name.img" | tr -d ' ')" = ef53 ]
	ok $? "$name: the image holds the file system"
	! grep -q -a -i -e 'I/O error' -e 'reset .*speed' "$serial"
	ok $? "$name: the disk's driver has no complaint"
}

disk xhci 5 '-device qemu-xhci,id=x -device usb-storage,drive=stick,bus=x.0 -device usb-tablet,bus=x.0
	-device usb-hub,bus=x.0,port=3 -device usb-kbd,bus=x.0,port=3.2 -device usb-mouse,bus=x.0,port=3.1'
type_and_point
finish
seen
has xhci '^usb ... 46f4:0001 5000 ' && has xhci '^usb ....2 0627:0001 12 QEMU USB Keyboard'
ok $? 'xhci: a disk at 5 Gb/s, a keyboard behind a hub'
disk_seen
done_testing
