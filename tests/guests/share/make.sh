#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What guests that share memory or files need beside scripts/guests.sh's initramfs: Debian's modules for it, and
# programs. Prints the archive's path; made once in the guests' cache, and again when its sources have changed.
set -eu
src=$(cd "$(dirname "$0")/../../.." && pwd)
cache=${GUEST_CACHE:-$src/.cache/guests}
out=$cache/share-amd64.cpio.gz
export LC_ALL=C
mkdir -p "$cache"
exec 9> "$cache/share.lock"
flock 9
sum=$(cat "$cache/linux-amd64" "$src"/tests/guests/share/* "$src"/docs/examples/ivshmem/* \
	"$src"/libivshmem/*.[ch] "$src"/guest/automount9p/* | sha256sum)
if [ -f "$out" ] && [ "$(cat "$out.sum" 2> /dev/null)" = "$sum" ]; then
	echo "$out"
	exit 0
fi
tmp=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
r=$tmp/root
mkdir -p "$r/bin" "$r/run.d"

# The kernel's package is large: its modules are kept.
v=$(strings "$cache/linux-amd64" | sed -n 's/^\([0-9][^ ]*-amd64\) (.*/\1/p' | head -1)
mods=$cache/share-modules5-$v.tar
if [ ! -f "$mods" ]; then
	(cd "$tmp" && apt-get download -q "linux-image-$v" > apt.log 2>&1) || {
		cat "$tmp/apt.log" >&2
		exit 1
	}
	dpkg-deb -x "$tmp"/linux-image-*.deb "$tmp/kpkg"
	depmod -b "$tmp/kpkg" "$v"
	for m in uio_pci_generic virtio_pci 9pnet_virtio 9p qemu_fw_cfg virtio_net virtio_blk ext4 crc32c_generic cifs nls_utf8 cmac ccm gcm ctr ghash-generic \
		sha256_generic sha512_generic aes_generic hmac md5; do
		modprobe -d "$tmp/kpkg" -S "$v" -a --show-depends "$m" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | sort -u | while read -r f; do
		f=${f#"$tmp/kpkg"}
		mkdir -p "$tmp/mods/$(dirname "$f")"
		cp "$tmp/kpkg/$f" "$tmp/mods/$f"
		strip --strip-debug "$tmp/mods/$f"
	done
	cp "$tmp/kpkg/lib/modules/$v"/modules.builtin* "$tmp/kpkg/lib/modules/$v/modules.order" \
		"$tmp/mods/lib/modules/$v/"
	tar -C "$tmp/mods" -cf "$tmp/mods.tar" .
	mv "$tmp/mods.tar" "$mods"
fi
tar -C "$r" -xf "$mods"
depmod -b "$r" "$v" 2> /dev/null

cc -O2 -static -I"$src" "$src/docs/examples/ivshmem/exchange.c" "$src"/libivshmem/[a-r]*.c \
	-o "$r/bin/exchange"
for c in "$src"/tests/guests/share/*.c; do
	case $c in
	*/p9raw.c) continue ;;
	*/p9attack.c) set -- "$c" "$src/tests/guests/share/p9raw.c" ;;
	*) set -- "$c" ;;
	esac
	cc -O2 -static -I"$src" "$@" -o "$r/bin/$(basename "$c" .c)" -pthread
done
cp "$src/guest/automount9p/automount9p" "$r/bin/"
for s in "$src"/tests/guests/share/run-*; do
	n=$(basename "$s")
	cp "$s" "$r/run.d/${n#run-}"
	chmod 755 "$r/run.d/${n#run-}"
done
(cd "$r" && find . -exec touch -h -d @0 {} + && find . | sort |
	cpio -o -H newc -R 0:0 --reproducible --quiet) | gzip -9n > "$tmp/pack.gz"
mv "$tmp/pack.gz" "$out"
echo "$sum" > "$out.sum"
echo "$out"
