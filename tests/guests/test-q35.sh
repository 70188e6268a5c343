#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The machine q35 under Debian's kernel: its drivers bind, config space is memory, interrupts arrive, nobody complains.
. "$(dirname "$0")/lib.sh"
echo "# timeout: 600"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64

# q35 NAME ARG...
q35() {
	name=$1
	shift
	linux_modules "$name" 180 'run=q35' -M q35 -smp 2 -net none -global ICH9-LPC.noreboot=off \
		-drive if=virtio,file=null-co://,format=raw "$@"
	[ $? = 0 ] && has "$name" 'GUEST-DONE rc=0'
	ok $? "$name: Linux starts and switches off"
}

q35 seabios -vga none -device bochs-display -device ich9-intel-hda,id=hda -device hda-duplex,bus=hda.0 \
	-usb -device usb-tablet,usb_version=1 -device usb-kbd
has seabios '^q35 mmconfig 1$'
ok $? 'seabios: config space is memory'
has seabios '^q35 0000:00:1f.0 0x8086 0x2918 lpc_ich' && has seabios '^q35 0000:00:1f.3 0x8086 0x2930 i801_smbus'
ok $? 'seabios: LPC bridge and SMBus have their drivers'
has seabios '0x1234 0x1111 bochs-drm' && has seabios '0x8086 0x293e snd_hda_intel'
ok $? 'seabios: bochs-display and HD audio too'
has seabios '^q35 0000:00:1d.7 0x8086 0x293a ehci-pci' && has seabios '^q35 0000:00:1d.0 0x8086 0x2934 uhci_hcd'
ok $? 'seabios: USB, and one of its companions'
has seabios '^q35 iTCO_wdt$'
ok $? 'seabios: the watchdog too'
has seabios '^q35 clocks .*hpet acpi_pm'
ok $? 'seabios: HPET and power management timer'
has seabios '^q35 sleep .*mem disk'
ok $? 'seabios: sleep to RAM and to disk are offered'
has seabios ' PCI-MSI .* virtio0-req'
ok $? 'seabios: messages interrupt'
! has seabios 'complaint'
ok $? 'seabios: the kernel has no complaint'
# efi NAME CODE OPTION...: by OVMF of Debian's package
efi() {
	cp /usr/share/OVMF/OVMF_VARS_4M.fd "$tmp/vars.fd"
	name=$1 code=$2
	shift 2
	q35 "$name" "$@" -drive "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/$code" \
		-drive "if=pflash,unit=1,format=raw,file=$tmp/vars.fd"
	has "$name" 'efi: EFI v2' && has "$name" '^q35 mmconfig 1$' && ! has "$name" complaint
	ok $? "$name: Linux was started by EFI and has no complaint"
	! cmp -s "$tmp/vars.fd" /usr/share/OVMF/OVMF_VARS_4M.fd
	ok $? "$name: variables were written"
}

efi ovmf OVMF_CODE_4M.fd -machine smm=off
# Its variables are written in system management mode only, by both processors' consent.
efi ovmf-smm OVMF_CODE_4M.secboot.fd -machine smm=on -global driver=cfi.pflash01,property=secure,value=on
done_testing
