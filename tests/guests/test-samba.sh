#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Folders of the host by Samba: -netdev user,smb= and -share, mounted by a Debian guest's CIFS client. No process of it has a TCP socket, and
# nothing is left when the emulator ends, or is killed.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64
share=$("$SRC_DIR/tests/guests/share/make.sh") || { echo "Bail out! what the guests need can't be had"; exit 1; }
if ! [ -x /usr/sbin/smbd ]; then
	echo "1..0 # SKIP smbd isn't installed (package samba)"
	exit 0
fi
cat "$cache/initramfs-x86_64.cpio.gz" "$share" > "$tmp/initrd.gz"
# A short path: there are sockets in it.
XDG_RUNTIME_DIR=$(mktemp -d /tmp/samba-test.XXXXXX)
export XDG_RUNTIME_DIR
trap 'rm -rf "$tmp" "$XDG_RUNTIME_DIR"' EXIT

children() {
	cat "/proc/$1/task/$1/children" 2> /dev/null
}

# The emulator's, below timeout; its helper; and all below that.
emulator() {
	children $pid | tr -d ' '
}

below() {
	for b in $(children "$1"); do
		echo "$b"
		below "$b"
	done
}

# gone PID...: none of the processes is there, and no folder (the test's time limit ends a wait for ever)
gone() {
	for g; do
		while [ -d "/proc/$g" ]; do sleep 0.1; done
	done
	while [ -n "$(ls -A "$XDG_RUNTIME_DIR")" ]; do sleep 0.1; done
}

# mounted NAME UID: a guest in which all works, as process $pid; what it writes is UID's
mounted() {
	mname=$1 muid=$2 folder="$tmp/shared folder #1;"
	rm -rf "$folder" "$tmp/pictures"
	mkdir "$folder" "$tmp/pictures"
	echo "hello from the host" > "$folder/hello"
	echo "a picture" > "$tmp/pictures/hello"
	touch "$folder/remove-me"
	ln -s /etc "$folder/outside"
	chown -R "$muid" "$folder" "$tmp/pictures"
	with_qmp "$mname" 500 x86_64 -m 256 -kernel "$kernel" -initrd "$tmp/initrd.gz" \
		-append 'console=ttyS0 panic=-1 mods=none run=cifs' -nic "user,model=virtio-net-pci,smb=$folder" \
		-share "$tmp/pictures,ro=on"
	wait_for "$serial" 'cifs done' 450
	ok $? "$mname: two shares mounted"
	has "$mname" '^cifs read: hello from the host' && has "$mname" '^cifs folders'
	ok $? "$mname: files and folders"
	[ "$(cat "$folder/new")" = 'written by the guest
and more' ] && [ ! -e "$folder/remove-me" ] && [ -f "$folder/folder/moved" ]
	ok $? "$mname: are on the host"
	[ "$(stat -c %u "$folder/new")" = "$muid" ]
	ok $? "$mname: who runs the emulator owns them"
	sum=$(md5sum < "$folder/big")
	has "$mname" "^cifs sum ${sum%% *}" && has "$mname" '^cifs the same read back'
	ok $? "$mname: 4 MiB written and read back"
	has "$mname" '^cifs read-only: a picture' && has "$mname" '^cifs refused to write' && [ ! -e "$tmp/pictures/new" ]
	ok $? "$mname: ro=on"
	has "$mname" '^cifs kept inside'
	ok $? "$mname: a link leads nowhere outside"
}

kernel=$cache/linux-amd64
mounted samba "$(id -u)"
qmp '{"execute":"human-monitor-command","arguments":{"command-line":"info network"}}'
answered '10\.0\.2\.4\\\\qemu: .*shared folder #1;'
ok $? 'samba: info network'
e=$(emulator) all="$(below "$(emulator)")"
[ "$(for p in $all; do cat "/proc/$p/comm"; done | grep -c smbd)" -ge 2 ]
ok $? 'samba: an smbd for each connection'
bad=
for p in $all; do
	for i in $(ls -l "/proc/$p/fd" 2> /dev/null | sed -n 's/.*socket:\[\([0-9]*\)\].*/\1/p'); do
		cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | awk -v i="$i" '$10 == i { f = 1 } END { exit !f }' && bad="$bad $p"
	done
done
[ -z "$bad" ]
ok $? 'samba: no TCP socket'
kill -KILL "$e"
wait $pid 2> /dev/null
exec 3>&-
gone $all
ok $? 'samba: nothing is left of a killed emulator'
[ -f "$folder/hello" ] && [ -f "$tmp/pictures/hello" ]
ok $? 'samba: but what was shared'

with_qmp quit 200 x86_64 -S -m 32 -netdev "user,id=n,smb=$tmp,smbserver=10.0.2.77" -device e1000,netdev=n
[ -n "$(ls -A "$XDG_RUNTIME_DIR")" ]
ok $? 'quit: a folder while it runs'
all="$(below "$(emulator)")"
qmp '{"execute":"quit"}'
wait $pid
[ $? = 0 ] && gone $all
ok $? 'quit: nothing is left'
exec 3>&-

# Root may do anything; to others Samba's own idea of who may do what counts. Who tests as root does it again as somebody else,
# with a copy of the programs, as that one may not reach the folder that they were built in.
other=daemon
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null && id $other > /dev/null 2>&1; then
	built=$QEMU_BIN QEMU_BIN=$tmp/other kernel=$tmp/kernel
	mkdir "$tmp/bin"
	cp "$built-x86_64" "${built%/*}/qemu-smb-helper" "${built%/*}/qemu-smb-peer.so" "$tmp/bin/"
	cat > "$tmp/other-x86_64" <<-END
		#!/bin/sh
		exec setpriv --reuid $other --regid $other --clear-groups "$tmp/bin/${built##*/}-x86_64" "\$@"
	END
	chmod 755 "$tmp/other-x86_64"
	cp "$cache/linux-amd64" "$kernel"
	chown -R $other "$tmp" "$XDG_RUNTIME_DIR"
	mounted other "$(id -u $other)"
	all="$(below "$(emulator)")"
	qmp '{"execute":"quit"}'
	wait $pid
	[ $? = 0 ] && gone $all
	ok $? 'other: nothing is left'
	exec 3>&-
	QEMU_BIN=$built
	chown -R 0 "$tmp" "$XDG_RUNTIME_DIR"
fi

refused() {
	timeout -k 5 60 "$QEMU_BIN-x86_64" -S -display none -nodefaults $3 -netdev "user,id=n,$1" < /dev/null > "$tmp/refused.log" 2>&1
	[ $? = 1 ] && grep -q "$2" "$tmp/refused.log" && gone
	ok $? "refused: $1"
}

refused smb=/nonexistent "'/nonexistent' can't be shared: No such file or directory" ''
refused "smb=$tmp,smbserver=10.0.2.2" "'smbserver' is '10.0.2.2'" ''
refused "smb=$tmp,smbserver=nowhere" "'smbserver' is 'nowhere'" ''
refused "smb=$tmp" "'smb' isn't possible with -runas" '-runas nobody'
done_testing
