#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's drivers of the small devices: a printer at the parallel port, a USB serial adapter, two watchdogs that bark, keyboards, mouse and
# tablet as evdev shows them (PS/2 and virtio), the balloon with the guest's statistics, and pvpanic.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64
cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"

# input EVENT: as input-send-event takes it
input() {
	qmp '{"execute":"input-send-event","arguments":{"events":['"$1"']}}'
}

# until_answer COMMAND PATTERN SECONDS: until its answer has the pattern
until_answer() {
	atries=$3
	until qmp "$1" && answered "$2"; do
		atries=$((atries - 1))
		[ $atries -gt 0 ] && kill -0 "$pid" 2> /dev/null || return 1
		sleep 1
	done
}

name=drivers
mkfifo "$tmp/line.in" "$tmp/line.out"
cat "$tmp/line.out" > "$tmp/line" &
# What comes before the port is open is lost, as with the real adapter.
(
	until grep -q 'hello adapter' "$tmp/line"; do sleep 0.2; done
	echo "hello guest"
	exec sleep 200
) > "$tmp/line.in" &
feeder=$!
with_qmp $name 200 x86_64 -m 512 -no-reboot -kernel "$cache/linux-amd64" -initrd "$tmp/modules.gz" \
	-append 'console=ttyS0 panic=-1 no_timer_check run=drivers mods=none' -parallel "file:$tmp/printed" -device i6300esb -device ib700 \
	-action watchdog=none,panic=shutdown -device pvpanic -device virtio-keyboard-pci,id=vkbd \
	-usb -chardev "pipe,id=line,path=$tmp/line" -device usb-serial,chardev=line -device virtio-tablet-pci -device virtio-balloon-pci,id=balloon
wait_for "$serial" '^drivers ready' 120
ok $? "$name: Linux has loaded its drivers"
kill $feeder
grep -q 'hello adapter' "$tmp/line" && has $name '^drivers adapter <hello guest>'
ok $? "$name: the USB serial adapter, both ways"
grep -q 'hello printer' "$tmp/printed"
ok $? "$name: the printer"
has $name '^drivers parport_pc .*reported by Plug and Play ACPI' && has $name '^drivers parport0: PC-style at 0x378.* irq 7 '
ok $? "$name: whose port ACPI tells of"
has $name '^drivers watchdog i6300esb' && has $name '^drivers watchdog ib700wdt' && ! has $name 'modprobe.*failed'
ok $? "$name: both watchdogs"
[ "$(grep -c '"WATCHDOG"' "$out")" = 2 ]
ok $? "$name: which bark when they aren't fed"

key a
wait_for "$serial" '^event QEMU-Virtio-Keyboard 1 30 1' 20 && wait_for "$serial" '^event QEMU-Virtio-Keyboard 1 30 0' 20
ok $? "$name: a key of the virtio keyboard"
input '{"type":"abs","data":{"axis":"x","value":12345}},{"type":"abs","data":{"axis":"y","value":321}}'
wait_for "$serial" '^event QEMU-Virtio-Tablet 3 0 12345' 20 && wait_for "$serial" '^event QEMU-Virtio-Tablet 3 1 321' 20
ok $? "$name: a place on the virtio tablet"
input '{"type":"rel","data":{"axis":"x","value":11}},{"type":"rel","data":{"axis":"y","value":-7}}'
wait_for "$serial" '^event [^ ]*Mouse 2 0 11' 20 && wait_for "$serial" '^event [^ ]*Mouse 2 1 \(-7\|65529\)' 20
ok $? "$name: a movement of the PS/2 mouse"

until_answer '{"execute":"qom-set","arguments":{"path":"balloon","property":"guest-stats-polling-interval","value":1}}' \
	return 1
until_answer '{"execute":"qom-get","arguments":{"path":"balloon","property":"guest-stats"}}' \
	'"last-update": [1-9]' 30 && answered '"stat-total-memory": [1-9][0-9]\{8\}[,}]'
ok $? "$name: statistics of the guest's memory"
echo "# $answer"
qmp '{"execute":"balloon","arguments":{"value":402653184}}' &&
	until_answer '{"execute":"query-balloon"}' '"actual": 402653184' 60
ok $? "$name: the balloon takes what it is told to"

qmp '{"execute":"device_del","arguments":{"id":"vkbd"}}' && wait_for "$out" DEVICE_DELETED 30
ok $? "$name: the virtio keyboard goes"
key b
wait_for "$serial" '^event AT-[^ ]*-keyboard 1 48 1' 20
ok $? "$name: a key of the PS/2 keyboard"
key ret
wait_for "$serial" '^drivers got <ab>' 20
ok $? "$name: the line typed on both"
wait $pid
exec 3>&-
grep -q GUEST_PANICKED "$out"
ok $? "$name: the crash is told by pvpanic, and ends the machine"
sed 's/^/# /' "$err"
done_testing
