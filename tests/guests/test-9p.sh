#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Shares of the host, mounted by Debian's 9p modules: what programs do with files, in each security model and with both
# dialects; a share as the root; shares that mount themselves; migration while something is mounted, and after; what it looks like on the host.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64
share=$("$SRC_DIR/tests/guests/share/make.sh") || { echo "Bail out! what the guests need can't be had"; exit 1; }
cat "$cache/initramfs-x86_64.cpio.gz" "$share" > "$tmp/initrd.gz"
kernel="-m 256 -nic none -kernel $cache/linux-amd64 -initrd $tmp/initrd.gz"

new_share() {
	rm -rf "$tmp/share"
	mkdir "$tmp/share"
	echo "hello from the host" > "$tmp/share/hello"
}

# try NAME SECURITY-MODEL ARGUMENTS OPTION...
try() {
	tname=$1 tmodel=$2 targs=$3
	shift 3
	new_share
	boot "$tname" x86_64 300 $kernel -append "console=ttyS0 panic=-1 no_timer_check mods=none run=p9 arg=$targs" \
		-virtfs "local,path=$tmp/share,mount_tag=share,security_model=$tmodel" "$@"
	has "$tname" '^hello from the host' && has "$tname" 'p9check: [0-9]* checks, 0 failed' && has "$tname" 'GUEST-DONE rc=0'
	ok $? "$tname: a file system"
	[ "$tname" = dotu ] && return
	has "$tname" '^p9posix: [0-9]* checks, 0 failed'
	ok $? "$tname: what POSIX says of each call"
	[ "$(tr -d '\r' < "$tmp/$tname.log" | grep -c '^p9stress: [0-9]* checks, 0 failed')" = 3 ] && [ ! -e "$tmp/share/all" ]
	ok $? "$tname: random calls of three processes"
}

try mapped-xattr mapped-xattr mapped-xattr,version=9p2000.L,cache=loose
[ "$(stat -c %F-%a "$tmp/share/work/dev" "$tmp/share/work/l")" = "regular empty file-600
regular file-600" ]
ok $? 'mapped-xattr: devices and links are files on the host'
try mapped-file mapped-file mapped-file,version=9p2000.L
[ "$(grep -c . "$tmp/share/work/.virtfs_metadata/dev")" = 4 ]
ok $? 'mapped-file: owner, group, mode and device number are in a file'
try none none none,version=9p2000.L,cache=mmap
try dotu mapped-xattr dotu,version=9p2000.u
if [ "$(id -u)" = 0 ]; then
	try passthrough passthrough passthrough,version=9p2000.L
	[ "$(stat -c %u-%g-%a "$tmp/share/work/m")" = 1234-567-751 ] && [ -c "$tmp/share/work/dev" ] && [ -L "$tmp/share/work/l" ]
	ok $? 'passthrough: owners, devices and links are those of the host'
fi

# A folder as the root: the initramfs of the other tests, with another start.
new_share
(cd "$tmp/share" && zcat "$cache/initramfs-x86_64.cpio.gz" | cpio -idm --quiet 2> /dev/null)
cat > "$tmp/share/bin/init-9p" <<-'END'
	#!/bin/busybox sh
	export PATH=/bin
	busybox mount -t proc proc /proc
	grep ' / 9p ' /proc/mounts && echo "root on 9p, $(busybox ls / | busybox wc -l) entries"
	echo "written by its root" > /from-the-guest
	busybox sync
	busybox poweroff -f
END
chmod 755 "$tmp/share/bin/init-9p"
boot root x86_64 300 $kernel -append 'console=ttyS0 panic=-1 no_timer_check mods=none run=p9 arg=root,version=9p2000.L,cache=mmap' \
	-virtfs "local,path=$tmp/share,mount_tag=share,security_model=mapped-xattr"
has root '^root on 9p' && [ "$(cat "$tmp/share/from-the-guest")" = 'written by its root' ]
ok $? 'root: a guest lives in a folder of the host'

# -share: the guest is told where; a name that the folder doesn't give is made.
new_share
mkdir "$tmp/my pictures!"
echo "a picture" > "$tmp/my pictures!/hello"
boot automount x86_64 300 $kernel -append 'console=ttyS0 panic=-1 no_timer_check mods=none run=automount' \
	-share "$tmp/share,tag=docs,mount=/data/documents" -share "$tmp/my pictures!,ro=on,mount=/media/pictures"
has automount '^writable: hello from the host' && has automount '^read-only: a picture' &&
	has automount 'GUEST-DONE rc=0' && [ "$(cat "$tmp/share/new")" = 'written by the guest' ] &&
	[ "$(tr -d '\r' < "$tmp/automount.log" | grep -c '^[^ ]* /.* 9p ')" = 2 ]
ok $? 'automount: shares appear where the host says'

# Migration is refused with a reason while the guest has it mounted.
new_share
with_qmp migration 300 x86_64 $kernel -append 'console=ttyS0 panic=-1 no_timer_check mods=none run=p9 arg=wait,version=9p2000.L' \
	-fsdev "local,id=f,path=$tmp/share,security_model=none" -device virtio-9p-pci,id=fs0,fsdev=f,mount_tag=share
wait_for "$serial" 'hello from the host' 200
qmp '{"execute":"migrate","arguments":{"uri":"exec:cat > /dev/null"}}'
[ $? = 1 ] && answered "'fs0' (virtio-9p) has a file system mounted"
ok $? 'migration: refused while something is mounted'
touch "$tmp/share/unmount"
wait_for "$serial" 'p9 unmounted' 200
qmp '{"execute":"migrate","arguments":{"uri":"exec:cat > /dev/null"}}'
ok $? 'migration: goes when nothing is'
qmp '{"execute":"quit"}'
wait $pid
exec 3>&-
done_testing
