# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests of ivshmem, sourced behind lib.sh: guests that exchange messages.

# example OUTPUT OPTION...: docs/examples/ivshmem/exchange.c
example() {
	eout=$1
	shift
	cc -O2 "$@" -I"$SRC_DIR" "$SRC_DIR/docs/examples/ivshmem/exchange.c" "$SRC_DIR"/libivshmem/[a-r]*.c \
		-o "$eout"
}

# guest NAME ARGS DEVICE...: runs run-exchange of $initrd, in the background as $pid
guest() {
	gname=$1 gargs=$2
	shift 2
	boot "$gname" x86_64 300 -m 256 -kernel "$cache/linux-amd64" -initrd "$initrd" -nic none \
		-append "console=ttyS0 panic=-1 no_timer_check mods=none run=exchange arg=$gargs" "$@" &
	pid=$!
}

# serve OPTION...: ivshmem-server at $tmp/s, as $server
serve() {
	"$BUILD_DIR/ivshmem-server" -F -a -S "$tmp/s" -l 4M "$@" > "$tmp/server.log" 2>&1 &
	server=$! pid=$!
	wait_for_server "$tmp/s"
}

# exchanged NAME DRIVER: the guest has done it, and by interrupts of DRIVER
exchanged() {
	has "$1" 'GUEST-DONE rc=0' && has "$1" 'has exchanged 100 messages with each of 2' &&
		has "$1" 'waits for interrupts' && has "$1" "$2"
}
