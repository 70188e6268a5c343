#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Images that start at the reset vector and try the corners of segments, paging, tasks, debug registers, virtual-8086 mode, interrupts and
# SMM (boot/*.S): they print what boot/*.expected has, which the manuals decide. In the interpreter too.
dir=$SRC_DIR/tests/target/i386/boot
if ! as --32 -o /dev/null /dev/null 2> /dev/null || ! ld -V 2> /dev/null | grep -q elf_i386; then
    echo "1..0 # SKIP no assembler for x86"
    exit 0
fi
echo "# timeout: 1200"
n=0
try() {
    n=$((n + 1))
    image=$1
    shift
    if "$dir/run.sh" "$image" "$QEMU_BIN" "$@" 2>&1 | diff - "$dir/$image.expected" > diff.$$; then
        echo "ok $n $image $*"
    else
        sed 's/^/# /' diff.$$
        echo "not ok $n $image $*"
    fi
    rm -f diff.$$
}
for file in "$dir"/*.S; do
    try "$(basename "$file" .S)"
    try "$(basename "$file" .S)" -accel tcg,interp=on
done
echo "1..$n"
