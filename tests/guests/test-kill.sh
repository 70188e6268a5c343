#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest writes a qcow2 disk and flushes now and then; the emulator is killed (kill -9) at a random
# moment. The image has no corruption then, and each write that the guest saw flushed is in it.
#   test-kill.sh [-M MACHINE] [-j JOBS] [-d DEPTH] [KILLS]
# KILLS: default 5; 1000 is what a release is tried with. MACHINE: pc (default) with disks of three kinds in turn, one
# write at a time; q35 with its own AHCI, 4 JOBS that keep 8 writes each under way (DEPTH, up to 32).
# The guest boots once for each kind of disk. Its state is saved at its shell's prompt, and each kill begins there.
. "$(dirname "$0")/lib.sh"
machine=pc jobs="" depth=""
while getopts M:j:d: o; do
	case $o in
	M) machine=$OPTARG ;;
	j) jobs=$OPTARG ;;
	d) depth=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
kills=${1:-5}
case $machine in
pc) : "${jobs:=1}" "${depth:=1}" ;;
q35) : "${jobs:=4}" "${depth:=8}" ;;
*) echo "no machine '$machine' here: pc, q35" >&2; exit 2 ;;
esac
echo "# timeout: $((kills * 60 + 400))"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64 disktools
cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" "$cache/disktools.cpio.gz" \
	> "$tmp/initrd.gz"
img=$BUILD_DIR/qemu-img
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')

# guest DISK DRIVE-OPTIONS MONITOR ARG...: a guest in process $pid with $tmp/disk.qcow2 at DISK, a human monitor that reads
# MONITOR. What it says on its serial port is in $tmp/kill.log, what is written to descriptor 4 is typed there
guest() {
	gdisk=$1 gdrive="file=$tmp/disk.qcow2,format=qcow2$2" gmonitor=$3
	shift 3
	set -- -M "$machine" "$@"
	case $gdisk in
	q35) set -- -drive "$gdrive,if=none,id=d" -device ide-hd,drive=d,bus=ide.0 "$@" ;;
	ahci) set -- -drive "$gdrive,if=none,id=d" -device ahci,id=ahci0 -device ide-hd,drive=d,bus=ahci0.0 "$@" ;;
	*) set -- -drive "$gdrive,if=$gdisk" "$@" ;;
	esac
	rm -f "$tmp/line.in" "$tmp/line.out" "$tmp/kill.log"
	mkfifo "$tmp/line.in" "$tmp/line.out"
	cat "$tmp/line.out" > "$tmp/kill.log" &
	reader=$!
	"$QEMU_BIN-x86_64" -display none -no-reboot -m 256 -kernel "$cache/linux-amd64" -initrd "$tmp/initrd.gz" \
		-append "console=ttyS0 panic=-1 no_timer_check run=shell" -chardev "pipe,id=line,path=$tmp/line" \
		-serial chardev:line -monitor stdio "$@" < "$gmonitor" > "$tmp/said" 2>&1 &
	pid=$!
	exec 4<> "$tmp/line.in"
}

# save DISK: its state at the prompt becomes $tmp/DISK.state
save() {
	"$img" create -q -f qcow2 "$tmp/disk.qcow2" 64M
	rm -f "$tmp/hmp"
	mkfifo "$tmp/hmp"
	guest "$1" '' "$tmp/hmp"
	exec 5<> "$tmp/hmp"
	wait_for "$tmp/kill.log" '^GUEST-READY' 80
	# Typed again, since what comes before the shell is lost.
	stries=$((60 * patience))
	until in_lines "$tmp/kill.log" '^at-the-prompt-2' || [ $stries = 0 ]; do
		stries=$((stries - 1))
		# shellcheck disable=SC2016
		echo 'echo at-the-prompt-$((1+1))' >&4
		sleep 0.5
	done
	# What is typed later isn't mixed up with what the guest says.
	# shellcheck disable=SC2016
	echo 'stty -echo && echo no-echo-$((1+1))' >&4
	wait_for "$tmp/kill.log" '^no-echo-2' 60
	echo "migrate file:$tmp/$1.state" >&5
	until grep -q -a 'Migration status: completed' "$tmp/said" || [ $stries = 0 ]; do
		stries=$((stries - 1))
		sleep 0.2
		echo 'info migrate' >&5
	done
	[ $stries != 0 ]
	ok $? "kill: a guest with its disk at $1 is saved"
	echo quit >&5
	wait $pid $reader
	exec 4>&- 5>&-
}

verify() {      # WRITE...
	"$cache/diskwriter" verify "$tmp/disk.raw" "$seed" "$@"
}

n=0
while [ $n -lt "$kills" ]; do
	n=$((n + 1)) seed=$((seed + 1)) more=
	case $((n % 5)) in
	1) opts=cluster_size=65536 disk=virtio ;;
	2) opts=cluster_size=4096 disk=ahci ;;
	3) opts=cluster_size=65536,lazy_refcounts=on disk=virtio ;;
	4) opts=cluster_size=16384,extended_l2=on disk=ide ;;
	0) opts=cluster_size=512,refcount_bits=1 disk=virtio more=,cache=none ;;
	esac
	[ "$machine" = pc ] || disk=$machine
	dev=/dev/sda
	[ $disk != virtio ] || dev=/dev/vda
	rm -f "$tmp/disk.qcow2" "$tmp/disk.raw"
	[ -e "$tmp/$disk.state" ] || save $disk
	rm -f "$tmp/disk.qcow2"
	echo "no flush was seen" > "$tmp/verify"
	"$img" create -q -f qcow2 -o "$opts" "$tmp/disk.qcow2" 64M
	guest $disk "$more" /dev/null -incoming "file:$tmp/$disk.state"
	# Typed again, since what comes before the guest is lost. While it writes nobody reads it.
	ktries=$((160 * patience))
	until in_lines "$tmp/kill.log" '^flushed [0-9]' || [ $ktries = 0 ] || ! kill -0 $pid; do
		[ $((ktries % 4)) != 0 ] || echo "diskwriter write $dev $seed $jobs $depth" >&4
		ktries=$((ktries - 1))
		sleep 0.1
	done
	wait_for "$tmp/kill.log" '^flushed [0-9]' 10
	ok $? "kill: $n: the guest writes ($opts, $disk$more)"
	sleep "$(awk -v s="$seed" 'BEGIN { srand(s); printf "%.3f", rand() }')"
	kill -9 $pid
	wait $pid 2> /dev/null
	exec 4>&-
	wait $reader
	# The last of each job. Only a line whose end (CR LF) has come: the kill may cut "flushed 2616" down to "flushed 2".
	flushed=$(awk -v jobs="$jobs" '/^flushed( [0-9]+)? [0-9]+\r$/ { n[NF > 2 ? $2 : 0] = $NF + 0; any = 1 }
		END { for (j = 0; any && j < jobs; j++) printf " %d", n[j] }' "$tmp/kill.log")
	# Lost clusters (3) are allowed; a dirty image (lazy refcounts) is mended as the next start does it.
	case $opts in *lazy*) "$img" check -q -r all "$tmp/disk.qcow2" > "$tmp/check" 2>&1 ;; esac
	"$img" check "$tmp/disk.qcow2" > "$tmp/check" 2>&1
	rc=$?
	[ $rc = 0 ] || [ $rc = 3 ]
	ok $? "kill: $n: the image has no corruption (check says $rc)"
	# shellcheck disable=SC2086
	[ -n "$flushed" ] && "$img" convert -O raw "$tmp/disk.qcow2" "$tmp/disk.raw" &&
		verify $flushed > "$tmp/verify" 2>&1
	ok $? "kill: $n: $(tail -n 1 "$tmp/verify")"
done
done_testing
