#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Fetches and builds what the guest tests, the demo and the benchmarks boot, from
# Debian packages, into the cache folder. What is there already is kept as long as what it was
# made from is the same.
#
#   scripts/guests.sh [kernel-amd64] [kernel-i386] [initramfs-x86_64] [initramfs-i386]
#                     [initramfs-demo] [modules-amd64] [iso] [tcp-peer] [vhost-peer] [screen-text] [netrate]
#                     [disktools] [hfs-efi]
#
# Without arguments: all. Prints the cache folder. Environment: GUEST_CACHE (where to; default
# .cache/guests of the source folder).
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
cache=${GUEST_CACHE:-$src/.cache/guests}
export LC_ALL=C
mkdir -p "$cache"
# One at a time: tests that run together want the same things.
exec 9> "$cache/lock"
flock 9
. "$src/scripts/guests-lib.sh"

# The netboot installer's kernel is Debian's own, and its package is small.
installer() {
	d=images/12/$1/text/debian-installer/$1
	if [ ! -f "/usr/lib/debian-installer/$d/linux" ]; then
		[ -d "$tmp/di-$1" ] || unpack "debian-installer-12-netboot-$1" "$tmp/di-$1"
		echo "$tmp/di-$1/usr/lib/debian-installer/$d"
	else
		echo "/usr/lib/debian-installer/$d"
	fi
}

kernel() {
	[ -f "$cache/linux-$1" ] && return
	from=$(installer "$1")
	cp "$from/linux" "$tmp/linux"
	mv "$tmp/linux" "$cache/linux-$1"
}

# What every initramfs is made from, with this script.
guest_sources() {
	echo "$src/scripts/guests.sh" "$src/scripts/guests-lib.sh"
	find "$src/tests/guests/src" "$src/tests/bench/gbench.c" -type f | sort
}

programs() {
	cc -O2 -static -no-pie -fno-pie $2 "$src/tests/bench/gbench.c" -o "$1/bin/gbench" -lm
	cc -O2 -frounding-math -fno-builtin -Wno-clobbered -static -no-pie -fno-pie $2 \
		"$src/tests/guests/src/selftest.c" -o "$1/bin/selftest" -lm -pthread
	cc -O2 -static -no-pie -fno-pie $2 "$src/tests/guests/src/migtest.c" -o "$1/bin/migtest" -pthread
	cc -O2 -static -no-pie -fno-pie $2 "$src/tests/guests/src/tone.c" -o "$1/bin/tone" -lm
	cc -O2 -static -no-pie -fno-pie $2 "$src/tests/guests/src/netrate.c" -o "$1/bin/netrate"
	strip "$1/bin/gbench" "$1/bin/selftest" "$1/bin/migtest" "$1/bin/tone" "$1/bin/netrate"
}

static_busybox() {
	if [ -x /bin/busybox ] && ! ldd /bin/busybox > /dev/null 2>&1; then
		cp /bin/busybox "$1/bin/busybox"
	else
		unpack busybox-static "$tmp/bb"
		cp "$tmp/bb/bin/busybox" "$1/bin/busybox"
	fi
}

initramfs_x86_64() {
	kept initramfs-x86_64.cpio.gz $(guest_sources) && return
	r=$tmp/root64
	skeleton "$r" x86_64
	static_busybox "$r"
	say "building the test programs"
	programs "$r" -mno-red-zone
	pack "$r" "$cache/initramfs-x86_64.cpio.gz"
	made initramfs-x86_64.cpio.gz
}

# The i386 installer's own busybox, with the libraries that it needs.
initramfs_i386() {
	kept initramfs-i386.cpio.gz $(guest_sources) && return
	r=$tmp/root32
	from=$(installer i386)
	mkdir -p "$tmp/initrd32"
	(cd "$tmp/initrd32" && zcat "$from/initrd.gz" | cpio -idm --quiet 2> /dev/null) || true
	skeleton "$r" i386
	cp "$tmp/initrd32/bin/busybox" "$r/bin/busybox"
	cp -a "$tmp/initrd32/lib/ld-linux.so.2" "$tmp/initrd32/lib/i386-linux-gnu" "$r/lib/"
	say "building the test programs for i386"
	programs "$r" "-m32 -march=i686"
	pack "$r" "$cache/initramfs-i386.cpio.gz"
	made initramfs-i386.cpio.gz
}

# Debian's busybox-static and a greeting: a shell that ends the machine when it ends.
initramfs_demo() {
	kept initramfs-demo.cpio.gz $(guest_sources) && return
	r=$tmp/demo
	skeleton "$r" x86_64
	static_busybox "$r"
	pack "$r" "$cache/initramfs-demo.cpio.gz"
	made initramfs-demo.cpio.gz
}

modules='ata_piix ahci ata_generic libata sd_mod sr_mod e1000 ext4 crc32c_generic isofs vfat nls_ascii
	nls_cp437 virtio_pci virtio_blk virtio_net virtio_scsi virtio_console
	virtio-rng virtio_balloon virtio_input bochs psmouse evdev i2c-piix4
	uhci_hcd ehci_hcd ehci_pci xhci_pci usbhid hid_generic usb_storage uas
	snd_intel8x0 snd_ens1370 floppy 8139cp 8139too i6300esb ib700wdt
	lpc_ich i2c-i801 iTCO_wdt snd_hda_intel snd_hda_codec_generic e1000e
	applesmc pvpanic-mmio pvpanic-pci parport_pc lp ftdi_sio'
modules_amd64() {
	kernel amd64
	echo $modules > "$tmp/modules.list"
	kept modules-amd64.cpio.gz "$tmp/modules.list" "$cache/linux-amd64" \
		"$src/tests/guests/src/load-modules" && return
	v=$(strings "$cache/linux-amd64" | sed -n 's/^\([0-9][^ ]*-amd64\) (.*/\1/p' | head -1)
	unpack "linux-image-$v" "$tmp/kpkg"
	r=$tmp/mods
	mkdir -p "$r/lib/modules/$v" "$r/bin"
	depmod -b "$tmp/kpkg" "$v"
	for m in $modules; do
		modprobe -d "$tmp/kpkg" -S "$v" -a --show-depends "$m" 2> /dev/null |
			sed -n 's/^insmod \([^ ]*\).*/\1/p' || true
	done | sort -u | while read -r f; do
		f=${f#"$tmp/kpkg"}
		mkdir -p "$r/$(dirname "$f")"
		cp "$tmp/kpkg/$f" "$r/$f"
		strip --strip-debug "$r/$f"
	done
	cp "$tmp/kpkg/lib/modules/$v"/modules.builtin* "$r/lib/modules/$v/"
	depmod -b "$r" "$v" 2> /dev/null
	cp "$src/tests/guests/src/load-modules" "$r/bin/load-modules"
	pack "$r" "$cache/modules-amd64.cpio.gz"
	made modules-amd64.cpio.gz
}

# A CD and disk in one, as grub-mkrescue makes them. GRUB is on the screen and on the serial
# port, and waits for a choice; the second entry is Linux.
iso() {
	kernel amd64
	initramfs_x86_64
	modules_amd64
	kept guest.iso "$src/scripts/guests.sh" "$cache/linux-amd64" "$cache/initramfs-x86_64.cpio.gz" \
		"$cache/modules-amd64.cpio.gz" && return
	r=$tmp/iso
	mkdir -p "$r/boot/grub"
	cp "$cache/linux-amd64" "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" "$r/boot/"
	cat > "$r/boot/grub/grub.cfg" <<-'END'
		serial --unit=0 --speed=115200
		terminal_input console serial
		terminal_output console serial
		set timeout=-1
		menuentry 'Switch off' {
			halt
		}
		menuentry 'Linux on screen and serial port' {
			linux /boot/linux-amd64 console=tty0 console=ttyS0 run=keys
			initrd /boot/initramfs-x86_64.cpio.gz /boot/modules-amd64.cpio.gz
		}
	END
	grub-mkrescue -d /usr/lib/grub/i386-pc --fonts= --locales= --themes= -o "$tmp/guest.iso" "$r" \
		> "$tmp/grub.log" 2>&1 || {
		cat "$tmp/grub.log" >&2
		say "grub-mkrescue failed (packages grub-common, grub-pc-bin, xorriso, mtools)"
		exit 1
	}
	mv "$tmp/guest.iso" "$cache/guest.iso"
	made guest.iso
}

# A program for the host: the other end of a network test, or the reader of screendumps.
peer() {
	kept "$1" "$src/tests/guests/src/$1.c" && return
	cc -O2 "$src/tests/guests/src/$1.c" -o "$tmp/$1"
	mv "$tmp/$1" "$cache/$1"
	made "$1"
}

# Programs that time a disk and write one that will be killed; the second one for the host too.
disktools() {
	kept disktools.cpio.gz "$src/tests/guests/src/diskbench.c" "$src/tests/guests/src/diskwriter.c" && return
	r=$tmp/disktools
	mkdir -p "$r/bin" "$r/run.d"
	for p in diskbench diskwriter; do
		cc -O2 -static "$src/tests/guests/src/$p.c" -o "$r/bin/$p"
		printf '#!/bin/sh\nexec %s "$@"\n' $p > "$r/run.d/$p"
		chmod +x "$r/run.d/$p"
	done
	cp "$r/bin/diskwriter" "$tmp/diskwriter"
	mv "$tmp/diskwriter" "$cache/diskwriter"
	pack "$r" "$cache/disktools.cpio.gz"
	made disktools.cpio.gz
}

# The driver of HFS+ for EFI that the boot manager rEFInd brings along.
hfs_efi() {
	kept hfs_x64.efi "$src/scripts/guests-lib.sh" && return
	unpack refind "$tmp/refind"
	mv "$tmp/refind/usr/share/refind/refind/drivers_x64/hfs_x64.efi" "$cache/"
	made hfs_x64.efi
}

[ $# -gt 0 ] || set -- kernel-amd64 kernel-i386 initramfs-x86_64 initramfs-i386 initramfs-demo \
	modules-amd64 iso tcp-peer vhost-peer screen-text netrate disktools
for want; do
	case $want in
	kernel-amd64) kernel amd64 ;;
	kernel-i386) kernel i386 ;;
	initramfs-x86_64) initramfs_x86_64 ;;
	initramfs-i386) initramfs_i386 ;;
	initramfs-demo) initramfs_demo ;;
	modules-amd64) modules_amd64 ;;
	iso) iso ;;
	tcp-peer | vhost-peer | screen-text | netrate) peer "$want" ;;
	disktools) disktools ;;
	hfs-efi) hfs_efi ;;
	*)
		echo "guests.sh: unknown item '$want'; accepted: kernel-amd64 kernel-i386 initramfs-x86_64" \
			"initramfs-i386 initramfs-demo modules-amd64 iso tcp-peer vhost-peer screen-text netrate disktools hfs-efi" >&2
		exit 2
		;;
	esac
done
echo "$cache"
