#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# gdb attaches to the stub: registers, a breakpoint at a kernel function, single steps, a watchpoint, threads.
. "$(dirname "$0")/lib.sh"
guest_items kernel-amd64 initramfs-x86_64
socket=$tmp/gdb.sock

# run ADDRESS-OF-A-FUNCTION ADDRESS-OF-A-COUNTER
session() {
	cat > "$tmp/commands" <<-TEXT
		set pagination off
		set confirm off
		set architecture i386:x86-64
		target remote $socket
		printf "reset pc %lx\n", \$rip
		hbreak *$1
		continue
		printf "function %lx\n", \$rip
		delete
		stepi
		stepi
		stepi
		printf "stack %lx\n", \$rsp
		watch *(unsigned long *)$2
		continue
		printf "counted\n"
		delete
		info threads
		detach
	TEXT
	timeout -k 5 $((120 * patience)) "$QEMU_BIN-x86_64" -m 512 -smp 2 -nodefaults -nographic -serial "file:$tmp/gdb.log" \
		-S -gdb "unix:$socket" -kernel "$cache/linux-amd64" \
		-initrd "$cache/initramfs-x86_64.cpio.gz" -no-reboot \
		-append 'console=ttyS0 panic=-1 no_timer_check nokaslr run=boot' < /dev/null > "$tmp/emulator.log" 2>&1 &
	emulator=$! pid=$!
	wait_for_server "$socket"
	timeout -k 5 $((100 * patience)) gdb -nx -batch -x "$tmp/commands" > "$tmp/gdb.out" 2>&1
	wait $emulator
}

# Where they are: a first boot tells.
linux symbols amd64 90 'nokaslr run=symbols arg=do_sys_openat2,jiffies_64'
address() {
	tr -d '\r' < "$tmp/symbols.log" | sed -n "s/^symbol \([0-9a-f]*\) $1\$/0x\1/p" | head -n 1
}
function=$(address do_sys_openat2)
counter=$(address jiffies_64)
[ -n "$function" ] && [ -n "$counter" ]
ok $? 'symbols: the kernel tells its addresses'
session "$function" "$counter"
sed 's/^/# /' "$tmp/gdb.out" | grep -v warning
grep -q '^reset pc fff0$' "$tmp/gdb.out"
ok $? 'gdb: attached at the reset vector'
grep -q "^function ${function#0x}\$" "$tmp/gdb.out"
ok $? 'gdb: stopped at the function'
grep -q '^stack ff' "$tmp/gdb.out"
ok $? 'gdb: steps and registers'
grep -q '^New value' "$tmp/gdb.out" && grep -q '^counted' "$tmp/gdb.out"
ok $? 'gdb: the watchpoint hit'
[ "$(grep -c 'Thread [12] (CPU#' "$tmp/gdb.out")" -ge 2 ]
ok $? 'gdb: two CPUs are two threads'
grep -q 'GUEST-DONE rc=0' "$tmp/gdb.log"
ok $? 'gdb: after detaching the guest went on to its end'
done_testing
