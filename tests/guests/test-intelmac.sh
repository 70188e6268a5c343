#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The machine intelmac, started by OVMF, under Debian's kernel: the drivers of the ICH7's functions bind, and applesmc without
# being told that this is a Mac.
. "$(dirname "$0")/lib.sh"
echo "# timeout: 400"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64
cp /usr/share/OVMF/OVMF_VARS_4M.fd "$tmp/vars.fd"
linux_modules mac 300 'run=intelmac' -M intelmac,smm=off -net none \
	-drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \
	-drive "if=pflash,unit=1,format=raw,file=$tmp/vars.fd"
[ $? = 0 ] && has mac 'GUEST-DONE rc=0'
ok $? 'mac: Linux starts and switches off'
has mac 'efi: EFI v2'
ok $? 'mac: it was started by EFI'
has mac '^q35 0000:00:1f.0 0x8086 0x27b9 lpc_ich' && has mac '^q35 0000:00:1f.2 0x8086 0x27c5 ahci' &&
	has mac '^q35 0000:00:1f.1 0x8086 0x27df ata_piix' && has mac '^q35 0000:00:1f.3 0x8086 0x27da i801_smbus' &&
	has mac '^q35 0000:00:1b.0 0x8086 0x27d8 snd_hda_intel' && has mac '^q35 0000:00:1d.0 0x8086 0x27c8 uhci_hcd' &&
	has mac '^q35 0000:00:1d.7 0x8086 0x27cc ehci-pci'
ok $? 'mac: LPC bridge, SATA, PATA, SMBus, HD audio and USB have their drivers'
has mac 'applesmc: key=17 fan=1 temp=3 index=3'
ok $? 'mac: applesmc'
! has mac complaint
ok $? 'mac: the kernel has no complaint'
done_testing
