#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two guests with Debian's kernel and a program of the host send each other messages as in test-ivshmem.sh, the guests by VFIO: one by the
# vectors of its MSI-X, one by INTx. The guests have no IOMMU, so VFIO is Debian's, built with its no-IOMMU mode. By hand: Debian's
# kernel source is downloaded for that.
. "$(dirname "$0")/lib.sh"
: "${BUILD_DIR:=$SRC_DIR/build}"
guest_items kernel-amd64 initramfs-x86_64
. "$SRC_DIR/tests/guests/share/exchange-lib.sh"
share=$("$SRC_DIR/tests/guests/share/make.sh") && vfio=$("$SRC_DIR/tests/guests/share/vfio-noiommu.sh") || {
	echo "Bail out! what the guests need can't be had"
	exit 1
}
initrd=$tmp/initrd.gz
cat "$cache/initramfs-x86_64.cpio.gz" "$share" "$vfio" > "$initrd"
example "$tmp/exchange"
ok $? 'the example is built'
serve -n 2
guest msix 3,100,vfio -chardev socket,id=c,path="$tmp/s" -device ivshmem-doorbell,chardev=c,vectors=2
one=$pid
guest intx 3,100,vfio -chardev socket,id=c,path="$tmp/s" -device ivshmem-doorbell,chardev=c,vectors=0
two=$pid
timeout 900 "$tmp/exchange" 3 100 "$tmp/s" > "$tmp/host.log" 2>&1
ok $? 'host: its part'
wait $one
exchanged msix 'vfio-msix\[0\]'
ok $? 'msix: its part, by the vectors'
wait $two
exchanged intx 'vfio-intx'
ok $? 'intx: its part, by INTx'
sed -n 's/.*: *\([1-9][0-9]*\) .*\(vfio-[^ ]*\).*/# \2 \1 times/p' "$tmp/msix.log" "$tmp/intx.log"
kill $server
wait $server
done_testing
