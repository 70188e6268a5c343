#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's drivers play a tone; in the wav file sox finds its frequency and that it is long enough (on a busy host there may be gaps).
. "$(dirname "$0")/lib.sh"
command -v sox > /dev/null || { echo "1..0 # SKIP there is no sox"; exit 0; }
guest_items kernel-amd64 initramfs-x86_64 modules-amd64

# try NAME HERTZ RATE ARG...
try() {
	name=$1 hertz=$2 rate=$3
	shift 3
	linux_modules "$name" 90 "run=sound arg=$hertz,1500,$rate" \
		-audiodev "wav,id=snd,path=$tmp/$name.wav,out.frequency=48000" "$@"
	[ $? = 0 ] && has "$name" "^tone rate $rate:" && has "$name" 'GUEST-DONE rc=0'
	ok $? "$name: the driver plays"
	sox "$tmp/$name.wav" -n remix 1 stat 2> "$tmp/stat"
	sed 's/^/# /' "$tmp/stat" | grep -E 'Rough|Length|Maximum amp'
	awk -v want="$hertz" '
		/Rough/ { f = $3 } /Length/ { s = $3 } /Maximum amplitude/ { a = $3 }
		END { exit !(f > want * 0.97 && f < want * 1.03 && s > 1.3 && a > 0.3) }' "$tmp/stat"
	ok $? "$name: sox finds $hertz Hz"
}

try ac97 440 48000 -device AC97,audiodev=snd
try ac97-rate 1000 44100 -device AC97,audiodev=snd
try es1370 700 48000 -device ES1370,audiodev=snd
try hda 520 48000 -M q35 -device ich9-intel-hda,id=hda -device hda-duplex,bus=hda.0,cad=0,audiodev=snd
try hda-rate 880 44100 -device intel-hda,id=hda,msi=off -device hda-output,audiodev=snd
try hda-micro 660 16000 -device intel-hda -device hda-micro,mixer=off,audiodev=snd

# A plug is pulled out of the green jack and put in again: Linux's input device says so (EV_SW, SW_LINEOUT_INSERT).
cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"
with_qmp jack 120 x86_64 -m 512 -no-reboot -kernel "$cache/linux-amd64" -initrd "$tmp/modules.gz" -net none \
	-append 'console=ttyS0 panic=-1 no_timer_check run=jack arg=Line,Out' -device intel-hda -device hda-duplex,id=codec
wait_for "$serial" '^jack waits' 90 &&
	qmp '{"execute":"qom-set","arguments":{"path":"codec","property":"out-plugged","value":false}}' &&
	wait_for "$serial" '^jack event 5 6 0' 60
ok $? 'jack: pulled out'
qmp '{"execute":"qom-set","arguments":{"path":"codec","property":"out-plugged","value":true}}' &&
	wait_for "$serial" '^jack event 5 6 1' 60
ok $? 'jack: plugged in'
wait_for "$serial" '^GUEST-DONE rc=0' 60
wait $pid
exec 3>&-
done_testing
