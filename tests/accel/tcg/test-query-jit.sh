#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the code generator tells: a BIOS that counts for ever, sampled; QMP, the human monitor, perf's map.
set -u
: "${QEMU_BIN:?path of the emulator}"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/jit.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
count=0

# check NAME PATTERN FILE: there is a line like this
check() {
	count=$((count + 1))
	if grep -q -e "$2" "$3"; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		head -c 3000 "$3" | sed 's/^/# /'
	fi
}

# F000:0000 INC AX; JNZ -3; JMP -5 and the jump there from F000:FFF0.
head -c 65536 /dev/zero > "$tmp/bios"
printf '\100\165\375\353\373' | dd of="$tmp/bios" conv=notrunc 2> /dev/null
printf '\352\000\000\000\360' | dd of="$tmp/bios" bs=1 seek=65520 conv=notrunc 2> /dev/null
printf '0000000000000000 T counting\n000000000000fff0 T reset\n' > "$tmp/symbols"
{
	echo '{"execute": "qmp_capabilities"}'
	# Until it has come to that; when it has ended, this ends.
	until grep -q '"name": "optimised".*"symbol": "counting"' "$tmp/out"; do
		echo '{"execute": "query-jit"}'
		sleep 0.2
	done
	echo '{"execute": "human-monitor-command", "arguments": {"command-line": "info jit"}}'
	echo '{"execute": "quit"}'
} | timeout 120 "$QEMU_BIN-x86_64" -M pc -nodefaults -display none -bios "$tmp/bios" -qmp stdio \
	-accel "tcg,profile=500,symbols=$tmp/symbols" > "$tmp/out" 2> "$tmp/err"
check 'a back end' '"backend": "' "$tmp/out"
check 'the quick tier' '"name": "quick"' "$tmp/out"
check 'the optimised tier, which the loop got to' '"name": "optimised"' "$tmp/out"
check 'reasons to leave' '"reason": "look-up"' "$tmp/out"
check 'samples of the loop by its name' '"symbol": "counting"' "$tmp/out"
check 'for people' 'Tier optimised .*Profile .*counting+0x0' "$tmp/out"

timeout 120 "$QEMU_BIN-x86_64" -display none -accel tcg,profile=fast < /dev/null > "$tmp/out" 2>&1
check 'a rate that is none' "'profile' is 'fast'; accepted: 0 to 10000" "$tmp/out"
timeout 120 "$QEMU_BIN-x86_64" -display none -accel "tcg,symbols=$tmp/bios" < /dev/null > "$tmp/out" 2>&1
check 'symbols that are none' "has no line like 'ffffffff81000000 T _stext'" "$tmp/out"
echo "1..$count"
