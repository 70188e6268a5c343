#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the emulator gives up: -sandbox, -chroot, -runas. And options from files: -readconfig, -set.
set -u
: "${QEMU_BIN:?path of the emulator}"
# The filter ends the process by which LeakSanitizer looks at this one.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/privileges.XXXXXX")
pid=
trap '[ -z "$pid" ] || kill $pid 2> /dev/null; rm -rf "$tmp"' EXIT INT TERM
count=0

ok() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; fi
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# start ARG...: in the background, a human monitor on the pipes $tmp/in and $tmp/out; sets $pid
start() {
	rm -f "$tmp/in" "$tmp/out"
	mkfifo "$tmp/in"
	"$QEMU_BIN-x86_64" -M pc -m 16 -S -display none -monitor stdio "$@" < "$tmp/in" > "$tmp/out" 2>&1 &
	pid=$!
	exec 3> "$tmp/in"
	echo 'info status' >&3          # answered when all is done
	until grep -q '^VM status' "$tmp/out" || ! kill -0 $pid 2> /dev/null; do sleep 0.1; done
}

stop() {
	echo quit >&3
	exec 3>&-
	wait $pid
	status=$?
	pid=
}

field() {
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status"
}

if "$QEMU_BIN-x86_64" -M nosuch -sandbox on < /dev/null 2>&1 | grep -q libseccomp; then
	skip 'sandbox' 'built without libseccomp'
else
	start -sandbox on,spawn=deny,elevateprivileges=deny,resourcecontrol=deny
	[ "$(field Seccomp)" = 2 ] && [ "$(field NoNewPrivs)" = 1 ]
	ok $? 'a filter, and no new privileges'
	stop
	ok $status 'it ends as it should'

	# CVE-2018-15746: a filter that only some threads have. vCPUs, an I/O thread, VNC's workers.
	start -sandbox on -smp 2 -object iothread,id=io -vnc "unix:$tmp/vnc"
	threads=$(ls "/proc/$pid/task" | wc -l)
	filtered=$(cat /proc/$pid/task/*/status | grep -c '^Seccomp:[[:space:]]*2')
	[ "$threads" -ge 4 ] && [ "$filtered" = "$threads" ]
	ok $? "each thread has the filter: $filtered of $threads"
	stop

	start -sandbox on,spawn=deny
	[ "$(field NoNewPrivs)" = 0 ] || [ "$(field Seccomp)" = 2 ]
	ok $? 'a filter alone'
	echo 'migrate exec:true' >&3
	wait $pid 2> /dev/null
	[ $? -gt 128 ]
	ok $? 'a call that is refused ends it'
	pid=
	exec 3>&-

	start -sandbox off
	[ "$(field Seccomp)" = 0 ]
	ok $? 'no filter unless asked for'
	stop
fi

if [ "$(id -u)" != 0 ]; then
	skip 'chroot and runas' 'needs root'
else
	mkdir "$tmp/root"
	start -chroot "$tmp/root" -runas nobody
	[ "$(readlink "/proc/$pid/root")" = "$tmp/root" ]
	ok $? 'chroot'
	grep -q libpng "/proc/$pid/maps"
	ok $? 'chroot: libraries that may be needed are there'
	[ "$(field Uid | awk '{ print $1 $2 $3 $4 }')" = "$(u=$(id -u nobody); echo "$u$u$u$u")" ]
	ok $? 'runas: all four user ids'
	[ "$(field Gid | awk '{ print $1 }')" = "$(id -g nobody)" ]
	ok $? 'runas: its group'
	stop
	start -runas 12345:23456
	[ "$(field Uid | awk '{ print $2 }')" = 12345 ] && [ "$(field Gid | awk '{ print $2 }')" = 23456 ]
	ok $? 'runas: numbers'
	stop
fi

cat > "$tmp/config" << 'END'
# A PC with a network card.
[machine]
  type = "pc"
[memory]
  size = "32M"
[netdev "n0"]
  type = "user"

[device "net0"]
  driver = "e1000"
  netdev = "n0"
  mac = "52:54:00:00:00:01"
END
start -readconfig "$tmp/config" -set device.net0.mac=52:54:00:11:22:33
echo 'qom-get /machine/peripheral/net0 mac' >&3
stop
grep -q -i '52:54:00:11:22:33' "$tmp/out"
ok $? 'readconfig and set'

printf '[device "x"]\ndriver e1000\n[nosuch]\na = "b"\n' > "$tmp/bad"
"$QEMU_BIN-x86_64" -M none -readconfig "$tmp/bad" -set device.y.a=1 -display none < /dev/null > "$tmp/out" 2>&1
grep -q "bad:2: 'driver e1000'; accepted: KEY" "$tmp/out" && grep -q "bad:3: there is no group 'nosuch'" "$tmp/out" &&
	grep -q "^qemu-system-x86_64: -set: .*id 'y'" "$tmp/out"
ok $? 'mistakes in a file are told with their line'

"$QEMU_BIN-x86_64" -M nosuch -msg timestamp=on -display none < /dev/null > "$tmp/out" 2>&1
grep -q '^20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9:]*\.[0-9]*Z qemu-system-x86_64: -machine' "$tmp/out"
ok $? 'msg: the time'
echo "1..$count"
