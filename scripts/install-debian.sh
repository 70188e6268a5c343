#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs Debian as people do, but unattended: the netboot installer (package debian-installer-12-netboot-amd64) runs in the machine
# q35, answered by a preseed file, and puts the system on the disk of the AHCI controller. Packages come through user networking from
# scripts/installer-mirror.sh.
#
#   scripts/install-debian.sh [--firmware seabios|ovmf] [--size MIB] [--mirror URL]
#
# Prints the path of the raw image, .cache/guests/installed-FIRMWARE.img; what the installer said is beside it, with .log, and what it
# did with .syslog; with OVMF its variables, with .vars. The image is made anew only when these scripts or the arguments changed. User
# root, password 'debian'. Environment: QEMU_BIN, the emulator; INSTALL_SECONDS, after which it is given up (10800).
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
cache=${GUEST_CACHE:-$src/.cache/guests}
emulator=${QEMU_BIN:-$src/build/qemu-system}-x86_64
export LC_ALL=C
firmware=seabios size=3072 mirror=
. "$src/scripts/installer-lib.sh"

usage() {
	echo "install-debian.sh: $1; accepted: --firmware seabios|ovmf, --size MIB, --mirror URL" >&2
	exit 2
}
say() {
	echo "install-debian: $*" >&2
}
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || usage "'$1' needs a value or is unknown"
	case $1 in
	--firmware) firmware=$2 ;;
	--size) size=$2 ;;
	--mirror) mirror=$2 ;;
	*) usage "unknown option '$1'" ;;
	esac
	shift 2
done
case $firmware in
seabios | ovmf) ;;
*) usage "there is no firmware '$firmware' here" ;;
esac
[ "$size" -ge 2560 ] 2> /dev/null || usage "size '$size' is too small or no number (2560 and more)"
[ -f "$netboot/initrd.gz" ] || {
	say "no $netboot/initrd.gz; package: debian-installer-12-netboot-amd64"
	exit 1
}
[ $firmware = seabios ] || [ -f /usr/share/OVMF/OVMF_CODE_4M.fd ] || {
	say "no /usr/share/OVMF/OVMF_CODE_4M.fd; package: ovmf"
	exit 1
}

mkdir -p "$cache"
name=installed-$firmware
image=$cache/$name.img log=$cache/$name.log syslog=$cache/$name.syslog
exec 9> "$cache/$name.lock"
flock 9
sum=$({ cat "$0" "$src"/scripts/installer-*; echo "$firmware $size $mirror"; } | sha256sum)
if [ -f "$image" ] && [ "$(cat "$image.sum" 2> /dev/null)" = "$sum" ]; then
	echo "$image"
	exit
fi
tmp=$(mktemp -d "$cache/install.XXXXXX")
mirror_pid='' pid=''
cleanup() {
	[ -z "$mirror_pid" ] || kill $mirror_pid 2> /dev/null || :
	[ -z "$pid" ] || kill $pid 2> /dev/null || :
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 143' INT TERM
installer_mirror "$tmp" "$mirror"
installer_initrd "$tmp/initrd" "$tmp"

truncate -s "${size}M" "$tmp/disk"
set -- -M q35 -cpu max -m 1024 -display none -no-reboot -serial "file:$log" -serial "file:$syslog" -nic user,model=e1000e \
	-drive "file=$tmp/disk,format=raw,if=none,id=disk,cache=unsafe,discard=unmap" -device ide-hd,drive=disk,bus=ide.0
if [ $firmware = ovmf ]; then
	cp /usr/share/OVMF/OVMF_VARS_4M.fd "$tmp/vars"
	set -- "$@" -machine smm=off \
		-drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \
		-drive "if=pflash,unit=1,format=raw,file=$tmp/vars"
fi
say "$firmware: the installer runs, with packages from $mirror; its console is in $log"
rm -f "$log" "$syslog"
begin=$(date +%s)
timeout -k 10 "${INSTALL_SECONDS:-10800}" "$emulator" "$@" -kernel "$netboot/linux" -initrd "$tmp/initrd" -append "$installer_words" \
	< /dev/null > "$tmp/emulator.log" 2>&1 9>&- &
pid=$!
stage=
while kill -0 $pid 2> /dev/null; do
	now=$(installer_stage "$syslog")
	[ "$now" = "$stage" ] || say "$(($(date +%s) - begin)) s: $now"
	stage=$now
	! installer_asks "$log" 2> /dev/null || {
		say "the installer asks what it wasn't told"
		kill $pid
		break
	}
	sleep 2
done
status=0
wait $pid || status=$?
pid=''
# It switches off in either case; what it logged last says whether it came to its end.
[ $status = 0 ] && grep -q 'installer: all is installed' "$syslog" && grep -a -q 'reboot: Power down' "$log" || {
	say "nothing was installed (status $status); the ends of its logs:"
	cat "$tmp/emulator.log" >&2
	tail -n 20 "$log" | tr -dc '\n -~' >&2
	tail -n 20 "$syslog" >&2
	exit 1
}
say "installed after $(($(date +%s) - begin)) s"
mv "$tmp/disk" "$image"
[ $firmware = seabios ] || mv "$tmp/vars" "$cache/$name.vars"
echo "$sum" > "$image.sum"
echo "$image"
