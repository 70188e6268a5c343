#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The machine intelmac, started by OVMF, under Debian's kernel: the drivers of the ICH7's functions bind, and applesmc without
# being told that this is a Mac.
. "$(dirname "$0")/lib.sh"
echo "# timeout: 400"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64
cp /usr/share/OVMF/OVMF_VARS_4M.fd "$tmp/vars.fd"

# drivers_bind NAME: the log of NAME shows a driver for each function of the hub, and no complaint
drivers_bind() {
	has "$1" '^q35 0000:00:1f.0 0x8086 0x27b9 lpc_ich' && has "$1" '^q35 0000:00:1f.2 0x8086 0x27c5 ahci' &&
		has "$1" '^q35 0000:00:1f.1 0x8086 0x27df ata_piix' && has "$1" '^q35 0000:00:1f.3 0x8086 0x27da i801_smbus' &&
		has "$1" '^q35 0000:00:1b.0 0x8086 0x27d8 snd_hda_intel' && has "$1" '^q35 0000:00:1d.0 0x8086 0x27c8 uhci_hcd' &&
		has "$1" '^q35 0000:00:1d.7 0x8086 0x27cc ehci-pci'
	ok $? "$1: LPC bridge, SATA, PATA, SMBus, HD audio and USB have their drivers"
	has "$1" 'applesmc: key=17 fan=1 temp=3 index=3'
	ok $? "$1: applesmc"
	! has "$1" complaint
	ok $? "$1: the kernel has no complaint"
}

linux_modules mac 300 'run=intelmac' -M intelmac,smm=off -net none \
	-drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \
	-drive "if=pflash,unit=1,format=raw,file=$tmp/vars.fd"
[ $? = 0 ] && has mac 'GUEST-DONE rc=0'
ok $? 'mac: Linux starts and switches off'
has mac 'efi: EFI v2'
ok $? 'mac: it was started by EFI'
drivers_bind mac

# Without EFI, on the true host bridge: a disk is read by AHCI, and its interrupts arrive.
head -c 2097152 "$cache/linux-amd64" > "$tmp/disk.img"
linux_modules direct 200 'run=intelmac' -M intelmac,host-bridge=945gm -smp 2 -net none \
	-drive "file=$tmp/disk.img,format=raw"
[ $? = 0 ] && has direct 'GUEST-DONE rc=0'
ok $? 'direct: Linux starts on the 945GM, and switches off'
has direct '^q35 0000:00:00.0 0x8086 0x27a0' && has direct '^q35 mmconfig 1$'
ok $? 'direct: its host bridge, and config space as memory'
drivers_bind direct
done_testing
