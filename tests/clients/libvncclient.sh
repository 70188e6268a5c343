#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# LibVNCClient with each of its encodings by name; and many connections in a row.
. "$(dirname "$0")/lib.bash"
echo "# timeout: 400"
need /usr/include/rfb/rfbclient.h libvncserver-dev compare imagemagick cc gcc
cc -O -o "$work/vncclient" "$(dirname "$0")/src/vncclient.c" $(pkg-config --cflags --libs libvncclient) \
    > "$work/cc.log" 2>&1 || { cat "$work/cc.log"; exit 1; }
start_vm ""
for e in raw copyrect hextile zlib tight zrle rre "tight zrle copyrect hextile raw"; do
    : > "$work/serial"
    "$work/vncclient" "$vnc_port" "$e" "$work/got.ppm" "Ab1!" > "$work/viewer.log" 2>&1
    ok $? "$e: connects"
    dump
    [ "$(compare -metric AE "$work/got.ppm" "$work/dump.ppm" null: 2>&1)" = 0 ]
    ok $? "$e: the picture"
    [ "$(tr -d '\0' < "$work/serial")" = "Ab1!" ]
    ok $? "$e: keys"
done
# Connections that say hello and go.
bad=0
for i in $(seq "${CYCLES:-1000}"); do
    exec 8<> "/dev/tcp/127.0.0.1/$vnc_port" && read -r -t 10 -u 8 hello || bad=$((bad + 1))
    [ $((i % 3)) = 0 ] && printf 'RFB 003.008\n' >&8
    exec 8>&-
done
ok $bad "${CYCLES:-1000} connections come and go"
bad=0
for _ in $(seq "${VIEWER_CYCLES:-10}"); do
    "$work/vncclient" "$vnc_port" tight "$work/got.ppm" "" > "$work/viewer.log" 2>&1 || bad=$((bad + 1))
done
ok $bad "LibVNCClient comes and goes ${VIEWER_CYCLES:-10} times"
vm_lives
ok $? "the guest runs on"

# Wavelets at once, and without loss when the picture rests.
kill "$vm_pid"
qmp_port=$((qmp_port + 1))
start_vm ,lossy=on,non-adaptive=on
for q in 3 6 9; do
    "$work/vncclient" "$vnc_port" zywrle "$work/got.ppm" "" $q "$work/first.ppm" > "$work/viewer.log" 2>&1 &&
        ! grep -q 'decoding failed' "$work/viewer.log"
    ok $? "zywrle, quality $q: connects"
    dump
    [ "$(compare -metric AE "$work/got.ppm" "$work/dump.ppm" null: 2>&1)" = 0 ]
    ok $? "zywrle, quality $q: the picture, at rest"
    psnr=$(compare -metric PSNR "$work/first.ppm" "$work/dump.ppm" null: 2>&1)
    echo "# at first $psnr dB"
    # What quality 9 shows is exact; noise is hard for wavelets.
    case $q:$psnr in
    9:inf*) true ;;
    9:* | *:inf*) false ;;
    *) [ "${psnr%%.*}" -ge 20 ] ;;
    esac
    ok $? "zywrle, quality $q: the picture at first"
done
finish
