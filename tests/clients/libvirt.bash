# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's libvirt, its daemon as an ordinary user (nobody, if we are root) with folders of its own in $work. Sourced by libvirt*.sh
# after $domain is set to the domain's name; the files that the daemon reads are made in $work/img before start_daemon.
. "$(dirname "$0")/lib.bash"
trap '' PIPE
need virsh libvirt-clients /usr/sbin/libvirtd libvirt-daemon qemu-img qemu-utils \
    /usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so libvirt-daemon-driver-qemu
if [ "$(id -u)" != 0 ]; then
    echo "1..0 # SKIP the daemon of an ordinary user is started by root only"
    exit 0
fi

# Short, since it holds sockets.
chmod 755 "$work"
mkdir -p "$work"/{home,run,config,cache,img}
chmod 700 "$work/run"

as_user()       # as_user COMMAND...: with nothing of root's environment
{
    setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        HOME="$work/home" XDG_RUNTIME_DIR="$work/run" XDG_CONFIG_HOME="$work/config" \
        XDG_CACHE_HOME="$work/cache" LC_ALL=C TERM=dumb \
        LIBVIRT_AUTOSTART=0 "$@"
}
v()             # v VIRSH-ARGUMENTS...: its output in $out
{
    out=$(as_user timeout $((120 * patience)) virsh -q -c qemu:///session "$@" 2>&1 < /dev/null)
}
step()          # step TEXT VIRSH-ARGUMENTS...: a test point
{
    local text=$1
    shift
    v "$@"
    local rc=$?
    ok $rc "$text"
    [ $rc = 0 ] || printf '%s\n' "$out" | sed 's/^/# /'
    return $rc
}
# Limits are there to end what hangs; a busy host is no fault.
patience=${CHECK_PATIENCE:-3}
until_()        # until_ SECONDS COMMAND...: does it come true?
{
    local end=$((SECONDS + $1 * patience))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.5
    done
}
out_has() { printf '%s\n' "$out" | grep -q -e "$1"; }
state_is() { v domstate $domain; out_has "^$1"; }

start_daemon()
{
    chown -R nobody "$work"
    cat > "$work/libvirtd.conf" <<X
log_filters = "1:qemu.qemu_monitor 3:*"
log_outputs = "1:file:$work/libvirtd.log"
X
    as_user /usr/sbin/libvirtd -f "$work/libvirtd.conf" -p "$work/run/pid" > "$work/daemon.log" 2>&1 &
    pids+=($!)
    until_ 30 v version
    ok $? "the daemon answers"
    pids+=("$(cat "$work/run/pid")")        # the daemon itself, of which $! is only the shell
}

emulator=$(readlink -f "$(dirname "$QEMU_BIN")/qemu-system-x86_64")
emulator=$(dirname "$emulator")/qemu-system-x86_64
# ------------------------------------------------------------------ the console
open_console()
{
    rm -f "$work/keys"
    mkfifo "$work/keys"
    as_user script -qfc "virsh -q -c qemu:///session console $domain --force" /dev/null \
        < "$work/keys" >> "$work/console.log" 2>&1 &
    pids+=($!)
    exec 5> "$work/keys"
    sleep 1
}
type_() { printf "%s\r" "$1" >&5; }
shown() { tr -d '\r' < "$work/console.log" | grep -q -a -e "$1"; }
# A line of the guest's shell that shows what can't be in what was typed.
alive() { type_ "echo alive-\$((6 * 7))-$1"; until_ 60 shown "alive-42-$1"; }
