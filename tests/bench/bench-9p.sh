#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A folder of the host's memory file system, mounted by 9p, beside the distribution's emulator, in turns: reading and writing in
# order, reading 4 KiB, and making, looking at, listing and removing small files, without and with the guest's cache. Higher is
# better in all rows.
#   bench-9p.sh [-r ROUNDS] [-c CACHE,...] [-m MODEL]
set -eu
. "$(dirname "$0")/lib.sh"
rounds=3 caches="none loose" model=mapped-xattr
while getopts r:c:m: o; do
	case $o in
	r) rounds=$OPTARG ;;
	c) caches=$(echo "$OPTARG" | tr , ' ') ;;
	m) model=$OPTARG ;;
	*) exit 2 ;;
	esac
done
build=${BUILD_DIR:-$src/build}
[ -x /usr/bin/qemu-system-x86_64 ] || { echo "the distribution's emulator isn't installed" >&2; exit 1; }
cache=$("$src/scripts/guests.sh" kernel-amd64 initramfs-x86_64)
cat "$cache/initramfs-x86_64.cpio.gz" "$("$src/tests/guests/share/make.sh")" > "$tmp/initrd.gz"
# Extended attributes are needed: not every memory file system has them.
share=$tmp/share

run() {         # WHO EMULATOR CACHE
	rm -rf "$share"
	mkdir "$share"
	echo hello > "$share/hello"
	timeout 300 "$2" -accel tcg -nographic -no-reboot -m 256 -nic none -kernel "$cache/linux-amd64" \
		-initrd "$tmp/initrd.gz" \
		-append "console=ttyS0 mods=none run=p9 arg=bench,version=9p2000.L,cache=$3,msize=500000" \
		-virtfs "local,path=$share,mount_tag=share,security_model=$model" < /dev/null 2>&1 |
		tr -d '\r' | sed -n "s/^p9bench \([^ ]*\) \([0-9.]*\)$/$3-\1 \2/p" >> "$tmp/$1"
}

: > "$tmp/ours"
: > "$tmp/theirs"
round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	for c in $caches; do
		echo "round $round: cache=$c" >&2
		if [ $((round % 2)) = 1 ]; then
			run ours "$build/qemu-system-x86_64" "$c"
			run theirs /usr/bin/qemu-system-x86_64 "$c"
		else
			run theirs /usr/bin/qemu-system-x86_64 "$c"
			run ours "$build/qemu-system-x86_64" "$c"
		fi
	done
done
compare "$tmp/ours" "$tmp/theirs"
