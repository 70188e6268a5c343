#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A program for the Quadra, run by the code generator and by the interpreter: loops, an exception, a bus error with its
# frame, the FPU, the serial port, power-off. What it prints is told beside the code.
set -u
tmp=$(mktemp -d "${TMPDIR:-/tmp}/m68k-run.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM

# w WORD...: 16-bit words in hexadecimal, big-endian
w() {
	for x; do
		printf "\\$(printf %03o $((0x$x >> 8)))\\$(printf %03o $((0x$x & 255)))"
	done
}

code() {
	w 4bf9 5000 c026		# lea     $5000c026,a5		SCC, data of channel A
	w 49f9 5000 c022		# lea     $5000c022,a4		its control
	w 18bc 0005 18bc 0008		# move.b  #5,(a4); move.b #8,(a4)	WR5: transmit
	w 1abc 0041			# move.b  #'A',(a5)
	w 7000 7209 7401		# moveq   #0,d0; moveq #9,d1; moveq #1,d2
	w d082 5282 51c9 fffa		# 1: add.l d2,d0; addq.l #1,d2; dbra d1,1b
	w 1a80				# move.b  d0,(a5)		1 + ... + 10 = '7'
	w 21fc 0000 2080 0084		# move.l  #trap,$84.w
	w 21fc 0000 2090 0008		# move.l  #access,8.w
	w 4e41				# trap    #1			'T'
	w 2639 6000 0000		# move.l  $60000000,d3		nobody answers: '7'
	w f23c 4000 0000 0009		# fmove.l #9,fp0
	w f200 0004 f200 6000		# fsqrt.x fp0,fp0; fmove.l fp0,d0
	w 0600 0030 1a80		# addi.b  #'0',d0; move.b d0,(a5)	'3'
	w 41f9 50f0 2000		# lea     $50f02000,a0		VIA2
	w 117c 0004 0400		# move.b  #4,$400(a0)		PB2 is an output
	w 4210 60fe			# clr.b   (a0); bra *		and low: power off
}
trap_handler() {
	w 1abc 0054 4e73		# move.b  #'T',(a5); rte
}
access_handler() {
	w 382f 0006 e04c e84c		# move.w  6(a7),d4; lsr.w #8,d4; lsr.w #4,d4	format
	w 0604 0030 1a84		# addi.b  #'0',d4; move.b d4,(a5)
	w 5caf 0002 4e73		# addq.l  #6,2(a7); rte		behind the instruction
}
# pad FILE SIZE
pad() {
	head -c $(($2 - $(wc -c < "$1"))) /dev/zero >> "$1"
}

code > "$tmp/image"
pad "$tmp/image" 128			# 2080
trap_handler >> "$tmp/image"
pad "$tmp/image" 144			# 2090
access_handler >> "$tmp/image"
pad "$tmp/image" 256
{
	w 7f45 4c46 0102 0100 0000 0000 0000 0000		# ELF, 32 bits, big-endian
	w 0002 0004 0000 0001 0000 2000 0000 0034 0000 0000	# executable, 68000; entry 2000
	w 0000 0000 0034 0020 0001 0000 0000 0000
	w 0000 0001 0000 0054 0000 2000 0000 2000		# load 256 bytes to 2000
	w 0000 0100 0000 0100 0000 0007 0000 0002
	cat "$tmp/image"
} > "$tmp/program"

count=0
for accel in tcg tcg,interp=on tcg,optimise=off; do
	for cpu in m68040 m68030 m68060 m68040,fpsp=host; do
		case $cpu in		# the frame that the second handler finds
		m68030) frame=';' ;;	# format B, as a digit
		m68060) frame=4 ;;
		*) frame=7 ;;
		esac
		count=$((count + 1))
		timeout 50 "$QEMU_BIN-m68k" -M q800 -m 16 -cpu $cpu -accel $accel -kernel "$tmp/program" -display none \
			-monitor none -serial "file:$tmp/out" < /dev/null > "$tmp/log" 2>&1
		if [ "$(cat "$tmp/out")" = "A7T${frame}3" ]; then
			echo "ok $count - $cpu by $accel"
		else
			echo "not ok $count - $cpu by $accel: '$(head -c 40 "$tmp/out" | tr -dc ' -~')'"
			sed 's/^/# /' "$tmp/log"
		fi
	done
done
echo "1..$count"
