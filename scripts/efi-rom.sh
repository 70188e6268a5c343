#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Wraps an EFI driver into a PCI option ROM, so that firmware has it where a card brings it: -device ...,romfile=ROM.
#
#   scripts/efi-rom.sh DRIVER.efi VENDOR DEVICE > ROM        ids of the card that carries it, hexadecimal: 8086 10d3
#
# Sources: UEFI Specification 2.10, 14.4 "PCI Option ROMs"; PCI Firmware Specification 3.0, 5.1.
set -eu
[ $# = 3 ] && [ -f "$1" ] || {
	echo "usage: efi-rom.sh DRIVER.efi VENDOR DEVICE > ROM" >&2
	exit 2
}

# le16 NUMBER...: little endian
le16() {
	for number; do
		printf "\\$(printf %03o $((number & 255)))\\$(printf %03o $((number >> 8 & 255)))"
	done
}
# number OFFSET: the 16 bits at that offset of the driver
number() {
	od -An -tu2 -j "$1" -N 2 --endian=little "$driver" | tr -d ' '
}

driver=$1
pe=$(number 60)
[ "$(number 0)" = 23117 ] && [ "$(number "$pe")" = 17744 ] || {
	echo "efi-rom.sh: '$driver' is no PE image" >&2
	exit 1
}
machine=$(number $((pe + 4))) subsystem=$(number $((pe + 24 + 68)))
header=64
size=$(($(stat -c %s "$driver") + header))
sectors=$(((size + 511) / 512))
{
	le16 0xaa55 $sectors 0x0ef1 0 "$subsystem" "$machine" 0         # 14.4.2.1.1: not compressed
	le16 0 0 0 0
	le16 $header 28 0                                               # where the image is, and the PCI data structure
	printf PCIR
	le16 "0x$2" "0x$3" 0 28
	printf '\003\0\0\0'                                             # its revision; class
	le16 $sectors 0
	printf '\003\200'                                               # EFI, and the last image
	le16 0 0 0 0 0 0 0
	cat "$driver"
	head -c $((sectors * 512 - size)) /dev/zero
}
