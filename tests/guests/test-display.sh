#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's bochs driver on bochs-display: it reads the EDID, takes the best mode from it, and what it paints is in the screen dump.
. "$(dirname "$0")/lib.sh"
echo "# timeout: 300"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64
cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$tmp/modules.gz"

name=bochs
with_qmp $name 200 x86_64 -M q35 -m 512 -no-reboot -vga none -kernel "$cache/linux-amd64" -initrd "$tmp/modules.gz" \
	-append 'console=ttyS0 panic=-1 no_timer_check run=display' -device bochs-display,xres=1152,yres=720
wait_for "$serial" '^display painted' 150
ok $? "$name: Linux has painted"
has $name '^display card0-Virtual-1 connected edid 128' && has $name '^display mode 1152x720'
ok $? "$name: the driver has the EDID and its mode"
has $name '^display bochs-drmdrmfb 1152,720 32'
ok $? "$name: its frame buffer has that size"
# The driver copies its frame buffer to the card's a little later; a piece that ends with its line it may forget (Linux 6.1's
# fb helper takes the end's column for 0), so a pixel in the middle of the line before the last is looked at.
green() {
	qmp '{"execute":"screendump","arguments":{"filename":"'"$tmp/screen.ppm"'"}}' &&
		[ "$(head -c 15 "$tmp/screen.ppm" | tr '\n' ' ')" = 'P6 1152 720 255' ] &&
		[ "$(tail -c 4608 "$tmp/screen.ppm" | head -c 3 | od -An -tx1)" = ' 00 ff 00' ]
}
until green || ! kill -0 $pid 2> /dev/null; do sleep 0.5; done
green
ok $? "$name: the screen is green"
kill $pid
wait $pid
exec 3>&-
done_testing
