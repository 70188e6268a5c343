#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds for another kind of host and runs unit tests there, by qemu-user: is there anything that takes the host to be an x86?
#
#   scripts/check-hosts.sh [-h HOST,...] [FOLDER]
#
# HOST: s390x (big-endian), i386 (32 bits), armhf (32 bits, and arguments of 64 bits begin at even registers); default: all. None has
# a code generator of its own, so that guests run in the IR interpreter. The cross compilers and the
# libraries are Debian packages, unpacked in FOLDER (default build-hosts in the source root) without being installed;
# needed on this machine: apt-get, dpkg, qemu-user.
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
hosts=s390x,i386,armhf
while getopts h: o; do
	case $o in
	h) hosts=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
top=${1:-$src/build-hosts}
mkdir -p "$top"
top=$(cd "$top" && pwd)
case $hosts in
*,*)
	failed=0
	for h in $(echo "$hosts" | tr , ' '); do
		echo "== $h"
		"$0" -h "$h" "$top" || failed=1
	done
	exit $failed
	;;
esac

arch=$hosts dir=$top/$hosts
# triplet: of the compiler; libs: of the libraries' folders
case $arch in
s390x) triplet=s390x-linux-gnu run_name=qemu-s390x libs=$triplet ;;
i386) triplet=i686-linux-gnu run_name=qemu-i386 libs=i386-linux-gnu ;;
armhf) triplet=arm-linux-gnueabihf run_name=qemu-arm libs=$triplet ;;
*)
	echo "check-hosts.sh: unknown host '$arch'; accepted: s390x, i386, armhf" >&2
	exit 2
	;;
esac
here=$(dpkg --print-architecture)
jobs=-j$(nproc)

command -v $run_name > /dev/null || {
	echo "check-hosts.sh: $run_name is missing; Debian package: qemu-user" >&2
	exit 1
}
mkdir -p "$dir"

# packages ARCH FOLDER PACKAGE...: unpacks them, by lists of packages of our own
packages() {
	parch=$1 pdir=$2
	shift 2
	[ ! -e "$pdir.ready" ] || return 0
	mkdir -p "$dir/lists-$parch/partial" "$dir/cache/archives/partial" "$dir/deb-$parch" "$pdir"
	: > "$dir/status"
	set -- -o APT::Architecture="$parch" -o APT::Architectures="$parch" -o Dir::State::lists="$dir/lists-$parch" \
		-o Dir::Cache="$dir/cache" -o Dir::State::status="$dir/status" -- "$@"
	apt_options=
	while [ "$1" != -- ]; do
		apt_options="$apt_options $1"
		shift
	done
	shift
	# shellcheck disable=SC2086
	apt-get -qq $apt_options update || echo "check-hosts.sh: not all lists of packages could be had; going on without" >&2
	# shellcheck disable=SC2086
	(cd "$dir/deb-$parch" && apt-get -qq $apt_options download "$@")
	for p in "$dir/deb-$parch"/*.deb; do
		dpkg -x "$p" "$pdir"
	done
	find "$pdir" -lname '/*' | while read -r l; do		# they mean the root that they would be installed in
		ln -sfn "$pdir$(readlink "$l")" "$l"
	done
	touch "$pdir.ready"
}

root=$dir/root tools=$dir/tools
packages $arch "$root" libglib2.0-0 libglib2.0-dev libpcre2-8-0 libpcre2-dev zlib1g zlib1g-dev libpixman-1-0 libpixman-1-dev \
	libpng16-16 libpng-dev libc6 libc6-dev libgcc-s1 libgcc-12-dev linux-libc-dev libcrypt-dev libatomic1
packages "$here" "$tools" gcc-12-$triplet cpp-12-$triplet binutils-$triplet libgcc-12-dev-$arch-cross

# The libraries by their names here: of i386, there may be some of the same names on this machine.
run="$run_name -L $root -E LD_LIBRARY_PATH=$root/lib/$libs:$root/usr/lib/$libs"
PATH=$tools/usr/bin:$PATH
LD_LIBRARY_PATH=$tools/usr/lib/$(uname -m)-linux-gnu
PKG_CONFIG_LIBDIR=$root/usr/lib/$libs/pkgconfig:$root/usr/share/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$root
export PATH LD_LIBRARY_PATH PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
mkdir -p "$dir/build"
cd "$dir/build"
[ -e config.mak ] || "$src/configure" --cc="$triplet-gcc-12 --sysroot=$root" --run="$run" --disable-werror

programs=${CHECK_HOSTS_TESTS:-tests/qobject/test-json tests/qobject/test-json-suite tests/qobject/test-qobject tests/qobject/test-error
	tests/util/test-bits tests/util/test-uint128 tests/util/test-iov tests/util/test-coroutine tests/util/test-main-loop tests/util/test-rcu
	tests/qapi/test-qapi tests/qom/test-object tests/vmstate/test-vmstate tests/memory/test-memory
	tests/tcg/test-ir tests/tcg/test-opt tests/tcg/test-softfp tests/target/m68k/test-decode tests/target/m68k/test-vectors
	tests/target/m68k/test-fpu}
# shellcheck disable=SC2086
make $jobs OPTIMISE=-O1 FIRMWARE_CC=gcc qemu-system $programs
failed=0
for p in $programs; do
	if SRC_DIR=$src timeout 600 $run "$p" > log 2>&1 && ! grep -q '^not ok' log; then
		echo "ok: $p ($(grep -c '^ok' log))"
	else
		echo "FAILED: $p"
		grep -E -B 5 '^not ok' log | head -20
		failed=1
	fi
done

# A small guest: a program on a Quadra, in the IR interpreter.
mkdir -p "$dir/bin"
cat > "$dir/bin/qemu-m68k" <<END
#!/bin/sh
exec $run -0 qemu-system-m68k $dir/build/qemu-system "\$@"
END
chmod +x "$dir/bin/qemu-m68k"
if QEMU_BIN=$dir/bin/qemu sh "$src/tests/target/m68k/test-run.sh" > log && ! grep -q '^not ok' log; then
	echo "ok: tests/target/m68k/test-run.sh ($(grep -c '^ok' log))"
else
	echo "FAILED: tests/target/m68k/test-run.sh"
	grep '^not ok' log
	failed=1
fi
exit $failed
