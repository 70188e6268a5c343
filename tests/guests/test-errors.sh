#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Hardware errors that the monitor makes up, as Debian's kernel reports them: PCI Express (AER) and machine checks.
# timeout: 900
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64
cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"

hmp() {
	qmp '{"execute":"human-monitor-command","arguments":{"command-line":"'"$1"'"}}'
}

start() {
	name=$1
	shift
	with_qmp "$name" 120 x86_64 -m 256 -no-reboot -nodefaults -kernel "$cache/linux-amd64" \
		-initrd "$tmp/modules.gz" -append 'console=ttyS0 no_timer_check ignore_loglevel mods=virtio_pci,virtio_net,e1000e' "$@"
	wait_for "$serial" '^GUEST-READY' 90
	ok $? "$name: Linux is up"
}

finish() {
	qmp '{"execute":"quit"}'
	wait $pid
	exec 3>&-
}

start q35 -M q35 -cpu Haswell,-hle,-rtm -device pcie-root-port,id=rp,addr=4,chassis=1,slot=1 \
	-device x3130-upstream,id=up,bus=rp -device xio3130-downstream,id=down,bus=up,chassis=2 \
	-device pcie-root-port,id=rp2,addr=5,chassis=3,slot=3 -device virtio-net-pci,id=vnet,bus=rp2,aer=on \
	-device pcie-root-port,id=rp3,addr=6,chassis=4,slot=4 -device e1000e,id=nic,bus=rp3
hmp 'pcie_aer_inject_error up BAD_TLP' &&
	wait_for "$serial" 'pcieport 0000:00:04.0: AER: Corrected error.* received.* 0000:01:00.0' 20
ok $? "q35: AER, correctable"
hmp 'pcie_aer_inject_error down POISON_TLP 0x11223344 2 3 4' &&
	wait_for "$serial" 'pcieport 0000:00:04.0: AER: Uncorrected (Non-Fatal) error.* received.* 0000:02:00.0' 20 &&
	wait_for "$serial" 'pcieport 0000:02:00.0: AER: *TLP Header: 11223344 00000002 00000003 00000004' 20 &&
	wait_for "$serial" 'AER: device recovery successful' 20
ok $? "q35: AER, not fatal, with its packet's header, recovered"
hmp 'pcie_aer_inject_error vnet RCVR' &&
	wait_for "$serial" 'pcieport 0000:00:05.0: AER: Corrected error.* received.* 0000:04:00.0' 20 &&
	wait_for "$serial" 'virtio-pci 0000:04:00.0: *\[ *0\] RxErr' 20
ok $? "q35: AER of an endpoint: virtio-net"
hmp 'pcie_aer_inject_error nic COMP_ABORT 0x55667788 0 0 9' &&
	wait_for "$serial" 'e1000e 0000:05:00.0: AER: *TLP Header: 55667788 00000000 00000000 00000009' 20 &&
	wait_for "$serial" 'pcieport 0000:00:06.0: AER: device recovery successful' 20
ok $? "q35: AER of an endpoint: e1000e, whose driver recovers"
hmp 'mce 0 9 0xbd000000000000c0 0xd 0x6200000 0x8c' &&
	wait_for "$serial" 'Memory failure: 0x6200: recovery action' 20
ok $? "q35: a machine check that software recovers from"
hmp 'mce 0 5 0xb200000000000000 5 0 0' && wait_for "$serial" 'Kernel panic - not syncing: Fatal.* machine check' 20 &&
	has q35 'Machine Check Exception: 5 Bank 5: b200000000000000'
ok $? "q35: one that nobody recovers from"
finish

start pc -M pc
hmp 'mce 0 4 0xb200000000070f0f 5 0 0' && wait_for "$serial" 'Kernel panic - not syncing: Fatal.* machine check' 20 &&
	has pc 'Machine Check Exception: 5 Bank 4: b200000000070f0f'
ok $? "pc: on a processor of AMD's"
finish
done_testing
