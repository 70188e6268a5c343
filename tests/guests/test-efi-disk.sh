#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks that EFI boots from: OVMF finds GRUB in a FAT or HFS+ partition of an AHCI disk, GRUB starts Debian's kernel. On q35 and
# intelmac, with the 64-bit OVMF and the 32-bit one. The driver for HFS+ is in a PCI option ROM.
#
#   test-efi-disk.sh [q35|intelmac|ia32|hfsplus]...         the last two
. "$(dirname "$0")/lib.sh"
echo "# timeout: 900"
[ $# -gt 0 ] || set -- ia32 hfsplus
for tool in grub-mkimage mformat sfdisk xorriso; do
	PATH=$PATH:/sbin:/usr/sbin command -v $tool > /dev/null || {
		echo "1..0 # SKIP no $tool; packages: grub-common mtools fdisk xorriso"
		exit
	}
done
PATH=$PATH:/sbin:/usr/sbin
guest_items kernel-amd64 kernel-i386 initramfs-x86_64 initramfs-i386 modules-amd64
ovmf=/usr/share/OVMF

# grub_in FOLDER NAME FORMAT KERNEL INITRD...: EFI/BOOT/NAME, with its configuration inside, and what it starts
grub_in() {
	gfolder=$1 gname=$2 gformat=$3 gkernel=$4
	shift 4
	mkdir -p "$gfolder/EFI/BOOT" "$gfolder/guest"
	cp "$cache/$gkernel" "$gfolder/guest/linux"
	cat "$@" > "$gfolder/guest/initrd"
	cat > "$tmp/grub.cfg" <<-'END'
		search --file --set=root /guest/linux
		echo "GRUB on $root of $grub_platform $grub_cpu"
		linux /guest/linux console=ttyS0 panic=-1 run=q35
		initrd /guest/initrd
		boot
	END
	grub-mkimage -O "$gformat" -p /EFI/BOOT -c "$tmp/grub.cfg" -o "$gfolder/EFI/BOOT/$gname" \
		part_gpt part_msdos part_apple fat hfsplus normal linux search search_fs_file echo boot
}

# label FILE MIB TYPE: a disk with one partition from 1 MiB on
label() {
	truncate -s "$2M" "$1"
	echo "start=2048, type=$3" | sfdisk --quiet --label gpt "$1"
}

# fat_disk FILE FOLDER
fat_disk() {
	label "$1" 64 uefi
	mformat -i "$1@@1M" -F -T $((62 * 2048)) -h 64 -s 32 ::
	mcopy -s -i "$1@@1M" "$2/EFI" "$2/guest" ::
}

# hfs_disk FILE FOLDER: the volume comes out of the hybrid CD that xorriso makes, in which an Apple partition map names it
hfs_disk() {
	xorriso -as mkisofs -quiet -hfsplus -o "$tmp/hybrid.iso" "$2" > "$tmp/xorriso.log" 2>&1
	set -- "$1" $(xorriso -indev "$tmp/hybrid.iso" -report_system_area plain 2> /dev/null |
		sed -n 's/^APM start and size *: *2  *\([0-9]*\)  *\([0-9]*\) *$/\1 \2/p')
	hfs_start=${2:-0} hfs_blocks=${3:-0}
	label "$1" 96 48465300-0000-11AA-AA11-00306543ECAC
	dd if="$tmp/hybrid.iso" of="$1" bs=512 skip="$hfs_start" seek=2048 count="$hfs_blocks" conv=notrunc status=none
}

# started NAME ARCH MACHINE CODE VARS DISK ARG...
started() {
	sname=$1 sarch=$2 smachine=$3 scode=$4 svars=$5 sdisk=$6
	shift 6
	cp "$ovmf/$svars" "$tmp/vars.fd"
	boot "$sname" "$sarch" 120 -M "$smachine" -m 512 -net none \
		-drive "if=pflash,unit=0,format=raw,readonly=on,file=$ovmf/$scode" -drive "if=pflash,unit=1,format=raw,file=$tmp/vars.fd" \
		-drive "file=$sdisk,format=raw,if=none,id=disk" -device ide-hd,drive=disk,bus=ide.0 "$@"
	[ $? = 0 ] && has "$sname" 'GUEST-DONE rc=0'
	ok $? "$sname: Linux starts from the disk and switches off"
}

for try; do
	rm -rf "$tmp/files" "$tmp/disk"
	case $try in
	q35 | intelmac)
		[ -d /usr/lib/grub/x86_64-efi ] || { ok 0 "$try: # SKIP no /usr/lib/grub/x86_64-efi; package: grub-efi-amd64-bin"; continue; }
		grub_in "$tmp/files" BOOTX64.EFI x86_64-efi linux-amd64 "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz"
		fat_disk "$tmp/disk" "$tmp/files"
		started $try x86_64 $try,smm=off OVMF_CODE_4M.fd OVMF_VARS_4M.fd "$tmp/disk"
		has $try 'GRUB on hd0,gpt1 of efi x86_64' && has $try 'efi: EFI v2'
		ok $? "$try: by EFI and GRUB"
		;;
	ia32)
		[ -d /usr/lib/grub/i386-efi ] && [ -f $ovmf/OVMF32_CODE_4M.secboot.fd ] || {
			ok 0 "$try: # SKIP no 32-bit OVMF, or GRUB for it; packages: ovmf-ia32 grub-efi-ia32-bin"
			continue
		}
		grub_in "$tmp/files" BOOTIA32.EFI i386-efi linux-i386 "$cache/initramfs-i386.cpio.gz"
		fat_disk "$tmp/disk" "$tmp/files"
		started ia32 i386 intelmac OVMF32_CODE_4M.secboot.fd OVMF32_VARS_4M.fd "$tmp/disk" -cpu coreduo
		has ia32 'GRUB on hd0,gpt1 of efi i386' && has ia32 'efi: EFI v2'
		ok $? "ia32: by 32-bit EFI and GRUB"
		;;
	hfsplus)
		[ -d /usr/lib/grub/x86_64-efi ] || { ok 0 "$try: # SKIP no /usr/lib/grub/x86_64-efi; package: grub-efi-amd64-bin"; continue; }
		guest_items hfs-efi
		grub_in "$tmp/files" BOOTX64.EFI x86_64-efi linux-amd64 "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz"
		hfs_disk "$tmp/disk" "$tmp/files"
		"$SRC_DIR/scripts/efi-rom.sh" "$cache/hfs_x64.efi" 8086 10d3 > "$tmp/hfs.rom"
		started hfsplus x86_64 intelmac,smm=off OVMF_CODE_4M.fd OVMF_VARS_4M.fd "$tmp/disk" \
			-device "e1000e,romfile=$tmp/hfs.rom"
		has hfsplus 'GRUB on hd0,gpt1 of efi x86_64'
		ok $? "hfsplus: from an HFS+ volume, by a driver in an option ROM"
		;;
	*) echo "Bail out! there is no case '$try' here: q35, intelmac, ia32, hfsplus"; exit 1 ;;
	esac
done
done_testing
