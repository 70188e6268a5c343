#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's uhci_hcd and usbhid: devices behind the board's controller, and behind the hub that comes by
# itself, enumerate; typed keys arrive through a USB keyboard (there is no other), a tablet tells
# absolute places.
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
	cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"
	with_qmp "$name" 100 x86_64 -M pc,i8042=off -m 512 -no-reboot -kernel "$cache/linux-amd64" \
		-initrd "$tmp/modules.gz" -append "console=ttyS0 $append" "$@"
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

try uhci 'run=usb arg=4' -usb -device usb-mouse -device usb-tablet -device usb-kbd
type_and_point
qmp '{"execute":"human-monitor-command","arguments":{"command-line":"info usb"}}' &&
	grep -q 'Device 0.[1-9][0-9]*, Port 2.2, Speed 12 Mb/s, Product QEMU USB Keyboard' "$out"
ok $? 'uhci: info usb'
finish
seen
has uhci '^usb 1-1 0627:0001 12 QEMU USB Mouse' && has uhci '^usb 1-2 0409:55aa 12 QEMU USB Hub' &&
	has uhci '^usb 1-2.1 0627:0001 12 QEMU USB Tablet' &&
	has uhci '^usb 1-2.2 0627:0001 12 QEMU USB Keyboard'
ok $? 'uhci: four devices, two of them behind a hub'
done_testing
