#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A ROM for the Quadra: it starts by its vector through the overlay, finds RAM at 0 after that, tells over the serial port, and
# switches off. Then images that are none, and nothing at all.
set -u
: "${QEMU_BIN:=$(cd "$(dirname "$0")/../../.." && pwd)/build/qemu-system}"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/m68k-rom.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM

w() {
	for x; do
		printf "\\$(printf %03o $((0x$x >> 8)))\\$(printf %03o $((0x$x & 255)))"
	done
}

rom() {
	w 0000 4000 4080 0008		# SSP 4000, PC 40800008
	w 4bf9 50f0 c026		# lea     $50f0c026,a5		SCC, data of channel A
	w 49f9 50f0 c022		# lea     $50f0c022,a4
	w 18bc 0005 18bc 0008		# move.b  #5,(a4); move.b #8,(a4)	WR5: transmit
	w 1abc 0052			# move.b  #'R',(a5)
	w 21fc 1234 5678 0000		# move.l  #$12345678,0.w
	w 2038 0000 0c80 1234 5678	# move.l  0.w,d0; cmpi.l #$12345678,d0
	w 6604 1abc 0041		# bne     1f; move.b #'A',(a5)	RAM is there
	w 2039 4000 0000 b0b9 4080 0000	# 1: move.l $40000000,d0; cmp.l $40800000,d0
	w 6604 1abc 004d		# bne     2f; move.b #'M',(a5)	and the ROM twice
	w 41f9 50f0 2000		# 2: lea  $50f02000,a0		VIA2
	w 117c 0004 0400 4210 60fe	# move.b #4,$400(a0); clr.b (a0); bra *	power off
}

count=0
ok() {
	count=$((count + 1))
	[ "$1" = 0 ] && echo "ok $count - $2" || echo "not ok $count - $2"
}

# refused NAME PATTERN ARG...
refused() {
	name=$1 pattern=$2
	shift 2
	timeout 120 "$QEMU_BIN-m68k" -M q800 -m 16 -display none "$@" < /dev/null > "$tmp/log" 2>&1
	[ $? = 1 ] && grep -q -e "$pattern" "$tmp/log"
	ok $? "$name"
}

rom > "$tmp/rom"
truncate -s 1M "$tmp/rom"
timeout 120 "$QEMU_BIN-m68k" -M q800 -m 16 -bios "$tmp/rom" -display none -monitor none -serial "file:$tmp/out" \
	< /dev/null > "$tmp/log" 2>&1
[ "$(cat "$tmp/out")" = RAM ]
ok $? 'starts, finds RAM and itself'
refused 'neither ROM nor kernel: it is said what is needed' 'nothing to start: .*-kernel .*-bios'
refused 'a file that is not there' 'nowhere' -bios "$tmp/nowhere"
head -c 1000 "$tmp/rom" > "$tmp/short"
refused 'a short one' 'no Macintosh ROM' -bios "$tmp/short"
truncate -s 1M "$tmp/zeros"
refused 'one that starts elsewhere' 'no ROM of a Quadra' -bios "$tmp/zeros"
refused 'a screen without height' 'is no screen' -bios "$tmp/rom" -g 800
refused 'a screen of seven bits' '7 bits a pixel' -bios "$tmp/rom" -g 640x480x7
echo "1..$count"
