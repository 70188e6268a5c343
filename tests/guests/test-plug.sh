#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A processor and a memory module come while Linux runs, are used, and go with Linux's consent (ACPI).
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64

name=plug
with_qmp $name 240 x86_64 -m 256,slots=4,maxmem=1G -smp 1,maxcpus=4 -no-reboot -kernel "$cache/linux-amd64" \
	-initrd "$cache/initramfs-x86_64.cpio.gz" -append 'console=ttyS0 panic=-1 no_timer_check run=plug'
wait_for "$serial" '^plug waits with 1 cpus' 120
ok $? "$name: Linux runs on one processor"
qmp '{"execute":"device_add","arguments":{"driver":"qemu64-x86_64-cpu","id":"c1","socket-id":1,"core-id":0,"thread-id":0}}'
ok $? "$name: device_add of a processor"
wait_for "$serial" '^plug cpu 2 runs' 60
ok $? "$name: Linux runs programs on it"
qmp '{"execute":"object-add","arguments":{"qom-type":"memory-backend-ram","id":"m1","size":134217728}}' &&
	qmp '{"execute":"device_add","arguments":{"driver":"pc-dimm","id":"d1","memdev":"m1"}}'
ok $? "$name: device_add of a memory module"
wait_for "$serial" '^plug memory +128 MB' 60
ok $? "$name: Linux uses it"
qmp '{"execute":"query-memory-devices"}' && answered '"id": *"d1"'
ok $? "$name: query-memory-devices"
qmp '{"execute":"query-hotpluggable-cpus"}' && answered '/machine/peripheral/c1'
ok $? "$name: query-hotpluggable-cpus"
qmp '{"execute":"device_del","arguments":{"id":"c1"}}'
wait_for "$serial" '^plug cpu gone, 1 left' 60
ok $? "$name: Linux gives the processor back"
qmp '{"execute":"device_del","arguments":{"id":"d1"}}'
wait_for "$serial" '^plug memory gone' 60
ok $? "$name: and the memory"
wait_for "$serial" '^GUEST-DONE rc=0' 30
ok $? "$name: the guest is through"
wait $pid
exec 3>&-
[ "$(grep -c -a DEVICE_DELETED "$out")" = 2 ]
ok $? "$name: DEVICE_DELETED is sent for both"
[ "$(grep -c -a ACPI_DEVICE_OST "$out")" -ge 4 ]
ok $? "$name: ACPI_DEVICE_OST tells what the guest did"
done_testing
