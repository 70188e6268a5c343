#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's netboot installer puts a system on an AHCI disk of q35, which then boots: by SeaBIOS and by OVMF, each with an
# installation of its own; the latter by OVMF with no variables too, and in the machine intelmac. With libvirt, virt-install does the
# same on pc. Not part of make check, as the installations take long and need a mirror; `make check-install`.
#
#   install.sh [seabios|ovmf|libvirt]...        all of them
. "$(dirname "$0")/lib.sh"
[ $# -gt 0 ] || set -- seabios ovmf libvirt
tools=$(dirname "$QEMU_BIN")

# said NAME COMMAND PATTERN: what the guest's shell says to the command
said() {
	printf '%s\n' "$2" >&4
	wait_for_prompt "$tmp/$1.log" "$3" 60
}

# booted NAME MACHINE FIRMWARE-FOUND ARG...: the disk $image in a machine, from its firmware to a login, and off again
booted() {
	bname=$1 bmachine=$2 bfirmware=$3
	shift 3
	rm -f "$tmp/disk.qcow2" "$tmp/keys"
	"$tools/qemu-img" create -q -f qcow2 -b "$image" -F raw "$tmp/disk.qcow2"
	mkfifo "$tmp/keys"
	begin=$(date +%s)
	timeout -k 5 $((1200 * patience)) "$QEMU_BIN-x86_64" -M "$bmachine" -m 512 -nic none -display none -serial stdio "$@" \
		-drive "file=$tmp/disk.qcow2,format=qcow2,if=none,id=disk" -device ide-hd,drive=disk,bus=ide.0 \
		< "$tmp/keys" > "$tmp/$bname.log" 2>&1 &
	pid=$!
	exec 4> "$tmp/keys"
	wait_for_prompt "$tmp/$bname.log" '^debian login: ' 600
	ok $? "$bname: a login"
	echo "# after $(($(date +%s) - begin)) s"
	said "$bname" root 'Password: ' && said "$bname" debian 'root@debian'
	ok $? "$bname: a shell"
	# What is typed must not be what is looked for.
	said "$bname" 'test -d /sys/firmware/efi; echo efi-$?-efi' "efi-$bfirmware-efi"
	ok $? "$bname: started by its firmware"
	said "$bname" 'D=$(readlink -f /sys/block/sda/device/../../../../driver); echo "disk at ${D##*/}, root $(findmnt -n -o SOURCE /)"' \
		'disk at ahci, root /dev/sda'
	ok $? "$bname: from a disk of the AHCI controller"
	said "$bname" 'echo "failed: $(systemctl --failed --no-legend | wc -l)"; dpkg --audit && echo "audit: $?"' 'audit: 0'
	ok $? "$bname: all packages are installed"
	printf 'poweroff\n' >&4
	wait $pid
	ok $? "$bname: it switches itself off"
	exec 4>&-
	"$tools/qemu-img" check -q "$tmp/disk.qcow2"
	ok $? "$bname: the disk's image is whole"
}

# efi NAME MACHINE VARIABLES
efi() {
	cp "$3" "$tmp/vars.fd"
	booted "$1" "$2,smm=off" 0 -drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \
		-drive "if=pflash,unit=1,format=raw,file=$tmp/vars.fd"
}

for try; do
	case $try in
	seabios | ovmf)
		image=$("$SRC_DIR/scripts/install-debian.sh" --firmware "$try")
		ok $? "$try: Debian is installed"
		[ -n "$image" ] || continue
		;;
	esac
	case $try in
	seabios) booted seabios q35 1 ;;
	ovmf)
		efi ovmf q35 "${image%.img}.vars"
		efi ovmf-no-variables q35 /usr/share/OVMF/OVMF_VARS_4M.fd
		efi intelmac intelmac /usr/share/OVMF/OVMF_VARS_4M.fd
		;;
	libvirt)
		QEMU_BIN=$QEMU_BIN-x86_64 "$SRC_DIR/tests/clients/virt-install.sh" > "$tmp/libvirt.tap"
		ok $? "libvirt: virt-install installs Debian"
		sed 's/^/# /' "$tmp/libvirt.tap"
		;;
	*) echo "Bail out! there is no '$try' here: seabios, ovmf, libvirt"; exit 1 ;;
	esac
done
done_testing
