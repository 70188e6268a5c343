# SPDX-License-Identifier: GPL-2.0-or-later
# For scripts that make guests: sourced by guests.sh and guests-m68k.sh, which set $src (the source
# folder) and $cache (where to). Makes $tmp, which goes when the script ends.
tmp=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM

say() {
	echo "guests: $*" >&2
}

# kept <file> <source>...: true when the cache has the file, made from these very sources. Else
# their checksum is what made <file> records.
kept() {
	kept_file=$cache/$1
	shift
	sum=$(cat "$@" | sha256sum)
	[ -f "$kept_file" ] && [ "$(cat "$kept_file.sum" 2> /dev/null)" = "$sum" ]
}

made() {
	echo "$sum" > "$cache/$1.sum"
}

# Unpack package $1 (of architecture $2, if given) into folder $3.
unpack() {
	say "downloading package $1"
	(cd "$tmp" && apt-get download -q "$1" > apt.log 2>&1) || {
		cat "$tmp/apt.log" >&2
		say "can't download package '$1'; is the package list there (apt-get update)?"
		exit 1
	}
	dpkg-deb -x "$tmp"/"${1%%:*}"_*.deb "$2"
	rm -f "$tmp"/"${1%%:*}"_*.deb
}

# pack <folder> <output>: a gzip'ed newc archive, owner root, the same each time
pack() {
	(cd "$1" && find . -exec touch -h -d @0 {} + &&
		find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet) | gzip -9n > "$tmp/pack.gz"
	mv "$tmp/pack.gz" "$2"
}

busybox_links() {
	for n in sh ash mount umount mkdir cat ls cp mv rm ln echo grep sed cut tr wc head tail dmesg ps kill \
		sleep hostname ifconfig route ping udhcpc poweroff reboot halt sync setsid cttyhack stty \
		test [ [[ expr find sort uniq modprobe insmod lsmod depmod free uname date dd cmp md5sum \
		sha256sum nc wget vi less lspci lsusb mknod chmod chown touch true false env printf seq \
		mke2fs clear df du top uptime id whoami which xargs awk basename dirname tee time yes ip; do
		ln -sf /bin/busybox "$1/bin/$n"
	done
}

skeleton() {
	mkdir -p "$1/bin" "$1/dev" "$1/proc" "$1/sys" "$1/tmp" "$1/root" "$1/etc/udhcpc" "$1/run.d" \
		"$1/mnt" "$1/lib/modules"
	ln -sfn bin "$1/sbin"
	echo "$2" > "$1/etc/arch"
	echo 'root::0:0:root:/root:/bin/sh' > "$1/etc/passwd"
	echo 'root:x:0:' > "$1/etc/group"
	cp "$src/tests/guests/src/init" "$1/init"
	cp "$src"/tests/guests/src/run.d/* "$1/run.d/"
	cp "$src/tests/guests/src/udhcpc.script" "$1/etc/udhcpc/default.script"
	busybox_links "$1"
}
