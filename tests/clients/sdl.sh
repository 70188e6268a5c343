#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The SDL window: its picture, keys, tabs, scaling, clipboard. (Full screen needs a window manager.)
. "$(dirname "$0")/lib.bash"
echo "# timeout: 200"
need Xvfb xvfb xdotool xdotool import imagemagick
start_x
start_vm "" -display sdl,clipboard=on
w=$(find_window QEMU)
window_equals "$w" 0 0
ok $? "the picture"
type_text "$w" "Window 1+2"
ok $? "keys"
window_equals "$w" 0 0
ok $? "the picture after typing"
monitor_console "$w"
# The bar of tabs: 20 lines below the picture, whose size is the console's.
click_tab()     # click_tab X
{
    local HEIGHT
    HEIGHT=$(xdotool getwindowgeometry --shell "$w" | sed -n 's/^HEIGHT=//p')
    xdotool mousemove --window "$w" "$1" $((HEIGHT - 10)) click 1
}
click_tab 200
sleep 1
xdotool getwindowname "$w" | grep -q "another console"
ok $? "a click on the second tab shows the second console"
click_tab 20
window_equals "$w" 0 0
ok $? "and one on the first the guest's picture"
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
if command -v xclip > /dev/null; then
    : > "$work/serial"
    xdotool mousemove 1200 1000
    printf 'Copied' | xclip -i -selection clipboard
    xdotool mousemove --window "$w" 100 100
    for _ in $(seq 40); do
        qmp '{"execute":"x-paste-text"}' | grep -q '"return"' && break
        sleep 0.25
    done
    for _ in $(seq 40); do
        [ "$(tr -d '\0' < "$work/serial")" = Copied ] && break
        sleep 0.25
    done
    [ "$(tr -d '\0' < "$work/serial")" = Copied ]
    ok $? "the desktop's clipboard is the machine's, which types it"
fi
vm_lives
ok $? "the guest runs on"
finish
