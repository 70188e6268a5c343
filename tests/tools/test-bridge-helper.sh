#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whom qemu-bridge-helper refuses; a tap interface that it makes is in tests/guests/test-lan.sh.
set -u
helper=${BUILD_DIR:?the folder that was built in}/qemu-bridge-helper
tmp=$(mktemp -d "${TMPDIR:-/tmp}/bridge-helper.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
count=0

# refuses WHAT PATTERN BRIDGE: by the rules of $tmp/acl
refuses() {
	count=$((count + 1))
	"$helper" --acl-file="$tmp/acl" --br="$3" --fd=1 > "$tmp/said" 2>&1 < /dev/null
	if [ $? = 1 ] && grep -q -e "$2" "$tmp/said"; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		sed 's/^/# /' "$tmp/said"
	fi
}

# CVE-2019-13164: names of interfaces have up to 15 characters (IFNAMSIZ); a longer one may be cut to another's.
printf 'allow all\ndeny secret0\ndeny abcdefghijklmno\n' > "$tmp/acl"
refuses 'a name of 16 characters' 'name of an interface' abcdefghijklmnop
refuses 'a name of 5000 characters' 'name of an interface' "$(head -c 5000 /dev/zero | tr '\0' x)"
refuses 'a denied name of 15' "isn't allowed" abcdefghijklmno
refuses 'a denied one' "isn't allowed" secret0
refuses 'no name' 'name of an interface' ''
refuses 'a name with a blank' 'name of an interface' 'a b'
refuses 'a name that is a path' 'name of an interface' ../secret0
printf 'allow br\n' > "$tmp/acl"
refuses 'a name that begins like an allowed one' "isn't allowed" br0
refuses 'a part of an allowed name' "isn't allowed" b
{ printf '#'; head -c 1021 /dev/zero | tr '\0' ' '; echo 'allow all'; } > "$tmp/acl"
refuses 'the rest of a line that is too long' 'too long' br0
echo "include $tmp/acl" > "$tmp/acl"
refuses 'files that include each other' 'too many includes' br0
{ echo 'allow br0'; seq -f 'deny br%g' 1 5000; } > "$tmp/acl"
refuses 'rules without end' 'too many rules' br0
echo 'allow' > "$tmp/acl"
refuses 'a rule of half' 'needs a bridge' br0
rm "$tmp/acl"
refuses 'no file of rules' "can't read" br0
echo "1..$count"
