#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An ISO of grub-mkrescue boots through SeaBIOS and GRUB from a CD drive, a disk and a USB stick. GRUB is
# seen on the screen, by screendump, and on the serial port. Keys come by QMP's send-key: one
# chooses GRUB's second entry, others type a line at Linux's console.
. "$(dirname "$0")/lib.sh"
guest_items iso
want=$(md5sum < "$cache/linux-amd64")

dump() {
	qmp '{"execute":"screendump","arguments":{"filename":"'"$1"'"}}'
}

# How many different rows of pixels a dump has: one when the screen is blank.
rows() {
	width=$(sed -n -e 's/#.*//' -e '2s/ .*//p;2q' "$1" | tr -d '\0')
	tail -n +4 "$1" | od -An -v -tx1 -w$((width * 3)) | sort -u | wc -l
}

# A dump with text that stands still, in file $1.
dump_text() {
	dtries=$((50 * patience))
	until dump "$tmp/before.ppm" && sleep 0.2 && dump "$1" && cmp -s "$tmp/before.ppm" "$1" &&
		[ "$(head -c 2 "$1")" = P6 ] && [ "$(rows "$1")" -gt 20 ]; do
		dtries=$((dtries - 1))
		[ $dtries -gt 0 ] || return 1
	done
}

# A dump that differs from file $1, in file $2.
dump_changed() {
	dtries=$((100 * patience))
	until dump "$2" && ! cmp -s "$1" "$2"; do
		dtries=$((dtries - 1))
		[ $dtries -gt 0 ] || return 1
		sleep 0.1
	done
}

try() {
	name=$1
	shift
	with_qmp "$name" 100 x86_64 -m 512 -no-reboot "$@"
	wait_for_prompt "$serial" 'Linux on screen and serial port' 30
	ok $? "$name: GRUB's menu on the serial port"
	dump_text "$tmp/menu.ppm"
	ok $? "$name: text on the screen"
	key down && dump_changed "$tmp/menu.ppm" "$tmp/second.ppm"
	ok $? "$name: a key moves GRUB's bar on the screen"
	key ret
	wait_for "$serial" '^keys ready' 60
	ok $? "$name: Linux comes up"
	for k in h e l l o spc 4 2 ret; do
		key $k
	done
	wait_for "$serial" '^GUEST-DONE' 20
	has "$name" '^keys got <hello 42>'
	ok $? "$name: the line typed arrives"
	has "$name" "^medium .* ${want%% *}"
	ok $? "$name: Linux reads the medium"
	wait $pid
	ok $? "$name: the machine switches itself off"
	exec 3>&-
	sed 's/^/# /' "$tmp/$name.err"
}

try cdrom -cdrom "$cache/guest.iso"
cp "$cache/guest.iso" "$tmp/disk.img"
try disk -hda "$tmp/disk.img"
cp "$cache/guest.iso" "$tmp/stick.img"
try stick -device usb-ehci -drive "file=$tmp/stick.img,format=raw,if=none,id=s" \
	-device usb-storage,drive=s,bootindex=0
done_testing
