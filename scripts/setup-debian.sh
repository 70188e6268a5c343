#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Installs the Debian packages that building and testing need, those that are
# missing only; with sudo when not root. Does nothing on other systems.
#   setup-debian.sh [--build]     --build: without what only tests need

# What the program is built with; configure names the same packages.
build='gcc libc6-dev make pkgconf libglib2.0-dev libpixman-1-dev zlib1g-dev libpng-dev
    libzstd-dev libjpeg-dev libx264-dev libslirp-dev libgnutls28-dev nettle-dev libsasl2-dev libcapstone-dev
    libsdl2-dev libxkbcommon-dev xkb-data libasound2-dev liburing-dev libseccomp-dev ccache'
# What runs inside: firmware, a kernel with its installer's initramfs, a shell; the font of text consoles.
guest='libxcb1-dev libxcb-xfixes0-dev xvfb xclip xserver-xorg-core seabios ovmf fonts-spleen busybox-static cpio kmod debian-installer-12-netboot-amd64
    debian-installer-12-netboot-i386'
# Makers of images, a debugger, a 32-bit C library, the distribution's emulators as peers, a Wayland compositor, decoders.
tests='grub-common grub-pc-bin xorriso mtools grub-efi-amd64-bin grub-efi-ia32-bin ovmf-ia32 gdb gcc-multilib binutils qemu-utils libnbd-bin mmdebstrap fdisk
    libsasl2-modules e2fsprogs openssh-client iproute2 tshark arch-test sox ipxe memtest86+ syslinux isolinux syslinux-common
    qemu-system-x86 qemu-system-misc gfxboot-themes ipxe-qemu bc bison flex xz-utils bzip2 samba groff-base procps
    sway wl-clipboard spice-vdagent ffmpeg'

command -v dpkg-query > /dev/null && command -v apt-get > /dev/null || exit 0

wanted="$build $guest $tests"
[ "$1" = --build ] && wanted=$build

missing=$(
    dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2> /dev/null |
        awk -v wanted="$(echo $wanted)" '
            $2 == "installed" { have[$1] = 1 }
            END { n = split(wanted, w, " "); for (i = 1; i <= n; i++)
                      if (!(w[i] in have)) printf " %s", w[i] }')
[ -z "$missing" ] && exit 0

echo "Installing:$missing"
sudo=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo > /dev/null; then
        echo "setup-debian.sh: neither root nor sudo; as root: apt-get install$missing" >&2
        exit 1
    fi
    sudo=sudo
fi
export DEBIAN_FRONTEND=noninteractive
if ! $sudo apt-get install -y --no-install-recommends $missing < /dev/null > /dev/null 2>&1; then
    # The lists may be old, or have never been fetched.
    $sudo apt-get update < /dev/null &&
        $sudo apt-get install -y --no-install-recommends $missing < /dev/null
fi
