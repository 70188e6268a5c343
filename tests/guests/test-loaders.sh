#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's real-mode programs: ISOLINUX and SYSLINUX with gfxboot's menu from a CD and a floppy, iPXE from a CD, from
# the floppy's menu, and as the network cards' ROM (-boot n). Each ends in a Linux that it has loaded, or in a
# program that it has started.
. "$(dirname "$0")/lib.sh"
syslinux=/usr/lib/syslinux/modules/bios theme=/etc/bootsplash/themes/openSUSE/bootloader/message
for need in /usr/lib/ISOLINUX/isolinux.bin $syslinux/gfxboot.c32 $theme /usr/lib/ipxe/ipxe.iso \
	/usr/lib/ipxe/qemu/efi-virtio.rom /usr/bin/syslinux /usr/bin/mcopy /usr/bin/xorriso; do
	[ -f $need ] || {
		echo "1..0 # SKIP no '$need'; packages: isolinux syslinux syslinux-common gfxboot-themes" \
			"ipxe ipxe-qemu mtools xorriso"
		exit 0
	}
done
guest_items kernel-amd64 initramfs-x86_64 screen-text

# menu FOLDER CONFIGURATION DEFAULT: what both loaders need, and two entries
menu() {
	mkdir -p "$1"
	cp $syslinux/ldlinux.c32 $syslinux/gfxboot.c32 $syslinux/libcom32.c32 $syslinux/libutil.c32 $theme "$1"
	cat > "$1/$2" <<-END
		default $3
		prompt 1
		timeout 600
		ui gfxboot message
		label linux
		  kernel linux
		  append initrd=initrd.gz console=ttyS0 run=sysinfo
		label ipxe
		  kernel ipxe.krn
	END
}

# picture SECONDS NAME [OTHER]: until the screen is a picture of many colours, which stands still, another than OTHER
picture() {
	: > "$tmp/before.ppm"
	for _ in $(seq $(($1 * patience))); do
		qmp '{"execute":"screendump","arguments":{"filename":"'"$tmp/$2"'"}}' || return 1
		cmp -s "$tmp/$2" "$tmp/before.ppm" && ! cmp -s "$tmp/$2" "$tmp/${3:-before}" &&
			[ "$(head -c 15 "$tmp/$2" | tr '\n' ' ')" = 'P6 800 600 255 ' ] &&
			[ "$(tail -c +16 "$tmp/$2" | od -An -v -tx1 -w3 | sort -u | wc -l)" -gt 1000 ] && return
		mv "$tmp/$2" "$tmp/before.ppm"
		sleep 1
	done
	return 1
}

# finish NAME: Linux was loaded, and switches off
finish() {
	wait_for "$serial" '^GUEST-DONE rc=0' 120
	ok $? "$1: Linux was loaded and runs"
	wait $pid
	exec 3>&-
	sed 's/^/# /' "$err"
}

menu "$tmp/cd/isolinux" isolinux.cfg linux
cp /usr/lib/ISOLINUX/isolinux.bin "$tmp/cd/isolinux/"
cp "$cache/linux-amd64" "$tmp/cd/isolinux/linux"
cp "$cache/initramfs-x86_64.cpio.gz" "$tmp/cd/isolinux/initrd.gz"
cp /boot/ipxe.lkrn "$tmp/cd/isolinux/ipxe.krn"
xorriso -as mkisofs -quiet -o "$tmp/cd.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
	-boot-load-size 4 -boot-info-table "$tmp/cd" > /dev/null 2>&1
with_qmp cd 200 x86_64 -m 256 -cdrom "$tmp/cd.iso" -boot d
picture 90 menu.ppm
ok $? "cd: gfxboot's menu is on the screen"
key down
picture 30 second.ppm menu.ppm
ok $? 'cd: a key moves its choice'
key up
key ret
finish cd

# FAT with long names isn't needed: all are 8.3.
menu "$tmp/fd" syslinux.cfg ipxe
truncate -s 1440K "$tmp/floppy.img"
mformat -i "$tmp/floppy.img" -f 1440 ::
cp /boot/ipxe.lkrn "$tmp/fd/ipxe.krn"
mcopy -i "$tmp/floppy.img" "$tmp"/fd/* :: && syslinux --install "$tmp/floppy.img"
mkdir "$tmp/tftp"
cp "$cache/linux-amd64" "$tmp/tftp/linux"
cp "$cache/initramfs-x86_64.cpio.gz" "$tmp/tftp/initrd.gz"
cat > "$tmp/tftp/boot.ipxe" <<-'END'
	#!ipxe
	kernel linux console=ttyS0 run=sysinfo initrd=initrd.gz
	initrd initrd.gz
	boot
END
user="user,tftp=$tmp/tftp,bootfile=boot.ipxe"
with_qmp floppy 300 x86_64 -m 256 -drive "if=floppy,format=raw,file=$tmp/floppy.img" -boot a -nic "$user"
picture 120 menu.ppm
ok $? "floppy: gfxboot's menu is on the screen"
key ret
on_screen '^iPXE .*http' 100
ok $? 'floppy: iPXE is loaded'
finish floppy

with_qmp ipxe-cd 200 x86_64 -m 256 -cdrom /usr/lib/ipxe/ipxe.iso -boot d -nic "$user"
finish ipxe-cd
# The cards' ROMs.
for card in e1000 virtio-net-pci rtl8139; do
	with_qmp "$card" 200 x86_64 -m 256 -boot n -nic "$user,model=$card"
	finish "$card"
done
done_testing
