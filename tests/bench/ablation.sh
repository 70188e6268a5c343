#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What each decision of the code generator brings: gbench with it switched off against with all
# of them, in turns; medians. A ratio over 1 is what the decision brings.
#
#   ablation.sh [-r ROUNDS] [-t SECONDS-PER-KERNEL] [-s SWITCH,...] [GBENCH-ARGUMENT...]
set -eu
. "$(dirname "$0")/lib.sh"
ours=${QEMU_BIN:?path of the emulator}-x86_64
rounds=3 seconds=0.2
switches=guarded-code,page-hints,page-sharing,residents,quick-thunks,regions,links,jump-cache,bulk,optimise,tiers
while getopts r:t:s: o; do
	case $o in
	r) rounds=$OPTARG ;;
	t) seconds=$OPTARG ;;
	s) switches=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
use_guest amd64

for s in $(echo "$switches" | tr , ' '); do
	: > "$tmp/on.rows"
	: > "$tmp/off.rows"
	i=0
	while [ $i -lt "$rounds" ]; do
		i=$((i + 1))
		echo "$s: round $i of $rounds" >&2
		boot "$tmp/log" "$ours" tcg qemu64 bench -t "$seconds" "$@"
		rows "$tmp/log" >> "$tmp/on.rows"
		boot "$tmp/log" "$ours" "tcg,$s=off" qemu64 bench -t "$seconds" "$@"
		rows "$tmp/log" >> "$tmp/off.rows"
	done
	echo "== $s"
	compare "$tmp/on.rows" "$tmp/off.rows" "without it"
	echo
done
