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
cp -rs /usr/share/novnc "$work/www"
cp "$(dirname "$0")/src/novnc-cycles.html" "$work/www"
busybox httpd -f -p "127.0.0.1:$http_port" -h "$work/www" &
pids+=($!)
url="http://127.0.0.1:$http_port/vnc_lite.html?host=127.0.0.1&port=$ws_port"
browse()        # browse URL
{
    exec chromium --no-sandbox --test-type --no-first-run --disable-gpu --user-data-dir="$work/chromium" \
        --force-device-scale-factor=1 --force-color-profile=srgb --window-size=800,700 \
        --window-position=0,0 --app="$1"
}

browse "$url" > "$work/viewer.log" 2>&1 &
pids+=($!)
first=$!
w=$(find_window 'noVNC|QEMU')
# The canvas is in the middle of noVNC's dark gray, below the bar.
find_picture "$w" 800x670+0+30 '#282828' && window_equals "$w" "$dx" "$dy"
found=$?
ok $found "the picture"
if [ $found = 0 ]; then
    xdotool mousemove --window "$w" $((dx + 100)) $((dy + 100)) click 1
    type_text "$w" "hello web"
    ok $? "keys"
    window_equals "$w" "$dx" "$dy"
    ok $? "the picture after typing"
fi
kill $first
wait $first 2> /dev/null
n=${VIEWER_CYCLES:-10}
browse "http://127.0.0.1:$http_port/novnc-cycles.html?port=$ws_port&n=$n" > "$work/viewer.log" 2>&1 &
pids+=($!)
# The page's title tells how it went.
for _ in $(seq $((n + 20))); do
    w=$(find_window '^cycles: ') && break
done
[ "$(xdotool getwindowname "$w")" = "cycles: $n" ]
ok $? "noVNC comes and goes $n times"
vm_lives
ok $? "the guest runs on"
finish
