# SPDX-License-Identifier: GPL-2.0-or-later
# For the guest tests: sourced by test-*.sh. TAP on standard output.
#
#   guest_items ITEM...      what scripts/guests.sh must provide; sets $cache. m68k_items: guests-m68k.sh
#   boot NAME ARCH SECONDS ARG...   run the emulator until it ends; its output in $tmp/NAME.log
#   ok CONDITION-STATUS NAME[: WHAT]  a test point; shows the log's end when it failed
set -u
# By hand they run what the default build folder has.
: "${SRC_DIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${QEMU_BIN:=$SRC_DIR/build/qemu-system}"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/guest-test.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' INT TERM
count=0
# Limits are there to end what hangs; a busy host is no fault.
patience=${CHECK_PATIENCE:-3}

# items_of SCRIPT ITEM...
items_of() {
	iscript=$SRC_DIR/scripts/$1
	shift
	cache=$("$iscript" "$@") || {
		echo "Bail out! the guests can't be had"
		exit 1
	}
}

guest_items() {
	items_of guests.sh "$@"
}

m68k_items() {
	items_of guests-m68k.sh "$@"
}

ok() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		olog=$tmp/${2%%:*}.log
		[ ! -f "$olog" ] || tail -n 15 "$olog" | tr -dc '\n -~' | sed -e 's/^/# /' -e '$a\'
	fi
}

# How the emulator behind process $pid stands, when a wait was in vain: its threads, twice, and its processor.
state_of_things() {
	echo "# load $(cut -d' ' -f1-3 /proc/loadavg)"
	kill -0 "$pid" 2> /dev/null || {
		wait "$pid"
		echo "# the emulator has ended, status $?"
		[ -z "${out:-}" ] || { grep -a SHUTDOWN "$out"; tail -n 5 "$err"; } | sed 's/^/# /'
		return
	}
	for sround in 1 2; do
		ps -L -o tid,stat,time,wchan:24,comm -p "$pid" --ppid "$pid" | sed 's/^/# /'
		sleep 1
	done
	if [ -n "${out:-}" ] && [ -e "$tmp/in" ]; then
		for squestion in 'info status' 'info registers' 'info pic' 'info lapic'; do
			printf '{"execute":"human-monitor-command","arguments":{"command-line":"%s"}}\n' "$squestion" >&3
			answers=$((answers + 1))
		done
		sleep 2
		tail -n 4 "$out" | sed 's/\\r\\n/\n/g' | tr -dc '\n -~' | grep -vE 'FPR|XMM|masked' | cut -c1-160 | head -n 60 | sed 's/^/# /'
	fi
}

boot() {
	bname=$1 barch=$2 bseconds=$(($3 * patience))
	shift 3
	timeout -k 5 "$bseconds" "$QEMU_BIN-$barch" -nographic -no-reboot "$@" \
		< /dev/null > "$tmp/$bname.log" 2>&1
}

# no_timer_check: Linux panics when five timer interrupts don't reach it within 40 ms of a 4 GHz processor's counter,
# which measures how busy the host is, not the IO-APIC: without ticks by way of that no guest gets to its end anyway.

# linux NAME amd64|i386 SECONDS 'KERNEL ARGUMENTS' ARG...
linux() {
	lname=$1 larch=$2 lseconds=$3 lappend=$4
	shift 4
	case $larch in
	amd64) binary=x86_64 initrd=initramfs-x86_64 ;;
	i386) binary=i386 initrd=initramfs-i386 ;;
	esac
	boot "$lname" $binary "$lseconds" -m 512 -kernel "$cache/linux-$larch" \
		-initrd "$cache/$initrd.cpio.gz" -append "console=ttyS0 panic=-1 no_timer_check $lappend" "$@"
}

# The amd64 kernel with Debian's modules for this machine's devices:
# linux_modules NAME SECONDS 'KERNEL ARGUMENTS' ARG... boots it.
linux_modules() {
	mname=$1 mseconds=$2 mappend=$3
	shift 3
	cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"
	boot "$mname" x86_64 "$mseconds" -m 512 -kernel "$cache/linux-amd64" \
		-initrd "$tmp/modules.gz" -append "console=ttyS0 panic=-1 no_timer_check $mappend" "$@"
}

# has NAME PATTERN: the log of NAME has a line with the pattern
has() {
	tr -d '\r' < "$tmp/$1.log" | grep -q -e "$2"
}

# lines FILE: those that have come to their end. What is written still is judged when it is whole.
lines() {
	{ cat "$1"; echo; } 2> /dev/null | sed '$d'
}

# Whether FILE has PATTERN: in a whole line; anywhere
in_lines() {
	in_text "$@" && lines "$1" | grep -q -a -e "$2"
}

in_text() {
	grep -q -a -e "$2" "$1" 2> /dev/null
}

# wait_for FILE PATTERN SECONDS: until FILE has a whole line with PATTERN, as long as process $pid lives
wait_for() {
	wait_until in_lines "$@"
}

# wait_for_prompt FILE PATTERN SECONDS: the same, of what doesn't end its line
wait_for_prompt() {
	wait_until in_text "$@"
}

# wait_until WHERE FILE PATTERN SECONDS
wait_until() {
	wtries=$(($4 * patience * 10))
	until
		kill -0 "$pid" 2> /dev/null
		wruns=$?
		"$1" "$2" "$3"
	do
		wtries=$((wtries - 1))
		[ $wtries -gt 0 ] && [ $wruns = 0 ] || {
			echo "# '$3' didn't come; $(($4 * patience)) s are the limit"
			state_of_things
			return 1
		}
		sleep 0.1
	done
}

# wait_for_server PATH: until somebody takes connections at this unix socket (flag 10000h), as long as process $pid lives. Its
# file is there a moment before.
wait_for_server() {
	until grep -q " 00010000 .* $1\$" /proc/net/unix; do
		kill -0 "$pid" 2> /dev/null || return 1
		sleep 0.1
	done
}

# with_qmp NAME SECONDS ARCH ARG...: runs the emulator in the background as process $pid, its QMP on
# our descriptor 3, its serial port in $tmp/NAME.log (also $serial). End with: wait $pid; exec 3>&-
with_qmp() {
	out=$tmp/$1.qmp serial=$tmp/$1.log err=$tmp/$1.err answers=0 qseconds=$(($2 * patience)) qarch=$3
	shift 3
	rm -f "$tmp/in"
	mkfifo "$tmp/in"
	timeout -k 5 "$qseconds" "$QEMU_BIN-$qarch" -display none -qmp stdio -serial "file:$serial" "$@" \
		< "$tmp/in" > "$out" 2> "$err" &
	pid=$!
	# Read as well: who asks an emulator that has ended gets no answer, and no signal.
	exec 3<> "$tmp/in"
	qmp '{"execute":"qmp_capabilities"}'
}

# installed_debian NAME SECONDS amd64|i386 ide|virtio|scsi|usb ARG...: with_qmp, with an installed Debian on a disk at that
# bus: $tmp/disk.qcow2, a new overlay over $image
installed_debian() {
	dname=$1 dseconds=$2 darch=$3 dbus=$4 ddisk="file=$tmp/disk.qcow2,format=qcow2,id=disk"
	shift 4
	image=$("$SRC_DIR/scripts/disk-image.sh" --arch "$darch") || {
		echo "Bail out! the image can't be made"
		exit 1
	}
	case $dbus in
	ide) set -- -drive "$ddisk,if=ide" "$@" ;;
	virtio) set -- -drive "$ddisk,if=virtio" "$@" ;;
	scsi) set -- -drive "$ddisk,if=none" -device virtio-scsi-pci -device scsi-hd,drive=disk,bootindex=0 "$@" ;;
	usb) set -- -drive "$ddisk,if=none" -device usb-ehci -device usb-storage,drive=disk,bootindex=0 "$@" ;;
	*) echo "Bail out! there is no bus '$dbus' here: ide, virtio, scsi, usb"; exit 1 ;;
	esac
	# qemu32 has no machine check architecture, of which Linux for i386 complains.
	case $darch in
	amd64) binary=x86_64 ;;
	*) binary=$darch && set -- "$@" -cpu pentium3 ;;
	esac
	rm -f "$tmp/disk.qcow2"
	"$(dirname "$QEMU_BIN")/qemu-img" create -q -f qcow2 -b "$image" -F raw "$tmp/disk.qcow2"
	with_qmp "$dname" "$dseconds" $binary -m 512 -smp 2 "$@"
}

# qmp COMMAND-LINE: sends it on descriptor 3 and waits for its answer, the one after $answers others in file $out (the
# emulator's time limit ends that). It is in $answer then; fails when it is an error
qmp() {
	answers=$((answers + 1))
	printf '%s\n' "$1" >&3
	until
		kill -0 "$pid" 2> /dev/null
		qruns=$?
		answer=$(lines "$out" | grep -a -E '^\{"(return|error)"' | sed -n ${answers}p)
		[ -n "$answer" ]
	do
		[ $qruns = 0 ] || return 1
		sleep 0.1
	done
	case $answer in '{"error"'*) return 1 ;; esac
}

# answered PATTERN: the last answer has it (a line of $out that came later may be an event)
answered() {
	printf '%s\n' "$answer" | grep -q -e "$1"
}

# key QCODE: typed at the machine of qmp
key() {
	qmp '{"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"'"$1"'"}]}}'
}

# on_screen PATTERN SECONDS: until the machine of qmp shows text with the pattern; what was read is
# in $tmp/screen. The item screen-text must be there.
on_screen() {
	stries=$(($2 * patience))
	until qmp '{"execute":"screendump","arguments":{"filename":"'"$tmp/screen.ppm"'"}}' &&
		"$cache/screen-text" /usr/share/seabios/vgabios-stdvga.bin < "$tmp/screen.ppm" > "$tmp/screen" &&
		grep -q -e "$1" "$tmp/screen"; do
		stries=$((stries - 1))
		[ $stries -gt 0 ] && kill -0 "$pid" 2> /dev/null || return 1
		sleep 1
	done
}

done_testing() {
	echo "1..$count"
}
