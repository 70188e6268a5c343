#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A folder of the host's memory file system, mounted by 9p, beside the distribution's emulator, in turns: reading and writing in
# order, reading 4 KiB, and making, looking at, listing and removing small files, without and with the guest's cache; and, as root
# (an image with git and gcc is made), cloning a repository and building it inside the share. Higher is better in all rows.
#   bench-9p.sh [-r ROUNDS] [-c CACHE,...] [-m MODEL] [-w] [-R]      -w: only clone and build; -R: all but that
set -eu
. "$(dirname "$0")/lib.sh"
rounds=3 caches="none loose" model=mapped-xattr rates=1 work=1
while getopts r:c:m:wR o; do
	case $o in
	r) rounds=$OPTARG ;;
	c) caches=$(echo "$OPTARG" | tr , ' ') ;;
	m) model=$OPTARG ;;
	w) rates= ;;
	R) work= ;;
	*) exit 2 ;;
	esac
done
build=${BUILD_DIR:-$src/build}
[ -x /usr/bin/qemu-system-x86_64 ] || { echo "the distribution's emulator isn't installed" >&2; exit 1; }
cache=$("$src/scripts/guests.sh" kernel-amd64 initramfs-x86_64)
cat "$cache/initramfs-x86_64.cpio.gz" "$("$src/tests/guests/share/make.sh")" > "$tmp/initrd.gz"
# Extended attributes are needed: not every memory file system has them.
share=$tmp/share

# A repository of 240 files in 12 folders, 24 of them to be compiled.
if [ "$work" ] && [ "$(id -u)" = 0 ] && command -v git > /dev/null; then
	image=$("$src/scripts/disk-image.sh" --name debian-git --size 2048 --with gcc,libc6-dev,make,git)
	repository=$tmp/repository
	mkdir "$repository"
	for d in $(seq 12); do
		mkdir "$repository/d$d"
		for f in $(seq 20); do
			seq "$((d * f))" "$((d * f + 400))" > "$repository/d$d/text$f"
		done
		for f in 1 2; do
			printf '#include <stdio.h>\n#include <stdlib.h>\nint f%d_%d(int n) { printf("%%d", n); return abs(n) + %d; }\n' "$d" $f "$d" \
				> "$repository/d$d/f$f.c"
		done
	done
	printf '%s\n\t%s\n' 'all: $(patsubst %.c,%.o,$(wildcard d*/*.c))' '$(AR) rc all.a $^' > "$repository/Makefile"
	(cd "$repository" && git init -q && git add . && git -c user.name=bench -c user.email=bench@localhost commit -qm all)
	cat > "$tmp/work.sh" <<-'END'
		export HOME=/tmp PATH=/usr/bin:/bin
		# timed NAME COMMAND...: how often a minute
		timed() {
			name=$1 begin=$(cut -d' ' -f1 /proc/uptime)
			shift
			"$@" > /tmp/out 2>&1 || { cat /tmp/out; exit 1; }
			echo "$name $begin $(cut -d' ' -f1 /proc/uptime)" | awk '{ printf "p9bench %s %.2f\n", $1, 60 / ($3 - $2) }'
		}
		git config --global safe.directory '*'
		timed clones/min git clone -q --no-hardlinks /mnt/repository /mnt/clone
		timed status/min git -C /mnt/clone status
		timed builds/min make -C /mnt/clone CFLAGS=-O1
	END
fi

boots() {       # WHO EMULATOR CACHE WHAT OPTION...
	bwho=$1 bemulator=$2 bcache=$3 bwhat=$4
	shift 4
	rm -rf "$share"
	mkdir "$share"
	echo hello > "$share/hello"
	if [ "$bwhat" = work ]; then
		cp -r "$repository" "$tmp/work.sh" "$share/"
	fi
	timeout 600 "$bemulator" -accel tcg -nographic -no-reboot -m 256 -nic none -kernel "$cache/linux-amd64" \
		-initrd "$tmp/initrd.gz" \
		-append "console=ttyS0 mods=none run=p9 arg=$bwhat,version=9p2000.L,cache=$bcache,msize=500000" \
		-virtfs "local,path=$share,mount_tag=share,security_model=$model" "$@" < /dev/null 2>&1 |
		tr -d '\r' | sed -n "s/^p9bench \([^ ]*\) \([0-9.]*\)$/$bcache-\1 \2/p" >> "$tmp/$bwho"
}

run() {         # WHO EMULATOR CACHE
	if [ "$rates" ]; then
		boots "$@" bench
	fi
	if [ "${repository:-}" ]; then
		boots "$@" work -drive file="$image",format=raw,if=virtio,snapshot=on
	fi
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
