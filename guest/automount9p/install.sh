#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs automount9p in a Linux guest with systemd, udev and, where it is there, initramfs-tools. As root.
#
#   install.sh [ROOT]       ROOT: the guest's root is that folder; default: the running system's
set -eu
from=$(dirname "$0")
root=${1-}
put() {
	install -D -m "$2" "$from/$1" "$root/$3"
}
put automount9p 755 usr/lib/automount9p/automount9p
put automount9p-generator 755 usr/lib/systemd/system-generators/automount9p-generator
put automount9p.service 644 usr/lib/systemd/system/automount9p.service
put 90-automount9p.rules 644 usr/lib/udev/rules.d/90-automount9p.rules
if [ -d "$root/usr/share/initramfs-tools" ]; then
	put initramfs-hook 755 usr/share/initramfs-tools/hooks/automount9p
	put initramfs-local-top 755 usr/share/initramfs-tools/scripts/local-top/automount9p
fi
if [ -z "$root" ]; then
	systemctl daemon-reload
	udevadm control --reload
	if command -v update-initramfs > /dev/null; then
		update-initramfs -u
	fi
	/usr/lib/automount9p/automount9p
fi
