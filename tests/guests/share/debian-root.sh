#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The root of an installed Debian with automount9p, as a tar archive to be unpacked and exported to a guest. As root, from
# scripts/disk-image.sh's image. Prints the archive's path; kept in the guests' cache, and made anew when its sources have changed.
set -eu
src=$(cd "$(dirname "$0")/../../.." && pwd)
cache=${GUEST_CACHE:-$src/.cache/guests}
out=$cache/debian-root-amd64.tar
export LC_ALL=C PATH=$PATH:/sbin:/usr/sbin
image=$("$src/scripts/disk-image.sh" --arch amd64)
exec 9> "$cache/debian-root.lock"
flock 9
sum=$(cat "$image.sum" "$0" "$src"/guest/automount9p/* | sha256sum)
if [ -f "$out" ] && [ "$(cat "$out.sum" 2> /dev/null)" = "$sum" ]; then
	echo "$out"
	exit 0
fi
tmp=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT INT TERM
r=$tmp/root
mkdir "$r"
# No loop device is needed. What debugfs leaves out: bits beside the permissions.
debugfs -R "rdump / $r" "$image?offset=1048576" > "$tmp/debugfs.log" 2>&1
chmod 1777 "$r/tmp" "$r/var/tmp"
v=$(ls "$r/lib/modules" | tail -1)
[ -f "$r/boot/vmlinuz-$v" ] || {
	cat "$tmp/debugfs.log" >&2
	exit 1
}

# Modules of machines that aren't ours, and what GRUB needs.
(cd "$r/lib/modules/$v/kernel" && rm -rf sound drivers/gpu drivers/media drivers/staging drivers/infiniband drivers/iio \
	drivers/scsi drivers/usb drivers/net/wireless drivers/net/ethernet drivers/hid drivers/mtd drivers/isdn drivers/hwmon)
rm -rf "$r/boot/grub" "$r/lost+found"
: > "$r/etc/fstab"
"$src/guest/automount9p/install.sh" "$r"
# Nobody types: it writes into a share what it sees, and switches off.
cat > "$r/etc/systemd/system/tell.service" <<-'END'
	[Unit]
	Description=Tell what is mounted
	After=multi-user.target
	[Service]
	Type=oneshot
	ExecStart=/root/tell
	[Install]
	WantedBy=multi-user.target
END
cat > "$r/root/tell" <<-'END'
	#!/bin/sh
	exec > /data/documents/report 2>&1
	while read -r _ at type _; do
		[ "$type" = 9p ] && echo "9p at $at"
	done < /proc/mounts
	echo "share: $(cat /data/documents/hello)"
	echo "unit: $(systemctl is-active data-documents.mount)"
	echo "plug, please"
	until [ -e /media/late/hello ]; do sleep 0.2; done
	echo "plugged: $(cat /media/late/hello)"
	failed=$(systemctl list-units --failed --plain --no-legend | cut -d' ' -f1)
	for u in $failed; do
		journalctl -b -u "$u" -o cat --no-pager | tail -n 4
	done
	echo "failed:" $failed
	systemctl --no-block poweroff
END
chmod 755 "$r/root/tell"
ln -s ../tell.service "$r/etc/systemd/system/multi-user.target.wants/tell.service"
# As small as it can be: the hook says what is needed.
echo 'MODULES=list' > "$r/etc/initramfs-tools/conf.d/small"
unshare --mount --propagation private sh -ec "
	mount -t proc proc '$r/proc'
	mount --bind /dev '$r/dev'
	chroot '$r' depmod '$v'
	chroot '$r' update-initramfs -u -k '$v'" > "$tmp/chroot.log" 2>&1 || {
	cat "$tmp/chroot.log" >&2
	exit 1
}
tar -C "$r" --numeric-owner -cf "$tmp/root.tar" .
mv "$tmp/root.tar" "$out"
echo "$sum" > "$out.sum"
echo "$out"
