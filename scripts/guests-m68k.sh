#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds Linux/m68k for the Quadra 800 and its userland into the cache folder, from Debian
# packages: the kernel's source (linux-source-6.1), busybox's, and the cross compiler, which is unpacked there and not
# installed (it conflicts with gcc-multilib).
#
#   scripts/guests-m68k.sh [kernel-m68k] [initramfs-m68k]
#
# Without arguments: both. Prints the cache folder. A folder linux-m68k-mac in the cache, with vmlinux and
# initramfs-m68k.cpio.gz, is used instead of building. Environment: GUEST_CACHE (where to; default
# .cache/guests of the source folder).
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
cache=${GUEST_CACHE:-$src/.cache/guests}
export LC_ALL=C KBUILD_BUILD_USER=guest KBUILD_BUILD_HOST=guest
mkdir -p "$cache"
exec 9> "$cache/lock-m68k"
flock 9
. "$src/scripts/guests-lib.sh"
files=$src/tests/guests/m68k
ready=$cache/linux-m68k-mac
jobs=-j$(nproc)

tools='gcc-12-m68k-linux-gnu cpp-12-m68k-linux-gnu binutils-m68k-linux-gnu libgcc-12-dev-m68k-cross
	libc6-dev-m68k-cross libc6-m68k-cross linux-libc-dev-m68k-cross'
cross_compiler() {
	[ -d "$tmp/tools" ] && return
	for p in $tools; do
		unpack "$p" "$tmp/tools"
	done
	PATH=$tmp/tools/usr/bin:$PATH
	LD_LIBRARY_PATH=$tmp/tools/usr/lib/$(uname -m)-linux-gnu
	export PATH LD_LIBRARY_PATH
}

# run LOG COMMAND...: shows the log's end when it fails
run() {
	log=$1
	shift
	"$@" > "$log" 2>&1 || {
		tail -20 "$log" >&2
		say "'$*' failed"
		exit 1
	}
}

kernel_m68k() {
	if [ -f "$ready/vmlinux" ]; then
		cmp -s "$ready/vmlinux" "$cache/linux-m68k" || cp "$ready/vmlinux" "$cache/linux-m68k"
		return
	fi
	kept linux-m68k "$src/scripts/guests-m68k.sh" "$files/linux.config" && return
	cross_compiler
	unpack linux-source-6.1 "$tmp/kpkg"
	say "building Linux for m68k"
	k=$tmp/linux-source-6.1
	# Kconfig files of all architectures are read, their code isn't.
	tar -C "$tmp" -xf "$tmp/kpkg/usr/src/linux-source-6.1.tar.xz" --exclude='*/arch/[!m]*/*.[chS]' \
		--exclude='*/arch/mi*/*.[chS]' --exclude='*/arch/*.dts*' --exclude='*/sound/*.[ch]' \
		--exclude='*/drivers/gpu/drm/*.[ch]' --exclude='*/drivers/staging/*.[ch]' \
		--exclude='*/drivers/media/*.[ch]' --exclude='*/drivers/net/wireless/*.[ch]' \
		--exclude='*/Documentation/[!K]*' --exclude='*/tools/testing'
	rm -rf "$tmp/kpkg"
	set -- make -C "$k" ARCH=m68k CROSS_COMPILE=m68k-linux-gnu- CC=m68k-linux-gnu-gcc-12 O="$tmp/kbuild"
	run "$tmp/config.log" "$@" KCONFIG_ALLCONFIG="$files/linux.config" allnoconfig
	grep '=y' "$files/linux.config" | while read -r l; do
		grep -qxF "$l" "$tmp/kbuild/.config" || say "no effect: $l"
	done
	run "$tmp/build.log" nice "$@" "$jobs" vmlinux
	m68k-linux-gnu-strip -o "$tmp/vmlinux" "$tmp/kbuild/vmlinux"
	mv "$tmp/vmlinux" "$cache/linux-m68k"
	rm -rf "$k" "$tmp/kbuild"
	made linux-m68k
}

# The source package, by package lists of its own: hosts seldom have those of sources.
busybox_source() {
	mkdir -p "$tmp/apt/parts" "$tmp/apt/lists/partial" "$tmp/apt/cache/archives/partial"
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
		case $f in
		*.sources) sed 's/^Types:.*/Types: deb-src/' "$f" > "$tmp/apt/parts/${f##*/}" ;;
		*.list) [ ! -f "$f" ] || sed -n 's/^deb /deb-src /p' "$f" > "$tmp/apt/parts/src-${f##*/}" ;;
		esac
	done
	set -- -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$tmp/apt/parts" \
		-o Dir::State::lists="$tmp/apt/lists" -o Dir::Cache="$tmp/apt/cache"
	say "downloading the source of busybox"
	apt-get "$@" update > "$tmp/apt.log" 2>&1 || true	# a repository without sources is no harm
	(cd "$tmp/apt" && run "$tmp/apt.log" apt-get "$@" source --download-only busybox)
	mkdir "$tmp/busybox"
	tar -C "$tmp/busybox" --strip-components=1 -xf "$tmp"/apt/busybox_*.orig.tar.*
}

base_m68k() {
	kept base-m68k.cpio.gz "$src/scripts/guests-m68k.sh" "$files/busybox.config" \
		"$src/tests/bench/gbench.c" "$src/tests/guests/src/selftest.c" \
		"$src/tests/guests/src/selftest-arch.h" && return
	cross_compiler
	busybox_source
	say "building busybox and the test programs for m68k"
	set -- make -C "$tmp/busybox" CROSS_COMPILE=m68k-linux-gnu- CC=m68k-linux-gnu-gcc-12
	run "$tmp/config.log" "$@" allnoconfig
	sed -n 's/^\(CONFIG_[A-Z0-9_]*\)=.*/\1[ =]/p' "$files/busybox.config" > "$tmp/keys"
	grep -v -f "$tmp/keys" "$tmp/busybox/.config" > "$tmp/rest"
	cat "$tmp/rest" "$files/busybox.config" > "$tmp/busybox/.config"
	yes n | run "$tmp/config.log" "$@" oldconfig
	run "$tmp/build.log" nice "$@" "$jobs" busybox
	r=$tmp/base
	mkdir -p "$r/bin" "$r/dev"
	cp "$tmp/busybox/busybox" "$r/bin/"
	set -- m68k-linux-gnu-gcc-12 -O2 -static -no-pie -fno-pie -m68040
	"$@" "$src/tests/bench/gbench.c" -o "$r/bin/gbench" -lm
	"$@" -frounding-math -fno-builtin -Wno-clobbered "$src/tests/guests/src/selftest.c" \
		-o "$r/bin/selftest" -lm -pthread
	m68k-linux-gnu-strip "$r/bin/gbench" "$r/bin/selftest"
	pack "$r" "$cache/base-m68k.cpio.gz"
	made base-m68k.cpio.gz
}

initramfs_m68k() {
	if [ -f "$ready/initramfs-m68k.cpio.gz" ]; then
		base=$ready/initramfs-m68k.cpio.gz
	else
		base_m68k
		base=$cache/base-m68k.cpio.gz
	fi
	r=$tmp/scripts
	skeleton "$r" m68k
	cp "$files"/run.d/* "$r/run.d/"
	pack "$r" "$tmp/scripts.gz"
	cat "$base" "$tmp/scripts.gz" > "$tmp/initramfs"
	cmp -s "$tmp/initramfs" "$cache/initramfs-m68k.cpio.gz" || mv "$tmp/initramfs" "$cache/initramfs-m68k.cpio.gz"
}

[ $# -gt 0 ] || set -- kernel-m68k initramfs-m68k
for want; do
	case $want in
	kernel-m68k) kernel_m68k ;;
	initramfs-m68k) initramfs_m68k ;;
	*)
		echo "guests-m68k.sh: unknown item '$want'; accepted: kernel-m68k initramfs-m68k" >&2
		exit 2
		;;
	esac
done
echo "$cache"
