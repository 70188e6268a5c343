#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The NBD server and client, with each other and with the distribution's. TAP on standard output.
set -u
: "${BUILD_DIR:?build folder}"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/nbd-test.XXXXXX")
pids=
trap 'for p in $pids; do kill $p 2> /dev/null; done; rm -rf "$tmp"' EXIT INT TERM
img=$BUILD_DIR/qemu-img nbd=$BUILD_DIR/qemu-nbd
count=0

ok() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; sed 's/^/# /' "$tmp/out" 2> /dev/null; fi
}

# serve PROGRAM SOCKET ARG...: a server in the background, listening at return
serve() {
	program=$1 socket=$2
	shift 2
	"$program" --fork --pid-file "$socket.pid" -k "$socket" "$@" < /dev/null > "$tmp/out" 2>&1
	rc=$?
	[ $rc != 0 ] || pids="$pids $(cat "$socket.pid")"
	return $rc
}

leave() {
	kill "$(cat "$1.pid")"
	while kill -0 "$(cat "$1.pid")" 2> /dev/null; do sleep 0.05; done
}

head -c 3000000 /dev/urandom > "$tmp/src.raw"
truncate -s 4M "$tmp/src.raw"
s=$tmp/s uri="nbd+unix:///disk?socket=$tmp/s"

# Ours with ours.
"$img" create -q -f qcow2 "$tmp/d.qcow2" 4M
serve "$nbd" "$s" -f qcow2 -x disk -t -e 0 "$tmp/d.qcow2"
ok $? 'a server in the background'
timeout 120 "$img" convert -n -f raw -O raw "$tmp/src.raw" "$uri" > "$tmp/out" 2>&1 &&
	timeout 120 "$img" compare -f raw -F raw "$tmp/src.raw" "$uri" > "$tmp/out" 2>&1
ok $? 'our client writes and reads'
! timeout 120 "$img" info "nbd+unix:///other?socket=$s" > "$tmp/out" 2>&1 && grep -q "'other' not present" "$tmp/out"
ok $? 'an export that is not there'
timeout 120 perl -MIO::Socket::UNIX -e '
	$c = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!\n";
	$c->syswrite("rubbish that is no negotiation at all, and longer than the first flags");
	$c->shutdown(1);
	$all .= $piece while $c->sysread($piece, 4096);
	exit(index($all, "NBDMAGIC") != 0)' "$s" > "$tmp/out" 2>&1
ok $? 'rubbish is said to it after its greeting'
timeout 120 "$img" compare -f raw -F raw "$tmp/src.raw" "nbd:unix:$s:exportname=disk" > "$tmp/out" 2>&1
ok $? 'it outlives that; the old form of the name'

if [ -x /usr/bin/qemu-img ] && [ -x /usr/bin/qemu-nbd ] && [ -x /usr/bin/qemu-io ]; then
	timeout 120 /usr/bin/qemu-img compare -f raw -F raw "$tmp/src.raw" "$uri" > "$tmp/out" 2>&1
	ok $? "the distribution's client reads from ours"
	timeout 120 /usr/bin/qemu-io -f raw -c 'write -P 0x5a 4096 8192' -c 'write -z 65536 65536' \
		-c 'discard 131072 65536' -c flush -c 'read -P 0x5a 4096 8192' -c 'read -P 0 65536 65536' "$uri" \
		> "$tmp/out" 2>&1 && ! grep -q -i 'fail\|error' "$tmp/out"
	ok $? 'and writes, zeroes, discards, flushes'
	timeout 120 /usr/bin/qemu-nbd -L -k "$s" > "$tmp/out" 2>&1 && grep -q "export: 'disk'" "$tmp/out"
	ok $? 'and lists'
	leave "$s"
	"$img" check -q "$tmp/d.qcow2"
	ok $? 'the image is sound'
	serve /usr/bin/qemu-nbd "$tmp/t" -f raw -x disk -t -e 0 "$tmp/src.raw"
	ok $? "the distribution's server"
	theirs="nbd+unix:///disk?socket=$tmp/t"
	timeout 120 "$img" convert -f raw -O qcow2 "$theirs" "$tmp/out.qcow2" > "$tmp/out" 2>&1 &&
		timeout 120 "$img" compare -f qcow2 -F raw "$tmp/out.qcow2" "$theirs" > "$tmp/out" 2>&1
	ok $? 'our client reads from it'
	timeout 120 "$img" convert -n -f qcow2 -O raw "$tmp/d.qcow2" "$theirs" > "$tmp/out" 2>&1 &&
		timeout 120 "$img" compare -f qcow2 -F raw "$tmp/d.qcow2" "$theirs" > "$tmp/out" 2>&1
	ok $? 'and writes to it'
	leave "$tmp/t"
else
	leave "$s"
	count=$((count + 1))
	echo "ok $count - the distribution's qemu-nbd # SKIP qemu-utils isn't installed"
fi

# Pieces of a chain, as the distribution's clients are told of them: 1 MiB, [64K, 128K) in the top image and marked,
# [256K, 320K) in the one below.
if [ -x /usr/bin/qemu-img ] && [ -x /usr/bin/qemu-io ] && [ -x /usr/bin/nbdinfo ]; then
	"$img" create -q -f qcow2 "$tmp/low.qcow2" 1M
	/usr/bin/qemu-io -f qcow2 -c 'write -P 1 256k 64k' "$tmp/low.qcow2" > "$tmp/out" 2>&1
	"$img" create -q -f qcow2 -b "$tmp/low.qcow2" -F qcow2 "$tmp/top.qcow2"
	/usr/bin/qemu-img bitmap --add "$tmp/top.qcow2" marks
	/usr/bin/qemu-io -f qcow2 -c 'write -P 2 64k 64k' "$tmp/top.qcow2" > "$tmp/out" 2>&1
	! serve "$nbd" "$tmp/c" -f qcow2 -r -B other "$tmp/top.qcow2" && grep -q "'other' is not found" "$tmp/out"
	ok $? 'a bitmap that is not there'
	serve "$nbd" "$tmp/c" -f qcow2 -r -x disk -t -e 0 -A -B marks -D 'a text' "$tmp/top.qcow2"
	ok $? 'a chain with a bitmap'
	chain="nbd+unix:///disk?socket=$tmp/c"
	timeout 120 nbdinfo "$chain" > "$tmp/out" 2>&1 && grep -q 'base:allocation' "$tmp/out" &&
		grep -q 'qemu:allocation-depth' "$tmp/out" && grep -q 'qemu:dirty-bitmap:marks' "$tmp/out" &&
		grep -q 'a text' "$tmp/out"
	ok $? 'nbdinfo lists the contexts and the description'
	# map CONTEXT PIECE...: each one "OFFSET LENGTH FLAGS"
	map() {
		timeout 120 nbdinfo --map="$1" "$chain" > "$tmp/out" 2>&1 || return 1
		shift
		awk '{ print $1, $2, $3 }' "$tmp/out" > "$tmp/got"
		printf '%s\n' "$@" | cmp -s - "$tmp/got"
	}
	map base:allocation '0 65536 3' '65536 65536 0' '131072 131072 3' '262144 65536 0' '327680 720896 3'
	ok $? 'what is allocated'
	map qemu:allocation-depth '0 65536 0' '65536 65536 1' '131072 131072 0' '262144 65536 2' '327680 720896 0'
	ok $? 'in which image'
	map qemu:dirty-bitmap:marks '0 65536 0' '65536 65536 1' '131072 917504 0'
	ok $? 'what the bitmap has marked'
	timeout 120 /usr/bin/qemu-img map --output=json --image-opts \
		"driver=nbd,export=disk,server.type=unix,server.path=$tmp/c,x-dirty-bitmap=qemu:dirty-bitmap:marks" \
		> "$tmp/out" 2>&1 && [ "$(grep -c '"data": false' "$tmp/out")" = 1 ] &&
		grep '"data": false' "$tmp/out" | grep -q '"start": 65536, "length": 65536'
	ok $? "the distribution's qemu-img sees the marks (as no data)"
	timeout 120 /usr/bin/qemu-io -r -f raw -c 'read -P 0 0 64k' -c 'read -P 2 64k 64k' -c 'read -P 0 128k 128k' \
		-c 'read -P 1 256k 64k' -c 'read -P 0 320k 704k' -c 'read 0 1M' "$chain" > "$tmp/out" 2>&1 &&
		! grep -q -i 'fail\|error' "$tmp/out"
	ok $? 'reads come as data and holes'
	timeout 120 /usr/bin/qemu-img compare -f raw -F qcow2 "$chain" "$tmp/top.qcow2" > "$tmp/out" 2>&1
	ok $? 'and are what is in the image'
	# Options whose lengths and counts are wrong, then requests that make no sense.
	option() { printf "IHAVEOPT\\000\\000\\000\\$1\\000\\000\\000\\$2"; }
	request() { printf "\\045\\140\\225\\023\\000\\$1\\000\\$2\\0\\0\\0\\0\\0\\0\\0\\0\\$3\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\$4"; }
	{
		printf '\000\000\000\003'
		option 011 004; printf '\000\000\000\000'
		option 010 000
		option 012 004; printf '\377\377\377\377'
		option 012 014; printf '\000\000\000\004disk\377\377\377\377'
		option 011 020; printf '\000\000\000\004disk\000\000\000\001\377\377\377\377'
		option 012 037; printf '\000\000\000\004disk\000\000\000\001\000\000\000\017base:allocation'
		option 007 012; printf '\000\000\000\004disk\000\000'
		request 0 7 0 0; request 0 7 377 1; request 020 0 0 1; request 0 0 377 1; request 0 143 0 1
		request 0 2 0 0
	} | timeout 120 perl -MIO::Socket::UNIX -e '
		$s = IO::Socket::UNIX->new($ARGV[0]) or die; local $/; $s->print(<STDIN>); $s->flush; $s->shutdown(1);
		print <$s>' "$tmp/c" | od -An -v -tx1 | tr -d ' \n' > "$tmp/out"
	[ "$(grep -o 80000003 "$tmp/out" | wc -l)" = 4 ] && [ "$(grep -o 668e33ef00018001 "$tmp/out" | wc -l)" = 4 ] &&
		grep -q 6744669800000016 "$tmp/out" && kill -0 "$(cat "$tmp/c.pid")"
	ok $? 'what makes no sense is refused, and the server goes on'
	leave "$tmp/c"
else
	count=$((count + 1))
	echo "ok $count - pieces of a chain # SKIP qemu-utils or libnbd-bin isn't installed"
fi

# One client, then it ends; read-only.
serve "$nbd" "$s" -f raw -r "$tmp/src.raw"
! timeout 120 "$img" convert -n -f qcow2 -O raw "$tmp/d.qcow2" "nbd+unix:///?socket=$s" > "$tmp/out" 2>&1
ok $? 'a read-only export refuses writers'
while kill -0 "$(cat "$s.pid")" 2> /dev/null; do sleep 0.05; done
ok 0 'the server ends with its last client'
echo "1..$count"
