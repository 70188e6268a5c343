#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest writes a qcow2 disk and flushes now and then; the emulator is killed (kill -9) at a random
# moment. The image has no corruption then, and each write that the guest saw flushed is in it.
#   test-kill.sh [KILLS]    default 5; 1000 is what a release is tried with
. "$(dirname "$0")/lib.sh"
kills=${1:-5}
echo "# timeout: $((kills * 90 + 60))"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64 disktools
cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" "$cache/disktools.cpio.gz" \
	> "$tmp/initrd.gz"
img=$BUILD_DIR/qemu-img
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
n=0
while [ $n -lt "$kills" ]; do
	n=$((n + 1)) seed=$((seed + 1))
	case $((n % 5)) in
	1) opts=cluster_size=65536 drive=if=virtio ;;
	2) opts=cluster_size=4096 drive=if=none,id=d ;;
	3) opts=cluster_size=65536,lazy_refcounts=on drive=if=virtio ;;
	4) opts=cluster_size=16384,extended_l2=on drive=if=ide ;;
	0) opts=cluster_size=512,refcount_bits=1 drive=if=virtio,cache=none ;;
	esac
	dev=/dev/vda
	set --
	case $drive in
	if=ide*) dev=/dev/sda ;;
	if=none*)
		dev=/dev/sda
		set -- -device ahci,id=ahci0 -device ide-hd,drive=d,bus=ahci0.0
		;;
	esac
	rm -f "$tmp/disk.qcow2" "$tmp/disk.raw" "$tmp/kill.log"
	echo "no flush was seen" > "$tmp/verify"
	"$img" create -q -f qcow2 -o "$opts" "$tmp/disk.qcow2" 64M
	"$QEMU_BIN-x86_64" -nographic -no-reboot -m 256 -kernel "$cache/linux-amd64" \
		-initrd "$tmp/initrd.gz" -append "console=ttyS0 panic=-1 no_timer_check run=diskwriter arg=write,$dev,$seed" \
		-drive "file=$tmp/disk.qcow2,format=qcow2,$drive" "$@" < /dev/null > "$tmp/kill.log" 2>&1 &
	pid=$!
	wait_for "$tmp/kill.log" '^flushed' 80
	ok $? "kill: $n: the guest writes ($opts, $drive)"
	sleep "$(awk -v s="$seed" 'BEGIN { srand(s); printf "%.3f", rand() * 2 }')"
	kill -9 $pid
	wait $pid 2> /dev/null
	flushed=$(tr -d '\r' < "$tmp/kill.log" | sed -n 's/^flushed \([0-9]*\)$/\1/p' | tail -n 1)
	# Lost clusters (3) are allowed; a dirty image (lazy refcounts) is mended as the next start does it.
	case $opts in *lazy*) "$img" check -q -r all "$tmp/disk.qcow2" > "$tmp/check" 2>&1 ;; esac
	"$img" check "$tmp/disk.qcow2" > "$tmp/check" 2>&1
	rc=$?
	[ $rc = 0 ] || [ $rc = 3 ]
	ok $? "kill: $n: the image has no corruption (check says $rc)"
	[ -n "$flushed" ] && "$img" convert -O raw "$tmp/disk.qcow2" "$tmp/disk.raw" &&
		"$cache/diskwriter" verify "$tmp/disk.raw" "$seed" "$flushed" > "$tmp/verify" 2>&1
	ok $? "kill: $n: $(tail -n 1 "$tmp/verify")"
done
done_testing
