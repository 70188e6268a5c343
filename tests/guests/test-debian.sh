#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An installed Debian boots through SeaBIOS and GRUB to systemd's login on the serial port and on the
# screen, has an address by DHCP, fetches the package lists of the mirror that this host uses, lets
# us in by ssh, its guest agent answers on a virtio serial port, it plays a tone, has no failed unit and no complaint of the kernel, and switches off
# when the power button is pressed. Its disk is a qcow2 overlay.
#
#   test-debian.sh [BOOTS [amd64|i386 [ide|virtio|scsi|usb]...]]
#
# Without arguments: a few boots, each from another bus. With them: BOOTS from each bus (all).
. "$(dirname "$0")/lib.sh"
if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP an image with an installed Debian can be made by root only"
	exit
fi
guest_items screen-text
# Below those that the system gives to whoever asks for any.
port=$((20000 + $$ % 12000))
while grep -q -i ":$(printf %04X $port) " /proc/net/tcp; do port=$((port + 1)); done

guest() {
	timeout 300 ssh -q -i "${image%/*}/guest-key" -p $port -o StrictHostKeyChecking=no -o BatchMode=yes \
		-o UserKnownHostsFile=/dev/null -o ConnectTimeout=30 root@127.0.0.1 "$1" 2>&1
}

# The login is there before sshd listens.
ssh_is_up() {
	for _ in $(seq 60); do
		guest true && return
		sleep 2
	done
	return 1
}

# agent COMMAND PATTERN: the guest agent's answer, a line, has the pattern
agent() {
	agent_lines=$(($(wc -l < "$tmp/agent.said") + 1))
	printf '%s\n' "$1" > "$tmp/agent.in"
	while [ "$(wc -l < "$tmp/agent.said")" -lt $agent_lines ] && kill -0 "$pid" 2> /dev/null; do
		sleep 0.5
	done
	sed -n "${agent_lines}p" "$tmp/agent.said" | grep -q -e "$2"
}

# The proxy that this host's apt is told, as the guest reaches it, and this host's view of names
# that the guest can't find.
apt_like_host() {
	for kind in http https; do
		proxy=$(apt-config dump "Acquire::$kind::Proxy" | sed -n 's/.*"\(.*\)".*/\1/p')
		[ -z "$proxy" ] || echo "Acquire::$kind::Proxy \"$proxy\";" |
			sed -e 's,//127\.[0-9.]*,//10.0.2.2,' -e 's,//localhost,//10.0.2.2,'
	done > "$tmp/proxy"
	# Descriptions of packages are as much again as the lists of packages, and slow to index.
	echo 'Acquire::Languages "none";' >> "$tmp/proxy"
	guest "cat > /etc/apt/apt.conf.d/99host" < "$tmp/proxy"
	for mirror in $(guest "sed -n 's,.*://\([^/:]*\).*,\1,p' /etc/apt/sources.list \
		/etc/apt/sources.list.d/* 2> /dev/null" | sort -u); do
		address=$(getent ahostsv4 "$mirror" | sed -n '1s/ .*//p')
		[ -z "$address" ] || guest "getent hosts $mirror > /dev/null || echo $address $mirror >> /etc/hosts"
	done
}

# debian NAME ARCH BUS
debian() {
	name=$1
	rm -f "$tmp/agent.in" "$tmp/agent.out"
	mkfifo "$tmp/agent.in" "$tmp/agent.out"
	cat "$tmp/agent.out" > "$tmp/agent.said" &
	started=$(date +%s)
	installed_debian "$name" 1200 "$2" "$3" -nic "user,hostfwd=tcp:127.0.0.1:$port-:22" \
		-audiodev "wav,id=snd,path=$tmp/tone.wav" -device AC97,audiodev=snd \
		-device virtio-serial-pci -chardev "pipe,id=agent,path=$tmp/agent" \
		-device virtserialport,chardev=agent,name=org.qemu.guest_agent.0
	wait_for_prompt "$serial" '^debian login: ' 900
	ok $? "$name: login on the serial port"
	echo "# after $(($(date +%s) - started)) s"
	on_screen '^debian login:' 30
	ok $? "$name: login on the screen"
	ssh_is_up
	guest 'systemctl is-system-running --wait; systemctl --failed --no-legend; ip -4 -o addr show eth0' \
		> "$tmp/state"
	grep -q '^running' "$tmp/state" && grep -q '10\.0\.2\.15/24 .*dynamic' "$tmp/state"
	ok $? "$name: ssh lets us in, no unit has failed, there is an address"
	sed 's/^/# /' "$tmp/state"
	agent '{"execute":"guest-sync","arguments":{"id":4711}}' '{"return": 4711}' &&
		agent '{"execute":"guest-get-osinfo"}' '"id": "debian"'
	ok $? "$name: the guest agent answers"
	tail -n 1 "$tmp/agent.said" | sed 's/^/# /'
	apt_like_host
	guest 'apt-get -q update && apt-cache policy hello' > "$tmp/apt"
	grep -q 'Candidate: [0-9]' "$tmp/apt" && ! grep -q '^[WE]:' "$tmp/apt"
	ok $? "$name: apt-get update"
	grep -e '^[EW]:' -e Candidate "$tmp/apt" | sed 's/^/# /'
	guest 'for c in Master PCM; do amixer -q sset $c 80% unmute; done
		timeout 200 speaker-test -c 2 -t sine -f 440 -l 1 > /dev/null' > /dev/null
	if command -v sox > /dev/null; then
		sox "$tmp/tone.wav" -n remix 1 trim 0 2 stat 2> "$tmp/stat"
		awk '/Rough/ { f = $3 } /Maximum amplitude/ { a = $3 } END { exit !(f > 425 && f < 455 && a > 0.1) }' \
			"$tmp/stat"
		ok $? "$name: a tone, which sox finds in the wav file"
		grep -E 'Rough|Maximum amp|sox' "$tmp/stat" | sed 's/^/# /'
	fi
	# The file of wireless regulations is in a package of its own, which no machine here needs.
	guest 'dmesg -l err,crit,alert,emerg; dmesg | grep -E "WARNING|BUG|Oops|Call Trace" ; echo end' |
		grep -v -e 'regulatory.db' -e 'about missing firmware' > "$tmp/dmesg"
	[ "$(cat "$tmp/dmesg")" = end ]
	ok $? "$name: the kernel has no complaint"
	sed 's/^/# /' "$tmp/dmesg"
	[ "$(guest 'head -c 20000000 /dev/zero | openssl sha256 | cut -d" " -f2')" = \
		"$(head -c 20000000 /dev/zero | sha256sum | cut -d' ' -f1)" ]
	ok $? "$name: a checksum is right"
	qmp '{"execute":"system_powerdown"}'
	wait $pid
	ok $? "$name: the power button switches it off"
	exec 3>&-
	sed 's/^/# /' "$err"
	"$(dirname "$QEMU_BIN")/qemu-img" check -q "$tmp/disk.qcow2"
	ok $? "$name: the disk's image is whole"
	echo "# $(($(date +%s) - started)) s in all"
	if [ -n "${KEEP:-}" ]; then
		mkdir -p "$KEEP"
		cp "$serial" "$out" "$err" "$tmp"/screen* "$tmp"/state "$tmp"/dmesg "$KEEP"
	fi
}

echo "# timeout: 1500"
if [ $# = 0 ]; then
	debian amd64-ide amd64 ide
	debian i386-scsi i386 scsi
else
	boots=$1 arch=${2:-amd64}
	shift
	[ $# = 0 ] || shift
	[ $# -gt 0 ] || set -- ide virtio scsi usb
	for round in $(seq "$boots"); do
		for bus; do
			debian "$arch-$bus-$round" "$arch" "$bus"
		done
	done
fi
done_testing
