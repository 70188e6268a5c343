#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# VFIO for guests without an IOMMU: Debian's kernel is built without CONFIG_VFIO_NOIOMMU, so its modules are built anew with it, from
# Debian's source of that version, against Debian's headers. Prints the path of an archive to be added to an initramfs; kept in
# the guests' cache.
set -eu
src=$(cd "$(dirname "$0")/../../.." && pwd)
cache=${GUEST_CACHE:-$src/.cache/guests}
export LC_ALL=C
v=$(strings "$cache/linux-amd64" | sed -n 's/^\([0-9][^ ]*-amd64\) (.*/\1/p' | head -1)
version=$(strings "$cache/linux-amd64" | sed -n 's/^[0-9][^ ]*-amd64 (.* Debian \([0-9][^ ]*\) (.*/\1/p' | head -1)
series=$(echo "$v" | cut -d. -f1,2)
out=$cache/share-vfio-$version.cpio.gz
exec 9> "$cache/share-vfio.lock"
flock 9
if [ -f "$out" ]; then
	echo "$out"
	exit 0
fi
tmp=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
cd "$tmp"
for p in "linux-source-$series" "linux-headers-$v" "linux-headers-${v%-amd64}-common" "linux-kbuild-$series" "linux-image-$v"; do
	case $p in
	linux-image-*) apt-get download -q "$p" ;;
	*) apt-get download -q "$p=$version" ;;
	esac > apt.log 2>&1 || { cat apt.log >&2; exit 1; }
	dpkg-deb -x "$p"_*.deb root
	rm "$p"_*.deb
done
tar -xf "root/usr/src/linux-source-$series.tar.xz" "linux-source-$series/drivers/vfio"
rm "root/usr/src/linux-source-$series.tar.xz"
headers=$tmp/root/usr/src/linux-headers-$v
# They name each other by where they are installed.
sed -i "s|/usr/src/|$tmp/root/usr/src/|g" "$headers/Makefile"
for l in "$headers/scripts" "$headers/tools" "$tmp/root/usr/src/linux-headers-${v%-amd64}-common/scripts" \
	"$tmp/root/usr/src/linux-headers-${v%-amd64}-common/tools"; do
	if [ -h "$l" ] && [ ! -e "$l" ]; then
		ln -sfn "$tmp/root/usr/lib/linux-kbuild-$series/$(basename "$l")" "$l"
	fi
done
make -C "$headers" M="$tmp/linux-source-$series/drivers/vfio" KCFLAGS=-DCONFIG_VFIO_NOIOMMU=1 modules > make.log 2>&1 || {
	tail -n 30 make.log >&2
	exit 1
}
strings "linux-source-$series/drivers/vfio/vfio.ko" | grep -q enable_unsafe_noiommu_mode
to=pack/lib/modules/$v/extra
mkdir -p "$to"
for m in vfio vfio_virqfd pci/vfio-pci-core pci/vfio-pci; do
	cp "linux-source-$series/drivers/vfio/$m.ko" "$to/"
	strip --strip-debug "$to/$(basename $m).ko"
done
cp "$(find root -name irqbypass.ko)" "$to/"
(cd pack && find . -exec touch -h -d @0 {} + && find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet) | gzip -9n > pack.gz
mv pack.gz "$out"
echo "$out"
