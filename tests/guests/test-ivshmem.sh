#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two guests with Debian's kernel and a program of the host send each other messages through rings in shared
# memory, and ring each other's doorbells: with a server, then, an i386 among them, with the broker of one of the emulators.
. "$(dirname "$0")/lib.sh"
: "${BUILD_DIR:=$SRC_DIR/build}"
guest_items kernel-amd64 initramfs-x86_64 kernel-i386 initramfs-i386
. "$SRC_DIR/tests/guests/share/exchange-lib.sh"
example "$tmp/exchange"
ok $? 'the example is built'
share=$("$SRC_DIR/tests/guests/share/make.sh") || { echo "Bail out! what the guests need can't be had"; exit 1; }
initrd=$tmp/initrd.gz
cat "$cache/initramfs-x86_64.cpio.gz" "$share" > "$initrd"

# The same on i386, by looking at the rings: its kernel comes without modules.
mkdir -p "$tmp/root32/bin" "$tmp/root32/run.d"
example "$tmp/root32/bin/exchange" -m32 -static
ok $? 'the example is built for i386'
cp "$SRC_DIR/tests/guests/share/run-exchange" "$tmp/root32/run.d/exchange"
chmod 755 "$tmp/root32/run.d/exchange"
{ cat "$cache/initramfs-i386.cpio.gz"; (cd "$tmp/root32" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip; } > "$tmp/initrd32.gz"
guest32() {
	gname=$1 gargs=$2
	shift 2
	boot "$gname" i386 300 -m 256 -kernel "$cache/linux-i386" -initrd "$tmp/initrd32.gz" -nic none \
		-append "console=ttyS0 panic=-1 no_timer_check run=exchange arg=$gargs" "$@" &
	pid=$!
}

serve
guest one 3,100 -chardev socket,id=c,path="$tmp/s" -device ivshmem-doorbell,chardev=c,vectors=0
one=$pid
guest two 3,100 -smp 2 -chardev socket,id=c,path="$tmp/s" -device ivshmem-doorbell,chardev=c,vectors=0
two=$pid
timeout $((300 * patience)) "$tmp/exchange" 3 100 "$tmp/s" > "$tmp/host.log" 2>&1
ok $? 'host: its part, with a server'
wait $one
exchanged one uio_pci_generic
ok $? 'one: its part'
wait $two
exchanged two uio_pci_generic
ok $? 'two: its part'
kill $server
wait $server
ok $? 'the server ends by itself'

# The same through a broker; the second guest is an i386 and looks at its rings again and again.
guest broker 3,100 -object ivshmem-broker,id=b,size=4M,path="$tmp/b" -device ivshmem-doorbell,broker=b,vectors=0
one=$pid
wait_for_server "$tmp/b"
guest32 poller 3,100,poll -chardev socket,id=c,path="$tmp/b" -device ivshmem-doorbell,chardev=c,vectors=2
two=$pid
timeout $((300 * patience)) "$tmp/exchange" 3 100 "$tmp/b" > "$tmp/host2.log" 2>&1
ok $? 'host2: its part, with a broker'
wait $one
exchanged broker uio_pci_generic
ok $? 'broker: its part'
wait $two
has poller 'has exchanged 100 messages with each of 2' && has poller 'looks again and again'
ok $? 'poller: its part'
done_testing
