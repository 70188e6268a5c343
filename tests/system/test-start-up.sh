#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Starting up loads no library that isn't needed; what is needed is loaded, or an error says which isn't there.
set -u
: "${QEMU_BIN:?path of the emulator}"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/start-up.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM

if ldd "$QEMU_BIN" | grep -q libgnutls; then
	echo "ok 1 - libraries # SKIP this build loads all libraries at the start"
	echo 1..1
	exit 0
fi
count=0
result() {
	count=$((count + 1))
	if [ "$2" = yes ]; then echo "ok $count - $1"; else echo "not ok $count - $1"; fi
}

# loaded ARG...: what a process with these arguments has loaded when it answers
loaded() {
	rm -f "$tmp/in" "$tmp/out"
	mkfifo "$tmp/in" "$tmp/out"
	"$QEMU_BIN-x86_64" -M none -nodefaults -display none -qmp stdio "$@" < "$tmp/in" > "$tmp/out" 2> "$tmp/err" &
	pid=$!
	exec 8> "$tmp/in" 9< "$tmp/out"
	read -r line <&9
	sed -n 's,.*/\(lib[^/]*\)$,\1,p' "/proc/$pid/maps" | sort -u > "$tmp/libs"
	exec 8>&- 9<&-
	kill $pid
	wait $pid 2> /dev/null
}

loaded
grep -v -e '^libglib-' -e '^libpcre' -e '^libm\.' -e '^libc\.' "$tmp/libs" > "$tmp/more"
result "few libraries" "$([ -s "$tmp/more" ] || echo yes)"
sed 's/^/# /' "$tmp/more"

loaded -object tls-creds-anon,id=t,endpoint=server
result "TLS when it is asked for" "$(grep -q '^libgnutls' "$tmp/libs" && echo yes)"

echo nothing > "$tmp/libgnutls.so.30"
LD_LIBRARY_PATH=$tmp timeout 120 "$QEMU_BIN-x86_64" -M none -display none -object tls-creds-anon,id=t,endpoint=server < /dev/null \
	2> "$tmp/err"
result "a library that is damaged" "$([ $? = 1 ] && grep -q 'no TLS: .*libgnutls' "$tmp/err" && echo yes)"
sed 's/^/# /' "$tmp/err"
echo 1..$count
