#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The self-test program prints in the guest what it prints on this host's own CPU.
# Lines that depend on the CPU model (hw_*, m_sinh) are left out.
. "$(dirname "$0")/lib.sh"
if [ "$(uname -m)" != x86_64 ]; then
	echo '1..0 # SKIP the host is no x86-64: nothing to compare with'
	exit 0
fi
guest_items kernel-amd64 kernel-i386 initramfs-x86_64 initramfs-i386

lines() {
	tr -d '\r' < "$1" | grep '^selftest ' | grep -v -e ' hw_' -e ' m_sinh ' | sort
}

for arch in amd64 i386; do
	name=selftest-$arch
	case $arch in
	amd64) initrd=initramfs-x86_64 ;;
	i386) initrd=initramfs-i386 ;;
	esac
	mkdir -p "$tmp/$arch"
	(cd "$tmp/$arch" && zcat "$cache/$initrd.cpio.gz" | cpio -id --quiet bin/selftest 2> /dev/null)
	"$tmp/$arch/bin/selftest" > "$tmp/$arch.native" 2> /dev/null
	linux "$name" $arch 600 'run=selftest'
	lines "$tmp/$arch.native" > "$tmp/$arch.want"
	lines "$tmp/$name.log" > "$tmp/$arch.got"
	[ -s "$tmp/$arch.want" ] && diff "$tmp/$arch.want" "$tmp/$arch.got" > "$tmp/$name.diff"
	status=$?
	[ $status = 0 ] || head -40 "$tmp/$name.diff" | sed 's/^/# /'
	ok $status "$name"
done
done_testing
