#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux on a Quadra 800: its drivers find clock, disk, network, screen and keyboard at work; the self-test program
# prints what QEMU 7.2's guest does, save for what the manuals say otherwise (m68k/selftest.txt).
. "$(dirname "$0")/lib.sh"
# Where no guests are ready, a kernel is compiled first.
echo '# timeout: 1500'
guest_items tcp-peer screen-text
m68k_items kernel-m68k initramfs-m68k

boot_m68k() {
	name=$1 seconds=$2 args=$3
	shift 3
	boot "$name" m68k "$seconds" -M q800 -m 128 -kernel "$cache/linux-m68k" \
		-initrd "$cache/initramfs-m68k.cpio.gz" -append "console=ttyS0 $args" "$@"
}

boot_m68k selftest 300 'run=selftest'
ok $? 'selftest: the machine switches itself off'
has selftest '^GUEST-READY m68k'
ok $? 'selftest: Linux is up'
has selftest '^GUEST-DONE rc=0'
ok $? 'selftest: no test failed'
grep -v '^#' "$(dirname "$0")/m68k/selftest.txt" | cut -d' ' -f1-3 | sort > "$tmp/want"
tr -d '\r' < "$tmp/selftest.log" | grep '^selftest ' | sort > "$tmp/got"
diff "$tmp/want" "$tmp/got" > "$tmp/diff"
status=$?
[ $status = 0 ] || head -40 "$tmp/diff" | sed 's/^/# /'
ok $status 'selftest: every line as it must be'

boot_m68k restart 100 'run=restart'
status=$?
[ $status != 0 ] || has restart '^reboot: Restarting system'
ok $? 'restart: the kernel restarts the machine, which with -no-reboot ends'

# The self-test, saved in the midst of it and resumed by another process: no line differs. It takes a second: where the
# test has looked too late it is done again.
saved() {
	with_qmp moving 200 m68k -M q800 -m 32 -kernel "$cache/linux-m68k" -initrd "$cache/initramfs-m68k.cpio.gz" \
		-append 'console=ttyS0 run=selftest'
	wait_for "$serial" '^selftest ' 150 || return 2
	qmp '{"execute":"migrate","arguments":{"uri":"exec:cat > '"$tmp/state"'"}}' || return
	until qmp '{"execute":"query-migrate"}' && answered '"completed"'; do
		kill -0 "$pid" 2> /dev/null || return
		sleep 0.1
	done
	qmp '{"execute":"quit"}'
	! has moving '^GUEST-DONE'
}
attempts=20
until
	saved
	status=$?
	kill $pid 2> /dev/null
	wait $pid
	exec 3>&-
	[ $status != 1 ]
do
	attempts=$((attempts - 1))
	[ $attempts -gt 0 ] || break
done
ok $status 'moving: saved in the midst of the self-test'
with_qmp moved 200 m68k -M q800 -m 32 -kernel "$cache/linux-m68k" -initrd "$cache/initramfs-m68k.cpio.gz" \
	-append 'console=ttyS0 run=selftest' -incoming "exec:cat $tmp/state"
wait $pid
ok $? 'moved: it goes on to the end, and switches itself off'
exec 3>&-
cat "$tmp/moving.log" "$tmp/moved.log" | tr -d '\r' | grep '^selftest ' | sort > "$tmp/got"
diff "$tmp/want" "$tmp/got" > "$tmp/diff"
status=$?
[ $status = 0 ] || head -40 "$tmp/diff" | sed 's/^/# /'
ok $status 'moved: every line as it must be'
rm "$tmp/state"

# The board: disk of 8 MiB, a file of a million bytes by TCP there and back, a line typed.
head -c 1000000 "$cache/linux-m68k" > "$tmp/data"
sum=$(md5sum < "$tmp/data")
truncate -s 8M "$tmp/disk.img"
head -c 1474560 "$cache/linux-m68k" > "$tmp/floppy.img"
"$cache/tcp-peer" "$tmp/port" "$tmp/data" "$tmp/copy" &
peer=$!
pid=$peer
wait_for "$tmp/port" . 10
ok $? 'board: the server starts'
with_qmp board 200 m68k -M q800 -m 128 -kernel "$cache/linux-m68k" -initrd "$cache/initramfs-m68k.cpio.gz" \
	-append "console=tty0 console=ttyS0 run=board arg=$(cat "$tmp/port")" -rtc base=2004-05-06T07:08:09 \
	-drive "file=$tmp/disk.img,format=raw,if=scsi,bus=0,unit=0" -drive "if=floppy,file=$tmp/floppy.img,format=raw" -nic user,model=dp83932
wait_for "$serial" '^keys ready' 150
ok $? 'board: Linux comes up'
# 2004-05-06T07:08:09 UTC, and ten minutes for the way to it.
clock=$(tr -d '\r' < "$serial" | sed -n 's/^clock //p')
if [ "$clock" = none ]; then
	ok 0 'board: the clock # SKIP this kernel does not show it'
else
	[ "${clock:-0}" -ge 1083827289 ] && [ "$clock" -lt 1083827889 ]
	ok $? 'board: the clock'
fi
if has board '^floppy '; then
	has board "^floppy $(md5sum < "$tmp/floppy.img")"
	ok $? 'board: a floppy disk read'
else
	ok 0 'board: a floppy disk read # SKIP this kernel has no driver for it'
fi
has board '^disk /dev/sda rc=0'
ok $? 'board: a file system made, written, read on a SCSI disk'
has board '^dhcp eth0 10\.0\.2\.15'
ok $? 'board: an address by DHCP'
has board "^tcp got 1000000 ${sum%% *}"
ok $? 'board: a million bytes received'
wait $peer && cmp "$tmp/data" "$tmp/copy"
ok $? 'board: the same sent back'
on_screen 'keys: type a line' 30
ok $? 'board: text on the screen'
for k in h e l l o spc 4 2 ret; do
	key $k
done
wait_for "$serial" '^GUEST-DONE' 20
has board '^keys got <hello 42>'
ok $? 'board: the line typed arrives'
wait $pid
ok $? 'board: the machine switches itself off'
exec 3>&-
done_testing
