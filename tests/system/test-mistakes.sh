#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# All mistakes of a command line are told in one run, each once, with what is accepted.
set -u
: "${QEMU_BIN:?path of the emulator}"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/mistakes.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
count=0

# mistakes NAME ARG... < LINES: it ends with status 1 and says each of the lines, nothing else
mistakes() {
	name=$1
	shift
	cat > "$tmp/want"
	timeout 120 "$QEMU_BIN-x86_64" "$@" < /dev/null > "$tmp/out" 2> "$tmp/err"
	status=$?
	sed -e 's/^qemu-system-x86_64: //' "$tmp/err" > "$tmp/got"
	bad=
	[ $status = 1 ] || bad="exit status $status"
	while read -r pattern; do
		n=$(grep -c -e "$pattern" "$tmp/got")
		[ "$n" = 1 ] || bad="$bad; $n times '$pattern'"
	done < "$tmp/want"
	[ "$(wc -l < "$tmp/got")" = "$(wc -l < "$tmp/want")" ] || bad="$bad; another number of lines"
	count=$((count + 1))
	if [ -z "$bad" ]; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name$bad"
		sed 's/^/# /' "$tmp/got"
	fi
}

mistakes 'every kind of option' -M pc -frobnicate -m 12X -smp 0,foo=1,threads=99999 \
	-boot menu=maybe,foo=1 -action panic=dance,reboot=never -uuid 1 \
	-object nosuch,id=o -object memory-backend-ram,id=a,size=x \
	-drive file=/no/such/image,if=none,id=d0 -device ide-hd,drive=d0 \
	-netdev user,id=n0,bar=1,restrict=perhaps -device e1000,netdev=n0,foo=1,mac=zz \
	-device nosuch,id=q -device e1000,bus=pci.7,netdev=n7 -serial unknown:1 -mon chardev=nix \
	-fw_cfg name=opt/x -smbios type=1,uuid=1,colour=red -smbios type=99 -rtc clock=sun,driftfix=x \
	-qmp foo:bar -display foo << 'END'
no option '-frobnicate'
^-m: '12X' is not a size
^-smp: .*'foo'; accepted: cpus
^-smp: 'cpus' is '0'; accepted: 1 to
^-smp: 'threads' is '99999'; accepted: 1 to
^-boot: .*'foo'; accepted: order
^-boot: 'menu' is 'maybe'; accepted: on, off
^-action: 'panic' is 'dance'; accepted: pause
^-action: 'reboot' is 'never'; accepted: reset
^-uuid: '1' isn't a UUID; accepted:
^-object nosuch,id=o: .*nosuch; accepted:
^-object memory-backend-ram,id=a: .*size' cannot be 'x'; accepted: a size
^-drive .*d0.*/no/such/image.*No such file
^-netdev user,id=n0: .*'bar'.*accepted: .*hostfwd
^-netdev user,id=n0: .*'restrict' expects 'on' or 'off', not 'perhaps'
^-device e1000: .*e1000.foo' not found; accepted: .*netdev
^-device e1000: .*e1000.mac' cannot be 'zz'; accepted: six
^-device nosuch,id=q: 'nosuch' is not a valid device
^-device e1000: .*'pci.7'
^-device e1000: .*'n7'
^-fw_cfg: 'opt/x' .*accepted: file=F or
^-smbios 1: .*'uuid' is '1'; accepted: xxxx
^-smbios 1: .*'colour'; accepted: manufacturer
^-smbios 99: .*'99'; accepted: 0, 1
^-rtc: 'clock' is 'sun'; accepted: host, rt, vm
^-rtc: 'driftfix' is 'x'; accepted: none, slew
^-serial: 'unknown:1'.*accepted: null
^-mon nix: chardev "nix" not found
^-qmp: 'foo:bar'.*accepted: null
^-display: 'foo' .*accepted: none
END

mistakes 'numa' -M pc -m 1G -smp 2 -numa node,mem=512M,cpus=0-9 -numa node,memdev=nix \
	-numa dist,src=0,dst=5,val=20 -numa cpu,node-id=0,socket-id=9 -numa dance -display none << 'END'
^-numa node: 'cpus' is '0-9'; accepted: 0 to 1
^-numa node: .*'nix'
^-numa dist: 'dst' is '5'; accepted: 0 to
^-numa cpu: 'socket-id' is '9'; accepted: 0 to 1
^-numa dance: 'type' is 'dance'; accepted: node
^-machine: total memory
END

mistakes 'an unknown machine' -M nix -device e1000,foo=1 -device ide-hd,bus=ide.0,drive=nope \
	-display none -accel xyz << 'END'
^-machine: .*"nix"; accepted
^-accel: .*'xyz'; accepted: tcg
^-device e1000: .*e1000.foo' not found
^-device ide-hd: .*'nope'
END

mistakes 'what only the machine knows' -M pc,smm=maybe,foo=1 -device e1000,bus=pci.9 \
	-device e1000,addr=77.9 -display none -monitor none << 'END'
^-machine: .*smm' cannot be 'maybe'; accepted: auto
^-machine: .*foo' not found; accepted: acpi
^-device e1000: .*'pci.9'
^-device e1000: .*e1000.addr'.*accepted: SLOT
END

mistakes 'files, features' -M pc -cpu qemu64,+foo,bar=1 -bios /no/such/bios -device e1000,x=1 \
	-display none << 'END'
^-machine: .*no feature 'foo', 'bar'
^-device e1000: .*e1000.x' not found
END

# Nobody would be served: it ends at once instead of waiting for somebody.
mistakes 'servers that wait' -M pc -m 12X -chardev "socket,id=c,path=$tmp/s,server=on,wait=on" \
	-device isa-serial,chardev=c -serial "unix:$tmp/t,server=on" -qmp "unix:$tmp/u,server=on" \
	-display none << 'END'
^-m: '12X' is not a size
END
# What can be named, and what it has; what can't be named is told.
mistakes 'help about what there is not' -object nix,help -device nix,help -M nix,help -display none << 'END'
^-object: there is no object 'nix'
^-device: there is no device 'nix'
^-M: there is no machine 'nix'
END

helps() {
	count=$((count + 1))
	if "$QEMU_BIN-x86_64" "$1" "$2" 2>&1 < /dev/null | grep -q -e "$3"; then
		echo "ok $count - $1 $2"
	else
		echo "not ok $count - $1 $2"
	fi
}
helps -object help '^  iothread '
helps -object iothread,help '^  poll-max-ns=<int64> - '
helps -device virtio-scsi-pci,help '^  iothread=<link<iothread>> - '
helps -machine pc,help '^  hpet=<bool> - '
helps -M help '^pc-i440fx-7.2 '
helps -nic model=help '^virtio-net-pci$'
helps -nic help '^user$'
helps -audiodev help '^wav$'
helps -display help '^none$'
helps -vga help '^std '
echo "1..$count"
