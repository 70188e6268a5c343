#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each program that is installed has a man page, and the page has each option that the program's help tells.
set -u
n=0
fails=0
result()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fails=1; fi
}

# has PAGE: each option of the help on the input is in it.
has()
{
	sed 's/\\-/-/g; s/\\fB//g; s/\\fP//g' "$1" >"$page"
	missing=$(grep -oE '(^|[ ,[])--?[a-zA-Z0-9][a-z0-9-]*' | tr -d ' ,[' | sort -u | while read -r o; do
		grep -qE -- "(^|[^a-zA-Z0-9-])$o([^a-zA-Z0-9-]|$)" "$page" || echo "$o"
	done)
	[ -z "$missing" ] || { echo "# not in the page: $missing" | tr '\n' ' '; echo; return 1; }
}

page=$(mktemp)
trap 'rm -f "$page"' EXIT
for dir in "$SRC_DIR"/tools/*/; do
	tool=$(basename "$dir")
	[ -x "$BUILD_DIR/$tool" ] || continue           # a library for another program
	man=$(ls "$dir$tool".[18] 2>/dev/null)
	[ -n "$man" ]
	result $? "$tool has a page"
	[ -n "$man" ] || continue
	case $tool in
	qemu-bridge-helper|qmp-shell) "$BUILD_DIR/$tool" 2>&1 | has "$man" ;;
	qemu-img) "$BUILD_DIR/$tool" --help | sed -n 's/^  \([a-z]*\) .*/--\1/p' | sed 's/--/ /' | has "$man" ;;
	*) "$BUILD_DIR/$tool" -h 2>&1 | has "$man" ;;
	esac
	result $? "it has the options of $tool"
	if command -v groff >/dev/null; then
		out=$(groff -man -Tutf8 -z "$man" 2>&1)
		[ -z "$out" ] || echo "# $out"
		[ -z "$out" ]
		result $? "groff takes it as it is"
	fi
done

"$QEMU_BIN" -help | awk -f "$SRC_DIR/scripts/man-options.awk" >"$page.1"
"$QEMU_BIN" -help | grep '^-' | sed 's/ .*//' | has "$page.1"
result $? "the emulator's page has its options"
rm -f "$page.1"
echo "1..$n"
exit $fails
