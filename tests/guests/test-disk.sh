#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's ata_piix makes a file system on a raw image, writes, mounts again and compares; a second
# disk, on the second channel, keeps its contents; the data is in the image when the machine is off.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64

truncate -s 64M "$tmp/first.img"
head -c 1000000 "$cache/linux-amd64" > "$tmp/second.img"
truncate -s 16M "$tmp/second.img"
want=$(md5sum < "$tmp/second.img")

linux_modules disk 90 'run=disk arg=131072' -hda "$tmp/first.img" \
	-drive "file=$tmp/second.img,format=raw,if=ide,index=2,readonly=off"
status=$?
[ $status = 0 ] && has disk '^disk /dev/sd. rc=0' && has disk 'GUEST-DONE rc=0'
ok $? 'disk: written, mounted again and compared'
has disk '^GUEST-READY' && ! has disk 'lost interrupt' && ! has disk 'exception Emask'
ok $? 'disk: the driver has no complaint'
# The magic number of ext2, at 56 in the superblock at 1024.
[ "$(od -An -tx2 -j1080 -N2 "$tmp/first.img" | tr -d ' ')" = ef53 ]
ok $? 'disk: the image holds the file system'
[ "$(md5sum < "$tmp/second.img")" = "$want" ]
ok $? 'disk: the other disk is as it was'

# What one machine wrote the next one reads, also without DMA.
linux_modules disk-again 90 'run=reread arg=131072,32768 libata.dma=0' -hda "$tmp/first.img" \
	-drive "file=$tmp/second.img,format=raw,if=ide,index=2"
[ $? = 0 ] && has disk-again "^second ${want%% *}" &&
	[ "$(tr -d '\r' < "$tmp/disk-again.log" | sed -n 's/^first //p')" = \
		"$(tr -d '\r' < "$tmp/disk.log" | sed -n 's/^disk-md5 //p')" ]
ok $? 'disk-again: the next machine reads the same by PIO'

# The same on qcow2: a new image, and one on top of the other disk, which stays as it was.
img=$BUILD_DIR/qemu-img
"$img" create -q -f qcow2 "$tmp/first.qcow2" 64M &&
	"$img" create -q -f qcow2 -b second.img -F raw "$tmp/second.qcow2"
linux_modules disk-qcow2 120 'run=disk arg=131072' \
	-drive "file=$tmp/first.qcow2,format=qcow2,if=ide,index=0,discard=unmap" \
	-drive "file=$tmp/second.qcow2,if=ide,index=2,cache=none"
status=$?
[ $status = 0 ] && has disk-qcow2 '^disk /dev/sd. rc=0' && has disk-qcow2 'GUEST-DONE rc=0'
ok $? 'disk-qcow2: written, mounted again and compared'
"$img" check -q "$tmp/first.qcow2" && "$img" check -q "$tmp/second.qcow2"
ok $? 'disk-qcow2: the images are sound'
"$img" convert -O raw "$tmp/first.qcow2" "$tmp/copy.img" &&
	[ "$(od -An -tx2 -j1080 -N2 "$tmp/copy.img" | tr -d ' ')" = ef53 ] &&
	[ "$(md5sum < "$tmp/second.img")" = "$want" ]
ok $? 'disk-qcow2: one holds the file system, the other one'"'"'s base is as it was'
done_testing
