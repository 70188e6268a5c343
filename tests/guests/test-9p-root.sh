#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A Debian with systemd whose root is a folder of the host: an initramfs made with automount9p's hook mounts it, and the generator and the udev
# rule show other shares, one that is there and one that is plugged in. Nobody types a command.
. "$(dirname "$0")/lib.sh"
if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP an installed Debian can be made by root only"
	exit
fi
archive=$("$SRC_DIR/tests/guests/share/debian-root.sh") || { echo "Bail out! the root can't be made"; exit 1; }
echo "# timeout: 3200"
mkdir "$tmp/root" "$tmp/documents" "$tmp/late"
tar -C "$tmp/root" --numeric-owner -xpf "$archive"
echo "hello from the host" > "$tmp/documents/hello"
echo "late, but there" > "$tmp/late/hello"

with_qmp root 1000 x86_64 -m 512 -no-reboot -nic user,model=virtio-net-pci -kernel "$(ls "$tmp"/root/boot/vmlinuz-*)" \
	-initrd "$(ls "$tmp"/root/boot/initrd.img-*)" \
	-append 'root=debian rootfstype=9p rootflags=trans=virtio,version=9p2000.L,msize=262144,cache=loose rw console=ttyS0 net.ifnames=0' \
	-virtfs "local,path=$tmp/root,mount_tag=debian,security_model=passthrough,multidevs=remap" \
	-share "$tmp/documents,mount=/data/documents" \
	-fsdev "local,id=late,path=$tmp/late,security_model=mapped-xattr" -fw_cfg name=opt/automount9p/late,string=mount=/media/late
report=$tmp/documents/report
# told PATTERN: the guest has written such a line
told() {
	grep -q -e "$1" "$report"
}
wait_for "$report" 'plug, please' 500
told '^9p at /$'
ok $? 'root: systemd on a folder of the host'
told '^9p at /data/documents$' && told '^share: hello from the host$' && told '^unit: active$'
ok $? 'root: a share has a mount unit, and can be written'
qmp '{"execute":"device_add","arguments":{"driver":"virtio-9p-pci","id":"late0","fsdev":"late","mount_tag":"late"}}'
wait_for "$report" '^failed:' 300
told '^plugged: late, but there$'
ok $? 'root: a share that is plugged in'
told '^failed:$'
ok $? 'root: no unit has failed'
[ ! -f "$report" ] || sed 's/^/# /' "$report"
wait $pid
exec 3>&-
[ -s "$tmp/root/etc/machine-id" ] && grep -q '^[0-9a-f]*$' "$tmp/root/etc/machine-id"
ok $? 'root: what it has written is on the host'
done_testing
