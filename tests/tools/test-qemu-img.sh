#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Our qemu-img and the distribution's: what one makes, the other reads and finds sound.

ours=$BUILD_DIR/qemu-img
theirs=/usr/bin/qemu-img
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

n=0
ok() { n=$((n + 1)); echo "ok $n $*"; }
not_ok() { n=$((n + 1)); echo "not ok $n $*"; sed 's/^/# /' log | head -20; }
try() { what=$1; shift; if "$@" > log 2>&1; then ok "$what"; else not_ok "$what: $*"; fi; }
fails() { what=$1; shift; if "$@" > log 2>&1; then not_ok "$what: $*"; else ok "$what"; fi; }

if ! [ -x $theirs ]; then
    echo "1..0 # SKIP the distribution's qemu-img is missing"
    exit 0
fi

# A disk with text, noise, holes, and an end in the middle of a cluster.
yes 'a line of text' | head -c 3000000 > disk
head -c 700000 /dev/urandom >> disk
truncate -s 20000256 disk
yes 'another' | head -c 100000 | dd of=disk bs=512 seek=30000 conv=notrunc 2> /dev/null
truncate -s 20000256 disk

while read -r name options; do
    try "ours makes $name" "$ours" convert -f raw -O qcow2 $options disk o.qcow2
    try "theirs finds it sound" $theirs check -q o.qcow2
    try "theirs reads it" $theirs compare -q -f raw -F qcow2 disk o.qcow2
    try "theirs makes $name" $theirs convert -f raw -O qcow2 $options disk t.qcow2
    try "ours finds it sound" "$ours" check -q t.qcow2
    try "ours reads it" "$ours" compare -q -f raw -F qcow2 disk t.qcow2
    try "both are the same" "$ours" compare -q -s o.qcow2 t.qcow2
    "$ours" convert -O raw t.qcow2 back.raw > log 2>&1
    try "ours converts it back" cmp disk back.raw
done <<END
plain
v2 -o compat=0.10
small -o cluster_size=512
large -o cluster_size=2M
compressed -c
compressed-small -c -o cluster_size=1k
zstd -c -o compression_type=zstd
extended -o extended_l2=on
extended-compressed -c -o extended_l2=on,cluster_size=16k
refcounts -o refcount_bits=1,cluster_size=4k
metadata -o preallocation=metadata
END

# Chains, snapshots, resizing, committing, rebasing.
# vdi, vpc, vmdk, vhdx: tests/block/test-growing looks inside.
while read -r format options; do
    try "ours makes $format $options" "$ours" convert -f raw -O $format $options disk o.img
    try "theirs reads it" $theirs compare -q -f raw -F $format disk o.img
    try "theirs makes it" $theirs convert -f raw -O $format $options disk t.img
    try "ours reads it" "$ours" compare -q -f raw -F $format disk t.img
    try "ours finds it sound" "$ours" check -q -f $format t.img
    try "into a qcow2 image" "$ours" convert -f $format -O qcow2 t.img t2.qcow2
    try "the same disk" $theirs compare -q -f raw -F qcow2 disk t2.qcow2
done <<END
vdi
vpc -o force_size=on
vmdk
vmdk -o subformat=streamOptimized
vhdx
vhdx -o block_size=1M,subformat=fixed
END
"$ours" create -f vhdx -o help > log 2>&1
try "its format is found" sh -c "'$ours' info o.img | grep -q 'file format: vhdx'"

"$ours" create -q -f qcow2 -b o.qcow2 -F qcow2 top.qcow2 > log 2>&1
try "an overlay reads as its base" $theirs compare -q o.qcow2 top.qcow2
try "a snapshot is made" "$ours" snapshot -c first top.qcow2
try "theirs lists it" sh -c "$theirs snapshot -l top.qcow2 | grep -q first"
try "theirs deletes it" $theirs snapshot -d first top.qcow2
try "theirs makes one" $theirs snapshot -c second top.qcow2
try "ours goes to it" "$ours" snapshot -a second top.qcow2
try "ours deletes it" "$ours" snapshot -d second top.qcow2
try "it grows" "$ours" resize -q top.qcow2 +4M
fails "it doesn't shrink without --shrink" "$ours" resize -q top.qcow2 1M
try "theirs finds it sound" $theirs check -q top.qcow2
cp t.qcow2 base2.qcow2
try "another base" "$ours" rebase -q -b base2.qcow2 -F qcow2 top.qcow2
try "theirs sees the base" sh -c "$theirs info top.qcow2 | grep -q 'backing file: base2.qcow2'"
try "a commit" "$ours" commit -q top.qcow2
try "theirs finds the base sound" $theirs check -q base2.qcow2
try "no base" "$ours" rebase -q -b '' top.qcow2
try "theirs finds it sound" $theirs check -q top.qcow2

# What scripts read.
$theirs convert -f raw -O qcow2 disk t.qcow2
for f in info "map --output=json" "measure -O qcow2"; do
    "$ours" $f t.qcow2 > o.txt 2>&1
    $theirs $f t.qcow2 > t.txt 2>&1
    diff o.txt t.txt > log
    try "'$f' tells the same" cmp -s o.txt t.txt
done
try "info in JSON" sh -c "'$ours' info --output=json t.qcow2 | grep -q '\"virtual-size\": 20000256'"

# Damage: the first refcount block says that nothing is in use.
"$ours" create -q -f qcow2 bad.qcow2 8M > log 2>&1
dd if=/dev/zero of=bad.qcow2 bs=65536 seek=2 count=1 conv=notrunc 2> /dev/null
fails "damage is found" "$ours" check -q bad.qcow2
"$ours" check -q -r all bad.qcow2 > log 2>&1
try "and mended" $theirs check -q bad.qcow2
# dd, bitmaps, bench.
"$ours" dd -f raw -O qcow2 bs=1M count=2 skip=1 if=disk of=dd.qcow2 > log 2>&1
dd if=disk of=dd.raw bs=1M count=2 skip=1 2> /dev/null
try "dd copies a piece" $theirs compare -q -f qcow2 -F raw dd.qcow2 dd.raw
try "a bitmap is added" "$ours" bitmap --add --disable -g 4k dd.qcow2 x
try "theirs adds another" $theirs bitmap --add dd.qcow2 y
try "merged and cleared" "$ours" bitmap --merge x --clear dd.qcow2 y
try "theirs shows both" sh -c "$theirs info dd.qcow2 | grep -c 'name: [xy]' | grep -q 2"
"$ours" info dd.qcow2 > o.txt 2>&1
$theirs info dd.qcow2 > t.txt 2>&1
diff o.txt t.txt > log
try "ours shows them as theirs does" cmp -s o.txt t.txt
try "one is removed" "$ours" bitmap --remove dd.qcow2 x
fails "and isn't there" "$ours" bitmap --remove dd.qcow2 x
try "the image is sound" $theirs check -q dd.qcow2
try "bench reads" sh -c "'$ours' bench -c 500 -d 8 dd.qcow2 | grep -q 'Run completed'"
try "bench writes" "$ours" bench -q -w -c 500 -d 8 --flush-interval=100 dd.qcow2
try "the image is sound still" "$ours" check -q dd.qcow2

fails "no such format" "$ours" create -q -f nonesuch x 1M
fails "no such file" "$ours" info nonesuch

echo "1..$n"
