#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ivshmem-server and ivshmem-client: options, daemon, memory, clients that exchange. TAP on standard output.
set -u
: "${BUILD_DIR:?build folder}"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ivshmem-test.XXXXXX")
pids= name=ivshmem-test-$$
trap 'for p in $pids; do kill $p 2> /dev/null; done; rm -rf "$tmp" /dev/shm/$name' EXIT
trap 'exit 143' INT TERM
server=$BUILD_DIR/ivshmem-server client=$BUILD_DIR/ivshmem-client s=$tmp/s
count=0

ok() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; sed 's/^/# /' "$tmp/out"; fi
}

refused() {
	"$server" -F -S "$s" "$@" > "$tmp/out" 2>&1 < /dev/null
	[ $? = 1 ] && grep -q "^ivshmem-server: " "$tmp/out"
	ok $? "refused: $*"
}

"$server" -h > "$tmp/out" 2>&1 && grep -q -e '-S PATH' "$tmp/out"
ok $? 'help'
refused -l 5000
refused -l 1T
refused -l -1
refused -n 0
refused -n 3000
refused -c 0
refused stray
refused -m /nonexistent
refused -S "$tmp/nowhere/s"
"$client" -S "$s" dump > "$tmp/out" 2>&1
[ $? = 1 ] && grep -q "can't connect" "$tmp/out"
ok $? 'a client without server'

# The daemon, with named memory.
"$server" -S "$s" -p "$tmp/pid" -M $name -l 64K -n 3 -v > "$tmp/out" 2>&1 < /dev/null
ok $? 'a daemon, listening when its parent ends'
pids=$(cat "$tmp/pid")
[ "$(stat -c %s /dev/shm/$name)" = 65536 ]
ok $? 'its memory has a name'
"$client" -S "$s" dump 'write 0x10 0x12345678' 'read 16' > "$tmp/out" 2>&1
grep -q '^our id: 0, [1-3] vectors, 65536 bytes of memory$' "$tmp/out" && grep -q '^0x12345678$' "$tmp/out"
ok $? 'a client'
[ "$(od -An -tx4 -j16 -N4 /dev/shm/$name)" = " 12345678" ]
ok $? 'the memory is what the name says'
"$client" -S "$s" 'read 3' > "$tmp/out" 2>&1
[ $? = 1 ]
ok $? 'an offset that is none'
"$client" -S "$s" nonsense > "$tmp/out" 2>&1
[ $? = 1 ]
ok $? 'a command that is none'

# Two clients: doorbells, then messages through rings. Their ids depend on whether the server has seen already that those
# before have left.
mkfifo "$tmp/in1" "$tmp/in2"
"$client" -v -S "$s" < "$tmp/in1" > "$tmp/one" 2>&1 &
pids="$pids $!"
exec 3> "$tmp/in1"
"$client" -S "$s" < "$tmp/in2" > "$tmp/two" 2>&1 &
two=$! pids="$pids $!"
exec 4> "$tmp/in2"
echo dump >&3
echo dump >&4
until grep -q '^our id' "$tmp/one" && grep -q '^our id' "$tmp/two"; do sleep 0.05; done
id1=$(sed -n 's/^our id: \([0-9]*\),.*/\1/p' "$tmp/one") id2=$(sed -n 's/^our id: \([0-9]*\),.*/\1/p' "$tmp/two")
[ "$id1" != "$id2" ]
ok $? 'each has an id'
printf '%s\n' 'until 1 20000' "int $id1 0" 'peers 8' "send $id1 two words" "receive $id1" >&4
until grep -q 'rung: 0x[1-7]' "$tmp/one"; do sleep 0.05; done
ok 0 'a doorbell'
printf '%s\n' 'peers 8' "receive $id2" >&3
until grep -q '^two words$' "$tmp/one"; do sleep 0.05; done
ok 0 'a message'
echo "send $id2 and an answer" >&3
until grep -q '^and an answer$' "$tmp/two"; do sleep 0.05; done
exec 4>&-
wait $two
ok $? 'and its answer'
until grep -q 'peers: 0' "$tmp/one"; do sleep 0.05; done
ok 0 'the other one has left'
exec 3>&-

# Other kinds of memory; huge pages where the host has some.
kinds="-a -m:$tmp"
[ "$(sed -n 's/^HugePages_Free: *//p' /proc/meminfo)" -lt 4 ] || kinds="$kinds -H"
for k in $kinds; do
	"$server" -S "$tmp/kind" -p "$tmp/pid-kind" -l 4M $(echo "$k" | tr : ' ') > "$tmp/out" 2>&1 < /dev/null &&
		"$client" -S "$tmp/kind" 'write 0x3ffffc 7' 'read 0x3ffffc' dump > "$tmp/out" 2>&1 && grep -q '^0x00000007$' "$tmp/out" &&
		grep -q '4194304 bytes of memory$' "$tmp/out"
	ok $? "memory by ${k%:*}"
	kill "$(cat "$tmp/pid-kind")"
	while [ -e "$tmp/pid-kind" ]; do sleep 0.05; done
done
[ -z "$(ls "$tmp" | grep '^ivshmem\.')" ]
ok $? 'a file in a folder has no name'

kill "$(cat "$tmp/pid")"
while [ -e "$tmp/pid" ]; do sleep 0.05; done
[ ! -e "$s" ]
ok $? 'the daemon ends, and takes its socket along'
[ -e /dev/shm/$name ]
ok $? 'named memory stays'
rm -f /dev/shm/$name
echo "1..$count"
