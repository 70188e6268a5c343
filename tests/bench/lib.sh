# SPDX-License-Identifier: GPL-2.0-or-later
# What the benchmarks share: guests, one boot, medians.
src=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM

# use_guest ARCH: the guest of this architecture (amd64, i386, m68k): $initrd, $binary, $cache, $board, $kernel_args
use_guest() {
	arch=$1 board='-m 512' kernel_args=
	case $arch in
	amd64) initrd=initramfs-x86_64 binary=qemu-system-x86_64 ;;
	i386) initrd=initramfs-i386 binary=qemu-system-i386 ;;
	m68k)
		initrd=initramfs-m68k binary=qemu-system-m68k board='-M q800 -m 128'
		# The driver sleeps three seconds after a reset of the SCSI bus.
		kernel_args=esp_scsi.esp_bus_reset_settle=0
		cache=$("$src/scripts/guests-m68k.sh")
		return
		;;
	*) echo "no guest for '$arch'; there are amd64, i386 and m68k" >&2; exit 2 ;;
	esac
	cache=$("$src/scripts/guests.sh" "kernel-$arch" "$initrd")
}

# boot LOG EMULATOR ACCEL CPU RUN ARGUMENT... [-- MORE]: one boot of the guest; the console goes to LOG
boot() {
	log=$1 emulator=$2 accel=$3 cpu_model=$4 what=$5
	shift 5
	words=
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		words=$words${words:+,}$1
		shift
	done
	[ $# -eq 0 ] || shift
	/usr/bin/time -f 'rss-kib %M' -o "$log.time" timeout 900 "$emulator" -accel "$accel" -cpu "$cpu_model" \
		$board -nographic -no-reboot -kernel "$cache/linux-$arch" -initrd "$cache/$initrd.cpio.gz" \
		-append "console=ttyS0 $kernel_args run=$what arg=$words" "$@" < /dev/null > "$log.raw" 2>&1 || true
	tr -d '\r' < "$log.raw" > "$log"
}

# rows LOG: "kernel value" lines of a boot
rows() {
	sed -n -e 's/^gbench \([^ ]*\) \([0-9.e+]*\).*/\1 \2/p' \
		-e 's/^guest-uptime \(.*\)/uptime-at-ready-s \1/p' "$1"
}

# above_ram PID: KiB resident of the process and its children but for mappings of the guest RAM's size
above_ram() {
	ram=$(echo "$board" | sed -n 's/.*-m \([0-9]*\).*/\1/p')
	cat "/proc/$1/smaps" $(sed 's,[^ ]*,/proc/&/smaps,g' "/proc/$1/task/$1/children") 2> /dev/null |
		awk -v ram=$((ram * 1024)) '$1 == "Size:" { size = $2 } $1 == "Rss:" && size != ram { n += $2 } END { print n + 0 }'
}

# until_ready EMULATOR ACCEL CPU: milliseconds from exec until the guest says GUEST-READY; what is resident
# then goes to $tmp/above-ram
until_ready() {
	begin=$(milliseconds)
	mkfifo "$tmp/console"
	timeout 300 "$1" -accel "$2" -cpu "$3" $board -nographic -no-reboot -kernel "$cache/linux-$arch" \
		-initrd "$cache/$initrd.cpio.gz" -append "console=ttyS0 $kernel_args run=boot" < /dev/null > "$tmp/console" 2>&1 &
	sed -n '/GUEST-READY/{p;q}' < "$tmp/console" > /dev/null
	echo $(($(milliseconds) - begin))
	above_ram $! > "$tmp/above-ram"
	rm -f "$tmp/console"
	kill $! 2> /dev/null || true
	wait $! 2> /dev/null || true
}

milliseconds() {
	echo $(($(date +%s%N) / 1000000))
}

# compare A B [NAME-OF-B]: medians of the rows in two files and their ratio, then the means of the groups
compare() {
	awk -v second="${3:-QEMU}" '
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
		printf "%-20s %14s %14s %8s\n", "row", "ours", second, "ratio"
		for (i = 1; i <= n; i++) {
			k = order[i]; a = median(ours[k]); b = median(theirs[k])
			r[k] = b ? a / b : 0
			printf "%-20s %14.4g %14.4g %8.2f\n", k, a, b, r[k]
		}
		print ""
		split("integer fp+simd memory system code", g, " ")
		for (i = 1; i <= 5; i++) {
			m = split(groups[g[i]], v, " "); s = 0; c = 0
			for (j = 1; j <= m; j++) { if (r[v[j]] > 0) { s += log(r[v[j]]); c++ } }
			if (c) { printf "geometric mean, %-8s %8.2f   (%d rows)\n", g[i], exp(s / c), c; grouped++ }
		}
		if (!grouped && n > 3) {
			s = 0; c = 0
			for (i = 1; i <= n; i++) { if (r[order[i]] > 0) { s += log(r[order[i]]); c++ } }
			if (c) { printf "geometric mean %17.2f   (%d rows)\n", exp(s / c), c }
		}
	}' "$1" "$2"
}
