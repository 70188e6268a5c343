#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The library as it is installed: the examples of docs/ are built with pkg-config, warning-free, as C and
# against the static library too, and run with this emulator and, if it is installed, the distribution's.
tmp=$(mktemp -d)
trap 'kill $(cat "$tmp"/*.pid 2>/dev/null) 2> /dev/null; rm -rf "$tmp"' EXIT
n=0
ok()
{
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$tmp/log"; fi
}
cd "$BUILD_DIR" || exit 1
prefix=$(sed -n 's/^prefix=//p' libqmp.pc)
make -s --no-print-directory install-libqmp DESTDIR="$tmp/root" > "$tmp/log" 2>&1
ok $? "it is installed"
export PKG_CONFIG_PATH=$tmp/root$prefix/lib/pkgconfig LD_LIBRARY_PATH=$tmp/root$prefix/lib
flags=$(pkg-config --define-variable=prefix="$tmp/root$prefix" --cflags --libs libqmp)
cc=${CC:-cc}
for e in watch-events screenshot; do
    $cc -Wall -Wextra -Werror -o "$tmp/$e" "$SRC_DIR/docs/examples/$e.c" $flags > "$tmp/log" 2>&1
    ok $? "$e: builds with pkg-config"
    ldd "$tmp/$e" > "$tmp/log"
    ! grep -q -e glib -e pthread "$tmp/log" && grep -q libqmp.so.0 "$tmp/log"
    ok $? "$e: needs libqmp and the C library only"
done
$cc -Wall -Wextra -Werror -o "$tmp/static" "$SRC_DIR/docs/examples/screenshot.c" ${flags%-lqmp*} \
    "$tmp/root$prefix/lib/libqmp.a" -lm > "$tmp/log" 2>&1
ok $? "screenshot: with the static library"
echo '#include <libqmp/qmp-glib.h>' > "$tmp/g.c"
$cc -Wall -Wextra -Werror -c -o "$tmp/g.o" "$tmp/g.c" $flags $(pkg-config --cflags glib-2.0) > "$tmp/log" 2>&1
ok $? "the header for GLib compiles"

try()           # try NAME EMULATOR
{
    timeout 50 "$tmp/watch-events" "$2" -M pc -display none -net none > "$tmp/log" 2>&1
    grep -q '^status: ' "$tmp/log" && grep -q '^reset by the host: host-qmp-system-reset' "$tmp/log" &&
        grep -q '^event SHUTDOWN' "$tmp/log"
    ok $? "$1: events are watched"
    "$2" -M pc -display none -net none -qmp "unix:$tmp/$1.sock,server=on,wait=off" > "$tmp/emu.log" 2>&1 &
    echo $! > "$tmp/$1.pid"
    timeout 50 "$tmp/screenshot" "unix:$tmp/$1.sock" "$tmp/$1.png" > "$tmp/log" 2>&1
    [ $? = 0 ] && [ "$(head -c 4 "$tmp/$1.png" | tail -c 3)" = PNG ]
    ok $? "$1: a screen shot"
    timeout 50 "$BUILD_DIR/qmp-shell" -1 -c query-status -c 'set-action reboot=shutdown' -c 'hmp info name' \
        -c quit "$tmp/$1.sock" > "$tmp/log" 2>&1
    ok $? "$1: qmp-shell"
    ! timeout 50 "$BUILD_DIR/qmp-shell" -t 0.1 -c query-status "$tmp/none.sock" > "$tmp/log" 2>&1
    ok $? "$1: qmp-shell tells when nobody is there"
}
try ours "$QEMU_BIN"
[ -x /usr/bin/qemu-system-x86_64 ] && try theirs /usr/bin/qemu-system-x86_64
echo "1..$n"
