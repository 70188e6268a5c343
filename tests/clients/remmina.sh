#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Remmina, by LibVNCClient.
. "$(dirname "$0")/lib.bash"
echo "# timeout: 400"
need remmina remmina /usr/lib/x86_64-linux-gnu/remmina/plugins/remmina-plugin-vnc.so remmina-plugin-vnc \
    dbus-daemon dbus-daemon Xvfb xvfb xdotool xdotool import imagemagick
start_x
start_vm ""

mkdir -p "$work/.config/remmina"
cat > "$work/.config/remmina/remmina.pref" << 'END'
[remmina_pref]
periodic_news_permitted=false
periodic_usage_stats_permitted=false
disable_tray_icon=true
save_when_connect=false
END

# Quality 9: without JPEG.
cat > "$work/vm.remmina" << END
[remmina]
name=vm
protocol=VNC
server=127.0.0.1:$vnc_port
colordepth=32
quality=9
viewmode=1
scale=0
showcursor=true
disableclipboard=true
END

dbus-daemon --session --nofork --address="unix:path=$work/bus" > "$work/bus.log" 2>&1 &
pids+=($!)
until [ -S "$work/bus" ]; do
    kill -0 $! || { echo "Bail out! dbus-daemon has ended"; exit 1; }
    sleep 0.1
done
export DBUS_SESSION_BUS_ADDRESS=unix:path=$work/bus

remmina -c "$work/vm.remmina" > "$work/viewer.log" 2>&1 &
pids+=($!)
first=$!
w=$(find_window '^vm$')
# Right of the tool bar and below the tabs, in the middle of black.
find_picture "$w" 590x430+46+42 '#000000' && window_equals "$w" "$dx" "$dy"
found=$?
ok $found "the picture"
if [ $found = 0 ]; then
    xdotool mousemove --window "$w" $((dx + 100)) $((dy + 100)) click 1
    sleep 1
    type_text "$w" "Hello, Remmina 9"
    ok $? "keys"
    window_equals "$w" "$dx" "$dy"
    ok $? "the picture after typing"
fi
kill $first
wait $first 2> /dev/null
clients_are 0
ok $? "it goes"
cycles Remmina remmina -c "$work/vm.remmina"
vm_lives
ok $? "the guest runs on"
finish
