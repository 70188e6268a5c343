#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# noVNC in Chromium, by websocket.
. "$(dirname "$0")/lib.bash"
echo "# timeout: 400"
need chromium chromium /usr/share/novnc/vnc_lite.html novnc busybox busybox-static Xvfb xvfb \
    xdotool xdotool import imagemagick
start_x
start_vm ""
http_port=$((ws_port + 2000))
busybox httpd -f -p "127.0.0.1:$http_port" -h /usr/share/novnc &
pids+=($!)
url="http://127.0.0.1:$http_port/vnc_lite.html?host=127.0.0.1&port=$ws_port"
chromium --no-sandbox --test-type --no-first-run --disable-gpu --user-data-dir="$work/chromium" \
    --force-device-scale-factor=1 --force-color-profile=srgb --window-size=800,700 \
    --window-position=0,0 --app="$url" > "$work/viewer.log" 2>&1 &
pids+=($!)
w=$(find_window 'noVNC|QEMU')
found=1
for _ in $(seq 30); do
    sleep 1
    dump
    timeout 5 import -window "${w:-root}" "$work/all.png" 2> /dev/null || continue
    # The canvas is in the middle of noVNC's dark gray, below the bar.
    at=$(convert "$work/all.png" -crop +0+30 +repage -bordercolor '#282828' -border 1 -trim \
        -format '%wx%h%O' info: | head -1)
    case $at in
    320x400+*)
        dx=${at#320x400+}
        dy=$((${dx#*+} - 1 + 30))
        dx=$((${dx%+*} - 1))
        window_equals "$w" $dx $dy && found=0
        break ;;
    esac
done
ok $found "the picture (at $at)"
if [ $found = 0 ]; then
    xdotool mousemove --window "$w" $((dx + 100)) $((dy + 100)) click 1
    type_text "$w" "hello web"
    ok $? "keys"
    window_equals "$w" "$dx" "$dy"
    ok $? "the picture after typing"
fi
vm_lives
ok $? "the guest runs on"
finish
