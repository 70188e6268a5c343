#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A folder with a million files (MANY says how many) in a guest: listed completely and once, found, changed. By hand: it takes minutes, and
# as many inodes of the host's memory file system.
TMPDIR=${TMPDIR:-/dev/shm}
export TMPDIR
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64
share=$("$SRC_DIR/tests/guests/share/make.sh") || { echo "Bail out! what the guests need can't be had"; exit 1; }
cat "$cache/initramfs-x86_64.cpio.gz" "$share" > "$tmp/initrd.gz"
n=${MANY:-1000000}
mkdir -p "$tmp/share/many"
echo hello > "$tmp/share/hello"
echo "$n" > "$tmp/share/number"
(cd "$tmp/share/many" && seq -f f%.0f 0 $((n - 1)) | xargs touch)
boot many x86_64 1500 -m 1024 -nic none -kernel "$cache/linux-amd64" -initrd "$tmp/initrd.gz" \
	-append 'console=ttyS0 mods=none run=p9 arg=many,version=9p2000.L,msize=500000' \
	-virtfs "local,path=$tmp/share,mount_tag=share,security_model=none"
sed -n 's/^p9many took.*/# &/p' "$tmp/many.log"
[ "$(tr -d '\r' < "$tmp/many.log" | grep '^p9many [0-9]')" = "p9many $n $n
p9many $n $((n - 1))" ]
ok $? "many: $n files, each once, before changes and after"
has many "^p9 found f$((n - 1))" && has many "^p9 found f$((n / 2))" && has many '^p9 found f0'
ok $? 'many: the first, one in the middle, the last'
has many '^p9 changed' && [ "$(cat "$tmp/share/many/f$n")" = new ] && [ -e "$tmp/share/many/moved" ] && [ ! -e "$tmp/share/many/f1" ]
ok $? 'many: made, renamed, removed'
done_testing
