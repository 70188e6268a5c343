#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two guests on one network: over tap devices in a bridge (in a network namespace of this test's own), over the
# bridge helper, and over sockets. What goes by is written by filter-dump and read by tshark.
if [ -z "${LAN_NAMESPACE:-}" ]; then
	if [ "$(id -u)" = 0 ] && unshare -n ip link add lan0 type bridge 2> /dev/null && [ -c /dev/net/tun ]; then
		LAN_NAMESPACE=yes exec unshare -n sh "$0"
	fi
	LAN_NAMESPACE=no
fi
. "$(dirname "$0")/lib.sh"
echo "# timeout: 420"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64 vhost-peer

# pair NAME MEGABYTES 'ARGUMENTS OF THE FIRST' 'OF THE SECOND'
pair() {
	pname=$1
	(linux_modules "$pname-1" 120 "run=lan arg=1,serve,$2" $3) &
	ppid=$!
	linux_modules "$pname-2" 120 "run=lan arg=2,fetch,$2" $4
	wait $ppid
	sum=$(tr -d '\r' < "$tmp/$pname-1.log" | sed -n 's/^lan serves //p')
	has "$pname-2" '^lan ping'
	ok $? "$pname-2: they reach each other"
	has "$pname-2" "^lan fetched ${sum:-none}"
	ok $? "$pname-2: $2 MB arrive"
	has "$pname-1" "^lan back ${sum:-none}"
	ok $? "$pname-1: and come back"
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

nic() {
	echo "-device $1,netdev=n,mac=52:54:00:00:09:0$2"
}

pair stream 4 \
	"-netdev stream,id=n,server=on,addr.type=unix,addr.path=$tmp/s $(nic virtio-net-pci 1)
	-object filter-dump,id=d,netdev=n,file=$tmp/lan.pcap" \
	"-netdev stream,id=n,reconnect=1,addr.type=unix,addr.path=$tmp/s $(nic e1000 2)"
if command -v tshark > /dev/null; then
	tshark -r "$tmp/lan.pcap" -Y 'icmp || tcp.port==5000' > "$tmp/lan.txt" 2> "$tmp/lan.err"
	grep -q 'Echo (ping) reply' "$tmp/lan.txt" && grep -q 'SYN, ACK' "$tmp/lan.txt"
	ok $? "tshark: reads the capture"
	bytes=$(tshark -r "$tmp/lan.pcap" -Y 'tcp.srcport==5000' -T fields -e tcp.len 2> /dev/null |
		awk '{ sum += $1 } END { print sum }')
	[ "$bytes" -ge 4000000 ]
	ok $? "tshark: and finds the 4 MB in it"
else
	skip "tshark: reads the capture" "tshark isn't installed"
fi

# The queues of the first guest are in another process, which has a stream to the second.
"$cache/vhost-peer" "$tmp/vhost" "$tmp/far" > "$tmp/vhost.txt" 2>&1 &
vpid=$! pid=$!
wait_for_server "$tmp/vhost"
wait_for_server "$tmp/far"
(
	tries=1000
	path=/machine/peripheral/card/virtio-backend
	until "$BUILD_DIR/qmp-shell" -1 -c "x-query-virtio-vhost-queue-status path=$path queue=1" \
		-c "x-query-virtio-status path=$path" "$tmp/qmp" > "$tmp/queue" 2> /dev/null; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || break
		sleep 0.2
	done
) &
qpid=$!
pair vhost 8 \
	"-object memory-backend-memfd,id=m,size=512M,share=on -M pc,memory-backend=m -smp 2
	-chardev socket,id=c,path=$tmp/vhost -netdev vhost-user,id=n,chardev=c,queues=2
	-qmp unix:$tmp/qmp,server=on,wait=off $(nic virtio-net-pci,mq=on,vectors=8,id=card 1)" \
	"-netdev stream,id=n,reconnect=1,addr.type=unix,addr.path=$tmp/far $(nic virtio-net-pci 2)"
has vhost-1 '^lan combined 2'
ok $? "vhost-1: two pairs of queues"
wait $qpid
grep -q '"num": 256' "$tmp/queue" && grep -q '"used-size": 2052' "$tmp/queue" &&
	grep '"vhost-dev"' "$tmp/queue" | grep -q '"nvqs": 4'
ok $? "vhost-1: and the monitor shows one"
wait $vpid && grep -q 'enabled 3' "$tmp/vhost.txt" && grep -q 'stopped 0' "$tmp/vhost.txt"
ok $? "vhost-1: the other process gives the rings back"

if [ "$LAN_NAMESPACE" = yes ]; then
	ip link add lan0 type bridge
	ip link set lan0 up
	printf '#!/bin/sh\nip link set "$1" master lan0 up\n' > "$tmp/up"
	printf '#!/bin/sh\necho "$1" >> %s/down.log\n' "$tmp" > "$tmp/down"
	chmod +x "$tmp/up" "$tmp/down"
	tap="script=$tmp/up,downscript=$tmp/down"
	pair tap 30 "-smp 2 -netdev tap,id=n,ifname=lantap1,queues=2,$tap $(nic virtio-net-pci,mq=on,vectors=8 1)" \
		"-netdev tap,id=n,$tap $(nic e1000 2)"
	has tap-1 '^lan combined 2'
	ok $? "tap-1: two pairs of queues"
	grep -q lantap1 "$tmp/down.log"
	ok $? "tap: the script at the end"

	echo 'allow lan0' > "$tmp/acl"
	helper="$BUILD_DIR/qemu-bridge-helper --acl-file=$tmp/acl"
	"$QEMU_BIN-x86_64" -M none -display none -S -netdev "bridge,id=n,br=lan1,helper=$helper" > "$tmp/acl.log" 2>&1
	grep -q "lan1' isn't allowed" "$tmp/acl.log"
	ok $? "acl: a bridge that isn't allowed"
	cat > "$tmp/helper" <<-END
		#!/bin/sh
		exec $helper "\$@"
	END
	chmod +x "$tmp/helper"
	pair bridge 30 "-netdev bridge,id=n,br=lan0,helper=$tmp/helper $(nic virtio-net-pci 1)" \
		"-netdev tap,id=n,br=lan0,helper=$tmp/helper $(nic virtio-net-pci 2)"
else
	skip "tap: two guests" "no right to make network devices"
fi
done_testing
