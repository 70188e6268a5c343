#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest's root, who sends what messages he likes, and somebody on the host who turns a folder into a link and back meanwhile, against a share: a
# folder beside it, whose place the guest knows, is neither read nor changed.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64
share=$("$SRC_DIR/tests/guests/share/make.sh") || { echo "Bail out! what the guests need can't be had"; exit 1; }
cat "$cache/initramfs-x86_64.cpio.gz" "$share" > "$tmp/initrd.gz"
cc -O2 -I"$SRC_DIR" "$SRC_DIR"/tests/guests/share/p9attack.c "$SRC_DIR"/tests/guests/share/p9raw.c -o "$tmp/p9attack"
ok $? 'the one on the host is built'

place=$tmp/place
# Who has read or changed anything shows in the times.
outside() {
	stat -c '%n %F %s %h %u:%g %a %X %Y %z' "$place" "$place/outside" "$place/outside/secret" "$place/outside/folder"
}

# attack MODEL
attack() {
	rm -rf "$place/share" "$place/outside"
	mkdir -p "$place/share/d" "$place/share/e" "$place/outside/folder"
	echo "hello from the host" > "$place/share/hello"
	echo inside | tee "$place/share/d/file" > "$place/share/e/file"
	echo "S3CRET-OF-THE-HOST" > "$place/outside/secret"
	touch -a -d '2 days ago' "$place/outside" "$place/outside/secret" "$place/outside/folder"
	ln -s "$place/outside/secret" "$place/share/to-file"
	ln -s "$place/outside" "$place/share/to-folder"
	ln -s ../outside/secret "$place/share/relative"
	ln -s /proc/self/root "$place/share/proc"
	mkfifo "$place/share/pipe"
	: > "$tmp/$1.log"
	outside > "$tmp/before"
	"$tmp/p9attack" race "$place/share" "$place/outside" &
	racer=$!
	boot "$1" x86_64 300 -m 256 -nic none -kernel "$cache/linux-amd64" -initrd "$tmp/initrd.gz" \
		-append "console=ttyS0 panic=-1 mods=none run=attack arg=$place/outside" \
		-virtfs "local,path=$place/share,mount_tag=share,security_model=$1,multidevs=remap"
	kill $racer
	wait $racer 2> /dev/null
	sed -n 's/^p9attack: \([0-9]*\) checks.*/# \1 checks in the guest/p' "$tmp/$1.log"
	has "$1" '^p9attack: [1-9][0-9]* checks, 0 failed' && has "$1" 'GUEST-DONE rc=0'
	ok $? "$1: the guest has seen nothing, and got its answers"
	outside > "$tmp/after"
	cmp -s "$tmp/before" "$tmp/after"
	ok $? "$1: nothing outside was read or changed"
	diff "$tmp/before" "$tmp/after" | sed 's/^/# /'
	[ "$(ls "$place/outside")" = "folder
secret" ] && [ "$(cat "$place/outside/secret")" = S3CRET-OF-THE-HOST ]
	ok $? "$1: what is outside is as it was"
	[ -z "$(find "$place/share" -perm /6000)" ]
	ok $? "$1: no file of the host runs as somebody else"
}

attack mapped-xattr
attack mapped-file
attack none
[ "$(id -u)" != 0 ] || attack passthrough
done_testing
