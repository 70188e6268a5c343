#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What scripts/installer-serve.pl answers to Debian's installer, and to whom asks for what isn't the installer's.
tmp=$(mktemp -d)
trap 'kill $pid 2> /dev/null; rm -rf "$tmp"' EXIT
count=0
ok() {
    count=$((count + 1))
    [ "$1" = 0 ] && echo "ok $count - $2" || echo "not ok $count - $2"
}
command -v perl > /dev/null && [ -x /usr/lib/apt/apt-helper ] || { echo "1..0 # SKIP no perl or apt; Debian packages: perl-base apt"; exit; }

mkdir -p "$tmp/mirror/dists" "$tmp/mirror/pool"
echo 'a list' > "$tmp/mirror/dists/Release"
head -c 300000 /dev/urandom > "$tmp/mirror/pool/a+b.udeb"
echo secret > "$tmp/secret"
"$SRC_DIR/scripts/installer-serve.pl" "$tmp/mirror" http://127.0.0.1:9/debian "$tmp/port" 2> "$tmp/err" &
pid=$!
until [ -f "$tmp/port" ] || ! kill -0 $pid 2> /dev/null; do sleep 0.05; done
port=$(cat "$tmp/port")

# asked REQUEST-LINE: the answer is in $tmp/head and $tmp/body
asked() {
    exec 3<> "/dev/tcp/127.0.0.1/$port" || return 1
    printf '%s\r\nHost: mirror\r\n\r\n' "$1" >&3
    cat <&3 > "$tmp/answer"
    exec 3>&-
    sed '/^\r$/q' "$tmp/answer" > "$tmp/head"
    tail -c "+$(($(stat -c %s "$tmp/head") + 1))" "$tmp/answer" > "$tmp/body"
}
status() { grep -q "^HTTP/1.1 $1 " "$tmp/head"; }

asked 'GET /debian/dists/Release HTTP/1.1'
status 200 && cmp -s "$tmp/body" "$tmp/mirror/dists/Release"
ok $? "a file of the folder"
asked 'GET /debian/pool/a+b.udeb HTTP/1.0'
status 200 && grep -q 'Content-Length: 300000' "$tmp/head" && cmp -s "$tmp/body" "$tmp/mirror/pool/a+b.udeb"
ok $? "a large one, whole"
asked 'HEAD /debian/pool/a+b.udeb HTTP/1.1'
status 200 && grep -q 'Content-Length: 300000' "$tmp/head" && [ ! -s "$tmp/body" ]
ok $? "HEAD: its length alone"
for path in ../secret dists/../../secret ./../secret "dists/Release;echo" "a'b" 'a b'; do
    asked "GET /debian/$path HTTP/1.1"
    ! grep -q -a secret "$tmp/answer" && ! status 200
    ok $? "not answered: $path"
done
asked 'GET /debian/pool/absent.deb HTTP/1.1'
status 404 && [ -z "$(ls "$tmp/mirror-pool")" ]
ok $? "what the mirror doesn't have either"
echo kept > "$tmp/mirror-pool/pool_kept.deb"
asked 'GET /debian/pool/kept.deb HTTP/1.1'
status 200 && [ "$(cat "$tmp/body")" = kept ]
ok $? "a package that was fetched before"
asked 'PUT /debian/dists/Release HTTP/1.1'
[ ! -s "$tmp/answer" ]
ok $? "another method: the connection ends"
"$SRC_DIR/scripts/installer-serve.pl" "$tmp/mirror" "http://h/'x" "$tmp/port2" > "$tmp/out" 2>&1
[ $? != 0 ] && grep -q 'is no mirror' "$tmp/out"
ok $? "a mirror that is none is an error"
echo "1..$count"
