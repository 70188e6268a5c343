# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real viewers against the VNC server. A guest of a few bytes paints a picture of 256 colors and
# writes every key it gets to the serial port and to the screen. The viewer runs under Xvfb;
# its window is compared, pixel by pixel, with the monitor's screendump.
#
# Environment: QEMU_BIN. Needs: xvfb xdotool imagemagick and the viewer of the script.

work=$(mktemp -d)
pids=()
n_test=0
n_bad=0
qmp_port=4$((RANDOM % 900 + 100))
vnc_display=$((RANDOM % 900 + 50))
vnc_port=$((5900 + vnc_display))
ws_port=$((5700 + vnc_display))

cleanup()
{
    for p in "${pids[@]}"; do kill "$p" 2> /dev/null; done
    wait 2> /dev/null
    rm -rf "$work"
}
trap cleanup EXIT

need()          # need PROGRAM PACKAGE ...
{
    while [ $# -gt 0 ]; do
        if ! command -v "$1" > /dev/null && [ ! -e "$1" ]; then
            echo "1..0 # SKIP no $1; Debian package: $2"
            exit 0
        fi
        shift 2
    done
}

ok()            # ok STATUS TEXT
{
    n_test=$((n_test + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n_test - $2"
    else
        echo "not ok $n_test - $2"
        n_bad=$((n_bad + 1))
    fi
}

finish()
{
    echo "1..$n_test"
    [ $n_bad = 0 ]
}

make_guest()
{
    # Mode 13h; each pixel is its address' bytes xor'ed; then int 16h to COM1 and int 10h for ever.
    printf '\xb8\x13\x00\xcd\x10\xb8\x00\xa0\x8e\xc0\x31\xff\xb9\x00\xfa\x89\xf8\x30\xe0\xaa\xe2\xf9' > "$work/boot"
    printf '\x31\xc0\xcd\x16\xba\xf8\x03\xee\xb4\x0e\xcd\x10\xeb\xf2' >> "$work/boot"
    truncate -s 510 "$work/boot"
    printf '\x55\xaa' >> "$work/boot"
    truncate -s 1M "$work/boot"
}

qmp()           # qmp JSON: the answer's line
{
    local line
    exec 9<> "/dev/tcp/127.0.0.1/$qmp_port" || return 1
    read -r -t 10 -u 9 line
    echo '{"execute":"qmp_capabilities"}' >&9
    read -r -t 10 -u 9 line
    echo "$1" >&9
    while read -r -t 10 -u 9 line; do
        case $line in
        *'"event"'*) ;;
        *) break ;;
        esac
    done
    exec 9>&-
    echo "$line"
}

start_vm()      # start_vm VNC-OPTIONS OTHER...
{
    local options=$1
    shift
    make_guest
    : > "$work/serial"
    "$QEMU_BIN" -M pc -m 32 -drive "file=$work/boot,format=raw" -serial "file:$work/serial" \
        -qmp "tcp:127.0.0.1:$qmp_port,server=on,wait=off" \
        -vnc "127.0.0.1:$vnc_display,websocket=$ws_port$options" "$@" 2> "$work/vm.log" &
    pids+=($!)
    vm_pid=$!
    for _ in $(seq 100); do
        { qmp '{"execute":"query-status"}'; } > /dev/null 2>&1 && break
        if ! kill -0 "$vm_pid" 2> /dev/null; then
            cat "$work/vm.log"
            echo "Bail out! the emulator has ended"
            exit 1
        fi
        sleep 0.1
    done
    # Until the picture is there: SeaBIOS takes a second or two.
    for _ in $(seq 100); do
        dump
        [ "$(identify -format '%w' "$work/dump.ppm" 2> /dev/null)" = 320 ] && break
        sleep 0.2
    done
    sleep 1
}

start_x()
{
    need Xvfb xvfb xdotool xdotool import imagemagick
    # It says which display it has when it is ready. Without -noreset it begins anew when its last window goes, and turns away who
    # comes meanwhile.
    Xvfb -displayfd 9 -noreset -screen 0 1280x1024x24 9> "$work/x-display" > /dev/null 2>&1 &
    pids+=($!)
    until [ -s "$work/x-display" ]; do
        kill -0 $! || { echo "Bail out! Xvfb has ended"; exit 1; }
        sleep 0.1
    done
    export DISPLAY=:$(cat "$work/x-display") HOME=$work XDG_RUNTIME_DIR=$work
}

dump()
{
    qmp "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"$work/dump.ppm\"}}" > /dev/null
}

# The picture at the place in the X screen where the window (or a part of it) shows the guest.
window_equals() # window_equals WINDOW DX DY [DISTANCE]: 0 if all pixels are equal
{
    local w=$1 size differ
    for _ in $(seq 40); do
        dump
        size=$(identify -format '%wx%h' "$work/dump.ppm")
        if timeout 5 import -window "${w:-root}" "$work/win.png" 2> /dev/null &&
           convert "$work/win.png" -crop "$size+$2+$3" +repage "ppm:$work/win.ppm" &&
           [ "$(identify -format '%wx%h' "$work/win.ppm")" = "$size" ]; then
            if [ -n "$4" ]; then
                # Peak signal-to-noise ratio, in dB.
                differ=$(compare -metric PSNR "$work/win.ppm" "$work/dump.ppm" null: 2>&1)
                case $differ in inf*) return 0 ;; esac
                [ "${differ%%.*}" -ge "$4" ] && return 0
            else
                differ=$(compare -metric AE "$work/win.ppm" "$work/dump.ppm" null: 2>&1)
                [ "$differ" = 0 ] && return 0
            fi
        fi
        sleep 0.25
    done
    echo "# $size: difference $differ"
    return 1
}

find_picture()  # find_picture WINDOW WxH+X+Y COLOR: in that part, where all else is COLOR; sets dx, dy, or says what is there
{
    local at xy=${2#*+}
    for _ in $(seq 40); do
        sleep 0.5
        timeout 5 import -window "${1:-root}" "$work/all.png" 2> /dev/null || continue
        at=$(convert "$work/all.png" -crop "$2" +repage -bordercolor "$3" -border 1 -trim -format '%wx%h%O' info: | head -1)
        case $at in
        320x400+*)
            dx=${at#320x400+}
            dy=$((${dx#*+} - 1 + ${xy#*+}))
            dx=$((${dx%+*} - 1 + ${xy%+*}))
            return 0 ;;
        esac
    done
    echo "# there is $at"
    return 1
}

# Viewers that are shown the picture, and go. VIEWER_CYCLES=1000 takes an hour or so.
cycles()        # cycles NAME COMMAND...
{
    local name=$1 n=${VIEWER_CYCLES:-10} bad=0
    shift
    for _ in $(seq "$n"); do
        "$@" > "$work/viewer.log" 2>&1 &
        viewer=$!
        clients_are 1 || bad=$((bad + 1))
        kill $viewer
        wait $viewer 2> /dev/null
        clients_are 0 || bad=$((bad + 1))
    done
    ok $bad "$name comes and goes $n times"
}

clients_are()   # clients_are 0|1: does it come true that nobody, or somebody, has chosen what it wants to see?
{
    local line
    for _ in $(seq 400); do
        line=$(qmp '{"execute":"x-query-vnc-stats"}')
        case $1:$line in
        1:*'"updates": '[1-9]* | 0:*'"return": []'*) return 0 ;;
        esac
        sleep 0.05
    done
    echo "# $line"
    return 1
}

find_window()   # find_window NAME
{
    local w
    for _ in $(seq 80); do
        w=$(xdotool search --onlyvisible --name "$1" 2> /dev/null | tail -1)
        [ -n "$w" ] && echo "$w" && return 0
        sleep 0.25
    done
    return 1
}

window_goes()   # window_goes WINDOW: the X server has noticed that its program has ended
{
    for _ in $(seq 40); do
        xdotool search --onlyvisible --name . 2> /dev/null | grep -qx "${1:-none}" || return 0
        sleep 0.1
    done
}

type_text()     # type_text WINDOW TEXT: 0 if the guest gets it
{
    : > "$work/serial"
    xdotool windowfocus "$1" 2> /dev/null
    sleep 0.5
    xdotool type --delay 60 "$2" 2> /dev/null
    for _ in $(seq 40); do
        # The file is written on at its old position: zeros before it.
        [ "$(tr -d '\0' < "$work/serial")" = "$2" ] && return 0
        sleep 0.25
    done
    echo "# typed '$2', the guest got '$(tr -d '\0' < "$work/serial")'"
    return 1
}

status_is()     # status_is STATUS: does it come true?
{
    for _ in $(seq 40); do
        qmp '{"execute":"query-status"}' | grep -q "\"status\": \"$1\"" && return 0
        sleep 0.25
    done
    return 1
}

monitor_console()       # monitor_console WINDOW: the human monitor's text console, by its keys
{
    xdotool windowfocus "$1" 2> /dev/null
    sleep 0.5
    xdotool key ctrl+alt+2
    sleep 0.5
    xdotool type --delay 60 "stop"
    xdotool key Return
    status_is paused
    ok $? "Ctrl-Alt-2: the human monitor's console, which stops the machine"
    xdotool type --delay 60 "cont"
    xdotool key Return
    status_is running
    ok $? "and lets it go on"
    xdotool key ctrl+alt+1
    window_equals "$1" 0 0
    ok $? "Ctrl-Alt-1: the guest's picture again"
}

vm_lives()
{
    kill -0 "$vm_pid" && qmp '{"execute":"query-status"}' | grep -q running
}
