#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ivshmem beside the distribution's emulator, in turns, at the same server: doorbell round trips between two guests and
# between a guest and the host, and messages through a ring from one guest to the other. The guests have no system, only
# tests/bench/ivshmem-guest.c. Higher is better in all rows.
#   bench-ivshmem.sh [-r ROUNDS] [-t SECONDS]
set -eu
. "$(dirname "$0")/lib.sh"
rounds=3 seconds=2
while getopts r:t: o; do
	case $o in
	r) rounds=$OPTARG ;;
	t) seconds=$OPTARG ;;
	*) exit 2 ;;
	esac
done
build=${BUILD_DIR:-$src/build}
[ -x /usr/bin/qemu-system-x86_64 ] || { echo "the distribution's emulator isn't installed" >&2; exit 1; }
cc -m32 -O2 -ffreestanding -fno-pic -nostdlib -static -no-pie -fno-stack-protector -fno-asynchronous-unwind-tables \
	-mgeneral-regs-only -Wl,-Ttext=0x100000,-N,--build-id=none,--no-warnings \
	"$src/tests/bench/ivshmem-guest.c" -o "$tmp/guest.elf" 2> "$tmp/cc.log" || { cat "$tmp/cc.log" >&2; exit 1; }

# wait_for PATTERN FILE: while the host's part runs
wait_for() {
	while ! grep -q "$1" "$2" && kill -0 "$host" 2> /dev/null; do sleep 0.05; done
}

guest() {       # EMULATOR
	exec "$1" -M pc -accel tcg -m 32 -nodefaults -display none -serial null -monitor null -kernel "$tmp/guest.elf" \
		-chardev socket,id=c,path="$tmp/s" -device ivshmem-doorbell,chardev=c,vectors=1 < /dev/null 2>&1
}

run() {         # WHO EMULATOR
	rm -f "$tmp/s" "$tmp/rows"
	: > "$tmp/rows"
	"$build/ivshmem-server" -F -a -S "$tmp/s" -l 1M -v > "$tmp/server" 2>&1 &
	server=$!
	while [ ! -S "$tmp/s" ]; do sleep 0.05; done
	"$build/tests/bench/bench-ivshmem" "$tmp/s" "$seconds" > "$tmp/rows" &
	host=$!
	wait_for host-ready "$tmp/rows"
	guest "$2" > "$tmp/one" &
	one=$!
	wait_for 'client 1 has come' "$tmp/server"
	guest "$2" > "$tmp/two" &
	two=$!
	wait $host || cat "$tmp/one" "$tmp/two" >&2
	kill $one $two $server
	wait $one $two $server 2> /dev/null || true
	grep / "$tmp/rows" >> "$tmp/$1"
}

: > "$tmp/ours"
: > "$tmp/theirs"
round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	echo "round $round" >&2
	if [ $((round % 2)) = 1 ]; then
		run ours "$build/qemu-system-x86_64"
		run theirs /usr/bin/qemu-system-x86_64
	else
		run theirs /usr/bin/qemu-system-x86_64
		run ours "$build/qemu-system-x86_64"
	fi
done
compare "$tmp/ours" "$tmp/theirs"
