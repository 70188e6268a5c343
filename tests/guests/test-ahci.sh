#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's ahci: a file system on a queueing disk, in an I/O thread; a CD drive; a disk behind a port multiplier.
# Disks that come and go while 32 requests at a time run on another; a bad sector.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64 disktools

truncate -s 64M "$tmp/first.img"
head -c 2097152 "$cache/linux-amd64" > "$tmp/second.img"
sum=$(head -c 1048576 "$tmp/second.img" | md5sum)

linux_modules ahci 100 'run=disk arg=131072 ignore_loglevel mods=ahci,sd_mod,sr_mod' \
	-object iothread,id=io -device ahci,id=ahci0,iothread=io \
	-drive "file=$tmp/first.img,format=raw,if=none,id=a" -device ide-hd,drive=a,bus=ahci0.0 \
	-drive "file=$tmp/second.img,format=raw,if=none,id=b,readonly=on" -device ide-cd,drive=b,bus=ahci0.1 \
	-device sata-pm,id=pm,bus=ahci0.2,ports=3 -device ide-cd,bus=pm.0 \
	-blockdev null-co,node-name=c,size=8M -device ide-hd,drive=c,bus=pm.2
[ $? = 0 ] && has ahci '^disk /dev/sd. rc=0' && has ahci 'GUEST-DONE rc=0'
ok $? 'ahci: written, mounted again and compared'
has ahci 'NCQ (depth 32)' && has ahci 'ata2.00: ATAPI' && has ahci 'ata3.02: ATA'
ok $? 'ahci: disk, CD drive, and disk behind a port multiplier are found'
! has ahci 'exception Emask' && ! has ahci 'qc timeout'
ok $? 'ahci: the driver has no complaint'
[ "$(od -An -tx2 -j1080 -N2 "$tmp/first.img" | tr -d ' ')" = ef53 ]
ok $? 'ahci: the image holds the file system'

cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" "$cache/disktools.cpio.gz" > "$tmp/initrd.gz"
name=plug
with_qmp $name 200 x86_64 -m 512 -no-reboot -kernel "$cache/linux-amd64" -initrd "$tmp/initrd.gz" \
	-append 'console=ttyS0 panic=-1 no_timer_check run=ahci arg=3 mods=ahci,sd_mod' -device ahci,id=ahci0 \
	-drive "file=$tmp/first.img,format=raw,if=none,id=a" -device ide-hd,id=hd,drive=a,bus=ahci0.0
qmp '{"execute":"x-ide-inject-fault","arguments":{"id":"hd","lba":2000,"kind":"unc"}}'
n=0
while [ $n -lt 3 ]; do
	wait_for "$serial" "^ahci waits $n" 90 &&
		qmp '{"execute":"blockdev-add","arguments":{"driver":"file","filename":"'"$tmp/second.img"'","node-name":"n","read-only":true}}' &&
		qmp '{"execute":"device_add","arguments":{"driver":"ide-hd","id":"new","drive":"n","bus":"ahci0.4"}}' &&
		wait_for "$serial" "^ahci came $n 4096 ${sum%% *}" 60 &&
		qmp '{"execute":"device_del","arguments":{"id":"new"}}' &&
		qmp '{"execute":"blockdev-del","arguments":{"node-name":"n"}}'
	ok $? "$name: a disk comes, is read, and goes ($n)"
	n=$((n + 1))
done
wait_for "$serial" '^GUEST-DONE rc=0' 90
set -- $? "$(sed -n 's/^\(ahci interrupts.*\)\r$/\1/p' "$serial")"
ok "$1" "$name: the bad sector is bad, those beside it aren't"
# shellcheck disable=SC2086
set -- $2
[ "${3:-1}" -lt "${5:-0}" ]
ok $? "$name: an interrupt tells of several requests ($*)"
wait $pid
exec 3>&-
done_testing
