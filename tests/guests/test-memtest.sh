#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# memtest86+ from Debian's CD image tests 64 MiB: what it says is read from the screen.
#
#   test-memtest.sh [PASSES]
#
# Without an argument: until a few of its tests are done, which must find nothing.
. "$(dirname "$0")/lib.sh"
guest_items screen-text
iso=/usr/lib/memtest86+/memtest86+x64.iso
[ -f $iso ] || { echo "1..0 # SKIP the package memtest86+ isn't installed"; exit 0; }
passes=${1:-0}
echo "# timeout: $((passes * 3000 + 300))"

# until_screen PATTERN SECONDS: looked at every second
until_screen() {
	for _ in $(seq "$2"); do
		on_screen "$1" 1 && return
		grep -q -e 'Errors: *[1-9]' -e 'Status: Failed' "$tmp/screen" && return 1
		sleep 1
	done
	return 1
}

with_qmp memtest $((passes * 3000 + 300)) x86_64 -M pc -m 64 -cdrom $iso -boot d
on_screen 'Memtest86+ v6' 60
ok $? 'memtest: it is on the screen'
if [ "$passes" = 0 ]; then
	until_screen 'Testing.*\[' 30 && until_screen ' #[3-9] ' 200
else
	until_screen "Pass: *$passes " $((passes * 3000))
fi
ok $? "memtest: ${1:-part of a} pass is through"
grep -q 'Errors: 0' "$tmp/screen"
ok $? 'memtest: no error'
sed -n '1,10p' "$tmp/screen" | sed 's/^/# /'
qmp '{"execute":"quit"}'
wait $pid
exec 3>&-
done_testing
