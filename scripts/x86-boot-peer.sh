#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs tests/target/i386/boot/*.S in the distribution's emulator and prints where it differs from what the manuals say (boot/*.expected):
# a line of the image, then what that emulator does. An image that it doesn't bring to an end is told last.
#
#   scripts/x86-boot-peer.sh [EMULATOR]         (qemu-system-x86_64)
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
dir=$src/tests/target/i386/boot
peer=${1:-/usr/bin/qemu-system-x86_64}
for file in "$dir"/*.S; do
    name=$(basename "$file" .S)
    case $name in cpu-*) continue ;; esac       # models that it doesn't have
    echo "== $name"
    "$dir/run.sh" "$name" "$peer" -accel tcg | tr -d '\000' | awk -v expected="$dir/$name.expected" '
        BEGIN { while ((getline line < expected) > 0) want[++n] = line }
        /^#/ { print "  " $0; next }
        NR <= n && $0 != want[NR] { split(want[NR], w, ": "); print "  " want[NR]; print "      it: " substr($0, length(w[1]) + 2) }
        { last = NR }
        END { if (last < n) print "  (ended before: " want[last + 1] ")" }'
done
