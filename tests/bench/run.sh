#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# gbench in a guest under this emulator and under the installed QEMU's TCG, in turns; a table of
# medians and their ratios.
#
#   run.sh [ROUNDS [SECONDS-PER-KERNEL [GBENCH-ARGUMENT...]]]
#
# Environment: PEER (default: qemu-system-x86_64 on the PATH), CPU (default: qemu64), ARCH (amd64, i386).
set -eu
src=$(cd "$(dirname "$0")/../.." && pwd)
ours=${QEMU_BIN:?path of the emulator}
rounds=${1:-5}
seconds=${2:-0.3}
shift $(($# > 2 ? 2 : $#))
arch=${ARCH:-amd64}
cpu=${CPU:-qemu64}
case $arch in
amd64) initrd=initramfs-x86_64 binary=qemu-system-x86_64 ;;
i386) initrd=initramfs-i386 binary=qemu-system-i386 cpu=${CPU:-qemu32} ;;
esac
ours=$ours${binary#qemu-system}
peer=${PEER:-$(command -v $binary || true)}
[ -n "$peer" ] || echo "no $binary is installed (package qemu-system-x86): no comparison" >&2
cache=$("$src/scripts/guests.sh" "kernel-$arch" "$initrd")
tmp=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
args=$(echo "-t $seconds $*" | tr ' ' ',')

# run NAME EMULATOR: one boot; rows "kernel value", start-up time and resident memory.
run() {
	start=$(date +%s.%N)
	/usr/bin/time -f 'rss-mib %M' -o "$tmp/$1.time" timeout 900 "$2" -accel tcg -cpu "$cpu" -m 512 \
		-nographic -no-reboot -kernel "$cache/linux-$arch" -initrd "$cache/$initrd.cpio.gz" \
		-append "console=ttyS0 run=bench arg=$args" < /dev/null > "$tmp/$1.log" 2>&1 || true
	end=$(date +%s.%N)
	tr -d '\r' < "$tmp/$1.log" | sed -n 's/^gbench \([^ ]*\) \([0-9.e+]*\).*/\1 \2/p' >> "$tmp/$1.rows"
	tr -d '\r' < "$tmp/$1.log" | sed -n 's/^guest-uptime \(.*\)/uptime-at-ready-s \1/p' >> "$tmp/$1.rows"
	sed -n 's/^rss-mib \(.*\)/\1/p' "$tmp/$1.time" | awk '{ print "resident-mib", $1 / 1024 }' >> "$tmp/$1.rows"
	echo "wall-s $(echo "$end $start" | awk '{ print $1 - $2 }')" >> "$tmp/$1.rows"
}

i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	echo "round $i of $rounds" >&2
	run ours "$ours"
	[ -z "$peer" ] || run peer "$peer"
done
touch "$tmp/peer.rows"
awk -v peer="$peer" '
function median(list,   n, v, i, j, t) {
	n = split(list, v, " ")
	for (i = 2; i <= n; i++) {
		for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
	}
	return n == 0 ? 0 : n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
FNR == 1 { file++ }
file == 1 { ours[$1] = ours[$1] " " $2; if (!($1 in seen)) { seen[$1] = 1; order[++n] = $1 } }
file == 2 { theirs[$1] = theirs[$1] " " $2 }
END {
	groups["integer"] = "sha256 crc32 sieve quicksort interp muldiv64 fptable fib deeprec"
	groups["fp+simd"] = "nbody_d fft_d matmul_d whet_d libm_d matmul_f mandel_f matmul_fv simd_int"
	groups["memory"] = "memcpy4k memcpy16m chase64k chase16m unaligned"
	groups["system"] = "getpid pingpong forkexit pagefault signal"
	groups["code"] = "jit smcpatch"
	printf "%-18s %14s %14s %8s\n", "row", "ours", "QEMU", "ratio"
	for (i = 1; i <= n; i++) {
		k = order[i]; a = median(ours[k]); b = median(theirs[k])
		r[k] = b ? a / b : 0
		printf "%-18s %14.4g %14.4g %8.2f\n", k, a, b, r[k]
	}
	print ""
	split("integer fp+simd memory system code", g, " ")
	for (i = 1; i <= 5; i++) {
		m = split(groups[g[i]], v, " "); s = 0; c = 0
		for (j = 1; j <= m; j++) { if (r[v[j]] > 0) { s += log(r[v[j]]); c++ } }
		if (c) { printf "geometric mean, %-8s %8.2f   (%d rows)\n", g[i], exp(s / c), c }
	}
}' "$tmp/ours.rows" "$tmp/peer.rows"
