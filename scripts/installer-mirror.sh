#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a small mirror for Debian's netboot installer: its own packages (udebs), as many as an installation to one disk needs.
# A mirror may have holes, and many have no udebs at all, so each one is, in this order: the mirror's; built from the mirror's source;
# packed again from what the usual package has of it; and last, of the next release. All else is the mirror's own, which
# scripts/installer-serve.pl asks for it.
#
#   scripts/installer-mirror.sh MIRROR-URL
#
# Prints the folder, .cache/guests/installer-mirror, which is made anew only when this script, the mirror or the installer's kernel
# changed. Its list of udebs is signed by the key in key.gpg there. Packages: debian-installer-12-netboot-amd64 file gnupg gpgv xz-utils;
# to build: debhelper dh-di po-debconf dpkg-dev fakeroot isoquery iso-codes libdebian-installer4-dev libdebconfclient0-dev libparted-dev.
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
cache=${GUEST_CACHE:-$src/.cache/guests}
netboot=/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ $# = 1 ] || {
	echo "usage: installer-mirror.sh MIRROR-URL" >&2
	exit 2
}
mirror=${1%/}
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
suites='bookworm trixie'

say() {
	echo "installer-mirror: $*" >&2
}
die() {
	say "$*"
	exit 1
}
for tool in file gpg gpg-agent gpgv xz cpio; do
	command -v $tool > /dev/null || die "'$tool' is missing; packages: file gnupg gpgv xz-utils cpio"
done
kernel=$(file -bL "$netboot/linux" 2> /dev/null | sed -n 's/.*version \([^ ]*\).*/\1/p')
[ -n "$kernel" ] || die "no kernel in $netboot; package: debian-installer-12-netboot-amd64"
wanted="apt-setup-udeb apt-mirror-setup base-installer bootstrap-base clock-setup di-utils-mapdevfs disk-detect debootstrap-udeb
	finish-install grub-installer os-prober-udeb partman-auto partman-base partman-utils partman-basicfilesystems partman-basicmethods
	partman-efi partman-ext3 partman-partitioning partman-target pkgsel tzsetup-udeb user-setup-udeb libparted2-udeb
	libparted-fs-resize0-udeb libdevmapper1.02.1-udeb dosfstools-udeb e2fsprogs-udeb ext4-modules-$kernel-di ata-modules-$kernel-di
	sata-modules-$kernel-di scsi-modules-$kernel-di efi-modules-$kernel-di"
# What an installation to one disk can do without, so that nothing may depend on it.
without='rdate-udeb grub-mount-udeb ntfs-3g-udeb dmidecode-udeb cdrom-core-modules-[^ ,]*'

mkdir -p "$cache"
out=$cache/installer-mirror
exec 8> "$cache/installer-mirror.lock"
flock 8
sum=$({ cat "$0"; echo "$mirror $kernel"; } | sha256sum)
if [ "$(cat "$out/sum" 2> /dev/null)" = "$sum" ]; then
	echo "$out"
	exit
fi
tmp=$(mktemp -d "$cache/mirror.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
lists=dists/bookworm/main/debian-installer/binary-amd64
mkdir -p "$tmp/out/pool" "$tmp/out/$lists" "$tmp/got"

# get PATH FILE [SHA256]: from the mirror, as this host's apt would
get() {
	/usr/lib/apt/apt-helper -o APT::Sandbox::User=root -o Acquire::Retries=1 download-file "$mirror/$1" "$2" ${3:+"SHA256:$3"} \
		> "$tmp/apt.log" 2>&1 && [ -f "$2" ]
}

# lists_of SUITE: fetches what Debian says there is: udebs in $tmp/SUITE.udebs, sources in $tmp/SUITE.sources
lists_of() {
	[ -f "$tmp/$1.sources" ] && return
	get "dists/$1/InRelease" "$tmp/$1.signed" || die "no list of $1 at $mirror: $(tail -n 1 "$tmp/apt.log")"
	gpgv --status-fd 3 --keyring $keyring --output "$tmp/$1.release" "$tmp/$1.signed" 3> "$tmp/gpg.status" 2> "$tmp/gpg.log" || :
	grep -q '^\[GNUPG:\] VALIDSIG' "$tmp/gpg.status" || die "the list of $1 isn't signed by Debian: $(tail -n 1 "$tmp/gpg.log")"
	for llist in main/debian-installer/binary-amd64/Packages.xz:udebs main/source/Sources.xz:sources; do
		lpath=${llist%:*}
		lsum=$(awk -v p="$lpath" '/^[A-Z].*:/ { on = $1 == "SHA256:" } on && $3 == p { print $1 }' "$tmp/$1.release")
		get "dists/$1/$lpath" "$tmp/list.xz" "$lsum" || {
			# A mirror may have some of its lists in an older state.
			get "dists/$1/$lpath" "$tmp/list.xz" || die "no $lpath of $1 at $mirror: $(tail -n 1 "$tmp/apt.log")"
			say "$1's list $lpath isn't the one that Debian has signed now"
		}
		xz -dc "$tmp/list.xz" > "$tmp/$1.${llist#*:}"
		rm "$tmp/list.xz"
	done
}

# stanza FILE NAME: what the list says of the package
stanza() {
	awk -v RS= -v name="Package: $2" '{ split($0, line, "\n") } line[1] == name { print; exit }' "$1"
}

# field NAME: of the stanza on standard input
field() {
	sed -n "s/^$1: //p"
}

# ready_made SUITE UDEB
ready_made() {
	stanza "$tmp/$1.udebs" "$2" > "$tmp/stanza"
	[ -s "$tmp/stanza" ] && get "$(field Filename < "$tmp/stanza")" "$tmp/got/$2.udeb" "$(field SHA256 < "$tmp/stanza")"
}

# built SUITE UDEB: all udebs of its source, once; those that are there already stay. These sources have one archive each.
built() {
	stanza "$tmp/$1.udebs" "$2" > "$tmp/stanza"
	bsource=$(field Source < "$tmp/stanza")
	bsource=${bsource%% *}
	[ -n "$bsource" ] || bsource=$2
	bfolder=$tmp/$1-$bsource
	[ ! -d "$bfolder" ] || return 1
	stanza "$tmp/$1.sources" "$bsource" > "$tmp/stanza"
	barchive=$(awk '/^[A-Z].*:/ { on = $1 == "Checksums-Sha256:" } on && $3 ~ /\.tar\./ { print $1 " " $3 }' "$tmp/stanza")
	[ -n "$barchive" ] && [ "$(echo "$barchive" | wc -l)" = 1 ] && grep -q '(native)' "$tmp/stanza" || return 1
	get "$(field Directory < "$tmp/stanza")/${barchive#* }" "$tmp/archive" "${barchive%% *}" || return 1
	for tool in dh dh_di_numbers po2debconf dpkg-buildpackage fakeroot isoquery; do
		command -v $tool > /dev/null || die "'$tool' is missing; packages: debhelper dh-di po-debconf dpkg-dev fakeroot isoquery" \
			"iso-codes libdebian-installer4-dev libdebconfclient0-dev libparted-dev"
	done
	mkdir -p "$bfolder"
	tar -xf "$tmp/archive" -C "$bfolder"
	say "building $bsource of $1"
	(cd "$bfolder"/*/ && DEB_BUILD_OPTIONS='nocheck nodoc' nice -n 10 dpkg-buildpackage -b -d -us -uc -rfakeroot) \
		> "$bfolder/log" 2>&1 || {
		tail -n 20 "$bfolder/log" >&2
		die "the source package $bsource of $1 couldn't be built"
	}
	for budeb in "$bfolder"/*.udeb; do
		bname=$(dpkg-deb -f "$budeb" Package)
		[ -f "$tmp/got/$bname.udeb" ] || cp "$budeb" "$tmp/got/$bname.udeb"
	done
	[ -f "$tmp/got/$2.udeb" ]
}

# pack UDEB PACKAGE:PATTERN...: of the files of bookworm's packages
pack() {
	pudeb=$1
	shift
	mkdir -p "$tmp/pack/DEBIAN"
	for pfrom; do
		ppackage=${pfrom%%:*}
		if [ ! -d "$tmp/from-$ppackage" ]; then
			(cd "$tmp" && apt-get -q -o APT::Sandbox::User=root download "$ppackage" > "$tmp/apt.log" 2>&1) || return 1
			dpkg-deb -x "$tmp/$ppackage"_*.deb "$tmp/from-$ppackage"
			rm "$tmp/$ppackage"_*.deb
		fi
		(cd "$tmp/from-$ppackage" && find . -path "./${pfrom#*:}" ! -type d -print0 | cpio -0pdm --quiet "$tmp/pack")
	done
	stanza "$tmp/bookworm.udebs" "$pudeb" | grep -v -E '^(Filename|Size|MD5sum|SHA256|Description-md5):' > "$tmp/pack/DEBIAN/control"
	case $pudeb in
	*-modules-*)
		printf '#!/bin/sh\ndepmod -a\n' > "$tmp/pack/DEBIAN/postinst"
		chmod 755 "$tmp/pack/DEBIAN/postinst"
		;;
	esac
	dpkg-deb --root-owner-group -b "$tmp/pack" "$tmp/got/$pudeb.udeb" > /dev/null
	rm -rf "$tmp/pack"
}

# packed UDEB
packed() {
	plinux=linux-image-$kernel:lib/modules/$kernel/kernel
	case $1 in
	dosfstools-udeb) pack "$1" 'dosfstools:sbin/mk*' 'dosfstools:sbin/fsck.*' ;;
	e2fsprogs-udeb)
		pack "$1" 'e2fsprogs:sbin/*' 'e2fsprogs:etc/mke2fs.conf' 'libext2fs2:lib/*' 'libcom-err2:lib/*' 'libss2:lib/*'
		;;
	libparted2-udeb) pack "$1" 'libparted2:*/libparted.so*' ;;
	libparted-fs-resize0-udeb) pack "$1" 'libparted-fs-resize0:*/libparted-fs-resize*' ;;
	libdevmapper1.02.1-udeb) pack "$1" 'libdevmapper1.02.1:*/libdevmapper.so*' ;;
	os-prober-udeb) pack "$1" 'os-prober:usr/bin/*' 'os-prober:usr/lib/*' 'os-prober:usr/share/os-prober/*' ;;
	ext4-modules-*) pack "$1" "$plinux/fs/ext4/*" "$plinux/fs/jbd2/*" "$plinux/fs/mbcache.ko" ;;
	ata-modules-*) pack "$1" "$plinux/drivers/ata/libata.ko" "$plinux/drivers/ata/ata_generic.ko" ;;
	sata-modules-*)
		pack "$1" "$plinux/drivers/ata/ahci.ko" "$plinux/drivers/ata/libahci.ko" "$plinux/drivers/ata/ata_piix.ko"
		;;
	scsi-modules-*) pack "$1" "$plinux/drivers/block/virtio_blk.ko" "$plinux/drivers/scsi/virtio_scsi.ko" ;;
	efi-modules-*) pack "$1" "$plinux/fs/efivarfs/*" ;;
	*) return 1 ;;
	esac
}

one_of() {
	for suite in $suites; do
		lists_of "$suite"
		how="$suite's"
		ready_made "$suite" "$1" && return
		how="built from $suite's source"
		built "$suite" "$1" && return
		how="packed from bookworm's packages"
		[ "$suite" != bookworm ] || ! packed "$1" || return 0
	done
	die "the udeb $1 can't be had: $mirror has neither it nor its source (${suites# })"
}
for udeb in $wanted; do
	how='built already'
	[ -f "$tmp/got/$udeb.udeb" ] || one_of "$udeb"
	say "$udeb: $how"
done

# --- the list ---
gone=$(echo $without | sed 's/ /|/g')
for name in $wanted; do
	rm -rf "$tmp/one"
	dpkg-deb -R "$tmp/got/$name.udeb" "$tmp/one"
	control=$tmp/one/DEBIAN/control
	sed -i -E "/^(Pre-)?Depends:/{ s/(, *|: )($gone)( \([^)]*\))?(,|\$)/\1/; s/, *,/,/; s/, *\$//; /: *\$/d }" "$control"
	file=pool/$name.udeb
	# The installer speaks English here: in an emulator it is slow to read all its questions in seventy languages.
	if [ -f "$tmp/one/DEBIAN/templates" ]; then
		awk '/^[A-Za-z_]+-[a-zA-Z_@]+\.UTF-8:/ { foreign = 1; next } /^[^ \t]/ || /^$/ { foreign = 0 } !foreign' \
			"$tmp/one/DEBIAN/templates" > "$tmp/templates"
		cp "$tmp/templates" "$tmp/one/DEBIAN/templates"
	fi
	dpkg-deb --root-owner-group -b "$tmp/one" "$tmp/out/$file" > /dev/null
	cat "$control"
	# What only Debian's list has: for which kernel and which kind of machine it is.
	stanza "$tmp/bookworm.udebs" "$name" | grep -E '^(Kernel-Version|Subarchitecture|Priority):' | while read -r line; do
		grep -q "^${line%%:*}:" "$control" || echo "$line"
	done
	echo "Filename: $file"
	echo "Size: $(stat -c %s "$tmp/out/$file")"
	echo "SHA256: $(sha256sum < "$tmp/out/$file" | cut -d' ' -f1)"
	echo
done > "$tmp/list"
xz -c "$tmp/list" > "$tmp/out/$lists/Packages.xz"
{
	sed '/^MD5Sum:/,$d; /^SHA256:/,$d; s/^Components:.*/Components: main/' "$tmp/bookworm.release"
	echo 'SHA256:'
	echo " $(sha256sum < "$tmp/out/$lists/Packages.xz" | cut -d' ' -f1) $(stat -c %s "$tmp/out/$lists/Packages.xz")" \
		main/debian-installer/binary-amd64/Packages.xz
} > "$tmp/out/dists/bookworm/Release"
(
	export GNUPGHOME="$tmp/gpg"
	mkdir -m 700 "$GNUPGHOME"
	gpg -q --batch --passphrase '' --quick-gen-key 'The mirror for the installer' ed25519 sign never
	gpg -q --batch --detach-sign -o "$tmp/out/dists/bookworm/Release.gpg" "$tmp/out/dists/bookworm/Release"
	gpg -q --batch --export > "$tmp/out/key.gpg"
	gpgconf --kill gpg-agent
) 2> "$tmp/gpg.log" || die "the list can't be signed: $(cat "$tmp/gpg.log")"
rm -rf "$out"
mv "$tmp/out" "$out"
echo "$sum" > "$out/sum"
echo "$out"
