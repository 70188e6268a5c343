#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots Debian's own amd64 kernel to a shell in this terminal: scripts/demo.sh [qemu-system-x86_64]
# The initramfs is Debian's busybox-static. When the input ends the machine switches itself off.
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
emulator=${1:-$QEMU_BIN-x86_64}
cache=$("$src/scripts/guests.sh" kernel-amd64 initramfs-demo)
run=$(mktemp -d "${TMPDIR:-/tmp}/demo.XXXXXX")
trap 'rm -rf "$run"' EXIT INT TERM
cat <<TEXT
Booting Debian's kernel: a shell comes up in this terminal; 'exit' or Ctrl-d switches the machine off.
  monitor on this terminal: Ctrl-a c (and back); leave at once: Ctrl-a x
  monitor from elsewhere:   socat - UNIX-CONNECT:$run/monitor
  QMP:                      socat - UNIX-CONNECT:$run/qmp
  screen:                   a VNC viewer at localhost:17 (port 5917)
TEXT
# A display number that is taken must not stop the demo.
vnc="-vnc 127.0.0.1:17,to=40"
"$emulator" -help | grep -q '^-vnc' || vnc=
if [ -t 0 ]; then
	"$emulator" -m 512 -smp 2 -kernel "$cache/linux-amd64" -initrd "$cache/initramfs-demo.cpio.gz" \
		-append 'console=ttyS0 quiet' -display none $vnc -serial mon:stdio \
		-monitor "unix:$run/monitor,server=on,wait=off" -qmp "unix:$run/qmp,server=on,wait=off"
	exit
fi
# Not a terminal: hand the guest the input once its shell is there, then Ctrl-d.
mkfifo "$run/in"
: > "$run/out"                        # tail must find it, however late the emulator is
"$emulator" -m 512 -smp 2 -kernel "$cache/linux-amd64" -initrd "$cache/initramfs-demo.cpio.gz" \
	-append 'console=ttyS0 quiet' -display none $vnc -serial stdio \
	-monitor "unix:$run/monitor,server=on,wait=off" -qmp "unix:$run/qmp,server=on,wait=off" \
	< "$run/in" >> "$run/out" 2>&1 &
pid=$!
exec 3> "$run/in"
tail -n +1 -f --pid=$pid "$run/out" &
i=0
until grep -q GUEST-READY "$run/out"; do
	i=$((i + 1))
	[ $i -lt 1200 ] && kill -0 $pid 2> /dev/null || break
	sleep 0.1
done
sleep 1
cat >&3
printf '\004' >&3
wait $pid
status=$?
exec 3>&-
sleep 0.2
exit $status
