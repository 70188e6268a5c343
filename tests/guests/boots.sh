#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The installed Debian boots again and again, from each bus in turn, to its login on the serial port, is switched off by its power
# button, and a table tells how that went. Not part of make check: 20 boots take hours. test-debian.sh looks at more in each boot.
#
#   boots.sh [-a amd64,i386] [-b ide,virtio,scsi,usb] [-c CPU] [-n] [-k FOLDER] [BOOTS]     BOOTS of each, default 20
#
# -n: BOOTS of each architecture instead, the buses by turns. -c: another model of CPU (there are two of them, always).
# A boot is good when the login comes without a reset, the kernel has no complaint on its console, the power button ends it, and the disk's
# image is whole. What was said in the others is kept in FOLDER. As root, as the image is made so.
here=$(cd "$(dirname "$0")" && pwd)
arches=amd64,i386 buses=ide,virtio,scsi,usb keep='' cpu='' turns=
usage() {
	sed -n 's/^#   boots.sh/usage: boots.sh/p' "$here/boots.sh" >&2
	exit 2
}
while getopts a:b:c:k:n option; do
	case $option in
	a) arches=$OPTARG ;;
	b) buses=$OPTARG ;;
	c) cpu=$OPTARG ;;
	k) keep=$OPTARG ;;
	n) turns=yes ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
boots=${1:-20}
case $boots in
'' | *[!0-9]*) usage ;;
esac
. "$here/lib.sh"
tools=$(dirname "$QEMU_BIN")

# one_boot NAME ARCH BUS: prints ok, or what went wrong, and the seconds to the login
one_boot() {
	obegin=$(date +%s)
	installed_debian "$1" 1800 "$2" "$3" -nic user -no-reboot \
		${cpu:+-cpu "$cpu"}
	result=ok
	wait_for_prompt "$serial" '^debian login: ' 1200 || result=no-login
	oseconds=$(($(date +%s) - obegin))
	if [ $result = ok ]; then
		qmp '{"execute":"system_powerdown"}' && wait $pid || result=not-switched-off
	fi
	kill "$pid" 2> /dev/null
	exec 3>&-
	if [ $result = ok ] && grep -a -q -E 'BUG:|Oops|Call Trace|WARNING:|I/O error|Kernel panic' "$serial"; then
		result=complaint
	fi
	[ $result != ok ] || [ ! -s "$err" ] || result=said-something
	[ $result != ok ] || "$tools/qemu-img" check -q "$tmp/disk.qcow2" || result=image-damaged
	if [ $result != ok ] && [ -n "$keep" ]; then
		mkdir -p "$keep"
		cp "$serial" "$out" "$err" "$keep"
	fi
	echo "$result $oseconds"
}

: > "$tmp/results"
set -- $(echo "$buses" | tr , ' ')
for n in $(seq "$boots"); do
	these="$*"
	if [ -n "$turns" ]; then
		these=$1
		shift
		set -- "$@" "$these"
	fi
	for bus in $these; do
		for arch in $(echo "$arches" | tr , ' '); do
			echo "$arch $bus $(one_boot "$arch-$bus-$n" "$arch" "$bus")" | tee -a "$tmp/results" >&2
		done
	done
done
awk '{ k = $1 " " $2; if (!(k in n)) order[++rows] = k; n[k]++; good[k] += $3 == "ok"; sum[k] += $4
	if (!(k in least) || $4 < least[k]) least[k] = $4
	if ($4 > most[k]) most[k] = $4
	if ($3 != "ok") { bad++; why[k] = why[k] " " $3 } }
	END { printf "%-6s %-7s %6s %6s   seconds to login: least mean most\n", "arch", "bus", "boots", "good"
	for (i = 1; i <= rows; i++) { k = order[i]; split(k, a, " ")
		printf "%-6s %-7s %6d %6d %22d %5d %5d%s\n", a[1], a[2], n[k], good[k], least[k], sum[k] / n[k], most[k], why[k] }
	exit bad > 0 }' "$tmp/results"
