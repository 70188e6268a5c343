#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# gbench in a guest under this emulator and under the installed QEMU's TCG, in turns; a table of
# medians and their ratios for each guest and CPU model, then starting up and two CPUs.
#
#   run.sh [-r ROUNDS] [-t SECONDS-PER-KERNEL] [-a ARCH,...] [-c CPU,...] [-p PART,...] [GBENCH-ARGUMENT...]
#
# ARCH: amd64, i386, m68k. CPU: qemu64 (on i386 qemu32 is meant), max; m68k has its own two: as the chip is, and with what
# it left to software done by the emulator (fpsp=host), which the other one always does. PART: guest, login,
# start-up, scaling, json, network, migration. Without options: amd64 and i386, both models, all parts but json, network and migration, 5 rounds.
# Environment: QEMU_BIN, PEER (folder of the other emulators; default: those on the PATH).
set -eu
. "$(dirname "$0")/lib.sh"
ours=${QEMU_BIN:?path of the emulator}
ours=$(dirname "$ours")
rounds=5 seconds=0.3 arches=amd64,i386 cpus=qemu64,max parts=guest,login,start-up,scaling
while getopts r:t:a:c:p: o; do
	case $o in
	r) rounds=$OPTARG ;;
	t) seconds=$OPTARG ;;
	a) arches=$OPTARG ;;
	c) cpus=$OPTARG ;;
	p) parts=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))

find_peer() {
	peer=${PEER:+$PEER/$binary}
	[ -n "$peer" ] || peer=$(command -v "$binary" || true)
	[ -n "$peer" ] || echo "no $binary is installed (packages qemu-system-x86, qemu-system-misc): no comparison" >&2
}

# run NAME EMULATOR CPU KERNEL...: one boot; its rows go to NAME.rows
run() {
	name=$1 emulator=$2 model=$3
	shift 3
	begin=$(milliseconds)
	boot "$tmp/$name.log" "$emulator" tcg "$model" bench -t "$seconds" "$@"
	{
		rows "$tmp/$name.log"
		sed -n 's/^rss-kib \(.*\)/resident-kib \1/p' "$tmp/$name.log.time"
		echo "wall-ms $(($(milliseconds) - begin))"
		echo "boot-to-ready-ms $(until_ready "$emulator" tcg "$model")"
		echo "above-ram-kib $(cat "$tmp/above-ram")"
	} >> "$tmp/$name.rows"
}

in_guest() {
	for a in $(echo "$arches" | tr , ' '); do
		use_guest "$a"
		find_peer
		models=$(echo "$cpus" | tr , ' ')
		[ "$a" != m68k ] || models='m68040 m68040,fpsp=host'
		for c in $models; do
			[ "$a-$c" = i386-qemu64 ] && c=qemu32
			: > "$tmp/ours.rows"
			: > "$tmp/peer.rows"
			i=0
			while [ $i -lt "$rounds" ]; do
				i=$((i + 1))
				echo "$a, $c: round $i of $rounds" >&2
				run ours "$ours/$binary" "$c" "$@"
				[ -z "$peer" ] || run peer "$peer" "${c%,fpsp=host}" "$@"
			done
			echo "== guest $a, -cpu $c"
			compare "$tmp/ours.rows" "$tmp/peer.rows"
			echo
		done
	done
}

# login EMULATOR CPU: milliseconds from exec until an installed Debian says "login:" on its serial port
login() {
	: > "$tmp/serial"
	begin=$(milliseconds)
	timeout 900 "$1" -accel tcg -cpu "$2" -m 512 -display none -serial "file:$tmp/serial" -snapshot \
		-drive "file=$image,format=raw" < /dev/null > /dev/null 2>&1 &
	# Without an end of line: nothing that reads lines sees it.
	until grep -q '^debian login: ' "$tmp/serial"; do
		kill -0 $! 2> /dev/null || break
		sleep 0.1
	done
	echo $(($(milliseconds) - begin))
	kill $! 2> /dev/null || true
	wait $! 2> /dev/null || true
}

logins() {
	use_guest amd64
	find_peer
	image=$("$src/scripts/disk-image.sh" --arch amd64)
	for c in $(echo "$cpus" | tr , ' '); do
		: > "$tmp/ours.rows"
		: > "$tmp/peer.rows"
		i=0
		while [ $i -lt "$rounds" ]; do
			i=$((i + 1))
			echo "login, $c: round $i of $rounds" >&2
			echo "image-to-login-ms $(login "$ours/$binary" "$c")" >> "$tmp/ours.rows"
			[ -z "$peer" ] || echo "image-to-login-ms $(login "$peer" "$c")" >> "$tmp/peer.rows"
		done
		echo "== an installed Debian (amd64), -cpu $c"
		compare "$tmp/ours.rows" "$tmp/peer.rows"
	done
}

# greeting EMULATOR: milliseconds from exec of -M none to the greeting of QMP
greeting() {
	rm -f "$tmp/in" "$tmp/out"
	mkfifo "$tmp/in" "$tmp/out"
	begin=$(milliseconds)
	"$1" -M none -nodefaults -display none -qmp stdio < "$tmp/in" > "$tmp/out" 2> /dev/null &
	exec 8> "$tmp/in"
	read -r line < "$tmp/out"
	end=$(milliseconds)
	exec 8>&-
	kill $!
	wait $! 2> /dev/null || true
	echo $((end - begin))
}

# A BIOS that leaves at once: MOV AL,0; MOV DX,501h; OUT DX,AL; HLT, and the jump there.
flat_bios() {
	head -c 65536 /dev/zero > "$tmp/bios"
	printf '\260\000\272\001\005\356\364' | dd of="$tmp/bios" conv=notrunc 2> /dev/null
	printf '\352\000\000\000\360' | dd of="$tmp/bios" bs=1 seek=65520 conv=notrunc 2> /dev/null
}

# to_exit EMULATOR: milliseconds from exec of -M pc until the BIOS has ended it
to_exit() {
	begin=$(milliseconds)
	"$1" -M pc -accel tcg -nodefaults -display none -bios "$tmp/bios" -device isa-debug-exit \
		< /dev/null > /dev/null 2>&1 || true
	echo $(($(milliseconds) - begin))
}

start_up() {
	use_guest amd64
	find_peer
	flat_bios
	: > "$tmp/ours.rows"
	: > "$tmp/peer.rows"
	i=0
	while [ $i -lt $((rounds * 4)) ]; do
		i=$((i + 1))
		echo "none-to-greeting-ms $(greeting "$ours/$binary")" >> "$tmp/ours.rows"
		echo "pc-to-exit-ms $(to_exit "$ours/$binary")" >> "$tmp/ours.rows"
		[ -n "$peer" ] || continue
		echo "none-to-greeting-ms $(greeting "$peer")" >> "$tmp/peer.rows"
		echo "pc-to-exit-ms $(to_exit "$peer")" >> "$tmp/peer.rows"
	done
	echo "== starting up"
	compare "$tmp/ours.rows" "$tmp/peer.rows"
}

# From lines "scale-one KERNEL RATE" and "scale-two ...": how many times the work two do at a time.
scaling_of() {
	awk '$1 == "scale-one" { one[$2] = $3 } $1 == "scale-two" { two[$2] += $3 }
		END { for (k in one) { if (one[k] > 0) { s += log(two[k] / one[k]); n++ } }
			if (n) { printf "%s %.3f\n", what, exp(s / n) } }' what="$1"
}

scaling() {
	use_guest amd64
	find_peer
	kernels=${*:-sha256 sieve interp matmul_d memcpy4k getpid}
	${CC:-cc} -O2 -o "$tmp/gbench" "$src/tests/bench/gbench.c" -lm 2> /dev/null || return 0
	: > "$tmp/ours.rows"
	: > "$tmp/peer.rows"
	i=0
	while [ $i -lt "$rounds" ]; do
		i=$((i + 1))
		echo "scaling: round $i of $rounds" >&2
		boot "$tmp/two.log" "$ours/$binary" tcg max scale -t "$seconds" $kernels -- -smp 2
		scaling_of two-cpus < "$tmp/two.log" >> "$tmp/ours.rows"
		[ -z "$peer" ] || boot "$tmp/two.log" "$peer" tcg max scale -t "$seconds" $kernels -- -smp 2
		[ -z "$peer" ] || scaling_of two-cpus < "$tmp/two.log" >> "$tmp/peer.rows"
		{
			"$tmp/gbench" -t "$seconds" $kernels | sed -n 's/^gbench/scale-one/p'
			"$tmp/gbench" -t "$seconds" $kernels > "$tmp/second" &
			"$tmp/gbench" -t "$seconds" $kernels | sed -n 's/^gbench/scale-two/p'
			wait
			sed -n 's/^gbench/scale-two/p' "$tmp/second"
		} | scaling_of two-cpus >> "$tmp/native.rows"
	done
	echo "== two gbench processes on two CPUs against one, times"
	compare "$tmp/ours.rows" "$tmp/peer.rows"
	echo "natively:"
	compare "$tmp/ours.rows" "$tmp/native.rows" native
}

# network EMULATOR DEVICE: one boot with the device on user networking; its rows, in the device's name
network_rows() {
	boot "$tmp/net.log" "$1" tcg qemu64 netrate "$(cat "$tmp/port")" "$seconds" -- -initrd "$tmp/modules.gz" \
		-netdev user,id=n -device "$2,netdev=n"
	sed -n "s,^net \([^ ]*\) \([0-9.e+]*\),$2-\1 \2,p" "$tmp/net.log"
}

# Modules and a server for it.
network() {
	use_guest amd64
	find_peer
	"$src/scripts/guests.sh" modules-amd64 netrate > /dev/null
	cat "$cache/$initrd.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"
	"$cache/netrate" -s "$tmp/port" &
	server=$!
	: > "$tmp/ours.rows"
	: > "$tmp/peer.rows"
	i=0
	while [ $i -lt "$rounds" ]; do
		i=$((i + 1))
		for device in virtio-net-pci e1000; do
			echo "network: round $i of $rounds, $device" >&2
			network_rows "$ours/$binary" "$device" >> "$tmp/ours.rows"
			[ -z "$peer" ] || network_rows "$peer" "$device" >> "$tmp/peer.rows"
		done
	done
	kill $server
	echo "== TCP between guest and host over user networking"
	compare "$tmp/ours.rows" "$tmp/peer.rows"
}

# one_of_pair NAME EMULATOR ARG...: a guest whose program writes 192 MiB again and again; its QMP is NAME.in and NAME.out
one_of_pair() {
	pair=$tmp/$1 emulator=$2
	shift 2
	rm -f "$pair.in" "$pair.out" "$pair.log"
	mkfifo "$pair.in"
	timeout 300 "$emulator" -accel tcg -cpu qemu64 $board -display none -no-reboot -serial "file:$pair.log" \
		-kernel "$cache/linux-$arch" -initrd "$cache/$initrd.cpio.gz" \
		-append 'console=ttyS0 run=migtest arg=1,192' -qmp stdio "$@" < "$pair.in" > "$pair.out" 2> /dev/null &
}

# until_in FILE PATTERN: false after a minute
until_in() {
	n=0
	until grep -q -e "$2" "$1" 2> /dev/null; do
		n=$((n + 1))
		[ $n -lt 600 ] || return 1
		sleep 0.1
	done
}

# migration_rows EMULATOR: a stopped guest goes over a unix socket as fast as it can
migration_rows() {
	one_of_pair from "$1"
	from=$!
	exec 7> "$tmp/from.in"
	one_of_pair to "$1" -incoming "unix:$tmp/moves"
	to=$!
	exec 8> "$tmp/to.in"
	if until_in "$tmp/from.log" '^migtest-pass' && until_in "$tmp/to.out" QMP; then
		echo '{"execute":"qmp_capabilities"}{"execute":"stop"}{"execute":"migrate-set-parameters",
			"arguments":{"max-bandwidth":100000000000}}{"execute":"migrate","arguments":{"uri":"unix:'"$tmp/moves"'"}}' >&7
		n=0
		until grep -q '"completed"' "$tmp/from.out" || [ $n -gt 300 ]; do
			n=$((n + 1))
			sleep 0.2
			echo '{"execute":"query-migrate"}' >&7
		done
		grep '"completed"' "$tmp/from.out" | awk '{
			match($0, /"total-time": *[0-9]+/); ms = substr($0, RSTART + 13, RLENGTH - 13) + 0
			match($0, /"transferred": *[0-9]+/); bytes = substr($0, RSTART + 14, RLENGTH - 14) + 0
			if (ms) { printf "migration-mib-per-s %.1f\nmigration-ms %d\n", bytes / 1048.576 / ms, ms }; exit }'
	fi
	kill $from $to 2> /dev/null || true
	wait $from $to 2> /dev/null || true
	exec 7>&- 8>&-
}

migration() {
	use_guest amd64
	find_peer
	: > "$tmp/ours.rows"
	: > "$tmp/peer.rows"
	i=0
	while [ $i -lt "$rounds" ]; do
		i=$((i + 1))
		echo "migration: round $i of $rounds" >&2
		migration_rows "$ours/$binary" >> "$tmp/ours.rows"
		[ -z "$peer" ] || migration_rows "$peer" >> "$tmp/peer.rows"
	done
	echo "== a stopped guest with 192 MiB of data, over a unix socket"
	compare "$tmp/ours.rows" "$tmp/peer.rows"
}

for p in $(echo "$parts" | tr , ' '); do
	case $p in
	guest) in_guest "$@" ;;
	login) logins ;;
	start-up) start_up ;;
	scaling) scaling ;;
	network) network ;;
	migration) migration ;;
	json) echo "== the JSON reader and writer, 10 MB"; "$ours/tests/bench/bench-json" ;;
	*) echo "no part '$p'; there are guest, login, start-up, scaling, json, network, migration" >&2; exit 2 ;;
	esac
done
