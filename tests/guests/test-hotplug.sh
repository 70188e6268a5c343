#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A virtio disk comes while Linux runs, is read, and goes with Linux's consent: on the root bus of pc (ACPI), behind a
# PCI Express root port (by ACPI and by the port's own registers), behind a bridge to conventional PCI (where another function has made firmware leave room).
. "$(dirname "$0")/lib.sh"
echo "# timeout: 900"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64
head -c 1048576 "$cache/linux-amd64" > "$tmp/disk.img"
sum=$(head -c 65536 "$tmp/disk.img" | md5sum)
cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"

# hotplug NAME BUS ARG...
hotplug() {
	name=$1 bus=$2
	shift 2
	with_qmp "$name" 150 x86_64 -m 512 -no-reboot -kernel "$cache/linux-amd64" -initrd "$tmp/modules.gz" \
		-append 'console=ttyS0 panic=-1 no_timer_check run=hotplug mods=virtio_pci,virtio_blk' -net none \
		-drive "if=none,id=d,file=$tmp/disk.img,format=raw" "$@"
	wait_for "$serial" '^hotplug waits' 90
	ok $? "$name: Linux runs"
	qmp '{"execute":"device_add","arguments":{"driver":"virtio-blk-pci","id":"disk","drive":"d","bus":"'"$bus"'"}}'
	wait_for "$serial" '^hotplug came' 40
	ok $? "$name: a disk comes"
	has "$name" "^hotplug came 2048 ${sum%% *}"
	ok $? "$name: its contents are read"
	qmp '{"execute":"device_del","arguments":{"id":"disk"}}'
	wait_for "$serial" '^hotplug gone' 60
	ok $? "$name: and it goes"
	wait_for "$serial" '^GUEST-DONE rc=0' 30
	ok $? "$name: the guest is through"
	wait $pid
	exec 3>&-
	grep -q -a DEVICE_DELETED "$out"
	ok $? "$name: DEVICE_DELETED is sent"
}

hotplug root pci.0 -M pc
hotplug native rp -M q35 -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off \
	-device pcie-root-port,id=rp,chassis=1
hotplug port rp -M q35 -device pcie-root-port,id=rp,chassis=1
hotplug bridge pci.1 -M q35 -device pcie-pci-bridge,id=pci.1 -device virtio-rng-pci,bus=pci.1
done_testing
