#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What people type at the human monitor and at qmp-shell: completion, history, help by topic, results as JSON, scripts.
: "${SRC_DIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${BUILD_DIR:=$SRC_DIR/build}" "${QEMU_BIN:=$SRC_DIR/build/qemu-system-x86_64}"
tmp=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2> /dev/null; rm -rf "$tmp"' EXIT
n=0
ok() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		tr -dc '\n -~' < "$tmp/out" | sed 's/^/# /'
	fi
}
# Lines without what a terminal is told.
plain() {
	tr -d '\r' < "$tmp/out" | sed 's/\x1b\[[0-9;]*[A-Za-z]//g'
}
has() {
	plain | grep -q -e "$1"
}
machine='-M pc -nodefaults -display none -name guest1 -S -device virtio-rng-pci,id=rng0 -vga std -blockdev null-co,node-name=n0'
hmp() {
	printf "$1\\nquit\\n" | timeout 60 "$QEMU_BIN" $machine -monitor stdio > "$tmp/out" 2>&1
}

hmp 'info vers\t'
has '(qemu) info version $' && has '^7\.2\.0'
ok $? "a command's name is completed"
hmp 'info mem\t\025'
has '^mem  *memdev  *memory-devices  *memory_size_summary'
ok $? "several are shown"
hmp 'device_del rn\t'
has '(qemu) device_del rng0 $'
ok $? "names of devices are completed"
hmp 'sendkey ctrl-al\t'
has 'sendkey ctrl-alt'
ok $? "names of keys are completed"
hmp 'info name\n\033[A'
[ "$(plain | grep -c '^guest1$')" = 2 ]
ok $? "arrow up: the line before"
hmp 'info name\ninfo status\n\020\020'
[ "$(plain | grep -c '^guest1$')" = 2 ]
ok $? "Ctrl-p twice: the line before that"
hmp 'info name\ninfo history'
has "^0: 'info name'" || has '^0: .*info name'
ok $? "info history"
hmp help
has '^-- general' && has '^-- memory' && has '^-- devices' && has '^-- migration' && [ "$(plain | wc -l)" -gt 100 ]
ok $? "help by topic, without a pager"
hmp 'help device_add'
has '^device_add driver' && ! has '^-- memory'
ok $? "help for one command"
hmp 'info status --json'
has '"status": "prelaunch"' && has '"running": false'
ok $? "--json: the result of the query"
hmp 'info block -n -v\ninfo lapic 0\ninfo registers 0\ninfo registers 7\ninfo mtree -f -D\ninfo stats vm * kvm'
has '^n0: .*null-co' && has '^Images:' && has '(apic)' && has '^CPU#0' && has '^CPU#7 not available' && has 'pc.ram'
ok $? "the arguments of info"
hmp 'info mtree -o\ninfo mtree -f -d'
has 'hpet owner:{obj path=/machine' && has 'Dispatch: [0-9]* sections' && has "#0 block 'pc.ram' @0000000000000000" &&
	has '#[0-9]* functions of '
ok $? "info mtree: owners, and where accesses go"
hmp "screendump $tmp/shot.png -f png\\nset_password vnc secret -d none\\nset_password vnc x -d\\nannounce_self a,b me"
[ "$(head -c 4 "$tmp/shot.png" | tail -c 3)" = PNG ] && has "the value of '-d' is missing"
ok $? "flags that have a value"
hmp 'qom-list --json\ninfo virtio-status /machine/peripheral/rng0/virtio-backend --json\ninfo trace-events exec --json'
has '"name": "machine"' && has '"device-id": 4' && has '"state": "disabled"'
ok $? "--json: of queries that have arguments"
hmp 'info registers --json'
has '"human-readable-text": .*EAX='
ok $? "--json: text where no query is behind it"

# ------------------------------------------- the last words, to a slow reader
printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"query-qmp-schema"}' '{"execute":"quit"}' |
	timeout 60 "$QEMU_BIN" $machine -qmp stdio 2> "$tmp/emulator" | { sleep 0.2; cat; } > "$tmp/out"
[ "$(wc -c < "$tmp/out")" -gt 65536 ] && tail -n 3 "$tmp/out" | grep -q '"meta-type"' && tail -n 1 "$tmp/out" | grep -q '}.$\|}$'
ok $? "quit: what was said before is read to its end"

# -------------------------------------------------------------- qmp-shell
"$QEMU_BIN" $machine -qmp "unix:$tmp/qmp,server=on,wait=off" > "$tmp/emulator" 2>&1 &
pid=$!
# On a terminal.
shell() {
	printf "$1\\nexit\\n" > "$tmp/in"
	timeout 60 script -qfec "'$BUILD_DIR/qmp-shell' '$tmp/qmp'" /dev/null < "$tmp/in" > "$tmp/out" 2>&1
}
shell 'query-sta\t\tu\t'
has '^query-stats  *query-stats-schemas  *query-status'
ok $? "qmp-shell: candidates for a command"
has '"status": "prelaunch"'
ok $? "qmp-shell: a command is completed, its result is shown"
shell 'chardev-add id=r backend.ty\tnull backend.data={}'
has 'backend.type=null'
ok $? "qmp-shell: members of arguments are completed from the schema"
shell 'set-action reb\tshut\t'
has 'set-action reboot=shutdown'
ok $? "qmp-shell: arguments and values of enums are completed from the schema"
shell 'query-version'
[ "$(plain | grep -c '^ *"')" -gt 3 ]
ok $? "qmp-shell: results are indented"
printf '# a script\ncont\nwait RESUME 30\nstop\nquery-status\nquery-block\n' > "$tmp/script"
timeout 60 "$BUILD_DIR/qmp-shell" -1 -s "$tmp/script" "$tmp/qmp" > "$tmp/out" 2>&1 && has '"running": false'
ok $? "qmp-shell: a script"
printf 'query-status\nnosuch\nquery-name\n' > "$tmp/script"
timeout 60 "$BUILD_DIR/qmp-shell" -1 -s "$tmp/script" "$tmp/qmp" > "$tmp/out" 2>&1
[ $? = 1 ] && has 'CommandNotFound' && ! has guest1
ok $? "qmp-shell: a script ends at the first command that fails"
echo "1..$n"
