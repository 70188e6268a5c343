#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks, beside the distribution's emulator, in turns: 4 KiB at random places one and 32 at a time, 1 MiB in
# order, on virtio-blk, IDE and AHCI, raw on tmpfs and on a disk, with and without the host's cache; qcow2 that
# grows; qemu-img convert; a mirror job. Higher is better in all rows.
#   bench-block.sh [-r ROUNDS] [-t SECONDS] [-c CONFIG,...]
# SECONDS for each kind of access, default 2; configurations: see "configs" below.
set -eu
. "$(dirname "$0")/lib.sh"
rounds=3 seconds=2
configs="virtio-tmpfs virtio-disk virtio-direct ide-tmpfs ide-disk
	ahci-tmpfs ahci-disk ahci-direct virtio-qcow2 convert mirror"
while getopts r:t:c: o; do
	case $o in
	r) rounds=$OPTARG ;;
	t) seconds=$OPTARG ;;
	c) configs=$(echo "$OPTARG" | tr , ' ') ;;
	*) exit 2 ;;
	esac
done
build=${BUILD_DIR:-$src/build}
cache=$("$src/scripts/guests.sh" kernel-amd64 initramfs-x86_64 modules-amd64 disktools)
cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" "$cache/disktools.cpio.gz" > "$tmp/initrd.gz"
[ -x /usr/bin/qemu-system-x86_64 ] || { echo "the distribution's emulator isn't installed" >&2; exit 1; }
memory=$(mktemp -d /dev/shm/bench.XXXXXX)
trap 'rm -rf "$tmp" "$memory"' EXIT INT TERM
head -c 268435456 /dev/urandom > "$memory/disk.raw"
cp "$memory/disk.raw" "$tmp/disk.raw"
sync "$tmp/disk.raw"

# emulator WHO PROGRAM: its path
emulator() {
	case $1 in
	ours) [ "$2" = qemu-img ] && echo "$build/qemu-img" || echo "$build/qemu-system-x86_64" ;;
	*) echo "/usr/bin/$2" ;;
	esac
}

# guest WHO CONFIG DEVICE KINDS DRIVE ARG...: rows into $tmp/WHO
guest() {
	gwho=$1 gconfig=$2 gdevice=$3 gkinds=$4 gdrive=$5
	shift 5
	timeout 300 "$(emulator "$gwho" qemu-system-x86_64)" -accel tcg -nographic -no-reboot -m 512 \
		-kernel "$cache/linux-amd64" -initrd "$tmp/initrd.gz" \
		-append "console=ttyS0 run=diskbench arg=$gdevice,$seconds,$gkinds" -drive "$gdrive" "$@" \
		< /dev/null 2>&1 | tr -d '\r' |
		sed -n "s/^diskbench \([a-z0-9]*\) \([0-9.]*\)$/$gconfig-\1 \2/p" >> "$tmp/$gwho"
}

# ahci WHO CONFIG FILE [OPTION]
ahci() {
	guest "$1" "$2" /dev/sda r1,w1,r32,w32,rs,ws "file=$3,format=raw,if=none,id=d${4:+,$4}" \
		-device ahci,id=ahci0 -device ide-hd,bus=ahci0.0,drive=d
}

rate() {        # NAME WHO BYTES BEGIN END
	awk -v n="$1" -v b="$3" -v t=$(($5 - $4)) 'BEGIN { printf "%s-mib/s %.1f\n", n, b / 1048576 / (t / 1000) }' \
		>> "$tmp/$2"
}

convert() {
	img=$(emulator "$1" qemu-img)
	begin=$(milliseconds)
	"$img" convert -O qcow2 "$memory/disk.raw" "$memory/$1.qcow2"
	rate convert-to-qcow2 "$1" 268435456 "$begin" "$(milliseconds)"
	begin=$(milliseconds)
	"$img" convert -O raw "$memory/$1.qcow2" "$memory/$1.raw"
	rate convert-to-raw "$1" 268435456 "$begin" "$(milliseconds)"
	cmp "$memory/disk.raw" "$memory/$1.raw"
	rm -f "$memory/$1.qcow2" "$memory/$1.raw"
}

# From the job's start until it is ready.
mirror() {
	cp "$memory/disk.raw" "$memory/copy.raw"
	mkfifo "$tmp/in"
	"$(emulator "$1" qemu-system-x86_64)" -accel tcg -M none -nodefaults -display none -qmp stdio \
		-blockdev "driver=file,filename=$memory/disk.raw,node-name=a" \
		-blockdev "driver=file,filename=$memory/copy.raw,node-name=b" < "$tmp/in" > "$tmp/out" &
	exec 4> "$tmp/in"
	echo '{"execute":"qmp_capabilities"}' >&4
	while ! grep -q return "$tmp/out"; do sleep 0.05; done
	begin=$(milliseconds)
	echo '{"execute":"blockdev-mirror","arguments":{"job-id":"m","device":"a","target":"b","sync":"full"}}' >&4
	while ! grep -q BLOCK_JOB_READY "$tmp/out"; do sleep 0.01; done
	rate mirror "$1" 268435456 "$begin" "$(milliseconds)"
	echo '{"execute":"block-job-cancel","arguments":{"device":"m"}}' >&4
	while ! grep -q BLOCK_JOB_COMPLETED "$tmp/out"; do sleep 0.05; done
	echo '{"execute":"quit"}' >&4
	exec 4>&-
	wait
	rm -f "$tmp/in" "$memory/copy.raw"
}

run() {         # WHO CONFIG
	case $2 in
	virtio-tmpfs) guest "$1" "$2" /dev/vda r1,w1,r32,w32,rs,ws "file=$memory/disk.raw,format=raw,if=virtio" ;;
	virtio-disk) guest "$1" "$2" /dev/vda r1,w1,r32,w32,rs,ws "file=$tmp/disk.raw,format=raw,if=virtio" ;;
	virtio-direct)
		guest "$1" "$2" /dev/vda r1,w1,r32,w32,rs,ws "file=$tmp/disk.raw,format=raw,if=virtio,cache=none"
		;;
	ide-tmpfs) guest "$1" "$2" /dev/sda r1,w1,r32,w32,rs,ws "file=$memory/disk.raw,format=raw,if=ide" ;;
	ide-disk) guest "$1" "$2" /dev/sda r1,w1,rs,ws "file=$tmp/disk.raw,format=raw,if=ide" ;;
	ahci-tmpfs) ahci "$1" "$2" "$memory/disk.raw" ;;
	ahci-disk) ahci "$1" "$2" "$tmp/disk.raw" ;;
	ahci-direct) ahci "$1" "$2" "$tmp/disk.raw" cache=none ;;
	virtio-qcow2)
		"$build/qemu-img" create -q -f qcow2 "$memory/new.qcow2" 4G
		guest "$1" "$2" /dev/vda w1,w32 "file=$memory/new.qcow2,format=qcow2,if=virtio"
		;;
	convert) convert "$1" ;;
	mirror) mirror "$1" ;;
	*) echo "no configuration '$2'" >&2; exit 2 ;;
	esac
}

: > "$tmp/ours"
: > "$tmp/theirs"
round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	for c in $configs; do
		echo "round $round: $c" >&2
		if [ $((round % 2)) = 1 ]; then run ours "$c"; run theirs "$c"; else run theirs "$c"; run ours "$c"; fi
	done
done
compare "$tmp/ours" "$tmp/theirs"
