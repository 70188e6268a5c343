#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a disk image with an installed Debian, from packages of the mirror that this host's apt is
# set up for: systemd, GRUB for BIOS, a login on screen and serial port, sshd, DHCP. As root.
#
#   scripts/disk-image.sh [--arch amd64|i386] [--size MIB] [--with PACKAGE,...] [--name NAME]
#
# Prints the path of the raw image, .cache/guests/NAME.img (default NAME: debian-ARCH), which is made
# anew only when this script or its arguments changed. Use it through -snapshot or an overlay, or copy
# it. User root, password 'debian'; the key .cache/guests/guest-key opens its sshd.
#
# No loop device is needed: mke2fs fills the file system from the folder, and GRUB's two
# parts go to the places where its own installer puts them on a disk with a DOS label.
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
cache=${GUEST_CACHE:-$src/.cache/guests}
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
arch=amd64 size=3072 with= name=

usage() {
	echo "disk-image.sh: $1; accepted: --arch amd64|i386, --size MIB, --with PACKAGE,..., --name NAME" >&2
	exit 2
}
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || usage "'$1' needs a value or is unknown"
	case $1 in
	--arch) arch=$2 ;;
	--size) size=$2 ;;
	--with) with=$2 ;;
	--name) name=$2 ;;
	*) usage "unknown option '$1'" ;;
	esac
	shift 2
done
case $arch in
amd64) kernel=linux-image-amd64 ;;
i386) kernel=linux-image-686 ;;
*) usage "there is no architecture '$arch' here" ;;
esac
[ "$size" -ge 1024 ] 2> /dev/null || usage "size '$size' is too small or no number (1024 and more)"
name=${name:-debian-$arch}
packages="$kernel systemd-sysv udev dbus init-system-helpers login passwd procps iproute2 iputils-ping
	kmod openssh-server ca-certificates e2fsprogs util-linux less pciutils usbutils alsa-utils
	qemu-guest-agent curl $(echo "$with" | tr , ' ')"

mkdir -p "$cache"
image=$cache/$name.img
exec 9> "$cache/$name.lock"
flock 9
sum=$({ cat "$0"; echo "$arch $size $packages"; } | sha256sum)
if [ -f "$image" ] && [ "$(cat "$image.sum" 2> /dev/null)" = "$sum" ]; then
	echo "$image"
	exit
fi
if [ "$(id -u)" != 0 ]; then
	echo "disk-image.sh: must be root, to own the files of the guest's file system" >&2
	exit 1
fi
for tool in mmdebstrap arch-test mke2fs sfdisk grub-mkimage ssh-keygen; do
	PATH=$PATH:/sbin:/usr/sbin command -v $tool > /dev/null || {
		echo "disk-image.sh: '$tool' is missing; packages: mmdebstrap arch-test e2fsprogs fdisk grub-common" \
			"grub-pc-bin openssh-client" >&2
		exit 1
	}
done
PATH=$PATH:/sbin:/usr/sbin
tmp=$(mktemp -d "$cache/disk.XXXXXX")
# What an interrupted mmdebstrap has mounted there isn't ours to remove.
trap 'rm -rf --one-file-system "$tmp"' EXIT INT TERM
root=$tmp/root
[ -f "$cache/guest-key" ] || ssh-keygen -q -t ed25519 -N '' -C guest -f "$cache/guest-key"

# The suites of this host's apt, as they are.
echo "disk-image: installing Debian ($arch) into a folder" >&2
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null | grep '^deb ' > "$tmp/sources" || :
cat /etc/apt/sources.list.d/*.sources > "$tmp/deb822.sources" 2> /dev/null || :
[ -s "$tmp/sources" ] && list=$tmp/sources || list=$tmp/deb822.sources
sed -i '/^#/d' "$list"
# install LIST: its mounts are in a name space of their own, and go with it however it ends.
install() {
	unshare --mount --propagation private mmdebstrap --quiet --mode=root --variant=minbase \
		--architectures="$arch" \
		--aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--essential-hook="sh '$tmp/initramfs' \"\$1\"" \
		--include="$(echo $packages | tr ' ' ,)" bookworm "$root" "$1" >&2
}
# The initramfs has what the buses of these machines need, and not a driver for each disk there is: GRUB reads it
# through the BIOS, and the kernel unpacks it, at each boot.
cat > "$tmp/initramfs" <<'END'
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
echo MODULES=list > "$1/etc/initramfs-tools/conf.d/buses"
cat > "$1/usr/share/initramfs-tools/modules.d/buses" <<'LIST'
ata_generic
ata_piix
ahci
sd_mod
sr_mod
virtio_pci
virtio_blk
virtio_scsi
ehci-pci
uhci-hcd
xhci-pci
usb-storage
ext4
crc32c_generic
crc32c-intel
LIST
END
# A mirror may have the indexes of the updates in a bad state for an architecture that this host never asks for.
install "$list" || {
	echo "disk-image: trying again without the suites of updates" >&2
	rm -rf --one-file-system "$root"
	case $list in
	*/sources) awk '{ for (i = 2; i <= NF; i++) if ($i == "bookworm") print }' "$list" > "$tmp/main" ;;
	*) awk -v RS= -v ORS='\n\n' '/(^|\n)Suites:[^\n]*[ \t]bookworm([ \t\n]|$)/ {
		gsub(/(^|\n)Suites:[^\n]*/, "\nSuites: bookworm"); print }' "$list" > "$tmp/main.sources" ;;
	esac
	install "$(ls "$tmp"/main*)"
}

# --- what an installer would ask ---
echo debian > "$root/etc/hostname"
printf '127.0.0.1 localhost debian\n' > "$root/etc/hosts"
uuid=6f8a2f60-9c1d-4d5e-8a44-0d3c5a0e7b21
printf 'UUID=%s / ext4 errors=remount-ro 0 1\n' $uuid > "$root/etc/fstab"
echo 'root:debian' | chroot "$root" chpasswd
mkdir -p "$root/root/.ssh" "$root/etc/systemd/network"
cp "$cache/guest-key.pub" "$root/root/.ssh/authorized_keys"
chmod -R go= "$root/root/.ssh"
echo 'PermitRootLogin yes' > "$root/etc/ssh/sshd_config.d/guest.conf"
cat > "$root/etc/systemd/network/20-dhcp.network" <<-'END'
	[Match]
	Name=e*
	[Network]
	DHCP=ipv4
END
# The user network's name server: no resolver daemon is needed.
rm -f "$root/etc/resolv.conf"
echo 'nameserver 10.0.2.3' > "$root/etc/resolv.conf"
ln -sf /lib/systemd/system/serial-getty@.service \
	"$root/etc/systemd/system/getty.target.wants/serial-getty@ttyS0.service"
chroot "$root" systemctl enable --quiet systemd-networkd
# On a busy host a guest is slow, and no device or service is lost for that.
mkdir -p "$root/etc/systemd/system.conf.d"
printf '[Manager]\nDefaultTimeoutStartSec=30min\nDefaultTimeoutStopSec=10min\nDefaultDeviceTimeoutSec=30min\n' \
	> "$root/etc/systemd/system.conf.d/patience.conf"
# One machine is not another: made when it first runs.
: > "$root/etc/machine-id"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*

mkdir -p "$root/boot/grub"
cp -r /usr/lib/grub/i386-pc "$root/boot/grub/"
rm -f "$root"/boot/grub/i386-pc/*.image "$root"/boot/grub/i386-pc/*.img
version=$(ls "$root/lib/modules" | tail -1)
cat > "$root/boot/grub/grub.cfg" <<-END
	serial --unit=0 --speed=115200
	terminal_input console serial
	terminal_output console serial
	set timeout=2
	menuentry 'Debian GNU/Linux' {
		linux /boot/vmlinuz-$version root=UUID=$uuid ro console=tty0 console=ttyS0,115200 net.ifnames=0
		initrd /boot/initrd.img-$version
	}
END

# --- the disk: label, GRUB's parts, file system ---
echo "disk-image: making $name.img ($size MiB)" >&2
truncate -s "${size}M" "$tmp/disk"
echo '2048,,L,*' | sfdisk --quiet --label dos "$tmp/disk" >&2
grub-mkimage -O i386-pc -d /usr/lib/grub/i386-pc -p '(hd0,msdos1)/boot/grub' -o "$tmp/core.img" \
	biosdisk part_msdos ext2 normal search
dd if=/usr/lib/grub/i386-pc/boot.img of="$tmp/disk" bs=440 count=1 conv=notrunc status=none
dd if="$tmp/core.img" of="$tmp/disk" bs=512 seek=1 conv=notrunc status=none
mke2fs -q -t ext4 -U $uuid -L debian -O ^metadata_csum_seed -d "$root" -E offset=1048576 \
	"$tmp/disk" "$((size - 1))M"
mv "$tmp/disk" "$image"
echo "$sum" > "$image.sum"
echo "$image"
