#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An installed Debian boots from a disk through SeaBIOS and GRUB to systemd's login on the serial
# port, has an address by DHCP, lets us in by ssh, has no failed unit and no complaint of the kernel,
# and switches off when the power button is pressed.
. "$(dirname "$0")/lib.sh"
echo "# timeout: 1500"
if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP an image with an installed Debian can be made by root only"
	exit
fi
image=$("$SRC_DIR/scripts/disk-image.sh") || {
	echo "Bail out! the image can't be made"
	exit 1
}
cp --sparse=always "$image" "$tmp/disk.img"
port=$((20000 + $$ % 20000))
with_qmp debian 1200 x86_64 -m 512 -smp 2 -drive "file=$tmp/disk.img,format=raw" \
	-nic "user,hostfwd=tcp:127.0.0.1:$port-:22"
wait_for "$serial" '^debian login: ' 900
ok $? 'debian: login on the serial port'

guest() {
	timeout 60 ssh -q -i "${image%/*}/guest-key" -p $port -o StrictHostKeyChecking=no -o BatchMode=yes \
		-o UserKnownHostsFile=/dev/null -o ConnectTimeout=30 root@127.0.0.1 "$1" 2>&1
}
guest 'systemctl is-system-running --wait; systemctl --failed --no-legend; networkctl --no-legend' \
	> "$tmp/state"
grep -q '^running' "$tmp/state"
ok $? 'debian: ssh lets us in, no unit has failed'
sed 's/^/# /' "$tmp/state"
# The file of wireless regulations is in a package of its own, which no machine here needs.
guest 'dmesg -l err,crit,alert,emerg; dmesg | grep -E "WARNING|BUG|Oops|Call Trace" ; echo end' |
	grep -v -e 'regulatory.db' -e 'about missing firmware' > "$tmp/dmesg"
[ "$(cat "$tmp/dmesg")" = end ]
ok $? 'debian: the kernel has no complaint'
sed 's/^/# /' "$tmp/dmesg"
[ "$(guest 'head -c 20000000 /dev/zero | openssl sha256 | cut -d" " -f2')" = \
	"$(head -c 20000000 /dev/zero | sha256sum | cut -d' ' -f1)" ]
ok $? 'debian: a checksum is right'
qmp '{"execute":"system_powerdown"}'
wait $pid
ok $? 'debian: the power button switches it off'
exec 3>&-
sed 's/^/# /' "$err"
done_testing
