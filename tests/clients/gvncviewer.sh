#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# gtk-vnc's viewer.
. "$(dirname "$0")/lib.bash"
echo "# timeout: 400"
need gvncviewer gvncviewer Xvfb xvfb xdotool xdotool import imagemagick
start_x
start_vm ""
gvncviewer "127.0.0.1:$vnc_display" > "$work/viewer.log" 2>&1 &
pids+=($!)
first=$!
w=$(find_window '[Gg]vncviewer|GVncViewer|127.0.0.1|QEMU|VNC')
sleep 3
# The picture is below the menu bar.
dy=0
for y in $(seq 0 60); do
    dump
    timeout 5 import -window "${w:-root}" "$work/all.png" 2> /dev/null
    convert "$work/all.png" -crop "320x400+0+$y" +repage "ppm:$work/win.ppm"
    if [ "$(compare -metric AE "$work/win.ppm" "$work/dump.ppm" null: 2>&1)" = 0 ]; then
        dy=$y
        break
    fi
done
window_equals "$w" 0 "$dy"
ok $? "the picture"
xdotool mousemove --window "$w" 100 $((dy + 100)) click 1
sleep 1
type_text "$w" "Hello, gtk"
ok $? "keys"
window_equals "$w" 0 "$dy"
ok $? "the picture after typing"
kill $first
wait $first 2> /dev/null
cycles gvncviewer gvncviewer "127.0.0.1:$vnc_display"
vm_lives
ok $? "the guest runs on"
finish
