#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SeaBIOS boots from a floppy, whose boot sector reads the last one; Linux's floppy driver reads a whole
# medium and writes to it, of 1.44M and of 720K.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64

as --32 -o "$tmp/boot.o" "$SRC_DIR/tests/guests/src/bootfloppy.S" &&
	ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$tmp/boot.bin" "$tmp/boot.o"
truncate -s 1440K "$tmp/boot.img"
dd if="$tmp/boot.bin" of="$tmp/boot.img" conv=notrunc 2> /dev/null
printf 'read from the last sector\n' | dd of="$tmp/boot.img" bs=512 seek=2879 conv=notrunc 2> /dev/null
boot bios x86_64 40 -drive "if=floppy,format=raw,file=$tmp/boot.img" -boot a \
	-device isa-debug-exit,iobase=0xf4,iosize=0x4
[ $? = 33 ] && has bios 'read from the last sector'
ok $? 'bios: SeaBIOS boots from the floppy and reads its last sector'

# try NAME KIB
try() {
	head -c "$(($2 * 1024))" "$cache/linux-amd64" > "$tmp/$1.img"
	want=$(md5sum < "$tmp/$1.img")
	linux_modules "$1" 90 'run=floppy' -drive "if=floppy,format=raw,file=$tmp/$1.img"
	[ $? = 0 ] && has "$1" "^floppy read ${want%% *}"
	ok $? "$1: Linux reads the medium"
	same=$(tr -d '\r' < "$tmp/$1.log" | sed -n 's/^floppy same //p')
	[ -n "$same" ] && [ "$(dd if="$tmp/$1.img" bs=18k skip=10 count=4 2> /dev/null | md5sum)" = "$same  -" ]
	ok $? "$1: what Linux has written is in the image"
}

try linux-1440 1440
try linux-720 720
done_testing
