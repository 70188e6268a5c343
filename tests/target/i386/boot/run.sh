#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh IMAGE-NAME EMULATOR [ARGUMENT...]: assembles the image IMAGE-NAME.S and prints what it says on the debug port, 60 seconds
# at most (CHECK_PATIENCE times that, or three: a busy host is no fault). CPU is the model (max). A line "# ARGUMENTS: ..." of the image has more of the emulator's.
dir=$(cd "$(dirname "$0")" && pwd)
name=$1
shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
as --32 -I "$dir" -o "$tmp/o" "$dir/$name.S" && ld -m elf_i386 -e 0 -Ttext 0 --section-start .reset=0xfff0 \
    --oformat binary -o "$tmp/bios" "$tmp/o" || exit 2
# shellcheck disable=SC2046
timeout $((60 * ${CHECK_PATIENCE:-3})) "$@" -M pc -cpu "${CPU:-max}" -m 16 -display none -nodefaults -no-reboot -bios "$tmp/bios" \
    $(sed -n "s/^# ARGUMENTS: //p" "$dir/$name.S") -debugcon file:"$tmp/out" -device isa-debug-exit,iobase=0xf4 < /dev/null > "$tmp/messages" 2>&1
status=$?
head -c 20000 "$tmp/out"
[ "$status" = 1 ] || { sed 's/^/# /' "$tmp/messages"; echo "# ended with $status"; }
