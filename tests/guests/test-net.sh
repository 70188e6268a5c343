#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's e1000, e1000e, virtio_net and 8139too drivers get an address by DHCP from user networking and exchange a file with a TCP
# server on this host, in both directions. NET_MB says how many million bytes (default 100).
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64 tcp-peer
megabytes=${NET_MB:-100}
echo "# timeout: $((megabytes * 5 + 240))"

# exchange NAME MEGABYTES ARG...: boots with a server at the other end
exchange() {
	xname=$1 bytes=$(($2 * 1000000)) limit=$(($2 * 2 + 100))
	shift 2
	# The kernel over and over: the same each time, and hardly a pattern in it.
	while cat "$cache/linux-amd64"; do :; done 2> /dev/null | head -c $bytes > "$tmp/data"
	sum=$(md5sum < "$tmp/data")
	rm -f "$tmp/port"
	"$cache/tcp-peer" "$tmp/port" "$tmp/data" "$tmp/copy" &
	pid=$!
	if ! wait_for "$tmp/port" . 10; then
		ok 1 "$xname: the server starts"
		return
	fi
	linux_modules "$xname" $limit "run=tcp arg=$(cat "$tmp/port")$more" "$@"
	status=$?
	kill $pid 2> /dev/null && status=1	# still there: something was missing
	wait $pid 2> /dev/null || status=1
	has "$xname" '^dhcp e[^ ]* 10\.0\.2\.15'
	ok $? "$xname: an address by DHCP"
	has "$xname" "^tcp got $bytes ${sum%% *}"
	ok $? "$xname: $bytes bytes received"
	[ $status = 0 ] && cmp "$tmp/data" "$tmp/copy"
	ok $? "$xname: the same sent back"
	tr -d '\r' < "$tmp/$xname.log" | sed -n 's/^tcp seconds/# uptimes/p'
}

more=
exchange netdev "$megabytes" -smp 2 -netdev user,id=n -device e1000,netdev=n,mac=52:54:00:00:00:05
exchange nic 8 -nic user,model=e1000
exchange virtio 8 -nic user,model=virtio-net-pci
exchange rtl8139 8 -nic user,model=rtl8139
# The 82574L behind a port, with a vector for each direction; then with descriptors that take a frame apart.
exchange e1000e 8 -M q35 -smp 2 -device pcie-root-port,id=rp,chassis=1 -netdev user,id=n -device e1000e,bus=rp,netdev=n
more=,10.0.2.2,4000
exchange e1000e-split 8 -M q35 -nic user,model=e1000e
done_testing
