#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TigerVNC's viewer with each of its encodings, and with TLS and a password.
. "$(dirname "$0")/lib.bash"
echo "# timeout: 400"
need xtigervncviewer tigervnc-viewer Xvfb xvfb xdotool xdotool import imagemagick
start_x
start_vm ,lossy=on

view()          # view NAME PSNR OPTION...
{
    local name=$1 psnr=$2 w
    shift 2
    xtigervncviewer "$@" "127.0.0.1::$vnc_port" > "$work/viewer.log" 2>&1 &
    local p=$!
    w=$(find_window 'TigerVNC')
    window_equals "$w" 0 0 $psnr
    ok $? "$name: the picture"
    type_text "$w" "Abc, 12!x"
    ok $? "$name: keys"
    window_equals "$w" 0 0 $psnr
    ok $? "$name: the picture after typing"
    if ! kill $p 2> /dev/null; then
        echo "# the viewer has ended by itself:"
        sed 's/^/# /' "$work/viewer.log"
    fi
    wait $p 2> /dev/null
    window_goes "$w"
}

for e in Raw Hextile ZRLE Tight; do
    view $e "" -SecurityTypes None -AutoSelect=0 -PreferredEncoding $e -NoJPEG=1 -FullColor=1
done
view "Tight with JPEG" 35 -SecurityTypes None -AutoSelect=0 -PreferredEncoding Tight -NoJPEG=0 \
    -QualityLevel=9
view "automatic" "" -SecurityTypes None -NoJPEG=1
xtigervncviewer -SecurityTypes None -NoJPEG=1 "127.0.0.1::$vnc_port" > "$work/viewer.log" 2>&1 &
p=$!
monitor_console "$(find_window 'TigerVNC')"
kill $p
wait $p 2> /dev/null
cycles TigerVNC xtigervncviewer -SecurityTypes None "127.0.0.1::$vnc_port"
vm_lives
ok $? "the guest runs on"

# TLS, certificate, password.
kill "$vm_pid"
if command -v certtool > /dev/null; then
    pki=$work/pki
    mkdir "$pki"
    certtool --generate-privkey > "$pki/ca-key.pem" 2> /dev/null
    printf 'cn=ca\nca\ncert_signing_key\n' > "$pki/ca.info"
    certtool --generate-self-signed --load-privkey "$pki/ca-key.pem" --template "$pki/ca.info" \
        > "$pki/ca-cert.pem" 2> /dev/null
    certtool --generate-privkey > "$pki/server-key.pem" 2> /dev/null
    printf 'cn=localhost\ndns_name=localhost\nip_address=127.0.0.1\ntls_www_server\nsigning_key\n' \
        > "$pki/server.info"
    certtool --generate-certificate --load-ca-certificate "$pki/ca-cert.pem" \
        --load-ca-privkey "$pki/ca-key.pem" --load-privkey "$pki/server-key.pem" \
        --template "$pki/server.info" > "$pki/server-cert.pem" 2> /dev/null
    qmp_port=$((qmp_port + 1))
    start_vm ,tls-creds=tls0,password-secret=pw \
        -object "tls-creds-x509,id=tls0,endpoint=server,dir=$pki,verify-peer=off" \
        -object secret,id=pw,data=letmein
    export VNC_PASSWORD=letmein VNC_USERNAME=me
    view "X509Vnc" "" -SecurityTypes X509Vnc -X509CA "$pki/ca-cert.pem" -NoJPEG=1
    view "X509Plain" "" -SecurityTypes X509Plain -X509CA "$pki/ca-cert.pem" -NoJPEG=1
fi
finish
