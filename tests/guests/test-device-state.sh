#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# While Linux's e1000 driver exchanges a file with this host, everything is looked at: the guest doesn't notice, a watch sees the driver switch bus mastering on, and the rings are shown with what is in them.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64 tcp-peer
echo "# timeout: 400"

bytes=2000000
head -c $bytes "$cache/linux-amd64" > "$tmp/data"
sum=$(md5sum < "$tmp/data")
"$cache/tcp-peer" "$tmp/port" "$tmp/data" "$tmp/copy" &
peer=$! pid=$!
wait_for "$tmp/port" . 10
# It answers when the first look has been taken.
kill -STOP $peer
cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"

name=device-state
with_qmp $name 300 x86_64 -m 512 -no-reboot -kernel "$cache/linux-amd64" -initrd "$tmp/modules.gz" \
	-append "console=ttyS0 panic=-1 no_timer_check run=tcp arg=$(cat "$tmp/port")" \
	-netdev user,id=n -device e1000,netdev=n,id=nic,mac=52:54:00:00:00:05
qmp '{"execute":"device-state-watch","arguments":{"id":"w","path":"nic","field":"pci.config.command"}}'
ok $? "$name: a watch"
qmp '{"execute":"device-state-snapshot","arguments":{"name":"start"}}'
ok $? "$name: a snapshot"
wait_for "$serial" '^dhcp e' 200
ok $? "$name: Linux has an address"
looks=0
for path in '"path":"nic"' '"all":false' '"path":"pci.0"' '"path":"nic"' '"all":true' '"path":"nic","all":true'; do
	grep -q -a '^GUEST-DONE' "$serial" && break
	qmp '{"execute":"query-device-state","arguments":{'"$path"'}}' && looks=$((looks + 1))
	[ $looks != 1 ] || { printf '%s\n' "$answer" > "$tmp/look"; kill -CONT $peer; }
done
kill -CONT $peer
[ $looks -gt 0 ]
ok $? "$name: looked at $looks times"
wait $pid
exec 3>&-
has $name "^tcp got $bytes ${sum%% *}" && has $name '^GUEST-DONE rc=0'
ok $? "$name: the file arrives"
wait $peer && cmp "$tmp/data" "$tmp/copy"
ok $? "$name: and comes back"
grep -a DEVICE_STATE_CHANGED "$out" | grep -q '"MASTER"'
ok $? "$name: the driver was seen switching bus mastering on"
grep -q '"rx-ring"' "$tmp/look" && grep -q 'pc.ram+0x' "$tmp/look"
ok $? "$name: rings, and where their buffers are"
done_testing
