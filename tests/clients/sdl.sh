#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The SDL window: its picture, keys, scaling. (Full screen needs a window manager.)
. "$(dirname "$0")/lib.bash"
echo "# timeout: 200"
need Xvfb xvfb xdotool xdotool import imagemagick
start_x
start_vm "" -display sdl
w=$(find_window QEMU)
window_equals "$w" 0 0
ok $? "the picture"
type_text "$w" "Window 1+2"
ok $? "keys"
window_equals "$w" 0 0
ok $? "the picture after typing"
monitor_console "$w"
# Below the picture are the consoles' tabs, which grow with the window.
eval "$(xdotool getwindowgeometry --shell "$w" | grep -E '^(WIDTH|HEIGHT)=')"
xdotool windowmove "$w" 0 0 windowsize "$w" $((2 * WIDTH)) $((2 * HEIGHT))
twice()
{
    local differ
    for _ in $(seq 40); do
        dump
        convert "$work/dump.ppm" -scale 200% "ppm:$work/twice.ppm"
        timeout 5 import -window "$w" -crop "$(identify -format '%wx%h' "$work/twice.ppm")+0+0" +repage "$work/win.png"
        differ=$(compare -metric AE "$work/win.png" "$work/twice.ppm" null: 2>&1)
        [ "$differ" = 0 ] && return 0
        sleep 0.25
    done
    echo "# $(identify -format '%wx%h' "$work/win.png"), not $(identify -format '%wx%h' "$work/twice.ppm"): $differ"
    return 1
}
twice
ok $? "twice as large"
xdotool key ctrl+alt+u
window_equals "$w" 0 0
ok $? "Ctrl-Alt-u: the guest's size again"
vm_lives
ok $? "the guest runs on"
finish
