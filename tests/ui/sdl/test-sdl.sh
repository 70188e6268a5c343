#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The SDL window without a screen: it opens, wrong options are told, and it closes.
if ! grep -q 'CONFIG_SDL 1' "$BUILD_DIR/generated/config.h"; then
    echo "1..0 # SKIP this build has no SDL"
    exit 0
fi
export SDL_VIDEODRIVER=dummy
run() { timeout 120 "$BUILD_DIR/qemu-system-x86_64" -M pc -accel qtest "$@" 2>&1; }

echo 1..5
out=$(echo quit | run -display sdl -monitor stdio)
[ $? = 0 ] && echo "$out" | grep -q '(qemu)' && echo "ok 1 - opens and closes" || echo "not ok 1 - $out"
out=$(echo quit | run -display sdl,full-screen=on,grab-mod=rctrl -monitor stdio)
[ $? = 0 ] && echo "ok 2 - options" || echo "not ok 2 - $out"
out=$(run -display sdl,colour=red < /dev/null)
echo "$out" | grep -q "no option 'colour'" && echo "ok 3 - unknown option" || echo "not ok 3 - $out"
out=$(run -display sdl,grab-mod=x < /dev/null)
echo "$out" | grep -q "accepted: lctrl-lalt" && echo "ok 4 - wrong value" || echo "not ok 4 - $out"
out=$(run -nodefaults -vga none -display sdl < /dev/null)
echo "$out" | grep -q "no display" && echo "ok 5 - no display device" || echo "not ok 5 - $out"
