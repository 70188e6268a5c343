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
xdotool windowmove "$w" 0 0 windowsize "$w" 640 800
sleep 2
dump
convert "$work/dump.ppm" -scale 200% "ppm:$work/twice.ppm"
timeout 5 import -window "$w" "$work/win.png"
[ "$(compare -metric AE "$work/win.png" "$work/twice.ppm" null: 2>&1)" = 0 ]
ok $? "twice as large"
xdotool key ctrl+alt+u
sleep 1
window_equals "$w" 0 0
ok $? "Ctrl-Alt-u: the guest's size again"
vm_lives
ok $? "the guest runs on"
finish
