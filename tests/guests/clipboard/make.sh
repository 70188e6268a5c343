#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a guest with an X server has beside scripts/guests.sh's initramfs and modules: this host's Xorg, xclip and
# our clipboard daemon with their libraries. Prints the archive's path, or nothing if the host hasn't got them.
#   make.sh QEMU-CLIPBOARD
set -eu
src=$(cd "$(dirname "$0")/../../.." && pwd)
cache=${GUEST_CACHE:-$src/.cache/guests}
xorg=/usr/lib/xorg/Xorg
driver=/usr/lib/xorg/modules/drivers/modesetting_drv.so
export LC_ALL=C
[ -x $xorg ] && [ -e $driver ] && command -v xclip > /dev/null || exit 0
mkdir -p "$cache"
exec 9> "$cache/clipboard.lock"
flock 9
tmp=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
r=$tmp/root
mkdir -p "$r/bin" "$r/run.d" "$r/etc" "$r/usr/bin" "$r/usr/share/X11" "$r/usr/lib/xorg"
cp -L "$1" "$(command -v xclip)" "$(command -v xkbcomp)" "$r/usr/bin/"
# The agent of SPICE guests, if the host has it.
for f in /usr/bin/spice-vdagent /usr/sbin/spice-vdagentd; do [ ! -e $f ] || cp $f "$r/usr/bin/"; done
cp -R /usr/share/X11/xkb "$r/usr/share/X11/"
cp -R /usr/lib/xorg/. "$r/usr/lib/xorg/"
cp "$src/tests/guests/clipboard/run-clipboard" "$r/run.d/clipboard"
cp "$src/tests/guests/clipboard/xorg.conf" "$r/etc/"
{
	find "$r/usr/lib/xorg" -name '*.so'
	ls "$r"/usr/bin/* $xorg
} | while read -r f; do ldd "$f" 2> /dev/null | sed -n 's/.*\(=> \|^\t\)\(\/[^ ]*\) .*/\2/p'; done | sort -u |
	while read -r f; do
		mkdir -p "$r$(dirname "$f")"
		cp -L "$f" "$r$f"
	done
# The loader is found by its name in /lib64.
mkdir -p "$r/lib64"
cp -L /lib64/ld-linux-x86-64.so.2 "$r/lib64/"
chmod 755 "$r/run.d/clipboard"
(cd "$r" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip -1 > "$tmp/all.gz"
mv "$tmp/all.gz" "$cache/clipboard-amd64.cpio.gz"
echo "$cache/clipboard-amd64.cpio.gz"
