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

# Until the guest has taken all places: two that wait become one.
taken() {
	until qmp '{"execute":"query-device-state","arguments":{"path":"tablet"}}' &&
		answered '"name": "n_states", [^}]*"value": 0[,}]'; do
		kill -0 $pid 2> /dev/null || return 1
	done
}

# try NAME 'KERNEL ARGUMENTS' ARG...
try() {
	name=$1 append=$2
	shift 2
	cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"
	with_qmp "$name" 100 x86_64 -M pc,i8042=off -m 512 -no-reboot -kernel "$cache/linux-amd64" \
		-initrd "$tmp/modules.gz" -append "console=ttyS0 panic=-1 no_timer_check $append" "$@"
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
	taken
	abs 20000 30000
	taken
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

disk uhci 5 '-usb -device usb-mouse -device usb-tablet,id=tablet -device usb-kbd
	-device usb-storage,drive=stick,serial=S1'
type_and_point
qmp '{"execute":"human-monitor-command","arguments":{"command-line":"info usb"}}' &&
	answered 'Device 0.[1-9][0-9]*, Port 2.2, Speed 12 Mb/s, Product QEMU USB Keyboard'
ok $? 'uhci: info usb'
finish
seen
has uhci '^usb 1-1 0627:0001 12 QEMU USB Mouse' && has uhci '^usb 1-2 0409:55aa 12 QEMU USB Hub' &&
	has uhci '^usb 1-2.1 0627:0001 12 QEMU USB Tablet' &&
	has uhci '^usb 1-2.2 0627:0001 12 QEMU USB Keyboard'
ok $? 'uhci: devices, some of them behind a hub'
disk_seen

disk ich9 4 '-device ich9-usb-ehci1,id=u,addr=1d.7,multifunction=on
	-device ich9-usb-uhci1,masterbus=u.0,firstport=0,addr=1d.0,multifunction=on
	-device ich9-usb-uhci2,masterbus=u.0,firstport=2,addr=1d.1,multifunction=on
	-device usb-storage,drive=stick,bus=u.0 -device usb-tablet,id=tablet,usb_version=1,bus=u.0
	-device usb-kbd,bus=u.0 -device usb-hub,bus=u.0'
type_and_point
finish
seen
has ich9 '^usb ... 46f4:0001 480 ' && has ich9 '^usb ... 0627:0001 480 QEMU USB Keyboard' &&
	has ich9 '^usb ... 0627:0001 12 QEMU USB Tablet' && has ich9 '^usb ... 0409:55aa 12 '
ok $? 'ich9: fast devices at the EHCI, slow ones at its companions'
disk_seen


disk xhci 4 '-device qemu-xhci,id=x -device usb-storage,drive=stick,bus=x.0 -device usb-tablet,id=tablet,bus=x.0
	-device usb-hub,bus=x.0,port=3 -device usb-kbd,bus=x.0,port=3.2'
type_and_point
finish
seen
has xhci '^usb ... 46f4:0001 5000 ' && has xhci '^usb ....2 0627:0001 12 QEMU USB Keyboard'
ok $? 'xhci: a disk at 5 Gb/s, a keyboard behind a hub'
disk_seen
done_testing
